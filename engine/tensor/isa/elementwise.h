// SPDX-License-Identifier: GPL-3.0-or-later
// Element by element: activations, additions, softmax, the optimizers.
#ifndef ENGINE_TENSOR_ISA_ELEMENTWISE_H
#define ENGINE_TENSOR_ISA_ELEMENTWISE_H

#include "engine/tensor/isa/activation.h"

INLINE void activate_all(enum act act, const float *x, long n, float *y, struct top *top)
{
	long i = 0;
	for (; i + LANES <= n; i += LANES)
		*(lanes *)(y + i) = topped(top, activated_lanes(act, *(const lanes *)(x + i)));
	for (; i < n; i++)
		y[i] = topped_one(top, activated(act, x[i]));
}

static float activate(const float *x, long n, enum act act, float *y)
{
	struct top top = {0};
	FOR_ACT(act, activate_all, x, n, y, &top);
	return top_of(&top);
}

INLINE void activate_gradient_all(enum act act, const float *x, const float *dy, long n, float *dx)
{
	for (long i = 0; i < n; i++)
		dx[i] = sloped(act, x[i], dy[i]);
}

static void activate_gradient(const float *x, const float *dy, long n, enum act act, float *dx)
{
	FOR_ACT(act, activate_gradient_all, x, dy, n, dx);
}

INLINE void add_all(enum act act, const float *a, const float *b, long n, float *y, struct top *top)
{
	long i = 0;
	for (; i + LANES <= n; i += LANES)
		*(lanes *)(y + i) = topped(top, activated_lanes(act, *(const lanes *)(a + i) + *(const lanes *)(b + i)));
	for (; i < n; i++)
		y[i] = topped_one(top, activated(act, a[i] + b[i]));
}

static float add(const float *a, const float *b, long n, enum act act, float *y)
{
	struct top top = {0};
	FOR_ACT(act, add_all, a, b, n, y, &top);
	return top_of(&top);
}

INLINE void add_affine_all(enum act act, const float *a, const float *ga, const float *sa, const float *b, const float *gb,
	const float *sb, long pixels, long c, float *restrict y, struct top *top)
{
	const float *first = y;
	for (long p = 0; p < pixels; p++, a += c, b += c, y += c) {
		for (long j = 0; c >= LANES && j < c; j += LANES) {
			const long at = j + LANES <= c ? j : c - LANES; // the last may repeat some of the one before
			const lanes left = affine_lanes(ACT_NONE, a, ga, sa, at), right = affine_lanes(ACT_NONE, b, gb, sb, at);
			*(lanes *)(y + at) = topped(top, activated_lanes(act, left + right));
		}
		for (long j = 0; c < LANES && j < c; j++)
			y[j] = activated(act, (a[j] * ga[j] + sa[j]) + (b[j] * gb[j] + sb[j]));
	}
	if (c < LANES)
		top->one = peak(first, pixels * c);
}

static float add_affine(const float *a, const float *ga, const float *sa, const float *b, const float *gb, const float *sb,
	long pixels, long c, enum act act, float *y)
{
	struct top top = {0};
	FOR_ACT(act, add_affine_all, a, ga, sa, b, gb, sb, pixels, c, y, &top);
	return top_of(&top);
}

static void accumulate(const float *x, float *y, long n)
{
	for (long i = 0; i < n; i++)
		y[i] += x[i];
}

static void maximum(const float *x, float *y, long n)
{
	for (long i = 0; i < n; i++)
		y[i] = x[i] > y[i] ? x[i] : y[i];
}

static void softmax(float *x, long rows, long n, long row, float scale)
{
	for (long r = 0; r < rows; r++, x += row) {
		float top = -FLT_MAX, total = 0;
		for (long i = 0; i < n; i++)
			top = x[i] > top ? x[i] : top;
		for (long i = 0; i < n; i++)
			x[i] = exponential(scale * (x[i] - top));
		for (long i = 0; i < n; i++)
			total += x[i];
		for (long i = 0; i < n; i++)
			x[i] /= total;
	}
}

static double squares(const float *x, long n)
{
	double sum = 0;
	for (long i = 0; i < n; i += STRETCH) {
		long end = i + STRETCH < n ? i + STRETCH : n;
		float s = 0;
		for (long j = i; j < end; j++)
			s += x[j] * x[j];
		sum += (double)s;
	}
	return sum;
}

static void sgd(float *w, float *v, const float *g, long n, float scale, float rate, float momentum, float decay)
{
	for (long i = 0; i < n; i++) {
		float d = scale * g[i] + decay * w[i];
		v[i] = momentum * v[i] + d;
		w[i] -= rate * (d + momentum * v[i]);
	}
}

static void adamw(float *w, float *m, float *v, const float *g, long n, float scale, float rate, float beta1, float beta2,
	float decay)
{
	for (long i = 0; i < n; i++) {
		float d = scale * g[i];
		m[i] = beta1 * m[i] + (1 - beta1) * d;
		v[i] = beta2 * v[i] + (1 - beta2) * d * d;
		w[i] -= decay * w[i] + rate * m[i] / (sqrtf(v[i]) + 1e-8f);
	}
}

static void follow(const float *x, float keep, float *average, long n)
{
	for (long i = 0; i < n; i++)
		average[i] = keep * average[i] + (1 - keep) * x[i];
}

#endif

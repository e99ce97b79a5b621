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

// A vector of channels of a window of h by w pixels: to the first of the greatest.
INLINE void maximum_gradient_vector(const float *x, lanes dy, int h, int w, long row, long c, float *dx)
{
	lanes most = *(const lanes *)x;
	ints first = {0};
	for (int y = 0; y < h; y++)
		for (int k = 0; k < w; k++) {
			const lanes v = *(const lanes *)(x + y * row + k * c);
			const ints more = v > most;
			most = chosen(more, v, most);
			first = ((y * w + k) & more) | (first & ~more);
		}
	for (int y = 0; y < h; y++)
		for (int k = 0; k < w; k++) {
			lanes *to = (lanes *)(dx + y * row + k * c);
			*to += (lanes)((ints)dy & (first == y * w + k));
		}
}

static void maximum_gradient(const float *x, const float *dy, int h, int w, long row, long c, float *dx)
{
	long j = 0;
	for (; j + LANES <= c; j += LANES)
		maximum_gradient_vector(x + j, *(const lanes *)(dy + j), h, w, row, c, dx + j);
	for (; j < c; j++) {
		long first = j;
		for (int y = 0; y < h; y++)
			for (long at = y * row + j; at < y * row + w * c; at += c)
				first = x[at] > x[first] ? at : first;
		dx[first] += dy[j];
	}
}

enum { ROWS_SUMMED = 4 }; // rows whose numbers are added up side by side: one alone would wait for its own sum

// Of x, or of x times y, each row in its numbers' order.
INLINE void sum_rows(const int rows, const float *x, const float *y, long n, long row, float *sum)
{
	float s[ROWS_SUMMED] = {0};
	for (long i = 0; i < n; i++)
#pragma GCC unroll 4
		for (int r = 0; r < rows; r++)
			s[r] += y ? x[r * row + i] * y[r * row + i] : x[r * row + i];
	memcpy(sum, s, (size_t)rows * sizeof *sum);
}

static float greatest(const float *x, long n)
{
	lanes most = every(-FLT_MAX);
	float top = -FLT_MAX;
	long i = 0;
	for (; i + LANES <= n; i += LANES)
		most = greater(*(const lanes *)(x + i), most);
	for (int k = 0; k < LANES; k++)
		top = most[k] > top ? most[k] : top;
	for (; i < n; i++)
		top = x[i] > top ? x[i] : top;
	return top;
}

INLINE void softmax_rows(const int rows, float *x, long n, long row, float scale)
{
	float total[ROWS_SUMMED];
	for (int r = 0; r < rows; r++) {
		float *at = x + r * row;
		const float top = greatest(at, n);
		long i = 0;
		for (; i + LANES <= n; i += LANES)
			*(lanes *)(at + i) = exponential_lanes(scale * (*(const lanes *)(at + i) - top));
		for (; i < n; i++)
			at[i] = exponential(scale * (at[i] - top));
	}
	sum_rows(rows, x, NULL, n, row, total);
	for (int r = 0; r < rows; r++)
		for (long i = 0; i < n; i++)
			x[r * row + i] /= total[r];
}

static void softmax(float *x, long rows, long n, long row, float scale)
{
	long r = 0;
	for (; r + ROWS_SUMMED <= rows; r += ROWS_SUMMED)
		softmax_rows(ROWS_SUMMED, x + r * row, n, row, scale);
	for (; r < rows; r++)
		softmax_rows(1, x + r * row, n, row, scale);
}

INLINE void softmax_gradient_rows(const int rows, const float *restrict y, float *restrict dy, long n, long row, float scale)
{
	float sum[ROWS_SUMMED];
	sum_rows(rows, dy, y, n, row, sum);
	for (int r = 0; r < rows; r++)
		for (long i = r * row; i < r * row + n; i++)
			dy[i] = y[i] * (dy[i] - sum[r]) * scale;
}

static void softmax_gradient(const float *y, float *dy, long rows, long n, long row, float scale)
{
	long r = 0;
	for (; r + ROWS_SUMMED <= rows; r += ROWS_SUMMED)
		softmax_gradient_rows(ROWS_SUMMED, y + r * row, dy + r * row, n, row, scale);
	for (; r < rows; r++)
		softmax_gradient_rows(1, y + r * row, dy + r * row, n, row, scale);
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

// SPDX-License-Identifier: GPL-3.0-or-later
// Work over pixels with numbers per channel: norms and the sums they need.
#ifndef ENGINE_TENSOR_ISA_CHANNELS_H
#define ENGINE_TENSOR_ISA_CHANNELS_H

#include "engine/tensor/isa/activation.h"

static void channel_peaks(const float *x, long pixels, long c, float *top)
{
	for (long p = 0; p < pixels; p++, x += c)
		for (long j = 0; j < c; j++)
			top[j] = fabsf(x[j]) > top[j] ? fabsf(x[j]) : top[j];
}

// Of four pixels first, so that the ranges are read and written for every fourth pixel alone.
static void channel_extremes(const float *x, long pixels, long c, float *restrict low, float *restrict high)
{
	long p = 0;
	for (; p + 4 <= pixels; p += 4, x += 4 * c)
		for (long j = 0; j < c; j++) {
			float a = x[j], b = x[c + j], d = x[2 * c + j], e = x[3 * c + j];
			float l = a < b ? a : b, h = a > b ? a : b, m = d < e ? d : e, n = d > e ? d : e;
			l = l < m ? l : m;
			h = h > n ? h : n;
			low[j] = l < low[j] ? l : low[j];
			high[j] = h > high[j] ? h : high[j];
		}
	for (; p < pixels; p++, x += c)
		for (long j = 0; j < c; j++) {
			low[j] = x[j] < low[j] ? x[j] : low[j];
			high[j] = x[j] > high[j] ? x[j] : high[j];
		}
}

enum { VECTORS_SUMMED = 2 }; // vectors of channels at once: one alone would wait for its own sums

// A stretch of pixels, some vectors of channels in registers.
INLINE void sum_vectors(const int count, const float *x, long pixels, long c, double *sum, double *squares)
{
	lanes s[VECTORS_SUMMED], q[VECTORS_SUMMED];
#pragma GCC unroll 2
	for (int v = 0; v < count; v++)
		s[v] = q[v] = every(0);
	for (long i = 0; i < pixels; i++, x += c)
#pragma GCC unroll 2
		for (int v = 0; v < count; v++) {
			const lanes y = *(const lanes *)(x + v * LANES);
			s[v] += y;
			q[v] += y * y;
		}
	float part[2][VECTORS_SUMMED * LANES];
	memcpy(part[0], s, sizeof s);
	memcpy(part[1], q, sizeof q);
	for (int k = 0; k < count * LANES; k++) {
		sum[k] += (double)part[0][k];
		squares[k] += (double)part[1][k];
	}
}

// Of fewer.
INLINE void sum_block(const int width, const float *x, long pixels, long c, double *sum, double *squares)
{
	float s[BLOCK] = {0}, q[BLOCK] = {0};
	for (long i = 0; i < pixels; i++, x += c)
		for (int k = 0; k < width; k++) {
			s[k] += x[k];
			q[k] += x[k] * x[k];
		}
	for (int k = 0; k < width; k++) {
		sum[k] += (double)s[k];
		squares[k] += (double)q[k];
	}
}

static void channel_sums(const float *x, long pixels, long c, double *sum, double *squares)
{
	for (long p = 0; p < pixels; p += STRETCH, x += STRETCH * c) {
		const long count = pixels - p < STRETCH ? pixels - p : STRETCH;
		long j = 0;
		for (; j + VECTORS_SUMMED * LANES <= c; j += VECTORS_SUMMED * LANES)
			sum_vectors(VECTORS_SUMMED, x + j, count, c, sum + j, squares + j);
		for (; j + LANES <= c; j += LANES)
			sum_vectors(1, x + j, count, c, sum + j, squares + j);
		for (; j + PART <= c; j += PART)
			sum_block(PART, x + j, count, c, sum + j, squares + j);
		if (j < c)
			sum_block((int)(c - j), x + j, count, c, sum + j, squares + j);
	}
}

INLINE void affine_rows(enum act act, const float *x, long pixels, long c, const float *scale, const float *shift,
	float *restrict y, struct top *top)
{
	const float *first = y;
	for (long p = 0; p < pixels; p++, x += c, y += c) {
		for (long j = 0; c >= LANES && j < c; j += LANES) {
			const long at = j + LANES <= c ? j : c - LANES; // the last may repeat some of the one before
			*(lanes *)(y + at) = topped(top, affine_lanes(act, x, scale, shift, at));
		}
		for (long j = 0; c < LANES && j < c; j++)
			y[j] = activated(act, x[j] * scale[j] + shift[j]);
	}
	if (c < LANES)
		top->one = peak(first, pixels * c);
}

static float affine(const float *x, long pixels, long c, const float *scale, const float *shift, enum act act, float *y)
{
	struct top top = {0};
	FOR_ACT(act, affine_rows, x, pixels, c, scale, shift, y, &top);
	return top_of(&top);
}

INLINE void affine_sum_vectors(enum act act, const int count, const float *x, const float *dy, long pixels, long c,
	const float *scale, const float *shift, const float *mean, double *sum, double *sum_x)
{
	lanes s[VECTORS_SUMMED], sx[VECTORS_SUMMED], a[VECTORS_SUMMED], b[VECTORS_SUMMED], m[VECTORS_SUMMED];
#pragma GCC unroll 2
	for (int v = 0; v < count; v++) {
		s[v] = sx[v] = every(0);
		a[v] = *(const lanes *)(scale + v * LANES);
		b[v] = *(const lanes *)(shift + v * LANES);
		m[v] = *(const lanes *)(mean + v * LANES);
	}
	for (long i = 0; i < pixels; i++, x += c, dy += c)
#pragma GCC unroll 2
		for (int v = 0; v < count; v++) {
			const lanes at = *(const lanes *)(x + v * LANES);
			const lanes g = sloped_lanes(act, at * a[v] + b[v], *(const lanes *)(dy + v * LANES));
			s[v] += g;
			sx[v] += g * (at - m[v]);
		}
	float part[2][VECTORS_SUMMED * LANES];
	memcpy(part[0], s, sizeof s);
	memcpy(part[1], sx, sizeof sx);
	for (int k = 0; k < count * LANES; k++) {
		sum[k] += (double)part[0][k];
		sum_x[k] += (double)part[1][k];
	}
}

INLINE void affine_sum_block(enum act act, const int width, const float *x, const float *dy, long pixels, long c,
	const float *scale, const float *shift, const float *mean, double *sum, double *sum_x)
{
	float s[BLOCK] = {0}, sx[BLOCK] = {0};
	for (long i = 0; i < pixels; i++, x += c, dy += c)
		for (int k = 0; k < width; k++) {
			float g = sloped(act, x[k] * scale[k] + shift[k], dy[k]);
			s[k] += g;
			sx[k] += g * (x[k] - mean[k]);
		}
	for (int k = 0; k < width; k++) {
		sum[k] += (double)s[k];
		sum_x[k] += (double)sx[k];
	}
}

INLINE void affine_sum_rows(enum act act, const float *x, const float *dy, long pixels, long c, const float *scale,
	const float *shift, const float *mean, double *sum, double *sum_x)
{
	for (long p = 0; p < pixels; p += STRETCH) {
		long count = pixels - p < STRETCH ? pixels - p : STRETCH, j = 0;
		for (; j + VECTORS_SUMMED * LANES <= c; j += VECTORS_SUMMED * LANES)
			affine_sum_vectors(act, VECTORS_SUMMED, x + p * c + j, dy + p * c + j, count, c, scale + j, shift + j,
				mean + j, sum + j, sum_x + j);
		for (; j + LANES <= c; j += LANES)
			affine_sum_vectors(act, 1, x + p * c + j, dy + p * c + j, count, c, scale + j, shift + j, mean + j,
				sum + j, sum_x + j);
		for (; j + PART <= c; j += PART)
			affine_sum_block(act, PART, x + p * c + j, dy + p * c + j, count, c, scale + j, shift + j, mean + j,
				sum + j, sum_x + j);
		if (j < c)
			affine_sum_block(act, (int)(c - j), x + p * c + j, dy + p * c + j, count, c, scale + j, shift + j,
				mean + j, sum + j, sum_x + j);
	}
}

static void affine_sums(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
	enum act act, const float *mean, double *sum, double *sum_x)
{
	FOR_ACT(act, affine_sum_rows, x, dy, pixels, c, scale, shift, mean, sum, sum_x);
}

INLINE void affine_gradient_rows(enum act act, const float *x, const float *dy, long pixels, long c, const float *scale,
	const float *shift, const float *ka, const float *kb, const float *kc, float *restrict dx)
{
	for (long p = 0; p < pixels; p++, x += c, dy += c, dx += c) {
		long j = 0;
		for (; j + LANES <= c; j += LANES) {
			const lanes g = sloped_lanes(act, affine_lanes(ACT_NONE, x, scale, shift, j), *(const lanes *)(dy + j));
			*(lanes *)(dx + j) = g * *(const lanes *)(ka + j) + affine_lanes(ACT_NONE, x, kb, kc, j);
		}
		for (; j < c; j++)
			dx[j] = sloped(act, x[j] * scale[j] + shift[j], dy[j]) * ka[j] + (x[j] * kb[j] + kc[j]);
	}
}

static void affine_gradient(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
	enum act act, const float *ka, const float *kb, const float *kc, float *dx)
{
	FOR_ACT(act, affine_gradient_rows, x, dy, pixels, c, scale, shift, ka, kb, kc, dx);
}

// Of one pixel: of x, or of x times y; sums in BLOCK parts, then across them.
INLINE float sum_of(const float *x, const float *y, long c)
{
	lanes vector[BLOCK / LANES];
	float part[BLOCK], s = 0;
	for (int v = 0; v < BLOCK / LANES; v++)
		vector[v] = every(0);
	long j = 0;
	for (; j + BLOCK <= c; j += BLOCK)
		for (int v = 0; v < BLOCK / LANES; v++) {
			lanes at = *(const lanes *)(x + j + v * LANES);
			if (y)
				at *= *(const lanes *)(y + j + v * LANES);
			vector[v] += at;
		}
	memcpy(part, vector, sizeof part);
	for (int k = 0; k < BLOCK; k++)
		s += part[k];
	for (; j < c; j++)
		s += y ? x[j] * y[j] : x[j];
	return s;
}

INLINE float layernorm_pixel(const float *restrict x, long c, float epsilon, const float *restrict gain,
	const float *restrict bias, float *restrict normal, float *restrict y)
{
	const float mean = sum_of(x, NULL, c) / (float)c;
	for (long j = 0; j < c; j++)
		normal[j] = x[j] - mean;
	const float inverse = 1 / sqrtf(sum_of(normal, normal, c) / (float)c + epsilon);
	for (long j = 0; j < c; j++) {
		normal[j] *= inverse;
		y[j] = normal[j] * gain[j] + bias[j];
	}
	return inverse;
}

static float layernorm(const float *x, long pixels, long c, float epsilon, const float *gain, const float *bias, float *normal,
	float *inverse, float *y)
{
	float top = 0;
	for (long p = 0; p < pixels; p++, x += c, normal += c, y += c) {
		inverse[p] = layernorm_pixel(x, c, epsilon, gain, bias, normal, y);
		const float most = peak(y, c);
		top = most > top ? most : top;
	}
	return top;
}

INLINE void layernorm_gradient_pixel(const float *restrict normal, float inverse, const float *restrict dy, long c,
	const float *restrict gain, float *restrict dx, float *restrict dgain, float *restrict dbias)
{
	for (long j = 0; j < c; j++) {
		dgain[j] += dy[j] * normal[j];
		dbias[j] += dy[j];
		dx[j] = dy[j] * gain[j];
	}
	const float mean = sum_of(dx, NULL, c) / (float)c, along = sum_of(dx, normal, c) / (float)c;
	for (long j = 0; j < c; j++)
		dx[j] = inverse * (dx[j] - mean - normal[j] * along);
}

static void layernorm_gradient(const float *normal, const float *inverse, const float *dy, long pixels, long c, const float *gain,
	float *dx, float *dgain, float *dbias)
{
	for (long p = 0; p < pixels; p++, normal += c, dy += c, dx += c)
		layernorm_gradient_pixel(normal, inverse[p], dy, c, gain, dx, dgain, dbias);
}

#endif

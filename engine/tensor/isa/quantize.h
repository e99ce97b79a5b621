// SPDX-License-Identifier: GPL-3.0-or-later
// Rounding to formats, and the kernels that ranges need.
#ifndef ENGINE_TENSOR_ISA_QUANTIZE_H
#define ENGINE_TENSOR_ISA_QUANTIZE_H

#include "engine/tensor/isa/activation.h"

// Adding and subtracting 1.5 * 2^23 rounds to an integer, ties to even, for magnitudes below 2^22.
#define MAGIC 12582912.0f

static inline float clamp(float v, float low, float high)
{
	v = v < low ? low : v;
	return v > high ? high : v;
}

INLINE lanes clamped(lanes v, float low, float high)
{
	return lesser(every(high), greater(every(low), v));
}

// Clamps before it rounds: the bounds are integers, so the result is the same, and MAGIC is valid.
static inline float on_integer_grid(const struct grid *g, float v)
{
	return clamp(v, g->low, g->high) + MAGIC - MAGIC;
}

static inline float on_float_grid(const struct grid *g, float v)
{
	uint32_t bits, half = (1u << (g->drop - 1)) - 1;
	memcpy(&bits, &v, 4);
	bits += half + ((bits >> g->drop) & 1); // ties to even; a carry moves into the exponent, as it should
	bits &= ~((1u << g->drop) - 1);
	float normal;
	memcpy(&normal, &bits, 4);
	float subnormal = v + g->subnormal_magic - g->subnormal_magic;
	return clamp(fabsf(v) < g->least_normal ? subnormal : normal, g->low, g->high);
}

static void quantize(const struct grid *grid, float scale, const float *x, float *y, long n)
{
	const struct grid g = *grid;
	const float by = g.bare ? 1 : scale;
	if (g.kind == GRID_NONE)
		memcpy(y, x, (size_t)n * sizeof *y);
	else if (g.kind == GRID_INTEGER)
		for (long i = 0; i < n; i++)
			y[i] = by * on_integer_grid(&g, x[i] / scale);
	else
		for (long i = 0; i < n; i++)
			y[i] = by * on_float_grid(&g, x[i] / scale);
}

INLINE void quantize_affine_integers(enum act act, const struct grid *grid, float scale, const float *x, long pixels, long c,
	const float *gain, const float *shift, float *restrict y)
{
	const struct grid g = *grid;
	const float by = g.bare ? 1 : scale;
	for (long p = 0; p < pixels; p++, x += c, y += c) {
		long j = 0;
		for (; j + LANES <= c; j += LANES) {
			const lanes v = affine_lanes(act, x, gain, shift, j) / scale;
			*(lanes *)(y + j) = by * (clamped(v, g.low, g.high) + MAGIC - MAGIC);
		}
		for (; j < c; j++)
			y[j] = by * on_integer_grid(&g, activated(act, x[j] * gain[j] + shift[j]) / scale);
	}
}

INLINE void quantize_affine_rows(enum act act, const enum grid_kind round, const struct grid *grid, float scale, const float *x,
	long pixels, long c, const float *gain, const float *shift, float *restrict y)
{
	const struct grid g = *grid;
	const float by = g.bare ? 1 : scale;
	for (long p = 0; p < pixels; p++, x += c, y += c)
		for (long j = 0; j < c; j++) {
			float v = activated(act, x[j] * gain[j] + shift[j]);
			y[j] = round == GRID_NONE ? v : by * on_float_grid(&g, v / scale);
		}
}

static void quantize_affine(const struct grid *grid, float scale, const float *x, long pixels, long c, const float *gain,
	const float *shift, enum act act, float *y)
{
	if (grid->kind == GRID_NONE)
		FOR_ACT(act, quantize_affine_rows, GRID_NONE, grid, scale, x, pixels, c, gain, shift, y);
	else if (grid->kind == GRID_INTEGER)
		FOR_ACT(act, quantize_affine_integers, grid, scale, x, pixels, c, gain, shift, y);
	else
		FOR_ACT(act, quantize_affine_rows, GRID_FLOAT, grid, scale, x, pixels, c, gain, shift, y);
}

static void quantize_channels(const struct grid *grid, const float *scale, const float *x, float *y, long rows, long c)
{
	const struct grid g = *grid;
	if (g.kind == GRID_NONE)
		memcpy(y, x, (size_t)(rows * c) * sizeof *y);
	else if (g.kind == GRID_INTEGER)
		for (long r = 0; r < rows; r++, x += c, y += c)
			for (long j = 0; j < c; j++)
				y[j] = (g.bare ? 1 : scale[j]) * on_integer_grid(&g, x[j] / scale[j]);
	else
		for (long r = 0; r < rows; r++, x += c, y += c)
			for (long j = 0; j < c; j++)
				y[j] = (g.bare ? 1 : scale[j]) * on_float_grid(&g, x[j] / scale[j]);
}

static void clip_gradient(float range, const float *x, float *g, long n)
{
	for (long i = 0; i < n; i++)
		g[i] = fabsf(x[i]) > range ? 0 : g[i];
}

static void histogram(const float *x, long n, float top, uint32_t *counts, int bins)
{
	const float per_bin = top >= FLT_MIN ? (float)bins / top : 0;
	for (long i = 0; i < n; i++) {
		float at = fabsf(x[i]) * per_bin; // not a number, or past the peak: the last bin
		counts[at < (float)bins ? (int)at : bins - 1]++;
	}
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Rounding by blocks. The blocks of many rows, or of neighbouring columns, go side by side: first their largest magnitudes, then their
// scales, then their numbers. So the scales are found in vectors as well.
#ifndef ENGINE_TENSOR_ISA_BLOCKS_H
#define ENGINE_TENSOR_ISA_BLOCKS_H

#include "engine/tensor/isa/quantize.h"

enum { ABREAST = 64, CANDIDATES = 3 };
#define INFINITE 0x7f800000u // the bits of an infinite number; what is no number has more, and counts as one

INLINE uint32_t magnitude_bits(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, 4);
	bits &= 0x7fffffffu;
	return bits < INFINITE ? bits : INFINITE;
}

static inline float as_float(uint32_t bits)
{
	float v;
	memcpy(&v, &bits, 4);
	return v;
}

static inline uint32_t as_bits(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, 4);
	return bits;
}

// 2^(code - 127): the value of an E8M0 code from 0 to 254.
static inline float power_of(int code)
{
	return as_float(code > 0 ? (uint32_t)code << 23 : 1u << 22);
}

// By a block's largest magnitude, given as bits.
INLINE float power_scale(const struct grid *g, uint32_t top, const bool up)
{
	int code = (int)(top >> 23) - g->top;
	code = code < 0 ? 0 : code > 254 ? 254 : code;
	float floored = power_of(code), raised = power_of(code < 254 ? code + 1 : 254);
	return up && as_float(top) > g->high * floored ? raised : floored;
}

// A number of at least 0 to an e4m3 scale: below 2^-6 they are 2^-9 apart, above that an eighth of their power of two.
INLINE float e4m3_scale(float wanted, const bool up)
{
	const uint32_t last = 1u << 20;
	float v = clamp(wanted, 0, BLOCK_SCALE_MOST), small = v + 0x1.8p14f - 0x1.8p14f;
	uint32_t bits = as_bits(v), low = bits & ~(last - 1), near = bits + (last / 2 - 1) + ((bits >> 20) & 1);
	if (up) {
		small = small < v ? small + 0x1p-9f : small;
		near = low < bits ? low + last : low;
	}
	float s = v < 0x1p-6f ? small : as_float(near & ~(last - 1));
	return clamp(s, BLOCK_SCALE_LEAST, BLOCK_SCALE_MOST);
}

static inline float e4m3_above(float s)
{
	return clamp(s < 0x1p-6f ? s + 0x1p-9f : as_float(as_bits(s) + (1u << 20)), BLOCK_SCALE_LEAST, BLOCK_SCALE_MOST);
}

static inline float e4m3_below(float s)
{
	return clamp(s <= 0x1p-6f ? s - 0x1p-9f : as_float(as_bits(s) - (1u << 20)), BLOCK_SCALE_LEAST, BLOCK_SCALE_MOST);
}

INLINE void find_scales_by(const bool up, const struct grid *g, float tensor, const uint32_t *top, int n, float *scale)
{
	const struct grid with = *g;
	if (with.fine)
		for (int r = 0; r < n; r++)
			scale[r] = e4m3_scale(as_float(top[r]) / with.high / tensor, up) * tensor;
	else
		for (int r = 0; r < n; r++)
			scale[r] = power_scale(&with, top[r], up);
}

static void find_scales(const struct grid *g, float tensor, const uint32_t *top, int n, float *scale)
{
	if (g->rule == BLOCK_SCALE_UP)
		find_scales_by(true, g, tensor, top, n, scale);
	else
		find_scales_by(false, g, tensor, top, n, scale);
}

// What a search tries; those of the plain rule stand there already. Returns how many there are.
static int find_candidates(const struct grid *g, float tensor, const uint32_t *top, int n, float scale[CANDIDATES][ABREAST])
{
	for (int r = 0; r < n; r++)
		if (g->fine) {
			float s = e4m3_scale(as_float(top[r]) / g->high / tensor, false);
			scale[1][r] = e4m3_above(s) * tensor;
			scale[2][r] = e4m3_below(s) * tensor;
		} else {
			scale[1][r] = scale[0][r] < 0x1p127f ? 2 * scale[0][r] : scale[0][r];
		}
	return g->fine ? 3 : 2;
}

static inline double squared_error(const struct grid *g, float scale, float x)
{
	double d = (double)(scale * on_float_grid(g, x / scale)) - (double)x;
	return d * d;
}

// `n` numbers at y, y + step, … of the block whose candidates stand in column r: the best goes to the first place.
static void choose_scale(const struct grid *g, float scale[CANDIDATES][ABREAST], int candidates, int r, const float *y, int n,
	long step)
{
	double least = 0;
	float best = 0;
	for (int k = 0; k < candidates; k++) {
		double error = 0;
		for (int i = 0; i < n; i++)
			error += squared_error(g, scale[k][r], y[i * step]);
		if (k == 0 || error < least) {
			least = error;
			best = scale[k][r];
		}
	}
	scale[0][r] = best;
}

// A block of n numbers in each of some rows. By a power of two one may multiply in place of dividing.
INLINE void round_across(const int n, const bool fine, const struct grid *grid, float tensor, float *y, int rows, long c)
{
	const struct grid g = *grid;
	uint32_t top[ABREAST];
	float scale[CANDIDATES][ABREAST];
	for (int r = 0; r < rows; r++) {
		uint32_t most = 0;
		for (int i = 0; i < n; i++) {
			uint32_t bits = magnitude_bits(y[r * c + i]);
			most = bits > most ? bits : most;
		}
		top[r] = most;
	}
	find_scales(&g, tensor, top, rows, scale[0]);
	if (g.rule == BLOCK_SCALE_SEARCH) {
		int candidates = find_candidates(&g, tensor, top, rows, scale);
		for (int r = 0; r < rows; r++)
			choose_scale(&g, scale, candidates, r, y + r * c, n, 1);
	}
	for (int r = 0; r < rows; r++) {
		const float s = scale[0][r], inverse = 1 / s;
		for (int i = 0; i < n; i++) {
			float v = y[r * c + i];
			y[r * c + i] = s * on_float_grid(&g, fine ? v / s : v * inverse);
		}
	}
}

static void round_blocks(const struct grid *g, float tensor, float *y, long rows, long c)
{
	if (c % g->block == 0) {
		rows *= c / g->block;
		c = g->block;
	}
	for (long row = 0; row < rows; row += ABREAST)
		for (long at = 0; at < c; at += g->block) {
			int n = (int)(c - at < g->block ? c - at : g->block),
			    some = (int)(rows - row < ABREAST ? rows - row : ABREAST);
			float *first = y + row * c + at;
			if (g->fine && n == 16) // sizes that are known make better loops
				round_across(16, true, g, tensor, first, some, c);
			else if (g->fine && n == 8)
				round_across(8, true, g, tensor, first, some, c);
			else if (g->fine)
				round_across(n, true, g, tensor, first, some, c);
			else if (n == 32)
				round_across(32, false, g, tensor, first, some, c);
			else if (n == 24)
				round_across(24, false, g, tensor, first, some, c);
			else if (n == 16)
				round_across(16, false, g, tensor, first, some, c);
			else if (n == 8)
				round_across(8, false, g, tensor, first, some, c);
			else
				round_across(n, false, g, tensor, first, some, c);
		}
}

// A block of n rows in each of some columns.
static void round_down(int n, const struct grid *grid, float tensor, float *y, int columns, long c)
{
	const struct grid g = *grid;
	uint32_t top[ABREAST] = {0};
	float scale[CANDIDATES][ABREAST];
	for (int i = 0; i < n; i++)
		for (int j = 0; j < columns; j++) {
			uint32_t bits = magnitude_bits(y[i * c + j]);
			top[j] = bits > top[j] ? bits : top[j];
		}
	find_scales(&g, tensor, top, columns, scale[0]);
	if (g.rule == BLOCK_SCALE_SEARCH) {
		int candidates = find_candidates(&g, tensor, top, columns, scale);
		for (int j = 0; j < columns; j++)
			choose_scale(&g, scale, candidates, j, y + j, n, c);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < columns; j++)
			y[i * c + j] = scale[0][j] * on_float_grid(&g, y[i * c + j] / scale[0][j]);
}

static void round_block_columns(const struct grid *g, float tensor, float *y, long rows, long c)
{
	for (long row = 0; row < rows; row += g->block)
		for (long at = 0; at < c; at += ABREAST)
			round_down((int)(rows - row < g->block ? rows - row : g->block), g, tensor, y + row * c + at,
				(int)(c - at < ABREAST ? c - at : ABREAST), c);
}

#endif

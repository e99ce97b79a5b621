// SPDX-License-Identifier: GPL-3.0-or-later
// The compute kernels of every instruction set that this machine has, each against a plain loop in double precision, with
// odd sizes and guard words around what they write; and the worker team.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/rng.h"
#include "engine/tensor/team.h"
#include "tests/activation.h"

// Half a unit in the last place of 1: the relative error of one rounding.
static const double ROUNDING = FLT_EPSILON / 2;
// Sums over one stretch run in single precision: that many roundings of the partial sums, and some of the terms.
enum { STRETCH = 64, STRETCH_ROUNDINGS = STRETCH + 4 };

static const int sizes[] = {0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
static const int widths[] = {1, 3, 7, 15, 16, 17, 32, 40};
static const int heights[] = {1, 2, 63, 64, 65, 100};
enum { WIDTHS = sizeof widths / sizeof widths[0], HEIGHTS = sizeof heights / sizeof heights[0] };

#define EACH_SET(k) for (const struct kernels *const *k = kernels_all(); *k; k++)

// ---- arrays ----------------------------------------------------------------------------------------------------

// An array of its exact size, so that a sanitizer sees a read beyond it; with guard words where it is written to.
enum { GUARD = 32 };
static const float GUARD_WORD = -12345.5f;

static float *guarded(long n)
{
	float *x = malloc((size_t)(n + 2 * GUARD) * sizeof *x);
	assert_non_null(x);
	for (long i = 0; i < n + 2 * GUARD; i++)
		x[i] = GUARD_WORD;
	return x + GUARD;
}

static void release(float *x, long n)
{
	for (int i = 0; i < GUARD; i++)
		if (x[-1 - i] != GUARD_WORD || x[n + i] != GUARD_WORD)
			fail_msg("written outside of an array of %ld", n);
	free(x - GUARD);
}

// Normal numbers; or, `exact`, small multiples of 1/8, whose sums and products single precision holds exactly.
static float *made(long n, uint64_t key, bool exact)
{
	float *x = malloc((size_t)(n ? n : 1) * sizeof *x);
	assert_non_null(x);
	for (long i = 0; i < n; i++)
		x[i] = exact ? (float)((int)rng_below(key, (uint64_t)i, 33) - 16) / 8 : (float)rng_normal(key, (uint64_t)i);
	return x;
}

static void near(const struct kernels *k, double got, double wanted, double bound)
{
	if (!(fabs(got - wanted) <= bound))
		fail_msg("%s: %.9g instead of %.9g (allowed: %.3g)", k->name, got, wanted, bound);
}

// ---- kernels ----------------------------------------------------------------------------------------------------

static void sets_of_kernels(void **state)
{
	(void)state;
	bool has_best = false;
	assert_non_null(kernels_all()[0]);
	assert_string_equal(kernels_all()[0]->name, "base");
	EACH_SET (k) {
		has_best |= *k == kernels_best();
		assert_in_range((*k)->rows, 1, KERNEL_ROWS);
	}
	assert_true(has_best);
}

struct product {
	int rows, columns;
	long panels, depth;
};

static void one_product(const struct kernels *k, struct product p, bool accumulate, bool transposed)
{
	// A is [panel][row][step], or [panel][step][row]; B is [block][panel][step], each with room for a block of columns.
	long a_row = transposed ? 1 : p.depth + 3, a_step = transposed ? p.rows + 2 : 1;
	long a_panel = (transposed ? p.depth * a_step : p.rows * a_row) + 1, b_step = KERNEL_BLOCK + 1;
	long b_panel = p.depth * b_step + 5, c_row = p.columns + 4, a_size = p.panels * a_panel + 1;
	long b_block = p.panels * b_panel + 3, b_size = 2 * b_block + KERNEL_BLOCK;
	long c_size = (p.rows - 1) * c_row + p.columns;
	float *a = made(a_size, 1, false), *b = made(b_size, 2, false), *c = guarded(c_size), *before = made(c_size, 3, false);
	for (int m = 0; m < p.rows; m++)
		memcpy(c + m * c_row, before + m * c_row, (size_t)p.columns * sizeof *c);
	k->product(p.rows, p.columns, p.panels, p.depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row,
		accumulate);
	for (int m = 0; m < p.rows; m++) {
		for (int j = 0; j < p.columns; j++) {
			double sum = accumulate ? (double)before[m * c_row + j] : 0, size = fabs(sum);
			for (long r = 0; r < p.panels; r++)
				for (long d = 0; d < p.depth; d++) {
					double term = (double)a[m * a_row + d * a_step + r * a_panel] *
						(double)b[d * b_step + r * b_panel + j / KERNEL_BLOCK * b_block +
							j % KERNEL_BLOCK];
					sum += term;
					size += fabs(term);
				}
			near(k, (double)c[m * c_row + j], sum, (double)(p.panels * p.depth + 2) * ROUNDING * size);
		}
		// Alone, a row's sums are the same bits.
		float alone[KERNEL_COLUMNS];
		memcpy(alone, before + m * c_row, (size_t)p.columns * sizeof *alone);
		k->product(1, p.columns, p.panels, p.depth, a + m * a_row, a_row, a_step, a_panel, b, b_step, b_panel, b_block,
			alone, c_row, accumulate);
		assert_memory_equal(alone, c + m * c_row, (size_t)p.columns * sizeof *alone);
		for (long j = p.columns; j < c_row && m + 1 < p.rows; j++)
			assert_true(c[m * c_row + j] == GUARD_WORD);
	}
	free(a);
	free(b);
	free(before);
	release(c, c_size);
}

static void product(void **state)
{
	(void)state;
	static const long panels[] = {0, 1, 3, 16}, depths[] = {0, 1, 3, 9, 48, 144};
	EACH_SET (k)
		for (int rows = 1; rows <= KERNEL_ROWS; rows++)
			for (int columns = 1; columns <= KERNEL_COLUMNS; columns++)
				for (int i = 0; i < 4; i++) {
					long depth = depths[(rows + columns + i) % 6];
					one_product(*k, (struct product){rows, columns, panels[i], depth}, i % 2, rows % 2);
					one_product(*k, (struct product){rows, columns, panels[i], depth}, (i + 1) % 2,
						columns % 2);
				}
}

// ---- pairs ----

// The nearer of a number's neighbours in bf16, the even one where both are as near.
static float plain_half(float x)
{
	uint32_t bits;
	float below, above;
	if (fabsf(x) < FLT_MIN)
		return copysignf(0, x);
	if (!isfinite(x))
		return x;
	memcpy(&bits, &x, sizeof bits);
	uint32_t low = bits & 0xffff0000, high = low + 0x10000;
	memcpy(&below, &low, sizeof below);
	memcpy(&above, &high, sizeof above);
	double up = isfinite(above) ? (double)above : copysign(0x1p128, (double)x);
	double down_by = fabs((double)x - (double)below), up_by = fabs(up - (double)x);
	return down_by < up_by || (down_by == up_by && !(low & 0x10000)) ? below : above;
}

// Half `k` of a pair.
static float half_at(const float *pair, int k)
{
	uint32_t bits;
	float x;
	memcpy(&bits, pair, sizeof bits);
	bits = k ? bits & 0xffff0000 : bits << 16;
	memcpy(&x, &bits, sizeof x);
	return x;
}

// Numbers of all magnitudes, many of them halfway between neighbours or at the ends of the range.
static float any_number(uint64_t key, uint64_t at)
{
	static const float ends[] = {0, FLT_MIN, FLT_MIN / 2, FLT_MAX, 0x1.fep127f, 0x1.ffp127f, INFINITY, 1e-45f, 1, 0x1.01p0f};
	uint32_t bits = (uint32_t)rng_bits(key, at);
	float x;
	if (at % 5 == 0)
		return ends[bits % 10] * (float)(bits >> 31 ? -1 : 1);
	if (at % 5 == 1)
		bits = (bits & 0xffff0000) | 0x8000;
	memcpy(&x, &bits, sizeof x);
	return isnan(x) ? 2 : x;
}

static void rounding_of_one_shape(const struct kernels *k, long rows, long c)
{
	long row = c + 3, other = c / 2 + 1, many = rows * row + other + c, to_row = (c + 1) / 2 + 2;
	long size = (rows - 1) * to_row + (c + 1) / 2;
	float *x = malloc((size_t)many * sizeof *x), *scale = made(c, 2, false), *y = guarded(rows * c), *z = guarded(size);
	assert_non_null(x);
	for (long i = 0; i < many; i++)
		x[i] = any_number(1, (uint64_t)(rows * 1000 + i));
	k->pair(x, rows, c, row, other, y);
	k->pair_channels(x, rows, c, row, scale, z, to_row);
	for (long r = 0; r < rows; r++)
		for (long j = 0; j < c; j++) {
			const float *one = y + r * c + j, *beside = z + r * to_row + j / 2;
			volatile float scaled = x[r * row + j] * scale[j];
			assert_true(half_at(one, 0) == plain_half(x[r * row + j]));
			assert_true(half_at(one, 1) == plain_half(x[r * row + other + j]));
			assert_true(half_at(beside, (int)(j % 2)) == plain_half(scaled));
			assert_true(j + 1 < c || c % 2 == 0 || half_at(beside, 1) == 0);
		}
	free(x);
	free(scale);
	release(y, rows * c);
	release(z, size);
}

static void rounding_to_pairs(void **state)
{
	(void)state;
	EACH_SET (k) {
		float none[2] = {NAN, -NAN}, to;
		for (int w = 0; w < WIDTHS; w++)
			for (long rows = 1; rows <= 4; rows++)
				rounding_of_one_shape(*k, rows, widths[w]);
		(*k)->pair(none, 1, 1, 0, 1, &to);
		assert_true(isnan(half_at(&to, 0)) && isnan(half_at(&to, 1)));
	}
}

// What VDPBF16PS says, in double precision, which holds a product of two bf16 numbers, and its sum with a third as exactly as one rounding needs.
static float plain_fused(float a, float b, float sum)
{
	float y = (float)((double)a * (double)b + (double)sum);
	return fabsf(y) < FLT_MIN ? copysignf(0, y) : y;
}

// Pairs of bf16 numbers around 2^`exponent`.
static float *made_pairs(long n, uint64_t key, int exponent)
{
	float *x = malloc((size_t)n * sizeof *x);
	assert_non_null(x);
	for (long i = 0; i < n; i++) {
		float two[2];
		for (int k = 0; k < 2; k++)
			two[k] = ldexpf((float)rng_normal(key, (uint64_t)(2 * i + k)), exponent);
		kernels_all()[0]->pair(two, 1, 1, 0, 1, x + i);
	}
	return x;
}

static void one_product_of_pairs(const struct kernels *k, struct product p, bool accumulate, int exponent)
{
	long a_row = p.depth + 3, a_panel = p.rows * a_row + 1, b_step = KERNEL_BLOCK + 1, b_panel = p.depth * b_step + 5,
	     b_block = p.panels * b_panel + 3, c_row = p.columns + 4, c_size = (p.rows - 1) * c_row + p.columns;
	float *a = made_pairs(p.panels * a_panel + 1, 1, exponent), *b = made_pairs(2 * b_block + KERNEL_BLOCK, 2, exponent),
	      *c = guarded(c_size);
	for (long i = 0; i < c_size; i++)
		c[i] = i % c_row < p.columns ? (float)i : GUARD_WORD;
	k->pair_product(p.rows, p.columns, p.panels, p.depth, a, a_row, 1, a_panel, b, b_step, b_panel, b_block, c, c_row,
		accumulate);
	for (long i = 0; i < c_size; i++) {
		long m = i / c_row, j = i % c_row;
		float sum = 0;
		for (long r = 0; j < p.columns && r < p.panels; r++)
			for (long d = 0; d < p.depth; d++)
				for (int h = 1; h >= 0; h--)
					sum = plain_fused(half_at(a + m * a_row + d + r * a_panel, h),
						half_at(b + d * b_step + r * b_panel + j / KERNEL_BLOCK * b_block +
								j % KERNEL_BLOCK,
							h),
						sum);
		volatile float wanted = accumulate ? sum + (float)i : sum;
		if (c[i] != (j < p.columns ? wanted : GUARD_WORD))
			fail_msg("%s: %a instead of %a", k->name, (double)c[i], (double)wanted);
	}
	free(a);
	free(b);
	release(c, c_size);
}

// The same bits on every set, and those of the plain loop; around 2^-63 products lie at the least normal number.
static void product_of_pairs(void **state)
{
	(void)state;
	static const long panels[] = {0, 1, 3}, depths[] = {0, 1, 7, 24};
	EACH_SET (k)
		for (int rows = 1; rows <= KERNEL_ROWS; rows++)
			for (int columns = 1; columns <= KERNEL_COLUMNS; columns++)
				one_product_of_pairs(*k, (struct product){rows, columns, panels[rows % 3], depths[columns % 4]},
					(rows + columns) % 2, columns % 3 ? 0 : -63);
}

// ---- integers ----

// Bytes that are read in fours may go on behind an array.
enum { BEHIND = KERNEL_UNIT };

struct integer_case {
	int rows, columns;
	long panels, runs, depth; // codes of a run
	bool bias, most;          // most: the largest of all sums
};

// What a code of an activation looks like; `at` counts codes.
static void put_code(const struct kernels *k, void *to, long at, int value)
{
	if (k->code == 1)
		((uint8_t *)to)[at] = (uint8_t)value;
	else
		((int16_t *)to)[at] = (int16_t)value;
}

// Activations' codes with the offset in them, weights as they are packed, against sums in 64 bits.
static void one_integer_product(const struct kernels *k, struct integer_case t)
{
	const int each = KERNEL_UNIT / k->code;
	long units = (t.depth + each - 1) / each, padded = units * each, a_run = t.depth + 3, a_panel = t.runs * a_run + 5,
	     a_row = t.panels * a_panel + 1, c_row = t.columns + 4, c_size = (t.rows - 1) * c_row + t.columns,
	     parts = t.panels * t.runs, b_block = parts * units * KERNEL_BLOCK + 7;
	int least = k->code == 1 ? 0 : -127, *value = calloc((size_t)(t.rows * a_row), sizeof *value);
	char *a = calloc((size_t)(t.rows * a_row * k->code + BEHIND), 1);
	int8_t *w = calloc((size_t)(parts * padded * KERNEL_COLUMNS), 1); // [part][code][column]
	int32_t *b = calloc((size_t)(2 * b_block), sizeof *b), minus[KERNEL_COLUMNS];
	float scale[KERNEL_COLUMNS], bias[KERNEL_COLUMNS], *c = guarded(c_size);
	for (long i = 0; i < t.rows * a_row; i++) { // what lies between the runs must not matter: weights are 0 there
		value[i] = t.most ? 255 : least + (int)rng_below(50, (uint64_t)i, (uint64_t)(256 - least));
		put_code(k, a, i, value[i]);
	}
	for (int j = 0; j < KERNEL_COLUMNS; j++) {
		minus[j] = t.most ? 0 : (int)rng_below(52, (uint64_t)j, 2000) - 1000;
		scale[j] = .01f + (float)rng_uniform(53, (uint64_t)j);
		bias[j] = (float)rng_normal(54, (uint64_t)j);
		for (long p = 0; p < parts; p++)
			for (long d = 0; d < t.depth; d++) {
				int code = t.most ? 127 : (int)rng_below(51, (uint64_t)((p * t.depth + d) * 40 + j), 255) - 127;
				w[(p * padded + d) * KERNEL_COLUMNS + j] = (int8_t)code;
				int32_t *unit = b + j / KERNEL_BLOCK * b_block + (p * units + d / each) * KERNEL_BLOCK +
					j % KERNEL_BLOCK;
				if (k->code == 1)
					((int8_t *)unit)[d % each] = (int8_t)code;
				else
					((int16_t *)(void *)unit)[d % each] = (int16_t)code;
			}
	}
	struct integers p = {t.panels, t.runs, units, a_row * k->code, a_panel * k->code, a_run * k->code, b, b_block, minus,
		scale, t.bias ? bias : NULL};
	k->integer_product(t.rows, t.columns, &p, a, c, c_row);
	for (int m = 0; m < t.rows; m++) {
		for (int j = 0; j < t.columns; j++) {
			int64_t sum = 0;
			for (long r = 0; r < t.panels; r++)
				for (long s = 0; s < t.runs; s++)
					for (long d = 0; d < t.depth; d++)
						sum += (int64_t)value[m * a_row + r * a_panel + s * a_run + d] *
							w[((r * t.runs + s) * padded + d) * KERNEL_COLUMNS + j];
			assert_in_range(sum - minus[j] + INT32_MAX, 0, 2 * (int64_t)INT32_MAX);
			volatile float wanted = (float)(sum - minus[j]) * scale[j]; // in memory: rounded before what follows
			if (t.bias)
				wanted = wanted + bias[j];
			if (c[m * c_row + j] != wanted)
				fail_msg("%s: %.9g instead of %.9g", k->name, (double)c[m * c_row + j], (double)wanted);
		}
		for (long j = t.columns; j < c_row && m + 1 < t.rows; j++)
			assert_true(c[m * c_row + j] == GUARD_WORD);
	}
	free(value);
	free(a);
	free(w);
	free(b);
	release(c, c_size);
}

static void integer_product(void **state)
{
	(void)state;
	static const long panels[] = {1, 3, 7, 0}, runs[] = {1, 1, 3, 2}, depths[] = {1, 3, 4, 9, 48, 147};
	EACH_SET (k) {
		for (int rows = 1; rows <= KERNEL_ROWS + 1; rows++)
			for (int columns = 1; columns <= KERNEL_COLUMNS; columns++)
				for (int i = 0; i < 4; i++)
					one_integer_product(*k,
						(struct integer_case){rows, columns, panels[i], runs[i],
							depths[(rows + columns + i) % 6], i % 2, false});
		// The deepest layer that nn/layer.c lays out for codes: INT32_MAX / (255 * 127) products of the largest codes.
		one_integer_product(*k, (struct integer_case){2, 17, 1, 1, 66311, false, true});
		one_integer_product(*k, (struct integer_case){1, 1, 5, 2, 6631, false, true});
	}
}

static int code_at(const struct kernels *k, const void *codes, long at)
{
	return k->code == 1 ? ((const uint8_t *)codes)[at] : ((const int16_t *)codes)[at];
}

// Codes times the scale are what rounding gives, on every set, with an offset where there are negative numbers; ties, too.
static void codes(void **state)
{
	(void)state;
	static const char *const formats[] = {"int2", "int4", "int7", "int8"};
	EACH_SET (k)
		for (int way = 0; way < 8; way++)
			for (int w = 0; w < WIDTHS; w++)
				for (int h = 0; h < HEIGHTS; h++) {
					int c = widths[w], n = c * heights[h], format = format_named(formats[way / 2]);
					struct grid grid = format_grid(format, way % 2);
					float *x = made(n, 44, h % 2), *y = made(n, 45, false), *gain = made(c, 46, false),
					      *shift = made(c, 47, false), *scales = made(c, 48, true);
					float scale = h % 2 ? .25f : format_scale(format, &grid, (*k)->peak(x, n));
					int offset = way % 2 ? 0 : (*k)->offset;
					size_t bytes = (size_t)(n * (*k)->code);
					char *code = malloc(bytes + 1);
					int8_t *weight = malloc((size_t)n + 1);
					code[bytes] = weight[n] = 77;
					(*k)->quantize(&grid, scale, x, y, n);
					(*k)->encode(&grid, scale, x, code, n);
					for (int i = 0; i < n; i++)
						assert_true((float)(code_at(*k, code, i) - offset) * scale == y[i]);
					for (enum act act = ACT_NONE; act < ACTS; act++) {
						(*k)->quantize_affine(&grid, scale, x, heights[h], c, gain, shift, act, y);
						(*k)->encode_affine(&grid, scale, x, heights[h], c, gain, shift, act, code);
						for (int i = 0; i < n; i++)
							assert_true((float)(code_at(*k, code, i) - offset) * scale == y[i]);
					}
					for (int j = 0; j < c; j++)
						scales[j] = fabsf(scales[j]) + .125f;
					grid = format_grid(format, false);
					(*k)->quantize_channels(&grid, scales, x, y, heights[h], c);
					(*k)->encode_channels(&grid, scales, x, weight, heights[h], c);
					for (int i = 0; i < n; i++)
						assert_true((float)weight[i] * scales[i % c] == y[i]);
					grid.bare = true;
					(*k)->quantize_channels(&grid, scales, x, y, heights[h], c);
					for (int i = 0; i < n; i++)
						assert_true((float)weight[i] == y[i]);
					assert_true(code[bytes] == 77 && weight[n] == 77);
					float *ours[] = {x, y, gain, shift, scales};
					for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
						free(ours[i]);
					free(code);
					free(weight);
				}
}

static void peak(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++)
			for (int at = 0; at <= sizes[s]; at++) { // the largest at every place in turn; at the end: nowhere
				float *x = made(sizes[s], 4, false), top = 0;
				if (at < sizes[s])
					x[at] = at % 2 ? 77.f : -77.f;
				for (int i = 0; i < sizes[s]; i++)
					top = fmaxf(top, fabsf(x[i]));
				assert_true((*k)->peak(x, sizes[s]) == top);
				free(x);
			}
}

static void channel_peaks(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], n = c * heights[h];
				float *x = made(n, 5, false), *top = guarded(c);
				for (int j = 0; j < c; j++)
					top[j] = j % 4 ? 0 : 2.5f; // what is there counts too
				(*k)->channel_peaks(x, heights[h], c, top);
				for (int j = 0; j < c; j++) {
					float wanted = j % 4 ? 0 : 2.5f;
					for (int p = 0; p < heights[h]; p++)
						wanted = fmaxf(wanted, fabsf(x[p * c + j]));
					assert_true(top[j] == wanted);
				}
				free(x);
				release(top, c);
			}
}

static void channel_extremes(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], n = c * heights[h];
				float *x = made(n, 43, false), *low = guarded(c), *high = guarded(c);
				for (int j = 0; j < c; j++) { // what is there counts too
					low[j] = j % 4 ? .5f : -9;
					high[j] = j % 3 ? .5f : 9;
				}
				(*k)->channel_extremes(x, heights[h], c, low, high);
				for (int j = 0; j < c; j++) {
					float bottom = j % 4 ? .5f : -9, top = j % 3 ? .5f : 9;
					for (int i = j; i < n; i += c) {
						bottom = fminf(bottom, x[i]);
						top = fmaxf(top, x[i]);
					}
					assert_true(low[j] == bottom && high[j] == top);
				}
				free(x);
				release(low, c);
				release(high, c);
			}
}

static void clip_gradient(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *x = made(n, 6, true), *dy = made(n, 7, false), *g = guarded(n);
			memcpy(g, dy, (size_t)n * sizeof *g);
			(*k)->clip_gradient(1, x, g, n); // many x are 1 or -1: they are within
			for (int i = 0; i < n; i++)
				assert_true(g[i] == (fabsf(x[i]) > 1 ? 0 : dy[i]));
			free(x);
			free(dy);
			release(g, n);
		}
}

static void histogram(void **state)
{
	(void)state;
	enum { BINS = 100, SPARE = 8 };
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *x = made(n, 8, false), top = (*k)->peak(x, n);
			uint32_t counts[BINS + 2 * SPARE], wanted[BINS] = {0}, *middle = counts + SPARE;
			for (int i = 0; i < BINS + 2 * SPARE; i++)
				counts[i] = 3;
			(*k)->histogram(x, n, top, middle, BINS);
			for (int i = 0; i < n; i++) {
				int b = (int)(fabsf(x[i]) * ((float)BINS / top));
				wanted[b < BINS ? b : BINS - 1]++;
			}
			for (int i = 0; i < BINS; i++)
				assert_int_equal(middle[i], 3 + wanted[i]);
			for (int i = 0; i < SPARE; i++) {
				assert_int_equal(counts[i], 3);
				assert_int_equal(middle[BINS + i], 3);
			}
			free(x);
		}
}

// A network that diverges has infinities, then no numbers at all; one that dies out has all but zeros. Any bin will do,
// but a bin it must be.
static void histogram_of_anything(void **state)
{
	(void)state;
	enum { BINS = 16 };
	static const float tops[] = {0, 1e-45f, 1e-40f, 1e-37f, 1, FLT_MAX, INFINITY, NAN};
	EACH_SET (k)
		for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
			float x[] = {0, -0.f, 1e-45f, 1, -FLT_MAX, INFINITY, -INFINITY, NAN, -NAN};
			enum { N = sizeof x / sizeof x[0] };
			uint32_t counts[BINS] = {0}, all = 0;
			(*k)->histogram(x, N, tops[t], counts, BINS);
			for (int i = 0; i < BINS; i++)
				all += counts[i];
			assert_int_equal(all, N);
		}
}

static void channel_sums(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], n = c * heights[h];
				float *x = made(n, 9, false);
				double *sum = calloc((size_t)c * 2 + 1, sizeof *sum), *squares = sum + c;
				for (int j = 0; j < 2 * c + 1; j++)
					sum[j] = 10; // added to what is there
				(*k)->channel_sums(x, heights[h], c, sum, squares);
				for (int j = 0; j < c; j++) {
					double s = 10, size = 0, q = 10;
					for (int p = 0; p < heights[h]; p++) {
						double v = (double)x[p * c + j];
						s += v;
						size += fabs(v);
						q += v * v;
					}
					near(*k, sum[j], s, STRETCH_ROUNDINGS * ROUNDING * size);
					near(*k, squares[j], q, STRETCH_ROUNDINGS * ROUNDING * q);
				}
				assert_true(sum[2 * c] == 10);
				free(x);
				free(sum);
			}
}

// What the norm's kernels read: exact numbers, and shifts that keep x*scale + shift away from 0 and 6, so that the gates of the
// rectifiers are beyond doubt.
struct norm_case {
	int c, pixels;
	long n;
	enum act act;
	float *x, *dy, *scale, *shift, *ka, *kb, *kc;
};

static struct norm_case norm_case(int width, int height, enum act act)
{
	struct norm_case t = {.c = widths[width], .pixels = heights[height], .act = act};
	t.n = (long)t.c * t.pixels;
	t.x = made(t.n, 10, true);
	t.dy = made(t.n, 11, true);
	t.scale = made(t.c, 12, true);
	t.shift = made(t.c, 13, true);
	t.ka = made(t.c, 14, true);
	t.kb = made(t.c, 15, true);
	t.kc = made(t.c, 16, true);
	for (int j = 0; j < t.c; j++)
		t.shift[j] += 1.f / 128 + (j % 3 ? 0 : 4); // x*scale is a multiple of 1/64; some reach 6
	return t;
}

static void norm_case_free(struct norm_case *t)
{
	float *all[] = {t->x, t->dy, t->scale, t->shift, t->ka, t->kb, t->kc};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		free(all[i]);
}

// The error of a smooth activation at a number that is exact, the others being exact too. A slope may have twice that: swish's is
// x*s*(1 - s) but for a term, and 1 - s is off by a rounding of 1 up to x = 17.
static double act_error(enum act act)
{
	return act == ACT_SWISH || act == ACT_GELU || act == ACT_SIGMOID ? 1e-6 : 0;
}

static void norm_kernels(const struct kernels *k, struct norm_case t)
{
	float *y = guarded(t.n), *dx = guarded(t.n);
	double *sum = calloc((size_t)t.c * 2 + 1, sizeof *sum), error = act_error(t.act);
	double adding = error > 0 ? STRETCH_ROUNDINGS * ROUNDING : 0; // else all of it is exact
	float got = k->affine(t.x, t.pixels, t.c, t.scale, t.shift, t.act, y);
	k->affine_sums(t.x, t.dy, t.pixels, t.c, t.scale, t.shift, t.act, t.kc, sum, sum + t.c);
	k->affine_gradient(t.x, t.dy, t.pixels, t.c, t.scale, t.shift, t.act, t.ka, t.kb, t.kc, dx);
	for (int j = 0; j < t.c; j++) {
		double s = 0, sx = 0, size = 0, size_x = 0, ka = (double)t.ka[j], kb = (double)t.kb[j], kc = (double)t.kc[j];
		for (long i = j; i < t.n; i += t.c) {
			double x = (double)t.x[i], dy = (double)t.dy[i], v = x * (double)t.scale[j] + (double)t.shift[j];
			double shown = plain_activation(t.act, v), g = dy * plain_slope(t.act, v);
			near(k, (double)y[i], shown, error * fmax(1, fabs(shown)));
			near(k, (double)dx[i], g * ka + x * kb + kc, 4 * error * (fabs(dy * ka) + fabs(x * kb) + fabs(kc)));
			s += g;
			sx += g * (x - kc); // kc stands for the mean
			size += fabs(dy);
			size_x += fabs(dy * (x - kc));
		}
		near(k, sum[j], s, (2 * error + adding) * size);
		near(k, sum[t.c + j], sx, (2 * error + adding) * size_x);
	}
	assert_true(got == k->peak(y, t.n));
	assert_true(sum[2 * t.c] == 0);
	release(y, t.n);
	release(dx, t.n);
	free(sum);
}

static void norms(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++)
				for (int act = 0; act < ACTS; act++) {
					struct norm_case t = norm_case(w, h, (enum act)act);
					norm_kernels(*k, t);
					norm_case_free(&t);
				}
}

// A norm applied where it is read: what is rounded is what the norm itself would have put out.
static void rounded_norms(void **state)
{
	(void)state;
	static const char *const formats[] = {"fp32", "int4", "e2m1"};
	EACH_SET (k)
		for (int way = 0; way < 3 * WIDTHS * ACTS; way++) {
			struct norm_case t = norm_case(way % WIDTHS, way % HEIGHTS, (enum act)(way / WIDTHS % ACTS));
			int format = format_named(formats[way / WIDTHS / ACTS]);
			struct grid g = format_grid(format, false);
			float *y = guarded(t.n), *plain = malloc((size_t)t.n * sizeof *plain),
			      scale = format_scale(format, &g, 3);
			assert_non_null(plain);
			(*k)->quantize_affine(&g, scale, t.x, t.pixels, t.c, t.scale, t.shift, t.act, y);
			for (long i = 0; i < t.n; i++) {
				long j = i % t.c;
				plain[i] = (float)plain_activation(t.act,
					(double)t.x[i] * (double)t.scale[j] + (double)t.shift[j]);
			}
			if (act_error(t.act) > 0 && g.kind != GRID_NONE) // what lies by the middle of a step may go either way
				for (long i = 0; i < t.n; i++) {
					float side[2] = {plain[i] - 1e-6f * fmaxf(1, fabsf(plain[i])),
						plain[i] + 1e-6f * fmaxf(1, fabsf(plain[i]))};
					(*k)->quantize(&g, scale, side, side, 2);
					assert_true(y[i] == side[0] || y[i] == side[1]);
				}
			else
				(*k)->quantize(&g, scale, plain, plain, t.n);
			for (long i = 0; i < t.n && (act_error(t.act) == 0 || g.kind == GRID_NONE); i++)
				near(*k, (double)y[i], (double)plain[i], act_error(t.act) * fmax(1, fabs((double)plain[i])));
			free(plain);
			norm_case_free(&t);
			release(y, t.n);
		}
}

// Two norms, or a norm and what has none, added: exact numbers, and the gates of the rectifiers beyond doubt.
static void added_norms(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int way = 0; way < WIDTHS * HEIGHTS * ACTS; way++) {
			struct norm_case t = norm_case(way % WIDTHS, way / WIDTHS % HEIGHTS, (enum act)(way / WIDTHS / HEIGHTS));
			float *y = guarded(t.n);
			float got = (*k)->add_affine(t.x, t.scale, t.shift, t.dy, t.ka, t.kb, t.pixels, t.c, t.act, y);
			for (long i = 0; i < t.n; i++) {
				long j = i % t.c;
				double a = (double)t.x[i] * (double)t.scale[j] + (double)t.shift[j];
				double b = (double)t.dy[i] * (double)t.ka[j] + (double)t.kb[j],
				       shown = plain_activation(t.act, a + b);
				near(*k, (double)y[i], shown, act_error(t.act) * fmax(1, fabs(shown)));
			}
			assert_true(got == (*k)->peak(y, t.n));
			norm_case_free(&t);
			release(y, t.n);
		}
}

// With any numbers: the bound of a few roundings.
static void affine_of_any_numbers(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++) {
			int c = widths[w], n = c * 37;
			float *x = made(n, 17, false), *scale = made(c, 18, false), *shift = made(c, 19, false), *y = guarded(n);
			(*k)->affine(x, 37, c, scale, shift, ACT_NONE, y);
			for (int i = 0; i < n; i++) {
				double product_of = (double)x[i] * (double)scale[i % c], add = (double)shift[i % c];
				near(*k, (double)y[i], product_of + add, 2 * ROUNDING * (fabs(product_of) + fabs(add)));
			}
			free(x);
			free(scale);
			free(shift);
			release(y, n);
		}
}

// Activations of every number there is: finely around 0, then to the ends.
static void activations(void **state)
{
	(void)state;
	enum { STEPS = 4001, N = STEPS + 12 };
	static const float ends[N - STEPS] = {-1e30f, -1e4f, -104, -89, -88, -87, 87, 88, 89, 104, 1e4f, 1e30f};
	float *x = made(N, 20, false), *dy = made(N, 21, false);
	for (int i = 0; i < STEPS; i++)
		x[i] = (float)(i - STEPS / 2) / 100 + (i % 2 ? 1e-3f : 0);
	memcpy(x + STEPS, ends, sizeof ends);
	x[7] = -0.f;
	x[8] = 1e-40f;
	EACH_SET (k)
		for (int act = 0; act < ACTS; act++)
			for (int n = N; n > N - 33; n--) { // every remainder
				float *y = guarded(n), *dx = guarded(n), top = (*k)->activate(x + N - n, n, (enum act)act, y);
				(*k)->activate_gradient(x + N - n, dy, n, (enum act)act, dx);
				for (int i = 0; i < n; i++) {
					double v = (double)x[N - n + i], shown = plain_activation((enum act)act, v),
					       g = (double)dy[i];
					near(*k, (double)y[i], shown, act_error((enum act)act) * fmax(1, fabs(shown)));
					near(*k, (double)dx[i], g * plain_slope((enum act)act, v),
						2 * act_error((enum act)act) * fabs(g));
				}
				assert_true(top == (*k)->peak(y, n));
				release(y, n);
				release(dx, n);
			}
	free(x);
	free(dy);
}

// No number in, no number out, but for the rectifiers, which take it for 0.
static void activations_of_no_number(void **state)
{
	(void)state;
	enum { N = 35 };
	EACH_SET (k)
		for (int act = 0; act < ACTS; act++) {
			bool rectifier = act == ACT_RELU || act == ACT_RELU6;
			float x[N], one[N], y[N], dx[N];
			for (int i = 0; i < N; i++) {
				x[i] = i % 2 ? NAN : 1;
				one[i] = 1;
			}
			(*k)->activate(x, N, (enum act)act, y);
			(*k)->activate_gradient(x, one, N, (enum act)act, dx);
			for (int i = 0; i < N; i++) {
				bool none = i % 2 && !rectifier;
				assert_true(none ? isnan(y[i]) : isfinite(y[i]));
				assert_true(none && act != ACT_NONE ? isnan(dx[i]) : isfinite(dx[i]));
				assert_true(!(rectifier && i % 2) || (y[i] == 0 && dx[i] == 0));
			}
			(*k)->activate_gradient(one, x, N, (enum act)act, dx); // no number in the gradient: it passes
			for (int i = 0; i < N; i++)
				assert_true(i % 2 ? isnan(dx[i]) : isfinite(dx[i]));
		}
}

static void addition(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *a = made(n, 20, false), *b = made(n, 21, false), *y = guarded(n);
			for (int act = 0; act < ACTS; act++) {
				float got = (*k)->add(a, b, n, (enum act)act, y);
				for (int i = 0; i < n; i++) {
					double shown = plain_activation((enum act)act, (double)(a[i] + b[i]));
					near(*k, (double)y[i], shown, act_error((enum act)act) * fmax(1, fabs(shown)));
				}
				assert_true(got == (*k)->peak(y, n));
			}
			memcpy(y, b, (size_t)n * sizeof *y);
			(*k)->accumulate(a, y, n);
			for (int i = 0; i < n; i++)
				assert_true(y[i] == b[i] + a[i]);
			memcpy(y, b, (size_t)n * sizeof *y);
			(*k)->maximum(a, y, n);
			for (int i = 0; i < n; i++)
				assert_true(y[i] == fmaxf(a[i], b[i]));
			free(a);
			free(b);
			release(y, n);
		}
}

static void softmax_gradient(void **state)
{
	(void)state;
	enum { ROWS = 6, GAP = 5 };
	EACH_SET (k)
		for (int s = 1; s < SIZES; s++) {
			int n = sizes[s], row = n + GAP;
			float *y = made(ROWS * row, 29, false), *dy = made(ROWS * row, 30, false), *dx = guarded(ROWS * row);
			for (int r = 0; r < ROWS; r++)
				memcpy(dx + r * row, dy + r * row, (size_t)n * sizeof *dx);
			(*k)->softmax_gradient(y, dx, ROWS, n, row, .5f);
			for (int r = 0; r < ROWS; r++) {
				const float *of = y + r * row, *along = dy + r * row;
				double sum = 0, size = 0;
				for (int i = 0; i < n; i++) {
					sum += (double)of[i] * (double)along[i];
					size += fabs((double)of[i] * (double)along[i]);
				}
				for (int i = 0; i < n; i++)
					near(*k, (double)dx[r * row + i], (double)of[i] * ((double)along[i] - sum) / 2,
						(n + 4) * ROUNDING * fabs((double)of[i]) * (fabs((double)along[i]) + size));
				for (int i = n; i < row; i++)
					assert_true(dx[r * row + i] == GUARD_WORD);
			}
			free(y);
			free(dy);
			release(dx, ROWS * row);
		}
}

// Few values, so that many are equal.
static void maximum_gradient(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int across = 1; across <= 3; across++) {
				enum { DOWN = 2 };
				long c = widths[w], row = (across + 1) * c, size = (DOWN - 1) * row + across * c;
				float *x = malloc((size_t)size * sizeof *x), *dy = made(c, 31, false), *dx = guarded(size);
				assert_non_null(x);
				for (long i = 0; i < size; i++) {
					x[i] = (float)rng_below(32, (uint64_t)(i * 4 + across), 3);
					dx[i] = 1;
				}
				(*k)->maximum_gradient(x, dy, DOWN, across, row, c, dx);
				for (long j = 0; j < c; j++) {
					long first = -1;
					for (long at = j; at < size; at += c)
						if (at % row < across * c && (first < 0 || x[at] > x[first]))
							first = at;
					for (long at = j; at < size; at += c)
						assert_true(dx[at] == (at == first ? 1 + dy[j] : 1));
				}
				free(x);
				free(dy);
				release(dx, size);
			}
}

// Rows of `n` with words between them that stay as they are; logits from ordinary to absurd.
static void softmax(void **state)
{
	(void)state;
	static const float factors[] = {0, 1, 10, 1e30f};
	enum { ROWS = 6, GAP = 5 };
	EACH_SET (k)
		for (int s = 1; s < SIZES; s++)
			for (int f = 0; f < 4; f++) {
				int n = sizes[s], row = n + GAP;
				const double SCALE = (double).25f;
				float *x = made(ROWS * row, 26, false), *p = guarded(ROWS * row);
				for (int i = 0; i < ROWS * row; i++)
					x[i] *= factors[f];
				for (int r = 0; r < ROWS; r++)
					memcpy(p + r * row, x + r * row, (size_t)n * sizeof *p);
				(*k)->softmax(p, ROWS, n, row, (float)SCALE);
				for (int r = 0; r < ROWS; r++) {
					double total = 0, top = -INFINITY;
					for (int i = 0; i < n; i++)
						top = fmax(top, (double)x[r * row + i]);
					for (int i = 0; i < n; i++)
						total += exp(SCALE * ((double)x[r * row + i] - top));
					for (int i = 0; i < n; i++) { // the exponent's rounding, the exponential's, the sum's
						double e = SCALE * ((double)x[r * row + i] - top), wanted = exp(e) / total;
						near(*k, (double)p[r * row + i], wanted,
							(2 * fmin(fabs(e), 88) + 8 + n) * ROUNDING * wanted + 1e-37);
					}
					for (int i = n; i < row; i++)
						assert_true(p[r * row + i] == GUARD_WORD);
				}
				free(x);
				release(p, ROWS * row);
			}
}

// Rows of a mean far from 0 and of no variance among them.
static void layer_norms(void **state)
{
	(void)state;
	const double EPSILON = 1e-6;
	static const double means[] = {0, 3, -50};
	EACH_SET (k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], pixels = heights[h], n = c * pixels;
				float *x = made(n, 27, false), *gain = made(c, 28, false), *bias = made(c, 29, false),
				      *dy = made(n, 30, false);
				float *y = guarded(n), *normal = guarded(n), *inverse = guarded(pixels), *dx = guarded(n);
				float *dgain = guarded(c), *dbias = guarded(c), *before = made(c, 31, false);
				double *sums = calloc((size_t)c * 4,
					sizeof *sums); // of the gain, its size; of the bias, its size
				assert_non_null(sums);
				for (int i = 0; i < n; i++)
					x[i] = i / c % 5 == 4 ? 2 : x[i] + (float)means[i / c % 3];
				memcpy(dgain, before, (size_t)c * sizeof *dgain);
				memcpy(dbias, before, (size_t)c * sizeof *dbias);
				float got = (*k)->layernorm(x, pixels, c, (float)EPSILON, gain, bias, normal, inverse, y);
				(*k)->layernorm_gradient(normal, inverse, dy, pixels, c, gain, dx, dgain, dbias);
				for (int p = 0; p < pixels; p++) {
					const float *xp = x + p * c, *dp = dy + p * c, *hat = normal + p * c;
					double mean = 0, variance = 0, sum = 0, along = 0, size = 0;
					for (int j = 0; j < c; j++)
						mean += (double)xp[j] / c;
					for (int j = 0; j < c; j++)
						variance += pow((double)xp[j] - mean, 2) / c;
					double one = 1 / sqrt(variance + EPSILON),
					       roundings = (c + 8) * (1 + fabs(mean) * one) * ROUNDING;
					near(*k, (double)inverse[p], one, roundings * one);
					for (int j = 0; j < c; j++) {
						double wanted = ((double)xp[j] - mean) * one, g = (double)gain[j];
						near(*k, (double)hat[j], wanted, roundings * (1 + fabs(wanted)));
						near(*k, (double)y[p * c + j], wanted * g + (double)bias[j],
							2 * roundings * (1 + fabs(wanted)) *
								(1 + fabs(g) + fabs((double)bias[j])));
						// The gradient is of what the forward pass left.
						double d = (double)dp[j] * g, h1 = (double)hat[j];
						sum += d / c;
						along += d * h1 / c;
						size += fabs(d) * (1 + fabs(h1)) / c;
						sums[j] += (double)dp[j] * h1;
						sums[c + j] += fabs((double)dp[j] * h1);
						sums[2 * c + j] += (double)dp[j];
						sums[3 * c + j] += fabs((double)dp[j]);
					}
					for (int j = 0; j < c; j++) {
						double d = (double)dp[j] * (double)gain[j], h1 = (double)hat[j],
						       in = (double)inverse[p];
						near(*k, (double)dx[p * c + j], in * (d - sum - h1 * along),
							(c + 8) * ROUNDING * in * (fabs(d) + size * (1 + fabs(h1))));
					}
				}
				for (int j = 0; j < c; j++) {
					double was = (double)before[j], roundings = (pixels + 2) * ROUNDING;
					near(*k, (double)dgain[j], was + sums[j], roundings * (fabs(was) + sums[c + j]));
					near(*k, (double)dbias[j], was + sums[2 * c + j],
						roundings * (fabs(was) + sums[3 * c + j]));
				}
				assert_true(got == (*k)->peak(y, n));
				float *ours[] = {x, gain, bias, dy, before};
				for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
					free(ours[i]);
				free(sums);
				release(y, n);
				release(normal, n);
				release(inverse, pixels);
				release(dx, n);
				release(dgain, c);
				release(dbias, c);
			}
}

struct window_case {
	int taps_y, taps_x, stride;
	bool backwards; // weights in the order that the gradient of the input wants
};

static void one_depthwise(const struct kernels *k, struct window_case t, int pixels, int c)
{
	long x_pixel = (long)t.stride * c, x_tap = c, y_pixel = c + 3, w_size = (long)(t.taps_y * t.taps_x + 1) * c;
	long x_row = ((long)(pixels - 1) * t.stride + t.taps_x + 1) * c, sign = t.backwards ? -1 : 1;
	long x_size = (t.taps_y + 1) * x_row, y_size = (pixels - 1) * y_pixel + c;
	float *x = made(x_size, 32, false), *w = made(w_size, 33, false), *y = guarded(y_size), *scale = made(c, 34, false);
	const float *first = w + (t.backwards && t.taps_y && t.taps_x ? (long)(t.taps_y * t.taps_x - 1) * c : 0);
	k->depthwise(pixels, c, t.taps_y, t.taps_x, x, x_pixel, x_row, x_tap, first, sign * t.taps_x * c, sign * c,
		t.backwards ? NULL : scale, y, y_pixel);
	for (long p = 0; p < pixels; p++) {
		for (int j = 0; j < c; j++) {
			double sum = 0, size = 0;
			for (int ty = 0; ty < t.taps_y; ty++)
				for (int tx = 0; tx < t.taps_x; tx++) {
					double term = (double)x[p * x_pixel + ty * x_row + tx * x_tap + j] *
						(double)first[sign * (ty * t.taps_x + tx) * c + j];
					sum += term;
					size += fabs(term);
				}
			double by = t.backwards ? 1 : (double)scale[j];
			near(k, (double)y[p * y_pixel + j], sum * by, (t.taps_y * t.taps_x + 2) * ROUNDING * size * fabs(by));
		}
		for (long j = c; j < y_pixel && p + 1 < pixels; j++)
			assert_true(y[p * y_pixel + j] == GUARD_WORD);
	}
	free(x);
	free(w);
	free(scale);
	release(y, y_size);
}

static void depthwise(void **state)
{
	(void)state;
	static const struct window_case windows[] = {{1, 1, 1, false}, {3, 3, 1, false}, {3, 3, 2, true}, {5, 5, 1, true},
		{5, 5, 2, false}, {7, 7, 1, false}, {2, 2, 1, false}, {1, 7, 3, false}, {2, 1, 1, true}, {0, 2, 1, false},
		{2, 0, 1, true}};
	EACH_SET (k)
		for (size_t t = 0; t < sizeof windows / sizeof windows[0]; t++)
			for (int w = 0; w < WIDTHS; w++)
				for (int pixels = 1; pixels <= 9; pixels++)
					one_depthwise(*k, windows[t], pixels, widths[w]);
}

// A row of a depthwise convolution of bytes, rows stacked first, against plain sums of products; where the processor has dot products of bytes.
static void depthwise_of_stacked_codes(void **state)
{
	(void)state;
	static const int windows[][3] = {{3, 3, 1}, {3, 3, 2}, {5, 5, 1}, {5, 5, 2}, {7, 7, 1}, {4, 2, 1}, {1, 7, 3}, {2, 1, 1}};
	EACH_SET (k)
		for (size_t t = 0; (*k)->depthwise_stacked && t < sizeof windows / sizeof *windows; t++)
			for (int i = 0; i < WIDTHS * 9; i++) {
				int h = windows[t][0], w = windows[t][1], stride = windows[t][2], c = widths[i / 9],
				    pixels = i % 9 + 1;
				int groups = (h + KERNEL_UNIT - 1) / KERNEL_UNIT;
				long row = ((pixels - 1) * stride + w) * (long)c;
				uint8_t *x = malloc((size_t)(h * row));
				int8_t *weight = calloc((size_t)(groups * KERNEL_UNIT * w * c), 1);
				int32_t *units = malloc((size_t)(groups * row) * sizeof *units), minus[64];
				int8_t *packed = calloc((size_t)(groups * w * c), KERNEL_UNIT);
				float *scale = made(c, 60, false), *y = guarded((long)pixels * c);
				for (long e = 0; e < h * row; e++)
					x[e] = i % 2 ? 255 : (uint8_t)rng_below(61, (uint64_t)e, 256);
				for (int e = 0; e < h * w * c; e++) {
					weight[e] = i % 2 ? 127 : (int8_t)((int)rng_below(62, (uint64_t)e, 255) - 127);
					int tap = e / c;
					packed[((tap / w / KERNEL_UNIT * w + tap % w) * c + e % c) * KERNEL_UNIT +
						tap / w % KERNEL_UNIT] = weight[e];
				}
				for (int j = 0; j < c; j++)
					minus[j] = j * 37 - 500;
				for (int g = 0; g < groups; g++) {
					const void *rows[KERNEL_UNIT] = {0};
					int count = h - KERNEL_UNIT * g < KERNEL_UNIT ? h - KERNEL_UNIT * g : KERNEL_UNIT;
					for (int r = 0; r < count; r++)
						rows[r] = x + (KERNEL_UNIT * g + r) * row;
					(*k)->stack(count, rows, row, units + g * row);
					for (long e = 0; e < row * KERNEL_UNIT; e++) {
						int r = (int)(e % KERNEL_UNIT);
						uint8_t wanted = r < count ? x[(KERNEL_UNIT * g + r) * row + e / KERNEL_UNIT] : 0;
						assert_int_equal(((uint8_t *)(units + g * row))[e], wanted);
					}
				}
				struct stacks s = {groups, w, c, (long)stride * c, row, (int32_t *)(void *)packed, minus, scale};
				(*k)->depthwise_stacked(pixels, &s, units, y);
				for (int e = 0; e < pixels * c; e++) {
					int64_t sum = 0;
					for (int tap = 0; tap < h * w; tap++)
						sum += (int64_t)x[tap / w * row + (e / c * stride + tap % w) * c + e % c] *
							weight[tap * c + e % c];
					volatile float wanted = (float)(sum - minus[e % c]) * scale[e % c];
					assert_true(y[e] == wanted);
				}
				free(x);
				free(weight);
				free(units);
				free(packed);
				free(scale);
				release(y, (long)pixels * c);
			}
}

static void depthwise_gradient(void **state)
{
	(void)state;
	static const int lengths[] = {0, 1, 5, 33};
	EACH_SET (k)
		for (int taps = 1; taps <= 2 * KERNEL_TAPS + 3; taps++)
			for (int w = 0; w < WIDTHS; w++)
				for (int i = 0; i < 4; i++) {
					int c = widths[w], pixels = lengths[i], stride = 1 + taps % 2;
					long w_tap = c + 2, dw_size = (taps - 1) * w_tap + c;
					float *x = made((pixels * stride + taps) * c, 34, false),
					      *dy = made(pixels * (c + 1), 35, false);
					float *dw = guarded(dw_size), *before = made(dw_size, 36, false);
					for (int t = 0; t < taps; t++)
						memcpy(dw + t * w_tap, before + t * w_tap, (size_t)c * sizeof *dw);
					(*k)->depthwise_gradient(pixels, c, taps, x, (long)stride * c, c, dy, c + 1, dw, w_tap);
					for (int t = 0; t < taps; t++) {
						for (int j = 0; j < c; j++) {
							double sum = (double)before[t * w_tap + j], size = fabs(sum);
							for (int p = 0; p < pixels; p++) {
								double term = (double)x[(p * stride + t) * c + j] *
									(double)dy[p * (c + 1) + j];
								sum += term;
								size += fabs(term);
							}
							near(*k, (double)dw[t * w_tap + j], sum, (pixels + 1) * ROUNDING * size);
						}
						for (long j = c; j < w_tap && t + 1 < taps; j++)
							assert_true(dw[t * w_tap + j] == GUARD_WORD);
					}
					free(x);
					free(dy);
					free(before);
					release(dw, dw_size);
				}
}

static void squares(void **state)
{
	(void)state;
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			float *x = made(sizes[s], 22, false);
			double sum = 0;
			for (int i = 0; i < sizes[s]; i++)
				sum += (double)x[i] * (double)x[i];
			near(*k, (*k)->squares(x, sizes[s]), sum, STRETCH_ROUNDINGS * ROUNDING * sum);
			free(x);
		}
}

static void sgd(void **state)
{
	(void)state;
	const double SCALE = .5, RATE = .1, MOMENTUM = .9, DECAY = .01;
	enum { ROUNDINGS = 8 };
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *w0 = made(n, 23, false), *v0 = made(n, 24, false), *g = made(n, 25, false), *w = guarded(n),
			      *v = guarded(n);
			memcpy(w, w0, (size_t)n * sizeof *w);
			memcpy(v, v0, (size_t)n * sizeof *v);
			(*k)->sgd(w, v, g, n, (float)SCALE, (float)RATE, (float)MOMENTUM, (float)DECAY);
			for (int i = 0; i < n; i++) {
				double wi = (double)w0[i], vi = (double)v0[i], gi = (double)g[i];
				double d = SCALE * gi + DECAY * wi, v1 = MOMENTUM * vi + d;
				double size = fabs(wi) + fabs(vi) + fabs(gi);
				near(*k, (double)v[i], v1, ROUNDINGS * ROUNDING * size);
				near(*k, (double)w[i], wi - RATE * (d + MOMENTUM * v1), ROUNDINGS * ROUNDING * size);
			}
			free(w0);
			free(v0);
			free(g);
			release(w, n);
			release(v, n);
		}
}

static void adamw(void **state)
{
	(void)state;
	// As the kernel has them, in single precision.
	const double SCALE = .5, RATE = (double).01f, BETA1 = (double).9f, BETA2 = (double).999f, DECAY = (double).05f,
		     EPSILON = 1e-8;
	enum { ROUNDINGS = 8 };
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *w0 = made(n, 37, false), *m0 = made(n, 38, false), *v0 = made(n, 39, false),
			      *g = made(n, 40, false);
			float *w = guarded(n), *m = guarded(n), *v = guarded(n);
			for (int i = 0; i < n; i++) {
				v0[i] = i % 4 ? fabsf(v0[i]) : 0;
				if (i % 8 == 0)
					g[i] = m0[i] = 0; // a weight that nothing has moved: only decays
			}
			memcpy(w, w0, (size_t)n * sizeof *w);
			memcpy(m, m0, (size_t)n * sizeof *m);
			memcpy(v, v0, (size_t)n * sizeof *v);
			(*k)->adamw(w, m, v, g, n, (float)SCALE, (float)RATE, (float)BETA1, (float)BETA2, (float)DECAY);
			for (int i = 0; i < n; i++) {
				double d = SCALE * (double)g[i], wi = (double)w0[i], mi = (double)m0[i], vi = (double)v0[i];
				double m1 = BETA1 * mi + (1 - BETA1) * d, v1 = BETA2 * vi + (1 - BETA2) * d * d;
				// 1 - beta2 keeps few of beta2's digits, but is exact; m's terms may cancel.
				double along = RATE / (sqrt(v1) + EPSILON), size = fabs(BETA1 * mi) + fabs((1 - BETA1) * d);
				near(*k, (double)m[i], m1, ROUNDINGS * ROUNDING * size);
				near(*k, (double)v[i], v1, ROUNDINGS * ROUNDING * v1);
				near(*k, (double)w[i], wi - DECAY * wi - along * m1,
					2 * ROUNDINGS * ROUNDING * (fabs(wi) + along * size));
			}
			float *ours[] = {w0, m0, v0, g};
			for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
				free(ours[i]);
			release(w, n);
			release(m, n);
			release(v, n);
		}
}

static void follow(void **state)
{
	(void)state;
	static const float keeps[] = {0, .1f, .999f, 1};
	EACH_SET (k)
		for (int s = 0; s < SIZES; s++)
			for (int f = 0; f < 4; f++) {
				int n = sizes[s];
				float *x = made(n, 41, false), *before = made(n, 42, false), *average = guarded(n);
				double keep = (double)keeps[f];
				memcpy(average, before, (size_t)n * sizeof *average);
				(*k)->follow(x, keeps[f], average, n);
				for (int i = 0; i < n; i++) {
					double a = keep * (double)before[i], b = (1 - keep) * (double)x[i];
					near(*k, (double)average[i], a + b, 4 * ROUNDING * (fabs(a) + fabs(b)));
				}
				free(x);
				free(before);
				release(average, n);
			}
}

// ---- the team ----------------------------------------------------------------------------------------------------

enum { MOST_CHUNKS = 1000, MOST_WORKERS = 8 };

struct tally {
	_Atomic int times[MOST_CHUNKS];
	_Atomic int wrong; // a chunk or a worker that does not exist
	int chunks, workers;
	long plain[MOST_CHUNKS]; // written without care: each chunk is one worker's alone, and team_run hands it back
};

static void count_chunk(void *context, int chunk, int worker)
{
	struct tally *t = context;
	if (chunk < 0 || chunk >= t->chunks || worker < 0 || worker >= t->workers) {
		atomic_fetch_add(&t->wrong, 1);
		return;
	}
	atomic_fetch_add(&t->times[chunk], 1);
	t->plain[chunk]++;
}

static const int team_sizes[] = {1, 2, 3, MOST_WORKERS};
enum { TEAMS = sizeof team_sizes / sizeof team_sizes[0] };

static void each_chunk_once(void **state)
{
	(void)state;
	static const int chunks[] = {0, 1, 2, 3, 7, MOST_CHUNKS};
	static struct tally t;
	struct fault fault;
	for (int s = 0; s < TEAMS; s++) {
		struct team *team = team_new(team_sizes[s], &fault);
		assert_non_null(team);
		assert_int_equal(team_size(team), team_sizes[s]);
		for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++)
			for (int again = 0; again < 5; again++) {
				memset(&t, 0, sizeof t);
				t.chunks = chunks[c];
				t.workers = team_sizes[s];
				team_run(team, t.chunks, count_chunk, &t);
				assert_int_equal(t.wrong, 0);
				for (int i = 0; i < MOST_CHUNKS; i++) {
					assert_int_equal(t.times[i], i < t.chunks);
					assert_int_equal(t.plain[i], i < t.chunks);
				}
			}
		team_free(team);
	}
	team_free(NULL);
}

// Loops so short that workers come late to most of them; each loop must find its own task and context.
static void many_small_loops(void **state)
{
	(void)state;
	enum { LOOPS = 3000 };
	static struct tally t[2];
	struct fault fault;
	for (int s = 0; s < TEAMS; s++) {
		struct team *team = team_new(team_sizes[s], &fault);
		assert_non_null(team);
		memset(t, 0, sizeof t);
		t[0].workers = t[1].workers = team_sizes[s];
		long runs[2][4] = {{0}};
		for (int i = 0; i < LOOPS; i++) {
			struct tally *mine = &t[i % 2];
			mine->chunks = 1 + i % 4;
			for (int c = 0; c < mine->chunks; c++)
				runs[i % 2][c]++;
			team_run(team, mine->chunks, count_chunk, mine);
			for (int c = 0; c < 4; c++)
				assert_true(mine->plain[c] == runs[i % 2][c]);
		}
		for (int i = 0; i < 2; i++)
			assert_int_equal(t[i].wrong, 0);
		team_free(team);
	}
}

static void teams_that_never_ran(void **state)
{
	(void)state;
	struct fault fault;
	for (int i = 0; i < 50; i++)
		team_free(team_new(1 + i % MOST_WORKERS, &fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_of_kernels),
		cmocka_unit_test(product),
		cmocka_unit_test(rounding_to_pairs),
		cmocka_unit_test(product_of_pairs),
		cmocka_unit_test(integer_product),
		cmocka_unit_test(codes),
		cmocka_unit_test(peak),
		cmocka_unit_test(channel_peaks),
		cmocka_unit_test(channel_extremes),
		cmocka_unit_test(clip_gradient),
		cmocka_unit_test(histogram),
		cmocka_unit_test(channel_sums),
		cmocka_unit_test(norms),
		cmocka_unit_test(rounded_norms),
		cmocka_unit_test(added_norms),
		cmocka_unit_test(affine_of_any_numbers),
		cmocka_unit_test(activations),
		cmocka_unit_test(activations_of_no_number),
		cmocka_unit_test(addition),
		cmocka_unit_test(softmax),
		cmocka_unit_test(softmax_gradient),
		cmocka_unit_test(maximum_gradient),
		cmocka_unit_test(layer_norms),
		cmocka_unit_test(depthwise),
		cmocka_unit_test(depthwise_of_stacked_codes),
		cmocka_unit_test(depthwise_gradient),
		cmocka_unit_test(squares),
		cmocka_unit_test(sgd),
		cmocka_unit_test(adamw),
		cmocka_unit_test(follow),
		cmocka_unit_test(each_chunk_once),
		cmocka_unit_test(many_small_loops),
		cmocka_unit_test(teams_that_never_ran),
		cmocka_unit_test(histogram_of_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

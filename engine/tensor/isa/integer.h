// SPDX-License-Identifier: GPL-3.0-or-later
// Integer products of codes, and rounding to codes. Four bytes of codes are a unit, which one instruction multiplies and adds up in each
// lane: four bytes, unsigned by signed, where the processor has such a dot product (VNNI), which saturates nowhere; else two 16-bit
// numbers (the older instruction for bytes saturates its sums of two, and is not used).
#ifndef ENGINE_TENSOR_ISA_INTEGER_H
#define ENGINE_TENSOR_ISA_INTEGER_H

#include "engine/tensor/isa/product.h"
#include "engine/tensor/isa/quantize.h"

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
typedef uint8_t code;
enum { CODE_OFFSET = 128 };
#else
typedef int16_t code;
enum { CODE_OFFSET = 0 };
#endif
typedef code codes __attribute__((vector_size(LANES * sizeof(code)), aligned(1), may_alias));

// sum + the products of a's and b's codes, in each lane.
INLINE ints dot(ints sum, ints a, ints b)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVXVNNI__)
	return (ints)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
#elif defined(__AVX512BW__)
	return sum + (ints)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
	return sum + (ints)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
	return sum + (ints)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
	typedef int16_t halves __attribute__((vector_size(LANES * sizeof(int32_t)), may_alias));
	halves x = (halves)a, y = (halves)b;
	for (int k = 0; k < LANES; k++)
		sum[k] += x[2 * k] * y[2 * k] + x[2 * k + 1] * y[2 * k + 1];
	return sum;
#endif
}

// As product_tile.
INLINE void integer_tile(const int rows, const int vectors, int columns, const struct integers *p, const char *a,
	const int32_t *const *b, int column, float *c, long c_row)
{
	const long a_row = p->a_row;
	ints acc[KERNEL_ROWS][VECTORS];
#pragma GCC unroll 16
	for (int m = 0; m < rows; m++)
#pragma GCC unroll 2
		for (int j = 0; j < vectors; j++)
			acc[m][j] = (ints){0};
	const int32_t *bt[VECTORS];
	for (int j = 0; j < vectors; j++)
		bt[j] = b[j];
	for (long r = 0; r < p->panels; r++)
		for (long s = 0; s < p->runs; s++) {
			const char *at[KERNEL_ROWS / 3];
			for (int q = 0; q < (rows + 2) / 3; q++)
				at[q] = a + r * p->a_panel + s * p->a_run + 3 * q * a_row;
			for (long k = p->units; k > 0; k--) {
#pragma GCC unroll 4
				for (int q = 0; q < (rows + 2) / 3; q++)
					OPAQUE(at[q]);
				ints bv[VECTORS];
				for (int j = 0; j < vectors; j++)
					bv[j] = *(const ints *)bt[j];
#pragma GCC unroll 16
				for (int m = 0; m < rows; m++) {
					const ints x = *(const unit *)(at[m / 3] + m % 3 * a_row) - (ints){0};
#pragma GCC unroll 2
					for (int j = 0; j < vectors; j++)
						acc[m][j] = dot(acc[m][j], x, bv[j]);
				}
				for (int q = 0; q < (rows + 2) / 3; q++)
					at[q] += sizeof(unit);
				for (int j = 0; j < vectors; j++)
					bt[j] += KERNEL_BLOCK;
			}
		}
	lanes scale[VECTORS], bias[VECTORS];
	ints minus[VECTORS];
#pragma GCC unroll 2
	for (int j = 0; j < vectors; j++) {
		minus[j] = *(const ints *)(p->minus + column + j * LANES);
		scale[j] = *(const lanes *)(p->scale + column + j * LANES);
		bias[j] = p->bias ? *(const lanes *)(p->bias + column + j * LANES) : (lanes){0};
	}
#pragma GCC unroll 16
	for (int m = 0; m < rows; m++) {
		float part[VECTORS * LANES];
#pragma GCC unroll 2
		for (int j = 0; j < vectors; j++) {
			lanes y = __builtin_convertvector(acc[m][j] - minus[j], lanes) * scale[j];
			if (p->bias)
				y += bias[j];
			if (columns >= vectors * LANES)
				*(lanes *)(c + m * c_row + j * LANES) = y;
			else
				memcpy(part + j * LANES, &y, sizeof y);
		}
		for (int j = 0; columns < vectors * LANES && j < columns; j++)
			c[m * c_row + j] = part[j];
	}
}

typedef void integer_pass(int columns, const struct integers *p, const char *a, const int32_t *const *b, int column, float *c,
	long c_row);
#define INTEGER_PASS(rows, vectors)                                                                                              \
	static void integer_##rows##_##vectors(int columns, const struct integers *p, const char *a, const int32_t *const *b,    \
		int column, float *c, long c_row)                                                                                \
	{                                                                                                                        \
		integer_tile(rows, vectors, columns, p, a, b, column, c, c_row);                                                 \
	}
// clang-format off
#define INTEGER_PASSES(rows) INTEGER_PASS(rows, 1) INTEGER_PASS(rows, 2)
INTEGER_PASSES(1) INTEGER_PASSES(2) INTEGER_PASSES(3) INTEGER_PASSES(4) INTEGER_PASSES(5) INTEGER_PASSES(6)
#if defined(__AVX512F__)
INTEGER_PASSES(7) INTEGER_PASSES(8) INTEGER_PASSES(9) INTEGER_PASSES(10) INTEGER_PASSES(11) INTEGER_PASSES(12)
#endif
#define INTEGER_ROW(rows) {integer_##rows##_1, integer_##rows##_2}
static integer_pass *const integer_passes[BEST_ROWS][VECTORS] = {
	INTEGER_ROW(1), INTEGER_ROW(2), INTEGER_ROW(3), INTEGER_ROW(4), INTEGER_ROW(5), INTEGER_ROW(6),
#if defined(__AVX512F__)
	INTEGER_ROW(7), INTEGER_ROW(8), INTEGER_ROW(9), INTEGER_ROW(10), INTEGER_ROW(11), INTEGER_ROW(12),
#endif
};
// clang-format on

static void integer_product(int rows, int columns, const struct integers *p, const void *a, float *c, long c_row)
{
	const char *at = a;
	while (rows > 0) {
		int part = rows <= BEST_ROWS ? rows : BEST_ROWS;
		for (int j = 0; j < columns;) {
			int vectors = columns - j > LANES ? VECTORS : 1;
			const int32_t *bt[VECTORS];
			for (int v = 0; v < vectors; v++) {
				int column = j + v * LANES;
				bt[v] = p->b + column / KERNEL_BLOCK * p->b_block + column % KERNEL_BLOCK;
			}
			integer_passes[part - 1][vectors - 1](columns - j, p, at, bt, j, c + j, c_row);
			j += vectors * LANES;
		}
		at += part * p->a_row;
		c += part * c_row;
		rows -= part;
	}
}

// The code in the lowest bits: MAGIC's are 0.
INLINE int32_t code_of(const struct grid *g, int32_t offset, float v)
{
	float shifted = clamp(v, g->low, g->high) + MAGIC;
	int32_t bits;
	memcpy(&bits, &shifted, 4);
	return bits + offset;
}

INLINE void store_codes(const struct grid *g, int32_t offset, lanes v, code *to)
{
	const ints bits = (ints)(clamped(v, g->low, g->high) + MAGIC) + offset;
	*(codes *)to = __builtin_convertvector(bits, codes);
}

static int32_t offset_of(const struct grid *g)
{
	return g->low < 0 ? CODE_OFFSET : 0;
}

// Where the block at i of n begins: the last may repeat some of the one before.
INLINE long block_at(long i, long n)
{
	return i + BLOCK <= n ? i : n - BLOCK;
}

INLINE void encode_all(const struct grid *grid, float scale, const float *x, code *restrict y, long n)
{
	const struct grid g = *grid;
	const int32_t offset = offset_of(&g);
	for (long i = 0; n >= BLOCK && i < n; i += BLOCK) {
		const long at = block_at(i, n);
		for (int k = 0; k < BLOCK; k += LANES)
			store_codes(&g, offset, *(const lanes *)(x + at + k) / scale, y + at + k);
	}
	for (long i = 0; n < BLOCK && i < n; i++)
		y[i] = (code)code_of(&g, offset, x[i] / scale);
}

static void encode(const struct grid *grid, float scale, const float *x, void *to, long n)
{
	encode_all(grid, scale, x, to, n);
}

INLINE void encode_affine_rows(enum act act, const struct grid *grid, float scale, const float *x, long pixels, long c,
	const float *gain, const float *shift, code *restrict y)
{
	const struct grid g = *grid;
	const int32_t offset = offset_of(&g);
	for (long p = 0; p < pixels; p++, x += c, y += c) {
		for (long j = 0; c >= BLOCK && j < c; j += BLOCK) {
			const long at = block_at(j, c);
			for (int k = 0; k < BLOCK; k += LANES)
				store_codes(&g, offset, affine_lanes(act, x, gain, shift, at + k) / scale, y + at + k);
		}
		for (long j = 0; c < BLOCK && j < c; j++)
			y[j] = (code)code_of(&g, offset, activated(act, x[j] * gain[j] + shift[j]) / scale);
	}
}

static void encode_affine(const struct grid *grid, float scale, const float *x, long pixels, long c, const float *gain,
	const float *shift, enum act act, void *to)
{
	float gains[BLOCK * BLOCK], shifts[BLOCK * BLOCK];
	code *y = to;
	if (c < BLOCK) { // so many pixels at a time, as if they were one, that their channels fill whole blocks
		long each = 1;
		while (each * c % BLOCK)
			each++;
		const long whole = pixels / each;
		for (long i = 0; whole && i < each; i++)
			for (long j = 0; j < c; j++) {
				gains[i * c + j] = gain[j];
				shifts[i * c + j] = shift[j];
			}
		FOR_ACT(act, encode_affine_rows, grid, scale, x, whole, each * c, gains, shifts, y);
		x += whole * each * c;
		y += whole * each * c;
		pixels -= whole * each;
	}
	FOR_ACT(act, encode_affine_rows, grid, scale, x, pixels, c, gain, shift, y);
}

static void encode_channels(const struct grid *grid, const float *scale, const float *x, int8_t *y, long rows, long c)
{
	const struct grid g = *grid;
	for (long r = 0; r < rows; r++, x += c, y += c)
		for (long j = 0; j < c; j++)
			y[j] = (int8_t)code_of(&g, 0, x[j] / scale[j]);
}

#endif

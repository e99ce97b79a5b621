// SPDX-License-Identifier: GPL-3.0-or-later
// The matrix product, of numbers or of pairs.
#ifndef ENGINE_TENSOR_ISA_PRODUCT_H
#define ENGINE_TENSOR_ISA_PRODUCT_H

#include "engine/tensor/isa/pairs.h"

typedef int32_t unit __attribute__((aligned(1), may_alias));

// Rows and vectors of columns handled at once: rows * vectors accumulators, the vectors of B and one of A must fit the register
// file.
#if defined(__AVX512F__)
enum { BEST_ROWS = 12, VECTORS = 2, BLAS = false };
#elif defined(__AVX2__)
enum { BEST_ROWS = 6, VECTORS = 2, BLAS = false };
#else
enum { BEST_ROWS = 6, VECTORS = 2, BLAS = true };
#endif

// For a fixed number of rows and of vectors of columns. These are constants when inlined, so the accumulators stay in registers.
// Rows are reached from every third one: base + 0, 1 or 2 times a_row is an address that one instruction can form.
INLINE void product_tile(const bool pairs, const int rows, const int vectors, int columns, long panels, long depth,
	const float *a, long a_row, long a_step, long a_panel, const float *const *b, long b_step, long b_panel, float *c,
	long c_row, bool accumulate)
{
	lanes acc[KERNEL_ROWS][VECTORS];
#pragma GCC unroll 16
	for (int m = 0; m < rows; m++)
#pragma GCC unroll 2
		for (int j = 0; j < vectors; j++)
			acc[m][j] = (lanes){0};
	for (long r = 0; r < panels; r++) {
		const float *at[KERNEL_ROWS / 3], *bt[VECTORS];
		for (int q = 0; q < (rows + 2) / 3; q++)
			at[q] = a + r * a_panel + 3 * q * a_row;
		for (int j = 0; j < vectors; j++)
			bt[j] = b[j] + r * b_panel;
		for (long k = depth; k > 0; k--) {
#pragma GCC unroll 4
			for (int q = 0; q < (rows + 2) / 3; q++)
				OPAQUE(at[q]);
			lanes bv[VECTORS];
			for (int j = 0; j < vectors; j++)
				bv[j] = *(const lanes *)bt[j];
#pragma GCC unroll 16
			for (int m = 0; m < rows; m++) {
				const float *number = &at[m / 3][m % 3 * a_row];
#pragma GCC unroll 2
				for (int j = 0; j < vectors; j++)
					acc[m][j] = pairs ? paired(acc[m][j], *(const unit *)number - (ints){0}, (ints)bv[j])
							  : fused_lanes(*number - (lanes){0}, bv[j], acc[m][j]);
			}
			for (int q = 0; q < (rows + 2) / 3; q++)
				at[q] += a_step;
			for (int j = 0; j < vectors; j++)
				bt[j] += b_step;
		}
	}
	if (columns >= vectors * LANES) {
#pragma GCC unroll 16
		for (int m = 0; m < rows; m++)
#pragma GCC unroll 2
			for (int j = 0; j < vectors; j++) {
				lanes *out = (lanes *)(c + m * c_row + j * LANES);
				if (accumulate)
					acc[m][j] += *out;
				*out = acc[m][j];
			}
		return;
	}
#pragma GCC unroll 16
	for (int m = 0; m < rows; m++) {
		float part[VECTORS * LANES];
#pragma GCC unroll 2
		for (int j = 0; j < vectors; j++)
			memcpy(part + j * LANES, &acc[m][j], sizeof acc[m][j]);
		for (int j = 0; j < columns; j++)
			c[m * c_row + j] = accumulate ? c[m * c_row + j] + part[j] : part[j];
	}
}

typedef void product_pass(int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *const *b, long b_step, long b_panel, float *c, long c_row, bool accumulate);
#define PASS(name, pairs, rows, vectors)                                                                                         \
	static void name##_##rows##_##vectors(int columns, long panels, long depth, const float *a, long a_row, long a_step,     \
		long a_panel, const float *const *b, long b_step, long b_panel, float *c, long c_row, bool accumulate)           \
	{                                                                                                                        \
		product_tile(pairs, rows, vectors, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, c,     \
			c_row, accumulate);                                                                                      \
	}
// clang-format off
#define PASSES(rows) PASS(product, false, rows, 1) PASS(product, false, rows, 2) PASS(pairs, true, rows, 1) PASS(pairs, true, rows, 2)
PASSES(1) PASSES(2) PASSES(3) PASSES(4) PASSES(5) PASSES(6)
#if defined(__AVX512F__)
PASSES(7) PASSES(8) PASSES(9) PASSES(10) PASSES(11) PASSES(12)
#define MORE_ROWS(name) , ROW(name, 7), ROW(name, 8), ROW(name, 9), ROW(name, 10), ROW(name, 11), ROW(name, 12)
#else
#define MORE_ROWS(name)
#endif
#define ROW(name, rows) {name##_##rows##_1, name##_##rows##_2}
#define ROWS(name) {ROW(name, 1), ROW(name, 2), ROW(name, 3), ROW(name, 4), ROW(name, 5), ROW(name, 6) MORE_ROWS(name)}
	// clang-format on
	static product_pass *const product_passes[BEST_ROWS][VECTORS] = ROWS(product);
static product_pass *const pair_passes[BEST_ROWS][VECTORS] = ROWS(pairs);

INLINE void product_by(product_pass *const (*passes)[VECTORS], int rows, int columns, long panels, long depth, const float *a,
	long a_row, long a_step, long a_panel, const float *b, long b_step, long b_panel, long b_block, float *c, long c_row,
	bool accumulate)
{
	while (rows > 0) {
		int part = rows <= BEST_ROWS ? rows : BEST_ROWS;
		for (int j = 0; j < columns;) {
			int vectors = columns - j > LANES ? VECTORS : 1;
			const float *bt[VECTORS];
			for (int v = 0; v < vectors; v++) {
				int column = j + v * LANES;
				bt[v] = b + column / KERNEL_BLOCK * b_block + column % KERNEL_BLOCK;
			}
			passes[part - 1][vectors - 1](columns - j, panels, depth, a, a_row, a_step, a_panel, bt, b_step, b_panel,
				c + j, c_row, accumulate);
			j += vectors * LANES;
		}
		a += part * a_row;
		c += part * c_row;
		rows -= part;
	}
}

static void product(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate)
{
	product_by(product_passes, rows, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row,
		accumulate);
}

static void pair_product(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate)
{
	product_by(pair_passes, rows, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row,
		accumulate);
}

#endif

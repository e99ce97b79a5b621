// SPDX-License-Identifier: GPL-3.0-or-later
// The matrix product.
#ifndef ENGINE_TENSOR_ISA_PRODUCT_H
#define ENGINE_TENSOR_ISA_PRODUCT_H

#include "engine/tensor/isa/lanes.h"

// Rows and vectors of columns handled at once: rows * vectors accumulators, the vectors of B and one of A must fit the register
// file.
#if defined(__AVX512F__)
enum { BEST_ROWS = 12, VECTORS = 2, BLAS = false };
#elif defined(__AVX2__)
enum { BEST_ROWS = 6, VECTORS = 2, BLAS = false };
#else
enum { BEST_ROWS = 6, VECTORS = 2, BLAS = true };
#endif

// For a fixed number of rows and of vectors of columns. Both are constants when inlined, so the accumulators stay in registers.
// Rows are reached from every third one: base + 0, 1 or 2 times a_row is an address that one instruction can form.
INLINE void product_tile(const int rows, const int vectors, int columns, long panels, long depth, const float *a, long a_row,
	long a_step, long a_panel, const float *const *b, long b_step, long b_panel, float *c, long c_row, bool accumulate)
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
			for (int m = 0; m < rows; m++)
#pragma GCC unroll 2
				for (int j = 0; j < vectors; j++)
					acc[m][j] = fused_lanes(at[m / 3][m % 3 * a_row] - (lanes){0}, bv[j], acc[m][j]);
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
#define PASS(rows, vectors)                                                                                                      \
	static void product_##rows##_##vectors(int columns, long panels, long depth, const float *a, long a_row, long a_step,    \
		long a_panel, const float *const *b, long b_step, long b_panel, float *c, long c_row, bool accumulate)           \
	{                                                                                                                        \
		product_tile(rows, vectors, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, c, c_row,     \
			accumulate);                                                                                             \
	}
// clang-format off
#define PASSES(rows) PASS(rows, 1) PASS(rows, 2)
PASSES(1) PASSES(2) PASSES(3) PASSES(4) PASSES(5) PASSES(6)
#if defined(__AVX512F__)
PASSES(7) PASSES(8) PASSES(9) PASSES(10) PASSES(11) PASSES(12)
#endif
#define ROW(rows) {product_##rows##_1, product_##rows##_2}
static product_pass *const product_passes[BEST_ROWS][VECTORS] = {
	ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6),
#if defined(__AVX512F__)
	ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12),
#endif
};
// clang-format on

static void product(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate)
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
			product_passes[part - 1][vectors - 1](columns - j, panels, depth, a, a_row, a_step, a_panel, bt, b_step,
				b_panel, c + j, c_row, accumulate);
			j += vectors * LANES;
		}
		a += part * a_row;
		c += part * c_row;
		rows -= part;
	}
}

#endif

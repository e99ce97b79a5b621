// SPDX-License-Identifier: GPL-3.0-or-later
// Compute kernels: single-threaded inner loops over plain arrays, from one source (kernels_isa.c) compiled once per
// instruction set and picked once at run time. Plain references for the tests stand in tests/. Activations are NHWC:
// `pixels` rows of `c` channels. All functions are pure but for what they write; any thread may call them.
#ifndef ENGINE_TENSOR_KERNELS_H
#define ENGINE_TENSOR_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	KERNEL_COLUMNS = 16, // width of the product kernel's column block; packed operands are padded to it
	KERNEL_ROWS = 12     // most rows that `product` may be given at once
};

// How numbers are rounded to a format; made by quant/. Integer grids: y = scale * clamp(round(x / scale), low, high).
// Floating grids: v = x / scale is rounded to `mantissa` bits, below 2^(least exponent) to a multiple of the smallest subnormal,
// then clamped to [low, high]; y = scale * v. Rounding is to nearest, ties to even.
struct grid {
	enum grid_kind { GRID_NONE, GRID_INTEGER, GRID_FLOAT } kind;
	float low, high;
	int drop;              // GRID_FLOAT: fp32 mantissa bits dropped, 23 - mantissa
	float least_normal;    // GRID_FLOAT: magnitudes below it round on the subnormal grid
	float subnormal_magic; // GRID_FLOAT: 1.5 * 2^23 * the smallest subnormal
};

struct kernels {
	const char *name;
	int rows; // the number of rows at which `product` is fastest

	// C[m][0..columns) (+)= sum over r < panels, k < depth of A[m*a_row + k*a_step + r*a_panel] * B[k*b_step + r*b_panel + 0..columns)
	// for m < rows <= KERNEL_ROWS; columns <= KERNEL_COLUMNS. Reads whole KERNEL_COLUMNS of B, writes `columns` of C.
	// Convolutions and their gradients are made of it: see nn/conv.c.
	void (*product)(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
		const float *b, long b_step, long b_panel, float *c, long c_row, bool accumulate);

	float (*peak)(const float *x, long n); // largest magnitude; 0 for n = 0
	void (*quantize)(const struct grid *, float scale, const float *x, float *y, long n);
	// The same with a scale per channel: rows of c.
	void (*quantize_channels)(const struct grid *, const float *scale, const float *x, float *y, long rows, long c);
	// g[i] = 0 where |x[i]| > range: the straight-through gradient of a range that clips.
	void (*clip_gradient)(float range, const float *x, float *g, long n);
	// counts[b] += how many |x| fall into bin b of `bins` equal ones over [0, peak].
	void (*histogram)(const float *x, long n, float peak, uint32_t *counts, int bins);

	void (*channel_peaks)(const float *x, long pixels, long c, float *peak);                // max with what is there
	void (*channel_sums)(const float *x, long pixels, long c, double *sum, double *squares); // added to what is there
	// y = x*scale[c] + shift[c], then max(0, y) where rectify; returns the largest magnitude of y.
	float (*affine)(const float *x, long pixels, long c, const float *scale, const float *shift, bool rectify, float *y);
	// Sums over pixels of g and of g*(x - mean[c]), g being dy, zeroed where the rectified output was not positive.
	void (*affine_sums)(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
		bool rectify, const float *mean, double *sum, double *sum_x);
	// dx = g*ka[c] + x*kb[c] + kc[c]
	void (*affine_gradient)(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
		bool rectify, const float *ka, const float *kb, const float *kc, float *dx);
	float (*add)(const float *a, const float *b, long n, bool rectify, float *y); // returns the largest magnitude of y
	void (*add_gradient)(const float *y, const float *dy, long n, bool rectify, float *da); // da = dy where y > 0
	void (*accumulate)(const float *x, float *y, long n);                                   // y += x
	double (*squares)(const float *x, long n); // sum of squares
	// Nesterov momentum: d = scale*g + decay*w; v = momentum*v + d; w -= rate*(d + momentum*v).
	void (*sgd)(float *w, float *v, const float *g, long n, float scale, float rate, float momentum, float decay);
};

// The best set for this processor (BITSCAPE_KERNELS=base|avx2|avx512 forces one that it has).
const struct kernels *kernels_best(void);
// All sets that this build has and this processor can run, NULL-terminated.
const struct kernels *const *kernels_all(void);

#endif

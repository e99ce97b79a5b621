// SPDX-License-Identifier: GPL-3.0-or-later
// Compute kernels: single-threaded inner loops over plain arrays. One source (kernels_isa.c) is compiled once per instruction
// set, and one set is picked at run time. Plain references for the tests are in tests/. Activations are NHWC: `pixels` rows of
// `c` channels. The functions depend on their arguments alone; any thread may call them.
#ifndef ENGINE_TENSOR_KERNELS_H
#define ENGINE_TENSOR_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	KERNEL_BLOCK = 16,   // columns in a block of a packed operand, which is padded to whole blocks
	KERNEL_COLUMNS = 32, // most columns that `product` takes at once
	KERNEL_ROWS = 12,    // most rows
	KERNEL_UNIT = 4,     // bytes of codes that an integer product takes at once
	KERNEL_TAPS = 5      // taps that `depthwise_gradient` does in one go
};

enum act { ACT_NONE, ACT_RELU, ACT_RELU6, ACT_SWISH, ACT_GELU, ACT_SIGMOID, ACTS }; // activations

// How numbers are rounded to a format; quant/ makes it. Integer grids: y = scale * clamp(round(x / scale), low, high). Floating
// grids: v = x / scale is rounded to `mantissa` bits, below 2^(least exponent) to a multiple of the smallest subnormal, then
// clamped to [low, high]; y = scale * v. Rounding is to nearest, ties to even.
struct grid {
	enum grid_kind { GRID_NONE, GRID_INTEGER, GRID_FLOAT } kind;
	float low, high;
	int drop;              // GRID_FLOAT: fp32 mantissa bits dropped, 23 - mantissa
	float least_normal;    // GRID_FLOAT: magnitudes below it round on the subnormal grid
	float subnormal_magic; // GRID_FLOAT: 1.5 * 2^23 * the smallest subnormal
	bool bare;             // y is left without the scale: a code, as a float
	bool binary;           // the scale is to be a power of two: see format_scale

	// Grids of blocks are of GRID_FLOAT, and so many numbers share a scale; 0: all of a tensor do, and the rest is of no account. A block's
	// scale is a power of two from 2^-127 to 2^127; or, where `fine`, the tensor's times an e4m3 number.
	int block;
	int top; // the exponent of the largest number
	bool fine;
	enum block_rule {
		BLOCK_SCALE_FLOOR, // the block's largest magnitude goes to the binade of the grid's largest number, and is clamped there;
				   // fine: to that number, as nearly as there are scales
		BLOCK_SCALE_UP,     // the least scale at which nothing is clamped
		BLOCK_SCALE_SEARCH, // of these, or of the fine one's neighbours, the one with the least squared error
	} rule;
};

// The e4m3 scales of blocks. The least is not 0: numbers are divided by it.
#define BLOCK_SCALE_LEAST 0x1p-9f
#define BLOCK_SCALE_MOST 448.f

// Of an integer product: C[m][j] = scale[j] * (sum - minus[j]) + bias[j], where the sum runs over r < panels, s < runs and k < units of the
// dot product of the unit at A + m*a_row + r*a_panel + s*a_run + k*KERNEL_UNIT (bytes) with B's at ((r*runs + s)*units + k)*KERNEL_BLOCK +
// column(j). Reads whole blocks of B, minus, scale and bias. Sums are exact: whoever packs B sees to it that they fit.
struct integers {
	long panels, runs, units;
	long a_row, a_panel, a_run;
	const int32_t *b;
	long b_block;              // from a block of columns to the next
	const int32_t *minus;      // what offsets of A's codes added: offset times the sum of a column's codes
	const float *scale, *bias; // bias NULL: there is none
};

// Of a depthwise convolution of codes whose kernel rows are stacked, up to KERNEL_UNIT of them in the bytes of a unit:
// y[p][j] = scale[j] * (sum - minus[j]), where the sum runs over g < stacks and t < taps of the dot product of the unit at
// x[p*x_pixel + g*x_stack + t*c + j] with w[(g*taps + t)*c + j].
struct stacks {
	int stacks, taps;
	long c, x_pixel, x_stack; // in units
	const int32_t *w, *minus;
	const float *scale;
};

// C[m][j] (+)= sum over r < panels, k < depth of A[m*a_row + k*a_step + r*a_panel] * B[k*b_step + r*b_panel + column(j)]
// for m < rows, j < columns, where column(j) = j/KERNEL_BLOCK*b_block + j%KERNEL_BLOCK. Reads whole blocks of B. A row's
// sum does not depend on the number of rows.
typedef void kernel_product(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate);

struct kernels {
	const char *name;
	int rows;  // the number of rows at which `product` is fastest
	bool blas; // for any processor: OpenBLAS multiplies faster, for callers to whom the order of additions does not matter

	// Convolutions and their gradients are made of it: see nn/conv.c.
	kernel_product *product;

	// The same of pairs of bf16 numbers, neighbours of the depth, each pair in the place of a float: products are added two by two, in an order
	// and with roundings that are the same on every set; see isa/pairs.h.
	kernel_product *pair_product;
	// The pair at to[r*c + j], for r < rows and j < c: x[r*row + j] and x[r*row + other + j], rounded to nearest, ties to even, subnormals to 0.
	void (*pair)(const float *x, long rows, long c, long row, long other, float *to);
	// Pairs of neighbours, 0 behind an odd last, times a scale each: row r of `to` is of x[r*row + j] * scale[j], for j < c.
	void (*pair_channels)(const float *x, long rows, long c, long row, const float *scale, float *to, long to_row);

	// Integer formats of up to 8 bits as codes. A unit of KERNEL_UNIT bytes holds KERNEL_UNIT/code of them. An activation's code is stored
	// with `offset` added where its grid has negative numbers, since bytes are unsigned; a weight's is stored as it is.
	int code, offset;
	void (*integer_product)(int rows, int columns, const struct integers *, const void *a, float *c, long c_row);
	// Byte k of to[i] is row[k][i], or 0 beyond the rows; and the convolution that reads such units. NULL where code is not 1.
	void (*stack)(int rows, const void *const *row, long n, int32_t *to);
	void (*depthwise_stacked)(long pixels, const struct stacks *, const int32_t *x, float *y);
	// As quantize, quantize_affine and quantize_channels below, but they write codes: activations' and, last, weights' (not yet in units).
	void (*encode)(const struct grid *, float scale, const float *x, void *codes, long n);
	void (*encode_affine)(const struct grid *, float scale, const float *x, long pixels, long c, const float *gain,
		const float *shift, enum act, void *codes);
	void (*encode_channels)(const struct grid *, const float *scale, const float *x, int8_t *codes, long rows, long c);

	float (*peak)(const float *x, long n); // largest magnitude; 0 for n = 0
	void (*quantize)(const struct grid *, float scale, const float *x, float *y, long n);
	// Rounds act(x*gain[c] + shift[c]) instead: it applies a norm while reading.
	void (*quantize_affine)(const struct grid *, float scale, const float *x, long pixels, long c, const float *gain,
		const float *shift, enum act, float *y);
	// As `quantize`, with a scale per channel: rows of c.
	void (*quantize_channels)(const struct grid *, const float *scale, const float *x, float *y, long rows, long c);
	// In place, by blocks, each with a scale of its own: along the numbers of a row, or down the columns.
	void (*round_blocks)(const struct grid *, float scale, float *y, long rows, long c);
	void (*round_block_columns)(const struct grid *, float scale, float *y, long rows, long c);
	// g[i] = 0 where |x[i]| > range: the straight-through gradient of a range that clips.
	void (*clip_gradient)(float range, const float *x, float *g, long n);
	// counts[b] += the number of |x| that fall into bin b of `bins` equal bins over [0, peak].
	void (*histogram)(const float *x, long n, float peak, uint32_t *counts, int bins);

	void (*channel_peaks)(const float *x, long pixels, long c, float *peak);                 // raises the peaks there
	void (*channel_sums)(const float *x, long pixels, long c, double *sum, double *squares); // adds to the sums there
	void (*channel_extremes)(const float *x, long pixels, long c, float *low, float *high);  // widens the ranges there
	// y = act(x*scale[c] + shift[c]); returns the largest magnitude of y. Here and below y and dx must not overlap the other
	// arrays.
	float (*affine)(const float *x, long pixels, long c, const float *scale, const float *shift, enum act, float *y);
	// Sums over pixels of g and of g*(x - mean[c]), g being dy times the activation's slope.
	void (*affine_sums)(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
		enum act, const float *mean, double *sum, double *sum_x);
	// dx = g*ka[c] + x*kb[c] + kc[c]
	void (*affine_gradient)(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
		enum act, const float *ka, const float *kb, const float *kc, float *dx);
	// Per pixel over its channels: normal = (x - mean)*inverse, inverse = 1/sqrt(variance + epsilon), y = normal*gain + bias;
	// returns the largest magnitude of y. Keeps normal [pixels][c] and inverse [pixels] for the gradient, which adds to dgain
	// and dbias.
	float (*layernorm)(const float *x, long pixels, long c, float epsilon, const float *gain, const float *bias,
		float *normal, float *inverse, float *y);
	void (*layernorm_gradient)(const float *normal, const float *inverse, const float *dy, long pixels, long c,
		const float *gain, float *dx, float *dgain, float *dbias);

	// A row of a depthwise convolution: y[p*y_pixel + j] = sum over taps of x[p*x_pixel + ty*x_row + tx*x_tap + j] *
	// w[ty*w_row + tx*w_tap + j] for p < pixels, j < c; times scale[j] unless it is NULL.
	void (*depthwise)(long pixels, long c, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
		const float *w, long w_row, long w_tap, const float *scale, float *y, long y_pixel);
	// dw[t*w_tap + j] += sum over p of x[p*x_pixel + t*x_tap + j] * dy[p*dy_pixel + j] for t < taps.
	void (*depthwise_gradient)(long pixels, long c, int taps, const float *x, long x_pixel, long x_tap, const float *dy,
		long dy_pixel, float *dw, long w_tap);

	float (*activate)(const float *x, long n, enum act, float *y); // returns the largest magnitude of y
	void (*activate_gradient)(const float *x, const float *dy, long n, enum act, float *dx); // dx = dy times the slope at x
	// y = act(a + b); returns the largest magnitude of y
	float (*add)(const float *a, const float *b, long n, enum act, float *y);
	// act((a*ga + sa) + (b*gb + sb)), gains and shifts per channel.
	float (*add_affine)(const float *a, const float *ga, const float *sa, const float *b, const float *gb, const float *sb,
		long pixels, long c, enum act, float *y);
	void (*accumulate)(const float *x, float *y, long n); // y += x
	void (*maximum)(const float *x, float *y, long n);    // y = max(x, y)
	// Of a window of h by w pixels, rows `row` apart: adds dy[j] to dx where x, of channel j, is the first of the greatest.
	void (*maximum_gradient)(const float *x, const float *dy, int h, int w, long row, long c, float *dx);
	void (*softmax)(float *x, long rows, long n, long row, float scale); // of scale*x, in place; rows of n, `row` apart
	// The gradient of x from that of y = softmax(scale*x), in place.
	void (*softmax_gradient)(const float *y, float *dy, long rows, long n, long row, float scale);
	double (*squares)(const float *x, long n); // sum of squares
	// Nesterov momentum: d = scale*g + decay*w; v = momentum*v + d; w -= rate*(d + momentum*v).
	void (*sgd)(float *w, float *v, const float *g, long n, float scale, float rate, float momentum, float decay);
	// AdamW: d = scale*g; m, v: moving averages of d and d*d; w -= decay*w + rate*m/(sqrt(v) + 1e-8).
	void (*adamw)(float *w, float *m, float *v, const float *g, long n, float scale, float rate, float beta1, float beta2,
		float decay);
	void (*follow)(const float *x, float keep, float *average, long n); // average = keep*average + (1 - keep)*x
};

// kernels_best returns the set for everything made from now on: the best one for this processor
// (BITSCAPE_KERNELS=base|avx2|avxvnni|avx512|avx512vnni|avx512bf16 forces one that it has), or the one that kernels_use chose by name. kernels_use returns
// false if no set has that name.
const struct kernels *kernels_best(void);
bool kernels_use(const char *name);
// Returns the set that would be in use without kernels_use.
const struct kernels *kernels_asked(void);
// Returns all sets that this build has and this processor can run, NULL-terminated.
const struct kernels *const *kernels_all(void);

#endif

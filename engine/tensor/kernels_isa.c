// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels for one instruction set: compiled once per set with -DISA=name and the set's flags. Written with the
// compilers' vector extension where the shape of the loop matters, as plain loops that they vectorise elsewhere.
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/tensor/kernels.h"

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

// One vector register of floats, and how many registers a pass over the columns keeps per row: rows * PER_ROW
// accumulators, the B registers and one for A must fit the register file.
#if defined(__AVX512F__)
enum { LANES = 16, PER_ROW = 1, BEST_ROWS = 12 };
#elif defined(__AVX2__)
enum { LANES = 8, PER_ROW = 2, BEST_ROWS = 6 };
#else
enum { LANES = 4, PER_ROW = 2, BEST_ROWS = 6 };
#endif
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
enum { PASS = LANES * PER_ROW };

// The product for a fixed number of rows over one pass of columns. `rows` is a constant where it is inlined, so the
// loops over m and j unroll and acc stays in registers.
static inline __attribute__((always_inline)) void product_rows(const int rows, int columns, long panels, long depth,
	const float *a, long a_row, long a_step, long a_panel, const float *b, long b_step, long b_panel, float *c,
	long c_row, bool accumulate)
{
	lanes acc[KERNEL_ROWS][PER_ROW];
	for (int m = 0; m < rows; m++)
		for (int j = 0; j < PER_ROW; j++)
			acc[m][j] = (lanes){0};
	for (long r = 0; r < panels; r++, a += a_panel, b += b_panel) {
		const float *ak = a, *bk = b;
		for (long k = 0; k < depth; k++, ak += a_step, bk += b_step) {
			lanes bv[PER_ROW];
			for (int j = 0; j < PER_ROW; j++)
				bv[j] = *(const lanes *)(bk + j * LANES);
			for (int m = 0; m < rows; m++)
				for (int j = 0; j < PER_ROW; j++)
					acc[m][j] += ak[m * a_row] * bv[j];
		}
	}
	for (int m = 0; m < rows; m++, c += c_row) {
		if (columns >= PASS) {
			for (int j = 0; j < PER_ROW; j++) {
				lanes *out = (lanes *)(c + j * LANES);
				if (accumulate)
					acc[m][j] += *out;
				*out = acc[m][j];
			}
		} else {
			float part[PASS];
			memcpy(part, acc[m], sizeof part);
			for (int j = 0; j < columns; j++)
				c[j] = accumulate ? c[j] + part[j] : part[j];
		}
	}
}

typedef void product_pass(int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, float *c, long c_row, bool accumulate);
#define PRODUCT(n)                                                                                                     \
	static void product_##n(int columns, long panels, long depth, const float *a, long a_row, long a_step,         \
		long a_panel, const float *b, long b_step, long b_panel, float *c, long c_row, bool accumulate)        \
	{                                                                                                              \
		product_rows(n, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, c, c_row,       \
			accumulate);                                                                                   \
	}
PRODUCT(1) PRODUCT(2) PRODUCT(3) PRODUCT(4) PRODUCT(5) PRODUCT(6)
#if defined(__AVX512F__)
PRODUCT(7) PRODUCT(8) PRODUCT(9) PRODUCT(10) PRODUCT(11) PRODUCT(12)
#endif
static product_pass *const product_by_rows[BEST_ROWS + 1] = {
	NULL, product_1, product_2, product_3, product_4, product_5, product_6,
#if defined(__AVX512F__)
	product_7, product_8, product_9, product_10, product_11, product_12,
#endif
};

static void product(int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step,
	long a_panel, const float *b, long b_step, long b_panel, float *c, long c_row, bool accumulate)
{
	while (rows > 0) {
		int part = rows <= BEST_ROWS ? rows : BEST_ROWS;
		for (int j = 0; j < columns; j += PASS)
			product_by_rows[part](columns - j, panels, depth, a, a_row, a_step, a_panel, b + j, b_step,
				b_panel, c + j, c_row, accumulate);
		a += part * a_row;
		c += part * c_row;
		rows -= part;
	}
}

// Sums and peaks run over blocks of this many neighbours, which stay in registers.
enum { BLOCK = 16 };

static float peak(const float *x, long n)
{
	float top[2 * BLOCK] = {0}, p = 0;
	long i = 0;
	for (; i + 2 * BLOCK <= n; i += 2 * BLOCK)
		for (int k = 0; k < 2 * BLOCK; k++)
			top[k] = fabsf(x[i + k]) > top[k] ? fabsf(x[i + k]) : top[k];
	for (int k = 0; k < 2 * BLOCK; k++)
		p = top[k] > p ? top[k] : p;
	for (; i < n; i++)
		p = fabsf(x[i]) > p ? fabsf(x[i]) : p;
	return p;
}

// Adding and taking away 1.5 * 2^23 rounds to an integer, ties to even, for magnitudes below 2^22.
#define MAGIC 12582912.0f

static inline float clamp(float v, float low, float high)
{
	v = v < low ? low : v;
	return v > high ? high : v;
}

// Clamped before rounding as well: the bounds are integers, so the result is the same, and the magic number holds.
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
	if (g.kind == GRID_NONE)
		memcpy(y, x, (size_t)n * sizeof *y);
	else if (g.kind == GRID_INTEGER)
		for (long i = 0; i < n; i++)
			y[i] = scale * on_integer_grid(&g, x[i] / scale);
	else
		for (long i = 0; i < n; i++)
			y[i] = scale * on_float_grid(&g, x[i] / scale);
}

static void quantize_channels(const struct grid *grid, const float *scale, const float *x, float *y, long rows, long c)
{
	const struct grid g = *grid;
	if (g.kind == GRID_NONE)
		memcpy(y, x, (size_t)(rows * c) * sizeof *y);
	else if (g.kind == GRID_INTEGER)
		for (long r = 0; r < rows; r++, x += c, y += c)
			for (long j = 0; j < c; j++)
				y[j] = scale[j] * on_integer_grid(&g, x[j] / scale[j]);
	else
		for (long r = 0; r < rows; r++, x += c, y += c)
			for (long j = 0; j < c; j++)
				y[j] = scale[j] * on_float_grid(&g, x[j] / scale[j]);
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

static void channel_peaks(const float *x, long pixels, long c, float *top)
{
	for (long p = 0; p < pixels; p++, x += c)
		for (long j = 0; j < c; j++)
			top[j] = fabsf(x[j]) > top[j] ? fabsf(x[j]) : top[j];
}

// Sums run in fp32 over short stretches of pixels, a block of channels in registers, then fold into double.
enum { STRETCH = 64 };

static void channel_sums(const float *x, long pixels, long c, double *sum, double *squares)
{
	for (long p = 0; p < pixels; p += STRETCH) {
		long end = p + STRETCH < pixels ? p + STRETCH : pixels;
		long j = 0;
		for (; j + BLOCK <= c; j += BLOCK) {
			float s[BLOCK] = {0}, q[BLOCK] = {0};
			for (long i = p; i < end; i++) {
				const float *row = x + i * c + j;
				for (int k = 0; k < BLOCK; k++) {
					s[k] += row[k];
					q[k] += row[k] * row[k];
				}
			}
			for (int k = 0; k < BLOCK; k++) {
				sum[j + k] += (double)s[k];
				squares[j + k] += (double)q[k];
			}
		}
		for (; j < c; j++) {
			float s = 0, q = 0;
			for (long i = p; i < end; i++) {
				s += x[i * c + j];
				q += x[i * c + j] * x[i * c + j];
			}
			sum[j] += (double)s;
			squares[j] += (double)q;
		}
	}
}

static float affine(const float *x, long pixels, long c, const float *scale, const float *shift, bool rectify, float *y)
{
	const float floor_at = rectify ? 0 : -FLT_MAX;
	float *out = y;
	for (long p = 0; p < pixels; p++, x += c, out += c)
		for (long j = 0; j < c; j++) {
			float v = x[j] * scale[j] + shift[j];
			out[j] = v > floor_at ? v : floor_at;
		}
	return peak(y, pixels * c);
}

static void affine_sums(const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
	bool rectify, const float *mean, double *sum, double *sum_x)
{
	const float open = rectify ? 0 : -INFINITY;
	for (long p = 0; p < pixels; p += STRETCH) {
		long end = p + STRETCH < pixels ? p + STRETCH : pixels;
		for (long j = 0; j < c; j += BLOCK) {
			int width = c - j < BLOCK ? (int)(c - j) : BLOCK;
			float s[BLOCK] = {0}, sx[BLOCK] = {0};
			for (long i = p; i < end; i++) {
				const float *xr = x + i * c + j, *gr = dy + i * c + j;
				if (width == BLOCK) {
					for (int k = 0; k < BLOCK; k++) {
						float g = xr[k] * scale[j + k] + shift[j + k] > open ? gr[k] : 0;
						s[k] += g;
						sx[k] += g * (xr[k] - mean[j + k]);
					}
				} else {
					for (int k = 0; k < width; k++) {
						float g = xr[k] * scale[j + k] + shift[j + k] > open ? gr[k] : 0;
						s[k] += g;
						sx[k] += g * (xr[k] - mean[j + k]);
					}
				}
			}
			for (int k = 0; k < width; k++) {
				sum[j + k] += (double)s[k];
				sum_x[j + k] += (double)sx[k];
			}
		}
	}
}

static void affine_gradient(const float *x, const float *dy, long pixels, long c, const float *scale,
	const float *shift, bool rectify, const float *ka, const float *kb, const float *kc, float *dx)
{
	const float open = rectify ? 0 : -INFINITY;
	for (long p = 0; p < pixels; p++, x += c, dy += c, dx += c)
		for (long j = 0; j < c; j++) {
			float g = x[j] * scale[j] + shift[j] > open ? dy[j] : 0;
			dx[j] = g * ka[j] + (x[j] * kb[j] + kc[j]);
		}
}

static float add(const float *a, const float *b, long n, bool rectify, float *y)
{
	const float floor_at = rectify ? 0 : -FLT_MAX;
	for (long i = 0; i < n; i++) {
		float v = a[i] + b[i];
		y[i] = v > floor_at ? v : floor_at;
	}
	return peak(y, n);
}

static void add_gradient(const float *y, const float *dy, long n, bool rectify, float *da)
{
	const float open = rectify ? 0 : -INFINITY;
	for (long i = 0; i < n; i++)
		da[i] = y[i] > open ? dy[i] : 0;
}

static void accumulate(const float *x, float *y, long n)
{
	for (long i = 0; i < n; i++)
		y[i] += x[i];
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

extern const struct kernels GLUE(kernels_, ISA);
const struct kernels GLUE(kernels_, ISA) = {
	.name = TEXT(ISA),
	.rows = BEST_ROWS,
	.product = product,
	.peak = peak,
	.quantize = quantize,
	.quantize_channels = quantize_channels,
	.clip_gradient = clip_gradient,
	.histogram = histogram,
	.channel_peaks = channel_peaks,
	.channel_sums = channel_sums,
	.affine = affine,
	.affine_sums = affine_sums,
	.affine_gradient = affine_gradient,
	.add = add,
	.add_gradient = add_gradient,
	.accumulate = accumulate,
	.squares = squares,
	.sgd = sgd,
};

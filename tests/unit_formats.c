// SPDX-License-Identifier: GPL-3.0-or-later
// Formats: every one against exact values worked out by hand and against a plain search over its code points; ranges.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/quant/range.h"
#include "engine/tensor/rng.h"

// ---- exact values ------------------------------------------------------------------------------------------

// What x becomes where the scale is 1, so that x is in units of the grid.
struct pair {
	double x, y;
};

// largest, smallest normal, smallest subnormal: as published (an integer has only the first; its step is 1).
static const struct expected {
	const char *name;
	int bits;
	double largest, least_normal, least_subnormal;
	struct pair pair[16]; // ends with a pair of zeros
} table[] = {
	{"int2", 2, 1, 1, 1, {{.5, 0}, {.51, 1}, {.49, 0}, {1.5, 1}, {-.5, 0}, {-.7, -1}, {-3, -1}}},
	{"int3", 3, 3, 1, 1, {{.5, 0}, {1.5, 2}, {2.5, 2}, {2.51, 3}, {3.5, 3}, {-1.5, -2}, {-2.5, -2}, {-9, -3}}},
	{"int4", 4, 7, 1, 1,
		{{.5, 0}, {1.5, 2}, {2.5, 2}, {5.5, 6}, {6.5, 6}, {7.4, 7}, {100, 7}, {-5.5, -6}, {-6.5, -6}, {-8, -7}}},
	{"int5", 5, 15, 1, 1, {{.5, 0}, {13.5, 14}, {14.5, 14}, {14.6, 15}, {15.5, 15}, {-12.5, -12}, {-16, -15}}},
	{"int6", 6, 31, 1, 1, {{.5, 0}, {29.5, 30}, {30.5, 30}, {31.9, 31}, {-.51, -1}, {-30.5, -30}, {-32, -31}}},
	{"int7", 7, 63, 1, 1, {{1.5, 2}, {61.5, 62}, {62.5, 62}, {1e9, 63}, {-62.5, -62}, {-1e9, -63}}},
	{"int8", 8, 127, 1, 1, {{.5, 0}, {125.5, 126}, {126.5, 126}, {127.5, 127}, {-126.5, -126}, {-128, -127}}},
	{"int16", 16, 32767, 1, 1, {{.5, 0}, {1.5, 2}, {32765.5, 32766}, {32766.5, 32766}, {1e30, 32767}, {-40000, -32767}}},
	// 0 .5 | 1 1.5 | 2 3 | 4 6
	{"e2m1", 4, 6, 1, .5,
		{{.25, 0}, {.26, .5}, {.75, 1}, {1.25, 1}, {1.75, 2}, {2.5, 2}, {3.5, 4}, {5, 4}, {5.01, 6}, {7, 6}, {-.25, 0},
			{-2.5, -2}, {-9, -6}}},
	// 0 .5 1 1.5 | 2 2.5 3 3.5: evenly spaced
	{"e1m2", 4, 3.5, 2, .5,
		{{.25, 0}, {.75, 1}, {1.75, 2}, {2.25, 2}, {2.75, 3}, {3.25, 3}, {3.26, 3.5}, {3.75, 3.5}, {-.75, -1},
			{-4, -3.5}}},
	// 0 .25 .5 .75 | 1 … 1.75 | 2 2.5 3 3.5 | 4 5 6 7
	{"e2m2", 5, 7, 1, .25,
		{{.125, 0}, {.375, .5}, {.875, 1}, {1.125, 1}, {1.375, 1.5}, {2.25, 2}, {2.75, 3}, {4.5, 4}, {5.5, 6}, {6.5, 6},
			{8, 7}, {-5.5, -6}}},
	// 0 .125 | .25 .375 | .5 .75 | 1 1.5 | 2 3 | 4 6 | 8 12 | 16 24
	{"e3m1", 5, 24, .25, .125,
		{{.0625, 0}, {.1875, .25}, {.3125, .25}, {.4375, .5}, {1.25, 1}, {1.75, 2}, {5, 4}, {7, 8}, {14, 16}, {20, 16},
			{20.1, 24}, {100, 24}, {-.1875, -.25}}},
	{"e2m3", 6, 7.5, 1, .125,
		{{.0625, 0}, {.1875, .25}, {.9375, 1}, {1.0625, 1}, {1.1875, 1.25}, {2.125, 2}, {3.875, 4}, {6.75, 7}, {7.25, 7},
			{7.3, 7.5}, {7.9, 7.5}, {-4.25, -4}}},
	{"e3m2", 6, 28, .25, .0625,
		{{.03125, 0}, {.09375, .125}, {.21875, .25}, {18, 16}, {22, 24}, {26, 24}, {27, 28}, {40, 28}, {-.09375, -.125},
			{-18, -16}}},
	{"e2m4", 7, 7.75, 1, .0625,
		{{.03125, 0}, {.09375, .125}, {.96875, 1}, {1.03125, 1}, {1.09375, 1.125}, {7.375, 7.5}, {7.625, 7.5},
			{7.7, 7.75}, {9, 7.75}, {-7.375, -7.5}}},
	{"e3m3", 7, 30, .25, .03125,
		{{.015625, 0}, {.046875, .0625}, {.234375, .25}, {17, 16}, {27, 28}, {29, 28}, {29.1, 30}, {33, 30},
			{-1.0625, -1}}},
	{"e4m2", 7, 448, 0x1p-6, 0x1p-8,
		{{0x1p-9, 0}, {0x3p-9, 0x1p-7}, {0x7p-9, 0x1p-6}, {288, 256}, {352, 384}, {416, 384}, {417, 448}, {1000, 448},
			{-0x1.1p-9, -0x1p-8}}},
	{"e3m4", 8, 31, .25, 0x1p-6,
		{{0x1p-7, 0}, {0x3p-7, 0x1p-5}, {16.5, 16}, {29.5, 30}, {30.5, 30}, {30.6, 31}, {50, 31}, {-.2421875, -.25}}},
	// OCP: S.1111.111 is no number, so 448 and not 480
	{"e4m3", 8, 448, 0x1p-6, 0x1p-9,
		{{0x1p-10, 0}, {0x3p-10, 0x1p-8}, {17, 16}, {19, 20}, {400, 384}, {432, 448}, {464, 448}, {480, 448}, {1e6, 448},
			{-0xfp-10, -0x1p-6}, {-500, -448}}},
	// OCP: the largest exponent is for infinity and no number, so 57344
	{"e5m2", 8, 57344, 0x1p-14, 0x1p-16,
		{{0x1p-17, 0}, {0x3p-17, 0x1p-15}, {1.125, 1}, {1.375, 1.5}, {45056, 49152}, {53248, 49152}, {53249, 57344},
			{61440, 57344}, {-1e9, -57344}}},
	{"bf16", 16, 0x1.fep127, 0x1p-126, 0x1p-133,
		{{1 + 0x1p-8, 1}, {1 + 0x3p-8, 1 + 0x1p-6}, {1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7}, {0x1.fffffep127, 0x1.fep127},
			{-0x1.fffffep127, -0x1.fep127}, {0x1p-133, 0x1p-133}, {0x1p-134, 0}, {0x3p-134, 0x1p-132}, {-0x1p-149, 0},
			{-3, -3}}},
	{"fp16", 16, 65504, 0x1p-14, 0x1p-24,
		{{1 + 0x1p-11, 1}, {1 + 0x3p-11, 1 + 0x1p-9}, {2049, 2048}, {2051, 2052}, {65519, 65504}, {65520, 65504},
			{1e30, 65504}, {0x1p-24, 0x1p-24}, {0x1p-25, 0}, {0x3p-25, 0x1p-23}, {1023.5 * 0x1p-24, 0x1p-14},
			{-65536, -65504}}},
	{"fp32", 32, 0x1.fffffep127, 0x1p-126, 0x1p-149,
		{{0x1.921fb6p1, 0x1.921fb6p1}, {0x1p-149, 0x1p-149}, {-0x1.fffffep127, -0x1.fffffep127},
			{0x1.fffffep127, 0x1.fffffep127}}},
};
enum { ROWS = sizeof table / sizeof table[0] };

static float rounded(const struct kernels *k, const struct grid *g, float scale, float x)
{
	float y = NAN;
	k->quantize(g, scale, &x, &y, 1);
	return y;
}

static void the_table_of_formats(void **state)
{
	(void)state;
	int blocks = 0; // have a program of their own
	for (int f = 0; f < FORMATS; f++)
		blocks += format_table[f].kind == FORMAT_BLOCK;
	assert_int_equal(ROWS + blocks, FORMATS);
	for (int i = 0; i < ROWS; i++) {
		int f = format_named(table[i].name);
		assert_in_range(f, 0, FORMATS - 1);
		assert_int_equal(format_table[f].bits, table[i].bits);
		assert_true(format_table[f].largest == table[i].largest);
	}
	for (int f = 1; f < FORMATS; f++)
		assert_true(format_table[f].bits >= format_table[f - 1].bits);
	static const char *const none[] = {"", "int", "int9", "int1", "INT4", "int4 ", "e9m9", "fp8", "int44"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(format_named(none[i]), -1);
}

static void exact_values(void **state)
{
	(void)state;
	for (const struct kernels *const *k = kernels_all(); *k; k++)
		for (int i = 0; i < ROWS; i++) {
			const struct expected *e = &table[i];
			int f = format_named(e->name);
			struct grid g = format_grid(f, false);
			assert_true(format_scale(f, &g, (float)e->largest) == 1);
			for (const struct pair *p = e->pair; p->x != 0; p++) {
				double y = (double)rounded(*k, &g, 1, (float)p->x);
				if (y != p->y)
					fail_msg("%s, %s: %a became %a, not %a", (*k)->name, e->name, p->x, y, p->y);
			}
			// What the format can say it says exactly, and half of its least number is a tie that goes to 0.
			double exact[] = {e->largest, e->least_normal, e->least_subnormal, 0};
			for (int j = 0; j < 4; j++)
				for (int sign = -1; sign <= 1; sign += 2)
					assert_true((double)rounded(*k, &g, 1, (float)(sign * exact[j])) == sign * exact[j]);
			if (format_table[f].bits < 32) {
				assert_true(rounded(*k, &g, 1, (float)(e->least_subnormal / 2)) == 0);
				assert_true((double)rounded(*k, &g, 1, (float)(e->least_subnormal * .75)) == e->least_subnormal);
			}
			assert_true(rounded(*k, &g, 1, FLT_MAX) == (float)e->largest);
			assert_true(rounded(*k, &g, 1, -FLT_MAX) == (float)-e->largest);
		}
}

static void scales(void **state)
{
	(void)state;
	static const float zeros[5], tiny[] = {0, 1e-45f, -1e-45f, 1e-42f, 0};
	for (int f = 0; f < FORMATS; f++) {
		if (format_table[f].block)
			continue;
		struct grid g = format_grid(f, false);
		bool cast = format_table[f].kind == FORMAT_CAST;
		assert_true(format_scale(f, &g, 0) == 1);
		assert_true(format_scale(f, &g, 1e-42f) == 1);
		assert_true(format_scale(f, &g, 3) == (cast ? 1 : 3 / (float)format_table[f].largest));
		for (const struct kernels *const *k = kernels_all(); *k; k++) {
			float y[5];
			(*k)->quantize(&g, format_scale(f, &g, 0), zeros, y, 5);
			assert_memory_equal(y, zeros, sizeof zeros);
			(*k)->quantize(&g, format_scale(f, &g, 1e-42f), tiny, y, 5);
			for (int i = 0; i < 5 && !cast; i++)
				assert_true(y[i] == 0);
		}
	}
}

// ---- a plain quantizer -------------------------------------------------------------------------------------------

// The magnitudes that a format can say, by their code: decoded from exponent and mantissa bits as the standards write it.
static double code[1 << 15];
static int codes;

static void decode(int f, bool positive)
{
	int e = 0, m = 0, wide = format_table[f].bits;
	codes = 0;
	if (format_table[f].kind == FORMAT_INTEGER) {
		for (int n = 0; n < 1 << (positive ? wide : wide - 1); n++)
			code[codes++] = n;
		return;
	}
	if (strcmp(format_table[f].name, "bf16") == 0) {
		e = 8;
		m = 7;
	} else if (strcmp(format_table[f].name, "fp16") == 0) {
		e = 5;
		m = 10;
	} else { // "eXmY"
		e = format_table[f].name[1] - '0';
		m = format_table[f].name[3] - '0';
	}
	assert_int_equal(1 + e + m, wide);
	int bias = (1 << (e - 1)) - 1, all = 1 << (e + m);
	if (e >= 8 || strcmp(format_table[f].name, "fp16") == 0 || strcmp(format_table[f].name, "e5m2") == 0)
		all -= 1 << m; // the largest exponent: infinity and no number
	if (strcmp(format_table[f].name, "e4m3") == 0)
		all -= 1;
	for (int c = 0; c < all; c++) {
		int exponent = c >> m, mantissa = c & ((1 << m) - 1);
		code[codes++] = exponent == 0 ? ldexp(mantissa, 1 - bias - m) : ldexp((1 << m) + mantissa, exponent - bias - m);
	}
}

// The nearest code; of two equally near the even one.
static double nearest(double v, bool positive)
{
	double a = fabs(v);
	if (positive && v < 0)
		return 0;
	if (a >= code[codes - 1])
		return copysign(code[codes - 1], v);
	int low = 0, high = codes - 1; // code[low] <= a < code[high]
	while (high - low > 1) {
		int middle = (low + high) / 2;
		*(code[middle] <= a ? &low : &high) = middle;
	}
	double down = a - code[low], up = code[high] - a;
	return copysign(code[down < up || (down == up && low % 2 == 0) ? low : high], v);
}

static float reference(float scale, float x, bool positive)
{
	return scale * (float)nearest((double)(x / scale), positive);
}

// Enough for every code and the middle between neighbours, with what lies beside them.
enum { SWEEP = 1 << 18 };
static float input[SWEEP], output[SWEEP], expected[SWEEP];

// Even steps over and beyond the range, then codes, middles, and their neighbouring floats, of both signs.
static int fill(float range, float scale, bool every_code)
{
	int n = 0;
	for (int i = -2200; i <= 2200; i++)
		input[n++] = range * (float)i / 2000;
	int stride = every_code ? 1 : codes / 512 + 1;
	for (int c = 0; c + 1 < codes && n + 10 < SWEEP; c += stride) {
		float at = (float)code[c] * scale, middle = (float)((code[c] + code[c + 1]) / 2) * scale;
		float some[] = {at, middle, nextafterf(middle, 0), nextafterf(middle, INFINITY), nextafterf(at, INFINITY)};
		for (int i = 0; i < 5; i++) {
			input[n++] = some[i];
			input[n++] = -some[i];
		}
	}
	return n;
}

static void against_all_codes(int f, bool positive)
{
	struct grid g = format_grid(f, positive);
	decode(f, positive);
	assert_true(code[codes - 1] == (double)g.high);
	bool cast = format_table[f].kind == FORMAT_CAST;
	static const float ranges[] = {0, 1, .37f, 3e-5f, 7e12f};
	for (int r = 0; r < 5; r++) {
		float range = r ? ranges[r] : g.high, scale = format_scale(f, &g, range);
		assert_true(scale == (cast ? 1 : range / g.high));
		int n = fill(range, scale, codes <= 4096 || r == 0);
		for (int i = 0; i < n; i++)
			expected[i] = reference(scale, input[i], positive);
		for (const struct kernels *const *k = kernels_all(); *k; k++) {
			memset(output, 0xff, sizeof output);
			(*k)->quantize(&g, scale, input, output, n);
			for (int i = 0; i < n; i++)
				if (output[i] != expected[i])
					fail_msg("%s, %s%s, scale %a: %a became %a, not %a", (*k)->name,
						positive ? "unsigned " : "", format_table[f].name, (double)scale,
						(double)input[i], (double)output[i], (double)expected[i]);
		}
	}
}

static void nearest_of_all_codes(void **state)
{
	(void)state;
	for (int f = 0; f < FORMATS; f++)
		if (format_table[f].bits < 32 && !format_table[f].block)
			against_all_codes(f, false);
}

static void unsigned_integers(void **state)
{
	(void)state;
	for (int f = 0; f < FORMATS; f++)
		if (format_table[f].kind == FORMAT_INTEGER && format_table[f].bits < 16)
			against_all_codes(f, true);
	struct grid g = format_grid(format_named("int4"), true);
	assert_true(g.low == 0 && g.high == 15);
	g = format_grid(format_named("e2m1"), true); // only integers have an unsigned variant
	assert_true(g.low == -6 && g.high == 6);
}

static void single_precision_is_left_alone(void **state)
{
	(void)state;
	int f = format_named("fp32");
	struct grid g = format_grid(f, false);
	for (int i = 0; i < 1000; i++)
		input[i] = (float)(rng_normal(1, (uint64_t)i) * pow(10, i % 60 - 30));
	for (const struct kernels *const *k = kernels_all(); *k; k++) {
		(*k)->quantize(&g, format_scale(f, &g, 5), input, output, 1000);
		assert_memory_equal(input, output, 1000 * sizeof *input);
	}
}

static void a_scale_per_channel(void **state)
{
	(void)state;
	enum { PIXELS = 9 };
	static const int widths[] = {1, 3, 8, 15, 16, 17, 33};
	float scale[33];
	for (int f = 0; f < FORMATS; f++)
		for (size_t w = 0; !format_table[f].block && w < sizeof widths / sizeof widths[0]; w++) {
			int c = widths[w], n = PIXELS * c;
			struct grid g = format_grid(f, false);
			if (format_table[f].bits < 32)
				decode(f, false);
			for (int j = 0; j < c; j++)
				scale[j] = format_scale(f, &g, j == 2 ? 0 : (float)exp(rng_normal(7, (uint64_t)j)));
			for (int i = 0; i < n; i++) {
				input[i] = (float)rng_normal(8, (uint64_t)i);
				expected[i] = format_table[f].bits < 32 ? reference(scale[i % c], input[i], false) : input[i];
			}
			for (const struct kernels *const *k = kernels_all(); *k; k++) {
				output[n] = 12345;
				(*k)->quantize_channels(&g, scale, input, output, PIXELS, c);
				for (int i = 0; i < n; i++)
					if (output[i] != expected[i])
						fail_msg("%s, %s, %d channels: %a became %a, not %a", (*k)->name,
							format_table[f].name, c, (double)input[i], (double)output[i],
							(double)expected[i]);
				assert_true(output[n] == 12345);
			}
		}
}

// Not only equal but the same bits, zeros' signs included, in every set of kernels.
static void all_kernels_agree(void **state)
{
	(void)state;
	enum { N = 1003, C = 17 };
	float scale[C], base[N];
	for (int f = 0; f < FORMATS; f++) {
		struct grid g = format_grid(f, false);
		for (int i = 0; i < N; i++)
			input[i] = (float)(rng_normal(9, (uint64_t)i) * (i % 5 ? 1 : 1e-4));
		for (int j = 0; j < C; j++)
			scale[j] = format_scale(f, &g, .3f + (float)j);
		for (int way = 0; way < 2; way++)
			for (const struct kernels *const *k = kernels_all(); *k; k++) {
				if (way)
					(*k)->quantize_channels(&g, scale, input, output, N / C, C);
				else
					(*k)->quantize(&g, scale[0], input, output, N);
				if (k == kernels_all())
					memcpy(base, output, sizeof base);
				assert_memory_equal(base, output, N * sizeof *base);
			}
	}
}

static void e1m2_is_int4(void **state)
{
	(void)state;
	int f[] = {format_named("int4"), format_named("e1m2")};
	for (int i = 0; i < 4096; i++)
		input[i] = (float)rng_normal(3, (uint64_t)i);
	const struct kernels *k = kernels_best();
	float top = k->peak(input, 4096);
	for (int way = 0; way < 2; way++) {
		struct grid g = format_grid(f[way], false);
		k->quantize(&g, format_scale(f[way], &g, top), input, way ? output : expected, 4096);
	}
	for (int i = 0; i < 4096; i++) // the scales are a factor 2 apart: no rounding of theirs differs
		assert_true(output[i] == expected[i]);
}

// ---- ranges ----------------------------------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

enum { TENSOR = 5000 };

static float tensor(uint64_t key, uint32_t counts[RANGE_BINS])
{
	const struct kernels *k = kernels_best();
	for (int i = 0; i < TENSOR; i++)
		input[i] = (float)(rng_normal(key, (uint64_t)i) * exp(rng_normal(key + 1, (uint64_t)i)));
	float top = k->peak(input, TENSOR);
	memset(counts, 0, RANGE_BINS * sizeof *counts);
	k->histogram(input, TENSOR, top, counts, RANGE_BINS);
	return top;
}

static void percentile_ranges(void **state)
{
	(void)state;
	static const double shares[] = {50, 75, 90, 99, 99.9, 99.99, 100};
	uint32_t counts[RANGE_BINS];
	for (uint64_t key = 1; key < 6; key++) {
		float top = tensor(key * 10, counts), sorted[TENSOR];
		for (int i = 0; i < TENSOR; i++)
			sorted[i] = fabsf(input[i]);
		qsort(sorted, TENSOR, sizeof *sorted, by_size);
		for (size_t p = 0; p < sizeof shares / sizeof shares[0]; p++) {
			float range = range_percentile(counts, top, shares[p]), bin = top / RANGE_BINS;
			float exact = sorted[(int)ceil(TENSOR * shares[p] / 100) - 1];
			// The upper edge of the bin in which the exact one lies.
			assert_true(range >= exact * (1 - FLT_EPSILON) &&
				range <= exact + bin * (1 + 4 * FLT_EPSILON * RANGE_BINS));
		}
		assert_true(range_percentile(counts, top, 100) == top);
	}
	memset(counts, 0, sizeof counts);
	counts[0] = 100; // a tensor of zeros
	assert_true(range_percentile(counts, 0, 99) == 0);
}

// The squared error of rounding the bins' centres to a format at a range, by the plain quantizer.
static double error_at(const uint32_t counts[RANGE_BINS], float top, int f, bool positive, float range)
{
	struct grid g = format_grid(f, positive);
	double sum = 0;
	for (int i = 0; i < RANGE_BINS; i++) {
		float centre = top * ((float)i + .5f) / RANGE_BINS;
		double d = (double)centre - (double)reference(format_scale(f, &g, range), centre, positive);
		sum += counts[i] * d * d;
	}
	return sum;
}

static void least_error_ranges(void **state)
{
	(void)state;
	const double SAME = 1e-4; // of two ranges with errors as near as this, either may be chosen
	static const char *const names[] = {"int2", "int3", "int4", "int8", "e2m1", "e3m2", "e4m3"};
	uint32_t counts[RANGE_BINS];
	int narrower = 0;
	for (uint64_t key = 1; key < 4; key++)
		for (int i = 0; i < 14; i++) {
			int f = format_named(names[i / 2]);
			bool positive = i % 2 && format_table[f].kind == FORMAT_INTEGER;
			float top = tensor(key * 10, counts);
			decode(f, positive);
			double least = INFINITY;
			for (int c = 4; c <= 40; c++)
				least = fmin(least, error_at(counts, top, f, positive, top * (float)c / 40));
			float range = range_mse(kernels_best(), counts, top, f, positive);
			assert_true(range >= top / 10 * (1 - FLT_EPSILON) && range <= top);
			assert_true(error_at(counts, top, f, positive, range) <= least * (1 + SAME));
			narrower += range < top;
		}
	assert_true(narrower > 20); // such tails are worth clipping for most formats
	// What lies on the grid already is not clipped, and a cast or a tensor of zeros has nothing to choose.
	memset(counts, 0, sizeof counts);
	counts[RANGE_BINS - 1] = 10;
	assert_true(range_mse(kernels_best(), counts, 2, format_named("int8"), false) == 2);
	assert_true(range_mse(kernels_best(), counts, 2, format_named("fp32"), false) == 2);
	assert_true(range_mse(kernels_best(), counts, 0, format_named("int4"), false) == 0);
}

// The moving average is the network's: it moves in training passes only.
static void moving_ranges(void **state)
{
	(void)state;
	struct fault fault;
	struct team *team = team_new(1, &fault);
	struct model *m = model_new("line", (struct shape){1, 1, 4}, 2);
	model_linear(m, "head", 0, 2);
	m = model_finish(m, &fault);
	struct network *net = network_new(m, NULL, 2, 0, 0, team, &fault);
	assert_non_null(net);
	network_initialise(net, 1);
	int f = format_named("int8");
	struct layer_plan layer = {f, f};
	struct plan plan = {.model = m, .layer = &layer};
	struct quantization q = {.range = RANGE_EMA, .per_channel = true};
	struct network_array array[NETWORK_ARRAYS];
	network_arrays(net, array);
	assert_int_equal(array[2].count, 1);
	assert_true(array[2].data[0] == 0);
	static const float peaks[] = {2, 4, 1, 1};
	float moving = 0;
	for (int i = 0; i < 4; i++) {
		float x[8] = {0, .5f, -peaks[i], 0, .1f, .2f, .3f, 0};
		memcpy(network_input(net), x, sizeof x);
		network_forward(net, &plan, &q, PASS_SAMPLE, 2, NULL);
		assert_true(array[2].data[0] == moving);
		network_forward(net, &plan, &q, PASS_TRAIN, 2, NULL);
		moving = i ? .95f * moving + (1 - .95f) * peaks[i] : peaks[i];
		assert_true(fabsf(array[2].data[0] - moving) <= 2 * FLT_EPSILON * moving);
		moving = array[2].data[0];
	}
	network_free(net);
	model_free(m);
	team_free(team);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_formats),
		cmocka_unit_test(exact_values),
		cmocka_unit_test(scales),
		cmocka_unit_test(nearest_of_all_codes),
		cmocka_unit_test(unsigned_integers),
		cmocka_unit_test(single_precision_is_left_alone),
		cmocka_unit_test(a_scale_per_channel),
		cmocka_unit_test(all_kernels_agree),
		cmocka_unit_test(e1m2_is_int4),
		cmocka_unit_test(percentile_ranges),
		cmocka_unit_test(least_error_ranges),
		cmocka_unit_test(moving_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Block formats: the specification's tables, a plain search over code points with scales found in double precision, the plain way of
// quant/, what others make of the same numbers, and what they take to store.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/cost.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

// ---- the specification -------------------------------------------------------------------------------------

// OCP Microscaling Formats Specification 1.0: table 1 (formats), 2 to 4 (elements), 5.3.4 (INT8), 6.3 (conversion). nvfp4: arXiv 2509.25149.
static const struct row {
	const char *name, *element;
	int bits, block, tensor_bits;
	int emax;
	double largest, least_normal, least_subnormal;
} table[] = {
	{"mxfp8-e5m2", "e5m2", 8, 32, 0, 15, 57344, 0x1p-14, 0x1p-16},
	{"mxfp8", "e4m3", 8, 32, 0, 8, 448, 0x1p-6, 0x1p-9},
	{"mxfp6-e3m2", "e3m2", 6, 32, 0, 4, 28, .25, .0625},
	{"mxfp6", "e2m3", 6, 32, 0, 2, 7.5, 1, .125},
	{"mxfp4", "e2m1", 4, 32, 0, 2, 6, 1, .5},
	{"mxint8", "", 8, 32, 0, 0, 127 / 64., 1 / 64., 1 / 64.},
	{"nvfp4", "e2m1", 4, 16, 32, 2, 6, 1, .5},
};
enum { ROWS = sizeof table / sizeof *table };

// All numbers of the narrow elements that are not negative (OCP, tables 3 and 4).
static const double e2m1[] = {0, .5, 1, 1.5, 2, 3, 4, 6};
static const double e2m3[] = {0, .125, .25, .375, .5, .625, .75, .875, 1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2, 2.25,
	2.5, 2.75, 3, 3.25, 3.5, 3.75, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5};
static const double e3m2[] = {0, .0625, .125, .1875, .25, .3125, .375, .4375, .5, .625, .75, .875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3,
	3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28};

static double code[512];
static int codes;

static void decode(int exponent, int mantissa, double largest)
{
	codes = 0;
	for (int i = 0; i < 1 << (exponent + mantissa); i++) {
		int e = i >> mantissa, bias = (1 << (exponent - 1)) - 1;
		double m = ldexp(i & ((1 << mantissa) - 1), -mantissa), v = e ? ldexp(1 + m, e - bias) : ldexp(m, 1 - bias);
		if (v <= largest)
			code[codes++] = v;
	}
}

static void decode_element(const struct row *r)
{
	if (r->element[0])
		decode(r->element[1] - '0', r->element[3] - '0', r->largest);
	for (codes = r->element[0] ? codes : 0; !r->element[0] && codes < 128; codes++)
		code[codes] = codes / 64.;
}

// The nearest code; of two equally near the even one; beyond the last the last.
static double nearest(double v)
{
	double a = fabs(v);
	int low = 0, high = codes - 1;
	if (a >= code[high])
		return copysign(code[high], v);
	while (high - low > 1) {
		int middle = (low + high) / 2;
		*(code[middle] <= a ? &low : &high) = middle;
	}
	double down = a - code[low], up = code[high] - a;
	return copysign(code[down < up || (down == up && low % 2 == 0) ? low : high], v);
}

static void the_table(void **state)
{
	(void)state;
	int blocks = 0;
	for (int f = 0; f < FORMATS; f++)
		blocks += format_table[f].kind == FORMAT_BLOCK;
	assert_int_equal(blocks, ROWS);
	for (int i = 0; i < ROWS; i++) {
		const struct row *r = &table[i];
		int f = format_named(r->name);
		assert_true(f >= 0);
		struct grid g = format_grid(f, false);
		assert_int_equal(format_table[f].bits, r->bits);
		assert_int_equal(format_table[f].block, r->block);
		assert_int_equal(format_table[f].tensor_bits, r->tensor_bits);
		assert_true(format_table[f].largest == r->largest && g.high == r->largest && g.low == -r->largest);
		assert_true(g.top == r->emax && g.fine == (r->tensor_bits > 0) && g.rule == BLOCK_SCALE_FLOOR);
		decode_element(r);
		assert_true(code[codes - 1] == r->largest && code[1] == r->least_subnormal);
		const double *all = strcmp(r->element, "e2m1") == 0 ? e2m1
			: strcmp(r->element, "e2m3") == 0           ? e2m3
			: strcmp(r->element, "e3m2") == 0           ? e3m2
								    : NULL;
		for (int c = 0; all && c < codes; c++)
			assert_true(code[c] == all[c]);
		assert_true(codes == 1 << (r->bits - 1) || strcmp(r->name, "mxfp8") == 0 || strcmp(r->name, "mxfp8-e5m2") == 0);
	}
}

// ---- rounding ----------------------------------------------------------------------------------------------

enum { MOST = 1 << 16 };
static float input[MOST], output[MOST], wanted[MOST];

static double e4m3_scale(double v, bool up)
{
	decode(4, 3, 448);
	double s = fmin(nearest(v), 448);
	for (int c = 0; up && s < v && c < codes; c++)
		s = code[c];
	return fmax(s, 0x1p-9);
}

static double error_of(double scale, const float *x, long n, long stride)
{
	double sum = 0;
	for (long i = 0; i < n; i++) {
		double d = (double)((float)scale * (float)nearest((double)(x[i * stride] / (float)scale)) - 0) -
			(double)x[i * stride];
		sum += d * d;
	}
	return sum;
}

// By the text: the exponent of the largest, less emax, within E8M0; e4m3 of the largest over 6 and the tensor's.
static float scale_by_text(const struct row *r, enum block_rule rule, float tensor, const float *x, long n, long stride)
{
	double top = 0, candidate[3];
	int count = 1, exponent;
	for (long i = 0; i < n; i++)
		top = fmax(top, (double)fabsf(x[i * stride]));
	if (r->tensor_bits) {
		double v = (double)((float)top / 6 / tensor), s = e4m3_scale(v, rule == BLOCK_SCALE_UP);
		candidate[0] = (double)((float)s * tensor);
		int at = 0;
		while (code[at] < s)
			at++;
		candidate[1] = (double)((float)code[at + 1 < codes ? at + 1 : at] * tensor);
		candidate[2] = (double)((float)code[at > 1 ? at - 1 : at] * tensor);
		count = rule == BLOCK_SCALE_SEARCH ? 3 : 1;
	} else {
		frexp(top, &exponent);
		exponent = top > 0 ? exponent - 1 - r->emax : -127;
		exponent = exponent < -127 ? -127 : exponent > 127 ? 127 : exponent;
		candidate[0] = ldexp(1, exponent);
		candidate[1] = ldexp(1, exponent < 127 ? exponent + 1 : 127);
		if (rule == BLOCK_SCALE_UP && top > r->largest * candidate[0])
			candidate[0] = candidate[1];
		count = rule == BLOCK_SCALE_SEARCH ? 2 : 1;
	}
	decode_element(r);
	double best = candidate[0];
	for (int k = 1; k < count; k++)
		if (error_of(candidate[k], x, n, stride) < error_of(best, x, n, stride))
			best = candidate[k];
	return (float)best;
}

static void round_by_text(const struct row *r, enum block_rule rule, float tensor, const float *x, float *y, long n, long stride)
{
	struct grid g = format_grid(format_named(r->name), false);
	g.rule = rule;
	for (long at = 0; at < n; at += r->block) {
		long count = n - at < r->block ? n - at : r->block;
		float scale = scale_by_text(r, rule, tensor, x + at * stride, count, stride);
		float plain = format_block_scale(&g, tensor, x + at * stride, count, stride);
		if (scale != plain)
			fail_msg("%s, rule %d: a block's scale is %a, not %a", r->name, (int)rule, (double)plain, (double)scale);
		for (long i = at; i < at + count; i++)
			y[i * stride] = scale * (float)nearest((double)(x[i * stride] / scale));
	}
}

// Blocks of many sizes, some of zeros; the last kinds reach to both ends of what a float can say.
static void fill(long rows, long c, int kind)
{
	for (long i = 0; i < rows * c; i++) {
		uint64_t at = (uint64_t)i, row = (uint64_t)(i / c);
		double size = kind < 2 ? 0 : kind == 2 ? 12 * rng_normal(5, row) : -140;
		input[i] = (float)(rng_normal(1, at) * exp2(size) * (kind == 1 && i % 7 ? .01 : 1));
		if (kind == 4)
			input[i] = (rng_bits(2, at) & 1 ? 1 : -1) * (i % 3 ? FLT_MAX : FLT_MAX / (float)(1 + i % 5));
		if (rng_bits(3, row) % 9 == 0 || (kind == 1 && rng_bits(4, at) % 11 == 0))
			input[i] = i % 2 ? 0.f : -0.f;
	}
}

static void compare(const char *how, const struct kernels *k, const char *name, int rule, long rows, long c)
{
	for (long i = 0; i < rows * c; i++) {
		if (isnan(output[i]))
			fail_msg("%s, %s, %s: no number came of %a", k->name, name, how, (double)input[i]);
		if (output[i] != wanted[i])
			fail_msg("%s, %s, %s, rule %d, %ld x %ld at %ld: %a became %a, not %a", k->name, name, how, rule, rows, c,
				i, (double)input[i], (double)output[i], (double)wanted[i]);
	}
	assert_true(output[rows * c] == 12345);
}

static void kernels_by_the_text(void **state)
{
	(void)state;
	static const long widths[] = {1, 3, 8, 16, 17, 24, 31, 32, 33, 48, 64, 100};
	for (int i = 0; i < ROWS; i++)
		for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
			for (int kind = 0; kind < 5; kind++) {
				const struct row *r = &table[i];
				const long c = widths[w], rows = 70 + kind;
				const int f = format_named(r->name), rule = (kind + (int)w) % 3;
				struct grid g = format_grid(f, false);
				g.rule = (enum block_rule)rule;
				fill(rows, c, kind);
				float tensor = format_scale(f, &g, kernels_all()[0]->peak(input, rows * c));
				for (int down = 0; down < 2; down++) {
					for (long line = 0; line < (down ? c : rows); line++) {
						long from = down ? line : line * c;
						round_by_text(r, g.rule, tensor, input + from, wanted + from, down ? rows : c,
							down ? c : 1);
					}
					for (const struct kernels *const *k = kernels_all(); *k; k++) {
						memcpy(output, input, (size_t)(rows * c) * sizeof *output);
						output[rows * c] = 12345;
						(down ? (*k)->round_block_columns : (*k)->round_blocks)(&g, tensor, output, rows,
							c);
						compare(down ? "down" : "across", *k, r->name, rule, rows, c);
					}
				}
			}
}

// What the elements say exactly, in whatever binade the block is, stays as it is.
static void exact_numbers_stay(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++)
		for (int power = -100; power <= 100; power += 20) {
			struct grid g = format_grid(format_named(table[i].name), false);
			decode_element(&table[i]);
			for (int c = 0; c < codes; c++) {
				float block[2] = {(float)ldexp(code[codes - 1], power), (float)ldexp(-code[c], power)},
				      tensor = 1;
				if (g.fine)
					tensor = (float)ldexp(1, power);
				for (const struct kernels *const *k = kernels_all(); *k; k++) {
					float y[2] = {block[0], block[1]};
					(*k)->round_blocks(&g, tensor, y, 1, 2);
					assert_true(y[0] == block[0] && y[1] == block[1]);
				}
			}
		}
}

static void zeros_and_strangers(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++)
		for (int rule = 0; rule < 3; rule++)
			for (const struct kernels *const *k = kernels_all(); *k; k++) {
				struct grid g = format_grid(format_named(table[i].name), false);
				g.rule = (enum block_rule)rule;
				float zeros[40] = {0}, odd[40] = {1, NAN, 3};
				(*k)->round_blocks(&g, format_scale(format_named(table[i].name), &g, 0), zeros, 1, 40);
				for (int j = 0; j < 40; j++)
					assert_true(zeros[j] == 0);
				(*k)->round_blocks(&g, 1, odd, 1, 40); // what is no number is not hidden
				assert_true(isnan(odd[1]) && !isnan(odd[0]) && !isnan(odd[39]));
			}
}

// ---- whatever comes ----

// Bits of any float, of floats near one size, or of few sizes; now and then none, no number, or one without end.
static float any_float(uint64_t key, uint64_t at, int kind)
{
	const uint64_t bits = rng_bits(key, at);
	uint32_t b = (uint32_t)bits;
	float v;
	if (kind == 0)
		b = bits >> 32 & 7 ? b & 0xbfffffff : b & 0x807fffff; // of any size; or subnormal
	memcpy(&v, &b, sizeof v);
	if (kind == 1)
		return (float)ldexp((double)(int32_t)b, (int)(rng_bits(key, ~(uint64_t)0) % 250) - 150);
	if (kind == 2)
		return (float)((int32_t)b % 9) * 0x1p-149f;
	if (kind == 3)
		return (b & 1 ? -1 : 1) * (b & 2 ? FLT_MAX : b & 4 ? FLT_MAX / 3 : 0x1p127f);
	if (kind == 4 && b % 5)
		return b & 8 ? 0.f : -0.f;
	if (kind == 5 && b % 61 == 0)
		return b & 64 ? NAN : b & 128 ? INFINITY : -INFINITY;
	return isnan(v) ? copysignf(NAN, v) : v; // as arithmetic makes it: further bits would carry into the sign
}

// By the text where all are numbers. Else what is no number stays so, and no other becomes so.
static void check_any(const struct kernels *k, const struct row *r, enum block_rule rule, float tensor, long rows, long c,
	bool down)
{
	const long length = down ? rows : c, stride = down ? c : 1;
	for (long line = 0; line < (down ? c : rows); line++) {
		const long from = down ? line : line * c;
		for (long at = 0; at < length; at += r->block) {
			const long n = length - at < r->block ? length - at : r->block, first = from + at * stride;
			bool finite = true;
			for (long i = 0; i < n; i++)
				finite &= isfinite(input[first + i * stride]);
			if (finite)
				round_by_text(r, rule, tensor, input + first, wanted + first, n, stride);
			for (long i = first; i < first + n * stride; i += stride) {
				if (isnan(output[i]) != isnan(input[i]))
					fail_msg("%s, %s, rule %d: %a became %a", k->name, r->name, (int)rule, (double)input[i],
						(double)output[i]);
				if (finite && output[i] != wanted[i])
					fail_msg("%s, %s, rule %d, %ld x %ld%s: %a became %a, not %a", k->name, r->name,
						(int)rule, rows, c, down ? " down" : "", (double)input[i], (double)output[i],
						(double)wanted[i]);
			}
		}
	}
}

// LONG: for some minutes.
static void whatever_comes(void **state)
{
	(void)state;
	const char *lasts = getenv("LONG");
	const uint64_t rounds = lasts && lasts[0] ? 100000 : 500;
	for (uint64_t t = 0; t < rounds; t++) {
		const uint64_t draw = rng_bits(11, t);
		const struct row *r = &table[draw % ROWS];
		const long rows = 1 + (long)(draw >> 8) % 70, c = 1 + (long)(draw >> 16) % 70;
		const int kind = (int)(draw >> 24) % 6;
		const bool down = draw >> 32 & 1;
		struct grid g = format_grid(format_named(r->name), false);
		g.rule = (enum block_rule)((draw >> 34) % 3);
		for (long i = 0; i < rows * c; i++)
			input[i] = any_float(t, (uint64_t)i, kind);
		float peak = 0, tensor;
		for (long i = 0; i < rows * c; i++)
			peak = isfinite(input[i]) ? fmaxf(peak, fabsf(input[i])) : peak;
		// Of this tensor, or as a calibration on others gave it.
		tensor = format_scale(format_named(r->name), &g,
			draw >> 36 & 1 ? peak : ldexpf(1, (int)(draw >> 40) % 200 - 100));
		for (const struct kernels *const *k = kernels_all(); *k; k++) {
			memcpy(output, input, (size_t)(rows * c) * sizeof *output);
			(down ? (*k)->round_block_columns : (*k)->round_blocks)(&g, tensor, output, rows, c);
			check_any(*k, r, g.rule, tensor, rows, c, down);
		}
	}
}

// ---- peers -------------------------------------------------------------------------------------------------

// Numbers that other programs rounded: tests/peers/blocks.py wrote the file, with their versions in its first line. BLOCKS_VALUES names
// a longer one (make check-peers).
static void peers_agree(void **state)
{
	(void)state;
	const char *path = getenv("BLOCKS_VALUES");
	FILE *file = fopen(path ? path : "tests/peers/blocks.values", "r");
	char line[256], peer[32], name[32], rule[16];
	long rows, c, lists = 0, numbers = 0, differ = 0;
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_non_null(strstr(line, "ml_dtypes"));
	print_message("%s", line);
	while (fscanf(file, "%31s %31s %15s %ld %ld", peer, name, rule, &rows, &c) == 5) {
		struct grid g = format_grid(format_named(name), false);
		assert_true(format_named(name) >= 0 && rows * c < MOST);
		g.rule = strcmp(rule, "up") == 0 ? BLOCK_SCALE_UP : BLOCK_SCALE_FLOOR;
		for (long r = 0; r < rows; r++)
			for (long i = 0; i < 2 * c; i++) {
				unsigned bits;
				assert_int_equal(fscanf(file, "%8x", &bits), 1);
				memcpy(i < c ? &input[r * c + i] : &wanted[r * c + i - c], &bits, 4);
			}
		float tensor = format_scale(format_named(name), &g, kernels_all()[0]->peak(input, rows * c));
		for (const struct kernels *const *k = kernels_all(); *k; k++) {
			memcpy(output, input, (size_t)(rows * c) * sizeof *output);
			(*k)->round_blocks(&g, tensor, output, rows, c);
			for (long i = 0; i < rows * c; i++)
				if (output[i] != wanted[i] && differ++ < 5)
					print_message("%s, %s, %s, %ld numbers: %a became %a, not %a\n", peer, name, rule, c,
						(double)input[i], (double)output[i], (double)wanted[i]);
		}
		lists++;
		numbers += rows * c;
	}
	assert_true(feof(file) && lists > 100);
	fclose(file);
	print_message("%ld numbers by peers, %ld differ\n", numbers, differ);
	assert_int_equal(differ, 0);
}

// ---- storage -----------------------------------------------------------------------------------------------

static void bits_of_scales(void **state)
{
	(void)state;
	int mxfp4 = format_named("mxfp4"), nvfp4 = format_named("nvfp4"), int4 = format_named("int4");
	for (int i = 0; i < ROWS; i++) {
		const char *element = format_element(format_named(table[i].name));
		assert_string_equal(element, table[i].element[0] ? table[i].element : "int8");
	}
	assert_null(format_element(int4));
	assert_true(format_whole_bits(mxfp4) == 4.25 && format_whole_bits(nvfp4) == 4.5 && format_whole_bits(int4) == 4);
	assert_true(format_scale_bits(mxfp4, 10, 64) == 160 && format_scale_bits(mxfp4, 10, 65) == 240);
	assert_true(format_scale_bits(nvfp4, 10, 64) == 320 + 32 && format_scale_bits(int4, 10, 64) == 320);
	assert_true(format_stored_bits(mxfp4, 8) == 5 && format_stored_bits(mxfp4, 33) == 4 + 16 / 33. &&
		format_stored_bits(int4, 3) == 4);
}

static double cost_of_one(const struct model *m, const char *term, const char *format)
{
	struct fault f = {0};
	struct layer_plan layer[64];
	assert_true(m->layers <= 64 && format_named(format) >= 0);
	for (int l = 0; l < m->layers; l++)
		layer[l].weight = layer[l].activation = format_named(format);
	struct plan plan = {.model = m, .layer = layer};
	struct tariff *t = tariff_new(m, term, 0, &f);
	struct cost *c = t ? cost_of(t, &plan, &f) : NULL;
	if (!c)
		fail_msg("%s: %s", term, f.what);
	double total = cost_uniform_total(c, format_named(format));
	cost_free(c);
	tariff_free(t);
	return total;
}

// resnet8 on 32 x 32 x 3: sizes count the scales of its blocks, bit operations do not.
static void prices(void **state)
{
	(void)state;
	struct fault f = {0};
	struct model *m = model_named("resnet8", (struct shape){32, 32, 3}, 10, &f);
	assert_non_null(m);
	double bits = 0, outputs = 0, weights = 0;
	for (int l = 0; l < m->layers; l++) {
		bits += 8 * m->layer[l].out.c * ceil(m->layer[l].weights / m->layer[l].out.c / 32);
		outputs += m->layer[l].out.c;
		weights += m->layer[l].weights;
	}
	assert_true(cost_of_one(m, "size", "mxfp4") == weights / 2 + bits / 8 + 4 * outputs);
	assert_true(cost_of_one(m, "size", "mxfp8") - cost_of_one(m, "size", "mxfp4") == weights / 2);
	assert_true(cost_of_one(m, "size", "e2m1") == weights / 2 + 8 * outputs);
	assert_true(cost_of_one(m, "bops", "mxfp4") == cost_of_one(m, "bops", "e2m1"));
	assert_true(cost_of_one(m, "bops", "nvfp4") == cost_of_one(m, "bops", "int4"));
	assert_true(cost_of_one(m, "activations", "mxfp4") > cost_of_one(m, "activations", "e2m1"));
	assert_true(cost_of_one(m, "activations", "mxfp4") < 1.3 * cost_of_one(m, "activations", "e2m1"));
	assert_true(cost_of_one(m, "latency@b200", "mxfp4") < cost_of_one(m, "latency@b200", "mxfp8"));
	assert_true(cost_of_one(m, "latency@h100", "mxfp8") >= cost_of_one(m, "latency@h100", "e4m3")); // runs as bf16
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(kernels_by_the_text),
		cmocka_unit_test(exact_numbers_stay),
		cmocka_unit_test(zeros_and_strangers),
		cmocka_unit_test(whatever_comes),
		cmocka_unit_test(peers_agree),
		cmocka_unit_test(bits_of_scales),
		cmocka_unit_test(prices),
	};
	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}

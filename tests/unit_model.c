// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptions of networks against shapes, MACs and weights worked out by hand; costs, targets, spaces.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/cost.h"
#include "engine/model/model.h"
#include "engine/quant/format.h"
#include "engine/space/space.h"

static struct model *model_of(const char *name, int size, int channels, int classes)
{
	struct fault f = {0};
	char line[512];
	struct model *m = model_named(name, (struct shape){size, size, channels}, classes, &f);
	if (!m)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return m;
}

// ---- networks ----------------------------------------------------------------------------------------------------

struct row {
	const char *name;
	double in, out; // numbers of input activations and of outputs
	double weights, macs;
};

// Weights: kernel * kernel * channels in * channels out. MACs: weights * pixels out.
#define CONV(name, size_in, from, size_out, to, kernel)                                               \
	{name, size_in * size_in * from, size_out * size_out * to, kernel * kernel * from * to,        \
		kernel * kernel * from * to * size_out * size_out}
static const struct row resnet8[] = {
	CONV("stem", 32, 3, 32, 16, 3),          //   432 *  1024 =   442,368
	CONV("s1b1.conv1", 32, 16, 32, 16, 3),   //  2304 *  1024 = 2,359,296
	CONV("s1b1.conv2", 32, 16, 32, 16, 3),   //  2304 *  1024 = 2,359,296
	CONV("s2b1.conv1", 32, 16, 16, 32, 3),   //  4608 *   256 = 1,179,648
	CONV("s2b1.conv2", 16, 32, 16, 32, 3),   //  9216 *   256 = 2,359,296
	CONV("s2b1.skip", 32, 16, 16, 32, 1),    //   512 *   256 =   131,072
	CONV("s3b1.conv1", 16, 32, 8, 64, 3),    // 18432 *    64 = 1,179,648
	CONV("s3b1.conv2", 8, 64, 8, 64, 3),     // 36864 *    64 = 2,359,296
	CONV("s3b1.skip", 16, 32, 8, 64, 1),     //  2048 *    64 =   131,072
	{"head", 64, 10, 640, 640},
};
static const struct row resnet20[] = {
	CONV("stem", 32, 3, 32, 16, 3),
	CONV("s1b1.conv1", 32, 16, 32, 16, 3), CONV("s1b1.conv2", 32, 16, 32, 16, 3),
	CONV("s1b2.conv1", 32, 16, 32, 16, 3), CONV("s1b2.conv2", 32, 16, 32, 16, 3),
	CONV("s1b3.conv1", 32, 16, 32, 16, 3), CONV("s1b3.conv2", 32, 16, 32, 16, 3),
	CONV("s2b1.conv1", 32, 16, 16, 32, 3), CONV("s2b1.conv2", 16, 32, 16, 32, 3), CONV("s2b1.skip", 32, 16, 16, 32, 1),
	CONV("s2b2.conv1", 16, 32, 16, 32, 3), CONV("s2b2.conv2", 16, 32, 16, 32, 3),
	CONV("s2b3.conv1", 16, 32, 16, 32, 3), CONV("s2b3.conv2", 16, 32, 16, 32, 3),
	CONV("s3b1.conv1", 16, 32, 8, 64, 3), CONV("s3b1.conv2", 8, 64, 8, 64, 3), CONV("s3b1.skip", 16, 32, 8, 64, 1),
	CONV("s3b2.conv1", 8, 64, 8, 64, 3), CONV("s3b2.conv2", 8, 64, 8, 64, 3),
	CONV("s3b3.conv1", 8, 64, 8, 64, 3), CONV("s3b3.conv2", 8, 64, 8, 64, 3),
	{"head", 64, 10, 640, 640},
};

static const struct net {
	const char *name;
	const struct row *row;
	int rows;
	double macs, weights, parameters, channels; // channels: outputs' channels of all layers
} nets[] = {
	// MACs: the sum of the table. Parameters: weights + 10 biases of the head + 2 a channel of each of three norms per stage.
	{"resnet8", resnet8, sizeof resnet8 / sizeof resnet8[0], 12501632, 77360, 77360 + 10 + 2 * 3 * (16 + 32 + 64),
		3 * (16 + 32 + 64) + 10},
	// 442368 + 6*2359296 + 2*(1179648 + 5*2359296 + 131072) + 640; weights 432 + 13824 + 51200 + 204800 + 640
	{"resnet20", resnet20, sizeof resnet20 / sizeof resnet20[0], 40813184, 270896, 270896 + 10 + 2 * 7 * (16 + 32 + 64),
		7 * (16 + 32 + 64) + 10},
};

static void networks_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		struct model *m = model_of(nets[i].name, 32, 3, 10);
		assert_string_equal(m->name, nets[i].name);
		assert_int_equal(m->layers, nets[i].rows);
		assert_int_equal(m->classes, 10);
		double macs = 0, weights = 0;
		for (int l = 0; l < m->layers; l++) {
			const struct layer *got = &m->layer[l];
			const struct row *want = &nets[i].row[l];
			assert_string_equal(got->name, want->name);
			assert_true(got->activations == want->in);
			assert_true((double)got->in.h * got->in.w * got->in.c == want->in);
			assert_true((double)got->out.h * got->out.w * got->out.c == want->out);
			assert_true(got->weights == want->weights && got->macs == want->macs);
			assert_true(got->biases == (strcmp(want->name, "head") == 0 ? 10 : 0));
			assert_int_equal(got->positive, l > 0); // but for the stem, all read what a rectifier left
			assert_int_equal(m->op[got->op].layer, l);
			macs += want->macs;
			weights += want->weights;
		}
		assert_true(macs == nets[i].macs && m->macs == nets[i].macs);
		assert_true(weights == nets[i].weights);
		assert_true(m->parameters == nets[i].parameters);
		model_free(m);
	}
}

// Operators read only operators before them, and what is added has one shape.
static void wiring(void **state)
{
	(void)state;
	for (const char *const *name = model_names(); *name; name++)
		for (int size = 1; size <= 33; size += 8) {
			struct model *m = model_of(*name, size, 1, 7);
			for (int i = 1; i < m->ops; i++) {
				const struct op *op = &m->op[i];
				for (int k = 0; k < op->inputs; k++)
					assert_in_range(op->in[k], 0, i - 1);
				if (op->kind == OP_ADD) {
					struct shape a = m->op[op->in[0]].out, b = m->op[op->in[1]].out;
					assert_true(a.h == b.h && a.w == b.w && a.c == b.c);
				}
			}
			assert_int_equal(m->op[m->ops - 1].out.c, 7);
			model_free(m);
		}
}

static void networks_that_cannot_be(void **state)
{
	(void)state;
	static const char *const names[] = {"", "resnet", "resnet8 ", "RESNET8", "resnet80000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct fault f = {0};
		assert_null(model_named(names[i], (struct shape){32, 32, 3}, 10, &f));
		assert_true(f.what[0] && f.todo[0]);
	}
	struct fault f = {0};
	assert_null(model_named("resnet8", (struct shape){0, 32, 3}, 10, &f));
	assert_non_null(strstr(f.what, "too small"));
	assert_null(model_finish(NULL, &f));
	model_free(NULL);
}

// ---- costs ---------------------------------------------------------------------------------------------------------

static void uniform_costs(void **state)
{
	(void)state;
	int bops = cost_named("bops"), linear = cost_named("bops-linear"), size = cost_named("size");
	assert_true(bops == 0 && linear > 0 && size > 0);
	assert_int_equal(cost_named("bop"), -1);
	assert_int_equal(cost_named(""), -1);
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		struct model *m = model_of(nets[i].name, 32, 3, 10);
		for (int f = 0; f < FORMATS; f++) {
			double bits = format_table[f].bits;
			assert_true(cost_uniform(bops, m, f) == nets[i].macs * bits * bits);
			assert_true(cost_uniform(linear, m, f) == nets[i].macs * bits);
			// An fp32 scale and an fp32 bias per output channel.
			assert_true(cost_uniform(size, m, f) == nets[i].weights * bits / 8 + 8 * nets[i].channels);
		}
		model_free(m);
	}
	// 12,501,632 MAC * 16 = 200.0 M bit operations at 4 bit
	struct model *m = model_of("resnet8", 32, 3, 10);
	assert_true(cost_uniform(bops, m, format_named("int4")) == 200026112);
	assert_true(cost_uniform(bops, m, format_named("e2m1")) == 200026112);
	assert_true(cost_uniform(size, m, format_named("int4")) == 38680 + 2768);
	model_free(m);
}

static void costs_of_mixed_plans(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 32, 3, 10);
	struct layer_plan layer[10];
	struct plan plan = {m, layer};
	double part[10], macs = 12501632;
	for (int l = 0; l < 10; l++)
		layer[l].weight = layer[l].activation = format_named("int4");
	layer[0] = (struct layer_plan){format_named("int8"), format_named("e5m2")}; // 64 a MAC
	layer[9] = (struct layer_plan){format_named("int2"), format_named("bf16")}; // 32 a MAC, linear 16
	assert_true(cost_price(cost_named("bops"), &plan, part) == macs * 16 + 442368 * (64 - 16) + 640 * (32 - 16));
	assert_true(part[0] == 442368. * 64 && part[1] == 2359296. * 16 && part[9] == 640. * 32);
	assert_true(cost_price(cost_named("bops-linear"), &plan, NULL) == macs * 4 + 442368 * (8 - 4) + 640 * (16 - 4));
	assert_true(cost_price(cost_named("size"), &plan, part) == 77360 * .5 + 432 * .5 - 640 * .25 + 8 * 346);
	assert_true(part[0] == 432 + 8 * 16 && part[9] == 160 + 8 * 10);
	model_free(m);
}

static void targets(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 32, 3, 10);
	const double MACS = 12501632, WIDEST = MACS * 64;
	static const struct target {
		const char *text;
		double value;
	} good[] = {
		{"int4", MACS * 16}, {"int3", MACS * 9}, {"e4m3", MACS * 64}, {"fp32", MACS * 1024}, {"1x", WIDEST}, {"0.5x", WIDEST / 2},
		{".25x", WIDEST / 4}, {"2x", WIDEST * 2}, {"1", 1}, {"1e6", 1e6}, {"200M", 200e6}, {"1.5G", 1.5e9}, {"3k", 3e3}, {"3K", 3e3}, {"2T", 2e12},
		{"+5M", 5e6},
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct fault f = {0};
		double value = -1;
		assert_true(cost_target(0, m, WIDEST, good[i].text, &value, &f));
		if (value != good[i].value)
			fail_msg("%s is %.17g, not %.17g", good[i].text, value, good[i].value);
	}
	static const char *const bad[] = {"", " ", "x", "0", "0x", "-1", "-0.5x", "0.5 x", "0.5xx", "nan", "nanx", "inf", "infx", "-inf", "1e999",
		"1e308T", "1e308x", "int", "int9", "INT4", "int4x", "int4,int8", "1.2.3", "5MM", "5m", "5 M", "M", "1e", "%s%s%n", "\x1b[2J", "\xff\xfe", "--1",
		"1;2", "0.0M"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault f = {0};
		double value = -1;
		if (cost_target(0, m, WIDEST, bad[i], &value, &f))
			fail_msg("\"%s\" is a target of %g", bad[i], value);
		assert_true(value == -1);
		assert_true(f.where[0] && f.what[0] && f.todo[0]);
		for (const char *c = f.what; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 127);
	}
	char *endless = malloc(100001);
	assert_non_null(endless);
	for (int digit = 0; digit < 2; digit++) {
		struct fault f = {0};
		double value = -1;
		memset(endless, digit ? '9' : 'i', 100000);
		endless[100000] = 0;
		assert_false(cost_target(0, m, WIDEST, endless, &value, &f));
		assert_true(value == -1);
	}
	free(endless);
	model_free(m);
}

// ---- spaces -----------------------------------------------------------------------------------------------------------

static void expect_space(const struct model *m, const char *spec, const char *formats)
{
	struct fault f = {0};
	char line[512], got[512] = "";
	struct space *s = space_new(m, spec, &f);
	if (!s)
		fail_msg("%s: %s", spec, fault_line(&f, line, sizeof line));
	assert_int_equal(s->decisions, m->layers);
	for (int o = 0; o < s->decision[0].options; o++) {
		size_t used = strlen(got);
		snprintf(got + used, sizeof got - used, "%s%s", o ? "," : "", format_table[s->decision[0].format[o]].name);
	}
	assert_string_equal(got, formats);
	for (int d = 0; d < s->decisions; d++) {
		assert_string_equal(s->decision[d].name, m->layer[d].name);
		assert_int_equal(s->weight_decision[d], d);
		assert_int_equal(s->activation_decision[d], d);
		for (int o = 0; o < s->decision[d].options; o++)
			assert_int_equal(space_option(s, d, s->decision[d].format[o]), o);
		assert_int_equal(space_option(s, d, format_named("fp32")), strstr(formats, "fp32") ? s->decision[d].options - 1 : -1);
	}
	space_free(s);
}

static void spaces(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 16, 3, 10);
	expect_space(m, "int-s", "int4,int8");
	expect_space(m, "int-l", "int4,int5,int6,int7,int8");
	expect_space(m, "fp-s", "e2m1,e4m3");
	expect_space(m, "fp-l", "e2m1,e2m2,e3m1,e2m3,e3m2,e2m4,e3m3,e4m2,e4m3");
	expect_space(m, "wide", "int2,int3,int4,int5,int6,int7,int8");
	// A list, in any order and with repetitions, comes out narrowest first.
	expect_space(m, "int8,e4m3,int4,int8,int4", "int4,int8,e4m3");
	expect_space(m, "fp32", "fp32");
	expect_space(m, "fp32,bf16,fp16,int16,int2", "int2,int16,bf16,fp16,fp32");
	expect_space(m, "e1m2,int3", "int3,e1m2");
	char all[256] = "", repeated[4096] = "";
	for (int f = 0; f < FORMATS; f++)
		if (strcmp(format_table[f].name, "e1m2") != 0) {
			size_t used = strlen(all);
			snprintf(all + used, sizeof all - used, "%s%s", f ? "," : "", format_table[f].name);
		}
	expect_space(m, all, all);
	for (int i = 0; i < 800; i++) {
		size_t used = strlen(repeated);
		snprintf(repeated + used, sizeof repeated - used, "%sint5", i ? "," : "");
	}
	expect_space(m, repeated, "int5");
	model_free(m);
}

static void named_spaces(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 16, 3, 10);
	for (int i = 0; i < SPACE_NAMES; i++) {
		struct fault f;
		double target = 0;
		struct space *s = space_new(m, space_names[i].name, &f);
		assert_non_null(s);
		// Its usual target lies between the cost of its narrowest and its widest choice.
		double low = cost_uniform(0, m, s->decision[0].format[0]);
		double high = cost_uniform(0, m, s->decision[0].format[s->decision[0].options - 1]);
		assert_true(cost_target(0, m, high, space_names[i].target, &target, &f));
		assert_true(low < target && target < high);
		space_free(s);
	}
	model_free(m);
}

static void spaces_that_cannot_be(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 16, 3, 10);
	static const char *const bad[] = {"", ",", "int4,,int8", "int4 int8", "int4, int8", "wide,int8", "int4,wide", "int1", "int9", "Int4", "int4x", "all",
		"int4,e1m2", "e1m2,int2,int4", "%s", "int4\n", "\x1b[31m", "abcdefghijabcdefghijabcdefghijabcdefghij"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault f = {0};
		if (space_new(m, bad[i], &f))
			fail_msg("\"%s\" is a space", bad[i]);
		assert_true(f.where[0] && f.what[0] && f.todo[0]);
	}
	char *endless = malloc(200001);
	assert_non_null(endless);
	struct fault f = {0};
	memset(endless, 'e', 200000);
	endless[200000] = 0;
	assert_null(space_new(m, endless, &f));
	for (int i = 0; i < 200000; i++) // the last of many is none
		endless[i] = "int4,"[i % 5];
	endless[199999] = '9';
	assert_null(space_new(m, endless, &f));
	assert_true(f.what[0]);
	free(endless);
	space_free(NULL);
	model_free(m);
}

static void choices_become_plans(void **state)
{
	(void)state;
	struct model *m = model_of("resnet8", 16, 3, 10);
	struct fault f;
	struct space *s = space_new(m, "int4,int8,e4m3", &f);
	assert_non_null(s);
	uint8_t choice[10] = {0, 1, 2, 2, 1, 0, 0, 1, 2, 1};
	struct layer_plan layer[10];
	struct plan plan = {NULL, layer};
	static const char *const names[] = {"int4", "int8", "e4m3"};
	space_plan(s, choice, &plan);
	assert_ptr_equal(plan.model, m);
	for (int l = 0; l < 10; l++) {
		assert_int_equal(layer[l].weight, format_named(names[choice[l]]));
		assert_int_equal(layer[l].activation, layer[l].weight);
	}
	space_free(s);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_by_hand),
		cmocka_unit_test(wiring),
		cmocka_unit_test(networks_that_cannot_be),
		cmocka_unit_test(uniform_costs),
		cmocka_unit_test(costs_of_mixed_plans),
		cmocka_unit_test(targets),
		cmocka_unit_test(spaces),
		cmocka_unit_test(named_spaces),
		cmocka_unit_test(spaces_that_cannot_be),
		cmocka_unit_test(choices_become_plans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

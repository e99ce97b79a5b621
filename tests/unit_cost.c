// SPDX-License-Identifier: GPL-3.0-or-later
// Devices and cost terms against figures worked out by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <malloc.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cost/cost.h"
#include "engine/hardware/device.h"
#include "engine/hardware/measured.h"
#include "engine/hardware/silicon.h"
#include "engine/quant/format.h"

enum { LAYERS = 128 };

// ---- surroundings ----

static void near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * fabs(want)))
		fail_msg("%.17g, not %.17g", got, want);
}

// A file with this text; removed by the next call and at the end.
static const char *file_of(const char *text, const char *ending)
{
	static char path[256] = "";
	if (path[0])
		unlink(path);
	path[0] = 0;
	if (!text)
		return NULL;
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/bitscape-cost-%ld%s", folder ? folder : "/tmp", (long)getpid(), ending);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static int remove_file(void **state)
{
	(void)state;
	file_of(NULL, "");
	return 0;
}

static struct cost *term_of(const struct model *m, const char *term, int batch)
{
	struct fault f = {0};
	char line[800];
	struct cost *c = cost_new(m, term, batch, &f);
	if (!c)
		fail_msg("%s: %s", term, fault_line(&f, line, sizeof line));
	return c;
}

// A term on a small device with these figures instead of its own: 1, 2 and 4 Tops/s for bf16, int8 and int4, 0.1 on the vector
// unit, 10 GB/s, nothing on chip, tiles of 64 x 24.
static struct cost *toy(const struct model *m, const char *term, const char *others, int batch)
{
	char text[2048], name[512];
	snprintf(text, sizeof text,
		"{\"bitscape-device\": 1, \"name\": \"toy\", \"source\": \"made up\", \"peaks\": {\"bf16\": 1, \"int8\": 2, \"int4\": 4},\n"
		"\"vector\": 0.1, \"inner\": {\"bf16\": 64, \"int8\": 64, \"int4\": 64},\n"
		"\"outer\": {\"bf16\": 24, \"int8\": 24, \"int4\": 24}%s}",
		others);
	snprintf(name, sizeof name, "%s@%s", term, file_of(text, ".json"));
	return term_of(m, name, batch);
}

static struct model *finished(struct model *m)
{
	struct fault f = {0};
	struct model *done = model_finish(m, &f);
	if (!done)
		fail_msg("%s", f.what);
	return done;
}

// 3x3 from 8x8x16 to 8x8x32.
static struct model *one_conv(void)
{
	struct model *m = model_new("one", (struct shape){8, 8, 16}, 10);
	model_norm(m, model_conv(m, "conv", 0, 32, window_of(3, 1), 1, false), ACT_RELU);
	return finished(m);
}

static struct model *residual_block(void)
{
	struct model *m = model_new("block", (struct shape){8, 8, 3}, 10);
	int x = model_norm(m, model_conv(m, "stem", 0, 16, window_of(3, 1), 1, false), ACT_RELU);
	int y = model_norm(m, model_conv(m, "conv1", x, 16, window_of(3, 1), 1, false), ACT_RELU);
	y = model_norm(m, model_conv(m, "conv2", y, 16, window_of(3, 1), 1, false), ACT_NONE);
	model_linear(m, "head", model_pool(m, model_add(m, y, x, ACT_RELU)), 10);
	return finished(m);
}

// Squeeze and excite, depthwise and grouped convolutions, concatenation, windows, tokens, attention, layer norm.
static struct model *everything(void)
{
	struct model *m = model_new("everything", (struct shape){16, 16, 3}, 10);
	int x = model_norm(m, model_conv(m, "stem", 0, 16, window_of(3, 2), 1, false), ACT_SWISH);
	int y = model_norm(m, model_conv(m, "depthwise", x, 16, window_of(3, 1), 16, false), ACT_SWISH);
	int gate = model_act(m, model_linear(m, "squeeze", model_pool(m, y), 4), ACT_RELU);
	gate = model_act(m, model_linear(m, "excite", gate, 16), ACT_SIGMOID);
	y = model_norm(m, model_conv(m, "project", model_scale(m, y, gate), 16, window_of(1, 1), 1, false), ACT_NONE);
	x = model_add(m, x, y, ACT_NONE);
	y = model_conv(m, "grouped", model_norm(m, x, ACT_RELU), 32, window_of(3, 1), 4, true);
	x = model_concat(m, (int[]){x, y, model_window(m, OP_MAXIMUM, x, window_of(3, 1))}, 3);
	x = model_tokens(m, model_conv(m, "patches", x, 24, window_of(3, 2), 1, true));
	y = model_linear(m, "qkv", model_layernorm(m, x), 72);
	x = model_add(m, x, model_linear(m, "out", model_attention(m, y, 3), 24), ACT_NONE);
	y = model_act(m, model_linear(m, "up", model_layernorm(m, x), 96), ACT_GELU);
	x = model_add(m, x, model_linear(m, "down", y, 24), ACT_NONE);
	model_linear(m, "head", model_first(m, model_layernorm(m, x)), 10);
	return finished(m);
}

static struct plan even(const struct model *m, struct layer_plan *layer, const char *weight, const char *activation)
{
	for (int l = 0; l < m->layers; l++)
		layer[l] = (struct layer_plan){format_named(weight), format_named(activation)};
	return (struct plan){.model = m, .layer = layer};
}

// ---- devices ----

static struct device device(const char *name)
{
	struct device d;
	struct fault f = {0};
	if (!device_get(name, &d, &f))
		fail_msg("%s: %s", name, f.what);
	return d;
}

// Every format by itself. A number format is integers times a unit; e2m1, say, is 0 1 2 3 4 6 8 12 halves: int8 holds them, int4
// (to 7) does not; e3m1 reaches 192 eighths. fp8 takes 4 binary digits within e4m3's range, or 3 within e5m2's; bf16 8, fp16 11.
static void native_types(void **state)
{
	(void)state;
	// The formats, and what each runs as, in the order of the formats' table.
	static const struct row {
		const char *device, *native;
	} rows[] = {
		{"formats",
			"int2 int3 int4 e2m1 e1m2 mxfp4 nvfp4 int5 e2m2 e3m1 int6 "
			"e2m3 e3m2 mxfp6 mxfp6-e3m2 int7 e2m4 e3m3 e4m2 int8 e3m4 "
			"e4m3 e5m2 mxint8 mxfp8 mxfp8-e5m2 int16 bf16 fp16 fp32"},
		{"tpu_v3",
			"bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 "
			"bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 "
			"bf16 bf16 bf16 bf16 bf16 fp32 bf16 fp32 fp32"},
		{"tpu_v4",
			"int8 int8 int8 int8 int8 bf16 bf16 int8 int8 bf16 int8 "
			"int8 bf16 bf16 bf16 int8 int8 bf16 bf16 int8 bf16 "
			"bf16 bf16 bf16 bf16 bf16 fp32 bf16 fp32 fp32"},
		{"tpu_v5p",
			"int4 int4 int4 int8 int4 bf16 bf16 int8 int8 e5m2 int8 "
			"int8 e5m2 bf16 bf16 int8 int8 e4m3 e5m2 int8 bf16 "
			"e4m3 e5m2 bf16 bf16 bf16 fp32 bf16 fp32 fp32"},
		{"v100",
			"fp16 fp16 fp16 fp16 fp16 fp32 fp16 fp16 fp16 fp16 fp16 "
			"fp16 fp16 fp32 fp32 fp16 fp16 fp16 fp16 fp16 fp16 "
			"fp16 fp16 fp32 fp32 fp32 fp32 fp32 fp16 fp32"},
		{"t4",
			"int4 int4 int4 int8 int4 fp32 fp16 int8 int8 fp16 int8 "
			"int8 fp16 fp32 fp32 int8 int8 fp16 fp16 int8 fp16 "
			"fp16 fp16 fp32 fp32 fp32 fp32 fp32 fp16 fp32"},
		{"a100",
			"int4 int4 int4 int8 int4 bf16 fp16 int8 int8 fp16 int8 "
			"int8 fp16 bf16 bf16 int8 int8 fp16 fp16 int8 fp16 "
			"fp16 fp16 bf16 bf16 bf16 fp32 bf16 fp16 fp32"},
		{"h100",
			"int8 int8 int8 int8 int8 bf16 fp16 int8 int8 e4m3 int8 "
			"int8 e4m3 bf16 bf16 int8 int8 e4m3 e4m3 int8 fp16 "
			"e4m3 e5m2 bf16 bf16 bf16 fp32 bf16 fp16 fp32"},
		{"edge_tpu",
			"int8 int8 int8 int8 int8 fp32 fp32 int8 int8 fp32 int8 "
			"int8 fp32 fp32 fp32 int8 int8 fp32 fp32 int8 fp32 "
			"fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32"},
		{"b200",
			"mxfp4 mxfp4 mxfp6 mxfp4 mxfp6 mxfp4 nvfp4 mxfp6 mxfp6 mxfp6 int8 "
			"mxfp6 mxfp6 mxfp6 mxfp6 int8 int8 e4m3 e4m3 int8 fp16 "
			"e4m3 e5m2 bf16 mxfp8 mxfp8 fp32 bf16 fp16 fp32"},
		{"mi355x",
			"mxfp4 mxfp4 mxfp6 mxfp4 mxfp6 mxfp4 fp16 mxfp6 mxfp6 mxfp6 int8 "
			"mxfp6 mxfp6 mxfp6 mxfp6 int8 int8 e4m3 e4m3 int8 fp16 "
			"e4m3 e5m2 bf16 mxfp8 mxfp8 fp32 bf16 fp16 fp32"},
		{"tpu_7x",
			"e4m3 e4m3 e4m3 e4m3 e4m3 bf16 bf16 e4m3 e4m3 e4m3 int8 "
			"e4m3 e4m3 bf16 bf16 int8 int8 e4m3 e4m3 int8 bf16 "
			"e4m3 e5m2 bf16 bf16 bf16 fp32 bf16 fp32 fp32"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[512], *word = text;
		struct device d = device(i ? rows[i].device : "tpu_v3");
		snprintf(text, sizeof text, "%s", rows[i].native);
		for (int f = 0; f < FORMATS; f++, word += strlen(word) + 1) {
			word[strcspn(word, " ")] = 0;
			const char *got = i ? native_table[device_native(&d, f, f)].name : format_table[f].name;
			if (strcmp(got, word) != 0)
				fail_msg("%s on %s runs as %s, not %s", format_table[f].name, rows[i].device, got, word);
		}
	}
}

// The type must hold both operands.
static void native_types_of_pairs(void **state)
{
	(void)state;
	static const struct row {
		const char *device, *weight, *activation, *native;
	} rows[] = {
		{"a100", "int4", "int8", "int8"},
		{"a100", "int2", "e4m3", "fp16"},
		{"a100", "bf16", "fp16", "tf32"},
		{"a100", "int8", "bf16", "bf16"},
		{"h100", "int4", "e4m3", "e4m3"},
		{"h100", "int8", "e4m3", "fp16"},
		{"h100", "e5m2", "e4m3", "e4m3"},
		{"h100", "int5", "e4m3", "e4m3"},
		{"h100", "int6", "e4m3", "fp16"},
		{"tpu_v5e", "e5m2", "e4m3", "e4m3"},
		{"tpu_v4", "e5m2", "e4m3", "bf16"},
		{"tpu_v4", "int4", "bf16", "bf16"},
		{"tpu_v5e", "int4", "int4", "int4"},
		{"tpu_v5e", "int4", "int5", "int8"},
		{"v100", "int8", "bf16", "fp32"},
		{"b200", "mxfp4", "mxfp8", "mxfp8"},
		{"b200", "mxfp6", "mxfp8-e5m2", "mxfp8"},
		{"b200", "mxfp4", "mxfp6-e3m2", "mxfp6"},
		{"b200", "nvfp4", "mxfp4", "bf16"},
		{"b200", "e2m1", "nvfp4", "nvfp4"},
		{"b200", "e2m1", "mxfp8", "mxfp8"},
		{"b200", "mxfp4", "bf16", "bf16"},
		{"b200", "mxint8", "int8", "bf16"},
		{"b300", "int8", "int8", "fp16"},
		{"h100", "mxfp8", "mxfp8", "bf16"},
		{"h100", "nvfp4", "nvfp4", "fp16"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct device d = device(rows[i].device);
		const char *got = native_table[device_native(&d, format_named(rows[i].weight), format_named(rows[i].activation))]
					  .name;
		if (strcmp(got, rows[i].native) != 0)
			fail_msg("%s x %s on %s runs as %s, not %s", rows[i].weight, rows[i].activation, rows[i].device, got,
				rows[i].native);
	}
}

static void ridge_points(void **state)
{
	(void)state;
	static const struct row {
		const char *device;
		enum native type;
		long ridge;
	} rows[] = {{"tpu_v3", NATIVE_BF16, 137}, {"v100", NATIVE_FP16, 139}, {"tpu_v4", NATIVE_BF16, 229},
		{"a100", NATIVE_BF16, 153}, {"a100", NATIVE_INT8, 306}, {"tpu_v3", NATIVE_INT8, 0}, {"bow", NATIVE_FP16, 0},
		{"cmos_45nm", NATIVE_INT8, 0}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct device d = device(rows[i].device);
		assert_int_equal(lround(device_ridge(&d, rows[i].type)), rows[i].ridge);
	}
}

static const struct device_figure *figure(const char *group, const char *name)
{
	for (size_t i = 0; i < device_figure_count; i++)
		if (strcmp(device_figures[i].group, group) == 0 && strcmp(device_figures[i].name, name) == 0)
			return &device_figures[i];
	fail_msg("no figure %s.%s", group, name);
	return NULL;
}

static void figures_and_their_marks(void **state)
{
	(void)state;
	struct device d = device("tpu_v4");
	near(device_value(&d, figure("peaks", "int8")), 275);
	near(device_value(&d, figure("", "bandwidth")), 1200);
	near(device_value(&d, figure("", "on_chip")), 160 * 1.048576);
	near(device_value(&d, figure("power", "mean")), 170);
	near(device_value(&d, figure("energy", "int8")), .1);
	near(device_value(&d, figure("inner", "fp32")), 128);
	assert_string_equal(device_mark(&d, figure("peaks", "fp32")), "assumed");
	assert_string_equal(device_mark(&d, figure("kernel", "floor")), "fitted");
	assert_string_equal(device_mark(&d, figure("efficiency", "linear")), "fitted");
	assert_string_equal(device_mark(&d, figure("peaks", "int8")), "");
	assert_string_equal(device_mark(&d, figure("energy", "memory")), "recalled");
	assert_string_equal(device_mark(&d, figure("efficiency", "conv")), "assumed");
	assert_string_equal(device_mark(&d, figure("", "batch")), "assumed");
	int count = 0;
	for (const char *const *name = device_names(); *name; name++, count++) {
		struct device each = device(*name);
		assert_true(each.source[0] && each.batch >= 1);
		// What is listed as recalled or assumed is a figure.
		int marked = 0, listed = 0;
		for (size_t i = 0; i < device_figure_count; i++)
			marked += device_mark(&each, &device_figures[i])[0] != 0;
		char lists[3 * DEVICE_MARKS + 2];
		snprintf(lists, sizeof lists, "%s %s %s", each.recalled, each.assumed, each.fitted);
		for (char *word = strtok(lists, " "); word; word = strtok(NULL, " "))
			listed++;
		assert_int_equal(marked, listed);
	}
	assert_int_equal(count, 19);
}

static void device_files(void **state)
{
	(void)state;
	struct device d;
	struct fault f = {0};
	assert_true(device_read(
		file_of("{\"bitscape-device\": 1, \"name\": \"chip\", \"source\": \"mine\",\n"
			"\"peaks\": {\"int8\": 4.5, \"fp16\": null},"
			"\"bandwidth\": 25.6, \"batch\": 2, \"power\": {\"mean\": 2}, \"efficiency\": {\"conv\": 0.5}, \"recalled\": [\"bandwidth\"],"
			"\"assumed\": [\"efficiency.conv\", \"power.mean\"]}",
			".json"),
		&d, &f));
	assert_string_equal(d.name, "chip");
	assert_true(d.peak[NATIVE_INT8] == 4.5e12 && isnan(d.peak[NATIVE_FP16]) && d.peak[NATIVE_BF16] == 0);
	assert_true(d.bandwidth == 25.6e9 && d.batch == 2 && d.power_mean == 2 && d.vector == 0);
	assert_true(d.efficiency[WORK_CONV] == .5 && d.efficiency[WORK_LINEAR] == 1 && d.inner[NATIVE_INT8] == 1);
	assert_string_equal(device_mark(&d, figure("", "bandwidth")), "recalled");
	assert_string_equal(device_mark(&d, figure("power", "mean")), "assumed");
	assert_int_equal(device_native(&d, format_named("e4m3"), format_named("int8")), NATIVE_FP16);
	assert_true(d.floor == 0 && d.ramp == 0 && d.memory_efficiency == 1 && d.rows[NATIVE_INT8] == 0);
	// One name for two types; passes of bf16 give fp32 its peak, unless it has one.
	assert_true(device_read(
		file_of("{\"bitscape-device\": 1, \"name\": \"chip\", \"source\": \"mine\", \"passes\": 3,"
			"\"peaks\": {\"fp8\": 4, \"bf16\": 6}, \"assumed\": [\"peaks.fp8\"], \"fitted\": [\"kernel.floor\"]}",
			".json"),
		&d, &f));
	assert_true(d.peak[NATIVE_E4M3] == 4e12 && d.peak[NATIVE_E5M2] == 4e12 && d.peak[NATIVE_FP32] == 2e12);
	assert_string_equal(device_mark(&d, figure("peaks", "e4m3")), "assumed");
	assert_string_equal(device_mark(&d, figure("peaks", "e5m2")), "assumed");
	assert_string_equal(device_mark(&d, figure("kernel", "floor")), "fitted");
}

// A bad file's fault says where (what) and what was expected (todo).
static void bad_device_files(void **state)
{
	(void)state;
#define HEAD "{\"bitscape-device\": 1, \"name\": \"a\", \"source\": \"b\", "
	static const struct bad {
		const char *text, *what, *todo;
	} bad[] = {
		{"", "line 1", ""},
		{"{\n\"bitscape-device\": 1,\n\"name\" \"a\"}", "line 3", ""},
		{"{\"bitscape-device\": 1,\n\"name\": \"a\", \"name\": \"b\"}", "line 2", ""},
		{"[1]", "not a device file", "bitscape-device"},
		{"{}", "not a device file", "bitscape-device"},
		{"{\"bitscape-device\": 2}", "version 2", "newer"},
		{"{\"bitscape-device\": 1, \"source\": \"b\", \"peaks\": {\"int8\": 1}}", "name: missing", "text"},
		{"{\"bitscape-device\": 1, \"name\": \"b\", \"peaks\": {\"int8\": 1}}", "source: missing", "text"},
		{"{\"bitscape-device\": 1, \"name\": 3}", "name: not a text", "text"},
		{HEAD "\"bandwidth\": 3}", "peaks: none", "int8"},
		{HEAD "\"peaks\": {\"int9\": 3}}", "peaks.int9: no such", "int4 int8 e4m3"},
		{HEAD "\"peaks\": 3}", "peaks: not an object", "{\"int8\""},
		{HEAD "\"peaks\": {\"int8\": -3}}", "peaks.int8: -3", "between 0 and 1e+09 (Tops/s)"},
		{HEAD "\"peaks\": {\"int8\": \"3\"}}", "peaks.int8: \"3\"", "number"},
		{HEAD "\"power\": {\"mean\": null}}", "power.mean: null", "number"},
		{HEAD "\"batch\": 1.5}", "batch: 1.5", "whole number between 1 and 65536"},
		{HEAD "\"efficiency\": {\"conv\": 1.5}}", "efficiency.conv: 1.5", "between 0.001 and 1"},
		{HEAD "\"bandwith\": 3}", "bandwith: no such", "bandwidth"},
		{HEAD "\"recalled\": \"bandwidth\"}", "recalled: not a list", "list"},
		{HEAD "\"assumed\": [\"bandwidth\", \"peaks\"]}", "assumed[1]: peaks", "peaks.int8"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct device d;
		struct fault f = {0};
		const char *path = file_of(bad[i].text, ".json");
		if (device_get(path, &d, &f))
			fail_msg("%s is a device", bad[i].text);
		assert_string_equal(f.where, path);
		if (!strstr(f.what, bad[i].what) || !strstr(f.todo, bad[i].todo))
			fail_msg("%s: \"%s; %s\"", bad[i].text, f.what, f.todo);
	}
	struct device d;
	struct fault f = {0};
	assert_false(device_get("/nowhere/at.json", &d, &f));
	assert_false(device_get("/", &d, &f));
	assert_string_equal(f.what, "not a file");
	assert_false(device_get("tpu", &d, &f));
	assert_non_null(strstr(f.what, "\"tpu\""));
	assert_non_null(strstr(f.todo, "tpu_v3, tpu_v4i"));
}

// ---- latency ----

// 64 rows x 144 x 32; padded to tiles of 64 x 24: 64 x 192 x 48 = 589824 MACs. Weights 4608; scales and biases 8 x 32 = 256 B;
// 1024 numbers in, 2048 out, these in fp32, as nothing reads them.
static void roofline_of_a_convolution(void **state)
{
	(void)state;
	struct model *m = one_conv();
	struct layer_plan layer[1];
	struct cost_point point;
	static const struct row {
		const char *format, *bandwidth;
		int batch;
		double compute, bytes, rate; // s, B, B/s
		enum native type;
		bool memory;
	} rows[] = {
		{"int8", "10", 1, 2 * 589824 / 2e12, 4608 + 256 + 1024 + 8192, 10e9, NATIVE_INT8, true},
		{"int8", "100", 1, 2 * 589824 / 2e12, 4608 + 256 + 1024 + 8192, 100e9, NATIVE_INT8, false},
		{"int4", "10", 1, 2 * 589824 / 4e12, 2304 + 256 + 512 + 8192, 10e9, NATIVE_INT4, true},
		{"int5", "10", 1, 2 * 589824 / 2e12, 2880 + 256 + 640 + 8192, 10e9, NATIVE_INT8, true},
		{"bf16", "100", 1, 2 * 589824 / 1e12, 9216 + 256 + 2048 + 8192, 100e9, NATIVE_BF16, false},
		{"int8", "10", 4, 4 * 2 * 589824 / 2e12, 4608 + 256 + 4 * (1024 + 8192), 10e9, NATIVE_INT8, true},
		{"int8", "100", 4, 4 * 2 * 589824 / 2e12, 4608 + 256 + 4 * (1024 + 8192), 100e9, NATIVE_INT8, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char others[64];
		snprintf(others, sizeof others, ", \"bandwidth\": %s", rows[i].bandwidth);
		struct cost *c = toy(m, "latency", others, rows[i].batch);
		struct plan plan = even(m, layer, rows[i].format, rows[i].format);
		double part, seconds = fmax(rows[i].compute, rows[i].bytes / rows[i].rate);
		near(cost_total(c, &plan, &part), 1e3 * seconds);
		near(part, 1e3 * seconds);
		near(cost_uniform_total(c, format_named(rows[i].format)), 1e3 * seconds);
		assert_true(cost_roofline(c, &plan, &point));
		near(point.ms, 1e3 * seconds);
		near(point.bytes, rows[i].bytes);
		near(point.operations, rows[i].batch * 2 * 294912.);
		assert_true(point.type == rows[i].type && !point.vector && point.memory_bound == rows[i].memory);
		near(point.roof, rows[i].type == NATIVE_INT4 ? 4e12 : rows[i].type == NATIVE_INT8 ? 2e12 : 1e12);
		cost_free(c);
	}
	struct cost *c = toy(m, "latency", ", \"bandwidth\": 100, \"batch\": 4, \"efficiency\": {\"conv\": 0.5}", 0);
	assert_string_equal(cost_unit(c), "ms per 4 images");
	assert_string_equal(cost_brief(c), "ms/4 img");
	assert_string_equal(quantity_symbol(cost_kind(c)->quantity), "ms");
	assert_string_equal(cost_device(c)->name, "toy");
	near(cost_uniform_total(c, format_named("int8")), 2 * 1e3 * 4 * 2 * 589824 / 2e12);
	cost_free(c);
	model_free(m);
}

static double latency(const struct model *m, const char *device_name, const char *format, struct cost_point *point)
{
	struct layer_plan layer[LAYERS];
	char term[64];
	snprintf(term, sizeof term, "latency@%s", device_name);
	struct cost *c = term_of(m, term, 0);
	struct plan plan = even(m, layer, format, format);
	double ms = cost_total(c, &plan, NULL);
	assert_true(cost_roofline(c, &plan, point));
	cost_free(c);
	return ms;
}

// 28x28x512 to 512 channels, 3x3, in a batch of 128: compute-bound everywhere.
static void narrow_formats_that_save_only_bytes(void **state)
{
	(void)state;
	struct model *m = model_new("wide", (struct shape){28, 28, 512}, 10);
	model_conv(m, "conv", 0, 512, window_of(3, 1), 1, false);
	m = finished(m);
	static const struct row {
		const char *device, *wide, *narrow;
		double speedup;
	} rows[] = {{"tpu_v3", "bf16", "int8", 1}, {"tpu_v4", "bf16", "int8", 1}, {"tpu_v4", "int8", "int4", 1},
		{"h100", "int8", "int4", 1}, {"tpu_v5e", "bf16", "int8", 393. / 197}, {"tpu_v5e", "int8", "int4", 1},
		{"a100", "fp16", "int8", 2}, {"a100", "int8", "int4", 2}, {"v100", "fp16", "int4", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cost_point wide, narrow;
		double slow = latency(m, rows[i].device, rows[i].wide, &wide),
		       fast = latency(m, rows[i].device, rows[i].narrow, &narrow);
		assert_false(wide.memory_bound || narrow.memory_bound);
		struct device d = device(rows[i].device);
		double kernel = 1e3 * (d.floor + d.ramp); // compute-bound: the floor, and what of the memory's time is not hidden
		near((slow - kernel) / (fast - kernel), rows[i].speedup);
		double ratio = format_table[format_named(rows[i].wide)].bits / format_table[format_named(rows[i].narrow)].bits;
		double fixed = 8 * 512 + 128. * 28 * 28 * 512 * 4; // scales and biases; the output in fp32
		near((wide.bytes - fixed) / (narrow.bytes - fixed), ratio);
	}
	model_free(m);
}

// Groups are padded one by one; depthwise convolutions run on the vector unit; attention is two products a head.
static void padding_of_operators(void **state)
{
	(void)state;
	struct cost_point point[4];
	struct layer_plan layer[4];
	struct model *m = model_new("grouped", (struct shape){4, 4, 32}, 10);
	int x = model_conv(m, "grouped", 0, 64, window_of(3, 1), 4, false); // 4 x (16 rows x 72 x 16)
	x = model_conv(m, "depthwise", x, 64, window_of(3, 1), 64, false);  // 16 x 9 x 64 MACs
	model_linear(m, "linear", x, 10);                                   // 16 rows x 64 x 10
	m = finished(m);
	struct cost *c = toy(m, "latency", ", \"bandwidth\": 100000", 1);
	struct plan plan = even(m, layer, "int8", "int8");
	cost_roofline(c, &plan, point);
	near(point[0].ms, 1e3 * 2 * (4 * 16 * 128. * 24) / 2e12);
	near(point[0].operations, 2 * 4 * 16 * 72. * 16);
	near(point[1].ms, 1e3 * 2 * (16 * 9 * 64.) / .1e12);
	assert_true(point[1].vector && point[1].roof == .1e12 && point[1].type == NATIVE_FP32);
	near(point[2].ms, 1e3 * 2 * (16 * 64. * 24) / 2e12);
	near(cost_total(c, &plan, NULL), point[0].ms + point[1].ms + point[2].ms);
	cost_free(c);
	model_free(m);

	m = model_new("attention", (struct shape){10, 1, 96}, 10);
	x = model_attention(m, 0, 4); // 10 tokens, 4 heads of 8
	model_linear(m, "linear", x, 24);
	m = finished(m);
	c = toy(m, "latency", ", \"bandwidth\": 100000", 1);
	plan = even(m, layer, "int4", "int4");
	// 10 x 64 x 24 for queries x keys (8 and 10 padded), 10 x 64 x 24 for scores x values (10 and 8); softmax 5 a score
	double attention = 4 * 2 * 2 * 10 * 64. * 24 / 4e12 + 5 * 4 * 100 / .1e12, linear = 2 * 10 * 64. * 24 / 4e12;
	near(cost_total(c, &plan, NULL), 1e3 * (attention + linear));
	plan = even(m, layer, "int4", "int8"); // attention in the format of what reads it
	near(cost_total(c, &plan, NULL), 1e3 * (4 * 2 * 2 * 10 * 64. * 24 / 2e12 + 5 * 4 * 100 / .1e12 + 2 * linear));
	cost_free(c);
	model_free(m);
}

// All memory-bound at 1 GB/s: bytes by hand, int8 and the output in fp32.
static void operators_without_weights_count_with_the_layer_before(void **state)
{
	(void)state;
	struct model *m = residual_block();
	struct layer_plan layer[4];
	struct cost *c = toy(m, "latency", ", \"bandwidth\": 1", 1);
	struct plan plan = even(m, layer, "int8", "int8");
	double part[4], total = cost_total(c, &plan, part);
	near(part[0], 1e-6 * (432 + 8 * 16 + 192 + 1024));
	near(part[1], 1e-6 * (2304 + 8 * 16 + 1024 + 1024));
	// conv2 with the add, which reads the shortcut; then the pooling
	near(part[2], 1e-6 * (2304 + 8 * 16 + 1024 + 1024 + 1024 + 1024 + 16));
	near(part[3], 1e-6 * (160 + 8 * 10 + 16 + 4 * 10));
	near(total, part[0] + part[1] + part[2] + part[3]);
	cost_free(c);
	// Fast memory: the vector unit bounds the pooling; what joined a convolution is worked on while that runs.
	c = toy(m, "latency", ", \"bandwidth\": 100000", 1);
	struct cost_point point[4];
	cost_roofline(c, &plan, point);
	total = cost_total(c, &plan, NULL) - point[0].ms - point[1].ms - point[2].ms - point[3].ms;
	assert_true(fabs(total - 1e3 * 1024 / .1e12) < 1e-15);
	cost_free(c);
	model_free(m);
}

// What each operator without weights computes on the vector unit and moves, from 4x4x8 int8; a 1x1 convolution reads it.
static void each_operator_without_weights(void **state)
{
	(void)state;
	static const struct row {
		enum op_kind kind;
		enum act act;
		double operations, bytes;
	} rows[] = {
		{OP_NORM, ACT_RELU6, 128 * 4, 256 + 8 * 8},
		{OP_LAYERNORM, ACT_NONE, 128 * 8, 256 + 8 * 8},
		{OP_ACT, ACT_RELU, 128, 256},
		{OP_ACT, ACT_SWISH, 128 * 4, 256},
		{OP_ACT, ACT_GELU, 128 * 4, 256},
		{OP_ACT, ACT_SIGMOID, 128 * 4, 256},
		{OP_ADD, ACT_NONE, 128, 384},
		{OP_ADD, ACT_RELU, 256, 384},
		{OP_SCALE, ACT_NONE, 128 + 128, 128 + 8 + 128 + 8 + 128}, // a pooling makes the gate
		{OP_CONCAT, ACT_NONE, 0, 2 * 128 + 256},
		{OP_POOL, ACT_NONE, 128, 128 + 8},
		{OP_AVERAGE, ACT_NONE, 128 * 9, 256},
		{OP_MAXIMUM, ACT_NONE, 32 * 9, 128 + 32}, // stride 1 and 2
		{OP_TOKENS, ACT_NONE, 17 * 8, 128 + 17 * 8 + 4 * 18 * 8},
		{OP_FIRST, ACT_NONE, 0, 8 + 8},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct model *m = model_new("op", (struct shape){4, 4, 8}, 10);
		enum op_kind kind = rows[i].kind;
		int x = kind == OP_NORM        ? model_norm(m, 0, rows[i].act)
			: kind == OP_LAYERNORM ? model_layernorm(m, 0)
			: kind == OP_ACT       ? model_act(m, 0, rows[i].act)
			: kind == OP_ADD       ? model_add(m, 0, 0, rows[i].act)
			: kind == OP_SCALE     ? model_scale(m, 0, model_pool(m, 0))
			: kind == OP_CONCAT    ? model_concat(m, (int[]){0, 0}, 2)
			: kind == OP_POOL      ? model_pool(m, 0)
			: kind == OP_TOKENS    ? model_tokens(m, 0)
			: kind == OP_FIRST     ? model_first(m, 0)
					       : model_window(m, kind, 0, window_of(3, kind == OP_MAXIMUM ? 2 : 1));
		model_conv(m, "conv", x, 8, window_of(1, 1), 1, false);
		m = finished(m);
		struct layer_plan layer[1];
		struct cost_point point;
		struct plan plan = even(m, layer, "int8", "int8");
		struct cost *c = toy(m, "latency", ", \"bandwidth\": 1e9", 1);
		cost_roofline(c, &plan, &point);
		double compute = cost_total(c, &plan, NULL) - point.ms;
		cost_free(c);
		c = toy(m, "latency", ", \"bandwidth\": 0.001", 1);
		cost_roofline(c, &plan, &point);
		double moved = cost_total(c, &plan, NULL) - point.ms;
		cost_free(c);
		if (fabs(compute - 1e3 * rows[i].operations / .1e12) > 1e-9 || fabs(moved - 1e-3 * rows[i].bytes) > 1e-9)
			fail_msg("row %zu: %.9g operations, %.9g bytes", i, compute * .1e9, moved * 1e3);
		model_free(m);
	}
}

// Folded only where nothing else reads what is between.
static void norms_and_activations_fold(void **state)
{
	(void)state;
	struct layer_plan layer[2];
	double total[2];
	for (int shared = 0; shared < 2; shared++) {
		struct model *m = model_new("fold", (struct shape){4, 4, 8}, 10);
		int x = model_conv(m, "a", 0, 8, window_of(1, 1), 1, false), y = model_norm(m, x, ACT_RELU);
		model_conv(m, "b", shared ? model_add(m, x, y, ACT_NONE) : y, 8, window_of(1, 1), 1, false);
		m = finished(m);
		struct cost *c = toy(m, "latency", ", \"bandwidth\": 1", 1);
		struct plan plan = even(m, layer, "int8", "int8");
		total[shared] = cost_total(c, &plan, NULL);
		cost_free(c);
		model_free(m);
	}
	near(total[0], 1e-6 * (2 * (64 + 64) + 3 * 128 + 512));
	// the norm has its own scale and bias; with the add, which joined it, it reads once and writes once
	near(total[1] - total[0], 1e-6 * (2 * 128 + 8 * 8));
}

// The tensor between two convolutions has 2048 numbers; with it lives one other at any time, so half of the memory is its share.
static void tensors_stay_on_chip(void **state)
{
	(void)state;
	struct model *m = model_new("two", (struct shape){8, 8, 16}, 10);
	model_conv(m, "b", model_conv(m, "a", 0, 32, window_of(1, 1), 1, false), 4, window_of(1, 1), 1, false);
	m = finished(m);
	static const struct row {
		const char *format, *on_chip;
		int batch;
		double moved; // bytes of that tensor, written and read
	} rows[] = {{"int8", "0.004096", 1, 0}, {"int8", "0.004095", 1, 4096}, {"int4", "0.002048", 1, 0},
		{"int4", "0.002047", 1, 2048}, {"int8", "0.004096", 2, 8192}, {"int8", "0.008192", 2, 0}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char others[64];
		struct layer_plan layer[2];
		snprintf(others, sizeof others, ", \"bandwidth\": 1, \"on_chip\": %s", rows[i].on_chip);
		struct cost *c = toy(m, "latency", others, rows[i].batch);
		struct plan plan = even(m, layer, rows[i].format, rows[i].format);
		double bits = format_table[format_named(rows[i].format)].bits;
		double weights = (16 * 32 + 32 * 4) * bits / 8 + 8 * (32 + 4), ends = 1024 * bits / 8 + 256 * 4;
		near(cost_total(c, &plan, NULL), 1e-6 * (weights + rows[i].batch * ends + rows[i].moved));
		cost_free(c);
	}
	model_free(m);
}

static struct cost_product product(const struct device *d, double m, double n, double k, const char *format)
{
	struct cost_product p;
	struct fault f = {0};
	if (!cost_product(d, (double[]){m, n, k}, format_named(format), true, &p, &f))
		fail_msg("%s: %s", d->name, f.what);
	return p;
}

// What compilers round up: the inner size to the tile, and of rows and outer size one to the tile, the other to 8, whichever is less.
static void padding_of_products(void **state)
{
	(void)state;
	static const struct row {
		const char *device;
		double m, n, k, padded_m, padded_n, padded_k;
	} rows[] = {{"tpu_v4", 4096, 128, 1152, 4096, 128, 1152}, {"tpu_v4", 4096, 129, 1152, 4096, 136, 1152},
		{"tpu_v4", 4096, 64, 576, 4096, 64, 640}, {"tpu_v4", 100, 64, 576, 128, 64, 640},
		{"tpu_v4", 100, 640, 576, 104, 640, 640}, {"tpu_v4", 4100, 513, 4097, 4224, 520, 4224},
		{"tpu_v4", 16, 512, 4096, 16, 512, 4096}, {"tpu_v6e", 4096, 129, 1152, 4096, 136, 1280},
		{"tpu_v6e", 300, 100, 256, 512, 104, 256}, {"a100", 4096, 129, 1152, 4096, 136, 1152},
		{"a100", 5, 129, 1152, 5, 136, 1152}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct device d = device(rows[i].device);
		struct cost_product p = product(&d, rows[i].m, rows[i].n, rows[i].k, "bf16");
		near(p.padding, rows[i].padded_m * rows[i].padded_n * rows[i].padded_k / (rows[i].m * rows[i].n * rows[i].k));
		near(p.compute, p.operations * p.padding / (d.peak[NATIVE_BF16] * .9));
	}
}

// Rates of types against bf16's, with whole and with odd inner sizes.
static void rates_of_types(void **state)
{
	(void)state;
	static const struct row {
		const char *device, *format;
		double inner, gain;
	} rows[] = {{"tpu_v4", "int8", 4096, 1}, {"tpu_v4", "int4", 4096, 1}, {"tpu_v4", "e5m2", 4096, 1},
		{"tpu_v3", "int8", 4096, 1}, {"tpu_v5e", "int8", 4096, 393. / 197}, {"tpu_v5e", "int8", 4224, 393. / 197},
		{"tpu_v5e", "int8", 4128, 1}, {"tpu_v5e", "int8", 64, 1}, {"tpu_v5e", "int4", 4096, 393. / 197},
		{"tpu_v5e", "int4", 4160, 1}, {"tpu_v5e", "e5m2", 4096, 393. / 197}, {"tpu_v5e", "e5m2", 4128, 1},
		{"tpu_v5e", "e4m3", 4096, 1}, {"tpu_v5p", "int8", 4096, 2}, {"tpu_v5p", "int8", 4128, 1},
		{"tpu_v5p", "e5m2", 4096, 2}, {"tpu_v5p", "e4m3", 4096, 1}, {"tpu_v5p", "int4", 4096, 2},
		{"tpu_v6e", "int8", 4096, 1 / .76}, {"tpu_v6e", "int4", 4096, 1 / .75}, {"tpu_v6e", "e5m2", 4096, 1 / .76},
		{"tpu_v6e", "e4m3", 4096, 1 / 1.09}, {"tpu_v4", "fp32", 4096, 1 / 6.}, {"tpu_v5e", "fp32", 4096, 1 / 6.},
		{"h100", "e4m3", 4096, 1979. / 989}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct device d = device(rows[i].device);
		near(product(&d, 4096, 4096, rows[i].inner, "bf16").compute /
				product(&d, 4096, 4096, rows[i].inner, rows[i].format).compute,
			rows[i].gain);
	}
	// Of a convolution the channels count, not the kernel's area: 2 x 2 x 160 is a multiple of 128, 160 is not.
	struct model *m = model_new("area", (struct shape){28, 28, 160}, 10);
	model_conv(m, "conv", 0, 1024, window_of(2, 1), 1, false);
	m = finished(m);
	struct cost_point wide, narrow;
	near(latency(m, "tpu_v5p", "bf16", &wide), latency(m, "tpu_v5p", "int8", &narrow));
	model_free(m);
}

// A product of a single row or column runs on the vector unit where its share is known; the parts add up; operands lie on chip
// unless they are asked to be cold or do not fit.
static void parts_of_a_product(void **state)
{
	(void)state;
	struct device d = device("tpu_v4");
	struct fault f = {0};
	struct cost_product p = product(&d, 1, 1000, 3000, "bf16"), warm;
	assert_true(p.vector && p.peak == d.vector && p.padding == 1);
	near(p.compute, 2 * 3e6 / (d.vector * .22));
	assert_true(product(&d, 1000, 1, 3000, "bf16").vector && !product(&d, 2, 1000, 3000, "bf16").vector);
	p = product(&d, 512, 1024, 256, "bf16");
	near(p.operands, 2. * (512 + 1024) * 256);
	near(p.result, 2. * 512 * 1024);
	near(p.memory, (p.operands + p.result) / (1200e9 * .87));
	near(p.exposed, fmin(fmin(p.compute, p.memory), 1.33e-6));
	near(p.seconds, .89e-6 + fmax(p.compute, p.memory) + p.exposed);
	assert_true(cost_product(&d, (double[]){512, 1024, 256}, format_named("bf16"), false, &warm, &f));
	assert_true(warm.on_chip && !p.on_chip && warm.compute == p.compute);
	near(warm.memory, p.operands / 3000e9 + p.result / (1200e9 * .87));
	assert_true(cost_product(&d, (double[]){512, 1e6, 256}, format_named("bf16"), false, &warm, &f));
	assert_false(warm.on_chip);
	struct device bow = device("bow");
	assert_false(cost_product(&bow, (double[]){8, 8, 8}, format_named("fp16"), false, &p, &f));
	assert_string_equal(f.what, "its memory bandwidth is unknown");
}

// Every kernel has a floor, and what joined one has none of its own.
static void kernels_have_a_floor(void **state)
{
	(void)state;
	struct layer_plan layer[4];
	struct model *m = residual_block(); // stem, conv1, conv2 with the add, pooling, head
	struct cost *c = toy(m, "latency", ", \"bandwidth\": 1e9, \"kernel\": {\"floor\": 1000}", 1);
	struct plan plan = even(m, layer, "int8", "int8");
	double part[4], total = cost_total(c, &plan, part);
	assert_true(fabs(total - 5) < 1e-3 && fabs(part[2] - 2) < 1e-3);
	assert_true(cost_assumed(c));
	cost_free(c);
	model_free(m);
	// Nothing joins where what is between is read elsewhere too.
	m = model_new("shared", (struct shape){8, 8, 16}, 10);
	int x = model_conv(m, "a", 0, 16, window_of(1, 1), 1, false), y = model_add(m, 0, x, ACT_NONE);
	model_linear(m, "head", model_pool(m, model_add(m, x, y, ACT_NONE)), 10);
	m = finished(m); // a, both adds in one, pooling, head
	c = toy(m, "latency", ", \"bandwidth\": 1e9, \"kernel\": {\"floor\": 1000}", 1);
	assert_true(fabs(cost_uniform_total(c, format_named("int8")) - 4) < 1e-3);
	cost_free(c);
	model_free(m);
	// Attention and layer norm in as many as the device says.
	m = model_new("attention", (struct shape){10, 1, 96}, 10);
	model_linear(m, "linear", model_attention(m, model_layernorm(m, 0), 4), 24);
	m = finished(m);
	c = toy(m, "latency", ", \"bandwidth\": 1e9, \"kernel\": {\"floor\": 1000, \"attention\": 6, \"layernorm\": 2}", 1);
	assert_true(fabs(cost_uniform_total(c, format_named("int8")) - (2 + 6 + 1)) < 1e-3);
	cost_free(c);
	// The shorter side shows up to the ramp: memory-bound by 1 GB/s, compute of the linear 2 x 10 x 64 x 24 / 2e12.
	c = toy(m, "latency", ", \"bandwidth\": 1, \"kernel\": {\"ramp\": 1000}", 1);
	struct cost *without = toy(m, "latency", ", \"bandwidth\": 1", 1);
	struct cost_point point[1], hidden[1];
	plan = even(m, layer, "int8", "int8");
	assert_true(cost_roofline(c, &plan, point) && cost_roofline(without, &plan, hidden));
	near(point->ms, hidden->ms + 1e3 * 2 * 10 * 64 * 24 / 2e12);
	cost_free(c);
	cost_free(without);
	model_free(m);
}

// ---- times measured on a TPU v4 ----

static struct silicon_error silicon(const struct device *d, enum silicon_kind kind, bool fitted)
{
	struct silicon_error e;
	struct fault f = {0};
	if (!cost_silicon_error(d, (int)kind, fitted, &e, &f))
		fail_msg("%s", f.what);
	return e;
}

// The aim, on rows that nothing was fitted to: a factor of 1.16 in the mean of |ln|; forward passes within 20 % each.
static void agrees_with_silicon(void **state)
{
	(void)state;
	struct device d = device("tpu_v4");
	int rows = 0;
	for (int kind = 0; kind < SILICON_KINDS; kind++)
		for (int fitted = 0; fitted < 2; fitted++) {
			struct silicon_error e = silicon(&d, (enum silicon_kind)kind, fitted);
			rows += e.rows;
			if (e.rows)
				print_message("%-12s %-8s %2d rows: mean |ln| x%.3f, rms x%.3f, mean x%.3f, worst x%.3f\n",
					silicon_kinds[kind], fitted ? "fitted" : "held out", e.rows, exp(e.error), exp(e.rms),
					exp(e.bias), exp(e.worst));
		}
	assert_int_equal(rows, silicon_count);
	assert_true(silicon(&d, SILICON_PRODUCT, false).rows == 20 && silicon(&d, SILICON_PRODUCT, true).rows == 20);
	assert_true(silicon(&d, SILICON_ELEMENTWISE, false).rows == 6 && silicon(&d, SILICON_GPT2, false).rows == 12);
	assert_true(exp(silicon(&d, SILICON_PRODUCT, false).error) < 1.16);
	assert_true(exp(silicon(&d, SILICON_ELEMENTWISE, false).error) < 1.16);
	assert_true(exp(silicon(&d, SILICON_GPT2, false).worst) < 1.2);
}

// The constants are what the fitted rows say, not the others: a step of any of them either way fits those no better.
static void constants_are_fitted(void **state)
{
	(void)state;
	static const struct constant {
		const char *group, *name;
	} constants[] = {{"efficiency", "linear"}, {"efficiency", "row"}, {"efficiency", "memory"}, {"", "on_chip_bandwidth"},
		{"kernel", "floor"}, {"kernel", "ramp"}};
	struct device d = device("tpu_v4");
	int products = silicon(&d, SILICON_PRODUCT, true).rows, others = silicon(&d, SILICON_ELEMENTWISE, true).rows;
	double best = silicon(&d, SILICON_PRODUCT, true).error * products + silicon(&d, SILICON_ELEMENTWISE, true).error * others;
	for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
		for (int way = 0; way < 2; way++) {
			const struct device_figure *f = figure(constants[i].group, constants[i].name);
			struct device moved = d;
			double value;
			memcpy(&value, (char *)&moved + f->offset, sizeof value);
			value *= way ? 1.1 : 1 / 1.1;
			memcpy((char *)&moved + f->offset, &value, sizeof value);
			double sum = silicon(&moved, SILICON_PRODUCT, true).error * products +
				silicon(&moved, SILICON_ELEMENTWISE, true).error * others;
			assert_string_equal(device_mark(&d, f), "fitted");
			if (sum < best)
				fail_msg("%s.%s times %g: %.4f, less than %.4f", f->group, f->name, way ? 1.1 : 1 / 1.1, sum,
					best);
		}
}

static void what_is_assumed_is_said(void **state)
{
	(void)state;
	struct model *m = one_conv();
	static const struct row {
		const char *term;
		bool assumed;
	} rows[] = {{"latency@tpu_v4", false}, {"latency@tpu_v3", true}, {"latency@a100", true}, {"energy@tpu_v4", false},
		{"energy@a100", false}, {"energy@tpu_v3", true}, {"bops", false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cost *c = term_of(m, rows[i].term, 0);
		if (cost_assumed(c) != rows[i].assumed)
			fail_msg("%s", rows[i].term);
		cost_free(c);
	}
	struct cost *c = term_of(m, "latency@a100", 0);
	assert_non_null(strstr(cost_help(c), "assumed"));
	cost_free(c);
	model_free(m);
}

// ---- activations ----

static void activations_of_a_residual_block(void **state)
{
	(void)state;
	struct model *m = residual_block();
	struct cost *c = term_of(m, "activations", 0);
	double part[4];
	// stem, conv1, conv2, head. The head is read through pooling and add: so are the shortcut and conv2's output.
	int int4 = format_named("int4"), int8 = format_named("int8"), int16 = format_named("int16");
	struct layer_plan first[4] = {{0, int8}, {0, int4}, {0, int8}, {0, int16}};
	near(cost_total(c, &(struct plan){.model = m, .layer = first}, part),
		3 * 2048); // at the add: shortcut, conv2's output, sum
	assert_true(part[0] == 2048 && part[1] == 0 && part[2] == 4096 && part[3] == 0);
	struct layer_plan second[4] = {{0, int8}, {0, int4}, {0, int16}, {0, int4}};
	near(cost_total(c, &(struct plan){.model = m, .layer = second}, part),
		512 + 2048 + 512); // at conv2: shortcut, its input, its output
	assert_true(part[0] == 512 && part[1] == 2048 && part[2] == 512 && part[3] == 0);
	near(cost_uniform_total(c, format_named("int8")), 3 * 1024);
	assert_string_equal(cost_unit(c), "B per image");
	cost_free(c);
	model_free(m);
}

// ---- energy ----

static void energies(void **state)
{
	(void)state;
	struct model *m = one_conv();
	struct layer_plan layer[1];
	// 45 nm: 0.3, 2.0 and 4.6 pJ a MAC; (1950 + 100) / 8 pJ a byte
	static const struct row {
		const char *format;
		double mac, bytes;
		int batch;
	} rows[] = {{"int8", .3, 4608 + 256 + 1024 + 8192, 1}, {"int8", .3, (4608 + 256) / 4. + 1024 + 8192, 4},
		{"int4", .3, 2304 + 256 + 512 + 8192, 1}, {"e4m3", 2, 4608 + 256 + 1024 + 8192, 1},
		{"fp16", 2, 9216 + 256 + 2048 + 8192, 1}, {"bf16", 4.6, 9216 + 256 + 2048 + 8192, 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cost *c = term_of(m, "energy@cmos_45nm", rows[i].batch);
		near(cost_uniform_total(c, format_named(rows[i].format)),
			1e-9 * (294912 * rows[i].mac + rows[i].bytes * 2050 / 8));
		assert_string_equal(cost_unit(c), "mJ per image");
		assert_string_equal(cost_brief(c), "mJ/img");
		assert_false(cost_roofline(c, &(struct plan){.model = m, .layer = layer}, &(struct cost_point){0}));
		cost_free(c);
	}
	// fp16 has no figure at 7 nm: it costs what bf16 does, 0.59.
	struct cost *c16 = term_of(m, "energy@a100", 1);
	near(cost_uniform_total(c16, format_named("fp16")), 1e-9 * (294912 * .59 + (9216 + 256 + 2048 + 8192) * 45.5));
	cost_free(c16);
	// What stays on chip costs 1.75 pJ a byte written or read at 7 nm, else 43.75 more; on chip here: the tensor between.
	struct model *two = model_new("two", (struct shape){8, 8, 16}, 10);
	model_conv(two, "b", model_conv(two, "a", 0, 32, window_of(1, 1), 1, false), 4, window_of(1, 1), 1, false);
	two = finished(two);
	struct cost *seven = term_of(two, "energy@tpu_v4", 1);
	double macs = 64 * (16 * 32 + 32 * 4), through = 512 + 128 + 8 * 36 + 1024 + 1024;
	near(cost_uniform_total(seven, format_named("int8")), 1e-9 * (macs * .1 + through * 45.5 + 2 * 2048 * 1.75));
	cost_free(seven);
	model_free(two);
	// Without energies: mean power (220 W) times time, shared by the batch.
	struct cost *power = term_of(m, "energy@tpu_v3", 16), *time = term_of(m, "latency@tpu_v3", 16);
	near(cost_uniform_total(power, format_named("int8")), cost_uniform_total(time, format_named("int8")) * 220 / 16);
	cost_free(power);
	cost_free(time);
	model_free(m);
}

static void what_cannot_be_priced_is_refused(void **state)
{
	(void)state;
	struct model *m = one_conv();
	static const struct bad {
		const char *term, *what, *todo;
		int batch;
	} bad[] = {
		{"energy@v100",
			"neither energies per operation and byte nor the mean power of v100 are known "
			"(its power is given as a maximum)",
			"device file", 0},
		{"energy@h100", "mean power", "device file", 0},
		{"energy@tpu_v5e", "mean power of tpu_v5e are known", "another device", 0},
		{"latency@bow", "the memory bandwidth of bow is unknown", "device file", 0},
		{"latency@edge_tpu", "the memory bandwidth of edge_tpu is unknown", "device file", 0},
		{"latency@cmos_45nm", "the memory bandwidth of cmos_45nm is unknown", "device file", 0},
		{"latency@nothing", "no device \"nothing\"", "tpu_v3", 0},
		{"latency", "there is no such cost term", "latency@DEVICE", 0},
		{"", "there is no such cost term", "bops", 0},
		{"latency@v100", "cannot have -1 images", "1 to 65536", -1},
		{"latency@table:/nowhere/at/all", "No such file", "file", 0},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault f = {0};
		if (cost_new(m, bad[i].term, bad[i].batch, &f))
			fail_msg("%s is a term", bad[i].term);
		if (!strstr(f.what, bad[i].what) || !strstr(f.todo, bad[i].todo))
			fail_msg("%s: \"%s; %s\"", bad[i].term, f.what, f.todo);
	}
	cost_free(NULL);
	// A type whose peak is unknown
	struct cost *c = toy(m, "latency", ", \"bandwidth\": 10", 1);
	struct fault f = {0};
	assert_true(cost_answers(c, (int[]){format_named("int4"), format_named("int8"), format_named("bf16")}, 3, &f));
	assert_false(cost_answers(c, (int[]){format_named("int4"), format_named("fp16")}, 2, &f));
	assert_string_equal(f.where, "conv");
	assert_string_equal(f.what, "int4 weights and fp16 activations run as fp32, of which the peak of toy is unknown");
	assert_true(isinf(cost_uniform_total(c, format_named("fp16"))));
	double target;
	assert_false(cost_target_value(c, 1, "fp16", &target, &f));
	assert_string_equal(f.what, "fp16 in all layers has no price");
	cost_free(c);
	model_free(m);
}

// ---- measured tables ----

static void measured_latencies(void **state)
{
	(void)state;
	struct model *m = residual_block();
	char term[512];
	snprintf(term, sizeof term, "latency@table:%s",
		file_of("layer,format,ms\n# fixed\nstem,*,0.5\n\nconv1,int4,1\nconv1,int8,2\r\n"
			"conv2,int8,3\nconv2,e4m3,2.5\nhead,*,0.25\n",
			".csv"));
	struct cost *c = term_of(m, term, 0);
	struct layer_plan layer[4];
	struct plan plan = even(m, layer, "int4", "int4");
	double part[4];
	near(cost_total(c, &plan, part), .5 + 1 + 3 + .25);
	near(part[1], 1);
	near(cost_uniform_total(c, format_named("int3")), .5 + 1 + 3 + .25); // runs as the next that holds it
	near(cost_uniform_total(c, format_named("int6")), .5 + 2 + 3 + .25);
	layer[1] = (struct layer_plan){format_named("int4"), format_named("int8")}; // both
	layer[2] = (struct layer_plan){format_named("int4"), format_named("e3m2")}; // e4m3 holds both
	near(cost_total(c, &plan, NULL), .5 + 2 + 2.5 + .25);
	assert_true(isinf(cost_uniform_total(c, format_named("bf16"))));
	struct fault f = {0};
	assert_true(cost_answers(c, (int[]){format_named("int2"), format_named("int8")}, 2, &f));
	assert_false(cost_answers(c, (int[]){format_named("int2"), format_named("e4m3")}, 2, &f));
	assert_string_equal(f.where, "conv1");
	assert_string_equal(f.what, "nothing was measured that holds int2 weights and e4m3 activations");
	assert_null(cost_device(c));
	cost_free(c);
	model_free(m);
}

static void bad_tables(void **state)
{
	(void)state;
	struct model *m = residual_block();
	static const struct bad {
		const char *text, *where, *what, *todo;
	} bad[] = {
		{"", "", "nothing in it", "layer,format,ms"},
		{"layer,format,ms\n", "", "nothing in it", "row"},
		{"layer,ms\nstem,1\n", "line 1", "\"layer,ms\"", "header layer,format,ms"},
		{"\n# x\nlayer,format,ms\nstem,int8\n", "line 4", "2 fields", "layer,format,ms"},
		{"layer,format,ms\nstem,int8,1,2\n", "line 2", "4 fields", "layer,format,ms"},
		{"layer,format,ms\n,int8,1\n", "line 2", "the name is empty", "name of a layer"},
		{"layer,format,ms\nstem,int9,1\n", "line 2", "\"int9\" is not a format", "format such as int8"},
		{"layer,format,ms\nstem,*x,1\n", "line 2", "\"*x\" is not a format", "format such as int8"},
		{"layer,format,ms\nstem,int8,fast\n", "line 2", "\"fast\"", "milliseconds above 0"},
		{"layer,format,ms\nstem,int8,0\n", "line 2", "\"0\"", "milliseconds above 0"},
		{"layer,format,ms\nstem,int8,nan\n", "line 2", "\"nan\"", "milliseconds above 0"},
		{"layer,format,ms\nstem,int8,1\nstem,int8,2\n", "line 3", "stem in int8 is in line 2 already", "one"},
		{"layer,format,ms\nstem,int8,1\nstem,*,2\n", "line 3", "stem has both", "alone"},
		{"layer,format,ms\nstem,*,1\nstem,int8,2\n", "line 3", "stem has both", "alone"},
		{"layer,format,ms\nstem,*,1\ntail,int8,2\n", "line 3", "block has no layer tail", "layer of the network"},
		{"layer,format,ms\nstem,*,1\nconv2,int8,2\n", "", "no row for conv1, 2 of 4 layers have none", "format *"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault f = {0};
		char term[512];
		snprintf(term, sizeof term, "latency@table:%s", file_of(bad[i].text, ".csv"));
		if (cost_new(m, term, 0, &f))
			fail_msg("%s is a table", bad[i].text);
		if (!strstr(f.where, bad[i].where) || !strstr(f.what, bad[i].what) || !strstr(f.todo, bad[i].todo))
			fail_msg("%s: \"%s: %s; %s\"", bad[i].text, f.where, f.what, f.todo);
	}
	model_free(m);
}

// ---- all terms ----

static uint64_t random_bits(void)
{
	static uint64_t s = 88172645463325252u;
	s ^= s << 13;
	s ^= s >> 7;
	return s ^= s << 17;
}

static int random_below(int n)
{
	return (int)(random_bits() >> 33) % n;
}

static const char *const terms[] = {"bops", "bops-linear", "size", "activations", "latency@tpu_v3", "latency@tpu_v4",
	"latency@v100", "latency@a100", "latency@h100", "latency@t4", "energy@tpu_v3", "energy@tpu_v4", "energy@a100",
	"energy@cmos_45nm"};

// Random plans, random groups of layers given random formats.
static void a_change_prices_as_the_whole(void **state)
{
	(void)state;
	struct fault f;
	const struct shape own = {0, 0, 0};
	struct model *nets[] = {everything(), residual_block(), model_named("resnet20", own, 0, &f),
		model_named("deit", own, 0, &f), model_named("efficientnet-x-b0", own, 0, &f),
		model_named("inceptionv3", own, 0, &f)};
	for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++)
		for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++) {
			const struct model *m = nets[n];
			struct cost *c = term_of(m, terms[t], t % 2 ? 0 : 1);
			struct layer_plan layer[LAYERS];
			struct plan plan = {.model = m, .layer = layer};
			double part[LAYERS];
			for (int i = 0; i < 50; i++) {
				for (int l = 0; l < m->layers; l++)
					layer[l] = (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
				double before = cost_total(c, &plan, part), sum = 0;
				for (int l = 0; l < m->layers; l++)
					sum += part[l];
				near(sum, before);
				int group[LAYERS], count = 0, odds = 1 + random_below(m->layers);
				for (int l = 0; l < m->layers; l++)
					if (random_below(odds) == 0)
						group[count++] = l;
				double rest = before - cost_part(c, &plan, group, count);
				for (int k = 0; k < count; k++)
					layer[group[k]] = (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
				double after = cost_total(c, &plan, NULL), got = rest + cost_part(c, &plan, group, count);
				if (!(fabs(got - after) <= 1e-11 * (before + after)))
					fail_msg("%s on %s: %.17g, not %.17g", terms[t], m->name, got, after);
			}
			cost_free(c);
		}
	for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++)
		model_free(nets[n]);
}

// Every term, group by group over one plan: the bits of pricing each change by itself, and all as it was in the end.
static void many_changes_price_as_each_alone(void **state)
{
	(void)state;
	enum { OPTIONS = 5, OPS = 1024 };
	struct fault f;
	const struct shape own = {0, 0, 0};
	struct model *nets[] = {everything(), residual_block(), model_named("resnet50", own, 0, &f),
		model_named("deit", own, 0, &f), model_named("efficientnet-x-b0", own, 0, &f),
		model_named("inceptionv3", own, 0, &f)};
	for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++)
		for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++) {
			const struct model *m = nets[n];
			struct cost *c = term_of(m, terms[t], t % 2 ? 0 : 1);
			struct layer_plan layer[LAYERS], kept[LAYERS], to[OPTIONS * LAYERS];
			struct plan plan = {.model = m, .layer = layer};
			uint8_t format[OPS], before[OPS];
			assert_in_range(m->ops, 1, OPS);
			for (int l = 0; l < m->layers; l++)
				layer[l] = (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
			cost_formats(c, &plan, format);
			memcpy(before, format, sizeof before);
			assert_true(cost_total_of(c, &plan, format, NULL) == cost_total(c, &plan, NULL));
			for (int i = 0; i < 60; i++) {
				int group[LAYERS], count = 0, odds = i % 2 ? m->layers : 1 + random_below(m->layers);
				for (int l = 0; l < m->layers; l++)
					if (random_below(odds) == 0)
						group[count++] = l;
				for (int k = 0; k < OPTIONS * count; k++)
					to[k] = k < count ? layer[group[k]]
							  : (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
				double part[OPTIONS];
				memcpy(kept, layer, sizeof kept);
				cost_parts(c, &plan, format, group, count, to, OPTIONS, part);
				assert_memory_equal(layer, kept, (size_t)m->layers * sizeof *layer);
				assert_memory_equal(format, before, (size_t)m->ops);
				for (int o = 0; o < OPTIONS; o++) {
					for (int k = 0; k < count; k++)
						kept[group[k]] = to[o * count + k];
					double alone = cost_part(c, &(struct plan){.model = m, .layer = kept}, group, count);
					if (part[o] != alone)
						fail_msg("%s on %s: %.17g, not %.17g", terms[t], m->name, part[o], alone);
				}
			}
			cost_free(c);
		}
	for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++)
		model_free(nets[n]);
}

// ---- networks of which there are many ----

// A network in a file, with kernels and a block of one's own; its pieces are named alike whatever they are.
static struct model *in_a_file(int kernel, int block, int width)
{
	char text[1024];
	struct fault f = {0};
	snprintf(text, sizeof text,
		"input 32x32x3\nclasses 10\nstem conv out=%d kernel=%d\none norm act=relu\n%s"
		"deep conv out=%d kernel=%d groups=each\nthree norm act=relu6\nlast conv out=%d kernel=1\nfour norm\n"
		"sum add in=four,%s act=relu\npooled pool\nhead linear out=classes\n",
		width, kernel,
		block ? "more conv out=16 kernel=3\ntwo norm act=swish\nback conv out=16 kernel=1\nmid norm\n" : "",
		block ? 16 : width, kernel, block ? 16 : width, block ? "mid" : "one");
	struct model *m = model_read(file_of(text, ".net"), (struct shape){0, 0, 0}, 0, &f);
	if (!m)
		fail_msg("%s: %s", f.where, f.what);
	return m;
}

struct piece {
	const char *net; // NULL: in a file, of these
	int kernel, block, width;
};

static struct model *piece_of(const struct piece *p)
{
	struct fault f = {0};
	struct model *m = p->net ? model_named(p->net, (struct shape){32, 32, 3}, 10, &f)
				 : in_a_file(p->kernel, p->block, p->width);
	if (!m)
		fail_msg("%s: %s", f.where, f.what);
	return m;
}

// The same bits from both, by every function, for random formats.
static void price_alike(const struct cost *const cost[2], const struct model *m)
{
	enum { OPTIONS = 4, OPS = 1024 };
	struct layer_plan layer[LAYERS], to[OPTIONS];
	struct plan plan = {.model = m, .layer = layer};
	struct cost_settings settings[LAYERS];
	double total[2], least[2], even[2], parts[2][LAYERS], part[2][OPTIONS];
	uint8_t format[2][OPS] = {{0}};
	int changed = random_below(m->layers), one = random_below(FORMATS);
	assert_in_range(m->ops, 1, OPS);
	for (int l = 0; l < m->layers; l++)
		layer[l] = (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
	to[0] = layer[changed];
	for (int o = 1; o < OPTIONS; o++)
		to[o] = (struct layer_plan){random_below(FORMATS), random_below(FORMATS)};
	for (int l = 0; l < m->layers; l++)
		settings[l] = (struct cost_settings){to, OPTIONS};
	for (int k = 0; k < 2; k++) {
		total[k] = cost_total(cost[k], &plan, parts[k]);
		even[k] = cost_uniform_total(cost[k], one);
		least[k] = cost_least(cost[k], settings);
		cost_formats(cost[k], &plan, format[k]);
		cost_parts(cost[k], &plan, format[k], &changed, 1, to, OPTIONS, part[k]);
	}
	if (total[0] != total[1] || even[0] != even[1] || least[0] != least[1])
		fail_msg("%s of %s: %.17g, not %.17g", cost_name(cost[1]), m->name, total[1], total[0]);
	assert_memory_equal(parts[0], parts[1], (size_t)m->layers * sizeof **parts);
	assert_memory_equal(part[0], part[1], sizeof part[0]);
	assert_memory_equal(format[0], format[1], sizeof format[0]);
}

// A cost settled for one path after the other prices each as a cost made for that network by name does.
static void a_settled_path_prices_as_the_network_by_name(void **state)
{
	(void)state;
	enum { PIECES = 4, TIMES = 10 };
	static const struct piece families[][PIECES] = {
		// the first: the whole
		{{"resnet8", 0, 0, 0}, {"resnet8:width=0.5", 0, 0, 0}, {"resnet8:width=0.25", 0, 0, 0}, {"resnet8", 0, 0, 0}},
		{{"mobilenetv2", 0, 0, 0}, {"mobilenetv2:width=0.5", 0, 0, 0}, {"mobilenetv2:width=0.35", 0, 0, 0},
			{"mobilenetv2", 0, 0, 0}},
		{{NULL, 7, 1, 16}, {NULL, 5, 1, 16}, {NULL, 3, 1, 8}, {NULL, 7, 0, 16}},
	};
	for (size_t n = 0; n < sizeof families / sizeof families[0]; n++)
		for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++) {
			struct fault f = {0};
			struct model *whole = piece_of(&families[n][0]);
			struct tariff *tariff = tariff_new(whole, terms[t], t % 2 ? 0 : 8, &f);
			struct path path = {.whole = whole};
			struct cost *many = cost_of(tariff, &(struct plan){.model = whole}, &f);
			for (int i = 0; i < TIMES; i++) {
				const struct piece *next = &families[n][i % 3 ? random_below(PIECES) : i % PIECES];
				struct model *named = piece_of(next);
				struct cost *alone = term_of(named, terms[t], t % 2 ? 0 : 8);
				assert_true(path_settle(&path, piece_of(next), &f));
				assert_true(cost_settle(many, &(struct plan){.model = path.model, .path = &path}, &f));
				price_alike((const struct cost *const[]){alone, many}, named);
				cost_free(alone);
				model_free(named);
			}
			cost_free(many);
			tariff_free(tariff);
			path_free(&path);
			model_free(whole);
		}
}

// Once the largest network was settled, nothing is allocated any more, however many follow.
static void settling_does_not_grow(void **state)
{
	(void)state;
	const struct piece large = {NULL, 7, 1, 16}, less = {NULL, 3, 0, 8};
	struct model *whole = piece_of(&large), *part = piece_of(&less);
	for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++) {
		struct fault f = {0};
		struct tariff *tariff = tariff_new(whole, terms[t], 0, &f);
		struct cost *c = cost_of(tariff, &(struct plan){.model = whole}, &f);
		assert_non_null(c);
		size_t before = mallinfo2().uordblks;
		for (int i = 0; i < 1000; i++)
			assert_true(cost_settle(c, &(struct plan){.model = i % 2 ? whole : part}, &f));
		assert_int_equal(mallinfo2().uordblks, before);
		cost_free(c);
		tariff_free(tariff);
	}
	model_free(part);
	model_free(whole);
}

// A table has the whole's layers as they are there. A path without some of them is priced by the others' rows, whatever their
// places; a layer that has become smaller has no price, and the fault says so.
static void a_table_prices_layers_as_they_were_measured(void **state)
{
	(void)state;
	struct fault f = {0};
	char term[512];
	struct model *whole = in_a_file(7, 1, 16);
	struct path path = {.whole = whole};
	struct layer_plan layer[LAYERS] = {{0, 0}};
	struct plan plan = {.layer = layer, .path = &path};
	assert_true(path_settle(&path, in_a_file(7, 0, 16), &f));
	plan.model = path.model;
	snprintf(term, sizeof term, "latency@table:%s",
		file_of("layer,format,ms\nstem,int8,1\nmore,int8,2\nback,int8,4\ndeep,int8,8\nlast,int8,16\nhead,int8,32\n",
			".csv"));
	struct tariff *tariff = tariff_new(whole, term, 0, &f);
	assert_non_null(tariff);
	struct cost *c = cost_of(tariff, &plan, &f);
	const int formats[] = {format_named("int4"), format_named("int8")};
	double part[LAYERS];
	assert_true(cost_answers(c, formats, 2, &f));
	near(cost_total(c, &plan, part), 1 + 8 + 16 + 32);
	near(part[1], 8);
	for (int narrow = 0; narrow < 2; narrow++) {
		assert_true(path_settle(&path, narrow ? in_a_file(7, 1, 8) : in_a_file(3, 1, 16), &f));
		plan.model = path.model;
		assert_true(cost_settle(c, &plan, &f));
		assert_true(isinf(cost_total(c, &plan, NULL)));
		assert_false(cost_answers(c, formats, 2, &f));
		assert_string_equal(f.where, "stem");
		assert_string_equal(f.what, "the table has its time in the largest shape alone, and it runs in a smaller one");
	}
	cost_free(c);
	tariff_free(tariff);
	path_free(&path);
	model_free(whole);
}

static void terms_that_are_listed(void **state)
{
	(void)state;
	struct fault f;
	struct model *m = model_named("resnet8", (struct shape){32, 32, 3}, 10, &f);
	int listed = 0;
	for (const char *const *name = cost_terms(); *name; name++) {
		struct cost *c = cost_new(m, *name, 0, &f);
		listed += c != NULL;
		cost_free(c);
	}
	// 4 without a device; latency on all but bow, edge_tpu and cmos_45nm; energy on tpu_v3, v4i, v4, a100 and cmos_45nm
	assert_int_equal(listed, 4 + 16 + 5);
	model_free(m);
}

static void targets_have_units(void **state)
{
	(void)state;
	struct model *m = one_conv();
	static const struct row {
		const char *term, *text;
		double value; // 0: refused
	} rows[] = {
		{"latency@a100", "3ms", 3},
		{"latency@a100", "250us", .25},
		{"latency@a100", "2s", 2000},
		{"latency@a100", "80ns", 80e-6},
		{"latency@a100", "1.5", 1.5},
		{"latency@a100", "0.5x", 5},
		{"latency@a100", "3M", 0},
		{"latency@a100", "3mJ", 0},
		{"latency@a100", "3 ms", 0},
		{"energy@a100", "20mJ", 20},
		{"energy@a100", "500uJ", .5},
		{"energy@a100", "2J", 2000},
		{"energy@a100", "3nJ", 3e-6},
		{"energy@a100", "3ms", 0},
		{"energy@a100", "-3mJ", 0},
		{"size", "300kB", 3e5},
		{"size", "1.5MB", 1.5e6},
		{"size", "2KiB", 2048},
		{"size", "2k", 2000},
		{"size", "2ms", 0},
		{"activations", "1MiB", 1048576},
		{"bops", "2G", 2e9},
		{"bops", "2GB", 0},
		{"bops", "3ms", 0},
		{"bops", "int4", 294912 * 16},
		{"activations", "int8", 1024 + 8192},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cost *c = term_of(m, rows[i].term, 0);
		struct fault f = {0};
		double value = 0;
		bool ok = cost_target_value(c, 10, rows[i].text, &value, &f);
		if (ok != (rows[i].value > 0))
			fail_msg("%s %s: %g", rows[i].term, rows[i].text, value);
		near(value, rows[i].value);
		if (!ok)
			assert_true(strcmp(f.where, rows[i].term) == 0 && f.what[0] && f.todo[0]);
		cost_free(c);
	}
	model_free(m);
}

static void more_operators_than_can_be_priced(void **state)
{
	(void)state;
	struct model *m = model_new("deep", (struct shape){1, 1, 1}, 2);
	int x = 0;
	for (int i = 0; i < 4096; i++)
		x = model_act(m, x, ACT_RELU);
	m = finished(m);
	struct fault f = {0};
	assert_null(cost_new(m, "bops", 0, &f));
	assert_string_equal(f.what, "4097 operators are more than can be priced (4096)");
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native_types),
		cmocka_unit_test(native_types_of_pairs),
		cmocka_unit_test(ridge_points),
		cmocka_unit_test(figures_and_their_marks),
		cmocka_unit_test(device_files),
		cmocka_unit_test(bad_device_files),
		cmocka_unit_test(roofline_of_a_convolution),
		cmocka_unit_test(narrow_formats_that_save_only_bytes),
		cmocka_unit_test(padding_of_operators),
		cmocka_unit_test(padding_of_products),
		cmocka_unit_test(rates_of_types),
		cmocka_unit_test(parts_of_a_product),
		cmocka_unit_test(kernels_have_a_floor),
		cmocka_unit_test(agrees_with_silicon),
		cmocka_unit_test(constants_are_fitted),
		cmocka_unit_test(what_is_assumed_is_said),
		cmocka_unit_test(operators_without_weights_count_with_the_layer_before),
		cmocka_unit_test(each_operator_without_weights),
		cmocka_unit_test(norms_and_activations_fold),
		cmocka_unit_test(tensors_stay_on_chip),
		cmocka_unit_test(activations_of_a_residual_block),
		cmocka_unit_test(energies),
		cmocka_unit_test(what_cannot_be_priced_is_refused),
		cmocka_unit_test(measured_latencies),
		cmocka_unit_test(bad_tables),
		cmocka_unit_test(a_change_prices_as_the_whole),
		cmocka_unit_test(many_changes_price_as_each_alone),
		cmocka_unit_test(a_settled_path_prices_as_the_network_by_name),
		cmocka_unit_test(settling_does_not_grow),
		cmocka_unit_test(a_table_prices_layers_as_they_were_measured),
		cmocka_unit_test(terms_that_are_listed),
		cmocka_unit_test(targets_have_units),
		cmocka_unit_test(more_operators_than_can_be_priced),
	};
	return cmocka_run_group_tests(tests, NULL, remove_file);
}

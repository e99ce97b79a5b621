// SPDX-License-Identifier: GPL-3.0-or-later
// Measured times: their tables in device files, what is priced by them, the clock around a pass, a measurement that is cut off and goes
// on, and files of kernels that were measured elsewhere.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/catalog.h"
#include "engine/cost/cost.h"
#include "engine/hardware/times.h"
#include "engine/hardware/timings.h"
#include "engine/measure.h"
#include "engine/model/blueprint.h"
#include "engine/model/networks.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "tests/ground.h"

static char place[256];

static int make_place(void **state)
{
	(void)state;
	return ground_make(place, sizeof place, "times", "here") ? 0 : -1;
}

static int clear_place(void **state)
{
	(void)state;
	return chdir("/") == 0 && ground_clear(place) ? 0 : -1;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static void assert_says(const struct fault *f, const char *part)
{
	char line[sizeof *f + 8];
	if (!strstr(fault_line(f, line, sizeof line), part))
		fail_msg("\"%s\" does not say \"%s\"", line, part);
	assert_true(f->where[0] && f->what[0] && f->todo[0]);
}

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b))))
		fail_msg("%.12g is not %.12g", a, b);
}

// ---- medians ----

static void medians_and_intervals(void **state)
{
	(void)state;
	// The ranks of a 95 % interval, counted from 1, by the binomial distribution: of 15 the 4th to the 12th.
	static const struct {
		int count, low;
	} known[] = {{1, 1}, {2, 1}, {5, 1}, {6, 1}, {8, 1}, {9, 2}, {12, 3}, {15, 4}, {20, 6}, {25, 8}, {30, 10}, {100, 40}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		double x[100], low, high;
		int n = known[i].count;
		for (int k = 0; k < n; k++)
			x[k] = (double)((k * 37 + 11) % n + 1) + (n % 37 == 0); // 1..n in some order
		double median = times_median(x, n, &low, &high);
		assert_near(median, (n + 1) / 2.0);
		assert_near(low, known[i].low);
		assert_near(high, n + 1 - known[i].low);
	}
}

// ---- files ----

static struct time_row a_row(const char *net, const char *layer, const char *work, const char *format, int batch, double seconds)
{
	struct time_row r = {.format = format_named(format), .batch = batch, .seconds = seconds};
	snprintf(r.net, sizeof r.net, "%s", net);
	snprintf(r.layer, sizeof r.layer, "%s", layer);
	snprintf(r.work, sizeof r.work, "%s", work);
	return r;
}

static void a_table_is_read_as_it_was_written(void **state)
{
	(void)state;
	struct fault f;
	struct times t = {.processor = "Some \"chip\"", .kernels = "avx2", .threads = 3}, back;
	struct device d = {.name = "mine",
			      .source = "measured",
			      .assumed = "batch kernel.floor",
			      .batch = 8,
			      .bandwidth = 1.5e9,
			      .floor = 2e-6},
		      got;
	d.peak[NATIVE_INT8] = 4e11;
	d.peak[NATIVE_FP32] = (double)NAN;
	struct time_row row = a_row("resnet8", "stem", "conv 3x3/1 32x32x3 to 32x32x16", "int8", 8, 1);
	struct time_row *at = times_add(&t, &row, &f);
	for (int i = 0; i < 9; i++)
		assert_true(times_sample(at, 1e-4 * (9 - i), 1e-6 * i, &f));
	times_settle(at);
	assert_near(at->seconds, 5e-4);
	assert_near(at->low, 2e-4);
	assert_near(at->high, 8e-4);
	assert_near(at->behind, 4e-6);
	row = a_row("", "", "linear 1x1x64 to 1x1x10", "fp32", 8, 2e-5);
	assert_non_null(times_add(&t, &row, &f));
	assert_true(device_write("mine.json", &d, &t, &f));
	assert_true(device_read("mine.json", &got, &f));
	assert_string_equal(got.times, "mine.json");
	assert_string_equal(got.assumed, d.assumed);
	assert_near(got.peak[NATIVE_INT8], 4e11);
	assert_true(isnan(got.peak[NATIVE_FP32]));
	assert_near(got.floor, 2e-6);
	assert_true(times_read("mine.json", &back, &f));
	assert_string_equal(back.processor, t.processor);
	assert_int_equal(back.threads, 3);
	assert_int_equal(back.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(back.row[i].net, t.row[i].net);
		assert_string_equal(back.row[i].layer, t.row[i].layer);
		assert_string_equal(back.row[i].work, t.row[i].work);
		assert_int_equal(back.row[i].format, t.row[i].format);
		assert_int_equal(back.row[i].samples, t.row[i].samples);
		assert_true(fabs(back.row[i].seconds / t.row[i].seconds - 1) < 1e-6);
	}
	assert_true(fabs(back.row[0].sample[8] / t.row[0].sample[8] - 1) < 1e-6);
	assert_true(times_find(&back, &t.row[0]) == &back.row[0]);
	assert_null(times_find(&back, &(struct time_row){.format = 0}));
	times_free(&back);
	times_free(&t);
}

#define HEAD "{\"bitscape-device\": 1, \"name\": \"x\", \"source\": \"s\", \"measured\": "
#define ROW "{\"layer\": \"stem\", \"format\": \"int8\", \"batch\": 8, \"seconds\": 1e-3"

static void bad_tables_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
		{HEAD "3}", "measured: not an object"},
		{HEAD "{}}", "measured.rows: missing"},
		{HEAD "{\"rows\": 4}}", "expected a list of rows"},
		{HEAD "{\"rows\": [], \"threads\": 0}}", "measured.threads: 0"},
		{HEAD "{\"rows\": [], \"threads\": 1.5}}", "measured.threads: 1.5"},
		{HEAD "{\"rows\": [], \"kernels\": 7}}", "measured.kernels: 7"},
		{HEAD "{\"rows\": [], \"speed\": 7}}", "measured.speed"},
		{HEAD "{\"rows\": [7]}}", "measured.rows[0]: 7"},
		{HEAD "{\"rows\": [{}]}}", "a row needs a layer or a work"},
		{HEAD "{\"rows\": [" ROW "}, {\"format\": \"int8\", \"batch\": 8, \"seconds\": 1}]}}", "measured.rows[1]: {"},
		{HEAD "{\"rows\": [" ROW ", \"batch\": 8}]}}", "duplicate"},
		{HEAD "{\"rows\": [" ROW ", \"low\": 1e-4}]}}", "low"},
		{HEAD "{\"rows\": [" ROW ", \"low\": 2e-3, \"high\": 3e-3}]}}", "low and high"},
		{HEAD "{\"rows\": [" ROW ", \"behind\": -1}]}}", "measured.rows[0].behind: -1"},
		{HEAD "{\"rows\": [" ROW ", \"samples\": [1e-3]}]}}", "behinds"},
		{HEAD "{\"rows\": [" ROW ", \"samples\": [1e-3], \"behinds\": [0, 0]}]}}", "as many"},
		{HEAD "{\"rows\": [" ROW ", \"samples\": [\"x\"], \"behinds\": [0]}]}}", "samples"},
		{HEAD "{\"rows\": [" ROW ", \"samples\": []}]}}", "samples"},
		{HEAD "{\"rows\": [" ROW ", \"color\": 1}]}}", "rows[0].color"},
		{HEAD "{\"rows\": [" ROW "}, " ROW "}]}}", "two rows are about stem"},
		{HEAD "{\"rows\": [{\"layer\": \"a\", \"format\": \"int9\", \"batch\": 8, \"seconds\": 1}]}}",
			"format: \"int9\""},
		{HEAD "{\"rows\": [{\"layer\": \"a\", \"format\": \"int8\", \"batch\": 0, \"seconds\": 1}]}}", "batch: 0"},
		{HEAD "{\"rows\": [{\"layer\": \"a\", \"format\": \"int8\", \"batch\": 8, \"seconds\": 0}]}}", "seconds: 0"},
		{HEAD "{\"rows\": [{\"layer\": \"a\", \"format\": \"int8\", \"batch\": 8, \"seconds\": 1e300}]}}",
			"rows[0].seconds: 1.0"},
		{HEAD "{\"rows\": [{\"layer\": [], \"format\": \"int8\", \"batch\": 8, \"seconds\": 1}]}}", "layer: []"},
		{HEAD "{\"rows\": [{\"layer\": \"0123456789012345678901234567890123456789012345678901234567890123456789\"}]}}",
			"not a long one"},
		{HEAD "{\"rows\": [", "line 1"},
		{"{\"bitscape-device\": 1, \"name\": \"x\", \"source\": \"s\"}", "peaks"},
	};
	struct device d;
	struct times t;
	struct fault f;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put("bad.json", bad[i].text);
		if (device_read("bad.json", &d, &f))
			fail_msg("%s is read", bad[i].text);
		assert_says(&f, bad[i].says);
		assert_false(times_read("bad.json", &t, &f));
		assert_true(f.what[0]);
	}
	put("tpu.json", "{\"bitscape-device\": 1, \"name\": \"x\", \"source\": \"s\", \"peaks\": {\"int8\": 4}}");
	assert_false(times_read("tpu.json", &t, &f));
	assert_says(&f, "no measured times");
	put("good.json", HEAD "{\"rows\": [" ROW "}]}}");
	assert_true(device_read("good.json", &d, &f));
}

// Any byte may be another one, and a file may end anywhere.
static void spoiled_tables_do_no_harm(void **state)
{
	(void)state;
	static const char whole[] = HEAD
		"{\"threads\": 2, \"rows\": [" ROW ", \"low\": 9e-4, \"high\": 2e-3, \"samples\": [1e-3, 2e-3], "
		"\"behinds\": [0, 1e-6]}, {\"work\": \"conv\", \"format\": \"fp32\", \"batch\": 1, \"seconds\": 1}]}}";
	uint64_t seed = 7;
	int read = 0;
	for (int i = 0; i < 1500; i++) {
		char text[sizeof whole];
		struct device d;
		struct times t;
		struct fault f = {0};
		memcpy(text, whole, sizeof whole);
		text[any_of(&seed, sizeof whole - 1)] = (char)(1 + any_of(&seed, 126));
		if (i % 3 == 0)
			text[any_of(&seed, sizeof whole - 1)] = 0;
		put("spoiled.json", text);
		bool ok = device_read("spoiled.json", &d, &f);
		assert_true(ok || (f.where[0] && f.what[0]));
		if (ok && times_read("spoiled.json", &t, &f)) {
			read++;
			times_free(&t);
		}
	}
	assert_true(read > 0);
}

// ---- prices ----

static double total(const char *net, const char *term, const char *weight, const char *activation, int batch, struct fault *f)
{
	struct description *d = description_open(net, 0, 0, 0, 0, f);
	assert_non_null(d);
	struct costing *c = costing_new(d, term, batch, f);
	double sum = (double)NAN;
	const struct layer_formats formats = {weight, activation};
	if (c && !costing_total(c, &formats, 1, &sum, f))
		sum = (double)NAN;
	costing_free(c);
	description_close(d);
	return sum;
}

// A table of all layers of resnet8, where layer i takes i + 1 ms as int8, 3 times as long as fp32, and 0.5 ms behind it.
static void write_resnet8(const char *path, bool by_name, bool by_work, int batch)
{
	struct fault f;
	struct model *m = model_named("resnet8", (struct shape){0}, 0, &f);
	struct times t = {.threads = 2};
	struct device d = {.name = "mine", .source = "invented", .batch = batch, .vector = 1e10, .bandwidth = 1e10};
	d.peak[NATIVE_INT8] = 2e11;
	d.peak[NATIVE_FP32] = 1e11;
	for (int l = 0; l < m->layers; l++)
		for (int k = 0; k < 2; k++) {
			char work[MODEL_WORK];
			struct time_row row = a_row(by_name ? "resnet8" : "", by_name ? m->layer[l].name : "",
				by_work ? model_layer_work(m, l, work) : "", k ? "fp32" : "int8", batch,
				1e-3 * (l + 1) * (k ? 3 : 1));
			row.behind = 5e-4;
			if (!times_find(&t, &row))
				assert_non_null(times_add(&t, &row, &f));
		}
	assert_true(device_write(path, &d, &t, &f));
	times_free(&t);
	model_free(m);
}

static void latency_is_priced_by_the_table(void **state)
{
	(void)state;
	struct fault f;
	write_resnet8("mine.json", true, true, 8);
	assert_near(total("resnet8", "latency@mine.json", "int8", "int8", 0, &f), 55 + 10 * .5);
	assert_near(total("resnet8", "latency@mine.json", "fp32", "fp32", 0, &f), 3 * 55 + 10 * .5);
	// The narrowest format that holds both.
	assert_near(total("resnet8", "latency@mine.json", "int4", "int8", 0, &f), 60);
	assert_near(total("resnet8", "latency@mine.json", "e4m3", "int8", 0, &f), 170);
	assert_near(total("resnet8", "latency@mine.json", "int8", "int8", 8, &f), 60);
	// Whole files are refused, and why is said.
	assert_true(isnan(total("resnet8", "latency@mine.json", "int8", "int8", 4, &f)));
	assert_says(&f, "nothing was measured for 4 images at once; measured with batch=8");
	assert_true(isnan(total("resnet50", "latency@mine.json", "int8", "int8", 0, &f)));
	assert_says(&f, "conv 7x7/2 224x224x3 to 112x112x64 was not measured on mine, for 8 images at once");
	assert_says(&f, "mine:modelled");
	// Without its times it is a roofline, and other than the table.
	double modelled = total("resnet50", "latency@mine.json:modelled", "int8", "int8", 0, &f);
	assert_true(modelled > 0);
	assert_near(total("resnet50", "latency@mine.json:ideal", "int8", "int8", 0, &f), modelled);
	assert_true(total("resnet8", "latency@mine.json:modelled", "int8", "int8", 0, &f) < 10);
	// Names alone serve that network alone; works serve others, with the mean of what does the same.
	write_resnet8("names.json", true, false, 8);
	assert_near(total("resnet8", "latency@names.json", "int8", "int8", 0, &f), 60);
	assert_true(isnan(total("resnet20", "latency@names.json", "int8", "int8", 0, &f)));
	write_resnet8("works.json", false, true, 8);
	// s1b1's two convolutions do the same work, of which the table of works has the first's time.
	assert_near(total("resnet8", "latency@works.json", "int8", "int8", 0, &f), 60 - 1);
	// resnet20 has three blocks a stage; both tables know their work. By means: s1 (2 + 3)/2, six of them.
	assert_near(total("resnet20", "latency@mine.json", "int8", "int8", 0, &f),
		1 + 6 * 2.5 + 4 + 5 * 5 + 6 + 7 + 5 * 8 + 9 + 10 + 22 * .5);
}

static void a_tables_parts_add_up(void **state)
{
	(void)state;
	struct fault f;
	write_resnet8("mine.json", true, true, 8);
	struct model *m = model_named("resnet8", (struct shape){0}, 0, &f);
	struct cost *c = cost_new(m, "latency@mine.json", 0, &f);
	assert_non_null(c);
	assert_string_equal(cost_unit(c), "ms per 8 images");
	assert_string_equal(cost_device(c)->name, "mine");
	assert_false(cost_assumed(c));
	assert_true(cost_adds(c));
	struct layer_plan plan[16];
	struct cost_time time[16];
	double part[16], sum = 0;
	for (int l = 0; l < m->layers; l++)
		plan[l] = (struct layer_plan){format_named("int8"), l % 2 ? format_named("fp32") : format_named("int4")};
	const struct plan p = {.model = m, .layer = plan};
	double whole = cost_total(c, &p, part);
	assert_true(cost_timed(c, &p, time));
	for (int l = 0; l < m->layers; l++) {
		sum += part[l];
		assert_near(part[l], time[l].ms + time[l].behind);
		assert_near(time[l].ms, (l + 1) * (l % 2 ? 3 : 1));
		assert_near(time[l].behind, .5);
		assert_string_equal(format_table[time[l].format].name, l % 2 ? "fp32" : "int8");
	}
	assert_near(whole, sum);
	cost_free(c);
	// Nothing holds fp32 but what was measured as it.
	struct times t;
	struct device d;
	assert_true(device_read("mine.json", &d, &f) && times_read("mine.json", &t, &f));
	for (int i = 0; i < t.count; i++)
		if (t.row[i].format == format_named("fp32"))
			t.row[i].format = format_named("int4"); // 3 times as slow as int8: yet it is what int4 runs as
	assert_true(device_write("narrow.json", &d, &t, &f));
	times_free(&t);
	assert_near(total("resnet8", "latency@narrow.json", "int3", "int4", 0, &f), 170);
	assert_near(total("resnet8", "latency@narrow.json", "int5", "int4", 0, &f), 60);
	assert_true(isnan(total("resnet8", "latency@narrow.json", "int8", "bf16", 0, &f)));
	assert_says(&f, "nothing was measured that holds int8 weights and bf16 activations");
	model_free(m);
}

// Under another choice a layer has another work, and its own price.
static void architectures_are_priced_by_work(void **state)
{
	(void)state;
	put("nas.net",
		"input 8x8x3\nclasses 4\nstem conv out=8 kernel=3\nwide conv out=8|16 kernel=1|3\npool pool\nhead linear out=4\n");
	struct fault f;
	struct blueprint *b = blueprint_named("./nas.net", (struct shape){0}, 0, &f);
	if (!b)
		fail_msg("%s: %s", f.where, f.what);
	const struct model *whole = blueprint_whole(b);
	struct times t = {0};
	struct path path = {.whole = whole};
	double want[4];
	for (int choice = 0; choice < 4; choice++) {
		assert_true(blueprint_settle(b, (const uint8_t[]){(uint8_t)(choice & 1), (uint8_t)(choice >> 1)}, &path, &f));
		want[choice] = 0;
		for (int l = 0; l < path.model->layers; l++) {
			char work[MODEL_WORK];
			struct time_row row = a_row("", "", model_layer_work(path.model, l, work), "int8", 4,
				1e-6 * path.model->layer[l].macs + 1e-6);
			want[choice] += 1e3 * row.seconds;
			if (choice != 3 && !times_find(&t, &row))
				assert_non_null(times_add(&t, &row, &f));
		}
	}
	struct device d = {.name = "w", .source = "invented", .batch = 4};
	assert_true(device_write("w.json", &d, &t, &f));
	struct tariff *tariff = tariff_new(whole, "latency@w.json", 0, &f);
	if (!tariff)
		fail_msg("%s: %s", f.where, f.what);
	struct layer_plan plan[8];
	for (int l = 0; l < whole->layers; l++)
		plan[l] = (struct layer_plan){format_named("int8"), format_named("int8")};
	struct cost *c = NULL;
	for (int choice = 0; choice < 4; choice++) {
		assert_true(blueprint_settle(b, (const uint8_t[]){(uint8_t)(choice & 1), (uint8_t)(choice >> 1)}, &path, &f));
		const struct plan p = {.model = path.model, .layer = plan, .path = &path};
		if (!c)
			c = cost_of(tariff, &p, &f);
		else
			assert_true(cost_settle(c, &p, &f));
		if (choice < 3) {
			assert_near(cost_total(c, &p, NULL), want[choice]);
			assert_true(cost_answers(c, (int[]){format_named("int8")}, 1, &f));
		} else {
			assert_true(isinf(cost_total(c, &p, NULL)));
			assert_false(cost_answers(c, (int[]){format_named("int8")}, 1, &f));
			assert_says(&f, "conv 3x3/1 8x8x8 to 8x8x16 was not measured on w");
		}
	}
	cost_free(c);
	tariff_free(tariff);
	times_free(&t);
	path_free(&path);
	blueprint_free(b);
}

// ---- the clock ----

static void a_timed_pass_is_a_pass(void **state)
{
	(void)state;
	struct fault f;
	struct model *m = model_named("mobilenetv2:width=0.35", (struct shape){16, 16, 3}, 10, &f);
	struct team *team = team_new(2, &f);
	struct network *net = network_new(m, NULL, 8, 0, 0, team, &f);
	struct calibration *c = calibration_new(net, &f);
	struct layer_plan *plan = calloc((size_t)m->layers, sizeof *plan);
	double *seconds = calloc((size_t)m->ops, sizeof *seconds), sum = 0;
	float want[80];
	static const struct quantization q = {.range = RANGE_MAX, .per_channel = true};
	for (int l = 0; l < m->layers; l++)
		plan[l] = (struct layer_plan){format_named("int8"), format_named(l % 2 ? "int8" : "e4m3")};
	const struct plan p = {.model = m, .layer = plan};
	network_initialise(net, 3);
	for (int i = 0; i < 8 * 16 * 16 * 3; i++)
		network_input(net)[i] = (float)((i * 7) % 23) / 23;
	network_forward(net, &p, &q, PASS_CALIBRATE, 8, c);
	network_forward(net, &p, &q, PASS_FIXED, 8, c);
	memcpy(want, network_logits(net), sizeof want);
	double began = clock_seconds();
	network_time(net, &p, &q, 8, c, seconds);
	double took = clock_seconds() - began;
	assert_memory_equal(network_logits(net), want, sizeof want);
	for (int i = 0; i < m->ops; i++) {
		assert_true(seconds[i] >= 0);
		assert_true(m->op[i].layer < 0 || seconds[i] > 0);
		sum += seconds[i];
	}
	assert_true(sum > 0 && sum <= took);
	free(seconds);
	free(plan);
	calibration_free(c);
	network_free(net);
	team_free(team);
	model_free(m);
}

// ---- a measurement ----

static struct measurement *open_small(struct measure_question q, struct fault *f)
{
	q.net = "resnet8:width=0.25";
	q.batch = 4;
	q.threads = q.threads ? q.threads : 1;
	return measurement_open(&q, f);
}

static void a_measurement_goes_on_where_it_was(void **state)
{
	(void)state;
	struct fault f;
	struct measure_state s;
	struct measurement *m = open_small((struct measure_question){.rounds = 7}, &f);
	if (!m)
		fail_msg("%s: %s", f.where, f.what);
	for (int i = 0; i < 5; i++) // two rounds, and half of the third, which is lost
		assert_true(measurement_pass(m, &f));
	measurement_state(m, &s);
	assert_int_equal(s.made, 2);
	assert_false(s.done);
	assert_true(s.left > 0 && s.share > 0.35 && s.share < 0.36);
	assert_true(measurement_save(m, &f));
	measurement_close(m);

	struct times t;
	struct device d;
	assert_true(device_get("host", &d, &f));
	assert_true(times_read(d.times, &t, &f));
	double first = t.row[0].sample[0], peak = d.peak[NATIVE_INT8];
	int rows = t.count;
	assert_int_equal(t.row[0].samples, 2);
	times_free(&t);
	assert_true(total("resnet8:width=0.25", "latency@host", "int8", "int8", 0, &f) > 0); // two rounds are times too

	m = open_small((struct measure_question){.rounds = 7}, &f);
	for (measurement_state(m, &s); !s.done; measurement_state(m, &s))
		assert_true(measurement_pass(m, &f));
	assert_int_equal(s.found, 2);
	assert_int_equal(s.made, 7);
	assert_true(s.share == 1);
	measurement_close(m);
	assert_true(device_get("host", &d, &f) && times_read(d.times, &t, &f));
	assert_int_equal(t.count, rows);
	assert_true(fabs(t.row[0].sample[0] / first - 1) < 1e-6);
	assert_true(fabs(d.peak[NATIVE_INT8] / peak - 1) < 1e-6);
	for (int i = 0; i < t.count; i++)
		assert_int_equal(t.row[i].samples, 7);
	times_free(&t);

	// Nothing is left to do; more rounds are more of the same; another network stands beside it.
	m = open_small((struct measure_question){.rounds = 7}, &f);
	measurement_state(m, &s);
	assert_true(s.done);
	measurement_close(m);
	struct measurement *other = measurement_open(&(struct measure_question){.net = "resnet8:width=0.5",
							     .batch = 4,
							     .threads = 1,
							     .rounds = 1,
							     .formats = "int8"},
		&f);
	assert_true(measurement_pass(other, &f));
	measurement_close(other);
	assert_true(device_get("host", &d, &f) && times_read(d.times, &t, &f));
	assert_int_equal(t.count, rows + rows / 2);
	times_free(&t);

	// Under other conditions it is another device.
	assert_null(open_small((struct measure_question){.rounds = 7, .threads = 2}, &f));
	assert_says(&f, "1 thread, not as now");
	m = open_small((struct measure_question){.rounds = 1, .threads = 2, .device = "two"}, &f);
	assert_true(measurement_pass(m, &f) && measurement_pass(m, &f));
	measurement_close(m);
	assert_true(device_get("two", &d, &f));
	assert_string_equal(d.name, "two");
	m = open_small((struct measure_question){.rounds = 1, .threads = 2, .again = true}, &f);
	measurement_state(m, &s);
	assert_int_equal(s.found, 0);
	assert_true(measurement_pass(m, &f) && measurement_pass(m, &f));
	measurement_close(m);
	assert_true(device_get("host", &d, &f) && times_read(d.times, &t, &f));
	assert_int_equal(t.threads, 2);
	assert_int_equal(t.count, rows);
	times_free(&t);
}

static void what_cannot_be_measured_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct measure_question q;
		const char *says;
	} bad[] = {
		{{.net = "nonet"}, "nonet"},
		{{.net = "resnet8", .formats = "int8,int9"}, "there is no such format"},
		{{.net = "resnet8", .formats = "int8,int8"}, "it is there twice"},
		{{.net = "resnet8", .formats = ""}, "there is no such format"},
		{{.net = "resnet8", .device = "tpu_v4"}, "a device of the table is called this"},
		{{.net = "resnet8", .device = "no good"}, "this cannot name a device"},
		{{.net = "resnet8", .device = "./tpu.json"}, "not measured so"},
		{{.net = "resnet8", .device = "./bad.json"}, "bad.json"},
		{{.net = "resnet8", .device = "./.json"}, "this cannot be the file of a device"},
	};
	struct fault f;
	put("tpu.json", "{\"bitscape-device\": 1, \"name\": \"x\", \"source\": \"s\", \"peaks\": {\"int8\": 4}}");
	put("bad.json", "{\"bitscape-device\": 1");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct measure_question q = bad[i].q;
		q.threads = 1;
		struct measurement *m = measurement_open(&q, &f);
		if (m)
			fail_msg("\"%s\" is measured", bad[i].says);
		assert_says(&f, bad[i].says);
	}
	struct device d;
	assert_false(device_get("nobody", &d, &f));
	assert_says(&f, "there is no device");
}

// ---- kernels from elsewhere ----

static void kernels_of_a_file(void **state)
{
	(void)state;
	struct timings t;
	struct fault f;
	put("k.csv",
		"# some machine\r\nkind,m,k,n,dtype,us,spread\nproduct,1536,2048,2048,bf16,52.5,0.5\n\n"
		"kind,a,b,c,d,e,g,h,type,us,low,high,warm_us\nproduct,10,4230,1657,,,,,bf16,5.2,5,6,1\nconv,8,56,64,32,3,2,4,int8,20,19,21,\n"
		"gpt2,128,1,,,,,,bf16,495,,,\nkind,net,layer,dtype,us\nlayer,resnet50,head,fp16,5\n");
	assert_true(timings_read("k.csv", &t, &f));
	assert_int_equal(t.count, 4);
	assert_int_equal(t.left_out, 1);
	assert_string_equal(t.other, "gpt2");
	const double first[] = {1536, 2048, 2048}, second[] = {10, 1657, 4230}, third[] = {8, 56, 64, 32, 3, 2, 4};
	assert_memory_equal(t.row[0].size, first, sizeof first);
	assert_near(t.row[0].low, 52);
	assert_near(t.row[0].high, 53);
	assert_memory_equal(t.row[1].size, second, sizeof second); // m, k, n of M, N, K
	assert_memory_equal(t.row[2].size, third, sizeof third);
	assert_int_equal(t.row[2].type, NATIVE_INT8);
	assert_near(t.row[2].high, 21);
	assert_string_equal(t.row[3].net, "resnet50");
	assert_near(t.row[3].size[0], 1);
	timings_free(&t);

	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "nothing in it"},
		{"product,1,1,1,bf16,5\n", "is not it"},
		{"kind,m,k,n,us\n", "none for the type"},
		{"kind,m,k,n,dtype\n", "no column us"},
		{"kind,m,m,dtype,us\n", "two columns m"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,bf16,5\n", "5 fields, not 6"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,0,bf16,5\n", "n: 0"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,1e99,bf16,5\n", "n: 1e99"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,,bf16,5\n", "n: nothing"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,1,bf17,5\n", "bf17 is not a type"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,1,bf16,nan\n", "us: nan"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,1,bf16,-5\n", "us: -5"},
		{"kind,m,k,n,dtype,us\nproduct,1,1,1,bf16,\n", "us: missing"},
		{"kind,net,layer,dtype,us\nlayer,,head,bf16,5\n", "net: nothing"},
		{"kind,m,k,n,dtype,us\n\033[31m,1,1,1,bf16,5\n", "nothing in it"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put("bad.csv", bad[i].text);
		if (timings_read("bad.csv", &t, &f))
			fail_msg("%s is read", bad[i].text);
		assert_says(&f, bad[i].says);
	}
	uint64_t seed = 3;
	for (int i = 0; i < 500; i++) { // any bytes at all
		char text[200];
		for (size_t k = 0; k < sizeof text - 1; k++)
			text[k] = "kind,mkn\n0123456789product,bf16.us-e"[any_of(&seed, 35)];
		text[sizeof text - 1] = 0;
		memcpy(text, "kind,m,k,n,dtype,us\n", 20);
		put("any.csv", text);
		if (timings_read("any.csv", &t, &f))
			timings_free(&t);
	}
}

// The products that were measured on a TPU v4 come out as by the table of the program.
static void a_file_beside_a_roofline(void **state)
{
	(void)state;
	struct measured_file file;
	struct fault f;
	int count = catalog_measured(NULL, 0, &f);
	struct measured_time *time = calloc((size_t)count, sizeof *time);
	catalog_measured(time, count, &f);
	FILE *out = fopen("v4.csv", "we");
	fputs("kind,m,n,k,dtype,us\n", out);
	int products = 0;
	for (int i = 0; i < count; i++) {
		int m, n, k;
		if (strcmp(time[i].kind, "product") == 0 && sscanf(time[i].name, "%dx%dx%d", &m, &n, &k) == 3 && ++products)
			fprintf(out, "product,%d,%d,%d,bf16,%g\n", m, n, k, time[i].measured);
	}
	fputs("product,512,512,512,e4m3,3\n", out);
	fclose(out);
	assert_int_equal(products, 40);
	assert_true(catalog_measured_file("v4.csv", "tpu_v4", true, &file, &f));
	assert_int_equal(file.count, products + 1);
	for (int i = 0; i < products; i++) {
		assert_near(file.time[i].modelled, time[i].modelled);
		assert_string_equal(file.time[i].name, time[i].name);
		assert_non_null(file.time[i].bound);
	}
	assert_true(isnan(file.time[products].modelled)); // a v4 has no e4m3
	free(file.time);
	free(time);
	// What bounds a kernel: one that is nothing but bytes, one that is nothing but products, one that is nothing at all.
	put("bounds.csv",
		"kind,rows,width,n,batch,heads,dim,h,c,out,kernel,dtype,us\nlayernorm,65536,4096,,,,,,,,,bf16,100\n"
		"conv,,,,128,,,28,512,512,3,bf16,100\nelement-wise,,,16,,,,,,,,bf16,1\nattention,,,4096,64,12,64,,,,,bf16,100\n");
	assert_true(catalog_measured_file("bounds.csv", "h100", false, &file, &f));
	assert_string_equal(file.time[0].bound, "memory");
	assert_string_equal(file.time[1].bound, "compute");
	assert_string_equal(file.time[2].bound, "floor");
	assert_string_equal(file.time[3].bound, "compute");
	free(file.time);
	put("no.csv", "kind,net,layer,dtype,us\nlayer,resnet50,nolayer,bf16,5\n");
	assert_false(catalog_measured_file("no.csv", "h100", false, &file, &f));
	assert_says(&f, "resnet50 has no such layer");
	assert_false(catalog_measured_file("k.csv", "nodevice", false, &file, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians_and_intervals),
		cmocka_unit_test(a_table_is_read_as_it_was_written),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(spoiled_tables_do_no_harm),
		cmocka_unit_test(latency_is_priced_by_the_table),
		cmocka_unit_test(a_tables_parts_add_up),
		cmocka_unit_test(architectures_are_priced_by_work),
		cmocka_unit_test(a_timed_pass_is_a_pass),
		cmocka_unit_test(a_measurement_goes_on_where_it_was),
		cmocka_unit_test(what_cannot_be_measured_is_refused),
		cmocka_unit_test(kernels_of_a_file),
		cmocka_unit_test(a_file_beside_a_roofline),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Figures from a made-up search, the cell canvas at all sizes, and gnuplot: the real one and bad ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "plots/build.h"
#include "plots/gnuplot.h"
#include "plots/heatmap.h"
#include "plots/levels.h"
#include "plots/page.h"
#include "plots/scale.h"
#include "plots/script.h"

// ---- a made-up search ------------------------------------------------------------------------------------------------

enum { LAYERS = 3, OPTIONS = 3, RECORDS = 40, POINTS = 7 };

static const struct option_info options[OPTIONS] = {{"int2", 2}, {"int4", 4}, {"int8", 8}};
static const struct slot_info slots[LAYERS] = {{"stem", "w", 0, -1, 0, OPTIONS, options},
	{"conv1", "w", 1, -1, 0, OPTIONS, options}, {"fc", "w", 2, -1, 0, OPTIONS, options}};
static const struct engine_info info = {.net = "resnet8", .data = "glyphs", .slots = LAYERS, .formats = LAYERS, .slot = slots};
static const uint8_t choices[POINTS][LAYERS] = {{0, 0, 0}, {1, 1, 0}, {1, 1, 1}, {2, 1, 1}, {2, 1, 0}, {2, 2, 1}, {2, 2, 2}};

// On a device with peaks of 100 and 10 T and 1 TB/s. In billions of operations, in megabytes, in ms: a tile half full under the roof
// of int8, bound by memory, on the vector unit. The draft runs the first one as int4, in half the bytes and time.
static const struct layer_info described[LAYERS] = {{.name = "stem"}, {.name = "conv1"}, {.name = "fc"}};
static struct roofline_point now_points[LAYERS] = {{200e9, 1000e6, 4, 100e12, "int8", false, "compute"},
	{20e9, 2000e6, 2, 100e12, "int8", true, "memory"}, {10e9, 100e6, 1, 10e12, "vector", false, "floor"}};
static struct roofline_point draft_points[LAYERS] = {{200e9, 500e6, 2, 200e12, "int4", false, "compute"},
	{20e9, 2000e6, 2, 100e12, "int8", true, "memory"}, {10e9, 100e6, 1, 10e12, "vector", false, "compute"}};

// *session: whether there is a draft.
static bool made_roofline(void *session, int term, struct roofline *r, struct fault *f)
{
	(void)term;
	(void)f;
	*r = (struct roofline){.device = "tpu_v9",
		.batch = 128,
		.bandwidth = 1e12,
		.layers = LAYERS,
		.layer = described,
		.now = now_points,
		.draft = *(bool *)session ? draft_points : NULL};
	return true;
}

struct made {
	bool draft;
	struct snapshot snapshot;
	struct slot_state slot[LAYERS];
	struct front_point point[POINTS];
	struct record record[RECORDS];
	uint8_t modal[RECORDS][LAYERS];
	struct mark mark[2];
	struct figure_source source;
};

// Costs in units of 1e6: a choice costs the sum of its bits squared. The modal choice of the present is {2, 1, 1}.
static void make(struct made *m)
{
	static const double accuracy[POINTS] = {0.2, 0.5, 0.6, 0.8, 0.55, 0.75, 0.85};
	memset(m, 0, sizeof *m);
	struct snapshot *s = &m->snapshot;
	*s = (struct snapshot){.info = &info,
		.step = RECORDS,
		.horizon = 100,
		.warmup = 10,
		.terms = 1,
		.slots = LAYERS,
		.slot = m->slot,
		.points = POINTS,
		.point = m->point};
	s->term[0] = (struct term_state){.name = "bops",
		.kind = &term_kinds[TERM_BOPS],
		.unit = "bit ops",
		.targeted = true,
		.target = 48e6,
		.target_text = "int4"};
	for (int d = 0; d < LAYERS; d++)
		m->slot[d].modal = choices[3][d];
	for (int i = 0; i < POINTS; i++) {
		struct front_point *p = &m->point[i];
		bool uniform = choices[i][0] == choices[i][1] && choices[i][1] == choices[i][2];
		*p = (struct front_point){.origin = uniform ? POINT_UNIFORM
				: i == 1 || i == 3          ? POINT_MODAL
							    : POINT_SAMPLED,
			.accuracy = accuracy[i],
			.step = 30,
			.choice = choices[i]};
		if (uniform)
			memcpy(p->label, options[choices[i][0]].name, sizeof p->label);
		for (int d = 0; d < LAYERS; d++)
			p->cost[0] += 1e6 * options[choices[i][d]].bits * options[choices[i][d]].bits;
	}
	for (int i = 0; i < RECORDS; i++) {
		struct record *r = &m->record[i];
		*r = (struct record){.step = i + 1,
			.loss = 2.0f - 0.03f * (float)i,
			.accuracy = 0.02f * (float)i,
			.quality = i < 10 ? NAN : 0.015f * (float)i,
			.reward = i < 10 ? NAN : 0.01f * (float)i,
			.entropy = 1 - (float)i / RECORDS};
		r->cost[0] = 80e6f - 0.8e6f * (float)i;
		r->modal_cost[0] = i < 20 ? 96e6f : 48e6f;
		memcpy(m->modal[i], choices[i < 20 ? 0 : 3], LAYERS);
	}
	m->mark[0] = (struct mark){20, "pin stem int8"};
	m->mark[1] = (struct mark){35, "weight bops 2"};
	m->source = (struct figure_source){.snapshot = s,
		.record = m->record,
		.records = RECORDS,
		.modal = m->modal[0],
		.mark = m->mark,
		.marks = 2,
		.roofline = made_roofline,
		.session = &m->draft};
}

// Its policy moves from one end to the other; the first rows may not have been kept.
static struct policy_row made_rows[RECORDS];
static int made_first;

static const struct policy_row *made_policy(void *session, int slot, int *rows)
{
	(void)session;
	assert_in_range(slot, 0, LAYERS - 1);
	*rows = RECORDS - made_first;
	for (int i = 0; i < RECORDS; i++) {
		const float part = (float)i / (RECORDS - 1);
		made_rows[i] = (struct policy_row){
			.step = i + 1, .lane = 1, .probability = {0.8f * part, slot == 1 ? 0 : 0.2f, 0.8f * (1 - part)}};
	}
	return *rows > 0 ? made_rows + made_first : NULL;
}

static const struct happening *made_happenings(void *session, int *count)
{
	static const struct happening all[] = {{5, HAPPENED_CHANGE, "target bops 0.4x"}, {9, HAPPENED_NOTE, "it's \"low\""},
		{20, HAPPENED_BRANCH, "branch 2, from branch 1"}, {10, HAPPENED_SAVE, ""}, {30, HAPPENED_SAVE, ""}};
	(void)session;
	*count = sizeof all / sizeof *all;
	return all;
}

// What a look at its layers has found.
static double made_noise[LAYERS * ENGINE_OPTIONS];
static const struct layer_errors made_errors = {.step = 12, .images = 64, .noise = made_noise};

static void look_at_layers(struct made *m)
{
	static struct engine_info with;
	with = info;
	with.layers = LAYERS;
	with.layer = described;
	m->snapshot.info = &with;
	m->source.errors = &made_errors;
	for (int i = 0; i < LAYERS * ENGINE_OPTIONS; i++)
		made_noise[i] = i % ENGINE_OPTIONS < OPTIONS ? 7 * i % 50 : (double)NAN;
}

static struct figure *made_figure(const char *name)
{
	struct made *m = test_malloc(sizeof *m);
	make(m);
	made_first = 0;
	m->source.policy = made_policy;
	m->source.happenings = made_happenings;
	if (strcmp(name, "error") == 0)
		look_at_layers(m);
	struct figure *f = figure_kind_named(name)->build(&m->source);
	test_free(m);
	assert_non_null(f);
	return f;
}

static const struct series *series_named(const struct figure *f, const char *name)
{
	for (int i = 0; i < f->series_count; i++)
		if (!strcmp(f->series[i].name, name))
			return &f->series[i];
	return NULL;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(1, fabs(b));
}

// ---- figures ---------------------------------------------------------------------------------------------------------

static void front_shows_what_was_scored(void **state)
{
	(void)state;
	struct figure *f = made_figure("front");
	assert_string_equal(f->x.label, "bit operations (M)");
	assert_string_equal(f->y.label, "held-out accuracy (%)");
	assert_true(f->x.logarithmic); // 12 to 192: over three times
	const struct series *front = series_named(f, "front"), *modal = series_named(f, "modal");
	const struct series *uniform = series_named(f, "uniform"), *sampled = series_named(f, "sampled");
	static const double costs[] = {12, 36, 48, 96, 192};
	assert_int_equal(front->count, 5);
	for (size_t i = 0; i < front->count; i++)
		assert_true(near(front->x[i], costs[i]));
	for (size_t i = 1; i < front->count; i++)
		assert_true(front->y[i] > front->y[i - 1]);
	assert_int_equal(modal->count, 1);
	assert_true(near(modal->x[0], 96) && near(modal->y[0], 80));
	assert_int_equal(uniform->count, 3);
	assert_string_equal(uniform->label[1], "int4");
	assert_int_equal(sampled->count, 3); // the modal choice of the past among them
	assert_int_equal(f->line_count, 1);
	assert_true(f->line[0].vertical && near(f->line[0].at, 48));
	assert_string_equal(f->line[0].label, "target int4");
	figure_free(f);
}

// Where there are several lanes, each has its points, with a role and a sign of its own; those of lanes that are gone are choices found.
static void front_parts_the_lanes(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	m.snapshot.lanes = 2;
	m.snapshot.lane[0] = (struct lane_state){.number = 1, .place = 0, .name = "bops 0.3x"};
	m.snapshot.lane[1] = (struct lane_state){.number = 12, .place = 5, .name = "bops 0.6x", .focus = true};
	m.point[1].lane = 1;
	m.point[3].lane = 12;
	for (int i = 0; i < POINTS; i++)
		if (m.point[i].origin == POINT_SAMPLED)
			m.point[i].lane = i % 2 ? 12 : 7;
	int gone = 0, twelve = 1;
	for (int i = 0; i < POINTS; i++) {
		gone += m.point[i].lane == 7;
		twelve += m.point[i].lane == 12 && i != 3;
	}
	struct figure *f = figure_kind_named("front")->build(&m.source);
	const struct series *one = series_named(f, "lane 1: bops 0.3x"), *other = series_named(f, "lane 12: bops 0.6x");
	assert_true(one && one->role == ROLE_LANE && one->sign == '1' && one->count == 1);
	assert_string_equal(one->label[0], "lane 1");
	assert_true(other && other->role == ROLE_LANE + 5 && other->sign == 'c');
	assert_int_equal(other->count, twelve);
	assert_int_equal(series_named(f, "sampled")->count, gone);
	assert_int_equal(series_named(f, "uniform")->count, 3);
	assert_null(series_named(f, "modal"));
	// Gnuplot draws each with a look of its own.
	struct string script = {0};
	script_commands(&script, f, picture_format_named("svg", 3), 16, 0, "'x'", "x.svg");
	assert_non_null(strstr(script.bytes, "title 'lane 12: bops 0.6x'"));
	string_free(&script);
	figure_free(f);
}

// What was trained for one choice alone is a series of its own, and the line of the front does not go up to it.
static void front_sets_trained_points_apart(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	struct figure *before = figure_kind_named("front")->build(&m.source);
	assert_null(series_named(before, "trained"));
	size_t corners = series_named(before, "front")->count, sampled = 0;
	for (int i = 0; i < POINTS; i++)
		if (m.point[i].origin == POINT_SAMPLED && !sampled++) {
			m.point[i].trained = 300;
			m.point[i].accuracy = 0.999;
		}
	struct figure *f = figure_kind_named("front")->build(&m.source);
	const struct series *trained = series_named(f, "trained"), *front = series_named(f, "front");
	assert_true(trained && trained->count == 1 && trained->role == ROLE_SECOND && trained->y[0] > 99);
	for (size_t i = 0; i < front->count; i++)
		assert_true(front->y[i] < 99);
	assert_true(front->count <= corners);
	assert_int_equal(series_named(f, "sampled")->count, series_named(before, "sampled")->count - 1);
	figure_free(before);
	figure_free(f);
}

static void front_of_close_costs_is_linear(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	m.snapshot.points = 3;
	for (int i = 0; i < 3; i++)
		m.point[i].cost[0] = 100 + i;
	m.snapshot.term[0].unit = "B";
	strcpy(m.snapshot.term[0].name, "size");
	m.snapshot.term[0].kind = &term_kinds[TERM_SIZE];
	struct figure *f = figure_front(&m.source);
	assert_false(f->x.logarithmic);
	assert_string_equal(f->x.label, "size (B)");
	figure_free(f);
}

// Every axis has its unit, with images and device; both ways of counting bit operations have their own name.
static void axes_say_what_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *name, *unit, *symbol, *label;
		double largest;
	} rows[] = {
		{"bops", "bit ops per image", "", "bit operations (G per image)", 4e9},
		{"bops", "bit ops", "", "bit operations (G)", 4e9},
		{"bops-linear", "bit ops per image", "", "bit operations, linear (M per image)", 4e6},
		{"bops-linear", "bit ops per image", "", "bit operations, linear (per image)", 4},
		{"size", "B", "B", "size (kB)", 4e3},
		{"activations", "B per image", "B", "activations (kB per image)", 4e3},
		{"latency", "ms per 128 images on a100", "ms", "latency (ms per 128 images on a100)", 4e3},
		{"energy", "mJ per image on a100", "mJ", "energy (mJ per image on a100)", 4e-4},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct term_state term = {.unit = rows[i].unit, .symbol = rows[i].symbol};
		struct term_name name;
		assert_true(term_read(rows[i].name, &name));
		term.kind = name.kind;
		snprintf(term.name, sizeof term.name, "%s", rows[i].name);
		assert_string_equal(unit_of(&term, rows[i].largest).label, rows[i].label);
	}
	struct figure *f = made_figure("curves");
	assert_string_equal(f->y.label, "loss"); // of 40 steps, each is shown
	assert_null(strstr(f->title, "mean"));
	figure_free(f);
	struct made m;
	make(&m);
	enum { MANY = 480 };
	struct record *many = test_calloc(MANY, sizeof *many);
	for (int i = 0; i < MANY; i++)
		many[i] = (struct record){.step = i + 1, .loss = 1};
	m.source.record = many;
	m.source.records = MANY;
	m.source.modal = NULL;
	f = figure_curves(&m.source);
	assert_string_equal(f->y.label, "mean loss");
	assert_string_equal(f->right.label, "mean accuracy (%)");
	assert_non_null(strstr(f->title, "; means of 9 steps"));
	figure_free(f);
	f = figure_reward(&m.source);
	assert_string_equal(f->y.label, "mean reward");
	figure_free(f);
	test_free(many);
	f = made_figure("cost");
	assert_non_null(strstr(f->title, ", target 48 M bit ops"));
	figure_free(f);
}

// What was not trained has no data to be on, and no held-out accuracy; what is estimated looks it.
static void estimates_look_like_estimates(void **state)
{
	(void)state;
	static const char *const all[] = {"front", "bits", "curves", "cost", "entropy", "reward", "roofline"};
	struct made m;
	make(&m);
	struct engine_info untrained = info;
	strcpy(untrained.data, "none");
	m.snapshot.info = &untrained;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct figure *f = figure_kind_named(all[i])->build(&m.source);
		assert_null(strstr(f->title, "none"));
		figure_free(f);
	}
	m.snapshot.idle = "there is no source of quality";
	struct figure *f = figure_front(&m.source);
	assert_null(strstr(f->y.label, "held-out"));
	figure_free(f);
	m.snapshot.idle = NULL;

	struct cell measured[80 * 24], estimated[80 * 24];
	f = figure_front(&m.source);
	assert_non_null(strstr(f->y.label, "held-out"));
	canvas_draw(f, measured, 80, 24, CANVAS_BRAILLE);
	figure_free(f);
	strcpy(m.snapshot.estimated, "additive table hawq");
	f = figure_front(&m.source);
	assert_non_null(strstr(f->y.label, "estimated"));
	int filled = 0, hollow = 0, about = 0;
	for (int i = 0; i < f->series_count; i++) {
		const struct series *s = &f->series[i];
		if (s->kind != SERIES_POINTS)
			continue;
		assert_true(s->estimated && strstr(s->name, ", estimated"));
		for (size_t k = 0; s->label && k < s->count; k++)
			about += s->label[k][0] == '~';
	}
	assert_true(about > 0);
	canvas_draw(f, estimated, 80, 24, CANVAS_BRAILLE);
	figure_free(f);
	for (int i = 0; i < 80 * 24; i++) {
		filled += measured[i].glyph == 0x25c6 && estimated[i].glyph != 0x25c6;
		hollow += measured[i].glyph != 0x25c7 && estimated[i].glyph == 0x25c7;
		assert_true(estimated[i].glyph != 0x25c6 && measured[i].glyph != 0x25c7);
	}
	assert_true(filled > 0 && hollow > 0);
}

static void bits_end_with_the_present(void **state)
{
	(void)state;
	struct figure *f = made_figure("bits");
	const struct heat *h = f->heat;
	assert_int_equal(h->rows, LAYERS);
	assert_int_equal(h->columns, RECORDS);
	assert_int_equal(h->levels, OPTIONS);
	assert_string_equal(h->level[2], "int8");
	assert_string_equal(h->row[1], "conv1");
	assert_true(near(h->first, 1) && near(h->last, RECORDS));
	for (int d = 0; d < LAYERS; d++) {
		assert_int_equal(heatmap_level(h, h->value[d * RECORDS]), 0);
		assert_int_equal(heatmap_level(h, h->value[d * RECORDS + RECORDS - 1]), choices[3][d]);
	}
	assert_int_equal(f->line_count, 2);
	figure_free(f);

	struct made m; // before the first step: the present alone
	make(&m);
	m.source.records = 0;
	f = figure_bits(&m.source);
	assert_int_equal(f->heat->columns, 1);
	assert_int_equal(heatmap_level(f->heat, f->heat->value[0]), choices[3][0]);
	figure_free(f);
}

// A layer whose weights and activations never went apart has one row, under its name; else each half has one.
static void bits_of_halves(void **state)
{
	(void)state;
	static const struct layer_info layer = {.name = "fc"};
	static const struct slot_info halves[] = {
		{"fc.w", "w", 0, -1, 0, OPTIONS, options}, {"fc.a", "a", 0, -1, 0, OPTIONS, options}};
	struct engine_info other = info;
	other.layers = 1;
	other.layer = &layer;
	other.slots = other.formats = 2;
	other.slot = halves;
	struct made m;
	uint8_t modal[RECORDS][2];
	make(&m);
	m.snapshot.info = &other;
	m.source.modal = modal[0];
	memset(modal, 1, sizeof modal);
	for (int apart = 0; apart < 3; apart++) {
		m.snapshot.split = apart == 1; // now; then, in the past
		modal[7][1] = apart == 2 ? 2 : 1;
		struct figure *f = figure_bits(&m.source);
		assert_int_equal(f->heat->rows, apart ? 2 : 1);
		assert_string_equal(f->heat->row[0], apart ? "fc.w" : "fc");
		if (apart)
			assert_string_equal(f->heat->row[1], "fc.a");
		if (apart == 2)
			assert_int_equal(heatmap_level(f->heat, f->heat->value[RECORDS + 7]), 2);
		figure_free(f);
	}
}

static void formats_of_one_width_stay_apart(void **state)
{
	(void)state;
	static const struct option_info mixed[] = {{"int4", 4}, {"e2m1", 4}, {"int16", 16}};
	static const struct slot_info one = {"fc", "w", 0, -1, 0, 3, mixed};
	struct engine_info other = info;
	other.slots = other.formats = 1;
	other.slot = &one;
	struct made m;
	make(&m);
	m.snapshot.info = &other;
	m.source.records = 0;
	struct figure *f = figure_bits(&m.source);
	assert_int_equal(f->heat->levels, 3);
	assert_string_equal(f->heat->level[0], "int4");
	assert_string_equal(f->heat->level[1], "e2m1");
	assert_int_equal(level_sign(f, 0), '4');
	assert_int_equal(level_sign(f, 1), '2');
	assert_int_equal(level_sign(f, 2), 'g'); // 16, in base 36
	figure_free(f);
	// No two signs are alike, whatever the space.
	static const struct option_info all[] = {{"int2", 2}, {"int4", 4}, {"e2m1", 4}, {"e1m2", 4}, {"int8", 8}, {"e4m3", 8},
		{"e5m2", 8}, {"e3m4", 8}, {"bf16", 16}, {"fp16", 16}, {"int16", 16}, {"fp32", 32}};
	static const struct slot_info every = {"fc", "w", 0, -1, 0, 12, all};
	other.slot = &every;
	f = figure_bits(&m.source);
	assert_int_equal(f->heat->levels, 12);
	for (int i = 0; i < 12; i++)
		for (int k = 0; k < i; k++)
			assert_int_not_equal(level_sign(f, i), level_sign(f, k));
	figure_free(f);
}

// What stands side by side in a heat map has its names below, in the middle of each, and no numbers.
static void columns_have_names(void **state)
{
	(void)state;
	enum { WIDTH = 60, HEIGHT = 12 };
	struct figure *f = figure_new("", "");
	struct heat *h = figure_add_heat(f, 2, 4, 2);
	struct cell cell[WIDTH * HEIGHT];
	char text[WIDTH * HEIGHT + 1] = "";
	assert_true(f && h && (h->part = calloc(2, sizeof *h->part)));
	h->parts = 2;
	h->first = 0.5;
	h->last = 2;
	snprintf(h->part[0], sizeof h->part[0], "on-the-left");
	snprintf(h->part[1], sizeof h->part[1], "a-longer-one-right");
	memset(h->value, 0, 8 * sizeof *h->value);
	const struct page page = page_of(f, 16, 0);
	assert_int_equal(page.x_ticks.count, 2);
	assert_true(fabs(scale_map(&page.x, page.x_ticks.at[0]) - 0.25) < 1e-9);
	assert_true(fabs(scale_map(&page.x, page.x_ticks.at[1]) - 0.75) < 1e-9);
	assert_string_equal(page.x_ticks.text[1], "a-longer-one-right");
	canvas_draw(f, cell, WIDTH, HEIGHT, CANVAS_ASCII);
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		text[i] = (char)cell[i].glyph;
	assert_non_null(strstr(text, "on-the-left"));
	assert_non_null(strstr(text, "a-longer-one-right"));
	assert_null(strstr(text, "1.5"));
	figure_free(f);
}

// Where there are more layers than lines, those around the layer in hand are shown, and which; every layer is, around itself.
static void no_layer_is_hidden(void **state)
{
	(void)state;
	enum { ROWS = 40, WIDTH = 44, HEIGHT = 12 };
	struct figure *f = figure_new("step", "");
	struct heat *h = figure_add_heat(f, ROWS, 3, 2);
	assert_true(f && h);
	for (int i = 0; i < ROWS; i++)
		snprintf(h->row[i], sizeof h->row[i], "layer%d.", i);
	memset(h->value, 0, ROWS * 3 * sizeof *h->value);
	memcpy(h->level[0], "int2", 5);
	memcpy(h->level[1], "int4", 5);
	for (h->focus = 0; h->focus < ROWS; h->focus++) {
		struct cell cell[WIDTH * HEIGHT];
		char text[WIDTH * HEIGHT + 1] = "", name[16], first[16];
		canvas_draw(f, cell, WIDTH, HEIGHT, CANVAS_ASCII);
		for (int i = 0; i < WIDTH * HEIGHT; i++)
			text[i] = (char)cell[i].glyph;
		snprintf(name, sizeof name, "layer%d. ", h->focus);
		name[strlen(name) - 1] = '\0';
		assert_non_null(strstr(text, name));
		assert_non_null(strstr(text, " of 40"));
		int from = h->focus, rows = heatmap_rows(h, 9, &from);
		assert_true(rows == 9 && from >= 0 && from <= h->focus && h->focus < from + rows && from + rows <= ROWS);
		snprintf(first, sizeof first, "%d-", from + 1);
		assert_non_null(strstr(text, first));
	}
	figure_free(f);
}

static void curves_keep_gaps_and_means(void **state)
{
	(void)state;
	struct figure *f = made_figure("curves");
	const struct series *held = series_named(f, "held-out"), *loss = series_named(f, "loss");
	assert_int_equal(loss->count, RECORDS);
	assert_false(loss->right);
	assert_true(held->right);
	assert_true(isnan(held->y[9]) && near(held->y[10], 15));
	figure_free(f);

	// A long history is thinned to means.
	enum { MANY = 50000 };
	struct made m;
	make(&m);
	struct record *r = test_calloc(MANY, sizeof *r);
	for (int i = 0; i < MANY; i++)
		r[i] = (struct record){.step = i + 1, .entropy = (float)(i % 2)};
	m.source.record = r;
	m.source.records = MANY;
	m.source.modal = NULL;
	f = figure_entropy(&m.source);
	assert_true(f->series[0].count <= 2000);
	for (size_t i = 0; i < f->series[0].count; i++)
		assert_true(near(f->series[0].y[i], 0.5));
	assert_true(near(f->series[0].x[f->series[0].count - 1], MANY));
	figure_free(f);
	test_free(r);
}

// Qualities are known at every few steps alone: their line joins them, and is broken where more are missing than usual.
static void curves_join_what_is_sparse(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	for (int i = 0; i < RECORDS; i++)
		m.record[i].quality = i >= 10 && i % 4 == 3 && (i < 20 || i > 30) ? 0.01f * (float)i : NAN;
	struct figure *f = figure_curves(&m.source);
	const struct series *held = series_named(f, "held-out");
	size_t values = 0, gaps = 0;
	for (size_t i = 0; i < held->count; i++) {
		values += isfinite(held->y[i]);
		if (held->x[i] <= 11 || (held->x[i] > 20 && held->x[i] < 32))
			assert_true(isnan(held->y[i]));
		else
			assert_true(isfinite(held->y[i]));
		gaps += i > 0 && isnan(held->y[i]) && isfinite(held->y[i - 1]);
	}
	assert_true(values == 6 && gaps == 1); // at 11, 15, 19, then from 31 on
	figure_free(f);
}

// Areas lie on each other up to 1, in the order of the options; each place is in the area that has it, in cells too.
static void policy_is_stacked(void **state)
{
	(void)state;
	enum { WIDTH = 60, HEIGHT = 16 };
	struct made m;
	struct cell cell[WIDTH * HEIGHT];
	make(&m);
	m.source.policy = made_policy;
	made_first = 0;
	struct figure *f = figure_kind_named("policy")->build(&m.source);
	assert_non_null(strstr(f->title, "Policy for stem"));
	assert_true(areas_of(f) == OPTIONS && figure_levels(f) == OPTIONS && f->line_count == 2);
	const struct series *top = area_at(f, OPTIONS - 1);
	for (size_t i = 0; i < top->count; i++)
		assert_true(near(top->y[i], 1) && area_at(f, 0)->y[i] <= area_at(f, 1)->y[i]);
	assert_int_equal(area_level(f, 1, 0.1), 1); // int2 has nothing yet
	assert_int_equal(area_level(f, 1, 0.9), 2);
	assert_int_equal(area_level(f, RECORDS, 0.7), 0);
	assert_int_equal(area_level(f, 0.5, 0.5), -1); // before the first
	assert_int_equal(area_level(f, 2, 1.1), -1);
	assert_true(level_sign(f, 0) == '2' && level_sign(f, 2) == '8' && figure_covered(f));
	for (int glyphs = CANVAS_BRAILLE; glyphs <= CANVAS_ASCII; glyphs++) {
		int column, row, levels[OPTIONS + 1] = {0};
		canvas_draw(f, cell, WIDTH, HEIGHT, (enum canvas_glyphs)glyphs);
		for (int i = 0; i < WIDTH * HEIGHT; i++)
			levels[cell[i].level]++;
		assert_true(levels[1] > 100 && levels[2] > 50 && levels[3] > 100);
		assert_true(canvas_place(f, WIDTH, HEIGHT, 35, 0.3, &column, &row));
		assert_int_equal(cell[row * WIDTH + column].level, 1);
		assert_true(canvas_place(f, WIDTH, HEIGHT, 5, 0.7, &column, &row));
		assert_int_equal(cell[row * WIDTH + column].level, 3);
	}
	figure_free(f);

	m.source.slot = 2; // by its own number
	made_first = 30;
	f = figure_kind_named("policy")->build(&m.source);
	assert_true(strstr(f->title, "conv1") && strstr(f->title, "from step 31") && near(area_at(f, 0)->x[0], 31));
	figure_free(f);
	made_first = RECORDS;
	f = figure_kind_named("policy")->build(&m.source);
	assert_true(strstr(f->title, "no probabilities were kept") && areas_of(f) == 0);
	figure_free(f);
}

// Signal to noise in classes of 6 dB; what nobody knows stays blank.
static void error_is_classed(void **state)
{
	(void)state;
	double *noise = made_noise;
	struct made m;
	make(&m);
	look_at_layers(&m);
	m.source.errors = NULL;
	struct figure *f = figure_kind_named("error")->build(&m.source);
	assert_true(!f->heat && strstr(f->title, "Signal to noise"));
	figure_free(f);
	m.source.errors = &made_errors;
	for (int i = 0; i < LAYERS * ENGINE_OPTIONS; i++)
		noise[i] = NAN;
	noise[0] = -3;
	noise[1] = 13;
	noise[2] = INFINITY;
	noise[ENGINE_OPTIONS + 1] = 100;
	f = figure_kind_named("error")->build(&m.source);
	assert_true(f->heat->rows == LAYERS && f->heat->columns == OPTIONS);
	assert_non_null(strstr(f->x.label, "step 12, 64 images"));
	assert_string_equal(f->heat->level[heatmap_level(f->heat, f->heat->value[0])], "0: <6 dB");
	assert_string_equal(f->heat->level[heatmap_level(f->heat, f->heat->value[1])], "2: 12-18 dB");
	assert_string_equal(f->heat->level[heatmap_level(f->heat, f->heat->value[2])], "9: exact");
	assert_string_equal(f->heat->level[heatmap_level(f->heat, f->heat->value[OPTIONS + 1])], "8: >48 dB");
	assert_int_equal(heatmap_level(f->heat, f->heat->value[OPTIONS]), -1);
	struct ticks ticks;
	struct scale x = scale_of(f, AXIS_X, 9);
	ticks_of_x(f, &x, 9, &ticks);
	assert_true(ticks.count == OPTIONS && near(ticks.at[1], 1.5) && x.low == 0 && x.high == OPTIONS);
	assert_string_equal(ticks.text[2], "int8");
	ticks_of_x(f, &x, 2, &ticks);
	assert_true(ticks.count == 2 && strcmp(ticks.text[1], "int8") == 0);
	figure_free(f);
}

// Each kind has a look of its own; all but saves are numbered, and the key says what they are.
static void timeline_shows_what_was_done(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	m.source.happenings = made_happenings;
	struct figure *f = figure_kind_named("timeline")->build(&m.source);
	assert_int_equal(f->line_count, 3);
	assert_string_equal(f->line[1].label, "note: it's \"low\"");
	const struct series *saved = series_named(f, "saved"), *cost = series_named(f, "cost of the modal choice");
	assert_true(saved->count == 2 && saved->x[1] == 30 && saved->y[1] == 0 && near(cost->y[0], 2));
	assert_true(series_named(f, "quality")->right && f->y.low == 0);
	char text[64];
	int row;
	double x;
	struct page p = page_of(f, 16, 0);
	for (int i = 0; i < 3; i++) {
		assert_true(figure_is_mark(&f->line[i]) && page_key(&p, f, i, text, &row, &x));
		assert_true(text[0] == '1' + i && strstr(text, f->line[i].label));
		for (int k = 0; k < i; k++)
			assert_true(f->line[i].role != f->line[k].role);
	}
	figure_free(f);
	m.source.happenings = NULL;
	f = figure_kind_named("timeline")->build(&m.source);
	assert_true(f->line_count == 0 && series_named(f, "quality"));
	figure_free(f);
}

// 98 and 99 % are as far apart as 50 and 67 %; 0 and 100 % stand where half an image more or less would be.
static void accuracies_have_a_logit_axis(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	struct figure *f = figure_kind_named("front")->build(&m.source);
	assert_true(f->y.whole == 0 && !f->y.logarithmic); // the best is 85 %
	figure_free(f);
	m.source.window.accuracy = ACCURACY_LOG;
	f = figure_kind_named("front")->build(&m.source);
	assert_true(f->y.whole == 0 && f->y.logarithmic);
	figure_free(f);
	m.point[6].accuracy = 1;
	m.point[5].accuracy = 0.99;
	m.point[0].accuracy = 0;
	m.source.window.accuracy = ACCURACY_BY_DATA;
	f = figure_kind_named("front")->build(&m.source);
	assert_true(f->y.whole == 100);
	const struct scale s = scale_of(f, AXIS_Y, 6);
	for (int i = 0; i < f->series_count; i++)
		for (size_t k = 0; k < f->series[i].count; k++)
			if (!isnan(f->series[i].y[k]))
				assert_true(scale_map(&s, f->series[i].y[k]) > -1e-9 &&
					scale_map(&s, f->series[i].y[k]) < 1 + 1e-9);
	assert_true(near(scale_map(&s, 99) - scale_map(&s, 98), scale_map(&s, 200. / 3) - scale_map(&s, 50)) ||
		fabs(scale_map(&s, 99) - scale_map(&s, 98) - scale_map(&s, 200. / 3) + scale_map(&s, 50)) < 0.01);
	assert_true(isnan(scale_map(&s, 0)) && isnan(scale_map(&s, 100)) && near(scale_at(&s, scale_map(&s, 42)), 42));
	for (int most = 2; most < 12; most++) {
		struct ticks t;
		ticks_choose(&s, most, &t);
		assert_in_range(t.count, 1, most);
		for (int i = 0; i < t.count; i++)
			assert_true(t.at[i] >= s.low && t.at[i] <= s.high && (!i || t.at[i] > t.at[i - 1]));
	}
	figure_free(f);
	m.source.window.accuracy = ACCURACY_LINEAR;
	f = figure_kind_named("front")->build(&m.source);
	assert_true(f->y.whole == 0 && !f->y.logarithmic);
	figure_free(f);
}

// The past stays as it is drawn while steps come in: over most steps the points but for the last few, and the axis.
static void curves_hold_still(void **state)
{
	(void)state;
	enum { MANY = 6000, EDGE = 100 };
	struct made m;
	make(&m);
	struct record *r = test_calloc(MANY, sizeof *r);
	for (int i = 0; i < MANY; i++)
		r[i] = (struct record){.step = i + 1, .reward = (float)((i * 7919) % 1000)};
	m.source.record = r;
	m.source.modal = NULL;
	int moved = 0, stretched = 0;
	m.source.records = 500;
	struct figure *before = figure_reward(&m.source);
	for (int n = 501; n < MANY; n++) {
		m.source.records = n;
		struct figure *f = figure_reward(&m.source);
		const struct series *a = &before->series[0], *b = &f->series[0];
		size_t still = a->count > EDGE ? a->count - EDGE : 0, i = 0;
		while (i < still && a->x[i] == b->x[i] && a->y[i] == b->y[i])
			i++;
		assert_true(b->count > 400 && b->count <= 1000);
		moved += i < still;
		stretched += f->x.high != before->x.high;
		assert_true(f->x.high >= n && f->x.high <= 1.05 * n + 1);
		figure_free(before);
		before = f;
	}
	figure_free(before);
	test_free(r);
	assert_in_range(moved, 1, 20);
	assert_in_range(stretched, 1, 100);
}

static void cost_is_relative_to_its_target(void **state)
{
	(void)state;
	struct figure *f = made_figure("cost");
	assert_string_equal(f->y.label, "bit operations / target");
	const struct series *modal = series_named(f, "modal");
	assert_true(near(modal->y[0], 2) && near(modal->y[RECORDS - 1], 1));
	assert_int_equal(f->line_count, 3);
	figure_free(f);

	struct made m;
	make(&m);
	m.snapshot.term[0].targeted = false;
	f = figure_cost(&m.source);
	assert_string_equal(f->y.label, "bit operations (M)");
	assert_int_equal(f->line_count, 2);
	assert_true(near(series_named(f, "modal")->y[0], 96));
	figure_free(f);
}

static void roofline_shows_roofs_and_layers(void **state)
{
	(void)state;
	struct figure *f = made_figure("roofline");
	assert_string_equal(f->title, "Roofline of resnet8 on tpu_v9, batch 128");
	assert_int_equal(f->series_count, 2);
	const struct series *modal = series_named(f, "modal"), *roofs = series_named(f, "roofs");
	static const double intensity[] = {200, 10, 100}, attained[] = {50e12, 10e12, 10e12};
	for (size_t i = 0; i < LAYERS; i++)
		assert_true(near(modal->x[i], intensity[i]) && near(modal->y[i] / 1e12, attained[i] / 1e12));
	for (size_t i = 0; i < LAYERS; i++) // fewer than are named
		assert_string_equal(modal->label[i], described[i].name);
	// The slope from the left edge, named, to the ridge of 100 operations a byte; its roof; a gap; the vector unit's.
	assert_int_equal(roofs->count, 9);
	assert_true(near(roofs->x[0], 5) && near(roofs->y[0] / 1e12, 5));
	assert_true(near(roofs->x[2], 100) && near(roofs->y[2] / 1e12, 100) && near(roofs->y[4] / 1e12, 100));
	assert_true(isnan(roofs->y[5]));
	assert_true(near(roofs->x[6], 10) && near(roofs->y[6] / 1e12, 10) && near(roofs->y[8] / 1e12, 10));
	assert_string_equal(roofs->label[1], "1000 GB/s");
	assert_string_equal(roofs->label[3], "int8");
	assert_string_equal(roofs->label[7], "vector");
	assert_true(f->x.logarithmic && f->y.logarithmic);
	figure_free(f);
}

static bool measured_of(void *session, int term, struct roofline *r, const struct timed_layer **time, struct fault *f)
{
	static const struct timed_layer its[LAYERS] = {{"int8", 5, 4, 6, 1}, {NULL, NAN, 0, 0, 0}, {"fp32", 2, 0, 0, 0}};
	(void)session, (void)term, (void)f;
	*r = (struct roofline){"chip:modelled", 8, 1e12, LAYERS, described, now_points, NULL};
	*time = its;
	return true;
}

// The layers that were measured, each with what bounds it by the model; microseconds.
static void measured_layers_beside_the_model(void **state)
{
	(void)state;
	struct figure_source source = {.measured = measured_of};
	struct figure *f = figure_kind_named("measured")->build(&source);
	int points = 0;
	assert_string_equal(f->title, "Layers on chip, batch 8: model and measurement");
	assert_true(f->x.logarithmic && f->y.logarithmic && f->x.low == f->y.low && f->x.high == f->y.high);
	for (int k = 0; k < f->series_count; k++) {
		const struct series *s = &f->series[k];
		if (s->kind != SERIES_POINTS)
			continue;
		assert_int_equal(s->count, 1);
		points++;
		bool stem = strcmp(s->name, "compute") == 0;
		assert_string_equal(s->name, stem ? "compute" : "floor");
		assert_true(s->x[0] == (stem ? 5e3 : 2e3) && s->y[0] == (stem ? 4e3 : 1e3));
		assert_string_equal(s->label[0], stem ? "stem" : "fc");
	}
	assert_int_equal(points, 2);
	figure_free(f);
}

// Every measured time once, against what the model says, and the diagonal across; it needs no search.
static void measured_shows_both(void **state)
{
	(void)state;
	struct figure *f = figure_kind_named("measured")->build(NULL);
	struct measured_time time[128];
	int count = catalog_measured(time, 128, NULL), shown = 0;
	assert_non_null(f);
	assert_true(f->x.logarithmic && f->y.logarithmic && f->x.low == f->y.low && f->x.high == f->y.high);
	for (int k = 1; k < f->series_count; k++)
		for (size_t i = 0; i < f->series[k].count; i++, shown++) {
			int found = 0;
			for (int t = 0; t < count; t++)
				found += time[t].measured == f->series[k].x[i] && time[t].modelled == f->series[k].y[i] &&
					time[t].fitted == (strcmp(f->series[k].name, "fitted") == 0);
			assert_true(found > 0);
			assert_true(f->series[k].x[i] > f->x.low && f->series[k].x[i] < f->x.high);
			assert_true(f->series[k].y[i] > f->y.low && f->series[k].y[i] < f->y.high);
		}
	assert_int_equal(shown, count);
	const struct series *equal = series_named(f, "equal");
	assert_true(equal->count == 2 && equal->x[0] == equal->y[0] && equal->x[1] == equal->y[1] && equal->x[1] == f->x.high);
	figure_free(f);
}

static void roofline_shows_where_a_draft_goes(void **state)
{
	(void)state;
	struct made m;
	make(&m);
	m.draft = true;
	struct figure *f = figure_kind_named("roofline")->build(&m.source);
	const struct series *roofs = series_named(f, "roofs"), *change = series_named(f, "change"),
			    *draft = series_named(f, "draft");
	assert_null(series_named(f, "modal")->label); // the draft's names are enough
	assert_int_equal(roofs->count, 13);
	assert_string_equal(roofs->label[3], "int4");
	assert_true(near(roofs->x[2], 200) && near(roofs->y[2] / 1e12, 200));
	assert_int_equal(change->count, 3); // the others stay
	assert_true(near(change->x[0], 200) && near(change->y[0] / 1e12, 50) && near(change->x[1], 400) &&
		near(change->y[1] / 1e12, 100));
	assert_true(near(draft->x[0], 400) && near(draft->y[0] / 1e12, 100));
	figure_free(f);
}

static void every_figure_of_nothing_is_empty(void **state)
{
	(void)state;
	struct snapshot nothing = {0};
	struct figure_source source = {.snapshot = &nothing, .term = -1};
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	assert_true(count >= 6);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(figure_kind_named(kinds[i].name), &kinds[i]);
		struct figure *f = kinds[i].build(&source);
		assert_non_null(f);
		struct cell cell[60 * 16];
		canvas_draw(f, cell, 60, 16, CANVAS_BRAILLE);
		figure_free(f);
	}
	assert_null(figure_kind_named("nothing"));
	figure_free(NULL);
}

// ---- scales and ticks -------------------------------------------------------------------------------------------------

static void check_ticks(double low, double high, bool logarithmic, int most, const char *expected)
{
	struct scale s = {low, high, logarithmic, 0};
	struct ticks t;
	ticks_choose(&s, most, &t);
	char all[TICKS * 17] = "";
	for (int i = 0; i < t.count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, t.text[i]);
	}
	assert_string_equal(all, expected);
}

static void ticks_are_round(void **state)
{
	(void)state;
	check_ticks(0, 600, false, 7, "0 100 200 300 400 500 600");
	check_ticks(0, 600, false, 6, "0 200 400 600");
	check_ticks(-1, 1, false, 5, "-1.0 -0.5 0.0 0.5 1.0");
	check_ticks(0, 2.5e9, false, 6, "0.0 0.5G 1.0G 1.5G 2.0G 2.5G");
	check_ticks(0, 4e-5, false, 5, "0 10u 20u 30u 40u");
	check_ticks(0, 1, false, 6, "0.0 0.2 0.4 0.6 0.8 1.0");
	check_ticks(45, 950, true, 6, "50 100 200 500");
	check_ticks(1e3, 1e9, true, 8, "1000 10k 100k 1M 10M 100M 1G");
	check_ticks(1, 1e250, true, 3, "1 1e+128");
	check_ticks(110, 190, true, 5, "120 140 160 180");
	check_ticks(0, 4e40, false, 3, "0 2e+40 4e+40");
}

static void scales_hold_any_data(void **state)
{
	(void)state;
	static const double values[] = {0, -0.0, 1, -1, 1e-320, 1e308, -1e308, DBL_MAX, -DBL_MAX, DBL_MIN, 1e15, 1e15 + 1, 1e-9,
		INFINITY, -INFINITY, NAN, 3, 1e300, -1e300};
	enum { COUNT = sizeof values / sizeof values[0] };
	for (int a = 0; a < COUNT; a++)
		for (int b = 0; b < COUNT; b++)
			for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
				struct figure *f = figure_new("x", "y");
				f->y.logarithmic = logarithmic;
				struct series *s = figure_add_series(f, "s", SERIES_LINE, ROLE_MAIN, 2, false);
				series_add(s, 0, values[a], NULL);
				series_add(s, 1, values[b], NULL);
				for (int most = 1; most < 9; most++) {
					struct scale scale = scale_of(f, AXIS_Y, most);
					assert_true(isfinite(scale.low) && isfinite(scale.high) && scale.low < scale.high);
					assert_true(!logarithmic || scale.low > 0);
					struct ticks t;
					ticks_choose(&scale, most, &t);
					assert_in_range(t.count, 0, most);
					for (int i = 0; i < t.count; i++) {
						double place = scale_map(&scale, t.at[i]);
						assert_true(place > -0.001 && place < 1.001);
						assert_true(!i || t.at[i] > t.at[i - 1]);
					}
				}
				figure_free(f);
			}
}

// ---- the canvas -------------------------------------------------------------------------------------------------------

// A figure that nobody would wish for: gaps, infinities, huge numbers, hostile text.
static struct figure *nasty(int which)
{
	struct figure *f = figure_new(which % 2 ? "" : "a very long label of an axis that no narrow pane can hold, \xff\x1b[31m",
		which % 3 ? "y" : "\xc3\xa9\xe6\xbc\xa2\xe2\xa0\xbf");
	f->x.logarithmic = which % 2;
	f->y.logarithmic = which % 3 == 1;
	static const double numbers[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 0, 1, -1, 1e-308, 5, 1e15};
	enum { COUNT = sizeof numbers / sizeof numbers[0] };
	if (which == 4) // a right axis, and its series
		strcpy(f->right.label, "right");
	for (int role = 0; role < ROLES; role++) {
		struct series *s = figure_add_series(f, "name\xf0\x9f\x98\x80", (enum series_kind)(role % 3),
			(enum figure_role)role, COUNT, true);
		s->right = which == 4 && role % 2;
		for (int i = 0; i < COUNT; i++)
			if (which != 5)
				series_add(s, numbers[(i * 3 + role) % COUNT],
					which == 3 ? 7 : numbers[(i + role * which) % COUNT], "\xe2\x82\xac label");
	}
	for (int i = 0; i < COUNT; i++)
		figure_add_line(f, i % 2, numbers[i], (enum figure_role)(i % ROLES), "line \t\n");
	return f;
}

static struct figure *nasty_heat(int rows, int columns, int levels)
{
	struct figure *f = figure_new("step", "");
	struct heat *h = figure_add_heat(f, rows, columns, levels);
	for (int i = 0; i < rows * columns; i++)
		h->value[i] = i % 7 ? (float)(i % 5) / 3.0f - 0.2f : NAN;
	for (int i = 0; i < rows; i++)
		snprintf(h->row[i], sizeof h->row[i], "stage%d.block%d.conv%d", i / 36, i / 3 % 12, i % 3);
	for (int i = 0; i < levels; i++)
		snprintf(h->level[i], sizeof h->level[i], "int%d", i + 2);
	h->last = columns;
	figure_add_line(f, true, columns / 2, ROLE_MARK, "here");
	return f;
}

static void check_cells(const struct figure *f, struct cell *cell, int width, int height, enum canvas_glyphs glyphs)
{
	size_t count = (size_t)width * (size_t)height;
	for (size_t i = 0; i < count + 2; i++)
		cell[i] = (struct cell){.glyph = 0xdead, .role = 77, .level = 77};
	canvas_draw(f, cell + 1, width, height, glyphs);
	assert_true(cell[0].glyph == 0xdead && cell[count + 1].glyph == 0xdead);
	for (size_t i = 1; i <= count; i++) {
		bool wrong = cell[i].role > ROLES || (glyphs == CANVAS_ASCII && cell[i].glyph > 0x7e) ||
			wcwidth((wchar_t)cell[i].glyph) != 1 || (!figure_covered(f) && cell[i].level) ||
			cell[i].glyph == 0x2800 || (figure_levels(f) && cell[i].level > figure_levels(f));
		if (wrong)
			fail_msg("cell %zu of %dx%d: glyph %x role %d level %d", i - 1, width, height, (unsigned)cell[i].glyph,
				cell[i].role, cell[i].level);
	}
}

static void canvas_is_right_at_any_size(void **state)
{
	(void)state;
	static const char *const names[] = {
		"front", "bits", "curves", "cost", "entropy", "reward", "roofline", "measured", "policy", "error", "timeline"};
	struct figure *figures[24];
	int count = 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		figures[count++] = made_figure(names[i]);
	for (int i = 0; i < 6; i++)
		figures[count++] = nasty(i);
	figures[count++] = nasty_heat(150, 3, 7);
	figures[count++] = nasty_heat(2, 240, 0);
	figures[count++] = nasty_heat(0, 0, 0);
	struct cell *cell = test_malloc((250 * 80 + 2) * sizeof *cell);
	for (int width = 1; width <= 250; width += width < 42 ? 1 : 52)
		for (int height = 1; height <= 80; height += height < 18 ? 1 : 31)
			for (int i = 0; i < count; i++)
				for (enum canvas_glyphs g = CANVAS_BRAILLE; g <= CANVAS_ASCII; g++)
					check_cells(figures[i], cell, width, height, g);
	canvas_draw(figures[0], cell, 0, 5, CANVAS_ASCII); // nothing to write to: nothing is written
	canvas_draw(figures[0], cell, 5, -1, CANVAS_ASCII);
	test_free(cell);
	while (count)
		figure_free(figures[--count]);
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = 0;
	if (c < 0x800) {
		to[n++] = (char)(0xc0 | c >> 6);
	} else {
		to[n++] = (char)(0xe0 | c >> 12);
		to[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	to[n++] = (char)(0x80 | (c & 0x3f));
	return n;
}

static void check_picture(const char *name, int width, int height, enum canvas_glyphs glyphs, const char *expected)
{
	struct figure *f = made_figure(name);
	struct cell cell[64 * 24];
	char text[64 * 24 * 3 + 64], *to = text;
	canvas_draw(f, cell, width, height, glyphs);
	for (int y = 0; y < height; y++) {
		char *end = to;
		for (int x = 0; x < width; x++) {
			to += put_utf8(to, cell[y * width + x].glyph);
			if (cell[y * width + x].glyph != ' ')
				end = to;
		}
		to = end; // blanks at the end of a line are not shown
		*to++ = '\n';
	}
	*to = 0;
	figure_free(f);
	assert_string_equal(text, expected);
}

static void small_pictures(void **state)
{
	(void)state;
	check_picture("roofline", 60, 14, CANVAS_BRAILLE,
		"useful operations/s                        ── roofs  ◆ modal\n"
		"    │\n"
		"100T┤                                 ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀\n"
		"    │                             ⣀⠤⠒⠉             int8\n"
		"    │                        ⢀⣀⠤⠒⠉            ◆ stem\n"
		"    │                    ⢀⡠⠔⠊⠁\n"
		" 30T┤      1000 GB/s ⣀⡠⠔⠊⠁\n"
		"    │            ⣀⠤⠒⠉\n"
		"    │        ⣀⠤⠒⠉\n"
		" 10T┤    ⣀⠤⠒◆⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉◆⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉\n"
		"    │⣀⠤⠒⠉    conv1                     fc          vector\n"
		"    └───────┬────────────┬────────────┬────────────┬───────\n"
		"           10           30           100          300\n"
		"            operational intensity (operations/byte)\n");
	check_picture("front", 38, 10, CANVAS_BRAILLE,
		"held-out accuracy (%)          ◆ modal\n"
		"  80┤    target int4 ╏      ◆⠤⠤⠤⠤⠤⠤o\n"
		"    │                ╏      ⡇   +\n"
		"  60┤           int4 o⣀⣀⣀⣀⣀⣀⡇\n"
		"    │            +⣀⣀⣀⡇    +\n"
		"  40┤             ⡇  ╏\n"
		"    │  int2       ⡇  ╏\n"
		"  20┤ o⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡇  ╏\n"
		"    └───────────┬ bit operations (M)\n"
		"               30          100\n");
	check_picture("front", 38, 10, CANVAS_BLOCK,
		"held-out accuracy (%)          ◆ modal\n"
		"  80┤    target int4 ╏      ◆▄▄▄▄▄▄o\n"
		"    │                ╏      ▌   +\n"
		"  60┤           int4 o▄▄▄▄▄▄▌\n"
		"    │            +▄▄▄▌    +\n"
		"  40┤             ▌  ╏\n"
		"    │  int2       ▌  ╏\n"
		"  20┤ o▄▄▄▄▄▄▄▄▄▄▄▌  ╏\n"
		"    └───────────┬ bit operations (M)\n"
		"               30          100\n");
	check_picture("front", 38, 10, CANVAS_ASCII,
		"held-out accuracy (%)          * modal\n"
		"  80+    target int4 !      * int8 o\n"
		"    |                !      ....+...\n"
		"  60+           int4 o.......\n"
		"    |            +....    +\n"
		"  40+             .  !\n"
		"    |  int2       .  !\n"
		"  20+ o............  !\n"
		"    +-----------+ bit operations (M)\n"
		"               30          100\n");
	check_picture("bits", 38, 10, CANVAS_BRAILLE,
		"2 int2  4 int4  8 int8\n"
		"                      ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅\n"
		"stem  2▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄8██████████████\n"
		"\n"
		"conv1 2▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄4██████████████\n"
		"\n"
		"fc    2▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄4██████████████\n"
		"\n"
		"     └┬──────────────▴───────── step\n"
		"      0             20             40\n");
	check_picture("bits", 38, 10, CANVAS_ASCII,
		"2 int2  4 int4  8 int8\n"
		"\n"
		"stem  2222222222222222888888888888888\n"
		"\n"
		"conv1 2222222222222222444444444444444\n"
		"\n"
		"fc    2222222222222222444444444444444\n"
		"\n"
		"     ++--------------^--------- step\n"
		"      0             20             40\n");
	check_picture("cost", 38, 10, CANVAS_ASCII,
		"bit operations / target\n"
		"                  ++ sampled  ** modal\n"
		" 2.0+ ****************           :\n"
		"    |  pin stem int8 *           :\n"
		"    | ++++++++       *           :\n"
		" 1.5+         +++++++*+          :\n"
		"    | target int4    * ++++++++++:\n"
		" 1.0+================****************\n"
		"    ++---------------+--------- step\n"
		"     0              20             40\n");
	check_picture("curves", 48, 12, CANVAS_BLOCK,
		"loss                                accuracy (%)\n"
		"               ╌╌ loss  ── accuracy  ┈┈ held-out\n"
		" 2.0┤ ▀▚▄ pin stem int8 ┊             ┊▗▄▞▀│\n"
		"    │     ▀▀▄ ▄         ┊         ▄▄▄▀▀▘   ├60\n"
		"    │          ▀▀ ▄▖    ┊    ▗▄▄▀▀   ▗▗▗▝▝▝│\n"
		" 1.5┤              ▝▀ ▚▄▄▄▄▞▀▘ ▗▗▗▝▝▝ ┊    ├40\n"
		"    │               ▄▄▀▀▚▗▜▟▟▝▝       ┊    │\n"
		"    │          ▗▄▀▜▜▗▝▝▝┊     ▀▀▚ ▖   ┊    ├20\n"
		" 1.0┤    ▗▄▄▞▀▀▀▝▝      ┊         ▝▀▀ ▄▄   │\n"
		"    │ ▄▄▀▘              ┊             ┊ ▀ ▄├0\n"
		"    └┬──────────────────┬──────────── step ┘\n"
		"     0                 20                40\n");
	check_picture("curves", 48, 12, CANVAS_BRAILLE,
		"loss                                accuracy (%)\n"
		"               ╌╌ loss  ── accuracy  ┈┈ held-out\n"
		" 2.0┤ ⠑⠢⠤ pin stem int8 ┊             ┊⡠⠤⠔⠊│\n"
		"    │     ⠉⠒⠒ ⣀         ┊         ⣀⠤⠤⠒⠉    ├60\n"
		"    │          ⠉⠒ ⢄⡀    ┊    ⢀⡠⠤⠒⠉   ⢀⢀⠠⠐⠈⠈│\n"
		" 1.5┤              ⠈⠉ ⠢⢄⣀⡠⠤⠔⠊⠁ ⢀⠠⠠⠐⠐⠈ ┊    ├40\n"
		"    │               ⣀⠤⠒⠒⢁⠠⠲⠴⣐⠈⠈       ┊    │\n"
		"    │          ⢀⡠⠒⢒⢉⠠⠐⠐⠈┊     ⠉⠒⠤ ⡀   ┊    ├20\n"
		" 1.0┤     ⢀⡠⠔⠒⠊⠑⠈⠈      ┊         ⠈⠑⠢ ⢄⡀   │\n"
		"    │ ⣀⠤⠒⠊⠁             ┊             ┊⠈⠒ ⠤├0\n"
		"    └┬──────────────────┬──────────── step ┘\n"
		"     0                 20                40\n");
	check_picture("front", 12, 4, CANVAS_ASCII,
		"      ! *.+o\n"
		"      o.+\n"
		"    +..\n"
		"o.... !\n");
}

// ---- scripts ----------------------------------------------------------------------------------------------------------

static void quotes_hold(void **state)
{
	(void)state;
	struct string t = {0};
	script_quote(&t, "a'b`c\"d\n\x1b$e@f\\");
	assert_string_equal(t.bytes, "'a'.\"\\047\".'b`c\"d$e@f\\'");
	free(t.bytes);
}

static void numbers_have_points_in_any_language(void **state)
{
	(void)state;
	struct figure *f = figure_new("x", "y");
	struct series *s = figure_add_series(f, "s", SERIES_LINE, ROLE_MAIN, 3, false);
	series_add(s, 0.5, 1.25, NULL);
	series_add(s, 1, NAN, NULL);
	series_add(s, INFINITY, 1, NULL);
	struct string t = {0};
	script_data(&t, f);
	assert_string_equal(t.bytes, "# 's'\n0.5 1.25\nNaN NaN\nNaN NaN\n");
	free(t.bytes);
	figure_free(f);
}

// ---- gnuplot ----------------------------------------------------------------------------------------------------------

static char folder[32];

static const char *in_folder(const char *name)
{
	static char paths[4][600];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void empty_folder(void)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			unlink(in_folder(e->d_name));
			rmdir(in_folder(e->d_name));
		}
	if (d)
		closedir(d);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/plots-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	empty_folder();
	return rmdir(folder);
}

static int files_in_folder(void)
{
	int count = 0;
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		count += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return count;
}

static char *contents(const char *path)
{
	static char text[1 << 18];
	FILE *f = fopen(path, "r");
	if (!f)
		return NULL;
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	return text;
}

static bool have_gnuplot(void)
{
	const char *path = getenv("PATH");
	char copy[4096], *rest = copy;
	snprintf(copy, sizeof copy, "%s", path ? path : "");
	for (char *dir; (dir = strsep(&rest, ":"));) {
		char program[4200];
		snprintf(program, sizeof program, "%s/gnuplot", dir);
		if (!access(program, X_OK))
			return true;
	}
	return false;
}

#define NEEDS_GNUPLOT()                                                                                                          \
	do {                                                                                                                     \
		if (!have_gnuplot()) {                                                                                           \
			print_message("skipped: gnuplot is not installed\n");                                                    \
			skip();                                                                                                  \
		}                                                                                                                \
	} while (0)

// Asks for one figure; true and no fault, or the fault of the request.
static bool ask(struct plotter *p, const char *figure, const char *format, const char *file, bool keep, struct fault *f)
{
	struct figure *made = made_figure(figure);
	struct plot_request r = {.figure = made, .format = format, .file = file, .keep = keep, .width_cm = 8};
	bool ok = plotter_request(p, &r, f);
	figure_free(made); // borrowed for the call only
	return ok;
}

// Waits for the pictures and takes the first; its fault is left in *f.
static bool await(struct plotter *p, struct fault *f)
{
	char file[600];
	bool ok = false;
	plotter_finish(p, 30);
	assert_false(plotter_busy(p));
	assert_true(plotter_done(p, file, sizeof file, &ok, f));
	return ok;
}

static struct plotter *plotter_with(const char *program, double patience)
{
	struct plotter *p = plotter_new(program);
	assert_non_null(p);
	plotter_patience(p, patience);
	return p;
}

static void gnuplot_draws_every_figure(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const struct {
		const char *format, *magic;
	} formats[] = {{"svg", "<?xml"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}};
	struct plotter *p = plotter_with("gnuplot", 20);
	struct fault f;
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	for (size_t k = 0; k < count; k++)
		for (size_t i = 0; i < 3; i++) {
			char name[64];
			snprintf(name, sizeof name, "%s.%s", kinds[k].name, formats[i].format);
			assert_true(ask(p, kinds[k].name, formats[i].format, in_folder(name), false, &f));
		}
	plotter_finish(p, 60);
	char file[600];
	bool ok;
	size_t done = 0;
	for (; plotter_done(p, file, sizeof file, &ok, &f); done++) {
		assert_string_equal(f.what, "");
		assert_true(ok);
		const char *text = contents(file);
		assert_non_null(text);
		assert_memory_equal(text, formats[done % 3].magic, 4);
	}
	assert_int_equal(done, 3 * count);
	assert_int_equal(files_in_folder(), 3 * count);
	plotter_free(p);
}

static void gnuplot_draws_nasty_figures(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	struct plotter *p = plotter_with("gnuplot", 20);
	struct fault f;
	char file[600];
	bool ok;
	for (int i = 0; i < 9; i++) {
		struct figure *g = i < 6 ? nasty(i)
			: i == 6         ? nasty_heat(150, 3, 7)
			: i == 7         ? nasty_heat(2, 240, 0)
					 : nasty_heat(0, 0, 0);
		assert_true(plotter_request(p, &(struct plot_request){g, "svg", in_folder("nasty.svg"), false, 8, 0}, &f));
		figure_free(g);
		plotter_finish(p, 30);
		assert_true(plotter_done(p, file, sizeof file, &ok, &f));
		if (!ok) // it may refuse, with a reason; it may not break
			assert_non_null(strstr(f.what, "gnuplot refused"));
		assert_true(ask(p, "front", "svg", in_folder("good.svg"), false, &f));
		assert_true(await(p, &f));
	}
	plotter_free(p);
}

static int run_gnuplot(const char *script)
{
	pid_t pid = fork();
	if (!pid) {
		if (!chdir(folder))
			execlp("gnuplot", "gnuplot", script, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

static void kept_files_draw_the_picture_again(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const char *const names[] = {"it's 100%.svg", "''; touch 'p'''.svg", "'.svg", "<touch pwned>.svg",
		"|touch pwned.svg", "~.svg", "-.svg", "$(touch pwned)`touch pwned`.svg", "\"; system 'touch pwned' #.svg",
		"no-ending"};
	struct fault f;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct plotter *p = plotter_with("gnuplot", 20);
		assert_true(ask(p, i % 2 ? "front" : "bits", "svg", in_folder(names[i]), true, &f));
		assert_true(await(p, &f));
		plotter_free(p);
		assert_int_equal(files_in_folder(), 3);
		char script[300];
		const char *dot = strstr(names[i], ".svg");
		snprintf(script, sizeof script, "./%.*s.gp", (int)(dot ? (size_t)(dot - names[i]) : strlen(names[i])), names[i]);
		assert_int_equal(unlink(in_folder(names[i])), 0);
		assert_int_equal(run_gnuplot(script), 0);
		assert_non_null(strstr(contents(in_folder(names[i])), "</svg>"));
		assert_int_equal(files_in_folder(), 3);
		empty_folder();
	}
}

static void words_are_never_commands(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	char evil[200], name[64];
	snprintf(evil, sizeof evil, "`touch %s/p`''; system 'touch %s/p'\nsystem 'touch %s/p'", folder, folder, folder);
	snprintf(name, sizeof name, "'.`touch %s/p`", folder);
	struct made m;
	make(&m);
	struct engine_info other = info;
	struct slot_info named[LAYERS];
	memcpy(named, slots, sizeof named);
	snprintf(named[0].name, sizeof named[0].name, "%.40s", name);
	snprintf(named[1].name, sizeof named[1].name, "%%s%%n%%d\nEND_OF_DATA\n");
	other.slot = named;
	snprintf(other.net, sizeof other.net, "%.120s", evil);
	snprintf(m.snapshot.term[0].target_text, sizeof m.snapshot.term[0].target_text, "%.40s", name);
	snprintf(m.mark[0].text, sizeof m.mark[0].text, "%.60s", evil);
	snprintf(m.point[0].label, sizeof m.point[0].label, "\nEND_OF_DATA\n");
	m.snapshot.info = &other;
	struct plotter *p = plotter_with("gnuplot", 20);
	struct fault f;
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	for (size_t i = 0; i < count; i++) {
		struct figure *g = kinds[i].build(&m.source);
		for (int s = 0; s < g->series_count; s++)
			snprintf(g->series[s].name, sizeof g->series[s].name, "%.40s\n", name);
		assert_true(plotter_request(p, &(struct plot_request){g, "svg", in_folder("a.svg"), false, 8, 0}, &f));
		figure_free(g);
		if (!await(p, &f))
			fail_msg("%s %s", kinds[i].name, f.what);
	}
	assert_int_equal(files_in_folder(), 1);
	plotter_free(p);
}

// A gnuplot of our own making: a shell script. It knows the two lines that matter to a plotter.
static const char *fake(const char *body)
{
	const char *path = in_folder("fake");
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\nserve() {\n\twhile read -r line; do\n\t\tcase \"$line\" in\n"
		"\t\t\"set output '\"*) file=${line#*\\'}; file=${file%%\\'}; echo 'picture IEND %%%%EOF </svg>' >\"$file\";;\n"
		"\t\t\"print sprintf('@@BITSCAPE\"*) $delay; n=${line#*\\',}; n=${n%%%%,*}; echo \"@@BITSCAPE $n ${errors:-0}\";;\n"
		"\t\tesac\n\tdone\n}\n%s\n",
		body);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

// Plots once with the fake: what becomes of it.
static bool with_fake(const char *body, double patience, struct fault *f)
{
	struct plotter *p = plotter_with(fake(body), patience);
	bool ok = ask(p, "front", "svg", in_folder("a.svg"), false, f) && await(p, f);
	plotter_free(p);
	assert_int_equal(files_in_folder(), ok ? 2 : 1); // the fake, the picture; nothing half-written
	return ok;
}

static void good_fakes_serve(void **state)
{
	(void)state;
	struct fault f;
	assert_true(with_fake("serve", 20, &f));
	assert_true(with_fake("delay='sleep 0.2' serve", 20, &f)); // slow
	assert_true(with_fake("echo noise >&2; serve", 20, &f));   // a warning is not an error
	empty_folder();
	assert_true(with_fake("mkdir $0.once && exit 1; rmdir $0.once; serve", 20, &f)); // dies at first, then serves
	assert_string_equal(contents(in_folder("a.svg")), "picture IEND %%EOF </svg>\n");
}

static void bad_fakes_are_faults(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		double patience;
		const char *what;
	} bad[] = {
		{"exit 1", 20, "died"},
		{"echo the reason >&2; exec >&-; exit 3", 20, "the reason"},
		{"sleep 60", 0.1, "did not answer in time"},
		{"trap '' TERM INT HUP; while :; do sleep 60; done", 0.1, "did not answer in time"},
		{"sleep 60 & cat >/dev/null", 0.1, "did not answer in time"}, // reads, says nothing
		{"exec yes", 0.2, "did not answer in time"},
		{"yes >&2", 0.2, "did not answer in time"},
		{"exec yes '@@BITSCAPE 999 0'", 0.2, "did not answer in time"}, // answers of another picture
		{"tr '\\n' x </dev/zero", 0.2, "did not answer in time"},       // a line without end
		{"errors=1 serve", 20, "gnuplot refused"},
		{"echo '         line 0: no such thing' >&2; errors=1 serve", 20, "gnuplot refused: no such thing"},
		{"echo '@@TERMINALS  dumb png '; errors=1 serve", 20, "cannot write svg"},
		{"while read -r l; do case \"$l\" in *BITSCAPE*) n=${l#*\\',}; echo \"@@BITSCAPE ${n%%,*} 0\";; esac; done", 20,
			"gnuplot wrote nothing"},
		{"serve() { while read -r l; do case \"$l\" in \"set output '\"*) f=${l#*\\'}; echo '<svg>' >\"${f%%\\'}\";; "
		 "*BITSCAPE*) n=${l#*\\',}; echo \"@@BITSCAPE ${n%%,*} 0\";; esac; done; }; serve",
			20, "gnuplot wrote a part of it only"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault f;
		empty_folder();
		assert_false(with_fake(bad[i].body, bad[i].patience, &f));
		if (!strstr(f.what, bad[i].what))
			fail_msg("'%s': '%s', not '%s'", bad[i].body, f.what, bad[i].what);
		assert_true(f.where[0]);
	}
}

// One that hangs is waited for once, however many pictures wait: a second try would keep a person waiting as long.
static void a_hanging_gnuplot_is_waited_for_once(void **state)
{
	(void)state;
	struct fault f;
	struct plotter *p = plotter_with(fake("echo started >>\"$0.log\"; sleep 60"), 0.5);
	assert_true(ask(p, "front", "svg", in_folder("a.svg"), false, &f));
	assert_true(ask(p, "bits", "svg", in_folder("b.svg"), false, &f));
	assert_false(await(p, &f));
	assert_non_null(strstr(f.what, "did not answer in time"));
	assert_true(f.todo[0]);
	assert_false(plotter_busy(p)); // the second was given up with the first
	assert_false(await(p, &f));
	assert_string_equal(contents(in_folder("fake.log")), "started\n");
	plotter_free(p);

	// Where it has answered, the one picture is to blame: the next one has its try.
	empty_folder();
	p = plotter_with(
		fake("echo started >>\"$0.log\"; echo '@@TERMINALS  svg '; [ -e $0.again ] && serve; : >$0.again; sleep 60"), 2);
	assert_true(ask(p, "front", "svg", in_folder("a.svg"), false, &f));
	assert_true(ask(p, "bits", "svg", in_folder("b.svg"), false, &f));
	assert_false(await(p, &f));
	assert_true(await(p, &f));
	assert_string_equal(contents(in_folder("fake.log")), "started\nstarted\n");
	plotter_free(p);
}

static void a_missing_gnuplot_is_said_at_once(void **state)
{
	(void)state;
	struct plotter *p = plotter_with("no-such-gnuplot", 20);
	struct fault f;
	assert_true(ask(p, "front", "svg", in_folder("a.svg"), true, &f));
	assert_false(plotter_busy(p));
	assert_false(await(p, &f));
	assert_string_equal(f.what, "is not installed");
	assert_non_null(strstr(f.todo, "gnuplot-nox"));
	assert_int_equal(files_in_folder(), 0);
	plotter_free(p);
}

static void wrong_requests_are_refused_at_once(void **state)
{
	(void)state;
	struct plotter *p = plotter_with("no-such-gnuplot", 20);
	struct fault f;
	assert_false(ask(p, "front", "gif", in_folder("a.gif"), false, &f));
	assert_string_equal(f.what, "no such picture format");
	assert_false(ask(p, "front", "svg", "/proc/a.svg", false, &f)); // nobody may write there, not even root
	assert_non_null(strstr(f.what, "cannot write it"));
	assert_false(ask(p, "front", "svg", in_folder("none/a.svg"), false, &f));
	assert_false(ask(p, "front", "svg", folder, false, &f));
	assert_false(ask(p, "front", "svg", "", false, &f));
	assert_false(ask(p, "front", "svg", in_folder("a\nb.svg"), false, &f));
	assert_null(strchr(f.where, '\n'));
	assert_int_equal(files_in_folder(), 0);
	if (geteuid()) { // to root, every folder can be written
		assert_int_equal(chmod(folder, 0555), 0);
		assert_false(ask(p, "front", "svg", in_folder("a.svg"), false, &f));
		assert_int_equal(chmod(folder, 0755), 0);
	}
	char file[10];
	bool ok;
	assert_false(plotter_done(p, file, sizeof file, &ok, &f));
	plotter_free(p);
}

static void many_wait_their_turn(void **state)
{
	(void)state;
	struct plotter *p = plotter_with(fake("serve"), 20);
	struct fault f;
	int asked = 0;
	while (asked < 200 && ask(p, "front", "svg", in_folder("a.svg"), false, &f))
		asked++;
	assert_in_range(asked, 10, 200);
	plotter_finish(p, 60);
	char file[600];
	bool ok;
	for (; plotter_done(p, file, sizeof file, &ok, &f); asked--)
		assert_true(ok);
	assert_int_equal(asked, 0);

	// Freed in the middle of its work, it leaves nothing.
	plotter_free(p);
	empty_folder();
	p = plotter_with(fake("sleep 60"), 20);
	assert_true(ask(p, "front", "svg", in_folder("a.svg"), false, &f));
	assert_true(ask(p, "front", "svg", in_folder("b.svg"), false, &f));
	assert_true(plotter_busy(p));
	plotter_finish(p, 0.05); // waits no longer than it is told
	assert_true(plotter_busy(p));
	struct pollfd fds[3];
	int timeout = -1;
	assert_in_range(plotter_fds(p, fds, &timeout), 2, 3);
	assert_in_range(timeout, 0, 20001);
	plotter_free(p);
	assert_int_equal(files_in_folder(), 1);
}

static void the_child_has_pipes_and_nothing_else(void **state)
{
	(void)state;
	char body[200];
	int fd = dup(2); // open and inherited, unless somebody sees to it
	snprintf(body, sizeof body,
		"[ -z \"$GNUTERM\" ] && ! [ -t 0 ] && ! [ -t 1 ] && ! [ -t 2 ] && "
		"! [ -e /proc/self/fd/%d ] && serve",
		fd);
	setenv("GNUTERM", "x11", 1);
	struct fault f;
	bool ok = with_fake(body, 20, &f);
	unsetenv("GNUTERM");
	close(fd);
	assert_true(ok);
}

// ---- the command ------------------------------------------------------------------------------------------------------

struct said {
	char text[600];
};

static void say(struct command_call *call, const char *format, ...)
{
	struct said *s = call->sayer;
	va_list args;
	va_start(args, format);
	vsnprintf(s->text, sizeof s->text, format, args);
	va_end(args);
}

static bool give_source(void *session, struct figure_source *source, struct fault *f)
{
	(void)f;
	*source = ((struct made *)session)->source;
	return true;
}

static const char *give_folder(void *session)
{
	(void)session;
	return folder;
}

static bool plot(struct plotter *p, struct said *said, struct fault *f, int argc, char **argv)
{
	size_t count;
	const struct command *row = plots_commands(&count);
	assert_int_equal(count, 2); // and `figures`
	assert_string_equal(row->name, "plot");
	struct made m;
	make(&m);
	struct plot_context context = {
		.plotter = p, .now = give_source, .source = give_source, .folder = give_folder, .session = &m};
	struct command_call call = {.context = &context, .argc = argc, .argv = argv, .say = say, .sayer = said};
	bool ok = row->run(&call);
	*f = call.fault;
	return ok;
}

#define PLOT(...) plot(p, &said, &f, (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)), (char *[]){__VA_ARGS__, NULL})

static void plot_command(void **state)
{
	(void)state;
	struct plotter *p = plotter_with(fake("serve"), 20);
	struct said said;
	struct fault f;
	char expected[200], png[200], file[600];
	bool ok;
	assert_true(PLOT("front"));
	snprintf(expected, sizeof expected, "plotting front to %s/front.svg", folder);
	assert_string_equal(said.text, expected);
	assert_true(PLOT("bits", "pdf", "keep"));
	snprintf(png, sizeof png, "%s/x.png", folder);
	assert_true(PLOT("curves", png)); // the format by the ending
	plotter_finish(p, 30);
	for (int i = 0; i < 3; i++)
		assert_true(plotter_done(p, file, sizeof file, &ok, &f) && ok);
	assert_false(plotter_done(p, file, sizeof file, &ok, &f));
	for (size_t i = 0; i < 5; i++) {
		static const char *const made[] = {"front.svg", "bits.pdf", "bits.gp", "bits.dat", "x.png"};
		assert_int_equal(access(in_folder(made[i]), R_OK), 0);
	}
	assert_false(PLOT("fronts"));
	assert_non_null(strstr(f.todo, "front, bits, curves, cost, entropy, reward"));
	assert_false(PLOT("front", "svg", png));
	assert_string_equal(f.what, "the file is not called svg");
	assert_false(PLOT("front", "gif", "a", "b"));
	assert_false(PLOT("front", "gif"));
	assert_string_equal(f.what, "it is neither a picture's format nor a file");
	assert_false(PLOT("front", "front.gif"));
	assert_non_null(strstr(f.todo, ".svg, .png or .pdf"));
	assert_true(PLOT("policy") && PLOT("front", "axis=logit", "svg", "width=8cm"));
	assert_false(PLOT("front", "axis=round"));
	assert_non_null(strstr(f.todo, "axis=logit"));
	assert_false(PLOT("bits", "axis=logit"));
	assert_string_equal(f.what, "bits has no axis of accuracies");
	assert_false(PLOT("error")); // nobody is there who could look
	assert_true(f.todo[0]);
	plotter_free(p);
}

static int set_language(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_DFL); // a plotter that raised it would end the test
	return setlocale(LC_ALL, "C.UTF-8") || setlocale(LC_ALL, "en_US.UTF-8") ? 0 : -1;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

// Changes stand in the plot as numbers, several at one step together, and below the legend as what they are; what has no room is counted.
static void test_marks(void **state)
{
	(void)state;
	struct string script = {0};
	struct figure *f = figure_new("step", "loss");
	struct series *s = f ? figure_add_series(f, "loss", SERIES_LINE, ROLE_MAIN, 2, false) : NULL;
	assert_non_null(s);
	series_add(s, 0, 1, NULL);
	series_add(s, 100, 2, NULL);
	figure_add_line(f, true, 20, ROLE_MARK, "pin stem int8");
	figure_add_line(f, true, 60, ROLE_MARK, "target bops 0.2x");
	figure_add_line(f, true, 60, ROLE_MARK, "weight size 1");
	script_commands(&script, f, picture_format_named("svg", 3), 16, 0, "'x'", "x.svg");
	assert_non_null(strstr(script.bytes, "set label '1' at screen"));
	assert_non_null(strstr(script.bytes, "set label '2-3' at screen"));
	assert_non_null(strstr(script.bytes, "set label '1 pin stem int8' at screen"));
	assert_non_null(strstr(script.bytes, "set label '3 weight size 1' at screen"));
	assert_null(strstr(script.bytes, "set label 'pin stem int8'"));
	string_clear(&script);
	for (int i = 0; i < 60; i++)
		figure_add_line(f, true, 61 + i / 2.0, ROLE_MARK, "restrict s3* int2,int3,int4");
	script_commands(&script, f, picture_format_named("svg", 3), 8, 8, "'x'", "x.svg");
	assert_non_null(strstr(script.bytes, "font 'Helvetica,8.0'"));
	assert_non_null(strstr(script.bytes, " more' at screen"));
	string_free(&script);
	figure_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks),
		cmocka_unit_test(front_shows_what_was_scored),
		cmocka_unit_test(front_parts_the_lanes),
		cmocka_unit_test(front_sets_trained_points_apart),
		cmocka_unit_test(front_of_close_costs_is_linear),
		cmocka_unit_test(axes_say_what_they_are),
		cmocka_unit_test(estimates_look_like_estimates),
		cmocka_unit_test(bits_end_with_the_present),
		cmocka_unit_test(bits_of_halves),
		cmocka_unit_test(formats_of_one_width_stay_apart),
		cmocka_unit_test(no_layer_is_hidden),
		cmocka_unit_test(curves_keep_gaps_and_means),
		cmocka_unit_test(curves_join_what_is_sparse),
		cmocka_unit_test(policy_is_stacked),
		cmocka_unit_test(error_is_classed),
		cmocka_unit_test(timeline_shows_what_was_done),
		cmocka_unit_test(accuracies_have_a_logit_axis),
		cmocka_unit_test(curves_hold_still),
		cmocka_unit_test(cost_is_relative_to_its_target),
		cmocka_unit_test(roofline_shows_roofs_and_layers),
		cmocka_unit_test(roofline_shows_where_a_draft_goes),
		cmocka_unit_test(measured_shows_both),
		cmocka_unit_test(measured_layers_beside_the_model),
		cmocka_unit_test(every_figure_of_nothing_is_empty),
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(columns_have_names),
		cmocka_unit_test(scales_hold_any_data),
		cmocka_unit_test(canvas_is_right_at_any_size),
		cmocka_unit_test(small_pictures),
		cmocka_unit_test(quotes_hold),
		cmocka_unit_test(numbers_have_points_in_any_language),
		IN_FOLDER(gnuplot_draws_every_figure),
		IN_FOLDER(gnuplot_draws_nasty_figures),
		IN_FOLDER(kept_files_draw_the_picture_again),
		IN_FOLDER(words_are_never_commands),
		IN_FOLDER(good_fakes_serve),
		IN_FOLDER(bad_fakes_are_faults),
		IN_FOLDER(a_hanging_gnuplot_is_waited_for_once),
		IN_FOLDER(a_missing_gnuplot_is_said_at_once),
		IN_FOLDER(wrong_requests_are_refused_at_once),
		IN_FOLDER(many_wait_their_turn),
		IN_FOLDER(the_child_has_pipes_and_nothing_else),
		IN_FOLDER(plot_command),
	};
	return cmocka_run_group_tests_name("plots", tests, set_language, NULL);
}

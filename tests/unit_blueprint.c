// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptions with choices in them: slots, the whole network, paths through it, portions of weights.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/model/blueprint.h"
#include "engine/tensor/rng.h"

static struct fault fault;

static struct blueprint *open_named(const char *name)
{
	struct blueprint *b = blueprint_named(name, (struct shape){0}, 0, &fault);
	if (!b)
		fail_msg("%s: %s: %s", name, fault.where, fault.what);
	return b;
}

static void choose_all(const struct blueprint *b, uint8_t *option, uint64_t seed, bool largest)
{
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	for (int i = 0; i < slots; i++)
		option[i] = (uint8_t)(largest ? (uint64_t)slot[i].options - 1
					      : rng_below(rng_key(seed, "choice", 0), (uint64_t)i, (uint64_t)slot[i].options));
}

static void set_option(const struct blueprint *b, uint8_t *option, const char *name, const char *word)
{
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	for (int i = 0; i < slots; i++)
		if (strcmp(slot[i].name, name) == 0) {
			int o = slot_named(&slot[i], word, &fault);
			assert_true(o >= 0);
			option[i] = (uint8_t)o;
			return;
		}
	fail_msg("no slot %s", name);
}

// Both are the same network, operator for operator.
static void same_model(const struct model *a, const struct model *b)
{
	assert_int_equal(a->ops, b->ops);
	assert_int_equal(a->layers, b->layers);
	for (int i = 0; i < a->ops; i++) {
		const struct op *p = &a->op[i], *q = &b->op[i];
		assert_int_equal(p->kind, q->kind);
		assert_int_equal(p->act, q->act);
		assert_int_equal(p->inputs, q->inputs);
		assert_memory_equal(p->in, q->in, (size_t)p->inputs * sizeof *p->in);
		assert_memory_equal(&p->out, &q->out, sizeof p->out);
		assert_memory_equal(&p->window, &q->window, sizeof p->window);
		assert_int_equal(p->groups, q->groups);
		assert_int_equal(p->layer, q->layer);
	}
	for (int l = 0; l < a->layers; l++) {
		assert_string_equal(a->layer[l].name, b->layer[l].name);
		assert_true(a->layer[l].macs == b->layer[l].macs && a->layer[l].weights == b->layer[l].weights);
	}
	assert_true(a->macs == b->macs && a->parameters == b->parameters);
}

// ---- the spaces by name -------------------------------------------------------------------------------------------------

static void published_sizes(void **state)
{
	(void)state;
	const struct {
		const char *name;
		double decisions, networks;
	} rows[] = {
		{"mobilenetv2-nas", 3 * pow(6, 6) * pow(12, 15), 3 * pow(6, 6) * pow(7, 15)},
		{"mobilenetv2-nas:filters=search", 3 * pow(6, 6) * pow(12, 15) * pow(7, 9),
			3 * pow(6, 6) * pow(7, 15) * pow(7, 9)},
		{"mobilenetv2-nas:sides=search", 3 * 3 * pow(6, 6) * pow(12, 15), 3 * 3 * pow(6, 6) * pow(7, 15)},
		{"mobilenetv2-nas:width=0.35", 3 * pow(6, 6) * pow(12, 15), 3 * pow(6, 6) * pow(7, 15)},
		{"resnet8", 1, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct blueprint *b = open_named(rows[i].name);
		double decisions, networks;
		blueprint_counts(b, &decisions, &networks);
		assert_true(fabs(decisions / rows[i].decisions - 1) < 1e-12);
		assert_true(fabs(networks / rows[i].networks - 1) < 1e-12);
		blueprint_free(b);
	}
}

static void mobilenetv2_is_a_point(void **state)
{
	(void)state;
	static const char *const name[][2] = {{"mobilenetv2-nas", "mobilenetv2"},
		{"mobilenetv2-nas:filters=search", "mobilenetv2"},
		{"mobilenetv2-nas:res=32,width=0.5", "mobilenetv2:res=32,width=0.5"}};
	for (int i = 0; i < 3; i++) {
		struct blueprint *b = open_named(name[i][0]);
		struct path path = {.whole = blueprint_whole(b)};
		struct model *m = model_named(name[i][1], (struct shape){0}, 0, &fault);
		assert_true(m && blueprint_settle(b, blueprint_standard(b), &path, &fault));
		same_model(path.model, m);
		model_free(m);
		path_free(&path);
		blueprint_free(b);
	}
}

// Operator for operator; the layers around space to depth have other names, since they share no weights with those without it.
static void efficientnet_x_b0_is_a_point(void **state)
{
	(void)state;
	struct blueprint *b = open_named("efficientnet-x-nas");
	struct path path = {.whole = blueprint_whole(b)};
	struct model *m = model_named("efficientnet-x-b0", (struct shape){0}, 0, &fault);
	assert_true(m && blueprint_settle(b, blueprint_standard(b), &path, &fault));
	for (int l = 0; l < m->layers; l++)
		snprintf(path.model->layer[l].name, MODEL_NAME, "%s", m->layer[l].name);
	same_model(path.model, m);
	model_free(m);
	path_free(&path);
	blueprint_free(b);
}

static void without_choices_the_whole_is_the_network(void **state)
{
	(void)state;
	for (const char *const *n = model_names(); *n; n++) {
		if (strstr(*n, "-nas"))
			continue;
		struct blueprint *b = open_named(*n);
		struct model *m = model_named(*n, (struct shape){0}, 0, &fault);
		int slots;
		blueprint_slots(b, &slots);
		assert_int_equal(slots, 0);
		same_model(blueprint_whole(b), m);
		for (int l = 0; l < m->layers; l++)
			assert_int_equal(blueprint_whole(b)->layer[l].owner, -1);
		model_free(m);
		blueprint_free(b);
	}
}

// Whether a layer is there is what its owner and those above it say; every layer is within the whole's.
static void check_path(const struct blueprint *b, const uint8_t *option, const struct path *p)
{
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	const struct model *whole = p->whole, *m = p->model;
	for (int l = 0; l < whole->layers; l++) {
		const struct layer *all = &whole->layer[l];
		bool there = all->owner < 0 || (slot_there(slot, all->owner, option) && all->when >> option[all->owner] & 1);
		assert_int_equal(p->at[l] >= 0, there);
		if (!there)
			continue;
		const struct layer *now = &m->layer[p->at[l]];
		assert_string_equal(now->name, all->name);
		assert_int_equal(p->layer[p->at[l]], l);
		assert_int_equal(p->op[now->op], all->op);
		assert_true(now->weights <= all->weights && now->in.c <= all->in.c && now->out.c <= all->out.c);
	}
}

static void every_choice_is_a_path(void **state)
{
	(void)state;
	static const char *const names[] = {"mobilenetv2-nas:res=32,width=0.35", "mobilenetv2-nas:res=32,filters=search",
		"resnet-nas", "efficientnet-x-nas:res=64,width=0.5", "resnet-nas:sides=search"};
	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		struct blueprint *b = open_named(names[n]);
		struct path path = {.whole = blueprint_whole(b)};
		uint8_t option[SLOTS_MOST];
		for (uint64_t seed = 0; seed < 40; seed++) {
			choose_all(b, option, seed, seed == 0);
			if (!blueprint_settle(b, option, &path, &fault))
				fail_msg("%s: %s", fault.where, fault.what);
			check_path(b, option, &path);
		}
		path_free(&path);
		blueprint_free(b);
	}
}

// ---- descriptions as text ------------------------------------------------------------------------------------------------

static const char *write_file(const char *text)
{
	static char path[64];
	snprintf(path, sizeof path, "/tmp/blueprint-%ld.net", (long)getpid());
	FILE *f = fopen(path, "w");
	assert_true(f && fputs(text, f) >= 0 && fclose(f) == 0);
	return path;
}

static const char text[] = "input 16x16x3\n"
			   "classes 10\n"
			   "stem  conv out=8|16 kernel=3\n"
			   "n0    norm act=relu\n"
			   "block b1 depth=off|on\n"
			   "c1    conv out=16 kernel=3|5|7\n"
			   "n1    norm act=relu|swish\n"
			   "block inner depth=off|on\n"
			   "dw    conv out=16 kernel=3|5 groups=each\n"
			   "end\n"
			   "c2    conv out=16 kernel=1\n"
			   "end\n"
			   "last  conv in=b1 out=24 kernel=1\n"
			   "pooled pool\n"
			   "head  linear out=classes\n";

static void a_file_with_choices(void **state)
{
	(void)state;
	const char *file = write_file(text);
	struct blueprint *b = open_named(file);
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	static const char *const name[] = {"stem.width", "b1.depth", "c1.kernel", "n1.act", "inner.depth", "dw.kernel"};
	static const int owner[] = {-1, -1, 1, 1, 1, 4};
	assert_int_equal(slots, 6);
	for (int i = 0; i < slots; i++) {
		assert_string_equal(slot[i].name, name[i]);
		assert_int_equal(slot[i].owner, owner[i]);
	}
	double decisions, networks;
	blueprint_counts(b, &decisions, &networks);
	assert_true(decisions == 2 * 2 * 3 * 2 * 2 * 2 && networks == 2 * (1 + 3 * 2 * (1 + 2)));
	struct path path = {.whole = blueprint_whole(b)};
	uint8_t option[SLOTS_MOST];
	for (uint64_t seed = 0; seed < 60; seed++) {
		choose_all(b, option, seed, seed == 0);
		assert_true(blueprint_settle(b, option, &path, &fault));
		check_path(b, option, &path);
	}
	choose_all(b, option, 0, true);
	set_option(b, option, "b1.depth", "off");
	assert_true(blueprint_settle(b, option, &path, &fault));
	assert_int_equal(path.model->layers, 3);
	assert_int_equal(path.model->layer[1].in.c, 16);
	set_option(b, option, "stem.width", "8");
	assert_true(blueprint_settle(b, option, &path, &fault));
	assert_int_equal(path.model->layer[1].in.c, 8);
	path_free(&path);
	blueprint_free(b);
	unlink(file);
}

// A path at a smaller side is the network that reads such images, and says so in its own description.
static void the_side_of_images_is_a_choice(void **state)
{
	(void)state;
	static const char
		choices[] =
			"input 16x16x3 side=8|12|16\nclasses 10\nstem conv out=16 kernel=3\npool pool\nhead linear out=classes\n",
		smaller[] = "input 12x12x3 resize\nclasses 10\nstem conv out=16 kernel=3\npool pool\nhead linear out=classes\n";
	const char *file = write_file(choices);
	struct blueprint *b = open_named(file);
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	assert_true(slots == 1 && slot[0].kind == SLOT_SIDE && slot[0].options == 3);
	assert_string_equal(slot[0].name, "input.side");
	assert_true(blueprint_whole(b)->op[0].out.h == 16 && blueprint_standard(b)[0] == 2);
	struct path path = {.whole = blueprint_whole(b)};
	uint8_t option = 1;
	assert_true(blueprint_settle(b, &option, &path, &fault));
	write_file(smaller);
	struct model *m = model_named(file, (struct shape){0}, 0, &fault);
	assert_true(m && m->sized && path.model->sized);
	same_model(path.model, m);
	model_free(m);
	path_free(&path);
	blueprint_free(b);
	unlink(file);
	b = blueprint_named("resnet-nas:sides=search", (struct shape){28, 28, 1}, 10, &fault);
	slot = blueprint_slots(b, &slots);
	assert_true(slot[0].value[0] == 16 && slot[0].value[1] == 24 && slot[0].value[2] == 28);
	blueprint_free(b);
}

static void a_bad_file_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *what;
		int line;
	} rows[] = {
		{"input 16x16x3 side=8|12\na conv out=8 kernel=3\n", "the list ends with 12", 1},
		{"input 16x16x3 side=12|8|16\na conv out=8 kernel=3\n", "no list of sides", 1},
		{"input 16x16x3 side=8|x|16\na conv out=8 kernel=3\n", "no option", 1},
		{"input 16x12x3 side=8|16\na conv out=8 kernel=3\n", "not square", 1},
		{"input 8x8x3\na conv out=8|8 kernel=3\np pool\nh linear out=2\n", "out=8|8", 2},
		{"input 8x8x3\na conv out=8|x kernel=3\np pool\nh linear out=2\n", "out=8|x", 2},
		{"input 8x8x3\na conv out=8 kernel=3 stride=1|2\np pool\nh linear out=2\n", "no choice", 2},
		{"input 8x8x3\nblock b depth=off|on\na conv out=8 kernel=3\np pool\nh linear out=2\n", "no end", 2},
		{"input 8x8x3\na conv out=8 kernel=3\nend\np pool\nh linear out=2\n", "no block", 3},
		{"input 8x8x3\nblock b depth=on\na conv out=8 kernel=3\nend\np pool\nh linear out=2\n", "no choice", 2},
		{"input 8x8x3\nc conv out=8|16 kernel=1\nd conv in=input out=16 kernel=1\ns add in=c,d\np pool\nh linear out=2\n",
			"nothing comes out", 4},
		{"input 8x8x3\nblock b depth=off|on\na conv out=8 kernel=3\nend\nx conv in=a out=8 kernel=1\np pool\nh linear out=2\n",
			"no earlier line", 5},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *file = write_file(rows[i].text);
		struct blueprint *b = blueprint_named(file, (struct shape){0}, 0, &fault);
		char place[128];
		snprintf(place, sizeof place, "%s:%d", file, rows[i].line);
		if (b || !strstr(fault.what, rows[i].what) || strcmp(fault.where, place) != 0)
			fail_msg("%zu: %s: %s", i, fault.where, fault.what);
		unlink(file);
	}
}

// ---- portions ----------------------------------------------------------------------------------------------------------------

static void portions_are_the_centre_and_the_first(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		uint64_t key = rng_key(seed, "slice", 0);
		int all_rows = 1 + 2 * (int)rng_below(key, 0, 3), all_inputs = 1 + (int)rng_below(key, 1, 4),
		    all_outputs = 1 + (int)rng_below(key, 2, 4);
		int rows = all_rows - 2 * (int)rng_below(key, 3, (uint64_t)(all_rows + 1) / 2),
		    inputs = 1 + (int)rng_below(key, 4, (uint64_t)all_inputs),
		    outputs = 1 + (int)rng_below(key, 5, (uint64_t)all_outputs);
		struct op all = {.kind = OP_CONV, .out = {1, 1, all_outputs}, .window = window_of(all_rows, 1), .groups = 1};
		struct op one = {.kind = OP_CONV, .out = {1, 1, outputs}, .window = window_of(rows, 1), .groups = 1};
		struct portion s = portion_of(&all, all_inputs, &one, inputs);
		long run, runs = portion_runs(&s, &run), at = 0;
		assert_int_equal(runs * run, (long)rows * rows * inputs * outputs);
		for (int r = 0; r < rows; r++)
			for (int c = 0; c < rows; c++)
				for (int i = 0; i < inputs; i++)
					for (int o = 0; o < outputs; o++, at++) {
						int row = r + (all_rows - rows) / 2, column = c + (all_rows - rows) / 2;
						long where = (((long)row * all_rows + column) * all_inputs + i) * all_outputs + o;
						assert_int_equal(portion_run(&s, at / run) + at % run, where);
					}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_sizes),
		cmocka_unit_test(mobilenetv2_is_a_point),
		cmocka_unit_test(efficientnet_x_b0_is_a_point),
		cmocka_unit_test(without_choices_the_whole_is_the_network),
		cmocka_unit_test(every_choice_is_a_path),
		cmocka_unit_test(a_file_with_choices),
		cmocka_unit_test(the_side_of_images_is_a_choice),
		cmocka_unit_test(a_bad_file_is_refused),
		cmocka_unit_test(portions_are_the_centre_and_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

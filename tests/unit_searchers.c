// SPDX-License-Identifier: GPL-3.0-or-later
// Every searcher by the rules that hold for all: deterministic, saved and restored bit for bit, within what is allowed and asked for; and
// what each is known by.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/search/allocate.h"
#include "engine/search/searchers/choices.h"
#include "tests/searching.h"

static void run(struct search *s, long steps)
{
	struct fault f;
	char line[512];
	while (search_steps_done(s) < steps)
		if (!search_step(s, &f))
			fail_msg("%s", fault_line(&f, line, sizeof line));
}

static void apply(struct search *s, enum change_kind kind, const char *name, const char *value)
{
	struct change_item item = {0};
	struct change change = {.kind = kind, .items = 1, .item = &item}, inverse = {0};
	struct fault f;
	char says[512] = "", line[512];
	snprintf(item.name, sizeof item.name, "%s", name);
	snprintf(item.value, sizeof item.value, "%s", value);
	if (!search_apply(s, &change, &inverse, says, sizeof says, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
	free(inverse.item);
}

// Steps that take no time, many decisions; and a network that trains.
#define TABLE "net=resnet18 data=none sensitivity=hawq space=int4,int5,int6,int7,int8 target.bops=int5 front-every=0 "
#define TRAINED                                                                                                                  \
	"net=resnet8:width=0.25 data=glyphs:12 train=256 heldout=128 batch=16 calibration=32 threads=1 target.bops=int4 front-every=0 "

static char settings[512];
static const char *with(const char *base, const char *searcher, const char *more)
{
	snprintf(settings, sizeof settings, "%s searcher=%s %s", base, searcher, more);
	return settings;
}

// The setting's words are the table's names, in its order.
static void the_setting_names_the_table(void **context)
{
	(void)context;
	size_t count;
	char names[512] = "";
	const struct knob *knob = engine_knobs(&count), *end = knob + count;
	while (knob < end && strcmp(knob->name, "searcher") != 0)
		knob++;
	assert_true(knob < end);
	for (int i = 0; searchers[i]; i++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", i ? "|" : "", searchers[i]->name);
		assert_true(searcher_named(searchers[i]->name) == searchers[i]);
		assert_true(!searchers[i]->open == !searchers[i]->save && !searchers[i]->save == !searchers[i]->restore);
	}
	assert_string_equal(names, knob->words);
	assert_null(searcher_named("nobody"));
}

// In one go, and in two processes with a state between them: the same to the last bit, also with a change in between.
// Whether a searcher goes by gradients, or trains in its own way: a table has neither.
static bool needs_training(const struct searcher *searcher)
{
	return searcher == &searcher_sensitivity_gradient || searcher == &searcher_sensitivity_hessian ||
		searcher == &searcher_branching;
}

static void all_go_on_from_a_state(void **context)
{
	(void)context;
	static const struct {
		const char *base;
		long steps;
	} ground[] = {{TABLE "steps=200", 200}, {TRAINED "steps=40", 40}};
	for (int i = 0; searchers[i]; i++)
		for (int g = needs_training(searchers[i]); g < 2; g++)
			for (int part = 1; part < 4; part++) {
				with(ground[g].base, searchers[i]->name, "choose-at=0.4 hessian-vectors=5");
				struct search *whole = search_of(settings, NULL), *first = search_of(settings, NULL);
				run(whole, ground[g].steps * part / 4);
				run(first, ground[g].steps * part / 4);
				apply(whole, CHANGE_TARGET, "bops", "int6");
				apply(first, CHANGE_TARGET, "bops", "int6");
				if (part == 2) { // each lane has a searcher of its own, which remembers what is its own
					apply(whole, CHANGE_ADD_LANE, "bops", "0.4x");
					apply(first, CHANGE_ADD_LANE, "bops", "0.4x");
					run(whole, ground[g].steps * 5 / 8);
					run(first, ground[g].steps * 5 / 8);
				}
				struct state *middle = saved(first);
				search_free(first);
				struct search *second = search_of(settings, middle);
				run(whole, ground[g].steps);
				run(second, ground[g].steps);
				struct state *a = saved(whole), *b = saved(second);
				same_states(a, b);
				state_free(a);
				state_free(b);
				state_free(middle);
				search_free(whole);
				search_free(second);
			}
}

static int option_of(const struct search *s, int slot)
{
	return s->lane[0].modal[slot];
}

// But for those whose reward may trade, the result keeps to the target and to pins, whenever they come.
static void all_keep_to_target_and_pins(void **context)
{
	(void)context;
	for (int i = 0; searchers[i]; i++) {
		if (searchers[i] == &searcher_annealed || searchers[i] == &searcher_reinforce)
			continue;
		const char *ground = needs_training(searchers[i]) ? TRAINED
			"space=int4,int5,int6,int7,int8 target.bops=int5 steps=200"
								  : TABLE "steps=200";
		struct search *s = search_of(with(ground, searchers[i]->name, "choose-at=0.3"), NULL);
		const struct lane *lane = &s->lane[0];
		run(s, 120);
		apply(s, CHANGE_RESTRICT, s->shared.space->slot[6].name, "int8");
		run(s, 121);
		assert_int_equal(option_of(s, 6), 4);
		apply(s, CHANGE_TARGET, "bops", "0.35x");
		run(s, 122);
		assert_int_equal(option_of(s, 6), 4);
		run(s, 200);
		assert_int_equal(option_of(s, 6), 4);
		bool ends = searchers[i] == &searcher_ends;
		if (!choice_within(lane, lane->modal))
			fail_msg("%s: %g of %g", searchers[i]->name, lane->aim[0].modal, lane_goal(&lane->aim[0]));
		// And it uses what it may: what has one format in most layers cannot.
		if (!ends && searchers[i] != &searcher_uniform)
			assert_true(lane->aim[0].modal > 0.93 * lane_goal(&lane->aim[0]));
		search_free(s);
	}
}

// A network that leaves an architecture open is served by some, which keep to a target and to pins in it too; the others are refused in one
// line, when a search is opened and when they are to take over.
#define OPEN                                                                                                                     \
	"net=resnet-nas:width=0.25 data=glyphs:12 train=256 heldout=128 batch=16 calibration=32 threads=1 space=int4,int6,int8 " \
	"target.bops=0.2x front-every=0 "

static void an_architecture_is_served_or_refused(void **context)
{
	(void)context;
	struct search *host = search_of(OPEN "steps=10", NULL);
	const struct slot *slot = host->shared.space->slot;
	const int pinned = host->shared.space->formats; // the first of the architecture that has two options or more
	int served = 0;
	for (int i = 0; searchers[i]; i++) {
		struct fault f = {0};
		char line[512], says[512];
		const char *const name = searchers[i]->name;
		struct change_item item = {"searcher", ""};
		struct change change = {.kind = CHANGE_SET, .items = 1, .item = &item}, inverse = {0};
		snprintf(item.value, sizeof item.value, "%s", name);
		bool took = search_apply(host, &change, &inverse, says, sizeof says, &f);
		free(inverse.item);
		assert_int_equal(took, !searchers[i]->formats_only);
		if (!took) {
			struct config *c = config_of(with(OPEN, name, "steps=10"));
			assert_non_null(strstr(fault_line(&f, line, sizeof line),
				"choose one that does: annealed, reinforce, greedy, exact, random, evolution"));
			f = (struct fault){0};
			assert_null(search_new(config_knobs(c), NULL, &f));
			assert_non_null(strstr(fault_line(&f, line, sizeof line),
				"chooses formats only, and this network has an architecture"));
			config_free(c);
			continue;
		}
		served++;
		struct search *s = search_of(with(OPEN, name, "steps=60"), NULL);
		const struct lane *lane = &s->lane[0];
		run(s, 40);
		apply(s, CHANGE_RESTRICT, slot[pinned].name, slot[pinned].option[0]);
		run(s, 60);
		assert_int_equal(option_of(s, pinned), 0);
		if (i > 0 && !choice_within(lane, lane->result))
			fail_msg("%s: %g of %g", name, lane->aim[0].result, lane_goal(&lane->aim[0]));
		search_free(s);
	}
	assert_int_equal(served, 6);
	search_free(host);
}

static void searchers_take_over(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED "steps=300 choose-at=1", NULL);
	for (int i = 0; searchers[i]; i++) {
		apply(s, CHANGE_SET, "searcher", searchers[i]->name);
		const struct searcher *before = s->lane[0].searcher;
		assert_true(i == 0 || before == searchers[i - 1]); // until a step begins
		run(s, search_steps_done(s) + 5);
		assert_true(s->lane[0].searcher == searchers[i]);
	}
	// A change that is taken back before a step has changed nothing.
	struct state *a = saved(s);
	apply(s, CHANGE_SET, "searcher", "evolution");
	apply(s, CHANGE_SET, "searcher", s->lane[0].searcher->name);
	struct state *b = saved(s);
	assert_true(memcmp(a->tensor[0].data, b->tensor[0].data, a->tensor[0].bytes) == 0 && a->tensors == b->tensors);
	state_free(a);
	state_free(b);
	search_free(s);
}

// What gradients say is the table; without them there is none.
static void gradients_are_a_table(void **context)
{
	(void)context;
	struct fault f = {0};
	char line[512];
	struct search *s = search_of(with(TABLE "steps=20", "sensitivity-gradient", "choose-at=0.5"), NULL);
	run(s, 10);
	assert_false(search_step(s, &f));
	assert_non_null(strstr(fault_line(&f, line, sizeof line), "this search has none; choose sensitivity-exact"));
	search_free(s);
	s = search_of(with(TRAINED "steps=40", "sensitivity-gradient", "choose-at=0.5"), NULL);
	run(s, 40);
	const struct lane *lane = &s->lane[0];
	assert_int_equal(search_work(s).asked, 0);
	assert_true(choice_within(lane, lane->modal) && lane->aim[0].modal > 0.9 * lane_goal(&lane->aim[0]));
	search_free(s);
}

// The Hessian's part is taken a vector a step, and counted; the search beside it is what it is without: what is shared is left as it is.
static void the_hessian_is_a_table(void **context)
{
	(void)context;
	struct fault f = {0};
	char line[512];
	struct search *s = search_of(with(TABLE "steps=20", "sensitivity-hessian", "choose-at=0.5"), NULL);
	run(s, 10);
	assert_false(search_step(s, &f));
	assert_non_null(strstr(fault_line(&f, line, sizeof line), "and here none is; choose sensitivity-exact"));
	search_free(s);
	static const char *const kinds[] = {"", "range=ema norm-sets=lane", "norm-sets=format ema=0.9", "decide=split"};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char hessian[1024], uniform[1024];
		snprintf(hessian, sizeof hessian, "%s",
			with(TRAINED "seed=3 steps=60 choose-at=0.5 hessian-vectors=9 target.bops=int4", "sensitivity-hessian",
				kinds[i]));
		snprintf(uniform, sizeof uniform, "%s", with(TRAINED "seed=3 steps=60 target.bops=int8", "uniform", kinds[i]));
		s = search_of(hessian, NULL);
		struct search *plain = search_of(uniform, NULL);
		const struct lane *lane = &s->lane[0];
		char says[ENGINE_TEXT];
		run(s, 34);
		lane->searcher->says(lane, says, sizeof says);
		assert_string_equal(says, "measuring: 4 of 9 vectors, each two passes forward and back");
		assert_int_equal(search_work(s).asked, 0);
		run(plain, 34);
		struct state *a = saved(s), *b = saved(plain); // both trained in int8
		assert_memory_equal(state_find(a, "network.weights")->data, state_find(b, "network.weights")->data,
			state_find(a, "network.weights")->bytes);
		assert_memory_equal(state_find(a, "network.ranges")->data, state_find(b, "network.ranges")->data,
			state_find(a, "network.ranges")->bytes);
		state_free(a);
		state_free(b);
		search_free(plain);
		run(s, 40);
		lane->searcher->says(lane, says, sizeof says);
		assert_string_equal(says, "it has chosen, by 9 vectors, each two passes forward and back");
		run(s, 60);
		// (With some seeds a trace that is hardly trained comes out below 0: narrow formats seem better then, and it stays far below.)
		assert_true(choice_within(lane, lane->modal) && lane->aim[0].modal > 0.9 * lane_goal(&lane->aim[0]));
		search_free(s);
	}
}

// A mixture trains up to the share of the steps where it chooses; then the likeliest choice within the target does, and nothing is scored.
static void branches_are_mixed(void **context)
{
	(void)context;
	struct fault f = {0};
	char line[512], says[ENGINE_TEXT];
	struct search *s = search_of(with(TABLE "steps=20 wide-start=0", "branching", ""), NULL);
	assert_false(search_step(s, &f));
	assert_non_null(strstr(fault_line(&f, line, sizeof line), "branching trains a mixture of formats"));
	search_free(s);
	static const char *const kinds[] = {"", "range=ema norm-sets=format", "decide=split range=mse"};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		with(TRAINED "steps=80 wide-start=0.1 warmup=0.2 choose-at=0.6 policy-rate=0.1", "branching", kinds[i]);
		s = search_of(settings, NULL);
		const struct lane *lane = &s->lane[0];
		unsigned long waits = lane_sum(lane, 0);
		run(s, 8);
		assert_false(s->mixed); // a wide start is one
		run(s, 16);
		assert_true(s->mixed && lane_sum(lane, 0) == waits);
		for (int k = 0; k < s->shared.space->slots * s->shared.options; k += s->shared.options) {
			double sum = 0;
			for (int o = 0; o < s->shared.options; o++)
				sum += s->share[k + o];
			assert_true(fabs(sum - 1) < 1e-5);
		}
		run(s, 17);
		assert_true(lane_sum(lane, 0) != waits);
		// From a state in the midst of it.
		run(s, 30);
		struct state *middle = saved(s);
		struct search *again = search_of(settings, middle);
		run(again, 60);
		run(s, 47);
		lane->searcher->says(lane, says, sizeof says);
		assert_non_null(strstr(says, "mixing 7 formats in each layer until step 48"));
		run(s, 48);
		unsigned long chosen = lane_sum(lane, 0);
		run(s, 60);
		assert_true(!s->mixed && lane_sum(lane, 0) == chosen);
		struct state *a = saved(s), *b = saved(again);
		same_states(a, b);
		state_free(a);
		state_free(b);
		state_free(middle);
		search_free(again);
		assert_int_equal(search_work(s).asked, 0);
		assert_true(choice_within(lane, lane->modal));
		assert_memory_equal(lane->modal, lane->result, (size_t)s->shared.space->slots);
		search_free(s);
	}
}

static void threads_mix_alike(void **context)
{
	(void)context;
	struct state *state[2];
	for (int i = 0; i < 2; i++) {
		struct search *s =
			search_of(with("net=mobilenetv2:width=0.1 data=glyphs:12 train=256 heldout=128 batch=16 "
				       "calibration=32 target.bops=int4 front-every=0 steps=12 wide-start=0 final=0 warmup=0",
					  "branching", i ? "threads=3" : "threads=1"),
				NULL);
		run(s, 12);
		state[i] = saved(s);
		search_free(s);
	}
	assert_string_equal(state_get(state[0], "digest"), state_get(state[1], "digest"));
	state_free(state[0]);
	state_free(state[1]);
}

static void uniform_and_ends(void **context)
{
	(void)context;
	struct search *s = search_of(with(TABLE "steps=20", "uniform", ""), NULL);
	int last = s->shared.space->slots - 1;
	run(s, 2);
	for (int i = 0; i <= last; i++)
		assert_int_equal(option_of(s, i), 1); // int5
	assert_int_equal(search_work(s).asked, 0);
	apply(s, CHANGE_SET, "searcher", "ends");
	apply(s, CHANGE_TARGET, "bops", "0.45x");
	run(s, 4);
	assert_true(option_of(s, 0) == 4 && option_of(s, last) == 4 && option_of(s, 2) == 1 && option_of(s, last - 2) == 1);
	assert_int_equal(search_work(s).asked, 0);
	search_free(s);
}

// On a table that adds up and has no noise, the best there is can be worked out: exact finds it, the others come near.
static void they_find_what_is_there(void **context)
{
	(void)context;
	struct fault f;
	struct search *s = search_of(with(TABLE "steps=2000", "sensitivity-exact", "choose-at=0.01"), NULL);
	struct sensitivity *table = sensitivity_named(s->shared.model, "hawq", &f);
	struct allocation a;
	const struct space *space = s->shared.space;
	assert_true(table &&
		allocation_of(s->shared.model, table, price_cost(s->shared.term[0].price), space->format, space->options, &a,
			&f));
	int *choice = calloc((size_t)a.layers, sizeof *choice);
	struct allocated exact = allocate_exact(&a, lane_goal(&s->lane[0].aim[0]), 0, choice);
	struct allocated even = allocate_uniform(&a, lane_goal(&s->lane[0].aim[0]), choice);
	search_free(s);
	static const struct {
		const char *name;
		double within; // share of uniform's loss beyond the best
	} row[] = {{"sensitivity-exact", 1e-6}, {"sensitivity-greedy", 0.1}, {"sensitivity-list", 0.95}, {"evolution", 0.3},
		{"random", 0.95}};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		s = search_of(with(TABLE "steps=2000", row[i].name, "choose-at=0.01"), NULL);
		run(s, 2000);
		double lost = 0;
		for (int l = 0; l < a.layers; l++)
			lost += a.lost[l * a.options + option_of(s, 2 * l)];
		if (!(lost <= exact.lost + row[i].within * (even.lost - exact.lost) + 1e-9))
			fail_msg("%s loses %g; the best %g, uniform %g", row[i].name, lost, exact.lost, even.lost);
		assert_true(lost >= exact.lost - 1e-9);
		search_free(s);
	}
	free(choice);
	allocation_free(&a);
	sensitivity_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_setting_names_the_table),
		cmocka_unit_test(all_go_on_from_a_state),
		cmocka_unit_test(all_keep_to_target_and_pins),
		cmocka_unit_test(an_architecture_is_served_or_refused),
		cmocka_unit_test(searchers_take_over),
		cmocka_unit_test(gradients_are_a_table),
		cmocka_unit_test(the_hessian_is_a_table),
		cmocka_unit_test(branches_are_mixed),
		cmocka_unit_test(threads_mix_alike),
		cmocka_unit_test(uniform_and_ends),
		cmocka_unit_test(they_find_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A polish: that it trains, that the search does not notice, that it comes back from a state and does not depend on when changes came in.
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/changing.h"

#define TRAINED                                                                                                                    \
	"net=resnet8:width=0.25 data=glyphs batch=16 heldout=64 steps=60 front-every=20 front-images=16 calibration=16 threads=2 " \
	"target.bops=0.3x"

static void polish(struct search *s)
{
	while (search_polishing(s))
		search_polish_advance(s);
}

static struct snapshot *shown(struct search *s)
{
	struct snapshot *now = snapshot_new();
	const struct engine_info *info = search_info(s);
	size_t room = (size_t)search_front_room(s);
	now->slot = calloc((size_t)info->slots, sizeof *now->slot);
	now->layer = calloc((size_t)info->layers, sizeof *now->layer);
	now->group = calloc((size_t)info->layers, sizeof *now->group);
	now->point = calloc(room, sizeof *now->point);
	now->choices = calloc(room, (size_t)info->slots);
	search_publish(s, now);
	return now;
}

// A state without what a polish keeps.
static struct state *without_polish(struct search *s)
{
	struct state *state = saved(s);
	int kept = 0;
	for (int i = 0; i < state->texts; i++)
		if (strncmp(state->text[i].name, "polish", 6) != 0 && strcmp(state->text[i].name, "part.polish") != 0)
			state->text[kept++] = state->text[i];
	state->texts = kept;
	kept = 0;
	for (int i = 0; i < state->tensors; i++)
		if (strncmp(state->tensor[i].name, "polish", 6) != 0)
			state->tensor[kept++] = state->tensor[i];
		else
			free(state->tensor[i].data);
	state->tensors = kept;
	return state;
}

// With all it keeps: an average, second moments, norms of each lane's own, moving ranges.
static const char *const kinds[] = {"", " ema=0.9 norm-sets=lane range=ema", " optimizer=adamw rate=0.002"};

static void the_search_does_not_notice(void **context)
{
	(void)context;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char settings[512];
		snprintf(settings, sizeof settings, TRAINED "%s", kinds[i]);
		struct search *with = search_of(settings, NULL), *without = search_of(settings, NULL);
		struct search *both[] = {with, without};
		for (int k = 0; k < 2; k++) {
			run(both[k], 10);
			must(both[k], 0, CHANGE_ADD_LANE, "bops", "0.6x");
			run(both[k], 25);
		}
		must(with, 2, CHANGE_POLISH, "", "12");
		polish(with);
		must(with, 1, CHANGE_POLISH, "", "5");
		polish(with);
		for (int k = 0; k < 2; k++)
			run(both[k], 60);
		assert_int_equal(with->polish.points, 2);
		struct state *a = without_polish(with), *b = saved(without);
		same_states(a, b);
		state_free(a);
		state_free(b);
		search_free(with);
		search_free(without);
	}
}

// What was trained fits its choice better than the shared weights do, and is shown among the front's points.
static void it_trains_the_result(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED " steps=200 front-images=512 heldout=1024 rate=0.05", NULL);
	struct evaluation before;
	struct fault f;
	run(s, 120);
	assert_true(search_evaluate(s, NULL, SPLIT_HELDOUT, 512, &before, &f));
	must(s, 0, CHANGE_POLISH, "", "80");
	assert_true(search_polishing(s));
	search_polish_advance(s);
	struct snapshot *now = shown(s);
	assert_true(now->polish.lane == 1 && now->polish.done == 1 && now->polish.steps == 80 && isfinite(now->polish.loss));
	assert_non_null(strstr(now->says, "polishing lane 1: 1/80"));
	snapshot_free(now);
	polish(s);
	now = shown(s);
	const struct front_point *trained = NULL;
	for (int i = 0; i < now->points; i++) {
		assert_true(i == 0 || now->point[i].cost[0] >= now->point[i - 1].cost[0]);
		assert_true(now->point[i].choice == now->choices + (size_t)i * (size_t)now->slots);
		trained = now->point[i].trained ? &now->point[i] : trained;
	}
	assert_int_equal(now->points, s->front.points + 1);
	assert_true(trained && trained->trained == 80 && trained->step == 120 && trained->lane == 1);
	assert_memory_equal(trained->choice, before.choice, (size_t)now->slots);
	assert_true(trained->cost[0] == before.cost[0]);
	assert_true(trained->loss < before.loss - 0.02 && trained->accuracy > before.accuracy);
	assert_true(fabs(trained->test - trained->accuracy) < 0.1);
	assert_true(now->polish.made == 80 && now->polish.seconds > 0 && now->polish.ended == 1 && now->polish.lane == 0);
	// Its costs follow the terms.
	must(s, 0, CHANGE_TARGET, "latency@a100", "0.5x");
	int term = s->shared.terms - 1;
	assert_true(s->polish.point[0].cost[term] > 0);
	free(before.choice);
	free(before.range);
	free(before.right);
	snapshot_free(now);
	search_free(s);
}

static void it_comes_back_from_a_state(void **context)
{
	(void)context;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char settings[512];
		snprintf(settings, sizeof settings, TRAINED "%s", kinds[i]);
		struct search *whole = search_of(settings, NULL);
		run(whole, 20);
		must(whole, 0, CHANGE_POLISH, "", "6");
		polish(whole);
		run(whole, 30);
		must(whole, 0, CHANGE_POLISH, "", "9");
		for (int step = 0; search_polishing(whole); step++, search_polish_advance(whole)) {
			if (step % 5 != 2 && !whole->polish.scored) // in the midst of training, and between its two scorings
				continue;
			struct state *state = saved(whole);
			struct search *again = search_of(settings, state);
			struct state *its = saved(again);
			same_states(state, its);
			state_free(its);
			state_free(state);
			search_free(whole); // the rest is made by the one that came from a state
			whole = again;
		}
		run(whole, 40);
		struct search *other = search_of(settings, NULL);
		run(other, 20);
		must(other, 0, CHANGE_POLISH, "", "6");
		polish(other);
		run(other, 30);
		must(other, 0, CHANGE_POLISH, "", "9");
		polish(other);
		run(other, 40);
		struct state *a = saved(whole), *b = saved(other);
		same_states(a, b);
		state_free(a);
		state_free(b);
		search_free(other);
		search_free(whole);
	}
}

// A change that comes in while it trains alters nothing of it: a replay makes it when the polish is done.
static void changes_meanwhile_make_no_difference(void **context)
{
	(void)context;
	struct search *during = search_of(TRAINED, NULL), *after = search_of(TRAINED, NULL);
	struct search *both[] = {during, after};
	for (int i = 0; i < 2; i++) {
		run(both[i], 25);
		must(both[i], 0, CHANGE_ADD_LANE, "bops", "0.5x");
		must(both[i], 2, CHANGE_POLISH, "", "10");
		for (int k = 0; k < 4; k++)
			search_polish_advance(both[i]);
		if (i == 1)
			polish(both[i]);
		must(both[i], 0, CHANGE_SET, "range", "percentile");
		must(both[i], 0, CHANGE_SET, "decay", "0.1");
		must(both[i], 2, CHANGE_TARGET, "bops", "0.2x");
		must(both[i], 0, CHANGE_RESTRICT, "stem", "int8");
		must(both[i], 0, CHANGE_DROP_LANE, "", "2");
		polish(both[i]);
		run(both[i], 40);
	}
	struct state *a = saved(during), *b = saved(after);
	same_states(a, b);
	state_free(a);
	state_free(b);
	search_free(during);
	search_free(after);
}

static void it_can_be_taken_back(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED, NULL), *plain = search_of(TRAINED, NULL);
	run(s, 30);
	run(plain, 30);
	struct reply first = apply_to(s, 0, CHANGE_POLISH, "", "4");
	assert_true(first.ok && first.inverse.lane == 1);
	must_not(s, 0, CHANGE_POLISH, "", "4", "lane 1 is being polished (step 0 of 4)");
	polish(s);
	struct reply second = apply_to(s, 0, CHANGE_POLISH, "", "5");
	search_polish_advance(s);
	back(s, &second); // under way
	assert_true(!search_polishing(s) && s->polish.points == 1 && s->polish.point[0].of.steps == 4);
	struct change redo = {0};
	char says[4 * ENGINE_TEXT];
	struct fault f;
	assert_true(search_apply(s, &first.inverse, &redo, says, sizeof says, &f));
	assert_int_equal(s->polish.points, 0);
	assert_int_equal(redo.items, 2);
	assert_string_equal(redo.item[0].value, "4");
	assert_string_equal(redo.item[1].name, "rate");
	must_not(s, 0, CHANGE_POLISH, "", "drop", "nothing of lane 1 has been polished");
	run(s, 40);
	run(plain, 40);
	struct state *a = saved(s), *b = saved(plain);
	same_states(a, b); // nothing of them is left
	state_free(a);
	state_free(b);
	free(redo.item);
	reply_free(&first);
	search_free(s);
	search_free(plain);
}

static void as_many_points_are_kept_as_there_is_room_for(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED, NULL);
	run(s, 12);
	for (int i = 0; i < POLISH_POINTS + 3; i++) {
		char steps[16];
		snprintf(steps, sizeof steps, "%d", i + 1);
		must(s, 0, CHANGE_POLISH, "", steps);
		polish(s);
	}
	assert_int_equal(s->polish.points, POLISH_POINTS);
	for (int i = 0; i < POLISH_POINTS; i++) {
		assert_int_equal(s->polish.point[i].of.steps, i + 4);
		for (int k = 0; k < i; k++)
			assert_true(s->polish.point[i].choice != s->polish.point[k].choice);
	}
	struct snapshot *now = shown(s);
	assert_int_equal(now->points, s->front.points + POLISH_POINTS);
	snapshot_free(now);
	search_free(s);
}

static void what_cannot_be_polished_is_refused(void **context)
{
	(void)context;
	struct search *s = search_of("net=resnet18 data=none sensitivity=hawq space=int4,int8 steps=100", NULL);
	must_not(s, 0, CHANGE_POLISH, "", "10", "nothing is trained here");
	must_not(s, 0, CHANGE_POLISH, "", "0", "N is a number of steps from 1");
	must_not(s, 0, CHANGE_POLISH, "", "-3", "N is a number of steps from 1");
	must_not(s, 0, CHANGE_POLISH, "", "99999999999", "N is a number of steps from 1");
	must_not(s, 0, CHANGE_POLISH, "", "lots", "N is a number of steps from 1");
	must_not(s, 9, CHANGE_POLISH, "", "10", "there is no such lane");
	struct change_item item[3] = {{"", "10"}, {"rate", "0"}, {"rate", "0.1"}};
	struct change c = {CHANGE_POLISH, 2, item, 1};
	struct fault f;
	assert_false(search_check(s, &c, &f));
	snprintf(item[1].value, sizeof item[1].value, "fast");
	assert_false(search_check(s, &c, &f));
	snprintf(item[1].name, sizeof item[1].name, "decay");
	assert_false(search_check(s, &c, &f));
	c.items = 3;
	assert_false(search_check(s, &c, &f));
	search_free(s);
}

// Too large a rate: the polish comes to nothing, and the search goes on.
static void a_polish_that_diverges_ends(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED " clip=0", NULL);
	struct change_item item[2] = {{"", "200"}, {"rate", "10"}};
	struct change back = {0}, c = {CHANGE_POLISH, 2, item, 1};
	char says[4 * ENGINE_TEXT];
	struct fault f;
	run(s, 20);
	// Weights as large as they come.
	assert_true(search_apply(s, &c, &back, says, sizeof says, &f));
	s->polish.now.rate = 1e30;
	polish(s);
	assert_true(s->polish.points == 0 && s->polish.ended == 1);
	assert_non_null(strstr(s->polish.says, "lane 1: the polish came to nothing"));
	run(s, 30);
	free(back.item);
	search_free(s);
}

// The copy is there as long as the polish, and not longer.
static void memory_is_given_back(void **context)
{
	(void)context;
	struct search *s = search_of(TRAINED " front-every=0", NULL);
	run(s, 20);
	must(s, 0, CHANGE_POLISH, "", "3");
	polish(s);
	size_t before = mallinfo2().uordblks;
	must(s, 0, CHANGE_POLISH, "", "3");
	size_t within = mallinfo2().uordblks;
	polish(s);
	size_t after = mallinfo2().uordblks;
	if (before) // sanitizers count by themselves
		assert_true(within > before + 60000 && after < before + 4096);
	search_free(s);
}

static void damage_is_refused(void **context)
{
	(void)context;
	static const struct {
		const char *name, *value;
	} damage[] = {{"part.polish", "7"}, {"polish.points", "-1"}, {"polish.points", "99"}, {"polish.points", "2"},
		{"polish.0.lane", "0"}, {"polish.0.place", "8"}, {"polish.0.steps", "0"}, {"polish.0.rate", "-1"},
		{"polish.0.accuracy", "x"}, {"polish.now.lane", "-1"}, {"polish.now.done", "7"}, {"polish.now.begun", "-1"},
		{"polish.set.range", "wide"}};
	struct search *s = search_of(TRAINED, NULL);
	struct config *c = config_of(TRAINED);
	run(s, 20);
	must(s, 0, CHANGE_POLISH, "", "3");
	polish(s);
	must(s, 0, CHANGE_POLISH, "", "3");
	search_polish_advance(s);
	struct state *state = saved(s);
	size_t tried = 0;
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++)
		for (int k = 0; k < state->texts; k++) {
			struct state_text *t = &state->text[k], kept = *t;
			struct fault f = {0};
			if (strcmp(t->name, damage[i].name) != 0)
				continue;
			snprintf(t->value, sizeof t->value, "%s", damage[i].value);
			assert_null(search_new(config_knobs(c), state, &f));
			assert_true(f.what[0] && f.todo[0]);
			*t = kept;
			tried++;
		}
	assert_int_equal(tried, sizeof damage / sizeof *damage);
	for (int k = 0; k < state->tensors; k++) {
		struct state_tensor *t = &state->tensor[k];
		struct fault f = {0};
		if (strcmp(t->name, "polish.choices") == 0) {
			uint8_t kept = *(uint8_t *)t->data;
			*(uint8_t *)t->data = 77;
			assert_null(search_new(config_knobs(c), state, &f));
			*(uint8_t *)t->data = kept;
		}
		if (strcmp(t->name, "polish.weights") == 0) {
			float kept = *(float *)t->data;
			*(float *)t->data = NAN;
			assert_null(search_new(config_knobs(c), state, &f));
			*(float *)t->data = kept;
		}
	}
	struct search *again = search_new(config_knobs(c), state, NULL);
	assert_non_null(again);
	search_free(again);
	state_free(state);
	config_free(c);
	search_free(s);
}

// ---- in an engine ----

static struct reply answer(struct engine *e)
{
	struct reply r;
	for (int i = 0; i < 3000; i++) {
		if (engine_reply(e, &r))
			return r;
		usleep(10000);
	}
	fail();
	return (struct reply){0};
}

static void await(struct engine *e, struct snapshot *now, enum engine_run run)
{
	for (int i = 0; i < 6000 && (engine_snapshot(e, now), now->run != run); i++)
		usleep(5000);
	assert_int_equal(now->run, run);
}

// It runs at once, also where the search is finished; a pause holds it, and running on goes on with it first.
static void an_engine_polishes_at_once_and_pauses(void **context)
{
	(void)context;
	struct config *c = config_of(TRAINED " steps=20");
	struct fault f;
	struct engine *e = engine_open(c, NULL, &f);
	struct snapshot *now = snapshot_new();
	struct change_item item = {"", "100000"};
	engine_run_to(e, ENGINE_RUN_ON);
	await(e, now, RUN_FINISHED);
	assert_true(engine_post_change(e, &(struct change){CHANGE_POLISH, 1, &item, 0}, NULL, &f));
	struct reply r = answer(e);
	assert_true(r.ok);
	reply_free(&r);
	await(e, now, RUN_RUNNING);
	while (now->polish.done < 5)
		usleep(1000), engine_snapshot(e, now);
	engine_pause(e);
	await(e, now, RUN_FINISHED);
	assert_true(now->polish.lane == 1 && now->step == 20);
	long done = now->polish.done;
	usleep(100000);
	engine_snapshot(e, now);
	assert_int_equal(now->polish.done, done);
	engine_run_to(e, ENGINE_RUN_ON);
	await(e, now, RUN_RUNNING);
	while (now->polish.done < done + 3)
		usleep(1000), engine_snapshot(e, now);
	snprintf(item.value, sizeof item.value, "drop");
	assert_true(engine_post_change(e, &(struct change){CHANGE_POLISH, 1, &item, 0}, NULL, &f));
	r = answer(e);
	assert_true(r.ok && strtol(r.inverse.item[0].value, NULL, 10) == 100000);
	reply_free(&r);
	await(e, now, RUN_FINISHED);
	assert_int_equal(now->polish.lane, 0);
	snapshot_free(now);
	engine_close(e);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_search_does_not_notice),
		cmocka_unit_test(it_trains_the_result),
		cmocka_unit_test(it_comes_back_from_a_state),
		cmocka_unit_test(changes_meanwhile_make_no_difference),
		cmocka_unit_test(it_can_be_taken_back),
		cmocka_unit_test(as_many_points_are_kept_as_there_is_room_for),
		cmocka_unit_test(what_cannot_be_polished_is_refused),
		cmocka_unit_test(a_polish_that_diverges_ends),
		cmocka_unit_test(memory_is_given_back),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(an_engine_polishes_at_once_and_pauses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Several lanes in one search: their turns, how they come and go, what is one lane's and what is all lanes', and their state.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/history.h"
#include "tests/changing.h"

// Steps that take no time.
#define TABLE "net=resnet18 data=none sensitivity=hawq space=int4,int8,e4m3 target.bops=0.4x front-every=50 steps=4000"
// Steps that train.
#define TRAINED "net=resnet8:width=0.25 data=glyphs batch=16 heldout=64 steps=60 front-every=20 front-images=16 calibration=16"

static struct lane *lane_of(struct search *s, int number)
{
	struct lane *lane = lanes_numbered(s, number, NULL);
	assert_non_null(lane);
	return lane;
}

static double expected_cost(const struct lane *lane, int term)
{
	const struct shared *s = lane->shared;
	double sum = 0;
	for (int l = 0; l < s->model->layers; l++)
		for (int o = 0; o < s->options; o++)
			sum += (double)policy_probabilities(lane->policy, lane->partition->decision_of[2 * l])[o] *
				price_layer(s->term[term].price, l, o, o);
	return sum;
}

// ---- turns ----

static void turns_are_fair(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	long had[4] = {0}, again = 0;
	int before = 0;
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.8x");
	for (int i = 0; i < 3000; i++) {
		run(s, i + 1);
		int lane = search_record(s)->lane;
		assert_true(lane >= 1 && lane <= 3 && search_record(s)->step == i + 1);
		had[lane]++;
		again += lane == before;
		before = lane;
	}
	for (int i = 1; i <= 3; i++) {
		assert_true(had[i] > 900 && had[i] < 1100);
		assert_int_equal(lane_of(s, i)->steps, had[i]);
	}
	assert_true(again > 900 && again < 1100); // drawn, not one after the other
	// Each has gone where it was sent.
	for (int i = 2; i <= 3; i++)
		assert_true(fabs(lane_of(s, i)->aim[0].modal / lane_of(s, i)->aim[0].target - 1) < 0.05);
	search_free(s);
}

// What a search with one lane holds says nothing of lanes, as before there were several.
static void one_lane_goes_without(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	run(s, 120);
	struct state *state = saved(s);
	for (int i = 0; i < state->texts; i++)
		assert_null(strstr(state->text[i].name, "lanes"));
	for (int i = 0; i < state->tensors; i++)
		assert_null(strstr(state->tensor[i].name, "lanes"));
	assert_string_equal(state_get(state, "part.search"), "1");
	assert_string_equal(state_get(state, "set.target.bops"), "0.4x");
	state_free(state);
	search_free(s);
}

// A policy that has fewer steps moves by more; a single one as ever.
static void fewer_steps_are_larger(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE " steps=1000", NULL);
	assert_true(lane_pace(lane_of(s, 1)) == 1);
	run(s, 500);
	assert_true(lane_pace(lane_of(s, 1)) == 1);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	assert_true(fabs(lane_pace(lane_of(s, 1)) - sqrt(2)) < 1e-9); // half of the steps
	assert_true(fabs(lane_pace(lane_of(s, 2)) - 2) < 1e-9);       // and of those that are left
	run(s, 1000);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x"); // none is left
	assert_true(lane_pace(lane_of(s, 3)) < 3);
	search_free(s);
}

// ---- coming and going ----

static void a_new_lane_meets_its_target_at_once(void **context)
{
	(void)context;
	static const char *const target[] = {"0.3x", "0.5x", "0.9x"};
	struct search *s = search_of(TABLE, NULL);
	run(s, 1500);
	unsigned long first = lane_sum(lane_of(s, 1), 0);
	for (int i = 0; i < 3; i++) {
		must(s, 1, CHANGE_ADD_LANE, "bops", target[i]);
		struct lane *lane = lane_of(s, i + 2);
		assert_true(fabs(expected_cost(lane, 0) / lane->aim[0].target - 1) < 0.002);
		assert_true(lane->steps == 0 && !lane->has_quality && isnan(lane->aim[0].sampled));
	}
	assert_true(lane_sum(lane_of(s, 1), 0) == first);
	// By a term that counted for nothing: it does now, beside the others.
	int size = knobs_term(&s->shared.knobs, "size");
	must(s, 3, CHANGE_ADD_LANE, "size", "0.7x");
	struct lane *lane = lane_of(s, 5);
	assert_true(lane->wishes.term[size].weight == lane->wishes.term[0].weight && lane->wishes.term[0].weight > 0);
	assert_true(fabs(expected_cost(lane, size) / lane->aim[size].target - 1) < 0.01);
	assert_true(fabs(expected_cost(lane, 0) / lane->aim[0].target - 1) < 0.01);
	assert_true(lane_of(s, 3)->wishes.term[size].weight == 0);
	// One that the search did not have yet.
	must(s, 1, CHANGE_ADD_LANE, "latency@a100", "0.8x");
	int latency = knobs_term(&s->shared.knobs, "latency@a100");
	assert_true(latency >= 0 && s->shared.terms == latency + 1 && lane_of(s, 6)->aim[latency].target > 0);
	assert_true(lane_of(s, 1)->aim[latency].target == 0 && lane_of(s, 1)->aim[latency].low > 0);
	run(s, 1600);
	search_free(s);
}

// Added to a search that has settled elsewhere, it looks around again, and does nearly as well as one that was there from the start.
static void comes_late(const char *searcher, long settled)
{
	char settings[160];
	snprintf(settings, sizeof settings, "net=resnet18 data=none sensitivity=hawq steps=2000 front-every=0 searcher=%s",
		searcher);
	struct search *early = search_of(settings, NULL), *late = search_of(settings, NULL);
	struct evaluation e[2];
	struct fault f;
	must(early, 0, CHANGE_ADD_LANE, "bops", "0.4x");
	run(late, settled);
	assert_true(policy_entropy(lane_of(late, 1)->policy) < 0.02);
	must(late, 0, CHANGE_ADD_LANE, "bops", "0.4x");
	struct lane *lane = lane_of(late, 2);
	const struct policy *policy = lane->policy;
	assert_true(policy_entropy(policy) > 0.5 && fabs(expected_cost(lane, 0) / lane->aim[0].target - 1) < 0.002);
	struct search *both[] = {early, late};
	for (int i = 0; i < 2; i++) {
		run(both[i], 2000);
		search_focus(both[i], 2);
		assert_true(search_evaluate(both[i], NULL, SPLIT_HELDOUT, 0, &e[i], &f));
		assert_true(fabs(e[i].cost[0] / lane_of(both[i], 2)->aim[0].target - 1) < 0.06);
	}
	assert_true(e[1].accuracy > e[0].accuracy - 0.006); // from the settled policy as it was, 3 points below
	for (int i = 0; i < 2; i++) {
		free(e[i].choice);
		free(e[i].range);
		free(e[i].right);
		search_free(both[i]);
	}
}

static void a_late_lane_finds_its_way(void **context)
{
	(void)context;
	comes_late("reinforce", 1200);
	comes_late("annealed", 1700);
}

static void warming_keeps_the_order(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	struct lane *lane = lane_of(s, 1);
	run(s, 1500);
	float before[SPACE_OPTIONS];
	memcpy(before, policy_probabilities(lane->policy, 3), sizeof before);
	policy_warm(lane->policy, 0.8);
	assert_true(fabs(policy_entropy(lane->policy) - 0.8) < 0.001);
	const float *now = policy_probabilities(lane->policy, 3);
	for (int a = 0; a < s->shared.options; a++)
		for (int b = 0; b < s->shared.options; b++)
			assert_true(!(before[a] > before[b]) || now[a] >= now[b]);
	unsigned long sum = lane_sum(lane, 0);
	policy_warm(lane->policy, 0.5); // it is above that
	assert_true(lane_sum(lane, 0) == sum);
	search_free(s);
}

static void dropping_touches_no_other(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	must(s, 2, CHANGE_ADD_LANE, "bops", "0.8x");
	run(s, 900);
	unsigned long sum[4];
	for (int i = 1; i <= 3; i++)
		sum[i] = lane_sum(lane_of(s, i), 0);
	struct reply drop = apply_to(s, 0, CHANGE_DROP_LANE, "", "2");
	assert_true(drop.ok);
	assert_null(lanes_numbered(s, 2, NULL));
	assert_true(lane_sum(lane_of(s, 1), 0) == sum[1] && lane_sum(lane_of(s, 3), 0) == sum[3]);
	long steps = lane_of(s, 1)->steps + lane_of(s, 3)->steps;
	run(s, 1000);
	assert_int_equal(lane_of(s, 1)->steps + lane_of(s, 3)->steps, steps + 100);
	back(s, &drop);
	assert_true(lane_sum(lane_of(s, 2), 0) == sum[2]); // as it was
	run(s, 1100);
	assert_true(lane_sum(lane_of(s, 2), 0) != sum[2]);
	must(s, 0, CHANGE_DROP_LANE, "", "1");
	must(s, 0, CHANGE_DROP_LANE, "", "3");
	must_not(s, 0, CHANGE_DROP_LANE, "", "2", "lane 2 is the only one");
	run(s, 1150);
	must_not(s, 0, CHANGE_TARGET, "bops", "0.5x", "lane 1: it was dropped; `lane back 1`");
	must(s, 2, CHANGE_TARGET, "bops", "0.5x");
	must(s, 0, CHANGE_SET, "entropy", "0.1"); // of no lane
	search_free(s);
}

static void numbers_are_not_used_again(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	for (int i = 2; i <= ENGINE_LANES; i++)
		must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	must_not(s, 0, CHANGE_ADD_LANE, "bops", "0.7x", "a search has 8 lanes at most");
	must(s, 0, CHANGE_DROP_LANE, "", "4");
	must(s, 0, CHANGE_DROP_LANE, "", "3");
	struct reply add = apply_to(s, 0, CHANGE_ADD_LANE, "bops", "0.7x"); // in the place of the one that was dropped first
	assert_true(add.ok && lane_of(s, 9)->place == 3);
	assert_non_null(strstr(add.says, "lane 4, which was dropped, cannot be brought back"));
	must_not(s, 0, CHANGE_BACK_LANE, "", "4", "it was dropped, and is not kept any more");
	must_not(s, 4, CHANGE_TARGET, "bops", "0.7x", "another lane has its place");
	must_not(s, 0, CHANGE_BACK_LANE, "", "12", "there was no such lane");
	must_not(s, 0, CHANGE_BACK_LANE, "", "9", "it is there already");
	must_not(s, 0, CHANGE_DROP_LANE, "", "0", "not the number of a lane");
	must_not(s, 12, CHANGE_TARGET, "bops", "0.7x", "lane 12: there is no such lane");
	must_not(s, -1, CHANGE_TARGET, "bops", "0.7x", "about all lanes");
	must_not(s, 2, CHANGE_EXTEND, "", "10", "about all lanes");
	must_not(s, 0, CHANGE_ADD_LANE, "bops", "none", "begins with a target");
	must_not(s, 0, CHANGE_ADD_LANE, "bops", "1e-200", "too far below");
	must_not(s, 0, CHANGE_ADD_LANE, "bops", "lots", "lots");
	must(s, 0, CHANGE_BACK_LANE, "", "3");
	back(s, &add);
	assert_null(lanes_numbered(s, 9, NULL));
	assert_int_equal(s->shared.lanes, 7);
	// The names of random streams and of states are told apart by the numbers.
	assert_true(lane_key(lane_of(s, 2), "path") != lane_key(lane_of(s, 5), "path"));
	search_free(s);
}

// ---- what is whose ----

static void a_pin_holds_in_all_lanes_unless_said(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	const char *layer = s->shared.model->layer[2].name;
	int slot = space_slot(2, HALF_WEIGHT);
	run(s, 800);
	struct reply own = apply_to(s, 2, CHANGE_RESTRICT, layer, "int4,int8");
	assert_int_equal(lane_of(s, 2)->partition->allowed[slot], 3);
	assert_int_equal(lane_of(s, 1)->partition->allowed[slot], 7);
	struct reply all = apply_to(s, 0, CHANGE_RESTRICT, layer, "int8,e4m3");
	assert_int_equal(lane_of(s, 2)->partition->allowed[slot], 2); // both hold
	assert_int_equal(lane_of(s, 1)->partition->allowed[slot], 6);
	run(s, 830);
	assert_int_equal(lane_of(s, 2)->modal[slot], 1);
	must_not(s, 0, CHANGE_RESTRICT, layer, "e4m3", "with the pins of lane 2 nothing is left to it");
	must_not(s, 2, CHANGE_RESTRICT, layer, "int4", "with the pins of lane 2 nothing is left to it");
	assert_int_equal(lane_of(s, 2)->partition->allowed[slot], 2);
	// A new lane has the pins of the one that it begins from.
	must(s, 2, CHANGE_ADD_LANE, "bops", "0.7x");
	assert_int_equal(lane_of(s, 3)->partition->allowed[slot], 2);
	// Each is taken back without the other.
	back(s, &own);
	assert_int_equal(lane_of(s, 2)->partition->allowed[slot], 6);
	back(s, &all);
	assert_int_equal(lane_of(s, 2)->partition->allowed[slot], 7);
	assert_int_equal(lane_of(s, 3)->partition->allowed[slot], 3);
	// Groups, and what is decided apart, are all lanes'.
	must(s, 0, CHANGE_GROUP, "mid", "s2*");
	assert_int_equal(lane_of(s, 1)->partition->decisions, lane_of(s, 3)->partition->decisions);
	must(s, 0, CHANGE_SET, "decide", "split");
	for (int i = 1; i <= 3; i++)
		assert_true(lane_of(s, i)->partition->split && lane_of(s, i)->partition->groups == 1);
	// A lane that was dropped and would be left nothing cannot come back.
	must(s, 0, CHANGE_DROP_LANE, "", "3");
	struct reply pin = apply_to(s, 0, CHANGE_RESTRICT, layer, "e4m3");
	assert_true(pin.ok && strstr(pin.says, "lane 3, which was dropped, cannot be brought back"));
	reply_free(&pin);
	run(s, 860);
	search_free(s);
}

static void wishes_are_a_lanes_own(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	struct knobs knobs;
	char text[ENGINE_TEXT];
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	run(s, 800);
	unsigned long first = lane_sum(lane_of(s, 1), 0);
	must(s, 2, CHANGE_TARGET, "bops", "0.9x");
	must(s, 2, CHANGE_WEIGHT, "bops", "3");
	must(s, 2, CHANGE_SET, "target.size", "0.9x");
	must(s, 2, CHANGE_SET, "searcher", "random");
	assert_true(lane_sum(lane_of(s, 1), 0) == first);
	run(s, 820);
	assert_string_equal(lane_of(s, 1)->searcher->name, "annealed");
	assert_string_equal(lane_of(s, 2)->searcher->name, "random");
	assert_true(lane_of(s, 1)->aim[0].weight == 2 && lane_of(s, 2)->aim[0].weight == 3);
	lane_knobs(lane_of(s, 1), &knobs);
	assert_true(knobs_get(&knobs, "target.bops", text, sizeof text));
	assert_string_equal(text, "0.4x");
	search_focus(s, 2);
	search_knobs(s, &knobs);
	assert_true(knobs_get(&knobs, "target.bops", text, sizeof text));
	assert_string_equal(text, "0.9x");
	assert_true(knobs_get(&s->shared.knobs, "target.bops", text, sizeof text) && !text[0]); // nobody's
	// What is shared is the same in both, and answered by both.
	must(s, 0, CHANGE_SET, "device", "a100");
	lane_knobs(lane_of(s, 2), &knobs);
	assert_string_equal(knobs.device, "a100");
	assert_string_equal(lane_of(s, 1)->shared->knobs.device, "a100");
	search_free(s);
}

// ---- states ----

// Changes of every kind, at steps of their own.
static void act(struct search *s, long from, long to)
{
	for (long step = from; step <= to; step++) {
		run(s, step);
		switch (step) {
		case 15: must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x"); break;
		case 18: must(s, 2, CHANGE_ADD_LANE, "size", "0.7x"); break;
		case 20: must(s, 2, CHANGE_SET, "searcher", "evolution"); break;
		case 24: must(s, 2, CHANGE_RESTRICT, "stem", "int8"); break;
		case 28: must(s, 0, CHANGE_DROP_LANE, "", "1"); break;
		case 31: must(s, 3, CHANGE_TARGET, "bops", "0.5x"); break;
		case 34: must(s, 0, CHANGE_RESTRICT, "s3*", "int4,int8"); break;
		case 37: must(s, 0, CHANGE_BACK_LANE, "", "1"); break;
		case 44: must(s, 0, CHANGE_ADD_LANE, "bops", "0.9x"); break;
		case 47: must(s, 0, CHANGE_SET, "rate", "0.05"); break;
		case 52: must(s, 0, CHANGE_DROP_LANE, "", "2"); break;
		}
	}
}

#define SPACE " space=int4,int8,e4m3 target.bops=0.4x"

// Saved and restored at any step, also right after a change, it goes on bit for bit.
static void lanes_come_back(void **context)
{
	(void)context;
	struct search *whole = search_of(TRAINED SPACE, NULL);
	act(whole, 0, 60);
	struct state *end = saved(whole);
	static const long at[] = {15, 16, 30, 31, 36, 44, 53};
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct search *s = search_of(TRAINED SPACE, NULL);
		act(s, 0, at[i]);
		struct state *state = saved(s);
		search_free(s);
		s = search_of(TRAINED SPACE, state);
		struct state *again = saved(s);
		same_states(state, again);
		act(s, at[i] + 1, 60);
		state_free(again);
		again = saved(s);
		same_states(end, again);
		state_free(state);
		state_free(again);
		search_free(s);
	}
	assert_string_equal(state_get(end, "part.search"), "2"); // which an older bitscape refuses by name
	state_free(end);
	search_free(whole);
}

static void threads_make_no_difference(void **context)
{
	(void)context;
	char one[64], two[64];
	struct search *s = search_of(TRAINED SPACE " threads=1", NULL), *t = search_of(TRAINED SPACE " threads=3", NULL);
	act(s, 0, 60);
	act(t, 0, 60);
	digest_of(s, one);
	digest_of(t, two);
	assert_string_equal(one, two);
	search_free(s);
	search_free(t);
}

static void damaged_lanes_are_refused(void **context)
{
	(void)context;
	static const struct {
		const char *name, *value;
	} damage[] = {{"lanes.numbers", "1"}, {"lanes.numbers", "x"}, {"lanes.drops", "-1"}, {"lanes.0.number", "0"},
		{"lanes.1.number", "1"}, {"lanes.1.number", "9"}, {"lanes.1.dropped", "5"}, {"lanes.1.steps", "-3"},
		{"lanes.1.begun", "-3"}, {"part.lanes", "7"}, {"part.lane.2", "7"}, {"lane.2.set.target.bops", "lots"},
		{"lane.2.moves", "-1"}};
	struct config *c = config_of(TABLE);
	struct search *s = search_of(TABLE, NULL);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	must(s, 2, CHANGE_RESTRICT, "stem", "int8");
	run(s, 500);
	struct state *state = saved(s);
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
		}
	for (int k = 0; k < state->tensors; k++) {
		struct state_tensor *t = &state->tensor[k];
		struct fault f = {0};
		bool lanes = strcmp(t->name, "lanes.allowed") == 0 || strcmp(t->name, "lane.2.own") == 0 ||
			strcmp(t->name, "front.lanes") == 0;
		if (!lanes)
			continue;
		int64_t kept = *(int64_t *)t->data;
		*(int64_t *)t->data = -1;
		assert_null(search_new(config_knobs(c), state, &f));
		*(int64_t *)t->data = kept;
	}
	struct search *again = search_new(config_knobs(c), state, NULL);
	assert_non_null(again);
	search_free(again);
	state_free(state);
	search_free(s);
	config_free(c);
}

// ---- what is shown ----

static void the_front_has_points_of_every_lane(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.6x");
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.8x");
	run(s, 1000);
	int modal[4] = {0}, others[4] = {0};
	for (int i = 0; i < s->front.points; i++) {
		const struct point *p = &s->front.point[i];
		assert_true(p->lane >= 0 && p->lane <= 3 && (p->lane == 0) == (p->origin == POINT_UNIFORM));
		modal[p->lane] += p->origin == POINT_MODAL;
		others[p->lane] += p->origin == POINT_SAMPLED;
		assert_int_equal(p->place, p->lane ? p->lane - 1 : 0);
	}
	for (int i = 1; i <= 3; i++)
		assert_true(modal[i] == 1 && others[i] > 0);
	search_free(s);
}

static struct snapshot *look(struct engine *e, struct snapshot *now, long step)
{
	for (int i = 0; i < 3000 && (engine_snapshot(e, now), now->step < step || now->run == RUN_RUNNING); i++)
		usleep(10000);
	assert_true(now->step >= step);
	return now;
}

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

static void the_focus_is_what_is_shown(void **context)
{
	(void)context;
	struct config *c = config_of(TABLE);
	struct fault f;
	struct engine *e = engine_open(c, NULL, &f);
	struct snapshot *now = snapshot_new();
	assert_true(e && now);
	engine_run_to(e, 300);
	look(e, now, 300);
	assert_true(now->lanes == 1 && now->focus == 1 && now->lane[0].number == 1 && now->lane[0].focus &&
		now->lane[0].steps == 300);
	struct change_item item = {"bops", "0.7x"}, second = {"", "1"};
	assert_true(engine_post_change(e, &(struct change){CHANGE_ADD_LANE, 1, &item, 0}, NULL, &f));
	assert_true(engine_post_focus(e, 2, NULL, &f) && engine_post_focus(e, 3, NULL, &f));
	for (int i = 0; i < 3; i++) {
		struct reply r = answer(e);
		assert_int_equal(r.ok, i < 2);
		reply_free(&r);
	}
	engine_run_to(e, 600);
	look(e, now, 600);
	assert_true(now->lanes == 2 && now->focus == 2 && now->lane[1].focus && !now->lane[0].focus);
	assert_string_equal(now->lane[1].name, "bops 0.7x");
	assert_string_equal(now->lane[0].name, "bops 0.4x");
	assert_true(now->term[0].target == now->lane[1].target[0] && now->term[0].modal == now->lane[1].modal[0]);
	assert_true(now->entropy == now->lane[1].entropy && now->lane[0].steps + now->lane[1].steps == 600);
	char text[ENGINE_TEXT];
	assert_true(config_get(now->settings, "target.bops", text, sizeof text));
	assert_string_equal(text, "0.7x");
	struct record *record = calloc(600, sizeof *record);
	assert_int_equal(engine_history(e, 0, 600, record, NULL), 600);
	long seconds = 0;
	for (int i = 0; i < 600; i++)
		seconds += record[i].lane == 2;
	assert_int_equal(seconds, now->lane[1].steps);
	// The history comes back with its lanes.
	assert_true(engine_post_state(e, NULL, &f));
	struct reply r = answer(e);
	struct engine *again = engine_open(c, r.state, &f);
	struct record *its = calloc(600, sizeof *its);
	assert_int_equal(engine_history(again, 0, 600, its, NULL), 600);
	for (int i = 0; i < 600; i++)
		assert_int_equal(its[i].lane, record[i].lane);
	reply_free(&r);
	engine_close(again);
	// The lane that is shown is dropped: the first of those that are left is.
	snprintf(second.value, sizeof second.value, "2");
	assert_true(engine_post_change(e, &(struct change){CHANGE_DROP_LANE, 1, &second, 0}, NULL, &f));
	r = answer(e);
	assert_true(r.ok);
	reply_free(&r);
	engine_snapshot(e, now);
	assert_true(now->lanes == 1 && now->focus == 1 && now->lane[0].focus);
	free(record);
	free(its);
	snapshot_free(now);
	engine_close(e);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_are_fair),
		cmocka_unit_test(one_lane_goes_without),
		cmocka_unit_test(fewer_steps_are_larger),
		cmocka_unit_test(a_new_lane_meets_its_target_at_once),
		cmocka_unit_test(a_late_lane_finds_its_way),
		cmocka_unit_test(warming_keeps_the_order),
		cmocka_unit_test(dropping_touches_no_other),
		cmocka_unit_test(numbers_are_not_used_again),
		cmocka_unit_test(a_pin_holds_in_all_lanes_unless_said),
		cmocka_unit_test(wishes_are_a_lanes_own),
		cmocka_unit_test(lanes_come_back),
		cmocka_unit_test(threads_make_no_difference),
		cmocka_unit_test(damaged_lanes_are_refused),
		cmocka_unit_test(the_front_has_points_of_every_lane),
		cmocka_unit_test(the_focus_is_what_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

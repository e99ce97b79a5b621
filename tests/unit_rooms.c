// SPDX-License-Identifier: GPL-3.0-or-later
// The rooms of the search, each by itself: states, pricers, sources, lanes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/history.h"
#include "tests/searching.h"

// Many decisions, steps that take no time.
#define TABLE                                                                                                                    \
	"net=resnet50 data=none sensitivity=hawq space=int4,int8,e4m3 target.bops=0.4x target.latency=0.5x weight.latency=1 steps=300"

static void run(struct search *s, long steps)
{
	struct fault f;
	while (search_steps_done(s) < steps)
		assert_true(search_step(s, &f));
}

// ---- states ----

static void parts_have_versions(void **context)
{
	(void)context;
	struct state s = {0};
	struct fault f = {0};
	assert_true(state_part(&s, "lane", 2) && state_say(&s, "part.front", "two"));
	assert_true(state_part_check(&s, "lane", 2, &f));
	assert_false(state_part_check(&s, "lane", 3, &f));
	assert_true(strstr(f.what, "an older bitscape") && strstr(f.what, "lane") && f.todo[0]);
	assert_false(state_part_check(&s, "lane", 1, &f));
	assert_non_null(strstr(f.what, "a newer bitscape"));
	assert_false(state_part_check(&s, "history", 1, &f)); // as in checkpoints from before there were parts
	assert_true(strstr(f.what, "an older bitscape") && strstr(f.what, "history") && f.todo[0]);
	assert_false(state_part_check(&s, "front", 1, &f));
	assert_non_null(strstr(f.what, "part.front"));
	free(s.text);
}

static void numbers_and_arrays_come_back(void **context)
{
	(void)context;
	struct state *s = calloc(1, sizeof *s);
	struct fault f = {0};
	long whole = -3, rare = 0;
	double real = 0.1;
	bool flag = true;
	float x[3] = {1, -2.5f, 1e-30f};
	const struct state_number number[] = {{"whole", .whole = &whole}, {"rare", .whole = &rare, .rare = true},
		{"real", .real = &real}, {"flag", .flag = &flag}};
	const struct state_array array = {"x", x, 3};
	assert_true(s && state_say_numbers(s, number, 4, "a.", "b") && state_add_arrays(s, &array, 1, "a.", &f));
	assert_string_equal(state_get(s, "a.whole.b"), "-3");
	assert_null(state_get(s, "a.rare.b"));
	unsigned long sum = state_sum(0, &array, 1);
	whole = rare = 7;
	real = 0;
	flag = false;
	memset(x, 0, sizeof x);
	assert_true(sum != state_sum(0, &array, 1));
	assert_true(state_read_numbers(s, number, 4, "a.", "b", &f) && state_read_arrays(s, &array, 1, "a.", &f));
	assert_true(whole == -3 && rare == 0 && real == 0.1 && flag && sum == state_sum(0, &array, 1));
	assert_false(state_read_numbers(s, number, 1, "", "b", &f));
	assert_non_null(strstr(f.what, "whole.b"));
	assert_false(state_read_arrays(s, &(struct state_array){"x", x, 2}, 1, "a.", &f)); // of another length
	((float *)s->tensor[0].data)[1] = NAN;
	assert_false(state_read_arrays(s, &array, 1, "a.", &f));
	assert_true(x[1] == -2.5f); // nothing was taken of it
	x[2] = INFINITY;
	assert_false(state_add_arrays(s, &array, 1, "b.", &f));
	assert_non_null(strstr(f.what, "b.x"));
	state_free(s);
}

// What a field is called decides where it goes, not where it stands.
static void history_is_kept_by_field(void **context)
{
	(void)context;
	struct slot_info slot[2] = {{.options = 3}, {.options = 3}};
	uint8_t now[2] = {1, 2};
	const float policy[6] = {0.25f, 0.75f, 0, 1, 0, 0};
	struct history h, back;
	struct state *s = calloc(1, sizeof *s);
	struct fault f = {0};
	assert_true(s && history_begin(&h, slot, 2, &f) && history_begin(&back, slot, 2, &f));
	assert_true(history_reserve(&h, 4, &f) && history_reserve(&back, 4, &f));
	for (int i = 0; i < 3; i++) {
		struct record r = {.step = i + 1,
			.lane = 1,
			.loss = 1 + (float)i,
			.accuracy = 11,
			.quality = 12,
			.reward = NAN,
			.entropy = 14,
			.learning_rate = 15};
		for (int t = 0; t < ENGINE_TERMS; t++) {
			r.cost[t] = (float)(100 * i + t);
			r.modal_cost[t] = -r.cost[t];
		}
		now[0] = (uint8_t)i;
		history_add(&h, &r, now, policy);
	}
	assert_true(history_save(&h, s));
	const struct state_tensor *loss = state_find(s, "history.loss"), *cost = state_find(s, "history.cost");
	assert_true(loss && loss->rank == 1 && loss->shape[0] == 3 && ((float *)loss->data)[2] == 3);
	assert_true(cost && cost->rank == 2 && cost->shape[1] == ENGINE_TERMS && ((float *)cost->data)[ENGINE_TERMS + 2] == 102);
	struct state_tensor first = s->tensor[0];
	s->tensor[0] = s->tensor[s->tensors - 1];
	s->tensor[s->tensors - 1] = first;
	assert_true(history_restore(&back, s, 3, &f));
	assert_true(back.records == 3 && memcmp(back.record, h.record, 3 * sizeof *h.record) == 0 &&
		memcmp(back.modal, h.modal, 6) == 0);
	assert_false(history_restore(&back, s, 2, &f)); // of another number of steps
	slot[0].options = 2;
	assert_false(history_restore(&back, s, 3, &f));
	assert_non_null(strstr(f.what, "history.modal"));
	history_free(&h);
	history_free(&back);
	state_free(s);
}

// The first slot's options at a step, which sum to 1; of the second one the last option has it all.
static void policy_at(long step, float policy[5])
{
	policy[0] = (float)(step % 256) / 255;
	policy[1] = 0;
	policy[2] = 1 - policy[0];
	policy[3] = 0;
	policy[4] = 1;
}

// Which rows there are, what they hold, and that they are few.
static void check_rows(const struct probabilities *p, long from, long steps)
{
	static struct policy_row row[ENGINE_POLICY_ROWS];
	const int count = probabilities_copy(p, 0, ENGINE_POLICY_ROWS, row);
	long stride = 0, whole = steps - PROBABILITIES_WHOLE;
	float now[5];
	for (int i = 0; i < count; i++) {
		policy_at(row[i].step, now);
		for (int o = 0; o < 3; o++)
			assert_true(fabsf(row[i].probability[o] - now[o]) < 1e-6f);
		if (i && row[i].step <= whole) {
			assert_true(!stride || row[i].step - row[i - 1].step == stride);
			stride = row[i].step - row[i - 1].step;
			assert_int_equal(row[i].step % stride, 0);
		}
		if (i && row[i - 1].step > whole)
			assert_true(row[i].step == row[i - 1].step + 1);
	}
	assert_true(count > 0 && row[count - 1].step == steps && row[0].step <= from + (stride ? stride : 1) - 1);
	assert_true((stride & (stride - 1)) == 0 && (from > 1 || steps < 1024 || count > ENGINE_POLICY_ROWS / 2));
	assert_int_equal(probabilities_copy(p, 1, 3, row), count < 3 ? count : 3);
	assert_true(row[0].probability[1] == 1 && probabilities_copy(p, 2, 3, row) == 0 &&
		probabilities_copy(p, -1, 3, row) == 0);
}

static struct state *policy_saved(const struct probabilities *p)
{
	struct state *s = calloc(1, sizeof *s);
	assert_true(s && probabilities_save(p, s));
	return s;
}

// However many steps are made, the rows are bounded, and those that a restored search has are those of one that ran through.
static void probabilities_are_thinned(void **context)
{
	(void)context;
	const struct slot_info slot[2] = {{.options = 3}, {.options = 2}};
	struct probabilities p, half;
	struct fault f = {0};
	float now[5];
	enum { STEPS = 5000, HALT = 700 };
	assert_true(probabilities_begin(&p, slot, 2, &f) && probabilities_begin(&half, slot, 2, &f));
	for (long step = 1; step <= STEPS; step++) {
		policy_at(step, now);
		probabilities_add(&p, step, now);
		if (step < 3 || step % 97 == 0 || step == STEPS)
			check_rows(&p, 1, step);
		if (step > HALT)
			probabilities_add(&half, step, now);
		if (step == HALT) {
			struct state *s = policy_saved(&p);
			assert_true(probabilities_restore(&half, s, step, &f));
			check_rows(&half, 1, step);
			state_free(s);
		}
	}
	struct state *through = policy_saved(&p), *restored = policy_saved(&half);
	assert_int_equal(through->tensors, 2);
	for (int i = 0; i < 2; i++) {
		const struct state_tensor *a = &through->tensor[i], *b = &restored->tensor[i];
		assert_true(a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0 && strcmp(a->name, b->name) == 0);
	}
	probabilities_free(&half);
	assert_true(probabilities_begin(&half, slot, 2, &f));
	((int64_t *)through->tensor[0].data)[3]++; // of a step that has no row
	assert_false(probabilities_restore(&half, through, STEPS, &f));
	assert_non_null(strstr(f.what, "history.policy.step"));
	((int64_t *)through->tensor[0].data)[3] = -1;
	assert_false(probabilities_restore(&half, through, STEPS, &f));
	assert_false(probabilities_restore(&half, restored, STEPS - 1, &f)); // of a step that was not made
	restored->tensor[1].bytes--;
	restored->tensor[1].shape[1]--;
	assert_false(probabilities_restore(&half, restored, STEPS, &f));
	state_free(through);
	state_free(restored);
	probabilities_free(&p);
	probabilities_free(&half);
}

// A search that goes on from where none were kept has those of its own steps.
static void probabilities_begin_later(void **context)
{
	(void)context;
	const struct slot_info slot[2] = {{.options = 3}, {.options = 2}};
	struct probabilities p;
	struct state none = {0};
	struct fault f = {0};
	float now[5];
	for (long from = 1; from < 3000; from += 517) {
		assert_true(probabilities_begin(&p, slot, 2, &f) && probabilities_restore(&p, &none, from - 1, &f));
		assert_int_equal(probabilities_copy(&p, 0, 1, &(struct policy_row){0}), 0);
		for (long step = from; step < from + 2000; step++) {
			policy_at(step, now);
			probabilities_add(&p, step, now);
			if (step % 61 == 0)
				check_rows(&p, from, step);
		}
		probabilities_free(&p);
	}
}

// A checkpoint from before there were parts is refused by a line that says so.
static void older_states_are_refused(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	struct knobs knobs = s->shared.knobs;
	run(s, 3);
	struct state *state = saved(s);
	static const char *const parts[] = {"part.search", "part.table", "part.lane", "part.front"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (int k = 0; k < state->texts; k++)
			if (strcmp(state->text[k].name, parts[i]) == 0) {
				struct state_text kept = state->text[k];
				struct fault f = {0};
				state->text[k].name[0] = 'x';
				assert_null(search_new(&knobs, state, &f));
				if (!strstr(f.what, "an older bitscape made it") || !strstr(f.what, strchr(parts[i], '.') + 1) ||
					!f.todo[0])
					fail_msg("%s: %s", parts[i], f.what);
				state->text[k] = kept;
			}
	state_free(state);
	search_free(s);
}

// ---- pricers ----

// Each holds its own choice: what one takes does not move another's.
static void pricers_do_not_meet(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	const struct shared *shared = &s->shared;
	const struct lane *lane = &s->lane[0];
	struct fault f;
	struct pricer *alone = pricer_new(shared->space, shared->blueprint, &f),
		      *one = pricer_new(shared->space, shared->blueprint, &f),
		      *other = pricer_new(shared->space, shared->blueprint, &f);
	assert_true(alone && one && other);
	size_t slots = (size_t)shared->space->slots;
	uint8_t *a = malloc(slots), *b = malloc(slots);
	assert_true(a && b);
	double cost[ENGINE_TERMS], want[SPACE_OPTIONS][ENGINE_TERMS], got[SPACE_OPTIONS][ENGINE_TERMS];
	for (uint64_t draw = 0; draw < 5; draw++)
		for (int d = 0; d < lane->partition->decisions; d += 7) {
			policy_sample(lane->policy, 2 * draw, a);
			policy_sample(lane->policy, 2 * draw + 1, b);
			pricer_take(alone, shared->term, shared->terms, a, cost);
			pricer_options(alone, lane->partition, d, lane_counted(lane), want);
			pricer_take(one, shared->term, shared->terms, a, cost);
			pricer_take(other, shared->term, shared->terms, b, cost);
			memset(a, 0, slots); // the pricer has a copy
			pricer_options(other, lane->partition, d, lane_counted(lane), got);
			pricer_options(one, lane->partition, d, lane_counted(lane), got);
			for (int o = 0; o < lane->partition->decision[d].options; o++)
				for (int t = 0; t < shared->terms; t++)
					assert_true(got[o][t] == want[o][t]);
		}
	free(a);
	free(b);
	pricer_free(alone);
	pricer_free(one);
	pricer_free(other);
	search_free(s);
}

// ---- sources ----

static long posted, failing; // how many choices; at which post it fails: 0, never
static bool late;            // collect fails

static bool counted_post(struct source *source, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	size_t slots = (size_t)source->shared->space->slots;
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			assert_true(memcmp(choice + (size_t)i * slots, choice + (size_t)k * slots, slots) != 0);
	posted += count;
	if (failing && --failing == 0)
		return fault_set(fault, "evaluator", "start it again", "it has ended");
	return source_table.post(source, lane, count, choice, fault);
}

static bool counted_collect(struct source *source, double *quality, struct fault *fault)
{
	if (late)
		return fault_set(fault, "evaluator", "give it more time", "no answer within a minute");
	return source_table.collect(source, quality, fault);
}

static bool failing_evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split,
	long images, struct evaluation *e, struct fault *fault)
{
	if (choice[0] == 0)
		return fault_set(fault, "evaluator", "start it again", "it has ended");
	return source_table.evaluate(source, k, lane, choice, split, images, e, fault);
}

static struct source_kind own_kind(void)
{
	struct source_kind kind = source_table;
	kind.post = counted_post;
	kind.collect = counted_collect;
	return kind;
}

static void equal_choices_are_scored_once(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE " samples=16", NULL), *plain = search_of(TABLE " samples=16", NULL);
	struct source_kind kind = own_kind();
	posted = failing = 0;
	s->source->kind = &kind;
	run(s, 300);
	run(plain, 300);
	struct search_work work = search_work(s);
	assert_true(work.asked == 16 * 300 && work.scored == posted);
	assert_true(work.scored < work.asked && work.scored >= 300); // a policy that has settled samples the same ones
	assert_true(lane_sum(&s->lane[0], 0) == lane_sum(&plain->lane[0], 0));
	search_free(s);
	search_free(plain);
}

// Equal choices get equal qualities, each its own.
static void answers_find_their_choices(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL);
	size_t slots = (size_t)s->shared.space->slots;
	struct fault f;
	static const int which[] = {0, 1, 0, 2, 2, 1, 0};
	enum { COUNT = sizeof which / sizeof *which };
	uint8_t *choice = calloc(COUNT, slots);
	double quality[COUNT], alone[3];
	assert_non_null(choice);
	for (size_t i = 0; i < COUNT; i++)
		memset(choice + i * slots, which[i], slots);
	for (int o = 0; o < 3; o++) {
		size_t i = (size_t[]){0, 1, 3}[o];
		assert_true(source_ask(s->source, &s->asked, 0, 1, choice + i * slots, &f) &&
			source_answer(s->source, &s->asked, &alone[o], &f));
	}
	assert_true(source_ask(s->source, &s->asked, 0, COUNT, choice, &f) && source_answer(s->source, &s->asked, quality, &f));
	assert_int_equal(s->asked.scored, 3);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(quality[i] == alone[which[i]]);
	assert_true(alone[0] != alone[1] && alone[1] != alone[2]);
	free(choice);
	search_free(s);
}

// A source that fails ends the step with its own words; the policy has not moved, and the step can be made again.
static void sources_may_fail(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL), *plain = search_of(TABLE, NULL);
	struct source_kind kind = own_kind();
	struct fault f = {0};
	s->source->kind = &kind;
	run(s, 20);
	unsigned long before = lane_sum(&s->lane[0], 0);
	failing = 1;
	assert_false(search_step(s, &f));
	assert_string_equal(f.what, "it has ended");
	late = true;
	assert_false(search_step(s, &f));
	late = false;
	assert_string_equal(f.what, "no answer within a minute");
	assert_true(search_steps_done(s) == 20 && lane_sum(&s->lane[0], 0) == before);
	run(s, 40);
	run(plain, 40);
	assert_true(lane_sum(&s->lane[0], 0) == lane_sum(&plain->lane[0], 0));

	// What cannot be scored is not on the front, and an evaluation says why there is none.
	kind.evaluate = failing_evaluate;
	for (search_front_begin(s); search_front_advance(s);)
		;
	for (search_front_begin(plain); search_front_advance(plain);)
		;
	assert_true(s->front.points > 0 && s->front.points < plain->front.points && !s->front.scoring);
	for (int i = 0; i < s->front.points; i++)
		assert_true(s->front.point[i].choice[0] != 0);
	struct evaluation e;
	uint8_t *choice = calloc((size_t)s->shared.space->slots, 1);
	assert_non_null(choice);
	assert_false(search_evaluate(s, choice, SPLIT_HELDOUT, 0, &e, &f));
	assert_string_equal(f.what, "it has ended");
	assert_true(!e.choice && !e.range);
	free(choice);
	search_free(s);
	search_free(plain);
}

// ---- lanes ----

static void open_beside(struct lane *lane, const char *name, const struct search *s)
{
	struct term term[ENGINE_TERMS];
	struct aim aim[ENGINE_TERMS];
	struct fault f;
	struct knobs own;
	*lane = (struct lane){0};
	lane_knobs(&s->lane[0], &own);
	assert_true(knobs_set(&own, "target.bops", "0.6x", true, &f));
	assert_true(lane_open(lane, name, &s->shared, &f) && aims_of(&s->shared, &own, term, aim, &f));
	lane_take_aims(lane, aim, 0);
	lane_refresh(lane);
}

// A second lane over the same ground: its own target, random numbers and names in a state; neither disturbs the other.
static void lanes_stand_side_by_side(void **context)
{
	(void)context;
	struct search *s = search_of(TABLE, NULL), *plain = search_of(TABLE, NULL);
	struct lane second, back;
	struct fault f;
	double quality[SEARCH_SAMPLES], cost[SEARCH_SAMPLES][ENGINE_TERMS];
	size_t slots = (size_t)s->shared.space->slots;
	open_beside(&second, "b", s);
	assert_true(second.aim[0].target > s->lane[0].aim[0].target && second.aim[0].low == s->lane[0].aim[0].low);
	assert_true(lane_key(&second, "choice") != lane_key(&s->lane[0], "choice"));
	for (int step = 0; step < 200; step++) {
		int count = second.searcher->propose(&second, s->choice);
		assert_true(source_ask(s->source, &s->asked, 0, count, s->choice, &f) &&
			source_answer(s->source, &s->asked, quality, &f));
		for (int i = 0; i < count; i++)
			lane_costs(&second, s->choice + (size_t)i * slots, cost[i]);
		assert_true(second.searcher->learn(&second,
			&(struct lesson){.count = count, .choice = s->choice, .quality = quality, .cost = cost}, &f));
		run(s, step + 1);
		lane_end_step(&second);
	}
	run(plain, 200);
	assert_true(lane_sum(&s->lane[0], 0) == lane_sum(&plain->lane[0], 0));
	assert_true(second.aim[0].modal > 1.2 * s->lane[0].aim[0].modal); // it aims higher, and has got there
	lane_keep(&second);                                               // as when a change has been made since its last step

	struct state *state = saved(s);
	int texts = state->texts, tensors = state->tensors;
	assert_true(lane_save(&second, state, &f));
	for (int i = texts; i < state->texts; i++)
		assert_true(strncmp(state->text[i].name, "lane.b.", 7) == 0 || strcmp(state->text[i].name, "part.lane.b") == 0);
	for (int i = tensors; i < state->tensors; i++)
		assert_int_equal(strncmp(state->tensor[i].name, "lane.b.", 7), 0);
	assert_true(state_sound(state, &f));
	struct state_tensor *last = &state->tensor[state->tensors - 1];
	float kept = *(float *)last->data;
	*(float *)last->data = NAN;
	assert_false(state_sound(state, &f));
	assert_string_equal(f.where, last->name);
	*(float *)last->data = kept;
	open_beside(&back, "b", s);
	assert_true(lane_sum(&back, 0) != lane_sum(&second, 0));
	assert_true(lane_restore(&back, state, &f));
	assert_true(lane_sum(&back, 0) == lane_sum(&second, 0) && back.last.kept && back.reward == second.reward);
	lane_close(&second);
	lane_close(&back);
	open_beside(&back, "c", s);
	assert_false(lane_restore(&back, state, &f)); // of another lane
	lane_close(&back);
	state_free(state);
	search_free(s);
	search_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_have_versions),
		cmocka_unit_test(numbers_and_arrays_come_back),
		cmocka_unit_test(history_is_kept_by_field),
		cmocka_unit_test(probabilities_are_thinned),
		cmocka_unit_test(probabilities_begin_later),
		cmocka_unit_test(older_states_are_refused),
		cmocka_unit_test(pricers_do_not_meet),
		cmocka_unit_test(equal_choices_are_scored_once),
		cmocka_unit_test(answers_find_their_choices),
		cmocka_unit_test(sources_may_fail),
		cmocka_unit_test(lanes_stand_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

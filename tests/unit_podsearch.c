// SPDX-License-Identifier: GPL-3.0-or-later
// A search over the division of a machine: that it finds the best, its prices, its states, its changes, and what it says.
#include <math.h>

#include "engine/tensor/rng.h"
#include "tests/changing.h"

#define TRAINED "pod=tpu_v4 work=gpt3 chips=512 front-every=0 "
#define SERVED "pod=tpu_v4 work=palm_540b task=serve chips=8,16,32,64 front-every=50 "

static double quality_of(struct search *s, const uint8_t *choice)
{
	struct evaluation e;
	struct fault f;
	double quality = NAN;
	if (search_evaluate(s, choice, SPLIT_HELDOUT, 0, &e, &f)) {
		quality = e.accuracy;
		free(e.choice);
		free(e.range);
		free(e.right);
	}
	return quality;
}

// ---- the best ----

// Quality is 1 for the best of the exhaustive search alone. Every seed is there within 150 steps, and stays.
static void every_seed_finds_the_best(void **context)
{
	(void)context;
	enum { SEEDS = 20, STEPS = 150 };
	for (int seed = 1; seed <= SEEDS; seed++) {
		char settings[128];
		snprintf(settings, sizeof settings, TRAINED "space=bf16 steps=250 seed=%d", seed);
		struct search *s = search_of(settings, NULL);
		for (long step = STEPS; step <= 250; step += 50) {
			run(s, step);
			if (!(quality_of(s, NULL) > 1 - 1e-12))
				fail_msg("seed %d, step %ld: the result has %.4f of the best throughput", seed, step,
					quality_of(s, NULL));
		}
		search_free(s);
	}
}

// With the formats to choose as well there are more ways to go astray: what is claimed is a share.
static void formats_free_it_comes_near(void **context)
{
	(void)context;
	for (int seed = 1; seed <= 3; seed++) {
		char settings[128];
		snprintf(settings, sizeof settings, TRAINED "steps=300 seed=%d", seed);
		struct search *s = search_of(settings, NULL);
		run(s, 300);
		assert_true(quality_of(s, NULL) > .95 && quality_of(s, NULL) <= 1);
		search_free(s);
	}
}

// Over all factors of axes there are five times as many ways, and the same holds.
static void factors_of_axes_come_near(void **context)
{
	(void)context;
	for (int seed = 1; seed <= 3; seed++) {
		char settings[128];
		snprintf(settings, sizeof settings, TRAINED "axes=any space=bf16 steps=300 seed=%d", seed);
		struct search *s = search_of(settings, NULL);
		run(s, 300);
		assert_true(quality_of(s, NULL) > .97 && quality_of(s, NULL) <= 1);
		search_free(s);
	}
}

// ---- prices ----

static void options_cost_what_the_choice_with_them_does(void **context)
{
	(void)context;
	struct search *s = search_of(SERVED "steps=60", NULL);
	struct lane *lane = &s->lane[0];
	const int slots = s->shared.space->slots;
	const struct partition *p = lane->partition;
	uint8_t *choice = calloc((size_t)slots, 1), *other = calloc((size_t)slots, 1);
	double cost[SPACE_OPTIONS][ENGINE_TERMS], now[ENGINE_TERMS], any[ENGINE_TERMS];
	run(s, 60);
	for (int round = 0; round < 20; round++) {
		policy_draw(lane->policy, (uint64_t)round, choice);
		for (int d = 0; d < p->decisions; d++) {
			lane_costs(lane, choice, now);
			pricer_options(lane->pricer, p, d, UINT32_MAX, cost);
			for (int o = 0; o < p->decision[d].options; o++) {
				memcpy(other, choice, (size_t)slots);
				other[p->decision[d].first] = (uint8_t)o;
				lane_costs(lane, other, now);
				assert_true(search_price(s, other, any, -1, NULL));
				for (int t = 0; t < s->shared.terms; t++)
					assert_true(cost[o][t] == now[t] && now[t] == any[t] && isfinite(now[t]));
			}
		}
	}
	other[0] = 200;
	assert_false(search_price(s, other, any, -1, NULL));
	free(choice);
	free(other);
	search_free(s);
}

// No choice that can be made costs less than the cheapest, or more than the dearest, by any term; and these two can be told of.
static void the_ends_are_the_ends(void **context)
{
	(void)context;
	struct search *s = search_of(SERVED "steps=60 weight.carbon=1 target.carbon=0.9x axes=any", NULL);
	struct lane *lane = &s->lane[0];
	const int slots = s->shared.space->slots;
	uint8_t *choice = calloc((size_t)slots, 1);
	double cost[ENGINE_TERMS];
	for (int pinned = 0; pinned < 2; pinned++) {
		long even = 0;
		const struct partition *p = lane->partition;
		for (uint64_t key = 0; key < 4000; key++) {
			for (int i = 0; i < slots; i++) {
				choice[i] = (uint8_t)(rng_bits(key, (uint64_t)i) % (uint64_t)s->shared.space->slot[i].options);
				if (!(p->allowed[i] >> choice[i] & 1))
					choice[i] = (uint8_t)__builtin_ctz(p->allowed[i]);
			}
			pricer_mend(lane->pricer, p->allowed, choice);
			if (!isfinite(quality_of(s, choice)))
				continue;
			even++;
			lane_costs(lane, choice, cost);
			for (int t = 0; t < s->shared.terms; t++)
				assert_true(cost[t] >= lane->aim[t].low * (1 - 1e-12) &&
					cost[t] <= lane->aim[t].high * (1 + 1e-12));
		}
		assert_true(even > 500);
		for (int t = 0; t < s->shared.terms; t++) {
			lane_costs(lane, lane->aim[t].cheapest, cost);
			assert_true(cost[t] == lane->aim[t].low && lane->aim[t].least == lane->aim[t].low);
		}
		must(s, 0, CHANGE_RESTRICT, "weights.format", "int8");
		must(s, 0, CHANGE_RESTRICT, "topology", "2x4x4,4x4x4");
	}
	free(choice);
	search_free(s);
}

// ---- states ----

// A search that was saved goes on to the same bits, changes and all.
static void a_state_goes_on(void **context)
{
	(void)context;
	char one[64], other[64];
	struct search *s = search_of(SERVED "steps=400 weight.chips=0.15 target.chips=8", NULL);
	run(s, 100);
	must(s, 0, CHANGE_RESTRICT, "weights.format", "int8");
	must(s, 0, CHANGE_ADD_LANE, "carbon", "0.5x");
	run(s, 150);
	struct state *state = saved(s);
	struct search *again = search_of(SERVED "steps=400 weight.chips=0.15 target.chips=8", state);
	struct state *same = saved(again);
	same_states(state, same);
	run(s, 300);
	run(again, 300);
	digest_of(s, one);
	digest_of(again, other);
	assert_string_equal(one, other);
	state_free(same);
	search_free(again);
	// Of another job it is refused.
	struct config *c = config_of("pod=tpu_v4 work=palm_540b task=serve chips=8,16,32,64 context=4096 steps=400");
	struct fault f;
	char line[512];
	assert_null(search_new(config_knobs(c), state, &f));
	assert_non_null(strstr(fault_line(&f, line, sizeof line), "context"));
	config_free(c);
	state_free(state);
	search_free(s);
}

// ---- changes ----

static void pins_hold_and_come_back(void **context)
{
	(void)context;
	char before[64], after[64];
	struct search *s = search_of(TRAINED "steps=400", NULL);
	struct fault f;
	run(s, 50);
	digest_of(s, before);
	struct reply topology = apply_to(s, 0, CHANGE_RESTRICT, "topology", "8x8x8"),
		     pipeline = apply_to(s, 0, CHANGE_RESTRICT, "pipeline", "1,8"),
		     formats = apply_to(s, 0, CHANGE_RESTRICT, "*.format", "bf16");
	assert_true(topology.ok && pipeline.ok && formats.ok);
	assert_string_equal(topology.says, "");
	back(s, &formats);
	back(s, &pipeline);
	back(s, &topology);
	digest_of(s, after);
	assert_string_equal(before, after);
	must(s, 0, CHANGE_RESTRICT, "topology", "8x8x8");
	must(s, 0, CHANGE_RESTRICT, "*.format", "bf16");
	must(s, 0, CHANGE_RESTRICT, "*.carried", "bf16");
	run(s, 400);
	const uint8_t *result = lanes_in_focus(s)->result;
	assert_int_equal(result[0], 2);
	assert_true(quality_of(s, NULL) > .2);
	must_not(s, 0, CHANGE_RESTRICT, "topology", "9x9x9", "4x8x16");
	must_not(s, 0, CHANGE_RESTRICT, "stem", "int8", "no such slot");
	must_not(s, 0, CHANGE_TARGET, "bops", "0.5x", "no such cost");
	must_not(s, 0, CHANGE_TARGET, "carbon", "int4", "is not a target");
	must_not(s, 0, CHANGE_SET, "chips", "256", "cannot change");
	assert_false(search_write_network(s, result, stdout, &f));
	search_free(s);
}

static double what_costs(struct search *s, const char *term, const uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	assert_true(search_price(s, choice, cost, -1, NULL));
	for (int t = 0; t < s->shared.terms; t++)
		if (strcmp(s->shared.term[t].name, term) == 0)
			return cost[t];
	fail_msg("there is no %s", term);
	return NAN;
}

// Where the machine stands may change while it is searched: energy and carbon are priced there from the next step on, `undo` brings the
// place back, a term may name a place of its own, and the state goes on.
static void the_site_may_change(void **context)
{
	(void)context;
	const char *const settings = TRAINED "steps=400 site=iowa weight.carbon=1 target.carbon=0.5x";
	const double iowa = 1.11 * .080, oklahoma = 1.10 * .074, own = 1.2 * .1; // PUE and net
	char one[64], other[64];
	uint8_t choice[32] = {0};
	struct search *s = search_of(settings, NULL), *plain = search_of(settings, NULL);
	run(s, 100);
	run(plain, 100);
	const double there = what_costs(s, "carbon", choice), energy = what_costs(s, "energy", choice),
		     chips = what_costs(s, "chips", choice);
	struct reply moved = apply_to(s, 0, CHANGE_SET, "site", "oklahoma");
	assert_true(moved.ok);
	assert_true(fabs(what_costs(s, "carbon", choice) / there * iowa / oklahoma - 1) < 1e-12);
	assert_true(fabs(what_costs(s, "energy", choice) / energy * 1.11 / 1.10 - 1) < 1e-12);
	assert_true(what_costs(s, "chips", choice) == chips);
	back(s, &moved);
	assert_true(what_costs(s, "carbon", choice) == there);
	run(s, 200);
	run(plain, 200);
	digest_of(s, one);
	digest_of(plain, other);
	assert_string_equal(one, other); // as if it had never been elsewhere
	search_free(plain);
	// Two places side by side; the one of the setting moves alone.
	must(s, 0, CHANGE_TARGET, "carbon@oklahoma", "0.5x");
	must(s, 0, CHANGE_WEIGHT, "carbon@oklahoma", "1");
	must(s, 0, CHANGE_SET, "site", "1.2/0.5/0.1");
	assert_true(fabs(what_costs(s, "carbon", choice) / there * iowa / own - 1) < 1e-12);
	assert_true(fabs(what_costs(s, "carbon@oklahoma", choice) / there * iowa / oklahoma - 1) < 1e-12);
	must_not(s, 0, CHANGE_SET, "site", "atlantis", "no such site");
	must_not(s, 0, CHANGE_SET, "site", "1.2/0.5", "three figures");
	must_not(s, 0, CHANGE_SET, "site", "0.2/0.5/0.1", "its PUE is 0.2");
	must_not(s, 0, CHANGE_SET, "site", "1.2/0.1/0.5", "net at most gross");
	must_not(s, 0, CHANGE_WEIGHT, "carbon@atlantis", "0", "no such site");
	must_not(s, 0, CHANGE_WEIGHT, "chips@iowa", "0", "no such cost");
	run(s, 250);
	struct state *state = saved(s);
	struct search *again = search_of(settings, state); // the setting that it was opened with is iowa
	run(s, 400);
	run(again, 400);
	digest_of(s, one);
	digest_of(again, other);
	assert_string_equal(one, other);
	assert_true(what_costs(again, "carbon", choice) == what_costs(s, "carbon", choice));
	state_free(state);
	search_free(again);
	search_free(s);
}

// A pin says what it leaves undone, and an evaluation of what cannot be what it lacks.
static void what_is_missing_is_said(void **context)
{
	(void)context;
	struct search *s = search_of(SERVED "steps=100", NULL);
	struct reply r = apply_to(s, 0, CHANGE_RESTRICT, "topology", "2x2x2");
	assert_true(r.ok);
	assert_string_equal(r.says, ""); // at int4 it fits
	reply_free(&r);
	r = apply_to(s, 0, CHANGE_RESTRICT, "weights.format", "bf16");
	assert_true(r.ok);
	assert_non_null(strstr(r.says, "nothing that is allowed fits: what lacks least does not fit"));
	assert_non_null(strstr(r.says, "GiB more than there is"));
	back(s, &r);
	r = apply_to(s, 0, CHANGE_RESTRICT, "model2", "64");
	assert_true(r.ok);
	assert_non_null(strstr(r.says, "no sizes that are allowed divide"));
	reply_free(&r);
	struct evaluation e;
	struct fault f;
	char line[512];
	assert_false(search_evaluate(s, NULL, SPLIT_HELDOUT, 0, &e, &f));
	assert_non_null(strstr(fault_line(&f, line, sizeof line), "cannot be"));
	search_free(s);
}

// Points of the front are all possible, and no two are the same.
static void the_front_holds_what_can_be(void **context)
{
	(void)context;
	struct search *s = search_of(SERVED "steps=200 weight.chips=0.15 target.chips=16", NULL);
	run(s, 200);
	assert_true(s->front.points > 0);
	for (int i = 0; i < s->front.points; i++)
		assert_true(quality_of(s, s->front.point[i].choice) > 0 && s->front.point[i].cost[0] <= 64);
	search_free(s);
}

// ---- settings ----

// The terms are the machine's, whatever the order in which settings are given; and a network's are what they were.
static void terms_follow_the_subject(void **context)
{
	(void)context;
	char name[32];
	struct config *a = config_of("weight.carbon=1 target.carbon=0.5x pod=tpu_v4"),
		      *b = config_of("pod=tpu_v4 weight.carbon=1 target.carbon=0.5x"), *c = config_of("pod=tpu_v4 pod=none"),
		      *d = config_of("seed=1");
	assert_true(knobs_equal(config_knobs(a), config_knobs(b)));
	assert_true(knobs_equal(config_knobs(c), config_knobs(d)));
	assert_int_equal(config_knobs(b)->terms, 5);
	assert_string_equal(config_knobs(b)->term[0].name, "chips");
	assert_string_equal(config_knobs(d)->term[0].name, "bops");
	assert_true(config_get(b, "data", name, sizeof name));
	assert_string_equal(name, "none");
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_seed_finds_the_best),
		cmocka_unit_test(formats_free_it_comes_near),
		cmocka_unit_test(factors_of_axes_come_near),
		cmocka_unit_test(options_cost_what_the_choice_with_them_does),
		cmocka_unit_test(the_ends_are_the_ends),
		cmocka_unit_test(a_state_goes_on),
		cmocka_unit_test(pins_hold_and_come_back),
		cmocka_unit_test(the_site_may_change),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(the_front_holds_what_can_be),
		cmocka_unit_test(terms_follow_the_subject),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

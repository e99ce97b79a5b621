// SPDX-License-Identifier: GPL-3.0-or-later
// The policy's answer to changes: what it will be at the next step, worked out from what it was after the last one and from the
// difference of the settings then and now. It is worked out anew with every change, always from there: so changes that take each
// other back leave no trace, and however many are made between two steps, they are answered once.
//
// Where the reward differs, the answer is the nearest policy (in the Kullback-Leibler sense, p' from p) whose expected costs stand to
// their targets as they did before: p'(o) ~ p(o) exp(-sum of lambda * cost(o)), a lambda for each term that counts. Options of equal
// cost keep their order, and a search that met its target meets the new one. FLOOR goes to every allowed option before and
// after, so that each can be had again.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

static const double FLOOR = 1e-3;
static const double OPEN = 0.5;    // of the way to a target out of reach, left for the steps to go
static const double NEAR = 1e-4;   // of a goal: met
static const double UTMOST = 1e9;  // the largest lambda, by the goal: options of the same cost to so many digits are the same
enum { SAMPLES = 8, ROUNDS = 8, CYCLES = 12 };

// ---- expected costs ----

static const float *odds(const struct search *s, int slot)
{
	return policy_probabilities(s->policy, s->partition->decision_of[slot]);
}

static bool tied(const struct search *s, int layer)
{
	const int *of = s->partition->decision_of;
	return of[space_slot(layer, HALF_WEIGHT)] == of[space_slot(layer, HALF_ACTIVATION)];
}

// Exact, where a term adds up over layers: adds to [decisions][options] what each option is expected to cost, over the layers that
// it is for; returns what all are.
static double expect_by_layers(const struct search *s, int term, double *cost)
{
	double total = 0;
	for (int l = 0; l < s->model->layers; l++) {
		int w = space_slot(l, HALF_WEIGHT), a = space_slot(l, HALF_ACTIVATION);
		const float *pw = odds(s, w), *pa = odds(s, a);
		double *of_w = cost + s->partition->decision_of[w] * s->options, *of_a = cost + s->partition->decision_of[a] * s->options;
		for (int i = 0; i < s->space->slot[w].options; i++)
			for (int k = tied(s, l) ? i : 0; k < (tied(s, l) ? i + 1 : s->space->slot[a].options); k++) {
				double price = search_price_layer(s, term, l, i, k);
				if (tied(s, l)) {
					of_w[i] += price;
					total += (double)pw[i] * price;
					continue;
				}
				of_w[i] += (double)pa[k] * price;
				of_a[k] += (double)pw[i] * price;
				total += (double)pw[i] * (double)pa[k] * price;
			}
	}
	return total;
}

// Over a few samples, always the same ones at a step. Choices that were drawn twice are priced once.
static void expect_by_samples(const struct search *s, uint32_t terms, double *const cost[ENGINE_TERMS], double total[ENGINE_TERMS])
{
	const struct partition *p = s->partition;
	size_t slots = (size_t)s->space->slots;
	uint64_t key = rng_key((uint64_t)s->knobs.seed, "answer", (uint64_t)s->step);
	double whole[ENGINE_TERMS], option[SPACE_OPTIONS][ENGINE_TERMS];
	int times[SAMPLES], of[SAMPLES];
	for (int i = 0; i < SAMPLES; i++) {
		policy_sample(s->policy, rng_bits(key, (uint64_t)i), s->choice + (size_t)i * slots);
		for (of[i] = 0; memcmp(s->choice + (size_t)i * slots, s->choice + (size_t)of[i] * slots, slots) != 0;)
			of[i]++;
		times[i] = 0;
		times[of[i]]++;
	}
	for (int i = 0; i < SAMPLES; i++) {
		double share = (double)times[i] / SAMPLES;
		if (!times[i])
			continue;
		search_costs(s, s->choice + (size_t)i * slots, whole);
		for (int d = 0; d < p->decisions; d++) {
			search_price_options(s, s->choice + (size_t)i * slots, whole, d, terms, option);
			for (int t = 0; t < s->terms; t++)
				for (int o = 0; terms >> t & 1 && o < p->decision[d].options; o++)
					cost[t][d * s->options + o] += share * option[o][t];
		}
		for (int t = 0; t < s->terms; t++)
			total[t] += terms >> t & 1 ? share * whole[t] : 0;
	}
}

// What each option of each decision is expected to cost, up to what does not depend on it, and the expected cost of a choice.
static void expect(const struct search *s, uint32_t terms, double total[ENGINE_TERMS])
{
	double *cost[ENGINE_TERMS];
	size_t size = (size_t)s->space->slots * (size_t)s->options;
	uint32_t sampled = 0;
	for (int t = 0; t < s->terms; t++) {
		cost[t] = s->answer + (size_t)t * size;
		total[t] = 0;
		if (!(terms >> t & 1))
			continue;
		memset(cost[t], 0, size * sizeof **cost);
		if (search_adds(s, t))
			total[t] = expect_by_layers(s, t, cost[t]);
		else
			sampled |= 1u << t;
	}
	if (sampled)
		expect_by_samples(s, sampled, cost, total);
}

// ---- the nearest policy ----

struct tilt {
	const struct search *search;
	uint32_t terms;
	double goal[ENGINE_TERMS], lambda[ENGINE_TERMS];
	double total[ENGINE_TERMS];   // expected cost of the policy that is tilted around
	const double *cost;           // [terms][decisions][options], around it
	double *before, *around, *now; // [decisions][options]: the policy before, with its floor; the one tilted around; the tilted one
};

static void tilt_decision(const struct tilt *t, int d)
{
	const struct search *s = t->search;
	const struct decision *decision = &s->partition->decision[d];
	size_t size = (size_t)s->space->slots * (size_t)s->options, row = (size_t)d * (size_t)s->options;
	double by[SPACE_OPTIONS], top = -INFINITY, sum = 0, keep = 1 - FLOOR * __builtin_popcount(decision->allowed);
	for (int o = 0; o < decision->options; o++) {
		if (!(decision->allowed >> o & 1))
			continue;
		by[o] = log(t->before[row + (size_t)o]);
		for (int k = 0; k < s->terms; k++)
			if (t->terms >> k & 1)
				by[o] -= t->lambda[k] * t->cost[(size_t)k * size + row + (size_t)o];
		top = fmax(top, by[o]);
	}
	for (int o = 0; o < decision->options; o++)
		if (decision->allowed >> o & 1)
			sum += t->now[row + (size_t)o] = exp(by[o] - top);
	for (int o = 0; o < decision->options; o++)
		t->now[row + (size_t)o] = decision->allowed >> o & 1 ? FLOOR + keep * t->now[row + (size_t)o] / sum : 0;
}

static bool is_free(const struct search *s, int decision)
{
	uint32_t allowed = s->partition->decision[decision].allowed;
	return (allowed & (allowed - 1)) != 0;
}

// The expected cost by a term under the present lambdas, to first order around the policy that is tilted around.
static double expected(const struct tilt *t, int term)
{
	const struct search *s = t->search;
	const double *cost = t->cost + (size_t)term * (size_t)s->space->slots * (size_t)s->options;
	double sum = t->total[term];
	for (int d = 0; d < s->partition->decisions; d++) {
		if (!is_free(s, d))
			continue;
		tilt_decision(t, d);
		for (int i = d * s->options, end = i + s->partition->decision[d].options; i < end; i++)
			sum += (t->now[i] - t->around[i]) * cost[i];
	}
	return sum;
}

// Whether the reward asks for no more than a limit: there is no push where a cost lies below its goal.
static bool limits(const struct search *s)
{
	return s->knobs.reward != REWARD_ABS;
}

// The lambda that meets one term's goal, the others staying; how much it moved, by the goal.
static double meet(struct tilt *t, int term)
{
	double *lambda = &t->lambda[term], goal = t->goal[term], before = *lambda, low, high, step = 1 / goal;
	*lambda = 0;
	if (limits(t->search) && expected(t, term) <= goal)
		return fabs(before) * goal;
	*lambda = before;
	bool over = expected(t, term) > goal;
	low = high = before; // the larger lambda, the less it costs
	for (; fabs(*lambda) * goal < UTMOST; step *= 4) {
		*lambda = before + (over ? step : -step);
		if ((expected(t, term) > goal) != over)
			break;
		*(over ? &low : &high) = *lambda;
	}
	*(over ? &high : &low) = *lambda;
	for (int i = 0; i < 50; i++) {
		*lambda = (low + high) / 2;
		*(expected(t, term) > goal ? &low : &high) = *lambda;
	}
	return fabs(*lambda - before) * goal;
}

static void floor_of(const struct search *s, double *before)
{
	for (int d = 0; d < s->partition->decisions; d++) {
		const struct decision *decision = &s->partition->decision[d];
		double whole = 1 + FLOOR * __builtin_popcount(decision->allowed);
		for (int o = 0; o < decision->options; o++)
			before[d * s->options + o] = decision->allowed >> o & 1
				? ((double)policy_probabilities(s->policy, d)[o] + FLOOR) / whole : 0;
	}
}

static void take(struct search *s, const double *probability)
{
	for (int d = 0; d < s->partition->decisions; d++)
		if (is_free(s, d))
			policy_set(s->policy, d, probability + d * s->options);
	policy_refresh(s->policy);
}

// Costs are taken around a policy, and the policy by the costs, until both fit.
static void tilt(struct search *s, uint32_t terms, const double goal[ENGINE_TERMS])
{
	size_t size = (size_t)s->space->slots * (size_t)s->options;
	struct tilt t = {.search = s, .terms = terms, .cost = s->answer, .before = s->answer + ENGINE_TERMS * size};
	t.around = t.before + size;
	t.now = t.around + size;
	memcpy(t.goal, goal, sizeof t.goal);
	floor_of(s, t.before);
	take(s, t.before);
	for (int round = 0; terms && round < ROUNDS; round++) {
		bool met = round > 0;
		expect(s, terms, t.total);
		for (int k = 0; k < s->terms; k++)
			if (terms >> k & 1 && !(fabs(t.total[k] - goal[k]) <= NEAR * goal[k]) &&
			    !(limits(s) && t.total[k] < goal[k] && !(t.lambda[k] > 0)))
				met = false;
		if (met)
			return;
		for (int d = 0; d < s->partition->decisions; d++)
			for (int o = 0; o < s->options; o++)
				t.around[d * s->options + o] = (double)policy_probabilities(s->policy, d)[o];
		double moved = 1;
		for (int cycle = 0; cycle < CYCLES && moved > NEAR; cycle++) {
			moved = 0;
			for (int k = 0; k < s->terms; k++)
				if (terms >> k & 1)
					moved = fmax(moved, meet(&t, k));
			if (!(terms & (terms - 1)))
				break;
		}
		for (int d = 0; d < s->partition->decisions; d++)
			tilt_decision(&t, d);
		take(s, t.now);
	}
}

// ---- from the last step to the next ----

// What the settings are now becomes what they were after the last step, unless there were changes since then.
void search_keep(struct search *s)
{
	struct last *l = &s->last;
	if (l->kept)
		return;
	l->kept = true;
	l->knobs = s->knobs;
	l->terms = s->terms;
	memcpy(l->term, s->term, sizeof l->term);
	l->baseline = s->baseline;
	l->has_baseline = s->has_baseline;
	partition_copy(l->partition, s->partition);
	policy_copy(l->policy, s->policy, l->partition);
	expect(s, search_counted(s), l->expected);
}

static bool counted(const struct knobs *k, const struct term *term, int t)
{
	return k->term[t].weight > 0 && term[t].target > 0;
}

static bool term_differs(const struct search *s, int t)
{
	const struct last *l = &s->last;
	bool now = search_counts(s, t), then = t < l->terms && counted(&l->knobs, l->term, t);
	return now != then || (now && (s->term[t].priced != l->term[t].priced || s->term[t].target != l->term[t].target ||
		s->knobs.term[t].weight != l->knobs.term[t].weight));
}

static bool reward_differs(const struct search *s)
{
	const struct last *l = &s->last;
	const struct knobs *now = &s->knobs, *then = &l->knobs;
	bool differs = now->reward != then->reward || now->quality != then->quality;
	for (int i = 0; i < s->space->slots; i++)
		differs = differs || s->partition->allowed[i] != l->partition->allowed[i];
	for (int t = 0; t < s->terms; t++)
		differs = differs || term_differs(s, t);
	return differs;
}

// How a term's expected cost stood to its target: 1 where it met it, was not counted, or could not meet it.
static double standing(const struct search *s, int t)
{
	const struct last *l = &s->last;
	if (t >= l->terms || !counted(&l->knobs, l->term, t) || s->knobs.term[t].weight > l->knobs.term[t].weight)
		return 1;
	const struct term *then = &l->term[t];
	if (then->target < then->low || then->target > then->high)
		return 1;
	double ratio = l->expected[t] / then->target;
	return isfinite(ratio) && ratio > 0 ? limits(s) ? fmax(1, ratio) : ratio : 1;
}

// The expected cost to have from the next step on. A target below what can be had leaves a share of the way to the cheapest choice
// open: the policy is still its own, and a person who takes the target back finds it so.
static double goal_of(const struct search *s, int t, double now)
{
	const struct term *term = &s->term[t];
	double goal = search_aim(term) * standing(s, t);
	return term->target < term->low && now > term->low ? fmax(goal, term->low + OPEN * (now - term->low)) : goal;
}

void search_answer(struct search *s)
{
	struct last *l = &s->last;
	double goal[ENGINE_TERMS] = {0}, now[ENGINE_TERMS];
	uint32_t terms = search_counted(s);
	s->baseline = l->baseline;
	s->has_baseline = l->has_baseline;
	policy_copy(s->policy, l->policy, l->partition);
	policy_follow(s->policy, s->partition);
	for (int t = 0; t < l->terms; t++)
		s->term[t].sampled = s->term[t].priced == l->term[t].priced ? l->term[t].sampled : (double)NAN;
	if (knobs_equal(&s->knobs, &l->knobs) && partition_equal(s->partition, l->partition)) {
		partition_copy(s->partition, l->partition);
		l->kept = false; // the changes took each other back
		return;
	}
	if (!reward_differs(s))
		return;
	s->has_baseline = false;
	if (s->step <= s->warmup) // the policy has not begun to move
		return;
	expect(s, terms, now);
	for (int t = 0; t < s->terms; t++)
		goal[t] = goal_of(s, t, now[t]);
	tilt(s, terms, goal);
	policy_forget(s->policy);
}

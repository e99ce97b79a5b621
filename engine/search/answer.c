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

#include "engine/search/lane.h"
#include "engine/tensor/rng.h"

static const double FLOOR = 1e-3;
static const double OPEN = 0.5;   // of the way to a target out of reach, left for the steps to go
static const double NEAR = 1e-4;  // of a goal: met
static const double UTMOST = 1e9; // the largest lambda, by the goal: options of the same cost to so many digits are the same
enum { SAMPLES = LANE_CHOICES, ROUNDS = 8, CYCLES = 12 };

// ---- expected costs ----

static const float *odds(const struct lane *lane, int slot)
{
	return policy_probabilities(lane->policy, lane->partition->decision_of[slot]);
}

static bool tied(const struct lane *lane, int layer)
{
	const int *of = lane->partition->decision_of;
	return of[space_slot(layer, HALF_WEIGHT)] == of[space_slot(layer, HALF_ACTIVATION)];
}

// Exact, where a term adds up over layers: adds to [decisions][options] what each option is expected to cost, over the layers that
// it is for; returns what all are.
static double expect_by_layers(const struct lane *lane, int term, double *cost)
{
	const struct shared *s = lane->shared;
	double total = 0;
	for (int l = 0; l < s->space->model->layers; l++) {
		int w = space_slot(l, HALF_WEIGHT), a = space_slot(l, HALF_ACTIVATION);
		const float *pw = odds(lane, w), *pa = odds(lane, a);
		double *of_w = cost + lane->partition->decision_of[w] * s->options,
		       *of_a = cost + lane->partition->decision_of[a] * s->options;
		for (int i = 0; i < s->space->slot[w].options; i++)
			for (int k = tied(lane, l) ? i : 0; k < (tied(lane, l) ? i + 1 : s->space->slot[a].options); k++) {
				double price = price_layer(s->term[term].price, l, i, k);
				if (tied(lane, l)) {
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
static void expect_by_samples(const struct lane *lane, uint32_t terms, double *const cost[ENGINE_TERMS],
	double total[ENGINE_TERMS])
{
	const struct shared *s = lane->shared;
	const struct partition *p = lane->partition;
	size_t slots = (size_t)s->space->slots;
	uint64_t key = lane_key(lane, "answer");
	double whole[ENGINE_TERMS], option[SPACE_OPTIONS][ENGINE_TERMS];
	int times[SAMPLES], of[SAMPLES];
	for (int i = 0; i < SAMPLES; i++) {
		policy_draw(lane->policy, rng_bits(key, (uint64_t)i), lane->choice + (size_t)i * slots);
		for (of[i] = 0; memcmp(lane->choice + (size_t)i * slots, lane->choice + (size_t)of[i] * slots, slots) != 0;)
			of[i]++;
		times[i] = 0;
		times[of[i]]++;
	}
	for (int i = 0; i < SAMPLES; i++) {
		double share = (double)times[i] / SAMPLES;
		if (!times[i])
			continue;
		lane_costs(lane, lane->choice + (size_t)i * slots, whole);
		for (int d = 0; d < p->decisions; d++) {
			pricer_options(lane->pricer, lane->partition, d, terms, option);
			for (int t = 0; t < s->terms; t++)
				for (int o = 0; terms >> t & 1 && o < p->decision[d].options; o++)
					cost[t][d * s->options + o] += share * option[o][t];
		}
		for (int t = 0; t < s->terms; t++)
			total[t] += terms >> t & 1 ? share * whole[t] : 0;
	}
}

// What each option of each decision is expected to cost, up to what does not depend on it, and the expected cost of a choice.
static void expect(const struct lane *lane, uint32_t terms, double total[ENGINE_TERMS])
{
	const struct shared *s = lane->shared;
	double *cost[ENGINE_TERMS];
	size_t size = (size_t)s->space->slots * (size_t)s->options;
	uint32_t sampled = 0;
	for (int t = 0; t < s->terms; t++) {
		cost[t] = lane->answer + (size_t)t * size;
		total[t] = 0;
		if (!(terms >> t & 1))
			continue;
		memset(cost[t], 0, size * sizeof **cost);
		if (price_adds(s->term[t].price))
			total[t] = expect_by_layers(lane, t, cost[t]);
		else
			sampled |= 1u << t;
	}
	if (sampled)
		expect_by_samples(lane, sampled, cost, total);
}

// ---- the nearest policy ----

struct tilt {
	const struct lane *lane;
	uint32_t terms;
	double goal[ENGINE_TERMS], lambda[ENGINE_TERMS];
	double total[ENGINE_TERMS]; // expected cost of the policy that is tilted around
	const double *cost;         // [terms][decisions][options], around it
	double *before, *around,
		*now; // [decisions][options]: the policy before, with its floor; the one tilted around; the tilted one
};

static void tilt_decision(const struct tilt *t, int d)
{
	const struct lane *lane = t->lane;
	const struct shared *s = lane->shared;
	const struct decision *decision = &lane->partition->decision[d];
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

static bool is_free(const struct lane *lane, int decision)
{
	uint32_t allowed = lane->partition->decision[decision].allowed;
	return (allowed & (allowed - 1)) != 0;
}

// The expected cost by a term under the present lambdas, to first order around the policy that is tilted around.
static double expected(const struct tilt *t, int term)
{
	const struct lane *lane = t->lane;
	const struct shared *s = lane->shared;
	const double *cost = t->cost + (size_t)term * (size_t)s->space->slots * (size_t)s->options;
	double sum = t->total[term];
	for (int d = 0; d < lane->partition->decisions; d++) {
		if (!is_free(lane, d))
			continue;
		tilt_decision(t, d);
		for (int i = d * s->options, end = i + lane->partition->decision[d].options; i < end; i++)
			sum += (t->now[i] - t->around[i]) * cost[i];
	}
	return sum;
}

// Whether the reward asks for no more than a limit: there is no push where a cost lies below its goal.
static bool limits(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	return s->knobs.reward != REWARD_ABS;
}

// The lambda that meets one term's goal, the others staying; how much it moved, by the goal.
static double meet(struct tilt *t, int term)
{
	double *lambda = &t->lambda[term], goal = t->goal[term], before = *lambda, low, high, step = 1 / goal;
	*lambda = 0;
	if (limits(t->lane) && expected(t, term) <= goal)
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

static void floor_of(const struct lane *lane, double *before)
{
	const struct shared *s = lane->shared;
	for (int d = 0; d < lane->partition->decisions; d++) {
		const struct decision *decision = &lane->partition->decision[d];
		double whole = 1 + FLOOR * __builtin_popcount(decision->allowed);
		for (int o = 0; o < decision->options; o++)
			before[d * s->options + o] = decision->allowed >> o & 1
				? ((double)policy_probabilities(lane->policy, d)[o] + FLOOR) / whole
				: 0;
	}
}

static void take(struct lane *lane, const double *probability)
{
	const struct shared *s = lane->shared;
	for (int d = 0; d < lane->partition->decisions; d++)
		if (is_free(lane, d))
			policy_set(lane->policy, d, probability + d * s->options);
	policy_refresh(lane->policy);
}

// Costs are taken around a policy, and the policy by the costs, until both fit.
static void tilt(struct lane *lane, uint32_t terms, const double goal[ENGINE_TERMS])
{
	const struct shared *s = lane->shared;
	size_t size = (size_t)s->space->slots * (size_t)s->options;
	struct tilt t = {.lane = lane, .terms = terms, .cost = lane->answer, .before = lane->answer + ENGINE_TERMS * size};
	t.around = t.before + size;
	t.now = t.around + size;
	memcpy(t.goal, goal, sizeof t.goal);
	floor_of(lane, t.before);
	take(lane, t.before);
	for (int round = 0; terms && round < ROUNDS; round++) {
		bool met = round > 0;
		expect(lane, terms, t.total);
		for (int k = 0; k < s->terms; k++)
			if (terms >> k & 1 && !(fabs(t.total[k] - goal[k]) <= NEAR * goal[k]) &&
				!(limits(lane) && t.total[k] < goal[k] && !(t.lambda[k] > 0)))
				met = false;
		if (met)
			return;
		for (int d = 0; d < lane->partition->decisions; d++)
			for (int o = 0; o < s->options; o++)
				t.around[d * s->options + o] = (double)policy_probabilities(lane->policy, d)[o];
		double moved = 1;
		for (int cycle = 0; cycle < CYCLES && moved > NEAR; cycle++) {
			moved = 0;
			for (int k = 0; k < s->terms; k++)
				if (terms >> k & 1)
					moved = fmax(moved, meet(&t, k));
			if (!(terms & (terms - 1)))
				break;
		}
		for (int d = 0; d < lane->partition->decisions; d++)
			tilt_decision(&t, d);
		take(lane, t.now);
	}
}

// ---- from the last step to the next ----

// What the settings are now becomes what they were after the last step, unless there were changes since then.
void lane_keep(struct lane *lane)
{
	const struct shared *s = lane->shared;
	struct last *last = &lane->last;
	if (last->kept)
		return;
	last->kept = true;
	lane_knobs(lane, &last->knobs);
	last->terms = s->terms;
	memcpy(last->aim, lane->aim, sizeof last->aim);
	for (int t = 0; t < s->terms; t++)
		last->price[t] = s->term[t].price;
	last->baseline = lane->baseline;
	last->has_baseline = lane->has_baseline;
	partition_copy(last->partition, lane->partition);
	policy_copy(last->policy, lane->policy, last->partition);
	expect(lane, lane_counted(lane), last->expected);
}

static bool counted_then(const struct last *last, int t)
{
	return t < last->terms && last->aim[t].weight > 0 && last->aim[t].target > 0;
}

static bool term_differs(const struct lane *lane, int t)
{
	const struct shared *s = lane->shared;
	const struct last *last = &lane->last;
	bool now = lane_counts(lane, t), then = counted_then(last, t);
	return now != then ||
		(now &&
			(s->term[t].price != last->price[t] || lane->aim[t].target != last->aim[t].target ||
				lane->aim[t].weight != last->aim[t].weight));
}

static bool reward_differs(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	const struct last *last = &lane->last;
	const struct knobs *now = &s->knobs, *then = &last->knobs;
	bool differs = now->reward != then->reward || now->quality.word != then->quality.word;
	for (int i = 0; i < s->space->slots; i++)
		differs = differs || lane->partition->allowed[i] != last->partition->allowed[i];
	for (int t = 0; t < s->terms; t++)
		differs = differs || term_differs(lane, t);
	return differs;
}

// How a term's expected cost stood to its target: 1 where it met it, was not counted, or could not meet it.
static double standing(const struct lane *lane, int t)
{
	const struct last *last = &lane->last;
	if (!counted_then(last, t) || lane->aim[t].weight > last->aim[t].weight)
		return 1;
	const struct aim *then = &last->aim[t];
	if (then->target < then->low || then->target > then->high)
		return 1;
	double ratio = last->expected[t] / then->target;
	return isfinite(ratio) && ratio > 0 ? limits(lane) ? fmax(1, ratio) : ratio : 1;
}

// The expected cost to have from the next step on. A target below what can be had leaves a share of the way to the cheapest choice
// open: the policy is still its own, and a person who takes the target back finds it so.
static double goal_of(const struct lane *lane, int t, double now)
{
	const struct aim *aim = &lane->aim[t];
	double goal = lane_goal(aim) * standing(lane, t);
	return aim->target < aim->low && now > aim->low ? fmax(goal, aim->low + OPEN * (now - aim->low)) : goal;
}

void lane_answer(struct lane *lane)
{
	const struct shared *s = lane->shared;
	struct last *last = &lane->last;
	double goal[ENGINE_TERMS] = {0}, now[ENGINE_TERMS];
	struct knobs knobs;
	uint32_t terms = lane_counted(lane);
	lane->baseline = last->baseline;
	lane->has_baseline = last->has_baseline;
	policy_copy(lane->policy, last->policy, last->partition);
	policy_follow(lane->policy, lane->partition);
	for (int t = 0; t < last->terms; t++)
		lane->aim[t].sampled = s->term[t].price == last->price[t] ? last->aim[t].sampled : (double)NAN;
	lane_knobs(lane, &knobs);
	if (knobs_equal(&knobs, &last->knobs) && partition_equal(lane->partition, last->partition)) {
		partition_copy(lane->partition, last->partition);
		last->kept = false; // the changes took each other back
		return;
	}
	if (!reward_differs(lane))
		return;
	lane->has_baseline = false;
	if (s->step <= s->warmup) // the policy has not begun to move
		return;
	expect(lane, terms, now);
	for (int t = 0; t < s->terms; t++)
		goal[t] = goal_of(lane, t, now[t]);
	tilt(lane, terms, goal);
	policy_forget(lane->policy);
}

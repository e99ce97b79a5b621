// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/tilt.h"

#include <math.h>
#include <string.h>

#include "engine/tensor/rng.h"

static const double NEAR = 1e-4;  // of a goal: met
static const double EXACT = 1e-9; // of a lambda, by the goal
static const double UTMOST = 1e9; // the largest lambda, by the goal: options of the same cost to so many digits are the same
enum { SAMPLES = LANE_CHOICES, CYCLES = 12, HALVINGS = 50 };

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

void tilt_expect(const struct lane *lane, uint32_t terms, double total[ENGINE_TERMS])
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

static size_t room(const struct lane *lane)
{
	return (size_t)lane->shared->space->slots * (size_t)lane->shared->options;
}

bool tilt_free(const struct lane *lane, int decision)
{
	uint32_t allowed = lane->partition->decision[decision].allowed;
	return (allowed & (allowed - 1)) != 0;
}

void tilt_begin(struct tilt *t, struct lane *lane, uint32_t terms, const double goal[ENGINE_TERMS], double floor)
{
	*t = (struct tilt){.lane = lane, .terms = terms, .floor = floor, .cost = lane->answer};
	t->begin = lane->answer + ENGINE_TERMS * room(lane);
	t->around = t->begin + room(lane);
	t->now = t->around + room(lane);
	for (int k = 0; k < ENGINE_TERMS; k++) {
		t->goal[k] = goal[k];
		t->most[k] = INFINITY;
	}
}

void tilt_look(struct tilt *t)
{
	const struct lane *lane = t->lane;
	tilt_expect(lane, t->terms, t->total);
	for (int d = 0; d < lane->partition->decisions; d++)
		for (int o = 0; o < lane->shared->options; o++)
			t->around[d * lane->shared->options + o] = (double)policy_probabilities(lane->policy, d)[o];
}

static void tilt_decision(const struct tilt *t, int d)
{
	const struct lane *lane = t->lane;
	const struct decision *decision = &lane->partition->decision[d];
	size_t row = (size_t)d * (size_t)lane->shared->options;
	double by[SPACE_OPTIONS], top = -INFINITY, sum = 0, keep = 1 - t->floor * __builtin_popcount(decision->allowed);
	for (int o = 0; o < decision->options; o++) {
		if (!(decision->allowed >> o & 1))
			continue;
		by[o] = t->begin[row + (size_t)o];
		for (int k = 0; k < lane->shared->terms; k++)
			if (t->terms >> k & 1)
				by[o] -= t->lambda[k] * t->cost[(size_t)k * room(lane) + row + (size_t)o];
		top = fmax(top, by[o]);
	}
	for (int o = 0; o < decision->options; o++)
		if (decision->allowed >> o & 1)
			sum += t->now[row + (size_t)o] = exp(by[o] - top);
	for (int o = 0; o < decision->options; o++)
		t->now[row + (size_t)o] = decision->allowed >> o & 1 ? t->floor + keep * t->now[row + (size_t)o] / sum : 0;
}

// The expected cost by a term under the present lambdas, to first order around the policy that was looked at.
static double expected(const struct tilt *t, int term)
{
	const struct lane *lane = t->lane;
	const double *cost = t->cost + (size_t)term * room(lane);
	double sum = t->total[term];
	for (int d = 0; d < lane->partition->decisions; d++) {
		if (!tilt_free(lane, d))
			continue;
		tilt_decision(t, d);
		for (int i = d * lane->shared->options, end = i + lane->partition->decision[d].options; i < end; i++)
			sum += (t->now[i] - t->around[i]) * cost[i];
	}
	return sum;
}

bool tilt_limits(const struct lane *lane)
{
	return lane->shared->knobs.reward != REWARD_ABS;
}

static bool over(struct tilt *t, int term, double lambda)
{
	t->lambda[term] = lambda;
	return expected(t, term) > t->goal[term];
}

// Two lambdas that the goal lies between, the larger of which costs less; or twice the one that is as far as may be gone.
static void enclose(struct tilt *t, int term, double *low, double *high)
{
	const double goal = t->goal[term], most = t->most[term], least = tilt_limits(t->lane) ? 0 : -most;
	double from, to = fmin(most, fmax(least, t->lambda[term])), step = 1 / goal;
	bool dear = over(t, term, to);
	do {
		from = to;
		to = dear ? fmin(most, from + step) : fmax(least, from - step);
		step *= 4;
	} while (to != from && fabs(to) * goal < UTMOST && over(t, term, to) == dear);
	*low = fmin(from, to);
	*high = fmax(from, to);
}

// The lambda that meets one term's goal, the others staying; how much it moved, by the goal.
static double meet(struct tilt *t, int term)
{
	double before = t->lambda[term], low, high;
	enclose(t, term, &low, &high);
	for (int i = 0; i < HALVINGS && (high - low) * t->goal[term] > EXACT; i++) {
		double middle = (low + high) / 2;
		*(over(t, term, middle) ? &low : &high) = middle;
	}
	t->lambda[term] = high;
	return fabs(high - before) * t->goal[term];
}

void tilt_solve(struct tilt *t)
{
	double moved = 1;
	for (int cycle = 0; cycle < CYCLES && moved > NEAR; cycle++) {
		moved = 0;
		for (int k = 0; k < t->lane->shared->terms; k++)
			if (t->terms >> k & 1)
				moved = fmax(moved, meet(t, k));
		if (!(t->terms & (t->terms - 1)))
			break;
	}
	for (int d = 0; d < t->lane->partition->decisions; d++)
		tilt_decision(t, d);
}

double tilt_entropy(const struct tilt *t)
{
	const struct lane *lane = t->lane;
	double sum = 0, decisions = 0;
	for (int d = 0; d < lane->partition->decisions; d++) {
		double there = policy_there(lane->policy, d), h = 0;
		if (!tilt_free(lane, d))
			continue;
		for (int o = 0; o < lane->partition->decision[d].options; o++) {
			double p = t->now[d * lane->shared->options + o];
			h -= p > 0 ? p * log(p) : 0;
		}
		sum += there * h / log(__builtin_popcount(lane->partition->decision[d].allowed));
		decisions += there;
	}
	return decisions > 0 ? sum / decisions : 0;
}

void tilt_take(struct tilt *t, double share)
{
	struct lane *lane = t->lane;
	for (int d = 0; d < lane->partition->decisions; d++) {
		double *now = t->now + d * lane->shared->options, *around = t->around + d * lane->shared->options;
		if (!tilt_free(lane, d))
			continue;
		for (int o = 0; share < 1 && o < lane->partition->decision[d].options; o++)
			now[o] = share * now[o] + (1 - share) * around[o];
		policy_set(lane->policy, d, now);
	}
	policy_refresh(lane->policy);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/searchers/choices.h"

#include <stdlib.h>

#include "engine/tensor/rng.h"

// How far costs may lie above a goal that they are meant to meet: sums in another order differ in their last bits.
static const double SLACK = 1e-9;

// By how much a cost lies above what the lane aims at, as a share; summed over the terms that count.
static double excess(const struct lane *lane, const double *cost)
{
	double over = 0;
	for (int t = 0; t < lane->shared->terms; t++)
		if (lane_counts(lane, t))
			over += fmax(0, cost[t] / lane_goal(&lane->aim[t]) - 1 - SLACK);
	return over;
}

bool choice_within(const struct lane *lane, const uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	lane_costs(lane, choice, cost);
	return excess(lane, cost) <= 0;
}

bool choice_keeps(const struct lane *lane, const uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int i = 0; i < p->space->slots; i++) {
		const struct decision *d = &p->decision[p->decision_of[i]];
		if (choice[i] != choice[d->first] || !(d->allowed >> choice[i] & 1))
			return false;
	}
	return choice_within(lane, choice);
}

bool choice_warmup(const struct lane *lane, uint64_t key, uint8_t *choice)
{
	const struct shared *s = lane->shared;
	if (s->step >= s->warmup)
		return false;
	switch ((enum knob_path)s->knobs.warmup_path) {
	case PATH_UNIFORM: policy_sample_evenly(lane->policy, key, choice); break;
	case PATH_POLICY: policy_sample(lane->policy, key, choice); break;
	case PATH_FAIR:
		policy_sample_fairly(lane->policy, rng_key((uint64_t)s->knobs.seed, "fair path", 0), s->step, choice);
		break;
	}
	return true;
}

// The nearest option to `option` that a decision may take, looking down first.
static int nearest_allowed(const struct decision *d, int option)
{
	int o = option;
	while (o >= 0 && !(d->allowed >> o & 1))
		o--;
	for (; o < 0 || !(d->allowed >> o & 1); o++)
		;
	return o;
}

void choice_allow(const struct lane *lane, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int i = 0; i < p->decisions; i++) {
		const struct decision *d = &p->decision[i];
		choice[d->first] = (uint8_t)nearest_allowed(d, choice[d->first]);
	}
	partition_spread(p, choice);
}

void choice_even(const struct lane *lane, int option, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int i = 0; i < p->decisions; i++)
		choice[p->decision[i].first] = (uint8_t)option;
	choice_allow(lane, choice);
}

void choice_draw(const struct lane *lane, uint64_t key, uint8_t *choice)
{
	policy_sample_evenly(lane->policy, key, choice);
}

// The next option of a decision in a direction that is allowed; -1: none.
static int neighbour(const struct decision *d, int option, int direction)
{
	for (int o = option + direction; o >= 0 && o < d->options; o += direction)
		if (d->allowed >> o & 1)
			return o;
	return -1;
}

// One decision, drawn by `key`, takes its neighbour in a direction where that helps: where it makes the excess smaller, or keeps it
// at nothing. False: none does.
static bool shift(const struct lane *lane, uint64_t key, int direction, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	double cost[ENGINE_TERMS], other[SPACE_OPTIONS][ENGINE_TERMS];
	lane_costs(lane, choice, cost);
	double over = excess(lane, cost);
	int first = (int)rng_below(key, 0, (uint64_t)p->decisions);
	for (int k = 0; k < p->decisions; k++) {
		int i = (first + k) % p->decisions;
		const struct decision *d = &p->decision[i];
		int next = neighbour(d, choice[d->first], direction);
		if (next < 0 || !partition_there(p, i, choice)) // what rests costs nothing, whichever option it has
			continue;
		pricer_options(lane->pricer, p, i, lane_counted(lane), other);
		double then = excess(lane, other[next]);
		if (direction < 0 ? then < over : then <= 0) {
			choice[d->first] = (uint8_t)next;
			partition_spread(p, choice);
			return true;
		}
	}
	return false;
}

// Down until it is within the targets, and then up as far as they allow.
static void fit(const struct lane *lane, uint64_t key, uint8_t *choice)
{
	uint64_t count = 0;
	while (!choice_within(lane, choice))
		if (!shift(lane, rng_bits(key, count++), -1, choice))
			return; // it is the cheapest there is on this way
	while (shift(lane, rng_bits(key, count++), 1, choice))
		;
}

void choice_fit(const struct lane *lane, uint64_t key, uint8_t *choice)
{
	choice_allow(lane, choice);
	if (lane_counted(lane))
		fit(lane, key, choice);
	partition_canonical(lane->partition, choice);
}

void choice_point(struct lane *lane, const uint8_t *choice)
{
	static const double REST = 1e-3; // of each other option
	const struct partition *p = lane->partition;
	double probability[SPACE_OPTIONS] = {0};
	for (int i = 0; i < p->decisions; i++) {
		const struct decision *d = &p->decision[i];
		int allowed = 0;
		for (int o = 0; o < d->options; o++)
			allowed += (int)(d->allowed >> o & 1);
		for (int o = 0; o < d->options; o++)
			probability[o] = o == choice[d->first] ? 1 - REST * (allowed - 1) : REST;
		policy_set(lane->policy, i, probability);
	}
	policy_forget(lane->policy);
	policy_refresh(lane->policy);
}

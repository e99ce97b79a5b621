// SPDX-License-Identifier: GPL-3.0-or-later
// The policy's answer to changes: what it will be at the next step, worked out from what it was after the last one and from the
// difference of the settings then and now. It is worked out anew with every change, always from there: so changes that take each
// other back leave no trace, and however many are made between two steps, they are answered once.
//
// Where the reward differs, the answer is the policy nearest to the one before whose expected costs stand to their targets as they
// did before (tilt.h): a search that met its target meets the new one. FLOOR goes to every allowed option before and after, so that
// each can be had again.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/tilt.h"

static const double FLOOR = 1e-3;
static const double OPEN = 0.5;  // of the way to a target out of reach, left for the steps to go
static const double NEAR = 1e-4; // of a goal: met
enum { ROUNDS = 8 };

// ---- the nearest policy ----

// The policy as it is, with the floor.
static void begin_around(struct tilt *t)
{
	const struct lane *lane = t->lane;
	for (int d = 0; d < lane->partition->decisions; d++) {
		const struct decision *decision = &lane->partition->decision[d];
		double whole = 1 + FLOOR * __builtin_popcount(decision->allowed);
		for (int o = 0; o < decision->options; o++) {
			int i = d * lane->shared->options + o;
			bool allowed = decision->allowed >> o & 1;
			t->now[i] = allowed ? ((double)policy_probabilities(lane->policy, d)[o] + FLOOR) / whole : 0;
			t->begin[i] = allowed ? log(t->now[i]) : 0;
		}
	}
	tilt_take(t, 1);
}

static bool met(const struct tilt *t)
{
	for (int k = 0; k < t->lane->shared->terms; k++)
		if (t->terms >> k & 1 && !(fabs(t->total[k] - t->goal[k]) <= NEAR * t->goal[k]) &&
			!(tilt_limits(t->lane) && t->total[k] < t->goal[k] && !(t->lambda[k] > 0)))
			return false;
	return true;
}

// Costs are taken around a policy, and the policy by the costs, until both fit.
static void move_to(struct lane *lane, uint32_t terms, const double goal[ENGINE_TERMS])
{
	struct tilt t;
	tilt_begin(&t, lane, terms, goal, FLOOR);
	begin_around(&t);
	for (int round = 0; terms && round < ROUNDS; round++) {
		tilt_look(&t);
		if (round > 0 && met(&t))
			return;
		tilt_solve(&t);
		tilt_take(&t, 1);
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
	tilt_expect(lane, lane_counted(lane), last->expected);
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
	return isfinite(ratio) && ratio > 0 ? tilt_limits(lane) ? fmax(1, ratio) : ratio : 1;
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
	tilt_expect(lane, terms, now);
	for (int t = 0; t < s->terms; t++)
		goal[t] = goal_of(lane, t, now[t]);
	move_to(lane, terms, goal);
	policy_forget(lane->policy);
}

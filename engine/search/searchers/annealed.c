// SPDX-License-Identifier: GPL-3.0-or-later
// The policy follows from what the lane's additive model says of quality (additive.h), at every step anew: of all policies of so much
// entropy, the one with the largest
//
//   expected quality - sum over terms of weight * |expected cost / target - 1|
//
// (reward=relu: of the excess alone). It is p(o) ~ exp((worth(o) - sum of lambda * cost(o)) / heat): a lambda of each term, at most its
// weight over its target, keeps the expected cost at the target where the weight is large enough; the heat gives the entropy, which
// falls from `look-around` to nothing over `commit` of the steps in which the policy learns. So it commits by the schedule, however
// many steps that has, is at its target when the wide start is over, and has no rate. It goes SHARE of the way at a lesson, so that what a
// single one said is not taken at its word.
#include <math.h>

#include "engine/search/schedule.h"
#include "engine/search/searcher.h"
#include "engine/search/tilt.h"

static const double PI = 3.14159265358979323846;
static const double SHARE = 0.2;
static const double FLOOR = 1e-4, LEAST = 0.01;    // of an allowed option's probability; of the entropy
static const double COLDEST = 1e-4, HOTTEST = 1e2; // by how far options are apart
enum { HALVINGS = 12 };

// Fills the worths of all options; how far those of a decision are apart.
static double fill_worth(const struct lane *lane, double *worth)
{
	double sum = 0;
	additive_trusted(lane->additive, worth);
	for (int d = 0; d < lane->partition->decisions; d++) {
		double *mine = worth + d * lane->shared->options, mean = 0;
		int options = lane->partition->decision[d].options;
		for (int o = 0; o < options; o++)
			mean += mine[o] / options;
		for (int o = 0; o < options; o++)
			sum += (mine[o] - mean) * (mine[o] - mean) / options;
	}
	return sqrt(sum / lane->partition->decisions);
}

static double entropy_at(struct tilt *t, const double *worth, double heat)
{
	const struct lane *lane = t->lane;
	for (int i = 0; i < lane->partition->decisions * lane->shared->options; i++)
		t->begin[i] = worth[i] / heat;
	for (int k = 0; k < lane->shared->terms; k++)
		t->most[k] = lane->aim[k].weight / (heat * t->goal[k]);
	tilt_solve(t);
	return tilt_entropy(t);
}

// What it aims at: the target; while the wide start lasts, costs on the way to it from the dearest, in proportion. Choices are scored with
// weights that know wide formats then, and a deep network says nothing of a choice that is narrow everywhere.
static double goal_now(const struct lane *lane, const struct aim *aim)
{
	const struct shared *s = lane->shared;
	double span = (double)(schedule_narrow(s) - s->warmup), left = (double)(schedule_narrow(s) - s->step) / span;
	double goal = lane_goal(aim);
	return span > 0 && left > 0 && isfinite(aim->high) && aim->high > goal && goal > 0
		? goal * pow(aim->high / goal, fmin(1, left))
		: goal;
}

static void anneal(struct lane *lane, double entropy)
{
	struct tilt t;
	double goal[ENGINE_TERMS] = {0}, *worth = lane->value, apart = fill_worth(lane, worth);
	if (!(apart > 0)) // nothing is known yet
		return;
	for (int k = 0; k < lane->shared->terms; k++)
		goal[k] = goal_now(lane, &lane->aim[k]);
	tilt_begin(&t, lane, lane_counted(lane), goal, FLOOR);
	tilt_look(&t);
	double cold = log(COLDEST * apart), hot = log(HOTTEST * apart);
	for (int i = 0; i < HALVINGS; i++) {
		double heat = (cold + hot) / 2;
		*(entropy_at(&t, worth, exp(heat)) > entropy ? &hot : &cold) = heat;
	}
	tilt_take(&t, SHARE);
}

static double entropy_due(const struct shared *s)
{
	double way = s->knobs.commit > 0 ? fmin(1, schedule_progress(s) / s->knobs.commit) : 1;
	return fmax(LEAST, s->knobs.look_around * (1 + cos(PI * way)) / 2);
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	double quality;
	if (lane->shared->knobs.reward == REWARD_MNAS) // a product: no part of it is the cost's alone
		return searcher_reinforce.learn(lane, lesson, fault);
	if (!lesson_mean(lane, lesson, &quality, fault))
		return false;
	lesson_watch(lane, lesson);
	additive_learn(lane->additive, lesson->count, lesson->choice, lesson->quality);
	anneal(lane, entropy_due(lane->shared));
	lesson_fared(lane, lesson, quality);
	return true;
}

// It samples and trains as REINFORCE does.
static void path(const struct lane *lane, uint8_t *choice)
{
	searcher_reinforce.path(lane, choice);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	return searcher_reinforce.propose(lane, choice);
}

static void best(const struct lane *lane, uint8_t *choice)
{
	policy_best(lane->policy, choice);
}

const struct searcher searcher_annealed = {
	.name = "annealed", .sparing = true, .path = path, .propose = propose, .learn = learn, .best = best};

// SPDX-License-Identifier: GPL-3.0-or-later
// Branching, made differentiable (EdMIPS: Cai and Vasconcelos, CVPR 2020). Up to `choose-at` of the horizon, wide steps aside, each step
// trains a mixture: a layer's weights are rounded to all formats at once and summed by the policy's probabilities, and so are
// its inputs; one convolution, and no memory beyond that of one path. The gradient of the loss by these shares, and that of the cost as
// REINFORCE has it, move the policy. From then on the policy stays, and the likeliest choice within the targets trains: the winner
// takes all. No held-out images are scored. The input of the network has no gradient: where activations are decided apart, the format
// of the first layer's goes by cost alone.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/search/result.h"
#include "engine/search/schedule.h"
#include "engine/search/searcher.h"

static bool time_to_choose(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	return (double)s->step >= s->knobs.choose_at * (double)s->horizon;
}

static bool mixing(const struct lane *lane)
{
	return !time_to_choose(lane) && schedule_turn(lane->shared) == TURN_PATH;
}

static bool mixes(const struct lane *lane, double *share)
{
	const struct partition *p = lane->partition;
	const int options = lane->shared->options;
	if (!mixing(lane))
		return false;
	for (int i = 0; i < p->space->slots; i++)
		for (int o = 0; o < options; o++)
			share[i * options + o] = (double)policy_probabilities(lane->policy, p->decision_of[i])[o];
	return true;
}

static void best(const struct lane *lane, uint8_t *choice)
{
	static const double NEVER = 1e-12;
	if (!time_to_choose(lane)) {
		policy_best(lane->policy, choice);
		return;
	}
	for (int d = 0; d < lane->partition->decisions; d++)
		for (int o = 0; o < lane->partition->decision[d].options; o++)
			lane->value[d * lane->shared->options + o] = -log(fmax(NEVER,
				(double)policy_probabilities(lane->policy, d)[o]));
	result_allocate(lane, lane->value, true, choice);
}

static void path(const struct lane *lane, uint8_t *choice)
{
	if (time_to_choose(lane))
		memcpy(choice, lane->result, (size_t)lane->shared->space->slots);
	else
		policy_best(lane->policy, choice);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	(void)lane;
	(void)choice;
	return 0;
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	const struct partition *p = lane->partition;
	const int options = lane->shared->options;
	if (!mixing(lane))
		return true;
	if (!lesson->lost)
		return fault_set(fault, "searcher", "choose another searcher; or train here, with data=FOLDER",
			"branching trains a mixture of formats, and nothing is trained here");
	policy_clear(lane->policy);
	for (int d = 0; d < p->decisions; d++) {
		double value[SPACE_OPTIONS] = {0};
		for (int i = 0; i < p->space->slots; i++)
			for (int o = 0; p->decision_of[i] == d && o < options; o++)
				value[o] -= lesson->lost[i * options + o];
		for (int o = 0; o < options; o++)
			if (!isfinite(value[o]))
				return diverged(lane->shared, "gradient of the shares", fault);
		policy_credit_options(lane->policy, d, value, 1);
	}
	reinforce_credit_costs(lane);
	reinforce_move(lane);
	return true;
}

static void says(const struct lane *lane, char *buf, size_t size)
{
	const struct shared *s = lane->shared;
	if (time_to_choose(lane))
		snprintf(buf, size, "it has chosen, and trains its choice");
	else
		snprintf(buf, size, "mixing %d formats in each layer until step %ld: entropy %.2f", s->options,
			(long)ceil(s->knobs.choose_at * (double)s->horizon), policy_entropy(lane->policy));
}

const struct searcher searcher_branching = {.name = "branching",
	.formats_only = true,
	.path = path,
	.propose = propose,
	.learn = learn,
	.best = best,
	.mixes = mixes,
	.says = says};

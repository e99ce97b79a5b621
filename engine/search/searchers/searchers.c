// SPDX-License-Identifier: GPL-3.0-or-later
// The table of searchers, and what several of them do.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/search/searcher.h"

const struct searcher *const searchers[] = {
	&searcher_annealed,
	&searcher_reinforce,
	&searcher_greedy,
	&searcher_exact,
	&searcher_uniform,
	&searcher_ends,
	&searcher_random,
	&searcher_evolution,
	&searcher_sensitivity_greedy,
	&searcher_sensitivity_exact,
	&searcher_sensitivity_list,
	&searcher_sensitivity_gradient,
	&searcher_sensitivity_hessian,
	&searcher_branching,
	NULL,
};

const struct searcher *searcher_named(const char *name)
{
	int i = 0;
	while (searchers[i] && strcmp(searchers[i]->name, name) != 0)
		i++;
	return searchers[i];
}

bool searcher_serves(const struct searcher *searcher, const struct space *space, struct fault *fault)
{
	char todo[256];
	size_t used = 0;
	if (!searcher->formats_only || space->slots == space->formats)
		return true;
	for (int i = 0; searchers[i] && used < sizeof todo; i++)
		if (!searchers[i]->formats_only)
			used += (size_t)snprintf(todo + used, sizeof todo - used, "%s%s",
				used ? ", " : "choose one that does: ", searchers[i]->name);
	return fault_set(fault, "searcher", todo, "%s chooses formats only, and this network has an architecture to choose",
		searcher->name);
}

bool lesson_mean(const struct lane *lane, const struct lesson *lesson, double *quality, struct fault *fault)
{
	*quality = 0;
	for (int i = 0; i < lesson->count; i++)
		*quality += lesson->quality[i] / lesson->count;
	return fabs(*quality) < 1e12 || diverged(lane->shared, "quality", fault);
}

void lesson_fared(struct lane *lane, const struct lesson *lesson, double quality)
{
	double reward = 0, apart = 0;
	for (int i = 0; i < lesson->count; i++) {
		reward += lane_reward(lane, lesson->cost[i], lesson->quality[i]) / lesson->count;
		apart += fabs(lesson->quality[i] - quality) / lesson->count;
	}
	lane_fared(lane, lesson->count, lesson->cost, quality, reward, apart);
}

void lesson_watch(struct lane *lane, const struct lesson *lesson)
{
	const int slots = lane->shared->space->slots;
	double left[SEARCH_SAMPLES];
	for (int i = 0; i < lesson->count; i++)
		left[i] = lesson->quality[i] - additive_value(lane->additive, lesson->choice + i * slots);
	double as_is = policy_variance(lane->policy, lesson->count, lesson->choice, lesson->quality);
	if (isnan(as_is))
		return;
	lane->variance = smoothed(lane->variance, as_is);
	if (isfinite(additive_foretold(lane->additive)))
		lane->variance_left = smoothed(lane->variance_left,
			policy_variance(lane->policy, lesson->count, lesson->choice, left));
}

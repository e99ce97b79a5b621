// SPDX-License-Identifier: GPL-3.0-or-later
// The table of searchers, and what several of them do.
#include <stdio.h>
#include <string.h>

#include "engine/search/searcher.h"

const struct searcher *const searchers[] = {
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

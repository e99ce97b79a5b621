// SPDX-License-Identifier: GPL-3.0-or-later
// Greedy and exact allocation as searchers: what they would choose is the choice within the targets that loses least by the lane's
// additive model of quality, fitted to the choices that the policy draws. The policy moves as REINFORCE moves it, so that
// what is drawn, trained and learned from stays near what the targets ask for.
#include <math.h>

#include "engine/search/result.h"
#include "engine/search/searcher.h"

static void path(const struct lane *lane, uint8_t *choice)
{
	searcher_reinforce.path(lane, choice);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	return searcher_reinforce.propose(lane, choice);
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	if (!searcher_reinforce.learn(lane, lesson, fault))
		return false;
	if (lane->shared->knobs.additive == ADDITIVE_OFF) // else it is learned from already
		additive_learn(lane->additive, lesson->count, lesson->choice, lesson->quality);
	return true;
}

static void allocate(const struct lane *lane, bool exact, uint8_t *choice)
{
	const struct additive *a = lane->additive;
	if (!additive_follows(a, lane->partition) || isnan(additive_foretold(a))) {
		policy_best(lane->policy, choice); // nothing has been learned yet
		return;
	}
	for (int d = 0; d < lane->partition->decisions; d++) {
		double *lost = lane->value + d * lane->shared->options;
		additive_worth(a, d, lost);
		for (int o = 0; o < lane->partition->decision[d].options; o++)
			lost[o] = -lost[o];
	}
	result_allocate(lane, lane->value, exact, choice);
}

static void best_greedy(const struct lane *lane, uint8_t *choice)
{
	allocate(lane, false, choice);
}

static void best_exact(const struct lane *lane, uint8_t *choice)
{
	allocate(lane, true, choice);
}

const struct searcher searcher_greedy = {.name = "greedy", .path = path, .propose = propose, .learn = learn, .best = best_greedy};
const struct searcher searcher_exact = {.name = "exact", .path = path, .propose = propose, .learn = learn, .best = best_exact};

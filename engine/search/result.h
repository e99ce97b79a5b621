// SPDX-License-Identifier: GPL-3.0-or-later
// Choices within a lane's targets: its result, and what allocation finds on a table of what options lose.
//
// The result is, of the choices within all targets, the one with the largest sum over decisions of log p; what that leaves of the targets
// goes to the single changes that the additive model says are worth most, where it says anything. It follows from the policy, the model, the
// terms and the aims, and is no state. The targets that count are those in the reward: a term with a target and no weight is
// watched, and limits nothing. Where a target lies below all that can be had, the cheapest choice that was found stands for it.
//
// An allocation is exact where one term counts, adds up over layers, and no layer's two formats are decided apart (allocate.h); never
// where the architecture varies, since what a block costs then hangs on other decisions.
// Elsewhere the choice that loses least is repaired: by the changes of one decision that lose least for what they take off the
// excess, priced anew after each round of them, then by changes that lose less within the targets. That may miss the best
// choice, but not the targets: where no change helps, the cheapest choice that is known to meet them stands in, if there is one.
#ifndef ENGINE_SEARCH_RESULT_H
#define ENGINE_SEARCH_RESULT_H

#include "engine/search/lane.h"

// Fills choice[slots]. False: it is not within all targets. The lane's pricer holds another choice from then on.
bool result_of(const struct lane *, uint8_t *choice);
// The choice within the targets that loses least in all, by a table of what each option of each decision loses, in any one unit:
// lost[decisions][options], finite. `exact`: as good as can be had; else by repair alone.
bool result_allocate(const struct lane *, const double *lost, bool exact, uint8_t *choice);
// By how much these costs exceed the lane's targets: the sum of C/T - 1 where that is above 0.
double result_excess(const struct lane *, const double cost[ENGINE_TERMS]);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The policy that costs ask for. Of all policies in which decisions are independent, the one that is nearest, in the Kullback-Leibler
// sense, to the odds that it begins from and whose expected costs meet their goals: p(o) ~ exp(begin(o) - sum of lambda * cost(o)), with
// one lambda for each term that counts, found by bisection. Options of equal cost keep their order. Costs are to first order around
// the lane's policy as it is: exact where they add up over decisions. Inside engine/search/; engine's thread.
#ifndef ENGINE_SEARCH_TILT_H
#define ENGINE_SEARCH_TILT_H

#include "engine/search/lane.h"

// Its rooms are the lane's `answer`: [decisions][options], rows of shared->options.
struct tilt {
	struct lane *lane;
	uint32_t terms;              // those that count, a bit each
	double goal[ENGINE_TERMS];   // the expected cost to have
	double most[ENGINE_TERMS];   // the largest lambda; INFINITY: as large as it takes
	double floor;                // the least probability of an allowed option
	double lambda[ENGINE_TERMS]; // of the last solution: the next one begins there
	double total[ENGINE_TERMS];  // expected cost of the policy that was looked at
	const double *cost;          // [terms][slots][options]: what each option is expected to cost, up to a constant a decision
	double *begin;               // logits, up to a constant a decision: to be filled in
	double *around, *now;        // probabilities: of the policy that was looked at, and of the solution
};

void tilt_begin(struct tilt *, struct lane *, uint32_t terms, const double goal[ENGINE_TERMS], double floor);
void tilt_look(struct tilt *);            // takes the lane's policy as it is, and what it is expected to cost
void tilt_solve(struct tilt *);           // fills `now`
double tilt_entropy(const struct tilt *); // of the solution, as policy_entropy
// Moves the lane's policy by this share of the way to the solution, 1 for all of it. A share below 1 needs a look before.
void tilt_take(struct tilt *, double share);

// The expected costs of the lane's policy by these terms; fills the part of lane->answer that `cost` is.
void tilt_expect(const struct lane *, uint32_t terms, double total[ENGINE_TERMS]);
bool tilt_free(const struct lane *, int decision); // whether a decision has more than one option left
// Whether the reward asks for no more than a limit: there is no push where a cost lies below its goal.
bool tilt_limits(const struct lane *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Rivals of a search that need no training: one option for each layer, so that what is lost is least under a budget, where both
// cost and loss are sums over layers. Pure functions; any thread.
#ifndef ENGINE_SEARCH_ALLOCATE_H
#define ENGINE_SEARCH_ALLOCATE_H

#include "engine/cost/cost.h"
#include "engine/search/sensitivity.h"

// The layers may as well be decisions of a search.
struct allocation {
	int layers, options;
	double *cost, *lost; // [layers][options], finite
};
// All zeros, to be filled by the caller; allocation_free frees it, also where this has failed. False: out of memory.
bool allocation_new(struct allocation *, int layers, int options);

// The loss by a sensitivity table and the cost by a term that adds up over layers, each layer's weights and activations in
// one of the formats. False with a fault: a term that does not add up (latency by the roofline, say), a format that the table
// or the term has no figure for, out of memory.
bool allocation_of(const struct model *, const struct sensitivity *, const struct cost *, const int *formats, int count,
	struct allocation *, struct fault *);
void allocation_free(struct allocation *);

struct allocated {
	bool found; // a choice that costs no more than the budget; else the rest, and the choice, say nothing
	double cost, lost;
	double bound; // of allocate_exact: no choice within the budget loses less; `lost` where the choice is proven the best
};

// Each fills choice[layers], an option per layer.
// One option everywhere: the one that loses least within the budget.
struct allocated allocate_uniform(const struct allocation *, double budget, int *choice);
// The first and the last layer in option `ends`, one option in all others. (The usual recipe: 8 bits at both ends.)
struct allocated allocate_ends(const struct allocation *, int ends, double budget, int *choice);
// From the choice that loses least, always the change that loses least per cost saved, until the budget is met.
struct allocated allocate_greedy(const struct allocation *, double budget, int *choice);
// The best there is: layer by layer, the partial choices that no other beats in both cost and loss, without those whose
// Lagrangian bound is no better than the best choice known (the multiplier is the one that maximises the bound of the whole).
// Where more than `most` partial choices would be kept (0: 100,000) it stops at the best known, with the bound.
struct allocated allocate_exact(const struct allocation *, double budget, long most, int *choice);

#endif

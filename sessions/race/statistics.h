// SPDX-License-Identifier: GPL-3.0-or-later
// What a race is judged by: means with their spread, and the upper hull of accuracies over costs. Pure functions.
#ifndef SESSIONS_RACE_STATISTICS_H
#define SESSIONS_RACE_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

// Numbers that are NAN do not count.
struct spread {
	int count;
	double mean; // NAN: of none
	double sd;   // standard deviation of the sample; NAN: of fewer than two
};
struct spread spread_of(const double *x, int count);

// A network: what it costs, how good it is.
struct spot {
	double cost, value;
};

// The upper hull over the logarithm of cost, from the cheapest to the one of the highest value: no spot lies above it, and it only
// rises. Sorts the spots and leaves the hull's corners in front: how many. Costs are above 0; spots that are not finite do not count.
int hull_of(struct spot *, int count);
// Its height at a cost, straight in the logarithm of cost between corners; beyond the last corner that one's. Up to a hundredth
// cheaper than the first it is the first's: a result that keeps to the cost of a uniform network lies a little below it, and is held
// against the dearer. NAN: cheaper still.
double hull_at(const struct spot *hull, int corners, double cost);
// The mean and the least height of hull a above hull b between two costs, evenly in the logarithm of cost, as far as both begin there and
// a has not ended. False: that is nowhere.
struct hull_gap {
	double mean, least;
	double at;       // the cost of the least
	double from, to; // what was compared
};
bool hull_compare(const struct spot *a, int a_corners, const struct spot *b, int b_corners, double from, double to,
	struct hull_gap *);

// The height at a cost of the line through some spots, straight in the logarithm of cost from neighbour to neighbour. NAN: the cost lies
// outside of them, or a neighbour is not finite. The spots in any order.
double line_at(const struct spot *, int count, double cost);

// How alike two lists order the same things: Spearman's rank correlation, ties sharing their ranks, and an interval that holds 95 % of what
// 2000 resamples of the things give (Efron's bootstrap, percentiles; the same in every call). NAN: fewer than three, or a list of equals.
struct ranking {
	double correlation, low, high;
};
struct ranking ranking_of(const double *a, const double *b, int count);

// 64 random bits, by a key and a counter.
uint64_t random_bits(uint64_t key, uint64_t counter);

#endif

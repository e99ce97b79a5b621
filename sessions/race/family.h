// SPDX-License-Identifier: GPL-3.0-or-later
// What trained candidates say of how to scale: the best of each level, exponents fitted to them, and whether what two numbers of steps
// and several seeds say agrees well enough to conclude anything. Pure functions of accuracies.
//
// A level's best candidate is the most accurate one. An exponent is the slope of log(multiple of depth, width or resolution) of
// the best over log(level's multiple of the base's cost), by least squares over the levels, through the base: multiple = cost^exponent. It is
// fitted for each seed by itself; its error is the standard error over seeds.
//
// No conclusion is drawn unless
//   - every candidate is trained, with two seeds or more;
//   - in every level some candidate is deeper than the base, some is wider, and some has larger images;
//   - in every level, accuracies at N and at 2N steps (means over seeds) have a rank correlation of FAMILY_AGREES or more;
//   - the three exponents of any two seeds at 2N steps have one of that much on the mean, and so have those at N and at 2N;
//   - the largest exponent and the next lie outside each other's interval, of two standard errors on either side.
#ifndef SESSIONS_RACE_FAMILY_H
#define SESSIONS_RACE_FAMILY_H

#include "engine/scaling.h"
#include "sessions/race/statistics.h"

#define FAMILY_AGREES 0.7
enum { FAMILY_SPANS = 2, FAMILY_WAYS = 3 }; // N and 2N steps; depth, width, resolution
extern const char *const family_ways[FAMILY_WAYS];

struct family_level {
	int best[FAMILY_SPANS]; // index of the best candidate by the mean over seeds; -1: none is trained
	double rank;            // rank correlation of N and 2N
};
struct family {
	struct family_level level[SCALING_LEVELS];
	struct spread exponent[FAMILY_SPANS][FAMILY_WAYS]; // over seeds
	double error[FAMILY_SPANS][FAMILY_WAYS];           // standard error of its mean; NAN: of one seed
	double seeds;      // mean rank correlation of the exponents of two seeds at 2N; NAN: there is one seed
	double spans;      // rank correlation of the mean exponents at N and 2N
	int fastest, next; // the ways with the largest exponents
	char refused[192]; // why nothing is concluded; "": the fastest grows faster than the others
};
// level: [levels], the multiples that they are called by. accuracy: [FAMILY_SPANS][points][seeds], NAN where it is not there. Returns false
// when out of memory.
bool family_of(const struct scaled *point, int points, const double *level, int levels, int seeds, const double *accuracy,
	struct family *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the pods folder: the links of a slice, chip by chip, and how traffic from one chip spreads over them.
#ifndef ENGINE_PODS_TORUS_H
#define ENGINE_PODS_TORUS_H

#include "engine/pods/inside.h"

enum { TORUS_SOURCES = 8192 }; // most chips where each has to be a source

struct torus {
	const struct slice *slice; // borrowed
	int chips, reached;        // from the source
	int (*next)[SLICE_WAYS];   // -1: no such link
	int *distance, *order;
	double *paths, *flow; // shortest paths from the source; what is passed on towards those behind
};
bool torus_new(struct torus *, const struct slice *, struct fault *); // false: nothing is left to free
void torus_free(struct torus *);

bool torus_alike(const struct slice *); // it looks the same from every chip
// Works out the distances from a source, the chips in their order, and how many shortest paths lead to each. A chip that no path
// leads to has distance -1 and is not in the order.
void torus_reach(struct torus *, int source);
// Add what the source of the last torus_reach sends (paths) or gets (hops), a unit from or to every chip that it reaches, to
// load[chip][way]. peer: only from or to these; NULL: all.
void torus_spread_paths(struct torus *, const bool *peer, double (*load)[SLICE_WAYS]);
void torus_spread_hops(struct torus *, const bool *peer, double (*load)[SLICE_WAYS]);
// The load of every link of each axis, where all axes wrap.
bool torus_dimension_order(const struct torus *, double axis_load[3], struct fault *);
// The same of one link out of a chip at this place of its axis, on a slice that is not twisted.
double torus_line_load(const struct slice *, int place, int way);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Times of collectives by Austin et al., How to Scale Your Model, 2025, with (N-1)/N where the book takes 1.
#include <math.h>

#include "engine/pods/inside.h"

const char *const collectives[COLLECTIVES] = {"all-gather", "reduce-scatter", "all-reduce", "all-to-all"};

double collective_time(enum collective kind, double bytes, const struct ring *ring, int rings, double link, double hop)
{
	double chips = 1, bandwidth = 0, hops = 0, fullest = 0;
	for (int i = 0; i < rings; i++) {
		if (ring[i].size <= 1)
			continue;
		chips *= ring[i].size;
		bandwidth += link * (ring[i].wrap ? 2 : 1);
		hops += ring[i].wrap ? floor(ring[i].size / 2) : ring[i].size - 1;
		fullest = fmax(fullest, ring[i].size / (ring[i].wrap ? 8 : 4)); // units of what a chip sends to all
	}
	if (chips <= 1)
		return 0;
	switch (kind) {
	case ALL_TO_ALL: return fmax(hops * hop, bytes / chips * fullest / link);
	case ALL_REDUCE: return fmax(2 * hops * hop, 2 * bytes * (chips - 1) / chips / bandwidth);
	default: return fmax(hops * hop, bytes * (chips - 1) / chips / bandwidth);
	}
}

// In islands: inside first, then each chip of an island with its like in the others.
static double islands_time(const struct pod *p, double chips, enum collective kind, double bytes)
{
	double island = fmin(pod_value(p, POD_ISLAND), chips), others = chips / island, hop = pod_value(p, POD_HOP);
	double inside = island > 1 ? (island - 1) / island / pod_value(p, POD_LINK) : 0; // seconds a byte gathered
	double between = others > 1 ? (others - 1) / others / pod_value(p, POD_NIC) : 0;
	switch (kind) {
	case ALL_TO_ALL: // a chip sends its bytes/chips evenly
		return fmax(2 * hop,
			bytes / chips *
				fmax((island - 1) / chips / pod_value(p, POD_LINK),
					others > 1 ? (chips - island) / chips / pod_value(p, POD_NIC) : 0));
	case ALL_REDUCE: return fmax(4 * hop, 2 * bytes * (inside + between / island));
	default: return fmax(2 * hop, bytes * (inside + between / island));
	}
}

double slice_collective(const struct pod *p, const struct slice *s, const struct slice_network *n, enum collective kind,
	double bytes)
{
	double link = pod_value(p, POD_LINK), hop = pod_value(p, POD_HOP);
	if (s->islands)
		return islands_time(p, s->chips, kind, bytes);
	if (kind == ALL_TO_ALL && n)
		return fmax(n->diameter * hop, n->load[slice_routing(n)] * bytes / s->chips / s->chips / link);
	const struct ring ring[3] = {{s->axis[0], s->wrap[0]}, {s->axis[1], s->wrap[1]}, {s->axis[2], s->wrap[2]}};
	return collective_time(kind == ALL_GATHER && s->twisted ? ALL_REDUCE : kind, bytes, ring, 3, link, hop);
}

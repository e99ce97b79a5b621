// SPDX-License-Identifier: GPL-3.0-or-later
// How a race stands: its results gathered over seeds, and held against the upper hull of the baselines of the same network and
// comparison; where entrants have networks of their own, of all networks. Accuracies are test accuracies in percent, gaps points of it.
#ifndef SESSIONS_RACE_STANDING_H
#define SESSIONS_RACE_STANDING_H

#include "sessions/race/result.h"
#include "sessions/race/statistics.h"

// An entrant on a network with an aim, over all seeds. Paths that are trained alone have no row.
struct standing_row {
	const struct race_run *run;                            // of the first seed
	struct spread test, cost, seconds, processors, memory; // memory: bytes
	struct spread gap;                                     // above the hull of the baselines' means, over all widths
	struct spread pairs;                                   // above the hull of the same seed's baselines
	struct spread at_width;                                // above the hull of the baselines of its own width
	bool corner;                                           // a baseline that the hull rests on
	bool claim;                                            // a search whose uniform network is worth comparing with
	const char *note;                                      // why it carries no claim; "": it does, or is a baseline
};
// A search's hull against that of the baselines, of one contest.
struct standing_hull {
	const char *net, *time, *entrant; // net "": it has several
	struct hull_gap gap;              // of the means
	struct spread paired;             // the mean gap, seed by seed
};
// What a format of a baseline is worth at a cost, by the line over its widths: at the largest one that all formats of the baseline reach, on one
// network. Those that do not go down to it are left out, and so is one that is alone.
struct standing_level {
	const struct race_run *run; // the first with this format
	double cost;
	struct spread test;
};
struct standing {
	const struct race *race;
	int rows;
	struct standing_row *row;
	double *accuracy, *cost; // [rows][seeds]; NAN: not there, or failed
	int hulls;
	struct standing_hull *hull;
	int levels;
	struct standing_level *level; // those of one network side by side
};
bool standing_of(const struct race *, struct standing *, struct fault *);
void standing_free(struct standing *);
// Whether two levels are of one baseline and network.
bool standing_same_line(const struct race_run *, const struct race_run *);
// Whether two runs are held against the same baselines.
bool standing_same_contest(const struct standing *, const struct race_run *, const struct race_run *);
// The corners of a hull of baselines: fills spot[rows] and says how many. `width` NULL: over all widths; seed -1: of the means.
int standing_baseline(const struct standing *, const struct race_run *like, const char *width, int seed, struct spot *);

#endif

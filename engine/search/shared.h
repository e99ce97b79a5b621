// SPDX-License-Identifier: GPL-3.0-or-later
// What the rooms of a search share, and only read: its settings, its space, its terms, and where it is. The search alone writes
// it, between two steps; it lives as long as the search.
#ifndef ENGINE_SEARCH_SHARED_H
#define ENGINE_SEARCH_SHARED_H

#include "engine/search/knobs.h"
#include "engine/search/prices.h"
#include "engine/space/space.h"

enum { SEARCH_SAMPLES = 64 }; // most choices that a step has scored

struct shared {
	struct knobs knobs;
	struct blueprint *blueprint; // of networks; else NULL, and
	struct mapping *mapping;     // of a machine
	const struct model *model;   // the blueprint's whole; of a machine a model without layers
	struct space *space;
	int options; // of the slot with the most of them
	struct prices *prices;
	int terms;
	struct term term[ENGINE_TERMS];
	long step, horizon, warmup;
	int lanes;    // that share the steps
	long restart; // the step from which the learning rate falls anew; 0: the schedule it began with
	bool by_loss; // quality is minus a loss
};

// A value smoothed over steps, for the eye; old NAN: the value.
double smoothed(double old, double value);
// The training or the scoring has gone wrong in this step: always false, with the fault.
bool diverged(const struct shared *, const char *what, struct fault *);

// Every slot of formats in this one, in the network at its largest; false: the space lacks it, or there is no such format.
bool uniform_choice(const struct space *, const char *format, uint8_t *choice, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Moves a weight or a target by hand, a step up or down at a time. As many steps down as up give back the very text that a person
// began with, and a target stays what it was given as: 0.1x and int4 a multiple of the widest, 3ms a time.
#ifndef UI_NUDGE_H
#define UI_NUDGE_H

#include <stddef.h>

#include "engine/engine.h"

// Where a value was when it was first nudged, and how far from there it is. Starts as {0}.
struct nudge {
	char anchor[ENGINE_NAME], made[ENGINE_NAME]; // texts: what it began as, what the last nudge made of it
	double from;                                 // what the anchor stands for, in `suffix`
	char suffix[8];
	int steps;
};

// The text of a term's target or weight, `way` (1 or -1) steps on: of 5 % and 25 %. waiting: a change is on its way to the engine, so that
// the term's state may be from before the last nudge. NULL: there is nothing to go from.
const char *nudge_target(struct nudge *, const struct term_state *, int way, bool waiting);
const char *nudge_weight(struct nudge *, const struct term_state *, int way, bool waiting);

#endif

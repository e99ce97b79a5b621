// SPDX-License-Identifier: GPL-3.0-or-later
// Moves a weight or a target up or down by one step at a time. Equally many steps up and down give back the very text that a
// person began with. A target keeps its kind: 0.1x and int4 stay a multiple of the widest, 3ms stays a time.
#ifndef UI_NUDGE_H
#define UI_NUDGE_H

#include <stddef.h>

#include "engine/engine.h"

// Where a value was when it was first nudged, and how far it is from there. Starts as {0}.
struct nudge {
	char anchor[ENGINE_NAME], made[ENGINE_NAME]; // texts: the first one, the last nudge's result
	double from;                                 // the anchor's value, in the unit `suffix`
	char suffix[8];
	int steps;
};

// Return the text of a term's target or weight one step on, up or down by `way` (1 or -1): 5 % for a target, 25 % for a weight.
// waiting: a change is on its way to the engine, so the term's state may be older than the last nudge. NULL: there is no value to
// start from.
const char *nudge_target(struct nudge *, const struct term_state *, int way, bool waiting);
const char *nudge_weight(struct nudge *, const struct term_state *, int way, bool waiting);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What the additive model (engine/search/additive.h) foretells of a choice that is edited, and how far it was off where that is known: at the
// points of the front, which were scored. A model: nothing of it was measured for this choice.
#ifndef UI_FORETOLD_H
#define UI_FORETOLD_H

#include "engine/engine.h"

struct foretold {
	double change; // of quality, beyond the modal choice: accuracy in 0..1, or minus the loss; NAN: nothing is known yet
	double error;  // its standard error, as if the decisions' errors were independent
	int points;    // of the front that it can be held against
	double off;    // root of the mean square of what it foretold of them and what came, against the modal choice's point
};
struct foretold foretell(const struct snapshot *, const uint8_t *choice);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// How the shared weights fare under the formats that take turns on them, layer by layer: how often a layer's format switches, and
// how many of its weights stand near an edge where rounding tips over; and over a final phase, what settling for the result alone
// has brought. For the eye: nothing is decided by it. Engine's thread.
#ifndef ENGINE_SEARCH_STRAIN_H
#define ENGINE_SEARCH_STRAIN_H

#include "engine/search/source.h"

struct strain {
	const struct shared *shared;
	int layers;
	float *format;    // of its weights in the step before; -1: there was none
	float *switching; // share of lately made steps in which it was another than in the step before
	float *near_edge; // share of its weights, as source.h has it; -1: not known yet
	double before,
		after; // held-out accuracy of the result as a final phase begins, and STRAIN_SETTLED steps on; -1: not known
};
enum { STRAIN_SETTLED = 50 };

bool strain_open(struct strain *, const struct shared *, struct fault *);
void strain_close(struct strain *);
void strain_path(struct strain *, const uint8_t *path); // the present step has trained on this path
// A lane's step is made and counted: every so often looks at the weights, under what the lane would choose now.
void strain_look(struct strain *, struct source *, int lane, const uint8_t *result);
bool strain_save(struct strain *, struct state *, struct fault *); // as a part
bool strain_restore(struct strain *, const struct state *, struct fault *);
void strain_publish(const struct strain *, struct snapshot *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The search itself, as the files of this folder that stand on top see it: search.c, opening.c, changes.c, terms.c, saved.c,
// publish.c. What stands below (lane, searcher, source, front, prices) has a header each and knows nothing of it.
#ifndef ENGINE_SEARCH_INSIDE_H
#define ENGINE_SEARCH_INSIDE_H

#include "engine/search/front.h"
#include "engine/search/lane.h"
#include "engine/search/search.h"
#include "engine/search/searcher.h"
#include "engine/search/source.h"

struct search {
	struct shared shared; // the only place that writes it
	struct source *source;
	int lanes;
	struct lane lane[ENGINE_LANES]; // the first has the focus
	struct front front;

	double loss, accuracy; // of training, smoothed
	uint8_t *choice;       // [SEARCH_SAMPLES][slots]: of the step under way
	struct asked asked;    // of them, the distinct ones
	struct search_work work;

	struct engine_info info;
	struct option_info *option_info;
};

// ---- terms.c ----
// Takes the terms and their targets from the knobs: prices what is new, prices the front anew. All or nothing; false with a
// fault: an unknown device; a term that is asked for and has no price; a target that is none, or none for a weight.
// Allocates.
bool search_reprice(struct search *, const struct knobs *, struct fault *);
// Whether a target can be one of a term that is there; any thread.
bool search_check_target(const struct search *, const char *name, const char *text, struct fault *);

// ---- opening.c ----
void search_take_knobs(struct search *, const struct knobs *); // and what follows from them; terms aside

// ---- saved.c ----
bool search_restore(struct search *, const struct state *, struct fault *);

#endif

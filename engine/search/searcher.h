// SPDX-License-Identifier: GPL-3.0-or-later
// How a lane's policy is moved by the qualities of choices. A searcher is a row of functions and keeps nothing of its own: what
// it has learned is the lane's. Engine's thread.
#ifndef ENGINE_SEARCH_SEARCHER_H
#define ENGINE_SEARCH_SEARCHER_H

#include "engine/search/lane.h"

// Choices that were scored at one step.
struct lesson {
	int count;
	const uint8_t *choice;        // [count][slots]
	const double *quality;        // [count]
	double (*cost)[ENGINE_TERMS]; // [count]
};

struct searcher {
	const char *name;
	// The choice whose weights the step trains.
	void (*path)(const struct lane *, uint8_t *choice);
	// The choices it wants scored, the same one as often as it likes: how many, at most SEARCH_SAMPLES.
	int (*propose)(const struct lane *, uint8_t *choice);
	// Moves the policy. False, with a fault, where a quality or a reward is no number that can be learned from; the policy
	// has not moved then.
	bool (*learn)(struct lane *, const struct lesson *, struct fault *);
	// What it would choose now.
	void (*best)(const struct lane *, uint8_t *choice);
};
extern const struct searcher searcher_reinforce;              // reinforce.c
extern const struct searcher searcher_greedy, searcher_exact; // allocators.c

#endif

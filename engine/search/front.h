// SPDX-License-Identifier: GPL-3.0-or-later
// The front archive: choices with their costs and their accuracy on a fixed slice of held-out images. It is scored again as a
// whole, a point at a time, so that requests can be answered in between, by the settings with which the scoring began: a front
// does not depend on when a change came in. Engine's thread.
#ifndef ENGINE_SEARCH_FRONT_H
#define ENGINE_SEARCH_FRONT_H

#include "engine/search/lane.h"
#include "engine/search/source.h"

struct point {
	enum point_origin origin;
	char label[16];
	float accuracy, loss; // as a state keeps them
	double cost[ENGINE_TERMS];
	long step;
	bool dominated;
	int lane, place; // that it came from; 0: none, and the place that scores it
	uint8_t *choice;
};

struct front {
	const struct shared *shared;
	struct pricer *pricer;
	struct knobs knobs;              // of the scoring under way
	uint32_t counted;                // the terms that a lane's reward counted as it began, a bit each
	struct point *point, *candidate; // [room] each: the front, and what is being scored
	int points, candidates, next, room;
	bool scoring;
	struct fault halt;
	struct point *all; // both of them: they change places
	uint8_t *choices, *draw;
};

bool front_open(struct front *, const struct shared *, struct fault *);
void front_close(struct front *);
bool front_due(const struct front *); // whether it is to be scored after the step that was made
// Gathers the candidates: every uniform choice, each lane's modal one and its result, what held its place on the front, some fresh samples of each
// lane, four in all or one of each. lane: the search's, by their places. A choice is scored as one of the lane that it came from; a
// uniform one, and one of a lane that is no longer kept, as one of the first.
void front_begin(struct front *, const struct lane lane[ENGINE_LANES]);
// Scores one candidate; whether more remain. The front changes when the last is done. A candidate that the source cannot score is
// left out; while it waits or halts (`halt` says why), nothing moves and more remain.
bool front_advance(struct front *, struct source *);
void front_reprice(struct front *); // after a change of the terms

bool front_save(const struct front *, const struct lane lane[ENGINE_LANES], struct state *); // as a part; false: out of memory
bool front_restore(struct front *, const struct lane lane[ENGINE_LANES], const struct state *, struct fault *);
void front_publish(const struct front *, struct snapshot *);

#endif

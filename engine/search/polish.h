// SPDX-License-Identifier: GPL-3.0-or-later
// A polish: a copy of the weights is trained on one lane's result alone, and what that reaches becomes a point of the front whose
// weights were trained for it. It is made between two steps of the search, a part at a time, so that requests can be answered in
// between. The search goes on from where it was, to the bit: its weights, its policies and its random streams are as if nothing
// had been. The copy (weights, momentum, ranges, and an average where one is kept) lives as long as the polish, and no longer.
//
// A polish goes by the settings, the result and the weights of when it was asked for. So what comes of it does not depend on
// when changes came in, and a replay finds the same to the bit. There is one at a time. Engine's thread.
#ifndef ENGINE_SEARCH_POLISH_H
#define ENGINE_SEARCH_POLISH_H

#include "engine/search/lane.h"
#include "engine/search/source.h"

enum { POLISH_POINTS = 2 * ENGINE_LANES }; // kept; the oldest goes first

// What a polish does, as it was asked for.
struct polishing {
	int lane, place; // the lane's number; 0: there is none
	long begun;      // the step of the search
	long steps;      // to make
	double rate;     // learning rate that it begins with, and that falls to 0 along a cosine
};

// What came of one.
struct polished {
	struct polishing of;
	double accuracy, loss;     // on the held-out images that score the front
	double test;               // accuracy on the test images
	double cost[ENGINE_TERMS]; // by the present terms
	uint8_t *choice;           // [slots]
};

struct polish {
	const struct shared *shared;
	struct pricer *pricer;
	struct polishing now; // under way
	struct knobs knobs;   // of when it began
	long done;            // its steps that are made
	bool scored;          // on held-out images: the test images are next
	struct polished next; // what is to come of it
	double training_loss; // smoothed; NAN: no step is made
	int points;
	struct polished point[POLISH_POINTS]; // in the order in which they came
	uint8_t *choices;                     // [POLISH_POINTS + 1][slots]
	// Of this process.
	long made; // steps
	double seconds;
	long ended;
	char says[ENGINE_TEXT]; // what came of the last that ended
};

bool polish_open(struct polish *, const struct shared *, struct fault *);
void polish_close(struct polish *);

// Takes the copy and begins. `rate` 0: a fifth of the setting `rate`. False with a fault: one is under way; nothing is trained here; out
// of memory.
bool polish_begin(struct polish *, struct source *, const struct lane *, long steps, double rate, struct fault *);
// Makes a step, or scores; nothing where none is under way. Where the training diverges, it ends without a point, and `says` says so.
void polish_advance(struct polish *, struct source *);
// Takes back a lane's newest: ends the one under way, else its point goes. What it was is in *gone. False with a fault: it has none.
bool polish_drop(struct polish *, struct source *, int lane, struct polishing *gone, struct fault *);
void polish_reprice(struct polish *); // after a change of the terms

// A part, where there is anything to keep. Saves the copy too. False: out of memory, or a number that is none.
bool polish_save(const struct polish *, struct source *, struct state *, struct fault *);
bool polish_restore(struct polish *, struct source *, const struct state *, struct fault *);
// Its own part of a snapshot; and its points among those of the front, which are there already. `counted`: the terms that a reward
// counts, a bit each. Points that share weights are dominated by none of these: they say what one run of the search has.
void polish_publish(const struct polish *, uint32_t counted, struct snapshot *);

#endif

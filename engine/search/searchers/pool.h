// SPDX-License-Identifier: GPL-3.0-or-later
// Choices that compete over shared weights. They are scored a few at a time, each time on other images and with other weights: so a
// score is relative. What moved all that were scored together, beside what they had, is taken away, and the rest averaged.
#ifndef ENGINE_SEARCH_SEARCHERS_POOL_H
#define ENGINE_SEARCH_SEARCHERS_POOL_H

#include "engine/search/lane.h"

struct pool {
	int room, members;
	long slots;
	uint8_t *choice; // [room][slots]
	float *score;    // [room]: quality, relative to the others
	float *count;    // [room]: how often it was scored since it came
	float noise;     // how far a single score lies from the average, smoothed
};

// A pool of at most `room` choices, empty, as a lane's memory. False with a fault: out of memory; it is to be closed all the same.
bool pool_open(struct lane *, int room, struct fault *);
uint8_t *pool_choice(const struct pool *, int member);
int pool_find(const struct pool *, const uint8_t *choice); // -1: it is not there
void pool_put(struct pool *, int member, const uint8_t *choice, float score, float count);
// What moved these members together: the mean of what they have now, less what they had. Those that were never scored take part only
// where none was.
double pool_shift(const struct pool *, const int *member, int count, const double *quality);
void pool_score(struct pool *, int member, double value); // a further score, the shift taken away
// The member with the best score, each lowered by what chance may have given it.
int pool_best(const struct pool *);
// Gives the policy the members' shares of each option: for the eye, and for a searcher that takes over.
void pool_show(const struct pool *, struct lane *);

// ---- rows of a searcher whose memory is a pool ----

// The best member, made to fit what is allowed and asked for now; without members the policy's modal choice.
void pool_result(const struct lane *, uint8_t *choice);
void pool_close(struct lane *);
bool pool_save(const struct lane *, const char *prefix, struct state *, struct fault *);
bool pool_restore(struct lane *, const char *prefix, const struct state *, struct fault *);

#endif

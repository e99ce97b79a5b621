// SPDX-License-Identifier: GPL-3.0-or-later
// The racks of a pod, a block each, day by day: two machines, one with switches between its blocks and one without, under the same
// failures and repairs. A day of them is a step of their own clock; the search has nothing to do with it. What they are is what their trail
// makes of them (trail.h).
#ifndef UI_RACKS_H
#define UI_RACKS_H

#include "engine/base/command.h"
#include "engine/machine.h"
#include "sessions/sessions.h"
#include "ui/trail.h"

enum racks_machine { RACKS_SWITCHED, RACKS_FIXED, RACKS_MACHINES };
enum { RACKS_DAYS = 256, RACKS_LETTERS = 52 };

struct racks {
	struct goodput_question question;
	struct goodput_clock *clock[RACKS_MACHINES]; // owned
	struct goodput_now now[RACKS_MACHINES];
	// A job that fills blocks has a letter that no other one has now, its place among A to Z and a to z; -1: all are taken.
	int letter[RACKS_MACHINES][GOODPUT_BLOCKS];   // of the job in each block; -1 also where there is none
	long lettered[RACKS_MACHINES][RACKS_LETTERS]; // the job's number, + 1; 0: free
	double day[RACKS_MACHINES][RACKS_DAYS];       // share of all chips that ran a job, by day; the newest at days - 1
	int days;                                     // remembered
	struct trail trail;                           // owned
	long said;                                    // the day that the search's settings say, as far as was asked
	bool running;                                 // a day follows another by itself
};

void racks_set_by(const struct racks *, struct racks_set *); // those under which the racks go on, today

// Reads the words of `goodput`; what they leave out is as `set` says. Then racks_begin is to follow. NULL with a fault.
struct racks *racks_read(struct command_call *, const struct racks_set *set);
// They have this past, and today what they were read with. Returns false if out of memory.
bool racks_after(struct racks *, const struct trail *past);
// Begins, and lets the days pass that the trail has. If `before` (NULL: none) is of the same pod, seed and inputs, and its trail the
// beginning of this one, its machines go over and go on. False with a fault; in any case `before` may then only be freed.
bool racks_begin(struct racks *, struct racks *before, struct fault *);
void racks_free(struct racks *); // NULL: nothing
bool racks_day(struct racks *, struct fault *);
// Asks the same as `before`, from now on under other settings or on another day, or with another trail; racks_begin is to follow. NULL
// with a fault.
struct racks *racks_with(const struct racks *before, const struct racks_set *, struct fault *);
struct racks *racks_by(const struct racks *before, const struct trail *, struct fault *);

// Writes the line `set …` that brings the settings from `now` to those of the racks; none where they are the same.
bool racks_say(const struct racks *, const struct racks_set *now, struct string *line, struct fault *);
// Moves one thing: words of RACKS_MOVES. Returns false with a fault.
#define RACKS_MOVES "availability-up|availability-down|spares-up|spares-down|jobs-next"
bool racks_moved(const struct racks *, const char *move, struct racks_set *, struct fault *);
const char *racks_jobs(const struct racks *, char buf[64]); // "8x8x8", "the mix of November 2022", "3 sizes"

#endif

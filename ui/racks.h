// SPDX-License-Identifier: GPL-3.0-or-later
// The racks of a pod, a block each, day by day: two machines, one with switches between its blocks and one without, under the same
// failures and repairs. A day of them is a step of their own clock; the search has nothing to do with it.
#ifndef UI_RACKS_H
#define UI_RACKS_H

#include "engine/base/command.h"
#include "engine/machine.h"
#include "sessions/sessions.h"

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
	bool running;                                 // a day follows another by itself
};

// Reads the words of `goodput` and begins; no day has passed yet. If `before` (NULL: none) is of the same pod, seed and inputs, its
// machines go over and go on with what is changed. NULL with a fault, and `before` is as it was; else it may only be freed.
struct racks *racks_asked(struct command_call *, struct racks *before);
void racks_free(struct racks *); // NULL: nothing
bool racks_day(struct racks *, struct fault *);
// Begins again, with the same failures to come.
bool racks_again(struct racks *, struct fault *);

// Writes the `goodput` line that says what is asked, with one thing moved: words of RACKS_MOVES. Returns false with a fault.
#define RACKS_MOVES "availability-up|availability-down|spares-up|spares-down|jobs-next"
bool racks_moved(const struct racks *, const char *move, struct string *line, struct fault *);
const char *racks_jobs(const struct racks *, char buf[64]); // "8x8x8", "the mix of November 2022", "3 sizes"

#endif

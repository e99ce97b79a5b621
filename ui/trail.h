// SPDX-License-Identifier: GPL-3.0-or-later
// What was done to the racks of a pod, by day: under which settings they have stood since when, and which day it is. The racks are what
// this makes of them, so whoever has the trail has them day for day. A search's journal holds it (`set day 12 availability 99.7`).
#ifndef UI_TRAIL_H
#define UI_TRAIL_H

#include "sessions/sessions.h"

// What a person moves: settings of the search, in this order, as texts.
enum { RACKS_DAY, RACKS_AVAILABILITY, RACKS_SPARES, RACKS_JOBS, RACKS_SETTINGS };
extern const char *const racks_settings[RACKS_SETTINGS];
enum { RACKS_LAST = 3650 }; // the last day, as the setting has it
struct racks_set {
	char text[RACKS_SETTINGS][ENGINE_TEXT];
};
void racks_set_of(const struct config *, struct racks_set *);
long racks_set_day(const struct racks_set *);
// Whether they are alike but for the day.
bool racks_set_alike(const struct racks_set *, const struct racks_set *);

// {0}: empty.
struct trail {
	struct racks_set *leg; // from the day of each on; the first is of day 0, and no two are of one day
	int legs;
	long day; // today
};
void trail_free(struct trail *); // empties it
// From the day of the settings on they are in force; it is that day. What was to come after it is forgotten. False: out of memory.
bool trail_set(struct trail *, const struct racks_set *);
bool trail_copy(struct trail *, const struct trail *from);          // into an empty one
bool trail_goes_on(const struct trail *, const struct trail *from); // whether one is the other, and perhaps more behind it
// Fills an empty one with what a session's journal says. Returns false if out of memory.
bool trail_of(struct trail *, const struct session *);

#endif

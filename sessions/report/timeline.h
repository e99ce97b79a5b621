// SPDX-License-Identifier: GPL-3.0-or-later
// What was done to a search, in order, and how it stood at each step.
#ifndef SESSIONS_REPORT_TIMELINE_H
#define SESSIONS_REPORT_TIMELINE_H

#include "sessions/core/inside.h"

// One thing that was done, or kept.
struct event {
	long step;
	int order;
	const char *what; // "change", "undo", "redo", "note", "rewind", "fork", "save"
	char text[ENGINE_TEXT * 2];
};
// Lists those in force by step; the caller frees the list. NULL: out of memory.
struct event *timeline_events(const struct session *, int *count);

enum { TIMELINE_LATELY = 20 }; // steps whose qualities are averaged
// Return the modal cost of the source's term at a step, and the mean quality of the choices sampled in the steps before it; NAN: none.
double timeline_cost(const struct figure_source *, long step);
double timeline_quality(const struct figure_source *, long step);

#endif

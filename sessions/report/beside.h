// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions side by side (`compare`). Their results are also held against each other image by image: each is evaluated by its own engine, with
// the weights that its search shares, on the same images. That takes as long as so many evaluations; meanwhile the session that asked turns
// on, and its line is told again once all answers are there (session_due).
#ifndef SESSIONS_REPORT_BESIDE_H
#define SESSIONS_REPORT_BESIDE_H

#include "sessions/core/inside.h"
#include "sessions/report/report.h"

enum { COMPARED = 6 };

struct beside {
	char *line; // that asked for it
	int count;
	struct session *s[COMPARED];
	bool opened[COMPARED]; // by this command
	int branch[COMPARED];  // that is shown; 0: the present one
	uint8_t *result[COMPARED];
	bool same_slots[COMPARED];                // as the first
	bool judged[COMPARED];                    // asked which images it gets right
	char unpaired[COMPARED][4 * ENGINE_TEXT]; // why it cannot be held against the first image by image; "": it can
	bool images;                              // they are compared by images
	enum split split;
	const char *csv, *plot, *curves, *formats, *pairs; // files to be written; borrowed from the call
	struct report report;
};

void beside_free(struct beside *);

// ---- paired.c --------------------------------------------------------------------------------------------------------

// Asks every session that can say it which images its result gets right.
void paired_ask(struct beside *);
bool paired_waits(const struct beside *); // answers are missing
void paired_await(struct beside *);       // turns the sessions until none is; for a caller that may wait
// Once they have come: works out who cannot be paired, and why.
void paired_settle(struct beside *);
bool paired_can(const struct beside *, int i); // and then: whether it is held against the first on the same images
// Adds the rows, and below the table on what they rest.
void paired_add(struct beside *);
// Draws how far each lies ahead of the first, over its cost. cost[count]: NAN where that has no common unit.
bool paired_draw(struct beside *, struct command_call *, const double *cost, const struct term_state *);
// A row of the table: a cell for each session. mark: what stands behind it; NULL: a star where they differ.
void beside_row(struct beside *, const char *name, char cell[COMPARED][ENGINE_TEXT], const char *mark);

#endif

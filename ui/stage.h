// SPDX-License-Identifier: GPL-3.0-or-later
// A workbench whose screen nobody sees: it is drawn into a grid of cells of a size that was asked for. Batch runs have one with
// --screen, and recordings of a journal.
#ifndef UI_STAGE_H
#define UI_STAGE_H

#include "ui/workbench.h"

struct stage {
	struct workbench w;
	struct audience audience; // for a batch run on it: draws and records as the search moves on
	double drawn;             // when it was drawn last, in seconds
};

// The session stays the caller's, and must outlive the stage. A stage stays where it began: it is not moved in memory.
bool stage_begin(struct stage *, struct session *, int width, int height, struct fault *);
void stage_draw(struct stage *); // the present, into the recording too if there is one
// Ends a recording that goes on, and frees all. Returns false if that could not be written.
bool stage_end(struct stage *, struct fault *);
// The commands of the workbench, with the stage as their audience.
struct command_table stage_table(const struct stage *);

// Reads "120x40". Returns false with a fault if the workbench cannot have that size.
bool stage_size(const char *text, int *width, int *height, struct fault *);

#endif

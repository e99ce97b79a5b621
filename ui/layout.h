// SPDX-License-Identifier: GPL-3.0-or-later
// Where the panes of the search screen lie: a pure function of the screen's size and of how much there is to show.
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include "ui/screen.h"

enum {
	LAYOUT_MIN_WIDTH = 60,
	LAYOUT_MIN_HEIGHT = 16,
	LAYOUT_CURVES = 6 // most panes for curves
};

// What there is to show.
struct layout_want {
	int layers, terms, curves;
};

// A pane that has no room has width 0. Panes never overlap and never leave the screen.
struct layout {
	bool small; // nothing fits: say so
	struct rect header;   // one row: what is searched, and the run state
	struct rect progress; // one row
	struct rect says;     // one row
	struct rect layers, costs, front;
	struct rect curve[LAYOUT_CURVES];
	int curves;
	struct rect message, hints; // one row each
};
void layout_make(int width, int height, struct layout_want, struct layout *);

#endif

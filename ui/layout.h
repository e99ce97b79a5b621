// SPDX-License-Identifier: GPL-3.0-or-later
// Places the views on the screen, by a pure function of its size and of what each view would like. It knows no view, only the
// kinds of place that there are.
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include "ui/screen.h"

enum {
	LAYOUT_MIN_WIDTH = 60,
	LAYOUT_MIN_HEIGHT = 16,
	LAYOUT_PANES = 6 // most panes of one view
};

enum layout_place {
	LAYOUT_HEAD,    // lines across the top of the screen
	LAYOUT_FOOT,    // lines across the bottom
	LAYOUT_MAIN,    // a table that gets what the others leave of the tables' column
	LAYOUT_TABLE,   // a table below it, at most a third of the column
	LAYOUT_FIGURE,  // a figure that gets a little more than half of the figures' column
	LAYOUT_FIGURES, // figures in what is left
	LAYOUT_OVER     // the whole screen, over the others: it finds its place in it by itself
};

// What a view wishes, and what it gets. Of each of MAIN, FIGURE and FIGURES the first that is wanted counts.
struct layout_item {
	enum layout_place place;
	bool wanted;
	int rows;  // lines that it has to show, column heads included, a frame not
	int least; // TABLE: lines that it must have, even at the cost of the main table
	int panes; // FIGURES: most panes that it can fill
	// The answer. Panes are framed, lines are not; 0 panes: there is no room for it. Panes of different views never
	// overlap (but for OVER) and never leave the screen.
	struct rect pane[LAYOUT_PANES];
	int got;
};

enum { LAYOUT_NONE = -1 };
// Returns how wide the tables will be on a screen of that width, for items that have to know it before they can say what they
// wish.
int layout_table_width(int width);
// `zoomed`: the item that has all of the screen between head and foot to itself; LAYOUT_NONE: none has.
// False: the screen is too small for anything; no item has a pane.
bool layout_make(int width, int height, struct layout_item *, int items, int zoomed);

#endif

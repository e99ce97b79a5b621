// SPDX-License-Identifier: GPL-3.0-or-later
// Places the views on the screen, by a pure function of its size and of the views' wishes. It knows only the kinds of places, not
// the views.
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
	LAYOUT_MAIN,    // a table that gets the rest of the tables' column
	LAYOUT_TABLE,   // a table below it, at most a third of the column
	LAYOUT_FIGURE,  // a figure with a little more than half of the figures' column
	LAYOUT_FIGURES, // figures in the rest of that column
	LAYOUT_ALONE,   // all between head and foot while the person is in the view, else nothing
	LAYOUT_OVER     // the whole screen, over the others: the view finds its own place in it
};

// What a view wishes, and what it gets. Of each of MAIN, FIGURE and FIGURES only the first wanted item counts.
struct layout_item {
	enum layout_place place;
	bool wanted;
	int rows;  // lines it has to show, with column heads, without a frame
	int least; // TABLE: lines it must have, even at the cost of the main table
	int panes; // FIGURES: most panes it can fill
	// The result. Panes are framed, lines are not; 0 panes: there is no room for it. Panes of different views never overlap
	// (except OVER) and never leave the screen.
	struct rect pane[LAYOUT_PANES];
	int got;
};

enum { LAYOUT_NONE = -1 };
// Returns how wide the tables will be on a screen of this width, for items that need to know before they can say what they wish.
int layout_table_width(int width);
// Fills in the results. `zoomed`: the item that has all of the screen between head and foot; LAYOUT_NONE: none. Returns false if
// the screen is too small for anything; no item has a pane then.
bool layout_make(int width, int height, struct layout_item *, int items, int zoomed);

#endif

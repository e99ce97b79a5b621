// SPDX-License-Identifier: GPL-3.0-or-later
// Fits the columns of a table into its width. Each says its least width, its ideal width and how important it is.
#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

struct column {
	int least, ideal; // widths; least 0: not shown at all
	int rank;         // 0 always stays; columns of the highest rank are left out first
	int x, width;     // the result; width 0: left out
};

// Fits the columns into `width`, with one blank between any two. Spare width goes to them in order of rank.
void columns_fit(struct column *, int count, int width);

#endif

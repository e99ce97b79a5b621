// SPDX-License-Identifier: GPL-3.0-or-later
// Fits the columns of a table into its room: each says how narrow it can be, how wide it likes to be and how much it matters.
#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

struct column {
	int least, ideal; // widths; least 0: not shown at all
	int rank;         // 0 always stays; columns of the highest rank are left out first
	int x, width;     // the answer; width 0: left out
};

// Fits the columns into `width`, one column of space between any two. What is left over widens them in order of rank.
void columns_fit(struct column *, int count, int width);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Lays a figure out on a page: it says where its parts stand, in cm from the lower left corner, and where words find room.
// gnuplot knows the true size of text, but cannot avoid collisions; the sizes here are estimates on the safe side.
#ifndef PLOTS_PAGE_H
#define PLOTS_PAGE_H

#include "plots/scale.h"

struct page {
	double width, height;
	double points;                   // of the type
	double line;                     // height of a line of text
	double left, right, bottom, top; // of the plot
	struct scale x, y, y2;
	struct ticks x_ticks, y_ticks, y2_ticks;
	bool words_above; // upright lines are named above the plot
};

struct page page_of(const struct figure *, double width_cm);
// The legend's entries, so many series from the `first` on share a row; and what one is wide.
int page_legend_row(const struct page *, const struct figure *, int first);
double page_legend_entry(const struct page *, const struct series *);
double page_text_width(const struct page *, const char *text);

// Where a word stands: its corner, centre or end at (x, y), the middle of its height.
struct spot {
	double x, y;
	const char *align; // "left", "center", "right"; NULL: there is no room
};

// Of the name of straight line i (upright ones: above the plot, those that leave room after the ones before).
struct spot page_line_name(const struct page *, const struct figure *, int i);
// Of the labels of all points: spot[series][point], each series with labels having an array of its own; beside the points and
// clear of all points and labels. A label that is its series' name is the legend's to say.
void page_point_names(const struct page *, const struct figure *, struct spot *const *spot);

#endif

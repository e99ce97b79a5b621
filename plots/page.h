// SPDX-License-Identifier: GPL-3.0-or-later
// Lays a figure out on a page: where its parts stand, in cm from the lower left corner, and where there is room for words.
// gnuplot knows the true size of text but cannot avoid collisions; the sizes here are estimates on the safe side.
#ifndef PLOTS_PAGE_H
#define PLOTS_PAGE_H

#include "plots/scale.h"

struct page {
	double width, height;
	double points;                   // size of the type
	double line;                     // height of a line of text
	double left, right, bottom, top; // of the plot
	struct scale x, y, y2;
	struct ticks x_ticks, y_ticks, y2_ticks;
	bool words_above; // names of vertical lines stand above the plot
};

// font: size of the type in points; 0: what suits the width.
struct page page_of(const struct figure *, double width_cm, double font);
// The legend's entries, so many series from the `first` on share a row; and what one is wide.
int page_legend_row(const struct page *, const struct figure *, int first);
double page_legend_entry(const struct page *, const struct series *);
// What an entry says: the series' name, and what its sizes are. Returns buf.
enum { LEGEND_TEXT = ENGINE_NAME + 48 };
const char *page_legend_text(const struct series *, char buf[LEGEND_TEXT]);
double page_text_width(const struct page *, const char *text);

// Marks of changes are numbered above the plot, in their order, and a key below the legend says what they are: its rows are filled from
// the left, and the last one says how many are left out. The text of entry `mark` (from 0), NULL behind the last one; *row and *x say
// where it stands.
const char *page_key(const struct page *, const struct figure *, int mark, char text[64], int *row, double *x);
int page_key_rows(const struct page *, const struct figure *);
// What stands at straight line i: its name, or a mark's number. Returns buf where it is a number.
const char *page_line_text(const struct figure *, int i, char buf[16]);

// Where a word stands: its left end, centre or right end is at x, the middle of its height at y.
struct spot {
	double x, y;
	const char *align; // "left", "center", "right"; NULL: there is no room
};

// Returns the place for the name of straight line i. Names of vertical lines go above the plot, each if those before it leave
// room.
struct spot page_line_name(const struct page *, const struct figure *, int i);
// How many times as wide as usual a point's sign is, so that its area is as its share.
double page_point_size(const struct series *, size_t point);
// Finds the places for the labels of all points: beside their points, clear of all other points and labels. spot[series] is an
// array with one place per point, for each series with labels. A label that equals its series' name is left to the legend.
void page_point_names(const struct page *, const struct figure *, struct spot *const *spot);

#endif

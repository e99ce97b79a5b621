// SPDX-License-Identifier: GPL-3.0-or-later
// Draws heat maps in cells: one row of bars per row of the matrix. A bar's height (in ASCII a digit) shows the level. Each
// stretch of one level begins with the level's sign, so that nobody has to judge heights or colours.
#ifndef PLOTS_HEATMAP_H
#define PLOTS_HEATMAP_H

#include "plots/placement.h"

void heatmap_draw(struct raster *, const struct figure *, const struct placement *);
// Finds the rows that are drawn in `lines` lines: all of them, or those around the row in focus. Returns how many.
int heatmap_rows(const struct heat *, int lines, int *first);
// Returns the level of a value in 0..1; -1: blank. If the figure names no levels, there are ten.
int heatmap_level(const struct heat *, float value);

#endif

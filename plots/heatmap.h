// SPDX-License-Identifier: GPL-3.0-or-later
// Draws heat maps in cells: a row of bars per row of the matrix, whose height (ASCII: a digit) says the level. Where a
// stretch of one level begins stands the level's sign, so that neither height nor colour has to be judged.
#ifndef PLOTS_HEATMAP_H
#define PLOTS_HEATMAP_H

#include "plots/layout.h"

void heatmap_draw(struct raster *, const struct figure *, const struct layout *);
// Says which rows are drawn where there are so many lines: all, or those around the row in focus. Returns how many.
int heatmap_rows(const struct heat *, int lines, int *first);
// What stands for a level, and for no other: the number in its name where that is one digit in base 36 ("int4": 4, "int16": g),
// and where a level before it has that, a capital letter ("e2m1" beside int2: A).
uint32_t heatmap_sign(const struct heat *, int level);
// The level of a value in 0..1; -1: blank. Where the figure names no levels, ten are made.
int heatmap_level(const struct heat *, float value);

#endif

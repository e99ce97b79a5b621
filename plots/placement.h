// SPDX-License-Identifier: GPL-3.0-or-later
// Places the parts of a figure in its cells, and draws the axes around the data.
#ifndef PLOTS_PLACEMENT_H
#define PLOTS_PLACEMENT_H

#include "plots/raster.h"
#include "plots/scale.h"

struct placement {
	struct area plot; // the data; never empty
	bool axes;        // there is room for axes
	int header;       // the row of the y labels, -1: none
	int legend;       // the row of the legend: the header, or a row of its own below it
	int label_row;    // of the x label below the ticks, -1: it is in the axis line
	struct scale x, y, right;
	struct ticks x_ticks, y_ticks, right_ticks;
	int names; // heat maps: the width of the row names at the left
};

struct placement placement_of(const struct figure *, int width, int height);
// Finds the columns between the labels in the header row.
void placement_header_room(const struct figure *, int width, int *from, int *to);
void placement_axes(struct raster *, const struct figure *, const struct placement *);

#endif

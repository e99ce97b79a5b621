// SPDX-License-Identifier: GPL-3.0-or-later
// Says what the symbols, lines and levels of a figure mean, where there is room for it.
#ifndef PLOTS_LEGEND_H
#define PLOTS_LEGEND_H

#include "plots/placement.h"

// Drawn last: it takes only cells that are blank.
void legend_draw(struct raster *, const struct figure *, const struct placement *);
// The width of all entries in one row; 0 where the figure needs no legend.
int legend_width(const struct figure *);

#endif

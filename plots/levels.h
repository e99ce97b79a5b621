// SPDX-License-Identifier: GPL-3.0-or-later
// Levels: what the cells of a heat map are of, and what areas that lie on each other are. Each has a name, a sign and a shade.
#ifndef PLOTS_LEVELS_H
#define PLOTS_LEVELS_H

#include "plots/plots.h"

// Returns the name of a level; NULL: it has none.
const char *level_name(const struct figure *, int level);
// Returns the sign of a level, different for each: the number in its name if that is one digit in base 36 ("int4": 4, "int16":
// g), or a capital letter if an earlier level has that sign ("e2m1" beside int2: A).
uint32_t level_sign(const struct figure *, int level);

// Areas: the series that cover the whole plot, one on the other, with their x in common.
int areas_of(const struct figure *);
const struct series *area_at(const struct figure *, int level);   // the areas are levels, from the lowest on
double area_foot(const struct figure *, int level, size_t point); // where it begins, at one of its points
// Returns the level at a place; -1: no area is there.
int area_level(const struct figure *, double x, double y);
// Whether its data cover the plot, so that nothing can be drawn in it: areas, or a heat map.
bool figure_covered(const struct figure *);

#endif

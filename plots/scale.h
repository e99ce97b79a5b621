// SPDX-License-Identifier: GPL-3.0-or-later
// Chooses the ranges of axes and their ticks, the same for the canvas and for gnuplot. It accepts any doubles.
#ifndef PLOTS_SCALE_H
#define PLOTS_SCALE_H

#include "plots/plots.h"

struct scale {
	double low, high; // finite, low < high; both positive where logarithmic; of a logit scale both within 0 and `whole`
	bool logarithmic;
	double whole; // of a logit scale; else 0
};

enum figure_axis { AXIS_X, AXIS_Y, AXIS_RIGHT };
// Returns the range of one of the figure's axes: the one that the axis fixes, else that of the data, rounded outwards a little so
// that it seldom moves while data come in. `ticks`: about how many ticks there is room for.
struct scale scale_of(const struct figure *, enum figure_axis, int ticks);
// Returns the largest of 1, 2, 5 times a power of ten that is not above v (for v > 0).
double scale_round(double v);
// Maps low to 0 and high to 1; values outside the range fall below 0 or above 1. NaN for values without a place (NaN, infinity,
// not positive on a logarithmic axis, not within 0 and the whole on a logit one).
double scale_map(const struct scale *, double value);
// Returns the value at such a fraction.
double scale_at(const struct scale *, double part);

enum { TICKS = 24 };
struct ticks {
	int count;
	double at[TICKS];
	char text[TICKS][ENGINE_NAME];
};
// Chooses at most `most` ticks (and at most TICKS), ascending, each with a different text: steps of 1, 2 or 5 times a power of
// ten; on a logarithmic axis 1-2-5 or powers of ten, on a logit one these from both ends. Large and small numbers have SI letters, the same one along a linear axis.
void ticks_choose(const struct scale *, int most, struct ticks *);
// The ticks of a figure's x axis: the same, or the names of a heat map's parts.
void ticks_of_x(const struct figure *, const struct scale *, int most, struct ticks *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Ranges of axes and their ticks: the same for the canvas and for gnuplot. Safe for any doubles.
#ifndef PLOTS_SCALE_H
#define PLOTS_SCALE_H

#include "plots/plots.h"

struct scale {
	double low, high; // finite, low < high; both positive where logarithmic
	bool logarithmic;
};

enum figure_axis { AXIS_X, AXIS_Y, AXIS_RIGHT };
// The range of one of the figure's axes: what the axis fixes, else what the data take, rounded outwards a little so
// that it seldom moves while data come in. `ticks`: about how many ticks there is room for.
struct scale scale_of(const struct figure *, enum figure_axis, int ticks);
// The largest of 1, 2, 5 times a power of ten that is not above v (for v > 0).
double scale_round(double v);
// 0 at low, 1 at high, beyond outside; NaN for what has no place (NaN, infinity, not positive on a logarithmic axis).
double scale_map(const struct scale *, double value);

enum { TICKS = 24 };
struct ticks {
	int count;
	double at[TICKS];
	char text[TICKS][16];
};
// At most `most` ticks (and TICKS), ascending, with texts that differ: steps of 1, 2 or 5 times a power of ten, on a
// logarithmic axis 1-2-5 or powers of ten; large and small numbers with SI letters, one letter for the whole linear axis.
void ticks_choose(const struct scale *, int most, struct ticks *);

#endif

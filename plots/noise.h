// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef PLOTS_NOISE_H
#define PLOTS_NOISE_H

#include "plots/build.h"

// Add what noise leaves open to a figure of the front, whose costs are divided by `divisor`: 95 % intervals of all points, and the band under
// the front. Nothing where accuracies are not measured on images. False: out of memory.
bool noise_intervals(struct figure *, const struct figure_source *, double divisor);
bool noise_band(struct figure *, const struct figure_source *, double divisor);

#endif

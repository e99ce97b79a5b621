// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests need of the plotter beyond plots.h.
#ifndef PLOTS_GNUPLOT_H
#define PLOTS_GNUPLOT_H

#include "plots/plots.h"

// Sets how long a picture may take before the child counts as hung (5 s unless set).
void plotter_patience(struct plotter *, double seconds);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The tests want this of the plotter beyond plots.h.
#ifndef PLOTS_GNUPLOT_H
#define PLOTS_GNUPLOT_H

#include "plots/plots.h"

// How long a picture may take before the child is taken for hung (5 s unless set).
void plotter_patience(struct plotter *, double seconds);

#endif

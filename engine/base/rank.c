// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/rank.h"

#include <math.h>

// The place of x[i] among all; of equal ones the middle of their places.
static double rank_of(const double *x, int count, int i)
{
	int below = 0, equal = 0;
	for (int k = 0; k < count; k++) {
		below += x[k] < x[i];
		equal += x[k] == x[i];
	}
	return below + (equal - 1) / 2.0;
}

double rank_correlation(const double *x, const double *y, int count)
{
	double xy = 0, xx = 0, yy = 0;
	for (int i = 0; i < count; i++) {
		double u = rank_of(x, count, i) - (count - 1) / 2.0, v = rank_of(y, count, i) - (count - 1) / 2.0;
		xy += u * v;
		xx += u * u;
		yy += v * v;
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

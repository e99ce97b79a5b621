// SPDX-License-Identifier: GPL-3.0-or-later
// Spearman's rank correlation: whether two lists order the same things alike. Any thread.
#ifndef ENGINE_BASE_RANK_H
#define ENGINE_BASE_RANK_H

// Equal numbers share the middle of their places. 0 if one of the lists is all equal, or is empty.
double rank_correlation(const double *x, const double *y, int count);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/quant/range.h"

#include "engine/quant/format.h"

float range_percentile(const uint32_t *counts, float peak, double percentile)
{
	double total = 0, seen = 0;
	for (int i = 0; i < RANGE_BINS; i++)
		total += counts[i];
	for (int i = 0; i < RANGE_BINS; i++) {
		seen += counts[i];
		if (seen >= total * percentile / 100)
			return peak * (float)(i + 1) / RANGE_BINS;
	}
	return peak;
}

float range_mse(const struct kernels *k, const uint32_t *counts, float peak, int format, bool positive)
{
	enum { CANDIDATES = 40 }; // from peak/10 to peak, evenly
	struct grid grid = format_grid(format, positive);
	if (grid.kind == GRID_NONE || !(peak > 0))
		return peak;
	float centre[RANGE_BINS], rounded[RANGE_BINS], best = peak;
	for (int i = 0; i < RANGE_BINS; i++)
		centre[i] = peak * ((float)i + 0.5f) / RANGE_BINS;
	double least = -1;
	for (int c = CANDIDATES; c >= CANDIDATES / 10; c--) {
		float range = peak * (float)c / CANDIDATES;
		k->quantize(&grid, format_scale(format, &grid, range), centre, rounded, RANGE_BINS);
		double error = 0;
		for (int i = 0; i < RANGE_BINS; i++) {
			double d = (double)(centre[i] - rounded[i]);
			error += counts[i] * d * d;
		}
		if (least < 0 || error < least) {
			least = error;
			best = range;
		}
	}
	return best;
}

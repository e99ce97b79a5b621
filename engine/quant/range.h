// SPDX-License-Identifier: GPL-3.0-or-later
// Range estimators choose the magnitude of a tensor that meets the format's largest value. Larger magnitudes are clipped.
#ifndef ENGINE_QUANT_RANGE_H
#define ENGINE_QUANT_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/tensor/kernels.h"

enum range_kind {
	RANGE_MAX,        // the largest magnitude of the current tensor: nothing is clipped (as FLIQS publishes)
	RANGE_EMA,        // a moving average of the largest magnitudes of past tensors
	RANGE_PERCENTILE, // the magnitude that a given share of the tensor stays within
	RANGE_MSE,        // the magnitude that minimises the squared quantization error
};
enum { RANGE_BINS = 2048 };

// How much of the old value a moving average keeps.
#define RANGE_EMA_KEEP 0.95f

// Return the range for RANGE_PERCENTILE and RANGE_MSE from a histogram of magnitudes over [0, peak] in RANGE_BINS bins.
// `percentile` is in 0..100.
float range_percentile(const uint32_t *counts, float peak, double percentile);
float range_mse(const struct kernels *, const uint32_t *counts, float peak, int format, bool positive);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the cost folder: what one kernel takes on a device.
#ifndef ENGINE_COST_PRODUCT_H
#define ENGINE_COST_PRODUCT_H

#include "engine/hardware/device.h"

// A multiplication of matrices: `products` of rows x inner by inner x outer.
struct product {
	double products, rows, inner, outer;
	double channels; // of the inner size; the rest of it is the kernel's area
};
double product_macs(struct product);
// MACs that the matrix unit spends on it: inner and outer size rounded up to the tile; where it takes rows and outer size the other
// way round too, the less of the two.
double product_padded(struct product, const struct device *, enum native);
// Products of a single row or column run on the vector unit, where its share in them is known.
bool product_on_vector(struct product, const struct device *);
// Seconds on the unit that it runs on, at this share of the matrix unit's rate; INFINITY: at an unknown rate.
double product_time(struct product, const struct device *, enum native, double efficiency);

// A kernel's compute and memory time overlap but for its first and last part, `ramp` of the shorter at most, which the longer cannot
// hide. All in one unit.
static inline double kernel_overlap(double compute, double memory, double ramp)
{
	double longer = compute > memory ? compute : memory, shorter = compute > memory ? memory : compute;
	return longer + (shorter < ramp ? shorter : ramp);
}

#endif

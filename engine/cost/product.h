// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the cost folder: how long one kernel takes on a device.
#ifndef ENGINE_COST_PRODUCT_H
#define ENGINE_COST_PRODUCT_H

#include "engine/hardware/device.h"

// A multiplication of matrices: `products` times rows x inner by inner x outer.
struct product {
	double products, rows, inner, outer;
	double channels; // the inner size is this times the kernel's area
};
double product_macs(struct product);
// Returns the MACs that the matrix unit spends on it: inner and outer size are rounded up to the tile. If rows and outer size may
// change places, the less of the two counts.
double product_padded(struct product, const struct device *, enum native);
// Returns whether it runs on the vector unit: products of a single row or column do, if the unit's share in them is known.
bool product_on_vector(struct product, const struct device *);
// Returns the seconds on the unit it runs on, at this share of the matrix unit's rate; INFINITY if the rate is unknown.
double product_time(struct product, const struct device *, enum native, double efficiency);

// A kernel's compute and memory time overlap, except that the longer cannot hide the kernel's first and last part: at most `ramp`
// of the shorter. All in the same unit.
static inline double kernel_overlap(double compute, double memory, double ramp)
{
	double longer = compute > memory ? compute : memory, shorter = compute > memory ? memory : compute;
	return longer + (shorter < ramp ? shorter : ramp);
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// One product of two matrices on a device.
#include "engine/cost/product.h"

#include <math.h>

#include "engine/cost/cost.h"
#include "engine/quant/format.h"

static double up(double size, double tile)
{
	return ceil(size / tile) * tile;
}

double product_macs(struct product p)
{
	return p.products * p.rows * p.inner * p.outer;
}

double product_padded(struct product p, const struct device *d, enum native n)
{
	double inner = up(p.inner, d->inner[n]), plain = p.products * p.rows * inner * up(p.outer, d->outer[n]);
	if (!(d->rows[n] > 0))
		return plain;
	return p.products * inner *
		fmin(up(p.rows, d->rows[n]) * up(p.outer, d->outer[n]), up(p.rows, d->outer[n]) * up(p.outer, d->rows[n]));
}

bool product_on_vector(struct product p, const struct device *d)
{
	return d->row_efficiency > 0 && (p.rows == 1 || p.outer == 1);
}

double product_time(struct product p, const struct device *d, enum native n, double efficiency)
{
	if (!(p.products > 0))
		return 0;
	if (product_on_vector(p, d))
		return 2 * product_macs(p) / (d->vector * d->row_efficiency);
	double rate = device_rate(d, n, p.channels);
	return rate > 0 ? 2 * product_padded(p, d, n) / (rate * efficiency) : (double)INFINITY;
}

bool cost_product(const struct device *d, const double size[3], int format, bool cold, struct cost_product *out,
	struct fault *fault)
{
	const struct product p = {1, size[0], size[2], size[1], size[2]};
	double bytes = format_stored_bits(format, p.inner) / 8.0;
	struct cost_product r = {.operations = 2 * product_macs(p),
		.type = device_native(d, format, format),
		.floor = d->floor,
		.vector = product_on_vector(p, d),
		.operands = (p.rows + p.outer) * p.inner * bytes,
		.result = p.rows * p.outer * bytes};
	if (!(d->bandwidth > 0) || !(d->vector > 0))
		return fault_set(fault, d->name, "choose another device, or give the figure in a device file of your own",
			"its %s is unknown", d->bandwidth > 0 ? "vector peak" : "memory bandwidth");
	r.compute = product_time(p, d, r.type, d->efficiency[WORK_LINEAR]);
	if (!isfinite(r.compute))
		return fault_set(fault, d->name, "leave out the format, choose another device, or give the peak in a device file",
			"%s runs as %s, of which its peak is unknown", format_table[format].name, native_table[r.type].name);
	r.peak = r.vector ? d->vector : d->peak[r.type];
	r.padding = r.vector ? 1 : product_padded(p, d, r.type) / product_macs(p);
	r.on_chip = !cold && d->on_chip_bandwidth > 0 && r.operands <= d->on_chip;
	double memory = d->bandwidth * d->memory_efficiency;
	r.memory = r.operands / (r.on_chip ? d->on_chip_bandwidth : memory) + r.result / memory;
	r.exposed = fmin(fmin(r.compute, r.memory), d->ramp);
	r.seconds = r.floor + kernel_overlap(r.compute, r.memory, d->ramp);
	*out = r;
	return true;
}

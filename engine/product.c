// SPDX-License-Identifier: GPL-3.0-or-later
// The part of catalog.h that is about single products and about times measured on silicon.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/catalog.h"
#include "engine/cost/cost.h"
#include "engine/hardware/silicon.h"
#include "engine/hardware/timings.h"
#include "engine/quant/format.h"

static const char measured_device[] = "tpu_v4";

static bool set_passes(struct device *d, int passes, struct fault *fault)
{
	if (!(d->passes > 0))
		return fault_set(fault, d->name, "leave passes= out", "its fp32 is not made of passes of bf16");
	d->passes = passes;
	d->peak[NATIVE_FP32] = d->peak[NATIVE_BF16] / passes;
	return true;
}

bool catalog_product(const struct product_question *q, struct product_time *out, struct fault *fault)
{
	const double size[3] = {q->m, q->n, q->k};
	int format = format_named(q->format);
	struct device d;
	struct cost_product p;
	for (int i = 0; i < 3; i++)
		if (!(size[i] >= 1))
			return fault_set(fault, "product", "sizes are whole numbers from 1", "a size of %g will not do", size[i]);
	if (format < 0)
		return fault_set(fault, q->format, "int8, int4, bf16, e4m3, for some", "there is no such format");
	if (!device_get(q->device, &d, fault) || (q->passes && !set_passes(&d, q->passes, fault)))
		return false;
	if (!cost_product(&d, size, format, q->cold, &p, fault))
		return false;
	*out = (struct product_time){.type = native_table[p.type].name,
		.vector = p.vector,
		.on_chip = p.on_chip,
		.assumed = device_assumes(&d),
		.operations = p.operations,
		.peak = p.peak,
		.padding = p.padding,
		.share = p.operations * p.padding / (p.compute * p.peak),
		.operands = p.operands,
		.result = p.result,
		.passes = p.type == NATIVE_FP32 && !p.vector ? (int)d.passes : 0,
		.seconds = p.seconds,
		.floor = p.floor,
		.compute = p.compute,
		.memory = p.memory,
		.exposed = p.exposed,
		.bound = p.floor > fmax(p.compute, p.memory) ? "floor"
			: p.compute > p.memory               ? "compute"
							     : "memory"};
	snprintf(out->device, sizeof out->device, "%s", d.name);
	return true;
}

static void name_row(const struct silicon_row *r, char *name, size_t size)
{
	static const int sizes[SILICON_KINDS] = {[SILICON_PRODUCT] = 3, [SILICON_ELEMENTWISE] = 1, [SILICON_GPT2] = 2};
	size_t used = 0;
	for (int i = 0; i < sizes[r->kind] && used < size; i++)
		used += (size_t)snprintf(name + used, size - used, "%s%.0f", i ? "x" : "", r->size[i]);
}

int catalog_measured(struct measured_time *time, int most, struct fault *fault)
{
	struct device d;
	if (!device_get(measured_device, &d, fault))
		return 0;
	for (int i = 0; i < silicon_count && i < most; i++) {
		const struct silicon_row *r = &silicon_rows[i];
		time[i] = (struct measured_time){.kind = silicon_kinds[r->kind], .fitted = silicon_fitted(i), .measured = r->us};
		name_row(r, time[i].name, sizeof time[i].name);
		if (!cost_silicon(&d, i, &time[i].modelled, fault))
			return 0;
	}
	return silicon_count;
}

bool catalog_measured_error(int kind, bool fitted, struct measured_error *e, const char **name, struct fault *fault)
{
	struct device d;
	struct silicon_error of;
	if (!device_get(measured_device, &d, fault) || !cost_silicon_error(&d, kind, fitted, &of, fault))
		return false;
	*e = (struct measured_error){of.rows, of.bias, of.error, of.rms, of.worst};
	*name = silicon_kinds[kind];
	return true;
}

double catalog_measured_product(double m, double n, double k)
{
	for (int i = 0; i < silicon_count; i++) {
		const struct silicon_row *r = &silicon_rows[i];
		if (r->kind == SILICON_PRODUCT && r->size[0] == m && r->size[1] == n && r->size[2] == k)
			return r->us;
	}
	return 0;
}

// ---- times from a file ----

static void name_timing(const struct timing *t, char *name, size_t size)
{
	const double *s = t->size;
	switch (t->kind) {
	case TIMING_PRODUCT: snprintf(name, size, "%.0fx%.0fx%.0f", s[0], s[2], s[1]); break;
	case TIMING_CONV:
		snprintf(name, size, "%.0f of %.0fx%.0fx%.0f, %.0fx%.0f/%.0f to %.0f by %.0f", s[0], s[1], s[1], s[2], s[4], s[4],
			s[5], s[3], s[6]);
		break;
	case TIMING_ELEMENTWISE: snprintf(name, size, "%.0f", s[0]); break;
	case TIMING_ATTENTION: snprintf(name, size, "%.0f of %.0f heads, %.0fx%.0f", s[0], s[1], s[2], s[3]); break;
	case TIMING_LAYERNORM: snprintf(name, size, "%.0fx%.0f", s[0], s[1]); break;
	case TIMING_LAYER: snprintf(name, size, "%.0f of %.40s %.40s", s[0], t->net, t->layer); break;
	default: snprintf(name, size, "%.0f of %.60s", s[0], t->net);
	}
}

bool catalog_measured_file(const char *path, const char *device, bool warm, struct measured_file *out, struct fault *fault)
{
	struct timings all;
	struct device d;
	*out = (struct measured_file){0};
	if (!device_get(device, &d, fault) || !timings_read(path, &all, fault))
		return false;
	out->time = calloc((size_t)all.count, sizeof *out->time);
	bool ok = out->time || fault_memory(fault, path);
	for (int i = 0; ok && i < all.count; i++) {
		const struct timing *t = &all.row[i];
		struct measured_time *to = &out->time[i];
		*to = (struct measured_time){.kind = timing_kinds[t->kind],
			.measured = t->us,
			.low = t->low,
			.high = t->high,
			.type = native_table[t->type].name};
		name_timing(t, to->name, sizeof to->name);
		ok = cost_timing(&d, t, warm, &to->modelled, &to->bound, fault);
	}
	out->count = all.count;
	out->left_out = all.left_out;
	snprintf(out->other, sizeof out->other, "%s", all.other);
	snprintf(out->device, sizeof out->device, "%s", d.name);
	timings_free(&all);
	if (ok)
		return true;
	free(out->time);
	out->time = NULL;
	return false;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Prices single kernels as the roofline of a device has them, to be held against times that were measured.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"
#include "engine/hardware/timings.h"

enum { BUT_FIRST = -1, WHOLE = -2 };
// A kernel in a network of its own: the network, and which of its parts it is.
struct bench {
	struct model *model;
	int layer;    // BUT_FIRST: all but layer 0, which is behind it; WHOLE: all of it
	double floor; // seconds that its kernels take at least
};

// A layer behind the kernel reads its output in the same format.
static struct bench bench_of(const struct device *d, const struct timing *t, struct fault *fault)
{
	const double *s = t->size;
	struct bench b = {.layer = 0, .floor = d->floor};
	struct model *m = NULL;
	switch (t->kind) {
	case TIMING_CONV:
		if (!(m = model_new("conv", (struct shape){(int)s[1], (int)s[1], (int)s[2]}, 1)))
			break;
		model_linear(m, "behind",
			model_conv(m, "kernel", 0, (int)s[3], window_of((int)s[4], (int)s[5]), (int)s[6], false), 1);
		break;
	case TIMING_ATTENTION:
		if (!(m = model_new("attention", (struct shape){(int)s[2], 1, 3 * (int)s[1] * (int)s[3]}, 1)))
			break;
		b.layer = BUT_FIRST;
		b.floor = d->floor * d->attention_kernels;
		model_linear(m, "behind", model_attention(m, 0, (int)s[1]), 1);
		break;
	case TIMING_LAYERNORM:
		if (!(m = model_new("layernorm", (struct shape){(int)s[0], 1, (int)s[1]}, 1)))
			break;
		b.layer = BUT_FIRST;
		b.floor = d->floor * d->layernorm_kernels;
		model_linear(m, "behind", model_layernorm(m, 0), 1);
		break;
	case TIMING_ELEMENTWISE:
		if (!(m = model_new("element-wise", (struct shape){1, 1, (int)s[0]}, 1)))
			break;
		b.layer = BUT_FIRST;
		model_linear(m, "behind", model_act(m, 0, ACT_SIGMOID), 1);
		break;
	default: break;
	}
	if (m)
		b.model = model_finish(m, fault);
	else
		fault_memory(fault, d->name);
	return b;
}

// A layer of a network of the catalog, or all of it.
static struct bench bench_in(const struct device *d, const struct timing *t, struct fault *fault)
{
	struct bench b = {.model = model_named(t->net, (struct shape){0}, 0, fault), .layer = WHOLE, .floor = d->floor};
	for (int l = 0; b.model && t->kind == TIMING_LAYER && l < b.model->layers; l++)
		if (strcmp(b.model->layer[l].name, t->layer) == 0)
			b.layer = l;
	if (b.model && t->kind == TIMING_LAYER && b.layer == WHOLE) {
		fault_set(fault, t->layer, "`describe` lists its layers", "%s has no such layer", t->net);
		model_free(b.model);
		b.model = NULL;
	}
	return b;
}

static double batch_of(const struct timing *t)
{
	return t->kind == TIMING_LAYERNORM || t->kind == TIMING_ELEMENTWISE ? 1 : fmin(t->size[0], 65536);
}

// Its milliseconds, and by the roofline what bounds it, where a layer is meant; NAN: the device lacks a figure.
static bool price_bench(const struct device *d, const struct bench *b, int batch, int format, double *ms, const char **bound,
	struct fault *fault)
{
	struct cost_point *point = calloc((size_t)b->model->layers + 1, sizeof *point);
	struct layer_plan *layer = calloc((size_t)b->model->layers + 1, sizeof *layer);
	struct tariff *t = calloc(1, sizeof *t);
	struct cost *c = NULL;
	bool ok = (point && layer && t) || fault_memory(fault, d->name);
	if (ok) {
		*t = (struct tariff){.kind = &term_kinds[TERM_LATENCY], .on_device = true, .device = *d, .batch = batch};
		snprintf(t->name, sizeof t->name, "%s", d->name);
		ok = cost_can_price(b->model, fault) && machine_new(t, fault) &&
			(c = cost_of(t, &(struct plan){.model = b->model}, fault));
	}
	if (ok) {
		for (int l = 0; l < b->model->layers; l++)
			layer[l] = (struct layer_plan){format, format};
		const struct plan plan = {.model = b->model, .layer = layer};
		double total = cost_total(c, &plan, NULL);
		cost_roofline(c, &plan, point);
		*ms = b->layer >= 0 ? point[b->layer].ms : b->layer == BUT_FIRST ? total - point[0].ms : total;
		*bound = b->layer >= 0 ? point[b->layer].bound : NULL;
		*ms = isfinite(*ms) ? *ms : (double)NAN;
	}
	cost_free(c);
	tariff_free(t);
	free(layer);
	free(point);
	return ok;
}

// What bounds a kernel that is not a layer: what it gains the more by.
static bool find_bound(const struct device *d, const struct bench *b, int batch, int format, double ms, const char **bound,
	struct fault *fault)
{
	enum { MUCH = 1000 };
	const char *of;
	struct device wide = *d, quick = *d;
	double memory, compute;
	wide.bandwidth *= MUCH;
	wide.on_chip_bandwidth *= MUCH;
	quick.vector *= MUCH;
	for (int n = 0; n < NATIVES; n++)
		quick.peak[n] *= MUCH;
	if (!price_bench(&wide, b, batch, format, &compute, &of, fault) ||
		!price_bench(&quick, b, batch, format, &memory, &of, fault))
		return false;
	*bound = 1e3 * b->floor > fmax(compute, memory) - 1e3 * b->floor && 2e3 * b->floor > ms ? "floor"
		: compute > memory                                                              ? "compute"
												: "memory";
	return true;
}

bool cost_timing(const struct device *device, const struct timing *t, bool warm, double *us, const char **bound,
	struct fault *fault)
{
	struct device d = *device;
	const char *name = t->type == NATIVE_TF32 ? "fp32" : native_table[t->type].name;
	int format = format_named(name), batch = (int)batch_of(t);
	if (t->type == NATIVE_TF32) { // four bytes a number, multiplied as tf32
		double *of_type[] = {d.peak, d.reach, d.whole, d.inner, d.outer, d.rows};
		for (size_t i = 0; i < sizeof of_type / sizeof *of_type; i++)
			of_type[i][NATIVE_FP32] = of_type[i][NATIVE_TF32];
	}
	*us = (double)NAN;
	*bound = NULL;
	if (d.peak[t->type] == 0) // it would run as another type, and be another kernel
		return true;
	if (t->kind == TIMING_PRODUCT) {
		struct cost_product p;
		if (!cost_product(&d, (const double[]){t->size[0], t->size[2], t->size[1]}, format, !warm, &p, fault))
			return false;
		*us = 1e6 * p.seconds;
		*bound = p.floor > fmax(p.compute, p.memory) ? "floor" : p.compute > p.memory ? "compute" : "memory";
		return true;
	}
	bool inside = t->kind == TIMING_NET || t->kind == TIMING_LAYER;
	if (!warm && !inside)
		d.on_chip = d.on_chip_bandwidth = 0;
	struct bench b = inside ? bench_in(&d, t, fault) : bench_of(&d, t, fault);
	if (!b.model)
		return false;
	double ms;
	bool ok = price_bench(&d, &b, batch, format, &ms, bound, fault);
	if (ok && !*bound && !isnan(ms))
		ok = find_bound(&d, &b, batch, format, ms, bound, fault);
	*us = 1e3 * ms;
	model_free(b.model);
	return ok;
}

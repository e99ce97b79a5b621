// SPDX-License-Identifier: GPL-3.0-or-later
// Prices latency by measured times, layer by layer, and compares the roofline with them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"

// The format that a layer was measured in and that holds both of its own, the narrowest; -1: none.
static int measured_as(const struct cost *c, int layer, struct layer_plan p)
{
	uint32_t can = c->table.has[layer] & c->holders[p.weight] & c->holders[p.activation];
	return can ? __builtin_ctz(can) : -1;
}

static double measured_layer(const struct cost *c, int layer, struct layer_plan p)
{
	int format = measured_as(c, layer, p);
	return format < 0 ? (double)INFINITY : c->table.value[layer][format];
}

const struct pricing measured_pricing = {.layer = measured_layer};

bool measured_cost(struct cost *c, const char *name, struct fault *fault)
{
	c->pricing = &measured_pricing;
	for (int f = 0; f < FORMATS; f++)
		for (int by = 0; by < FORMATS; by++)
			c->holders[f] |= (uint32_t)format_holds(by, f) << by;
	if (!measured_latency(name, c->model, &c->table, fault))
		return false;
	int absent = 0;
	for (int l = 0; l < c->model->layers; l++)
		absent += c->table.source[l][0] == FIGURE_ABSENT;
	cost_per(c, c->table.batch);
	snprintf(c->help, sizeof c->help,
		absent ? "time of a batch, measured layer by layer; %d layers without a figure count 0"
		       : "time of a batch, measured layer by layer",
		absent);
	return true;
}

// ---- the roofline held against it ----

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// Its place among `count` sorted values; of equal ones the middle of their places.
static double rank_of(double value, const double *sorted, int count)
{
	int below = 0, equal = 0;
	for (int i = 0; i < count; i++) {
		below += sorted[i] < value;
		equal += sorted[i] == value;
	}
	return below + (equal - 1) / 2.0;
}

// Spearman's: the correlation of ranks; 0 where one side is all equal.
static double rank_correlation(const double *x, const double *y, int count)
{
	double a[GRAPH_OPS], b[GRAPH_OPS], xy = 0, xx = 0, yy = 0;
	memcpy(a, x, (size_t)count * sizeof *a);
	memcpy(b, y, (size_t)count * sizeof *b);
	qsort(a, (size_t)count, sizeof *a, by_value);
	qsort(b, (size_t)count, sizeof *b, by_value);
	for (int i = 0; i < count; i++) {
		double u = rank_of(x[i], a, count) - (count - 1) / 2.0, v = rank_of(y[i], b, count) - (count - 1) / 2.0;
		xy += u * v;
		xx += u * u;
		yy += v * v;
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

bool cost_compare(const struct cost *roofline, const struct cost *measured, const struct plan *plan, double *predicted,
	double *ms, struct cost_comparison *sum, struct fault *fault)
{
	struct cost_point point[GRAPH_OPS];
	double x[GRAPH_OPS], y[GRAPH_OPS];
	if (measured->pricing != &measured_pricing || !cost_roofline(roofline, plan, point))
		return fault_set(fault, "comparison", "hold latency@DEVICE against latency@table:NAME",
			"not a roofline and a table");
	if (measured->table.batch && measured->table.batch != roofline->batch)
		return fault_set(fault, roofline->name, "price the same batch", "a batch of %d, but %d were measured",
			roofline->batch, measured->table.batch);
	*sum = (struct cost_comparison){0};
	for (int l = 0; l < plan->model->layers; l++) {
		int format = measured_as(measured, l, plan->layer[l]);
		bool given = format >= 0 && measured->table.source[l][format] == FIGURE_MEASURED && isfinite(point[l].ms);
		predicted[l] = point[l].ms;
		ms[l] = given ? measured->table.value[l][format] : (double)NAN;
		if (!given)
			continue;
		x[sum->layers] = predicted[l];
		y[sum->layers++] = ms[l];
		double ratio = log(predicted[l] / ms[l]);
		sum->bias += ratio;
		sum->error += fabs(ratio);
		sum->spread += ratio * ratio;
		sum->predicted += predicted[l];
		sum->measured += ms[l];
	}
	if (!sum->layers)
		return fault_set(fault, measured->name, "choose formats that were measured",
			"nothing was measured in these formats");
	sum->bias /= sum->layers;
	sum->error /= sum->layers;
	sum->spread = sqrt(fmax(0, sum->spread / sum->layers - sum->bias * sum->bias));
	sum->rank = rank_correlation(x, y, sum->layers);
	return true;
}

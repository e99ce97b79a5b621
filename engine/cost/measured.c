// SPDX-License-Identifier: GPL-3.0-or-later
// Prices latency by measured times, layer by layer, and compares the roofline with them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/rank.h"
#include "engine/cost/inside.h"

// The format that a layer of the whole was measured in and that holds both of its own, the narrowest; -1: none.
static int measured_as(const struct tariff *t, int layer, struct layer_plan p)
{
	uint32_t can = t->table.has[layer] & t->holders[p.weight] & t->holders[p.activation];
	return can ? __builtin_ctz(can) : -1;
}

static double measured_layer(const struct cost *c, int layer, struct layer_plan p)
{
	int row = c->row[layer], format = row < 0 ? -1 : measured_as(c->tariff, row, p);
	return format < 0 ? (double)INFINITY : c->tariff->table.value[row][format];
}

static bool same_shape(struct shape a, struct shape b)
{
	return a.h == b.h && a.w == b.w && a.c == b.c;
}

// Whether the times that were measured of one layer are the other's too.
static bool same_work(const struct layer *a, const struct layer *b)
{
	return same_shape(a->in, b->in) && same_shape(a->out, b->out) && a->weights == b->weights;
}

static bool measured_settle(struct cost *c, const struct plan *plan, struct fault *fault)
{
	const struct model *m = plan->model, *whole = c->tariff->whole;
	if (!(c->row = cost_room(c->row, &c->rows, (size_t)m->layers, sizeof *c->row, c, fault)))
		return false;
	for (int l = 0; l < m->layers; l++) {
		int row = plan->path ? plan->path->layer[l] : l;
		bool its = c->tariff->table.has[row] && same_work(&m->layer[l], &whole->layer[row]);
		c->row[l] = its ? row : timed_row(c->tariff, m, l);
	}
	return true;
}

const struct pricing measured_pricing = {.layer = measured_layer, .settle = measured_settle};

void measured_begin(struct tariff *t, const struct model *whole)
{
	t->pricing = &measured_pricing;
	t->whole = whole;
	for (int f = 0; f < FORMATS; f++)
		for (int by = 0; by < FORMATS; by++)
			t->holders[f] |= (uint32_t)format_holds(by, f) << by;
}

bool measured_of(struct tariff *t, const struct model *whole, const char *table, struct fault *fault)
{
	measured_begin(t, whole);
	if (!measured_latency(table, whole, &t->table, fault))
		return false;
	int absent = 0;
	for (int l = 0; l < whole->layers; l++)
		absent += t->table.source[l][0] == FIGURE_ABSENT;
	tariff_per(t, t->table.batch);
	snprintf(t->help, sizeof t->help,
		absent ? "time of a batch, measured layer by layer; %d layers without a figure count 0"
		       : "time of a batch, measured layer by layer",
		absent);
	return true;
}

// ---- the roofline held against it ----

// The time of a layer's own operator.
static double own_time(const struct measured *table, int row, int format)
{
	return table->value[row][format] - (table->spread ? table->spread[row][format].behind : 0);
}

bool cost_timed(const struct cost *c, const struct plan *plan, struct cost_time *time)
{
	if (c->pricing != &measured_pricing)
		return false;
	const struct measured *table = &c->tariff->table;
	for (int l = 0; l < plan->model->layers; l++) {
		int row = c->row[l], format = row < 0 ? -1 : measured_as(c->tariff, row, plan->layer[l]);
		time[l] = (struct cost_time){.format = format, .ms = (double)NAN};
		if (format < 0 || table->source[row][format] == FIGURE_ABSENT)
			continue;
		time[l].ms = own_time(table, row, format);
		time[l].source = table->source[row][format];
		if (table->spread) {
			time[l].low = table->spread[row][format].low;
			time[l].high = table->spread[row][format].high;
			time[l].behind = table->spread[row][format].behind;
		}
	}
	return true;
}

bool cost_compare(const struct cost *roofline, const struct cost *measured, const struct plan *plan, double *predicted,
	double *ms, struct cost_comparison *sum, struct fault *fault)
{
	struct cost_point point[GRAPH_OPS];
	double x[GRAPH_OPS], y[GRAPH_OPS];
	if (measured->pricing != &measured_pricing || !cost_roofline(roofline, plan, point))
		return fault_set(fault, "comparison", "hold latency@DEVICE against latency@table:NAME",
			"not a roofline and a table");
	const struct measured *table = &measured->tariff->table;
	if (table->batch && table->batch != roofline->tariff->batch)
		return fault_set(fault, roofline->tariff->name, "price the same batch", "a batch of %d, but %d were measured",
			roofline->tariff->batch, table->batch);
	*sum = (struct cost_comparison){0};
	for (int l = 0; l < plan->model->layers; l++) {
		int row = measured->row[l], format = row < 0 ? -1 : measured_as(measured->tariff, row, plan->layer[l]);
		bool given = format >= 0 && table->source[row][format] == FIGURE_MEASURED && isfinite(point[l].ms);
		predicted[l] = point[l].ms;
		ms[l] = given ? own_time(table, row, format) : (double)NAN;
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
		return fault_set(fault, measured->tariff->name, "choose formats that were measured",
			"nothing was measured in these formats");
	sum->bias /= sum->layers;
	sum->error /= sum->layers;
	sum->spread = sqrt(fmax(0, sum->spread / sum->layers - sum->bias * sum->bias));
	sum->rank = rank_correlation(x, y, sum->layers);
	return true;
}

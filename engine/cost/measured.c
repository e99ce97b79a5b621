// SPDX-License-Identifier: GPL-3.0-or-later
// Latency as it was measured, layer by layer.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"
#include "engine/hardware/measured.h"

static double measured_layer(const struct cost *c, int layer, struct layer_plan p)
{
	uint32_t can = c->measured[layer] & c->holders[p.weight] & c->holders[p.activation];
	return can ? c->ms[layer][__builtin_ctz(can)] : (double)INFINITY;
}

const struct pricing measured_pricing = {.layer = measured_layer};

static bool take_rows(struct cost *c, const struct measured *m, const char *path, struct fault *fault)
{
	for (int i = 0; i < m->rows; i++) {
		const struct measured_row *row = &m->row[i];
		int l = 0;
		while (l < c->model->layers && strcmp(c->model->layer[l].name, row->layer) != 0)
			l++;
		char where[512];
		snprintf(where, sizeof where, "%s, line %d", path, row->line);
		if (l == c->model->layers)
			return fault_set(fault, where, "name a layer of the network", "%s has no layer %s", c->model->name, row->layer);
		uint32_t formats = row->format == MEASURED_ANY ? (1u << FORMATS) - 1 : 1u << row->format;
		if (row->format == MEASURED_ANY ? c->measured[l] != 0 : c->measured[l] == (1u << FORMATS) - 1)
			return fault_set(fault, where, "give it * alone, or formats", "%s has both * and formats", row->layer);
		c->measured[l] |= formats;
		for (int f = 0; f < FORMATS; f++)
			if (formats >> f & 1)
				c->ms[l][f] = row->ms;
	}
	int missing = 0, first = 0;
	for (int l = c->model->layers - 1; l >= 0; l--)
		if (!c->measured[l]) {
			missing++;
			first = l;
		}
	if (missing)
		return fault_set(fault, path, "add a row for every layer; the format * is whatever the format",
			"no row for %s, %d of %d layers have none", c->model->layer[first].name, missing, c->model->layers);
	return true;
}

bool measured_new(struct cost *c, const char *path, struct fault *fault)
{
	struct measured m;
	c->pricing = &measured_pricing;
	c->quantity = QUANTITY_TIME;
	snprintf(c->unit, sizeof c->unit, "ms");
	snprintf(c->help, sizeof c->help, "time of a batch, measured layer by layer");
	for (int f = 0; f < FORMATS; f++)
		for (int by = 0; by < FORMATS; by++)
			c->holders[f] |= (uint32_t)format_holds(by, f) << by;
	c->measured = calloc((size_t)c->model->layers + 1, sizeof *c->measured);
	c->ms = calloc((size_t)c->model->layers + 1, sizeof *c->ms);
	if (!c->measured || !c->ms)
		return fault_set(fault, c->name, "choose a smaller network", "out of memory");
	if (!measured_read(path, &m, fault))
		return false;
	bool ok = take_rows(c, &m, path, fault);
	measured_free(&m);
	return ok;
}

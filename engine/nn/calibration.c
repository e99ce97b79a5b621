// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"

struct calibration *calibration_new(const struct network *net, struct fault *fault)
{
	struct calibration *c = calloc(1, sizeof *c);
	if (!c)
		goto out_of_memory;
	c->layers = net->whole->layers;
	c->ops = net->whole->ops;
	c->range = calloc((size_t)c->layers, sizeof *c->range);
	c->offset = calloc((size_t)c->ops, sizeof *c->offset);
	if (!c->range || !c->offset)
		goto out_of_memory;
	for (int i = 0; i < c->ops; i++)
		if (net->whole->op[i].kind == OP_NORM) {
			c->offset[i] = c->moment_count;
			c->moment_count += 2 * net->whole->op[i].out.c;
		}
	if ((c->moments = calloc((size_t)c->moment_count + 1, sizeof *c->moments)))
		return c;
out_of_memory:
	calibration_free(c);
	fault_memory(fault, net->whole->name);
	return NULL;
}

void calibration_free(struct calibration *c)
{
	if (!c)
		return;
	free(c->range);
	free(c->offset);
	free(c->moments);
	free(c);
}

void calibration_clear(struct calibration *c)
{
	c->batches = 0;
	memset(c->range, 0, (size_t)c->layers * sizeof *c->range);
	memset(c->moments, 0, (size_t)c->moment_count * sizeof *c->moments);
}

void calibration_set_range(struct calibration *c, int layer, float range)
{
	c->range[layer] = range;
}

float calibration_range(const struct calibration *c, int layer)
{
	return c->range[layer];
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Availability and goodput in closed form.
#include <math.h>

#include "engine/pods/goodput.h"

bool block_grid_of(const struct pod *p, struct block_grid *g, struct fault *fault)
{
	int chips = (int)pod_value(p, POD_CHIPS), block = (int)pod_value(p, POD_BLOCK), host = (int)pod_value(p, POD_HOST);
	*g = (struct block_grid){.side = {1, 1, 1}};
	if (block != 64 || host < 1 || block % host || chips % block)
		return fault_set(fault, p->name, "choose tpu_v4, tpu_v4_fixed or tpu_v5p",
			"its slices are not made of blocks of 64 chips");
	g->blocks = chips / block;
	g->hosts = block / host;
	for (int a = 1; a * a * a <= g->blocks; a++) // the most cube-like
		for (int b = a; g->blocks % a == 0 && b * b <= g->blocks / a; b++)
			if (g->blocks / a % b == 0) {
				g->side[0] = a;
				g->side[1] = b;
				g->side[2] = g->blocks / a / b;
			}
	return g->blocks <= GOODPUT_BLOCKS || fault_set(fault, p->name, "choose a smaller one", "it has too many blocks");
}

int box_of(const int axis[3], int box[3])
{
	int blocks = 1;
	for (int i = 0; i < 3; i++)
		blocks *= box[i] = axis[i] > 4 ? axis[i] / 4 : 1;
	return blocks;
}

double goodput_busy(const struct block_grid *g, const struct goodput_case *c)
{
	int box[3], blocks = box_of(c->axis, box);
	double up = pow(c->availability, g->hosts), busy = 0, boxes = 1;
	for (int i = 0; i < 3; i++)
		boxes *= g->side[i] / box[i];
	if (c->fixed)
		return fmin(boxes, (double)((g->blocks - c->spares) / blocks)) * blocks / g->blocks * pow(up, blocks);
	for (int k = 0; k <= g->blocks; k++) {
		double ways = lgamma(g->blocks + 1.) - lgamma(k + 1.) - lgamma(g->blocks - k + 1.);
		double chance = up >= 1 ? k == g->blocks : exp(ways + k * log(up) + (g->blocks - k) * log1p(-up));
		int most = (g->blocks - c->spares) / blocks, slices = k / blocks < most ? k / blocks : most;
		busy += chance * slices * blocks / g->blocks;
	}
	return busy;
}

double host_failures(const struct world *w, double availability) // an hour
{
	return (1 - availability) / availability / w->input[IN_REPAIR];
}

double goodput_kept(const struct world *w, const struct block_grid *g, const struct goodput_case *c)
{
	int box[3];
	double rate = box_of(c->axis, box) * g->hosts * host_failures(w, c->availability), each = w->input[IN_CHECKPOINT];
	return rate * each > 0 ? rate * each * exp(-rate * w->input[IN_RESTART]) / expm1(rate * each)
			       : exp(-rate * w->input[IN_RESTART]);
}

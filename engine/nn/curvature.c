// SPDX-License-Identifier: GPL-3.0-or-later
// What is needed to tell how the loss curves in a layer's weights: see nn.h.
#include <math.h>

#include "engine/nn/node.h"
#include "engine/tensor/rng.h"

enum { WORD = 64 }; // signs in one draw

// The node of a layer of the whole that runs.
static const struct node *node_of(const struct network *net, int layer)
{
	for (int l = 0; l < net->model->layers; l++) {
		const struct node *n = &net->node[net->model->layer[l].op];
		if (n->layer == layer)
			return n;
	}
	return NULL;
}

static uint64_t signs_of(uint64_t key, int layer)
{
	return rng_bits(key, (uint64_t)layer);
}

static bool negative(uint64_t signs, long i, uint64_t *word)
{
	if (i % WORD == 0)
		*word = rng_bits(signs, (uint64_t)(i / WORD));
	return *word >> (i % WORD) & 1;
}

double network_weight_size(const struct network *net, int layer)
{
	const struct node *n = node_of(net, layer);
	if (!n)
		return 0;
	const struct parameter *p = &net->parameter[n->parameter];
	double sum = 0;
	for (long i = 0; i < p->runs; i++)
		sum += net->kernels->squares(net->weights + p->from + portion_run(&p->portion, i), p->run);
	return sqrt(sum / (double)n->weight_count);
}

void network_push(struct network *net, int layer, uint64_t key, double by)
{
	const struct node *n = node_of(net, layer);
	const struct parameter *p = n ? &net->parameter[n->parameter] : NULL;
	uint64_t signs = signs_of(key, layer), word = 0;
	for (long i = 0, at = 0; p && i < p->runs; i++) {
		float *w = net->weights + p->from + portion_run(&p->portion, i);
		for (long j = 0; j < p->run; j++, at++)
			w[j] += (float)(negative(signs, at, &word) ? -by : by);
	}
}

double network_along(const struct network *net, int layer, uint64_t key)
{
	const struct node *n = node_of(net, layer);
	uint64_t signs = signs_of(key, layer), word = 0;
	double sum = 0;
	for (long i = 0; n && i < n->weight_count; i++) {
		float g = net->gradient[n->weights + i];
		sum += (double)(negative(signs, i, &word) ? -g : g);
	}
	return sum;
}

struct rounding {
	struct network *net;
	double *error;
};

static void round_layer(void *context, int layer, int worker)
{
	(void)worker;
	const struct rounding *r = context;
	struct node *n = &r->net->node[r->net->model->layer[layer].op];
	const float *w = n->weights_now;
	double sum = 0;
	layer_quantize_weights(r->net, n);
	for (long i = 0; i < n->weight_count; i++) {
		double d = (double)n->quantized[i] - (double)w[i];
		sum += d * d;
	}
	r->error[n->layer] = sum;
}

void network_rounding(struct network *net, const struct plan *plan, const struct quantization *quantization, double *error)
{
	struct rounding r = {net, error};
	net->plan = plan;
	net->quantization = *quantization;
	for (int l = 0; l < net->whole->layers; l++)
		error[l] = 0;
	nodes_bind(net);
	team_run(net->team, net->model->layers, round_layer, &r);
}

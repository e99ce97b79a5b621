// SPDX-License-Identifier: GPL-3.0-or-later
// What is needed to tell how the loss curves in a layer's weights: see nn.h.
#include <math.h>

#include "engine/nn/node.h"
#include "engine/tensor/rng.h"

enum { WORD = 64 }; // signs in one draw

static const struct node *node_of(const struct network *net, int layer)
{
	return &net->node[net->model->layer[layer].op];
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
	return sqrt(net->kernels->squares(net->weights + n->weights, n->weight_count) / (double)n->weight_count);
}

void network_push(struct network *net, int layer, uint64_t key, double by)
{
	const struct node *n = node_of(net, layer);
	float *w = net->weights + n->weights;
	uint64_t signs = signs_of(key, layer), word = 0;
	for (long i = 0; i < n->weight_count; i++)
		w[i] += (float)(negative(signs, i, &word) ? -by : by);
}

double network_along(const struct network *net, int layer, uint64_t key)
{
	const struct node *n = node_of(net, layer);
	const float *g = net->gradient + n->weights;
	uint64_t signs = signs_of(key, layer), word = 0;
	double sum = 0;
	for (long i = 0; i < n->weight_count; i++)
		sum += (double)(negative(signs, i, &word) ? -g[i] : g[i]);
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
	const float *w = r->net->weights + n->weights;
	double sum = 0;
	layer_quantize_weights(r->net, n);
	for (long i = 0; i < n->weight_count; i++) {
		double d = (double)n->quantized[i] - (double)w[i];
		sum += d * d;
	}
	r->error[layer] = sum;
}

void network_rounding(struct network *net, const struct plan *plan, const struct quantization *quantization, double *error)
{
	struct rounding r = {net, error};
	net->plan = plan;
	net->quantization = *quantization;
	team_run(net->team, net->model->layers, round_layer, &r);
}

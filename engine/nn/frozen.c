// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/nn/frozen.h"

#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"
#include "engine/quant/format.h"

static bool make_layer(const struct frozen *f, int layer, const struct node *n, struct layer_plan format)
{
	struct frozen_layer *l = &f->layer[layer];
	const int block = format_table[format.weight].block;
	l->format = format;
	l->columns = n->out.c;
	l->rows = n->weight_count / n->out.c;
	l->inputs = shape_size(n->in);
	l->block_scale = block ? calloc((size_t)((l->rows + block - 1) / block * l->columns), sizeof *l->block_scale) : NULL;
	l->code = calloc((size_t)n->weight_count, sizeof *l->code);
	l->scale = calloc((size_t)l->columns, sizeof *l->scale);
	l->input = calloc((size_t)(f->images * l->inputs), sizeof *l->input);
	l->bias = n->op->bias ? calloc((size_t)l->columns, sizeof *l->bias) : NULL;
	return l->code && l->scale && l->input && (l->bias || !n->op->bias) && (l->block_scale || !block);
}

static bool make_norm(const struct frozen *f, int op, const struct node *n)
{
	f->norm[op].gain = calloc((size_t)n->out.c, sizeof(float));
	f->norm[op].shift = calloc((size_t)n->out.c, sizeof(float));
	return f->norm[op].gain && f->norm[op].shift;
}

static struct frozen *make(const struct network *net, const struct plan *plan, int images)
{
	const struct model *m = net->model;
	struct frozen *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->images = images;
	f->model = model_copy(m);
	f->layer = calloc((size_t)m->layers, sizeof *f->layer);
	f->norm = calloc((size_t)m->ops, sizeof *f->norm);
	f->image = calloc((size_t)(images * shape_size(m->op[0].out)), sizeof *f->image);
	f->logits = calloc((size_t)images * (size_t)m->classes, sizeof *f->logits);
	bool ok = f->model && f->layer && f->norm && f->image && f->logits;
	for (int i = 0; ok && i < m->ops; i++)
		ok = m->op[i].layer >= 0           ? make_layer(f, m->op[i].layer, &net->node[i], plan->layer[m->op[i].layer])
			: m->op[i].kind == OP_NORM ? make_norm(f, i, &net->node[i])
						   : true;
	if (ok)
		return f;
	frozen_free(f);
	return NULL;
}

void frozen_free(struct frozen *f)
{
	if (!f)
		return;
	for (int l = 0; f->model && f->layer && l < f->model->layers; l++) {
		free(f->layer[l].code);
		free(f->layer[l].scale);
		free(f->layer[l].bias);
		free(f->layer[l].block_scale);
		free(f->layer[l].input);
	}
	for (int i = 0; f->model && f->norm && i < f->model->ops; i++) {
		free(f->norm[i].gain);
		free(f->norm[i].shift);
	}
	free(f->layer);
	free(f->norm);
	free(f->image);
	free(f->logits);
	model_free(f->model);
	free(f);
}

static void take_blocks(const struct network *net, const struct node *n, const struct grid *grid, struct frozen_layer *l)
{
	const long c = l->columns;
	for (long row = 0, b = 0; row < l->rows; row += grid->block, b++) {
		const long count = l->rows - row < grid->block ? l->rows - row : grid->block;
		const float *w = n->weights_now + row * c;
		for (long j = 0; j < c; j++)
			l->block_scale[b * c + j] = format_block_scale(grid, n->weight_scale[j], w + j, count, c);
		net->kernels->quantize_channels(grid, l->block_scale + b * c, w, l->code + row * c, count, c);
	}
}

static void take_layer(struct network *net, struct node *n, struct frozen_layer *l)
{
	const struct job job = job_of(net, n);
	struct grid grid = layer_weight_scales(net, n, l->format.weight);
	grid.bare = true;
	if (l->block_scale)
		take_blocks(net, n, &grid, l);
	else
		net->kernels->quantize_channels(&grid, n->weight_scale, n->weights_now, l->code, l->rows, l->columns);
	memcpy(l->scale, n->weight_scale, (size_t)l->columns * sizeof *l->scale);
	if (l->bias)
		memcpy(l->bias, n->bias_now, (size_t)l->columns * sizeof *l->bias);
	l->grid = n->grid;
	l->input_scale = n->scale;
	l->range = n->range;
	n->grid.bare = true;
	layer_round_alone(&job, 0, net->images * pixels_of(n->in), l->input);
	n->grid.bare = false;
}

void frozen_take(struct network *net, struct node *n)
{
	struct frozen *f = net->frozen;
	size_t channels = (size_t)n->out.c * sizeof(float);
	if (n->op->layer >= 0) {
		take_layer(net, n, &f->layer[n->op->layer]);
	} else if (n->op->kind == OP_NORM) {
		const struct frozen_norm *norm = &f->norm[n - net->node];
		memcpy(norm->gain, n->gain_scale, channels);
		memcpy(norm->shift, n->shift, channels);
	}
}

struct frozen *network_freeze(struct network *net, const struct plan *plan, const struct quantization *quantization,
	struct calibration *calibration, int images, struct fault *fault)
{
	struct frozen *f = make(net, plan, images);
	if (!f) {
		fault_memory(fault, net->model->name);
		return NULL;
	}
	memcpy(f->image, network_input(net), (size_t)(images * shape_size(net->model->op[0].out)) * sizeof *f->image);
	net->frozen = f;
	network_forward(net, plan, quantization, PASS_FIXED, images, calibration);
	net->frozen = NULL;
	memcpy(f->logits, network_logits(net), (size_t)images * (size_t)net->model->classes * sizeof *f->logits);
	return f;
}

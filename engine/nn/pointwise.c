// SPDX-License-Identifier: GPL-3.0-or-later
// Linear layers and 1x1 convolutions of stride 1: a matrix product over pixels, a band of them at a time that stays in cache.
#include <string.h>

#include "engine/nn/node.h"

enum { BAND = 120 }; // pixels

static void pointwise_lay(const struct network *net, struct node *n, struct layout *l)
{
	(void)net;
	int ci = n->in.c, co = n->out.c;
	layer_lay(n, l, ci, n->op->kind == OP_LINEAR ? FILL_EVEN : FILL_HE);
	n->forward = layout_work(l, (long)ci * blocks_of(co) * KERNEL_BLOCK);
	n->backward = layout_work(l, (long)co * blocks_of(ci) * KERNEL_BLOCK);
	layout_scratch(l, (long)BAND * ci, 0, shape_size(n->in) > (long)BAND * ci ? shape_size(n->in) : (long)BAND * ci);
}

static void pointwise_prepare(struct network *net, struct node *n)
{
	layer_quantize_weights(net, n);
	layer_pack(n, 0, n->out.c, n->forward);
	if (net->pass != PASS_TRAIN || n->op->in[0] == 0)
		return;
	float *to = n->backward;
	for (int first = 0; first < n->in.c; first += KERNEL_BLOCK) {
		int width = least(n->in.c - first, KERNEL_BLOCK);
		for (int o = 0; o < n->out.c; o++, to += KERNEL_BLOCK)
			for (int j = 0; j < width; j++)
				to[j] = n->quantized[(long)(first + j) * n->out.c + o];
	}
}

// Y (+)= X times packed B.
static void times(const struct kernels *k, int rows, int depth, int columns, const float *x, const float *packed, float *y, bool accumulate)
{
	for (int first = 0; first < columns; first += KERNEL_COLUMNS)
		for (int r = 0; r < rows; r += k->rows)
			k->product(least(k->rows, rows - r), least(columns - first, KERNEL_COLUMNS), 1, depth, x + (long)r * depth, depth, 1, 0,
				packed + (long)first * depth, KERNEL_BLOCK, 0, (long)depth * KERNEL_BLOCK, y + (long)r * columns + first, columns,
				accumulate);
}

static void forward_pixels(const struct job *job, struct span span, int chunk, int worker)
{
	const struct network *net = job->net;
	const struct node *n = job->node;
	const struct kernels *k = net->kernels;
	int ci = n->in.c, co = n->out.c, pixels = span.count * n->in.h * n->in.w;
	const float *x = node_image(job->in[0], job->in[0]->x, span.first);
	float *y = node_image(n, n->x, span.first), *rounded = net->scratch[worker].image;
	for (int from = 0; from < pixels; from += BAND) {
		int rows = least(BAND, pixels - from);
		float *to = y + (long)from * co;
		k->quantize(&n->grid, n->scale, x + (long)from * ci, rounded, (long)rows * ci);
		for (int r = 0; n->op->bias && r < rows; r++)
			memcpy(to + (long)r * co, net->weights + n->bias, (size_t)co * sizeof *to);
		times(k, rows, ci, co, rounded, n->forward, to, n->op->bias);
		layer_add_sums(job, chunk, from == 0, to, rows);
	}
}

static void pointwise_forward(struct network *net, struct node *n)
{
	layer_settle_range(net, n);
	struct job job = job_of(net, n);
	job_run(&job, forward_pixels);
	layer_keep_sums(&job);
}

static void weight_gradient(const struct kernels *k, int rows, int ci, int co, const float *x, const float *dy, const struct share *share)
{
	for (int column = share->first; column < share->end; column += KERNEL_COLUMNS)
		for (int j = 0; j < ci; j += k->rows)
			k->product(least(k->rows, ci - j), least(share->end - column, KERNEL_COLUMNS), 1, rows, x + j, 1, ci, 0, dy + column, co, 0,
				KERNEL_BLOCK, share->partial + (long)j * co + column, co, true);
}

static void backward_pixels(const struct job *job, struct span span, int worker, const struct share *share)
{
	const struct network *net = job->net;
	const struct node *n = job->node, *source = job->in[0];
	const struct kernels *k = net->kernels;
	struct scratch *scratch = &net->scratch[worker];
	int ci = n->in.c, co = n->out.c, pixels = span.count * n->in.h * n->in.w;
	const float *x = node_image(source, source->x, span.first), *dy = node_image(n, n->grad, span.first);
	for (int from = 0; from < pixels; from += BAND) {
		int rows = least(BAND, pixels - from);
		const float *xs = x + (long)from * ci, *dys = dy + (long)from * co;
		if (share->partial) {
			k->quantize(&n->grid, n->scale, xs, scratch->image, (long)rows * ci);
			weight_gradient(k, rows, ci, co, scratch->image, dys, share);
		}
		if (!share->inputs || !source->grad)
			continue;
		float *dx = node_image(source, source->grad, span.first) + (long)from * ci, *to = source->grad_written ? scratch->back : dx;
		times(k, rows, co, ci, dys, n->backward, to, false);
		layer_clip(job, xs, to, (long)rows * ci);
		if (to != dx)
			k->accumulate(to, dx, (long)rows * ci);
	}
}

static void pointwise_backward(struct network *net, struct node *n)
{
	layer_backward(net, n, backward_pixels);
}

const struct operator pointwise_operator = {pointwise_lay, pointwise_prepare, pointwise_forward, pointwise_backward, .keeps_input = true};

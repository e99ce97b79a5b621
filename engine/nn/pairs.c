// SPDX-License-Identifier: GPL-3.0-or-later
// Gradients in bf16: the two products of a layer's backward pass multiply bf16 numbers, pairs of neighbours of the depth at a time, and add in
// fp32. What is multiplied is left in its grid's own unit, so that codes of up to 8 bits and floats as narrow are bf16 numbers as they
// are; then only the gradient of the output is rounded, by a relative error of 2^-9 at most. An input's scale goes onto the finished sums.
// Weights have scales by output channel, which sums run over: the gradient is multiplied by them before it is rounded.
#include <string.h>

#include "engine/nn/node.h"

void pairs_settle(const struct network *net, struct node *n)
{
	n->paired = n->does->pairs && net->pass == PASS_TRAIN && net->quantization.gradients == GRADIENTS_BF16;
}

void pairs_round_weights(struct network *net, struct node *n)
{
	struct grid grid = layer_grid(net, net->plan->layer[n->op->layer].weight, false);
	n->turned_scale = net->ones;
	if (net->mixture || grid.block) // many scales in a column: they stay in the numbers
		return;
	grid.bare = true;
	n->turned_scale = n->weight_scale;
	layer_round_weights(net, &grid, n->weight_scale, n->weights_now, n->out.c, n->weight_count / n->out.c, n->out.c,
		n->quantized);
}

// ---- a convolution's operands ----

static long pixel_of(const struct node *n)
{
	return n->op->groups * pairs_of(n->out.c / n->op->groups);
}

static long padded_size(const struct node *n)
{
	return (long)(n->out.h + n->before[0] + n->after[0]) * (n->out.w + n->before[1] + n->after[1]) * pixel_of(n);
}

static long inner_size(const struct node *n)
{
	return n->out.h * pairs_of(n->out.w) * n->out.c;
}

// Both have a row of floats behind them, and zeros for the last pair's second number.
long pairs_input_size(const struct node *n)
{
	return layer_input_size(n) + layer_input_row(n) + (long)n->op->window.stride * n->in.c;
}

long pairs_gradient_size(const struct node *n)
{
	return padded_size(n) + inner_size(n) + (n->out.w + 1L) * n->out.c;
}

const float *pairs_padded_input(const struct job *job, int image, int worker)
{
	const struct node *n = job->node;
	const struct window *w = &n->op->window;
	const long c = n->in.c, row = layer_input_row(n), stride = w->stride * c, above = w->pad_h * row,
		   below = (w->pad_h + w->far) * row;
	float *units = job->net->scratch[worker].image, *line = units + layer_input_size(n), *to = units + above;
	memset(line, 0, (size_t)(row + stride) * sizeof *line);
	memset(units, 0, (size_t)above * sizeof *units);
	for (int y = 0; y < n->in.h; y++, to += row) {
		layer_round_bare(job, image * pixels_of(n->in) + (long)y * n->in.w, n->in.w, line + w->pad_w * c);
		job->net->kernels->pair(line, 1, row, 0, stride, to);
	}
	memset(to, 0, (size_t)below * sizeof *to);
	return units;
}

struct output_gradient pairs_padded_gradient(const struct job *job, int image, int worker, bool weights, bool inputs)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	const int share = n->out.c / n->op->groups;
	const long c = n->out.c, pixel = pixel_of(n), row = layer_gradient_row(n),
		   first = n->before[0] * row + n->before[1] * pixel;
	float *padded = job->net->scratch[worker].gradient, *inner = padded + padded_size(n), *line = inner + inner_size(n);
	if (inputs)
		memset(padded, 0, (size_t)padded_size(n) * sizeof *padded);
	memset(line + n->out.w * c, 0, (size_t)c * sizeof *line);
	for (int y = 0; y < n->out.h; y++) {
		layer_output_gradient(job, image * pixels_of(n->out) + (long)y * n->out.w, n->out.w, line);
		if (weights)
			k->pair(line, pairs_of(n->out.w), c, 2 * c, c, inner + y * pairs_of(n->out.w) * c);
		for (int g = 0; inputs && g < n->op->groups; g++)
			k->pair_channels(line + g * share, n->out.w, share, c, n->turned_scale + g * share,
				padded + first + y * row + g * pairs_of(share), pixel);
	}
	return (struct output_gradient){padded, inner};
}

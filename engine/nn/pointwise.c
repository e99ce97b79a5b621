// SPDX-License-Identifier: GPL-3.0-or-later
// Linear layers and 1x1 convolutions of stride 1: a matrix product over pixels, a band of them at a time that stays in cache. The gradients'
// products may be OpenBLAS's, but not the output's: there a row's sum would depend on its place among the others, and an image's
// result must not depend on its batch.
#include <cblas.h>
#include <string.h>

#include "engine/nn/node.h"

enum { BAND = 120 }; // pixels

static void pointwise_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	int ci = n->in.c, co = n->out.c;
	layer_reserve(n, l, ci, n->op->kind == OP_LINEAR ? FILL_EVEN : FILL_HE);
	n->forward = storage_work(l, (long)ci * blocks_of(co) * KERNEL_BLOCK);
	n->backward = storage_work(l, (long)co * blocks_of(ci) * KERNEL_BLOCK);
	long pairs = pairs_of(BAND); // behind the numbers that they are made of
	storage_scratch(l, (BAND + pairs) * ci, (BAND + pairs) * co + BAND * pairs_of(co), (long)BAND * ci);
}

static void pointwise_prepare(struct network *net, struct node *n)
{
	if (!n->integer || net->pass == PASS_TRAIN) // a backward pass reads them too
		layer_quantize_weights(net, n);
	if (n->integer)
		integer_prepare(net, n, 1, 1);
	else
		layer_pack(n, 0, n->out.c, n->forward);
	if (net->pass != PASS_TRAIN || n->op->in[0] == 0)
		return;
	if (n->paired)
		pairs_round_weights(net, n);
	float *to = n->backward;
	for (int first = 0; first < n->in.c; first += KERNEL_BLOCK)
		to = layer_pack_turned(net, n, n->quantized + (long)first * n->out.c, least(n->in.c - first, KERNEL_BLOCK),
			n->out.c, to);
}

// Y (+)= X times packed B.
static void multiply(const struct kernels *k, kernel_product *product, int rows, int depth, int columns, const float *x,
	const float *packed, float *y, bool accumulate)
{
	for (int first = 0; first < columns; first += KERNEL_COLUMNS)
		for (int r = 0; r < rows; r += k->rows)
			product(least(k->rows, rows - r), least(columns - first, KERNEL_COLUMNS), 1, depth, x + (long)r * depth,
				depth, 1, 0, packed + (long)first * depth, KERNEL_BLOCK, 0, (long)depth * KERNEL_BLOCK,
				y + (long)r * columns + first, columns, accumulate);
}

static void multiply_codes(const struct network *net, const struct node *n, int rows, const char *x, float *y)
{
	const struct kernels *k = net->kernels;
	int co = n->out.c;
	for (int first = 0; first < co; first += KERNEL_COLUMNS) {
		struct integers with = integer_operands(net, n, 1, 1, 0, first);
		with.a_row = (long)n->in.c * k->code;
		for (int r = 0; r < rows; r += k->rows)
			k->integer_product(least(k->rows, rows - r), least(co - first, KERNEL_COLUMNS), &with, x + r * with.a_row,
				y + (long)r * co + first, co);
	}
}

static void forward_pixels(const struct job *job, struct span span, int chunk, int worker)
{
	const struct network *net = job->net;
	const struct node *n = job->node;
	int ci = n->in.c, co = n->out.c;
	long first = span.first * pixels_of(n->in), end = first + span.count * pixels_of(n->in);
	float *rounded = net->scratch[worker].image;
	for (long from = first; from < end; from += BAND) {
		int rows = end - from < BAND ? (int)(end - from) : BAND;
		float *y = n->x + from * co;
		if (n->integer) {
			integer_round(job, from, rows, rounded);
			multiply_codes(net, n, rows, (const char *)rounded, y);
		} else {
			layer_round(job, from, rows, rounded);
			for (int r = 0; n->op->bias && r < rows; r++)
				memcpy(y + (long)r * co, n->bias_now, (size_t)co * sizeof *y);
			multiply(net->kernels, net->kernels->product, rows, ci, co, rounded, n->forward, y, n->op->bias);
		}
		layer_add_sums(job, chunk, from == first, y, rows);
	}
}

static void pointwise_forward(struct network *net, struct node *n)
{
	layer_find_range(net, n);
	if (n->integer)
		integer_find_scales(net, n);
	struct job job = job_of(net, n);
	job_run(&job, forward_pixels);
}

// The layer's input, a band of it.
static const float *input_band(const struct job *job, long pixel, int rows, float *to)
{
	const struct node *n = job->node;
	long c = n->in.c;
	if (!n->paired) {
		layer_round(job, pixel, rows, to);
		return to;
	}
	float *pairs = to + BAND * c;
	layer_round_bare(job, pixel, rows, to);
	memset(to + rows * c, 0, (size_t)(rows % 2 * c) * sizeof *to);
	job->net->kernels->pair(to, pairs_of(rows), c, 2 * c, c, pairs);
	return pairs;
}

// The gradient of its output: `padded`, for that of the input, without margins.
static struct output_gradient gradient_band(const struct job *job, long pixel, int rows, float *to)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	long c = n->out.c;
	if (!n->paired && !n->norm)
		return (struct output_gradient){n->grad + pixel * c, n->grad + pixel * c};
	layer_output_gradient(job, pixel, rows, to);
	if (!n->paired)
		return (struct output_gradient){to, to};
	float *inner = to + BAND * c, *padded = inner + pairs_of(BAND) * c;
	memset(to + rows * c, 0, (size_t)(rows % 2 * c) * sizeof *to);
	k->pair(to, pairs_of(rows), c, 2 * c, c, inner);
	if (job->in[0]->grad)
		k->pair_channels(to, rows, c, c, n->turned_scale, padded, pairs_of(c));
	return (struct output_gradient){padded, inner};
}

static void weight_gradient(const struct kernels *k, const struct node *n, int rows, const float *x, const float *dy,
	const struct share *share)
{
	int ci = n->in.c, co = n->out.c;
	if (k->blas && !n->paired) {
		cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ci, share->end - share->first, rows, 1, x, ci,
			dy + share->first, co, 1, share->partial + share->first, co);
		return;
	}
	for (int column = share->first; column < share->end; column += KERNEL_COLUMNS)
		for (int j = 0; j < ci; j += k->rows)
			layer_backward_product(k, n)(least(k->rows, ci - j), least(share->end - column, KERNEL_COLUMNS), 1,
				n->paired ? pairs_of(rows) : rows, x + j, 1, ci, 0, dy + column, co, 0, KERNEL_BLOCK,
				share->partial + (long)j * co + column, co, true);
}

static void input_gradient(const struct kernels *k, const struct node *n, int rows, const float *dy, float *dx)
{
	int ci = n->in.c, co = n->out.c;
	if (k->blas && !n->paired)
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, ci, co, 1, dy, co, n->quantized, co, 0, dx, ci);
	else
		multiply(k, layer_backward_product(k, n), rows, (int)layer_turned_depth(n, co), ci, dy, n->backward, dx, false);
}

static void backward_pixels(const struct job *job, struct span span, int worker, const struct share *share)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	struct scratch *scratch = &job->net->scratch[worker];
	long first = span.first * pixels_of(n->in), end = first + span.count * pixels_of(n->in);
	for (long from = first; from < end; from += BAND) {
		int rows = end - from < BAND ? (int)(end - from) : BAND;
		const struct output_gradient dy = gradient_band(job, from, rows, scratch->gradient);
		if (share->partial)
			weight_gradient(k, n, rows, input_band(job, from, rows, scratch->image), dy.inner, share);
		if (!share->inputs || !job->in[0]->grad)
			continue;
		float *dx = gradient_place(job, 0, from, scratch->back);
		input_gradient(k, n, rows, dy.padded, dx);
		layer_clip(job, from, rows, dx);
		if (job->net->errors)
			errors_add_inputs(job, share->chunk, worker, from, rows, dx);
		gradient_done(job, 0, share->chunk, from, rows, scratch->back);
	}
}

static void pointwise_backward(struct network *net, struct node *n)
{
	layer_backward(net, n, backward_pixels);
}

const struct node_ops pointwise_operator = {
	pointwise_reserve, pointwise_prepare, pointwise_forward, pointwise_backward, .keeps_input = true, .pairs = true};

// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution: as many groups as channels. Images are rounded into a scratch copy with a margin, as in conv.c. Codes are
// multiplied as floats here: single precision holds the few taps' sums exactly, and a vector of channels has no use for dot products.
#include <string.h>

#include "engine/nn/node.h"

enum { EXACT_TAPS = (1 << 24) / (255 * 127) }; // of codes' products, unsigned by signed

static void depthwise_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	layer_reserve(n, l, (long)n->op->window.h * n->op->window.w, FILL_HE);
	n->exact = n->op->window.h * n->op->window.w <= EXACT_TAPS;
	n->forward = storage_work(l, n->weight_count);
	layer_find_phases(n, l);
	storage_scratch(l, layer_input_size(n), layer_gradient_size(n), shape_size(n->in));
}

static void depthwise_prepare(struct network *net, struct node *n)
{
	if (!n->integer || net->pass == PASS_TRAIN) // a backward pass reads them too
		layer_quantize_weights(net, n);
	if (!n->integer)
		return;
	struct grid grid = layer_weight_scales(net, n, net->plan->layer[n->op->layer].weight);
	grid.bare = true;
	net->kernels->quantize_channels(&grid, n->weight_scale, n->weights_now, n->forward, n->weight_count / n->out.c, n->out.c);
}

static void forward_images(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const struct window *w = &n->op->window;
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = layer_padded_input(job, i, worker);
		float *y = node_image(n, n->x, i);
		for (int oy = 0; oy < n->out.h; oy++)
			job->net->kernels->depthwise(n->out.w, c, w->h, w->w, x + oy * w->stride * layer_input_row(n),
				(long)w->stride * c, layer_input_row(n), c, n->integer ? n->forward : n->quantized,
				(long)w->w * c, c, n->integer ? n->sum_scale : NULL, y + (long)oy * n->out.w * c, c);
		for (int p = 0; n->op->bias && p < n->out.h * n->out.w; p++)
			job->net->kernels->accumulate(n->bias_now, y + (long)p * c, c);
		layer_add_sums(job, chunk, i == span.first, y, pixels_of(n->out));
	}
}

static void depthwise_forward(struct network *net, struct node *n)
{
	layer_find_range(net, n);
	if (n->integer)
		integer_find_scales(net, n);
	n->grid.bare = n->integer;
	struct job job = job_of(net, n);
	job_run(&job, forward_images);
	n->grid.bare = false;
}

static void input_gradient(const struct kernels *k, const struct node *n, const float *dy, float *dx)
{
	const struct window *w = &n->op->window;
	int s = w->stride, c = n->in.c;
	long dy_row = layer_gradient_row(n);
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++) {
			const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
			for (int a = 0; a < y->count; a++)
				k->depthwise(x->count, c, y->taps, x->taps,
					dy + (a + y->least + n->before[0]) * dy_row + (long)(x->least + n->before[1]) * c, c,
					dy_row, c, n->quantized + ((long)y->first * w->w + x->first) * c, -(long)s * w->w * c,
					-(long)s * c, NULL, dx + ((long)(a * s + py) * n->in.w + px) * c, (long)s * c);
		}
}

static void weight_gradient(const struct kernels *k, const struct node *n, const float *x, const float *dy, int first_column,
	int end_column, float *into)
{
	(void)first_column; // always all of them: see tiles_of
	(void)end_column;
	const struct window *w = &n->op->window;
	int c = n->out.c;
	for (int oy = 0; oy < n->out.h; oy++)
		for (int ky = 0; ky < w->h; ky++)
			k->depthwise_gradient(n->out.w, c, w->w, x + (oy * w->stride + ky) * layer_input_row(n),
				(long)w->stride * c, c, dy + oy * layer_gradient_row(n), c, into + (long)ky * w->w * c, c);
}

static void backward_images(const struct job *job, struct span span, int worker, const struct share *share)
{
	layer_backward_images(job, span, worker, share, weight_gradient, input_gradient);
}

static void depthwise_backward(struct network *net, struct node *n)
{
	layer_backward(net, n, backward_images);
}

const struct node_ops depthwise_operator = {
	depthwise_reserve, depthwise_prepare, depthwise_forward, depthwise_backward, .keeps_input = true};

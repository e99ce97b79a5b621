// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution: as many groups as channels. Images are rounded into a scratch copy with a margin, as in conv.c. Codes are
// multiplied with the kernel's rows stacked where there are dot products of bytes; elsewhere as floats, which hold the few taps' sums exactly.
#include <string.h>

#include "engine/nn/node.h"

enum { EXACT_TAPS = (1 << 24) / (255 * 127) }; // of codes' products, unsigned by signed

static int stacks_of(const struct node *n)
{
	return (n->op->window.h + KERNEL_UNIT - 1) / KERNEL_UNIT;
}

static void depthwise_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	layer_reserve(n, l, (long)n->op->window.h * n->op->window.w, FILL_HE);
	n->exact = n->op->window.h * n->op->window.w <= EXACT_TAPS;
	n->forward = storage_work(l, n->weight_count);
	layer_find_phases(n, l);
	long stacked = stacks_of(n) * layer_input_row(n), gradient = layer_gradient_size(n);
	storage_scratch(l, layer_input_size(n), stacked > gradient ? stacked : gradient, shape_size(n->in));
}

// Units' bytes are taps of a column, zeros beyond the kernel.
static void stack_weights(struct network *net, struct node *n, const struct grid *grid)
{
	const int h = n->op->window.h, w = n->op->window.w, c = n->out.c;
	int8_t *to = (int8_t *)n->forward;
	net->kernels->encode_channels(grid, n->weight_scale, n->weights_now, n->codes, h * w, c);
	memset(n->column_sum, 0, (size_t)c * sizeof *n->column_sum);
	memset(to, 0, (size_t)(stacks_of(n) * w * c) * KERNEL_UNIT);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			for (int j = 0; j < c; j++) {
				int8_t code = n->codes[(y * w + x) * c + j];
				to[((y / KERNEL_UNIT * w + x) * c + j) * KERNEL_UNIT + y % KERNEL_UNIT] = code;
				n->column_sum[j] += code;
			}
}

static void depthwise_prepare(struct network *net, struct node *n)
{
	if (!n->integer || net->pass == PASS_TRAIN) // a backward pass reads them too
		layer_quantize_weights(net, n);
	if (!n->integer)
		return;
	struct grid grid = layer_weight_scales(net, n, net->plan->layer[n->op->layer].weight);
	if (net->kernels->depthwise_stacked) {
		stack_weights(net, n, &grid);
		return;
	}
	grid.bare = true;
	net->kernels->quantize_channels(&grid, n->weight_scale, n->weights_now, n->forward, n->weight_count / n->out.c, n->out.c);
}

static void convolve_codes(const struct job *job, int image, int worker, float *y)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	const struct window *w = &n->op->window;
	const long c = n->out.c, row = layer_input_row(n);
	const char *x = integer_padded_input(job, image, worker);
	int32_t *units = (int32_t *)(void *)job->net->scratch[worker].gradient;
	const struct stacks s = {
		stacks_of(n), w->w, c, w->stride * c, row, (const int32_t *)(const void *)n->forward, n->minus, n->sum_scale};
	for (int oy = 0; oy < n->out.h; oy++) {
		for (int g = 0; g < s.stacks; g++) {
			const void *rows[KERNEL_UNIT];
			for (int r = 0; r < KERNEL_UNIT; r++)
				rows[r] = x + (oy * w->stride + least(KERNEL_UNIT * g + r, w->h - 1)) * row;
			k->stack(least(KERNEL_UNIT, w->h - KERNEL_UNIT * g), rows, row, units + g * row);
		}
		k->depthwise_stacked(n->out.w, &s, units, y + oy * n->out.w * c);
	}
}

static void convolve(const struct job *job, int image, int worker, float *y)
{
	const struct node *n = job->node;
	const struct window *w = &n->op->window;
	int c = n->out.c;
	const float *x = layer_padded_input(job, image, worker);
	for (int oy = 0; oy < n->out.h; oy++)
		job->net->kernels->depthwise(n->out.w, c, w->h, w->w, x + oy * w->stride * layer_input_row(n),
			(long)w->stride * c, layer_input_row(n), c, n->integer ? n->forward : n->quantized, (long)w->w * c, c,
			n->integer ? n->sum_scale : NULL, y + (long)oy * n->out.w * c, c);
}

static void forward_images(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const bool stacked = n->integer && job->net->kernels->depthwise_stacked;
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		float *y = node_image(n, n->x, i);
		(stacked ? convolve_codes : convolve)(job, i, worker, y);
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
	n->grid.bare = n->integer && !net->kernels->depthwise_stacked;
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

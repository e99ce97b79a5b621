// SPDX-License-Identifier: GPL-3.0-or-later
// Convolution, NHWC, without lowering: an image is rounded into a scratch copy with a margin of zeros that stays in cache, where the
// pixels that a kernel row covers are one run of kernel*channels neighbouring floats. So the product kernel reads its rows straight from the image:
//   output            rows: neighbouring output pixels       depth: the run                    panels: kernel rows
//   weight gradient   rows: neighbours of the run            depth: output pixels of a row     panels: output rows
//   input gradient    rows: input pixels a stride apart      depth: the run of output pixels   panels: kernel rows of the phase
// With groups a run breaks up into its pixels: the depth is a group's channels, the panels are the pixels, and kernel rows are added up.
#include <string.h>

#include "engine/nn/node.h"

// A group's share of the channels, in and out.
static int in_share(const struct node *n)
{
	return n->in.c / n->op->groups;
}

static int out_share(const struct node *n)
{
	return n->out.c / n->op->groups;
}

static void conv_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	const struct window *w = &n->op->window;
	long taps = (long)w->h * w->w, rows = taps * in_share(n);
	layer_reserve(n, l, rows, FILL_HE);
	layer_find_phases(n, l);
	n->forward = storage_work(l, rows * n->op->groups * blocks_of(out_share(n)) * KERNEL_BLOCK);
	n->backward = storage_work(l, taps * out_share(n) * n->op->groups * blocks_of(in_share(n)) * KERNEL_BLOCK);
	long gradient = layer_gradient_size(n), pairs = pairs_gradient_size(n);
	storage_scratch(l, pairs_input_size(n), gradient > pairs ? gradient : pairs, shape_size(n->in));
}

// The packed weights of a phase begin after those of the phases before it; a group's after those of the groups before it.
static long phase_block(const struct node *n, const struct phase *y, const struct phase *x)
{
	return (long)y->taps * x->taps * layer_turned_depth(n, out_share(n)) * KERNEL_BLOCK;
}

static void pack_backward(const struct network *net, const struct node *n)
{
	const struct window *w = &n->op->window;
	int s = w->stride, ci = in_share(n), co = out_share(n);
	float *to = n->backward;
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++)
			for (int g = 0; g < n->op->groups; g++)
				for (int first = 0; first < ci; first += KERNEL_BLOCK) {
					const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
					int width = least(ci - first, KERNEL_BLOCK);
					for (int ty = 0; ty < y->taps; ty++)
						for (int tx = 0; tx < x->taps; tx++) {
							long tap = (long)(y->first - ty * s) * w->w + x->first - tx * s;
							const float *from = n->quantized + (tap * ci + first) * n->out.c + g * co;
							to = layer_pack_turned(net, n, from, width, co, to);
						}
				}
}

// A kernel row's: its pixels are one where all channels are read.
static int runs_of(const struct node *n)
{
	return n->op->groups == 1 ? 1 : n->op->window.w;
}

static void conv_prepare(struct network *net, struct node *n)
{
	if (!n->integer || net->pass == PASS_TRAIN) // a backward pass reads them too
		layer_quantize_weights(net, n);
	float *to = n->forward;
	for (int g = 0; !n->integer && g < n->op->groups; g++)
		to = layer_pack(n, g * out_share(n), out_share(n), to);
	if (n->integer)
		integer_prepare(net, n, n->op->window.h, runs_of(n));
	if (net->pass != PASS_TRAIN || n->op->in[0] == 0)
		return;
	if (n->paired)
		pairs_round_weights(net, n);
	pack_backward(net, n);
}

// Splits n rows evenly into stretches that the product kernel takes at once.
static int stretches(const struct kernels *k, int n)
{
	return (n + k->rows - 1) / k->rows;
}

static void convolve(const struct kernels *k, const struct node *n, const float *bias, const float *x, float *y)
{
	const struct window *w = &n->op->window;
	bool whole = n->op->groups == 1;
	int ci = in_share(n), co = out_share(n), parts = stretches(k, n->out.w);
	long row = layer_input_row(n), pixel = (long)w->stride * n->in.c;
	long depth = whole ? (long)w->w * ci : ci, panels = whole ? w->h : w->w, rows = (long)w->h * w->w * ci;
	if (bias)
		for (int p = 0; p < n->out.h * n->out.w; p++)
			memcpy(y + (long)p * n->out.c, bias, (size_t)n->out.c * sizeof *y);
	for (int g = 0; g < n->op->groups; g++)
		for (int first = 0; first < co; first += KERNEL_COLUMNS)
			for (int oy = 0; oy < n->out.h; oy++)
				for (int p = 0; p < parts; p++) {
					int from = n->out.w * p / parts, to = n->out.w * (p + 1) / parts;
					const float *at = x + oy * w->stride * row + from * pixel + g * ci;
					const float *weights = n->forward +
						((long)g * blocks_of(co) + first / KERNEL_BLOCK) * rows * KERNEL_BLOCK;
					for (int ky = 0; ky < (whole ? 1 : w->h); ky++)
						k->product(to - from, least(co - first, KERNEL_COLUMNS), panels, depth,
							at + ky * row, pixel, 1, whole ? row : n->in.c,
							weights + ky * panels * depth * KERNEL_BLOCK, KERNEL_BLOCK,
							depth * KERNEL_BLOCK, rows * KERNEL_BLOCK,
							y + ((long)oy * n->out.w + from) * n->out.c + g * co + first, n->out.c,
							bias || ky > 0);
				}
}

static void convolve_codes(const struct network *net, const struct node *n, const char *x, float *y)
{
	const struct kernels *k = net->kernels;
	const struct window *w = &n->op->window;
	int co = out_share(n), parts = stretches(k, n->out.w);
	long row = layer_input_row(n) * k->code, pixel = (long)n->in.c * k->code;
	for (int g = 0; g < n->op->groups; g++)
		for (int first = 0; first < co; first += KERNEL_COLUMNS) {
			struct integers with = integer_operands(net, n, w->h, runs_of(n), g, first);
			with.a_row = w->stride * pixel;
			with.a_panel = row;
			with.a_run = pixel;
			for (int oy = 0; oy < n->out.h; oy++)
				for (int p = 0; p < parts; p++) {
					int from = n->out.w * p / parts, to = n->out.w * (p + 1) / parts;
					k->integer_product(to - from, least(co - first, KERNEL_COLUMNS), &with,
						x + oy * w->stride * row + from * with.a_row + (long)g * in_share(n) * k->code,
						y + ((long)oy * n->out.w + from) * n->out.c + g * co + first, n->out.c);
				}
		}
}

static void forward_images(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const float *bias = n->op->bias ? n->bias_now : NULL;
	for (int i = span.first; i < span.first + span.count; i++) {
		float *y = node_image(n, n->x, i);
		if (n->integer)
			convolve_codes(job->net, n, integer_padded_input(job, i, worker), y);
		else
			convolve(job->net->kernels, n, bias, layer_padded_input(job, i, worker), y);
		layer_add_sums(job, chunk, i == span.first, y, pixels_of(n->out));
	}
}

static void conv_forward(struct network *net, struct node *n)
{
	layer_find_range(net, n);
	if (n->integer)
		integer_find_scales(net, n);
	struct job job = job_of(net, n);
	job_run(&job, forward_images);
}

// Adds one image's part to columns first..end of a gradient of the weights, a band of output rows at a time so that the band stays in the
// first-level cache.
static void weight_gradient(const struct kernels *k, const struct node *n, const float *x, const float *dy, int first_column,
	int end_column, float *into)
{
	kernel_product *product = layer_backward_product(k, n);
	const struct window *w = &n->op->window;
	bool whole = n->op->groups == 1;
	int ci = in_share(n), co = out_share(n), runs = whole ? w->h : w->h * w->w, run = whole ? w->w * ci : ci;
	long row = layer_input_row(n), dy_row = layer_inner_row(n), pixel = (long)w->stride * n->in.c;
	long depth = n->paired ? pairs_of(n->out.w) : n->out.w, step = n->paired ? 2 * pixel : pixel;
	int parts = stretches(k, run), band = 2048 / (int)dy_row > 1 ? 2048 / (int)dy_row : 1;
	for (int from = 0; from < n->out.h; from += band)
		for (int r = 0; r < runs; r++) {
			long corner = whole ? r * row : r / w->w * row + (long)(r % w->w) * n->in.c;
			for (int g = first_column / co; g * co < end_column; g++) {
				int begin = g * co < first_column ? first_column : g * co, end = least((g + 1) * co, end_column);
				for (int column = begin; column < end; column += KERNEL_COLUMNS)
					for (int p = 0; p < parts; p++) {
						long j = (long)run * p / parts, to = (long)run * (p + 1) / parts;
						product((int)(to - j), least(end - column, KERNEL_COLUMNS),
							least(n->out.h - from, band), depth,
							x + (long)from * w->stride * row + corner + g * ci + j, 1, step,
							w->stride * row, dy + from * dy_row + column, n->out.c, dy_row,
							KERNEL_BLOCK, into + ((long)r * run + j) * n->out.c + column, n->out.c,
							true);
					}
			}
		}
}

static void input_gradient(const struct kernels *k, const struct node *n, const float *dy, float *dx)
{
	kernel_product *product = layer_backward_product(k, n);
	const struct window *w = &n->op->window;
	bool whole = n->op->groups == 1;
	int s = w->stride, ci = in_share(n);
	long dy_row = layer_gradient_row(n), pixel = layer_gradient_pixel(n), share = layer_turned_depth(n, out_share(n));
	const float *weights = n->backward;
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++) {
			const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
			long block = phase_block(n, y, x), depth = whole ? x->taps * share : share;
			int parts = stretches(k, x->count), sums = whole ? 1 : y->taps ? y->taps : 1;
			for (int g = 0; g < n->op->groups; g++, weights += blocks_of(ci) * block)
				for (int first = 0; first < ci; first += KERNEL_COLUMNS)
					for (int a = 0; a < y->count; a++)
						for (int p = 0; p < parts; p++) {
							int from = x->count * p / parts, to = x->count * (p + 1) / parts;
							const float *at = dy + (a + y->least + n->before[0]) * dy_row +
								(from + x->least + n->before[1]) * pixel + g * share;
							if (block == 0) // no output reads these pixels
								at = dy;
							for (int ty = 0; ty < sums; ty++)
								product(to - from, least(ci - first, KERNEL_COLUMNS),
									whole ? y->taps : x->taps, block ? depth : 0,
									at + ty * dy_row, pixel, 1, whole ? dy_row : pixel,
									weights + first / KERNEL_BLOCK * block +
										ty * x->taps * depth * KERNEL_BLOCK,
									KERNEL_BLOCK, depth * KERNEL_BLOCK, block,
									dx +
										((long)(a * s + py) * n->in.w + from * s + px) *
											n->in.c +
										g * ci + first,
									(long)s * n->in.c, ty > 0);
						}
		}
}

static void backward_images(const struct job *job, struct span span, int worker, const struct share *share)
{
	layer_backward_images(job, span, worker, share, weight_gradient, input_gradient);
}

static void conv_backward(struct network *net, struct node *n)
{
	layer_backward(net, n, backward_images);
}

const struct node_ops conv_operator = {
	conv_reserve, conv_prepare, conv_forward, conv_backward, .keeps_input = true, .pairs = true};

// SPDX-License-Identifier: GPL-3.0-or-later
// Convolution, NHWC, without lowering: an image is rounded into a scratch copy with a margin of zeros that stays in cache, where the
// pixels that a kernel row covers are one run of kernel*channels neighbouring floats. So the product kernel reads its rows straight from the image:
//   output            rows: neighbouring output pixels       depth: the run                    panels: kernel rows
//   weight gradient   rows: neighbours of the run            depth: output pixels of a row     panels: output rows
//   input gradient    rows: input pixels a stride apart      depth: the run of output pixels   panels: kernel rows of the phase
#include <string.h>

#include "engine/nn/node.h"

static const float *padded(const struct kernels *k, const struct node *n, const float *x, struct shape s, int before,
	int after, float *into)
{
	long row = (long)s.w * s.c, stride = (long)(s.w + before + after) * s.c;
	memset(into, 0, (size_t)(before * stride) * sizeof *into);
	for (int y = 0; y < s.h; y++) {
		float *to = into + (y + before) * stride;
		memset(to, 0, (size_t)(before * s.c) * sizeof *to);
		if (n)
			k->quantize(&n->grid, n->scale, x + y * row, to + before * s.c, row);
		else
			memcpy(to + before * s.c, x + y * row, (size_t)row * sizeof *to);
		memset(to + before * s.c + row, 0, (size_t)(after * s.c) * sizeof *to);
	}
	memset(into + (s.h + before) * stride, 0, (size_t)(after * stride) * sizeof *into);
	return into;
}

static void pack_forward(const struct node *n)
{
	long rows = n->weight_count / n->out.c;
	int c = n->out.c;
	for (int b = 0; b < blocks_of(c); b++) {
		int width = c - b * KERNEL_COLUMNS < KERNEL_COLUMNS ? c - b * KERNEL_COLUMNS : KERNEL_COLUMNS;
		float *to = n->forward + b * rows * KERNEL_COLUMNS;
		const float *from = n->quantized + b * KERNEL_COLUMNS;
		for (long r = 0; r < rows; r++, to += KERNEL_COLUMNS, from += c)
			for (int j = 0; j < width; j++)
				to[j] = from[j];
	}
}

// The packed weights of a phase begin after those of the phases before it.
static long phase_size(const struct node *n, const struct phase *y, const struct phase *x)
{
	return (long)y->taps * x->taps * n->out.c * blocks_of(n->in.c) * KERNEL_COLUMNS;
}

static void pack_backward(const struct node *n)
{
	int k = n->op->window.h, s = n->op->window.stride, ci = n->in.c, co = n->out.c;
	float *to = n->backward;
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++) {
			const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
			for (int b = 0; b < blocks_of(ci); b++) {
				int width = ci - b * KERNEL_COLUMNS < KERNEL_COLUMNS ? ci - b * KERNEL_COLUMNS : KERNEL_COLUMNS;
				for (int ty = 0; ty < y->taps; ty++)
					for (int tx = 0; tx < x->taps; tx++) {
						long tap = (y->first - ty * s) * k + x->first - tx * s;
						const float *from = n->quantized + (tap * ci + b * KERNEL_COLUMNS) * co;
						for (int o = 0; o < co; o++, to += KERNEL_COLUMNS)
							for (int j = 0; j < width; j++)
								to[j] = from[(long)j * co + o];
					}
			}
		}
}

void conv_prepare(struct network *net, struct node *n)
{
	layer_quantize_weights(net, n);
	pack_forward(n);
	if (net->pass == PASS_TRAIN && n->op->in[0] != 0)
		pack_backward(n);
}

struct job {
	struct network *net;
	struct node *node;
	const struct node *source;
	bool accumulate; // the source's gradient has been written to before
	int chunks;
};

// Splits n pixels evenly into stretches that the product kernel takes at once.
static int stretches(const struct kernels *k, int n)
{
	return (n + k->rows - 1) / k->rows;
}

static void forward_image(void *context, int image, int worker)
{
	const struct job *job = context;
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	const struct op *op = n->op;
	const float *x = padded(k, n, node_image(job->source, job->source->x, image), n->in, op->window.pad_h, op->window.pad_h,
		job->net->scratch[worker].image);
	float *y = node_image(n, n->x, image);
	long run = (long)op->window.h * n->in.c, row = (long)(n->in.w + 2 * op->window.pad_h) * n->in.c;
	long pixel = (long)op->window.stride * n->in.c, weights = op->window.h * run * KERNEL_COLUMNS;
	int parts = stretches(k, n->out.w);
	for (int b = 0; b < blocks_of(n->out.c); b++)
		for (int oy = 0; oy < n->out.h; oy++)
			for (int p = 0; p < parts; p++) {
				int from = n->out.w * p / parts, to = n->out.w * (p + 1) / parts, first = b * KERNEL_COLUMNS;
				int columns = n->out.c - first < KERNEL_COLUMNS ? n->out.c - first : KERNEL_COLUMNS;
				k->product(to - from, columns, op->window.h, run, x + oy * op->window.stride * row + from * pixel, pixel, 1,
					row, n->forward + b * weights, KERNEL_COLUMNS, run * KERNEL_COLUMNS,
					y + (oy * n->out.w + from) * n->out.c + first, n->out.c, false);
			}
}

void conv_forward(struct network *net, struct node *n)
{
	layer_settle_range(net, n);
	struct job job = {.net = net, .node = n, .source = &net->node[n->op->in[0]]};
	team_run(net->team, net->images, forward_image, &job);
}

// Adds one image's part to a gradient of the weights, a band of output rows at a time so that the band stays in the first-level cache.
static void weight_gradient(const struct kernels *k, const struct node *n, const float *x, const float *dy, float *into)
{
	const struct op *op = n->op;
	long run = (long)op->window.h * n->in.c, row = (long)(n->in.w + 2 * op->window.pad_h) * n->in.c;
	long dy_row = (long)n->out.w * n->out.c;
	int parts = stretches(k, (int)run);
	int band = 2048 / (int)dy_row > 1 ? 2048 / (int)dy_row : 1;
	for (int from = 0; from < n->out.h; from += band) {
		int rows = n->out.h - from < band ? n->out.h - from : band;
		for (int ky = 0; ky < op->window.h; ky++)
			for (int b = 0; b < blocks_of(n->out.c); b++) {
				int first = b * KERNEL_COLUMNS;
				int columns = n->out.c - first < KERNEL_COLUMNS ? n->out.c - first : KERNEL_COLUMNS;
				for (int p = 0; p < parts; p++) {
					long j = run * p / parts, end = run * (p + 1) / parts;
					k->product((int)(end - j), columns, rows, n->out.w,
						x + (from * op->window.stride + ky) * row + j, 1, (long)op->window.stride * n->in.c,
						op->window.stride * row, dy + from * dy_row + first, n->out.c, dy_row,
						into + (ky * run + j) * n->out.c + first, n->out.c, true);
				}
			}
	}
}

static void input_gradient(const struct kernels *k, const struct node *n, const float *dy, float *dx, bool accumulate)
{
	int s = n->op->window.stride;
	long dy_row = (long)(n->out.w + n->before + n->after) * n->out.c;
	const float *weights = n->backward;
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++) {
			const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
			long block = phase_size(n, y, x) / blocks_of(n->in.c);
			int parts = stretches(k, x->count);
			for (int b = 0; b < blocks_of(n->in.c); b++, weights += block)
				for (int a = 0; a < y->count; a++)
					for (int p = 0; p < parts; p++) {
						int from = x->count * p / parts, to = x->count * (p + 1) / parts;
						int first = b * KERNEL_COLUMNS;
						int columns = n->in.c - first < KERNEL_COLUMNS ? n->in.c - first : KERNEL_COLUMNS;
						const float *at = dy + (a + y->least + n->before) * dy_row +
							(from + x->least + n->before) * (long)n->out.c;
						if (block == 0) // no output reads these pixels
							at = dy;
						k->product(to - from, columns, y->taps, (long)x->taps * n->out.c, at, n->out.c, 1,
							dy_row, weights, KERNEL_COLUMNS, (long)x->taps * n->out.c * KERNEL_COLUMNS,
							dx + ((a * s + py) * (long)n->in.w + from * s + px) * n->in.c + first,
							(long)s * n->in.c, accumulate);
					}
		}
}

static void backward_chunk(void *context, int chunk, int worker)
{
	const struct job *job = context;
	struct network *net = job->net;
	const struct node *n = job->node, *source = job->source;
	const struct kernels *k = net->kernels;
	struct scratch *scratch = &net->scratch[worker];
	float *partial = net->partial + chunk * net->partial_stride;
	bool clips = net->quantization.range != RANGE_MAX;
	memset(partial, 0, (size_t)n->weight_count * sizeof *partial);
	for (int i = net->images * chunk / job->chunks; i < net->images * (chunk + 1) / job->chunks; i++) {
		const float *x = node_image(source, source->x, i), *dy = node_image(n, n->grad, i);
		weight_gradient(k, n, padded(k, n, x, n->in, n->op->window.pad_h, n->op->window.pad_h, scratch->image), dy, partial);
		if (!source->grad)
			continue;
		float *dx = node_image(source, source->grad, i);
		dy = padded(k, NULL, dy, n->out, n->before, n->after, scratch->gradient);
		if (!clips) {
			input_gradient(k, n, dy, dx, job->accumulate);
			continue;
		}
		float *back = job->accumulate ? scratch->back : dx;
		input_gradient(k, n, dy, back, false);
		k->clip_gradient(n->range, x, back, shape_size(n->in));
		if (back != dx)
			k->accumulate(back, dx, shape_size(n->in));
	}
}

void conv_backward(struct network *net, struct node *n)
{
	struct node *source = &net->node[n->op->in[0]];
	struct job job = {net, n, source, source->grad_written, net->images < NN_CHUNKS ? net->images : NN_CHUNKS};
	team_run(net->team, job.chunks, backward_chunk, &job);
	source->grad_written = true;
	layer_reduce_gradient(net, n, job.chunks);
}

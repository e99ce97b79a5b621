// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution: as many groups as channels. Images are rounded into a scratch copy with a margin, as in conv.c.
#include <string.h>

#include "engine/nn/node.h"

static void depthwise_lay(const struct network *net, struct node *n, struct layout *l)
{
	(void)net;
	const struct window *w = &n->op->window;
	layer_lay(n, l, (long)w->h * w->w, FILL_HE);
	layer_find_phases(n, l);
	layer_padded_scratch(n, l);
}

static void depthwise_prepare(struct network *net, struct node *n)
{
	layer_quantize_weights(net, n);
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
			job->net->kernels->depthwise(n->out.w, c, w->h, w->w, x + oy * w->stride * layer_padded_row(n), (long)w->stride * c, layer_padded_row(n), c,
				n->quantized, (long)w->w * c, c, y + (long)oy * n->out.w * c, c);
		for (int p = 0; n->op->bias && p < n->out.h * n->out.w; p++)
			job->net->kernels->accumulate(job->net->weights + n->bias, y + (long)p * c, c);
		layer_add_sums(job, chunk, i == span.first, y, (long)n->out.h * n->out.w);
	}
}

static void depthwise_forward(struct network *net, struct node *n)
{
	layer_settle_range(net, n);
	struct job job = job_of(net, n);
	job_run(&job, forward_images);
	layer_keep_sums(&job);
}

static void input_gradient(const struct kernels *k, const struct node *n, const float *dy, float *dx)
{
	const struct window *w = &n->op->window;
	int s = w->stride, c = n->in.c;
	long dy_row = (long)(n->out.w + n->before[1] + n->after[1]) * c;
	for (int py = 0; py < s; py++)
		for (int px = 0; px < s; px++) {
			const struct phase *y = &n->phase[0][py], *x = &n->phase[1][px];
			for (int a = 0; a < y->count; a++)
				k->depthwise(x->count, c, y->taps, x->taps,
					dy + (a + y->least + n->before[0]) * dy_row + (long)(x->least + n->before[1]) * c, c, dy_row, c,
					n->quantized + ((long)y->first * w->w + x->first) * c, -(long)s * w->w * c, -(long)s * c,
					dx + ((long)(a * s + py) * n->in.w + px) * c, (long)s * c);
		}
}

static void backward_images(const struct job *job, struct span span, int worker, const struct share *share)
{
	const struct node *n = job->node, *source = job->in[0];
	const struct kernels *k = job->net->kernels;
	const struct window *w = &n->op->window;
	struct scratch *scratch = &job->net->scratch[worker];
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i), *x = layer_padded_input(job, i, worker);
		for (int oy = 0; oy < n->out.h; oy++)
			for (int ky = 0; ky < w->h; ky++)
				k->depthwise_gradient(n->out.w, c, w->w, x + (oy * w->stride + ky) * layer_padded_row(n), (long)w->stride * c, c,
					dy + (long)oy * n->out.w * c, c, share->partial + (long)ky * w->w * c, c);
		if (!source->grad)
			continue;
		float *dx = gradient_place(job, 0, i, scratch->back);
		input_gradient(k, n, layer_padded(k, NULL, dy, n->out, n->before, n->after, scratch->gradient), dx);
		layer_clip(job, node_image(source, source->x, i), dx, shape_size(n->in));
		gradient_done(job, 0, i, scratch->back);
	}
}

static void depthwise_backward(struct network *net, struct node *n)
{
	layer_backward(net, n, backward_images);
}

const struct operator depthwise_operator = {depthwise_lay, depthwise_prepare, depthwise_forward, depthwise_backward,
	.keeps_input = true};

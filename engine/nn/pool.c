// SPDX-License-Identifier: GPL-3.0-or-later
// Pooling: averages over the whole image or over a window, maxima over a window.
#include <float.h>
#include <string.h>

#include "engine/nn/node.h"

static void pool_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	storage_scratch(l, n->out.c, 0, shape_size(n->in) > shape_size(n->out) ? shape_size(n->in) : shape_size(n->out));
}

// The input pixels of an output pixel: rows first_y..end_y, columns first_x..end_x.
struct field {
	int first_y, end_y, first_x, end_x;
};

static struct field field_of(const struct node *n, int oy, int ox)
{
	const struct window *w = &n->op->window;
	if (n->op->kind == OP_POOL)
		return (struct field){0, n->in.h, 0, n->in.w};
	int y = oy * w->stride - w->pad_h, x = ox * w->stride - w->pad_w;
	return (struct field){y > 0 ? y : 0, least(y + w->h, n->in.h), x > 0 ? x : 0, least(x + w->w, n->in.w)};
}

// What an average divides by: pixels beyond the edge count too, unless the window says that they do not.
static float area_of(const struct node *n, const struct field *f)
{
	if (n->op->kind == OP_POOL || n->op->inside)
		return (float)((f->end_y - f->first_y) * (f->end_x - f->first_x));
	return (float)(n->op->window.h * n->op->window.w);
}

static void pool_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node, *source = job->in[0];
	const struct kernels *k = job->net->kernels;
	bool greatest = n->op->kind == OP_MAXIMUM;
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = node_image(source, source->x, i);
		float *y = node_image(n, n->x, i);
		for (int oy = 0; oy < n->out.h; oy++)
			for (int ox = 0; ox < n->out.w; ox++, y += c) {
				struct field f = field_of(n, oy, ox);
				for (int j = 0; j < c; j++)
					y[j] = greatest ? -FLT_MAX : 0;
				for (int py = f.first_y; py < f.end_y; py++)
					for (int px = f.first_x; px < f.end_x; px++)
						(greatest ? k->maximum : k->accumulate)(x + ((long)py * n->in.w + px) * c, y, c);
				for (int j = 0; !greatest && j < c; j++)
					y[j] /= area_of(n, &f);
			}
	}
	job->net->peaks[chunk] = k->peak(node_image(n, n->x, span.first), span.count * shape_size(n->out));
}

static void pool_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, pool_images);
	job_peak(&job);
}

static void average_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	float *spare = job->net->scratch[worker].back, *share = job->net->scratch[worker].image;
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i);
		float *dx = gradient_image(job, 0, i, spare);
		memset(dx, 0, (size_t)shape_size(n->in) * sizeof *dx);
		for (int oy = 0; oy < n->out.h; oy++)
			for (int ox = 0; ox < n->out.w; ox++, dy += c) {
				struct field f = field_of(n, oy, ox);
				for (int j = 0; j < c; j++)
					share[j] = dy[j] / area_of(n, &f);
				for (int py = f.first_y; py < f.end_y; py++)
					for (int px = f.first_x; px < f.end_x; px++)
						k->accumulate(share, dx + ((long)py * n->in.w + px) * c, c);
			}
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

// To the first of the greatest.
static void maximum_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node, *source = job->in[0];
	float *spare = job->net->scratch[worker].back;
	int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i), *x = node_image(source, source->x, i);
		float *dx = gradient_image(job, 0, i, spare);
		memset(dx, 0, (size_t)shape_size(n->in) * sizeof *dx);
		for (int oy = 0; oy < n->out.h; oy++)
			for (int ox = 0; ox < n->out.w; ox++, dy += c) {
				struct field f = field_of(n, oy, ox);
				long first = ((long)f.first_y * n->in.w + f.first_x) * c;
				job->net->kernels->maximum_gradient(x + first, dy, f.end_y - f.first_y, f.end_x - f.first_x,
					(long)n->in.w * c, c, dx + first);
			}
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void average_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, average_gradients);
	gradient_end(&job);
}

static void maximum_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, maximum_gradients);
	gradient_end(&job);
}

const struct node_ops average_operator = {pool_reserve, NULL, pool_forward, average_backward, .keeps_input = false};
const struct node_ops maximum_operator = {pool_reserve, NULL, pool_forward, maximum_backward, .keeps_input = true};

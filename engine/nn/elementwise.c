// SPDX-License-Identifier: GPL-3.0-or-later
// Operators without parameters: activations, addition, gates, concatenation.
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

static void reserve_spare(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	storage_scratch(l, 0, 0, shape_size(n->in) > shape_size(n->out) ? shape_size(n->in) : shape_size(n->out));
}

// ---- activation ----

static void act_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	job->net->peaks[chunk] = job->net->kernels->activate(node_image(n, job->in[0]->x, span.first),
		span.count * shape_size(n->out), n->op->act, node_image(n, n->x, span.first));
}

static void act_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, act_images);
	job_peak(&job);
}

static void act_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		job->net->kernels->activate_gradient(node_image(n, job->in[0]->x, i), node_image(n, n->grad, i),
			shape_size(n->out), n->op->act, gradient_image(job, 0, i, spare));
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void act_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, act_gradients);
	gradient_end(&job);
}

const struct node_ops act_operator = {reserve_spare, NULL, act_forward, act_backward, .keeps_input = true};

// ---- addition ----

// An operand: as it is, or a norm's input with the norm yet to be applied.
struct operand {
	const float *x, *gain, *shift;
};

static struct operand operand_of(const struct job *job, int k, int image)
{
	const struct node *in = job->in[k];
	const float *x = node_image(in, node_behind(job->net, in)->x, image);
	return in->waits ? (struct operand){x, in->gain_scale, in->shift} : (struct operand){x, job->net->ones, job->net->zeros};
}

static void add_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	struct operand a = operand_of(job, 0, span.first), b = operand_of(job, 1, span.first);
	float *y = node_image(n, n->x, span.first);
	if (job->in[0]->waits || job->in[1]->waits)
		job->net->peaks[chunk] = k->add_affine(a.x, a.gain, a.shift, b.x, b.gain, b.shift, span.count * pixels_of(n->out),
			n->out.c, n->op->act, y);
	else
		job->net->peaks[chunk] = k->add(a.x, b.x, span.count * shape_size(n->out), n->op->act, y);
}

static void add_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, add_images);
	job_peak(&job);
}

// The slope is known from the output.
static void add_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++)
		for (int k = 0; k < 2; k++) {
			job->net->kernels->activate_gradient(node_image(n, n->x, i), node_image(n, n->grad, i),
				shape_size(n->out), n->op->act, gradient_image(job, k, i, spare));
			gradient_image_done(job, k, chunk, i, spare);
		}
}

static void add_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, add_gradients);
	gradient_end(&job);
}

const struct node_ops add_operator = {reserve_spare, NULL, add_forward, add_backward, .keeps_output = true};

// ---- gate: every channel times a number of its own ----

static void scale_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct network *net = job->net;
	const struct node *n = job->node;
	float top = 0;
	for (int i = span.first; i < span.first + span.count; i++) {
		float peak = net->kernels->affine(node_image(n, job->in[0]->x, i), (long)n->out.h * n->out.w, n->out.c,
			node_image(job->in[1], job->in[1]->x, i), net->zeros, ACT_NONE, node_image(n, n->x, i));
		top = peak > top ? peak : top;
	}
	net->peaks[chunk] = top;
}

static void scale_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, scale_images);
	job_peak(&job);
}

static void scale_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct network *net = job->net;
	const struct kernels *k = net->kernels;
	const struct node *n = job->node;
	int c = n->out.c;
	long pixels = (long)n->out.h * n->out.w;
	float *spare = net->scratch[worker].back;
	double *sum = net->sums + (long)chunk * net->sum_stride;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = node_image(n, job->in[0]->x, i), *dy = node_image(n, n->grad, i),
			    *gate = node_image(job->in[1], job->in[1]->x, i);
		memset(sum, 0, 2 * (size_t)c * sizeof *sum);
		k->affine_sums(x, dy, pixels, c, gate, net->zeros, ACT_NONE, net->zeros, sum, sum + c);
		k->affine_gradient(x, dy, pixels, c, gate, net->zeros, ACT_NONE, gate, net->zeros, net->zeros,
			gradient_image(job, 0, i, spare));
		gradient_image_done(job, 0, chunk, i, spare);
		float *dgate = gradient_image(job, 1, i, spare);
		for (int j = 0; j < c; j++)
			dgate[j] = (float)sum[c + j];
		gradient_image_done(job, 1, chunk, i, spare);
	}
}

static void scale_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, scale_gradients);
	gradient_end(&job);
}

const struct node_ops scale_operator = {reserve_spare, NULL, scale_forward, scale_backward, .keeps_input = true};

// ---- concatenation ----

static void concat_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker, (void)chunk;
	const struct node *n = job->node;
	long pixels = (long)n->out.h * n->out.w;
	float *y = node_image(n, n->x, span.first);
	for (int k = 0; k < n->op->inputs; k++) {
		int c = job->in[k]->out.c;
		const float *x = node_image(job->in[k], job->in[k]->x, span.first);
		for (long p = 0; p < span.count * pixels; p++)
			memcpy(y + p * n->out.c, x + p * c, (size_t)c * sizeof *y);
		y += c;
	}
}

// The largest of its inputs' peaks, where they are known; else it is looked up if a layer asks.
static void concat_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, concat_images);
	n->peak = 0;
	for (int k = 0; k < n->op->inputs && n->peak >= 0; k++)
		n->peak = job.in[k]->peak < 0 ? -1 : fmaxf(n->peak, job.in[k]->peak);
}

static void concat_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	long pixels = (long)n->out.h * n->out.w;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i);
		for (int k = 0; k < n->op->inputs; k++) {
			int c = job->in[k]->out.c;
			float *dx = gradient_image(job, k, i, spare);
			for (long p = 0; p < pixels; p++)
				memcpy(dx + p * c, dy + p * n->out.c, (size_t)c * sizeof *dx);
			gradient_image_done(job, k, chunk, i, spare);
			dy += c;
		}
	}
}

static void concat_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, concat_gradients);
	gradient_end(&job);
}

const struct node_ops concat_operator = {reserve_spare, NULL, concat_forward, concat_backward, .keeps_input = false};

// SPDX-License-Identifier: GPL-3.0-or-later
// Layer norm: every pixel over its channels (Ba, Kiros and Hinton, Layer normalization, 2016).
#include <string.h>

#include "engine/nn/node.h"

static const float EPSILON = 1e-6f;

static void layernorm_reserve(const struct network *net, struct node *n, struct storage *l)
{
	n->gain = storage_parameter(l, &n->gain_now, n->out.c, FILL_ONE, 0);
	n->bias = storage_parameter(l, &n->bias_now, n->out.c, FILL_ZERO, 0);
	n->kept = storage_work(l, net->batch * shape_size(n->in));
	n->inverse = storage_work(l, net->batch * pixels_of(n->in));
	storage_scratch(l, 0, 0, shape_size(n->in));
	storage_partial(l, n, 2L * n->out.c, NN_CHUNKS);
}

static void forward_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct network *net = job->net;
	const struct node *n = job->node;
	net->peaks[chunk] = net->kernels->layernorm(node_image(job->in[0], job->in[0]->x, span.first),
		span.count * pixels_of(n->in), n->in.c, n->op->alpha > 0 ? n->op->alpha : EPSILON, n->gain_now, n->bias_now,
		node_image(n, n->kept, span.first), n->inverse + span.first * pixels_of(n->in), node_image(n, n->x, span.first));
}

static void layernorm_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, forward_images);
	job_peak(&job);
}

static void backward_images(const struct job *job, struct span span, int chunk, int worker)
{
	struct network *net = job->net;
	const struct node *n = job->node;
	int c = n->in.c;
	float *partial = net->partial + chunk * n->partial_stride, *spare = net->scratch[worker].back;
	memset(partial, 0, 2 * (size_t)c * sizeof *partial);
	for (int i = span.first; i < span.first + span.count; i++) {
		net->kernels->layernorm_gradient(node_image(n, n->kept, i), n->inverse + i * pixels_of(n->in),
			node_image(n, n->grad, i), pixels_of(n->in), c, n->gain_now, gradient_image(job, 0, i, spare), partial,
			partial + c);
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void layernorm_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, backward_images);
	gradient_end(&job);
	for (int j = 0; j < n->in.c && !n->op->bare; j++) {
		double gain = 0, bias = 0;
		for (int chunk = 0; chunk < job.chunks; chunk++) {
			gain += (double)net->partial[chunk * n->partial_stride + j];
			bias += (double)net->partial[chunk * n->partial_stride + n->in.c + j];
		}
		net->gradient[n->gain + j] = (float)gain;
		net->gradient[n->bias + j] = (float)bias;
	}
}

const struct node_ops layernorm_operator = {layernorm_reserve, NULL, layernorm_forward, layernorm_backward, .keeps_input = false};

// SPDX-License-Identifier: GPL-3.0-or-later
// Operators without parameters: addition, pooling.
#include <string.h>

#include "engine/nn/node.h"

struct job {
	struct network *net;
	struct node *node;
	struct node *in[2];
};

static struct job job_of(struct network *net, struct node *n)
{
	struct job job = {net, n, {&net->node[n->op->in[0]], NULL}};
	if (n->op->inputs > 1)
		job.in[1] = &net->node[n->op->in[1]];
	return job;
}

static void add_image(void *context, int image, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	job->net->peaks[image] = job->net->kernels->add(node_image(n, job->in[0]->x, image), node_image(n, job->in[1]->x, image),
		shape_size(n->out), n->op->act == ACT_RELU, node_image(n, n->x, image));
}

void add_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	team_run(net->team, net->images, add_image, &job);
	n->peak = net->kernels->peak(net->peaks, net->images);
}

static void add_gradient_image(void *context, int image, int worker)
{
	const struct job *job = context;
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	long size = shape_size(n->out);
	for (int i = 0; i < 2; i++) {
		float *to = node_image(n, job->in[i]->grad, image);
		float *into = job->in[i]->grad_written ? job->net->scratch[worker].back : to;
		k->add_gradient(node_image(n, n->x, image), node_image(n, n->grad, image), size, n->op->act == ACT_RELU, into);
		if (into != to)
			k->accumulate(into, to, size);
	}
}

void add_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	team_run(net->team, net->images, add_gradient_image, &job);
	job.in[0]->grad_written = job.in[1]->grad_written = true;
}

static void pool_image(void *context, int image, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	const float *x = node_image(job->in[0], job->in[0]->x, image);
	float *y = node_image(n, n->x, image);
	int pixels = n->in.h * n->in.w;
	memset(y, 0, (size_t)n->out.c * sizeof *y);
	for (int p = 0; p < pixels; p++)
		job->net->kernels->accumulate(x + (long)p * n->out.c, y, n->out.c);
	for (int j = 0; j < n->out.c; j++)
		y[j] /= (float)pixels;
	job->net->peaks[image] = job->net->kernels->peak(y, n->out.c);
}

void pool_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	team_run(net->team, net->images, pool_image, &job);
	n->peak = net->kernels->peak(net->peaks, net->images);
}

static void pool_gradient_image(void *context, int image, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	const float *dy = node_image(n, n->grad, image);
	float *dx = node_image(job->in[0], job->in[0]->grad, image);
	int pixels = n->in.h * n->in.w;
	bool add = job->in[0]->grad_written;
	for (int p = 0; p < pixels; p++, dx += n->out.c)
		for (int j = 0; j < n->out.c; j++)
			dx[j] = (add ? dx[j] : 0) + dy[j] / (float)pixels;
}

void pool_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	team_run(net->team, net->images, pool_gradient_image, &job);
	job.in[0]->grad_written = true;
}

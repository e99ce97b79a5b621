// SPDX-License-Identifier: GPL-3.0-or-later
// Parallel loops over images in fixed chunks, and where gradients go.
#include "engine/nn/node.h"

struct job job_of(struct network *net, struct node *n)
{
	struct job job = {.net = net, .node = n, .chunks = least(net->images, NN_CHUNKS)};
	for (int k = 0; k < n->op->inputs; k++)
		job.in[k] = &net->node[n->op->in[k]];
	return job;
}

static void run_chunk(void *context, int chunk, int worker)
{
	const struct job *job = context;
	int first = job->net->images * chunk / job->chunks, end = job->net->images * (chunk + 1) / job->chunks;
	job->work(job, (struct span){first, end - first}, chunk, worker);
}

void job_run(struct job *job, void (*work)(const struct job *, struct span, int chunk, int worker))
{
	job->work = work;
	team_run(job->net->team, job->chunks, run_chunk, job);
}

void job_peak(const struct job *job)
{
	job->node->peak = job->net->kernels->peak(job->net->peaks, job->chunks);
}

// By another consumer, or by this one where it reads one operator more than once.
static bool written(const struct job *job, int k)
{
	for (int before = 0; before < k; before++)
		if (job->in[before] == job->in[k])
			return true;
	return job->in[k]->grad_written;
}

// Whether what is written for input k is the last of its gradient.
static bool completes(const struct job *job, int k)
{
	for (int after = k + 1; after < job->node->op->inputs; after++)
		if (job->in[after] == job->in[k])
			return false;
	return job->in[k]->reader == job->node->op - job->net->model->op;
}

float *gradient_place(const struct job *job, int k, long pixel, float *spare)
{
	const struct node *to = job->in[k];
	return to->grad && !written(job, k) ? to->grad + pixel * to->out.c : spare;
}

void gradient_done(const struct job *job, int k, int chunk, long pixel, long pixels, float *spare)
{
	const struct node *to = job->in[k];
	const struct kernels *kernels = job->net->kernels;
	int c = to->out.c;
	if (!to->grad)
		return;
	if (written(job, k))
		kernels->accumulate(spare, to->grad + pixel * c, pixels * c);
	if (to->op->kind == OP_NORM && completes(job, k)) {
		double *sum = to->sums + (long)chunk * 2 * c;
		kernels->affine_sums(job->net->node[to->op->in[0]].x + pixel * c, to->grad + pixel * c, pixels, c, to->gain_scale,
			to->shift, to->op->act, to->mean, sum, sum + c);
	}
}

float *gradient_image(const struct job *job, int k, int image, float *spare)
{
	return gradient_place(job, k, image * pixels_of(job->in[k]->out), spare);
}

void gradient_image_done(const struct job *job, int k, int chunk, int image, float *spare)
{
	gradient_done(job, k, chunk, image * pixels_of(job->in[k]->out), pixels_of(job->in[k]->out), spare);
}

void gradient_end(const struct job *job)
{
	for (int k = 0; k < job->node->op->inputs; k++)
		job->in[k]->grad_written = true;
}

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

void job_add_sums(const struct job *job, int channels, double *total)
{
	const struct network *net = job->net;
	for (int j = 0; j < 2 * channels; j++)
		total[j] = net->sums[j];
	for (int chunk = 1; chunk < job->chunks; chunk++)
		for (int j = 0; j < 2 * channels; j++)
			total[j] += net->sums[(long)chunk * net->sum_stride + j];
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

float *gradient_place(const struct job *job, int k, int image, float *spare)
{
	const struct node *to = job->in[k];
	return to->grad && !written(job, k) ? node_image(to, to->grad, image) : spare;
}

void gradient_done(const struct job *job, int k, int image, float *spare)
{
	const struct node *to = job->in[k];
	if (to->grad && written(job, k))
		job->net->kernels->accumulate(spare, node_image(to, to->grad, image), shape_size(to->out));
}

void gradient_end(const struct job *job)
{
	for (int k = 0; k < job->node->op->inputs; k++)
		job->in[k]->grad_written = true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Batch norm over images and pixels, then the activation. y = act(gain * (x - mean) / deviation + bias), computed as
// act(x * gain_scale + shift). (Ioffe and Szegedy, Batch normalization, 2015; gradient as there, section 3.)
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

static const double EPSILON = 1e-5;

struct job {
	struct network *net;
	struct node *node;
	struct node *source;
	int chunks;
	float *dx; // where the gradient of the input goes
};

// Chunks of images: enough of them to share, large enough that their sums are cheap to add up.
static int chunks_of(const struct network *net)
{
	return net->images < 2 * NN_CHUNKS ? net->images : 2 * NN_CHUNKS;
}

static long first_pixel(const struct job *job, int chunk)
{
	return (long)job->net->images * chunk / job->chunks * job->node->in.h * job->node->in.w;
}

static void sum_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	struct network *net = job->net;
	int c = job->node->in.c;
	long from = first_pixel(job, chunk), to = first_pixel(job, chunk + 1);
	double *sum = net->sums + (long)chunk * net->sum_stride;
	memset(sum, 0, 2 * (size_t)c * sizeof *sum);
	net->kernels->channel_sums(job->source->x + from * c, to - from, c, sum, sum + c);
}

static void add_up(struct network *net, int chunks, int c)
{
	for (int chunk = 1; chunk < chunks; chunk++)
		for (int j = 0; j < 2 * c; j++)
			net->sums[j] += net->sums[(long)chunk * net->sum_stride + j];
}

static void apply_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	int c = n->in.c;
	long from = first_pixel(job, chunk), to = first_pixel(job, chunk + 1);
	job->net->peaks[chunk] = job->net->kernels->affine(job->source->x + from * c, to - from, c, n->gain_scale, n->shift,
		n->op->act == ACT_RELU, n->x + from * c);
}

void norm_forward(struct network *net, struct node *n)
{
	struct job job = {.net = net, .node = n, .source = &net->node[n->op->in[0]], .chunks = chunks_of(net)};
	int c = n->in.c;
	double pixels = (double)net->images * n->in.h * n->in.w;
	double *moments = net->sums;
	if (net->pass == PASS_FIXED) {
		moments = net->calibration->moments + net->calibration->offset[n->op - net->model->op];
		pixels = 1;
	} else {
		team_run(net->team, job.chunks, sum_chunk, &job);
		add_up(net, job.chunks, c);
	}
	for (int j = 0; j < c; j++) {
		double mean = moments[j] / pixels, variance = fmax(0, moments[c + j] / pixels - mean * mean);
		if (net->pass == PASS_CALIBRATE) {
			double *kept = net->calibration->moments + net->calibration->offset[n->op - net->model->op];
			kept[j] += (mean - kept[j]) / net->calibration->batches;
			kept[c + j] += (moments[c + j] / pixels - kept[c + j]) / net->calibration->batches;
		}
		double inverse = 1 / sqrt(variance + EPSILON), gain = (double)net->weights[n->gain + j];
		n->mean[j] = (float)mean;
		n->deviation_inverse[j] = (float)inverse;
		n->gain_scale[j] = (float)(gain * inverse);
		n->shift[j] = (float)((double)net->weights[n->bias + j] - gain * inverse * mean);
	}
	team_run(net->team, job.chunks, apply_chunk, &job);
	n->peak = net->kernels->peak(net->peaks, job.chunks);
}

static void sum_gradient_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	struct network *net = job->net;
	int c = n->in.c;
	long from = first_pixel(job, chunk), to = first_pixel(job, chunk + 1);
	double *sum = net->sums + (long)chunk * net->sum_stride;
	memset(sum, 0, 2 * (size_t)c * sizeof *sum);
	net->kernels->affine_sums(job->source->x + from * c, n->grad + from * c, to - from, c, n->gain_scale, n->shift,
		n->op->act == ACT_RELU, n->mean, sum, sum + c);
}

static void apply_gradient_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	int c = n->in.c;
	long from = first_pixel(job, chunk), to = first_pixel(job, chunk + 1);
	job->net->kernels->affine_gradient(job->source->x + from * c, n->grad + from * c, to - from, c, n->gain_scale, n->shift,
		n->op->act == ACT_RELU, n->ka, n->kb, n->kc, job->dx + from * c);
}

void norm_backward(struct network *net, struct node *n)
{
	struct node *source = &net->node[n->op->in[0]];
	struct job job = {.net = net, .node = n, .source = source, .chunks = chunks_of(net), .dx = source->grad};
	int c = n->in.c;
	double pixels = (double)net->images * n->in.h * n->in.w;
	team_run(net->team, job.chunks, sum_gradient_chunk, &job);
	add_up(net, job.chunks, c);
	for (int j = 0; j < c; j++) {
		// With h = (x - mean) * inverse and sums over the batch of size m:
		// dx = gain * inverse * (g - sum(g)/m - h * sum(g*h)/m) = ka*g + kb*x + kc
		double inverse = (double)n->deviation_inverse[j], gain = (double)net->weights[n->gain + j];
		double sum = net->sums[j], sum_h = net->sums[c + j] * inverse;
		double ka = gain * inverse, kb = -ka * inverse * sum_h / pixels;
		net->gradient[n->bias + j] = (float)sum;
		net->gradient[n->gain + j] = (float)sum_h;
		n->ka[j] = (float)ka;
		n->kb[j] = (float)kb;
		n->kc[j] = (float)(-ka * sum / pixels - kb * (double)n->mean[j]);
	}
	team_run(net->team, job.chunks, apply_gradient_chunk, &job);
	source->grad_written = true;
}

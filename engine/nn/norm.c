// SPDX-License-Identifier: GPL-3.0-or-later
// Batch norm over images and pixels, then the activation. y = act(gain * (x - mean) / deviation + bias), computed as
// act(x * gain_scale + shift). (Ioffe and Szegedy, Batch normalization, 2015; gradient as there, section 3.)
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

static const double EPSILON = 1e-5;

static void norm_lay(const struct network *net, struct node *n, struct layout *l)
{
	(void)net;
	int c = n->out.c;
	n->gain = layout_parameter(l, c, FILL_ONE, 0);
	n->bias = layout_parameter(l, c, FILL_ZERO, 0);
	for (int i = 0; i < 7; i++)
		*(float **[]){&n->mean, &n->deviation_inverse, &n->gain_scale, &n->shift, &n->ka, &n->kb, &n->kc}[i] = layout_work(l, c);
	layout_scratch(l, 0, 0, shape_size(n->in));
}

static void sum_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	struct network *net = job->net;
	int c = job->node->in.c;
	double *sum = net->sums + (long)chunk * net->sum_stride;
	memset(sum, 0, 2 * (size_t)c * sizeof *sum);
	net->kernels->channel_sums(node_image(job->in[0], job->in[0]->x, span.first), (long)span.count * job->node->in.h * job->node->in.w, c,
		sum, sum + c);
}

static void apply_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	job->net->peaks[chunk] = job->net->kernels->affine(node_image(job->in[0], job->in[0]->x, span.first), (long)span.count * n->in.h * n->in.w,
		n->in.c, n->gain_scale, n->shift, n->op->act, node_image(n, n->x, span.first));
}

static void norm_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	int c = n->in.c;
	double pixels = (double)net->images * n->in.h * n->in.w;
	double *moments = job.in[0]->sums;
	if (net->pass == PASS_FIXED) {
		moments = net->calibration->moments + net->calibration->offset[n->op - net->model->op];
		pixels = 1;
	} else if (!moments) {
		moments = net->sums;
		job_run(&job, sum_images);
		job_add_sums(&job, c, moments);
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
	job_run(&job, apply_images);
	job_peak(&job);
}

static void sum_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	struct network *net = job->net;
	int c = n->in.c;
	double *sum = net->sums + (long)chunk * net->sum_stride;
	memset(sum, 0, 2 * (size_t)c * sizeof *sum);
	net->kernels->affine_sums(node_image(job->in[0], job->in[0]->x, span.first), node_image(n, n->grad, span.first),
		(long)span.count * n->in.h * n->in.w, c, n->gain_scale, n->shift, n->op->act, n->mean, sum, sum + c);
}

static void apply_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	(void)chunk;
	const struct node *n = job->node, *source = job->in[0];
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		job->net->kernels->affine_gradient(node_image(source, source->x, i), node_image(n, n->grad, i), (long)n->in.h * n->in.w, n->in.c,
			n->gain_scale, n->shift, n->op->act, n->ka, n->kb, n->kc, gradient_place(job, 0, i, spare));
		gradient_done(job, 0, i, spare);
	}
}

static void norm_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	int c = n->in.c;
	double pixels = (double)net->images * n->in.h * n->in.w;
	job_run(&job, sum_gradients);
	job_add_sums(&job, c, net->sums);
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
	job_run(&job, apply_gradients);
	gradient_end(&job);
}

const struct operator norm_operator = {norm_lay, NULL, norm_forward, norm_backward, .keeps_input = true};

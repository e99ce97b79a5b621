// SPDX-License-Identifier: GPL-3.0-or-later
// Batch norm over images and pixels, then the activation. y = act(gain * (x - mean) / deviation + bias), computed as
// act(x * gain_scale + shift). (Ioffe and Szegedy, Batch normalization, 2015; gradient as there, section 3.)
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

const double norm_epsilon = 1e-5;
static const float DIP = 0.278464543f; // how far swish goes below 0

static void norm_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	int c = n->out.c;
	n->gain = storage_parameter(l, &n->gain_now, c, FILL_ONE, 0);
	n->bias = storage_parameter(l, &n->bias_now, c, FILL_ZERO, 0);
	for (int i = 0; i < 7; i++)
		*(float **[]){&n->mean, &n->deviation_inverse, &n->gain_scale, &n->shift, &n->ka, &n->kb,
			&n->kc}[i] = storage_work(l, c);
	n->extremes = storage_work(l, NN_CHUNKS * 2L * c);
	n->sums = (double *)(void *)storage_work(l, 2 * NN_CHUNKS * 2L * c);
	storage_scratch(l, 0, 0, shape_size(n->in));
}

void norm_reserve_sets(const struct network *net, struct node *n, struct storage *l)
{
	for (int s = 0; s < net->sets; s++) {
		long at = storage_set(l, &n->own_now, norm_set_size(n), s);
		if (s == 0)
			n->own = at;
		n->own_stride = s ? (at - n->own) / s : 0;
	}
}

long norm_own(const struct node *n, int set)
{
	return n->own + set * n->own_stride;
}

void norm_add_sums(const struct network *net, const struct node *n, int chunk, bool fresh, const float *x, long pixels)
{
	int c = n->in.c;
	double *sum = n->sums + chunk * 2L * c;
	float *low = n->extremes + chunk * 2L * c, *high = low + c;
	if (fresh) {
		memset(sum, 0, 2 * (size_t)c * sizeof *sum);
		memcpy(low, x, (size_t)c * sizeof *low);
		memcpy(high, x, (size_t)c * sizeof *high);
	}
	net->kernels->channel_sums(x, pixels, c, sum, sum + c);
	if (n->waits)
		net->kernels->channel_extremes(x, pixels, c, low, high);
}

static void sum_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	norm_add_sums(job->net, job->node, chunk, true, node_image(job->in[0], job->in[0]->x, span.first),
		span.count * pixels_of(job->node->in));
}

static void apply_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	job->net->peaks[chunk] = job->net->kernels->affine(node_image(job->in[0], job->in[0]->x, span.first),
		span.count * pixels_of(n->in), n->in.c, n->gain_scale, n->shift, n->op->act, node_image(n, n->x, span.first));
}

// Adds the chunks' sums up, in the first chunk's place, which it returns.
static double *add_up(const struct node *n, int chunks)
{
	for (int chunk = 1; chunk < chunks; chunk++)
		for (int j = 0; j < 2 * n->in.c; j++)
			n->sums[j] += n->sums[chunk * 2L * n->in.c + j];
	return n->sums;
}

// The largest magnitude of what is not written out: each channel's is that of an extreme, but for swish's dip between them. (ka and kb
// are free until the backward pass.)
static float waiting_peak(const struct network *net, const struct node *n, int chunks)
{
	const struct kernels *k = net->kernels;
	int c = n->in.c;
	float *low = n->extremes, *high = low + c;
	for (int chunk = 1; chunk < chunks; chunk++)
		k->channel_extremes(n->extremes + chunk * 2L * c, 2, c, low, high);
	float a = k->affine(low, 1, c, n->gain_scale, n->shift, n->op->act, n->ka);
	float b = k->affine(high, 1, c, n->gain_scale, n->shift, n->op->act, n->kb);
	float dip = n->op->act == ACT_SWISH ? DIP : 0;
	return fmaxf(dip, fmaxf(a, b));
}

static double gain_of(const struct network *net, const struct node *n, int channel)
{
	double shared = (double)n->gain_now[channel];
	return net->sets ? shared + (double)n->own_now[channel] : shared;
}

static double bias_of(const struct network *net, const struct node *n, int channel)
{
	double shared = (double)n->bias_now[channel];
	return net->sets ? shared + (double)n->own_now[n->out.c + channel] : shared;
}

// What moves the shared part moves the part of the set in use, and no other set.
static void give_to_set(struct network *net, const struct node *n)
{
	size_t c = (size_t)n->out.c;
	for (int s = 0; s < net->sets; s++) {
		float *own = net->gradient + norm_own(n, s);
		memset(own, 0, (size_t)norm_set_size(n) * sizeof *own);
		if (s == n->set) {
			memcpy(own, net->gradient + n->gain, c * sizeof *own);
			memcpy(own + c, net->gradient + n->bias, c * sizeof *own);
		}
	}
}

static void norm_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	int c = n->in.c;
	double pixels = (double)(net->images * pixels_of(n->in)), *moments = n->sums;
	const float *given = net->statistics ? net->statistics + net->statistics_at[n->home] : NULL;
	if (net->pass == PASS_FIXED) {
		moments = net->calibration->moments + net->calibration->offset[n->home];
		pixels = 1;
	} else {
		if (job.in[0]->norm != n)
			job_run(&job, sum_images);
		moments = add_up(n, job.chunks);
	}
	for (int j = 0; j < c; j++) {
		double mean = moments[j] / pixels, square = moments[c + j] / pixels, variance = fmax(0, square - mean * mean);
		if (given) {
			mean = (double)given[j];
			variance = (double)given[c + j];
			square = variance + mean * mean;
		}
		if (net->pass == PASS_CALIBRATE) {
			double *kept = net->calibration->moments + net->calibration->offset[n->home];
			kept[j] += (mean - kept[j]) / net->calibration->batches;
			kept[c + j] += (square - kept[c + j]) / net->calibration->batches;
		}
		double inverse = 1 / sqrt(variance + norm_epsilon), gain = gain_of(net, n, j);
		n->mean[j] = (float)mean;
		n->deviation_inverse[j] = (float)inverse;
		n->gain_scale[j] = (float)(gain * inverse);
		n->shift[j] = (float)(bias_of(net, n, j) - gain * inverse * mean);
	}
	if (net->pass == PASS_TRAIN)
		memset(n->sums, 0, NN_CHUNKS * 2 * (size_t)c * sizeof *n->sums); // for the backward pass
	if (!n->waits) {
		job_run(&job, apply_images);
		job_peak(&job);
	} else if (net->pass != PASS_FIXED) {
		n->peak = waiting_peak(net, n, job.chunks);
	}
}

static void sum_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	double *sum = n->sums + chunk * 2L * n->in.c;
	job->net->kernels->affine_sums(node_image(job->in[0], job->in[0]->x, span.first), node_image(n, n->grad, span.first),
		span.count * pixels_of(n->in), n->in.c, n->gain_scale, n->shift, n->op->act, n->mean, sum, sum + n->in.c);
}

static void apply_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node, *source = job->in[0];
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		job->net->kernels->affine_gradient(node_image(source, source->x, i), node_image(n, n->grad, i), pixels_of(n->in),
			n->in.c, n->gain_scale, n->shift, n->op->act, n->ka, n->kb, n->kc, gradient_image(job, 0, i, spare));
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void norm_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	int c = n->in.c;
	double pixels = (double)(net->images * pixels_of(n->in));
	if (n->reader < 0)
		job_run(&job, sum_gradients);
	const double *sums = add_up(n, NN_CHUNKS);
	for (int j = 0; j < c; j++) {
		// With h = (x - mean) * inverse and sums over the batch of size m:
		// dx = gain * inverse * (g - sum(g)/m - h * sum(g*h)/m) = ka*g + kb*x + kc
		double inverse = (double)n->deviation_inverse[j], gain = gain_of(net, n, j);
		double sum = sums[j], sum_h = sums[c + j] * inverse;
		// Statistics that were given do not depend on x: only the first term is left.
		double ka = gain * inverse, kb = net->statistics ? 0 : -ka * inverse * sum_h / pixels;
		net->gradient[n->bias + j] = (float)sum;
		net->gradient[n->gain + j] = (float)sum_h;
		n->ka[j] = (float)ka;
		n->kb[j] = (float)kb;
		n->kc[j] = net->statistics ? 0 : (float)(-ka * sum / pixels - kb * (double)n->mean[j]);
	}
	give_to_set(net, n);
	if (job.in[0]->norm == n)
		return; // the layer takes it through itself
	job_run(&job, apply_gradients);
	gradient_end(&job);
}

const struct node_ops norm_operator = {norm_reserve, NULL, norm_forward, norm_backward, .keeps_input = true};

// SPDX-License-Identifier: GPL-3.0-or-later
// What convolutions and linear layers share: rounding of weights, ranges of input activations, sums of gradients.
#include <string.h>

#include "engine/nn/node.h"

void layer_quantize_weights(struct network *net, struct node *n)
{
	const struct kernels *k = net->kernels;
	int format = net->plan->layer[n->op->layer].weight;
	struct grid grid = format_grid(format, false);
	const float *w = net->weights + n->weights;
	int c = n->out.c;
	float *scale = n->weight_scale;
	memset(scale, 0, (size_t)c * sizeof *scale);
	if (net->quantization.per_channel)
		k->channel_peaks(w, n->weight_count / c, c, scale);
	else
		scale[0] = k->peak(w, n->weight_count);
	for (int j = 0; j < c; j++)
		scale[j] = j == 0 || net->quantization.per_channel ? format_scale(format, &grid, scale[j]) : scale[0];
	k->quantize_channels(&grid, scale, w, n->quantized, n->weight_count / c, c);
}

struct peak_job {
	const struct network *net;
	const struct node *source;
};

static void peak_image(void *context, int image, int worker)
{
	(void)worker;
	const struct peak_job *job = context;
	const struct node *n = job->source;
	job->net->peaks[image] = job->net->kernels->peak(node_image(n, n->x, image), shape_size(n->out));
}

// Most operators leave the peak of what they write; for the input and for convolutions it is looked up here, once.
static float peak_of(struct network *net, struct node *source)
{
	if (source->peak < 0) {
		struct peak_job job = {net, source};
		team_run(net->team, net->images, peak_image, &job);
		source->peak = net->kernels->peak(net->peaks, net->images);
	}
	return source->peak;
}

struct histogram_job {
	const struct network *net;
	const float *x;
	long count;
	float peak;
};

static void count_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct histogram_job *job = context;
	uint32_t *counts = job->net->histograms + chunk * RANGE_BINS;
	long from = job->count * chunk / NN_CHUNKS, to = job->count * (chunk + 1) / NN_CHUNKS;
	memset(counts, 0, RANGE_BINS * sizeof *counts);
	job->net->kernels->histogram(job->x + from, to - from, job->peak, counts, RANGE_BINS);
}

static const uint32_t *histogram_of(struct network *net, struct node *source)
{
	struct histogram_job job = {net, source->x, net->images * shape_size(source->out), peak_of(net, source)};
	team_run(net->team, NN_CHUNKS, count_chunk, &job);
	for (int c = 1; c < NN_CHUNKS; c++)
		for (int i = 0; i < RANGE_BINS; i++)
			net->histograms[i] += net->histograms[c * RANGE_BINS + i];
	return net->histograms;
}

// The range of the present batch, by the estimator that was asked for.
static float present_range(struct network *net, const struct node *n, struct node *source, int format,
	bool positive)
{
	const struct quantization *q = &net->quantization;
	float *moving = &net->ranges[n->op->layer], peak = peak_of(net, source);
	if (format_table[format].kind == FORMAT_CAST)
		return peak;
	switch (q->range) {
	case RANGE_PERCENTILE:
		return range_percentile(histogram_of(net, source), peak, q->percentile);
	case RANGE_MSE:
		return range_mse(net->kernels, histogram_of(net, source), peak, format, positive);
	case RANGE_EMA:
		if (net->pass != PASS_TRAIN)
			return peak;
		*moving = *moving > 0 ? RANGE_EMA_KEEP * *moving + (1 - RANGE_EMA_KEEP) * peak : peak;
		return *moving;
	case RANGE_MAX:
		break;
	}
	return peak;
}

void layer_settle_range(struct network *net, struct node *n)
{
	int layer = n->op->layer, format = net->plan->layer[layer].activation;
	bool positive = net->model->layer[layer].positive && net->quantization.unsigned_positive;
	struct calibration *cal = net->calibration;
	n->grid = format_grid(format, positive);
	n->range = net->pass == PASS_FIXED ? cal->range[layer]
		: present_range(net, n, &net->node[n->op->in[0]], format, positive);
	// The mean over the batches, for RANGE_MAX too: the weights were trained with a batch's own largest magnitude, and a narrow
	// format's grid must be the one that they know.
	if (net->pass == PASS_CALIBRATE)
		cal->range[layer] += (n->range - cal->range[layer]) / (float)cal->batches;
	n->scale = format_scale(format, &n->grid, n->range);
}

struct reduce_job {
	struct network *net;
	struct node *node;
	int chunks;
};
enum { REDUCE = 16384 };

static void reduce_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct reduce_job *job = context;
	struct network *net = job->net;
	long from = (long)chunk * REDUCE, to = from + REDUCE;
	if (to > job->node->weight_count)
		to = job->node->weight_count;
	float *sum = net->gradient + job->node->weights + from;
	memcpy(sum, net->partial + from, (size_t)(to - from) * sizeof *sum);
	for (int c = 1; c < job->chunks; c++)
		net->kernels->accumulate(net->partial + c * net->partial_stride + from, sum, to - from);
}

void layer_reduce_gradient(struct network *net, struct node *n, int chunks)
{
	struct reduce_job job = {net, n, chunks};
	team_run(net->team, (int)((n->weight_count + REDUCE - 1) / REDUCE), reduce_chunk, &job);
}

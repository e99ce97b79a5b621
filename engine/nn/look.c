// SPDX-License-Identifier: GPL-3.0-or-later
// Looks at layers in one forward pass: each layer, once its input is there, is computed in fp32 and in the plan's formats, and the layer that is
// looked at in each of its own; the pass goes on with the plan's.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"

struct looking {
	struct network *net;
	const int *format;
	struct layer_look *look;
	struct layer_plan *plan; // [layers of the model], to be set and set back
	int exact;               // fp32
	float *output;           // of the layer in hand, in fp32
	float *input, *rounded;  // of the one that is looked at
};

static double decibels(double signal, double noise)
{
	return noise > 0 ? 10 * log10(signal / noise) : (double)INFINITY;
}

static double noise_of(const float *exact, const float *rounded, long count)
{
	double signal = 0, noise = 0;
	for (long i = 0; i < count; i++) {
		double error = (double)exact[i] - (double)rounded[i];
		signal += (double)exact[i] * (double)exact[i];
		noise += error * error;
	}
	return decibels(signal, noise);
}

static void count_values(const float *x, long count, struct look_values *v)
{
	double sum = 0, squares = 0;
	*v = (struct look_values){.count = count};
	for (long i = 0; i < count; i++) {
		double at = (double)x[i];
		sum += at;
		squares += at * at;
		v->low = i == 0 ? at : fmin(v->low, at);
		v->peak = fmax(v->peak, fabs(at));
	}
	v->mean = sum / (double)count;
	v->deviation = sqrt(fmax(0, squares / (double)count - v->mean * v->mean));
	for (long i = 0; i < count && v->peak > 0; i++) {
		int bin = (int)((double)x[i] / v->peak * (LOOK_BINS / 2) + LOOK_BINS / 2);
		v->bin[bin < 0 ? 0 : bin >= LOOK_BINS ? LOOK_BINS - 1 : bin]++;
	}
}

// What a format makes of the weights; room[n->weight_count] is overwritten.
static void look_at_weights(struct network *net, struct node *n, int format, float *room, struct format_look *look)
{
	struct grid grid = layer_weight_scales(net, n, format);
	const int c = n->out.c;
	long zeros = 0;
	layer_round_weights(net, &grid, n->weight_scale, n->weights_now, c, n->weight_count / c, c, room);
	for (long i = 0; i < n->weight_count; i++)
		zeros += room[i] == 0;
	look->step = layer_widest_step(n, &grid);
	look->noise = noise_of(n->weights_now, room, n->weight_count);
	look->zeros = (double)zeros / (double)n->weight_count;
}

static void compute(struct looking *l, struct node *n, int weight, int activation)
{
	l->plan[n->op->layer] = (struct layer_plan){weight, activation};
	integer_settle(l->net, n);
	n->does->prepare(l->net, n);
	n->does->forward(l->net, n);
}

static long outputs_of(const struct looking *l, const struct node *n)
{
	return l->net->images * shape_size(n->out);
}

// The layer's input as its present grid has it.
static void read_input(struct looking *l, struct node *n, float *to)
{
	struct job job = job_of(l->net, n);
	layer_round_alone(&job, 0, l->net->images * pixels_of(n->in), to);
}

// How many inputs are beyond the largest number of their block.
static long clipped_by_blocks(const struct looking *l, const struct node *n)
{
	const long inputs = l->look->inputs.count, row = layer_block_row(n, n->in.c), block = n->grid.block;
	long clipped = 0;
	for (long at = 0; at < inputs; at += row)
		for (long b = 0; b < row; b += block) {
			const long count = row - b < block ? row - b : block;
			const float *x = l->input + at + b,
				    most = n->grid.high * format_block_scale(&n->grid, n->scale, x, count, 1);
			for (long i = 0; i < count; i++)
				clipped += fabsf(x[i]) > most;
		}
	return clipped;
}

static long clipped_inputs(const struct looking *l, const struct node *n)
{
	long clipped = 0;
	if (n->grid.block)
		return clipped_by_blocks(l, n);
	for (long i = 0; i < l->look->inputs.count && n->grid.kind != GRID_NONE; i++)
		clipped += fabsf(l->input[i]) > n->range;
	return clipped;
}

static void look_at_format(struct looking *l, struct node *n, int o)
{
	const long inputs = l->look->inputs.count;
	struct format_look *look = &l->look->option[o];
	compute(l, n, l->format[o], l->format[o]);
	look->output_noise = noise_of(l->output, n->x, outputs_of(l, n));
	read_input(l, n, l->rounded);
	look->input_noise = noise_of(l->input, l->rounded, inputs);
	look->clipped = (double)clipped_inputs(l, n) / (double)inputs;
	look->input_step = n->grid.kind != GRID_NONE && !n->grid.block ? (double)(n->scale * layer_spacing(&n->grid, 0)) : 0;
}

// The present computation is in fp32.
static bool look_at_layer(struct looking *l, struct node *n, struct fault *fault)
{
	struct layer_look *look = l->look;
	const long inputs = l->net->images * shape_size(n->in);
	float *weights = malloc((size_t)n->weight_count * sizeof *weights);
	l->input = malloc((size_t)inputs * sizeof *l->input);
	l->rounded = malloc((size_t)inputs * sizeof *l->rounded);
	bool ok = (weights && l->input && l->rounded) || fault_memory(fault, "look");
	if (ok) {
		look->there = true;
		count_values(n->weights_now, n->weight_count, &look->weights);
		read_input(l, n, l->input);
		count_values(l->input, inputs, &look->inputs);
	}
	for (int o = 0; ok && o < look->options; o++) {
		look_at_weights(l->net, n, l->format[o], weights, &look->option[o]);
		look_at_format(l, n, o);
	}
	free(weights);
	free(l->input);
	free(l->rounded);
	return ok;
}

// A layer whose turn it is in the pass.
static bool pass_layer(struct looking *l, struct node *n, double *noise, double *formats, struct fault *fault)
{
	const struct layer_plan planned = l->plan[n->op->layer];
	compute(l, n, l->exact, l->exact);
	memcpy(l->output, n->x, (size_t)outputs_of(l, n) * sizeof *l->output);
	if (n->layer == l->look->layer && !look_at_layer(l, n, fault))
		return false;
	for (int o = 0; formats && o < l->look->options; o++) {
		compute(l, n, l->format[o], l->format[o]);
		formats[n->layer * LOOK_OPTIONS + o] = noise_of(l->output, n->x, outputs_of(l, n));
	}
	compute(l, n, planned.weight, planned.activation);
	noise[n->layer] = noise_of(l->output, n->x, outputs_of(l, n));
	return true;
}

static bool pass_all(struct looking *l, double *noise, double *formats, struct fault *fault)
{
	struct network *net = l->net;
	bool ok = true;
	for (int i = 0; ok && i < net->model->ops; i++) {
		struct node *n = &net->node[i];
		if (n->op->layer >= 0)
			ok = pass_layer(l, n, noise, formats, fault);
		else if (n->does->forward)
			n->does->forward(net, n);
	}
	return ok;
}

static long largest_output(const struct network *net, int images)
{
	long largest = 1;
	for (int i = 0; i < net->model->ops; i++)
		if (net->node[i].op->layer >= 0 && images * shape_size(net->node[i].out) > largest)
			largest = images * shape_size(net->node[i].out);
	return largest;
}

bool network_look(struct network *net, const struct plan *plan, const struct quantization *quantization, const int *format,
	int images, struct layer_look *look, double *noise, double *formats, struct fault *fault)
{
	const size_t layers = (size_t)net->model->layers;
	struct plan own = *plan;
	struct looking l = {.net = net, .format = format, .look = look, .exact = format_named("fp32")};
	l.plan = own.layer = malloc(layers * sizeof *own.layer);
	l.output = malloc((size_t)largest_output(net, images) * sizeof *l.output);
	bool ok = (l.plan && l.output) || fault_memory(fault, "look");
	for (int i = 0; i < net->whole->layers; i++)
		noise[i] = NAN;
	for (int i = 0; formats && i < net->whole->layers * LOOK_OPTIONS; i++)
		formats[i] = NAN;
	if (ok) {
		memcpy(l.plan, plan->layer, layers * sizeof *l.plan);
		look->images = images;
		pass_begin(net, &own, quantization, PASS_SAMPLE, images, NULL);
		ok = pass_all(&l, noise, formats, fault);
	}
	net->plan = plan;
	free(l.plan);
	free(l.output);
	return ok;
}

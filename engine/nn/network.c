// SPDX-License-Identifier: GPL-3.0-or-later
// Memory, passes and the optimizer of a network.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"
#include "engine/tensor/rng.h"

static const struct operator operators[] = {
	[OP_INPUT] = {0},
	[OP_CONV] = {conv_prepare, conv_forward, conv_backward, .keeps_input = true},
	[OP_LINEAR] = {linear_prepare, linear_forward, linear_backward, .keeps_input = true},
	[OP_NORM] = {NULL, norm_forward, norm_backward, .keeps_input = true},
	[OP_ADD] = {NULL, add_forward, add_backward, .keeps_output = true},
	[OP_POOL] = {NULL, pool_forward, pool_backward, .keeps_input = false},
};

// ---- memory ----

static long rounded(long n)
{
	return (n + NN_SLACK + NN_ALIGN - 1) / NN_ALIGN * NN_ALIGN;
}

// A zeroed block that the network frees; NULL once memory has run out.
static void *block(struct network *net, size_t bytes)
{
	size_t line = NN_ALIGN * sizeof(float), size = (bytes + line - 1) / line * line;
	void *p = aligned_alloc(line, size ? size : line);
	if (p) {
		memset(p, 0, size ? size : line);
		net->memory[net->blocks++] = p;
	}
	return p;
}

// Arrays cut from one block: counted first with base NULL, then cut with the same calls.
struct cutter {
	float *base;
	long used;
};

static float *cut(struct cutter *c, long n)
{
	float *p = c->base ? c->base + c->used : NULL;
	c->used += rounded(n);
	return p;
}

// Outputs and gradients live for a part of a pass only, and share memory where they do not meet. Time runs through the
// operators forward, 0..ops-1, then backward: operator i's turn is 2*ops - i.
struct life {
	int born, dies;
	long size, at;
};

static bool meet(const struct life *a, const struct life *b)
{
	return a->born <= b->dies && b->born <= a->dies;
}

// First fit, in order of birth; returns the size of the whole.
static long place(struct life *life, int count)
{
	long top = 0;
	for (int i = 0; i < count; i++) {
		long at = 0;
		for (bool moved = life[i].size > 0; moved;) {
			moved = false;
			for (int j = 0; j < count; j++)
				if (j != i && life[j].at >= 0 && meet(&life[i], &life[j]) && at < life[j].at + life[j].size &&
				life[j].at < at + life[i].size) {
					at = life[j].at + life[j].size;
					moved = true;
				}
		}
		life[i].at = at;
		top = at + life[i].size > top ? at + life[i].size : top;
	}
	return top;
}

static bool place_activations(struct network *net)
{
	const struct model *m = net->model;
	int ops = m->ops;
	struct life *life = calloc(2 * (size_t)ops, sizeof *life); // outputs, then gradients by turn
	if (!life)
		return false;
	for (int i = 0; i < ops; i++) {
		const struct op *op = &m->op[i];
		struct life *out = &life[i], *grad = &life[2 * ops - 1 - i];
		*out = (struct life){i == 0 ? -1 : i, operators[op->kind].keeps_output ? 2 * ops - i : i,
			rounded(net->batch * shape_size(op->out)), -1};
		*grad = (struct life){2 * ops, 2 * ops - i, i == 0 ? 0 : out->size, -1};
		if (i == ops - 1)
			out->dies = 2 * ops, grad->born = ops;
		for (int k = 0; k < op->inputs; k++) {
			int in = op->in[k], turn = operators[op->kind].keeps_input ? 2 * ops - i : i;
			struct life *read = &life[in], *back = &life[2 * ops - 1 - in];
			read->dies = turn > read->dies ? turn : read->dies;
			back->born = 2 * ops - i < back->born ? 2 * ops - i : back->born;
		}
	}
	float *base = block(net, (size_t)place(life, 2 * ops) * sizeof *base);
	for (int i = 0; base && i < ops; i++) {
		net->node[i].x = base + life[i].at;
		net->node[i].grad = i == 0 ? NULL : base + life[2 * ops - 1 - i].at;
	}
	free(life);
	return base != NULL;
}

static long conv_depth(const struct node *n)
{
	return (long)n->op->window.h * n->op->window.h * n->in.c;
}

static void cut_node(struct network *net, struct node *n, struct cutter *parameters, struct cutter *work)
{
	int c = n->out.c;
	switch (n->op->kind) {
	case OP_CONV:
		n->weight_count = conv_depth(n) * c;
		n->weights = parameters->used;
		cut(parameters, n->weight_count);
		n->weight_scale = cut(work, c);
		n->quantized = cut(work, n->weight_count);
		n->forward = cut(work, conv_depth(n) * blocks_of(c) * KERNEL_COLUMNS);
		n->backward = cut(work, (long)n->op->window.h * n->op->window.h * c * blocks_of(n->in.c) * KERNEL_COLUMNS);
		break;
	case OP_LINEAR:
		n->weight_count = (long)n->in.c * c;
		n->weights = parameters->used;
		cut(parameters, n->weight_count);
		n->bias = parameters->used;
		cut(parameters, c);
		n->weight_scale = cut(work, c);
		n->quantized = cut(work, n->weight_count);
		n->linear_input = cut(work, (long)net->batch * n->in.c);
		break;
	case OP_NORM:
		n->gain = parameters->used;
		cut(parameters, c);
		n->bias = parameters->used;
		cut(parameters, c);
		for (int i = 0; i < 7; i++)
			*(float **[]){&n->mean, &n->deviation_inverse, &n->gain_scale, &n->shift, &n->ka, &n->kb, &n->kc}[i] =
				cut(work, c);
		break;
	default:
		break;
	}
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static void find_phases(struct node *n)
{
	const struct op *op = n->op;
	for (int d = 0; d < 2; d++) {
		int size = d ? n->in.w : n->in.h, out = d ? n->out.w : n->out.h;
		for (int r = 0; r < op->window.stride; r++) {
			struct phase *p = &n->phase[d][r];
			p->count = (size - r + op->window.stride - 1) / op->window.stride;
			for (int k = (r + op->window.pad_h) % op->window.stride; k < op->window.h; k += op->window.stride) {
				p->taps++;
				p->first = k;
				p->least = (r + op->window.pad_h - k) / op->window.stride;
			}
			n->before = larger(n->before, -p->least);
			n->after = larger(n->after, p->count - 1 + p->least + p->taps - out);
		}
	}
}

static bool make_scratch(struct network *net)
{
	long image = 0, gradient = 0, back = 0, weights = 0, channels = 0;
	for (int i = 0; i < net->model->ops; i++) {
		struct node *n = &net->node[i];
		channels = n->out.c > channels ? n->out.c : channels;
		back = shape_size(n->out) > back ? shape_size(n->out) : back;
		if (n->op->kind != OP_CONV)
			continue;
		find_phases(n);
		struct shape padded_in = {n->in.h + 2 * n->op->window.pad_h, n->in.w + 2 * n->op->window.pad_h, n->in.c};
		struct shape padded_out = {n->out.h + n->before + n->after, n->out.w + n->before + n->after, n->out.c};
		image = shape_size(padded_in) > image ? shape_size(padded_in) : image;
		gradient = shape_size(padded_out) > gradient ? shape_size(padded_out) : gradient;
		weights = n->weight_count > weights ? n->weight_count : weights;
	}
	net->partial_stride = rounded(weights);
	net->sum_stride = 2 * (int)channels;
	int threads = team_size(net->team);
	long each = rounded(image) + rounded(gradient) + rounded(back);
	float *arrays = block(net, (size_t)(threads * each) * sizeof *arrays);
	net->scratch = block(net, (size_t)threads * sizeof *net->scratch);
	net->partial = block(net, (size_t)(NN_CHUNKS * net->partial_stride) * sizeof(float));
	net->sums = block(net, (size_t)(2 * NN_CHUNKS * net->sum_stride) * sizeof *net->sums);
	net->peaks = block(net, (size_t)larger(net->batch, 2 * NN_CHUNKS) * sizeof *net->peaks);
	net->histograms = block(net, NN_CHUNKS * RANGE_BINS * sizeof *net->histograms);
	if (!arrays || !net->scratch || !net->partial || !net->sums || !net->peaks || !net->histograms)
		return false;
	struct cutter c = {arrays, 0};
	for (int i = 0; i < threads; i++)
		net->scratch[i] = (struct scratch){cut(&c, image), cut(&c, gradient), cut(&c, back)};
	return true;
}

enum { PIECE = 16384 };

static void add_pieces(struct network *net, long first, long count, bool decays)
{
	for (long at = 0; at < count; at += PIECE, net->pieces++)
		if (net->piece)
			net->piece[net->pieces] = (struct piece){first + at, count - at < PIECE ? count - at : PIECE, decays, 0};
}

static void find_pieces(struct network *net)
{
	net->pieces = 0;
	for (int i = 0; i < net->model->ops; i++) {
		const struct node *n = &net->node[i];
		if (n->weight_count)
			add_pieces(net, n->weights, n->weight_count, true);
		if (n->op->kind == OP_NORM)
			add_pieces(net, n->gain, n->out.c, false);
		if (n->op->kind == OP_NORM || n->op->kind == OP_LINEAR)
			add_pieces(net, n->bias, n->out.c, false);
	}
}

static bool make_nodes(struct network *net)
{
	const struct model *m = net->model;
	net->node = block(net, (size_t)m->ops * sizeof *net->node);
	if (!net->node)
		return false;
	struct cutter parameters = {0}, work = {0};
	for (int i = 0; i < m->ops; i++) {
		struct node *n = &net->node[i];
		n->op = &m->op[i];
		n->in = m->op[n->op->in[0]].out;
		n->out = n->op->out;
		cut_node(net, n, &parameters, &work);
	}
	float *base = block(net, (size_t)work.used * sizeof *base);
	if (!base)
		return false;
	net->parameters = parameters.used;
	parameters = (struct cutter){0};
	work = (struct cutter){base, 0};
	for (int i = 0; i < m->ops; i++)
		cut_node(net, &net->node[i], &parameters, &work);
	find_pieces(net);
	net->piece = block(net, (size_t)net->pieces * sizeof *net->piece);
	if (net->piece)
		find_pieces(net);
	size_t size = (size_t)net->parameters * sizeof(float);
	net->weights = block(net, size);
	net->momentum = block(net, size);
	net->gradient = block(net, size);
	net->ranges = block(net, (size_t)m->layers * sizeof(float));
	return net->piece && net->weights && net->momentum && net->gradient && net->ranges;
}

struct network *network_new(const struct model *model, int batch, struct team *team, struct fault *fault)
{
	struct network *net = calloc(1, sizeof *net);
	if (net) {
		net->model = model;
		net->team = team;
		net->batch = batch;
		net->kernels = kernels_best();
	}
	if (!net || !make_nodes(net) || !make_scratch(net) || !place_activations(net)) {
		network_free(net);
		fault_set(fault, model->name, "choose a smaller batch or network", "out of memory");
		return NULL;
	}
	return net;
}

void network_free(struct network *net)
{
	for (int i = 0; net && i < net->blocks; i++)
		free(net->memory[i]);
	free(net);
}

void network_initialise(struct network *net, uint64_t seed)
{
	memset(net->weights, 0, (size_t)net->parameters * sizeof *net->weights);
	memset(net->momentum, 0, (size_t)net->parameters * sizeof *net->momentum);
	memset(net->ranges, 0, (size_t)net->model->layers * sizeof *net->ranges);
	for (int i = 0; i < net->model->ops; i++) {
		const struct node *n = &net->node[i];
		uint64_t key = rng_key(seed, "weights", (uint64_t)i);
		float *w = net->weights + n->weights;
		double inputs = (double)n->weight_count / n->out.c;
		for (long j = 0; j < n->weight_count; j++)
			w[j] = n->op->kind == OP_CONV ? (float)(rng_normal(key, (uint64_t)j) * sqrt(2 / inputs))
				: (float)((2 * rng_uniform(key, (uint64_t)j) - 1) / sqrt(inputs));
		for (int j = 0; n->op->kind == OP_NORM && j < n->out.c; j++)
			net->weights[n->gain + j] = 1;
	}
}

void network_arrays(struct network *net, struct network_array array[NETWORK_ARRAYS])
{
	array[0] = (struct network_array){"weights", net->weights, net->parameters};
	array[1] = (struct network_array){"momentum", net->momentum, net->parameters};
	array[2] = (struct network_array){"ranges", net->ranges, net->model->layers};
}

// ---- calibration ----

struct calibration *calibration_new(const struct network *net, struct fault *fault)
{
	struct calibration *c = calloc(1, sizeof *c);
	if (!c)
		goto out_of_memory;
	c->layers = net->model->layers;
	c->ops = net->model->ops;
	c->range = calloc((size_t)c->layers, sizeof *c->range);
	c->offset = calloc((size_t)c->ops, sizeof *c->offset);
	if (!c->range || !c->offset)
		goto out_of_memory;
	for (int i = 0; i < c->ops; i++)
		if (net->model->op[i].kind == OP_NORM) {
			c->offset[i] = c->moment_count;
			c->moment_count += 2 * net->model->op[i].out.c;
		}
	if ((c->moments = calloc((size_t)c->moment_count + 1, sizeof *c->moments)))
		return c;
out_of_memory:
	calibration_free(c);
	fault_set(fault, net->model->name, "choose a smaller network", "out of memory");
	return NULL;
}

void calibration_free(struct calibration *c)
{
	if (!c)
		return;
	free(c->range);
	free(c->offset);
	free(c->moments);
	free(c);
}

void calibration_clear(struct calibration *c)
{
	c->batches = 0;
	memset(c->range, 0, (size_t)c->layers * sizeof *c->range);
	memset(c->moments, 0, (size_t)c->moment_count * sizeof *c->moments);
}

float calibration_range(const struct calibration *c, int layer)
{
	return c->range[layer];
}

// ---- passes ----

float *network_input(struct network *net)
{
	return net->node[0].x;
}

static void prepare_layer(void *context, int layer, int worker)
{
	(void)worker;
	struct network *net = context;
	struct node *n = &net->node[net->model->layer[layer].op];
	operators[n->op->kind].prepare(net, n);
}

void network_forward(struct network *net, const struct plan *plan, const struct quantization *quantization, enum pass pass,
	int images, struct calibration *calibration)
{
	net->plan = plan;
	net->quantization = *quantization;
	net->pass = pass;
	net->images = images;
	net->calibration = calibration;
	if (pass == PASS_CALIBRATE)
		calibration->batches++;
	team_run(net->team, net->model->layers, prepare_layer, net);
	for (int i = 0; i < net->model->ops; i++) {
		net->node[i].peak = -1;
		net->node[i].grad_written = false;
		if (operators[net->node[i].op->kind].forward)
			operators[net->node[i].op->kind].forward(net, &net->node[i]);
	}
}

const float *network_logits(const struct network *net)
{
	return net->node[net->model->ops - 1].x;
}

struct loss network_loss(struct network *net, const uint8_t *labels, int images, double smoothing)
{
	struct node *last = &net->node[net->model->ops - 1];
	int classes = last->out.c;
	double sum = 0, even = smoothing / classes;
	long correct = 0;
	for (int i = 0; i < images; i++) {
		const float *z = last->x + (long)i * classes;
		float *g = last->grad + (long)i * classes;
		int best = 0;
		for (int j = 1; j < classes; j++)
			best = z[j] > z[best] ? j : best;
		double total = 0;
		for (int j = 0; j < classes; j++)
			total += exp((double)(z[j] - z[best]));
		double log_total = log(total);
		for (int j = 0; j < classes; j++) {
			double log_p = (double)(z[j] - z[best]) - log_total, wanted = even + (j == labels[i] ? 1 - smoothing : 0);
			sum -= wanted * log_p;
			g[j] = (float)((exp(log_p) - wanted) / images);
		}
		correct += best == labels[i];
	}
	return (struct loss){sum / images, correct};
}

void network_backward(struct network *net)
{
	for (int i = net->model->ops - 1; i > 0; i--)
		operators[net->node[i].op->kind].backward(net, &net->node[i]);
}

const float *network_gradient(const struct network *net)
{
	return net->gradient;
}

struct update {
	struct network *net;
	double scale, rate, momentum, decay;
};

static void square_piece(void *context, int piece, int worker)
{
	(void)worker;
	struct network *net = context;
	struct piece *p = &net->piece[piece];
	p->squares = net->kernels->squares(net->gradient + p->first, p->count);
}

static void update_piece(void *context, int piece, int worker)
{
	(void)worker;
	const struct update *u = context;
	const struct piece *p = &u->net->piece[piece];
	u->net->kernels->sgd(u->net->weights + p->first, u->net->momentum + p->first, u->net->gradient + p->first, p->count,
		(float)u->scale, (float)u->rate, (float)u->momentum, p->decays ? (float)u->decay : 0);
}

double network_update(struct network *net, double rate, double momentum, double decay, double clip)
{
	double length = 0;
	team_run(net->team, net->pieces, square_piece, net);
	for (int i = 0; i < net->pieces; i++)
		length += net->piece[i].squares;
	length = sqrt(length);
	struct update u = {net, clip > 0 && length > clip ? clip / length : 1, rate, momentum, decay};
	team_run(net->team, net->pieces, update_piece, &u);
	return length;
}

float network_weight_peak(const struct network *net, int layer)
{
	const struct node *n = &net->node[net->model->layer[layer].op];
	return net->kernels->peak(net->weights + n->weights, n->weight_count);
}

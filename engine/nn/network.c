// SPDX-License-Identifier: GPL-3.0-or-later
// Memory and passes of a network.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"
#include "engine/tensor/rng.h"

static const struct node_ops input_operator = {0};
static const struct node_ops *const operators[OP_KINDS] = {
	[OP_INPUT] = &input_operator,
	[OP_CONV] = &conv_operator,
	[OP_LINEAR] = &pointwise_operator,
	[OP_NORM] = &norm_operator,
	[OP_LAYERNORM] = &layernorm_operator,
	[OP_ACT] = &act_operator,
	[OP_ADD] = &add_operator,
	[OP_SCALE] = &scale_operator,
	[OP_CONCAT] = &concat_operator,
	[OP_POOL] = &average_operator,
	[OP_AVERAGE] = &average_operator,
	[OP_MAXIMUM] = &maximum_operator,
	[OP_TOKENS] = &tokens_operator,
	[OP_ATTENTION] = &attention_operator,
	[OP_FIRST] = &first_operator,
};

// Some convolutions have a better way.
static const struct node_ops *operator_of(const struct node *n)
{
	const struct op *op = n->op;
	const struct window *w = &op->window;
	if (op->kind == OP_CONV && op->groups == n->in.c && op->groups == n->out.c)
		return &depthwise_operator;
	if (op->kind == OP_CONV && op->groups == 1 && w->h == 1 && w->w == 1 && w->stride == 1 && w->pad_h == 0 && w->pad_w == 0)
		return &pointwise_operator;
	return operators[op->kind];
}

// ---- memory ----

static long rounded(long n)
{
	return (n + NN_SLACK + NN_ALIGN - 1) / NN_ALIGN * NN_ALIGN;
}

void *network_block(struct network *net, size_t bytes)
{
	size_t line = NN_ALIGN * sizeof(float), size = (bytes + line) / line * line;
	void *p = aligned_alloc(line, size);
	if (p) {
		memset(p, 0, size);
		net->memory[net->blocks++] = p;
	}
	return p;
}

long storage_parameter(struct storage *l, long count, enum fill fill, int fan)
{
	long at = l->parameters;
	if (l->parameter)
		l->parameter[l->parameter_count] = (struct parameter){.at = at, .count = count, .fill = fill, .fan = fan};
	l->parameter_count++;
	l->parameters += rounded(count);
	return at;
}

long storage_set(struct storage *l, long count, int op, int set)
{
	long at = storage_parameter(l, count, FILL_ZERO, 0);
	if (l->parameter) {
		l->parameter[l->parameter_count - 1].op = op;
		l->parameter[l->parameter_count - 1].set = set;
	}
	return at;
}

float *storage_work(struct storage *l, long count)
{
	float *p = l->base ? l->base + l->used : NULL;
	l->used += rounded(count);
	return p;
}

static long greater(long a, long b)
{
	return a > b ? a : b;
}

void storage_scratch(struct storage *l, long image, long gradient, long back)
{
	l->image = greater(l->image, rounded(image));
	l->gradient = greater(l->gradient, rounded(gradient));
	l->back = greater(l->back, rounded(back));
}

void storage_partial(struct storage *l, struct node *n, long count, int chunks)
{
	n->partial_stride = rounded(count);
	l->partial = greater(l->partial, chunks * rounded(count));
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
		*out = (struct life){i == 0 ? -1 : i, net->node[i].does->keeps_output ? 2 * ops - i : i,
			rounded(net->batch * shape_size(op->out)), -1};
		// The gradient of a layer with a norm of its own is never written: it is taken through the norm, from the norm's.
		*grad = (struct life){2 * ops, 2 * ops - i, i == 0 || net->node[i].norm ? 0 : out->size, -1};
		if (op->kind == OP_NORM && net->node[op->in[0]].norm)
			grad->dies = 2 * ops - op->in[0];
		if (i == ops - 1)
			out->dies = 2 * ops, grad->born = ops;
		for (int k = 0; k < op->inputs; k++) {
			int in = op->in[k], turn = net->node[i].does->keeps_input ? 2 * ops - i : i;
			struct life *read = &life[in], *back = &life[2 * ops - 1 - in];
			read->dies = turn > read->dies ? turn : read->dies;
			if (net->node[in].can_wait) {
				struct life *behind = &life[m->op[in].in[0]];
				behind->dies = turn > behind->dies ? turn : behind->dies;
			}
			if (net->node[in].norm)
				read->dies = 2 * ops - in;
			back->born = 2 * ops - i < back->born ? 2 * ops - i : back->born;
		}
	}
	float *base = network_block(net, (size_t)place(life, 2 * ops) * sizeof *base);
	for (int i = 0; base && i < ops; i++) {
		net->node[i].x = base + life[i].at;
		net->node[i].grad = i == 0 ? NULL : base + life[2 * ops - 1 - i].at;
	}
	free(life);
	return base != NULL;
}

static void reserve(struct network *net, struct storage *l)
{
	for (int i = 0; i < net->model->ops; i++)
		if (net->node[i].does->reserve)
			net->node[i].does->reserve(net, &net->node[i], l);
	for (int i = 0; net->sets && i < net->model->ops; i++) // behind all others, so that fresh weights are the same with them
		if (net->model->op[i].kind == OP_NORM)
			norm_reserve_sets(net, &net->node[i], l);
}

// Who reads whom, which norms may wait, and which layers have a norm of their own.
static void find_readers(struct network *net)
{
	const struct model *m = net->model;
	for (int i = 0; i < m->ops; i++) {
		struct node *n = &net->node[i];
		int readers = 0;
		bool all_apply = n->op->kind == OP_NORM;
		n->reader = -1;
		for (int r = m->ops - 1; r > i; r--)
			for (int k = 0; k < m->op[r].inputs; k++)
				if (m->op[r].in[k] == i) {
					n->reader = r;
					readers++;
					all_apply = all_apply &&
						(m->op[r].layer >= 0 || (m->op[r].kind == OP_ADD && n->op->act == ACT_NONE));
				}
		n->can_wait = all_apply && readers > 0 && n->op->act != ACT_GELU; // GELU's peak is not known from extremes
		if (n->op->layer >= 0 && !n->op->bias && readers == 1 && m->op[n->reader].kind == OP_NORM)
			n->norm = &net->node[n->reader];
	}
}

long network_ranges(const struct network *net)
{
	return (long)net->model->layers * (net->sets ? net->sets : 1);
}

static bool make_nodes(struct network *net, struct storage *l)
{
	const struct model *m = net->model;
	net->node = network_block(net, (size_t)m->ops * sizeof *net->node);
	if (!net->node)
		return false;
	for (int i = 0; i < m->ops; i++) {
		struct node *n = &net->node[i];
		n->op = &m->op[i];
		n->in = m->op[n->op->in[0]].out;
		n->out = n->op->out;
		n->does = operator_of(n);
		n->follows = -1;
		for (int at = i; at > 0 && n->follows < 0; at = m->op[at].in[0])
			n->follows = m->op[at].layer;
	}
	reserve(net, l);
	find_readers(net);
	struct storage cut = {.base = network_block(net, (size_t)l->used * sizeof(float)),
		.parameter = network_block(net, (size_t)l->parameter_count * sizeof *cut.parameter)};
	if (!cut.base || !cut.parameter)
		return false;
	reserve(net, &cut);
	net->parameters = l->parameters;
	net->parameter = cut.parameter;
	net->parameter_count = l->parameter_count;
	size_t size = (size_t)net->parameters * sizeof(float);
	net->weights = network_block(net, size);
	net->gradient = network_block(net, size);
	net->ranges = network_block(net, (size_t)network_ranges(net) * sizeof(float));
	return net->weights && net->gradient && net->ranges;
}

static bool make_scratch(struct network *net, const struct storage *l)
{
	int threads = team_size(net->team), channels = 0;
	for (int i = 0; i < net->model->ops; i++)
		channels = net->node[i].out.c > channels ? net->node[i].out.c : channels;
	net->sum_stride = 2 * channels;
	float *arrays = network_block(net, (size_t)(threads * (l->image + l->gradient + l->back)) * sizeof *arrays);
	net->scratch = network_block(net, (size_t)threads * sizeof *net->scratch);
	net->partial = network_block(net, (size_t)l->partial * sizeof *net->partial);
	net->sums = network_block(net, (size_t)(NN_CHUNKS * net->sum_stride) * sizeof *net->sums);
	net->zeros = network_block(net, (size_t)channels * sizeof *net->zeros);
	net->ones = network_block(net, (size_t)channels * sizeof *net->ones);
	net->peaks = network_block(net, NN_CHUNKS * sizeof *net->peaks);
	net->histograms = network_block(net, NN_CHUNKS * RANGE_BINS * sizeof *net->histograms);
	if (!arrays || !net->scratch || !net->partial || !net->sums || !net->zeros || !net->ones || !net->peaks ||
		!net->histograms)
		return false;
	for (int i = 0; i < channels; i++)
		net->ones[i] = 1;
	for (int i = 0; i < threads; i++, arrays += l->image + l->gradient + l->back)
		net->scratch[i] = (struct scratch){arrays, arrays + l->image, arrays + l->image + l->gradient};
	return true;
}

struct network *network_new(const struct model *model, int batch, unsigned keeps, int sets, struct team *team,
	struct fault *fault)
{
	struct network *net = calloc(1, sizeof *net);
	struct storage l = {0};
	if (net) {
		net->model = model;
		net->team = team;
		net->batch = batch;
		net->sets = sets;
		net->kernels = kernels_best();
	}
	if (!net || !make_nodes(net, &l) || !make_scratch(net, &l) || !place_activations(net) || !optimizer_reserve(net, keeps)) {
		network_free(net);
		fault_memory(fault, model->name);
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
	memset(net->ranges, 0, (size_t)network_ranges(net) * sizeof *net->ranges);
	memset(net->trained, 0, (size_t)net->parameters * sizeof *net->trained);
	for (int i = 0; i < net->parameter_count; i++) {
		const struct parameter *p = &net->parameter[i];
		uint64_t key = rng_key(seed, "weights", (uint64_t)i);
		float *w = net->trained + p->at;
		double fan = p->fan;
		for (long j = 0; j < p->count; j++)
			switch (p->fill) {
			case FILL_ZERO: w[j] = 0; break;
			case FILL_ONE: w[j] = 1; break;
			case FILL_HE: w[j] = (float)(rng_normal(key, (uint64_t)j) * sqrt(2 / fan)); break;
			case FILL_EVEN: w[j] = (float)((2 * rng_uniform(key, (uint64_t)j) - 1) / sqrt(fan)); break;
			case FILL_TOKEN: w[j] = (float)(rng_normal(key, (uint64_t)j) * 0.02); break;
			}
	}
	optimizer_clear(net);
}

void network_use_sets(struct network *net, const uint8_t *set)
{
	net->set = set;
}

void network_copy_set(struct network *net, int from, int to)
{
	struct network_array array[NETWORK_ARRAYS];
	int arrays = network_arrays(net, array);
	size_t layers = (size_t)net->model->layers;
	for (int i = 0; i < net->model->ops; i++) {
		const struct node *n = &net->node[i];
		for (int a = 0; n->op->kind == OP_NORM && a < arrays; a++)
			if (array[a].count == net->parameters)
				memcpy(array[a].data + norm_own(n, to), array[a].data + norm_own(n, from),
					(size_t)norm_set_size(n) * sizeof(float));
	}
	memcpy(net->ranges + (size_t)to * layers, net->ranges + (size_t)from * layers, layers * sizeof *net->ranges);
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
	n->does->prepare(net, n);
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
		struct node *n = &net->node[i];
		n->peak = -1;
		n->grad_written = false;
		n->set = layer_set(net, n->follows);
		n->waits = n->can_wait && quantization->range == RANGE_MAX; // other ranges look at the numbers themselves
	}
	for (int i = 0; i < net->model->ops; i++)
		if (net->node[i].does->forward)
			net->node[i].does->forward(net, &net->node[i]);
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
		net->node[i].does->backward(net, &net->node[i]);
}

const float *network_gradient(const struct network *net)
{
	return net->gradient;
}

struct edges {
	struct network *net;
	float *share;
};

static void look_at_layer(void *context, int layer, int worker)
{
	(void)worker;
	const struct edges *e = context;
	e->share[layer] = layer_near_edge(e->net, &e->net->node[e->net->model->layer[layer].op]);
}

void network_near_edges(struct network *net, const struct plan *plan, const struct quantization *quantization, float *share)
{
	struct edges e = {net, share};
	net->plan = plan;
	net->quantization = *quantization;
	team_run(net->team, net->model->layers, look_at_layer, &e);
}

float network_weight_peak(const struct network *net, int layer)
{
	const struct node *n = &net->node[net->model->layer[layer].op];
	return net->kernels->peak(net->weights + n->weights, n->weight_count);
}

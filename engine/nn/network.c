// SPDX-License-Identifier: GPL-3.0-or-later
// Arrays and passes of a network.
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
	[OP_ARRANGE] = &arrange_operator,
	[OP_PRODUCT] = &product_operator,
	[OP_COMBINE] = &combine_operator,
	[OP_AFFINE] = &affine_operator,
	[OP_FUNCTION] = &function_operator,
	[OP_SOFTMAX] = &softmax_operator,
	[OP_REDUCE] = &reduce_operator,
};

// Some convolutions have a better way.
const struct node_ops *operator_of(const struct node *n)
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

void *network_room(struct network *net, enum room room, size_t bytes)
{
	size_t line = NN_ALIGN * sizeof(float), size = (bytes + line) / line * line;
	if (size > net->room[room].size) {
		free(net->room[room].at);
		net->room[room].at = aligned_alloc(line, size);
		net->room[room].size = net->room[room].at ? size : 0;
		if (net->room[room].at && room != ROOM_WRITTEN)
			memset(net->room[room].at, 0, size);
	}
	return net->room[room].at;
}

long network_ranges(const struct network *net)
{
	return (long)net->whole->layers * (net->sets ? net->sets : 1);
}

static bool make_arrays(struct network *net)
{
	net->ranges = network_block(net, (size_t)network_ranges(net) * sizeof(float));
	net->peaks = network_block(net, NN_CHUNKS * sizeof *net->peaks);
	net->histograms = network_block(net, NN_CHUNKS * RANGE_BINS * sizeof *net->histograms);
	return net->ranges && net->peaks && net->histograms;
}

// Of each norm of the whole the means, then the variances.
static bool make_statistics(struct network *net)
{
	const struct model *m = net->whole;
	long count = 0;
	if (!(net->statistics_at = network_block(net, (size_t)m->ops * sizeof *net->statistics_at)))
		return false;
	for (int i = 0; i < m->ops; i++) {
		net->statistics_at[i] = count;
		count += m->op[i].kind == OP_NORM ? 2 * m->op[i].out.c : 0;
	}
	net->statistics_count = count;
	net->statistics = network_block(net, ((size_t)count + 1) * sizeof *net->statistics);
	return net->statistics;
}

struct network *network_new(const struct model *whole, const struct path *path, int batch, unsigned keeps, int sets,
	struct team *team, struct fault *fault)
{
	if (!model_runs(whole, fault))
		return NULL;
	struct network *net = calloc(1, sizeof *net);
	if (net) {
		net->whole = whole;
		net->team = team;
		net->batch = batch;
		net->sets = sets;
		net->kernels = kernels_best();
		net->outputs = keeps & NETWORK_OUTPUTS;
	}
	if (!net || !nodes_whole(net) || !make_arrays(net) || !optimizer_reserve(net, keeps) ||
		(keeps & NETWORK_STATISTICS && !make_statistics(net)) || !nodes_make(net, path)) {
		network_free(net);
		fault_memory(fault, whole->name);
		return NULL;
	}
	return net;
}

bool network_settle(struct network *net, const struct plan *plan, struct fault *fault)
{
	if (!plan->path || plan->path->id == net->settled)
		return true;
	return nodes_make(net, plan->path) || fault_memory(fault, plan->model->name);
}

void network_free(struct network *net)
{
	for (int i = 0; net && i < net->blocks; i++)
		free(net->memory[i]);
	for (int i = 0; net && i < ROOMS; i++)
		free(net->room[i].at);
	free(net);
}

void network_initialise(struct network *net, uint64_t seed)
{
	memset(net->ranges, 0, (size_t)network_ranges(net) * sizeof *net->ranges);
	memset(net->trained, 0, (size_t)net->parameters * sizeof *net->trained);
	for (int i = 0; i < net->all_count; i++) {
		const struct parameter *p = &net->all[i];
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

float *network_parameter(struct network *net, int op, int part, long *count)
{
	const struct parameter *p = &net->all[net->first[op] + part];
	*count = p->count;
	return net->trained + p->at;
}

// The layer that an operator is, or the nearest before it.
static const char *near_layer(const struct model *m, int op)
{
	while (op > 0 && m->op[op].layer < 0)
		op = m->op[op].in[0];
	return op > 0 ? m->layer[m->op[op].layer].name : "input";
}

bool network_take_weights(struct network *net, const struct weights *w, struct fault *fault)
{
	for (int op = 0; op < w->ops; op++)
		for (int part = 0; part < 2; part++) {
			long count;
			const float *from = w->op[op].part[part];
			if (!from)
				continue;
			float *to = network_parameter(net, op, part, &count);
			for (long i = 0; i < count; i++)
				if (!isfinite(from[i]))
					return fault_set(fault, near_layer(net->whole, op),
						"export the network again, trained to its end", "%s of its %s is not a number",
						part ? "a bias" : "a weight", model_kind(net->whole->op[op].kind));
			memcpy(to, from, (size_t)count * sizeof *to);
		}
	return true;
}

void network_use_sets(struct network *net, const uint8_t *set)
{
	net->set = set;
}

void network_copy_set(struct network *net, int from, int to)
{
	struct network_array array[NETWORK_ARRAYS];
	int arrays = network_arrays(net, array);
	size_t layers = (size_t)net->whole->layers;
	for (int i = 0; i < net->all_count; i++) {
		const struct parameter *p = &net->all[i], *other = p + to - from; // a norm's sets are neighbours
		for (int a = 0; p->set == from && a < arrays; a++)
			if (array[a].count == net->parameters)
				memcpy(array[a].data + other->at, array[a].data + p->at, (size_t)p->count * sizeof(float));
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
	if (!n->stands)
		n->does->prepare(net, n);
}

static void settle_node(struct network *net, struct node *n)
{
	n->peak = -1;
	n->grad_written = false;
	n->set = layer_set(net, n->follows);
	n->waits = n->can_wait && net->quantization.range == RANGE_MAX; // other ranges look at the numbers themselves
	if (n->op->layer >= 0) {
		integer_settle(net, n);
		pairs_settle(net, n);
	}
}

static void prepare_layers(struct network *net)
{
	nodes_bind(net);
	team_run(net->team, net->model->layers, prepare_layer, net);
}

static void run_from(struct network *net, int first)
{
	for (int i = first; i < net->model->ops; i++) {
		if (net->node[i].does->forward)
			net->node[i].does->forward(net, &net->node[i]);
		if (net->frozen)
			frozen_take(net, &net->node[i]);
	}
}

void pass_begin(struct network *net, const struct plan *plan, const struct quantization *quantization, enum pass pass, int images,
	struct calibration *calibration)
{
	net->plan = plan;
	net->quantization = *quantization;
	net->pass = pass;
	net->images = images;
	net->calibration = calibration;
	if (pass == PASS_CALIBRATE)
		calibration->batches++;
	for (int i = 0; i < net->model->ops; i++) {
		net->node[i].stands = false;
		settle_node(net, &net->node[i]);
	}
	prepare_layers(net);
}

void network_forward(struct network *net, const struct plan *plan, const struct quantization *quantization, enum pass pass,
	int images, struct calibration *calibration)
{
	pass_begin(net, plan, quantization, pass, images, calibration);
	run_from(net, 0);
}

// The first operator that a plan makes otherwise than the pass before did; the number of operators: there is none.
static int first_changed(const struct network *net, const struct plan *plan)
{
	int i = 0;
	for (; i < net->model->ops; i++) {
		const struct node *n = &net->node[i];
		const struct layer_plan *now = n->op->layer < 0 ? &n->formats : &plan->layer[n->op->layer];
		if (n->set != layer_set(net, n->follows) || n->formats.weight != now->weight ||
			n->formats.activation != now->activation)
			break;
	}
	return i;
}

double network_forward_again(struct network *net, const struct plan *plan)
{
	int first = first_changed(net, plan);
	double left_out = 0;
	while (first > 1 && first < net->model->ops && !net->node[first].resumes)
		first--;
	if (first <= 1 && !net->node[1].resumes)
		return -1;
	net->plan = plan;
	for (int i = 0; i < net->model->ops; i++) {
		struct node *n = &net->node[i];
		int weight = n->formats.weight;
		bool integer = n->integer;
		if (i >= first)
			settle_node(net, n);
		n->stands = n->formats.weight == weight && n->integer == integer;
		if (i < first && n->op->layer >= 0)
			left_out += (double)net->model->layer[n->op->layer].macs;
	}
	prepare_layers(net);
	run_from(net, first);
	return left_out / (double)net->model->macs;
}

void network_find_ranges(struct network *net, const int *format, int formats, float *range)
{
	for (int l = 0; l < net->model->layers; l++)
		for (int f = 0; f < formats; f++)
			*range++ = layer_range_in(net, &net->node[net->model->layer[l].op], format[f]);
}

void network_forward_from(struct network *net, int layer, const int *changed, int count)
{
	const struct model *m = net->model;
	for (int i = 0; i < count; i++) {
		struct node *n = &net->node[m->layer[changed[i]].op];
		integer_settle(net, n);
		n->does->prepare(net, n);
	}
	for (int i = m->layer[layer].op; i < m->ops; i++)
		net->node[i].peak = -1;
	for (int i = m->layer[layer].op; i < m->ops; i++)
		if (net->node[i].does->forward)
			net->node[i].does->forward(net, &net->node[i]);
}

const float *network_logits(const struct network *net)
{
	return net->node[net->model->ops - 1].x;
}

struct loss network_loss(struct network *net, const uint16_t *labels, int images, double smoothing)
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

static int likeliest(const float *z, int classes)
{
	int best = 0;
	for (int j = 1; j < classes; j++)
		best = z[j] > z[best] ? j : best;
	return best;
}

// The logarithm of what exponentials beside the largest add up to.
static double log_total(const float *z, int classes, float top)
{
	double total = 0;
	for (int j = 0; j < classes; j++)
		total += exp((double)(z[j] - top));
	return log(total);
}

void network_judge(const struct network *net, const uint16_t *labels, const float *other, int images, struct judged *judged)
{
	const struct node *last = &net->node[net->model->ops - 1];
	const int classes = last->out.c;
	for (int i = 0; i < images; i++) {
		const float *q = last->x + (long)i * classes, *p = other ? other + (long)i * classes : q;
		int best = likeliest(q, classes), theirs = likeliest(p, classes);
		double log_q = log_total(q, classes, q[best]), log_p = log_total(p, classes, p[theirs]), sum = 0;
		for (int j = 0; other && j < classes; j++) {
			double of_p = (double)(p[j] - p[theirs]) - log_p, of_q = (double)(q[j] - q[best]) - log_q;
			sum += exp(of_p) * (of_p - of_q);
		}
		judged[i] = (struct judged){.correct = labels && best == labels[i],
			.agrees = other && best == theirs,
			.loss = labels ? log_q - (double)(q[labels[i]] - q[best]) : 0,
			.divergence = fmax(0, sum)};
	}
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
	struct node *n = &e->net->node[e->net->model->layer[layer].op];
	e->share[n->layer] = layer_near_edge(e->net, n);
}

void network_near_edges(struct network *net, const struct plan *plan, const struct quantization *quantization, float *share)
{
	struct edges e = {net, share};
	net->plan = plan;
	net->quantization = *quantization;
	for (int l = 0; l < net->whole->layers; l++)
		share[l] = NAN;
	nodes_bind(net);
	team_run(net->team, net->model->layers, look_at_layer, &e);
}

float network_weight_peak(const struct network *net, int layer)
{
	float peak = 0;
	for (int l = 0; l < net->model->layers; l++) {
		const struct node *n = &net->node[net->model->layer[l].op];
		const struct parameter *p = &net->parameter[n->parameter];
		for (long i = 0; n->layer == layer && i < p->runs; i++)
			peak = fmaxf(peak, net->kernels->peak(net->weights + p->from + portion_run(&p->portion, i), p->run));
	}
	return peak;
}

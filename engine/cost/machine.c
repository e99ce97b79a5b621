// SPDX-License-Identifier: GPL-3.0-or-later
// Latency by the roofline, and energy, of every operator on a device; activations alive at once.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"

// ---- operators ----

static double up(double size, double tile)
{
	return ceil(size / tile) * tile;
}

static double elements(struct shape s)
{
	return (double)s.h * s.w * s.c;
}

// Operations a number; the last three need an exponential (assumption: 4 in all).
static const double act_operations[ACTS] = {[ACT_RELU] = 1, [ACT_RELU6] = 2, [ACT_SWISH] = 4, [ACT_GELU] = 4, [ACT_SIGMOID] = 4};

// Of the vector unit, for one image.
static double vector_operations(const struct model *m, const struct op *op)
{
	double out = elements(op->out), in = elements(m->op[op->in[0]].out), pixels = (double)op->out.h * op->out.w;
	double act = act_operations[op->act];
	switch (op->kind) {
	case OP_NORM: return out * (2 + act);
	case OP_LAYERNORM: return out * 8;
	case OP_ACT: return out * act;
	case OP_ADD: return out * (1 + act);
	case OP_SCALE: return out;
	case OP_POOL: return in;
	case OP_AVERAGE:
	case OP_MAXIMUM: return out * op->window.h * op->window.w;
	case OP_TOKENS: return out;
	case OP_ATTENTION: return 5 * op->heads * pixels * pixels;
	default: return 0;
	}
}

// A multiplication of matrices on the matrix unit: `products` of rows x inner by inner x outer.
struct product {
	double products, rows, inner, outer;
};

// Its MACs where inner and outer size are rounded up to a tile.
static double macs_of(struct product p, double inner, double outer)
{
	return p.products * p.rows * up(p.inner, inner) * up(p.outer, outer);
}

struct task {
	enum work work;
	double vector_macs, vector; // on the vector unit
	struct product product[2];
	double fixed_bytes; // fp32 numbers that are no layer's weights
};

static struct task task_of(const struct model *m, const struct op *op)
{
	struct task t = {.work = WORK_VECTOR, .vector = vector_operations(m, op)};
	double pixels = (double)op->out.h * op->out.w, channels = op->out.c;
	struct shape in = m->op[op->in[0]].out;
	switch (op->kind) {
	case OP_CONV:
		t.fixed_bytes = 8 * channels; // a scale and a bias, as `size` counts them
		t.work = op->groups > 1 && op->groups == in.c ? WORK_DEPTHWISE : WORK_CONV;
		if (t.work == WORK_DEPTHWISE)
			t.vector_macs = m->layer[op->layer].macs;
		else
			t.product[0] = (struct product){op->groups, pixels, (double)op->window.h * op->window.w * in.c / op->groups,
				channels / op->groups};
		break;
	case OP_LINEAR:
		t.fixed_bytes = 8 * channels;
		t.work = WORK_LINEAR;
		t.product[0] = (struct product){1, pixels, in.c, channels};
		break;
	case OP_ATTENTION:
		t.work = WORK_ATTENTION;
		t.product[0] = (struct product){op->heads, pixels, channels / op->heads, pixels};
		t.product[1] = (struct product){op->heads, pixels, pixels, channels / op->heads};
		break;
	case OP_NORM:
	case OP_LAYERNORM:
		t.fixed_bytes = 8 * channels;
		break;
	case OP_TOKENS:
		t.fixed_bytes = 4 * (1 + (double)op->out.h) * channels;
		break;
	default:
		break;
	}
	return t;
}

// What a byte and an operation cost: seconds or joules.
struct rates {
	double mac[NATIVES], vector_mac, vector, memory, on_chip;
};

// Shared by latency and energy; they differ in rates and padding.
static void add_op(struct cost *c, int i, int *moves, const struct rates *r)
{
	const struct model *m = c->model;
	const struct op *op = &m->op[i];
	const struct graph_op *g = c->graph->op;
	struct machine_op *o = &c->op[i];
	struct task t = task_of(m, op);
	double batch = c->batch, useful = t.vector_macs + macs_of(t.product[0], 1, 1) + macs_of(t.product[1], 1, 1);
	o->runs = op->kind == OP_ATTENTION ? RUNS_ATTENTION : op->layer >= 0 ? RUNS_LAYER : RUNS_VECTOR;
	for (int n = 0; n < NATIVES; n++) {
		double inner = c->sums ? 1 : c->device.inner[n], outer = c->sums ? 1 : c->device.outer[n];
		double macs = macs_of(t.product[0], inner, outer) + macs_of(t.product[1], inner, outer);
		o->compute[n] = batch * ((macs > 0 ? macs * r->mac[n] : 0) + t.vector_macs * r->vector_mac + t.vector * r->vector);
	}
	o->operations = batch * (2 * useful + t.vector);
	o->fixed = t.fixed_bytes * r->memory;
	o->weight_bit = op->layer >= 0 ? m->layer[op->layer].weights / 8 * r->memory : 0;
	o->scale = 1 / c->device.efficiency[t.work];
	o->move = *moves;
	for (int k = -1; k < op->inputs; k++) {
		int tensor = k < 0 ? i : g[op->in[k]].tensor;
		double numbers = k < 0 || op->kind == OP_FIRST ? g[i].elements : g[op->in[k]].elements;
		double bit = g[tensor].elements * batch / 8, share = c->device.on_chip / g[tensor].crowd; // bytes
		int stays = tensor == 0 || !g[tensor].read ? 0 : (int)fmin(64, floor(share / bit));
		c->move[(*moves)++] = (struct move){tensor, stays, numbers * batch / 8 * r->on_chip, numbers * batch / 8 * r->memory};
	}
	o->moves = *moves - o->move;
}

// ---- prices ----

struct strain {
	double compute, memory;
};

static inline enum native type_of(const struct cost *c, int i, const struct layer_plan *layer, const uint8_t *format)
{
	switch (c->op[i].runs) {
	case RUNS_LAYER: return c->native[layer[c->model->op[i].layer].weight][layer[c->model->op[i].layer].activation];
	case RUNS_ATTENTION: return c->native[format[i]][format[i]];
	default: return NATIVE_FP32;
	}
}

static inline struct strain strain_of(const struct cost *c, int i, const struct plan *plan, const uint8_t *format)
{
	const struct machine_op *o = &c->op[i];
	struct strain s = {o->compute[type_of(c, i, plan->layer, format)], o->fixed};
	if (o->runs == RUNS_LAYER)
		s.memory += o->weight_bit * format_table[plan->layer[c->model->op[i].layer].weight].bits;
	for (const struct move *m = c->move + o->move, *end = m + o->moves; m < end; m++) {
		int bits = format_table[format[m->tensor]].bits;
		s.memory += bits * (bits <= m->stays ? m->on : m->off);
	}
	return s;
}

static inline double price_of(const struct cost *c, int i, const struct plan *plan, const uint8_t *format)
{
	struct strain s = strain_of(c, i, plan, format);
	return c->op[i].scale * (c->sums ? s.compute + s.memory : s.compute > s.memory ? s.compute : s.memory);
}

static double machine_total(const struct cost *c, const struct plan *plan, const uint8_t *format, double *layer)
{
	double total = 0;
	if (layer)
		memset(layer, 0, (size_t)c->model->layers * sizeof *layer);
	for (int i = 1; i < c->model->ops; i++) {
		if (c->graph->op[i].tensor != i)
			continue;
		double price = price_of(c, i, plan, format);
		total += price;
		if (layer)
			layer[c->graph->op[i].owner] += price;
	}
	return total;
}

static double machine_part(const struct cost *c, const struct plan *plan, const uint8_t *format,
	const struct graph_touched *touched)
{
	double sum = 0;
	for (int i = 0; i < touched->ops; i++)
		sum += price_of(c, touched->op[i], plan, format);
	return sum;
}

// An operator's least price: of a layer, over its settings, with the tensors as narrow as they can be. Bytes grow with the width of
// a tensor: it stays on chip only if it is narrow.
static double least_of(const struct cost *c, int i, const struct cost_settings *layer, const uint8_t *low, const uint8_t *high)
{
	const struct machine_op *o = &c->op[i];
	bool weights = o->runs == RUNS_LAYER, attends = o->runs == RUNS_ATTENTION;
	int l = c->model->op[i].layer, first = attends ? low[i] : 0, last = weights ? layer[l].count - 1 : attends ? high[i] : 0;
	double least = INFINITY, moved = o->fixed;
	for (const struct move *m = c->move + o->move, *end = m + o->moves; m < end; m++) {
		int bits = format_table[low[m->tensor]].bits;
		moved += bits * (bits <= m->stays ? m->on : m->off);
	}
	for (int k = first; k <= last; k++) {
		struct layer_plan p = weights ? layer[l].setting[k] : (struct layer_plan){k, k};
		double compute = o->compute[weights || attends ? c->native[p.weight][p.activation] : NATIVE_FP32];
		double memory = moved + (weights ? o->weight_bit * format_table[p.weight].bits : 0);
		least = fmin(least, c->sums ? compute + memory : fmax(compute, memory));
	}
	return o->scale * least;
}

static double machine_least(const struct cost *c, const struct cost_settings *layer, const uint8_t *low, const uint8_t *high)
{
	double total = 0;
	for (int i = 1; i < c->model->ops; i++)
		if (c->graph->op[i].tensor == i)
			total += least_of(c, i, layer, low, high);
	return total;
}

const struct pricing machine_pricing = {.total = machine_total, .part = machine_part, .least = machine_least};

bool cost_roofline(const struct cost *c, const struct plan *plan, struct cost_point *point)
{
	if (c->pricing != &machine_pricing || c->quantity != QUANTITY_TIME)
		return false;
	uint8_t format[GRAPH_OPS];
	graph_formats(c->graph, plan, format);
	for (int l = 0; l < c->model->layers; l++) {
		int i = c->model->layer[l].op;
		struct strain s = strain_of(c, i, plan, format);
		enum native type = type_of(c, i, plan->layer, format);
		bool vector = task_of(c->model, &c->model->op[i]).work == WORK_DEPTHWISE;
		point[l] = (struct cost_point){.operations = c->op[i].operations, .bytes = s.memory * c->device.bandwidth,
			.ms = price_of(c, i, plan, format), .type = vector ? NATIVE_FP32 : type, .vector = vector,
			.roof = vector ? c->device.vector : c->device.peak[type], .memory_bound = s.memory > s.compute};
	}
	return true;
}

// ---- making one ----

static const char figures_todo[] = "choose another device, or give the figure in a device file of your own";

static bool latency_rates(const struct cost *c, struct rates *r, struct fault *fault)
{
	const struct device *d = &c->device;
	if (!(d->bandwidth > 0))
		return fault_set(fault, c->name, figures_todo, "the memory bandwidth of %s is unknown", d->name);
	if (!(d->vector > 0))
		return fault_set(fault, c->name, figures_todo, "the vector peak of %s is unknown", d->name);
	for (int n = 0; n < NATIVES; n++)
		r->mac[n] = d->peak[n] > 0 ? 2 / d->peak[n] : (double)INFINITY;
	r->vector = 1 / d->vector;
	r->vector_mac = 2 / d->vector;
	r->memory = 1 / d->bandwidth;
	return true;
}

// Whether the device has energies per operation and byte.
static bool energy_rates(const struct device *d, struct rates *r)
{
	for (int n = NATIVES - 1; n >= 0; n--) {
		r->mac[n] = d->mac_energy[n] > 0 ? d->mac_energy[n] : n + 1 < NATIVES ? r->mac[n + 1] : 0;
		if (!(r->mac[n] > 0))
			return false;
	}
	r->vector = d->vector_energy;
	r->vector_mac = r->mac[NATIVE_FP32];
	r->memory = d->memory_energy + d->on_chip_energy;
	r->on_chip = d->on_chip_energy;
	return d->vector_energy > 0 && d->memory_energy > 0;
}

bool machine_new(struct cost *c, bool energy, struct fault *fault)
{
	struct rates r = {0};
	double scale = 1e3; // to milliseconds, or millijoules
	const struct device *d = &c->device;
	c->pricing = &machine_pricing;
	c->quantity = energy ? QUANTITY_ENERGY : QUANTITY_TIME;
	c->sums = energy && energy_rates(d, &r);
	if (energy)
		scale /= c->batch;
	if (energy && !c->sums && !(d->power_mean > 0))
		return fault_set(fault, c->name, figures_todo,
			"neither energies per operation and byte nor the mean power of %s are known%s", d->name,
			d->power_max > 0 ? " (its power is given as a maximum)" : "");
	if (energy && !c->sums)
		scale *= d->power_mean;
	if (!c->sums) {
		r = (struct rates){0};
		if (!latency_rates(c, &r, fault))
			return false;
	}
	c->op = calloc((size_t)c->model->ops, sizeof *c->op);
	c->move = calloc((size_t)c->model->ops * (MODEL_INPUTS + 1), sizeof *c->move);
	if (!c->op || !c->move)
		return fault_memory(fault, c->name);
	for (int w = 0; w < FORMATS; w++)
		for (int a = 0; a < FORMATS; a++)
			c->native[w][a] = device_native(d, w, a);
	int moves = 0;
	for (int i = 1; i < c->model->ops; i++)
		if (c->graph->op[i].tensor == i) {
			add_op(c, i, &moves, &r);
			c->op[i].scale = scale * (c->sums ? 1 : c->op[i].scale);
		}
	cost_per(c, energy ? 1 : c->batch);
	if (!energy) {
		snprintf(c->help, sizeof c->help, "time of a batch of %d on %s, by the roofline", c->batch, d->name);
	} else {
		snprintf(c->help, sizeof c->help, "energy of an image in a batch of %d on %s, %s", c->batch, d->name,
			c->sums ? "by operations and bytes moved" : "mean power x time");
	}
	return true;
}

// ---- activations alive at once ----

// The most bytes of one image alive while an operator runs; *when: which.
static double peak_of(const struct cost *c, const uint8_t *format, int *when)
{
	double alive = 0, most = 0;
	for (int i = 0; i < c->model->ops; i++) {
		const struct graph_op *o = &c->graph->op[i];
		if (o->tensor != i)
			continue;
		alive += o->elements * format_table[format[i]].bits / 8;
		if (alive > most) {
			most = alive;
			*when = i;
		}
		for (int t = o->ends; t >= 0; t = c->graph->op[t].next)
			alive -= c->graph->op[t].elements * format_table[format[t]].bits / 8;
	}
	return most;
}

static double peak_total(const struct cost *c, const struct plan *plan, const uint8_t *format, double *layer)
{
	(void)plan;
	int when = 0;
	double most = peak_of(c, format, &when);
	if (layer) {
		memset(layer, 0, (size_t)c->model->layers * sizeof *layer);
		for (int t = 0; t <= when; t++)
			if (c->graph->op[t].tensor == t && c->graph->op[t].last >= when)
				layer[c->graph->op[t].owner] += c->graph->op[t].elements * format_table[format[t]].bits / 8;
	}
	return most;
}

static double peak_part(const struct cost *c, const struct plan *plan, const uint8_t *format, const struct graph_touched *touched)
{
	(void)touched;
	return peak_total(c, plan, format, NULL);
}

// Every tensor grows with its format.
static double peak_least(const struct cost *c, const struct cost_settings *layer, const uint8_t *low, const uint8_t *high)
{
	(void)layer, (void)high;
	return peak_total(c, NULL, low, NULL);
}

const struct pricing peak_pricing = {.total = peak_total, .part = peak_part, .least = peak_least};

// SPDX-License-Identifier: GPL-3.0-or-later
// Prices every operator on a device: latency by the roofline, and energy; and the activations alive at once.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"
#include "engine/cost/product.h"

// ---- operators ----

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
	case OP_COMBINE: return out;
	case OP_AFFINE: return out * (op->gain + op->bias);
	case OP_FUNCTION: return out * 4; // as an activation with an exponential
	case OP_SOFTMAX: return out * 5;  // as attention's
	case OP_REDUCE: return in;
	default: return 0;
	}
}

struct task {
	enum work work;
	double vector_macs, vector; // on the vector unit
	struct product product[2];
	double fixed_bytes; // fp32 numbers that are no layer's weights
	double scores;      // numbers that attention works out between its products, for one image
};

static struct task task_of(const struct model *m, const struct op *op)
{
	struct task t = {.work = WORK_VECTOR, .vector = vector_operations(m, op)};
	double pixels = (double)op->out.h * op->out.w, channels = op->out.c;
	struct shape in = m->op[op->in[0]].out;
	switch (op->kind) {
	case OP_CONV:
		t.fixed_bytes = 8 * channels; // a scale and a bias, as `size` counts them
		t.work = op->groups == 1 ? WORK_CONV : op->groups == in.c ? WORK_DEPTHWISE : WORK_GROUPED;
		if (t.work == WORK_DEPTHWISE)
			t.vector_macs = m->layer[op->layer].macs;
		else
			t.product[0] = (struct product){op->groups, pixels,
				(double)op->window.h * op->window.w * in.c / op->groups, channels / op->groups,
				(double)in.c / op->groups};
		break;
	case OP_LINEAR:
		t.fixed_bytes = 8 * channels;
		t.work = WORK_LINEAR;
		t.product[0] = (struct product){1, pixels, in.c, channels, in.c};
		break;
	case OP_ATTENTION:
		t.work = WORK_ATTENTION;
		t.scores = op->heads * pixels * pixels;
		t.product[0] = (struct product){op->heads, pixels, channels / op->heads, pixels, channels / op->heads};
		t.product[1] = (struct product){op->heads, pixels, pixels, channels / op->heads, pixels};
		break;
	case OP_PRODUCT:
		t.work = WORK_ATTENTION;
		t.product[0] = (struct product){op->heads, (double)op->out.h / op->heads, in.c, channels, in.c};
		break;
	case OP_AFFINE: t.fixed_bytes = 4.0 * (op->gain + op->bias) * (double)op->period; break;
	case OP_NORM:
	case OP_LAYERNORM: t.fixed_bytes = 8 * channels; break;
	case OP_TOKENS: t.fixed_bytes = 4 * (1 + (double)op->out.h) * channels; break;
	default: break;
	}
	return t;
}

// Joules of a batch.
static double compute_energy(const struct cost *c, const struct task *t, enum native n)
{
	const struct rates *r = &c->tariff->rates;
	double macs = product_macs(t->product[0]) + product_macs(t->product[1]);
	return c->tariff->batch * ((macs > 0 ? macs * r->mac[n] : 0) + t->vector_macs * r->vector_mac + t->vector * r->vector);
}

// A batch makes more rows; of attention's products it makes more.
static struct product batched(const struct cost *c, const struct task *t, int k)
{
	struct product p = t->product[k];
	*(t->work == WORK_ATTENTION ? &p.products : &p.rows) *= c->tariff->batch;
	return p;
}

// Seconds of a batch, of the operator alone.
static double compute_time(const struct cost *c, const struct task *t, enum native n)
{
	const struct device *d = &c->tariff->device;
	double seconds = c->tariff->batch *
		(2 * t->vector_macs / (d->vector * d->efficiency[WORK_DEPTHWISE]) +
			t->vector / (d->vector * d->efficiency[WORK_VECTOR]));
	for (int k = 0; k < 2; k++)
		seconds += product_time(batched(c, t, k), d, n, d->efficiency[t->work]);
	return seconds;
}

// How often a tensor that stays on chip passes there, and how often it passes the memory all the same. Operators that multiply
// read and write it on chip; all others pass the memory (measured, at every size). What does not stay always passes the memory.
struct passes {
	double chip, memory;
};

// Attention in several kernels: one arranges queries, keys and values by heads; the first product writes the scores; one reads
// them for the maximum, another for the exponentials, which it writes; the second product reads these; the last copies the
// result.
static const struct passes attention_in = {1, 2}, attention_out = {1, 2}, attention_scores = {2, 3};

static bool is_cut(const struct cost *c, const struct op *op)
{
	return !c->tariff->sums && op->kind == OP_ATTENTION && c->tariff->device.attention_kernels > 1;
}

static struct passes passes_of(const struct cost *c, int i, bool writes)
{
	const struct op *op = &c->model->op[c->graph.op[i].kernel];
	if (is_cut(c, op))
		return writes ? attention_out : attention_in;
	if (c->tariff->sums || op->layer >= 0 || op->kind == OP_ATTENTION)
		return (struct passes){1, 0};
	return (struct passes){0, op->kind == OP_LAYERNORM && !writes ? c->tariff->device.layernorm_kernels : 1};
}

static double passing(double bytes, struct passes p, bool stays, const struct rates *r)
{
	return bytes * (stays ? p.chip * r->on_chip + p.memory * r->past : (p.chip + p.memory) * r->memory);
}

// Bytes to and from the memory.
static double past_memory(double bytes, struct passes p, bool stays, const struct rates *r)
{
	return bytes * (stays ? r->past > 0 ? p.memory : 0 : p.chip + p.memory);
}

// Two bytes each whatever the formats.
static void add_scores(const struct cost *c, int i, const struct task *t, struct machine_op *o)
{
	const struct rates *r = &c->tariff->rates;
	double bytes = 2 * t->scores * c->tariff->batch;
	bool stays = bytes <= c->tariff->device.on_chip / (c->graph.op[i].crowd + 1);
	o->fixed += passing(bytes, attention_scores, stays, r);
	o->fixed_bytes += past_memory(bytes, attention_scores, stays, r);
}

static bool listed(const struct move *first, const struct move *end, int tensor)
{
	while (first < end && first->tensor != tensor)
		first++;
	return first < end;
}

// The tensors that an operator of a kernel writes and reads, but for those within the kernel and those that an operator before it
// in the kernel reads too.
static void add_moves(struct cost *c, int i, int *moves)
{
	const struct rates *r = &c->tariff->rates;
	const struct op *op = &c->model->op[i];
	const struct graph_op *g = c->graph.op;
	const struct move *first = c->move + c->op[g[i].kernel].move, *before = c->move + *moves;
	for (int k = -1; k < op->inputs; k++) {
		int tensor = k < 0 ? i : g[op->in[k]].tensor;
		if ((g[tensor].inside && g[tensor].kernel == g[i].kernel) || listed(first, before, tensor))
			continue;
		double numbers = k < 0 || op->kind == OP_FIRST ? g[i].elements : g[op->in[k]].elements;
		double bit = g[tensor].elements * c->tariff->batch / 8,
		       share = c->tariff->device.on_chip / g[tensor].crowd; // bytes
		int stays = tensor == 0 || !g[tensor].read ? 0 : (int)fmin(64, floor(share / bit));
		struct passes p = passes_of(c, i, k < 0);
		double bytes = numbers * c->tariff->batch / 8;
		c->move[(*moves)++] = (struct move){
			tensor, stays, passing(bytes, p, true, r), passing(bytes, p, false, r), past_memory(bytes, p, true, r)};
	}
}

// What joined the kernel that operator i starts works on its numbers while they are made: of both times the larger counts.
static void add_joined(struct cost *c, int i, int *moves)
{
	const struct rates *r = &c->tariff->rates;
	struct machine_op *o = &c->op[i];
	double seconds = 0;
	for (int j = c->graph.op[i].more; j >= 0; j = c->graph.op[j].more) {
		struct task t = task_of(c->model, &c->model->op[j]);
		seconds += compute_time(c, &t, NATIVE_FP32);
		o->operations += c->tariff->batch * t.vector;
		o->fixed += t.fixed_bytes * r->memory;
		o->fixed_bytes += t.fixed_bytes;
		add_moves(c, j, moves);
	}
	for (int n = 0; n < NATIVES; n++)
		o->compute[n] = fmax(o->compute[n], seconds);
}

// Shared by latency and energy; they differ in rates and padding.
static void add_kernel(struct cost *c, int i, int *moves)
{
	const unsigned runs_as = c->tariff->runs_as;
	const struct rates *r = &c->tariff->rates;
	const struct model *m = c->model;
	const struct op *op = &m->op[i];
	struct machine_op *o = &c->op[i];
	struct task t = task_of(m, op);
	double useful = t.vector_macs + product_macs(t.product[0]) + product_macs(t.product[1]);
	o->runs = op->kind == OP_ATTENTION || op->kind == OP_PRODUCT ? RUNS_ATTENTION : op->layer >= 0 ? RUNS_LAYER : RUNS_VECTOR;
	o->vector = t.work == WORK_DEPTHWISE || product_on_vector(batched(c, &t, 0), &c->tariff->device);
	for (enum native n = 0; n < NATIVES; n++)
		o->compute[n] = !(runs_as >> n & 1) ? 0 : c->tariff->sums ? compute_energy(c, &t, n) : compute_time(c, &t, n);
	o->operations = c->tariff->batch * (2 * useful + t.vector);
	o->fixed_bytes = t.fixed_bytes;
	o->fixed = t.fixed_bytes * r->memory;
	o->weight_bit = op->layer >= 0 ? m->layer[op->layer].weights / 8 * r->memory : 0;
	o->move = *moves;
	add_moves(c, i, moves);
	if (!c->tariff->sums) {
		o->floor = c->tariff->device.floor *
			(op->kind == OP_ATTENTION                  ? c->tariff->device.attention_kernels
					: op->kind == OP_LAYERNORM ? c->tariff->device.layernorm_kernels
								   : 1);
		if (is_cut(c, op))
			add_scores(c, i, &t, o);
		add_joined(c, i, moves);
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
	case RUNS_LAYER: return c->tariff->native[layer[c->model->op[i].layer].weight][layer[c->model->op[i].layer].activation];
	case RUNS_ATTENTION: return c->tariff->native[format[i]][format[i]];
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

// Grows with both.
static inline double price_of(const struct cost *c, const struct machine_op *o, struct strain s)
{
	return c->tariff->scale *
		(c->tariff->sums ? s.compute + s.memory : o->floor + kernel_overlap(s.compute, s.memory, c->tariff->ramp));
}

static inline double price_in(const struct cost *c, int i, const struct plan *plan, const uint8_t *format)
{
	return price_of(c, &c->op[i], strain_of(c, i, plan, format));
}

static bool starts_kernel(const struct cost *c, int i)
{
	return c->graph.op[i].tensor == i && c->graph.op[i].kernel == i;
}

static double machine_total(const struct cost *c, const struct plan *plan, const uint8_t *format, double *layer)
{
	double total = 0;
	if (layer)
		memset(layer, 0, (size_t)c->model->layers * sizeof *layer);
	for (int i = 1; i < c->model->ops; i++) {
		if (!starts_kernel(c, i))
			continue;
		double price = price_in(c, i, plan, format);
		total += price;
		if (layer)
			layer[c->graph.op[i].owner] += price;
	}
	return total;
}

static double machine_part(const struct cost *c, const struct plan *plan, const uint8_t *format,
	const struct graph_touched *touched)
{
	double sum = 0;
	for (int i = 0; i < touched->ops; i++)
		sum += price_in(c, touched->op[i], plan, format);
	return sum;
}

// Returns a kernel's least price, with its tensors as narrow as they can be and, for a layer, over its settings. Bytes grow with
// a tensor's width: it stays on chip only if it is narrow.
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
		double compute = o->compute[weights || attends ? c->tariff->native[p.weight][p.activation] : NATIVE_FP32];
		double memory = moved + (weights ? o->weight_bit * format_table[p.weight].bits : 0);
		least = fmin(least, price_of(c, o, (struct strain){compute, memory}));
	}
	return least;
}

static double machine_least(const struct cost *c, const struct cost_settings *layer, const uint8_t *low, const uint8_t *high)
{
	double total = 0;
	for (int i = 1; i < c->model->ops; i++)
		if (starts_kernel(c, i))
			total += least_of(c, i, layer, low, high);
	return total;
}

static bool machine_settle(struct cost *c, const struct plan *plan, struct fault *fault)
{
	const struct model *m = plan->model;
	size_t ops = (size_t)m->ops, most = ops; // each operator writes one tensor
	for (int i = 0; i < m->ops; i++)
		most += (size_t)m->op[i].inputs;
	if (!(c->op = cost_room(c->op, &c->ops, ops, sizeof *c->op, c, fault)) ||
		!(c->move = cost_room(c->move, &c->moves, most, sizeof *c->move, c, fault)))
		return false;
	memset(c->op, 0, ops * sizeof *c->op);
	int moves = 0;
	for (int i = 1; i < m->ops; i++)
		if (starts_kernel(c, i))
			add_kernel(c, i, &moves);
	return true;
}

const struct pricing machine_pricing = {
	.total = machine_total, .part = machine_part, .least = machine_least, .settle = machine_settle};

// To and from the memory.
static double bytes_of(const struct cost *c, int i, const struct plan *plan, const uint8_t *format)
{
	const struct machine_op *o = &c->op[i];
	double bytes = o->fixed_bytes;
	if (o->runs == RUNS_LAYER)
		bytes += o->weight_bit * format_table[plan->layer[c->model->op[i].layer].weight].bits / c->tariff->rates.memory;
	for (const struct move *m = c->move + o->move, *end = m + o->moves; m < end; m++) {
		int bits = format_table[format[m->tensor]].bits;
		bytes += bits * (bits <= m->stays ? m->still : m->off / c->tariff->rates.memory);
	}
	return bytes;
}

bool cost_roofline(const struct cost *c, const struct plan *plan, struct cost_point *point)
{
	if (c->pricing != &machine_pricing || c->tariff->kind->id != TERM_LATENCY)
		return false;
	uint8_t format[GRAPH_OPS];
	graph_formats(&c->graph, plan, format);
	for (int l = 0; l < c->model->layers; l++) {
		int i = c->model->layer[l].op;
		struct strain s = strain_of(c, i, plan, format);
		enum native type = type_of(c, i, plan->layer, format);
		bool vector = c->op[i].vector;
		point[l] = (struct cost_point){.operations = c->op[i].operations,
			.bytes = bytes_of(c, i, plan, format),
			.ms = price_of(c, &c->op[i], s),
			.type = vector ? NATIVE_FP32 : type,
			.vector = vector,
			.roof = vector ? c->tariff->device.vector : c->tariff->device.peak[type],
			.memory_bound = s.memory > s.compute,
			.bound = c->op[i].floor > fmax(s.compute, s.memory) ? "floor"
				: s.memory > s.compute                      ? "memory"
									    : "compute"};
	}
	return true;
}

// ---- making one ----

static const char figures_todo[] = "choose another device, or give the figure in a device file of your own";

static bool latency_rates(const struct tariff *t, struct rates *r, struct fault *fault)
{
	const struct device *d = &t->device;
	if (!(d->bandwidth > 0))
		return fault_set(fault, t->name, figures_todo, "the memory bandwidth of %s is unknown", d->name);
	if (!(d->vector > 0))
		return fault_set(fault, t->name, figures_todo, "the vector peak of %s is unknown", d->name);
	r->memory = 1 / (d->bandwidth * d->memory_efficiency);
	r->on_chip = d->on_chip_bandwidth > 0 ? fmin(r->memory, 1 / d->on_chip_bandwidth) : 0;
	r->past = d->on_chip_bandwidth > 0 ? r->memory : 0;
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

bool machine_new(struct tariff *t, struct fault *fault)
{
	const bool energy = t->kind->id == TERM_ENERGY;
	double scale = 1e3; // to milliseconds, or millijoules
	const struct device *d = &t->device;
	t->pricing = &machine_pricing;
	t->sums = energy && energy_rates(d, &t->rates);
	if (energy)
		scale /= t->batch;
	if (energy && !t->sums && !(d->power_mean > 0))
		return fault_set(fault, t->name, figures_todo,
			"neither energies per operation and byte nor the mean power of %s are known%s", d->name,
			d->power_max > 0 ? " (its power is given as a maximum)" : "");
	if (energy && !t->sums)
		scale *= d->power_mean;
	if (!t->sums) {
		t->rates = (struct rates){0};
		if (!latency_rates(t, &t->rates, fault))
			return false;
	}
	t->scale = scale;
	t->ramp = d->ramp;
	t->runs_as = 1u << NATIVE_FP32;
	for (int w = 0; w < FORMATS; w++)
		for (int a = 0; a < FORMATS; a++) {
			t->native[w][a] = device_native(d, w, a);
			t->runs_as |= 1u << t->native[w][a];
		}
	tariff_per(t, t->kind->per == PER_IMAGE ? 1 : t->batch);
	if (!energy) {
		snprintf(t->help, sizeof t->help, "time of a batch of %d on %s, by the roofline%s", t->batch, d->name,
			device_assumes(d) ? "; its efficiencies are assumed" : "");
	} else {
		snprintf(t->help, sizeof t->help, "energy of an image in a batch of %d on %s, %s", t->batch, d->name,
			t->sums ? "by operations and bytes moved" : "mean power x time");
	}
	return true;
}

// ---- activations alive at once ----

// The most bytes of one image alive while an operator runs; *when: which.
static double peak_of(const struct cost *c, const uint8_t *format, int *when)
{
	double alive = 0, most = 0;
	for (int i = 0; i < c->model->ops; i++) {
		const struct graph_op *o = &c->graph.op[i];
		if (o->tensor != i)
			continue;
		alive += o->elements * format_table[format[i]].bits / 8;
		if (alive > most) {
			most = alive;
			*when = i;
		}
		for (int t = o->ends; t >= 0; t = c->graph.op[t].next)
			alive -= c->graph.op[t].elements * format_table[format[t]].bits / 8;
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
			if (c->graph.op[t].tensor == t && c->graph.op[t].last >= when)
				layer[c->graph.op[t].owner] += c->graph.op[t].elements * format_table[format[t]].bits / 8;
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

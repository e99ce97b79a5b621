// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cost/graph.h"

#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"

static bool folds(const struct model *m, const int *readers, int i)
{
	const struct op *op = &m->op[i];
	if ((op->kind != OP_NORM && op->kind != OP_ACT) || readers[op->in[0]] != 1)
		return false;
	enum op_kind before = m->op[op->in[0]].kind;
	return before == OP_CONV || before == OP_LINEAR || (op->kind == OP_ACT && before == OP_NORM);
}

// The kernels that hand on numbers one by one, and the operators that take them so.
static bool streams(enum op_kind kind)
{
	return kind == OP_CONV || kind == OP_LINEAR || kind == OP_ADD || kind == OP_NORM || kind == OP_ACT;
}

static bool joins(enum op_kind kind)
{
	return kind == OP_ADD || kind == OP_NORM || kind == OP_ACT;
}

// The operand whose kernel an operator joins; -1: it starts one.
static int joined(const struct graph *g, const int *readers, int i)
{
	const struct op *op = &g->model->op[i];
	int latest = op->in[0];
	if (!joins(op->kind))
		return -1;
	for (int k = 1; k < op->inputs; k++)
		latest = g->op[op->in[k]].kernel > g->op[latest].kernel ? op->in[k] : latest;
	return readers[latest] == 1 && streams(g->model->op[g->op[latest].tensor].kind) ? latest : -1;
}

// Operator i joins the kernel of one of its operands, behind those that joined it before.
static void join(struct graph *g, int i, int with)
{
	int last = g->op[with].tensor;
	g->op[last].inside = true;
	while (g->op[last].more >= 0)
		last = g->op[last].more;
	g->op[last].more = i;
}

static void wire(struct graph *g, bool kernels)
{
	const struct model *m = g->model;
	const uint8_t fp32 = (uint8_t)format_named("fp32");
	int *readers = g->count;
	memset(readers, 0, (size_t)m->ops * sizeof *readers);
	g->edges = 0;
	for (int i = 0; i < m->ops; i++)
		for (int k = 0; k < m->op[i].inputs; k++)
			readers[m->op[i].in[k]]++;
	for (int i = 0; i < m->ops; i++) {
		const struct op *op = &m->op[i];
		struct graph_op *o = &g->op[i];
		*o = (struct graph_op){.tensor = folds(m, readers, i) ? g->op[op->in[0]].tensor : i,
			.elements = (double)op->out.h * op->out.w * op->out.c,
			.ends = -1,
			.next = -1,
			.more = -1};
		for (int k = 0; k < op->inputs; k++)
			o->owner = g->op[op->in[k]].owner > o->owner ? g->op[op->in[k]].owner : o->owner;
		if (op->layer >= 0)
			o->owner = op->layer;
		int with = o->tensor == i && kernels ? joined(g, readers, i) : -1;
		o->kernel = o->tensor != i ? g->op[o->tensor].kernel : with < 0 ? i : g->op[with].kernel;
		if (with >= 0)
			join(g, i, with);
		g->start[i] = readers[i] ? 0 : fp32;
	}
	for (int i = m->ops - 1; i >= 0; i--)
		for (int k = 0; k < m->op[i].inputs; k++)
			g->edge[g->edges++] = (struct graph_edge){i, m->op[i].in[k], m->op[i].layer};
}

static void lives(struct graph *g)
{
	int ops = g->model->ops, *alive = g->count;
	for (int e = 0; e < g->edges; e++) { // readers last to first: the first one met is the last
		int tensor = g->op[g->edge[e].to].tensor, reader = g->edge[e].from;
		if (g->op[reader].tensor == reader && !g->op[tensor].read) {
			g->op[tensor].read = true;
			g->op[tensor].last = reader;
		}
	}
	memset(alive, 0, (size_t)ops * sizeof *alive);
	for (int t = 0; t < ops; t++) {
		struct graph_op *o = &g->op[t];
		if (o->tensor != t)
			continue;
		o->last = o->read ? o->last : ops - 1;
		o->next = g->op[o->last].ends;
		g->op[o->last].ends = t;
		for (int i = t; i <= o->last; i++)
			alive[i]++;
	}
	for (int t = 0; t < ops; t++)
		for (int i = t; i <= g->op[t].last; i++)
			if (g->op[t].tensor == t && g->op[i].tensor == i && alive[i] > g->op[t].crowd)
				g->op[t].crowd = alive[i];
}

static void set(uint64_t *bits, int i)
{
	bits[i / 64] |= 1ull << i % 64;
}

// The next layer, from this one on, that sets a tensor's format; -1: none.
static int next_asked(const struct graph *g, int tensor, int layer)
{
	const uint64_t *asks = g->asks + tensor * g->layer_words;
	uint64_t bits = layer / 64 < g->layer_words ? asks[layer / 64] >> layer % 64 << layer % 64 : 0;
	for (int w = layer / 64; w < g->layer_words; bits = ++w < g->layer_words ? asks[w] : 0)
		if (bits)
			return 64 * w + __builtin_ctzll(bits);
	return -1;
}

static void depend(struct graph *g)
{
	const struct model *m = g->model;
	memset(g->asks, 0, (size_t)(m->ops * g->layer_words) * sizeof *g->asks);
	memset(g->depends, 0, (size_t)(m->layers * g->words) * sizeof *g->depends);
	for (int e = 0; e < g->edges; e++) {
		const struct graph_edge *edge = &g->edge[e];
		uint64_t *to = g->asks + edge->to * g->layer_words, *from = g->asks + edge->from * g->layer_words;
		if (edge->layer >= 0) {
			set(to, edge->layer);
			continue;
		}
		for (int w = 0; w < g->layer_words; w++)
			to[w] |= from[w];
		if (g->start[edge->from] > g->start[edge->to])
			g->start[edge->to] = g->start[edge->from];
	}
	for (int i = 0; i < m->ops; i++) {
		if (g->op[i].tensor != i)
			continue;
		if (m->op[i].layer >= 0)
			set(g->depends + m->op[i].layer * g->words, g->op[i].kernel);
		for (int k = -1; k < m->op[i].inputs; k++) {
			int tensor = g->op[k < 0 ? i : m->op[i].in[k]].tensor;
			for (int l = next_asked(g, tensor, 0); l >= 0; l = next_asked(g, tensor, l + 1))
				set(g->depends + l * g->words, g->op[i].kernel);
		}
	}
}

static bool list_tensors(struct graph *g)
{
	int layers = g->model->layers, *first = g->first;
	memset(first, 0, (size_t)(layers + 2) * sizeof *first);
	for (int t = 0; t < g->model->ops; t++)
		for (int l = g->op[t].tensor == t ? next_asked(g, t, 0) : -1; l >= 0; l = next_asked(g, t, l + 1))
			first[l + 2]++;
	for (int l = 0; l < layers; l++)
		first[l + 2] += first[l + 1];
	size_t bytes = (size_t)(first[layers + 1] + 1) * sizeof *g->sets;
	if (bytes > g->listed) {
		uint16_t *sets = realloc(g->sets, bytes);
		if (!sets)
			return false;
		g->sets = sets;
		g->listed = bytes;
	}
	// While they are listed, first[l + 1] is where the next one of layer l goes: in the end, where layer l + 1 begins.
	for (int t = 0; t < g->model->ops; t++)
		for (int l = g->op[t].tensor == t ? next_asked(g, t, 0) : -1; l >= 0; l = next_asked(g, t, l + 1))
			g->sets[first[l + 1]++] = (uint16_t)t;
	return true;
}

bool graph_fits(const struct model *m, struct fault *fault)
{
	return m->ops <= GRAPH_OPS ||
		fault_set(fault, m->name, "choose a smaller network", "%d operators are more than can be priced (%d)", m->ops,
			GRAPH_OPS);
}

static bool make_room(struct graph *g, const struct model *m)
{
	size_t ops = (size_t)m->ops, layers = (size_t)m->layers, words = ops / 64 + 1, layer_words = layers / 64 + 1, edges = 0;
	for (int i = 0; i < m->ops; i++)
		edges += (size_t)m->op[i].inputs;
	size_t bytes = ops * sizeof *g->op + layers * words * sizeof *g->depends + ops * layer_words * sizeof *g->asks +
		edges * sizeof *g->edge + (layers + 2) * sizeof *g->first + ops * sizeof *g->count + ops;
	if (bytes > g->stored) {
		free(g->store);
		g->store = malloc(bytes);
		g->stored = g->store ? bytes : 0;
	}
	if (!g->store)
		return false;
	g->model = m;
	g->words = (int)words;
	g->layer_words = (int)layer_words;
	g->op = g->store; // those that want the widest places first
	g->depends = (uint64_t *)(g->op + ops);
	g->asks = g->depends + layers * words;
	g->edge = (struct graph_edge *)(g->asks + ops * layer_words);
	g->first = (int *)(g->edge + edges);
	g->count = g->first + layers + 2;
	g->start = (uint8_t *)(g->count + ops);
	return true;
}

bool graph_settle(struct graph *g, const struct model *m, bool kernels, struct fault *fault)
{
	if (!graph_fits(m, fault))
		return false;
	if (!make_room(g, m))
		return fault_memory(fault, m->name);
	wire(g, kernels);
	lives(g);
	depend(g);
	return list_tensors(g) || fault_memory(fault, m->name);
}

void graph_free(struct graph *g)
{
	free(g->store);
	free(g->sets);
	*g = (struct graph){0};
}

void graph_formats(const struct graph *g, const struct plan *plan, uint8_t *format)
{
	memcpy(format, g->start, (size_t)g->model->ops);
	for (const struct graph_edge *e = g->edge, *end = e + g->edges; e < end; e++) {
		uint8_t wanted = e->layer >= 0 ? (uint8_t)plan->layer[e->layer].activation : format[e->from];
		if (wanted > format[e->to])
			format[e->to] = wanted;
	}
}

void graph_touch(const struct graph *g, const int *layers, int count, struct graph_touched *touched)
{
	touched->ops = 0;
	for (int w = 0; w < g->words; w++) {
		uint64_t ops = 0;
		for (int k = 0; k < count; k++)
			ops |= g->depends[layers[k] * g->words + w];
		for (; ops; ops &= ops - 1)
			touched->op[touched->ops++] = (uint16_t)(64 * w + __builtin_ctzll(ops));
	}
}

void graph_rest(const struct graph *g, const struct plan *plan, const int *layers, int count, struct graph_touched *touched)
{
	uint64_t changed[GRAPH_OPS / 64 + 1];
	memset(changed, 0, (size_t)g->layer_words * sizeof *changed);
	for (int k = 0; k < count; k++)
		set(changed, layers[k]);
	for (int k = 0; k < count; k++)
		for (int i = g->first[layers[k]]; i < g->first[layers[k] + 1]; i++) {
			int t = g->sets[i], rest = g->start[t];
			for (int w = 0; w < g->layer_words; w++)
				for (uint64_t others = g->asks[t * g->layer_words + w] & ~changed[w]; others;
					others &= others - 1) {
					int wanted = plan->layer[64 * w + __builtin_ctzll(others)].activation;
					rest = wanted > rest ? wanted : rest;
				}
			touched->rest[t] = (uint8_t)rest;
		}
}

void graph_follow(const struct graph *g, const struct plan *plan, const int *layers, int count,
	const struct graph_touched *touched, uint8_t *format)
{
	for (int k = 0; k < count; k++)
		for (int i = g->first[layers[k]]; i < g->first[layers[k] + 1]; i++)
			format[g->sets[i]] = touched->rest[g->sets[i]];
	for (int k = 0; k < count; k++) {
		uint8_t wanted = (uint8_t)plan->layer[layers[k]].activation;
		for (int i = g->first[layers[k]]; i < g->first[layers[k] + 1]; i++)
			if (wanted > format[g->sets[i]])
				format[g->sets[i]] = wanted;
	}
}

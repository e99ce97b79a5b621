// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/plan.h"

#include <stdatomic.h>
#include <stdlib.h>

// ---- portions ----

// The row of a kernel that lies on the pixel itself, as window_of pads it. Of even kernels it is not between the middle two, so that kernels
// of 2, 3 and 4 rows meet each pixel with the same weights.
static int middle(int kernel)
{
	return (kernel - 1) / 2;
}

struct portion portion_of(const struct op *whole, int whole_inputs, const struct op *used, int used_inputs)
{
	struct portion s = {.rows = 1, .columns = 1, .all_columns = 1, .outputs = used->out.c, .all_outputs = whole->out.c};
	int groups = 1, all_groups = 1;
	if (used->kind == OP_CONV) {
		s.rows = used->window.h;
		s.columns = used->window.w;
		s.all_columns = whole->window.w;
		s.top = middle(whole->window.h) - middle(used->window.h);
		s.left = middle(whole->window.w) - middle(used->window.w);
		groups = used->groups;
		all_groups = whole->groups;
	}
	s.inputs = used_inputs / groups;
	s.all_inputs = whole_inputs / all_groups;
	return s;
}

int portion_inputs(const struct model *m, int op)
{
	int layer = m->op[op].layer;
	return layer < 0 ? m->op[m->op[op].in[0]].out.c : m->layer[layer].in.c;
}

struct portion portion_rows(int all_rows, int all_numbers, int rows, int numbers)
{
	return (struct portion){.rows = 1,
		.columns = 1,
		.inputs = rows,
		.outputs = numbers,
		.all_columns = 1,
		.all_inputs = all_rows,
		.all_outputs = all_numbers};
}

// Runs are as long as the portion lies in one piece: of outputs, of inputs, of kernel columns, of all.
static bool all_inputs(const struct portion *s)
{
	return s->inputs == s->all_inputs && s->outputs == s->all_outputs;
}

long portion_runs(const struct portion *s, long *run)
{
	if (s->outputs != s->all_outputs) {
		*run = s->outputs;
		return (long)s->rows * s->columns * s->inputs;
	}
	*run = (long)s->inputs * s->outputs;
	if (!all_inputs(s))
		return (long)s->rows * s->columns;
	*run *= s->columns;
	if (s->columns != s->all_columns)
		return s->rows;
	*run *= s->rows;
	return 1;
}

long portion_run(const struct portion *s, long i)
{
	bool by_input = s->outputs != s->all_outputs, by_column = by_input || !all_inputs(s),
	     by_row = by_column || s->columns != s->all_columns;
	long input = by_input ? i % s->inputs : 0,
	     place = by_input ? i / s->inputs : i; // of the kernel, where runs are no longer than one
	long column = by_column ? place % s->columns : 0, row = by_column ? place / s->columns : by_row ? i : 0;
	return (((s->top + row) * s->all_columns + s->left + column) * s->all_inputs + input) * s->all_outputs;
}

// ---- paths ----

static int find(const struct model *m, uint64_t key, int from)
{
	for (int i = 0; i < m->ops; i++) {
		int at = (from + i) % m->ops; // nearly always the next
		if (m->op[at].key == key)
			return at;
	}
	return -1;
}

static bool kept(enum op_kind kind) // it has numbers of its own
{
	return kind == OP_CONV || kind == OP_LINEAR || kind == OP_NORM || kind == OP_LAYERNORM || kind == OP_TOKENS ||
		kind == OP_AFFINE;
}

static bool within(const struct model *whole, int all_at, const struct model *m, int at)
{
	const struct op *all = &whole->op[all_at], *op = &m->op[at];
	if (all->kind != op->kind || op->out.c > all->out.c)
		return false;
	if (!kept(op->kind))
		return true;
	if ((op->kind == OP_TOKENS && op->out.h > all->out.h) || (op->bias && !all->bias)) // more positions, or a bias of its own
		return false;
	struct portion s = portion_of(all, portion_inputs(whole, all_at), op, portion_inputs(m, at));
	return s.inputs <= s.all_inputs && s.columns <= s.all_columns && (op->kind != OP_CONV || s.rows <= all->window.h);
}

static const char *name_of(const struct model *m, int op)
{
	while (op > 0 && m->op[op].layer < 0)
		op = m->op[op].in[0];
	return op > 0 ? m->layer[m->op[op].layer].name : "input";
}

static bool make_room(struct path *p, const struct model *m, struct fault *fault)
{
	if (m->ops > p->ops || m->layers > p->layers || !p->at) {
		int *op = realloc(p->op, (size_t)m->ops * sizeof *op);
		p->op = op ? op : p->op;
		int *layer = realloc(p->layer, (size_t)(m->layers + 1) * sizeof *layer);
		p->layer = layer ? layer : p->layer;
		int *at = realloc(p->at, (size_t)(p->whole->layers + 1) * sizeof *at);
		p->at = at ? at : p->at;
		if (!op || !layer || !at)
			return fault_memory(fault, m->name);
		p->ops = m->ops;
		p->layers = m->layers;
	}
	return true;
}

static int found(const struct path *p, const struct model *m, int op, int before)
{
	return find(p->whole, m->op[op].key, before + 1 < p->whole->ops ? before + 1 : 0);
}

static bool check(const struct path *p, const struct model *m, struct fault *fault)
{
	for (int i = 0, at = -1; i < m->ops; i++) {
		at = found(p, m, i, at);
		if (at < 0 ? kept(m->op[i].kind) : !within(p->whole, at, m, i))
			return fault_set(fault, m->name, "this is a fault of its description",
				"%s %s of a choice is not part of the whole network", model_kind(m->op[i].kind), name_of(m, i));
	}
	return true;
}

static _Atomic uint64_t settlings; // so far, of all paths

bool path_settle(struct path *p, struct model *m, struct fault *fault)
{
	if (!check(p, m, fault) || !make_room(p, m, fault)) {
		model_free(m);
		return false;
	}
	for (int l = 0; l < p->whole->layers; l++)
		p->at[l] = -1;
	for (int i = 0, at = -1; i < m->ops; i++) {
		at = p->op[i] = found(p, m, i, at);
		if (at >= 0 && m->op[i].layer >= 0) {
			p->layer[m->op[i].layer] = p->whole->op[at].layer;
			p->at[p->whole->op[at].layer] = m->op[i].layer;
		}
	}
	model_free(p->model);
	p->model = m;
	p->id = 1 + atomic_fetch_add(&settlings, 1);
	return true;
}

void path_free(struct path *p)
{
	model_free(p->model);
	free(p->op);
	free(p->layer);
	free(p->at);
	*p = (struct path){0};
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/parameters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/plan.h"

int model_parts(const struct op *op)
{
	switch (op->kind) {
	case OP_CONV:
	case OP_LINEAR: return op->bias ? 2 : 1;
	case OP_NORM:
	case OP_LAYERNORM:
	case OP_TOKENS: return 2;
	case OP_AFFINE: return op->gain + op->bias;
	default: return 0;
	}
}

static const char *layer_before(const struct model *m, int op)
{
	while (op > 0 && m->op[op].layer < 0)
		op = m->op[op].in[0];
	return op > 0 ? m->layer[m->op[op].layer].name : "input";
}

static void set_sizes(struct parameter_info *p, int rank, const int *size)
{
	p->rank = rank;
	p->count = 1;
	for (int i = 0; i < rank; i++) {
		p->size[i] = size[i];
		p->count *= size[i];
	}
}

static void size_of(const struct model *m, struct parameter_info *p)
{
	const struct op *op = &m->op[p->op];
	int c = op->out.c, in = portion_inputs(m, p->op);
	p->turned = op->layer >= 0 && p->part == 0;
	if (op->kind == OP_CONV && p->part == 0)
		set_sizes(p, 4, (int[]){c, in / op->groups, op->window.h, op->window.w});
	else if (op->kind == OP_LINEAR && p->part == 0)
		set_sizes(p, 2, (int[]){c, in});
	else if (op->kind == OP_TOKENS && p->part == 0)
		set_sizes(p, 2, (int[]){op->out.h, c});
	else
		set_sizes(p, 1, (int[]){op->kind == OP_AFFINE ? (int)op->period : c});
}

// The part's own word, behind the operator's name.
static const char *part_of(const struct op *op, int part)
{
	if (op->kind == OP_TOKENS)
		return part ? "class" : "position";
	return part || (op->kind == OP_AFFINE && !op->gain) ? "bias" : "weight";
}

static bool taken(const struct parameter_info *list, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

static void name_parts(const struct model *m, int op, struct parameter_info *list, int count)
{
	const char *layer = layer_before(m, op), *kind = model_kind(m->op[op].kind);
	int parts = model_parts(&m->op[op]);
	for (int part = 0; part < parts; part++) {
		struct parameter_info *p = &list[count + part];
		const char *word = part_of(&m->op[op], part);
		p->op = op;
		p->part = part;
		size_of(m, p);
		if (m->op[op].layer >= 0)
			snprintf(p->name, sizeof p->name, "%s.%s", layer, word);
		else
			snprintf(p->name, sizeof p->name, "%s.%s.%s", layer, kind, word);
		for (int again = 2; taken(list, count, p->name); again++)
			snprintf(p->name, sizeof p->name, "%s.%s%d.%s", layer, kind, again, word);
	}
}

struct parameter_info *model_parameters(const struct model *m, int *count)
{
	int room = 0;
	*count = 0;
	for (int i = 0; i < m->ops; i++)
		room += model_parts(&m->op[i]);
	struct parameter_info *list = room ? calloc((size_t)room, sizeof *list) : NULL;
	for (int i = 0; list && i < m->ops; i++) {
		name_parts(m, i, list, *count);
		*count += model_parts(&m->op[i]);
	}
	return list;
}

// ---- orders ----

// [out][inner][taps] against [taps][inner][out].
static void turn(const struct parameter_info *p, bool engine, const float *from, float *to)
{
	const long out = p->size[0], inner = p->rank > 1 ? p->size[1] : 1, taps = p->rank > 2 ? (long)p->size[2] * p->size[3] : 1;
	for (long o = 0; o < out; o++)
		for (long i = 0; i < inner; i++)
			for (long t = 0; t < taps; t++) {
				long theirs = (o * inner + i) * taps + t, ours = (t * inner + i) * out + o;
				to[engine ? ours : theirs] = from[engine ? theirs : ours];
			}
}

void parameter_to_engine(const struct parameter_info *p, const float *from, float *to)
{
	if (p->turned)
		turn(p, true, from, to);
	else
		memcpy(to, from, (size_t)p->count * sizeof *to);
}

void parameter_from_engine(const struct parameter_info *p, const float *from, float *to)
{
	if (p->turned)
		turn(p, false, from, to);
	else
		memcpy(to, from, (size_t)p->count * sizeof *to);
}

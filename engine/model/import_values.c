// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/import.h"

struct complaint import_complaint(const struct import *m)
{
	return (struct complaint){m->where, m->fault};
}

// ---- places: an operator and a number of its output, or the bits of a constant ----

static int64_t place(int op, long i)
{
	return (int64_t)op << 32 | i;
}

static int op_of(int64_t place)
{
	return (int)(place >> 32);
}

static long number_of(int64_t place)
{
	return (long)(place & 0xffffffff);
}

int64_t import_place_of(float constant)
{
	uint32_t bits;
	memcpy(&bits, &constant, sizeof bits);
	return -1 - (int64_t)bits;
}

int64_t import_zero(void)
{
	return import_place_of(0);
}

static float constant_of(int64_t place)
{
	uint32_t bits = (uint32_t)(-1 - place);
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

bool import_is_image(const struct shape_of *s)
{
	return s->rank == 4 && s->size[0] == 1;
}

// Where number i of [1][c][h][w] lies in [h][w][c].
static long in_image(const struct shape_of *s, long i)
{
	long pixels = s->size[2] * s->size[3];
	return i % pixels * s->size[1] + i / pixels;
}

struct tensor *import_places(struct import *m, const struct value *v)
{
	if (v->kind == VALUE_DATA && v->order == ORDER_PLACES)
		return tensor_share(v->places);
	const struct tensor *c = v->constant;
	struct tensor *t = tensor_new(TENSOR_INT, v->kind == VALUE_DATA ? &v->shape : &c->shape, import_complaint(m));
	for (long i = 0; t && i < t->count; i++)
		t->i[i] = v->kind == VALUE_CONSTANT ? import_place_of((float)tensor_at(c, i))
			: v->order == ORDER_IMAGE   ? place(v->op, in_image(&v->shape, i))
						    : place(v->op, i);
	return t;
}

static long numbers(const struct import *m, int op)
{
	struct shape s = model_shape(m->model, op);
	return (long)s.h * s.w * s.c;
}

// ---- values ----

bool import_hold(struct import *m, int op)
{
	if (op >= m->holders_room) {
		int room = op + 1024, *grown = realloc(m->holders, (size_t)room * sizeof *grown);
		if (!grown)
			return fault_memory(m->fault, m->file->path);
		memset(grown + m->holders_room, 0, (size_t)(room - m->holders_room) * sizeof *grown);
		m->holders = grown;
		m->holders_room = room;
	}
	m->holders[op]++;
	return true;
}

// What the node's output is from here on; an output that nobody named is nothing.
static void become(struct import *m, int output, struct value v)
{
	int at = output < m->node->outputs ? m->node->output[output] : -1;
	struct value last = v;
	if (at >= 0) {
		last = m->value[at]; // nothing, but in a branch that writes a name twice
		m->value[at] = v;
	}
	tensor_free(last.constant);
	tensor_free(last.places);
}

bool import_give(struct import *m, int output, int op, enum order order, const struct shape_of *shape)
{
	if (op < 0)
		return m->model->ops < 0 && fault_memory(m->fault, m->file->path); // else the fault is told already
	become(m, output, (struct value){.kind = VALUE_DATA, .op = op, .order = order, .shape = *shape});
	return import_hold(m, op);
}

// Whether places are all of one operator's output, in this order.
static bool lie_in(const struct tensor *places, enum order order)
{
	for (long i = 0; i < places->count; i++)
		if (places->i[i] != place(op_of(places->i[0]), order == ORDER_ROWS ? i : in_image(&places->shape, i)))
			return false;
	return true;
}

bool import_give_places(struct import *m, int output, struct tensor *t)
{
	if (!t)
		return false;
	if (t->count < 1) {
		tensor_free(t);
		return import_refuse(m, "check the file with onnx.checker", "nothing is left of its input");
	}
	struct value to = {.kind = VALUE_DATA, .shape = t->shape, .order = ORDER_PLACES};
	if (t->i[0] >= 0 && t->count == numbers(m, op_of(t->i[0]))) {
		to.op = op_of(t->i[0]);
		to.order = lie_in(t, ORDER_ROWS)                               ? ORDER_ROWS
			: import_is_image(&t->shape) && lie_in(t, ORDER_IMAGE) ? ORDER_IMAGE
									       : ORDER_PLACES;
	}
	bool ok = true;
	int last = -1;
	for (long i = 0; ok && i < t->count; i++)
		if (t->i[i] >= 0 && op_of(t->i[i]) != last)
			ok = import_hold(m, last = op_of(t->i[i]));
	if (to.order == ORDER_PLACES)
		to.places = t;
	else
		tensor_free(t);
	become(m, output, to);
	return ok;
}

bool import_give_constant(struct import *m, int output, struct tensor *t)
{
	become(m, output, (struct value){.kind = VALUE_CONSTANT, .constant = t, .shape = t->shape});
	return true;
}

bool import_give_value(struct import *m, int output, const struct value *v)
{
	if (v->kind == VALUE_CONSTANT)
		return import_give_constant(m, output, tensor_share(v->constant));
	if (v->order == ORDER_PLACES)
		return import_give_places(m, output, tensor_share(v->places));
	return import_give(m, output, v->op, v->order, &v->shape);
}

struct value *import_input(struct import *m, int k)
{
	int v = k < m->node->inputs ? m->node->input[k] : -1;
	return v < 0 || m->value[v].kind == VALUE_NONE ? NULL : &m->value[v];
}

const struct tensor *import_constant(struct import *m, int k)
{
	const struct value *v = import_input(m, k);
	return v && v->kind == VALUE_CONSTANT ? v->constant : NULL;
}

const struct value *import_data(struct import *m, int k)
{
	const struct value *v = import_input(m, k);
	if (v && (v->kind == VALUE_DATA || (v->constant->type == TENSOR_FLOAT && v->constant->count > 0)))
		return v;
	import_refuse(m, "check the file with onnx.checker",
		v ? "input %d has no floating-point numbers" : "input %d is left out", k + 1);
	return NULL;
}

bool import_alone(const struct import *m, const struct value *v, int input, enum op_kind kind)
{
	return v->kind == VALUE_DATA && v->order != ORDER_PLACES && m->model->ops > 0 && m->model->op[v->op].kind == kind &&
		m->holders[v->op] == 1 && m->file->value[m->node->input[input]].readers == 1;
}

// ---- operators that put numbers in order ----

struct shape import_flat(const struct shape_of *s)
{
	if (import_is_image(s))
		return (struct shape){(int)s->size[1], (int)s->size[2], (int)s->size[3]};
	long rows = 1;
	for (int i = 0; i < s->rank - 1; i++)
		rows *= s->size[i];
	return (struct shape){(int)rows, 1, s->rank ? (int)s->size[s->rank - 1] : 1};
}

static struct shape image_of(const struct shape_of *s)
{
	return (struct shape){(int)s->size[2], (int)s->size[3], (int)s->size[1]};
}

// The operators that the places name, in order of appearance; more than there may be: count beyond MODEL_INPUTS.
static int sources_of(const struct tensor *t, int source[MODEL_INPUTS])
{
	int count = 0, last = -1;
	for (long i = 0; i < t->count; i++) {
		int op = op_of(t->i[i]), k = 0;
		if (t->i[i] < 0 || op == last)
			continue;
		while (k < count && source[k] != op)
			k++;
		if (k == MODEL_INPUTS)
			return MODEL_INPUTS + 1;
		source[k] = last = op;
		count = k == count ? count + 1 : count;
	}
	return count;
}

static struct arrangement *new_arrangement(const struct import *m, const struct tensor *t, const int *source, int sources)
{
	struct arrangement *a = calloc(1, sizeof *a);
	long first[MODEL_INPUTS + 1] = {0};
	int constants = 0;
	for (long i = 0; i < t->count; i++)
		constants += t->i[i] < 0 && (i == 0 || t->i[i] != t->i[i - 1]);
	if (a) {
		a->count = t->count;
		a->index = malloc((size_t)t->count * sizeof *a->index);
		a->constant = malloc(((size_t)constants + 1) * sizeof *a->constant);
	}
	if (!a || !a->index || !a->constant) {
		arrangement_free(a);
		return NULL;
	}
	for (int k = 0; k < sources; k++)
		first[k + 1] = first[k] + numbers(m, source[k]);
	for (long i = 0; i < t->count; i++) {
		int k = 0;
		if (t->i[i] < 0 && i > 0 && t->i[i] == t->i[i - 1]) {
			a->index[i] = a->index[i - 1];
		} else if (t->i[i] < 0) {
			a->constant[a->constants] = constant_of(t->i[i]);
			a->index[i] = -1 - a->constants++;
		} else {
			while (source[k] != op_of(t->i[i]))
				k++;
			a->index[i] = (int)(first[k] + number_of(t->i[i]));
		}
	}
	return a;
}

int import_arrange(struct import *m, struct tensor *t, struct shape shape)
{
	int source[MODEL_INPUTS], sources = t ? sources_of(t, source) : 0;
	double all = 0;
	if (!t)
		return -1;
	if (t->i[0] >= 0 && t->count == numbers(m, op_of(t->i[0])) && lie_in(t, ORDER_ROWS)) {
		int op = op_of(t->i[0]);
		tensor_free(t);
		return model_reshape(m->model, op, shape);
	}
	for (int k = 0; k < sources && k < MODEL_INPUTS; k++)
		all += (double)numbers(m, source[k]);
	if (sources > MODEL_INPUTS || all > INT_MAX) {
		tensor_free(t);
		return import_refuse(m, "use a smaller network", "it puts together numbers of more than %d operators",
			       MODEL_INPUTS) -
			1;
	}
	if (!sources) { // constants alone; an operator must read something
		source[0] = 0;
		sources = 1;
	}
	struct arrangement *a = new_arrangement(m, t, source, sources);
	tensor_free(t);
	int op = a ? model_arrange(m->model, source, sources, shape, a) : -1;
	return op < 0 ? fault_memory(m->fault, m->file->path) - 1 : op;
}

static struct tensor *turned_places(struct import *m, const struct value *v)
{
	static const int axis[] = {0, 2, 3, 1};
	struct tensor *t = import_places(m, v), *turned = t ? tensor_transpose(t, axis, import_complaint(m)) : NULL;
	tensor_free(t);
	return turned;
}

// Whether both orders are one: of one channel, or one pixel.
static bool plain(const struct shape_of *s)
{
	return import_is_image(s) && (s->size[1] == 1 || s->size[2] * s->size[3] == 1);
}

int import_ordered(struct import *m, const struct value *v, enum order order)
{
	bool data = v->kind == VALUE_DATA;
	const struct shape_of *s = data ? &v->shape : &v->constant->shape;
	bool there = data && v->order != ORDER_PLACES && (v->order == order || plain(s));
	if (order == ORDER_IMAGE && !import_is_image(s)) {
		char buf[100];
		return import_refuse(m, "batches of one image of two dimensions are read", "it reads %s, which is no image",
			       shape_text(s, buf, sizeof buf)) -
			1;
	}
	if (there)
		return order == ORDER_IMAGE ? model_reshape(m->model, v->op, image_of(s)) : v->op;
	return order == ORDER_IMAGE ? import_arrange(m, turned_places(m, v), image_of(s))
				    : import_arrange(m, import_places(m, v), import_flat(s));
}

// Where neighbours lie side by side already, rows; else channels side by side.
int import_any(struct import *m, const struct value *v, enum order *order)
{
	const struct tensor *t = v->places;
	*order = v->order;
	if (v->kind == VALUE_DATA && v->order != ORDER_PLACES)
		return v->op;
	bool rows = v->kind != VALUE_DATA || !import_is_image(&v->shape) ||
		(t->count > 1 && t->shape.size[3] > 1 && t->i[1] == t->i[0] + 1);
	*order = rows ? ORDER_ROWS : ORDER_IMAGE;
	return import_ordered(m, v, *order);
}

int import_rows(struct import *m, const struct value *v, long c, bool flat)
{
	int op = import_ordered(m, v, ORDER_ROWS);
	if (op < 0)
		return op;
	struct shape s = model_shape(m->model, op);
	long count = numbers(m, op);
	if (s.c == c && (!flat || s.w == 1))
		return op;
	return c > 0 && count % c == 0 ? model_reshape(m->model, op, (struct shape){(int)(count / c), 1, (int)c})
				       : import_refuse(m, "check the file with onnx.checker", "rows that do not fit") - 1;
}

// ---- what operators have learnt ----

bool import_learn(struct import *m, int op, int part, float *at, long count)
{
	struct weights *w = m->weights;
	if (op < 0 || !at) {
		free(at);
		return fault_memory(m->fault, m->file->path);
	}
	if (op >= m->room) {
		int room = op + 1024;
		void *grown = realloc(w->op, (size_t)room * sizeof *w->op);
		if (!grown) {
			free(at);
			return fault_memory(m->fault, m->file->path);
		}
		w->op = grown;
		memset(w->op + m->room, 0, (size_t)(room - m->room) * sizeof *w->op);
		m->room = room;
	}
	w->ops = w->ops > op ? w->ops : op + 1;
	free(w->op[op].part[part]);
	w->op[op].part[part] = at;
	w->op[op].count[part] = count;
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// From a file to a model: its input, its nodes in turn, its output.
#include "engine/model/import.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/networks.h"

static const char other_file[] = "export one network for the classification of images";
enum { USUAL_SIDE = 224, SIDE_MOST = 65536, OPS_MOST = 10000 };

void weights_free(struct weights *w)
{
	for (int i = 0; w && i < w->ops; i++)
		for (int k = 0; k < 2; k++)
			free(w->op[i].part[k]);
	if (w)
		free(w->op);
	free(w);
}

static bool whole_refuse(const struct import *m, const char *todo, const char *what)
{
	return fault_set(m->fault, m->file->path, todo, "%s", what);
}

// ---- what is needed ----

// Nodes that the first output depends on; others would be operators that nothing reads.
static bool *find_needed(const struct onnx_file *f)
{
	bool *value = calloc((size_t)f->values + 1, 1), *node = calloc((size_t)f->nodes + 1, 1);
	if (value && node && f->outputs)
		value[f->output[0]] = true;
	for (int i = f->nodes - 1; value && node && i >= 0; i--) {
		const struct onnx_node *n = &f->node[i];
		for (int k = 0; k < n->outputs; k++)
			node[i] = node[i] || (n->output[k] >= 0 && value[n->output[k]]);
		for (int k = 0; node[i] && k < n->inputs; k++)
			if (n->input[k] >= 0)
				value[n->input[k]] = true;
	}
	free(value);
	return node;
}

// Readers that are not needed read nothing.
static void count_readers(struct import *m, const bool *needed)
{
	struct onnx_file *f = m->file;
	for (int v = 0; v < f->values; v++)
		f->value[v].readers = 0;
	for (int i = 0; i < f->nodes; i++)
		for (int k = 0; needed[i] && k < f->node[i].inputs; k++)
			if (f->node[i].input[k] >= 0)
				f->value[f->node[i].input[k]].readers++;
	f->value[f->output[0]].readers++;
	for (int v = 0; v < f->values; v++)
		m->left[v] = f->value[v].readers;
}

// ---- the input ----

// The one input that is read.
static int input_value(const struct import *m)
{
	int found = -1;
	for (int i = 0; i < m->file->inputs; i++) {
		if (!m->file->value[m->file->input[i]].readers)
			continue;
		if (found >= 0) {
			fault_set(m->fault, m->file->path, other_file, "it reads more than one input: \"%.60s\" and \"%.60s\"",
				m->file->value[found].name, m->file->value[m->file->input[i]].name);
			return -1;
		}
		found = m->file->input[i];
	}
	if (found < 0)
		whole_refuse(m, other_file, "its output does not depend on an input");
	return found;
}

// Images are [batch][c][h][w], or [batch][h][w][c] where only the last size can be one of colours.
static bool channels_last(const struct shape_of *s)
{
	return s->size[3] > 0 && s->size[3] <= 4 && !(s->size[1] > 0 && s->size[1] <= 4);
}

static long size_or(long size, long otherwise)
{
	return size > 0 ? size : otherwise;
}

// Sizes that are free are those of the data, or the usual ones; a free batch is 1.
static bool input_shape(struct import *m, const struct onnx_value *v, struct shape given, struct shape *to, struct shape_of *of,
	enum order *order)
{
	bool own = !given.h && !given.w && !given.c;
	*of = v->shape;
	*order = ORDER_ROWS;
	if (v->element && !onnx_floating(v->element))
		return whole_refuse(m, "export it with float32 images", "its input is not one of floating-point numbers");
	if (!v->has_shape || v->shape.rank < 1)
		return whole_refuse(m, "export it with the shape of its input", "the shape of its input is not said");
	if (of->size[0] > 1 && of->rank > 1)
		return whole_refuse(m, "export it with a batch of 1, or with a free one",
			"its batch is fixed at more than one image");
	of->size[0] = of->rank > 1 ? 1 : of->size[0];
	if (of->rank == 4) {
		bool last = channels_last(of);
		long *c = &of->size[last ? 3 : 1], *h = &of->size[last ? 1 : 2], *w = &of->size[last ? 2 : 3];
		m->model->sized = *h > 0 && *h == *w;
		*c = size_or(*c, own ? 3 : given.c);
		*h = size_or(*h, own ? USUAL_SIDE : given.h);
		*w = size_or(*w, own ? USUAL_SIDE : given.w);
		*to = (struct shape){(int)*h, (int)*w, (int)*c};
		*order = last ? ORDER_ROWS : ORDER_IMAGE;
	} else {
		for (int i = 0; i < of->rank; i++)
			if (of->size[i] < 1)
				return whole_refuse(m, "export it with fixed sizes", "a size of its input is free");
		long count = shape_count(of);
		*to = (struct shape){1, 1, count > 0 ? (int)count : 0};
	}
	if (shape_count(of) < 0 || to->h > SIDE_MOST || to->w > SIDE_MOST)
		return whole_refuse(m, "use smaller images", "its input is too large");
	return own || (to->h == given.h && to->w == given.w && to->c == given.c) ||
		fault_set(m->fault, m->file->path, "choose other data, or export it for this size",
			"it reads images of %dx%dx%d, not %dx%dx%d", to->h, to->w, to->c, given.h, given.w, given.c);
}

static bool open_input(struct import *m, struct shape given)
{
	int at = input_value(m);
	struct shape shape;
	struct shape_of of;
	enum order order;
	if (at < 0 || !input_shape(m, &m->file->value[at], given, &shape, &of, &order))
		return false;
	m->model->op[0].out = shape;
	m->value[at] = (struct value){.kind = VALUE_DATA, .order = order, .shape = of};
	return import_hold(m, 0);
}

// ---- nodes ----

static void name_node(struct import *m)
{
	const struct onnx_node *n = m->node;
	const char *path = strrchr(m->file->path, '/') ? strrchr(m->file->path, '/') + 1 : m->file->path;
	snprintf(m->where, sizeof m->where, "%.60s: %.30s %.100s", path, n->op, *n->name ? n->name : "without a name");
}

// Constants are decoded when they are first read.
static bool load_constant(struct import *m, int v)
{
	if (v < 0 || m->value[v].kind != VALUE_NONE)
		return true;
	if (!m->file->value[v].has_tensor)
		return import_refuse(m, "check the file with onnx.checker", "nothing gives its input \"%.60s\"",
			m->file->value[v].name);
	struct complaint c = {m->file->value[v].name, m->fault};
	struct tensor *t = onnx_tensor(m->file, m->file->value[v].tensor, c);
	if (t)
		m->value[v] = (struct value){.kind = VALUE_CONSTANT, .constant = t, .shape = t->shape};
	return t != NULL;
}

static bool load_constants(struct import *m)
{
	for (int k = 0; k < m->node->inputs; k++)
		if (!load_constant(m, m->node->input[k]))
			return false;
	return true;
}

static void forget(struct value *v)
{
	tensor_free(v->constant);
	tensor_free(v->places);
	*v = (struct value){0};
}

static void forget_inputs(struct import *m)
{
	for (int k = 0; k < m->node->inputs; k++) {
		int v = m->node->input[k];
		if (v < 0 || --m->left[v] > 0)
			continue;
		if (m->value[v].kind == VALUE_DATA && m->value[v].order != ORDER_PLACES)
			m->holders[m->value[v].op]--;
		forget(&m->value[v]);
	}
}

static bool all_constant(const struct import *m)
{
	for (int k = 0; k < m->node->inputs; k++)
		if (m->node->input[k] >= 0 && m->value[m->node->input[k]].kind == VALUE_DATA)
			return false;
	return true;
}

static bool run_fold(struct import *m, struct fold *f, bool places)
{
	if (!fold_run(f))
		return false;
	bool ok = true;
	for (int k = 0; k < FOLD_OUTPUTS; k++)
		if (f->out[k] && ok)
			ok = places ? import_give_places(m, k, f->out[k]) : import_give_constant(m, k, f->out[k]);
		else
			tensor_free(f->out[k]);
	return ok;
}

static bool fold_inputs(struct import *m, struct fold *f)
{
	*f = (struct fold){.file = m->file, .node = m->node, .zero = import_zero(), .complaint = import_complaint(m)};
	if (m->node->inputs > FOLD_INPUTS || m->node->outputs > FOLD_OUTPUTS)
		return import_refuse(m, "export it in another way", "more inputs or outputs than it may have");
	f->inputs = m->node->inputs;
	for (int k = 0; k < f->inputs; k++) {
		const struct value *v = import_input(m, k);
		f->in[k] = v && v->kind == VALUE_CONSTANT ? v->constant : NULL;
	}
	return true;
}

static bool work_out(struct import *m)
{
	struct fold f;
	return fold_inputs(m, &f) && run_fold(m, &f, false);
}

// The operators that look at the shape or the type of data alone: at this input.
static int looked_at(const struct import *m)
{
	static const struct {
		const char *op;
		int input;
	} rows[] = {{"Shape", 0}, {"Size", 0}, {"CastLike", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, m->node->op) == 0 && m->node->inputs > rows[i].input)
			return rows[i].input;
	return -1;
}

// So what they make is a constant.
static bool look_at(struct import *m, int input)
{
	struct fold f;
	struct tensor alone = {.type = TENSOR_FLOAT, .shape = m->value[m->node->input[input]].shape, .users = 1};
	alone.count = shape_count(&alone.shape);
	if (!fold_inputs(m, &f))
		return false;
	f.in[input] = &alone;
	return run_fold(m, &f, false);
}

// Whether the data among the inputs can be moved, and all else is constant.
static bool can_move(const struct import *m)
{
	unsigned moves = fold_moves(m->node->op);
	for (int k = 0; moves && k < m->node->inputs; k++)
		if (!(moves >> (k > 31 ? 31 : k) & 1) && m->node->input[k] >= 0 && m->value[m->node->input[k]].kind == VALUE_DATA)
			return false;
	return moves != 0;
}

static bool move(struct import *m)
{
	struct fold f;
	struct tensor *made[FOLD_INPUTS] = {NULL};
	unsigned moves = fold_moves(m->node->op);
	bool ok = fold_inputs(m, &f);
	for (int k = 0; ok && k < f.inputs; k++) {
		const struct value *v = import_input(m, k);
		if (v && moves >> (k > 31 ? 31 : k) & 1)
			ok = (f.in[k] = made[k] = import_places(m, v)) != NULL;
	}
	ok = ok && run_fold(m, &f, true);
	for (int k = 0; k < FOLD_INPUTS; k++)
		tensor_free(made[k]);
	return ok;
}

static bool is_alias(const char *op)
{
	return strcmp(op, "Identity") == 0 || strcmp(op, "Dropout") == 0;
}

// A node that computes.
static bool run_plain(struct import *m)
{
	const struct onnx_node *n = m->node;
	if (*n->domain)
		return import_unknown(m);
	if (is_alias(n->op) && import_input(m, 0))
		return import_give_value(m, 0, import_input(m, 0));
	if (all_constant(m) && fold_knows(n->op))
		return work_out(m);
	int look = looked_at(m);
	if (look >= 0 && import_input(m, look) && (look == 0 || import_constant(m, 0)))
		return look_at(m, look);
	return can_move(m) && !import_beside(m) ? move(m) : import_node(m);
}

static bool run_node(struct import *m)
{
	name_node(m);
	if (!load_constants(m))
		return false;
	import_run *round = import_rounder(m);
	if (round)
		return round(m);
	bool keeps = import_keeps(m);
	if (!keeps && looked_at(m) < 0 && import_reads_codes(m))
		return import_refuse(m, "export it as QDQ, QCDQ or QONNX",
			"it reads codes, which no DequantizeLinear makes numbers");
	if (!run_plain(m))
		return false;
	if (keeps)
		import_keep(m);
	return true;
}

// Runs the node, and looks at the operators that it made.
static bool run_checked(struct import *m)
{
	if (!run_node(m))
		return false;
	if (m->model->ops < 0)
		return fault_memory(m->fault, m->file->path);
	for (; m->checked < m->model->ops; m->checked++)
		if (!model_fits(m->model, m->checked, m->fault))
			return false;
	return m->checked <= OPS_MOST || whole_refuse(m, "use a smaller network", "it takes more operators than there may be");
}

static bool run_nodes(struct import *m, const bool *needed)
{
	for (int i = 0; i < m->file->nodes; i++) {
		if (!needed[i])
			continue;
		m->node = &m->file->node[i];
		if (!run_checked(m))
			return false;
		forget_inputs(m);
	}
	return true;
}

// The nodes of the branch that the condition chooses; what they make is kept until the end.
bool import_branch(struct import *m)
{
	const struct onnx_node *node = m->node;
	const struct tensor *condition = import_constant(m, 0);
	if (!node->branch || !condition || condition->count != 1)
		return import_refuse(m, "export it with fixed shapes", "its condition is worked out as it runs");
	const struct onnx_branch *b = &node->branch[tensor_at(condition, 0) != 0 ? 0 : 1];
	const bool within = m->branching;
	bool ok = true;
	m->branching = true;
	for (int i = 0; ok && i < b->nodes; i++) {
		m->node = &b->node[i];
		ok = run_checked(m);
	}
	m->node = node;
	m->branching = within;
	for (int k = 0; ok && k < b->outputs && k < node->outputs; k++)
		ok = load_constant(m, b->output[k]) && import_give_value(m, k, &m->value[b->output[k]]);
	return ok;
}

// ---- the output ----

// One pixel with a channel per class, which the last operator puts out.
static bool close_output(struct import *m, int classes)
{
	struct model *model = m->model;
	const struct value *v = &m->value[m->file->output[0]];
	snprintf(m->where, sizeof m->where, "%s", m->file->path);
	if (v->kind != VALUE_DATA)
		return whole_refuse(m, other_file, "its output does not depend on its input");
	long count = shape_count(&v->shape);
	int at = import_ordered(m, v, ORDER_ROWS);
	if (at < 0)
		return false;
	if (model->op[at].kind == OP_SOFTMAX && at == model->ops - 1 && model->op[at].out.c == count) {
		at = model->op[at].in[0]; // the engine takes a softmax itself
		model->ops--;
	}
	struct shape s = model_shape(model, at);
	if (s.h != 1 || s.w != 1 || s.c != count || at != model->ops - 1)
		at = model_arrange(model, &at, 1, (struct shape){1, 1, (int)count}, NULL);
	if (at < 0)
		return fault_memory(m->fault, m->file->path);
	if (classes > 0 && classes != count)
		return fault_set(m->fault, m->file->path, "choose other data, or a network for these classes",
			"it tells %ld classes apart, not %d", count, classes);
	model->classes = (int)count;
	return model->layers > 0 || whole_refuse(m, other_file, "there is no convolution and no product with weights in it");
}

// ---- operators that nothing reads ----

// They may be left where a node's numbers were taken before it: the others move up.
static void drop_unread(struct import *m)
{
	struct model *model = m->model;
	int ops = 0, layers = 0, *to = calloc((size_t)model->ops, sizeof *to);
	bool *read = calloc((size_t)model->ops, 1);
	if (to && read) {
		read[model->ops - 1] = read[0] = true;
		for (int i = model->ops - 1; i > 0; i--)
			for (int k = 0; read[i] && k < model->op[i].inputs; k++)
				read[model->op[i].in[k]] = true;
	}
	for (int i = 0; to && read && i < model->ops; i++) {
		struct op op = model->op[i];
		if (!read[i]) {
			for (int k = 0; k < 2 && i < m->weights->ops; k++) {
				free(m->weights->op[i].part[k]);
				m->weights->op[i].part[k] = NULL;
			}
			continue;
		}
		for (int k = 0; k < op.inputs; k++)
			op.in[k] = to[op.in[k]];
		if (op.layer >= 0) {
			model->layer[layers] = model->layer[op.layer];
			model->layer[layers].op = ops;
			op.layer = layers++;
		}
		if (i < m->weights->ops && ops != i) {
			m->weights->op[ops] = m->weights->op[i];
			memset(&m->weights->op[i], 0, sizeof m->weights->op[i]);
		}
		to[i] = ops;
		model->op[ops++] = op;
	}
	if (to && read) {
		model->ops = ops;
		model->layers = layers;
	}
	free(to);
	free(read);
}

// ---- all of it ----

static bool run(struct import *m, struct shape input, int classes)
{
	struct onnx_file *f = m->file;
	if (!m->model || !m->weights || !m->value || !m->left || !m->heard)
		return fault_memory(m->fault, f->path);
	if (f->outputs < 1)
		return whole_refuse(m, other_file, "it has no output");
	bool *needed = find_needed(f);
	if (!needed)
		return fault_memory(m->fault, f->path);
	count_readers(m, needed);
	m->model->classes = classes;
	bool ok = open_input(m, input) && run_nodes(m, needed) && close_output(m, classes);
	free(needed);
	if (!ok && m->model->ops > 0) // where a shape was guessed, the guess may be what is wrong
		model_runs(m->model, m->fault);
	if (!ok)
		return false;
	if (!import_blocks(m))
		return false;
	drop_unread(m);
	import_note(m);
	snprintf(m->model->name, sizeof m->model->name, "%.*s#%08lx", MODEL_TITLE - 10, f->path, (unsigned long)f->sum);
	return true;
}

struct model *import_build(struct onnx_file *f, struct shape input, int classes, struct weights **weights, struct fault *fault)
{
	struct fault own;
	struct import m = {.file = f, .fault = fault ? fault : &own};
	m.model = model_new(f->path, (struct shape){1, 1, 1}, 0);
	m.weights = calloc(1, sizeof *m.weights);
	m.value = calloc((size_t)f->values + 1, sizeof *m.value);
	m.left = calloc((size_t)f->values + 1, sizeof *m.left);
	m.heard = calloc((size_t)f->all_nodes + 1, sizeof *m.heard);
	bool ok = run(&m, input, classes);
	for (int v = 0; m.value && v < f->values; v++)
		forget(&m.value[v]);
	free(m.value);
	free(m.left);
	free(m.heard);
	free(m.holders);
	struct model *model = ok ? model_finish(m.model, m.fault) : NULL;
	if (!ok && m.model && m.model->ops < 0)
		fault_memory(m.fault, f->path);
	if (!ok)
		model_free(m.model);
	if (model && weights) {
		snprintf(m.weights->title, sizeof m.weights->title, "%s", model->name);
		*weights = m.weights;
	} else {
		weights_free(m.weights);
	}
	return model;
}

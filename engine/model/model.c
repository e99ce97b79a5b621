// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model.h"

#include <stdio.h>
#include <stdlib.h>

void model_free(struct model *m)
{
	if (!m)
		return;
	free(m->op);
	free(m->layer);
	free(m);
}

static void *grown(void *array, int count, size_t size)
{
	if (count & (count - 1)) // room is doubled at each power of two
		return array;
	return realloc(array, (size_t)(count ? 2 * count : 1) * size);
}

// A model whose memory ran out has ops -1.
static int add_op(struct model *m, struct op op)
{
	if (m->ops < 0)
		return -1;
	struct op *room = grown(m->op, m->ops, sizeof *room);
	if (!room) {
		m->ops = -1;
		return -1;
	}
	m->op = room;
	m->op[m->ops] = op;
	return m->ops++;
}

struct model *model_new(const char *name, struct shape input, int classes)
{
	struct model *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	snprintf(m->name, sizeof m->name, "%s", name);
	m->classes = classes;
	add_op(m, (struct op){.kind = OP_INPUT, .out = input, .layer = -1});
	return m;
}

static struct shape shape_of(const struct model *m, int op)
{
	return m->ops < 0 ? (struct shape){1, 1, 1} : m->op[op].out;
}

static bool non_negative(const struct model *m, int i)
{
	const struct op *op = &m->op[i];
	if (op->kind == OP_POOL)
		return non_negative(m, op->in[0]);
	return op->act == ACT_RELU;
}

static int add_layer(struct model *m, const char *name, struct op op, double weights, double macs, double biases)
{
	if (m->ops < 0)
		return -1;
	struct layer *room = grown(m->layer, m->layers, sizeof *room);
	if (!room) {
		m->ops = -1;
		return -1;
	}
	m->layer = room;
	struct shape in = m->op[op.in[0]].out;
	struct layer *l = &m->layer[m->layers];
	*l = (struct layer){.op = m->ops, .in = in, .out = op.out, .macs = macs, .weights = weights, .biases = biases,
		.activations = (double)in.h * in.w * in.c, .positive = non_negative(m, op.in[0])};
	snprintf(l->name, sizeof l->name, "%s", name);
	op.layer = m->layers;
	m->layers++;
	return add_op(m, op);
}

int model_conv(struct model *m, const char *layer, int in, int channels, int kernel, int stride)
{
	struct shape s = shape_of(m, in);
	int pad = kernel / 2;
	struct shape out = {(s.h + 2 * pad - kernel) / stride + 1, (s.w + 2 * pad - kernel) / stride + 1, channels};
	double weights = (double)kernel * kernel * s.c * channels;
	return add_layer(m, layer, (struct op){.kind = OP_CONV, .in = {in}, .inputs = 1, .out = out, .kernel = kernel,
		.stride = stride, .pad = pad, .groups = 1}, weights, weights * out.h * out.w, 0);
}

int model_linear(struct model *m, const char *layer, int in, int outputs)
{
	double weights = (double)shape_of(m, in).c * outputs;
	return add_layer(m, layer, (struct op){.kind = OP_LINEAR, .in = {in}, .inputs = 1, .out = {1, 1, outputs}},
		weights, weights, outputs);
}

int model_norm(struct model *m, int in, enum act act)
{
	return add_op(m, (struct op){.kind = OP_NORM, .act = act, .in = {in}, .inputs = 1, .out = shape_of(m, in), .layer = -1});
}

int model_add(struct model *m, int a, int b, enum act act)
{
	return add_op(m, (struct op){.kind = OP_ADD, .act = act, .in = {a, b}, .inputs = 2, .out = shape_of(m, a), .layer = -1});
}

int model_pool(struct model *m, int in)
{
	return add_op(m, (struct op){.kind = OP_POOL, .in = {in}, .inputs = 1, .out = {1, 1, shape_of(m, in).c}, .layer = -1});
}

struct model *model_finish(struct model *m, struct fault *fault)
{
	if (!m || m->ops < 0) {
		model_free(m);
		fault_set(fault, "network", "choose a smaller one", "out of memory");
		return NULL;
	}
	for (int i = 0; i < m->ops; i++) {
		const struct op *op = &m->op[i];
		if (op->out.h < 1 || op->out.w < 1 || op->out.c < 1) {
			fault_set(fault, m->name, "use larger images", "the images are too small for this network");
			model_free(m);
			return NULL;
		}
		if (op->kind == OP_NORM)
			m->parameters += 2 * op->out.c;
	}
	for (int i = 0; i < m->layers; i++) {
		m->macs += m->layer[i].macs;
		m->parameters += m->layer[i].weights + m->layer[i].biases;
	}
	return m;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/written.h"

#include <stdlib.h>
#include <string.h>

#include "engine/export/onnx.h"
#include "engine/quant/format.h"

// ---- what dialects ask ----

const struct onnx_node *written_by(const struct written *w, int value, const char *op)
{
	const int by = value < 0 ? -1 : w->by[value];
	return by >= 0 && strcmp(w->file->node[by].op, op) == 0 ? &w->file->node[by] : NULL;
}

bool written_casts(const struct written *w, int value, int element)
{
	const struct onnx_node *back = written_by(w, value, "Cast"), *there = back ? written_by(w, back->input[0], "Cast") : NULL;
	return there && onnx_whole(there, "to", 0) == element && onnx_whole(back, "to", 0) == ELEMENT_FLOAT;
}

static struct tensor *numbers_of(const struct written *w, int value)
{
	struct fault unused;
	const struct onnx_value *v = value < 0 ? NULL : &w->file->value[value];
	return v && v->has_tensor ? onnx_tensor(w->file, v->tensor, (struct complaint){v->name, &unused}) : NULL;
}

bool written_number(const struct written *w, int value, double *number)
{
	struct tensor *t = numbers_of(w, value);
	bool one = t && t->count == 1;
	if (one)
		*number = tensor_at(t, 0);
	tensor_free(t);
	return one;
}

int written_element(const struct written *w, int value)
{
	enum { DATA_TYPE = 2 }; // of TensorProto
	struct wire_field field;
	struct wire message;
	if (value < 0 || !w->file->value[value].has_tensor)
		return 0;
	message = w->file->value[value].tensor;
	while (wire_next(&message, &field))
		if (field.number == DATA_TYPE)
			return (int)field.value;
	return 0;
}

// ---- layers ----

static bool open_written(struct written *w, const char *path, struct fault *fault)
{
	*w = (struct written){.file = onnx_open(path, fault)};
	if (!w->file)
		return false;
	if (!(w->by = malloc((size_t)w->file->values * sizeof *w->by)))
		return fault_memory(fault, path);
	for (int v = 0; v < w->file->values; v++)
		w->by[v] = -1;
	for (int n = 0; n < w->file->nodes; n++)
		for (int k = 0; k < w->file->node[n].outputs; k++)
			if (w->file->node[n].output[k] >= 0)
				w->by[w->file->node[n].output[k]] = n;
	return true;
}

static const struct onnx_node *product_named(const struct written *w, const char *name)
{
	for (int n = 0; n < w->file->nodes; n++) {
		const struct onnx_node *node = &w->file->node[n];
		if ((strcmp(node->op, "Conv") == 0 || strcmp(node->op, "Gemm") == 0) && node->inputs > 1 &&
			node->output[0] >= 0 && strcmp(w->file->value[node->output[0]].name, name) == 0)
			return node;
	}
	return NULL;
}

// The constant that weights are made of: that behind what dequantizes, clips and rounds.
static int constant_behind(const struct written *w, int value)
{
	while (value >= 0 && w->by[value] >= 0 && w->file->node[w->by[value]].inputs > 0)
		value = w->file->node[w->by[value]].input[0];
	return value;
}

// Other types than fp32 hold codes. Blocks lie in another order: they are counted.
static bool same_weights(const struct written *w, int value, const struct onnx_weights *weights)
{
	const int constant = constant_behind(w, value);
	const bool codes = written_element(w, constant) != ELEMENT_FLOAT;
	struct tensor *t = numbers_of(w, constant);
	bool same = t && t->count == (long)weights->size[0] * weights->each;
	for (long i = 0; same && !weights->block && i < t->count; i++)
		same = tensor_at(t, i) ==
			(double)(codes ? weights->code[i] : weights->code[i] * weights->scale[i / weights->each]);
	tensor_free(t);
	return same;
}

static bool find_layer(const struct onnx *o, const struct written *w, int layer, struct fault *fault)
{
	static const char todo[] = "write it again";
	const struct frozen_layer *l = &o->frozen->layer[layer];
	const char *path = w->file->path, *name = onnx_layer(o, layer);
	char product[ONNX_NAME];
	onnx_product(o, layer, product);
	const struct onnx_node *node = product_named(w, product);
	if (!node)
		return fault_set(fault, path, todo, "layer %s is not found in it", name);
	const struct rounding input = {l->format.activation, l->grid, false},
			      weights = {l->format.weight, format_grid(l->format.weight, false), true};
	if (!o->dialect->rounds(w, node->input[0], &input))
		return fault_set(fault, path, todo, "the inputs of layer %s are not in %s there", name,
			format_table[input.format].name);
	if (!o->dialect->rounds(w, node->input[1], &weights))
		return fault_set(fault, path, todo, "the weights of layer %s are not in %s there", name,
			format_table[weights.format].name);
	struct onnx_weights of;
	bool same = onnx_weights_of(o, layer, &of) ? same_weights(w, node->input[1], &of) ||
			fault_set(fault, path, todo, "the weights of layer %s are others there", name)
						   : fault_memory(fault, path);
	onnx_weights_free(&of);
	return same;
}

bool written_check(const struct frozen *f, const struct outgoing *how, const struct dialect *dialect, const char *path,
	struct fault *fault)
{
	const struct onnx o = {.frozen = f, .how = how, .dialect = dialect};
	struct written w;
	bool ok = open_written(&w, path, fault);
	for (int l = 0; ok && l < f->model->layers; l++)
		ok = find_layer(&o, &w, l, fault);
	free(w.by);
	onnx_close(w.file);
	return ok;
}

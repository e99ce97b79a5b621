// SPDX-License-Identifier: GPL-3.0-or-later
// For AIMET's simulation: the network in fp32, where each layer's input is a tensor of its own (LAYER.input), and encodings of version 2.0.0 that
// name those tensors and the weights. AIMET places its quantizers on what operators put out, but for those that only move numbers about,
// so a tensor of its own is a product with 1. AIMET's codes are those of the whole type, -8 to 7 of an int4: what is signed is held at -7
// steps before it is rounded.
#include <string.h>

#include "engine/base/json.h"
#include "engine/export/onnx.h"
#include "engine/export/written.h"
#include "engine/quant/format.h"

enum { TYPE_NAME = 16 };

// The type of numbers on a format's grid; NULL: there is none. Encodings of version 2.0.0 know no casts: those stand in the network.
static const char *type_of(int format, bool positive, char buf[TYPE_NAME])
{
	const struct format *f = &format_table[format];
	if (f->kind == FORMAT_INTEGER) {
		snprintf(buf, TYPE_NAME, "%sint%d", positive ? "u" : "", f->bits);
		return buf;
	}
	return strcmp(f->name, "e4m3") == 0 ? "float8e4m3fn" : strcmp(f->name, "e5m2") == 0 ? "float8e5m2" : NULL;
}

bool aimet_has(int format)
{
	char buf[TYPE_NAME];
	return onnx_is_cast(format) || type_of(format, false, buf);
}

static enum element_type cast_type(int format)
{
	return format_table[format].mantissa == 7 ? ELEMENT_BFLOAT16 : ELEMENT_FLOAT16;
}

static void aimet_begin(struct onnx *o)
{
	o->graph.opset = 20;
	graph_scalar(&o->graph, "one", 1);
}

static void aimet_input(struct onnx *o, int layer, const char *tensor, char out[ONNX_NAME])
{
	const struct frozen_layer *l = &o->frozen->layer[layer];
	const int format = l->format.activation;
	char low[ONNX_NAME], held[ONNX_NAME];
	if (onnx_plain(format)) {
		snprintf(out, ONNX_NAME, "%s", tensor);
		return;
	}
	if (onnx_is_cast(format)) {
		onnx_cast(o, layer, tensor, cast_type(format), out);
		return;
	}
	if (l->grid.kind == GRID_INTEGER && l->grid.low < 0) {
		onnx_part(low, o, layer, "input", "_low");
		onnx_part(held, o, layer, "input", "_held");
		graph_scalar(&o->graph, low, l->grid.low * l->input_scale);
		onnx_node(o, NULL, "Max", tensor, low, NULL, held, 0, NULL);
		tensor = held;
	}
	onnx_part(out, o, layer, "input", "");
	onnx_node(o, NULL, "Mul", tensor, "one", NULL, out, 0, NULL);
}

static void aimet_weights(struct onnx *o, int layer, const struct onnx_weights *w, char out[ONNX_NAME])
{
	onnx_part(out, o, layer, "weight", "");
	onnx_values(o, w, out);
}

// What is rounded is said by the encodings.
static bool aimet_rounds(const struct written *w, int value, const struct rounding *r)
{
	if (r->weights || onnx_plain(r->format))
		return true;
	return onnx_is_cast(r->format) ? written_casts(w, value, (int)cast_type(r->format)) : written_by(w, value, "Mul") != NULL;
}

static const char *const no_domains[] = {NULL};
const struct dialect dialect_aimet = {.who = "AIMET",
	.has = aimet_has,
	.begin = aimet_begin,
	.input = aimet_input,
	.weights = aimet_weights,
	.rounds = aimet_rounds,
	.domains = no_domains};

// ---- the encodings ----

// Of a whole tensor where `axis` is below 0, which has one scale.
static json_t *encoding(const char *layer, const char *part, const char *type, const float *scale, int count, int axis)
{
	json_t *e = json_pack("{s:s+, s:s}", "name", layer, part, "output_dtype", type), *scales = json_array();
	if (axis < 0) {
		json_object_set_new(e, "y_scale", json_real((double)*scale));
	} else {
		for (int j = 0; j < count; j++)
			json_array_append_new(scales, json_real((double)scale[j]));
		json_object_set(e, "y_scale", scales);
		json_object_set_new(e, "axis", json_integer(axis));
	}
	json_decref(scales);
	return e;
}

// A quantizer without an entry is switched off when the file is loaded, so each one that the policy has gets its own. NULL: out of memory.
static json_t *encodings_of(const struct frozen *f)
{
	json_t *list = json_array();
	char type[TYPE_NAME];
	bool ok = list != NULL;
	for (int l = 0; l < f->model->layers; l++) {
		const struct frozen_layer *layer = &f->layer[l];
		const struct layer_plan *plan = &layer->format;
		const char *name = f->model->layer[l].name;
		const bool positive = layer->grid.low >= 0;
		if (!onnx_is_cast(plan->activation))
			ok &= json_array_append_new(list,
				      encoding(name, ".input", type_of(plan->activation, positive, type), &layer->input_scale, 1,
					      -1)) == 0;
		if (!onnx_is_cast(plan->weight)) // else the network's numbers are rounded already
			ok &= json_array_append_new(list,
				      encoding(name, ".weight", type_of(plan->weight, false, type), layer->scale, layer->columns,
					      0)) == 0;
	}
	if (!ok)
		json_decref(list);
	return ok ? list : NULL;
}

static bool write_encodings(const struct frozen *f, FILE *file, struct fault *fault)
{
	json_t *list = encodings_of(f);
	json_t *root = list ? json_pack("{s:s, s:{s:s, s:s}, s:o}", "version", "2.0.0", "producer", "package", "bitscape",
				      "version", BITSCAPE_VERSION, "encodings", list)
			    : NULL;
	bool ok = root && json_dumpf(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) == 0 && fputc('\n', file) != EOF;
	json_decref(root);
	return ok || fault_memory(fault, "encodings");
}

bool export_aimet(const struct frozen *f, FILE *encodings, FILE *network, struct fault *fault)
{
	return onnx_write(f, &(struct outgoing){0}, &dialect_aimet, network, fault) && write_encodings(f, encodings, fault);
}

// Every entry that there is to be is looked for by its name.
bool export_aimet_check(const struct frozen *f, const char *path, struct fault *fault)
{
	enum { MOST = 1 << 28 };
	json_t *root = json_file_read(path, MOST, "write it again", fault), *wanted = root ? encodings_of(f) : NULL, *want, *have;
	size_t i, k;
	bool ok = root && (wanted || fault_memory(fault, path));
	json_array_foreach(wanted, i, want)
	{
		bool found = false;
		json_array_foreach(json_object_get(root, "encodings"), k, have) found |= json_equal(want, have);
		if (ok && !found)
			ok = fault_set(fault, path, "write it again", "%s has no entry there, or another one",
				json_string_value(json_object_get(want, "name")));
	}
	json_decref(wanted);
	json_decref(root);
	return ok;
}

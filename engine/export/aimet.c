// SPDX-License-Identifier: GPL-3.0-or-later
// For AIMET's simulation: the network in fp32, where each layer's input is a tensor of its own (LAYER.input), and encodings of version 2.0.0 that
// name those tensors and the weights. AIMET places its quantizers on what operators put out, but for those that only move numbers about,
// so a tensor of its own is a product with 1. AIMET's codes are those of the whole type, -8 to 7 of an int4: what is signed is held at -7
// steps before it is rounded.
#include <string.h>

#include "engine/base/json.h"
#include "engine/export/onnx.h"
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

static bool is_cast(int format)
{
	return format_table[format].kind == FORMAT_CAST;
}

static bool aimet_fits(const struct onnx *o, int layer, struct fault *fault)
{
	const struct layer_plan *plan = &o->frozen->layer[layer].format;
	const int format[] = {plan->weight, plan->activation};
	char buf[TYPE_NAME];
	for (int h = 0; h < 2; h++)
		if (!is_cast(format[h]) && !type_of(format[h], false, buf))
			return fault_set(fault, onnx_layer(o, layer),
				"pin it to int8, e4m3 or e5m2, or `export qonnx`, which has all without blocks",
				"AIMET has no type for %s, the format of its %s", format_table[format[h]].name,
				h ? "inputs" : "weights");
	return true;
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
	if (is_cast(format)) {
		onnx_cast(o, layer, tensor, format_table[format].mantissa == 7 ? TENSOR_BFLOAT16 : TENSOR_FLOAT16, out);
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

static const char *const no_domains[] = {NULL};
static const struct dialect aimet = {
	.fits = aimet_fits, .begin = aimet_begin, .input = aimet_input, .weights = aimet_weights, .domains = no_domains};

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

// A quantizer without an entry is switched off when the file is loaded, so each one that the policy has gets its own.
static bool write_encodings(const struct frozen *f, FILE *file, struct fault *fault)
{
	json_t *list = json_array();
	char type[TYPE_NAME];
	bool ok = list != NULL;
	for (int l = 0; l < f->model->layers; l++) {
		const struct frozen_layer *layer = &f->layer[l];
		const char *name = f->model->layer[l].name;
		if (!is_cast(layer->format.activation))
			ok &= json_array_append_new(list,
				      encoding(name, ".input", type_of(layer->format.activation, layer->grid.low >= 0, type),
					      &layer->input_scale, 1, -1)) == 0;
		if (!is_cast(layer->format.weight)) // else the network's numbers are rounded already
			ok &= json_array_append_new(list,
				      encoding(name, ".weight", type_of(layer->format.weight, false, type), layer->scale,
					      layer->columns, 0)) == 0;
	}
	json_t *root = json_pack("{s:s, s:{s:s, s:s}, s:o}", "version", "2.0.0", "producer", "package", "bitscape", "version",
		BITSCAPE_VERSION, "encodings", list);
	ok = ok && root && json_dumpf(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) == 0 && fputc('\n', file) != EOF;
	json_decref(root);
	return ok || fault_memory(fault, "encodings");
}

bool export_aimet(const struct frozen *f, FILE *encodings, FILE *network, struct fault *fault)
{
	return onnx_write(f, &(struct outgoing){0}, &aimet, network, fault) && write_encodings(f, encodings, fault);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// QONNX: a node Quant or FloatQuant for every rounding, of any width. The nodes' domain is qonnx's; the file holds their bodies in standard
// operators, so that a runtime which knows nothing of the domain computes the same. Attributes and inputs are as qonnx 1.0.0 reads them.
#include <math.h>
#include <string.h>

#include "engine/export/onnx.h"
#include "engine/export/written.h"
#include "engine/quant/format.h"

#define DOMAIN "qonnx.custom_op.general"

bool qonnx_has(int format)
{
	return !format_table[format].block;
}

static void body(struct string *b, const char *type, const char *x, const char *y, const char *z, const char *out)
{
	graph_body_node(b, type, (const char *[]){x, y, y ? z : NULL, NULL}, out, 0, NULL);
}

static void constant(struct string *b, const char *out, float v)
{
	graph_body_node(b, "Constant", (const char *[]){NULL}, out, 1, &FLOAT_IS("value_float", v));
}

static void parameter(struct string *b, const char *out, const char *attribute)
{
	char number[40];
	snprintf(number, sizeof number, "%s_number", out);
	graph_body_node(b, "Constant", (const char *[]){NULL}, number, 1, &INT_OF("value_int", attribute));
	graph_body_node(b, "Cast", (const char *[]){number, NULL}, out, 1, &INT_IS("to", ELEMENT_FLOAT));
}

// Of b bits: h = 2^(b - signed); at most h - 1, less 1 where it is unsigned and narrow; at least -h, or 1 - h where narrow, or 0.
// y = (round(clip(x / s + z)) - z) * s.
static void put_quant(struct graph *g)
{
	static const char *const attributes[] = {"signed", "narrow", "rounding_mode"};
	struct string b = {0};
	constant(&b, "one", 1);
	constant(&b, "two", 2);
	parameter(&b, "sign", "signed");
	parameter(&b, "less", "narrow");
	body(&b, "Sub", "bits", "sign", NULL, "power");
	body(&b, "Pow", "two", "power", NULL, "half");
	body(&b, "Sub", "one", "sign", NULL, "plain");
	body(&b, "Mul", "plain", "less", NULL, "shorter");
	body(&b, "Sub", "half", "one", NULL, "last");
	body(&b, "Sub", "last", "shorter", NULL, "high");
	body(&b, "Sub", "less", "half", NULL, "first");
	body(&b, "Mul", "sign", "first", NULL, "low");
	body(&b, "Div", "x", "scale", NULL, "steps");
	body(&b, "Add", "steps", "zero", NULL, "moved");
	body(&b, "Max", "moved", "low", NULL, "above");
	body(&b, "Min", "above", "high", NULL, "held");
	body(&b, "Round", "held", NULL, NULL, "code");
	body(&b, "Sub", "code", "zero", NULL, "back");
	body(&b, "Mul", "back", "scale", NULL, "y");
	graph_function(g, DOMAIN, "Quant", (const char *[]){"x", "scale", "zero", "bits", NULL}, "y", 3, attributes, &b);
}

// With a mantissa of M bits and an exponent bias B: e = max(floor(log2 |v|), 1 - B) - M, y = clip(round(v / 2^e) * 2^e, +-max) * s for v = x / s.
// The logarithm is taken in double precision, so that powers of two are told apart from what is just below them.
static void put_float_quant(struct graph *g)
{
	static const char *const attributes[] = {"has_inf", "has_nan", "has_subnormal", "saturation", "rounding_mode"};
	const struct attribute real = INT_IS("to", ELEMENT_FLOAT), wide = INT_IS("to", 11);
	struct string b = {0};
	constant(&b, "one", 1);
	constant(&b, "two", 2);
	constant(&b, "least", 1e-30f);
	body(&b, "Div", "x", "scale", NULL, "v");
	body(&b, "Abs", "v", NULL, NULL, "size");
	body(&b, "Max", "size", "least", NULL, "sized");
	graph_body_node(&b, "Cast", (const char *[]){"sized", NULL}, "exact", 1, &wide);
	body(&b, "Log", "exact", NULL, NULL, "natural");
	graph_body_node(&b, "Cast", (const char *[]){"two", NULL}, "base", 1, &wide);
	body(&b, "Log", "base", NULL, NULL, "unit");
	body(&b, "Div", "natural", "unit", NULL, "binary");
	graph_body_node(&b, "Constant", (const char *[]){NULL}, "nudge_number", 1, &FLOAT_IS("value_float", 1e-10f));
	graph_body_node(&b, "Cast", (const char *[]){"nudge_number", NULL}, "nudge", 1, &wide);
	body(&b, "Add", "binary", "nudge", NULL, "nudged");
	body(&b, "Floor", "nudged", NULL, NULL, "whole");
	graph_body_node(&b, "Cast", (const char *[]){"whole", NULL}, "found", 1, &real);
	body(&b, "Sub", "one", "bias", NULL, "smallest");
	body(&b, "Max", "found", "smallest", NULL, "exponent");
	body(&b, "Sub", "exponent", "mantissa", NULL, "last");
	body(&b, "Pow", "two", "last", NULL, "step");
	body(&b, "Div", "v", "step", NULL, "steps");
	body(&b, "Round", "steps", NULL, NULL, "code");
	body(&b, "Mul", "code", "step", NULL, "rounded");
	body(&b, "Neg", "top", NULL, NULL, "bottom");
	body(&b, "Max", "rounded", "bottom", NULL, "above");
	body(&b, "Min", "above", "top", NULL, "held");
	body(&b, "Mul", "held", "scale", NULL, "y");
	graph_function(g, DOMAIN, "FloatQuant", (const char *[]){"x", "scale", "exponents", "mantissa", "bias", "top", NULL}, "y",
		5, attributes, &b);
}

static void qonnx_begin(struct onnx *o)
{
	o->graph.opset = 20;
	put_quant(&o->graph);
	put_float_quant(&o->graph);
}

// Of `what`, "input" or "weight", which is `tensor`.
static void put_rounding(struct onnx *o, int layer, const char *what, const char *tensor, int format, const struct grid *g,
	const char *scale, char out[ONNX_NAME])
{
	const struct format *f = &format_table[format];
	char name[4][ONNX_NAME];
	static const char *const part[] = {"exponents", "mantissa", "bias", "top"};
	onnx_part(out, o, layer, what, "");
	if (g->kind == GRID_INTEGER) {
		const bool positive = g->low >= 0;
		onnx_part(name[0], o, layer, what, "_zero");
		onnx_part(name[1], o, layer, what, "_bits");
		graph_scalar(&o->graph, name[0], 0);
		graph_scalar(&o->graph, name[1], (float)f->bits);
		const struct attribute with[] = {
			INT_IS("signed", !positive), INT_IS("narrow", !positive), TEXT_IS("rounding_mode", "ROUND")};
		graph_node(&o->graph, DOMAIN, "Quant", out, (const char *[]){tensor, scale, name[0], name[1], NULL},
			(const char *[]){out, NULL}, 3, with);
		return;
	}
	const float value[] = {(float)f->exponent, (float)f->mantissa, (float)((1 << (f->exponent - 1)) - 1), (float)f->largest};
	for (int i = 0; i < 4; i++) {
		snprintf(name[i], ONNX_NAME, "%s.%s_%s", onnx_layer(o, layer), what, part[i]);
		graph_scalar(&o->graph, name[i], value[i]);
	}
	const struct attribute with[] = {INT_IS("has_inf", 0), INT_IS("has_nan", 0), INT_IS("has_subnormal", 1),
		INT_IS("saturation", 1), TEXT_IS("rounding_mode", "ROUND")};
	graph_node(&o->graph, DOMAIN, "FloatQuant", out,
		(const char *[]){tensor, scale, name[0], name[1], name[2], name[3], NULL}, (const char *[]){out, NULL}, 5, with);
}

static void qonnx_input(struct onnx *o, int layer, const char *tensor, char out[ONNX_NAME])
{
	const struct frozen_layer *l = &o->frozen->layer[layer];
	char scale[ONNX_NAME];
	if (onnx_plain(l->format.activation)) {
		snprintf(out, ONNX_NAME, "%s", tensor);
		return;
	}
	onnx_part(scale, o, layer, "input_scale", "");
	graph_scalar(&o->graph, scale, l->input_scale);
	put_rounding(o, layer, "input", tensor, l->format.activation, &l->grid, scale, out);
}

static void qonnx_weights(struct onnx *o, int layer, const struct onnx_weights *w, char out[ONNX_NAME])
{
	const int format = o->frozen->layer[layer].format.weight;
	const struct grid grid = format_grid(format, false);
	const int64_t scales[] = {w->size[0], 1, 1, 1};
	char values[ONNX_NAME], scale[ONNX_NAME];
	onnx_part(values, o, layer, "weight_values", "");
	onnx_values(o, w, values);
	if (onnx_plain(format)) {
		snprintf(out, ONNX_NAME, "%s", values);
		return;
	}
	onnx_part(scale, o, layer, "weight_scale", "");
	graph_floats(&o->graph, scale, w->rank, scales, w->scale);
	put_rounding(o, layer, "weight", values, format, &grid, scale, out);
}

static bool qonnx_rounds(const struct written *w, int value, const struct rounding *r)
{
	const struct format *f = &format_table[r->format];
	const struct onnx_node *quant = written_by(w, value, "Quant"), *real = written_by(w, value, "FloatQuant");
	double bits, mantissa;
	if (onnx_plain(r->format))
		return !quant && !real;
	if (f->kind == FORMAT_INTEGER)
		return quant && written_number(w, quant->input[3], &bits) && bits == f->bits &&
			onnx_whole(quant, "signed", -1) == (r->grid.low < 0) &&
			onnx_whole(quant, "narrow", -1) == (r->grid.low < 0);
	return real && written_number(w, real->input[2], &bits) && written_number(w, real->input[3], &mantissa) &&
		bits == f->exponent && mantissa == f->mantissa;
}

static const char *const domains[] = {DOMAIN, NULL};
const struct dialect dialect_qonnx = {.who = "QONNX",
	.has = qonnx_has,
	.begin = qonnx_begin,
	.input = qonnx_input,
	.weights = qonnx_weights,
	.rounds = qonnx_rounds,
	.domains = domains};

bool export_qonnx(const struct frozen *f, const struct outgoing *how, FILE *file, struct fault *fault)
{
	return onnx_write(f, how, &dialect_qonnx, file, fault);
}

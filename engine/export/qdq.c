// SPDX-License-Identifier: GPL-3.0-or-later
// QuantizeLinear and DequantizeLinear of ONNX. Integer widths that have no type of their own travel in 8 bits: activations are clipped to their
// codes' bounds between the two nodes; weights are codes within the bounds, without a clip, which would keep OpenVINO from its integer
// convolutions. ONNX rounds ties to even and saturates at the type's bounds, as the engine does within its own.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/export/onnx.h"
#include "engine/export/written.h"
#include "engine/quant/format.h"

// What carries a format's codes.
struct carrier {
	enum element_type type;
	int opset, size; // of a number, in bytes
};

static bool is_float8(const struct carrier *c)
{
	return c->type == ELEMENT_FLOAT8E4M3FN || c->type == ELEMENT_FLOAT8E5M2;
}

static bool carrier_of(int format, bool positive, struct carrier *c)
{
	const struct format *f = &format_table[format];
	if (f->kind == FORMAT_INTEGER && f->bits <= 8)
		*c = (struct carrier){positive ? ELEMENT_UINT8 : ELEMENT_INT8, 13, 1};
	else if (f->kind == FORMAT_INTEGER)
		*c = (struct carrier){positive ? ELEMENT_UINT16 : ELEMENT_INT16, 21, 2};
	else if (strcmp(f->name, "e4m3") == 0)
		*c = (struct carrier){ELEMENT_FLOAT8E4M3FN, 19, 1};
	else if (strcmp(f->name, "e5m2") == 0)
		*c = (struct carrier){ELEMENT_FLOAT8E5M2, 19, 1};
	else if (strcmp(f->name, "bf16") == 0)
		*c = (struct carrier){ELEMENT_BFLOAT16, 13, 2};
	else if (strcmp(f->name, "fp16") == 0)
		*c = (struct carrier){ELEMENT_FLOAT16, 13, 2};
	else
		return false;
	return true;
}

// What carries the elements of weights. e4m3 has every number of e2m1, e2m3 and e3m2.
static bool weight_carrier_of(int format, struct carrier *c)
{
	const struct format *f = &format_table[format];
	if (!f->block)
		return carrier_of(format, false, c);
	if (strcmp(format_element(format), "int8") == 0)
		*c = (struct carrier){ELEMENT_INT8, 21, 1};
	else
		*c = (struct carrier){f->exponent > 4 ? ELEMENT_FLOAT8E5M2 : ELEMENT_FLOAT8E4M3FN, 21, 1};
	return true;
}

static const char *qdq_without_blocks(int format)
{
	struct carrier c;
	const char *element = format_element(format);
	return carrier_of(format_named(element), false, &c) ? element : "e4m3";
}

// What either half of a layer is carried by. False: nothing.
static bool half_carrier_of(const struct frozen_layer *l, int half, struct carrier *c)
{
	return half ? carrier_of(l->format.activation, l->grid.low >= 0, c) : weight_carrier_of(l->format.weight, c);
}

bool qdq_has(int format)
{
	struct carrier c;
	return onnx_plain(format) || carrier_of(format, false, &c);
}

// The version of the operators that all layers together need. ONNX Runtime 1.32 takes a Relu in front of a QuantizeLinear to an 8-bit float
// away, as if that could not be negative, and refuses a Clip in front of one to e5m2 (findings/onnxruntime-drops-relu-before-float8.sh): there it is a Max.
static void qdq_begin(struct onnx *o)
{
	const struct frozen *f = o->frozen;
	for (int l = 0; l < f->model->layers; l++) {
		const int format[] = {f->layer[l].format.weight, f->layer[l].format.activation};
		struct carrier c;
		for (int h = 0; h < 2; h++)
			if (!onnx_plain(format[h]) && half_carrier_of(&f->layer[l], h, &c)) {
				o->graph.opset = c.opset > o->graph.opset ? c.opset : o->graph.opset;
				o->relu_is_max |= is_float8(&c);
			}
	}
	for (int i = 0; i < f->model->ops; i++)
		if (f->model->op[i].act == ACT_GELU && o->graph.opset < 20)
			o->graph.opset = 20;
}

static void put_bound(struct onnx *o, const char *name, const struct carrier *c, float v)
{
	const int32_t code = (int32_t)v; // whose lowest bytes are those of a narrower one
	graph_constant(&o->graph, name, c->type, 0, NULL, &code, (size_t)c->size);
}

// Q, a clip where the type has more codes than the format, DQ.
static void round_trip(struct onnx *o, int layer, const char *what, const char *tensor, const struct carrier *c,
	const struct grid *g, const char *scale, const struct attribute *axis, const char *zero, char out[ONNX_NAME])
{
	char codes[ONNX_NAME], held[ONNX_NAME], low[ONNX_NAME], high[ONNX_NAME];
	const char *from = codes;
	onnx_part(codes, o, layer, what, "_codes");
	onnx_part(out, o, layer, what, "");
	onnx_node(o, NULL, "QuantizeLinear", tensor, scale, zero, codes, axis ? 1 : 0, axis);
	// Not of 16 bits, which ONNX Runtime 1.32 has no Clip for: what is beyond the range may become -32768 there instead of -32767.
	if (g->kind == GRID_INTEGER && c->size == 1 && !(c->type == ELEMENT_UINT8 && g->high == 255)) {
		onnx_part(low, o, layer, what, "_low");
		onnx_part(high, o, layer, what, "_high");
		onnx_part(held, o, layer, what, "_held");
		put_bound(o, low, c, g->low);
		put_bound(o, high, c, g->high);
		onnx_node(o, NULL, "Clip", codes, low, high, held, 0, NULL);
		from = held;
	}
	onnx_node(o, NULL, "DequantizeLinear", from, scale, zero, out, axis ? 1 : 0, axis);
}

static void put_zero(struct onnx *o, const char *name, const struct carrier *c, int rank, int64_t count)
{
	void *zeros = calloc((size_t)count, (size_t)c->size);
	if (zeros)
		graph_constant(&o->graph, name, c->type, rank, &count, zeros, (size_t)count * (size_t)c->size);
	o->graph.nodes.failed |= !zeros;
	free(zeros);
}

static void qdq_input(struct onnx *o, int layer, const char *tensor, char out[ONNX_NAME])
{
	const struct frozen_layer *l = &o->frozen->layer[layer];
	struct carrier c;
	char scale[ONNX_NAME], zero[ONNX_NAME], own[ONNX_NAME];
	if (onnx_plain(l->format.activation)) {
		snprintf(out, ONNX_NAME, "%s", tensor);
		return;
	}
	carrier_of(l->format.activation, l->grid.low >= 0, &c);
	if (o->how->clip) { // by the name of what is rounded, qonnx 1.0 knows a width (findings/qonnx-one-width-for-a-tensor.sh)
		onnx_part(own, o, layer, "input", "_source");
		onnx_node(o, NULL, "Identity", tensor, NULL, NULL, own, 0, NULL);
		tensor = own;
	}
	if (onnx_is_cast(l->format.activation)) {
		onnx_cast(o, layer, tensor, c.type, out);
		return;
	}
	onnx_part(scale, o, layer, "input_scale", "");
	onnx_part(zero, o, layer, "input_zero", "");
	graph_scalar(&o->graph, scale, l->input_scale);
	put_zero(o, zero, &c, 0, 1);
	round_trip(o, layer, "input", tensor, &c, &l->grid, scale, NULL, zero, out);
}

// The bits of a number of a floating format of 8 bits: it is one, so nothing is rounded.
static uint8_t float8(const struct format *f, float v)
{
	const int bias = (1 << (f->exponent - 1)) - 1, sign = signbit(v) ? 0x80 : 0;
	if (v == 0)
		return (uint8_t)sign;
	int exponent = ilogbf(v) + bias;
	const float least = ldexpf(1, 1 - bias - f->mantissa);
	if (exponent < 1)
		return (uint8_t)(sign | (int)(fabsf(v) / least));
	const int mantissa = (int)(ldexpf(fabsf(v), f->mantissa - (exponent - bias))) - (1 << f->mantissa);
	return (uint8_t)(sign | exponent << f->mantissa | mantissa);
}

// From [outputs][rows][columns][inputs], all but outputs in one.
static void put_turned(struct onnx *o, int layer, const char *rows, const int64_t size[4], const char *out)
{
	const int64_t shape[] = {size[0], size[2], size[3], size[1]}, four = 4, order[] = {0, 3, 1, 2};
	char sizes[ONNX_NAME], taps[ONNX_NAME];
	onnx_part(sizes, o, layer, "weight_sizes", "");
	onnx_part(taps, o, layer, "weight_taps", "");
	graph_constant(&o->graph, sizes, ELEMENT_INT64, 1, &four, shape, sizeof shape);
	onnx_node(o, NULL, "Reshape", rows, sizes, NULL, taps, 0, NULL);
	onnx_node(o, NULL, "Transpose", taps, NULL, NULL, out, 1, &INTS_ARE("perm", order, 4));
}

// `steps`: so many units of the carrier are a code's.
static void encode(const struct carrier *c, const float *code, float steps, long count, unsigned char *to)
{
	const struct format *eight = &format_table[format_named(c->type == ELEMENT_FLOAT8E5M2 ? "e5m2" : "e4m3")];
	for (long i = 0; i < count; i++) {
		int16_t wide = is_float8(c) ? 0 : (int16_t)(steps * code[i]);
		if (c->size == 2)
			memcpy(to + 2 * i, &wide, 2);
		else
			to[i] = is_float8(c) ? float8(eight, code[i]) : (unsigned char)(int8_t)wide;
	}
}

static void put_codes(struct onnx *o, const char *name, const struct carrier *c, int rank, const int64_t *size,
	const struct onnx_weights *w, float steps)
{
	const long count = w->size[0] * w->each;
	unsigned char *bytes = malloc((size_t)(count * c->size));
	if (bytes) {
		encode(c, w->code, steps, count, bytes);
		graph_constant(&o->graph, name, c->type, rank, size, bytes, (size_t)(count * c->size));
	}
	o->graph.nodes.failed |= !bytes;
	free(bytes);
}

static void put_block_scales(struct onnx *o, const char *name, int rank, const struct onnx_weights *w, float steps)
{
	const int64_t size[] = {w->size[0], w->scales, 1, 1};
	const long count = w->size[0] * w->scales;
	float *scale = malloc((size_t)count * sizeof *scale);
	for (long i = 0; scale && i < count; i++)
		scale[i] = w->scale[i] / steps;
	if (scale)
		graph_floats(&o->graph, name, rank, size, scale);
	o->graph.nodes.failed |= !scale;
	free(scale);
}

// Blocks run over taps where these are several: there they are dequantized in the engine's order, and put into ONNX's.
static void put_blocks(struct onnx *o, int layer, const struct carrier *c, const struct onnx_weights *w, const char *codes,
	const char *scale, const char *out)
{
	const bool taps = w->size[2] * w->size[3] > 1;
	const int rank = taps ? 2 : w->rank;
	const float steps = c->type == ELEMENT_INT8 ? ldexpf(1, format_table[o->frozen->layer[layer].format.weight].mantissa - 1)
						    : 1;
	const int64_t size[] = {w->size[0], w->each, 1, 1};
	const struct attribute with[] = {INT_IS("axis", 1), INT_IS("block_size", w->block)};
	char rows[ONNX_NAME];
	onnx_part(rows, o, layer, "weight_rows", "");
	put_codes(o, codes, c, rank, size, w, steps);
	put_block_scales(o, scale, rank, w, steps);
	onnx_node(o, NULL, "DequantizeLinear", codes, scale, NULL, taps ? rows : out, 2, with);
	if (taps)
		put_turned(o, layer, rows, w->size, out);
}

static void qdq_weights(struct onnx *o, int layer, const struct onnx_weights *w, char out[ONNX_NAME])
{
	const int format = o->frozen->layer[layer].format.weight;
	const struct format *f = &format_table[format];
	struct carrier c;
	char codes[ONNX_NAME], scale[ONNX_NAME], zero[ONNX_NAME];
	onnx_part(codes, o, layer, "weight_values", "");
	if (onnx_is_cast(format)) { // the numbers are rounded already
		onnx_values(o, w, codes);
		snprintf(out, ONNX_NAME, "%s", codes);
		return;
	}
	weight_carrier_of(format, &c);
	onnx_part(scale, o, layer, "weight_scale", "");
	if (w->block) {
		onnx_part(out, o, layer, "weight", "");
		put_blocks(o, layer, &c, w, codes, scale, out);
		return;
	}
	onnx_part(zero, o, layer, "weight_zero", "");
	graph_floats(&o->graph, scale, 1, w->size, w->scale);
	put_zero(o, zero, &c, 1, w->size[0]);
	if (o->how->clip && f->kind == FORMAT_INTEGER) {
		const struct grid grid = format_grid(format, false);
		onnx_values(o, w, codes);
		round_trip(o, layer, "weight", codes, &c, &grid, scale, &INT_IS("axis", 0), zero, out);
		return;
	}
	put_codes(o, codes, &c, w->rank, w->size, w, 1);
	onnx_part(out, o, layer, "weight", "");
	onnx_node(o, NULL, "DequantizeLinear", codes, scale, zero, out, 1, &INT_IS("axis", 0));
}

// ---- reading again ----

// Codes are clipped where their type has more of them than the format; weights that are stored as codes are within.
static bool has_codes(const struct written *w, int codes, const struct rounding *r, const struct carrier *c)
{
	const struct onnx_node *clip = written_by(w, codes, "Clip"),
			       *q = written_by(w, clip ? clip->input[0] : codes, "QuantizeLinear");
	double low, high;
	if (clip &&
		!(written_number(w, clip->input[1], &low) && written_number(w, clip->input[2], &high) &&
			low == (double)r->grid.low && high == (double)r->grid.high))
		return false;
	return written_element(w, q ? q->input[2] : codes) == (int)c->type;
}

static bool qdq_rounds(const struct written *w, int value, const struct rounding *r)
{
	struct carrier c;
	const struct onnx_node *back;
	if (onnx_plain(r->format) || (onnx_is_cast(r->format) && r->weights))
		return !written_by(w, value, "DequantizeLinear") && !written_by(w, value, "Cast");
	if (!(r->weights ? weight_carrier_of(r->format, &c) : carrier_of(r->format, r->grid.low >= 0, &c)))
		return false;
	if (onnx_is_cast(r->format))
		return written_casts(w, value, (int)c.type);
	// Blocks are dequantized in the engine's order, and then put into ONNX's.
	while ((back = written_by(w, value, "Transpose")) || (back = written_by(w, value, "Reshape")))
		value = back->input[0];
	return (back = written_by(w, value, "DequantizeLinear")) && has_codes(w, back->input[0], r, &c);
}

static const char *const no_domains[] = {NULL};
const struct dialect dialect_qdq = {.folds = true,
	.blocks = true,
	.without_blocks = qdq_without_blocks,
	.who = "ONNX",
	.has = qdq_has,
	.begin = qdq_begin,
	.input = qdq_input,
	.weights = qdq_weights,
	.rounds = qdq_rounds,
	.domains = no_domains};

bool export_qdq(const struct frozen *f, const struct outgoing *how, FILE *file, struct fault *fault)
{
	return onnx_write(f, how, &dialect_qdq, file, fault);
}

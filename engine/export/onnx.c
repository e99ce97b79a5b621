// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"

void onnx_node(struct onnx *o, const char *domain, const char *type, const char *a, const char *b, const char *c,
	const char *output, int count, const struct attribute *attribute)
{
	graph_node(&o->graph, domain, type, output, (const char *[]){a, b, b ? c : NULL, NULL}, (const char *[]){output, NULL},
		count, attribute);
}

const char *onnx_layer(const struct onnx *o, int layer)
{
	return o->frozen->model->layer[layer].name;
}

void onnx_part(char out[ONNX_NAME], const struct onnx *o, int layer, const char *part, const char *of_part)
{
	snprintf(out, ONNX_NAME, "%s.%s%s", onnx_layer(o, layer), part, of_part);
}

void onnx_cast(struct onnx *o, int layer, const char *tensor, enum element_type to, char out[ONNX_NAME])
{
	char narrow[ONNX_NAME];
	onnx_part(narrow, o, layer, "input", "_narrow");
	onnx_part(out, o, layer, "input", "");
	onnx_node(o, NULL, "Cast", tensor, NULL, NULL, narrow, 1, &INT_IS("to", to));
	onnx_node(o, NULL, "Cast", narrow, NULL, NULL, out, 1, &INT_IS("to", ELEMENT_FLOAT));
}

bool onnx_plain(int format)
{
	return onnx_is_cast(format) && format_table[format].bits == 32;
}

bool onnx_is_cast(int format)
{
	return format_table[format].kind == FORMAT_CAST;
}

// The tensor that an operator puts out. The input and the output of the network are "image" and "logits".
static const char *tensor(const struct onnx *o, int op, char buf[ONNX_NAME])
{
	const struct model *m = o->frozen->model;
	if (op == 0 || op == m->ops - 1)
		return op == 0 ? "image" : "logits";
	if (m->op[op].layer >= 0)
		snprintf(buf, ONNX_NAME, "%s.out", m->layer[m->op[op].layer].name);
	else
		snprintf(buf, ONNX_NAME, "%s_%d", model_kind(m->op[op].kind), op);
	return buf;
}

// ---- layers ----

static bool folds(const struct onnx *o)
{
	return o->how->fold && o->dialect->folds;
}

// The norm that is folded into a layer: the only reader of one without a bias. -1: none.
static int folded_norm(const struct onnx *o, int op)
{
	const struct model *m = o->frozen->model;
	int norm = -1, readers = 0;
	for (int r = op + 1; r < m->ops; r++)
		for (int k = 0; k < m->op[r].inputs; k++)
			if (m->op[r].in[k] == op) {
				readers++;
				norm = r;
			}
	return folds(o) && !m->op[op].bias && readers == 1 && m->op[norm].kind == OP_NORM ? norm : -1;
}

static bool is_folded(const struct onnx *o, int op)
{
	const struct model *m = o->frozen->model;
	return m->op[op].kind == OP_NORM && m->op[m->op[op].in[0]].layer >= 0 && folded_norm(o, m->op[op].in[0]) == op;
}

static bool is_head(const struct onnx *o, const struct op *op)
{
	return op->kind == OP_LINEAR && op == &o->frozen->model->op[o->frozen->model->ops - 1];
}

// The scales of a column, times a gain; returns by what its codes are multiplied.
static float order_scales(const struct frozen_layer *l, int column, float gain, struct onnx_weights *w)
{
	const float *from = w->block ? l->block_scale : l->scale;
	const float scale = fabsf(gain) * from[column];
	const bool shut = !w->block && scale < 1e-30f; // by the norm: any scale will do
	for (long b = 0; b < w->scales; b++)
		w->scale[column * w->scales + b] = shut ? 1 : fabsf(gain) * from[b * l->columns + column];
	return shut ? 0 : gain < 0 ? -1 : 1;
}

// The engine's [rows][columns][inputs][outputs] in ONNX's order, but for blocks.
bool onnx_weights_of(const struct onnx *o, int layer, struct onnx_weights *w)
{
	const struct frozen_layer *l = &o->frozen->layer[layer];
	const int at = o->frozen->model->layer[layer].op, norm = folded_norm(o, at);
	const float *gain = norm >= 0 ? o->frozen->norm[norm].gain : NULL;
	const struct op *op = &o->frozen->model->op[at];
	const int taps = op->kind == OP_CONV ? op->window.h * op->window.w : 1, block = format_table[l->format.weight].block;
	const long inputs = l->rows / taps, scales = block ? (l->rows + block - 1) / block : 1;
	*w = (struct onnx_weights){.rank = is_head(o, op) ? 2 : 4,
		.size = {l->columns, inputs, op->kind == OP_CONV ? op->window.h : 1, op->kind == OP_CONV ? op->window.w : 1},
		.each = l->rows,
		.block = block,
		.scales = scales,
		.code = malloc((size_t)(l->rows * l->columns) * sizeof(float)),
		.scale = malloc((size_t)(scales * l->columns) * sizeof(float))};
	if (!w->code || !w->scale)
		return false;
	for (int j = 0; j < l->columns; j++) {
		const float sign = order_scales(l, j, gain ? gain[j] : 1, w);
		for (int t = 0; t < taps; t++)
			for (long i = 0; i < inputs; i++) {
				const float code = l->code[(t * inputs + i) * l->columns + j];
				w->code[j * l->rows + (block ? t * inputs + i : i * taps + t)] = sign == 0 ? 0 : sign * code;
			}
	}
	return true;
}

void onnx_weights_free(struct onnx_weights *w)
{
	free(w->code);
	free(w->scale);
}

void onnx_values(struct onnx *o, const struct onnx_weights *w, const char *name)
{
	const long count = w->size[0] * w->each;
	float *x = malloc((size_t)count * sizeof *x);
	for (long i = 0; x && i < count; i++)
		x[i] = w->code[i] * w->scale[i / w->each];
	if (x)
		graph_floats(&o->graph, name, w->rank, w->size, x);
	o->graph.nodes.failed |= !x;
	free(x);
}

static bool integer_products(const struct frozen_layer *l)
{
	const struct format *w = &format_table[l->format.weight], *a = &format_table[l->format.activation];
	return w->kind == FORMAT_INTEGER && a->kind == FORMAT_INTEGER && w->bits <= 8 && a->bits <= 8;
}

// Where products are of integers, a bias is one of 32 bits in units of a product of codes: then no runtime rounds it on its own.
static void put_bias(struct onnx *o, int layer, const struct onnx_weights *w, const float *bias, char out[ONNX_NAME])
{
	const struct frozen_layer *l = &o->frozen->layer[layer];
	const int64_t count = l->columns;
	onnx_part(out, o, layer, "bias", "");
	if (!integer_products(l)) {
		graph_floats(&o->graph, out, 1, &count, bias);
		return;
	}
	int32_t *code = malloc((size_t)count * sizeof *code);
	float *scale = malloc((size_t)count * sizeof *scale);
	char codes[ONNX_NAME], scales[ONNX_NAME];
	onnx_part(codes, o, layer, "bias_codes", "");
	onnx_part(scales, o, layer, "bias_scale", "");
	for (int j = 0; code && scale && j < count; j++) {
		scale[j] = l->input_scale * w->scale[j];
		double v = rint((double)bias[j] / (double)scale[j]);
		code[j] = (int32_t)fmax(-2147483647, fmin(2147483647, v));
	}
	if (code && scale) {
		graph_constant(&o->graph, codes, ELEMENT_INT32, 1, &count, code, (size_t)count * sizeof *code);
		graph_floats(&o->graph, scales, 1, &count, scale);
		onnx_node(o, NULL, "DequantizeLinear", codes, scales, NULL, out, 1, &INT_IS("axis", 0));
	}
	o->graph.nodes.failed |= !code || !scale;
	free(code);
	free(scale);
}

// A gain or a shift for each channel, as a tensor that meets images, or rows of the head.
static void per_channel(struct onnx *o, const char *type, const char *name, const float *x, int channels, bool head,
	const char *in, const char *out)
{
	const int64_t size[] = {1, channels, 1, 1};
	graph_floats(&o->graph, name, head ? 2 : 4, size, x);
	onnx_node(o, NULL, type, in, name, NULL, out, 0, NULL);
}

static void put_product(struct onnx *o, const struct op *op, const char *in, const char *weights, const char *bias,
	const char *out)
{
	const struct window w = op->kind == OP_CONV ? op->window : (struct window){1, 1, 1, 0, 0, 0};
	if (is_head(o, op)) {
		onnx_node(o, NULL, "Gemm", in, weights, bias, out, 1, &INT_IS("transB", 1));
		return;
	}
	const int64_t kernel[] = {w.h, w.w}, strides[] = {w.stride, w.stride}, ones[] = {1, 1},
		      pads[] = {w.pad_h, w.pad_w, w.pad_h + w.far, w.pad_w + w.far};
	const struct attribute with[] = {INT_IS("group", op->kind == OP_CONV ? op->groups : 1),
		INTS_ARE("kernel_shape", kernel, 2), INTS_ARE("strides", strides, 2), INTS_ARE("pads", pads, 4),
		INTS_ARE("dilations", ones, 2)};
	onnx_node(o, NULL, "Conv", in, weights, bias, out, 5, with);
}

// A bias that is not folded into the product is added behind it.
static bool is_added(const struct onnx *o, int layer)
{
	return o->frozen->layer[layer].bias && !folds(o);
}

void onnx_product(const struct onnx *o, int layer, char out[ONNX_NAME])
{
	char room[ONNX_NAME];
	if (is_added(o, layer))
		onnx_part(out, o, layer, "product", "");
	else
		snprintf(out, ONNX_NAME, "%s", tensor(o, o->frozen->model->layer[layer].op, room));
}

static void put_layer(struct onnx *o, int i)
{
	const struct model *m = o->frozen->model;
	const struct op *op = &m->op[i];
	const struct frozen_layer *l = &o->frozen->layer[op->layer];
	const int norm = folded_norm(o, i);
	const bool head = is_head(o, op), integer_bias = norm >= 0 || (l->bias && folds(o));
	char room[ONNX_NAME], flat[ONNX_NAME], input[ONNX_NAME], weights[ONNX_NAME], bias[ONNX_NAME] = "", out[ONNX_NAME],
										     product[ONNX_NAME];
	const char *from = tensor(o, op->in[0], room);
	struct onnx_weights w;
	if (!onnx_weights_of(o, op->layer, &w)) {
		o->graph.nodes.failed = true;
		onnx_weights_free(&w);
		return;
	}
	if (head && m->op[op->in[0]].out.h * m->op[op->in[0]].out.w == 1) {
		onnx_part(flat, o, op->layer, "flat", "");
		onnx_node(o, NULL, "Flatten", from, NULL, NULL, flat, 1, &INT_IS("axis", 1));
		from = flat;
	}
	o->dialect->input(o, op->layer, from, input);
	o->dialect->weights(o, op->layer, &w, weights);
	if (integer_bias)
		put_bias(o, op->layer, &w, norm >= 0 ? o->frozen->norm[norm].shift : l->bias, bias);
	onnx_product(o, op->layer, product);
	put_product(o, op, input, weights, bias[0] ? bias : NULL, product);
	if (is_added(o, op->layer)) {
		onnx_part(bias, o, op->layer, "bias", "");
		per_channel(o, "Add", bias, l->bias, l->columns, head, product, tensor(o, i, out));
	}
	onnx_weights_free(&w);
}

// ---- what stands between layers ----

static const char *shared(struct onnx *o, bool *there, const char *name, float v)
{
	if (!*there)
		graph_scalar(&o->graph, name, v);
	*there = true;
	return name;
}

static void put_relu(struct onnx *o, bool six, const char *in, const char *out)
{
	char room[ONNX_NAME + 8];
	if (!o->relu_is_max && !six) {
		onnx_node(o, NULL, "Relu", in, NULL, NULL, out, 0, NULL);
		return;
	}
	const char *zero = shared(o, &o->zero, "zero", 0), *top = six ? shared(o, &o->six, "six", 6) : NULL;
	if (!o->relu_is_max) {
		onnx_node(o, NULL, "Clip", in, zero, top, out, 0, NULL);
		return;
	}
	snprintf(room, sizeof room, "%s.held", out);
	onnx_node(o, NULL, "Max", in, zero, NULL, six ? room : out, 0, NULL);
	if (six)
		onnx_node(o, NULL, "Min", room, top, NULL, out, 0, NULL);
}

static void put_act(struct onnx *o, enum act act, const char *in, const char *out)
{
	char gate[ONNX_NAME + 8];
	switch (act) {
	case ACT_RELU:
	case ACT_RELU6: put_relu(o, act == ACT_RELU6, in, out); break;
	case ACT_SIGMOID: onnx_node(o, NULL, "Sigmoid", in, NULL, NULL, out, 0, NULL); break;
	case ACT_GELU: onnx_node(o, NULL, "Gelu", in, NULL, NULL, out, 0, NULL); break;
	case ACT_SWISH:
		snprintf(gate, sizeof gate, "%s.gate", out);
		onnx_node(o, NULL, "Sigmoid", in, NULL, NULL, gate, 0, NULL);
		onnx_node(o, NULL, "Mul", in, gate, NULL, out, 0, NULL);
		break;
	default: onnx_node(o, NULL, "Identity", in, NULL, NULL, out, 0, NULL); break;
	}
}

// An operator, then its activation: `before` is where the first part goes.
static const char *before_act(enum act act, const char *out, char buf[ONNX_NAME + 8])
{
	if (act == ACT_NONE)
		return out;
	snprintf(buf, ONNX_NAME + 8, "%s.sum", out);
	return buf;
}

static void put_norm(struct onnx *o, int i, const char *in, const char *out)
{
	const struct op *op = &o->frozen->model->op[i];
	const struct frozen_norm *n = &o->frozen->norm[i];
	char gain[ONNX_NAME], shift[ONNX_NAME], scaled[ONNX_NAME], room[ONNX_NAME + 8];
	if (is_folded(o, i)) {
		put_act(o, op->act, in, out);
		return;
	}
	snprintf(gain, sizeof gain, "norm_%d.gain", i);
	snprintf(shift, sizeof shift, "norm_%d.shift", i);
	snprintf(scaled, sizeof scaled, "norm_%d.scaled", i);
	const char *sum = before_act(op->act, out, room);
	per_channel(o, "Mul", gain, n->gain, op->out.c, false, in, scaled);
	per_channel(o, "Add", shift, n->shift, op->out.c, false, scaled, sum);
	if (op->act != ACT_NONE)
		put_act(o, op->act, sum, out);
}

static void put_window(struct onnx *o, const struct op *op, const char *in, const char *out)
{
	const struct window *w = &op->window;
	const int64_t kernel[] = {w->h, w->w}, strides[] = {w->stride, w->stride},
		      pads[] = {w->pad_h, w->pad_w, w->pad_h + w->far, w->pad_w + w->far};
	const bool mean = op->kind == OP_AVERAGE;
	const struct attribute with[] = {INTS_ARE("kernel_shape", kernel, 2), INTS_ARE("strides", strides, 2),
		INTS_ARE("pads", pads, 4), INT_IS("count_include_pad", !op->inside)};
	onnx_node(o, NULL, mean ? "AveragePool" : "MaxPool", in, NULL, NULL, out, mean ? 4 : 3, with);
}

static void put_concat(struct onnx *o, int i, const char *out)
{
	const struct op *op = &o->frozen->model->op[i];
	char room[MODEL_INPUTS][ONNX_NAME];
	const char *in[MODEL_INPUTS + 1] = {0};
	for (int k = 0; k < op->inputs; k++)
		in[k] = tensor(o, op->in[k], room[k]);
	graph_node(&o->graph, NULL, "Concat", out, in, (const char *[]){out, NULL}, 1, &INT_IS("axis", 1));
}

static void put_operator(struct onnx *o, int i)
{
	const struct model *m = o->frozen->model;
	const struct op *op = &m->op[i];
	char a_room[ONNX_NAME], b_room[ONNX_NAME], out_room[ONNX_NAME], room[ONNX_NAME + 8];
	const char *a = tensor(o, op->in[0], a_room), *b = op->inputs > 1 ? tensor(o, op->in[1], b_room) : NULL,
		   *out = tensor(o, i, out_room);
	switch (op->kind) {
	case OP_CONV:
	case OP_LINEAR: put_layer(o, i); break;
	case OP_NORM: put_norm(o, i, a, out); break;
	case OP_ACT: put_act(o, op->act, a, out); break;
	case OP_ADD:
		onnx_node(o, NULL, "Add", a, b, NULL, before_act(op->act, out, room), 0, NULL);
		if (op->act != ACT_NONE)
			put_act(o, op->act, before_act(op->act, out, room), out);
		break;
	case OP_SCALE: onnx_node(o, NULL, "Mul", a, b, NULL, out, 0, NULL); break;
	case OP_CONCAT: put_concat(o, i, out); break;
	case OP_POOL: onnx_node(o, NULL, "GlobalAveragePool", a, NULL, NULL, out, 0, NULL); break;
	default: put_window(o, op, a, out); break;
	}
}

// ---- the file ----

static bool blocks_fit(const struct onnx *o, int layer, struct fault *fault)
{
	const struct layer_plan *plan = &o->frozen->layer[layer].format;
	const int format[] = {plan->weight, plan->activation};
	char todo[128];
	for (int h = o->dialect->blocks ? 1 : 0; h < 2; h++) {
		if (!format_table[format[h]].block)
			continue;
		const char *name = onnx_layer(o, layer),
			   *instead = o->dialect->without_blocks ? o->dialect->without_blocks(format[h])
								 : format_element(format[h]);
		if (o->dialect->blocks)
			snprintf(todo, sizeof todo, "`decide split`, and pin %.40s.a to %s: weights may keep their blocks", name,
				instead);
		else
			snprintf(todo, sizeof todo, "pin it to %s", instead);
		return fault_set(fault, name, todo,
			h ? "%s, the format of its inputs, has scales that every image finds anew, which are not written"
			  : "%s, the format of its weights, has scales by blocks, which are not written",
			format_table[format[h]].name);
	}
	return true;
}

static bool has_formats(const struct onnx *o, int layer, struct fault *fault)
{
	const struct layer_plan *plan = &o->frozen->layer[layer].format;
	const int format[] = {plan->weight, plan->activation};
	for (int h = 0; h < 2; h++)
		if (!(h == 0 && format_table[format[h]].block) && !o->dialect->has(format[h]))
			return fault_set(fault, onnx_layer(o, layer),
				"pin it to int8, e4m3 or e5m2, or `export qonnx`, which has all without blocks",
				"%s has no type for %s, the format of its %s", o->dialect->who, format_table[format[h]].name,
				h ? "inputs" : "weights");
	return true;
}

static bool fits(const struct onnx *o, struct fault *fault)
{
	const struct model *m = o->frozen->model;
	if (!export_knows(m, fault))
		return false;
	for (int l = 0; l < m->layers; l++)
		if (!blocks_fit(o, l, fault) || !has_formats(o, l, fault))
			return false;
	return true;
}

static void put_properties(struct onnx *o)
{
	const struct frozen *f = o->frozen;
	char key[ONNX_NAME + 16], value[64];
	graph_property(&o->graph, "bitscape.network", f->model->name);
	for (int l = 0; l < f->model->layers; l++) {
		snprintf(key, sizeof key, "bitscape.format.%s", onnx_layer(o, l));
		snprintf(value, sizeof value, "%s,%s", format_table[f->layer[l].format.weight].name,
			format_table[f->layer[l].format.activation].name);
		graph_property(&o->graph, key, value);
	}
}

bool onnx_write(const struct frozen *f, const struct outgoing *how, const struct dialect *dialect, FILE *file,
	struct fault *fault)
{
	struct onnx o = {.frozen = f, .how = how, .dialect = dialect, .graph = {.opset = 13}};
	const struct model *m = f->model;
	const struct shape in = m->op[0].out;
	if (!fits(&o, fault))
		return false;
	dialect->begin(&o);
	for (int i = 1; i < m->ops; i++)
		put_operator(&o, i);
	put_properties(&o);
	const int64_t image[] = {1, in.c, in.h, in.w}, logits[] = {1, m->classes};
	return graph_write(&o.graph, m->name, "image", 4, image, "logits", 2, logits, dialect->domains, file) ||
		fault_set(fault, "export", "see to the room on the disk", "the file could not be written");
}

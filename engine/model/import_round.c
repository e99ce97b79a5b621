// SPDX-License-Identifier: GPL-3.0-or-later
// What rounds, in a file of a quantized network: QuantizeLinear and DequantizeLinear, with a Clip of the codes between them or none; a Cast
// to a narrow type and back; QONNX's Quant and FloatQuant. Numbers of the network stay as they are, and carry what they are rounded to, until a
// layer reads them and is told its formats. Constants are rounded here, by the scales in the file.
//
// Formats here are symmetric, and find scales of their own: zero points are left out. Where the least code means 0, as of uint8 without a
// zero point, rounding stands for a relu too (ONNX Runtime's tools take that away), which is put back.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/model/import.h"
#include "engine/quant/format.h"

static const char other_form[] = "export it as QDQ, QCDQ or QONNX";

// ---- formats ----

static const char *format_of_bits(int bits)
{
	char name[16];
	snprintf(name, sizeof name, "int%d", bits);
	int format = format_named(name);
	return format < 0 ? NULL : format_table[format].name;
}

// Of those with an exponent: by the type that codes have in the file.
static const char *format_of_type(int element)
{
	static const struct {
		const char *type, *format;
	} rows[] = {{"float8e4m3fn", "e4m3"}, {"float8e5m2", "e5m2"}, {"float4e2m1", "e2m1"}, {"float16", "fp16"},
		{"bfloat16", "bf16"}};
	const char *name = onnx_element(element).name;
	for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].type, name) == 0)
			return rows[i].format;
	return NULL;
}

static int bits_of_span(double low, double high)
{
	int bits = 1;
	while (bits < 64 && ldexp(1, bits) < high - low + 1)
		bits++;
	return bits;
}

// Signed codes that reach from low to high.
static int bits_of_codes(double low, double high)
{
	int bits = 2;
	while (bits < 64 && (low < -ldexp(1, bits - 1) || high > ldexp(1, bits - 1) - 1))
		bits++;
	return bits > 8 && bits <= 16 ? 16 : bits;
}

// ---- what values carry ----

// Codes: what QuantizeLinear puts out, or whole numbers of up to 16 bits that stand in the file. Else NONE.
static struct rounding codes_of(const struct value *v)
{
	const int element = v && v->kind == VALUE_CONSTANT ? v->constant->element : 0;
	const struct onnx_element e = onnx_element(element);
	if (v && v->rounding.state == ROUNDING_CODES)
		return v->rounding;
	if (!element || v->constant->type != TENSOR_INT || e.bits > 16 || element == 9)
		return (struct rounding){.state = ROUNDING_NONE};
	return (struct rounding){.state = ROUNDING_CODES, .element = element, .low = (double)e.low, .high = (double)e.high};
}

// Gives the node's output what it is rounded to.
static bool carry(struct import *m, struct rounding r)
{
	if (m->node->outputs > 0 && m->node->output[0] >= 0)
		m->value[m->node->output[0]].rounding = r;
	return true;
}

// Rounded to a width, or by a type, which `by` says.
static struct rounding rounded(struct import *m, const char *format, int bits, const char *by, bool data)
{
	const int node = data ? m->node->index : -1;
	m->note.rounded += data;
	return (struct rounding){.state = ROUNDING_DONE, .format = format, .bits = bits, .by = by, .node = node};
}

bool import_keeps(const struct import *m)
{
	return fold_moves(m->node->op) || strcmp(m->node->op, "MaxPool") == 0;
}

bool import_reads_codes(struct import *m)
{
	for (int k = 0; k < m->node->inputs; k++) {
		const struct value *v = import_input(m, k);
		if (v && v->kind == VALUE_DATA && v->rounding.state == ROUNDING_CODES)
			return true;
	}
	return false;
}

// Of several values that are put together: what all of them are rounded to.
void import_keep(struct import *m)
{
	const struct rounding *r = NULL;
	for (int k = 0; k < m->node->inputs; k++) {
		const struct value *v = import_input(m, k);
		if (!v || (v->kind == VALUE_CONSTANT && k))
			continue;
		if (r && (v->rounding.state != r->state || v->rounding.format != r->format))
			return;
		r = &v->rounding;
	}
	for (int k = 0; r && r->state && k < m->node->outputs; k++)
		if (m->node->output[k] >= 0)
			m->value[m->node->output[k]].rounding = *r;
}

static bool tell(struct import *m, struct told *to, const struct rounding *r, const char *what)
{
	if (r->state != ROUNDING_DONE)
		return true;
	if (!r->format)
		return import_refuse(m, "quantize it to 2 to 8 bits, or 16", "%s has codes of %d bits, and no format here does",
			what, r->bits);
	*to = (struct told){r->format, r->by};
	m->note.ends += r->lowest;
	if (r->node >= 0 && !m->heard[r->node]) {
		m->heard[r->node] = true;
		m->note.heard++;
	}
	return true;
}

// Files of our own say in their metadata what weights are. It counts where the numbers leave it open: a cast that is done already, and codes
// that reach less far than they might.
static void tell_recorded(const struct import *m, struct layer *l)
{
	char key[MODEL_NAME + 24], name[16];
	snprintf(key, sizeof key, "bitscape.format.%s", l->name);
	const char *recorded = onnx_property(m->file, key), *at = recorded;
	const int format = at && list_next(&at, name, sizeof name) ? format_named(name) : -1,
		  told = l->told[0].format ? format_named(l->told[0].format) : -1;
	const struct format *f = format < 0 ? NULL : &format_table[format];
	const bool open = told < 0 ? f && f->kind == FORMAT_CAST && f->bits < 32
				   : f && f->kind == FORMAT_INTEGER && strcmp(l->told[0].by, "their codes") == 0 &&
			f->bits > format_table[told].bits;
	if (open)
		l->told[0] = (struct told){f->name, "the metadata"};
}

bool import_tell(struct import *m, int op, const struct value *x, int weights)
{
	struct layer *l = &m->model->layer[m->model->op[op].layer];
	const struct value *w = import_input(m, weights);
	if ((w && !tell(m, &l->told[0], &w->rounding, "its weight")) || !tell(m, &l->told[1], &x->rounding, "its input"))
		return false;
	tell_recorded(m, l);
	return true;
}

// ---- constants ----

// A parameter of rounding, a number for each of a tensor's: one for all, or, along an axis, one for each place; axis -1: by broadcasting.
static struct tensor *spread(struct import *m, const struct tensor *t, const struct shape_of *shape, int64_t axis)
{
	struct shape_of own = t->shape;
	axis += axis < 0 ? shape->rank : 0;
	if (t->count == 1) {
		own.rank = 0;
	} else if (t->shape.rank == 1 && axis >= 0 && axis < shape->rank) {
		own = (struct shape_of){.rank = shape->rank};
		for (int i = 0; i < shape->rank; i++)
			own.size[i] = i == axis ? t->count : 1;
	}
	struct tensor *cut = tensor_reshape((struct tensor *)t, &own, import_complaint(m)),
		      *all = cut ? tensor_expand(cut, shape, import_complaint(m)) : NULL;
	tensor_free(cut);
	if (!all || shape_same(&all->shape, shape))
		return all;
	tensor_free(all);
	import_refuse(m, "check the file with onnx.checker", "scales or zero points that do not go with its input");
	return NULL;
}

// The scale and the zero point, one for each number of the first input; no zero point: zero is NULL.
struct parameters {
	struct tensor *scale, *zero;
};

static void drop_parameters(struct parameters *p)
{
	tensor_free(p->scale);
	tensor_free(p->zero);
}

static bool take_parameters(struct import *m, const struct shape_of *shape, int64_t axis, struct parameters *p)
{
	const struct tensor *scale = import_constant(m, 1), *zero = import_constant(m, 2);
	*p = (struct parameters){0};
	p->scale = spread(m, scale, shape, axis);
	p->zero = p->scale && zero ? spread(m, zero, shape, axis) : NULL;
	if (p->scale && (p->zero || !zero))
		return true;
	drop_parameters(p);
	return false;
}

static double zero_at(const struct parameters *p, long i)
{
	return p->zero ? tensor_at(p->zero, i) : 0;
}

static float on_grid(const char *format, float x)
{
	const struct grid grid = format_grid(format_named(format), false);
	kernels_best()->quantize(&grid, 1, &x, &x, 1);
	return x;
}

// The result has the first input's shape.
static struct tensor *like_input(struct import *m, enum tensor_type type)
{
	const struct tensor *x = import_constant(m, 0);
	struct tensor *t = tensor_new(type, &x->shape, import_complaint(m));
	if (t)
		t->given = x->given;
	return t;
}

static bool encode_constant(struct import *m, int element, int64_t axis)
{
	const struct tensor *x = import_constant(m, 0);
	const struct onnx_element e = onnx_element(element);
	struct parameters p;
	if (!take_parameters(m, &x->shape, axis, &p))
		return false;
	struct tensor *t = like_input(m, e.floating ? TENSOR_FLOAT : TENSOR_INT);
	for (long i = 0; t && i < t->count; i++) {
		float steps = (float)tensor_at(x, i) / (float)tensor_at(p.scale, i);
		if (e.floating)
			t->f[i] = on_grid(format_of_type(element), steps);
		else
			t->i[i] = tensor_whole(fmax((double)e.low, fmin((double)e.high, rint((double)steps) + zero_at(&p, i))));
	}
	drop_parameters(&p);
	if (t)
		t->element = element;
	return t && import_give_constant(m, 0, t);
}

// What codes less their zero points reach.
struct reach {
	double low, high;
};

static struct tensor *decode_constant(struct import *m, int64_t axis, struct reach *reach)
{
	const struct tensor *x = import_constant(m, 0);
	struct parameters p;
	*reach = (struct reach){0, 0};
	if (!take_parameters(m, &x->shape, axis, &p))
		return NULL;
	struct tensor *t = like_input(m, TENSOR_FLOAT);
	for (long i = 0; t && i < t->count; i++) {
		double code = tensor_at(x, i) - zero_at(&p, i);
		t->f[i] = (float)code * (float)tensor_at(p.scale, i);
		reach->low = fmin(reach->low, code);
		reach->high = fmax(reach->high, code);
	}
	drop_parameters(&p);
	return t;
}

// ---- QuantizeLinear and DequantizeLinear ----

static bool check_parameters(struct import *m)
{
	const struct tensor *scale = import_constant(m, 1);
	if (!import_input(m, 0) || !scale || scale->type != TENSOR_FLOAT || scale->count < 1)
		return import_refuse(m, "quantize it with fixed scales",
			scale ? "its input or its scale is of the wrong type" : "its scale is worked out as it runs");
	if (import_input(m, 2) && (!import_constant(m, 2) || import_constant(m, 2)->count < 1))
		return import_refuse(m, "quantize it with fixed zero points", "its zero point is worked out as it runs");
	return onnx_whole(m->node, "block_size", 0) <= 0 ||
		import_refuse(m, "quantize it by channels", "it has scales by blocks of %lld",
			(long long)onnx_whole(m->node, "block_size", 0));
}

static bool quantize_linear(struct import *m)
{
	const struct value *x = import_input(m, 0);
	const struct tensor *zero = import_constant(m, 2);
	if (!check_parameters(m))
		return false;
	const int element = zero && zero->element ? zero->element : (int)(onnx_whole(m->node, "output_dtype", 0) & 0xff),
		  type = element ? element : 2;
	const struct onnx_element e = onnx_element(type);
	const struct rounding codes = {.state = ROUNDING_CODES,
		.element = type,
		.low = (double)e.low,
		.high = (double)e.high,
		.scale = import_constant(m, 1)->f[0],
		.scales = import_constant(m, 1)->count,
		.zero = zero ? tensor_at(zero, 0) : 0};
	if (!e.bits || (e.floating ? !format_of_type(type) : e.bits > 32))
		return import_refuse(m, other_form, "it rounds to %s, which has no format here",
			e.name ? e.name : "an unknown type");
	return (x->kind == VALUE_DATA ? import_give_value(m, 0, x) : encode_constant(m, type, onnx_whole(m->node, "axis", 1))) &&
		carry(m, codes);
}

// Codes of numbers of the network, back to numbers. At the end of a relu that stands for one, there is one.
static bool numbers_of_data(struct import *m, const struct value *x, const struct rounding *r)
{
	const struct onnx_element e = onnx_element(r->element);
	const double low = r->low - r->zero, high = r->high - r->zero;
	if (r->state != ROUNDING_CODES || r->scales != import_constant(m, 1)->count || r->scale != import_constant(m, 1)->f[0] ||
		r->zero != (import_constant(m, 2) ? tensor_at(import_constant(m, 2), 0) : 0))
		return import_refuse(m, other_form, "it reads what no QuantizeLinear with its scale and zero point has rounded");
	const int bits = e.floating ? e.bits : bits_of_span(low, high);
	const struct rounding done = rounded(m, e.floating ? format_of_type(r->element) : format_of_bits(bits), bits,
		r->clipped ? "a clip" : "its type", true);
	const bool positive = !e.floating && low == 0;
	m->note.zeros += !e.floating && !positive && fabs(low + high) > 1;
	return (positive ? import_give_positive(m, x, high * (double)r->scale) : import_give_value(m, 0, x)) && carry(m, done);
}

static bool numbers_of_constant(struct import *m, const struct value *x, const struct rounding *r)
{
	const struct onnx_element e = onnx_element(x->constant->element);
	struct reach reach;
	struct tensor *t = decode_constant(m, onnx_whole(m->node, "axis", 1), &reach);
	if (!t)
		return false;
	const int within = bits_of_codes(reach.low, reach.high), clip = r->clipped ? bits_of_span(r->low, r->high) : 0,
		  bits = clip && clip < within              ? within
		: clip                                      ? clip
		: e.bits && (e.bits < 8 || e.bits < within) ? e.bits
							    : within;
	const char *by = clip ? "a clip" : bits == e.bits ? "their type" : "their codes";
	struct rounding done = e.floating ? rounded(m, format_of_type(x->constant->element), e.bits, "their type", false)
					  : rounded(m, format_of_bits(bits), bits, by, false);
	done.lowest = !e.floating && reach.low == -ldexp(1, bits - 1);
	return import_give_constant(m, 0, t) && carry(m, done);
}

static bool dequantize_linear(struct import *m)
{
	const struct value *x = import_input(m, 0);
	if (!check_parameters(m))
		return false;
	const struct rounding r = x->rounding;
	return x->kind == VALUE_DATA ? numbers_of_data(m, x, &r) : numbers_of_constant(m, x, &r);
}

// Codes within bounds.
static bool clip_codes(struct import *m)
{
	struct rounding r = codes_of(import_input(m, 0));
	for (int k = 1; k <= 2; k++) {
		const struct tensor *t = import_constant(m, k);
		if (import_input(m, k) && (!t || t->count != 1))
			return import_refuse(m, other_form, "bounds of codes that are not constants of one number");
		const double to = t ? tensor_at(t, 0) : k == 1 ? r.low : r.high;
		r.low = k == 1 && to > r.low ? to : r.low;
		r.high = k == 2 && to < r.high ? to : r.high;
	}
	if (!(r.low < r.high))
		return import_refuse(m, "check the file with onnx.checker", "codes from %g to %g", r.low, r.high);
	r.clipped = true;
	const struct value *x = import_input(m, 0);
	if (x->kind == VALUE_DATA)
		return import_give_value(m, 0, x) && carry(m, r);
	struct tensor *t = like_input(m, x->constant->type);
	for (long i = 0; t && i < t->count; i++)
		t->i[i] = tensor_whole(fmax(r.low, fmin(r.high, tensor_at(x->constant, i))));
	if (t)
		t->element = x->constant->element;
	return t && import_give_constant(m, 0, t) && carry(m, r);
}

// ---- casts ----

// To a narrow type, and from there back.
static bool cast_narrow(struct import *m)
{
	const struct value *x = import_input(m, 0);
	const struct rounding r = x->rounding;
	const int to = (int)(onnx_whole(m->node, "to", 1) & 0xff);
	if (!import_give_value(m, 0, x))
		return false;
	if (format_of_type(to))
		return carry(m, (struct rounding){.state = ROUNDING_NARROW, .element = to});
	return carry(m, rounded(m, format_of_type(r.element), onnx_element(r.element).bits, "a cast", true));
}

// ---- QONNX ----

static double half_up(double x)
{
	return copysign(floor(fabs(x) + 0.5), x);
}

static double half_down(double x)
{
	return copysign(ceil(fabs(x) - 0.5), x);
}

static double away(double x)
{
	return copysign(ceil(fabs(x)), x);
}

static const struct rounding_mode {
	const char *name;
	double (*round)(double);
} modes[] = {{"ROUND", rint}, {"HALF_EVEN", rint}, {"FLOOR", floor}, {"CEIL", ceil}, {"DOWN", trunc}, {"ROUND_TO_ZERO", trunc},
	{"UP", away}, {"HALF_UP", half_up}, {"HALF_DOWN", half_down}};

static const struct rounding_mode *mode_of(struct import *m)
{
	const char *name = onnx_text(m->node, "rounding_mode", "ROUND");
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcasecmp(modes[i].name, name) == 0)
			return &modes[i];
	import_refuse(m, "use ROUND", "the rounding mode %.20s is not known", name);
	return NULL;
}

// A constant of one number.
static bool number(struct import *m, int k, const char *what, double *to)
{
	const struct tensor *t = import_constant(m, k);
	if (!t || t->count != 1)
		return import_refuse(m, other_form, "its %s is not a constant of one number", what);
	*to = tensor_at(t, 0);
	return true;
}

static bool quant_constant(struct import *m, double low, double high, double (*round)(double), struct rounding done)
{
	const struct tensor *x = import_constant(m, 0);
	struct parameters p;
	if (!take_parameters(m, &x->shape, -1, &p))
		return false;
	struct tensor *t = like_input(m, TENSOR_FLOAT);
	for (long i = 0; t && i < t->count; i++) {
		float scale = (float)tensor_at(p.scale, i), steps = (float)tensor_at(x, i) / scale;
		double code = round(fmax(low, fmin(high, (double)steps + zero_at(&p, i)))) - zero_at(&p, i);
		t->f[i] = (float)code * scale;
		done.lowest |= code < -high;
	}
	drop_parameters(&p);
	return t && import_give_constant(m, 0, t) && carry(m, done);
}

static bool quant(struct import *m)
{
	const struct value *x = import_input(m, 0);
	const bool sign = onnx_whole(m->node, "signed", 1) != 0, narrow = onnx_whole(m->node, "narrow", 0) != 0;
	const struct rounding_mode *mode = check_parameters(m) ? mode_of(m) : NULL;
	double bits;
	if (!mode || !number(m, 3, "number of bits", &bits))
		return false;
	if (bits != rint(bits) || bits < 2 || bits > 32)
		return import_refuse(m, "quantize it to 2 to 8 bits, or 16", "it rounds to %g bits, and no format here does",
			bits);
	const double half = ldexp(1, (int)bits - sign), high = half - 1 - (!sign && narrow), low = sign ? narrow - half : 0,
		     zero = import_constant(m, 2) ? tensor_at(import_constant(m, 2), 0) : 0;
	const bool data = x->kind == VALUE_DATA;
	const struct rounding done = rounded(m, format_of_bits((int)bits), (int)bits, "its Quant", data);
	m->note.modes += data && mode->round != rint;
	m->note.zeros += data && zero != 0 && zero != low;
	if (!data)
		return quant_constant(m, low, high, mode->round, done);
	return (low == zero ? import_give_positive(m, x, (high - zero) * (double)import_constant(m, 1)->f[0])
			    : import_give_value(m, 0, x)) &&
		carry(m, done);
}

static const char *float_format(double exponent, double mantissa, double bias, double most)
{
	for (int i = 0; i < FORMATS; i++) {
		const struct format *f = &format_table[i];
		if (f->kind == FORMAT_FLOAT && f->exponent == exponent && f->mantissa == mantissa &&
			bias == (1 << (f->exponent - 1)) - 1 && (float)f->largest == (float)most)
			return f->name;
	}
	return NULL;
}

static bool float_quant(struct import *m)
{
	const struct value *x = import_input(m, 0);
	const struct tensor *scale = import_constant(m, 1);
	double part[4];
	static const char *const what[] = {"exponent", "mantissa", "exponent bias", "largest number"};
	if (!x || !scale || scale->type != TENSOR_FLOAT || scale->count < 1)
		return import_refuse(m, "quantize it with fixed scales", "its scale is not constant");
	for (int k = 0; k < 4; k++)
		if (!number(m, k + 2, what[k], &part[k]))
			return false;
	const char *format = float_format(part[0], part[1], part[2], part[3]);
	if (!format)
		return import_refuse(m, "`describe` lists the formats that there are",
			"no format has %g bits of exponent with bias %g, %g of mantissa, and reaches %g", part[0], part[2],
			part[1], part[3]);
	const struct rounding done = rounded(m, format, 0, "its FloatQuant", x->kind == VALUE_DATA);
	if (x->kind == VALUE_DATA)
		return import_give_value(m, 0, x) && carry(m, done);
	struct tensor *by = spread(m, scale, &x->constant->shape, -1), *t = by ? like_input(m, TENSOR_FLOAT) : NULL;
	for (long i = 0; t && i < t->count; i++)
		t->f[i] = on_grid(format, (float)tensor_at(x->constant, i) / by->f[i]) * by->f[i];
	tensor_free(by);
	return t && import_give_constant(m, 0, t) && carry(m, done);
}

static bool bipolar(struct import *m)
{
	return import_refuse(m, "quantize it to 2 to 8 bits, or 16", "it rounds to one bit, and no format here does");
}

static bool on_codes(struct import *m)
{
	return import_refuse(m, other_form, "an operator that works on codes");
}

// ---- the table ----

static const struct {
	const char *op;
	bool (*run)(struct import *);
} rows[] = {
	{"BipolarQuant", bipolar},
	{"ConvInteger", on_codes},
	{"DequantizeLinear", dequantize_linear},
	{"DynamicQuantizeLinear", on_codes},
	{"FloatQuant", float_quant},
	{"IntQuant", quant},
	{"MatMulInteger", on_codes},
	{"Quant", quant},
	{"QuantizeLinear", quantize_linear},
};

static bool narrows(struct import *m)
{
	const struct value *x = import_input(m, 0);
	const int to = (int)(onnx_whole(m->node, "to", 1) & 0xff);
	return strcmp(m->node->op, "Cast") == 0 && x && x->kind == VALUE_DATA &&
		(format_of_type(to) || (x->rounding.state == ROUNDING_NARROW && onnx_floating(to)));
}

static bool holds_codes(struct import *m)
{
	const struct rounding r = codes_of(import_input(m, 0));
	return strcmp(m->node->op, "Clip") == 0 && r.state == ROUNDING_CODES && !onnx_floating(r.element);
}

static bool is_known_domain(const char *domain)
{
	static const char *const known[] = {
		"", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general", "com.microsoft"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i], domain) == 0)
			return true;
	return false;
}

import_run *import_rounder(struct import *m)
{
	if (!is_known_domain(m->node->domain))
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, m->node->op) == 0)
			return rows[i].run;
	return strncmp(m->node->op, "QLinear", 7) == 0 ? on_codes : holds_codes(m) ? clip_codes : narrows(m) ? cast_narrow : NULL;
}

// ---- what was made of it ----

static void add_note(char *to, size_t size, int count, const char *one, const char *more)
{
	size_t used = strlen(to);
	if (count && used < size)
		snprintf(to + used, size - used, "%s%d %s", used ? "; " : "", count, count == 1 ? one : more);
}

void import_note(struct import *m)
{
	char *to = m->model->told;
	const size_t size = sizeof m->model->told;
	add_note(to, size, m->note.relus, "relu that rounding stood for is put back",
		"relus that rounding stood for are put back");
	add_note(to, size, m->note.zeros, "zero point is left out: formats here are symmetric",
		"zero points are left out: formats here are symmetric");
	add_note(to, size, m->note.ends, "layer uses the lowest code, which formats here lack",
		"layers use the lowest code, which formats here lack");
	add_note(to, size, m->note.modes, "rounding is not to the nearest even code, as it is here",
		"roundings are not to the nearest even code, as they are here");
	add_note(to, size, m->note.rounded - m->note.heard, "rounding that no layer reads is left out",
		"roundings that no layer reads are left out");
}

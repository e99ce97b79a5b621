// SPDX-License-Identifier: GPL-3.0-or-later
// What nodes become. A row of the table for each of ONNX's operators that works on data.
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/import.h"

enum { SIDE_MOST = 1 << 20 }; // of an image within the network

static const char damaged[] = "check the file with onnx.checker";
static const char other_way[] = "export it in another way";

static const char *op_name(const struct import *m)
{
	return m->node->op;
}

// Makes the output what an operator puts out of the same shape as a value.
static bool give_like(struct import *m, int op, enum order order, const struct value *v)
{
	struct shape_of shape = v->shape;
	return import_give(m, 0, op, order, &shape);
}

static float *copy_of(const float *from, long count)
{
	float *to = malloc((size_t)count * sizeof *to + 1);
	if (to)
		memcpy(to, from, (size_t)count * sizeof *to);
	return to;
}

static float *filled(float with, long count)
{
	float *to = malloc((size_t)count * sizeof *to + 1);
	for (long i = 0; to && i < count; i++)
		to[i] = with;
	return to;
}

static const struct tensor *floats(struct import *m, int k, long count)
{
	const struct tensor *t = import_constant(m, k);
	if (t && t->type == TENSOR_FLOAT && (count < 0 || t->count == count))
		return t;
	import_refuse(m, other_way, t ? "input %d does not have the size of a weight" : "input %d is not constant", k + 1);
	return NULL;
}

// ---- windows ----

enum { SIDES = 3 };

struct sliding {
	int sides; // 2 of images; 1 and 3 as well
	int first; // 1: the first side is a batch of several images, which windows do not reach over
	long kernel[SIDES], stride[SIDES], dilation[SIDES], before[SIDES], after[SIDES], in[SIDES], out[SIDES];
};

static bool take_sides(const struct import *m, const struct sliding *s, const char *name, long *to)
{
	const struct onnx_attribute *a = onnx_attribute(m->node, name);
	const bool said = a && a->kind == ONNX_WHOLES && a->count > 0;
	if (said && a->count != s->sides - s->first)
		return import_refuse(m, damaged, "%s has %d numbers", name, a->count);
	for (int d = 0; d < s->sides; d++) {
		to[d] = said && d >= s->first ? (long)a->wholes[d - s->first] : 1;
		if (to[d] < 1 || to[d] > 65536)
			return import_refuse(m, damaged, "%s is %ld", name, to[d]);
	}
	return true;
}

static bool take_pads(const struct import *m, struct sliding *s)
{
	const struct onnx_attribute *a = onnx_attribute(m->node, "pads");
	const char *automatic = onnx_text(m->node, "auto_pad", "NOTSET");
	bool same = strncmp(automatic, "SAME", 4) == 0;
	for (int d = 0; d < s->sides; d++) {
		long field = (s->kernel[d] - 1) * s->dilation[d] + 1, outputs = (s->in[d] + s->stride[d] - 1) / s->stride[d],
		     all = (outputs - 1) * s->stride[d] + field - s->in[d];
		s->before[d] = s->after[d] = 0;
		if (same && all > 0) {
			s->before[d] = strcmp(automatic, "SAME_LOWER") == 0 ? (all + 1) / 2 : all / 2;
			s->after[d] = all - s->before[d];
		} else if (d >= s->first && a && a->kind == ONNX_WHOLES && a->count == 2 * (s->sides - s->first) &&
			strcmp(automatic, "NOTSET") == 0) {
			s->before[d] = (long)a->wholes[d - s->first];
			s->after[d] = (long)a->wholes[d - s->first + a->count / 2];
		}
		if (s->before[d] < 0 || s->after[d] < 0 || s->before[d] > 65536 || s->after[d] > 65536)
			return import_refuse(m, damaged, "pads of %ld and %ld", s->before[d], s->after[d]);
	}
	return true;
}

static void take_image(const struct shape_of *image, struct sliding *s)
{
	for (int d = 0; d < s->sides; d++)
		s->in[d] = d < s->first ? image->size[0] : image->size[2 + d - s->first];
}

// Of an image; the kernel is known.
static bool take_sliding(const struct import *m, const struct shape_of *image, struct sliding *s)
{
	bool ceiling = onnx_whole(m->node, "ceil_mode", 0) == 1;
	take_image(image, s);
	for (int d = 0; d < s->sides; d++)
		if (s->in[d] > SIDE_MOST)
			return import_refuse(m, "use smaller images", "images with a side of %ld", s->in[d]);
	if (!take_sides(m, s, "strides", s->stride) || !take_sides(m, s, "dilations", s->dilation) || !take_pads(m, s))
		return false;
	for (int d = 0; d < s->sides; d++) {
		long room = s->in[d] + s->before[d] + s->after[d] - (s->kernel[d] - 1) * s->dilation[d] - 1,
		     stride = s->stride[d];
		if (room < 0)
			return import_refuse(m, "use larger images", "a window of %ld is larger than its image", s->kernel[d]);
		s->out[d] = (ceiling ? room + stride - 1 : room) / stride + 1;
		// No window begins beyond the image and what is padded before it.
		if (ceiling && (s->out[d] - 1) * stride >= s->in[d] + s->before[d])
			s->out[d]--;
	}
	return true;
}

// Whether it is [batch][c] and then one to three sides, a batch of several being one of them: [1][c][h][w] has two, [4][c][h][w] three.
static bool has_sides(const struct shape_of *shape, struct sliding *s)
{
	s->first = shape->rank > 2 && shape->size[0] > 1;
	s->sides = shape->rank - 2 + s->first;
	return shape->rank > 2 && s->sides <= SIDES;
}

static bool is_plain(const struct sliding *s)
{
	return s->sides == 2 && !s->first;
}

static long product_of_sides(const long *side, int sides)
{
	double all = 1;
	for (int d = 0; d < sides; d++)
		all *= (double)side[d];
	return all > INT_MAX ? -1 : (long)all;
}

// The same as a window of the engine; false, if it has none. What lies beyond the edge is nothing, so it makes no difference how much of it
// there is, as long as there are as many windows.
static bool window_for(const struct sliding *s, struct window *w)
{
	const long *k = s->kernel, *p = s->before;
	if (!is_plain(s) || s->stride[0] != s->stride[1] || (s->dilation[0] != 1 && k[0] > 1) ||
		(s->dilation[1] != 1 && k[1] > 1))
		return false;
	*w = (struct window){(int)k[0], (int)k[1], (int)s->stride[0], (int)p[0], (int)p[1], 0};
	for (w->far = 0; w->far < k[0] + k[1] + s->stride[0]; w->far++) {
		bool fits = true;
		for (int d = 0; d < 2; d++) {
			long room = s->in[d] + 2 * p[d] + w->far - k[d];
			fits = fits && room >= 0 && room / s->stride[d] + 1 == s->out[d];
		}
		if (fits)
			return true;
	}
	return false;
}

// Where a window's number lies; -1: beyond the edge.
static long under_window(const struct sliding *s, long pixel, long tap, long channel, long channels)
{
	long at = 0, step = 1;
	for (int d = s->sides - 1; d >= s->first; d--) {
		long y = pixel % s->out[d] * s->stride[d] + tap % s->kernel[d] * s->dilation[d] - s->before[d];
		if (y < 0 || y >= s->in[d])
			return -1;
		at += y * step;
		step *= s->in[d];
		pixel /= s->out[d];
		tap /= s->kernel[d];
	}
	return at + channel * step + (s->first ? pixel * channels * step : 0);
}

// Places of every window's numbers: [out][kernel][channel], or, of poolings, [out][channel][kernel]. Beyond the edge: `beyond`.
static struct tensor *unrolled(struct import *m, const struct value *v, const struct sliding *s, bool channels_inside,
	int64_t beyond)
{
	struct tensor *from = import_places(m, v);
	const long c = v->shape.size[1], taps = product_of_sides(s->kernel, s->sides);
	struct tensor *to = from ? tensor_new(TENSOR_INT, &(struct shape_of){3, {product_of_sides(s->out, s->sides), c, taps}},
					   import_complaint(m))
				 : NULL;
	for (long i = 0; to && i < to->count; i++) {
		long pixel = i / (c * taps), rest = i % (c * taps), tap = channels_inside ? rest / c : rest % taps,
		     channel = channels_inside ? rest % c : rest / taps, at = under_window(s, pixel, tap, channel, c);
		to->i[i] = at < 0 ? beyond : from->i[at];
	}
	tensor_free(from);
	return to;
}

// What an operator puts out, pixel by pixel, as [batch][channels] and the sides that were slid over.
static bool give_slid(struct import *m, int op, const struct sliding *s, long channels)
{
	struct shape_of shape = {.rank = 2 + s->sides - s->first};
	const int last = shape.rank - 1;
	int axis[TENSOR_RANK] = {0, last};
	if (op < 0)
		return m->model->ops < 0 && fault_memory(m->fault, m->file->path);
	if (is_plain(s))
		return import_give(m, 0, op, ORDER_IMAGE, &(struct shape_of){4, {1, channels, s->out[0], s->out[1]}});
	shape.size[0] = s->first ? s->out[0] : 1;
	for (int d = s->first; d < s->sides; d++) {
		shape.size[1 + d - s->first] = s->out[d];
		axis[2 + d - s->first] = 1 + d - s->first;
	}
	shape.size[last] = channels;
	const struct value rows = {.kind = VALUE_DATA, .order = ORDER_ROWS, .op = op, .shape = shape};
	struct tensor *t = import_places(m, &rows), *turned = t ? tensor_transpose(t, axis, import_complaint(m)) : NULL;
	tensor_free(t);
	return import_give_places(m, 0, turned);
}

// The pixels as an image, which of one or three sides is one column.
static struct shape slid_shape(const struct sliding *s, long channels)
{
	return is_plain(s) ? (struct shape){(int)s->out[0], (int)s->out[1], (int)channels}
			   : (struct shape){(int)product_of_sides(s->out, s->sides), 1, (int)channels};
}

// ---- layers ----

// [out][inner][taps] to [taps][inner][out].
static float *engine_order(const struct tensor *w, long out, long inner, long taps)
{
	float *to = malloc((size_t)w->count * sizeof *to + 1);
	for (long o = 0; to && o < out; o++)
		for (long i = 0; i < inner; i++)
			for (long t = 0; t < taps; t++)
				to[(t * inner + i) * out + o] = w->f[(o * inner + i) * taps + t];
	return to;
}

// What a fault of a layer's size is: before numbers are counted that do not fit.
static bool convolve(struct import *m, int op, const struct tensor *w, long out, long inner, long taps, const struct tensor *bias)
{
	if (op < 0)
		return fault_memory(m->fault, m->file->path);
	if (!import_learn(m, op, 0, engine_order(w, out, inner, taps), w->count))
		return false;
	return !bias || import_learn(m, op, 1, copy_of(bias->f, out), out);
}

// A window that the engine lacks: its numbers put side by side, and a window of one pixel.
static int unrolled_conv(struct import *m, const char *name, const struct value *v, const struct sliding *s, long out, int groups,
	bool bias)
{
	long c = v->shape.size[1], taps = product_of_sides(s->kernel, s->sides), share = c / groups;
	struct tensor *t = unrolled(m, v, s, true, import_zero());
	// By groups: [pixel][tap][group][share] becomes [pixel][group][tap][share].
	struct shape_of split = {4, {t ? t->shape.size[0] : 0, taps, groups, share}};
	struct tensor *cut = t ? tensor_reshape(t, &split, import_complaint(m)) : NULL,
		      *turned = cut ? tensor_transpose(cut, (int[]){0, 2, 1, 3}, import_complaint(m)) : NULL;
	tensor_free(t);
	tensor_free(cut);
	int in = import_arrange(m, turned, slid_shape(s, c * taps));
	return in < 0 ? -1 : model_conv(m->model, name, in, (int)out, (struct window){1, 1, 1, 0, 0, 0}, groups, bias);
}

static bool conv(struct import *m)
{
	const struct value *x = import_data(m, 0);
	const struct tensor *w = x ? floats(m, 1, -1) : NULL, *bias = NULL;
	struct sliding s;
	struct window window;
	char name[MODEL_NAME];
	if (!w)
		return false;
	if (!has_sides(&x->shape, &s) || w->shape.rank != x->shape.rank)
		return import_refuse(m, "images of one to three dimensions are read", "a convolution of %d dimensions",
			x->shape.rank - 2);
	long out = w->shape.size[0], inner = w->shape.size[1];
	int64_t groups = onnx_whole(m->node, "group", 1);
	if (groups < 1 || groups > x->shape.size[1] || inner * groups != x->shape.size[1] || out < 1 || out % groups ||
		w->count < 1)
		return import_refuse(m, damaged, "weights and groups that do not go with %ld channels", x->shape.size[1]);
	if (import_input(m, 2) && !(bias = floats(m, 2, out)))
		return false;
	s.kernel[0] = 1;
	memcpy(s.kernel + s.first, w->shape.size + 2, (size_t)(s.sides - s.first) * sizeof *s.kernel);
	if (!take_sliding(m, &x->shape, &s))
		return false;
	import_name(m, m->node->input[1], m->node->inputs > 2 ? m->node->input[2] : -1, name);
	int op;
	if (window_for(&s, &window)) {
		int in = import_ordered(m, x, ORDER_IMAGE);
		op = in < 0 ? -1 : model_conv(m->model, name, in, (int)out, window, (int)groups, bias != NULL);
	} else {
		op = unrolled_conv(m, name, x, &s, out, (int)groups, bias != NULL);
	}
	return op >= 0 && convolve(m, op, w, out, inner, product_of_sides(s.kernel, s.sides), bias) && import_tell(m, op, x, 1) &&
		give_slid(m, op, &s, out);
}

// The bias that an Add after this product has, which the layer may take its name from; -1: there is none.
static int bias_behind(const struct import *m)
{
	int out = m->node->outputs ? m->node->output[0] : -1;
	const int at = m->branching ? m->file->nodes : (int)(m->node - m->file->node);
	for (int i = at + 1; i < m->file->nodes && i < at + 8; i++) {
		const struct onnx_node *n = &m->file->node[i];
		for (int k = 0; k < 2 && n->inputs == 2 && strcmp(n->op, "Add") == 0; k++)
			if (n->input[k] == out)
				return n->input[1 - k];
	}
	return -1;
}

// x [..., in] times w, which is [in][out], or [out][in] where it is turned.
static bool dense(struct import *m, const struct value *x, const struct tensor *w, bool turned, const struct tensor *bias,
	float alpha, float beta)
{
	char name[MODEL_NAME];
	int rank = x->shape.rank;
	long in = w->shape.size[turned ? 1 : 0], out = w->shape.size[turned ? 0 : 1];
	struct shape_of shape = x->shape;
	if (rank < 1 || x->shape.size[rank - 1] != in || in < 1 || out < 1)
		return import_refuse(m, damaged, "weights of %ldx%ld that do not go with its input", in, out);
	shape.size[rank - 1] = out;
	import_name(m, m->node->input[1], m->node->inputs > 2 ? m->node->input[2] : bias_behind(m), name);
	int rows = import_rows(m, x, in, false), op = rows < 0 ? -1 : model_dense(m->model, name, rows, (int)out, bias != NULL);
	float *weights = op < 0 ? NULL : turned ? engine_order(w, out, in, 1) : copy_of(w->f, w->count);
	for (long i = 0; weights && alpha != 1 && i < w->count; i++)
		weights[i] *= alpha;
	if (op < 0 || !import_learn(m, op, 0, weights, w->count))
		return false;
	if (bias) {
		float *at = filled(0, out);
		for (long i = 0; at && i < out; i++)
			at[i] = beta * bias->f[bias->count == 1 ? 0 : i];
		if (!import_learn(m, op, 1, at, out))
			return false;
	}
	return import_tell(m, op, x, 1) && import_give(m, 0, op, ORDER_ROWS, &shape);
}

static bool gemm(struct import *m)
{
	const struct value *x = import_data(m, 0);
	const struct tensor *w = x ? floats(m, 1, -1) : NULL, *bias = NULL;
	if (!w)
		return false;
	bool turned = onnx_whole(m->node, "transB", 0) != 0;
	if (w->shape.rank != 2 || x->shape.rank != 2 || (onnx_whole(m->node, "transA", 0) && x->shape.size[0] != 1))
		return import_refuse(m, other_way, "a product in an unusual form");
	long out = w->shape.size[turned ? 0 : 1];
	if (import_input(m, 2) && (!(bias = floats(m, 2, -1)) || (bias->count != out && bias->count != 1)))
		return bias ? import_refuse(m, other_way, "a bias of %ld numbers for %ld", bias->count, out) : false;
	return dense(m, x, w, turned, bias, onnx_number(m->node, "alpha", 1), onnx_number(m->node, "beta", 1));
}

// Stretched to leading sizes, as an operator of [products * rows] by columns.
static int matrices(struct import *m, const struct value *v, const struct shape_of *shape)
{
	struct tensor *t = import_places(m, v), *all = t ? tensor_expand(t, shape, import_complaint(m)) : NULL;
	tensor_free(t);
	if (!all)
		return -1;
	long columns = shape->size[shape->rank - 1];
	if (all->count < 1) {
		tensor_free(all);
		return import_refuse(m, damaged, "a matrix without numbers") - 1;
	}
	return import_arrange(m, all, (struct shape){(int)(all->count / columns), 1, (int)columns});
}

static bool product_of(struct import *m, const struct value *a, const struct value *b, int output)
{
	struct shape_of s = a->shape, t = b->shape, shape;
	int r = s.rank, q = t.rank;
	if (r < 2 || q < 2 || s.size[r - 1] != t.size[q - 2])
		return import_refuse(m, damaged, "matrices of these shapes cannot be multiplied");
	struct shape_of left = {r - 2, {0}}, right = {q - 2, {0}};
	memcpy(left.size, s.size, sizeof left.size);
	memcpy(right.size, t.size, sizeof right.size);
	if (!shape_broadcast(&left, &right, &shape) || shape.rank + 2 > TENSOR_RANK)
		return import_refuse(m, damaged, "matrices of these shapes cannot be multiplied");
	long products = shape_count(&shape);
	struct shape_of all = shape;
	all.rank += 2;
	all.size[all.rank - 2] = s.size[r - 2];
	all.size[all.rank - 1] = s.size[r - 1];
	int x = matrices(m, a, &all);
	all.size[all.rank - 2] = t.size[q - 2];
	all.size[all.rank - 1] = t.size[q - 1];
	int y = x < 0 ? -1 : matrices(m, b, &all);
	all.size[all.rank - 2] = s.size[r - 2];
	int op = y < 0 || products < 1 ? -1 : model_product(m->model, x, y, (int)products);
	return op >= 0 && import_give(m, output, op, ORDER_ROWS, &all);
}

static bool matmul(struct import *m)
{
	const struct value *a = import_input(m, 0), *b = import_input(m, 1);
	const struct tensor *w = import_constant(m, 1);
	if (!a || !b)
		return import_refuse(m, damaged, "an operand is left out");
	if (w && w->shape.rank == 2 && w->type == TENSOR_FLOAT && a->kind == VALUE_DATA)
		return dense(m, a, w, false, NULL, 1, 1);
	return product_of(m, a, b, 0);
}

// ---- norms ----

// Makes the layer that puts out x also do gain * y + bias, by channel; either may be NULL.
static bool fold_into(struct import *m, int op, const float *gain, const float *bias)
{
	struct model *model = m->model;
	long c = model->op[op].out.c, count = m->weights->op[op].count[0];
	float *w = m->weights->op[op].part[0], *own = m->weights->op[op].part[1], *sum = malloc((size_t)c * sizeof *sum);
	if (!sum)
		return fault_memory(m->fault, m->file->path);
	for (long i = 0; gain && i < count; i++)
		w[i] *= gain[i % c];
	for (long j = 0; j < c; j++)
		sum[j] = (own ? own[j] : 0) * (gain ? gain[j] : 1) + (bias ? bias[j] : 0);
	model->op[op].bias = true;
	model->layer[model->op[op].layer].biases = (double)c;
	return import_learn(m, op, 1, sum, c);
}

// The operator that does gain * y + bias, with numbers that repeat after `period`; -1. Takes both, of which one may be NULL.
static int affine_of(struct import *m, int in, float *gain, float *bias, long period)
{
	int op = model_affine(m->model, in, gain != NULL, bias != NULL, period);
	bool ok = op >= 0 && (!gain || import_learn(m, op, 0, gain, period));
	gain = ok ? NULL : gain;
	ok = ok && (!bias || import_learn(m, op, m->model->op[op].gain, bias, period));
	return ok ? op : fault_memory(m->fault, m->file->path) - 1;
}

static bool affine(struct import *m, const struct value *x, int in, enum order order, float *gain, float *bias, long period)
{
	int op = affine_of(m, in, gain, bias, period);
	return op >= 0 && give_like(m, op, order, x);
}

// By the channels of an image of one or three sides.
static bool affine_by_pixel(struct import *m, const struct value *x, struct sliding *s, float *gain, float *bias)
{
	const long c = x->shape.size[1];
	take_image(&x->shape, s);
	for (int d = 0; d < s->sides; d++) {
		s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
		s->before[d] = 0;
		s->out[d] = s->in[d];
	}
	int in = import_arrange(m, unrolled(m, x, s, true, import_zero()), slid_shape(s, c));
	if (in < 0) {
		free(gain);
		free(bias);
	}
	return in >= 0 && give_slid(m, affine_of(m, in, gain, bias, c), s, c);
}

static bool batch_norm(struct import *m)
{
	const struct value *x = import_data(m, 0);
	const struct tensor *t[4];
	if (!x || x->shape.rank < 2)
		return x ? import_refuse(m, damaged, "too few dimensions") : false;
	long c = x->shape.size[1];
	for (int k = 0; k < 4; k++)
		if (!(t[k] = floats(m, k + 1, c)))
			return false;
	double epsilon = (double)onnx_number(m->node, "epsilon", 1e-5f);
	float *gain = filled(0, c), *bias = filled(0, c);
	bool ok = (gain && bias) || fault_memory(m->fault, m->file->path);
	for (long j = 0; ok && j < c; j++) {
		double by = (double)t[0]->f[j] / sqrt((double)t[3]->f[j] + epsilon);
		gain[j] = (float)by;
		bias[j] = (float)((double)t[1]->f[j] - (double)t[2]->f[j] * by);
	}
	bool image = import_is_image(&x->shape), folds = import_alone(m, x, 0, OP_CONV) || import_alone(m, x, 0, OP_LINEAR);
	struct sliding s;
	if (ok && folds && (image ? x->order == ORDER_IMAGE : x->shape.rank == 2)) {
		ok = fold_into(m, x->op, gain, bias) && import_give_value(m, 0, x);
	} else if (ok && (image || x->shape.rank == 2)) {
		int in = import_ordered(m, x, image ? ORDER_IMAGE : ORDER_ROWS);
		return in >= 0 && affine(m, x, in, image ? ORDER_IMAGE : ORDER_ROWS, gain, bias, c);
	} else if (ok && has_sides(&x->shape, &s)) {
		return affine_by_pixel(m, x, &s, gain, bias);
	} else if (ok) {
		ok = import_refuse(m, "images of one to three dimensions are read", "a norm of %d dimensions", x->shape.rank);
	}
	free(gain);
	free(bias);
	return ok;
}

// The numbers of a constant, stretched to the last sizes of a shape, of which there are `count`.
static float *stretched(struct import *m, const struct tensor *t, const struct shape_of *shape, int first, long count)
{
	struct shape_of last = {shape->rank - first, {0}};
	memcpy(last.size, shape->size + first, (size_t)last.rank * sizeof *last.size);
	struct tensor *all = tensor_expand(t, &last, import_complaint(m));
	float *to = NULL;
	if (all && all->count == count && all->type == TENSOR_FLOAT)
		to = copy_of(all->f, count);
	else if (all)
		import_refuse(m, damaged, "a constant that does not go with its input");
	tensor_free(all);
	return to;
}

static bool layer_norm(struct import *m)
{
	const struct value *x = import_data(m, 0);
	const struct tensor *gain = x ? floats(m, 1, -1) : NULL, *bias = import_constant(m, 2);
	if (!gain)
		return false;
	int64_t axis = onnx_whole(m->node, "axis", -1);
	axis += axis < 0 ? x->shape.rank : 0;
	if (axis < 0 || axis >= x->shape.rank)
		return import_refuse(m, damaged, "there is no such axis");
	long c = 1;
	for (int i = (int)axis; i < x->shape.rank; i++)
		c *= x->shape.size[i];
	int in = import_rows(m, x, c, false),
	    op = in < 0 ? -1 : model_layernorm_by(m->model, in, onnx_number(m->node, "epsilon", 1e-5f));
	if (op < 0)
		return false;
	float *g = stretched(m, gain, &x->shape, (int)axis, c),
	      *b = !g  ? NULL
		: bias ? stretched(m, bias, &x->shape, (int)axis, c)
		       : filled(0, c);
	if (!g || !b) {
		free(g);
		return false;
	}
	return import_learn(m, op, 0, g, c) && import_learn(m, op, 1, b, c) && give_like(m, op, ORDER_ROWS, x);
}

static bool all_are(const struct tensor *t, float value)
{
	for (long i = 0; i < t->count; i++)
		if (t->f[i] != value)
			return false;
	return true;
}

// Group and instance norms: each group's numbers have mean 0 and deviation 1, by a layer norm; then every channel has a gain and a bias.
static bool norm_of_groups(struct import *m, long groups)
{
	const struct value *x = import_data(m, 0);
	long count = x ? shape_count(&x->shape) : 0, c = x && x->shape.rank > 2 && x->shape.size[0] == 1 ? x->shape.size[1] : 0;
	groups = groups ? groups : c;
	if (!x || c < 1 || groups < 1 || c % groups)
		return x ? import_refuse(m, damaged, "%ld groups of %ld channels", groups, c) : false;
	const struct tensor *gain = floats(m, 1, c), *bias = gain ? floats(m, 2, c) : NULL;
	if (!bias)
		return false;
	long each = count / groups;
	int in = import_arrange(m, import_places(m, x), (struct shape){(int)groups, 1, (int)each}),
	    op = in < 0 ? -1 : model_layernorm_by(m->model, in, onnx_number(m->node, "epsilon", 1e-5f));
	if (op < 0 || !import_learn(m, op, 0, filled(1, each), each) || !import_learn(m, op, 1, filled(0, each), each))
		return false;
	m->model->op[op].bare = true;
	if (all_are(gain, 1) && all_are(bias, 0)) // as where a norm of groups was taken apart: its own gain and bias come behind
		return give_like(m, op, ORDER_ROWS, x);
	if (import_is_image(&x->shape)) {
		struct value normal = {.kind = VALUE_DATA, .shape = x->shape, .order = ORDER_ROWS, .op = op};
		int turned = import_ordered(m, &normal, ORDER_IMAGE);
		return turned >= 0 && affine(m, x, turned, ORDER_IMAGE, copy_of(gain->f, c), copy_of(bias->f, c), c);
	}
	float *by = filled(0, count), *plus = filled(0, count);
	for (long i = 0; by && plus && i < count; i++) {
		by[i] = gain->f[i / (count / c)];
		plus[i] = bias->f[i / (count / c)];
	}
	return affine(m, x, op, ORDER_ROWS, by, plus, count);
}

static bool group_norm(struct import *m)
{
	return norm_of_groups(m, (long)onnx_whole(m->node, "num_groups", 0));
}

static bool instance_norm(struct import *m)
{
	return norm_of_groups(m, 0);
}

// ---- poolings ----

static bool reduce_rows(struct import *m, struct tensor *places, long each, enum fn fn, const struct shape_of *shape)
{
	long count = places ? places->count : 0;
	int in = places ? import_arrange(m, places, (struct shape){(int)(count / each), 1, (int)each}) : -1,
	    op = in < 0 ? -1 : model_reduce(m->model, in, fn);
	return op >= 0 && import_give(m, 0, op, ORDER_ROWS, shape);
}

// Rounded up, windows reach beyond what is padded, which then never counts.
static bool reaches_beyond(const struct sliding *s)
{
	for (int d = 0; d < s->sides; d++)
		if ((s->out[d] - 1) * s->stride[d] + s->kernel[d] > s->in[d] + s->before[d] + s->after[d])
			return true;
	return false;
}

static bool is_padded(const struct sliding *s)
{
	long all = 0;
	for (int d = 0; d < s->sides; d++)
		all += s->before[d] + s->after[d];
	return all > 0;
}

static bool pool(struct import *m)
{
	const struct value *x = import_data(m, 0);
	struct sliding s;
	struct window w;
	bool average = strcmp(op_name(m), "AveragePool") == 0, inside = !onnx_whole(m->node, "count_include_pad", 0);
	if (!x || !has_sides(&x->shape, &s))
		return x ? import_refuse(m, "images of one to three dimensions are read", "a pooling of another form") : false;
	if (!onnx_attribute(m->node, "kernel_shape"))
		return import_refuse(m, damaged, "kernel_shape is missing");
	if (!take_sides(m, &s, "kernel_shape", s.kernel) || !take_sliding(m, &x->shape, &s))
		return false;
	const long c = x->shape.size[1];
	const bool pads = is_padded(&s);
	if (average && !inside && reaches_beyond(&s)) {
		if (pads)
			return import_refuse(m, other_way, "an average that counts padding and rounds its size up");
		inside = true;
	}
	if (window_for(&s, &w)) {
		int in = import_ordered(m, x, ORDER_IMAGE);
		return in >= 0 &&
			give_slid(m,
				!average         ? model_window(m->model, OP_MAXIMUM, in, w)
					: inside ? model_average_inside(m->model, in, w)
						 : model_window(m->model, OP_AVERAGE, in, w),
				&s, c);
	}
	if (average && inside && pads)
		return import_refuse(m, other_way, "an average over an unusual window");
	struct tensor *places = unrolled(m, x, &s, false, import_place_of(average ? 0 : -FLT_MAX));
	long count = places ? places->count : 0, each = product_of_sides(s.kernel, s.sides);
	int in = places ? import_arrange(m, places, (struct shape){(int)(count / each), 1, (int)each}) : -1;
	return in >= 0 && give_slid(m, model_reduce(m->model, in, average ? FN_MEAN : FN_GREATEST), &s, c);
}

static bool all_pixels(struct import *m, enum fn fn)
{
	const struct value *x = import_data(m, 0);
	if (!x || x->shape.rank < 3)
		return x ? import_refuse(m, damaged, "too few dimensions") : false;
	struct shape_of shape = {x->shape.rank, {x->shape.size[0], x->shape.size[1], 1, 1, 1, 1, 1, 1}};
	if (fn != FN_MEAN || !import_is_image(&x->shape))
		return reduce_rows(m, import_places(m, x), product_of_sides(x->shape.size + 2, x->shape.rank - 2), fn, &shape);
	int in = import_ordered(m, x, ORDER_IMAGE), op = in < 0 ? -1 : model_pool(m->model, in);
	return op >= 0 && import_give(m, 0, op, ORDER_IMAGE, &shape);
}

static bool global_average(struct import *m)
{
	return all_pixels(m, FN_MEAN);
}

static bool global_maximum(struct import *m)
{
	return all_pixels(m, FN_GREATEST);
}

// ---- reductions ----

static bool find_axes(struct import *m, int rank, unsigned *axes)
{
	struct fold f = {.file = m->file, .node = m->node, .inputs = m->node->inputs < 2 ? m->node->inputs : 2};
	int64_t list[TENSOR_INTS];
	for (int k = 0; k < f.inputs; k++)
		f.in[k] = (struct tensor *)import_constant(m, k);
	int count = fold_wholes(&f, "axes", 1, list);
	*axes = count > 0 ? 0 : onnx_whole(m->node, "noop_with_empty_axes", 0) ? 0 : (1u << rank) - 1;
	for (int i = 0; i < count; i++) {
		int64_t axis = list[i] < 0 ? list[i] + rank : list[i];
		if (axis < 0 || axis >= rank)
			return import_refuse(m, damaged, "there is no axis %lld", (long long)list[i]);
		*axes |= 1u << axis;
	}
	return true;
}

// Whether a mean is that over an image's pixels, of [1][c][h][w] or of [1][h][w][c], or over tokens.
static bool over_pixels(const struct value *x, unsigned axes)
{
	const struct shape_of *s = &x->shape;
	unsigned ones = 0;
	for (int i = 0; i < s->rank; i++)
		ones |= s->size[i] == 1 ? 1u << i : 0;
	if (x->order == ORDER_IMAGE)
		return (axes | ones) == (0xc | ones) && (axes & ~ones) == (0xc & ~ones) && axes;
	unsigned last = 1u << (s->rank - 1), wanted = (last - 1) & ~ones;
	return x->order == ORDER_ROWS && s->rank > 1 && (axes & ~ones) == wanted && wanted && !(axes & last);
}

static int pool_pixels(struct import *m, const struct value *x)
{
	int in = x->order == ORDER_IMAGE ? import_ordered(m, x, ORDER_IMAGE)
					 : import_rows(m, x, x->shape.size[x->shape.rank - 1], false);
	return in < 0 ? -1 : model_pool(m->model, in);
}

static bool reduce_by(struct import *m, enum fn fn)
{
	const struct value *x = import_data(m, 0);
	unsigned axes;
	if (!x || !find_axes(m, x->shape.rank, &axes))
		return false;
	if (!axes)
		return import_give_value(m, 0, x);
	struct shape_of shape = {0};
	int order[TENSOR_RANK], at = 0, rank = x->shape.rank;
	long each = 1;
	for (int i = 0; i < rank; i++)
		if (!(axes >> i & 1) || onnx_whole(m->node, "keepdims", 1))
			shape.size[shape.rank++] = axes >> i & 1 ? 1 : x->shape.size[i];
	if (fn == FN_MEAN && over_pixels(x, axes)) {
		int op = pool_pixels(m, x);
		return op >= 0 && import_give(m, 0, op, ORDER_ROWS, &shape);
	}
	for (int i = 0; i < rank; i++)
		if (!(axes >> i & 1))
			order[at++] = i;
	for (int i = 0; i < rank; i++)
		if (axes >> i & 1) {
			order[at++] = i;
			each *= x->shape.size[i];
		}
	struct tensor *t = import_places(m, x), *turned = t ? tensor_transpose(t, order, import_complaint(m)) : NULL;
	tensor_free(t);
	return reduce_rows(m, turned, each, fn, &shape);
}

static bool reduce(struct import *m)
{
	static const struct {
		const char *op;
		enum fn fn;
	} rows[] = {{"ReduceMean", FN_MEAN}, {"ReduceSum", FN_SUM}, {"ReduceMax", FN_GREATEST}, {"ReduceMin", FN_LEAST}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, op_name(m)) == 0)
			return reduce_by(m, rows[i].fn);
	return false;
}

static bool reduce_l2(struct import *m)
{
	const struct value *x = import_data(m, 0);
	enum order order;
	int in = x ? import_any(m, x, &order) : -1, squares = in < 0 ? -1 : model_combine(m->model, in, in, FN_MULTIPLY);
	if (squares < 0)
		return false;
	int value = m->node->input[0];
	if (m->node->output[0] < 0)
		return true;
	struct value kept = m->value[value];
	m->value[value] = (struct value){.kind = VALUE_DATA, .shape = x->shape, .order = order, .op = squares};
	bool ok = reduce_by(m, FN_SUM);
	m->value[value] = kept;
	const struct value *sum = &m->value[m->node->output[0]];
	if (!ok)
		return false;
	struct value root = *sum;
	int op = model_function(m->model, root.op, FN_ROOT, 0, 0);
	return give_like(m, op, root.order, &root);
}

static bool softmax(struct import *m)
{
	const struct value *x = import_data(m, 0);
	if (!x)
		return false;
	int rank = x->shape.rank, order[TENSOR_RANK], back[TENSOR_RANK];
	int64_t axis = onnx_whole(m->node, "axis", -1);
	axis += axis < 0 ? rank : 0;
	if (axis < 0 || axis >= rank)
		return import_refuse(m, damaged, "there is no such axis");
	long each = x->shape.size[axis];
	if (axis == rank - 1) {
		int in = import_rows(m, x, each, false), op = in < 0 ? -1 : model_softmax(m->model, in);
		return give_like(m, op, ORDER_ROWS, x);
	}
	for (int i = 0; i < rank; i++)
		order[i] = i == rank - 1 ? (int)axis : i < axis ? i : i + 1;
	for (int i = 0; i < rank; i++)
		back[order[i]] = i;
	struct tensor *t = import_places(m, x), *turned = t ? tensor_transpose(t, order, import_complaint(m)) : NULL;
	struct shape_of shape = turned ? turned->shape : x->shape;
	tensor_free(t);
	long count = turned ? turned->count : 0;
	int in = turned ? import_arrange(m, turned, (struct shape){(int)(count / each), 1, (int)each}) : -1,
	    op = in < 0 ? -1 : model_softmax(m->model, in);
	if (op < 0)
		return false;
	struct value soft = {.kind = VALUE_DATA, .shape = shape, .order = ORDER_ROWS, .op = op};
	t = import_places(m, &soft);
	turned = t ? tensor_transpose(t, back, import_complaint(m)) : NULL;
	tensor_free(t);
	return import_give_places(m, 0, turned);
}

// ---- functions of one number ----

static bool by_act(struct import *m, const struct value *x, enum act act)
{
	enum order order;
	// An addition does these itself.
	if ((act == ACT_RELU || act == ACT_RELU6) && import_alone(m, x, 0, OP_ADD) && m->model->op[x->op].act == ACT_NONE &&
		x->op == m->model->ops - 1) {
		m->model->op[x->op].act = act;
		return import_give_value(m, 0, x);
	}
	int in = import_any(m, x, &order);
	return in >= 0 && give_like(m, model_act(m->model, in, act), order, x);
}

bool import_give_positive(struct import *m, const struct value *x, double high)
{
	enum order order;
	int in = import_any(m, x, &order);
	if (in < 0 || model_non_negative(m->model, in))
		return in >= 0 && give_like(m, in, order, x);
	m->note.relus++;
	return by_act(m, x, fabs(high - 6) < 1e-5 ? ACT_RELU6 : ACT_RELU);
}

static bool by_function(struct import *m, const struct value *x, enum fn fn, float a, float b)
{
	enum order order;
	int in = import_any(m, x, &order);
	return in >= 0 && give_like(m, model_function(m->model, in, fn, a, b), order, x);
}

static const struct {
	const char *op;
	enum act act; // ACT_NONE: fn
	enum fn fn;
	const char *alpha, *beta; // attributes; NULL: the numbers themselves
	float a, b;
} functions[] = {
	{"Abs", ACT_NONE, FN_ABSOLUTE, NULL, NULL, 0, 0},
	{"Celu", ACT_NONE, FN_NONE, NULL, NULL, 0, 0},
	{"Elu", ACT_NONE, FN_ELU, "alpha", NULL, 1, 1},
	{"Erf", ACT_NONE, FN_ERF, NULL, NULL, 0, 0},
	{"Exp", ACT_NONE, FN_EXP, NULL, NULL, 0, 0},
	{"HardSigmoid", ACT_NONE, FN_HARD_SIGMOID, "alpha", "beta", 0.2f, 0.5f},
	{"HardSwish", ACT_NONE, FN_HARD_SWISH, NULL, NULL, 0, 0},
	{"LeakyRelu", ACT_NONE, FN_LEAKY, "alpha", NULL, 0.01f, 0},
	{"Log", ACT_NONE, FN_LOG, NULL, NULL, 0, 0},
	{"Mish", ACT_NONE, FN_MISH, NULL, NULL, 0, 0},
	{"Neg", ACT_NONE, FN_LINEAR, NULL, NULL, -1, 0},
	{"Reciprocal", ACT_NONE, FN_RECIPROCAL, NULL, NULL, 1, 0},
	{"Relu", ACT_RELU, FN_NONE, NULL, NULL, 0, 0},
	{"Sigmoid", ACT_SIGMOID, FN_NONE, NULL, NULL, 0, 0},
	{"Softplus", ACT_NONE, FN_SOFTPLUS, NULL, NULL, 0, 0},
	{"Sqrt", ACT_NONE, FN_ROOT, NULL, NULL, 0, 0},
	{"Tanh", ACT_NONE, FN_TANH, NULL, NULL, 0, 0},
};

static bool function(struct import *m)
{
	const struct value *x = import_data(m, 0);
	size_t i = 0;
	if (!x)
		return false;
	while (strcmp(functions[i].op, op_name(m)) != 0)
		i++;
	if (functions[i].act)
		return by_act(m, x, functions[i].act);
	float a = functions[i].alpha ? onnx_number(m->node, functions[i].alpha, functions[i].a) : functions[i].a,
	      b = functions[i].beta ? onnx_number(m->node, functions[i].beta, functions[i].b) : functions[i].b;
	return by_function(m, x, functions[i].fn, a, b);
}

static bool selu(struct import *m)
{
	const struct value *x = import_data(m, 0);
	return x &&
		by_function(m, x, FN_ELU, onnx_number(m->node, "alpha", 1.67326319f), onnx_number(m->node, "gamma", 1.05070102f));
}

static bool gelu(struct import *m)
{
	const struct value *x = import_data(m, 0);
	if (!x)
		return false;
	if (strcmp(onnx_text(m->node, "approximate", "none"), "tanh") == 0)
		return by_function(m, x, FN_GELU_TANH, 0, 0);
	return by_act(m, x, ACT_GELU);
}

// A bound is an attribute or an input.
static bool bound(struct import *m, const char *name, int k, float otherwise, float *to)
{
	const struct tensor *t = import_constant(m, k);
	if (import_input(m, k) && (!t || t->count != 1))
		return import_refuse(m, other_way, "bounds that are not constants of one number");
	*to = t ? (float)tensor_at(t, 0) : onnx_number(m->node, name, otherwise);
	return true;
}

static bool clip(struct import *m)
{
	const struct value *x = import_data(m, 0);
	float low, high;
	if (!x || !bound(m, "min", 1, -FLT_MAX, &low) || !bound(m, "max", 2, FLT_MAX, &high))
		return false;
	if (low == 0 && high == 6)
		return by_act(m, x, ACT_RELU6);
	return low == 0 && high >= FLT_MAX ? by_act(m, x, ACT_RELU) : by_function(m, x, FN_CLIP, low, high);
}

static bool cast(struct import *m)
{
	const struct value *x = import_data(m, 0);
	bool floating = strcmp(op_name(m), "CastLike") == 0 || onnx_floating((int)(onnx_whole(m->node, "to", 1) & 0xff));
	return x && (floating ? import_give_value(m, 0, x) : import_refuse(m, other_way, "images become whole numbers"));
}

// ---- two operands ----

static enum fn fn_of(const char *op)
{
	static const struct {
		const char *op;
		enum fn fn;
	} rows[] = {{"Add", FN_ADD}, {"Sum", FN_ADD}, {"Sub", FN_SUBTRACT}, {"Mul", FN_MULTIPLY}, {"Div", FN_DIVIDE},
		{"Min", FN_LEAST}, {"Max", FN_GREATEST}, {"Pow", FN_POWER}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, op) == 0)
			return rows[i].fn;
	return FN_NONE;
}

// x times sigmoid(x) is swish, x times its hard sigmoid hard swish: the gate becomes that.
static bool make_swish(struct import *m, const struct value *x, const struct value *gate, int gate_input)
{
	struct op *op = gate->kind == VALUE_DATA && gate->order != ORDER_PLACES ? &m->model->op[gate->op] : NULL;
	bool soft = op && op->kind == OP_ACT && op->act == ACT_SIGMOID,
	     hard = op && op->kind == OP_FUNCTION && op->fn == FN_HARD_SIGMOID && fabsf(op->alpha - 1.0f / 6) < 1e-6f &&
		op->beta == 0.5f;
	if ((!soft && !hard) || x->order != gate->order || op->in[0] != x->op || !shape_same(&x->shape, &gate->shape) ||
		!import_alone(m, gate, gate_input, op->kind))
		return false;
	if (soft)
		op->act = ACT_SWISH;
	else
		op->fn = FN_HARD_SWISH;
	return true;
}

static struct value stretch(struct import *m, const struct value *v, const struct shape_of *shape)
{
	struct tensor *t = import_places(m, v), *all = t ? tensor_expand(t, shape, import_complaint(m)) : NULL;
	tensor_free(t);
	return (struct value){.kind = all ? VALUE_DATA : VALUE_NONE, .order = ORDER_PLACES, .places = all, .shape = *shape};
}

// Operators for both, whose numbers lie in one order.
static bool in_one_order(struct import *m, const struct value *a, const struct value *b, int op[2], enum order *order)
{
	bool first = a->kind == VALUE_DATA && a->order != ORDER_PLACES;
	if (first || !(b->kind == VALUE_DATA && b->order != ORDER_PLACES)) {
		op[0] = import_any(m, a, order);
		op[1] = op[0] < 0 ? -1 : import_ordered(m, b, *order);
	} else {
		op[1] = import_any(m, b, order);
		op[0] = op[1] < 0 ? -1 : import_ordered(m, a, *order);
	}
	return op[0] >= 0 && op[1] >= 0;
}

static bool combine(struct import *m, const struct value *a, const struct value *b, enum fn fn, int output)
{
	int op[2];
	enum order order;
	if (!in_one_order(m, a, b, op, &order))
		return false;
	struct shape s = model_shape(m->model, op[0]), t = model_shape(m->model, op[1]);
	bool adds = fn == FN_ADD && s.h == t.h && s.w == t.w && s.c == t.c;
	struct shape_of shape = a->shape;
	return import_give(m, output,
		adds ? model_add(m->model, op[0], op[1], ACT_NONE) : model_combine(m->model, op[0], op[1], fn), order, &shape);
}

// An image with each channel times a number of its own.
static bool gate(struct import *m, const struct value *image, const struct value *by)
{
	if (!import_is_image(&image->shape) || !import_is_image(&by->shape) || by->shape.size[1] != image->shape.size[1] ||
		by->shape.size[2] * by->shape.size[3] != 1 || image->order == ORDER_ROWS)
		return false;
	struct shape_of shape = image->shape;
	int x = import_ordered(m, image, ORDER_IMAGE), g = x < 0 ? -1 : import_ordered(m, by, ORDER_IMAGE);
	return g >= 0 && import_give(m, 0, model_scale(m->model, x, g), ORDER_IMAGE, &shape);
}

static bool two_images(struct import *m, const struct value *a, const struct value *b, enum fn fn)
{
	struct shape_of shape;
	if (fn == FN_MULTIPLY && make_swish(m, a, b, 1))
		return import_give_value(m, 0, b);
	if (fn == FN_MULTIPLY && make_swish(m, b, a, 0))
		return import_give_value(m, 0, a);
	if (fn == FN_MULTIPLY && (gate(m, a, b) || gate(m, b, a)))
		return true;
	if (fn == FN_POWER)
		return import_refuse(m, other_way, "a power that is no constant");
	if (!shape_broadcast(&a->shape, &b->shape, &shape))
		return import_refuse(m, damaged, "shapes that do not go together");
	struct value x = {0}, y = {0};
	bool ok = true;
	if (!shape_same(&a->shape, &shape))
		ok = (x = stretch(m, a, &shape)).kind == VALUE_DATA;
	if (ok && !shape_same(&b->shape, &shape))
		ok = (y = stretch(m, b, &shape)).kind == VALUE_DATA;
	ok = ok && combine(m, x.kind ? &x : a, y.kind ? &y : b, fn, 0);
	tensor_free(x.places);
	tensor_free(y.places);
	return ok;
}

// The lesser of 6 and a relu, which becomes relu6.
static bool make_relu6(struct import *m, const struct value *x, float c)
{
	int input = m->node->input[0] >= 0 && x == &m->value[m->node->input[0]] ? 0 : 1;
	struct op *op = x->order == ORDER_PLACES ? NULL : &m->model->op[x->op];
	if (c != 6 || !op || op->act != ACT_RELU || (op->kind != OP_ACT && op->kind != OP_ADD) ||
		!import_alone(m, x, input, op->kind))
		return false;
	op->act = ACT_RELU6;
	return true;
}

static bool with_number(struct import *m, const struct value *x, float c, bool first, enum fn fn)
{
	switch (fn) {
	case FN_ADD: return by_function(m, x, FN_LINEAR, 1, c);
	case FN_SUBTRACT: return first ? by_function(m, x, FN_LINEAR, -1, c) : by_function(m, x, FN_LINEAR, 1, -c);
	case FN_MULTIPLY: return by_function(m, x, FN_LINEAR, c, 0);
	case FN_DIVIDE: return first ? by_function(m, x, FN_RECIPROCAL, c, 0) : by_function(m, x, FN_LINEAR, 1 / c, 0);
	case FN_LEAST: return make_relu6(m, x, c) ? import_give_value(m, 0, x) : by_function(m, x, FN_CLIP, -FLT_MAX, c);
	case FN_GREATEST: return c == 0 ? by_act(m, x, ACT_RELU) : by_function(m, x, FN_CLIP, c, FLT_MAX);
	default: break;
	}
	if (first)
		return import_refuse(m, other_way, "a power that is no constant");
	if (c == 2)
		return combine(m, x, x, FN_MULTIPLY, 0);
	return c == 0.5f ? by_function(m, x, FN_ROOT, 0, 0) : by_function(m, x, FN_POWER, c, 0);
}

// Whether a constant has a number for each channel of an image, and nothing else.
static bool is_by_channel(const struct tensor *c, const struct shape_of *shape)
{
	const int skipped = shape->rank - c->shape.rank;
	for (int i = 0; i < shape->rank; i++)
		if (i != 1 && i >= skipped && c->shape.size[i - skipped] != 1)
			return false;
	return import_is_image(shape);
}

// A constant's numbers as they repeat in the order of x's, and after how many they do. x has the shape of both.
static float *repeated(struct import *m, const struct tensor *c, const struct shape_of *shape, enum order order, long *period)
{
	struct shape_of both;
	if (!shape_broadcast(&c->shape, shape, &both) || !shape_same(&both, shape)) {
		import_refuse(m, damaged, "a constant that does not go with its input");
		return NULL;
	}
	int skipped = shape->rank - c->shape.rank, first = 0;
	while (first < shape->rank && (first < skipped || c->shape.size[first - skipped] == 1))
		first++;
	if (order == ORDER_IMAGE) {
		bool by_channel = is_by_channel(c, shape);
		struct tensor *all = tensor_expand(c, shape, import_complaint(m)),
			      *turned = all ? tensor_transpose(all, (int[]){0, 2, 3, 1}, import_complaint(m)) : NULL;
		*period = by_channel ? shape->size[1] : turned ? turned->count : 0;
		float *to = turned ? copy_of(turned->f, *period) : NULL;
		tensor_free(all);
		tensor_free(turned);
		return to;
	}
	*period = 1;
	for (int i = first; i < shape->rank; i++)
		*period *= shape->size[i];
	return stretched(m, c, shape, first, *period);
}

// A constant that is learnt: it stands in the file as it is.
static bool with_learnt(struct import *m, const struct value *x, int input, const struct tensor *c, enum fn fn)
{
	enum order order;
	long period;
	bool multiplies = fn == FN_MULTIPLY || fn == FN_DIVIDE;
	const bool turns = is_by_channel(c, &x->shape); // side by side, channels are few numbers
	int in = turns ? import_ordered(m, x, order = ORDER_IMAGE) : import_any(m, x, &order);
	float *at = in < 0 ? NULL : repeated(m, c, &x->shape, order, &period);
	for (long i = 0; at && i < period; i++)
		at[i] = fn == FN_DIVIDE ? 1 / at[i] : fn == FN_SUBTRACT ? -at[i] : at[i];
	if (!at)
		return false;
	// Behind a layer, by channel: a bias of its own, or the halves of a batch norm.
	bool conv = import_alone(m, x, input, OP_CONV), layer = conv || import_alone(m, x, input, OP_LINEAR);
	if (layer && period == m->model->op[x->op].out.c &&
		(multiplies ? conv && !m->model->op[x->op].bias : !m->model->op[x->op].bias || conv)) {
		bool had = m->model->op[x->op].bias;
		bool ok = fold_into(m, x->op, multiplies ? at : NULL, multiplies ? NULL : at);
		if (multiplies && !had && ok) { // there is no bias yet
			free(m->weights->op[x->op].part[1]);
			m->weights->op[x->op].part[1] = NULL;
			m->model->op[x->op].bias = false;
			m->model->layer[m->model->op[x->op].layer].biases = 0;
		}
		free(at);
		return ok && import_give_value(m, 0, x);
	}
	return affine(m, x, in, order, multiplies ? at : NULL, multiplies ? NULL : at, period);
}

static bool with_constant(struct import *m, const struct value *x, int input, const struct tensor *c, bool first, enum fn fn)
{
	struct shape_of shape;
	if (!shape_broadcast(&x->shape, &c->shape, &shape))
		return import_refuse(m, damaged, "shapes that do not go together");
	struct value large = {0};
	if (!shape_same(&x->shape, &shape)) {
		large = stretch(m, x, &shape);
		x = &large;
		if (!large.kind)
			return false;
	}
	bool ok,
		plain = c->type == TENSOR_FLOAT &&
		(fn == FN_ADD || fn == FN_MULTIPLY || (!first && (fn == FN_SUBTRACT || fn == FN_DIVIDE)));
	if (c->count == 1) {
		ok = with_number(m, x, (float)tensor_at(c, 0), first, fn);
	} else if (plain && c->given) {
		ok = with_learnt(m, x, input, c, fn);
	} else if (fn == FN_POWER) {
		ok = import_refuse(m, other_way, "a power that is not one number");
	} else { // the constant becomes an image
		struct value v = {.kind = VALUE_CONSTANT, .constant = (struct tensor *)c, .shape = c->shape};
		struct value y = stretch(m, &v, &shape);
		ok = y.kind && combine(m, first ? &y : x, first ? x : &y, fn, 0);
		tensor_free(y.places);
	}
	tensor_free(large.places);
	return ok;
}

static bool pair(struct import *m)
{
	enum fn fn = fn_of(op_name(m));
	const struct value *a = import_input(m, 0), *b = import_input(m, 1);
	if (m->node->inputs == 1 && a)
		return import_give_value(m, 0, a);
	if (m->node->inputs != 2 || !a || !b)
		return import_refuse(m, other_way, "it has %d operands", m->node->inputs);
	if (a->kind == VALUE_DATA && b->kind == VALUE_DATA)
		return two_images(m, a, b, fn);
	return a->kind == VALUE_DATA ? with_constant(m, a, 0, b->constant, false, fn)
				     : with_constant(m, b, 1, a->constant, true, fn);
}

// max(x, 0) + slope * min(x, 0)
static bool prelu(struct import *m)
{
	const struct value *x = import_data(m, 0);
	const struct tensor *slope = x ? floats(m, 1, -1) : NULL;
	enum order order;
	long period;
	if (!slope)
		return false;
	if (slope->count == 1)
		return by_function(m, x, FN_LEAKY, slope->f[0], 0);
	int in = import_any(m, x, &order);
	float *at = in < 0 ? NULL : repeated(m, slope, &x->shape, order, &period);
	if (!at)
		return false;
	int above = model_act(m->model, in, ACT_RELU), below = model_function(m->model, in, FN_CLIP, -FLT_MAX, 0),
	    sloped = model_affine(m->model, below, true, false, period);
	return import_learn(m, sloped, 0, at, period) && give_like(m, model_add(m->model, above, sloped, ACT_NONE), order, x);
}

// ---- side by side ----

// Up to so many at once, in two steps or more.
static int side_by_side(struct import *m, int *op, int count)
{
	while (count > 1) {
		int made = 0;
		for (int k = 0; k < count; k += MODEL_INPUTS) {
			int some = count - k < MODEL_INPUTS ? count - k : MODEL_INPUTS;
			op[made++] = some == 1 ? op[k] : model_concat(m->model, op + k, some);
		}
		count = made;
	}
	return op[0];
}

bool import_beside(struct import *m)
{
	int64_t axis = onnx_whole(m->node, "axis", 0);
	axis += axis < 0 ? 4 : 0;
	if (strcmp(op_name(m), "Concat") != 0 || m->node->inputs > FOLD_INPUTS || m->node->inputs < 1 || (axis != 1 && axis != 3))
		return false;
	for (int k = 0; k < m->node->inputs; k++) {
		const struct value *v = import_input(m, k);
		if (!v || v->kind != VALUE_DATA || !import_is_image(&v->shape) || (axis == 3 && v->order == ORDER_IMAGE))
			return false;
	}
	return true;
}

static bool concat(struct import *m)
{
	int count = m->node->inputs, op[FOLD_INPUTS];
	bool image = onnx_whole(m->node, "axis", 0) == 1 || onnx_whole(m->node, "axis", 0) == -3;
	struct shape_of shape = import_input(m, 0)->shape;
	long channels = 0;
	for (int k = 0; k < count; k++) {
		const struct value *v = import_input(m, k);
		const long *size = v->shape.size;
		op[k] = image ? import_ordered(m, v, ORDER_IMAGE) : import_rows(m, v, size[3], false);
		if (op[k] < 0)
			return false;
		if (!image)
			op[k] = model_reshape(m->model, op[k], (struct shape){(int)size[1], (int)size[2], (int)size[3]});
		channels += size[image ? 1 : 3];
	}
	shape.size[image ? 1 : 3] = channels;
	return import_give(m, 0, side_by_side(m, op, count), image ? ORDER_IMAGE : ORDER_ROWS, &shape);
}

// ---- products by letters ----

// Einsum of two operands, "bhid,bhjd->bhij": letters in both and in the result are products, letters in both alone are summed over,
// others are rows and columns. What two arrangements and one product can do.
struct letters {
	char text[TENSOR_RANK + 1];
	int count;
};

static bool take_letters(const char **at, struct letters *l)
{
	for (l->count = 0; **at && **at != ',' && **at != '-'; ++*at) {
		if (**at == ' ')
			continue;
		if (l->count == TENSOR_RANK || **at == '.' || memchr(l->text, **at, (size_t)l->count))
			return false;
		l->text[l->count++] = **at;
	}
	l->text[l->count] = 0;
	return true;
}

static int letter_at(const struct letters *l, char letter)
{
	const char *found = strchr(l->text, letter);
	return found ? (int)(found - l->text) : -1;
}

// Axes of an operand: those letters first, then those, then those.
static struct tensor *by_letters(struct import *m, const struct value *v, const struct letters *its,
	const struct letters group[3])
{
	int axis[TENSOR_RANK], at = 0;
	long size[3] = {1, 1, 1};
	for (int g = 0; g < 3; g++)
		for (int i = 0; i < group[g].count; i++) {
			int k = letter_at(its, group[g].text[i]);
			axis[at++] = k;
			size[g] *= v->shape.size[k];
		}
	struct tensor *t = import_places(m, v), *turned = t ? tensor_transpose(t, axis, import_complaint(m)) : NULL,
		      *joined = turned
		? tensor_reshape(turned, &(struct shape_of){3, {size[0], size[1], size[2]}}, import_complaint(m))
		: NULL;
	tensor_free(t);
	tensor_free(turned);
	return joined;
}

static void add_letter(struct letters *l, char letter)
{
	l->text[l->count++] = letter;
	l->text[l->count] = 0;
}

struct equation {
	const struct value *x[2];
	struct letters in[2], out;
	struct letters shared, summed, rows, columns; // of both and kept, of both and not kept, of the first, of the second
};

static const struct shape_of *shape_of_value(const struct value *v)
{
	return v->kind == VALUE_DATA ? &v->shape : &v->constant->shape;
}

// Puts a letter of operand k among its kind; false: it is of one operand, and summed over.
static bool sort_letter(struct equation *e, int k, char letter)
{
	bool both = letter_at(&e->in[1 - k], letter) >= 0, kept = letter_at(&e->out, letter) >= 0;
	if (both && k == 1) // it has its place from the first
		return true;
	add_letter(both && kept ? &e->shared : both ? &e->summed : k ? &e->columns : &e->rows, letter);
	return both || kept;
}

static bool read_equation(struct import *m, struct equation *e)
{
	const char *at = onnx_text(m->node, "equation", "");
	*e = (struct equation){.x = {import_input(m, 0), import_input(m, 1)}};
	bool read = m->node->inputs == 2 && e->x[0] && e->x[1] && take_letters(&at, &e->in[0]) && *at++ == ',' &&
		take_letters(&at, &e->in[1]) && strncmp(at, "->", 2) == 0;
	at += read ? 2 : 0;
	read = read && take_letters(&at, &e->out) && !*at;
	for (int k = 0; read && k < 2; k++) {
		read = shape_of_value(e->x[k])->rank == e->in[k].count;
		for (int i = 0; read && i < e->in[k].count; i++)
			read = sort_letter(e, k, e->in[k].text[i]);
	}
	for (int i = 0; read && i < e->out.count; i++)
		read = letter_at(&e->in[0], e->out.text[i]) >= 0 || letter_at(&e->in[1], e->out.text[i]) >= 0;
	return (read && e->out.count == e->shared.count + e->rows.count + e->columns.count) ||
		import_refuse(m, other_way, "the equation %.40s", onnx_text(m->node, "equation", ""));
}

static bool multiply_letters(struct import *m, const struct equation *e)
{
	struct tensor *a = by_letters(m, e->x[0], &e->in[0], (struct letters[]){e->shared, e->rows, e->summed}),
		      *b = a ? by_letters(m, e->x[1], &e->in[1], (struct letters[]){e->shared, e->summed, e->columns}) : NULL;
	bool ok = a && b;
	if (ok) {
		const struct value p = {.kind = VALUE_DATA, .order = ORDER_PLACES, .places = a, .shape = a->shape},
				   q = {.kind = VALUE_DATA, .order = ORDER_PLACES, .places = b, .shape = b->shape};
		ok = product_of(m, &p, &q, 0);
	}
	tensor_free(a);
	tensor_free(b);
	return ok;
}

static bool einsum(struct import *m)
{
	struct equation e;
	struct shape_of shape = {0};
	struct letters now = {0};
	int axis[TENSOR_RANK];
	if (m->node->output[0] < 0)
		return true;
	if (!read_equation(m, &e) || !multiply_letters(m, &e))
		return false;
	// From shared letters, rows and columns to the order that is asked for.
	const struct letters *group[] = {&e.shared, &e.rows, &e.columns};
	for (int g = 0; g < 3; g++)
		for (int i = 0; i < group[g]->count; i++) {
			int k = letter_at(&e.in[0], group[g]->text[i]) >= 0 ? 0 : 1;
			shape.size[shape.rank++] = shape_of_value(e.x[k])->size[letter_at(&e.in[k], group[g]->text[i])];
			add_letter(&now, group[g]->text[i]);
		}
	for (int i = 0; i < e.out.count; i++)
		axis[i] = letter_at(&now, e.out.text[i]);
	struct value product = m->value[m->node->output[0]];
	struct tensor *t = import_places(m, &product), *cut = t ? tensor_reshape(t, &shape, import_complaint(m)) : NULL,
		      *turned = cut ? tensor_transpose(cut, axis, import_complaint(m)) : NULL;
	tensor_free(t);
	tensor_free(cut);
	return import_give_places(m, 0, turned);
}

// ---- attention, as one node (opset 23) ----

// [1][tokens][heads * width] becomes [1][heads][tokens][width].
static bool by_heads(struct import *m, const struct value *v, int64_t heads, struct value *to)
{
	struct tensor *t = import_places(m, v), *cut, *turned;
	if (!t || v->shape.rank == 4) {
		*to = (struct value){.kind = VALUE_DATA, .order = ORDER_PLACES, .places = t, .shape = v->shape};
		return t != NULL;
	}
	long c = v->shape.rank == 3 ? v->shape.size[2] : 0;
	if (heads < 1 || c < 1 || c % heads) {
		tensor_free(t);
		return import_refuse(m, damaged, "channels that do not divide into its heads");
	}
	struct shape_of split = {4, {v->shape.size[0], v->shape.size[1], (long)heads, c / (long)heads}};
	cut = tensor_reshape(t, &split, import_complaint(m));
	turned = cut ? tensor_transpose(cut, (int[]){0, 2, 1, 3}, import_complaint(m)) : NULL;
	tensor_free(t);
	tensor_free(cut);
	*to = (struct value){.kind = VALUE_DATA, .order = ORDER_PLACES, .places = turned};
	if (turned)
		to->shape = turned->shape;
	return turned != NULL;
}

static bool attend(struct import *m, const struct value *q, struct value *k, const struct value *v)
{
	struct tensor *turned = tensor_transpose(k->places, (int[]){0, 1, 3, 2}, import_complaint(m));
	if (!turned)
		return false;
	tensor_free(k->places);
	k->places = turned;
	k->shape = turned->shape;
	float scale = onnx_number(m->node, "scale", 1 / sqrtf((float)q->shape.size[3]));
	if (!product_of(m, q, k, 0))
		return false;
	struct value scores = m->value[m->node->output[0]];
	int op = model_function(m->model, scores.op, FN_LINEAR, scale, 0);
	op = op < 0 ? -1 : model_softmax(m->model, op);
	scores.op = op;
	return op >= 0 && product_of(m, &scores, v, 0);
}

static bool attention(struct import *m)
{
	struct value part[3] = {{0}};
	bool ok = true, flat = false;
	if (m->node->outputs < 1 || m->node->output[0] < 0)
		return true;
	for (int k = 3; k < m->node->inputs; k++)
		if (import_input(m, k))
			return import_refuse(m, other_way, "a mask, or keys and values of the past");
	if (onnx_whole(m->node, "is_causal", 0) || onnx_number(m->node, "softcap", 0) != 0)
		return import_refuse(m, other_way, "attention that is causal or capped");
	for (int k = 0; k < 3 && ok; k++) {
		const struct value *v = import_data(m, k);
		flat = v && v->shape.rank == 3;
		ok = v && by_heads(m, v, onnx_whole(m->node, k ? "kv_num_heads" : "q_num_heads", 0), &part[k]);
	}
	ok = ok && attend(m, &part[0], &part[1], &part[2]);
	for (int k = 0; k < 3; k++)
		tensor_free(part[k].places);
	if (!ok || !flat)
		return ok;
	struct value heads = m->value[m->node->output[0]];
	struct tensor *t = import_places(m, &heads),
		      *turned = t ? tensor_transpose(t, (int[]){0, 2, 1, 3}, import_complaint(m)) : NULL, *joined = NULL;
	if (turned) {
		const long *s = turned->shape.size;
		joined = tensor_reshape(turned, &(struct shape_of){3, {s[0], s[1], s[2] * s[3]}}, import_complaint(m));
	}
	tensor_free(t);
	tensor_free(turned);
	return import_give_places(m, 0, joined);
}

// ---- the table ----

static const struct {
	const char *op;
	bool (*run)(struct import *);
} rows[] = {
	{"Attention", attention},
	{"AveragePool", pool},
	{"BatchNormalization", batch_norm},
	{"Cast", cast},
	{"CastLike", cast},
	{"Clip", clip},
	{"Concat", concat},
	{"Conv", conv},
	{"Einsum", einsum},
	{"Gelu", gelu},
	{"Gemm", gemm},
	{"GlobalAveragePool", global_average},
	{"GlobalMaxPool", global_maximum},
	{"GroupNormalization", group_norm},
	{"If", import_branch},
	{"InstanceNormalization", instance_norm},
	{"LayerNormalization", layer_norm},
	{"MatMul", matmul},
	{"MaxPool", pool},
	{"PRelu", prelu},
	{"ReduceL2", reduce_l2},
	{"ReduceMax", reduce},
	{"ReduceMean", reduce},
	{"ReduceMin", reduce},
	{"ReduceSum", reduce},
	{"Resize", import_resize},
	{"Selu", selu},
	{"Softmax", softmax},
	{"Upsample", import_resize},
};

// The shape that the file says an output has: its batch is 1. False: it says none, or not of numbers that a network works on.
static bool said_shape(const struct onnx_value *v, struct shape_of *shape)
{
	*shape = v->shape;
	if (!v->has_shape || shape->rank < 1 || (v->element && !onnx_floating(v->element)))
		return false;
	shape->size[0] = shape->size[0] < 0 ? 1 : shape->size[0];
	return shape_count(shape) > 0;
}

static bool give_unknown(struct import *m, const int *in, int count, int output, const struct shape_of *like)
{
	const struct onnx_node *n = m->node;
	const struct onnx_value *v = &m->file->value[n->output[output]];
	struct shape_of shape;
	char node[MODEL_NODE];
	const bool said = said_shape(v, &shape);
	if (!said && v->has_shape)
		return import_refuse(m, "it is the one that stands in the way", "this operator is not known");
	snprintf(node, sizeof node, "%.30s%s%.30s %.60s%s", n->domain, *n->domain ? "." : "", n->op,
		*n->name ? n->name : "without a name", said ? "" : " (taken to keep its shape)");
	shape = said ? shape : *like;
	return import_give(m, output, model_unknown(m->model, in, count, import_flat(&shape), node), ORDER_ROWS, &shape);
}

bool import_unknown(struct import *m)
{
	int in[MODEL_INPUTS], count = 0;
	struct shape_of like = {0};
	for (int k = 0; k < m->node->inputs && count < MODEL_INPUTS; k++) {
		const struct value *v = import_input(m, k);
		enum order order;
		if (!v || v->kind != VALUE_DATA)
			continue;
		like = count ? like : v->shape;
		if ((in[count++] = import_any(m, v, &order)) < 0)
			return false;
	}
	if (!count)
		return import_refuse(m, "it is the one that stands in the way", "this operator is not known");
	for (int k = 0; k < m->node->outputs; k++)
		if (m->node->output[k] >= 0 && !give_unknown(m, in, count, k, &like))
			return false;
	return true;
}

bool import_node(struct import *m)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, op_name(m)) == 0)
			return rows[i].run(m);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcmp(functions[i].op, op_name(m)) == 0 && (functions[i].act || functions[i].fn))
			return function(m);
	if (fn_of(op_name(m)))
		return pair(m);
	return import_unknown(m);
}

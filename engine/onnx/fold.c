// SPDX-License-Identifier: GPL-3.0-or-later
// After ONNX's operator schemas (github.com/onnx/onnx, docs/Operators.md), of all versions at once.
#include "engine/onnx/fold.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char damaged[] = "check the file with onnx.checker";

static bool give(struct fold *f, int output, struct tensor *t)
{
	if (output >= f->node->outputs || output >= FOLD_OUTPUTS) {
		tensor_free(t);
		return t != NULL;
	}
	f->out[output] = t;
	return t != NULL;
}

static const struct tensor *input(const struct fold *f, int k)
{
	return k < f->inputs ? f->in[k] : NULL;
}

int fold_wholes(const struct fold *f, const char *name, int k, int64_t to[TENSOR_INTS])
{
	const struct onnx_attribute *a = onnx_attribute(f->node, name);
	const struct tensor *t = k < 0 ? NULL : input(f, k);
	int count = 0;
	if (a && a->kind == ONNX_WHOLES)
		for (; count < a->count && count < TENSOR_INTS; count++)
			to[count] = a->wholes[count];
	else if (t)
		for (; count < t->count && count < TENSOR_INTS; count++)
			to[count] = t->type == TENSOR_INT ? t->i[count] : tensor_whole((double)t->f[count]);
	else
		return -1;
	return count;
}

static bool axis_of(const struct fold *f, int64_t axis, int rank, int *to)
{
	axis += axis < 0 ? rank : 0;
	*to = (int)axis;
	return (axis >= 0 && axis < rank) || fold_refuse(f, damaged, "there is no axis %lld", (long long)axis);
}

// The axes as bits; all of them where none is said.
static bool axes_of(const struct fold *f, int k, int rank, unsigned *axes)
{
	int64_t list[TENSOR_INTS];
	int count = fold_wholes(f, "axes", k, list), axis;
	*axes = 0;
	for (int i = 0; i < count; i++) {
		if (!axis_of(f, list[i], rank, &axis))
			return false;
		*axes |= 1u << axis;
	}
	if (count <= 0 && !onnx_whole(f->node, "noop_with_empty_axes", 0))
		*axes = (1u << rank) - 1;
	return true;
}

// ---- constants ----

static bool fold_constant(struct fold *f)
{
	const struct onnx_attribute *a;
	struct tensor *t = NULL;
	const struct shape_of one = {0};
	if ((a = onnx_attribute(f->node, "value")) && a->kind == ONNX_TENSOR)
		return give(f, 0, onnx_tensor(f->file, a->tensor, f->complaint));
	if ((a = onnx_attribute(f->node, "value_ints")) && a->kind == ONNX_WHOLES)
		return give(f, 0, tensor_ints(a->wholes, a->count, f->complaint));
	if ((a = onnx_attribute(f->node, "value_int")) && (t = tensor_new(TENSOR_INT, &one, f->complaint)))
		t->i[0] = a->i;
	else if ((a = onnx_attribute(f->node, "value_float")) && (t = tensor_new(TENSOR_FLOAT, &one, f->complaint)))
		t->f[0] = a->f;
	else if ((a = onnx_attribute(f->node, "value_floats")) && a->kind == ONNX_FLOATS &&
		(t = tensor_new(TENSOR_FLOAT, &(struct shape_of){1, {a->count}}, f->complaint)) && a->count)
		memcpy(t->f, a->floats, (size_t)a->count * sizeof *t->f);
	return t ? give(f, 0, t) : fold_refuse(f, "export it again", "a constant of a kind that is not read");
}

static bool fold_filled(struct fold *f)
{
	int64_t size[TENSOR_INTS];
	const struct onnx_attribute *a = onnx_attribute(f->node, "value");
	struct shape_of shape = {.rank = fold_wholes(f, "shape", 0, size)};
	if (shape.rank < 0 || shape.rank > TENSOR_RANK)
		return fold_refuse(f, damaged, "no shape, or one of too many dimensions");
	for (int i = 0; i < shape.rank; i++)
		shape.size[i] = size[i];
	struct tensor *value = a && a->kind == ONNX_TENSOR ? onnx_tensor(f->file, a->tensor, f->complaint) : NULL;
	if (a && (!value || value->count < 1)) {
		tensor_free(value);
		return value ? fold_refuse(f, damaged, "no value to fill it with") : false;
	}
	struct tensor *t = tensor_new(value ? value->type : TENSOR_FLOAT, &shape, f->complaint);
	for (long i = 0; t && i < t->count; i++)
		if (t->type == TENSOR_FLOAT)
			t->f[i] = value ? value->f[0] : 0;
		else
			t->i[i] = value->i[0];
	tensor_free(value);
	return give(f, 0, t);
}

static bool fold_shape(struct fold *f)
{
	int64_t size[TENSOR_RANK];
	const struct shape_of *s = &f->in[0]->shape;
	int64_t start = onnx_whole(f->node, "start", 0), end = onnx_whole(f->node, "end", s->rank);
	int count = 0;
	start = start < 0 ? start + s->rank : start;
	end = end < 0 ? end + s->rank : end;
	for (int64_t i = start < 0 ? 0 : start; i < end && i < s->rank; i++)
		size[count++] = s->size[i];
	return give(f, 0, tensor_ints(size, count, f->complaint));
}

static bool fold_size(struct fold *f)
{
	struct tensor *t = tensor_new(TENSOR_INT, &(struct shape_of){0}, f->complaint);
	if (t)
		t->i[0] = f->in[0]->count;
	return give(f, 0, t);
}

static bool fold_range(struct fold *f)
{
	for (int k = 0; k < 3; k++)
		if (!input(f, k) || f->in[k]->count != 1 || f->in[k]->type != f->in[0]->type)
			return fold_refuse(f, damaged, "a range is three numbers");
	double start = tensor_at(f->in[0], 0), step = tensor_at(f->in[2], 0),
	       count = ceil((tensor_at(f->in[1], 0) - start) / step);
	if (!(count <= INT_MAX))
		return fold_refuse(f, damaged, "a range without an end");
	struct tensor *t = tensor_new(f->in[0]->type, &(struct shape_of){1, {count > 0 ? (long)count : 0}}, f->complaint);
	for (long i = 0; t && i < t->count; i++)
		if (t->type == TENSOR_FLOAT)
			t->f[i] = (float)(start + (double)i * step);
		else
			t->i[i] = tensor_whole(start + (double)i * step);
	return give(f, 0, t);
}

// ---- the same numbers, other sizes ----

static bool fold_same(struct fold *f)
{
	return give(f, 0, tensor_share(f->in[0]));
}

static bool reshaped(struct fold *f, const struct shape_of *shape)
{
	return give(f, 0, tensor_reshape(f->in[0], shape, f->complaint));
}

static bool fold_reshape(struct fold *f)
{
	const struct tensor *t = f->in[0];
	int64_t size[TENSOR_INTS];
	struct shape_of shape = {.rank = fold_wholes(f, "shape", 1, size)};
	long known = 1, open = -1;
	if (shape.rank < 0 || shape.rank > TENSOR_RANK)
		return fold_refuse(f, damaged, "no shape, or one of too many dimensions");
	for (int i = 0; i < shape.rank; i++) {
		shape.size[i] = size[i];
		if (size[i] == 0 && !onnx_whole(f->node, "allowzero", 0))
			shape.size[i] = i < t->shape.rank ? t->shape.size[i] : 0;
		if (size[i] == -1)
			open = i;
		else if (shape.size[i] < 0 || (shape.size[i] && known > LONG_MAX / 2 / shape.size[i]))
			return fold_refuse(f, damaged, "no shape of sizes");
		else
			known *= shape.size[i];
	}
	if (open >= 0)
		shape.size[open] = known ? t->count / known : 0;
	return reshaped(f, &shape);
}

static bool fold_flatten(struct fold *f)
{
	const struct shape_of *s = &f->in[0]->shape;
	int64_t axis = onnx_whole(f->node, "axis", 1);
	struct shape_of to = {2, {1, 1}};
	axis += axis < 0 ? s->rank : 0;
	for (int i = 0; i < s->rank; i++)
		to.size[i >= axis] *= s->size[i];
	return reshaped(f, &to);
}

static bool fold_squeeze(struct fold *f)
{
	const struct shape_of *s = &f->in[0]->shape;
	struct shape_of to = {0};
	unsigned axes;
	int64_t list[TENSOR_INTS];
	bool said = fold_wholes(f, "axes", 1, list) > 0;
	if (!axes_of(f, 1, s->rank, &axes))
		return false;
	for (int i = 0; i < s->rank; i++)
		if (!(axes >> i & 1) || (s->size[i] != 1 && !said))
			to.size[to.rank++] = s->size[i];
		else if (s->size[i] != 1)
			return fold_refuse(f, damaged, "an axis of size %ld cannot be left out", s->size[i]);
	return reshaped(f, &to);
}

static bool fold_unsqueeze(struct fold *f)
{
	const struct shape_of *s = &f->in[0]->shape;
	struct shape_of to = {0};
	int64_t list[TENSOR_INTS];
	int count = fold_wholes(f, "axes", 1, list), rank = s->rank + count, axis, from = 0;
	unsigned axes = 0;
	if (count < 0 || rank > TENSOR_RANK)
		return fold_refuse(f, damaged, "no axes, or too many");
	for (int i = 0; i < count; i++) {
		if (!axis_of(f, list[i], rank, &axis))
			return false;
		if (axes >> axis & 1)
			return fold_refuse(f, damaged, "an axis stands twice");
		axes |= 1u << axis;
	}
	for (; to.rank < rank; to.rank++)
		to.size[to.rank] = axes >> to.rank & 1 ? 1 : s->size[from++];
	return reshaped(f, &to);
}

// ---- moved ----

static bool fold_transpose(struct fold *f)
{
	int64_t list[TENSOR_INTS];
	int rank = f->in[0]->shape.rank, axis[TENSOR_RANK], count = fold_wholes(f, "perm", -1, list);
	if (count >= 0 && count != rank)
		return fold_refuse(f, damaged, "%d axes for a tensor of %d", count, rank);
	for (int i = 0; i < rank; i++)
		axis[i] = count < 0 ? rank - 1 - i : list[i] < 0 || list[i] >= rank ? -1 : (int)list[i];
	return give(f, 0, tensor_transpose(f->in[0], axis, f->complaint));
}

static int64_t within(int64_t i, int64_t low, int64_t high)
{
	return i < low ? low : i > high ? high : i;
}

static bool fold_slice(struct fold *f)
{
	int64_t start[TENSOR_INTS], end[TENSOR_INTS], axes[TENSOR_INTS], step[TENSOR_INTS];
	int starts = fold_wholes(f, "starts", 1, start), ends = fold_wholes(f, "ends", 2, end),
	    given = fold_wholes(f, "axes", 3, axes), steps = fold_wholes(f, "steps", 4, step), axis;
	struct tensor *t = tensor_share(f->in[0]);
	if (starts != ends || starts < 0 || (given >= 0 && given != starts) || (steps >= 0 && steps != starts)) {
		tensor_free(t);
		return fold_refuse(f, damaged, "starts, ends, axes and steps that do not go together");
	}
	for (int i = 0; t && i < starts; i++) {
		int64_t by = steps < 0 ? 1 : step[i];
		if (by == 0 || by == INT64_MIN || !axis_of(f, given < 0 ? i : axes[i], t->shape.rank, &axis)) {
			tensor_free(t);
			return by && by != INT64_MIN ? false : fold_refuse(f, damaged, "steps of nothing");
		}
		int64_t size = t->shape.size[axis], from = within(start[i], -size - 1, size),
			to = within(end[i], -size - 1, size);
		from = within(from < 0 ? from + size : from, 0, by < 0 ? size - 1 : size);
		to = within(to < 0 ? to + size : to, by < 0 ? -1 : 0, size);
		if (by < 0 && end[i] < -size)
			to = -1;
		int64_t room = by < 0 ? from - to : to - from, length = by < 0 ? -by : by;
		struct tensor *next = tensor_slice(t, axis, from, by, room > 0 ? (room - 1) / length + 1 : 0, f->complaint);
		tensor_free(t);
		t = next;
	}
	return give(f, 0, t);
}

static bool fold_split(struct fold *f)
{
	int64_t part[TENSOR_INTS];
	int axis, parts = fold_wholes(f, "split", 1, part), outputs = f->node->outputs;
	long at = 0;
	if (!axis_of(f, onnx_whole(f->node, "axis", 0), f->in[0]->shape.rank, &axis))
		return false;
	long size = f->in[0]->shape.size[axis];
	outputs = outputs > FOLD_OUTPUTS ? FOLD_OUTPUTS : outputs;
	if (parts >= 0 && parts != outputs)
		return fold_refuse(f, damaged, "%d parts for %d outputs", parts, outputs);
	for (int k = 0; k < outputs; k++) { // without sizes: equal ones, the last may be smaller
		long each = (size + outputs - 1) / outputs;
		int64_t count = parts >= 0 ? part[k] : within(size - at, 0, each);
		if (count < 0 || count > size - at)
			return fold_refuse(f, damaged, "parts of more than there is");
		if (!give(f, k, tensor_slice(f->in[0], axis, at, 1, count, f->complaint)))
			return false;
		at += count;
	}
	return true;
}

static bool fold_gather(struct fold *f)
{
	int axis;
	if (!input(f, 1))
		return fold_refuse(f, damaged, "no indices");
	return axis_of(f, onnx_whole(f->node, "axis", 0), f->in[0]->shape.rank, &axis) &&
		give(f, 0, tensor_gather(f->in[0], axis, f->in[1], f->complaint));
}

static bool fold_pick(struct fold *f)
{
	int64_t batch = onnx_whole(f->node, "batch_dims", 0);
	if (!input(f, 1) || batch < 0 || batch > TENSOR_RANK)
		return fold_refuse(f, damaged, "no indices, or too many batches");
	return give(f, 0, tensor_pick(f->in[0], f->in[1], (int)batch, f->complaint));
}

static bool fold_concat(struct fold *f)
{
	int axis;
	for (int k = 0; k < f->inputs; k++)
		if (!f->in[k])
			return fold_refuse(f, damaged, "an input is left out");
	return axis_of(f, onnx_whole(f->node, "axis", 0), f->in[0]->shape.rank, &axis) &&
		give(f, 0, tensor_concat(f->in, f->inputs, axis, f->complaint));
}

static bool fold_expand(struct fold *f)
{
	int64_t size[TENSOR_INTS];
	struct shape_of shape = {.rank = fold_wholes(f, "shape", 1, size)};
	if (shape.rank < 0 || shape.rank > TENSOR_RANK)
		return fold_refuse(f, damaged, "no shape, or one of too many dimensions");
	for (int i = 0; i < shape.rank; i++)
		shape.size[i] = size[i];
	return give(f, 0, tensor_expand(f->in[0], &shape, f->complaint));
}

static bool fold_tile(struct fold *f)
{
	int64_t times[TENSOR_INTS];
	if (fold_wholes(f, "repeats", 1, times) != f->in[0]->shape.rank)
		return fold_refuse(f, damaged, "not a number of times for each axis");
	return give(f, 0, tensor_tile(f->in[0], times, f->complaint));
}

static bool fold_pad(struct fold *f)
{
	static const char *const modes[] = {"constant", "reflect", "edge", "wrap"};
	const char *said = onnx_text(f->node, "mode", "constant");
	int64_t pads[TENSOR_INTS], axes[TENSOR_INTS], before[TENSOR_RANK] = {0}, after[TENSOR_RANK] = {0};
	int rank = f->in[0]->shape.rank, count = fold_wholes(f, "pads", 1, pads), given = fold_wholes(f, "axes", 3, axes), axis,
	    mode = 0;
	if (given < 0)
		for (given = 0; given < rank; given++)
			axes[given] = given;
	while (mode < 4 && strcmp(modes[mode], said) != 0)
		mode++;
	if (count != 2 * given || mode == 4)
		return fold_refuse(f, damaged, mode == 4 ? "padded in an unknown way" : "pads that do not go with the tensor");
	for (int i = 0; i < given; i++) {
		if (!axis_of(f, axes[i], rank, &axis))
			return false;
		before[axis] = pads[i];
		after[axis] = pads[given + i];
	}
	const struct tensor *fill = input(f, 2);
	struct tensor *own = NULL;
	if (!fill || fill->count != 1 || fill->type != f->in[0]->type) {
		fill = own = tensor_new(f->in[0]->type, &(struct shape_of){0}, f->complaint);
		if (!own)
			return false;
		if (own->type == TENSOR_INT)
			own->i[0] = f->zero;
		else
			own->f[0] = onnx_number(f->node, "value", 0);
	}
	struct tensor *t = tensor_pad(f->in[0], before, after, (enum pad_mode)mode, fill, f->complaint);
	tensor_free(own);
	return give(f, 0, t);
}

static bool fold_scatter(struct fold *f)
{
	const char *how = onnx_text(f->node, "reduction", "none");
	if (strcmp(how, "none") != 0 || !input(f, 1) || !input(f, 2))
		return fold_refuse(f, "export it in another way", "scattered by %.20s", how);
	return give(f, 0, tensor_scatter(f->in[0], f->in[1], f->in[2], f->complaint));
}

static bool fold_where(struct fold *f)
{
	if (!input(f, 1) || !input(f, 2))
		return fold_refuse(f, damaged, "an input is left out");
	return give(f, 0, tensor_choose(f->in[0], f->in[1], f->in[2], f->complaint));
}

// Blocks of channels to blocks of pixels, or back: sizes, an order of axes, sizes.
static bool fold_blocks(struct fold *f, bool to_space)
{
	const struct shape_of *s = &f->in[0]->shape;
	long b = onnx_whole(f->node, "blocksize", 0);
	bool crd = strcmp(onnx_text(f->node, "mode", "DCR"), "CRD") == 0;
	if (s->rank != 4 || b < 1 || b > 1024 || (to_space ? s->size[1] / b % b : s->size[2] % b + s->size[3] % b))
		return fold_refuse(f, damaged, "blocks that do not go with the tensor");
	long n = s->size[0], c = s->size[1], h = s->size[2], w = s->size[3];
	struct shape_of split = to_space
		? crd ? (struct shape_of){6, {n, c / b / b, b, b, h, w}} : (struct shape_of){6, {n, b, b, c / b / b, h, w}}
		: (struct shape_of){6, {n, c, h / b, b, w / b, b}};
	struct shape_of joined = to_space ? (struct shape_of){4, {n, c / b / b, h * b, w * b}}
					  : (struct shape_of){4, {n, c * b * b, h / b, w / b}};
	const int *axis = to_space ? crd ? (const int[]){0, 1, 4, 2, 5, 3} : (const int[]){0, 3, 4, 1, 5, 2}
				   : (const int[]){0, 3, 5, 1, 2, 4};
	struct tensor *t = tensor_reshape(f->in[0], &split, f->complaint),
		      *turned = t ? tensor_transpose(t, axis, f->complaint) : NULL;
	bool ok = turned && give(f, 0, tensor_reshape(turned, &joined, f->complaint));
	tensor_free(t);
	tensor_free(turned);
	return ok;
}

static bool fold_to_space(struct fold *f)
{
	return fold_blocks(f, true);
}

static bool fold_to_depth(struct fold *f)
{
	return fold_blocks(f, false);
}

// ---- worked out ----

static double keep(double x)
{
	return x;
}

static bool cast(struct fold *f, bool floating)
{
	const struct tensor *t = f->in[0];
	if (floating == (t->type == TENSOR_FLOAT))
		return fold_same(f);
	return give(f, 0, tensor_map(t, keep, floating ? TENSOR_FLOAT : TENSOR_INT, f->complaint));
}

static double truth(double x)
{
	return x != 0;
}

static bool fold_cast(struct fold *f)
{
	int64_t to = onnx_whole(f->node, "to", 1);
	if (to == 9)
		return give(f, 0, tensor_map(f->in[0], truth, TENSOR_INT, f->complaint));
	return cast(f, onnx_floating((int)within(to, 0, 100)));
}

static bool fold_cast_like(struct fold *f)
{
	return input(f, 1) ? cast(f, f->in[1]->type == TENSOR_FLOAT) : fold_refuse(f, damaged, "nothing to be like");
}

static double reciprocal(double x)
{
	return 1 / x;
}

static double negative(double x)
{
	return -x;
}

static double relu(double x)
{
	return x > 0 ? x : 0;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double not_true(double x)
{
	return x == 0;
}

static double sign(double x)
{
	return (x > 0) - (x < 0);
}

static double gelu(double x)
{
	return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double add(double a, double b)
{
	return a + b;
}

static double subtract(double a, double b)
{
	return a - b;
}

static double multiply(double a, double b)
{
	return a * b;
}

static double divide(double a, double b)
{
	return a / b;
}

static double divide_whole(double a, double b)
{
	return b == 0 ? 0 : trunc(a / b);
}

static double modulo(double a, double b) // of b's sign
{
	return b == 0 ? 0 : a - floor(a / b) * b;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double greatest(double a, double b)
{
	return a > b ? a : b;
}

static double both(double a, double b)
{
	return a != 0 && b != 0;
}

static double either(double a, double b)
{
	return a != 0 || b != 0;
}

static double equal(double a, double b)
{
	return a == b;
}

static double less(double a, double b)
{
	return a < b;
}

static double more(double a, double b)
{
	return a > b;
}

static double at_most(double a, double b)
{
	return a <= b;
}

static double at_least(double a, double b)
{
	return a >= b;
}

static const struct {
	const char *op;
	double (*f)(double);
	bool truth;
} singles[] = {
	{"Abs", fabs, false},
	{"Ceil", ceil, false},
	{"Cos", cos, false},
	{"Erf", erf, false},
	{"Exp", exp, false},
	{"Floor", floor, false},
	{"Gelu", gelu, false},
	{"Log", log, false},
	{"Neg", negative, false},
	{"Not", not_true, true},
	{"Reciprocal", reciprocal, false},
	{"Relu", relu, false},
	{"Round", rint, false},
	{"Sigmoid", sigmoid, false},
	{"Sign", sign, false},
	{"Sin", sin, false},
	{"Sqrt", sqrt, false},
	{"Tanh", tanh, false},
};

static bool fold_single(struct fold *f)
{
	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
		if (strcmp(singles[i].op, f->node->op) == 0)
			return give(f, 0,
				tensor_map(f->in[0], singles[i].f, singles[i].truth ? TENSOR_INT : f->in[0]->type, f->complaint));
	return false;
}

static const struct {
	const char *op;
	double (*f)(double, double);
	double (*of_wholes)(double, double); // NULL: the same
	bool truth;
} pairs[] = {
	{"Add", add, NULL, false},
	{"And", both, NULL, true},
	{"Div", divide, divide_whole, false},
	{"Equal", equal, NULL, true},
	{"Greater", more, NULL, true},
	{"GreaterOrEqual", at_least, NULL, true},
	{"Less", less, NULL, true},
	{"LessOrEqual", at_most, NULL, true},
	{"Max", greatest, NULL, false},
	{"Min", least, NULL, false},
	{"Mod", modulo, NULL, false},
	{"Mul", multiply, NULL, false},
	{"Or", either, NULL, true},
	{"Pow", pow, NULL, false},
	{"Sub", subtract, NULL, false},
};

static bool fold_pair(struct fold *f)
{
	size_t i = 0;
	while (strcmp(pairs[i].op, f->node->op) != 0)
		i++;
	struct tensor *t = tensor_share(f->in[0]);
	if (f->inputs < 2 && strcmp(f->node->op, "Max") != 0 && strcmp(f->node->op, "Min") != 0) {
		tensor_free(t);
		return fold_refuse(f, damaged, "one operand");
	}
	for (int k = 1; t && k < f->inputs; k++) {
		const struct tensor *b = f->in[k];
		bool wholes = b && t->type == TENSOR_INT && b->type == TENSOR_INT;
		struct tensor *next = b ? tensor_pair(t, b, wholes && pairs[i].of_wholes ? pairs[i].of_wholes : pairs[i].f,
						  pairs[i].truth ? TENSOR_INT : t->type, f->complaint)
					: NULL;
		tensor_free(t);
		if (!b)
			return fold_refuse(f, damaged, "an operand is left out");
		t = next;
	}
	return give(f, 0, t);
}

static bool fold_clip(struct fold *f)
{
	struct tensor *t = tensor_share(f->in[0]);
	for (int k = 1; t && k <= 2; k++) {
		if (!input(f, k))
			continue;
		struct tensor *next = tensor_pair(t, f->in[k], k == 1 ? greatest : least, t->type, f->complaint);
		tensor_free(t);
		t = next;
	}
	return give(f, 0, t);
}

static const struct {
	const char *op;
	double (*f)(double, double);
	double start;
	bool mean;
} reductions[] = {
	{"ReduceMax", greatest, -INFINITY, false},
	{"ReduceMean", add, 0, true},
	{"ReduceMin", least, INFINITY, false},
	{"ReduceProd", multiply, 1, false},
	{"ReduceSum", add, 0, false},
};

static bool fold_reduce(struct fold *f)
{
	unsigned axes;
	size_t i = 0;
	while (strcmp(reductions[i].op, f->node->op) != 0)
		i++;
	return axes_of(f, 1, f->in[0]->shape.rank, &axes) &&
		give(f, 0,
			tensor_reduce(f->in[0], axes, onnx_whole(f->node, "keepdims", 1), reductions[i].f, reductions[i].start,
				reductions[i].mean, f->complaint));
}

static bool fold_cumulated(struct fold *f)
{
	int axis;
	if (!input(f, 1) || f->in[1]->count != 1)
		return fold_refuse(f, damaged, "no axis");
	return axis_of(f, tensor_whole(tensor_at(f->in[1], 0)), f->in[0]->shape.rank, &axis) &&
		give(f, 0,
			tensor_cumulate(f->in[0], axis, onnx_whole(f->node, "exclusive", 0), onnx_whole(f->node, "reverse", 0),
				f->complaint));
}

static bool fold_product(struct fold *f)
{
	return input(f, 1) ? give(f, 0, tensor_product(f->in[0], f->in[1], f->complaint))
			   : fold_refuse(f, damaged, "one operand");
}

static bool fold_gemm(struct fold *f)
{
	static const int turned[] = {1, 0};
	if (!input(f, 1) || f->in[1]->shape.rank != 2 || f->in[0]->shape.rank != 2 || onnx_number(f->node, "alpha", 1) != 1 ||
		onnx_number(f->node, "beta", 1) != 1)
		return fold_refuse(f, "export it in another way", "a product of constants in an unusual form");
	struct tensor *a = onnx_whole(f->node, "transA", 0) ? tensor_transpose(f->in[0], turned, f->complaint)
							    : tensor_share(f->in[0]),
		      *b = onnx_whole(f->node, "transB", 0) ? tensor_transpose(f->in[1], turned, f->complaint)
							    : tensor_share(f->in[1]),
		      *sum = a && b ? tensor_product(a, b, f->complaint) : NULL;
	if (sum && input(f, 2)) {
		struct tensor *with = tensor_pair(sum, f->in[2], add, TENSOR_FLOAT, f->complaint);
		tensor_free(sum);
		sum = with;
	}
	tensor_free(a);
	tensor_free(b);
	return give(f, 0, sum);
}

// ---- the operators ----

enum { ALL = -1 };
static const struct row {
	const char *op;
	bool (*run)(struct fold *);
	unsigned moves;
} rows[] = {
	{"Cast", fold_cast, 0},
	{"CastLike", fold_cast_like, 0},
	{"Clip", fold_clip, 0},
	{"Concat", fold_concat, (unsigned)ALL},
	{"Constant", fold_constant, 0},
	{"ConstantOfShape", fold_filled, 0},
	{"CumSum", fold_cumulated, 0},
	{"DepthToSpace", fold_to_space, 1},
	{"Dropout", fold_same, 1},
	{"Expand", fold_expand, 1},
	{"Flatten", fold_flatten, 1},
	{"Gather", fold_gather, 1},
	{"GatherND", fold_pick, 1},
	{"Gemm", fold_gemm, 0},
	{"Identity", fold_same, 1},
	{"MatMul", fold_product, 0},
	{"Pad", fold_pad, 1 | 4},
	{"Range", fold_range, 0},
	{"Reshape", fold_reshape, 1},
	{"ScatterND", fold_scatter, 1 | 4},
	{"Shape", fold_shape, 0},
	{"Size", fold_size, 0},
	{"Slice", fold_slice, 1},
	{"SpaceToDepth", fold_to_depth, 1},
	{"Split", fold_split, 1},
	{"Squeeze", fold_squeeze, 1},
	{"Tile", fold_tile, 1},
	{"Transpose", fold_transpose, 1},
	{"Unsqueeze", fold_unsqueeze, 1},
	{"Where", fold_where, 2 | 4},
};

static const struct row *row_of(const char *op)
{
	static const struct row single = {"", fold_single, 0}, pair = {"", fold_pair, 0}, reduce = {"", fold_reduce, 0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, op) == 0)
			return &rows[i];
	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
		if (strcmp(singles[i].op, op) == 0)
			return &single;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (strcmp(pairs[i].op, op) == 0)
			return &pair;
	for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
		if (strcmp(reductions[i].op, op) == 0)
			return &reduce;
	return NULL;
}

bool fold_knows(const char *op)
{
	return row_of(op) != NULL;
}

unsigned fold_moves(const char *op)
{
	const struct row *row = row_of(op);
	return row ? row->moves : 0;
}

bool fold_run(struct fold *f)
{
	const struct row *row = row_of(f->node->op);
	bool constant = strncmp(f->node->op, "Constant", 8) == 0;
	memset(f->out, 0, sizeof f->out);
	if (!row || (!constant && !input(f, 0)))
		return fold_refuse(f, damaged, row ? "its first input is left out" : "it cannot be worked out");
	if (row->run(f))
		return true;
	for (int k = 0; k < FOLD_OUTPUTS; k++) {
		tensor_free(f->out[k]);
		f->out[k] = NULL;
	}
	return false;
}

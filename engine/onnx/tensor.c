// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/onnx/tensor.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PRODUCTS_MOST = 1 << 30;

static void *refuse(struct complaint c, const char *what)
{
	fault_set(c.fault, c.where, "check the file with onnx.checker", "%s", what);
	return NULL;
}

// ---- shapes ----

long shape_count(const struct shape_of *s)
{
	long count = 1;
	bool none = false;
	for (int i = 0; i < s->rank; i++) {
		if (s->size[i] < 0 || (s->size[i] && count > INT_MAX / s->size[i]))
			return -1;
		none = none || s->size[i] == 0;
		count *= s->size[i] ? s->size[i] : 1;
	}
	return none ? 0 : count;
}

bool shape_same(const struct shape_of *a, const struct shape_of *b)
{
	return a->rank == b->rank && memcmp(a->size, b->size, (size_t)a->rank * sizeof *a->size) == 0;
}

// The size along an axis counted from the end; 1 beyond the first.
static long from_end(const struct shape_of *s, int i)
{
	return i < s->rank ? s->size[s->rank - 1 - i] : 1;
}

bool shape_broadcast(const struct shape_of *a, const struct shape_of *b, struct shape_of *to)
{
	to->rank = a->rank > b->rank ? a->rank : b->rank;
	for (int i = 0; i < to->rank; i++) {
		long x = from_end(a, i), y = from_end(b, i);
		if (x != y && x != 1 && y != 1)
			return false;
		to->size[to->rank - 1 - i] = x == 1 ? y : x;
	}
	return true;
}

char *shape_text(const struct shape_of *s, char *buf, size_t size)
{
	size_t used = 0;
	snprintf(buf, size, "%s", s->rank ? "" : "one number");
	for (int i = 0; i < s->rank && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%ld", i ? "x" : "", s->size[i]);
	return buf;
}

// ---- making ----

static size_t width_of(enum tensor_type type)
{
	return type == TENSOR_FLOAT ? sizeof(float) : sizeof(int64_t);
}

static struct tensor *make(enum tensor_type type, const struct shape_of *shape, long most, struct complaint c)
{
	char buf[160];
	long count = shape_count(shape);
	if (count < 0 || count > most) {
		fault_set(c.fault, c.where, "use a smaller network", "a tensor of %s is too large",
			shape_text(shape, buf, sizeof buf));
		return NULL;
	}
	struct tensor *t = calloc(1, sizeof *t);
	void *at = t ? malloc((size_t)count * width_of(type) + 1) : NULL;
	if (!at) {
		free(t);
		fault_memory(c.fault, c.where);
		return NULL;
	}
	*t = (struct tensor){.type = type, .shape = *shape, .count = count, .users = 1};
	t->at = at;
	return t;
}

struct tensor *tensor_new(enum tensor_type type, const struct shape_of *shape, struct complaint c)
{
	return make(type, shape, TENSOR_MOST, c);
}

struct tensor *tensor_stored(enum tensor_type type, const struct shape_of *shape, struct complaint c)
{
	return make(type, shape, INT_MAX, c);
}

struct tensor *tensor_share(struct tensor *t)
{
	t->users++;
	return t;
}

void tensor_free(struct tensor *t)
{
	if (!t || --t->users > 0)
		return;
	free(t->at);
	free(t);
}

struct tensor *tensor_ints(const int64_t *value, int count, struct complaint c)
{
	struct tensor *t = tensor_new(TENSOR_INT, &(struct shape_of){1, {count}}, c);
	if (t && count)
		memcpy(t->i, value, (size_t)count * sizeof *value);
	return t;
}

int64_t tensor_whole(double value)
{
	return !(value > -9.2e18) ? INT64_MIN : value > 9.2e18 ? INT64_MAX : (int64_t)value;
}

static int64_t index_at(const struct tensor *t, long i)
{
	return t->type == TENSOR_FLOAT ? tensor_whole((double)t->f[i]) : t->i[i];
}

double tensor_at(const struct tensor *t, long i)
{
	return t->type == TENSOR_FLOAT ? (double)t->f[i] : (double)t->i[i];
}

// ---- numbers put elsewhere ----

static void put(const struct tensor *from, long i, struct tensor *to, long at)
{
	if (from->type == TENSOR_FLOAT)
		to->f[at] = from->f[i];
	else
		to->i[at] = from->i[i];
}

static void strides_of(const struct shape_of *s, long stride[TENSOR_RANK])
{
	long step = 1;
	for (int i = s->rank - 1; i >= 0; i--) {
		stride[i] = step;
		step *= s->size[i];
	}
}

// Goes through the places of a shape in order; at ends as the place under `stride`. False behind the last.
struct walk {
	struct shape_of shape;
	long place[TENSOR_RANK], stride[TENSOR_RANK], at;
};

static void walk_on(struct walk *w)
{
	for (int i = w->shape.rank - 1; i >= 0; i--) {
		w->at += w->stride[i];
		if (++w->place[i] < w->shape.size[i])
			return;
		w->at -= w->stride[i] * w->shape.size[i];
		w->place[i] = 0;
	}
}

// A tensor of this shape whose numbers lie in another by strides.
static struct tensor *viewed(const struct tensor *t, struct walk w, struct complaint c)
{
	struct tensor *to = tensor_new(t->type, &w.shape, c);
	for (long i = 0; to && i < to->count; i++, walk_on(&w))
		put(t, w.at, to, i);
	if (to)
		to->element = t->element;
	return to;
}

struct tensor *tensor_reshape(struct tensor *t, const struct shape_of *shape, struct complaint c)
{
	char from[160], into[160];
	if (shape_same(&t->shape, shape))
		return tensor_share(t);
	if (shape_count(shape) != t->count) {
		fault_set(c.fault, c.where, "check the file with onnx.checker", "%s cannot become %s",
			shape_text(&t->shape, from, sizeof from), shape_text(shape, into, sizeof into));
		return NULL;
	}
	struct tensor *to = tensor_new(t->type, shape, c);
	if (to) {
		memcpy(to->at, t->at, (size_t)t->count * width_of(t->type));
		to->given = t->given;
		to->element = t->element;
	}
	return to;
}

struct tensor *tensor_transpose(const struct tensor *t, const int *axis, struct complaint c)
{
	struct walk w = {.shape.rank = t->shape.rank};
	long stride[TENSOR_RANK];
	unsigned seen = 0;
	strides_of(&t->shape, stride);
	for (int i = 0; i < t->shape.rank; i++) {
		if (axis[i] < 0 || axis[i] >= t->shape.rank || seen >> axis[i] & 1)
			return refuse(c, "these axes are not an order of the tensor's");
		seen |= 1u << axis[i];
		w.shape.size[i] = t->shape.size[axis[i]];
		w.stride[i] = stride[axis[i]];
	}
	struct tensor *to = viewed(t, w, c);
	if (to)
		to->given = t->given;
	return to;
}

struct tensor *tensor_slice(const struct tensor *t, int axis, long start, long step, long count, struct complaint c)
{
	struct walk w = {.shape = t->shape};
	strides_of(&t->shape, w.stride);
	long last = count > 1 ? start + (count - 1) * step : start;
	if (count > 0 && (start < 0 || last < 0 || start >= t->shape.size[axis] || last >= t->shape.size[axis]))
		return refuse(c, "a slice reaches beyond the tensor");
	w.shape.size[axis] = count > 0 ? count : 0;
	step = count > 1 ? step : 1;
	w.at = count > 0 ? start * w.stride[axis] : 0;
	w.stride[axis] *= step;
	return viewed(t, w, c);
}

struct tensor *tensor_gather(const struct tensor *t, int axis, const struct tensor *index, struct complaint c)
{
	struct shape_of shape = {0};
	long outer = 1, inner = 1, size = t->shape.size[axis];
	if (t->shape.rank - 1 + index->shape.rank > TENSOR_RANK)
		return refuse(c, "more dimensions than there may be");
	for (int i = 0; i < axis; i++)
		outer *= shape.size[shape.rank++] = t->shape.size[i];
	for (int i = 0; i < index->shape.rank; i++)
		shape.size[shape.rank++] = index->shape.size[i];
	for (int i = axis + 1; i < t->shape.rank; i++)
		inner *= shape.size[shape.rank++] = t->shape.size[i];
	struct tensor *to = tensor_new(t->type, &shape, c);
	for (long i = 0, at = 0; to && i < outer; i++)
		for (long k = 0; k < index->count; k++, at += inner) {
			int64_t from = index_at(index, k);
			from += from < 0 ? size : 0;
			if (from < 0 || from >= size) {
				tensor_free(to);
				return refuse(c, "an index reaches beyond the tensor");
			}
			for (long j = 0; j < inner; j++)
				put(t, (i * size + from) * inner + j, to, at + j);
		}
	return to;
}

static void stretch(const struct shape_of *from, struct walk *w)
{
	long stride[TENSOR_RANK];
	strides_of(from, stride);
	for (int i = 0; i < w->shape.rank; i++) {
		int own = i - (w->shape.rank - from->rank);
		w->stride[i] = own < 0 || from->size[own] == 1 ? 0 : stride[own];
	}
}

struct tensor *tensor_expand(const struct tensor *t, const struct shape_of *shape, struct complaint c)
{
	struct walk w = {0};
	if (!shape_broadcast(&t->shape, shape, &w.shape))
		return refuse(c, "shapes that do not go together");
	if (shape_count(&w.shape) < 0)
		return tensor_new(t->type, &w.shape, c);
	stretch(&t->shape, &w);
	return viewed(t, w, c);
}

struct tensor *tensor_concat(struct tensor *const *t, int count, int axis, struct complaint c)
{
	struct shape_of shape = t[0]->shape;
	for (int k = 1; k < count; k++)
		for (int i = 0; i < shape.rank; i++)
			if (t[k]->shape.rank != shape.rank || t[k]->type != t[0]->type ||
				(i != axis && t[k]->shape.size[i] != shape.size[i]))
				return refuse(c, "tensors that do not go side by side");
	for (int k = 1; k < count; k++)
		shape.size[axis] += t[k]->shape.size[axis];
	struct tensor *to = tensor_new(t[0]->type, &shape, c);
	long outer = 1, at = 0;
	for (int i = 0; i < axis; i++)
		outer *= shape.size[i];
	for (long o = 0; to && o < outer; o++)
		for (int k = 0; k < count; k++) {
			long run = t[k]->count / (outer ? outer : 1);
			for (long j = 0; j < run; j++)
				put(t[k], o * run + j, to, at++);
		}
	return to;
}

struct tensor *tensor_tile(const struct tensor *t, const int64_t *times, struct complaint c)
{
	struct tensor *now = tensor_share((struct tensor *)t);
	for (int axis = 0; now && axis < t->shape.rank; axis++) {
		struct shape_of shape = now->shape;
		if (times[axis] < 0 || (shape.size[axis] && times[axis] > INT_MAX / shape.size[axis])) {
			tensor_free(now);
			return refuse(c, "repeated too often");
		}
		shape.size[axis] *= times[axis];
		struct tensor *next = tensor_new(now->type, &shape, c);
		long outer = 1, run = 1;
		for (int i = 0; i < shape.rank; i++)
			*(i < axis ? &outer : &run) *= now->shape.size[i];
		for (long o = 0, at = 0; next && o < outer; o++)
			for (long k = 0; k < times[axis]; k++)
				for (long j = 0; j < run; j++)
					put(now, o * run + j, next, at++);
		tensor_free(now);
		now = next;
	}
	return now;
}

// Where a place beyond the edge takes its number from; -1: from the fill.
static long beyond(long i, long size, enum pad_mode mode)
{
	if (i >= 0 && i < size)
		return i;
	if (mode == PAD_CONSTANT)
		return -1;
	if (mode == PAD_EDGE)
		return i < 0 ? 0 : size - 1;
	if (mode == PAD_WRAP)
		return ((i % size) + size) % size;
	long period = size > 1 ? 2 * (size - 1) : 1, at = ((i % period) + period) % period;
	return at < size ? at : period - at;
}

struct tensor *tensor_pad(const struct tensor *t, const int64_t *before, const int64_t *after, enum pad_mode mode,
	const struct tensor *fill, struct complaint c)
{
	struct walk w = {.shape = t->shape};
	long stride[TENSOR_RANK];
	strides_of(&t->shape, stride);
	for (int i = 0; i < t->shape.rank; i++) {
		if (before[i] < -INT_MAX || before[i] > INT_MAX || after[i] < -INT_MAX || after[i] > INT_MAX)
			return refuse(c, "padded by too much");
		w.shape.size[i] += before[i] + after[i];
		if (mode != PAD_CONSTANT && t->shape.size[i] == 0 && w.shape.size[i] > 0)
			return refuse(c, "nothing to pad with");
	}
	struct tensor *to = tensor_new(t->type, &w.shape, c);
	for (long i = 0; to && i < to->count; i++, walk_on(&w)) {
		long from = 0;
		for (int k = 0; k < w.shape.rank && from >= 0; k++) {
			long at = beyond(w.place[k] - before[k], t->shape.size[k], mode);
			from = at < 0 ? -1 : from + at * stride[k];
		}
		put(from < 0 ? fill : t, from < 0 ? 0 : from, to, i);
	}
	return to;
}

struct tensor *tensor_scatter(const struct tensor *t, const struct tensor *index, const struct tensor *updates,
	struct complaint c)
{
	int depth = index->shape.rank ? (int)index->shape.size[index->shape.rank - 1] : 0;
	long stride[TENSOR_RANK], run = 1;
	if (depth < 1 || depth > t->shape.rank || updates->type != t->type)
		return refuse(c, "indices that do not go with the tensor");
	for (int i = depth; i < t->shape.rank; i++)
		run *= t->shape.size[i];
	long places = index->count / depth;
	if (places * run != updates->count)
		return refuse(c, "updates that do not go with the indices");
	struct tensor *to = tensor_new(t->type, &t->shape, c);
	if (!to)
		return NULL;
	memcpy(to->at, t->at, (size_t)t->count * width_of(t->type));
	strides_of(&t->shape, stride);
	for (long p = 0; p < places; p++) {
		long at = 0;
		for (int d = 0; d < depth; d++) {
			int64_t i = index_at(index, p * depth + d);
			i += i < 0 ? t->shape.size[d] : 0;
			if (i < 0 || i >= t->shape.size[d]) {
				tensor_free(to);
				return refuse(c, "an index reaches beyond the tensor");
			}
			at += i * stride[d];
		}
		for (long j = 0; j < run; j++)
			put(updates, p * run + j, to, at + j);
	}
	return to;
}

struct tensor *tensor_pick(const struct tensor *t, const struct tensor *index, int batch, struct complaint c)
{
	const int rank = t->shape.rank, last = index->shape.rank - 1;
	const int depth = last < 0 ? 0 : (int)index->shape.size[last];
	struct shape_of shape = {0};
	long stride[TENSOR_RANK], run = 1, batches = 1;
	if (batch < 0 || batch > last || depth < 1 || batch + depth > rank || last + rank - batch - depth > TENSOR_RANK)
		return refuse(c, "indices that do not go with the tensor");
	for (int i = 0; i < batch; i++) {
		if (t->shape.size[i] != index->shape.size[i])
			return refuse(c, "indices that do not go with the tensor");
		batches *= t->shape.size[i];
	}
	for (int i = 0; i < last; i++)
		shape.size[shape.rank++] = index->shape.size[i];
	for (int i = batch + depth; i < rank; i++)
		run *= shape.size[shape.rank++] = t->shape.size[i];
	struct tensor *to = tensor_new(t->type, &shape, c);
	strides_of(&t->shape, stride);
	long places = index->count / depth, each = batches ? t->count / batches : 0;
	for (long p = 0; to && p < places; p++) {
		long at = p / (places / batches) * each;
		for (int d = 0; d < depth; d++) {
			int64_t i = index_at(index, p * depth + d), size = t->shape.size[batch + d];
			i += i < 0 ? size : 0;
			if (i < 0 || i >= size) {
				tensor_free(to);
				return refuse(c, "an index reaches beyond the tensor");
			}
			at += i * stride[batch + d];
		}
		for (long j = 0; j < run; j++)
			put(t, at + j, to, p * run + j);
	}
	return to;
}

struct tensor *tensor_choose(const struct tensor *condition, const struct tensor *a, const struct tensor *b, struct complaint c)
{
	struct walk w = {0}, x = {0}, y = {0};
	struct shape_of both;
	if (a->type != b->type || !shape_broadcast(&a->shape, &b->shape, &both) ||
		!shape_broadcast(&condition->shape, &both, &w.shape))
		return refuse(c, "shapes that do not go together");
	x.shape = y.shape = w.shape;
	struct tensor *to = tensor_new(a->type, &w.shape, c);
	if (!to)
		return NULL;
	stretch(&condition->shape, &w);
	stretch(&a->shape, &x);
	stretch(&b->shape, &y);
	for (long i = 0; i < to->count; i++, walk_on(&w), walk_on(&x), walk_on(&y)) {
		bool first = tensor_at(condition, w.at) != 0;
		put(first ? a : b, first ? x.at : y.at, to, i);
	}
	return to;
}

// ---- numbers worked out ----

static void set(struct tensor *t, long i, double value)
{
	if (t->type == TENSOR_FLOAT)
		t->f[i] = (float)value;
	else
		t->i[i] = tensor_whole(value);
}

struct tensor *tensor_map(const struct tensor *t, double (*f)(double), enum tensor_type type, struct complaint c)
{
	struct tensor *to = tensor_new(type, &t->shape, c);
	for (long i = 0; to && i < t->count; i++)
		set(to, i, f(tensor_at(t, i)));
	return to;
}

struct tensor *tensor_pair(const struct tensor *a, const struct tensor *b, double (*f)(double, double), enum tensor_type type,
	struct complaint c)
{
	struct walk x = {0}, y = {0};
	if (!shape_broadcast(&a->shape, &b->shape, &x.shape))
		return refuse(c, "shapes that do not go together");
	y.shape = x.shape;
	struct tensor *to = tensor_new(type, &x.shape, c);
	if (!to)
		return NULL;
	stretch(&a->shape, &x);
	stretch(&b->shape, &y);
	for (long i = 0; i < to->count; i++, walk_on(&x), walk_on(&y))
		set(to, i, f(tensor_at(a, x.at), tensor_at(b, y.at)));
	return to;
}

struct tensor *tensor_product(const struct tensor *a, const struct tensor *b, struct complaint c)
{
	if (a->shape.rank < 2 || b->shape.rank != 2 || a->shape.size[a->shape.rank - 1] != b->shape.size[0])
		return refuse(c, "matrices of these shapes cannot be multiplied");
	struct shape_of shape = a->shape;
	if ((double)a->count * (double)b->shape.size[1] > PRODUCTS_MOST)
		return refuse(c, "a product of constants that is too large");
	long depth = b->shape.size[0], columns = shape.size[shape.rank - 1] = b->shape.size[1];
	struct tensor *to = tensor_new(TENSOR_FLOAT, &shape, c);
	for (long i = 0; to && i < to->count; i++) {
		double sum = 0;
		for (long k = 0; k < depth; k++)
			sum += tensor_at(a, i / columns * depth + k) * tensor_at(b, k * columns + i % columns);
		to->f[i] = (float)sum;
	}
	return to;
}

struct tensor *tensor_reduce(const struct tensor *t, unsigned axes, bool keep, double (*f)(double, double), double start,
	bool mean, struct complaint c)
{
	struct walk w = {.shape = t->shape};
	struct shape_of kept = t->shape, shape = {0};
	long stride[TENSOR_RANK], each = 1;
	for (int i = 0; i < t->shape.rank; i++) {
		if (axes >> i & 1) {
			each *= t->shape.size[i];
			kept.size[i] = 1;
		}
		if (!(axes >> i & 1) || keep)
			shape.size[shape.rank++] = kept.size[i];
	}
	struct tensor *to = tensor_new(t->type, &shape, c);
	double *sum = to ? malloc((size_t)to->count * sizeof *sum + 1) : NULL;
	if (!sum) {
		if (to)
			fault_memory(c.fault, c.where);
		tensor_free(to);
		return NULL;
	}
	strides_of(&kept, stride);
	for (int i = 0; i < t->shape.rank; i++)
		w.stride[i] = axes >> i & 1 ? 0 : stride[i];
	for (long i = 0; i < to->count; i++)
		sum[i] = start;
	for (long i = 0; i < t->count; i++, walk_on(&w))
		sum[w.at] = f(sum[w.at], tensor_at(t, i));
	for (long i = 0; i < to->count; i++)
		set(to, i, mean ? sum[i] / (double)each : sum[i]);
	free(sum);
	return to;
}

struct tensor *tensor_cumulate(const struct tensor *t, int axis, bool exclusive, bool reverse, struct complaint c)
{
	struct tensor *to = tensor_new(t->type, &t->shape, c);
	long inner = 1, size = t->shape.size[axis];
	for (int i = axis + 1; i < t->shape.rank; i++)
		inner *= t->shape.size[i];
	for (long row = 0; to && size && row < t->count / size; row++) {
		const long first = row / inner * inner * size + row % inner;
		double sum = 0;
		for (long k = 0; k < size; k++) {
			const long at = first + (reverse ? size - 1 - k : k) * inner;
			const double next = sum + tensor_at(t, at);
			set(to, at, exclusive ? sum : next);
			sum = next;
		}
	}
	return to;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Resize: axis by axis, each number of the result is a sum of taps, numbers of what is read times weights. One tap moves numbers about and
// makes no operator.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/import.h"

enum { TAPS = 4 };
static const char other_way[] = "export it in another way";

struct resizing {
	const char *mode, *nearest, *coordinates;
	double cubic;
	bool inside; // taps beyond the edge do not count
	long in, out;
	double scale;
};

// Where number i of the result lies among those that are read.
static double source_of(const struct resizing *r, long i)
{
	const double out = (double)r->out, in = (double)r->in;
	if (strcmp(r->coordinates, "align_corners") == 0)
		return r->out == 1 ? 0 : (double)i * (in - 1) / (out - 1);
	if (strcmp(r->coordinates, "asymmetric") == 0)
		return (double)i / r->scale;
	if (strcmp(r->coordinates, "pytorch_half_pixel") == 0 && r->out == 1)
		return 0;
	const double shift = strcmp(r->coordinates, "half_pixel_symmetric") == 0 ? in / 2 * (1 - out / (r->scale * in)) : 0;
	return shift + ((double)i + 0.5) / r->scale - 0.5;
}

static double nearest_to(const struct resizing *r, double at)
{
	if (strcmp(r->nearest, "floor") == 0)
		return floor(at);
	if (strcmp(r->nearest, "ceil") == 0)
		return ceil(at);
	return strcmp(r->nearest, "round_prefer_ceil") == 0 ? floor(at + 0.5) : ceil(at - 0.5);
}

// Keys' cubic, of a distance in steps.
static double cubic_weight(double a, double distance)
{
	const double d = fabs(distance);
	return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

static int taps_of(const struct resizing *r)
{
	return strcmp(r->mode, "nearest") == 0 ? 1 : strcmp(r->mode, "cubic") == 0 ? 4 : 2;
}

static long within(const struct resizing *r, double at)
{
	return !(at >= 0) ? 0 : at > (double)(r->in - 1) ? r->in - 1 : (long)at;
}

// The index and the weight of each tap of number i.
static void find_taps(const struct resizing *r, long i, long index[TAPS], double weight[TAPS])
{
	const int taps = taps_of(r);
	const double at = source_of(r, i), first = taps == 1 ? nearest_to(r, at) : floor(at) - (taps == 4);
	double sum = 0;
	for (int k = 0; k < taps; k++) {
		const double place = first + k;
		index[k] = within(r, place);
		weight[k] = taps == 1 ? 1 : taps == 2 ? 1 - fabs(at - place) : cubic_weight(r->cubic, at - place);
		if (taps == 4 && r->inside && (place < 0 || place > (double)(r->in - 1)))
			weight[k] = 0;
		sum += weight[k];
	}
	for (int k = 0; k < taps; k++)
		weight[k] /= sum;
}

static struct tensor *tap_index(struct import *m, const struct resizing *r, int tap)
{
	struct tensor *t = tensor_new(TENSOR_INT, &(struct shape_of){1, {r->out}}, import_complaint(m));
	for (long i = 0; t && i < r->out; i++) {
		long index[TAPS];
		double weight[TAPS];
		find_taps(r, i, index, weight);
		t->i[i] = index[tap];
	}
	return t;
}

// Along an axis, the places that a tap takes its numbers from.
static struct tensor *tap_places(struct import *m, const struct resizing *r, const struct value *v, int axis, int tap)
{
	struct tensor *index = tap_index(m, r, tap), *from = index ? import_places(m, v) : NULL,
		      *to = from ? tensor_gather(from, axis, index, import_complaint(m)) : NULL;
	tensor_free(index);
	tensor_free(from);
	return to;
}

// A tap's weights, as constants that lie as its numbers do.
static struct tensor *tap_weights(struct import *m, const struct resizing *r, const struct shape_of *shape, int axis, int tap)
{
	struct tensor *t = tensor_new(TENSOR_INT, shape, import_complaint(m));
	long inner = 1;
	for (int i = axis + 1; i < shape->rank; i++)
		inner *= shape->size[i];
	for (long i = 0; t && i < t->count; i++) {
		long index[TAPS];
		double weight[TAPS];
		find_taps(r, i / inner % r->out, index, weight);
		t->i[i] = import_place_of((float)weight[tap]);
	}
	return t;
}

static struct shape flat_shape(const struct shape_of *s)
{
	const long last = s->size[s->rank - 1];
	return (struct shape){(int)(shape_count(s) / last), 1, (int)last};
}

// Several taps: their numbers times their weights, added up.
static bool blend(struct import *m, const struct resizing *r, struct value *v, int axis)
{
	struct shape_of shape = v->shape;
	int sum = -1;
	shape.size[axis] = r->out;
	if (shape_count(&shape) < 1)
		return import_refuse(m, "use smaller images", "it makes too large an image");
	for (int k = 0; k < taps_of(r); k++) {
		int x = import_arrange(m, tap_places(m, r, v, axis, k), flat_shape(&shape)),
		    w = x < 0 ? -1 : import_arrange(m, tap_weights(m, r, &shape, axis, k), flat_shape(&shape)),
		    scaled = w < 0 ? -1 : model_combine(m->model, x, w, FN_MULTIPLY);
		sum = scaled < 0 || !k ? scaled : model_add(m->model, sum, scaled, ACT_NONE);
		if (sum < 0)
			return m->model->ops < 0 && fault_memory(m->fault, m->file->path);
	}
	tensor_free(v->places);
	*v = (struct value){.kind = VALUE_DATA, .order = ORDER_ROWS, .op = sum, .shape = shape};
	return true;
}

static bool move_along(struct import *m, const struct resizing *r, struct value *v, int axis)
{
	struct tensor *t = tap_places(m, r, v, axis, 0);
	if (!t)
		return false;
	tensor_free(v->places);
	*v = (struct value){.kind = VALUE_DATA, .order = ORDER_PLACES, .places = t, .shape = t->shape};
	return true;
}

// The sizes or the scales that are asked for, for each of the value's axes.
static bool take_sizes(struct import *m, const struct shape_of *shape, long out[TENSOR_RANK], double scale[TENSOR_RANK])
{
	const bool old = strcmp(m->node->op, "Upsample") == 0;
	const struct tensor *scales = import_constant(m, old ? 1 : 2), *sizes = old ? NULL : import_constant(m, 3);
	const struct tensor *t = sizes && sizes->count ? sizes : scales;
	if (!t || t->count != shape->rank || onnx_attribute(m->node, "axes"))
		return import_refuse(m, other_way, "its sizes are not constants for each dimension");
	for (int i = 0; i < shape->rank; i++) {
		const double said = tensor_at(t, i), size = t == sizes ? said : floor((double)shape->size[i] * said);
		if (!(size >= 1 && size <= 1 << 20))
			return import_refuse(m, other_way, "it makes a side of %g", size);
		out[i] = (long)size;
		scale[i] = t == sizes ? size / (double)shape->size[i] : said;
	}
	return true;
}

static bool take_modes(struct import *m, struct resizing *r)
{
	static const char *const known[] = {
		"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"};
	const bool old = strcmp(m->node->op, "Upsample") == 0;
	bool found = false;
	*r = (struct resizing){.mode = onnx_text(m->node, "mode", "nearest"),
		.nearest = old ? "floor" : onnx_text(m->node, "nearest_mode", "round_prefer_floor"),
		.coordinates = old ? "asymmetric" : onnx_text(m->node, "coordinate_transformation_mode", "half_pixel"),
		.cubic = (double)onnx_number(m->node, "cubic_coeff_a", -0.75f),
		.inside = onnx_whole(m->node, "exclude_outside", 0) != 0};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		found = found || strcmp(known[i], r->coordinates) == 0;
	return (found && !onnx_whole(m->node, "antialias", 0)) ||
		import_refuse(m, other_way, "it resizes %s",
			found ? "with a filter against aliasing" : "by coordinates that are not known");
}

bool import_resize(struct import *m)
{
	const struct value *x = import_data(m, 0);
	struct resizing r;
	long out[TENSOR_RANK];
	double scale[TENSOR_RANK];
	if (!x || x->shape.rank < 1 || !take_modes(m, &r) || !take_sizes(m, &x->shape, out, scale))
		return x && x->shape.rank < 1 ? import_refuse(m, other_way, "one number cannot be resized") : false;
	struct value v = *x;
	v.places = v.places ? tensor_share(v.places) : NULL;
	bool ok = true;
	for (int axis = 0; ok && axis < x->shape.rank; axis++) {
		r.in = v.shape.size[axis];
		r.out = out[axis];
		r.scale = scale[axis];
		if (r.in != r.out || r.scale != 1)
			ok = (taps_of(&r) == 1 ? move_along : blend)(m, &r, &v, axis);
	}
	ok = ok && import_give_value(m, 0, &v);
	tensor_free(v.places);
	return ok;
}

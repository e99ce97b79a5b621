// SPDX-License-Identifier: GPL-3.0-or-later
// The roofline of a device: what each layer attains against its operational intensity, under the roofs that bound it
// (Williams, Waterman, Patterson, CACM 2009). Useful operations: a layer whose channels do not fill the matrix unit's tiles
// stays below its roof.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOFS = 8, NAMED = 3 }; // NAMED: layers that are named, those that take the most time

// A unit's peak, and the types that have it: "bf16, int8".
struct roof {
	double rate;
	char name[16];
};

static double intensity(const struct roofline_point *p)
{
	return p->operations / p->bytes;
}

static double attained(const struct roofline_point *p)
{
	return p->operations / (p->ms / 1e3);
}

static void add_type(struct roof *roof, const char *type)
{
	if (strstr(roof->name, type))
		return;
	size_t used = strlen(roof->name);
	snprintf(roof->name + used, sizeof roof->name - used, "%s%s", used ? ", " : "", type);
}

// The roofs that layers of this choice run under, by falling rate.
static int add_roofs(struct roof *roof, int count, const struct roofline_point *point, int layers)
{
	for (int i = 0; point && i < layers; i++) {
		int at = 0;
		while (at < count && roof[at].rate > point[i].roof)
			at++;
		if (at == count || roof[at].rate < point[i].roof) {
			if (count == ROOFS)
				continue;
			memmove(&roof[at + 1], &roof[at], (size_t)(count - at) * sizeof *roof);
			roof[at] = (struct roof){.rate = point[i].roof};
			count++;
		}
		add_type(&roof[at], point[i].type);
	}
	return count;
}

struct range {
	double low, high;
};

static void widen(struct range *r, double v)
{
	r->low = fmin(r->low, v);
	r->high = fmax(r->high, v);
}

// The memory's slope up to the highest roof, and each roof from the slope on; one line with gaps, each part named.
static bool draw_roofs(struct figure *f, const struct roofline *r, const struct roof *roof, int roofs)
{
	struct series *s = figure_add_series(f, "roofs", SERIES_LINE, ROLE_FRONT, (size_t)roofs * 4 + 3, true);
	if (!s)
		return false;
	char memory[16];
	double top = roof[0].rate, left = f->x.low, right = f->x.high, name = right / pow(right / left, 0.15);
	snprintf(memory, sizeof memory, "%.4g GB/s", r->bandwidth / 1e9);
	series_add(s, left, left * r->bandwidth, NULL);
	series_add(s, sqrt(left * top / r->bandwidth), sqrt(left * top * r->bandwidth), memory);
	series_add(s, top / r->bandwidth, top, NULL);
	for (int i = 0; i < roofs; i++) {
		if (i) {
			series_add(s, NAN, NAN, NULL);
			series_add(s, roof[i].rate / r->bandwidth, roof[i].rate, NULL);
		}
		series_add(s, name, roof[i].rate, roof[i].name);
		series_add(s, right, roof[i].rate, NULL);
	}
	return true;
}

// Points as good as on top of each other.
static bool together(const struct roofline_point *a, const struct roofline_point *b)
{
	return fabs(log(intensity(a) / intensity(b))) < 0.05 && fabs(log(attained(a) / attained(b))) < 0.05;
}

// Names the layers that take the most time: of those together the slowest, NAMED in all.
static void name_slowest(const struct roofline *r, const struct roofline_point *point, struct series *s)
{
	int named[NAMED];
	for (int n = 0; n < NAMED; n++) {
		int most = -1;
		for (int i = 0; i < r->layers; i++) {
			bool taken = false;
			for (int k = 0; k < n; k++)
				taken |= together(&point[i], &point[named[k]]);
			if (!taken && (most < 0 || point[i].ms > point[most].ms))
				most = i;
		}
		if (most < 0)
			return;
		named[n] = most;
		snprintf(s->label[most], sizeof s->label[most], "%.*s", (int)sizeof s->label[most] - 1, r->layer[most].name);
	}
}

// A sign's area is as the layer's share of the time.
static bool draw_points(struct figure *f, const struct roofline *r, const char *name, enum figure_role role,
	const struct roofline_point *point, bool named)
{
	double largest = 0;
	struct series *s = figure_add_series(f, name, SERIES_POINTS, role, (size_t)r->layers, named);
	if (!s || !series_sized(s, (size_t)r->layers, "share of the time"))
		return false;
	for (int i = 0; i < r->layers; i++)
		largest = fmax(largest, point[i].ms);
	for (int i = 0; i < r->layers; i++) {
		s->size[s->count] = largest > 0 ? point[i].ms / largest : 0;
		series_add(s, intensity(&point[i]), attained(&point[i]), NULL);
	}
	if (named)
		name_slowest(r, point, s);
	return true;
}

// From where each layer is to where the draft takes it.
static bool draw_moves(struct figure *f, const struct roofline *r)
{
	struct series *s = figure_add_series(f, "change", SERIES_LINE, ROLE_MARK, (size_t)r->layers * 3, false);
	for (int i = 0; s && i < r->layers; i++) {
		const struct roofline_point *from = &r->now[i], *to = &r->draft[i];
		if (together(from, to))
			continue;
		series_add(s, intensity(from), attained(from), NULL);
		series_add(s, intensity(to), attained(to), NULL);
		series_add(s, NAN, NAN, NULL);
	}
	return s != NULL;
}

struct figure *figure_roofline(const struct figure_source *source)
{
	struct figure *f = figure_new("operational intensity (operations/byte)", "useful operations/s");
	struct roofline r;
	if (!f)
		return NULL;
	f->x.logarithmic = f->y.logarithmic = true;
	const struct engine_info *info = source->snapshot->info;
	if (!source->roofline || !source->roofline(source->session, source->term, &r, NULL) || r.layers < 1) {
		figure_title(f, "Roofline of %s: no device", info ? info->net : "");
		return f;
	}
	figure_title(f, "Roofline of %s on %s, batch %d", info ? info->net : "", r.device, r.batch);
	struct roof roof[ROOFS];
	int roofs = add_roofs(roof, add_roofs(roof, 0, r.now, r.layers), r.draft, r.layers);
	struct range x = {INFINITY, roof[0].rate / r.bandwidth}, y = {INFINITY, roof[0].rate};
	for (int i = 0; i < r.layers * (r.draft ? 2 : 1); i++) {
		const struct roofline_point *p = i < r.layers ? &r.now[i] : &r.draft[i - r.layers];
		widen(&x, intensity(p));
		widen(&y, attained(p));
	}
	f->x.low = x.low / 2;
	f->x.high = x.high * 3;
	f->y.low = y.low / 2;
	f->y.high = y.high * 2;
	if (draw_roofs(f, &r, roof, roofs) && (!r.draft || draw_moves(f, &r)) &&
		draw_points(f, &r, "modal", ROLE_MAIN, r.now, !r.draft) &&
		(!r.draft || draw_points(f, &r, "draft", ROLE_SECOND, r.draft, true)))
		return f;
	figure_free(f);
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A slice: how far its chips are from each other, and what its axes carry when each sends to each other, regular and twisted; what each
// of its links carries under any traffic.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/machine.h"

// The slice of `plot slice` where none is looked at: a shape that can be twisted, on the pod that the program was written for.
static const char *const usual_pod = "tpu_v4", *const usual_shape = "4x4x8";

// A slice, and its twin with the other twist where it has one.
struct twins {
	struct slice regular, twisted;
	bool any_regular, any_twisted;
	struct slice_network *of_regular, *of_twisted;
};

static bool twins_of(const struct pod *p, const struct slice *s, struct twins *t, struct fault *f)
{
	bool both = slice_twistable(p, s->axis);
	*t = (struct twins){.regular = *s, .twisted = *s, .any_regular = both || !s->twisted, .any_twisted = both || s->twisted};
	t->regular.twisted = false;
	t->twisted.twisted = true;
	t->of_regular = calloc(1, sizeof *t->of_regular);
	t->of_twisted = calloc(1, sizeof *t->of_twisted);
	if (!t->of_regular || !t->of_twisted)
		return fault_memory(f, "a slice's links");
	return (!t->any_regular || slice_network_of(&t->regular, t->of_regular, f)) &&
		(!t->any_twisted || slice_network_of(&t->twisted, t->of_twisted, f));
}

static void twins_free(struct twins *t)
{
	free(t->of_regular);
	free(t->of_twisted);
}

// Each number of hops is as wide as it is: from half a hop before it to half a hop behind it.
static bool draw_hops(struct figure *f, const char *name, enum figure_role role, const struct slice_network *n)
{
	char text[ENGINE_NAME];
	snprintf(text, sizeof text, "%s, mean %.4g", name, n->mean_hops);
	struct series *s = figure_add_series(f, text, SERIES_STEPS, role, (size_t)n->diameter + 2, false);
	if (!s)
		return false;
	for (int d = 1; d <= n->diameter && d < SLICE_HOPS; d++)
		series_add(s, d - .5, n->hops[d], NULL);
	series_add(s, fmin(n->diameter, SLICE_HOPS - 1) + .5, 0, NULL);
	return true;
}

static bool draw_loads(struct figure *f, const char *name, enum figure_role role, const struct slice *s,
	const struct slice_network *n)
{
	struct series *to = figure_add_series(f, name, SERIES_POINTS, role, 3, true);
	char label[16];
	for (int i = 0; to && i < 3; i++) {
		snprintf(label, sizeof label, "%c %.4g", "xyz"[i], n -> axis_load[ROUTE_PATHS][i]);
		if (s->axis[i] > 1)
			series_add(to, i + 1, n->axis_load[ROUTE_PATHS][i], label);
	}
	return to != NULL;
}

// A figure that was drawn; else it is freed, and where it could not be made, the fault says so.
static struct figure *finished(struct figure *f, bool ok, struct fault *fault)
{
	if (ok && f)
		return f;
	if (!f)
		fault_memory(fault, "the figure");
	figure_free(f);
	return NULL;
}

struct figure *figure_of_hops(const struct slice_question *q, struct fault *fault)
{
	const struct pod *p = &q->pod;
	const struct slice *s = &q->slice;
	struct twins t;
	char name[48];
	struct figure *f = figure_new("hops", "chips");
	bool ok = twins_of(p, s, &t, fault);
	if (ok && f) {
		figure_title(f, "Hops from a chip to the others: %s on %s", slice_name(&t.regular, name), p->name);
		f->y.low = 0;
		ok = (!t.any_regular || draw_hops(f, "regular", ROLE_MAIN, t.of_regular)) &&
			(!t.any_twisted || draw_hops(f, "twisted", ROLE_SECOND, t.of_twisted));
		if (!ok)
			fault_memory(fault, "the figure");
	}
	twins_free(&t);
	return finished(f, ok, fault);
}

struct figure *figure_of_loads(const struct slice_question *q, struct fault *fault)
{
	const struct pod *p = &q->pod;
	const struct slice *s = &q->slice;
	struct twins t;
	char name[48];
	struct figure *f = figure_new("axis (1: x, 2: y, 3: z)", "load of a link (units of a chip to each other)");
	bool ok = twins_of(p, s, &t, fault);
	if (ok && f) {
		figure_title(f, "Load of the links by axis, each chip to each other: %s on %s", slice_name(&t.regular, name),
			p->name);
		f->y.low = 0;
		f->y.high = 1.15 * fmax(t.of_regular->load[ROUTE_PATHS], t.of_twisted->load[ROUTE_PATHS]);
		f->x.low = 0;
		f->x.high = 4;
		ok = (!t.any_regular || draw_loads(f, "regular", ROLE_MAIN, &t.regular, t.of_regular)) &&
			(!t.any_twisted || draw_loads(f, "twisted", ROLE_SECOND, &t.twisted, t.of_twisted));
		if (!ok)
			fault_memory(fault, "the figure");
	}
	twins_free(&t);
	return finished(f, ok, fault);
}

// ---- link by link ------------------------------------------------------------------------------------------------------

enum { TENTHS = 10, BLOCKS_FROM = 1024, BLOCK = 4 };

// A slice whose links carry something, in cells of one chip or of a block.
struct links {
	struct slice slice;
	struct slice_map *map;
	double (*load)[SLICE_WAYS];
	double fullest;
	int step[3], cells[3];
};

static bool links_of(const struct slice_question *q, struct links *l, struct fault *f)
{
	*l = (struct links){.slice = q->slice, .map = slice_map_new(&q->slice, f)};
	for (int i = 0; i < 3; i++) {
		l->step[i] = q->slice.chips >= BLOCKS_FROM && q->slice.axis[i] % BLOCK == 0 ? BLOCK : 1;
		l->cells[i] = q->slice.axis[i] / l->step[i];
	}
	if (!l->map)
		return false;
	l->load = calloc((size_t)q->slice.chips, sizeof *l->load);
	if (!l->load)
		return fault_memory(f, "a slice's links");
	if ((q->failed >= 0 && !slice_map_fail(l->map, q->failed, q->failed_way, f)) ||
		!slice_map_loads(l->map, &q->traffic, l->load, f))
		return false;
	for (int c = 0; c < q->slice.chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			l->fullest = fmax(l->fullest, l->load[c][w]);
	return true;
}

// The fullest of a cell's links along an axis, either way, as a share of the fullest of all; NAN: it has none.
static float share_of(const struct links *l, const int cell[3], int axis)
{
	double most = NAN;
	int at[3];
	for (int i = 0; i < l->step[0] * l->step[1] * l->step[2]; i++) {
		at[0] = cell[0] * l->step[0] + i % l->step[0];
		at[1] = cell[1] * l->step[1] + i / l->step[0] % l->step[1];
		at[2] = cell[2] * l->step[2] + i / l->step[0] / l->step[1];
		int chip = slice_chip(&l->slice, at), next = slice_map_next(l->map, chip, 2 * axis);
		if (next >= 0)
			most = fmax(most, fmax(l->load[chip][2 * axis], l->load[next][2 * axis + 1]));
	}
	return (float)(l->fullest > 0 ? most / l->fullest : most);
}

// A plane of one x has a row of chips and a row of links for every y; between two planes a row is left out.
static bool draw_links(struct figure *f, const struct links *l)
{
	const int high = 2 * l->cells[1] + 1, wide = 2 * l->cells[2];
	struct heat *h = figure_add_heat(f, l->cells[0] * high - 1, wide, TENTHS);
	int cell[3];
	if (!h)
		return false;
	for (int i = 0; i < l->cells[0] * l->cells[1] * l->cells[2]; i++) {
		cell[2] = i % l->cells[2];
		cell[1] = i / l->cells[2] % l->cells[1];
		cell[0] = i / l->cells[2] / l->cells[1];
		int row = cell[0] * high + 2 * cell[1];
		float *chip = h->value + (size_t)row * (size_t)wide + 2 * (size_t)cell[2], *below = chip + wide;
		snprintf(h->row[row], sizeof h->row[row], "x %d y %d", cell[0] * l->step[0], cell[1] * l->step[1]);
		chip[1] = share_of(l, cell, 2);
		below[0] = share_of(l, cell, 1);
		below[1] = share_of(l, cell, 0);
	}
	for (int i = 0; i < TENTHS; i++)
		snprintf(h->level[i], sizeof h->level[i], i + 1 < TENTHS ? "%d" : "%d: %.4g", i, l->fullest);
	h->first = 0;
	h->last = l->slice.axis[2] - l->step[2] / 2.;
	snprintf(h->legend, sizeof h->legend, "ninths of the fullest link");
	return true;
}

static const char *traffic_of(const struct slice_question *q, char buf[96])
{
	const struct slice_traffic *t = &q->traffic;
	int at[3];
	if (t->axis >= 0)
		snprintf(buf, 96, "a gather along %c", "xyz"[t->axis]);
	else if (t->split > 0)
		snprintf(buf, 96, "two jobs, from %c %d on the second", "xyz"[t->split_axis], t -> split);
	else
		snprintf(buf, 96, "%s", routings[t->routing]);
	if (q->failed >= 0) {
		size_t used = strlen(buf);
		slice_place(&q->slice, q->failed, at);
		snprintf(buf + used, 96 - used, ", %s of %d,%d,%d failed", slice_ways[q->failed_way], at[0], at[1], at[2]);
	}
	return buf;
}

struct figure *figure_of_links(const struct slice_question *q, struct fault *fault)
{
	struct links l;
	char name[48], traffic[96];
	struct figure *f = figure_new("z (right of a chip its link along z; below along y; between along x)", "");
	bool ok = links_of(q, &l, fault);
	if (ok && f) {
		figure_title(f, "Links of %s on %s: %s", slice_name(&q->slice, name), q->pod.name, traffic_of(q, traffic));
		ok = draw_links(f, &l) || fault_memory(fault, "the figure");
	}
	slice_map_free(l.map);
	free(l.load);
	return finished(f, ok, fault);
}

// ---- of the slice that is looked at ------------------------------------------------------------------------------------

static struct figure *of(const struct figure_source *source,
	struct figure *(*figure)(const struct slice_question *, struct fault *))
{
	struct slice_question usual = {.traffic = {.axis = -1}, .failed = -1};
	struct fault f;
	if (source->slice)
		return figure(source->slice, &f);
	return pod_get(usual_pod, &usual.pod, &f) && slice_read(&usual.pod, usual_shape, false, &usual.slice, &f)
		? figure(&usual, &f)
		: NULL;
}

struct figure *figure_slice(const struct figure_source *source)
{
	return of(source, source->slice && slice_uneven(source->slice) ? figure_of_links : figure_of_hops);
}

struct figure *figure_loads(const struct figure_source *source)
{
	return of(source, figure_of_loads);
}

struct figure *figure_links(const struct figure_source *source)
{
	return of(source, figure_of_links);
}

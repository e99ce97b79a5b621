// SPDX-License-Identifier: GPL-3.0-or-later
// A slice chip by chip: where links lead, which chips shortest paths cross, what each link carries.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/torus.h"

const char *const slice_ways[SLICE_WAYS] = {"x+", "x-", "y+", "y-", "z+", "z-"};

struct slice_map {
	struct slice slice;
	struct torus torus;
	int failed[2], way; // the ends of the failed link, -1: none has; the way from the first to the second
};

int slice_chip(const struct slice *s, const int at[3])
{
	return (at[2] * s->axis[1] + at[1]) * s->axis[0] + at[0];
}

void slice_place(const struct slice *s, int chip, int at[3])
{
	at[0] = chip % s->axis[0];
	at[1] = chip / s->axis[0] % s->axis[1];
	at[2] = chip / s->axis[0] / s->axis[1];
}

bool slice_closes(const struct slice *s, int axis)
{
	bool closes = s->wrap[axis];
	for (int j = 0; j < 3 && s->twisted; j++)
		closes &= j == axis || s->axis[axis] % s->axis[j] == 0;
	return closes;
}

// ---- links -------------------------------------------------------------------------------------------------------------

struct slice_map *slice_map_new(const struct slice *s, struct fault *f)
{
	char name[48];
	struct slice_map *m = NULL;
	if (s->islands) {
		fault_set(f, slice_name(s, name), "choose a pod that is a torus, tpu_v4 say",
			"is not a torus: a switched network joins its chips");
		return NULL;
	}
	if (!(m = malloc(sizeof *m))) {
		fault_memory(f, "a slice's links");
		return NULL;
	}
	*m = (struct slice_map){.slice = *s, .failed = {-1, -1}};
	if (torus_new(&m->torus, &m->slice, f))
		return m;
	free(m);
	return NULL;
}

void slice_map_free(struct slice_map *m)
{
	if (m)
		torus_free(&m->torus);
	free(m);
}

bool slice_map_fail(struct slice_map *m, int chip, int way, struct fault *f)
{
	if (m->failed[0] >= 0)
		return fault_set(f, slice_ways[way], "leave the others out", "more than one link has failed");
	int to = slice_map_next(m, chip, way);
	if (to < 0)
		return fault_set(f, slice_ways[way], "choose a link that is there", "no such link leaves that chip");
	m->torus.next[chip][way] = m->torus.next[to][way ^ 1] = -1;
	m->failed[0] = chip;
	m->failed[1] = to;
	m->way = way;
	return true;
}

int slice_map_next(const struct slice_map *m, int chip, int way)
{
	return m->torus.next[chip][way];
}

bool slice_map_failed(const struct slice_map *m, int chip, int way)
{
	return (chip == m->failed[0] && way == m->way) || (chip == m->failed[1] && way == (m->way ^ 1));
}

bool slice_map_wraps(const struct slice_map *m, int chip, int way)
{
	int at[3], i = way / 2;
	slice_place(&m->slice, chip, at);
	return m->slice.wrap[i] && at[i] == (way % 2 ? 0 : m->slice.axis[i] - 1);
}

// ---- from one chip -----------------------------------------------------------------------------------------------------

void slice_map_hops(struct slice_map *m, int from, int *hops)
{
	torus_reach(&m->torus, from);
	memcpy(hops, m->torus.distance, (size_t)m->slice.chips * sizeof *hops);
}

double slice_map_paths(struct slice_map *m, int from, int to, bool *on)
{
	struct torus *t = &m->torus;
	memset(on, 0, (size_t)m->slice.chips * sizeof *on);
	torus_reach(t, from);
	if (t->distance[to] < 0)
		return 0;
	on[to] = true;
	for (int i = t->reached - 1; i >= 0; i--) // the farthest first: a chip is on a path if one behind it is
		for (int w = 0; w < SLICE_WAYS; w++) {
			int next = t->next[t->order[i]][w];
			if (next >= 0 && on[next] && t->distance[next] == t->distance[t->order[i]] + 1)
				on[t->order[i]] = true;
		}
	return t->paths[to];
}

// ---- loads -------------------------------------------------------------------------------------------------------------

// A chip's unit goes both ways round a ring, half of the others each; along a line to both ends.
static void gather(const struct slice_map *m, int axis, double (*load)[SLICE_WAYS])
{
	const int n = m->slice.axis[axis];
	int at[3];
	for (int c = 0; c < m->slice.chips; c++) {
		slice_place(&m->slice, c, at);
		load[c][axis * 2] = slice_closes(&m->slice, axis) ? (n - 1) / 2. : at[axis] + 1 < n ? at[axis] + 1 : 0;
		load[c][axis * 2 + 1] = slice_closes(&m->slice, axis) ? (n - 1) / 2. : at[axis] > 0 ? n - at[axis] : 0;
	}
}

static void spread_from(struct slice_map *m, int source, enum routing routing, const bool *peer, double (*load)[SLICE_WAYS])
{
	torus_reach(&m->torus, source);
	(routing == ROUTE_HOPS ? torus_spread_hops : torus_spread_paths)(&m->torus, peer, load);
}

// Where every link of a way carries the same.
static bool spread_evenly(struct slice_map *m, enum routing routing, double (*load)[SLICE_WAYS], struct fault *f)
{
	double sum[SLICE_WAYS] = {0}, axis[3];
	if (routing == ROUTE_DIMENSION) {
		if (!torus_dimension_order(&m->torus, axis, f))
			return false;
		for (int w = 0; w < SLICE_WAYS; w++)
			sum[w] = axis[w / 2];
	} else {
		spread_from(m, 0, routing, NULL, load);
		for (int c = 0; c < m->slice.chips; c++)
			for (int w = 0; w < SLICE_WAYS; w++)
				sum[w] += load[c][w];
	}
	for (int c = 0; c < m->slice.chips; c++)
		memcpy(load[c], sum, sizeof sum);
	return true;
}

static void spread_in_order(const struct slice_map *m, double (*load)[SLICE_WAYS])
{
	int at[3];
	for (int c = 0; c < m->slice.chips; c++) {
		slice_place(&m->slice, c, at);
		for (int w = 0; w < SLICE_WAYS; w++)
			load[c][w] = m->torus.next[c][w] >= 0 ? torus_line_load(&m->slice, at[w / 2], w) : 0;
	}
}

static bool spread_jobs(struct slice_map *m, const struct slice_traffic *what, double (*load)[SLICE_WAYS], struct fault *f)
{
	bool *job = malloc((size_t)m->slice.chips * sizeof *job);
	int at[3];
	if (!job)
		return fault_memory(f, "a slice's links");
	for (int number = 1; number <= 2; number++) {
		if (what->only && what->only != number)
			continue;
		for (int c = 0; c < m->slice.chips; c++) {
			slice_place(&m->slice, c, at);
			job[c] = (at[what->split_axis] < what->split) == (number == 1);
		}
		for (int c = 0; c < m->slice.chips; c++)
			if (job[c])
				spread_from(m, c, what->routing, job, load);
	}
	free(job);
	return true;
}

// What cannot be worked out.
static bool refused(const struct slice_map *m, const struct slice_traffic *what, bool alike, struct fault *f)
{
	char name[48];
	const bool failed = m->failed[0] >= 0, order = what->routing == ROUTE_DIMENSION;
	slice_name(&m->slice, name);
	if (what->axis >= 0 && (failed || what->split > 0))
		return !fault_set(f, failed ? slice_ways[m->way] : "split", "leave out the axis, or the other",
			failed ? "a gather along one axis has no way around a failed link"
			       : "a gather along one axis is of one job on the whole slice");
	if (what->axis < 0 && order && (failed || what->split > 0))
		return !fault_set(f, name, "choose another routing",
			failed ? "dimension order has no way around a failed link"
			       : "dimension order is worked out for one job alone");
	if (what->axis < 0 && !order && !(alike && what->split <= 0) && m->slice.chips > TORUS_SOURCES)
		return !fault_set(f, name, "choose a smaller slice", "%d chips are too many to count from each: at most %d",
			m->slice.chips, TORUS_SOURCES);
	return false;
}

bool slice_map_loads(struct slice_map *m, const struct slice_traffic *what, double (*load)[SLICE_WAYS], struct fault *f)
{
	const bool alike = torus_alike(&m->slice) && m->failed[0] < 0;
	memset(load, 0, (size_t)m->slice.chips * sizeof *load);
	if (refused(m, what, alike, f))
		return false;
	if (what->axis >= 0)
		gather(m, what->axis, load);
	else if (what->split > 0)
		return spread_jobs(m, what, load, f);
	else if (what->routing == ROUTE_DIMENSION && !m->slice.twisted)
		spread_in_order(m, load);
	else if (alike)
		return spread_evenly(m, what->routing, load, f);
	else
		for (int c = 0; c < m->slice.chips; c++)
			spread_from(m, c, what->routing, NULL, load);
	return true;
}

bool slice_uneven(const struct slice_question *q)
{
	const struct slice_traffic *t = &q->traffic;
	return q->failed >= 0 || t->axis >= 0 || t->split > 0 || t->routing != ROUTE_PATHS;
}

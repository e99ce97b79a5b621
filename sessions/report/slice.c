// SPDX-License-Identifier: GPL-3.0-or-later
// A slice of a pod, and all slices of so many chips: their links under traffic between all chips, and the times of collectives.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"
#include "sessions/sessions.h"

enum { MOST_SLICES = 256 };

// ---- one slice ----------------------------------------------------------------------------------------------------------

struct asked_slice {
	enum collective kind;
	double bytes;
	struct slice slice;
	struct slice_network *network;
};

static double collective_of(const struct world *w, void *context)
{
	const struct asked_slice *a = context;
	return slice_collective(&w->pod[0], &a->slice, a->network, a->kind, a->bytes);
}

static const char *how_of(const struct slice *s, const struct slice_network *n, enum collective kind)
{
	static const char *const to_all[ROUTINGS] = {"by the fullest link, over all shortest paths",
		"by the fullest link, split at each hop", "by the fullest link, in dimension order"};
	if (s->islands)
		return "inside the islands, then between them";
	if (kind == ALL_GATHER && s->twisted)
		return "an all-reduce of a zero-filled array, as the compiler gathers on a twisted slice";
	return kind == ALL_TO_ALL ? to_all[slice_routing(n)] : "on all axes at once";
}

static void collective_rows(struct report *r, const struct world *w, const struct slice *s, struct slice_network *n, double bytes)
{
	for (int k = 0; k < COLLECTIVES; k++) {
		struct asked_slice a = {
			.kind = (enum collective)k, .bytes = bytes, .slice = *s, .network = s->islands ? NULL : n};
		struct band b = world_band(w, collective_of, &a);
		report_cell(r, "%s", collectives[k]);
		report_band(r, &b, 1e3, "%.4g");
		report_cell(r, "%s", b.low < b.high ? b.mover : "");
		report_cell(r, "%s", how_of(s, n, (enum collective)k));
	}
}

static const char *kind_of(const struct slice *s)
{
	int wraps = s->wrap[0] + s->wrap[1] + s->wrap[2], axes = (s->axis[0] > 1) + (s->axis[1] > 1) + (s->axis[2] > 1);
	if (s->twisted)
		return "a twisted torus: crossing the wrap of an axis also moves every coordinate by that axis's size";
	if (!wraps)
		return "a mesh: no axis wraps around";
	return wraps == axes ? "a torus: every axis wraps around"
			     : "a torus along some axes: one that is shorter than the machine's does not wrap around";
}

static void torus_lines(struct report *r, const struct pod *p, const struct slice *s, const struct slice_network *n)
{
	double link = p->figure[POD_LINK].value, peak = fmax(link, p->figure[POD_LINK_PEAK].value);
	report_above(r, "%s, %g links one way, diameter %d, %.4g hops on average", kind_of(s), n->links, n->diameter,
		n->mean_hops);
	report_above(r, "bisection: %g links, %.4g TB/s delivered, %.4g TB/s at the links' peak", n->bisection,
		n->bisection * link / 1e12, n->bisection * peak / 1e12);
	for (int k = 0; k < ROUTINGS; k++)
		if (!isnan(n->load[k]))
			report_above(r,
				"each chip to each other, %s: %.5g on the fullest link (%.0f %% of all links used), by axis %.5g "
				"%.5g %.5g",
				routings[k], n->load[k], n->load[k] > 0 ? 100 * n->mean_load / n->load[k] : 0, n->axis_load[k][0],
				n->axis_load[k][1], n->axis_load[k][2]);
	struct string hops = {0};
	for (int d = 1; d <= n->diameter && d < SLICE_HOPS && d <= 40; d++)
		string_add(&hops, " %d:%.4g", d, n->hops[d]);
	report_above(r, "chips by hops:%s%s", hops.bytes ? hops.bytes : "", n->diameter > 40 ? " ..." : "");
	string_free(&hops);
}

// Beside a twisted slice the regular one, and beside one that could be twisted that.
static bool other_twist(struct report *r, const struct pod *p, const struct slice *s, const struct slice_network *n,
	struct fault *f)
{
	struct slice other = *s;
	if (!slice_twistable(p, s->axis))
		return true;
	other.twisted = !s->twisted;
	struct slice_network *its = calloc(1, sizeof *its);
	bool ok = its || fault_memory(f, "a slice's links");
	ok = ok && slice_network_of(&other, its, f);
	if (ok) {
		const struct slice_network *twisted = s->twisted ? n : its, *regular = s->twisted ? its : n;
		report_below(r,
			"twisted against regular: all-to-all %.4gx the rate, bisection %.4gx, mean hops %.4g against %.4g, "
			"diameter %d against %d; "
			"gathering from all chips takes twice the bytes",
			regular->load[ROUTE_PATHS] / twisted->load[ROUTE_PATHS], twisted->bisection / regular->bisection,
			twisted->mean_hops, regular->mean_hops, twisted->diameter, regular->diameter);
	}
	free(its);
	return ok;
}

// ---- what is asked --------------------------------------------------------------------------------------------------------

static bool read_routing(const char *word, struct slice_traffic *t, struct fault *f)
{
	static const char *const name[ROUTINGS] = {"paths", "hops", "dimension"};
	for (int r = 0; word && r < ROUTINGS; r++)
		if (strcmp(word, name[r]) == 0) {
			t->routing = (enum routing)r;
			return true;
		}
	return !word || fault_set(f, word, "give paths, hops or dimension", "is no routing");
}

static bool read_axis(const char *word, const struct slice *s, struct slice_traffic *t, struct fault *f)
{
	if (!word)
		return true;
	if (word[0] < 'x' || word[0] > 'z' || word[1])
		return fault_set(f, word, "give x, y or z, the longest", "is no axis");
	t->axis = word[0] - 'x';
	return s->axis[t->axis] > 1 || fault_set(f, word, "choose one of 2 chips or more", "that axis has one chip only");
}

// "z4": two jobs, the second from z = 4 on.
static bool read_split(const char *word, const struct slice *s, struct slice_traffic *t, struct fault *f)
{
	long at;
	if (!word)
		return true;
	if (word[0] < 'x' || word[0] > 'z' || !number_read_long(word + 1, 1, 1 << 20, &at))
		return fault_set(f, word, "write z4: one job has the chips below z = 4, another the rest", "splits nothing");
	t->split_axis = word[0] - 'x';
	t->split = (int)at;
	return at < s->axis[t->split_axis] ||
		fault_set(f, word, "split it further down, or along a longer axis",
			"the slice has %d chips along %c: none is left for a second job", s->axis[t->split_axis], word[0]);
}

// "x+0,0,0": a way and the chip that it leaves.
static bool read_failed(const char *word, struct slice_question *q, struct fault *f)
{
	int at[3];
	char end;
	if (!word)
		return true;
	for (q->failed_way = 0; q->failed_way < SLICE_WAYS && strncmp(word, slice_ways[q->failed_way], 2) != 0;)
		q->failed_way++;
	if (q->failed_way == SLICE_WAYS || sscanf(word + 2, "%5d,%5d,%5d%c", &at[0], &at[1], &at[2], &end) != 3)
		return fault_set(f, word, "write x+0,0,0: the link upwards along x from chip 0,0,0", "is no link");
	for (int i = 0; i < 3; i++)
		if (at[i] < 0 || at[i] >= q->slice.axis[i])
			return fault_set(f, word, "count chips from 0", "the slice has %d along %c", q->slice.axis[i], "xyz"[i]);
	q->failed = slice_chip(&q->slice, at);
	return true;
}

static bool asked_of(struct command_call *call, struct slice_question *q, struct report_asked *asked)
{
	bool twisted = false;
	const char *routing = NULL, *axis = NULL, *failed = NULL, *split = NULL;
	*q = (struct slice_question){.traffic = {.axis = -1}, .failed = -1, .bytes = 1e9};
	const struct report_word words[] = {{.key = "twisted", .flag = &twisted},
		{.key = "bytes=", .number = &q->bytes, .least = 1, .most = 1e18}, {.key = "routing=", .text = &routing},
		{.key = "axis=", .text = &axis}, {.key = "split=", .text = &split}, {.key = "failed=", .text = &failed},
		{.key = "plot=", .text = &q->plot}, {.key = "loads=", .text = &q->loads}};
	struct fault *f = &call->fault;
	if (!report_pod(call, 1, &q->pod) || !report_words(call, 1, words, sizeof words / sizeof *words, asked) ||
		!slice_read(&q->pod, call->argv[0], twisted, &q->slice, f))
		return false;
	q->csv = asked->csv;
	if (q->slice.islands && (routing || axis || split || failed || q->plot || q->loads))
		return fault_set(f,
			routing          ? "routing"
				: axis   ? "axis"
				: split  ? "split"
				: failed ? "failed"
					 : "plot",
			"choose a pod that is a torus", "%s has islands of chips, whose links are alike", q->pod.name);
	return read_routing(routing, &q->traffic, f) && read_axis(axis, &q->slice, &q->traffic, f) &&
		read_split(split, &q->slice, &q->traffic, f) && read_failed(failed, q, f);
}

bool session_slice_question(struct command_call *call, struct slice_question *q)
{
	struct report_asked asked;
	return asked_of(call, q, &asked);
}

// ---- what is uneven -------------------------------------------------------------------------------------------------------

// The links that carry something, and what they carry at least and at most.
struct spread_of {
	double least, most;
	long links;
};

static struct spread_of spread_of(const struct slice_map *m, const struct slice *s, double (*load)[SLICE_WAYS])
{
	struct spread_of o = {(double)INFINITY, 0, 0};
	for (int c = 0; c < s->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			if (slice_map_next(m, c, w) >= 0 && load[c][w] > 0) {
				o.least = fmin(o.least, load[c][w]);
				o.most = fmax(o.most, load[c][w]);
				o.links++;
			}
	return o;
}

static void say_failed(struct report *r, struct slice_map *m, const struct slice_question *q, const struct slice_network *whole,
	const struct spread_of *o, int *hops)
{
	int at[3], longest = 0;
	bool apart = false;
	slice_place(&q->slice, q->failed, at);
	for (int c = 0; c < q->slice.chips; c++) {
		slice_map_hops(m, c, hops);
		for (int i = 0; i < q->slice.chips; i++) {
			longest = hops[i] > longest ? hops[i] : longest;
			apart |= hops[i] < 0;
		}
	}
	report_above(r,
		"without the link %s of %d,%d,%d: %.5g on the fullest link, so an all-to-all takes %.4gx as long; at most %d hops%s",
		slice_ways[q->failed_way], at[0], at[1], at[2], o->most, o->most / whole->load[q->traffic.routing], longest,
		apart ? "; some chips no longer reach each other" : "");
}

// The links that carry both jobs, and the most that one of them carries.
static bool say_jobs(struct report *r, struct slice_map *m, const struct slice_question *q, double (*load)[SLICE_WAYS],
	struct fault *f)
{
	const size_t chips = (size_t)q->slice.chips;
	double(*one)[SLICE_WAYS] = calloc(2 * chips, sizeof *one), shared = 0, most = 0;
	struct slice_traffic first = q->traffic, second = q->traffic;
	first.only = 1;
	second.only = 2;
	if (!one) // the report says nothing then
		return fault_memory(f, "a slice's links");
	bool ok = slice_map_loads(m, &first, one, f) && slice_map_loads(m, &second, one + chips, f);
	struct spread_of all = spread_of(m, &q->slice, load), a = spread_of(m, &q->slice, one),
			 b = spread_of(m, &q->slice, one + chips);
	for (size_t c = 0; ok && c < chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			if (one[c][w] > 0 && one[chips + c][w] > 0) {
				shared++;
				most = fmax(most, load[c][w]);
			}
	if (ok) {
		int along = q->slice.axis[q->traffic.split_axis];
		report_above(r,
			"two jobs, %g and %g chips, each chip to each other of its own: %.5g on the fullest link, alone %.5g and %.5g",
			(double)chips / along * q->traffic.split, (double)chips / along * (along - q->traffic.split), all.most,
			a.most, b.most);
		report_above(r, shared > 0 ? "%g links carry both, %.5g at most" : "no link carries both", shared, most);
	}
	free(one);
	return ok;
}

// What was asked about traffic that loads links unevenly.
static bool uneven_lines(struct report *r, const struct slice_question *q, const struct slice_network *whole, struct fault *f)
{
	const size_t chips = (size_t)q->slice.chips;
	struct slice_map *m = slice_map_new(&q->slice, f);
	double(*load)[SLICE_WAYS] = m ? calloc(chips, sizeof *load) : NULL;
	int *hops = load ? calloc(chips, sizeof *hops) : NULL;
	bool ok = m && (hops || fault_memory(f, "a slice's links"));
	ok = ok && (q->failed < 0 || slice_map_fail(m, q->failed, q->failed_way, f)) && slice_map_loads(m, &q->traffic, load, f);
	if (ok && q->traffic.axis >= 0) {
		struct spread_of o = spread_of(m, &q->slice, load);
		report_above(r,
			"a gather along %c alone: %.4g to %.4g of what a chip holds on %ld of %g links, nothing on the others%s",
			"xyz"[q->traffic.axis], o.least, o.most, o.links, whole->links,
			slice_closes(&q->slice, q->traffic.axis) ? "" : "; the axis does not close by itself");
	} else if (ok && q->traffic.split > 0) {
		ok = say_jobs(r, m, q, load, f);
	} else if (ok && q->failed >= 0) {
		struct spread_of o = spread_of(m, &q->slice, load);
		say_failed(r, m, q, whole, &o, hops);
	}
	free(hops);
	free(load);
	slice_map_free(m);
	return ok;
}

static bool draw(struct command_call *call, const char *file,
	struct figure *(*figure)(const struct slice_question *, struct fault *), const struct slice_question *q)
{
	if (!file)
		return true;
	struct figure *its = figure(q, &call->fault);
	bool ok = its && report_picture_in(call, its, file);
	figure_free(its);
	return ok;
}

bool run_slice(struct command_call *call)
{
	static const struct report_column column[] = {
		{"collective", true}, {"ms", false}, {"moved most by", true}, {"how", true}};
	struct slice_question q;
	struct world w;
	struct report_asked asked;
	struct report r;
	char name[48], number[32], chips[32], hosts[32];
	if (!asked_of(call, &q, &asked))
		return false;
	const struct pod *p = &q.pod;
	const struct slice *s = &q.slice;
	const bool uneven = slice_uneven(&q);
	report_world(&asked, p, NULL, &w);
	report_begin(&r, column, sizeof column / sizeof *column);
	r.view = !s->islands;
	struct slice_network *n = calloc(1, sizeof *n);
	bool ok = n || fault_memory(&call->fault, "a slice's links");
	ok = ok && (s->islands || slice_network_of(s, n, &call->fault));
	if (ok) {
		report_above(&r, "%s on %s: %s, %s, %.4g TB of memory", slice_name(s, name), p->name,
			count_of(s->chips, "chip", chips), count_of(ceil(s->chips / p->figure[POD_HOST].value), "host", hosts),
			s->chips * p->figure[POD_MEMORY].value / 1e12);
		if (!s->islands)
			torus_lines(&r, p, s, n);
		ok = !uneven || uneven_lines(&r, &q, n, &call->fault);
		collective_rows(&r, &w, s, n, q.bytes);
		report_below(&r,
			"(of %s in all, unsharded: a chip holds its share; links as delivered, or the hops' time where that is "
			"longer%s)",
			number_write(q.bytes, "B", number, sizeof number), q.failed >= 0 ? "; with every link whole" : "");
		ok = ok && other_twist(&r, p, s, n, &call->fault) &&
			draw(call, q.plot, uneven ? figure_of_links : figure_of_hops, &q) &&
			draw(call, q.loads, figure_of_loads, &q);
	}
	free(n);
	return report_end(&r, call, asked.csv, ok);
}

// ---- all slices of a size ---------------------------------------------------------------------------------------------------

static bool add_slice(struct report *r, struct report_points *points, const struct pod *p, const struct slice *s, double bytes,
	struct fault *f)
{
	struct slice_network *n = calloc(1, sizeof *n);
	char name[48];
	if (!n)
		return fault_memory(f, "a slice's links");
	if (!s->islands && !slice_network_of(s, n, f)) {
		free(n);
		return false;
	}
	report_cell(r, "%s", slice_name(s, name));
	report_cell(r, "%s", s->twisted ? "twisted" : slice_twistable(p, s->axis) ? "can be" : "no");
	if (s->islands) {
		for (int i = 0; i < 5; i++)
			report_cell(r, "-");
	} else {
		report_cell(r, "%g", n->links);
		report_cell(r, "%.4g", n->bisection * p->figure[POD_LINK].value / 1e12);
		report_cell(r, "%d", n->diameter);
		report_cell(r, "%.4g", n->mean_hops);
		report_cell(r, "%.0f", n->load[slice_routing(n)] > 0 ? 100 * n->mean_load / n->load[slice_routing(n)] : 0);
	}
	for (int k = 0; k < COLLECTIVES; k++)
		if (k != REDUCE_SCATTER)
			report_cell(r, "%.4g", 1e3 * slice_collective(p, s, s->islands ? NULL : n, (enum collective)k, bytes));
	struct slice shape = *s;
	shape.twisted = false; // the group says it
	if (!s->islands)
		report_point(points, s->twisted, n->bisection * p->figure[POD_LINK].value / 1e12,
			1e3 * slice_collective(p, s, n, ALL_TO_ALL, bytes), "%.15s", slice_name(&shape, name));
	free(n);
	return true;
}

bool run_slices(struct command_call *call)
{
	static const struct report_column column[] = {{"slice", true}, {"twisted", true}, {"links", false},
		{"bisection TB/s", false}, {"diameter", false}, {"mean hops", false}, {"links used %", false},
		{"all-gather ms", false}, {"all-reduce ms", false}, {"all-to-all ms", false}};
	struct slice *s = NULL;
	struct pod p;
	struct report_asked asked;
	struct report r;
	double bytes = 1e9;
	long chips;
	char number[32], all[32], todo[96], title[96];
	const char *plot = NULL;
	struct report_points points = {0};
	static const char *const groups[] = {"regular", "twisted"};
	const struct report_word words[] = {
		{.key = "bytes=", .number = &bytes, .least = 1, .most = 1e18}, {.key = "plot=", .text = &plot}};
	if (!report_pod(call, 1, &p) || !report_words(call, 1, words, sizeof words / sizeof *words, &asked))
		return false;
	if (plot && p.network == NETWORK_ISLANDS)
		return fault_set(&call->fault, "plot", "choose a pod that is a torus",
			"%s has islands of chips, whose links are alike", p.name);
	if (!number_read_long(call->argv[0], 1, 1 << 20, &chips))
		return fault_set(&call->fault, call->argv[0], "write it as 512", "is not a number of chips");
	int count = slices_of(&p, (int)chips, NULL, 0);
	if (!count) {
		int below, above;
		slices_near(&p, (int)chips, &below, &above);
		snprintf(todo, sizeof todo, below && above ? "the nearest are %d and %d" : "the nearest is %d",
			below ? below : above, above);
		return fault_set(&call->fault, call->argv[0], todo, "no slice of %s has so many chips", p.name);
	}
	if (count > MOST_SLICES)
		count = MOST_SLICES;
	if (!(s = calloc((size_t)count, sizeof *s)))
		return fault_memory(&call->fault, "slices");
	slices_of(&p, (int)chips, s, count);
	report_begin(&r, column, sizeof column / sizeof *column);
	bool ok = true;
	for (int i = 0; ok && i < count; i++) {
		ok = add_slice(&r, &points, &p, &s[i], bytes, &call->fault);
		if (ok && slice_twistable(&p, s[i].axis)) {
			s[i].twisted = true;
			ok = add_slice(&r, &points, &p, &s[i], bytes, &call->fault);
		}
	}
	free(s);
	report_below(&r,
		"(%s of %s; of %s in all, unsharded; links as delivered; used: mean over the fullest under all-to-all, by the best routing)",
		count_of((double)chips, "chip", all), p.name, number_write(bytes, "B", number, sizeof number));
	snprintf(title, sizeof title, "Slices of %s with %s", p.name, all);
	ok = report_points_draw(&points, call, plot,
		(struct points_asked){.title = title,
			.x = "bisection (TB/s)",
			.y = "all-to-all (ms)",
			.log_x = true,
			.log_y = true,
			.group = groups,
			.groups = 2},
		ok);
	return report_end(&r, call, asked.csv, ok);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A slice chip by chip, the racks of a pod day by day, and the figures of both.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/machine.h"
#include "plots/plots.h"

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

static struct slice slice_of(const char *pod, const char *shape, bool twisted)
{
	struct pod p;
	struct slice s;
	struct fault f;
	assert_true(pod_get(pod, &p, &f));
	assert_true(slice_read(&p, shape, twisted, &s, &f));
	return s;
}

static const struct shape {
	const char *pod, *shape;
	bool twisted;
} shapes[] = {{"tpu_v4", "4x4x4", false}, {"tpu_v4", "4x4x8", false}, {"tpu_v4", "4x4x8", true}, {"tpu_v4", "4x8x8", true},
	{"tpu_v4", "2x4x4", false}, {"tpu_v4", "1x2x2", false}, {"tpu_v5e", "8x16", false}, {"tpu_v5e", "16x16", false}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

// A link leads there and back; a wrap lands where its axis and, on a twisted slice, the others say.
static void links_lead_both_ways(void **state)
{
	(void)state;
	struct fault f;
	for (int i = 0; i < SHAPES; i++) {
		struct slice s = slice_of(shapes[i].pod, shapes[i].shape, shapes[i].twisted);
		struct slice_map *m = slice_map_new(&s, &f);
		assert_non_null(m);
		for (int c = 0; c < s.chips; c++)
			for (int w = 0; w < SLICE_WAYS; w++) {
				int to = slice_map_next(m, c, w), at[3], end[3];
				slice_place(&s, c, at);
				assert_int_equal(slice_chip(&s, at), c);
				if (to < 0) {
					assert_true(s.axis[w / 2] == 1 || !s.wrap[w / 2]);
					continue;
				}
				assert_int_equal(slice_map_next(m, to, w ^ 1), c);
				slice_place(&s, to, end);
				for (int a = 0; a < 3; a++) {
					int moved = end[a] - at[a], own = w % 2 ? -1 : 1;
					if (a == w / 2)
						assert_true((moved - own) % s.axis[a] == 0);
					else if (!slice_map_wraps(m, c, w) || !s.twisted)
						assert_int_equal(moved, 0);
					else
						assert_true((moved - own * s.axis[w / 2]) % s.axis[a] == 0);
				}
			}
		slice_map_free(m);
	}
	struct slice s = slice_of("tpu_v4", "4x4x8", true);
	struct slice_map *m = slice_map_new(&s, &f);
	assert_int_equal(slice_map_next(m, slice_chip(&s, (int[]){3, 1, 2}), 0), slice_chip(&s, (int[]){0, 1, 6}));
	assert_int_equal(slice_map_next(m, slice_chip(&s, (int[]){3, 1, 7}), 4), slice_chip(&s, (int[]){3, 1, 0}));
	assert_true(slice_closes(&s, 2) && !slice_closes(&s, 0));
	slice_map_free(m);
	s = slice_of("h100_cluster", "512", false);
	assert_null(slice_map_new(&s, &f));
}

// A chip is on a shortest path if the hops to it and from it are the hops in all.
static void paths_are_the_shortest(void **state)
{
	(void)state;
	struct fault f;
	struct slice s = slice_of("tpu_v4", "4x4x8", true);
	struct slice_map *m = slice_map_new(&s, &f);
	int from[128], to[128];
	bool on[128];
	assert_non_null(m);
	for (int b = 0; b < s.chips; b += 5) {
		assert_true(slice_map_paths(m, 7, b, on) >= 1);
		slice_map_hops(m, 7, from);
		slice_map_hops(m, b, to);
		for (int c = 0; c < s.chips; c++)
			assert_int_equal(on[c], from[c] + to[c] == from[b]);
	}
	assert_true(near(slice_map_paths(m, 0, slice_chip(&s, (int[]){1, 1, 1}), on), 6)); // in any order
	slice_map_free(m);
}

static bool one_job(const struct slice *s, const struct slice_traffic *t, int a, int b)
{
	int from[3], to[3];
	slice_place(s, a, from);
	slice_place(s, b, to);
	bool first = from[t->split_axis] < t->split;
	return t->split <= 0 || (first == (to[t->split_axis] < t->split) && (t->only == 0 || t->only == (first ? 1 : 2)));
}

// Every link's load from the number of paths over it, pair by pair; of pairs in one job alone where two split the slice.
static void count_plainly(struct slice_map *m, const struct slice *s, const struct slice_traffic *t, double (*load)[SLICE_WAYS])
{
	const int n = s->chips;
	double *paths = calloc((size_t)n * (size_t)n, sizeof *paths);
	int *hops = calloc((size_t)n * (size_t)n, sizeof *hops);
	bool *on = calloc((size_t)n, sizeof *on);
	assert_true(paths && hops && on);
	for (int a = 0; a < n; a++) {
		for (int b = 0; b < n; b++)
			paths[a * n + b] = slice_map_paths(m, a, b, on);
		slice_map_hops(m, a, hops + a * n);
	}
	memset(load, 0, (size_t)n * sizeof *load);
	for (int a = 0; a < n; a++)
		for (int b = 0; b < n; b++)
			for (int c = 0; a != b && one_job(s, t, a, b) && c < n; c++)
				for (int w = 0; w < SLICE_WAYS; w++) {
					int d = slice_map_next(m, c, w);
					if (d >= 0 && hops[a * n + c] + 1 + hops[d * n + b] == hops[a * n + b])
						load[c][w] += paths[a * n + c] * paths[d * n + b] / paths[a * n + b];
				}
	free(paths);
	free(hops);
	free(on);
}

static void loads_are_exact(void **state)
{
	(void)state;
	static double load[256][SLICE_WAYS], plain[256][SLICE_WAYS];
	static struct slice_network n;
	struct fault f;
	for (int i = 0; i < SHAPES; i++) { // as those by axis
		struct slice s = slice_of(shapes[i].pod, shapes[i].shape, shapes[i].twisted);
		struct slice_map *m = slice_map_new(&s, &f);
		assert_true(m && slice_network_of(&s, &n, &f));
		for (int r = 0; r < ROUTINGS; r++) {
			struct slice_traffic what = {.routing = (enum routing)r, .axis = -1};
			double most[3] = {0};
			if (isnan(n.load[r])) {
				assert_false(slice_map_loads(m, &what, load, &f));
				continue;
			}
			assert_true(slice_map_loads(m, &what, load, &f));
			for (int c = 0; c < s.chips; c++)
				for (int w = 0; w < SLICE_WAYS; w++)
					most[w / 2] = fmax(most[w / 2], load[c][w]);
			for (int a = 0; a < 3; a++)
				assert_true(near(most[a], n.axis_load[r][a]));
		}
		slice_map_free(m);
	}
	for (int i = 0; i < 4; i++) { // around a failed link
		static const struct shape *const with[] = {&shapes[0], &shapes[2], &shapes[4], &shapes[5]};
		struct slice s = slice_of(with[i]->pod, with[i]->shape, with[i]->twisted);
		struct slice_map *m = slice_map_new(&s, &f);
		const struct slice_traffic what = {.axis = -1}, order = {.routing = ROUTE_DIMENSION, .axis = -1},
					   along = {.axis = 2};
		int to = slice_map_next(m, 0, 4);
		assert_true(slice_map_fail(m, 0, 4, &f));
		assert_false(slice_map_fail(m, 0, 4, &f));
		assert_true(slice_map_failed(m, 0, 4) && slice_map_failed(m, to, 5) && !slice_map_failed(m, 0, 5));
		assert_true(slice_map_next(m, 0, 4) < 0 && slice_map_next(m, to, 5) < 0);
		assert_true(slice_map_loads(m, &what, load, &f));
		count_plainly(m, &s, &what, plain);
		for (int c = 0; c < s.chips; c++)
			for (int w = 0; w < SLICE_WAYS; w++)
				assert_true(near(load[c][w], plain[c][w]));
		assert_false(slice_map_loads(m, &order, load, &f));
		assert_false(slice_map_loads(m, &along, load, &f));
		slice_map_free(m);
	}
}

// Two jobs on one slice: each pair of one job, over all shortest paths of the whole slice.
static void two_jobs_share_a_slice(void **state)
{
	(void)state;
	static double load[256][SLICE_WAYS], plain[256][SLICE_WAYS];
	struct fault f;
	int crossed = 0;
	for (int i = 0; i < SHAPES; i++)
		for (int only = 0; only < 3; only++) {
			struct slice s = slice_of(shapes[i].pod, shapes[i].shape, shapes[i].twisted);
			struct slice_map *m = slice_map_new(&s, &f);
			const struct slice_traffic what = {.axis = -1, .split = s.axis[2] / 2 + 1, .split_axis = 2, .only = only};
			const struct slice_traffic order = {.routing = ROUTE_DIMENSION, .axis = -1, .split = 1, .split_axis = 2},
						   along = {.axis = 2, .split = 1, .split_axis = 2};
			if (s.axis[2] < 3 || s.chips > 128) {
				slice_map_free(m);
				continue;
			}
			assert_true(slice_map_loads(m, &what, load, &f));
			count_plainly(m, &s, &what, plain);
			for (int c = 0; c < s.chips; c++)
				for (int w = 0; w < SLICE_WAYS; w++) {
					assert_true(near(load[c][w], plain[c][w]));
					crossed += only == 1 && load[c][w] > 0 && c / (s.axis[0] * s.axis[1]) >= what.split;
				}
			assert_false(slice_map_loads(m, &order, load, &f));
			assert_false(slice_map_loads(m, &along, load, &f));
			slice_map_free(m);
		}
	assert_true(crossed > 0); // the first job uses links of the second's chips
}

// Along x, then y, then z, by the shorter way, half each where both are as long.
static void walk_in_order(const struct slice *s, struct slice_map *m, int a, int b, double (*load)[SLICE_WAYS])
{
	int at[3], to[3];
	slice_place(s, a, at);
	slice_place(s, b, to);
	for (int i = 0; i < 3; i++) {
		const int n = s->axis[i], up = (to[i] - at[i] + n) % n;
		for (int back = 0; back < 2 && up > 0; back++) {
			int steps = back ? n - up : up;
			double share = !s->wrap[i] ? (to[i] > at[i]) == !back : steps * 2 < n ? 1 : steps * 2 == n ? .5 : 0;
			int chip = slice_chip(s, at);
			for (int k = 0; k < steps && share > 0; k++) {
				load[chip][2 * i + back] += share;
				chip = slice_map_next(m, chip, 2 * i + back);
				assert_true(chip >= 0);
			}
		}
		at[i] = to[i];
	}
}

static void dimension_order_is_exact_on_lines(void **state)
{
	(void)state;
	static double load[256][SLICE_WAYS], plain[256][SLICE_WAYS];
	const struct slice_traffic what = {.routing = ROUTE_DIMENSION, .axis = -1};
	struct fault f;
	static const struct shape other[] = {{"tpu_v4", "2x2x4", false}, {"tpu_v4", "1x4x4", false}, {"tpu_v5e", "8x16", false},
		{"tpu_v5e", "4x8", false}, {"tpu_v4", "4x4x8", false}, {"tpu_v4_fixed", "4x4x16", false}};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct slice s = slice_of(other[i].pod, other[i].shape, false);
		struct slice_map *m = slice_map_new(&s, &f);
		memset(plain, 0, sizeof plain);
		assert_true(m && slice_map_loads(m, &what, load, &f));
		for (int a = 0; a < s.chips; a++)
			for (int b = 0; b < s.chips; b++)
				walk_in_order(&s, m, a, b, plain);
		for (int c = 0; c < s.chips; c++)
			for (int w = 0; w < SLICE_WAYS; w++)
				assert_true(near(load[c][w], plain[c][w]));
		slice_map_free(m);
	}
}

// What a line of chips gathers: each gets from every other once, so the loads add up to the units times the links they cross.
static void a_gather_adds_up(void **state)
{
	(void)state;
	static double load[256][SLICE_WAYS];
	struct fault f;
	for (int i = 0; i < SHAPES; i++)
		for (int axis = 0; axis < 3; axis++) {
			struct slice s = slice_of(shapes[i].pod, shapes[i].shape, shapes[i].twisted);
			if (s.axis[axis] < 2)
				continue;
			struct slice_map *m = slice_map_new(&s, &f);
			const struct slice_traffic what = {.axis = axis};
			double sum = 0;
			assert_true(slice_map_loads(m, &what, load, &f));
			for (int c = 0; c < s.chips; c++)
				for (int w = 0; w < SLICE_WAYS; w++) {
					sum += load[c][w];
					assert_true(load[c][w] <= 0 || (w / 2 == axis && slice_map_next(m, c, w) >= 0));
				}
			assert_true(near(sum, (double)s.chips * (s.axis[axis] - 1))); // each unit reaches each of its line once
			slice_map_free(m);
		}
}

// ---- racks ------------------------------------------------------------------------------------------------------------------

static struct goodput_clock *clock_of(const struct world *w, bool fixed, double availability, const int axis[3], int spares)
{
	struct goodput_case c = {.availability = availability, .fixed = fixed, .spares = spares};
	struct fault f;
	if (axis)
		memcpy(c.axis, axis, sizeof c.axis);
	struct goodput_clock *clock = goodput_clock_new(w, &c, 5, &f);
	assert_non_null(clock);
	return clock;
}

static void begin_world(struct world *w)
{
	struct pod p;
	struct fault f;
	assert_true(pod_get("tpu_v4", &p, &f));
	world_begin(w, &p, NULL);
}

// With and without switches the same hosts are down at every hour, also after a change; a day in one go is the same as in parts.
static void machines_fail_alike(void **state)
{
	(void)state;
	static struct goodput_now a, b, c;
	struct world w;
	struct fault f;
	long failures = 0;
	begin_world(&w);
	struct goodput_clock *switched = clock_of(&w, false, .99, NULL, 0), *fixed = clock_of(&w, true, .99, NULL, 0),
			     *parts = clock_of(&w, false, .99, NULL, 0);
	for (int day = 0; day < 60; day++) {
		assert_true(goodput_clock_run(switched, 24, &f) && goodput_clock_run(fixed, 24, &f));
		for (int hour = 0; hour < 24; hour++)
			assert_true(goodput_clock_run(parts, 1, &f));
		goodput_clock_read(switched, &a);
		goodput_clock_read(fixed, &b);
		goodput_clock_read(parts, &c);
		int held = 0;
		for (int i = 0; i < a.grid.blocks; i++) {
			assert_int_equal(a.block[i].down, b.block[i].down);
			assert_true(a.block[i].job == c.block[i].job && a.block[i].chips == c.block[i].chips);
			assert_true(!a.block[i].down || (a.block[i].chips == 0 && a.block[i].job == -1));
			assert_int_equal(a.block[i].jobs > 0, a.block[i].chips > 0);
			held += a.block[i].chips;
		}
		assert_int_equal(held, a.chips);
		assert_true(near(a.hours, 24. * (day + 1)) && near(a.run.busy, c.run.busy) && near(a.run.useful, c.run.useful));
		assert_true(a.run.failures == b.run.failures && a.run.failures >= failures);
		assert_true(a.run.useful <= a.run.busy);
		failures = a.run.failures;
		if (day != 30)
			continue;
		struct goodput_case better = {.availability = .999, .spares = 8}, same = better;
		same.fixed = true;
		assert_true(goodput_clock_change(switched, &better, &f) && goodput_clock_change(parts, &better, &f) &&
			goodput_clock_change(fixed, &same, &f));
		goodput_clock_count(switched);
		goodput_clock_count(fixed);
		goodput_clock_count(parts);
		failures = 0;
	}
	assert_true(near(a.since, 31 * 24) && a.run.failures > 0 && a.run.failures < 2 * 1024 * .001 * 29 * 6);
	goodput_clock_free(switched);
	goodput_clock_free(fixed);
	goodput_clock_free(parts);
}

// Day by day it comes to what the closed forms say.
static void days_meet_the_closed_forms(void **state)
{
	(void)state;
	static const int axis[][3] = {{4, 4, 4}, {8, 8, 8}, {8, 8, 16}};
	static struct goodput_now now;
	struct world w;
	struct fault f;
	begin_world(&w);
	w.input[IN_JOB] = 0; // a job never ends, so a fixed machine never waits for neighbours
	for (int fixed = 0; fixed < 2; fixed++)
		for (size_t i = 0; i < sizeof axis / sizeof *axis; i++) {
			struct goodput_clock *clock = clock_of(&w, fixed, .99, axis[i], 0);
			struct goodput_case c = {.availability = .99, .fixed = fixed};
			memcpy(c.axis, axis[i], sizeof c.axis);
			for (int day = 0; day < 3000; day++)
				assert_true(goodput_clock_run(clock, 24, &f));
			goodput_clock_read(clock, &now);
			double busy = goodput_busy(&now.grid, &c);
			assert_true(fabs(now.run.busy - busy) < .01);
			assert_true(fabs(now.run.useful / now.run.busy - goodput_kept(&w, &now.grid, &c)) < .02);
			goodput_clock_free(clock);
		}
}

// Blocks that are held back stay free, and a lower availability is felt.
static void changes_take_hold(void **state)
{
	(void)state;
	static const int axis[3] = {4, 4, 8};
	static struct goodput_now now;
	struct world w;
	struct fault f;
	begin_world(&w);
	struct goodput_clock *clock = clock_of(&w, false, 1, axis, 0);
	assert_true(goodput_clock_run(clock, 100, &f));
	goodput_clock_read(clock, &now);
	assert_true(now.chips == 4096 && now.run.failures == 0 && near(now.run.busy, 1));
	struct goodput_case c = {.availability = 1, .axis = {4, 4, 8}, .spares = 10};
	assert_true(goodput_clock_change(clock, &c, &f) && goodput_clock_run(clock, 2000, &f)); // jobs end after a day or so
	goodput_clock_read(clock, &now);
	assert_int_equal(now.chips, 54 * 64);
	c.availability = .98;
	assert_true(goodput_clock_change(clock, &c, &f));
	goodput_clock_count(clock);
	goodput_clock_read(clock, &now);
	assert_true(isnan(now.run.busy) && now.run.failures == 0);
	assert_true(goodput_clock_run(clock, 500, &f));
	goodput_clock_read(clock, &now);
	assert_true(now.run.failures > 1000 && now.run.busy < .85 && near(now.hours, 2600) && near(now.since, 2100));
	assert_false(goodput_clock_run(clock, 1e12, &f));
	goodput_clock_free(clock);
}

// ---- figures ----------------------------------------------------------------------------------------------------------------

static void figures_hold_the_numbers(void **state)
{
	(void)state;
	static struct slice_network n;
	struct pod p;
	struct fault f;
	assert_true(pod_get("tpu_v4", &p, &f));
	struct slice_question q = {.pod = p, .slice = slice_of("tpu_v4", "4x8x8", false), .traffic = {.axis = -1}, .failed = -1};
	struct figure *hops = figure_of_hops(&q, &f), *loads = figure_of_loads(&q, &f);
	assert_true(hops && loads);
	assert_true(hops->series_count == 2 && loads->series_count == 2);
	for (int twisted = 0; twisted < 2; twisted++) {
		struct slice its = slice_of("tpu_v4", "4x8x8", twisted);
		double chips = 0;
		assert_true(slice_network_of(&its, &n, &f));
		for (size_t i = 0; i < hops->series[twisted].count; i++)
			chips += hops->series[twisted].y[i];
		assert_true(near(chips, 255) && hops->series[twisted].count == (size_t)n.diameter + 1);
		assert_true(near(hops->series[twisted].y[1], n.hops[2]));
		for (int a = 0; a < 3; a++)
			assert_true(near(loads->series[twisted].y[a], n.axis_load[ROUTE_PATHS][a]));
	}
	assert_string_equal(loads->series[0].name, "regular");
	assert_true(strncmp(hops->series[1].name, "twisted, mean ", 14) == 0);
	figure_free(hops);
	figure_free(loads);
	q.slice = slice_of("tpu_v4", "8x8x8", false); // cannot be twisted
	hops = figure_of_hops(&q, &f);
	assert_true(hops && hops->series_count == 1);
	figure_free(hops);

	// Link by link: the plane of x 0, its first row, has the chips 0,0,z with their links along z, one of which has failed.
	q.slice = slice_of("tpu_v4", "4x4x8", false);
	q.failed = 0;
	q.failed_way = 4;
	assert_true(slice_uneven(&q));
	struct figure *links = figure_of_links(&q, &f);
	assert_true(links && links->heat && links->heat->rows == 4 * 9 - 1 && links->heat->columns == 16);
	const float *row = links->heat->value;
	float most = 0;
	assert_true(isnan(row[0]) && isnan(row[1]) && isnan(row[2]) && row[3] > 0 && row[16] > 0 && row[17] > 0);
	for (int i = 0; i < 35 * 16; i++)
		most = fmaxf(most, isnan(row[i]) ? 0 : row[i]);
	assert_true(most > .999f && most < 1.001f);
	assert_string_equal(links->heat->row[9], "x 1 y 0");
	figure_free(links);
	q.slice = slice_of("tpu_v4", "8x16x16", true); // by blocks
	q.failed = -1;
	links = figure_of_links(&q, &f);
	assert_true(links && links->heat->rows == 2 * 9 - 1 && links->heat->columns == 8);
	figure_free(links);
	q.traffic.split = 4;
	q.traffic.routing = ROUTE_DIMENSION;
	assert_null(figure_of_links(&q, &f));

	struct figure *goodput = figure_of_goodput(&p, &f);
	struct block_grid g;
	assert_true(goodput && goodput->series_count == 6 && block_grid_of(&p, &g, &f));
	for (int i = 0; i < 3; i++)
		for (size_t k = 0; k < goodput->series[i].count; k++)
			assert_true(goodput->series[i].y[k] >= goodput->series[i + 3].y[k] - 1e-6 ||
				goodput->series[i].x[k] > 3000);
	struct goodput_case c = {.availability = .995, .axis = {8, 8, 8}};
	assert_true(near(goodput->series[1].x[3], 512) && near(goodput->series[1].y[3], 100 * goodput_busy(&g, &c)));
	c.fixed = true;
	assert_true(near(goodput->series[4].y[3], 100 * goodput_busy(&g, &c)));
	figure_free(goodput);
	assert_true(pod_get("tpu_v5e", &p, &f));
	assert_null(figure_of_goodput(&p, &f)); // has no blocks
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_lead_both_ways),
		cmocka_unit_test(paths_are_the_shortest),
		cmocka_unit_test(loads_are_exact),
		cmocka_unit_test(two_jobs_share_a_slice),
		cmocka_unit_test(dimension_order_is_exact_on_lines),
		cmocka_unit_test(a_gather_adds_up),
		cmocka_unit_test(machines_fail_alike),
		cmocka_unit_test(days_meet_the_closed_forms),
		cmocka_unit_test(changes_take_hold),
		cmocka_unit_test(figures_hold_the_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

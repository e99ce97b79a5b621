// SPDX-License-Identifier: GPL-3.0-or-later
// What a race is judged by, and its plan: spreads, hulls, claims, words.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessions/race/standing.h"

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9 * (1 + fabs(b));
}

// ---- statistics ----

static void spreads(void **context)
{
	(void)context;
	struct spread s = spread_of((const double[]){1, NAN, 2, 6}, 4);
	assert_true(s.count == 3 && near(s.mean, 3) && near(s.sd, sqrt((4 + 1 + 9) / 2.0)));
	s = spread_of((const double[]){5, NAN}, 2);
	assert_true(s.count == 1 && near(s.mean, 5) && isnan(s.sd));
	s = spread_of(NULL, 0);
	assert_true(s.count == 0 && isnan(s.mean) && isnan(s.sd));
}

static void hulls(void **context)
{
	(void)context;
	struct spot spot[] = {
		{100, 60}, {1, 20}, {10, 30}, {10, 45}, {31.622776601683793, 50}, {NAN, 99}, {1000, 60}, {3, NAN}, {2000, 59}};
	int corners = hull_of(spot, 9);
	// {10, 45} lies above the straight line from {1, 20} to {100, 60}; {31.6, 50} below that from {10, 45} to {100, 60}.
	assert_int_equal(corners, 3);
	assert_true(spot[0].cost < 2 && near(spot[1].value, 45) && near(spot[2].cost, 100));
	assert_true(near(hull_at(spot, corners, 1), 20) && near(hull_at(spot, corners, 10), 45));
	assert_true(near(hull_at(spot, corners, sqrt(10)), 32.5)); // straight in the logarithm
	assert_true(near(hull_at(spot, corners, 100), 60) && near(hull_at(spot, corners, 1e9), 60));
	assert_true(near(hull_at(spot, corners, 0.995), 20) && isnan(hull_at(spot, corners, 0.98)));
	assert_true(isnan(hull_at(spot, corners, 0.5)) && isnan(hull_at(spot, 0, 1)) && isnan(hull_at(spot, corners, NAN)));
	assert_int_equal(hull_of(spot, 0), 0);
}

// No spot lies above its hull, and the hull is the least such: each corner is a spot.
static void a_hull_lies_above_all(void **context)
{
	(void)context;
	unsigned state = 12345;
	for (int round = 0; round < 200; round++) {
		struct spot all[40], hull[40];
		int count = 1 + round % 40;
		for (int i = 0; i < count; i++) {
			state = state * 1664525u + 1013904223u;
			all[i].cost = 1 + (double)(state >> 20);
			state = state * 1664525u + 1013904223u;
			all[i].value = (double)(state >> 24);
		}
		memcpy(hull, all, sizeof hull);
		int corners = hull_of(hull, count);
		assert_true(corners >= 1);
		for (int i = 0; i < count; i++)
			assert_true(hull_at(hull, corners, all[i].cost) >= all[i].value - 1e-9);
		for (int c = 0; c < corners; c++) {
			bool is_spot = false;
			for (int i = 0; i < count; i++)
				is_spot |= all[i].cost == hull[c].cost && all[i].value == hull[c].value;
			assert_true(is_spot && (c == 0 || hull[c].value > hull[c - 1].value));
		}
	}
}

static void lines(void **context)
{
	(void)context;
	const struct spot spot[] = {{100, 60}, {1, 20}, {10, 30}, {NAN, 99}};
	assert_true(near(line_at(spot, 4, 10), 30) && near(line_at(spot, 4, 1), 20) && near(line_at(spot, 4, 100), 60));
	assert_true(near(line_at(spot, 4, sqrt(10)), 25) && near(line_at(spot, 4, 10 * sqrt(10)), 45));
	assert_true(isnan(line_at(spot, 4, 0.99)) && isnan(line_at(spot, 4, 101)) && isnan(line_at(spot, 0, 1)));
}

static void hull_against_hull(void **context)
{
	(void)context;
	struct spot a[] = {{10, 50}, {100, 60}}, b[] = {{1, 40}, {100, 58}};
	struct hull_gap gap;
	int n = hull_of(a, 2), m = hull_of(b, 2);
	assert_true(hull_compare(a, n, b, m, 0, INFINITY, &gap));
	assert_true(near(gap.from, 10) && near(gap.to, 100)); // where both are
	assert_true(near(gap.least, 1) && near(gap.at, 10) && near(gap.mean, 1.5));
	assert_true(hull_compare(a, n, b, m, 20, 50, &gap) && near(gap.from, 20) && near(gap.to, 50));
	assert_false(hull_compare(a, n, b, m, 200, 300, &gap));
	assert_false(hull_compare(a, 0, b, m, 0, INFINITY, &gap));
}

static void rankings(void **context)
{
	(void)context;
	double a[40], b[40], c[40];
	for (int i = 0; i < 40; i++) {
		a[i] = (double)(random_bits(1, (uint64_t)i) % 1000);
		b[i] = exp(a[i] / 100);                                    // the same order
		c[i] = a[i] + (double)(random_bits(2, (uint64_t)i) % 900); // much like it
	}
	struct ranking r = ranking_of(a, b, 40);
	assert_true(near(r.correlation, 1) && near(r.low, 1) && near(r.high, 1));
	for (int i = 0; i < 40; i++)
		b[i] = -b[i];
	assert_true(near(ranking_of(a, b, 40).correlation, -1));
	r = ranking_of(a, c, 40);
	assert_true(r.low < r.correlation && r.correlation < r.high && r.low > 0 && r.high < 1 && r.high - r.low > 0.1);
	struct ranking again = ranking_of(a, c, 40);
	assert_true(r.low == again.low && r.high == again.high);
	// Ties share their ranks: 1, 2.5, 2.5, 4 against 1, 2, 3, 4 is 4.5 / sqrt(4.5 * 5).
	r = ranking_of((const double[]){1, 2, 2, 3}, (const double[]){5, 6, 7, 8}, 4);
	assert_true(near(r.correlation, 4.5 / sqrt(4.5 * 5)));
	assert_true(isnan(ranking_of(a, c, 2).correlation) && isnan(ranking_of(a, c, 0).low));
	assert_true(isnan(ranking_of((const double[]){1, 1, 1}, a, 3).correlation));
	// Numbers by key and counter: even enough, and others for other keys.
	double sum = 0;
	for (uint64_t i = 0; i < 1000; i++)
		sum += (double)(random_bits(7, i) >> 11) / (double)(1ull << 53);
	assert_true(fabs(sum / 1000 - 0.5) < 0.04 && random_bits(7, 1) != random_bits(8, 1));
}

// ---- plans ----

static void take(struct plan *p, const char *words)
{
	char text[1024], line[1024], *save = NULL;
	struct fault f = {0};
	snprintf(text, sizeof text, "%s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!plan_word(p, w, &f))
			fail_msg("%s", fault_line(&f, line, sizeof line));
	if (!plan_settle(p, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
}

static void a_plan_is_written_and_read(void **context)
{
	(void)context;
	struct plan p = {0}, back = {0};
	struct string text = {0}, again = {0};
	struct fault f;
	char path[] = "/tmp/bitscape-plan-XXXXXX";
	int fd = mkstemp(path), count, same;
	take(&p,
		"net=resnet8 net=resnet20:width=0.5 widths=0.5,1 formats=int4,int8 targets=int4,0.1x seeds=1-3,9 times=1,0.5 "
		"searchers=reinforce,uniform steps=10 between=50M,300M data=glyphs:12");
	plan_write(&p, &text);
	assert_true(fd >= 0 && !text.failed && write(fd, text.bytes, text.length) == (ssize_t)text.length);
	assert_true(plan_file(&back, path, &f) && plan_settle(&back, &f));
	plan_write(&back, &again);
	assert_string_equal(text.bytes, again.bytes);
	struct race_run *run = plan_runs(&p, &count, &f), *other = plan_runs(&back, &same, &f);
	// 4 seeds x 3 comparisons x 4 networks x (2 formats + 2 searchers x 2 targets)
	assert_true(run && other && count == 4 * 3 * 4 * 6 && same == count);
	for (int i = 0; i < count; i++)
		assert_string_equal(run[i].name, other[i].name);
	for (int i = 0; i < count; i += 7)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(run[i].name, run[k].name);
	assert_string_equal(run[0].entrant->name, "baseline"); // what the others are held against comes first
	assert_string_equal(run[0].network, "resnet8:width=0.5");
	free(run);
	free(other);
	unlink(path);
	close(fd);
	string_free(&text);
	string_free(&again);
	plan_free(&p);
	plan_free(&back);
}

static void take_lines(struct plan *p, const char *lines)
{
	char path[] = "/tmp/bitscape-plan-XXXXXX", line[1024];
	int fd = mkstemp(path);
	struct fault f = {0};
	assert_true(fd >= 0 && write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines));
	if (!plan_file(p, path, &f) || !plan_settle(p, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
	unlink(path);
	close(fd);
}

// Entrants with networks of their own: each runs on these, what is trained alone on those of the one that found it.
static void entrants_have_networks_of_their_own(void **context)
{
	(void)context;
	struct plan p = {0}, back = {0};
	struct string text = {0}, again = {0};
	struct fault f;
	int count, of[4] = {0};
	char value[ENGINE_TEXT];
	take_lines(&p,
		"net=resnet-nas widths=0.25 formats=int4,int8 targets=1M seeds=1,2\n"
		"baseline uniform net=resnet8 net=resnet20 widths=0.25,0.5,1\n"
		"entrant live modal-share=0.5\n"
		"entrant fixed net='resnet8:width=0.5'\n"
		"entrant again alone=live\n"
		"entrant fixed-again alone=fixed\n");
	assert_true(plan_one_contest(&p));
	plan_write(&p, &text);
	take_lines(&back, text.bytes);
	plan_write(&back, &again);
	assert_string_equal(text.bytes, again.bytes);
	struct race_run *run = plan_runs(&p, &count, &f);
	assert_true(run && count == 2 * (2 * 3 * 2 + 4));
	for (int i = 0; i < count; i++) {
		bool open = strcmp(run[i].entrant->name, "again") == 0;
		assert_int_equal(run[i].leaves_open, open);
		if (strncmp(run[i].entrant->name, "fixed", 5) == 0)
			of[0] += strcmp(run[i].network, "resnet8:width=0.5") == 0;
		if (strcmp(run[i].entrant->name, "live") == 0 || open)
			of[1] += strcmp(run[i].network, "resnet-nas:width=0.25") == 0;
		if (!run[i].entrant->alone[0])
			continue;
		struct config *c = plan_config(&p, &run[i], &f);
		assert_true(c && config_get(c, "searcher", value, sizeof value));
		assert_string_equal(value, open ? "reinforce" : "uniform");
		assert_true(config_get(c, "warmup", value, sizeof value));
		assert_true(!open || strcmp(value, "1") == 0); // so that nothing but the training is done
		config_free(c);
	}
	assert_true(of[0] == 4 && of[1] == 4);
	free(run);
	string_free(&text);
	string_free(&again);
	plan_free(&p);
	plan_free(&back);
}

// What trains paths alone has a run for each; they have no row of the table.
static void paths_are_runs(void **context)
{
	(void)context;
	struct plan p = {0}, back = {0};
	struct string text = {0}, again = {0};
	struct fault f;
	int count;
	take_lines(&p,
		"net=resnet-nas targets=40M,80M seeds=1,2 times=1\nentrant live\nentrant shared space=int4 paths=7\nentrant again alone=shared\n");
	plan_write(&p, &text);
	take_lines(&back, text.bytes);
	plan_write(&back, &again);
	assert_string_equal(text.bytes, again.bytes);
	struct race_run *run = plan_runs(&p, &count, &f);
	assert_true(run && count == 2 * 2 * (1 + 1 + 7 + 1)); // the last: live, at equal time
	int of[7] = {0};
	for (int i = 0; i < count; i++) {
		bool path = strcmp(run[i].entrant->name, "again") == 0;
		assert_int_equal(run[i].path >= 0, path);
		if (path)
			of[run[i].path]++;
		for (int k = 0; k < i; k++)
			assert_string_not_equal(run[i].name, run[k].name);
	}
	for (int k = 0; k < 7; k++)
		assert_int_equal(of[k], 4);
	free(run);
	string_free(&text);
	string_free(&again);
	plan_free(&p);
	plan_free(&back);
}

// A run has the settings of all, those of its entrant, and what its kind says.
static void runs_have_their_settings(void **context)
{
	(void)context;
	struct plan p = {0};
	struct fault f;
	int count;
	char value[ENGINE_TEXT];
	take(&p, "formats=int3 targets=0.2x term=size searchers=ends steps=77 seeds=5");
	struct race_run *run = plan_runs(&p, &count, &f);
	assert_true(run && count == 2);
	const char *const expected[][4] = {{"steps", "77", "77", ""}, {"seed", "5", "5", ""}, {"space", "int3", "wide", ""},
		{"searcher", "uniform", "ends", ""}, {"front-every", "0", "0", ""}, {"target.size", "", "0.2x", ""},
		{"weight.size", "0", "2", ""}};
	for (int i = 0; i < 2; i++) {
		struct config *c = plan_config(&p, &run[i], &f);
		assert_non_null(c);
		for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
			assert_true(config_get(c, expected[k][0], value, sizeof value));
			assert_string_equal(value, expected[k][1 + i]);
		}
		config_free(c);
	}
	free(run);
	plan_free(&p);
}

// ---- how it stands ----

// A race whose results are made up: accuracy and cost by the run.
static void make_up(struct race *race, const char *words, double (*cost)(const struct race_run *),
	double (*test)(const struct race_run *))
{
	struct fault f;
	take(&race->plan, words);
	race->run = plan_runs(&race->plan, &race->runs, &f);
	race->result = calloc((size_t)race->runs, sizeof *race->result);
	assert_true(race->run && race->result);
	for (int i = 0; i < race->runs; i++) {
		struct result *r = &race->result[i];
		*r = (struct result){.there = true, .terms = 1, .test = test(&race->run[i]), .running = 2, .memory = 1e6};
		snprintf(r->term[0].name, sizeof r->term[0].name, "bops");
		r->term[0].cost = cost(&race->run[i]);
	}
}

static double bits(const struct race_run *run)
{
	return strtod(run->aim + 3, NULL);
}
static double width(const struct race_run *run)
{
	return run->width[0] ? strtod(run->width, NULL) : 1;
}
static double cost_of(const struct race_run *run)
{
	return 1e6 * bits(run) * bits(run) * width(run);
}
// Uniform int2, int4, int8: 20, 60, 64 % at width 1; a search has 3 points more than uniform; a seed has its own tenths.
static double test_of(const struct race_run *run)
{
	double b = bits(run), uniform = b < 3 ? 20 : b < 5 ? 60 : 64;
	double seed = strtod(run->seed, NULL);
	return (uniform - 10 * (1 - width(run)) + (run->entrant->baseline ? 0 : 3) + 0.1 * seed) / 100;
}

static void a_race_stands(void **context)
{
	(void)context;
	struct race race = {0};
	struct standing s;
	struct fault f;
	make_up(&race, "formats=int2,int4,int8 targets=int2,int4 seeds=1-3 net=resnet8", cost_of, test_of);
	race.result[0].there = false; // seed 1 of uniform int2 is still to come
	assert_true(standing_of(&race, &s, &f));
	assert_int_equal(s.rows, 5);
	assert_int_equal(s.row[0].test.count, 2);
	assert_true(near(s.row[1].test.mean, 60.2) && near(s.row[1].test.sd, 0.1) && near(s.row[1].cost.mean, 16e6));
	assert_true(s.row[0].corner && s.row[1].corner && s.row[2].corner);
	const struct standing_row *narrow = &s.row[3], *wide = &s.row[4];
	assert_string_equal(narrow->run->aim, "int2");
	assert_true(near(wide->gap.mean, 3) && near(wide->gap.sd, 0.1) && near(wide->pairs.mean, 3) &&
		near(wide->pairs.sd + 1, 1));
	assert_true(wide->claim && !narrow->claim); // 20 % are less than two thirds of 64
	assert_true(strstr(narrow->note, "too poor") != NULL);
	assert_int_equal(narrow->pairs.count, 2); // no baseline as cheap in seed 1
	assert_int_equal(s.hulls, 1);
	assert_true(near(s.hull[0].gap.from, 4e6) && near(s.hull[0].gap.to, 16e6));
	standing_free(&s);
	race_free(&race);
}

// The hull is over all widths, and `at its width` over one.
static void a_race_over_widths_stands(void **context)
{
	(void)context;
	struct race race = {0};
	struct standing s;
	struct fault f;
	make_up(&race, "formats=int4,int8 targets=int4 widths=0.5,1 seeds=1 net=resnet8", cost_of, test_of);
	assert_true(standing_of(&race, &s, &f));
	// Uniform: 8 M 55 %, 32 M 59 %, 16 M 60 %, 64 M 64 %: the second is under the hull of the others.
	assert_int_equal(s.rows, 6);
	assert_true(s.row[0].corner && !s.row[1].corner && s.row[2].corner && s.row[3].corner);
	assert_true(near(s.row[1].gap.mean, 59 - 62) && near(s.row[1].at_width.mean + 1, 1));
	assert_true(near(s.row[4].gap.mean, 3) && near(s.row[5].gap.mean, 3));
	standing_free(&s);
	race_free(&race);
}

// Two formats whose sizes overlap over widths, and one that never is so small.
static double size_of(const struct race_run *run)
{
	return (bits(run) < 5 ? 10 + bits(run) : 1000) * width(run);
}

static void formats_at_equal_cost(void **context)
{
	(void)context;
	struct race race = {0};
	struct standing s;
	struct fault f;
	make_up(&race, "formats=int2,int4,int8 targets=int4 widths=0.5,1 seeds=1-3 net=resnet8 net=resnet20", size_of, test_of);
	assert_true(standing_of(&race, &s, &f));
	// int2 at width 1 costs 12; int4 does so between 7 (55 %) and 14 (60 %).
	assert_int_equal(s.levels, 4);
	for (int n = 0; n < 2; n++) {
		const struct standing_level *two = &s.level[2 * n], *four = two + 1;
		assert_string_equal(two->run->net, n ? "resnet20" : "resnet8");
		assert_string_equal(two->run->aim, "int2");
		assert_string_equal(four->run->aim, "int4");
		assert_true(standing_same_line(two->run, four->run) && near(two->cost, 12) && near(four->cost, 12));
		assert_true(near(two->test.mean, 20.2) && near(two->test.sd, 0.1) && two->test.count == 3);
		assert_true(near(four->test.mean, 55.2 + 5 * log(12 / 7.0) / log(2)));
	}
	assert_false(standing_same_line(s.level[0].run, s.level[2].run));
	standing_free(&s);
	race_free(&race);
	race = (struct race){0};
	make_up(&race, "formats=int2,int8 targets=int4 widths=0.5,1 seeds=1 net=resnet8", size_of, test_of);
	assert_true(standing_of(&race, &s, &f));
	assert_int_equal(s.levels, 0); // one alone has nothing to stand beside
	standing_free(&s);
	race_free(&race);
}

// All networks are one contest where some are an entrant's own: one hull, and a search without a baseline of its width is held against it.
static double cost_of_net(const struct race_run *run)
{
	return run->entrant->baseline ? cost_of(run) : 16e6;
}
static double test_of_net(const struct race_run *run)
{
	return run->entrant->baseline ? test_of(run) : 0.635;
}

static void one_contest_stands(void **context)
{
	(void)context;
	struct race race = {0};
	struct standing s;
	struct fault f;
	take_lines(&race.plan,
		"net=resnet-nas formats=int4,int8 targets=16M seeds=1\nbaseline uniform net=resnet8 widths=0.5,1\n"
		"entrant live\nentrant fixed net=resnet8 net=resnet20\n");
	make_up(&race, "seeds=1", cost_of_net, test_of_net);
	assert_true(standing_of(&race, &s, &f));
	// Uniform: 8 M 55.1 %, 32 M 59.1 %, 16 M 60.1 %, 64 M 64.1 %.
	assert_int_equal(s.rows, 4 + 1 + 2);
	assert_true(s.row[0].corner && !s.row[1].corner && s.row[2].corner && s.row[3].corner);
	for (int i = 4; i < s.rows; i++) {
		assert_true(near(s.row[i].gap.mean, 63.5 - 60.1) && isnan(s.row[i].at_width.mean));
		assert_true(s.row[i].claim);
	}
	assert_int_equal(s.hulls, 2);
	assert_string_equal(s.hull[0].net, "resnet-nas");
	assert_string_equal(s.hull[1].net, ""); // of several
	standing_free(&s);
	race_free(&race);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spreads),
		cmocka_unit_test(hulls),
		cmocka_unit_test(a_hull_lies_above_all),
		cmocka_unit_test(lines),
		cmocka_unit_test(hull_against_hull),
		cmocka_unit_test(rankings),
		cmocka_unit_test(a_plan_is_written_and_read),
		cmocka_unit_test(entrants_have_networks_of_their_own),
		cmocka_unit_test(paths_are_runs),
		cmocka_unit_test(runs_have_their_settings),
		cmocka_unit_test(a_race_stands),
		cmocka_unit_test(a_race_over_widths_stands),
		cmocka_unit_test(formats_at_equal_cost),
		cmocka_unit_test(one_contest_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

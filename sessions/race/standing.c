// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/standing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A uniform network below this share of the best format's accuracy is no network to compare with.
static const double CLAIM = 2.0 / 3;

static bool same_row(const struct race_run *a, const struct race_run *b)
{
	return a->entrant == b->entrant && strcmp(a->network, b->network) == 0 && strcmp(a->aim, b->aim) == 0 &&
		strcmp(a->time, b->time) == 0;
}

bool standing_same_contest(const struct standing *s, const struct race_run *a, const struct race_run *b)
{
	return (plan_one_contest(&s->race->plan) || strcmp(a->net, b->net) == 0) && strcmp(a->time, b->time) == 0;
}

static int seed_of(const struct race *race, const struct race_run *run)
{
	int s = 0;
	while (strcmp(race->plan.seeds.text[s], run->seed) != 0)
		s++;
	return s;
}

static double *of(double *matrix, const struct standing *s, int row)
{
	return matrix + row * s->race->plan.seeds.count;
}

// ---- rows ------------------------------------------------------------------------------------------------------------

static void gather_row(struct standing *s, int row, double *seconds, double *processors, double *memory)
{
	const struct race *race = s->race;
	const int seeds = race->plan.seeds.count;
	double *accuracy = of(s->accuracy, s, row), *cost = of(s->cost, s, row);
	for (int i = 0; i < seeds; i++)
		accuracy[i] = cost[i] = seconds[i] = processors[i] = memory[i] = NAN;
	for (int i = 0; i < race->runs; i++) {
		const struct result *r = &race->result[i];
		if (!r->there || r->why[0] || !same_row(&race->run[i], s->row[row].run))
			continue;
		int seed = seed_of(race, &race->run[i]);
		accuracy[seed] = 100 * r->test;
		cost[seed] = result_cost(r, race->plan.term);
		seconds[seed] = r->running;
		processors[seed] = r->processors;
		memory[seed] = r->memory;
	}
	struct standing_row *its = &s->row[row];
	its->test = spread_of(accuracy, seeds);
	its->cost = spread_of(cost, seeds);
	its->seconds = spread_of(seconds, seeds);
	its->processors = spread_of(processors, seeds);
	its->memory = spread_of(memory, seeds);
	its->note = "";
}

static bool gather(struct standing *s, struct fault *f)
{
	const struct race *race = s->race;
	const size_t seeds = (size_t)race->plan.seeds.count, most = (size_t)race->runs;
	double *room = calloc(3 * seeds, sizeof *room);
	s->row = calloc(most, sizeof *s->row);
	s->accuracy = calloc(most * seeds, sizeof *s->accuracy);
	s->cost = calloc(most * seeds, sizeof *s->cost);
	s->hull = calloc(most, sizeof *s->hull);
	s->level = calloc(most, sizeof *s->level);
	bool ok = (room && s->row && s->accuracy && s->cost && s->hull && s->level) || fault_memory(f, race->folder);
	for (int i = 0; ok && i < race->runs; i++) {
		// Every row has a run of the first seed; paths are ranked elsewhere.
		if (seed_of(race, &race->run[i]) > 0 || race->run[i].path >= 0)
			continue;
		s->row[s->rows].run = &race->run[i];
		gather_row(s, s->rows++, room, room + seeds, room + 2 * seeds);
	}
	free(room);
	return ok;
}

// ---- against the baselines -------------------------------------------------------------------------------------------

// The spots of some rows' means, or of one seed; how many.
static int spots(const struct standing *s, int row, int seed, struct spot *spot, int count)
{
	const struct standing_row *r = &s->row[row];
	const int seeds = s->race->plan.seeds.count;
	spot[count] = seed < 0 ? (struct spot){r->cost.mean, r->test.mean}
			       : (struct spot){s->cost[row * seeds + seed], s->accuracy[row * seeds + seed]};
	return count + 1;
}

int standing_baseline(const struct standing *s, const struct race_run *like, const char *width, int seed, struct spot *spot)
{
	int count = 0;
	for (int i = 0; i < s->rows; i++) {
		const struct race_run *run = s->row[i].run;
		if (run->entrant->baseline && standing_same_contest(s, run, like) && (!width || strcmp(run->width, width) == 0))
			count = spots(s, i, seed, spot, count);
	}
	return hull_of(spot, count);
}

// Each seed's height above a hull: of the means of baselines, or of its own seed's.
static struct spread gap_of(const struct standing *s, int row, const char *width, bool paired, struct spot *spot, double *room)
{
	const struct race_run *run = s->row[row].run;
	const int seeds = s->race->plan.seeds.count;
	int corners = standing_baseline(s, run, width, -1, spot);
	for (int i = 0; i < seeds; i++) {
		if (paired)
			corners = standing_baseline(s, run, width, i, spot);
		room[i] = s->accuracy[row * seeds + i] - hull_at(spot, corners, s->cost[row * seeds + i]);
	}
	return spread_of(room, seeds);
}

// Whether the uniform network of the same cost, and width where there are such, is worth comparing with.
static void judge_claim(struct standing *s, int row, struct spot *spot)
{
	struct standing_row *r = &s->row[row];
	int corners = standing_baseline(s, r->run, r->run->width, -1, spot);
	if (!corners)
		corners = standing_baseline(s, r->run, NULL, -1, spot);
	double uniform = hull_at(spot, corners, r->cost.mean);
	r->note = r->test.count == 0                        ? "no result"
		: !corners                                  ? "no baseline"
		: isnan(uniform)                            ? "no claim: cheaper than every uniform network"
		: uniform < CLAIM * spot[corners - 1].value ? "no claim: uniform networks are too poor here"
							    : "";
	r->claim = !r->note[0];
}

static void judge_row(struct standing *s, int row, struct spot *spot, double *room)
{
	struct standing_row *r = &s->row[row];
	r->gap = gap_of(s, row, NULL, false, spot, room);
	r->pairs = gap_of(s, row, NULL, true, spot, room);
	r->at_width = gap_of(s, row, r->run->width, false, spot, room);
	if (!r->run->entrant->baseline) {
		judge_claim(s, row, spot);
		return;
	}
	int corners = standing_baseline(s, r->run, NULL, -1, spot);
	for (int i = 0; i < corners; i++)
		r->corner |= spot[i].cost == r->cost.mean && spot[i].value == r->test.mean;
}

// ---- hull against hull -----------------------------------------------------------------------------------------------

static int entrant_hull(const struct standing *s, const struct race_run *like, int seed, struct spot *spot)
{
	int count = 0;
	for (int i = 0; i < s->rows; i++)
		if (s->row[i].run->entrant == like->entrant && standing_same_contest(s, s->row[i].run, like))
			count = spots(s, i, seed, spot, count);
	return hull_of(spot, count);
}

static bool compare_at(const struct standing *s, const struct race_run *like, int seed, struct spot *spot, struct hull_gap *gap)
{
	const struct plan *p = &s->race->plan;
	struct spot *own = spot + s->rows;
	int base = standing_baseline(s, like, NULL, seed, spot), corners = entrant_hull(s, like, seed, own);
	return hull_compare(own, corners, spot, base, p->from, p->to > 0 ? p->to : INFINITY, gap);
}

// Whether an entrant's hull is of one network, and its widths.
static bool one_net(const struct standing *s, const struct race_run *like)
{
	for (int i = 0; i < s->rows; i++)
		if (s->row[i].run->entrant == like->entrant && standing_same_contest(s, s->row[i].run, like) &&
			strcmp(s->row[i].run->net, like->net) != 0)
			return false;
	return true;
}

static void compare_hulls(struct standing *s, struct spot *spot, double *room)
{
	const int seeds = s->race->plan.seeds.count;
	for (int i = 0; i < s->rows; i++) {
		const struct race_run *run = s->row[i].run;
		struct standing_hull *h = &s->hull[s->hulls];
		bool known = run->entrant->baseline;
		for (int k = 0; k < i; k++)
			known |= s->row[k].run->entrant == run->entrant && standing_same_contest(s, s->row[k].run, run);
		if (known || !compare_at(s, run, -1, spot, &h->gap))
			continue;
		h->net = one_net(s, run) ? run->net : "";
		h->time = run->time;
		h->entrant = run->entrant->name;
		for (int seed = 0; seed < seeds; seed++) {
			struct hull_gap gap;
			room[seed] = compare_at(s, run, seed, spot, &gap) ? gap.mean : (double)NAN;
		}
		h->paired = spread_of(room, seeds);
		s->hulls++;
	}
}

// ---- formats at equal cost -------------------------------------------------------------------------------------------

bool standing_same_line(const struct race_run *a, const struct race_run *b)
{
	return a->entrant == b->entrant && strcmp(a->net, b->net) == 0 && strcmp(a->time, b->time) == 0;
}

static bool same_format(const struct race_run *a, const struct race_run *b)
{
	return standing_same_line(a, b) && strcmp(a->aim, b->aim) == 0;
}

// The spots of a format over its widths; seed -1: of the means.
static int format_spots(const struct standing *s, const struct race_run *like, int seed, struct spot *spot)
{
	int count = 0;
	for (int i = 0; i < s->rows; i++)
		if (same_format(s->row[i].run, like))
			count = spots(s, i, seed, spot, count);
	return count;
}

// The largest cost that all formats of a baseline reach.
static double common_cost(const struct standing *s, const struct race_run *like, struct spot *spot)
{
	double common = INFINITY;
	for (int i = 0; i < s->rows; i++) {
		if (!standing_same_line(s->row[i].run, like))
			continue;
		double most = 0;
		for (int n = format_spots(s, s->row[i].run, -1, spot); n-- > 0;)
			most = fmax(most, spot[n].cost);
		common = fmin(common, most);
	}
	return common;
}

static void add_level(struct standing *s, const struct race_run *run, double cost, struct spot *spot, double *room)
{
	const int seeds = s->race->plan.seeds.count;
	for (int seed = 0; seed < seeds; seed++)
		room[seed] = line_at(spot, format_spots(s, run, seed, spot), cost);
	const struct spread test = spread_of(room, seeds);
	if (test.count)
		s->level[s->levels++] = (struct standing_level){run, cost, test};
}

static bool is_first(const struct standing *s, int row, bool (*alike)(const struct race_run *, const struct race_run *))
{
	for (int k = 0; k < row; k++)
		if (alike(s->row[k].run, s->row[row].run))
			return false;
	return true;
}

static void find_levels(struct standing *s, struct spot *spot, double *room)
{
	for (int i = 0; i < s->rows; i++) {
		const struct race_run *run = s->row[i].run;
		if (!run->entrant->baseline || !is_first(s, i, standing_same_line))
			continue;
		const int before = s->levels;
		const double cost = common_cost(s, run, spot);
		for (int k = i; k < s->rows; k++)
			if (standing_same_line(s->row[k].run, run) && is_first(s, k, same_format))
				add_level(s, s->row[k].run, cost, spot, room);
		if (s->levels == before + 1)
			s->levels = before;
	}
}

bool standing_of(const struct race *race, struct standing *s, struct fault *f)
{
	*s = (struct standing){.race = race};
	if (!gather(s, f)) {
		standing_free(s);
		return false;
	}
	struct spot *spot = calloc(2 * (size_t)s->rows + 1, sizeof *spot);
	double *room = calloc((size_t)race->plan.seeds.count, sizeof *room);
	bool ok = (spot && room) || fault_memory(f, race->folder);
	for (int i = 0; ok && i < s->rows; i++)
		judge_row(s, i, spot, room);
	if (ok) {
		compare_hulls(s, spot, room);
		find_levels(s, spot, room);
	}
	free(spot);
	free(room);
	if (!ok)
		standing_free(s);
	return ok;
}

void standing_free(struct standing *s)
{
	free(s->row);
	free(s->accuracy);
	free(s->cost);
	free(s->hull);
	free(s->level);
	*s = (struct standing){0};
}

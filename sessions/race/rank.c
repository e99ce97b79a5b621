// SPDX-License-Identifier: GPL-3.0-or-later
// `race rank`: whether shared weights order networks of one cost as they are ordered when each is trained alone.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/race/rank.h"
#include "sessions/race/statistics.h"

// The paths that a run has scored and another entrant has trained alone, as far as these are finished.
struct pairs {
	int count, all;
	double *shared, *alone, *macs, *cost, *heldout, *processors; // [count]
};

static bool of_path(const struct race_run *shared, const struct race_run *alone, int path, const struct entrant *by)
{
	return alone->entrant == by && alone->path == path && strcmp(alone->network, shared->network) == 0 &&
		strcmp(alone->aim, shared->aim) == 0 && strcmp(alone->seed, shared->seed) == 0;
}

static const struct result *trained_alone(const struct race *race, const struct race_run *shared, int path,
	const struct entrant *by)
{
	for (int i = 0; i < race->runs; i++)
		if (of_path(shared, &race->run[i], path, by))
			return race->result[i].there && !race->result[i].why[0] ? &race->result[i] : NULL;
	return NULL;
}

// Fills rows of `room` numbers each.
static void pair_up(const struct race *race, int run, const struct entrant *by, struct pairs *p, double *room)
{
	const struct result *r = &race->result[run];
	double **const list[] = {&p->shared, &p->alone, &p->macs, &p->cost, &p->heldout, &p->processors};
	*p = (struct pairs){.all = r->paths};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		*list[i] = room + i * (size_t)r->paths;
	for (int k = 0; k < r->paths; k++) {
		const struct result *alone = trained_alone(race, &race->run[run], k, by);
		if (!alone)
			continue;
		p->shared[p->count] = 100 * r->path[k].test;
		p->alone[p->count] = 100 * alone->test;
		p->macs[p->count] = r->path[k].macs;
		p->cost[p->count] = r->path[k].cost;
		p->heldout[p->count] = alone->heldout;
		p->processors[p->count++] = alone->processors;
	}
}

// ---- what is told ----------------------------------------------------------------------------------------------------

static void ranking_cells(struct report *r, const struct ranking *k)
{
	if (isnan(k->correlation)) {
		report_cell(r, "%s", "");
		report_cell(r, "%s", "");
		return;
	}
	report_cell(r, "%+.2f", k->correlation);
	report_cell(r, "%+.2f to %+.2f", k->low, k->high);
}

static void spread_cells(struct report *r, const double *x, int count)
{
	struct spread s = spread_of(x, count);
	if (s.count > 1)
		report_cell(r, "%.2f ±%.2f", s.mean, s.sd);
	else
		report_cell(r, "%s", "");
}

// How far the costs are apart, in percent.
static double apart(const double *cost, int count)
{
	double low = INFINITY, high = 0;
	for (int i = 0; i < count; i++) {
		low = fmin(low, cost[i]);
		high = fmax(high, cost[i]);
	}
	return count ? 100 * (high / low - 1) : 0;
}

static void row(struct report *r, const struct race_run *shared, const struct entrant *by, const struct pairs *p)
{
	struct ranking weights = ranking_of(p->shared, p->alone, p->count), macs = ranking_of(p->macs, p->alone, p->count);
	report_cell(r, "%s", shared->entrant->name);
	report_cell(r, "%s", by->name);
	report_cell(r, "%s", shared->network);
	report_cell(r, "%s", shared->aim);
	report_cell(r, "%s", shared->seed);
	report_cell(r, "%d of %d", p->count, p->all);
	report_cell(r, "%.1f", apart(p->cost, p->count));
	ranking_cells(r, &weights);
	ranking_cells(r, &macs);
	spread_cells(r, p->shared, p->count);
	spread_cells(r, p->alone, p->count);
}

// The search that the paths are compared with: the plan's first that scores none, with this aim and seed.
static const struct result *searched(const struct race *race, const struct race_run *shared, const char **name)
{
	for (int i = 0; i < race->runs; i++) {
		const struct race_run *run = &race->run[i];
		if (!run->entrant->baseline && !run->entrant->alone[0] && !run->entrant->paths && !run->time[0] &&
			strcmp(run->aim, shared->aim) == 0 && strcmp(run->seed, shared->seed) == 0) {
			*name = run->entrant->name;
			return race->result[i].there && !race->result[i].why[0] ? &race->result[i] : NULL;
		}
	}
	return NULL;
}

// The best random path of as many as train in the time of a search, by held-out images.
static void best_of(struct report *r, const struct race *race, const struct race_run *shared, const struct pairs *p)
{
	const char *name = "";
	const struct result *search = searched(race, shared, &name);
	double each = spread_of(p->processors, p->count).mean;
	if (!search || !(each > 0) || !(search->processors > 0))
		return;
	double trains = fmax(1, floor(search->processors / each));
	int count = trains < p->count ? (int)trains : p->count, best = 0;
	for (int i = 1; i < count; i++)
		if (p->heldout[i] > p->heldout[best])
			best = i;
	report_below(r,
		"%s, seed %s: %.0f random path%s train%s in the time of %s, which has %.2f %%; the best of %d by held-out images has %.2f %%",
		shared->aim, shared->seed, trains, trains > 1 ? "s" : "", trains > 1 ? "" : "s", name, 100 * search->test, count,
		p->alone[best]);
}

bool rank_table(struct command_call *call, const struct race *race)
{
	static const struct report_column column[] = {{"shared", true}, {"alone", true}, {"network", true}, {"aim", true},
		{"seed", false}, {"paths", false}, {"apart %", false}, {"weights", false}, {"95 %", false}, {"MACs", false},
		{"95 %", false}, {"shared %", false}, {"alone %", false}};
	struct report r;
	int rows = 0, finished = 0;
	bool ok = true;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; ok && i < race->runs; i++) {
		const struct race_run *run = &race->run[i];
		const int paths = race->result[i].paths;
		double *room = paths ? calloc(6 * (size_t)paths, sizeof *room) : NULL;
		ok = !paths || room || fault_memory(&call->fault, "rank");
		rows += run->entrant->paths > 0;
		for (int e = 0; room && e < race->plan.entrants; e++) {
			struct pairs p;
			if (strcmp(race->plan.entrant[e].alone, run->entrant->name) != 0)
				continue;
			pair_up(race, i, &race->plan.entrant[e], &p, room);
			row(&r, run, &race->plan.entrant[e], &p);
			best_of(&r, race, run, &p);
			finished++;
		}
		free(room);
	}
	if (ok && !rows)
		ok = fault_set(&call->fault, race->folder,
			"give the plan an entrant with paths=30, and one that is alone= that one",
			"no entrant of this race scores paths");
	report_above(&r, "%s: networks of about one cost, by accuracy with the weights that they share and trained alone%s",
		race->title, ok && !finished ? "; none is finished" : "");
	report_below(&r,
		"(Spearman's rank correlation with the accuracy alone, of accuracy with shared weights and of MACs; an interval of 95 %% by 2000 "
		"resamples; apart: the dearest over the cheapest; accuracies on test images, ± their spread over paths)");
	return report_end(&r, call, NULL, ok);
}

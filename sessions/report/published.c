// SPDX-License-Identifier: GPL-3.0-or-later
// The models against published results, row by row, and the rank of the topology search's published rows among all.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"

struct ranked {
	struct division division;
	double rate;
};

static int by_rate(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->rate, y = ((const struct ranked *)b)->rate;
	return (x < y) - (x > y);
}

// All of 512 chips that fit, each in the quickest of its four ways.
static int rank_all(const struct world *w, const struct division_job *j, struct ranked *to, int most, struct fault *f)
{
	struct slice s[8];
	int count = 0, slices = slices_of(&w->pod[0], 512, s, 8);
	struct division d[128];
	for (int i = 0; i < slices; i++) {
		int divisions = divisions_of(&s[i], false, false, d, 128);
		for (int k = 0; k < divisions && count < most; k++) {
			double best = 0;
			for (int style = 0; style < 4; style++) {
				struct division_price p;
				d[k].weights_2d = style & 1;
				d[k].activations_2d = style >> 1;
				if (division_train(w, j, &d[k], &p, f) && p.fits)
					best = fmax(best, p.rate);
			}
			if (best > 0)
				to[count++] = (struct ranked){d[k], best};
		}
	}
	qsort(to, (size_t)count, sizeof *to, by_rate);
	return count;
}

static int place_of(const struct ranked *all, int count, const int size[PARTS], int x, int z)
{
	for (int i = 0; i < count; i++)
		if (memcmp(all[i].division.size, size, sizeof all[i].division.size) == 0 && all[i].division.slice.axis[0] == x &&
			all[i].division.slice.axis[2] == z)
			return i;
	return -1;
}

static void tell_ranks(struct report *r, const char *name, double overlap, const int best[PARTS], int bx, int bz,
	const int old[PARTS], int ox, int oz)
{
	struct ranked *all = calloc(512, sizeof *all);
	struct pod pod;
	struct world w;
	struct division_job j;
	char spec[64], slice[48];
	int net = 0;
	while (strcmp(transformer_table[net].name, name) != 0)
		net++;
	if (!all || !pod_get("tpu_v4", &pod, NULL)) {
		r->failed = true;
		free(all);
		return;
	}
	world_begin(&w, &pod, NULL);
	world_set(&w, input_table[IN_OVERLAP].name, overlap, NULL);
	division_job_begin(&j, &w, &transformer_table[net]);
	j.batch = w.input[IN_BATCH];
	j.efficiency = division_calibrate(&w);
	int count = rank_all(&w, &j, all, 512, NULL), b = place_of(all, count, best, bx, bz),
	    o = place_of(all, count, old, ox, oz);
	if (b >= 0 && o >= 0)
		report_below(r,
			"%s, overlap %g: the published best is %d of %d that fit, what it replaced %d; the model prefers %s %s, "
			"%.3gx the published best",
			name, overlap, b + 1, count, o + 1, slice_name(&all[0].division.slice, slice),
			division_name(&all[0].division, spec), all[0].rate / all[b].rate);
	free(all);
}

// The model over what was published, case by case, with its band.
static void add_point(struct report_points *points, const struct published_result *result, int number)
{
	static const char *const verdict[] = {"agree", "band", "not", "fed"};
	const double published = result->row->value, at = result->band.value / published;
	int group = 0;
	while (strcmp(verdict[group], result->verdict) != 0)
		group++;
	if (!(at > 0))
		return;
	report_point(points, group, number, at, "%d", number);
	report_range(points, result->band.low / published, result->band.high / published);
}

static bool draw(struct report_points *points, struct command_call *call, const char *file, bool ok)
{
	static const char *const group[] = {"agree", "within the band", "not", "fitted to it"};
	return report_points_draw(points, call, file,
		(struct points_asked){.title = "The models against published figures",
			.x = "row of `pods published`",
			.y = "model / published",
			.log_y = true,
			.group = group,
			.groups = 4,
			.level_text = "published",
			.level = 1,
			.ranges = "over the inputs' ranges"},
		ok);
}

bool run_published(struct command_call *call, const char *csv, const char *plot)
{
	static const struct report_column column[] = {{"row", false}, {"figure", true}, {"with", true}, {"published", false},
		{"model", false}, {"band", false}, {"unit", true}, {"verdict", true}, {"moved most by", true}, {"reason", true}};
	static const double overlaps[] = {0, .8};
	static const int gpt3_best[] = {16, 4, 1, 8}, gpt3_old[] = {8, 1, 8, 8}, llm_best[] = {1, 1, 64, 8},
			 llm_old[] = {1, 1, 16, 32};
	struct published_result result[PUBLISHED_CASES];
	struct report_points points = {0};
	struct report r;
	int count = published_results(result, &call->fault);
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; i < count; i++) {
		const struct band *b = &result[i].band;
		add_point(&points, &result[i], i + 1);
		report_cell(&r, "%d", i + 1);
		report_cell(&r, "%s", result[i].row->name);
		report_cell(&r, "%s", result[i].with);
		report_cell(&r, "%.4g", result[i].row->value);
		report_cell(&r, "%.4g", b->value);
		report_band(&r, b, 1, "%.3g");
		report_cell(&r, "%s", result[i].row->unit);
		report_cell(&r, "%s", result[i].verdict);
		report_cell(&r, "%s", b->high - b->low > 1e-6 * fabs(b->high) ? b->mover : "");
		report_cell(&r, "%s", result[i].reason);
	}
	for (size_t i = 0; count && i < 2; i++) {
		tell_ranks(&r, "gpt3", overlaps[i], gpt3_best, 4, 16, gpt3_old, 8, 8);
		tell_ranks(&r, "lamda_137b", overlaps[i], llm_best, 8, 8, llm_old, 4, 16);
	}
	report_below(&r,
		"(agree: within 5 %% and resting on no unknown; band: within the range that the unknown inputs give, so that "
		"order and sign alone "
		"may be claimed)");
	return report_end(&r, call, csv, draw(&points, call, plot, count > 0));
}

// SPDX-License-Identifier: GPL-3.0-or-later
// How much of a pod runs jobs while hosts fail.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sessions/report/report.h"

enum { MIXES = 32 };

struct question {
	struct world world;
	struct block_grid grid;
	struct goodput_case asked;
	double hours, seed;
	const char *slice, *jobs;
	struct job_size mix[MIXES];
};

static double kept_of(const struct world *w, void *context)
{
	const struct question *q = context;
	return goodput_kept(w, &q->grid, &q->asked);
}

static bool add_simulated(struct report *r, struct question *q, bool fixed, struct fault *f)
{
	struct goodput_run run;
	q->asked.fixed = fixed;
	bool ok = goodput_simulate(&q->world, &q->asked, (uint64_t)q->seed, q->hours, &run, f);
	q->asked.fixed = false;
	if (ok) {
		report_cell(r, "%.2f +- %.2f", 100 * run.busy, 100 * run.busy_error);
		report_cell(r, "%.2f", 100 * run.useful);
	}
	return ok;
}

// A slice, or the mix where the closed forms say nothing.
static bool add_case(struct report *r, struct question *q, const int axis[3], double availability, struct fault *f)
{
	struct slice s = {{axis[0], axis[1], axis[2]}, {false}, false, false, 0};
	struct goodput_case *c = &q->asked;
	char name[48];
	memcpy(c->axis, axis, sizeof c->axis);
	c->availability = availability;
	report_cell(r, "%s", axis[0] ? slice_name(&s, name) : "the mix");
	report_cell(r, "%.4g", 100 * availability);
	if (axis[0]) {
		struct goodput_case other = *c;
		report_cell(r, "%.2f", 100 * goodput_busy(&q->grid, c));
		other.spares++;
		report_cell(r, "%.2f", 100 * goodput_busy(&q->grid, &other));
		other = *c;
		other.fixed = true;
		report_cell(r, "%.2f", 100 * goodput_busy(&q->grid, &other));
		struct band b = world_band(&q->world, kept_of, q);
		report_band(r, &b, 100, "%.3g");
		report_cell(r, "%s", b.low < b.high ? b.mover : "");
	} else {
		for (int i = 0; i < 5; i++)
			report_cell(r, "-");
	}
	return add_simulated(r, q, false, f) && add_simulated(r, q, true, f);
}

static bool check(struct question *q, const struct pod *p, double percent, double spares, struct fault *f)
{
	if (!block_grid_of(p, &q->grid, f))
		return false;
	if (percent == 0)
		return fault_set(f, "availability", "expected a percentage such as 99.5", "a host that is never up runs nothing");
	if (spares >= q->grid.blocks)
		return fault_set(f, "spares", "hold fewer back", "%s has %d blocks in all", p->name, q->grid.blocks);
	return true;
}

// "4x4x4:3,8x8x8:1": slices and how often each is asked for.
static bool read_jobs(struct question *q, const struct pod *p, struct fault *f)
{
	for (const char *at = q->jobs; *at;) {
		size_t n = strcspn(at, ",");
		char word[64], *colon;
		struct slice s;
		double share;
		snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), at);
		if (!(colon = strchr(word, ':')) || !number_read(colon + 1, &share) || !(share > 0 && share <= 1e6))
			return fault_set(f, word, "write jobs=4x4x4:3,8x8x8:1", "is not a slice and its share");
		*colon = '\0';
		if (!slice_read(p, word, false, &s, f))
			return false;
		if (q->asked.mixes == MIXES)
			return fault_set(f, "jobs", "leave some out", "more than %d sizes", MIXES);
		struct job_size *to = &q->mix[q->asked.mixes++];
		memcpy(to->axis, s.axis, sizeof to->axis);
		to->share = share;
		at += n + (at[n] == ',');
	}
	q->asked.mix = q->mix;
	return true;
}

bool run_goodput(struct command_call *call)
{
	static const struct report_column column[] = {{"slice", true}, {"hosts up %", false}, {"switched %", false},
		{"a spare more %", false}, {"fixed %", false}, {"kept %", false}, {"moved most by", true},
		{"simulated: switched %", false}, {"useful %", false}, {"fixed %", false}, {"useful %", false}};
	static const int sizes[][3] = {{4, 4, 4}, {4, 8, 8}, {8, 8, 8}, {8, 8, 16}, {8, 16, 16}, {12, 16, 16}, {0}};
	static const double usual[] = {.99, .995, .999};
	struct question q = {.hours = 20000, .seed = 1};
	struct pod p;
	struct slice s;
	struct report_asked asked;
	struct report r;
	double percent = (double)NAN, spares = 0, window = 1;
	const struct report_word words[] = {{.key = "slice=", .text = &q.slice}, {.key = "jobs=", .text = &q.jobs},
		{.key = "availability=", .number = &percent, .least = 0, .most = 100},
		{.key = "spares=", .number = &spares, .least = 0, .most = 1000},
		{.key = "window=", .number = &window, .least = 1, .most = 64},
		{.key = "hours=", .number = &q.hours, .least = 100, .most = 1e7},
		{.key = "seed=", .number = &q.seed, .least = 0, .most = 1e15}};
	if (!report_pod(call, 0, &p) || !report_words(call, 0, words, sizeof words / sizeof *words, &asked))
		return false;
	report_world(&asked, &p, NULL, &q.world);
	if (!check(&q, &p, percent, spares, &call->fault))
		return false;
	q.asked.spares = (int)spares;
	q.asked.window = (int)window;
	bool mix = q.jobs || (q.slice && strcmp(q.slice, "mix") == 0);
	if (q.jobs && q.slice)
		return fault_set(&call->fault, "jobs", "give one of the two", "does not go with slice=");
	if (q.jobs && !read_jobs(&q, &p, &call->fault))
		return false;
	if (q.slice && !mix && !slice_read(&p, q.slice, false, &s, &call->fault))
		return false;
	report_begin(&r, column, sizeof column / sizeof *column);
	report_above(&r, "%s: %d blocks of %d hosts, %g held back; a block is up while all its hosts are", p.name, q.grid.blocks,
		q.grid.hosts, spares);
	bool ok = true;
	for (size_t i = 0; ok && i < sizeof sizes / sizeof *sizes; i++) {
		const int none[3] = {0}, *axis = mix ? none : q.slice ? s.axis : sizes[i];
		for (size_t a = 0; ok && a < (isnan(percent) ? sizeof usual / sizeof *usual : 1); a++)
			ok = add_case(&r, &q, axis, isnan(percent) ? usual[a] : percent / 100, &call->fault);
		if (q.slice || q.jobs)
			break;
	}
	report_below(&r,
		"(switched, fixed: chips that run a job, in closed form; kept: of a job's time, in spite of failures; useful: "
		"simulated, both together;");
	report_below(&r,
		" %g hours from seed %g, +- one standard error of %d batches; jobs of %g h on average, in the order in which "
		"they come)",
		q.hours, q.seed, 40, q.world.input[IN_JOB]);
	if (p.figure[POD_SWITCH_COST].value > 0)
		report_below(&r, "(the switches: below %g %% of the cost, below %g %% of the power)",
			100 * p.figure[POD_SWITCH_COST].value, 100 * p.figure[POD_SWITCH_POWER].value);
	return report_end(&r, call, asked.csv, ok);
}

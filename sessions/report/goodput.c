// SPDX-License-Identifier: GPL-3.0-or-later
// How much of a pod runs jobs while hosts fail.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"
#include "sessions/sessions.h"

static double kept_of(const struct world *w, void *context)
{
	const struct goodput_question *q = context;
	return goodput_kept(w, &q->grid, &q->asked);
}

static bool add_simulated(struct report *r, struct goodput_question *q, bool fixed, struct fault *f)
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
static bool add_case(struct report *r, struct goodput_question *q, const int axis[3], double availability, struct fault *f)
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

static bool check(struct goodput_question *q, const struct pod *p, double percent, double spares, struct fault *f)
{
	if (!block_grid_of(p, &q->grid, f))
		return false;
	if (percent == 0)
		return fault_set(f, "availability", "expected a percentage such as 99.5", "a host that is never up runs nothing");
	if (spares >= q->grid.blocks)
		return fault_set(f, "spares", "hold fewer back", "%s has %d blocks in all", p->name, q->grid.blocks);
	return true;
}

static bool asked_of(struct command_call *call, struct goodput_question *q, struct report_asked *asked)
{
	struct pod p;
	const char *slice = NULL, *jobs = NULL;
	double percent = (double)NAN, spares = -1, window = GOODPUT_WINDOW;
	*q = (struct goodput_question){.hours = 20000, .seed = 1};
	const struct report_word words[] = {{.key = "slice=", .text = &slice}, {.key = "jobs=", .text = &jobs},
		{.key = "availability=", .number = &percent, .least = 0, .most = 100},
		{.key = "spares=", .number = &spares, .least = 0, .most = 1000},
		{.key = "window=", .number = &window, .least = 1, .most = 64},
		{.key = "hours=", .number = &q->hours, .least = 100, .most = 1e7},
		{.key = "seed=", .number = &q->seed, .least = 0, .most = 1e15}, {.key = "plot=", .text = &q->plot}};
	snprintf(q->on, sizeof q->on, "tpu_v4");
	for (int i = 0; i + 1 < call->argc; i++)
		if (strcmp(call->argv[i], "on") == 0)
			snprintf(q->on, sizeof q->on, "%s", call->argv[i + 1]);
	if (!report_pod(call, 0, &p) || !report_words(call, 0, words, sizeof words / sizeof *words, asked))
		return false;
	report_world(asked, &p, NULL, &q->world);
	q->csv = asked->csv;
	if (!check(q, &p, percent, spares, &call->fault))
		return false;
	q->asked.availability = percent / 100;
	q->asked.spares = spares > 0 ? (int)spares : 0;
	q->asked.window = (int)window;
	q->sized = slice || jobs;
	q->spared = spares >= 0;
	if (jobs && slice)
		return fault_set(&call->fault, "jobs", "give one of the two", "does not go with slice=");
	return !q->sized || goodput_jobs_read(jobs ? jobs : slice, &p, &q->asked, q->mix, &call->fault);
}

bool session_goodput_question(struct command_call *call, struct goodput_question *q)
{
	struct report_asked asked;
	return asked_of(call, q, &asked);
}

static bool draw(struct command_call *call, const struct goodput_question *q)
{
	if (!q->plot)
		return true;
	struct figure *its = figure_of_goodput(&q->world.pod[0], &call->fault);
	bool ok = its && report_picture_in(call, its, q->plot);
	figure_free(its);
	return ok;
}

bool run_goodput(struct command_call *call)
{
	static const struct report_column column[] = {{"slice", true}, {"hosts up %", false}, {"switched %", false},
		{"a spare more %", false}, {"fixed %", false}, {"kept %", false}, {"moved most by", true},
		{"simulated: switched %", false}, {"useful %", false}, {"fixed %", false}, {"useful %", false}};
	static const int sizes[][3] = {{4, 4, 4}, {4, 8, 8}, {8, 8, 8}, {8, 8, 16}, {8, 16, 16}, {12, 16, 16}, {0}};
	static const double usual[] = {.99, .995, .999};
	struct goodput_question q;
	struct report_asked asked;
	struct report r;
	if (!asked_of(call, &q, &asked))
		return false;
	const struct pod *p = &q.world.pod[0];
	const double availability = q.asked.availability;
	int axis[3];
	memcpy(axis, q.asked.axis, sizeof axis);
	report_begin(&r, column, sizeof column / sizeof *column);
	r.view = true;
	report_above(&r, "%s: %d blocks of %d hosts, %d held back; a block is up while all its hosts are", p->name, q.grid.blocks,
		q.grid.hosts, q.asked.spares);
	bool ok = true;
	for (size_t i = 0; ok && i < (q.sized ? 1 : sizeof sizes / sizeof *sizes); i++)
		for (size_t a = 0; ok && a < (isnan(availability) ? sizeof usual / sizeof *usual : 1); a++)
			ok = add_case(&r, &q, q.sized ? axis : sizes[i], isnan(availability) ? usual[a] : availability,
				&call->fault);
	report_below(&r,
		"(switched, fixed: chips that run a job, in closed form; kept: of a job's time, in spite of failures; useful: "
		"simulated, both together;");
	report_below(&r,
		" %g hours from seed %g, +- one standard error of %d batches; jobs of %g h on average; of those that wait the first "
		"that fits is placed, %d at most are tried)",
		q.hours, q.seed, 40, q.world.input[IN_JOB], q.asked.window);
	if (p->figure[POD_SWITCH_COST].value > 0)
		report_below(&r, "(the switches: below %g %% of the cost, below %g %% of the power)",
			100 * p->figure[POD_SWITCH_COST].value, 100 * p->figure[POD_SWITCH_POWER].value);
	ok = ok && draw(call, &q);
	return report_end(&r, call, asked.csv, ok);
}

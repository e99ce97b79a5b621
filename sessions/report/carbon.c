// SPDX-License-Identifier: GPL-3.0-or-later
// Energy and CO2e: published training runs with hours predicted, a run of one's own, and a transformer's over sizes and sites.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"

struct question {
	struct pod pod;
	struct world world;
	struct site own;
	const char *site, *format, *plot;
	double chips, operations, utilization, watts, tokens, deadline, pue, gross, net;
};

static const struct chip_power *power_named(const char *name)
{
	for (int i = 0; i < chip_power_count; i++)
		if (strcmp(name, chip_powers[i].name) == 0)
			return &chip_powers[i];
	return NULL;
}

static bool list_sites(struct command_call *call, const char *csv)
{
	static const struct report_column column[] = {
		{"site", true}, {"PUE", false}, {"kg CO2e/kWh gross", false}, {"net", false}, {"source", true}};
	struct report r;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; i < site_count; i++) {
		const struct site *s = &site_table[i];
		report_cell(&r, "%s", s->name);
		report_cell(&r, "%.2f", s->pue);
		report_cell(&r, "%.3f", s->gross);
		report_cell(&r, "%.3f", s->net);
		report_cell(&r, "%s", s->source);
	}
	report_below(&r,
		"(CO2e: all greenhouse gases, as CO2; net: less the clean energy that the operator buys; your own: pue= gross= net=, or site=PUE/GROSS/NET)");
	return report_end(&r, call, csv, true);
}

// ---- published runs -------------------------------------------------------------------------------------------------------

static bool list_runs(struct command_call *call, const char *csv, const char *plot)
{
	static const char *const group[] = {"runs"};
	struct report_points points = {0};
	static const struct report_column column[] = {{"run", true}, {"chips", true}, {"days", false}, {"published", false},
		{"MWh", false}, {"published", false}, {"t CO2e net", false}, {"published", false}, {"off by: utilization", false},
		{"power", false}, {"PUE and rest", false}};
	struct report r;
	double use = carbon_utilization();
	bool ok = true;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; ok && i < training_run_count; i++) {
		const struct training_run *t = &training_runs[i];
		const struct chip_power *c = power_named(t->pod);
		struct site s;
		if (!(ok = c && site_get(t->site, &s, &call->fault)))
			break;
		struct footprint f = footprint_of(t->operations / (t->chips * c->peak * use), t->chips, c->watts, &s);
		double utilization = t->rate / (c->peak * use), power = c->watts / t->watts;
		report_cell(&r, "%s", t->name);
		report_cell(&r, "%g %s", t->chips, t->pod);
		report_cell(&r, "%.3g", f.hours / 24);
		report_cell(&r, "%.3g", t->days);
		report_cell(&r, "%.3g", f.mwh);
		report_cell(&r, "%.3g", t->mwh);
		report_cell(&r, "%.3g", f.net);
		report_cell(&r, "%.3g", t->tonnes_net);
		report_cell(&r, "%.3gx", utilization);
		report_cell(&r, "%.3gx", power);
		report_cell(&r, "%.3gx", f.mwh / t->mwh / utilization / power);
		report_point(&points, 0, t->mwh, f.mwh, "%.15s", t->name);
	}
	report_below(&r,
		"(hours from operations at %.1f %% of the peak, GPT-3's expert row, and mean system power a chip; what is off in "
		"MWh is the product of",
		100 * use);
	report_below(&r,
		" the last three: published over predicted utilization, predicted over published power, and PUE with rounding)");
	ok = report_points_draw(&points, call, plot,
		(struct points_asked){.title = "Energy of published training runs",
			.x = "published (MWh)",
			.y = "by the model (MWh)",
			.log_x = true,
			.log_y = true,
			.group = group,
			.groups = 1},
		ok);
	return report_end(&r, call, csv, ok);
}

// ---- one's own ------------------------------------------------------------------------------------------------------------

static bool set_site(struct question *q, struct fault *f)
{
	struct site s;
	if (!site_get(q->site, &s, f))
		return false;
	q->own = s;
	if (q->pue > 0 || q->gross >= 0 || q->net >= 0) {
		q->own.name = "one's own";
		q->own.pue = q->pue > 0 ? q->pue : s.pue;
		q->own.gross = q->gross >= 0 ? q->gross : s.gross;
		q->own.net = q->net >= 0 ? q->net : q->gross >= 0 ? q->gross : s.net;
	}
	return q->own.net <= q->own.gross ||
		fault_set(f, "net", "give gross= too, at least as much", "%g kg/kWh net is more than %g gross", q->own.net,
			q->own.gross);
}

static const struct report_column result[] = {{"what", true}, {"chips", false}, {"site", true}, {"days", false}, {"MWh", false},
	{"t CO2e gross", false}, {"t CO2e net", false}, {"note", true}};

static void add_result(struct report *r, const char *what, double chips, const struct site *s, const struct footprint *f,
	const char *note)
{
	report_cell(r, "%s", what);
	report_cell(r, "%g", chips);
	report_cell(r, "%s", s->name);
	report_cell(r, "%.4g", f->hours / 24);
	report_cell(r, "%.4g", f->mwh);
	report_cell(r, "%.4g", f->gross);
	report_cell(r, "%.4g", f->net);
	report_cell(r, "%s", note);
}

static bool run_job(struct command_call *call, struct question *q, const char *csv)
{
	struct report r;
	const struct chip_power *c = power_named(q->pod.device);
	double use = q->utilization > 0 ? q->utilization : carbon_utilization(),
	       watts = q->watts > 0 ? q->watts
		: c                 ? c->watts
				    : q->pod.figure[POD_POWER].value;
	if (!c)
		return fault_set(&call->fault, q->pod.name, "choose tpu_v3 or tpu_v4",
			"the peak and the system's power of %s are not in the table", q->pod.device);
	if (!(q->chips > 0))
		return fault_set(&call->fault, "chips", "write chips=512", "a run of so many operations needs them");
	report_begin(&r, result, sizeof result / sizeof *result);
	struct footprint f = footprint_of(q->operations / (q->chips * c->peak * use), q->chips, watts, &q->own);
	char note[64];
	snprintf(note, sizeof note, "at %.3g of the peak, %g W a chip", use, watts);
	add_result(&r, "operations", q->chips, &q->own, &f, note);
	return report_end(&r, call, csv, true);
}

enum { ROWS = 128 };
struct row {
	double chips;
	const struct site *site;
	struct footprint f;
	char note[96], format[32];
};

struct rows {
	struct row row[ROWS];
	int count;
	struct fault lack; // of a size where none fits
};

// Rows of one size in one format, at the site or at each; where none fits, a line below the table.
static bool add_size(struct question *q, struct report *r, long chips, const char *format, const struct transformer *t,
	struct rows *to, struct fault *f)
{
	static const enum carried uses[] = {OF_WEIGHTS, OF_ACTIVATIONS, CARRIED_ACTIVATIONS, CARRIED_WEIGHTS};
	struct division_job j;
	struct division d;
	struct division_price p;
	char spec[64], slice[48], count[32];
	division_job_begin(&j, &q->world, t);
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
		if (!division_format(format, &j.format[uses[i]], f))
			return false;
	j.efficiency = division_calibrate(&q->world);
	if (isnan(j.efficiency))
		return fault_set(f, "carbon", "set other inputs", "no efficiency brings GPT-3's expert row to its time");
	if (!division_best(&q->world, &j, (int)chips, false, &d, &p, f))
		return false;
	if (!p.fits) {
		double lack = (p.memory - q->pod.figure[POD_MEMORY].value) / pod_figures[POD_MEMORY].factor;
		report_below(r, "%s, %s: does not fit: %.4g GiB a chip are missing", count_of((double)chips, "chip", count),
			format, lack);
		fault_set(&to->lack, count, "take more chips or narrower formats",
			"%s in %s does not fit: %.4g GiB a chip are missing", t->name, format, lack);
		return true;
	}
	for (int i = 0; i < (q->site ? 1 : site_count) && to->count < ROWS; i++) {
		struct row *row = &to->row[to->count++];
		row->chips = (double)chips;
		row->site = q->site ? &q->own : &site_table[i];
		row->f = footprint_of(q->tokens / t->sequence / p.rate, row->chips, q->pod.figure[POD_POWER].value, row->site);
		snprintf(row->format, sizeof row->format, "%s", format);
		snprintf(row->note, sizeof row->note, "%s, %s %s, %.3g of the peak", format, slice_name(&d.slice, slice),
			division_name(&d, spec), p.mfu);
	}
	return true;
}

// The best partition of each size in each format, at each site; the least CO2e within the deadline is marked.
static bool add_sizes(struct question *q, struct report *r, const char *list, const struct transformer *t, struct rows *to,
	struct fault *f)
{
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, ",");
		char word[32], format[32];
		long chips;
		snprintf(word, sizeof word, "%.*s", (int)(n < 31 ? n : 31), at);
		if (!number_read_long(word, 1, 1 << 20, &chips))
			return fault_set(f, list, "write 256,512", "are not numbers of chips");
		for (const char *of = q->format; *of;) {
			size_t length = strcspn(of, ",");
			snprintf(format, sizeof format, "%.*s", (int)(length < 31 ? length : 31), of);
			if (!add_size(q, r, chips, format, t, to, f))
				return false;
			of += length + (of[length] == ',');
		}
		at += n + (at[n] == ',');
	}
	if (!to->count && f)
		*f = to->lack;
	return to->count > 0;
}

// Days against CO2e, a group for each site.
static bool draw(struct command_call *call, const struct question *q, const struct transformer *t, const struct rows *rows,
	bool ok)
{
	const char *group[ROWS];
	struct report_points points = {0};
	char title[160];
	int groups = 0;
	for (int i = 0; i < rows->count; i++) {
		const struct row *row = &rows->row[i];
		int g = 0;
		while (g < groups && strcmp(group[g], row->site->name) != 0)
			g++;
		if (g == groups)
			group[groups++] = row->site->name;
		report_point(&points, g, row->f.hours / 24, row->f.net, "%g %.9s", row->chips, row->format);
	}
	snprintf(title, sizeof title, "%s on %s: chips and formats at each site", t->name, q->pod.name);
	return report_points_draw(&points, call, q->plot,
		(struct points_asked){.title = title,
			.x = "days",
			.y = "net CO2e (t)",
			.log_y = true,
			.group = group,
			.groups = groups,
			.line_text = q->deadline < 1e9 ? "deadline" : NULL,
			.line = q->deadline},
		ok);
}

static bool run_transformer(struct command_call *call, struct question *q, const struct transformer *t, const char *csv)
{
	struct rows rows = {.count = 0};
	const struct row *row = rows.row;
	struct report r;
	int best = -1;
	if (!(q->pod.figure[POD_POWER].value > 0))
		return fault_set(&call->fault, q->pod.name, "choose tpu_v4, or a file of one's own with a power",
			"the power of its chips is unknown");
	report_begin(&r, result, sizeof result / sizeof *result);
	bool ok = add_sizes(q, &r, call->argv[1], t, &rows, &call->fault);
	for (int i = 0; i < rows.count; i++)
		if (row[i].f.hours / 24 <= q->deadline && (best < 0 || row[i].f.net < row[best].f.net))
			best = i;
	for (int i = 0; ok && i < rows.count; i++) {
		char note[160];
		snprintf(note, sizeof note, "%s%s", row[i].note,
			i == best                                   ? "; the least net CO2e in time"
				: row[i].f.hours / 24 > q->deadline ? "; too late"
								    : "");
		add_result(&r, t->name, row[i].chips, row[i].site, &row[i].f, note);
	}
	report_below(&r,
		"(t CO2e: tonnes of all greenhouse gases, as CO2; gross: the grid's; net: less the clean energy that the operator buys)");
	report_below(&r, "[pipeline, data, model 1, model 2]: the parts, whose product is the chips");
	report_below(&r,
		"(%.4g tokens, %g W a chip; the matrix unit as fitted to GPT-3's expert row; whether the narrower formats train "
		"as well is not said)",
		q->tokens, q->pod.figure[POD_POWER].value);
	ok = draw(call, q, t, &rows, ok);
	return report_end(&r, call, csv, ok);
}

bool run_carbon(struct command_call *call)
{
	struct question q = {.format = "bf16", .tokens = 300e9, .deadline = 1e9, .gross = -1, .net = -1};
	struct report_asked asked;
	const struct transformer *t = NULL;
	struct transformer own;
	const struct report_word words[] = {{.key = "chips=", .number = &q.chips, .least = 1, .most = 1e6},
		{.key = "operations=", .number = &q.operations, .least = 1, .most = 1e30},
		{.key = "utilization=", .number = &q.utilization, .least = .001, .most = 1},
		{.key = "watts=", .number = &q.watts, .least = 1, .most = 1e5},
		{.key = "tokens=", .number = &q.tokens, .least = 1, .most = 1e18},
		{.key = "deadline=", .number = &q.deadline, .least = .01, .most = 1e9}, {.key = "site=", .text = &q.site},
		{.key = "format=", .text = &q.format}, {.key = "plot=", .text = &q.plot},
		{.key = "pue=", .number = &q.pue, .least = 1, .most = 10},
		{.key = "gross=", .number = &q.gross, .least = 0, .most = 10},
		{.key = "net=", .number = &q.net, .least = 0, .most = 10}};
	bool sites = call->argc && strcmp(call->argv[0], "sites") == 0;
	size_t name = call->argc ? strcspn(call->argv[0], ":") : 0;
	for (int i = 0; name && i < transformer_count; i++)
		if (strlen(transformer_table[i].name) == name && strncmp(call->argv[0], transformer_table[i].name, name) == 0)
			t = &own;
	if (t && !transformer_get(call->argv[0], &own, &call->fault))
		return false;
	int first = t ? 2 : sites ? 1 : 0;
	if (t && (call->argc < 2 || strchr(call->argv[1], '=')))
		return fault_set(&call->fault, call->argv[0], "write carbon gpt3 256,512", "on how many chips?");
	if (!report_pod(call, first, &q.pod) || !report_words(call, first, words, sizeof words / sizeof *words, &asked))
		return false;
	if (q.plot && (sites || q.operations > 0))
		return fault_set(&call->fault, "plot", "leave it out, or name a transformer and chips", "%s makes no figure",
			sites ? "a list of sites" : "one run");
	if (sites)
		return list_sites(call, asked.csv);
	if (!t && !(q.operations > 0))
		return call->argc && !asked.csv && !q.plot
			? fault_set(&call->fault, "carbon",
				  "write operations=3e23 chips=512, or the name of a transformer and chips",
				  "there is nothing to price")
			: list_runs(call, asked.csv, q.plot);
	report_world(&asked, &q.pod, NULL, &q.world);
	bool one = q.site || q.pue > 0 || q.gross >= 0 || q.net >= 0 || !t;
	if (one && !q.site)
		q.site = "average";
	if (one && !set_site(&q, &call->fault))
		return false;
	return t ? run_transformer(call, &q, t, asked.csv) : run_job(call, &q, asked.csv);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// `measured`: times that were measured, beside those of the roofline: of a network's layers, or of kernels in a file.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

struct asked {
	const char *device, *model, *csv, *plot;
	double batch;
	bool warm;
	struct question_formats formats;
};

static bool is_table(const char *name)
{
	size_t length = strlen(name);
	return length > 4 && strcmp(name + length - 4, ".csv") == 0;
}

static bool read_words(struct command_call *call, struct asked *a)
{
	struct fault *f = &call->fault;
	struct report_asked said;
	const struct report_word words[] = {{.key = "model=", .text = &a->model}, {.key = "plot=", .text = &a->plot},
		{.key = "batch=", .number = &a->batch, .least = 1, .most = 65536}, {.key = "warm", .flag = &a->warm}};
	int at = 1;
	*a = (struct asked){.device = "host"};
	while (at < call->argc && !strchr(call->argv[at], '=') && strcmp(call->argv[at], "on") != 0 &&
		strcmp(call->argv[at], "warm") != 0)
		if (!question_add_format(&a->formats, call->argv[at++],
			    "on DEVICE, model=, batch=, warm, csv= and plot= are its other words", f))
			return false;
	if (at < call->argc && strcmp(call->argv[at], "on") == 0) {
		if (at + 1 == call->argc)
			return fault_set(f, "on", "`devices` lists them", "it names no device");
		a->device = call->argv[at + 1];
		at += 2;
	} else if (is_table(call->argv[0]))
		return fault_set(f, call->argv[0], "measured FILE.csv on DEVICE: `devices` lists them",
			"beside which device is not said");
	if (!report_words(call, at, words, sizeof words / sizeof *words, &said))
		return false;
	a->csv = said.csv;
	return true;
}

// ---- how far the model is off -----------------------------------------------------------------------------------------------------

enum { GROUPS = 24 };
struct group {
	char name[48];
	int count, missing;
	double logarithm, magnitude, worst; // of model / measured
};

static struct group *group_named(struct group *g, const char *name)
{
	for (int i = 0; i < GROUPS - 1; i++) {
		if (!g[i].name[0])
			snprintf(g[i].name, sizeof g[i].name, "%s", name);
		if (strcmp(g[i].name, name) == 0)
			return &g[i];
	}
	snprintf(g[GROUPS - 1].name, sizeof g->name, "others");
	return &g[GROUPS - 1];
}

static void count(struct group *g, double measured, double modelled)
{
	if (!(modelled > 0 && isfinite(modelled))) {
		g->missing++;
		return;
	}
	double off = log(modelled / measured);
	g->count++;
	g->logarithm += off;
	g->magnitude += fabs(off);
	g->worst = fmax(g->worst, fabs(off));
}

static void tell_groups(struct report *r, const struct group *g)
{
	for (int i = 0; i < GROUPS; i++) {
		if (g[i].count)
			report_below(r,
				"%-18s %4d row%s: mean |ln| %.3f, off by a factor of %.3g, %.3g at worst; model/measured %.3g",
				g[i].name, g[i].count, g[i].count == 1 ? " " : "s", g[i].magnitude / g[i].count,
				exp(g[i].magnitude / g[i].count), exp(g[i].worst), exp(g[i].logarithm / g[i].count));
		if (g[i].missing)
			report_below(r, "%-18s %4d row%s that this device's figures do not price", g[i].name, g[i].missing,
				g[i].missing == 1 ? "" : "s");
	}
}

static bool draw(struct report_points *p, struct command_call *call, const struct asked *a, const char *title, bool ok)
{
	return report_points_draw(p, call, a->plot, figure_of_times(title), ok);
}

static void interval(struct report *r, double low, double high)
{
	if (low > 0) {
		report_cell(r, "%.4g", low);
		report_cell(r, "%.4g", high);
	} else
		for (int i = 0; i < 2; i++)
			report_cell(r, "-");
}

static void beside(struct report *r, double measured, double modelled, const char *bound)
{
	if (modelled > 0 && isfinite(modelled)) {
		report_cell(r, "%.4g", modelled);
		report_cell(r, "%.3f", modelled / measured);
		report_cell(r, "%s", bound ? bound : "-");
	} else
		for (int i = 0; i < 3; i++)
			report_cell(r, "-");
}

// ---- a network's layers -------------------------------------------------------------------------------------------------------------

struct layers {
	const struct description_info *info;
	struct costing *table, *model;
	struct timed_layer *time;
	struct roofline_point *point;
	bool modelled; // the present format is
	int formats;
	double off, layers_ms, behind_ms; // of the present format
	struct group by_bound[GROUPS], by_format[GROUPS];
	struct report_points points;
	char refused[sizeof(struct fault)];
};

static bool open_layers(struct layers *l, const struct description *d, const struct asked *a, struct fault *f)
{
	char model[DISK_PATH];
	l->info = description_info(d);
	if (!(l->table = question_latency(d, a->device, (long)a->batch, f)))
		return false;
	if (!costing_measured(l->table))
		return fault_set(f, a->device, "`device measure` measures this machine; a device file may have times too",
			"nothing was measured on it");
	if ((size_t)snprintf(model, sizeof model, "%s%s", a->model ? a->model : a->device, a->model ? "" : ":modelled") >=
		sizeof model)
		return fault_set(f, a->device, "name a shorter path", "the name is too long");
	// Without a model the times stand alone.
	struct fault why;
	l->model = question_latency(d, model, costing_batch(l->table), a->model ? f : &why);
	if (!l->model && a->model)
		return false;
	if (!l->model)
		fault_line(&why, l->refused, sizeof l->refused);
	l->time = calloc((size_t)l->info->layers + 1, sizeof *l->time);
	l->point = calloc((size_t)l->info->layers + 1, sizeof *l->point);
	return (l->time && l->point) || fault_memory(f, l->info->name);
}

static void close_layers(struct layers *l)
{
	costing_free(l->table);
	costing_free(l->model);
	free(l->time);
	free(l->point);
}

// Whether any layer was measured in this very format.
static bool has_format(struct layers *l, const char *format)
{
	const struct layer_formats uniform = {format, format};
	if (!costing_timed(l->table, &uniform, 1, l->time, NULL))
		return false;
	for (int i = 0; i < l->info->layers; i++)
		if (l->time[i].format && strcmp(l->time[i].format, format) == 0)
			return true;
	return false;
}

static void add_layer(struct report *r, struct layers *l, int i, const char *format)
{
	const struct timed_layer *t = &l->time[i];
	const struct layer_info *info = &l->info->layer[i];
	double modelled = l->modelled ? 1e3 * l->point[i].ms : (double)NAN;
	const char *bound = l->modelled ? l->point[i].bound : NULL;
	report_cell(r, "%s", info->name);
	report_cell(r, "%s", info->kind);
	report_cell(r, "%s", format);
	report_cell(r, "%s", t->format ? t->format : "-");
	if (!t->format) {
		report_cell(r, "-");
		interval(r, 0, 0);
		report_cell(r, "-");
		beside(r, NAN, NAN, NULL);
		return;
	}
	report_cell(r, "%.4g", 1e3 * t->ms);
	interval(r, 1e3 * t->low, 1e3 * t->high);
	if (t->behind > 0)
		report_cell(r, "%.4g", 1e3 * t->behind);
	else
		report_cell(r, "-");
	beside(r, 1e3 * t->ms, modelled, bound);
	l->layers_ms += t->ms;
	l->behind_ms += t->behind;
	if (!l->modelled)
		return;
	count(group_named(l->by_bound, bound), t->ms, l->point[i].ms);
	count(group_named(l->by_format, format), t->ms, l->point[i].ms);
	report_point(&l->points, figure_bound(bound), 1e3 * t->ms, modelled, "%.15s", "");
}

static bool add_format(struct report *r, struct layers *l, const char *format, struct fault *f)
{
	const struct layer_formats uniform = {format, format};
	struct roofline roof = {.batch = 0};
	struct fault why;
	if (!costing_timed(l->table, &uniform, 1, l->time, f))
		return false;
	l->modelled = l->model && costing_roofline(l->model, &uniform, 1, &roof, l->point, &why);
	if (l->model && !l->modelled)
		fault_line(&why, l->refused, sizeof l->refused);
	l->layers_ms = l->behind_ms = 0;
	for (int i = 0; i < l->info->layers; i++)
		add_layer(r, l, i, format);
	char sum[32], behind[32];
	report_below(r, "%s: the layers take %s, operators without weights %s a batch", format,
		number_write(l->layers_ms, "ms", sum, sizeof sum), number_write(l->behind_ms, "ms", behind, sizeof behind));
	l->formats++;
	return true;
}

static bool show_layers(struct command_call *call, const struct description *d, const struct asked *a)
{
	static const struct report_column columns[] = {{"layer", true}, {"kind", true}, {"format", true}, {"runs as", true},
		{"measured us", false}, {"low", false}, {"high", false}, {"behind us", false}, {"model us", false},
		{"ratio", false}, {"bound", true}};
	struct layers l = {0};
	struct report r;
	struct fault *f = &call->fault;
	report_begin(&r, columns, sizeof columns / sizeof *columns);
	bool ok = open_layers(&l, d, a, f);
	for (int i = 0; ok && i < a->formats.count; i++)
		ok = add_format(&r, &l, a->formats.name[i], f);
	for (const char *const *format = engine_formats(); ok && !a->formats.count && *format; format++)
		if (has_format(&l, *format))
			ok = add_format(&r, &l, *format, f);
	if (ok && !l.formats)
		ok = fault_set(f, l.info->name, "`device measure` measures it", "none of its layers was measured on %.80s",
			a->device);
	if (ok) {
		const char *model = a->model ? a->model : "the device's own roofline";
		report_above(&r, "%s on %s, batch %d: measured, beside %s", l.info->name, a->device, costing_batch(l.table),
			model);
		report_below(&r,
			"low, high: the median lies between them with 95 %% confidence; behind: operators without weights");
		tell_groups(&r, l.by_format);
		tell_groups(&r, l.by_bound);
		if (l.refused[0])
			report_below(&r, "not modelled: %s", l.refused);
	}
	char title[ENGINE_TEXT + 80];
	snprintf(title, sizeof title, "%.60s on %.60s: model and measurement", l.info ? l.info->name : "", a->device);
	ok = draw(&l.points, call, a, title, ok);
	close_layers(&l);
	return report_end(&r, call, a->csv, ok);
}

static bool tell_layers(struct command_call *call, const struct asked *a)
{
	struct session *s = call->context;
	if (strcmp(call->argv[0], ".") == 0) {
		if (!s)
			return fault_set(&call->fault, ".", "name a network: `catalog` lists them", "no session is open");
		return session_costed(s, &call->fault) && show_layers(call, s->costed.network, a);
	}
	struct description *d = description_open(call->argv[0], 0, 0, 0, 0, &call->fault);
	bool ok = d && show_layers(call, d, a);
	description_close(d);
	return ok;
}

// ---- a file of kernels --------------------------------------------------------------------------------------------------------------

static bool tell_file(struct command_call *call, const struct asked *a)
{
	static const struct report_column columns[] = {{"kernel", true}, {"size", true}, {"type", true}, {"measured us", false},
		{"low", false}, {"high", false}, {"model us", false}, {"ratio", false}, {"bound", true}};
	struct measured_file file;
	struct report_points points = {0};
	struct group by_kind[GROUPS] = {0}, by_bound[GROUPS] = {0}, all = {.name = "all"};
	struct report r;
	if (!catalog_measured_file(call->argv[0], a->device, a->warm, &file, &call->fault))
		return false;
	report_begin(&r, columns, sizeof columns / sizeof *columns);
	report_above(&r, "%s, beside the roofline of %s; operands %s", call->argv[0], file.device,
		a->warm ? "on the chip where they fit" : "from the memory");
	for (int i = 0; i < file.count; i++) {
		const struct measured_time *t = &file.time[i];
		char kind[48], bound[48];
		report_cell(&r, "%s", t->kind);
		report_cell(&r, "%s", t->name);
		report_cell(&r, "%s", t->type);
		report_cell(&r, "%.4g", t->measured);
		interval(&r, t->low, t->high);
		beside(&r, t->measured, t->modelled, t->bound);
		snprintf(kind, sizeof kind, "%s, %s", t->kind, t->type);
		snprintf(bound, sizeof bound, "bound by %s", t->bound ? t->bound : "nothing known");
		count(group_named(by_kind, kind), t->measured, t->modelled);
		if (t->modelled > 0) {
			count(&all, t->measured, t->modelled);
			count(group_named(by_bound, bound), t->measured, t->modelled);
			report_point(&points, figure_bound(t->bound), t->measured, t->modelled, "%.15s", "");
		}
	}
	tell_groups(&r, by_kind);
	tell_groups(&r, by_bound);
	struct group whole[GROUPS] = {all};
	tell_groups(&r, whole);
	if (file.left_out)
		report_below(&r, "left out: %d row%s of kinds that the model does not know: %s", file.left_out,
			file.left_out == 1 ? "" : "s", file.other);
	char title[128];
	snprintf(title, sizeof title, "%.60s: model and measurement", file.device);
	bool ok = draw(&points, call, a, title, true);
	free(file.time);
	return report_end(&r, call, a->csv, ok);
}

bool run_measured(struct command_call *call)
{
	struct asked a;
	if (!call->argc)
		return roofline_measured(call);
	if (!read_words(call, &a))
		return false;
	return is_table(call->argv[0]) ? tell_file(call, &a) : tell_layers(call, &a);
}

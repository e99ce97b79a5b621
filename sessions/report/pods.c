// SPDX-License-Identifier: GPL-3.0-or-later
// The list of pods, each figure of a pod with its source, and the inputs of the models.
#include <string.h>

#include "sessions/report/report.h"

static void value_cells(struct report *r, const struct figure_value *v, double factor)
{
	report_cell(r, "%.6g", v->value / factor);
	if (v->kind == INPUT_UNKNOWN)
		report_cell(r, "%.4g to %.4g", v->low / factor, v->high / factor);
	else
		report_cell(r, "%s", "");
}

static bool list_pods(struct command_call *call, const struct report_asked *asked)
{
	static const struct report_column column[] = {{"pod", true}, {"chip", true}, {"network", true}, {"chips", false},
		{"GiB", false}, {"link GB/s", false}, {"twists", true}, {"W", false}, {"source", true}};
	struct report r;
	struct pod p;
	bool ok = true;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (const char *const *name = pod_names(); ok && *name; name++) {
		if (!(ok = pod_get(*name, &p, &call->fault)))
			break;
		const struct figure_value *v = p.figure;
		report_cell(&r, "%s", p.name);
		report_cell(&r, "%s", p.device);
		report_cell(&r, "%s", pod_networks[p.network]);
		report_cell(&r, "%g", v[POD_CHIPS].value);
		report_cell(&r, "%g", v[POD_MEMORY].value / pod_figures[POD_MEMORY].factor);
		report_cell(&r, "%g%s", v[POD_LINK].value / 1e9, v[POD_LINK].kind == INPUT_UNKNOWN ? "~" : "");
		report_cell(&r, "%s", p.twists ? "yes" : "no");
		if (v[POD_POWER].kind == INPUT_NONE)
			report_cell(&r, "-");
		else
			report_cell(&r, "%g%s", v[POD_POWER].value, v[POD_POWER].kind == INPUT_UNKNOWN ? "~" : "");
		report_cell(&r, "%s", p.source);
	}
	report_below(&r,
		"(link: one way, as delivered; W: mean, of a chip with its share of the system; ~ a range: `pods POD` has all "
		"figures)");
	return report_end(&r, call, asked->csv, ok);
}

static bool show_pod(struct command_call *call, const char *name, const struct report_asked *asked)
{
	static const struct report_column column[] = {
		{"figure", true}, {"value", false}, {"range", true}, {"unit", true}, {"kind", true}, {"source", true}};
	struct report r;
	struct pod p;
	if (!pod_get(name, &p, &call->fault))
		return false;
	report_begin(&r, column, sizeof column / sizeof *column);
	report_above(&r, "%s: chips %s, network %s%s", p.name, p.device, pod_networks[p.network],
		p.twists ? ", slices may be twisted" : "");
	report_above(&r, "source: %s", p.source);
	for (int f = 0; f < POD_FIGURES; f++) {
		const struct figure_value *v = &p.figure[f];
		if (v->kind == INPUT_NONE)
			continue;
		report_cell(&r, "%s", pod_figures[f].name);
		value_cells(&r, v, pod_figures[f].factor);
		report_cell(&r, "%s", pod_figures[f].unit);
		report_cell(&r, "%s", input_kinds[v->kind]);
		report_cell(&r, "%s", v->source ? v->source : "the pod's");
	}
	return report_end(&r, call, asked->csv, true);
}

static bool list_inputs(struct command_call *call, const struct report_asked *asked)
{
	static const struct report_column column[] = {
		{"input", true}, {"value", false}, {"range", true}, {"unit", true}, {"kind", true}, {"source", true}};
	struct report r;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; i < INPUTS; i++) {
		report_cell(&r, "%s", input_table[i].name);
		value_cells(&r, &input_table[i].at, 1);
		report_cell(&r, "%s", input_table[i].unit);
		report_cell(&r, "%s", input_kinds[input_table[i].at.kind]);
		report_cell(&r, "%s", input_table[i].at.source);
	}
	report_below(&r, "(every report takes them as words: repair=8; one that is set is no longer unknown)");
	return report_end(&r, call, asked->csv, true);
}

bool run_pods(struct command_call *call)
{
	struct report_asked asked;
	const char *what = call->argc && !strchr(call->argv[0], '=') ? call->argv[0] : NULL, *plot = NULL;
	const struct report_word words[] = {{.key = "plot=", .text = &plot}};
	if (!report_words(call, what != NULL, words, 1, &asked))
		return false;
	if (what && strcmp(what, "published") == 0)
		return run_published(call, asked.csv, plot);
	if (plot)
		return fault_set(&call->fault, "plot", "leave it out; `pods published` has a figure, and so has `slices`",
			"a list of figures is not drawn");
	if (!what)
		return list_pods(call, &asked);
	return strcmp(what, "inputs") == 0 ? list_inputs(call, &asked) : show_pod(call, what, &asked);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// `devices`: their figures side by side, or all of one.
#include <math.h>
#include <string.h>

#include "sessions/report/question.h"
#include "sessions/report/report.h"

struct column {
	const char *group, *name, *head;
};
static const struct column rates[] = {
	{"peaks", "int4", "int4"},
	{"peaks", "int8", "int8"},
	{"peaks", "e4m3", "e4m3"},
	{"peaks", "e5m2", "e5m2"},
	{"peaks", "fp16", "fp16"},
	{"peaks", "bf16", "bf16"},
	{"peaks", "tf32", "tf32"},
	{"peaks", "fp32", "fp32"},
	{"", "vector", "vector"},
	{"", "bandwidth", "GB/s"},
	{"", "on_chip", "chip MB"},
	{"power", "mean", "W mean"},
	{"power", "max", "W max"},
};
static const struct column ridges[] = {
	{"ridge", "int4", "int4"},
	{"ridge", "int8", "int8"},
	{"ridge", "e4m3", "e4m3"},
	{"ridge", "e5m2", "e5m2"},
	{"ridge", "fp16", "fp16"},
	{"ridge", "bf16", "bf16"},
	{"ridge", "tf32", "tf32"},
	{"ridge", "fp32", "fp32"},
};

static const char *figure_text(const struct sheet_figure *f, char buf[32])
{
	if (isnan(f->value))
		snprintf(buf, 32, "unknown");
	else if (f->value == 0)
		snprintf(buf, 32, "-");
	else
		snprintf(buf, 32, "%.4g", f->value);
	return buf;
}

static bool add_devices(struct string *t, const char *title, const struct column *column, size_t columns, struct fault *f)
{
	string_add(t, "%-11s", title);
	for (size_t i = 0; i < columns; i++)
		string_add(t, "%7s ", column[i].head);
	string_add(t, "\n");
	for (const char *const *name = engine_devices(); *name; name++) {
		struct device_sheet sheet;
		if (!catalog_device(*name, &sheet, f))
			return false;
		string_add(t, "%-11s", sheet.name);
		for (size_t i = 0; i < columns; i++) {
			const struct sheet_figure *its = sheet_figure(&sheet, column[i].group, column[i].name);
			char text[32];
			string_add(t, "%7s%c", figure_text(its, text),
				its->value == 0 || !its->mark[0] ? ' '
					: its->mark[0] == 'r'    ? '?'
								 : '~');
		}
		string_add(t, "\n");
	}
	return true;
}

// A cell of a device: its figure, and how sure it is.
static void device_cell(struct report *r, const struct device_sheet *sheet, const struct column *column)
{
	const struct sheet_figure *its = sheet_figure(sheet, column->group, column->name);
	char text[32];
	report_cell(r, "%s%s", figure_text(its, text), its->value == 0 || !its->mark[0] ? "" : its->mark[0] == 'r' ? "?" : "~");
}

// Rates and ridges side by side, as a table whose rows show their device in full.
static bool show_devices(struct command_call *call)
{
	enum { RATES = sizeof rates / sizeof *rates, RIDGES = sizeof ridges / sizeof *ridges };
	struct report_column head[1 + RATES + RIDGES] = {{"device", true}};
	char ridge[RIDGES][16];
	struct report r;
	struct device_sheet sheet;
	bool ok = true;
	for (int i = 0; i < RATES; i++)
		head[1 + i] = (struct report_column){rates[i].head, false};
	for (int i = 0; i < RIDGES; i++) {
		snprintf(ridge[i], sizeof ridge[i], "%s ridge", ridges[i].head);
		head[1 + RATES + i] = (struct report_column){ridge[i], false};
	}
	report_begin(&r, head, 1 + RATES + RIDGES);
	r.pick = "devices";
	for (const char *const *name = engine_devices(); ok && *name; name++) {
		if (!(ok = catalog_device(*name, &sheet, &call->fault)))
			break;
		report_cell(&r, "%s", sheet.name);
		for (int i = 0; i < RATES; i++)
			device_cell(&r, &sheet, &rates[i]);
		for (int i = 0; i < RIDGES; i++)
			device_cell(&r, &sheet, &ridges[i]);
	}
	report_below(&r, "Tops/s of dense peaks, a multiply-accumulate is two operations; ridges in operations a byte");
	report_below(&r, "? recalled, not checked; ~ assumed; - none, or unknown");
	return report_end(&r, call, NULL, ok);
}

static bool is_of_type(const char *group)
{
	static const char *const groups[] = {"inner", "outer", "rows", "whole", "reach"};
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (strcmp(groups[i], group) == 0)
			return true;
	return false;
}

// A type that needs no multiple, or that reaches its peak.
static bool is_plain(const struct sheet_figure *f)
{
	return f->value == 1 && (strcmp(f->group, "whole") == 0 || strcmp(f->group, "reach") == 0);
}

static void add_device(struct string *t, const struct device_sheet *sheet)
{
	string_add(t, "%s\nsource: %s\n", sheet->name, sheet->source);
	if (sheet->times[0])
		string_add(t, "measured: %s; latency is priced by them\n", sheet->times);
	for (int i = 0; i < sheet->figures; i++) {
		const struct sheet_figure *f = &sheet->figure[i];
		char name[64], text[32];
		const struct sheet_figure *peak = sheet_figure(sheet, "peaks", f->name);
		if ((f->value == 0 && f != peak) || (peak && is_of_type(f->group) && peak->value == 0) || is_plain(f))
			continue; // unknown; of a type that it lacks; as most have it
		snprintf(name, sizeof name, "%s%s%s", f->group, f->group[0] ? "." : "", f->name);
		string_add(t, "%-22s %10s %-7s %s\n", name, f->value == 0 ? "none" : figure_text(f, text), f->unit, f->mark);
	}
}

bool run_devices(struct command_call *call)
{
	struct string t = {0};
	struct device_sheet sheet;
	if (call->argc) {
		bool ok = catalog_device(call->argv[0], &sheet, &call->fault);
		if (ok)
			add_device(&t, &sheet);
		return question_tell(call, &t, ok);
	}
	if (call->show)
		return show_devices(call);
	bool ok = add_devices(&t, "Tops/s", rates, sizeof rates / sizeof *rates, &call->fault);
	string_add(&t, "\n");
	ok = ok && add_devices(&t, "ridge ops/B", ridges, sizeof ridges / sizeof *ridges, &call->fault);
	string_add(&t,
		"(dense peaks, a multiply-accumulate is two operations; GB/s: of the memory; chip MB: memory on the chip; W: of a chip; ? recalled, not checked; ~ assumed; - none, or unknown)");
	return question_tell(call, &t, ok);
}

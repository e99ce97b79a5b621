// SPDX-License-Identifier: GPL-3.0-or-later
// `formats`: what number formats hold, and what their values are scaled by.
#include "engine/catalog.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

static void format_row(struct report *r, const char *name)
{
	struct format_sheet f;
	if (!catalog_format(name, &f))
		return;
	report_cell(r, "%s", f.name);
	report_cell(r, "%d", f.bits);
	report_cell(r, "%g", f.whole_bits);
	report_cell(r, "%s", f.scale);
	for (int part = 0; part < 2; part++)
		if (f.exponent)
			report_cell(r, "%d", part ? f.mantissa : f.exponent);
		else
			report_cell(r, "-");
	report_cell(r, "%.4g", f.least);
	report_cell(r, "%.5g", f.largest);
}

bool run_formats(struct command_call *call)
{
	static const struct report_column column[] = {{"format", true}, {"bits", false}, {"stored", false}, {"scale", true},
		{"exponent", false}, {"mantissa", false}, {"least", false}, {"largest", false}};
	struct report r;
	bool ok = true;
	for (int i = 0; ok && i < call->argc; i++)
		ok = question_check_format(call->argv[i], "`formats` lists them", &call->fault);
	if (!ok)
		return false;
	report_begin(&r, column, sizeof column / sizeof *column);
	if (call->argc)
		for (int i = 0; i < call->argc; i++)
			format_row(&r, call->argv[i]);
	else
		for (const char *const *name = engine_formats(); *name; name++)
			format_row(&r, *name);
	report_below(&r,
		"(stored: bits of a value with its share of a whole block's scale; exponent, mantissa: bits of a float; least above 0, largest: before they are "
		"scaled. OCP Microscaling Formats 1.0, NVFP4; `set block-scale`: how blocks' scales are found)");
	return report_end(&r, call, NULL, true);
}

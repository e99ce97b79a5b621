// SPDX-License-Identifier: GPL-3.0-or-later
// `foretold`: what was foretold of the drafts that were committed, and what came (core/foretold.c keeps it in the journal).
#include <math.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/report.h"

static void add_number(struct report *r, const struct prediction *p, double quality, bool sign)
{
	if (p->loss)
		report_cell(r, sign ? "%+.3f" : "%.3f", sign ? -quality : quality);
	else
		report_cell(r, sign ? "%+.2f %%" : "%.2f %%", 100 * quality);
}

// The words of a line from one on, and up to another.
static void add_words(struct report *r, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from), *end = at && to ? strstr(at, to) : NULL;
	at = at ? at + strlen(from) : "";
	report_cell(r, "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
}

static const char *unit_word(const struct session *s)
{
	return s->snapshot->quality_is_loss ? "loss" : "accuracy";
}

bool run_foretold(struct command_call *call)
{
	const struct session *s = call->context;
	static const struct report_column column[] = {{"step", false}, {"of", true}, {"foretold", false}, {"+-", false},
		{"came", false}, {"off by", false}, {"images", false}, {"pins", true}, {"costs", true}};
	struct report r;
	struct prediction p;
	report_begin(&r, column, sizeof column / sizeof *column);
	for (int i = 0; i < s->journal.lines; i++) {
		const struct journal_line *line = &s->journal.line[i];
		char images[32];
		if (line->kind != JOURNAL_FORETOLD || !prediction_read(line->text, &p))
			continue;
		snprintf(images, sizeof images, "images=%ld ", p.images);
		report_cell(&r, "%ld", line->step);
		report_cell(&r, "%s", p.loss ? "loss" : "accuracy");
		add_number(&r, &p, p.said.change, true);
		add_number(&r, &p, p.said.error, false);
		add_number(&r, &p, p.came, true);
		add_number(&r, &p, fabs(p.said.change - p.came), false);
		report_cell(&r, "%ld", p.images);
		add_words(&r, line->text, " pins=", NULL);
		add_words(&r, line->text, images, " pins=");
	}
	const struct foretold_so_far so_far = session_foretold(s);
	if (so_far.count)
		report_below(&r,
			"by the additive model, beyond the modal choice as it was; so far %d of %s, off by %.3g in the mean; costs are exact",
			so_far.count, unit_word(s), (s->snapshot->quality_is_loss ? 1 : 100) * so_far.error);
	else
		report_below(&r, "no draft was committed of which %s was foretold", unit_word(s));
	return report_end(&r, call, NULL, true);
}

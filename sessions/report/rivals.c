// SPDX-License-Identifier: GPL-3.0-or-later
// `rivals`: what plain searchers find within a limit, by a sensitivity table.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"
#include "sessions/report/report.h"

struct rivals_question {
	const char *limit, *term, *table, *csv;
	struct question_formats formats;
	struct report report;
};

// Top-1 in percent; in points below fp32 where the table does not say what fp32 has.
static const char *top1_text(double top1, double lost, char buf[32])
{
	snprintf(buf, 32, isnan(top1) ? "-%.2f points" : "~%.2f %%", isnan(top1) ? lost : top1 - lost);
	return buf;
}

static void add_rival(struct report *t, const struct rivals_question *q, const struct rival *r, double most, const char *unit,
	double top1, const int *choice, int layers)
{
	char number[96], top[32], bound[32];
	struct string formats = {0};
	report_cell(t, "%s", r->name);
	if (!r->found) {
		for (int i = 0; i < 4; i++)
			report_cell(t, "-");
		report_cell(t, "no choice within the limit");
		return;
	}
	report_cell(t, "%s", number_brief(r->cost, unit, number, sizeof number));
	report_cell(t, "x%.3f", r->cost / most);
	report_cell(t, "%s", top1_text(top1, r->lost, top));
	report_cell(t, "%s", r->bound < r->lost ? top1_text(top1, r->bound, bound) : "");
	for (int l = 0; l < layers; l++)
		string_add(&formats, "%s%s", l ? "," : "", q->formats.name[choice[l]]);
	t->failed |= formats.failed;
	report_cell(t, "%s", formats.failed ? "" : formats.bytes);
	string_free(&formats);
}

static void fill_rivals(struct rivals_question *q, const struct rival rival[RIVALS], double most, const char *unit, double top1,
	const int *choice, int layers)
{
	static const struct report_column columns[] = {
		{"rival", true}, {"cost", false}, {"of limit", false}, {"top-1", false}, {"at most", false}, {"formats", true}};
	char number[96];
	report_begin(&q->report, columns, sizeof columns / sizeof *columns);
	report_above(&q->report, "%s at most %s; top-1 is estimated by the table %s, nothing is trained%s", q->term,
		number_write(most, unit, number, sizeof number), q->table,
		isnan(top1) ? "; the table does not say what fp32 has: points are lost to it" : "");
	bool bounded = false;
	for (int r = 0; r < RIVALS; r++) {
		add_rival(&q->report, q, &rival[r], most, unit, top1, choice + r * layers, layers);
		bounded |= rival[r].found && rival[r].bound < rival[r].lost;
	}
	if (bounded)
		report_below(&q->report, "(at most: no choice within the limit has more)");
}

static bool add_rivals(const struct description *d, void *context, struct fault *f)
{
	struct rivals_question *q = context;
	const struct description_info *info = description_info(d);
	struct losses *losses = losses_new(d, q->table, f);
	struct costing *costing = losses ? costing_new(d, q->term, 0, f) : NULL;
	int *choice = costing ? calloc((size_t)info->layers * RIVALS, sizeof *choice) : NULL;
	struct rival rival[RIVALS];
	double most;
	bool ok = costing && (choice || fault_memory(f, info->name)) &&
		losses_rivals(losses, costing, q->formats.name, q->formats.count, q->limit, &most, rival, choice, f);
	if (ok)
		fill_rivals(q, rival, most, costing_unit(costing), losses_top1(losses), choice, info->layers);
	free(choice);
	costing_free(costing);
	losses_free(losses);
	return ok;
}

bool run_rivals(struct command_call *call)
{
	struct rivals_question q = {.limit = call->argv[1], .term = "bops", .table = "hawq"};
	if (question_is_pattern(call->argv[0]))
		return fault_set(&call->fault, call->argv[0], "`catalog` lists them", "ask about one network at a time");
	for (int i = 2; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (strncmp(word, "term=", 5) == 0)
			q.term = word + 5;
		else if (strncmp(word, "table=", 6) == 0)
			q.table = word + 6;
		else if (strncmp(word, "csv=", 4) == 0)
			q.csv = word + 4;
		else if (!question_add_format(&q.formats, word, "term=, table= and csv= are its other words", &call->fault))
			return false;
	}
	question_usual_formats(&q.formats, 4);
	return report_end(&q.report, call, q.csv, question_each_network(call->argv[0], add_rivals, &q, &call->fault));
}

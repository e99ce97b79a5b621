// SPDX-License-Identifier: GPL-3.0-or-later
// `rivals`: what plain searchers find within a limit, by a sensitivity table.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"

struct rivals_question {
	const char *limit, *term, *table;
	const char *format[QUESTION_FORMATS];
	int formats;
	struct string text;
};

// Top-1 in percent; in points below fp32 where the table does not say what fp32 has.
static const char *top1_text(double top1, double lost, char buf[32])
{
	snprintf(buf, 32, isnan(top1) ? "-%.2f points" : "~%.2f %%", isnan(top1) ? lost : top1 - lost);
	return buf;
}

static void add_rivals_head(struct rivals_question *q, double most, const char *unit, double top1)
{
	char number[96];
	string_add(&q->text, "%s at most %s; top-1 is estimated by the table %s, nothing is trained%s\n", q->term,
		number_write(most, unit, number, sizeof number), q->table,
		isnan(top1) ? "; the table does not say what fp32 has: points are lost to it" : "");
}

static void add_rival(struct rivals_question *q, const struct rival *r, double most, const char *unit, double top1,
	const int *choice, int layers)
{
	char number[96], top[32];
	if (!r->found) {
		string_add(&q->text, "%-8s finds no choice within the limit\n", r->name);
		return;
	}
	string_add(&q->text, "%-8s %16s  x%.3f  %s", r->name, number_brief(r->cost, unit, number, sizeof number), r->cost / most,
		top1_text(top1, r->lost, top));
	if (r->bound < r->lost)
		string_add(&q->text, "  (no choice has more than %s)", top1_text(top1, r->bound, top));
	string_add(&q->text, "  ");
	for (int l = 0; l < layers; l++)
		string_add(&q->text, "%s%s", l ? "," : "", q->format[choice[l]]);
	string_add(&q->text, "\n");
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
		losses_rivals(losses, costing, q->format, q->formats, q->limit, &most, rival, choice, f);
	const double top1 = ok ? losses_top1(losses) : NAN;
	if (ok)
		add_rivals_head(q, most, costing_unit(costing), top1);
	for (int r = 0; ok && r < RIVALS; r++)
		add_rival(q, &rival[r], most, costing_unit(costing), top1, choice + r * info->layers, info->layers);
	free(choice);
	costing_free(costing);
	losses_free(losses);
	return ok;
}

bool run_rivals(struct command_call *call)
{
	static const char *const usual[] = {"int4", "int5", "int6", "int7", "int8"};
	struct rivals_question q = {.limit = call->argv[1], .term = "bops", .table = "hawq"};
	if (question_is_pattern(call->argv[0]))
		return fault_set(&call->fault, call->argv[0], "`catalog` lists them", "ask about one network at a time");
	for (int i = 2; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (strncmp(word, "term=", 5) == 0)
			q.term = word + 5;
		else if (strncmp(word, "table=", 6) == 0)
			q.table = word + 6;
		else if (q.formats == QUESTION_FORMATS)
			return fault_set(&call->fault, word, "leave some out", "so many formats have no room");
		else if (!question_check_format(word, "term= and table= are its other words", &call->fault))
			return false;
		else
			q.format[q.formats++] = word;
	}
	for (size_t i = 0; !q.formats && i < sizeof usual / sizeof *usual; i++)
		q.format[i] = usual[i];
	if (!q.formats)
		q.formats = sizeof usual / sizeof *usual;
	return question_tell(call, &q.text, question_each_network(call->argv[0], add_rivals, &q, &call->fault));
}

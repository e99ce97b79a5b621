// SPDX-License-Identifier: GPL-3.0-or-later
// `sensitivity`: the top-1 that layers lose per format by a table, and how far the table and the roofline can be trusted.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"

struct losses_question {
	struct string text;
	const char *table;
	struct question_formats formats;
};

static bool add_losses(struct string *t, const struct description_info *info, const struct losses *losses,
	const struct losses_question *q, struct fault *f)
{
	const int wide = question_names_width(info);
	char top1[64] = "";
	if (!isnan(losses_top1(losses)))
		snprintf(top1, sizeof top1, " of fp32's %.2f %%", losses_top1(losses));
	string_add(t, "%s by the table %s: points of top-1 that a layer loses%s\n%-*s", info->name, q->table, top1, wide,
		"layer");
	for (int i = 0; i < q->formats.count; i++)
		string_add(t, " %8s ", q->formats.name[i]);
	string_add(t, "\n");
	for (int l = 0; l < info->layers; l++) {
		string_add(t, "%-*s", wide, info->layer[l].name);
		for (int i = 0; i < q->formats.count; i++) {
			const char *source;
			double points;
			if (!losses_layer(losses, l, q->formats.name[i], &points, &source, f))
				return false;
			if (isinf(points))
				string_add(t, " %8s ", "-");
			else
				string_add(t, " %8.4f%c", points, source[0] == 'e' ? 'x' : source[0]);
		}
		string_add(t, "\n");
	}
	string_add(t,
		"(m measured; f fitted; x extrapolated: from figures for other formats or layers; - the table does not say)\n");
	return true;
}

// How well the table, and beside it the yardstick, meets the fitted or the held-out choices.
static void add_errors(struct string *t, const struct losses *losses, bool fitted)
{
	const struct losses_error table = losses_error(losses, fitted, false), yardstick = losses_error(losses, fitted, true);
	struct losses_choice c;
	double least = INFINITY, most = -INFINITY;
	for (int i = 0; losses_choice(losses, i, &c); i++)
		if (c.fitted == fitted) {
			least = fmin(least, c.published);
			most = fmax(most, c.published);
		}
	string_add(t, "%-8s (%d): off by %.3f rms, %.3f at worst; the yardstick by %.3f and %.3f: %s than the yardstick\n",
		fitted ? "fitted" : "held out", table.choices, table.rms, table.worst, yardstick.rms, yardstick.worst,
		table.rms < yardstick.rms ? "better" : "worse");
	string_add(t, "%14spublished, they span %.2f points%s\n", "", most - least,
		table.rms < most - least ? "" : ", less than the error");
}

static void add_fit(struct string *t, const struct losses *losses)
{
	struct losses_choice c;
	if (!losses_choice(losses, 0, &c)) {
		string_add(t, "\nNothing was fitted: the figures are the file's.\n");
		return;
	}
	string_add(t,
		"\nThe published choices, stem and head at int8: top-1 in percent, published and as table and yardstick say\n"
		"%-12s  %-8s %9s %9s %7s %9s %7s\n",
		"choice", "", "published", "table", "off", "yardstick", "off");
	for (int i = 0; losses_choice(losses, i, &c); i++)
		string_add(t, "%-12s  %-8s %9.2f %9.2f %+7.2f %9.2f %+7.2f\n", c.name, c.fitted ? "fitted" : "held out",
			c.published, c.said, c.said - c.published, c.yardstick, c.yardstick - c.published);
	string_add(t, "(the yardstick knows how many layers are int4, not which; both were fitted to the same choices)\n");
	add_errors(t, losses, true);
	add_errors(t, losses, false);
	string_add(t,
		"What the table says of any other choice is a prediction that nobody measured. Of stem and head it counts\n"
		"only what they lose beyond int8.\n");
}

static const char *const timed[] = {"int4", "int8"};
enum { TIMED = sizeof timed / sizeof *timed };

// The names of the layers that are not compared: those with a figure (scaled), or those without. The same in each of the formats
// that the shipped times are in.
static void add_left_out(struct string *t, const struct description_info *info, const struct compared_layer *its, bool figure,
	const char *why)
{
	const char *before = "left out, ";
	for (int l = 0; l < info->layers; l++)
		if (!its[l].compared && (its[l].measured > 0) == figure) {
			string_add(t, "%s%s%s", before, before[0] == 'l' ? why : "", info->layer[l].name);
			before = ", ";
		}
	if (before[0] == ',')
		string_add(t, "\n");
}

static void add_times(struct string *t, const struct description_info *info, const char *unit,
	struct compared_layer *const its[TIMED], const struct comparison sum[TIMED])
{
	const int wide = question_names_width(info);
	string_add(t, "\nThe roofline of a T4 against the times published for one, %s\n%-*s", unit, wide, "layer");
	for (int i = 0; i < TIMED; i++)
		string_add(t, " %5s: roofline  measured   ratio", timed[i]);
	string_add(t, "\n");
	for (int l = 0; l < info->layers; l++) {
		if (!its[0][l].compared)
			continue;
		string_add(t, "%-*s", wide, info->layer[l].name);
		for (int i = 0; i < TIMED; i++)
			string_add(t, "  %14.5f %9.5f %7.4f", its[i][l].predicted, its[i][l].measured,
				its[i][l].predicted / its[i][l].measured);
		string_add(t, "\n");
	}
	string_add(t, "%-*s", wide, "sum");
	for (int i = 0; i < TIMED; i++)
		string_add(t, "  %14.5f %9.5f %7.4f", sum[i].predicted, sum[i].measured, sum[i].predicted / sum[i].measured);
	string_add(t, "\n");
	for (int i = 0; i < TIMED; i++)
		string_add(t,
			"%s, %d layers: ln(ratio) has mean %.3f (the roofline says %.3g of the time), standard deviation %.3f; "
			"Spearman's rank correlation %.3f\n",
			timed[i], sum[i].layers, sum[i].bias, exp(sum[i].bias), sum[i].spread, sum[i].rank);
	add_left_out(t, info, its[0], false, "not measured: ");
	add_left_out(t, info, its[0], true, "extrapolated from a layer of another size: ");
}

// Where a T4's times are shipped for the network; else a line that says so.
static bool compare_times(struct string *t, const struct description *d, struct fault *f)
{
	const struct description_info *info = description_info(d);
	struct fault none;
	struct costing *table = costing_new(d, "latency@table:hawq", 0, &none),
		       *t4 = table ? question_latency(d, "t4", 0, f) : NULL;
	if (!table) {
		string_add(t, "\nThe roofline is held against nothing here: %s\n", none.what);
		return true;
	}
	struct compared_layer *its[TIMED] = {calloc((size_t)info->layers * TIMED + 1, sizeof **its)};
	struct comparison sum[TIMED];
	bool ok = t4 && (its[0] || fault_memory(f, info->name));
	for (int i = 0; ok && i < TIMED; i++) {
		its[i] = its[0] + i * info->layers;
		ok = costing_compare(t4, table, &(struct layer_formats){timed[i], timed[i]}, 1, its[i], &sum[i], f);
	}
	if (ok)
		add_times(t, info, costing_unit(table), its, sum);
	free(its[0]);
	costing_free(t4);
	costing_free(table);
	return ok;
}

static bool add_sensitivity(const struct description *d, void *context, struct fault *f)
{
	struct losses_question *q = context;
	struct losses *losses = losses_new(d, q->table, f);
	bool ok = losses && add_losses(&q->text, description_info(d), losses, q, f);
	if (ok) {
		add_fit(&q->text, losses);
		ok = compare_times(&q->text, d, f);
	}
	losses_free(losses);
	return ok;
}

bool run_sensitivity(struct command_call *call)
{
	struct losses_question q = {.table = "hawq"};
	const char *name = call->argv[0];
	if (question_is_pattern(name))
		return fault_set(&call->fault, name, "`catalog` lists them", "ask about one network at a time");
	for (int i = 1; i < call->argc; i++)
		if (strchr(call->argv[i], '='))
			return run_scan(call);
	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (i == 1 && (strcmp(word, "hawq") == 0 || strpbrk(word, "/.")))
			q.table = word;
		else if (!question_add_format(&q.formats, word, "before the formats: hawq, or a file with a / or a . in its name",
				 &call->fault))
			return false;
	}
	question_usual_formats(&q.formats, 2);
	return question_tell(call, &q.text, question_each_network(name, add_sensitivity, &q, &call->fault));
}

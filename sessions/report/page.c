// SPDX-License-Identifier: GPL-3.0-or-later
// `export report`: a search in one file that a person would mail, as HTML with its figures inside or as Markdown with figures of
// characters: what was decided, the front, what was done and what it cost, limits, and the commands that make it again. It has no
// script and no link, and reads in the dark and in print. The search must stand still, so that all of it is about one step.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/timeline.h"

enum { CHOICES = 5, PLAIN_WIDTH = 96, PLAIN_HEIGHT = 22, PAGE_MOST = 1 << 20 };

// ---- the two forms -----------------------------------------------------------------------------------------------------

struct page {
	struct string out;
	bool html;
	int columns; // of the present table
};

static const char style[] =
	":root{--ink:#1c2430;--dim:#5b6675;--paper:#fff;--rule:#d5dbe3;--a:#0b62c4;--b:#b3470a;--c:#5b6675;--d:#12723b}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--dim:#a3adba;--paper:#14181e;--rule:#343c48;--a:#6cb2ff;--b:#ff9d5c;"
	"--c:#a3adba;--d:#63d28d}}"
	"@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--rule:#bbb;--a:#0b62c4;--b:#b3470a;--c:#444;--d:#12723b}"
	"h2{break-after:avoid}svg,table,pre{break-inside:avoid}}"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:46em;margin:2em auto;padding:0 1em}"
	"h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:1.8em 0 .4em}.lead{font-size:1.1em}"
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9em}"
	"th,td{text-align:left;padding:.25em .7em .25em 0;border-bottom:1px solid var(--rule);vertical-align:top}th{color:var(--dim)}"
	"pre{background:none;border:1px solid var(--rule);padding:.7em;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8em}"
	"svg{width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--ink)}"
	".axis{stroke:var(--dim)}.grid{stroke:var(--rule);stroke-width:.6}.mark{stroke:var(--b);stroke-dasharray:3 3}"
	".target{stroke:var(--dim);stroke-dasharray:2 3}.line{fill:none;stroke:var(--a);stroke-width:1.5}.sign{fill:var(--a)}.h{fill:var(--a)}"
	".line.c1,.line.c2{stroke:var(--b)}.line.c3{stroke:var(--c)}.line.c4{stroke:var(--d)}.sign.c1,.sign.c2{fill:var(--b)}.sign.c3{fill:var(--c)}"
	".sign.c4{fill:var(--d)}.p.c2{stroke-dasharray:5 3}";

static void words(struct page *p, const char *text)
{
	if (p->html)
		figure_svg_text(&p->out, text);
	else
		string_add(&p->out, "%s", text);
}

static void heading(struct page *p, int level, const char *text)
{
	string_add(&p->out, p->html ? "<h%d>" : level == 1 ? "# " : "\n## ", level);
	words(p, text);
	string_add(&p->out, p->html ? "</h%d>\n" : "\n\n", level);
}

__attribute__((format(printf, 3, 4))) static void paragraph(struct page *p, bool lead, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		p->out.failed = true;
		return;
	}
	string_add(&p->out, "%s", !p->html ? "" : lead ? "<p class=\"lead\">" : "<p>");
	words(p, text);
	string_add(&p->out, "%s", p->html ? "</p>\n" : "\n\n");
	free(text);
}

static void table(struct page *p, const char *const *head, int columns)
{
	p->columns = columns;
	string_add(&p->out, "%s", p->html ? "<table><tr>" : "|");
	for (int i = 0; i < columns; i++)
		string_add(&p->out, p->html ? "<th>%s</th>" : " %s |", head[i]);
	string_add(&p->out, "%s", p->html ? "</tr>\n" : "\n|");
	for (int i = 0; !p->html && i < columns; i++)
		string_add(&p->out, " --- |");
	string_add(&p->out, "%s", p->html ? "" : "\n");
}

static void row(struct page *p, char (*cell)[2 * ENGINE_TEXT])
{
	string_add(&p->out, "%s", p->html ? "<tr>" : "|");
	for (int i = 0; i < p->columns; i++) {
		string_add(&p->out, "%s", p->html ? "<td>" : " ");
		words(p, cell[i]);
		string_add(&p->out, "%s", p->html ? "</td>" : " |");
	}
	string_add(&p->out, "%s", p->html ? "</tr>\n" : "\n");
}

static void table_end(struct page *p)
{
	string_add(&p->out, "%s", p->html ? "</table>\n" : "\n");
}

static void code(struct page *p, const char *text)
{
	string_add(&p->out, "%s", p->html ? "<pre>" : "```\n");
	for (; *text; text++) {
		char one[2] = {*text, '\0'};
		if (*text == '\n')
			string_add(&p->out, "\n");
		else
			words(p, one);
	}
	string_add(&p->out, "%s", p->html ? "</pre>\n" : "```\n");
}

static void add_glyph(struct string *out, uint32_t glyph)
{
	char bytes[4];
	size_t n = 1;
	if (glyph < 0x80) {
		bytes[0] = (char)glyph;
	} else if (glyph < 0x800) {
		bytes[0] = (char)(0xc0 | glyph >> 6);
		bytes[1] = (char)(0x80 | (glyph & 0x3f));
		n = 2;
	} else {
		bytes[0] = (char)(0xe0 | glyph >> 12);
		bytes[1] = (char)(0x80 | (glyph >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (glyph & 0x3f));
		n = 3;
	}
	string_bytes(out, bytes, n);
}

static void plain_figure(struct page *p, const struct figure *f)
{
	int height = f->heat && f->heat->rows + 3 > PLAIN_HEIGHT ? f->heat->rows + 3 : PLAIN_HEIGHT;
	struct cell *cell = calloc((size_t)PLAIN_WIDTH * (size_t)height, sizeof *cell);
	if (!cell) {
		p->out.failed = true;
		return;
	}
	canvas_draw(f, cell, PLAIN_WIDTH, height, CANVAS_BRAILLE);
	string_add(&p->out, "```\n");
	for (int y = 0; y < height; y++) {
		int used = PLAIN_WIDTH;
		while (used && cell[y * PLAIN_WIDTH + used - 1].glyph == ' ')
			used--;
		for (int x = 0; x < used; x++)
			add_glyph(&p->out, cell[y * PLAIN_WIDTH + x].glyph);
		string_add(&p->out, "\n");
	}
	string_add(&p->out, "```\n\n");
	free(cell);
}

// The named figure of the search as it is now.
static void figure(struct page *p, struct session *s, const char *name)
{
	struct figure_source source;
	session_source(s, &source);
	struct figure *f = figure_kind_named(name)->build(&source);
	if (!f)
		p->out.failed = true;
	else if (p->html)
		figure_svg(f, &p->out);
	else
		plain_figure(p, f);
	figure_free(f);
}

// ---- the decision ------------------------------------------------------------------------------------------------------

static const char *accuracy_of(const struct session *s, const struct front_point *p, char *buf, size_t size)
{
	double error = 100 * snapshot_error(s->snapshot, p);
	if (isfinite(error))
		snprintf(buf, size, "%.1f %% ± %.1f", 100 * p->accuracy, error);
	else
		snprintf(buf, size, "%.1f %%%s", 100 * p->accuracy, s->snapshot->estimated[0] ? ", estimated" : "");
	return buf;
}

// The result, or while it is not scored, the modal choice.
static const struct front_point *result_point(const struct snapshot *now)
{
	const struct front_point *found = snapshot_result(now, false), *modal = NULL;
	for (int i = 0; !found && i < now->points; i++)
		if (now->point[i].origin == POINT_MODAL && (!modal || now->point[i].step > modal->step))
			modal = &now->point[i];
	return found ? found : modal;
}

// The best uniform choice that costs no more, within a hundredth.
static const struct front_point *rival_of(const struct session *s, int term, const struct front_point *result)
{
	const struct front_point *best = NULL;
	for (int i = 0; i < s->snapshot->points; i++) {
		const struct front_point *p = &s->snapshot->point[i];
		if (p->origin == POINT_UNIFORM && p->cost[term] <= 1.01 * result->cost[term] &&
			(!best || p->accuracy > best->accuracy))
			best = p;
	}
	return best;
}

static void add_decision(struct page *p, struct session *s, int term, const struct front_point *result)
{
	const struct term_state *t = &s->snapshot->term[term];
	char cost[ENGINE_TEXT], own[64], other[64], target[ENGINE_TEXT] = "", number[ENGINE_TEXT];
	if (!result) {
		paragraph(p, true, "No choice is scored yet: %s has made %ld of %ld steps.", s->title, s->snapshot->step,
			s->snapshot->horizon);
		return;
	}
	if (t->targeted && t->target > 0)
		snprintf(target, sizeof target, ", %.2f times its target of %s", result->cost[term] / t->target,
			number_write(t->target, t->unit, number, sizeof number));
	const struct front_point *rival = rival_of(s, term, result);
	number_write(result->cost[term], t->unit, cost, sizeof cost);
	if (!rival) {
		paragraph(p, true,
			"The result reaches %s accuracy on held-out images at %s %s%s. No choice of one format for all layers that was scored costs as "
			"little.",
			accuracy_of(s, result, own, sizeof own), t->name, cost, target);
		return;
	}
	double gain = 100 * (result->accuracy - rival->accuracy),
	       error = 100 * hypot(snapshot_error(s->snapshot, result), snapshot_error(s->snapshot, rival));
	paragraph(p, true,
		"The result reaches %s accuracy on held-out images at %s %s%s; %s in every layer, the best uniform choice at no more cost, reaches "
		"%s: %+.1f points%s.",
		accuracy_of(s, result, own, sizeof own), t->name, cost, target, rival->label,
		accuracy_of(s, rival, other, sizeof other), gain,
		fabs(gain) < 2 * error ? ", which this number of images cannot tell from none" : "");
}

static void add_point(struct page *p, const struct session *s, int term, const char *name, const struct front_point *point)
{
	char cell[6][2 * ENGINE_TEXT];
	const struct term_state *t = &s->snapshot->term[term];
	snprintf(cell[0], sizeof cell[0], "%s", name);
	number_write(point->cost[term], t->brief, cell[1], sizeof cell[1]);
	accuracy_of(s, point, cell[2], sizeof cell[2]);
	snprintf(cell[3], sizeof cell[3], "%ld", snapshot_images(s->snapshot));
	snprintf(cell[4], sizeof cell[4], "%ld", point->step);
	snprintf(cell[5], sizeof cell[5], "%llu", (unsigned long long)s->info->seed);
	row(p, cell);
}

static void add_choices(struct page *p, const struct session *s, int term, const struct front_point *result)
{
	static const char *const head[] = {"choice", "cost", "accuracy", "images", "scored at step", "seed"};
	const struct front_point *rival = result ? rival_of(s, term, result) : NULL;
	int shown = 0, front = 0;
	char name[64];
	table(p, head, 6);
	if (result)
		add_point(p, s, term, "the result", result), shown++;
	if (rival) {
		snprintf(name, sizeof name, "%s in every layer", rival->label);
		add_point(p, s, term, name, rival), shown++;
	}
	for (int i = 0; i < s->snapshot->points; i++)
		front += !s->snapshot->point[i].dominated;
	for (int i = 0, at = 0, room = CHOICES - shown, taken = 0; i < s->snapshot->points; i++) {
		const struct front_point *one = &s->snapshot->point[i];
		if (one->dominated || at++ < taken * front / (room > 0 ? room : 1) || taken >= room || one == result ||
			one == rival)
			continue;
		snprintf(name, sizeof name, "%s%.32s on the front", one->label[0] ? one->label : "a choice",
			one->trained ? ", trained," : "");
		add_point(p, s, term, name, one);
		taken++;
	}
	table_end(p);
}

// ---- what was done -----------------------------------------------------------------------------------------------------

enum { STRIP_WIDTH = 720, STRIP_BAR = 60, STRIP_NAMES = 90, STRIP_NAMED = 40 };

// One bar a layer, as high as its weights' format is wide; where there are few, with what it is and whose.
static void add_bars(struct page *p, const struct session *s)
{
	const int layers = s->info->layers;
	const bool named = layers <= STRIP_NAMED;
	const double wide = layers ? (double)STRIP_WIDTH / layers : 0, foot = STRIP_BAR + 14;
	int most = 1;
	if (!p->html || !layers)
		return;
	for (int i = 0; i < layers; i++) {
		const int slot = s->info->layer[i].weight_slot;
		const int bits = s->info->slot[slot].option[s->snapshot->slot[slot].result].bits;
		most = bits > most ? bits : most;
	}
	string_add(&p->out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"bits of each layer's weights\">", STRIP_WIDTH,
		foot + (named ? STRIP_NAMES : 4));
	for (int i = 0; i < layers; i++) {
		const struct slot_info *slot = &s->info->slot[s->info->layer[i].weight_slot];
		const struct option_info *option = &slot->option[s->snapshot->slot[s->info->layer[i].weight_slot].result];
		const double x = i * wide, high = (double)STRIP_BAR * option->bits / most;
		string_add(&p->out, "<rect class=\"h\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
			x + wide * .08, foot - high, wide * .84, high);
		words(p, s->info->layer[i].name);
		string_add(&p->out, ": %s</title></rect>", option->name);
		if (!named)
			continue;
		string_add(&p->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"%d\">%s</text>", x + wide / 2,
			foot - high - 3, wide < 30 ? 8 : 11, option->name);
		string_add(&p->out, "<text transform=\"translate(%.1f %.1f) rotate(-60)\" text-anchor=\"end\">", x + wide / 2 + 3,
			foot + 10);
		words(p, s->info->layer[i].name);
		string_add(&p->out, "</text>");
	}
	string_add(&p->out, "<line class=\"axis\" x1=\"0\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/></svg>\n", foot, STRIP_WIDTH, foot);
}

// The mark that a change has in the figures: the next one of theirs, if it is this one's; 0: it left none.
static int mark_of(const struct figure_source *source, int before, const struct event *event)
{
	const struct mark *next = before < source->marks ? &source->mark[before] : NULL;
	return next && next->step == event->step && strncmp(next->text, event->text, strlen(next->text)) == 0 ? before + 1 : 0;
}

static void add_strip(struct page *p, const struct session *s)
{
	static const char *const head[] = {"layer", "weights", "input"};
	char cell[3][2 * ENGINE_TEXT];
	add_bars(p, s);
	table(p, head, 3);
	for (int i = 0; i < s->info->layers; i++) {
		const struct layer_info *l = &s->info->layer[i];
		snprintf(cell[0], sizeof cell[0], "%s", l->name);
		snprintf(cell[1], sizeof cell[1], "%s", session_result_option(s, l->weight_slot));
		snprintf(cell[2], sizeof cell[2], "%s", session_result_option(s, l->activation_slot));
		row(p, cell);
	}
	for (int i = s->info->formats; i < s->info->slots; i++) {
		snprintf(cell[0], sizeof cell[0], "%s", s->info->slot[i].name);
		snprintf(cell[1], sizeof cell[1], "%s", session_result_option(s, i));
		snprintf(cell[2], sizeof cell[2], "-");
		row(p, cell);
	}
	table_end(p);
}

static void change_text(double before, double after, double factor, const char *unit, char *buf, size_t size)
{
	if (isfinite(before) && isfinite(after))
		snprintf(buf, size, "%+.2f%s", factor * (after - before), unit);
	else
		snprintf(buf, size, "-");
}

// Each change, numbered as the marks of the figures are; and how cost and quality moved until the next one.
static void add_changes(struct page *p, struct session *s)
{
	static const char *const head[] = {"mark", "step", "what", "cost until the next", "quality until the next"};
	struct figure_source source;
	int count, marks = 0;
	session_source(s, &source);
	struct event *event = timeline_events(s, &count);
	if (!event) {
		p->out.failed = true;
		return;
	}
	int kept = 0;
	for (int i = 0; i < count; i++)
		if (strcmp(event[i].what, "save") != 0)
			event[kept++] = event[i];
	if (!kept)
		paragraph(p, false, "Nothing was changed by hand.");
	else
		table(p, head, 5);
	for (int i = 0; i < kept; i++) {
		char cell[5][2 * ENGINE_TEXT];
		const char *what = event[i].what;
		bool change = strcmp(what, "note") && strcmp(what, "fork") && strcmp(what, "rewind");
		long next = i + 1 < kept ? event[i + 1].step : s->snapshot->step;
		double before = timeline_cost(&source, event[i].step), after = timeline_cost(&source, next);
		snprintf(cell[0], sizeof cell[0], "%s", "");
		const int mark = change ? mark_of(&source, marks, &event[i]) : 0;
		if (mark)
			snprintf(cell[0], sizeof cell[0], "%d", marks = mark);
		snprintf(cell[1], sizeof cell[1], "%ld", event[i].step);
		snprintf(cell[2], sizeof cell[2], "%s: %s", what, event[i].text);
		change_text(1, after / before, 100, " %", cell[3], sizeof cell[3]);
		change_text(timeline_quality(&source, event[i].step), timeline_quality(&source, next),
			s->snapshot->quality_is_loss ? 1 : 100, s->snapshot->quality_is_loss ? " (minus the loss)" : " points",
			cell[4], sizeof cell[4]);
		row(p, cell);
	}
	if (kept)
		table_end(p);
	free(event);
}

static void add_limits(struct page *p, const struct session *s)
{
	const struct snapshot *now = s->snapshot;
	int trained = 0;
	for (int i = 0; i < now->points; i++)
		trained += now->point[i].trained > 0;
	paragraph(p, false,
		"One seed (%llu); the error beside an accuracy is that of the images alone, and another seed differs by more. The half of the held-out "
		"images that scores the front teaches no policy.",
		(unsigned long long)s->info->seed);
	if (now->estimated[0])
		paragraph(p, false, "Accuracies are estimated (%s), not measured.", now->estimated);
	else
		paragraph(p, false,
			"Uniform choices are scored with the search's weights, which did not train for them; a race trains them alone.");
	paragraph(p, false, "The test images were looked at %ld time%s since this session was opened last%s.", s->test_looks,
		s->test_looks == 1 ? "" : "s", trained ? ", and once for each point that was trained" : "");
	for (int k = 0; k < now->terms; k++)
		if (now->term[k].weight > 0 && strstr(now->term[k].unit, "assumed"))
			paragraph(p, false, "%s rests on assumed efficiencies of its device.", now->term[k].name);
}

// ---- the commands ------------------------------------------------------------------------------------------------------

struct settings {
	struct string *out;
	const struct config *plain;
};

static void add_setting(const char *name, const char *value, void *context)
{
	struct settings *of = context;
	char plain[ENGINE_TEXT], text[ENGINE_TEXT * 2];
	if (strcmp(name, "preset") == 0 || (config_get(of->plain, name, plain, sizeof plain) && strcmp(plain, value) == 0))
		return;
	snprintf(text, sizeof text, "%s=%s", name, value);
	string_add(of->out, " ");
	shell_quote(of->out, text);
}

// A line for a shell, and what it reads: a session called `again` in the current folder that ends in the same digest.
static bool commands(const struct session *s, struct string *out)
{
	char preset[ENGINE_TEXT];
	struct config *plain = config_new();
	bool ok = plain && config_get(s->began, "preset", preset, sizeof preset) && config_set(plain, "preset", preset, NULL);
	if (ok) {
		string_add(out, "bitscape new ./again preset=%s", preset);
		config_each(s->began, add_setting, &(struct settings){out, plain});
		string_add(out, "%s --batch - <<'END'\n", s->info->command[0] ? " --run-commands" : "");
	}
	long at = 0;
	for (int i = 0; ok && i < s->journal.lines; i++) {
		const struct journal_line *line = &s->journal.line[i];
		if (line->kind != JOURNAL_CHANGE)
			continue;
		if (line->step > at)
			string_add(out, "wait step %ld\n", line->step);
		at = line->step;
		string_add(out, "%s\n", line->act == ACT_DO ? line->text : line->act == ACT_UNDO ? "undo" : "redo");
	}
	if (ok && s->snapshot->step > at)
		string_add(out, "wait step %ld\n", s->snapshot->step);
	string_add(out, "digest\nEND\n");
	config_free(plain);
	return ok && !out->failed;
}

// ---- the whole ---------------------------------------------------------------------------------------------------------

static void write_page(struct page *p, struct session *s, const char *digest)
{
	struct figure_source source;
	struct string again = {0};
	char title[512];
	session_source(s, &source);
	snprintf(title, sizeof title, "%.200s: %s on %s", s->title, s->info->net, s->info->data);
	const struct front_point *result = result_point(s->snapshot);
	if (p->html) {
		string_add(&p->out,
			"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
			"content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>");
		words(p, title);
		string_add(&p->out, "</title><style>%s</style></head><body>\n", style);
	}
	heading(p, 1, title);
	add_decision(p, s, source.term, result);
	figure(p, s, "front");
	add_choices(p, s, source.term, result);
	heading(p, 2, "Formats of the result");
	add_strip(p, s);
	if (s->info->layers) {
		heading(p, 2, "How they came about");
		figure(p, s, "bits");
	}
	figure(p, s, "curves");
	heading(p, 2, "What was changed, and what moved until the next change");
	add_changes(p, s);
	heading(p, 2, "Limits");
	add_limits(p, s);
	heading(p, 2, "How to make it again");
	paragraph(p, false,
		"bitscape %s, %s kernels; step %ld of %ld; digest %s of all weights and the policy. These commands end in the same digest.",
		BITSCAPE_VERSION, s->info->kernels, s->snapshot->step, s->snapshot->horizon, digest);
	if (commands(s, &again))
		code(p, again.bytes);
	else
		p->out.failed = true;
	string_free(&again);
	if (p->html)
		string_add(&p->out, "</body></html>\n");
}

static void report_done(struct session *s, struct pending *pending, struct reply *r)
{
	struct fault f = r->fault;
	const char *path = pending->text, *digest = r->ok ? state_get(r->state, "digest") : NULL, *dot = strrchr(path, '.');
	struct page p = {.html = dot && strcmp(dot, ".html") == 0};
	session_fetch(s);
	bool ok = r->ok && digest;
	if (ok && s->snapshot->step != r->step)
		ok = fault_set(&f, path, "`pause`, then export it", "the search went on meanwhile");
	if (ok)
		write_page(&p, s, digest);
	if (ok && p.out.failed)
		ok = fault_memory(&f, path);
	if (ok && p.out.length > PAGE_MOST)
		ok = fault_set(&f, path, "`export layers` and `export history` have the parts", "it would be larger than 1 MB");
	ok = ok && disk_replace(path, p.out.bytes, p.out.length, &f);
	if (ok)
		session_say(s, "wrote %s (%.0f kB)", path, (double)p.out.length / 1000);
	else
		session_say_fault(s, &f);
	string_free(&p.out);
}

bool export_report(struct session *s, struct command_call *call, const char *path)
{
	const char *dot = strrchr(path, '.');
	if (!dot || (strcmp(dot, ".html") != 0 && strcmp(dot, ".md") != 0))
		return fault_set(&call->fault, path, "end it in .html or .md", "a report has one of two forms");
	if (s->snapshot->run == RUN_RUNNING)
		return fault_set(&call->fault, "export report", "`pause` first",
			"it is about one step, and the search is running");
	struct pending *p = session_pending(report_done, &call->fault);
	if (!p)
		return false;
	p->text = strdup(path);
	if (!p->text) {
		fault_memory(&call->fault, path);
		return session_posted(s, p, false);
	}
	return session_posted(s, p, engine_post_state(s->engine, &p->ticket, &call->fault));
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Tours in the workbench. Their lines run from the same table of commands as a batch's; only the waiting differs.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/workbench.h"

enum { PART_MS = 2000, LINE_MS = 500 }; // for reading, where nobody presses Enter

// What a part tells, as it comes.
struct telling {
	struct popup box;
	int width;          // at which text is broken
	const char *indent; // of what is broken: of answers, which are tables
};

static void tell(struct command_call *call, const char *format, ...)
{
	struct telling *t = call->sayer;
	char *text = NULL, *rest = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return;
	for (char *line = rest = text; (line = strsep(&rest, "\n"));)
		popup_add_wrapped(&t->box, line[0] ? line : " ", t->width, t->indent);
	free(text);
}

static void tell_command(struct telling *t, const char *line)
{
	char text[512];
	int first = t->box.lines;
	snprintf(text, sizeof text, ":%s", line);
	popup_add_wrapped(&t->box, text, t->width, t->indent);
	for (int i = first; i < t->box.lines; i++)
		t->box.line[i].key = (int)sizeof text;
}

// Runs lines until the part ends. False: one failed.
static bool run_part(struct workbench *w, struct telling *t, enum script_line *kind, struct fault *f)
{
	const char *line;
	enum script_line last = SCRIPT_BREAK;
	while ((*kind = script_next(w->tour, &line, f)) > SCRIPT_BREAK) {
		t->indent = *kind == SCRIPT_COMMAND ? "    " : "";
		if (script_gap(last, *kind))
			popup_add(&t->box, "", 0, false);
		if (*kind == SCRIPT_COMMAND)
			tell_command(t, line);
		if (!command_run(&w->table, line, tell, t, f))
			return false;
		last = *kind;
	}
	return *kind != SCRIPT_FAILED;
}

static bool end_tour(struct workbench *w)
{
	workbench_close(w);
	w->quit |= w->tour_auto;
	workbench_say(w, false, "the tour is over; press Space to run the search");
	return true;
}

static bool show_part(struct workbench *w, struct fault *f)
{
	struct telling t = {.width = w->screen.width > 20 ? w->screen.width - 8 : 12};
	enum script_line kind;
	w->tour_telling = true;
	bool ok = run_part(w, &t, &kind, f);
	w->tour_telling = false;
	if (!ok)
		script_place(w->tour, f);
	if (ok && kind == SCRIPT_END && t.box.lines == 0)
		return end_tour(w);
	if (ok)
		popup_clear(&w->popup);
	else
		workbench_close(w);
	w->popup = t.box;
	if (!ok)
		return false;
	snprintf(w->popup.title, sizeof w->popup.title, "Tour, %d of %d", ++w->tour_part, w->tour_parts);
	w->popup.foot = w->tour_part < w->tour_parts ? "Enter goes on, Esc leaves" : "Enter ends the tour";
	return true;
}

static void set_time(struct workbench *w)
{
	int rows = popup_rows(&w->popup, w->screen.height), below = w->popup.lines - w->popup.top;
	if (w->tour_auto && w->tour)
		w->tour_ms = PART_MS + LINE_MS * (below < rows ? below : rows);
}

static bool count_parts(const char *path, int *parts, struct fault *f)
{
	struct script *s = script_open(path, f);
	enum script_line kind, last = SCRIPT_BREAK;
	const char *line;
	if (!s)
		return false;
	for (*parts = 0; (kind = script_next(s, &line, f)) > SCRIPT_END;) {
		*parts += last == SCRIPT_BREAK && kind > SCRIPT_NOTHING;
		last = kind == SCRIPT_NOTHING ? last : kind;
	}
	if (kind == SCRIPT_FAILED)
		script_place(s, f);
	script_close(s);
	return kind == SCRIPT_END;
}

bool tour_begin(struct workbench *w, const char *name, struct fault *f)
{
	char path[4096];
	if (w->tour_telling)
		return fault_set(f, "tour", "leave it out", "a tour cannot begin another one");
	if (!tour_find(name, path, sizeof path, f))
		return false;
	if (lesson_is(path))
		return lesson_begin(w, path, name, f);
	workbench_close(w);
	w->tour_part = 0;
	if (!count_parts(path, &w->tour_parts, f) || !(w->tour = script_open(path, f)) || !show_part(w, f))
		return false;
	set_time(w);
	return true;
}

bool tour_go_on(struct workbench *w, struct fault *f)
{
	if (!w->tour && !popup_shown(&w->popup) && w->lesson)
		return lesson_go_on(w, f);
	if (!w->tour && !popup_shown(&w->popup))
		return fault_set(f, "tour", "`tour NAME` begins one", "none is being played");
	if (!w->tour || w->tour_telling) {
		workbench_close(w);
		return true;
	}
	int rows = popup_rows(&w->popup, w->screen.height);
	if (w->popup.top + rows < w->popup.lines)
		w->popup.top += rows - 1;
	else if (!show_part(w, f))
		return false;
	set_time(w);
	return true;
}

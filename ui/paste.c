// SPDX-License-Identifier: GPL-3.0-or-later
// Text pasted into the workbench. Whatever it holds, no byte of it acts as a key.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "ui/prompt.h"
#include "ui/workbench.h"

enum { LINES_MOST = 200 };

static void free_lines(struct pasted *p)
{
	for (int i = 0; i < p->lines; i++)
		free(p->line[i]);
	free(p->line);
	*p = (struct pasted){0};
}

void paste_drop(struct workbench *w)
{
	free_lines(&w->pasted);
}

static bool add_line(struct pasted *p, const char *from, size_t length)
{
	while (length > 0 && (*from == ' ' || *from == '\t'))
		from++, length--;
	while (length > 0 && (from[length - 1] == ' ' || from[length - 1] == '\t'))
		length--;
	if (length == 0)
		return true;
	char **grown = realloc(p->line, ((size_t)p->lines + 1) * sizeof *grown);
	if (grown)
		p->line = grown;
	char *line = grown ? malloc(length + 1) : NULL;
	if (!line)
		return false;
	for (size_t i = 0; i < length; i++)
		line[i] = from[i] == '\t' ? ' ' : from[i] == '\0' ? '?' : from[i];
	line[length] = '\0';
	p->line[p->lines++] = text_clean(line, "");
	return true;
}

// Its lines, without blanks at their ends; empty ones are left out. False: out of memory.
static bool split(struct pasted *p, const char *text, size_t length)
{
	bool ok = true;
	size_t from = 0;
	for (size_t i = 0; ok && i <= length; i++)
		if (i == length || text[i] == '\n' || text[i] == '\r') {
			ok = add_line(p, text + from, i - from);
			from = i + 1;
		}
	return ok;
}

// What stood in the prompt goes before and behind the first line, as if that had been typed.
static bool take_prompt(struct pasted *p)
{
	prompt_insert(p->line[0]);
	char *whole = strdup(prompt_line());
	prompt_cancel();
	if (!whole)
		return false;
	free(p->line[0]);
	p->line[0] = whole;
	return true;
}

// Adds the lines from `from` on as commands, all of each, whatever its blanks and its length.
static bool box_commands(const struct workbench *w, struct popup *box, const struct pasted *p, int from)
{
	bool ok = true;
	int width = w->screen.width > 20 ? w->screen.width - 12 : 8;
	for (int i = from; ok && i < p->lines; i++) {
		const char *text = p->line[i];
		for (bool first = true; ok && *text; first = false) {
			const char *part = text;
			struct string line = {0};
			size_t bytes = screen_break(part, width, &text);
			string_add(&line, "%s%.*s", first ? ":" : "    ", (int)bytes, part);
			ok = !line.failed && popup_add_hanging(box, line.bytes, (int)line.length, 4);
			string_free(&line);
		}
	}
	return ok;
}

static bool show_lines(struct workbench *w)
{
	struct popup box = {.foot = "Enter runs them, Esc drops them"};
	snprintf(box.title, sizeof box.title, "Pasted: %d commands", w->pasted.lines);
	if (!box_commands(w, &box, &w->pasted, 0)) {
		popup_clear(&box);
		return false;
	}
	popup_clear(&w->popup);
	w->popup = box;
	return true;
}

// Where the run ended early: why, and what was not run. In a box, since what the lines before it did is still to be said.
static void show_rest(struct workbench *w, const struct pasted *p, int run, const char *why)
{
	char head[64];
	popup_clear(&w->popup);
	snprintf(w->popup.title, sizeof w->popup.title, "Pasted: line %d of %d", run, p->lines);
	popup_add(&w->popup, why, 0, false);
	if (run == p->lines)
		return;
	snprintf(head, sizeof head, "%d not run:", p->lines - run);
	popup_add(&w->popup, "", 0, false);
	popup_add(&w->popup, head, 0, true);
	box_commands(w, &w->popup, p, run);
}

static void take_lines(struct workbench *w)
{
	struct pasted *p = &w->pasted;
	if (p->lines == 0)
		return;
	if (p->lines == 1) {
		if (!prompt_is_open())
			prompt_open(&w->table, w->session);
		prompt_insert(p->line[0]);
		paste_drop(w);
	} else if (p->lines > LINES_MOST) {
		workbench_say(w, true,
			"the paste has %d lines, more than %d, and is left out; put them into a file and use --batch", p->lines,
			LINES_MOST);
		paste_drop(w);
	} else if ((prompt_is_open() && !take_prompt(p)) || !show_lines(w)) {
		workbench_say(w, true, "the paste is left out: out of memory");
		paste_drop(w);
	}
}

void paste_take(struct workbench *w, const char *text, size_t length)
{
	bool small = w->screen.width < LAYOUT_MIN_WIDTH || w->screen.height < LAYOUT_MIN_HEIGHT;
	if (!prompt_is_open() && popup_shown(&w->popup)) {
		workbench_say(w, true, "the paste is left out: close the box first");
	} else if (small) {
		workbench_say(w, true, "the paste is left out: the screen is too small to show it");
	} else if (!split(&w->pasted, text, length)) {
		paste_drop(w);
		workbench_say(w, true, "the paste is left out: out of memory");
	} else {
		take_lines(w);
	}
}

// Whether only the loop can go on: what follows was meant for what comes then.
static bool asks_the_loop(const struct workbench *w)
{
	return w->quit || w->change_session || w->prompt || w->suspend;
}

bool paste_confirm(struct workbench *w, struct fault *f)
{
	if (w->pasted.lines == 0)
		return fault_set(f, "confirm", "paste some commands first", "nothing waits to be confirmed");
	struct pasted p = w->pasted;
	w->pasted = (struct pasted){0};
	workbench_close(w);
	bool ok = true;
	int run = 0;
	while (run < p.lines && ok && !asks_the_loop(w)) {
		prompt_remember(p.line[run]);
		ok = workbench_command(w, p.line[run++]);
	}
	char why[WORKBENCH_MESSAGE + 4];
	snprintf(why, sizeof why, "! %s", w->message);
	if (!ok)
		show_rest(w, &p, run, why);
	else if (run < p.lines)
		show_rest(w, &p, run, "This line leads elsewhere.");
	free_lines(&p);
	return true;
}

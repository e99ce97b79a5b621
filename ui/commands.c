// SPDX-License-Identifier: GPL-3.0-or-later
// The commands of the screen. What only the loop can do (quit, another session) they ask for; what changes the search they
// pass on as the command that does, so that it is journaled.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "ui/show.h"
#include "ui/workbench.h"

// The workbench of a call; NULL, and a fault, in a batch.
static struct workbench *screen_of(struct command_call *call)
{
	if (!call->context)
		fault_set(&call->fault, call->line, "leave it out", "needs the screen, which a batch run does not have");
	return call->context;
}

static bool pass_on(struct command_call *call, struct workbench *w, const char *line)
{
	return command_run(&w->table, line, call->say, call->sayer, &call->fault);
}

static bool run_quit(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (w)
		w->quit = true;
	return w != NULL;
}

static bool run_redraw(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (w)
		w->redraw = true;
	return w != NULL;
}

static bool run_prompt(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (w)
		w->prompt = true;
	return w != NULL;
}

static bool run_suspend(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (w)
		w->suspend = true;
	return w != NULL;
}

static bool run_keys(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	popup_clear(&w->popup);
	return keys_help(&w->popup, &w->table, w->screen.ascii) || fault_set(&call->fault, "keys", "", "out of memory");
}

static bool run_messages(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	popup_clear(&w->popup);
	snprintf(w->popup.title, sizeof w->popup.title, "Messages, newest first");
	size_t width = w->screen.width > 20 ? (size_t)w->screen.width - 12 : 8;
	for (int i = w->logged - 1; i >= 0; i--)
		if (!popup_add_wrapped(&w->popup, w->log[i], width, "  "))
			return fault_set(&call->fault, "messages", "", "out of memory");
	if (w->logged == 0)
		call->say(call, "nothing was said yet");
	return true;
}

static bool run_close(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (w->popup.lines == 0)
		call->say(call, "q quits; the session is saved then");
	workbench_close(w);
	return true;
}

static bool run_tour(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && (call->argc ? tour_begin(w, call->argv[0], &call->fault) : tour_go_on(w, &call->fault));
}

// ---- moving -------------------------------------------------------------------------------------------------------

static const struct motion {
	const char *word;
	int lines, pages;
	bool whole; // to the first or the last
} motion[] = {
	{"up", -1, 0, false}, {"down", 1, 0, false}, {"page-up", 0, -1, false}, {"page-down", 0, 1, false},
	{"first", -1, 0, true}, {"last", 1, 0, true},
};
#define MOTIONS "up|down|page-up|page-down|first|last"

// Where a motion leads from `at` among `count`; the page is what the screen shows at once. -1: no such word.
static int moved(const char *word, int at, int count, int page)
{
	for (size_t i = 0; i < sizeof motion / sizeof *motion; i++) {
		const struct motion *m = &motion[i];
		if (strcmp(word, m->word) != 0)
			continue;
		at = m->whole ? (m->lines > 0 ? count - 1 : 0) : at + m->lines + m->pages * page;
		return at >= count ? count - 1 : at < 0 ? 0 : at;
	}
	return -1;
}

static bool run_move(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct engine_info *info = engine_info(session_engine(w->session));
	struct layout l;
	layout_make(w->screen.width, w->screen.height,
		(struct layout_want){info->layers, session_snapshot(w->session)->terms, w->curves}, &l);
	int page = l.layers.height > 4 ? l.layers.height - 4 : 1;
	int to = moved(call->argv[0], w->view.layer, info->layers, page);
	for (int i = 0; to < 0 && i < info->layers; i++)
		if (strcmp(info->layer[i].name, call->argv[0]) == 0)
			to = i;
	if (to < 0)
		return fault_set(&call->fault, call->argv[0], "give " MOTIONS " or the name of a layer",
			"is no layer of %s", info->net);
	w->view.layer = to;
	return true;
}

static bool run_scroll(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	int page = w->screen.height > 8 ? w->screen.height - 7 : 1;
	int to = moved(call->argv[0], w->popup.top, w->popup.lines, page);
	if (to < 0)
		return fault_set(&call->fault, call->argv[0], "give " MOTIONS, "is no way to scroll");
	w->popup.top = to;
	return true;
}

static bool run_term(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct snapshot *snap = session_snapshot(w->session);
	if (strcmp(call->argv[0], "next") == 0) {
		w->view.term = snap->terms > 0 ? (w->view.term + 1) % snap->terms : 0;
		return true;
	}
	for (int i = 0; i < snap->terms; i++)
		if (strcmp(snap->term[i].name, call->argv[0]) == 0) {
			w->view.term = i;
			return true;
		}
	return fault_set(&call->fault, call->argv[0], "`weight TERM NUMBER` brings a term in", "is no cost term of this search");
}

static bool run_curve(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct figure_kind *kind[LAYOUT_CURVES * 2];
	int kinds = view_curves(kind, LAYOUT_CURVES * 2);
	if (strcmp(call->argv[0], "next") == 0) {
		w->view.curve = kinds > 0 ? (w->view.curve + 1) % kinds : 0;
		return true;
	}
	for (int i = 0; i < kinds; i++)
		if (strcmp(kind[i]->name, call->argv[0]) == 0) {
			w->view.curve = i;
			return true;
		}
	return fault_set(&call->fault, call->argv[0], "`curve next` shows them in turn", "is no figure over the steps");
}

// ---- steering -----------------------------------------------------------------------------------------------------

static bool run_toggle(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && pass_on(call, w, session_snapshot(w->session)->run == RUN_RUNNING ? "pause" : "run");
}

static bool nudge_weight(struct command_call *call, struct workbench *w, const struct term_state *t, double factor)
{
	char line[160];
	double weight = t->weight * factor;
	if (t->weight == 0.0) // a factor would leave it there for ever
		weight = factor > 1.0 ? 0.01 : 0.0;
	snprintf(line, sizeof line, "weight %s %.4g", t->name, weight);
	return pass_on(call, w, line);
}

static bool nudge_target(struct command_call *call, struct workbench *w, const struct term_state *t, double factor)
{
	// Without a target, from where the modal choice is.
	double target = (t->targeted ? t->target : t->modal) * factor;
	char line[160], number[32];
	if (!(target > 0.0))
		return fault_set(&call->fault, t->name, "`target TERM FORMAT` sets one", "has no target to move");
	if (t->unit && t->unit[0] == 'm') // ms, mJ: a number alone is read as these
		snprintf(number, sizeof number, "%.4g", target);
	else
		show_typed(target, number, sizeof number);
	snprintf(line, sizeof line, "target %s %s", t->name, number);
	return pass_on(call, w, line);
}

static bool run_nudge(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct snapshot *snap = session_snapshot(w->session);
	char *end;
	double factor = strtod(call->argv[1], &end);
	if (*end != '\0' || !(factor >= 0.01 && factor <= 100.0))
		return fault_set(&call->fault, call->argv[1], "give a factor from 0.01 to 100", "is no factor");
	if (w->view.term >= snap->terms)
		return fault_set(&call->fault, "nudge", "`weight TERM NUMBER` brings one in", "this search has no cost term");
	const struct term_state *t = &snap->term[w->view.term];
	if (strcmp(call->argv[0], "weight") == 0)
		return nudge_weight(call, w, t, factor);
	if (strcmp(call->argv[0], "target") == 0)
		return nudge_target(call, w, t, factor);
	return fault_set(&call->fault, call->argv[0], "nudge weight or target", "cannot be nudged");
}

// ---- looks --------------------------------------------------------------------------------------------------------

static bool run_theme(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct theme *theme = theme_named(call->argv[0]);
	if (!theme)
		return fault_set(&call->fault, call->argv[0], "dark, light and mono are there", "is no theme");
	w->theme = theme;
	return true;
}

static bool run_glyphs(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	static const char *const word[] = {
		[CANVAS_BRAILLE] = "braille", [CANVAS_BLOCK] = "block", [CANVAS_ASCII] = "ascii"};
	for (int i = 0; i < 3; i++)
		if (strcmp(word[i], call->argv[0]) == 0) {
			w->view.canvas = (enum canvas_glyphs)i;
			w->screen.ascii = i == CANVAS_ASCII;
			return true;
		}
	return fault_set(&call->fault, call->argv[0], "braille, block and ascii are there", "is no set of glyphs");
}

static bool run_screenshot(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	workbench_draw(w);
	char *text = screen_text(&w->screen);
	if (!text)
		return fault_set(&call->fault, "screenshot", "", "out of memory");
	bool ok = disk_replace(call->argv[0], text, strlen(text), &call->fault);
	free(text);
	if (ok)
		call->say(call, "the screen is in %s", call->argv[0]);
	return ok;
}

// ---- other sessions -----------------------------------------------------------------------------------------------

// Leaves the words for the loop, apart by line ends, which no word holds.
static bool ask_session(struct command_call *call, struct workbench *w, const char *verb, int argc, char *const *argv)
{
	size_t length = strlen(verb) + 1;
	for (int i = 0; i < argc; i++)
		length += strlen(argv[i]) + 1;
	char *line = malloc(length), *p = line;
	if (!line)
		return fault_set(&call->fault, verb, "", "out of memory");
	p = stpcpy(p, verb);
	for (int i = 0; i < argc; i++) {
		*p++ = '\n';
		p = stpcpy(p, argv[i]);
	}
	free(w->change_session);
	w->change_session = line;
	return true;
}

static bool run_open(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && ask_session(call, w, "open", call->argc, call->argv);
}

static bool run_new(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && ask_session(call, w, "new", call->argc, call->argv);
}

static bool run_resume(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (!w->last[0])
		return fault_set(&call->fault, "resume", "`open NAME` opens any, `sessions` lists them", "no session is waiting to be gone on with");
	char *name = w->last;
	return ask_session(call, w, "resume", 1, &name);
}

// ---- the table ----------------------------------------------------------------------------------------------------

static const struct command rows[] = {
	{"quit", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "save the session and leave; how to open it again is told", run_quit},
	{"keys", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "all keys and commands", run_keys},
	{"messages", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "what was said lately, at full length", run_messages},
	{"close", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "close the box", run_close},
	{"tour", COMMAND_VIEW, 0, 1, {ARGUMENT_TEXT}, 0, NULL, "[NAME]", "begin a lesson; without a name: go on in it, or close the box", run_tour},
	{"prompt", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "type a command", run_prompt},
	{"move", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTIONS, "WHERE|LAYER", "to another layer", run_move},
	{"scroll", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTIONS, "WHERE", "the box of text", run_scroll},
	{"term", COMMAND_VIEW, 1, 1, {ARGUMENT_TERM}, 0, NULL, "next|TERM", "select a cost term", run_term},
	{"curve", COMMAND_VIEW, 1, 1, {ARGUMENT_FIGURE}, 0, NULL, "next|FIGURE", "other curves", run_curve},
	{"toggle", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "pause, or run on", run_toggle},
	{"nudge", COMMAND_VIEW, 2, 2, {ARGUMENT_WORDS, ARGUMENT_NUMBER}, 0, "weight|target -", "weight|target FACTOR",
		"move the selected cost term's", run_nudge},
	{"open", COMMAND_VIEW, 1, 1, {ARGUMENT_SESSION}, 0, NULL, "NAME", "go over to another session; `sessions` lists them", run_open},
	{"new", COMMAND_VIEW, 0, -1, {ARGUMENT_KNOB}, 1, NULL, "[NAME] KEY=VALUE...", "begin another session", run_new},
	{"resume", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "go on with the session that was used last", run_resume},
	{"theme", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, "dark|light|mono", "dark|light|mono", "change the colours", run_theme},
	{"glyphs", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, "braille|block|ascii", "braille|block|ascii",
		"what figures and frames are made of", run_glyphs},
	{"screenshot", COMMAND_VIEW, 1, 1, {ARGUMENT_FILE}, 0, NULL, "FILE", "write the screen to a file as text", run_screenshot},
	{"suspend", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "back to the shell; its `fg` comes back", run_suspend},
	{"redraw", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "draw the whole screen again", run_redraw},
};

const struct command *ui_commands(size_t *count)
{
	*count = sizeof rows / sizeof *rows;
	return rows;
}

struct command_group ui_group(struct workbench *w)
{
	size_t count;
	const struct command *all = ui_commands(&count);
	return (struct command_group){"the screen", all, count, w};
}

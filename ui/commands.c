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
	return keys_help(&w->popup, &w->table, w->screen.ascii) || fault_memory(&call->fault, "keys");
}

static bool run_messages(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	popup_clear(&w->popup);
	snprintf(w->popup.title, sizeof w->popup.title, "Messages, newest first");
	int width = w->screen.width > 20 ? w->screen.width - 12 : 8;
	for (int i = w->logged - 1; i >= 0; i--)
		if (!popup_add_wrapped(&w->popup, w->log[i], width, "  "))
			return fault_memory(&call->fault, "messages");
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

static bool run_confirm(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && paste_confirm(w, &call->fault);
}

static bool run_tour(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && (call->argc ? tour_begin(w, call->argv[0], &call->fault) : tour_go_on(w, &call->fault));
}

// ---- moving -------------------------------------------------------------------------------------------------------

// Moves in a view, or takes what has that name in hand.
static bool go(struct command_call *call, const struct view_ops *ops, const char *what, const char *advice)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	enum motion m;
	int view = views_of(&w->views, ops);
	void *own = w->views.view[view].own;
	w->scene.snapshot = session_snapshot(w->session);
	if (motion_named(call->argv[0], &m) && ops->move)
		ops->move(own, &w->scene, m, views_page(&w->views, view));
	else if (!ops->select || !ops->select(own, &w->scene, call->argv[0]))
		return fault_set(&call->fault, call->argv[0], advice, "%s", what);
	return true;
}

static bool run_move(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	char what[ENGINE_TEXT + 32];
	if (!w)
		return false;
	snprintf(what, sizeof what, "is not a layer of %.*s", ENGINE_TEXT, engine_info(session_engine(w->session))->net);
	return go(call, w->views.view[views_mover(&w->views)].ops, what, "give " MOTION_WORDS " or the name of a layer");
}

static bool run_scroll(struct command_call *call)
{
	return go(call, &view_popup, "is not a way to scroll", "give " MOTION_WORDS);
}

static bool run_term(struct command_call *call)
{
	return go(call, &view_costs, "is not a cost term of this search", "`weight TERM NUMBER` brings a term in");
}

static bool run_curve(struct command_call *call)
{
	return go(call, &view_curves, "is not a figure over the steps", "`curve next` shows them in turn");
}

// ---- steering -----------------------------------------------------------------------------------------------------

static bool run_toggle(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && pass_on(call, w, session_snapshot(w->session)->run == RUN_RUNNING ? "pause" : "run");
}

static bool run_nudge(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct snapshot *snap = session_snapshot(w->session);
	bool weight = strcmp(call->argv[0], "weight") == 0, up = strcmp(call->argv[1], "up") == 0;
	char line[160];
	if (!weight && strcmp(call->argv[0], "target") != 0)
		return fault_set(&call->fault, call->argv[0], "nudge weight or target", "cannot be nudged");
	if (!up && strcmp(call->argv[1], "down") != 0)
		return fault_set(&call->fault, call->argv[1], "nudge it up or down", "is no direction");
	if (w->scene.term >= snap->terms)
		return fault_set(&call->fault, "nudge", "`weight TERM NUMBER` brings one in", "this search has no cost term");
	const struct term_state *t = &snap->term[w->scene.term];
	struct nudge *n = &w->nudge[weight][w->scene.term];
	const char *value = weight ? nudge_weight(n, t, up ? 1 : -1) : nudge_target(n, t, up ? 1 : -1);
	if (!value)
		return fault_set(&call->fault, t->name, "`target TERM FORMAT` sets one", "has no target to move");
	snprintf(line, sizeof line, "%s %s %s", call->argv[0], t->name, value[0] ? value : "''");
	return pass_on(call, w, line);
}

// ---- looks --------------------------------------------------------------------------------------------------------

static bool run_theme(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct theme *theme = theme_named(call->argv[0]);
	if (!theme)
		return fault_set(&call->fault, call->argv[0], "choose dark, light or mono", "is not a theme");
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
			w->scene.canvas = (enum canvas_glyphs)i;
			w->screen.ascii = i == CANVAS_ASCII;
			return true;
		}
	return fault_set(&call->fault, call->argv[0], "choose braille, block or ascii", "is not a set of glyphs");
}

static bool run_screenshot(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	workbench_draw(w);
	char *text = screen_text(&w->screen);
	if (!text)
		return fault_memory(&call->fault, "screenshot");
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
		return fault_memory(&call->fault, verb);
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
	{"confirm", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "run the lines that were pasted", run_confirm},
	{"tour", COMMAND_VIEW, 0, 1, {ARGUMENT_TEXT}, 0, NULL, "[NAME]", "begin a lesson; without a name: go on in it, or close the box", run_tour},
	{"prompt", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "type a command", run_prompt},
	{"move", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTION_WORDS, "WHERE|LAYER", "to another layer", run_move},
	{"scroll", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTION_WORDS, "WHERE", "the box of text", run_scroll},
	{"term", COMMAND_VIEW, 1, 1, {ARGUMENT_TERM}, 0, NULL, "next|TERM", "select a cost term", run_term},
	{"curve", COMMAND_VIEW, 1, 1, {ARGUMENT_FIGURE}, 0, NULL, "next|FIGURE", "other curves", run_curve},
	{"toggle", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "pause, or run on", run_toggle},
	{"nudge", COMMAND_VIEW, 2, 2, {ARGUMENT_WORDS, ARGUMENT_WORDS}, 0, "weight|target up|down", "weight|target up|down",
		"move the selected cost term's, by 25 % and 5 %", run_nudge},
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

// SPDX-License-Identifier: GPL-3.0-or-later
// The commands of the screen. They ask the loop for what only it can do (quit, another session). What changes the search they
// pass on as the command that does so, and thus it is journaled.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "ui/cast.h"
#include "ui/ink.h"
#include "ui/show.h"
#include "ui/stage.h"

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

// Returns whether the session in hand may be left. If work would be lost, the person is told first; the next command that leaves
// is then obeyed.
static bool may_leave(struct command_call *call, struct workbench *w)
{
	struct fault risk;
	char todo[sizeof risk.todo];
	bool meant = w->leaving && w->leaving + 1 == w->commands, draft = session_draft(w->session) != NULL;
	w->leaving = 0;
	if (meant || (!draft && !session_at_risk(w->session, &risk)))
		return true;
	w->leaving = w->commands;
	if (draft)
		return fault_set(&call->fault, "draft", "Enter pins it, Esc Esc drops it; leave once more, and it is dropped",
			"it is not pinned yet");
	snprintf(todo, sizeof todo, "%.180s; leave once more, and it is lost", risk.todo);
	return fault_set(&call->fault, risk.where, todo, "%s", risk.what);
}

// What only the loop of a terminal can carry out. False, with a fault: there is none.
static bool has_loop(struct command_call *call, const struct workbench *w)
{
	return !w->unseen ||
		fault_set(&call->fault, call->line, "leave it out; the batch ends with its last line", "needs a terminal");
}

static bool run_quit(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w || !has_loop(call, w) || !may_leave(call, w))
		return false;
	w->quit = true;
	return true;
}

static bool run_redraw(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (w)
		w->redraw = true;
	return w != NULL;
}

// The columns of the table in front, as the words of `sort`.
static char sort_words[256];

// A fault about a column that is not there names all that are.
static void collect_columns(struct workbench *w)
{
	static const char before[] = "there are ";
	struct fault f = {0};
	int view = w->popup.sheet ? views_of(&w->views, &view_popup) : views_mover(&w->views);
	const struct view_ops *ops = w->views.view[view].ops;
	sort_words[0] = '\0';
	w->scene.popup = &w->popup;
	w->scene.snapshot = session_snapshot(w->session);
	if (!ops->table || ops->table(w->views.view[view].own, &w->scene, table_sort, "?", &f) ||
		strncmp(f.todo, before, sizeof before - 1) != 0)
		return;
	snprintf(sort_words, sizeof sort_words, "%s", f.todo + sizeof before - 1);
	for (char *p = sort_words; *p; p++)
		*p = *p == ' ' ? '|' : *p;
}

static bool run_prompt(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	struct string words = {0};
	if (!w)
		return false;
	for (int i = 0; i < call->argc; i++)
		string_add(&words, "%s%s", i ? " " : "", call->argv[i]);
	bool ok = !words.failed && workbench_prompt(w, words.bytes ? words.bytes : "");
	w->prompt_choose = call->argc == 1 && strcmp(call->argv[0], "sort") == 0;
	if (w->prompt_choose)
		collect_columns(w);
	string_free(&words);
	return ok || fault_memory(&call->fault, "prompt");
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
	if (popup_shown(&w->popup)) // of a box: its foot says what can be done in it
		workbench_close(w);
	return keys_help(&w->keys, &w->popup, &w->table, workbench_context(w), w->screen.ascii) ||
		fault_memory(&call->fault, "keys");
}

static bool run_legend(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && (legend_show(w) || fault_memory(&call->fault, "legend"));
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
	if (!popup_shown(&w->popup))
		call->say(call, "q quits; the session is saved then");
	workbench_close(w);
	return true;
}

static bool run_pick(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	struct string line = {0};
	if (!w)
		return false;
	bool ok = w->popup.sheet && sheet_pick(w->popup.sheet, &line);
	if (line.failed)
		ok = fault_memory(&call->fault, "pick");
	else if (!ok)
		fault_set(&call->fault, "pick", "`sessions` and `devices` show rows that can be opened",
			"there is no row to open");
	if (ok) {
		workbench_close(w);
		workbench_command(w, line.bytes); // which says by itself what is wrong with it
	}
	string_free(&line);
	return ok;
}

static bool run_confirm(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && paste_confirm(w, &call->fault);
}

static bool run_tour(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	static const char *const words[] = {"back", "restart", "notes", "leave"};
	for (size_t i = 0; w && call->argc && i < sizeof words / sizeof *words; i++)
		if (strcmp(call->argv[0], words[i]) == 0)
			return lesson_turn_to(w, words[i], &call->fault);
	call->fault = (struct fault){0};
	if (w && !call->argc && !w->tour && (act_help(w, call) || call->fault.what[0]))
		return !call->fault.what[0];
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

static bool run_scroll(struct command_call *call)
{
	return go(call, &view_popup, "is not a way to scroll", "give " MOTION_WORDS);
}

static bool run_move(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	char what[ENGINE_TEXT + 32], advice[160];
	if (!w)
		return false;
	if (popup_shown(&w->popup))
		return run_scroll(call);
	const struct view_ops *ops = w->views.view[views_mover(&w->views)].ops;
	const char *thing = ops->thing ? ops->thing : "layer";
	if (ops->place == LAYOUT_ALONE)
		snprintf(what, sizeof what, "is not a %s of what is shown", thing);
	else
		snprintf(what, sizeof what, "is not a %s of %.*s", thing, ENGINE_TEXT,
			engine_info(session_engine(w->session))->net);
	snprintf(advice, sizeof advice, "give " MOTION_WORDS " or the name of a %s", thing);
	return go(call, ops, what, advice);
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
	if (w && w->views.view[w->views.focus].ops == &view_racks)
		return explore_move(w, "run", call);
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
	bool waiting = session_changing(w->session);
	struct nudge *n = &w->nudge[weight][w->scene.term];
	const char *value = weight ? nudge_weight(n, t, up ? 1 : -1, waiting) : nudge_target(n, t, up ? 1 : -1, waiting);
	if (!value)
		return fault_set(&call->fault, t->name, "`target TERM FORMAT` sets one", "has no target to move");
	snprintf(line, sizeof line, "%s %s %s", call->argv[0], t->name, value[0] ? value : "''");
	return pass_on(call, w, line);
}

// ---- views --------------------------------------------------------------------------------------------------------

static void list_views(struct command_call *call, const struct views *v)
{
	for (int i = 0; i < VIEWS_COUNT; i++) {
		const struct view_ops *ops = v->view[i].ops;
		if (ops->key)
			call->say(call, "%c  %-8s  %s%s%s", ops->key, ops->name, ops->title, v->view[i].hidden ? ", hidden" : "",
				i == v->zoomed          ? ", alone"
					: i == v->focus ? ", in focus"
							: "");
	}
}

static bool show_view(struct workbench *w, int view, struct fault *f)
{
	(void)f;
	w->views.view[view].hidden = false;
	return true;
}

static bool focus_view(struct workbench *w, int view, struct fault *f)
{
	return views_enter(&w->views, &w->scene, view, f);
}

static bool zoom_view(struct workbench *w, int view, struct fault *f)
{
	bool alone = w->views.zoomed == view;
	if (!focus_view(w, view, f))
		return false;
	w->views.zoomed = alone ? LAYOUT_NONE : view;
	return true;
}

static bool hide_view(struct workbench *w, int view, struct fault *f)
{
	(void)f;
	w->views.view[view].hidden = true;
	w->views.zoomed = w->views.zoomed == view ? LAYOUT_NONE : w->views.zoomed;
	return true;
}

static bool turn_view(struct workbench *w, int view, struct fault *f)
{
	if (w->views.focus != view)
		return focus_view(w, view, f);
	if (!views_back(&w->views))
		w->views.focus = views_main(&w->views);
	return true;
}

static const struct view_act {
	const char *word;
	bool (*act)(struct workbench *, int view, struct fault *);
} view_act[] = {{"focus", focus_view}, {"zoom", zoom_view}, {"hide", hide_view}, {"show", show_view}, {"turn", turn_view}};
#define VIEW_ACTS "focus|zoom|hide|show|turn"

// The next pane, or the one before; not a page, which is opened from where it belongs.
static int beside(const struct views *v, int step)
{
	int view = v->focus;
	do
		view = (view + step + VIEWS_COUNT) % VIEWS_COUNT;
	while (view != v->focus &&
		(!v->view[view].ops->key || v->view[view].ops->enter || v->view[view].hidden || v->view[view].absent));
	return view;
}

static bool run_view(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (call->argc == 0) {
		list_views(call, &w->views);
		return true;
	}
	w->scene.snapshot = session_snapshot(w->session);
	const char *word = call->argc > 1 ? call->argv[1] : "focus";
	const bool next = strcmp(call->argv[0], "next") == 0, previous = strcmp(call->argv[0], "previous") == 0;
	int view = next || previous ? beside(&w->views, next ? 1 : -1) : views_named(&w->views, call->argv[0]);
	if (view == LAYOUT_NONE)
		return fault_set(&call->fault, call->argv[0], "`view` lists them", "is no view");
	if (w->views.view[view].absent && !w->views.view[view].ops->enter)
		return fault_set(&call->fault, call->argv[0], "`view` lists the views", "has nothing to show now");
	for (size_t i = 0; i < sizeof view_act / sizeof *view_act; i++)
		if (strcmp(view_act[i].word, word) == 0)
			return view_act[i].act(w, view, &call->fault);
	return fault_set(&call->fault, word, "give " VIEW_ACTS, "cannot be done to a view");
}

#define ACT(name)                                                                                                                \
	static bool run_##name(struct command_call *call)                                                                        \
	{                                                                                                                        \
		struct workbench *w = screen_of(call);                                                                           \
		return w && act_##name(w, call);                                                                                 \
	}
ACT(back)
ACT(leave)
ACT(payers)
ACT(noisiest)
ACT(hand)
ACT(each)
#undef ACT

static bool run_zoom(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && act_zoom(w);
}

static bool run_watch(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (strcmp(call->argv[0], "none") == 0) {
		race_end(w);
		return true;
	}
	if (!race_begin(w, call->argv[0], &call->fault))
		return false;
	return show_view(w, views_of(&w->views, &view_race), &call->fault);
}

static bool run_explore(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const char *word = call->argv[0];
	struct command_call rest = *call;
	rest.argv++;
	rest.argc--;
	const bool slice = strcmp(word, "slice") == 0, racks = strcmp(word, "goodput") == 0;
	if (slice || racks) {
		bool ok = (slice ? explore_slice : explore_racks)(w, &rest);
		call->fault = rest.fault;
		return ok;
	}
	if (call->argc > 1)
		return fault_set(&call->fault, call->argv[1], "give slice or goodput and its words, or one word",
			"is one word too many");
	if (strcmp(word, "twist") == 0)
		return explore_twisted(w, &call->fault);
	if (strcmp(word, "hops") == 0 || strcmp(word, "links") == 0 || strcmp(word, "turn") == 0)
		return go(call, &view_slice, "no slice is looked at", "`explore slice 4x4x8 twisted` shows one");
	return explore_move(w, word, call);
}

static bool run_axis(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	w->scene.snapshot = session_snapshot(w->session);
	return view_front.axis(w->views.view[views_of(&w->views, &view_front)].own, &w->scene, call->argv[0], &call->fault);
}

// On the table of the view in focus, or the main one.
static bool act_on_table(struct command_call *call, table_act *act, const char *text)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	int view = w->popup.sheet ? views_of(&w->views, &view_popup) : views_mover(&w->views);
	const struct view_ops *ops = w->views.view[view].ops;
	w->scene.popup = &w->popup;
	w->scene.snapshot = session_snapshot(w->session);
	if (!ops->table)
		return fault_set(&call->fault, ops->name, "`view layers` takes you to a table", "is no table");
	return ops->table(w->views.view[view].own, &w->scene, act, text, &call->fault);
}

static bool run_sort(struct command_call *call)
{
	return act_on_table(call, table_sort, call->argc ? call->argv[0] : "");
}

static bool run_mark(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const int view = w->views.focus;
	w->scene.snapshot = session_snapshot(w->session);
	if (!w->popup.sheet && w->views.view[view].ops->mark)
		return w->views.view[view].ops->mark(w->views.view[view].own, &w->scene, call->argc ? call->argv[0] : "",
			&call->fault);
	return act_on_table(call, table_mark, call->argc ? call->argv[0] : "");
}

// In a text, n and N go from one line to the next; in a table, from row to row.
static bool run_find(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	const bool next = strcmp(call->argv[0], "next") == 0;
	if (!w)
		return false;
	if (!next && strcmp(call->argv[0], "previous") != 0)
		return fault_set(&call->fault, call->argv[0], "give next or previous", "is not a way to go");
	if (popup_shown(&w->popup) && !w->popup.sheet)
		return popup_seek(&w->popup, NULL, next ? 1 : -1, &call->fault);
	return act_on_table(call, table_find, call->argv[0]);
}

static bool run_filter(struct command_call *call)
{
	struct workbench *w = call->context;
	struct string words = {0};
	for (int i = 0; i < call->argc; i++)
		string_add(&words, "%s%s", i ? " " : "", call->argv[i]);
	bool text = w && popup_shown(&w->popup) && !w->popup.sheet;
	const struct view_ops *focus = w ? w->views.view[w->views.focus].ops : NULL;
	if (w && !popup_shown(&w->popup) && !focus->table && focus->select && words.bytes &&
		!words.failed) { // it has steps, not rows
		bool went = go(call, focus, "is not one that is shown", "give a step that was made, for instance");
		string_free(&words);
		return went;
	}
	bool ok = words.failed ? fault_memory(&call->fault, "filter")
		: text         ? popup_seek(&w->popup, words.bytes ? words.bytes : "", 1, &call->fault)
			       : act_on_table(call, table_filter, words.bytes ? words.bytes : "");
	string_free(&words);
	return ok;
}

static bool run_click(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	long x, y;
	if (!w)
		return false;
	if (!number_read_long(call->argv[0], 1, 10000, &x) || !number_read_long(call->argv[1], 1, 10000, &y))
		return fault_set(&call->fault, call->line, "give a column and a row, from 1", "is no place of the screen");
	w->scene.snapshot = session_snapshot(w->session);
	return views_click(&w->views, &w->scene, (int)x - 1, (int)y - 1) ||
		fault_set(&call->fault, call->line, "rows of tables and figures can be clicked", "there is nothing to click");
}

// ---- keys ---------------------------------------------------------------------------------------------------------

static void list_own(struct command_call *call, const struct keys *k)
{
	int count = 0;
	for (int i = 0; i < k->count; i++) {
		const struct binding *b = &k->row[i];
		char name[32], *quote = "";
		if (!b->command || keys_is_default(b))
			continue;
		keys_write(b->key, name, sizeof name);
		quote = strpbrk(name, "\"'#") ? (strchr(name, '\'') ? "\"" : "'") : "";
		call->say(call, "bind %s %s%s%s %s", keys_context_name(b->context), quote, name, quote, b->command);
		count++;
	}
	if (count == 0)
		call->say(call, "no key is bound otherwise than at first; `keys` lists them all");
}

// The context that begins the arguments, if one does, and the key behind it; *used: so many arguments.
static bool read_key(struct command_call *call, enum key_context *context, int *key, int *used)
{
	*context = CONTEXT_SEARCH;
	*used = call->argc > 1 && keys_context_named(call->argv[0], context) ? 2 : 1;
	return keys_read(call->argv[*used - 1], key, &call->fault);
}

// The line behind so many words, as it was typed.
static const char *behind(const char *line, int words)
{
	for (line += strspn(line, " \t"); words-- > 0; line += strspn(line, " \t"))
		for (char quote = 0; *line && (quote || (*line != ' ' && *line != '\t')); line++) {
			if (quote == '"' && *line == '\\' && line[1])
				line++;
			else if (*line == quote)
				quote = 0;
			else if (!quote && (*line == '"' || *line == '\''))
				quote = *line;
		}
	return line;
}

static bool run_bind(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	enum key_context context;
	int key, used;
	if (!w)
		return false;
	if (call->argc == 0) {
		list_own(call, &w->keys);
		return true;
	}
	if (!read_key(call, &context, &key, &used))
		return false;
	if (used >= call->argc)
		return fault_set(&call->fault, call->argv[used - 1], "give a command behind it, `bind f5 run` for instance",
			"is to do nothing");
	// The command as it was typed, quotes and all, but for a comment.
	struct words words;
	if (!words_split(&words, call->line, &call->fault))
		return false;
	const char *from = behind(call->line, used + 1);
	size_t length = words.comment ? (size_t)(words.comment - from) - 1 : strlen(from);
	words_free(&words);
	while (length > 0 && from[length - 1] == ' ')
		length--;
	char *command = strndup(from, length);
	bool ok = command ? keys_bind(&w->keys, context, key, command, &w->table, &call->fault)
			  : fault_memory(&call->fault, "bind");
	free(command);
	return ok;
}

static bool run_unbind(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	enum key_context context;
	int key, used;
	return w && read_key(call, &context, &key, &used) && keys_unbind(&w->keys, context, key, &call->fault);
}

static bool run_source(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && config_source(w, call->argv[0], &call->fault);
}

// ---- looks --------------------------------------------------------------------------------------------------------

// "dark|light|mono": from the tables, when they are first asked for.
static char theme_words[128], view_words[256], tour_words[1024];

static void collect_words(void)
{
	size_t count;
	const struct theme *theme = themes(&count);
	for (size_t i = 0; i < count; i++) {
		size_t at = strlen(theme_words);
		snprintf(theme_words + at, sizeof theme_words - at, "%s%s", at ? "|" : "", theme[i].name);
	}
	struct string tours = {0};
	tour_names(&tours);
	snprintf(tour_words, sizeof tour_words, LESSON_WORDS);
	for (char *p = tours.bytes, *name; p && (name = strsep(&p, "\n"));)
		if (*name)
			snprintf(tour_words + strlen(tour_words), sizeof tour_words - strlen(tour_words), "|%s", name);
	string_free(&tours);
	snprintf(view_words, sizeof view_words, "next|previous|%s " VIEW_ACTS, views_words());
}

static bool run_theme(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const struct theme *theme = theme_named(call->argv[0]);
	char advice[sizeof theme_words + 16];
	snprintf(advice, sizeof advice, "there are %s", theme_words);
	if (!theme)
		return fault_set(&call->fault, call->argv[0], advice, "is not a theme");
	w->theme = theme;
	return true;
}

static bool run_glyphs(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	static const char *const word[] = {[CANVAS_BRAILLE] = "braille", [CANVAS_BLOCK] = "block", [CANVAS_ASCII] = "ascii"};
	for (int i = 0; i < 3; i++)
		if (strcmp(word[i], call->argv[0]) == 0) {
			w->scene.canvas = (enum canvas_glyphs)i;
			w->screen.ascii = i == CANVAS_ASCII;
			return true;
		}
	return fault_set(&call->fault, call->argv[0], "choose braille, block or ascii", "is not a set of glyphs");
}

static bool run_mouse(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	bool on = strcmp(call->argv[0], "on") == 0;
	if (!w)
		return false;
	if (!on && strcmp(call->argv[0], "off") != 0)
		return fault_set(&call->fault, call->argv[0], "give on or off", "is not a way to use the mouse");
	w->mouse = on;
	return true;
}

static bool run_screenshot(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	const char *file = call->argv[0];
	const size_t length = strlen(file);
	struct string out = {0};
	workbench_draw(w);
	if (length > 4 && strcmp(file + length - 4, ".svg") == 0) {
		ink_svg(&w->screen, w->theme, "the screen of bitscape", &out);
	} else {
		char *text = screen_text(&w->screen);
		string_add(&out, "%s", text ? text : "");
		out.failed |= !text;
		free(text);
	}
	bool ok = out.failed ? fault_memory(&call->fault, "screenshot") : disk_replace(file, out.bytes, out.length, &call->fault);
	string_free(&out);
	if (ok)
		call->say(call, "the screen is in %s", file);
	return ok;
}

// ---- recordings ---------------------------------------------------------------------------------------------------

// Words behind a recording's file: size=120x40 pace=20.
struct record_words {
	int width, height;
	double pace;
};

static bool read_record_word(const char *word, struct record_words *r, struct fault *f)
{
	if (strncmp(word, "size=", 5) == 0)
		return stage_size(word + 5, &r->width, &r->height, f);
	if (strncmp(word, "pace=", 5) == 0 && number_read(word + 5, &r->pace) && r->pace > 0)
		return true;
	return fault_set(f, word, "give pace=20 (steps a second), and at the shell size=120x40", "is not a word of a recording");
}

// `bitscape record SESSION FILE.cast`, `bitscape record tour NAME FILE.cast`: without a screen.
static bool record_unseen(struct command_call *call)
{
	struct record_words r = {80, 24, 0};
	struct string told = {0};
	const bool tour = call->argc > 2 && strcmp(call->argv[0], "tour") == 0 && !strchr(call->argv[2], '=');
	char *const *word = call->argv + tour;
	if (call->argc < 2)
		return fault_set(&call->fault, "record", "`bitscape record NAME FILE.cast size=120x40 pace=20`",
			"without a screen it takes a session, or `tour` and its name, and a file");
	for (int i = 2; word[i]; i++)
		if (!read_record_word(word[i], &r, &call->fault))
			return false;
	bool ok = (tour ? record_tour : record_session)(word[0], word[1], r.width, r.height, r.pace, &told, &call->fault);
	if (ok)
		call->say(call, "%s", told.bytes ? told.bytes : word[1]);
	string_free(&told);
	return ok;
}

static bool run_record(struct command_call *call)
{
	struct workbench *w = call->context;
	struct record_words r = {0, 0, 0};
	if (!w)
		return record_unseen(call);
	if (call->argc == 0) {
		call->say(call,
			w->recording.cast ? "%s is being recorded; `record stop` ends it" : "nothing is being recorded%.0s",
			w->recording.cast ? cast_file(w->recording.cast) : "");
		return true;
	}
	if (strcmp(call->argv[0], "stop") == 0) {
		char file[DISK_PATH];
		snprintf(file, sizeof file, "%s", w->recording.cast ? cast_file(w->recording.cast) : "");
		if (!record_end(w, &call->fault))
			return false;
		call->say(call, "the recording is in %s", file);
		return true;
	}
	for (int i = 1; i < call->argc; i++)
		if (!read_record_word(call->argv[i], &r, &call->fault))
			return false;
	if (r.width)
		return fault_set(&call->fault, "size", "leave it out", "a recording of this screen has its size");
	if (!record_begin(w, call->argv[0], r.pace, &call->fault))
		return false;
	call->say(call, "recording into %s; `record stop` ends it", call->argv[0]);
	return true;
}

// ---- other sessions -----------------------------------------------------------------------------------------------

// Leaves the words for the loop, apart by line ends, which no word holds.
static bool ask_session(struct command_call *call, struct workbench *w, const char *verb, int argc, char *const *argv)
{
	size_t length = strlen(verb) + 1;
	if (!has_loop(call, w) || !may_leave(call, w))
		return false;
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
	if (w && call->argc == 0)
		return act_open(w, call);
	return w && ask_session(call, w, "open", call->argc, call->argv);
}

static bool run_new(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	return w && ask_session(call, w, "new", call->argc, call->argv);
}

// A person's word alone: what runs by a key, from a file or from a tour may be somebody else's.
static bool run_allow(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (!w->typed || w->tour_telling || w->sourcing)
		return fault_set(&call->fault, "allow", "type it yourself, behind a colon", "only a person can allow a command");
	if (!session_asks(w->session))
		return fault_set(&call->fault, "allow", "`status` says where quality comes from",
			session_read_only(w->session) ? "the session is open for reading only"
						      : "no command waits to be allowed");
	session_allow(w->session);
	popup_clear(&w->popup);
	return pass_on(call, w, "run");
}

static bool run_resume(struct command_call *call)
{
	struct workbench *w = screen_of(call);
	if (!w)
		return false;
	if (!w->last[0])
		return fault_set(&call->fault, "resume", "`open NAME` opens any, `sessions` lists them",
			"there is no session to go on with");
	char *name = w->last;
	return ask_session(call, w, "resume", 1, &name);
}

// ---- the table ----------------------------------------------------------------------------------------------------

static const struct command rows[] = {
	{"quit", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "save the session and leave, and tell how to open it again", run_quit},
	{"keys", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "all keys and commands", run_keys},
	{"legend", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "what the signs and bars of the screen mean", run_legend},
	{"messages", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "recent messages in full", run_messages},
	{"close", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "close the box", run_close},
	{"pick", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "open the row in hand of the table in the box", run_pick},
	{"confirm", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "run the lines that were pasted", run_confirm},
	{"tour", COMMAND_VIEW, 0, 1, {ARGUMENT_WORDS}, 0, tour_words, "[NAME|" LESSON_WORDS "]",
		"begin a lesson; without a name: go on in it, or close the box; back: to the page before, and its step",
		run_tour},
	{"lesson", COMMAND_VIEW, 1, -1, {ARGUMENT_TEXT, ARGUMENT_KNOB}, 1, NULL, "TITLE [KEY=VALUE...]",
		"the first line of a tour that drives the screen: the session that it needs", lesson_row},
	{"light", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, view_words, "VIEW|none", "in a tour: lead the eye to a view",
		light_row},
	{"hold", COMMAND_VIEW, 1, 1, {ARGUMENT_NUMBER}, 0, NULL, "STEP", "in a tour: run to this step and stop there", hold_row},
	{"act", COMMAND_VIEW, 1, -1, {ARGUMENT_COMMAND, ARGUMENT_TEXT}, 1, NULL, "COMMAND",
		"in a tour: what the person is to do, which Enter does for them", act_row},
	{"until", COMMAND_VIEW, 3, 5, {ARGUMENT_READOUT, ARGUMENT_WORDS, ARGUMENT_TEXT}, 1,
		"- =|!=|<|<=|>|>=", "READOUT OP VALUE",
		"in a tour: what the page waits for; screen.focus, screen.draft and the like are readouts here", until_row},
	{"otherwise", COMMAND_VIEW, 1, -1, {ARGUMENT_TEXT}, 1, NULL, "TEXT",
		"in a tour: the answer to an act that is not the one", aside_row},
	{"notes", COMMAND_VIEW, 1, -1, {ARGUMENT_TEXT}, 1, NULL, "TEXT", "in a tour: what a speaker adds", aside_row},
	{"says", COMMAND_VIEW, 1, 1, {ARGUMENT_TEXT}, 0, NULL, "TEXT", "in a tour: fail unless the answer before has these words",
		says_row},
	{"press", COMMAND_VIEW, 1, -1, {ARGUMENT_TEXT}, 1, NULL, "KEY...", "do as if these keys were pressed", press_row},
	{"prompt", COMMAND_VIEW, 0, -1, {ARGUMENT_COMMAND, ARGUMENT_TEXT}, 1, NULL, "[WORDS]",
		"type a command, or what follows these words", run_prompt},
	{"back", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "",
		"go back one level: out of a box, a page, a zoom, marks, a filter, a pane; twice: drop the draft", run_back},
	{"leave", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "leave the box or the page in front, in the end the program", run_leave},
	{"payers", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "",
		"go to the layers, by their share of the cost in hand, the largest first", run_payers},
	{"noisiest", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "",
		"go to the page of the layer whose output loses most to rounding; layers are then sorted by it (column db)",
		run_noisiest},
	{"zoom", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "give the pane in focus all the room, or no longer", run_zoom},
	{"hand", COMMAND_VIEW, 1, 2, {ARGUMENT_WORDS, ARGUMENT_WORDS}, 0, HAND_VERBS " heldout|test",
		HAND_VERBS " [heldout|test|STEPS]", "act on what is in hand: a point of the front, the marked rows, or the row",
		run_hand},
	{"each", COMMAND_VIEW, 2, 2, {ARGUMENT_WORDS, ARGUMENT_FORMATS}, 0, "pin|restrict|draft",
		"pin|restrict|draft FORMAT[,FORMAT]", "do this to each marked row, or to the row in hand", run_each},
	{"find", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, "next|previous", "next|previous",
		"go to the next row, or line of text, that `filter` was last asked for", run_find},
	{"move", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTION_WORDS, "WHERE|LAYER",
		"move to another layer, point or chip, or scroll the box of text", run_move},
	{"scroll", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, MOTION_WORDS, "WHERE", "scroll the box of text", run_scroll},
	{"view", COMMAND_VIEW, 0, 2, {ARGUMENT_WORDS, ARGUMENT_WORDS}, 0, view_words, "[next|previous|VIEW [" VIEW_ACTS "]]",
		"go to a view, give it all the room or none; without one: list them", run_view},
	{"watch", COMMAND_VIEW, 1, 1, {ARGUMENT_FILE}, 0, NULL, "RACE|none",
		"show how a race stands, in a view that follows as its runs finish (`view race zoom`: alone)", run_watch},
	{"explore", COMMAND_VIEW, 1, -1, {ARGUMENT_WORDS, ARGUMENT_TEXT}, 1, "slice|goodput|hops|links|turn|twist|" EXPLORE_RACKS,
		"slice [SHAPE ...] | goodput [...] | hops|links|turn|twist | " EXPLORE_RACKS,
		"show a slice chip by chip, or the racks of a pod day by day, in a view; with the words of `slice` and `goodput`",
		run_explore},
	{"filter", COMMAND_VIEW, 0, -1, {ARGUMENT_TEXT}, 1, NULL, "[WORD|PATTERN|COLUMN<NUMBER]...",
		"show the rows of a table that match, or seek in a text; without words: all", run_filter},
	{"sort", COMMAND_VIEW, 0, 1, {ARGUMENT_WORDS}, 0, sort_words, "[COLUMN]",
		"sort a table by a column, again: in reverse; without one: undo it", run_sort},
	{"mark", COMMAND_VIEW, 0, 1, {ARGUMENT_WORDS}, 0, "range|all|none", "[range|all|none]",
		"mark the row in hand, or all from the last marked one to it; pin, draft, restrict and free them together",
		run_mark},
	{"click", COMMAND_VIEW, 2, 2, {ARGUMENT_NUMBER, ARGUMENT_NUMBER}, 0, NULL, "COLUMN ROW", "click on a place of the screen",
		run_click},
	{"bind", COMMAND_VIEW, 0, -1, {ARGUMENT_TEXT, ARGUMENT_COMMAND, ARGUMENT_TEXT}, 1, NULL, "[[CONTEXT] KEY COMMAND]",
		"set what a key does; without one: list your own keys", run_bind},
	{"unbind", COMMAND_VIEW, 1, 2, {ARGUMENT_TEXT}, 1, NULL, "[CONTEXT] KEY", "remove a key's command", run_unbind},
	{"source", COMMAND_VIEW, 1, 1, {ARGUMENT_FILE}, 0, NULL, "FILE",
		"run a file of commands about the screen, as at the start", run_source},
	{"term", COMMAND_VIEW, 1, 1, {ARGUMENT_TERM}, 0, NULL, "next|TERM", "select a cost term", run_term},
	{"axis", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, AXIS_WORDS, AXIS_WORDS,
		"look closer at a part of the front's cost axis, move along it, make it logarithmic or linear, or see all of it; logit: its accuracies, and back",
		run_axis},
	{"curve", COMMAND_VIEW, 1, 1, {ARGUMENT_FIGURE}, 0, NULL, "next|FIGURE", "show other curves", run_curve},
	{"toggle", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "pause, or run on", run_toggle},
	{"nudge", COMMAND_VIEW, 2, 2, {ARGUMENT_WORDS, ARGUMENT_WORDS}, 0, "weight|target up|down", "weight|target up|down",
		"move the selected term's weight by 25 % or its target by 5 %", run_nudge},
	{"open", COMMAND_VIEW, 0, 1, {ARGUMENT_SESSION}, 0, NULL, "[NAME]",
		"open what is under the cursor; with a name: switch to another session, which `sessions` lists", run_open},
	{"new", COMMAND_VIEW, 0, -1, {ARGUMENT_KNOB}, 1, NULL, "[NAME] KEY=VALUE...", "begin another session", run_new},
	{"resume", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "go on with the session used last", run_resume},
	{"allow", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "let the command of quality=pipe:COMMAND run while this session is open",
		run_allow},
	{"theme", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, theme_words, theme_words, "change the colours", run_theme},
	{"glyphs", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, "braille|block|ascii", "braille|block|ascii",
		"choose the characters of figures and frames", run_glyphs},
	{"mouse", COMMAND_VIEW, 1, 1, {ARGUMENT_WORDS}, 0, "on|off", "on|off",
		"a click takes a row in hand, two open it, the wheel scrolls; off: the terminal keeps them, on: it selects text with Shift",
		run_mouse},
	{"screenshot", COMMAND_VIEW, 1, 1, {ARGUMENT_FILE}, 0, NULL, "FILE",
		"write the screen to a file: FILE.svg as a picture in colours, any other as text", run_screenshot},
	{"record", COMMAND_VIEW, 0, -1, {ARGUMENT_FILE, ARGUMENT_TEXT}, 1, NULL, "[FILE.cast [pace=STEPS]|stop]",
		"record the screen as an asciicast; at the shell: record SESSION|tour NAME FILE.cast [size=120x40] [pace=STEPS], from its "
		"journal, or of a tour that goes on by itself",
		run_record},
	{"suspend", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "go back to the shell; its `fg` returns here", run_suspend},
	{"redraw", COMMAND_VIEW, 0, 0, {0}, 0, NULL, "", "draw the whole screen again", run_redraw},
};

const struct command *ui_commands(size_t *count)
{
	if (!theme_words[0])
		collect_words();
	*count = sizeof rows / sizeof *rows;
	return rows;
}

struct command_group ui_group(struct workbench *w)
{
	size_t count;
	const struct command *all = ui_commands(&count);
	return (struct command_group){"the screen", all, count, w};
}

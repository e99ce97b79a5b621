// SPDX-License-Identifier: GPL-3.0-or-later
// What the grammar's keys do: opening, going back, leaving, and acting on what is in hand. Each finds out what is in front of the
// person, and runs the command that says it.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "ui/workbench.h"

static const struct view_ops *focus_of(const struct workbench *w)
{
	return w->views.view[w->views.focus].ops;
}

static bool pass_on(struct command_call *call, struct workbench *w, const char *line)
{
	return command_run(&w->table, line, call->say, call->sayer, &call->fault);
}

// Runs a line that was put together; frees it.
static bool pass_on_string(struct command_call *call, struct workbench *w, struct string *line)
{
	bool ok = line->failed || !line->bytes ? fault_memory(&call->fault, "command") : pass_on(call, w, line->bytes);
	string_free(line);
	return ok;
}

// ---- going in and out ----------------------------------------------------------------------------------------------

bool act_zoom(struct workbench *w)
{
	struct views *v = &w->views;
	v->zoomed = v->zoomed != LAYOUT_NONE || focus_of(w)->place == LAYOUT_ALONE ? LAYOUT_NONE : v->focus;
	return true;
}

bool act_help(struct workbench *w, struct command_call *call)
{
	const struct popup *p = &w->popup;
	const char *run = p->found > 0 && p->found <= p->lines ? p->line[p->found - 1].run : NULL;
	struct string line = {0};
	if (!run)
		return false;
	workbench_fill_in(w, run[0] == '?' ? run + 1 : run, &line);
	const bool typed = run[0] == '?';
	workbench_close(w); // and the line with it
	if (!typed)
		return pass_on_string(call, w, &line);
	bool ok = !line.failed && workbench_prompt(w, line.bytes ? line.bytes : "");
	string_free(&line);
	return ok || fault_memory(&call->fault, "prompt");
}

bool act_open(struct workbench *w, struct command_call *call)
{
	struct string line = {0};
	if (popup_shown(&w->popup)) {
		call->fault = (struct fault){0};
		if (act_help(w, call) || call->fault.what[0])
			return !call->fault.what[0];
		if (!w->popup.sheet)
			return fault_set(&call->fault, "open", "Esc closes the box", "there is nothing to open");
		return pass_on(call, w, "pick");
	}
	w->scene.snapshot = session_snapshot(w->session);
	if (focus_of(w)->open && focus_of(w)->open(w->views.view[w->views.focus].own, &w->scene, &line))
		return pass_on_string(call, w, &line);
	string_free(&line);
	return act_zoom(w);
}

// A draft is dropped by the second of two such acts, one behind the other.
static bool drop_draft(struct workbench *w, struct command_call *call)
{
	bool meant = w->dropping && w->dropping + 1 == w->commands;
	w->dropping = meant ? 0 : w->commands;
	if (meant)
		return pass_on(call, w, "draft drop");
	call->say(call, "the draft is not pinned: Esc once more drops it, Enter pins it");
	return true;
}

bool act_back(struct workbench *w, struct command_call *call)
{
	struct views *v = &w->views;
	struct fault none;
	w->scene.snapshot = session_snapshot(w->session);
	if (popup_shown(&w->popup)) {
		workbench_close(w);
		return true;
	}
	if (views_back(v))
		return true;
	const int focus = v->focus;
	if (v->zoomed != LAYOUT_NONE) {
		v->zoomed = LAYOUT_NONE;
		return true;
	}
	if (focus_of(w)->table && focus_of(w)->table(v->view[focus].own, &w->scene, table_lift, "", &none))
		return true;
	v->focus = views_main(v);
	if (v->focus != focus)
		return true;
	if (w->scene.past) {
		w->scene.past = 0;
		return true;
	}
	if (session_draft(w->session))
		return drop_draft(w, call);
	if (w->scene.tour)
		return lesson_turn_to(w, "leave", &call->fault);
	call->say(call, "there is nothing to go back from; q quits");
	return true;
}

bool act_leave(struct workbench *w, struct command_call *call)
{
	if (popup_shown(&w->popup) || focus_of(w)->place == LAYOUT_ALONE)
		return act_back(w, call);
	return pass_on(call, w, "quit");
}

bool act_payers(struct workbench *w, struct command_call *call)
{
	struct views *v = &w->views;
	const int layers = views_of(v, &view_layers);
	void *own = v->view[layers].own;
	workbench_draw(w); // so that shares are of the term in hand
	if (!w->scene.layer_cost)
		return fault_set(&call->fault, "payers", "`weight TERM NUMBER` brings another one in", "this cost has no price");
	if (!views_enter(v, &w->scene, layers, &call->fault) ||
		!view_layers.table(own, &w->scene, table_sort, "", &call->fault) || // a second time would turn it around
		!view_layers.table(own, &w->scene, table_sort, "share", &call->fault))
		return false;
	view_layers.move(own, &w->scene, MOTION_FIRST, 1);
	return true;
}

bool act_noisiest(struct workbench *w, struct command_call *call)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	if (!info->train_images)
		return fault_set(&call->fault, "noisiest", "begin a search with data=glyphs or data=cifar10:FOLDER",
			"nothing is trained here: no layer has an output");
	if (!session_look(w->session, LOOK_ALL, &call->fault))
		return false;
	w->noisiest = w->commands;
	call->say(call, "every layer is looked at between two steps...");
	return true;
}

// Whoever has gone on meanwhile is left where they are.
void act_noisiest_come(struct workbench *w)
{
	struct fault f;
	const double *noise = w->scene.noise;
	const int layers = engine_info(session_engine(w->session))->layers, view = views_of(&w->views, &view_layers);
	int least = -1;
	if (!w->noisiest || (w->noisiest == w->commands && !noise))
		return;
	const bool meant = w->noisiest == w->commands;
	w->noisiest = 0;
	for (int i = 0; meant && i < layers; i++)
		if (!isnan(noise[i]) && (least < 0 || noise[i] < noise[least]))
			least = i;
	if (least < 0 || !views_enter(&w->views, &w->scene, view, &f) ||
		!view_layers.table(w->views.view[view].own, &w->scene, table_sort, "", &f) ||
		!view_layers.table(w->views.view[view].own, &w->scene, table_sort, "db", &f))
		return;
	w->scene.layer = least;
	if (views_enter(&w->views, &w->scene, views_of(&w->views, &view_layer), &f))
		workbench_say(w, false, "step %ld: %s has the noisiest output, %.1f dB; layers are sorted by it",
			w->scene.noise_step, w->scene.snapshot->info->layer[least].name, noise[least]);
}

// ---- a branch beside what is here -----------------------------------------------------------------------------------

static bool compare(struct workbench *w, struct command_call *call)
{
	struct string line = {0};
	string_add(&line, "compare . ");
	words_quote(&line, w->branch);
	return pass_on_string(call, w, &line);
}

// One that was made before serves again.
bool act_branch(struct workbench *w, struct command_call *call)
{
	struct string line = {0};
	if (w->scene.step < 1)
		return fault_set(&call->fault, "compare", "h goes to an earlier step", "no step is in hand");
	snprintf(w->branch, sizeof w->branch, "%.400s@%ld", w->scene.session, w->scene.step);
	string_add(&line, "fork %ld as ", w->scene.step);
	words_quote(&line, w->branch);
	if (pass_on_string(call, w, &line)) {
		w->comparing = w->commands;
		call->say(call, "a branch is made from step %ld, to be compared with now...", w->scene.step);
		return true;
	}
	struct fault why = call->fault;
	if (compare(w, call))
		return true;
	call->fault = why;
	return false;
}

struct looked_for {
	const char *name;
	bool there;
};

static void look_for(const char *word, void *context)
{
	struct looked_for *l = context;
	l->there |= strcmp(word, l->name) == 0;
}

// Where it could not be made, what was said of that stays.
void act_branch_come(struct workbench *w)
{
	struct string line = {0};
	struct looked_for branch = {w->branch, false};
	if (!w->comparing || session_travelling(w->session))
		return;
	const bool meant = w->comparing == w->commands;
	w->comparing = 0;
	sessions_each(look_for, &branch);
	string_add(&line, "compare . ");
	words_quote(&line, w->branch);
	if (meant && branch.there && !line.failed)
		workbench_command(w, line.bytes);
	string_free(&line);
}

// ---- what is in hand -----------------------------------------------------------------------------------------------

// Of the view of the front, or of a point's page; -1: what is in hand is no point.
static int point_in_hand(const struct workbench *w)
{
	const bool points = focus_of(w) == &view_front || focus_of(w) == &view_point;
	return points ? point_index(&w->scene, &w->scene.point.hand) : -1;
}

static bool on_point(struct workbench *w, struct command_call *call, int point)
{
	const char *verb = call->argv[0];
	struct string line = {0};
	if (strcmp(verb, "difference") == 0) {
		w->scene.point.against = !w->scene.point.against && point_index(&w->scene, &w->scene.point.mark) >= 0;
		if (focus_of(w) != &view_point)
			return pass_on(call, w, "view point");
		if (!w->scene.point.against)
			call->say(call, "against the modal choice; v on the front marks another point to compare with");
		return true;
	}
	if (strcmp(verb, "unpin") == 0 || strcmp(verb, "restrict") == 0)
		return fault_set(&call->fault, verb, "on a point there are draft, pin, evaluate, export, train and difference",
			"is for layers");
	string_add(&line, "point %d", point + 1);
	for (int i = 0; i < call->argc; i++)
		string_add(&line, " %s", call->argv[i]);
	return pass_on_string(call, w, &line);
}

static bool has_tests(const struct engine_info *info)
{
	return info->test_images > 0;
}

static bool is_scored(const struct engine_info *info)
{
	return info->report_images > 0 || info->command[0];
}

static bool is_trained(const struct engine_info *info)
{
	return info->train_images > 0;
}

static const struct need {
	const char *command;
	bool (*met)(const struct engine_info *);
} need[] = {
	{"evaluate test", has_tests},
	{"hand evaluate test", has_tests},
	{"hand evaluate", is_scored},
	{"hand train", is_trained},
};

bool act_possible(const struct engine_info *info, const char *command)
{
	for (size_t i = 0; command && i < sizeof need / sizeof *need; i++)
		if (strcmp(need[i].command, command) == 0)
			return need[i].met(info);
	return true;
}

// What a verb means for layers and slots: a line with what stands for them, or behind '?' the beginning of one to be typed.
static const struct on_layers {
	const char *verb, *line;
	int words; // that it takes
} on_layers[] = {
	{"pin", "pin {pins}", 0},
	{"unpin", "unpin {layers}", 0},
	{"draft", "?each draft", 0},
	{"restrict", "?each restrict", 0},
	{"evaluate", "evaluate", 1},
	{"export", "export policy", 1},
};

bool act_hand(struct workbench *w, struct command_call *call)
{
	w->scene.snapshot = session_snapshot(w->session);
	const int point = point_in_hand(w);
	struct string line = {0};
	if (focus_of(w) == &view_history && strcmp(call->argv[0], "difference") == 0)
		return act_branch(w, call);
	if (point >= 0)
		return on_point(w, call, point);
	if (strcmp(call->argv[0], "difference") == 0 || strcmp(call->argv[0], "train") == 0)
		return fault_set(&call->fault, call->argv[0], "3 goes to the front, j takes a point in hand",
			"no point is in hand");
	for (size_t i = 0; i < sizeof on_layers / sizeof *on_layers; i++) {
		if (strcmp(on_layers[i].verb, call->argv[0]) != 0)
			continue;
		if (on_layers[i].line[0] == '?')
			return workbench_prompt(w, on_layers[i].line + 1) || fault_memory(&call->fault, "prompt");
		workbench_fill_in(w, on_layers[i].line, &line);
		for (int k = 1; k < call->argc && k <= on_layers[i].words; k++)
			string_add(&line, " %s", call->argv[k]);
		return pass_on_string(call, w, &line);
	}
	return fault_set(&call->fault, call->argv[0], "give " HAND_VERBS, "cannot be done to what is in hand");
}

bool act_each(struct workbench *w, struct command_call *call)
{
	struct string names = {0}, line = {0};
	struct words words;
	const char *verb = call->argv[0];
	if (strcmp(verb, "pin") != 0 && strcmp(verb, "restrict") != 0 && strcmp(verb, "draft") != 0)
		return fault_set(&call->fault, verb, "give pin, restrict or draft, and formats", "cannot be done to each");
	w->scene.snapshot = session_snapshot(w->session);
	workbench_fill_in(w, "{layers}", &names);
	string_add(&line, "%s", verb);
	bool ok = !names.failed && names.bytes ? words_split(&words, names.bytes, &call->fault)
					       : fault_memory(&call->fault, "each");
	string_free(&names);
	if (!ok) {
		string_free(&line);
		return false;
	}
	for (int i = 0; i < words.count; i++) {
		string_add(&line, " ");
		words_quote(&line, words.word[i]);
		string_add(&line, " ");
		words_quote(&line, call->argv[1]);
	}
	words_free(&words);
	return pass_on_string(call, w, &line);
}

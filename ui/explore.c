// SPDX-License-Identifier: GPL-3.0-or-later
// What is looked at beside the search: a slice of a pod, the racks of one. Each is what a report's words ask for.
#include "ui/workbench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hear_nothing(struct command_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void hear_nothing(struct command_call *call, const char *format, ...)
{
	(void)call;
	(void)format;
}

static void show(struct workbench *w, const struct view_ops *ops)
{
	int view = views_of(&w->views, ops);
	w->views.view[view].absent = false;
	views_enter(&w->views, &w->scene, view, NULL);
}

// ---- a slice -----------------------------------------------------------------------------------------------------------

static bool show_slice(struct workbench *w, const struct slice_question *q, struct fault *f)
{
	char name[48];
	if (q->slice.islands)
		return fault_set(f, slice_name(&q->slice, name), "choose a pod that is a torus, tpu_v4 say",
			"has no links to show: a switched network joins its chips");
	w->explored.slice = *q;
	w->explored.slice.csv = w->explored.slice.plot = w->explored.slice.loads = NULL; // words of the call
	w->scene.slice = &w->explored.slice;
	w->scene.slices++;
	show(w, &view_slice);
	return true;
}

bool explore_slice(struct workbench *w, struct command_call *call)
{
	struct slice_question q;
	if (call->argc == 0) {
		if (!w->scene.slice)
			return command_run(&w->table, "explore slice 4x4x8 twisted on tpu_v4", call->say, call->sayer,
				&call->fault);
		show(w, &view_slice);
		return true;
	}
	return session_slice_question(call, &q) && show_slice(w, &q, &call->fault);
}

bool explore_twisted(struct workbench *w, struct fault *f)
{
	char name[48];
	if (!w->scene.slice)
		return fault_set(f, "explore", "`explore slice 4x4x8` shows one", "there is no slice");
	struct slice_question q = *w->scene.slice;
	if (!slice_twistable(&q.pod, q.slice.axis))
		return fault_set(f, slice_name(&q.slice, name), "n x n x 2n and n x 2n x 2n can, from n = 4 on",
			"cannot be twisted");
	q.slice.twisted = !q.slice.twisted;
	return show_slice(w, &q, f);
}

// ---- racks -------------------------------------------------------------------------------------------------------------

static void settings_now(const struct workbench *w, struct racks_set *set)
{
	racks_set_of(session_snapshot(w->session)->settings, set);
}

// The racks that are asked for now take the place of those before, whose machines they go on with.
static bool replace(struct workbench *w, struct racks *r, struct fault *f)
{
	if (!r)
		return false;
	bool ok = racks_begin(r, w->explored.racks, f);
	racks_free(w->explored.racks);
	if (!ok) // then neither is any good
		racks_free(r);
	w->scene.racks = w->explored.racks = ok ? r : NULL;
	return ok;
}

// The settings as the search has them or, where what was changed a moment ago is still on its way, will have them.
static void settings_said(const struct workbench *w, struct racks_set *set)
{
	const struct racks *r = w->explored.racks;
	racks_set_by(r, set);
	snprintf(set->text[RACKS_DAY], ENGINE_TEXT, "%ld", r->said);
}

// What is other than the search's settings becomes a change of them, and only then is shown.
static bool set_and_replace(struct workbench *w, struct racks *r, struct command_call *call)
{
	struct racks_set now;
	struct string line = {0};
	settings_now(w, &now);
	w->explored.set = now;
	if (w->explored.racks)
		settings_said(w, &now);
	bool ok = r && racks_say(r, &now, &line, &call->fault);
	ok = ok && (!line.length || command_run(&w->table, line.bytes, call->say, call->sayer, &call->fault));
	string_free(&line);
	if (!ok) {
		racks_free(r);
		return false;
	}
	const long day = r->trail.day;
	if (!replace(w, r, &call->fault))
		return false;
	r->said = day;
	return true;
}

// The days that have passed since become a change of the settings, so that they are in the journal. A session that cannot be changed keeps them
// to the screen.
static bool say_days(struct workbench *w, struct command_call *call)
{
	struct racks *r = w->explored.racks;
	char line[48];
	if (!r || r->said == r->trail.day || session_read_only(w->session))
		return true;
	snprintf(line, sizeof line, "set day %ld", r->trail.day);
	r->said = r->trail.day; // once
	return command_run(&w->table, line, call->say, call->sayer, &call->fault);
}

// The session's own pod where nobody names one and its slices are made of blocks.
static bool on_its_pod(const struct workbench *w, const struct command_call *call, char pod[ENGINE_TEXT])
{
	struct pod p;
	struct block_grid grid;
	for (int i = 0; i < call->argc; i++)
		if (strcmp(call->argv[i], "on") == 0)
			return false;
	return config_get(session_snapshot(w->session)->settings, "pod", pod, ENGINE_TEXT) && strcmp(pod, "none") != 0 &&
		pod_get(pod, &p, NULL) && block_grid_of(&p, &grid, NULL);
}

static struct racks *read_racks(const struct workbench *w, struct command_call *call)
{
	struct racks_set now;
	char pod[ENGINE_TEXT], *word[WORDS_MOST + 2];
	struct command_call with = *call;
	settings_now(w, &now);
	if (call->argc < WORDS_MOST && on_its_pod(w, call, pod)) {
		memcpy(word, call->argv, (size_t)call->argc * sizeof *word);
		word[with.argc++] = (char *)"on";
		word[with.argc++] = pod;
		word[with.argc] = NULL;
		with.argv = word;
	}
	struct racks *r = racks_read(&with, &now);
	call->fault = with.fault;
	return r;
}

// They have the past that those before had or, where there were none, the journal.
static struct racks *with_past(const struct workbench *w, struct racks *r, struct fault *f)
{
	struct trail past = {0};
	const struct racks *before = w->explored.racks;
	if (!r)
		return NULL;
	bool ok = (before || trail_of(&past, w->session)) && racks_after(r, before ? &before->trail : &past);
	trail_free(&past);
	if (ok)
		return r;
	fault_memory(f, "goodput");
	racks_free(r);
	return NULL;
}

bool explore_racks(struct workbench *w, struct command_call *call)
{
	if ((call->argc > 0 || !w->explored.racks) && !set_and_replace(w, with_past(w, read_racks(w, call), &call->fault), call))
		return false;
	w->scene.racks = w->explored.racks;
	show(w, &view_racks);
	return true;
}

bool explore_move(struct workbench *w, const char *what, struct command_call *call)
{
	struct racks *r = w->explored.racks;
	struct racks_set wanted;
	if (!r)
		return fault_set(&call->fault, what, "`explore goodput` shows them", "there are no racks");
	if (strcmp(what, "run") == 0) {
		r->running = !r->running;
		return r->running || say_days(w, call);
	}
	if (strcmp(what, "day") == 0)
		return racks_day(r, &call->fault) && say_days(w, call);
	if (strcmp(what, "again") == 0) {
		racks_set_by(r, &wanted);
		snprintf(wanted.text[RACKS_DAY], ENGINE_TEXT, "0");
		return set_and_replace(w, racks_with(r, &wanted, &call->fault), call);
	}
	return racks_moved(r, what, &wanted, &call->fault) && set_and_replace(w, racks_with(r, &wanted, &call->fault), call);
}

void explore_follow(struct workbench *w)
{
	struct racks_set now, *seen = &w->explored.set, said;
	struct trail trail = {0};
	struct fault f;
	char text[sizeof f + 16];
	settings_now(w, &now);
	if (memcmp(&now, seen, sizeof now) == 0)
		return;
	if (w->explored.racks)
		settings_said(w, &said);
	if (!w->explored.racks || memcmp(&now, &said, sizeof now) == 0) {
		*seen = now;
		return;
	}
	// Somebody else changed them: by a command, or by taking a change back. The journal has the order.
	bool known = trail_of(&trail, w->session);
	if (known && trail.day == racks_set_day(&now) && racks_set_alike(&trail.leg[trail.legs - 1], &now)) {
		*seen = now;
		if (!replace(w, racks_by(w->explored.racks, &trail, &f), &f))
			workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
		else
			w->explored.racks->said = trail.day;
	} // else its line is on its way
	trail_free(&trail);
}

bool explore_turn(struct workbench *w)
{
	struct racks *r = w->explored.racks;
	struct fault f;
	char text[sizeof f + 16];
	if (!explore_runs(w))
		return false;
	if (!racks_day(r, &f)) {
		r->running = false;
		explore_say(w, false);
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
	}
	return true;
}

void explore_say(struct workbench *w, bool leaving)
{
	struct command_call call = {.say = hear_nothing, .sayer = w};
	if (leaving || !explore_runs(w))
		say_days(w, &call);
}

bool explore_runs(const struct workbench *w)
{
	return w->explored.racks && w->explored.racks->running && w->views.view[w->views.focus].ops == &view_racks;
}

// ---- after a report ----------------------------------------------------------------------------------------------------

void explore_after(struct workbench *w)
{
	struct string line = {0};
	struct fault f;
	if (!w->explored.line)
		return;
	string_add(&line, "explore %s", w->explored.line);
	free(w->explored.line);
	w->explored.line = NULL;
	if (!line.failed)
		command_run(&w->table, line.bytes, hear_nothing, w, &f); // the answer is shown in any case
	string_free(&line);
}

void explore_end(struct workbench *w)
{
	racks_free(w->explored.racks);
	free(w->explored.line);
	w->explored.racks = NULL;
	w->explored.line = NULL;
	w->scene.racks = NULL;
	w->scene.slice = NULL;
}

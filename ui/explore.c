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
	bool ok = r && racks_begin(r, w->explored.racks, f);
	racks_free(ok ? w->explored.racks : r);
	if (ok)
		w->scene.racks = w->explored.racks = r;
	return ok;
}

// What is other than the search's settings becomes a change of them, and only then is shown.
static bool set_and_replace(struct workbench *w, struct racks *r, struct command_call *call)
{
	struct racks_set now;
	struct string line = {0};
	settings_now(w, &now);
	w->explored.set = now;
	if (w->explored.racks) // what was changed a moment ago may still be on its way
		racks_set_by(w->explored.racks, &now);
	bool ok = r && racks_say(r, &now, &line, &call->fault);
	ok = ok && (!line.length || command_run(&w->table, line.bytes, call->say, call->sayer, &call->fault));
	string_free(&line);
	if (ok)
		return replace(w, r, &call->fault);
	racks_free(r);
	return false;
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

bool explore_racks(struct workbench *w, struct command_call *call)
{
	if ((call->argc > 0 || !w->explored.racks) && !set_and_replace(w, read_racks(w, call), call))
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
		return true;
	}
	if (strcmp(what, "day") == 0)
		return racks_day(r, &call->fault);
	if (strcmp(what, "again") == 0)
		return racks_again(r, &call->fault);
	return racks_moved(r, what, &wanted, &call->fault) && set_and_replace(w, racks_with(r, &wanted, &call->fault), call);
}

void explore_follow(struct workbench *w)
{
	struct racks_set now, *seen = &w->explored.set;
	struct fault f;
	char text[sizeof f + 16];
	settings_now(w, &now);
	if (memcmp(&now, seen, sizeof now) == 0)
		return;
	*seen = now;
	struct string line = {0};
	bool same = !w->explored.racks || (racks_say(w->explored.racks, &now, &line, NULL) && !line.length);
	string_free(&line);
	if (!same && !replace(w, racks_with(w->explored.racks, &now, &f), &f))
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
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
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
	}
	return true;
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

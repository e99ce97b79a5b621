// SPDX-License-Identifier: GPL-3.0-or-later
// A race that is watched: its table as `race table` answers it, asked for again once a run has finished.
#include "ui/workbench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What an answer is taken into.
struct taking {
	struct sheet *sheet;
	char title[RACE_TITLE];
};

static bool take(struct command_call *call, const struct answer *answer)
{
	struct taking *t = call->sayer;
	sheet_free(t->sheet);
	t->sheet = sheet_new(answer);
	snprintf(t->title, sizeof t->title, "%.*s", (int)strcspn(answer->above, "\n"), answer->above);
	return t->sheet != NULL;
}

static void hear_nothing(struct command_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void hear_nothing(struct command_call *call, const char *format, ...)
{
	(void)call;
	(void)format;
}

static bool ask(struct workbench *w, const char *name, struct taking *t, struct fault *f)
{
	struct command_table table = w->table;
	struct string line = {0};
	table.show = take;
	string_add(&line, "race table ");
	words_quote(&line, name);
	bool ok = line.failed ? fault_memory(f, "watch") : command_run(&table, line.bytes, hear_nothing, t, f);
	string_free(&line);
	return ok && (t->sheet || fault_memory(f, "watch"));
}

static void show(struct workbench *w)
{
	w->scene.race = w->race.sheet;
	w->scene.race_title = w->race.title;
}

void race_end(struct workbench *w)
{
	sheet_free(w->race.sheet);
	free(w->race.name);
	w->race = (struct race_watch){0};
	show(w);
}

bool race_begin(struct workbench *w, const char *name, struct fault *f)
{
	struct taking t = {0};
	long long stamp;
	// The stamp first: a run that finishes in between is then found by the next look.
	if (!session_race_stamp(name, &stamp, f) || !ask(w, name, &t, f)) {
		sheet_free(t.sheet);
		return false;
	}
	char *copy = strdup(name);
	if (!copy) {
		sheet_free(t.sheet);
		return fault_memory(f, "watch");
	}
	race_end(w);
	w->race = (struct race_watch){.name = copy, .stamp = stamp, .sheet = t.sheet};
	memcpy(w->race.title, t.title, sizeof t.title);
	show(w);
	return true;
}

bool race_turn(struct workbench *w)
{
	struct taking t = {0};
	struct fault f;
	long long stamp;
	if (!w->race.name || !session_race_stamp(w->race.name, &stamp, &f) || stamp == w->race.stamp)
		return false;
	if (!ask(w, w->race.name, &t,
		    &f)) { // a plan that is being written, say: what is shown stays, and the next look asks again
		sheet_free(t.sheet);
		return false;
	}
	sheet_follow(t.sheet, w->race.sheet);
	sheet_free(w->race.sheet);
	w->race.sheet = t.sheet;
	w->race.stamp = stamp;
	memcpy(w->race.title, t.title, sizeof t.title);
	show(w);
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A newcomer's first search does not end while they read: until their first act its horizon stretches, by changes that the journal has.
#include <string.h>

#include "ui/workbench.h"

// Beyond this share of the horizon it is moved out so far that the search is at the other one again: well before the final phase, and in few
// changes, however long somebody reads.
static const double LATE = 0.65, EARLY = 0.5;

static void count(const char *word, void *number)
{
	(void)word;
	++*(int *)number;
}

void stretch_begin(struct workbench *w)
{
	int sessions = 0;
	sessions_each(count, &sessions);
	w->stretch = (struct stretch){.on = sessions <= 1}; // its own may be there already
}

void stretch_act(struct workbench *w, const char *line)
{
	static const char *const steers[] = {"toggle", "nudge", "hand", "each", "confirm", "open", "new", "resume", "tour"};
	char word[32];
	size_t n = strcspn(line, " \t");
	if (!w->stretch.on || w->stretch.stretching)
		return;
	snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), line);
	const struct command *c = command_find(&w->table, word, NULL);
	bool acts = c && c->kind != COMMAND_VIEW;
	for (size_t i = 0; c && i < sizeof steers / sizeof *steers; i++)
		acts |= strcmp(word, steers[i]) == 0;
	if (acts)
		w->stretch.on = false;
}

void stretch_turn(struct workbench *w)
{
	const struct snapshot *now = session_snapshot(w->session);
	const struct journal_entry *entry;
	char line[64];
	if (!w->stretch.on)
		return;
	if (session_draft(w->session) || session_journal(w->session, &entry) > w->stretch.changes)
		w->stretch.on = false;
	if (!w->stretch.on || now->run != RUN_RUNNING || session_changing(w->session) ||
		!((double)now->step > LATE * (double)now->horizon))
		return;
	snprintf(line, sizeof line, "extend %ld", (long)((double)now->step / EARLY) - now->horizon);
	w->stretch.changes++;
	w->stretch.stretching = true;
	if (!workbench_command(w, line))
		w->stretch.on = false;
	w->stretch.stretching = false;
}

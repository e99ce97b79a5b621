// SPDX-License-Identifier: GPL-3.0-or-later
// What a batch run waits for: a step, the horizon, or a readout. The search stands still between a batch's lines, so that each
// line finds it at the same step in every run. For the same reason a readout is checked every WAIT_SLICE steps.
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/language/readout.h"

enum { WAIT_SLICE = 10 };

void wait_end(struct session *s)
{
	for (int i = 0; i < s->wait.count; i++)
		free(s->wait.words[i]);
	free(s->wait.words);
	s->wait = (struct wait){0};
}

bool wait_begin(struct session *s, enum wait_kind kind, long goal, int count, char *const *words, struct fault *f)
{
	wait_end(s);
	if (s->read_only && s->snapshot->step < (kind == WAIT_FINISHED ? s->snapshot->horizon : goal))
		return session_refuse_read_only(s, f);
	s->wait = (struct wait){.kind = kind, .goal = kind == WAIT_FINISHED ? s->snapshot->horizon : goal};
	if (count)
		s->wait.words = calloc((size_t)count, sizeof *s->wait.words);
	for (int i = 0; i < count && s->wait.words; i++, s->wait.count++)
		if (!(s->wait.words[i] = strdup(words[i])))
			break;
	if (s->wait.count < count) {
		wait_end(s);
		return fault_memory(f, "wait");
	}
	if (s->snapshot->step < s->wait.goal && s->snapshot->idle) {
		wait_end(s);
		return fault_set(f, "wait", "begin a new session with it", "%s", s->snapshot->idle);
	}
	if (s->snapshot->step < s->wait.goal)
		engine_run_to(s->engine, s->wait.goal);
	return true;
}

int wait_turn(struct session *s, struct fault *f)
{
	const struct snapshot *now = s->snapshot;
	bool holds;
	struct reading reading;
	if (now->run == RUN_FAILED || (now->run == RUN_HALTED && s->wait.kind != WAIT_NOTHING)) {
		*f = now->fault;
		return -1;
	}
	if (s->wait.kind == WAIT_NOTHING)
		return 1;
	if (now->run == RUN_RUNNING || (now->step < s->wait.goal && now->step < now->horizon))
		return 0;
	if (s->wait.kind != WAIT_READOUT) {
		if (now->step >= s->wait.goal)
			return 1;
		fault_set(f, "wait", "`extend` gives it more steps", "the search finished at step %ld", now->step);
		return -1;
	}
	if (!comparison_holds(s, s->wait.count, s->wait.words, &holds, &reading, f))
		return -1;
	if (holds)
		return 1;
	if (now->step >= now->horizon) {
		char text[300];
		fault_set(f, s->wait.words[0], "`extend` gives it more steps",
			"the search finished at step %ld with %s, not %s %s", now->step,
			reading_write(&reading, text, sizeof text), s->wait.words[1], s->wait.words[2]);
		return -1;
	}
	s->wait.goal = (now->step / WAIT_SLICE + 1) * WAIT_SLICE;
	engine_run_to(s->engine, s->wait.goal);
	return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Playing the journal: the engine is run to each line's step and paused there, and the line is applied. So a session is
// taken from its checkpoint to where its journal ends, and so a replay is made from nothing.
#include <stdlib.h>
#include <string.h>

#include "sessions/changes.h"
#include "sessions/inside.h"

static const struct journal_line *current(const struct session *s)
{
	return &s->journal.line[s->play.line];
}

static bool play_fault(struct session *s, const struct fault *f)
{
	char where[sizeof f->where + 64];
	const struct journal_line *line = current(s);
	snprintf(where, sizeof where, "journal, '%ld %.80s'", line->step, line->text);
	s->play.failed = true;
	s->play.on = false;
	return fault_set(&s->play.fault, where, f->todo, "%s%s%s", f->where, f->where[0] ? ": " : "", f->what);
}

// The journal cannot be followed: what the person would go on from is not what the journal says, so nothing may be added.
static void stop(struct session *s, const struct fault *f)
{
	play_fault(s, f);
	if (s->play.strict)
		return;
	session_say_fault(s, &s->play.fault);
	session_make_read_only(s, "its journal cannot be followed");
}

static void next_line(struct session *s)
{
	s->play.line++;
	s->play.sent = s->play.posted = false;
}

static void change_played(struct session *s, struct pending *p, struct reply *r)
{
	(void)p;
	struct fault f;
	if (!s->play.on)
		return;
	if (r->ok && r->step == current(s)->step) {
		s->play.changes++;
		next_line(s);
		return;
	}
	if (r->ok)
		fault_set(&f, "", "", "it was applied at step %ld", r->step);
	stop(s, r->ok ? &f : &r->fault);
}

static void digest_played(struct session *s, struct pending *p, struct reply *r)
{
	(void)p;
	struct fault f;
	if (!s->play.on)
		return;
	const char *digest = r->ok ? state_get(r->state, "digest") : NULL;
	if (!r->ok) {
		stop(s, &r->fault);
		return;
	}
	if (digest && strcmp(digest, current(s)->text) == 0) {
		snprintf(s->digest, sizeof s->digest, "%s", digest);
		s->digest_step = r->step;
		s->digest_entries = s->journal.entries;
	} else if (s->play.strict) {
		fault_set(&f, "", "replay with the build, machine type and data that it was made with",
			"the digest is now %s", digest ? digest : "missing");
		stop(s, &f);
		return;
	} else {
		session_say(s, "step %ld: the search is no longer the recorded one bit for bit (another build, machine or data?)",
			r->step);
	}
	next_line(s);
}

void play_begin(struct session *s, long step, int entries, bool strict)
{
	s->play = (struct play){ .strict = strict };
	int line = entries ? s->journal.line_of[entries - 1] + 1 : 0;
	// Digests that the checkpoint itself stands for.
	while (line < s->journal.lines && s->journal.line[line].kind == JOURNAL_DIGEST && s->journal.line[line].step <= step
		&& step > 0)
		line++;
	s->play.line = s->play.first = line;
	for (int i = line; i < s->journal.lines; i++)
		s->play.on |= s->journal.line[i].kind != JOURNAL_NOTE;
}

// The line's step is reached and the engine stands still there: post what the line asks for.
static void post(struct session *s)
{
	struct fault f;
	const struct journal_line *line = current(s);
	bool change = line->kind == JOURNAL_CHANGE;
	struct pending *p = session_pending(change ? change_played : digest_played, &f);
	bool ok = p != NULL;
	if (ok && change) {
		struct change c;
		ok = change_read(line->text, &c, &f);
		ok = session_posted(s, p, ok && engine_post_change(s->engine, &c, &p->ticket, &f));
		free(c.item);
	} else if (ok) {
		ok = session_posted(s, p, engine_post_state(s->engine, &p->ticket, &f));
	}
	s->play.posted = ok;
	if (!ok)
		stop(s, &f);
}

void play_turn(struct session *s)
{
	while (s->play.on && !s->play.posted) {
		const struct snapshot *now = s->snapshot;
		struct fault f;
		if (s->play.line == s->journal.lines) {
			s->play.on = false;
			if (!s->play.strict)
				session_say(s, "step %ld: caught up with the journal: %d change%s done again", now->step,
					s->play.changes, s->play.changes == 1 ? "" : "s");
			s->news |= NEWS_STATE;
			return;
		}
		const struct journal_line *line = current(s);
		if (line->kind == JOURNAL_NOTE) {
			next_line(s);
		} else if (now->run == RUN_FAILED) {
			stop(s, &now->fault);
		} else if (now->step > line->step) {
			fault_set(&f, "", "", "the search is past that step, at %ld", now->step);
			stop(s, &f);
		} else if (now->step < line->step) {
			if (line->step > now->horizon && now->run != RUN_RUNNING) {
				fault_set(&f, "", "", "the search ends at step %ld", now->horizon);
				stop(s, &f);
			} else if (!s->play.sent) {
				engine_run_to(s->engine, line->step);
				s->play.sent = true;
			}
			return;
		} else if (now->run == RUN_RUNNING) {
			return; // it is about to stop here
		} else {
			post(s);
		}
	}
}

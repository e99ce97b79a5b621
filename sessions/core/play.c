// SPDX-License-Identifier: GPL-3.0-or-later
// Plays the journal: runs the engine to each line's step, pauses it there and applies the line. This takes a session from its
// checkpoint to the end of its journal, and a replay from nothing. At a line that names another set of kernels, the engine is
// opened again on that set, at its own state.
#include <stdlib.h>
#include <string.h>

#include "sessions/store/changes.h"
#include "sessions/core/inside.h"

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

// Whether what computed it then computes now.
static bool on_its_kernels(const struct session *s)
{
	return strcmp(s->info->kernels, play_kernels(&s->journal, &s->manifest, s->play.line)) == 0;
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
	if (digest && strcmp(digest, journal_digest(current(s))) == 0) {
		snprintf(s->digest, sizeof s->digest, "%s", digest);
		s->digest_step = r->step;
		s->digest_entries = s->journal.entries;
	} else if (s->play.strict || on_its_kernels(s)) {
		fault_set(&f, "",
			s->play.strict ? "replay with the build, machine type and data that it was made with"
				       : "open it with the build, machine type and data that it was made with",
			"the digest is now %s", digest ? digest : "missing");
		stop(s, &f);
		return;
	} else {
		session_say(s,
			"step %ld: the search is no longer the recorded one bit for bit: this processor lacks the %s kernels",
			r->step, play_kernels(&s->journal, &s->manifest, s->play.line));
	}
	next_line(s);
}

// ---- which kernels -------------------------------------------------------------------------------------------------

const char *play_kernels(const struct journal *j, const struct manifest *m, int lines)
{
	const char *name = journal_kernels(j, lines);
	return name ? name : m->kernels;
}

static bool available(const char *name)
{
	bool ok = engine_use_kernels(name);
	engine_use_kernels(NULL);
	return ok;
}

// The set to go on with where `recorded` was in use.
static const char *set_for(const char *recorded)
{
	return available(recorded) ? recorded : engine_kernels();
}

// ---- answers of a command ------------------------------------------------------------------------------------------

static void answers_given(struct session *s, struct pending *p, struct reply *r)
{
	(void)p;
	if (!r->ok && s->play.on)
		stop(s, &r->fault);
}

bool play_answers(struct session *s, struct fault *f)
{
	struct string lines = {0};
	for (int i = 0; i < s->journal.lines; i++)
		if (s->journal.line[i].kind == JOURNAL_ANSWER)
			string_add(&lines, "%ld %s\n", s->journal.line[i].step, s->journal.line[i].text);
	bool ok = !lines.failed || fault_memory(f, "journal");
	if (ok && lines.length) {
		struct pending *p = session_pending(answers_given, f);
		ok = p && session_posted(s, p, engine_post_answers(s->engine, lines.bytes, &p->ticket, f));
	}
	string_free(&lines);
	return ok;
}

void play_allow(struct session *s)
{
	if (s->allowed && !s->play.on)
		engine_allow(s->engine);
}

// ---- kernels -------------------------------------------------------------------------------------------------------

static void switched(struct session *s, struct pending *p, struct reply *r)
{
	(void)p;
	struct fault f = r->fault;
	struct engine *engine = NULL;
	if (!s->play.on)
		return;
	s->play.posted = false;
	if (r->ok) {
		engine_use_kernels(s->play.kernels);
		engine = engine_open(s->began, r->state, &f);
		engine_use_kernels(NULL);
	}
	if (!engine) {
		stop(s, &f);
		return;
	}
	engine_close(s->engine);
	s->engine = engine;
	s->info = engine_info(engine);
	s->snapshot->info = NULL; // the snapshot is of the old one
	s->snapshot->version = 0;
	engine_snapshot(engine, s->snapshot);
	if (!play_answers(s, &f))
		stop(s, &f);
}

// Whether the engine is on this set; else it is asked for its state, to be opened on it.
static bool on_set(struct session *s, const char *name)
{
	struct fault f;
	if (strcmp(s->info->kernels, name) == 0)
		return true;
	snprintf(s->play.kernels, sizeof s->play.kernels, "%s", name);
	struct pending *p = session_pending(switched, &f);
	s->play.posted = p && session_posted(s, p, engine_post_state(s->engine, &p->ticket, &f));
	if (!s->play.posted)
		stop(s, &f);
	return false;
}

// The journal has been followed. From here on the set computes that was asked for, or the one that did: another than that is
// recorded, so that a replay knows. False: not yet.
static bool choose_kernels(struct session *s)
{
	const char *recorded = play_kernels(&s->journal, &s->manifest, s->journal.lines);
	const char *name = engine_kernels_asked() ? engine_kernels() : set_for(recorded);
	struct fault f;
	if (s->play.strict || s->read_only)
		return true;
	if (!on_set(s, name))
		return false;
	if (strcmp(name, recorded) == 0)
		return true;
	char text[ENGINE_NAME], was[ENGINE_NAME];
	snprintf(text, sizeof text, "%s", name);
	snprintf(was, sizeof was, "%s", recorded);
	const struct journal_line line = {.kind = JOURNAL_KERNELS, .step = s->snapshot->step, .text = text};
	if (session_log(s, &line, &f))
		session_acknowledge(s, "step %ld: the %s kernels compute from here on, %s did until now: the journal says so",
			line.step, text, was);
	else
		session_say_fault(s, &f);
	return true;
}

// ---- following -----------------------------------------------------------------------------------------------------

void play_begin(struct session *s, int lines, bool strict)
{
	s->play = (struct play){.strict = strict, .line = lines};
	for (int i = lines; i < s->journal.lines; i++)
		s->play.tail |= s->journal.line[i].kind != JOURNAL_NOTE;
	s->play.on = s->play.tail || !strict || s->journal.last_step > s->snapshot->step;
	struct fault f;
	if (s->play.on && !play_answers(s, &f))
		stop(s, &f);
	play_turn(s); // it may be at its end
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
		bool at_end = s->play.line == s->journal.lines;
		if (at_end && now->step >= s->journal.last_step && now->run != RUN_RUNNING) {
			if (!choose_kernels(s))
				return;
			s->play.on = false;
			play_allow(s);
			if (!s->play.strict && s->play.tail)
				session_say(s, "step %ld: caught up with the journal: %d change%s done again", now->step,
					s->play.changes, s->play.changes == 1 ? "" : "s");
			s->news |= NEWS_STATE;
			return;
		}
		// The steps up to the last answer were made, and are made again, whatever line comes last.
		const struct journal_line *line = at_end ? NULL : current(s);
		long step = line ? line->step : s->journal.last_step;
		if (line && journal_only_says(line->kind)) {
			next_line(s);
		} else if (now->run == RUN_FAILED || (now->run == RUN_HALTED && now->step < step)) {
			stop(s, &now->fault);
		} else if (line && now->step > step) {
			fault_set(&f, "", "", "the search is past that step, at %ld", now->step);
			stop(s, &f);
		} else if (now->step < step) {
			if (step > now->horizon && now->run != RUN_RUNNING) {
				fault_set(&f, "", "", "the search ends at step %ld", now->horizon);
				stop(s, &f);
			} else if (!s->play.sent) {
				engine_run_to(s->engine, step);
				s->play.sent = true;
			}
			return;
		} else if (now->run == RUN_RUNNING) {
			return; // it is about to stop here
		} else if (line->kind != JOURNAL_KERNELS) {
			post(s);
		} else if (on_set(s, set_for(line->text))) {
			next_line(s);
		}
	}
}

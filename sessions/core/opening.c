// SPDX-License-Identifier: GPL-3.0-or-later
// Opening and closing: the folder, its lock, the manifest, the newest good checkpoint, the journal beyond it.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessions/core/inside.h"
#include "sessions/core/restore.h"
#include "sessions/store/store.h"

// ---- the parts -----------------------------------------------------------------------------------------------------

static bool first_snapshot(struct session *s, struct fault *f)
{
	s->snapshot = snapshot_new();
	if (!s->snapshot)
		return fault_memory(f, s->title);
	while (!engine_snapshot(s->engine, s->snapshot)) {
		struct pollfd news = {.fd = engine_fd(s->engine), .events = POLLIN};
		if (poll(&news, 1, 1000) < 0 && errno != EINTR)
			return disk_fault(f, s->title, "wait for the engine", errno);
		engine_news(s->engine);
	}
	return true;
}

struct session *session_bare(const struct config *config, const struct state *state, struct fault *f)
{
	struct session *s = calloc(1, sizeof *s);
	if (!s) {
		fault_memory(f, "session");
		return NULL;
	}
	s->lock = -1;
	s->saved_step = s->digest_step = s->look_step = s->noise_step = -1;
	s->saved_at = clock_seconds();
	s->began = config_copy(config);
	s->plotter = plotter_new("gnuplot");
	if (!s->began || !s->plotter) {
		fault_memory(f, "session");
	} else if ((s->engine = engine_open(config, state, f))) {
		s->info = engine_info(s->engine);
		if (first_snapshot(s, f))
			return s;
	}
	session_free(s);
	return NULL;
}

void session_free(struct session *s)
{
	travel_stop(s);
	measuring_end(s);
	alone_stop(s);
	compare_drop(s);
	engine_close(s->engine);
	session_drop_pending(s);
	session_drop_waiting(s);
	plotter_free(s->plotter);
	if (s->writer)
		writer_finish(s->writer, NULL);
	if (s->snapshot)
		snapshot_free(s->snapshot);
	wait_end(s);
	costed_free(&s->costed);
	config_free(s->began);
	journal_free(&s->journal);
	free(s->mark);
	free(s->record);
	free(s->shown.record);
	free(s->shown.modal);
	free(s->policy);
	session_forget_errors(s);
	free(s->happening);
	free(s->modal);
	free(s->noise);
	judged_free(&s->judged);
	draft_drop(s);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

void session_make_read_only(struct session *s, const char *why)
{
	s->read_only = true;
	snprintf(s->read_only_why, sizeof s->read_only_why, "%s", why);
	s->news |= NEWS_STATE;
}

bool session_refuse_read_only(const struct session *s, struct fault *f)
{
	const char *todo = s->follow.left ? "open it again: nobody has it now"
		: s->follow.on            ? "leave it there, then open it here"
		: s->lock < 0             ? "mend that, then open it again"
					  : "begin another session";
	return fault_set(f, s->title, todo, "it is open for reading only: %s", s->read_only_why);
}

// The index is a help to find sessions again: one that cannot be written is said, and hinders nothing.
static void remember(struct session *s)
{
	struct fault f;
	if (!store_remember(s->folder, &f))
		session_say_fault(s, &f);
}

// The writer, behind the journal, and the manifest last: with it the folder is a session.
static bool equip(struct session *s, struct fault *f)
{
	s->written.durable = s->journal.end.bytes;
	s->manifest.closed = false;
	s->writer = writer_new(s->folder, &s->journal.end, f);
	return s->writer && manifest_write(s->folder, s->began, &s->manifest, f);
}

// Takes back what equip did, where it failed: nothing is written from here on.
static void unequip(struct session *s)
{
	if (s->writer)
		writer_finish(s->writer, NULL);
	s->writer = NULL;
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

// ---- a new one -----------------------------------------------------------------------------------------------------

// The folder is this process's own from here on.
static bool furnish(struct session *s, struct fault *f)
{
	char journal[FOLDER_PATH];
	struct string first = {0};
	if (!folder_file(s->folder, JOURNAL_FILE, journal, sizeof journal, f))
		return false;
	identity_draw(s->manifest.session);
	snprintf(s->manifest.kernels, sizeof s->manifest.kernels, "%s", s->info->kernels);
	journal_begin(&s->journal, s->manifest.session, &first);
	bool ok = first.failed ? fault_memory(f, journal) : disk_replace(journal, first.bytes, first.length, f);
	string_free(&first);
	return ok && equip(s, f);
}

// Takes the session away from the disk while its lock is held.
static void unfurnish(struct session *s)
{
	if (s->writer)
		writer_finish(s->writer, NULL);
	s->writer = NULL;
	if (folder_held(s->folder, s->lock))
		folder_remove(s->folder);
}

struct session *session_new(const char *name, const struct config *config, struct fault *f)
{
	char folder[FOLDER_PATH];
	int lock = -1;
	bool cleaned = false;
	if (name && !folder_of(name, folder, sizeof folder, f))
		return NULL;
	// Said before the engine is made, which takes its time.
	if (name && access(folder, F_OK) == 0 && !folder_half_made(folder)) {
		folder_taken(folder, f);
		return NULL;
	}
	struct session *s = session_bare(config, NULL, f);
	if (!s)
		return NULL;
	if (!(name ? folder_claim(folder, &lock, &cleaned, f) : folder_claim_unnamed(folder, sizeof folder, &lock, f))) {
		session_free(s);
		return NULL;
	}
	s->lock = lock;
	s->unnamed = !name;
	snprintf(s->folder, sizeof s->folder, "%s", folder);
	folder_title(folder, s->title, sizeof s->title);
	if (!furnish(s, f)) {
		unfurnish(s);
		session_free(s);
		return NULL;
	}
	if (cleaned)
		session_say(s, "%s held what a process left that was killed in its first moments: cleared away", folder);
	if (s->info->left_out[0])
		session_say(s, "for reach=%s the space is without %s", s->info->reach, s->info->left_out);
	remember(s);
	if (s->info->quantized)
		session_say(s, "%s is quantized: `apply file` drafts its formats, of %d of %d layers%s%s", s->info->net,
			s->info->quantized, s->info->layers, s->info->told[0] ? "; " : "", s->info->told);
	return s;
}

// ---- an existing one -------------------------------------------------------------------------------------------------

bool session_adopt(struct session *s, struct journal *j, struct fault *f)
{
	journal_free(&s->journal);
	s->journal = *j;
	*j = (struct journal){0};
	return session_mark_all(s) || fault_memory(f, s->title);
}

// So many entries are among the first `lines` lines.
static int entries_before(const struct journal *j, int lines)
{
	int n = 0;
	while (n < j->entries && j->line_of[n] < lines)
		n++;
	return n;
}

// The lock decides whether this process may write. Returns the reason why not, NULL where it may; *owner is the process that has
// it, 0 where unknown, -1 where none has.
static const char *take_lock(const char *folder, int *lock, long *owner, char *why, size_t size)
{
	enum folder_lock state = folder_lock(folder, lock, owner);
	int error = errno;
	switch (state) {
	case LOCK_TAKEN: *owner = -1; return NULL;
	case LOCK_ELSEWHERE:
		if (*owner > 0)
			snprintf(why, size, "another bitscape has it (process %ld)", *owner);
		else
			snprintf(why, size, "another bitscape has it");
		return why;
	case LOCK_IMPOSSIBLE: break;
	}
	char text[64];
	*owner = -1;
	snprintf(why, size, "its folder cannot be written (%s)", strerror_r(error, text, sizeof text));
	return why;
}

static struct session *open_at(struct restoring *r, long owner, int *lock, struct fault *f)
{
	struct session *s = restore_session(r, f);
	if (!s)
		return NULL;
	snprintf(s->folder, sizeof s->folder, "%s", r->folder);
	folder_title(r->folder, s->title, sizeof s->title);
	s->manifest = *r->manifest;
	s->lock = *lock;
	*lock = -1;
	if (!session_adopt(s, &r->journal, f)) {
		session_free(s);
		return NULL;
	}
	// What cannot be written can be looked at.
	struct fault unwritable;
	char why[sizeof s->read_only_why];
	bool equipped = r->why || equip(s, &unwritable);
	if (!equipped) {
		unequip(s);
		snprintf(why, sizeof why, "its folder cannot be written (%.80s)", unwritable.what);
		r->why = why;
	}
	for (int i = 0; i < r->found->count; i++)
		session_say_fault(s, &r->found->fault[i]);
	if (!equipped)
		session_say_fault(s, &unwritable);
	if (r->step >= 0) {
		s->saved_step = r->step;
		s->saved_entries = r->lines ? entries_before(&s->journal, r->lines) : 0;
	} else if (r->found->count) {
		session_say(s, "no checkpoint serves: the search begins again from nothing and follows its journal");
	}
	if (r->manifest->unsealed)
		session_say(s, "the manifest was changed by hand: it is taken as it is");
	if (r->why)
		session_make_read_only(s, r->why);
	if (owner >= 0) {
		// The owner is the one that searches: here nothing runs, its files are shown as they come.
		session_say(s, "%s is open for reading only: %s; shown as it is saved there, step %ld now", s->title, r->why,
			s->snapshot->step);
		follow_begin(s, owner, r->step);
		return s;
	}
	if (r->why)
		session_say(s, "%s is open for reading only: %s", s->title, r->why);
	play_begin(s, r->lines, false);
	return s;
}

struct session *session_open(const char *name, struct fault *f)
{
	char folder[FOLDER_PATH], why_text[128];
	bool elsewhere;
	if (!store_find(name, folder, sizeof folder, &elsewhere, f))
		return NULL;
	struct manifest manifest;
	struct config *config = manifest_read(folder, &manifest, f);
	if (!config)
		return NULL;
	int lock;
	long owner;
	const char *why = take_lock(folder, &lock, &owner, why_text, sizeof why_text);
	struct restoring r = {.folder = folder, .config = config, .manifest = &manifest, .why = why};
	struct session *s = NULL;
	r.found = calloc(1, sizeof *r.found);
	if (r.found) {
		restore_journal(&r);
		s = open_at(&r, owner, &lock, f);
	} else {
		fault_memory(f, folder);
	}
	if (s && elsewhere)
		session_say(s, "%s lies in %s", s->title, folder);
	if (s)
		remember(s);
	if (s && !s->read_only)
		alone_tell_broken(s);
	journal_free(&r.journal);
	config_free(config);
	free(r.found);
	if (lock >= 0)
		close(lock);
	return s;
}

// The lines that lead to the end of a branch take the place of the whole journal.
static bool take_branch(struct restoring *r, int *branch, struct fault *f)
{
	struct journal path = {0};
	const int present = r->journal.branches ? r->journal.branches : 1;
	if (*branch < 0 || *branch > present)
		return fault_set(f, r->folder, "`tree` lists them", "it has no branch %d; the last is %d", *branch, present);
	if (*branch == present)
		*branch = 0;
	if (!*branch)
		return true;
	const long reached = r->journal.branch[*branch - 1].reached;
	if (!journal_path(&r->journal, *branch, reached, &path))
		return fault_memory(f, r->folder);
	r->most = reached ? reached : 1;
	journal_free(&r->journal);
	r->journal = path;
	return true;
}

struct session *session_peek(const char *name, int *branch, struct fault *f)
{
	char folder[FOLDER_PATH];
	bool elsewhere;
	struct manifest manifest;
	struct config *config = store_find(name, folder, sizeof folder, &elsewhere, f) ? manifest_read(folder, &manifest, f)
										       : NULL;
	if (!config)
		return NULL;
	struct restoring r = {.folder = folder, .config = config, .manifest = &manifest, .why = "it is only looked at"};
	struct session *s = NULL;
	if ((r.found = calloc(1, sizeof *r.found))) {
		restore_journal(&r);
		s = take_branch(&r, branch, f) ? restore_session(&r, f) : NULL;
	} else {
		fault_memory(f, folder);
	}
	if (s) {
		snprintf(s->folder, sizeof s->folder, "%s", folder);
		folder_title(folder, s->title, sizeof s->title);
		s->manifest = manifest;
		session_make_read_only(s, r.why);
		session_turn(s); // its history
		if (!session_adopt(s, &r.journal, f)) {
			session_free(s);
			s = NULL;
		}
	}
	journal_free(&r.journal);
	config_free(config);
	free(r.found);
	return s;
}

// ---- closing ---------------------------------------------------------------------------------------------------------

static bool save_last(struct session *s, struct fault *f)
{
	travel_stop(s);
	// A session still following its journal has nothing that the journal does not hold.
	if (!s->writer || s->read_only || s->play.on)
		return true;
	engine_pause(s->engine);
	s->news |= session_turn(s);
	bool moving = s->snapshot->run == RUN_RUNNING;
	// What was posted before is carried out before: the state then has it.
	if (!session_await_replies(s, f))
		return false;
	return (!moving && session_saved(s)) || (session_save(s, false, f) && session_await_replies(s, f));
}

// Begun by itself, and left before anything came of it: it is not kept. A named session is, and one in which something was done;
// so is one that was watched until it was first saved, unless it is left for the session that was to go on (`resume`).
static bool nothing_done(const struct session *s)
{
	if (!s->unnamed || s->by_hand || s->journal.entries || s->pending || !s->writer || folder_has_more(s->folder))
		return false;
	return s->dropped || s->snapshot->step == 0 || s->saved_step < 0;
}

void session_drop(struct session *s)
{
	s->dropped = true;
}

static bool discard(struct session *s, struct string *farewell)
{
	unfurnish(s);
	if (farewell)
		string_add(farewell, "%s: nothing was done in it, so it is not kept\n", s->title);
	session_free(s);
	return true;
}

bool session_at_risk(const struct session *s, struct fault *f)
{
	if (!s->writer || s->read_only || nothing_done(s))
		return false;
	static const char unsaved[] = "what was done is not saved";
	if (!folder_held(s->folder, s->lock))
		fault_set(f, s->folder, "put it back, then `save`",
			"%s: this folder was moved or deleted while the session was open", unsaved);
	else if (s->written.failing)
		fault_set(f, s->written.fault.where, s->written.fault.todo, "%s: %.300s", unsaved, s->written.fault.what);
	else if (s->save_failed)
		fault_set(f, s->folder, "`save` tries again", "%s: the last save failed", unsaved);
	else
		return alone_at_risk(s, f);
	return true;
}

// Returns the step at which the session opens again, by the files in its folder: that of the newest checkpoint, or of the last
// line of the journal, which is followed; -1: there are none.
static long kept_step(const struct session *s, bool there)
{
	if (!there)
		return -1;
	long step = checkpoint_newest_step(s->folder);
	for (int i = 0; i < s->journal.lines; i++)
		if (s->journal.line[i].end.bytes <= s->written.durable && s->journal.line[i].step > step)
			step = s->journal.line[i].step;
	return step < 0 ? 0 : step;
}

bool session_leave(struct session *s, struct string *farewell, struct fault *f)
{
	struct fault first;
	if (nothing_done(s))
		return discard(s, farewell);
	bool saved = s->snapshot->run == RUN_FAILED || save_last(s, &first);
	bool there = true;
	bool written = writer_finish(s->writer, saved ? &first : NULL);
	bool ok = saved && written;
	if (s->writer) {
		s->writer = NULL;
		// Not into what may have been made in its place.
		there = folder_held(s->folder, s->lock) ||
			(ok &&
				fault_set(&first, s->folder, "put it back; what was saved before is in it",
					"this folder was moved or deleted while the session was open"));
		struct summary last;
		session_summary(s, &last);
		if (there && saved)
			summary_write(s->folder, &last, NULL); // the choice may have been scored since the last checkpoint
		s->manifest.closed = ok;
		ok = there && manifest_write(s->folder, s->began, &s->manifest, ok ? &first : NULL) && ok;
	}
	// Last, as it promises what can be opened again.
	if (farewell)
		session_farewell(s, saved && written && there ? s->snapshot->step : kept_step(s, there), farewell);
	session_free(s);
	if (!ok && f)
		*f = first;
	return ok;
}

bool session_close(struct session *s, struct fault *f)
{
	return session_leave(s, NULL, f);
}

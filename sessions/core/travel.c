// SPDX-License-Identifier: GPL-3.0-or-later
// To another step: `rewind` takes this session there, on a new branch of its journal; `fork` makes another session there. An engine
// of its own goes there from the nearest checkpoint and follows the journal, which gives the same bits; the present one is left
// alone until it has arrived. What must not be lost is kept in this order: the state that is left, the line that says so, the names
// of the checkpoints, the state that is gone back to. A process that is killed anywhere between finds one of the two branches.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessions/core/inside.h"
#include "sessions/core/restore.h"
#include "sessions/store/store.h"

static const double TELL_SECONDS = 1;

bool travel_allows(const struct session *s, struct fault *f)
{
	return !s->travel.phase || s->travel.name[0] ||
		fault_set(f, s->title, "wait until it is there", "it is going back to step %ld", s->travel.step);
}

const struct snapshot *travel_snapshot(const struct session *s)
{
	return s->travel.there ? s->travel.there->snapshot : s->snapshot;
}

bool session_travelling(const struct session *s)
{
	return s->travel.phase != TRAVEL_NONE;
}

void travel_stop(struct session *s)
{
	struct travel *t = &s->travel;
	bool made = t->writer && t->sent; // it is complete once the writer has ended
	if (t->there)
		session_free(t->there);
	if (t->writer) {
		writer_finish(t->writer, NULL);
		t->manifest.closed = made;
		manifest_write(t->folder, s->began, &t->manifest, NULL);
	} else if (t->folder[0] && t->lock >= 0) {
		folder_remove(t->folder);
	}
	if (t->folder[0] && t->lock >= 0)
		close(t->lock);
	journal_free(&t->path);
	*t = (struct travel){0};
}

static void failed(struct session *s, const struct fault *f)
{
	session_say_fault(s, f);
	travel_stop(s);
	s->news |= NEWS_STATE;
}

// ---- the other session -----------------------------------------------------------------------------------------------

// Its journal: where it comes from, the lines that led there, and the digest there.
static bool write_journal(struct travel *t, const char *digest, struct journal *j, struct fault *f)
{
	struct string text = {0};
	char path[FOLDER_PATH], parent[IDENTITY_TEXT + JOURNAL_DIGEST_TEXT], d[JOURNAL_DIGEST_TEXT];
	snprintf(parent, sizeof parent, "%s %s", t->manifest.parent, digest);
	snprintf(d, sizeof d, "%s", digest);
	journal_begin(j, t->manifest.session, &text);
	struct journal_line line = {.kind = JOURNAL_PARENT, .step = t->step, .text = parent};
	bool ok = journal_add(j, &line, &text, f);
	for (int i = 0; ok && i < t->path.lines; i++) {
		line = t->path.line[i];
		if (line.kind != JOURNAL_PARENT && line.kind != JOURNAL_REWIND)
			ok = journal_add(j, &line, &text, f);
	}
	line = (struct journal_line){.kind = JOURNAL_DIGEST, .step = t->step, .text = d};
	bool last = j->lines && j->line[j->lines - 1].kind == JOURNAL_DIGEST && j->line[j->lines - 1].step == t->step;
	ok = ok && (last || journal_add(j, &line, &text, f));
	ok = ok && (!text.failed || fault_memory(f, t->folder)) && folder_file(t->folder, JOURNAL_FILE, path, sizeof path, f) &&
		disk_replace(path, text.bytes, text.length, f);
	string_free(&text);
	return ok;
}

// The manifest makes it a session; without a checkpoint yet it would follow its journal from nothing.
static bool write_session(struct session *s, const struct session *from, struct state **state, struct fault *f)
{
	struct travel *t = &s->travel;
	struct journal j = {0};
	struct summary summary;
	bool cleaned;
	const char *digest = state_get(*state, "digest");
	if (!digest)
		return fault_set(f, t->name, "begin another session", "the state has no digest");
	char text[JOURNAL_DIGEST_TEXT];
	snprintf(text, sizeof text, "%s", digest);
	identity_draw(t->manifest.session);
	snprintf(t->manifest.kernels, sizeof t->manifest.kernels, "%s", s->manifest.kernels);
	snprintf(t->manifest.parent, sizeof t->manifest.parent, "%s", s->manifest.session);
	snprintf(t->manifest.parent_digest, sizeof t->manifest.parent_digest, "%s", text);
	t->manifest.parent_step = t->step;
	bool ok = folder_claim(t->folder, &t->lock, &cleaned, f) && write_journal(t, text, &j, f) &&
		manifest_write(t->folder, s->began, &t->manifest, f) && (t->writer = writer_new(t->folder, &j.end, f));
	if (ok) {
		struct checkpoint c = {.step = t->step, .place = j.end, .state = *state};
		memcpy(c.session, t->manifest.session, sizeof c.session);
		*state = NULL;
		session_summary(from, &summary);
		summary.step = t->step;
		summary.entries = j.entries;
		t->sent = writer_checkpoint(t->writer, &c, &summary, true);
		t->phase = TRAVEL_WRITING;
	}
	journal_free(&j);
	return ok;
}

// The state at the step, of this engine or of the one that went there.
static void state_taken(struct session *from, struct pending *p, struct reply *r)
{
	struct session *s = p->job;
	struct travel *t = &s->travel;
	struct fault f = r->fault;
	if (!t->name[0] || t->phase != TRAVEL_MOVING)
		return;
	bool here = from == s, ok = r->ok;
	if (ok && here)
		t->step = r->step;
	if (ok && here && !journal_path(&s->journal, s->journal.branches, LONG_MAX, &t->path))
		ok = fault_memory(&f, t->name);
	t->broken = !ok || !write_session(s, from, &r->state, &f);
	if (t->broken) // the engine that answers is still in use
		t->fault = f;
}

static bool ask_state(struct session *s, struct session *from, struct fault *f)
{
	struct pending *p = session_pending(state_taken, f);
	if (!p)
		return false;
	p->job = s;
	return session_posted(from, p, engine_post_state(from->engine, &p->ticket, f));
}

static void written(struct session *s)
{
	struct travel *t = &s->travel;
	struct writer_result r;
	struct fault f;
	char word[FOLDER_PATH];
	if (!writer_result(t->writer, &r))
		return;
	if (!r.saved) {
		t->sent = false;
		failed(s, &r.fault);
		return;
	}
	store_word(t->folder, word, sizeof word);
	if (!store_remember(t->folder, &f))
		session_say_fault(s, &f);
	session_say(s, "step %ld: %s goes on from here: `open %s` shows it", t->step, t->name, word);
	s->by_hand = true;
	travel_stop(s);
	s->news |= NEWS_STATE;
}

// ---- going back ------------------------------------------------------------------------------------------------------

// The set that computes from here on, if it is another than the journal says.
static bool say_kernels(struct session *s, struct fault *f)
{
	char name[ENGINE_NAME];
	snprintf(name, sizeof name, "%s", s->info->kernels);
	const struct journal_line line = {.kind = JOURNAL_KERNELS, .step = s->travel.step, .text = name};
	return strcmp(name, play_kernels(&s->journal, &s->manifest, s->journal.lines)) == 0 || session_log(s, &line, f);
}

// It is there: from now on this session is.
static void arrive(struct session *s)
{
	struct travel *t = &s->travel;
	struct fault f;
	char text[JOURNAL_DIGEST_TEXT + 16];
	snprintf(text, sizeof text, "%d %s", t->branch, t->there->digest);
	const struct journal_line line = {.kind = JOURNAL_REWIND, .step = t->step, .text = text};
	if (!session_log(s, &line, &f)) {
		failed(s, &f);
		return;
	}
	session_take_engine(s, t->there);
	session_free(t->there);
	t->there = NULL;
	draft_drop(s);
	memset(s->known, 0, sizeof s->known); // what was evaluated lies on the other branch
	play_allow(s);
	if (!say_kernels(s, &f))
		session_say_fault(s, &f);
	s->saved_step = -1;
	s->by_hand = true;
	t->phase = TRAVEL_SETTLING;
	s->news |= NEWS_SNAPSHOT | NEWS_JOURNAL | NEWS_STATE;
}

// The line is safe: the folder follows, then the state is saved.
static void settle(struct session *s)
{
	struct travel t = s->travel;
	struct fault f;
	if (s->written.durable < s->journal.end.bytes || (writer_busy(s->writer) && !s->written.failing))
		return;
	checkpoint_sort(s->folder, &s->journal);
	travel_stop(s);
	const struct journal_branch *left = &s->journal.branch[t.left - 1];
	session_say(s, "step %ld: went back, on branch %d; `rewind %ld branch %d` returns to the end of branch %d", t.step,
		s->journal.branches, left->reached, t.left, t.left);
	if (!session_save(s, false, &f))
		session_say_fault(s, &f);
	s->news |= NEWS_STATE;
}

// ---- the way ---------------------------------------------------------------------------------------------------------

// Opens an engine at the nearest checkpoint, to follow the journal from there.
static bool depart(struct session *s, struct fault *f)
{
	struct travel *t = &s->travel;
	struct restoring r = {.folder = s->folder,
		.config = s->began,
		.manifest = &s->manifest,
		.why = "it is only looked at",
		.most = t->step ? t->step : 1};
	r.found = calloc(1, sizeof *r.found);
	bool ok = (r.found && journal_path(&s->journal, t->branch, t->step, &r.journal)) || fault_memory(f, "journal");
	t->there = ok ? restore_session(&r, f) : NULL;
	if (t->there) {
		t->there->manifest = s->manifest;
		t->there->journal = r.journal;
		t->there->journal.last_step = t->step; // which is farther than its last line
		r.journal = (struct journal){0};
		t->from = r.step > 0 ? r.step : 0;
		t->told = clock_seconds();
		t->phase = TRAVEL_MOVING;
		play_begin(t->there, r.lines, true);
	}
	journal_free(&r.journal);
	free(r.found);
	return t->there != NULL;
}

static void tell(struct session *s)
{
	struct travel *t = &s->travel;
	double now = clock_seconds();
	if (s->batch || now - t->told < TELL_SECONDS)
		return;
	t->told = now;
	session_say(s, "on the way to step %ld: %ld of %ld steps made again from the checkpoint of step %ld", t->step,
		t->there->snapshot->step - t->from, t->step - t->from, t->from);
}

static void move(struct session *s)
{
	struct travel *t = &s->travel;
	struct fault f;
	bool bad;
	session_turn(t->there);
	while (session_message(t->there, &bad))
		; // what was said then was said
	if (t->there->play.failed) {
		f = t->there->play.fault;
		failed(s, &f);
	} else if (t->there->play.on) {
		tell(s);
	} else if (t->there->pending || t->broken || t->phase != TRAVEL_MOVING) {
		return;
	} else if (t->name[0]) {
		if (!ask_state(s, t->there, &f))
			failed(s, &f);
	} else if (t->there->digest_step != t->step || t->there->digest_entries != t->there->journal.entries) {
		if (!session_ask_digest(t->there, false, &f))
			failed(s, &f);
	} else {
		arrive(s);
	}
}

void travel_turn(struct session *s)
{
	struct travel *t = &s->travel;
	struct fault f;
	if (t->broken) {
		f = t->fault;
		failed(s, &f);
	}
	switch (t->phase) {
	case TRAVEL_NONE: break;
	case TRAVEL_PARTING:
		if (!s->pending && !depart(s, &f))
			failed(s, &f);
		break;
	case TRAVEL_MOVING:
		if (t->there)
			move(s);
		break;
	case TRAVEL_WRITING: written(s); break;
	case TRAVEL_SETTLING: settle(s); break;
	}
}

int travel_fds(const struct session *s, struct pollfd *fds, int *timeout_ms)
{
	const struct travel *t = &s->travel;
	int n = 0;
	if (t->there) {
		fds[n++] = (struct pollfd){.fd = engine_fd(t->there->engine), .events = POLLIN};
		if (t->there->news)
			*timeout_ms = 0;
	}
	if (t->writer)
		fds[n++] = (struct pollfd){.fd = writer_fd(t->writer), .events = POLLIN};
	if (t->broken || (t->phase == TRAVEL_PARTING && !s->pending))
		*timeout_ms = 0;
	return n;
}

// ---- the commands ----------------------------------------------------------------------------------------------------

static bool idle(const struct session *s, struct fault *f)
{
	if (s->travel.phase)
		return fault_set(f, s->title, "wait until that is done", "it is on its way to step %ld already", s->travel.step);
	if (s->play.on)
		return fault_set(f, s->title, "wait until it is done", "it is catching up with its journal (step %ld)",
			s->snapshot->step);
	if (!s->folder[0])
		return fault_set(f, s->title, "begin a session of its own", "it has no folder");
	return true;
}

// `step`: on a branch that has been at step `most`.
static bool read_step(const char *word, long most, long *step, struct fault *f)
{
	if (!number_read_long(word, 0, LONG_MAX, step))
		return fault_set(f, word, "give a whole number, 0 or more", "this is not a step");
	return *step <= most || fault_set(f, word, "name a step that was made", "the search has made %ld steps", most);
}

bool run_rewind(struct command_call *call)
{
	struct session *s = call->context;
	struct fault *f = &call->fault;
	const struct journal *j = &s->journal;
	int present = j->branches ? j->branches : 1;
	long step, branch = present;
	if (!session_may_change(s, f) || !idle(s, f))
		return false;
	if (call->argc == 2 || (call->argc == 3 && strcmp(call->argv[1], "branch") != 0))
		return fault_set(f, call->argv[1], "usage: rewind STEP [branch N]", "expected `branch` and its number here");
	if (call->argc == 3 && !number_read_long(call->argv[2], 1, present, &branch))
		return fault_set(f, call->argv[2], "`tree` lists them", "there is no such branch; the last is %d", present);
	if (!read_step(call->argv[0], branch == present ? s->snapshot->step : j->branch[branch - 1].reached, &step, f))
		return false;
	engine_pause(s->engine);
	if (!session_saved(s) && !session_save(s, false, f))
		return false;
	s->travel = (struct travel){.phase = TRAVEL_PARTING,
		.branch = (int)branch,
		.left = present,
		.step = step,
		.lock = -1,
		.told = clock_seconds()};
	s->news |= NEWS_STATE;
	return true;
}

// Where the new session will lie; nothing may be there.
static bool free_name(const char *name, char *folder, size_t size, struct fault *f)
{
	if (!session_name_free(name, f) || !folder_of(name, folder, size, f))
		return false;
	return access(folder, F_OK) != 0 || folder_half_made(folder) || folder_taken(folder, f);
}

bool run_fork(struct command_call *call)
{
	struct session *s = call->context;
	struct fault *f = &call->fault;
	char folder[FOLDER_PATH];
	long step = s->snapshot->step;
	bool now = call->argc == 2;
	const char *name = call->argv[call->argc - 1];
	if (strcmp(call->argv[call->argc - 2], "as") != 0)
		return fault_set(f, call->argv[call->argc - 2], "usage: fork [STEP] as NAME", "expected `as` and a name here");
	if (!idle(s, f) || (!now && !read_step(call->argv[0], step, &step, f)) || !free_name(name, folder, sizeof folder, f))
		return false;
	s->travel = (struct travel){
		.phase = TRAVEL_MOVING, .branch = s->journal.branches ? s->journal.branches : 1, .step = step, .lock = -1};
	snprintf(s->travel.name, sizeof s->travel.name, "%s", name);
	snprintf(s->travel.folder, sizeof s->travel.folder, "%s", folder);
	bool ok = now
		? ask_state(s, s, f)
		: depart(s, f) && (journal_path(&s->journal, s->travel.branch, step, &s->travel.path) || fault_memory(f, name));
	if (!ok)
		travel_stop(s);
	return ok;
}

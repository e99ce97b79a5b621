// SPDX-License-Identifier: GPL-3.0-or-later
// Opening and closing: the folder, its lock, the manifest, the newest good checkpoint, the journal beyond it.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sessions/changes.h"
#include "sessions/inside.h"
#include "sessions/restore.h"

// ---- the parts -----------------------------------------------------------------------------------------------------

static bool first_snapshot(struct session *s, struct fault *f)
{
	s->snapshot = snapshot_new();
	if (!s->snapshot)
		return fault_memory(f, s->title);
	while (!engine_snapshot(s->engine, s->snapshot)) {
		struct pollfd news = { .fd = engine_fd(s->engine), .events = POLLIN };
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
	s->saved_step = s->digest_step = -1;
	s->saved_at = clock_seconds();
	s->began = config_copy(config);
	s->now = config_copy(config);
	s->plotter = plotter_new("gnuplot");
	if (!s->began || !s->now || !s->plotter) {
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
	config_free(s->now);
	journal_free(&s->journal);
	free(s->mark);
	free(s->record);
	free(s->modal);
	free(s->draft);
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

static bool has_file(const char *folder, const char *file)
{
	char path[FOLDER_PATH];
	return folder_file(folder, file, path, sizeof path, NULL) && access(path, F_OK) == 0;
}

bool session_exists(const char *name)
{
	char folder[FOLDER_PATH];
	return folder_of(name, folder, sizeof folder, NULL) && has_file(folder, MANIFEST_FILE);
}

// The writer, behind the journal, and the manifest last: with it the folder is a session.
static bool equip(struct session *s, struct fault *f)
{
	s->written.durable = s->journal.end.bytes;
	s->manifest.closed = false;
	s->writer = writer_new(s->folder, &s->journal.end, f);
	return s->writer && manifest_write(s->folder, s->began, &s->manifest, f);
}

// ---- a new one -----------------------------------------------------------------------------------------------------

static bool furnish(struct session *s, struct fault *f)
{
	char journal[FOLDER_PATH];
	long owner;
	struct string first = { 0 };
	if (!folder_file(s->folder, JOURNAL_FILE, journal, sizeof journal, f))
		return false;
	if (folder_lock(s->folder, &s->lock, &owner) != LOCK_TAKEN)
		return disk_fault(f, s->folder, "lock this folder", errno);
	identity_draw(s->manifest.session);
	snprintf(s->manifest.kernels, sizeof s->manifest.kernels, "%s", s->info->kernels);
	journal_begin(&s->journal, s->manifest.session, &first);
	bool ok = first.failed ? fault_memory(f, journal) : disk_replace(journal, first.bytes, first.length, f);
	string_free(&first);
	return ok && equip(s, f);
}

// Takes away what furnish left where it failed.
static void unfurnish(const char *folder)
{
	static const char *const files[] = { MANIFEST_FILE, JOURNAL_FILE, JOURNAL_END_FILE, "lock" };
	char path[FOLDER_PATH];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (folder_file(folder, files[i], path, sizeof path, NULL))
			unlink(path);
	rmdir(folder);
}

struct session *session_new(const char *name, const struct config *config, struct fault *f)
{
	char folder[FOLDER_PATH];
	if (!(name ? folder_of(name, folder, sizeof folder, f) : folder_unnamed(folder, sizeof folder, f)))
		return NULL;
	if (access(folder, F_OK) == 0) {
		disk_fault(f, folder, "make this folder", EEXIST);
		return NULL;
	}
	struct session *s = session_bare(config, NULL, f);
	if (!s)
		return NULL;
	snprintf(s->folder, sizeof s->folder, "%s", folder);
	folder_title(folder, s->title, sizeof s->title);
	bool made = folder_make(folder, true, f);
	if (made && furnish(s, f))
		return s;
	session_free(s);
	if (made)
		unfurnish(folder);
	return NULL;
}

// ---- an existing one -------------------------------------------------------------------------------------------------

// The journal, its marks, and the settings as they are after all changes of the journal.
static bool adopt(struct session *s, struct journal *j, struct fault *f)
{
	s->journal = *j;
	*j = (struct journal){ 0 };
	for (int i = 0; i < s->journal.entries; i++) {
		struct change c;
		if (!session_mark(s, i))
			return fault_memory(f, s->title);
		if (journal_entry_line(&s->journal, i + 1)->kind == JOURNAL_CHANGE && change_read(s->journal.entry[i].text, &c, NULL)) {
			change_mirror(&c, s->now);
			free(c.item);
		}
	}
	return true;
}

// So many entries are among the first `lines` lines.
static int entries_before(const struct journal *j, int lines)
{
	int n = 0;
	while (n < j->entries && j->line_of[n] < lines)
		n++;
	return n;
}

// The lock decides whether this process may write. Returns the reason why not, NULL where it may.
static const char *take_lock(const char *folder, int *lock, char *why, size_t size)
{
	long owner;
	switch (folder_lock(folder, lock, &owner)) {
	case LOCK_TAKEN:
		return NULL;
	case LOCK_ELSEWHERE:
		if (owner > 0)
			snprintf(why, size, "another bitscape has it (process %ld)", owner);
		else
			snprintf(why, size, "another bitscape has it");
		return why;
	case LOCK_IMPOSSIBLE:
		break;
	}
	char text[64];
	snprintf(why, size, "its folder cannot be written (%s)", strerror_r(errno, text, sizeof text));
	return why;
}

static struct session *open_at(struct restoring *r, int *lock, struct fault *f)
{
	struct session *s = restore_session(r, f);
	if (!s)
		return NULL;
	snprintf(s->folder, sizeof s->folder, "%s", r->folder);
	folder_title(r->folder, s->title, sizeof s->title);
	s->manifest = *r->manifest;
	s->lock = *lock;
	*lock = -1;
	bool ok = adopt(s, &r->journal, f) && (r->why || equip(s, f));
	if (!ok) {
		session_free(s);
		return NULL;
	}
	for (int i = 0; i < r->found->count; i++)
		session_say_fault(s, &r->found->fault[i]);
	if (r->step >= 0) {
		s->saved_step = r->step;
		s->saved_entries = r->lines ? entries_before(&s->journal, r->lines) : 0;
	} else if (r->found->count) {
		session_say(s, "no checkpoint serves: the search begins again from nothing and follows its journal");
	}
	if (r->manifest->unsealed)
		session_say(s, "the manifest was changed by hand: it is taken as it is");
	if (r->why) {
		session_make_read_only(s, r->why);
		session_say(s, "%s is open for reading only: %s", s->title, r->why);
	}
	play_begin(s, r->lines, false);
	return s;
}

struct session *session_open(const char *name, struct fault *f)
{
	char folder[FOLDER_PATH], why_text[128];
	if (!folder_of(name, folder, sizeof folder, f))
		return NULL;
	struct manifest manifest;
	struct config *config = manifest_read(folder, &manifest, f);
	if (!config)
		return NULL;
	int lock;
	const char *why = take_lock(folder, &lock, why_text, sizeof why_text);
	struct restoring r = { .folder = folder, .config = config, .manifest = &manifest, .why = why };
	struct session *s = NULL;
	r.found = calloc(1, sizeof *r.found);
	if (r.found) {
		restore_journal(&r);
		s = open_at(&r, &lock, f);
	} else {
		fault_memory(f, folder);
	}
	journal_free(&r.journal);
	config_free(config);
	free(r.found);
	if (lock >= 0)
		close(lock);
	return s;
}

// ---- closing ---------------------------------------------------------------------------------------------------------

static bool save_last(struct session *s, struct fault *f)
{
	// A session still following its journal has nothing that the journal does not hold.
	if (!s->writer || s->read_only || s->play.on)
		return true;
	engine_pause(s->engine);
	s->news |= session_turn(s);
	bool moving = s->snapshot->run == RUN_RUNNING;
	// What was posted before is carried out before: the state then has it.
	if (!session_settle(s, f))
		return false;
	return (!moving && session_saved(s)) || (session_save(s, false, f) && session_settle(s, f));
}

bool session_close(struct session *s, struct fault *f)
{
	struct fault first;
	bool saved = s->snapshot->run == RUN_FAILED || save_last(s, &first);
	bool written = writer_finish(s->writer, saved ? &first : NULL);
	bool ok = saved && written;
	if (s->writer) {
		s->writer = NULL;
		s->manifest.closed = ok;
		ok = manifest_write(s->folder, s->began, &s->manifest, ok ? &first : NULL) && ok;
	}
	session_free(s);
	if (!ok && f)
		*f = first;
	return ok;
}

// ---- interrupted ones ------------------------------------------------------------------------------------------------------

// Open in a living process?
static bool in_use(const char *folder)
{
	int lock;
	long owner;
	if (!has_file(folder, "lock"))
		return false;
	enum folder_lock state = folder_lock(folder, &lock, &owner);
	if (lock >= 0)
		close(lock);
	return state == LOCK_ELSEWHERE;
}

static bool interrupted(const char *folder)
{
	struct manifest manifest = {.closed = true};
	struct config *config = has_file(folder, MANIFEST_FILE) ? manifest_read(folder, &manifest, NULL) : NULL;
	if (!config)
		return false;
	config_free(config);
	return !manifest.closed && !in_use(folder);
}

bool session_interrupted(char *buf, size_t size)
{
	char home[FOLDER_PATH];
	if (!folder_state_home(home, sizeof home, NULL))
		return false;
	DIR *dir = opendir(home);
	if (!dir)
		return false;
	char newest[256] = "";
	for (struct dirent *d; (d = readdir(dir));) {
		char folder[FOLDER_PATH];
		size_t n = strlen(d->d_name), suffix = strlen(FOLDER_SUFFIX);
		if (n <= suffix || strcmp(d->d_name + n - suffix, FOLDER_SUFFIX) != 0)
			continue;
		// Unnamed sessions are called by their time: the greatest name is the newest.
		if (strcmp(d->d_name, newest) > 0 && folder_file(home, d->d_name, folder, sizeof folder, NULL)
			&& interrupted(folder))
			snprintf(newest, sizeof newest, "%s", d->d_name);
	}
	closedir(dir);
	return newest[0] && folder_file(home, newest, buf, size, NULL);
}

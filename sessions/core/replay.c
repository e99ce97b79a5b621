// SPDX-License-Identifier: GPL-3.0-or-later
// A replay: runs a session's journal again from nothing, in an engine without a folder, and compares every digest on the way.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/store/store.h"
#include "sessions/store/manifest.h"

static const struct journal_line *last_digest(const struct journal *j)
{
	for (int i = j->lines - 1; i >= 0; i--)
		if (journal_digest(&j->line[i]))
			return &j->line[i];
	return NULL;
}

static bool look_at(const struct replay_look *look, struct session *s, struct fault *f)
{
	return !look || look->look(look->context, s, f);
}

// Turns until the journal has been played, saying where it is at every tenth.
static bool play(struct session *s, long last, void (*say)(const char *), const struct replay_look *look, struct fault *f)
{
	char line[128];
	long next = last / 10;
	if (!look_at(look, s, f))
		return false;
	while (s->play.on) {
		const uint64_t version = s->snapshot->version;
		session_turn(s);
		if (s->snapshot->version != version && !look_at(look, s, f))
			return false;
		if (next > 0 && s->snapshot->step >= next && s->snapshot->step < last) {
			snprintf(line, sizeof line, "step %ld of %ld", s->snapshot->step, last);
			say(line);
			next = s->snapshot->step + last / 10;
		}
		struct pollfd fds[SESSION_FDS];
		int timeout = 1000;
		int n = session_fds(s, fds, &timeout);
		if (s->play.on && poll(fds, (nfds_t)n, timeout) < 0 && errno != EINTR)
			return disk_fault(f, s->title, "wait for the engine", errno);
	}
	if (s->play.failed && f)
		*f = s->play.fault;
	return !s->play.failed && look_at(look, s, f);
}

// Sets of kernels that the journal names and this processor does not have.
static void say_lacking(const struct journal *j, const struct manifest *m, const char *name, void (*say)(const char *))
{
	char line[512];
	for (int i = 0; i <= j->lines; i++) {
		const char *kernels = i == 0 ? m->kernels : j->line[i - 1].kind == JOURNAL_KERNELS ? j->line[i - 1].text : NULL;
		if (!kernels || engine_use_kernels(kernels))
			continue;
		snprintf(line, sizeof line,
			"%s was computed by the %s kernels from step %ld on, here are %s: the last bits may differ", name,
			kernels, i ? j->line[i - 1].step : 0, engine_kernels());
		say(line);
	}
	engine_use_kernels(NULL);
}

// A session without a folder in which the journal will be played; takes the journal.
static struct session *stage(const struct config *config, const struct manifest *m, struct journal *j, struct fault *f)
{
	engine_use_kernels(m->kernels);
	struct session *s = session_bare(config, NULL, f);
	engine_use_kernels(NULL);
	if (!s)
		return NULL;
	s->manifest = *m;
	s->journal = *j;
	*j = (struct journal){0};
	return s;
}

bool session_replay(const char *name, void (*say)(const char *), struct fault *f)
{
	return session_replay_shown(name, say, NULL, f);
}

bool session_replay_shown(const char *name, void (*say)(const char *), const struct replay_look *look, struct fault *f)
{
	char folder[FOLDER_PATH], path[FOLDER_PATH], manifest_path[FOLDER_PATH], line[512];
	struct journal journal = {0};
	struct journal_reading reading;
	struct manifest manifest;
	bool elsewhere;
	if (!store_find(name, folder, sizeof folder, &elsewhere, f) || !folder_file(folder, JOURNAL_FILE, path, sizeof path, f) ||
		!folder_file(folder, MANIFEST_FILE, manifest_path, sizeof manifest_path, f))
		return false;
	if (!engine_kernels_check(f))
		return false;
	struct config *config = manifest_read(folder, &manifest, f);
	bool ok = config && journal_load(&journal, path, &reading, f);
	if (ok && reading.broken) {
		ok = false;
		if (f)
			*f = reading.fault;
	}
	if (ok && strcmp(journal.session, manifest.session) != 0)
		ok = fault_set(f, path, "put the right one back", "it is of another session (%s; this one is %s)",
			journal.session, manifest.session);
	const struct journal_line *digest = ok ? last_digest(&journal) : NULL;
	if (ok && !digest)
		ok = fault_set(f, path, "open the session and save it", "it records no digest to compare with");
	if (ok)
		say_lacking(&journal, &manifest, name, say);
	struct session *s = ok ? stage(config, &manifest, &journal, f) : NULL;
	if (ok && !s && f)
		fault_within(f, manifest_path, f);
	if (s) {
		folder_title(folder, s->title, sizeof s->title);
		digest = last_digest(&s->journal);
		play_begin(s, 0, true);
		ok = play(s, s->journal.last_step, say, look, f);
		if (ok) {
			snprintf(line, sizeof line, "%s: %ld steps, %d entries; the digest at step %ld is the one recorded: %s",
				s->title, s->journal.last_step, s->journal.entries, digest->step, journal_digest(digest));
			say(line);
		}
		session_free(s);
	}
	journal_free(&journal);
	config_free(config);
	return s && ok;
}

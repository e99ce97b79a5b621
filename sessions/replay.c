// SPDX-License-Identifier: GPL-3.0-or-later
// A replay: a session's journal run again from nothing, in an engine without a folder, every digest on the way compared.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/inside.h"
#include "sessions/manifest.h"
#include "sessions/store.h"

static const struct journal_line *last_digest(const struct journal *j)
{
	for (int i = j->lines - 1; i >= 0; i--)
		if (j->line[i].kind == JOURNAL_DIGEST)
			return &j->line[i];
	return NULL;
}

// Turns until the journal has been played, saying where it is at every tenth.
static bool play(struct session *s, long last, void (*say)(const char *), struct fault *f)
{
	char line[128];
	long next = last / 10;
	while (s->play.on) {
		session_turn(s);
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
	return !s->play.failed;
}

bool session_replay(const char *name, void (*say)(const char *), struct fault *f)
{
	char folder[FOLDER_PATH], path[FOLDER_PATH], line[512];
	struct journal journal = { 0 };
	struct manifest manifest;
	bool torn, elsewhere;
	off_t length;
	if (!store_find(name, folder, sizeof folder, &elsewhere, f) || !folder_file(folder, JOURNAL_FILE, path, sizeof path, f))
		return false;
	struct config *config = manifest_read(folder, &manifest, f);
	bool ok = config && journal_load(&journal, path, &torn, &length, f);
	const struct journal_line *digest = ok ? last_digest(&journal) : NULL;
	if (ok && !digest)
		ok = fault_set(f, path, "open the session and save it", "it records no digest to compare with");
	if (ok && manifest.kernels[0] && strcmp(manifest.kernels, engine_kernels()) != 0) {
		snprintf(line, sizeof line, "%s was computed by the %s kernels, here are %s: the last bits may differ", name, manifest.kernels,
			engine_kernels());
		say(line);
	}
	struct session *s = ok ? session_bare(config, NULL, f) : NULL;
	if (s) {
		folder_title(folder, s->title, sizeof s->title);
		s->journal = journal;
		journal = (struct journal){ 0 };
		digest = last_digest(&s->journal);
		play_begin(s, 0, 0, true);
		ok = play(s, s->journal.last_step, say, f);
		if (ok) {
			snprintf(line, sizeof line, "%s: %ld steps, %d entries; the digest at step %ld is the one recorded: %s",
				s->title, s->journal.last_step, s->journal.entries, digest->step, digest->text);
			say(line);
		}
		session_free(s);
	}
	journal_free(&journal);
	config_free(config);
	return s && ok;
}

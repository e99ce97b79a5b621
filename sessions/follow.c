// SPDX-License-Identifier: GPL-3.0-or-later
// Following: a session that another process has open is shown as that process saves it. Nothing runs here: a search of our own
// would be another one under the same name. The engine is only made anew at each newer checkpoint.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sessions/inside.h"

static const double FOLLOW_SECONDS = 1;

static off_t journal_size(const struct session *s)
{
	char path[FOLDER_PATH];
	struct stat st;
	return folder_file(s->folder, JOURNAL_FILE, path, sizeof path, NULL) && stat(path, &st) == 0 ? st.st_size : 0;
}

void follow_begin(struct session *s, long owner, long step)
{
	s->follow = (struct follow){ .on = true, .owner = owner, .step = step, .journal = journal_size(s),
		.next = clock_seconds() + FOLLOW_SECONDS };
}

double follow_in(const struct session *s)
{
	double left = s->follow.next - clock_seconds();
	return !s->follow.on ? -1 : left > 0 ? left : 0;
}

// Puts an engine at the state in the place of the one shown.
static bool take_state(struct session *s, const struct state *state)
{
	struct engine *engine = engine_open(s->began, state, NULL);
	struct snapshot *snapshot = engine ? session_first_snapshot(engine, s->title, NULL) : NULL;
	if (!snapshot) {
		engine_close(engine);
		return false;
	}
	session_drop_pending(s);
	costed_free(&s->costed);
	memset(&s->costed, 0, sizeof s->costed);
	snapshot_free(s->snapshot);
	engine_close(s->engine);
	s->engine = engine;
	s->snapshot = snapshot;
	s->info = engine_info(engine);
	s->records = 0; // fetched again from the new engine
	s->digest_step = -1;
	draft_follow(s);
	return true;
}

static void ignore(const struct fault *f, void *context)
{
	// What does not serve now is being written, or the owner's to complain about.
	(void)f, (void)context;
}

// False: what is there cannot be read at this moment.
static bool read_again(struct session *s, long newest)
{
	char path[FOLDER_PATH];
	struct journal journal = { 0 };
	struct checkpoint c = { 0 };
	bool torn;
	off_t length = 0;
	bool ok = folder_file(s->folder, JOURNAL_FILE, path, sizeof path, NULL) && journal_load(&journal, path, &torn, &length, NULL);
	if (ok && newest != s->follow.step) {
		checkpoint_newest(s->folder, journal.entries, false, &c, ignore, NULL);
		if (c.state && c.step != s->follow.step && take_state(s, c.state))
			s->follow.step = c.step;
		if (c.state)
			state_free(c.state);
	}
	ok = ok && session_adopt(s, &journal, NULL);
	journal_free(&journal);
	return ok;
}

static void look_for_owner(struct session *s)
{
	struct follow *w = &s->follow;
	long owner;
	bool there = folder_in_use(s->folder, &owner);
	if (!there && !w->left)
		session_say(s, "process %ld has left %s at step %ld: open it again to go on with it", w->owner, s->title, w->step);
	if (there)
		w->owner = owner;
	w->left = !there;
}

void follow_turn(struct session *s)
{
	struct follow *w = &s->follow;
	if (!w->on || follow_in(s) > 0)
		return;
	long newest = checkpoint_newest_step(s->folder);
	off_t journal = journal_size(s);
	if ((newest >= 0 && newest != w->step) || journal != w->journal) {
		if (read_again(s, newest))
			w->journal = journal;
		s->news |= NEWS_SNAPSHOT | NEWS_JOURNAL | NEWS_STATE;
	}
	look_for_owner(s);
	w->next = clock_seconds() + FOLLOW_SECONDS;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Follows a session that another process has open and shows what that process saves. No search runs here: it would be another
// search under the same name. The engine is only opened again at each newer checkpoint.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sessions/store/checkpoint.h"
#include "sessions/core/inside.h"
#include "sessions/core/restore.h"

static const double FOLLOW_SECONDS = 1;

static off_t journal_size(const struct session *s)
{
	char path[FOLDER_PATH];
	struct stat st;
	return folder_file(s->folder, JOURNAL_FILE, path, sizeof path, NULL) && stat(path, &st) == 0 ? st.st_size : 0;
}

void follow_begin(struct session *s, long owner, long step)
{
	s->follow = (struct follow){
		.on = true, .owner = owner, .step = step, .journal = journal_size(s), .next = clock_seconds() + FOLLOW_SECONDS};
}

double follow_in(const struct session *s)
{
	double left = s->follow.next - clock_seconds();
	return !s->follow.on ? -1 : left > 0 ? left : 0;
}

void session_take_engine(struct session *s, struct session *newer)
{
	struct engine *engine = s->engine;
	struct snapshot *snapshot = s->snapshot;
	session_drop_pending(s);
	costed_free(&s->costed);
	memset(&s->costed, 0, sizeof s->costed);
	s->engine = newer->engine;
	s->snapshot = newer->snapshot;
	s->info = newer->info;
	engine_pace(s->engine, s->pace);
	newer->engine = engine;
	newer->snapshot = snapshot;
	session_forget_history(s); // the new engine has it
	s->digest_step = s->look_step = s->noise_step = -1;
	session_forget_errors(s);
	draft_follow(s);
}

// False: what is there does not fit together at this moment, since the owner is writing. What is wrong for good is the owner's to
// complain about.
static bool read_again(struct session *s, long newest)
{
	struct restoring r = {.folder = s->folder, .config = s->began, .manifest = &s->manifest, .why = s->read_only_why};
	r.found = calloc(1, sizeof *r.found);
	bool ok = r.found && restore_journal(&r);
	struct session *newer = ok && newest != s->follow.step ? restore_session(&r, NULL) : NULL;
	if (newer && r.step >= 0 && r.step != s->follow.step) {
		session_take_engine(s, newer);
		s->follow.step = r.step;
	}
	if (newer)
		session_free(newer);
	ok = ok && session_adopt(s, &r.journal, NULL);
	journal_free(&r.journal);
	free(r.found);
	return ok;
}

static void look_for_owner(struct session *s)
{
	struct follow *w = &s->follow;
	long owner;
	bool there = folder_in_use(s->folder, &owner);
	if (!there && !w->left)
		session_say(s, "process %ld has left %s at step %ld: open it again to go on with it", w->owner, s->title,
			w->step);
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/core/restore.h"

#include <stdlib.h>
#include <string.h>

static void findings_add(struct findings *found, const struct fault *f)
{
	if (found->count < (int)(sizeof found->fault / sizeof *found->fault))
		found->fault[found->count++] = *f;
}

// ---- the journal ---------------------------------------------------------------------------------------------------

// Whole lines that are missing at its end.
static void compare_end(struct restoring *r, const char *path)
{
	struct journal_place was;
	const struct journal_place *is = &r->journal.end;
	struct fault f;
	if (!journal_end_read(r->folder, &was) || journal_at(&r->journal, &was) >= 0)
		return;
	fault_set(&f, path, "take it from a backup, if it should say more",
		"it held %lld bytes when it was written last, now %lld", (long long)was.bytes, (long long)is->bytes);
	findings_add(r->found, &f);
}

bool restore_journal(struct restoring *r)
{
	char path[FOLDER_PATH];
	struct fault f;
	struct journal_reading reading;
	bool ok = folder_file(r->folder, JOURNAL_FILE, path, sizeof path, &f) && journal_load(&r->journal, path, &reading, &f);
	if (ok && strcmp(r->journal.session, r->manifest->session) != 0) {
		ok = fault_set(&f, path, "put the right one back", "it is of another session (%s; this one is %s)",
			r->journal.session, r->manifest->session);
		journal_free(&r->journal);
	}
	r->lost = !ok;
	if (!ok) {
		findings_add(r->found, &f);
		r->why = "its journal cannot be used";
		return false;
	}
	if (reading.broken) {
		findings_add(r->found, &reading.fault);
		r->why = "its journal is not as it was written";
		return true;
	}
	// Another process that has the session may be in the middle of that line.
	if (reading.torn && !r->why) {
		fault_set(&f, path, "the session goes on without it",
			"it ended in half a line (the machine stopped while it was written): left out");
		findings_add(r->found, &f);
	}
	if (!r->why)
		compare_end(r, path);
	return true;
}

// ---- the checkpoints -----------------------------------------------------------------------------------------------

enum unfit { UNFIT_DAMAGED, UNFIT_PLACE, UNFIT_SETTINGS };
static const char *const aside[] = {
	[UNFIT_DAMAGED] = "damaged",
	[UNFIT_PLACE] = "does-not-fit",
	[UNFIT_SETTINGS] = "does-not-fit",
};

static bool unfit(struct fault *f, const char *path, const char *what)
{
	return fault_set(f, path, "the one before it serves", "it does not fit: %s", what);
}

// Whether a checkpoint that says it is of `step` belongs where it was found; *lines of the journal are in it.
static bool fits(const struct restoring *r, const char *path, const struct checkpoint *c, long step, int *lines, struct fault *f)
{
	char what[128];
	*lines = 0;
	if (strcmp(c->session, r->manifest->session) != 0) {
		snprintf(what, sizeof what, "it is of another session (%s; this one is %s)", c->session, r->manifest->session);
		return unfit(f, path, what);
	}
	if (c->step != step) {
		snprintf(what, sizeof what, "it is of step %ld", c->step);
		return unfit(f, path, what);
	}
	if (r->lost)
		return true;
	*lines = journal_at(&r->journal, &c->place);
	if (*lines < 0 && c->place.bytes > r->journal.end.bytes) {
		snprintf(what, sizeof what, "it stands on %lld bytes of the journal, which holds %lld", (long long)c->place.bytes,
			(long long)r->journal.end.bytes);
		return unfit(f, path, what);
	}
	if (*lines < 0)
		return unfit(f, path, "the journal says something else up to there");
	const struct journal_line *last = *lines ? &r->journal.line[*lines - 1] : NULL;
	const char *digest = state_get(c->state, "digest");
	if (!last || last->kind != JOURNAL_DIGEST || last->step != step || !digest || strcmp(last->text, digest) != 0)
		return unfit(f, path, "the journal has another digest there");
	return true;
}

static struct session *open_at(const struct restoring *r, const struct state *state, int lines, struct fault *f)
{
	engine_use_kernels(play_kernels(&r->journal, r->manifest, lines));
	struct session *s = session_bare(r->config, state, f);
	engine_use_kernels(NULL);
	return s;
}

// What the engine finds wrong with the settings lies in the manifest.
static void blame_manifest(const struct restoring *r, struct fault *f)
{
	char path[FOLDER_PATH];
	if (f && folder_file(r->folder, MANIFEST_FILE, path, sizeof path, NULL))
		fault_within(f, path, f);
}

// A file that may be opened.
struct candidate {
	long step;
	char path[FOLDER_PATH];
	enum unfit how; // it is unfit
};

// A session at it, or NULL and how it is unfit. *hopeless: no engine can be opened at all, and *f says why.
static struct session *try(struct restoring *r, struct candidate *one, bool *hopeless, struct fault *f)
{
	struct checkpoint c;
	struct fault inner;
	struct session *s = NULL;
	int lines = 0;
	if (!checkpoint_read(one->path, &c, &inner)) {
		one->how = UNFIT_DAMAGED;
	} else if (!fits(r, one->path, &c, one->step, &lines, &inner)) {
		one->how = UNFIT_PLACE;
	} else if ((s = open_at(r, c.state, lines, &inner))) {
		r->step = one->step;
		r->lines = lines;
	} else {
		// Is it this checkpoint, or would none do?
		struct session *probe = open_at(r, NULL, 0, f);
		*hopeless = !probe;
		one->how = UNFIT_SETTINGS;
		if (probe) {
			session_free(probe);
			snprintf(inner.todo, sizeof inner.todo, "the one before it serves");
			fault_within(&inner, one->path, &inner);
		}
	}
	state_free(c.state);
	if (!s && !*hopeless)
		findings_add(r->found, &inner);
	return s;
}

// Out of the way, lest it count as the newest for ever; kept, since a person may want to look at it.
static void set_aside(const struct candidate *one, int count)
{
	for (int i = 0; i < count; i++) {
		char name[FOLDER_PATH + 16];
		snprintf(name, sizeof name, "%s.%s", one[i].path, aside[one[i].how]);
		rename(one[i].path, name);
	}
}

static int by_newest(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return (x->step < y->step) - (x->step > y->step);
}

// All that may serve, the newest first. NULL: out of memory.
static struct candidate *candidates(const struct restoring *r, int *count)
{
	int present, left = 0;
	long *steps = checkpoint_list(r->folder, &present);
	struct checkpoint_left *other = r->most ? checkpoint_list_left(r->folder, &left) : NULL;
	struct candidate *list = calloc((size_t)present + (size_t)left + 1, sizeof *list);
	*count = 0;
	for (int i = 0; list && i < present; i++)
		if ((!r->most || steps[i] <= r->most) && checkpoint_path(r->folder, steps[i], list[*count].path, FOLDER_PATH))
			list[(*count)++].step = steps[i];
	for (int i = 0; list && i < left; i++)
		if (other[i].step <= r->most && checkpoint_left_path(r->folder, &other[i], list[*count].path, FOLDER_PATH))
			list[(*count)++].step = other[i].step;
	if (list)
		qsort(list, (size_t)*count, sizeof *list, by_newest);
	free(steps);
	free(other);
	return list;
}

struct session *restore_session(struct restoring *r, struct fault *f)
{
	int count, tried = 0;
	if (!r->why && !r->lost)
		checkpoint_sort(r->folder, &r->journal);
	struct candidate *list = candidates(r, &count);
	struct session *s = NULL;
	bool hopeless = !list && !fault_memory(f, r->folder), settings = false;
	r->step = -1;
	r->lines = 0;
	hopeless |= !engine_kernels_check(f);
	for (; !hopeless && !s && tried < count; tried++) {
		s = try(r, &list[tried], &hopeless, f);
		settings |= !s && list[tried].how == UNFIT_SETTINGS;
	}
	int passed_over = s ? tried - 1 : tried;
	if (!s && !hopeless) {
		hopeless = !(s = open_at(r, NULL, 0, f));
		if (s && settings && !r->why)
			r->why = "its checkpoints do not fit its settings";
	}
	if (hopeless && engine_kernels_check(NULL))
		blame_manifest(r, f);
	if (s && !r->why)
		set_aside(list, passed_over);
	free(list);
	return s;
}

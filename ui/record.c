// SPDX-License-Identifier: GPL-3.0-or-later
// Recordings of the screen: of the workbench in hand, frame by frame as it is shown; of a session's journal, which is played again
// for it; and of a tour, which goes on by itself. The clock of a recording is that of the wall, or follows the steps at a pace.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "ui/cast.h"
#include "ui/stage.h"

static const double LINE_SECONDS = 1.5; // that a change, or a line of a script, stays to be read
static const double END_SECONDS = 3;    // that the last frame stays
static const double FRAME = 0.1;        // seconds of the recording between two frames of news
enum { LONG = 60 };                     // seconds that a recording takes where no pace is asked for
static const double TOUR_PACE = 40;     // steps a second of a tour, likewise

static double now_of(struct recording *r, long step)
{
	if (!(r->pace > 0))
		return clock_seconds() - r->begun;
	if (step > r->step)
		r->at += (double)(step - r->step) / r->pace;
	r->step = step;
	return r->at;
}

bool record_begin(struct workbench *w, const char *file, double pace, struct fault *f)
{
	struct recording *r = &w->recording;
	char title[ENGINE_TEXT + 16];
	if (r->cast)
		return fault_set(f, file, "`record stop` ends it", "%s is being recorded", cast_file(r->cast));
	snprintf(title, sizeof title, "bitscape: %s", engine_info(session_engine(w->session))->net);
	struct cast *cast = cast_begin(file, w->screen.width, w->screen.height, title, f);
	if (!cast)
		return false;
	*r = (struct recording){.cast = cast, .pace = pace, .begun = clock_seconds(), .step = session_snapshot(w->session)->step};
	return true;
}

bool record_end(struct workbench *w, struct fault *f)
{
	struct recording *r = &w->recording;
	if (!r->cast)
		return fault_set(f, "record", "`record FILE.cast` begins one", "nothing is being recorded");
	struct cast *cast = r->cast;
	const double last = r->pace > 0 ? r->at + END_SECONDS : clock_seconds() - r->begun;
	r->cast = NULL;
	return cast_end(cast, last, f);
}

void record_frame(struct workbench *w)
{
	struct recording *r = &w->recording;
	struct fault why, f;
	char line[sizeof why + 16];
	if (!r->cast || cast_frame(r->cast, &w->screen, w->theme, now_of(r, session_snapshot(w->session)->step), &why))
		return;
	if (record_end(w, &f))
		workbench_say(w, true, "%s", fault_line(&why, line, sizeof line));
	else
		workbench_say(w, true, "%s", fault_line(&f, line, sizeof line));
}

void record_pause(struct workbench *w, double seconds)
{
	w->recording.at += seconds;
}

double record_since(struct workbench *w)
{
	return now_of(&w->recording, session_snapshot(w->session)->step) - w->recording.shown;
}

// ---- from a journal ------------------------------------------------------------------------------------------------

struct playing {
	struct stage stage;
	const char *file;
	int width, height;
	double pace;
	int told; // entries of the journal that were shown
	double shown;
	bool begun;
};

// Changes are said as they come, and stay to be read. Returns whether there was one.
static bool tell_changes(struct playing *p, struct session *s)
{
	const struct journal_entry *entry;
	const int entries = session_journal(s, &entry);
	const int before = p->told;
	while (p->told < entries && entry[p->told].step <= session_snapshot(s)->step) {
		workbench_say(&p->stage.w, false, "step %ld: %s", entry[p->told].step, entry[p->told].text);
		p->told++;
	}
	return p->told > before;
}

// A frame that could not be written has ended it; the screen's message says why.
static bool goes_on(const struct workbench *w, const char *place, struct fault *f)
{
	return w->recording.cast || fault_set(f, place, "a faster pace makes it shorter", "%s", w->message);
}

static bool look(void *context, struct session *s, struct fault *f)
{
	struct playing *p = context;
	struct workbench *w = &p->stage.w;
	if (!p->begun) {
		const struct journal_entry *entry;
		const int entries = session_journal(s, &entry);
		long last = session_snapshot(s)->horizon;
		if (entries > 0 && entry[entries - 1].step > last)
			last = entry[entries - 1].step;
		if (!stage_begin(&p->stage, s, p->width, p->height, f))
			return false;
		p->begun = true;
		if (!record_begin(w, p->file, p->pace > 0 ? p->pace : fmax(1, (double)last / LONG), f))
			return false;
	}
	const bool changed = tell_changes(p, s);
	const double at = now_of(&w->recording, session_snapshot(s)->step);
	if (!changed && at < p->shown + FRAME && at > 0)
		return true;
	p->shown = at;
	stage_draw(&p->stage);
	if (changed)
		record_pause(w, LINE_SECONDS);
	return goes_on(w, p->file, f);
}

// Ends a recording that was made without a screen, and tells what it holds; one that failed is dropped.
static bool settle(struct workbench *w, bool ok, const char *file, struct string *told, struct fault *f)
{
	struct recording *r = &w->recording;
	if (ok) {
		string_add(told, "%s: %ld frames, %.0f s, %dx%d", file, cast_frames(r->cast), r->at + END_SECONDS,
			w->screen.width, w->screen.height);
		return record_end(w, f);
	}
	if (r->cast)
		cast_drop(r->cast);
	r->cast = NULL;
	return false;
}

static void say_nothing(const char *line)
{
	(void)line;
}

bool record_session(const char *name, const char *file, int width, int height, double pace, struct string *told, struct fault *f)
{
	struct playing *p = calloc(1, sizeof *p);
	struct fault failed;
	if (!p)
		return fault_memory(f, "recording");
	*p = (struct playing){.file = file, .width = width, .height = height, .pace = pace};
	const struct replay_look shown = {look, p};
	bool ok = settle(&p->stage.w, session_replay_shown(name, say_nothing, &shown, f), file, told, f);
	if (p->begun)
		stage_end(&p->stage, &failed);
	free(p);
	return ok;
}

// ---- from a tour ---------------------------------------------------------------------------------------------------

static const double ACT_SECONDS =
	1; // of the wall, that an act has to bring about what its page waits for, before it is done again
enum { TRIES = 20, SETTINGS = 64 };

struct touring {
	struct stage stage;
	double entered; // when the tour was last sent on, by the wall
	int tries;      // since the page showed something new
};

// One turn of what the loop does, and a frame where there is something new. A page's time passes by the recording's clock alone.
static bool tour_turn(struct touring *t, const char *name, struct fault *f)
{
	struct workbench *w = &t->stage.w;
	struct pollfd fds[SESSION_FDS];
	int timeout = (int)(1000 * FRAME);
	if (!w->tour_ms)
		poll(fds, (nfds_t)session_fds(w->session, fds, &timeout), timeout < 0 ? (int)(1000 * FRAME) : timeout);
	session_turn(w->session);
	workbench_messages(w);
	workbench_turn(w);
	const bool changed = lesson_turn(w);
	if (changed || record_since(w) >= FRAME)
		stage_draw(&t->stage);
	if (changed)
		t->tries = 0;
	if (w->tour_ms && (!t->tries || clock_seconds() > t->entered + ACT_SECONDS)) {
		record_pause(w, w->tour_ms / 1000.0);
		w->tour_ms = 0;
		t->entered = clock_seconds();
		workbench_command(w, "tour");
		if (++t->tries == TRIES)
			return fault_set(f, name, "see what its page waits for",
				"an act of it does not bring about what it should");
	}
	return goes_on(w, name, f);
}

static bool record_stage(struct touring *t, const char *path, const char *file, double pace, struct string *told, struct fault *f)
{
	struct workbench *w = &t->stage.w;
	w->tour_auto = true;
	bool ok = record_begin(w, file, pace > 0 ? pace : TOUR_PACE, f) && tour_begin(w, path, f);
	while (ok && w->lesson)
		ok = tour_turn(t, path, f);
	stage_draw(&t->stage);
	return settle(w, ok && goes_on(w, path, f), file, told, f);
}

bool record_tour(const char *name, const char *file, int width, int height, double pace, struct string *told, struct fault *f)
{
	char path[DISK_PATH], *setting[SETTINGS];
	if (!tour_find(name, path, sizeof path, f))
		return false;
	if (!lesson_is(path))
		return fault_set(f, path, "`bitscape --tour NAME` prints it", "is a text, and drives no screen");
	const int count = lesson_settings(path, setting, SETTINGS, f);
	struct session *s = count >= 0 ? session_made(NULL, (const char *const *)setting, count, f) : NULL;
	for (int i = 0; i < count; i++)
		free(setting[i]);
	struct touring *t = s ? calloc(1, sizeof *t) : NULL;
	struct fault lost;
	bool ok = t && stage_begin(&t->stage, s, width, height, f) && record_stage(t, path, file, pace, told, f);
	if (s && !t)
		fault_memory(f, name);
	if (t)
		stage_end(&t->stage, &lost);
	if (s && !session_close(s, &lost) && ok) {
		*f = lost;
		ok = false;
	}
	free(t);
	return ok;
}

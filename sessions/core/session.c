// SPDX-License-Identifier: GPL-3.0-or-later
// A session in use: its turn, its messages, what it shows.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sessions/core/inside.h"
#include "sessions/store/changes.h"

// ---- what it holds -------------------------------------------------------------------------------------------------

struct engine *session_engine(struct session *s)
{
	return s->engine;
}

const char *session_name(const struct session *s)
{
	return s->title;
}

const char *session_folder(const struct session *s)
{
	return s->folder;
}

const char *session_asks(const struct session *s)
{
	return s->info->command[0] && !s->allowed && !s->read_only ? s->info->command : NULL;
}

void session_allow(struct session *s)
{
	s->allowed = true;
	play_allow(s);
}

bool session_read_only(const struct session *s)
{
	return s->read_only;
}

const struct snapshot *session_snapshot(const struct session *s)
{
	return s->snapshot;
}

int session_journal(const struct session *s, const struct journal_entry **entries)
{
	*entries = s->journal.entry;
	return s->journal.entries;
}

const struct config *session_began(const struct session *s)
{
	return s->began;
}

void session_each_setting(const struct session *s, void (*each)(const char *name, const char *value, void *context),
	void *context)
{
	for (int i = 0; i < s->journal.lines; i++) {
		struct change c = {0};
		if (s->journal.line[i].kind != JOURNAL_CHANGE || !change_read(s->journal.line[i].text, &c, NULL))
			continue;
		for (int k = 0; c.kind == CHANGE_SET && k < c.items; k++)
			each(c.item[k].name, c.item[k].value, context);
		free(c.item);
	}
}

const uint8_t *session_draft(const struct session *s)
{
	return s->draft;
}

void session_forget_history(struct session *s)
{
	s->records = s->shown.seen = s->shown.records = 0;
}

static bool room_for_shown(struct session *s, long records)
{
	if (records < s->shown.room)
		return true;
	long room = records * 2 + 64;
	struct record *record = realloc(s->shown.record, (size_t)room * sizeof *record);
	if (record)
		s->shown.record = record;
	uint8_t *modal = realloc(s->shown.modal, (size_t)room * (size_t)s->info->slots + 1);
	if (modal)
		s->shown.modal = modal;
	if (!record || !modal)
		return false;
	s->shown.room = room;
	return true;
}

// Gathers the records of the lane in focus. False: all are its own, or there is no memory to part them in.
static bool show_lane(struct session *s)
{
	size_t slots = (size_t)s->info->slots;
	int lane = s->snapshot->focus;
	if (!s->records || (s->one_lane && s->record[0].lane == lane))
		return false;
	if (s->shown.lane != lane)
		s->shown.seen = s->shown.records = 0;
	s->shown.lane = lane;
	long mine = s->shown.records;
	for (long i = s->shown.seen; i < s->records; i++)
		mine += s->record[i].lane == lane;
	if (!room_for_shown(s, mine))
		return false;
	for (long i = s->shown.seen; i < s->records; i++)
		if (s->record[i].lane == lane) {
			s->shown.record[s->shown.records] = s->record[i];
			memcpy(s->shown.modal + (size_t)s->shown.records++ * slots, s->modal + (size_t)i * slots, slots);
		}
	s->shown.seen = s->records;
	return true;
}

static const struct policy_row *shown_policy(void *session, int slot, int *rows)
{
	struct session *s = session;
	int mine = 0;
	if (!s->policy && !(s->policy = calloc(ENGINE_POLICY_ROWS, sizeof *s->policy)))
		return NULL;
	*rows = engine_policy(s->engine, slot, ENGINE_POLICY_ROWS, s->policy);
	for (int i = 0; i < *rows; i++)
		if (s->policy[i].lane == s->snapshot->focus)
			s->policy[mine++] = s->policy[i];
	*rows = mine;
	return mine ? s->policy : NULL;
}

void session_source(struct session *s, struct figure_source *source)
{
	int term = snapshot_term(s->snapshot, 0);
	bool others = show_lane(s);
	const struct trained_alone *alone;
	const int alones = alone_all(s, &alone);
	*source = (struct figure_source){
		.snapshot = s->snapshot,
		.record = others ? s->shown.record : s->record,
		.records = others ? s->shown.records : s->records,
		.modal = others ? s->shown.modal : s->modal,
		.mark = s->mark,
		.marks = s->marks,
		.term = term,
		.slice = s->looked_at,
		.alones = alones,
		.alone = alone,
		.roofline = session_roofline,
		.measured = session_measured,
		.policy = shown_policy,
		.happenings = session_happenings,
		.errors = s->errors.noise ? &s->errors : NULL,
		.session = s,
	};
}

void session_look_at(struct session *s, const struct slice_question *slice)
{
	s->looked_at = slice;
}

static bool plot_now(void *session, struct figure_source *source, struct fault *f)
{
	(void)f;
	session_source(session, source);
	return true;
}

static bool plot_source(void *session, struct figure_source *source, struct fault *f)
{
	(void)f;
	struct session *s = session;
	session_source(s, source);
	// Pictures come back in the order of the requests. A refused one ends a batch run, so none is requested after it.
	if (s->script)
		s->plot_line[s->plots_asked++ % PLOTS_ASKED] = s->script->line;
	return true;
}

static void plot_say(void *session, const char *text)
{
	session_say(session, "%s", text);
}

static const char *plot_folder(void *session)
{
	const struct session *s = session;
	return s->folder[0] && !s->read_only ? s->folder : ".";
}

struct command_group session_plot_group(struct session *s)
{
	s->plot = (struct plot_context){.plotter = s->plotter,
		.now = plot_now,
		.source = plot_source,
		.folder = plot_folder,
		.look = session_look_for,
		.say = plot_say,
		.session = s};
	struct command_group group = {.title = "Figures", .context = &s->plot};
	group.rows = plots_commands(&group.count);
	return group;
}

// ---- messages ------------------------------------------------------------------------------------------------------

static void add_message(struct session *s, bool bad, const char *format, va_list args)
{
	if (s->messages == MESSAGES) {
		s->first_message = (s->first_message + 1) % MESSAGES;
		s->messages--;
	}
	struct message *m = &s->message[(s->first_message + s->messages++) % MESSAGES];
	m->bad = bad;
	vsnprintf(m->text, sizeof m->text, format, args);
	s->news |= NEWS_MESSAGE;
}

void session_say(struct session *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_message(s, false, format, args);
	va_end(args);
}

__attribute__((format(printf, 2, 3))) static void say_bad(struct session *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_message(s, true, format, args);
	va_end(args);
}

void session_say_fault(struct session *s, const struct fault *f)
{
	char line[sizeof *f + 8];
	say_bad(s, "%s", fault_line(f, line, sizeof line));
}

const char *session_message(struct session *s, bool *bad)
{
	if (!s->messages)
		return NULL;
	const struct message *m = &s->message[s->first_message];
	s->first_message = (s->first_message + 1) % MESSAGES;
	s->messages--;
	*bad = m->bad;
	return m->text;
}

// ---- the journal ---------------------------------------------------------------------------------------------------

// A change that was taken back at its own step, and what took it back: no step was made under it.
static bool left_no_trace(const struct journal *j, int entry)
{
	const struct journal_line *line = journal_entry_line(j, entry + 1);
	if (line->act == ACT_UNDO)
		return j->entry[line->of - 1].step == j->entry[entry].step;
	for (int n = j->entries; n > entry + 1 && j->entry[entry].undone; n--) {
		line = journal_entry_line(j, n);
		if (line->act == ACT_UNDO && line->of == entry + 1)
			return j->entry[n - 1].step == j->entry[entry].step;
	}
	return false;
}

bool session_mark(struct session *s, int entry)
{
	const struct journal_entry *e = &s->journal.entry[entry];
	if (left_no_trace(&s->journal, entry))
		return true;
	if (journal_entry_line(&s->journal, entry + 1)->kind != JOURNAL_CHANGE)
		return true; // a note changes nothing
	if (s->marks == s->mark_room) {
		int room = s->mark_room ? s->mark_room * 2 : 64;
		struct mark *mark = realloc(s->mark, (size_t)room * sizeof *mark);
		if (!mark)
			return false;
		s->mark = mark;
		s->mark_room = room;
	}
	struct mark *m = &s->mark[s->marks++];
	m->step = e->step;
	snprintf(m->text, sizeof m->text, "%s", e->text);
	return true;
}

bool session_mark_all(struct session *s)
{
	bool ok = true;
	s->marks = 0;
	for (int i = 0; ok && i < s->journal.entries; i++)
		ok = session_mark(s, i);
	return ok;
}

bool session_log(struct session *s, const struct journal_line *line, struct fault *f)
{
	struct string text = {0};
	int entries = s->journal.entries;
	if (!journal_add(&s->journal, line, &text, f)) {
		string_free(&text);
		return false;
	}
	bool ok = true;
	if (line->kind == JOURNAL_REWIND || line->act == ACT_UNDO) {
		ok = session_mark_all(s) || fault_memory(f, "journal");
		s->news |= NEWS_JOURNAL;
	} else if (s->journal.entries > entries) {
		ok = session_mark(s, entries) || fault_memory(f, "journal");
		s->news |= NEWS_JOURNAL;
	}
	if (s->writer && (text.failed || !writer_append(s->writer, text.bytes, text.length))) {
		// No line may follow one that is missing.
		session_make_read_only(s, "memory ran out for its journal");
		ok = fault_memory(f, "journal");
	}
	string_free(&text);
	return ok;
}

int session_unwritten(const struct session *s)
{
	int n = 0;
	while (s->writer && n < s->journal.entries &&
		journal_entry_line(&s->journal, s->journal.entries - n)->end.bytes > s->written.durable)
		n++;
	return n;
}

void session_acknowledge(struct session *s, const char *format, ...)
{
	va_list args;
	char text[MESSAGE_TEXT];
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct acknowledgement *a = s->writer ? malloc(sizeof *a + strlen(text) + 1) : NULL;
	if (!a) {
		session_say(s, "%s", text);
		return;
	}
	*a = (struct acknowledgement){.end = s->journal.end.bytes};
	memcpy(a->text, text, strlen(text) + 1);
	if (!s->waiting)
		s->last_waiting = &s->waiting;
	*s->last_waiting = a;
	s->last_waiting = &a->next;
}

void session_drop_waiting(struct session *s)
{
	while (s->waiting) {
		struct acknowledgement *a = s->waiting;
		s->waiting = a->next;
		free(a);
	}
}

// Says what has become safe, and that changes are stopped where nothing does.
static void take_durable(struct session *s)
{
	struct writer_state now;
	writer_look(s->writer, &now);
	if (now.durable != s->written.durable)
		s->news |= NEWS_STATE;
	if (now.failing && !s->written.failing) {
		s->written = now;
		int n = session_unwritten(s);
		session_say_fault(s, &now.fault);
		session_say(s,
			"changes are stopped until the journal can be written (%d wait%s); the search goes on, and `save` tries again",
			n, n == 1 ? "s" : "");
		s->retried_at = clock_seconds();
		s->news |= NEWS_STATE;
	}
	bool again = s->written.failing && !now.failing;
	s->written = now;
	while (s->waiting && s->waiting->end <= now.durable) {
		struct acknowledgement *a = s->waiting;
		session_say(s, "%s", a->text);
		s->waiting = a->next;
		free(a);
	}
	if (again)
		session_say(s, "the journal is written again: changes may be made");
}

// ---- history -------------------------------------------------------------------------------------------------------

static bool room_for_history(struct session *s, long more)
{
	if (s->record_room - s->records >= more)
		return true;
	long room = s->record_room ? s->record_room * 2 : 1024;
	struct record *record = realloc(s->record, (size_t)room * sizeof *record);
	if (record)
		s->record = record;
	uint8_t *modal = realloc(s->modal, (size_t)room * (size_t)s->info->slots + 1);
	if (modal)
		s->modal = modal;
	if (!record || !modal)
		return false;
	s->record_room = room;
	return true;
}

static void fetch_history(struct session *s)
{
	enum { PART = 512 };
	for (long got = PART; got == PART && room_for_history(s, PART);) {
		got = engine_history(s->engine, s->records, PART, s->record + s->records, s->modal + s->records * s->info->slots);
		for (long i = s->records; i < s->records + got; i++)
			s->one_lane = i == 0 || (s->one_lane && s->record[i].lane == s->record[0].lane);
		s->records += got;
	}
}

// ---- the turn ------------------------------------------------------------------------------------------------------

static bool running(const struct session *s)
{
	return s->snapshot->run == RUN_RUNNING;
}

void session_fetch(struct session *s)
{
	enum engine_run before = s->snapshot->run;
	long halts = s->snapshot->halts, ended = s->snapshot->polish.ended;
	if (!engine_snapshot(s->engine, s->snapshot))
		return;
	s->news |= NEWS_SNAPSHOT;
	draft_follow(s);
	if (s->snapshot->polish.ended != ended && !s->play.on)
		session_say(s, "%s", s->snapshot->polish.says);
	if (s->snapshot->run == before && s->snapshot->halts == halts)
		return;
	s->news |= NEWS_STATE;
	if (s->snapshot->run >= RUN_HALTED && !s->play.on)
		session_say_fault(s, &s->snapshot->fault);
}

static void take_written(struct session *s)
{
	struct writer_result r;
	if (s->writer)
		take_durable(s);
	while (s->writer && writer_result(s->writer, &r)) {
		s->news |= NEWS_STATE;
		s->save_failed = !r.saved;
		if (!r.saved) {
			s->saved_step = -1;
			if (!s->written.failing || r.asked) // else said already
				session_say_fault(s, &r.fault);
		} else if (r.asked) {
			session_say(s, "step %ld: saved in %s", r.step, s->folder);
		}
	}
}

static void take_pictures(struct session *s)
{
	char file[FOLDER_PATH];
	bool ok;
	struct fault f;
	plotter_turn(s->plotter);
	while (plotter_done(s->plotter, file, sizeof file, &ok, &f)) {
		long line = s->plots_done < s->plots_asked ? s->plot_line[s->plots_done++ % PLOTS_ASKED] : 0;
		if (ok) {
			session_say(s, "wrote %s", file);
			continue;
		}
		if (s->script)
			script_place_at(s->script, line, &f);
		s->plots_failed++;
		session_say_fault(s, &f);
	}
}

// Among the parts of the horizon that a checkpoint is kept of each.
static long part_of(const struct snapshot *now, long step)
{
	return step > 0 && now->horizon > 0 ? (long)((double)step * CHECKPOINTS_KEPT / (double)now->horizon) : 0;
}

// Seconds until the next autosave is due; negative: none is.
static double autosave_in(const struct session *s)
{
	if (!s->writer || s->saving || s->play.on || s->snapshot->run == RUN_FAILED || session_saved(s) ||
		(s->travel.phase && !s->travel.name[0]))
		return -1;
	if (s->snapshot->step == 0 && !s->journal.entries)
		return -1; // the manifest says all of it
	double now = clock_seconds(), left = s->saved_at + AUTOSAVE_SECONDS - now;
	long since = s->snapshot->step - (s->saved_step > 0 ? s->saved_step : 0);
	if (!s->save_failed && since > s->snapshot->step / AUTOSAVE_PART)
		left = s->saved_at + AUTOSAVE_LEAST - now;
	if (!s->save_failed && part_of(s->snapshot, s->snapshot->step) > part_of(s->snapshot, s->saved_step))
		left = fmin(left, s->saved_at + AUTOSAVE_LEAST - now);
	// A finished search is worth keeping at once; a save that failed is tried again from time to time.
	if (left < 0 || (s->snapshot->run == RUN_FINISHED && !s->save_failed))
		return 0;
	return running(s) || s->save_failed ? left : -1;
}

// Seconds until a journal that cannot be written is tried again; negative: it can be.
static double retry_in(const struct session *s)
{
	if (!s->writer || !s->written.failing)
		return -1;
	double left = s->retried_at + RETRY_SECONDS - clock_seconds();
	return left < 0 ? 0 : left;
}

static void autosave(struct session *s)
{
	struct fault f;
	if (retry_in(s) == 0) {
		s->retried_at = clock_seconds();
		writer_retry(s->writer);
	}
	if (autosave_in(s) == 0 && !session_save(s, false, &f)) {
		s->saved_at = clock_seconds(); // try again later, not in every turn
		session_say_fault(s, &f);
	}
}

unsigned session_turn(struct session *s)
{
	engine_news(s->engine);
	// The snapshot last: it then knows of every change that was told.
	session_take_replies(s);
	session_fetch(s);
	fetch_history(s);
	play_turn(s);
	take_written(s);
	autosave(s);
	follow_turn(s);
	travel_turn(s);
	measuring_turn(s);
	alone_turn(s);
	compare_turn(s);
	take_pictures(s);
	unsigned news = s->news;
	s->news = NEWS_NONE;
	return news;
}

int session_fds(const struct session *s, struct pollfd *fds, int *timeout_ms)
{
	int n = 0;
	fds[n++] = (struct pollfd){.fd = engine_fd(s->engine), .events = POLLIN};
	if (s->writer)
		fds[n++] = (struct pollfd){.fd = writer_fd(s->writer), .events = POLLIN};
	if (s->news)
		*timeout_ms = 0; // said by a command since the last turn
	const double due[] = {autosave_in(s), retry_in(s), follow_in(s)};
	for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
		int ms = (int)(due[i] * 1000) + 1;
		if (due[i] >= 0 && (*timeout_ms < 0 || ms < *timeout_ms))
			*timeout_ms = ms;
	}
	n += travel_fds(s, fds + n, timeout_ms);
	n += measuring_fds(s, fds + n);
	n += alone_fds(s, fds + n);
	n += compare_fds(s, fds + n);
	return n + plotter_fds(s->plotter, fds + n, timeout_ms);
}

bool session_await_replies(struct session *s, struct fault *f)
{
	while (s->pending) {
		struct pollfd fds[SESSION_FDS];
		int timeout = 1000;
		if (s->snapshot->run == RUN_FAILED)
			return fault_set(f, s->snapshot->fault.where, s->snapshot->fault.todo, "%s", s->snapshot->fault.what);
		int n = session_fds(s, fds, &timeout);
		if (poll(fds, (nfds_t)n, timeout) < 0 && errno != EINTR)
			return disk_fault(f, "session", "wait for the engine", errno);
		s->news |= session_turn(s);
	}
	return true;
}

bool session_flush(struct session *s, struct fault *f)
{
	while (s->writer && writer_busy(s->writer)) {
		struct pollfd news = {.fd = writer_fd(s->writer), .events = POLLIN};
		if (poll(&news, 1, 1000) < 0 && errno != EINTR)
			return disk_fault(f, s->folder, "wait for the disk", errno);
		s->news |= session_turn(s);
	}
	if (s->written.failing && f)
		*f = s->written.fault;
	return !s->written.failing && (!s->save_failed || fault_set(f, s->folder, "`save` tries again", "the last save failed"));
}

// ---- shared by the commands ----------------------------------------------------------------------------------------

const struct lane_state *session_lane(const struct snapshot *now, int number)
{
	for (int i = 0; i < now->lanes; i++)
		if (now->lane[i].number == number)
			return &now->lane[i];
	return NULL;
}

int session_term(const struct session *s, const char *name)
{
	for (int i = 0; i < s->snapshot->terms; i++)
		if (strcmp(s->snapshot->term[i].name, name) == 0)
			return i;
	return -1;
}

void session_modal(const struct session *s, uint8_t *choice)
{
	for (int i = 0; i < s->snapshot->slots; i++)
		choice[i] = s->snapshot->slot[i].modal;
}

void session_result(const struct session *s, uint8_t *choice)
{
	for (int i = 0; i < s->snapshot->slots; i++)
		choice[i] = s->snapshot->slot[i].result;
}

int slot_option(const struct slot_info *d, const char *format)
{
	for (int o = 0; o < d->options; o++)
		if (strcmp(d->option[o].name, format) == 0)
			return o;
	return -1;
}

bool session_tell_costs(const struct session *s, struct string *t, const uint8_t *choice, const uint8_t *than)
{
	double cost[ENGINE_TERMS], other[ENGINE_TERMS];
	if (!engine_price(s->engine, choice, cost, 0, NULL) || (than && !engine_price(s->engine, than, other, 0, NULL)))
		return false;
	for (int i = 0; i < s->snapshot->terms; i++) {
		const struct term_state *term = &s->snapshot->term[i];
		char number[ENGINE_TEXT];
		if (term->why[0])
			continue;
		string_add(t, "%s%s %s", i ? ", " : "", term->name, number_write(cost[i], term->brief, number, sizeof number));
		if (than && other[i] > 0)
			string_add(t, " (%+.1f %%)", 100 * (cost[i] / other[i] - 1));
	}
	return !t->failed;
}

// ---- what commands say ---------------------------------------------------------------------------------------------

bool say_all(struct command_call *call, struct string *t)
{
	bool ok = !t->failed;
	if (ok && t->length && t->bytes[t->length - 1] == '\n')
		t->bytes[--t->length] = '\0';
	if (ok)
		call->say(call, "%s", t->bytes ? t->bytes : "");
	else
		fault_memory(&call->fault, "the answer");
	string_free(t);
	return ok;
}

void session_tell_targets(struct session *s, struct string *t, const struct change *change)
{
	struct snapshot *now = change->kind == CHANGE_TARGET ? snapshot_new() : NULL;
	const char *before = " (";
	char number[ENGINE_TEXT * 2];
	if (now)
		engine_snapshot(s->engine, now); // the session's own may be from before the change
	const struct lane_state *lane = now ? session_lane(now, change->lane ? change->lane : 1) : NULL;
	for (int i = 0; lane && i < change->items; i++)
		for (int k = 0; k < now->terms; k++)
			if (lane->target[k] > 0 && strcmp(now->term[k].name, change->item[i].name) == 0) {
				string_add(t, "%s%s", before,
					number_write(lane->target[k], now->term[k].unit, number, sizeof number));
				before = ", ";
			}
	if (before[0] == ',')
		string_add(t, ")");
	snapshot_free(now);
}

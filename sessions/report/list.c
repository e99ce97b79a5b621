// SPDX-License-Identifier: GPL-3.0-or-later
// Describes sessions: their result in a line, the list of all, and the one used last.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sessions/core/inside.h"
#include "sessions/report/report.h"
#include "sessions/store/store.h"

// ---- one session ---------------------------------------------------------------------------------------------------

void session_summary(const struct session *s, struct summary *out)
{
	const struct snapshot *now = s->snapshot;
	const struct front_point *point = snapshot_result(now, true);
	*out = (struct summary){.step = now->step,
		.horizon = now->horizon,
		.entries = s->journal.entries,
		.estimated = now->estimated[0] != '\0'};
	snprintf(out->net, sizeof out->net, "%s", s->info->net);
	snprintf(out->data, sizeof out->data, "%s", s->info->data);
	if (point) {
		out->scored = true;
		out->quality = point->accuracy;
	} else if (!now->idle && now->step > now->warmup && isfinite(now->quality)) {
		out->scored = out->sampled = true;
		out->quality = now->quality;
		out->quality_is_loss = now->quality_is_loss;
	}
	for (int i = now->terms - 1; i >= 0; i--) {
		const struct term_state *term = &now->term[i];
		if (!(term->weight > 0) || !isfinite(term->result))
			continue;
		snprintf(out->term, sizeof out->term, "%s", term->name);
		snprintf(out->unit, sizeof out->unit, "%s", term->unit ? term->unit : "");
		out->cost = term->result;
		out->target = term->targeted ? term->target : 0;
	}
}

void session_shell_word(const struct session *s, char *buf, size_t size)
{
	struct string word = {0};
	if (s->folder[0])
		store_shell_word(s->folder, &word);
	snprintf(buf, size, "%s", word.bytes ? word.bytes : "");
	string_free(&word);
}

bool session_same(const struct session *a, const struct session *b)
{
	struct stat x, y;
	return stat(a->folder, &x) == 0 && stat(b->folder, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void session_farewell(const struct session *s, long kept, struct string *out)
{
	struct summary now;
	char result[512];
	session_summary(s, &now);
	summary_result(&now, result, sizeof result);
	string_add(out, "%s: step %ld of %ld%s%s\n", s->title, now.step, now.horizon, result[0] ? "; " : "", result);
	if (!s->folder[0])
		return;
	if (kept < 0) {
		string_add(out, "what was not saved before is lost: its folder is no longer at %s\n", s->folder);
		return;
	}
	if (kept < now.step)
		string_add(out, "what came after step %ld was not saved, and is lost\n", kept);
	if (alone_farewell(s, out))
		string_add(out, "\n");
	string_add(out, "`bitscape ");
	store_shell_word(s->folder, out);
	string_add(out,
		s->follow.on || s->read_only                        ? "` shows it again\n"
			: now.step < now.horizon || kept < now.step ? "` goes on with it\n"
								    : "` opens it again\n");
}

// ---- all of them -----------------------------------------------------------------------------------------------------

static const char *ago(time_t when, time_t now, char *buf, size_t size)
{
	long seconds = (long)(now - when);
	struct tm local;
	if (seconds < 60)
		snprintf(buf, size, "just now");
	else if (seconds < 3600)
		snprintf(buf, size, "%ld min ago", seconds / 60);
	else if (seconds < 24 * 3600)
		snprintf(buf, size, "%ld h ago", seconds / 3600);
	else if (!localtime_r(&when, &local) || !strftime(buf, size, "%Y-%m-%d", &local))
		snprintf(buf, size, "-");
	return buf;
}

// What matters least comes last: a narrow screen cuts it.
enum { COLUMN_NAME, COLUMN_WHEN, COLUMN_STATE, COLUMN_STEP, COLUMN_QUALITY, COLUMN_COST, COLUMN_NET, COLUMN_DATA, COLUMNS };
static const struct column {
	const char *head;
	int most; // characters; longer texts lose their beginning
} column[COLUMNS] = {
	[COLUMN_NAME] = {"session", 48},
	[COLUMN_NET] = {"network", 20},
	[COLUMN_DATA] = {"data", 12},
	[COLUMN_STEP] = {"step", 17},
	[COLUMN_QUALITY] = {"quality", 12},
	[COLUMN_COST] = {"cost", 24},
	[COLUMN_WHEN] = {"used", 10},
	[COLUMN_STATE] = {"", 16},
};
enum { CELL = FOLDER_PATH };

static void write_quality(const struct summary *s, char *buf, size_t size)
{
	const char *about = s->estimated ? "?" : s->sampled ? "~" : "";
	if (!s->scored)
		snprintf(buf, size, "-");
	else if (s->quality_is_loss)
		snprintf(buf, size, "%sloss %.3f", about, -s->quality);
	else
		snprintf(buf, size, "%s%.1f %%", about, 100 * s->quality);
}

static void write_cost(const struct summary *s, char *buf, size_t size)
{
	char number[ENGINE_TEXT];
	if (!s->term[0]) {
		snprintf(buf, size, "-");
		return;
	}
	if (s->target > 0)
		snprintf(buf, size, "%s %.2fx", s->term, s->cost / s->target);
	else
		snprintf(buf, size, "%s %s", s->term, summary_cost(s, s->cost, number, sizeof number));
}

static void write_state(const struct store_entry *e, char *buf, size_t size)
{
	static const char *const words[] = {
		[STORE_CLOSED] = "",
		[STORE_CRASHED] = "crashed",
		[STORE_OPEN] = "open",
		[STORE_DAMAGED] = "cannot be read",
		[STORE_HALF_MADE] = "never begun",
	};
	if (e->state == STORE_OPEN && e->owner > 0)
		snprintf(buf, size, "open (%ld)", e->owner);
	else
		snprintf(buf, size, "%s", words[e->state]);
}

static void write_row(const struct store_entry *e, time_t now, char cell[COLUMNS][CELL])
{
	const struct summary *s = &e->summary;
	snprintf(cell[COLUMN_NAME], CELL, "%s", e->word);
	snprintf(cell[COLUMN_NET], CELL, "%s", s->net[0] ? s->net : "-");
	snprintf(cell[COLUMN_DATA], CELL, "%s", s->data[0] ? s->data : "-");
	if (e->known)
		snprintf(cell[COLUMN_STEP], CELL, "%ld/%ld", s->step, s->horizon);
	else
		snprintf(cell[COLUMN_STEP], CELL, e->step < 0 ? "-" : "%ld", e->step);
	write_quality(s, cell[COLUMN_QUALITY], CELL);
	write_cost(s, cell[COLUMN_COST], CELL);
	ago(e->when, now, cell[COLUMN_WHEN], CELL);
	write_state(e, cell[COLUMN_STATE], CELL);
	for (int c = 0; c < COLUMNS; c++)
		text_clean(cell[c], "");
}

// Characters, not bytes: of UTF-8, those bytes that begin one.
static int characters(const char *text)
{
	int n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

// The end of a text tells more of a path than its beginning does.
static void add_cell(struct string *out, const char *text, int width, bool last)
{
	int n = characters(text);
	if (n > width) {
		for (int drop = n - width + 2; drop > 0; text++)
			drop -= ((unsigned char)text[1] & 0xc0) != 0x80;
		string_add(out, "..");
		n = width;
	}
	string_add(out, "%s%*s", text, last ? 0 : width - n + 2, "");
}

static bool table(const struct store *store, struct string *out)
{
	int width[COLUMNS] = {0}, rows = store->count + 1;
	time_t now = time(NULL);
	char(*cell)[COLUMNS][CELL] = calloc((size_t)rows, sizeof *cell);
	if (!cell)
		return false;
	for (int r = 0; r < rows; r++) {
		for (int c = 0; r == 0 && c < COLUMNS; c++)
			snprintf(cell[0][c], CELL, "%s", column[c].head);
		if (r > 0)
			write_row(&store->entry[r - 1], now, cell[r]);
		for (int c = 0; c < COLUMNS; c++) {
			int n = characters(cell[r][c]);
			width[c] = n > width[c] ? n : width[c];
		}
	}
	for (int c = 0; c < COLUMNS; c++)
		if (width[c] > column[c].most)
			width[c] = column[c].most;
	for (int r = 0; r < rows; r++) {
		for (int c = 0; c < COLUMNS; c++)
			if (width[c]) // all cells of a column may be empty
				add_cell(out, cell[r][c], width[c], c == COLUMNS - 1);
		string_add(out, "\n");
	}
	free(cell);
	return true;
}

// What the signs in the table say.
static void add_legend(const struct store *store, struct string *out)
{
	bool estimated = false, sampled = false, targeted = false;
	if (!store->count)
		string_add(out, "there are no sessions yet: `bitscape` or `bitscape new NAME` begins one\n");
	for (int i = 0; i < store->count; i++) {
		const struct summary *s = &store->entry[i].summary;
		estimated |= s->scored && s->estimated;
		sampled |= s->scored && s->sampled && !s->estimated;
		targeted |= s->term[0] && s->target > 0;
	}
	if (targeted)
		string_add(out, "cost: 1.05x is 1.05 times the target\n");
	if (sampled)
		string_add(out, "~ mean of the choices sampled lately\n");
	if (estimated)
		string_add(out, "? estimated from a table, not measured\n");
}

bool sessions_list(struct string *out, struct fault *f)
{
	struct store store;
	if (!store_read(&store, f))
		return false;
	bool ok = store.count == 0 || table(&store, out) || fault_memory(f, "sessions");
	add_legend(&store, out);
	store_free(&store);
	return ok && (!out->failed || fault_memory(f, "sessions"));
}

bool sessions_tidy(bool really, struct string *out, struct fault *f)
{
	return store_tidy(really, out, f);
}

void sessions_each(void (*each)(const char *word, void *context), void *context)
{
	struct store store;
	if (!store_read(&store, NULL))
		return;
	for (int i = 0; i < store.count; i++)
		if (store.entry[i].state != STORE_HALF_MADE)
			each(store.entry[i].word, context);
	store_free(&store);
}

bool session_last(char *word, size_t size, char *about, size_t about_size)
{
	struct store store;
	char when[32];
	bool found = false;
	if (!store_read(&store, NULL))
		return false;
	for (int i = 0; i < store.count && !found; i++) {
		const struct store_entry *e = &store.entry[i];
		if ((e->state != STORE_CLOSED && e->state != STORE_CRASHED) || !store_begun(e))
			continue;
		found = (size_t)snprintf(word, size, "%s", e->word) < size;
		const char *crashed = e->state == STORE_CRASHED ? ", ended by a crash" : "";
		ago(e->when, time(NULL), when, sizeof when);
		if (e->known)
			snprintf(about, about_size, "step %ld of %ld, %s%s", e->summary.step, e->summary.horizon, when, crashed);
		else
			snprintf(about, about_size, "%s%s", when, crashed);
	}
	store_free(&store);
	return found;
}

// As a table whose rows open their sessions. False: nothing is shown, and the fault says why.
static bool show_sessions(struct command_call *call)
{
	struct report_column heads[COLUMNS];
	struct report r;
	struct store store;
	char cell[COLUMNS][CELL];
	if (!store_read(&store, &call->fault))
		return false;
	for (int c = 0; c < COLUMNS; c++)
		heads[c] = (struct report_column){column[c].head, true};
	report_begin(&r, heads, COLUMNS);
	r.pick = "open";
	for (int i = 0; i < store.count; i++) {
		write_row(&store.entry[i], time(NULL), cell);
		for (int c = 0; c < COLUMNS; c++)
			report_cell(&r, "%s", cell[c]);
	}
	add_legend(&store, &r.below);
	store_free(&store);
	return report_end(&r, call, NULL, true);
}

bool run_sessions(struct command_call *call)
{
	struct string out = {0};
	bool tidy = call->argc > 0 && strcmp(call->argv[0], "tidy") == 0,
	     now = call->argc > 1 && strcmp(call->argv[1], "now") == 0;
	if ((call->argc > 0 && !tidy) || (call->argc > 1 && !now))
		return fault_set(&call->fault, "sessions", "sessions, sessions tidy, sessions tidy now",
			"'%s' is not one of its words", call->argv[tidy ? 1 : 0]);
	if (!tidy && call->show)
		return show_sessions(call);
	bool ok = tidy ? sessions_tidy(now, &out, &call->fault) : sessions_list(&out, &call->fault);
	if (!ok) {
		string_free(&out);
		return false;
	}
	if (!out.length)
		string_add(&out, "there is nothing to tidy");
	return say_all(call, &out);
}

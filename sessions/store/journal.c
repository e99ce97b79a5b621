// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/journal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sessions/store/changes.h"
#include "sessions/store/folder.h"

void journal_free(struct journal *j)
{
	for (int i = 0; i < j->alls; i++) {
		free(j->all[i].text);
		free(j->all[i].back);
	}
	free(j->all);
	free(j->branch);
	free(j->line);
	free(j->entry);
	free(j->line_of);
	*j = (struct journal){0};
}

// ---- writing -------------------------------------------------------------------------------------------------------

#define SUM_MARK " #="
enum { SUM_TEXT = sizeof SUM_MARK - 1 + 8 };

void journal_advance(struct journal_place *at, const char *bytes, size_t size)
{
	at->sum = crc32_z(at->bytes ? at->sum : crc32(0, NULL, 0), (const unsigned char *)bytes, size);
	at->bytes += (off_t)size;
}

// Lines that are no commands: "# WORD STEP TEXT…".
static const struct record_form {
	enum journal_kind kind;
	const char *word;
	int words; // of the text; 0: any number, which others read
	const char *expected;
} records[] = {
	{JOURNAL_DIGEST, "digest", 1, "expected '# digest STEP HEX'"},
	{JOURNAL_KERNELS, "kernels", 1, "expected '# kernels STEP NAME'"},
	{JOURNAL_PARENT, "parent", 2, "expected '# parent STEP SESSION DIGEST'"},
	{JOURNAL_ANSWER, "answer", 0, "expected '# answer STEP WORDS'"},
	{JOURNAL_REWIND, "rewind", 2, "expected '# rewind STEP BRANCH DIGEST'"},
	{JOURNAL_FORETOLD, "foretold", 0, "expected '# foretold STEP WORDS'"},
};
enum { RECORDS = sizeof records / sizeof *records };

static void write_line(struct string *t, const struct journal_line *line)
{
	for (int i = 0; i < RECORDS; i++)
		if (records[i].kind == line->kind) {
			string_add(t, "# %s %ld %s", records[i].word, line->step, line->text);
			return;
		}
	string_add(t, "%ld %s", line->step, line->text);
	if (line->act != ACT_DO || line->back)
		string_add(t, " #");
	if (line->act != ACT_DO)
		string_add(t, " %s %d", line->act == ACT_UNDO ? "undo" : "redo", line->of);
	if (line->back)
		string_add(t, " back %s", line->back);
}

// ---- keeping -------------------------------------------------------------------------------------------------------

// Room for one line more, in the file and in force.
static bool make_room(struct journal *j)
{
	if (j->alls < j->room)
		return true;
	size_t room = j->room ? (size_t)j->room * 2 : 64;
	struct journal_line *all = realloc(j->all, room * sizeof *all);
	if (all)
		j->all = all;
	struct journal_line *line = realloc(j->line, room * sizeof *line);
	if (line)
		j->line = line;
	struct journal_entry *entry = realloc(j->entry, room * sizeof *entry);
	if (entry)
		j->entry = entry;
	int *line_of = realloc(j->line_of, room * sizeof *line_of);
	if (line_of)
		j->line_of = line_of;
	if (!all || !line || !entry || !line_of)
		return false;
	j->room = (int)room;
	return true;
}

const struct journal_line *journal_entry_line(const struct journal *j, int entry)
{
	return &j->line[j->line_of[entry - 1]];
}

// Undo and redo work on a stack: the last original change that stands is undone first, the last one undone is redone
// first, and doing something else buries what was undone.
static bool can_take(const struct journal_line *line)
{
	return line->kind == JOURNAL_CHANGE && line->act == ACT_DO && line->back;
}

int journal_undoable(const struct journal *j)
{
	for (int n = j->entries; n > 0; n--)
		if (can_take(journal_entry_line(j, n)) && !j->entry[n - 1].undone && !journal_entry_line(j, n)->passed)
			return n;
	return 0;
}

void journal_pass_over(struct journal *j, int entry)
{
	j->line[j->line_of[entry - 1]].passed = true;
}

int journal_redoable(const struct journal *j)
{
	int found = 0;
	for (int n = j->entries; n > 0; n--) {
		const struct journal_line *line = journal_entry_line(j, n);
		if (!can_take(line))
			continue;
		if (!j->entry[n - 1].undone)
			break;
		if (!line->buried)
			found = n;
	}
	return found;
}

// The branch that a rewind line names; 0: there is none.
static int branch_named(const struct journal *j, const char *text)
{
	char word[16];
	long branch;
	snprintf(word, sizeof word, "%.*s", (int)strcspn(text, " "), text);
	return number_read_long(word, 1, j->branches, &branch) ? (int)branch : 0;
}

static bool check(const struct journal *j, const struct journal_line *line, struct fault *f)
{
	if (line->kind == JOURNAL_PARENT)
		return !j->alls || fault_set(f, "", "", "a parent is named in the first line only");
	if (line->kind == JOURNAL_REWIND)
		return branch_named(j, line->text) || fault_set(f, "", "", "there is no such branch to go back on");
	if (line->kind != JOURNAL_NOTE && line->step < j->last_step)
		return fault_set(f, "", "", "step %ld comes after step %ld", line->step, j->last_step);
	if (line->act != ACT_DO) {
		bool undo = line->act == ACT_UNDO;
		if (line->of < 1 || line->of > j->entries || !can_take(journal_entry_line(j, line->of)) ||
			j->entry[line->of - 1].undone == undo)
			return fault_set(f, "", "", "there is no entry %d to %s", line->of, undo ? "undo" : "redo");
	}
	return true;
}

// Puts a line in force; there is room.
static void enforce(struct journal *j, const struct journal_line *line)
{
	struct journal_line *new = &j->line[j->lines];
	*new = *line;
	bool entry = line->kind == JOURNAL_CHANGE || line->kind == JOURNAL_NOTE;
	new->buried = new->passed = false;
	new->entry = entry ? j->entries + 1 : 0;
	if (line->kind == JOURNAL_CHANGE && line->act == ACT_DO) {
		for (int n = 1; n <= j->entries; n++)
			if (j->entry[n - 1].undone)
				j->line[j->line_of[n - 1]].buried = true;
	} else if (line->act != ACT_DO) {
		j->entry[line->of - 1].undone = line->act == ACT_UNDO;
	}
	if (entry) {
		j->entry[j->entries] = (struct journal_entry){.step = new->step, .text = new->text};
		j->line_of[j->entries++] = j->lines;
	}
	j->lines++;
	if (line->kind != JOURNAL_NOTE && line->kind != JOURNAL_PARENT)
		j->last_step = line->step;
}

// ---- the tree ------------------------------------------------------------------------------------------------------

// How many of these lines come before anything that was changed at this step.
static int cut(const struct journal_line *const *line, int lines, long step)
{
	int n = 0;
	while (n < lines &&
		(line[n]->kind == JOURNAL_PARENT || line[n]->step < step ||
			(line[n]->step == step && line[n]->kind != JOURNAL_CHANGE && line[n]->kind != JOURNAL_NOTE)))
		n++;
	return n;
}

// Gathers the lines that lead to a step of a branch into line[], which has room for all; returns how many there are.
static int gather(const struct journal *j, int branch, long step, const struct journal_line **line)
{
	if (branch > j->branches) // nothing was written yet
		return 0;
	const struct journal_branch *b = &j->branch[branch - 1];
	int n = b->of ? gather(j, b->of, b->step, line) : 0;
	for (int i = 0; i < j->alls; i++)
		if (j->all[i].branch == branch)
			line[n++] = &j->all[i];
	return cut(line, n, step);
}

static bool add_branch(struct journal *j, int of, long step)
{
	struct journal_branch *branch = realloc(j->branch, (size_t)(j->branches + 1) * sizeof *branch);
	if (!branch)
		return false;
	j->branch = branch;
	j->branch[j->branches++] = (struct journal_branch){.of = of, .step = step, .reached = step};
	return true;
}

// From here on the lines in force are those that lead there, and the branch is a new one.
static bool go_back(struct journal *j, int of, long step)
{
	const struct journal_line **line = calloc((size_t)j->alls + 1, sizeof *line);
	int n = line ? gather(j, of, step, line) : 0;
	bool ok = line && add_branch(j, of, step);
	if (ok) {
		j->lines = j->entries = 0;
		j->last_step = 0;
	}
	for (int i = 0; ok && i < n; i++) // fewer than all: there is room
		enforce(j, line[i]);
	free(line);
	return ok;
}

bool journal_path(const struct journal *j, int branch, long step, struct journal *path)
{
	const struct journal_line **line = calloc((size_t)j->alls + 1, sizeof *line);
	int n = line ? gather(j, branch, step, line) : 0;
	bool ok = line != NULL;
	journal_begin(path, j->session, NULL);
	ok = ok && add_branch(path, 0, 0);
	path->start = j->start;
	for (int i = 0; ok && i < n; i++) {
		struct journal_line *copy;
		ok = make_room(path);
		if (!ok)
			break;
		copy = &path->all[path->alls++];
		*copy = *line[i];
		copy->branch = 1;
		copy->text = strdup(line[i]->text);
		copy->back = line[i]->back ? strdup(line[i]->back) : NULL;
		ok = copy->text && (copy->back || !line[i]->back);
		if (ok)
			enforce(path, copy);
		path->end = copy->end;
	}
	free(line);
	if (!ok)
		journal_free(path);
	return ok;
}

int journal_branch_at(const struct journal *j, const struct journal_place *place)
{
	for (int i = 0; i < j->alls; i++)
		if (j->all[i].end.bytes == place->bytes && j->all[i].end.sum == place->sum)
			return j->all[i].branch;
	return 0;
}

bool journal_only_says(enum journal_kind kind)
{
	return kind == JOURNAL_NOTE || kind == JOURNAL_PARENT || kind == JOURNAL_ANSWER || kind == JOURNAL_FORETOLD;
}

const char *journal_digest(const struct journal_line *line)
{
	if (line->kind == JOURNAL_DIGEST)
		return line->text;
	return line->kind == JOURNAL_REWIND ? strrchr(line->text, ' ') + 1 : NULL;
}

// ---- adding --------------------------------------------------------------------------------------------------------

// Takes a line whose bytes in the file are these.
static bool add(struct journal *j, const struct journal_line *line, const char *bytes, size_t size, struct fault *f)
{
	struct journal_line new = *line;
	new.text = strdup(line->text);
	new.back = line->back ? strdup(line->back) : NULL;
	bool ok = new.text && (new.back || !line->back) && make_room(j) && (j->branches || add_branch(j, 0, 0)) &&
		(line->kind != JOURNAL_REWIND || go_back(j, branch_named(j, line->text), line->step));
	if (!ok) {
		free(new.text);
		free(new.back);
		return fault_memory(f, "journal");
	}
	journal_advance(&j->end, bytes, size);
	new.end = j->end;
	new.branch = j->branches;
	j->all[j->alls++] = new;
	enforce(j, &new);
	if (line->kind != JOURNAL_NOTE && line->kind != JOURNAL_PARENT)
		j->branch[j->branches - 1].reached = line->step;
	return true;
}

bool journal_add(struct journal *j, const struct journal_line *line, struct string *text, struct fault *f)
{
	struct string t = {0};
	if (!check(j, line, f))
		return false;
	write_line(&t, line);
	if (!t.failed) {
		struct journal_place at = j->end;
		journal_advance(&at, t.bytes, t.length);
		string_add(&t, SUM_MARK "%08lx\n", at.sum);
	}
	bool ok = t.failed ? fault_memory(f, "journal") : add(j, line, t.bytes, t.length, f);
	if (ok && text)
		string_bytes(text, t.bytes, t.length);
	string_free(&t);
	return ok;
}

void journal_begin(struct journal *j, const char *session, struct string *text)
{
	char line[sizeof JOURNAL_TITLE + IDENTITY_TEXT + 16];
	*j = (struct journal){0};
	snprintf(j->session, sizeof j->session, "%s", session);
	int n = snprintf(line, sizeof line, JOURNAL_TITLE " %d %s\n", JOURNAL_VERSION, j->session);
	journal_advance(&j->start, line, (size_t)n);
	j->end = j->start;
	if (text)
		string_bytes(text, line, (size_t)n);
}

enum { END_TEXT = 40 };

bool journal_end_write(int fd, const struct journal_place *end)
{
	char text[END_TEXT + 1];
	int n = snprintf(text, sizeof text, "%lld %08lx\n", (long long)end->bytes, end->sum);
	return pwrite(fd, text, (size_t)n, 0) == n && ftruncate(fd, n) == 0;
}

bool journal_end_read(const char *folder, struct journal_place *end)
{
	char path[FOLDER_PATH];
	size_t size;
	char *text = folder_file(folder, JOURNAL_END_FILE, path, sizeof path, NULL) ? disk_read(path, END_TEXT, &size, NULL)
										    : NULL;
	long long bytes;
	char newline;
	bool ok = text && sscanf(text, "%18lld %8lx%c", &bytes, &end->sum, &newline) == 3 && newline == '\n';
	if (ok)
		end->bytes = (off_t)bytes;
	free(text);
	return ok;
}

int journal_at(const struct journal *j, const struct journal_place *place)
{
	if (place->bytes == j->start.bytes && place->sum == j->start.sum)
		return 0;
	for (int i = 0; i < j->lines; i++)
		if (j->line[i].end.bytes == place->bytes && j->line[i].end.sum == place->sum)
			return i + 1;
	return -1;
}

const char *journal_kernels(const struct journal *j, int lines)
{
	while (lines > 0 && j->line[lines - 1].kind != JOURNAL_KERNELS)
		lines--;
	return lines ? j->line[lines - 1].text : NULL;
}

unsigned long journal_crc(const struct journal *j)
{
	unsigned long crc = crc32(0, NULL, 0);
	for (int i = 0; i < j->entries; i++) {
		char step[32];
		int n = snprintf(step, sizeof step, "%ld ", j->entry[i].step);
		crc = crc32(crc, (const unsigned char *)step, (unsigned)n);
		crc = crc32_z(crc, (const unsigned char *)j->entry[i].text, strlen(j->entry[i].text) + 1);
	}
	return crc;
}

// ---- text ----------------------------------------------------------------------------------------------------------

static char *trimmed(const char *from, const char *to)
{
	while (from < to && from[0] == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	return strndup(from, (size_t)(to - from));
}

static bool read_command(const char *text, struct fault *f)
{
	struct change c;
	bool ok = change_read(text, &c, f);
	free(c.item);
	return ok;
}

static bool good_record(const struct record_form *form, const struct words *w, struct journal_line *line)
{
	if ((form->words ? w->count != 2 + form->words : w->count < 3) || !number_read_long(w->word[1], 0, LONG_MAX, &line->step))
		return false;
	const char *last = w->word[w->count - 1];
	if (!form->words)
		return true;
	if (form->kind == JOURNAL_KERNELS)
		return strlen(last) < ENGINE_NAME;
	long branch;
	return strspn(last, "0123456789abcdef") == strlen(last) && strlen(last) < JOURNAL_DIGEST_TEXT &&
		(form->kind != JOURNAL_PARENT || identity_good(w->word[2])) &&
		(form->kind != JOURNAL_REWIND || number_read_long(w->word[2], 1, INT_MAX, &branch));
}

static bool read_record(const char *text, struct journal_line *line, struct fault *f)
{
	struct words w;
	if (!words_split(&w, text + 1, f))
		return false;
	const struct record_form *form = NULL;
	for (int i = 0; i < RECORDS && w.count; i++)
		if (strcmp(w.word[0], records[i].word) == 0)
			form = &records[i];
	struct string t = {0};
	bool ok = form && good_record(form, &w, line);
	if (!form)
		fault_set(f, "", "", "expected digest, kernels, parent, answer, rewind or foretold behind the #");
	else if (!ok)
		fault_set(f, "", "", "%s", form->expected);
	for (int i = 2; ok && i < w.count; i++)
		string_add(&t, "%s%s", i > 2 ? " " : "", w.word[i]);
	if (ok) {
		line->kind = form->kind;
		line->text = t.bytes;
		ok = !t.failed || fault_memory(f, "journal");
	}
	words_free(&w);
	return ok;
}

static bool read_annotation(const char *text, struct journal_line *line, struct fault *f)
{
	static const char expected[] = "expected 'undo N', 'redo N' or 'back COMMAND' behind the #";
	char word[8], number[16];
	int length = 0;
	if (sscanf(text, " %7s %15s%n", word, number, &length) == 2 && strcmp(word, "back") != 0) {
		long of;
		line->act = strcmp(word, "undo") == 0 ? ACT_UNDO : ACT_REDO;
		if ((line->act == ACT_REDO && strcmp(word, "redo") != 0) || !number_read_long(number, 1, INT_MAX, &of))
			return fault_set(f, "", "", "%s", expected);
		line->of = (int)of;
		text += length;
	}
	text += strspn(text, " ");
	if (!*text && line->act != ACT_DO)
		return true;
	if (strncmp(text, "back ", 5) != 0)
		return fault_set(f, "", "", "%s", expected);
	line->back = trimmed(text + 5, text + strlen(text));
	if (!line->back)
		return fault_memory(f, "journal");
	return read_command(line->back, f);
}

static bool read_entry(const char *text, struct journal_line *line, struct fault *f)
{
	struct words w;
	if (!words_split(&w, text, f))
		return false;
	bool ok = true;
	if (w.count < 2 || !number_read_long(w.word[0], 0, LONG_MAX, &line->step)) {
		ok = fault_set(f, "", "", "expected 'STEP COMMAND'");
	} else {
		const char *end = w.comment ? w.comment - 1 : text + strlen(text);
		const char *start = text + strspn(text, " ");
		start += strcspn(start, " ");
		line->text = trimmed(start, end);
		line->kind = strcmp(w.word[1], "note") == 0 ? JOURNAL_NOTE : JOURNAL_CHANGE;
		if (!line->text)
			ok = fault_memory(f, "journal");
		else if (line->kind == JOURNAL_CHANGE)
			ok = read_command(line->text, f) && (!w.comment || read_annotation(w.comment, line, f));
	}
	words_free(&w);
	return ok;
}

bool journal_read(const char *text, struct journal_line *line, struct fault *f)
{
	*line = (struct journal_line){0};
	bool ok = text[0] == '#' ? read_record(text, line, f) : read_entry(text, line, f);
	if (!ok) {
		free(line->text);
		free(line->back);
		*line = (struct journal_line){0};
	}
	return ok;
}

// ---- loading -------------------------------------------------------------------------------------------------------

// A line with its newline, which is replaced.
static bool load_line(struct journal *j, char *bytes, size_t size, struct fault *f)
{
	struct journal_line line;
	struct journal_place at = j->end;
	char sum[SUM_TEXT + 1];
	if (size <= SUM_TEXT || memcmp(bytes + size - 1 - SUM_TEXT, SUM_MARK, sizeof SUM_MARK - 1) != 0)
		return fault_set(f, "", "", "the line has no sum at its end: it is not as bitscape wrote it");
	size_t length = size - 1 - SUM_TEXT;
	journal_advance(&at, bytes, length);
	snprintf(sum, sizeof sum, SUM_MARK "%08lx", at.sum);
	if (memcmp(bytes + length, sum, SUM_TEXT) != 0)
		return fault_set(f, "", "", "its sum does not fit: this line, or one before it, is not as it was written");
	if (memchr(bytes, '\0', length))
		return fault_set(f, "", "", "the line holds a zero byte");
	bytes[length] = '\0';
	bool ok = journal_read(bytes, &line, f) && check(j, &line, f);
	bytes[length] = SUM_MARK[0];
	ok = ok && add(j, &line, bytes, size, f);
	free(line.text);
	free(line.back);
	return ok;
}

// The first line; the number of its bytes, 0: a fault.
static size_t load_title(struct journal *j, const char *path, const char *bytes, size_t size, struct fault *f)
{
	const char *newline = memchr(bytes, '\n', size);
	char line[sizeof JOURNAL_TITLE + IDENTITY_TEXT + 16], session[IDENTITY_TEXT], extra[2];
	int version = 0, n;
	snprintf(line, sizeof line, "%.*s", newline ? (int)(newline - bytes < INT_MAX ? newline - bytes : INT_MAX) : 0, bytes);
	n = sscanf(line, JOURNAL_TITLE " %6d %16s %1s", &version, session, extra);
	if (n >= 1 && version != JOURNAL_VERSION)
		fault_set(f, path, "open it with that one", "it was made by %s bitscape (version %d; this one reads %d)",
			version < JOURNAL_VERSION ? "an older" : "a newer", version, JOURNAL_VERSION);
	else if (n != 2 || !identity_good(session))
		fault_set(f, path, "take it from a backup", "expected '" JOURNAL_TITLE " %d SESSION' in line 1", JOURNAL_VERSION);
	else {
		journal_begin(j, session, NULL);
		if (j->start.bytes == newline + 1 - bytes)
			return (size_t)j->start.bytes;
		fault_set(f, path, "take it from a backup", "line 1 is not as it was written");
	}
	return 0;
}

bool journal_load(struct journal *j, const char *path, struct journal_reading *r, struct fault *f)
{
	size_t size = 0;
	*j = (struct journal){0};
	*r = (struct journal_reading){0};
	char *bytes = disk_read(path, JOURNAL_BYTES, &size, f);
	size_t at = bytes ? load_title(j, path, bytes, size, f) : 0;
	bool ok = at > 0;
	for (int number = 2; ok && !r->broken && at < size; number++) {
		char *newline = memchr(bytes + at, '\n', size - at);
		r->torn = !newline;
		if (r->torn)
			break;
		struct fault inner;
		size_t length = (size_t)(newline + 1 - bytes) - at;
		r->broken = !load_line(j, bytes + at, length, &inner);
		if (r->broken) {
			char where[FOLDER_PATH + 32];
			snprintf(where, sizeof where, "%s:%d", path, number);
			if (!inner.todo[0])
				snprintf(inner.todo, sizeof inner.todo, "take the journal from a backup");
			fault_within(&r->fault, where, &inner);
		}
		at += length;
	}
	free(bytes);
	return ok;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/journal.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sessions/changes.h"
#include "sessions/folder.h"

void journal_free(struct journal *j)
{
	for (int i = 0; i < j->lines; i++) {
		free(j->line[i].text);
		free(j->line[i].back);
	}
	free(j->line);
	free(j->entry);
	free(j->line_of);
	*j = (struct journal){ 0 };
}

// ---- keeping -------------------------------------------------------------------------------------------------------

static bool make_room(struct journal *j)
{
	if (j->lines == j->line_room) {
		int room = j->line_room ? j->line_room * 2 : 64;
		struct journal_line *line = realloc(j->line, (size_t)room * sizeof *line);
		if (!line)
			return false;
		j->line = line;
		j->line_room = room;
	}
	if (j->entries == j->entry_room) {
		int room = j->entry_room ? j->entry_room * 2 : 64;
		struct journal_entry *entry = realloc(j->entry, (size_t)room * sizeof *entry);
		if (entry)
			j->entry = entry;
		int *line_of = realloc(j->line_of, (size_t)room * sizeof *line_of);
		if (line_of)
			j->line_of = line_of;
		if (!entry || !line_of)
			return false;
		j->entry_room = room;
	}
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
		if (can_take(journal_entry_line(j, n)) && !j->entry[n - 1].undone)
			return n;
	return 0;
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

static bool check(const struct journal *j, const struct journal_line *line, struct fault *f)
{
	if (line->kind != JOURNAL_NOTE && line->step < j->last_step)
		return fault_set(f, "", "", "step %ld comes after step %ld", line->step, j->last_step);
	if (line->act != ACT_DO) {
		bool undo = line->act == ACT_UNDO;
		if (line->of < 1 || line->of > j->entries || !can_take(journal_entry_line(j, line->of))
			|| j->entry[line->of - 1].undone == undo)
			return fault_set(f, "", "", "there is no entry %d to %s", line->of, undo ? "undo" : "redo");
	}
	return true;
}

bool journal_add(struct journal *j, const struct journal_line *line, struct fault *f)
{
	if (!check(j, line, f))
		return false;
	struct journal_line new = *line;
	new.text = strdup(line->text);
	new.back = line->back ? strdup(line->back) : NULL;
	if (!new.text || (line->back && !new.back) || !make_room(j)) {
		free(new.text);
		free(new.back);
		return fault_memory(f, "journal");
	}
	new.buried = false;
	new.entry = line->kind == JOURNAL_DIGEST ? 0 : j->entries + 1;
	if (line->kind == JOURNAL_CHANGE && line->act == ACT_DO) {
		for (int n = 1; n <= j->entries; n++)
			if (j->entry[n - 1].undone)
				j->line[j->line_of[n - 1]].buried = true;
	} else if (line->act != ACT_DO) {
		j->entry[line->of - 1].undone = line->act == ACT_UNDO;
	}
	if (new.entry) {
		j->entry[j->entries] = (struct journal_entry){ .step = new.step, .text = new.text };
		j->line_of[j->entries++] = j->lines;
	}
	j->line[j->lines++] = new;
	if (new.kind != JOURNAL_NOTE)
		j->last_step = new.step;
	return true;
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

void journal_write(struct string *t, const struct journal_line *line)
{
	if (line->kind == JOURNAL_DIGEST) {
		string_add(t, "# digest %ld %s\n", line->step, line->text);
		return;
	}
	string_add(t, "%ld %s", line->step, line->text);
	if (line->act != ACT_DO || line->back)
		string_add(t, " #");
	if (line->act != ACT_DO)
		string_add(t, " %s %d", line->act == ACT_UNDO ? "undo" : "redo", line->of);
	if (line->back)
		string_add(t, " back %s", line->back);
	string_add(t, "\n");
}

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

// "# digest STEP HEX" means something; any other comment does not.
static bool read_comment(const char *text, struct journal_line *line, bool *meant, struct fault *f)
{
	static const char word[] = "# digest";
	*meant = strncmp(text, word, strlen(word)) == 0;
	if (!*meant)
		return true;
	struct words w;
	if (!words_split(&w, text + 1, f))
		return false;
	bool ok = w.count == 3 && number_read_long(w.word[1], 0, LONG_MAX, &line->step)
		&& strspn(w.word[2], "0123456789abcdef") == strlen(w.word[2]) && strlen(w.word[2]) < JOURNAL_DIGEST_TEXT;
	line->kind = JOURNAL_DIGEST;
	if (!ok)
		fault_set(f, "", "", "expected '# digest STEP HEX'");
	else if (!(line->text = strdup(w.word[2])))
		ok = fault_memory(f, "journal");
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

bool journal_read(const char *text, struct journal_line *line, bool *meant, struct fault *f)
{
	*line = (struct journal_line){ 0 };
	*meant = true;
	bool ok = text[0] == '#' ? read_comment(text, line, meant, f) : read_entry(text, line, f);
	if (!ok || !*meant) {
		free(line->text);
		free(line->back);
		*line = (struct journal_line){ 0 };
	}
	return ok;
}

// ---- loading -------------------------------------------------------------------------------------------------------

static bool load_line(struct journal *j, const char *text, size_t length, struct fault *f)
{
	struct journal_line line;
	bool meant;
	if (strlen(text) != length)
		return fault_set(f, "", "", "the line holds a zero byte");
	if (!journal_read(text, &line, &meant, f))
		return false;
	bool ok = !meant || journal_add(j, &line, f);
	free(line.text);
	free(line.back);
	return ok;
}

bool journal_load(struct journal *j, const char *path, bool *torn, off_t *length, struct fault *f)
{
	size_t size = 0;
	char *bytes = disk_read(path, JOURNAL_BYTES, &size, f);
	if (!bytes)
		return false;
	const size_t header = strlen(JOURNAL_HEADER);
	bool ok = size >= header && memcmp(bytes, JOURNAL_HEADER, header) == 0;
	if (!ok)
		fault_set(f, path, "take it from a backup", "expected '%.*s' in line 1", (int)header - 1, JOURNAL_HEADER);
	char *at = bytes + header, *end = bytes + size;
	*torn = false;
	for (int number = 2; ok && at < end; number++) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline) {
			*torn = true;
			break;
		}
		*newline = '\0';
		struct fault inner;
		ok = load_line(j, at, (size_t)(newline - at), &inner);
		if (!ok) {
			char where[FOLDER_PATH + 32], what[sizeof inner.where + sizeof inner.what + 8];
			snprintf(where, sizeof where, "%s:%d", path, number);
			snprintf(what, sizeof what, "%s%s%s", inner.where, inner.where[0] ? ": " : "", inner.what);
			fault_set(f, where, inner.todo[0] ? inner.todo : "mend or remove this line", "%s", what);
		}
		at = newline + 1;
	}
	*length = ok ? at - bytes : 0;
	if (!ok)
		journal_free(j);
	free(bytes);
	return ok;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/report/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

// ---- words ----------------------------------------------------------------------------------------------------------

static bool read_word(const char *word, const struct report_word *w, struct fault *f)
{
	const char *value = word + strlen(w->key);
	char advice[96];
	if (w->flag) {
		*w->flag = true;
		return true;
	}
	if (w->text) {
		*w->text = value;
		return *value || fault_set(f, word, "write something behind the =", "it is empty");
	}
	if (number_read(value, w->number) && *w->number >= w->least && *w->number <= w->most)
		return true;
	snprintf(advice, sizeof advice, "expected a number from %g to %g", w->least, w->most);
	return fault_set(f, word, advice, "\"%s\" will not do", value);
}

static bool is_word(const char *word, const struct report_word *w)
{
	return w->flag ? strcmp(word, w->key) == 0 : strncmp(word, w->key, strlen(w->key)) == 0;
}

// An input by its name.
static bool read_input(const char *word, struct report_asked *asked, bool *its, struct fault *f)
{
	const char *equals = strchr(word, '=');
	*its = false;
	for (int i = 0; equals && i < INPUTS; i++) {
		const char *name = input_table[i].name;
		struct world check;
		if (strlen(name) != (size_t)(equals - word) || strncmp(word, name, strlen(name)) != 0)
			continue;
		*its = true;
		check.pods = 0;
		if (!number_read(equals + 1, &asked->input[i]))
			return fault_set(f, word, "write a number behind the =", "\"%s\" is not a number", equals + 1);
		return world_set(&check, name, asked->input[i], f);
	}
	return true;
}

static bool unknown_word(const char *word, const struct report_word *w, int words, struct fault *f)
{
	char key[64], advice[128];
	snprintf(key, sizeof key, "%.*s", (int)(strcspn(word, "=") + (strchr(word, '=') != NULL)), word);
	struct nearest near = nearest_to(key);
	for (int i = 0; i < words; i++)
		nearest_offer(&near, w[i].key);
	nearest_offer(&near, "csv=");
	return fault_set(f, word, nearest_advice(&near, "`help` with the command's name lists its words", advice, sizeof advice),
		"no such word");
}

bool report_words(struct command_call *call, int first, const struct report_word *w, int words, struct report_asked *asked)
{
	const struct report_word csv = {.key = "csv=", .text = &asked->csv};
	asked->csv = NULL;
	for (int i = 0; i < INPUTS; i++)
		asked->input[i] = (double)NAN;
	for (int a = first; a < call->argc; a++) {
		const char *word = call->argv[a];
		const struct report_word *its = is_word(word, &csv) ? &csv : NULL;
		bool input = false;
		for (int i = 0; !its && i < words; i++)
			its = is_word(word, &w[i]) ? &w[i] : NULL;
		if (its ? !read_word(word, its, &call->fault) : !read_input(word, asked, &input, &call->fault))
			return false;
		if (!its && !input)
			return unknown_word(word, w, words, &call->fault);
	}
	return true;
}

bool report_pod(struct command_call *call, int first, struct pod *p)
{
	const char *name = "tpu_v4";
	for (int i = first; i < call->argc; i++) {
		if (strcmp(call->argv[i], "on") != 0)
			continue;
		if (i + 1 == call->argc)
			return fault_set(&call->fault, "on", "name a pod, tpu_v4 say: `pods` lists them", "it names nothing");
		name = call->argv[i + 1];
		for (int j = i; j + 2 <= call->argc; j++)
			call->argv[j] = call->argv[j + 2]; // argv[argc] is NULL
		call->argc -= 2;
		break;
	}
	return pod_get(name, p, &call->fault);
}

void report_world(const struct report_asked *asked, const struct pod *pod, const struct pod *other, struct world *w)
{
	world_begin(w, pod, other);
	for (int i = 0; i < INPUTS; i++)
		if (!isnan(asked->input[i]))
			world_set(w, input_table[i].name, asked->input[i], NULL);
}

// ---- the table ------------------------------------------------------------------------------------------------------

void report_begin(struct report *r, const struct report_column *column, int columns)
{
	*r = (struct report){.column = column, .columns = columns < REPORT_COLUMNS ? columns : REPORT_COLUMNS};
}

static void add_line(struct string *s, const char *format, va_list args)
{
	char line[1024];
	vsnprintf(line, sizeof line, format, args);
	string_add(s, "%s\n", line);
}

void report_above(struct report *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_line(&r->above, format, args);
	va_end(args);
}

void report_below(struct report *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_line(&r->below, format, args);
	va_end(args);
}

const char *count_of(double count, const char *noun, char buf[32])
{
	snprintf(buf, 32, "%g %s%s", count, noun, count > 1 || count < 1 ? "s" : "");
	return buf;
}

// Room for one more cell; false: out of memory.
static bool room_for_cell(struct report *r)
{
	if (r->cells < r->room)
		return true;
	size_t room = r->room ? r->room * 2 : 64;
	char **more = realloc(r->cell, room * sizeof *more);
	if (!more)
		return false;
	r->cell = more;
	r->room = room;
	return true;
}

void report_cell(struct report *r, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	size_t size = (size_t)vsnprintf(NULL, 0, format, args) + 1;
	char *text = room_for_cell(r) ? malloc(size) : NULL;
	if (text) {
		vsnprintf(text, size, format, again);
		r->cell[r->cells++] = text;
	}
	r->failed |= !text;
	va_end(again);
	va_end(args);
}

void report_band(struct report *r, const struct band *b, double factor, const char *format)
{
	char low[64], high[64], value[64];
	if (isnan(b->value) && isnan(b->low)) {
		report_cell(r, "-");
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(value, sizeof value, format, b->value * factor);
	snprintf(low, sizeof low, format, b->low * factor);
	snprintf(high, sizeof high, format, b->high * factor);
#pragma GCC diagnostic pop
	if (strcmp(low, high) == 0)
		report_cell(r, "%s", value);
	else
		report_cell(r, "%s to %s", low, high);
}

static int wide(const char *s) // characters, not bytes
{
	int count = 0;
	for (; *s; s++)
		count += (*s & 0xc0) != 0x80;
	return count;
}

static void print_row(struct string *s, const struct report *r, const int *width, char *const *cell)
{
	for (int c = 0; c < r->columns; c++) {
		const char *text = cell ? cell[c] : r->column[c].head;
		int pad = width[c] - wide(text);
		bool last = c + 1 == r->columns;
		if (r->column[c].left)
			string_add(s, "%s%*s", text, last ? 0 : pad, "");
		else
			string_add(s, "%*s%s", pad, "", text);
		string_add(s, "%s", last ? "\n" : "  ");
	}
}

static void print_table(struct string *s, const struct report *r)
{
	int width[REPORT_COLUMNS] = {0};
	const size_t columns = (size_t)r->columns;
	for (size_t c = 0; c < columns; c++) {
		width[c] = wide(r->column[c].head);
		for (size_t i = c; i < r->cells; i += columns)
			if (wide(r->cell[i]) > width[c])
				width[c] = wide(r->cell[i]);
	}
	print_row(s, r, width, NULL);
	for (size_t i = 0; i + columns <= r->cells; i += columns)
		print_row(s, r, width, r->cell + i);
}

static void add_csv(struct string *s, const char *text, bool last)
{
	if (strpbrk(text, ",\"\n")) {
		string_add(s, "\"");
		for (; *text; text++)
			string_add(s, "%s%c", *text == '"' ? "\"" : "", *text);
		string_add(s, "\"");
	} else {
		string_add(s, "%s", text);
	}
	string_add(s, "%s", last ? "\n" : ",");
}

static bool write_csv(const struct report *r, const char *path, struct fault *f)
{
	struct string s = {0};
	for (int c = 0; c < r->columns; c++)
		add_csv(&s, r->column[c].head, c + 1 == r->columns);
	for (size_t i = 0; i < r->cells; i++)
		add_csv(&s, r->cell[i], (i + 1) % (size_t)r->columns == 0);
	bool ok = s.failed ? fault_memory(f, path) : disk_replace(path, s.bytes, s.length, f);
	string_free(&s);
	return ok;
}

// To who shows tables. False: nobody does.
static bool show_table(const struct report *r, struct command_call *call)
{
	const char *head[REPORT_COLUMNS];
	bool left[REPORT_COLUMNS];
	for (int c = 0; c < r->columns; c++) {
		head[c] = r->column[c].head;
		left[c] = r->column[c].left;
	}
	const struct answer answer = {r->above.bytes ? r->above.bytes : "", r->below.bytes ? r->below.bytes : "", r->columns,
		(int)(r->cells / (size_t)r->columns), head, left, r->cell, r->pick, r->view};
	return call->show && r->cells && call->show(call, &answer);
}

static bool print(const struct report *r, struct command_call *call)
{
	struct string s = {0};
	string_bytes(&s, r->above.bytes ? r->above.bytes : "", r->above.length);
	if (r->cells)
		print_table(&s, r);
	string_bytes(&s, r->below.bytes ? r->below.bytes : "", r->below.length);
	return say_all(call, &s);
}

bool report_end(struct report *r, struct command_call *call, const char *csv, bool ok)
{
	if (ok && r->failed)
		ok = fault_memory(&call->fault, "the report");
	if (ok && csv)
		ok = write_csv(r, csv, &call->fault);
	if (ok && csv)
		report_below(r, "wrote %s", csv);
	if (ok && !show_table(r, call))
		ok = print(r, call);
	for (size_t i = 0; i < r->cells; i++)
		free(r->cell[i]);
	free(r->cell);
	string_free(&r->above);
	string_free(&r->below);
	return ok;
}

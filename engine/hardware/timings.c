// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/timings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"

enum { BYTES = 8 << 20, COLUMNS = 32, ROWS = 100000, LARGEST = 1 << 30 };

const char *const timing_kinds[TIMING_KINDS] = {
	[TIMING_PRODUCT] = "product",
	[TIMING_CONV] = "conv",
	[TIMING_ELEMENTWISE] = "element-wise",
	[TIMING_ATTENTION] = "attention",
	[TIMING_LAYERNORM] = "layernorm",
	[TIMING_LAYER] = "layer",
	[TIMING_NET] = "net",
};

// The sizes of a kind by name, and in which of the columns a, b, c … each stands.
static const struct sizes {
	const char *name[TIMING_SIZES];
	int letter[TIMING_SIZES];
	unsigned optional; // of these, as bits: 1 where they are left out
} sizes[TIMING_KINDS] = {
	[TIMING_PRODUCT] = {{"m", "k", "n"}, {0, 2, 1}, 0},
	[TIMING_CONV] = {{"batch", "h", "c", "out", "kernel", "stride", "groups"}, {0, 1, 2, 3, 4, 5, 6}, 1 | 1 << 5 | 1 << 6},
	[TIMING_ELEMENTWISE] = {{"n"}, {0}, 0},
	[TIMING_ATTENTION] = {{"batch", "heads", "n", "dim"}, {0, 1, 2, 3}, 1},
	[TIMING_LAYERNORM] = {{"rows", "width"}, {0, 1}, 0},
	[TIMING_LAYER] = {{"batch"}, {0}, 1},
	[TIMING_NET] = {{"batch"}, {0}, 1},
};
static const char *const letters[TIMING_SIZES] = {"a", "b", "c", "d", "e", "g", "h"};

struct reader {
	struct timings *to;
	const char *where;
	struct fault *fault;
	char *column[COLUMNS]; // of the header, within the text; columns 0: none yet
	int columns;
	char *field[COLUMNS]; // of the row in hand
	int fields;
};

// Cuts a line at its commas; returns the number of fields, more than COLUMNS where there are more.
static int cut(char *line, char *field[COLUMNS])
{
	int fields = 1;
	field[0] = line;
	for (char *c = line; *c; c++)
		if (*c == ',') {
			*c = 0;
			if (fields < COLUMNS)
				field[fields] = c + 1;
			fields++;
		}
	return fields;
}

static const char *field_named(const struct reader *r, const char *name)
{
	for (int i = 0; i < r->columns; i++)
		if (strcmp(r->column[i], name) == 0)
			return r->field[i][0] ? r->field[i] : NULL;
	return NULL;
}

static bool has_column(const struct reader *r, const char *name)
{
	for (int i = 0; i < r->columns; i++)
		if (strcmp(r->column[i], name) == 0)
			return true;
	return false;
}

static bool read_header(struct reader *r, char *line)
{
	static const char todo[] = "begin with a header such as kind,m,k,n,dtype,us,spread";
	r->columns = cut(line, r->column);
	if (r->columns > COLUMNS)
		return fault_set(r->fault, r->where, todo, "more than %d columns", COLUMNS);
	for (int i = 0; i < r->columns; i++)
		for (int k = 0; k < i; k++)
			if (strcmp(r->column[i], r->column[k]) == 0)
				return fault_set(r->fault, r->where, todo, "two columns %.40s", r->column[i]);
	return (has_column(r, "us") && (has_column(r, "dtype") || has_column(r, "type"))) ||
		fault_set(r->fault, r->where, todo, "no column us, or none for the type");
}

static bool read_time(const struct reader *r, const char *name, double least, double *to)
{
	const char *text = field_named(r, name);
	char *end;
	*to = text ? strtod(text, &end) : 0;
	if (!text || (end != text && !*end && *to >= least && *to <= 1e12))
		return true;
	return fault_set(r->fault, r->where, "expected microseconds, above 0", "%s: %.40s cannot be used", name, text);
}

static bool read_times(const struct reader *r, struct timing *t)
{
	double spread;
	if (!read_time(r, "us", 1e-6, &t->us) || !read_time(r, "low", 1e-6, &t->low) || !read_time(r, "high", 1e-6, &t->high) ||
		!read_time(r, "spread", 0, &spread))
		return false;
	if (!(t->us > 0))
		return fault_set(r->fault, r->where, "expected microseconds, above 0", "us: missing");
	if (spread > 0 && !(t->low > 0)) {
		t->low = fmax(t->us - spread, 0);
		t->high = t->us + spread;
	}
	return true;
}

static bool read_type(const struct reader *r, struct timing *t)
{
	const char *text = field_named(r, has_column(r, "dtype") ? "dtype" : "type");
	for (int n = 0; text && n < NATIVES; n++)
		if (strcmp(native_table[n].name, text) == 0) {
			t->type = (enum native)n;
			return true;
		}
	return fault_set(r->fault, r->where, "int4, int8, e4m3, e5m2, fp16, bf16, tf32 or fp32", "%.40s is not a type",
		text ? text : "nothing");
}

static bool read_sizes(const struct reader *r, struct timing *t)
{
	const struct sizes *s = &sizes[t->kind];
	bool by_letter = has_column(r, "a");
	for (int i = 0; i < TIMING_SIZES && s->name[i]; i++) {
		const char *text = field_named(r, by_letter ? letters[s->letter[i]] : s->name[i]);
		long value = 1;
		bool left_out = !text && s->optional >> i & 1;
		if (!left_out && !(text && number_read_long(text, 1, LARGEST, &value)))
			return fault_set(r->fault, r->where, "expected a whole number from 1", "%s: %.40s cannot be used",
				s->name[i], text ? text : "nothing");
		t->size[i] = (double)value;
	}
	return true;
}

static bool read_name(const struct reader *r, const char *name, char *to, size_t size)
{
	const char *text = field_named(r, name);
	if (!text || strlen(text) >= size)
		return fault_set(r->fault, r->where, "give one, and not a long one", "%s: %.40s cannot be used", name,
			text ? text : "nothing");
	snprintf(to, size, "%s", text);
	text_clean(to, "");
	return true;
}

static void leave_out(struct timings *t, const char *kind)
{
	size_t used = strlen(t->other);
	t->left_out++;
	if (!strstr(t->other, kind) && used + strlen(kind) + 3 < sizeof t->other)
		snprintf(t->other + used, sizeof t->other - used, "%s%s", used ? ", " : "", kind);
	text_clean(t->other, "");
}

static bool add(struct reader *r, const struct timing *t)
{
	struct timings *to = r->to;
	if (to->count == ROWS)
		return fault_set(r->fault, r->where, "leave some out", "more than %d rows", ROWS);
	if ((size_t)to->count == to->room) {
		size_t room = to->room ? 2 * to->room : 128;
		struct timing *more = realloc(to->row, room * sizeof *more);
		if (!more)
			return fault_memory(r->fault, r->where);
		to->row = more;
		to->room = room;
	}
	to->row[to->count++] = *t;
	return true;
}

static bool read_row(struct reader *r, char *line)
{
	struct timing t = {.kind = 0};
	if (!r->columns)
		return fault_set(r->fault, r->where, "begin with a header such as kind,m,k,n,dtype,us,spread",
			"\"%.40s\" is not it", line);
	r->fields = cut(line, r->field);
	if (r->fields != r->columns)
		return fault_set(r->fault, r->where, "as many as the header has", "%d fields, not %d", r->fields, r->columns);
	while (t.kind < TIMING_KINDS && strcmp(timing_kinds[t.kind], r->field[0]) != 0)
		t.kind++;
	if (t.kind == TIMING_KINDS) {
		leave_out(r->to, r->field[0]);
		return true;
	}
	bool ok = read_times(r, &t) && read_type(r, &t) && read_sizes(r, &t);
	if (ok && (t.kind == TIMING_LAYER || t.kind == TIMING_NET))
		ok = read_name(r, "net", t.net, sizeof t.net);
	if (ok && t.kind == TIMING_LAYER)
		ok = read_name(r, "layer", t.layer, sizeof t.layer);
	return ok && add(r, &t);
}

bool timings_read(const char *path, struct timings *t, struct fault *fault)
{
	size_t size = 0;
	char *text = disk_read(path, BYTES, &size, fault), where[512];
	bool ok = text && (strlen(text) == size || fault_set(fault, path, "name a CSV file", "not a text: it has zero bytes"));
	struct reader r = {.to = t, .where = where, .fault = fault};
	int number = 0;
	*t = (struct timings){0};
	for (char *line = text, *next; ok && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		line[strcspn(line, "\r")] = 0;
		snprintf(where, sizeof where, "%.400s, line %d", path, ++number);
		if (line[0] && line[0] != '#')
			ok = strncmp(line, "kind,", 5) == 0 ? read_header(&r, line) : read_row(&r, line);
	}
	if (ok && !t->count)
		ok = fault_set(fault, path, "products, convolutions and networks with their microseconds are",
			"nothing in it that is known here");
	free(text);
	if (!ok)
		timings_free(t);
	return ok;
}

void timings_free(struct timings *t)
{
	free(t->row);
	*t = (struct timings){0};
}

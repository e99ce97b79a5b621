// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/measured.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/hardware/inside.h"
#include "engine/model/published.h"

enum { TABLE_BYTES = 4 << 20, FIELDS = 7 };
// The columns that may follow the first three.
enum column { COLUMN_SOURCE, COLUMN_ERROR, COLUMN_KL, COLUMN_KL_ERROR, COLUMNS };
static const char *const columns[COLUMNS] = {"source", "error", "kl", "kl_error"};

const char *const figure_sources[FIGURE_SOURCES] = {"measured", "fitted", "extrapolated", "absent"};

static const struct kind {
	const char *header, *value;
	double least, most;
} kinds[] = {
	[MEASURED_MS] = {"layer,format,ms", "expected milliseconds above 0", DBL_MIN, DBL_MAX},
	[MEASURED_LOST] = {"layer,format,lost", "expected points of top-1, from -100 to 100", -100, 100},
};

struct reader {
	const struct kind *kind;
	const struct model *model;
	struct measured *to;
	bool begun; // the header was read
	char header[128];
	int fields, at[COLUMNS];  // of a row; where each column is, 0: it is not there
	int (*line)[1 + FORMATS]; // [rows]: where "*" and each format was read
	struct fault *fault;
};

static bool read_number(const char *text, double least, double most, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && !*end && *value >= least && *value <= most;
}

// Splits a row at commas, in place; returns how many fields it has.
static int split(char *text, char *field[FIELDS])
{
	int fields = 1;
	field[0] = text;
	for (char *c = text; *c; c++)
		if (*c == ',') {
			*c = 0;
			if (fields < FIELDS)
				field[fields] = c + 1;
			fields++;
		}
	return fields;
}

// The rows that a name is of: all of a layer, or of losses one half of it. False: there is no such layer.
static bool find_rows(const struct reader *r, const char *name, int *first, int *end)
{
	size_t length = strlen(name);
	for (int l = 0; l < r->model->layers; l++) {
		const char *its = r->model->layer[l].name;
		*first = measured_row(l, 0);
		*end = *first + MEASURED_HALVES;
		if (strcmp(its, name) == 0)
			return true;
		if (r->kind == &kinds[MEASURED_LOST] && length > 2 && length - 2 == strlen(its) &&
			strncmp(its, name, length - 2) == 0 &&
			(strcmp(name + length - 2, ".w") == 0 || strcmp(name + length - 2, ".a") == 0)) {
			*first += name[length - 1] == 'a';
			*end = *first + 1;
			return true;
		}
	}
	return false;
}

// A number of one of the further columns; NAN: it is not there.
static bool read_further(const struct reader *r, enum column column, char *const field[FIELDS], double *value, const char *where)
{
	*value = (double)NAN;
	if (!r->at[column])
		return true;
	return read_number(field[r->at[column]], column == COLUMN_KL ? -1e-3 : 0, 1e6, value) ||
		fault_set(r->fault, where, "expected a number from 0 up", "\"%s\" cannot be used as %s", field[r->at[column]],
			columns[column]);
}

static bool read_source(const struct reader *r, char *const field[FIELDS], int *source, const char *where)
{
	const char *word = r->at[COLUMN_SOURCE] ? field[r->at[COLUMN_SOURCE]] : figure_sources[0];
	for (*source = 0; *source < FIGURE_ABSENT && strcmp(word, figure_sources[*source]) != 0; ++*source)
		;
	return *source < FIGURE_ABSENT ||
		fault_set(r->fault, where, "expected measured, fitted or extrapolated", "\"%s\" is not a source", word);
}

// The formats that a row has figures for.
static uint32_t given(const struct reader *r, int row)
{
	return r->to->half ? r->to->half[row].has : r->to->has[row / MEASURED_HALVES];
}

// What a row says of a format.
struct taken {
	double value, error, kl;
	uint8_t source;
};

static void take(struct reader *r, int row, int format, struct taken t)
{
	struct measured *to = r->to;
	const int layer = row / MEASURED_HALVES;
	if (to->half) {
		struct half_figures *h = &to->half[row];
		h->has |= 1u << format;
		h->value[format] = t.value;
		h->error[format] = t.error;
		h->kl[format] = t.kl;
		h->source[format] = t.source;
		return;
	}
	to->has[layer] |= 1u << format;
	to->value[layer][format] = t.value;
	to->source[layer][format] = t.source;
}

static bool read_row(struct reader *r, char *text, int line, const char *where)
{
	char *field[FIELDS];
	int fields = split(text, field), first, end, source;
	double value, error, kl, kl_error;
	if (fields != r->fields) {
		char todo[160];
		snprintf(todo, sizeof todo, "expected %s", r->header);
		return fault_set(r->fault, where, todo, "%d fields", fields);
	}
	if (!field[0][0])
		return fault_set(r->fault, where, "expected the name of a layer", "the name is empty");
	if (!find_rows(r, field[0], &first, &end))
		return fault_set(r->fault, where, "name a layer of the network", "%s has no layer %s", r->model->name, field[0]);
	bool any = strcmp(field[1], "*") == 0;
	int format = any ? -1 : format_named(field[1]);
	if (format < 0 && !any)
		return fault_set(r->fault, where, "expected a format such as int8, or * for all", "\"%s\" is not a format",
			field[1]);
	if (!read_number(field[2], r->kind->least, r->kind->most, &value))
		return fault_set(r->fault, where, r->kind->value, "\"%s\" cannot be used", field[2]);
	if (!read_source(r, field, &source, where) || !read_further(r, COLUMN_ERROR, field, &error, where) ||
		!read_further(r, COLUMN_KL, field, &kl, where) || !read_further(r, COLUMN_KL_ERROR, field, &kl_error, where))
		return false;
	if (!r->to->half) // one row a layer
		end = first + 1;
	for (int row = first; row < end; row++) {
		const bool alone = r->to->half && end - first == 1;
		double times = alone ? MEASURED_HALVES : 1,
		       spread = alone ? 2 : sqrt(2); // see struct measured; errors add up as squares
		int *lines = r->line[row];
		if (lines[1 + format])
			return fault_set(r->fault, where, "keep one of them", "%s in %s is in line %d already", field[0],
				field[1], lines[1 + format]);
		if (any ? given(r, row) != 0 : lines[0] != 0)
			return fault_set(r->fault, where, "give it * alone, or formats", "%s has both * and formats", field[0]);
		lines[1 + format] = line;
		for (int f = 0; f < FORMATS; f++)
			if (any || f == format)
				take(r, row, f, (struct taken){times * value, spread * error, times * kl, (uint8_t)source});
	}
	return true;
}

// The columns behind the first three, each once.
static bool read_columns(struct reader *r, const char *names)
{
	char word[16];
	r->fields = 3;
	if (!*names)
		return true;
	if (*names++ != ',')
		return false;
	while (list_next(&names, word, sizeof word)) {
		int c = 0;
		while (c < COLUMNS && strcmp(columns[c], word) != 0)
			c++;
		if (c == COLUMNS || r->at[c] || (c != COLUMN_SOURCE && r->kind != &kinds[MEASURED_LOST]))
			return false;
		r->at[c] = r->fields++;
	}
	return true;
}

static bool read_line(struct reader *r, char *text, int line, const char *where)
{
	const char *header = r->kind->header;
	size_t length = strlen(header);
	if (r->kind == &kinds[MEASURED_LOST] && strncmp(text, "# top1 ", 7) == 0) {
		if (!isnan(r->to->top1))
			return fault_set(r->fault, where, "keep one of them", "top1 is given twice");
		return read_number(text + 7, 0, 100, &r->to->top1) ||
			fault_set(r->fault, where, "expected the fp32 accuracy in percent, such as # top1 77.72",
				"\"%s\" cannot be used", text + 7);
	}
	if (!text[0] || text[0] == '#')
		return true;
	if (r->begun)
		return read_row(r, text, line, where);
	r->begun = strncmp(text, header, length) == 0;
	snprintf(r->header, sizeof r->header, "%s", text);
	if (!r->begun || !read_columns(r, text + length)) {
		char todo[64];
		snprintf(todo, sizeof todo, "expected the header %s", header);
		return fault_set(r->fault, where, todo, "\"%s\" is not it", text);
	}
	return true;
}

static bool read_table(struct reader *r, const char *path, char *text)
{
	int number = 0, missing = 0, first = 0;
	char where[512];
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		line[strcspn(line, "\r")] = 0;
		snprintf(where, sizeof where, "%s, line %d", path, ++number);
		if (!read_line(r, line, number, where))
			return false;
	}
	for (int l = r->model->layers - 1; l >= 0; l--)
		if (!given(r, measured_row(l, 0)) || !given(r, measured_row(l, 1))) {
			missing++;
			first = l;
		}
	if (missing == r->model->layers) {
		snprintf(where, sizeof where, "expected the header %s and a row for each layer and format", r->kind->header);
		return fault_set(r->fault, path, where, "nothing in it");
	}
	return !missing ||
		fault_set(r->fault, path, "add a row for every layer; the format * is whatever the format",
			"no row for %s, %d of %d layers have none", r->model->layer[first].name, missing, r->model->layers);
}

bool measured_new(struct measured *m, const struct model *model, int rows, struct fault *fault)
{
	size_t room = (size_t)rows + 1;
	*m = (struct measured){.has = calloc(room, sizeof *m->has),
		.value = calloc(room, sizeof *m->value),
		.source = calloc(room, sizeof *m->source),
		.top1 = (double)NAN};
	if (m->has && m->value && m->source)
		return true;
	measured_free(m);
	return fault_memory(fault, model->name);
}

bool measured_new_losses(struct measured *m, const struct model *model, struct fault *fault)
{
	if (!measured_new(m, model, 0, fault))
		return false;
	if ((m->half = calloc((size_t)model->layers * MEASURED_HALVES + 1, sizeof *m->half)))
		return true;
	measured_free(m);
	return fault_memory(fault, model->name);
}

bool measured_read(const char *path, enum measured_kind kind, const struct model *model, struct measured *m, struct fault *fault)
{
	size_t size = 0;
	if (!(kind == MEASURED_LOST ? measured_new_losses(m, model, fault) : measured_new(m, model, model->layers, fault)))
		return false;
	struct reader r = {.kind = &kinds[kind], .model = model, .to = m, .fault = fault};
	char *text = disk_read(path, TABLE_BYTES, &size, fault);
	bool ok = text && (strlen(text) == size || fault_set(fault, path, "name a CSV file", "not a text: it has zero bytes"));
	r.line = calloc((size_t)model->layers * MEASURED_HALVES + 1, sizeof *r.line);
	if (ok && !r.line)
		ok = fault_memory(fault, path);
	ok = ok && read_table(&r, path, text);
	m->diverges = ok && r.at[COLUMN_KL];
	free(text);
	free(r.line);
	if (!ok)
		measured_free(m);
	return ok;
}

bool measured_latency(const char *name, const struct model *model, struct measured *m, struct fault *fault)
{
	static const char *const formats[PUBLISHED_WIDTHS] = {"int4", "int8"};
	*m = (struct measured){0};
	if (strcmp(name, "hawq") != 0)
		return measured_read(name, MEASURED_MS, model, m, fault);
	int *row = calloc((size_t)model->layers + 1, sizeof *row);
	const struct published *p = row ? published_for(model, row, fault) : NULL;
	bool ok = row || fault_memory(fault, name);
	ok = ok && p && measured_new(m, model, model->layers, fault);
	for (int l = 0; ok && l < model->layers; l++) {
		if (row[l] < 0) {
			m->has[l] = (1u << FORMATS) - 1;
			memset(m->source[l], FIGURE_ABSENT, sizeof m->source[l]);
			continue;
		}
		const struct published_layer *from = &p->layer[row[l]];
		for (int w = 0; w < PUBLISHED_WIDTHS; w++) {
			int f = format_named(formats[w]);
			const int at = l;
			m->has[at] |= 1u << f;
			m->value[at][f] = from->ms[w] * model->layer[l].macs / from->macs;
			m->source[at][f] = model->layer[l].macs == from->macs ? FIGURE_MEASURED : FIGURE_EXTRAPOLATED;
		}
	}
	if (ok)
		m->batch = PUBLISHED_BATCH;
	free(row);
	return ok;
}

void measured_free(struct measured *m)
{
	free(m->has);
	free(m->value);
	free(m->source);
	free(m->half);
	free(m->spread);
	*m = (struct measured){0};
}

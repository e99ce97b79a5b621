// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/measured.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/hardware/inside.h"
#include "engine/model/published.h"

enum { TABLE_BYTES = 4 << 20, FIELDS = 4 };

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
	bool begun, sources;      // the header was read; it has a column `source`
	int (*line)[1 + FORMATS]; // [layers]: where "*" and each format was read
	struct fault *fault;
};

static bool read_number(const char *text, double least, double most, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && !*end && *value >= least && *value <= most;
}

static bool read_row(struct reader *r, char *text, int line, const char *where)
{
	char *field[FIELDS] = {text};
	int fields = 1, layer = 0, source = 0;
	for (char *c = text; *c; c++)
		if (*c == ',') {
			*c = 0;
			if (fields < FIELDS)
				field[fields] = c + 1;
			fields++;
		}
	if (fields != (r->sources ? 4 : 3)) {
		char todo[64];
		snprintf(todo, sizeof todo, "expected %s%s", r->kind->header, r->sources ? ",source" : "");
		return fault_set(r->fault, where, todo, "%d fields", fields);
	}
	if (!field[0][0])
		return fault_set(r->fault, where, "expected the name of a layer", "the name is empty");
	while (layer < r->model->layers && strcmp(r->model->layer[layer].name, field[0]) != 0)
		layer++;
	if (layer == r->model->layers)
		return fault_set(r->fault, where, "name a layer of the network", "%s has no layer %s", r->model->name, field[0]);
	bool any = strcmp(field[1], "*") == 0;
	int format = any ? -1 : format_named(field[1]), *lines = r->line[layer];
	if (format < 0 && !any)
		return fault_set(r->fault, where, "expected a format such as int8, or * for all", "\"%s\" is not a format",
			field[1]);
	double value;
	if (!read_number(field[2], r->kind->least, r->kind->most, &value))
		return fault_set(r->fault, where, r->kind->value, "\"%s\" cannot be used", field[2]);
	while (r->sources && source < FIGURE_ABSENT && strcmp(field[3], figure_sources[source]) != 0)
		source++;
	if (source == FIGURE_ABSENT)
		return fault_set(r->fault, where, "expected measured, fitted or extrapolated", "\"%s\" is not a source",
			field[3]);
	if (lines[1 + format])
		return fault_set(r->fault, where, "keep one of them", "%s in %s is in line %d already", field[0], field[1],
			lines[1 + format]);
	if (any ? r->to->has[layer] != 0 : lines[0] != 0)
		return fault_set(r->fault, where, "give it * alone, or formats", "%s has both * and formats", field[0]);
	lines[1 + format] = line;
	for (int f = 0; f < FORMATS; f++)
		if (any || f == format) {
			r->to->has[layer] |= 1u << f;
			r->to->value[layer][f] = value;
			r->to->source[layer][f] = (uint8_t)source;
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
	r->sources = r->begun && strcmp(text + length, ",source") == 0;
	if (!r->begun || (text[length] && !r->sources)) {
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
		if (!r->to->has[l]) {
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

bool measured_read(const char *path, enum measured_kind kind, const struct model *model, struct measured *m, struct fault *fault)
{
	size_t size = 0;
	if (!measured_new(m, model, model->layers, fault))
		return false;
	struct reader r = {.kind = &kinds[kind], .model = model, .to = m, .fault = fault};
	char *text = disk_read(path, TABLE_BYTES, &size, fault);
	bool ok = text && (strlen(text) == size || fault_set(fault, path, "name a CSV file", "not a text: it has zero bytes"));
	r.line = calloc((size_t)model->layers + 1, sizeof *r.line);
	if (ok && !r.line)
		ok = fault_memory(fault, path);
	ok = ok && read_table(&r, path, text);
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
			m->has[l] |= 1u << f;
			m->value[l][f] = from->ms[w] * model->layer[l].macs / from->macs;
			m->source[l][f] = model->layer[l].macs == from->macs ? FIGURE_MEASURED : FIGURE_EXTRAPOLATED;
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
	free(m->spread);
	*m = (struct measured){0};
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hardware/inside.h"
#include "engine/quant/format.h"

enum { TABLE_BYTES = 4 << 20 };
static const char header[] = "layer,format,ms";

static bool read_row(const struct measured *m, char *line, struct measured_row *row, const char *where, struct fault *fault)
{
	char *field[3] = {line};
	int fields = 1;
	for (char *c = line; *c; c++)
		if (*c == ',') {
			*c = 0;
			if (fields < 3)
				field[fields] = c + 1;
			fields++;
		}
	if (fields != 3)
		return fault_set(fault, where, "expected layer,format,ms", "%d fields", fields);
	if (!field[0][0] || strlen(field[0]) >= sizeof row->layer)
		return fault_set(fault, where, "expected the name of a layer", "\"%s\" is none", field[0]);
	bool any = strcmp(field[1], "*") == 0;
	row->format = any ? MEASURED_ANY : format_named(field[1]);
	if (row->format < 0 && !any)
		return fault_set(fault, where, "expected a format such as int8, or * for all", "\"%s\" is none", field[1]);
	char *end;
	row->ms = strtod(field[2], &end);
	if (end == field[2] || *end || !isfinite(row->ms) || row->ms <= 0)
		return fault_set(fault, where, "expected milliseconds above 0", "\"%s\" will not do", field[2]);
	snprintf(row->layer, sizeof row->layer, "%s", field[0]);
	for (int i = 0; i < m->rows; i++)
		if (m->row[i].format == row->format && strcmp(m->row[i].layer, row->layer) == 0)
			return fault_set(fault, where, "keep one of them", "%s in %s is in line %d already", field[0], field[1],
				m->row[i].line);
	return true;
}

static bool read_table(const char *path, char *text, struct measured *m, struct fault *fault)
{
	bool begun = false;
	int number = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		number++;
		line[strcspn(line, "\r")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		char where[256];
		snprintf(where, sizeof where, "%s, line %d", path, number);
		if (!begun && strcmp(line, header) != 0)
			return fault_set(fault, where, "expected the header layer,format,ms", "\"%s\" is not it", line);
		if (!begun) {
			begun = true;
			continue;
		}
		struct measured_row row = {.line = number};
		if (!read_row(m, line, &row, where, fault))
			return false;
		if (!(m->rows & (m->rows - 1))) { // room is doubled at each power of two
			void *room = realloc(m->row, (size_t)(m->rows ? 2 * m->rows : 1) * sizeof row);
			if (!room)
				return fault_set(fault, where, "", "out of memory");
			m->row = room;
		}
		m->row[m->rows++] = row;
	}
	return m->rows > 0 ||
	       fault_set(fault, path, "expected the header layer,format,ms and a row for each layer and format", "nothing in it");
}

bool measured_read(const char *path, struct measured *m, struct fault *fault)
{
	size_t size;
	char *text = hardware_file(path, TABLE_BYTES, &size, fault);
	*m = (struct measured){0};
	bool ok = text && read_table(path, text, m, fault);
	free(text);
	if (!ok)
		measured_free(m);
	return ok;
}

void measured_free(struct measured *m)
{
	free(m->row);
	*m = (struct measured){0};
}

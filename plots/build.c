// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/build.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct figure *figure_new(const char *x_label, const char *y_label)
{
	struct figure *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	snprintf(f->x.label, sizeof f->x.label, "%s", x_label);
	snprintf(f->y.label, sizeof f->y.label, "%s", y_label);
	f->x.low = f->x.high = f->y.low = f->y.high = f->right.low = f->right.high = NAN;
	return f;
}

void figure_title(struct figure *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(f->title, sizeof f->title, format, args);
	va_end(args);
}

void figure_free(struct figure *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->series_count; i++) {
		free(f->series[i].x);
		free(f->series[i].y);
		free(f->series[i].label);
		free(f->series[i].size);
	}
	free(f->series);
	free(f->line);
	if (f->heat) {
		free(f->heat->value);
		free(f->heat->row);
		free(f->heat->level);
		free(f->heat->part);
		free(f->heat);
	}
	free(f);
}

struct series *figure_add_series(struct figure *f, const char *name, enum series_kind kind, enum figure_role role, size_t room,
	bool labelled)
{
	struct series *grown = realloc(f->series, (size_t)(f->series_count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	f->series = grown;
	struct series *s = &grown[f->series_count];
	*s = (struct series){.kind = kind, .role = role};
	snprintf(s->name, sizeof s->name, "%s", name);
	if (!room)
		room = 1;
	s->x = calloc(room, sizeof *s->x);
	s->y = calloc(room, sizeof *s->y);
	s->label = labelled ? calloc(room, sizeof *s->label) : NULL;
	f->series_count++; // whatever came of the three: figure_free frees them
	return s->x && s->y && (s->label || !labelled) ? s : NULL;
}

void series_add(struct series *s, double x, double y, const char *label)
{
	s->x[s->count] = x;
	s->y[s->count] = y;
	if (s->label)
		snprintf(s->label[s->count], sizeof s->label[0], "%s", label ? label : "");
	s->count++;
}

bool series_sized(struct series *s, size_t room, const char *of)
{
	snprintf(s->size_of, sizeof s->size_of, "%s", of);
	s->size = calloc(room ? room : 1, sizeof *s->size);
	return s->size != NULL;
}

bool figure_is_mark(const struct line *l)
{
	return l->vertical && l->role != ROLE_TARGET && l->label[0];
}

bool figure_add_line(struct figure *f, bool vertical, double at, enum figure_role role, const char *label)
{
	struct line *grown = realloc(f->line, (size_t)(f->line_count + 1) * sizeof *grown);
	if (!grown)
		return false;
	f->line = grown;
	struct line *l = &grown[f->line_count++];
	*l = (struct line){.vertical = vertical, .at = at, .role = role};
	snprintf(l->label, sizeof l->label, "%s", label);
	return true;
}

struct heat *figure_add_heat(struct figure *f, int rows, int columns, int levels)
{
	struct heat *h = f->heat = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	size_t cells = (size_t)rows * (size_t)columns;
	h->value = calloc(cells ? cells : 1, sizeof *h->value);
	h->row = calloc(rows ? (size_t)rows : 1, sizeof *h->row);
	h->level = calloc(levels ? (size_t)levels : 1, sizeof *h->level);
	if (!h->value || !h->row || !h->level)
		return NULL;
	h->rows = rows;
	h->columns = columns;
	h->levels = levels;
	for (size_t i = 0; i < cells; i++)
		h->value[i] = NAN;
	return h;
}

bool heat_named(struct heat *h, int parts)
{
	h->part = calloc(parts > 0 ? (size_t)parts : 1, sizeof *h->part);
	h->parts = h->part ? parts : 0;
	return h->part != NULL;
}

const struct term_state *source_term(const struct figure_source *source)
{
	const struct snapshot *s = source->snapshot;
	return source->term >= 0 && source->term < s->terms && s->terms <= ENGINE_TERMS ? &s->term[source->term] : NULL;
}

struct unit unit_of(const struct term_state *term, double largest)
{
	const struct term_kind *kind = term ? term->kind : NULL;
	struct unit unit = {.divisor = 1};
	if (!term) {
		snprintf(unit.label, sizeof unit.label, "cost");
		snprintf(unit.name, sizeof unit.name, "cost");
		return unit;
	}
	bool prefixed = (kind->quantity == QUANTITY_TIME || kind->quantity == QUANTITY_ENERGY);
	// No prefix for nothing, and for what no prefix serves.
	int power = !prefixed && largest > 0 && isfinite(largest) ? si_power(largest, 1, SI_NANO, SI_PETA) : SI_ONE;
	unit.divisor = si_factor(power);

	const char *name = kind->title[0] ? kind->title : term->name;
	snprintf(unit.name, sizeof unit.name, "%s", name);
	// A count ("bit ops per image") has no symbol: the name says what is counted, the brackets hold the prefix and the rest.
	const char *per = term->unit ? strstr(term->unit, " per ") : NULL;
	const char *symbol = prefixed || (term->unit && !strchr(term->unit, ' ')) ? term->unit : term->symbol ? term->symbol : "";
	char brackets[64];
	snprintf(brackets, sizeof brackets, "%s%s%s", power == SI_MICRO ? "µ" : si_prefix(power), symbol,
		prefixed || !per ? "" : per);
	const char *in = brackets + strspn(brackets, " ");
	snprintf(unit.label, sizeof unit.label, *in ? "%s (%s)" : "%s%s", name, in);
	return unit;
}

const char *subject_of(const struct engine_info *info, char buf[2 * ENGINE_TEXT + 8])
{
	bool data = info && info->data[0] && strcmp(info->data, "none") != 0;
	snprintf(buf, 2 * ENGINE_TEXT + 8, "%s%s%s", info ? info->net : "", data ? " on " : "", data ? info->data : "");
	return buf;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/legend.h"

#include "plots/heatmap.h"
#include "plots/levels.h"

enum { GAP = 2 }; // between entries

// One entry at (x, y): the look, and the name; returns its width. Draws nothing where r is NULL.
static int legend_entry(struct raster *r, int x, int y, const struct series *s)
{
	int key = s->kind == SERIES_POINTS ? 1 : 2;
	if (r) {
		for (int i = 0; i < key; i++)
			raster_put(r, x + i, y,
				s->kind == SERIES_POINTS ? raster_sign(s, r->glyphs) : raster_dash(s->role, r->glyphs), s->role);
		raster_text(r, x + key + 1, y, r->width, s->name, s->role);
	}
	return key + 1 + raster_text_width(s->name);
}

// As many entries as fit between two columns of a row, at its right; the last series, the most important, first.
static void legend_in_row(struct raster *r, const struct figure *f, int from, int to, int y)
{
	for (int i = f->series_count - 1, x = to; i >= 0; i--, x -= GAP) {
		x -= legend_entry(NULL, 0, 0, &f->series[i]);
		if (x < from)
			break;
		legend_entry(r, x, y, &f->series[i]);
	}
}

int legend_width(const struct figure *f)
{
	int width = 0;
	for (int i = 0; f->series_count > 1 && i < f->series_count; i++)
		width += legend_entry(NULL, 0, 0, &f->series[i]) + (i ? GAP : 0);
	return width; // of a single series the axis says what it is
}

// A block of one entry a row in a blank corner of the plot, with a margin.
static bool legend_in_corner(struct raster *r, const struct figure *f, const struct area *p)
{
	int width = 0, rows = f->series_count;
	for (int i = 0; i < rows; i++) {
		int its = legend_entry(NULL, 0, 0, &f->series[i]);
		width = its > width ? its : width;
	}
	for (int corner = 0; corner < 6; corner++) {
		int x = corner % 3 == 0   ? p->x + 1
			: corner % 3 == 1 ? p->x + p->width - width - 1
					  : p->x + (p->width - width) / 2;
		int y = corner < 3 ? p->y + p->height - rows : p->y;
		bool blank = x - 1 >= p->x && x + width < p->x + p->width && y >= p->y;
		for (int i = 0; blank && i < rows; i++)
			blank = raster_blank(r, x - 1, y + i, width + 2);
		for (int i = 0; blank && i < rows; i++)
			legend_entry(r, x, y + i, &f->series[rows - 1 - i]);
		if (blank)
			return true;
	}
	return false;
}

// One level at column x of the header row: its sign and its name; returns the width.
static int level_entry(struct raster *r, const struct figure *f, int x, int y, int level, bool draw)
{
	if (draw) {
		raster_put_level(r, x, y, level_sign(f, level), level);
		raster_text(r, x + 2, y, r->width, level_name(f, level), ROLES);
	}
	return 2 + raster_text_width(level_name(f, level));
}

// All levels in the header row, between two columns; where they do not fit, the lowest and the highest, and of the others those
// whose sign is a letter, for that says nothing by itself.
static void legend_of_levels(struct raster *r, const struct figure *f, int x, int y, int end)
{
	int width = 0, count = figure_levels(f) < 254 ? figure_levels(f) : 254;
	for (int i = 0; i < count; i++)
		width += level_entry(r, f, 0, y, i, false) + (i ? GAP : 0);
	bool all = width <= end - x;
	for (int i = 0; i < count; i += all || count < 2 ? 1 : count - 1) {
		if (i && !all)
			x += 1 + raster_text(r, x, y, 2, "to", ROLES);
		x += level_entry(r, f, x, y, i, true) + (all ? GAP : 1);
	}
	for (int i = 1; i < count - 1 && !all; i++) {
		uint32_t sign = level_sign(f, i);
		if (sign >= 'A' && sign <= 'Z' && x + GAP + level_entry(r, f, 0, y, i, false) <= end)
			x += GAP + level_entry(r, f, x + GAP, y, i, true);
	}
}

// Which rows are shown, at the right end of the header row; returns the columns left.
static int legend_of_rows(struct raster *r, const struct heat *h, int lines, int y)
{
	char text[64];
	int first, count = heatmap_rows(h, lines, &first);
	if (count >= h->rows || count < 1)
		return r->width;
	snprintf(text, sizeof text, "%d-%d of %d", first + 1, first + count, h->rows);
	int width = raster_text_width(text);
	if (width > r->width)
		return r->width;
	raster_text(r, r->width - width, y, width, text, ROLES);
	return r->width - width - GAP;
}

void legend_draw(struct raster *r, const struct figure *f, const struct placement *l)
{
	if (l->header < 0)
		return;
	int from, to;
	if (figure_covered(f)) {
		placement_header_room(f, r->width, &from, &to);
		legend_of_levels(r, f, from, l->header, f->heat ? legend_of_rows(r, f->heat, l->plot.height, l->header) : to);
		return;
	}
	int width = legend_width(f);
	if (!width)
		return;
	if (l->legend != l->header) {
		legend_in_row(r, f, 0, r->width, l->legend);
		return;
	}
	placement_header_room(f, r->width, &from, &to);
	if (to - from >= width || !legend_in_corner(r, f, &l->plot))
		legend_in_row(r, f, from, to, l->header);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Figures in character cells.
#include "plots/heatmap.h"
#include "plots/legend.h"
#include "plots/levels.h"
#include "plots/placement.h"
#include "plots/raster.h"
#include "plots/scale.h"

#include <math.h>

// ---- data -------------------------------------------------------------------------------------------------------------

static const struct scale *scale_for(const struct placement *l, const struct series *s)
{
	return s->right ? &l->right : &l->y;
}

static void draw_line(struct raster *r, const struct placement *l, const struct series *s)
{
	double x0 = NAN, y0 = NAN;
	unsigned phase = 0;
	for (size_t i = 0; i < s->count; i++) {
		double x = scale_map(&l->x, s->x[i]), y = scale_map(scale_for(l, s), s->y[i]);
		bool here = !isnan(x) && !isnan(y), before = !isnan(x0) && !isnan(y0);
		if (here && before && s->kind == SERIES_STEPS) {
			raster_line(r, &l->plot, x0, y0, x, y0, s->role, &phase);
			raster_line(r, &l->plot, x, y0, x, y, s->role, &phase);
		} else if (here) {
			raster_line(r, &l->plot, before ? x0 : x, before ? y0 : y, x, y, s->role, &phase);
		}
		x0 = here ? x : NAN;
		y0 = here ? y : NAN;
	}
}

// The cell of a point; false where it has none.
static bool place_of(const struct placement *l, const struct series *s, size_t i, int *x, int *y)
{
	int column = raster_cell(scale_map(&l->x, s->x[i]), l->plot.width);
	int row = raster_cell(1 - scale_map(scale_for(l, s), s->y[i]), l->plot.height);
	*x = l->plot.x + column;
	*y = l->plot.y + row;
	return column >= 0 && row >= 0;
}

static void draw_points(struct raster *r, const struct placement *l, const struct series *s)
{
	int x, y;
	for (size_t i = 0; i < s->count; i++)
		if (place_of(l, s, i, &x, &y))
			raster_put(r, x, y, raster_sign(s, r->glyphs), s->role);
}

// Each area in its shade: neighbours differ in what they are filled with, and each stretch begins with the area's sign.
static void draw_areas(struct raster *r, const struct placement *l, const struct figure *f)
{
	const struct area *p = &l->plot;
	for (int y = 0; y < p->height; y++)
		for (int x = 0, before = -1; x < p->width; x++) {
			const int level = area_level(f, scale_at(&l->x, (x + 0.5) / p->width),
				scale_at(&l->y, 1 - (y + 0.5) / p->height));
			const bool sign = level != before || r->glyphs == CANVAS_ASCII;
			if (level >= 0)
				raster_put_level(r, p->x + x, p->y + y,
					sign                ? level_sign(f, level)
						: level % 2 ? 0x2593
							    : 0x2588,
					level);
			before = level;
		}
}

static void draw_straight(struct raster *r, const struct placement *l, const struct line *line)
{
	const struct area *p = &l->plot;
	int x = line->vertical ? raster_cell(scale_map(&l->x, line->at), p->width) : -1;
	int y = line->vertical ? -1 : raster_cell(1 - scale_map(&l->y, line->at), p->height);
	for (int i = 0; x >= 0 && i < p->height; i++)
		raster_put(r, p->x + x, p->y + i, raster_symbol(line->role, false, r->glyphs), line->role);
	for (int i = 0; y >= 0 && i < p->width; i++)
		raster_put(r, p->x + i, p->y + y, raster_dash(line->role, r->glyphs), line->role);
}

// ---- words ------------------------------------------------------------------------------------------------------------

// Writes the text where it and a margin of one cell on either side collide with nothing in the plot.
static bool try_text(struct raster *r, const struct area *p, int x, int y, const char *text, enum figure_role role)
{
	int width = raster_text_width(text), end = p->x + p->width;
	if (!width || x < p->x || y < p->y || x + width > end || y >= p->y + p->height)
		return false;
	int from = x > p->x ? x - 1 : x, to = x + width < end ? x + width + 1 : end;
	if (!raster_blank(r, from, y, to - from))
		return false;
	raster_text(r, x, y, width, text, role);
	return true;
}

static void label_points(struct raster *r, const struct placement *l, const struct series *s)
{
	int x, y;
	for (size_t i = 0; s->label && i < s->count; i++) {
		const char *text = s->label[i];
		int width = raster_text_width(text);
		if (!place_of(l, s, i, &x, &y))
			continue;
		(void)(try_text(r, &l->plot, x + 2, y, text, s->role) || try_text(r, &l->plot, x - 1 - width, y, text, s->role) ||
			try_text(r, &l->plot, x + 1, y + 1, text, s->role) ||
			try_text(r, &l->plot, x - width, y - 1, text, s->role) ||
			try_text(r, &l->plot, x + 1, y - 1, text, s->role) ||
			try_text(r, &l->plot, x - width, y + 1, text, s->role) ||
			try_text(r, &l->plot, x - width / 2, y + 1, text, s->role) ||
			try_text(r, &l->plot, x - width / 2, y - 1, text, s->role));
	}
}

static void label_straight(struct raster *r, const struct placement *l, const struct line *line)
{
	const struct area *p = &l->plot;
	int width = raster_text_width(line->label);
	if (line->vertical) {
		int x = raster_cell(scale_map(&l->x, line->at), p->width);
		// From the top down, on either side of the line.
		for (int y = 0; x >= 0 && y < p->height; y++)
			if (try_text(r, p, p->x + x + 2, p->y + y, line->label, line->role) ||
				try_text(r, p, p->x + x - 1 - width, p->y + y, line->label, line->role))
				return;
		return;
	}
	int y = raster_cell(1 - scale_map(&l->y, line->at), p->height);
	if (y < 0)
		return;
	(void)(try_text(r, p, p->x + p->width - width, p->y + y - 1, line->label, line->role) ||
		try_text(r, p, p->x + p->width - width, p->y + y + 1, line->label, line->role) ||
		try_text(r, p, p->x + 1, p->y + y - 1, line->label, line->role) ||
		try_text(r, p, p->x + 1, p->y + y + 1, line->label, line->role));
}

// ---- all of it ----------------------------------------------------------------------------------------------------------

void canvas_draw(const struct figure *f, struct cell *cell, int width, int height, enum canvas_glyphs glyphs)
{
	if (width < 1 || height < 1)
		return;
	struct raster r = {cell, width, height, glyphs};
	raster_clear(&r);
	struct placement l = placement_of(f, width, height);
	placement_axes(&r, f, &l);
	if (figure_covered(f)) {
		if (f->heat)
			heatmap_draw(&r, f, &l);
		else
			draw_areas(&r, &l, f);
		legend_draw(&r, f, &l);
		return;
	}
	// From the least to the most important: what is drawn later hides what is below.
	for (int i = 0; i < f->line_count; i++)
		if (f->line[i].role != ROLE_TARGET)
			draw_straight(&r, &l, &f->line[i]);
	for (int i = 0; i < f->line_count; i++)
		if (f->line[i].role == ROLE_TARGET)
			draw_straight(&r, &l, &f->line[i]);
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].kind != SERIES_POINTS)
			draw_line(&r, &l, &f->series[i]);
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].kind == SERIES_POINTS)
			draw_points(&r, &l, &f->series[i]);
	if (l.axes) {
		for (int i = 0; i < f->line_count; i++)
			if (f->line[i].role == ROLE_TARGET)
				label_straight(&r, &l, &f->line[i]);
		for (int i = f->series_count - 1; i >= 0; i--)
			label_points(&r, &l, &f->series[i]);
		legend_draw(&r, f, &l);
		for (int i = 0; i < f->line_count; i++)
			if (f->line[i].role != ROLE_TARGET)
				label_straight(&r, &l, &f->line[i]);
	}
	raster_finish(&r);
}

bool canvas_place(const struct figure *f, int width, int height, double x, double y, int *column, int *row)
{
	if (width < 1 || height < 1)
		return false;
	struct placement l = placement_of(f, width, height);
	int across = raster_cell(scale_map(&l.x, x), l.plot.width), down = raster_cell(1 - scale_map(&l.y, y), l.plot.height);
	*column = l.plot.x + across;
	*row = l.plot.y + down;
	return across >= 0 && down >= 0;
}

double canvas_x(const struct figure *f, int width, int height, int column)
{
	if (width < 1 || height < 1)
		return NAN;
	struct placement l = placement_of(f, width, height);
	double part = (column - l.plot.x + 0.5) / l.plot.width;
	if (!(part > 0 && part < 1))
		return NAN;
	return scale_at(&l.x, part);
}

bool canvas_shows_all(const struct figure *f, int width, int height)
{
	int first;
	return !f->heat ||
		(width > 0 && height > 0 &&
			heatmap_rows(f->heat, placement_of(f, width, height).plot.height, &first) >= f->heat->rows);
}

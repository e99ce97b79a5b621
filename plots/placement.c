// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/placement.h"

#include "plots/legend.h"
#include "plots/levels.h"

// Below this size the data are drawn alone; with fewer rows than TALL the x label shares the axis' row.
enum { LEAST_WIDTH = 24, LEAST_HEIGHT = 6, HEADER_HEIGHT = 8, LEGEND_HEIGHT = 10, TALL = 14 };
enum { CELLS_PER_X_TICK = 9, LEAST_GUTTER = 4 };

static int widest(const struct ticks *t, int least)
{
	int most = least;
	for (int i = 0; i < t->count; i++) {
		int width = raster_text_width(t->text[i]);
		most = width > most ? width : most;
	}
	return most;
}

static int at_least(int v, int least)
{
	return v > least ? v : least;
}

static int names_width(const struct heat *h, int width)
{
	int most = LEAST_GUTTER;
	for (int i = 0; i < h->rows; i++)
		most = at_least(raster_text_width(h->row[i]), most);
	int share = width * 2 / 5;
	return most < share ? most : share;
}

static int widest_part(const struct heat *h)
{
	int most = 1;
	for (int i = 0; i < h->parts; i++)
		most = at_least(raster_text_width(h->part[i]), most);
	return most;
}

// Close together in few rows, further apart where there are many.
static int y_ticks_for(int rows)
{
	int close = (rows + 1) / 2, loose = at_least(rows / 3, 5);
	return at_least(close < loose ? close : loose, 2);
}

void placement_header_room(const struct figure *f, int width, int *from, int *to)
{
	int left = raster_text_width(f->y.label), right = raster_text_width(f->right.label);
	*from = left ? left + 3 : 0;
	*to = width - (right ? right + 3 : 0);
}

// Lines alone leave no blank corner to count on: their legend gets a row of its own where the header has no room.
static bool legend_wants_row(const struct figure *f, int width, int height)
{
	int from, to, its = legend_width(f);
	placement_header_room(f, width, &from, &to);
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].kind == SERIES_POINTS || f->series[i].kind == SERIES_AREA)
			return false;
	return height >= LEGEND_HEIGHT && its > to - from && its <= width;
}

struct placement placement_of(const struct figure *f, int width, int height)
{
	struct placement l = {.plot = {0, 0, width, height}, .header = -1, .legend = -1, .label_row = -1};
	l.axes = width >= LEAST_WIDTH && height >= LEAST_HEIGHT;
	if (l.axes) {
		if (height >= HEADER_HEIGHT) {
			l.header = l.legend = 0;
			if (legend_wants_row(f, width, height))
				l.legend = 1;
			l.plot.y = l.legend + 1;
		}
		if (height >= TALL)
			l.label_row = height - 1;
		l.plot.height = height - l.plot.y - 2 - (l.label_row >= 0); // the axis' line and its ticks' texts
	}
	int y_ticks = y_ticks_for(l.plot.height);
	l.y = scale_of(f, AXIS_Y, y_ticks);
	l.right = scale_of(f, AXIS_RIGHT, y_ticks);
	ticks_choose(&l.y, y_ticks, &l.y_ticks);
	ticks_choose(&l.right, y_ticks, &l.right_ticks);
	if (l.axes) {
		// One more cell for the axis itself; the least width keeps the picture from jumping as the numbers change.
		int left = 1 + (f->heat ? names_width(f->heat, width) : widest(&l.y_ticks, LEAST_GUTTER));
		int right = f->right.label[0] ? 1 + widest(&l.right_ticks, LEAST_GUTTER) : 1;
		if (f->heat)
			l.names = left - 1;
		if (left + right > width / 2) { // absurdly long texts
			left = width / 4;
			right = f->right.label[0] ? width / 4 : 1;
			l.names = f->heat ? left - 1 : 0;
		}
		l.plot.x = left;
		l.plot.width = width - left - right;
	}
	int x_ticks = at_least(l.plot.width / (f->heat && f->heat->parts ? widest_part(f->heat) + 1 : CELLS_PER_X_TICK), 2);
	l.x = scale_of(f, AXIS_X, x_ticks);
	ticks_of_x(f, &l.x, x_ticks, &l.x_ticks);
	return l;
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

enum { BAR, RULE, CORNER, CORNER_RIGHT, TICK_LEFT, TICK_RIGHT, TICK_BELOW };

static uint32_t part(const struct raster *r, int which)
{
	static const uint32_t lines[] = {0x2502, 0x2500, 0x2514, 0x2518, 0x2524, 0x251c, 0x252c};
	return r->glyphs != CANVAS_ASCII ? lines[which] : which == BAR ? '|' : which == RULE ? '-' : '+';
}

// The cell row of a fraction of the height, counted from the area's top.
static int row_of(double fraction, int height)
{
	return raster_cell(1 - fraction, height);
}

static void side(struct raster *r, const struct placement *l, const struct scale *s, const struct ticks *t, bool right)
{
	int x = right ? l->plot.x + l->plot.width : l->plot.x - 1;
	for (int y = 0; y < l->plot.height; y++)
		raster_put(r, x, l->plot.y + y, part(r, BAR), ROLES);
	for (int i = 0; i < t->count; i++) {
		int y = row_of(scale_map(s, t->at[i]), l->plot.height);
		if (y < 0)
			continue;
		int width = raster_text_width(t->text[i]), room = right ? r->width - x - 1 : x;
		raster_put(r, x, l->plot.y + y, part(r, right ? TICK_RIGHT : TICK_LEFT), ROLES);
		raster_text(r, right ? x + 1 : x - (width < room ? width : room), l->plot.y + y, room, t->text[i], ROLES);
	}
}

static void below(struct raster *r, const struct figure *f, const struct placement *l, bool right)
{
	const struct area *p = &l->plot;
	int y = p->y + p->height, free_from = 0, end = p->x + p->width;
	for (int x = 0; x < p->width; x++)
		raster_put(r, p->x + x, y, part(r, RULE), ROLES);
	raster_put(r, p->x - 1, y, part(r, CORNER), ROLES);
	if (right)
		raster_put(r, end, y, part(r, CORNER_RIGHT), ROLES);
	for (int i = 0; i < l->x_ticks.count; i++) {
		int x = raster_cell(scale_map(&l->x, l->x_ticks.at[i]), p->width);
		if (x < 0)
			continue;
		raster_put(r, p->x + x, y, part(r, TICK_BELOW), ROLES);
		int width = raster_text_width(l->x_ticks.text[i]), from = p->x + x - width / 2;
		if (from + width > r->width)
			from = r->width - width;
		if (from < free_from)
			continue;
		raster_text(r, from, y + 1, width, l->x_ticks.text[i], ROLES);
		free_from = from + width + 1;
	}
	// What covers the plot leaves no cells for upright lines: the marks stand on the axis.
	for (int i = 0; figure_covered(f) && i < f->line_count; i++) {
		int x = f->line[i].vertical ? raster_cell(scale_map(&l->x, f->line[i].at), p->width) : -1;
		if (x >= 0)
			raster_put(r, p->x + x, y, r->glyphs == CANVAS_ASCII ? '^' : 0x25b4, f->line[i].role);
	}
	int width = raster_text_width(f->x.label);
	if (l->label_row >= 0)
		raster_elide(r, p->x + (width < p->width ? (p->width - width) / 2 : 0), l->label_row, p->width, f->x.label,
			ROLES);
	else if (width > 0 && width + 10 <= p->width) {
		raster_put(r, end - width - 2, y, ' ', ROLES);
		raster_text(r, end - width - 1, y, width, f->x.label, ROLES);
		raster_put(r, end - 1, y, ' ', ROLES);
	}
}

void placement_axes(struct raster *r, const struct figure *f, const struct placement *l)
{
	if (!l->axes)
		return;
	bool right = f->right.label[0];
	if (!f->heat)
		side(r, l, &l->y, &l->y_ticks, false);
	if (right)
		side(r, l, &l->right, &l->right_ticks, true);
	below(r, f, l, right);
	if (l->header < 0)
		return;
	int from = right ? raster_text_width(f->right.label) : 0;
	raster_elide(r, 0, l->header, r->width - (from ? from + 1 : 0), f->y.label, ROLES);
	if (right)
		raster_elide(r, from < r->width ? r->width - from : 0, l->header, r->width, f->right.label, ROLES);
}

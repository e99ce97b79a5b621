// SPDX-License-Identifier: GPL-3.0-or-later
// Figures as SVG inside a page: without gnuplot, script or link. Colours are the page's: classes c0, c1, … of its style.
#include "plots/build.h"
#include "plots/heatmap.h"
#include "plots/levels.h"
#include "plots/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 300, LEFT = 64, RIGHT = 52, TOP = 36, BOTTOM = 44, LETTER = 6 };

struct sheet {
	struct string *out;
	const struct figure *figure;
	struct scale x, y, right;
	double left, top, width, height; // of the data
};

void figure_svg_text(struct string *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': string_add(out, "&amp;"); break;
		case '<': string_add(out, "&lt;"); break;
		case '>': string_add(out, "&gt;"); break;
		case '"': string_add(out, "&quot;"); break;
		default:
			if ((unsigned char)*text >= ' ')
				string_bytes(out, text, 1);
		}
}

static void text_at(const struct sheet *s, double x, double y, const char *anchor, const char *text)
{
	string_add(s->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	figure_svg_text(s->out, text);
	string_add(s->out, "</text>");
}

static double x_of(const struct sheet *s, double value)
{
	return s->left + s->width * scale_map(&s->x, value);
}

static double y_of(const struct sheet *s, bool right, double value)
{
	return s->top + s->height * (1 - scale_map(right ? &s->right : &s->y, value));
}

static void line_at(const struct sheet *s, const char *class, double x0, double y0, double x1, double y1)
{
	string_add(s->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", class, x0, y0, x1, y1);
}

// ---- axes ----------------------------------------------------------------------------------------------------------

static void draw_ticks_y(const struct sheet *s, bool right)
{
	struct ticks ticks;
	ticks_choose(right ? &s->right : &s->y, 6, &ticks);
	for (int i = 0; i < ticks.count; i++) {
		double y = y_of(s, right, ticks.at[i]);
		if (!right)
			line_at(s, "grid", s->left, y, s->left + s->width, y);
		text_at(s, right ? s->left + s->width + 6 : s->left - 6, y + 4, right ? "start" : "end", ticks.text[i]);
	}
}

static void draw_axes(const struct sheet *s)
{
	const struct figure *f = s->figure;
	struct ticks ticks;
	ticks_of_x(f, &s->x, f->heat && f->heat->parts ? TICKS : 9, &ticks);
	for (int i = 0; i < ticks.count; i++) {
		double x = x_of(s, ticks.at[i]);
		line_at(s, "axis", x, s->top + s->height, x, s->top + s->height + 4);
		text_at(s, x, s->top + s->height + 17, "middle", ticks.text[i]);
	}
	text_at(s, s->left + s->width / 2, s->top + s->height + 34, "middle", f->x.label);
	line_at(s, "axis", s->left, s->top + s->height, s->left + s->width, s->top + s->height);
	if (f->heat)
		return;
	draw_ticks_y(s, false);
	if (f->right.label[0])
		draw_ticks_y(s, true);
	text_at(s, 4, 14, "start", f->y.label);
	if (f->right.label[0])
		text_at(s, WIDTH - 4, 14, "end", f->right.label);
}

// ---- data ----------------------------------------------------------------------------------------------------------

static bool inside(const struct sheet *s, const struct series *from, size_t i, double *x, double *y)
{
	*x = x_of(s, from->x[i]);
	*y = y_of(s, from->right, from->y[i]);
	return isfinite(*x) && isfinite(*y);
}

static void draw_path(const struct sheet *s, const struct series *from)
{
	bool begun = false;
	double x, y, before = 0;
	string_add(s->out, "<path class=\"line p c%d\" d=\"", (int)from->role);
	for (size_t i = 0; i < from->count; i++) {
		if (!inside(s, from, i, &x, &y)) {
			begun = false;
			continue;
		}
		if (begun && from->kind == SERIES_STEPS)
			string_add(s->out, "L%.1f %.1f", x, before);
		string_add(s->out, "%s%.1f %.1f", begun ? "L" : "M", x, y);
		begun = true;
		before = y;
	}
	string_add(s->out, "\"/>");
}

// The opacity of a level among so many.
static double opacity(int level, int levels)
{
	return 0.08 + 0.92 * level / (levels > 1 ? levels - 1 : 1);
}

// Along its upper edge, and back along its lower one.
static void draw_area(const struct sheet *s, const struct series *from, int level)
{
	const struct figure *f = s->figure;
	string_add(s->out, "<path class=\"h\" style=\"opacity:%.2f\" d=\"", opacity(level, areas_of(f)));
	for (size_t i = 0; i < from->count; i++)
		string_add(s->out, "%s%.1f %.1f", i ? "L" : "M", x_of(s, from->x[i]), y_of(s, false, from->y[i]));
	for (size_t i = from->count; i-- > 0;)
		string_add(s->out, "L%.1f %.1f", x_of(s, from->x[i]), y_of(s, false, area_foot(f, level, i)));
	string_add(s->out, "z\"/>");
}

static void draw_sign(const struct sheet *s, enum figure_role role, double x, double y)
{
	if (role == ROLE_MAIN)
		string_add(s->out, "<path class=\"sign c%d\" d=\"M%.1f %.1fl5 5l-5 5l-5-5z\"/>", (int)role, x, y - 5);
	else if (role == ROLE_SAMPLED)
		string_add(s->out, "<path class=\"line c%d\" d=\"M%.1f %.1fh6M%.1f %.1fv6\"/>", (int)role, x - 3, y, x, y - 3);
	else
		string_add(s->out, "<circle class=\"%s c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>",
			role == ROLE_UNIFORM ? "line" : "sign", (int)role, x, y);
}

static void draw_points(const struct sheet *s, const struct series *from)
{
	double x, y;
	for (size_t i = 0; i < from->count; i++) {
		if (!inside(s, from, i, &x, &y))
			continue;
		draw_sign(s, from->role, x, y);
		if (from->label && from->label[i][0])
			text_at(s, x, from->role == ROLE_MAIN ? y - 9 : y + 15, "middle", from->label[i]);
	}
}

// A level's sample in the legend.
static void draw_shade(const struct sheet *s, int level, int levels, double x)
{
	string_add(s->out, "<rect class=\"h\" style=\"opacity:%.2f\" x=\"%.1f\" y=\"4\" width=\"10\" height=\"10\"/>",
		opacity(level, levels), x);
}

static void draw_legend(const struct sheet *s)
{
	const struct figure *f = s->figure;
	double x = s->left + (double)strlen(f->y.label) * LETTER;
	int areas = 0;
	for (int i = 0; i < f->series_count; i++) {
		const struct series *from = &f->series[i];
		if (!from->count || !from->name[0])
			continue;
		if (from->kind == SERIES_POINTS)
			draw_sign(s, from->role, x, 10);
		else if (from->kind == SERIES_AREA)
			draw_shade(s, areas++, areas_of(f), x - 6);
		else
			string_add(s->out, "<path class=\"line p c%d\" d=\"M%.1f 10h12\"/>", (int)from->role, x - 6);
		text_at(s, x + 10, 14, "start", from->name);
		x += 26 + (double)strlen(from->name) * LETTER;
	}
}

// Marks are numbered: the page has the key.
static void draw_lines(const struct sheet *s)
{
	const struct figure *f = s->figure;
	char number[16];
	for (int i = 0, marks = 0; i < f->line_count; i++) {
		const struct line *l = &f->line[i];
		double at = l->vertical ? x_of(s, l->at) : y_of(s, false, l->at);
		bool mark = figure_is_mark(l);
		snprintf(number, sizeof number, "%d", mark ? ++marks : 0);
		if (!isfinite(at))
			continue;
		const char *class = mark ? "mark" : "target";
		if (l->vertical)
			line_at(s, class, at, s->top, at, s->top + s->height);
		else
			line_at(s, class, s->left, at, s->left + s->width, at);
		if (l->vertical)
			text_at(s, at, s->top - 3, "middle", mark ? number : l->label);
	}
}

// ---- heat ----------------------------------------------------------------------------------------------------------

static void draw_heat(const struct sheet *s)
{
	const struct heat *h = s->figure->heat;
	double tall = s->height / h->rows;
	for (int row = 0; row < h->rows; row++) {
		const float *value = h->value + (size_t)row * (size_t)h->columns;
		if (tall >= 8 || row % (int)ceil(8 / tall) == 0)
			text_at(s, s->left - 4, s->top + tall * (row + 0.5) + 3.5, "end", h->row[row]);
		for (int from = 0, to; from < h->columns; from = to) {
			int level = heatmap_level(h, value[from]);
			for (to = from + 1; to < h->columns && heatmap_level(h, value[to]) == level; to++)
				;
			if (level >= 0)
				string_add(s->out,
					"<rect class=\"h\" style=\"opacity:%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
					opacity(level, h->levels), s->left + s->width * from / h->columns, s->top + tall * row,
					s->width * (to - from) / h->columns, tall > 3 ? tall - 1 : tall);
		}
	}
	for (int i = 0; i < h->levels; i++) {
		double x = s->left + i * (s->width / (h->levels > 6 ? h->levels : 6));
		draw_shade(s, i, h->levels, x);
		text_at(s, x + 13, 13, "start", h->level[i]);
	}
}

void figure_svg(const struct figure *f, struct string *out)
{
	struct sheet s = {.out = out, .figure = f, .left = LEFT, .top = TOP};
	double height = HEIGHT;
	if (f->heat) {
		int widest = 0;
		for (int i = 0; i < f->heat->rows; i++)
			widest = (int)strlen(f->heat->row[i]) > widest ? (int)strlen(f->heat->row[i]) : widest;
		s.left = 12 + widest * LETTER;
		height = TOP + BOTTOM + (f->heat->rows * 16 < 1200 ? f->heat->rows * 16 : 1200);
	}
	s.width = WIDTH - s.left - (f->right.label[0] ? RIGHT : 16);
	s.height = height - TOP - BOTTOM;
	s.x = scale_of(f, AXIS_X, 9);
	s.y = scale_of(f, AXIS_Y, 6);
	s.right = scale_of(f, AXIS_RIGHT, 6);
	if (f->heat)
		s.x = (struct scale){
			f->heat->first, f->heat->last > f->heat->first ? f->heat->last : f->heat->first + 1, false, 0};
	string_add(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\"><title>", WIDTH, height);
	figure_svg_text(out, f->title);
	string_add(out, "</title>");
	draw_axes(&s);
	if (f->heat && f->heat->rows > 0 && f->heat->columns > 0)
		draw_heat(&s);
	for (int level = 0; level < areas_of(f); level++)
		draw_area(&s, area_at(f, level), level);
	draw_lines(&s);
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].kind == SERIES_POINTS)
			draw_points(&s, &f->series[i]);
		else if (f->series[i].kind != SERIES_AREA)
			draw_path(&s, &f->series[i]);
	if (!f->heat)
		draw_legend(&s);
	string_add(out, "</svg>\n");
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/page.h"

#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plots/raster.h"

static const double cm_per_point = 2.54 / 72;
static const double letter = 0.6; // width of a letter in a type of 1, on the safe side

double page_text_width(const struct page *p, const char *text)
{
	return raster_text_width(text) * letter * p->points * cm_per_point;
}

const char *page_legend_text(const struct series *s, char buf[LEGEND_TEXT])
{
	snprintf(buf, LEGEND_TEXT, s->size ? "%s (area: %s)" : "%s%s", s->name, s->size_of);
	return buf;
}

double page_legend_entry(const struct page *p, const struct series *s)
{
	char text[LEGEND_TEXT];
	return 3.1 * p->line + page_text_width(p, page_legend_text(s, text)); // a sample and three gaps
}

int page_legend_row(const struct page *p, const struct figure *f, int first)
{
	double width = 0;
	int count = 0;
	while (first + count < f->series_count) {
		width += page_legend_entry(p, &f->series[first + count]);
		if (count && width > p->width)
			break;
		count++;
	}
	return count;
}

static double widest_tick(const struct page *p, const struct ticks *t)
{
	double most = 0;
	for (int i = 0; i < t->count; i++)
		most = fmax(most, page_text_width(p, t->text[i]));
	return most;
}

// The widest name below it, with a letter's room.
static double widest_part(const struct page *p, const struct heat *h)
{
	double most = 0;
	for (int i = 0; i < h->parts; i++)
		most = fmax(most, page_text_width(p, h->part[i]));
	return most + letter * p->points * cm_per_point;
}

static void measure_heat(struct page *p, const struct heat *h)
{
	double names = 0, levels = 0;
	for (int i = 0; i < h->rows; i++)
		names = fmax(names, page_text_width(p, h->row[i]));
	for (int i = 0; i < h->levels; i++)
		levels = fmax(levels, page_text_width(p, h->level[i]));
	p->left = fmin(names + p->line / 2, p->width * 0.45);
	p->right = p->width - fmin(levels + 2 * p->line, p->width * 0.3);
	// A row is as high as its name, with a little air; few rows are made higher, many as low as the page asks.
	double rows = 1.15 * p->line * h->rows;
	p->height = p->bottom + fmin(fmax(rows, p->width * 0.3), p->width * 1.2) + p->height - p->top;
	p->top = p->height - (p->words_above ? 2.9 : 1.9) * p->line;
}

// ---- the key of marks ------------------------------------------------------------------------------------------------

enum { KEY_ROWS = 5, KEY_LETTERS = 44 };

// Marks at one place share what stands above them: "3-5" at the first one.
const char *page_line_text(const struct figure *f, int i, char buf[16])
{
	int number = 0, more = 0;
	if (!figure_is_mark(&f->line[i]))
		return f->line[i].label;
	for (int k = 0; k < f->line_count; k++) {
		number += k <= i && figure_is_mark(&f->line[k]);
		if (k == i || !figure_is_mark(&f->line[k]) || f->line[k].at != f->line[i].at)
			continue;
		if (k < i)
			return "";
		more++;
	}
	snprintf(buf, 16, more ? "%d-%d" : "%d", number, number + more);
	return buf;
}

const char *page_key(const struct page *p, const struct figure *f, int mark, char text[64], int *row, double *x)
{
	const double gap = 1.5 * p->line, more = 4 * p->line; // more: room for how many are left out
	double at = p->line / 2;
	const int rows = f->key_rows ? f->key_rows : KEY_ROWS;
	int number = 0, y = 0, marks = 0;
	for (int i = 0; i < f->line_count; i++)
		marks += figure_is_mark(&f->line[i]);
	for (int i = 0; i < f->line_count; i++) {
		if (!figure_is_mark(&f->line[i]))
			continue;
		number++;
		snprintf(text, 64, "%d %.*s", number, KEY_LETTERS, f->line[i].label);
		double width = page_text_width(p, text);
		if (at > p->line && at + width > p->width - (y + 1 == rows && number < marks ? more : 0)) {
			if (y + 1 == rows) {
				snprintf(text, 64, "+%d more", marks - number + 1);
				*row = y;
				*x = at;
				return mark == number - 1 ? text : NULL;
			}
			at = p->line / 2;
			y++;
		}
		*row = y;
		*x = at;
		if (mark == number - 1)
			return text;
		at += width + gap;
	}
	return NULL;
}

int page_key_rows(const struct page *p, const struct figure *f)
{
	char text[64];
	int rows = 0, row;
	double x;
	for (int mark = 0; page_key(p, f, mark, text, &row, &x); mark++)
		rows = row + 1;
	return rows;
}

// ---- the page --------------------------------------------------------------------------------------------------------

struct page page_of(const struct figure *f, double width_cm, double font)
{
	struct page p = {.width = width_cm, .height = width_cm * 0.7, .points = font > 0 ? font : width_cm < 12 ? 7 : 9};
	p.line = 1.25 * p.points * cm_per_point;
	for (int i = 0; i < f->line_count; i++)
		p.words_above |= f->line[i].vertical && f->line[i].label[0];
	p.top = p.height - (p.words_above ? 2.9 : 1.9) * p.line;
	p.bottom = (f->series_count > 1 ? 4.4 : 3.1) * p.line; // ticks, axis label, legend
	for (int i = page_legend_row(&p, f, 0); i < f->series_count; i += page_legend_row(&p, f, i)) { // further rows of it
		p.bottom += 1.2 * p.line;
		p.top += 1.2 * p.line;
		p.height += 1.2 * p.line;
	}
	const double key = 1.2 * p.line * page_key_rows(&p, f);
	p.bottom += key;
	p.top += key;
	p.height += key;
	enum { Y_TICKS = 6 };
	p.y = scale_of(f, AXIS_Y, Y_TICKS);
	p.y2 = scale_of(f, AXIS_RIGHT, Y_TICKS);
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].label) { // room for labels above the highest points
			p.y.high = scale_at(&p.y, 1 + 1.3 * p.line / (p.top - p.bottom));
			break;
		}
	ticks_choose(&p.y, Y_TICKS, &p.y_ticks);
	ticks_choose(&p.y2, Y_TICKS, &p.y2_ticks);
	p.left = 2.2 * p.line + widest_tick(&p, &p.y_ticks);
	p.right = p.width - (f->right.label[0] ? 2.6 * p.line + widest_tick(&p, &p.y2_ticks) : 1.2 * p.line);
	if (f->heat)
		measure_heat(&p, f->heat);
	// A tick's text, and as much blank.
	const bool named = f->heat && f->heat->parts;
	int x_ticks = (int)((p.right - p.left) / (named ? widest_part(&p, f->heat) : 6 * letter * p.points * cm_per_point));
	x_ticks = x_ticks < 2 ? 2 : x_ticks > 9 && !named ? 9 : x_ticks;
	p.x = scale_of(f, AXIS_X, x_ticks);
	ticks_of_x(f, &p.x, x_ticks, &p.x_ticks);
	return p;
}

static double across(const struct page *p, double x)
{
	return p->left + scale_map(&p->x, x) * (p->right - p->left);
}

static double up(const struct page *p, const struct scale *s, double y)
{
	return p->bottom + scale_map(s, y) * (p->top - p->bottom);
}

struct spot page_line_name(const struct page *p, const struct figure *f, int which)
{
	double taken = -INFINITY; // the end of the name before
	for (int i = 0; i <= which; i++) {
		const struct line *l = &f->line[i];
		char number[16];
		double width = page_text_width(p, page_line_text(f, i, number));
		if (!l->vertical) {
			double y = up(p, &p->y, l->at) + 0.6 * p->line;
			if (i == which)
				return (struct spot){p->left + p->line / 2, y, y > p->bottom && y < p->top ? "left" : NULL};
			continue;
		}
		double x = across(p, l->at), from = x - width / 2;
		bool inside = x >= p->left - 0.01 && x <= p->right + 0.01;
		from = fmin(fmax(from, 0.1), p->width - 0.1 - width);
		from = fmax(from, fmin(taken, x)); // as far aside as it still stands over its line
		bool room = inside && from >= taken && from + width < p->width;
		if (i == which)
			return (struct spot){from, p->top + 0.65 * p->line, room ? "left" : NULL};
		if (room)
			taken = from + width + p->line / 2;
	}
	return (struct spot){0};
}

// ---- labels of points ------------------------------------------------------------------------------------------------

struct box {
	double x0, y0, x1, y1;
};

static bool meet(const struct box *a, const struct box *b)
{
	return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

double page_point_size(const struct series *s, size_t k)
{
	static const double least = 0.4, most = 1.6;
	return s->size ? fmax(least, most * sqrt(s->size[k])) : 1;
}

static bool meets_points(const struct page *p, const struct figure *f, const struct box *box, bool sampled_too)
{
	for (int i = 0; i < f->series_count; i++) {
		const struct series *s = &f->series[i];
		if (s->kind != SERIES_POINTS || (s->role == ROLE_SAMPLED && !sampled_too))
			continue;
		for (size_t k = 0; k < s->count; k++) {
			double x = across(p, s->x[k]), y = up(p, s->right ? &p->y2 : &p->y, s->y[k]);
			double r = 0.29 * p->line * fmax(1, page_point_size(s, k));
			struct box its = {x - r, y - r, x + r, y + r};
			if (meet(box, &its))
				return true;
		}
	}
	return false;
}

static bool meets_lines(const struct page *p, const struct figure *f, const struct box *box)
{
	for (int i = 0; i < f->line_count; i++) {
		double x = f->line[i].vertical ? across(p, f->line[i].at) : NAN;
		if (x > box->x0 && x < box->x1)
			return true;
	}
	return false;
}

static struct box box_of(const struct page *p, const struct spot *s, double width)
{
	double from = s->align[0] == 'l' ? s->x : s->align[0] == 'r' ? s->x - width : s->x - width / 2;
	return (struct box){from, s->y - p->line / 2, from + width, s->y + p->line / 2};
}

// Whether a label that stands already meets the box.
static bool meets_labels(const struct page *p, const struct figure *f, struct spot *const *spot, const struct box *box)
{
	for (int i = 0; i < f->series_count; i++)
		for (size_t k = 0; f->series[i].label && k < f->series[i].count; k++) {
			if (!spot[i][k].align)
				continue;
			struct box taken = box_of(p, &spot[i][k], page_text_width(p, f->series[i].label[k]));
			if (meet(box, &taken))
				return true;
		}
	return false;
}

// Whether a label has room at `its`.
static bool has_room(const struct page *p, const struct figure *f, struct spot *const *spot, const char *label,
	const struct spot *its, bool strict)
{
	struct box box = box_of(p, its, page_text_width(p, label));
	if (box.x0 < p->left || box.x1 > p->width || box.y0 < p->bottom || box.y1 > p->top + p->line / 2)
		return false;
	return !meets_points(p, f, &box, strict) && !meets_lines(p, f, &box) && !meets_labels(p, f, spot, &box);
}

static void series_names(const struct page *p, const struct figure *f, const struct series *s, struct spot *const *all,
	struct spot *spot)
{
	// Costs grow to the right and quality upwards: a front bends to the upper left and leaves its lower right free.
	static const struct {
		double x, y; // in lines, from the point
		const char *align;
	} places[] = {{0.3, -0.75, "left"}, {0, -1, "center"}, {0.6, 0, "left"}, {0, 1, "center"}, {-0.3, 0.75, "right"},
		{0.3, 0.75, "left"}, {-0.6, 0, "right"}, {-0.3, -0.75, "right"}};
	enum { PLACES = sizeof places / sizeof places[0] };
	// From the right, where the page ends. Twice through the places: sampled points may be written over if need be.
	for (size_t k = s->count; k-- > 0;) {
		double x = across(p, s->x[k]), y = up(p, s->right ? &p->y2 : &p->y, s->y[k]);
		if (!s->label[k][0] || !isfinite(x) || !isfinite(y) || strcmp(s->label[k], s->name) == 0) // the legend says it
			continue;
		for (int i = 0; i < 2 * PLACES && !spot[k].align; i++) {
			if (s->kind != SERIES_POINTS && places[i % PLACES].y == 0)
				continue; // on the line itself
			struct spot its = {
				x + places[i % PLACES].x * p->line, y + places[i % PLACES].y * p->line, places[i % PLACES].align};
			if (has_room(p, f, all, s->label[k], &its, i < PLACES))
				spot[k] = its;
		}
	}
}

void page_point_names(const struct page *p, const struct figure *f, struct spot *const *spot)
{
	for (int i = 0; i < f->series_count; i++)
		for (size_t k = 0; f->series[i].label && k < f->series[i].count; k++)
			spot[i][k].align = NULL;
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].label)
			series_names(p, f, &f->series[i], spot, spot[i]);
}

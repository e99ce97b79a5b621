// SPDX-License-Identifier: GPL-3.0-or-later
// Figures are made for print at 8 cm (a column) and 16 cm (a page): 7 to 9 point type, thin axes, the palette of Okabe and Ito,
// and a dash and point of its own for each role. Heat maps use viridis, which keeps its order in grey.
#include "plots/script.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plots/build.h"
#include "plots/heatmap.h"
#include "plots/levels.h"
#include "plots/page.h"

#define SVG_PER_CM (96 / 2.54)
#define PNG_PER_CM (300 / 2.54)

// Type is given in points; fontscale is what makes a point 1/72 inch at the resolution.
static const struct picture_format formats[] = {
	{"svg", "svg", "size %.0f,%.0f font 'Helvetica,%.1f' fontscale 1.333 linewidth 1 butt", SVG_PER_CM},
	{"png", "pngcairo", "size %.0f,%.0f font 'Helvetica,%.1f' fontscale 3.125 linewidth 3.2 pointscale 3.2 butt", PNG_PER_CM},
	{"pdf", "pdfcairo", "size %.2fcm,%.2fcm font 'Helvetica,%.1f' fontscale 0.75 linewidth 1.5 pointscale 0.75 butt", 1},
};

const struct picture_format *picture_formats(size_t *count)
{
	*count = sizeof formats / sizeof formats[0];
	return formats;
}

const struct picture_format *picture_format_named(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strlen(formats[i].name) == length && !strncmp(formats[i].name, name, length))
			return &formats[i];
	return NULL;
}

static const struct {
	const char *color, *dash; // dash: lengths on and off
	double width;
	int point, hollow; // gnuplot's point type; that of what is estimated
	double size;
	const char *ink; // of words, where thin type needs more contrast; NULL: the color
} looks[ROLES] = {
	[ROLE_MAIN] = {"#D55E00", "solid", 1.6, 13, 12, 1.2, NULL},       // vermillion, filled diamond
	[ROLE_SECOND] = {"#0072B2", "(12,4)", 1.6, 2, 2, 0.8, NULL},      // blue, cross
	[ROLE_SAMPLED] = {"#009E73", "(3,3)", 1.6, 1, 8, 0.7, NULL},      // bluish green, plus
	[ROLE_UNIFORM] = {"#000000", "(12,3,3,3)", 1.2, 6, 4, 0.9, NULL}, // black, open circle
	[ROLE_FRONT] = {"#56B4E9", "solid", 1.4, 7, 6, 0.5, "#1F6F9C"},   // sky blue
	[ROLE_TARGET] = {"#CC79A7", "(8,4)", 1.6, 0, 0, 0, "#993D73"},    // reddish purple
	[ROLE_MARK] = {"#808080", "(2,4)", 1.2, 0, 0, 0, "#606060"},      // grey
	[ROLE_LANE + 0] = {"#D55E00", "solid", 1.4, 7, 6, 0.9, NULL},
	[ROLE_LANE + 1] = {"#0072B2", "solid", 1.4, 5, 4, 0.9, NULL},
	[ROLE_LANE + 2] = {"#009E73", "solid", 1.4, 9, 8, 0.9, NULL},
	[ROLE_LANE + 3] = {"#CC79A7", "solid", 1.4, 11, 10, 0.9, NULL},
	[ROLE_LANE + 4] = {"#000000", "solid", 1.4, 13, 12, 0.9, NULL},
	[ROLE_LANE + 5] = {"#8A6D00", "solid", 1.4, 15, 14, 0.9, NULL},
	[ROLE_LANE + 6] = {"#56B4E9", "solid", 1.4, 3, 3, 0.9, NULL},
	[ROLE_LANE + 7] = {"#5A3E8E", "solid", 1.4, 2, 2, 0.9, NULL},
};

static const char *const viridis = "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'";
static const unsigned viridis_at[] = {0x440154, 0x3b528b, 0x21918c, 0x5ec962, 0xfde725}; // in even parts
enum { COLOR = 8 };

// The colour of a level among so many. Returns buf.
static const char *shade_of(int level, int levels, char buf[COLOR])
{
	const int last = sizeof viridis_at / sizeof *viridis_at - 1;
	const double at = levels > 1 ? (double)level / (levels - 1) * last : 0;
	const int from = at < last ? (int)at : last - 1;
	unsigned mixed = 0;
	for (int shift = 16; shift >= 0; shift -= 8) {
		const double low = viridis_at[from] >> shift & 0xff, high = viridis_at[from + 1] >> shift & 0xff;
		mixed |= (unsigned)(low + (high - low) * (at - from) + 0.5) << shift;
	}
	snprintf(buf, COLOR, "#%06x", mixed);
	return buf;
}

// An apostrophe stands outside the quotes: gnuplot's own escape, a doubled one, fails at the beginning of a string and
// where two follow each other, and what comes after it would be taken for a command.
static const char apostrophe[] = "'.\"\\047\".'";

void script_quote(struct string *t, const char *s)
{
	string_bytes(t, "'", 1);
	for (; *s; s++)
		if (*s == '\'')
			string_bytes(t, apostrophe, sizeof apostrophe - 1);
		else if ((unsigned char)*s >= ' ' && *s != 0x7f)
			string_bytes(t, s, 1);
	string_bytes(t, "'", 1);
}

static void quoted(struct string *t, const char *before, const char *s, const char *after)
{
	string_add(t, "%s", before);
	script_quote(t, s);
	string_add(t, "%s", after);
}

// A tick's text goes through a printf of gnuplot's own: percent signs are doubled.
static void tick_text(struct string *t, const char *s)
{
	char twice[2 * ENGINE_NAME + 1], *to = twice;
	for (; *s && to < twice + sizeof twice - 2; s++) {
		if (*s == '%')
			*to++ = '%';
		*to++ = *s;
	}
	*to = 0;
	script_quote(t, twice);
}

static void axis(struct string *t, const char *name, const char *label, const struct scale *s, const struct ticks *ticks)
{
	string_add(t, "set %srange [%.9g:%.9g]\n", name, s->low, s->high);
	if (s->logarithmic)
		string_add(t, "set logscale %s 10\n", name);
	if (s->whole > 0)
		string_add(t, "set nonlinear %s via log(%s/(%.9g-%s)) inverse %.9g/(1+exp(-%s))\n", name, name, s->whole, name,
			s->whole, name);
	string_add(t, "set %stics out nomirror scale 0.6 (", name);
	for (int i = 0; i < ticks->count; i++) {
		string_add(t, "%s", i ? ", " : "");
		tick_text(t, ticks->text[i]);
		string_add(t, " %.9g", ticks->at[i]);
	}
	string_add(t, ")\nset %slabel ", name);
	script_quote(t, label);
	string_add(t, "\n");
}

static int point_of(const struct series *s)
{
	return s->estimated ? looks[s->role].hollow : looks[s->role].point;
}

static const char *ink_of(enum figure_role role)
{
	return looks[role].ink ? looks[role].ink : looks[role].color;
}

static void word(struct string *t, const struct page *p, const struct spot *s, const char *text, const char *color)
{
	if (!s->align || !text[0])
		return;
	quoted(t, "set label ", text, "");
	string_add(t, " at screen %.4f,%.4f %s front tc rgb '%s'\n", s->x / p->width, s->y / p->height, s->align, color);
}

static void straight_lines(struct string *t, const struct figure *f, const struct page *p)
{
	for (int i = 0; i < f->line_count; i++) {
		const struct line *l = &f->line[i];
		double place = scale_map(l->vertical ? &p->x : &p->y, l->at);
		if (!(place >= 0 && place <= 1))
			continue;
		string_add(t,
			l->vertical ? "set arrow from first %.9g, graph 0 to first %.9g, graph 1"
				    : "set arrow from graph 0, first %.9g to graph 1, first %.9g",
			l->at, l->at);
		string_add(t, " nohead %s lc rgb '%s' lw %g dt %s\n", figure_covered(f) ? "front" : "back", looks[l->role].color,
			looks[l->role].width, looks[l->role].dash);
		struct spot spot = page_line_name(p, f, i);
		char number[16];
		word(t, p, &spot, page_line_text(f, i, number), ink_of(l->role));
	}
}

static enum figure_role role_of_mark(const struct figure *f, int mark)
{
	for (int i = 0; i < f->line_count; i++)
		if (figure_is_mark(&f->line[i]) && mark-- == 0)
			return f->line[i].role;
	return ROLE_MARK; // of how many are left out
}

// Below the legend: what the numbers of the marks mean.
static void key_of_marks(struct string *t, const struct figure *f, const struct page *p)
{
	const int rows = page_key_rows(p, f);
	char text[64];
	const char *entry;
	int row;
	double x;
	for (int mark = 0; (entry = page_key(p, f, mark, text, &row, &x)); mark++)
		word(t, p, &(struct spot){x, (0.75 + 1.2 * (rows - 1 - row)) * p->line, "left"}, entry,
			ink_of(role_of_mark(f, mark)));
}

static void point_labels(struct string *t, const struct figure *f, const struct page *p)
{
	size_t labels = 0;
	for (int i = 0; i < f->series_count; i++)
		labels += f->series[i].label ? f->series[i].count : 0;
	struct spot *all = calloc(labels + 1, sizeof *all), **spot = calloc((size_t)f->series_count + 1, sizeof *spot),
		    *next = all;
	if (!all || !spot)
		t->failed = true;
	for (int i = 0; !t->failed && i < f->series_count; i++) {
		spot[i] = next;
		next += f->series[i].label ? f->series[i].count : 0;
	}
	if (!t->failed)
		page_point_names(p, f, spot);
	for (int i = 0; !t->failed && i < f->series_count; i++)
		for (size_t k = 0; f->series[i].label && k < f->series[i].count; k++)
			word(t, p, &spot[i][k], f->series[i].label[k], ink_of(f->series[i].role));
	free(all);
	free(spot);
}

// What a series looks like, left of its name in the legend.
static void sample(struct string *t, const struct series *s, const char *shade, const struct page *p, double x, double y)
{
	const double width = 1.6 * p->line;
	if (s->kind == SERIES_POINTS)
		string_add(t, "set label '' at screen %.4f,%.4f point pt %d ps %g lw 1.2 lc rgb '%s'\n",
			(x + width * 0.75) / p->width, y / p->height, point_of(s), looks[s->role].size, looks[s->role].color);
	else if (s->kind == SERIES_AREA)
		string_add(t, "set object rectangle from screen %.4f,%.4f to screen %.4f,%.4f fs solid 1 noborder fc rgb '%s'\n",
			(x + width / 3) / p->width, (y - 0.35 * p->line) / p->height, (x + width) / p->width,
			(y + 0.35 * p->line) / p->height, shade);
	else
		string_add(t, "set arrow from screen %.4f,%.4f to screen %.4f,%.4f nohead lc rgb '%s' lw %g dt %s\n",
			x / p->width, y / p->height, (x + width) / p->width, y / p->height, looks[s->role].color,
			looks[s->role].width, looks[s->role].dash);
}

// Drawn here, and not by gnuplot's key, which breaks the entries into rows as it guesses.
static void legend(struct string *t, const struct figure *f, const struct page *p)
{
	double wide = 1.6 * p->line, gap = 0.5 * p->line, x = 0;
	double y = (0.75 + 1.2 * page_key_rows(p, f)) * p->line;
	char shade[COLOR], text[LEGEND_TEXT];
	int left = 0, rows = 0, areas = 0; // entries of this row that are still to come
	for (int i = 0; i < f->series_count; i += page_legend_row(p, f, i))
		rows++;
	y += 1.2 * p->line * rows;
	for (int i = 0; f->series_count > 1 && i < f->series_count; i++, left--) { // of a single one the axis says what it is
		const struct series *s = &f->series[i];
		if (!left) {
			double total = -2 * gap;
			left = page_legend_row(p, f, i);
			for (int k = 0; k < left; k++)
				total += page_legend_entry(p, &f->series[i + k]);
			x = fmax((p->width - total) / 2, gap);
			y -= 1.2 * p->line;
		}
		sample(t, s, shade_of(areas, areas_of(f), shade), p, x, y);
		areas += s->kind == SERIES_AREA;
		word(t, p, &(struct spot){x + wide + gap, y, "left"}, page_legend_text(s, text), "#000000");
		x += page_legend_entry(p, s);
	}
}

// Begins the command that draws series i, whose data are a block of their own.
static void series_begin(struct string *t, const struct figure *f, int i, bool first, const char *data)
{
	int block = 0;
	for (int k = 0; k < i; k++)
		block += f->series[k].count > 0;
	string_add(t, "%s%s index %d using 1:2%s axes x1%s with ", first ? "plot " : ", \\\n\t", data, block,
		f->series[i].size ? ":3" : "", f->series[i].right ? "y2" : "y1");
}

// The highest first, each down to 0, and the ones below over it: there are no seams between them.
static int area_commands(struct string *t, const struct figure *f, const char *data)
{
	char shade[COLOR];
	int drawn = 0, level = areas_of(f);
	for (int i = f->series_count - 1; i >= 0; i--) {
		const struct series *s = &f->series[i];
		if (s->kind != SERIES_AREA)
			continue;
		level--;
		if (!s->count)
			continue;
		series_begin(t, f, i, !drawn++, data);
		string_add(t, "filledcurves y1=0 fs solid 1 noborder fc rgb '%s'", shade_of(level, areas_of(f), shade));
		quoted(t, " title ", s->name, "");
	}
	return drawn;
}

static void points_look(struct string *t, const struct series *s)
{
	if (s->size)
		string_add(t, "pt %d ps variable lw 1.2", point_of(s));
	else
		string_add(t, "pt %d ps %g lw 1.2", point_of(s), looks[s->role].size);
}

static void series_commands(struct string *t, const struct figure *f, const char *data)
{
	static const char *const styles[] = {[SERIES_LINE] = "lines", [SERIES_STEPS] = "steps", [SERIES_POINTS] = "points"};
	int drawn = area_commands(t, f, data);
	for (int i = 0; i < f->series_count; i++) {
		const struct series *s = &f->series[i];
		if (!s->count || s->kind == SERIES_AREA)
			continue;
		series_begin(t, f, i, !drawn++, data);
		string_add(t, "%s lc rgb '%s' ", styles[s->kind], looks[s->role].color);
		if (s->kind == SERIES_POINTS)
			points_look(t, s);
		else
			string_add(t, "dt %s lw %g", looks[s->role].dash, looks[s->role].width);
		quoted(t, " title ", s->name, ""); // an svg shows it at the pointer
	}
	string_add(t, "%s\n", drawn ? "" : "plot NaN"); // axes alone
}

static void heat_commands(struct string *t, const struct figure *f, const struct page *p, const char *data)
{
	const struct heat *h = f->heat;
	int levels = h->levels > 0 ? h->levels : 10;
	string_add(t, "set palette maxcolors %d defined (%s)\n", levels > 1 ? levels : 2, viridis);
	string_add(t,
		"set cbrange [-0.5:%g]\nset colorbox user noborder origin screen %.4f, screen %.4f "
		"size screen %.4f, screen %.4f\nset cbtics scale 0 (",
		levels - 0.5, (p->right + 0.5 * p->line) / p->width, p->bottom / p->height, 0.5 * p->line / p->width,
		(p->top - p->bottom) / p->height);
	for (int i = 0; i < h->levels; i++) {
		string_add(t, "%s", i ? ", " : "");
		tick_text(t, h->level[i]);
		string_add(t, " %d", i);
	}
	string_add(t, ")\nset yrange [%g:-0.5]\nset ytics nomirror scale 0 (", h->rows - 0.5);
	int stride = 1 + (int)(p->line * h->rows / (p->top - p->bottom)); // else the names would run into each other
	for (int i = 0; i < h->rows; i += stride) {
		string_add(t, "%s", i ? ", " : "");
		tick_text(t, h->row[i]);
		string_add(t, " %d", i);
	}
	string_add(t, ")\nplot %s using 1:2:3:4:5:6:7 with boxxyerror fs solid 1 noborder lc palette title 'formats'\n", data);
}

void script_commands(struct string *t, const struct figure *f, const struct picture_format *format, double width_cm, double font,
	const char *data, const char *output)
{
	struct page p = page_of(f, width_cm, font);
	// Numbers of a script have a decimal point, whatever the person's language.
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!plain) {
		t->failed = true;
		return;
	}
	locale_t before = uselocale(plain);
	string_add(t, "reset\nset encoding utf8\nset terminal %s noenhanced background '#ffffff' ", format->terminal);
	string_add(t, format->settings, p.width * format->per_cm, p.height * format->per_cm, p.points);
	quoted(t, "\nset output ", output, "\n");
	string_add(t,
		"set lmargin at screen %.4f\nset rmargin at screen %.4f\nset bmargin at screen %.4f\n"
		"set tmargin at screen %.4f\n",
		p.left / p.width, p.right / p.width, p.bottom / p.height, p.top / p.height);
	struct spot title = {(p.left + p.right) / 2, p.height - 0.9 * p.line, "center"};
	char text[sizeof f->title];
	snprintf(text, sizeof text, "%s", f->title);
	for (char *aside; page_text_width(&p, text) > p.width && (aside = strrchr(text, ';'));)
		*aside = '\0'; // what can be left out where there is no room
	double half = page_text_width(&p, text) / 2;
	title.x = fmax(half, fmin(title.x, p.width - half));
	word(t, &p, &title, text, "#000000");
	string_add(t, "set border %d lw 0.8\n", f->right.label[0] ? 11 : 3);
	string_add(t, "unset key\n");
	legend(t, f, &p);
	key_of_marks(t, f, &p);
	axis(t, "x", f->x.label, &p.x, &p.x_ticks);
	if (!f->heat)
		axis(t, "y", f->y.label, &p.y, &p.y_ticks);
	if (!f->heat && f->right.label[0])
		axis(t, "y2", f->right.label, &p.y2, &p.y2_ticks);
	straight_lines(t, f, &p);
	if (f->heat) {
		heat_commands(t, f, &p, data);
	} else {
		point_labels(t, f, &p);
		series_commands(t, f, data);
	}
	string_add(t, "set output\n");
	uselocale(before);
	freelocale(plain);
}

// Boxes: x, y, their sides, the level; neighbours of one level are one box.
static void heat_data(struct string *t, const struct heat *h)
{
	double step = h->columns > 1 ? (h->last - h->first) / (h->columns - 1) : 1;
	for (int row = 0; row < h->rows; row++) {
		const float *value = h->value + (size_t)row * (size_t)h->columns;
		for (int from = 0, to; from < h->columns; from = to) {
			int level = heatmap_level(h, value[from]);
			for (to = from + 1; to < h->columns && heatmap_level(h, value[to]) == level; to++)
				;
			double left = h->first + (from - 1) * step, right = h->first + (to - 1) * step;
			if (level >= 0)
				string_add(t, "%.9g %d %.9g %.9g %g %g %d\n", (left + right) / 2, row, left, right, row - 0.44,
					row + 0.44, level);
		}
	}
}

static void data_line(struct string *t, const struct series *s, size_t k)
{
	string_add(t, "%.9g %.9g", s->x[k], s->y[k]);
	if (s->size)
		string_add(t, " %.3g", looks[s->role].size * page_point_size(s, k));
	string_add(t, "\n");
}

void script_data(struct string *t, const struct figure *f)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!plain) {
		t->failed = true;
		return;
	}
	locale_t before = uselocale(plain);
	if (f->heat)
		heat_data(t, f->heat);
	int blocks = 0;
	for (int i = 0; !f->heat && i < f->series_count; i++) {
		const struct series *s = &f->series[i];
		if (s->count)
			string_add(t, "%s# ", blocks++ ? "\n\n" : ""); // two blank lines part the blocks
		if (s->count)
			quoted(t, "", s->name, "\n");
		for (size_t k = 0; k < s->count; k++)
			if (isfinite(s->x[k]) && isfinite(s->y[k]))
				data_line(t, s, k);
			else
				string_add(t, "NaN NaN\n"); // a gap
	}
	uselocale(before);
	freelocale(plain);
}

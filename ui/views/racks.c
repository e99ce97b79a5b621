// SPDX-License-Identifier: GPL-3.0-or-later
// The racks of a pod with switches between them and without, under the same failures and repairs: which are up, which are down, and
// which job holds each. Beside them the goodput so far.
//
// A rack is a block. The planes of the machine's blocks stand side by side, so that on a fixed machine a job is a box of neighbours.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/views/views.h"

enum { GAP = 2, NUMBERS = 24, NUMBER = 8 };

static const char *const machine_name[RACKS_MACHINES] = {"Switched", "Fixed"};

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

// ---- the cells ---------------------------------------------------------------------------------------------------------

struct grid {
	int planes;     // side by side
	int wide, high; // cells
	int line;       // lines of a row
};

static struct grid grid_of(const struct block_grid *g)
{
	int planes = 1;
	while (planes * planes < g->side[2])
		planes++;
	return (struct grid){planes, planes * g->side[0], (g->side[2] + planes - 1) / planes * g->side[1], 1};
}

static void place_of(const struct block_grid *g, int block, int *x, int *y)
{
	int planes = grid_of(g).planes, z = block / g->side[0] / g->side[1];
	*x = z % planes * g->side[0] + block % g->side[0];
	*y = z / planes * g->side[1] + block / g->side[0] % g->side[1];
}

static void draw_block(struct screen *s, const struct goodput_block *b, int letter, int x, int y, int width)
{
	char text[16];
	enum style style = STYLE_TRACK;
	if (b->down) {
		snprintf(text, sizeof text, "%s%d", glyph(s->ascii, GLYPH_FAILED), b->down);
		style = STYLE_BAD;
	} else if (b->jobs > 1 || (b->jobs == 1 && b->chips < 64)) {
		snprintf(text, sizeof text, "%d", b->jobs);
		style = STYLE_TEXT;
	} else if (b->jobs == 1) {
		snprintf(text, sizeof text, width > 4 ? "%c %d" : "%c",
			letter < 0            ? '*'
				: letter < 26 ? 'A' + letter
					      : 'a' + letter - 26,
			b->blocks);
		style = letter < 0 ? STYLE_TEXT : (enum style)(STYLE_LANE + letter % LANE_COLOURS);
	} else {
		snprintf(text, sizeof text, "%s", glyph(s->ascii, GLYPH_DOT));
	}
	screen_put(s, x, y, width, style, text);
}

static void draw_machine(struct screen *s, const struct racks *k, enum racks_machine m, struct rect r, int cell, int high)
{
	const struct goodput_now *now = &k->now[m];
	int down = 0, x, y;
	for (int b = 0; b < now->grid.blocks; b++) {
		down += now->block[b].down > 0;
		place_of(&now->grid, b, &x, &y);
		if (y * high + 1 < r.height)
			draw_block(s, &now->block[b], k->letter[m][b], r.x + x * cell, r.y + 1 + y * high,
				least(cell, r.width - x * cell));
	}
	screen_print(s, r.x, r.y, r.width, STYLE_TITLE, "%s: %d down", machine_name[m], down);
}

// ---- numbers -----------------------------------------------------------------------------------------------------------

struct lines {
	struct screen *screen;
	struct rect r;
	int y;
};

static void line(struct lines *l, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void line(struct lines *l, enum style style, const char *format, ...)
{
	char text[160];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (l->y < l->r.y + l->r.height)
		screen_fit(l->screen, l->r.x, l->y, l->r.width, style, text);
	l->y++;
}

static const char *percent(double share, char buf[16])
{
	snprintf(buf, 16, "-");
	if (!isnan(share))
		snprintf(buf, 16, "%.1f %%", 100 * share);
	return buf;
}

static void shares(struct lines *l, enum style style, const char *name, double switched, double fixed)
{
	char a[16], b[16];
	line(l, style, "%-8s%*s%*s", name, NUMBER, percent(switched, a), NUMBER, percent(fixed, b));
}

static void counts(struct lines *l, const char *name, long switched, long fixed)
{
	line(l, STYLE_TEXT, "%-8s%*ld%*ld", name, NUMBER, switched, NUMBER, fixed);
}

// In closed form, where there is one: for one size of at least a block.
static double foreseen(const struct racks *k, bool fixed)
{
	struct goodput_case c = k->question.asked;
	c.fixed = fixed;
	return c.axis[0] * c.axis[1] * c.axis[2] >= 64 ? goodput_busy(&k->question.grid, &c) : (double)NAN;
}

static void draw_numbers(const struct racks *k, struct screen *s, struct rect r)
{
	const struct goodput_now *a = &k->now[RACKS_SWITCHED], *b = &k->now[RACKS_FIXED];
	const double all = a->grid.blocks * 64.;
	char jobs[64];
	struct lines l = {s, r, r.y};
	bool changed = a->since > 0;
	line(&l, STYLE_STRONG, "day %.0f%s", a->hours / 24, k->running ? ", running" : "");
	line(&l, STYLE_TEXT, "hosts up %.6g %%", 100 * k->question.asked.availability);
	line(&l, STYLE_TEXT, "a repair takes %.3g h", k->question.world.input[IN_REPAIR]);
	line(&l, STYLE_TEXT, "jobs: %s", racks_jobs(k, jobs));
	line(&l, STYLE_TEXT, "held back %d, tried %d", k->question.asked.spares, most(k->question.asked.window, 1));
	line(&l, STYLE_DIM, "%-8s%*s%*s", "chips", NUMBER, "switched", NUMBER, "fixed");
	shares(&l, STYLE_TEXT, "now", a->chips / all, b->chips / all);
	shares(&l, STYLE_STRONG, changed ? "since" : "so far", a->run.busy, b->run.busy);
	shares(&l, STYLE_TEXT, "formula", foreseen(k, false), foreseen(k, true));
	shares(&l, STYLE_TEXT, "useful", a->run.useful, b->run.useful);
	counts(&l, "hit", a->run.hits, b->run.hits);
	counts(&l, "done", a->run.jobs, b->run.jobs);
	counts(&l, "waits", a->waiting_chips, b->waiting_chips);
	line(&l, STYLE_DIM, "%ld failures%s", a->run.failures, changed ? " since" : "");
}

// ---- days --------------------------------------------------------------------------------------------------------------

// A column for each day, from the bottom of its machine's lines up to the share of all chips that ran a job.
static void draw_days(const struct racks *k, struct screen *s, struct rect r)
{
	const int shown = least(k->days, r.width - 9), lines = most(1, least(r.height / 2, 6)), full = RAMP_LEVELS - 1;
	for (int m = 0; m < RACKS_MACHINES && (m + 1) * lines <= r.height; m++) {
		const int foot = r.y + (m + 1) * lines - 1;
		screen_put(s, r.x, foot, 9, STYLE_DIM, machine_name[m]);
		for (int i = 0; i < shown; i++) {
			int level = most(1, (int)(k->day[m][k->days - shown + i] * full * lines + .5));
			for (int up = 0; level > 0; up++, level -= full)
				screen_put(s, r.x + 9 + i, foot - up, 1, m == RACKS_SWITCHED ? STYLE_MAIN : STYLE_SECOND,
					glyph_ramp(s->ascii, least(level, full)));
		}
	}
	if (k->days == 0)
		screen_fit(s, r.x + 10, r.y, r.width - 10, STYLE_DIM, "here the share of chips that run a job, by day");
}

// ---- the whole ---------------------------------------------------------------------------------------------------------

// Whether the numbers stand beside both machines, with cells of this width.
static bool beside(int width, const struct grid *g, int cell)
{
	return 2 * (g->wide * cell + GAP) + NUMBERS <= width;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	const struct racks *k = scene->racks;
	struct rect r = item->pane[0], in = {r.x + 2, r.y + 1, r.width - 4, r.height - 2};
	struct grid g = grid_of(&k->question.grid);
	char title[160];
	int cell = 5;
	while (cell > 2 && !beside(in.width, &g, cell))
		cell--;
	g.line = in.height >= 2 * g.high + 12 ? 2 : 1;
	int wide = least(most(g.wide * cell, 20), (in.width - NUMBERS) / 2 - GAP);
	for (int m = 0; m < RACKS_MACHINES; m++)
		draw_machine(s, k, (enum racks_machine)m, (struct rect){in.x + m * (wide + GAP), in.y, wide, in.height - 3}, cell,
			g.line);
	int x = in.x + 2 * (wide + GAP);
	draw_numbers(k, s, (struct rect){x, in.y, in.x + in.width - x, in.height - 3});
	int below = least(most(g.high * g.line + 2, 15), in.height - 2);
	draw_days(k, s, (struct rect){in.x, in.y + below, in.width, in.height - below});
	snprintf(title, sizeof title, "Racks of %s", k->question.world.pod[0].name);
	screen_box(s, r, title);
	char legend[128];
	snprintf(legend, sizeof legend, " a letter: a job  1-9 small jobs  %s2 down, 2 of its hosts are  %s free ",
		glyph(s->ascii, GLYPH_FAILED), glyph(s->ascii, GLYPH_DOT));
	screen_fit(s, r.x + 2, r.y + r.height - 1, r.width - 4, STYLE_DIM, legend);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->racks;
}

const struct view_ops view_racks = {
	.name = "racks",
	.title = "the racks of a pod day by day, that `goodput` or `explore goodput` shows",
	.place = LAYOUT_ALONE,
	.key = '9',
	.measure = measure,
	.draw = draw,
};

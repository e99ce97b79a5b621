// SPDX-License-Identifier: GPL-3.0-or-later
// The cost terms: what each weighs, where its target is and how far the modal choice (and a draft) is from it.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/show.h"
#include "ui/views/columns.h"
#include "ui/views/views.h"

struct row {
	const struct scene *scene;
	struct screen *s;
	const struct term_state *term;
	int index;
};

static void draw_mark(const struct row *r, int x, int y, int width)
{
	(void)width;
	if (r->index == r->scene->term)
		screen_put(r->s, x, y, 1, STYLE_STRONG, glyph(r->s->ascii, GLYPH_CURSOR));
}

static void draw_name(const struct row *r, int x, int y, int width)
{
	enum style style = r->index == r->scene->term ? STYLE_STRONG : r->term->weight > 0.0 ? STYLE_TEXT : STYLE_DIM;
	screen_fit(r->s, x, y, width, style, r->term->name);
}

static void draw_weight(const struct row *r, int x, int y, int width)
{
	char text[16];
	snprintf(text, sizeof text, "%.3g", r->term->weight);
	screen_right(r->s, x, y, width, STYLE_TEXT, text);
}

static void draw_target(const struct row *r, int x, int y, int width)
{
	screen_right(r->s, x, y, width, r->term->targeted ? STYLE_TARGET : STYLE_DIM,
		r->term->targeted ? r->term->target_text : "none");
}

static void draw_amount(const struct row *r, int x, int y, int width, enum style style, double value)
{
	char text[16];
	screen_right(r->s, x, y, width, style, show_si(value, text, sizeof text));
}

static void draw_target_value(const struct row *r, int x, int y, int width)
{
	if (r->term->targeted)
		draw_amount(r, x, y, width, STYLE_DIM, r->term->target);
}

static void draw_expected(const struct row *r, int x, int y, int width)
{
	draw_amount(r, x, y, width, STYLE_DIM, r->term->expected);
}

static void draw_modal(const struct row *r, int x, int y, int width)
{
	draw_amount(r, x, y, width, STYLE_MAIN, r->term->modal);
}

static void draw_draft(const struct row *r, int x, int y, int width)
{
	if (r->scene->draft_cost)
		draw_amount(r, x, y, width, STYLE_DRAFT, r->scene->draft_cost[r->index]);
}

// The draft's ratio while there is one: it is what the person is moving.
static void draw_ratio(const struct row *r, int x, int y, int width)
{
	const struct term_state *t = r->term;
	if (!t->targeted || !(t->target > 0.0))
		return;
	bool draft = r->scene->draft && r->scene->draft_cost;
	double ratio = (draft ? r->scene->draft_cost[r->index] : t->modal) / t->target;
	char text[16];
	screen_put(r->s, x, y, 1, STYLE_DIM, glyph(r->s->ascii, GLYPH_TIMES));
	screen_right(r->s, x + 1, y, width - 1, draft ? STYLE_DRAFT : fabs(ratio - 1.0) < 0.05 ? STYLE_GOOD : STYLE_WARN,
		show_ratio(ratio, text, sizeof text));
}

static void draw_unit(const struct row *r, int x, int y, int width)
{
	screen_fit(r->s, x, y, width, STYLE_DIM, r->term->unit ? r->term->unit : "");
}

static void tick(const struct row *r, int x, int y, int width, double value, enum style style, enum glyph g)
{
	const struct term_state *t = r->term;
	if (!(t->low > 0.0 && t->high > t->low && value > 0.0))
		return;
	double share = log(value / t->low) / log(t->high / t->low); // ratios are what a person compares
	share = share > 1.0 ? 1.0 : share > 0.0 ? share : 0.0;
	screen_put(r->s, x + (int)(share * (width - 1) + 0.5), y, 1, style, glyph(r->s->ascii, g));
}

// From the cheapest to the dearest choice that is allowed: where the target, the modal choice and the draft lie.
static void draw_slider(const struct row *r, int x, int y, int width)
{
	if (r->term->why[0]) {
		screen_fit(r->s, x, y, width, STYLE_DIM, r->term->why);
		return;
	}
	screen_run(r->s, x, y, width, STYLE_TRACK, GLYPH_METER_EMPTY);
	if (r->term->targeted)
		tick(r, x, y, width, r->term->target, STYLE_TARGET, GLYPH_SLIDER_TARGET);
	tick(r, x, y, width, r->term->modal, STYLE_MAIN, GLYPH_SLIDER_MODAL);
	if (r->scene->draft && r->scene->draft_cost)
		tick(r, x, y, width, r->scene->draft_cost[r->index], STYLE_DRAFT, GLYPH_SLIDER_DRAFT);
}

static const struct cost_column {
	const char *head;
	bool right;
	void (*draw)(const struct row *, int x, int y, int width);
	int least, ideal, rank;
} cost_column[] = {
	{"", false, draw_mark, 2, 2, 0},
	{"cost", false, draw_name, 5, 14, 0},
	{"weight", true, draw_weight, 6, 6, 2},
	{"target", true, draw_target, 6, 8, 0},
	{"is", true, draw_target_value, 5, 6, 4},
	{"sampled", true, draw_expected, 7, 7, 5},
	{"now", true, draw_modal, 5, 6, 0},
	{"draft", true, draw_draft, 5, 6, 0},
	{"ratio", true, draw_ratio, 5, 5, 1},
	{"unit", false, draw_unit, 7, 7, 6},
	{"cheapest to dearest", false, draw_slider, 6, 64, 7},
};
enum { NAME = 1, NAME_MOST = 16, UNIT = 9, COLUMNS = sizeof cost_column / sizeof *cost_column };

// Fills in which terms are shown, and returns how many: those that a person is at work with, then, while there is room, latency and
// the others as they come.
static int shown_terms(const struct scene *scene, int rows, int shown[ENGINE_TERMS])
{
	bool wanted[ENGINE_TERMS] = {false};
	int count = 0, terms = scene->snapshot->terms;
	for (int i = 0; i < terms; i++) {
		const struct term_state *t = &scene->snapshot->term[i];
		wanted[i] = t->weight > 0.0 || t->targeted || i == scene->term || strcmp(t->name, "bops") == 0 || strcmp(t->name, "size") == 0;
		count += wanted[i];
	}
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < terms && count < rows; i++)
			if (!wanted[i] && (pass > 0 || strcmp(scene->snapshot->term[i].name, "latency") == 0)) {
				wanted[i] = true;
				count++;
			}
	count = 0;
	for (int i = 0; i < terms; i++)
		if (wanted[i])
			shown[count++] = i;
	return count;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	struct rect r = item->pane[0];
	screen_box(s, r, "Costs");
	struct column c[COLUMNS];
	for (int i = 0; i < COLUMNS; i++) {
		bool shown = cost_column[i].draw != draw_draft || scene->draft;
		c[i] = (struct column){shown ? cost_column[i].least : 0, cost_column[i].ideal, cost_column[i].rank, 0, 0};
	}
	int shown[ENGINE_TERMS], rows = r.height - 3, terms = shown_terms(scene, rows, shown);
	for (int i = 0; i < terms; i++) { // names before numbers
		const struct term_state *t = &scene->snapshot->term[shown[i]];
		int name = screen_width(t->name), unit = t->unit ? screen_width(t->unit) : 0;
		if (unit > c[UNIT].ideal)
			c[UNIT].ideal = unit;
		if (name > c[NAME].least)
			c[NAME].least = name < NAME_MOST ? name : NAME_MOST;
	}
	columns_fit(c, COLUMNS, r.width - 3);
	for (int i = 0; i < COLUMNS; i++) {
		if (c[i].width == 0)
			continue;
		if (cost_column[i].right)
			screen_right(s, r.x + 1 + c[i].x, r.y + 1, c[i].width, STYLE_DIM, cost_column[i].head);
		else
			screen_fit(s, r.x + 1 + c[i].x, r.y + 1, c[i].width, STYLE_DIM, cost_column[i].head);
	}
	int at = 0;
	while (at < terms - 1 && shown[at] < scene->term)
		at++;
	int top = at >= rows ? at - rows + 1 : 0;
	for (int i = 0; i < rows && top + i < terms; i++) {
		struct row row = {scene, s, &scene->snapshot->term[shown[top + i]], shown[top + i]};
		for (int k = 0; k < COLUMNS; k++)
			if (c[k].width > 0)
				cost_column[k].draw(&row, r.x + 1 + c[k].x, r.y + 2 + i, c[k].width);
		if (row.index == scene->term)
			screen_light(s, r.x + 1, r.y + 2 + i, r.width - 2);
	}
	draw_box_hints(scene, s, r, r.y + r.height - 1, view_costs.name);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->rows = 1 + scene->snapshot->terms;
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	scene->term = motion_to(m, scene->term, scene->snapshot->terms, page);
}

static bool select_term(void *own, struct scene *scene, const char *name)
{
	(void)own;
	for (int i = 0; i < scene->snapshot->terms; i++)
		if (strcmp(scene->snapshot->term[i].name, name) == 0) {
			scene->term = i;
			return true;
		}
	return false;
}

const struct view_ops view_costs = {
	.name = "costs", .title = "cost terms and their targets", .place = LAYOUT_TABLE, .key = '2', .measure = measure, .draw = draw,
	.move = move, .select = select_term,
};

// SPDX-License-Identifier: GPL-3.0-or-later
// The page of a tour that drives the screen: what it says, below everything that it speaks of; and the light on the pane that it speaks of.
#include <stdio.h>
#include <string.h>

#include "ui/views/views.h"

enum { EDGES = 4, FRAME = 2, ROWS_MOST = 9 }; // columns and rows that the box takes, and the highest text

// Lines of text that it takes to say all.
static int lines_of(const char *text, int width)
{
	int lines = 0;
	while (*text) {
		const char *end = text + strcspn(text, "\n");
		const char *from = text;
		char one[512];
		snprintf(one, sizeof one, "%.*s", (int)(end - from), from);
		lines += screen_lines(one, width);
		text = *end ? end + 1 : end;
	}
	return lines;
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	const struct tour_shown *t = scene->tour;
	item->wanted &= t != NULL;
	if (!t)
		return;
	const int width = s->width - EDGES;
	const int lines = lines_of(t->text, width) + lines_of(t->answer, width) + lines_of(t->notes, width);
	item->rows = FRAME + (lines < 1 ? 1 : lines > ROWS_MOST ? ROWS_MOST : lines);
}

// Draws a text from row y on, broken at blanks; returns the row below it.
static int draw_text(struct screen *s, struct rect r, int y, enum style style, const char *text)
{
	while (*text && y < r.y + r.height - 1) {
		const char *end = text + strcspn(text, "\n");
		char one[512];
		snprintf(one, sizeof one, "%.*s", (int)(end - text), text);
		const char *rest = one;
		do {
			const char *from = rest;
			const int bytes = (int)screen_break(from, r.width - EDGES, &rest);
			screen_print(s, r.x + 2, y++, r.width - EDGES, style, "%.*s", bytes, from);
		} while (*rest && y < r.y + r.height - 1);
		text = *end ? end + 1 : end;
	}
	return y;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	const struct tour_shown *t = scene->tour;
	const struct rect r = item->pane[0];
	char title[sizeof t->title + 8];
	snprintf(title, sizeof title, "Tour: %s", t->title);
	screen_box(s, r, title);
	int y = draw_text(s, r, r.y + 1, STYLE_STRONG, t->text);
	y = draw_text(s, r, y, STYLE_WARN, t->answer);
	draw_text(s, r, y, STYLE_DIM, t->notes);
	const int width = screen_width(t->foot);
	if (r.height > 2 && width + 6 < r.width)
		screen_print(s, r.x + r.width - 4 - width, r.y + r.height - 1, width + 2, STYLE_KEY, " %s ", t->foot);
}

const struct view_ops view_tour = {
	.name = "tour",
	.title = "the page of a tour",
	.place = LAYOUT_FOOT,
	.measure = measure,
	.draw = draw,
};

// ---- the light -----------------------------------------------------------------------------------------------------

static const struct framed {
	const char *plain, *doubled, *ascii; // glyphs of a frame, of a lit one, of a lit one in plain characters
} framed[] = {{"─", "═", "="}, {"│", "║", "#"}, {"╭", "╔", "#"}, {"╮", "╗", "#"}, {"╰", "╚", "#"}, {"╯", "╝", "#"},
	{"-", "═", "="}, {"|", "║", "#"}, {"+", "═", "#"}};

static void light_cell(struct screen *s, int x, int y)
{
	if (x < 0 || y < 0 || x >= s->width || y >= s->height)
		return;
	struct screen_cell *c = &s->cell[y * s->width + x];
	if (c->style != STYLE_BORDER)
		return;
	c->style = STYLE_KEY;
	for (size_t i = 0; i < sizeof framed / sizeof *framed; i++) {
		const char *plain = framed[i].plain, *lit = s->ascii ? framed[i].ascii : framed[i].doubled;
		if (screen_decode(&plain) == c->glyph) {
			c->glyph = screen_decode(&lit);
			return;
		}
	}
}

void light_pane(struct screen *s, struct rect r)
{
	for (int x = r.x; x < r.x + r.width; x++) {
		light_cell(s, x, r.y);
		light_cell(s, x, r.y + r.height - 1);
	}
	for (int y = r.y; y < r.y + r.height; y++) {
		light_cell(s, r.x, y);
		light_cell(s, r.x + r.width - 1, y);
	}
}

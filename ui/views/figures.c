// SPDX-License-Identifier: GPL-3.0-or-later
// Figures in panes: built by plots/, drawn by its cell canvas, framed and styled here.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/views/views.h"

static const enum style role_style[ROLES + 1] = {
	[ROLE_MAIN] = STYLE_MAIN,
	[ROLE_SECOND] = STYLE_SECOND,
	[ROLE_SAMPLED] = STYLE_SAMPLED,
	[ROLE_UNIFORM] = STYLE_UNIFORM,
	[ROLE_FRONT] = STYLE_FRONT,
	[ROLE_TARGET] = STYLE_TARGET,
	[ROLE_MARK] = STYLE_MARK,
	[ROLE_LANE + 0] = STYLE_LANE + 0,
	[ROLE_LANE + 1] = STYLE_LANE + 1,
	[ROLE_LANE + 2] = STYLE_LANE + 2,
	[ROLE_LANE + 3] = STYLE_LANE + 3,
	[ROLE_LANE + 4] = STYLE_LANE + 4,
	[ROLE_LANE + 5] = STYLE_LANE + 5,
	[ROLE_LANE + 6] = STYLE_LANE + 6,
	[ROLE_LANE + 7] = STYLE_LANE + 7,
	[ROLES] = STYLE_AXES,
};

static void draw_cells(struct screen *s, struct rect r, const struct cell *cell, const struct figure *f)
{
	int levels = f->heat && f->heat->levels > 1 ? f->heat->levels : 2;
	for (int y = 0; y < r.height; y++)
		for (int x = 0; x < r.width; x++) {
			const struct cell *c = &cell[y * r.width + x];
			enum style style = role_style[c->role <= ROLES ? c->role : ROLES];
			if (c->level > 0)
				style = (enum style)(STYLE_FORMAT + (c->level - 1) * (FORMAT_LEVELS - 1) / (levels - 1));
			if (style >= STYLES)
				style = STYLES - 1;
			screen_glyph(s, r.x + x, r.y + y, style, c->glyph);
		}
}

enum { LEGEND_INSIDE = 44 }; // from this width on the canvas has room for its own legend

// In the lower side of a narrow box: which line is which, each name in its own style.
static void draw_legend(struct screen *s, struct rect r, const struct figure *f)
{
	if (r.width >= LEGEND_INSIDE || f->series_count < 2)
		return;
	int x = r.x + 2, y = r.y + r.height - 1, end = r.x + r.width - 2;
	for (int i = 0; i < f->series_count; i++) {
		const struct series *series = &f->series[i];
		int width = screen_width(series->name);
		if (series->count == 0 || x + width + 2 > end)
			continue;
		screen_put(s, x, y, 1, STYLE_BORDER, " ");
		screen_put(s, x + 1, y, width, role_style[series->role <= ROLES ? series->role : ROLES], series->name);
		screen_put(s, x + 1 + width, y, 1, STYLE_BORDER, " ");
		x += width + 2;
	}
}

// The figure's name, and what it shows where there is room to say it.
static void draw_frame(struct screen *s, struct rect r, const struct figure_kind *kind)
{
	char title[ENGINE_TEXT * 2];
	int name = snprintf(title, sizeof title, "%c%s", toupper((unsigned char)kind->name[0]), kind->name + 1);
	if (name + 2 + screen_width(kind->help) + 16 < r.width)
		snprintf(title + name, sizeof title - (size_t)name, ": %s", kind->help);
	screen_box(s, r, title);
}

void picture_free(struct picture *p)
{
	figure_free(p->figure);
	free(p->cell);
	*p = (struct picture){0};
}

// What it depends on. All of it is set, padding too: it is compared as bytes.
static void depends_on(const struct scene *scene, const struct figure_kind *kind, struct rect inner, struct picture_of *of)
{
	const struct figure_source *source = scene->source;
	memset(of, 0, sizeof *of);
	of->kind = kind;
	of->info = source->snapshot->info;
	of->version = source->snapshot->version;
	of->records = source->records;
	of->marks = source->marks;
	of->term = source->term;
	of->layer = source->layer;
	of->width = inner.width;
	of->height = inner.height;
	of->glyphs = scene->canvas;
}

// Builds and draws it into cells. False: there was no memory for it.
static bool make(struct picture *p, const struct scene *scene, const struct picture_of *of)
{
	picture_free(p);
	p->figure = of->kind->build(scene->source);
	p->cell = calloc((size_t)of->width * (size_t)of->height, sizeof *p->cell);
	if (!p->figure || !p->cell) {
		picture_free(p);
		return false;
	}
	canvas_draw(p->figure, p->cell, of->width, of->height, of->glyphs);
	p->any_layer = !of->kind->of_layer || canvas_shows_all(p->figure, of->width, of->height);
	memcpy(&p->of, of, sizeof *of);
	return true;
}

void picture_draw(struct picture *p, const struct scene *scene, struct screen *s, struct rect r, const struct figure_kind *kind)
{
	struct rect inner = {r.x + 1, r.y + 1, r.width - 2, r.height - 2};
	struct picture_of of;
	if (kind)
		draw_frame(s, r, kind);
	else
		screen_box(s, r, NULL);
	if (!kind || !scene->source || inner.width < 1 || inner.height < 1)
		return;
	depends_on(scene, kind, inner, &of);
	if (p->any_layer)
		p->of.layer = of.layer;
	// A snapshot that was never published says of no change.
	bool same = of.version > 0 && memcmp(&of, &p->of, sizeof of) == 0;
	if (!same && !make(p, scene, &of))
		return;
	draw_legend(s, r, p->figure);
	draw_cells(s, inner, p->cell, p->figure);
}

// ---- the front ------------------------------------------------------------------------------------------------------

static void draw_front(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	picture_draw(own, scene, s, item->pane[0], figure_kind_named("front"));
}

static void forget_front(void *own)
{
	picture_free(own);
}

const struct view_ops view_front = {
	.name = "front",
	.title = "cost against quality",
	.place = LAYOUT_FIGURE,
	.key = '3',
	.own = sizeof(struct picture),
	.end = forget_front,
	.forget = forget_front,
	.draw = draw_front,
};

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

void draw_figure(const struct scene *scene, struct screen *s, struct rect r, const struct figure_kind *kind)
{
	if (!kind) {
		screen_box(s, r, NULL);
		return;
	}
	draw_frame(s, r, kind);
	if (!scene->source)
		return;
	struct figure *f = kind->build(scene->source);
	if (!f)
		return;
	draw_legend(s, r, f);
	struct rect inner = {r.x + 1, r.y + 1, r.width - 2, r.height - 2};
	struct cell *cell = calloc((size_t)inner.width * (size_t)inner.height, sizeof *cell);
	if (cell) {
		canvas_draw(f, cell, inner.width, inner.height, scene->canvas);
		draw_cells(s, inner, cell, f);
		free(cell);
	}
	figure_free(f);
}

// ---- the front ------------------------------------------------------------------------------------------------------

static void draw_front(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	draw_figure(scene, s, item->pane[0], figure_kind_named("front"));
}

const struct view_ops view_front = {
	.name = "front", .title = "cost against quality", .place = LAYOUT_FIGURE, .key = '3', .draw = draw_front,
};

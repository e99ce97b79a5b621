// SPDX-License-Identifier: GPL-3.0-or-later
// Figures in panes: built by plots/, drawn by its cell canvas, framed and styled here.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "sessions/sessions.h"
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
	of->point = source->point;
	for (int i = 0; i < source->alones; i++)
		of->alones += !source->alone[i].under_way;
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

struct front {
	struct picture picture;
};

static struct point_known known_of(const struct snapshot *now, int point)
{
	struct point_known k = {true, 0xcbf29ce484222325u, now->point[point].cost[0]};
	for (int i = 0; now->point[point].choice && i < now->slots; i++)
		k.choice = (k.choice ^ now->point[point].choice[i]) * 0x100000001b3u;
	return k;
}

int point_index(const struct scene *scene, const struct point_known *k)
{
	const struct snapshot *now = scene->snapshot;
	int near = -1;
	bool its = false; // that one has the choice
	for (int i = 0; k->known && i < now->points; i++) {
		bool same = known_of(now, i).choice == k->choice;
		bool nearer = near < 0 || fabs(now->point[i].cost[0] - k->cost) < fabs(now->point[near].cost[0] - k->cost);
		if (same == its ? nearer : same) {
			near = i;
			its = same;
		}
	}
	return near;
}

void point_take(const struct scene *scene, struct point_known *k, int point)
{
	*k = point < 0 || point >= scene->snapshot->points ? (struct point_known){0} : known_of(scene->snapshot, point);
}

// "modal, step 300: 61.2 %, 20.1 M bit ops; s1 1/2, s1b1 3/1": what it is, and where it has one, its architecture.
static void write_point(const struct scene *scene, const struct front_point *p, struct string *text)
{
	const struct snapshot *now = scene->snapshot;
	char cost[ENGINE_TEXT];
	string_add(text, "%s", p->label[0] ? p->label : point_origin_word(p->origin));
	if (now->lanes > 1 && p->lane)
		string_add(text, " of lane %d", p->lane);
	string_add(text, p->trained ? ", trained %ld steps" : ", step %ld", p->trained ? p->trained : p->step);
	string_add(text, ": %s%.2f %%", now->estimated[0] ? "~" : "", 100 * p->accuracy);
	if (scene->term < now->terms && isfinite(p->cost[scene->term]))
		string_add(text, ", %s", number_brief(p->cost[scene->term], now->term[scene->term].brief, cost, sizeof cost));
	if (now->info->slots > now->info->formats && p->choice) {
		string_add(text, "; ");
		session_architecture(now->info, p->choice, text);
	}
}

// Below the figure, in the upper lines of `r`; returns how many it took, and draws none where `s` is NULL.
static int draw_point(struct screen *s, struct rect r, const char *text)
{
	int lines = 0;
	while (*text && lines < r.height) {
		const char *from = text;
		int bytes = (int)screen_break(from, r.width, &text);
		if (s)
			screen_print(s, r.x, r.y + lines, r.width, STYLE_TEXT, "%.*s", bytes, from);
		lines++;
	}
	return lines;
}

static void draw_front(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct front *f = own;
	struct rect r = item->pane[0], figure = r;
	const int point = point_index(scene, &scene->point.hand);
	struct figure_source with = scene->source ? *scene->source : (struct figure_source){0};
	struct scene own_scene = *scene;
	struct string text = {0};
	if (point >= 0) {
		struct rect below = {r.x + 1, 0, r.width - 2, r.height / 3};
		write_point(scene, &scene->snapshot->point[point], &text);
		const char *says = text.failed ? "" : text.bytes;
		const int lines = draw_point(NULL, below, says);
		figure.height -= lines;
		below.y = r.y + figure.height;
		draw_point(s, below, says);
	}
	with.point = point + 1;
	if (scene->source)
		own_scene.source = &with;
	picture_draw(&f->picture, &own_scene, s, figure, figure_kind_named("front"));
	string_free(&text);
}

// Up and down along the front; sideways through all points.
static void move_front(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	const struct snapshot *now = scene->snapshot;
	const int at = point_index(scene, &scene->point.hand);
	const bool all = m == MOTION_LEFT || m == MOTION_RIGHT;
	int *shown = calloc((size_t)now->points + 1, sizeof *shown), count = 0, place = -1;
	for (int i = 0; shown && i < now->points; i++)
		if (all || !now->point[i].dominated) {
			place = at >= i ? count : place;
			shown[count++] = i;
		}
	if (count > 0) {
		enum motion along = m == MOTION_LEFT ? MOTION_UP : m == MOTION_RIGHT ? MOTION_DOWN : m;
		bool between = place >= 0 && shown[place] != at && along == MOTION_UP; // one step up is to the one before
		point_take(scene, &scene->point.hand,
			shown[place < 0           ? (m == MOTION_LAST ? count - 1 : 0)
					: between ? place
						  : motion_to(along, place, count, page)]);
	}
	free(shown);
}

static bool open_front(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	if (point_index(scene, &scene->point.hand) < 0)
		return false;
	string_add(line, "view point");
	return true;
}

// One, to compare others with.
static bool mark_front(void *own, struct scene *scene, const char *text, struct fault *f)
{
	(void)own;
	const int hand = point_index(scene, &scene->point.hand);
	if (text[0] && strcmp(text, "none") != 0)
		return fault_set(f, text, "give none, or nothing", "one point is marked, to compare others with");
	if (hand < 0 && !text[0])
		return fault_set(f, "mark", "j takes one", "no point is in hand");
	point_take(scene, &scene->point.mark, text[0] || point_index(scene, &scene->point.mark) == hand ? -1 : hand);
	return true;
}

static void end_front(void *own)
{
	picture_free(&((struct front *)own)->picture);
}

static const char *const teach[] = {"open", "hand draft", "hand pin", "mark", "zoom", NULL};

const struct view_ops view_front = {
	.name = "front",
	.title = "cost against quality",
	.place = LAYOUT_FIGURE,
	.key = '3',
	.own = sizeof(struct front),
	.end = end_front,
	.forget = end_front,
	.draw = draw_front,
	.move = move_front,
	.mark = mark_front,
	.open = open_front,
	.teach = teach,
	.thing = "point",
};

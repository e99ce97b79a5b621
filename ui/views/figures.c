// SPDX-License-Identifier: GPL-3.0-or-later
// Figures in panes: built by plots/, drawn by its cell canvas, framed and styled here.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "sessions/sessions.h"
#include "ui/show.h"
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
	int levels = figure_levels(f) > 1 ? figure_levels(f) : 2;
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
static void depends_on(const struct scene *scene, const struct figure_kind *kind, int width, int height, struct picture_of *of)
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
	of->window.fixed = source->window.fixed; // field by field: bytes between them are compared too
	of->window.low = source->window.low;
	of->window.high = source->window.high;
	of->window.kind = source->window.kind;
	of->window.past = source->window.past;
	of->window.accuracy = source->window.accuracy;
	of->window.past_step = source->window.past_step;
	of->window.target = source->window.target;
	of->looked = source->errors ? source->errors->step + 1 : 0;
	for (int i = 0; i < source->alones; i++)
		of->alones += !source->alone[i].under_way;
	of->width = width;
	of->height = height;
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

bool picture_make(struct picture *p, const struct scene *scene, const struct figure_kind *kind, int width, int height)
{
	struct picture_of of;
	if (!scene->source || width < 1 || height < 1)
		return false;
	depends_on(scene, kind, width, height, &of);
	if (p->any_layer)
		p->of.layer = of.layer;
	// A snapshot that was never published says of no change.
	bool same = of.version > 0 && memcmp(&of, &p->of, sizeof of) == 0;
	return same || make(p, scene, &of);
}

void picture_row(const struct picture *p, struct screen *s, int x, int y, int row)
{
	const int width = p->of.width;
	draw_cells(s, (struct rect){x, y, width, 1}, p->cell + (size_t)row * (size_t)width, p->figure);
}

void picture_draw(struct picture *p, const struct scene *scene, struct screen *s, struct rect r, const struct figure_kind *kind)
{
	struct rect inner = {r.x + 1, r.y + 1, r.width - 2, r.height - 2};
	if (kind)
		draw_frame(s, r, kind);
	else
		screen_box(s, r, NULL);
	if (!kind || !picture_make(p, scene, kind, inner.width, inner.height))
		return;
	draw_legend(s, r, p->figure);
	draw_cells(s, inner, p->cell, p->figure);
}

// ---- the front ------------------------------------------------------------------------------------------------------

struct front {
	struct picture picture;
	struct figure_window window;
	int term;          // that the window is of
	struct rect inner; // where the figure was drawn last, from the pane's corner
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

// Where there are no points yet, when they come.
static void write_coming(const struct snapshot *now, struct string *text)
{
	char value[ENGINE_TEXT];
	long every;
	if (now->idle || !config_get(now->settings, "front-every", value, sizeof value) ||
		!number_read_long(value, 1, LONG_MAX, &every))
		return;
	const long next = (now->step / every + 1) * every;
	if (now->step > 0 && now->step % every == 0)
		string_add(text, "the first points are being scored");
	else
		string_add(text, "the first points are scored at step %ld", next < now->horizon ? next : now->horizon);
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
	const struct snapshot *now = scene->snapshot;
	const int point = point_index(scene, &scene->point.hand);
	struct figure_source with = scene->source ? *scene->source : (struct figure_source){0};
	struct scene own_scene = *scene;
	struct string text = {0};
	if (point >= 0)
		write_point(scene, &now->point[point], &text);
	else if (now->points == 0 && now->settings)
		write_coming(now, &text);
	if (text.length) {
		struct rect below = {r.x + 1, 0, r.width - 2, r.height / 3};
		const char *says = text.failed ? "" : text.bytes;
		const int lines = draw_point(NULL, below, says);
		figure.height -= lines;
		below.y = r.y + figure.height;
		draw_point(s, below, says);
	}
	with.point = point + 1;
	if (f->term != scene->term)
		f->window = (struct figure_window){0};
	f->term = scene->term;
	with.window = f->window;
	if (scene->past && scene->draft_cost && scene->term < now->terms)
		with.window.past = scene->draft_cost[scene->term];
	with.window.past_step = scene->past;
	f->inner = (struct rect){1, 1, figure.width - 2, figure.height - 2};
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

// ---- its cost axis, and the mouse -------------------------------------------------------------------------------------

// The costs of all points by the term in hand; false: there are not two that differ.
static bool costs_of(const struct scene *scene, double *least, double *most)
{
	const struct snapshot *now = scene->snapshot;
	*least = INFINITY;
	*most = -INFINITY;
	for (int i = 0; i < now->points; i++)
		if (isfinite(now->point[i].cost[scene->term])) {
			*least = fmin(*least, now->point[i].cost[scene->term]);
			*most = fmax(*most, now->point[i].cost[scene->term]);
		}
	return *most > *least;
}

// The window that there is, or the one that shows all, on an axis that is logarithmic or not.
static bool looked_at(const struct front *f, const struct scene *scene, bool *log, double *low, double *high)
{
	double least, most;
	if (!costs_of(scene, &least, &most))
		return false;
	*log = f->window.kind != WINDOW_BY_DATA ? f->window.kind == WINDOW_LOG
						: f->picture.figure && f->picture.figure->x.logarithmic;
	*log &= least > 0;
	double room = *log ? 0 : 0.05 * (most - least);
	*low = f->window.fixed ? f->window.low : *log ? least / 1.1 : least - room;
	*high = f->window.fixed ? f->window.high : *log ? most * 1.1 : most + room;
	return true;
}

static const double ZOOM = 0.6, PAN = 0.25, CLOSEST = 1e-3;

// Closer to the point in hand or to the middle, or further away; or to a side. In logarithms where the axis is.
static void change_window(struct front *f, const struct scene *scene, bool log, double low, double high, const char *word)
{
	const int hand = point_index(scene, &scene->point.hand);
	double from = log ? log10(low) : low, to = log ? log10(high) : high, middle = (from + to) / 2, wide = to - from;
	if (strcmp(word, "in") == 0 || strcmp(word, "out") == 0) {
		const double at = hand >= 0 ? scene->snapshot->point[hand].cost[scene->term] : (double)NAN;
		if (word[0] == 'i' && isfinite(at) && at >= low && at <= high)
			middle = log ? log10(at) : at;
		wide *= word[0] == 'i' ? ZOOM : 1 / ZOOM;
	} else {
		middle += (word[0] == 'l' ? -PAN : PAN) * wide;
	}
	f->window.low = log ? pow(10, middle - wide / 2) : middle - wide / 2;
	f->window.high = log ? pow(10, middle + wide / 2) : middle + wide / 2;
	f->window.fixed = true;
}

// Whatever is done, some of the front stays within.
static void keep_within(struct front *f, const struct scene *scene)
{
	double least, most;
	costs_of(scene, &least, &most);
	struct figure_window *w = &f->window;
	bool all = w->low <= least && w->high >= most, none = w->high < least || w->low > most;
	if (all || none || !(w->high - w->low > CLOSEST * (most - least)))
		w->fixed = false;
}

static bool axis_front(void *own, struct scene *scene, const char *word, struct fault *fault)
{
	struct front *f = own;
	bool log;
	double low, high;
	if (!looked_at(f, scene, &log, &low, &high))
		return fault_set(fault, "axis", "`run` on, and points are scored before long", "the front has no two costs");
	const bool turn = strcmp(word, "turn") == 0, logit = f->picture.figure && f->picture.figure->y.whole > 0;
	if (strcmp(word, "logit") == 0) {
		f->window.accuracy = logit ? ACCURACY_LINEAR : ACCURACY_LOGIT;
	} else if (strcmp(word, "all") == 0) {
		f->window = (struct figure_window){0};
	} else if (turn || strcmp(word, "log") == 0 || strcmp(word, "linear") == 0) {
		f->window.kind = (turn ? log : word[1] == 'i') ? WINDOW_LINEAR : WINDOW_LOG;
	} else if (strcmp(word, "in") == 0 || strcmp(word, "out") == 0 || strcmp(word, "left") == 0 ||
		strcmp(word, "right") == 0) {
		const struct figure_window before = f->window;
		change_window(f, scene, log, low, high, word);
		if (word[0] != 'i')
			keep_within(f, scene);
		else if (!(f->window.high - f->window.low > CLOSEST * (high - low)))
			f->window = before;
	} else {
		return fault_set(fault, word, "give one of " AXIS_WORDS, "cannot be done to an axis");
	}
	return true;
}

enum { NEAR = 3 }; // cells from a point that a click means

static bool click_front(void *own, struct scene *scene, int pane, int x, int y)
{
	const struct front *f = own;
	const struct snapshot *now = scene->snapshot;
	const struct figure *figure = f->picture.figure;
	int best = -1, least = NEAR * NEAR + 1;
	(void)pane;
	for (int i = 0; figure && scene->term < now->terms && i < now->points; i++) {
		int column, row;
		if (!canvas_place(figure, f->inner.width, f->inner.height, now->point[i].cost[scene->term] / figure->x.unit,
			    100 * now->point[i].accuracy, &column, &row))
			continue;
		int across = column + f->inner.x - x, down = 2 * (row + f->inner.y - y), distance = across * across + down * down;
		if (distance < least) {
			least = distance;
			best = i;
		}
	}
	if (best >= 0)
		point_take(scene, &scene->point.hand, best);
	return best >= 0;
}

// The line of the target: taken, it goes where the mouse goes.
static bool drag_front(void *own, struct scene *scene, int pane, int x, int y, enum drag what, struct string *line)
{
	struct front *f = own;
	const struct snapshot *now = scene->snapshot;
	const struct figure *figure = f->picture.figure;
	char number[32];
	(void)pane, (void)y;
	if (!figure || scene->term >= now->terms || (what == DRAG_TAKE && !now->term[scene->term].targeted))
		return false;
	const struct term_state *t = &now->term[scene->term];
	const int column = x - f->inner.x;
	const double at = canvas_x(figure, f->inner.width, f->inner.height, column) * figure->x.unit;
	if (what == DRAG_TAKE) { // it, or a column beside it
		double low = canvas_x(figure, f->inner.width, f->inner.height, column - 2) * figure->x.unit,
		       high = canvas_x(figure, f->inner.width, f->inner.height, column + 2) * figure->x.unit;
		return t->target >= low && t->target <= high;
	}
	if (isfinite(at) && at > 0)
		f->window.target = at;
	if (what == DRAG_DROP && f->window.target > 0) {
		const bool plain = !t->unit || t->unit[0] != 'm'; // a number alone is read in ms and mJ
		if (plain)
			string_add(line, "target %s %s", t->name, show_typed(f->window.target, number, sizeof number));
		else
			string_add(line, "target %s %.4g", t->name, f->window.target);
	}
	if (what == DRAG_DROP)
		f->window.target = 0;
	return true;
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
	struct front *f = own;
	picture_free(&f->picture);
	f->window = (struct figure_window){0};
}

static const char *const teach[] = {"open", "hand draft", "hand pin", "mark", "axis in", NULL};

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
	.axis = axis_front,
	.click = click_front,
	.drag = drag_front,
	.open = open_front,
	.teach = teach,
	.thing = "point",
};

// SPDX-License-Identifier: GPL-3.0-or-later
// A slice, plane by plane: how far every chip is from the one in hand, or what every link carries; the shortest paths to a second
// chip; where each wrap lands. Beside it how many chips are how far, and what the axes carry, regular and twisted.
//
// A plane has one x; z runs across and y down. From 1024 chips on a cell is a block of 4x4x4: it stands for the chip in the same
// place of the block as the one in hand, and its links for the fullest of the block's.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/show.h"
#include "ui/views/views.h"

enum { BLOCKS_FROM = 1024, BLOCK = 4, SIDE_LEAST = 30, SIDE_MOST = 46, GAP = 2 };
enum { X, Y, Z };

struct explorer {
	int number; // of the slice that the rest is of; 0: none yet
	struct slice slice;
	struct slice_map *map;
	struct slice_traffic traffic;
	struct slice_network *network[2]; // regular and twisted; NULL: there is no such slice
	double (*load)[SLICE_WAYS];       // NULL: they could not be worked out
	double fullest;
	int *hops, hops_from; // hops_from -1: not worked out
	int farthest;         // hops
	bool *on;             // on a shortest path to the marked chip
	int on_to;            // the chip that `on` is of
	double paths;
	int at, mark; // chips; mark -1: none
	int step[3];  // chips of a cell along each axis
	bool links;   // shows these, not hops
	struct fault fault;
	bool failed; // the fault says why nothing is shown
	// as drawn last, for clicks
	struct window {
		struct rect area;      // of the planes
		int from[3], count[3]; // cells shown along each axis
		int cell, line;        // columns and lines of a cell
		int across;            // planes side by side
		int pane_x, pane_y;    // the corner of the pane
	} window;
};

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

// ---- what is shown -----------------------------------------------------------------------------------------------------

static void drop(struct explorer *e)
{
	slice_map_free(e->map);
	free(e->network[0]);
	free(e->network[1]);
	free(e->load);
	free(e->hops);
	free(e->on);
	*e = (struct explorer){.links = e->links};
}

static bool take_networks(struct explorer *e, const struct slice_question *q)
{
	bool both = slice_twistable(&q->pod, q->slice.axis);
	for (int twisted = 0; twisted < 2; twisted++) {
		struct slice s = q->slice;
		s.twisted = twisted;
		if (!both && s.twisted != q->slice.twisted)
			continue;
		if (!(e->network[twisted] = calloc(1, sizeof *e->network[twisted])))
			return fault_memory(&e->fault, "a slice's links");
		if (!slice_network_of(&s, e->network[twisted], &e->fault))
			return false;
	}
	return true;
}

static bool take_loads(struct explorer *e, const struct slice_question *q)
{
	if (!slice_map_loads(e->map, &q->traffic, e->load, &e->fault))
		return false;
	for (int c = 0; c < e->slice.chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			e->fullest = slice_map_next(e->map, c, w) >= 0 ? fmax(e->fullest, e->load[c][w]) : e->fullest;
	return true;
}

static bool take(struct explorer *e, const struct slice_question *q)
{
	const size_t chips = (size_t)q->slice.chips;
	e->slice = q->slice;
	e->traffic = q->traffic;
	e->hops_from = e->on_to = e->mark = -1;
	e->at = most(q->failed, 0);
	for (int i = 0; i < 3; i++)
		e->step[i] = q->slice.chips >= BLOCKS_FROM && q->slice.axis[i] % BLOCK == 0 ? BLOCK : 1;
	e->map = slice_map_new(&q->slice, &e->fault);
	e->load = calloc(chips, sizeof *e->load);
	e->hops = calloc(chips, sizeof *e->hops);
	e->on = calloc(chips, sizeof *e->on);
	if (e->map && (!e->load || !e->hops || !e->on))
		return fault_memory(&e->fault, "a slice's links");
	return e->map && (q->failed < 0 || slice_map_fail(e->map, q->failed, q->failed_way, &e->fault)) && take_networks(e, q) &&
		take_loads(e, q);
}

// Works out what is not known yet. False: there is nothing to show but the fault.
static bool refresh(struct explorer *e, const struct scene *scene)
{
	if (e->number != scene->slices) {
		const struct slice_question *q = scene->slice;
		drop(e);
		e->links = slice_uneven(q);
		e->failed = !take(e, q);
		e->number = scene->slices;
	}
	if (e->failed)
		return false;
	if (e->hops_from != e->at || (e->mark >= 0 && e->on_to != e->mark)) {
		e->paths = e->mark >= 0 ? slice_map_paths(e->map, e->at, e->mark, e->on) : 0;
		e->on_to = e->mark;
		slice_map_hops(e->map, e->at, e->hops);
		e->hops_from = e->at;
		e->farthest = 0;
		for (int c = 0; c < e->slice.chips; c++)
			e->farthest = most(e->farthest, e->hops[c]);
	}
	return true;
}

static bool blocks(const struct explorer *e)
{
	return e->step[Z] > 1;
}

// The chip that a cell stands for.
static int chip_of(const struct explorer *e, const int cell[3])
{
	int at[3], here[3];
	slice_place(&e->slice, e->at, here);
	for (int i = 0; i < 3; i++)
		at[i] = cell[i] * e->step[i] + here[i] % e->step[i];
	return slice_chip(&e->slice, at);
}

static void cell_of(const struct explorer *e, int chip, int cell[3])
{
	slice_place(&e->slice, chip, cell);
	for (int i = 0; i < 3; i++)
		cell[i] /= e->step[i];
}

static bool same_cell(const struct explorer *e, int chip, int other)
{
	int a[3], b[3];
	if (chip < 0 || other < 0)
		return false;
	cell_of(e, chip, a);
	cell_of(e, other, b);
	return a[X] == b[X] && a[Y] == b[Y] && a[Z] == b[Z];
}

static bool lit(const struct explorer *e, const int cell[3])
{
	int at[3];
	bool any = false;
	for (int i = 0; e->mark >= 0 && !any && i < e->step[X] * e->step[Y] * e->step[Z]; i++) {
		at[X] = cell[X] * e->step[X] + i % e->step[X];
		at[Y] = cell[Y] * e->step[Y] + i / e->step[X] % e->step[Y];
		at[Z] = cell[Z] * e->step[Z] + i / e->step[X] / e->step[Y];
		any = e->on[slice_chip(&e->slice, at)];
	}
	return any;
}

// What a cell's links upwards along an axis carry: the fuller way of the fullest of them. *failed: one of them has. NAN: it has none.
static double link_load(const struct explorer *e, const int cell[3], int axis, bool *failed)
{
	double load = (double)NAN;
	int at[3];
	*failed = false;
	for (int i = 0; i < e->step[X] * e->step[Y] * e->step[Z]; i++) {
		at[X] = cell[X] * e->step[X] + i % e->step[X];
		at[Y] = cell[Y] * e->step[Y] + i / e->step[X] % e->step[Y];
		at[Z] = cell[Z] * e->step[Z] + i / e->step[X] / e->step[Y];
		int chip = slice_chip(&e->slice, at), to = slice_map_next(e->map, chip, axis * 2);
		*failed |= slice_map_failed(e->map, chip, axis * 2);
		if (to >= 0)
			load = fmax(isnan(load) ? 0 : load, fmax(e->load[chip][axis * 2], e->load[to][axis * 2 + 1]));
	}
	return load;
}

// ---- the planes --------------------------------------------------------------------------------------------------------

static int digits(int n)
{
	return n > 99 ? 3 : n > 9 ? 2 : 1;
}

static int cells_along(const struct explorer *e, int axis)
{
	return e->slice.axis[axis] / e->step[axis];
}

// As many cells as fit, around the one in hand.
static void fit(struct window *w, int axis, int all, int room, int hand)
{
	w->count[axis] = most(1, least(all, room));
	w->from[axis] = most(0, least(hand - w->count[axis] / 2, all - w->count[axis]));
}

static struct window window_with(const struct explorer *e, struct rect area, int cell)
{
	struct window w = {.area = area, .cell = cell, .line = e->links ? 2 : 1};
	int hand[3];
	cell_of(e, e->at, hand);
	fit(&w, Z, cells_along(e, Z), area.width / w.cell, hand[Z]);
	fit(&w, Y, cells_along(e, Y), (area.height - 1) / w.line, hand[Y]);
	int wide = w.count[Z] * w.cell + GAP, high = w.count[Y] * w.line + 1;
	w.across = most(1, least(cells_along(e, X), (area.width + GAP) / wide));
	fit(&w, X, cells_along(e, X), w.across * most(1, (area.height + 1) / (high + 1)), hand[X]);
	return w;
}

// Cells stand apart where that costs none of them its place.
static struct window window_of(const struct explorer *e, struct rect area)
{
	int cell = 1 + (e->links ? 1 : digits(most(e->network[e->slice.twisted]->diameter, e->farthest)));
	struct window close = window_with(e, area, cell), apart = window_with(e, area, cell + 1);
	return memcmp(close.count, apart.count, sizeof close.count) == 0 ? apart : close;
}

// Where a cell is on the screen; one that is not shown is elsewhere.
static bool place_of(const struct window *w, const int cell[3], int *x, int *y)
{
	int shown[3];
	for (int i = 0; i < 3; i++) {
		shown[i] = cell[i] - w->from[i];
		if (shown[i] < 0 || shown[i] >= w->count[i])
			return false;
	}
	*x = w->area.x + shown[X] % w->across * (w->count[Z] * w->cell + GAP) + shown[Z] * w->cell;
	*y = w->area.y + shown[X] / w->across * (w->count[Y] * w->line + 2) + 1 + shown[Y] * w->line;
	return true;
}

// Signs in front of a cell: the one in hand, the marked one, one on a shortest path between them.
static const char *sign_of(const struct explorer *e, const struct screen *s, const int cell[3])
{
	int chip = chip_of(e, cell);
	if (same_cell(e, chip, e->at))
		return glyph(s->ascii, GLYPH_CURSOR);
	if (same_cell(e, chip, e->mark))
		return glyph(s->ascii, GLYPH_SLIDER_DRAFT);
	return lit(e, cell) ? glyph(s->ascii, GLYPH_SLIDER_MODAL) : " ";
}

static void draw_hops(const struct explorer *e, struct screen *s, const int cell[3], int x, int y)
{
	const int hops = e->hops[chip_of(e, cell)];
	char text[8];
	bool in_hand = same_cell(e, chip_of(e, cell), e->at), path = lit(e, cell);
	enum style style = in_hand || path
		? STYLE_STRONG
		: (enum style)(STYLE_HEAT + HEAT_LEVELS - 1 - most(hops, 0) * (HEAT_LEVELS - 2) / most(e->farthest, 1));
	snprintf(text, sizeof text, hops < 0 ? "-" : "%d", hops);
	screen_put(s, x + e->window.cell - 1 - screen_width(text), y, 1, STYLE_DRAFT, sign_of(e, s, cell));
	screen_put(s, x + e->window.cell - screen_width(text), y, e->window.cell, style, text);
	if (path)
		screen_light(s, x, y, e->window.cell);
}

// A load as a digit: tenths of the fullest link's, rounded; 9 is the most.
static void draw_link(const struct explorer *e, struct screen *s, const int cell[3], int axis, int x, int y)
{
	bool failed;
	const double load = link_load(e, cell, axis, &failed), share = e->fullest > 0 ? load / e->fullest : 0;
	char text[4];
	if (failed)
		screen_put(s, x, y, 1, STYLE_BAD, glyph(s->ascii, GLYPH_FAILED));
	if (failed || isnan(load))
		return;
	snprintf(text, sizeof text, "%d", (int)(share * 9 + .5));
	screen_put(s, x, y, 1, (enum style)(STYLE_HEAT + (int)(share * (HEAT_LEVELS - 1) + .5)), text);
}

// Whose chips a cell has: of the only job, of either of two, or of both.
static const char *job_of(const struct explorer *e, const int cell[3])
{
	const int i = e->traffic.split_axis, first = cell[i] * e->step[i], last = first + e->step[i] - 1;
	if (e->traffic.split <= 0)
		return "o";
	return last < e->traffic.split ? "A" : first >= e->traffic.split ? "B" : "o";
}

static void draw_links(const struct explorer *e, struct screen *s, const int cell[3], int x, int y)
{
	const char *sign = sign_of(e, s, cell);
	screen_put(s, x, y, 1, sign[0] == ' ' ? STYLE_DIM : STYLE_DRAFT, sign[0] == ' ' ? job_of(e, cell) : sign);
	draw_link(e, s, cell, Z, x + 1, y);
	draw_link(e, s, cell, Y, x, y + 1);
	draw_link(e, s, cell, X, x + 1, y + 1);
}

static void draw_planes(struct explorer *e, const struct scene *scene, struct screen *s)
{
	const struct window *w = &e->window;
	int cell[3], x, y;
	for (cell[X] = w->from[X]; cell[X] < w->from[X] + w->count[X]; cell[X]++) {
		cell[Y] = w->from[Y];
		cell[Z] = w->from[Z];
		if (place_of(w, cell, &x, &y) && cells_along(e, X) > 1)
			screen_print(s, x, y - 1, w->count[Z] * w->cell, STYLE_TITLE,
				blocks(e) && e->step[X] > 1 ? "x %d-%d" : "x %d", cell[X] * e->step[X],
				cell[X] * e->step[X] + e->step[X] - 1);
		for (; cell[Y] < w->from[Y] + w->count[Y]; cell[Y]++)
			for (cell[Z] = w->from[Z]; cell[Z] < w->from[Z] + w->count[Z]; cell[Z]++)
				if (place_of(w, cell, &x, &y))
					(e->links ? draw_links : draw_hops)(e, s, cell, x, y);
	}
	cell_of(e, e->at, cell);
	if (scene->focus == &view_slice && place_of(w, cell, &x, &y)) {
		s->cursor = true;
		s->cursor_x = x;
		s->cursor_y = y;
	}
}

// ---- beside them -------------------------------------------------------------------------------------------------------

// Lines from the top of a column; those that do not fit are left out.
struct column_of {
	struct screen *screen;
	struct rect r;
	int y;
};

static void line(struct column_of *c, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void line(struct column_of *c, enum style style, const char *format, ...)
{
	char text[128];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (c->y < c->r.y + c->r.height)
		screen_fit(c->screen, c->r.x, c->y, c->r.width, style, text);
	c->y++;
}

static int lines_left(const struct column_of *c)
{
	return c->r.y + c->r.height - c->y;
}

static void where(const struct explorer *e, struct column_of *c)
{
	int at[3], mark[3];
	char paths[32];
	slice_place(&e->slice, e->at, at);
	if (e->mark < 0) {
		line(c, STYLE_TITLE, "Chip %d,%d,%d", at[X], at[Y], at[Z]);
		return;
	}
	slice_place(&e->slice, e->mark, mark);
	line(c, STYLE_TITLE, "Chip %d,%d,%d to %d,%d,%d", at[X], at[Y], at[Z], mark[X], mark[Y], mark[Z]);
	if (e->hops[e->mark] < 0)
		line(c, STYLE_BAD, "no path leads there");
	else
		line(c, STYLE_TEXT, "%d hops, %s shortest path%s", e->hops[e->mark], show_si(e->paths, paths, sizeof paths),
			e->paths > 1 ? "s" : "");
}

// "z+4 y-2": the coordinates other than its own that a wrap moves.
static void shift_of(const struct explorer *e, const int at[3], const int to[3], int axis, char buf[32])
{
	int used = 0;
	buf[0] = '\0';
	for (int i = 0; i < 3; i++) {
		int n = e->slice.axis[i], moved = ((to[i] - at[i]) % n + n) % n;
		if (i == axis || moved == 0)
			continue;
		moved = moved > n / 2 ? moved - n : moved;
		used += snprintf(buf + used, (size_t)(32 - used), "%s%c%+d", used ? " " : "", "xyz"[i], moved);
	}
}

static void links(const struct explorer *e, struct column_of *c)
{
	char text[64], shift[32], load[24] = "";
	int at[3], to[3];
	slice_place(&e->slice, e->at, at);
	for (int w = 0; w < SLICE_WAYS; w++) {
		int next = slice_map_next(e->map, e->at, w);
		if (e->slice.axis[w / 2] < 2)
			continue;
		if (next < 0) {
			bool failed = slice_map_failed(e->map, e->at, w);
			line(c, failed ? STYLE_BAD : STYLE_DIM, "%s %s", slice_ways[w],
				failed ? "failed" : "none: the mesh ends here");
			continue;
		}
		slice_place(&e->slice, next, to);
		shift_of(e, at, to, w / 2, shift);
		if (e->links)
			snprintf(load, sizeof load, "%8.4g", e->load[e->at][w]);
		if (!slice_map_wraps(e->map, e->at, w))
			snprintf(text, sizeof text, "%d,%d,%d", to[X], to[Y], to[Z]);
		else if (shift[0])
			snprintf(text, sizeof text, "%s %s: %d,%d,%d", glyph(c->screen->ascii, GLYPH_ARROW), shift, to[X], to[Y],
				to[Z]);
		else
			snprintf(text, sizeof text, "wraps: %d,%d,%d", to[X], to[Y], to[Z]);
		line(c, slice_map_wraps(e->map, e->at, w) ? STYLE_MAIN : STYLE_TEXT, "%s %s%*s%s", slice_ways[w], text,
			most(0, 18 - screen_width(text)), "", load);
	}
}

static const char *load_text(const struct slice_network *n, enum routing r, int axis, char buf[24])
{
	snprintf(buf, 24, "-");
	if (n && !isnan(n->axis_load[r][axis]))
		snprintf(buf, 24, "%.4g", n->axis_load[r][axis]);
	return buf;
}

// The axes whose links are the fullest: they limit.
static const char *limits_of(const struct explorer *e, const struct slice_network *n, enum routing r, char buf[24])
{
	int used = 0, axes = 0, full = 0;
	snprintf(buf, 24, "-");
	for (int i = 0; n && i < 3; i++) {
		axes += e->slice.axis[i] > 1;
		if (e->slice.axis[i] > 1 && n->axis_load[r][i] >= n->load[r] * (1 - 1e-9)) {
			used += snprintf(buf + used, (size_t)(24 - used), "%s%c", used ? " " : "", "xyz"[i]);
			full++;
		}
	}
	if (n && full == axes)
		snprintf(buf, 24, "none");
	return buf;
}

static void loads(const struct explorer *e, const struct scene *scene, struct column_of *c)
{
	char a[24], b[24];
	const enum routing r = scene->slice->traffic.routing;
	line(c, STYLE_DIM, "%-12s %8s %8s", "each to each", "regular", "twisted");
	for (int i = 0; i < 3; i++)
		if (e->slice.axis[i] > 1)
			line(c, STYLE_TEXT, "%c %3d       %8s %8s", "xyz"[i], e -> slice.axis[i],
				load_text(e->network[0], r, i, a), load_text(e->network[1], r, i, b));
	line(c, STYLE_STRONG, "%-12s %8s %8s", "limits", limits_of(e, e->network[0], r, a), limits_of(e, e->network[1], r, b));
}

static double fullest_hop(const struct slice_network *n)
{
	double full = 1;
	for (int d = 1; n && d <= n->diameter && d < SLICE_HOPS; d++)
		full = fmax(full, n->hops[d]);
	return full;
}

static double hops_at(const struct slice_network *n, int d)
{
	return n && d < SLICE_HOPS ? n->hops[d] : 0;
}

// A row for each number of hops, or for several together.
static void histogram(const struct explorer *e, struct column_of *c, int diameter, double full)
{
	const int rows = least(lines_left(c), diameter), bar = most(1, (c->r.width - 18) / 2);
	const int each = (diameter + rows - 1) / rows;
	for (int from = 1; from <= diameter; from += each) {
		double sum[2] = {0};
		char label[16];
		int last = least(from + each - 1, diameter);
		for (int k = 0; k < 2; k++)
			for (int d = from; d <= last; d++)
				sum[k] += hops_at(e->network[k], d);
		snprintf(label, sizeof label, each > 1 ? "%d-%d" : "%d", from, last);
		int y = c->y, x = c->r.x + 6;
		line(c, STYLE_TEXT, "%5s", label);
		for (int k = 0; k < 2; k++) {
			char number[16] = "";
			if (sum[k] > 0)
				snprintf(number, sizeof number, "%.4g", sum[k]);
			screen_right(c->screen, x, y, 5, STYLE_TEXT, number);
			screen_bar(c->screen, x + 6, y, least(bar, c->r.x + c->r.width - x - 6), sum[k] / full / each);
			x += 6 + bar;
		}
	}
}

// One line for a slice: a bar by hops.
static void bars(struct column_of *c, const char *name, const struct slice_network *n, double full)
{
	int y = c->y;
	if (!n)
		return;
	line(c, STYLE_TEXT, "%s", name);
	for (int d = 1; lines_left(c) >= 0 && d <= n->diameter && d < SLICE_HOPS && 8 + d < c->r.width; d++) {
		int level = (int)ceil(n->hops[d] / full * (RAMP_LEVELS - 1));
		screen_put(c->screen, c->r.x + 8 + d, y, 1, STYLE_METER, glyph_ramp(c->screen->ascii, level));
	}
}

static void far_away(const struct explorer *e, struct column_of *c)
{
	const struct slice_network *regular = e->network[0], *twisted = e->network[1];
	int diameter = most(regular ? regular->diameter : 0, twisted ? twisted->diameter : 0);
	double full = fmax(fullest_hop(regular), fullest_hop(twisted));
	char a[24] = "-", b[24] = "-";
	if (regular)
		snprintf(a, sizeof a, "%.4g", regular->mean_hops);
	if (twisted)
		snprintf(b, sizeof b, "%.4g", twisted->mean_hops);
	line(c, STYLE_DIM, "%-12s %8s %8s", "mean hops", a, b);
	if (diameter > 0 && lines_left(c) >= least(diameter, 6)) {
		histogram(e, c, diameter, full);
		return;
	}
	bars(c, "regular", regular, full);
	bars(c, "twisted", twisted, full);
}

static void draw_side(struct explorer *e, const struct scene *scene, struct screen *s, struct rect r)
{
	struct column_of c = {s, r, r.y};
	bool roomy = r.height >= 22;
	where(e, &c);
	links(e, &c);
	c.y += roomy;
	if (e->links)
		line(&c, STYLE_DIM, "9: %.4g, the fullest link", e->fullest);
	loads(e, scene, &c);
	c.y += roomy;
	far_away(e, &c);
}

// ---- the whole ---------------------------------------------------------------------------------------------------------

static void part_of(const struct explorer *e, int axis, char *title, size_t size)
{
	const struct window *w = &e->window;
	size_t used = strlen(title);
	const int from = w->from[axis] * e->step[axis], to = (w->from[axis] + w->count[axis]) * e->step[axis] - 1;
	if (w->count[axis] < cells_along(e, axis) && to == from)
		snprintf(title + used, size - used, ", %c %d of %d", "xyz"[axis], from, e -> slice.axis[axis]);
	else if (w->count[axis] < cells_along(e, axis))
		snprintf(title + used, size - used, ", %c %d-%d of %d", "xyz"[axis], w -> from[axis] * e -> step[axis],
			(w->from[axis] + w->count[axis]) * e -> step[axis] - 1, e -> slice.axis[axis]);
}

static void title_of(const struct explorer *e, const struct slice_question *q, char *title, size_t size)
{
	char name[48], what[64];
	if (!e->links)
		snprintf(what, sizeof what, "hops");
	else if (q->traffic.axis >= 0)
		snprintf(what, sizeof what, "links of a gather along %c", "xyz"[q->traffic.axis]);
	else if (q->traffic.split > 0)
		snprintf(what, sizeof what, "links, jobs split at %c %d", "xyz"[q->traffic.split_axis], q -> traffic.split);
	else
		snprintf(what, sizeof what, "links, %s", routings[q->traffic.routing]);
	snprintf(title, size, "Slice %s on %s: %s%s", slice_name(&q->slice, name), q->pod.name, what,
		blocks(e) ? ", blocks of 4" : "");
	for (int i = 0; i < 3 && !e->failed; i++)
		part_of(e, i, title, size);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct explorer *e = own;
	struct rect r = item->pane[0], inside = {r.x + 2, r.y + 1, r.width - 4, r.height - 2};
	bool known = refresh(e, scene);
	char title[160], text[sizeof e->fault + 16];
	if (known) {
		int side = most(SIDE_LEAST, least(SIDE_MOST, inside.width / 3));
		struct rect area = inside, beside = inside;
		area.width -= side + GAP;
		beside.x += area.width + GAP;
		beside.width = side;
		e->window = window_of(e, area);
		e->window.pane_x = r.x;
		e->window.pane_y = r.y;
		draw_planes(e, scene, s);
		draw_side(e, scene, s, beside);
	} else {
		screen_fit(s, inside.x, inside.y, inside.width, STYLE_BAD, fault_line(&e->fault, text, sizeof text));
	}
	title_of(e, scene->slice, title, sizeof title);
	screen_box(s, r, title);
	if (known && e->links)
		screen_fit(s, r.x + 2, r.y + r.height - 1, r.width - 4, STYLE_DIM,
			" right of a chip its link z+, below it y+, between them x+ ");
	else if (known)
		screen_fit(s, r.x + 2, r.y + r.height - 1, r.width - 4, STYLE_DIM, " z runs to the right, y down ");
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->slice;
}

// ---- what a person does in it ------------------------------------------------------------------------------------------

// One chip on over a link, and over a failed one within the slice.
static int step_over(const struct explorer *e, int chip, int way)
{
	int at[3], axis = way / 2, next = slice_map_next(e->map, chip, way);
	if (next >= 0)
		return next;
	slice_place(&e->slice, chip, at);
	at[axis] += way % 2 ? -1 : 1;
	return at[axis] < 0 || at[axis] >= e->slice.axis[axis] ? -1 : slice_chip(&e->slice, at);
}

// Follows the links, so that a wrap takes to where it lands.
static void walk(struct explorer *e, int way)
{
	int to = e->at;
	for (int i = 0; i < e->step[way / 2] && to >= 0; i++)
		to = e->slice.axis[way / 2] > 1 ? step_over(e, to, way) : -1;
	e->at = to >= 0 ? to : e->at;
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	static const int way[MOTIONS] = {[MOTION_UP] = 3,
		[MOTION_DOWN] = 2,
		[MOTION_LEFT] = 5,
		[MOTION_RIGHT] = 4,
		[MOTION_PAGE_UP] = 1,
		[MOTION_PAGE_DOWN] = 0};
	struct explorer *e = own;
	(void)page;
	if (!scene->slice || !refresh(e, scene))
		return;
	if (m == MOTION_FIRST || m == MOTION_LAST)
		e->at = m == MOTION_FIRST ? 0 : e->slice.chips - 1;
	else if (m == MOTION_NEXT)
		e->at = (e->at + 1) % e->slice.chips;
	else
		walk(e, way[m]);
}

static bool select_named(void *own, struct scene *scene, const char *name)
{
	struct explorer *e = own;
	int at[3];
	char end;
	if (!scene->slice || !refresh(e, scene))
		return false;
	if (strcmp(name, "turn") == 0)
		e->links = !e->links;
	else if (strcmp(name, "hops") == 0 || strcmp(name, "links") == 0)
		e->links = name[0] == 'l';
	else if (sscanf(name, "%5d,%5d,%5d%c", &at[X], &at[Y], &at[Z], &end) == 3 && at[X] >= 0 && at[X] < e->slice.axis[X] &&
		at[Y] >= 0 && at[Y] < e->slice.axis[Y] && at[Z] >= 0 && at[Z] < e->slice.axis[Z])
		e->at = slice_chip(&e->slice, at);
	else
		return false;
	return true;
}

static bool mark(void *own, struct scene *scene, const char *text, struct fault *f)
{
	struct explorer *e = own;
	if (text[0] && strcmp(text, "none") != 0)
		return fault_set(f, text, "give none, or nothing", "is no mark of a chip");
	if (!scene->slice || !refresh(e, scene))
		return fault_set(f, "mark", "`explore slice 4x4x8 twisted` shows one", "there is no slice");
	e->mark = text[0] || e->mark == e->at ? -1 : e->at;
	return true;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	struct explorer *e = own;
	const struct window *w = &e->window;
	(void)pane;
	if (!scene->slice || e->number != scene->slices || e->failed || w->cell == 0)
		return false;
	int cell[3], at_x, at_y;
	for (cell[X] = w->from[X]; cell[X] < w->from[X] + w->count[X]; cell[X]++)
		for (cell[Y] = w->from[Y]; cell[Y] < w->from[Y] + w->count[Y]; cell[Y]++)
			for (cell[Z] = w->from[Z]; cell[Z] < w->from[Z] + w->count[Z]; cell[Z]++)
				if (place_of(w, cell, &at_x, &at_y) && x >= at_x - w->pane_x && x < at_x - w->pane_x + w->cell &&
					y >= at_y - w->pane_y && y < at_y - w->pane_y + w->line) {
					e->at = chip_of(e, cell);
					return true;
				}
	return false;
}

static void end(void *own)
{
	drop(own);
}

const struct view_ops view_slice = {
	.name = "slice",
	.title = "a slice of a pod chip by chip, that `slice` or `explore slice` shows",
	.place = LAYOUT_ALONE,
	.key = '8',
	.thing = "chip",
	.own = sizeof(struct explorer),
	.end = end,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_named,
	.click = click,
	.mark = mark,
};

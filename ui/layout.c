// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout.h"

enum {
	FRAME = 2,         // rows or columns that a box takes
	TABLE_ROWS = 4,    // the lowest table worth drawing: a frame, heads and a row
	TABLE_LEAST = 48,  // the narrowest left column beside a right one
	TABLE_MOST = 100,  // wider tables only spread their columns apart
	FIGURE_WIDTH = 28, // the smallest figures worth drawing
	FIGURE_HEIGHT = 8,
	FIGURE_IDEAL = 44, // the width from which figures stand side by side
	FIGURE_TALL = 10   // the height that a further row of figures must leave to each
};

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

// Cuts `height` rows off the top.
static struct rect take_rows(struct rect *from, int height)
{
	struct rect r = *from;
	r.height = least(height, from->height);
	from->y += r.height;
	from->height -= r.height;
	return r;
}

static void give(struct layout_item *item, struct rect r)
{
	if (item->got < LAYOUT_PANES && r.width > 0 && r.height > 0)
		item->pane[item->got++] = r;
}

// ---- what is wanted ------------------------------------------------------------------------------------------------

struct wishes {
	struct layout_item *item;
	int items;
};

// The next wanted item of a place, at or behind *at, which moves behind it; NULL: there is none.
static struct layout_item *next_of(struct wishes w, enum layout_place place, int *at)
{
	while (*at < w.items) {
		struct layout_item *item = &w.item[(*at)++];
		if (item->wanted && item->place == place)
			return item;
	}
	return NULL;
}

static struct layout_item *first_of(struct wishes w, enum layout_place place)
{
	int at = 0;
	return next_of(w, place, &at);
}

static int wanted_height(const struct layout_item *item)
{
	return FRAME + most(item->rows, 2);
}

// What a table below the main one takes of a column: no more than `share` rows, but what it must have.
static int table_height(const struct layout_item *item, int share)
{
	return least(wanted_height(item), most(FRAME + item->least, most(TABLE_ROWS, share)));
}

// ---- figures -------------------------------------------------------------------------------------------------------

// Fills an area with panes of figures, as many as are wanted and fit well, in rows of equal panes.
static void place_figures(struct layout_item *item, struct rect area)
{
	if (!item)
		return;
	int want = least(item->panes, LAYOUT_PANES) - item->got;
	if (want < 1 || area.height < FIGURE_HEIGHT || area.width < FIGURE_WIDTH)
		return;
	int across = least(want, most(1, area.width / FIGURE_IDEAL));
	int down = least((want + across - 1) / across, most(1, area.height / FIGURE_TALL));
	if (want < across * down && down > 1 && want <= across * (down - 1))
		down--;
	for (int row = 0; row < down; row++) {
		int top = area.height * row / down, bottom = area.height * (row + 1) / down;
		int here = least(across, want);
		for (int i = 0; i < here; i++) {
			int left = area.width * i / here, right = area.width * (i + 1) / here;
			give(item, (struct rect){area.x + left, area.y + top, right - left, bottom - top});
		}
		want -= here;
	}
}

// The figure with `height` rows of an area, the others in what is left of it.
static void place_figure(struct wishes w, struct rect area, int height)
{
	struct layout_item *figure = first_of(w, LAYOUT_FIGURE), *others = first_of(w, LAYOUT_FIGURES);
	if (figure)
		give(figure, take_rows(&area, others ? height : area.height));
	place_figures(others, area);
	// Nothing wanted for the rest: leave no hole where a pane can grow into it.
	if (figure && figure->got > 0 && area.height > 0 && !(others && others->got > 0))
		figure->pane[0].height += area.height;
}

// ---- tables --------------------------------------------------------------------------------------------------------

// What all tables below the main one take of it.
static int below_height(struct wishes w, int share)
{
	int sum = 0, at = 0;
	for (const struct layout_item *item; (item = next_of(w, LAYOUT_TABLE, &at));)
		sum += table_height(item, share);
	return sum;
}

// The share at which all of them fit below the main one, if there is such: less for each rather than nothing for the last.
static int fitting_share(struct wishes w, int column, int share)
{
	int room = column - (first_of(w, LAYOUT_MAIN) ? least(column, TABLE_ROWS) : 0);
	while (share > TABLE_ROWS && below_height(w, share) > room)
		share--;
	return share;
}

// The main table with `height` rows of a column, the others below it.
static void place_tables(struct wishes w, struct rect *column, int height, int share)
{
	struct layout_item *main = first_of(w, LAYOUT_MAIN);
	int at = 0;
	if (main)
		give(main, take_rows(column, height));
	for (struct layout_item *item; (item = next_of(w, LAYOUT_TABLE, &at));)
		if (column->height >= TABLE_ROWS)
			give(item, take_rows(column, table_height(item, share)));
}

// The height of the main table in a column where the others want so much.
static int main_height(struct wishes w, int column, int below)
{
	return first_of(w, LAYOUT_MAIN) ? most(column - below, least(column, TABLE_ROWS)) : 0;
}

static bool any_tables(struct wishes w)
{
	return first_of(w, LAYOUT_MAIN) || first_of(w, LAYOUT_TABLE);
}

static bool any_figures(struct wishes w)
{
	return first_of(w, LAYOUT_FIGURE) || first_of(w, LAYOUT_FIGURES);
}

int layout_table_width(int width)
{
	if (width < TABLE_LEAST + FIGURE_WIDTH)
		return width;
	int half = least(TABLE_MOST, most(TABLE_LEAST, width / 2));
	return width - half < FIGURE_WIDTH ? width - FIGURE_WIDTH : half;
}

// Tables one above the other, figures beside them.
static void beside(struct wishes w, struct rect body)
{
	int width = layout_table_width(body.width);
	struct rect left = body, right = body;
	left.width = width;
	right.x += width;
	right.width -= width;

	int share = fitting_share(w, left.height, left.height / 3), below = below_height(w, share);
	const struct layout_item *main = first_of(w, LAYOUT_MAIN);
	int whole = main ? wanted_height(main) : 0;
	bool roomy = left.height - below - whole >= FIGURE_TALL && first_of(w, LAYOUT_FIGURES);
	place_tables(w, &left, roomy ? whole : main_height(w, left.height, below), share);

	// A little more than half for the figure: it is what the search is about.
	int height = right.height < 2 * FIGURE_HEIGHT ? right.height : most(FIGURE_HEIGHT, (right.height * 11 + 10) / 20);
	place_figure(w, right, height);
	if (roomy)
		place_figures(first_of(w, LAYOUT_FIGURES), left);
}

// Everything one above the other.
static void stacked(struct wishes w, struct rect body)
{
	int share = fitting_share(w, body.height, body.height / 4), below = below_height(w, share);
	const struct layout_item *main = first_of(w, LAYOUT_MAIN);
	int room = main_height(w, body.height, below), whole = main ? wanted_height(main) : 0;
	if (any_figures(w) && room - whole >= FIGURE_HEIGHT)
		room = whole;
	else if (any_figures(w) && room >= 2 * FIGURE_TALL)
		room -= most(FIGURE_HEIGHT, room * 2 / 5);
	place_tables(w, &body, room, share);
	if (body.height >= FIGURE_HEIGHT)
		place_figure(w, body, body.height < 2 * FIGURE_HEIGHT ? body.height : body.height / 2);
}

// ---- the whole -----------------------------------------------------------------------------------------------------

// Lines never take the room of two tables.
static void place_lines(struct wishes w, enum layout_place place, struct rect *rest, bool low)
{
	int at = 0, sum = 0;
	for (const struct layout_item *item; (item = next_of(w, place, &at));)
		sum += item->rows;
	sum = most(least(sum, rest->height - 2 * TABLE_ROWS), 0);
	struct rect area = *rest;
	if (low) {
		area.y += area.height - sum;
		area.height = sum;
	} else {
		area.height = sum;
		rest->y += sum;
	}
	rest->height -= sum;
	at = 0;
	for (struct layout_item *item; (item = next_of(w, place, &at));)
		give(item, take_rows(&area, item->rows));
}

bool layout_make(int width, int height, struct layout_item *item, int items, int zoomed)
{
	struct wishes w = {item, items};
	struct rect rest = {0, 0, width, height};
	for (int i = 0; i < items; i++)
		item[i].got = 0;
	if (width < LAYOUT_MIN_WIDTH || height < LAYOUT_MIN_HEIGHT)
		return false;
	int at = 0;
	for (struct layout_item *over; (over = next_of(w, LAYOUT_OVER, &at));)
		give(over, rest);
	place_lines(w, LAYOUT_HEAD, &rest, false);
	place_lines(w, LAYOUT_FOOT, &rest, true);
	if (zoomed >= 0 && zoomed < items && item[zoomed].wanted && item[zoomed].place >= LAYOUT_MAIN &&
		item[zoomed].place < LAYOUT_OVER)
		give(&item[zoomed], rest);
	else if (width >= TABLE_LEAST + FIGURE_WIDTH && any_tables(w) && any_figures(w))
		beside(w, rest);
	else
		stacked(w, rest);
	return true;
}

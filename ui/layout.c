// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout.h"

#include <string.h>

enum {
	FRAME = 2,          // rows or columns that a box takes
	HEAD = 1,           // the row of column heads in a table
	TABLE_LEAST = 48,   // the narrowest left column beside a right one
	TABLE_MOST = 100,    // wider tables only spread their columns apart
	FIGURE_WIDTH = 28,  // the smallest figures worth drawing
	FIGURE_HEIGHT = 8,
	FIGURE_IDEAL = 44,  // the width from which figures stand side by side
	FIGURE_TALL = 10    // the height that a further row of figures must leave to each
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

// Fills an area with curve panes, as many as are wanted and fit well, in rows of equal panes.
static void place_curves(struct layout *l, struct rect area, int want)
{
	want = least(want, LAYOUT_CURVES) - l->curves;
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
			l->curve[l->curves++] = (struct rect){area.x + left, area.y + top, right - left, bottom - top};
		}
		want -= here;
	}
}

// Tables one above the other, figures beside them.
static void beside(struct layout *l, struct rect body, struct layout_want want)
{
	int width = least(TABLE_MOST, most(TABLE_LEAST, body.width / 2));
	if (body.width - width < FIGURE_WIDTH)
		width = body.width - FIGURE_WIDTH;
	struct rect left = body, right = body;
	left.width = width;
	right.x += width;
	right.width -= width;

	int costs = least(FRAME + HEAD + want.terms, most(FRAME + HEAD + 1, left.height / 3));
	int layers = FRAME + HEAD + want.layers;
	bool roomy = left.height - costs - layers >= FIGURE_TALL;
	l->layers = take_rows(&left, roomy ? layers : left.height - costs);
	l->costs = take_rows(&left, costs);

	// A little more than half for the front: it is what the search is about.
	int front = right.height < 2 * FIGURE_HEIGHT ? right.height : most(FIGURE_HEIGHT, (right.height * 11 + 10) / 20);
	l->front = take_rows(&right, front);
	place_curves(l, right, want.curves);
	if (roomy)
		place_curves(l, left, want.curves);
	// Nothing wanted for the rest: leave no hole where a pane can grow into it.
	if (right.height > 0 && l->curves == 0)
		l->front.height += right.height;
}

// Everything one above the other.
static void stacked(struct layout *l, struct rect body, struct layout_want want)
{
	int costs = least(FRAME + HEAD + want.terms, most(FRAME + HEAD + 1, body.height / 4));
	int room = body.height - costs, layers = FRAME + HEAD + want.layers;
	if (room - layers >= FIGURE_HEIGHT)
		room = layers;
	else if (room >= 2 * FIGURE_TALL)
		room -= most(FIGURE_HEIGHT, room * 2 / 5);
	l->layers = take_rows(&body, room);
	l->costs = take_rows(&body, costs);
	if (body.height < FIGURE_HEIGHT)
		return;
	l->front = take_rows(&body, body.height < 2 * FIGURE_HEIGHT ? body.height : body.height / 2);
	place_curves(l, body, want.curves);
	if (l->curves == 0)
		l->front.height += body.height;
}

void layout_make(int width, int height, struct layout_want want, struct layout *l)
{
	memset(l, 0, sizeof *l);
	want.layers = most(want.layers, 1);
	want.terms = most(want.terms, 1);
	if (width < LAYOUT_MIN_WIDTH || height < LAYOUT_MIN_HEIGHT) {
		l->small = true;
		return;
	}
	struct rect rest = {0, 0, width, height};
	l->header = take_rows(&rest, 1);
	l->progress = take_rows(&rest, 1);
	l->says = take_rows(&rest, 1);
	struct rect body = take_rows(&rest, rest.height - 2);
	l->message = take_rows(&rest, 1);
	l->hints = take_rows(&rest, 1);
	if (width >= TABLE_LEAST + FIGURE_WIDTH)
		beside(l, body, want);
	else
		stacked(l, body, want);
}

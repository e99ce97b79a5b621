// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct view_ops *const table[VIEWS_COUNT] = {
#define VIEW_ROW(name) &view_##name,
	VIEWS(VIEW_ROW)
#undef VIEW_ROW
};

// ---- their memory --------------------------------------------------------------------------------------------------

bool views_begin(struct views *v, struct fault *f)
{
	*v = (struct views){.zoomed = LAYOUT_NONE};
	for (int i = VIEWS_COUNT - 1; i >= 0; i--) {
		v->view[i].ops = table[i];
		v->view[i].own = calloc(1, table[i]->own + 1);
		if (!v->view[i].own) {
			views_end(v);
			return fault_memory(f, "views");
		}
		if (table[i]->place == LAYOUT_MAIN)
			v->focus = i;
	}
	return true;
}

void views_end(struct views *v)
{
	for (int i = 0; i < VIEWS_COUNT; i++) {
		if (v->view[i].own && v->view[i].ops->end)
			v->view[i].ops->end(v->view[i].own);
		free(v->view[i].own);
		v->view[i].own = NULL;
	}
}

void views_forget(struct views *v)
{
	for (int i = 0; i < VIEWS_COUNT; i++)
		if (v->view[i].ops->forget)
			v->view[i].ops->forget(v->view[i].own);
}

// ---- their names ---------------------------------------------------------------------------------------------------

int views_of(const struct views *v, const struct view_ops *ops)
{
	int i = 0;
	while (i < VIEWS_COUNT - 1 && v->view[i].ops != ops)
		i++;
	return i;
}

int views_main(const struct views *v)
{
	for (int k = 0; k < VIEWS_COUNT; k++) // by the last drawing, where there was one
		if (v->item[k].place == LAYOUT_MAIN && !v->view[k].absent)
			return k;
	int i = 0;
	while (i < VIEWS_COUNT - 1 && v->view[i].ops->place != LAYOUT_MAIN)
		i++;
	return i;
}

int views_mover(const struct views *v)
{
	return v->view[v->focus].ops->move ? v->focus : views_main(v);
}

bool views_enter(struct views *v, const struct scene *scene, int view, struct fault *f)
{
	const struct view_ops *ops = v->view[view].ops;
	if (ops->enter ? !ops->enter(v->view[view].own, scene, f) : v->view[view].absent)
		return ops->enter ? false : fault_set(f, ops->name, "`view` lists the views", "has nothing to show now");
	bool below = v->focus == view; // the person came from it, or from behind it: it keeps where it was come to from
	for (int i = v->focus, hops = 0; v->view[i].ops->place == LAYOUT_ALONE && hops < VIEWS_COUNT; i = v->from[i], hops++)
		below |= v->from[i] == view;
	if (ops->place == LAYOUT_ALONE && !below)
		v->from[view] = v->focus;
	v->view[view].hidden = false;
	v->focus = view;
	if (v->zoomed != LAYOUT_NONE)
		v->zoomed = ops->place == LAYOUT_ALONE ? LAYOUT_NONE : view;
	return true;
}

bool views_back(struct views *v)
{
	if (v->view[v->focus].ops->place != LAYOUT_ALONE)
		return false;
	int to = v->from[v->focus];
	v->focus = to != v->focus && !v->view[to].hidden ? to : views_main(v);
	return true;
}

bool views_marked(const struct views *v, int view, int row)
{
	return v->view[view].ops->marked && v->view[view].ops->marked(v->view[view].own, row);
}

int views_named(const struct views *v, const char *name)
{
	for (int i = 0; i < VIEWS_COUNT; i++) {
		const struct view_ops *ops = v->view[i].ops;
		if (ops->key && (strcmp(ops->name, name) == 0 || (name[0] == ops->key && name[0] != ' ' && !name[1])))
			return i;
	}
	return LAYOUT_NONE;
}

const char *views_words(void)
{
	static char words[VIEWS_COUNT * 24];
	for (int i = words[0] ? VIEWS_COUNT : 0; i < VIEWS_COUNT; i++)
		if (table[i]->key) {
			size_t at = strlen(words);
			snprintf(words + at, sizeof words - at, "%s%s", at ? "|" : "", table[i]->name);
		}
	return words;
}

// ---- drawing -------------------------------------------------------------------------------------------------------

static const char *shorter(const char *const text[], int count, int width)
{
	for (int i = 0; i < count - 1; i++)
		if (screen_width(text[i]) <= width)
			return text[i];
	return text[count - 1];
}

static void draw_small(struct screen *s)
{
	char sentence[64], numbers[32], needs[16];
	snprintf(sentence, sizeof sentence, "needs %dx%d, has %dx%d", LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT, s->width, s->height);
	snprintf(numbers, sizeof numbers, "%dx%d<%dx%d", s->width, s->height, LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT);
	snprintf(needs, sizeof needs, "<%dx%d", LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT);
	const char *const size[] = {sentence, numbers, needs, "small"};
	const char *text[] = {"bitscape", shorter(size, 4, s->width), "q quits"};
	static const enum style style[] = {STYLE_BRAND, STYLE_TEXT, STYLE_DIM};
	// On the lowest screens the numbers alone.
	int first = s->height < 3, count = s->height < 2 ? 1 : 3 - first;
	for (int i = 0; i < count; i++) {
		int gap = (s->width - screen_width(text[first + i])) / 2;
		screen_fit(s, gap > 0 ? gap : 0, (s->height - count) / 2 + i, s->width, style[first + i], text[first + i]);
	}
}

void views_draw(struct views *v, struct scene *scene, struct screen *s)
{
	for (int i = 0; i < VIEWS_COUNT; i++) {
		const struct view_ops *ops = v->view[i].ops;
		v->item[i] = (struct layout_item){.place = ops->place, .wanted = !v->view[i].hidden, .rows = 1, .panes = 1};
		if (ops->measure)
			ops->measure(v->view[i].own, scene, s, &v->item[i]);
		v->view[i].absent = !v->item[i].wanted && !v->view[i].hidden;
	}
	if (v->view[v->focus].absent)
		v->focus = views_main(v);
	if (v->zoomed != LAYOUT_NONE && v->view[v->zoomed].absent)
		v->zoomed = LAYOUT_NONE;
	screen_clear(s);
	if (!layout_make(s->width, s->height, v->item, VIEWS_COUNT, v->zoomed)) {
		draw_small(s);
		return;
	}
	if (v->item[v->focus].got == 0 && v->item[v->focus].wanted &&
		v->zoomed == LAYOUT_NONE) // the person is in it: it has all the room
		layout_make(s->width, s->height, v->item, VIEWS_COUNT, v->focus);
	for (int i = 0; i < VIEWS_COUNT; i++)
		if (v->item[i].got > 0)
			v->view[i].ops->draw(v->view[i].own, scene, s, &v->item[i]);
	const struct layout_item *focus = &v->item[v->focus];
	if (v->focus != views_main(v) && focus->got > 0 && !scene->popup) // where keys act elsewhere than usual
		screen_put(s, focus->pane[0].x + 1, focus->pane[0].y, 1, STYLE_STRONG, glyph(s->ascii, GLYPH_CURSOR));
}

// ---- acting --------------------------------------------------------------------------------------------------------

int views_page(const struct views *v, int view)
{
	const struct layout_item *item = &v->item[view];
	int height = item->got > 0 ? item->pane[0].height : 0;
	return height > 4 ? height - 4 : 1;
}

static bool within(struct rect r, int x, int y)
{
	return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
}

bool views_wheel(struct views *v, struct scene *scene, int x, int y, enum motion m)
{
	for (int i = VIEWS_COUNT - 1; i >= 0; i--)
		for (int pane = 0; v->view[i].ops->move && pane < v->item[i].got; pane++)
			if (within(v->item[i].pane[pane], x, y)) {
				v->view[i].ops->move(v->view[i].own, scene, m, 1);
				return true;
			}
	return false;
}

bool views_click(struct views *v, struct scene *scene, int x, int y)
{
	for (int i = VIEWS_COUNT - 1; i >= 0; i--)
		for (int pane = 0; pane < v->item[i].got; pane++) {
			const struct view_ops *ops = v->view[i].ops;
			struct rect r = v->item[i].pane[pane];
			if (!within(r, x, y))
				continue;
			bool took = ops->click && ops->click(v->view[i].own, scene, pane, x - r.x, y - r.y);
			if (ops->key && ops->place != LAYOUT_OVER) {
				v->focus = i;
				return true;
			}
			if (took)
				return true;
		}
	return false;
}

bool views_grab(struct views *v, struct scene *scene, int x, int y)
{
	for (int i = VIEWS_COUNT - 1; i >= 0; i--)
		for (int pane = 0; pane < v->item[i].got; pane++) {
			const struct view_ops *ops = v->view[i].ops;
			struct rect r = v->item[i].pane[pane];
			if (!within(r, x, y))
				continue;
			v->held = i;
			v->held_pane = pane;
			return ops->drag && ops->drag(v->view[i].own, scene, pane, x - r.x, y - r.y, DRAG_TAKE, NULL);
		}
	return false;
}

void views_dragged(struct views *v, struct scene *scene, int x, int y, enum drag what, struct string *line)
{
	struct rect r = v->item[v->held].pane[v->held_pane];
	v->view[v->held].ops->drag(v->view[v->held].own, scene, v->held_pane, x - r.x, y - r.y, what, line);
}

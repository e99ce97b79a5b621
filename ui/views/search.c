// SPDX-License-Identifier: GPL-3.0-or-later
// The search screen as a whole: lays out the panes and draws them, the message line, the hints and what lies on top.
#include <stdio.h>
#include <string.h>

#include "ui/views/view.h"

// The order in which curve panes cycle; kinds that are not named here follow in the order of their table.
static const char *const first_curves[] = {"curves", "cost", "entropy", "reward", "bits"};
enum { FIRST_CURVES = sizeof first_curves / sizeof *first_curves };

static bool named_first(const char *name)
{
	for (int i = 0; i < FIRST_CURVES; i++)
		if (strcmp(first_curves[i], name) == 0)
			return true;
	return strcmp(name, "front") == 0;
}

int view_curves(const struct figure_kind **out, int most)
{
	int count = 0;
	for (int i = 0; i < FIRST_CURVES && count < most; i++) {
		const struct figure_kind *kind = figure_kind_named(first_curves[i]);
		if (kind)
			out[count++] = kind;
	}
	size_t kinds;
	const struct figure_kind *kind = figure_kinds(&kinds);
	for (size_t i = 0; i < kinds && count < most; i++)
		if (!named_first(kind[i].name))
			out[count++] = &kind[i];
	return count;
}

static void draw_small(const struct view *v, struct screen *s)
{
	char line[64];
	(void)v;
	snprintf(line, sizeof line, "needs %dx%d, has %dx%d", LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT, s->width, s->height);
	const char *text[] = {"bitscape", line, "q quits"};
	static const enum style style[] = {STYLE_BRAND, STYLE_TEXT, STYLE_DIM};
	// On the lowest screens the numbers alone.
	int first = s->height < 3, count = s->height < 2 ? 1 : 3 - first;
	for (int i = 0; i < count; i++) {
		int gap = (s->width - screen_width(text[first + i])) / 2;
		screen_fit(s, gap > 0 ? gap : 0, (s->height - count) / 2 + i, s->width, style[first + i], text[first + i]);
	}
}

static void draw_message(const struct view *v, struct screen *s, struct rect r)
{
	if (v->prompt) {
		// A line longer than the row shows the part around the cursor.
		int skip = v->prompt_cursor >= r.width ? v->prompt_cursor - r.width + 1 : 0;
		const char *text = v->prompt;
		int skipped = 0;
		while (skipped < skip && *text) {
			char one[8] = {0};
			const char *from = text;
			screen_decode(&text);
			memcpy(one, from, (size_t)(text - from));
			skipped += screen_width(one);
		}
		screen_put(s, r.x, r.y, r.width, STYLE_STRONG, text);
		s->cursor = true;
		s->cursor_x = v->prompt_cursor - skipped;
		s->cursor_y = r.y;
		return;
	}
	if (!v->message)
		return;
	int x = r.x + 1, width = r.width - 2;
	if (v->bad) {
		screen_put(s, x, r.y, 2, STYLE_BAD, "! ");
		x += 2;
		width -= 2;
	}
	screen_fit(s, x, r.y, width, v->bad ? STYLE_BAD : STYLE_TEXT, v->message);
}

int draw_hints(const struct view *v, struct screen *s, int x, int y, int width, enum hint_place place)
{
	int used = 0;
	for (int i = 0; i < v->hints; i++) {
		const struct hint *h = &v->hint[i];
		if (h->place != place)
			continue;
		int keys = screen_width(h->keys), label = screen_width(h->label), gap = used ? 2 : 0;
		if (used + gap + keys + 1 + label > width)
			break;
		used += gap;
		used += screen_put(s, x + used, y, keys, STYLE_KEY, h->keys);
		used++;
		used += screen_put(s, x + used, y, label, STYLE_HINT, h->label);
	}
	return used;
}

void draw_box_hints(const struct view *v, struct screen *s, struct rect r, int y, enum hint_place place)
{
	// Drawn once beyond the edge to learn the width, then where they belong.
	int width = draw_hints(v, s, s->width, s->height, r.width - 6, place);
	if (width == 0)
		return;
	int x = r.x + r.width - 3 - width;
	screen_fill(s, (struct rect){x - 1, y, width + 2, 1});
	draw_hints(v, s, x, y, width, place);
}

void view_draw(struct view *v, struct screen *s)
{
	const struct snapshot *snap = v->snapshot;
	const struct figure_kind *kind[LAYOUT_CURVES * 2];
	int kinds = view_curves(kind, LAYOUT_CURVES * 2);
	struct layout_want want = {snap->info ? snap->info->layers : 0, snap->terms, kinds};
	struct layout l;
	layout_make(s->width, s->height, want, &l);
	screen_clear(s);
	if (l.small) {
		draw_small(v, s);
		return;
	}
	draw_header(v, s, &l);
	draw_layers(v, s, l.layers);
	draw_costs(v, s, l.costs);
	if (l.front.width > 0)
		draw_figure(v, s, l.front, figure_kind_named("front"));
	for (int i = 0; i < l.curves && kinds > 0; i++)
		draw_figure(v, s, l.curve[i], kind[(v->curve + i) % kinds]);
	if (l.curves > 0 && l.curves < kinds)
		draw_box_hints(v, s, l.curve[0], l.curve[0].y, HINT_CURVES);
	draw_hints(v, s, l.hints.x + 1, l.hints.y, l.hints.width - 2, HINT_BAR);
	if (v->popup)
		draw_popup(v->popup, s, v->popup_low);
	draw_message(v, s, l.message);
}

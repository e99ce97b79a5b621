// SPDX-License-Identifier: GPL-3.0-or-later
// A box of text over the screen.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/views/views.h"

bool popup_add(struct popup *p, const char *text, int key, bool head)
{
	char *copy = strdup(text);
	struct popup_line *line = copy ? realloc(p->line, (size_t)(p->lines + 1) * sizeof *line) : NULL;
	if (!line) {
		free(copy);
		return false;
	}
	p->line = line;
	p->line[p->lines++] = (struct popup_line){copy, key, head};
	return true;
}

bool popup_add_wrapped(struct popup *p, const char *text, size_t width, const char *indent)
{
	char line[256];
	if (width > sizeof line - 4)
		width = sizeof line - 4;
	for (bool first = true; *text; first = false) {
		size_t length = strlen(text), take = length;
		if (length > width) {
			take = width;
			while (take > width / 2 && text[take] != ' ')
				take--;
			while (take > 1 && ((unsigned char)text[take] & 0xc0) == 0x80) // never within a character
				take--;
		}
		snprintf(line, sizeof line, "%s%.*s", first ? "" : indent, (int)take, text);
		if (!popup_add(p, line, 0, false))
			return false;
		text += take;
		text += strspn(text, " ");
	}
	return true;
}

void popup_clear(struct popup *p)
{
	for (int i = 0; i < p->lines; i++)
		free(p->line[i].text);
	free(p->line);
	*p = (struct popup){0};
}

static int clamp(int value, int low, int high)
{
	return value > high ? high : value < low ? low : value;
}

int popup_rows(int height)
{
	return clamp(height - 6, 1, height);
}

static void draw_popup(struct popup *p, struct screen *s, bool low)
{
	int width = screen_width(p->title) + 6;
	if (p->foot)
		width = clamp(screen_width(p->foot) + 8, width, s->width - 4);
	for (int i = 0; i < p->lines; i++)
		width = clamp(screen_width(p->line[i].text) + 4, width, s->width - 4);
	width = clamp(width, low ? s->width : 0, s->width - (low ? 0 : 4));
	int height = clamp(p->lines + 2, 3, low ? s->height / 2 : popup_rows(s->height) + 2), rows = height - 2;
	p->top = clamp(p->top, 0, p->lines > rows ? p->lines - rows : 0);

	struct rect r = {(s->width - width) / 2, low ? s->height - 2 - height : (s->height - height) / 2, width, height};
	screen_fill(s, low ? r : (struct rect){r.x - 1, r.y, r.width + 2, r.height}); // a margin parts it from what it covers
	screen_box(s, r, p->title);
	s->cursor = s->cursor && low; // above a prompt, which has it
	for (int i = 0; i < rows && p->top + i < p->lines; i++) {
		const struct popup_line *line = &p->line[p->top + i];
		int y = r.y + 1 + i, room = width - 4;
		screen_fit(s, r.x + 2, y, room, line->head ? STYLE_TITLE : STYLE_TEXT, line->text);
		if (line->key > 0)
			screen_put(s, r.x + 2, y, line->key < room ? line->key : room, STYLE_KEY, line->text);
	}
	if (low)
		return;
	char foot[96];
	const char *leave = p->foot ? p->foot : "Esc closes";
	if (p->lines > rows)
		snprintf(foot, sizeof foot, " %d-%d of %d, j/k scroll, %s ", p->top + 1, p->top + rows, p->lines, leave);
	else
		snprintf(foot, sizeof foot, " %s ", leave);
	if (screen_width(foot) + 4 > width)
		snprintf(foot, sizeof foot, " %s ", leave);
	int used = screen_width(foot);
	if (used + 4 <= width)
		screen_put(s, r.x + width - 2 - used, r.y + height - 1, used, STYLE_HINT, foot);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = scene->popup != NULL;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	(void)item;
	draw_popup(scene->popup, s, scene->popup_low);
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	if (scene->popup)
		scene->popup->top = motion_to(m, scene->popup->top, scene->popup->lines, page);
}

// Nothing behind a box is clicked.
static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)own;
	(void)pane;
	(void)x;
	(void)y;
	return scene->popup != NULL;
}

const struct view_ops view_popup = {
	.name = "popup", .title = "a box of text", .place = LAYOUT_OVER, .measure = measure, .draw = draw, .move = move, .click = click,
};

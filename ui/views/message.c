// SPDX-License-Identifier: GPL-3.0-or-later
// The line being typed, or else the last message.
#include <string.h>

#include "ui/views/views.h"

// A line longer than the row shows the part around the cursor.
static void draw_prompt(const struct scene *scene, struct screen *s, struct rect r)
{
	int skip = scene->prompt_cursor >= r.width ? scene->prompt_cursor - r.width + 1 : 0;
	const char *text = scene->prompt;
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
	s->cursor_x = scene->prompt_cursor - skipped;
	s->cursor_y = r.y;
}

// A message goes on in further lines; at most a quarter of the screen is for it.
static int lines_of(const struct scene *scene, int width, int height)
{
	int lines = scene->prompt || !scene->message ? 1 : screen_lines(scene->message, width - 2 - 2 * scene->bad);
	return lines > height / 4 && lines > 1 ? height / 4 : lines;
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	item->rows = lines_of(scene, s->width, s->height);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	static const char rest[] = "`messages` shows the rest";
	struct rect r = item->pane[0];
	if (scene->prompt) {
		draw_prompt(scene, s, r);
		return;
	}
	if (!scene->message)
		return;
	int x = r.x + 1, width = r.width - 2;
	enum style style = scene->bad ? STYLE_BAD : STYLE_TEXT;
	if (scene->bad) {
		screen_put(s, x, r.y, 2, STYLE_BAD, "! ");
		x += 2;
		width -= 2;
	}
	const char *text = scene->message;
	for (int i = 0; i < r.height && *text; i++) {
		const char *from = text;
		int bytes = (int)screen_break(from, width, &text);
		screen_print(s, x, r.y + i, width, style, "%.*s", bytes, from);
	}
	if (*text)
		screen_print(s, x + width - (int)sizeof rest, r.y + r.height - 1, (int)sizeof rest, STYLE_HINT, " %s", rest);
}

const struct view_ops view_message = {
	.name = "message",
	.title = "what was said",
	.place = LAYOUT_FOOT,
	.measure = measure,
	.draw = draw,
};

// SPDX-License-Identifier: GPL-3.0-or-later
// The line that is typed, or else what was said last.
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

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	struct rect r = item->pane[0];
	if (scene->prompt) {
		draw_prompt(scene, s, r);
		return;
	}
	if (!scene->message)
		return;
	int x = r.x + 1, width = r.width - 2;
	if (scene->bad) {
		screen_put(s, x, r.y, 2, STYLE_BAD, "! ");
		x += 2;
		width -= 2;
	}
	screen_fit(s, x, r.y, width, scene->bad ? STYLE_BAD : STYLE_TEXT, scene->message);
}

const struct view_ops view_message = {.name = "message", .title = "what was said", .place = LAYOUT_FOOT, .draw = draw};

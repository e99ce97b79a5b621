// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/stage.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"

enum { WIDTH_MOST = 500, HEIGHT_MOST = 200 };
static const double NEWS_SECONDS = 0.1; // between two frames of news
static const double LINE_SECONDS = 1.5; // of a recording with a pace: that what a line has done stays to be read

static void on_said(void *context, const char *text)
{
	struct stage *s = context;
	workbench_answer(&s->w, text);
}

static void on_told(void *context, const char *text)
{
	struct stage *s = context;
	workbench_say(&s->w, false, "%s", text);
}

static void on_turned(void *context)
{
	struct stage *s = context;
	const double now = clock_seconds();
	if (now < s->drawn + NEWS_SECONDS && (!s->w.recording.cast || record_since(&s->w) < NEWS_SECONDS))
		return;
	stage_draw(s);
}

static void on_done(void *context, const char *line)
{
	struct stage *s = context;
	workbench_answered(&s->w, line);
	stage_draw(s);
	record_pause(&s->w, LINE_SECONDS);
}

bool stage_begin(struct stage *s, struct session *session, int width, int height, struct fault *f)
{
	*s = (struct stage){.audience = {on_said, on_told, on_done, on_turned, s}};
	if (!workbench_begin(&s->w, session, false, f))
		return false;
	s->w.unseen = true;
	return screen_resize(&s->w.screen, width, height) || fault_memory(f, "screen");
}

void stage_draw(struct stage *s)
{
	s->drawn = clock_seconds();
	workbench_draw(&s->w);
	record_frame(&s->w);
	s->w.recording.shown = s->w.recording.at;
}

bool stage_end(struct stage *s, struct fault *f)
{
	const bool ok = !s->w.recording.cast || record_end(&s->w, f);
	workbench_release(&s->w);
	return ok;
}

struct command_table stage_table(const struct stage *s)
{
	struct command_table table = s->w.table;
	table.show = NULL; // answers are lines, for the batch's output
	table.audience = &s->audience;
	return table;
}

bool stage_size(const char *text, int *width, int *height, struct fault *f)
{
	const char *x = strchr(text, 'x');
	char columns[16];
	long w = 0, h = 0;
	const size_t length = x ? (size_t)(x - text) : 0;
	if (length > 0 && length < sizeof columns) {
		memcpy(columns, text, length);
		columns[length] = '\0';
	}
	if (length == 0 || length >= sizeof columns || !number_read_long(columns, LAYOUT_MIN_WIDTH, WIDTH_MOST, &w) ||
		!number_read_long(x + 1, LAYOUT_MIN_HEIGHT, HEIGHT_MOST, &h))
		return fault_set(f, text, "write it as 120x40, columns and rows", "is not a size of a screen (%dx%d to %dx%d)",
			LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT, WIDTH_MOST, HEIGHT_MOST);
	*width = (int)w;
	*height = (int)h;
	return true;
}

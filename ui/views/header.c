// SPDX-License-Identifier: GPL-3.0-or-later
// The rows at the top: what is searched, how far it is, the network's blocks where they are to be chosen, and what the search says it is
// doing.
#include <math.h>
#include <stdio.h>

#include "ui/show.h"
#include "ui/views/views.h"

static const struct run_look {
	enum glyph glyph;
	enum style style;
} run_look[] = {
	[RUN_PAUSED] = {GLYPH_PAUSED, STYLE_WARN},
	[RUN_RUNNING] = {GLYPH_RUNNING, STYLE_GOOD},
	[RUN_FINISHED] = {GLYPH_FINISHED, STYLE_GOOD},
	[RUN_HALTED] = {GLYPH_PAUSED, STYLE_BAD},
	[RUN_FAILED] = {GLYPH_FAILED, STYLE_BAD},
};

// To the left of column x; returns where it begins.
static int draw_sign(struct screen *s, int x, int y, const char *text)
{
	int width = screen_width(text);
	screen_put(s, x - 2 - width, y, width, STYLE_WARN, text);
	return x - 2 - width;
}

static void draw_names(const struct scene *scene, struct screen *s, struct rect r)
{
	const struct snapshot *snap = scene->snapshot;
	const struct run_look *run = &run_look[snap->run];
	const char *word = snap->run == RUN_RUNNING && snap->step == 0 ? "starting" : engine_run_word(snap->run);
	int state = 2 + screen_width(word), x = r.x + r.width - 1 - state;
	screen_put(s, x, r.y, 1, run->style, glyph(s->ascii, run->glyph));
	screen_put(s, x + 2, r.y, state - 2, run->style, word);
	if (scene->read_only)
		x = draw_sign(s, x, r.y, "read-only");
	if (scene->pending > 0) {
		char text[32];
		snprintf(text, sizeof text, "%d pending", scene->pending);
		x = draw_sign(s, x, r.y, text);
	}

	int at = r.x + 1;
	at += screen_put(s, at, r.y, x - at, STYLE_BRAND, "bitscape") + 2;
	const struct engine_info *info = snap->info;
	if (!info)
		return;
	const char *dot = glyph(s->ascii, GLYPH_DOT);
	char names[ENGINE_TEXT * 4];
	snprintf(names, sizeof names, "%s %s %s %s %s%s%s %s %s", info->net, dot, info->data, dot, info->space,
		info->reach[0] ? " for " : "", info->reach, dot, info->preset);
	at += screen_fit(s, at, r.y, x - 2 - at, STYLE_TEXT, names) + 2;
	if (x - 2 - at >= 8)
		screen_tail(s, at, r.y, x - 2 - at, STYLE_DIM, scene->session);
}

// One figure of the progress row: a dim word and a number in a column of its own, so that nothing moves as it changes.
struct gauge {
	const char *before, *after;
	int width; // of the number
	int from;  // the narrowest screen that shows it
	char text[16];
	enum style style;
};

// "-" where nothing is known yet.
static void write_number(struct gauge *g, int decimals, double value)
{
	if (isfinite(value))
		snprintf(g->text, sizeof g->text, "%.*f", decimals, value);
	else
		snprintf(g->text, sizeof g->text, "-");
}

static void draw_progress(const struct scene *scene, struct screen *s, struct rect r)
{
	const struct snapshot *snap = scene->snapshot;
	struct gauge g[] = {
		{"", " img/s", 5, 70, "", STYLE_TEXT},
		{"", " left", 5, 0, "", STYLE_TEXT},
		{"loss ", "", 5, 104, "", STYLE_TEXT},
		{"accuracy ", "", 4, 104, "", STYLE_TEXT},
		{"reward ", "", 6, 140, "", STYLE_TEXT},
		{"rate ", "", 7, 160, "", STYLE_TEXT},
		{"entropy ", "", 4, 0, "", STYLE_TEXT},
	};
	enum { GAUGES = sizeof g / sizeof *g };
	bool images = !snap->info || snap->info->batch > 0;
	if (!images)
		g[0].after = " steps/s";
	double rate = images                                           ? snap->images_per_s
		: snap->run == RUN_RUNNING && snap->step_seconds > 0.0 ? 1.0 / snap->step_seconds
								       : 0.0;
	show_si(round(rate), g[0].text, sizeof g[0].text);
	if (snap->seconds_left > 0.0)
		show_duration(snap->seconds_left, g[1].text, sizeof g[1].text);
	else
		snprintf(g[1].text, sizeof g[1].text, "-");
	write_number(&g[2], 3, snap->loss);
	show_percent(snap->accuracy, g[3].text, sizeof g[3].text);
	write_number(&g[4], 3, snap->reward);
	show_small(snap->learning_rate, g[5].text, sizeof g[5].text);
	write_number(&g[6], 2, snap->entropy);
	g[6].style = style_heat(snap->entropy);

	// From the right: the search's temperature as a short bar, then the gauges.
	int x = r.x + r.width - 1;
	x -= 1;
	screen_put(s, x, r.y, 1, style_heat(snap->entropy), glyph_ramp(s->ascii, (int)(snap->entropy * (RAMP_LEVELS - 1) + 0.5)));
	x -= 1;
	for (int i = GAUGES - 1; i >= 0; i--) {
		if (r.width < g[i].from)
			continue;
		int before = screen_width(g[i].before), after = screen_width(g[i].after);
		x -= before + g[i].width + after;
		screen_put(s, x, r.y, before, STYLE_DIM, g[i].before);
		screen_right(s, x + before, r.y, g[i].width, g[i].style, g[i].text);
		screen_put(s, x + before + g[i].width, r.y, after, STYLE_DIM, g[i].after);
		x -= 2;
	}

	int at = r.x + 1;
	char number[24], steps[64];
	int digits = snprintf(number, sizeof number, "%ld", snap->horizon);
	snprintf(steps, sizeof steps, "%*ld/%ld", digits, snap->step, snap->horizon);
	at += screen_put(s, at, r.y, x - at, STYLE_DIM, "step ");
	at += screen_put(s, at, r.y, x - at, STYLE_STRONG, steps) + 1;
	double share = snap->horizon > 0 ? (double)snap->step / (double)snap->horizon : 0.0;
	if (x - at >= 4)
		screen_meter(s, at, r.y, x - at, share);
}

// What the search says of itself, or why it has failed.
static const char *said(const struct scene *scene, char *buf, size_t size)
{
	const struct snapshot *snap = scene->snapshot;
	if (snap->run >= RUN_HALTED)
		return fault_line(&snap->fault, buf, size);
	for (int i = 0; i < snap->lanes && snap->lanes > 1; i++)
		if (snap->lane[i].focus) {
			snprintf(buf, size, "lane %d of %d, %s: %s", snap->lane[i].number, snap->lanes, snap->lane[i].name,
				snap->says);
			return buf;
		}
	if (scene->stretches && snap->run == RUN_RUNNING) {
		snprintf(buf, size, "%s; read on: the horizon moves out until your first act", snap->says);
		return buf;
	}
	return snap->says;
}

enum { SAID_LINES = 4, SAID_BYTES = sizeof(struct fault) + 8 };

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	char text[SAID_BYTES];
	int lines = screen_lines(said(scene, text, sizeof text), s->width - 2);
	item->rows = 2 + blocks_there(scene) + (lines < SAID_LINES ? lines : SAID_LINES);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	struct rect r = item->pane[0], line = {r.x, r.y, r.width, 1};
	draw_names(scene, s, line);
	line.y++;
	draw_progress(scene, s, line);
	const bool blocks = r.height > 3 && blocks_there(scene);
	if (blocks)
		draw_blocks(scene, s, r.x + 1, r.y + 2, r.width - 2);
	char buf[SAID_BYTES];
	const char *text = said(scene, buf, sizeof buf);
	enum style style = scene->snapshot->run >= RUN_HALTED ? STYLE_BAD : STYLE_TEXT;
	for (int y = r.y + 2 + blocks; y < r.y + r.height && *text; y++) {
		const char *from = text;
		int bytes = (int)screen_break(from, r.width - 2, &text);
		screen_print(s, r.x + 1, y, r.width - 2, style, "%.*s", bytes, from);
	}
}

const struct view_ops view_header = {
	.name = "header",
	.title = "what is searched",
	.place = LAYOUT_HEAD,
	.measure = measure,
	.draw = draw,
};

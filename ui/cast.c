// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cast.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "ui/ink.h"

enum { PART = 1 << 16 }; // bytes that are written at once

struct cast {
	struct disk_file file;
	struct screen shown; // what the recording shows so far
	const struct theme *theme;
	struct string text;  // what is not written yet
	struct string bytes; // of the frame in hand, as a terminal gets them
	size_t written;
	double last; // in seconds
	long frames;
	bool cursor; // it shows
	int x, y;    // where it stands
};

// ---- JSON ----------------------------------------------------------------------------------------------------------

static void add_json(struct string *out, const char *text, size_t length)
{
	string_add(out, "\"");
	for (size_t i = 0; i < length; i++) {
		const unsigned char c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			string_add(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			string_add(out, "\\u%04x", c);
		else
			string_bytes(out, text + i, 1);
	}
	string_add(out, "\"");
}

static bool write_out(struct cast *c, struct fault *f)
{
	if (c->text.failed || c->bytes.failed)
		return fault_memory(f, "recording");
	if (c->text.length && !disk_write(c->file.fd, c->text.bytes, c->text.length))
		return disk_fault(f, c->file.name, "write it", errno);
	c->written += c->text.length;
	string_clear(&c->text);
	return true;
}

static void add_event(struct cast *c, double seconds, const char *kind, const char *data, size_t length)
{
	string_add(&c->text, "[%.3f, \"%s\", ", seconds, kind);
	add_json(&c->text, data, length);
	string_add(&c->text, "]\n");
}

// ---- frames --------------------------------------------------------------------------------------------------------

static void add_ink(struct string *out, struct ink ink)
{
	static const struct {
		unsigned bit;
		const char *code;
	} attribute[] = {{LOOK_BOLD, ";1"}, {LOOK_DIM, ";2"}, {LOOK_UNDERLINE, ";4"}, {LOOK_REVERSE, ";7"}};
	string_add(out, "\033[0");
	for (size_t i = 0; i < sizeof attribute / sizeof *attribute; i++)
		if (ink.attributes & attribute[i].bit)
			string_add(out, "%s", attribute[i].code);
	if (ink.front >= 0)
		string_add(out, ";38;5;%d", ink.front);
	if (ink.back >= 0)
		string_add(out, ";48;5;%d", ink.back);
	string_add(out, "m");
}

static bool same(const struct screen_cell *a, const struct screen_cell *b)
{
	return a->glyph == b->glyph && a->mark == b->mark && a->style == b->style && a->lit == b->lit;
}

static void add_glyph(struct string *out, const struct screen_cell *c)
{
	char text[16], *end = screen_encode(text, c->glyph);
	if (c->mark)
		end = screen_encode(end, c->mark);
	string_bytes(out, text, (size_t)(end - text));
}

// What has changed in the grid, as a terminal gets it; `whole`: all of it.
static void add_cells(struct cast *c, const struct screen *s, bool whole)
{
	struct ink ink = {-1, -1, 0};
	bool inked = false;
	if (whole)
		string_add(&c->bytes, "\033[0m\033[2J");
	for (int y = 0; y < s->height; y++)
		for (int x = 0, at = -1; x < s->width; x++) {
			const struct screen_cell *now = &s->cell[y * s->width + x];
			struct screen_cell *was = &c->shown.cell[y * s->width + x];
			const bool empty = whole && now->glyph == ' ' && !now->mark && !now->lit;
			const bool kept = whole ? empty : same(now, was);
			*was = *now;
			if (kept || now->glyph == 0)
				continue;
			if (at != x)
				string_add(&c->bytes, "\033[%d;%dH", y + 1, x + 1);
			if (!inked || !ink_same(ink, ink_of(now, c->theme)))
				add_ink(&c->bytes, ink = ink_of(now, c->theme));
			inked = true;
			add_glyph(&c->bytes, now);
			at = x + 1 + (x + 1 < s->width && now[1].glyph == 0);
		}
}

static void add_cursor(struct cast *c, const struct screen *s)
{
	if (s->cursor && (c->bytes.length || !c->cursor || c->x != s->cursor_x || c->y != s->cursor_y))
		string_add(&c->bytes, "\033[%d;%dH", s->cursor_y + 1, s->cursor_x + 1);
	if (s->cursor != c->cursor)
		string_add(&c->bytes, "\033[?25%c", s->cursor ? 'h' : 'l');
	c->cursor = s->cursor;
	c->x = s->cursor_x;
	c->y = s->cursor_y;
}

bool cast_frame(struct cast *c, const struct screen *s, const struct theme *theme, double seconds, struct fault *f)
{
	const bool sized = s->width == c->shown.width && s->height == c->shown.height;
	const double at = seconds > c->last ? seconds : c->last;
	char size[32];
	string_clear(&c->bytes);
	if (!sized && !screen_resize(&c->shown, s->width, s->height))
		return fault_memory(f, "recording");
	if (!sized && c->frames > 0) {
		snprintf(size, sizeof size, "%dx%d", s->width, s->height);
		add_event(c, at, "r", size, strlen(size));
	}
	const bool whole = !sized || c->frames == 0 || theme != c->theme;
	c->theme = theme;
	if (c->frames == 0) {
		string_add(&c->bytes, "\033[?25l");
		c->cursor = false;
	}
	add_cells(c, s, whole);
	add_cursor(c, s);
	if (c->bytes.length) {
		add_event(c, at, "o", c->bytes.bytes, c->bytes.length);
		c->last = at;
		c->frames++;
	}
	if (c->written + c->text.length > CAST_MOST) {
		string_clear(&c->text);
		return fault_set(f, c->file.name, "it is whole up to here", "the recording has grown to %d MB", CAST_MOST >> 20);
	}
	return (c->text.length < PART && !c->text.failed) || write_out(c, f);
}

// ---- beginning and end ---------------------------------------------------------------------------------------------

struct cast *cast_begin(const char *file, int width, int height, const char *title, struct fault *f)
{
	struct cast *c = calloc(1, sizeof *c);
	if (!c || !screen_resize(&c->shown, width, height)) {
		free(c);
		fault_memory(f, "recording");
		return NULL;
	}
	if (!disk_begin(&c->file, file, f)) {
		screen_free(&c->shown);
		free(c);
		return NULL;
	}
	string_add(&c->text, "{\"version\": 2, \"width\": %d, \"height\": %d, \"timestamp\": %lld, \"title\": ", width, height,
		(long long)time(NULL));
	add_json(&c->text, title, strlen(title));
	string_add(&c->text, ", \"env\": {\"TERM\": \"xterm-256color\"}}\n");
	return c;
}

static void release(struct cast *c)
{
	string_free(&c->text);
	string_free(&c->bytes);
	screen_free(&c->shown);
	free(c);
}

bool cast_end(struct cast *c, double seconds, struct fault *f)
{
	// The last frame stays for as long as it was there: players stop at the last line.
	if (seconds > c->last && c->frames > 0)
		add_event(c, seconds, "o", "", 0);
	bool ok = write_out(c, f);
	if (ok)
		ok = disk_keep(&c->file, f);
	else
		disk_drop(&c->file);
	release(c);
	return ok;
}

void cast_drop(struct cast *c)
{
	if (!c)
		return;
	disk_drop(&c->file);
	release(c);
}

const char *cast_file(const struct cast *c)
{
	return c->file.name;
}

long cast_frames(const struct cast *c)
{
	return c->frames;
}

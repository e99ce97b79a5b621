// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

// ---- the grid -----------------------------------------------------------------------------------------------------

bool screen_resize(struct screen *s, int width, int height)
{
	if (width < 1 || height < 1)
		width = height = 1;
	struct screen_cell *cell = malloc((size_t)width * (size_t)height * sizeof *cell);
	if (!cell)
		return false;
	free(s->cell);
	s->cell = cell;
	s->width = width;
	s->height = height;
	screen_clear(s);
	return true;
}

void screen_free(struct screen *s)
{
	free(s->cell);
	s->cell = NULL;
	s->width = s->height = 0;
}

static const struct screen_cell blank = {.glyph = ' ', .style = STYLE_TEXT};

void screen_clear(struct screen *s)
{
	for (int i = 0; i < s->width * s->height; i++)
		s->cell[i] = blank;
	s->cursor = false;
	s->cursor_x = s->cursor_y = 0;
}

static struct screen_cell *at(struct screen *s, int x, int y)
{
	return x < 0 || y < 0 || x >= s->width || y >= s->height ? NULL : &s->cell[y * s->width + x];
}

void screen_fill(struct screen *s, struct rect r)
{
	for (int y = r.y; y < r.y + r.height; y++)
		for (int x = r.x; x < r.x + r.width; x++) {
			struct screen_cell *c = at(s, x, y);
			if (c)
				*c = blank;
		}
}

// Sets a cell; a wide character that loses one half thereby becomes a space, so that no half is ever left alone.
static void set(struct screen *s, int x, int y, enum style style, uint32_t code)
{
	struct screen_cell *c = at(s, x, y);
	if (!c)
		return;
	if (c->glyph == 0 && x > 0)
		c[-1].glyph = ' ';
	if (x + 1 < s->width && c[1].glyph == 0)
		c[1].glyph = ' ';
	c->glyph = code;
	c->mark = 0;
	c->style = (uint8_t)style;
}

// ---- text ---------------------------------------------------------------------------------------------------------

uint32_t screen_decode(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	uint32_t c = *p;
	if (c == 0)
		return 0;
	int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
	if (more <= 0) {
		*text += 1;
		return more < 0 ? '?' : c;
	}
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t code = c & (0x3fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*text += 1;
			return '?';
		}
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
		*text += 1;
		return '?';
	}
	*text += 1 + more;
	return code;
}

// Characters that show nothing and act instead: they turn the direction of writing, join, break, tag.
static bool acts(uint32_t code)
{
	static const struct {
		uint32_t from, to;
	} row[] = {
		{0xad, 0xad},
		{0x600, 0x605},
		{0x61c, 0x61c},
		{0x6dd, 0x6dd},
		{0x70f, 0x70f},
		{0x180e, 0x180e},
		{0x200b, 0x200f},
		{0x2028, 0x202e},
		{0x2060, 0x206f},
		{0xfeff, 0xfeff},
		{0xfff9, 0xfffb},
		{0xe0000, 0xe0fff},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row && code >= row[i].from; i++) // in order
		if (code <= row[i].to)
			return true;
	return false;
}

// Columns of a code point; what cannot be shown is replaced by '?', which takes one.
static int columns(uint32_t *code)
{
	static signed char known[0x3000]; // 2 + the width, of those that were asked for: most of a screen
	if (*code >= ' ' && *code < 0x7f)
		return 1;
	int w = *code < sizeof known && known[*code] ? known[*code] - 2
		: *code < ' ' || acts(*code)         ? -1
						     : wcwidth((wchar_t)*code);
	if (*code < sizeof known)
		known[*code] = (signed char)(w + 2);
	if (w >= 0)
		return w;
	*code = '?';
	return 1;
}

int screen_width(const char *text)
{
	int width = 0;
	for (uint32_t code; (code = screen_decode(&text));)
		width += columns(&code);
	return width;
}

size_t screen_break(const char *text, int width, const char **next)
{
	const char *p = text, *end = text, *space = NULL; // end: behind what fits
	int used = 0;
	for (uint32_t code; (code = screen_decode(&p));) {
		bool gap = code == ' ';
		used += columns(&code);
		if (used > width && !gap && end > text)
			break;
		if (gap)
			space = end;
		end = p;
	}
	if (*end != '\0' && space && space > text && *end != ' ')
		end = space;
	size_t bytes = (size_t)(end - text);
	while (bytes > 0 && text[bytes - 1] == ' ')
		bytes--;
	*next = end + strspn(end, " ");
	return bytes;
}

int screen_lines(const char *text, int width)
{
	int lines = 0;
	do {
		screen_break(text, width, &text);
		lines++;
	} while (*text);
	return lines;
}

int screen_put(struct screen *s, int x, int y, int width, enum style style, const char *text)
{
	int used = 0;
	for (uint32_t code; (code = screen_decode(&text));) {
		int w = columns(&code);
		if (w == 0) { // upon the character before it; the first such mark is kept
			struct screen_cell *c = used > 0 ? at(s, x + used - 1, y) : NULL;
			if (c && c->glyph == 0)
				c = at(s, x + used - 2, y);
			if (c && !c->mark)
				c->mark = code;
			continue;
		}
		if (used + w > width)
			break;
		bool whole = x + used >= 0 && x + used + w <= s->width;
		set(s, x + used, y, style, whole ? code : ' ');
		if (w == 2) {
			set(s, x + used + 1, y, style, ' ');
			struct screen_cell *half = at(s, x + used + 1, y);
			if (half && whole)
				half->glyph = 0;
		}
		used += w;
	}
	return used;
}

int screen_fit(struct screen *s, int x, int y, int width, enum style style, const char *text)
{
	if (screen_width(text) <= width)
		return screen_put(s, x, y, width, style, text);
	if (width < 1)
		return 0;
	int used = screen_put(s, x, y, width - 1, style, text);
	return used + screen_put(s, x + used, y, 1, style, glyph(s->ascii, GLYPH_ELLIPSIS));
}

int screen_tail(struct screen *s, int x, int y, int width, enum style style, const char *text)
{
	int excess = screen_width(text) - width;
	if (excess <= 0 || width < 1)
		return screen_put(s, x, y, width, style, text);
	excess++;
	while (excess > 0) {
		uint32_t code = screen_decode(&text);
		excess -= columns(&code);
	}
	int used = screen_put(s, x, y, 1, style, s->ascii ? "<" : glyph(false, GLYPH_ELLIPSIS));
	return used + screen_put(s, x + used, y, width - used, style, text);
}

void screen_right(struct screen *s, int x, int y, int width, enum style style, const char *text)
{
	int w = screen_width(text);
	int gap = w < width ? width - w : 0;
	screen_put(s, x + gap, y, width - gap, style, text);
}

int screen_print(struct screen *s, int x, int y, int width, enum style style, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return screen_fit(s, x, y, width, style, text);
}

// ---- shapes -------------------------------------------------------------------------------------------------------

void screen_glyph(struct screen *s, int x, int y, enum style style, uint32_t code)
{
	if (columns(&code) != 1)
		code = '?';
	set(s, x, y, style, code);
}

void screen_run(struct screen *s, int x, int y, int width, enum style style, enum glyph g)
{
	const char *text = glyph(s->ascii, g);
	uint32_t code = screen_decode(&text);
	for (int i = 0; i < width; i++)
		set(s, x + i, y, style, code);
}

static double unit(double share)
{
	return share > 1.0 ? 1.0 : share > 0.0 ? share : 0.0; // NaN: 0
}

void screen_bar(struct screen *s, int x, int y, int width, double share)
{
	int eighths = (int)(unit(share) * width * 8 + 0.5);
	if (share > 0.0 && eighths == 0)
		eighths = 1; // something is never shown as nothing
	for (int i = 0; i < width; i++, eighths -= 8)
		screen_put(s, x + i, y, 1, STYLE_METER, glyph_eighths(s->ascii, eighths));
}

void screen_meter(struct screen *s, int x, int y, int width, double share)
{
	int full = (int)(unit(share) * width + 0.5);
	screen_run(s, x, y, full, STYLE_METER, GLYPH_METER_FULL);
	screen_run(s, x + full, y, width - full, STYLE_TRACK, GLYPH_METER_EMPTY);
}

void screen_box(struct screen *s, struct rect r, const char *title)
{
	int right = r.x + r.width - 1, bottom = r.y + r.height - 1;
	if (r.width < 2 || r.height < 2)
		return;
	screen_run(s, r.x + 1, r.y, r.width - 2, STYLE_BORDER, GLYPH_HORIZONTAL);
	screen_run(s, r.x + 1, bottom, r.width - 2, STYLE_BORDER, GLYPH_HORIZONTAL);
	for (int y = r.y + 1; y < bottom; y++) {
		screen_run(s, r.x, y, 1, STYLE_BORDER, GLYPH_VERTICAL);
		screen_run(s, right, y, 1, STYLE_BORDER, GLYPH_VERTICAL);
	}
	screen_run(s, r.x, r.y, 1, STYLE_BORDER, GLYPH_TOP_LEFT);
	screen_run(s, right, r.y, 1, STYLE_BORDER, GLYPH_TOP_RIGHT);
	screen_run(s, r.x, bottom, 1, STYLE_BORDER, GLYPH_BOTTOM_LEFT);
	screen_run(s, right, bottom, 1, STYLE_BORDER, GLYPH_BOTTOM_RIGHT);
	if (title && r.width > 6) {
		int used = screen_fit(s, r.x + 3, r.y, r.width - 6, STYLE_TITLE, title);
		screen_put(s, r.x + 2, r.y, 1, STYLE_BORDER, " ");
		screen_put(s, r.x + 3 + used, r.y, 1, STYLE_BORDER, " ");
	}
}

void screen_light(struct screen *s, int x, int y, int width)
{
	for (int i = 0; i < width; i++) {
		struct screen_cell *c = at(s, x + i, y);
		if (c)
			c->lit = true;
	}
}

// ---- as text ------------------------------------------------------------------------------------------------------

char *screen_encode(char *p, uint32_t code)
{
	if (code < 0x80) {
		*p++ = (char)code;
		return p;
	}
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	*p++ = (char)(lead[more] | code >> (6 * more));
	while (more-- > 0)
		*p++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
	return p;
}

char *screen_text(const struct screen *s)
{
	char *text = malloc((size_t)s->height * ((size_t)s->width * 8 + 1) + 1);
	if (!text)
		return NULL;
	char *p = text;
	for (int y = 0; y < s->height; y++) {
		char *end = p; // after the last cell that is not a space
		for (int x = 0; x < s->width; x++) {
			const struct screen_cell *c = &s->cell[y * s->width + x];
			if (c->glyph == 0)
				continue;
			p = screen_encode(p, c->glyph);
			if (c->mark)
				p = screen_encode(p, c->mark);
			if (c->glyph != ' ' || c->mark)
				end = p;
		}
		p = end;
		*p++ = '\n';
	}
	*p = '\0';
	return text;
}

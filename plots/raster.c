// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { RASTER_DOTS = 0x2800 }; // the braille block: a glyph is this plus its bit set

// Dots of a cell, across and down, their logarithms to base 2, and the bit of each.
static const struct {
	int across, down, across_log, down_log;
	uint8_t bit[4][2];
} dots[] = {
	[CANVAS_BRAILLE] = {2, 4, 1, 2, {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}},
	[CANVAS_BLOCK] = {2, 2, 1, 1, {{0x01, 0x02}, {0x04, 0x08}}},
	[CANVAS_ASCII] = {1, 1, 0, 0, {{0x01}}},
};

static const uint32_t quadrants[16] = {' ', 0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b, 0x2597, 0x259a, 0x2590,
	0x259c, 0x2584, 0x2599, 0x259f, 0x2588};

// `dash`: which dots of a line are set, bit by bit along it.
static const struct {
	uint32_t symbol, symbol_ascii, line, line_ascii;
	uint32_t dash;
	uint32_t hollow, hollow_ascii; // the symbol of what is estimated
} looks[ROLES] = {
	[ROLE_MAIN] = {0x25c6, '*', 0x2500, '*', 0xffffffff, 0x25c7, '#'}, // solid
	[ROLE_SECOND] = {'x', 'x', 0x254c, 'x', 0x3f3f3f3f, 'x', 'x'},     // dashed
	[ROLE_SAMPLED] = {'+', '+', 0x2508, '+', 0x55555555, '~', '~'},    // dotted
	[ROLE_UNIFORM] = {'o', 'o', 0x2504, 'o', 0x11111111, 0x25cb, '0'},
	[ROLE_FRONT] = {0x00b7, '.', 0x2500, '.', 0xffffffff, 0x00b7, '.'},
	[ROLE_TARGET] = {0x254f, '!', 0x254d, '=', 0x0f0f0f0f, 0x254f, '!'},
	[ROLE_MARK] = {0x250a, ':', 0x2508, '-', 0x11111111, 0x250a, ':'},
	// A series of a lane has a sign of its own.
	[ROLE_LANE] = {'A', 'A', 0x2500, '-', 0xffffffff, 'a', 'a'},
	[ROLE_LANE + 1] = {'B', 'B', 0x2500, '-', 0xffffffff, 'b', 'b'},
	[ROLE_LANE + 2] = {'C', 'C', 0x2500, '-', 0xffffffff, 'c', 'c'},
	[ROLE_LANE + 3] = {'D', 'D', 0x2500, '-', 0xffffffff, 'd', 'd'},
	[ROLE_LANE + 4] = {'E', 'E', 0x2500, '-', 0xffffffff, 'e', 'e'},
	[ROLE_LANE + 5] = {'F', 'F', 0x2500, '-', 0xffffffff, 'f', 'f'},
	[ROLE_LANE + 6] = {'G', 'G', 0x2500, '-', 0xffffffff, 'g', 'g'},
	[ROLE_LANE + 7] = {'H', 'H', 0x2500, '-', 0xffffffff, 'h', 'h'},
};

uint32_t raster_symbol(enum figure_role role, bool estimated, enum canvas_glyphs glyphs)
{
	if (estimated)
		return glyphs == CANVAS_ASCII ? looks[role].hollow_ascii : looks[role].hollow;
	return glyphs == CANVAS_ASCII ? looks[role].symbol_ascii : looks[role].symbol;
}

uint32_t raster_sign(const struct series *s, enum canvas_glyphs glyphs)
{
	return s->sign ? (unsigned char)s->sign : raster_symbol(s->role, s->estimated, glyphs);
}

uint32_t raster_dash(enum figure_role role, enum canvas_glyphs glyphs)
{
	return glyphs == CANVAS_ASCII ? looks[role].line_ascii : looks[role].line;
}

void raster_clear(struct raster *r)
{
	for (size_t i = 0; i < (size_t)r->width * (size_t)r->height; i++)
		r->cell[i] = (struct cell){.glyph = ' ', .role = ROLES};
}

static struct cell *cell_at(const struct raster *r, int x, int y)
{
	if (x < 0 || y < 0 || x >= r->width || y >= r->height)
		return NULL;
	return &r->cell[(size_t)y * (size_t)r->width + (size_t)x];
}

void raster_put(struct raster *r, int x, int y, uint32_t glyph, enum figure_role role)
{
	struct cell *c = cell_at(r, x, y);
	if (c)
		*c = (struct cell){.glyph = glyph, .role = (uint8_t)role};
}

void raster_put_level(struct raster *r, int x, int y, uint32_t glyph, int level)
{
	struct cell *c = cell_at(r, x, y);
	if (c)
		*c = (struct cell){.glyph = glyph, .role = ROLE_MAIN, .level = (uint8_t)(level < 254 ? 1 + level : 255)};
}

bool raster_blank(const struct raster *r, int x, int y, int width)
{
	for (int i = 0; i < width; i++) {
		const struct cell *c = cell_at(r, x + i, y);
		if (!c || c->glyph != ' ' || c->level)
			return false;
	}
	return true;
}

int raster_cell(double fraction, int size)
{
	if (!(fraction >= -1e-9 && fraction <= 1 + 1e-9))
		return -1;
	int at = (int)(fraction * size);
	return at < 0 ? 0 : at < size ? at : size - 1;
}

// ---- text ------------------------------------------------------------------------------------------------------------

// Decodes one character of UTF-8 and steps over it; what is malformed or not one cell wide is '?'.
static uint32_t next_character(const char **text)
{
	static const struct {
		unsigned char mask, lead;
		int more;
		uint32_t least; // a smaller code point was encoded too long
	} kinds[] = {{0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};
	const unsigned char *s = (const unsigned char *)*text;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		if ((*s & kinds[k].mask) != kinds[k].lead)
			continue;
		uint32_t code = *s & (unsigned char)~kinds[k].mask;
		int i = 1;
		for (; i <= kinds[k].more && (s[i] & 0xc0) == 0x80; i++)
			code = code << 6 | (s[i] & 0x3f);
		*text += i; // at least one byte; never beyond the final zero, which continues nothing
		bool whole = i == kinds[k].more + 1 && code >= kinds[k].least && code <= 0x10ffff;
		if (whole && code < 0x80)
			return code >= ' ' && code != 0x7f ? code : '?';
		bool braille = code >= RASTER_DOTS && code < RASTER_DOTS + 0x100; // would be taken for dots
		return whole && !braille && wcwidth((wchar_t)code) == 1 ? code : '?';
	}
	*text += 1;
	return '?';
}

int raster_text_width(const char *text)
{
	int width = 0;
	for (; *text; width++)
		next_character(&text);
	return width;
}

int raster_text(struct raster *r, int x, int y, int most, const char *text, enum figure_role role)
{
	int taken = 0;
	for (; *text && taken < most; taken++) {
		uint32_t code = next_character(&text);
		if (r->glyphs == CANVAS_ASCII && code > 0x7f)
			code = code == 0xb5 ? 'u' : '?'; // micro has an old stand-in
		raster_put(r, x + taken, y, code, role);
	}
	return taken;
}

int raster_elide(struct raster *r, int x, int y, int most, const char *text, enum figure_role role)
{
	int width = raster_text_width(text);
	if (width <= most || most < 4)
		return raster_text(r, x, y, most, text, role);
	int head = (most - 1) / 2, tail = most - 1 - head;
	raster_text(r, x, y, head, text, role);
	raster_put(r, x + head, y, r->glyphs == CANVAS_ASCII ? '~' : 0x2026, role);
	for (int skip = width - tail; skip > 0; skip--)
		next_character(&text);
	raster_text(r, x + head + 1, y, tail, text, role);
	return most;
}

// ---- lines -----------------------------------------------------------------------------------------------------------

static void dot(struct raster *r, const struct area *a, int x, int y, enum figure_role role)
{
	int across = dots[r->glyphs].across_log, down = dots[r->glyphs].down_log; // shifts: this is drawn most
	if (x < 0 || y < 0 || x >= a->width << across || y >= a->height << down)
		return;
	struct cell *c = cell_at(r, a->x + (x >> across), a->y + (y >> down));
	if (!c)
		return;
	uint32_t set = c->glyph >= RASTER_DOTS && c->glyph < RASTER_DOTS + 0x100 ? c->glyph : RASTER_DOTS;
	*c = (struct cell){
		.glyph = set | dots[r->glyphs].bit[y & ((1 << down) - 1)][x & ((1 << across) - 1)], .role = (uint8_t)role};
}

// One side of Liang and Barsky's clipping: narrows the part [*from, *to] of the line to where p*t <= q.
static bool clip(double p, double q, double *from, double *to)
{
	if (p == 0)
		return q >= 0;
	double t = q / p;
	if (p < 0)
		*from = fmax(*from, t);
	else
		*to = fmin(*to, t);
	return *from <= *to;
}

static bool within(double fraction)
{
	return fraction >= 0 && fraction <= 1;
}

// What is drawn lies at 0 or above, but for a rounding error.
static int nearest_dot(double at)
{
	return (int)(at + 0.5);
}

void raster_line(struct raster *r, const struct area *a, double x0, double y0, double x1, double y1, enum figure_role role,
	unsigned *phase)
{
	double dx = x1 - x0, dy = y1 - y0, from = 0, to = 1;
	bool inside = within(x0) && within(y0) && within(x1) && within(y1); // most are
	if (!isfinite(dx) || !isfinite(dy) || a->width < 1 || a->height < 1)
		return;
	if (!inside &&
		(!clip(-dx, x0, &from, &to) || !clip(dx, 1 - x0, &from, &to) || !clip(-dy, y0, &from, &to) ||
			!clip(dy, 1 - y0, &from, &to)))
		return;
	int columns = a->width * dots[r->glyphs].across, rows = a->height * dots[r->glyphs].down;
	double ax = (x0 + from * dx) * (columns - 1), ay = (1 - y0 - from * dy) * (rows - 1);
	double bx = (x0 + to * dx) * (columns - 1), by = (1 - y0 - to * dy) * (rows - 1);
	int ix = nearest_dot(ax), iy = nearest_dot(ay), jx = nearest_dot(bx), jy = nearest_dot(by);
	int steps = abs(jx - ix) > abs(jy - iy) ? abs(jx - ix) : abs(jy - iy);
	// The first dot of a piece that continues another is that one's last: it does not count for the dashes.
	for (int i = 0; i <= steps; i++) {
		double t = steps ? (double)i / steps : 0;
		bool solid = r->glyphs == CANVAS_ASCII; // there the symbol tells the roles apart
		if (solid || looks[role].dash >> (*phase % 32) & 1)
			dot(r, a, nearest_dot(ix + t * (jx - ix)), nearest_dot(iy + t * (jy - iy)), role);
		if (i < steps)
			++*phase;
	}
}

void raster_finish(struct raster *r)
{
	for (size_t i = 0; i < (size_t)r->width * (size_t)r->height; i++) {
		struct cell *c = &r->cell[i];
		if (c->glyph < RASTER_DOTS || c->glyph >= RASTER_DOTS + 0x100)
			continue;
		if (r->glyphs == CANVAS_BLOCK)
			c->glyph = quadrants[(c->glyph - RASTER_DOTS) & 15];
		else if (r->glyphs == CANVAS_ASCII)
			c->glyph = looks[c->role].line_ascii;
	}
}

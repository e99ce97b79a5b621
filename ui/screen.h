// SPDX-License-Identifier: GPL-3.0-or-later
// A grid of cells that views draw into; the terminal shows it, tests read it as text. It knows no terminal. Columns and rows
// count from 0. All drawing is clipped to the grid; text is UTF-8, and what is not valid or not printable becomes '?'.
// Widths come from wcwidth, so the caller has set a locale.
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/glyphs.h"
#include "ui/theme.h"

struct screen_cell {
	uint32_t glyph; // a code point; 0: the right half of a wide one
	uint32_t mark;  // a combining character upon it; 0: none
	uint8_t style;  // enum style
	bool lit;       // in the row in hand
};

struct screen {
	int width, height;
	struct screen_cell *cell; // [height][width], owned
	bool ascii;               // which glyphs boxes and bars are made of
	int cursor_x, cursor_y;   // where the terminal's cursor stands
	bool cursor;              // and whether it shows
};

struct rect {
	int x, y, width, height;
};

// Makes it so large, blank. False: out of memory; the screen is then as before.
bool screen_resize(struct screen *, int width, int height);
void screen_free(struct screen *);
void screen_clear(struct screen *);
void screen_fill(struct screen *, struct rect); // blanks a part

// Draws text at (x, y) into at most `width` columns; returns how many it took. What does not fit is cut; screen_fit then
// ends it with an ellipsis, screen_tail begins it with one and keeps the end.
int screen_put(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_fit(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_tail(struct screen *, int x, int y, int width, enum style, const char *text);
// Right-aligned in exactly `width` columns.
void screen_right(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_print(struct screen *, int x, int y, int width, enum style, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
// One code point of width 1.
void screen_glyph(struct screen *, int x, int y, enum style, uint32_t code);
// A run of one glyph.
void screen_run(struct screen *, int x, int y, int width, enum style, enum glyph);
// A bar of `width` columns, filled to `share` (0..1) by eighths of a column.
void screen_bar(struct screen *, int x, int y, int width, double share);
// A thin meter, filled to `share`.
void screen_meter(struct screen *, int x, int y, int width, double share);
// A frame along the inside of the rectangle, with a title (NULL: none) in its upper side.
void screen_box(struct screen *, struct rect, const char *title);
// Marks part of a row as the one in hand.
void screen_light(struct screen *, int x, int y, int width);

// The columns that a text takes.
int screen_width(const char *text);
// Text that goes on in further lines: the bytes of the first line, of at most `width` columns (at least 1), broken at a
// space where there is one; *next is where the line after it begins. And how many lines there are of it, at least 1.
size_t screen_break(const char *text, int width, const char **next);
int screen_lines(const char *text, int width);
// The next code point of *text, which moves on; 0 at the end; '?' for an invalid byte.
uint32_t screen_decode(const char **text);
// Writes a code point as UTF-8, without a final zero; returns where it ends.
char *screen_encode(char *text, uint32_t code);

// The grid as UTF-8: a line per row, trailing spaces left off. malloc'd; NULL: out of memory.
char *screen_text(const struct screen *);

#endif

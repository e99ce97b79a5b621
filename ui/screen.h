// SPDX-License-Identifier: GPL-3.0-or-later
// A grid of cells that views draw into. The terminal shows it, and tests read it as text. Columns and rows count from 0. All
// drawing is clipped to the grid. Text is UTF-8; invalid or unprintable parts become '?'. Widths come from wcwidth, so the caller
// must have set a locale.
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/glyphs.h"
#include "ui/theme.h"

struct screen_cell {
	uint32_t glyph; // a code point; 0: the right half of a wide one
	uint32_t mark;  // a combining character on it; 0: none
	uint8_t style;  // enum style
	bool lit;       // it belongs to the row in hand
};

struct screen {
	int width, height;
	struct screen_cell *cell; // [height][width], owned
	bool ascii;               // boxes and bars use ASCII glyphs
	int cursor_x, cursor_y;   // the place of the terminal's cursor
	bool cursor;              // whether the cursor shows
};

struct rect {
	int x, y, width, height;
};

// Sets the size and blanks the screen. Returns false when out of memory; the screen is then as before.
bool screen_resize(struct screen *, int width, int height);
void screen_free(struct screen *);
void screen_clear(struct screen *);
void screen_fill(struct screen *, struct rect); // blanks a rectangle

// Draw text at (x, y) into at most `width` columns and return how many it took. Text that does not fit is cut; screen_fit then
// ends it with an ellipsis, and screen_tail keeps its end after an ellipsis.
int screen_put(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_fit(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_tail(struct screen *, int x, int y, int width, enum style, const char *text);
// Draws text right-aligned in exactly `width` columns.
void screen_right(struct screen *, int x, int y, int width, enum style, const char *text);
int screen_print(struct screen *, int x, int y, int width, enum style, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
// Draws one code point of width 1.
void screen_glyph(struct screen *, int x, int y, enum style, uint32_t code);
// Draws one glyph repeatedly.
void screen_run(struct screen *, int x, int y, int width, enum style, enum glyph);
// Draws a bar of `width` columns, filled to `share` (0..1) in eighths of a column.
void screen_bar(struct screen *, int x, int y, int width, double share);
// Draws a thin meter, filled to `share`.
void screen_meter(struct screen *, int x, int y, int width, double share);
// Draws a frame along the inside of the rectangle, with a title (NULL: none) in its upper side.
void screen_box(struct screen *, struct rect, const char *title);
// Marks part of a row as being in hand.
void screen_light(struct screen *, int x, int y, int width);

// Returns the number of columns that a text takes.
int screen_width(const char *text);
// Break a text into lines of at most `width` columns (at least 1), at a space if there is one. screen_break returns the bytes of
// the first line and sets *next to the start of the following one. screen_lines returns the number of lines, at least 1.
size_t screen_break(const char *text, int width, const char **next);
int screen_lines(const char *text, int width);
// Returns the next code point of *text and moves *text past it; 0 at the end; '?' for an invalid byte.
uint32_t screen_decode(const char **text);
// Writes a code point as UTF-8, without a final zero; returns where it ends.
char *screen_encode(char *text, uint32_t code);

// Returns the grid as UTF-8, one line per row without trailing spaces. malloc'd; NULL: out of memory.
char *screen_text(const struct screen *);

#endif

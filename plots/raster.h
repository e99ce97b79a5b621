// SPDX-License-Identifier: GPL-3.0-or-later
// Draws glyphs, text, and lines made of dots into cells. Braille has 2x4 dots a cell, block 2x2, ASCII 1x1 (a symbol per role
// instead of a dot). While lines are drawn, a cell with dots holds a braille pattern whatever the glyph set; raster_finish turns
// these into glyphs of the set. It allocates nothing and clips whatever falls outside.
#ifndef PLOTS_RASTER_H
#define PLOTS_RASTER_H

#include "plots/plots.h"

struct area { // in cells
	int x, y, width, height;
};

struct raster {
	struct cell *cell;
	int width, height;
	enum canvas_glyphs glyphs;
};

void raster_clear(struct raster *);
void raster_put(struct raster *, int x, int y, uint32_t glyph, enum figure_role role);
void raster_put_level(struct raster *, int x, int y, uint32_t glyph, int level); // for heat maps, from 0
bool raster_blank(const struct raster *, int x, int y, int width);               // true: all of it is inside and empty
// Writes text into at most `most` cells and returns how many it took. Bytes that are not printable UTF-8 of width 1 become '?'.
int raster_text(struct raster *, int x, int y, int most, const char *text, enum figure_role role);
int raster_text_width(const char *text);
// Does the same, but leaves out the middle of a text that is longer.
int raster_elide(struct raster *, int x, int y, int most, const char *text, enum figure_role role);
// Draws a line within the area, in fractions of it: (0,0) is the bottom left, (1,1) the top right. *phase carries the role's dash
// pattern from one piece to the next.
void raster_line(struct raster *, const struct area *, double x0, double y0, double x1, double y1, enum figure_role role,
	unsigned *phase);
void raster_finish(struct raster *);

// Returns the cell of a fraction: 0..size-1, or -1 outside.
int raster_cell(double fraction, int size);

// Return how a role looks as a point and, in a legend, as a line.
uint32_t raster_symbol(enum figure_role role, bool estimated, enum canvas_glyphs);
uint32_t raster_sign(const struct series *, enum canvas_glyphs); // of its points
uint32_t raster_dash(enum figure_role role, enum canvas_glyphs);

#endif

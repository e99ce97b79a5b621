// SPDX-License-Identifier: GPL-3.0-or-later
// How a cell looks, told without a terminal: for pictures and recordings of the screen.
#ifndef UI_INK_H
#define UI_INK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/text.h"
#include "ui/screen.h"

// Colours are numbers of the 256-colour palette; -1: the terminal's own.
struct ink {
	int front, back;
	unsigned attributes; // LOOK_*
};
struct ink ink_of(const struct screen_cell *, const struct theme *);
bool ink_same(struct ink, struct ink);
// The colour of a palette number as 0xRRGGBB, as xterm has it.
uint32_t ink_rgb(int palette);
// Returns whether a theme is made for a dark background.
bool ink_dark(const struct theme *);

// Adds the screen as an SVG picture: text stays text, in a monospaced font, and nothing outside the file is needed. `title` is what
// it shows, for those who cannot see it.
void ink_svg(const struct screen *, const struct theme *, const char *title, struct string *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The symbols that the screen uses, each in UTF-8 and in plain ASCII. Both forms have the same width.
#ifndef UI_GLYPHS_H
#define UI_GLYPHS_H

#include <stdbool.h>

// name, UTF-8, ASCII
// clang-format off
#define GLYPHS(G) \
	G(HORIZONTAL, "─", "-") \
	G(VERTICAL, "│", "|") \
	G(TOP_LEFT, "╭", "+") \
	G(TOP_RIGHT, "╮", "+") \
	G(BOTTOM_LEFT, "╰", "+") \
	G(BOTTOM_RIGHT, "╯", "+") \
	G(CURSOR, "▸", ">") \
	G(PINNED, "■", "#") \
	G(RESTRICTED, "□", "~") \
	G(MARKED, "◂", "<") \
	G(MASKED, "·", "x") \
	G(TIMES, "×", "x") \
	G(ARROW, "→", ">") \
	G(DOT, "·", "-") \
	G(ELLIPSIS, "…", ">") \
	G(RUNNING, "▶", ">") \
	G(PAUSED, "‖", "=") \
	G(FINISHED, "✓", "*") \
	G(FAILED, "✗", "!") \
	G(METER_FULL, "━", "=") \
	G(METER_EMPTY, "─", ".") \
	G(SLIDER_MODAL, "●", "o") \
	G(SLIDER_TARGET, "┃", "|") \
	G(SLIDER_DRAFT, "◆", "d") \
	G(UP, "▲", "^") \
	G(DOWN, "▼", "v") \
	G(KEY_UP, "↑", "^") \
	G(KEY_DOWN, "↓", "v") \
	G(KEY_LEFT, "←", "<") \
	G(KEY_RIGHT, "→", ">")

enum glyph {
#define GLYPH_NAME(name, utf8, ascii) GLYPH_##name,
	GLYPHS(GLYPH_NAME)
#undef GLYPH_NAME
	GLYPH_COUNT
};
// clang-format on

const char *glyph(bool ascii, enum glyph);

enum { RAMP_LEVELS = 9 };
// A bar of height level/8, level 0..8: "▁" to "█"; in ASCII the marks " .:-=+*#@". Level 0 is a space.
const char *glyph_ramp(bool ascii, int level);
// A cell filled from the left by eighths, 0..8; in ASCII ' ' or '#'.
const char *glyph_eighths(bool ascii, int eighths);

#endif

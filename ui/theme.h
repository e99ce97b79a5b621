// SPDX-License-Identifier: GPL-3.0-or-later
// A style is what a cell of the screen means; a theme is how each style looks. Views name styles only; the terminal asks the
// theme in use. No meaning rests on colour alone: symbols, position or words carry it too.
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAT_LEVELS = 9, FORMAT_LEVELS = 8, LANE_COLOURS = 8 };

enum style {
	STYLE_TEXT,
	STYLE_DIM,    // less important text: units, column heads
	STYLE_STRONG, // more important text
	STYLE_BRAND,  // the program's name
	STYLE_TITLE,  // of a pane
	STYLE_BORDER,
	STYLE_KEY,  // a key to press
	STYLE_HINT, // what the key does
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_METER, // the filled part of a bar
	STYLE_TRACK, // its empty part
	STYLE_PIN,
	STYLE_DRAFT,
	STYLE_MAIN, // the roles of figures (plots.h)
	STYLE_SECOND,
	STYLE_SAMPLED,
	STYLE_UNIFORM,
	STYLE_FRONT,
	STYLE_TARGET,
	STYLE_MARK,
	STYLE_AXES,
	STYLE_HEAT,                                // HEAT_LEVELS of probability, with growing contrast to the background
	STYLE_FORMAT = STYLE_HEAT + HEAT_LEVELS,   // FORMAT_LEVELS from the narrowest to the widest format, likewise
	STYLE_LANE = STYLE_FORMAT + FORMAT_LEVELS, // LANE_COLOURS, by a lane's place; its number is its sign
	STYLES = STYLE_LANE + LANE_COLOURS
};

// Return the style of a probability 0..1, and of a format by its bits.
enum style style_heat(double probability);
enum style style_bits(int bits);

enum { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDERLINE = 8 };

// A colour is a number of the terminal's palette; -1: its default.
struct look {
	int16_t rich;  // foreground where there are 256 colours
	int16_t plain; // foreground where there are 8 or 16
	uint8_t attributes;
};

struct theme {
	const char *name;
	int16_t lit; // background of the row in hand, 256 colours; -1: none, the row has another mark
	// Backgrounds that a terminal may have for which it is made; -1: any. Text contrasts with them, and with `lit`, at least 4.5:1 (WCAG 2,
	// success criterion 1.4.3).
	int16_t back[2];
	const struct look *look; // [STYLES]
};

// Whether it colours text; frames, bars and the strips of probabilities are none, and what they say is written beside them.
static inline bool style_is_text(enum style s)
{
	return s != STYLE_BORDER && s != STYLE_METER && s != STYLE_TRACK && (s < STYLE_HEAT || s >= STYLE_FORMAT);
}

const struct theme *theme_named(const char *name); // NULL: no such theme
const struct theme *themes(size_t *count);

#endif

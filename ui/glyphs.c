// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/glyphs.h"

static const char *const table[GLYPH_COUNT][2] = {
#define GLYPH_ROW(name, utf8, ascii) [GLYPH_##name] = {utf8, ascii},
	GLYPHS(GLYPH_ROW)
#undef GLYPH_ROW
};

static const char *const ramp[RAMP_LEVELS][2] = {
	{" ", " "},
	{"▁", "."},
	{"▂", ":"},
	{"▃", "-"},
	{"▄", "="},
	{"▅", "+"},
	{"▆", "*"},
	{"▇", "#"},
	{"█", "@"},
};

static const char *const eighth[RAMP_LEVELS][2] = {
	{" ", " "},
	{"▏", " "},
	{"▎", " "},
	{"▍", " "},
	{"▌", "#"},
	{"▋", "#"},
	{"▊", "#"},
	{"▉", "#"},
	{"█", "#"},
};

static int clamp_level(int level)
{
	return level < 0 ? 0 : level >= RAMP_LEVELS ? RAMP_LEVELS - 1 : level;
}

const char *glyph(bool ascii, enum glyph g)
{
	return table[g][ascii];
}

const char *glyph_ramp(bool ascii, int level)
{
	return ramp[clamp_level(level)][ascii];
}

const char *glyph_eighths(bool ascii, int eighths)
{
	return eighth[clamp_level(eighths)][ascii];
}

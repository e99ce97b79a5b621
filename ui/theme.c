// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme.h"

#include <string.h>

enum style style_heat(double probability)
{
	// Square root: the small probabilities are where a distribution's shape shows.
	double root = 0.0;
	for (int level = HEAT_LEVELS - 1; level > 0; level--) {
		root = (level - 0.5) / (HEAT_LEVELS - 1);
		if (probability >= root * root)
			return (enum style)(STYLE_HEAT + level);
	}
	return STYLE_HEAT;
}

enum style style_bits(int bits)
{
	// 2 3 4 5 6 7 8 and wider; what is narrower or unknown joins the ends.
	int level = bits < 2 ? 0 : bits > 8 ? FORMAT_LEVELS - 1 : bits - 2;
	return (enum style)(STYLE_FORMAT + level);
}

// Palette numbers of the first eight colours: 0 black 1 red 2 green 3 yellow 4 blue 5 magenta 6 cyan 7 white.
// The two scales run from blue to yellow, which every common kind of colour vision tells apart, and change in lightness
// from step to step, so that they read in grey as well.

static const struct look dark[STYLES] = {
	[STYLE_TEXT] = {252, -1, 0},
	[STYLE_DIM] = {247, -1, 0},
	[STYLE_STRONG] = {255, 7, LOOK_BOLD},
	[STYLE_BRAND] = {117, 6, LOOK_BOLD},
	[STYLE_TITLE] = {153, 6, LOOK_BOLD},
	[STYLE_BORDER] = {240, 4, 0},
	[STYLE_KEY] = {222, 3, LOOK_BOLD},
	[STYLE_HINT] = {248, -1, 0},
	[STYLE_GOOD] = {114, 2, 0},
	[STYLE_WARN] = {215, 3, 0},
	[STYLE_BAD] = {210, 1, LOOK_BOLD},
	[STYLE_METER] = {68, 6, 0},
	[STYLE_TRACK] = {238, 4, 0},
	[STYLE_PIN] = {222, 3, LOOK_BOLD},
	[STYLE_DRAFT] = {183, 5, LOOK_BOLD},
	[STYLE_MAIN] = {221, 3, LOOK_BOLD},
	[STYLE_SECOND] = {75, 6, 0},
	[STYLE_SAMPLED] = {146, 4, 0},
	[STYLE_UNIFORM] = {117, 6, LOOK_BOLD},
	[STYLE_FRONT] = {114, 2, 0},
	[STYLE_TARGET] = {210, 1, 0},
	[STYLE_MARK] = {183, 5, 0},
	[STYLE_AXES] = {247, -1, 0},
	[STYLE_HEAT + 0] = {238, 4, 0},
	[STYLE_HEAT + 1] = {60, 4, 0},
	[STYLE_HEAT + 2] = {61, 4, 0},
	[STYLE_HEAT + 3] = {67, 6, 0},
	[STYLE_HEAT + 4] = {74, 6, 0},
	[STYLE_HEAT + 5] = {79, 6, 0},
	[STYLE_HEAT + 6] = {114, 2, 0},
	[STYLE_HEAT + 7] = {185, 3, 0},
	[STYLE_HEAT + 8] = {227, 3, LOOK_BOLD},
	[STYLE_FORMAT + 0] = {141, 4, 0},
	[STYLE_FORMAT + 1] = {74, 4, 0},
	[STYLE_FORMAT + 2] = {111, 6, 0},
	[STYLE_FORMAT + 3] = {79, 6, 0},
	[STYLE_FORMAT + 4] = {114, 2, 0},
	[STYLE_FORMAT + 5] = {149, 2, LOOK_BOLD},
	[STYLE_FORMAT + 6] = {221, 3, 0},
	[STYLE_FORMAT + 7] = {230, 3, LOOK_BOLD},
	[STYLE_LANE + 0] = {221, 3, 0},
	[STYLE_LANE + 1] = {75, 6, 0},
	[STYLE_LANE + 2] = {114, 2, 0},
	[STYLE_LANE + 3] = {218, 5, 0},
	[STYLE_LANE + 4] = {255, 7, 0},
	[STYLE_LANE + 5] = {209, 1, 0},
	[STYLE_LANE + 6] = {117, 4, 0},
	[STYLE_LANE + 7] = {183, 5, 0},
};

static const struct look light[STYLES] = {
	[STYLE_TEXT] = {236, -1, 0},
	[STYLE_DIM] = {241, -1, 0},
	[STYLE_STRONG] = {16, 0, LOOK_BOLD},
	[STYLE_BRAND] = {25, 4, LOOK_BOLD},
	[STYLE_TITLE] = {25, 4, LOOK_BOLD},
	[STYLE_BORDER] = {249, 4, 0},
	[STYLE_KEY] = {94, 5, LOOK_BOLD},
	[STYLE_HINT] = {240, -1, 0},
	[STYLE_GOOD] = {22, 2, 0},
	[STYLE_WARN] = {94, 1, 0},
	[STYLE_BAD] = {124, 1, LOOK_BOLD},
	[STYLE_METER] = {26, 4, 0},
	[STYLE_TRACK] = {252, 6, 0},
	[STYLE_PIN] = {94, 5, LOOK_BOLD},
	[STYLE_DRAFT] = {91, 5, LOOK_BOLD},
	[STYLE_MAIN] = {94, 1, LOOK_BOLD},
	[STYLE_SECOND] = {26, 4, 0},
	[STYLE_SAMPLED] = {60, 6, 0},
	[STYLE_UNIFORM] = {25, 4, LOOK_BOLD},
	[STYLE_FRONT] = {22, 2, 0},
	[STYLE_TARGET] = {124, 1, 0},
	[STYLE_MARK] = {91, 5, 0},
	[STYLE_AXES] = {241, -1, 0},
	[STYLE_HEAT + 0] = {252, 6, 0},
	[STYLE_HEAT + 1] = {180, 6, 0},
	[STYLE_HEAT + 2] = {143, 6, 0},
	[STYLE_HEAT + 3] = {107, 2, 0},
	[STYLE_HEAT + 4] = {72, 2, 0},
	[STYLE_HEAT + 5] = {30, 2, 0},
	[STYLE_HEAT + 6] = {25, 4, 0},
	[STYLE_HEAT + 7] = {19, 4, 0},
	[STYLE_HEAT + 8] = {17, 4, LOOK_BOLD},
	[STYLE_FORMAT + 0] = {94, 6, 0},
	[STYLE_FORMAT + 1] = {58, 6, 0},
	[STYLE_FORMAT + 2] = {24, 2, 0},
	[STYLE_FORMAT + 3] = {23, 2, 0},
	[STYLE_FORMAT + 4] = {22, 2, 0},
	[STYLE_FORMAT + 5] = {20, 4, 0},
	[STYLE_FORMAT + 6] = {18, 4, 0},
	[STYLE_FORMAT + 7] = {17, 4, LOOK_BOLD},
	[STYLE_LANE + 0] = {88, 1, 0},
	[STYLE_LANE + 1] = {25, 4, 0},
	[STYLE_LANE + 2] = {22, 2, 0},
	[STYLE_LANE + 3] = {126, 5, 0},
	[STYLE_LANE + 4] = {16, 0, 0},
	[STYLE_LANE + 5] = {94, 3, 0},
	[STYLE_LANE + 6] = {23, 6, 0},
	[STYLE_LANE + 7] = {54, 5, 0},
};

// As dark, in colours that red-green and blue-yellow blindness leave apart (after Okabe and Ito, 2008), and that differ in lightness.
static const struct look safe[STYLES] = {
	[STYLE_TEXT] = {252, -1, 0},
	[STYLE_DIM] = {247, -1, 0},
	[STYLE_STRONG] = {255, 7, LOOK_BOLD},
	[STYLE_BRAND] = {117, 6, LOOK_BOLD},
	[STYLE_TITLE] = {153, 6, LOOK_BOLD},
	[STYLE_BORDER] = {240, 4, 0},
	[STYLE_KEY] = {220, 3, LOOK_BOLD},
	[STYLE_HINT] = {248, -1, 0},
	[STYLE_GOOD] = {153, 6, 0},
	[STYLE_WARN] = {220, 3, 0},
	[STYLE_BAD] = {172, 3, LOOK_BOLD | LOOK_UNDERLINE},
	[STYLE_METER] = {68, 6, 0},
	[STYLE_TRACK] = {238, 4, 0},
	[STYLE_PIN] = {220, 3, LOOK_BOLD},
	[STYLE_DRAFT] = {177, 5, LOOK_BOLD},
	[STYLE_MAIN] = {220, 3, LOOK_BOLD},
	[STYLE_SECOND] = {153, 6, 0},
	[STYLE_SAMPLED] = {247, 4, 0},
	[STYLE_UNIFORM] = {231, 6, LOOK_BOLD},
	[STYLE_FRONT] = {35, 2, 0},
	[STYLE_TARGET] = {172, 1, 0},
	[STYLE_MARK] = {177, 5, 0},
	[STYLE_AXES] = {247, -1, 0},
	[STYLE_HEAT + 0] = {238, 4, 0},
	[STYLE_HEAT + 1] = {60, 4, 0},
	[STYLE_HEAT + 2] = {61, 4, 0},
	[STYLE_HEAT + 3] = {67, 6, 0},
	[STYLE_HEAT + 4] = {74, 6, 0},
	[STYLE_HEAT + 5] = {79, 6, 0},
	[STYLE_HEAT + 6] = {114, 2, 0},
	[STYLE_HEAT + 7] = {185, 3, 0},
	[STYLE_HEAT + 8] = {227, 3, LOOK_BOLD},
	[STYLE_FORMAT + 0] = {141, 4, 0},
	[STYLE_FORMAT + 1] = {74, 4, 0},
	[STYLE_FORMAT + 2] = {111, 6, 0},
	[STYLE_FORMAT + 3] = {79, 6, 0},
	[STYLE_FORMAT + 4] = {114, 2, 0},
	[STYLE_FORMAT + 5] = {149, 2, LOOK_BOLD},
	[STYLE_FORMAT + 6] = {221, 3, 0},
	[STYLE_FORMAT + 7] = {230, 3, LOOK_BOLD},
	[STYLE_LANE + 0] = {220, 3, 0},
	[STYLE_LANE + 1] = {153, 6, 0},
	[STYLE_LANE + 2] = {35, 2, 0},
	[STYLE_LANE + 3] = {177, 5, 0},
	[STYLE_LANE + 4] = {231, 7, 0},
	[STYLE_LANE + 5] = {172, 1, 0},
	[STYLE_LANE + 6] = {247, 4, 0},
	[STYLE_LANE + 7] = {84, 5, 0},
};

static const struct look mono[STYLES] = {
	[STYLE_TEXT] = {-1, -1, 0},
	[STYLE_DIM] = {-1, -1, 0},
	[STYLE_STRONG] = {-1, -1, LOOK_BOLD},
	[STYLE_BRAND] = {-1, -1, LOOK_BOLD},
	[STYLE_TITLE] = {-1, -1, LOOK_BOLD},
	[STYLE_BORDER] = {-1, -1, LOOK_DIM},
	[STYLE_KEY] = {-1, -1, LOOK_BOLD},
	[STYLE_HINT] = {-1, -1, 0},
	[STYLE_GOOD] = {-1, -1, 0},
	[STYLE_WARN] = {-1, -1, LOOK_BOLD},
	[STYLE_BAD] = {-1, -1, LOOK_BOLD | LOOK_UNDERLINE},
	[STYLE_METER] = {-1, -1, LOOK_BOLD},
	[STYLE_TRACK] = {-1, -1, LOOK_DIM},
	[STYLE_PIN] = {-1, -1, LOOK_BOLD},
	[STYLE_DRAFT] = {-1, -1, LOOK_BOLD},
	[STYLE_MAIN] = {-1, -1, LOOK_BOLD},
	[STYLE_SECOND] = {-1, -1, 0},
	[STYLE_SAMPLED] = {-1, -1, LOOK_DIM},
	[STYLE_UNIFORM] = {-1, -1, LOOK_BOLD},
	[STYLE_FRONT] = {-1, -1, 0},
	[STYLE_TARGET] = {-1, -1, 0},
	[STYLE_MARK] = {-1, -1, 0},
	[STYLE_AXES] = {-1, -1, LOOK_DIM},
	[STYLE_HEAT + 0] = {-1, -1, 0},
	[STYLE_HEAT + 1] = {-1, -1, 0},
	[STYLE_HEAT + 2] = {-1, -1, 0},
	[STYLE_HEAT + 3] = {-1, -1, 0},
	[STYLE_HEAT + 4] = {-1, -1, 0},
	[STYLE_HEAT + 5] = {-1, -1, 0},
	[STYLE_HEAT + 6] = {-1, -1, 0},
	[STYLE_HEAT + 7] = {-1, -1, LOOK_BOLD},
	[STYLE_HEAT + 8] = {-1, -1, LOOK_BOLD},
	[STYLE_FORMAT + 0] = {-1, -1, 0},
	[STYLE_FORMAT + 1] = {-1, -1, 0},
	[STYLE_FORMAT + 2] = {-1, -1, 0},
	[STYLE_FORMAT + 3] = {-1, -1, 0},
	[STYLE_FORMAT + 4] = {-1, -1, 0},
	[STYLE_FORMAT + 5] = {-1, -1, 0},
	[STYLE_FORMAT + 6] = {-1, -1, 0},
	[STYLE_FORMAT + 7] = {-1, -1, 0},
	[STYLE_LANE + 0] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 1] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 2] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 3] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 4] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 5] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 6] = {-1, -1, LOOK_BOLD},
	[STYLE_LANE + 7] = {-1, -1, LOOK_BOLD},
};

static const struct theme table[] = {
	{"dark", 236, {16, 234}, dark},
	{"light", 254, {231, 255}, light},
	{"mono", -1, {-1, -1}, mono},
	{"safe", 236, {16, 234}, safe},
};

const struct theme *themes(size_t *count)
{
	*count = sizeof table / sizeof *table;
	return table;
}

const struct theme *theme_named(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

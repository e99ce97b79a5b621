// SPDX-License-Identifier: GPL-3.0-or-later
// The words for motions in a list, a text or a table.
#ifndef UI_MOTION_H
#define UI_MOTION_H

#include <stdbool.h>

enum motion {
	MOTION_UP,
	MOTION_DOWN,
	MOTION_PAGE_UP,
	MOTION_PAGE_DOWN,
	MOTION_FIRST,
	MOTION_LAST,
	MOTION_NEXT, // down, and from the last to the first
	MOTION_LEFT,
	MOTION_RIGHT, // sideways, in a table with more columns than fit
	MOTIONS
};
#define MOTION_WORDS "up|down|page-up|page-down|first|last|next|left|right"
// Returns false if there is no such word.
bool motion_named(const char *word, enum motion *);
// Returns where it leads from `at` among `count` items, with pages of `page`. LEFT and RIGHT lead nowhere.
int motion_to(enum motion, int at, int count, int page);

#endif

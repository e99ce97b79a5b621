// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/motion.h"

#include <string.h>

static const struct motion_row {
	const char *word;
	int lines, pages;
} motion_row[MOTIONS] = {
	[MOTION_UP] = {"up", -1, 0},
	[MOTION_DOWN] = {"down", 1, 0},
	[MOTION_PAGE_UP] = {"page-up", 0, -1},
	[MOTION_PAGE_DOWN] = {"page-down", 0, 1},
	[MOTION_FIRST] = {"first", 0, 0},
	[MOTION_LAST] = {"last", 0, 0},
	[MOTION_NEXT] = {"next", 1, 0},
	[MOTION_LEFT] = {"left", 0, 0},
	[MOTION_RIGHT] = {"right", 0, 0},
};

bool motion_named(const char *word, enum motion *m)
{
	for (int i = 0; i < MOTIONS; i++)
		if (strcmp(motion_row[i].word, word) == 0) {
			*m = (enum motion)i;
			return true;
		}
	return false;
}

int motion_to(enum motion m, int at, int count, int page)
{
	if (count < 1)
		return 0;
	if (m == MOTION_FIRST || m == MOTION_LAST)
		return m == MOTION_FIRST ? 0 : count - 1;
	at += motion_row[m].lines + motion_row[m].pages * page;
	if (m == MOTION_NEXT)
		return at % count;
	return at >= count ? count - 1 : at < 0 ? 0 : at;
}

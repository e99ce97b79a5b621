// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/heatmap.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNNAMED_LEVELS = 10, MOST_BAR = 3 };

static int levels(const struct heat *h)
{
	return h->levels > 0 ? h->levels : UNNAMED_LEVELS;
}

int heatmap_level(const struct heat *h, float value)
{
	if (!isfinite(value))
		return -1;
	float clamped = value < 0 ? 0 : value > 1 ? 1 : value;
	return (int)lroundf(clamped * (float)(levels(h) - 1));
}

uint32_t heatmap_sign(const struct heat *h, int level)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	long number = level;
	if (level < h->levels) {
		const char *name = h->level[level];
		number = strtol(name + strcspn(name, "0123456789"), NULL, 10);
	}
	return (unsigned char)(number >= 0 && number < 36 ? digits[number] : '#');
}

// The level shown in cell column x of a matrix row: the last column of its stretch, so that the present is seen.
static int level_at(const struct heat *h, int row, int x, int width)
{
	int column = h->columns <= width ? (int)((long)x * h->columns / width)
		: (int)((long)(x + 1) * h->columns / width) - 1;
	return heatmap_level(h, h->value[(size_t)row * (size_t)h->columns + (size_t)column]);
}

// One bar, `tall` cells, its foot in row y. `begins`: a stretch of this level begins here.
static void bar(struct raster *r, const struct heat *h, int x, int y, int tall, int level, bool begins)
{
	if (r->glyphs == CANVAS_ASCII) {
		raster_put_level(r, x, y, heatmap_sign(h, level), level);
		return;
	}
	int eighths = (level + 1) * (tall > 1 ? 8 * tall - 3 : 7) / levels(h); // less than whole: the rows stay apart
	eighths = eighths > 0 ? eighths : 1;
	for (int i = 0; i < tall; i++, eighths -= 8)
		if (!i && begins)
			raster_put_level(r, x, y, heatmap_sign(h, level), level);
		else if (eighths > 0)
			raster_put_level(r, x, y - i, 0x2580 + (uint32_t)(eighths < 8 ? eighths : 8), level);
}

// The name of a row of cells; where it stands for several rows of the matrix, how many more there are.
static void name_row(struct raster *r, const struct heat *h, int width, int y, int row, int more)
{
	char count[16] = "";
	if (more > 0)
		snprintf(count, sizeof count, "+%d", more);
	int room = width - (int)strlen(count);
	int taken = raster_elide(r, 0, y, room > 0 ? room : 0, h->row[row], ROLES);
	raster_text(r, taken, y, width - taken, count, ROLES);
}

void heatmap_draw(struct raster *r, const struct figure *f, const struct layout *l)
{
	const struct heat *h = f->heat;
	const struct area *p = &l->plot;
	if (h->rows < 1 || h->columns < 1)
		return;
	int lines = h->rows < p->height ? h->rows : p->height;
	int tall = p->height / lines;
	tall = tall < MOST_BAR ? tall : MOST_BAR;
	for (int i = 0; i < lines; i++) {
		// With more rows than lines, a line shows the first of its rows and says how many it leaves out.
		int row = (int)((long)i * h->rows / lines), next = (int)((long)(i + 1) * h->rows / lines);
		int foot = p->y + (i + 1) * tall - 1, before = -1;
		if (l->names > 0)
			name_row(r, h, l->names, foot, row, next - row - 1);
		for (int x = 0; x < p->width; x++) {
			int level = level_at(h, row, x, p->width);
			if (level >= 0)
				bar(r, h, p->x + x, foot, tall, level, level != before);
			before = level;
		}
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/heatmap.h"
#include "plots/levels.h"

#include <math.h>

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

// The level shown in cell column x of a matrix row: the last column of its stretch, so that the present is seen.
static int level_at(const struct heat *h, int row, int x, int width)
{
	int column = h->columns <= width ? (int)((long)x * h->columns / width) : (int)((long)(x + 1) * h->columns / width) - 1;
	return heatmap_level(h, h->value[(size_t)row * (size_t)h->columns + (size_t)column]);
}

// One bar, `tall` cells, its foot in row y. `begins`: a stretch of this level begins here.
static void bar(struct raster *r, const struct figure *f, int x, int y, int tall, int level, bool begins)
{
	if (r->glyphs == CANVAS_ASCII) {
		raster_put_level(r, x, y, level_sign(f, level), level);
		return;
	}
	int eighths = (level + 1) * (tall > 1 ? 8 * tall - 3 : 7) / levels(f->heat); // less than whole: the rows stay apart
	eighths = eighths > 0 ? eighths : 1;
	for (int i = 0; i < tall; i++, eighths -= 8)
		if (!i && begins)
			raster_put_level(r, x, y, level_sign(f, level), level);
		else if (eighths > 0)
			raster_put_level(r, x, y - i, 0x2580 + (uint32_t)(eighths < 8 ? eighths : 8), level);
}

int heatmap_rows(const struct heat *h, int lines, int *first)
{
	int count = h->rows < lines ? h->rows : lines, last = h->rows - count;
	*first = h->focus - count / 2;
	*first = *first > last ? last : *first < 0 ? 0 : *first;
	return count;
}

void heatmap_draw(struct raster *r, const struct figure *f, const struct placement *l)
{
	const struct heat *h = f->heat;
	const struct area *p = &l->plot;
	int first, lines = heatmap_rows(h, p->height, &first);
	if (lines < 1 || h->columns < 1)
		return;
	int tall = p->height / lines;
	tall = tall < MOST_BAR ? tall : MOST_BAR;
	for (int i = 0; i < lines; i++) {
		int row = first + i, foot = p->y + (i + 1) * tall - 1, before = -1;
		if (l->names > 0)
			raster_elide(r, 0, foot, l->names, h->row[row], ROLES);
		for (int x = 0; x < p->width; x++) {
			int level = level_at(h, row, x, p->width);
			if (level >= 0)
				bar(r, f, p->x + x, foot, tall, level, level != before);
			before = level;
		}
	}
}

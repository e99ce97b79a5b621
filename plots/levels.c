// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/levels.h"

#include <stdlib.h>
#include <string.h>

const char *level_name(const struct figure *f, int level)
{
	if (f->heat)
		return level < f->heat->levels ? f->heat->level[level] : NULL;
	const struct series *area = area_at(f, level);
	return area ? area->name : NULL;
}

// The number in a level's name, or else the level's own.
static long number_of(const struct figure *f, int level)
{
	const char *name = level_name(f, level);
	return name ? strtol(name + strcspn(name, "0123456789"), NULL, 10) : level;
}

uint32_t level_sign(const struct figure *f, int level)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	int letters = 0; // taken by the levels before it
	for (int i = 0; i <= level; i++) {
		long number = number_of(f, i);
		bool taken = number < 0 || number >= 36;
		for (int k = 0; k < i && !taken; k++)
			taken = number_of(f, k) == number;
		if (i == level && !taken)
			return (unsigned char)digits[number];
		letters += taken;
	}
	return letters <= 26 ? (unsigned char)('A' + letters - 1) : '#';
}

const struct series *area_at(const struct figure *f, int level)
{
	for (int i = 0; i < f->series_count; i++)
		if (f->series[i].kind == SERIES_AREA && level-- == 0)
			return &f->series[i];
	return NULL;
}

int areas_of(const struct figure *f)
{
	int count = 0;
	for (int i = 0; i < f->series_count; i++)
		count += f->series[i].kind == SERIES_AREA;
	return count;
}

double area_foot(const struct figure *f, int level, size_t point)
{
	return level > 0 ? area_at(f, level - 1)->y[point] : 0;
}

int area_level(const struct figure *f, double x, double y)
{
	const struct series *lowest = area_at(f, 0);
	size_t low = 0, high = lowest ? lowest->count : 0;
	if (!high || x < lowest->x[0] || y < 0)
		return -1;
	while (high - low > 1) { // the last point up to here
		size_t middle = low + (high - low) / 2;
		if (lowest->x[middle] <= x)
			low = middle;
		else
			high = middle;
	}
	for (int i = 0, level = 0; i < f->series_count; i++)
		if (f->series[i].kind == SERIES_AREA) {
			if (y < f->series[i].y[low])
				return level;
			level++;
		}
	return -1;
}

int figure_levels(const struct figure *f)
{
	return f->heat ? f->heat->levels : areas_of(f);
}

bool figure_covered(const struct figure *f)
{
	return f->heat || areas_of(f) > 0;
}

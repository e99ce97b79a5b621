// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/columns.h"

static int used(const struct column *c, int count)
{
	int sum = 0;
	for (int i = 0; i < count; i++)
		if (c[i].width > 0)
			sum += c[i].width + (sum > 0);
	return sum;
}

void columns_fit(struct column *c, int count, int width)
{
	int last = 0;
	for (int i = 0; i < count; i++) {
		c[i].width = c[i].least;
		if (c[i].rank > last)
			last = c[i].rank;
	}
	for (int rank = last; rank > 0; rank--)
		for (int i = count - 1; i >= 0 && used(c, count) > width; i--)
			if (c[i].rank == rank)
				c[i].width = 0;
	for (int rank = 1; rank <= last; rank++) // a narrow one may fit where a wide one has gone
		for (int i = 0; i < count; i++)
			if (c[i].rank == rank && c[i].width == 0 && c[i].least > 0 && used(c, count) + 1 + c[i].least <= width)
				c[i].width = c[i].least;
	for (int rank = 0; rank <= last; rank++)
		for (int i = 0; i < count; i++) {
			int slack = width - used(c, count);
			if (c[i].rank != rank || c[i].width == 0 || c[i].ideal <= c[i].width || slack <= 0)
				continue;
			int more = c[i].ideal - c[i].width;
			c[i].width += more < slack ? more : slack;
		}
	int x = 0;
	for (int i = 0; i < count; i++) {
		c[i].x = x;
		if (c[i].width > 0)
			x += c[i].width + 1;
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Images made smaller by the average of areas. Along one axis of n pixels that become m, lengths are counted in n * m parts: an old
// pixel takes m of them, a new one n. A new pixel is the sum of old ones times the parts that they share, over n * n; so it is exact
// in whole numbers.
#include "engine/data/photo.h"
#include "engine/data/sources.h"

#include <stdlib.h>
#include <string.h>

// What new pixel `at` takes of the old ones, from *first on: fills parts and returns how many.
static int shares(int from, int to, int at, int *first, uint32_t part[MOST_PHOTO])
{
	int begin = at * from, end = begin + from, count = 0;
	*first = begin / to;
	for (int old = *first; old * to < end; old++) {
		int low = old * to > begin ? old * to : begin, high = (old + 1) * to < end ? (old + 1) * to : end;
		part[count++] = (uint32_t)(high - low);
	}
	return count;
}

static void shrink(const uint8_t *from, int n, uint8_t *to, int m, int channels)
{
	uint32_t down[MOST_PHOTO], across[MOST_PHOTO], all = (uint32_t)(n * n);
	for (int y = 0; y < m; y++)
		for (int x = 0; x < m; x++) {
			uint32_t sum[MOST_CHANNELS] = {0};
			int top, left, rows = shares(n, m, y, &top, down), columns = shares(n, m, x, &left, across);
			for (int i = 0; i < rows; i++)
				for (int k = 0; k < columns; k++)
					for (int c = 0; c < channels; c++)
						sum[c] += down[i] * across[k] * from[((top + i) * n + left + k) * channels + c];
			for (int c = 0; c < channels; c++)
				*to++ = (uint8_t)((sum[c] + all / 2) / all);
		}
}

bool data_resize(struct data *d, int side, struct fault *f)
{
	const int was = d->h;
	if (d->h != d->w)
		return fault_set(f, d->name, "leave res= out", "images of %dx%d are not square, and are not resized", d->h, d->w);
	if (side > was)
		return fault_set(f, d->name, "choose a smaller res=", "its images of %dx%d are not made larger, to %dx%d", was,
			was, side, side);
	const size_t before = (size_t)was * (size_t)was * (size_t)d->c, after = (size_t)side * (size_t)side * (size_t)d->c;
	uint8_t *image = malloc(after);
	if (!image)
		return fault_memory(f, d->name);
	for (int s = 0; s < DATA_SPLITS && side < was; s++)
		for (size_t i = 0; i < (size_t)d->split[s].count; i++) {
			shrink(d->split[s].pixels + i * before, was, image, side, d->c);
			memcpy(d->split[s].pixels + i * after, image, after); // never beyond the image that was read
		}
	free(image);
	d->h = d->w = side;
	data_measure(d);
	return true;
}

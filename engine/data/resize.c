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

static size_t image_size(const struct data *d, int side)
{
	return (size_t)side * (size_t)side * (size_t)d->c;
}

static bool can_shrink(const struct data *d, int side, struct fault *f)
{
	if (d->h != d->w)
		return fault_set(f, d->name, "leave res= out", "images of %dx%d are not square, and are not resized", d->h, d->w);
	return side <= d->h ||
		fault_set(f, d->name, "choose a smaller res=", "its images of %dx%d are not made larger, to %dx%d", d->h, d->h,
			side, side);
}

bool data_resize(struct data *d, int side, struct fault *f)
{
	const int was = d->h;
	if (!can_shrink(d, side, f))
		return false;
	const size_t before = image_size(d, was), after = image_size(d, side);
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

struct data *data_smaller(const struct data *d, int side, struct fault *f)
{
	if (!can_shrink(d, side, f))
		return NULL;
	struct data *small = malloc(sizeof *small);
	if (!small) {
		fault_memory(f, d->name);
		return NULL;
	}
	*small = *d;
	small->h = small->w = side;
	bool ok = true;
	for (int s = 0; s < DATA_SPLITS; s++) {
		const size_t count = (size_t)d->split[s].count;
		struct data_images *to = &small->split[s];
		to->pixels = malloc(count * image_size(d, side) + 1);
		to->labels = malloc(count * sizeof *to->labels + 1);
		ok = ok && to->pixels && to->labels;
		for (size_t i = 0; ok && i < count; i++)
			shrink(d->split[s].pixels + i * image_size(d, d->h), d->h, to->pixels + i * image_size(d, side), side,
				d->c);
		if (ok)
			memcpy(to->labels, d->split[s].labels, count * sizeof *to->labels);
	}
	if (ok) {
		data_measure(small);
		return small;
	}
	fault_memory(f, d->name);
	data_free(small);
	return NULL;
}

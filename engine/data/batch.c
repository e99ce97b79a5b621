// SPDX-License-Identifier: GPL-3.0-or-later
// Batches. The training loop reads them, so they must be fast: a table replaces arithmetic per pixel, rows are copied whole, and
// the border of a shifted image is worked out once per image.
#include <string.h>

#include "engine/data/data.h"
#include "engine/tensor/rng.h"

// How an image is moved: output pixel (y, x) shows pixel (y + dy, x + dx), x from the right where mirrored.
struct move {
	int dy, dx;
	bool mirror;
};

static struct move draw_move(unsigned augment, int pad, uint64_t key)
{
	struct move m = {0};
	if (augment & AUGMENT_CROP) {
		uint64_t span = 2 * (uint64_t)pad + 1;
		m.dy = (int)rng_below(key, 0, span) - pad;
		m.dx = (int)rng_below(key, 1, span) - pad;
	}
	if (augment & AUGMENT_FLIP)
		m.mirror = rng_below(key, 2, 2);
	return m;
}

// Normalises `pixels` pixels, going from `from` by `step` bytes (negative where mirrored), into `to`.
static void put_row(const struct data *d, const uint8_t *from, ptrdiff_t step, int pixels, float *to)
{
	for (int c = 0; c < d->c; c++) {
		const float *table = d->normal[c];
		const uint8_t *byte = from + c;
		float *out = to + c;
		for (int x = 0; x < pixels; x++, byte += step, out += d->c)
			*out = table[*byte];
	}
}

static void put_image(const struct data *d, const uint8_t *pixels, struct move m, float *x)
{
	// Output columns low..high-1 show the image; the others, and some rows, lie in its border: the mean, 0.
	int low = m.mirror ? m.dx : -m.dx, high = d->w + low;
	low = low < 0 ? 0 : low > d->w ? d->w : low;
	high = high > d->w ? d->w : high < low ? low : high;
	int first = m.mirror ? d->w - 1 - low + m.dx : low + m.dx; // the image's column that column `low` shows
	ptrdiff_t step = m.mirror ? -d->c : d->c;
	size_t c = (size_t)d->c, row = (size_t)d->w * c, left = (size_t)low * c, right = (size_t)high * c;
	for (int y = 0; y < d->h; y++, x += row) {
		int source = y + m.dy;
		if (source < 0 || source >= d->h || low == high) {
			memset(x, 0, row * sizeof *x);
			continue;
		}
		memset(x, 0, left * sizeof *x);
		put_row(d, pixels + (size_t)source * row + (size_t)first * c, step, high - low, x + left);
		memset(x + right, 0, (row - right) * sizeof *x);
	}
}

void data_batch(const struct data *d, enum data_split split, const uint32_t *index, int count, unsigned augment, uint64_t key,
	float *x, uint16_t *labels)
{
	const struct data_images *images = &d->split[split];
	size_t size = (size_t)d->h * (size_t)d->w * (size_t)d->c;
	for (int i = 0; i < count; i++) {
		put_image(d, images->pixels + index[i] * size, draw_move(augment, d->h / 8, rng_bits(key, index[i])),
			x + (size_t)i * size);
		labels[i] = images->labels[index[i]];
	}
}

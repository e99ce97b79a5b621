// SPDX-License-Identifier: GPL-3.0-or-later
// IDX files like those of MNIST: grey images (magic 0x803: count, height, width) and labels 0..9 (magic 0x801: count),
// big-endian, each file gzipped or not.
#include <stdio.h>
#include <unistd.h>

#include "engine/data/sources.h"

enum { MAGIC_IMAGES = 0x803, MAGIC_LABELS = 0x801, CLASSES = 10 };

static const struct {
	const char *images, *labels;
} names[PARTS] = {
	[PART_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
	[PART_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

// One part's two files, read side by side.
struct idx {
	struct reader images, labels;
	uint32_t count, h, w;
};

static uint32_t big_endian(const uint8_t *byte)
{
	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

// Opens `name`, or `name`.gz where only that is there, checks the magic, and reads the sizes that follow it.
static bool open_idx(struct reader *r, const struct loading *loading, const char *name, uint32_t magic, uint32_t *size[],
	int sizes, struct fault *f)
{
	char plain[PATH_MAX], packed[64];
	snprintf(plain, sizeof plain, "%s/%s", loading->argument, name);
	snprintf(packed, sizeof packed, "%s.gz", name);
	char packed_path[PATH_MAX];
	snprintf(packed_path, sizeof packed_path, "%s/%s", loading->argument, packed);
	bool use_packed = access(plain, F_OK) && !access(packed_path, F_OK);
	if (!reader_open(r, loading, use_packed ? packed : name, f))
		return false;

	uint8_t header[4 * 4];
	if (!reader_take(r, header, 4 * (1 + (unsigned)sizes), f))
		return false;
	uint32_t found = big_endian(header);
	if (found != magic)
		return fault_set(f, r->path, "name a folder of IDX files",
			"not an IDX file of this kind: magic 0x%08x, not 0x%08x", found, magic);
	for (int i = 0; i < sizes; i++)
		*size[i] = big_endian(header + 4 * (1 + i));
	return true;
}

static bool open_part(struct idx *idx, const struct loading *loading, enum part part, struct fault *f)
{
	uint32_t labels;
	if (!open_idx(&idx->images, loading, names[part].images, MAGIC_IMAGES, (uint32_t *[]){&idx->count, &idx->h, &idx->w}, 3,
		    f))
		return false;
	if (idx->count < 1 || idx->count > MOST_IMAGES || idx->h < LEAST_SIDE || idx->h > MOST_SIDE || idx->w < LEAST_SIDE ||
		idx->w > MOST_SIDE)
		return fault_set(f, idx->images.path, "it may hold up to 1,000,000 images of 8x8 to 96x96",
			"%u images of %ux%u: out of range", idx->count, idx->h, idx->w);
	if (!open_idx(&idx->labels, loading, names[part].labels, MAGIC_LABELS, (uint32_t *[]){&labels}, 1, f))
		return false;
	if (labels != idx->count)
		return fault_set(f, idx->labels.path, "fetch the two files again: they belong together",
			"%u labels for %u images", labels, idx->count);
	return reader_expect(&idx->images, 16, (long long)idx->count * idx->h * idx->w, f) &&
		reader_expect(&idx->labels, 8, idx->count, f);
}

static bool read_part(struct idx *idx, const struct loading *loading, enum part part, struct fault *f)
{
	uint8_t unwanted[MOST_SIDE * MOST_SIDE];
	for (long i = 0; i < (long)idx->count; i++) {
		uint16_t *label;
		uint8_t value, *pixels = loading_place(loading, part, i, &label);
		if (!reader_take(&idx->labels, &value, 1, f) ||
			!reader_take(&idx->images, pixels ? pixels : unwanted, idx->h * idx->w, f))
			return false;
		if (value >= CLASSES)
			return fault_set(f, idx->labels.path, "fetch it again; data with more than ten classes are not read",
				"label %d of image %ld out of range 0..%d", value, i, CLASSES - 1);
		if (pixels)
			*label = value;
	}
	return reader_end(&idx->images, f) && reader_end(&idx->labels, f);
}

bool idx_load(struct loading *loading, struct fault *f)
{
	struct idx part[PARTS] = {0};
	struct idx *train = &part[PART_TRAIN], *test = &part[PART_TEST];
	struct data *d = loading->data;
	bool ok = open_part(train, loading, PART_TRAIN, f) && open_part(test, loading, PART_TEST, f);
	if (ok && (train->h != test->h || train->w != test->w))
		ok = fault_set(f, test->images.path, "fetch the files again: they belong together",
			"images of %ux%u, but the training images are %ux%u", test->h, test->w, train->h, train->w);
	if (ok) {
		d->h = (int)train->h;
		d->w = (int)train->w;
		d->c = 1;
		d->classes = CLASSES;
		ok = loading_begin(loading, (long)train->count, (long)test->count, f) &&
			read_part(train, loading, PART_TRAIN, f) && read_part(test, loading, PART_TEST, f);
	}
	for (int i = 0; i < PARTS; i++) {
		reader_close(&part[i].images);
		reader_close(&part[i].labels);
	}
	return ok;
}

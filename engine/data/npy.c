// SPDX-License-Identifier: GPL-3.0-or-later
// Arrays of NumPy (.npy, versions 1 to 3): x_train.npy and y_train.npy, x_test.npy and y_test.npy, or x.npy and y.npy, of which every fifth
// of a fixed permutation then is a test image. x: [n][h][w][c], [n][c][h][w] or [n][h][w], bytes, or float32 that are bytes over 255; y: [n],
// whole numbers. Without y there are no labels.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/text.h"
#include "engine/data/photo.h"
#include "engine/data/sources.h"

enum { PREFIX = 10, MOST_HEADER = 65536, RANK = 4, TEST_SHARE = 5 };

static const char again[] = "save it with numpy.save, as uint8 images or whole-number labels";

struct array {
	struct reader reader;
	char kind; // 'u', 'i', 'f', as the file's descr has it
	bool big;  // the most significant byte comes first
	int width; // bytes a number
	int rank;
	long size[RANK];
	bool there;
};

// ---- the header: a dictionary of Python -------------------------------------------------------------------------------------

// What follows KEY in the header, past the colon and blanks; NULL: the key is not there.
static const char *value_of(const char *header, const char *key)
{
	const char *at = strstr(header, key);
	at = at ? at + strlen(key) : NULL;
	while (at && (*at == ' ' || *at == ':'))
		at++;
	return at;
}

static bool read_descr(struct array *a, const char *descr)
{
	char kind;
	int width, used = 0;
	if (!descr || sscanf(descr, "'%*1[<>|=]%c%2d%n", &kind, &width, &used) != 2 || descr[used] != '\'')
		return false;
	a->kind = kind;
	a->width = width;
	a->big = descr[1] == '>';
	return (strchr("ui", kind) && (width == 1 || width == 2 || width == 4 || width == 8)) || (kind == 'f' && width == 4) ||
		(kind == 'b' && width == 1);
}

static bool read_shape(struct array *a, const char *shape)
{
	if (!shape || *shape++ != '(')
		return false;
	while (*shape && *shape != ')') {
		char *end;
		long size = strtol(shape, &end, 10);
		if (end == shape || size < 0 || size > MOST_IMAGES || a->rank == RANK)
			return false;
		a->size[a->rank++] = size;
		for (shape = end; *shape == ',' || *shape == ' '; shape++)
			;
	}
	return *shape == ')';
}

static bool read_header(struct array *a, struct fault *f)
{
	uint8_t prefix[PREFIX + 2];
	char header[MOST_HEADER + 1];
	struct reader *r = &a->reader;
	if (!reader_take(r, prefix, PREFIX, f))
		return false;
	if (memcmp(prefix, "\x93NUMPY", 6) != 0 || prefix[6] < 1 || prefix[6] > 3)
		return fault_set(f, r->path, again, "not an array of NumPy");
	unsigned length = prefix[8] | (unsigned)prefix[9] << 8, longer = prefix[6] > 1 ? 2 : 0;
	if (longer && !reader_take(r, prefix + PREFIX, longer, f))
		return false;
	if (longer && (prefix[PREFIX] || prefix[PREFIX + 1]))
		return fault_set(f, r->path, again, "its header is too long");
	if (!reader_take(r, header, length, f))
		return false;
	header[length] = 0;
	const char *fortran = value_of(header, "'fortran_order'");
	if (!read_descr(a, value_of(header, "'descr'")))
		return fault_set(f, r->path, again, "its numbers are of another kind than uint8, a whole number or float32");
	if (!fortran || strncmp(fortran, "False", 5) != 0)
		return fault_set(f, r->path, again, "it is in Fortran's order");
	if (!read_shape(a, value_of(header, "'shape'")))
		return fault_set(f, r->path, again, "its shape is not up to %d sizes within 1,000,000", RANK);
	long long bytes = a->width;
	for (int i = 0; i < a->rank; i++)
		bytes = bytes > (1LL << 40) ? bytes : bytes * a->size[i];
	a->there = true;
	return reader_expect(r, PREFIX + (long long)longer + length, bytes, f);
}

// ---- images and labels -------------------------------------------------------------------------------------------------------

struct part_arrays {
	struct array x, y;
	int h, w, c;
	bool planes; // channels come before rows
};

static bool exists(const struct loading *loading, const char *name)
{
	char path[PATH_MAX];
	struct stat s;
	return snprintf(path, sizeof path, "%s/%s", loading->argument, name) < (int)sizeof path && stat(path, &s) == 0;
}

static bool open_arrays(struct part_arrays *p, const struct loading *loading, const char *x, const char *y, struct fault *f)
{
	if (!reader_open(&p->x.reader, loading, x, f) || !read_header(&p->x, f))
		return false;
	const struct array *a = &p->x;
	p->planes = a->rank == 4 && a->size[3] > MOST_CHANNELS && a->size[1] <= MOST_CHANNELS;
	p->h = (int)a->size[p->planes ? 2 : 1];
	p->w = (int)a->size[p->planes ? 3 : 2];
	p->c = a->rank == 3 ? 1 : (int)a->size[p->planes ? 1 : 3];
	if (a->rank < 3 || p->c < 1 || p->c > MOST_CHANNELS || p->h < LEAST_SIDE || p->w < LEAST_SIDE || p->h > MOST_PHOTO ||
		p->w > MOST_PHOTO || a->size[0] < 1)
		return fault_set(f, a->reader.path, again,
			"it is not [n][h][w][c] or [n][c][h][w], with sides of %d to %d and up to %d channels", LEAST_SIDE,
			MOST_PHOTO, MOST_CHANNELS);
	if (!(a->kind == 'u' && a->width == 1) && a->kind != 'f')
		return fault_set(f, a->reader.path, again, "images are bytes (uint8), or float32 from 0 to 1");
	if (!exists(loading, y))
		return true;
	if (!reader_open(&p->y.reader, loading, y, f) || !read_header(&p->y, f))
		return false;
	if (p->y.kind == 'f' || p->y.rank != 1 || p->y.size[0] != a->size[0])
		return fault_set(f, p->y.reader.path, again, "labels are whole numbers, one for each of the %ld images",
			a->size[0]);
	return true;
}

static int64_t whole(const struct array *a, const uint8_t *bytes)
{
	uint64_t value = 0;
	for (int i = 0; i < a->width; i++)
		value = value << 8 | bytes[a->big ? i : a->width - 1 - i];
	if (a->kind == 'i' && a->width < 8 && value >> (8 * a->width - 1))
		return -1;
	return (int64_t)value;
}

// A byte, or a float32 that is one over 255. -1: neither.
static int value_at(const struct array *a, const uint8_t *bytes)
{
	if (a->kind != 'f')
		return *bytes;
	uint32_t bits = (uint32_t)bytes[a->big ? 3 : 0] | (uint32_t)bytes[a->big ? 2 : 1] << 8 |
		(uint32_t)bytes[a->big ? 1 : 2] << 16 | (uint32_t)bytes[a->big ? 0 : 3] << 24;
	float x;
	memcpy(&x, &bits, sizeof x);
	x *= 255;
	float byte = nearbyintf(x);
	return byte >= 0 && byte <= 255 && fabsf(x - byte) < 0.01f ? (int)byte : -1;
}

static bool read_image(struct part_arrays *p, long i, uint8_t *raw, uint8_t *pixels, struct fault *f)
{
	struct array *a = &p->x;
	const int area = p->h * p->w, numbers = area * p->c;
	if (!reader_take(&a->reader, raw, (unsigned)(numbers * a->width), f))
		return false;
	for (int k = 0; k < numbers; k++) {
		int value = value_at(a, raw + (long)k * a->width);
		if (value < 0)
			return fault_set(f, a->reader.path,
				"save bytes, and say mean= and deviation=", "image %ld has a number that is not a byte over 255",
				i);
		pixels[p->planes ? k % area * p->c + k / area : k] = (uint8_t)value;
	}
	return true;
}

// The images of a part, or of both where the rank says so.
static bool read_part(struct part_arrays *p, struct loading *loading, enum part part, const uint32_t *rank, long tests,
	struct fault *f)
{
	const long size = (long)p->h * p->w * p->c;
	uint8_t *raw = malloc((size_t)size * (size_t)(p->x.width + 1)), *unwanted = raw ? raw + size * p->x.width : NULL;
	long next[PARTS] = {0};
	bool ok = raw || fault_memory(f, p->x.reader.path);
	for (long i = 0; ok && i < p->x.size[0]; i++) {
		uint8_t bytes[8];
		uint16_t *label;
		enum part its = rank ? (long)rank[i] < tests ? PART_TEST : PART_TRAIN : part;
		uint8_t *pixels = loading_place(loading, its, next[its]++, &label);
		ok = read_image(p, i, raw, pixels ? pixels : unwanted, f) &&
			(!p->y.there || reader_take(&p->y.reader, bytes, (unsigned)p->y.width, f));
		int64_t value = ok && p->y.there ? whole(&p->y, bytes) : 0;
		if (ok && (value < 0 || value >= MOST_CLASSES))
			ok = fault_set(f, p->y.reader.path, again, "label %lld of image %ld: out of the range 0..%d",
				(long long)value, i, MOST_CLASSES - 1);
		if (ok && p->y.there && value >= loading->data->classes)
			loading->data->classes = (int)value + 1;
		if (ok && pixels)
			*label = (uint16_t)value;
	}
	free(raw);
	return ok && reader_end(&p->x.reader, f) && (!p->y.there || reader_end(&p->y.reader, f));
}

static void close_arrays(struct part_arrays *p)
{
	reader_close(&p->x.reader);
	reader_close(&p->y.reader);
}

static bool load(struct loading *loading, struct part_arrays part[PARTS], bool split, struct fault *f)
{
	struct part_arrays *train = &part[PART_TRAIN], *test = &part[PART_TEST];
	struct data *d = loading->data;
	if (loading->how.resize || loading->how.crop)
		return fault_set(f, d->name, "leave them out", "resize and crop are for folders of pictures");
	if (!open_arrays(train, loading, split ? "x_train.npy" : "x.npy", split ? "y_train.npy" : "y.npy", f) ||
		(split && !open_arrays(test, loading, "x_test.npy", "y_test.npy", f)))
		return false;
	if (split && (test->h != train->h || test->w != train->w || test->c != train->c || test->y.there != train->y.there))
		return fault_set(f, test->x.reader.path, "save them alike",
			"its images are not of the size of the training images, or one has no labels");
	long all = train->x.size[0], tests = split ? test->x.size[0] : all / TEST_SHARE;
	d->h = train->h;
	d->w = train->w;
	d->c = train->c;
	d->unlabelled = !train->y.there;
	if (!loading_begin(loading, split ? all : all - tests, tests, f))
		return false;
	uint32_t *rank = split ? NULL : loading_permutation(all);
	bool ok = split || rank || fault_memory(f, d->name);
	ok = ok && read_part(train, loading, PART_TRAIN, rank, tests, f) &&
		(!split || read_part(test, loading, PART_TEST, NULL, 0, f));
	free(rank);
	return ok;
}

bool npy_load(struct loading *loading, struct fault *f)
{
	struct part_arrays part[PARTS] = {0};
	bool ok = load(loading, part, exists(loading, "x_train.npy"), f);
	for (int i = 0; i < PARTS; i++)
		close_arrays(&part[i]);
	return ok;
}

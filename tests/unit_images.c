// SPDX-License-Identifier: GPL-3.0-or-later
// Folders of pictures and arrays of NumPy: against the bytes that PIL and torchvision make of the same files (tests/data/images/make.py),
// and files that are not what they should be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "engine/data/data.h"
#include "engine/data/photo.h"
#include "tests/ground.h"

#define DATA "tests/data/images/"
static const char *const files[] = {
	"a-colour.jpg", "b-gray.jpg", "c-colour.png", "d-gray.png", "e-alpha.png", "f-palette.png", "g-tall.png"};
enum { FILES = sizeof files / sizeof *files, SIDE = 20, SIZE = SIDE * SIDE * 3 };
static char folder[256];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/bitscape-images-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int clear_folder(void **state)
{
	(void)state;
	return ground_clear(folder) ? 0 : -1;
}

static char *expected(void)
{
	size_t size;
	struct fault f;
	char *bytes = disk_read(DATA "expected.npy", 1 << 20, &size, &f);
	assert_non_null(bytes);
	memmove(bytes, bytes + size - FILES * SIZE, FILES * SIZE);
	return bytes;
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		mkdir(path, 0777);
		*slash = '/';
	}
	FILE *file = fopen(path, "wb");
	assert_true(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void copy(int k, const char *name)
{
	char path[128];
	size_t size;
	struct fault f;
	snprintf(path, sizeof path, DATA "%s", files[k]);
	char *bytes = disk_read(path, 1 << 20, &size, &f);
	assert_non_null(bytes);
	write_bytes(name, bytes, size);
	free(bytes);
}

static struct data *opened(const char *kind, struct preparation how, long heldout)
{
	char spec[512], line[1024];
	struct fault f;
	snprintf(spec, sizeof spec, "%s:%s", kind, folder);
	struct data *d = data_open_prepared(spec, &how, 1, 0, heldout, &f);
	if (!d)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return d;
}

static void refused(const char *kind, struct preparation how, const char *where, const char *what)
{
	char spec[512], line[1024];
	struct fault f = {0};
	snprintf(spec, sizeof spec, "%s:%s", kind, folder);
	if (data_open_prepared(spec, &how, 1, 0, 0, &f))
		fail_msg("it was opened");
	if (!strstr(f.where, where) || !strstr(f.what, what) || !f.todo[0])
		fail_msg("expected …%s…: …%s…, got %s", where, what, fault_line(&f, line, sizeof line));
}

static const struct preparation fit = {.resize = 24, .crop = 20};

// ---- pictures --------------------------------------------------------------------------------------------------------------

static void pictures_are_pil_s_to_the_byte(void **state)
{
	(void)state;
	char *bytes = expected();
	for (int k = 0; k < FILES; k++) {
		char path[128];
		struct photo p;
		struct fault f;
		snprintf(path, sizeof path, DATA "%s", files[k]);
		assert_true(photo_named(path) && photo_read(path, &p, &f));
		assert_true(photo_prepare(&p, 24, 20, path, &f));
		assert_true(p.h == SIDE && p.w == SIDE);
		for (int i = 0; i < SIZE; i++)
			if (p.pixels[i] != (uint8_t)bytes[k * SIZE + i])
				fail_msg("%s: byte %d is %d, PIL's is %d", files[k], i, p.pixels[i],
					(uint8_t)bytes[k * SIZE + i]);
		photo_free(&p);
	}
	free(bytes);
}

// Any change of bytes: read or refused with the file's name.
static void damaged_pictures_are_read_or_refused(void **state)
{
	(void)state;
	uint64_t seed = 5;
	int refusals = 0;
	for (int round = 0; round < 700; round++) {
		char from[128], path[512];
		size_t size;
		struct fault f = {0};
		struct photo p;
		snprintf(from, sizeof from, DATA "%s", files[round % FILES]);
		char *bytes = disk_read(from, 1 << 20, &size, &f);
		for (uint32_t k = any_of(&seed, 6); k > 0; k--)
			bytes[any_of(&seed, (uint32_t)size)] = (char)any_of(&seed, 256);
		write_bytes("x.png", bytes, any_of(&seed, 3) ? size : any_of(&seed, (uint32_t)size));
		free(bytes);
		snprintf(path, sizeof path, "%s/x.png", folder);
		if (photo_read(path, &p, &f)) {
			if (photo_prepare(&p, 24, 20, path, &f))
				assert_int_equal(p.h, 20);
			photo_free(&p);
		} else {
			refusals++;
			assert_string_equal(f.where, path);
			assert_true(f.what[0] && f.todo[0] && !p.pixels);
		}
	}
	assert_true(refusals > 200);
}

// ---- folders ---------------------------------------------------------------------------------------------------------------

static void classes_are_folders(void **state)
{
	(void)state;
	char *bytes = expected();
	copy(0, "train/dog/1.jpg");
	copy(1, "train/cat/1.JPEG");
	copy(2, "train/cat/2.png");
	copy(3, "train/yak/1.png");
	write_bytes("train/yak/notes.txt", "x", 1);
	write_bytes("train/.hidden/1.png", "x", 1);
	copy(4, "val/yak/1.png");
	struct data *d = opened("images", fit, 0);
	assert_true(d->classes == 3 && d->h == SIDE && d->w == SIDE && d->c == 3 && !d->unlabelled);
	assert_int_equal(d->split[DATA_TRAIN].count, 4);
	assert_int_equal(d->split[DATA_TEST].count, 1);
	assert_int_equal(d->split[DATA_TEST].labels[0], 2);
	assert_memory_equal(d->split[DATA_TEST].pixels, bytes + 4 * SIZE, SIZE);
	int seen = 0;
	for (int i = 0; i < 4; i++) {
		static const int file[] = {1, 2, 0, 3}, label[] = {0, 0, 1, 2}; // in the order of names
		for (int k = 0; k < 4; k++)
			if (memcmp(d->split[DATA_TRAIN].pixels + i * SIZE, bytes + file[k] * SIZE, SIZE) == 0) {
				assert_int_equal(d->split[DATA_TRAIN].labels[i], label[k]);
				seen |= 1 << k;
			}
	}
	assert_int_equal(seen, 15);
	data_free(d);
	write_bytes("classes.txt", "ant\ndog\nbee\nyak\ncat\n", 20); // their order is that of labels
	d = opened("images", fit, 0);
	assert_true(d->classes == 5 && d->split[DATA_TEST].labels[0] == 3);
	data_free(d);
	write_bytes("classes.txt", "dog\ncat\n", 8);
	refused("images", fit, "train/yak", "its class is not among");
	free(bytes);
}

static void labels_beyond_a_byte(void **state)
{
	(void)state;
	copy(0, "999/1.jpg");
	copy(1, "7/1.jpg");
	struct preparation how = {.resize = 24, .crop = 20, .channels = 3, .mean = {0.5f, 0.25f, 0}, .deviation = {0.5f, 1, 2}};
	struct data *d = opened("images", how, 0);
	float x[2 * SIZE];
	uint16_t labels[2];
	assert_int_equal(d->classes, 1000);
	data_batch(d, DATA_TRAIN, (uint32_t[]){0, 1}, 2, AUGMENT_NONE, 0, x, labels);
	assert_int_equal(labels[0] + labels[1], 999 + 7);
	for (int i = 0; i < SIZE; i++) {
		float byte = (float)d->split[DATA_TRAIN].pixels[i] / 255;
		assert_true(fabsf(x[i] - (byte - how.mean[i % 3]) / how.deviation[i % 3]) < 1e-6f);
	}
	data_free(d);
	how.channels = 1;
	refused("images", how, "mean", "1 numbers, but images have 3 channels");
}

static void pictures_alone_have_no_labels(void **state)
{
	(void)state;
	for (int k = 0; k < FILES; k++)
		copy(k, files[k]);
	struct data *d = opened("images", fit, 2);
	assert_true(d->unlabelled && d->classes == 0);
	assert_int_equal(d->split[DATA_TEST].count, 1); // a fifth
	assert_int_equal(d->split[DATA_TRAIN].count, 4);
	assert_int_equal(d->split[DATA_HELDOUT].count, 2);
	data_free(d);
}

static void faults_name_the_file(void **state)
{
	(void)state;
	refused("images", fit, folder, "no pictures in it");
	copy(0, "a/1.jpg");
	copy(6, "a/2.png");
	refused("images", (struct preparation){0}, "a/2.png", "it is 60x15, but");
	refused("images", (struct preparation){.crop = 30}, "a/2.png", "smaller than the crop");
	refused("images", (struct preparation){.resize = 7, .crop = 7}, "a/1.jpg", "out of the range");
	write_bytes("a/3.png", "hello, world", 12);
	refused("images", fit, "a/3.png", "neither a PNG nor a JPEG");
	write_bytes("a/3.png", "", 0);
	refused("images", fit, "a/3.png", "neither");
	char from[64] = DATA "c-colour.png";
	size_t size;
	struct fault f;
	char *bytes = disk_read(from, 1 << 20, &size, &f);
	write_bytes("a/3.png", bytes, size / 2);
	free(bytes);
	refused("images", fit, "a/3.png", "not a PNG file in order");
	snprintf(from, sizeof from, DATA "a-colour.jpg");
	bytes = disk_read(from, 1 << 20, &size, &f);
	write_bytes("a/3.png", bytes, size / 2);
	free(bytes);
	refused("images", fit, "a/3.png", "not a JPEG file in order");
	assert_null(data_open_prepared("glyphs", &fit, 1, 0, 0, &f));
	assert_non_null(strstr(f.what, "folders of pictures"));
}

// ---- arrays ----------------------------------------------------------------------------------------------------------------

// An array of these bytes: version 1 or 2, its dictionary padded as NumPy does.
static void write_npy(const char *name, int version, const char *descr, const char *shape, const void *bytes, size_t size)
{
	char file[65536] = "\x93NUMPY", dictionary[200];
	int length = snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr,
		    shape),
	    prefix = version == 1 ? 10 : 12;
	file[6] = (char)version;
	file[8] = (char)(length + 1);
	memcpy(file + prefix, dictionary, (size_t)length);
	file[prefix + length] = '\n';
	memcpy(file + prefix + length + 1, bytes, size);
	write_bytes(name, file, (size_t)(prefix + length + 1) + size);
}

static void arrays_are_read(void **state)
{
	(void)state;
	enum { N = 10, H = 8, W = 9, C = 3, ALL = N * H * W * C };
	uint8_t nhwc[ALL], nchw[ALL];
	float real[ALL];
	int32_t labels[N];
	for (int i = 0; i < ALL; i++) {
		int c = i % C, x = i / C % W, y = i / C / W % H, n = i / C / W / H;
		nhwc[i] = (uint8_t)(i * 7);
		nchw[((n * C + c) * H + y) * W + x] = nhwc[i];
		real[((n * C + c) * H + y) * W + x] = (float)nhwc[i] / 255;
	}
	for (int i = 0; i < N; i++)
		labels[i] = i * 30;
	struct data *d[3];
	for (int way = 0; way < 3; way++) {
		write_npy("x.npy", 1 + way % 2, way == 2 ? "<f4" : "|u1", way ? "10, 3, 8, 9" : "10, 8, 9, 3",
			way == 0           ? (void *)nhwc
				: way == 1 ? (void *)nchw
					   : (void *)real,
			way == 2 ? sizeof real : sizeof nhwc);
		write_npy("y.npy", 1, "<i4", "10,", labels, sizeof labels);
		d[way] = opened("npy", (struct preparation){0}, 3);
		assert_true(d[way]->h == H && d[way]->w == W && d[way]->c == C && d[way]->classes == 271 && !d[way]->unlabelled);
		assert_int_equal(d[way]->split[DATA_TEST].count, 2);
		assert_int_equal(d[way]->split[DATA_TRAIN].count, 5);
		assert_int_equal(d[way]->fingerprint, d[0]->fingerprint);
		for (int s = 0; s < DATA_SPLITS; s++)
			for (long i = 0; i < d[way]->split[s].count; i++) {
				int n = d[way]->split[s].labels[i] / 30;
				assert_memory_equal(d[way]->split[s].pixels + i * H * W * C, nhwc + n * H * W * C, H * W * C);
			}
	}
	for (int way = 0; way < 3; way++)
		data_free(d[way]);
	struct data *split;
	write_npy("x_train.npy", 1, "|u1", "10, 8, 9, 3", nhwc, sizeof nhwc);
	write_npy("x_test.npy", 1, "|u1", "1, 8, 9, 3", nhwc, H * W * C);
	split = opened("npy", (struct preparation){0}, 0);
	assert_true(split->unlabelled && split->split[DATA_TEST].count == 1 && split->split[DATA_TRAIN].count == 10);
	data_free(split);
}

static void bad_arrays_are_refused(void **state)
{
	(void)state;
	static const char zeros[30000];
	static const struct {
		const char *descr, *shape;
		size_t bytes;
		const char *what;
	} bad[] = {
		{"<f8", "2, 8, 8, 3", 3072, "another kind"},
		{"|O", "2, 8, 8, 3", 384, "another kind"},
		{"<i4", "2, 8, 8, 3", 1536, "images are bytes"},
		{"|u1", "2, 8, 8", 100, "truncated"},
		{"|u1", "2, 8, 8", 200, "oversized"},
		{"|u1", "2, 8, 8, 8, 8", 8192, "its shape"},
		{"|u1", "2, 4, 4, 3", 96, "it is not [n][h][w][c]"},
		{"|u1", "2, 8, 8, 9", 1152, "it is not [n][h][w][c]"},
		{"|u1", "-2, 8, 8", 128, "its shape"},
		{"|u1", "99999999999999999999, 8, 8", 128, "its shape"},
		{"|u1", "0, 8, 8", 0, "it is not [n][h][w][c]"},
		{"|u1", "64", 64, "it is not [n][h][w][c]"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_npy("x.npy", 1, bad[i].descr, bad[i].shape, zeros, bad[i].bytes);
		refused("npy", (struct preparation){0}, "x.npy", bad[i].what);
	}
	write_npy("x.npy", 1, "|u1", "2, 8, 8", zeros, 128);
	write_npy("y.npy", 1, "<i4", "3,", zeros, 12);
	refused("npy", (struct preparation){0}, "y.npy", "one for each of the 2");
	const int64_t labels[] = {3, -1};
	write_npy("y.npy", 1, "<i8", "2,", labels, 16);
	refused("npy", (struct preparation){0}, "y.npy", "label -1 of image 1");
	const float half = 0.5f;
	float real[64] = {0};
	real[5] = half;
	write_npy("x.npy", 1, "<f4", "1, 8, 8", real, 256);
	remove("y.npy");
	write_npy("y.npy", 1, "<i4", "1,", zeros, 4);
	refused("npy", (struct preparation){0}, "x.npy", "not a byte over 255");
	write_bytes("x.npy", "not numpy at all", 16);
	refused("npy", (struct preparation){0}, "x.npy", "not an array");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, clear_folder)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_are_pil_s_to_the_byte),
		IN_FOLDER(damaged_pictures_are_read_or_refused),
		IN_FOLDER(classes_are_folders),
		IN_FOLDER(labels_beyond_a_byte),
		IN_FOLDER(pictures_alone_have_no_labels),
		IN_FOLDER(faults_name_the_file),
		IN_FOLDER(arrays_are_read),
		IN_FOLDER(bad_arrays_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Data: the sources (good and damaged files), the splits, the batches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/data/data.h"
#include "engine/engine.h"
#include "engine/tensor/rng.h"

enum { CIFAR_RECORD = 3073, CIFAR_PIXELS = 32 * 32 * 3 };

// ---- a folder of the test's own ---------------------------------------------------------------------------

static char folder[256];

static int make_folder(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/bitscape-data-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const uint8_t *bytes, size_t count)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

static void write_gz(const char *name, const uint8_t *bytes, size_t count)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	gzFile file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
	assert_int_equal(gzclose(file), Z_OK);
}

static void remove_file(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static struct data *open_good(const char *kind, long train, long heldout)
{
	char spec[512], line[1024];
	snprintf(spec, sizeof spec, "%s:%s", kind, folder);
	struct fault f;
	struct data *d = data_open(spec, 1, train, heldout, &f);
	if (!d)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return d;
}

// Opening must fail with a fault that names `where` and says `what`, and what to do.
static void expect_fault(const char *spec, long train, long heldout, const char *where, const char *what)
{
	struct fault f = {0};
	char line[1024];
	struct data *d = data_open(spec, 1, train, heldout, &f);
	if (d)
		fail_msg("%s was opened", spec);
	fault_line(&f, line, sizeof line);
	if (!strstr(f.where, where) || !strstr(f.what, what) || !f.todo[0])
		fail_msg("expected \"…%s…: …%s…; …\", got \"%s\"", where, what, line);
}

static void expect_bad(const char *kind, const char *where, const char *what)
{
	char spec[512];
	snprintf(spec, sizeof spec, "%s:%s", kind, folder);
	expect_fault(spec, 0, 2, where, what);
}

// ---- CIFAR-10 files ---------------------------------------------------------------------------------------

// Made-up pixels: which image, channel and place a byte came from can be told from its value.
static uint8_t cifar_byte(int image, int channel, int place)
{
	return (uint8_t)(image * 67 + channel * 29 + place * 7 + place / 32);
}

static size_t cifar_records(uint8_t *to, int first, int count)
{
	for (int i = first; i < first + count; i++, to += CIFAR_RECORD) {
		to[0] = (uint8_t)(i % 10);
		for (int k = 0; k < CIFAR_PIXELS; k++)
			to[1 + k] = cifar_byte(i, k / 1024, k % 1024);
	}
	return (size_t)count * CIFAR_RECORD;
}

static void write_cifar(void)
{
	static uint8_t bytes[12 * CIFAR_RECORD];
	write_file("data_batch_2.bin", bytes, cifar_records(bytes, 12, 7));
	write_file("data_batch_10.bin", bytes, cifar_records(bytes, 19, 3));
	write_file("data_batch_1.bin", bytes, cifar_records(bytes, 0, 12));
	write_file("test_batch.bin", bytes, cifar_records(bytes, 22, 5));
	write_file("data_batch_1.bin.old", bytes, 5); // others' files are left alone
	write_file("batches.meta.txt", bytes, 5);
}

// Which made-up image these are; fails where they are none of the first `count`, or the label is another's.
static int which_cifar(const struct data_images *images, long i, int count)
{
	const uint8_t *pixels = images->pixels + i * CIFAR_PIXELS;
	for (int image = 0; image < count; image++) {
		bool same = images->labels[i] == image % 10;
		for (int k = 0; same && k < CIFAR_PIXELS; k++)
			same = pixels[k] == cifar_byte(image, k % 3, k / 3);
		if (same)
			return image;
	}
	fail_msg("image %ld is none that was written", i);
	return -1;
}

static void cifar_files_are_read(void **state)
{
	(void)state;
	write_cifar();
	struct data *d = open_good("cifar10", 0, 6);
	assert_int_equal(d->h, 32);
	assert_int_equal(d->w, 32);
	assert_int_equal(d->c, 3);
	assert_int_equal(d->classes, 10);
	assert_true(d->flips);
	assert_int_equal(d->split[DATA_TRAIN].count, 16);
	assert_int_equal(d->split[DATA_HELDOUT].count, 6);
	assert_int_equal(d->split[DATA_TEST].count, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(which_cifar(&d->split[DATA_TEST], i, 27), 22 + i);
	bool seen[22] = {false};
	for (int s = DATA_TRAIN; s <= DATA_HELDOUT; s++)
		for (long i = 0; i < d->split[s].count; i++) {
			int image = which_cifar(&d->split[s], i, 22);
			assert_false(seen[image]); // the splits share nothing
			seen[image] = true;
		}

	// Fewer training images: the same ones are held out, and the fingerprint says that the data differ.
	struct data *less = open_good("cifar10", 10, 6);
	assert_int_equal(less->split[DATA_TRAIN].count, 4);
	assert_memory_equal(less->split[DATA_HELDOUT].pixels, d->split[DATA_HELDOUT].pixels, 6 * CIFAR_PIXELS);
	assert_memory_equal(less->split[DATA_TRAIN].pixels, d->split[DATA_TRAIN].pixels, 4 * CIFAR_PIXELS);
	assert_int_not_equal(less->fingerprint, d->fingerprint);
	data_free(less);

	// Numeric order: data_batch_10 comes after data_batch_2, so that renaming it to 3 changes nothing.
	char from[512], to[512];
	snprintf(from, sizeof from, "%s/data_batch_10.bin", folder);
	snprintf(to, sizeof to, "%s/data_batch_3.bin", folder);
	assert_int_equal(rename(from, to), 0);
	struct data *renamed = open_good("cifar10", 0, 6);
	assert_int_equal(renamed->fingerprint, d->fingerprint);
	data_free(renamed);
	data_free(d);
}

static void cifar_by_environment(void **state)
{
	(void)state;
	const char *before = getenv("CIFAR10_DIR");
	char *saved = before ? strdup(before) : NULL;
	unsetenv("CIFAR10_DIR");
	expect_fault("cifar10", 0, 0, "cifar10", "not said");
	struct fault f;
	assert_null(data_open("cifar10", 1, 0, 0, &f));
	assert_non_null(strstr(f.todo, "CIFAR10_DIR"));
	assert_non_null(strstr(f.todo, "data=cifar10:FOLDER"));
	expect_fault("cifar10:", 0, 0, "cifar10", "not said");
	write_cifar();
	setenv("CIFAR10_DIR", folder, 1);
	struct data *d = data_open("cifar10", 1, 0, 0, &f);
	assert_non_null(d);
	assert_int_equal(d->split[DATA_TRAIN].count, 22);
	assert_int_equal(d->split[DATA_HELDOUT].count, 0);
	data_free(d);
	if (saved)
		setenv("CIFAR10_DIR", saved, 1);
	else
		unsetenv("CIFAR10_DIR");
	free(saved);
}

static void bad_cifar_files(void **state)
{
	(void)state;
	static uint8_t bytes[3 * CIFAR_RECORD + 1];
	size_t size = cifar_records(bytes, 0, 3);

	expect_fault("cifar10:/no/such/folder", 0, 0, "/no/such/folder", "No such file");
	expect_bad("cifar10", folder, "no data_batch_N.bin");
	write_file("data_batch_1.bin", bytes, size);
	expect_bad("cifar10", "test_batch.bin", "No such file");
	char spec[512];
	snprintf(spec, sizeof spec, "cifar10:%s/data_batch_1.bin", folder);
	expect_fault(spec, 0, 0, "data_batch_1.bin", "not a folder");

	write_file("test_batch.bin", bytes, size);
	data_free(open_good("cifar10", 0, 1));
	write_file("data_batch_1.bin", bytes, size - 1);
	expect_bad("cifar10", "data_batch_1.bin", "truncated");
	write_file("data_batch_1.bin", bytes, size + 1);
	expect_bad("cifar10", "data_batch_1.bin", "oversized");
	write_file("data_batch_1.bin", bytes, 0);
	expect_bad("cifar10", "data_batch_1.bin", "truncated");

	write_file("data_batch_1.bin", bytes, size);
	bytes[2 * CIFAR_RECORD] = 10;
	write_file("test_batch.bin", bytes, size);
	expect_bad("cifar10", "test_batch.bin", "label 10 out of range 0..9 in record 2");

	// A folder in a file's place.
	remove_file("test_batch.bin");
	snprintf(spec, sizeof spec, "%s/test_batch.bin", folder);
	assert_int_equal(mkdir(spec, 0700), 0);
	expect_bad("cifar10", "test_batch.bin", "not a file");
}

static void unreadable_folder(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		print_message("skipped: root may read every folder\n");
		skip();
	}
	write_cifar();
	assert_int_equal(chmod(folder, 0), 0);
	expect_bad("cifar10", folder, "Permission denied");
	assert_int_equal(chmod(folder, 0700), 0);
}

static void numbers_of_images(void **state)
{
	(void)state;
	write_cifar();
	char spec[512];
	snprintf(spec, sizeof spec, "cifar10:%s", folder);
	expect_fault(spec, 23, 2, "cifar10", "23 training images asked for, there are 22");
	expect_fault(spec, 10, 10, "cifar10", "leave none");
	expect_fault(spec, 0, 22, "cifar10", "leave none");
	expect_fault(spec, -1, 2, "cifar10", "-1 images");
	expect_fault(spec, 0, -2, "cifar10", "-2 images");
	data_free(open_good("cifar10", 22, 21));
}

// ---- IDX files --------------------------------------------------------------------------------------------

enum { IDX_H = 8, IDX_W = 10, IDX_PIXELS = IDX_H * IDX_W, IDX_TRAIN = 13, IDX_TEST = 4 };
static const char *const idx_names[] = {
	"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static uint8_t *put_word(uint8_t *to, uint32_t word)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*to++ = (uint8_t)(word >> shift);
	return to;
}

static size_t idx_images(uint8_t *to, uint32_t magic, uint32_t count, uint32_t h, uint32_t w, int images)
{
	const uint8_t *start = to;
	to = put_word(put_word(put_word(put_word(to, magic), count), h), w);
	for (int k = 0; k < images * IDX_PIXELS; k++)
		*to++ = (uint8_t)(k / IDX_PIXELS * 16 + k % IDX_PIXELS / 5);
	return (size_t)(to - start);
}

static size_t idx_labels(uint8_t *to, uint32_t magic, uint32_t count, int labels)
{
	const uint8_t *start = to;
	to = put_word(put_word(to, magic), count);
	for (int i = 0; i < labels; i++)
		*to++ = (uint8_t)(i % 10);
	return (size_t)(to - start);
}

static void write_idx(bool packed)
{
	uint8_t bytes[16 + IDX_TRAIN * IDX_PIXELS];
	for (int k = 0; k < 4; k++) {
		int count = k < 2 ? IDX_TRAIN : IDX_TEST;
		size_t size = k % 2 ? idx_labels(bytes, 0x801, (uint32_t)count, count)
				    : idx_images(bytes, 0x803, (uint32_t)count, IDX_H, IDX_W, count);
		char name[64];
		snprintf(name, sizeof name, "%s%s", idx_names[k], packed ? ".gz" : "");
		(packed ? write_gz : write_file)(name, bytes, size);
	}
}

static void idx_files_are_read(void **state)
{
	(void)state;
	write_idx(true);
	struct data *packed = open_good("idx", 0, 3);
	for (int k = 0; k < 4; k++) {
		char name[64];
		snprintf(name, sizeof name, "%s.gz", idx_names[k]);
		remove_file(name);
	}
	write_idx(false);
	struct data *d = open_good("idx", 0, 3);
	assert_int_equal(d->fingerprint, packed->fingerprint);
	assert_int_equal(d->h, IDX_H);
	assert_int_equal(d->w, IDX_W);
	assert_int_equal(d->c, 1);
	assert_false(d->flips);
	assert_int_equal(d->split[DATA_TRAIN].count, IDX_TRAIN - 3);
	assert_int_equal(d->split[DATA_TEST].count, IDX_TEST);
	for (int k = 0; k < IDX_TEST * IDX_PIXELS; k++)
		assert_int_equal(d->split[DATA_TEST].pixels[k], k / IDX_PIXELS * 16 + k % IDX_PIXELS / 5);
	for (int i = 0; i < IDX_TEST; i++)
		assert_int_equal(d->split[DATA_TEST].labels[i], i);
	data_free(packed);
	data_free(d);

	// The named sets read the same files and know whether a mirrored image keeps its class.
	struct data *mnist = open_good("mnist", 0, 3), *fashion = open_good("fashion", 0, 3);
	assert_false(mnist->flips);
	assert_true(fashion->flips);
	data_free(mnist);
	data_free(fashion);
}

static void bad_idx_files(void **state)
{
	(void)state;
	static const struct {
		uint32_t magic, count, h, w;
		int images; // in the file
		const char *what;
	} bad[] = {
		{0x801, IDX_TRAIN, IDX_H, IDX_W, IDX_TRAIN, "magic 0x00000801"},
		{0x803, IDX_TRAIN + 1, IDX_H, IDX_W, IDX_TRAIN + 1, "13 labels for 14 images"},
		{0x803, IDX_TRAIN, IDX_H, IDX_W, IDX_TRAIN - 1, "truncated"},
		{0x803, IDX_TRAIN, IDX_H, IDX_W, IDX_TRAIN + 1, "oversized"},
		{0x803, 0, IDX_H, IDX_W, IDX_TRAIN, "out of range"},
		{0x803, 0xffffffff, IDX_H, IDX_W, IDX_TRAIN, "out of range"},
		{0x803, IDX_TRAIN, 0, IDX_W, IDX_TRAIN, "out of range"},
		{0x803, IDX_TRAIN, 97, IDX_W, IDX_TRAIN, "out of range"},
		{0x803, IDX_TRAIN, IDX_H, 0x80000000, IDX_TRAIN, "out of range"},
		{0x803, IDX_TRAIN, IDX_W, IDX_H, IDX_TRAIN, "images of 8x10, but the training images are 10x8"},
	};
	uint8_t bytes[16 + (IDX_TRAIN + 1) * IDX_PIXELS];
	write_idx(false);
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		size_t size = idx_images(bytes, bad[k].magic, bad[k].count, bad[k].h, bad[k].w, bad[k].images);
		write_file(idx_names[0], bytes, size);
		expect_bad("idx", "-ubyte", bad[k].what);
	}
	write_file(idx_names[0], bytes, 15);
	expect_bad("idx", idx_names[0], "truncated");

	write_idx(false);
	size_t size = idx_labels(bytes, 0x801, IDX_TEST, IDX_TEST);
	bytes[8 + 2] = 10;
	write_file(idx_names[3], bytes, size);
	expect_bad("idx", idx_names[3], "label 10 of image 2 out of range 0..9");
	bytes[8 + 2] = 2;
	write_file(idx_names[3], bytes, size - 1);
	expect_bad("idx", idx_names[3], "truncated");
	remove_file(idx_names[3]);
	expect_bad("idx", idx_names[3], "No such file");

	expect_fault("idx", 0, 0, "idx", "not said");
	expect_fault("idx:/no/such/folder", 0, 0, "/no/such/folder", "No such file");
}

static void bad_packed_files(void **state)
{
	(void)state;
	uint8_t bytes[16 + (IDX_TRAIN + 1) * IDX_PIXELS];
	char name[64], path[512];
	snprintf(name, sizeof name, "%s.gz", idx_names[0]);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	write_idx(true);
	data_free(open_good("idx", 0, 3));

	write_gz(name, bytes, idx_images(bytes, 0x803, IDX_TRAIN, IDX_H, IDX_W, IDX_TRAIN - 1));
	expect_bad("idx", name, "truncated");
	write_gz(name, bytes, idx_images(bytes, 0x803, IDX_TRAIN, IDX_H, IDX_W, IDX_TRAIN + 1));
	expect_bad("idx", name, "oversized");

	// Cut short as a file, and damaged in its checksum.
	write_idx(true);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - 9), 0);
	expect_bad("idx", name, "truncated");
	write_idx(true);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, -8, SEEK_END), 0);
	int byte = fgetc(file);
	assert_int_equal(fseek(file, -8, SEEK_END), 0);
	fputc(byte ^ 1, file);
	assert_int_equal(fclose(file), 0);
	expect_bad("idx", name, "cannot be unpacked");

	// A small file whose header promises far more than it could unpack to.
	write_idx(true);
	uint8_t labels[8];
	write_gz(name, bytes, idx_images(bytes, 0x803, 1000000, 96, 96, 1));
	snprintf(name, sizeof name, "%s.gz", idx_names[1]);
	write_gz(name, labels, idx_labels(labels, 0x801, 1000000, 0));
	expect_bad("idx", idx_names[0], "truncated");
}

// ---- glyphs -----------------------------------------------------------------------------------------------

static void glyphs_are_what_the_seed_says(void **state)
{
	(void)state;
	struct fault f;
	struct data *a = data_open("glyphs", 7, 0, 2048, &f), *b = data_open("glyphs", 7, 0, 2048, &f);
	struct data *other = data_open("glyphs", 8, 0, 2048, &f), *less = data_open("glyphs", 7, 3000, 2048, &f);
	assert_true(a && b && other && less);
	assert_int_equal(a->h, 16);
	assert_int_equal(a->w, 16);
	assert_int_equal(a->c, 1);
	assert_int_equal(a->split[DATA_TRAIN].count, 8192);
	assert_int_equal(a->split[DATA_HELDOUT].count, 2048);
	assert_int_equal(a->split[DATA_TEST].count, 2000);
	assert_int_equal(a->fingerprint, b->fingerprint);
	assert_int_not_equal(a->fingerprint, other->fingerprint);
	assert_int_equal(less->split[DATA_TRAIN].count, 952);
	assert_memory_equal(less->split[DATA_HELDOUT].pixels, a->split[DATA_HELDOUT].pixels, 2048 * 256);
	assert_memory_equal(less->split[DATA_TRAIN].pixels, a->split[DATA_TRAIN].pixels, 952 * 256);

	// Each class has its tenth: exactly of all, nearly of each part (five deviations of a fair draw).
	long all[10] = {0};
	for (int s = 0; s < DATA_SPLITS; s++) {
		long of_class[10] = {0}, count = a->split[s].count;
		for (long i = 0; i < count; i++)
			of_class[a->split[s].labels[i]]++;
		for (int k = 0; k < 10; k++) {
			assert_true(fabs((double)of_class[k] - (double)count / 10) < 5 * sqrt((double)count * 0.09));
			all[k] += of_class[k];
		}
	}
	for (int k = 0; k < 10; k++)
		assert_int_equal(all[k], 1224);
	data_free(a);
	data_free(b);
	data_free(other);
	data_free(less);
}

static void glyphs_of_other_sizes(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"glyphs:", "glyphs:11", "glyphs:65", "glyphs:16x", "glyphs:x", "glyphs:99999999999999999999"};
	struct fault f;
	struct data *d = data_open("glyphs:12", 1, 20, 10, &f);
	assert_non_null(d);
	assert_int_equal(d->h, 12);
	data_free(d);
	d = data_open("glyphs:32", 1, 11000, 1, &f);
	assert_non_null(d);
	assert_int_equal(d->w, 32);
	assert_int_equal(d->split[DATA_TRAIN].count, 10999);
	data_free(d);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_fault(bad[i], 0, 0, bad[i], "not a size");
	expect_fault("glyphs", 2000000, 0, "glyphs", "too many images");
	expect_fault("glyph", 0, 0, "glyph", "no such data");
	expect_fault("", 0, 0, "", "no such data");
	assert_null(data_open("glyph", 1, 0, 0, &f));
	assert_string_equal(f.todo,
		"choose one of glyphs, glyphs:SIZE, cifar10, cifar10:FOLDER, mnist, fashion, idx:FOLDER, images:FOLDER, npy:FOLDER");
}

// What the setting `data` offers is what data_open takes, and "none".
static void the_setting_offers_what_opens(void **state)
{
	(void)state;
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	while (strcmp(knob->name, "data") != 0)
		knob++;
	char words[256];
	snprintf(words, sizeof words, "%s", knob->words);
	for (char *at = words, *word; (word = strsep(&at, "|"));) {
		struct fault f = {0};
		struct data *d = data_open(word, 1, 0, 64, &f);
		bool known = d || strcmp(f.what, "no such data") != 0;
		assert_int_equal(known, strcmp(word, "none") != 0);
		data_free(d);
	}
}

// ---- batches ----------------------------------------------------------------------------------------------

static void normalised_by_the_training_split(void **state)
{
	(void)state;
	struct fault f;
	struct data *d = data_open("glyphs", 1, 0, 240, &f);
	assert_non_null(d);
	enum { COUNT = 10000, SIZE = 256 };
	uint32_t *index = malloc(COUNT * sizeof *index);
	float *x = malloc(COUNT * SIZE * sizeof *x);
	uint16_t *labels = malloc(COUNT * sizeof *labels);
	assert_true(index && x && labels);
	for (uint32_t i = 0; i < COUNT; i++)
		index[i] = i;
	data_batch(d, DATA_TRAIN, index, COUNT, AUGMENT_NONE, 0, x, labels);
	assert_memory_equal(labels, d->split[DATA_TRAIN].labels, COUNT * sizeof *labels);
	double sum = 0, squares = 0;
	for (int k = 0; k < COUNT * SIZE; k++) {
		sum += x[k];
		squares += x[k] * x[k];
		double plain = (d->split[DATA_TRAIN].pixels[k] / 255.0 - d->mean[0]) / d->deviation[0];
		assert_true(fabs(x[k] - plain) < 1e-6 * (1 + fabs(plain)));
	}
	assert_true(fabs(sum / (COUNT * SIZE)) < 1e-4);
	assert_true(fabs(squares / (COUNT * SIZE) - 1) < 1e-4);
	free(index);
	free(x);
	free(labels);
	data_free(d);
}

// One colour all over: no deviation to divide by.
static void a_flat_channel(void **state)
{
	(void)state;
	static uint8_t bytes[4 * CIFAR_RECORD];
	for (int i = 0; i < 4; i++)
		bytes[i * CIFAR_RECORD] = (uint8_t)i;
	write_file("data_batch_1.bin", bytes, sizeof bytes);
	write_file("test_batch.bin", bytes, sizeof bytes);
	struct data *d = open_good("cifar10", 0, 0);
	float x[CIFAR_PIXELS];
	uint16_t label;
	data_batch(d, DATA_TRAIN, (uint32_t[]){0}, 1, AUGMENT_NONE, 0, x, &label);
	for (int k = 0; k < CIFAR_PIXELS; k++)
		assert_true(x[k] == 0);
	data_free(d);
}

// The plain way: move the padded image, then mirror it, pixel by pixel.
static void plain_image(const struct data *d, const uint8_t *pixels, int dy, int dx, bool mirror, float *x)
{
	for (int y = 0; y < d->h; y++)
		for (int column = 0; column < d->w; column++)
			for (int c = 0; c < d->c; c++) {
				int from_y = y + dy, from_x = (mirror ? d->w - 1 - column : column) + dx;
				bool inside = from_y >= 0 && from_y < d->h && from_x >= 0 && from_x < d->w;
				*x++ = inside ? d->normal[c][pixels[(from_y * d->w + from_x) * d->c + c]] : 0;
			}
}

static void check_augmentation(const struct data *d)
{
	enum { COUNT = 100 };
	size_t size = (size_t)(d->h * d->w * d->c);
	float *x = malloc(COUNT * size * sizeof *x), *plain = malloc(size * sizeof *plain);
	uint16_t labels[COUNT];
	uint32_t index[COUNT];
	assert_true(x && plain);
	int pad = d->h / 8;
	for (unsigned augment = 0; augment < 4; augment++) {
		uint64_t key = rng_key(3, "augment", augment);
		int moved = 0, mirrored = 0, farthest = 0;
		for (uint32_t i = 0; i < COUNT; i++)
			index[i] = (i * 7 + 2) % (uint32_t)d->split[DATA_TRAIN].count;
		data_batch(d, DATA_TRAIN, index, COUNT, augment, key, x, labels);
		for (int i = 0; i < COUNT; i++) {
			// Which move it was is not told: exactly one must give these very numbers.
			const uint8_t *pixels = d->split[DATA_TRAIN].pixels + index[i] * size;
			int matches = 0;
			for (int dy = -pad; dy <= pad; dy++)
				for (int dx = -pad; dx <= pad; dx++)
					for (int mirror = 0; mirror < 2; mirror++) {
						plain_image(d, pixels, dy, dx, mirror, plain);
						if (memcmp(plain, x + (size_t)i * size, size * sizeof *x))
							continue;
						matches++;
						moved += dy || dx;
						mirrored += mirror;
						farthest = dy > farthest ? dy : dx > farthest ? dx : farthest;
					}
			assert_int_equal(matches, 1);
			assert_int_equal(labels[i], d->split[DATA_TRAIN].labels[index[i]]);
		}
		bool crops = augment & AUGMENT_CROP, flips = augment & AUGMENT_FLIP;
		assert_true(crops ? moved > 0 : moved == 0);
		assert_true(flips ? mirrored > 0 : mirrored == 0);
		assert_int_equal(farthest, crops ? pad : 0);
	}
	free(x);
	free(plain);
}

static void augmentation_is_exact(void **state)
{
	(void)state;
	struct fault f;
	struct data *glyphs = data_open("glyphs", 1, 500, 20, &f);
	assert_non_null(glyphs);
	check_augmentation(glyphs);
	data_free(glyphs);

	// Colour, and images that are wider than high.
	static uint8_t bytes[16 + 40 * IDX_PIXELS];
	write_cifar();
	write_idx(false);
	size_t size = idx_images(bytes, 0x803, 40, IDX_H, IDX_W, 40);
	for (int k = 0; k < 40 * IDX_PIXELS; k++)
		bytes[16 + k] = (uint8_t)rng_bits(11, (uint64_t)k);
	write_file(idx_names[0], bytes, size);
	write_file(idx_names[1], bytes, idx_labels(bytes, 0x801, 40, 40));
	struct data *colour = open_good("cifar10", 0, 2), *wide = open_good("idx", 0, 2);
	check_augmentation(colour);
	check_augmentation(wide);
	data_free(colour);
	data_free(wide);
}

static void any_part_of_a_batch(void **state)
{
	(void)state;
	enum { COUNT = 64, SIZE = 256 };
	struct fault f;
	struct data *d = data_open("glyphs", 1, 2000, 200, &f);
	assert_non_null(d);
	static float whole[COUNT * SIZE], parts[COUNT * SIZE];
	uint16_t labels[COUNT], part_labels[COUNT];
	uint32_t index[COUNT];
	for (uint32_t i = 0; i < COUNT; i++)
		index[i] = (uint32_t)rng_below(5, i, 1800);
	const unsigned augment = AUGMENT_CROP | AUGMENT_FLIP;
	data_batch(d, DATA_TRAIN, index, COUNT, augment, 42, whole, labels);
	for (int first = COUNT, step; first > 0; first -= step) { // back to front, in unequal parts
		step = first % 7 + 1 < first ? first % 7 + 1 : first;
		int from = first - step;
		data_batch(d, DATA_TRAIN, index + from, step, augment, 42, parts + from * SIZE, part_labels + from);
	}
	assert_memory_equal(whole, parts, sizeof whole);
	assert_memory_equal(labels, part_labels, sizeof labels);
	data_batch(d, DATA_TRAIN, index, COUNT, augment, 43, parts, part_labels);
	assert_memory_not_equal(whole, parts, sizeof whole);
	data_free(d);
}

// ---- the real CIFAR-10 ------------------------------------------------------------------------------------

static void real_cifar(void **state)
{
	(void)state;
	const char *where = getenv("CIFAR10_DIR");
	if (!where || !*where)
		where = "../shared/data/cifar10";
	if (access(where, R_OK)) {
		print_message("skipped: no CIFAR-10 here (CIFAR10_DIR names its folder)\n");
		skip();
	}
	char spec[512];
	snprintf(spec, sizeof spec, "cifar10:%s", where);
	struct fault f;
	char line[1024];
	struct data *d = data_open(spec, 1, 0, 2000, &f);
	if (!d)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	long train = d->split[DATA_TRAIN].count + 2000;
	assert_int_equal(d->split[DATA_TEST].count, 10000);
	assert_true(train % 10000 == 0 && train <= 50000);
	// The published means of the training set, red, green, blue, and its deviations.
	static const double mean[] = {0.4914, 0.4822, 0.4465}, deviation[] = {0.2470, 0.2435, 0.2616};
	for (int c = 0; c < 3; c++) {
		assert_true(fabs(d->mean[c] - mean[c]) < 0.005);
		assert_true(fabs(d->deviation[c] - deviation[c]) < 0.005);
	}
	long of_class[10] = {0};
	for (long i = 0; i < 10000; i++)
		of_class[d->split[DATA_TEST].labels[i]]++;
	for (int k = 0; k < 10; k++)
		assert_int_equal(of_class[k], 1000);
	data_free(d);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(cifar_files_are_read),
		IN_FOLDER(cifar_by_environment),
		IN_FOLDER(bad_cifar_files),
		IN_FOLDER(unreadable_folder),
		IN_FOLDER(numbers_of_images),
		IN_FOLDER(idx_files_are_read),
		IN_FOLDER(bad_idx_files),
		IN_FOLDER(bad_packed_files),
		cmocka_unit_test(glyphs_are_what_the_seed_says),
		cmocka_unit_test(glyphs_of_other_sizes),
		cmocka_unit_test(the_setting_offers_what_opens),
		cmocka_unit_test(normalised_by_the_training_split),
		IN_FOLDER(a_flat_channel),
		IN_FOLDER(augmentation_is_exact),
		cmocka_unit_test(any_part_of_a_batch),
		cmocka_unit_test(real_cifar),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

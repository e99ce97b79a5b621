// SPDX-License-Identifier: GPL-3.0-or-later
// CIFAR-10's binary files: records of a label byte and three planes (red, green, blue) of 32 x 32 bytes.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/sources.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, RECORD = 1 + CHANNELS * PLANE, CLASSES = 10 };
enum { MOST_BATCHES = 64 };

static const char again[] = "fetch it again: the binary version of CIFAR-10, unpacked";

struct batch_file {
	char name[48];
	enum part part;
	long number; // in its name
	long records;
};

// The N of data_batch_N.bin, without leading zeros; -1: another file.
static long batch_number(const char *name)
{
	static const char before[] = "data_batch_", after[] = ".bin";
	if (strncmp(name, before, sizeof before - 1))
		return -1;
	const char *digits = name + sizeof before - 1;
	size_t count = strspn(digits, "0123456789");
	if (count < 1 || count > 6 || (digits[0] == '0' && count > 1) || strcmp(digits + count, after))
		return -1;
	return strtol(digits, NULL, 10);
}

static int by_number(const void *a, const void *b)
{
	long x = ((const struct batch_file *)a)->number, y = ((const struct batch_file *)b)->number;
	return (x > y) - (x < y);
}

// Lists the training batches in numeric order (a directory's own order is anything), then the test batch.
// Returns how many files, 0 with a fault where there are none.
static int list_files(const struct loading *loading, struct batch_file *file, struct fault *f)
{
	char todo[160];
	snprintf(todo, sizeof todo, "name the folder that holds %s", loading->source->holds);
	DIR *folder = opendir(loading->argument);
	if (!folder) {
		fault_set(f, loading->argument, todo, "%s", errno == ENOTDIR ? "not a folder" : strerror(errno));
		return 0;
	}
	int batches = 0;
	bool too_many = false;
	for (struct dirent *entry; (entry = readdir(folder));) {
		long number = batch_number(entry->d_name);
		if (number < 0)
			continue;
		if (batches == MOST_BATCHES) {
			too_many = true;
			break;
		}
		file[batches] = (struct batch_file){.part = PART_TRAIN, .number = number};
		snprintf(file[batches++].name, sizeof file->name, "data_batch_%ld.bin", number);
	}
	closedir(folder);
	if (too_many || !batches) {
		fault_set(f, loading->argument, todo, too_many ? "more than %d training batches" : "no data_batch_N.bin in it",
			MOST_BATCHES);
		return 0;
	}
	qsort(file, (size_t)batches, sizeof *file, by_number);
	file[batches] = (struct batch_file){.name = "test_batch.bin", .part = PART_TEST};
	return batches + 1;
}

static bool count_records(const struct loading *loading, struct batch_file *file, struct fault *f)
{
	struct reader reader;
	if (!reader_open(&reader, loading, file->name, f))
		return false;
	reader_close(&reader);
	if (reader.bytes < RECORD || reader.bytes % RECORD || reader.bytes / RECORD > MOST_IMAGES)
		return fault_set(f, reader.path, again,
			"truncated, oversized or of another kind: %lld bytes are not a number of %d-byte records", reader.bytes,
			RECORD);
	file->records = (long)(reader.bytes / RECORD);
	return true;
}

static bool read_records(const struct loading *loading, const struct batch_file *file, long first, struct fault *f)
{
	struct reader reader;
	if (!reader_open(&reader, loading, file->name, f))
		return false;
	bool ok = true;
	uint8_t record[RECORD];
	for (long i = 0; ok && i < file->records; i++) {
		ok = reader_take(&reader, record, RECORD, f);
		if (ok && record[0] >= CLASSES)
			ok = fault_set(f, reader.path, again, "label %d out of range 0..%d in record %ld", record[0], CLASSES - 1,
				i);
		uint16_t *label;
		uint8_t *pixels = ok ? loading_place(loading, file->part, first + i, &label) : NULL;
		if (!pixels)
			continue;
		*label = record[0];
		for (int p = 0; p < PLANE; p++)
			for (int c = 0; c < CHANNELS; c++)
				pixels[p * CHANNELS + c] = record[1 + c * PLANE + p];
	}
	ok = ok && reader_end(&reader, f);
	reader_close(&reader);
	return ok;
}

bool cifar_load(struct loading *loading, struct fault *f)
{
	struct batch_file file[MOST_BATCHES + 1];
	int files = list_files(loading, file, f);
	long images[PARTS] = {0};
	for (int i = 0; i < files; i++) {
		if (!count_records(loading, &file[i], f))
			return false;
		images[file[i].part] += file[i].records;
	}
	struct data *d = loading->data;
	d->h = d->w = SIDE;
	d->c = CHANNELS;
	d->classes = CLASSES;
	if (!files || !loading_begin(loading, images[PART_TRAIN], images[PART_TEST], f))
		return false;
	long next[PARTS] = {0};
	for (int i = 0; i < files; i++) {
		if (!read_records(loading, &file[i], next[file[i].part], f))
			return false;
		next[file[i].part] += file[i].records;
	}
	return true;
}

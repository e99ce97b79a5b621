// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/data/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/sources.h"
#include "engine/tensor/rng.h"

static const char cifar_files[] = "data_batch_1.bin … and test_batch.bin (CIFAR-10, binary version)";
static const char idx_files[] = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (each may end in .gz)";

static const char folder_files[] =
	"a folder of PNG or JPEG files for each class, or train/ and test/ with such folders, or pictures alone",
		  npy_files[] = "x_train.npy, y_train.npy, x_test.npy, y_test.npy, or x.npy and y.npy";

static const struct source sources[] = {
#define SOURCE(name, forms, ...) {name, __VA_ARGS__},
	DATA_KINDS(SOURCE)
#undef SOURCE
};

// All images together; far more would not be read in bearable time anyway.
static const double most_bytes = 4e9;

static bool no_memory(const struct data *d, struct fault *f)
{
	return fault_memory(f, d->name);
}

static bool images_new(const struct data *d, struct data_images *images, long count)
{
	size_t size = (size_t)d->h * (size_t)d->w * (size_t)d->c;
	images->count = count;
	images->pixels = malloc((size_t)count * size + 1);
	images->labels = calloc((size_t)count + 1, sizeof *images->labels);
	return images->pixels && images->labels;
}

uint32_t *loading_permutation(long count)
{
	uint32_t *rank = malloc((size_t)count * sizeof *rank);
	if (!rank)
		return NULL;
	uint64_t key = rng_key((uint64_t)count, "held-out", 0);
	for (long i = 0; i < count; i++) {
		long j = (long)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
		rank[i] = rank[j];
		rank[j] = (uint32_t)i;
	}
	return rank;
}

bool loading_begin(struct loading *loading, long train, long test, struct fault *f)
{
	struct data *d = loading->data;
	long wanted = loading->train ? loading->train : train;
	if (wanted > train)
		return fault_set(f, d->name, "ask for fewer, or 0 for all", "%ld training images asked for, there are %ld",
			wanted, train);
	if (loading->heldout >= wanted)
		return fault_set(f, d->name, "hold out fewer", "%ld images held out of %ld leave none to train on",
			loading->heldout, wanted);
	if (train > MOST_IMAGES || test > MOST_IMAGES || (double)(wanted + test) * d->h * d->w * d->c > most_bytes)
		return fault_set(f, d->name, "use a smaller set", "too many images: %ld for training, %ld for tests", train,
			test);
	loading->rank = loading_permutation(train);
	if (!loading->rank || !images_new(d, &d->split[DATA_HELDOUT], loading->heldout) ||
		!images_new(d, &d->split[DATA_TRAIN], wanted - loading->heldout) || !images_new(d, &d->split[DATA_TEST], test))
		return no_memory(d, f);
	return true;
}

uint8_t *loading_place(const struct loading *loading, enum part part, long i, uint16_t **label)
{
	struct data *d = loading->data;
	struct data_images *images = &d->split[DATA_TEST];
	if (part == PART_TRAIN) {
		i = (long)loading->rank[i];
		images = &d->split[DATA_HELDOUT];
		if (i >= loading->heldout) {
			i -= loading->heldout;
			images = &d->split[DATA_TRAIN];
		}
		if (i >= images->count)
			return NULL;
	}
	*label = &images->labels[i];
	return images->pixels + (size_t)i * (size_t)d->h * (size_t)d->w * (size_t)d->c;
}

// Mean and deviation of the training pixels, exactly, through a count of each value; then the table of batches.
static void measure(struct data *d)
{
	const struct data_images *train = &d->split[DATA_TRAIN];
	size_t pixels = (size_t)train->count * (size_t)d->h * (size_t)d->w;
	uint64_t seen[MOST_CHANNELS][256] = {0};
	const uint8_t *byte = train->pixels;
	for (size_t p = 0; p < pixels; p++)
		for (int c = 0; c < d->c; c++)
			seen[c][*byte++]++;
	for (int c = 0; c < d->c; c++) {
		double mean = 0, variance = 0;
		for (int v = 0; v < 256; v++)
			mean += (double)seen[c][v] * v;
		mean /= 255.0 * (double)pixels;
		for (int v = 0; v < 256; v++)
			variance += (double)seen[c][v] * (v / 255.0 - mean) * (v / 255.0 - mean);
		variance /= (double)pixels;
		d->mean[c] = (float)mean;
		d->deviation[c] = variance > 1e-12 ? (float)sqrt(variance) : 1; // 1: a channel that says nothing
		for (int v = 0; v < 256; v++)
			d->normal[c][v] = ((float)v / 255 - d->mean[c]) / d->deviation[c];
	}
}

// A byte for each label, where a byte holds them all.
static uLong label_sum(uLong crc, const struct data *d, const struct data_images *images, long first, long count)
{
	uint8_t bytes[2];
	for (long i = first; i < first + count; i++) {
		bytes[0] = (uint8_t)(images->labels[i] & 255);
		bytes[1] = (uint8_t)(images->labels[i] >> 8);
		crc = crc32_z(crc, bytes, d->classes > 256 ? 2 : 1);
	}
	return crc;
}

static uLong image_sum(uLong crc, const struct data *d, enum data_split split, long first, long count)
{
	const size_t size = (size_t)d->h * (size_t)d->w * (size_t)d->c;
	const struct data_images *images = &d->split[split];
	crc = crc32_z(crc, images->pixels + (size_t)first * size, (size_t)count * size);
	return label_sum(crc, d, images, first, count);
}

static void take_fingerprint(struct data *d)
{
	uLong crc = crc32_z(0, NULL, 0);
	for (int s = 0; s < DATA_SPLITS; s++)
		crc = image_sum(crc, d, (enum data_split)s, 0, d->split[s].count);
	d->fingerprint = (uint32_t)crc;
}

uint32_t data_sum(const struct data *d, enum data_split split, long first, long count)
{
	return (uint32_t)image_sum(crc32_z(0, NULL, 0), d, split, first, count);
}

void data_measure(struct data *d)
{
	if (!d->given)
		measure(d);
	take_fingerprint(d);
}

// The source that a spec names; *argument: what follows the colon, or the folder that the environment names.
static const struct source *find_source(const char *spec, const char **argument, struct fault *f)
{
	size_t length = strcspn(spec, ":");
	const struct source *source = NULL;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (strlen(sources[i].name) == length && !memcmp(sources[i].name, spec, length))
			source = &sources[i];
	if (!source) {
		static const char words[] = DATA_WORDS;
		char todo[2 * sizeof words + 16];
		size_t used = (size_t)snprintf(todo, sizeof todo, "choose one of ");
		for (const char *at = words; *at; at += strcspn(at, "|") + 1)
			used += (size_t)snprintf(todo + used, sizeof todo - used, "%s%.*s", at == words ? "" : ", ",
				(int)strcspn(at, "|"), at);
		fault_set(f, spec, todo, "no such data");
		return NULL;
	}
	*argument = spec[length] ? spec + length + 1 : source->variable ? getenv(source->variable) : NULL;
	if (source->holds && (!*argument || !**argument)) {
		const char *name = source->name, *variable = source->variable;
		char todo[256];
		snprintf(todo, sizeof todo, "%s%swrite data=%s:FOLDER; it holds %s", variable ? variable : "",
			variable ? "=FOLDER in the environment, or " : "", name, source->holds);
		fault_set(f, spec, todo, "which folder it lies in is not said");
		return NULL;
	}
	return source;
}

struct data *data_open(const char *spec, uint64_t seed, long train, long heldout, struct fault *f)
{
	return data_open_prepared(spec, &(struct preparation){0}, seed, train, heldout, f);
}

static bool read_list(const char *text, const char *name, double least, float value[4], int *count, struct fault *f)
{
	char word[32];
	double number;
	for (*count = 0; list_next(&text, word, sizeof word); ++*count) {
		if (*count == MOST_CHANNELS || !number_read(word, &number) || number < least || number > 1000)
			return fault_set(f, name, "write own, or a number a channel: 0.485,0.456,0.406", "\"%s\" cannot be used",
				word);
		value[*count] = (float)number;
	}
	return true;
}

bool preparation_read(struct preparation *p, const char *mean, const char *deviation, struct fault *f)
{
	int count;
	bool own = strcmp(mean, "own") == 0;
	if (own && strcmp(deviation, "own") == 0)
		return true;
	if (own || strcmp(deviation, "own") == 0)
		return fault_set(f, own ? "mean" : "deviation", "give both, or neither", "the other one is given, and it is not");
	return read_list(mean, "mean", -1000, p->mean, &p->channels, f) &&
		read_list(deviation, "deviation", 1e-6, p->deviation, &count, f) &&
		((count == p->channels && count > 0) ||
			fault_set(f, "deviation", "give a number for each channel", "%d numbers, and %d of mean", count,
				p->channels));
}

// By the figures that were given, in place of those of the training images.
static bool normalise(struct data *d, const struct preparation *how, struct fault *f)
{
	if (how->channels && how->channels != d->c)
		return fault_set(f, "mean", "give a number for each", "%d numbers, but images have %d channels", how->channels,
			d->c);
	d->given = how->channels > 0;
	for (int c = 0; c < how->channels; c++) {
		d->mean[c] = how->mean[c];
		d->deviation[c] = how->deviation[c];
		for (int v = 0; v < 256; v++)
			d->normal[c][v] = ((float)v / 255 - d->mean[c]) / d->deviation[c];
	}
	return true;
}

struct data *data_open_prepared(const char *spec, const struct preparation *how, uint64_t seed, long train, long heldout,
	struct fault *f)
{
	struct loading loading = {.seed = seed, .train = train, .heldout = heldout, .how = *how};
	loading.source = find_source(spec, &loading.argument, f);
	if (!loading.source)
		return NULL;
	if (train < 0 || heldout < 0) {
		fault_set(f, spec, "give numbers of images from 0 up", "%ld images asked for", train < 0 ? train : heldout);
		return NULL;
	}
	struct data *d = loading.data = calloc(1, sizeof *d);
	if (!d) {
		fault_memory(f, spec);
		return NULL;
	}
	snprintf(d->name, sizeof d->name, "%s", spec);
	d->flips = loading.source->flips;
	bool ok = loading.source->load(&loading, f);
	free(loading.rank);
	if (ok && (how->resize || how->crop) && loading.source->load != folder_load && loading.source->load != npy_load)
		ok = fault_set(f, spec, "leave them out", "resize and crop are for folders of pictures");
	if (ok)
		data_measure(d);
	if (ok && normalise(d, how, f))
		return d;
	data_free(d);
	return NULL;
}

void data_free(struct data *d)
{
	if (!d)
		return;
	for (int s = 0; s < DATA_SPLITS; s++) {
		free(d->split[s].pixels);
		free(d->split[s].labels);
	}
	free(d);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the data folder. A source reads (or draws) the images of one kind of data and puts them where `loading` says, so that a
// split needs no second copy and unwanted images are never stored. One thread, during data_open.
#ifndef ENGINE_DATA_SOURCES_H
#define ENGINE_DATA_SOURCES_H

#include <limits.h>
#include <zlib.h>

#include "engine/data/data.h"

// The limits of any source; a header beyond them counts as damaged.
enum { LEAST_SIDE = 8, MOST_SIDE = 96, MOST_CHANNELS = 4, MOST_IMAGES = 1000000 };

enum part { PART_TRAIN, PART_TEST, PARTS };

struct source;
struct loading {
	const struct source *source;
	struct data *data;    // being filled; the source sets h, w, c and classes before loading_begin
	const char *argument; // the folder, or the spec's part after the colon; NULL: none
	uint64_t seed;
	long train, heldout; // as asked for
	struct preparation how;
	uint32_t *rank; // each training image's place in the fixed permutation
};

struct source {
	const char *name;
	const char *variable; // of the environment; gives the folder if the spec does not; NULL: none
	const char *holds;    // the files of the folder, as advice; NULL: the source reads no folder
	bool flips;           // see struct data
	bool (*load)(struct loading *, struct fault *);
};

bool glyphs_load(struct loading *, struct fault *);
bool cifar_load(struct loading *, struct fault *);
bool idx_load(struct loading *, struct fault *);
bool folder_load(struct loading *, struct fault *);
bool npy_load(struct loading *, struct fault *);

// Makes room for the images. Called once the source knows their number, before it delivers the first.
bool loading_begin(struct loading *, long train, long test, struct fault *);
// Returns where the pixels of image i of a part belong, and where its label does; NULL: the image is not wanted.
uint8_t *loading_place(const struct loading *, enum part, long i, uint16_t **label);
// The places of `count` images in a permutation that depends on the count alone; the caller frees. NULL: out of memory.
uint32_t *loading_permutation(long count);

// Fills in what follows from the pixels: mean, deviation, the table of batches, the fingerprint.
void data_measure(struct data *);

// A file read from front to end, gzipped or not. Its faults name the file. Zeroed: closed.
struct reader {
	gzFile file;
	long long bytes; // on disk
	char path[PATH_MAX];
};
bool reader_open(struct reader *, const struct loading *, const char *name, struct fault *);
void reader_close(struct reader *);
// Returns whether `bytes` more can follow the `before` that were read: a plain file must hold exactly that many, a gzipped one
// must be able to unpack to them. Call it before allocating what a header asks for.
bool reader_expect(struct reader *, long long before, long long bytes, struct fault *);
// Reads exactly `bytes` bytes.
bool reader_take(struct reader *, void *to, unsigned bytes, struct fault *);
// Checks that nothing follows, and the checksum of a gzipped file.
bool reader_end(struct reader *, struct fault *);

#endif

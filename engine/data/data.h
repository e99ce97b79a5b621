// SPDX-License-Identifier: GPL-3.0-or-later
// Images with labels, in three splits, and batches of them.
//
// Pixels are kept as bytes, NHWC (channel fastest), and normalised when a batch is made: (x/255 - mean[c]) / deviation[c],
// with mean and deviation of the training split. Immutable once opened (and resized): any thread may read.
#ifndef ENGINE_DATA_DATA_H
#define ENGINE_DATA_DATA_H

#include <stdint.h>

#include "engine/base/fault.h"

enum data_split { DATA_TRAIN, DATA_HELDOUT, DATA_TEST, DATA_SPLITS };

struct data_images {
	long count;
	uint8_t *pixels;  // [count][h][w][c]
	uint16_t *labels; // [count], < classes; of unlabelled images 0
};

struct data {
	char name[128];
	int h, w, c, classes;
	struct data_images split[DATA_SPLITS];
	bool unlabelled;
	bool given;                  // mean and deviation are not those of the training split
	float mean[4], deviation[4]; // per channel, of 0..1 pixels
	float normal[4][256];        // per channel, the normalised value of each byte
	bool flips;                  // mirroring an image keeps its class (photographs: yes; characters: no)
	uint32_t fingerprint;        // CRC-32 of all pixels and labels
};

// The kinds of data. This list feeds data_open, the words of the setting `data`, and the remedy for an unknown name.
// X(name, how it may be written, with a '|' after each form, variable of the environment that gives its folder, the folder's
// files, whether a mirrored image keeps its class, function that loads it)
// clang-format off
#define DATA_KINDS(X)                                                                                                            \
	X("glyphs", "glyphs|glyphs:SIZE|", NULL, NULL, true, glyphs_load) /* embedded, from `seed`; SIZE x SIZE pixels */        \
	X("cifar10", "cifar10|cifar10:FOLDER|", "CIFAR10_DIR", cifar_files, true, cifar_load)                                    \
	X("mnist", "mnist|", "MNIST_DIR", idx_files, false, idx_load)                                                            \
	X("fashion", "fashion|", "FASHION_DIR", idx_files, true, idx_load)                                                       \
	X("idx", "idx:FOLDER|", NULL, idx_files, false, idx_load) /* the four MNIST-named files, gzipped or not */                \
	X("images", "images:FOLDER|", NULL, folder_files, true, folder_load) /* PNG and JPEG */                                  \
	X("npy", "npy:FOLDER|", NULL, npy_files, true, npy_load)
// clang-format on
#define DATA_FORMS(name, forms, ...) forms
#define DATA_WORDS DATA_KINDS(DATA_FORMS) // "glyphs|glyphs:SIZE|…|idx:FOLDER|"

// spec: one of these forms; a name alone takes the folder from its variable. train: how many training images to use (0: all).
// heldout: how many training images are set aside for the policy. A permutation that depends only on the number of images, not on
// `seed`, picks them, so that searches can be compared.
struct data *data_open(const char *spec, uint64_t seed, long train, long heldout, struct fault *);
// The same of images that are made fit first, and normalised by figures that are given.
enum { MOST_CLASSES = 65536 };
struct preparation {
	long resize, crop; // of a folder of pictures: the shorter side, then the square from the centre; 0: as they are
	int channels;      // that mean and deviation are given for; 0: they are those of the training images
	float mean[4], deviation[4];
};
struct data *data_open_prepared(const char *spec, const struct preparation *, uint64_t seed, long train, long heldout,
	struct fault *);
// Reads "0.485,0.456,0.406" and "0.229,0.224,0.225" into a preparation; "own" both: none. False with a fault.
bool preparation_read(struct preparation *, const char *mean, const char *deviation, struct fault *);
void data_free(struct data *);
// Makes square images smaller, in place, before anyone else reads them: side x side pixels, each the average of the area that it covers
// (exact, halves rounded up). Returns false with a fault if they are not square or already smaller.
bool data_resize(struct data *, int side, struct fault *);
// The same as data of their own beside these, which data_free is for; NULL with a fault: as data_resize, or no memory.
struct data *data_smaller(const struct data *, int side, struct fault *);

// CRC-32 of the pixels and labels of images first .. first + count - 1 of a split, as they are now: equal for the same images.
uint32_t data_sum(const struct data *, enum data_split, long first, long count);

enum data_augment { AUGMENT_NONE, AUGMENT_CROP, AUGMENT_FLIP }; // bits; CROP: pad by h/8, then crop at random

// Writes images `index[0..count)` of a split, normalised, to x [count][h][w][c] and their labels. `key` seeds the augmentation.
// An image uses only the stream (key, its index), so any thread may do any part of a batch.
void data_batch(const struct data *, enum data_split, const uint32_t *index, int count, unsigned augment, uint64_t key, float *x,
	uint16_t *labels);

#endif

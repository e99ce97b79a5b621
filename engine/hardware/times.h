// SPDX-License-Identifier: GPL-3.0-or-later
// Times of layers that were measured on a device, as a device file has them (device.h): its member "measured",
//
//	"measured": {"processor": "AMD EPYC", "kernels": "avx512vnni", "threads": 2, "rows": [
//	  {"net": "resnet8", "layer": "stem", "work": "conv 3x3/1 32x32x3 to 32x32x16", "format": "int8", "batch": 16,
//	   "seconds": 1.1e-4, "low": 1.0e-4, "high": 1.2e-4, "behind": 2e-5, "samples": [...], "behinds": [...], "source": "..."}]}
//
// A row says which layer by its name in a network, by its work (model_layer_work), or by both; in which format its weights and its input
// were, for how many images at once, and the median of its seconds. All else may be left out: the interval that holds the median with 95 %
// confidence, the seconds of the operators without weights that count with the layer, every single time, where the row comes from.
// No two rows are about the same.
#ifndef ENGINE_HARDWARE_TIMES_H
#define ENGINE_HARDWARE_TIMES_H

#include <jansson.h>

#include "engine/base/fault.h"
#include "engine/hardware/device.h"
#include "engine/model/model.h"

enum { TIMES_ROWS = 65536, TIMES_SAMPLES = 1001 }; // most, and most of a row

struct time_row {
	char net[MODEL_TITLE];  // "": whichever
	char layer[MODEL_NAME]; // "": every layer of this work
	char work[MODEL_WORK];  // "": not said
	char source[DEVICE_NAME];
	int format; // an index into format_table
	int batch;
	double seconds, low, high, behind; // low, high 0: not known
	int samples;                       // 0: they are not there
	double *sample, *behinds;          // [samples]; owned; NULL where there is none
};

struct times {
	char processor[DEVICE_NAME * 2], kernels[DEVICE_NAME]; // "": not said
	int threads;                                           // 0: not said
	int count;
	struct time_row *row; // [count], owned
	size_t room;
};

// The table of a device file. The fault names the first mistake, as in "measured.rows[3].seconds". Begins as {0}; after a fault there is
// nothing to free.
bool times_read(const char *path, struct times *, struct fault *);
bool times_of_json(const char *path, json_t *measured, struct times *, struct fault *);
void times_free(struct times *);
// Adds a copy of a row, with its samples. Returns NULL with a fault when out of memory, or where there are TIMES_ROWS.
struct time_row *times_add(struct times *, const struct time_row *, struct fault *);
// The row with the same net, layer, work, format and batch; NULL: there is none.
struct time_row *times_find(const struct times *, const struct time_row *like);
// Adds a time to the samples of a row. Returns false when out of memory, or where there are TIMES_SAMPLES.
bool times_sample(struct time_row *, double seconds, double behind, struct fault *);
// Fills seconds, low, high and behind from the samples.
void times_settle(struct time_row *);
// The median of count > 0 numbers, which are sorted by it, and where low is not NULL the interval that holds the true one with
// 95 % confidence, by order statistics; of less than six numbers, all of them.
double times_median(double *, int count, double *low, double *high);

// Writes a device file with the figures that are known, and the table. Returns false with a fault.
bool device_write(const char *path, const struct device *, const struct times *, struct fault *);

#endif

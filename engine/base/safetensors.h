// SPDX-License-Identifier: GPL-3.0-or-later
// Files of named arrays by the safetensors format: eight bytes that tell the length of a header, the header in JSON, the numbers.
// Reading holds a file to the format's rules: names once, sizes that agree with offsets, numbers without a gap or an overlap from the
// first byte behind the header to the file's last. Any thread. Faults name the path.
#ifndef ENGINE_BASE_SAFETENSORS_H
#define ENGINE_BASE_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/fault.h"

enum { SAFETENSOR_RANK = 8 };
struct safetensor {
	const char *name, *type; // "F32", "BF16"
	bool floats;             // F32, F16, BF16 or F64: safetensor_floats can read it
	int rank;
	long size[SAFETENSOR_RANK], count; // count: of numbers
	const uint8_t *bytes;
};
struct safetensors {
	char *path;
	int count;
	struct safetensor *tensor; // by name
	char *bytes;               // the whole file
	void *header;              // parsed; holds the names
};
// Reads a file of at most 8 GB. NULL: a fault.
struct safetensors *safetensors_read(const char *path, struct fault *);
void safetensors_free(struct safetensors *);
const struct safetensor *safetensors_find(const struct safetensors *, const char *name); // NULL: absent
void safetensor_floats(const struct safetensor *, float *to);
// A text of the header's __metadata__; NULL: absent.
const char *safetensors_says(const struct safetensors *, const char *key);

// Writes arrays of floats as F32, by name, with texts in pairs of key and value, ended by NULL, for __metadata__.
struct safetensor_out {
	const char *name;
	int rank;
	long size[SAFETENSOR_RANK];
	const float *numbers;
};
bool safetensors_write(const char *path, const struct safetensor_out *, int count, const char *const *metadata, struct fault *);

#endif

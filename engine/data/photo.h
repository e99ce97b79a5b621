// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the data folder: pictures from PNG and JPEG files as bytes [h][w][3], and how they become the size that a network takes. Gray
// becomes three equal channels, alpha is dropped, 16 bits become 8, orientation marks and colour profiles are not looked at: as PIL's
// convert("RGB") has it.
#ifndef ENGINE_DATA_PHOTO_H
#define ENGINE_DATA_PHOTO_H

#include <stdint.h>

#include "engine/base/fault.h"

enum { MOST_PHOTO = 512, MOST_DECODED = 16384 }; // sides: of a picture as it is kept, and as it is read

struct photo {
	int h, w;
	uint8_t *pixels; // [h][w][3], owned
};
// Whether a file's name ends as those that can be read do.
bool photo_named(const char *name);
// Reads a file; its first bytes tell the kind. False with a fault that names it.
bool photo_read(const char *path, struct photo *, struct fault *);
void photo_free(struct photo *);
// Makes the shorter side `resize` pixels (0: leaves it), with the very bytes of PIL's bilinear filter, then takes the square of side `crop` from
// the centre (0: all of it), as torchvision's Resize and CenterCrop do. False with a fault that names `path`.
bool photo_prepare(struct photo *, long resize, long crop, const char *path, struct fault *);

#endif

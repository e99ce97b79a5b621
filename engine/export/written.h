// SPDX-License-Identifier: GPL-3.0-or-later
// What was written, read again by the reader of ONNX: every layer of the policy is looked for in the file. Any thread.
#ifndef ENGINE_EXPORT_WRITTEN_H
#define ENGINE_EXPORT_WRITTEN_H

#include "engine/nn/frozen.h"
#include "engine/onnx/file.h"

struct written {
	struct onnx_file *file;
	int *by; // [values]: the node that puts it out; -1: none
};

// How a layer's weights or inputs are to be rounded.
struct rounding {
	int format;
	struct grid grid;
	bool weights;
};

// The node that puts a value out, if it is of this operator; else NULL. A value of -1 is left out.
const struct onnx_node *written_by(const struct written *, int value, const char *op);
bool written_casts(const struct written *, int value, int element); // to this type, and back
bool written_number(const struct written *, int value, double *);   // of a constant that is one
int written_element(const struct written *, int value);             // the type's number of a constant; 0: it is none

struct dialect;
struct outgoing;
// False with a fault that names the file and the layer which is not found in it, or is there in another format or with other weights.
bool written_check(const struct frozen *, const struct outgoing *, const struct dialect *, const char *path, struct fault *);

#endif

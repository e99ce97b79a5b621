// SPDX-License-Identifier: GPL-3.0-or-later
// What ONNX's operators make of tensors: of constants, so that computed shapes, pads and tables are worked out once; and, for operators
// that only move numbers about, of the places where a running network finds its numbers (model/onnx.c). So shapes follow from what is
// done, and there is no second account of them.
//
// Axes and sizes are read as attributes or as inputs, whichever a node has.
#ifndef ENGINE_ONNX_FOLD_H
#define ENGINE_ONNX_FOLD_H

#include "engine/onnx/file.h"

enum { FOLD_INPUTS = 256, FOLD_OUTPUTS = 64 };

struct fold {
	struct onnx_file *file;
	const struct onnx_node *node;
	struct tensor *in[FOLD_INPUTS]; // NULL: left out. Borrowed
	int inputs;
	struct tensor *out[FOLD_OUTPUTS]; // made
	int64_t zero;                     // what 0 is among whole numbers that are places
	struct complaint complaint;
};

// Whether the operator can be worked out on constants.
bool fold_knows(const char *op);
// Which of its inputs may be places, as bits; 0: none. All of them must then be places.
unsigned fold_moves(const char *op);
// Fills `out` for the node's outputs. False with a fault that names the node, and nothing is left in `out`.
bool fold_run(struct fold *);

// The whole numbers that a node has as an attribute or as an input. Returns how many, at most TENSOR_INTS; -1: neither is there.
int fold_wholes(const struct fold *, const char *attribute, int input, int64_t to[TENSOR_INTS]);
// A fault that names the node: what would do, then what is wrong. False.
#define fold_refuse(f, ...) fault_set((f)->complaint.fault, (f)->complaint.where, __VA_ARGS__)

#endif

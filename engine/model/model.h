// SPDX-License-Identifier: GPL-3.0-or-later
// A model is the description of a network: operators, shapes, wiring; no numbers, no formats. A plan is a model with every
// layer settled. `space` turns a choice into a plan, `nn` runs plans, `cost` prices them.
//
// Operators are listed in the order in which they can run: an operator reads only operators before it. Operator 0 is the input.
// Immutable once built: any thread may read.
#ifndef ENGINE_MODEL_MODEL_H
#define ENGINE_MODEL_MODEL_H

#include <stdbool.h>

#include "engine/fault.h"

enum { MODEL_NAME = 48 };

struct shape {
	int h, w, c;
};

enum op_kind {
	OP_INPUT,
	OP_CONV,   // kernel x kernel, stride, pad, groups; no bias
	OP_LINEAR, // with bias; reads a 1x1 image
	OP_NORM,   // batch norm, then `act`
	OP_ADD,    // of two images of one shape, then `act`
	OP_POOL,   // average over the whole image
};

enum act { ACT_NONE, ACT_RELU };

struct op {
	enum op_kind kind;
	enum act act;
	int in[2], inputs; // operators it reads
	struct shape out;
	int kernel, stride, pad, groups; // OP_CONV
	int layer;                       // which layer it is; -1: it has no weights that are quantized
};

// An operator with weights and the input activations it reads: what a format is chosen for.
struct layer {
	char name[MODEL_NAME];
	int op;
	struct shape in, out;
	double macs, weights, activations; // of one image; weights without bias
	double biases;                     // of the operator itself; a batch norm has its own
	bool positive;                     // its input is known to be non-negative
};

struct model {
	char name[MODEL_NAME];
	int ops, layers, classes;
	struct op *op;
	struct layer *layer;
	double macs, parameters; // parameters: weights, biases, batch norms
};

void model_free(struct model *);

// The formats that every layer of a model has been given; index into format_table.
struct layer_plan {
	int weight, activation;
};
struct plan {
	const struct model *model;
	struct layer_plan *layer; // [model->layers]
};

// ---- building: each adds one operator and returns its index; -1 once memory has run out (then model_finish fails) ----
struct model *model_new(const char *name, struct shape input, int classes); // NULL: out of memory
int model_conv(struct model *, const char *layer, int in, int channels, int kernel, int stride);
int model_linear(struct model *, const char *layer, int in, int outputs);
int model_norm(struct model *, int in, enum act);
int model_add(struct model *, int a, int b, enum act);
int model_pool(struct model *, int in);
// Adds up totals and hands the model over; frees it and fails where memory ran out or a shape came out empty.
struct model *model_finish(struct model *, struct fault *);

// ---- the networks by name ----
const char *const *model_names(void); // NULL-terminated
struct model *model_named(const char *name, struct shape input, int classes, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What the operators of a model learn, by name: the names that files of weights know, as PyTorch would give them.
//
// The weights and bias of a layer are LAYER.weight and LAYER.bias. What stands behind a layer and has no name of its own is named after
// it: LAYER.norm.weight and LAYER.norm.bias are the gain and the bias of a norm, likewise LAYER.layernorm and LAYER.affine,
// LAYER.tokens.position and LAYER.tokens.class. The layer is the nearest before it, by what it reads first; `input` where there is none. A second one of
// a kind behind the same layer is LAYER.norm2, and so on.
#ifndef ENGINE_MODEL_PARAMETERS_H
#define ENGINE_MODEL_PARAMETERS_H

#include "engine/model/model.h"

enum { PARAMETER_NAME = MODEL_NAME + 32, PARAMETER_RANK = 4 };

struct parameter_info {
	char name[PARAMETER_NAME];
	int op;
	int part; // which of the operator's own: 0 weights, gain or positions; then bias, or the class token
	// Its sizes as PyTorch has them: [out][in/groups][rows][columns] of a convolution, [out][in] of a linear layer. In the engine weights lie as
	// [rows][columns][in/groups][out]; all else has one order.
	int rank, size[PARAMETER_RANK];
	bool turned; // the engine's order is another
	long count;  // of numbers
};

// Lists all parameters in the order of the operators; the caller frees the list. NULL: out of memory, or there are none, with *count 0.
struct parameter_info *model_parameters(const struct model *, int *count);
// How many parameters an operator has.
int model_parts(const struct op *);
// Between both orders of one parameter's numbers; for any but a layer's weights they are copied.
void parameter_to_engine(const struct parameter_info *, const float *from, float *to);
void parameter_from_engine(const struct parameter_info *, const float *from, float *to);

#endif

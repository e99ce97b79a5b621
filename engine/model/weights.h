// SPDX-License-Identifier: GPL-3.0-or-later
// What a network had learnt when its description was read: numbers for its parameters (parameters.h), in the engine's order.
#ifndef ENGINE_MODEL_WEIGHTS_H
#define ENGINE_MODEL_WEIGHTS_H

#include "engine/model/model.h"

struct weights {
	char title[MODEL_TITLE]; // the name of the model that they are for
	int ops;
	struct {
		float *part[2]; // NULL: nothing is known
		long count[2];
	} * op; // [ops]
};
void weights_free(struct weights *);

// Whether the network's name is that of a file which holds weights too.
bool model_has_weights(const char *name);
// Reads the file again, for its weights; the input and classes as in model_named. NULL: a fault, also where the file has changed since `title`.
struct weights *model_weights(const char *name, struct shape input, int classes, const char *title, struct fault *);

#endif

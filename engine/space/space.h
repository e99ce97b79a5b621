// SPDX-License-Identifier: GPL-3.0-or-later
// What may vary: decisions, each an index into options, and choices, one option per decision. Immutable once made.
#ifndef ENGINE_SPACE_SPACE_H
#define ENGINE_SPACE_SPACE_H

#include <stdint.h>

#include "engine/fault.h"
#include "engine/model/model.h"

enum { SPACE_OPTIONS = 32, SPACE_NAME = 48 };

struct decision {
	char name[SPACE_NAME];
	int options;
	int format[SPACE_OPTIONS]; // what option i stands for, narrowest first
};

struct space {
	const struct model *model;
	int decisions;
	struct decision *decision;
	int *weight_decision, *activation_decision; // [layers]: which decision sets a layer's formats
};

// One decision per layer, over the formats of `spec`: a named space ("wide") or a list ("int4,int8,e4m3").
// The model is borrowed and must outlive the space.
struct space *space_new(const struct model *, const char *spec, struct fault *);
void space_free(struct space *);

// The named spaces, what they hold, and the usual target of bit operations of a search in them.
struct named_space {
	const char *name, *formats, *target;
};
extern const struct named_space space_names[];
enum { SPACE_NAMES = 6 };

// The choice as a plan; plan->layer must have room for the model's layers.
void space_plan(const struct space *, const uint8_t *choice, struct plan *);
// The option of a decision that stands for `format`; -1: none.
int space_option(const struct space *, int decision, int format);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Cost terms: what a plan costs, in all and per layer. Pure functions: any thread.
#ifndef ENGINE_COST_COST_H
#define ENGINE_COST_COST_H

#include "engine/fault.h"
#include "engine/model/model.h"

struct cost_term {
	const char *name, *unit, *help;
	double (*layer)(const struct layer *, const struct layer_plan *);
};
enum { COST_TERMS = 3 };
extern const struct cost_term cost_table[COST_TERMS];
int cost_named(const char *name); // -1: no such term

// The total; where `layer` is not NULL, also each layer's part.
double cost_price(int term, const struct plan *, double *layer);
// The cost of giving every layer the same format.
double cost_uniform(int term, const struct model *, int format);
// A target as a person writes it: a format (the cost of that uniform choice), "0.5x" (of the widest uniform choice),
// or a number with k, M, G or T. `widest`: the cost that "x" is a multiple of.
bool cost_target(int term, const struct model *, double widest, const char *text, double *target, struct fault *);

#endif

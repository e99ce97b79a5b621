// SPDX-License-Identifier: GPL-3.0-or-later
// A plan is a settled network: a model as it runs, with every layer's formats.
//
// Where the architecture may vary there are two models. The *whole* lists every operator that any choice has, each at its largest:
// it is what weights, momentum and averages are kept for, and whose layers have names and slots. The model that runs under a choice
// is built anew from the description: only the operators that are there, in the shapes that they have. A *path* says which operator of
// the whole each of them is, and so which part of the whole's weights it uses. This file alone knows slicing: channels are always
// the first n, and a smaller kernel is the centre of the larger one: where both are padded to keep the size, the weights that meet the same pixels. `nn` runs plans and `cost` prices plans; for both, what runs is a
// model like any other.
#ifndef ENGINE_MODEL_PLAN_H
#define ENGINE_MODEL_PLAN_H

#include "engine/model/model.h"

// A layer's formats, as indices into format_table.
struct layer_plan {
	int weight, activation;
};

// A path belongs to one thread at a time. It owns its model.
struct path {
	const struct model *whole;
	struct model *model;
	int *op;         // [model->ops]: the operator of the whole that it is
	int *layer;      // [model->layers]: likewise
	int *at;         // [whole->layers]: the layer of the model that it is now; -1: it rests
	uint64_t id;     // of this settling: no other in the process has it; 0: nothing is settled
	int ops, layers; // room
};

struct plan {
	const struct model *model;
	struct layer_plan *layer; // [model->layers]
	const struct path *path;  // NULL: the model is its own whole
};

// Makes `model` what runs, in place of the model before it, which is freed. The path starts as {0}, with its whole. Operators are found by
// their keys (model.h). Returns false with a fault, and the path is as before and `model` freed, if it has an operator with weights or a layer that the
// whole lacks, or one that is larger than the whole's, or memory runs out.
bool path_settle(struct path *, struct model *model, struct fault *);
void path_free(struct path *);

// What of an operator's numbers of the whole a path uses. Weights lie as [kernel rows][kernel columns][inputs a group][outputs].
struct portion {
	int rows, columns, inputs, outputs;       // used
	int top, left;                            // the first kernel row and column used
	int all_columns, all_inputs, all_outputs; // of the whole
};
struct portion portion_of(const struct op *whole, int whole_inputs, const struct op *used,
	int used_inputs); // inputs: channels read
// The most channels that an operator with numbers of its own reads; in a whole, that may be more than its first input there has.
int portion_inputs(const struct model *, int op);
// Of numbers that no kernel has, which lie as [rows][numbers]: the first rows' first. A gain is one row, a token's position is a row.
struct portion portion_rows(int all_rows, int all_numbers, int rows, int numbers);
// The weights of a portion come in runs of `run` numbers that lie side by side, in the whole and in the portion alike. Returns their number.
// Run i begins at portion_run(portion, i) of the whole's array, and at i * run of the portion's own.
long portion_runs(const struct portion *, long *run);
long portion_run(const struct portion *, long i);

#endif

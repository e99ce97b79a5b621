// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the cost folder: a model as inference runs it, one operator after the other in the model's order. A graph is settled for a
// model: it is worked out which operators are folded into others, which tensors there are and how long each lives, and on which
// layers' formats each operator's price depends. It may be settled anew for other models, as often as one likes.
//
// Folding costs nothing. A batch norm is folded into the convolution or linear operator before it; an activation into the
// convolution, linear operator or batch norm before it; each only if nothing else reads the tensor between them. All other
// operators run by themselves.
//
// A kernel is a set of operators that run as one, at one floor; the tensors between them are never written or read. Only latency
// asks for kernels. Compilers for such devices do this (seen in XLA's for TPUs; an assumption elsewhere):
//   - a folded operator is part of the kernel that it is folded into;
//   - an addition, norm or activation by itself joins the kernel that makes the latest of its operands (so that the others are
//     there when it runs), if nothing else reads that operand and the kernel hands its numbers on one by one: a convolution, a
//     linear operator, or again an addition, norm or activation. So a residual block's addition runs with its last convolution,
//     and reads the shortcut there.
//   - all others start a kernel of their own: layer norms and poolings (which need many numbers for one), the multiplication by a
//     squeeze-and-excite gate, concatenation, attention.
// Kernels change neither the tensors nor their formats and lives.
//
// A tensor has the format of the widest (last in format_table) layer that reads it. Operators without weights pass the format of
// their own output on to their inputs: an add that feeds an int4 layer reads int4. The network's output, which no operator reads,
// is fp32.
#ifndef ENGINE_COST_GRAPH_H
#define ENGINE_COST_GRAPH_H

#include <stdint.h>

#include "engine/model/plan.h"

enum { GRAPH_OPS = 4096 }; // most operators of a model, so that the formats of all tensors fit on the stack

struct graph_op {
	int tensor;      // the operator whose output holds this one's: itself, or the one it is folded into
	int kernel;      // the first operator of its kernel
	int more;        // the next operator that joined this one's kernel; -1: none
	bool inside;     // its tensor is made and read within one kernel
	int owner;       // the layer its cost counts with: the nearest before it, else the first
	double elements; // of its output, for one image
	// Of its tensor, if it is not folded:
	bool read;      // whether any operator reads it
	int last;       // the last operator that reads it; if none does, the last of all
	int crowd;      // the most tensors alive at once during its life
	int ends, next; // a list of the tensors that this operator is the last to read; -1: end
};

struct graph_edge {
	int from, to; // reader, and the tensor it reads
	int layer;    // of the reader; -1: it has none
};

// Begins as {0}.
struct graph {
	const struct model *model;
	struct graph_op *op;           // [model->ops]
	int edges, words, layer_words; // words: of 64 operators, of 64 layers
	struct graph_edge *edge;       // readers last to first
	uint8_t *start;                // the narrowest format a tensor may have, whatever the layers have
	uint64_t *depends;             // [layers][words]: kernels whose price depends on a layer's formats
	uint64_t *asks;                // [ops][layer_words]: layers that set the format of each operator's output
	int *first;                    // [layers + 1]: where each layer's tensors begin in `sets`
	int *count;                    // [ops]: room for what is counted while it is settled
	uint16_t *sets;                // for each layer in turn: the tensors whose format it sets, alone or with others
	void *store;                   // where all but `sets` lies
	size_t stored, listed;         // bytes of the store; of `sets`
};

// What a change of a few layers affects.
struct graph_touched {
	int ops;
	uint16_t op[GRAPH_OPS];  // kernels whose price depends on these layers, by growing index
	uint8_t rest[GRAPH_OPS]; // for the tensors whose format they set: the format that all other readers ask for
};

bool graph_fits(const struct model *, struct fault *); // GRAPH_OPS operators at most
// The model is borrowed. kernels: operators join as described above; else every operator that is not folded is a kernel of its
// own. Allocates only where a model needs more room than those before it. Returns false with a fault for more than GRAPH_OPS
// operators or when out of memory; the graph then has to be settled again before it is used.
bool graph_settle(struct graph *, const struct model *, bool kernels, struct fault *);
void graph_free(struct graph *);
// Works out the format of every tensor; a folded operator gets that of the tensor it is part of.
void graph_formats(const struct graph *, const struct plan *, uint8_t *format); // [model->ops]
// graph_touch fills `op`; graph_rest fills `rest` from a plan, whose formats for these layers do not matter.
void graph_touch(const struct graph *, const int *layers, int count, struct graph_touched *);
void graph_rest(const struct graph *, const struct plan *, const int *layers, int count, struct graph_touched *);
// Updates `format` after a change of these layers alone: the tensors whose format they set are the only ones that may differ.
void graph_follow(const struct graph *, const struct plan *, const int *layers, int count, const struct graph_touched *,
	uint8_t *format);

#endif

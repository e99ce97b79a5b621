// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the cost folder: a model as inference runs it, one operator after the other in the model's order. What is found
// once for a model: which operators are folded into others, which tensors there are and how long each lives, which layers'
// formats each operator's price depends on.
//
// Folded, at no cost: a batch norm into the convolution or linear operator before it; an activation into the convolution,
// linear operator or batch norm before it; each only where nothing else reads what is between. All others run by themselves.
//
// Kernels, where they are asked for (latency asks): operators that run as one, at one kernel's floor; what lies between them is never
// written or read. This is what compilers for such devices do (seen in XLA's for TPUs; an assumption elsewhere):
//   - what is folded is a part of the kernel that it is folded into;
//   - an addition, a norm or an activation by itself joins the kernel that makes the latest of its operands (so that the others are
//     there when it runs), where nothing else reads that operand and the kernel hands its numbers on one by one: a convolution, a linear
//     operator, or again an addition, a norm, an activation. A residual block's addition so runs with its last convolution, and
//     reads the shortcut there.
//   - All others start a kernel of their own: layer norms and poolings (which need many numbers for one), the multiplication by a
//     squeeze-and-excite gate, concatenation, attention.
// Kernels leave alone what tensors there are, their formats and how long they live.
//
// A tensor has the format of the widest (last in format_table) layer that reads it. Operators without weights hand on the format
// of their own output: an add that feeds an int4 layer reads int4. What nobody reads, the network's output, is fp32.
#ifndef ENGINE_COST_GRAPH_H
#define ENGINE_COST_GRAPH_H

#include <stdint.h>

#include "engine/model/model.h"

enum { GRAPH_OPS = 4096 }; // most operators of a model: formats of all tensors fit on the stack

struct graph_op {
	int tensor;      // the operator whose output holds this one's: itself, or the one that it is folded into
	int kernel;      // the first operator of its kernel
	bool inside;     // of a tensor: made and read within one kernel
	int owner;       // the layer that its cost is counted with: the nearest before it, else the first
	double elements; // of its output, for one image
	// Of its tensor, where it is not folded:
	bool read;      // whether any operator reads it
	int last;       // the last operator that reads it; the last of all where nobody does
	int crowd;      // most tensors alive at once while it lives
	int ends, next; // a list of the tensors whose last reader this operator is; -1: end
};

struct graph_edge {
	int from, to; // reader, and what it reads
	int layer;    // of the reader; -1: it has none
};

struct graph {
	const struct model *model;
	struct graph_op *op;           // [model->ops]
	int edges, words, layer_words; // words: of 64 operators, of 64 layers
	struct graph_edge *edge;       // readers last to first
	uint8_t *start;                // what a tensor has at least, whatever the layers have
	uint64_t *depends;             // [layers][words]: kernels whose price depends on a layer's formats
	uint64_t *asks;                // [ops][layer_words]: layers that set the format of each operator's output
	uint16_t *sets;                // of each layer in turn: the tensors whose format it sets, with others or alone
	int *first;                    // [layers + 1]: where a layer's begin
};

// What changes of a few layers touch.
struct graph_touched {
	int ops;
	uint16_t op[GRAPH_OPS];  // kernels whose price depends on these layers, by growing index
	uint8_t rest[GRAPH_OPS]; // of the tensors whose format they set: the format that everything else asks for
};

bool graph_fits(const struct model *, struct fault *); // GRAPH_OPS operators at most
// NULL with a fault: more than GRAPH_OPS operators, or out of memory. The model is borrowed. kernels: operators join as said above;
// else each that is not folded is a kernel of its own.
struct graph *graph_new(const struct model *, bool kernels, struct fault *);
void graph_free(struct graph *);
// The format of every tensor; of a folded operator, of the tensor that it is part of.
void graph_formats(const struct graph *, const struct plan *, uint8_t *format); // [model->ops]
// Fills `op`; `rest` by graph_rest, from a plan: what it has for these layers does not matter.
void graph_touch(const struct graph *, const int *layers, int count, struct graph_touched *);
void graph_rest(const struct graph *, const struct plan *, const int *layers, int count, struct graph_touched *);
// After another change of these layers alone: the formats of the tensors that they set, the only ones that may differ.
void graph_follow(const struct graph *, const struct plan *, const int *layers, int count, const struct graph_touched *,
	uint8_t *format);

#endif

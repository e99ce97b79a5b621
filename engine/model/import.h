// SPDX-License-Identifier: GPL-3.0-or-later
// Inside model: a graph of ONNX becomes a model and its weights.
//
// Values of the graph are constants, or data: numbers that an operator of the model puts out. Nodes are taken in turn. Those that only
// move numbers about (reshape, transpose, slice, concat, …) make no operator: they move *places*, which say for each number of a value which
// operator puts it out and where, or which constant it is. Only where a node needs its numbers to lie in order is an operator put in that
// arranges them, and only where they do not lie so already. So an image that is [1][c][h][w] to ONNX and [h][w][c] to the engine is
// turned nowhere, and a permutation that another one undoes costs nothing.
//
// Layers of the engine are what common nodes become. All else becomes general operators. Blocks that are several nodes in ONNX and one operator here
// are put together while nodes are taken: a batch norm goes into its convolution, a bias into its product, x times sigmoid x is swish.
#ifndef ENGINE_MODEL_IMPORT_H
#define ENGINE_MODEL_IMPORT_H

#include "engine/model/model.h"
#include "engine/model/weights.h"
#include "engine/onnx/fold.h"

enum order {
	ORDER_ROWS,  // row-major
	ORDER_IMAGE, // of [1][c][h][w], as [h][w][c]
	ORDER_PLACES // by `places`
};

// What numbers are rounded to, in a file of a quantized network (import_round.c).
struct rounding {
	enum {
		ROUNDING_NONE,
		ROUNDING_CODES,  // codes, as QuantizeLinear puts out
		ROUNDING_NARROW, // numbers of a narrow type, as a Cast puts out
		ROUNDING_DONE,   // numbers again
	} state;
	int element;             // of codes, and of narrow numbers: their type in the file
	double low, high;        // of codes: what they are held within
	bool clipped;            // by a Clip
	float scale;             // of codes: the first one,
	long scales;             // how many there are,
	double zero;             // the first zero point
	const char *format, *by; // done: the format's name, NULL: none has so many bits; what told it: "a clip"
	int bits, node;          // done: of a number; the node, -1: of constants
	bool lowest;             // done: of constants, that have the lowest code, -2^(bits - 1)
};

struct value {
	enum { VALUE_NONE, VALUE_CONSTANT, VALUE_DATA } kind;
	struct tensor *constant;
	struct shape_of shape; // of data
	enum order order;
	int op;                // but of ORDER_PLACES
	struct tensor *places; // of ORDER_PLACES
	struct rounding rounding;
};

// What is to be said of a quantized file.
struct notes {
	int rounded, heard; // roundings of data; those that a layer is told
	int relus, zeros, ends, modes;
};

struct import {
	struct onnx_file *file;
	struct model *model;
	struct weights *weights;
	int room;            // of weights->op
	struct value *value; // [file->values]
	int *left;           // [file->values]: readers that are still to come
	int *holders;        // [holders_room]: values that name an operator
	int holders_room;
	const struct onnx_node *node; // in turn
	bool branching;               // it stands in a branch of an If
	int checked;                  // operators that were looked at: they are not too large
	char where[200];              // its name, for faults
	bool *heard;                  // [file->all_nodes]: a layer was told of what it rounds
	struct notes note;
	struct fault *fault;
};
typedef bool import_run(struct import *);

// ---- import.c ----
bool import_branch(struct import *); // runs an If
struct model *import_build(struct onnx_file *, struct shape input, int classes, struct weights **, struct fault *);

// A fault that names the node in hand: what would do, then what is wrong. False.
#define import_refuse(m, ...) fault_set((m)->fault, (m)->where, __VA_ARGS__)

// ---- import_values.c: all return false, -1 or NULL with a fault ----
struct complaint import_complaint(const struct import *);
// The node's input; NULL without a fault: it is left out.
struct value *import_input(struct import *, int k);
const struct tensor *import_constant(struct import *, int k); // NULL: it is no constant, or left out
const struct value *import_data(struct import *, int k);      // numbers, most often data; a fault unless they are floating ones
// Makes the node's output what an operator puts out; op -1: memory has run out.
bool import_give(struct import *, int output, int op, enum order, const struct shape_of *);
bool import_give_places(struct import *, int output, struct tensor *places); // takes them
bool import_give_constant(struct import *, int output, struct tensor *);     // takes it
bool import_give_value(struct import *, int output, const struct value *);   // the same as another
// The places of a value, data or constant; the caller frees them.
struct tensor *import_places(struct import *, const struct value *);
// An operator that puts the value out in this order; -1. ORDER_IMAGE: of the shape h, w, c.
int import_ordered(struct import *, const struct value *, enum order);
// In whichever order is nearest.
int import_any(struct import *, const struct value *, enum order *);
// Row by row, each pixel having c channels. `flat`: w is 1.
int import_rows(struct import *, const struct value *, long c, bool flat);
// An operator for places, whose numbers then lie as the places do. Frees them.
int import_arrange(struct import *, struct tensor *places, struct shape);
// Whether the value alone is what an operator of this kind puts out, and this node alone reads it: then the operator may be changed.
bool import_alone(const struct import *, const struct value *, int input, enum op_kind);
bool import_hold(struct import *, int op); // one more value names the operator
// Takes `at` as numbers of an operator's part.
bool import_learn(struct import *, int op, int part, float *at, long count);
int64_t import_zero(void); // the place of a constant 0
int64_t import_place_of(float constant);
struct shape import_flat(const struct shape_of *); // of an operator whose numbers lie in rows
bool import_is_image(const struct shape_of *);     // [1][c][h][w]

// ---- import_ops.c ----
// Runs the node in turn; it is no constant, and moves more than numbers.
bool import_node(struct import *);
// Makes the node an operator that is not known, of the shape that the file says, or that what it reads has.
bool import_unknown(struct import *);
bool import_beside(struct import *); // whether it puts images side by side, by their channels
// Makes the output a value without its negative numbers: by an activation, unless it has none. `high`: what the numbers are held below.
bool import_give_positive(struct import *, const struct value *, double high);

// ---- import_round.c ----
import_run *import_rounder(struct import *); // what runs the node in turn, if it rounds; else NULL
bool import_keeps(const struct import *);    // whether it leaves numbers as rounded as they are
void import_keep(struct import *);           // they carry what they are rounded to
bool import_reads_codes(struct import *);    // of data
// Tells the layer that an operator is what its weights, the node's input of that number, and its inputs are rounded to.
bool import_tell(struct import *, int op, const struct value *inputs, int weights);
void import_note(struct import *); // in the end: what is to be said of it

// ---- import_resize.c ----
bool import_resize(struct import *); // runs a Resize, or an Upsample

// ---- import_blocks.c ----
// Puts the engine's operators in the place of the last of those that do the same; what nothing reads any more is left.
bool import_blocks(struct import *);

// ---- import_names.c ----
// A layer's name: from the weight, the bias, the exporter's metadata, or the node, whichever says it.
void import_name(const struct import *, int weight, int bias, char name[MODEL_NAME]);

#endif

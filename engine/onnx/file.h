// SPDX-License-Identifier: GPL-3.0-or-later
// An ONNX file: its graph as it is written, names made into numbers, nodes in an order in which they can run. Weights stay bytes until they
// are asked for. What names say and what shapes there are is for others (fold.h, model/onnx.c).
//
// Operators are known by their names and attributes alone: the opset number in a file can be wrong.
//
// Nodes that call a function of the file are replaced by its body. The branches of an If stand within it; what they read from around them is
// among its inputs, behind its condition.
//
// A file is damaged, too large (4 GiB) or cyclic: one fault, which names it. External data are read from the file's own folder and
// nowhere else.
#ifndef ENGINE_ONNX_FILE_H
#define ENGINE_ONNX_FILE_H

#include "engine/onnx/tensor.h"
#include "engine/onnx/wire.h"

enum {
	ONNX_NODES = 50000,
	ONNX_VALUES = 400000,
	ONNX_INPUTS = 4096,
	ONNX_PROPERTIES = 20000,
	ONNX_FUNCTIONS = 1000,
	ONNX_DEPTH = 8
};

struct onnx_attribute {
	const char *name;
	enum onnx_attribute_kind {
		ONNX_OTHER,
		ONNX_FLOAT,
		ONNX_WHOLE,
		ONNX_TEXT,
		ONNX_TENSOR,
		ONNX_GRAPH,
		ONNX_FLOATS,
		ONNX_WHOLES
	} kind;
	float f;
	int64_t i;
	const char *text;
	struct wire tensor; // or graph
	int count;          // of numbers
	float *floats;
	int64_t *wholes;
	const char *reference; // within a function: the attribute of the call that it is; NULL: itself
};

// One of the two of an If.
struct onnx_branch {
	int nodes, outputs;
	struct onnx_node *node; // in the file's order
	int *output;            // values
};

struct onnx_node {
	const char *op, *domain; // "" is ONNX's own, also where the file spells it out
	const char *name;
	const char *scope; // the module that it came from, by the exporter's metadata: "blocks.0.attn.qkv"; "": not said
	int inputs, outputs, attributes;
	int *input, *output; // values; -1: left out
	struct onnx_attribute *attribute;
	int index;                  // among all of the file's nodes, those within branches too
	struct onnx_branch *branch; // [2]: of an If, where its condition holds and where it does not; else NULL
};

struct onnx_value {
	const char *name, *key; // as the file calls it; that no other value has
	int branch;             // that it belongs to; 0: the graph itself
	int readers;            // nodes' inputs, and 1 for an output of the graph
	bool has_tensor;        // it is an initializer
	struct wire tensor;     // that one
	bool is_input, has_shape;
	int element;           // of an input: its type's number, 1 for float32; 0: not said
	struct shape_of shape; // as the file says it; free sizes are -1
};

struct onnx_property {
	const char *key, *value;
};

struct onnx_file {
	char *path;
	int nodes, values, inputs, outputs;
	int all_nodes;          // with those in branches
	struct onnx_node *node; // in an order in which they can run
	struct onnx_value *value;
	int *input, *output; // of the graph, without initializers
	uint32_t sum;        // a checksum of the file
	char producer[64];
	int properties; // of its metadata
	struct onnx_property *property;
	void *memory; // whose all of it is
};

struct onnx_file *onnx_open(const char *path, struct fault *);
struct onnx_file *onnx_read(const char *path, char *bytes, size_t size,
	struct fault *); // what was read from the path; takes the bytes
void onnx_close(struct onnx_file *);
// Decodes a tensor, from the file or from external data. NULL: a fault.
struct tensor *onnx_tensor(struct onnx_file *, struct wire, struct complaint);
bool onnx_floating(int element); // whether a type's number is one of floating-point numbers
// What a type's number means.
struct onnx_element {
	const char *name; // "int8"; NULL: it is not known
	int bits;         // of a number
	bool floating;
	long low, high; // of whole numbers of up to 32 bits
};
struct onnx_element onnx_element(int element);
const char *onnx_property(const struct onnx_file *, const char *key);                    // NULL: it is not there
const struct onnx_attribute *onnx_attribute(const struct onnx_node *, const char *name); // NULL: it is not there
int64_t onnx_whole(const struct onnx_node *, const char *name, int64_t otherwise);
float onnx_number(const struct onnx_node *, const char *name, float otherwise);
const char *onnx_text(const struct onnx_node *, const char *name, const char *otherwise);

#endif

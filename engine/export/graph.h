// SPDX-License-Identifier: GPL-3.0-or-later
// An ONNX model being written: nodes in the order in which they run, constants, functions. Tensors go by name. Names, field numbers and
// types are those of onnx.proto (IR version 10).
#ifndef ENGINE_EXPORT_GRAPH_H
#define ENGINE_EXPORT_GRAPH_H

#include <stdint.h>
#include <stdio.h>

#include "engine/base/text.h"

enum element_type { // TensorProto.DataType
	ELEMENT_FLOAT = 1,
	ELEMENT_UINT8 = 2,
	ELEMENT_INT8 = 3,
	ELEMENT_UINT16 = 4,
	ELEMENT_INT16 = 5,
	ELEMENT_INT32 = 6,
	ELEMENT_INT64 = 7,
	ELEMENT_FLOAT16 = 10,
	ELEMENT_BFLOAT16 = 16,
	ELEMENT_FLOAT8E4M3FN = 17,
	ELEMENT_FLOAT8E5M2 = 19,
};

// An attribute of a node; `parameter`: the function's attribute that it takes its value from.
struct attribute {
	const char *name;
	enum attribute_kind { ATTRIBUTE_INT, ATTRIBUTE_FLOAT, ATTRIBUTE_INTS, ATTRIBUTE_TEXT } kind;
	int64_t number;
	float real;
	const int64_t *list;
	int count;
	const char *text, *parameter;
};
#define INT_IS(n, v) ((struct attribute){.name = n, .kind = ATTRIBUTE_INT, .number = v})
#define FLOAT_IS(n, v) ((struct attribute){.name = n, .kind = ATTRIBUTE_FLOAT, .real = v})
#define TEXT_IS(n, v) ((struct attribute){.name = n, .kind = ATTRIBUTE_TEXT, .text = v})
#define INTS_ARE(n, v, c) ((struct attribute){.name = n, .kind = ATTRIBUTE_INTS, .list = v, .count = c})
#define INT_OF(n, p) ((struct attribute){.name = n, .kind = ATTRIBUTE_INT, .parameter = p})

// Starts as {0}.
struct graph {
	struct string nodes, constants, functions, properties;
	int opset; // the version of the operators that the nodes need
};

// inputs and outputs: names, NULL-terminated; "" is an input that is left out. attributes: `count` of them.
void graph_node(struct graph *, const char *domain, const char *type, const char *name, const char *const *inputs,
	const char *const *outputs, int count, const struct attribute *);
// The same into a function's body.
void graph_body_node(struct string *body, const char *type, const char *const *inputs, const char *output, int count,
	const struct attribute *);
// A function with nodes of the default domain.
void graph_function(struct graph *, const char *domain, const char *name, const char *const *inputs, const char *output,
	int attributes, const char *const *attribute, struct string *body);
// A constant: raw bytes, little-endian; rank 0 is a scalar.
void graph_constant(struct graph *, const char *name, enum element_type, int rank, const int64_t *size, const void *bytes,
	size_t count);
void graph_floats(struct graph *, const char *name, int rank, const int64_t *size, const float *);
void graph_scalar(struct graph *, const char *name, float);
void graph_property(struct graph *, const char *key, const char *value); // of the model's metadata
// Writes the model: one input and one output of fp32. `domains`: the names of further domains, NULL-terminated. Frees the graph. False:
// memory ran out, or the file failed.
bool graph_write(struct graph *, const char *name, const char *input, int in_rank, const int64_t *in, const char *output,
	int out_rank, const int64_t *out, const char *const *domains, FILE *);

#endif

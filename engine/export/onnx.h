// SPDX-License-Identifier: GPL-3.0-or-later
// What the ONNX forms share: the operators around the layers, in ONNX's layout [image][channel][row][column]. How a layer's input is
// rounded and how its weights are put is a dialect's.
#ifndef ENGINE_EXPORT_ONNX_H
#define ENGINE_EXPORT_ONNX_H

#include "engine/export/export.h"
#include "engine/export/graph.h"

struct written;
struct rounding;

enum { ONNX_NAME = 96 };

struct onnx {
	const struct frozen *frozen;
	const struct outgoing *how;
	const struct dialect *dialect;
	bool relu_is_max; // relu and relu6 are written as Max and Min
	bool zero, six;   // the constants that these share are there
	struct graph graph;
};

// A layer's weights as they go out: [outputs][inputs a group][rows][columns], or [outputs][inputs] of the last linear layer. Where its batch
// norm is folded, the scales have its gain, and columns with a gain below 0 have their signs changed. Blocks run over an output's rows,
// columns and, innermost, inputs: codes that have such lie in this order.
struct onnx_weights {
	int rank;
	int64_t size[4];
	long each;           // numbers of an output
	int block;           // so many of them share a scale; 0: all do
	long scales;         // of an output
	float *code, *scale; // [outputs][each], [outputs][scales]
};

struct dialect {
	bool folds;              // whether batch norms may be folded
	bool blocks;             // whether weights may have scales by blocks; inputs never do
	const char *who;         // has no type for a format that it has not: "ONNX"
	bool (*has)(int format); // but for weights in blocks
	// The format that it has in place of one with blocks; NULL: that of the elements.
	const char *(*without_blocks)(int format);
	void (*begin)(struct onnx *);
	// Puts the nodes that round `tensor` for a layer, and those that give its weights; writes the names of what comes out.
	void (*input)(struct onnx *, int layer, const char *tensor, char out[ONNX_NAME]);
	void (*weights)(struct onnx *, int layer, const struct onnx_weights *, char out[ONNX_NAME]);
	// Of a file that is read again: whether the value holds numbers that are rounded so, inputs or weights.
	bool (*rounds)(const struct written *, int value, const struct rounding *);
	const char *const *domains; // further ones, NULL-terminated
};
extern const struct dialect dialect_qdq, dialect_qonnx, dialect_aimet;
bool qdq_has(int format), qonnx_has(int format), aimet_has(int format); // those of the dialects

bool onnx_write(const struct frozen *, const struct outgoing *, const struct dialect *, FILE *, struct fault *);
// A node with one output and up to three inputs ("" or NULL: none from there on).
void onnx_node(struct onnx *, const char *domain, const char *type, const char *a, const char *b, const char *c,
	const char *output, int count, const struct attribute *);
// Fills what a layer's weights are; they are the caller's to free (onnx_weights_free), also where it fails, since memory ran out.
bool onnx_weights_of(const struct onnx *, int layer, struct onnx_weights *);
void onnx_weights_free(struct onnx_weights *);
void onnx_values(struct onnx *, const struct onnx_weights *, const char *name); // the rounded weights as an fp32 constant
const char *onnx_layer(const struct onnx *, int layer);                         // its name
// The name of what belongs to a layer: LAYER.weight, LAYER.weight_scale.
void onnx_part(char out[ONNX_NAME], const struct onnx *, int layer, const char *part, const char *of_part);
// Casts `tensor`, a layer's input, there and back.
void onnx_cast(struct onnx *, int layer, const char *tensor, enum element_type to, char out[ONNX_NAME]);
bool onnx_plain(int format); // fp32: nothing is rounded
bool onnx_is_cast(int format);
// The tensor that a layer's product puts out, before a bias that is added apart.
void onnx_product(const struct onnx *, int layer, char out[ONNX_NAME]);

#endif

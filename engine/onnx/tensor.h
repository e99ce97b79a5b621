// SPDX-License-Identifier: GPL-3.0-or-later
// Arrays of any number of dimensions, in row-major order, as ONNX's operators take and give them while a network is read: constants that
// are worked out once, and, as whole numbers, the places where a running network finds its numbers. So one function moves numbers
// about for both. A tensor does not change once it is made, and is shared by counting its users.
//
// Functions return NULL with a fault, in the name `where`, if sizes do not go together or memory runs out.
#ifndef ENGINE_ONNX_TENSOR_H
#define ENGINE_ONNX_TENSOR_H

#include <stdint.h>

#include "engine/base/fault.h"

enum {
	TENSOR_RANK = 8,
	TENSOR_INTS = 64,
	TENSOR_MOST = 1 << 26 // most numbers that are worked out: a few bytes of a file can ask for any number of them
};

struct shape_of {
	int rank;
	long size[TENSOR_RANK];
};

struct tensor {
	enum tensor_type { TENSOR_FLOAT, TENSOR_INT } type; // all kinds of whole numbers and truth values are int64
	struct shape_of shape;
	long count;
	union {
		float *f;
		int64_t *i;
		void *at;
	};
	int users;
	bool given;  // it is stored in the file as it is, not worked out
	int element; // its type's number in the file (onnx_element); 0: it was worked out
};

// What a fault calls the place, and where it goes.
struct complaint {
	const char *where;
	struct fault *fault;
};

// The numbers of a shape; -1: negative sizes, or more than an int counts.
long shape_count(const struct shape_of *);
bool shape_same(const struct shape_of *, const struct shape_of *);
// The shape that both are stretched to by ONNX's (numpy's) rules; false: they do not go together.
bool shape_broadcast(const struct shape_of *, const struct shape_of *, struct shape_of *);
char *shape_text(const struct shape_of *, char *buf, size_t size); // "1x3x224x224"

struct tensor *tensor_new(enum tensor_type, const struct shape_of *, struct complaint);
struct tensor *tensor_stored(enum tensor_type, const struct shape_of *, struct complaint); // of as many as a file holds
struct tensor *tensor_share(struct tensor *);
void tensor_free(struct tensor *);                                        // NULL is nothing
struct tensor *tensor_ints(const int64_t *, int count, struct complaint); // of one dimension
double tensor_at(const struct tensor *, long i);
int64_t tensor_whole(double); // towards 0, held within int64

// ---- numbers put elsewhere ----
struct tensor *tensor_reshape(struct tensor *, const struct shape_of *, struct complaint);
struct tensor *tensor_transpose(const struct tensor *, const int *axis, struct complaint);
struct tensor *tensor_slice(const struct tensor *, int axis, long start, long step, long count, struct complaint);
struct tensor *tensor_gather(const struct tensor *, int axis, const struct tensor *index, struct complaint);
struct tensor *tensor_expand(const struct tensor *, const struct shape_of *, struct complaint); // by broadcasting
struct tensor *tensor_tile(const struct tensor *, const int64_t *times, struct complaint);
struct tensor *tensor_concat(struct tensor *const *, int count, int axis, struct complaint);
enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };
// fill: one number of the tensor's type. Negative widths cut off.
struct tensor *tensor_pad(const struct tensor *, const int64_t *before, const int64_t *after, enum pad_mode,
	const struct tensor *fill, struct complaint);
struct tensor *tensor_scatter(const struct tensor *, const struct tensor *index, const struct tensor *updates,
	struct complaint);                                                                                  // ScatterND
struct tensor *tensor_pick(const struct tensor *, const struct tensor *index, int batch, struct complaint); // GatherND
struct tensor *tensor_choose(const struct tensor *condition, const struct tensor *a, const struct tensor *b, struct complaint);

// ---- numbers worked out ----
struct tensor *tensor_map(const struct tensor *, double (*)(double), enum tensor_type, struct complaint);
struct tensor *tensor_pair(const struct tensor *, const struct tensor *, double (*)(double, double), enum tensor_type,
	struct complaint);                                                                     // by broadcasting
struct tensor *tensor_product(const struct tensor *, const struct tensor *, struct complaint); // MatMul
// Sums of the numbers up to each along an axis, from the other end where `reverse`; without itself where `exclusive`.
struct tensor *tensor_cumulate(const struct tensor *, int axis, bool exclusive, bool reverse, struct complaint);
struct tensor *tensor_reduce(const struct tensor *, unsigned axes, bool keep, double (*)(double, double), double start, bool mean,
	struct complaint);

#endif

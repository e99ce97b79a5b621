// SPDX-License-Identifier: GPL-3.0-or-later
// Times of single kernels that were measured on some machine, from a CSV file. A line that begins with "kind," is a header, and holds for
// the rows below it until the next one. Its columns, in any order: `kind`; `dtype` or `type`, a type of enum native; `us`, the
// microseconds; as may be `low` and `high` of these, or `spread`, how far from `us` they lie; and the sizes by the kind:
//
//	product       m, k, n: rows, inner size, columns        attention  batch, heads, n, dim: tokens, channels of a head
//	conv          batch, h, c, out, kernel, stride, groups  layernorm  rows, width
//	element-wise  n: numbers                                layer      net, layer, batch
//	                                                        net        net, batch
//
// batch, stride and groups are 1 where they are left out; an image has the side h, a convolution keeps it at stride 1. In a header with the columns a,
// b, c, d, e, g, h the sizes stand there in the order above, those of a product as rows, columns, inner size. Other columns do not matter. Rows of other kinds are left
// out, and counted. Lines that are blank or begin with '#' are skipped.
#ifndef ENGINE_HARDWARE_TIMINGS_H
#define ENGINE_HARDWARE_TIMINGS_H

#include "engine/base/fault.h"
#include "engine/hardware/device.h"
#include "engine/model/model.h"

enum timing_kind {
	TIMING_PRODUCT,
	TIMING_CONV,
	TIMING_ELEMENTWISE,
	TIMING_ATTENTION,
	TIMING_LAYERNORM,
	TIMING_LAYER,
	TIMING_NET,
	TIMING_KINDS
};
extern const char *const timing_kinds[TIMING_KINDS];

enum { TIMING_SIZES = 7 };
struct timing {
	enum timing_kind kind;
	double size[TIMING_SIZES]; // in the order above; a product's as m, k, n
	char net[MODEL_TITLE], layer[MODEL_NAME];
	enum native type;
	double us, low, high; // low, high 0: not known
};

struct timings {
	int count;
	struct timing *row; // [count], owned
	size_t room;
	int left_out;
	char other[64]; // the first kinds that are left out
};
// The fault names the first mistake with its line. After one there is nothing to free.
bool timings_read(const char *path, struct timings *, struct fault *);
void timings_free(struct timings *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Number formats: one traits table, and the rounding grid of each. A tensor is scaled so that its range meets the format's
// largest value; bf16, fp16 and fp32 are unscaled casts. Immutable: any thread.
#ifndef ENGINE_QUANT_FORMAT_H
#define ENGINE_QUANT_FORMAT_H

#include <stdbool.h>

#include "engine/tensor/kernels.h"

enum format_kind { FORMAT_INTEGER, FORMAT_FLOAT, FORMAT_CAST };

struct format {
	const char *name;
	enum format_kind kind;
	int bits;
	int exponent, mantissa; // FORMAT_FLOAT and FORMAT_CAST
	double largest;         // largest magnitude: 2^(bits-1)-1 for an integer
};

// Every format, narrowest first; among formats of the same width, integers first. A format is known by its index in this table.
enum { FORMATS = 23 };
extern const struct format format_table[FORMATS];
int format_named(const char *name); // -1: no such format

// Returns the grid of a format. `positive`: the tensor is known to be non-negative, so an integer format may use all its 2^bits -
// 1 positive levels.
struct grid format_grid(int format, bool positive);
// Returns the scale at which `range` meets the grid's largest value; 1 for casts and for a range of 0.
float format_scale(int format, const struct grid *, float range);

#endif

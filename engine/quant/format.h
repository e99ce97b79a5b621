// SPDX-License-Identifier: GPL-3.0-or-later
// Number formats: one traits table, and the rounding grid of each. A tensor is scaled so that its range meets the format's
// largest value; bf16, fp16 and fp32 are unscaled casts. Immutable: any thread.
//
// In block formats neighbours share a scale: the microscaling formats (OCP Microscaling Formats Specification, version 1.0, 2023: 32 numbers,
// a power of two, E8M0) and NVFP4 (16 numbers, an e4m3 scale, and one fp32 scale for the tensor). Blocks run along a product's inner
// dimension. Of weights that is an output's inputs, channels first, then taps; of activations, the channels of a pixel, of a group's
// where there are groups of several. What is left over is a block of its own. Where a group's channels are whole blocks, weights and
// activations change scales at the same places, as matrix units want it. `bits` are those of a number without its share of the scale.
#ifndef ENGINE_QUANT_FORMAT_H
#define ENGINE_QUANT_FORMAT_H

#include <stdbool.h>

#include "engine/tensor/kernels.h"

enum format_kind { FORMAT_INTEGER, FORMAT_FLOAT, FORMAT_CAST, FORMAT_BLOCK };

struct format {
	const char *name;
	enum format_kind kind;
	int bits;
	int exponent, mantissa; // all but FORMAT_INTEGER
	double largest;         // largest magnitude: 2^(bits-1)-1 for an integer
	int block;              // FORMAT_BLOCK: so many numbers share a scale of FORMAT_SCALE_BITS bits
	int tensor_bits;        // FORMAT_BLOCK: of the scale that all of a tensor's blocks share; 0: there is none
};

// Every format, narrowest first; among formats of the same width, integers first. A format is known by its index in this table.
enum { FORMATS = 30, FORMAT_SCALE_BITS = 8 };
extern const struct format format_table[FORMATS];
int format_named(const char *name); // -1: no such format

// Returns the grid of a format. `positive`: the tensor is known to be non-negative, so an integer format may use all its 2^bits -
// 1 positive levels.
struct grid format_grid(int format, bool positive);
// Returns the scale at which `range` meets the grid's largest value, or, where the grid is binary, the next power of two; 1 for casts and for a range of 0. Of a block format it is the tensor's,
// at which `range` meets the largest value with the largest block scale, or 1.
float format_scale(int format, const struct grid *, float range);
// Whether a tensor's range clips it. The others know its largest magnitude alone, or not even that.
bool format_ranged(int format);
// The scales of `runs` runs of `length` numbers, in bits; formats without blocks have one of 32 bits for each run.
double format_scale_bits(int format, double runs, double length);
// Bits of a number of a run of this length, with its share of the run's block scales.
double format_stored_bits(int format, double length);
double format_whole_bits(int format); // where all blocks are whole
// The format of a block format's elements, with a scale of its own; NULL: it has no blocks.
const char *format_element(int format);
// The plain way to the scale of a block x[0], x[stride], ..., by which numbers are divided before they go to the grid: what the kernels are
// held to. `scale`: the tensor's.
float format_block_scale(const struct grid *, float scale, const float *x, long n, long stride);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels for one instruction set. The file is compiled once per set with -DISA=name and the set's flags. It uses the
// compilers' vector extension where the shape of the loop matters, and elsewhere plain loops that they vectorise.
#include "engine/tensor/isa/blocks.h"
#include "engine/tensor/isa/channels.h"
#include "engine/tensor/isa/depthwise.h"
#include "engine/tensor/isa/elementwise.h"
#include "engine/tensor/isa/integer.h"
#include "engine/tensor/isa/product.h"
#include "engine/tensor/isa/quantize.h"
#include "engine/tensor/isa/stacked.h"

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

extern const struct kernels GLUE(kernels_, ISA);
const struct kernels GLUE(kernels_, ISA) = {
	.name = TEXT(ISA),
	.rows = BEST_ROWS,
	.blas = BLAS,
	.code = sizeof(code),
	.offset = CODE_OFFSET,
	.product = product,
	.pair_product = pair_product,
	.pair = pair,
	.pair_channels = pair_channels,
	.integer_product = integer_product,
	.stack = stack_codes,
	.depthwise_stacked = depthwise_codes,
	.encode = encode,
	.encode_affine = encode_affine,
	.encode_channels = encode_channels,
	.peak = peak,
	.quantize = quantize,
	.quantize_affine = quantize_affine,
	.quantize_channels = quantize_channels,
	.round_blocks = round_blocks,
	.round_block_columns = round_block_columns,
	.clip_gradient = clip_gradient,
	.histogram = histogram,
	.channel_peaks = channel_peaks,
	.channel_sums = channel_sums,
	.channel_extremes = channel_extremes,
	.affine = affine,
	.affine_sums = affine_sums,
	.affine_gradient = affine_gradient,
	.layernorm = layernorm,
	.layernorm_gradient = layernorm_gradient,
	.depthwise = depthwise,
	.depthwise_gradient = depthwise_gradient,
	.activate = activate,
	.activate_gradient = activate_gradient,
	.add = add,
	.add_affine = add_affine,
	.accumulate = accumulate,
	.maximum = maximum,
	.maximum_gradient = maximum_gradient,
	.softmax = softmax,
	.softmax_gradient = softmax_gradient,
	.squares = squares,
	.sgd = sgd,
	.adamw = adamw,
	.follow = follow,
};

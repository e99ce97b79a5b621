// SPDX-License-Identifier: GPL-3.0-or-later
// A network as it leaves: what runs under one choice, with all that passes of mode FIXED compute it from. Weights are numbers of their
// formats' grids, ranges are settled, batch norms are a gain and a shift. Beside it, what such a pass made of some images, for whoever
// wants to see that it computes the same. It owns all it holds and refers to no network: any thread may read it.
#ifndef ENGINE_NN_FROZEN_H
#define ENGINE_NN_FROZEN_H

#include "engine/nn/nn.h"

// weight[r][j] = scale[j] * code[r][j], or, where its format has blocks of b, block_scale[r / b][j] * code[r][j]; an input x is rounded to input_scale * code, the code lying on `grid` (kernels.h).
struct frozen_layer {
	struct layer_plan format;
	long rows;                  // [kernel rows][kernel columns][inputs a group]
	int columns;                // outputs
	float *code, *scale, *bias; // [rows][columns], [columns], [columns] or NULL
	float *block_scale;         // [blocks of an output][columns]; NULL: its weights have none
	struct grid grid;
	float input_scale, range; // the range: what the grid's largest number stands for
	float *input;             // [images][numbers of an image]: codes of its input; NULL: no images
	long inputs;              // numbers of an image
};

// y = act(x * gain + shift), per channel.
struct frozen_norm {
	float *gain, *shift; // [channels]
};

struct frozen {
	struct model *model;
	struct frozen_layer *layer; // [model->layers]
	struct frozen_norm *norm;   // [model->ops]: of batch norms alone
	int images;
	float *image, *logits; // [images][numbers of an image], [images][classes]
};

// Runs a pass of mode FIXED over the first `images` of the input, at least one, and returns what it computed with and, of these images, what
// it computed. NULL with a fault: out of memory.
struct frozen *network_freeze(struct network *, const struct plan *, const struct quantization *, struct calibration *,
	int images, struct fault *);
void frozen_free(struct frozen *);

#endif

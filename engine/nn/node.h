// SPDX-License-Identifier: GPL-3.0-or-later
// Inside nn: a network's nodes, one per operator, and the table of what operators do.
#ifndef ENGINE_NN_NODE_H
#define ENGINE_NN_NODE_H

#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/kernels.h"

enum {
	NN_ALIGN = 16,   // floats: arrays start on cache lines
	NN_SLACK = 16,   // floats past an array's end that kernels may read
	NN_CHUNKS = 8,   // chunks of a weight gradient, each with a partial sum of its own
	NN_STRIDE_MAX = 4,
	LINEAR_ROWS = 16, // images in a chunk of a linear layer
	NN_BLOCKS = 16
};

// The gradient of a convolution's input, one dimension: rows r, r+s, r+2s, … of the input (s the stride) are met by the same
// kernel rows. Row r + a*s receives gradient from output rows a+least, a+least+1, … through kernel rows first, first-s, ….
struct phase {
	int taps;  // how many kernel rows
	int first; // the largest of them
	int least; // may be negative
	int count; // how many such rows the input has
};

struct node {
	const struct op *op;
	struct shape in, out;
	float *x;    // output, [batch][h][w][c]
	float *grad; // gradient of the output; NULL for the input
	float peak;  // largest magnitude of the output in the present pass; below 0: not known
	bool grad_written;     // has a consumer written to grad in the present backward pass?

	// Parameters: offsets into the network's arrays. A convolution's or linear layer's weights are [kernel*kernel*in.c][out.c].
	long weights, weight_count;
	long bias, gain; // [out.c]; a linear layer has the first, a norm both

	// Layers, in the present pass.
	struct grid grid;     // of the input activations
	float scale, range;   // likewise
	float *weight_scale;  // [out.c]
	float *quantized;     // weights after rounding, [rows][out.c]
	float *forward;       // the same packed in column blocks: [out.c/16][rows][16]
	float *backward;      // packed for the gradient of the input, phase by phase: [in.c/16][taps*out.c][16]
	struct phase phase[2][NN_STRIDE_MAX]; // convolutions: by dimension, by remainder
	int before, after;    // margin of zeros around an image of output gradients
	float *linear_input;  // linear layers: the quantized input, [batch][in.c]

	// Norms, in the present pass: [out.c] each.
	float *mean, *deviation_inverse, *gain_scale, *shift, *ka, *kb, *kc;
};

// The work of one thread: images with a margin, in cache.
struct scratch {
	float *image, *gradient, *back;
};

struct piece {
	long first, count;
	bool decays; // weights do; biases and norms do not
	double squares; // of its gradient, in the present update
};

struct network {
	const struct model *model;
	struct team *team;
	const struct kernels *kernels;
	int batch;
	struct node *node; // [model->ops]
	float *weights, *momentum, *gradient, *ranges; // parameters; ranges: a moving range per layer
	long parameters;
	struct scratch *scratch; // [team size]
	float *partial;          // [NN_CHUNKS][largest weight count]
	long partial_stride;
	double *sums;            // [2 * NN_CHUNKS][2][most channels]: of norms
	int sum_stride;
	float *peaks;            // [batch]: of element-wise operators
	uint32_t *histograms;    // [NN_CHUNKS][RANGE_BINS]
	struct piece *piece;     // the parameters, in pieces for the update
	int pieces;
	void *memory[NN_BLOCKS]; // all that is above, for freeing
	int blocks;

	// The present pass.
	const struct plan *plan;
	struct quantization quantization;
	enum pass pass;
	int images;
	struct calibration *calibration;
};

struct calibration {
	int layers, ops;
	double batches;
	float *range;    // [layers]: mean over the batches
	double *moments; // per norm: mean[c], then mean square[c]; at offset[op]
	long *offset;    // [ops]
	long moment_count;
};

// What an operator does; a row per kind in network.c. Images, formats and mode are those of the network's present pass.
struct operator {
	void (*prepare)(struct network *, struct node *); // rounds the weights; runs in parallel with other nodes' own
	void (*forward)(struct network *, struct node *);
	void (*backward)(struct network *, struct node *); // reads node->grad, writes or adds to the gradients of what it read
	bool keeps_input, keeps_output; // backward reads them
};
void conv_prepare(struct network *, struct node *);
void conv_forward(struct network *, struct node *);
void conv_backward(struct network *, struct node *);
void linear_prepare(struct network *, struct node *);
void linear_forward(struct network *, struct node *);
void linear_backward(struct network *, struct node *);
void norm_forward(struct network *, struct node *);
void norm_backward(struct network *, struct node *);
void add_forward(struct network *, struct node *);
void add_backward(struct network *, struct node *);
void pool_forward(struct network *, struct node *);
void pool_backward(struct network *, struct node *);

// layer.c: what convolutions and linear layers share.
void layer_quantize_weights(struct network *, struct node *); // fills node->quantized
void layer_settle_range(struct network *, struct node *);     // fills node->grid, scale, range
void layer_reduce_gradient(struct network *, struct node *, int chunks); // partial sums into the gradient

static inline long shape_size(struct shape s)
{
	return (long)s.h * s.w * s.c;
}

static inline float *node_image(const struct node *n, float *base, int image)
{
	return base + image * shape_size(n->out);
}

static inline int blocks_of(int n)
{
	return (n + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS;
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside nn: a network's nodes, one per operator, and what operators do. Images are [h][w][c], batches of them one after another.
#ifndef ENGINE_NN_NODE_H
#define ENGINE_NN_NODE_H

#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/kernels.h"

enum {
	NN_ALIGN = 16,      // floats: arrays start on cache lines
	NN_SLACK = 32,      // floats past an array's end that kernels may read
	NN_CHUNKS = 16,     // most chunks of images in a parallel loop
	NN_TASKS = 8,       // parallel parts of a weight gradient
	NN_TILE = 4,        // least blocks of columns in a tile of a weight gradient
	NN_PARTIAL = 131072, // weights from which on their gradient is split by tiles first
	NN_BLOCKS = 24
};

// The gradient of a convolution's input, one dimension: rows r, r+s, r+2s, … of the input (s the stride) are met by the same
// kernel rows. Row r + a*s receives gradient from output rows a+least, a+least+1, … through kernel rows first, first-s, ….
struct phase {
	int taps;  // how many kernel rows
	int first; // the largest of them
	int least; // may be negative
	int count; // how many such rows the input has
};

struct operator;
struct node {
	const struct op *op;
	const struct operator *does;
	struct shape in, out;
	float *x;    // output, [batch][h][w][c]
	float *grad; // gradient of the output; NULL for the input
	float peak;  // largest magnitude of the output in the present pass; below 0: not known
	bool grad_written; // has a consumer written to grad in the present backward pass?

	// Parameters: offsets into the network's arrays. A layer's weights are [kernel rows][kernel columns][in.c/groups][out.c].
	long weights, weight_count;
	long bias, gain; // [out.c]; tokens: the positions, the class token

	// Layers, in the present pass.
	struct grid grid;     // of the input activations
	float scale, range;   // likewise
	float *weight_scale;  // [out.c]
	float *quantized;     // weights after rounding, [rows][out.c]
	float *forward;       // the same packed: by group, by block of columns: [rows][KERNEL_BLOCK]
	float *backward;      // packed for the gradient of the input
	struct phase *phase[2]; // convolutions: by dimension, by remainder
	int before[2], after[2]; // margins of zeros around an image of output gradients, by dimension

	long partial_stride; // between chunks' partial sums of a gradient

	double *sums; // [2][out.c], where a norm is next: sums and sums of squares, by the convolution before it

	// What a pass keeps for its backward pass, and small arrays: norms' [out.c], layer norms' normal and inverse, ….
	float *mean, *deviation_inverse, *gain_scale, *shift, *ka, *kb, *kc;
	float *kept, *inverse;
};

// The work of one thread: images with a margin, in cache.
struct scratch {
	float *image, *gradient, *back;
};

struct parameter {
	long at, count;
	enum fill { FILL_ZERO, FILL_ONE, FILL_HE, FILL_EVEN, FILL_TOKEN } fill;
	int fan; // inputs of an output: FILL_HE, FILL_EVEN
};

// Parameters in pieces, for the optimizer.
struct piece {
	long first, count;
	bool decays; // weights do; biases, norms and tokens do not
	double squares; // of its gradient, in the present update
};

struct network {
	const struct model *model;
	struct team *team;
	const struct kernels *kernels;
	int batch;
	struct node *node; // [model->ops]
	float *weights;          // parameters that passes use: `trained`, or `average`
	float *trained, *gradient, *momentum, *second, *average; // likewise [parameters]; the last two NULL where not kept
	float *ranges;           // a moving range per layer
	long parameters;
	struct parameter *parameter;
	int parameter_count;
	struct scratch *scratch; // [team size]
	float *partial;          // partial sums of gradients, a row per chunk
	double *sums;            // [NN_CHUNKS][2][most channels]
	int sum_stride;
	float *zeros;            // [most channels]
	float *peaks;            // [NN_CHUNKS]
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

// What a node takes of memory: counted first (base NULL), then cut with the same calls.
struct layout {
	float *base;
	long used, parameters;
	struct parameter *parameter; // NULL while counting
	int parameter_count;
	long image, gradient, back, partial; // most of a node's, of scratch and partial sums
};
long layout_parameter(struct layout *, long count, enum fill, int fan);
float *layout_work(struct layout *, long count);
void layout_scratch(struct layout *, long image, long gradient, long back);
void layout_partial(struct layout *, struct node *, long count, int chunks);

void *network_block(struct network *, size_t bytes); // zeroed, freed with the network; NULL once memory has run out
bool optimizer_lay(struct network *, unsigned keeps); // what the optimizer keeps; false: out of memory
void optimizer_clear(struct network *);

// What an operator does. Images, formats and mode are those of the network's present pass.
struct operator {
	void (*lay)(const struct network *, struct node *, struct layout *);
	void (*prepare)(struct network *, struct node *); // rounds the weights; runs in parallel with other nodes' own
	void (*forward)(struct network *, struct node *);
	void (*backward)(struct network *, struct node *); // reads node->grad, writes or adds to the gradients of what it read
	bool keeps_input, keeps_output; // backward reads them
};
extern const struct operator conv_operator, pointwise_operator, depthwise_operator, norm_operator, layernorm_operator, act_operator,
	add_operator, scale_operator, concat_operator, average_operator, maximum_operator, tokens_operator,
	attention_operator, first_operator;

// A parallel loop over the images of the present pass, in fixed chunks.
struct span {
	int first, count; // images
};
struct job {
	struct network *net;
	struct node *node;
	struct node *in[MODEL_INPUTS];
	int chunks;
	void (*work)(const struct job *, struct span, int chunk, int worker);
};
struct job job_of(struct network *, struct node *);
void job_run(struct job *, void (*work)(const struct job *, struct span, int chunk, int worker));
// Sums and peaks that the chunks left, put together.
void job_add_sums(const struct job *, int channels, double *total); // net->sums: [2][channels] of every chunk
void job_peak(const struct job *);                                  // net->peaks into node->peak

// Where the gradient of an image of input k goes: its place, or `spare` where the place holds another consumer's or an earlier input's
// already. Call gradient_done with the same arguments once it is written, before input k + 1; it adds the spare to what is there.
float *gradient_place(const struct job *, int k, int image, float *spare);
void gradient_done(const struct job *, int k, int image, float *spare);
void gradient_end(const struct job *); // after all images: the inputs' gradients are written

// layer.c: what operators with weights share.
void layer_lay(struct node *, struct layout *, long rows, enum fill); // weights of `rows` inputs an output, and a bias where it has one
void layer_quantize_weights(struct network *, struct node *);         // fills node->quantized
void layer_settle_range(struct network *, struct node *);             // fills node->grid, scale, range
// Packs columns first..first+columns of the quantized weights' rows, into whole blocks; returns where the next begin.
float *layer_pack(const struct node *, int first, int columns, float *to);
void layer_find_phases(struct node *, struct layout *);
// An image within margins of zeros; rounded to n's grid, unless n is NULL.
const float *layer_padded(const struct kernels *, const struct node *n, const float *x, struct shape, const int before[2],
	const int after[2], float *into);
// A convolution's input within its window's margins: an image of it, rounded; the distance of its rows. And the scratch for that, for the
// output's gradient within its own margins and for the input's.
const float *layer_padded_input(const struct job *, int image, int worker);
long layer_padded_row(const struct node *);
void layer_padded_scratch(const struct node *, struct layout *);
// Where the next operator is a norm, pixels' sums are taken while they are in cache; `fresh` at a chunk's first pixels.
void layer_add_sums(const struct job *, int chunk, bool fresh, const float *y, long pixels);
void layer_keep_sums(const struct job *);
// The straight-through gradient of a range that clips.
void layer_clip(const struct job *, const float *x, float *dx, long n);

// A part of a backward pass: some images' part of the gradient of some columns of the weights, added to `partial` (NULL: none), and,
// where `inputs` says so, the gradient of those images' inputs.
struct share {
	int first, end; // columns
	float *partial;
	bool inputs;
};
typedef void share_work(const struct job *, struct span, int worker, const struct share *);
// Runs `work` over all shares and puts the gradients together; also the bias's.
void layer_backward(struct network *, struct node *, share_work *);
// Sums of chunks' partial gradients into the gradient of a parameter.
void layer_reduce_gradient(struct network *, const struct node *, long parameter, long count, int chunks);

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
	return (n + KERNEL_BLOCK - 1) / KERNEL_BLOCK;
}

static inline int least(int a, int b)
{
	return a < b ? a : b;
}

#endif

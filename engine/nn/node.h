// SPDX-License-Identifier: GPL-3.0-or-later
// Inside nn: the nodes of the model that runs, one per operator, and what operators do. Images are [h][w][c], batches of them one after another.
#ifndef ENGINE_NN_NODE_H
#define ENGINE_NN_NODE_H

#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/kernels.h"

enum {
	NN_ALIGN = 16,       // floats: arrays start on cache lines
	NN_SLACK = 32,       // floats past an array's end that kernels may read
	NN_CHUNKS = 16,      // most chunks of images in a parallel loop
	NN_TASKS = 8,        // parallel parts of a weight gradient
	NN_TILE = 4,         // least blocks of columns in a tile of a weight gradient
	NN_PARTIAL = 131072, // weights from which on their gradient is split by tiles first
	NN_BLOCKS = 28
};

// The gradient of a convolution's input, one dimension: rows r, r+s, r+2s, … of the input (s the stride) are met by the same
// kernel rows. Row r + a*s receives gradient from output rows a+least, a+least+1, … through kernel rows first, first-s, ….
struct phase {
	int taps;  // how many kernel rows
	int first; // the largest of them
	int least; // may be negative
	int count; // how many such rows the input has
};

struct node_ops;
struct node {
	const struct op *op;
	const struct node_ops *does;
	int home;  // the operator of the whole that it is; -1: one that the whole lacks and that keeps nothing there
	int layer; // the layer of the whole that it is; -1: none
	struct shape in, out;
	float *x;          // output, [batch][h][w][c]
	float *grad;       // gradient of the output; NULL for the input
	float peak;        // largest magnitude of the output in the present pass; below 0: not known
	bool grad_written; // has a consumer written to grad in the present backward pass?

	// Parameters: places in the gradient, and the numbers themselves in the present pass. A layer's weights are
	// [kernel rows][kernel columns][in.c/groups][out.c].
	int parameter; // the first, among the network's
	long weights, weight_count;
	long bias, gain; // [out.c]; tokens: the positions, the class token
	long own;        // norms, where there are sets: what each has for itself, set by set: gain[c], bias[c]
	long own_stride; // from a set to the next
	const float *weights_now, *bias_now, *gain_now;
	const float *own_now; // of the set in use
	int follows;          // norms: the layer of the whole whose set they use; -1: there is none, and it is set 0
	int set;              // norms, in the present pass

	// Layers, in the present pass.
	struct grid grid;    // of the input activations
	float scale, range;  // likewise
	float *weight_scale; // [out.c]
	float *quantized;    // weights after rounding, [rows][out.c]
	float *forward; // the same packed: by group, by block of columns: [rows][KERNEL_BLOCK]; codes in units where it is integer
	bool exact;     // sums of products of codes of up to 8 bits are exact: see layer_reserve
	bool integer;   // in the present pass it multiplies codes: see integer.c
	struct layer_plan formats; // in the present pass
	bool stands;   // its weights are rounded and packed as the present pass wants them: it has them from the pass before
	int8_t *codes; // weights' codes, [rows][out.c]
	int32_t *column_sum;       // [out.c]: of the weights' codes
	int32_t *minus;            // [out.c]: see struct integers
	float *sum_scale;          // [out.c]: of sums of products of codes
	float *backward;           // packed for the gradient of the input
	bool paired;               // in the present pass its backward products are of pairs of bf16 numbers: see pairs.c
	const float *turned_scale; // [out.c], where it is paired: of the weights that are packed for the gradient of the input
	struct phase *phase[2];    // convolutions: by dimension, by remainder
	int before[2], after[2];   // margins of zeros around an image of output gradients, by dimension

	long partial_stride; // between chunks' partial sums of a gradient

	// A norm is not written out where all that read it can apply it themselves, and a layer that only a norm reads takes the norm's
	// gradient through itself: both save passes over memory.
	int reader;        // the first operator that reads this one, whose backward pass is the last to write to grad; -1: none
	struct node *norm; // layers: the norm that alone reads this one, else NULL
	bool can_wait;     // norms: every reader can apply it
	bool waits;        // norms: so it is in the present pass, and x is not filled
	bool resumes;      // a pass may begin here: what it reads of the operators before stands, whatever ran behind them
	double *sums; // norms, of the input: [NN_CHUNKS][2][c], sums and sums of squares; in the backward pass see kernels' affine_sums
	float *extremes; // norms, of the input: [NN_CHUNKS][2][c], lowest and highest

	// What a pass keeps for its backward pass, and small arrays: norms' [out.c], layer norms' normal and inverse, ….
	float *mean, *deviation_inverse, *gain_scale, *shift, *ka, *kb, *kc;
	float *kept, *inverse;
};

// The work of one thread: images with a margin, in cache.
struct scratch {
	float *image, *gradient, *back;
};

// Neighbours that a node learns: of the whole, or of the model that runs.
struct parameter {
	long at, count; // in the gradient, of the whole in its arrays
	enum fill { FILL_ZERO, FILL_ONE, FILL_HE, FILL_EVEN, FILL_TOKEN } fill;
	int fan;     // inputs of an output: FILL_HE, FILL_EVEN
	int op, set; // whose it is; of a norm's set: which; -1: what all sets share
	// Of the model that runs: where it is in the whole's arrays. A portion of what begins at `from`, in runs of `run`.
	long from, runs, run;
	struct portion portion;
	float *copy;       // of more than one run
	const float **now; // where its node has its numbers
};

// A stretch of a parameter, for the optimizer.
struct piece {
	int parameter;
	long first, count; // in the gradient
	double squares;    // of it, in the present update
};

// What a lay-out has memory in: kept from one to the next, and larger where that needs more.
enum room {
	ROOM_NODES,
	ROOM_PARAMETERS,
	ROOM_PIECES,
	ROOM_WORK,
	ROOM_GRADIENT,
	ROOM_LIVES,
	ROOM_ACTIVATIONS,
	ROOM_WRITTEN, // what norms that can wait write where they do not: untouched until then, and no memory is spent on it
	ROOM_ARRAYS,
	ROOM_SCRATCH,
	ROOM_PARTIAL,
	ROOM_SUMS,
	ROOM_ZEROS,
	ROOM_ONES,
	ROOMS
};

struct network {
	const struct model *whole; // whose numbers it keeps
	struct team *team;
	const struct kernels *kernels;
	int batch;
	float *weights;                               // numbers that passes use: `trained`, or `average`
	float *trained, *momentum, *second, *average; // [parameters]; the last two NULL where not kept
	float *ranges;                                // a moving range per layer of the whole, set by set
	float *statistics; // of norms, that a file gave: of the whole, at statistics_at[op]; mean[c], then variance[c]. NULL: none are kept
	long *statistics_at, statistics_count;
	int sets;           // 0: there are none
	bool outputs;       // NETWORK_OUTPUTS
	const uint8_t *set; // [whole->layers]: in use; NULL: all use the first
	long parameters;
	struct parameter *all; // of the whole
	int all_count;
	int *first, *first_set;  // [whole->ops]: an operator's first parameter, and the first of its sets
	float *peaks;            // [NN_CHUNKS]
	uint32_t *histograms;    // [NN_CHUNKS][RANGE_BINS]
	void *memory[NN_BLOCKS]; // all that is above, for freeing
	int blocks;

	// The lay-out: see nodes.c.
	const struct model *model; // that runs
	uint64_t settled;          // the id of its path; 0: it is the whole itself, or memory ran out
	struct node *node;         // [model->ops]
	float *gradient;           // [gradients]
	long gradients;
	struct parameter *parameter; // in use
	int parameter_count;
	int copies; // parameters of several runs
	struct piece *piece;
	int pieces;
	struct scratch *scratch; // [team size]
	float *partial;          // partial sums of gradients, a row per chunk
	double *sums;            // [NN_CHUNKS][2][most channels]: of biases, of gates
	int sum_stride;
	float *zeros, *ones; // [most channels]
	struct {
		void *at;
		size_t size;
	} room[ROOMS];

	// The present pass.
	const struct plan *plan;
	struct quantization quantization;
	enum pass pass;
	int images;
	struct calibration *calibration;
	struct errors *errors;         // that its backward pass fills; NULL: none
	const struct mixture *mixture; // that it rounds to; NULL: to the plan's formats
	struct frozen *frozen;         // that it fills, see frozen.h; NULL: none
};

struct calibration {
	int layers, ops; // of the whole
	double batches;
	float *range;    // [layers]: mean over the batches
	double *moments; // per norm: mean[c], then mean square[c]; at offset[op]
	long *offset;    // [ops]
	long moment_count;
};

// What a node takes of memory: counted first (base NULL), then cut with the same calls.
struct storage {
	const struct network *net;
	bool of_whole; // only the whole's parameters are wanted
	int op, first; // whose turn it is, and its first parameter
	float *base;
	long used, parameters;
	struct parameter *parameter; // NULL while counting
	int parameter_count, copies;
	long image, gradient, back, partial; // most of a node's, of scratch and partial sums
};
// Returns its place in the gradient. `now`: where the node wants to find its numbers in a pass.
long storage_parameter(struct storage *, const float **now, long count, enum fill, int fan);
// Of a norm's set.
long storage_set(struct storage *, const float **now, long count, int set);
float *storage_work(struct storage *, long count);
void storage_scratch(struct storage *, long image, long gradient, long back);
void storage_partial(struct storage *, struct node *, long count, int chunks);

long network_ranges(const struct network *);              // how many moving ranges there are
void *network_block(struct network *, size_t bytes);      // zeroed, freed with the network; NULL once memory has run out
void *network_room(struct network *, enum room, size_t);  // likewise; zeroed when it is new, and what was in it may be gone
bool optimizer_reserve(struct network *, unsigned keeps); // what the optimizer keeps; false: out of memory
bool optimizer_find_pieces(struct network *);             // of the lay-out; false: out of memory
void optimizer_clear(struct network *);

// nodes.c. False: out of memory, and nothing is laid out.
bool nodes_whole(struct network *);                     // the whole's parameters; once
bool nodes_make(struct network *, const struct path *); // NULL: the whole itself runs
// network.c: all that comes before the operators of a pass, the rounding and packing of weights included.
void pass_begin(struct network *, const struct plan *, const struct quantization *, enum pass, int images, struct calibration *);
void nodes_bind(struct network *);                       // gives the nodes the numbers that the coming pass uses
const struct node_ops *operator_of(const struct node *); // network.c

// What an operator does. Images, formats and mode are those of the network's present pass.
struct node_ops {
	void (*reserve)(const struct network *, struct node *, struct storage *);
	void (*prepare)(struct network *, struct node *); // rounds the weights; runs in parallel with other nodes' own
	void (*forward)(struct network *, struct node *);
	void (*backward)(struct network *, struct node *); // reads node->grad, writes or adds to the gradients of what it read
	bool keeps_input, keeps_output;                    // backward reads them
	bool pairs;                                        // its backward products may be of pairs
};
extern const struct node_ops conv_operator, pointwise_operator, depthwise_operator, norm_operator, layernorm_operator,
	act_operator, add_operator, scale_operator, concat_operator, average_operator, maximum_operator, tokens_operator,
	attention_operator, first_operator, arrange_operator, product_operator, combine_operator, affine_operator,
	function_operator, softmax_operator, reduce_operator;

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
void job_peak(const struct job *); // the peaks that the chunks left in net->peaks, into node->peak

// Where the gradient of input k goes, from pixel `pixel` of the batch on: its place, or `spare` where the place holds another consumer's
// or an earlier input's already. Call gradient_done with the same arguments once `pixels` of them are written, before input k + 1: it adds the spare to what is there, and
// takes the sums that a norm needs.
float *gradient_place(const struct job *, int k, long pixel, float *spare);
void gradient_done(const struct job *, int k, int chunk, long pixel, long pixels, float *spare);
// The same for a whole image.
float *gradient_image(const struct job *, int k, int image, float *spare);
void gradient_image_done(const struct job *, int k, int chunk, int image, float *spare);
void gradient_end(const struct job *); // after all images: the inputs' gradients are written

extern const double norm_epsilon; // is added to a variance
// norm.c: what the sets have for themselves.
void norm_reserve_sets(const struct network *, struct node *, struct storage *);
static inline long norm_set_size(const struct node *n)
{
	return 2L * n->out.c;
}
long norm_own(const struct node *, int set);                      // where what the set has for itself begins
static inline int layer_set(const struct network *net, int layer) // of the whole
{
	return net->set && layer >= 0 ? net->set[layer] : 0;
}
static inline bool parameter_is_weight(const struct parameter *p) // of a layer: only these decay
{
	return p->fill == FILL_HE || p->fill == FILL_EVEN;
}
// A set that is not in use rests: no pass reads it, and neither decay nor momentum moves it.
static inline bool parameter_rests(const struct network *net, const struct parameter *p)
{
	return p->set >= 0 && net->node[p->op].set != p->set;
}
// norm.c: adds to a chunk's sums and extremes; `fresh` at its first pixels.
void norm_add_sums(const struct network *, const struct node *, int chunk, bool fresh, const float *x, long pixels);

// layer.c: what operators with weights share.
void layer_reserve(struct node *, struct storage *, long rows,
	enum fill);                                           // weights of `rows` inputs an output, and a bias where it has one
void layer_quantize_weights(struct network *, struct node *); // fills node->quantized
float layer_range_in(struct network *, struct node *, int format); // of the present input, by the present estimator
float layer_spacing(const struct grid *, float v); // between a number's neighbours on the grid, in the grid's own unit
double layer_widest_step(const struct node *, const struct grid *); // of the weights next to 0, at the scale that is the largest
float layer_near_edge(struct network *, struct node *);             // see network_near_edges; of the present plan
void layer_find_range(struct network *, struct node *);             // fills node->grid, scale, range
// Packs columns first..first+columns of the quantized weights' rows, into whole blocks; returns where the next begin.
float *layer_pack(const struct node *, int first, int columns, float *to);
// Packs the transpose, for the gradient of the input: a block whose columns are `width` rows of quantized weights from `from` on, and whose rows
// are `depth` columns of theirs, or pairs of these.
float *layer_pack_turned(const struct network *, const struct node *, const float *from, int width, int depth, float *to);
// The rows of such a block of so many columns of weights.
long layer_turned_depth(const struct node *, int columns);
kernel_product *layer_backward_product(const struct kernels *, const struct node *);
void layer_find_phases(struct node *, struct storage *);
// Fills node->weight_scale for a format, and returns the grid that goes with it. Of a block format it is the tensor's in all places.
struct grid layer_weight_scales(struct network *, struct node *, int format);
// A format's grid as the present pass has it, of a layer's input where `positive` says what is known of that.
struct grid layer_grid(const struct network *, int format, bool positive);
// Rounds whole rows of some columns of weights, by the scales of these columns. Rows of blocks begin with a block.
void layer_round_weights(const struct network *, const struct grid *, const float *scale, const float *w, long row, long rows,
	long columns, float *to);
// How many of a pixel's numbers blocks divide up: `channels` of them from a block's first on, or a group's.
long layer_block_row(const struct node *, long channels);
// Rounds a pixel's numbers in place by blocks, within the groups that an operator has: `channels` of them from a block's first on.
void layer_round_blocks(const struct job *, const struct grid *, float scale, long pixels, long channels, float *y);
// At which range a format rounds the layer's input: the node's own, which is of the plan's format, or that without clipping.
float layer_range(const struct job *, int format);
// The layer's input, rounded, from pixel `pixel` of the batch on; alone: by the node's grid and scale, whether there is a mixture or not.
void layer_round(const struct job *, long pixel, long pixels, float *to);
void layer_round_alone(const struct job *, long pixel, long pixels, float *to);
// As layer_round, but in the grid's own unit where all numbers have one scale: layer_bare_scale, else 1.
void layer_round_bare(const struct job *, long pixel, long pixels, float *to);
float layer_bare_scale(const struct network *, const struct node *);
// integer.c. Before the weights are prepared: whether the layer's present formats have codes, which fills node->integer.
void integer_settle(const struct network *, struct node *);
// Rounds the weights to codes and packs them into node->forward, where a kernel row has `runs` runs, a group's channels or all of its pixels'.
void integer_prepare(struct network *, struct node *, int panels, int runs);
// After the range is found: how sums are scaled.
void integer_find_scales(struct network *, struct node *);
// What a product of columns first.. of a group takes, but for where A's parts lie.
struct integers integer_operands(const struct network *, const struct node *, int panels, int runs, int group, int first);
// The layer's input as codes, from pixel `pixel` of the batch on.
void integer_round(const struct job *, long pixel, long pixels, void *to);
// As layer_padded_input.
const void *integer_padded_input(const struct job *, int image, int worker);
// pairs.c. Before the weights are prepared: whether gradients are of pairs, which fills node->paired.
void pairs_settle(const struct network *, struct node *);
// Once node->weight_scale is filled: leaves node->quantized as the gradient of the input wants it, and fills node->turned_scale.
void pairs_round_weights(struct network *, struct node *);
// As layer_padded_input, in the places of floats: the pair at a pixel is its number and that of the pixel a stride further on.
const float *pairs_padded_input(const struct job *, int image, int worker);
// The gradient of a convolution's output: within its margins, for that of the input; without them, in rows of layer_inner_row, for that of the
// weights. Of pairs: in turn neighbours among a group's channels, times turned_scale, and neighbours among a row's pixels.
struct output_gradient {
	const float *padded, *inner;
};
struct output_gradient pairs_padded_gradient(const struct job *, int image, int worker, bool weights, bool inputs);
long pairs_input_size(const struct node *), pairs_gradient_size(const struct node *); // what they take of scratch, in floats
// frozen.c: takes what a node computed with, once its pass is over, into net->frozen.
void frozen_take(struct network *, struct node *);
// mixture.c: the same two of a mixture.
void mixture_weights(struct network *, struct node *); // fills node->quantized
void mixture_round(const struct job *, long pixel, long pixels, float *to);
// The gradient of its output likewise; where the layer has a norm, that norm's gradient taken through it.
void layer_output_gradient(const struct job *, long pixel, long pixels, float *to);
// An image within margins, row by row.
struct margins {
	void (*fill)(const struct job *, long pixel, long pixels, void *to);
	int before[2], after[2]; // by dimension
	size_t size;             // of a number
	int byte;                // what margins are made of
};
const void *layer_padded(const struct job *, const struct margins *, struct shape, int image, void *into);
// A convolution's input image within its padding, in the worker's scratch.
const float *layer_padded_input(const struct job *, int image, int worker);
// The floats of a row, and of the whole; of the gradient of the output those of a pixel, too. (The whole is not of pairs.)
long layer_input_row(const struct node *);
long layer_input_size(const struct node *);
long layer_gradient_pixel(const struct node *);
long layer_gradient_row(const struct node *);
long layer_gradient_size(const struct node *);
long layer_inner_row(const struct node *);
// Where a norm is next, pixels' sums are taken while they are in cache; `fresh` at a chunk's first pixels.
void layer_add_sums(const struct job *, int chunk, bool fresh, const float *y, long pixels);
// The straight-through gradient of a range that clips.
void layer_clip(const struct job *, long pixel, long pixels, float *dx);

// A part of a backward pass: some images' part of the gradient of some columns of the weights, added to `partial` (NULL: none), and,
// where `inputs` says so, the gradient of those images' inputs.
struct share {
	int chunk;
	int first, end; // columns
	float *partial;
	bool inputs;
};
typedef void share_work(const struct job *, struct span, int worker, const struct share *);
// The work of a convolution: each image within its padding and its gradient, in turn.
void layer_backward_images(const struct job *, struct span, int worker, const struct share *,
	void (*weights)(const struct kernels *, const struct node *, const float *x, const float *dy, int first, int end,
		float *into),
	void (*input)(const struct kernels *, const struct node *, const float *dy, float *dx));
// errors.c: around a layer's backward pass, and for each part of the gradient of its input.
void errors_begin(struct network *);
void errors_add_inputs(const struct job *, int chunk, int worker, long pixel, long pixels, const float *dx);
void errors_end(struct network *, const struct node *);
// Runs `work` over all shares and puts the gradients together; also the bias's.
void layer_backward(struct network *, struct node *, share_work *);
// Sums of chunks' partial gradients, times a scale, into the gradient of a parameter.
void layer_reduce_gradient(struct network *, const struct node *, long parameter, long count, int chunks, float scale);

static inline long shape_size(struct shape s)
{
	return (long)s.h * s.w * s.c;
}

static inline long pixels_of(struct shape s)
{
	return (long)s.h * s.w;
}

// What a norm reads, or any operator where one waits before it.
static inline const struct node *node_behind(const struct network *net, const struct node *n)
{
	return n->waits ? &net->node[n->op->in[0]] : n;
}

static inline float *node_image(const struct node *n, float *base, int image)
{
	return base + image * shape_size(n->out);
}

static inline int blocks_of(int n)
{
	return (n + KERNEL_BLOCK - 1) / KERNEL_BLOCK;
}

static inline long pairs_of(long n)
{
	return (n + 1) / 2;
}

static inline int least(int a, int b)
{
	return a < b ? a : b;
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A model is the description of a network: operators, shapes and wiring, without weights or formats. A plan (plan.h) is a model with
// a weight format and an activation format for every layer. `space` turns a choice into a plan, `nn` runs plans, `cost` prices
// them.
//
// Operators are listed in the order in which they can run: an operator reads only operators before it. Operator 0 is the input.
// Immutable once built: any thread may read.
#ifndef ENGINE_MODEL_MODEL_H
#define ENGINE_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/fault.h"
#include "engine/tensor/kernels.h"

enum {
	MODEL_NAME = 48,   // longest name of a layer, and
	MODEL_TITLE = 128, // of a model, with their final zeros
	MODEL_WORK = 128,
	MODEL_TOLD = 320,
	MODEL_NODE = 160,
};

struct shape {
	int h, w, c;
};

enum op_kind {
	OP_INPUT,
	OP_CONV,      // `window`, `groups`; depthwise: groups of one channel each
	OP_LINEAR,    // on every pixel's channels
	OP_NORM,      // batch norm: per channel over images and pixels; then `act`
	OP_LAYERNORM, // per pixel over its channels
	OP_ACT,       // `act` alone
	OP_ADD,       // two images of the same shape, then `act`: none, relu or relu6
	OP_SCALE,     // in[0] with each channel multiplied by the 1x1 image in[1]
	OP_CONCAT,    // channels of several images side by side
	OP_POOL,      // average over the whole image
	OP_AVERAGE,   // average over a window; beyond the edge counts as zero
	OP_MAXIMUM,   // maximum over a window, within the image
	OP_TOKENS,    // a learnt class token, then the pixels in a row, with a learnt position added to each: 1+h*w by 1
	OP_ATTENTION, // multi-head self-attention; the channels hold queries, keys and values, each heads * (c/3/heads)
	OP_FIRST,     // the first pixel alone: the class token
	// What networks from elsewhere have beside these. They take an image's numbers as they lie, row by row, whatever they mean.
	OP_ARRANGE, // `arrangement` says where each number comes from: reshaping, transposing, slicing, padding with constants, …
	OP_PRODUCT, // `heads` products of two matrices: in[0] is [heads][h/heads][k], in[1] [heads][k][c]
	OP_COMBINE, // two images of the same size, number by number, by `fn`
	OP_AFFINE, // times a learnt gain, where there is one, plus a learnt bias, where there is one; each repeats after `period` numbers
	OP_FUNCTION, // `fn` of each number
	OP_SOFTMAX,  // of each pixel over its channels
	OP_REDUCE,   // each pixel's channels become one, by `fn`
	OP_UNKNOWN,  // what a file asks for and nobody knows: it has a shape, and cannot run
	OP_KINDS
};

// What OP_COMBINE, OP_FUNCTION and OP_REDUCE work out. a and b are `alpha` and `beta` of the operator.
enum fn {
	FN_NONE,
	FN_ADD, // of two
	FN_SUBTRACT,
	FN_MULTIPLY,
	FN_DIVIDE,
	FN_LEAST, // of two, or of all
	FN_GREATEST,
	FN_SUM, // of all
	FN_MEAN,
	FN_LINEAR,       // of one: a*x + b
	FN_HARD_SIGMOID, // of one: min(1, max(0, a*x + b))
	FN_HARD_SWISH,   // x * min(1, max(0, x/6 + 1/2))
	FN_CLIP,         // min(b, max(a, x))
	FN_LEAKY,        // x, below 0 a*x
	FN_ELU,          // x, below 0 a*(exp(x) - 1); times b
	FN_TANH,
	FN_ERF,
	FN_EXP,
	FN_LOG,
	FN_ROOT,
	FN_POWER,      // x to the power a
	FN_RECIPROCAL, // a / x
	FN_ABSOLUTE,
	FN_SOFTPLUS,
	FN_MISH,
	FN_GELU_TANH,   // by a hyperbolic tangent
	FN_QUICK_SWISH, // x * sigmoid(a*x)
	FNS
};

// Where the numbers of OP_ARRANGE come from: index[i] < 0 means constant[-1 - index[i]], else a number of what the operator reads, its
// inputs counted one behind the other.
struct arrangement {
	long count;
	int *index;
	int constants;
	float *constant;
};

struct window {
	int h, w, stride, pad_h, pad_w; // of a convolution or a pooling; pad: on either side
	int far;                        // additional padding below and to the right, for even windows that keep the size
};

enum { MODEL_INPUTS = 8 };

struct op {
	enum op_kind kind;
	enum act act;
	int in[MODEL_INPUTS], inputs; // the operators it reads
	struct shape out;
	struct window window;                  // OP_CONV, OP_AVERAGE, OP_MAXIMUM
	int groups;                            // OP_CONV
	int heads;                             // OP_ATTENTION, OP_PRODUCT
	bool bias;                             // OP_CONV, OP_LINEAR, OP_AFFINE
	bool gain;                             // OP_AFFINE
	bool bare;                             // OP_LAYERNORM: without a learnt gain and bias, which stay 1 and 0
	bool inside;                           // OP_AVERAGE: what is beyond the edge does not count
	long period;                           // OP_AFFINE
	enum fn fn;                            // OP_COMBINE, OP_FUNCTION, OP_REDUCE
	float alpha, beta;                     // OP_FUNCTION; OP_LAYERNORM: alpha is its epsilon, 0: 1e-6
	const struct arrangement *arrangement; // OP_ARRANGE; of the model
	int layer;                             // its index among the layers; -1: it has no quantized weights
	uint64_t key; // the same in every model that one description gives: of layers by name, of others by what they read
};

// What a file of a quantized network says of numbers: the name of their format (quant/format.h), and what told it: "its type". NULL: nothing.
struct told {
	const char *format, *by; // valid for good
};

// An operator with weights and the input activations it reads. The search chooses formats for layers.
struct layer {
	char name[MODEL_NAME];
	int op;
	struct shape in, out;
	double macs, weights, activations; // for one image; weights without bias
	double attention_macs;             // of the attention that reads it: its two products have no weights
	double biases;                     // of the operator itself, not of a batch norm
	bool positive;                     // its input is known to be non-negative
	struct told told[2];               // of its weights and of its inputs
	// Where the description has choices: it is there only while slot `owner` holds one of the options `when`. -1: always.
	int owner;
	uint32_t when;
};

struct model {
	char name[MODEL_TITLE];
	int ops, layers, classes;
	struct op *op;
	struct layer *layer;
	double macs, attention_macs;          // for one image: of all layers; of attention's two products
	double weights, parameters;           // parameters: weights, biases, norms, tokens
	double activations, most_activations; // numbers read for one image by all layers; by the layer that reads the most
	struct arrangement **arrangement;     // [arrangements]
	int arrangements;
	bool sized; // its name or file fixes the side of its images: larger ones are made smaller (engine/data)
	int unknowns;
	char (*unknown)[MODEL_NODE]; // [unknowns]: the file's nodes that are OP_UNKNOWN: "Warp the/odd/one"
	char told[MODEL_TOLD];       // of a quantized file: what was left out or put back, in clauses; "": nothing
	struct picks *picks;         // while it is being built for a blueprint
};

void model_free(struct model *);
bool model_runs(const struct model *, struct fault *);         // whether all its operators are known; else a fault names one
struct model *model_copy(const struct model *);                // NULL: out of memory
const char *model_kind(enum op_kind);                          // "conv", "linear" ...
const char *model_layer_kind(const struct model *, int layer); // "conv", "depthwise", "grouped", "linear"
// Writes what a layer does to an image, "conv 3x3/2 32x32x16 to 16x16x32", "grouped 3x3/1 8x8x64 to 8x8x64 by 4", "linear 1x1x64 to
// 1x1x10": layers of any networks with the same text take the same time. Returns buf.
const char *model_layer_work(const struct model *, int layer, char buf[MODEL_WORK]);

// ---- building: each adds an operator and returns its index; -1 once memory has run out (model_finish then fails) ----
struct model *model_new(const char *name, struct shape input, int classes); // NULL: out of memory
struct shape model_shape(const struct model *, int op);                     // of an operator's output
bool model_non_negative(const struct model *, int op);                      // whether its output is known to be
struct window window_of(int kernel, int stride);                            // square; padded to keep the size at stride 1
int model_conv(struct model *, const char *layer, int in, int channels, struct window, int groups, bool bias);
int model_linear(struct model *, const char *layer, int in, int outputs); // with bias
int model_dense(struct model *, const char *layer, int in, int outputs, bool bias);
int model_norm(struct model *, int in, enum act);
int model_layernorm(struct model *, int in);
int model_act(struct model *, int in, enum act);
int model_add(struct model *, int a, int b, enum act);
int model_scale(struct model *, int image, int gate);
int model_concat(struct model *, const int *in, int count);
int model_pool(struct model *, int in);
int model_window(struct model *, enum op_kind, int in, struct window); // OP_AVERAGE or OP_MAXIMUM
int model_average_inside(struct model *, int in, struct window);       // OP_AVERAGE of what is within the image
int model_tokens(struct model *, int in);
int model_attention(struct model *, int in, int heads);
int model_first(struct model *, int in);
int model_arrange(struct model *, const int *in, int count, struct shape out,
	struct arrangement *); // takes the arrangement, also where it fails
int model_product(struct model *, int a, int b, int products);
int model_combine(struct model *, int a, int b, enum fn);
int model_affine(struct model *, int in, bool gain, bool bias, long period);
int model_function(struct model *, int in, enum fn, float alpha, float beta);
int model_softmax(struct model *, int in);
int model_reduce(struct model *, int in, enum fn);
int model_unknown(struct model *, const int *in, int count, struct shape out, const char *node);
int model_layernorm_by(struct model *, int in, float epsilon);
int model_reshape(struct model *, int in, struct shape); // the same numbers in another shape; in itself where it has that one
void arrangement_free(struct arrangement *);
// Adds up the totals and returns the model. Frees it and fails if memory ran out, or if an operator's output is empty or too
// large to hold; the fault names that operator.
struct model *model_finish(struct model *, struct fault *);

// ---- the networks by name ----
// Builds NAME or NAME:key=value,key=value: "resnet20", "mobilenetv2:width=0.5". One function builds the networks of a family, at
// any size; images of 64 pixels a side or less get a stem and strides that suit them. An input of {0, 0, 0} means the network's
// own, and classes 0 its own number: those of ImageNet, or of CIFAR-10 for the small networks; `res=` sets another side. A name
// that holds a slash or ends in .net is the path of a file for model_read.
enum { MODEL_SMALL_SIDE = 64 };
struct model *model_named(const char *name, struct shape input, int classes, struct fault *);
// Gives the side of images that a name fixes by `res=`, or a file by `resize`; 0: it takes them as they are.
bool model_side(const char *name, int *side, struct fault *);

// How a network is scaled: multiples of its own depth and width; the side of its images, 0: as it is.
struct model_scale {
	double depth, width;
	int side;
};
// Gives the depth, the width and the side that a network of the catalog has by its name. Returns false with a fault as model_scaled.
bool model_scale_of(const char *name, struct model_scale *, struct fault *);
// Writes the name of the same network scaled: "resnet20:res=24,width=1.25,depth=1.33". Returns false with a fault for a file, a
// network that takes none of the keys, or a value beyond a key's limits.
bool model_scaled(const char *name, const struct model_scale *, char scaled[MODEL_TITLE], struct fault *);

// A row of the catalog of networks. All but `keys` is valid for good.
struct catalog_row {
	const char *name, *help;
	const char *keys;   // what may follow the name: "res=8..4096 width=0.1..4"; valid until the thread's next call
	struct shape input; // its own
	int classes;
};
bool model_catalog(int index, struct catalog_row *); // false: the index is past the last row
const char *const *model_names(void);                // NULL-terminated; valid until the thread's next call

// ---- networks as text ----
// One line per operator, in the order in which they run: NAME KIND key=value ... `#` begins a comment. The first line is the size
// of the images; the second, which may be left out, is the number of classes:
//	input 32x32x3
//	classes 10
//	stem      conv out=16 kernel=3
//	one       norm act=relu
//	b1.conv1  conv out=16 kernel=3
//	two       norm act=relu
//	sum       add  in=two,one act=relu
//	pooled    pool
//	head      linear out=classes
// Names consist of letters, digits and ._-; those of conv and linear become the layers' names. KIND is any word of model_kind
// except input. `input 24x24x3 resize` asks that images of data that are larger be made smaller, to this size; without it, a data
// set gives the size. `input 32x32x3 side=16|24|32` leaves the side open, slot input.side. in= names what an operator reads, lines above or `input`; without it, the line before. add and scale (an image
// and its gate) read two, concat up to 8, all others one. Further keys, with their defaults:
//	out=              conv, linear: channels; `classes`: the number of classes
//	kernel=           conv, average, maximum: 3, or rows x columns: 1x7
//	stride=1 pad= far=  of the same. pad, 1 or 0x3, is on either side; far, 0 or 1, is added below and to the right. With
//	                  pad left out, both keep the size at stride 1 (far: even kernels); with pad given, far is 0
//	groups=1 bias=no  conv; `groups=each`: depthwise; `bias=yes`. Of linear, bias=yes is usual
//	heads=            attention
//	act=none          norm, add, act (which must have it): none, relu, relu6, swish, gelu, sigmoid
//
// A description may leave choices open (blueprint.h). Several values with bars between, of out=, kernel= or act=, are the options of a slot:
// `b1.conv1 conv out=16 kernel=3|5|7` has the slot b1.conv1.kernel; out= gives NAME.width and act= NAME.act. Lines between
// `block NAME depth=off|on` and `end` may be absent, by the slot NAME.depth; blocks may stand within blocks. Behind `end`, NAME
// means what the block puts out: its last line, or, where it is absent, the line before it. Write options from small to large: the last
// one of each makes the largest network, which is what model_read builds.
//	block b2 depth=off|on
//	b2.conv   conv out=16 kernel=3|5
//	b2.norm   norm act=relu|swish
//	end
//
// Reads a model. The images' size and the classes are the file's if `input` is {0, 0, 0}, else the caller's, as in model_named.
// Something must read every operator but the last, whose output must be one pixel with one channel per class. A file of more than
// 1 MB or 10,000 operators is refused. The model's name is the path, `#` and a checksum of the contents. Faults name the file and
// the line.
struct model *model_read(const char *path, struct shape input, int classes, struct fault *);
// Writes a model that model_read reads back, operator for operator; one that is not a layer is named by its kind and index.
// Returns false if the file could not be written, or with a fault if the model has an operator that text has no kind for.
bool model_write(const struct model *, FILE *, struct fault *);

#endif

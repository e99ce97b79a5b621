// SPDX-License-Identifier: GPL-3.0-or-later
// A model made to run: shared fp32 weights, trained and evaluated under plans. One path is computed at a time, so memory
// does not grow with the number of formats. Memory is taken by network_new and network_settle; no pass allocates.
//
// Where the architecture may vary, weights and all that is learnt beside them are those of the whole network, and what runs is a path through
// it (plan.h). Passes and updates then give the very bits that the path's model would give alone with the same numbers. What a path does not
// use is neither decayed nor moved, and its momentum and average rest. Layers are those of the whole here, but in plans.
//
// A network belongs to one thread, which passes run in parallel over its team. Results do not depend on the team's size.
#ifndef ENGINE_NN_NN_H
#define ENGINE_NN_NN_H

#include <stdint.h>

#include "engine/base/look.h"
#include "engine/base/fault.h"
#include "engine/model/plan.h"
#include "engine/model/weights.h"
#include "engine/quant/range.h"
#include "engine/tensor/team.h"

struct network;

// What a network may keep beside weights and momentum, as bits.
enum { NETWORK_SECOND_MOMENTS = 1, NETWORK_AVERAGE = 2, NETWORK_STATISTICS = 4, NETWORK_OUTPUTS = 8 };
// Makes a network for passes of up to `batch` images. It borrows the whole model and the team, which must outlive it. `path`: what runs
// first, the largest of all paths, say; NULL: the whole itself, now and always. `sets`: how many sets of their own batch norms and
// moving ranges have (below); 0: none.
struct network *network_new(const struct model *whole, const struct path *path, int batch, unsigned keeps, int sets,
	struct team *, struct fault *);
void network_free(struct network *);
// Lays the network out for a plan's path, if it is not laid out for it already. Call it when the path was settled anew, before
// network_input and the passes, and before network_near_edges; the network borrows the path's model until the next call. The memory that it
// takes is kept for later paths: to have all of it at the start, settle the largest paths once. Returns false with a fault if memory runs
// out: then nothing may run until a call succeeds. Of a plan without a path there is nothing to do.
bool network_settle(struct network *, const struct plan *, struct fault *);

// Where a network has sets, a batch norm's gain and bias are the sum of what all sets share and of what one set has for itself, which
// begins at 0; and there is a moving range for every set. So a set that is new begins with what the others have learned. Says
// which set each layer of the whole, and the norm behind it, uses from here on: set[layers], borrowed. Passes train no other set.
void network_use_sets(struct network *, const uint8_t *set);
void network_copy_set(struct network *, int from, int to); // with its momentum and all that is kept for it

// Fresh weights: He normal for convolutions (He et al., 2015, eq. 10), uniform +-1/sqrt(inputs) for linear layers, normal of deviation 0.02
// for tokens; no momentum.
void network_initialise(struct network *, uint64_t seed);

// Where the trained numbers of one parameter of the whole lie, by the operator and the part that parameters.h counts; for reading and for
// putting others there, which the passes use from then on. Momentum and averages know nothing of it.
float *network_parameter(struct network *, int op, int part, long *count);
// Begins with what a file had learnt (model_weights of the whole). False with a fault: a number is not finite.
bool network_take_weights(struct network *, const struct weights *, struct fault *);

// Weights from a file, by the names of parameters.h, each of which must be there and none besides. A batch norm's mean and variance are
// NAME.running_mean and NAME.running_var. A network that keeps NETWORK_STATISTICS needs them, and uses them in all passes in place of those of
// images; its gradients then take them as given. Where a norm that alone reads a layer is not in the file and the layer's bias is, they were
// folded: the norm then adds that bias. `fold` does the same here: the weights are multiplied by gain / deviation. Returns false with a fault:
// the file is of another network, or a number is not finite; the network is then only fit for network_free.
struct safetensors;
struct calibration;
bool network_read_weights(struct network *, const struct safetensors *, bool fold, struct fault *);
// Hands each parameter of the model that runs to `each`, in PyTorch's order of its numbers, as the next pass would use it; batch norms with
// their statistics: kept ones, or the calibration's. `fold`: a norm that alone reads a layer goes into its weights and a bias. Returns
// false: out of memory, or `each` returned false.
typedef bool network_each_weight(const char *name, int rank, const int *size, const float *numbers, void *context);
bool network_each(struct network *, const struct calibration *, bool fold, network_each_weight *, void *context, struct fault *);

// The network's numbers: weights, momentum, moving ranges, and what else it keeps. For saving, restoring and digests.
struct network_array {
	const char *name;
	float *data;
	long count;
};
enum { NETWORK_ARRAYS = 6 };
int network_arrays(struct network *, struct network_array[NETWORK_ARRAYS]); // returns how many
// A copy of these numbers, with which a network can change places: passes and updates use the copy from then on, and what it was made
// of rests, until they change places again. Momentum begins at rest in it. A network is freed with its own numbers in place.
struct network_copy;
struct network_copy *network_copy_new(struct network *, struct fault *);
void network_copy_free(struct network_copy *);
void network_exchange(struct network *, struct network_copy *);
// Makes passes use the average of the weights, where one is kept. Training must not use it.
void network_use_average(struct network *, bool);

// How activations and weights are quantized, beside the formats.
struct quantization {
	enum range_kind range;  // of activations; weights use their largest magnitude
	double percentile;      // RANGE_PERCENTILE
	bool per_channel;       // weight ranges per output channel, else per layer
	bool unsigned_positive; // unsigned integers where a layer's input is known to be non-negative
	enum block_rule blocks; // how block formats find the scales of blocks
	bool binary;            // scales are powers of two, rounded up so that nothing more is clipped; but those of blocks
	enum gradients {
		GRADIENTS_FP32,
		GRADIENTS_BF16
	} gradients; // what layers' backward products multiply; not depthwise ones
};

// Statistics and ranges estimated for one plan on fixed images, instead of the running averages that would mix all
// formats. A pass in mode CALIBRATE adds its batch to it; passes in mode FIXED use it. It is of one path: clear it before the first pass in
// mode CALIBRATE of another.
struct calibration;
struct calibration *calibration_new(const struct network *, struct fault *);
void calibration_free(struct calibration *);
void calibration_clear(struct calibration *);
void calibration_set_range(struct calibration *, int layer, float range); // in place of what was estimated
float calibration_range(const struct calibration *, int layer);           // of the layer's input activations; 0: it rests

enum pass {
	PASS_TRAIN,     // the batch's own statistics and ranges; keeps what network_backward needs; moves moving ranges
	PASS_SAMPLE,    // the batch's own statistics and ranges; no state is changed
	PASS_CALIBRATE, // as PASS_SAMPLE, and adds them to the calibration
	PASS_FIXED,     // statistics and ranges of the calibration: the result for an image does not depend on its batch
};

// Where the images of the next pass go: [batch][h][w][c], of the size that the model that runs has, to be filled by the caller.
float *network_input(struct network *);
// Forward over the first `images` of the input. The calibration is for the modes that name it, else NULL.
void network_forward(struct network *, const struct plan *, const struct quantization *, enum pass, int images,
	struct calibration *);
// As network_forward in mode SAMPLE, behind such a pass over the same images with the same weights, settings and path, whose plan alone was
// another: leading operators that both plans make alike are not computed again, nor are weights rounded again to the format that they have.
// The bits are those of network_forward. Returns the share of the pass's multiplications that it left out; below 0: the images are gone, and
// nothing was done.
double network_forward_again(struct network *, const struct plan *);
// The ranges of layers' inputs in the last pass, as they would be for other formats: range[layers of the model that runs][formats]. The network
// must keep NETWORK_OUTPUTS.
void network_find_ranges(struct network *, const int *format, int formats, float *range);
// Goes through the last pass again from a layer on, after the plan's formats of that layer, or of later ones, changed: `changed` lists them.
// Gives the same as the whole pass. The network must keep NETWORK_OUTPUTS: then each operator's output has a place of its own, nothing has a
// gradient, and backward passes are not for it.
void network_forward_from(struct network *, int layer, const int *changed, int count);
// A forward pass in mode FIXED that tells how many seconds each operator of the model that runs takes: seconds[operators]. Weights are
// rounded and packed before that, as for inference they would be once. An operator that is applied where its output is read takes no time of its own.
void network_time(struct network *, const struct plan *, const struct quantization *, int images, struct calibration *,
	double *seconds);
// The outputs of the last forward pass: [images][classes].
const float *network_logits(const struct network *);

struct loss {
	double mean;  // cross-entropy, with label smoothing where asked for
	long correct; // images whose label is the most likely class
};
// Of the last forward pass. Also sets up the gradient that network_backward starts from.
struct loss network_loss(struct network *, const uint16_t *labels, int images, double smoothing);
// What the last forward pass says of each image.
struct judged {
	bool correct; // its label is the most likely class
	bool agrees;  // its most likely class is that of the other outputs
	double loss;  // cross-entropy
	double divergence; // Kullback-Leibler, of these outputs' probabilities from the other's, in nats: sum of p log(p/q), p the other's
};
// By labels, and beside other outputs, [images][classes]; either may be NULL, and what goes by it is then 0.
void network_judge(const struct network *, const uint16_t *labels, const float *other, int images, struct judged *);
// Gradients of the mean loss; after PASS_TRAIN and network_loss.
void network_backward(struct network *);
// Formats that are mixed: in place of those of the plan, a layer's weights are the sum over formats of a share times what rounding to it gives,
// and so are its input activations (EdMIPS: Cai and Vasconcelos, CVPR 2020). There is one convolution, however many formats there are, and
// no memory beyond that of one path. Ranges are those of the plan. How the loss changes with a share are the linear terms of the errors
// that are watched, up to what is the same for all shares of a layer's weights or inputs.
struct mixture {
	int formats;
	const int *format;                // [formats]
	const float *weight, *activation; // [layers][formats]; those of a layer add up to 1
};
void network_mix(struct network *, const struct mixture *); // passes from here on, borrowed; NULL: the plan's formats again
// The gradients of the last backward pass, laid out as the array "weights" is in a network of the model that runs alone.
const float *network_gradient(const struct network *);
// What rounding a layer to other formats would do to the loss, by the gradients of a backward pass, each layer on its own: of weights
// and of input activations the linear term, the sum of gradient times error, and Fisher's, half the mean over images of the sum of
// (gradient times error) squared, the error being that of rounding to the format. Of weights the gradients are known for all images
// together only: an image's is taken for the whole's root of `images` times, as for gradients that have no mean. The network's own
// input has no gradient, and 0 here. The network borrows what it fills.
struct errors;
enum { ERROR_WEIGHT_LINEAR, ERROR_WEIGHT_SQUARE, ERROR_INPUT_LINEAR, ERROR_INPUT_SQUARE, ERRORS };
struct errors *errors_new(const struct network *, const int *format, int formats, struct fault *);
void errors_free(struct errors *);
// Backward passes from here on fill it, of inputs from every `every`th image, the first being image `turn`; NULL: none does.
void network_watch_errors(struct network *, struct errors *, int every, int turn);
const double *errors_values(const struct errors *); // of the last pass: [layers][formats][ERRORS]; 0 for layers that rest
// SGD with Nesterov momentum (Sutskever et al., 2013), or AdamW (Loshchilov and Hutter, 2019).
struct optimizer {
	enum optimizer_kind { OPTIMIZER_SGD, OPTIMIZER_ADAMW } kind; // AdamW: the network must keep second moments
	double rate;
	double momentum, beta2; // AdamW: both betas
	double decay;           // of layers' weights only; AdamW's is decoupled from the gradient
	double clip; // a longer gradient is scaled down to it; 0: never. The straight-through gradient of a narrow format can be wild
	double average; // how much the average of the weights keeps, in the end; at first less: (1 + step)/(10 + step)
};
// One step of what the last backward pass used; `step` counts from 0. Returns the gradient's length; where that is not a number, nothing is changed.
double network_update(struct network *, const struct optimizer *, long step);

// Per layer, the share of its weights that stand within an eighth of a step of the plan's format from an edge, where rounding tips
// over: more than 3/8 from the code that they round to (RFQuant, CVPR 2024). Even weights would give a quarter. Layers that rest: NAN.
// Rounds anew.
void network_near_edges(struct network *, const struct plan *, const struct quantization *, float *share);
// One layer of the whole, look->layer (below 0: none), and what each of look->options formats makes of its weights, its inputs and its output,
// in a pass as PASS_SAMPLE over `images` that are loaded; look->there stays false where it rests. Of all layers, the signal to noise of their
// outputs in the plan's formats: noise[layers of the whole], NAN: it rests; and, if `formats` is not NULL, in each of the formats:
// formats[layers of the whole][LOOK_OPTIONS]. In memory of its own; no number of the network is changed. False: out of memory.
bool network_look(struct network *, const struct plan *, const struct quantization *, const int *format, int images,
	struct layer_look *, double *noise, double *formats, struct fault *);
// Per layer, the sum of the squares of what rounding its weights to the plan's format changes; 0: it rests. Rounds anew.
void network_rounding(struct network *, const struct plan *, const struct quantization *, double *error);
// How the loss curves in a layer's weights: for a vector v of +-1, a sign for each of its weights by the key, push adds v times a number to
// them, along returns the product of v with their gradient of the last backward pass. By how much that changes along v is a sample of the trace
// of the Hessian's block (Hutchinson, 1990). Size: the root of the mean square of its weights.
double network_weight_size(const struct network *, int layer);
void network_push(struct network *, int layer, uint64_t key, double by);
double network_along(const struct network *, int layer, uint64_t key);
// The largest magnitude of the weights of a layer that the path uses; 0: it rests.
float network_weight_peak(const struct network *, int layer);

#endif

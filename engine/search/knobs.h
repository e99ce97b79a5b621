// SPDX-License-Identifier: GPL-3.0-or-later
// The settings of a search: one list (KNOBS) feeds the struct of values, the table of names, ranges and help, the parser
// and the manifest. engine.h's struct config is made here.
#ifndef ENGINE_SEARCH_KNOBS_H
#define ENGINE_SEARCH_KNOBS_H

#include "engine/cost/cost.h"
#include "engine/data/data.h"
#include "engine/engine.h"

enum { SEARCH_HORIZON = 10000000 }; // most steps
enum knob_reward { REWARD_ABS, REWARD_RELU, REWARD_MNAS };
enum knob_quality { QUALITY_ACCURACY, QUALITY_LOSS, QUALITY_AGREEMENT, QUALITY_PIPE };
enum knob_baseline { BASELINE_AVERAGE, BASELINE_OTHERS };
enum knob_additive { ADDITIVE_OFF, ADDITIVE_CONTROL, ADDITIVE_ALONE };
enum knob_decide { DECIDE_TIED, DECIDE_SPLIT };
enum knob_path { PATH_UNIFORM, PATH_POLICY, PATH_FAIR };
enum knob_start { START_UNIFORM, START_WIDE };
enum knob_optimizer { KNOB_SGD, KNOB_ADAMW };
enum knob_augment { KNOB_AUGMENT_AUTO, KNOB_AUGMENT_NONE, KNOB_AUGMENT_CROP, KNOB_AUGMENT_FLIP };
enum knob_norm_sets { NORM_SETS_ONE, NORM_SETS_FORMAT, NORM_SETS_LANE };
enum knob_norms { NORMS_KEPT, NORMS_FOLDED };
enum knob_statistics { STATISTICS_GIVEN, STATISTICS_ESTIMATED };
enum knob_scales { SCALES_CHANNEL, SCALES_LAYER };
enum knob_scale { SCALE_FLOAT, SCALE_PO2 };
enum knob_reach { REACH_ANY }; // else a reader of export/reach.h
enum knob_blocks { BLOCKS_FLOOR, BLOCKS_UP, BLOCKS_SEARCH };
enum knob_task { TASK_TRAIN, TASK_SERVE };
enum knob_axes { AXES_WHOLE, AXES_ANY };

// A word, and the text behind it where it takes one.
struct spoken {
	int word;
	char text[ENGINE_TEXT];
};

// I: whole number, R: real, W: one of some words, S: likewise, some of which take a text behind a colon, T: text
//   field, name, default, low, high, live, help
// clang-format off
#define KNOBS(I, R, W, S, T)                                                                                             \
	T(net, "net", "resnet8", "resnet8|resnet20|resnet18-fliqs|mobilenetv2|efficientnet|inception|deit|NAME:KEY=VALUE,...|FILE", false, \
		"the network; `catalog` lists all")                                                                    \
	T(data, "data", "glyphs", DATA_WORDS "none", false,                                                           \
		"the images: embedded, a folder of CIFAR-10 or IDX files, of pictures or arrays; none: nothing is trained")                                         \
	I(resize, "resize", "0", 0, 512, false, "with data=images: the shorter side that pictures are made, by PIL's bilinear filter; 0: as they are") \
	I(crop, "crop", "0", 0, 512, false, "with data=images: the side of the square that is taken from their centre; 0: all of them") \
	T(mean, "mean", "own", "own|0.485,0.456,0.406", false, "what is taken from pixels of 0 to 1, by channel; own: the mean of the training images") \
	T(deviation, "deviation", "own", "own|0.229,0.224,0.225", false, "what they are then divided by; own: the deviation of the training images") \
	T(init, "init", "none", "none|FILE.safetensors", false, "the weights to begin with: a file, by the names that `export weights` gives") \
	W(norms, "norms", "kept", "kept|folded", false, "with init=: batch norms as they are, or folded into the weights before them") \
	W(statistics, "statistics", "given", "given|estimated", false,                                                 \
		"with init=: batch norms' mean and variance, as the file gives them, in training too; or by images, as without a file") \
	T(sensitivity, "sensitivity", "none", "none|hawq|FILE", false,                                                 \
		"with data=none: the table that quality is worked out from")                                          \
	T(space, "space", "wide", "wide|int-s|int-l|fp-s|fp-l|mx|mixed", false,                                           \
		"the formats to choose from: a named space or a list such as int4,int8,e4m3")                          \
	W(reach, "reach", "any", "any|ort|openvino|qonnx|aimet|c", false,                                               \
		"for whom the network is to leave (`export`): the space is without formats that this program does not run") \
	T(pod, "pod", "none", "none|tpu_v4|tpu_v5p|tpu_v5e|tpu_v3|FILE", false,                                        \
		"a machine of many chips to divide a job over, instead of a network; `pods` lists all")                \
	T(work, "work", "gpt3", "gpt3|palm_540b|palm_62b|gopher_280b|lamda_137b|llama2_70b|NAME:KEY=VALUE,...", false,  \
		"with pod=: the transformer that runs on it, or one with other sizes: gpt3:layers=48,width=6144")      \
	T(chips, "chips", "512", "512|8,16,32,64", false, "with pod=: how many chips a slice may have, or several such numbers") \
	W(axes, "axes", "whole", "whole|any", false,                                                                   \
		"with pod=: parts are products of whole axes of the slice, or of any factors of them, which are lines without wraparound") \
	W(task, "task", "train", "train|serve", false, "with pod=: whether the transformer is trained or served")      \
	I(sequences, "sequences", "0", 0, 1e9, false,                                                                  \
		"with pod=: sequences a step, or served at once; 0: the transformer's own batch, 8 in serving")        \
	I(context, "context", "0", 0, 1e7, false, "with pod= in serving: tokens that a sequence has; 0: the transformer's own") \
	R(tokens, "tokens", "3e11", 1, 1e18, false, "with pod= in training: tokens of the run that energy and carbon are of") \
	T(site, "site", "average", "average|oklahoma|georgia|taiwan|north_carolina|iowa|us|PUE/GROSS/NET", true,     \
		"with pod=: where it stands, for energy and carbon; `carbon sites` lists all, or one's own figures: 1.2/0.3/0.1") \
	I(day, "day", "0", 0, 3650, true, "in the view of racks: the day; what is moved there counts from its day on") \
	R(availability, "availability", "99.5", 0.1, 100, true, "in the view of racks: the share of time, in percent, that a host is up") \
	I(spares, "spares", "0", 0, 159, true, "in the view of racks: how many of them are held back")                 \
	T(jobs, "jobs", "mix", "mix|8x8x8|4x4x4:3,8x8x8:1", true,                                                      \
		"in the view of racks: the slices that jobs ask for; mix: those of a day of November 2022")            \
	T(device, "device", "tpu_v4", "", true,                                                                       \
		"the device of the cost terms latency and energy; `devices` lists all")                                \
	W(decide, "decide", "tied", "tied|split", true, "a layer's weight and activation formats: one decision or two")   \
	W(searcher, "searcher", "annealed", SEARCHER_WORDS, true, \
		"what finds the choice: the search, or a rival of it")                                                  \
	R(choose_at, "choose-at", "0.5", 0, 1, true,                                                                     \
		"searchers that measure once: the share of the horizon at which they do, and choose")                   \
	I(hessian_vectors, "hessian-vectors", "32", 1, 1e6, false,                                                       \
		"sensitivity-hessian: the vectors that estimate a layer's trace, one a step; each takes two passes forward and back") \
	W(preset, "preset", "live", "live|fliqs|tunas", false, "a named set of the knobs below")                       \
	I(steps, "steps", "1500", 1, SEARCH_HORIZON, false, "horizon: the steps that the schedules are laid over")                \
	I(seed, "seed", "1", 0, 9e15, false, "seed of every random stream")                                            \
	I(batch, "batch", "64", 2, 1024, false, "images in a training step")                                           \
	I(threads, "threads", "0", 0, 256, false, "worker threads; 0: one per processor")                              \
	I(train, "train", "0", 0, 1e9, false, "training images used; 0: all")                                          \
	I(heldout, "heldout", "2048", 4, 1e9, false, "training images set aside: half for the policy, half for reports") \
	W(augment, "augment", "auto", "auto|none|crop|flip", false, "random crops, or crops and mirror images")        \
	R(rate, "rate", "0.1", 0, 10, true, "peak learning rate of the weights")                                       \
	R(rate_warmup, "rate-warmup", "0.05", 0, 1, false, "share of the horizon over which the rate grows from 0")    \
	R(rate_fall, "rate-fall", "0.25", 0, 1, true, "share of the horizon, the last, over which the rate falls to 0; before, it stays") \
	W(optimizer, "optimizer", "sgd", "sgd|adamw", false,                                                           \
		"SGD with Nesterov momentum, or AdamW (where not set: rate 0.001, decay 0.01)")                        \
	W(gradients, "gradients", "fp32", "fp32|bf16", true,                                                           \
		"what the products of layers' gradients multiply: bf16 rounds the outputs' gradients, and is faster on processors that multiply it") \
	R(momentum, "momentum", "0.9", 0, 0.9999, true, "Nesterov momentum; AdamW's first decay")                      \
	R(beta2, "beta2", "0.999", 0, 0.999999, true, "AdamW's second decay")                                          \
	R(decay, "decay", "0.0005", 0, 1, true, "weight decay")                                                        \
	R(clip, "clip", "5", 0, 1e9, true, "longest gradient: a longer one is scaled down to it; 0: any")              \
	R(ema, "ema", "0", 0, 0.99999, false,                                                                          \
		"how much an average of the weights keeps, which the front and evaluations then use; 0: no average")    \
	R(smoothing, "smoothing", "0", 0, 0.9, true, "label smoothing")                                                \
	W(range, "range", "max", "max|ema|percentile|mse", true, "range estimator of activations")                     \
	R(percentile, "percentile", "99.9", 50, 100, true, "share of a tensor, in percent, within range=percentile")   \
	W(scales, "scales", "channel", "channel|layer", true, "weight ranges per output channel or per layer")         \
	W(scale, "scale", "float", "float|po2", true,                                                                  \
		"scales of formats: any number, or powers of two, with which a runtime's sums in fp32 are exact and hardware shifts")     \
	W(blocks, "block-scale", "floor", "floor|up|search", true,                                                    \
		"scales of block formats such as mxfp4: as specified, rounded up so that nothing is clipped, or the better of them") \
	W(unsigned_positive, "unsigned", "on", "off|on", true, "unsigned integers where activations cannot be negative") \
	R(warmup, "warmup", "0.1", 0, 1, false, "share of the horizon in which the policy waits")                      \
	W(start, "start", "wide", "uniform|wide", false, "the policy's first distribution: uniform, or leaning to the widest formats") \
	W(warmup_path, "warmup-path", "policy", "uniform|policy|fair", true,                                                \
		"paths of the warm-up: uniformly at random, as the policy's first distribution has it, or every option as often as the others")             \
	R(filter_warmup, "filter-warmup", "0", 0, 1, true,                                                              \
		"share of the first horizon's steps in which a step may train the most channels that width slots have, with a probability that falls from 1 to 0") \
	R(modal_share, "modal-share", "0.8", 0, 1, true, "share of training steps that take the modal path instead of a sampled one") \
	R(wide_start, "wide-start", "0.5", 0, 1, true, "share of the first horizon's steps, from the first on, that train no layer narrower than wide-format") \
	I(wide_every, "wide-every", "0", 0, 1e9, true, "every so many steps, one trains no layer narrower than wide-format; 0: none") \
	T(wide_format, "wide-format", "int8", "int8|int16|bf16|fp32", false, "the format of wide-start and wide-every, in the space or not") \
	W(norm_sets, "norm-sets", "one", "one|format|lane", false, \
		"batch norms' gain and bias, and the ranges of range=ema: one for all, or a part for every format or lane") \
	R(final, "final", "0.25", 0, 1, true, "share of the steps, the last, that train the result alone: the policy no longer moves") \
	W(reward, "reward", "abs", "abs|relu|mnas", true, "reward form: Q - w|C/T-1|, Q - w max(0,C/T-1), Q (C/T)^-w") \
	S(quality, "quality", "loss", "accuracy|loss|agreement|pipe:COMMAND", true,                                              \
		"quality: held-out accuracy, minus the loss, minus the divergence of outputs from those in fp32, or what a command answers")   \
	R(quality_timeout, "quality-timeout", "300", 0.01, 1e6, true,                                                  \
		"with quality=pipe: the seconds that the command may be silent while it is asked")                     \
	I(samples, "samples", "4", 1, 64, true, "choices sampled at a policy step, all scored on the same held-out images") \
	I(learn_every, "learn-every", "4", 1, 1e6, true, "annealed: steps of the weights for one at which choices are scored and the policy learns") \
	I(heldout_batches, "heldout-batches", "1", 1, 64, true, "held-out batches that score a sampled choice")        \
	W(baseline, "baseline", "others", "average|others", true,                                                      \
		"what a reward is compared with: the moving average, or the other samples of its step")                \
	R(baseline_keep, "baseline-keep", "0.95", 0, 0.9999, true, "how much a moving average of rewards keeps")       \
	W(additive, "additive", "alone", "off|control|alone", true,                                                      \
		"the additive model of quality: takes from the samples' qualities what it foretells and gives it exactly, or moves the policy alone") \
	I(cost_samples, "cost-samples", "8", 0, 4096, true,                                                            \
		"choices around which every option is priced for the cost's part of the reward; 0: the samples' own costs") \
	R(look_around, "look-around", "0.4", 0, 1, true, "annealed: the entropy of the policy that it begins with")     \
	R(commit, "commit", "0.8", 0, 1, true, "annealed: the share of the steps in which the policy learns over which its entropy falls to nothing") \
	R(policy_rate, "policy-rate", "0.03", 0, 10, true, "learning rate of the policy (Adam)")                       \
	R(policy_beta1, "policy-beta1", "0.9", 0, 0.9999, true, "Adam's first decay")                                  \
	R(policy_beta2, "policy-beta2", "0.98", 0, 0.9999, true, "Adam's second decay")                                \
	R(policy_growth, "policy-growth", "1", 0.001, 1000, true, "by what factor the policy's rate grows over the search") \
	R(entropy, "entropy", "0.02", 0, 100, true, "final weight of the entropy penalty")                             \
	I(calibration, "calibration", "256", 2, 65536, true, "images that statistics and ranges are estimated on")     \
	I(front_every, "front-every", "100", 0, 1e9, true, "steps between scorings of the front; 0: none")             \
	I(front_images, "front-images", "512", 16, 65536, true, "held-out images that score the front")                \
	I(front_size, "front-size", "24", 2, 256, true, "most points kept on the front")

// What a lane wants of a cost term.
struct wish {
	double weight;
	char target[ENGINE_NAME]; // as text; empty: none
};
// A lane's own settings.
struct wishes {
	struct wish term[ENGINE_TERMS]; // at the terms' places
	int searcher;
};

// The settings as one lane has them, and so those of a config: a search keeps its own part of them, without the wishes, and each
// lane its wishes.
struct knobs {
#define FIELD_I(field, name, preset, low, high, live, help) long field;
#define FIELD_R(field, name, preset, low, high, live, help) double field;
#define FIELD_W(field, name, preset, words, live, help) int field;
#define FIELD_S(field, name, preset, words, live, help) struct spoken field;
#define FIELD_T(field, name, preset, words, live, help) char field[ENGINE_TEXT];
	KNOBS(FIELD_I, FIELD_R, FIELD_W, FIELD_S, FIELD_T)
	// The cost terms of the search: those that every search has, one of each kind in the kinds' order, then those that were asked for. They only
	// ever become more, so that a term keeps its place.
	int terms;
	struct term_knob {
		char name[ENGINE_NAME];
		struct wish wish;
	} term[ENGINE_TERMS];
};
// clang-format on
// In place of a target: there is to be none. An empty text says the same.
#define TARGET_NO "none"
int knobs_term(const struct knobs *, const char *name); // its place; -1: it is not among them

// The values of a config; and a config that has these values.
const struct knobs *config_knobs(const struct config *);
void config_take(struct config *, const struct knobs *);
// Sets one value from text, live settings only where `live_only`; `values` is unchanged where that fails. The names
// "weight.TERM" and "target.TERM" are settings too, and add the term where it is not there yet; whether it can be priced,
// and what a target's text means, is checked by search_reprice.
bool knobs_set(struct knobs *values, const char *name, const char *text, bool live_only, struct fault *);
bool knobs_get(const struct knobs *values, const char *name, char *buf, size_t size);
bool knobs_equal(const struct knobs *, const struct knobs *);
// What a session or a checkpoint ran with that was made before there was this setting; NULL: it cannot do without.
const char *knobs_before(const char *name);
// Visits every setting, or the live ones only, in table order; weights and targets of all terms.
typedef void knobs_visit(const char *name, const char *value, void *context);
void knobs_each(const struct knobs *values, bool live_only, knobs_visit *, void *context);
// Takes the wishes out of the settings, which then have none, or puts them in.
void knobs_part(struct knobs *, struct wishes *);
void knobs_join(struct knobs *, const struct wishes *);
void knobs_each_term(const struct knobs *values, knobs_visit *, void *context);

#endif

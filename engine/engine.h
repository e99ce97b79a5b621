// SPDX-License-Identifier: GPL-3.0-or-later
// The search engine, as the rest of bitscape sees it: the only engine header that sessions/, plots/ and ui/ include.
//
// An engine trains one network while a policy chooses a number format for every layer. It runs in a thread of its own.
// Others talk to it in four ways. All are safe from any thread, and none waits for a step to end:
//   - run control: engine_run_to, engine_pause;
//   - requests (a change, an evaluation, a copy of its state), which are carried out between two steps and answered by replies;
//   - snapshots and history: copies of what it publishes after every step;
//   - pricing of a choice, which needs nothing that changes from step to step.
// engine_fd becomes readable when there is news (a snapshot, a reply, a change of run state).
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/command.h"
#include "engine/base/fault.h"
#include "engine/base/look.h"
#include "engine/base/outgoing.h"
#include "engine/base/term.h"

enum {
	ENGINE_NAME = 48,             // longest name of a layer, slot, group, term or setting, with its final zero
	ENGINE_TEXT = 128,            // longest value of a setting
	ENGINE_TERMS = 12,            // most cost terms in one search
	ENGINE_LANES = 8,             // most lanes of one search
	ENGINE_OPTIONS = LOOK_OPTIONS // most options of one slot
};
#define ENGINE_RUN_ON LONG_MAX // engine_run_to: until the horizon

// ---- settings -----------------------------------------------------------------------------------------------------

enum knob_type { KNOB_INTEGER, KNOB_REAL, KNOB_WORD, KNOB_SPOKEN, KNOB_TEXT };

// One setting: a row of the table that drives `new`, `--set`, `set`, completion and help.
struct knob {
	const char *name;
	enum knob_type type;
	double low, high; // range of a number, both ends included
	// The words of a KNOB_WORD or a KNOB_SPOKEN, or typical values of a KNOB_TEXT, separated by '|'; else "". One written WORD:WHAT takes a
	// text behind the colon, and a value with a text stays what it is while a search runs.
	const char *words;
	const char *preset; // default value, as text
	bool live;          // may change while the search runs
	const char *help;   // one line, with the unit
};
const struct knob *engine_knobs(size_t *count);
// The searchers by name: the words of the setting and of the command `searcher`.
#define SEARCHER_WORDS                                                                                                           \
	"annealed|reinforce|greedy|exact|uniform|ends|random|evolution|"                                                         \
	"sensitivity-greedy|sensitivity-exact|sensitivity-list|sensitivity-gradient|sensitivity-hessian|branching"
// Returns whether a live setting is a lane's own: the weight or the target of a term, the searcher.
bool setting_of_lane(const char *name);

// The settings of a search, always complete: the defaults, overlaid by the preset, overlaid by what was set. `weight.TERM` and
// `target.TERM` are settings too, for every cost term (engine_terms; a device may also be a file). Every search has a term of
// each kind (base/term.h); latency and energy are priced on the setting `device`. Giving latency@DEVICE, energy@DEVICE or
// latency@table:FILE a weight or a target adds that term. Threads must not share a config.
struct config;
struct config *config_new(void); // NULL: out of memory
struct config *config_copy(const struct config *);
void config_free(struct config *);
bool config_set(struct config *, const char *name, const char *value, struct fault *);
// Sets what came later than other settings to what was done before it was there. A manifest names all settings of its time: on top of
// these they give what it ran with.
void config_begin_old(struct config *);
// Writes the value as text into buf; returns false if there is no such setting.
bool config_get(const struct config *, const char *name, char *buf, size_t size);
// Calls each(name, value, context) for every setting in table order, then for the weights and targets of the terms in use. A
// manifest stores these; setting all of them again gives the same config.
void config_each(const struct config *, void (*each)(const char *name, const char *value, void *context), void *context);

// Words for completion, NULL-terminated: the nets, formats, cost terms, devices.
const char *const *engine_nets(void);
const char *const *engine_formats(void);
const char *const *engine_terms(void);
const char *const *engine_devices(void);
// Returns the sensitivity table that comes with bitscape for a network, or "none".
const char *engine_sensitivity(const char *net);

// Returns the set of compute kernels for this processor ("avx512", …), or the one that BITSCAPE_KERNELS asks for. Another set may
// give results that differ in the last bits.
const char *engine_kernels(void);
// The first returns whether BITSCAPE_KERNELS asks for a set; the second returns false with a fault if that set is not available.
bool engine_kernels_asked(void);
bool engine_kernels_check(struct fault *);
// Chooses the set for engines that are opened from now on; open engines keep theirs. NULL: the set that engine_kernels returns.
// Returns false, and changes nothing, if this processor or this build lacks the set. Only the thread that opens engines calls it.
bool engine_use_kernels(const char *name);

// ---- what never changes in a search -----------------------------------------------------------------------------------

struct option_info {
	char name[16]; // "int4", "5", "off"
	int bits;      // of a format: its width, for ordering and colour; else 0
};

// A slot is one thing that may vary: the format of a layer's weights or of its input activations, or a choice that the network's
// description has written in it, the kernel of a block, say. A choice is one option per slot, info->slots bytes. The slots never change
// while a search lives. Which of them the policy decides as one may change (see struct slot_state).
struct slot_info {
	char name[ENGINE_NAME]; // "stem.w": the weights of stem; "stem.a": its input activations; "s2b1.kernel"
	const char *kind;       // "w", "a", "kernel", "expand", "depth" …
	int layer;              // of a format: the layer it is a part of; -1: it is of the architecture
	// It is there only while slot `owner` holds one of the options `when` (bits), and is there itself; else it rests, and makes no difference.
	// owner -1: always.
	int owner;
	uint32_t when;
	int options; // from small to large; formats: narrowest first
	const struct option_info *option;
};

// One layer: an operator with weights and the input activations it reads. It belongs to a search's network or to one of the
// catalog.
struct layer_info {
	char name[ENGINE_NAME];
	const char *kind; // "conv", "depthwise", "grouped", "linear"
	int in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride, groups;
	double macs;                               // multiply-accumulates for one image
	double attention_macs;                     // of the attention that reads this layer; its two products belong to no layer
	double weights;                            // number of weights, without bias
	double activations;                        // number of input activations for one image
	int weight_slot, activation_slot;          // -1 where there is no search
	bool owned;                                // it is not there under every choice: its slots have an owner
	const char *weight_told, *activation_told; // the formats that the file of a quantized network gives it; NULL: none
	const char *weight_by, *activation_by;     // what tells them: "its type"
};

struct engine_info {
	char net[ENGINE_TEXT], data[ENGINE_TEXT], space[ENGINE_TEXT], preset[ENGINE_NAME];
	char reach[ENGINE_NAME];        // for whom it is; empty: for nobody in particular
	char left_out[2 * ENGINE_TEXT]; // formats of the space that this one does not run, and why; empty: there are none
	uint64_t seed;
	int threads, batch;
	int layers; // of any choice, each at its largest; 0: choices make no network, but divide a job over a machine
	const struct layer_info *layer;
	int slots, formats;           // the first `formats` slots are of formats: the two of a layer are neighbours
	const struct slot_info *slot; // [slots]
	int image_h, image_w, image_c, classes;
	long train_images, heldout_images, test_images;
	long report_images; // of those held out: the ones that score the front and reports, and teach no policy
	double parameters;
	double macs, attention_macs; // for one image: of all layers; of attention's products, not in `macs`
	// How many choices there are where a layer has one format, and how many networks they are, in which what rests does not count.
	double choices, networks;
	int quantized;             // layers that the file of a quantized network gives formats
	const char *told;          // what was left out or put back in reading it, in clauses; "": nothing
	const char *kernels;       // the instruction set of the compute kernels in use: "avx2", …
	char command[ENGINE_TEXT]; // that says what the quality of a choice is (quality=pipe:COMMAND); empty: none does
};

// ---- opening ----------------------------------------------------------------------------------------------------------

// Named arrays: an engine's whole state, as a checkpoint holds it.
struct state_tensor {
	char name[ENGINE_NAME * 2];
	enum state_type { STATE_F32, STATE_I64, STATE_U8 } type;
	int rank;
	int64_t shape[4];
	void *data; // owned by the state
	size_t bytes;
};
struct state_text {
	char name[ENGINE_NAME * 2], value[ENGINE_TEXT * 2];
};
struct state {
	int tensors;
	struct state_tensor *tensor;
	int texts; // everything else: step, digest, shapes, …
	struct state_text *text;
};
void state_free(struct state *);
const char *state_get(const struct state *, const char *name); // a text, NULL where absent
// Returns whether a search can continue from a state: whether its weights, its policy and every other number that it continues
// from are finite. Returns false with a fault that names the one that is not. Any thread.
bool state_sound(const struct state *, struct fault *);

struct engine;
// Loads the data, builds the network and starts the engine's thread, paused at step 0, or at the step of `state`
// (borrowed for the call; NULL: a new search). Returns NULL with a fault for an unknown network, a damaged data file, a state of
// another network or space, or kernels named in BITSCAPE_KERNELS that this processor lacks.
struct engine *engine_open(const struct config *, const struct state *, struct fault *);
// Ends the thread after its present step and frees everything. The engine may be NULL.
void engine_close(struct engine *);
// Constant for the engine's life, freed by engine_close.
const struct engine_info *engine_info(const struct engine *);
// Becomes readable when there is news; engine_news empties it. Owned by the engine.
int engine_fd(const struct engine *);
void engine_news(struct engine *);

// ---- run control --------------------------------------------------------------------------------------------------------

// Runs until `step` or the horizon, whichever comes first (ENGINE_RUN_ON: the horizon).
void engine_run_to(struct engine *, long step);
void engine_pause(struct engine *);
// Makes at most so many steps a second; 0: as many as it can. It is no change of the search, and no state holds it: a step's numbers do not
// depend on when it is made.
void engine_pace(struct engine *, double steps);

// ---- requests -------------------------------------------------------------------------------------------------------------

enum change_kind {
	// name: as snapshot_meant reads it; value: the allowed options, joined by commas, or "all"
	CHANGE_RESTRICT,
	// name: a cost term, which is added if the search lacks it; value: a number >= 0
	CHANGE_WEIGHT,
	// name: likewise; value: a format ("int4": the cost of that uniform choice), "0.5x" (of the widest uniform choice), or a
	// number with k, M, G, T or one of the term's units (3ms, 20mJ, 1.5MB); "": none
	CHANGE_TARGET,
	// name: a live setting; value: as text. A new device reprices latency and energy: targets given as a format or a multiple
	// are worked out again, others stay
	CHANGE_SET,
	// the first item's value: steps to add to the horizon. A second item, `rate`: the learning rate falls again from that
	// value. An inverse has a negative number of steps, and `from`, the step at which the rate began to fall
	CHANGE_EXTEND,
	// name: a group; value: a glob over layers, or over slots of the architecture, which are decided as one from now on; "":
	// dissolves the group
	CHANGE_GROUP,
	// name: a cost term; value: its target. The new lane begins as a copy of change.lane, with these targets; a term without
	// a weight there gets the largest weight of those that have one
	CHANGE_ADD_LANE,
	// value of its only item: a lane's number
	CHANGE_DROP_LANE,
	// likewise: a dropped lane goes on as it was, if no other has taken its place
	CHANGE_BACK_LANE,
	// the first item's value: a number of steps. A copy of the weights is trained for so many on the result of change.lane
	// as it is now; what that reaches becomes a point of the front. Nothing of the search itself changes. It begins at once, a
	// pause holds it, and it ends before the next step is made. A second item, `rate`: the learning rate it begins with. An inverse
	// has the value "drop": the lane's newest goes
	CHANGE_POLISH,
};
struct change_item {
	char name[ENGINE_NAME], value[ENGINE_TEXT];
};
// Either all items are applied or none is.
struct change {
	enum change_kind kind;
	int items;
	struct change_item *item;
	// The number of a lane. Weights and targets (also those of CHANGE_SET) are that lane's, and CHANGE_ADD_LANE copies it; 0
	// means the first lane, number 1. CHANGE_RESTRICT holds in that lane alone; 0: in all lanes. It is 0 for the rest, which
	// concern all lanes.
	int lane;
};

// The ranges to which a layer was calibrated under a plan. A deployment needs them as well as the formats.
struct layer_range {
	float weight;     // largest magnitude over the layer's weights
	float activation; // clipping range of the input activations
};

enum choice_kind { CHOICE_RESULT, CHOICE_UNIFORM, CHOICE_GIVEN };
enum split { SPLIT_HELDOUT, SPLIT_TEST };
struct evaluation {
	enum split split;
	long images;           // 0: the accuracy is estimated, not measured (see the snapshot); loss and ranges are NAN
	double accuracy, loss; // accuracy in 0..1; mean cross-entropy
	// Held against the network's own outputs in fp32: the share of images whose likeliest class is the same, and the mean Kullback-Leibler
	// divergence in nats. NAN: not worked out. Of images without labels, these are `accuracy` and `loss`.
	double agreement, divergence;
	bool unlabelled;
	// Image by image, in the order of the split: 1 where its label is the likeliest class; owned by the reply. NULL: it was not measured on
	// images, or they have no labels. Two evaluations with the same `images_sum` (CRC-32 of pixels and labels) are of the same images.
	uint8_t *right;
	uint32_t images_sum;
	long calibration_images;   // number of images on which statistics and ranges were estimated for this very plan
	double cost[ENGINE_TERMS]; // of the choice, by the snapshot's terms
	uint8_t *choice;           // option per slot; owned by the reply
	struct layer_range *range; // per layer; owned by the reply
	struct config *settings;   // the settings under which it was made; owned by the reply
};

enum request_kind {
	REQUEST_CHANGE,
	REQUEST_EVALUATE,
	REQUEST_STATE,
	REQUEST_FOCUS,
	REQUEST_ANSWERS,
	REQUEST_LOOK,
	REQUEST_WEIGHTS,
	REQUEST_FREEZE
};
struct reply {
	unsigned ticket;
	enum request_kind kind;
	long step; // it was carried out between this step and the next
	bool ok;
	struct fault fault;         // where not ok
	struct change inverse;      // REQUEST_CHANGE: the change that takes it back; items 0: it changed nothing
	char says[4 * ENGINE_TEXT]; // REQUEST_CHANGE: what a person should know about it, as clauses; empty: nothing
	struct evaluation evaluation;
	struct state *state;    // REQUEST_STATE, REQUEST_WEIGHTS; the receiver frees it, or reply_free does
	char *answers;          // REQUEST_ANSWERS, see below; owned by the reply
	struct layer_look look; // REQUEST_LOOK
	double *noise; // REQUEST_LOOK: of every layer, the signal to noise of its output as the result has it, in dB; NAN: unknown; owned by the reply
	double *formats; // the same, LOOK_FORMATS: of every layer in each option of its weight slot, [layers][LOOK_OPTIONS]; NULL: not asked for
	struct frozen *frozen; // REQUEST_FREEZE; owned by the reply
};

// Each checks what can be checked at once (false: the fault says what is wrong, and nothing was posted), copies its arguments and
// returns without waiting. The reply with the same ticket follows. Replies come in the order of the requests.
bool engine_post_change(struct engine *, const struct change *, unsigned *ticket, struct fault *);
// `option` is for CHOICE_UNIFORM (the format's name), `choice` for CHOICE_GIVEN (option per slot). The lane in focus is
// evaluated.
bool engine_post_evaluate(struct engine *, enum choice_kind, const char *option, const uint8_t *choice, enum split,
	unsigned *ticket, struct fault *);
bool engine_post_state(struct engine *, unsigned *ticket, struct fault *);
// Sets the lane that snapshots and evaluations are about from now on. This is not a change of the search, and no state holds it:
// a search that is opened shows its first lane; if the lane in focus is dropped, the first of those left is shown.
bool engine_post_focus(struct engine *, int lane, unsigned *ticket, struct fault *);
// Looks at a layer's weights, inputs and output, in the result of the lane in focus, on the first images of the calibration slice; LOOK_ALL: at
// the outputs of all alone, LOOK_FORMATS: in each of their formats too. It takes some forward passes of these images. The search, its state and
// its digest stay as they are.
bool engine_post_look(struct engine *, int layer, unsigned *ticket, struct fault *);
// Asks for the weights of the network of the result, in the lane in focus: each an array by the name and in the order that PyTorch gives it
// (LAYER.weight, LAYER.norm.running_mean); batch norms' statistics are those that were given, or are estimated in fp32. folded: norms
// go into the weights before them and a bias.
bool engine_post_weights(struct engine *, bool folded, unsigned *ticket, struct fault *);
// Takes a copy of the network of a choice (option per slot; NULL: the lane's result), under the formats that it holds and with ranges and
// statistics calibrated for it, to be written by the functions below. What is a lane's own (norm-sets) is that of the lane with this
// number; 0: of the one in focus. The search, its state and its digest stay as they are. Refused where there are no weights.
struct frozen;
bool engine_post_freeze(struct engine *, int lane, const uint8_t *choice, unsigned *ticket, struct fault *);
// For whom it is written: a form (c, qdq, qonnx, aimet) and one who reads it; NULL: whom the form is written for where nobody is named. Fills
// how it leaves then. False with a fault that lists who there is.
bool engine_outgoing(const char *form, const char *reader, struct outgoing *, struct fault *);
bool engine_folds(const struct outgoing *);         // whether the form may have batch norms folded
const char *engine_beside(const struct outgoing *); // the ending of a second file that it has; NULL: none
// Writes it. `name` begins the names in a header in C: letters, digits and _, the first no digit; `beside`: the second file, or NULL. Returns
// false with a fault if a layer's formats or an operator cannot be written so, or if a file could not be written. Any thread.
bool engine_write(const struct frozen *, const struct outgoing *, const char *name, FILE *, FILE *beside, struct fault *);
// Reads what was written, and looks for every layer in it. False with a fault that names the file and what is not found.
bool engine_written(const struct frozen *, const struct outgoing *, const char *path, const char *beside, struct fault *);
// How those who read it open it, as Markdown; of forms that say so themselves there is no such guide.
bool engine_guides(const struct outgoing *);
bool engine_write_guide(const struct frozen *, const struct outgoing *, const char *path, const char *beside, FILE *);
// Takes the next reply, if there is one. reply_free frees what it holds. An evaluation that waits for a command
// (below) is broken off by engine_pause.
bool engine_reply(struct engine *, struct reply *);
void reply_free(struct reply *);

// ---- a command that scores choices ----------------------------------------------------------------------------------------

// With quality=pipe:COMMAND a child process says what the quality of a choice is. It is started once it is needed, and only
// where it was allowed, since the settings may be somebody else's. Until then the search runs as far as answers were given back to
// it, and halts.
//
// What it answers comes as a reply that nobody posted a request for, before the replies to all requests that come after the
// answer: ticket 0, REQUEST_ANSWERS, the step, and `answers`, words to be kept for whoever makes this search again.
void engine_allow(struct engine *);
// Gives such words back: lines of "STEP WORDS". The reply follows.
bool engine_post_answers(struct engine *, const char *lines, unsigned *ticket, struct fault *);

// ---- snapshots ---------------------------------------------------------------------------------------------------------

enum engine_phase { PHASE_WARMUP, PHASE_SEARCH };
enum engine_run {
	RUN_PAUSED,
	RUN_RUNNING,
	RUN_FINISHED,
	RUN_HALTED, // paused, since a person has to see to what the fault says; it may then be run on
	RUN_FAILED
};
const char *engine_run_word(enum engine_run); // "running"

// The present state of a slot. All slots of one decision share it.
struct slot_state {
	float probability[ENGINE_OPTIONS]; // under the restrictions; sums to 1
	uint32_t allowed;                  // bit per option
	uint8_t modal;                     // the most likely allowed option
	uint8_t result;                    // the option of the result
	bool there;                        // it does not rest in the modal choice
	// What the additive model of quality says of the options, in the unit of quality; NAN: nothing yet.
	float worth[ENGINE_OPTIONS]; // beyond that of the modal option
	float error[ENGINE_OPTIONS]; // the standard error of that
	float tried[ENGINE_OPTIONS]; // number of scored choices that held the option, the older ones counted for less
	int decision;                // the policy's decision that sets it; slots with equal numbers are decided as one
	int group;                   // its group, or that of its layer, in the snapshot's list; -1: none
};

// A layer's weights, which all formats share.
struct layer_state {
	float switching; // share of lately made steps in which its format was another than in the step before
	float near_edge; // share of its weights that stand within an eighth of a step from where the modal format rounds them the other
			 // way; a quarter would be chance. NAN: not known
};

struct group_state {
	char name[ENGINE_NAME], pattern[ENGINE_TEXT]; // the layers, or slots of the architecture, that match are decided as one
};

// Where a target lies among the costs of the choices that the restrictions allow.
enum target_reach {
	TARGET_NONE, // there is no target, or the term has no price
	TARGET_WITHIN,
	TARGET_BELOW,       // it cannot be met: every choice is proven to cost more
	TARGET_BELOW_FOUND, // every choice that was found costs more, but nothing proves that all do
	TARGET_ABOVE,       // every choice that was found costs less
};

// A search never drops a term: each keeps its place.
struct term_state {
	char name[ENGINE_NAME];
	const struct term_kind *kind;
	// The unit of its costs; these texts live as long as the engine. In full:
	// "bit ops", "B", "ms per 128 images on tpu_v4"; "… on a100 (assumed)" with assumed efficiencies.
	const char *unit;
	const char *brief;         // for a narrow column: "bit ops", "B", "ms/128 img", "mJ/img"
	const char *symbol;        // after a number: "ms", "mJ", "B"; "": a count
	const char *device;        // the device that it is priced on, or the site: "tpu_v4", "iowa"; "": none
	char asked[ENGINE_TEXT];   // the same as asked for: a name, a device file or "table:NAME"; "": its kind has none
	bool by_setting;           // the setting `device` or `site` gives it
	char why[2 * ENGINE_TEXT]; // why it cannot be priced (all its costs are NAN then); empty: it can
	double weight;
	bool targeted;
	double target;                 // in the term's unit
	double whole;                  // what a target of 1x means: the cost of the widest uniform choice
	char target_text[ENGINE_NAME]; // as the person gave it
	double modal;                  // cost of the modal choice
	double result;                 // cost of the result
	double expected;               // mean cost of the choices sampled lately
	double low, high;              // cheapest and dearest cost found among the choices that the restrictions allow
	double least;                  // a proven bound: no allowed choice costs less; equal to `low` if that is the cheapest
	enum target_reach reach;
	char reach_text[2 * ENGINE_TEXT]; // a clause that explains it; empty for TARGET_NONE and TARGET_WITHIN
};

// The present state of a lane. Its terms are in the snapshot's order.
struct lane_state {
	int number;             // from 1 on; no other lane of the search ever has it
	char name[ENGINE_NAME]; // its aim: "bops 0.5x"
	int place;              // below ENGINE_LANES; no other lane has it while this one lives
	bool focus;             // the snapshot's slots, terms, groups and smoothed values are this lane's
	bool pins;              // it has pins of its own
	const char *searcher;   // the searcher that moves its policy
	long steps;             // number of its steps
	double weight[ENGINE_TERMS], target[ENGINE_TERMS]; // target 0: none
	char target_text[ENGINE_TERMS][ENGINE_NAME];       // as the person gave it
	double modal[ENGINE_TERMS];                        // cost of the modal choice
	double expected[ENGINE_TERMS];                     // mean cost of the choices sampled lately; NAN: none yet
	double loss, accuracy;                             // of the training batches of its steps, smoothed; NAN: none yet
	double quality, reward;                            // of its sampled choices, smoothed; NAN: none yet
	double entropy;
};

enum point_origin { POINT_MODAL, POINT_SAMPLED, POINT_UNIFORM };
const char *point_origin_word(enum point_origin); // "sampled"
struct front_point {
	enum point_origin origin;
	char label[16];        // "modal", "int4", ""
	double accuracy, loss; // on the fixed held-out slice
	double cost[ENGINE_TERMS];
	long step; // the step of the weights that scored it
	// Its weights are those that all formats share: 0; else a copy of these was trained for it, for so many steps (CHANGE_POLISH).
	long trained;
	double test;           // of one that was trained: accuracy on the test images
	bool dominated;        // shared weights are held against shared ones, trained ones against all
	int lane;              // the number of the lane it came from; 0: none, it is uniform
	const uint8_t *choice; // option per slot; owned by the snapshot
};

// Training apart from the search (CHANGE_POLISH).
struct polish_state {
	int lane;               // whose result is trained now; 0: none is
	long steps, done;       // of it
	double loss;            // of training, smoothed; NAN: no step is made
	long made;              // steps that this process made for all of them
	double seconds;         // that these took, scoring included
	long ended;             // polishes that came to an end in this process
	char says[ENGINE_TEXT]; // what came of the last of them
};

struct snapshot {
	const struct engine_info *info;
	uint64_t version; // grows with every publication
	enum engine_run run;
	enum engine_phase phase;
	struct fault fault;         // RUN_HALTED, RUN_FAILED
	long halts;                 // how often it has halted
	struct config *settings;    // all present settings; owned by the snapshot
	long step, horizon, warmup; // warmup: the step at which the policy begins to move
	double images_per_s;        // training images, over the last second or so; 0 when paused
	double seconds_left;        // to the horizon; 0 when unknown
	double step_seconds;
	double loss, accuracy; // of training batches, smoothed
	double quality;        // of sampled choices on held-out batches, smoothed: accuracy or minus the loss
	bool quality_is_loss;
	char estimated
		[ENGINE_TEXT]; // what all qualities and accuracies are estimated from ("additive table hawq"); empty: measured
	const char *idle;      // why no step can be made and nothing scored: there is no source of quality; NULL: there is
	// Of the scoring passes that this process was asked for, the share that equal choices spared, and the share that choices with equal first
	// layers did; NAN: none was asked for.
	double spared_equal, spared_prefix;
	double reward, advantage; // smoothed
	double foretold;          // share of the variance of a step's qualities that the additive model foretold; NAN: unknown
	// Variance of what one sample gives to the policy's gradient, summed over logits, smoothed: by the samples' qualities as they are, and by
	// what the additive model leaves of them; NAN: not known.
	double variance, variance_left;
	double entropy; // mean over free decisions, 0..1 (1: uniform)
	double learning_rate;
	char says[2 * ENGINE_TEXT]; // what the search is doing: "warm-up 40/120: pins count, the policy waits"
	int terms;
	struct term_state term[ENGINE_TERMS];
	int decisions; // of the policy: one per layer or group when tied, two when split; one per slot of the architecture
	// The result is the policy's likeliest choice within all targets that have a weight: the modal choice if that is within
	// them, and the cheapest choice found if none is.
	bool within; // the result is within all of these targets
	bool split;  // a layer's weight format and activation format are two decisions
	int slots;
	struct slot_state *slot;
	struct layer_state *layer; // [info->layers]
	double final_before,
		final_after; // held-out accuracy of the result as the final phase begins, and 50 steps on; NAN: not known
	int groups;
	struct group_state *group;
	int lanes; // at least one, by growing number
	struct lane_state lane[ENGINE_LANES];
	int focus; // the number of the lane that is shown
	struct polish_state polish;
	int points;
	struct front_point *point; // the front archive, by growing cost of the first term
	uint8_t *choices;          // storage of the points' choices
};
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *);
// Finds the slots that a word means, by the grammar of names: LAYER|GLOB|GROUP[.w|.a] is both slots of the layer, of each layer that
// the glob matches or of the group's layers, and all slots decided with them; with .w or .a, only that half. SLOT|GLOB|GROUP is a slot of the
// architecture, and where nothing else has the name, BLOCK is those of the block. Where a word means layers as well as slots, layers come
// first, unless the options that are asked for (NULL: nothing is said) are the slots'; "all" means both. BLOCK:KIND is a slot of the
// architecture by itself ("s2b1:expand"). Fills meant[slots]; returns false if the word means none.
bool snapshot_meant(const struct snapshot *, const char *word, const char *options, bool *meant);
// Writes the word that means a slot and all that are decided with it, and nothing else. Returns buf.
enum { SLOT_WORD = ENGINE_NAME + 4 };
const char *snapshot_word(const struct snapshot *, int slot, char buf[SLOT_WORD]);
// Writes a slot's name, or where a layer has that too, the other name that the slot has: "s2b1:expand". Returns buf.
const char *engine_slot_name(const struct engine_info *, int slot, char buf[SLOT_WORD]);
// Whether a slot rests under a choice: its owner, or what owns that, holds an option under which it is not there.
bool engine_rests(const struct engine_info *, int slot, const uint8_t *choice);
// Whether a slot is the second of its layer: that of the activations, behind that of the weights.
bool engine_second_half(const struct engine_info *, int slot);
// Returns what the reward adds to a quality for these costs, at most 0, by the snapshot's weights and targets; NAN if the reward
// is a product (mnas), in which costs have no part of their own.
double snapshot_penalty(const struct snapshot *, const double cost[ENGINE_TERMS]);
// Returns the term that the search steers by: the first with a weight and a target, else with a weight; `otherwise`: none
// has a weight.
int snapshot_term(const struct snapshot *, int otherwise);
// Returns the point of the front that is the result, as it was scored last: by the shared weights, or `trained`: by a trained copy of them
// too. NULL: it was not scored yet.
const struct front_point *snapshot_result(const struct snapshot *, bool trained);
// Returns on how many images the points of the front are scored; 0: their accuracy is not measured on images here.
long snapshot_images(const struct snapshot *);
// Returns the standard error of a point's accuracy that so many images leave, from 0 to 1; NAN: it is not measured on images here.
double snapshot_error(const struct snapshot *, const struct front_point *);
// Copies the newest publication into *s, which the caller owns and uses for this engine alone. Returns false if s already holds
// it.
bool engine_snapshot(struct engine *, struct snapshot *s);

// One step, for curves and for export.
struct record {
	long step;             // 1 is the first
	float loss, accuracy;  // of the training batch
	float quality, reward; // mean over the step's sampled choices; NaN during the warm-up
	float entropy, learning_rate;
	float cost[ENGINE_TERMS]; // mean over the step's sampled choices; NaN: the term was not there yet, or had no price
	float modal_cost[ENGINE_TERMS];
	int lane; // the number of the lane whose step it was; all values but the training batch's are that lane's
};
// Copies the records of steps first+1, first+2, … (at most `most`) and returns their number; history only grows. If `modal` is
// not NULL, it receives the modal option per slot of the lane whose step it was: a row of info->slots bytes per step.
long engine_history(struct engine *, long first, long most, struct record *, uint8_t *modal);

// The policy's probabilities of one slot behind a step, in 255ths, as the lane had them whose step it was.
struct policy_row {
	long step;
	int lane;                          // its number
	float probability[ENGINE_OPTIONS]; // per option
};
enum { ENGINE_POLICY_ROWS = 512 }; // most rows that are kept
// Copies the rows that are kept of a slot, at most `most`, by growing step, and returns their number: one of each of the last steps,
// and of those before them one for every few (probabilities.h). A search that goes on from a checkpoint without rows has those of the steps
// that it made since.
int engine_policy(struct engine *, int slot, int most, struct policy_row *);

// ---- pricing --------------------------------------------------------------------------------------------------------------

// Works out the costs of a choice (option per slot) under every present cost term, in the snapshot's order and units; NAN for the
// rest and for terms without a price. If `layer` is not NULL, it receives each layer's part of term `term`, info->layers numbers.
// Any thread, at any time. Returns false if the choice is out of range.
bool engine_price(const struct engine *, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer);
// What the layers are under a choice: fills layer[info->layers], as in info where nothing of the architecture is chosen. A layer that
// rests has no MACs and no weights. Any thread, at any time. Returns false if the choice is out of range or cannot be built.
bool engine_layers(const struct engine *, const uint8_t *choice, struct layer_info *layer);
// Says in a clause what a choice lacks to be possible, with figures; "": nothing, as always where choices make networks. Returns buf. Any
// thread, at any time.
const char *engine_lack(const struct engine *, const uint8_t *choice, char *buf, size_t size);
// Writes the network that a choice makes, without its formats, as a description that opens as that network. Any thread, at any time.
// Returns false if the choice is out of range or cannot be built, if it makes no network, or the file cannot be written; with a
// fault if the network has an operator that descriptions lack.
bool engine_write_network(const struct engine *, const uint8_t *choice, FILE *, struct fault *);

#endif

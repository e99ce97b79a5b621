// SPDX-License-Identifier: GPL-3.0-or-later
// The search engine, as the rest of bitscape sees it: the only engine header that sessions/, plots/ and ui/ include.
//
// An engine trains one network while a policy chooses a number format for every layer. It runs in a thread of its own.
// Others talk to it in four ways, all safe from any thread and none of which waits for a step to end:
//   - run control: engine_run_to, engine_pause;
//   - requests (a change, an evaluation, a copy of its state), carried out between two steps and answered by replies;
//   - snapshots and history: copies of what it publishes after every step;
//   - pricing of a choice, a pure function of what never changes.
// engine_fd becomes readable when there is news (a snapshot, a reply, a change of run state).
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/command.h"
#include "engine/base/fault.h"
#include "engine/base/term.h"

enum {
	ENGINE_NAME = 48,   // longest name of a layer, slot, group, term or setting, with its final zero
	ENGINE_TEXT = 128,  // longest value of a setting
	ENGINE_TERMS = 12,  // most cost terms in one search
	ENGINE_LANES = 8,   // most lanes of one search
	ENGINE_OPTIONS = 32 // most options of one slot
};
#define ENGINE_RUN_ON LONG_MAX // engine_run_to: until the horizon

// ---- settings -----------------------------------------------------------------------------------------------------

enum knob_type { KNOB_INTEGER, KNOB_REAL, KNOB_WORD, KNOB_TEXT };

// One setting: a row of the table that drives `new`, `--set`, `set`, completion and help.
struct knob {
	const char *name;
	enum knob_type type;
	double low, high;   // range of a number, inclusive
	const char *words;  // the words of a KNOB_WORD, or typical values of a KNOB_TEXT, separated by '|'; else ""
	const char *preset; // default value, as text
	bool live;          // may change while the search runs
	const char *help;   // one line, with the unit
};
const struct knob *engine_knobs(size_t *count);

// The settings of a search, complete at every moment: defaults, overlaid by the preset, overlaid by what was set.
// `weight.TERM` and `target.TERM` are settings too, for every cost term (engine_terms; a device may be a file, too). Every
// search has a term of each kind (base/term.h); latency and energy are priced on the setting `device`. Giving latency@DEVICE,
// energy@DEVICE or latency@table:FILE a weight or a target adds that term. A config is not shared between threads.
struct config;
struct config *config_new(void); // NULL: out of memory
struct config *config_copy(const struct config *);
void config_free(struct config *);
bool config_set(struct config *, const char *name, const char *value, struct fault *);
// The value as text into buf; false where there is no such setting.
bool config_get(const struct config *, const char *name, char *buf, size_t size);
// Calls each(name, value, context) for every setting in table order, then weights and targets of the terms in use:
// what a manifest stores; setting all of it again gives the same config.
void config_each(const struct config *, void (*each)(const char *name, const char *value, void *context), void *context);

// Words for completion, NULL-terminated: the nets, formats, cost terms, devices.
const char *const *engine_nets(void);
const char *const *engine_formats(void);
const char *const *engine_terms(void);
const char *const *engine_devices(void);
// The sensitivity table that comes with bitscape for a network, or "none".
const char *engine_sensitivity(const char *net);

// The set of compute kernels for this processor ("avx512", …), or the one that BITSCAPE_KERNELS asks for: on another set,
// results may differ in the last bits.
const char *engine_kernels(void);
// Whether BITSCAPE_KERNELS asks for one; and false, with a fault, where it asks for one that is not there.
bool engine_kernels_asked(void);
bool engine_kernels_check(struct fault *);
// The set for engines that are opened from here on; those that are open keep theirs. NULL: that of engine_kernels. False: this
// processor, or this build, does not have it, and nothing changes. For the thread that opens engines.
bool engine_use_kernels(const char *name);

// ---- what never changes in a search -----------------------------------------------------------------------------------

struct option_info {
	char name[16]; // "int4"
	int bits;      // width, for ordering and colour
};

// A slot is a place for one format: a layer's weights, or its input activations. A choice is one option per slot,
// info->slots bytes. Which slots the policy decides as one may change while a search lives (struct slot_state says how it
// is); slots do not.
struct slot_info {
	char name[ENGINE_NAME]; // "stem.w": the weights of stem; "stem.a": its input activations
	int layer;              // the layer it is a part of
	int options;            // narrowest first
	const struct option_info *option;
};

// One layer: an operator with weights and the input activations it reads. Of a search's network, and of one of the catalog.
struct layer_info {
	char name[ENGINE_NAME];
	const char *kind; // "conv", "depthwise", "grouped", "linear"
	int in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride, groups;
	double macs;           // multiply-accumulates for one image
	double attention_macs; // of the attention that reads this layer: its two products have no weights and are no layer
	double weights;        // number of weights, without bias
	double activations;    // number of input activations for one image
	int weight_slot, activation_slot; // -1 where there is no search
};

struct engine_info {
	char net[ENGINE_TEXT], data[ENGINE_TEXT], space[ENGINE_TEXT], preset[ENGINE_NAME];
	uint64_t seed;
	int threads, batch;
	int layers;
	const struct layer_info *layer;
	int slots;
	const struct slot_info *slot; // [slots]: a layer's two stand next to each other
	int image_h, image_w, image_c, classes;
	long train_images, heldout_images, test_images;
	double parameters;
	double macs, attention_macs; // for one image: of all layers; of attention's products beside them
	const char *kernels;         // the instruction set of the compute kernels in use: "avx2", …
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
	int texts; // step, digest, shapes, …: all that is not an array
	struct state_text *text;
};
void state_free(struct state *);
const char *state_get(const struct state *, const char *name); // a text, NULL where absent
// Whether a search can go on from a state: its weights, its policy and all else that it goes on from are finite numbers. False with
// a fault that names what is not. Any thread.
bool state_sound(const struct state *, struct fault *);

struct engine;
// Loads the data, builds the network and starts the engine's thread, paused at step 0, or at the step of `state`
// (borrowed for the call; NULL: a new search). NULL and a fault where that cannot be done: an unknown network, a damaged
// data file, a state of another network or space, a BITSCAPE_KERNELS that this processor does not have.
struct engine *engine_open(const struct config *, const struct state *, struct fault *);
// Ends the thread after the step that it is in, and frees everything. The engine may be NULL.
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

// ---- requests -------------------------------------------------------------------------------------------------------------

enum change_kind {
	CHANGE_RESTRICT, // name: as snapshot_meant reads it. value: the formats allowed, joined by commas, or "all"
	CHANGE_WEIGHT,   // name: a cost term, which is added where the search does not have it yet; value: a number >= 0
	CHANGE_TARGET,   // name: likewise; value: a format ("int4": the cost of that uniform choice), "0.5x" (of the
	// widest uniform choice), or a number with k, M, G, T or a unit of the term's (3ms, 20mJ, 1.5MB); "": none
	CHANGE_SET, // name: a live setting; value: as text. Another device prices latency and energy anew: targets
	// given as a format or a multiple follow, others stay
	CHANGE_EXTEND, // first item's value: steps to add to the horizon. A second one, `rate`: the learning rate falls anew, from
	// that value. Of an inverse: fewer than no steps, and `from`, the step at which the rate began to fall
	CHANGE_GROUP, // name: a group; value: a glob over layers, which are decided as one from here on; "": no longer
	CHANGE_ADD_LANE, // name: a cost term; value: its target. A lane begins with what change.lane has, and these targets; a term that
	// has no weight there gets the largest of those that have one
	CHANGE_DROP_LANE, // value of its one item: a lane's number
	CHANGE_BACK_LANE, // likewise: a lane that was dropped goes on as it was, if no other has taken its place
};
struct change_item {
	char name[ENGINE_NAME], value[ENGINE_TEXT];
};
// Items are applied all or none.
struct change {
	enum change_kind kind;
	int items;
	struct change_item *item;
	// The number of a lane. Weights and targets (CHANGE_SET's too) are its own, and CHANGE_ADD_LANE begins from it; 0 is the first
	// lane, number 1. CHANGE_RESTRICT holds in it alone; 0: in all lanes. 0 for the rest, which is about all lanes.
	int lane;
};

// The ranges that a layer's plan was calibrated to: what a deployment needs beside the formats.
struct layer_range {
	float weight;     // largest magnitude over the layer's weights
	float activation; // clipping range of the input activations
};

enum choice_kind { CHOICE_RESULT, CHOICE_UNIFORM, CHOICE_GIVEN };
enum split { SPLIT_HELDOUT, SPLIT_TEST };
struct evaluation {
	enum split split;
	long images;               // 0: estimated, not measured (see the snapshot); the loss and the ranges are NAN
	double accuracy, loss;     // accuracy in 0..1; mean cross-entropy
	long calibration_images;   // number of images that statistics and ranges were estimated on, for this very plan
	double cost[ENGINE_TERMS]; // of the choice, by the snapshot's terms
	uint8_t *choice;           // option per slot; owned by the reply
	struct layer_range *range; // per layer; owned by the reply
	struct config *settings;   // under which it was made; owned by the reply
};

enum request_kind { REQUEST_CHANGE, REQUEST_EVALUATE, REQUEST_STATE, REQUEST_FOCUS };
struct reply {
	unsigned ticket;
	enum request_kind kind;
	long step; // between this step and the next it was carried out
	bool ok;
	struct fault fault;         // where not ok
	struct change inverse;      // REQUEST_CHANGE: what takes it back; items 0: it changed nothing
	char says[4 * ENGINE_TEXT]; // REQUEST_CHANGE: what a person should know of it, as clauses; empty: nothing
	struct evaluation evaluation;
	struct state *state; // REQUEST_STATE; the receiver frees it, or reply_free does
};

// Each checks what can be checked at once (false: the fault says what is wrong, nothing was posted), copies its
// arguments, and returns at once; the reply with the same ticket follows. Replies come in the order of the requests.
bool engine_post_change(struct engine *, const struct change *, unsigned *ticket, struct fault *);
// `option` is for CHOICE_UNIFORM (the format's name), `choice` for CHOICE_GIVEN (option per slot). It is the lane in focus that is asked.
bool engine_post_evaluate(struct engine *, enum choice_kind, const char *option, const uint8_t *choice, enum split,
	unsigned *ticket, struct fault *);
bool engine_post_state(struct engine *, unsigned *ticket, struct fault *);
// Snapshots are about this lane from here on, and so are evaluations. That is no change of the search, and no state holds it: a search
// that is opened shows its first lane, and one whose lane in focus is dropped the first of those that are left.
bool engine_post_focus(struct engine *, int lane, unsigned *ticket, struct fault *);
// The next reply, if there is one. reply_free frees what it holds.
bool engine_reply(struct engine *, struct reply *);
void reply_free(struct reply *);

// ---- snapshots ---------------------------------------------------------------------------------------------------------

enum engine_phase { PHASE_WARMUP, PHASE_SEARCH };
enum engine_run { RUN_PAUSED, RUN_RUNNING, RUN_FINISHED, RUN_FAILED };
const char *engine_run_word(enum engine_run); // "running"

// A slot as it is now. Slots of one decision have all of this in common.
struct slot_state {
	float probability[ENGINE_OPTIONS]; // under the restrictions; sums to 1
	uint32_t allowed;                  // bit per option
	uint8_t modal;                     // the most likely allowed option
	uint8_t result;                    // the option of the result
	// What the additive model of quality says of the options, in the unit of quality; NAN: nothing yet.
	float worth[ENGINE_OPTIONS]; // beyond that of the modal option
	float error[ENGINE_OPTIONS]; // the standard error of that
	float tried[ENGINE_OPTIONS]; // number of scored choices that held the option, the older ones counted for less
	int decision;                // which of the policy's decisions sets it: equal numbers are one decision
	int group;                   // of its layer, in the snapshot's list; -1: none
};

struct group_state {
	char name[ENGINE_NAME], pattern[ENGINE_TEXT]; // the layers that match are decided as one
};

// Where a target lies in the costs of the choices that the restrictions allow.
enum target_reach {
	TARGET_NONE, // there is no target, or the term has no price
	TARGET_WITHIN,
	TARGET_BELOW,       // it cannot be met: every choice is proven to cost more
	TARGET_BELOW_FOUND, // every choice that was found costs more, but nothing proves that all do
	TARGET_ABOVE,       // every choice that was found costs less
};

// The terms of a search only ever become more: each keeps its place.
struct term_state {
	char name[ENGINE_NAME];
	const struct term_kind *kind;
	// What its costs are in; these live as long as the engine.
	const char
		*unit; // in full: "bit ops", "B", "ms per 128 images on tpu_v4", "… on a100 (assumed)": by assumed efficiencies
	const char *brief;         // in a narrow column: "bit ops", "B", "ms/128 img", "mJ/img"
	const char *symbol;        // behind a number: "ms", "mJ", "B"; "": a count
	const char *device;        // the device that it is priced on: "tpu_v4"; "": none
	char asked[ENGINE_TEXT];   // the same as it was asked for: a name, a device file or "table:NAME"; "": its kind has none
	bool by_setting;           // the setting `device` says it
	char why[2 * ENGINE_TEXT]; // why it cannot be priced: all its costs are NAN then; empty: it can
	double weight;
	bool targeted;
	double target;                 // in the term's unit
	double whole;                  // what a target of 1x stands for: the cost of the widest uniform choice
	char target_text[ENGINE_NAME]; // as the person gave it
	double modal;                  // cost of the modal choice
	double result;                 // cost of the result
	double expected;               // mean cost of the choices sampled lately
	double low, high;              // cheapest and dearest cost found among the choices that the restrictions allow
	double least; // a proven bound: no choice that they allow costs less; it equals `low` where that is the cheapest
	enum target_reach reach;
	char reach_text[2 * ENGINE_TEXT]; // a clause that explains it; empty for TARGET_NONE and TARGET_WITHIN
};

// What is shown of every lane. Terms are at the places of the snapshot's.
struct lane_state {
	int number;             // from 1 on; a lane that was dropped leaves its number free
	char name[ENGINE_NAME]; // what it aims at: "bops 0.5x"
	int place;              // among ENGINE_LANES: no other lane has it while this one lives
	bool focus;             // the snapshot's slots, terms, groups and smoothed values are this lane's
	bool pins;              // it has pins of its own
	const char *searcher;   // what moves its policy
	long steps;             // it had
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
	long step; // at which the weights were that scored it
	bool dominated;
	int lane;              // the number of the lane that it came from; 0: none, it is uniform
	const uint8_t *choice; // option per slot; owned by the snapshot
};

struct snapshot {
	const struct engine_info *info;
	uint64_t version; // grows with every publication
	enum engine_run run;
	enum engine_phase phase;
	struct fault fault;         // RUN_FAILED
	struct config *settings;    // all of them, as they are; owned by the snapshot
	long step, horizon, warmup; // warmup: the step at which the policy begins to move
	double images_per_s;        // trained, over the last second or so; 0 when paused
	double seconds_left;        // to the horizon; 0 when unknown
	double step_seconds;
	double loss, accuracy; // of training batches, smoothed
	double quality;        // of sampled choices on held-out batches, smoothed: accuracy or minus the loss
	bool quality_is_loss;
	char estimated
		[ENGINE_TEXT]; // what every quality and accuracy is worked out from ("additive table hawq"); empty: they are
			       // measured on images
	const char *idle;      // why no step can be made and nothing scored: the search lacks a source of quality; NULL: it can
	double reward, advantage; // smoothed
	double foretold; // share of the variance of the qualities of a step's choices that the additive model foretold; NAN: unknown
	double entropy; // mean over free decisions, 0..1 (1: uniform)
	double learning_rate;
	char says[ENGINE_TEXT]; // what the search is doing: "warm-up 40/120: pins count, the policy waits"
	int terms;
	struct term_state term[ENGINE_TERMS];
	int decisions; // of the policy; tied, there is one per layer or group, split, there are two
	// The result: of the choices within all targets that have a weight, the one that the policy finds likeliest. The modal choice
	// where that is within them; the cheapest choice that was found where none is.
	bool within; // it is within all of these targets
	bool split;  // a layer's weight format and activation format are two decisions
	int slots;
	struct slot_state *slot;
	int groups;
	struct group_state *group;
	int lanes; // at least one, by growing number
	struct lane_state lane[ENGINE_LANES];
	int focus; // the number of the lane that is shown
	int points;
	struct front_point *point; // the front archive, by growing cost of the first term
	uint8_t *choices;          // storage of the points' choices
};
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *);
// The grammar of names, LAYER|GLOB|GROUP[.w|.a]: the slots that a word means are both formats of a layer, of each layer that a glob
// matches or of a group's, and whatever is decided with them; with .w or .a behind it, that format alone. Fills meant[slots]; false:
// it means none.
bool snapshot_meant(const struct snapshot *, const char *word, bool *meant);
// What the reward takes off a quality for these costs, at most 0, by the snapshot's weights and targets; NAN where the reward is a
// product (mnas), in which costs have no part of their own.
double snapshot_penalty(const struct snapshot *, const double cost[ENGINE_TERMS]);
// Copies the newest publication into *s, which the caller owns and reuses for this engine alone. False: s already holds it.
bool engine_snapshot(struct engine *, struct snapshot *s);

// One step, for curves and for export.
struct record {
	long step;             // 1 is the first
	float loss, accuracy;  // of the training batch
	float quality, reward; // mean over the step's sampled choices; NaN during the warm-up
	float entropy, learning_rate;
	float cost[ENGINE_TERMS]; // mean over the step's sampled choices; NaN: the term was not there yet, or not priced
	float modal_cost[ENGINE_TERMS];
	int lane; // the number of the lane whose step it was; all but the training batch is about that lane
};
// Copies the records of steps first+1, first+2, … (at most `most`) and returns how many; history only grows.
// Where `modal` is not NULL, it receives the modal option per slot, a row of info->slots bytes a step: of the lane whose step it was.
long engine_history(struct engine *, long first, long most, struct record *, uint8_t *modal);

// ---- pricing --------------------------------------------------------------------------------------------------------------

// Costs of a choice (option per slot) under every cost term that there is now, in the snapshot's order and units; NAN for
// the rest and for terms without a price. Where `layer` is not NULL it receives, per layer, the part of term `term`:
// info->layers numbers. Any thread, at any time. False where the choice is out of range.
bool engine_price(const struct engine *, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Where quality comes from. Each kind is a file in sources/ with data of its own behind this table of functions; nothing else
// knows which kind there is. Engine's thread.
//
// Choices are scored in two moves, so that an answer may come late: post hands them over and returns at once, collect waits for
// the answers. Both may fail; so may evaluate. A failure ends the step, or the evaluation, that asked, and not the source. What was
// asked can be asked again at the same step: what was answered meanwhile is not asked twice.
//
// Every path and every choice is of a lane, so that a source may keep something for each of them. `lane` is the lane's place: a
// number below ENGINE_LANES, 0 for the first lane, which stays the same while the lane lives and may be another's after that.
#ifndef ENGINE_SEARCH_SOURCE_H
#define ENGINE_SEARCH_SOURCE_H

#include "engine/base/text.h"
#include "engine/search/shared.h"
#include "engine/state/state.h"

struct source; // what all kinds have in common, and behind it a kind's own

// What one step of training gave.
struct training {
	double loss, accuracy, rate; // of its batch; the learning rate
};

// Training apart: on a copy of all that is trained, so that what is shared stays as it is. There is one copy at a time.
struct apart {
	bool (*begin)(struct source *, struct fault *); // makes the copy
	void (*end)(struct source *);                   // frees it; what is shared is in its place
	// The copy and what is shared change places: arrays and evaluate, above all, are of the copy until they do again.
	void (*exchange)(struct source *);
	// One step on a choice, without what the schedule would make of it; the copy is in its place. By these settings and at this rate; `step`
	// counts the copy's own from 0. `images` says which batch of its own order it takes. False: no number comes out.
	bool (*train)(struct source *, const struct knobs *, int lane, const uint8_t *choice, long images, long step, double rate,
		struct training *, struct fault *);
};

// What a search's choices make: a network, or a job divided over a machine. One of the two.
struct opened {
	struct blueprint *blueprint;
	struct mapping *mapping;
};

struct source_kind {
	const char *name;
	bool (*serves)(const struct knobs *); // whether it is the kind that these settings ask for
	// Two moves, since the space needs it: open makes the source and what it opened, which is the caller's and outlives
	// the source; ready makes the rest, once shared->space is there.
	struct source *(*open)(const struct shared *, struct opened *, struct fault *);
	bool (*ready)(struct source *, struct fault *);
	// Of a search that is new, not one that a state goes on with: what it begins with beyond that. NULL: nothing.
	bool (*begin)(struct source *, struct fault *);
	void (*close)(struct source *);
	// One step on a path. NULL: nothing is trained, and there is no warm-up. False: no number comes out, and nothing will any
	// more.
	bool (*train)(struct source *, int lane, const uint8_t *path, struct training *, struct fault *);
	// By the gradients of the step that was trained last, what each option of each slot of formats loses: fills [slots][shared->options],
	// NAN for layers that were not there.
	// False: that step did not look. NULL: none does.
	bool (*errors)(struct source *, double *lost);
	// As train, on all options of all slots at once, mixed: share[slots][shared->options], those of a slot adding up to 1. Fills
	// lost[slots][options] with how the loss rises with each share, up to what is the same for all of a slot. NULL where nothing is trained.
	bool (*mix)(struct source *, int lane, const double *share, double *lost, struct training *, struct fault *);
	// What each option of each slot loses by how the loss curves in the weights of its layer: fills [slots][shared->options] with HAWQ's
	// Omega, the mean trace of the Hessian's block times the squared rounding error. One sample of the trace, which may be below 0, by a vector of
	// its own in each step; the mean over steps tends to Omega. Takes two passes forward and back beside the step's own, and leaves what is
	// shared as it is. NULL where nothing is trained.
	bool (*curvature)(struct source *, int lane, double *lost, struct fault *);
	double (*rate)(const struct source *, long step); // of that step, counted from 0; NULL where nothing is trained
	// choice: [count][slots], distinct ones, borrowed until collect, which fills quality[count]: accuracy in 0..1, or minus
	// the loss; of a choice that cannot be scored its bit in source->failed is set.
	bool (*post)(struct source *, int lane, int count, const uint8_t *choice, struct fault *);
	bool (*collect)(struct source *, double *quality, struct fault *);
	// By these settings (the front's may be older than the search's). Fills all of it but choice and costs; `range` and `right` only where
	// there is room for them. images 0: all there are of the split.
	bool (*evaluate)(struct source *, const struct knobs *, int lane, const uint8_t *choice, enum split, long images,
		struct evaluation *, struct fault *);
	// NULL where nothing is trained.
	const struct apart *apart;
	// A lane begins in a place: what is kept for it begins as a copy of what is kept for another. NULL: nothing is.
	void (*begin_lane)(struct source *, int lane, int from);
	// Per layer, the share of its weights that stand within an eighth of a step from where their format in the choice rounds them
	// the other way: [layers]. NULL where nothing is trained.
	void (*near_edges)(struct source *, int lane, const uint8_t *choice, float *share);
	// A layer under a choice, look->layer (below 0: none), and what each option of its slot does to it; look->there stays false where the layer
	// rests or nothing is trained. Fills noise[layers], the signal to noise of every layer's output, and, if it is not NULL, what that is in
	// each option, formats[layers][LOOK_OPTIONS]; both are NAN before. The pointer is NULL where nothing is known.
	bool (*look)(struct source *, int lane, const uint8_t *choice, struct layer_look *, double *noise, double *formats,
		struct fault *);
	// The weights of the network that a choice makes, by name (nn.h, network_each), and batch norms' statistics, estimated without
	// formats where none are given. `fold`: norms go into the weights before them. NULL where nothing is trained.
	bool (*weights)(struct source *, int lane, const uint8_t *choice, bool fold, struct state *, struct fault *);
	// The network of a choice as it leaves (nn/frozen.h), calibrated by these settings, with what it makes of the first held-out images. NULL
	// with a fault. The pointer is NULL where there are no weights.
	struct frozen *(*freeze)(struct source *, const struct knobs *, int lane, const uint8_t *choice, struct fault *);
	// For a state: its arrays, the weights first; how many, at most SOURCE_ARRAYS. NULL: none.
	int (*arrays)(const struct source *, struct state_array *);
	// Where choices may be impossible: what this one lacks; what the nearest lacks of all that are allowed [slots], if none of these is
	// possible. A clause, "" for nothing; they return buf. NULL: every choice is possible.
	const char *(*lack)(const struct source *, const uint8_t *choice, char *buf, size_t size);
	const char *(*lack_of_all)(const struct source *, const uint32_t *allowed, char *buf, size_t size);
	void (*describe)(const struct source *, struct engine_info *); // what it has of images and threads; NULL: neither
	void (*identity)(const struct source *, knobs_visit *,
		void *context);                                       // what must be the same for a state to fit, by name
	bool (*by_loss)(const struct source *, const struct knobs *); // whether quality is minus a loss; NULL: it is accuracy
	// Of a source outside; NULL for others. fresh takes the answers that have come since it was called last: adds them to a text, as
	// a line of words for the journal, with the step that they were asked at; false: there are none. recall gives such a line
	// back, and then nobody is asked for what it answers; false: it is no such line.
	bool (*fresh)(struct source *, long *step, struct string *);
	bool (*recall)(struct source *, long step, const char *words, struct fault *);
};
enum { SOURCE_ARRAYS = 8 };
extern const struct source_kind source_model;   // pod=…
extern const struct source_kind source_pipe;    // quality=pipe:…
extern const struct source_kind source_kept;    // data=… sensitivity=…
extern const struct source_kind source_trained; // data=…
extern const struct source_kind source_table;   // data=none

// How a source stands after post, collect or evaluate returned false.
enum source_standing {
	SOURCE_FAILED, // it is a failure of what was asked
	SOURCE_WAITS,  // the answers have not come, and it gave way, so that requests can be carried out: ask again
	SOURCE_HALTS,  // the same, but before it is asked again a person has to see to what the fault says
};

struct source {
	const struct source_kind *kind;
	enum source_standing standing;
	uint64_t failed;        // see collect
	double spared;          // of the passes of the last collect: what choices have in common, in passes
	bool allowed;           // to run commands, which somebody else may have written into a session
	int bell;               // where it waits, it gives way once this can be read
	char says[ENGINE_TEXT]; // what a person who waits should know; empty: nothing
	const struct shared *shared;
	char estimated[ENGINE_TEXT]; // what quality is worked out from where it is not measured; empty: it is
	const char *idle;            // why it can score nothing; NULL: it can
};

// The source that the settings ask for, opened; NULL with a fault.
struct source *source_open(const struct shared *, struct opened *, struct fault *);
void source_close(struct source *);
// Qualities of choices of which some may be equal: each is scored once. Between the two the source may be at work, so what needs
// no quality is done there. scored: how many distinct ones there were.
struct asked {
	int count, scored;
	int of[SEARCH_SAMPLES];      // which of the distinct ones each choice is
	uint8_t *distinct;           // [SEARCH_SAMPLES][slots], the caller's room
	bool failed[SEARCH_SAMPLES]; // each choice, once it is answered: it could not be scored, and has no quality
};
bool source_ask(struct source *, struct asked *, int lane, int count, const uint8_t *choice, struct fault *);
bool source_answer(struct source *, struct asked *, double *quality, struct fault *);

#endif

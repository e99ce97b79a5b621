// SPDX-License-Identifier: GPL-3.0-or-later
// Inside search/: what the files of the search share.
#ifndef ENGINE_SEARCH_INSIDE_H
#define ENGINE_SEARCH_INSIDE_H

#include "engine/data/data.h"
#include "engine/nn/nn.h"
#include "engine/search/policy.h"
#include "engine/search/search.h"
#include "engine/search/sensitivity.h"
#include "engine/space/space.h"

// A split's order of images: an endless stream of epochs, each a permutation of its own.
struct stream {
	const char *purpose; // of its random stream
	enum data_split split;
	long first, count; // the images of the split that it runs over
	long epoch;        // that `order` is for; -1: none yet
	uint32_t *order;
};

struct point {
	enum point_origin origin;
	char label[16];
	float accuracy, loss; // as a state keeps them
	double cost[ENGINE_TERMS];
	long step;
	bool dominated;
	uint8_t *choice;
};

// The front archive: points, and the candidates of a scoring under way. That goes by the settings it began with: a front
// does not depend on when a change came in between.
struct front {
	struct knobs knobs;
	struct point *point, *candidate; // [room] each
	int points, candidates, next, room;
	bool scoring;
	struct point *all; // both of them: they change places
	uint8_t *choices;
};

// A cost term; its settings stand at the same place of the knobs. All costs in the term's unit.
struct priced;
struct term {
	char name[ENGINE_NAME];
	const struct term_kind *kind;
	bool by_setting;         // its device is the setting `device`
	char asked[ENGINE_TEXT]; // the device, a file or "table:NAME"; "": its kind has none
	const struct priced *priced; // NULL: it cannot be priced, as `why` says
	char why[2 * ENGINE_TEXT];
	double target;    // 0: none
	double low, high; // of the cheapest and the dearest choice found that is allowed
	double least;     // no choice that is allowed costs less
	uint8_t *cheapest, *dearest; // these choices: [slots]
	double modal;     // of the modal choice
	double sampled;   // mean of lately sampled choices; NAN: none since it is priced like this
};

// Where quality comes from; each kind is a file of its own.
struct quality_source {
	bool (*open)(struct search *, struct fault *); // makes the model, and loads what goes before it
	bool (*make)(struct search *, struct fault *); // the rest, once there is the space
	// A step on a path: fills loss, accuracy and rate of the record. NULL: nothing is trained, and there is no warm-up.
	bool (*train)(struct search *, const uint8_t *path, struct fault *);
	double (*rate)(const struct search *, long step); // learning rate of that step, counted from 0; NULL: nothing is trained
	void (*score)(struct search *, int samples, double *quality); // of the choices in the first rows of s->choice
	// Fills all of it but choice and costs; ranges only where there is room for them.
	void (*evaluate)(struct search *, const struct knobs *, const uint8_t *choice, enum split, long images, struct evaluation *);
	bool losses; // quality may be minus a loss; else it is accuracy
};
extern const struct quality_source trained_source; // data=…
extern const struct quality_source table_source;   // data=none

// The settings after the last step, and what they gave: kept from the first change on, until the next step is made. The present
// ones, and the policy beside them, are those of that step.
struct last {
	bool kept; // there were changes; else the rest says nothing
	struct knobs knobs;
	int terms;
	struct term term[ENGINE_TERMS];
	struct partition *partition;
	struct policy *policy; // follows that partition
	double expected[ENGINE_TERMS]; // cost by the terms that counted
	double baseline;
	bool has_baseline;
};

struct search {
	struct knobs knobs;
	const struct quality_source *source;
	char estimated[ENGINE_TEXT]; // what quality is worked out from where it is not measured; empty: it is
	const char *idle;            // why no step can be made; NULL: one can
	struct sensitivity *sensitivity; // of table_source
	struct model *model;
	struct space *space;
	struct partition *partition, *wanted; // as it is; room for a change to be tried on
	struct data *data; // these four: of trained_source, else NULL
	struct team *team;
	struct network *network;
	struct calibration *calibration;
	struct policy *policy;
	struct last last;

	struct engine_info info;
	struct option_info *option_info;

	long step, horizon, warmup;
	long restart; // the step from which the learning rate falls anew; 0: the schedule it began with
	double baseline;
	bool has_baseline;
	double loss, accuracy, quality, reward, advantage; // smoothed, for the eye
	bool has_quality;
	struct record record;

	struct stream train, heldout;
	uint8_t *labels;   // [batch]
	uint32_t *index;   // [batch]
	uint8_t *choice;   // [samples + 1][slots]; the last row is for cost samples
	uint8_t *modal;    // [slots]
	double *modal_value; // [decisions][options]: what each loses for its cost, in the step under way
	int options;       // of the slot with the most of them
	struct plan plan;

	// Cost terms: terms.c.
	int terms;
	struct term term[ENGINE_TERMS];
	struct priced *priced; // all that were ever asked for
	struct plan scratch;   // the choice that was priced last
	int *touched;          // [layers]
	uint8_t *halves;       // [layers]
	uint8_t *tensor;       // [operators]: formats of the tensors of `scratch`
	struct layer_plan *become; // [options][layers]: what a decision's layers become
	double *answer;        // room of answer.c: [ENGINE_TERMS + 3][slots][options]
	uint8_t *bounds;       // storage of the terms' cheapest and dearest choices
	struct front front;
};

enum { SEARCH_SAMPLES = 64 };

// ---- terms.c ----
// Takes the terms and their targets from the knobs: prices what is new, prices the front anew. All or nothing; false with a
// fault: an unknown device; a term that is asked for and has no price; a target that is none, or none for a weight.
// Allocates.
bool search_reprice(struct search *, const struct knobs *, struct fault *);
// The terms and targets that knobs stand for, bounds and samples aside.
bool search_price_terms(struct search *, const struct knobs *, struct term term[ENGINE_TERMS], struct fault *);
void search_terms_free(struct search *);
// Whether a target can be one of a term that is there; any thread.
bool search_check_target(const struct search *, const char *name, const char *text, struct fault *);
void search_term_units(const struct search *, int term, struct term_state *); // kind, unit, brief, symbol, and the device
double search_term_whole(const struct search *, int term); // what 1x is; NAN: it cannot be priced
// Fills cost[ENGINE_TERMS]: NAN where there is no term, or no price.
void search_costs(const struct search *, const uint8_t *choice, double *cost);
// Whether a term is in the reward.
static inline bool search_counts(const struct search *s, int term)
{
	return s->knobs.term[term].weight > 0 && s->term[term].target > 0;
}
// The terms in the reward, a bit each.
static inline uint32_t search_counted(const struct search *s)
{
	uint32_t terms = 0;
	for (int t = 0; t < s->terms; t++)
		terms |= (uint32_t)search_counts(s, t) << t;
	return terms;
}
// What the choice that was priced last, at `whole`, costs with each option of one decision, by `terms` (a bit each); by the
// others, and with options that are not allowed, as in `whole`. cost: [options].
void search_price_options(const struct search *, const uint8_t *choice, const double *whole, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS]);
double search_price_layer(const struct search *, int term, int layer, int weight, int activation); // of a term that adds up
const struct cost *search_cost(const struct search *, int term); // NULL: it cannot be priced
bool search_adds(const struct search *, int term); // whether it is a sum over layers; false where it cannot be priced

// ---- answer.c ----
void search_keep(struct search *);   // before a change is applied: what there was after the last step
void search_answer(struct search *); // after it: the policy and all that goes with it, as the next step will find them

// ---- bounds.c ----
// Finds the cheapest and the dearest choice that the partition allows, by pricing: after a change of the terms, or of what is
// allowed.
void search_bounds(struct search *);
enum target_reach search_reach(const struct search *, int term);
void search_reach_text(const struct search *, int term, char *buf, size_t size);

static inline bool search_by_loss(const struct search *s) // whether quality is minus a loss
{
	return s->source->losses && s->knobs.quality == QUALITY_LOSS;
}
bool search_diverged(const struct search *, const char *what, struct fault *); // false, with the fault
double search_smoothed(double old, double value); // old NAN: the value
void search_modal(const struct search *, uint8_t *choice);
void search_settle_modal(struct search *); // s->modal and its costs, after a change of the policy or of the terms
// Puts the partition that was worked out in s->wanted in the place of the present one.
void search_rearrange(struct search *);
bool search_restore(struct search *, const struct state *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A lane: one policy with its own targets over the weights that all lanes share. It knows what may be decided, what it aims at,
// what it would choose now, and how it has fared lately; it saves, restores and publishes its own part. How its policy moves is
// the searcher's affair (searcher.h), and where qualities come from the source's (source.h).
//
// A step is one lane's. So of n lanes each has one step in n: its policy moves a n-th as often as a single one would, by somewhat larger
// moves (lane_pace), and its smoothed values look back n times as far. Schedules (the growth of the policy's rate, the entropy's weight)
// run over the steps of the search, not over the lane's own: every lane, however late it began, is to commit by the horizon.
//
// Belongs to the engine's thread. Its own files read its fields: lane.c, answer.c, bounds.c and the searchers; others use
// functions.
#ifndef ENGINE_SEARCH_LANE_H
#define ENGINE_SEARCH_LANE_H

#include <math.h>

#include "engine/search/additive.h"
#include "engine/search/policy.h"
#include "engine/search/shared.h"
#include "engine/state/state.h"

// What a lane wants of a cost term, and how its costs stand; all costs in the term's unit. At the term's place in shared->term.
struct aim {
	double weight;
	char asked[ENGINE_NAME];     // the target as the person gave it
	double target;               // 0: none
	double low, high;            // of the cheapest and the dearest choice found that is allowed
	double least;                // no choice that is allowed costs less
	uint8_t *cheapest, *dearest; // these choices: [slots]
	double modal, result;        // of the modal choice; of the result
	double sampled;              // mean of lately sampled choices; NAN: none since it is priced like this
};

// The settings after the last step, and what they gave: kept from the first change on, until the next step is made. The present
// ones, and the policy beside them, are those of that step.
struct last {
	bool kept; // there were changes; else the rest says nothing
	struct knobs knobs;
	int terms;
	const struct price *price[ENGINE_TERMS];
	struct aim aim[ENGINE_TERMS];
	struct partition *partition;
	struct policy *policy;         // follows that partition
	double expected[ENGINE_TERMS]; // cost by the terms that counted
	double baseline;
	bool has_baseline;
};

struct searcher;
struct lane {
	const struct shared *shared;
	int number;   // from 1 on, and never another's in one search; 0: there is no lane here
	int place;    // among the search's lanes: what a source knows it by
	long dropped; // 0: it lives. Else it is kept, to be brought back, and takes no step; they are counted as they are dropped
	const struct searcher *searcher;      // that moved its policy at the last step
	void *memory;                         // what that one keeps beside it
	char name[16];                        // part of its names in a state and of its random keys; "": the first lane
	uint32_t *own;                        // [slots]: what its own pins allow, whatever those of all lanes do
	struct partition *partition, *wanted; // as it is, by both; room for a change to be tried on
	struct policy *policy;
	struct additive *additive;    // what the options of its decisions are worth
	struct wishes wishes;         // its part of the settings
	struct aim aim[ENGINE_TERMS]; // what that comes to
	uint8_t *modal;               // [slots]: what it would choose now
	uint8_t *result;              // [slots]: the same within its targets (result.h)
	bool within;                  // it is within all of them
	double baseline;              // a moving average of rewards
	bool has_baseline;
	double quality, reward, advantage; // smoothed, for the eye
	// Of the policy's gradient, smoothed, for the eye: by the qualities of a step's samples as they are, and by what the additive model, fitted
	// to earlier steps, leaves of them. NAN: not known.
	double variance, variance_left;
	bool has_quality;
	long steps;            // it had
	long begun;            // the step that it began at
	double loss, accuracy; // of their training batches, smoothed; NAN: it had none
	struct record record;  // of its last step
	struct last last;

	struct pricer *pricer;
	uint8_t *bounds; // storage of the aims' cheapest and dearest choices
	uint8_t *choice; // room for LANE_CHOICES choices: a draw in hand
	double *value;   // room of the searcher: [decisions][options]
	double *answer;  // room of answer.c: [ENGINE_TERMS + 3][slots][options]
};
enum { LANE_CHOICES = 8 };

// Takes the partition from the settings; the policy begins as they say. The aims are still to come (lane_take_aims).
bool lane_open(struct lane *, const char *name, const struct shared *, struct fault *);
void lane_close(struct lane *);
// Hands the lane to the searcher that the settings name, where that is another: when a step begins, so that a change which is taken
// back before it has changed nothing. False: out of memory.
bool lane_take_searcher(struct lane *, struct fault *);

// Its settings: the search's, and its own wishes.
void lane_knobs(const struct lane *, struct knobs *);
// A new lane takes over what another has and wants; as if it had made no step yet, so that it answers any target it is given
// (lane_answer) and owes nothing to how the other one met its own. A policy that has settled looks around again: options keep their
// order, and little else.
void lane_follow(struct lane *, const struct lane *from);

// By how much its policy moves faster than that of a search with one lane, which is 1: it has fewer steps to commit in, by as many times
// as there are lanes, and as it came late. The square root of that, since what moves it is noise as much as signal.
double lane_pace(const struct lane *);

// The key of a random stream of its own, at the present step.
uint64_t lane_key(const struct lane *, const char *purpose);
// What a choice costs: cost[ENGINE_TERMS]. The pricer holds it from then on.
void lane_costs(const struct lane *, const uint8_t *choice, double *cost);

// ---- what it aims at ----

// New aims, after a change of the terms, their prices or the settings: the bounds are found anew. `same`: a bit for each term
// whose price is what it was.
void lane_take_aims(struct lane *, const struct aim *, uint32_t same);
// What the reward aims at: the target, or where that lies out of reach, the nearest cost that can be had. So a target that cannot be met
// pulls as hard as one that can, and what is left to choose is chosen by quality.
static inline double lane_goal(const struct aim *aim)
{
	return fmin(fmax(aim->target, aim->low), aim->high);
}
// Whether a term is in the reward.
static inline bool lane_counts(const struct lane *lane, int term)
{
	return lane->aim[term].weight > 0 && lane->aim[term].target > 0;
}
uint32_t lane_counted(const struct lane *);                   // the terms in the reward, a bit each
double lane_penalty(const struct lane *, const double *cost); // what is added to a quality for the cost: at most 0
double lane_reward(const struct lane *, const double *cost, double quality);

// The terms and the aims that settings stand for, bounds and samples aside. False with a fault: a term that is asked for and has
// no price; a target that is none, or none for a weight. (terms.c)
bool aims_of(const struct shared *, const struct knobs *, struct term term[ENGINE_TERMS], struct aim aim[ENGINE_TERMS],
	struct fault *);

// ---- steps ----

// What a step on this path begins with: a record of its costs, in which nothing else is known yet.
void lane_begin_step(struct lane *, const uint8_t *path);
// What the weights' step gave: into the record, and smoothed, as the search's own are. A lane that is alone keeps none of it in a state: its
// are the search's, to the bit.
void lane_trained(struct lane *, double loss, double accuracy, double rate);
// What the choices that were scored gave: their costs and means into the record, and smoothed.
void lane_fared(struct lane *, int count, double (*cost)[ENGINE_TERMS], double quality, double reward, double advantage);
// It has gone well: what the lane would choose now, and what is smoothed. The step is counted by the caller, before.
void lane_end_step(struct lane *);
// The modal choice, its costs and the result, after a change of the policy or of the terms.
void lane_refresh(struct lane *);

// ---- changes (answer.c) ----

// Works out in lane->wanted what is allowed by `common`, which holds for all lanes, and by its own pins. False: nothing is, somewhere.
bool lane_narrow(struct lane *, const struct partition *common, struct fault *);
bool lane_has_pins(const struct lane *); // of its own
// Puts the partition that was worked out in lane->wanted in the place of the present one.
void lane_rearrange(struct lane *);
void lane_keep(struct lane *);   // before a change is applied: what there was after the last step
void lane_answer(struct lane *); // after it: the policy and all that goes with it, as the next step will find them

// ---- bounds (bounds.c) ----

// Finds the cheapest and the dearest choice that the partition allows, by pricing: after a change of the terms, or of what is
// allowed.
void lane_bounds(struct lane *);
enum target_reach lane_reach(const struct lane *, int term);
void lane_reach_text(const struct lane *, int term, char *buf, size_t size);

// ---- states and snapshots ----

bool lane_save(struct lane *, struct state *, struct fault *); // as a part
// After the search's settings, terms and aims.
bool lane_restore(struct lane *, const struct state *, struct fault *);
// Its part of the settings, among those of the search.
bool lane_save_wishes(const struct lane *, struct state *);
bool lane_restore_wishes(const struct lane *, const struct state *, struct knobs *, struct fault *); // into the knobs
// Its pins. Without them in the state there are none.
bool lane_save_pins(const struct lane *, struct state *);
bool lane_restore_pins(struct lane *, const struct state *, struct fault *);
unsigned long lane_sum(const struct lane *, unsigned long crc); // of the policy with its masks
// Slots, decisions, groups, terms, and what is smoothed.
void lane_publish(const struct lane *, struct snapshot *);
void lane_publish_row(const struct lane *, struct lane_state *); // what is shown of every lane

#endif

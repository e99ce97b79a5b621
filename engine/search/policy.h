// SPDX-License-Identifier: GPL-3.0-or-later
// The policy: per decision a categorical distribution, the softmax of bare logits, under restrictions that mask options.
// What its decisions are, and what each may hold, is the partition's.
// Belongs to the engine's thread.
#ifndef ENGINE_SEARCH_POLICY_H
#define ENGINE_SEARCH_POLICY_H

#include <stdint.h>

#include "engine/base/fault.h"
#include "engine/space/space.h"
#include "engine/state/state.h"

struct policy;
struct policy *policy_new(const struct partition *, struct fault *); // uniform; the partition is borrowed
// Goes on with another partition of the same space, which is borrowed from here on: after a change of what is allowed, or
// of what is decided together. Then a decision's logits are the mean over its slots of what these had, and the optimizer's
// moments are forgotten.
void policy_follow(struct policy *, const struct partition *);
// Takes over another policy's logits and moments, bit for bit; `partition` is what that one follows, or another with the same
// decisions and masks, and borrowed from here on.
void policy_copy(struct policy *, const struct policy *from, const struct partition *);
void policy_forget(struct policy *); // the optimizer's moments
// Gives a decision's allowed options these probabilities (above 0, adding up to 1); policy_refresh is to follow.
void policy_set(struct policy *, int decision, const double *probability);
// Leans to the widest options: logits grow evenly from 0 for the narrowest to `slope` for the widest.
void policy_lean(struct policy *, double slope);
// Looks around again, if it has settled: its logits are divided by the same number so that its entropy is at least this. Options keep
// their order, and how they stand to each other.
void policy_warm(struct policy *, double entropy);
void policy_free(struct policy *);

// Numbers to save and restore: [decisions][SPACE_OPTIONS] each, by the partition that is followed.
enum { POLICY_ARRAYS = 3 }; // logits and both moments
void policy_arrays(const struct policy *, struct state_array[POLICY_ARRAYS]);
long *policy_moves(struct policy *);  // how many Adam steps there were: also state
void policy_refresh(struct policy *); // after writing to the logits

const float *policy_probabilities(const struct policy *, int decision); // [SPACE_OPTIONS], of allowed options; the rest 0
int policy_modal(const struct policy *, int decision);                  // its most likely option
void policy_best(const struct policy *,
	uint8_t *choice); // the modal choice (option per slot); what rests has its most likely option too
double policy_there(const struct policy *,
	int decision); // how likely it is that it makes a difference: 1 where no slot has an owner
// Mean over decisions with more than one allowed option, each 0..1 and as likely as it is there; 0 where none.
double policy_entropy(const struct policy *);
// Choices are drawn in the form that choices of one network share (partition_canonical).
// A choice (option per slot) drawn from the policy with stream `key`.
void policy_sample(const struct policy *, uint64_t key, uint8_t *choice);
// The same, but what rests has the option that was drawn for it: so a price of what would be there is that of what would be chosen there.
void policy_draw(const struct policy *, uint64_t key, uint8_t *choice);
// A choice drawn evenly from the allowed options.
void policy_sample_evenly(const struct policy *, uint64_t key, uint8_t *choice);
// The choice of turn `turn`: of n turns in a row, from a multiple of n on, each of n options of a decision has one, in an order drawn with
// stream `key` (as FairNAS: Chu et al., 2019). So all options are trained alike.
void policy_sample_fairly(const struct policy *, uint64_t key, long turn, uint8_t *choice);

// One policy step: clear, any number of credits, then move.
void policy_clear(struct policy *);
// Adds the gradient of -advantage * mean over decisions(log p(choice)), of those that are there under the choice.
void policy_credit(struct policy *, const uint8_t *choice, double advantage);
// The variance of what one sample gives to the gradient of its value, summed over logits, by samples and their values less these' mean. Of one
// sample: NAN.
double policy_variance(const struct policy *, int count, const uint8_t *choice, const double *value);
// Adds `share` of the gradient of minus the expected value of one decision's options, the other decisions staying as they are.
void policy_credit_options(struct policy *, int decision, const double *value, double share);
// Adds entropy_weight * gradient of the mean entropy, each decision's as likely as it is there, and takes one Adam step (Kingma and Ba, 2015) down.
void policy_move(struct policy *, double rate, double beta1, double beta2, double entropy_weight);

#endif

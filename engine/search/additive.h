// SPDX-License-Identifier: GPL-3.0-or-later
// An additive model of quality: q = level + sum over decisions of a[decision][option], of those decisions that are there under the
// choice, fitted online to the choices that are scored anyway. The choices of a step are scored on the same held-out images, so only their differences within the step are
// learned from: what the images of a step have in common, and the level, never enter.
//
// The fit is a Kalman filter. Beforehand, the options of a decision differ as the squared rounding errors of their formats do (a
// quarter for each bit), by an unknown factor that is a part shared by all decisions and a part of its own, and by a little beside that; and
// as what they lose by the gradients of training does (Fisher's term), by one factor for all. Options of the architecture differ by
// about as much, whatever their order and each by itself. A decision that rests in a choice has no part in what it is worth, so
// nothing is learned of it there. What is known fades: at each step the covariance moves a
// small way back to what it was at first, the estimate staying (linear, or stabilised, forgetting: Kulhavy and Zarrop, 1993), so that
// options no longer tried become uncertain but never more than they were. Exact with all decisions' options in one covariance, up to
// ADDITIVE_DENSE of them; beyond, a block per decision, which leaves out that two decisions' estimates err together.
//
// The same bits for the same lessons: nothing is random, nothing runs in parallel. Engine's thread.
#ifndef ENGINE_SEARCH_ADDITIVE_H
#define ENGINE_SEARCH_ADDITIVE_H

#include "engine/space/space.h"
#include "engine/state/state.h"

enum { ADDITIVE_DENSE = 1024 }; // most decisions x options in one covariance: 4 MiB

struct additive;
struct additive *additive_new(const struct partition *, struct fault *); // knows nothing yet; the partition is copied
void additive_free(struct additive *);
// At the beginning of a step: what the choices of the lessons to come are of. Where the decisions are the same, nothing is lost; where
// slots are decided in other groups, a decision's worth begins from its slots' share of what they had, and is as uncertain as
// at first. In another unit of quality, all is forgotten.
void additive_follow(struct additive *, const struct partition *, int unit);
// Takes what another one has learned; both are of one space.
void additive_copy(struct additive *to, const struct additive *from);
// Whether its decisions are those of a partition. Between a change of what is decided together and the next step, they are not.
bool additive_follows(const struct additive *, const struct partition *);

// What each slot's options lose by the gradients of a step of training: lost[slots][options of the slot with the most], in any unit; NAN: of
// this one nothing is known.
// It is smoothed, and is what the model begins from: the first lesson finds it there, and what is known fades to it.
void additive_hint(struct additive *, const double *lost);
// Choices of one step: choice[count][slots]. One choice alone teaches nothing.
void additive_learn(struct additive *, int count, const uint8_t *choice, const double *quality);

// What a choice is worth, in the unit of quality, up to a constant that is the same for all choices.
double additive_value(const struct additive *, const uint8_t *choice);
// What each option of a decision is worth: [options of the decision], up to a constant.
void additive_worth(const struct additive *, int decision, double *worth);
// What the options of all decisions are worth as far as the model is to be trusted: between what the shape alone says, of a size that fits
// what was learned, where it foretold nothing, and what was learned. worth[decisions][options of the slot with the most].
void additive_trusted(const struct additive *, double *worth);
// The standard error of the difference of two options of a decision; INFINITY: nothing is known of the noise yet.
double additive_error(const struct additive *, int decision, int option, int other);
// Whether anything was hinted since all was forgotten.
bool additive_has_hints(const struct additive *);
// Minus what was hinted, smoothed: [options of the decision].
void additive_hinted(const struct additive *, int decision, double *worth);
// How often the choices that were learned from held an option, faded alike; below about 1 it is as good as not tried.
double additive_tried(const struct additive *, int decision, int option);
// The share of the qualities' variance within steps that it foretold, smoothed; it may be below 0. NAN: not known yet.
double additive_foretold(const struct additive *);

// To save and restore. Before its arrays are restored, additive_refollow says what they are of.
void additive_refollow(struct additive *, const struct partition *);
enum { ADDITIVE_ARRAYS = 5 };
void additive_arrays(struct additive *, struct state_array[ADDITIVE_ARRAYS]);

#endif

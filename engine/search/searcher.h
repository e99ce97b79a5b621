// SPDX-License-Identifier: GPL-3.0-or-later
// How a lane's choice is found: a searcher is a row of functions, one of the table below. What all of them have in common is the
// lane's: its policy, its aims, its modal choice. A searcher that needs more keeps it behind lane->memory, and writes it into states.
// The setting `searcher` names the row; another one takes over when a step begins. Engine's thread.
#ifndef ENGINE_SEARCH_SEARCHER_H
#define ENGINE_SEARCH_SEARCHER_H

#include "engine/search/lane.h"

// Choices that were scored at one step.
struct lesson {
	int count;                    // 0: it proposed none
	const uint8_t *choice;        // [count][slots]
	const double *quality;        // [count]
	double (*cost)[ENGINE_TERMS]; // [count]
	// [slots][options]: what the searcher asked for beside, of this step: what options lose by the curvature, or how the loss rises with
	// their shares of the mixture that was trained. NULL: it asked for neither, or there is none.
	const double *lost;
};

struct searcher {
	const char *name;
	bool formats_only; // it serves no network whose architecture is to be chosen too
	bool sparing;      // it learns at one step of `learn-every`; else at each
	// The choice whose weights the step trains.
	void (*path)(const struct lane *, uint8_t *choice);
	// The choices it wants scored, the same one as often as it likes: how many, from 0 to SEARCH_SAMPLES.
	int (*propose)(const struct lane *, uint8_t *choice);
	// Moves the policy, or what else it goes by. False, with a fault, where a quality or a reward is no number that can be
	// learned from; nothing has moved then.
	bool (*learn)(struct lane *, const struct lesson *, struct fault *);
	// What it would choose now.
	void (*best)(const struct lane *, uint8_t *choice);

	// For what it keeps beside the policy, behind lane->memory: all four or none. `prefix` stands before its names in a state.
	// Open begins anew, from the lane as it is; restore comes after it.
	bool (*open)(struct lane *, struct fault *);
	void (*close)(struct lane *);
	bool (*save)(const struct lane *, const char *prefix, struct state *, struct fault *);
	bool (*restore)(struct lane *, const char *prefix, const struct state *, struct fault *);

	// Whether its lesson of this step is to hold the curvature; NULL: never.
	bool (*curves)(const struct lane *);
	// The mixture that the step trains in place of a path: fills share[slots][options] (source.h's mix). False: it trains the path; NULL:
	// ever.
	bool (*mixes)(const struct lane *, double *share);
	// What it is at, in a few words; NULL: what the policy does says it.
	void (*says)(const struct lane *, char *buf, size_t size);
};

// The table, in the order of the setting's words; NULL-terminated.
extern const struct searcher *const searchers[];
const struct searcher *searcher_named(const char *name); // NULL: there is none
// Whether it serves a space; false with a fault that names those that do.
bool searcher_serves(const struct searcher *, const struct space *, struct fault *);

// The policy that the additive model calls for, of an entropy that falls by a schedule; it samples and trains as REINFORCE does.
extern const struct searcher searcher_annealed;
extern const struct searcher searcher_reinforce; // REINFORCE
// REINFORCE, whose result is allocated by the lane's additive model.
extern const struct searcher searcher_greedy, searcher_exact;
extern const struct searcher searcher_uniform;   // the widest uniform choice within the targets
extern const struct searcher searcher_ends;      // the same with 8 bits in the first and the last layer
extern const struct searcher searcher_random;    // random choices within the targets, the best kept
extern const struct searcher searcher_evolution; // evolution over shared weights
// Trained in the widest format, then measured one layer at a time or judged by gradients or by the Hessian, and allocated by that.
extern const struct searcher searcher_sensitivity_greedy, searcher_sensitivity_exact, searcher_sensitivity_list,
	searcher_sensitivity_gradient, searcher_sensitivity_hessian;

// Branching, made differentiable.
extern const struct searcher searcher_branching;

// Parts of what REINFORCE does in a step, between policy_clear and the next: credits options with the cost's part of the reward, as if that
// were a sum; moves the policy.
void reinforce_credit_costs(struct lane *);
void reinforce_move(struct lane *);

// What a searcher does with any lesson: the mean quality, or false with a fault where it is no number; and what the lane is told.
bool lesson_mean(const struct lane *, const struct lesson *, double *quality, struct fault *);
// For the eye: how noisy the samples' qualities make the gradient of the policy, and how noisy what the model leaves of them would.
void lesson_watch(struct lane *, const struct lesson *);
void lesson_fared(struct lane *, const struct lesson *, double quality);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The one-shot search: a network trains on sampled paths while the policy learns from held-out images. Everything here
// belongs to the engine's thread, but for search_info, search_price, search_layers, search_lack and search_write_network, which
// read what never changes.
#ifndef ENGINE_SEARCH_SEARCH_H
#define ENGINE_SEARCH_SEARCH_H

#include "engine/base/text.h"
#include "engine/engine.h"
#include "engine/search/knobs.h"

struct search;
// Loads the data, builds network, space and policy; at step 0, or where `state` says.
struct search *search_new(const struct knobs *, const struct state *, struct fault *);
void search_free(struct search *);

const struct engine_info *search_info(const struct search *);
bool search_price(const struct search *, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer);
bool search_layers(const struct search *, const uint8_t *choice, struct layer_info *layer);      // as engine_layers
const char *search_lack(const struct search *, const uint8_t *choice, char *buf, size_t size);   // as engine_lack
bool search_write_network(const struct search *, const uint8_t *choice, FILE *, struct fault *); // as engine_write_network

// One step: a weight update and, after the warm-up, a policy update. Not beyond the horizon. False: the loss, the gradient
// or the quality is no longer a number, and the weights are useless from here on; or the source of quality failed.
bool search_step(struct search *, struct fault *);
long search_steps_done(const struct search *);
long search_horizon(const struct search *);
void search_knobs(const struct search *, struct knobs *); // the settings as the lane in focus has them
// The newest record, and the modal option per slot that goes with it.
const struct record *search_record(const struct search *);
const uint8_t *search_modal(const struct search *);
// The probabilities of all options that its policy has now: of every slot, one slot after the other.
void search_probabilities(const struct search *, float *probability);

// How many choices were to be scored in the steps that this process made, and how many were: equal choices of a step are scored
// once. spared: what choices that differ left out of their passes since their first layers are alike, in passes.
struct search_work {
	long asked, scored;
	double spared;
};
struct search_work search_work(const struct search *);

// Applies a change between two steps; all of it or nothing. *inverse takes it back (its items are for the caller to free); `says`
// is what there is to say of it, clauses, or nothing.
bool search_apply(struct search *, const struct change *, struct change *inverse, char *says, size_t size, struct fault *);
// What can be said of a change without the search's present state.
bool search_check(const struct search *, const struct change *, struct fault *);

// The network of a choice as it leaves, the caller's (see engine_post_freeze). Nothing of the search changes. Only where there are
// weights. NULL with a fault: there is no such lane; out of memory.
struct frozen *search_freeze(struct search *, int lane, const uint8_t *choice, struct fault *);
// Fills a look at a layer but its seconds (see engine.h). Nothing of the search changes. False: out of memory.
bool search_look(struct search *, int layer, struct layer_look *, double *noise, double *formats, struct fault *);
// Appends the weights of the network of the result by name, as engine_post_weights has them. False: nothing is trained; out of memory.
bool search_weights(struct search *, bool fold, struct state *, struct fault *);
// Scores a choice (NULL: the result) on a split, under statistics and ranges calibrated for it; choice and range of the result
// are for the caller to free. `images` 0: all of the split's report images. False: there is no source of quality, or it failed;
// out of memory.
bool search_evaluate(struct search *, const uint8_t *choice, enum split, long images, struct evaluation *, struct fault *);
// The choice that gives every slot this format; false: the space lacks it.
bool search_uniform(const struct search *, const char *format, uint8_t *choice, struct fault *);

// The front archive is scored again as a whole, a point at a time, so that requests can be answered in between. Begin gathers the
// candidates; each call of advance scores one and returns whether more remain; the archive changes when the last is done.
void search_front_begin(struct search *);
bool search_front_due(const struct search *);
// While the source waits or halts (search_standing), it stays at the same one.
bool search_front_advance(struct search *);
bool search_front_scoring(const struct search *);

// A copy of the weights is being trained on a lane's result (polish.h), behind a front that is being scored and before the next step.
// Each call of advance makes one step of it.
bool search_polishing(const struct search *);
void search_polish_advance(struct search *);

// Publications, settings and evaluations are about this lane from here on, as long as it lives.
void search_focus(struct search *, int number);
bool search_has_lane(struct search *, int number, struct fault *);

// ---- a source outside: quality=pipe:COMMAND ----

// Why a step, an evaluation or a point of the front came to nothing.
enum search_standing {
	SEARCH_FAILED,
	SEARCH_WAITS, // for an answer: ask again, once the requests that came meanwhile are carried out
	SEARCH_HALTS, // a person has to see to what the fault says, then it may be asked again
};
enum search_standing search_standing(const struct search *);  // of the last one
const struct fault *search_front_halt(const struct search *); // where it was a point of the front that halted
void search_allow(struct search *);                           // its command may be run
void search_listen(struct search *, int bell);                // a wait ends once this can be read
bool search_late(const struct search *);                      // answers come from outside, and may come late
// Answers that have come since this was asked last, as words for the journal; and giving such words back. See source.h.
bool search_fresh(struct search *, long *step, struct string *words);
bool search_recall(struct search *, long step, const char *words, struct fault *);

// Fills what a publication holds: everything but run state, speed and version. Arrays in *s must have room (see engine.c).
void search_publish(const struct search *, struct snapshot *s);
int search_front_room(const struct search *); // most points there can be

// Appends the arrays and texts of a checkpoint; false: out of memory.
bool search_save(struct search *, struct state *, struct fault *);

#endif

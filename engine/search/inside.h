// SPDX-License-Identifier: GPL-3.0-or-later
// The search itself, as the files of this folder that stand on top see it: search.c, opening.c, lanes.c, changes.c, terms.c,
// saved.c, publish.c. What stands below (lane, searcher, source, front, prices) has a header each and knows nothing of it.
#ifndef ENGINE_SEARCH_INSIDE_H
#define ENGINE_SEARCH_INSIDE_H

#include "engine/search/front.h"
#include "engine/search/lane.h"
#include "engine/search/polish.h"
#include "engine/search/search.h"
#include "engine/search/searcher.h"
#include "engine/search/source.h"
#include "engine/search/strain.h"

struct search {
	struct shared shared; // the only place that writes it
	struct source *source;
	struct lane lane[ENGINE_LANES];    // by place: those that live, those that were dropped and are kept, and free places
	int numbers;                       // the number of the next lane
	long drops;                        // how many lanes were dropped
	int focus;                         // the number of the lane that is shown
	const struct lane *last;           // whose the last step was
	struct partition *common, *wanted; // what holds for all lanes: as it is; room for a change to be tried on
	struct partition *own;             // room for the pins of one lane
	struct front front;
	struct polish polish;
	struct strain strain;

	double loss, accuracy; // of training, smoothed
	uint8_t *choice;       // [SEARCH_SAMPLES][slots]: of the step under way
	double *lost;          // [slots][options]: what options lose by the gradients of the step, or its curvature
	double *share;         // [slots][options]: of the mixture that the step trains
	bool mixed;            // it does
	struct asked asked;    // of them, the distinct ones
	struct search_work work;

	struct engine_info info;
	struct option_info *option_info;
};

// ---- lanes.c ----
// Those that live, in the order of their places: the one behind `before`, NULL: the first. NULL: there is none.
struct lane *lanes_next(struct search *, const struct lane *before);
// Those that were dropped and are kept, too.
struct lane *lanes_next_kept(struct search *, const struct lane *before);
const struct lane *lanes_in_focus(const struct search *); // the one with the lowest number, where the focus is on none
struct lane *lanes_numbered(struct search *, int number, struct fault *); // that lives; NULL: a fault
struct lane *lanes_turn(struct search *);                                 // whose the coming step is: each is as likely
// Whether a state has to say which lanes there are: there were ever others than the first, or it has pins of its own.
bool lanes_used(const struct search *);
// Opens a lane in a place, in which there is nothing, or one that is not wanted any more.
bool lanes_open(struct search *, int place, int number, struct fault *);
void lanes_forget(struct search *, int place); // one that was dropped: it is not kept any more
// Changes of which lanes there are, all or nothing.
bool lanes_add(struct search *, const struct change *, struct change_item *back, struct fault *); // back: what drops it
bool lanes_drop(struct search *, int number, struct fault *);
bool lanes_back(struct search *, int number, struct fault *);
bool lanes_save(struct search *, struct state *);                                 // as a part; false: out of memory
bool lanes_restore(struct search *, const struct state *, struct fault *);        // opens them, before their settings are read
bool lanes_restore_common(struct search *, const struct state *, struct fault *); // after their parts were

// ---- terms.c ----
// Takes the terms from the settings as this lane is to have them, and its targets; the other lanes keep theirs: prices what is new,
// prices the front anew. All or nothing; false with a fault: an unknown device; a term that is asked for and has no price; a target
// that is none, or none for a weight. A lane that was dropped and would not go on like this is not kept any more. Allocates.
bool search_reprice(struct search *, struct lane *, const struct knobs *, struct fault *);
bool search_can_price(struct search *, const struct knobs *, struct fault *); // whether it could, of one lane
// Whether a target can be one of a term that is there; any thread.
bool search_check_target(const struct search *, const char *name, const char *text, struct fault *);

// ---- opening.c ----
void search_take_knobs(struct search *, const struct knobs *); // and what follows from them; terms aside, and without wishes
void search_take_source(struct search *);                      // what its source has said of itself

// ---- saved.c ----
bool search_restore(struct search *, const struct state *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A mapping is a job on a machine with choices written in it: the slice, the parts that it is divided into, how they cut weights and
// activations, and the formats of what is kept and carried. It is to a machine what a blueprint is to a network (model/blueprint.h).
//
// Its slots, in this order; one with a single option is there all the same, so that names do not depend on the settings:
//   topology                 every slice with one of the asked numbers of chips
//   twist                    regular or twisted; it rests where the topology cannot be twisted, and is left out where none can
//   pipeline data model1 model2   the sizes that some division of some topology has: by whole axes, or by any factors of them
//   activations.cut weights.cut   1D or 2D (struct division)
//   weights.format activations.format
//   activations.carried, and in training gradients.carried weights.carried
//
// A choice need not be possible. Sizes that are no division of the slice make it *uneven*; a division that needs more
// memory than a chip has *lacks* it. Both have a price all the same, so that a search and a person see where they lead: what lacks memory
// its own, as if it fitted, what is uneven that of the nearest division: by the pipeline first, then by each next part among those that are as near. So every part but the last is free to choose,
// and the next ones follow.
//
// Immutable once made: any thread may price choices.
#ifndef ENGINE_PODS_MAPPING_H
#define ENGINE_PODS_MAPPING_H

#include "engine/base/term.h"
#include "engine/machine.h"
#include "engine/model/slot.h"

struct mapping_asked {
	const char *pod, *work; // names, as pod_get and transformer_get take them
	const char *chips;      // numbers with commas between: "512", "8,16,32"
	const int *format;      // that may be chosen, narrowest first
	int formats;
	bool any; // factors of axes too
	bool serve;
	double batch;   // sequences: of a step, or served at once; 0: the work's own, 8 in serving
	double context; // tokens a served sequence has; 0: the work's sequence
	double tokens;  // of the run that energy and carbon are of, in training
};

struct mapping;
// Returns NULL with a fault: no such pod, work or slice; a pod of islands; a rate that is unknown for one of the formats; more
// topologies or sizes than a slot has options; no division that can be priced.
struct mapping *mapping_new(const struct mapping_asked *, struct fault *);
void mapping_free(struct mapping *);
const char *mapping_name(const struct mapping *);                     // "gpt3 on tpu_v4"
const struct slot *mapping_slots(const struct mapping *, int *count); // owners before what they own. Borrowed
double mapping_parameters(const struct mapping *);                    // of the work

// What a choice comes to.
enum mapped_standing { MAPPED_FITS, MAPPED_LACKS, MAPPED_UNEVEN };
enum { MAPPED_PARTS = 4 };
struct mapped {
	enum mapped_standing standing;
	const struct mapping_shape *shape; // its slice
	double chips;
	int size[MAPPED_PARTS]; // pipeline, data, model 1, model 2; of an uneven choice: of the nearest
	double rate;            // sequences a second; serving: tokens a second
	double step, memory;    // seconds; bytes a chip
	double asked;           // the product of the four sizes
	double distance;        // of an uneven choice: to the nearest; else 0
	double lacks;           // bytes a chip; 0: none
};
// option: one for each slot.
void mapping_of(const struct mapping *, const uint8_t *option, struct mapped *);
// Gives an uneven choice the sizes of the nearest division whose options are all allowed [slots], bits. Returns whether it did.
bool mapping_mend(const struct mapping *, const uint32_t *allowed, uint8_t *option);
// Remembers what choices came to that were asked about lately. One thread's; the mapping is borrowed. NULL: out of memory.
struct mapping_cache;
struct mapping_cache *mapping_cache_new(const struct mapping *);
void mapping_cache_free(struct mapping_cache *);
const struct mapped *mapping_recall(struct mapping_cache *, const uint8_t *option); // valid until the next call
// Says in a clause what an impossible choice lacks, with figures; "" for one that fits. Returns buf.
const char *mapped_lack(const struct mapped *, char *buf, size_t size);

// ---- cost terms ----

// Returns whether a choice has a cost by this kind of term. Returns false with a fault if a figure is unknown.
bool mapping_has(const struct mapping *, enum term_id, struct fault *);
// site: where it stands, of the kinds that are AT_SITE; else it may be NULL.
double mapping_cost(const struct mapping *, enum term_id, const struct site *, const struct mapped *);
// The unit in full ("Wh per 1000 tokens"), in brief ("Wh/1k tokens"), and the symbol behind a number ("Wh").
struct mapping_unit {
	const char *unit, *brief, *symbol;
};
struct mapping_unit mapping_unit(const struct mapping *, enum term_id);
// Reads a target: "0.5x" (of `dearest`), or a number in units of the term.
bool mapping_target(const struct mapping *, enum term_id, double dearest, const char *text, double *target, struct fault *);

// What costs least and most by each kind of term, of the even choices whose every option is among `allowed` [slots], bits (NULL: all), with
// all formats the narrowest or all the widest of these: narrower ones never cost more. It is the same at every site. Of a kind that it has no cost by
// they are {0}. The choices themselves go into cheapest[TERM_IDS][slots] and dearest, if they are not NULL. Returns whether there is one.
bool mapping_bounds(const struct mapping *, const uint32_t *allowed, struct mapped low[TERM_IDS], struct mapped high[TERM_IDS],
	uint8_t *cheapest, uint8_t *dearest);

// ---- exhaustive search ----

// Tries all choices whose every option is among `allowed` [slots], bits (NULL: all), and keeps the `most` of the highest rate that fit, best
// first; of equal rates the one that needs less memory, then the first. Narrower carried formats never take longer and no more memory, so of
// these only the narrowest allowed are tried. Fills in option[most][slots] and rate[most]. `tried`: how many were priced. Returns how many it
// kept; 0: none fits, and then `least` [slots], if not NULL, is the choice, of those that are even, that lacks least; *even: there is one.
int mapping_search(const struct mapping *, const uint32_t *allowed, int most, uint8_t *option, double *rate, long *tried,
	uint8_t *least, bool *even);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What choices cost. `prices` are all that a search was ever asked for: a price is made once, never changes, and lives as long as
// they do, so that any thread may go on with it. A pricer prices choices for one thread at a time: it holds the choice that it
// took last, and says what that costs with another option of a decision.
//
// Of a decision of formats, that is worked out from what the change touches alone. Of a decision of the architecture, the network of each
// option is settled and priced as a whole: kernels that join, tensors that live longer and layers that come or go are all in it. Formats
// of a layer that rests cost nothing, and neither does an architecture slot that rests.
#ifndef ENGINE_SEARCH_PRICES_H
#define ENGINE_SEARCH_PRICES_H

#include "engine/cost/cost.h"
#include "engine/engine.h"
#include "engine/pods/mapping.h"
#include "engine/space/space.h"

struct price; // by one cost term on one device, or at one site

// A cost term of a search. The terms only ever become more: each keeps its place.
struct term {
	char name[ENGINE_NAME];
	const struct term_kind *kind;
	bool by_setting;           // its device or site is the setting's
	char asked[ENGINE_TEXT];   // the device, a file or "table:NAME", or the site; "": its kind has none
	const struct price *price; // NULL: it cannot be priced, as `why` says
	char why[2 * ENGINE_TEXT];
};

// ---- prices: the engine's thread ----

struct prices;
// The space and the blueprint are borrowed; the blueprint is not asked, and may be NULL, where nothing but formats may vary.
struct prices *prices_new(const struct space *, const struct blueprint *, struct fault *);
// Of a machine; both are borrowed.
struct prices *prices_of_machine(const struct space *, const struct mapping *, struct fault *);
enum term_subject prices_subject(const struct prices *);
void prices_free(struct prices *);
// By a term with its device ("latency@t4"), as tariff_new takes it; made where it is not known yet. NULL with a fault: there is no
// such term or device, or it has no figure for a format of the space or for an option of its architecture.
const struct price *prices_named(struct prices *, const char *name, struct fault *);

// ---- a price: any thread ----

// The largest network is the one of the last option of every slot of the architecture; it alone is settled once and for all.
const struct cost *price_cost(const struct price *); // of the largest network; NULL: of a machine
const char *price_brief(const struct price *);       // the unit for a narrow column
const char *price_symbol(const struct price *);      // what stands behind a number
const char *price_device(const struct price *);      // or the site; "": none
// Reads a target as a person writes it (cost_target_value, mapping_target).
bool price_target(const struct price *, const char *text, double *target, struct fault *);
const char *price_unit(const struct price *);                        // in full, with the device or site
double price_widest(const struct price *);                           // of its widest uniform choice
void price_uniform(const struct price *, double *low, double *high); // of the cheapest and the dearest uniform choice
								     // of the largest and of the smallest network
bool price_adds(const struct price *);                               // whether it is a sum over layers, always the same ones
double price_layer(const struct price *, int layer, int weight, int activation); // of one that adds up: with these options
// Prices a choice by up to ENGINE_TERMS prices (NULL: none, and its cost is NAN). `layer`, if not NULL, receives the parts of the whole's
// layers by the one of a term: 0 of a layer that rests, NAN where there is no such price. INFINITY: the choice has no price. Returns
// false if memory ran out, or an option is not one. Allocates.
bool prices_choice(const struct prices *, const struct price *const price[ENGINE_TERMS], const uint8_t *choice,
	double cost[ENGINE_TERMS], int term, double *layer);

// ---- pricers ----

struct pricer;
struct pricer *pricer_new(const struct space *, const struct blueprint *, struct fault *); // of networks, as prices_new
struct pricer *prices_pricer(const struct prices *, struct fault *);                       // of what these prices are of
void pricer_free(struct pricer *);
// Takes a choice (an option per slot, copied), to be priced by these terms: fills cost[ENGINE_TERMS], NAN where there is no term
// or no price, INFINITY where the choice cannot be settled or memory runs out.
void pricer_take(struct pricer *, const struct term *, int terms, const uint8_t *choice, double *cost);
// What the choice it holds costs with each option of one decision, by the terms in a mask; by the others, and with options that
// are not allowed, as it is. The partition is of the same space, and its decision's slots hold one option. cost: [options].
void pricer_options(struct pricer *, const struct partition *, int decision, uint32_t terms, double (*cost)[ENGINE_TERMS]);
// Fills in the cheapest and the dearest choice by each of the terms, of options allowed [slots], where it knows them for certain. Returns
// false if it does not, or there is none: then they are to be searched for.
bool pricer_ends(const struct pricer *, const uint32_t *allowed, const struct term *, int terms,
	uint8_t *const cheapest[ENGINE_TERMS], uint8_t *const dearest[ENGINE_TERMS]);
// Where slots make sense together alone: changes a choice into the nearest one that does, of options allowed [slots]. Returns whether it
// changed.
bool pricer_mend(const struct pricer *, const uint32_t *allowed, uint8_t *choice);
bool pricer_possible(const struct pricer *, const uint8_t *choice); // whether a choice can be made at all
// Returns a lower bound on the costs by a term, in the architecture of the choice that it holds, of layers of the whole that may take
// these settings (cost_least).
double pricer_least(struct pricer *, int term, const struct cost_settings *layer);

#endif

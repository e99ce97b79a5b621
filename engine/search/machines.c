// SPDX-License-Identifier: GPL-3.0-or-later
// Choices priced as a job on a machine: each as a whole, by every term at once. What is no division of its slice, or does not fit, has a
// price all the same (engine/pods/mapping.h): that it cannot be is the source's to say.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/provider.h"

struct machine_prices {
	struct prices is;
	const struct mapping *mapping;
	struct mapped low[TERM_IDS], high[TERM_IDS];
};

struct machine_price {
	struct price is;
	const struct mapping *mapping;
	enum term_id id;
	struct site site; // of a kind that is AT_SITE
	char place[ENGINE_TEXT];
};

struct machine_pricer {
	struct pricer is;
	const struct mapping *mapping;
	struct mapping_cache *cache;
	const struct term *term; // these it was asked about
	int terms;
	uint8_t *choice, *changed; // the one that it holds; the same with another option: [slots]
};

static const struct machine_price *of_machine(const struct price *p)
{
	return (const struct machine_price *)p;
}

static double cost_by(const struct machine_price *p, const struct mapped *x)
{
	return mapping_cost(p->mapping, p->id, &p->site, x);
}

// ---- prices ----

struct prices *prices_of_machine(const struct space *space, const struct mapping *mapping, struct fault *fault)
{
	struct machine_prices *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, "prices");
		return NULL;
	}
	*p = (struct machine_prices){.is = {.provider = &machines, .space = space}, .mapping = mapping};
	mapping_bounds(mapping, NULL, p->low, p->high, NULL, NULL);
	return &p->is;
}

static void free_prices(struct prices *prices)
{
	free(prices);
}

static void free_price(struct price *price)
{
	free(price);
}

static struct price *make(struct prices *of, const char *name, struct fault *fault)
{
	struct machine_prices *prices = (struct machine_prices *)of;
	struct term_name read;
	char advice[sizeof fault->todo];
	if (!term_read_of(SUBJECT_MACHINE, name, &read)) {
		fault_set(fault, name, term_advice(SUBJECT_MACHINE, true, advice, sizeof advice), "a machine has no such cost");
		return NULL;
	}
	if (!mapping_has(prices->mapping, read.kind->id, fault))
		return NULL;
	struct machine_price *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, name);
		return NULL;
	}
	p->mapping = prices->mapping;
	p->id = read.kind->id;
	p->is.device = "";
	if (read.kind->where == AT_SITE) {
		snprintf(p->place, sizeof p->place, "%s", read.device ? read.device : site_table[0].name);
		if (!site_get(p->place, &p->site, fault)) {
			free(p);
			return NULL;
		}
		p->is.device = p->place;
	}
	struct mapping_unit unit = mapping_unit(prices->mapping, read.kind->id);
	p->is.symbol = unit.symbol;
	p->is.low = mapping_cost(p->mapping, p->id, &p->site, &prices->low[p->id]);
	p->is.widest = p->is.high = mapping_cost(p->mapping, p->id, &p->site, &prices->high[p->id]);
	snprintf(p->is.unit, sizeof p->is.unit, "%.40s%s%.60s", unit.unit, p->place[0] ? " at " : "", p->place);
	snprintf(p->is.brief, sizeof p->is.brief, "%s", unit.brief);
	return &p->is;
}

static bool target_of(const struct price *p, const char *text, double *target, struct fault *fault)
{
	return mapping_target(of_machine(p)->mapping, of_machine(p)->id, p->high, text, target, fault);
}

static void fill(const struct price *const price[ENGINE_TERMS], const struct mapped *x, double cost[ENGINE_TERMS])
{
	for (int t = 0; t < ENGINE_TERMS; t++)
		cost[t] = price[t] ? cost_by(of_machine(price[t]), x) : (double)NAN;
}

static bool price_choice(const struct prices *of, const struct price *const price[ENGINE_TERMS], const uint8_t *choice,
	double cost[ENGINE_TERMS], int term, double *layer)
{
	struct mapped x;
	(void)term, (void)layer; // it has none
	mapping_of(((const struct machine_prices *)of)->mapping, choice, &x);
	fill(price, &x, cost);
	return true;
}

// ---- pricers ----

static void free_pricer(struct pricer *pricer)
{
	struct machine_pricer *p = (struct machine_pricer *)pricer;
	mapping_cache_free(p->cache);
	free(p->choice);
	free(p->changed);
	free(p);
}

static struct pricer *new_pricer(const struct prices *of, struct fault *fault)
{
	struct machine_pricer *p = calloc(1, sizeof *p);
	size_t slots = (size_t)of->space->slots;
	if (p) {
		p->is = (struct pricer){.provider = &machines, .space = of->space};
		p->mapping = ((const struct machine_prices *)of)->mapping;
		p->cache = mapping_cache_new(p->mapping);
		p->choice = calloc(slots, 1);
		p->changed = calloc(slots, 1);
	}
	if (p && p->cache && p->choice && p->changed)
		return &p->is;
	if (p)
		free_pricer(&p->is);
	fault_memory(fault, "prices");
	return NULL;
}

static void fill_by(const struct machine_pricer *p, uint32_t terms, const struct mapped *x, double cost[ENGINE_TERMS])
{
	for (int t = 0; t < p->terms; t++)
		if (terms >> t & 1 && p->term[t].price)
			cost[t] = cost_by(of_machine(p->term[t].price), x);
}

static void take(struct pricer *pricer, const struct term *term, int terms, const uint8_t *choice, double *cost)
{
	struct machine_pricer *p = (struct machine_pricer *)pricer;
	memcpy(p->choice, choice, (size_t)p->is.space->slots);
	p->term = term;
	p->terms = terms;
	for (int t = 0; t < ENGINE_TERMS; t++)
		cost[t] = NAN;
	fill_by(p, UINT32_MAX, mapping_recall(p->cache, choice), cost);
}

static void options_cost(struct pricer *pricer, const struct partition *partition, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	struct machine_pricer *p = (struct machine_pricer *)pricer;
	const struct decision *d = &partition->decision[decision];
	memcpy(p->changed, p->choice, (size_t)p->is.space->slots);
	for (int t = 0; t < ENGINE_TERMS; t++)
		cost[0][t] = NAN;
	fill_by(p, UINT32_MAX, mapping_recall(p->cache, p->choice), cost[0]);
	for (int o = 1; o < d->options; o++)
		memcpy(cost[o], cost[0], sizeof cost[o]);
	for (int o = 0; o < d->options; o++) {
		if (!(d->allowed >> o & 1))
			continue;
		for (int i = d->first; i >= 0; i = partition->next[i])
			p->changed[i] = (uint8_t)o;
		fill_by(p, terms, mapping_recall(p->cache, p->changed), cost[o]);
	}
}

static bool mend(const struct pricer *pricer, const uint32_t *allowed, uint8_t *choice)
{
	return mapping_mend(((const struct machine_pricer *)pricer)->mapping, allowed, choice);
}

static bool ends(const struct pricer *pricer, const uint32_t *allowed, const struct term *term, int terms,
	uint8_t *const cheapest[ENGINE_TERMS], uint8_t *const dearest[ENGINE_TERMS])
{
	const struct machine_pricer *p = (const struct machine_pricer *)pricer;
	const size_t slots = (size_t)p->is.space->slots;
	struct mapped low[TERM_IDS], high[TERM_IDS];
	uint8_t *choice = calloc(2 * TERM_IDS, slots);
	const bool there = choice && mapping_bounds(p->mapping, allowed, low, high, choice, choice + TERM_IDS * slots);
	for (int t = 0; there && t < terms; t++) {
		const size_t id = term[t].price ? (size_t)of_machine(term[t].price)->id : 0;
		if (!term[t].price)
			continue;
		memcpy(cheapest[t], choice + id * slots, slots);
		memcpy(dearest[t], choice + (TERM_IDS + id) * slots, slots);
	}
	free(choice);
	return there;
}

static bool possible(const struct pricer *pricer, const uint8_t *choice)
{
	return mapping_recall(((const struct machine_pricer *)pricer)->cache, choice)->standing == MAPPED_FITS;
}

const struct provider machines = {.subject = SUBJECT_MACHINE,
	.free_prices = free_prices,
	.make = make,
	.free_price = free_price,
	.target = target_of,
	.price = price_choice,
	.pricer = new_pricer,
	.free_pricer = free_pricer,
	.take = take,
	.options = options_cost,
	.ends = ends,
	.mend = mend,
	.possible = possible};

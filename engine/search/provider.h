// SPDX-License-Identifier: GPL-3.0-or-later
// Who prices the choices of a search: networks (prices.c) or machines (machines.c). prices.h hands every question on by this table;
// nothing else knows which provider there is. Inside engine/search/, for the providers and prices.c alone.
#ifndef ENGINE_SEARCH_PROVIDER_H
#define ENGINE_SEARCH_PROVIDER_H

#include "engine/search/prices.h"

struct provider {
	enum term_subject subject; // of the terms that it prices
	void (*free_prices)(struct prices *);
	// Makes a price, but for its name, which is `name` cut; NULL with a fault.
	struct price *(*make)(struct prices *, const char *name, struct fault *);
	void (*free_price)(struct price *);
	bool (*target)(const struct price *, const char *text, double *target, struct fault *);
	// As prices_choice.
	bool (*price)(const struct prices *, const struct price *const price[ENGINE_TERMS], const uint8_t *choice,
		double cost[ENGINE_TERMS], int term, double *layer);
	struct pricer *(*pricer)(const struct prices *, struct fault *);
	void (*free_pricer)(struct pricer *);
	void (*take)(struct pricer *, const struct term *, int terms, const uint8_t *choice, double *cost);
	void (*options)(struct pricer *, const struct partition *, int decision, uint32_t terms, double (*cost)[ENGINE_TERMS]);
	bool (*ends)(const struct pricer *, const uint32_t *allowed, const struct term *, int terms,
		uint8_t *const cheapest[ENGINE_TERMS], uint8_t *const dearest[ENGINE_TERMS]); // NULL: they are to be searched for
	bool (*mend)(const struct pricer *, const uint32_t *allowed, uint8_t *choice);        // NULL: every choice is possible
	bool (*possible)(const struct pricer *, const uint8_t *choice);                       // NULL: likewise
	double (*least)(struct pricer *, int term, const struct cost_settings *);             // NULL: nothing is known
};
extern const struct provider networks, machines;

// What all providers have in common; a provider's own stands behind it.
struct prices {
	const struct provider *provider;
	const struct space *space;
	struct price *first;
};
struct price {
	struct price *next;
	const struct provider *provider;
	char name[ENGINE_NAME + ENGINE_TEXT]; // as it was asked for, with its device
	char unit[ENGINE_TEXT], brief[32];
	const char *symbol, *device;
	double widest;    // cost of the widest uniform choice; of a machine: of the dearest choice found
	double low, high; // of the cheapest and the dearest uniform one, or found
};
struct pricer {
	const struct provider *provider;
	const struct space *space;
};

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The exhaustive search of a mapping: every choice by price.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/mapped.h"

// What is tried, and what comes of it.
struct hunt {
	const struct mapping *m;
	const uint32_t *allowed;
	void (*visit)(struct hunt *, const uint8_t *option, const struct mapped *);
	bool ends; // of formats the narrowest and the widest alone, all at once
	long tried;
	int most, kept;
	uint8_t *option; // [most][slots]
	double *rate, *memory;
	uint8_t *least;
	double lacks;                // of `least`
	struct mapped *low, *high;   // [TERM_IDS]
	uint8_t *cheapest, *dearest; // [TERM_IDS][slots]; NULL: not asked for
};

static bool allows(const struct hunt *h, enum mapping_role role, int option)
{
	int at = h->m->at[role];
	return at < 0 || !h->allowed || h->allowed[at] >> option & 1;
}

static void keep(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	size_t slots = (size_t)h->m->slots;
	int at = h->kept;
	while (at > 0 && (x->rate > h->rate[at - 1] || (!(x->rate < h->rate[at - 1]) && x->memory < h->memory[at - 1])))
		at--;
	if (at == h->most)
		return;
	int moved = (h->kept < h->most ? h->kept : h->most - 1) - at;
	memmove(h->option + (size_t)(at + 1) * slots, h->option + (size_t)at * slots, (size_t)moved * slots);
	memmove(h->rate + at + 1, h->rate + at, (size_t)moved * sizeof *h->rate);
	memmove(h->memory + at + 1, h->memory + at, (size_t)moved * sizeof *h->memory);
	memcpy(h->option + (size_t)at * slots, option, slots);
	h->rate[at] = x->rate;
	h->memory[at] = x->memory;
	h->kept += h->kept < h->most;
}

static void rank(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	if (x->standing == MAPPED_FITS)
		keep(h, option, x);
	else if (x->standing == MAPPED_LACKS && x->lacks < h->lacks) {
		h->lacks = x->lacks;
		if (h->least)
			memcpy(h->least, option, (size_t)h->m->slots);
	}
}

static void take_end(const struct hunt *h, struct mapped *end, uint8_t *choice, enum term_id id, const uint8_t *option,
	const struct mapped *x)
{
	*end = *x;
	if (choice)
		memcpy(choice + (size_t)id * (size_t)h->m->slots, option, (size_t)h->m->slots);
}

static void widen(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	const struct site *site = &site_table[0]; // at any the order is the same
	for (int t = 0; t < TERM_IDS; t++) {
		enum term_id id = (enum term_id)t;
		if (!mapping_has(h->m, id, NULL))
			continue;
		const bool first = !h->low[t].shape;
		double cost = mapping_cost(h->m, id, site, x);
		if (first || cost < mapping_cost(h->m, id, site, &h->low[t]))
			take_end(h, &h->low[t], h->cheapest, id, option, x);
		if (first || cost > mapping_cost(h->m, id, site, &h->high[t]))
			take_end(h, &h->high[t], h->dearest, id, option, x);
	}
}

static void try_choice(struct hunt *h, uint8_t *option)
{
	struct mapped x;
	mapping_of(h->m, option, &x);
	h->tried++;
	h->visit(h, option, &x);
}

// The narrowest or the widest format that is allowed.
static uint8_t end_of(const struct hunt *h, int slot, bool widest)
{
	const uint32_t all = (uint32_t)((1ull << h->m->slot[slot].options) - 1), mask = h->allowed ? h->allowed[slot] & all : all;
	return (uint8_t)(widest ? 31 - __builtin_clz(mask) : __builtin_ctz(mask));
}

static void try_ends(struct hunt *h, uint8_t *option)
{
	const struct mapping *m = h->m;
	for (int widest = 0; widest < 2; widest++) {
		for (int r = ROLE_WEIGHTS; r < ROLES; r++)
			if (m->at[r] >= 0)
				option[m->at[r]] = end_of(h, m->at[r], widest);
		try_choice(h, option);
	}
}

// The options from a role on, the ones before being set: every cut and every kept format, and of carried ones the narrowest.
static void try_from(struct hunt *h, enum mapping_role role, uint8_t *option)
{
	const struct mapping *m = h->m;
	if (role == ROLES || (role == ROLE_WEIGHTS && h->ends)) {
		(role == ROLES ? try_choice : try_ends)(h, option);
		return;
	}
	if (m->at[role] < 0) {
		try_from(h, (enum mapping_role)(role + 1), option);
		return;
	}
	for (int o = 0; o < m->slot[m->at[role]].options; o++) {
		if (!allows(h, role, o))
			continue;
		option[m->at[role]] = (uint8_t)o;
		try_from(h, (enum mapping_role)(role + 1), option);
		if (mapping_roles[role].kind == SLOT_CARRIED)
			break;
	}
}

static void try_shape(struct hunt *h, int topology, int twisted)
{
	const struct mapping *m = h->m;
	const struct mapping_shape *shape = &m->shape[topology][twisted];
	uint8_t option[MAPPING_SLOTS] = {0};
	option[m->at[ROLE_TOPOLOGY]] = (uint8_t)topology;
	if (m->at[ROLE_TWIST] >= 0)
		option[m->at[ROLE_TWIST]] = (uint8_t)twisted;
	for (int i = 0; i < shape->divisions; i++) {
		const struct division *d = &shape->division[i];
		bool first = i == 0 || memcmp(d->size, d[-1].size, sizeof d->size) != 0;
		if (first && mapping_size_options(m, d, h->allowed, &option[m->at[ROLE_PIPELINE]]))
			try_from(h, ROLE_CUT_ACTIVATIONS, option);
	}
}

static void try_all(struct hunt *h)
{
	const struct mapping *m = h->m;
	for (int i = 0; i < m->shapes; i++)
		for (int twisted = 0; allows(h, ROLE_TOPOLOGY, i) && twisted < 2; twisted++)
			if (m->shape[i][1].divisions ? allows(h, ROLE_TWIST, twisted) : !twisted)
				try_shape(h, i, twisted);
}

int mapping_search(const struct mapping *m, const uint32_t *allowed, int most, uint8_t *option, double *rate, long *tried,
	uint8_t *least, bool *even)
{
	struct hunt h = {.m = m,
		.allowed = allowed,
		.visit = rank,
		.most = most,
		.option = option,
		.rate = rate,
		.least = least,
		.lacks = INFINITY};
	h.memory = calloc((size_t)most, sizeof *h.memory);
	if (h.memory)
		try_all(&h);
	free(h.memory);
	if (tried)
		*tried = h.tried;
	if (even)
		*even = h.tried > 0;
	return h.kept;
}

bool mapping_bounds(const struct mapping *m, const uint32_t *allowed, struct mapped low[TERM_IDS], struct mapped high[TERM_IDS],
	uint8_t *cheapest, uint8_t *dearest)
{
	struct hunt h = {.m = m,
		.allowed = allowed,
		.visit = widen,
		.ends = true,
		.low = low,
		.high = high,
		.cheapest = cheapest,
		.dearest = dearest};
	for (int t = 0; t < TERM_IDS; t++)
		low[t] = high[t] = (struct mapped){0};
	try_all(&h);
	return h.tried > 0;
}

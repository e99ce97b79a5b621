// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/race/statistics.h"

static const double NEAR = 0.025;  // of the target, on either side
enum { MOVES = 4000, DRAWS = 20 }; // of a draw, until it is given up; of a path

struct drawing {
	const struct engine *engine;
	const struct snapshot *now;
	int term;
	double target;
	uint64_t key, count; // of its random numbers
	uint8_t *choice, *other;
};

static uint64_t below(struct drawing *d, uint64_t n)
{
	return random_bits(d->key, d->count++) % n;
}

// A decision, by one of its slots, takes one of its options; -1: any.
static void decide(struct drawing *d, uint8_t *choice, int slot)
{
	const struct slot_state *of = d->now->slot;
	int skip = (int)below(d, (uint64_t)__builtin_popcount(of[slot].allowed)), option = 0;
	while (!(of[slot].allowed >> option & 1) || skip-- > 0)
		option++;
	for (int i = 0; i < d->now->slots; i++)
		if (of[i].decision == of[slot].decision)
			choice[i] = (uint8_t)option;
}

// How far a choice is from the target, by the logarithm; infinitely, where it cannot be priced.
static double distance(const struct drawing *d, const uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	return engine_price(d->engine, choice, cost, d->term, NULL) && cost[d->term] > 0 ? fabs(log(cost[d->term] / d->target))
											 : INFINITY;
}

static void let_rest(const struct drawing *d, uint8_t *choice)
{
	for (int i = 0; i < d->now->slots; i++)
		if (engine_rests(d->now->info, i, choice))
			choice[i] = (uint8_t)__builtin_ctz(d->now->slot[i].allowed);
}

// Draws one, and moves it until it costs what it is to cost. False: it did not come there.
static bool draw(struct drawing *d)
{
	const size_t slots = (size_t)d->now->slots;
	for (int i = 0; i < d->now->slots; i++)
		decide(d, d->choice, i);
	double far = distance(d, d->choice);
	for (int k = 0; k < MOVES && !(far <= NEAR); k++) {
		memcpy(d->other, d->choice, slots);
		decide(d, d->other, (int)below(d, slots));
		double then = distance(d, d->other);
		if (then < far) {
			far = then;
			memcpy(d->choice, d->other, slots);
		}
	}
	let_rest(d, d->choice);
	return far <= NEAR;
}

static bool known(const uint8_t *choice, int count, const uint8_t *one, size_t slots)
{
	for (int i = 0; i < count; i++)
		if (memcmp(choice + (size_t)i * slots, one, slots) == 0)
			return true;
	return false;
}

static bool find_term(struct drawing *d, const char *term, struct fault *f)
{
	d->term = 0;
	while (d->term < d->now->terms && strcmp(d->now->term[d->term].name, term) != 0)
		d->term++;
	if (d->term == d->now->terms || !d->now->term[d->term].targeted)
		return fault_set(f, "paths", "give the plan targets", "%s has no target that paths could cost", term);
	d->target = d->now->term[d->term].target;
	return true;
}

bool paths_draw(const struct engine *engine, const struct snapshot *now, const char *term, uint64_t seed, int count,
	uint8_t *choice, struct fault *f)
{
	struct drawing d = {.engine = engine, .now = now};
	const size_t slots = (size_t)now->slots;
	if (!find_term(&d, term, f))
		return false;
	d.other = malloc(slots);
	bool ok = d.other || fault_memory(f, "paths");
	for (int i = 0; ok && i < count; i++) {
		d.key = random_bits(seed, (uint64_t)i);
		d.choice = choice + (size_t)i * slots;
		int draws = 0;
		while (draws < DRAWS && (!draw(&d) || known(choice, i, d.choice, slots)))
			draws++;
		if (draws == DRAWS)
			ok = fault_set(f, "paths", "ask for fewer, or choose a target that more networks have",
				"only %d different networks were found that cost %s %g", i, term, d.target);
	}
	free(d.other);
	return ok;
}

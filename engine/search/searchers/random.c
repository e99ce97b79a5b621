// SPDX-License-Identifier: GPL-3.0-or-later
// Random choices at the cost of the targets, the best kept: a pool of them is drawn once, trained side by side over shared weights and
// scored in turn; in five rounds the worse half is dropped, and the winner is trained alone for the last fifth.
#include <string.h>

#include "engine/search/schedule.h"
#include "engine/search/searcher.h"
#include "engine/search/searchers/choices.h"
#include "engine/search/searchers/pool.h"
#include "engine/tensor/rng.h"

enum { ROUNDS = 5, DRAWN = 1 << ROUNDS };
static const double ALONE = 0.2; // share of the search at whose beginning the winner is known

// The pool as it is to be: what is left in it lies within the targets.
static struct pool *drawn(const struct lane *lane)
{
	struct pool *p = lane->memory;
	uint64_t key = lane_key(lane, "random");
	bool fresh = p->members == 0;
	for (int i = 0; i < (fresh ? DRAWN : p->members); i++) {
		uint8_t *choice = pool_choice(p, i);
		uint64_t own = rng_bits(key, (uint64_t)i);
		if (fresh)
			choice_draw(lane, rng_bits(own, 0), choice);
		if (fresh || !choice_keeps(lane, choice))
			choice_fit(lane, rng_bits(own, 1), choice);
	}
	if (fresh)
		p->members = DRAWN;
	return p;
}

static void path(const struct lane *lane, uint8_t *choice)
{
	uint64_t key = lane_key(lane, "path");
	if (choice_warmup(lane, key, choice))
		return;
	const struct pool *p = drawn(lane);
	memcpy(choice, pool_choice(p, (int)rng_below(key, 0, (uint64_t)p->members)), (size_t)p->slots);
}

static int scored(const struct lane *lane, const struct pool *p)
{
	int samples = (int)lane->shared->knobs.samples;
	return p->members == 1 ? 0 : samples < 2 ? 2 : samples < p->members ? samples : p->members;
}

// Those whose turn it is.
static int member_at(const struct lane *lane, const struct pool *p, int i)
{
	return (int)((lane->shared->step * scored(lane, p) + i) % p->members);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	const struct pool *p = drawn(lane);
	int count = scored(lane, p);
	for (int i = 0; i < count; i++)
		memcpy(choice + i * p->slots, pool_choice(p, member_at(lane, p, i)), (size_t)p->slots);
	return count;
}

// Keeps the better ones, in the order in which they stand.
static void drop_to(struct pool *p, int members)
{
	while (p->members > members) {
		int worst = 0;
		for (int i = 1; i < p->members; i++)
			if (p->score[i] < p->score[worst])
				worst = i;
		p->members--;
		for (int i = worst; i < p->members; i++)
			pool_put(p, i, pool_choice(p, i + 1), p->score[i + 1], p->count[i + 1]);
	}
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	struct pool *p = lane->memory;
	const struct shared *s = lane->shared;
	int which[SEARCH_SAMPLES], round = (int)(schedule_progress(s) / (1 - ALONE) * ROUNDS);
	double mean;
	if (lesson->count) {
		if (!lesson_mean(lane, lesson, &mean, fault))
			return false;
		for (int i = 0; i < lesson->count; i++)
			which[i] = member_at(lane, p, i);
		double shift = pool_shift(p, which, lesson->count, lesson->quality);
		for (int i = 0; i < lesson->count; i++)
			pool_score(p, which[i], lesson->quality[i] - shift);
		lesson_fared(lane, lesson, mean);
	}
	drop_to(p, round < ROUNDS ? DRAWN >> round : 1);
	pool_show(p, lane);
	return true;
}

static bool open(struct lane *lane, struct fault *fault)
{
	return pool_open(lane, DRAWN, fault);
}

const struct searcher searcher_random = {.name = "random",
	.path = path,
	.propose = propose,
	.learn = learn,
	.best = pool_result,
	.open = open,
	.close = pool_close,
	.save = pool_save,
	.restore = pool_restore};

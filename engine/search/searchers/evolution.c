// SPDX-License-Identifier: GPL-3.0-or-later
// Evolution over shared weights (as in single-path one-shot search, Guo et al., 2020, arXiv 1904.00420, but while they train): a
// population of choices within the targets. Each step scores some of its members again beside a few children, on the same images; a child that
// does better than the worst member takes its place.
#include <string.h>

#include "engine/search/searcher.h"
#include "engine/search/searchers/choices.h"
#include "engine/search/searchers/pool.h"
#include "engine/tensor/rng.h"

enum { POPULATION = 24, TOURNAMENT = 3 };

// The population as it is to be: full, and all of it within what is allowed and asked for now.
static struct pool *population(const struct lane *lane)
{
	struct pool *p = lane->memory;
	uint64_t key = lane_key(lane, "evolution");
	for (int i = 0; i < p->members; i++)
		if (!choice_keeps(lane, pool_choice(p, i))) {
			choice_fit(lane, rng_bits(key, (uint64_t)i), pool_choice(p, i));
			p->count[i] = fminf(p->count[i], 1);
		}
	for (; p->members < POPULATION; p->members++) {
		uint8_t *choice = pool_choice(p, p->members);
		uint64_t own = rng_bits(key, (uint64_t)p->members);
		choice_draw(lane, rng_bits(own, 0), choice);
		choice_fit(lane, rng_bits(own, 1), choice);
		p->score[p->members] = p->count[p->members] = 0;
	}
	return p;
}

// The best of a few drawn members.
static int tournament(const struct pool *p, uint64_t key)
{
	int best = (int)rng_below(key, 0, (uint64_t)p->members);
	for (uint64_t i = 1; i < TOURNAMENT; i++) {
		int other = (int)rng_below(key, i, (uint64_t)p->members);
		best = p->score[other] > p->score[best] ? other : best;
	}
	return best;
}

static void path(const struct lane *lane, uint8_t *choice)
{
	const struct shared *s = lane->shared;
	uint64_t key = lane_key(lane, "path");
	if (choice_warmup(lane, key, choice))
		return;
	const struct pool *p = population(lane);
	bool best = rng_uniform(key, 0) < s->knobs.modal_share;
	memcpy(choice, pool_choice(p, best ? pool_best(p) : tournament(p, rng_bits(key, 1))), (size_t)p->slots);
}

// Half of the children are a member with one decision changed, half mix two members, decision by decision; each is brought to
// the targets.
static void breed(const struct lane *lane, const struct pool *p, uint64_t key, uint8_t *child)
{
	const struct partition *part = lane->partition;
	const uint8_t *mother = pool_choice(p, tournament(p, rng_bits(key, 0)));
	const uint8_t *father = pool_choice(p, tournament(p, rng_bits(key, 1)));
	bool mix = rng_uniform(key, 2) < 0.5;
	memcpy(child, mother, (size_t)p->slots);
	if (!mix) {
		const struct decision *d = &part->decision[rng_below(key, 3, (uint64_t)part->decisions)];
		child[d->first] = (uint8_t)rng_below(key, 4, (uint64_t)d->options);
	}
	for (int i = 0; mix && i < part->decisions; i++)
		if (rng_uniform(rng_bits(key, 5), (uint64_t)i) < 0.5)
			child[part->decision[i].first] = father[part->decision[i].first];
	choice_fit(lane, rng_bits(key, 6), child);
}

// How many members a step scores again, and from which on.
static int again(const struct lane *lane)
{
	int samples = (int)lane->shared->knobs.samples;
	return samples > 2 ? samples / 2 : 1;
}

static int member_at(const struct lane *lane, int i)
{
	return (int)((lane->shared->step * again(lane) + i) % POPULATION);
}

static int children(const struct lane *lane)
{
	int samples = (int)lane->shared->knobs.samples;
	return samples > 2 ? samples - again(lane) : 1;
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	const struct pool *p = population(lane);
	uint64_t key = lane_key(lane, "choice");
	int members = again(lane), born = children(lane);
	for (int i = 0; i < members; i++)
		memcpy(choice + i * p->slots, pool_choice(p, member_at(lane, i)), (size_t)p->slots);
	for (int i = 0; i < born; i++)
		breed(lane, p, rng_bits(key, (uint64_t)i), choice + (members + i) * p->slots);
	return members + born;
}

static int worst(const struct pool *p)
{
	int worst = 0;
	for (int i = 1; i < p->members; i++)
		if (p->score[i] < p->score[worst])
			worst = i;
	return worst;
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	struct pool *p = lane->memory;
	double mean;
	int members = again(lane), which[SEARCH_SAMPLES];
	if (!lesson_mean(lane, lesson, &mean, fault))
		return false;
	for (int i = 0; i < members; i++)
		which[i] = member_at(lane, i);
	double shift = pool_shift(p, which, members, lesson->quality);
	for (int i = 0; i < members; i++)
		pool_score(p, which[i], lesson->quality[i] - shift);
	for (int i = members; i < lesson->count; i++) {
		const uint8_t *child = lesson->choice + i * p->slots;
		double value = lesson->quality[i] - shift;
		int known = pool_find(p, child), last = worst(p);
		if (known >= 0)
			pool_score(p, known, value);
		else if (value > (double)p->score[last])
			pool_put(p, last, child, (float)value, 1);
	}
	pool_show(p, lane);
	lesson_fared(lane, lesson, mean);
	return true;
}

static bool open(struct lane *lane, struct fault *fault)
{
	return pool_open(lane, POPULATION, fault);
}

const struct searcher searcher_evolution = {.name = "evolution",
	.path = path,
	.propose = propose,
	.learn = learn,
	.best = pool_result,
	.open = open,
	.close = pool_close,
	.save = pool_save,
	.restore = pool_restore};

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/searchers/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/searchers/choices.h"

// A score counts as much as this many at least: weights move on, and what was scored long ago says less.
static const float MEMORY = 1.0f / 24;

bool pool_open(struct lane *lane, int room, struct fault *fault)
{
	struct pool *p = lane->memory = calloc(1, sizeof *p);
	size_t n = (size_t)room, slots = (size_t)lane->shared->space->slots;
	if (p) {
		p->room = room;
		p->slots = (long)slots;
		p->choice = calloc(n, slots);
		p->score = calloc(n, sizeof *p->score);
		p->count = calloc(n, sizeof *p->count);
	}
	return (p && p->choice && p->score && p->count) || fault_memory(fault, "search");
}

void pool_close(struct lane *lane)
{
	struct pool *p = lane->memory;
	free(p->choice);
	free(p->score);
	free(p->count);
	free(p);
}

uint8_t *pool_choice(const struct pool *p, int member)
{
	return p->choice + member * p->slots;
}

int pool_find(const struct pool *p, const uint8_t *choice)
{
	for (int i = 0; i < p->members; i++)
		if (memcmp(pool_choice(p, i), choice, (size_t)p->slots) == 0)
			return i;
	return -1;
}

void pool_put(struct pool *p, int member, const uint8_t *choice, float score, float count)
{
	memmove(pool_choice(p, member), choice, (size_t)p->slots);
	p->score[member] = score;
	p->count[member] = count;
}

double pool_shift(const struct pool *p, const int *member, int count, const double *quality)
{
	double known = 0, all = 0;
	int scored = 0;
	for (int i = 0; i < count; i++) {
		all += quality[i] / count;
		if (p->count[member[i]] > 0) {
			known += quality[i] - (double)p->score[member[i]];
			scored++;
		}
	}
	return scored ? known / scored : all;
}

void pool_score(struct pool *p, int member, double value)
{
	float off = (float)value - p->score[member];
	if (p->count[member] > 0)
		p->noise += (fabsf(off) - p->noise) * 0.05f;
	p->count[member]++;
	p->score[member] += off * fmaxf(1 / p->count[member], MEMORY);
}

int pool_best(const struct pool *p)
{
	int best = 0;
	float least = -INFINITY;
	for (int i = 0; i < p->members; i++) {
		float low = p->count[i] > 0 ? p->score[i] - p->noise / sqrtf(p->count[i]) : -INFINITY;
		if (low > least) {
			least = low;
			best = i;
		}
	}
	return best;
}

void pool_show(const struct pool *p, struct lane *lane)
{
	static const double REST = 0.1; // as if every option had so many members more
	const struct partition *part = lane->partition;
	for (int i = 0; i < part->decisions; i++) {
		const struct decision *d = &part->decision[i];
		double probability[SPACE_OPTIONS] = {0}, sum = 0;
		for (int o = 0; o < d->options; o++)
			probability[o] = d->allowed >> o & 1 ? REST : 0;
		for (int m = 0; m < p->members; m++)
			probability[pool_choice(p, m)[d->first]] += 1;
		for (int o = 0; o < d->options; o++)
			sum += probability[o];
		for (int o = 0; o < d->options; o++)
			probability[o] /= sum;
		policy_set(lane->policy, i, probability);
	}
	policy_forget(lane->policy);
	policy_refresh(lane->policy);
}

// ---- states ----

static void list_arrays(const struct pool *p, struct state_array array[2])
{
	array[0] = (struct state_array){"pool.score", p->score, p->members};
	array[1] = (struct state_array){"pool.count", p->count, p->members};
}

static const char *key_of(const char *prefix, const char *name, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "%s%s", prefix, name);
	return key;
}

void pool_result(const struct lane *lane, uint8_t *choice)
{
	const struct pool *p = lane->memory;
	if (!p->members) {
		policy_best(lane->policy, choice);
		return;
	}
	memcpy(choice, pool_choice(p, pool_best(p)), (size_t)p->slots);
	if (!choice_keeps(lane, choice))
		choice_fit(lane, lane_key(lane, "best"), choice);
}

bool pool_save(const struct lane *lane, const char *prefix, struct state *out, struct fault *fault)
{
	const struct pool *p = lane->memory;
	char key[STATE_KEY];
	struct state_array array[2];
	double noise = (double)p->noise;
	const struct state_number number = {"pool.noise", .real = &noise};
	list_arrays(p, array);
	if (!state_add(out, key_of(prefix, "pool.choices", key), STATE_U8, 2, (int64_t[]){p->members, p->slots}, p->choice) ||
		!state_say_numbers(out, &number, 1, prefix, NULL))
		return fault_memory(fault, "checkpoint");
	return state_add_arrays(out, array, 2, prefix, fault);
}

bool pool_restore(struct lane *lane, const char *prefix, const struct state *in, struct fault *fault)
{
	struct pool *p = lane->memory;
	char key[STATE_KEY];
	struct state_array array[2];
	double noise;
	const struct state_number number = {"pool.noise", .real = &noise};
	const struct space *space = lane->shared->space;
	const struct state_tensor *t = state_find(in, key_of(prefix, "pool.choices", key));
	if (!t || t->type != STATE_U8 || t->rank != 2 || t->shape[0] > p->room || t->shape[1] != p->slots)
		return state_damaged(fault, key);
	p->members = (int)t->shape[0];
	if (p->members)
		memcpy(p->choice, t->data, (size_t)(p->members * p->slots));
	for (long i = 0; i < p->members * p->slots; i++)
		if (p->choice[i] >= space->slot[i % p->slots].options)
			return state_damaged(fault, key);
	list_arrays(p, array);
	if (!state_read_numbers(in, &number, 1, prefix, NULL, fault))
		return false;
	p->noise = (float)noise;
	return state_read_arrays(in, array, 2, prefix, fault);
}

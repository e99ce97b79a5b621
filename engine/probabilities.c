// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/probabilities.h"

#include <stdlib.h>
#include <string.h>

#include "engine/state/state.h"

enum { PARTS = 255 }; // of a probability of 1
static const char key_steps[] = "history.policy.step", key_rows[] = "history.policy";

bool probabilities_begin(struct probabilities *p, const struct slot_info *slot, int slots, struct fault *fault)
{
	*p = (struct probabilities){.slots = slots, .begin = calloc((size_t)slots + 1, sizeof *p->begin)};
	for (int i = 0; p->begin && i < slots; i++)
		p->begin[i + 1] = p->begin[i] + slot[i].options;
	p->row = p->begin ? calloc(ENGINE_POLICY_ROWS, (size_t)p->begin[slots] + 1) : NULL;
	return p->row || fault_memory(fault, "history");
}

void probabilities_free(struct probabilities *p)
{
	free(p->begin);
	free(p->row);
	*p = (struct probabilities){0};
}

static uint8_t *row_at(const struct probabilities *p, int place)
{
	return p->row + (size_t)place * (size_t)p->begin[p->slots];
}

static int place_in_ring(long step)
{
	return PROBABILITIES_OLD + (int)(step % PROBABILITIES_WHOLE);
}

// Of steps that are old once so many were made, those that are multiples of this have a row.
static long stride_of(long steps)
{
	long stride = 1;
	while ((steps - PROBABILITIES_WHOLE) / stride > PROBABILITIES_OLD)
		stride *= 2;
	return stride;
}

static void keep_old(struct probabilities *p, long step, const uint8_t *row)
{
	memcpy(row_at(p, p->old), row, (size_t)p->begin[p->slots]);
	p->step[p->old++] = step;
}

// Leaves out the old rows that the stride passes over.
static void thin(struct probabilities *p, long stride)
{
	const int before = p->old;
	p->old = 0;
	for (int i = 0; i < before; i++)
		if (p->step[i] % stride == 0)
			keep_old(p, p->step[i], row_at(p, i));
}

void probabilities_add(struct probabilities *p, long step, const float *row)
{
	const int place = place_in_ring(step);
	const long stride = stride_of(step), leaves = p->step[place];
	uint8_t *to = row_at(p, place);
	if (stride != stride_of(step - 1))
		thin(p, stride);
	if (leaves && leaves % stride == 0)
		keep_old(p, leaves, to);
	for (int i = 0; i < p->begin[p->slots]; i++)
		to[i] = (uint8_t)(row[i] * PARTS + 0.5f);
	p->step[place] = step;
}

// The places that hold a row, by growing step; returns how many.
static int places_of(const struct probabilities *p, int place[ENGINE_POLICY_ROWS])
{
	int count = 0, first = PROBABILITIES_OLD; // in the ring, the one that was not written for the longest time
	for (int i = 0; i < p->old; i++)
		place[count++] = i;
	for (int i = PROBABILITIES_OLD; i < ENGINE_POLICY_ROWS; i++)
		if (p->step[i] < p->step[first])
			first = i;
	for (int i = 0; i < PROBABILITIES_WHOLE; i++) {
		const int at = PROBABILITIES_OLD + (first - PROBABILITIES_OLD + i) % PROBABILITIES_WHOLE;
		if (p->step[at])
			place[count++] = at;
	}
	return count;
}

int probabilities_copy(const struct probabilities *p, int slot, int most, struct policy_row *out)
{
	int place[ENGINE_POLICY_ROWS], count = places_of(p, place);
	count = count < most ? count : most;
	if (slot < 0 || slot >= p->slots)
		return 0;
	const int from = p->begin[slot], options = p->begin[slot + 1] - from;
	for (int i = 0; i < count; i++) {
		out[i] = (struct policy_row){.step = p->step[place[i]]};
		for (int o = 0; o < options && o < ENGINE_OPTIONS; o++)
			out[i].probability[o] = (float)row_at(p, place[i])[from + o] / PARTS;
	}
	return count;
}

bool probabilities_save(const struct probabilities *p, struct state *out)
{
	int place[ENGINE_POLICY_ROWS];
	int64_t count = places_of(p, place), step[ENGINE_POLICY_ROWS];
	const size_t size = (size_t)p->begin[p->slots];
	if (!count)
		return true;
	uint8_t *row = malloc((size_t)count * size + 1);
	for (int64_t i = 0; row && i < count; i++) {
		step[i] = p->step[place[i]];
		memcpy(row + (size_t)i * size, row_at(p, place[i]), size);
	}
	bool ok = row && state_add(out, key_steps, STATE_I64, 1, &count, step) &&
		state_add(out, key_rows, STATE_U8, 2, (int64_t[]){count, (int64_t)size}, row);
	free(row);
	return ok;
}

bool probabilities_restore(struct probabilities *p, const struct state *in, long steps, struct fault *fault)
{
	const struct state_tensor *t = state_find(in, key_steps);
	if (!t)
		return !state_find(in, key_rows) || state_damaged(fault, key_steps);
	const int64_t count = t->rank == 1 ? t->shape[0] : 0;
	const size_t size = (size_t)p->begin[p->slots];
	if (count < 1 || count > ENGINE_POLICY_ROWS || !(t = state_find_as(in, key_steps, STATE_I64, count)))
		return state_damaged(fault, key_steps);
	const struct state_tensor *rows = state_find_as(in, key_rows, STATE_U8, count * (int64_t)size);
	if (!rows)
		return state_damaged(fault, key_rows);
	const int64_t *step = t->data;
	const long whole = steps - PROBABILITIES_WHOLE, stride = stride_of(steps);
	for (int64_t i = 0, before = 0; i < count; before = step[i++]) {
		const uint8_t *row = (const uint8_t *)rows->data + (size_t)i * size;
		if (step[i] <= before || step[i] > steps || (step[i] <= whole && step[i] % stride))
			return state_damaged(fault, key_steps);
		if (step[i] <= whole) {
			keep_old(p, step[i], row);
			continue;
		}
		memcpy(row_at(p, place_in_ring(step[i])), row, size);
		p->step[place_in_ring(step[i])] = step[i];
	}
	return true;
}

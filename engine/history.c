// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/state/state.h"

enum { VERSION = 1 };

// The fields of a record, but for the step, which is its place.
static const struct field {
	const char *name;
	size_t at;
	int count;
} fields[] = {
	{"loss", offsetof(struct record, loss), 1},
	{"accuracy", offsetof(struct record, accuracy), 1},
	{"quality", offsetof(struct record, quality), 1},
	{"reward", offsetof(struct record, reward), 1},
	{"entropy", offsetof(struct record, entropy), 1},
	{"learning_rate", offsetof(struct record, learning_rate), 1},
	{"cost", offsetof(struct record, cost), ENGINE_TERMS},
	{"modal_cost", offsetof(struct record, modal_cost), ENGINE_TERMS},
};
enum { FIELDS = sizeof fields / sizeof *fields };

bool history_begin(struct history *h, const struct slot_info *slot, int slots, struct fault *fault)
{
	*h = (struct history){.slot = slot, .slots = slots};
	return probabilities_begin(&h->policy, slot, slots, fault);
}

bool history_reserve(struct history *h, long room, struct fault *fault)
{
	if (room <= h->room)
		return true;
	struct record *record = realloc(h->record, (size_t)room * sizeof *record);
	if (record)
		h->record = record;
	uint8_t *modal = realloc(h->modal, (size_t)room * (size_t)h->slots);
	if (modal)
		h->modal = modal;
	if (!record || !modal)
		return fault_memory(fault, "history");
	h->room = room;
	return true;
}

void history_free(struct history *h)
{
	free(h->record);
	free(h->modal);
	probabilities_free(&h->policy);
	*h = (struct history){0};
}

void history_add(struct history *h, const struct record *record, const uint8_t *modal, const float *policy)
{
	h->record[h->records] = *record;
	memcpy(h->modal + h->records * h->slots, modal, (size_t)h->slots);
	h->records++;
	probabilities_add(&h->policy, h->records, policy);
}

long history_copy(const struct history *h, long first, long most, struct record *record, uint8_t *modal)
{
	long n = first < 0 || first > h->records ? 0 : h->records - first;
	n = n > most ? most : n;
	if (n <= 0)
		return 0;
	memcpy(record, h->record + first, (size_t)n * sizeof *record);
	if (modal)
		memcpy(modal, h->modal + first * h->slots, (size_t)n * (size_t)h->slots);
	return n;
}

int history_policy(const struct history *h, int slot, int most, struct policy_row *row)
{
	const int n = probabilities_copy(&h->policy, slot, most, row);
	for (int i = 0; i < n; i++)
		row[i].lane = h->record[row[i].step - 1].lane;
	return n;
}

static const char *key_of(const struct field *f, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "history.%s", f->name);
	return key;
}

static bool save_lanes(const struct history *h, struct state *out)
{
	int64_t n = h->records;
	bool others = false;
	for (int64_t i = 0; i < n; i++)
		others |= h->record[i].lane != 1;
	int64_t *lanes = others ? malloc((size_t)n * sizeof *lanes) : NULL;
	for (int64_t i = 0; lanes && i < n; i++)
		lanes[i] = h->record[i].lane;
	bool ok = lanes ? state_add(out, "history.lane", STATE_I64, 1, &n, lanes) : !others;
	free(lanes);
	return ok;
}

static bool restore_lanes(struct history *h, const struct state *in, long steps)
{
	const struct state_tensor *t = state_find(in, "history.lane");
	if (t && !(t = state_find_as(in, "history.lane", STATE_I64, steps)))
		return false;
	for (long i = 0; i < steps; i++) {
		int64_t lane = t ? ((const int64_t *)t->data)[i] : 1;
		if (lane < 1 || lane > INT_MAX)
			return false;
		h->record[i].lane = (int)lane;
	}
	return true;
}

bool history_save(const struct history *h, struct state *out)
{
	int64_t n = h->records;
	char key[STATE_KEY];
	float *column = malloc((size_t)n * ENGINE_TERMS * sizeof *column + 1);
	bool ok = column && state_part(out, "history", VERSION);
	for (const struct field *f = fields; f < fields + FIELDS; f++) {
		size_t size = (size_t)f->count * sizeof *column;
		for (int64_t i = 0; ok && i < n; i++)
			memcpy(column + i * f->count, (const char *)&h->record[i] + f->at, size);
		ok = ok && state_add(out, key_of(f, key), STATE_F32, f->count > 1 ? 2 : 1, (int64_t[]){n, f->count}, column);
	}
	free(column);
	return ok && save_lanes(h, out) && state_add(out, "history.modal", STATE_U8, 2, (int64_t[]){n, h->slots}, h->modal) &&
		probabilities_save(&h->policy, out);
}

bool history_restore(struct history *h, const struct state *in, long steps, struct fault *fault)
{
	char key[STATE_KEY];
	if (!state_part_check(in, "history", VERSION, fault))
		return false;
	for (const struct field *f = fields; f < fields + FIELDS; f++) {
		const struct state_tensor *t = state_find_as(in, key_of(f, key), STATE_F32, steps * f->count);
		if (!t)
			return state_damaged(fault, key);
		for (long i = 0; i < steps; i++)
			memcpy((char *)&h->record[i] + f->at, (const float *)t->data + i * f->count,
				(size_t)f->count * sizeof(float));
	}
	const struct state_tensor *modal = state_find_as(in, "history.modal", STATE_U8, steps * h->slots);
	for (long i = 0; modal && i < steps * h->slots; i++)
		if (((const uint8_t *)modal->data)[i] >= h->slot[i % h->slots].options)
			modal = NULL;
	if (!modal)
		return state_damaged(fault, "history.modal");
	if (!restore_lanes(h, in, steps))
		return state_damaged(fault, "history.lane");
	memcpy(h->modal, modal->data, modal->bytes);
	for (long i = 0; i < steps; i++)
		h->record[i].step = i + 1;
	h->records = steps;
	return probabilities_restore(&h->policy, in, steps, fault);
}

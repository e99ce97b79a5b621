// SPDX-License-Identifier: GPL-3.0-or-later
// The history: for every step a record and the modal option per slot, both of the lane whose step it was, and beside them the policy's
// probabilities (probabilities.h). A step belongs to one lane, so lanes make the history no larger. Records only grow. The owner makes
// sure that only one thread at a time calls these functions.
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/probabilities.h"

struct history {
	const struct slot_info *slot; // [slots]; borrowed
	int slots;
	long records, room;
	struct record *record; // [room]
	uint8_t *modal;        // [room][slots]
	struct probabilities policy;
};

// Makes it empty, without room.
bool history_begin(struct history *, const struct slot_info *, int slots, struct fault *);
bool history_reserve(struct history *, long room, struct fault *); // makes room for this many in all; keeps those that are there
void history_free(struct history *);
// Needs room. policy: the probabilities of every slot's options, one slot after the other.
void history_add(struct history *, const struct record *, const uint8_t *modal, const float *policy);
// As engine_history.
long history_copy(const struct history *, long first, long most, struct record *, uint8_t *modal);
// As engine_policy.
int history_policy(const struct history *, int slot, int most, struct policy_row *);

// These keep it as part "history" of a state: one array per field of a record, under the field's name; the lanes only if some
// step was not the first lane's. history_save returns false when out of memory.
bool history_save(const struct history *, struct state *);
// Restores the records of `steps` steps, for which there must be room.
bool history_restore(struct history *, const struct state *, long steps, struct fault *);

#endif

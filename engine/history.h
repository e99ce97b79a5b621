// SPDX-License-Identifier: GPL-3.0-or-later
// What every step left: a record, and the modal option per slot, of the lane whose step it was. A step is one lane's, so that lanes make
// it no larger. It only grows. The owner sees to it that one thread at a time is
// in here.
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/engine.h"

struct history {
	int slots;
	long records, room;
	struct record *record; // [room]
	uint8_t *modal;        // [room][slots]
};

bool history_reserve(struct history *, long room, struct fault *); // so that as many fit in all; what is there stays
void history_free(struct history *);
// Needs room.
void history_add(struct history *, const struct record *, const uint8_t *modal);
// As engine_history.
long history_copy(const struct history *, long first, long most, struct record *, uint8_t *modal);

// As part "history" of a state: an array for every field of a record, under its name; lanes where not all are the first one's. False when saving: out of memory.
bool history_save(const struct history *, struct state *);
// The records of `steps` steps, for which there must be room.
bool history_restore(struct history *, const struct state *, long steps, const struct slot_info *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The policy over the steps: the probability of every option of every slot, in rows. The last PROBABILITIES_WHOLE steps have a row
// each; before them the steps that are multiples of a power of two have one, of the least power that leaves at most PROBABILITIES_OLD of
// them. So which rows there are follows from the number of steps, and what they take is bounded: a byte for each option, in
// 255ths. A row is of the lane whose step it was. One thread at a time.
#ifndef ENGINE_PROBABILITIES_H
#define ENGINE_PROBABILITIES_H

#include "engine/engine.h"

enum { PROBABILITIES_WHOLE = 128, PROBABILITIES_OLD = ENGINE_POLICY_ROWS - PROBABILITIES_WHOLE };

struct probabilities {
	int slots;
	int *begin; // [slots + 1]: where a slot's options begin in a row, which is begin[slots] bytes
	// The rows of old steps come first, by growing step; then a ring, in which a step has the place of its remainder. 0: there is no row.
	long step[ENGINE_POLICY_ROWS];
	uint8_t *row; // [ENGINE_POLICY_ROWS][begin[slots]]
	int old;      // rows of old steps
};

// Makes it empty. The slots are read, not kept.
bool probabilities_begin(struct probabilities *, const struct slot_info *, int slots, struct fault *);
void probabilities_free(struct probabilities *);
// Adds the row of a step, the one behind the last that was added: every slot's options, one slot after the other.
void probabilities_add(struct probabilities *, long step, const float *row);
// Fills at most `most` rows of one slot, by growing step, but for the lanes; returns how many.
int probabilities_copy(const struct probabilities *, int slot, int most, struct policy_row *);

// These keep it in a state's part "history"; save returns false when out of memory. A state from before there were probabilities has
// none, and its search keeps those of the steps after it.
bool probabilities_save(const struct probabilities *, struct state *);
bool probabilities_restore(struct probabilities *, const struct state *, long steps, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The grammar of names: how a word that a person writes means slots.
//
// A word is read in three ways, in this order:
//	formats        LAYER|GLOB|GROUP: both halves of the layer, of each layer that the glob matches, or of the group's layers, and all
//	               slots decided with them; with .w or .a behind it, only that half, by itself
//	architecture   SLOT|GLOB|GROUP: the slots of this full name ("s2b1.kernel"), or that the glob matches ("s3*.expand"), and all that
//	               are decided with them; with a colon for the last dot ("s2b1:kernel", which can be no layer), only they
//	block          BLOCK|GLOB: the slots of the architecture whose names have this before their last dot ("s2b1")
// The first reading that means something counts. Where the options are said that the slots are to hold, they choose between readings that
// mean something: the first under which a slot has the first of the options counts ("s3*.expand" may name layers as well as slots: `int4`
// is for the layers, `3,6` is for the slots). The options "all" are for formats and architecture alike.
#ifndef ENGINE_SPACE_NAMES_H
#define ENGINE_SPACE_NAMES_H

#include <stdbool.h>

#include "engine/model/slot.h"

// A slot as the grammar sees it.
struct named_slot {
	const char *name;
	const char *layer; // of a slot of formats; NULL: it is of the architecture
	const char *group; // "": it is in none
	int decision;      // slots with equal numbers are decided as one
};
// A list of slots.
struct named_slots {
	const void *of;
	int slots;
	struct named_slot (*slot)(const void *of, int slot);
	bool (*has)(const void *of, int slot, const char *option);
};
extern const char OPTIONS_ALL[]; // "all"

// Fills meant[slots]; returns false if the word means none. options: words with commas between; NULL: nothing is said.
bool names_meant(const struct named_slots *, const char *word, const char *options, bool *meant);
// The part of the name of a slot of the architecture that is its block's: the number of letters before the last dot.
int names_block(const char *slot);
// Writes the name of such a slot with a colon for its last dot. Returns buf.
const char *names_alone(const char *slot, char buf[SLOT_NAME]);

#endif

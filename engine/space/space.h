// SPDX-License-Identifier: GPL-3.0-or-later
// What may vary, and what is decided together.
//
// A slot is a place for one format: a layer's weights, or its input activations. A choice is one option per slot; slots never
// change while a search lives. A partition says which slots the policy decides together and which options each may hold. It may
// change between steps.
#ifndef ENGINE_SPACE_SPACE_H
#define ENGINE_SPACE_SPACE_H

#include <stdint.h>

#include "engine/base/fault.h"
#include "engine/model/plan.h"

enum { SPACE_OPTIONS = 32, SPACE_NAME = 48, SPACE_PATTERN = 128 };

struct slot {
	char name[SPACE_NAME]; // "stem.w", "stem.a"
	int options;
	int format[SPACE_OPTIONS]; // the format of option i, narrowest first
};

// Immutable once made.
struct space {
	const struct model *model;
	int slots; // two per layer: see space_slot
	struct slot *slot;
};

enum half { HALF_WEIGHT, HALF_ACTIVATION, HALVES };
static inline int space_slot(int layer, enum half half)
{
	return layer * HALVES + (int)half;
}
static inline int space_layer(int slot)
{
	return slot / HALVES;
}

// Reads a named space ("wide") or a list of formats ("int4,int8,e4m3") into `format`, narrowest first. Returns their number; 0
// with a fault.
int space_formats(const char *spec, int format[SPACE_OPTIONS], struct fault *);
// Makes slots for every layer over the formats of `spec`, as space_formats reads it. The model is borrowed and must outlive the
// space.
struct space *space_new(const struct model *, const char *spec, struct fault *);
void space_free(struct space *);

// The named spaces, their formats, and the usual target of bit operations for a search in them.
struct named_space {
	const char *name, *formats, *target;
};
extern const struct named_space space_names[];
enum { SPACE_NAMES = 6 };

// Turns a choice into a plan; plan->layer must have room for the model's layers.
void space_plan(const struct space *, const uint8_t *choice, struct plan *plan);
// Returns the option of a slot that stands for `format`; -1: none.
int space_option(const struct space *, int slot, int format);
// Finds it by the format's name. If there is none, returns false with a fault that lists the slot's formats.
bool space_option_named(const struct space *, int slot, const char *format, int *option, struct fault *);
static inline uint32_t space_all(const struct space *s, int slot) // the mask of all its options
{
	return (uint32_t)((1ull << s->slot[slot].options) - 1);
}

// ---- what is decided together ----

struct decision {
	int first;        // its first slot
	int options;      // of each of its slots
	uint32_t allowed; // the options that all of its slots allow, as bits
};

struct group {
	char name[SPACE_NAME], pattern[SPACE_PATTERN]; // the layers that match are decided as one
};

struct partition {
	const struct space *space;
	uint32_t *allowed; // [slots]: the options of each slot by itself, as bits
	bool split;        // a layer's weights and activations are two decisions
	int groups;
	struct group *group; // [layers] at most
	// Worked out from the above by partition_derive:
	int *group_of; // [layers], -1: none
	int decisions;
	struct decision *decision; // [slots] at most, in the order of their first slots
	int *decision_of, *next;   // [slots]; next: the following slot of the same decision, -1: none
};

// One decision per layer, everything allowed. The space is borrowed.
struct partition *partition_new(const struct space *, struct fault *);
void partition_free(struct partition *);
void partition_copy(struct partition *to, const struct partition *from);  // both of the same space
bool partition_equal(const struct partition *, const struct partition *); // whatever the order of their groups
// Sets the pattern of a group, which it makes if need be; "" dissolves the group. Returns false with a fault for a bad name, no
// such layer or group, or a layer of another group.
bool partition_group(struct partition *, const char *name, const char *pattern, struct fault *);
const char *partition_pattern(const struct partition *, const char *name); // of a group; "": there is no such group
// Works out the decisions. Returns false with a fault if one would have no option left. Call it after every change of the fields
// above.
bool partition_derive(struct partition *, struct fault *);
// Copies the option of each decision's first slot to its other slots.
void partition_spread(const struct partition *, uint8_t *choice);
// Writes a decision's name: that of its group or layer, with .w or .a if the two are split.
void partition_name(const struct partition *, int decision, char name[SPACE_NAME]);
// The grammar of names, LAYER|GLOB|GROUP[.w|.a]. Tells whether a word means a slot ("stem.w"), either through its whole layer or
// group, or as the one half after the dot. `group`: the layer's group, "" if it is in none.
enum meaning { MEANS_NOTHING, MEANS_SLOT, MEANS_LAYER };
enum meaning space_meaning(const char *word, const char *layer, const char *slot, const char *group);
// Finds the slots that a word means: both slots of the layer, of each layer that the glob matches or of the group's layers, and
// all slots decided with them; with .w or .a, only that half. Fills meant[slots]; returns false if the word means none.
bool partition_meant(const struct partition *, const char *word, bool *meant);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What may vary, and what is decided together.
//
// A space is a list of slots (model/slot.h): first the formats, two to a layer of the whole network, then the choices that its
// description has written in it. A choice is one option for every slot; the slots never change while a search lives. A slot whose owner
// holds another option rests: it makes no difference, and its layer, if it is one's, is not there. A partition says which slots the
// policy decides together and which options each may hold. It may change between steps.
#ifndef ENGINE_SPACE_SPACE_H
#define ENGINE_SPACE_SPACE_H

#include <stdint.h>

#include "engine/base/fault.h"
#include "engine/model/blueprint.h"

enum { SPACE_OPTIONS = SLOT_OPTIONS, SPACE_NAME = SLOT_NAME, SPACE_PATTERN = 128 };

// Immutable once made.
struct space {
	const struct model *model; // the whole
	int slots;
	int formats;                        // the first so many slots are of formats: see space_slot
	struct slot *slot;                  // owners and layers are indices of this list and of the whole
	int options, format[SPACE_OPTIONS]; // of each slot of formats, narrowest first
	bool rests;                         // some slot has an owner
};

enum half { HALF_WEIGHT, HALF_ACTIVATION, HALVES };
static inline int space_slot(int layer, enum half half)
{
	return layer * HALVES + (int)half;
}
static inline int space_layer(int slot) // of a slot of formats
{
	return slot / HALVES;
}
static inline bool space_of_format(const struct space *s, int slot)
{
	return slot < s->formats;
}
static inline int space_format(const struct space *s, int slot, int option) // of a slot of formats
{
	return (int)s->slot[slot].value[option];
}

// Reads a named space ("wide") or a list of formats ("int4,int8,e4m3") into `format`, narrowest first. Returns their number; 0
// with a fault.
int space_formats(const char *spec, int format[SPACE_OPTIONS], struct fault *);
// Makes slots for every layer of the whole over the formats of `spec`, as space_formats reads it, and copies those of the architecture,
// whose owners are indices among themselves (blueprint_slots), as the layers' are. A whole without layers has no formats, and `spec` is not
// read. The model is borrowed and must outlive the space.
struct space *space_new(const struct model *whole, const struct slot *architecture, int count, const char *spec, struct fault *);
void space_free(struct space *);

// The named spaces, their formats, and the usual target of bit operations for a search in them.
struct named_space {
	const char *name, *formats, *target;
};
extern const struct named_space space_names[];
enum { SPACE_NAMES = 7 };

// Turns a choice of formats into a plan of the whole; plan->layer must have room for its layers. Of a space without an architecture.
void space_plan(const struct space *, const uint8_t *choice, struct plan *plan);
// Turns any choice into a plan: settles the path on the architecture that it means, and gives the layers that run their formats.
// plan->layer must have room for the layers of the whole. The path, which starts as {0}, is the caller's, and the plan borrows it;
// without an architecture it stays as it is, and so does the blueprint, which may be NULL. False as blueprint_settle.
bool space_settle(const struct space *, const struct blueprint *, const uint8_t *choice, struct plan *, struct path *,
	struct fault *);
// The last step of both: the formats of the layers of plan->model, which is settled on the architecture that the choice means.
void space_give_formats(const struct space *, const uint8_t *choice, struct plan *);

// Returns the option of a slot of formats that stands for `format`; -1: none.
int space_option(const struct space *, int slot, int format);
// Finds an option of any slot by its name. If there is none, returns false with a fault that lists those that there are.
bool space_option_named(const struct space *, int slot, const char *name, int *option, struct fault *);
static inline uint32_t space_all(const struct space *s, int slot) // the mask of all its options
{
	return slot_all(&s->slot[slot]);
}
// Gives every slot that rests its first option, so that choices of one network are the same bytes.
void space_canonical(const struct space *, uint8_t *choice);
// How many choices there are: the product of all decisions' options, a layer's two formats decided as one or `split`; and how many
// networks those are, in which a slot that rests does not count. Infinite beyond what a double holds. False: out of memory.
bool space_counts(const struct space *, bool split, double *decisions, double *networks);

// ---- what is decided together ----

struct decision {
	int first;        // its first slot
	int options;      // of each of its slots
	uint32_t allowed; // the options that all of its slots allow, as bits
};

struct group {
	char name[SPACE_NAME], pattern[SPACE_PATTERN]; // what matches is decided as one: layers, or slots of the architecture
};

struct partition {
	const struct space *space;
	uint32_t *allowed; // [slots]: the options of each slot by itself, as bits
	bool split;        // a layer's weights and activations are two decisions
	int groups;
	struct group *group; // [slots] at most
	// Worked out from the above by partition_derive:
	int *group_of; // [slots], -1: none
	int decisions;
	struct decision *decision; // [slots] at most, in the order of their first slots
	int *decision_of, *next;   // [slots]; next: the following slot of the same decision, -1: none
};

// One decision per layer and one per slot of the architecture, everything allowed. The space is borrowed.
struct partition *partition_new(const struct space *, struct fault *);
void partition_free(struct partition *);
void partition_copy(struct partition *to, const struct partition *from);  // both of the same space
bool partition_equal(const struct partition *, const struct partition *); // whatever the order of their groups
// Sets the pattern of a group, which it makes if need be; "" dissolves the group. A pattern means layers, or where it matches none, slots
// of the architecture, which must be of one kind and have the same options. Returns false with a fault for a bad name, nothing of that
// name, or what is in another group.
bool partition_group(struct partition *, const char *name, const char *pattern, struct fault *);
const char *partition_pattern(const struct partition *, const char *name); // of a group; "": there is no such group
// Works out the decisions. Returns false with a fault if one would have no option left. Call it after every change of the fields
// above.
bool partition_derive(struct partition *, struct fault *);
// Copies the option of each decision's first slot to its other slots.
void partition_spread(const struct partition *, uint8_t *choice);
// Whether a decision makes a difference under a choice: not all of its slots rest.
bool partition_there(const struct partition *, int decision, const uint8_t *choice);
// Gives every decision of which all slots rest the first option that it is allowed: choices of one network that a policy can draw are the
// same bytes, and the slots of a decision stay together.
void partition_canonical(const struct partition *, uint8_t *choice);
// Writes a decision's name: that of its group, layer or slot; of a group or layer with .w or .a if the two are split.
void partition_name(const struct partition *, int decision, char name[SPACE_NAME]);
// Finds the slots that a word means (space/names.h), where they are to hold these options (NULL: nothing is said). Fills meant[slots];
// returns false if the word means none. The second knows nothing of groups, and so never changes.
bool partition_meant(const struct partition *, const char *word, const char *options, bool *meant);
bool space_meant(const struct space *, const char *word, const char *options, bool *meant);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A slot is one thing that may vary: of a network a format of a layer's weights or input activations, or a choice that the
// description has written in it, such as the kernel of a block; of a job on a machine the shape of its slice, say. A choice is one
// option for every slot.
#ifndef ENGINE_MODEL_SLOT_H
#define ENGINE_MODEL_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/fault.h"

enum {
	SLOT_NAME = 48,   // longest name, and
	SLOT_OPTION = 16, // of an option, with their final zeros
	SLOT_OPTIONS = 32,
	SLOTS_MOST = 4096
};

enum slot_kind {
	SLOT_WEIGHT,     // the format of a layer's weights
	SLOT_ACTIVATION, // of its input activations
	SLOT_KERNEL,     // rows and columns of a convolution's window
	SLOT_EXPANSION,  // inner channels of a block, per channel that it reads
	SLOT_WIDTH,      // channels that a block, or a stage, puts out
	SLOT_DEPTH,      // whether a block is there, or how many blocks of a stage are
	SLOT_BLOCK,      // of which operators a block is made
	SLOT_SQUEEZE,    // channels of squeeze and excite, per channel that the block reads; 0: none
	SLOT_ACT,        // the activation behind a block's convolutions
	SLOT_STEM,       // how the first images become small
	SLOT_SIDE,       // rows and columns of the images
	// Of a job on a machine of many chips (engine/pods/mapping.h):
	SLOT_TOPOLOGY, // the slice's axes
	SLOT_TWIST,    // how it closes
	SLOT_PIPELINE, // chips of each part
	SLOT_DATA,
	SLOT_MODEL1,
	SLOT_MODEL2,
	SLOT_CUT,     // along how many model parts something is cut
	SLOT_FORMAT,  // of what is kept and multiplied
	SLOT_CARRIED, // of what collectives carry
	SLOT_KINDS
};
struct slot_kind_row {
	const char *word;         // behind the dot of a slot's name, and the key in a description
	bool format;              // its values are indices into format_table
	const char *const *words; // that values have instead of numbers, by value, NULL at the end; NULL: only numbers
	const char *help;         // one line
};
extern const struct slot_kind_row slot_kinds[SLOT_KINDS];

struct slot {
	char name[SLOT_NAME]; // "stem.w", "s2b1.kernel"
	enum slot_kind kind;
	// It is there only while slot `owner` holds one of the options `when` (bits), and while that one is there itself; else it
	// rests: it makes no difference. owner -1: always.
	int owner;
	uint32_t when;
	int layer;   // of formats: the layer of the whole network; else -1
	int options; // from small to large; formats: narrowest first
	char option[SLOT_OPTIONS][SLOT_OPTION];
	double value[SLOT_OPTIONS]; // a number as the kind says: a format, an enum act, channels, …; words count from 0
};

// Fills the options from words separated by bars: "3|5|7", "off|on", "relu|swish". Returns false with a fault, in the name of
// the slot, for none, too many, two that are equal, or a word that the kind does not have.
bool slot_read(struct slot *, const char *words, struct fault *);
// The option by its name; -1: there is none, and the fault lists those that there are.
int slot_named(const struct slot *, const char *name, struct fault *);
// The option with this value; -1: none.
int slot_valued(const struct slot *, double value);
static inline uint32_t slot_all(const struct slot *s) // the mask of all its options
{
	return (uint32_t)((1ull << s->options) - 1);
}
// Whether slot `i` is there under a choice; otherwise it rests. slot: all slots, owners before what they own.
bool slot_there(const struct slot *slot, int i, const uint8_t *choice);

#endif

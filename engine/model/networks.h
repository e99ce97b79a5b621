// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the networks by name: what a family of networks provides, and what the families share.
#ifndef ENGINE_MODEL_NETWORKS_H
#define ENGINE_MODEL_NETWORKS_H

#include "engine/model/model.h"
#include "engine/model/slot.h"

// ---- choices ----

// The slots that a builder asks for, and the options that it is answered with. While they are being found, a slot that is not known yet
// is added, and answered with its last option, the largest.
struct picks {
	int slots;
	struct slot *slot;
	uint8_t *standard; // [slots]
	bool finding;
	const uint8_t *option; // [given]; slots beyond take their last option
	int given;
	int next;      // where the next slot is looked for first
	int owner;     // of slots and layers that are added now, with
	uint32_t when; // the owner's options
	bool failed;
	struct fault fault;
};

// A choice written in a network, as it was made: slot "BLOCK.word" with options such as "3|5|7". Where nothing is chosen, it is `standard`.
struct pick {
	int slot; // -1: nothing is chosen
	int option;
	double value;
	char word[SLOT_OPTION];
};
struct pick model_pick(struct model *, const char *block, enum slot_kind, const char *words, const char *standard);
// Slots and layers that are added from here on are there only while the pick's slot holds one of the options `when`, until model_leave
// gets what this returned.
struct scope {
	int owner;
	uint32_t when;
};
struct scope model_within(struct model *, struct pick, uint32_t when);
void model_leave(struct model *, struct scope);

// ---- families ----

enum {
	NETWORK_VALUES = 8,
	NETWORK_BLOCK = 24, // longest name of a block
};

// A number that a family's builder reads. One with a key may follow the name; one without is set by the name alone.
struct option {
	const char *key;
	double low, high;
	bool whole;
	const char *const *words; // it is one of these, by value, NULL at the end; NULL: a number
};
// The first value of every family: the side of the images if no data set gives it.
#define NETWORK_SIDE                                                                                                             \
	{                                                                                                                        \
		"res", 8, 4096, true, NULL                                                                                       \
	}

// Blocks of a stage, as a multiple of its own.
#define NETWORK_DEPTH                                                                                                            \
	{                                                                                                                        \
		"depth", 0.1, 16, false, NULL                                                                                    \
	}

struct network {
	const char *name, *help;
	int classes;                  // if no data set gives their number
	double value[NETWORK_VALUES]; // in the order of the family's options, then those without a key
};

struct family {
	struct option option[NETWORK_VALUES]; // ends at one without a key
	// Adds the operators to a model that holds its input. small: the images are 64 pixels a side or less. Returns false only
	// with a fault; shapes that do not fit are left to model_finish.
	bool (*build)(struct model *, const double *value, bool small, struct fault *);
	const struct network *network;
	int networks;
};

// A name that has been read: what it takes to build the network, any number of times.
struct recipe {
	char name[MODEL_TITLE];
	const struct family *family; // NULL: a file,
	char *path, *text;           // these
	double value[NETWORK_VALUES];
	struct shape input;
	int classes;
	bool sized;   // the name says the side
	bool weighty; // the file has weights too: its text is not kept
};
// As model_named, which is this and one run without picks. recipe_free is for it in any case.
bool recipe_named(struct recipe *, const char *name, struct shape input, int classes, struct fault *);
void recipe_free(struct recipe *);
struct model *recipe_run(const struct recipe *, struct picks *, struct fault *);
// file.c: a description's text, and one run over it.
char *file_text(const char *path, struct fault *);
struct model *file_build(const char *path, const char *text, struct shape input, int classes, struct picks *, struct fault *);
void file_title(struct model *, const char *path, const char *text); // of the network with all its choices
void model_total(struct model *);                                    // adds up the totals of its layers and operators
extern const struct family resnet_cifar, resnet, mobilenet, mobilenet_nas, resnet_nas, efficientnet, efficientnet_x,
	efficientnet_x_nas, inception, deit;

// Returns whether an operator's output is neither empty nor too large to hold; else a fault names the operator.
bool model_fits(const struct model *, int op, struct fault *);

// Returns channels times a width, rounded to a multiple of 8, at least 8 and never down by more than a tenth (as in the code of
// MobileNetV2 and EfficientNet; at width 1 multiples of 8 stay as they are).
int network_channels(double channels, double width);
// Returns the blocks of a stage times a depth, rounded up (as in the code of EfficientNet); never fewer than one.
int network_blocks(int blocks, double depth);
// Writes "block.part", or the part alone if the block is "". Returns buf.
const char *network_layer(char buf[MODEL_NAME], const char *block, const char *part);
// The side of the images as a choice, slot input.side: "16|24|32", from small to large, the last one theirs; before any operator is
// added. Returns false with a fault for other lists, and images that are not square.
bool network_sides(struct model *, const char *words, struct fault *);
// The same of half of their side, three quarters and the whole, in multiples of 8.
bool network_own_sides(struct model *, struct fault *);
// Words of a key that says whether something is a choice, and the key of sides.
extern const char *const network_searched[];
#define NETWORK_SIDES                                                                                                            \
	{                                                                                                                        \
		"sides", 0, 1, true, network_searched                                                                            \
	}
// Adds a convolution without bias, a batch norm and an activation.
int network_conv(struct model *, const char *block, const char *part, int in, int channels, struct window, int groups, enum act);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the networks by name: what a family of networks provides, and what the families share.
#ifndef ENGINE_MODEL_NETWORKS_H
#define ENGINE_MODEL_NETWORKS_H

#include "engine/model/model.h"

enum {
	NETWORK_VALUES = 8,
	NETWORK_BLOCK = 24, // longest name of a block
};

// A number that a family's builder reads. One with a key may follow the name; one without is set by the name alone.
struct option {
	const char *key;
	double low, high;
	bool whole;
};
// The first value of every family: the side of the images if no data set gives it.
#define NETWORK_SIDE                                                                                                             \
	{                                                                                                                        \
		"res", 8, 4096, true                                                                                             \
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
extern const struct family resnet_cifar, resnet, mobilenet, efficientnet, efficientnet_x, inception, deit;

// Returns whether an operator's output is neither empty nor too large to hold; else a fault names the operator.
bool model_fits(const struct model *, int op, struct fault *);

// Returns channels times a width, rounded to a multiple of 8, at least 8 and never down by more than a tenth (as in the code of
// MobileNetV2 and EfficientNet; at width 1 multiples of 8 stay as they are).
int network_channels(double channels, double width);
// Writes "block.part", or the part alone if the block is "". Returns buf.
const char *network_layer(char buf[MODEL_NAME], const char *block, const char *part);
// Adds a convolution without bias, a batch norm and an activation.
int network_conv(struct model *, const char *block, const char *part, int in, int channels, struct window, int groups, enum act);

#endif

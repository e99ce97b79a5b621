// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the networks by name: what a family of them gives, and what families share.
#ifndef ENGINE_MODEL_NETWORKS_H
#define ENGINE_MODEL_NETWORKS_H

#include "engine/model/model.h"

enum {
	NETWORK_VALUES = 8,
	NETWORK_BLOCK = 24, // longest name of a block
};

// A number that a family's builder reads: with a key it may follow the name, without one the name alone sets it.
struct option {
	const char *key;
	double low, high;
	bool whole;
};
// The first value of every family: the side of the images where no data set gives it.
#define NETWORK_SIDE                                                                                                             \
	{                                                                                                                        \
		"res", 8, 4096, true                                                                                             \
	}

struct network {
	const char *name, *help;
	int classes;                  // where no data set gives them
	double value[NETWORK_VALUES]; // in the order of the family's options; those without a key behind them
};

struct family {
	struct option option[NETWORK_VALUES]; // until one without a key
	// Adds the operators to a model that holds its input. small: the images are of 64 pixels a side or less. False only
	// with a fault; shapes that do not fit are left to model_finish.
	bool (*build)(struct model *, const double *value, bool small, struct fault *);
	const struct network *network;
	int networks;
};
extern const struct family resnet_cifar, resnet, mobilenet, efficientnet, efficientnet_x, inception, deit;

// Whether an operator puts out something that can be held; else a fault names it.
bool model_fits(const struct model *, int op, struct fault *);

// Channels times a width, rounded to a multiple of 8, not below 8 and never down by more than a tenth (as MobileNetV2's and
// EfficientNet's code have it; whole multiples of 8 at width 1 stay as they are).
int network_channels(double channels, double width);
// "block.part", or the part alone where the block is "".
const char *network_layer(char buf[MODEL_NAME], const char *block, const char *part);
// A convolution without bias, batch norm and activation.
int network_conv(struct model *, const char *block, const char *part, int in, int channels, struct window, int groups, enum act);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What other tools count as a network's multiply-accumulates, and why they print another number than ours. Each counter is a row of
// a table: what it counts beside the products of layers, how often, and whether it counts attention's two products. The rules were read
// off the counters' sources and their output: fvcore 0.1.5, ptflops 0.7.5, torchinfo 1.8.0, thop 0.1.1, calflops 0.3.2,
// torchprofile 0.1.0, torch 2.15 (FlopCounterMode), qonnx 1.0.0, on networks of torchvision 0.29 and timm 1.0 in eval mode, for one image.
#ifndef ENGINE_MODEL_COUNTERS_H
#define ENGINE_MODEL_COUNTERS_H

#include "engine/model/model.h"

enum { COUNTER_PARTS = 9 };

// A counter's count of one network.
struct counter_row {
	const char *name;    // "ptflops"
	const char *variant; // how the network is written in PyTorch, or how the counter is called: "timm's attention"; "": any
	double count;
	// What makes it another number than the model's macs + attention_macs: numbers that add up to the difference.
	int parts;
	struct counter_part {
		const char *what;
		double count;
	} part[COUNTER_PARTS];
};
// Fills the index-th row that concerns this network. Returns false past the last. Texts live for good.
bool counters_row(const struct model *, int index, struct counter_row *);

#endif

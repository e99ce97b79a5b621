// SPDX-License-Identifier: GPL-3.0-or-later
// Published per-layer figures for networks of the catalog. Sensitivity tables and a measured device are made of them. They stand
// as printed, and nothing is fitted. Immutable: any thread.
//
// HAWQ-V3 (Yao et al., arXiv 2011.10680; figures from its repository, github.com/Zhen-Dong/HAWQ: MIT licence, copyright 2020 Zhen
// Dong): resnet18 and resnet50, for every layer but the stem and the head, which stay at 8 bits there. Weights and activations
// have the same width. Its stageN.unitM.downsample is sNbM.skip here.
#ifndef ENGINE_MODEL_PUBLISHED_H
#define ENGINE_MODEL_PUBLISHED_H

#include "engine/model/model.h"

enum { PUBLISHED_INT4, PUBLISHED_INT8, PUBLISHED_WIDTHS };

struct published_layer {
	const char *name; // as in the catalog's network
	double weights, macs;
	double trace;                   // of the Hessian, by Hutchinson's method, per weight
	double error[PUBLISHED_WIDTHS]; // squared error of all weights
	double ms[PUBLISHED_WIDTHS];    // on a T4, for a batch of 8
};
// A choice of formats that was trained and scored in that work.
struct published_choice {
	const char *name;
	double top1;                       // on ImageNet, percent
	double megabytes, gbops, speed_up; // 2^20 bytes; 10^9 bit operations; relative to fp32 on a T4
	const char *bits;                  // one digit per layer, in the layers' order
};
struct published {
	const char *network;
	double top1; // of fp32, percent
	int layers, choices;
	const struct published_layer *layer;
	const struct published_choice *choice;
};

enum { PUBLISHED_BATCH = 8 };

// Returns the figures for a network, and each layer's row in row[model->layers] (-1: none; stem and head). Returns NULL with a
// fault if there are none: the layers' names and sizes must match at the network's own image size and number of classes. The
// published resnet50 has its strides in the 1x1 before the 3x3, so the MACs of three layers (conv1 of the first block in stages 2
// to 4) are a quarter of the catalog's.
const struct published *published_for(const struct model *, int *row, struct fault *);

#endif

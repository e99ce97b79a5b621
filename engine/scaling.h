// SPDX-License-Identifier: GPL-3.0-or-later
// Compound scaling: a network made deeper, wider and for larger images, so that it takes a given multiple of its own latency
// (EfficientNet-X, arXiv 2102.05610, "latency-aware compound scaling") or of its multiply-accumulates (EfficientNet). It finds
// the candidates of each level, which all lie on one surface of equal cost; which of them is the most accurate, training tells.
// sessions/, plots/ and ui/ include this header beside engine.h and catalog.h. It needs no search.
//
// A candidate is a name, "resnet20:res=24,width=1.25,depth=1.33", which opens, trains and is priced like any other. Depths are
// those at which a stage gains a block, sides multiples of 8 pixels (up to 64 pixels, of 2, or any where too few candidates meet a level), and the width is what meets the level: a
// whole number of thousandths whose network costs as much as the level says, within SCALING_TOLERANCE. What cannot meet it so is
// left out, and counted. Multiples are never below 1.
#ifndef ENGINE_SCALING_H
#define ENGINE_SCALING_H

#include "engine/catalog.h"

enum {
	SCALING_LEVELS = 8,  // most in one question
	SCALING_POINTS = 64, // most candidates of a level
};
#define SCALING_TOLERANCE 0.03

struct scaling_question {
	const char *net;              // what is scaled
	const char *price;            // the network that costs are of, scaled by the same multiples; NULL: `net`
	const char *device;           // "tpu_v3", "tpu_v3:ideal", a file
	const char *format;           // of every layer; NULL: bf16 where the device multiplies it, else fp16
	int batch;                    // images at once; 0: the device's own
	bool by_macs;                 // levels are multiples of MACs, not of latency
	int levels, points;           // numbers of levels, and of candidates that each should have
	double level[SCALING_LEVELS]; // multiples of the cost of `net`, above 1
	// Largest side of images. 0: 32 pixels for a network that begins below, which is all that small data have; up to 64 for one
	// that begins there, which beyond would have another stem (model.h); else any.
	int largest;
};

// A candidate, or the base.
struct scaled {
	int level;                       // index of its level; -1: the base
	double depth, width, resolution; // multiples of the base's
	int side;                        // of the network's images
	char net[ENGINE_TEXT], priced[ENGINE_TEXT];
	int layers;
	double macs;            // of the network, for one image
	double product;         // depth * width^2 * resolution^2
	double priced_macs, ms; // of the network that is priced: for one image; for a batch
	double multiple;        // of the base's cost: what the level is about
	const char *bound;      // what most of its time goes to: "compute", "vector unit", "memory", "kernel floor", "no weights"
	double share;           // the share of its time that does
};

struct scaling_level {
	int points; // number of candidates chosen
	int met;    // combinations of depth and side that meet the level,
	int missed; // and those that do not: no width is within the tolerance
	int step;   // of sides, in pixels
};

struct scaling {
	const char *format;
	int batch;
	bool assumed; // its latencies rest on assumed efficiencies
	struct scaled base;
	struct scaling_level level[SCALING_LEVELS];
	int points;
	struct scaled *point; // [points], by level, then depth, then side
};
// Returns false with a fault for a network that cannot be scaled, an unknown device or format, or levels not above 1. scaling_free is
// for it in any case.
bool scaling_of(const struct scaling_question *, struct scaling *, struct fault *);
void scaling_free(struct scaling *);

// Fills in a network of the catalog as it is: its names, layers, MACs, time and what bounds it. Of the question only the device, the
// format and the batch count.
bool scaling_price(const struct scaling_question *, const char *net, struct scaled *, struct fault *);

// Writes the name of a network scaled by these multiples (side 0: its own). Returns false with a fault as scaling_of.
bool scaling_name(const char *net, double depth, double width, int side, char name[ENGINE_TEXT], struct fault *);

// ---- published families -------------------------------------------------------------------------------------------------------

// A published row: "efficientnet-x-b3-tpu" and its multiples of level 0.
struct scaling_row {
	char name[ENGINE_NAME];
	double depth, width;
	int side;
};
enum { SCALING_PUBLISHED = 8 }; // levels 0 to 7
// Gives level 0..7 of a line of EfficientNet-X: "" (EfficientNet's own scaling), "-tpu" or "-gpu".
bool scaling_published(const char *line, int level, struct scaling_row *);

#endif

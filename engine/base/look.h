// SPDX-License-Identifier: GPL-3.0-or-later
// What a person sees who looks at a layer: its weights as they are, and what rounding them to each of its formats would do, each at the
// range that training uses.
#ifndef ENGINE_BASE_LOOK_H
#define ENGINE_BASE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

enum { LOOK_BINS = 64, LOOK_OPTIONS = 32 };

struct layer_look {
	int layer;
	bool there;              // false: the layer rests in the result, or nothing is trained here: there are no weights
	long weights;            // so many
	double mean, deviation;  // deviation: the standard one
	double peak;             // the largest magnitude
	uint32_t bin[LOOK_BINS]; // how many weights stand in each of equal parts of -peak..peak
	int options;             // of the layer's weight slot
	struct format_look {
		double noise; // signal to noise of the rounded weights, 10 log10(sum w^2 / sum (w - rounded)^2), in dB; INFINITY: exact
		double zeros; // share of the weights that become 0
		double step; // between neighbours of the grid next to 0, for the output channel with the widest range; 0: no grid
	} option[LOOK_OPTIONS];
	double seconds; // that it took
};

#endif

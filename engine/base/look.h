// SPDX-License-Identifier: GPL-3.0-or-later
// What a person sees who looks at a layer: its weights as they are and what it reads, and what rounding them to each of its formats does to
// them and to what it writes, each at the range that training uses.
#ifndef ENGINE_BASE_LOOK_H
#define ENGINE_BASE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

enum { LOOK_BINS = 64, LOOK_OPTIONS = 32 };
// In place of a layer: all of them, of each its output's noise alone; or that in each of its formats too.
enum { LOOK_ALL = -1, LOOK_FORMATS = -2 };

// Numbers as they are, before any rounding.
struct look_values {
	long count;
	double mean, deviation;  // deviation: the standard one
	double low, peak;        // the least; the largest magnitude
	uint32_t bin[LOOK_BINS]; // how many stand in each of equal parts of -peak..peak
};

struct layer_look {
	int layer;
	bool there; // false: the layer rests in the result, or nothing is trained here: there are no weights
	struct look_values weights;
	struct look_values inputs; // that the layers before it give, each in its format of the result
	int images;                // of the calibration slice, that inputs and outputs are of
	int options;               // of the layer's weight slot
	// Signal to noise is 10 log10(sum x^2 / sum (x - rounded)^2), in dB; INFINITY: exact; NAN: not known.
	struct format_look {
		double noise;       // of the rounded weights
		double input_noise; // of the rounded inputs
		double output_noise; // of what the layer writes where its weights and its inputs alone are rounded, against the same in fp32
		double zeros;   // share of the weights that become 0
		double clipped; // share of the inputs beyond the format's range
		double step,
			input_step; // between neighbours of the grid next to 0, of weights for the output channel with the widest range; 0: none
		double lost; // points of accuracy that weights and inputs in this format lose by the sensitivity table; NAN: there is none
	} option[LOOK_OPTIONS];
	double seconds; // that it took
};

#endif

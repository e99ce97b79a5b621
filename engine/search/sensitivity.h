// SPDX-License-Identifier: GPL-3.0-or-later
// A sensitivity table: points of top-1 accuracy that each layer loses in each format, added up over layers. It stands for quality
// where a network cannot be trained here. It is a model: what it says of a choice was not measured, whatever its figures were.
// Immutable once made: any thread; nothing is allocated but by sensitivity_named.
//
// A layer whose weights and activations differ in format loses the mean of what it loses with both in the one and with both in
// the other (extrapolated: published figures are for equal widths).
//
// `hawq`, for resnet18 and resnet50 (engine/model/published.h). Omega = trace x squared weight error of a layer (HAWQ-V2, arXiv
// 1911.03852). A layer loses scale * Omega^power points; scale and power are fitted by least squares to the two uniform
// choices and every other mixed one that were published, and the other choices are predicted. Rules beyond the figures:
//   Formats other than int4 and int8: the squared error falls by one factor a bit, that from int4 to int8. A floating format
//   counts as many bits as the integer, interpolated in the same way, that rounds a normal distribution, scaled to its largest
//   value, with the same squared error. fp32 loses nothing.
//   Stem and head stayed int8 in every published choice, whose accuracies hold what that loses: in a format, what the layer
//   losing most there loses beyond int8, and nothing in wider ones.
//   A skip convolution shared its block's first format in every published choice; here it may have its own.
#ifndef ENGINE_SEARCH_SENSITIVITY_H
#define ENGINE_SEARCH_SENSITIVITY_H

#include "engine/hardware/measured.h"
#include "engine/model/plan.h"

struct sensitivity;

// "hawq", or the path of a table of one's own (measured.h): its figures are as it says, fp32 loses nothing where it has no
// row, other formats without a row are refused by sensitivity_answers. The model is borrowed. NULL with a fault.
struct sensitivity *sensitivity_named(const struct model *, const char *name, struct fault *);
void sensitivity_free(struct sensitivity *);
// Top-1 of fp32 in percent. NAN: the table does not say; qualities then count from 100.
double sensitivity_top1(const struct sensitivity *);
// Whether every layer has figures for these formats; the fault names the first that has not.
bool sensitivity_answers(const struct sensitivity *, const int *formats, int count, struct fault *);
// Points that a layer loses; INFINITY: no figure.
double sensitivity_lost(const struct sensitivity *, int layer, struct layer_plan);
// The standard error of that; NAN: the table does not say.
double sensitivity_error(const struct sensitivity *, int layer, struct layer_plan);
// Whether the table says by how much outputs diverge from those of fp32, and the sum of that over the layers of a plan, in nats.
bool sensitivity_diverges(const struct sensitivity *);
double sensitivity_divergence(const struct sensitivity *, const struct plan *);
enum figure_source sensitivity_source(const struct sensitivity *, int layer, struct layer_plan);
// Accuracy of a plan, 0 to 1. `lost`, where it is not NULL, receives each layer's points.
double sensitivity_quality(const struct sensitivity *, const struct plan *, double *lost);

// ---- how well the published accuracies are met ----
enum { SENSITIVITY_CHOICES = 16 };
struct sensitivity_error {
	int choices;
	double rms, worst; // points of top-1; the worst in magnitude
};
struct sensitivity_fit {
	double scale, power;
	int choices; // published, each once
	struct sensitivity_choice {
		const char *name;
		bool fitted;                // else held out
		double top1, said, counted; // percent: published; by this table; by the yardstick
	} choice[SENSITIVITY_CHOICES];
	struct sensitivity_error fitted, held;
	// The yardstick, fitted in the same way: a choice loses scale * (number of its int4 layers)^power, whichever they are.
	struct sensitivity_error counted_fitted, counted_held;
};
// NULL: a table of one's own, to which nothing was fitted.
const struct sensitivity_fit *sensitivity_fit(const struct sensitivity *);

// As how many bits of an integer format a format counts; 32 for fp32.
double sensitivity_bits(int format);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What number formats cost a network whose weights stay as they are, measured on images by forward passes alone: each format of each layer's
// weights and of its input, one at a time, the rest of the network in fp32 (a *scan*); and whole choices. sessions/, plots/ and ui/ include
// this header beside engine.h and catalog.h. It needs no search.
//
// Norms go by the statistics that init= gives, else by those of fp32 on the calibration images; so do the ranges of inputs, by the
// setting `range`. Training images calibrate, the ones held out are scored; where they have no labels, a choice is held against the
// network's own outputs in fp32.
//
// A scan is a number of units of work, a layer on a batch of images each. It can be saved after any of them and taken up again, and then
// gives the very figures that it would have given. The network is run from the layer on alone: what is before it is the same
// for all of its formats. A measuring belongs to one thread at a time.
#ifndef ENGINE_MEASURING_H
#define ENGINE_MEASURING_H

#include "engine/catalog.h"

enum { MEASURING_FORMATS = 16, MEASURING_HALVES = 2 }; // halves of a layer: weights, input

struct measuring;
struct measuring_info {
	const char *net, *data;
	int layers, formats;
	const struct layer_info *layer;        // [layers]
	const char *format[MEASURING_FORMATS]; // by name
	long images, calibration_images;
	bool labelled;
	long units, done; // of the scan
	double parameters;
};
// What a choice, or a format of a half, costs, over the images; each with its standard error. One image changed in each direction is added in
// that of `lost`, so that no change on a few images is not taken for certainty.
struct measured_figure {
	double lost, lost_error; // points of top-1: of accuracy, or where there are no labels of agreement with fp32
	double kl, kl_error;     // divergence of the outputs from those of fp32, in nats
};
struct measured_choice {
	struct measured_figure figure;
	double accuracy;  // percent; NAN: no labels
	double agreement; // percent of images whose likeliest class is that of fp32
	double loss;      // mean cross-entropy; NAN: no labels
};

// Opens network, weights and images by these settings (net, data, init and what belongs to them, batch, threads, heldout, calibration, range and so on) and
// calibrates. `images`: how many are scored; 0: all that are held out. Returns NULL with a fault.
struct measuring *measuring_open(const struct config *, const char *const *formats, int count, long images, struct fault *);
void measuring_free(struct measuring *);
const struct measuring_info *measuring_info(const struct measuring *);

// One unit of work; nothing once all are done. Returns false with a fault if the outputs are no longer numbers.
bool measuring_advance(struct measuring *, struct fault *);
// Writes what the scan has found so far, and takes it up again. The latter returns false with a fault if the file is of another
// measurement: of other weights, images, formats or settings.
bool measuring_save(const struct measuring *, const char *path, struct fault *);
bool measuring_resume(struct measuring *, const char *path, struct fault *);
// Once all is done.
struct measured_figure measuring_figure(const struct measuring *, int layer, int half, int format);
double measuring_top1(const struct measuring *); // of fp32, percent; without labels 100
// Writes the scan as a table of sensitivity (engine/hardware/measured.h), with what it was measured on as remarks.
bool measuring_write(const struct measuring *, const char *path, struct fault *);

// Measures a choice: formats[layers], or formats[0] in every layer (count 1), calibrated for it. range[layers], unless it is NULL, receives the ranges
// of weights and inputs. Returns false with a fault for an unknown format.
bool measuring_choice(struct measuring *, const struct layer_formats *formats, int count, struct measured_choice *,
	struct layer_range *range, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Questions that need no search: which networks and devices there are, what a network is made of, what it costs on a device.
// sessions/, plots/ and ui/ include this header and engine.h. The latter is about one search, its space and its data; to ask about
// a network that nobody trains, a caller would have to open an engine for nothing.
//
// A description and a costing never change once they are made: any thread may read them. Counts and totals are of one image.
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/engine.h"

// ---- networks -------------------------------------------------------------------------------------------------------------

struct description_info {
	const char *name;     // as asked for
	const char *help;     // what it is; "" for a file
	const char *keys;     // what may follow its name: "res=8..4096"
	int h, w, c, classes; // of its input; classes it tells apart
	int operators, layers;
	const struct layer_info *layer; // [layers]
	double macs,
		attention_macs; // of all layers; of attention's two products, which have no weights and do not count as a layer
	double weights, parameters;           // parameters: weights, biases, norms, tokens
	double activations, most_activations; // numbers that all layers read; that the layer reading most does
};

// Opens a network of the catalog ("resnet50", "resnet50:res=160"; engine_nets of engine.h lists the names) or of a description
// file. h, w, c and classes give the size of the data; all 0 stand for the network's own. NULL with a fault: no such network.
struct description;
struct description *description_open(const char *name, int h, int w, int c, int classes, struct fault *);
void description_close(struct description *);
const struct description_info *description_info(const struct description *); // lives as long as the description
// Writes it as a description file, which opens as the same network. False: it could not be written.
bool description_write(const struct description *, FILE *);

// ---- what a network costs ---------------------------------------------------------------------------------------------------

// A layer's formats, by name.
struct layer_formats {
	const char *weight, *activation;
};

// Makes a cost term for a description, which it borrows: "bops", "size", "latency@tpu_v4", "energy@FILE.json" ... `batch` is the
// number of images at once; 0 stands for the device's own. NULL with a fault: there is no such term or device, or the device
// lacks a figure that is needed.
struct costing;
struct costing *costing_new(const struct description *, const char *term, int batch, struct fault *);
void costing_free(struct costing *);
const char *costing_unit(const struct costing *);
int costing_batch(const struct costing *); // 1 where the term knows no batch
// Whether its figures rest on efficiencies that are assumed, not fitted to times measured on the device.
bool costing_assumed(const struct costing *);
// The device's type that multiplies this format; NULL: the term has no device.
const char *costing_type(const struct costing *, const char *format);
// The cost of formats[layers], or of formats[0] in every layer (count 1), in the term's unit. False with a fault: an unknown format,
// one that the device runs at an unknown rate, or a wrong count.
bool costing_total(const struct costing *, const struct layer_formats *formats, int count, double *total, struct fault *);

// A layer in the roofline of a device: it attains operations / ms at the intensity operations / bytes.
struct roofline_point {
	double operations, bytes; // of a batch: useful ones, two a MAC; to and from the memory
	double ms;
	double roof;      // operations a second: the peak of the unit that it runs on
	const char *type; // that it runs as: "int8"; "vector": on the vector unit
	bool memory_bound;
};
struct roofline {
	char device[48];
	int batch;
	double bandwidth; // of the device's memory, bytes a second
	int layers;
	const struct layer_info *layer;     // [layers], the description's
	struct roofline_point *now, *draft; // [layers]: of a choice, and of a changed one; NULL: there is none
};
// Fills point[layers], and all of the roofline but its two rows of points. False with a fault: as above, or the term is not a
// latency by the roofline.
bool costing_roofline(const struct costing *, const struct layer_formats *formats, int count, struct roofline *,
	struct roofline_point *point, struct fault *);

// The times of a layer, in milliseconds per batch. `measured` is the table's figure, 0 where it has none. A layer without a figure,
// or with one that was scaled from a layer of another size, is not compared.
struct compared_layer {
	double predicted, measured;
	bool compared;
};
struct comparison {
	int layers;                 // compared
	double bias, spread;        // of ln(predicted / measured): mean, standard deviation
	double rank;                // Spearman's rank correlation
	double predicted, measured; // ms of all that are compared
};
// Holds a roofline ("latency@DEVICE") against a table ("latency@table:NAME") of the same description; fills layer[layers]. False
// with a fault: as above, terms of other kinds, another batch, or nothing was measured in these formats.
bool costing_compare(const struct costing *roofline, const struct costing *table, const struct layer_formats *formats, int count,
	struct compared_layer *layer, struct comparison *, struct fault *);

// ---- what precision loses ---------------------------------------------------------------------------------------------------

// Opens a sensitivity table for a description, which it borrows: "hawq", fitted to what was published for resnet18 and resnet50, or
// a CSV file, as engine/hardware/measured.h describes it. NULL with a fault: there is no table for this network, or the file is bad.
struct losses;
struct losses *losses_new(const struct description *, const char *table, struct fault *);
void losses_free(struct losses *);
double losses_top1(const struct losses *); // what fp32 has, in percent; NAN: the table does not say
// Points of top-1 that a layer loses in a format, and where the figure is from: "measured", "fitted", "extrapolated", or "absent",
// points INFINITY. False with a fault: there is no such format.
bool losses_layer(const struct losses *, int layer, const char *format, double *points, const char **source, struct fault *);

// A published choice; its figures are percent of top-1. The yardstick was fitted in the same way, but knows only how many layers are
// int4, not which.
struct losses_choice {
	const char *name;
	bool fitted; // else held out
	double published, said, yardstick;
};
// The choices in turn. False: no more; none at all for a table of one's own, to which nothing was fitted.
bool losses_choice(const struct losses *, int index, struct losses_choice *);
// What the table, or the yardstick, says of the fitted or of the held-out choices, against what was published. Points.
struct losses_error {
	int choices;       // 0: nothing was fitted
	double rms, worst; // the worst in magnitude
};
struct losses_error losses_error(const struct losses *, bool fitted, bool yardstick);

// ---- rivals of a search: choices worked out from a table alone ------------------------------------------------------------

struct rival {
	const char *name;  // "uniform", "ends", "greedy", "exact"
	bool found;        // a choice within the limit; else the rest says nothing
	double cost, lost; // points of top-1
	double bound;      // of exact: no choice within the limit loses less; else `lost`
};
enum { RIVALS = 4 };
// The best choices of the plain searchers that cost no more than `limit` says ("int5", "0.5x" of the widest, a number in the term's unit),
// each layer's weights and activations in one of formats[count], narrowest first; ends: the widest in the first and the last layer.
// Fills *most with the limit and choice[RIVALS][layers] with places in formats. False with a fault: a term that is not a sum over layers, a
// format that the table has no figure for, no such limit, out of memory.
bool losses_rivals(const struct losses *, const struct costing *, const char *const *formats, int count, const char *limit,
	double *most, struct rival rival[RIVALS], int *choice, struct fault *);

// ---- devices ----------------------------------------------------------------------------------------------------------------

// One figure of a device, in its unit; 0: unknown or, of a peak, a type that the device lacks. NAN: it has it at an unknown rate.
struct sheet_figure {
	const char *group, *name, *unit; // "peaks", "int8", "Tops/s"; group "": stands alone
	double value;
	const char *mark; // "", "recalled", "assumed", "fitted"
};
// All figures of a device, as a device file has them, and what follows from them: group "ridge", the operations a byte at which
// memory and a type's peak take the same time, marked as the peak is.
enum { SHEET_FIGURES = 128 };
struct device_sheet {
	char name[48];
	char source[512];
	int figures;
	struct sheet_figure figure[SHEET_FIGURES];
};
// A built-in device by its name, or one of a file (a '/' in its name, or .json behind it).
bool catalog_device(const char *name_or_path, struct device_sheet *, struct fault *);
// A figure by group and name; NULL: there is none.
const struct sheet_figure *sheet_figure(const struct device_sheet *, const char *group, const char *name);

// ---- one product, and times that were measured ------------------------------------------------------------------------------

// C[M][N] = A[M][K] B[K][N] as one kernel, its result in the operands' format.
struct product_question {
	double m, n, k;
	const char *format, *device;
	bool cold;  // the operands come from the memory even if they fit on chip
	int passes; // of bf16 for fp32, where the device makes it so; 0: as the device says
};
struct product_time {
	char device[48];
	const char *type;     // that it runs as: "int8"
	bool vector, on_chip; // it runs on the vector unit; the operands lie on chip
	bool assumed;         // the device's efficiencies are assumptions
	int passes;           // how many bf16 products make one of fp32; 0: it is not made so
	double operations;    // useful ones, two a multiply-accumulate
	double peak,
		share; // operations a second of the unit and type; what of it this product could reach if nothing else held it up
	double padding;          // multiply-accumulates done for each useful one
	double operands, result; // bytes
	// Seconds: seconds = floor + the larger of compute and memory + exposed, what of the smaller the larger cannot hide.
	double seconds, floor, compute, memory, exposed;
	const char *bound; // "compute", "memory" or "floor": the largest part
};
// False with a fault: a size below 1, no such format or device, a figure that is needed is unknown.
bool catalog_product(const struct product_question *, struct product_time *, struct fault *);

// A time that was measured on a TPU v4, and what the model says of it. Microseconds.
struct measured_time {
	const char *kind; // "product", "element-wise", "GPT-2"
	char name[32];    // "1536x2048x2048", "11", "128x32": as the kind has it
	bool fitted;      // the device's constants were fitted to it
	double measured, modelled;
};
// How the model meets the times of a kind that were fitted to, or the others: of ln(modelled / measured).
struct measured_error {
	int rows;
	double bias, error, rms, worst; // mean, mean magnitude, root of the mean square, largest magnitude
};
enum { MEASURED_KINDS = 3 };
// Fills up to `most`, returns how many there are; 0 with a fault.
int catalog_measured(struct measured_time *, int most, struct fault *);
bool catalog_measured_error(int kind, bool fitted, struct measured_error *, const char **name, struct fault *);
// The measured time of this product, us; 0: it was not measured.
double catalog_measured_product(double m, double n, double k);

#endif

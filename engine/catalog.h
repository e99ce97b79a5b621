// SPDX-License-Identifier: GPL-3.0-or-later
// Answers questions that need no search: which networks and devices there are, what a network is made of, what it costs on a
// device. sessions/, plots/ and ui/ include this header beside engine.h, which is about one search, its space and its data.
// Without it, a caller with a question about an untrained network would have to open an engine.
//
// A description and a costing never change once made: any thread may read them. Counts and totals are for one image.
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/engine.h"

// ---- networks -------------------------------------------------------------------------------------------------------------

// What a description leaves to be chosen.
struct description_choice {
	const char *name, *help;              // "s2b1.kernel"; what is chosen
	char options[16 * ENGINE_OPTIONS];    // "3|5|7"
	char standard[16];                    // the option of the network that is described
	char when[ENGINE_NAME + ENGINE_TEXT]; // "s2b2.depth on": it matters only then; "": always
};

struct description_info {
	const char *name;     // the name it was opened by
	const char *help;     // what it is; "" for a file
	const char *keys;     // what may follow the name: "res=8..4096"
	int h, w, c, classes; // the size of its input; the number of classes
	int operators, layers;
	const struct layer_info *layer;       // [layers]
	int quantized;                        // layers that the file of a quantized network gives formats
	const char *told;                     // what was left out or put back in reading it, in clauses; "": nothing
	double macs, attention_macs;          // of all layers; of attention's products, which belong to no layer
	double weights, parameters;           // parameters: weights, biases, norms, tokens
	double activations, most_activations; // numbers read by all layers; by the layer that reads the most
	int unknowns;                         // operators that are not known: they have no costs but of what they read and write
	const char (*unknown)[160];           // [unknowns]: the file's nodes
	int choices;                          // 0: nothing is left to be chosen; else all the above is of the standard options
	const struct description_choice *choice; // [choices]
	double decisions, networks;              // how many ways there are to choose; how many of them are different networks
};

// Opens a network of the catalog ("resnet50", "resnet50:res=160"; engine_nets of engine.h lists the names) or of a description
// file. h, w, c and classes give the size of the data; all 0: the network's own. Returns NULL with a fault if there is no such
// network.
struct description;
struct description *description_open(const char *name, int h, int w, int c, int classes, struct fault *);
void description_close(struct description *);
const struct description_info *description_info(const struct description *); // lives as long as the description
// Writes it as a description file, which opens as the same network. Returns false if it could not be written, or
// with a fault if the network has an operator that descriptions lack.
bool description_write(const struct description *, FILE *, struct fault *);

// What another tool prints as the multiply-accumulates of a network, and why it is another number than ours.
enum { COUNTED_PARTS = 9 };
struct counted {
	const char *name,
		*variant; // "ptflops"; "timm's attention": how the network is written, or the counter called; "": any way
	double count;
	int parts; // they add up to the difference from macs + attention_macs
	struct counted_part {
		const char *what;
		double count;
	} part[COUNTED_PARTS];
};
// Gives one after the other. Returns false when there are no more.
bool description_counted(const struct description *, int index, struct counted *);

// ---- what a network costs ---------------------------------------------------------------------------------------------------

// A layer's formats by name.
struct layer_formats {
	const char *weight, *activation;
};

// Makes a cost term for a description, which it borrows: "bops", "size", "latency@tpu_v4", "energy@FILE.json" ... `batch` is the
// number of images at once; 0: the device's own. Returns NULL with a fault if there is no such term or device, or if the device
// lacks a necessary figure.
struct costing;
struct costing *costing_new(const struct description *, const char *term, int batch, struct fault *);
void costing_free(struct costing *);
const char *costing_unit(const struct costing *);
int costing_batch(const struct costing *); // 1 if the term has no batch
// Returns whether its figures rest on assumed efficiencies instead of ones fitted to times measured on the device.
bool costing_assumed(const struct costing *);
// Returns the device's type that multiplies this format; NULL: the term has no device.
const char *costing_type(const struct costing *, const char *format);
// Works out the cost of formats[layers], or of formats[0] in every layer (count 1), in the term's unit. Returns false with a
// fault for an unknown format, one that the device runs at an unknown rate, or a wrong count.
bool costing_total(const struct costing *, const struct layer_formats *formats, int count, double *total, struct fault *);

// A layer under the roofline of a device: it attains operations / ms at the intensity operations / bytes.
struct roofline_point {
	double operations, bytes; // for a batch: useful operations, two per MAC; bytes to and from the memory
	double ms;
	double roof;      // operations a second: the peak of the unit it runs on
	const char *type; // the type it runs as: "int8"; "vector": on the vector unit
	bool memory_bound;
	const char *bound; // "compute", "memory" or "floor": the largest part
};
struct roofline {
	char device[48];
	int batch;
	double bandwidth; // of the device's memory, bytes a second
	int layers;
	const struct layer_info *layer;     // [layers], owned by the description
	struct roofline_point *now, *draft; // [layers]: for a choice and for a changed one; NULL: there is none
};
// Fills point[layers], and all of the roofline but `now` and `draft`. Returns false with a fault as above, or if the term is not
// a latency by the roofline.
bool costing_roofline(const struct costing *, const struct layer_formats *formats, int count, struct roofline *,
	struct roofline_point *point, struct fault *);

// The times of a layer in milliseconds per batch. `measured` is the table's figure, or 0 if it has none. A layer is not compared
// if it has no figure, or one that was scaled from a layer of another size.
struct compared_layer {
	double predicted, measured;
	bool compared;
};
struct comparison {
	int layers;                 // number of layers compared
	double bias, error, spread; // of ln(predicted / measured): mean, mean magnitude, standard deviation
	double rank;                // Spearman's rank correlation
	double predicted, measured; // ms, summed over the layers compared
};
// Compares a roofline ("latency@DEVICE") with a table ("latency@table:NAME") of the same description; fills layer[layers].
// Returns false with a fault as above, or if the terms are of other kinds, their batches differ, or nothing was measured in these
// formats.
bool costing_compare(const struct costing *roofline, const struct costing *table, const struct layer_formats *formats, int count,
	struct compared_layer *layer, struct comparison *, struct fault *);

// Whether it is a latency by measured times: of a table, or of a device that has them.
bool costing_measured(const struct costing *);
// A measured time of a layer, in milliseconds per batch.
struct timed_layer {
	const char *format; // that it was measured in; NULL: it was not
	double ms;          // of its own operator
	double low, high;   // the interval that holds the median with 95 % confidence; 0: not known
	double behind;      // of the operators without weights behind it; 0: none, or not told apart
};
// Fills layer[layers] for these formats. Returns false with a fault for an unknown format, a wrong count, or another term.
bool costing_timed(const struct costing *, const struct layer_formats *formats, int count, struct timed_layer *layer,
	struct fault *);

// ---- what precision loses ---------------------------------------------------------------------------------------------------

// Opens a sensitivity table for a description, which it borrows: "hawq", fitted to published figures of resnet18 and resnet50, or
// a CSV file as described in engine/hardware/measured.h. Returns NULL with a fault if there is no table for this network or the
// file is bad.
struct losses;
struct losses *losses_new(const struct description *, const char *table, struct fault *);
void losses_free(struct losses *);
double losses_top1(const struct losses *); // that of fp32, in percent; NAN: the table does not say
// Gives the points of top-1 that a layer loses in a format, and the source of the figure: "measured", "fitted", "extrapolated" or
// "absent" (points INFINITY). Returns false with a fault if there is no such format.
bool losses_layer(const struct losses *, int layer, const char *format, double *points, const char **source, struct fault *);

// A published choice; its figures are percent of top-1. The yardstick was fitted in the same way, but knows only how many layers
// are int4, not which ones.
struct losses_choice {
	const char *name;
	bool fitted; // else held out
	double published, said, yardstick;
};
// Gives one choice after the other. Returns false when there are no more; a user's own table has none, since nothing was fitted
// to it.
bool losses_choice(const struct losses *, int index, struct losses_choice *);
// The errors of the table, or of the yardstick, over the fitted or the held-out choices, against the published figures. In
// points.
struct losses_error {
	int choices;       // 0: nothing was fitted
	double rms, worst; // the worst in magnitude
};
struct losses_error losses_error(const struct losses *, bool fitted, bool yardstick);

// ---- rivals of a search: choices worked out from a table alone ------------------------------------------------------------

struct rival {
	const char *name;  // "uniform", "ends", "greedy", "exact"
	bool found;        // there is a choice within the limit; if not, the rest is meaningless
	double cost, lost; // points of top-1
	double bound;      // for "exact": no choice within the limit loses less; else equal to `lost`
};
enum { RIVALS = 4 };
// Finds the plain searchers' best choices that cost no more than `limit` ("int5", "0.5x" of the widest, a number in the term's
// unit). Each layer's weights and activations share one of formats[count], narrowest first; "ends" keeps the widest in the first
// and the last layer. Fills *most with the limit and choice[RIVALS][layers] with indices into formats. Returns false with a fault
// for a term that is not a sum over layers, a format without a figure in the table, an unreadable limit, or when out of memory.
bool losses_rivals(const struct losses *, const struct costing *, const char *const *formats, int count, const char *limit,
	double *most, struct rival rival[RIVALS], int *choice, struct fault *);

// ---- devices ----------------------------------------------------------------------------------------------------------------

// One figure of a device, in its unit. 0: unknown or, for a peak, a type that the device lacks; NAN: a type that it has at an
// unknown rate.
struct sheet_figure {
	const char *group, *name, *unit; // "peaks", "int8", "Tops/s"; group "": none
	double value;
	const char *mark; // "", "recalled", "assumed", "fitted"
};
// All figures of a device, as in a device file, and those that follow from them: group "ridge" gives the operations a byte at
// which memory and a type's peak take the same time, marked like the peak.
enum { SHEET_FIGURES = 160 };
struct device_sheet {
	char name[48];
	char source[512];
	char times
		[192]; // what was measured on it, by which latency is priced: "20 times of layers, for 16 images at once"; "": nothing
	int figures;
	struct sheet_figure figure[SHEET_FIGURES];
};
// Reads a built-in device by its name, or one from a file (a name that holds a '/' or ends in .json).
bool catalog_device(const char *name_or_path, struct device_sheet *, struct fault *);
// Returns a figure by group and name; NULL: there is none.
const struct sheet_figure *sheet_figure(const struct device_sheet *, const char *group, const char *name);

// ---- number formats ----------------------------------------------------------------------------------------------------------

struct format_sheet {
	const char *name;
	int bits, exponent, mantissa; // exponent 0: multiples of the least
	double least, largest;        // magnitudes of its numbers before they are scaled; least: above 0
	int block;                    // so many values share a scale; 0: all of a tensor or of a channel do, or there is none
	double whole_bits;            // of a value with its share of whole blocks' scales
	char scale[80];               // "32 values share a scale, a power of two"
};
bool catalog_format(const char *name, struct format_sheet *); // false: there is no such format

// ---- one product, and times that were measured ------------------------------------------------------------------------------

// C[M][N] = A[M][K] B[K][N] as one kernel, with the result in the operands' format.
struct product_question {
	double m, n, k;
	const char *format, *device;
	bool cold;  // the operands come from the memory even if they fit on chip
	int passes; // bf16 passes for fp32, on a device that builds fp32 from bf16; 0: the device's own number
};
struct product_time {
	char device[48];
	const char *type;     // the type it runs as: "int8"
	bool vector, on_chip; // it runs on the vector unit; its operands are on chip
	bool assumed;         // the device's efficiencies are assumptions
	int passes;           // number of bf16 products that make one of fp32; 0: not made from bf16
	double operations;    // useful ones, two per multiply-accumulate
	// Operations a second of the unit and type; the share of them that this product could reach if nothing else held it up.
	double peak, share;
	double padding;          // multiply-accumulates done per useful one
	double operands, result; // bytes
	// Seconds: seconds = floor + the larger of compute and memory + exposed, the part of the smaller that the larger cannot
	// hide.
	double seconds, floor, compute, memory, exposed;
	const char *bound; // "compute", "memory" or "floor": the largest part
};
// Returns false with a fault for a size below 1, an unknown format or device, or a device without a necessary figure.
bool catalog_product(const struct product_question *, struct product_time *, struct fault *);

// A measured time, and the time by the model. Microseconds.
struct measured_time {
	const char *kind; // "product", "element-wise", "GPT-2"; of a file also "conv", "attention", "layernorm", "layer", "net"
	char name[96];    // by the kind: "1536x2048x2048", "11", "128x32"
	bool fitted;      // the device's constants were fitted to it
	double measured, modelled; // modelled NAN: the device lacks a figure for it
	double low, high;          // of the measured; 0: not known
	const char *type;          // of a file: "bf16"; NULL: not said
	const char *bound;         // of a file: "compute", "memory" or "floor", by the model; NULL: not known
};
// The model's error, ln(modelled / measured), over those times of a kind that its constants were fitted to, or over the others.
struct measured_error {
	int rows;
	double bias, error, rms, worst; // mean, mean magnitude, root of the mean square, largest magnitude
};
enum { MEASURED_KINDS = 3 };
// Fills up to `most` and returns how many there are; 0 with a fault.
int catalog_measured(struct measured_time *, int most, struct fault *);
bool catalog_measured_error(int kind, bool fitted, struct measured_error *, const char **name, struct fault *);
// Returns the measured time of this product in us; 0: it was not measured.
double catalog_measured_product(double m, double n, double k);
// Times of kernels that were measured elsewhere, from a CSV file (engine/hardware/timings.h), beside the roofline of a device.
struct measured_file {
	char device[48];
	int count, left_out;        // rows; rows of kinds that the model does not know
	char other[64];             // these kinds
	struct measured_time *time; // [count]; the caller frees it
};
// warm: operands that fit on the chip lie there, as in a kernel that is run again and again; else they come from the memory. Returns false
// with a fault that names the file's first mistake.
bool catalog_measured_file(const char *path, const char *device, bool warm, struct measured_file *, struct fault *);

#endif

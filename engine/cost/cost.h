// SPDX-License-Identifier: GPL-3.0-or-later
// Cost terms: what a plan costs, in all and per layer. A term is made for one model (and device) and never changes
// afterwards: any number of threads may price plans with it. Only cost_new allocates.
//
//   bops            MACs x weight bits x activation bits            size         bytes of weights, with scales and biases
//                   of the layers: attention's two products, which have no weights, are not in it
//   bops-linear     MACs x the wider of the two                     activations  bytes alive at the fullest moment of inference
//   latency@DEVICE  ms a batch by the roofline                      energy@DEVICE  mJ an image
//   latency@table:NAME  ms a batch, measured: NAME is a file of one's own, or `hawq` (engine/hardware/measured.h)
//   DEVICE: a name of device_names(), or the path of a file
//
// activations: the operators run in the model's order, one image at a time; a tensor lives from its producer to its last
// reader, an operator's inputs and its output together; each in the format of the widest layer that reads it (graph.h).
// Layers' parts: what the operators after each layer had alive at that moment.
//
// latency: the sum over kernels (graph.h says which operators run as one) of floor + the larger of compute and memory time + what of
//   the shorter the longer cannot hide, `ramp` at most. It began as EfficientNet-X's roofline (arXiv 2102.05610); the constants are
//   figures of the device, fitted for tpu_v4 to half of the times in engine/hardware/silicon.h, assumed elsewhere (cost_assumed).
//   Compute: operations over rate x efficiency by kind of work. On the matrix unit two a MAC, padded: up(kernel area x channels in /
//   groups, inner) x the less of up(rows, `rows`) x up(channels out / groups, outer) and up(rows, outer) x up(channels out /
//   groups, `rows`), x groups; rows: pixels of all images. The type is device_native of the two formats, for attention's products of
//   its output's; its rate device_rate. Products of a single row or column run on the vector unit, where its share in them is known;
//   depthwise convolutions and operators without weights always, as fp32. There a number counts 1 for an add or a multiply; 1, 2 or
//   4 for relu, relu6 or another activation; 2 for a batch norm that cannot be folded; 8 for a layer norm; the window for a
//   pooling; 5 for a softmax (assumptions; bytes nearly always bound these). Concatenation and the choice of the first pixel only
//   copy. What joined a convolution or linear operator is worked on while that runs: of both times the larger counts.
//   Bytes, over bandwidth x efficiency: weights, scales and biases always, once a batch. The input and the output of the network
//   always. Any other tensor when written and at each reading: on chip, at its rate (none known: free), if the tensor stays there
//   and the operator multiplies; else through the memory. A tensor stays if the whole batch of it fits into an equal share of the
//   on-chip memory: divided by the most tensors alive at once during its life, so that all that stay do fit together. Weights
//   stream past.
//   Attention is one kernel, whose scores never leave the chip; or, where the device says so, six: a copy of queries, keys and values
//   into the heads' layout, the first product, the scores' maximum, their exponentials, the second product, a copy of the result.
//   The scores, two bytes each, then are written twice and read three times. A layer norm reads its input once or twice.
// energy: where the device has energies per operation and byte: every MAC, vector operation and byte moved, from memory and
//   through the on-chip memory, once; weights once a batch; a type without a figure as the next in enum native that has one.
//   Idle power and control are not in it. Else mean power x latency. Else refused.
// Operators without weights count with the layer nearest before them, so that the layers' parts sum to the total.
// A measured layer runs as the narrowest format measured for it that holds the values of both its formats; a table's figures
// hold for the batch that was measured, operators without weights among them or not, as they were. A layer that it has no figure for
// (stem and head in `hawq`) counts 0.
#ifndef ENGINE_COST_COST_H
#define ENGINE_COST_COST_H

#include "engine/base/fault.h"
#include "engine/base/term.h"
#include "engine/hardware/device.h"
#include "engine/model/model.h"

struct cost;

// Whether a model is small enough to be priced. Callers ask this before they make anything large of it.
bool cost_can_price(const struct model *, struct fault *);

enum { COST_NAMES = 160 }; // most that cost_terms lists
// Lists the terms by name, for completion; NULL-terminated. Devices that lack a needed figure are among them.
const char *const *cost_terms(void);
// batch: images at once, for latency and energy; 0: as the device says. The model is borrowed. NULL with a fault: no such
// term or device; a figure that is needed is unknown; a layer that a table has no row for.
struct cost *cost_new(const struct model *, const char *term, int batch, struct fault *);
void cost_free(struct cost *);
const char *cost_name(const struct cost *); // as it was asked for
const struct term_kind *cost_kind(const struct cost *);
const char *cost_unit(const struct cost *);            // "bit ops per image", "B", "ms per 8 images", "mJ per image"
const char *cost_brief(const struct cost *);           // for a narrow column: "bit ops", "B", "ms/8 img", "mJ/img"
const char *cost_help(const struct cost *);            // one line
const struct device *cost_device(const struct cost *); // NULL: none

// Whether the term can price every layer with its weights and its activations in any of these formats. A plan that it cannot
// price costs INFINITY, so a search asks first. The fault names the layer, the formats and what is unknown.
bool cost_answers(const struct cost *, const int *formats, int count, struct fault *);
// The total; where `layer` is not NULL, also each layer's part.
double cost_total(const struct cost *, const struct plan *, double *layer);
// The sum of the prices of all operators that depend on the formats of these layers (distinct). Between two plans that differ
// in these layers alone it differs as the totals do: total - cost_part(before) + cost_part(after) prices a change without
// the rest. (activations: the total.)
double cost_part(const struct cost *, const struct plan *, const int *layers, int count);
// The same for many changes of one plan, to the bit. `format` [model->ops] holds what cost_formats says of the plan, which is the
// same for every term of a model. cost_parts prices these layers' `options` settings: to[options][count], of which the first
// are what the plan has, and has again afterwards, as `format` has. part: [options].
void cost_formats(const struct cost *, const struct plan *, uint8_t *format);
double cost_total_of(const struct cost *, const struct plan *, const uint8_t *format, double *layer);
void cost_parts(const struct cost *, struct plan *, uint8_t *format, const int *layers, int count, const struct layer_plan *to,
	int options, double *part);
// Whether the total is a sum of layers' prices, each of which depends on that layer's formats alone.
bool cost_adds(const struct cost *);
// A layer's settings that are allowed.
struct cost_settings {
	const struct layer_plan *setting; // [count]
	int count;                        // one at least
};
// What no plan costs less than whose layers take one of these settings each: the sum of the operators' least prices. It is
// attained where a single plan gives them all.
double cost_least(const struct cost *, const struct cost_settings *layer); // [layers]
// The cost of giving every layer the same format.
double cost_uniform_total(const struct cost *, int format);
// A target as a person writes it: a format (the cost of that uniform choice), "0.5x" (of `widest`), or a number with k, M, G or
// T; bytes also with kB, MB, GB, KiB, MiB; time in ns, us, ms, s (alone: ms); energy in nJ, uJ, mJ, J (alone: mJ).
bool cost_target_value(const struct cost *, double widest, const char *text, double *target, struct fault *);

// A layer's own operator in the roofline of a device.
struct cost_point {
	double operations, bytes; // of a batch: useful ones, without padding; to and from the memory
	double ms;                // operations / ms is the rate that it attains, operations / bytes its intensity
	double roof;              // operations a second: the peak of the unit that it runs on
	enum native type;         // fp32 where it runs on the vector unit
	bool vector, memory_bound;
};
// Whether prices rest on assumed efficiencies, none of them fitted to times measured on the device (device_assumes): to be said
// wherever such a latency, or an energy that follows from it, is shown.
bool cost_assumed(const struct cost *);
// Fills point[layers]; false where the term is not a latency by the roofline.
bool cost_roofline(const struct cost *, const struct plan *, struct cost_point *point);

// One product of two matrices by itself, in one format, its result too.
struct cost_product {
	double operations;       // useful ones, two a MAC
	double padding;          // MACs done for each useful one
	double operands, result; // bytes
	bool on_chip;            // the operands lie there, as where it runs again and again; the result goes to the memory
	bool vector;             // it runs on the vector unit
	enum native type;        // that it runs as
	double peak;             // operations a second, of the unit and type
	// Seconds: seconds = floor + the larger of compute and memory + exposed, the part of the smaller that the larger cannot hide.
	double seconds, floor, compute, memory, exposed;
};
// size: rows, columns and inner size (M, N, K). cold: the operands come from the memory even if they fit on chip. False with a fault:
// a figure of the device that is needed is unknown.
bool cost_product(const struct device *, const double size[3], int format, bool cold, struct cost_product *, struct fault *);

// What the model says of a row of engine/hardware/silicon.h on a device, in microseconds. False with a fault: as above.
bool cost_silicon(const struct device *, int row, double *us, struct fault *);
// How far off, over the rows of a kind that the device's constants were fitted to, or over the others: of ln(model / measured)
// the mean, the mean magnitude and the root of the mean square.
struct silicon_error {
	int rows;
	double bias, error, rms, worst; // worst: the largest magnitude
};
bool cost_silicon_error(const struct device *, int kind, bool fitted, struct silicon_error *, struct fault *);

// The roofline held against what was measured, over the layers that were: the layers' own operators alone.
struct cost_comparison {
	int layers;                 // compared
	double bias, error, spread; // of ln(predicted / measured): mean, mean magnitude, standard deviation
	double rank;                // Spearman's rank correlation
	double predicted, measured; // ms of all that are compared
};
// Under a plan; fills predicted[layers] and measured[layers] in ms (NAN: not measured, left out of both sides) and the summary.
// False with a fault: not a roofline and a table, another batch, nothing in common.
bool cost_compare(const struct cost *roofline, const struct cost *table, const struct plan *, double *predicted, double *measured,
	struct cost_comparison *, struct fault *);

#endif

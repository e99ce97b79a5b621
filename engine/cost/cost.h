// SPDX-License-Identifier: GPL-3.0-or-later
// Cost terms: what a plan costs, in total and per layer.
//
// A *tariff* is a term on its device. It is made once and never changes: any number of threads may use it. A *cost* is a network
// as a tariff prices it: what its kernels are, how long its tensors live, what each operator takes. Any number of threads may price
// plans of that network with it. Where the architecture varies, one thread has a cost of its own, and settles it anew for each path
// that it prices.
//
//   bops            MACs x weight bits x activation bits            size         bytes of weights, with scales and biases
//                   of the layers; without attention's two products, which have no weights
//   bops-linear     MACs x the wider of the two                     activations  bytes alive at the fullest moment of inference
//   latency@DEVICE  ms a batch by the roofline                      energy@DEVICE  mJ an image
//   latency@table:NAME  ms a batch, measured: NAME is a file or `hawq` (engine/hardware/measured.h)
//   DEVICE: a name of device_names(), or the path of a file. Latency on a device that has measured times (engine/hardware/times.h) is
//   priced by these alone
//
// activations: the operators run in the model's order, one image at a time. A tensor lives from its producer to its last reader,
//   so an operator's inputs and its output are alive together. Each has the format of the widest layer that reads it (graph.h). A
//   layer's part is what the operators after it have alive at the fullest moment.
//
// latency: the sum over kernels (graph.h says which operators run as one) of floor + the larger of compute and memory time + the
//   part of the shorter that the longer cannot hide, at most `ramp`. It began as EfficientNet-X's roofline (arXiv 2102.05610).
//   The constants are figures of the device: fitted for tpu_v4 to half of the times in engine/hardware/silicon.h, assumed for
//   other devices (cost_assumed).
//   Compute: operations over rate x efficiency by kind of work. On the matrix unit there are two per padded MAC: up(kernel area x
//   channels in / groups, inner) x the less of up(rows, `rows`) x up(channels out / groups, outer) and up(rows, outer) x
//   up(channels out / groups, `rows`), x groups; rows: pixels of all images. The type is device_native of the two formats, or of
//   the output's format for attention's products, and its rate is device_rate. Products of a single row or column run on the
//   vector unit if its share in them is known; depthwise convolutions and operators without weights always do, as fp32. There a
//   number counts 1 for an add or a multiply; 1, 2 or 4 for relu, relu6 or another activation; 2 for a batch norm that cannot be
//   folded; 8 for a layer norm; the window for a pooling; 5 for a softmax (assumptions; bytes nearly always bound these).
//   Concatenation and the choice of the first pixel only copy. Operators that joined a convolution or linear operator run at the
//   same time as it: the larger of the two times counts.
//   Bytes, over bandwidth x efficiency: weights, scales and biases always pass the memory, once a batch. So do the network's
//   input and output. Any other tensor counts when written and at each reading: on chip, at that rate (free if unknown), if the
//   tensor stays there and the operator multiplies; else through the memory. A tensor stays if its whole batch fits into its
//   share of the on-chip memory, which is divided by the most tensors alive at once during its life, so that all that stay fit
//   together. Weights take no on-chip memory.
//   Attention is one kernel, whose scores never leave the chip, or six if the device says so: a copy that arranges queries, keys
//   and values by heads, the first product, the scores' maximum, their exponentials, the second product, a copy of the result.
//   With six, the scores, two bytes each, are written twice and read three times. A layer norm reads its input once or twice.
//
// energy: if the device has energies per operation and byte, every MAC, vector operation and byte moved from memory and through
//   the on-chip memory counts once; weights count once a batch; a type without a figure takes the next one in enum native that
//   has one. Idle power and control are left out. Without these energies it is mean power x latency, and without mean power it is
//   refused.
//
// Operators without weights count with the nearest layer before them, so that the layers' parts sum to the total. A measured
// layer runs as the narrowest format measured for it that holds the values of both its formats. A table's figures hold for the
// batch that was measured, and include operators without weights if the measurement did. A layer without a figure (stem and head
// in `hawq`) counts 0. A device's times count by network and layer where that was measured, else they are the mean of all layers that do
// the same work (model_layer_work), in any network; a layer of which neither is known has no price (cost_answers).
#ifndef ENGINE_COST_COST_H
#define ENGINE_COST_COST_H

#include "engine/base/fault.h"
#include "engine/base/term.h"
#include "engine/hardware/device.h"
#include "engine/model/plan.h"

struct tariff;
struct cost;

// Returns whether a model is small enough to be priced. Callers ask before they build anything large from it.
bool cost_can_price(const struct model *, struct fault *);

enum { COST_NAMES = 160 }; // most that cost_terms lists
// Lists the terms by name, for completion; NULL-terminated. Devices that lack a needed figure are among them.
const char *const *cost_terms(void);
// Makes a tariff for the paths of a whole network, which is borrowed. batch: images at once, for latency and energy; 0: the device's
// own. Returns NULL with a fault for an unknown term or device, an unknown figure that is needed, or a layer without a row in a
// table.
struct tariff *tariff_new(const struct model *whole, const char *term, int batch, struct fault *);
void tariff_free(struct tariff *);

// Prices the network of a plan by a tariff. The tariff, the model and the plan's path are borrowed; formats do not matter. A table has
// rows for the whole's layers by name: a layer that runs in another shape than the whole's has no price by it (cost_answers).
// Returns NULL with a fault for too many operators, or when out of memory.
struct cost *cost_of(const struct tariff *, const struct plan *, struct fault *);
// The same for another network in its place. It costs the same, to the last bit, as one that was made for it. Allocates only
// where a network needs more room than those before it. On a fault, the cost has to be settled again before it is used.
bool cost_settle(struct cost *, const struct plan *, struct fault *);
// Both in one, for a network that is its own whole: a cost with a tariff of its own.
struct cost *cost_new(const struct model *, const char *term, int batch, struct fault *);
void cost_free(struct cost *);
const char *cost_name(const struct cost *); // the name it was made by
const struct term_kind *cost_kind(const struct cost *);
const char *cost_unit(const struct cost *);            // "bit ops per image", "B", "ms per 8 images", "mJ per image"
const char *cost_brief(const struct cost *);           // for a narrow column: "bit ops", "B", "ms/8 img", "mJ/img"
const char *cost_help(const struct cost *);            // one line
const struct device *cost_device(const struct cost *); // NULL: none

// Returns whether the term can price every layer with its weights and its activations in any of these formats. A plan that it
// cannot price costs INFINITY, so a search asks first. The fault names the layer, the formats and what is unknown.
bool cost_answers(const struct cost *, const int *formats, int count, struct fault *);
// Returns the total; if `layer` is not NULL, fills in each layer's part.
double cost_total(const struct cost *, const struct plan *, double *layer);
// Returns the sum of the prices of all operators that depend on the formats of these (distinct) layers. Between two plans that
// differ only in these layers it differs by as much as the totals: total - cost_part(before) + cost_part(after) prices a change
// without the rest. For activations it is the total.
double cost_part(const struct cost *, const struct plan *, const int *layers, int count);
// These give bit-identical prices for many changes of one plan. cost_formats fills `format` [model->ops] for the plan, and does
// so alike for every term of a model that does not add up; the others leave it alone and do without. cost_parts prices `options` settings of these layers, to[options][count], into
// part[options]. to[0] is what the plan has; plan and `format` are as before when it returns.
void cost_formats(const struct cost *, const struct plan *, uint8_t *format);
double cost_total_of(const struct cost *, const struct plan *, const uint8_t *format, double *layer);
void cost_parts(const struct cost *, struct plan *, uint8_t *format, const int *layers, int count, const struct layer_plan *to,
	int options, double *part);
// Returns whether the total is a sum of layers' prices, each of which depends on that layer's formats alone.
bool cost_adds(const struct cost *);
// The allowed settings of a layer.
struct cost_settings {
	const struct layer_plan *setting; // [count]
	int count;                        // at least one
};
// Returns a lower bound on the cost of every plan whose layers take these settings: the sum of the operators' least prices. Some
// plan attains it if a single plan gives all of them.
double cost_least(const struct cost *, const struct cost_settings *layer); // [layers]
// Returns the cost of giving every layer the same format.
double cost_uniform_total(const struct cost *, int format);
// Reads a target as a person writes it: a format (the cost of that uniform choice), "0.5x" (of `widest`), or a number with k, M,
// G or T; bytes also with kB, MB, GB, KiB, MiB; time in ns, us, ms, s (alone: ms); energy in nJ, uJ, mJ, J (alone: mJ).
bool cost_target_value(const struct cost *, double widest, const char *text, double *target, struct fault *);

// A layer's own operator under the roofline of a device.
struct cost_point {
	double operations, bytes; // for a batch: operations without padding; bytes to and from the memory
	double ms;                // it attains operations / ms at the intensity operations / bytes
	double roof;              // operations a second: the peak of the unit it runs on
	enum native type;         // fp32 if it runs on the vector unit
	bool vector, memory_bound;
	const char *bound; // "compute", "memory" or "floor": the largest part
};
// Returns whether prices rest on assumed efficiencies instead of ones fitted to times measured on the device (device_assumes).
// Such a latency, and an energy that follows from it, must be shown as assumed.
bool cost_assumed(const struct cost *);
// Fills point[layers]; returns false if the term is not a latency by the roofline.
bool cost_roofline(const struct cost *, const struct plan *, struct cost_point *point);

// One product of two matrices by itself; operands and result have the same format.
struct cost_product {
	double operations;       // useful ones, two per MAC
	double padding;          // MACs done per useful one
	double operands, result; // bytes
	bool on_chip;            // the operands are on chip, as if it ran repeatedly; the result goes to the memory
	bool vector;             // it runs on the vector unit
	enum native type;        // the type it runs as
	double peak;             // of the unit and type, operations a second
	// Seconds: seconds = floor + the larger of compute and memory + exposed, what the larger cannot hide of the smaller.
	double seconds, floor, compute, memory, exposed;
};
// size: rows, columns and inner size (M, N, K). cold: the operands come from the memory even if they fit on chip. Returns false
// with a fault if the device lacks a necessary figure.
bool cost_product(const struct device *, const double size[3], int format, bool cold, struct cost_product *, struct fault *);

// Works out the model's time for a row of engine/hardware/silicon.h on a device, in microseconds. Returns false with a fault as
// above.
bool cost_silicon(const struct device *, int row, double *us, struct fault *);
// The model's error over those rows of a kind that the device's constants were fitted to, or over the others: mean, mean
// magnitude and root mean square of ln(model / measured).
struct silicon_error {
	int rows;
	double bias, error, rms, worst; // worst: the largest magnitude
};
bool cost_silicon_error(const struct device *, int kind, bool fitted, struct silicon_error *, struct fault *);

// A measured time of a layer, in ms for a batch.
struct cost_time {
	int format;       // that it was measured in, an index into format_table; -1: it was not
	uint8_t source;   // of enum figure_source
	double ms;        // of its own operator, NAN: it was not measured
	double low, high; // its interval; 0: not known
	double behind;    // of the operators without weights that count with it, where they were told apart
};
// Fills time[layers] for a plan; returns false if the term is not of measured times.
bool cost_timed(const struct cost *, const struct plan *, struct cost_time *time);

// Works out the model's time for a kernel that was measured (engine/hardware/timings.h), in microseconds, and what bounds it: "compute",
// "memory" or "floor". warm: operands that fit on the chip lie there. NAN and NULL: the device lacks the type or its peak. Returns false with a fault as above, or for a
// network or a layer that is not there.
struct timing;
bool cost_timing(const struct device *, const struct timing *, bool warm, double *us, const char **bound, struct fault *);

// The roofline compared with measured times, over the measured layers' own operators alone.
struct cost_comparison {
	int layers;                 // number of layers compared
	double bias, error, spread; // of ln(predicted / measured): mean, mean magnitude, standard deviation
	double rank;                // Spearman's rank correlation
	double predicted, measured; // ms, summed over the layers compared
};
// Compares under a plan; fills predicted[layers] and measured[layers] in ms (NAN: not measured, left out of both sides) and the
// summary. Returns false with a fault if the terms are not a roofline and a table, their batches differ, or they share no layer.
bool cost_compare(const struct cost *roofline, const struct cost *table, const struct plan *, double *predicted, double *measured,
	struct cost_comparison *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the cost folder.
#ifndef ENGINE_COST_INSIDE_H
#define ENGINE_COST_INSIDE_H

#include "engine/cost/cost.h"
#include "engine/cost/graph.h"
#include "engine/hardware/measured.h"
#include "engine/quant/format.h"

// How a term is priced. A term that prices layers one by one gives `layer`; the others give `total`, `part` and `least`, which
// use the formats of all tensors.
struct pricing {
	double (*layer)(const struct cost *, int layer, struct layer_plan);
	double (*total)(const struct cost *, const struct plan *, const uint8_t *format, double *layer);
	double (*part)(const struct cost *, const struct plan *, const uint8_t *format, const struct graph_touched *);
	// As cost_least. No tensor has a narrower format than in `low` or a wider one than in `high`.
	double (*least)(const struct cost *, const struct cost_settings *, const uint8_t *low, const uint8_t *high);
	// Works out what the prices of a model's operators or layers are made of, once its graph is settled; NULL: nothing more is
	// needed. False with a fault.
	bool (*settle)(struct cost *, const struct plan *, struct fault *);
};
extern const struct pricing peak_pricing, machine_pricing, measured_pricing;

// What a byte and an operation cost: seconds or joules. Compute of a kernel that is priced in seconds has rates of its own.
struct rates {
	double mac[NATIVES], vector_mac, vector, memory;
	double past, on_chip; // of what stays on chip: where it passes the memory all the same, and where it does not
};

struct tariff {
	char name[512], unit[48], brief[24], help[192];
	const struct pricing *pricing;
	const struct term_kind *kind;
	double (*sum)(const struct layer *, const struct layer_plan *); // a layer's price, of a plain sum over layers
	bool on_device;
	struct device device;
	int batch;
	// On a machine:
	bool sums;          // compute and memory add up; else they overlap: the larger counts, and at most `ramp` of the smaller
	double scale, ramp; // of all prices; seconds
	struct rates rates;
	enum native native[FORMATS][FORMATS]; // [weights][activations]
	unsigned runs_as;                     // the types among these, and fp32, as bits
	// Measured:
	uint32_t holders[FORMATS]; // the formats that hold each format's values, as bits
	const struct model *whole; // whose layers the table's first rows are of
	struct measured table;
	// On a device: the table's further rows are of layers by their work, in the order of its text.
	int works;
	char (*work)[MODEL_WORK];
};

// The bytes that an operator reads or writes for a batch, by the bits of the tensor's format.
struct move {
	int tensor;
	int stays;      // it stays on chip in formats of at most this many bits
	double on, off; // cost per bit of the format: if it stays, and if it does not
	double still;   // bytes per bit that pass the memory even if it stays
};

// A kernel on a machine: an operator with those that joined it. Costs are in the machine's own unit: seconds or joules per batch.
enum runs_as { RUNS_VECTOR, RUNS_LAYER, RUNS_ATTENTION };
struct machine_op {
	enum runs_as runs;
	bool vector;              // the layer's product runs on the vector unit
	double compute[NATIVES];  // of the types that anything runs as; INFINITY: impossible; on the vector unit all are equal
	double fixed, weight_bit; // scales, biases and attention's scores; per bit of the weights' format
	double floor;
	double operations, fixed_bytes; // of a batch; those of `fixed` to and from the memory
	int move, moves;
};

struct cost {
	const struct tariff *tariff;
	struct tariff *own; // the same, if it is freed with the cost
	const struct pricing *pricing;
	const struct model *model;
	struct graph graph; // of no model if the term prices layers one by one
	// On a machine:
	struct machine_op *op; // [model->ops]; all zero for one that is folded or joined a kernel
	struct move *move;
	// Measured:
	int *row;                // [model->layers]: the table's row; -1: nothing was measured of such a layer
	size_t ops, moves, rows; // room
};

// Sets the unit, for a number of images; 0: the cost belongs to the network, not to images. The kind must be set.
void tariff_per(struct tariff *, int images);
// Each makes a tariff of its kind, or returns false with a fault; tariff_free then frees what it left.
bool machine_new(struct tariff *, struct fault *); // a latency or an energy, as its kind says
bool measured_of(struct tariff *, const struct model *whole, const char *table, struct fault *);
bool timed_of(struct tariff *, const struct model *whole, struct fault *); // by the times that its device has
int timed_row(const struct tariff *, const struct model *, int layer);     // of the table, by the layer's work; -1: there is none
void measured_begin(struct tariff *, const struct model *whole);           // what all tables share
// Returns an array with room for `count` things of a size, in place of one that has room for *room; its contents are lost if it
// grows. NULL, with the old one freed and a fault: out of memory.
void *cost_room(void *array, size_t *room, size_t count, size_t size, const struct cost *, struct fault *);

#endif

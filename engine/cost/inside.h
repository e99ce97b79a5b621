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
};
extern const struct pricing peak_pricing, machine_pricing, measured_pricing;

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
	double compute[NATIVES];  // INFINITY: impossible; on the vector unit all are equal
	double fixed, weight_bit; // scales, biases and attention's scores; per bit of the weights' format
	double floor;
	double operations, fixed_bytes; // of a batch; those of `fixed` to and from the memory
	int move, moves;
};

struct cost {
	char name[512], unit[48], brief[24], help[192];
	const struct model *model;
	const struct pricing *pricing;
	const struct term_kind *kind;
	double (*sum)(const struct layer *, const struct layer_plan *); // a layer's price, of a plain sum over layers
	struct graph *graph;
	bool on_device;
	struct device device;
	int batch;
	// On a machine:
	bool sums; // compute and memory add up; else they overlap: the larger counts, and at most `ramp` of the smaller
	double scale, ramp, byte;             // of all prices; seconds; the cost of a byte to or from the memory
	enum native native[FORMATS][FORMATS]; // [weights][activations]
	struct machine_op *op;                // [model->ops]; all zero for one that is folded or joined a kernel
	struct move *move;
	// Measured:
	uint32_t holders[FORMATS]; // the formats that hold each format's values, as bits
	struct measured table;
};

// Sets the unit, for a number of images; 0: the cost belongs to the network, not to images. The kind must be set.
void cost_per(struct cost *, int images);
// Each makes a cost of its kind, or returns false with a fault; cost_free then frees what it left.
bool machine_new(struct cost *, struct fault *); // a latency or an energy, as its kind says
bool measured_cost(struct cost *, const char *name, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of measured figures for a network's layers: milliseconds per batch, or points of top-1 accuracy lost. A file is CSV with
// the header "layer,format,ms" or "layer,format,lost", optionally followed by further columns, and one row for every layer and format
// with a figure; the format "*" means every format. In a table of losses, "LAYER.w" and "LAYER.a" are what the format costs in the layer's weights alone
// and in its input alone. Further columns, in any order: `source`, one of figure_sources but the last, without which a figure counts as
// measured; and in a table of losses `error`, the standard error of what is lost, `kl`, the Kullback-Leibler divergence of the network's
// outputs from those of fp32 in nats, and `kl_error`. Blank lines and lines that begin with '#' are skipped, except "# top1 77.72" in a table of losses, which gives the
// fp32 accuracy in percent.
#ifndef ENGINE_HARDWARE_MEASURED_H
#define ENGINE_HARDWARE_MEASURED_H

#include <stdint.h>

#include "engine/base/fault.h"
#include "engine/model/model.h"
#include "engine/quant/format.h"

// The source of a figure. A result of several figures takes the source that comes last in this list.
enum figure_source {
	FIGURE_MEASURED,
	FIGURE_FITTED,
	FIGURE_EXTRAPOLATED,
	FIGURE_ABSENT, // the table has no figure: it counts as 0
	FIGURE_SOURCES
};
extern const char *const figure_sources[FIGURE_SOURCES];

enum measured_kind { MEASURED_MS, MEASURED_LOST };

// More of a time, in its unit.
struct figure_spread {
	double low, high; // the interval of the layer's own operator; 0: not known
	double behind;    // how much of the figure is of operators without weights behind it
};

// What formats lose in a layer's weights, and in its input. Where a file has one figure for both, both halves hold it; what a layer loses is
// the mean of its halves, so a half that has figures of its own holds twice what it alone loses.
enum { MEASURED_HALVES = 2 };
struct half_figures {
	uint32_t has;                                       // the formats with a figure, as bits
	double value[FORMATS], error[FORMATS], kl[FORMATS]; // NAN: not given
	uint8_t source[FORMATS];
};
static inline int measured_row(int layer, int half)
{
	return layer * MEASURED_HALVES + half;
}

struct measured {
	uint32_t *has;                           // [layers]: the formats with a figure, as bits
	double (*value)[FORMATS];                // [layers]
	uint8_t (*source)[FORMATS];              // [layers]: of enum figure_source
	struct figure_spread (*spread)[FORMATS]; // [layers]; NULL: none is known
	struct half_figures *half; // [layers][MEASURED_HALVES], of a table of losses: in place of the above; else NULL
	bool diverges;             // of losses: every figure has a divergence
	double top1;               // NAN: not given
	int batch;                 // 0: not given
};

// Makes an empty table with so many rows, one for each layer and more where the caller has use for them. Returns false when out of memory.
bool measured_new(struct measured *, const struct model *, int rows, struct fault *);
// The same for losses: halves of layers have the figures.
bool measured_new_losses(struct measured *, const struct model *, struct fault *);
// Reads a table from a file. Every layer must have a row. The fault names the first mistake with its line and what was expected.
bool measured_read(const char *path, enum measured_kind, const struct model *, struct measured *, struct fault *);
// Reads latencies by name: "hawq", the published ones of a T4 for resnet18 and resnet50 (engine/model/published.h), or a file's.
// HAWQ has none for stem and head, which are absent. If the published layer has fewer MACs, its time is scaled up by the MACs and
// counts as extrapolated.
bool measured_latency(const char *name, const struct model *, struct measured *, struct fault *);
void measured_free(struct measured *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of measured figures for a network's layers: milliseconds per batch, or points of top-1 accuracy lost. A file is CSV with
// the header "layer,format,ms" or "layer,format,lost", optionally followed by ",source", and one row for every layer and format
// with a figure; the format "*" means every format. `source` is one of figure_sources but the last; without it a figure counts as
// measured. Blank lines and lines that begin with '#' are skipped, except "# top1 77.72" in a table of losses, which gives the
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

struct measured {
	uint32_t *has;                           // [layers]: the formats with a figure, as bits
	double (*value)[FORMATS];                // [layers]
	uint8_t (*source)[FORMATS];              // [layers]: of enum figure_source
	struct figure_spread (*spread)[FORMATS]; // [layers]; NULL: none is known
	double top1;                             // NAN: not given
	int batch;                               // 0: not given
};

// Makes an empty table with so many rows, one for each layer and more where the caller has use for them. Returns false when out of memory.
bool measured_new(struct measured *, const struct model *, int rows, struct fault *);
// Reads a table from a file. Every layer must have a row. The fault names the first mistake with its line and what was expected.
bool measured_read(const char *path, enum measured_kind, const struct model *, struct measured *, struct fault *);
// Reads latencies by name: "hawq", the published ones of a T4 for resnet18 and resnet50 (engine/model/published.h), or a file's.
// HAWQ has none for stem and head, which are absent. If the published layer has fewer MACs, its time is scaled up by the MACs and
// counts as extrapolated.
bool measured_latency(const char *name, const struct model *, struct measured *, struct fault *);
void measured_free(struct measured *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of figures for a network's layers, measured by somebody: milliseconds a batch, or points of top-1 accuracy lost. CSV with
// the header "layer,format,ms" or "layer,format,lost", to which ",source" may be added, and a row for every layer and format with a
// figure; the format "*": whatever the format. `source` is one of figure_sources but the last; where it is left out the figure is a
// measured one. Blank lines and lines that begin with '#' are skipped, except "# top1 77.72" in a table of losses, which gives the
// fp32 accuracy in percent.
#ifndef ENGINE_HARDWARE_MEASURED_H
#define ENGINE_HARDWARE_MEASURED_H

#include <stdint.h>

#include "engine/base/fault.h"
#include "engine/model/model.h"
#include "engine/quant/format.h"

// Where a figure is from; what is worked out from several is as good as the last of them here.
enum figure_source {
	FIGURE_MEASURED,
	FIGURE_FITTED,
	FIGURE_EXTRAPOLATED,
	FIGURE_ABSENT, // the table lacks one: it counts as 0
	FIGURE_SOURCES
};
extern const char *const figure_sources[FIGURE_SOURCES];

enum measured_kind { MEASURED_MS, MEASURED_LOST };

struct measured {
	uint32_t *has;              // [layers]: formats with a figure, as bits
	double (*value)[FORMATS];   // [layers]
	uint8_t (*source)[FORMATS]; // [layers]: of enum figure_source
	double top1;                // NAN: not said
	int batch;                  // 0: not said
};

// An empty table for a network. False: out of memory.
bool measured_new(struct measured *, const struct model *, struct fault *);
// From a file. Every layer must have a row. The fault names the first mistake with its line and what was expected.
bool measured_read(const char *path, enum measured_kind, const struct model *, struct measured *, struct fault *);
// Latencies by name: "hawq", a T4's for resnet18 and resnet50 as published (engine/model/published.h); else a file's. HAWQ
// has none for stem and head: they are absent. Where its layer has fewer MACs the time is scaled up by the MACs: extrapolated.
bool measured_latency(const char *name, const struct model *, struct measured *, struct fault *);
void measured_free(struct measured *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A table of measured latencies: CSV with the header "layer,format,ms" and a row for every layer and format that was measured, in
// milliseconds a batch; the format "*": whatever the format. Blank lines and lines that begin with '#' are skipped.
#ifndef ENGINE_HARDWARE_MEASURED_H
#define ENGINE_HARDWARE_MEASURED_H

#include "engine/fault.h"

enum { MEASURED_NAME = 48, MEASURED_ANY = -1 };

struct measured_row {
	char layer[MEASURED_NAME];
	int format; // index into format_table, or MEASURED_ANY
	double ms;
	int line;
};
struct measured {
	int rows;
	struct measured_row *row; // no two of one layer and format
};

// The fault names the first mistake with its line and what was expected.
bool measured_read(const char *path, struct measured *, struct fault *);
void measured_free(struct measured *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Questions about networks and devices: one file per report, and what several of them need. None needs a search. If a session is
// open (the context of the call, else NULL), `.` is its network. Counts are written into the caller's buffer.
#ifndef SESSIONS_REPORT_QUESTION_H
#define SESSIONS_REPORT_QUESTION_H

#include "sessions/core/inside.h"

enum { QUESTION_FORMATS = 16 }; // most formats in one question

const char *question_shape(int h, int w, int c, char buf[32]);
const char *question_count(double value, char buf[32]);
const char *question_large(double count, char buf[32]);         // "96", "2.2e21": of things that are counted
const char *question_count_or_none(double value, char buf[32]); // for a count that is mostly 0
// Writes the MACs of all layers, and those of attention's products if there are any.
const char *question_macs(const struct description_info *, char buf[96]);
int question_names_width(const struct description_info *); // of the widest layer name or the column's heading
bool question_is_pattern(const char *name);
// Calls each for every matching network of the catalog, or for the one of this name. Returns false with a fault, also one of
// each().
bool question_each_network(const char *name, bool (*each)(const struct description *, void *context, struct fault *),
	void *context, struct fault *);
// Returns false if no format has this name, with the nearest name or `otherwise` as advice.
bool question_check_format(const char *name, const char *otherwise, struct fault *);
struct question_formats {
	const char *name[QUESTION_FORMATS];
	int count;
};
// Adds a format by its name; returns false with a fault as above.
bool question_add_format(struct question_formats *, const char *name, const char *otherwise, struct fault *);
// If no format was asked for, adds the integer formats from `narrowest` to 8 bits.
void question_usual_formats(struct question_formats *, int narrowest);
// Returns a latency term, which the caller frees; batch 0: the device's own. NULL with a fault.
struct costing *question_latency(const struct description *, const char *device, long batch, struct fault *);
// Writes a network as a description file.
bool question_write(const struct description *, const char *path, struct fault *);
// Says the table that was built, unless `ok` is false; frees it.
bool question_tell(struct command_call *, struct string *, bool ok);

bool run_catalog(struct command_call *);
bool run_describe(struct command_call *);
bool run_calibrate(struct command_call *);
bool run_scan(struct command_call *);     // `sensitivity NETWORK out=FILE …`
bool run_counters(struct command_call *); // `describe NET counters`
bool run_devices(struct command_call *);
bool run_formats(struct command_call *);
bool run_device(struct command_call *);
bool run_measured(struct command_call *);
bool roofline_measured(struct command_call *); // the model against times of a TPU v4
bool run_latency(struct command_call *);
bool run_sensitivity(struct command_call *);
bool run_rivals(struct command_call *);

#endif

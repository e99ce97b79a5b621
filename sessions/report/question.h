// SPDX-License-Identifier: GPL-3.0-or-later
// Questions about networks and devices: a file a report, and what several of them need. None needs a search; where a session is open
// (the context of the call, else NULL), `.` is its network. Counts are written into the room that the caller gives.
#ifndef SESSIONS_REPORT_QUESTION_H
#define SESSIONS_REPORT_QUESTION_H

#include "sessions/core/inside.h"

enum { QUESTION_FORMATS = 16 }; // most formats in one question

const char *question_shape(int h, int w, int c, char buf[32]);
const char *question_count(double value, char buf[32]);
const char *question_count_or_none(double value, char buf[32]); // of what most do not have
// The MACs of all layers, and beside them those of attention's products where there are any.
const char *question_macs(const struct description_info *, char buf[96]);
int question_names_width(const struct description_info *); // of the widest of the layers' names and of the column's heading
bool question_is_pattern(const char *name);
// Calls each for every network of the catalog that matches, or for the one of this name. False: a fault, of each() too.
bool question_each_network(const char *name, bool (*each)(const struct description *, void *context, struct fault *),
	void *context, struct fault *);
// False, with the nearest name or `otherwise` as advice: no format has this name.
bool question_check_format(const char *name, const char *otherwise, struct fault *);
struct question_formats {
	const char *name[QUESTION_FORMATS];
	int count;
};
// Adds a format by its name; false with a fault, as above.
bool question_add_format(struct question_formats *, const char *name, const char *otherwise, struct fault *);
// The integer formats from `narrowest` to 8 bits, where none was asked for.
void question_usual_formats(struct question_formats *, int narrowest);
// NULL with a fault. batch 0: as the device says. The caller frees.
struct costing *question_latency(const struct description *, const char *device, long batch, struct fault *);
// Says the table that was built, or drops it where `ok` is false; frees it.
bool question_tell(struct command_call *, struct string *, bool ok);

bool run_catalog(struct command_call *);
bool run_describe(struct command_call *);
bool run_devices(struct command_call *);
bool run_latency(struct command_call *);
bool run_sensitivity(struct command_call *);
bool run_rivals(struct command_call *);

#endif

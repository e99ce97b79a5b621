// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures that belong to a report: drawn by gnuplot, and waited for.
#ifndef SESSIONS_REPORT_PICTURE_H
#define SESSIONS_REPORT_PICTURE_H

#include "engine/base/command.h"
#include "plots/plots.h"

// Draws in a format ("svg") into a file and says so. Returns false with a fault.
bool report_picture(struct command_call *, const struct figure *, const char *format, const char *file);
// Takes the format from the file's ending.
bool report_picture_in(struct command_call *, const struct figure *, const char *file);

// Points that a report gathers beside its rows.
struct report_points {
	struct figure_point *point; // owned
	size_t count, room;
	bool failed;
};
void report_point(struct report_points *, int group, double x, double y, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void report_range(struct report_points *, double low, double high); // of the point that was added last
// Draws them as `how` says, if `file` is not NULL and `ok`; frees them. Returns whether all went well.
bool report_points_draw(struct report_points *, struct command_call *, const char *file, struct points_asked how, bool ok);

#endif

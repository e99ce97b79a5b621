// SPDX-License-Identifier: GPL-3.0-or-later
// A report's figure drawn into a file by gnuplot, while the caller waits.
#ifndef SESSIONS_REPORT_PICTURE_H
#define SESSIONS_REPORT_PICTURE_H

#include "engine/base/command.h"
#include "plots/plots.h"

// Draws as "svg", "png" or "pdf", and says so. Returns false with a fault if gnuplot is missing, complains or hangs.
bool report_picture(struct command_call *, const struct figure *, const char *format, const char *file);
// The same by the file's ending.
bool report_picture_in(struct command_call *, const struct figure *, const char *file);

#endif

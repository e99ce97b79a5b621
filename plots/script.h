// SPDX-License-Identifier: GPL-3.0-or-later
// Writes a figure as a gnuplot script and data. Every word from outside (titles, names, paths) becomes a gnuplot literal.
#ifndef PLOTS_SCRIPT_H
#define PLOTS_SCRIPT_H

#include "engine/base/text.h"
#include "plots/plots.h"

// Adds a gnuplot string in single quotes, within which gnuplot interprets nothing; control characters are left out.
void script_quote(struct string *, const char *);

// A file format: a row of the table of terminals.
struct picture_format {
	const char *name;     // "svg"
	const char *terminal; // gnuplot's
	const char *settings; // printf format for the width and height in cm
	double per_cm;        // a cm in the terminal's unit
};
const struct picture_format *picture_formats(size_t *count);
const struct picture_format *picture_format_named(const char *name, size_t length); // NULL: none

// Adds the commands that draw the figure into the file `output`. `data`: where the data are, in gnuplot's syntax (a datablock's
// name or a quoted path).
void script_commands(struct string *, const struct figure *, const struct picture_format *, double width_cm, double font,
	const char *data, const char *output);
// Adds the data: one block per series, in order, or one block with a heat map's bars.
void script_data(struct string *, const struct figure *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Builds a figure, which owns all of its parts. The functions return NULL or false only when out of memory; figure_free still
// works then.
#ifndef PLOTS_BUILD_H
#define PLOTS_BUILD_H

#include "plots/plots.h"

struct figure *figure_new(const char *x_label, const char *y_label);
void figure_title(struct figure *, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Adds a series with room for `room` points, count 0. The pointer is valid until the next series is added.
struct series *figure_add_series(struct figure *, const char *name, enum series_kind, enum figure_role, size_t room,
	bool labelled);
void series_add(struct series *, double x, double y, const char *label); // there must be room
// Gives its points sizes, 0 at first; `of`: what they are.
bool series_sized(struct series *, size_t room, const char *of);
// Whether a line is a mark, which has a number in print, and an entry of the key.
bool figure_is_mark(const struct line *);
bool figure_add_line(struct figure *, bool vertical, double at, enum figure_role, const char *label);
// Adds a heat map, all blank.
struct heat *figure_add_heat(struct figure *, int rows, int columns, int levels);
bool heat_named(struct heat *, int parts); // makes room for the names of its parts

// How a cost term is shown: its values are divided by `divisor`, and the axis label says so: "bit operations (G per image)".
struct unit {
	double divisor;
	char label[96];
	char name[ENGINE_NAME]; // the label without the unit
};
// `largest`: the largest value to be shown, in the term's unit.
struct unit unit_of(const struct term_state *, double largest);

// The frame of figures over the steps: from 0 to the present, with the person's marks. NULL: out of memory.
struct figure *figure_over_steps(const struct figure_source *, const char *y_label, const char *title);
struct figure *figure_over_steps_alone(const struct figure_source *, const char *y_label, const char *title); // without marks

// Writes "resnet20 on cifar10", or the network alone if there are no data. Returns buf.
const char *subject_of(const struct engine_info *, char buf[2 * ENGINE_TEXT + 8]);

// Returns the term that the figure is about; NULL: the snapshot has no such term.
const struct term_state *source_term(const struct figure_source *);

// The figures' builders, gathered in the table of figures.c.
struct figure *figure_front(const struct figure_source *);
struct figure *figure_bits(const struct figure_source *);
struct figure *figure_curves(const struct figure_source *);
struct figure *figure_cost(const struct figure_source *);
struct figure *figure_entropy(const struct figure_source *);
struct figure *figure_reward(const struct figure_source *);
struct figure *figure_policy(const struct figure_source *);
struct figure *figure_error(const struct figure_source *);
struct figure *figure_timeline(const struct figure_source *);
struct figure *figure_roofline(const struct figure_source *);
struct figure *figure_measured(const struct figure_source *);
struct figure *figure_slice(const struct figure_source *);
struct figure *figure_loads(const struct figure_source *);
struct figure *figure_links(const struct figure_source *);
struct figure *figure_goodput(const struct figure_source *);

#endif

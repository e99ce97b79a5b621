// SPDX-License-Identifier: GPL-3.0-or-later
// Puts a figure together. All of it is owned by the figure; every function returns NULL or false only where memory
// is out, and the figure stays fit for figure_free.
#ifndef PLOTS_BUILD_H
#define PLOTS_BUILD_H

#include "plots/plots.h"

struct figure *figure_new(const char *x_label, const char *y_label);
void figure_title(struct figure *, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A series with room for `room` points, count 0. The pointer is good until the next one is added.
struct series *figure_add_series(struct figure *, const char *name, enum series_kind, enum figure_role, size_t room,
	bool labelled);
void series_add(struct series *, double x, double y, const char *label); // within the room
bool figure_add_line(struct figure *, bool vertical, double at, enum figure_role, const char *label);
// A heat map, all blank.
struct heat *figure_add_heat(struct figure *, int rows, int columns, int levels);

// How a cost term is shown: its values divided by `divisor`, and the axis label that says so: "bit operations (G per image)".
struct unit {
	double divisor;
	char label[96];
	char name[ENGINE_NAME]; // the label without the unit
};
// `largest`: the largest value to be shown, in the term's unit.
struct unit unit_of(const struct term_state *, double largest);

// "resnet20 on cifar10"; the network alone where there are no data.
const char *subject_of(const struct engine_info *, char buf[2 * ENGINE_TEXT + 8]);

// Returns the term that the figure is about; NULL where the snapshot has no such term.
const struct term_state *source_term(const struct figure_source *);

// The figures' builders, gathered in the table of figures.c.
struct figure *figure_front(const struct figure_source *);
struct figure *figure_bits(const struct figure_source *);
struct figure *figure_curves(const struct figure_source *);
struct figure *figure_cost(const struct figure_source *);
struct figure *figure_entropy(const struct figure_source *);
struct figure *figure_reward(const struct figure_source *);
struct figure *figure_roofline(const struct figure_source *);
struct figure *figure_measured(const struct figure_source *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The inputs, and bands over the unknown ones.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/pods/inside.h"

const char *const input_kinds[INPUT_KINDS] = {"none", "published", "derived", "recalled", "unknown"};

enum { INPUT_FROM, INPUT_ABOVE }; // zero, or above it
const struct input_row input_table[INPUTS] = {
// clang-format off
#define X(id, name, unit, zero, value, low, high, kind, source) {name, unit, INPUT_##zero, {value, low, high, INPUT_##kind, source}},
	// clang-format on
	INPUT_LIST(X)
#undef X
};

void world_begin(struct world *w, const struct pod *pod, const struct pod *other)
{
	*w = (struct world){.pods = other ? 2 : 1};
	w->pod[0] = *pod;
	if (other)
		w->pod[1] = *other;
	for (int i = 0; i < INPUTS; i++)
		w->input[i] = input_table[i].at.value;
}

bool world_set(struct world *w, const char *name, double value, struct fault *fault)
{
	struct nearest near = nearest_to(name);
	char advice[128];
	for (int i = 0; i < INPUTS; i++) {
		nearest_offer(&near, input_table[i].name);
		if (strcmp(input_table[i].name, name) != 0)
			continue;
		double most = input_table[i].unit[0] ? 1e6 : 1; // what has no unit is a share
		if (!(value >= 0 && value <= most) || (input_table[i].above && value <= 0)) {
			snprintf(advice, sizeof advice, "expected a number %s %g%s%s",
				input_table[i].above ? "above 0, at most" : "from 0 to", most, input_table[i].unit[0] ? " " : "",
				input_table[i].unit);
			return fault_set(fault, name, advice, "%g will not do", value);
		}
		w->input[i] = value;
		w->set[i] = true;
		return true;
	}
	return fault_set(fault, name, nearest_advice(&near, "`pods inputs` lists them", advice, sizeof advice),
		"there is no such input");
}

// ---- bands ----

enum { UNKNOWNS = INPUTS + 2 * POD_FIGURES, CORNERS = 6 };

struct unknown {
	double *at; // in the world that is moved
	double value, low, high, moves;
	char name[sizeof((struct band *)0)->mover];
};

// The unknown inputs: one that was set by hand is known.
static int list_unknowns(struct world *w, struct unknown u[UNKNOWNS])
{
	int count = 0;
	for (int i = 0; i < INPUTS; i++) {
		const struct figure_value *v = &input_table[i].at;
		if (v->kind != INPUT_UNKNOWN || w->set[i])
			continue;
		u[count] = (struct unknown){&w->input[i], v->value, v->low, v->high, 0, ""};
		snprintf(u[count++].name, sizeof u->name, "%s", input_table[i].name);
	}
	for (int p = 0; p < w->pods; p++)
		for (int f = 0; f < POD_FIGURES; f++) {
			struct figure_value *v = &w->pod[p].figure[f];
			if (v->kind != INPUT_UNKNOWN)
				continue;
			u[count] = (struct unknown){&v->value, v->value, v->low, v->high, 0, ""};
			snprintf(u[count++].name, sizeof u->name, "%s of %.40s", pod_figures[f].name, w->pod[p].name);
		}
	return count;
}

static int by_movement(const void *a, const void *b)
{
	double x = ((const struct unknown *)a)->moves, y = ((const struct unknown *)b)->moves;
	return (x < y) - (x > y);
}

static double widen(struct band *b, double value)
{
	b->low = fmin(b->low, value); // fmin and fmax pass over NAN
	b->high = fmax(b->high, value);
	return value;
}

struct band world_band(const struct world *from, world_model model, void *context)
{
	struct world w = *from;
	struct unknown u[UNKNOWNS];
	int count = list_unknowns(&w, u);
	double value = model(&w, context);
	struct band b = {value, value, value, ""};
	for (int i = 0; i < count; i++) {
		*u[i].at = u[i].low;
		double low = widen(&b, model(&w, context));
		*u[i].at = u[i].high;
		double high = widen(&b, model(&w, context));
		*u[i].at = u[i].value;
		u[i].moves = fmax(fmax(fabs(low - value), fabs(high - value)), fabs(high - low));
		u[i].moves = isnan(low) || isnan(high) || isnan(value)
			? (isnan(low) && isnan(high) && isnan(value) ? 0 : INFINITY)
			: u[i].moves;
	}
	qsort(u, (size_t)count, sizeof *u, by_movement);
	int movers = 0;
	while (movers < count && movers < CORNERS && u[movers].moves > 0)
		movers++;
	for (int corner = 0; movers > 1 && corner < 1 << movers; corner++) {
		for (int i = 0; i < movers; i++)
			*u[i].at = corner >> i & 1 ? u[i].high : u[i].low;
		widen(&b, model(&w, context));
	}
	if (movers)
		snprintf(b.mover, sizeof b.mover, "%s", u[0].name);
	return b;
}

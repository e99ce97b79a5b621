// SPDX-License-Identifier: GPL-3.0-or-later
// A slice: how far its chips are from each other, and what its axes carry when each sends to each other, regular and twisted.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/machine.h"

// The slice of `plot slice`: a shape that can be twisted, on the pod that the program was written for.
static const char *const usual_pod = "tpu_v4", *const usual_shape = "4x4x8";

// A slice, and its twin with the other twist where it has one.
struct twins {
	struct slice regular, twisted;
	bool any_regular, any_twisted;
	struct slice_network *of_regular, *of_twisted;
};

static bool twins_of(const struct pod *p, const struct slice *s, struct twins *t, struct fault *f)
{
	bool both = slice_twistable(p, s->axis);
	*t = (struct twins){.regular = *s, .twisted = *s, .any_regular = both || !s->twisted, .any_twisted = both || s->twisted};
	t->regular.twisted = false;
	t->twisted.twisted = true;
	t->of_regular = calloc(1, sizeof *t->of_regular);
	t->of_twisted = calloc(1, sizeof *t->of_twisted);
	if (!t->of_regular || !t->of_twisted)
		return fault_memory(f, "a slice's links");
	return (!t->any_regular || slice_network_of(&t->regular, t->of_regular, f)) &&
		(!t->any_twisted || slice_network_of(&t->twisted, t->of_twisted, f));
}

static void twins_free(struct twins *t)
{
	free(t->of_regular);
	free(t->of_twisted);
}

// Each number of hops is as wide as it is: from half a hop before it to half a hop behind it.
static bool draw_hops(struct figure *f, const char *name, enum figure_role role, const struct slice_network *n)
{
	char text[ENGINE_NAME];
	snprintf(text, sizeof text, "%s, mean %.4g", name, n->mean_hops);
	struct series *s = figure_add_series(f, text, SERIES_STEPS, role, (size_t)n->diameter + 2, false);
	if (!s)
		return false;
	for (int d = 1; d <= n->diameter && d < SLICE_HOPS; d++)
		series_add(s, d - .5, n->hops[d], NULL);
	series_add(s, fmin(n->diameter, SLICE_HOPS - 1) + .5, 0, NULL);
	return true;
}

static bool draw_loads(struct figure *f, const char *name, enum figure_role role, const struct slice *s,
	const struct slice_network *n)
{
	struct series *to = figure_add_series(f, name, SERIES_POINTS, role, 3, true);
	char label[16];
	for (int i = 0; to && i < 3; i++) {
		snprintf(label, sizeof label, "%c %.4g", "xyz"[i], n -> axis_load[ROUTE_PATHS][i]);
		if (s->axis[i] > 1)
			series_add(to, i + 1, n->axis_load[ROUTE_PATHS][i], label);
	}
	return to != NULL;
}

struct figure *figure_of_hops(const struct pod *p, const struct slice *s, struct fault *fault)
{
	struct twins t;
	char name[48];
	struct figure *f = figure_new("hops", "chips");
	bool ok = twins_of(p, s, &t, fault);
	if (ok && f) {
		figure_title(f, "Hops from a chip to the others: %s on %s", slice_name(&t.regular, name), p->name);
		f->y.low = 0;
		ok = (!t.any_regular || draw_hops(f, "regular", ROLE_MAIN, t.of_regular)) &&
			(!t.any_twisted || draw_hops(f, "twisted", ROLE_SECOND, t.of_twisted));
		if (!ok)
			fault_memory(fault, "the figure");
	}
	twins_free(&t);
	if (ok && f)
		return f;
	if (!f)
		fault_memory(fault, "the figure");
	figure_free(f);
	return NULL;
}

struct figure *figure_of_loads(const struct pod *p, const struct slice *s, struct fault *fault)
{
	struct twins t;
	char name[48];
	struct figure *f = figure_new("axis (1: x, 2: y, 3: z)", "load of a link (units of a chip to each other)");
	bool ok = twins_of(p, s, &t, fault);
	if (ok && f) {
		figure_title(f, "Load of the links by axis, each chip to each other: %s on %s", slice_name(&t.regular, name),
			p->name);
		f->y.low = 0;
		f->y.high = 1.15 * fmax(t.of_regular->load[ROUTE_PATHS], t.of_twisted->load[ROUTE_PATHS]);
		f->x.low = 0;
		f->x.high = 4;
		ok = (!t.any_regular || draw_loads(f, "regular", ROLE_MAIN, &t.regular, t.of_regular)) &&
			(!t.any_twisted || draw_loads(f, "twisted", ROLE_SECOND, &t.twisted, t.of_twisted));
		if (!ok)
			fault_memory(fault, "the figure");
	}
	twins_free(&t);
	if (ok && f)
		return f;
	if (!f)
		fault_memory(fault, "the figure");
	figure_free(f);
	return NULL;
}

static struct figure *usual(struct figure *(*figure)(const struct pod *, const struct slice *, struct fault *))
{
	struct pod p;
	struct slice s;
	struct fault f;
	return pod_get(usual_pod, &p, &f) && slice_read(&p, usual_shape, false, &s, &f) ? figure(&p, &s, &f) : NULL;
}

struct figure *figure_slice(const struct figure_source *source)
{
	(void)source;
	return usual(figure_of_hops);
}

struct figure *figure_loads(const struct figure_source *source)
{
	(void)source;
	return usual(figure_of_loads);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Goodput against the size of a slice, by the availability of hosts, with switches between blocks and without them.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/machine.h"

enum { SIZES = 64 };

static const struct line_of {
	double availability; // of a host
	bool fixed;
	enum figure_role role; // six that differ in dashes as well as in colours
} lines[] = {{.999, false, ROLE_MAIN}, {.995, false, ROLE_SECOND}, {.99, false, ROLE_SAMPLED}, {.999, true, ROLE_UNIFORM},
	{.995, true, ROLE_TARGET}, {.99, true, ROLE_MARK}};

// The most cube-like slice of so many chips.
static bool cube_of(const struct pod *p, int chips, int axis[3])
{
	struct slice all[SIZES];
	int count = slices_of(p, chips, all, SIZES);
	if (count < 1)
		return false;
	memcpy(axis, all[(count < SIZES ? count : SIZES) - 1].axis, sizeof all->axis);
	return true;
}

static bool draw(struct figure *f, const struct pod *p, const struct block_grid *g, const struct line_of *l)
{
	char name[ENGINE_NAME];
	struct goodput_case c = {.availability = l->availability, .fixed = l->fixed};
	snprintf(name, sizeof name, "%s, hosts up %g %%", l->fixed ? "fixed" : "switched", 100 * l->availability);
	struct series *s = figure_add_series(f, name, SERIES_LINE, l->role, SIZES, false);
	for (int chips = 64; s && chips <= g->blocks * 64; chips += chips < 2048 ? chips : 1024)
		if (cube_of(p, chips, c.axis))
			series_add(s, chips, 100 * goodput_busy(g, &c), NULL);
	return s != NULL;
}

struct figure *figure_of_goodput(const struct pod *p, struct fault *fault)
{
	struct block_grid g;
	if (!block_grid_of(p, &g, fault))
		return NULL;
	struct figure *f = figure_new("chips of a slice", "chips that run a job (%)");
	bool ok = f != NULL;
	if (f) {
		figure_title(f, "Goodput of %s while hosts fail", p->name);
		f->x.logarithmic = true;
		f->y.low = 0;
		f->y.high = 100;
	}
	for (size_t i = 0; ok && i < sizeof lines / sizeof *lines; i++)
		ok = draw(f, p, &g, &lines[i]);
	if (ok)
		return f;
	fault_memory(fault, "the figure");
	figure_free(f);
	return NULL;
}

struct figure *figure_goodput(const struct figure_source *source)
{
	struct pod p;
	struct fault f;
	(void)source;
	return pod_get("tpu_v4", &p, &f) ? figure_of_goodput(&p, &f) : NULL;
}

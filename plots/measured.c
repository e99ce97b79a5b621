// SPDX-License-Identifier: GPL-3.0-or-later
// The latency model against times measured on silicon: one point each, on the diagonal if they agree. It needs no search.
#include "plots/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// What is shown apart: what was fitted to, and each kind of what was not.
static const struct group {
	const char *name, *kind; // NULL: any
	bool fitted;
	enum figure_role role;
} groups[] = {
	{"fitted", NULL, true, ROLE_SAMPLED},
	{"products", "product", false, ROLE_MAIN},
	{"element-wise", "element-wise", false, ROLE_SECOND},
	{"GPT-2", "GPT-2", false, ROLE_UNIFORM},
};

static bool draw_group(struct figure *f, const struct group *g, const struct measured_time *time, int count)
{
	struct series *s = figure_add_series(f, g->name, SERIES_POINTS, g->role, (size_t)count, false);
	for (int i = 0; s && i < count; i++)
		if (time[i].fitted == g->fitted && (!g->kind || strcmp(g->kind, time[i].kind) == 0))
			series_add(s, time[i].measured, time[i].modelled, NULL);
	return s != NULL;
}

static bool draw_diagonal(struct figure *f)
{
	struct series *s = figure_add_series(f, "equal", SERIES_LINE, ROLE_FRONT, 2, false);
	if (!s)
		return false;
	series_add(s, f->x.low, f->x.low, NULL);
	series_add(s, f->x.high, f->x.high, NULL);
	return true;
}

static bool draw(struct figure *f, const struct measured_time *time, int count)
{
	f->x.low = f->y.low = INFINITY;
	f->x.high = f->y.high = 0;
	for (int i = 0; i < count; i++) {
		f->x.low = f->y.low = fmin(f->x.low, fmin(time[i].measured, time[i].modelled) / 1.5);
		f->x.high = f->y.high = fmax(f->x.high, fmax(time[i].measured, time[i].modelled) * 1.5);
	}
	bool ok = draw_diagonal(f);
	for (size_t g = 0; ok && g < sizeof groups / sizeof *groups; g++)
		ok = draw_group(f, &groups[g], time, count);
	return ok;
}

struct figure *figure_measured(const struct figure_source *source)
{
	(void)source;
	struct figure *f = figure_new("measured (us)", "model (us)");
	int count = catalog_measured(NULL, 0, NULL);
	struct measured_time *time = calloc((size_t)count + 1, sizeof *time);
	bool ok = f && time;
	if (ok) {
		figure_title(f, "Latency on TPU v4: model and measurement");
		f->x.logarithmic = f->y.logarithmic = true;
		ok = catalog_measured(time, count, NULL) == count && draw(f, time, count);
	}
	free(time);
	if (ok)
		return f;
	figure_free(f);
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The latency model against measured times, one point each, on the diagonal if they agree: the layers of the present choice on a device that has
// measured times; else what was measured on a TPU v4, which needs no search.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- of a TPU v4 ----

// What is shown apart: what was fitted to, and each kind of what was not.
static const struct group {
	const char *name, *kind; // NULL: any
	bool fitted;
} groups[] = {
	{"products", "product", false},
	{"element-wise", "element-wise", false},
	{"fitted", NULL, true},
	{"GPT-2", "GPT-2", false},
};
enum { GROUPS = sizeof groups / sizeof *groups };

static int group_of(const struct measured_time *t)
{
	for (int g = 0; g < GROUPS; g++)
		if (t->fitted == groups[g].fitted && (!groups[g].kind || strcmp(groups[g].kind, t->kind) == 0))
			return g;
	return 0;
}

static struct figure *of_silicon(void)
{
	const char *name[GROUPS];
	int count = catalog_measured(NULL, 0, NULL);
	struct measured_time *time = calloc((size_t)count + 1, sizeof *time);
	struct figure_point *point = calloc((size_t)count + 1, sizeof *point);
	struct figure *f = NULL;
	for (int g = 0; g < GROUPS; g++)
		name[g] = groups[g].name;
	if (time && point && catalog_measured(time, count, NULL) == count) {
		for (int i = 0; i < count; i++)
			point[i] = (struct figure_point){
				.group = group_of(&time[i]), .x = time[i].measured, .y = time[i].modelled};
		f = figure_of_points(&(struct points_asked){.title = "Latency on TPU v4: model and measurement",
					     .x = "measured (us)",
					     .y = "model (us)",
					     .log_x = true,
					     .log_y = true,
					     .group = name,
					     .groups = GROUPS,
					     .point = point,
					     .count = (size_t)count,
					     .diagonal = true},
			NULL);
	}
	free(time);
	free(point);
	return f;
}

// ---- of a session's layers ----

static const char *const bounds[] = {"compute", "memory", "floor"};
enum { BOUNDS = sizeof bounds / sizeof *bounds, NAMED = 3 };

int figure_bound(const char *bound)
{
	for (int i = 0; bound && i < BOUNDS; i++)
		if (strcmp(bound, bounds[i]) == 0)
			return i;
	return 0;
}

struct points_asked figure_of_times(const char *title)
{
	return (struct points_asked){.title = title,
		.x = "measured (us)",
		.y = "model (us)",
		.log_x = true,
		.log_y = true,
		.group = bounds,
		.groups = BOUNDS,
		.diagonal = true};
}

// The layers that take the most time.
static void name_slowest(struct figure_point *point, const int *layer, size_t count, const struct roofline *r)
{
	for (int n = 0; n < NAMED; n++) {
		size_t most = count;
		for (size_t i = 0; i < count; i++)
			if (!point[i].label[0] && (most == count || point[i].x > point[most].x))
				most = i;
		if (most < count)
			snprintf(point[most].label, sizeof point[most].label, "%.15s", r->layer[layer[most]].name);
	}
}

static struct figure *of_layers(const struct roofline *r, const struct timed_layer *time)
{
	char title[128];
	struct figure_point *point = calloc((size_t)r->layers + 1, sizeof *point);
	int *layer = calloc((size_t)r->layers + 1, sizeof *layer);
	size_t count = 0;
	struct figure *f = NULL;
	for (int i = 0; point && layer && i < r->layers; i++)
		if (time[i].format && isfinite(r->now[i].ms)) {
			point[count] = (struct figure_point){
				.group = figure_bound(r->now[i].bound), .x = 1e3 * time[i].ms, .y = 1e3 * r->now[i].ms};
			layer[count++] = i;
		}
	if (point && layer) {
		name_slowest(point, layer, count, r);
		snprintf(title, sizeof title, "Layers on %.*s, batch %d: model and measurement", (int)strcspn(r->device, ":"),
			r->device, r->batch);
		struct points_asked asked = figure_of_times(title);
		asked.point = point;
		asked.count = count;
		f = figure_of_points(&asked, NULL);
	}
	free(point);
	free(layer);
	return f;
}

struct figure *figure_measured(const struct figure_source *source)
{
	struct roofline r;
	const struct timed_layer *time;
	if (source && source->measured && source->measured(source->session, source->term, &r, &time, NULL) && time)
		return of_layers(&r, time);
	return of_silicon();
}

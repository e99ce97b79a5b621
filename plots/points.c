// SPDX-License-Identifier: GPL-3.0-or-later
// Points of several groups over two axes.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Those that differ in their symbols as well as in colours; then the lanes'.
static const enum figure_role roles[] = {ROLE_MAIN, ROLE_SECOND, ROLE_SAMPLED, ROLE_UNIFORM};
enum { ROLES_OF_GROUPS = sizeof roles / sizeof *roles };

static bool draw(struct figure *f, const struct points_asked *a, int group)
{
	size_t count = 0;
	for (size_t i = 0; i < a->count; i++)
		count += a->point[i].group == group;
	if (!count)
		return true;
	enum figure_role role = group < ROLES_OF_GROUPS
		? roles[group]
		: (enum figure_role)(ROLE_LANE + (group - ROLES_OF_GROUPS) % ENGINE_LANES);
	struct series *s = figure_add_series(f, a->group[group], SERIES_POINTS, role, count, true);
	for (size_t i = 0; s && i < a->count; i++)
		if (a->point[i].group == group)
			series_add(s, a->point[i].x, a->point[i].y, a->point[i].label);
	return s != NULL;
}

// Every range is an upright line, with a gap behind it.
static bool draw_ranges(struct figure *f, const struct points_asked *a)
{
	struct series *s = figure_add_series(f, a->ranges, SERIES_LINE, ROLE_MARK, 3 * a->count, false);
	for (size_t i = 0; s && i < a->count; i++) {
		const struct figure_point *p = &a->point[i];
		if (!(p->high > p->low))
			continue;
		series_add(s, p->x, p->low, NULL);
		series_add(s, p->x, p->high, NULL);
		series_add(s, NAN, NAN, NULL);
	}
	return s != NULL;
}

// One range for both axes, and the line of equal numbers.
static bool draw_diagonal(struct figure *f, const struct points_asked *a)
{
	double low = INFINITY, high = 0;
	for (size_t i = 0; i < a->count; i++) {
		low = fmin(low, fmin(a->point[i].x, a->point[i].y));
		high = fmax(high, fmax(a->point[i].x, a->point[i].y));
	}
	if (!a->count)
		return true;
	f->x.low = f->y.low = low / 1.5;
	f->x.high = f->y.high = high * 1.5;
	struct series *s = figure_add_series(f, "equal", SERIES_LINE, ROLE_FRONT, 2, false);
	if (!s)
		return false;
	series_add(s, f->x.low, f->x.low, NULL);
	series_add(s, f->x.high, f->x.high, NULL);
	return true;
}

struct figure *figure_of_points(const struct points_asked *a, struct fault *fault)
{
	struct figure *f = figure_new(a->x, a->y);
	bool ok = f != NULL;
	if (f) {
		figure_title(f, "%s", a->title);
		f->x.logarithmic = a->log_x;
		f->y.logarithmic = a->log_y;
	}
	ok = ok && (!a->ranges || draw_ranges(f, a));
	ok = ok && (!a->diagonal || draw_diagonal(f, a));
	for (int g = 0; ok && g < a->groups; g++)
		ok = draw(f, a, g);
	if (ok && a->line_text)
		ok = figure_add_line(f, true, a->line, ROLE_TARGET, a->line_text);
	if (ok && a->level_text)
		ok = figure_add_line(f, false, a->level, ROLE_TARGET, a->level_text);
	if (ok)
		return f;
	fault_memory(fault, "the figure");
	figure_free(f);
	return NULL;
}

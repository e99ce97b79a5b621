// SPDX-License-Identifier: GPL-3.0-or-later
// What the noise of a front's figures leaves open: an interval for each point, and the band below the front in which a point cannot be told from
// it. Points are scored on the same images, so the noise of their differences is smaller than the band says, never larger.
#include "plots/noise.h"

#include <math.h>
#include <stdlib.h>

enum { HATCHES = 48 };                // of the band, over its width
static const double CONFIDENT = 1.96; // standard errors: 95 %

// The standard error of a point's figure as the figure has it, in percent; 0: it is not known.
static double error_of(const struct snapshot *s, const struct front_point *p)
{
	double error = 100 * snapshot_error(s, p);
	return isfinite(error) ? error : 0;
}

static bool placed(const struct front_point *p, int term)
{
	return !p->trained && isfinite(p->cost[term]) && isfinite(p->accuracy);
}

bool noise_intervals(struct figure *f, const struct figure_source *source, double divisor)
{
	const struct snapshot *s = source->snapshot;
	if (snapshot_images(s) <= 0)
		return true;
	struct series *series = figure_add_series(f, "95 %", SERIES_LINE, ROLE_SAMPLED, 3 * (size_t)s->points, false);
	for (int i = 0; series && i < s->points; i++) {
		const struct front_point *p = &s->point[i];
		double x = p->cost[source->term] / divisor, error = CONFIDENT * error_of(s, p);
		if (!isfinite(x) || !(error > 0))
			continue;
		series_add(series, x, fmax(0, 100 * p->accuracy - error), NULL);
		series_add(series, x, fmin(100, 100 * p->accuracy + error), NULL);
		series_add(series, x, NAN, NULL);
	}
	return series != NULL;
}

// The front's accuracy at a cost, in percent, and how far below it a point must lie to be told from it; NAN: no point costs so little.
static double front_at(const struct snapshot *s, int term, double cost, double *width)
{
	const struct front_point *best = NULL;
	for (int i = 0; i < s->points; i++) {
		const struct front_point *p = &s->point[i];
		if (placed(p, term) && p->cost[term] <= cost && (!best || p->accuracy > best->accuracy))
			best = p;
	}
	*width = best ? CONFIDENT * sqrt(2) * error_of(s, best) : 0;
	return best ? 100 * best->accuracy : (double)NAN;
}

bool noise_band(struct figure *f, const struct figure_source *source, double divisor)
{
	const struct snapshot *s = source->snapshot;
	double least = INFINITY, most = 0;
	for (int i = 0; i < s->points; i++)
		if (placed(&s->point[i], source->term)) {
			least = fmin(least, s->point[i].cost[source->term]);
			most = fmax(most, s->point[i].cost[source->term]);
		}
	if (snapshot_images(s) <= 0 || !(most > least))
		return true;
	const bool log = f->x.logarithmic && least > 0;
	struct series *series = figure_add_series(f, "within noise", SERIES_LINE, ROLE_MARK, 3 * HATCHES, false);
	for (int i = 0; series && i < HATCHES; i++) {
		double part = (double)i / (HATCHES - 1), width;
		double cost = log ? least * pow(most / least, part) : least + (most - least) * part;
		double top = front_at(s, source->term, cost, &width);
		if (!isfinite(top) || !(width > 0))
			continue;
		series_add(series, cost / divisor, top, NULL);
		series_add(series, cost / divisor, fmax(0, top - width), NULL);
		series_add(series, cost / divisor, NAN, NULL);
	}
	return series != NULL;
}

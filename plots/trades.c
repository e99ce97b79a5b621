// SPDX-License-Identifier: GPL-3.0-or-later
// Trades of cost against accuracy, of several kinds side by side: of a race, say.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>

struct figure *figure_of_trades(const char *title, const char *term, const char *unit, const char *accuracy,
	const struct trade *trade, int trades)
{
	double most = 0, least = INFINITY;
	char label[96];
	for (int t = 0; t < trades; t++)
		for (int i = 0; i < trade[t].count; i++) {
			most = fmax(most, trade[t].cost[i]);
			least = fmin(least, trade[t].cost[i]);
		}
	int power = most > 0 ? si_power(most, 1, SI_NANO, SI_PETA) : SI_ONE;
	const char *prefix = si_prefix(power);
	snprintf(label, sizeof label, "%s%s%s%s%s%s", term, prefix[0] || unit[0] ? " (" : "", prefix,
		prefix[0] && unit[0] ? " " : "", unit, prefix[0] || unit[0] ? ")" : "");
	struct figure *f = figure_new(label, accuracy);
	if (!f)
		return NULL;
	figure_title(f, "%s", title);
	f->x.logarithmic = least > 0 && most > least;
	for (int t = 0; t < trades; t++) {
		const struct trade *from = &trade[t];
		struct series *s = figure_add_series(f, from->name, from->line ? SERIES_LINE : SERIES_POINTS, from->role,
			(size_t)from->count, from->label != NULL);
		if (!s) {
			figure_free(f);
			return NULL;
		}
		for (int i = 0; i < from->count; i++)
			series_add(s, from->cost[i] / si_factor(power), from->accuracy[i], from->label ? from->label[i] : NULL);
	}
	return f;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/family.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/rank.h"

enum { SHORT, LONG };
const char *const family_ways[FAMILY_WAYS] = {"depth", "width", "resolution"};

struct table {
	const struct scaled *point;
	const double *level;
	int points, levels, seeds;
	const double *accuracy;
	double *mean;     // [FAMILY_SPANS][points]
	double *exponent; // [FAMILY_SPANS][seeds][FAMILY_WAYS]
};

static double at(const struct table *t, int span, int point, int seed)
{
	return t->accuracy[(span * t->points + point) * t->seeds + seed];
}

static double mean_at(const struct table *t, int span, int point)
{
	return t->mean[span * t->points + point];
}

static double *exponents(const struct table *t, int span, int seed)
{
	return t->exponent + (span * t->seeds + seed) * FAMILY_WAYS;
}

// The best of a level, of one seed or (-1) by the means; -1: there is none.
static int best_of(const struct table *t, int span, int level, int seed)
{
	int best = -1;
	double most = -INFINITY;
	for (int i = 0; i < t->points; i++) {
		double a = seed < 0 ? mean_at(t, span, i) : at(t, span, i, seed);
		if (t->point[i].level == level && a > most) {
			most = a;
			best = i;
		}
	}
	return best;
}

static double rank_of_level(const struct table *t, int level, double *x, double *y)
{
	int count = 0;
	for (int i = 0; i < t->points; i++)
		if (t->point[i].level == level && !isnan(mean_at(t, SHORT, i)) && !isnan(mean_at(t, LONG, i))) {
			x[count] = mean_at(t, SHORT, i);
			y[count++] = mean_at(t, LONG, i);
		}
	return rank_correlation(x, y, count);
}

static double multiple_of(const struct scaled *s, int way)
{
	const double multiple[FAMILY_WAYS] = {s->depth, s->width, s->resolution};
	return multiple[way];
}

// NAN where a level has no best.
static void fit(const struct table *t, int span, int seed)
{
	double xx = 0, xy[FAMILY_WAYS] = {0};
	for (int level = 0; level < t->levels; level++) {
		int best = best_of(t, span, level, seed);
		const struct scaled *s = best < 0 ? NULL : &t->point[best];
		const double x = s ? log(s->multiple) : (double)NAN;
		xx += x * x;
		for (int w = 0; w < FAMILY_WAYS; w++)
			xy[w] += s ? x * log(multiple_of(s, w)) : (double)NAN;
	}
	for (int w = 0; w < FAMILY_WAYS; w++)
		exponents(t, span, seed)[w] = xy[w] / xx;
}

static void gather(const struct table *t, struct family *f)
{
	for (int span = 0; span < FAMILY_SPANS; span++) {
		for (int i = 0; i < t->points; i++)
			t->mean[span * t->points + i] = spread_of(t->accuracy + (span * t->points + i) * t->seeds, t->seeds).mean;
		for (int seed = 0; seed < t->seeds; seed++)
			fit(t, span, seed);
		for (int w = 0; w < FAMILY_WAYS; w++) {
			double sum = 0, squares = 0;
			int count = 0;
			for (int seed = 0; seed < t->seeds; seed++) {
				double e = exponents(t, span, seed)[w];
				if (isnan(e))
					continue;
				sum += e;
				squares += e * e;
				count++;
			}
			struct spread *s = &f->exponent[span][w];
			*s = (struct spread){count, count ? sum / count : (double)NAN, NAN};
			if (count > 1)
				s->sd = sqrt(fmax(0, squares - sum * sum / count) / (count - 1));
			f->error[span][w] = s->sd / sqrt(count);
		}
	}
}

static double correlate_means(const struct family *f)
{
	double x[FAMILY_WAYS], y[FAMILY_WAYS];
	for (int w = 0; w < FAMILY_WAYS; w++) {
		x[w] = f->exponent[SHORT][w].mean;
		y[w] = f->exponent[LONG][w].mean;
	}
	return rank_correlation(x, y, FAMILY_WAYS);
}

static double correlate_seeds(const struct table *t)
{
	double sum = 0;
	int pairs = 0;
	for (int a = 0; a < t->seeds; a++)
		for (int b = 0; b < a; b++, pairs++)
			sum += rank_correlation(exponents(t, LONG, a), exponents(t, LONG, b), FAMILY_WAYS);
	return pairs ? sum / pairs : (double)NAN;
}

static void order(struct family *f)
{
	const struct spread *e = f->exponent[LONG];
	f->fastest = 0;
	for (int w = 1; w < FAMILY_WAYS; w++)
		if (e[w].mean > e[f->fastest].mean)
			f->fastest = w;
	f->next = f->fastest ? 0 : 1;
	for (int w = 0; w < FAMILY_WAYS; w++)
		if (w != f->fastest && e[w].mean > e[f->next].mean)
			f->next = w;
}

// ---- whether it says anything -----------------------------------------------------------------------------------------------------

static int missing(const struct table *t)
{
	int count = 0;
	for (int i = 0; i < FAMILY_SPANS * t->points * t->seeds; i++)
		count += isnan(t->accuracy[i]);
	return count;
}

// A way that no candidate of some level grows in, which an exponent of 0 would then say nothing of; -1: there is none.
static int never_grown(const struct table *t, int *level)
{
	for (*level = 0; *level < t->levels; ++*level)
		for (int w = 0; w < FAMILY_WAYS; w++) {
			bool grown = false;
			for (int i = 0; i < t->points; i++)
				grown |= t->point[i].level == *level && multiple_of(&t->point[i], w) > 1;
			if (!grown)
				return w;
		}
	return -1;
}

static int worst_level(const struct family *f, int levels)
{
	int worst = 0;
	for (int l = 1; l < levels; l++)
		if (f->level[l].rank < f->level[worst].rank)
			worst = l;
	return worst;
}

static void judge(const struct table *t, struct family *f)
{
	static const char *const grown[FAMILY_WAYS] = {"is deeper", "is wider", "has larger images"};
	int level;
	const int absent = missing(t), worst = worst_level(f, t->levels), never = never_grown(t, &level);
	const struct spread *e = f->exponent[LONG];
	const double *error = f->error[LONG], gap = e[f->fastest].mean - e[f->next].mean;
	char *to = f->refused;
	const size_t size = sizeof f->refused;
	if (absent)
		snprintf(to, size, "%d of %d trainings of candidates have no result", absent,
			FAMILY_SPANS * t->points * t->seeds);
	else if (never >= 0)
		snprintf(to, size, "no candidate of level %g %s", t->level[level], grown[never]);
	else if (t->seeds < 2)
		snprintf(to, size, "one seed does not say how far the exponents are off");
	else if (f->level[worst].rank < FAMILY_AGREES)
		snprintf(to, size, "more steps rank the candidates of level %g otherwise (a correlation of %.2f is below %.1f)",
			t->level[worst], f->level[worst].rank, FAMILY_AGREES);
	else if (f->seeds < FAMILY_AGREES)
		snprintf(to, size, "seeds rank the exponents differently (a correlation of %.2f is below %.1f)", f->seeds,
			FAMILY_AGREES);
	else if (f->spans < FAMILY_AGREES)
		snprintf(to, size, "more steps rank the exponents otherwise (a correlation of %.2f is below %.1f)", f->spans,
			FAMILY_AGREES);
	else if (gap <= 2 * fmax(error[f->fastest], error[f->next]))
		snprintf(to, size, "the exponents of %s and %s lie within each other's interval", family_ways[f->fastest],
			family_ways[f->next]);
}

bool family_of(const struct scaled *point, int points, const double *level, int levels, int seeds, const double *accuracy,
	struct family *f)
{
	*f = (struct family){0};
	struct table t = {
		.point = point, .level = level, .points = points, .levels = levels, .seeds = seeds, .accuracy = accuracy};
	double *room = calloc(2 * (size_t)points + 1, sizeof *room);
	t.mean = calloc(FAMILY_SPANS * (size_t)points + 1, sizeof *t.mean);
	t.exponent = calloc((size_t)(FAMILY_SPANS * FAMILY_WAYS * seeds) + 1, sizeof *t.exponent);
	bool ok = room && t.mean && t.exponent;
	if (ok) {
		gather(&t, f);
		for (int l = 0; l < levels; l++) {
			for (int span = 0; span < FAMILY_SPANS; span++)
				f->level[l].best[span] = best_of(&t, span, l, -1);
			f->level[l].rank = rank_of_level(&t, l, room, room + points);
		}
		f->seeds = correlate_seeds(&t);
		f->spans = correlate_means(f);
		order(f);
		judge(&t, f);
	}
	free(room);
	free(t.mean);
	free(t.exponent);
	return ok;
}

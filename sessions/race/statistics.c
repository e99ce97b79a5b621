// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/rank.h"

struct spread spread_of(const double *x, int count)
{
	struct spread s = {0, NAN, NAN};
	double sum = 0, squares = 0;
	for (int i = 0; i < count; i++)
		if (!isnan(x[i])) {
			sum += x[i];
			s.count++;
		}
	if (s.count)
		s.mean = sum / s.count;
	for (int i = 0; i < count; i++)
		if (!isnan(x[i]))
			squares += (x[i] - s.mean) * (x[i] - s.mean);
	if (s.count > 1)
		s.sd = sqrt(squares / (s.count - 1));
	return s;
}

// By growing cost; at equal cost the better one first.
static int by_cost(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	if (p->cost != q->cost)
		return p->cost < q->cost ? -1 : 1;
	return p->value > q->value ? -1 : p->value < q->value;
}

// Whether b lies on the line from a to c, or below it.
static bool below(const struct spot *a, const struct spot *b, const struct spot *c)
{
	double ab = log(b->cost / a->cost), ac = log(c->cost / a->cost);
	return (b->value - a->value) * ac <= (c->value - a->value) * ab;
}

int hull_of(struct spot *spot, int count)
{
	int sound = 0, corners = 0;
	for (int i = 0; i < count; i++)
		if (isfinite(spot[i].cost) && spot[i].cost > 0 && isfinite(spot[i].value))
			spot[sound++] = spot[i];
	qsort(spot, (size_t)sound, sizeof *spot, by_cost);
	for (int i = 0; i < sound; i++) {
		struct spot next = spot[i];
		if (corners && next.value <= spot[corners - 1].value)
			continue; // as dear or dearer, and no better
		while (corners > 1 && below(&spot[corners - 2], &spot[corners - 1], &next))
			corners--;
		spot[corners++] = next;
	}
	return corners;
}

double hull_at(const struct spot *hull, int corners, double cost)
{
	static const double NEAR = 0.01;
	if (!corners || !(cost >= hull[0].cost * (1 - NEAR)))
		return NAN;
	for (int i = 1; i < corners; i++)
		if (cost < hull[i].cost) {
			const struct spot *a = &hull[i - 1], *b = &hull[i];
			return a->value + (b->value - a->value) * fmax(0, log(cost / a->cost)) / log(b->cost / a->cost);
		}
	return hull[corners - 1].value;
}

double line_at(const struct spot *spot, int count, double cost)
{
	static const double EQUAL = 1e-9;
	const struct spot *below = NULL, *above = NULL;
	for (int i = 0; i < count; i++) {
		const struct spot *s = &spot[i];
		if (s->cost <= cost * (1 + EQUAL) && (!below || s->cost > below->cost))
			below = s;
		if (s->cost >= cost * (1 - EQUAL) && (!above || s->cost < above->cost))
			above = s;
	}
	if (!below || !above)
		return NAN;
	double run = log(above->cost / below->cost);
	return run > EQUAL ? below->value + (above->value - below->value) * log(cost / below->cost) / run : below->value;
}

bool hull_compare(const struct spot *a, int a_corners, const struct spot *b, int b_corners, double from, double to,
	struct hull_gap *gap)
{
	enum { PARTS = 64 };
	if (!a_corners || !b_corners)
		return false;
	from = fmax(from, fmax(a[0].cost, b[0].cost));
	to = fmin(to, a[a_corners - 1].cost);
	*gap = (struct hull_gap){0, INFINITY, from, from, to};
	if (!(to >= from))
		return false;
	for (int i = 0; i <= PARTS; i++) {
		double cost = from * pow(to / from, (double)i / PARTS);
		double height = hull_at(a, a_corners, cost) - hull_at(b, b_corners, cost);
		gap->mean += height / (PARTS + 1);
		if (height < gap->least) {
			gap->least = height;
			gap->at = cost;
		}
	}
	return true;
}

// ---- ranks -----------------------------------------------------------------------------------------------------------

// SplitMix64 (Steele, Lea and Flood, 2014), twice: of the counter, and of that with the key.
static uint64_t mixed(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t random_bits(uint64_t key, uint64_t counter)
{
	return mixed(key ^ mixed(counter));
}

static bool all_equal(const double *x, int count)
{
	for (int i = 1; i < count; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

static int by_value(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;
	return p < q ? -1 : p > q;
}

struct ranking ranking_of(const double *a, const double *b, int count)
{
	enum { RESAMPLES = 2000 };
	struct ranking r = {NAN, NAN, NAN};
	double *room = count >= 3 && !all_equal(a, count) && !all_equal(b, count)
		? calloc(RESAMPLES + 2 * (size_t)count, sizeof *room)
		: NULL;
	if (!room)
		return r;
	double *x = room + RESAMPLES, *y = x + count;
	int made = 0;
	for (int k = 0; k < RESAMPLES; k++) {
		for (int i = 0; i < count; i++) {
			int which = (int)(random_bits((uint64_t)k, (uint64_t)i) % (uint64_t)count);
			x[i] = a[which];
			y[i] = b[which];
		}
		if (!all_equal(x, count) && !all_equal(y, count))
			room[made++] = rank_correlation(x, y, count);
	}
	qsort(room, (size_t)made, sizeof *room, by_value);
	r.correlation = rank_correlation(a, b, count);
	if (made) {
		r.low = room[(int)(0.025 * (made - 1))];
		r.high = room[(int)(0.975 * (made - 1))];
	}
	free(room);
	return r;
}

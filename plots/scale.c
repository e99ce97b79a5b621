// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

// Beyond these, an axis is not worth the overflows it would bring: values outside have no place.
static const double utmost = 1e300, least_positive = 1e-300;

static bool shown(const struct scale *s, double v)
{
	return isfinite(v) && fabs(v) <= utmost && (!s->logarithmic || v >= least_positive) &&
		(!(s->whole > 0) || (v > 0 && v < s->whole));
}

// What the scale is even in, and back.
static double even(const struct scale *s, double v)
{
	return s->whole > 0 ? log(v / (s->whole - v)) : s->logarithmic ? log(v) : v;
}

static double uneven(const struct scale *s, double v)
{
	return s->whole > 0 ? s->whole / (1 + exp(-v)) : s->logarithmic ? exp(v) : v;
}

double scale_map(const struct scale *s, double v)
{
	return shown(s, v) ? (even(s, v) - even(s, s->low)) / (even(s, s->high) - even(s, s->low)) : (double)NAN;
}

double scale_at(const struct scale *s, double part)
{
	return uneven(s, even(s, s->low) + (even(s, s->high) - even(s, s->low)) * part);
}

double scale_round(double v)
{
	double power = pow(10, floor(log10(v)));
	double lead = v / power * (1 + 1e-9);
	return power * (lead >= 5 ? 5 : lead >= 2 ? 2 : 1);
}

static double nice_above(double v)
{
	double power = pow(10, floor(log10(v)));
	double lead = v / power * (1 - 1e-9);
	return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

struct extent {
	double low, high;
};

static void take(struct extent *e, double v, const struct scale *scale)
{
	if (!shown(scale, v))
		return;
	e->low = v < e->low ? v : e->low;
	e->high = v > e->high ? v : e->high;
}

static struct extent extent_of(const struct figure *f, enum figure_axis which, const struct scale *scale)
{
	struct extent e = {INFINITY, -INFINITY};
	for (int i = 0; i < f->series_count; i++) {
		const struct series *s = &f->series[i];
		if (which != AXIS_X && s->right != (which == AXIS_RIGHT))
			continue;
		for (size_t k = 0; k < s->count; k++)
			if (isfinite(s->x[k]) && isfinite(s->y[k])) // a point without a place stretches no axis
				take(&e, which == AXIS_X ? s->x[k] : s->y[k], scale);
	}
	for (int i = 0; which != AXIS_RIGHT && i < f->line_count; i++)
		if (f->line[i].vertical == (which == AXIS_X))
			take(&e, f->line[i].at, scale);
	if (f->heat && which == AXIS_X) {
		take(&e, f->heat->first, scale);
		take(&e, f->heat->last, scale);
	}
	return e;
}

// With a little room beyond the data; of one value, or of none, enough to see where it lies.
static struct scale logit_scale(struct scale s, bool fixed_low, bool fixed_high)
{
	s.low = isfinite(s.low) ? s.low : isfinite(s.high) ? s.high : s.whole / 2;
	s.high = isfinite(s.high) ? s.high : s.low;
	const double low = even(&s, s.low), high = even(&s, s.high), room = high - low > 1e-6 ? 0.05 * (high - low) : 1;
	if (!fixed_low || !(high > low))
		s.low = uneven(&s, low - room);
	if (!fixed_high || !(high > low))
		s.high = uneven(&s, high + room);
	return s;
}

struct scale scale_of(const struct figure *f, enum figure_axis which, int ticks)
{
	const struct axis *axis = which == AXIS_X ? &f->x : which == AXIS_Y ? &f->y : &f->right;
	struct scale s = {.logarithmic = axis->logarithmic && !(axis->whole > 0), .whole = axis->whole};
	struct extent e = extent_of(f, which, &s);
	bool fixed_low = shown(&s, axis->low), fixed_high = shown(&s, axis->high);
	s.low = fixed_low ? axis->low : e.low;
	s.high = fixed_high ? axis->high : e.high;
	if (s.whole > 0)
		return logit_scale(s, fixed_low, fixed_high);
	if (!isfinite(s.low))
		s.low = isfinite(s.high) ? (s.logarithmic ? s.high / 10 : s.high - 1) : s.logarithmic ? 1 : 0;
	if (!isfinite(s.high))
		s.high = s.logarithmic ? s.low * 10 : s.low + 1;

	if (s.logarithmic) {
		if (s.high / s.low < 1 + 1e-9) {
			s.low /= 1.5;
			s.high *= 1.5;
		}
		double pad = pow(s.high / s.low, 0.05);
		s.low = fixed_low ? s.low : fmax(s.low / pad, least_positive);
		s.high = fixed_high ? s.high : fmin(s.high * pad, utmost);
		return s;
	}
	// Less than the doubles can tell apart is one value: give it room.
	if (s.high - s.low <= 1e-9 * fmax(fabs(s.low), fabs(s.high))) {
		double room = s.low != 0 || s.high != 0 ? 0.05 * fmax(fabs(s.low), fabs(s.high)) : 1;
		s.low -= room;
		s.high += room;
	}
	if (s.high - s.low < least_positive)
		s.high = s.low + least_positive;
	double grain = scale_round((s.high - s.low) / (ticks > 2 ? ticks : 2)) / 5;
	if (!fixed_low)
		s.low = fmax(floor(s.low / grain + 1e-6) * grain, -utmost);
	if (!fixed_high)
		s.high = fmin(ceil(s.high / grain - 1e-6) * grain, utmost);
	return s;
}

// ---- ticks ---------------------------------------------------------------------------------------------------------

// The SI prefix from 1e-9 to 1e18 that suits v, and what it stands for; a divisor of 0: there is none.
static const char *prefix_of(double v, double *divisor)
{
	static const double from = 1 - 7e-9;           // a tick's rounding errors do not cost it its prefix
	bool plain = v <= 0 || (v >= 1e-3 && v < 1e4); // plain numbers where they are short
	int power = plain ? SI_ONE : si_power(v, from, SI_NANO, SI_EXA);
	bool none = !plain && (v < from * si_factor(SI_NANO) || v >= from * 1000 * si_factor(SI_EXA));
	*divisor = none ? 0 : si_factor(power);
	return none ? "" : si_prefix(power);
}

// The texts of a linear axis share one letter and one number of decimals.
static void name_linear(struct ticks *t, double step)
{
	double largest = 0, divisor;
	for (int i = 0; i < t->count; i++)
		largest = fmax(largest, fabs(t->at[i]));
	const char *letter = prefix_of(largest, &divisor);
	int decimals = divisor > 0 ? (int)ceil(-log10(step / divisor) - 1e-6) : 0;
	decimals = decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
	for (int i = 0; i < t->count; i++) {
		if (fabs(t->at[i]) < step / 2)
			t->at[i] = 0; // and not -0 or a rounding error
		if (divisor > 0)
			snprintf(t->text[i], sizeof t->text[i], "%.*f%s", decimals, t->at[i] / divisor,
				t->at[i] != 0 ? letter : "");
		else
			snprintf(t->text[i], sizeof t->text[i], "%.3g", t->at[i]);
	}
}

static void name_each(struct ticks *t)
{
	for (int i = 0; i < t->count; i++) {
		double divisor;
		const char *letter = prefix_of(t->at[i], &divisor);
		if (divisor > 0)
			snprintf(t->text[i], sizeof t->text[i], "%.4g%s", t->at[i] / divisor, letter);
		else
			snprintf(t->text[i], sizeof t->text[i], "%.3g", t->at[i]);
	}
}

static void drop_equal_texts(struct ticks *t)
{
	int kept = 0;
	for (int i = 0; i < t->count; i++)
		if (!kept || strcmp(t->text[kept - 1], t->text[i])) {
			t->at[kept] = t->at[i];
			if (kept != i)
				memcpy(t->text[kept], t->text[i], sizeof t->text[i]);
			kept++;
		}
	t->count = kept;
}

static void linear(const struct scale *s, int most, struct ticks *t)
{
	double step = nice_above((s->high - s->low) / most), first, last;
	for (;; step = nice_above(1.1 * step)) {
		first = ceil(s->low / step - 1e-6);
		last = floor(s->high / step + 1e-6);
		if (last - first < most)
			break;
	}
	for (double i = first; i <= last && t->count < most; i++)
		t->at[t->count++] = i * step;
	name_linear(t, step);
}

// Ticks at 1, 2, 5 (or only 1, 3; or only 1) times every `stride`th power of ten; false where they are more than `most`.
static bool leads(const struct scale *s, int most, const char *lead, int stride, struct ticks *t)
{
	t->count = 0;
	int from = (int)floor(log10(s->low)), to = (int)floor(log10(s->high));
	for (int power = from; power <= to; power++)
		for (const char *l = lead; *l && power % stride == 0; l++) {
			double at = (*l - '0') * pow(10, power);
			if (at < s->low * (1 - 1e-9) || at > s->high * (1 + 1e-9))
				continue;
			if (t->count == most)
				return false;
			t->at[t->count++] = at;
		}
	return true;
}

static void logarithmic(const struct scale *s, int most, struct ticks *t)
{
	if (!leads(s, most, "125", 1, t) && !leads(s, most, "13", 1, t))
		for (int stride = 1; stride <= 1024 && !leads(s, most, "1", stride, t); stride *= 2)
			;
	if (t->count < 3 && most >= 3 && s->high / s->low < 10) {
		t->count = 0;
		linear(s, most, t); // within one power of ten the round numbers are few: even steps say more
	} else {
		name_each(t);
	}
}

// Those of `lead` times a power of ten hundredths of the whole from below, a half, and the same from above, within the scale; false where
// they are more than `most`.
static bool halves(const struct scale *s, int most, const char *lead, struct ticks *t)
{
	enum { FINEST = -4 }; // powers of ten
	double part[4 * 3 + 1];
	int parts = 0;
	for (int power = FINEST; power < 0; power++)
		for (const char *l = lead; *l; l++)
			if ((*l - '0') * pow(10, power) < 0.5)
				part[parts++] = (*l - '0') * pow(10, power);
	part[parts++] = 0.5;
	t->count = 0;
	for (int i = 0; i < 2 * parts - 1; i++) {
		const double at = s->whole * (i < parts ? part[i] : 1 - part[2 * parts - 2 - i]);
		if (at < s->low || at > s->high)
			continue;
		if (t->count == most)
			return false;
		t->at[t->count++] = at;
	}
	return true;
}

static void logit(const struct scale *s, int most, struct ticks *t)
{
	if (!halves(s, most, "125", t) && !halves(s, most, "1", t))
		halves(s, most, "", t);
	if (!t->count || (t->count < 3 && most >= 3)) {
		t->count = 0;
		linear(s, most, t);
	} else {
		name_each(t);
	}
}

void ticks_choose(const struct scale *s, int most, struct ticks *t)
{
	t->count = 0;
	most = most < TICKS ? most : TICKS;
	if (most < 1)
		return;
	if (s->whole > 0)
		logit(s, most, t);
	else if (s->logarithmic)
		logarithmic(s, most, t);
	else
		linear(s, most, t);
	drop_equal_texts(t);
}

void ticks_of_x(const struct figure *f, const struct scale *s, int most, struct ticks *t)
{
	const struct heat *h = f->heat;
	if (!h || !h->parts) {
		ticks_choose(s, most, t);
		return;
	}
	most = most < 1 ? 1 : most < TICKS ? most : TICKS;
	const int every = (h->parts + most - 1) / most;
	t->count = 0;
	for (int i = 0; i < h->parts; i += every) {
		t->at[t->count] = s->low + (i + 0.5) / h->parts * (s->high - s->low);
		snprintf(t->text[t->count++], sizeof t->text[0], "%s", h->part[i]);
	}
}

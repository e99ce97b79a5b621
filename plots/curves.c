// SPDX-License-Identifier: GPL-3.0-or-later
// Figures over the steps: quantities of the records, smoothed if they are noisy, and thinned to what a page can show.
#include "plots/build.h"
#include "plots/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 1000 };

// One quantity of a record: the bytes at which its float stands, and how it is shown.
struct quantity {
	const char *name;
	size_t offset;
	double factor;
	enum series_kind kind;
	enum figure_role role;
	bool noisy; // smoothed over a window of up to one sixtieth of the history: the title says how many steps
	bool right;
};

static double value_of(const struct record *r, const struct quantity *q)
{
	return *(const float *)(const void *)((const char *)r + q->offset) * q->factor;
}

// Records that a point stands for: a power of two, so that the points of the past stay as they are while the search goes on.
static long stretch_of(long records)
{
	long stretch = 1;
	while (records > stretch * MOST_POINTS)
		stretch *= 2;
	return stretch;
}

// Points on either side that a noisy quantity's point is the mean of as well: in all up to one sixtieth of the history, and a
// power of two for the same reason.
static long half_of(long records)
{
	long most = records / 120 / stretch_of(records), half = most > 0;
	while (half * 2 <= most && half > 0)
		half *= 2;
	return half;
}

// How many steps a noisy quantity's point is the mean of.
static long window_of(long records)
{
	return stretch_of(records) * (1 + 2 * half_of(records));
}

// "loss", or "mean loss": of how many steps, the title says.
static const char *averaged(const struct figure_source *source, const char *what, char buf[96])
{
	snprintf(buf, 96, "%s%s", window_of(source->records) > 1 ? "mean " : "", what);
	return buf;
}

static void title_means(struct figure *f, const struct figure_source *source, const char *of)
{
	size_t used = f ? strlen(f->title) : 0;
	if (f && window_of(source->records) > 1)
		snprintf(f->title + used, sizeof f->title - used, "; %smeans of %ld steps", of, window_of(source->records));
}

// The values of a stretch of records from `from` on, but for those that are not finite.
static struct mean {
	double sum;
	long count;
} mean_of(const struct figure_source *source, const struct quantity *q, long from, long stretch)
{
	struct mean m = {0, 0};
	for (long i = from; i < from + stretch && i < source->records; i++) {
		double v = value_of(&source->record[i], q);
		m.sum += isfinite(v) ? v : 0;
		m.count += isfinite(v);
	}
	return m;
}

enum { SPARSE = 64 }; // points between two that hold a value, at most

// How far apart points that hold a value usually are: qualities are known at every few steps alone.
static long usual_distance(const bool *holds, long points)
{
	long count[SPARSE + 1] = {0}, last = -1, usual = 1;
	for (long p = 0; p < points; p++) {
		if (!holds[p])
			continue;
		if (last >= 0 && p - last <= SPARSE)
			count[p - last]++;
		last = p;
	}
	for (long d = 2; d <= SPARSE; d++)
		usual = count[d] > count[usual] ? d : usual;
	return usual;
}

// Whether the line is broken at a point that holds no value: it lies in a hole that is wider than usual. Other such points are left out.
static bool is_gap(const bool *holds, long points, long p, long usual)
{
	long from = p, to = p;
	while (from >= 0 && p - from <= usual && !holds[from])
		from--;
	while (to < points && to - p <= usual && !holds[to])
		to++;
	return from < 0 || !holds[from] || (to < points ? to - from > usual : p - from >= usual);
}

// Adds the quantity over the steps: at most MOST_POINTS points, each the mean of its stretch of records, widened by
// the smoothing window. A hole that is wider than usual is a gap, whatever its neighbours hold.
static bool add_quantity(struct figure *f, const struct figure_source *source, const struct quantity *q)
{
	struct mean before[MOST_POINTS + 1] = {{0, 0}}; // of all points before this one
	bool holds[MOST_POINTS + 1] = {false};
	long n = source->records > 0 ? source->records : 0, stretch = stretch_of(n), half = q->noisy ? half_of(n) : 0;
	long points = (n + stretch - 1) / stretch;
	struct series *s = figure_add_series(f, q->name, q->kind, q->role, (size_t)points, false);
	if (!s)
		return false;
	s->right = q->right;
	for (long p = 0; p < points; p++) {
		struct mean m = mean_of(source, q, p * stretch, stretch);
		before[p + 1] = (struct mean){before[p].sum + m.sum, before[p].count + m.count};
		holds[p] = m.count > 0;
	}
	const long usual = usual_distance(holds, points);
	for (long p = 0; p < points; p++) {
		const bool gap = !holds[p] && is_gap(holds, points, p, usual);
		if (!holds[p] && !gap)
			continue;
		long a = p - half > 0 ? p - half : 0, b = p + 1 + half < points ? p + 1 + half : points;
		long last = (p + 1) * stretch < n ? (p + 1) * stretch - 1 : n - 1;
		series_add(s, (double)source->record[last].step,
			gap ? NAN : (before[b].sum - before[a].sum) / (double)(before[b].count - before[a].count), NULL);
	}
	return true;
}

// The axis ends at a round step, not far beyond the last one: it does not move with every step.
static double steps_shown(long last)
{
	double grain = last > 20 ? scale_round((double)last / 20) : 1;
	return ceil((double)last / grain) * grain;
}

struct figure *figure_over_steps_alone(const struct figure_source *source, const char *y_label, const char *title)
{
	struct figure *f = figure_new("step", y_label);
	if (!f)
		return NULL;
	char subject[2 * ENGINE_TEXT + 8];
	figure_title(f, "%s of %s", title, subject_of(source->snapshot->info, subject));
	f->x.low = 0;
	if (source->records > 0)
		f->x.high = steps_shown(source->record[source->records - 1].step);
	return f;
}

struct figure *figure_over_steps(const struct figure_source *source, const char *y_label, const char *title)
{
	struct figure *f = figure_over_steps_alone(source, y_label, title);
	for (int m = 0; f && m < source->marks; m++)
		if (!figure_add_line(f, true, (double)source->mark[m].step, ROLE_MARK, source->mark[m].text)) {
			figure_free(f);
			return NULL;
		}
	return f;
}

static struct figure *with(struct figure *f, const struct figure_source *source, const struct quantity *q, int count)
{
	for (int i = 0; f && i < count; i++)
		if (!add_quantity(f, source, &q[i])) {
			figure_free(f);
			f = NULL;
		}
	return f;
}

#define AT(field) offsetof(struct record, field)

struct figure *figure_curves(const struct figure_source *source)
{
	bool loss = source->snapshot->quality_is_loss; // then quality is minus a loss, and belongs on the loss axis
	const struct quantity q[] = {
		{"loss", AT(loss), 1, SERIES_LINE, ROLE_SECOND, true, false},
		{"accuracy", AT(accuracy), 100, SERIES_LINE, ROLE_MAIN, true, true},
		{source->snapshot->estimated[0] ? "estimated"
				: loss          ? "held-out loss"
						: "held-out",
			AT(quality), loss ? -1 : 100, SERIES_LINE, ROLE_SAMPLED, true, !loss},
	};
	char label[96];
	struct figure *f = figure_over_steps(source, averaged(source, "loss", label),
		source->snapshot->estimated[0] ? "Search" : "Training");
	if (f)
		snprintf(f->right.label, sizeof f->right.label, "%s", averaged(source, "accuracy (%)", label));
	title_means(f, source, "");
	return with(f, source, q, 3);
}

static double largest_cost(const struct figure_source *source)
{
	double largest = 0;
	for (long i = 0; source_term(source) && i < source->records; i++) {
		double sampled = source->record[i].cost[source->term], modal = source->record[i].modal_cost[source->term];
		largest = fmax(largest, fmax(isfinite(sampled) ? sampled : 0, isfinite(modal) ? modal : 0));
	}
	return largest;
}

struct figure *figure_cost(const struct figure_source *source)
{
	const struct term_state *term = source_term(source);
	struct unit unit = unit_of(term, largest_cost(source));
	bool relative = term && term->targeted && term->target > 0;
	if (relative) {
		unit.divisor = term->target;
		snprintf(unit.label, sizeof unit.label, "%s / target", unit.name);
	}
	struct figure *f = figure_over_steps(source, unit.label, "Cost of the choices");
	if (!f || !term)
		return f;
	char target[64], subject[2 * ENGINE_TEXT + 8];
	if (relative) // the axis has no unit: the target says it
		figure_title(f, "Cost of the choices of %s, target %s", subject_of(source->snapshot->info, subject),
			number_write(term->target, term->unit ? term->unit : "", target, sizeof target));
	title_means(f, source, "sampled: ");
	size_t place = (size_t)source->term * sizeof(float);
	const struct quantity q[] = {
		{"sampled", AT(cost) + place, 1 / unit.divisor, SERIES_LINE, ROLE_SAMPLED, true, false},
		{"modal", AT(modal_cost) + place, 1 / unit.divisor, SERIES_STEPS, ROLE_MAIN, false, false},
	};
	char label[64];
	snprintf(label, sizeof label, "target %s", term->target_text);
	if (relative && !figure_add_line(f, false, 1, ROLE_TARGET, label)) {
		figure_free(f);
		return NULL;
	}
	return with(f, source, q, 2);
}

// What was done: lines with numbers, of a look for each kind, and saves as points on the axis.
static bool add_happenings(struct figure *f, const struct happening *happening, int count)
{
	static const struct {
		enum figure_role role;
		const char *before;
	} looks[] = {[HAPPENED_CHANGE] = {ROLE_MARK, ""},
		[HAPPENED_NOTE] = {ROLE_SECOND, "note: "},
		[HAPPENED_BRANCH] = {ROLE_FRONT, ""}};
	struct series *saved = figure_add_series(f, "saved", SERIES_POINTS, ROLE_UNIFORM, (size_t)count, false);
	for (int i = 0; saved && i < count; i++) {
		const struct happening *h = &happening[i];
		char text[sizeof h->text + 8];
		if (h->kind == HAPPENED_SAVE) {
			series_add(saved, (double)h->step, 0, NULL);
			continue;
		}
		snprintf(text, sizeof text, "%s%s", looks[h->kind].before, h->text);
		if (!figure_add_line(f, true, (double)h->step, looks[h->kind].role, text))
			return false;
	}
	return saved != NULL;
}

struct figure *figure_timeline(const struct figure_source *source)
{
	enum { KEY_ROWS = 16 };
	const bool loss = source->snapshot->quality_is_loss;
	const struct term_state *term = source_term(source);
	const bool relative = term && term->targeted && term->target > 0;
	struct unit unit = unit_of(term, largest_cost(source));
	char label[96], cost[128];
	int count = 0;
	if (relative)
		unit.divisor = term->target;
	snprintf(cost, sizeof cost, relative ? "%s / target" : "%s", relative ? unit.name : unit.label);
	struct figure *f = figure_over_steps_alone(source, cost, "Timeline");
	if (!f || !term)
		return f;
	const struct quantity q[] = {
		{"cost of the modal choice", AT(modal_cost) + (size_t)source->term * sizeof(float), 1 / unit.divisor,
			SERIES_STEPS, ROLE_MAIN, false, false},
		{loss ? "held-out loss" : "quality", AT(quality), loss ? -1 : 100, SERIES_LINE, ROLE_SAMPLED, true, true},
	};
	snprintf(f->right.label, sizeof f->right.label, "%s",
		averaged(source,
			loss                                     ? "held-out loss"
				: source->snapshot->estimated[0] ? "estimated accuracy (%)"
								 : "held-out accuracy (%)",
			label));
	title_means(f, source, "quality: ");
	f->y.low = 0; // where the saves stand
	f->key_rows = KEY_ROWS;
	const struct happening *happening = source->happenings ? source->happenings(source->session, &count) : NULL;
	if (happening && !add_happenings(f, happening, count)) {
		figure_free(f);
		return NULL;
	}
	return with(f, source, q, 2);
}

struct figure *figure_entropy(const struct figure_source *source)
{
	static const struct quantity q = {"entropy", AT(entropy), 1, SERIES_LINE, ROLE_MAIN, false, false};
	struct figure *f = figure_over_steps(source, "policy entropy (1: uniform)", "Entropy of the policy");
	if (f) {
		f->y.low = 0;
		f->y.high = 1;
	}
	return with(f, source, &q, 1);
}

struct figure *figure_reward(const struct figure_source *source)
{
	static const struct quantity q = {"reward", AT(reward), 1, SERIES_LINE, ROLE_MAIN, true, false};
	char label[96];
	struct figure *f = figure_over_steps(source, averaged(source, "reward", label), "Reward of the sampled choices");
	title_means(f, source, "");
	return with(f, source, &q, 1);
}

struct figure *figure_of_qualities(const struct figure_source *source, const char *const *name, int count)
{
	bool loss = count && source[0].snapshot->quality_is_loss;
	struct figure *f = figure_new("step", loss ? "held-out loss" : "held-out accuracy (%)");
	if (f)
		figure_title(f, "Quality of the sampled choices");
	for (int i = 0; f && i < count; i++) {
		struct quantity q = {name[i], AT(quality), loss ? -1 : 100, SERIES_LINE,
			(enum figure_role)(ROLE_LANE + i % ENGINE_LANES), true, false};
		if (source[i].snapshot->quality_is_loss == loss)
			f = with(f, &source[i], &q, 1);
	}
	return f;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The table of figures, and the two that show the result: the front and the formats over time.
#include "plots/build.h"
#include "plots/noise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct figure_kind kinds[] = {
	{.name = "front", .help = "cost against accuracy of all choices scored", .build = figure_front, .of_accuracy = true},
	{.name = "bits",
		.help = "every layer's modal format over the steps",
		.build = figure_bits,
		.of_layer = true,
		.of_layers = true},
	{.name = "curves",
		.help = "training loss, training and held-out accuracy over the steps, as moving averages",
		.build = figure_curves},
	{.name = "cost", .help = "cost of the modal and the sampled choices over the steps", .build = figure_cost},
	{.name = "entropy", .help = "how undecided the policy is, over the steps", .build = figure_entropy},
	{.name = "reward", .help = "reward of the sampled choices over the steps", .build = figure_reward},
	{.name = "policy",
		.help = "the probabilities of a layer's formats over the steps",
		.build = figure_policy,
		.of_layer = true,
		.of_layers = true,
		.of_slot = true},
	{.name = "error",
		.help = "what each format of each layer does to its output: signal to noise, as `plot error` measures it",
		.build = figure_error,
		.of_layer = true,
		.of_layers = true,
		.of_errors = true},
	{.name = "timeline",
		.help = "your changes, notes, branches and saves over the steps, and what cost and quality did",
		.build = figure_timeline},
	{.name = "roofline",
		.help = "what each layer attains on the device, under its roofs",
		.build = figure_roofline,
		.of_layers = true},
	{.name = "measured",
		.help = "the latency model against times measured on a TPU v4",
		.build = figure_measured,
		.of_layers = true},
	{.name = "slice",
		.help = "the slice that is looked at, else 4x4x8 of tpu_v4: hops between its chips, or the links where their loads are uneven (`slice SHAPE plot=FILE`: of any)",
		.build = figure_slice,
		.apart = true},
	{.name = "loads",
		.help = "load of that slice's links by axis, regular and twisted (`slice SHAPE loads=FILE`: of any)",
		.build = figure_loads,
		.apart = true},
	{.name = "links", .help = "what each link of that slice carries", .build = figure_links, .apart = true},
	{.name = "goodput",
		.help = "goodput of tpu_v4 by size of slice and availability, with and without switches",
		.build = figure_goodput,
		.apart = true},
};

const struct figure_kind *figure_kinds(size_t *count)
{
	*count = sizeof kinds / sizeof kinds[0];
	return kinds;
}

const struct figure_kind *figure_kind_named(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

// ---- front ---------------------------------------------------------------------------------------------------------

// Where accuracies are compared across more than this factor of cost, the cost axis is logarithmic.
static const double wide_span = 3;

static bool is_modal_now(const struct snapshot *s, const struct front_point *p)
{
	if (p->origin != POINT_MODAL || !p->choice)
		return false;
	for (int d = 0; d < s->slots; d++)
		if (p->choice[d] != s->slot[d].modal && !engine_rests(s->info, d, p->choice))
			return false;
	return true;
}

// The point of the modal choice as it is now; failing that the modal choice scored last; -1: none was scored.
static int modal_point(const struct snapshot *s)
{
	int newest = -1;
	for (int i = 0; i < s->points; i++) {
		if (is_modal_now(s, &s->point[i]))
			return i;
		if (s->point[i].origin == POINT_MODAL && (newest < 0 || s->point[i].step >= s->point[newest].step))
			newest = i;
	}
	return newest;
}

struct spot {
	double cost, accuracy;
};

static int by_cost(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	if (p->cost != q->cost)
		return p->cost < q->cost ? -1 : 1;
	return p->accuracy > q->accuracy ? -1 : p->accuracy < q->accuracy;
}

// The non-dominated points under this figure's term (the archive's own flag may be about another term), of the weights that all
// formats share: what was trained for one choice alone stands beside the line.
static bool add_front(struct figure *f, const struct snapshot *s, int term, double divisor)
{
	struct series *front = figure_add_series(f, "front", SERIES_STEPS, ROLE_FRONT, (size_t)s->points, false);
	struct spot *spot = calloc(s->points > 0 ? (size_t)s->points : 1, sizeof *spot);
	if (!front || !spot) {
		free(spot);
		return false;
	}
	size_t count = 0;
	for (int i = 0; i < s->points; i++)
		if (!s->point[i].trained && isfinite(s->point[i].cost[term]) && isfinite(s->point[i].accuracy))
			spot[count++] = (struct spot){s->point[i].cost[term], s->point[i].accuracy};
	qsort(spot, count, sizeof *spot, by_cost);
	double best = -INFINITY;
	for (size_t i = 0; i < count; i++)
		if (spot[i].accuracy > best) {
			best = spot[i].accuracy;
			series_add(front, spot[i].cost / divisor, 100 * best, NULL);
		}
	free(spot);
	return true;
}

static const struct lane_state *lane_of(const struct snapshot *s, const struct front_point *p)
{
	for (int i = 0; i < s->lanes; i++)
		if (s->lane[i].number == p->lane)
			return &s->lane[i];
	return NULL;
}

// What a point is. Where there are several lanes, each has its points; those of lanes that are gone are choices that were found.
static enum figure_role role_of(const struct snapshot *s, int point, int modal)
{
	const struct front_point *p = &s->point[point];
	const struct lane_state *lane = s->lanes > 1 ? lane_of(s, p) : NULL;
	if (p->trained)
		return ROLE_SECOND;
	if (p->origin == POINT_UNIFORM)
		return ROLE_UNIFORM;
	if (s->lanes > 1)
		return lane ? (enum figure_role)(ROLE_LANE + lane->place) : ROLE_SAMPLED;
	return point == modal ? ROLE_MAIN : ROLE_SAMPLED;
}

// The points of one meaning. Modal choices of the past are choices that the policy found, as the sampled ones are.
static bool add_points(struct figure *f, const struct snapshot *s, int term, double divisor, const char *name,
	enum figure_role role, int modal)
{
	char estimated[ENGINE_NAME], label[16];
	snprintf(estimated, sizeof estimated, "%s, estimated", name);
	struct series *series = figure_add_series(f, s->estimated[0] ? estimated : name, SERIES_POINTS, role, (size_t)s->points,
		role != ROLE_SAMPLED);
	if (!series)
		return false;
	series->estimated = s->estimated[0];
	for (int i = 0; i < s->points; i++) {
		const struct front_point *p = &s->point[i];
		enum figure_role its = role_of(s, i, modal);
		snprintf(label, sizeof label, "%s%.14s", s->estimated[0] ? "~" : "", role == ROLE_MAIN ? "modal" : p->label);
		if (its == role)
			series_add(series, p->cost[term] / divisor, 100 * p->accuracy, label);
	}
	return true;
}

static bool any_of(const struct snapshot *s, enum figure_role role, int modal)
{
	for (int i = 0; i < s->points; i++)
		if (role_of(s, i, modal) == role)
			return true;
	return false;
}

static int alones_done(const struct figure_source *source)
{
	int done = 0;
	for (int i = 0; i < source->alones; i++)
		done += !source->alone[i].under_way;
	return done;
}

// Choices whose weights were trained for them: copies of the shared ones, and those trained alone, from nothing.
static bool add_trained(struct figure *f, const struct figure_source *source, double divisor)
{
	const struct snapshot *s = source->snapshot;
	const int alones = alones_done(source);
	if (!alones && !any_of(s, ROLE_SECOND, -1))
		return true;
	struct series *series = figure_add_series(f, "trained", SERIES_POINTS, ROLE_SECOND, (size_t)(s->points + source->alones),
		true);
	for (int i = 0; series && i < s->points; i++)
		if (s->point[i].trained)
			series_add(series, s->point[i].cost[source->term] / divisor, 100 * s->point[i].accuracy,
				s->point[i].label);
	for (int i = 0; series && i < source->alones; i++)
		if (!source->alone[i].under_way)
			series_add(series, source->alone[i].cost[source->term] / divisor, 100 * source->alone[i].accuracy,
				"alone");
	return series != NULL;
}

char figure_lane_sign(int number)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	return number < 10 ? "0123456789"[number] : letters[(number - 10) % 26];
}

// Where there are several lanes, those that are gone may have left none.
static bool any_sampled(const struct snapshot *s, int modal)
{
	return s->lanes < 2 || any_of(s, ROLE_SAMPLED, modal);
}

// Each lane's points under its sign, its last modal choice with its name.
static bool add_lanes(struct figure *f, const struct snapshot *s, int term, double divisor)
{
	for (int k = 0; k < s->lanes && s->lanes > 1; k++) {
		const struct lane_state *lane = &s->lane[k];
		enum figure_role role = (enum figure_role)(ROLE_LANE + lane->place);
		char name[ENGINE_NAME], label[16];
		snprintf(name, sizeof name, "lane %d: %.32s", lane->number, lane->name);
		struct series *series = figure_add_series(f, name, SERIES_POINTS, role, (size_t)s->points, true);
		if (!series)
			return false;
		series->estimated = s->estimated[0];
		series->sign = figure_lane_sign(lane->number);
		snprintf(label, sizeof label, "%slane %d", s->estimated[0] ? "~" : "", lane->number);
		for (int i = 0; i < s->points; i++)
			if (role_of(s, i, -1) == role)
				series_add(series, s->point[i].cost[term] / divisor, 100 * s->point[i].accuracy,
					s->point[i].origin == POINT_MODAL ? label : "");
	}
	return true;
}

// The part of the axis that is looked at, and the accuracies of the points there.
static void take_window(struct figure *f, const struct figure_source *source, double least, double divisor)
{
	const struct figure_window *w = &source->window;
	const struct snapshot *s = source->snapshot;
	double low = INFINITY, high = -INFINITY;
	if (w->kind != WINDOW_BY_DATA)
		f->x.logarithmic = w->kind == WINDOW_LOG && least > 0;
	if (!w->fixed)
		return;
	f->x.low = w->low / divisor;
	f->x.high = w->high / divisor;
	for (int i = 0; i < s->points; i++)
		if (s->point[i].cost[source->term] >= w->low && s->point[i].cost[source->term] <= w->high) {
			low = fmin(low, 100 * s->point[i].accuracy);
			high = fmax(high, 100 * s->point[i].accuracy);
		}
	if (!(low <= high))
		return;
	double room = fmax(0.5, 0.1 * (high - low));
	f->y.low = fmax(0, low - room);
	f->y.high = fmin(100, high + room);
}

// ---- its axis of accuracies ----

// From here on it is errors that choices differ in: 98 % has half of those of 96 %, which only a logit axis shows.
static const double few_errors = 95;

// The least and the largest accuracy that is drawn, in percent.
static void accuracies_of(const struct figure *f, double *least, double *most)
{
	*least = INFINITY;
	*most = -INFINITY;
	for (int i = 0; i < f->series_count; i++)
		for (size_t k = 0; k < f->series[i].count && f->series[i].kind == SERIES_POINTS; k++)
			if (isfinite(f->series[i].x[k]) && isfinite(f->series[i].y[k])) {
				*least = fmin(*least, f->series[i].y[k]);
				*most = fmax(*most, f->series[i].y[k]);
			}
}

// None and all have no place on such an axis: they stand where half an image less, or more, would be.
static double within(const struct figure_source *source, double accuracy)
{
	const long images = snapshot_images(source->snapshot);
	const double half = images > 0 ? 50. / (double)images : 0.05;
	return isfinite(accuracy) ? fmax(half, fmin(100 - half, accuracy)) : accuracy;
}

static void take_accuracy(struct figure *f, const struct figure_source *source)
{
	const enum accuracy_axis asked = source->window.accuracy;
	double least, most;
	accuracies_of(f, &least, &most);
	const bool helps = most >= few_errors && least < most;
	if (asked == ACCURACY_LOGIT || (asked == ACCURACY_BY_DATA && helps))
		f->y.whole = 100;
	f->y.logarithmic = asked == ACCURACY_LOG;
	if (asked == ACCURACY_LINEAR || (!f->y.logarithmic && !(f->y.whole > 0)))
		return;
	f->y.low = within(source, f->y.low);
	f->y.high = within(source, f->y.high);
	for (int i = 0; i < f->series_count; i++)
		for (size_t k = 0; k < f->series[i].count; k++)
			f->series[i].y[k] = within(source, f->series[i].y[k]);
}

struct figure *figure_front(const struct figure_source *source)
{
	const struct snapshot *s = source->snapshot;
	const struct term_state *term = source_term(source);
	double least = INFINITY, most = 0;
	for (int i = 0; term && i < s->points; i++) {
		double cost = s->point[i].cost[source->term];
		if (!isfinite(cost) || cost < 0)
			continue;
		least = fmin(least, cost);
		most = fmax(most, cost);
	}
	struct unit unit = unit_of(term, most);
	char accuracy[ENGINE_TEXT + 32], subject[2 * ENGINE_TEXT + 8];
	if (s->estimated[0])
		snprintf(accuracy, sizeof accuracy, "accuracy (%%), estimated: %s", s->estimated);
	else
		snprintf(accuracy, sizeof accuracy, s->idle ? "accuracy (%%)" : "held-out accuracy (%%)");
	struct figure *f = figure_new(unit.label, accuracy);
	if (!f)
		return NULL;
	figure_title(f, "Front of %s, step %ld%s", subject_of(s->info, subject), s->step, s->idle ? ": nothing is scored" : "");
	f->x.logarithmic = least > 0 && most > wide_span * least;
	f->x.unit = unit.divisor;
	if (!term)
		return f;
	take_window(f, source, least, unit.divisor);
	int modal = modal_point(s), hand = source->point;
	char label[64];
	char past[32];
	snprintf(label, sizeof label, "target %s", term->target_text);
	snprintf(past, sizeof past, "step %ld", source->window.past_step);
	const double target = source->window.target > 0 ? source->window.target : term->targeted ? term->target : 0;
	if (noise_band(f, source, unit.divisor) && noise_intervals(f, source, unit.divisor) &&
		add_front(f, s, source->term, unit.divisor) &&
		(!any_sampled(s, modal) || add_points(f, s, source->term, unit.divisor, "sampled", ROLE_SAMPLED, modal)) &&
		add_points(f, s, source->term, unit.divisor, "uniform", ROLE_UNIFORM, modal) &&
		(s->lanes > 1 || add_points(f, s, source->term, unit.divisor, "modal", ROLE_MAIN, modal)) &&
		add_trained(f, source, unit.divisor) && add_lanes(f, s, source->term, unit.divisor) &&
		(hand < 1 || hand > s->points ||
			figure_add_line(f, true, s->point[hand - 1].cost[source->term] / unit.divisor, ROLE_MARK, "")) &&
		(!(source->window.past > 0) || figure_add_line(f, true, source->window.past / unit.divisor, ROLE_MARK, past)) &&
		(!(target > 0) || figure_add_line(f, true, target / unit.divisor, ROLE_TARGET, label))) {
		take_accuracy(f, source);
		return f;
	}
	figure_free(f);
	return NULL;
}

// ---- formats over time -----------------------------------------------------------------------------------------------

enum { MOST_COLUMNS = 240 }; // columns of the heat map: more than any screen, few enough for a page

// The distinct formats over all options, the narrowest first. Formats of one width stay apart.
enum { MOST_LEVELS = 64 };
struct levels {
	int count;
	struct option_info level[MOST_LEVELS];
};

static void levels_add(struct levels *l, const struct option_info *o)
{
	int at = 0;
	for (int i = 0; i < l->count; i++)
		if (strcmp(l->level[i].name, o->name) == 0)
			return;
	while (at < l->count && l->level[at].bits <= o->bits)
		at++;
	if (l->count == MOST_LEVELS)
		return;
	memmove(&l->level[at + 1], &l->level[at], (size_t)(l->count - at) * sizeof l->level[0]);
	l->level[at] = *o;
	l->count++;
}

// An option's place among the levels, 0..1; NaN where the option is none.
static float shade(const struct levels *l, const struct slot_info *d, int option)
{
	if (option < 0 || option >= d->options)
		return NAN;
	for (int i = 0; i < l->count; i++)
		if (strcmp(l->level[i].name, d->option[option].name) == 0)
			return l->count > 1 ? (float)i / (float)(l->count - 1) : 0;
	return NAN;
}

// The modal option of a slot in a column: at the last record of its stretch, or now where there are none.
static int modal_at(const struct figure_source *source, long record, int slot)
{
	const struct snapshot *now = source->snapshot;
	if (record >= 0)
		return source->modal[(size_t)record * (size_t)now->info->slots + (size_t)slot];
	return slot < now->slots ? now->slot[slot].modal : -1;
}

long figure_records_to(const struct figure_source *source, long step)
{
	long low = 0, high = source->records;
	while (low < high) {
		long middle = low + (high - low) / 2;
		if (source->record[middle].step <= step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

long figure_record_of(long records, int columns, int column)
{
	return records <= columns ? column : (long)((double)(column + 1) * (double)records / columns + 0.5) - 1;
}

static bool add_history(struct figure *f, const struct figure_source *source, const struct levels *l)
{
	const struct engine_info *info = source->snapshot->info;
	long records = source->modal ? source->records : 0;
	// The last column is the present; a search that has not begun has only that.
	int columns = records < 1 ? 1 : records < MOST_COLUMNS ? (int)records : MOST_COLUMNS;
	long at[MOST_COLUMNS]; // the record shown in each column: the last of its stretch
	for (int c = 0; c < columns; c++)
		at[c] = records > 0 ? figure_record_of(records, columns, c) : -1;
	// A row for each layer, as long as its weights and activations never went apart.
	bool apart = source->snapshot->split;
	int rows = 0;
	for (int i = 0; i < info->formats; i++) {
		rows += !engine_second_half(info, i);
		for (int c = 0; c < columns && engine_second_half(info, i); c++)
			apart |= modal_at(source, at[c], i) != modal_at(source, at[c], i - 1);
	}
	struct heat *h = figure_add_heat(f, apart ? info->formats : rows, columns, l->count);
	if (!h)
		return false;
	for (int i = 0, row = 0; i < info->formats; i++) {
		if (!apart && engine_second_half(info, i))
			continue;
		bool whole = !apart && engine_second_half(info, i + 1);
		snprintf(h->row[row], sizeof h->row[row], "%s",
			whole ? info->layer[info->slot[i].layer].name : info->slot[i].name);
		float of_option[ENGINE_OPTIONS];
		for (int o = 0; o < ENGINE_OPTIONS; o++)
			of_option[o] = shade(l, &info->slot[i], o);
		for (int c = 0; c < columns; c++) {
			int modal = modal_at(source, at[c], i);
			h->value[(size_t)row * (size_t)columns + (size_t)c] = modal >= 0 && modal < ENGINE_OPTIONS
				? of_option[modal]
				: NAN;
		}
		if (info->slot[i].layer == source->layer && !engine_second_half(info, i))
			h->focus = row;
		row++;
	}
	for (int i = 0; i < l->count; i++)
		memcpy(h->level[i], l->level[i].name, sizeof h->level[i]);
	h->first = records > 0 ? (double)source->record[at[0]].step : 0;
	h->last = records > 0 ? (double)source->record[records - 1].step : (double)source->snapshot->step;
	if (l->count)
		snprintf(h->legend, sizeof h->legend, "modal format, %s to %s", l->level[0].name, l->level[l->count - 1].name);
	return true;
}

struct figure *figure_bits(const struct figure_source *source)
{
	const struct snapshot *s = source->snapshot;
	struct figure *f = figure_new("step", "");
	if (!f)
		return NULL;
	char subject[2 * ENGINE_TEXT + 8];
	figure_title(f, "Modal formats of %s", subject_of(s->info, subject));
	if (!s->info || s->info->formats < 1)
		return f;
	struct levels l = {0};
	for (int d = 0; d < s->info->formats; d++)
		for (int o = 0; o < s->info->slot[d].options; o++)
			levels_add(&l, &s->info->slot[d].option[o]);
	bool ok = add_history(f, source, &l);
	for (int m = 0; ok && m < source->marks; m++)
		ok = figure_add_line(f, true, (double)source->mark[m].step, ROLE_MARK, source->mark[m].text);
	if (ok)
		return f;
	figure_free(f);
	return NULL;
}

// ---- formats side by side ----------------------------------------------------------------------------------------------

// The slot of a name; -1: there is none.
static int slot_of(const struct engine_info *info, const char *name)
{
	for (int i = 0; i < info->formats; i++)
		if (strcmp(info->slot[i].name, name) == 0)
			return i;
	return -1;
}

// A map's column ends where it stands, and begins where the one before it does: a choice takes many, the last of which stay blank.
enum { CHOICE_COLUMNS = 40, CHOICE_GAP = 2 };

struct figure *figure_of_formats(const struct engine_info *const *info, const uint8_t *const *choice, const char *const *name,
	int count)
{
	struct levels l = {0};
	bool apart = false;
	int rows = 0;
	for (int i = 0; i < count; i++)
		for (int d = 0; d < info[i]->formats; d++) {
			levels_add(&l, &info[i]->slot[d].option[choice[i][d]]);
			apart |= engine_second_half(info[i], d) && choice[i][d] != choice[i][d - 1];
		}
	for (int d = 0; d < info[0]->formats; d++)
		rows += apart || !engine_second_half(info[0], d);
	struct figure *f = figure_new("", "");
	if (f && !rows)
		return f;
	struct heat *h = f ? figure_add_heat(f, rows, count * CHOICE_COLUMNS, l.count) : NULL;
	if (!h || !heat_named(h, count)) {
		figure_free(f);
		return NULL;
	}
	for (int i = 0; i < count; i++)
		snprintf(h->part[i], sizeof h->part[i], "%s", name[i]);
	figure_title(f, "Formats of %s", info[0]->net);
	for (int d = 0, row = 0; d < info[0]->formats; d++) {
		const struct slot_info *slot = &info[0]->slot[d];
		if (!apart && engine_second_half(info[0], d))
			continue;
		snprintf(h->row[row], sizeof h->row[row], "%s", apart ? slot->name : info[0]->layer[slot->layer].name);
		for (int i = 0; i < count; i++) {
			int own = slot_of(info[i], slot->name);
			float level = own >= 0 ? shade(&l, &info[i]->slot[own], choice[i][own]) : NAN;
			for (int k = 0; k < CHOICE_COLUMNS; k++)
				h->value[(row * count + i) * CHOICE_COLUMNS + k] = k < CHOICE_COLUMNS - CHOICE_GAP ? level : NAN;
		}
		row++;
	}
	for (int i = 0; i < l.count; i++)
		memcpy(h->level[i], l.level[i].name, sizeof h->level[i]);
	h->first = 1. / CHOICE_COLUMNS;
	h->last = count;
	return f;
}

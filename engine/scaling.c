// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model.h"

enum { SMALL_DATA = 32, LARGEST = 4096 };              // sides: of CIFAR-10, beyond which nothing new lies; of any network
enum { UNIT = 1000 };                                  // widths are whole parts of this
enum { GRIDS = 4, FINE = 2, GRID_MOST = 18 };          // FINE: from here on the sides of small images go by single pixels
static const int grids[GRIDS] = {5, 8, 12, GRID_MOST}; // depths, and sides, that are tried: more until enough meet the level

// A question being worked out.
struct work {
	const struct scaling_question *q;
	const char *format;
	const char *price; // q->price, or q->net
	int side, priced_side, largest, step;
	double base; // its cost
	int batch;   // of what was timed last
	bool assumed;
	struct fault fault;
};

static double thousandths(int width)
{
	return (double)width / UNIT;
}

// ---- what a network costs -----------------------------------------------------------------------------------------------------

static bool usual_format(const struct description *d, const char *term, int batch, const char **format, struct fault *f)
{
	struct costing *c = costing_new(d, term, batch, f);
	const char *type = c ? costing_type(c, "bf16") : NULL;
	*format = type && strcmp(type, "bf16") == 0 ? "bf16" : "fp16";
	costing_free(c);
	return c != NULL;
}

static double kernel_floor(const char *device)
{
	struct device_sheet sheet;
	const struct sheet_figure *floor = catalog_device(device, &sheet, NULL) ? sheet_figure(&sheet, "kernel", "floor") : NULL;
	return floor ? 1e-3 * floor->value : 0; // us to ms
}

// What most of the time goes to.
static bool find_bound(const struct costing *c, const struct layer_formats *formats, const char *device, int layers,
	struct scaled *s, struct fault *f)
{
	static const char *const names[] = {"compute", "vector unit", "memory", "kernel floor", "no weights"};
	enum { COMPUTE, VECTOR, MEMORY, FLOOR, REST, BOUNDS };
	double ms[BOUNDS] = {0}, floor = kernel_floor(device), sum = 0;
	struct roofline r;
	struct roofline_point *point = calloc((size_t)layers + 1, sizeof *point);
	bool ok = (point || fault_memory(f, s->net)) && costing_roofline(c, formats, 1, &r, point, f);
	for (int i = 0; ok && i < layers; i++) {
		const struct roofline_point *p = &point[i];
		int at = 2 * floor >= p->ms              ? FLOOR
			: p->memory_bound                ? MEMORY
			: strcmp(p->type, "vector") == 0 ? VECTOR
							 : COMPUTE;
		ms[at] += p->ms;
		sum += p->ms;
	}
	free(point);
	ms[REST] = s->ms - sum;
	for (int b = 0, most = 0; b < BOUNDS; b++)
		if (b == 0 || ms[b] > ms[most]) {
			most = b;
			s->bound = names[b];
			s->share = ms[b] / s->ms;
		}
	return ok;
}

enum wanted { COUNTS, TIME, ALL }; // layers and MACs; its time too; and what bounds it

static bool time_it(struct work *w, const struct description *d, struct scaled *s, enum wanted wanted)
{
	char term[ENGINE_TEXT + 16];
	term_write(TERM_LATENCY, w->q->device, term, sizeof term);
	if (!w->format && !usual_format(d, term, w->q->batch, &w->format, &w->fault))
		return false;
	const struct layer_formats formats = {w->format, w->format};
	struct costing *c = costing_new(d, term, w->q->batch, &w->fault);
	bool ok = c && costing_total(c, &formats, 1, &s->ms, &w->fault) &&
		(wanted < ALL || find_bound(c, &formats, w->q->device, s->layers, s, &w->fault));
	if (c) {
		w->batch = costing_batch(c);
		w->assumed = costing_assumed(c);
	}
	costing_free(c);
	return ok;
}

// Fills in what is priced.
static bool price(struct work *w, struct scaled *s, enum wanted wanted)
{
	struct description *d = description_open(s->priced, 0, 0, 0, 0, &w->fault);
	if (!d)
		return false;
	s->priced_macs = description_info(d)->macs + description_info(d)->attention_macs;
	s->layers = description_info(d)->layers;
	bool ok = wanted == COUNTS || time_it(w, d, s, wanted);
	description_close(d);
	return ok;
}

bool scaling_price(const struct scaling_question *q, const char *net, struct scaled *s, struct fault *f)
{
	struct work w = {.q = q, .format = q->format};
	*s = (struct scaled){.level = -1, .depth = 1, .width = 1, .resolution = 1, .multiple = 1};
	snprintf(s->net, sizeof s->net, "%s", net);
	snprintf(s->priced, sizeof s->priced, "%s", net);
	bool ok = price(&w, s, ALL);
	s->macs = s->priced_macs;
	if (!ok)
		*f = w.fault;
	return ok;
}

// ---- a candidate --------------------------------------------------------------------------------------------------------------

// A candidate's names; false: beyond what the network takes.
static bool name(struct work *w, struct scaled *s)
{
	int side = s->side == w->side ? 0 : s->side;
	s->resolution = (double)s->side / w->side;
	s->product = s->depth * s->width * s->width * s->resolution * s->resolution;
	if (!scaling_name(w->q->net, s->depth, s->width, side, s->net, &w->fault))
		return false;
	if (w->price == w->q->net)
		return snprintf(s->priced, sizeof s->priced, "%s", s->net) > 0;
	int priced = (int)lround(w->priced_side * s->resolution);
	if (w->priced_side <= MODEL_SMALL_SIDE && priced > MODEL_SMALL_SIDE)
		return false;
	return scaling_name(w->price, s->depth, s->width, side ? priced : 0, s->priced, &w->fault);
}

// Its cost; INFINITY: it cannot be built or priced. `fault` says why.
static double cost_at(struct work *w, double depth, double width, int side)
{
	struct scaled s = {.depth = depth, .width = width, .side = side};
	if (!name(w, &s) || !price(w, &s, w->q->by_macs ? COUNTS : TIME))
		return INFINITY;
	return w->q->by_macs ? s.priced_macs : s.ms;
}

// ---- depths and sides that a network can take ---------------------------------------------------------------------------------

// Layers of the network, and of the one that is priced in its place.
static int layers_at(struct work *w, double depth)
{
	struct scaled s = {.depth = depth, .width = 1, .side = w->side};
	if (!name(w, &s) || !price(w, &s, COUNTS))
		return 0;
	struct description *d = w->price == w->q->net ? NULL : description_open(s.net, 0, 0, 0, 0, &w->fault);
	const int layers = s.layers + (d ? description_info(d)->layers : 0);
	description_close(d);
	return layers;
}

// The largest depth up to this one at which no stage could be a little deeper without gaining a block; written shortly.
static double whole_depth(struct work *w, double depth)
{
	double low = 1, high = depth;
	const int layers = layers_at(w, depth);
	if (layers == layers_at(w, 1))
		return 1;
	while (high - low > 1e-4)
		*(layers_at(w, (low + high) / 2) == layers ? &high : &low) = (low + high) / 2;
	const int below = layers_at(w, low);
	for (double digits = 10; digits <= 1000; digits *= 10) {
		double rounded = round(high * digits) / digits;
		if (fabs(rounded - high) < 0.005 && rounded >= 1 && layers_at(w, rounded) == below)
			return rounded;
	}
	return floor(low * UNIT) / UNIT;
}

// Depths from 1 on, evenly in the logarithm, at width 1 and the base's side within `most`; how many.
static int find_depths(struct work *w, double most, int count, double *depth)
{
	double low = 1, high = 2;
	while (cost_at(w, high, 1, w->side) <= most)
		low = high, high *= 2;
	for (int i = 0; i < 12; i++)
		*(cost_at(w, sqrt(low * high), 1, w->side) <= most ? &low : &high) = sqrt(low * high);
	int found = 0;
	for (int i = 0; i < count; i++) {
		double d = whole_depth(w, pow(low, (double)i / (count - 1)));
		if (!found || d > depth[found - 1])
			depth[found++] = d;
	}
	return found;
}

// Sides from the base's on likewise.
static int find_sides(struct work *w, double most, int count, int *side)
{
	int last = w->side, found = 0;
	for (int next = w->side / w->step * w->step + w->step; next <= w->largest; next += w->step) {
		if (cost_at(w, 1, 1, next) > most)
			break;
		last = next;
	}
	for (int i = 0; i < count; i++) {
		double wanted = w->side * pow((double)last / w->side, (double)i / (count - 1));
		int s = i ? (int)(wanted / w->step + 0.5) * w->step : w->side;
		if (s <= last && (!found || s > side[found - 1]))
			side[found++] = s;
	}
	return found;
}

// ---- a level ------------------------------------------------------------------------------------------------------------------

enum meeting { MET, MISSED, BEYOND }; // BEYOND: dearer at width 1

static bool near(double cost, double target)
{
	return cost <= target * (1 + SCALING_TOLERANCE) && cost >= target * (1 - SCALING_TOLERANCE);
}

// Finds the width that meets the target. Costs rise with the width, but for steps of the channels' rounding.
static enum meeting solve_width(struct work *w, double target, double depth, int side, int *width)
{
	int low = UNIT, high = UNIT + UNIT / 8;
	double below = cost_at(w, depth, 1, side), above;
	if (below > target * (1 + SCALING_TOLERANCE))
		return BEYOND;
	*width = low;
	if (below >= target)
		return MET;
	while ((above = cost_at(w, depth, thousandths(high), side)) < target) {
		low = high;
		below = above;
		high += high / 4;
	}
	while (high - low > 1) {
		int middle = (low + high) / 2;
		double cost = cost_at(w, depth, thousandths(middle), side);
		if (cost < target)
			low = middle, below = cost;
		else
			high = middle, above = cost;
	}
	*width = target / below < above / target ? low : high;
	return near(target / below < above / target ? below : above, target) ? MET : MISSED;
}

static bool add_point(struct scaling *sc, const struct scaled *s, struct fault *f)
{
	struct scaled *room = realloc(sc->point, (size_t)(sc->points + 1) * sizeof *room);
	if (!room)
		return fault_memory(f, s->net);
	sc->point = room;
	sc->point[sc->points++] = *s;
	return true;
}

// All that meet the level among so many depths and sides, from `first` on.
static bool try_grid(struct work *w, struct scaling *sc, int level, int grid, int first, struct fault *f)
{
	double depth[GRID_MOST], target = w->q->level[level] * w->base;
	int side[GRID_MOST], width = UNIT;
	const double most = target * (1 + SCALING_TOLERANCE);
	int depths = find_depths(w, most, grid, depth), sides = find_sides(w, most, grid, side);
	sc->points = first;
	sc->level[level] = (struct scaling_level){0};
	for (int d = 0; d < depths; d++)
		for (int s = 0; s < sides; s++) {
			enum meeting met = solve_width(w, target, depth[d], side[s], &width);
			struct scaled point = {.level = level, .depth = depth[d], .width = thousandths(width), .side = side[s]};
			sc->level[level].met += met == MET;
			sc->level[level].missed += met == MISSED;
			if (met == MET && !add_point(sc, &point, f))
				return false;
		}
	return true;
}

// How far apart two candidates lie: in what each multiple adds to the logarithm of the product.
static double apart(const struct scaled *a, const struct scaled *b)
{
	double d = log(a->depth / b->depth), w = 2 * log(a->width / b->width), r = 2 * log((double)a->side / b->side);
	return sqrt(d * d + w * w + r * r);
}

// Keeps `points` of those from `first` on: the widest, then again and again the one that is farthest from all that are kept. They stay in
// order.
static void spread_out(struct scaling *sc, int first, int points)
{
	bool keep[GRID_MOST * GRID_MOST] = {false};
	struct scaled *from = sc->point + first;
	const int count = sc->points - first;
	int next = 0, kept = first;
	for (int i = 1; i < count; i++)
		if (from[i].width > from[next].width)
			next = i;
	for (int n = 0; n < points && n < count; n++) {
		double farthest = -1;
		keep[next] = true;
		for (int i = 0; i < count; i++) {
			double nearest = INFINITY;
			for (int k = 0; k < count; k++)
				if (keep[k])
					nearest = fmin(nearest, apart(&from[i], &from[k]));
			if (!keep[i] && nearest > farthest) {
				farthest = nearest;
				next = i;
			}
		}
	}
	for (int i = 0; i < count; i++)
		if (keep[i])
			sc->point[kept++] = from[i];
	sc->points = kept;
}

static bool fill(struct work *w, struct scaled *s, struct fault *f)
{
	if (!name(w, s) || !price(w, s, ALL)) {
		*f = w->fault;
		return false;
	}
	s->macs = s->priced_macs;
	s->multiple = (w->q->by_macs ? s->priced_macs : s->ms) / (w->base > 0 ? w->base : 1);
	if (w->price == w->q->net)
		return true;
	struct description *d = description_open(s->net, 0, 0, 0, 0, f);
	if (!d)
		return false;
	s->macs = description_info(d)->macs + description_info(d)->attention_macs;
	s->layers = description_info(d)->layers;
	description_close(d);
	return true;
}

static bool find_level(struct work *w, struct scaling *sc, int level, struct fault *f)
{
	const int first = sc->points;
	w->step = w->side <= MODEL_SMALL_SIDE ? 2 : 8;
	for (int g = 0; g < GRIDS && (g == 0 || sc->level[level].met < w->q->points); g++) {
		if (g == FINE && w->side <= MODEL_SMALL_SIDE)
			w->step = 1;
		if (!try_grid(w, sc, level, grids[g], first, f))
			return false;
	}
	sc->level[level].step = w->step;
	spread_out(sc, first, w->q->points);
	sc->level[level].points = sc->points - first;
	for (int i = first; i < sc->points; i++)
		if (!fill(w, &sc->point[i], f))
			return false;
	return true;
}

// ---- the whole ----------------------------------------------------------------------------------------------------------------

static bool check(const struct scaling_question *q, struct fault *f)
{
	if (q->levels < 1 || q->levels > SCALING_LEVELS)
		return fault_set(f, "levels", "levels=2,4,8, for one", "there are %d of them, not 1 to %d", q->levels,
			SCALING_LEVELS);
	for (int l = 0; l < q->levels; l++)
		if (!(q->level[l] > 1 && q->level[l] <= 1000) || (l > 0 && q->level[l] <= q->level[l - 1]))
			return fault_set(f, "levels", "give multiples above 1, each larger than the one before: levels=2,4,8",
				"%g is none here", q->level[l]);
	return (q->points >= 1 && q->points <= SCALING_POINTS) ||
		fault_set(f, "points", "points=12, for one", "%d candidates are not 1 to %d", q->points, SCALING_POINTS);
}

static bool side_of(const char *net, int *side, struct fault *f)
{
	struct model_scale own;
	if (!model_scale_of(net, &own, f))
		return false;
	*side = own.side;
	return true;
}

static bool begin(struct work *w, struct scaling *sc, struct fault *f)
{
	const struct scaling_question *q = w->q;
	if (!check(q, f) || !side_of(q->net, &w->side, f) || !side_of(w->price, &w->priced_side, f))
		return false;
	const bool small = w->side <= MODEL_SMALL_SIDE;
	w->largest = q->largest ? q->largest : w->side < SMALL_DATA ? SMALL_DATA : small ? MODEL_SMALL_SIDE : LARGEST;
	if (w->largest < w->side || (small && w->largest > MODEL_SMALL_SIDE))
		return fault_set(f, q->net, "leave largest= out, or choose another", "images grow from %d pixels to %d%s",
			w->side, w->largest, small ? ", and those of a network for small images to 64 at most" : "");
	sc->base = (struct scaled){.level = -1, .depth = 1, .width = 1, .side = w->side};
	if (!fill(w, &sc->base, f))
		return false;
	sc->format = w->format;
	sc->batch = w->batch;
	sc->assumed = w->assumed;
	w->base = q->by_macs ? sc->base.priced_macs : sc->base.ms;
	sc->base.multiple = 1;
	return true;
}

bool scaling_of(const struct scaling_question *q, struct scaling *sc, struct fault *f)
{
	struct work w = {.q = q, .format = q->format, .price = q->price ? q->price : q->net};
	*sc = (struct scaling){0};
	if (!begin(&w, sc, f))
		return false;
	for (int l = 0; l < q->levels; l++)
		if (!find_level(&w, sc, l, f))
			return false;
	return true;
}

void scaling_free(struct scaling *sc)
{
	free(sc->point);
	*sc = (struct scaling){0};
}

bool scaling_name(const char *net, double depth, double width, int side, char scaled[ENGINE_TEXT], struct fault *f)
{
	_Static_assert((int)ENGINE_TEXT >= (int)MODEL_TITLE, "a network's name fits a setting");
	return model_scaled(net, &(struct model_scale){depth, width, side}, scaled, f);
}

bool scaling_published(const char *line, int level, struct scaling_row *row)
{
	struct model_scale its;
	*row = (struct scaling_row){0};
	snprintf(row->name, sizeof row->name, "efficientnet-x-b%d%s", level, line);
	if (!model_scale_of(row->name, &its, NULL))
		return false;
	row->depth = its.depth;
	row->width = its.width;
	row->side = its.side;
	return true;
}

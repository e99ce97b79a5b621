// SPDX-License-Identifier: GPL-3.0-or-later
// A transformer over slices: all partitions by price, one of them by its sizes, and the front over several numbers of chips.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"

enum { SLICES = 64, SIZES = 16, GROUPS = 6, DRAWN = 4096 };

struct found {
	struct division division;
	struct division_price price;
};

struct question {
	struct pod pod;
	struct world world;
	struct division_job job;
	struct site site;
	bool serve, twisted, any;
	double top, pods, batch, context, efficiency;
	const char *spec, *format[FORMAT_USES], *axes, *site_name, *plot;
	struct report_points points; // of the figure, by `groups` names
	char group[GROUPS][48];
	int groups;
	struct found *found;
	int count, room;
	int refused, unpriced; // that do not fit; that are none, with more stages than layers, say
	struct found least;    // of those the one that lacks least
};

// ---- what is asked ----------------------------------------------------------------------------------------------------

static bool read_spec(const char *spec, int size[PARTS], struct fault *f)
{
	const char *at = spec;
	for (int i = 0; i < PARTS; i++) {
		char *end;
		long n = *at >= '0' && *at <= '9' ? strtol(at, &end, 10) : 0;
		if (n < 1 || n > 1 << 20 || *end != (i + 1 < PARTS ? ',' : '\0'))
			return fault_set(f, spec, "write it as 8,1,8,8: pipeline, data, model 1, model 2",
				"are not the sizes of four parts");
		size[i] = (int)n;
		at = end + 1;
	}
	return true;
}

// ---- pricing ----------------------------------------------------------------------------------------------------------

static bool priced(const struct question *q, const struct division *p, struct division_price *price, struct fault *f)
{
	return (q->serve ? division_serve : division_train)(&q->world, &q->job, p, price, f);
}

static bool add_found(struct question *q, const struct division *p, const struct division_price *price, struct fault *f)
{
	if (!price->fits) {
		if (!q->refused++ || price->memory < q->least.price.memory)
			q->least = (struct found){*p, *price};
		return true;
	}
	if (q->count == q->room) {
		int room = q->room ? 2 * q->room : 512;
		struct found *more = realloc(q->found, (size_t)room * sizeof *more);
		if (!more)
			return fault_memory(f, "partitions");
		q->found = more;
		q->room = room;
	}
	q->found[q->count++] = (struct found){*p, *price};
	return true;
}

// All partitions of a slice, or the four ways of the one that is asked for. One that cannot be priced (more stages than layers)
// is passed over, but for the only one.
static bool price_slice(struct question *q, const struct slice *s, struct fault *f)
{
	char name[48];
	if (q->any && s->chips > DIVISION_ANY)
		return fault_set(f, slice_name(s, name), "leave axes=any out, or name the one with spec=",
			"has too many factors to try them all: at most %d chips", DIVISION_ANY);
	int size[PARTS], count = q->spec ? 4 : divisions_of(s, q->any, true, NULL, 0);
	struct division *all = calloc((size_t)count + 1, sizeof *all);
	bool ok = all || fault_memory(f, "partitions"), whole = true;
	if (ok && q->spec && (ok = read_spec(q->spec, size, f) && division_with(s, size, &all[0], &whole, f)))
		for (int i = 1; i < 4; i++) {
			all[i] = all[0];
			all[i].weights_2d = i & 1;
			all[i].activations_2d = i >> 1;
		}
	else if (ok)
		divisions_of(s, q->any, true, all, count);
	struct fault why = {0};
	int unpriced = 0;
	for (int i = 0; ok && i < count; i++) {
		struct division_price price;
		if (priced(q, &all[i], &price, &why))
			ok = add_found(q, &all[i], &price, f);
		else
			unpriced++;
	}
	q->unpriced += unpriced;
	if (ok && unpriced == count) {
		*f = why;
		ok = false;
	}
	free(all);
	return ok;
}

static int by_step(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = (x->price.step > y->price.step) - (x->price.step < y->price.step);
	order = order ? order : (x->price.memory > y->price.memory) - (x->price.memory < y->price.memory);
	return order ? order : memcmp(x->division.size, y->division.size, sizeof x->division.size);
}

static bool price_chips(struct question *q, int chips, struct fault *f)
{
	struct slice s[SLICES];
	int count = slices_of(&q->pod, chips, s, SLICES), below, above;
	char todo[96], name[32];
	if (count) {
		for (int i = 0; i < count && i < SLICES; i++)
			if (!price_slice(q, &s[i], f))
				return false;
		return true;
	}
	slices_near(&q->pod, chips, &below, &above);
	snprintf(todo, sizeof todo, below && above ? "the nearest are %d and %d" : "the nearest is %d", below ? below : above,
		above);
	snprintf(name, sizeof name, "%d", chips);
	return fault_set(f, name, todo, "no slice of %s has so many chips", q->pod.name);
}

// What there is to say of one that does not fit.
static const char *lack_of(const struct question *q, const struct found *x, char buf[192])
{
	char spec[64];
	double gib = pod_figures[POD_MEMORY].factor, most = q->pod.figure[POD_MEMORY].value;
	snprintf(buf, 192, "does not fit: what lacks least, %s, takes %.4g GiB a chip, %.4g GiB more than there is",
		division_name(&x->division, spec), x->price.memory / gib, (x->price.memory - most) / gib);
	return buf;
}

static bool nothing_fits(const struct question *q, const struct found *least, struct fault *f)
{
	char slice[48], where[128], lack[192];
	snprintf(where, sizeof where, "%s on %s", q->job.net.name, slice_name(&least->division.slice, slice));
	return fault_set(f, where, "take more chips, narrower formats or a smaller batch", "%s", lack_of(q, least, lack));
}

// ---- what is told ------------------------------------------------------------------------------------------------------

// Joules a sequence (serving: a token), at the mean power of the chips.
static double energy_of(const struct question *q, const struct found *x)
{
	return x->division.slice.chips * q->job.pods * q->pod.figure[POD_POWER].value / x->price.rate;
}

static void add_row(struct report *r, const struct question *q, const struct found *x, int rank)
{
	const struct division_price *p = &x->price;
	char name[64], slice[48];
	double gib = pod_figures[POD_MEMORY].factor, power = energy_of(q, x) / 3600 * (q->serve ? 1000 : 1);
	report_cell(r, "%d", rank);
	report_cell(r, "%s", slice_name(&x->division.slice, slice));
	report_cell(r, "%s", division_name(&x->division, name));
	if (q->serve)
		report_cell(r, "%.4g", p->step * 1e3);
	report_cell(r, "%.4g", p->rate);
	report_cell(r, "%.3g", 100 * p->mfu);
	report_cell(r, "%.4g", p->memory / gib);
	report_cell(r, "%s/%s", x->division.activations_2d ? "2D" : "1D", x->division.weights_2d ? "2D" : "1D");
	report_cell(r, "%.3g", 100 * p->compute / p->step);
	report_cell(r, "%.3g", 100 * p->model / p->step);
	if (q->serve) {
		report_cell(r, "%.0f", 100 * p->reading);
	} else {
		report_cell(r, "%.3g", 100 * p->data / p->step);
		report_cell(r, "%.3g", 100 * p->bubble / p->step);
		report_cell(r, "%g", p->microbatch);
		report_cell(r, "%s", p->recompute ? "yes" : "no");
		report_cell(r, "%s", shardings[p->sharding]);
	}
	if (power > 0) {
		report_cell(r, "%.4g", power);
		report_cell(r, "%.4g", power * q->site.pue * q->site.net);
	} else {
		report_cell(r, "-");
		report_cell(r, "-");
	}
}

static const struct report_column training[] = {{"rank", false}, {"slice", true}, {"[p,d,m1,m2]", true}, {"seq/s", false},
	{"MFU %", false}, {"GiB a chip", false}, {"acts/weights", true}, {"compute %", false}, {"model %", false},
	{"data %", false}, {"bubble %", false}, {"microbatch", false}, {"recompute", true}, {"sharded", true}, {"Wh/seq", false},
	{"g CO2e/seq", false}};
static const struct report_column serving[] = {{"rank", false}, {"slice", true}, {"[p,d,m1,m2]", true}, {"ms a token", false},
	{"tokens/s", false}, {"MFU %", false}, {"GiB a chip", false}, {"acts/weights", true}, {"compute %", false},
	{"model %", false}, {"reading MFU %", false}, {"Wh/1000 tokens", false}, {"g CO2e/1000 tokens", false}};

static void add_job(struct report *r, const struct question *q)
{
	const struct transformer *t = &q->job.net;
	char batch[32];
	report_above(r, "%s: %.4g parameters, %g layers of %g, %g heads, sequences of %g (%s); %s", t->name, t->parameters,
		t->layers, t->width, t->heads, t->sequence, t->source, q->serve ? "serving" : "training");
	report_above(r, "%s %s, weights %s, activations %s, carried: activations %s, gradients %s, weights %s",
		count_of(q->job.batch, "sequence", batch), q->serve ? "at once" : "a step",
		division_format_name(q->job.format[OF_WEIGHTS]), division_format_name(q->job.format[OF_ACTIVATIONS]),
		division_format_name(q->job.format[CARRIED_ACTIVATIONS]), division_format_name(q->job.format[CARRIED_GRADIENTS]),
		division_format_name(q->job.format[CARRIED_WEIGHTS]));
	report_above(r, "the matrix unit reaches %.3g of its peak%s", q->job.efficiency,
		q->efficiency > 0 ? "" : ": the one constant that is fitted, to GPT-3's expert row");
}

static void add_feet(struct report *r, const struct question *q, bool several)
{
	char device[64];
	snprintf(device, sizeof device, "%.60s", q->pod.device);
	if (several)
		report_below(r, "the best partition of each number of chips");
	else
		report_below(r,
			"%d fit, %d do not, %d have more stages than layers or parts than sequences; of those at one price the "
			"first is shown",
			q->count, q->refused, q->unpriced);
	report_below(r,
		"[pipeline, data, model 1, model 2]: the parts, whose product is the chips; acts/weights: cut along one model "
		"part (1D) or both (2D)");
	report_below(r, "MFU: of the peak's operations, those that the model needs%s; %s", q->serve ? " for a token" : "",
		q->serve ? "reading MFU: while the context is read" : "bubble: the pipeline fills and drains");
	if (q->pod.figure[POD_POWER].value > 0)
		report_below(r, "energy at %g W a chip, CO2e at %s (PUE %g, %g kg/kWh net)", q->pod.figure[POD_POWER].value,
			q->site.name, q->site.pue, q->site.net);
	else
		report_below(r, "energy: the power of a chip of %s is unknown", q->pod.name);
	if (strcmp(device, "tpu_v4") == 0 || strcmp(device, "tpu_v3") == 0)
		report_below(r, "(%s multiplies narrow formats no faster than bf16: they save bytes alone)", device);
}

// ---- the figure ----------------------------------------------------------------------------------------------------------

// The slices are the groups; those for which there is no room go with the last.
static int group_of(struct question *q, const struct slice *s)
{
	char name[48];
	slice_name(s, name);
	for (int i = 0; i < q->groups; i++)
		if (strcmp(q->group[i], name) == 0)
			return i;
	if (q->groups == GROUPS) {
		snprintf(q->group[GROUPS - 1], sizeof q->group[0], "others");
		return GROUPS - 1;
	}
	memcpy(q->group[q->groups], name, sizeof name);
	return q->groups++;
}

static void add_point(struct question *q, const struct found *x, bool by_chips, bool labelled)
{
	char name[64];
	double gib = pod_figures[POD_MEMORY].factor;
	division_name(&x->division, name);
	report_point(&q->points, group_of(q, &x->division.slice), by_chips ? x->division.slice.chips : x->price.memory / gib,
		x->price.rate, "%.15s", labelled ? name : "");
}

static bool draw(struct question *q, struct command_call *call, bool several, bool ok)
{
	const char *group[GROUPS];
	char title[192];
	for (int i = 0; i < q->groups; i++)
		group[i] = q->group[i];
	snprintf(title, sizeof title, several ? "The best of each size: %s, %s on %s" : "All ways that fit: %s, %s on %s",
		q->job.net.name, q->serve ? "serving" : "training", q->pod.name);
	return report_points_draw(&q->points, call, q->plot,
		(struct points_asked){.title = title,
			.x = several ? "chips" : "memory (GiB a chip)",
			.y = q->serve ? "tokens a second" : "sequences a second",
			.log_x = several,
			.log_y = several,
			.group = group,
			.groups = q->groups},
		ok);
}

struct tried {
	const struct question *q;
	struct division division;
};

// The rate of one partition where the inputs move, its efficiency calibrated anew.
static double rate_of(const struct world *w, void *context)
{
	const struct tried *t = context;
	struct question q = *t->q;
	struct division_price price;
	q.world = *w;
	if (!q.serve && q.batch <= 0 && q.job.net.batch <= 0)
		q.job.batch = w->input[IN_BATCH];
	if (q.efficiency <= 0)
		q.job.efficiency = division_calibrate(w);
	if (isnan(q.job.efficiency) || !priced(&q, &t->division, &price, NULL) || !price.fits)
		return (double)NAN;
	return price.rate;
}

static void add_band(struct report *r, const struct question *q)
{
	struct tried t = {q, q->found[0].division};
	struct band b = world_band(&q->world, rate_of, &t);
	if (b.high - b.low > 1e-6 * b.high)
		report_below(r, "the first row: %.4g to %.4g %s over the inputs' ranges, moved most by %s", b.low, b.high,
			q->serve ? "tokens/s" : "seq/s", b.mover);
}

// ---- several sizes: the best of each, and which of them no other one beats in rate and in chips, or in rate and in energy ----

// `best` of a size that has none that fits is the one that lacks least.
static void mark_front(struct report *r, const struct question *q, const struct found *best, const int *has, int sizes)
{
	for (int i = 0; i < sizes; i++) {
		bool chips = true, energy = true;
		for (int k = 0; k < sizes && has[i]; k++) {
			if (!has[k] || k == i || best[k].price.rate < best[i].price.rate)
				continue;
			chips = chips && best[k].division.slice.chips > best[i].division.slice.chips;
			energy = energy && energy_of(q, &best[k]) > energy_of(q, &best[i]);
		}
		char lack[192], count[32];
		count_of(best[i].division.slice.chips, "chip", count);
		if (!has[i])
			report_below(r, "%s: %s", count, lack_of(q, &best[i], lack));
		else
			report_below(r, "%s: %.4g %s a second%s", count, best[i].price.rate, q->serve ? "tokens" : "sequences",
				chips && energy  ? ", on the front against chips and against energy"
					: chips  ? ", on the front against chips"
					: energy ? ", on the front against energy"
						 : ", beaten");
	}
}

static bool price_sizes(struct question *q, struct report *r, const char *list, struct fault *f)
{
	struct found best[SIZES];
	int has[SIZES] = {0}, sizes = 0, fit = 0, least = 0;
	char word[32];
	for (const char *at = list; list_next(&at, word, sizeof word); sizes++) {
		long chips;
		if (sizes == SIZES || !number_read_long(word, 1, 1 << 20, &chips))
			return fault_set(f, list, "write 256,512,1024, 16 of them at most", "are not numbers of chips");
		q->count = q->refused = 0;
		if (!price_chips(q, (int)chips, f))
			return false;
		if ((has[sizes] = q->count > 0)) {
			qsort(q->found, (size_t)q->count, sizeof *q->found, by_step);
			add_row(r, q, &q->found[0], 1);
			add_point(q, &q->found[0], true, true);
			fit++;
		}
		best[sizes] = q->count ? q->found[0] : q->least;
		if (!sizes || best[sizes].price.memory < best[least].price.memory)
			least = sizes;
	}
	if (!fit)
		return nothing_fits(q, &best[least], f);
	mark_front(r, q, best, has, sizes);
	return true;
}

// Where the model parts change places, or a way of cutting makes no difference, one row tells of all.
static bool same_price(const struct found *a, const struct found *b)
{
	return memcmp(a->division.slice.axis, b->division.slice.axis, sizeof a->division.slice.axis) == 0 &&
		fabs(a->price.step - b->price.step) <= 1e-12 * a->price.step && fabs(a->price.memory - b->price.memory) <= 1 &&
		a->division.size[PART_PIPELINE] == b->division.size[PART_PIPELINE] &&
		a->division.size[PART_DATA] == b->division.size[PART_DATA];
}

static bool price_one_size(struct question *q, struct report *r, const char *what, struct fault *f)
{
	struct slice s;
	long chips;
	bool islands = q->pod.network == NETWORK_ISLANDS;
	if (islands)
		return fault_set(f, q->pod.name, "choose a pod whose slices have axes", "parts of islands are not priced");
	bool ok = number_read_long(what, 1, 1 << 20, &chips) && !q->twisted
		? price_chips(q, (int)chips, f)
		: slice_read(&q->pod, what, q->twisted, &s, f) && price_slice(q, &s, f);
	if (!ok)
		return false;
	if (!q->count)
		return nothing_fits(q, &q->least, f);
	qsort(q->found, (size_t)q->count, sizeof *q->found, by_step);
	int shown = 0;
	for (int i = 0; i < q->count && shown < (int)q->top; i++)
		if (!i || !same_price(&q->found[i - 1], &q->found[i])) {
			add_row(r, q, &q->found[i], i + 1);
			shown++;
		}
	for (int i = 0; q->plot && i < q->count && i < DRAWN; i++)
		add_point(q, &q->found[i], false, i == 0);
	add_band(r, q);
	return true;
}

static bool set_up(struct question *q, const struct report_asked *asked, const struct transformer *t, struct fault *f)
{
	report_world(asked, &q->pod, NULL, &q->world);
	division_job_begin(&q->job, &q->world, t);
	for (int i = 0; i < FORMAT_USES; i++)
		if (q->format[i] && !division_format(q->format[i], &q->job.format[i], f))
			return false;
	// What travels is in the format it has, unless it is said otherwise.
	if (q->format[OF_WEIGHTS] && !q->format[CARRIED_WEIGHTS])
		q->job.format[CARRIED_WEIGHTS] = q->job.format[OF_WEIGHTS];
	if (q->format[OF_ACTIVATIONS] && !q->format[CARRIED_ACTIVATIONS])
		q->job.format[CARRIED_ACTIVATIONS] = q->job.format[OF_ACTIVATIONS];
	q->job.batch = q->batch > 0 ? q->batch : q->serve ? 64 : q->job.batch;
	q->job.pods = q->pods;
	q->job.context = q->context > 0 ? q->context : t->sequence;
	q->job.efficiency = q->efficiency > 0 ? q->efficiency : division_calibrate(&q->world);
	if (isnan(q->job.efficiency))
		return fault_set(f, "partition", "set efficiency=, or other inputs",
			"no efficiency brings GPT-3's expert row to its time");
	if (q->pods > q->pod.figure[POD_PODS].value)
		return fault_set(f, "pods", "choose tpu_v4_pods, or fewer", "%s joins %g", q->pod.name,
			q->pod.figure[POD_PODS].value);
	q->any = q->axes && strcmp(q->axes, "any") == 0;
	if (q->axes && !q->any)
		return fault_set(f, q->axes, "leave it out, or write axes=any", "axes are whole, or any");
	return site_get(q->site_name, &q->site, f);
}

bool run_partition(struct command_call *call)
{
	struct question q = {.top = 5, .pods = 1, .site_name = "oklahoma"};
	struct transformer t;
	struct report_asked asked;
	struct report r;
	if (!report_pod(call, 2, &q.pod) || !transformer_get(call->argv[0], &t, &call->fault))
		return false;
	const struct transformer published = t;
	const struct report_word words[] = {{.key = "serve", .flag = &q.serve}, {.key = "twisted", .flag = &q.twisted},
		{.key = "spec=", .text = &q.spec}, {.key = "axes=", .text = &q.axes},
		{.key = "weights=", .text = &q.format[OF_WEIGHTS]}, {.key = "activations=", .text = &q.format[OF_ACTIVATIONS]},
		{.key = "carry=", .text = &q.format[CARRIED_ACTIVATIONS]},
		{.key = "gradients=", .text = &q.format[CARRIED_GRADIENTS]},
		{.key = "gathers=", .text = &q.format[CARRIED_WEIGHTS]},
		{.key = "batch=", .number = &q.batch, .least = 1, .most = 1e9},
		{.key = "pods=", .number = &q.pods, .least = 1, .most = 1024},
		{.key = "context=", .number = &q.context, .least = 1, .most = 1e8},
		{.key = "top=", .number = &q.top, .least = 1, .most = 1e5},
		{.key = "efficiency=", .number = &q.efficiency, .least = .001, .most = 1}, {.key = "site=", .text = &q.site_name},
		{.key = "plot=", .text = &q.plot}, {.key = "layers=", .number = &t.layers, .least = 1, .most = 1e4},
		{.key = "width=", .number = &t.width, .least = 1, .most = 1e7},
		{.key = "heads=", .number = &t.heads, .least = 1, .most = 1e5},
		{.key = "hidden=", .number = &t.hidden, .least = 1, .most = 1e8},
		{.key = "sequence=", .number = &t.sequence, .least = 1, .most = 1e8},
		{.key = "parameters=", .number = &t.parameters, .least = 1, .most = 1e15}};
	if (!report_words(call, 2, words, sizeof words / sizeof *words, &asked))
		return false;
	bool several = strchr(call->argv[1], ',') != NULL;
	bool ok = transformer_resize(&t, &published, &call->fault) && set_up(&q, &asked, &t, &call->fault);
	const struct report_column *columns = q.serve ? serving : training;
	report_begin(&r, columns, q.serve ? sizeof serving / sizeof *serving : sizeof training / sizeof *training);
	if (ok)
		add_job(&r, &q);
	ok = ok && (several ? price_sizes : price_one_size)(&q, &r, call->argv[1], &call->fault);
	if (ok)
		add_feet(&r, &q, several);
	ok = draw(&q, call, several, ok);
	free(q.found);
	return report_end(&r, call, asked.csv, ok);
}

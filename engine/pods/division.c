// SPDX-License-Identifier: GPL-3.0-or-later
// Prices a transformer over a slice. Times are of one layer and microbatch, forward; the backward pass takes twice the operations
// and the same collectives. Sources: Austin et al., How to Scale Your Model, 2025 (collectives); Korthikanti et al. 2022 (kept
// activations); Huang et al. 2018 and Narayanan et al. 2021 (the pipeline's bubble, with at most as many live microbatches as
// stages).
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hardware/device.h"
#include "engine/pods/inside.h"
#include "engine/quant/format.h"

// All that stays the same while microbatch, recomputation and sharding are chosen.
struct plan {
	const struct world *world;
	const struct pod *pod;
	const struct division_job *job;
	const struct division *division;
	struct device device;
	double bytes[FORMAT_USES]; // a number
	double rate, full; // operations a second of the matrix unit: as reached, and its peak in bf16 or, without one, as used
	double inner;      // its tile
	double stages, data, model, model1, model2;
	double layers;            // of the fullest stage
	double matrix, attention; // a layer's weights; the width of its heads together
	double read;              // numbers that its queries, keys and values have, a token
	double up;                // and its first feed-forward product
};

void division_job_begin(struct division_job *j, const struct world *w, const struct transformer *t)
{
	*j = (struct division_job){.net = *t, .pods = 1, .efficiency = 1, .context = t->sequence};
	for (int i = 0; i < FORMAT_USES; i++)
		j->format[i] = format_named("bf16");
	j->batch = t->batch > 0 ? t->batch : w->input[IN_BATCH];
}

static double up_to(double x, double tile)
{
	return ceil(x / tile) * tile;
}

static bool begin(struct plan *p, const struct world *w, const struct division_job *j, const struct division *of,
	struct fault *fault)
{
	const struct transformer *t = &j->net;
	*p = (struct plan){.world = w, .pod = &w->pod[0], .job = j, .division = of};
	if (!device_get(p->pod->device, &p->device, fault))
		return false;
	enum native type = device_native(&p->device, j->format[OF_WEIGHTS], j->format[OF_ACTIVATIONS]);
	if (!(p->device.peak[type] > 0) || !(p->device.bandwidth > 0))
		return fault_set(fault, p->pod->name, "choose other formats, or another pod",
			"the rate of %s for %s x %s, or of its memory, is unknown", p->device.name,
			format_table[j->format[OF_WEIGHTS]].name, format_table[j->format[OF_ACTIVATIONS]].name);
	for (int i = 0; i < FORMAT_USES; i++)
		p->bytes[i] = format_table[j->format[i]].bits / 8.;
	p->rate = p->device.peak[type] * j->efficiency;
	p->full = p->device.peak[NATIVE_BF16] > 0 ? p->device.peak[NATIVE_BF16] : p->device.peak[type];
	p->inner = p->device.inner[type];
	p->stages = of->size[PART_PIPELINE];
	p->data = of->size[PART_DATA];
	p->model1 = of->size[PART_MODEL1];
	p->model2 = of->size[PART_MODEL2];
	p->model = p->model1 * p->model2;
	p->layers = ceil(t->layers / p->stages);
	p->attention = t->heads * t->head_width;
	p->read = p->attention + 2 * t->kv_heads * t->head_width;
	p->up = t->hidden * (t->matrices - 1);
	p->matrix = t->width * (p->read + p->attention + t->hidden * t->matrices);
	return true;
}

// ---- a layer ---------------------------------------------------------------------------------------------------------

// Operations of the matrix products of a layer and of the stage's share of the last one, padded to the matrix unit's tile on a
// chip.
static double products(const struct plan *p, double tokens)
{
	const struct transformer *t = &p->job->net;
	bool two = p->division->weights_2d;
	double cut = two ? p->model1 : p->model, width = two ? t->width / p->model2 : t->width;
	double into = up_to(width, p->inner), out = up_to(width, 8);
	double first = into * (up_to(p->read / cut, 8) + up_to(p->up / cut, 8));
	double second = out * (up_to(p->attention / cut, p->inner) + up_to(t->hidden / cut, p->inner));
	double last = t->width * t->vocabulary / p->model / (p->stages * p->layers);
	return 2 * tokens * (first + second + last);
}

static double attended(const struct plan *p, double tokens, double keys)
{
	return 4 * tokens * keys * p->attention / p->model;
}

static double group(const struct plan *p, enum collective kind, double bytes, bool first, bool second)
{
	struct ring ring[6];
	int rings = 0;
	for (int part = PART_MODEL1; part <= PART_MODEL2; part++)
		for (int i = 0; (part == PART_MODEL1 ? first : second) && i < p->division->rings[part]; i++)
			ring[rings++] = p->division->ring[part][i];
	return collective_time(kind, bytes, ring, rings, pod_value(p->pod, POD_LINK), pod_value(p->pod, POD_HOP));
}

// Collectives of a layer inside the model parts, forward.
static double inside(const struct plan *p, double tokens)
{
	const struct transformer *t = &p->job->net;
	double number = p->bytes[CARRIED_ACTIVATIONS];
	if (!p->division->weights_2d)
		return 2 * group(p, ALL_REDUCE, tokens * t->width * number, true, true);
	return group(p, ALL_REDUCE, tokens * (p->read + p->up) / p->model1 * number, false, true) +
		2 * group(p, ALL_REDUCE, tokens * t->width / p->model2 * number, true, false);
}

// What a chip must gather once more in the backward pass where activations are cut.
static double gathered_again(const struct plan *p, double tokens)
{
	double bytes = tokens * p->job->net.width * p->bytes[CARRIED_ACTIVATIONS];
	if (!p->division->activations_2d)
		return 0;
	return p->division->weights_2d ? 2 * group(p, ALL_GATHER, bytes / p->model2, true, false)
				       : 2 * group(p, ALL_GATHER, bytes, true, true);
}

static double over_data(const struct plan *p, enum collective kind, double bytes)
{
	return collective_time(kind, bytes, p->division->ring[PART_DATA], p->division->rings[PART_DATA],
		pod_value(p->pod, POD_LINK), pod_value(p->pod, POD_HOP));
}

// ---- training --------------------------------------------------------------------------------------------------------

struct inner_choice {
	double microbatch;
	bool recompute;
	enum sharding sharding;
};

static void take_memory(const struct plan *p, const struct inner_choice *c, double microbatches, struct division_price *to)
{
	const struct transformer *t = &p->job->net;
	const double *input = p->world->input;
	double own = t->parameters / (p->stages * p->model), data = p->data; // each pod has a copy
	double share = c->sharding == SHARD_ALL ? own / data : own;
	double numbers = c->microbatch * t->sequence * t->width;
	double everywhere = p->division->activations_2d ? p->model : p->division->weights_2d ? p->model2 : 1;
	// Of what a layer keeps, 5 parts of 17 are what stands between blocks, 12 lie inside and are cut in any case.
	double whole = input[IN_KEPT_WHOLE] * numbers * (5. / 17 / everywhere + 12. / 17 / p->model);
	double alive = fmin(p->stages, microbatches);
	to->weights = share * p->bytes[OF_WEIGHTS] + (c->sharding == SHARD_ALL ? p->matrix / p->model * p->bytes[OF_WEIGHTS] : 0);
	to->optimizer = share * input[IN_GRADIENT] + own / (c->sharding == SHARD_NOTHING ? 1 : data) * input[IN_OPTIMIZER];
	to->activations = p->bytes[OF_ACTIVATIONS] *
		(c->recompute ? alive * p->layers * numbers / everywhere + whole : alive * p->layers * whole);
	to->memory = to->weights + to->optimizer + to->activations;
	to->fits = to->memory <= pod_value(p->pod, POD_MEMORY);
}

// Time of collectives that is waited for beside so much work.
static double waited(const struct plan *p, double time, double work)
{
	return time - p->world->input[IN_OVERLAP] * fmin(time, work);
}

// Between pods: each host sends and gets its chips' share of the gradients' sum.
static double between_pods(const struct plan *p)
{
	double pods = p->job->pods, hosts = p->division->slice.chips / pod_value(p->pod, POD_HOST);
	return pods > 1 ? 2 * p->job->net.parameters * p->bytes[CARRIED_GRADIENTS] * (pods - 1) / pods / hosts /
			pod_value(p->pod, POD_DCN)
			: 0;
}

static struct division_price memory_of(const struct plan *p, const struct inner_choice *c)
{
	double many = ceil(p->job->batch / (p->data * p->job->pods * c->microbatch));
	struct division_price to = {
		.microbatch = c->microbatch, .microbatches = many, .recompute = c->recompute, .sharding = c->sharding};
	take_memory(p, c, many, &to);
	return to;
}

static struct division_price price_training(const struct plan *p, const struct inner_choice *c)
{
	const struct transformer *t = &p->job->net;
	double tokens = c->microbatch * t->sequence, again = c->recompute ? p->world->input[IN_RECOMPUTE] : 0;
	struct division_price to = memory_of(p, c);
	double many = to.microbatches, own = t->parameters / (p->stages * p->model);
	double work = products(p, tokens) + attended(p, tokens, t->sequence);
	double read = p->matrix / p->model * p->bytes[OF_WEIGHTS] / p->device.bandwidth;
	double forward = fmax(work / p->rate, read);
	double compute = p->layers * forward * (3 + again);
	double model = p->layers * (inside(p, tokens) * (2 + again) + gathered_again(p, tokens));
	double gathers = 0; // of weights, each microbatch
	if (c->sharding == SHARD_ALL)
		gathers = p->layers *
			(2 * over_data(p, ALL_GATHER, p->matrix / p->model * p->bytes[CARRIED_WEIGHTS]) +
				over_data(p, REDUCE_SCATTER, p->matrix / p->model * p->bytes[CARRIED_GRADIENTS]));
	double neighbour = p->stages > 1
		? 2 * tokens * t->width * p->bytes[CARRIED_ACTIVATIONS] / p->model / pod_value(p->pod, POD_LINK)
		: 0;
	double both = model + gathers, waits = waited(p, both, compute);
	double stage = compute + waits + neighbour, sums = 0;
	if (c->sharding == SHARD_NOTHING)
		sums = over_data(p, ALL_REDUCE, own * p->bytes[CARRIED_GRADIENTS]);
	else if (c->sharding == SHARD_OPTIMIZER)
		sums = over_data(p, REDUCE_SCATTER, own * p->bytes[CARRIED_GRADIENTS]) +
			over_data(p, ALL_GATHER, own * p->bytes[CARRIED_WEIGHTS]);
	sums = waited(p, sums + between_pods(p), compute); // behind the last microbatch's work
	to.compute = many * compute;
	to.model = both > 0 ? many * waits * model / both : 0;
	to.data = (both > 0 ? many * waits * gathers / both : 0) + sums;
	to.pipeline = many * neighbour;
	to.bubble = (p->stages - 1) * stage;
	to.step = (many + p->stages - 1) * stage + sums;
	to.rate = p->job->batch / to.step;
	double operations = (6 * t->parameters + 12 * t->layers * p->attention * t->sequence) * t->sequence;
	to.mfu = to.rate * operations / (p->division->slice.chips * p->job->pods * p->full);
	return to;
}

static bool better(const struct division_price *a, const struct division_price *b)
{
	if (a->fits != b->fits)
		return a->fits;
	if (!a->fits)
		return a->memory < b->memory;
	return a->step < b->step || (!(a->step > b->step) && a->memory < b->memory);
}

bool division_train(const struct world *w, const struct division_job *j, const struct division *of, struct division_price *best,
	struct fault *fault)
{
	struct plan p;
	char name[64];
	if (!begin(&p, w, j, of, fault))
		return false;
	double replicas = p.data * j->pods, each = j->batch / replicas;
	if (each < 1)
		return fault_set(fault, division_name(of, name), "give less to data, or make the batch larger",
			"%g sequences do not go round %g data parts", j->batch, replicas);
	if (p.stages > j->net.layers)
		return fault_set(fault, division_name(of, name), "give less to pipeline", "%g stages share %g layers", p.stages,
			j->net.layers);
	bool found = false;
	struct inner_choice least = {1, false, SHARD_NOTHING};
	double lacks = INFINITY;
	for (double microbatch = 1; microbatch <= each; microbatch *= 2)
		for (int recompute = 0; recompute < 2; recompute++)
			for (int sharding = 0; sharding < (p.data > 1 ? SHARDINGS : 1); sharding++) {
				struct inner_choice c = {microbatch, recompute, (enum sharding)sharding};
				struct division_price it = memory_of(&p,
					&c); // the time, which takes longer to work out, only of what fits
				if (!it.fits && it.memory < lacks) {
					lacks = it.memory;
					least = c;
				}
				if (!it.fits)
					continue;
				it = price_training(&p, &c);
				if (!found || better(&it, best))
					*best = it;
				found = true;
			}
	if (!found)
		*best = price_training(&p, &least);
	return true;
}

// ---- serving ---------------------------------------------------------------------------------------------------------

// The cache is cut over the heads, and where the model parts are more than those over the sequences; so is the batch's attention.
bool division_serve(const struct world *w, const struct division_job *j, const struct division *of, struct division_price *to,
	struct fault *fault)
{
	const struct transformer *t = &j->net;
	struct plan p;
	char name[64];
	if (!begin(&p, w, j, of, fault))
		return false;
	double each = ceil(j->batch / (p.data * j->pods)), own = t->parameters / (p.stages * p.model);
	if (p.stages > t->layers)
		return fault_set(fault, division_name(of, name), "give less to pipeline", "%g stages share %g layers", p.stages,
			t->layers);
	*to = (struct division_price){.microbatch = each, .microbatches = 1};
	double cached = 2 * t->kv_heads * t->head_width * j->context * p.bytes[OF_ACTIVATIONS]; // of a sequence and layer
	to->weights = own * p.bytes[OF_WEIGHTS];
	to->cache = p.layers * each * cached / p.model;
	to->activations = each * (p.read + p.up + t->width) * p.bytes[OF_ACTIVATIONS];
	to->memory = to->weights + to->cache + to->activations;
	to->fits = to->memory <= pod_value(p.pod, POD_MEMORY);
	double work = (products(&p, each) + attended(&p, each, j->context)) / p.rate;
	double read = (p.matrix / p.model * p.bytes[OF_WEIGHTS] + each * cached / p.model) / p.device.bandwidth;
	to->compute = t->layers * fmax(work, read);
	to->model = t->layers * inside(&p, each);
	to->pipeline = (p.stages - 1) *
		fmax(pod_value(p.pod, POD_HOP),
			each * t->width * p.bytes[CARRIED_ACTIVATIONS] / p.model / pod_value(p.pod, POD_LINK));
	to->step = to->compute + waited(&p, to->model, to->compute) + to->pipeline;
	to->rate = j->batch / to->step;
	double tokens = each * j->context, reading = products(&p, tokens) + attended(&p, tokens, j->context);
	double seconds = t->layers * (reading / p.rate + waited(&p, inside(&p, tokens), reading / p.rate));
	double operations = (2 * t->parameters + 4 * t->layers * p.attention * j->context) * tokens;
	to->reading = operations / seconds / (p.model * p.full); // a stage at a time
	to->mfu = to->rate * (2 * t->parameters + 4 * t->layers * p.attention * j->context) /
		(of->slice.chips * j->pods * p.full);
	return true;
}

// ---- calibration -------------------------------------------------------------------------------------------------------

// The quickest of the four ways of one division of GPT-3.
static double gpt3_rate(const struct world *w, const struct division *of, double efficiency)
{
	struct division_job j;
	double best = 0;
	division_job_begin(&j, w, &transformer_table[0]);
	j.efficiency = efficiency;
	for (int style = 0; style < 4; style++) {
		struct division p = *of;
		struct division_price price;
		p.weights_2d = style & 1;
		p.activations_2d = style >> 1;
		if (division_train(w, &j, &p, &price, NULL) && price.fits)
			best = fmax(best, price.rate);
	}
	return best;
}

double division_calibrate(const struct world *of)
{
	static const int expert[PARTS] = {8, 1, 8, 8};
	struct world w = *of;
	struct slice s;
	struct division p;
	bool whole;
	// Always on TPU v4: of the world's own pod where it is one, so that its range counts.
	if (strcmp(w.pod[0].device, "tpu_v4") != 0 || w.pod[0].network != NETWORK_BLOCKS)
		w.pod[0] = pod_table[0];
	if (!slice_read(&w.pod[0], "8x8x8", false, &s, NULL) || !division_with(&s, expert, &p, &whole, NULL))
		return (double)NAN;
	double low = .01, high = 1, goal = published_table[PUB_GPT3_EXPERT].value;
	if (gpt3_rate(&w, &p, high) < goal)
		return (double)NAN;
	for (int i = 0; i < 40; i++) {
		double middle = (low + high) / 2;
		if (gpt3_rate(&w, &p, middle) < goal)
			low = middle;
		else
			high = middle;
	}
	return high;
}

// ---- the best of all -----------------------------------------------------------------------------------------------------

static bool best_of_slice(const struct world *w, const struct division_job *j, const struct slice *s, bool serve,
	struct division *best, struct division_price *price, bool *found, struct fault *fault)
{
	int count = divisions_of(s, false, true, NULL, 0);
	struct division *all = calloc((size_t)count + 1, sizeof *all);
	if (!all)
		return fault_memory(fault, "partitions");
	divisions_of(s, false, true, all, count);
	for (int i = 0; i < count; i++) {
		struct division_price it;
		if (!(serve ? division_serve : division_train)(w, j, &all[i], &it, fault) || (*found && !better(&it, price)))
			continue;
		*found = true;
		*best = all[i];
		*price = it;
	}
	free(all);
	return true;
}

bool division_best(const struct world *w, const struct division_job *j, int chips, bool serve, struct division *best,
	struct division_price *price, struct fault *fault)
{
	enum { SLICES = 64 };
	struct slice s[SLICES];
	char where[64], todo[96];
	bool found = false;
	int count = w->pod[0].network == NETWORK_ISLANDS ? 0 : slices_of(&w->pod[0], chips, s, SLICES);
	snprintf(where, sizeof where, "%d chips of %.40s", chips, w->pod[0].name);
	if (!count) {
		int below = 0, above = 0;
		slices_near(&w->pod[0], chips, &below, &above);
		snprintf(todo, sizeof todo, "the nearest are %d and %d", below, above);
		return fault_set(fault, where, todo, "are no slice with axes");
	}
	for (int i = 0; i < count && i < SLICES; i++)
		if (!best_of_slice(w, j, &s[i], serve, best, price, &found, fault))
			return false;
	return found; // else the last one's fault
}

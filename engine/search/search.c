// SPDX-License-Identifier: GPL-3.0-or-later
// The one-shot loop.
#include "engine/search/search.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

// start=wide: the widest of seven options has about half of the probability.
static const double LEAN = 4;
static const double PI = 3.14159265358979323846;

// ---- opening ----

static bool describe(struct search *s)
{
	struct engine_info *info = &s->info;
	const struct knobs *k = &s->knobs;
	int layers = s->model->layers, slots = s->space->slots;
	struct layer_info *layer = calloc((size_t)layers, sizeof *layer);
	struct slot_info *slot = calloc((size_t)slots, sizeof *slot);
	s->option_info = calloc((size_t)slots * ENGINE_OPTIONS, sizeof *s->option_info);
	info->layer = layer;
	info->slot = slot;
	if (!layer || !slot || !s->option_info)
		return false;
	snprintf(info->net, sizeof info->net, "%s", k->net);
	snprintf(info->data, sizeof info->data, "%s", k->data);
	snprintf(info->space, sizeof info->space, "%s", k->space);
	knobs_get(k, "preset", info->preset, sizeof info->preset);
	info->seed = (uint64_t)k->seed;
	info->threads = team_size(s->team);
	info->batch = (int)k->batch;
	info->layers = layers;
	info->slots = slots;
	info->image_h = s->data->h;
	info->image_w = s->data->w;
	info->image_c = s->data->c;
	info->classes = s->data->classes;
	info->train_images = s->data->split[DATA_TRAIN].count;
	info->heldout_images = s->data->split[DATA_HELDOUT].count;
	info->test_images = s->data->split[DATA_TEST].count;
	info->parameters = s->model->parameters;
	info->macs = s->model->macs;
	info->kernels = engine_kernels();
	for (int i = 0; i < layers; i++) {
		const struct layer *l = &s->model->layer[i];
		const struct op *op = &s->model->op[l->op];
		const char *kind = op->kind != OP_CONV ? "linear" : op->groups == 1 ? "conv" : op->groups == l->in.c ? "depthwise" : "grouped";
		layer[i] = (struct layer_info){.kind = kind, .in_h = l->in.h, .in_w = l->in.w, .in_c = l->in.c, .out_h = l->out.h,
			.out_w = l->out.w, .out_c = l->out.c, .kernel = op->window.h ? op->window.h : 1,
			.stride = op->window.stride ? op->window.stride : 1, .groups = op->groups ? op->groups : 1, .macs = l->macs,
			.weights = l->weights, .activations = l->activations, .weight_slot = space_slot(i, HALF_WEIGHT),
			.activation_slot = space_slot(i, HALF_ACTIVATION)};
		snprintf(layer[i].name, sizeof layer[i].name, "%s", l->name);
	}
	for (int i = 0; i < slots; i++) {
		const struct slot *from = &s->space->slot[i];
		struct option_info *option = s->option_info + i * ENGINE_OPTIONS;
		snprintf(slot[i].name, sizeof slot[i].name, "%s", from->name);
		slot[i].layer = space_layer(i);
		slot[i].options = from->options;
		slot[i].option = option;
		for (int o = 0; o < from->options; o++) {
			snprintf(option[o].name, sizeof option[o].name, "%s", format_table[from->format[o]].name);
			option[o].bits = format_table[from->format[o]].bits;
		}
	}
	return true;
}

long search_report_first(const struct search *s)
{
	return s->data->split[DATA_HELDOUT].count / 2;
}

static bool make_buffers(struct search *s)
{
	size_t slots = (size_t)s->space->slots, batch = (size_t)s->knobs.batch;
	s->train = (struct stream){"epoch", DATA_TRAIN, 0, s->data->split[DATA_TRAIN].count, -1, NULL};
	s->heldout = (struct stream){"held-out", DATA_HELDOUT, 0, search_report_first(s), -1, NULL};
	s->train.order = calloc((size_t)s->train.count, sizeof *s->train.order);
	s->heldout.order = calloc((size_t)s->heldout.count, sizeof *s->heldout.order);
	s->labels = calloc(batch, 1);
	s->index = calloc(batch, sizeof *s->index);
	s->choice = calloc((SEARCH_SAMPLES + 1) * slots, 1);
	s->modal = calloc(slots, 1);
	for (int i = 0; i < s->space->slots; i++)
		s->options = s->space->slot[i].options > s->options ? s->space->slot[i].options : s->options;
	size_t layers = (size_t)s->model->layers;
	s->plan.layer = calloc(layers, sizeof *s->plan.layer);
	s->scratch.layer = calloc(layers, sizeof *s->scratch.layer);
	s->touched = calloc(layers, sizeof *s->touched);
	s->halves = calloc(layers, 1);
	s->front.room = (int)s->knobs.front_size + ENGINE_OPTIONS + 8;
	size_t room = (size_t)s->front.room;
	s->front.all = calloc(2 * room, sizeof *s->front.all);
	s->front.choices = calloc(2 * room * slots, 1);
	if (!s->train.order || !s->heldout.order || !s->labels || !s->index || !s->choice || !s->modal || !s->plan.layer || !s->scratch.layer || !s->touched || !s->halves ||
	    !s->front.all || !s->front.choices)
		return false;
	s->front.point = s->front.all;
	s->front.candidate = s->front.all + room;
	for (size_t i = 0; i < 2 * room; i++)
		s->front.all[i].choice = s->front.choices + i * slots;
	return true;
}

static bool check_sizes(const struct search *s, struct fault *fault)
{
	const struct knobs *k = &s->knobs;
	if (s->data->split[DATA_TRAIN].count < k->batch)
		return fault_set(fault, "batch", "choose a smaller batch, or more training images",
			"%ld images in a batch, but only %ld to train on", k->batch, s->data->split[DATA_TRAIN].count);
	if (search_report_first(s) < k->batch)
		return fault_set(fault, "heldout", "set aside at least twice the batch",
			"half of %ld held-out images is less than a batch of %ld", s->data->split[DATA_HELDOUT].count, k->batch);
	return true;
}

// Those that this process may run on.
static int processors(void)
{
	cpu_set_t set;
	long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

struct search *search_new(const struct knobs *knobs, const struct state *state, struct fault *fault)
{
	struct search *s = calloc(1, sizeof *s);
	if (!s) {
		fault_set(fault, "search", "close something else", "out of memory");
		return NULL;
	}
	s->knobs = *knobs;
	int threads = knobs->threads ? (int)knobs->threads : processors();
	s->data = data_open(knobs->data, (uint64_t)knobs->seed, knobs->train, knobs->heldout, fault);
	if (!s->data)
		goto failed;
	s->model = model_named(knobs->net, (struct shape){s->data->h, s->data->w, s->data->c}, s->data->classes, fault);
	if (!s->model || !(s->space = space_new(s->model, knobs->space, fault)) || !(s->partition = partition_new(s->space, fault)) ||
	    !(s->wanted = partition_new(s->space, fault)))
		goto failed;
	s->partition->split = knobs->decide == DECIDE_SPLIT;
	partition_settle(s->partition, NULL);
	if (!check_sizes(s, fault))
		goto failed;
	unsigned keeps = (knobs->optimizer == KNOB_ADAMW ? NETWORK_SECOND_MOMENTS : 0u) | (knobs->ema > 0 ? NETWORK_AVERAGE : 0u);
	if (!(s->team = team_new(threads, fault)) ||
	    !(s->network = network_new(s->model, (int)knobs->batch, keeps, s->team, fault)) ||
	    !(s->calibration = calibration_new(s->network, fault)) || !(s->policy = policy_new(s->partition, fault)))
		goto failed;
	if (!describe(s) || !make_buffers(s)) {
		fault_set(fault, "search", "choose a smaller network", "out of memory");
		goto failed;
	}
	s->plan.model = s->scratch.model = s->model;
	s->horizon = knobs->steps;
	s->warmup = (long)(knobs->warmup * (double)knobs->steps);
	network_initialise(s->network, (uint64_t)knobs->seed);
	if (knobs->start == START_WIDE)
		policy_lean(s->policy, LEAN);
	if (!search_reprice(s, knobs, fault) || (state && !search_restore(s, state, fault)))
		goto failed;
	search_settle_modal(s);
	return s;
failed:
	search_free(s);
	return NULL;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	policy_free(s->policy);
	calibration_free(s->calibration);
	network_free(s->network);
	team_free(s->team);
	partition_free(s->partition);
	partition_free(s->wanted);
	space_free(s->space);
	model_free(s->model);
	data_free(s->data);
	free((void *)s->info.layer);
	free((void *)s->info.slot);
	free(s->option_info);
	free(s->train.order);
	free(s->heldout.order);
	free(s->labels);
	free(s->index);
	free(s->choice);
	free(s->modal);
	search_terms_free(s);
	free(s->plan.layer);
	free(s->scratch.layer);
	free(s->touched);
	free(s->halves);
	free(s->front.all);
	free(s->front.choices);
	free(s);
}

const struct engine_info *search_info(const struct search *s)
{
	return &s->info;
}

long search_steps_done(const struct search *s)
{
	return s->step;
}

long search_horizon(const struct search *s)
{
	return s->horizon;
}

const struct record *search_record(const struct search *s)
{
	return &s->record;
}

// ---- costs and rewards ----

// What a choice loses for its cost: to be added to its quality.
static double additive_penalty(const struct search *s, const double *cost)
{
	double r = 0;
	for (int t = 0; t < s->terms; t++)
		if (search_counts(s, t)) {
			double over = cost[t] / s->term[t].target - 1;
			r -= s->knobs.term[t].weight * (s->knobs.reward == REWARD_RELU ? fmax(0, over) : fabs(over));
		}
	return r;
}

static double reward_of(const struct search *s, const double *cost, double quality)
{
	if (s->knobs.reward != REWARD_MNAS)
		return quality + additive_penalty(s, cost);
	double r = s->knobs.quality == QUALITY_LOSS ? exp(quality) : quality;
	for (int t = 0; t < s->terms; t++)
		if (search_counts(s, t))
			r *= pow(cost[t] / s->term[t].target, -s->knobs.term[t].weight);
	return r;
}

struct quantization search_quantization(const struct knobs *k)
{
	return (struct quantization){(enum range_kind)k->range, k->percentile, k->scales == SCALES_CHANNEL, k->unsigned_positive};
}

void search_modal(const struct search *s, uint8_t *choice)
{
	for (int d = 0; d < s->partition->decisions; d++)
		choice[s->partition->decision[d].first] = (uint8_t)policy_modal(s->policy, d);
	partition_spread(s->partition, choice);
}

void search_settle_modal(struct search *s)
{
	double cost[ENGINE_TERMS];
	search_modal(s, s->modal);
	search_costs(s, s->modal, cost);
	for (int t = 0; t < s->terms; t++)
		s->term[t].modal = cost[t];
}

void search_rearrange(struct search *s)
{
	struct partition *before = s->partition;
	s->partition = s->wanted;
	s->wanted = before;
	policy_follow(s->policy, s->partition);
	search_bounds(s);
}

// ---- images ----

enum { LOAD = 8 }; // images that one chunk loads

struct load {
	struct search *search;
	enum data_split split;
	const uint32_t *index;
	int count;
	unsigned augment;
	uint64_t key;
};

static void load_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct load *l = context;
	struct search *s = l->search;
	int first = chunk * LOAD, count = l->count - first < LOAD ? l->count - first : LOAD;
	long size = (long)s->data->h * s->data->w * s->data->c;
	data_batch(s->data, l->split, l->index + first, count, l->augment, rng_bits(l->key, (uint64_t)chunk),
		network_input(s->network) + first * size, s->labels + first);
}

void search_load(struct search *s, enum data_split split, const uint32_t *index, int count, unsigned augment, uint64_t key)
{
	struct load l = {s, split, index, count, augment, key};
	team_run(s->team, (count + LOAD - 1) / LOAD, load_chunk, &l);
}

// The images of the stream's batch number `batch`. An epoch holds whole batches only; its permutation is made when it begins.
static void draw(struct search *s, struct stream *stream, long batch, uint32_t *index, int count)
{
	long per_epoch = stream->count / count, epoch = batch / per_epoch;
	if (stream->epoch != epoch) {
		uint64_t key = rng_key((uint64_t)s->knobs.seed, stream->purpose, (uint64_t)epoch);
		for (long i = 0; i < stream->count; i++) {
			long j = (long)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
			stream->order[i] = stream->order[j];
			stream->order[j] = (uint32_t)(stream->first + i);
		}
		stream->epoch = epoch;
	}
	memcpy(index, stream->order + batch % per_epoch * count, (size_t)count * sizeof *index);
}

static unsigned augmentation(const struct search *s)
{
	switch ((enum knob_augment)s->knobs.augment) {
	case KNOB_AUGMENT_NONE:
		return AUGMENT_NONE;
	case KNOB_AUGMENT_CROP:
		return AUGMENT_CROP;
	case KNOB_AUGMENT_FLIP:
		return AUGMENT_CROP | AUGMENT_FLIP;
	case KNOB_AUGMENT_AUTO:
		break;
	}
	return s->data->flips ? AUGMENT_CROP | AUGMENT_FLIP : AUGMENT_CROP;
}

// ---- schedules ----

// Grows over the warm-up of the rate, then falls along a cosine to 0 at the horizon.
static double learning_rate(const struct search *s)
{
	double warm = s->knobs.rate_warmup * (double)s->knobs.steps, t = (double)s->step;
	double grown = warm > 0 ? fmin(1, (t + 1) / warm) : 1, left = (double)s->horizon - warm;
	double fall = left > 0 ? 0.5 * (1 + cos(PI * fmax(0, t - warm) / left)) : 1;
	return s->knobs.rate * grown * fall;
}

// How far the policy's schedules are, 0..1 from the end of the warm-up to the horizon.
static double progress(const struct search *s)
{
	double span = (double)(s->horizon - s->warmup);
	return span > 0 ? fmin(1, fmax(0, (double)(s->step - s->warmup) / span)) : 1;
}

static double entropy_weight(const struct search *s)
{
	return s->knobs.entropy * (1 - cos(PI * progress(s))) / 2;
}

// ---- one step ----

static double smoothed(double old, double value)
{
	return isnan(old) ? value : old + 0.05 * (value - old);
}

static bool diverged(const struct search *s, const char *what, struct fault *fault)
{
	return fault_set(fault, "training", "open an earlier checkpoint, or start again with a smaller rate",
		"the %s is no longer a number at step %ld", what, s->step + 1);
}

static bool train(struct search *s, const uint8_t *path, struct fault *fault)
{
	int batch = (int)s->knobs.batch;
	uint64_t seed = (uint64_t)s->knobs.seed, t = (uint64_t)s->step;
	struct quantization q = search_quantization(&s->knobs);
	draw(s, &s->train, s->step, s->index, batch);
	search_load(s, DATA_TRAIN, s->index, batch, augmentation(s), rng_key(seed, "augment", t));
	space_plan(s->space, path, &s->plan);
	network_forward(s->network, &s->plan, &q, PASS_TRAIN, batch, NULL);
	struct loss loss = network_loss(s->network, s->labels, batch, s->knobs.smoothing);
	if (!isfinite(loss.mean))
		return diverged(s, "loss", fault);
	network_backward(s->network);
	s->record.learning_rate = (float)learning_rate(s);
	const struct knobs *k = &s->knobs;
	struct optimizer optimizer = {k->optimizer == KNOB_ADAMW ? OPTIMIZER_ADAMW : OPTIMIZER_SGD, (double)s->record.learning_rate,
		k->momentum, k->beta2, k->decay, k->clip, k->ema};
	if (!isfinite(network_update(s->network, &optimizer, s->step))) // a ReLU hides from the loss what is no number
		return diverged(s, "gradient", fault);
	s->record.loss = (float)loss.mean;
	s->record.accuracy = (float)loss.correct / (float)batch;
	s->loss = s->step == 0 ? loss.mean : smoothed(s->loss, loss.mean);
	s->accuracy = s->step == 0 ? (double)s->record.accuracy : smoothed(s->accuracy, (double)s->record.accuracy);
	return true;
}

// Scores the sampled choices on the same held-out images.
static void score(struct search *s, int samples, double *quality)
{
	int batch = (int)s->knobs.batch;
	long batches = s->knobs.heldout_batches;
	struct quantization q = search_quantization(&s->knobs);
	memset(quality, 0, (size_t)samples * sizeof *quality);
	for (long b = 0; b < batches; b++) {
		draw(s, &s->heldout, s->step * batches + b, s->index, batch);
		search_load(s, DATA_HELDOUT, s->index, batch, AUGMENT_NONE, 0);
		for (int i = 0; i < samples; i++) {
			space_plan(s->space, s->choice + i * s->space->slots, &s->plan);
			network_forward(s->network, &s->plan, &q, PASS_SAMPLE, batch, NULL);
			struct loss loss = network_loss(s->network, s->labels, batch, 0);
			double value = s->knobs.quality == QUALITY_LOSS ? -loss.mean : (double)loss.correct / batch;
			quality[i] += value / (double)batches;
		}
	}
}

// Credits every sample with its value against the others' mean, or against the moving average.
static double credit(struct search *s, int samples, const double *value)
{
	double mean = 0, size = 0;
	for (int i = 0; i < samples; i++)
		mean += value[i] / samples;
	double keep = s->knobs.baseline_keep;
	s->baseline = s->has_baseline ? keep * s->baseline + (1 - keep) * mean : mean;
	s->has_baseline = true;
	bool others = s->knobs.baseline == BASELINE_OTHERS && samples > 1;
	for (int i = 0; i < samples; i++) {
		double advantage = others ? (value[i] - mean) * samples / (samples - 1) : value[i] - s->baseline;
		policy_credit(s->policy, s->choice + i * s->space->slots, advantage / samples);
		size += fabs(advantage) / samples;
	}
	return size;
}

// The cost's part of an additive reward needs no images: around a few sampled choices, every option of every decision is
// priced, the others staying as sampled, which gives the gradient of the expected penalty nearly free of noise.
static void credit_costs(struct search *s, uint64_t key)
{
	long n = s->knobs.cost_samples;
	const struct partition *p = s->partition;
	uint8_t *choice = s->choice + SEARCH_SAMPLES * s->space->slots;
	double whole[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], value[SPACE_OPTIONS];
	for (long i = 0; i < n; i++) {
		policy_sample(s->policy, rng_bits(key, (uint64_t)i), choice);
		search_costs(s, choice, whole);
		for (int d = 0; d < p->decisions; d++) {
			search_price_options(s, choice, whole, d, cost);
			for (int o = 0; o < p->decision[d].options; o++)
				value[o] = additive_penalty(s, cost[o]);
			policy_credit_options(s->policy, d, value, 1 / (double)n);
		}
	}
}

static bool learn(struct search *s, struct fault *fault)
{
	const struct knobs *k = &s->knobs;
	uint64_t seed = (uint64_t)k->seed, t = (uint64_t)s->step;
	int samples = (int)k->samples, slots = s->space->slots;
	double quality[SEARCH_SAMPLES], reward[SEARCH_SAMPLES], cost[ENGINE_TERMS], mean_quality = 0, mean_reward = 0;
	const uint8_t *choice[SEARCH_SAMPLES];
	uint64_t key = rng_key(seed, "choice", t);
	for (int i = 0; i < samples; i++) {
		choice[i] = s->choice + i * slots;
		policy_sample(s->policy, rng_bits(key, (uint64_t)i), s->choice + i * slots);
	}
	score(s, samples, quality);
	memset(s->record.cost, 0, sizeof s->record.cost);
	for (int i = 0; i < samples; i++) {
		search_costs(s, choice[i], cost);
		reward[i] = reward_of(s, cost, quality[i]);
		mean_quality += quality[i] / samples;
		mean_reward += reward[i] / samples;
		for (int c = 0; c < ENGINE_TERMS; c++)
			s->record.cost[c] += (float)(cost[c] / samples);
	}
	if (!isfinite(mean_quality))
		return diverged(s, "quality", fault);
	bool apart = k->reward != REWARD_MNAS && k->cost_samples > 0; // a product has no part of its own for the cost
	policy_clear(s->policy);
	double advantage = credit(s, samples, apart ? quality : reward);
	if (apart)
		credit_costs(s, rng_key(seed, "cost", t));
	policy_move(s->policy, k->policy_rate * pow(k->policy_growth, progress(s)), k->policy_beta1,
		k->policy_beta2, entropy_weight(s));

	s->record.quality = (float)mean_quality;
	s->record.reward = (float)mean_reward;
	s->quality = smoothed(s->has_quality ? s->quality : (double)NAN, mean_quality);
	s->reward = smoothed(s->has_quality ? s->reward : (double)NAN, mean_reward);
	s->advantage = smoothed(s->has_quality ? s->advantage : (double)NAN, advantage);
	s->has_quality = true;
	return true;
}

bool search_step(struct search *s, struct fault *fault)
{
	uint64_t key = rng_key((uint64_t)s->knobs.seed, "path", (uint64_t)s->step);
	uint8_t *path = s->choice;
	double cost[ENGINE_TERMS];
	if (s->step < s->warmup && s->knobs.warmup_path == PATH_UNIFORM)
		policy_sample_evenly(s->policy, key, path);
	else if (s->step >= s->warmup && rng_uniform(key, (uint64_t)s->partition->decisions) < s->knobs.modal_share)
		search_modal(s, path);
	else
		policy_sample(s->policy, key, path);
	search_costs(s, path, cost);
	for (int c = 0; c < ENGINE_TERMS; c++)
		s->record.cost[c] = (float)cost[c];
	s->record.quality = s->record.reward = NAN;
	if (!train(s, path, fault))
		return false;
	if (s->step >= s->warmup && !learn(s, fault))
		return false;
	search_settle_modal(s);
	for (int c = 0; c < ENGINE_TERMS; c++)
		s->record.modal_cost[c] = c < s->terms ? (float)s->term[c].modal : NAN;
	for (int c = 0; c < s->terms; c++)
		s->term[c].sampled = smoothed(s->term[c].sampled, (double)s->record.cost[c]);
	s->record.entropy = (float)policy_entropy(s->policy);
	s->record.step = ++s->step;
	return true;
}

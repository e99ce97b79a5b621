// SPDX-License-Identifier: GPL-3.0-or-later
// The one-shot loop.
#include "engine/search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/search/layers.h"
#include "engine/tensor/kernels.h"
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
	info->threads = s->team ? team_size(s->team) : 1;
	info->batch = s->data ? (int)k->batch : 0;
	info->layers = layers;
	info->slots = slots;
	info->image_h = s->model->op[0].out.h;
	info->image_w = s->model->op[0].out.w;
	info->image_c = s->model->op[0].out.c;
	info->classes = s->model->op[s->model->ops - 1].out.c;
	if (s->data) {
		info->train_images = s->data->split[DATA_TRAIN].count;
		info->heldout_images = s->data->split[DATA_HELDOUT].count;
		info->test_images = s->data->split[DATA_TEST].count;
	}
	info->parameters = s->model->parameters;
	info->macs = s->model->macs;
	info->attention_macs = s->model->attention_macs;
	info->kernels = kernels_best()->name;
	for (int i = 0; i < layers; i++) {
		layer[i] = layer_info_of(s->model, i);
		layer[i].weight_slot = space_slot(i, HALF_WEIGHT);
		layer[i].activation_slot = space_slot(i, HALF_ACTIVATION);
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

static bool make_buffers(struct search *s)
{
	size_t slots = (size_t)s->space->slots;
	s->choice = calloc((SEARCH_SAMPLES + 1) * slots, 1);
	s->modal = calloc(slots, 1);
	for (int i = 0; i < s->space->slots; i++)
		s->options = s->space->slot[i].options > s->options ? s->space->slot[i].options : s->options;
	size_t layers = (size_t)s->model->layers;
	s->plan.layer = calloc(layers, sizeof *s->plan.layer);
	s->scratch.layer = calloc(layers, sizeof *s->scratch.layer);
	s->touched = calloc(layers, sizeof *s->touched);
	s->halves = calloc(layers, 1);
	s->modal_value = calloc(slots * (size_t)s->options, sizeof *s->modal_value);
	s->tensor = calloc((size_t)s->model->ops, 1);
	s->become = calloc(layers * (size_t)s->options, sizeof *s->become);
	s->answer = calloc((ENGINE_TERMS + 3) * slots * (size_t)s->options, sizeof *s->answer);
	s->bounds = calloc(2 * ENGINE_TERMS * slots, 1);
	s->front.room = (int)s->knobs.front_size + ENGINE_OPTIONS + 8;
	size_t room = (size_t)s->front.room;
	s->front.all = calloc(2 * room, sizeof *s->front.all);
	s->front.choices = calloc(2 * room * slots, 1);
	if (!s->choice || !s->modal || !s->plan.layer || !s->scratch.layer || !s->touched || !s->halves ||
	    !s->modal_value || !s->tensor || !s->become || !s->answer || !s->bounds ||
	    !s->front.all || !s->front.choices)
		return false;
	s->front.point = s->front.all;
	s->front.candidate = s->front.all + room;
	for (size_t i = 0; i < 2 * room; i++)
		s->front.all[i].choice = s->front.choices + i * slots;
	return true;
}

struct search *search_new(const struct knobs *knobs, const struct state *state, struct fault *fault)
{
	struct search *s = calloc(1, sizeof *s);
	if (!s) {
		fault_memory(fault, "search");
		return NULL;
	}
	s->knobs = *knobs;
	s->source = strcmp(knobs->data, "none") == 0 ? &table_source : &trained_source;
	if (s->source == &trained_source && strcmp(knobs->sensitivity, "none") != 0) {
		fault_set(fault, "sensitivity", "it goes with data=none", "a network that is trained has its quality measured");
		goto failed;
	}
	if (!s->source->open(s, fault) || !cost_can_price(s->model, fault) || !(s->space = space_new(s->model, knobs->space, fault)) ||
	    !(s->partition = partition_new(s->space, fault)) || !(s->wanted = partition_new(s->space, fault)) ||
	    !(s->last.partition = partition_new(s->space, fault)))
		goto failed;
	s->partition->split = knobs->decide == DECIDE_SPLIT;
	partition_settle(s->partition, NULL);
	if (!s->source->make(s, fault) || !(s->policy = policy_new(s->partition, fault)) ||
	    !(s->last.policy = policy_new(s->last.partition, fault)))
		goto failed;
	if (!describe(s) || !make_buffers(s)) {
		fault_memory(fault, "search");
		goto failed;
	}
	s->plan.model = s->scratch.model = s->model;
	s->horizon = knobs->steps;
	s->warmup = s->source->train ? (long)(knobs->warmup * (double)knobs->steps) : 0;
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
	policy_free(s->last.policy);
	calibration_free(s->calibration);
	network_free(s->network);
	sensitivity_free(s->sensitivity);
	team_free(s->team);
	partition_free(s->partition);
	partition_free(s->wanted);
	partition_free(s->last.partition);
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
	free(s->modal_value);
	search_terms_free(s);
	free(s->plan.layer);
	free(s->scratch.layer);
	free(s->touched);
	free(s->halves);
	free(s->tensor);
	free(s->become);
	free(s->answer);
	free(s->bounds);
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

const struct knobs *search_knobs(const struct search *s)
{
	return &s->knobs;
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
	double r = search_by_loss(s) ? exp(quality) : quality;
	for (int t = 0; t < s->terms; t++)
		if (search_counts(s, t))
			r *= pow(cost[t] / s->term[t].target, -s->knobs.term[t].weight);
	return r;
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

// ---- schedules ----

// How far a schedule of the policy is, 0..1 from step `from` to the horizon.
static double progress(const struct search *s, long from)
{
	double span = (double)(s->horizon - from);
	return span > 0 ? fmin(1, fmax(0, (double)(s->step - from) / span)) : 1;
}

static double entropy_weight(const struct search *s)
{
	return s->knobs.entropy * (1 - cos(PI * progress(s, s->warmup))) / 2;
}

// ---- one step ----

double search_smoothed(double old, double value)
{
	return isnan(old) ? value : old + 0.05 * (value - old);
}

bool search_diverged(const struct search *s, const char *what, struct fault *fault)
{
	return fault_set(fault, "training", "begin a new session with a smaller rate",
		"the %s is no longer a number at step %ld", what, s->step + 1);
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
// priced, the others staying as sampled, which gives the gradient of the expected penalty nearly free of noise. Once the policy
// settles, most samples are the modal choice: it is priced once a step.
static void credit_costs(struct search *s, uint64_t key)
{
	long n = s->knobs.cost_samples;
	const struct partition *p = s->partition;
	uint8_t *choice = s->choice + SEARCH_SAMPLES * s->space->slots;
	double whole[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], value[SPACE_OPTIONS];
	uint32_t counted = search_counted(s);
	bool known = false;
	for (long i = 0; i < n; i++) {
		policy_sample(s->policy, rng_bits(key, (uint64_t)i), choice);
		bool modal = memcmp(choice, s->modal, (size_t)s->space->slots) == 0, priced = modal && known;
		if (!priced)
			search_costs(s, choice, whole);
		for (int d = 0; d < p->decisions; d++) {
			double *of = modal ? s->modal_value + d * s->options : value;
			if (!priced)
				search_price_options(s, choice, whole, d, counted, cost);
			for (int o = 0; !priced && o < p->decision[d].options; o++)
				of[o] = additive_penalty(s, cost[o]);
			policy_credit_options(s->policy, d, of, 1 / (double)n);
		}
		known |= modal;
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
	s->source->score(s, samples, quality);
	memset(s->record.cost, 0, sizeof s->record.cost);
	for (int i = 0; i < samples; i++) {
		search_costs(s, choice[i], cost);
		reward[i] = reward_of(s, cost, quality[i]);
		mean_quality += quality[i] / samples;
		mean_reward += reward[i] / samples;
		for (int c = 0; c < ENGINE_TERMS; c++)
			s->record.cost[c] += (float)(cost[c] / samples);
	}
	if (!(fabs(mean_quality) < 1e12) || !isfinite(mean_reward)) // before the policy moves by it
		return search_diverged(s, isfinite(mean_reward) || !isfinite(mean_quality) ? "quality" : "reward", fault);
	bool apart = k->reward != REWARD_MNAS && k->cost_samples > 0; // a product has no part of its own for the cost
	policy_clear(s->policy);
	double advantage = credit(s, samples, apart ? quality : reward);
	if (apart)
		credit_costs(s, rng_key(seed, "cost", t));
	policy_move(s->policy, k->policy_rate * pow(k->policy_growth, progress(s, s->warmup)), k->policy_beta1,
		k->policy_beta2, entropy_weight(s));

	s->record.quality = (float)mean_quality;
	s->record.reward = (float)mean_reward;
	s->quality = search_smoothed(s->has_quality ? s->quality : (double)NAN, mean_quality);
	s->reward = search_smoothed(s->has_quality ? s->reward : (double)NAN, mean_reward);
	s->advantage = search_smoothed(s->has_quality ? s->advantage : (double)NAN, advantage);
	s->has_quality = true;
	return true;
}

bool search_step(struct search *s, struct fault *fault)
{
	uint64_t key = rng_key((uint64_t)s->knobs.seed, "path", (uint64_t)s->step);
	uint8_t *path = s->choice;
	double cost[ENGINE_TERMS];
	s->last.kept = false;
	if (s->step < s->warmup && s->knobs.warmup_path == PATH_UNIFORM)
		policy_sample_evenly(s->policy, key, path);
	else if (s->step >= s->warmup && rng_uniform(key, (uint64_t)s->partition->decisions) < s->knobs.modal_share)
		search_modal(s, path);
	else
		policy_sample(s->policy, key, path);
	search_costs(s, path, cost);
	for (int c = 0; c < ENGINE_TERMS; c++)
		s->record.cost[c] = (float)cost[c];
	s->record.quality = s->record.reward = s->record.loss = s->record.accuracy = s->record.learning_rate = NAN;
	if (s->source->train && !s->source->train(s, path, fault))
		return false;
	if (s->step >= s->warmup && !learn(s, fault))
		return false;
	search_settle_modal(s);
	for (int c = 0; c < ENGINE_TERMS; c++)
		s->record.modal_cost[c] = c < s->terms ? (float)s->term[c].modal : NAN;
	for (int c = 0; c < s->terms; c++)
		s->term[c].sampled = search_smoothed(s->term[c].sampled, (double)s->record.cost[c]);
	s->record.entropy = (float)policy_entropy(s->policy);
	s->record.step = ++s->step;
	return true;
}

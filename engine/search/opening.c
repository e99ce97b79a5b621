// SPDX-License-Identifier: GPL-3.0-or-later
// How a search is put together, and taken apart.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/search/layers.h"
#include "engine/search/racks.h"
#include "engine/search/reaching.h"
#include "engine/tensor/kernels.h"

static void describe_slot(const struct space *space, int index, struct slot_info *info, struct option_info *option)
{
	const struct slot *slot = &space->slot[index];
	*info = (struct slot_info){.kind = slot_kinds[slot->kind].word,
		.layer = slot->layer,
		.owner = slot->owner,
		.when = slot->when,
		.options = slot->options,
		.option = option};
	snprintf(info->name, sizeof info->name, "%s", slot->name);
	for (int o = 0; o < slot->options; o++) {
		snprintf(option[o].name, sizeof option[o].name, "%s", slot->option[o]);
		option[o].bits = slot_kinds[slot->kind].format ? format_table[(int)slot->value[o]].bits : 0;
	}
}

static bool describe(struct search *s)
{
	struct engine_info *info = &s->info;
	const struct shared *from = &s->shared;
	const struct knobs *k = &from->knobs;
	int layers = from->model->layers, slots = from->space->slots;
	struct layer_info *layer = calloc((size_t)layers + 1, sizeof *layer);
	struct slot_info *slot = calloc((size_t)slots, sizeof *slot);
	s->option_info = calloc((size_t)slots * ENGINE_OPTIONS, sizeof *s->option_info);
	info->layer = layer;
	info->slot = slot;
	if (!layer || !slot || !s->option_info)
		return false;
	snprintf(info->net, sizeof info->net, "%s", k->net);
	snprintf(info->data, sizeof info->data, "%s", k->data);
	snprintf(info->space, sizeof info->space, "%s", k->space);
	if (k->reach != REACH_ANY)
		knobs_get(k, "reach", info->reach, sizeof info->reach);
	knobs_get(k, "preset", info->preset, sizeof info->preset);
	if (k->quality.word == QUALITY_PIPE)
		snprintf(info->command, sizeof info->command, "%s", k->quality.text);
	info->seed = (uint64_t)k->seed;
	info->threads = 1;
	info->layers = layers;
	info->slots = slots;
	info->formats = from->space->formats;
	info->image_h = from->model->op[0].out.h;
	info->image_w = from->model->op[0].out.w;
	info->image_c = from->model->op[0].out.c;
	info->classes = from->model->op[from->model->ops - 1].out.c;
	info->parameters = from->model->parameters;
	info->macs = from->model->macs;
	info->attention_macs = from->model->attention_macs;
	info->kernels = kernels_best()->name;
	if (s->source->kind->describe)
		s->source->kind->describe(s->source, info);
	for (int i = 0; i < layers; i++) {
		layer[i] = layer_info_of(from->model, i);
		layer[i].weight_slot = space_slot(i, HALF_WEIGHT);
		layer[i].activation_slot = space_slot(i, HALF_ACTIVATION);
		layer[i].owned = from->model->layer[i].owner >= 0;
	}
	info->quantized = layers_told(layer, layers);
	info->told = from->model->told;
	if (!space_counts(from->space, false, &info->choices, &info->networks))
		return false;
	for (int i = 0; i < slots; i++)
		describe_slot(from->space, i, &slot[i], s->option_info + i * ENGINE_OPTIONS);
	return true;
}

static bool open_networks(struct search *search, struct fault *fault)
{
	int count;
	struct shared *s = &search->shared;
	struct engine_info *info = &search->info;
	const struct slot *slot = blueprint_slots(s->blueprint, &count);
	char formats[ENGINE_TEXT * 2];
	s->model = blueprint_whole(s->blueprint);
	return model_runs(s->model, fault) &&
		reaching_formats(&s->knobs, formats, sizeof formats, info->left_out, sizeof info->left_out, fault) &&
		(s->space = space_new(s->model, slot, count, formats, fault)) && cost_can_price(s->model, fault) &&
		(s->prices = prices_new(s->space, s->blueprint, fault));
}

static bool open_machine(struct search *search, struct fault *fault)
{
	struct shared *s = &search->shared;
	int count;
	const struct slot *slot = mapping_slots(s->mapping, &count);
	s->model = model_finish(model_new(mapping_name(s->mapping), (struct shape){1, 1, 1}, 1), fault);
	return s->model && (s->space = space_new(s->model, slot, count, s->knobs.space, fault)) &&
		(s->prices = prices_of_machine(s->space, s->mapping, fault));
}

// What the source has opened, the space of its choices and their prices.
static bool open_subject(struct search *s, struct fault *fault)
{
	struct opened opened = {0};
	s->source = source_open(&s->shared, &opened, fault);
	s->shared.blueprint = opened.blueprint;
	s->shared.mapping = opened.mapping;
	return s->source && (opened.mapping ? open_machine : open_networks)(s, fault);
}

static bool open_rooms(struct search *s, struct fault *fault)
{
	struct shared *shared = &s->shared;
	const struct knobs *k = &shared->knobs;
	if (!racks_fit(k, fault) || !reaching_fits(k, fault) || !open_subject(s, fault))
		return false;
	for (int i = 0; i < shared->space->slots; i++) {
		int options = shared->space->slot[i].options;
		shared->options = options > shared->options ? options : shared->options;
	}
	shared->horizon = k->steps;
	shared->warmup = s->source->kind->train ? (long)(k->warmup * (double)k->steps) : 0;
	s->shared.lanes = s->focus = 1;
	s->numbers = 2;
	s->last = &s->lane[0];
	if (!s->source->kind->ready(s->source, fault) || !lanes_open(s, 0, 1, fault) || !front_open(&s->front, shared, fault) ||
		!strain_open(&s->strain, shared, fault) || !polish_open(&s->polish, shared, fault) ||
		!(s->common = partition_new(shared->space, fault)) || !(s->wanted = partition_new(shared->space, fault)) ||
		!(s->own = partition_new(shared->space, fault)))
		return false;
	partition_copy(s->common, s->lane[0].partition);
	return true;
}

// Quality may be minus a loss where the source says so; else it is accuracy, whatever the knob says.
void search_take_knobs(struct search *s, const struct knobs *knobs)
{
	struct wishes apart;
	s->shared.knobs = *knobs;
	knobs_part(&s->shared.knobs, &apart);
	search_take_source(s);
}

void search_take_source(struct search *s)
{
	const struct source_kind *kind = s->source->kind;
	s->shared.by_loss = kind->by_loss && kind->by_loss(s->source, &s->shared.knobs);
}

struct search *search_new(const struct knobs *knobs, const struct state *state, struct fault *fault)
{
	struct search *s = calloc(1, sizeof *s);
	if (!s) {
		fault_memory(fault, "search");
		return NULL;
	}
	s->shared.knobs = *knobs;
	if (!open_rooms(s, fault))
		goto failed;
	size_t slots = (size_t)s->shared.space->slots;
	s->choice = calloc(SEARCH_SAMPLES, slots);
	s->asked.distinct = calloc(SEARCH_SAMPLES, slots);
	s->lost = calloc(slots * (size_t)s->shared.options, sizeof *s->lost);
	s->share = calloc(slots * (size_t)s->shared.options, sizeof *s->share);
	if (!describe(s) || !s->choice || !s->asked.distinct || !s->lost || !s->share) {
		fault_memory(fault, "search");
		goto failed;
	}
	search_take_knobs(s, knobs);
	if (!search_reprice(s, &s->lane[0], knobs, fault) || (state && !search_restore(s, state, fault)) ||
		(!state && s->source->kind->begin && !s->source->kind->begin(s->source, fault)))
		goto failed;
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		lane_refresh(lane);
	return s;
failed:
	search_free(s);
	return NULL;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	for (int i = 0; i < ENGINE_LANES; i++)
		lane_close(&s->lane[i]);
	partition_free(s->common);
	partition_free(s->wanted);
	partition_free(s->own);
	front_close(&s->front);
	strain_close(&s->strain);
	polish_close(&s->polish);
	source_close(s->source);
	prices_free(s->shared.prices);
	space_free(s->shared.space);
	if (s->shared.mapping)
		model_free((struct model *)s->shared.model);
	blueprint_free(s->shared.blueprint);
	mapping_free(s->shared.mapping);
	free((void *)s->info.layer);
	free((void *)s->info.slot);
	free(s->option_info);
	free(s->choice);
	free(s->asked.distinct);
	free(s->lost);
	free(s->share);
	free(s);
}

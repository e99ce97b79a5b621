// SPDX-License-Identifier: GPL-3.0-or-later
// Quality of a network whose weights stay as they are: a step is one of the policy alone, by a table of sensitivity, and so are the points of the
// front; what a person asks to have evaluated is measured on images, with the network. It is the trained source without its steps, and the table.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/sensitivity.h"
#include "engine/search/source.h"

struct kept {
	struct source source;
	struct source *network; // of the trained kind
	struct sensitivity *table;
	struct plan plan;
	int count;
	const uint8_t *posted;
};

static struct source *network_of(const struct source *source)
{
	return ((const struct kept *)source)->network;
}

static bool serves(const struct knobs *k)
{
	return strcmp(k->data, "none") != 0 && strcmp(k->sensitivity, "none") != 0;
}

static void kept_close(struct source *source)
{
	struct kept *z = (struct kept *)source;
	if (z->network)
		source_trained.close(z->network);
	sensitivity_free(z->table);
	free(z->plan.layer);
	free(z);
}

static struct source *kept_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	struct kept *z = calloc(1, sizeof *z);
	if (!z) {
		fault_memory(fault, "search");
		return NULL;
	}
	z->source = (struct source){.kind = &source_kept, .shared = shared, .bell = -1};
	if ((z->network = source_trained.open(shared, opened, fault)))
		return &z->source;
	kept_close(&z->source);
	return NULL;
}

static bool ready(struct source *source, struct fault *fault)
{
	struct kept *z = (struct kept *)source;
	const struct shared *s = source->shared;
	const char *name = s->knobs.sensitivity;
	if (s->space->slots > s->space->formats)
		return fault_set(fault, "sensitivity", "leave it out, or name a network without choices",
			"a table knows one architecture, and here it is to be chosen");
	if (!(z->plan.layer = calloc((size_t)s->model->layers + 1, sizeof *z->plan.layer)))
		return fault_memory(fault, "search");
	if (!source_trained.ready(z->network, fault) || !(z->table = sensitivity_named(s->model, name, fault)))
		return false;
	snprintf(source->estimated, sizeof source->estimated, "additive table %.80s%s", name,
		z->network->idle ? ", of agreement with fp32" : "");
	return sensitivity_answers(z->table, s->space->format, s->space->options, fault);
}

static bool begin(struct source *source, struct fault *fault)
{
	return source_trained.begin(network_of(source), fault);
}

static bool by_loss(const struct source *source, const struct knobs *k)
{
	return k->quality.word != QUALITY_ACCURACY && sensitivity_diverges(((const struct kept *)source)->table);
}

static bool post(struct source *source, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	struct kept *z = (struct kept *)source;
	(void)lane, (void)fault; // it always answers
	z->count = count;
	z->posted = choice;
	return true;
}

// By the points that the table says are lost, or, where it has them, by minus the divergences: these are finer.
static bool collect(struct source *source, double *quality, struct fault *fault)
{
	struct kept *z = (struct kept *)source;
	(void)fault;
	for (int i = 0; i < z->count; i++) {
		space_plan(source->shared->space, z->posted + i * source->shared->space->slots, &z->plan);
		quality[i] = source->shared->by_loss ? -sensitivity_divergence(z->table, &z->plan)
						     : sensitivity_quality(z->table, &z->plan, NULL);
	}
	return true;
}

// The front asks for so many images, and gets what the table says; a person asks for all of them.
static bool evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split, long images,
	struct evaluation *e, struct fault *fault)
{
	struct kept *z = (struct kept *)source;
	if (images == 0)
		return source_trained.evaluate(z->network, k, lane, choice, split, 0, e, fault);
	space_plan(source->shared->space, choice, &z->plan);
	e->split = split;
	e->accuracy = sensitivity_quality(z->table, &z->plan, NULL);
	e->loss = sensitivity_diverges(z->table) ? sensitivity_divergence(z->table, &z->plan) : (double)NAN;
	for (int l = 0; e->range && l < source->shared->model->layers; l++)
		e->range[l] = (struct layer_range){NAN, NAN};
	return true;
}

static bool look_at(struct source *source, int lane, const uint8_t *choice, struct layer_look *look, double *noise,
	double *formats, struct fault *fault)
{
	return source_trained.look(network_of(source), lane, choice, look, noise, formats, fault);
}

static bool weights(struct source *source, int lane, const uint8_t *choice, bool fold, struct state *out, struct fault *fault)
{
	return source_trained.weights(network_of(source), lane, choice, fold, out, fault);
}

static struct frozen *freeze(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, struct fault *fault)
{
	return source_trained.freeze(network_of(source), k, lane, choice, fault);
}

static int arrays(const struct source *source, struct state_array *array)
{
	return source_trained.arrays(network_of(source), array);
}

static void describe(const struct source *source, struct engine_info *info)
{
	source_trained.describe(network_of(source), info);
}

static void identity(const struct source *source, knobs_visit *each, void *context)
{
	source_trained.identity(network_of(source), each, context);
	each("sensitivity", source->shared->knobs.sensitivity, context);
}

const struct source_kind source_kept = {.name = "kept",
	.serves = serves,
	.open = kept_open,
	.ready = ready,
	.begin = begin,
	.close = kept_close,
	.post = post,
	.collect = collect,
	.evaluate = evaluate,
	.look = look_at,
	.weights = weights,
	.freeze = freeze,
	.arrays = arrays,
	.describe = describe,
	.identity = identity,
	.by_loss = by_loss};

// SPDX-License-Identifier: GPL-3.0-or-later
// Quality without training: worked out from a sensitivity table, a step being one of the policy alone; or none at all, where a
// search is there for its costs.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/published.h"
#include "engine/search/sensitivity.h"
#include "engine/search/source.h"

struct table {
	struct source source;
	struct sensitivity *sensitivity; // NULL: idle
	struct plan plan;
	int count;
	const uint8_t *posted;
};

static bool serves(const struct knobs *k)
{
	return strcmp(k->data, "none") == 0;
}

static void table_close(struct source *source)
{
	struct table *t = (struct table *)source;
	sensitivity_free(t->sensitivity);
	free(t->plan.layer);
	free(t);
}

// The network takes its own input: no images are loaded.
static struct source *table_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t) {
		fault_memory(fault, "search");
		return NULL;
	}
	t->source = (struct source){.kind = &source_table, .shared = shared, .bell = -1};
	if ((opened->blueprint = blueprint_named(shared->knobs.net, (struct shape){0}, 0, fault)))
		return &t->source;
	free(t);
	return NULL;
}

static bool ready(struct source *source, struct fault *fault)
{
	struct table *t = (struct table *)source;
	const struct shared *s = source->shared;
	const char *name = s->knobs.sensitivity;
	if (strcmp(name, "none") == 0) {
		source->idle = "no source of quality: give sensitivity=hawq or a table of your own";
		return true;
	}
	snprintf(source->estimated, sizeof source->estimated, "additive table %.100s", name);
	if (!(t->plan.layer = calloc((size_t)s->model->layers, sizeof *t->plan.layer)))
		return fault_memory(fault, "search");
	if (s->space->slots > s->space->formats)
		return fault_set(fault, "sensitivity", "leave it out, or name a network without choices",
			"a table knows one architecture, and here it is to be chosen");
	t->sensitivity = sensitivity_named(s->model, name, fault);
	return t->sensitivity && sensitivity_answers(t->sensitivity, s->space->format, s->space->options, fault);
}

static double quality_of(struct table *t, const uint8_t *choice)
{
	space_plan(t->source.shared->space, choice, &t->plan);
	return sensitivity_quality(t->sensitivity, &t->plan, NULL);
}

static bool post(struct source *source, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	struct table *t = (struct table *)source;
	(void)lane, (void)fault; // it always answers
	t->count = count;
	t->posted = choice;
	return true;
}

static bool collect(struct source *source, double *quality, struct fault *fault)
{
	struct table *t = (struct table *)source;
	(void)fault;
	for (int i = 0; i < t->count; i++)
		quality[i] = quality_of(t, t->posted + i * source->shared->space->slots);
	return true;
}

static bool evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split, long images,
	struct evaluation *e, struct fault *fault)
{
	struct table *t = (struct table *)source;
	(void)k, (void)lane, (void)images; // it has none of these
	if (source->idle)
		return fault_set(fault, "evaluate", "begin a new session with it", "%s", source->idle);
	e->split = split;
	e->accuracy = quality_of(t, choice);
	e->loss = NAN;
	for (int l = 0; e->range && l < source->shared->model->layers; l++)
		e->range[l] = (struct layer_range){NAN, NAN};
	return true;
}

// No weights are there; but the table says what each format of a layer loses.
static bool look_at(struct source *source, int lane, const uint8_t *choice, struct layer_look *look, double *noise,
	double *formats, struct fault *fault)
{
	const struct table *t = (const struct table *)source;
	(void)lane, (void)choice, (void)noise, (void)formats, (void)fault;
	for (int o = 0; t->sensitivity && look->layer >= 0 && o < look->options; o++) {
		const int format = space_format(source->shared->space, space_slot(look->layer, HALF_WEIGHT), o);
		look->option[o].lost = sensitivity_lost(t->sensitivity, look->layer, (struct layer_plan){format, format});
	}
	return true;
}

static void identity(const struct source *source, knobs_visit *each, void *context)
{
	each("sensitivity", source->shared->knobs.sensitivity, context);
}

const struct source_kind source_table = {.name = "table",
	.serves = serves,
	.open = table_open,
	.ready = ready,
	.close = table_close,
	.post = post,
	.collect = collect,
	.evaluate = evaluate,
	.look = look_at,
	.identity = identity};

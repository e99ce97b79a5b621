// SPDX-License-Identifier: GPL-3.0-or-later
// Quality by a model of a machine: what share of the best throughput a choice has, the best being that of an exhaustive search over all
// choices that fit. Nothing is trained, nothing is random: a step is one of the policy alone.
//
// A choice that cannot be is given a quality all the same, so that the policy is led to one that can. What lacks memory has 0 less LACKS for
// every factor of 2 in memory, which a cost must weigh much to make up for. Sizes that are no division of the slice have the quality of the nearest division, which the result is mended
// to, less STEP for every factor of 2 to it: a small penalty, since with 0 instead two parts could only ever change together, and the policy
// stays with the first division that it finds. The front and evaluations take no choice that cannot be.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/mapping.h"
#include "engine/search/source.h"

static const double STEP = .01, LACKS = .5;

struct model_source {
	struct source source;
	const struct mapping *mapping; // the search's
	struct mapping_cache *cache;
	double best; // throughput
	double memory;
	int count;
	const uint8_t *posted;
};

static bool serves(const struct knobs *k)
{
	return strcmp(k->pod, "none") != 0;
}

static void model_close(struct source *source)
{
	struct model_source *m = (struct model_source *)source;
	mapping_cache_free(m->cache);
	free(m);
}

static struct source *model_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	const struct knobs *k = &shared->knobs;
	int format[SPACE_OPTIONS], formats = space_formats(k->space, format, fault);
	struct model_source *m = formats ? calloc(1, sizeof *m) : NULL;
	if (!m) {
		if (formats)
			fault_memory(fault, "search");
		return NULL;
	}
	m->source = (struct source){.kind = &source_model, .shared = shared, .bell = -1};
	m->mapping = opened->mapping = mapping_new(&(struct mapping_asked){.pod = k->pod,
							   .work = k->work,
							   .chips = k->chips,
							   .format = format,
							   .formats = formats,
							   .any = k->axes == AXES_ANY,
							   .serve = k->task == TASK_SERVE,
							   .batch = (double)k->sequences,
							   .context = (double)k->context,
							   .tokens = k->tokens},
		fault);
	if (opened->mapping)
		return &m->source;
	free(m);
	return NULL;
}

static bool ready(struct source *source, struct fault *fault)
{
	struct model_source *m = (struct model_source *)source;
	uint8_t *choice = calloc((size_t)source->shared->space->slots, 1);
	m->cache = mapping_cache_new(m->mapping);
	if (choice && m->cache && !mapping_search(m->mapping, NULL, 1, choice, &m->best, NULL, choice, NULL)) {
		struct mapped x;
		char lack[160];
		mapping_of(m->mapping, choice, &x);
		fault_set(fault, mapping_name(m->mapping), "take more chips, narrower formats or fewer sequences",
			"nothing fits: what lacks least %s", mapped_lack(&x, lack, sizeof lack));
		free(choice);
		return false;
	}
	snprintf(source->estimated, sizeof source->estimated, "share of the best throughput");
	bool ok = choice && m->cache;
	free(choice);
	return ok || fault_memory(fault, "search");
}

static double quality_of(const struct model_source *m, const struct mapped *x)
{
	double its = x->lacks > 0 ? -LACKS * log2(x->memory / (x->memory - x->lacks)) : x->rate / m->best;
	return its - STEP * x->distance;
}

static bool post(struct source *source, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	struct model_source *m = (struct model_source *)source;
	(void)lane, (void)fault; // it always answers
	m->count = count;
	m->posted = choice;
	return true;
}

static bool collect(struct source *source, double *quality, struct fault *fault)
{
	struct model_source *m = (struct model_source *)source;
	(void)fault;
	for (int i = 0; i < m->count; i++)
		quality[i] = quality_of(m, mapping_recall(m->cache, m->posted + i * source->shared->space->slots));
	return true;
}

static bool evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split, long images,
	struct evaluation *e, struct fault *fault)
{
	struct model_source *m = (struct model_source *)source;
	const struct mapped *x = mapping_recall(m->cache, choice);
	char lack[192];
	(void)k, (void)lane, (void)images; // it has none of these
	if (x->standing != MAPPED_FITS)
		return fault_set(fault, "evaluate", "choose others of its slots", "the choice cannot be: %s",
			mapped_lack(x, lack, sizeof lack));
	e->split = split;
	e->accuracy = quality_of(m, x);
	e->loss = NAN;
	return true;
}

static const char *lack(const struct source *source, const uint8_t *choice, char *buf, size_t size)
{
	struct mapped x;
	mapping_of(((const struct model_source *)source)->mapping, choice, &x);
	return mapped_lack(&x, buf, size);
}

static const char *lack_of_all(const struct source *source, const uint32_t *allowed, char *buf, size_t size)
{
	const struct model_source *m = (const struct model_source *)source;
	uint8_t *choice = calloc(2, (size_t)source->shared->space->slots);
	double rate;
	bool even = false;
	char why[160];
	buf[0] = '\0';
	if (!choice ||
		mapping_search(m->mapping, allowed, 1, choice, &rate, NULL, choice + source->shared->space->slots, &even)) {
		free(choice);
		return buf;
	}
	lack(source, choice + source->shared->space->slots, why, sizeof why);
	if (even)
		snprintf(buf, size, "nothing that is allowed fits: what lacks least %s", why);
	else
		snprintf(buf, size, "no sizes that are allowed divide a topology that is allowed");
	free(choice);
	return buf;
}

static void describe(const struct source *source, struct engine_info *info)
{
	const struct model_source *m = (const struct model_source *)source;
	snprintf(info->net, sizeof info->net, "%s", mapping_name(m->mapping));
	info->parameters = mapping_parameters(m->mapping);
}

static void identity(const struct source *source, knobs_visit *each, void *context)
{
	static const char *const names[] = {"pod", "work", "chips", "axes", "task", "sequences", "context", "tokens"};
	char value[ENGINE_TEXT];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		knobs_get(&source->shared->knobs, names[i], value, sizeof value);
		each(names[i], value, context);
	}
}

const struct source_kind source_model = {.name = "model",
	.serves = serves,
	.open = model_open,
	.ready = ready,
	.close = model_close,
	.post = post,
	.collect = collect,
	.evaluate = evaluate,
	.lack = lack,
	.lack_of_all = lack_of_all,
	.describe = describe,
	.identity = identity};

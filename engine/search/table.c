// SPDX-License-Identifier: GPL-3.0-or-later
// Quality without training: worked out from a sensitivity table, a step being one of the policy alone; or none at all, where a
// search is there for its costs.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/published.h"
#include "engine/search/inside.h"

// The network takes its own input: no images are loaded.
static bool open(struct search *s, struct fault *fault)
{
	s->model = model_named(s->knobs.net, (struct shape){0}, 0, fault);
	return s->model != NULL;
}

static bool make(struct search *s, struct fault *fault)
{
	const char *name = s->knobs.sensitivity;
	if (strcmp(name, "none") == 0) {
		s->idle = "no source of quality: give sensitivity=hawq or a table of your own";
		return true;
	}
	snprintf(s->estimated, sizeof s->estimated, "additive table %.100s", name);
	s->sensitivity = sensitivity_named(s->model, name, fault);
	return s->sensitivity && sensitivity_answers(s->sensitivity, s->space->slot[0].format, s->space->slot[0].options, fault);
}

static double quality_of(struct search *s, const uint8_t *choice)
{
	space_plan(s->space, choice, &s->plan);
	return sensitivity_quality(s->sensitivity, &s->plan, NULL);
}

static void score(struct search *s, int samples, double *quality)
{
	for (int i = 0; i < samples; i++)
		quality[i] = quality_of(s, s->choice + i * s->space->slots);
}

static void evaluate(struct search *s, const struct knobs *k, const uint8_t *choice, enum split split, long images,
	struct evaluation *e)
{
	(void)k, (void)images; // it has neither
	e->split = split;
	e->accuracy = quality_of(s, choice);
	e->loss = NAN;
	for (int l = 0; e->range && l < s->model->layers; l++)
		e->range[l] = (struct layer_range){NAN, NAN};
}

const char *engine_sensitivity(const char *net)
{
	struct model *m = model_named(net, (struct shape){0}, 0, NULL);
	int *row = m ? calloc((size_t)m->layers + 1, sizeof *row) : NULL;
	const char *name = row && published_for(m, row, NULL) ? "hawq" : "none";
	free(row);
	model_free(m);
	return name;
}

const struct quality_source table_source = {.open = open, .make = make, .score = score, .evaluate = evaluate};

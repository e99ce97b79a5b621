// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/space/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"

// int-s, int-l, fp-s and fp-l are FLIQS's spaces. Under max scaling e1m2 equals int4, so no named space holds both.
const struct named_space space_names[SPACE_NAMES] = {
	{"wide", "int2,int3,int4,int5,int6,int7,int8", "0.1x"},
	{"int-s", "int4,int8", "0.3x"},
	{"int-l", "int4,int5,int6,int7,int8", "0.3x"},
	{"fp-s", "e2m1,e4m3", "0.3x"},
	{"fp-l", "e2m1,e2m2,e3m1,e2m3,e3m2,e2m4,e3m3,e4m2,e4m3", "0.3x"},
	{"mixed", "int2,int3,int4,e2m1,int5,e2m2,int6,e3m2,int8,e4m3", "0.1x"},
};

// Reads a list of formats into `format`, in table order; returns how many, 0 with a fault.
static int read_formats(const char *spec, int format[SPACE_OPTIONS], struct fault *fault)
{
	bool has[FORMATS] = {false};
	for (int i = 0; i < SPACE_NAMES; i++)
		if (strcmp(spec, space_names[i].name) == 0)
			spec = space_names[i].formats;
	while (*spec) {
		char word[32];
		size_t n = strcspn(spec, ",");
		snprintf(word, sizeof word, "%.*s", n < 31 ? (int)n : 31, spec);
		int f = format_named(word);
		if (f < 0)
			return fault_set(fault, "space", "name formats such as int4,int8,e4m3 or a space such as wide",
				"\"%s\" is neither a format nor a named space", word);
		has[f] = true;
		spec += n + (spec[n] == ',');
	}
	if (has[format_named("int4")] && has[format_named("e1m2")])
		return fault_set(fault, "space", "leave out one of them", "int4 and e1m2 are the same numbers under max scaling");
	int count = 0;
	for (int f = 0; f < FORMATS; f++)
		if (has[f])
			format[count++] = f;
	return count ? count : fault_set(fault, "space", "name formats such as int4,int8", "no formats given");
}

struct space *space_new(const struct model *model, const char *spec, struct fault *fault)
{
	int format[SPACE_OPTIONS], options = read_formats(spec, format, fault);
	if (!options)
		return NULL;
	struct space *s = calloc(1, sizeof *s);
	size_t layers = (size_t)model->layers;
	if (s) {
		s->decision = calloc(layers, sizeof *s->decision);
		s->weight_decision = calloc(layers, sizeof *s->weight_decision);
		s->activation_decision = calloc(layers, sizeof *s->activation_decision);
	}
	if (!s || !s->decision || !s->weight_decision || !s->activation_decision) {
		space_free(s);
		fault_set(fault, "space", "choose a smaller network", "out of memory");
		return NULL;
	}
	s->model = model;
	s->decisions = model->layers;
	for (int l = 0; l < model->layers; l++) {
		struct decision *d = &s->decision[l];
		snprintf(d->name, sizeof d->name, "%s", model->layer[l].name);
		d->options = options;
		memcpy(d->format, format, sizeof format);
		s->weight_decision[l] = s->activation_decision[l] = l;
	}
	return s;
}

void space_free(struct space *s)
{
	if (!s)
		return;
	free(s->decision);
	free(s->weight_decision);
	free(s->activation_decision);
	free(s);
}

void space_plan(const struct space *s, const uint8_t *choice, struct plan *plan)
{
	plan->model = s->model;
	for (int l = 0; l < s->model->layers; l++) {
		int w = s->weight_decision[l], a = s->activation_decision[l];
		plan->layer[l].weight = s->decision[w].format[choice[w]];
		plan->layer[l].activation = s->decision[a].format[choice[a]];
	}
}

int space_option(const struct space *s, int decision, int format)
{
	const struct decision *d = &s->decision[decision];
	for (int o = 0; o < d->options; o++)
		if (d->format[o] == format)
			return o;
	return -1;
}

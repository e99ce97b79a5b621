// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/space/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/quant/format.h"

// int-s, int-l, fp-s and fp-l are FLIQS's spaces. Under max scaling e1m2 equals int4, so no named space holds both.
const struct named_space space_names[SPACE_NAMES] = {
	{"wide", "int2,int3,int4,int5,int6,int7,int8", "0.1x"},
	{"int-s", "int4,int8", "0.3x"},
	{"int-l", "int4,int5,int6,int7,int8", "0.3x"},
	{"fp-s", "e2m1,e4m3", "0.3x"},
	{"fp-l", "e2m1,e2m2,e3m1,e2m3,e3m2,e2m4,e3m3,e4m2,e4m3", "0.3x"},
	{"mx", "mxfp4,mxfp6,mxfp8", "0.3x"},
	{"mixed", "int2,int3,int4,e2m1,int5,e2m2,int6,e3m2,int8,e4m3", "0.1x"},
};

int space_formats(const char *spec, int format[SPACE_OPTIONS], struct fault *fault)
{
	bool has[FORMATS] = {false};
	for (int i = 0; i < SPACE_NAMES; i++)
		if (strcmp(spec, space_names[i].name) == 0)
			spec = space_names[i].formats;
	char word[32];
	while (list_next(&spec, word, sizeof word)) {
		int f = format_named(word);
		if (f < 0)
			return fault_set(fault, "space", "name formats such as int4,int8,e4m3 or a space such as wide",
				"\"%s\" is neither a format nor a named space", word);
		has[f] = true;
	}
	if (has[format_named("int4")] && has[format_named("e1m2")])
		return fault_set(fault, "space", "leave out one of them", "int4 and e1m2 are the same numbers under max scaling");
	int count = 0;
	for (int f = 0; f < FORMATS; f++)
		if (has[f])
			format[count++] = f;
	return count ? count : fault_set(fault, "space", "name formats such as int4,int8", "no formats given");
}

// Their owners are indices among the slots of the architecture, which come behind those of the formats.
static int owner_of(const struct space *s, int owner)
{
	return owner < 0 ? -1 : s->formats + owner;
}

static void fill_formats(struct space *s)
{
	static const enum slot_kind kinds[HALVES] = {SLOT_WEIGHT, SLOT_ACTIVATION};
	for (int i = 0; i < s->formats; i++) {
		struct slot *slot = &s->slot[i];
		const struct layer *layer = &s->model->layer[space_layer(i)];
		slot->kind = kinds[i % HALVES];
		slot->layer = space_layer(i);
		slot->owner = owner_of(s, layer->owner);
		slot->when = layer->when;
		snprintf(slot->name, sizeof slot->name, "%.*s.%s", SPACE_NAME - 3, layer->name, slot_kinds[slot->kind].word);
		slot->options = s->options;
		for (int o = 0; o < s->options; o++) {
			slot->value[o] = s->format[o];
			snprintf(slot->option[o], sizeof slot->option[o], "%s", format_table[s->format[o]].name);
		}
	}
}

static void fill_architecture(struct space *s, const struct slot *architecture)
{
	for (int i = s->formats; i < s->slots; i++) {
		s->slot[i] = architecture[i - s->formats];
		s->slot[i].layer = -1;
		s->slot[i].owner = owner_of(s, s->slot[i].owner);
	}
}

struct space *space_new(const struct model *whole, const struct slot *architecture, int count, const char *spec,
	struct fault *fault)
{
	int format[SPACE_OPTIONS], options = whole->layers ? space_formats(spec, format, fault) : 0;
	if (whole->layers && !options)
		return NULL;
	struct space *s = calloc(1, sizeof *s);
	if (s) {
		s->model = whole;
		s->formats = whole->layers * HALVES;
		s->slots = s->formats + count;
		s->options = options;
		memcpy(s->format, format, sizeof format);
		s->slot = calloc((size_t)s->slots, sizeof *s->slot);
	}
	if (!s || !s->slot) {
		space_free(s);
		fault_memory(fault, "space");
		return NULL;
	}
	fill_formats(s);
	fill_architecture(s, architecture);
	for (int i = 0; i < s->slots; i++)
		s->rests |= s->slot[i].owner >= 0;
	return s;
}

void space_free(struct space *s)
{
	if (s)
		free(s->slot);
	free(s);
}

int space_option(const struct space *s, int slot, int format)
{
	return slot_valued(&s->slot[slot], format);
}

bool space_option_named(const struct space *s, int slot, const char *name, int *option, struct fault *fault)
{
	*option = slot_named(&s->slot[slot], name, fault);
	if (*option >= 0 || !fault)
		return *option >= 0;
	if (!space_of_format(s, slot) && *name)
		snprintf(fault->what, sizeof fault->what, "%s has no such option", s->slot[slot].name);
	else if (space_of_format(s, slot) && format_named(name) < 0)
		snprintf(fault->what, sizeof fault->what,
			*name ? "no such format" : "a format is missing, at a comma or altogether");
	return false;
}

void space_canonical(const struct space *s, uint8_t *choice)
{
	for (int i = 0; s->rests && i < s->slots; i++)
		if (!slot_there(s->slot, i, choice))
			choice[i] = 0;
}

// ---- choices, counted ----

// The networks that slot `i` makes with what it owns: for each option the product of what it owns through that one, added up. `owned`:
// [slots][options], those products, which begin at 1.
static double networks_of(const struct slot *slot, const double *owned)
{
	double sum = 0;
	for (int o = 0; o < slot->options; o++)
		sum += owned[o];
	return sum;
}

bool space_counts(const struct space *s, bool split, double *decisions, double *networks)
{
	double *owned = malloc((size_t)s->slots * SPACE_OPTIONS * sizeof *owned);
	*decisions = *networks = 1;
	for (int i = 0; owned && i < s->slots * SPACE_OPTIONS; i++)
		owned[i] = 1;
	// What owns comes before what it owns, but for formats, which own nothing.
	for (int k = 0; owned && k < s->slots; k++) {
		int i = k < s->formats ? k : s->slots - 1 - (k - s->formats);
		const struct slot *slot = &s->slot[i];
		if (slot->kind == SLOT_ACTIVATION && !split)
			continue; // as the weights are
		double mine = networks_of(slot, owned + i * SPACE_OPTIONS);
		*decisions *= slot->options;
		if (slot->owner < 0)
			*networks *= mine;
		for (int o = 0; slot->owner >= 0 && o < s->slot[slot->owner].options; o++)
			if (slot->when >> o & 1)
				owned[slot->owner * SPACE_OPTIONS + o] *= mine;
	}
	free(owned);
	return owned != NULL;
}

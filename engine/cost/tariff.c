// SPDX-License-Identifier: GPL-3.0-or-later
// Cost terms made: what a name stands for, on which device.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"

// ---- terms that are a sum over layers ----

// Sum of MACs * weight bits * activation bits over every layer, stem and classifier included: the accounting that
// reproduces FLIQS's figures (bf16 counts 256 per MAC, 8 bit 64, 4 bit 16).
static double bops(const struct layer *l, const struct layer_plan *p)
{
	return l->macs * format_table[p->weight].bits * format_table[p->activation].bits;
}

static double bops_linear(const struct layer *l, const struct layer_plan *p)
{
	int w = format_table[p->weight].bits, a = format_table[p->activation].bits;
	return l->macs * (w > a ? w : a);
}

// Stored weights, and an fp32 scale and bias per output channel (a batch norm folds into them).
static double size(const struct layer *l, const struct layer_plan *p)
{
	return l->weights * format_table[p->weight].bits / 8 + 8.0 * l->out.c;
}

// How the kinds are priced that know no device: by a sum over layers, or else.
static const struct {
	double (*layer)(const struct layer *, const struct layer_plan *);
	const struct pricing *pricing;
} priced_by[TERM_IDS] = {
	[TERM_BOPS] = {.layer = bops},
	[TERM_BOPS_LINEAR] = {.layer = bops_linear},
	[TERM_SIZE] = {.layer = size},
	[TERM_ACTIVATIONS] = {.pricing = &peak_pricing},
};

// ---- units ----

void tariff_per(struct tariff *t, int images)
{
	const char *word = t->kind->unit;
	if (images > 1)
		snprintf(t->unit, sizeof t->unit, "%s per %d images", word, images);
	else
		snprintf(t->unit, sizeof t->unit, "%s%s", word, images ? " per image" : "");
	if (!images || !t->kind->where) // it says enough where there is little room
		snprintf(t->brief, sizeof t->brief, "%s", word);
	else if (images == 1)
		snprintf(t->brief, sizeof t->brief, "%s/img", word);
	else
		snprintf(t->brief, sizeof t->brief, "%s/%d img", word, images);
}

// ---- making a term ----

static double sum_layer(const struct cost *c, int layer, struct layer_plan p)
{
	return c->tariff->sum(&c->model->layer[layer], &p);
}

static const struct pricing sum_pricing = {.layer = sum_layer};

enum { TERM_NAME = 64 };

const char *const *cost_terms(void)
{
	static _Thread_local char text[COST_NAMES][TERM_NAME];
	static _Thread_local const char *names[COST_NAMES + 1];
	int count = 0;
	for (int i = 0; i < TERM_IDS; i++)
		if (term_kinds[i].subject == SUBJECT_NETWORK && !term_kinds[i].where)
			names[count++] = term_kinds[i].name;
	for (int i = 0; i < TERM_IDS; i++)
		for (const char *const *device = device_names();
			term_kinds[i].where == ON_DEVICE && *device && count < COST_NAMES - 1; device++) {
			term_write((enum term_id)i, *device, text[count], TERM_NAME);
			names[count] = text[count];
			count++;
		}
	term_write(TERM_LATENCY, "table:hawq", text[count], TERM_NAME);
	names[count] = text[count];
	names[count + 1] = NULL;
	return names;
}

static bool begin(struct tariff *t, const struct model *whole, int batch, struct fault *fault)
{
	struct term_name name;
	char advice[sizeof fault->todo];
	if (!term_read_of(SUBJECT_NETWORK, t->name, &name) || (name.kind->where && !name.device))
		return fault_set(fault, t->name, term_advice(SUBJECT_NETWORK, false, advice, sizeof advice),
			"there is no such cost term");
	t->kind = name.kind;
	if (!name.kind->where) {
		t->sum = priced_by[name.kind->id].layer;
		t->pricing = t->sum ? &sum_pricing : priced_by[name.kind->id].pricing;
		tariff_per(t, name.kind->per == PER_IMAGE);
		snprintf(t->help, sizeof t->help, "%s", name.kind->help);
		return true;
	}
	if (name.kind->id == TERM_LATENCY && term_table(name.device))
		return measured_of(t, whole, term_table(name.device), fault);
	if (batch < 0 || batch > 65536)
		return fault_set(fault, t->name, "give 1 to 65536, or 0 for the device's own", "a batch cannot have %d images",
			batch);
	t->on_device = device_get(name.device, &t->device, fault);
	t->batch = batch ? batch : (int)t->device.batch;
	if (t->on_device && name.kind->id == TERM_LATENCY && t->device.times[0])
		return timed_of(t, whole, fault);
	return t->on_device && machine_new(t, fault);
}

struct tariff *tariff_new(const struct model *whole, const char *term, int batch, struct fault *fault)
{
	struct tariff *t = calloc(1, sizeof *t);
	if (!t) {
		fault_memory(fault, term);
		return NULL;
	}
	bool fits = snprintf(t->name, sizeof t->name, "%s", term) < (int)sizeof t->name;
	if (!fits)
		fault_set(fault, "cost term", "name a shorter path", "the name is too long");
	if (fits && begin(t, whole, batch, fault))
		return t;
	tariff_free(t);
	return NULL;
}

void tariff_free(struct tariff *t)
{
	if (t) {
		measured_free(&t->table);
		free(t->work);
	}
	free(t);
}

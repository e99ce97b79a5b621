// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cost/cost.h"

#include <math.h>
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

void cost_per(struct cost *c, int images)
{
	const char *word = c->kind->unit;
	if (images > 1)
		snprintf(c->unit, sizeof c->unit, "%s per %d images", word, images);
	else
		snprintf(c->unit, sizeof c->unit, "%s%s", word, images ? " per image" : "");
	if (!images || !c->kind->on_device) // it says enough where there is little room
		snprintf(c->brief, sizeof c->brief, "%s", word);
	else if (images == 1)
		snprintf(c->brief, sizeof c->brief, "%s/img", word);
	else
		snprintf(c->brief, sizeof c->brief, "%s/%d img", word, images);
}

// ---- targets ----

static const struct unit {
	const char *text;
	double factor;
	unsigned of; // bits of enum term_quantity
} units[] = {
#define PLAIN (1u << QUANTITY_COUNT | 1u << QUANTITY_BYTES)
	{"k", 1e3, PLAIN},
	{"K", 1e3, PLAIN},
	{"M", 1e6, PLAIN},
	{"G", 1e9, PLAIN},
	{"T", 1e12, PLAIN},
	{"B", 1, 1u << QUANTITY_BYTES},
	{"kB", 1e3, 1u << QUANTITY_BYTES},
	{"MB", 1e6, 1u << QUANTITY_BYTES},
	{"GB", 1e9, 1u << QUANTITY_BYTES},
	{"KiB", 1024, 1u << QUANTITY_BYTES},
	{"MiB", 1048576, 1u << QUANTITY_BYTES},
	{"ns", 1e-6, 1u << QUANTITY_TIME},
	{"us", 1e-3, 1u << QUANTITY_TIME},
	{"ms", 1, 1u << QUANTITY_TIME},
	{"s", 1e3, 1u << QUANTITY_TIME},
	{"nJ", 1e-6, 1u << QUANTITY_ENERGY},
	{"uJ", 1e-3, 1u << QUANTITY_ENERGY},
	{"mJ", 1, 1u << QUANTITY_ENERGY},
	{"J", 1e3, 1u << QUANTITY_ENERGY},
};

bool cost_target_value(const struct cost *c, double widest, const char *text, double *target, struct fault *fault)
{
	char *end;
	int format = format_named(text);
	double value = format < 0 ? strtod(text, &end) : cost_uniform_total(c, format), factor = format < 0 ? 0 : 1;
	if (format >= 0 && !isfinite(value))
		return fault_set(fault, c->name, quantity_advice(c->kind->quantity), "%s in all layers has no price", text);
	if (format < 0 && end != text && !*end)
		factor = 1;
	if (format < 0 && end != text && strcmp(end, "x") == 0)
		factor = widest;
	for (size_t i = 0; format < 0 && end != text && i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].text) == 0 && units[i].of >> c->kind->quantity & 1)
			factor = units[i].factor;
	if (!(factor > 0 && isfinite(value) && value > 0 && isfinite(value * factor)))
		return fault_set(fault, c->name, quantity_advice(c->kind->quantity), "\"%s\" is not a target", text);
	*target = value * factor;
	return true;
}

// ---- making a term ----

static double sum_layer(const struct cost *c, int layer, struct layer_plan p)
{
	return c->sum(&c->model->layer[layer], &p);
}

static const struct pricing sum_pricing = {.layer = sum_layer};

enum { TERM_NAME = 64 };

const char *const *cost_terms(void)
{
	static _Thread_local char text[COST_NAMES][TERM_NAME];
	static _Thread_local const char *names[COST_NAMES + 1];
	int count = 0;
	for (int i = 0; i < TERM_IDS; i++)
		if (!term_kinds[i].on_device)
			names[count++] = term_kinds[i].name;
	for (int i = 0; i < TERM_IDS; i++)
		for (const char *const *device = device_names(); term_kinds[i].on_device && *device && count < COST_NAMES - 1;
			device++) {
			term_write((enum term_id)i, *device, text[count], TERM_NAME);
			names[count] = text[count];
			count++;
		}
	term_write(TERM_LATENCY, "table:hawq", text[count], TERM_NAME);
	names[count] = text[count];
	names[count + 1] = NULL;
	return names;
}

static bool begin(struct cost *c, int batch, struct fault *fault)
{
	struct term_name name;
	char advice[sizeof fault->todo];
	if (!term_read(c->name, &name) || (name.kind->on_device && !name.device))
		return fault_set(fault, c->name, term_advice(false, advice, sizeof advice), "there is no such cost term");
	c->kind = name.kind;
	if (!name.kind->on_device) {
		c->sum = priced_by[name.kind->id].layer;
		c->pricing = c->sum ? &sum_pricing : priced_by[name.kind->id].pricing;
		cost_per(c, name.kind->per == PER_IMAGE);
		snprintf(c->help, sizeof c->help, "%s", name.kind->help);
		return true;
	}
	if (name.kind->id == TERM_LATENCY && term_table(name.device))
		return measured_cost(c, term_table(name.device), fault);
	if (batch < 0 || batch > 65536)
		return fault_set(fault, c->name, "give 1 to 65536, or 0 for the device's own", "a batch cannot have %d images",
			batch);
	c->on_device = device_get(name.device, &c->device, fault);
	c->batch = batch ? batch : (int)c->device.batch;
	return c->on_device && machine_new(c, fault);
}

bool cost_can_price(const struct model *m, struct fault *fault)
{
	return graph_fits(m, fault);
}

struct cost *cost_new(const struct model *model, const char *term, int batch, struct fault *fault)
{
	struct cost *c = calloc(1, sizeof *c);
	if (!c) {
		fault_memory(fault, term);
		return NULL;
	}
	c->model = model;
	bool fits = snprintf(c->name, sizeof c->name, "%s", term) < (int)sizeof c->name;
	if (!fits)
		fault_set(fault, "cost term", "name a shorter path", "the name is too long");
	bool ok = fits && begin(c, batch, fault);
	if (ok && !c->graph) // a machine makes its own
		ok = (c->graph = graph_new(model, false, fault)) != NULL;
	if (!ok) {
		cost_free(c);
		return NULL;
	}
	return c;
}

void cost_free(struct cost *c)
{
	if (!c)
		return;
	graph_free(c->graph);
	free(c->op);
	free(c->move);
	measured_free(&c->table);
	free(c);
}

const char *cost_name(const struct cost *c)
{
	return c->name;
}

const struct term_kind *cost_kind(const struct cost *c)
{
	return c->kind;
}

const char *cost_unit(const struct cost *c)
{
	return c->unit;
}

const char *cost_brief(const struct cost *c)
{
	return c->brief;
}

const char *cost_help(const struct cost *c)
{
	return c->help;
}

const struct device *cost_device(const struct cost *c)
{
	return c->on_device ? &c->device : NULL;
}

// ---- prices ----

// Whether the layer's own operator has a price with these formats.
static bool layer_answers(const struct cost *c, int layer, struct layer_plan p)
{
	if (c->pricing->layer)
		return isfinite(c->pricing->layer(c, layer, p));
	return !c->op || isfinite(c->op[c->model->layer[layer].op].compute[c->native[p.weight][p.activation]]);
}

bool cost_answers(const struct cost *c, const int *formats, int count, struct fault *fault)
{
	for (int l = 0; l < c->model->layers; l++)
		for (int w = 0; w < count; w++)
			for (int a = 0; a < count; a++)
				if (!layer_answers(c, l, (struct layer_plan){formats[w], formats[a]})) {
					const char *name = c->model->layer[l].name, *weight = format_table[formats[w]].name;
					const char *activation = format_table[formats[a]].name;
					if (!c->on_device)
						return fault_set(fault, name,
							"add a row for it to the table, or leave the format out",
							"nothing was measured that holds %s weights and %s activations", weight,
							activation);
					return fault_set(fault, name,
						"leave out the format, choose another device, or give the peak in a device file",
						"%s weights and %s activations run as %s, of which the peak of %s is unknown",
						weight, activation, native_table[c->native[formats[w]][formats[a]]].name,
						c->device.name);
				}
	return true;
}

double cost_total(const struct cost *c, const struct plan *plan, double *layer)
{
	uint8_t format[GRAPH_OPS];
	if (!c->pricing->layer)
		graph_formats(c->graph, plan, format);
	return cost_total_of(c, plan, format, layer);
}

double cost_total_of(const struct cost *c, const struct plan *plan, const uint8_t *format, double *layer)
{
	if (!c->pricing->layer)
		return c->pricing->total(c, plan, format, layer);
	double total = 0;
	for (int l = 0; l < c->model->layers; l++) {
		double part = c->pricing->layer(c, l, plan->layer[l]);
		if (layer)
			layer[l] = part;
		total += part;
	}
	return total;
}

double cost_part(const struct cost *c, const struct plan *plan, const int *layers, int count)
{
	double sum = 0;
	if (!c->pricing->layer) {
		uint8_t format[GRAPH_OPS];
		struct graph_touched touched;
		graph_formats(c->graph, plan, format);
		graph_touch(c->graph, layers, count, &touched);
		return c->pricing->part(c, plan, format, &touched);
	}
	for (int k = 0; k < count; k++)
		sum += c->pricing->layer(c, layers[k], plan->layer[layers[k]]);
	return sum;
}

void cost_formats(const struct cost *c, const struct plan *plan, uint8_t *format)
{
	graph_formats(c->graph, plan, format);
}

void cost_parts(const struct cost *c, struct plan *plan, uint8_t *format, const int *layers, int count,
	const struct layer_plan *to, int options, double *part)
{
	struct graph_touched touched;
	graph_touch(c->graph, layers, count, &touched);
	graph_rest(c->graph, plan, layers, count, &touched);
	for (int o = options - 1; o >= 0; o--) {
		for (int k = 0; k < count; k++)
			plan->layer[layers[k]] = to[o * count + k];
		graph_follow(c->graph, plan, layers, count, &touched, format);
		part[o] = c->pricing->layer ? cost_part(c, plan, layers, count) : c->pricing->part(c, plan, format, &touched);
	}
}

bool cost_adds(const struct cost *c)
{
	return c->pricing->layer != NULL;
}

double cost_least(const struct cost *c, const struct cost_settings *layer)
{
	double sum = 0;
	if (!c->pricing->layer) {
		struct layer_plan end[GRAPH_OPS];
		uint8_t format[2][GRAPH_OPS];
		for (int high = 0; high < 2; high++) {
			for (int l = 0; l < c->model->layers; l++) {
				end[l] = layer[l].setting[0];
				for (int k = 1; k < layer[l].count; k++) {
					int a = layer[l].setting[k].activation;
					if (high ? a > end[l].activation : a < end[l].activation)
						end[l] = layer[l].setting[k];
				}
			}
			graph_formats(c->graph, &(struct plan){.model = c->model, .layer = end}, format[high]);
		}
		return c->pricing->least(c, layer, format[0], format[1]);
	}
	for (int l = 0; l < c->model->layers; l++) {
		double least = INFINITY;
		for (int k = 0; k < layer[l].count; k++)
			least = fmin(least, c->pricing->layer(c, l, layer[l].setting[k]));
		sum += least;
	}
	return sum;
}

double cost_uniform_total(const struct cost *c, int format)
{
	struct layer_plan even[GRAPH_OPS];
	for (int l = 0; l < c->model->layers; l++)
		even[l] = (struct layer_plan){format, format};
	return cost_total(c, &(struct plan){.model = c->model, .layer = even}, NULL);
}

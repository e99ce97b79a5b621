// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cost/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"

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
		return fault_set(fault, c->tariff->name, quantity_advice(c->tariff->kind->quantity),
			"%s in all layers has no price", text);
	if (format < 0 && end != text && !*end)
		factor = 1;
	if (format < 0 && end != text && strcmp(end, "x") == 0)
		factor = widest;
	for (size_t i = 0; format < 0 && end != text && i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].text) == 0 && units[i].of >> c->tariff->kind->quantity & 1)
			factor = units[i].factor;
	if (!(factor > 0 && isfinite(value) && value > 0 && isfinite(value * factor)))
		return fault_set(fault, c->tariff->name, quantity_advice(c->tariff->kind->quantity), "\"%s\" is not a target",
			text);
	*target = value * factor;
	return true;
}

// ---- networks ----

bool cost_can_price(const struct model *m, struct fault *fault)
{
	return graph_fits(m, fault);
}

void *cost_room(void *array, size_t *room, size_t count, size_t size, const struct cost *c, struct fault *fault)
{
	if (array && count <= *room)
		return array;
	free(array);
	array = calloc(count + 1, size);
	*room = array ? count : 0;
	if (!array)
		fault_memory(fault, c->tariff->name);
	return array;
}

bool cost_settle(struct cost *c, const struct plan *plan, struct fault *fault)
{
	bool kernels = c->pricing == &machine_pricing && !c->tariff->sums;
	c->model = plan->model;
	if (!graph_fits(plan->model, fault) || (!c->pricing->layer && !graph_settle(&c->graph, plan->model, kernels, fault)))
		return false;
	return !c->pricing->settle || c->pricing->settle(c, plan, fault);
}

struct cost *cost_of(const struct tariff *t, const struct plan *plan, struct fault *fault)
{
	struct cost *c = calloc(1, sizeof *c);
	if (!c) {
		fault_memory(fault, t->name);
		return NULL;
	}
	c->tariff = t;
	c->pricing = t->pricing;
	if (cost_settle(c, plan, fault))
		return c;
	cost_free(c);
	return NULL;
}

struct cost *cost_new(const struct model *model, const char *term, int batch, struct fault *fault)
{
	struct tariff *t = cost_can_price(model, fault) ? tariff_new(model, term, batch, fault) : NULL;
	struct cost *c = t ? cost_of(t, &(struct plan){.model = model}, fault) : NULL;
	if (c)
		c->own = t;
	else
		tariff_free(t);
	return c;
}

void cost_free(struct cost *c)
{
	if (!c)
		return;
	graph_free(&c->graph);
	free(c->op);
	free(c->move);
	free(c->row);
	tariff_free(c->own);
	free(c);
}

const char *cost_name(const struct cost *c)
{
	return c->tariff->name;
}

const struct term_kind *cost_kind(const struct cost *c)
{
	return c->tariff->kind;
}

const char *cost_unit(const struct cost *c)
{
	return c->tariff->unit;
}

const char *cost_brief(const struct cost *c)
{
	return c->tariff->brief;
}

const char *cost_help(const struct cost *c)
{
	return c->tariff->help;
}

const struct device *cost_device(const struct cost *c)
{
	return c->tariff->on_device ? &c->tariff->device : NULL;
}

bool cost_assumed(const struct cost *c)
{
	return c->pricing == &machine_pricing && !c->tariff->sums && device_assumes(&c->tariff->device);
}

// ---- prices ----

// Whether the layer's own operator has a price with these formats.
static bool layer_answers(const struct cost *c, int layer, struct layer_plan p)
{
	if (c->pricing->layer)
		return isfinite(c->pricing->layer(c, layer, p));
	return !c->op || isfinite(c->op[c->model->layer[layer].op].compute[c->tariff->native[p.weight][p.activation]]);
}

static bool not_measured(const struct cost *c, int layer, struct fault *fault)
{
	char work[MODEL_WORK], todo[sizeof fault->todo];
	const char *device = c->tariff->device.name;
	snprintf(todo, sizeof todo, "`device measure` a network that has it, or choose %s:modelled", device);
	return fault_set(fault, c->model->layer[layer].name, todo, "%s was not measured on %s, for %d image%s at once",
		model_layer_work(c->model, layer, work), device, c->tariff->batch, c->tariff->batch == 1 ? "" : "s");
}

bool cost_answers(const struct cost *c, const int *formats, int count, struct fault *fault)
{
	for (int l = 0; l < c->model->layers; l++) {
		if (c->pricing == &measured_pricing && c->row[l] < 0)
			return c->tariff->on_device
				? not_measured(c, l, fault)
				: fault_set(fault, c->model->layer[l].name,
					  "choose latency@DEVICE, or hold what gives the layer other shapes",
					  "the table has its time in the largest shape alone, and it runs in a smaller one");
		for (int w = 0; w < count; w++)
			for (int a = 0; a < count; a++)
				if (!layer_answers(c, l, (struct layer_plan){formats[w], formats[a]})) {
					const char *name = c->model->layer[l].name, *weight = format_table[formats[w]].name;
					const char *activation = format_table[formats[a]].name;
					if (c->pricing == &measured_pricing)
						return fault_set(fault, name,
							"add a row for it to the table, or leave the format out",
							"nothing was measured that holds %s weights and %s activations", weight,
							activation);
					return fault_set(fault, name,
						"leave out the format, choose another device, or give the peak in a device file",
						"%s weights and %s activations run as %s, of which the peak of %s is unknown",
						weight, activation, native_table[c->tariff->native[formats[w]][formats[a]]].name,
						c->tariff->device.name);
				}
	}
	return true;
}

double cost_total(const struct cost *c, const struct plan *plan, double *layer)
{
	uint8_t format[GRAPH_OPS];
	if (!c->pricing->layer)
		graph_formats(&c->graph, plan, format);
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
		graph_formats(&c->graph, plan, format);
		graph_touch(&c->graph, layers, count, &touched);
		return c->pricing->part(c, plan, format, &touched);
	}
	for (int k = 0; k < count; k++)
		sum += c->pricing->layer(c, layers[k], plan->layer[layers[k]]);
	return sum;
}

void cost_formats(const struct cost *c, const struct plan *plan, uint8_t *format)
{
	if (!c->pricing->layer)
		graph_formats(&c->graph, plan, format);
}

void cost_parts(const struct cost *c, struct plan *plan, uint8_t *format, const int *layers, int count,
	const struct layer_plan *to, int options, double *part)
{
	struct graph_touched touched;
	if (!c->pricing->layer) {
		graph_touch(&c->graph, layers, count, &touched);
		graph_rest(&c->graph, plan, layers, count, &touched);
	}
	for (int o = options - 1; o >= 0; o--) {
		for (int k = 0; k < count; k++)
			plan->layer[layers[k]] = to[o * count + k];
		if (!c->pricing->layer)
			graph_follow(&c->graph, plan, layers, count, &touched, format);
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
			graph_formats(&c->graph, &(struct plan){.model = c->model, .layer = end}, format[high]);
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

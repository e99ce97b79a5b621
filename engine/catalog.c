// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/catalog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/cost.h"
#include "engine/hardware/device.h"
#include "engine/hardware/times.h"
#include "engine/model/blueprint.h"
#include "engine/model/counters.h"
#include "engine/quant/format.h"
#include "engine/search/allocate.h"
#include "engine/search/layers.h"
#include "engine/search/sensitivity.h"

// ---- networks ----

struct description {
	struct blueprint *blueprint;
	struct path path; // of the standard options, where there are choices
	const struct model *model;
	struct layer_info *layer;
	struct description_choice *choice;
	char keys[256];
	struct description_info info;
};

static struct catalog_row row_of(const char *name)
{
	struct catalog_row row;
	size_t length = strcspn(name, ":");
	for (int i = 0; model_catalog(i, &row); i++)
		if (strlen(row.name) == length && strncmp(row.name, name, length) == 0)
			return row;
	return (struct catalog_row){.help = "", .keys = ""};
}

static void describe_choice(struct description_choice *to, const struct slot *slot, const struct slot *all, int standard)
{
	size_t used = 0;
	to->name = slot->name;
	to->help = slot_kinds[slot->kind].help;
	for (int o = 0; o < slot->options; o++)
		used += (size_t)snprintf(to->options + used, sizeof to->options - used, "%s%s", o ? "|" : "", slot->option[o]);
	snprintf(to->standard, sizeof to->standard, "%s", slot->option[standard]);
	used = 0;
	for (int o = 0; slot->owner >= 0 && o < all[slot->owner].options; o++)
		if (slot->when >> o & 1 && used < sizeof to->when)
			used += (size_t)snprintf(to->when + used, sizeof to->when - used, "%s%s%s",
				used ? "" : all[slot->owner].name, used ? "|" : " ", all[slot->owner].option[o]);
}

// The network that runs with the standard options, and what may be chosen instead.
static bool open_choices(struct description *d, struct fault *fault)
{
	const struct slot *slot = blueprint_slots(d->blueprint, &d->info.choices);
	d->model = blueprint_whole(d->blueprint);
	d->path.whole = d->model;
	blueprint_counts(d->blueprint, &d->info.decisions, &d->info.networks);
	if (!d->info.choices)
		return true;
	if (!blueprint_settle(d->blueprint, blueprint_standard(d->blueprint), &d->path, fault))
		return false;
	d->model = d->path.model;
	d->choice = calloc((size_t)d->info.choices, sizeof *d->choice);
	for (int i = 0; d->choice && i < d->info.choices; i++)
		describe_choice(&d->choice[i], &slot[i], slot, blueprint_standard(d->blueprint)[i]);
	d->info.choice = d->choice;
	return d->choice || fault_memory(fault, d->model->name);
}

struct description *description_open(const char *name, int h, int w, int c, int classes, struct fault *fault)
{
	struct description *d = calloc(1, sizeof *d);
	if (!d) {
		fault_memory(fault, name);
		return NULL;
	}
	d->blueprint = blueprint_named(name, (struct shape){h, w, c}, classes, fault);
	if (!d->blueprint || !open_choices(d, fault)) {
		description_close(d);
		return NULL;
	}
	const struct model *m = d->model;
	d->layer = calloc((size_t)m->layers + 1, sizeof *d->layer);
	if (!d->layer) {
		fault_memory(fault, name);
		description_close(d);
		return NULL;
	}
	for (int i = 0; i < m->layers; i++)
		d->layer[i] = layer_info_of(m, i);
	const struct catalog_row row = row_of(name);
	const struct shape in = m->op[0].out;
	snprintf(d->keys, sizeof d->keys, "%s", row.keys);
	struct description_info *info = &d->info;
	info->name = blueprint_whole(d->blueprint)->name;
	info->help = row.help;
	info->keys = d->keys;
	info->h = in.h;
	info->w = in.w;
	info->c = in.c;
	info->classes = m->classes;
	info->operators = m->ops;
	info->layers = m->layers;
	info->layer = d->layer;
	info->quantized = layers_told(d->layer, m->layers);
	info->told = m->told;
	info->unknowns = m->unknowns;
	info->unknown = (const char(*)[MODEL_NODE])m->unknown;
	info->macs = m->macs;
	info->attention_macs = m->attention_macs;
	info->weights = m->weights;
	info->parameters = m->parameters;
	info->activations = m->activations;
	info->most_activations = m->most_activations;
	return d;
}

void description_close(struct description *d)
{
	if (!d)
		return;
	path_free(&d->path);
	blueprint_free(d->blueprint);
	free(d->layer);
	free(d->choice);
	free(d);
}

const struct description_info *description_info(const struct description *d)
{
	return &d->info;
}

bool description_write(const struct description *d, FILE *file, struct fault *fault)
{
	return model_write(d->model, file, fault);
}

bool description_counted(const struct description *d, int index, struct counted *to)
{
	struct counter_row row;
	if (!counters_row(d->model, index, &row))
		return false;
	*to = (struct counted){.name = row.name, .variant = row.variant, .count = row.count, .parts = row.parts};
	for (int p = 0; p < row.parts; p++)
		to->part[p] = (struct counted_part){row.part[p].what, row.part[p].count};
	return true;
}

// ---- what a network costs ----

struct costing {
	const struct description *description;
	struct cost *cost;
	int batch;
};

struct costing *costing_new(const struct description *d, const char *term, int batch, struct fault *fault)
{
	struct costing *c = calloc(1, sizeof *c);
	if (!c) {
		fault_memory(fault, term);
		return NULL;
	}
	c->description = d;
	c->cost = cost_new(d->model, term, batch, fault);
	if (!c->cost) {
		free(c);
		return NULL;
	}
	const struct device *device = cost_device(c->cost);
	c->batch = !device ? 1 : batch > 0 ? batch : (int)device->batch;
	return c;
}

void costing_free(struct costing *c)
{
	if (c)
		cost_free(c->cost);
	free(c);
}

const char *costing_unit(const struct costing *c)
{
	return cost_unit(c->cost);
}

bool costing_assumed(const struct costing *c)
{
	return cost_assumed(c->cost);
}

int costing_batch(const struct costing *c)
{
	return c->batch;
}

const char *costing_type(const struct costing *c, const char *format)
{
	const struct device *device = cost_device(c->cost);
	int f = format_named(format);
	return device && f >= 0 ? native_table[device_native(device, f, f)].name : NULL;
}

static bool format_of(const char *name, int *format, struct fault *fault)
{
	*format = format_named(name);
	return *format >= 0 || fault_set(fault, name, "int8, int4, bf16, e4m3, for some", "there is no such format");
}

// Fills layer[layers] of a plan.
static bool plan_of(const struct costing *c, const struct layer_formats *formats, int count, struct layer_plan *layer,
	struct fault *fault)
{
	const int layers = c->description->model->layers;
	if (count != 1 && count != layers)
		return fault_set(fault, cost_name(c->cost), "give one format for all layers, or one for each",
			"%d formats for %d layers", count, layers);
	for (int i = 0; i < layers; i++) {
		const struct layer_formats *its = &formats[count == 1 ? 0 : i];
		if (!format_of(its->weight, &layer[i].weight, fault) || !format_of(its->activation, &layer[i].activation, fault))
			return false;
	}
	return true;
}

// A plan of the formats, freed by the caller; NULL with a fault.
static struct layer_plan *new_plan(const struct costing *c, const struct layer_formats *formats, int count, struct fault *fault)
{
	struct layer_plan *layer = calloc((size_t)c->description->model->layers + 1, sizeof *layer);
	if (!layer)
		fault_memory(fault, cost_name(c->cost));
	if (!layer || plan_of(c, formats, count, layer, fault))
		return layer;
	free(layer);
	return NULL;
}

bool costing_total(const struct costing *c, const struct layer_formats *formats, int count, double *total, struct fault *fault)
{
	struct layer_plan *layer = new_plan(c, formats, count, fault);
	if (!layer)
		return false;
	*total = cost_total(c->cost, &(struct plan){.model = c->description->model, .layer = layer}, NULL);
	bool ok = isfinite(*total) ||
		fault_set(fault, cost_name(c->cost), "leave out a format, or choose another device",
			"an operator between the layers runs at an unknown rate");
	// A layer that stands in the way says so itself.
	for (int i = 0; !ok && i < c->description->model->layers; i++)
		if (!cost_answers(c->cost, (int[]){layer[i].weight, layer[i].activation}, 2, fault))
			break;
	free(layer);
	return ok;
}

bool costing_roofline(const struct costing *c, const struct layer_formats *formats, int count, struct roofline *r,
	struct roofline_point *point, struct fault *fault)
{
	const struct device *device = cost_device(c->cost);
	const int layers = c->description->model->layers;
	double total;
	if (!costing_total(c, formats, count, &total, fault))
		return false;
	struct cost_point *from = calloc((size_t)layers + 1, sizeof *from);
	struct layer_plan *layer = new_plan(c, formats, count, fault);
	bool ok = layer && (from || fault_memory(fault, cost_name(c->cost)));
	if (ok && !cost_roofline(c->cost, &(struct plan){.model = c->description->model, .layer = layer}, from))
		ok = fault_set(fault, cost_name(c->cost), "ask for latency@DEVICE", "it has no roofline");
	for (int i = 0; ok && i < layers; i++)
		point[i] = (struct roofline_point){from[i].operations, from[i].bytes, from[i].ms, from[i].roof,
			from[i].vector ? "vector" : native_table[from[i].type].name, from[i].memory_bound, from[i].bound};
	if (ok) {
		snprintf(r->device, sizeof r->device, "%s", device->name);
		r->batch = c->batch;
		r->bandwidth = device->bandwidth;
		r->layers = layers;
		r->layer = c->description->layer;
	}
	free(from);
	free(layer);
	return ok;
}

bool costing_compare(const struct costing *c, const struct costing *table, const struct layer_formats *formats, int count,
	struct compared_layer *its, struct comparison *sum, struct fault *fault)
{
	const struct model *m = c->description->model;
	struct cost_comparison all;
	struct layer_plan *layer = new_plan(c, formats, count, fault);
	double *predicted = calloc((size_t)m->layers * 3 + 1, sizeof *predicted);
	const struct plan plan = {.model = m, .layer = layer};
	bool ok = layer && (predicted || fault_memory(fault, cost_name(c->cost))) &&
		cost_compare(c->cost, table->cost, &plan, predicted, predicted + m->layers, &all, fault);
	if (ok) {
		double *measured = predicted + m->layers, *given = measured + m->layers;
		cost_total(table->cost, &plan, given);
		for (int i = 0; i < m->layers; i++)
			its[i] = (struct compared_layer){predicted[i], given[i], !isnan(measured[i])};
		*sum = (struct comparison){all.layers, all.bias, all.error, all.spread, all.rank, all.predicted, all.measured};
	}
	free(predicted);
	free(layer);
	return ok;
}

bool costing_measured(const struct costing *c)
{
	return cost_timed(c->cost, &(struct plan){.model = &(struct model){.layers = 0}}, NULL);
}

bool costing_timed(const struct costing *c, const struct layer_formats *formats, int count, struct timed_layer *its,
	struct fault *fault)
{
	const struct model *m = c->description->model;
	struct layer_plan *layer = new_plan(c, formats, count, fault);
	struct cost_time *time = calloc((size_t)m->layers + 1, sizeof *time);
	bool ok = layer && (time || fault_memory(fault, cost_name(c->cost)));
	if (ok && !cost_timed(c->cost, &(struct plan){.model = m, .layer = layer}, time))
		ok = fault_set(fault, cost_name(c->cost), "`device measure` measures this machine", "nothing was measured on it");
	for (int i = 0; ok && i < m->layers; i++)
		its[i] = (struct timed_layer){isnan(time[i].ms) ? NULL : format_table[time[i].format].name, time[i].ms,
			time[i].low, time[i].high, time[i].behind};
	free(time);
	free(layer);
	return ok;
}

// ---- what precision loses ----

struct losses {
	struct sensitivity *table;
};

struct losses *losses_new(const struct description *d, const char *name, struct fault *fault)
{
	struct losses *l = calloc(1, sizeof *l);
	if (!l) {
		fault_memory(fault, name);
		return NULL;
	}
	l->table = sensitivity_named(d->model, name, fault);
	if (l->table)
		return l;
	free(l);
	return NULL;
}

void losses_free(struct losses *l)
{
	if (l)
		sensitivity_free(l->table);
	free(l);
}

double losses_top1(const struct losses *l)
{
	return sensitivity_top1(l->table);
}

bool losses_layer(const struct losses *l, int layer, const char *format, double *points, const char **source, struct fault *fault)
{
	struct layer_plan both;
	if (!format_of(format, &both.weight, fault))
		return false;
	both.activation = both.weight;
	*points = sensitivity_lost(l->table, layer, both);
	*source = figure_sources[sensitivity_source(l->table, layer, both)];
	return true;
}

bool losses_choice(const struct losses *l, int index, struct losses_choice *choice)
{
	const struct sensitivity_fit *fit = sensitivity_fit(l->table);
	if (!fit || index >= fit->choices)
		return false;
	const struct sensitivity_choice *c = &fit->choice[index];
	*choice = (struct losses_choice){c->name, c->fitted, c->top1, c->said, c->counted};
	return true;
}

struct losses_error losses_error(const struct losses *l, bool fitted, bool yardstick)
{
	const struct sensitivity_fit *fit = sensitivity_fit(l->table);
	if (!fit)
		return (struct losses_error){0};
	const struct sensitivity_error *e = fitted ? yardstick ? &fit->counted_fitted : &fit->fitted
		: yardstick                        ? &fit->counted_held
						   : &fit->held;
	return (struct losses_error){e->choices, e->rms, e->worst};
}

bool losses_rivals(const struct losses *l, const struct costing *c, const char *const *formats, int count, const char *limit,
	double *most, struct rival rival[RIVALS], int *choice, struct fault *fault)
{
	int format[FORMATS];
	struct allocation a;
	if (count < 1 || count > FORMATS)
		return fault_set(fault, "formats", "name one to all of them", "%d of them", count);
	for (int i = 0; i < count; i++)
		if (!format_of(formats[i], &format[i], fault))
			return false;
		else if (i > 0 && format[i] <= format[i - 1])
			return fault_set(fault, formats[i], "int4 int5 int8, for one",
				"name each format once, the narrowest first");
	const struct model *m = c->description->model;
	if (!cost_target_value(c->cost, cost_uniform_total(c->cost, format[count - 1]), limit, most, fault) ||
		!allocation_of(m, l->table, c->cost, format, count, &a, fault))
		return false;
	const struct allocated found[RIVALS] = {
		allocate_uniform(&a, *most, choice),
		allocate_ends(&a, count - 1, *most, choice + m->layers),
		allocate_greedy(&a, *most, choice + 2 * m->layers),
		allocate_exact(&a, *most, 0, choice + 3 * m->layers),
	};
	static const char *const names[RIVALS] = {"uniform", "ends", "greedy", "exact"};
	for (int i = 0; i < RIVALS; i++)
		rival[i] = (struct rival){
			names[i], found[i].found, found[i].cost, found[i].lost, i == RIVALS - 1 ? found[i].bound : found[i].lost};
	allocation_free(&a);
	return true;
}

// ---- devices ----

// "40 times of layers, for 16, 64 images at once".
static bool describe_times(const char *path, char *buf, size_t size, struct fault *fault)
{
	struct times t;
	if (!times_read(path, &t, fault))
		return false;
	snprintf(buf, size, "%d times of layers, for", t.count);
	for (int last = 0;;) {
		int next = 0;
		for (int i = 0; i < t.count; i++)
			if (t.row[i].batch > last && (!next || t.row[i].batch < next))
				next = t.row[i].batch;
		size_t used = strlen(buf);
		if (!next || used + 40 > size)
			break;
		snprintf(buf + used, size - used, "%s %d", last ? "," : "", next);
		last = next;
	}
	size_t used = strlen(buf);
	snprintf(buf + used, size - used, " images at once");
	times_free(&t);
	return true;
}

bool catalog_device(const char *name, struct device_sheet *sheet, struct fault *fault)
{
	struct device d;
	if (!device_get(name, &d, fault))
		return false;
	*sheet = (struct device_sheet){0};
	snprintf(sheet->name, sizeof sheet->name, "%s", d.name);
	snprintf(sheet->source, sizeof sheet->source, "%s", d.source);
	if (d.times[0] && !describe_times(d.times, sheet->times, sizeof sheet->times, fault))
		return false;
	for (size_t i = 0; i < device_figure_count && sheet->figures < SHEET_FIGURES; i++) {
		const struct device_figure *f = &device_figures[i];
		sheet->figure[sheet->figures++] = (struct sheet_figure){
			f->group, f->name, f->unit, device_value(&d, f), device_mark(&d, f)};
	}
	for (int n = 0; n < NATIVES && sheet->figures < SHEET_FIGURES; n++) {
		const struct sheet_figure *peak = sheet_figure(sheet, "peaks", native_table[n].name);
		sheet->figure[sheet->figures++] = (struct sheet_figure){
			"ridge", native_table[n].name, "ops/B", device_ridge(&d, (enum native)n), peak->mark};
	}
	return true;
}

bool catalog_format(const char *name, struct format_sheet *sheet)
{
	const int index = format_named(name);
	const struct format *f = index < 0 ? NULL : &format_table[index];
	if (!f)
		return false;
	const bool whole = f->kind == FORMAT_INTEGER || (f->block && strcmp(format_element(index), "int8") == 0);
	*sheet = (struct format_sheet){.name = f->name,
		.bits = f->bits,
		.exponent = whole ? 0 : f->exponent,
		.mantissa = f->mantissa,
		.least = f->kind == FORMAT_INTEGER ? 1 : ldexp(1, 2 - (1 << (f->exponent - 1)) - f->mantissa),
		.largest = f->largest,
		.block = f->block,
		.whole_bits = format_whole_bits(index)};
	if (f->block)
		snprintf(sheet->scale, sizeof sheet->scale, "%d values share a scale, %s", f->block,
			f->tensor_bits ? "e4m3 times fp32" : "a power of two");
	else
		snprintf(sheet->scale, sizeof sheet->scale, "%s", f->kind == FORMAT_CAST ? "none" : "one a channel, or an input");
	return true;
}

const struct sheet_figure *sheet_figure(const struct device_sheet *sheet, const char *group, const char *name)
{
	for (int i = 0; i < sheet->figures; i++)
		if (strcmp(sheet->figure[i].group, group) == 0 && strcmp(sheet->figure[i].name, name) == 0)
			return &sheet->figure[i];
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/prices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct price {
	struct price *next;
	char name[ENGINE_NAME + ENGINE_TEXT]; // as cost_new takes it
	char unit[ENGINE_TEXT];
	struct cost *cost;
	double widest;    // cost of the widest uniform choice
	double low, high; // of the cheapest and the dearest uniform one
	int options;      // of the slot with the most of them
	double *layer;    // where it adds up: [layers][options of the weights][of the activations]; else NULL
};

struct prices {
	const struct space *space;
	int options;
	struct price *first;
};

static int most_options(const struct space *space)
{
	int most = 0;
	for (int i = 0; i < space->slots; i++)
		most = space->slot[i].options > most ? space->slot[i].options : most;
	return most;
}

// ---- prices ----

struct prices *prices_new(const struct space *space, struct fault *fault)
{
	struct prices *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, "prices");
		return NULL;
	}
	p->space = space;
	p->options = most_options(space);
	return p;
}

static double *layer_price(const struct price *p, int layer, int weight, int activation)
{
	return &p->layer[(layer * p->options + weight) * p->options + activation];
}

// Every layer under every pair of options, once and for all.
static bool price_layers(const struct space *s, struct price *p)
{
	size_t layers = (size_t)s->model->layers;
	struct plan plan = {.model = s->model, .layer = calloc(layers, sizeof *plan.layer)};
	p->layer = calloc(layers * (size_t)(p->options * p->options), sizeof *p->layer);
	for (int l = 0; plan.layer && p->layer && l < s->model->layers; l++) {
		const struct slot *ws = &s->slot[space_slot(l, HALF_WEIGHT)], *as = &s->slot[space_slot(l, HALF_ACTIVATION)];
		for (int w = 0; w < ws->options; w++)
			for (int a = 0; a < as->options; a++) {
				plan.layer[l] = (struct layer_plan){(int)ws->value[w], (int)as->value[a]};
				*layer_price(p, l, w, a) = cost_part(p->cost, &plan, &l, 1);
			}
	}
	bool ok = plan.layer && p->layer;
	free(plan.layer);
	return ok;
}

static void price_free(struct price *p)
{
	if (!p)
		return;
	cost_free(p->cost);
	free(p->layer);
	free(p);
}

void prices_free(struct prices *prices)
{
	for (struct price *p = prices ? prices->first : NULL, *next; p; p = next) {
		next = p->next;
		price_free(p);
	}
	free(prices);
}

const struct price *prices_named(struct prices *prices, const char *name, struct fault *fault)
{
	const struct space *space = prices->space;
	for (const struct price *p = prices->first; p; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	struct price *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, name);
		return NULL;
	}
	p->options = prices->options;
	snprintf(p->name, sizeof p->name, "%s", name);
	p->cost = cost_new(prices->space->model, name, 0, fault);
	if (!p->cost || !cost_answers(p->cost, space->format, space->options, fault)) {
		price_free(p);
		return NULL;
	}
	const struct device *device = cost_device(p->cost);
	snprintf(p->unit, sizeof p->unit, "%s%s%s%s", cost_unit(p->cost), device ? " on " : "", device ? device->name : "",
		cost_assumed(p->cost) ? " (assumed)" : "");
	p->low = INFINITY;
	for (int o = 0; o < space->options; o++) {
		p->widest = cost_uniform_total(p->cost, space->format[o]);
		p->low = fmin(p->low, p->widest);
		p->high = fmax(p->high, p->widest);
	}
	if (cost_adds(p->cost) && !price_layers(prices->space, p)) {
		fault_memory(fault, name);
		price_free(p);
		return NULL;
	}
	p->next = prices->first;
	prices->first = p;
	return p;
}

const struct cost *price_cost(const struct price *p)
{
	return p->cost;
}

const char *price_unit(const struct price *p)
{
	return p->unit;
}

double price_widest(const struct price *p)
{
	return p->widest;
}

void price_uniform(const struct price *p, double *low, double *high)
{
	*low = p->low;
	*high = p->high;
}

bool price_adds(const struct price *p)
{
	return p->layer != NULL;
}

double price_layer(const struct price *p, int layer, int weight, int activation)
{
	return *layer_price(p, layer, weight, activation);
}

// ---- pricers ----

struct pricer {
	const struct space *space;
	int terms;
	const struct term *term; // these it was asked about
	uint8_t *choice;         // the one that it holds: [slots]
	double whole[ENGINE_TERMS];
	struct plan plan;
	uint8_t *tensor; // [operators]: formats of the tensors of `plan`, where a term asked for them
	// The layers of a decision, and which of their halves are its: [layers].
	int *touched;
	uint8_t *halves;
	struct layer_plan *become; // [options][layers]: what they become
};

struct pricer *pricer_new(const struct space *space, struct fault *fault)
{
	struct pricer *p = calloc(1, sizeof *p);
	size_t layers = (size_t)space->model->layers;
	if (p) {
		p->space = space;
		p->plan.model = space->model;
		p->plan.layer = calloc(layers, sizeof *p->plan.layer);
		p->choice = calloc((size_t)space->slots, 1);
		p->tensor = calloc((size_t)space->model->ops, 1);
		p->touched = calloc(layers, sizeof *p->touched);
		p->halves = calloc(layers, 1);
		p->become = calloc(layers * (size_t)most_options(space), sizeof *p->become);
	}
	if (!p || !p->plan.layer || !p->choice || !p->tensor || !p->touched || !p->halves || !p->become) {
		pricer_free(p);
		fault_memory(fault, "prices");
		return NULL;
	}
	return p;
}

void pricer_free(struct pricer *p)
{
	if (!p)
		return;
	free(p->plan.layer);
	free(p->choice);
	free(p->tensor);
	free(p->touched);
	free(p->halves);
	free(p->become);
	free(p);
}

void pricer_take(struct pricer *pricer, const struct term *term, int terms, const uint8_t *choice, double *cost)
{
	bool known = false; // formats are the same for all terms
	memcpy(pricer->choice, choice, (size_t)pricer->space->slots);
	space_plan(pricer->space, choice, &pricer->plan);
	pricer->term = term;
	pricer->terms = terms;
	for (int t = 0; t < ENGINE_TERMS; t++) {
		const struct price *p = t < terms ? term[t].price : NULL;
		cost[t] = p ? 0 : (double)NAN;
		if (p && !p->layer) {
			if (!known)
				cost_formats(p->cost, &pricer->plan, pricer->tensor);
			known = true;
			cost[t] = cost_total_of(p->cost, &pricer->plan, pricer->tensor, NULL);
		}
		for (int l = 0; p && p->layer && l < pricer->space->model->layers; l++)
			cost[t] += *layer_price(p, l, choice[space_slot(l, HALF_WEIGHT)], choice[space_slot(l, HALF_ACTIVATION)]);
	}
	memcpy(pricer->whole, cost, sizeof pricer->whole);
}

// How many layers a decision touches.
static int touch(struct pricer *pricer, const struct partition *p, int decision)
{
	int count = 0;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i]) {
		if (!count || pricer->touched[count - 1] != space_layer(i)) {
			pricer->touched[count] = space_layer(i);
			pricer->halves[count++] = 0;
		}
		pricer->halves[count - 1] |= (uint8_t)(1 << i % HALVES);
	}
	return count;
}

// The options of a layer's halves where those that are touched take `option`.
static void options_of(const struct pricer *p, int k, int option, int *weight, int *activation)
{
	int l = p->touched[k];
	*weight = p->halves[k] >> HALF_WEIGHT & 1 ? option : p->choice[space_slot(l, HALF_WEIGHT)];
	*activation = p->halves[k] >> HALF_ACTIVATION & 1 ? option : p->choice[space_slot(l, HALF_ACTIVATION)];
}

// The touched layers where those of their halves that are touched take `option`.
static void become(const struct pricer *p, int count, int option, struct layer_plan *to)
{
	for (int k = 0; k < count; k++) {
		int l = p->touched[k], w, a;
		options_of(p, k, option, &w, &a);
		to[k] = (struct layer_plan){space_format(p->space, space_slot(l, HALF_WEIGHT), w),
			space_format(p->space, space_slot(l, HALF_ACTIVATION), a)};
	}
}

void pricer_options(struct pricer *pricer, const struct partition *partition, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	const struct decision *d = &partition->decision[decision];
	int count = touch(pricer, partition, decision), now = pricer->choice[d->first], w, a, to_w, to_a;
	int option[SPACE_OPTIONS] = {now}, options = 1; // the present one first
	double part[SPACE_OPTIONS];
	for (int o = 0; o < d->options; o++) {
		memcpy(cost[o], pricer->whole, sizeof cost[o]);
		if (o != now && d->allowed >> o & 1)
			option[options++] = o;
	}
	bool filled = false; // `become`, which serves all terms
	for (int t = 0; t < pricer->terms; t++) {
		const struct price *p = pricer->term[t].price;
		if (!(terms >> t & 1) || options == 1)
			continue;
		for (int i = 1; p->layer && i < options; i++)
			for (int k = 0; k < count; k++) {
				options_of(pricer, k, now, &w, &a);
				options_of(pricer, k, option[i], &to_w, &to_a);
				cost[option[i]][t] += *layer_price(p, pricer->touched[k], to_w, to_a) -
					*layer_price(p, pricer->touched[k], w, a);
			}
		if (p->layer)
			continue;
		for (int i = 0; !filled && i < options; i++)
			become(pricer, count, option[i], pricer->become + i * count);
		filled = true;
		cost_parts(p->cost, &pricer->plan, pricer->tensor, pricer->touched, count, pricer->become, options, part);
		for (int i = 1; i < options; i++)
			cost[option[i]][t] += part[i] - part[0];
	}
}

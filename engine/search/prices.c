// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/provider.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- whoever provides ----

enum term_subject prices_subject(const struct prices *p)
{
	return p->provider->subject;
}

void prices_free(struct prices *prices)
{
	for (struct price *p = prices ? prices->first : NULL, *next; p; p = next) {
		next = p->next;
		p->provider->free_price(p);
	}
	if (prices)
		prices->provider->free_prices(prices);
}

const struct price *prices_named(struct prices *prices, const char *name, struct fault *fault)
{
	for (const struct price *p = prices->first; p; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	struct price *p = prices->provider->make(prices, name, fault);
	if (!p)
		return NULL;
	p->provider = prices->provider;
	snprintf(p->name, sizeof p->name, "%s", name);
	p->next = prices->first;
	prices->first = p;
	return p;
}

const char *price_unit(const struct price *p)
{
	return p->unit;
}

const char *price_brief(const struct price *p)
{
	return p->brief;
}

const char *price_symbol(const struct price *p)
{
	return p->symbol;
}

const char *price_device(const struct price *p)
{
	return p->device;
}

bool price_target(const struct price *p, const char *text, double *target, struct fault *fault)
{
	return p->provider->target(p, text, target, fault);
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

static bool in_range(const struct space *space, const uint8_t *choice)
{
	for (int i = 0; i < space->slots; i++)
		if (choice[i] >= space->slot[i].options)
			return false;
	return true;
}

bool prices_choice(const struct prices *p, const struct price *const price[ENGINE_TERMS], const uint8_t *choice,
	double cost[ENGINE_TERMS], int term, double *layer)
{
	return in_range(p->space, choice) && p->provider->price(p, price, choice, cost, term, layer);
}

struct pricer *prices_pricer(const struct prices *p, struct fault *fault)
{
	return p->provider->pricer(p, fault);
}

void pricer_free(struct pricer *p)
{
	if (p)
		p->provider->free_pricer(p);
}

void pricer_take(struct pricer *p, const struct term *term, int terms, const uint8_t *choice, double *cost)
{
	p->provider->take(p, term, terms, choice, cost);
}

void pricer_options(struct pricer *p, const struct partition *partition, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	p->provider->options(p, partition, decision, terms, cost);
}

bool pricer_ends(const struct pricer *p, const uint32_t *allowed, const struct term *term, int terms,
	uint8_t *const cheapest[ENGINE_TERMS], uint8_t *const dearest[ENGINE_TERMS])
{
	return p->provider->ends && p->provider->ends(p, allowed, term, terms, cheapest, dearest);
}

bool pricer_mend(const struct pricer *p, const uint32_t *allowed, uint8_t *choice)
{
	return p->provider->mend && p->provider->mend(p, allowed, choice);
}

bool pricer_possible(const struct pricer *p, const uint8_t *choice)
{
	return !p->provider->possible || p->provider->possible(p, choice);
}

double pricer_least(struct pricer *p, int term, const struct cost_settings *layer)
{
	return p->provider->least ? p->provider->least(p, term, layer) : 0;
}

// ---- networks ----

struct network_price {
	struct price is;
	struct tariff *tariff;
	struct cost *cost; // of the largest network
	int options;       // of the slot with the most of them
	double *layer;     // where it adds up: [layers][options of the weights][of the activations]; else NULL
};

static const struct network_price *of_network(const struct price *p)
{
	return (const struct network_price *)p;
}

// A network, which is the whole where nothing but formats may vary.
struct network_of {
	struct plan plan;
	struct path path;
};

struct network_prices {
	struct prices is;
	const struct blueprint *blueprint;
	int options;
	struct network_of largest, other; // other: in hand
	uint8_t *choice;                  // [slots]: likewise
};

static int most_options(const struct space *space)
{
	int most = 0;
	for (int i = 0; i < space->slots; i++)
		most = space->slot[i].options > most ? space->slot[i].options : most;
	return most;
}

static bool varies(const struct space *s) // whether anything but formats may
{
	return s->slots > s->formats;
}

static bool network_new(struct network_of *n, const struct space *space)
{
	n->plan.model = space->model;
	n->plan.layer = calloc((size_t)space->model->layers, sizeof *n->plan.layer);
	return n->plan.layer != NULL;
}

static void network_free(struct network_of *n)
{
	free(n->plan.layer);
	path_free(&n->path);
}

// ---- prices ----

struct prices *prices_new(const struct space *space, const struct blueprint *blueprint, struct fault *fault)
{
	struct network_prices *p = calloc(1, sizeof *p);
	if (p) {
		p->is.provider = &networks;
		p->is.space = space;
		p->blueprint = blueprint;
		p->options = most_options(space);
		p->choice = calloc((size_t)space->slots, 1);
	}
	if (!p || !p->choice || !network_new(&p->largest, space) || !network_new(&p->other, space)) {
		prices_free(p ? &p->is : NULL);
		fault_memory(fault, "prices");
		return NULL;
	}
	for (int i = space->formats; i < space->slots; i++)
		p->choice[i] = (uint8_t)(space->slot[i].options - 1);
	if (!space_settle(space, blueprint, p->choice, &p->largest.plan, &p->largest.path, fault)) {
		prices_free(&p->is);
		return NULL;
	}
	return &p->is;
}

static double *layer_price(const struct network_price *p, int layer, int weight, int activation)
{
	return &p->layer[(layer * p->options + weight) * p->options + activation];
}

// Every layer under every pair of options, once and for all.
static bool price_layers(const struct space *s, struct network_price *p)
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

static void free_price(struct price *price)
{
	struct network_price *p = (struct network_price *)price;
	cost_free(p->cost);
	tariff_free(p->tariff);
	free(p->layer);
	free(p);
}

static void free_prices(struct prices *prices)
{
	struct network_prices *p = (struct network_prices *)prices;
	network_free(&p->largest);
	network_free(&p->other);
	free(p->choice);
	free(p);
}

// What uniform choices of a network cost.
static void price_uniforms(const struct space *space, const struct cost *cost, struct price *p)
{
	for (int o = 0; o < space->options; o++) {
		double uniform = cost_uniform_total(cost, space->format[o]);
		p->low = fmin(p->low, uniform);
		p->high = fmax(p->high, uniform);
	}
}

// Settles `cost` for the network of prices->choice; whether it has a price for all formats.
static bool answers(struct network_prices *prices, struct cost *cost, struct fault *fault)
{
	const struct space *space = prices->is.space;
	return space_settle(space, prices->blueprint, prices->choice, &prices->other.plan, &prices->other.path, fault) &&
		cost_settle(cost, &prices->other.plan, fault) && cost_answers(cost, space->format, space->options, fault);
}

// Every option of the architecture by itself, the others at their largest or, where they own it, at what lets it be there; then the
// smallest network, whose uniform choices are priced as well.
static bool price_networks(struct network_prices *prices, struct network_price *p, struct fault *fault)
{
	const struct space *space = prices->is.space;
	struct cost *cost = cost_of(p->tariff, &prices->largest.plan, fault);
	bool ok = cost != NULL;
	for (int i = space->formats; ok && i < space->slots; i++)
		for (int o = 0; ok && o < space->slot[i].options - 1; o++) {
			for (int k = space->formats; k < space->slots; k++)
				prices->choice[k] = (uint8_t)(space->slot[k].options - 1);
			prices->choice[i] = (uint8_t)o;
			for (int k = i, owner; (owner = space->slot[k].owner) >= 0; k = owner)
				prices->choice[owner] = (uint8_t)(31 - __builtin_clz(space->slot[k].when));
			ok = answers(prices, cost, fault);
		}
	memset(prices->choice, 0, (size_t)space->slots);
	ok = ok && answers(prices, cost, fault);
	if (ok)
		price_uniforms(space, cost, &p->is);
	cost_free(cost);
	return ok;
}

static struct price *make(struct prices *of, const char *name, struct fault *fault)
{
	struct network_prices *prices = (struct network_prices *)of;
	const struct space *space = of->space;
	struct network_price *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, name);
		return NULL;
	}
	p->options = prices->options;
	p->tariff = tariff_new(space->model, name, 0, fault);
	p->cost = p->tariff ? cost_of(p->tariff, &prices->largest.plan, fault) : NULL;
	p->is.low = INFINITY;
	if (!p->cost || !cost_answers(p->cost, space->format, space->options, fault) ||
		(varies(space) && !price_networks(prices, p, fault))) {
		free_price(&p->is);
		return NULL;
	}
	const struct device *device = cost_device(p->cost);
	snprintf(p->is.unit, sizeof p->is.unit, "%s%s%s%s", cost_unit(p->cost), device ? " on " : "", device ? device->name : "",
		cost_assumed(p->cost) ? " (assumed)" : "");
	snprintf(p->is.brief, sizeof p->is.brief, "%s", cost_brief(p->cost));
	p->is.symbol = quantity_symbol(cost_kind(p->cost)->quantity);
	p->is.device = device ? device->name : "";
	price_uniforms(space, p->cost, &p->is);
	p->is.widest = cost_uniform_total(p->cost, space->format[space->options - 1]);
	if (cost_adds(p->cost) && !varies(space) && !price_layers(space, p)) {
		fault_memory(fault, name);
		free_price(&p->is);
		return NULL;
	}
	return &p->is;
}

static bool target_of(const struct price *p, const char *text, double *target, struct fault *fault)
{
	return cost_target_value(of_network(p)->cost, p->widest, text, target, fault);
}

const struct cost *price_cost(const struct price *p)
{
	return p->provider == &networks ? of_network(p)->cost : NULL;
}

bool price_adds(const struct price *p)
{
	return p->provider == &networks && of_network(p)->layer;
}

double price_layer(const struct price *p, int layer, int weight, int activation)
{
	return *layer_price(of_network(p), layer, weight, activation);
}

static double price_plan(const struct network_price *p, const struct plan *plan, double *layer)
{
	if (!plan->path)
		return cost_total(p->cost, plan, layer);
	struct cost *cost = cost_of(p->tariff, plan, NULL);
	double total = cost ? cost_total(cost, plan, layer) : (double)INFINITY;
	for (int l = 0; !cost && layer && l < plan->model->layers; l++)
		layer[l] = NAN;
	cost_free(cost);
	return total;
}

// Parts of the layers that run, to where these stand in the whole; one that rests costs nothing.
static void spread_parts(const struct path *path, double *layer, double *room)
{
	if (!path)
		return;
	memcpy(room, layer, (size_t)path->model->layers * sizeof *room);
	for (int l = 0; l < path->whole->layers; l++)
		layer[l] = path->at[l] < 0 ? 0 : room[path->at[l]];
}

// With a network of its own, so that any thread may.
static bool price_choice(const struct prices *of, const struct price *const price[ENGINE_TERMS], const uint8_t *choice,
	double cost[ENGINE_TERMS], int term, double *layer)
{
	const struct network_prices *prices = (const struct network_prices *)of;
	size_t layers = (size_t)of->space->model->layers;
	struct network_of n = {0};
	double *room = calloc(layers + 1, sizeof *room);
	bool ok = network_new(&n, of->space) && room &&
		space_settle(of->space, prices->blueprint, choice, &n.plan, &n.path, NULL);
	for (int t = 0; ok && t < ENGINE_TERMS; t++)
		cost[t] = price[t] ? price_plan(of_network(price[t]), &n.plan, t == term ? layer : NULL) : (double)NAN;
	bool known = term >= 0 && term < ENGINE_TERMS && price[term];
	if (ok && layer && known)
		spread_parts(n.plan.path, layer, room);
	for (size_t l = 0; ok && layer && !known && l < layers; l++)
		layer[l] = NAN;
	network_free(&n);
	free(room);
	return ok;
}

// ---- pricers ----

// A network with what it costs by each term. Where nothing but formats may vary, the costs are the prices' own.
struct priced {
	struct network_of network;
	bool settled;
	uint8_t *choice;                 // that it was settled for, without the formats: [slots - formats]
	struct cost *cost[ENGINE_TERMS]; // of its own, by the tariffs of `by`
	const struct network_price *by[ENGINE_TERMS];
	uint32_t ready;  // those that are settled for the network, a bit each
	uint8_t *tensor; // [operators]: formats of its tensors, where a term asked for them
	int tensors;     // room
	bool known;
};

struct network_pricer {
	struct pricer is;
	const struct blueprint *blueprint;
	int terms;
	const struct term *term; // these it was asked about
	uint32_t priced;         // those with a price, a bit each
	uint8_t *choice;         // the one that it holds: [slots]
	uint8_t *changed;        // the same with another option: [slots]
	double whole[ENGINE_TERMS];
	struct priced here, there; // of the choice that it holds; of another
	// The layers of a decision that run, which they are of the whole, and which of their halves are its: [layers].
	int *touched, *of_whole;
	uint8_t *halves;
	struct layer_plan *become; // [options][layers]: what they become
};

static bool priced_new(struct priced *p, const struct space *space)
{
	p->choice = calloc((size_t)(space->slots - space->formats) + 1, 1);
	return network_new(&p->network, space) && p->choice;
}

static void priced_free(struct priced *p)
{
	network_free(&p->network);
	for (int t = 0; t < ENGINE_TERMS; t++)
		cost_free(p->cost[t]);
	free(p->choice);
	free(p->tensor);
}

struct pricer *pricer_new(const struct space *space, const struct blueprint *blueprint, struct fault *fault)
{
	struct network_pricer *p = calloc(1, sizeof *p);
	size_t layers = (size_t)space->model->layers;
	if (p) {
		p->is.provider = &networks;
		p->is.space = space;
		p->blueprint = blueprint;
		p->choice = calloc((size_t)space->slots, 1);
		p->changed = calloc((size_t)space->slots, 1);
		p->touched = calloc(layers, sizeof *p->touched);
		p->of_whole = calloc(layers, sizeof *p->of_whole);
		p->halves = calloc(layers, 1);
		p->become = calloc(layers * (size_t)most_options(space), sizeof *p->become);
	}
	if (!p || !priced_new(&p->here, space) || !priced_new(&p->there, space) || !p->choice || !p->changed || !p->touched ||
		!p->of_whole || !p->halves || !p->become) {
		pricer_free(p ? &p->is : NULL);
		fault_memory(fault, "prices");
		return NULL;
	}
	return &p->is;
}

static struct pricer *new_pricer(const struct prices *of, struct fault *fault)
{
	return pricer_new(of->space, ((const struct network_prices *)of)->blueprint, fault);
}

static void free_pricer(struct pricer *pricer)
{
	struct network_pricer *p = (struct network_pricer *)pricer;
	priced_free(&p->here);
	priced_free(&p->there);
	free(p->choice);
	free(p->changed);
	free(p->touched);
	free(p->of_whole);
	free(p->halves);
	free(p->become);
	free(p);
}

// ---- one network ----

// Settles it for a choice. Where only formats differ from those before, the network and what is known of it stay.
static bool settle(const struct network_pricer *p, const uint8_t *choice, struct priced *to)
{
	const struct space *s = p->is.space;
	const uint8_t *architecture = choice + s->formats;
	size_t size = (size_t)(s->slots - s->formats);
	struct network_of *n = &to->network;
	to->known = false;
	if (to->settled && memcmp(architecture, to->choice, size) == 0) {
		space_give_formats(s, choice, &n->plan);
		return true;
	}
	to->ready = 0;
	to->settled = space_settle(s, p->blueprint, choice, &n->plan, &n->path, NULL);
	if (to->settled && n->plan.model->ops > to->tensors) {
		free(to->tensor);
		to->tensor = calloc((size_t)n->plan.model->ops, 1);
		to->tensors = to->tensor ? n->plan.model->ops : 0;
		to->settled = to->tensor != NULL;
	}
	if (to->settled)
		memcpy(to->choice, architecture, size);
	return to->settled;
}

// What the network costs by a term, whatever its formats; NULL: out of memory, or there are too many operators.
static const struct cost *cost_in(const struct network_pricer *p, struct priced *in, int t)
{
	const struct network_price *price = of_network(p->term[t].price);
	if (!in->network.plan.path)
		return price->cost;
	bool ready = in->ready >> t & 1 && in->by[t] == price;
	if (!ready && in->by[t] == price && in->cost[t]) {
		ready = cost_settle(in->cost[t], &in->network.plan, NULL);
	} else if (!ready) {
		cost_free(in->cost[t]);
		in->cost[t] = cost_of(price->tariff, &in->network.plan, NULL);
		in->by[t] = price;
		ready = in->cost[t] != NULL;
	}
	in->ready = ready ? in->ready | 1u << t : in->ready & ~(1u << t);
	return ready ? in->cost[t] : NULL;
}

// In total, under the formats that it has. They are the same for all terms.
static double total_in(const struct network_pricer *p, struct priced *in, int t)
{
	const struct cost *cost = cost_in(p, in, t);
	if (!cost)
		return INFINITY;
	if (!in->known && !cost_adds(cost)) {
		cost_formats(cost, &in->network.plan, in->tensor);
		in->known = true;
	}
	return cost_total_of(cost, &in->network.plan, in->tensor, NULL);
}

static void take(struct pricer *of, const struct term *term, int terms, const uint8_t *choice, double *cost)
{
	struct network_pricer *pricer = (struct network_pricer *)of;
	const struct space *s = pricer->is.space;
	memcpy(pricer->choice, choice, (size_t)s->slots);
	pricer->term = term;
	pricer->terms = terms;
	pricer->priced = 0;
	bool settled = settle(pricer, choice, &pricer->here);
	for (int t = 0; t < ENGINE_TERMS; t++) {
		const struct network_price *p = t < terms && term[t].price ? of_network(term[t].price) : NULL;
		cost[t] = p ? 0 : (double)NAN;
		pricer->priced |= (uint32_t)(p != NULL) << t;
		if (p && !p->layer)
			cost[t] = settled ? total_in(pricer, &pricer->here, t) : (double)INFINITY;
		for (int l = 0; p && p->layer && l < s->model->layers; l++)
			cost[t] += *layer_price(p, l, choice[space_slot(l, HALF_WEIGHT)], choice[space_slot(l, HALF_ACTIVATION)]);
	}
	memcpy(pricer->whole, cost, sizeof pricer->whole);
}

static double least(struct pricer *of, int term, const struct cost_settings *layer)
{
	struct network_pricer *pricer = (struct network_pricer *)of;
	const struct plan *plan = &pricer->here.network.plan;
	const struct cost *cost = pricer->here.settled ? cost_in(pricer, &pricer->here, term) : NULL;
	struct cost_settings *its = cost && plan->path ? calloc((size_t)plan->model->layers + 1, sizeof *its) : NULL;
	for (int l = 0; its && l < plan->model->layers; l++)
		its[l] = layer[plan->path->layer[l]];
	double price = its ? cost_least(cost, its) : cost && !plan->path ? cost_least(cost, layer) : 0;
	free(its);
	return price;
}

// ---- another option ----

// How many layers a decision of formats touches, of those that run.
static int touch(struct network_pricer *pricer, const struct partition *p, int decision)
{
	const struct path *path = pricer->here.network.plan.path;
	int count = 0;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i]) {
		int layer = space_layer(i);
		if (path && path->at[layer] < 0)
			continue;
		if (!count || pricer->of_whole[count - 1] != layer) {
			pricer->of_whole[count] = layer;
			pricer->touched[count] = path ? path->at[layer] : layer;
			pricer->halves[count++] = 0;
		}
		pricer->halves[count - 1] |= (uint8_t)(1 << i % HALVES);
	}
	return count;
}

// The options of a layer's halves where those that are touched take `option`.
static void options_of(const struct network_pricer *p, int k, int option, int *weight, int *activation)
{
	int l = p->of_whole[k];
	*weight = p->halves[k] >> HALF_WEIGHT & 1 ? option : p->choice[space_slot(l, HALF_WEIGHT)];
	*activation = p->halves[k] >> HALF_ACTIVATION & 1 ? option : p->choice[space_slot(l, HALF_ACTIVATION)];
}

// The touched layers where those of their halves that are touched take `option`.
static void become(const struct network_pricer *p, int count, int option, struct layer_plan *to)
{
	for (int k = 0; k < count; k++) {
		int l = p->of_whole[k], w, a;
		options_of(p, k, option, &w, &a);
		to[k] = (struct layer_plan){space_format(p->is.space, space_slot(l, HALF_WEIGHT), w),
			space_format(p->is.space, space_slot(l, HALF_ACTIVATION), a)};
	}
}

// Other formats of these layers, the present ones first, from what the change touches.
static void price_formats(struct network_pricer *pricer, int count, const int *option, int options, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	struct priced *here = &pricer->here;
	int now = option[0], w, a, to_w, to_a;
	double part[SPACE_OPTIONS];
	bool filled = false; // `become`, which serves all terms
	for (int t = 0; t < pricer->terms; t++) {
		const struct network_price *p = of_network(pricer->term[t].price);
		if (!(terms >> t & 1))
			continue;
		for (int i = 1; p->layer && i < options; i++)
			for (int k = 0; k < count; k++) {
				options_of(pricer, k, now, &w, &a);
				options_of(pricer, k, option[i], &to_w, &to_a);
				cost[option[i]][t] += *layer_price(p, pricer->of_whole[k], to_w, to_a) -
					*layer_price(p, pricer->of_whole[k], w, a);
			}
		const struct cost *its = p->layer ? NULL : cost_in(pricer, here, t);
		if (!its)
			continue;
		for (int i = 0; !filled && i < options; i++)
			become(pricer, count, option[i], pricer->become + i * count);
		filled = true;
		cost_parts(its, &here->network.plan, here->tensor, pricer->touched, count, pricer->become, options, part);
		for (int i = 1; i < options; i++)
			cost[option[i]][t] += part[i] - part[0];
	}
}

static bool is_there(const struct network_pricer *pricer, const struct partition *p, int decision)
{
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		if (slot_there(pricer->is.space->slot, i, pricer->choice))
			return true;
	return false;
}

// The network of each option by itself, as a whole.
static void price_architecture(struct network_pricer *pricer, const struct partition *p, int decision, const int *option,
	int options, uint32_t terms, double (*cost)[ENGINE_TERMS])
{
	if (!is_there(pricer, p, decision))
		return;
	memcpy(pricer->changed, pricer->choice, (size_t)pricer->is.space->slots);
	for (int i = 1; i < options; i++) {
		for (int k = p->decision[decision].first; k >= 0; k = p->next[k])
			pricer->changed[k] = (uint8_t)option[i];
		bool settled = settle(pricer, pricer->changed, &pricer->there);
		for (int t = 0; t < pricer->terms; t++)
			if (terms >> t & 1)
				cost[option[i]][t] = settled ? total_in(pricer, &pricer->there, t) : (double)INFINITY;
	}
}

static void options_cost(struct pricer *of, const struct partition *partition, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	struct network_pricer *pricer = (struct network_pricer *)of;
	const struct decision *d = &partition->decision[decision];
	int now = pricer->choice[d->first], option[SPACE_OPTIONS] = {now}, options = 1;
	for (int o = 0; o < d->options; o++) {
		memcpy(cost[o], pricer->whole, sizeof cost[o]);
		if (o != now && d->allowed >> o & 1)
			option[options++] = o;
	}
	terms &= pricer->priced;
	if (options == 1 || !terms)
		return;
	if (!space_of_format(pricer->is.space, d->first)) {
		price_architecture(pricer, partition, decision, option, options, terms, cost);
		return;
	}
	int count = touch(pricer, partition, decision);
	if (count && pricer->here.settled)
		price_formats(pricer, count, option, options, terms, cost);
}

const struct provider networks = {.subject = SUBJECT_NETWORK,
	.free_prices = free_prices,
	.make = make,
	.free_price = free_price,
	.target = target_of,
	.price = price_choice,
	.pricer = new_pricer,
	.free_pricer = free_pricer,
	.take = take,
	.options = options_cost,
	.least = least};

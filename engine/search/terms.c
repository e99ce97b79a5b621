// SPDX-License-Identifier: GPL-3.0-or-later
// The cost terms of a search: which there are, what they cost, what they are to be.
//
// The engine's thread alone writes s->term; others read names and prices there under a lock. What was once priced is kept until
// the search ends, so that they may go on with it without the lock.
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // held to copy a few pointers: one serves all searches

struct priced {
	struct priced *next;
	char name[ENGINE_NAME + ENGINE_TEXT]; // as cost_new takes it
	char unit[ENGINE_TEXT];
	struct cost *cost;
	double widest; // cost of the widest uniform choice
	double low, high; // of the cheapest and the dearest uniform one
	double *price; // where it adds up: [layers][options of the weights][of the activations]; else NULL
};

static double *price_of(const struct search *s, const struct priced *p, int layer, int weight, int activation)
{
	return &p->price[(layer * s->options + weight) * s->options + activation];
}

// Every layer under every pair of options, once and for all.
static bool price_options(const struct search *s, struct priced *p)
{
	p->price = calloc((size_t)s->model->layers * (size_t)(s->options * s->options), sizeof *p->price);
	for (int l = 0; p->price && l < s->model->layers; l++) {
		const struct slot *ws = &s->space->slot[space_slot(l, HALF_WEIGHT)], *as = &s->space->slot[space_slot(l, HALF_ACTIVATION)];
		for (int w = 0; w < ws->options; w++)
			for (int a = 0; a < as->options; a++) {
				s->scratch.layer[l] = (struct layer_plan){ws->format[w], as->format[a]};
				*price_of(s, p, l, w, a) = cost_part(p->cost, &s->scratch, &l, 1);
			}
	}
	return p->price != NULL;
}

static void priced_free(struct priced *p)
{
	if (!p)
		return;
	cost_free(p->cost);
	free(p->price);
	free(p);
}

void search_terms_free(struct search *s)
{
	for (struct priced *p = s->priced, *next; p; p = next) {
		next = p->next;
		priced_free(p);
	}
}

// What a term costs, made where it is not known yet; NULL with a fault.
static const struct priced *priced_named(struct search *s, const char *name, struct fault *fault)
{
	const struct slot *slot = &s->space->slot[0];
	for (const struct priced *p = s->priced; p; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	struct priced *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, name);
		return NULL;
	}
	snprintf(p->name, sizeof p->name, "%s", name);
	p->cost = cost_new(s->model, name, 0, fault);
	if (!p->cost || !cost_answers(p->cost, slot->format, slot->options, fault)) {
		priced_free(p);
		return NULL;
	}
	const struct device *device = cost_device(p->cost);
	snprintf(p->unit, sizeof p->unit, "%s%s%s%s", cost_unit(p->cost), device ? " on " : "", device ? device->name : "",
		cost_assumed(p->cost) ? " (assumed)" : "");
	p->low = INFINITY;
	for (int o = 0; o < slot->options; o++) {
		p->widest = cost_uniform_total(p->cost, slot->format[o]);
		p->low = fmin(p->low, p->widest);
		p->high = fmax(p->high, p->widest);
	}
	if (cost_adds(p->cost) && !price_options(s, p)) {
		fault_memory(fault, name);
		priced_free(p);
		return NULL;
	}
	p->next = s->priced;
	s->priced = p;
	return p;
}

static bool settle_term(struct search *s, const struct knobs *k, int t, struct term *term, struct fault *fault)
{
	const struct term_knob *wanted = &k->term[t];
	char name[sizeof s->priced->name];
	struct term_name read;
	struct fault why = {0};
	*term = (struct term){0};
	snprintf(term->name, sizeof term->name, "%s", wanted->name);
	term_read(term->name, &read); // knobs take no other names
	term->kind = read.kind;
	term->by_setting = read.kind->on_device && !read.device;
	if (read.kind->on_device)
		snprintf(term->asked, sizeof term->asked, "%s", term->by_setting ? k->device : read.device);
	if (term->by_setting)
		term_write(read.kind->id, term->asked, name, sizeof name);
	else
		snprintf(name, sizeof name, "%s", wanted->name);
	term->priced = priced_named(s, name, &why);
	if (!term->priced) {
		if (!term->by_setting || wanted->weight > 0 || wanted->target[0]) {
			if (fault)
				*fault = why;
			return false;
		}
		fault_line(&why, term->why, sizeof term->why);
		return true;
	}
	if (wanted->target[0] && !cost_target_value(term->priced->cost, term->priced->widest, wanted->target, &term->target, fault))
		return false;
	return wanted->weight <= 0 || wanted->target[0] ||
		fault_set(fault, wanted->name, "give it a target first, or weight 0", "has a weight but no target");
}

bool search_price_terms(struct search *s, const struct knobs *k, struct term term[ENGINE_TERMS], struct fault *fault)
{
	for (int t = 0; t < k->terms; t++)
		if (!settle_term(s, k, t, &term[t], fault))
			return false;
	return true;
}

// A reward must be a number that can be learned from: squared, as Adam does, it is still one in single precision. What uniform choices
// cost is near enough.
static bool rewards(const struct knobs *k, const struct term *term, struct fault *fault)
{
	static const double MOST = 1e12;
	static const char todo[] = "give a target nearer to what choices cost, or a smaller weight";
	double best = 0; // logarithm of mnas's factor for the cheapest choice
	for (int t = 0; t < k->terms; t++) {
		double weight = k->term[t].weight, target = term[t].target;
		if (!(weight > 0 && target > 0))
			continue;
		if (k->reward == REWARD_MNAS) {
			best -= weight * log(term[t].priced->low / target);
			if (!(fabs(best) <= log(MOST)))
				return fault_set(fault, term[t].name, todo, "the reward would not be a number: the cheapest choice costs %.3g of "
					"the target, and the weight %g makes that a factor of 1e%+.0f", term[t].priced->low / target, weight, best / log(10));
		} else if (!(weight * fmax(1, term[t].priced->high / target) <= MOST)) {
			return fault_set(fault, term[t].name, todo, "the reward would not be a number: the dearest choice costs %.3g times "
				"the target, at a weight of %g", term[t].priced->high / target, weight);
		}
	}
	return true;
}

bool search_reprice(struct search *s, const struct knobs *k, struct fault *fault)
{
	struct term term[ENGINE_TERMS];
	struct device device;
	bool changed = k->terms != s->terms;
	if (!term_table(k->device) && !device_get(k->device, &device, fault))
		return false;
	if (!search_price_terms(s, k, term, fault) || !rewards(k, term, fault))
		return false;
	for (int t = 0; t < k->terms; t++) {
		bool same = t < s->terms && s->term[t].priced == term[t].priced;
		term[t].sampled = same ? s->term[t].sampled : (double)NAN;
		term[t].cheapest = s->bounds + 2 * t * s->space->slots;
		term[t].dearest = term[t].cheapest + s->space->slots;
		changed |= !same;
	}
	pthread_mutex_lock(&lock);
	memcpy(s->term, term, sizeof term);
	s->terms = k->terms;
	pthread_mutex_unlock(&lock);
	for (int i = 0; changed && i < s->front.points; i++)
		search_costs(s, s->front.point[i].choice, s->front.point[i].cost);
	for (int i = 0; changed && i < s->front.next; i++)
		search_costs(s, s->front.candidate[i].choice, s->front.candidate[i].cost);
	search_bounds(s);
	return true;
}

bool search_check_target(const struct search *s, const char *name, const char *text, struct fault *fault)
{
	const struct priced *p = NULL;
	pthread_mutex_lock(&lock);
	for (int t = 0; t < s->terms; t++)
		if (strcmp(s->term[t].name, name) == 0)
			p = s->term[t].priced;
	pthread_mutex_unlock(&lock);
	double ignored;
	return !p || !text[0] || cost_target_value(p->cost, p->widest, text, &ignored, fault);
}

// ---- costs ----

void search_costs(const struct search *s, const uint8_t *choice, double *cost)
{
	struct plan plan = s->scratch;
	bool settled = false; // formats are the same for all terms
	space_plan(s->space, choice, &plan);
	for (int t = 0; t < ENGINE_TERMS; t++) {
		const struct priced *p = t < s->terms ? s->term[t].priced : NULL;
		cost[t] = p ? 0 : (double)NAN;
		if (p && !p->price) {
			if (!settled)
				cost_formats(p->cost, &plan, s->tensor);
			settled = true;
			cost[t] = cost_total_of(p->cost, &plan, s->tensor, NULL);
		}
		for (int l = 0; p && p->price && l < s->model->layers; l++)
			cost[t] += *price_of(s, p, l, choice[space_slot(l, HALF_WEIGHT)], choice[space_slot(l, HALF_ACTIVATION)]);
	}
}

// The layers of a decision, and which of their halves are its: fills s->touched and s->halves; how many.
static int touch(const struct search *s, int decision)
{
	const struct partition *p = s->partition;
	int count = 0;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i]) {
		if (!count || s->touched[count - 1] != space_layer(i)) {
			s->touched[count] = space_layer(i);
			s->halves[count++] = 0;
		}
		s->halves[count - 1] |= (uint8_t)(1 << i % HALVES);
	}
	return count;
}

// The options of a layer's halves where those that are touched take `option`.
static void options_of(const struct search *s, const uint8_t *choice, int k, int option, int *weight, int *activation)
{
	int l = s->touched[k];
	*weight = s->halves[k] >> HALF_WEIGHT & 1 ? option : choice[space_slot(l, HALF_WEIGHT)];
	*activation = s->halves[k] >> HALF_ACTIVATION & 1 ? option : choice[space_slot(l, HALF_ACTIVATION)];
}

// The touched layers where those of their halves that are touched take `option`.
static void become(const struct search *s, const uint8_t *choice, int count, int option, struct layer_plan *to)
{
	for (int k = 0; k < count; k++) {
		int l = s->touched[k], w, a;
		options_of(s, choice, k, option, &w, &a);
		to[k] = (struct layer_plan){s->space->slot[space_slot(l, HALF_WEIGHT)].format[w],
			s->space->slot[space_slot(l, HALF_ACTIVATION)].format[a]};
	}
}

void search_price_options(const struct search *s, const uint8_t *choice, const double *whole, int decision, uint32_t terms,
	double (*cost)[ENGINE_TERMS])
{
	const struct decision *d = &s->partition->decision[decision];
	int count = touch(s, decision), now = choice[d->first], w, a, to_w, to_a;
	int option[SPACE_OPTIONS] = {now}, options = 1; // the present one first
	double part[SPACE_OPTIONS];
	struct plan plan = s->scratch;
	for (int o = 0; o < d->options; o++) {
		memcpy(cost[o], whole, sizeof cost[o]);
		if (o != now && d->allowed >> o & 1)
			option[options++] = o;
	}
	bool filled = false; // s->become, which serves all terms
	for (int t = 0; t < s->terms; t++) {
		const struct priced *p = s->term[t].priced;
		if (!(terms >> t & 1) || options == 1)
			continue;
		for (int i = 1; p->price && i < options; i++)
			for (int k = 0; k < count; k++) {
				options_of(s, choice, k, now, &w, &a);
				options_of(s, choice, k, option[i], &to_w, &to_a);
				cost[option[i]][t] += *price_of(s, p, s->touched[k], to_w, to_a) - *price_of(s, p, s->touched[k], w, a);
			}
		if (p->price)
			continue;
		for (int i = 0; !filled && i < options; i++)
			become(s, choice, count, option[i], s->become + i * count);
		filled = true;
		cost_parts(p->cost, &plan, s->tensor, s->touched, count, s->become, options, part);
		for (int i = 1; i < options; i++)
			cost[option[i]][t] += part[i] - part[0];
	}
}

bool search_price(const struct search *s, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer)
{
	const struct priced *priced[ENGINE_TERMS] = {0};
	for (int i = 0; i < s->space->slots; i++)
		if (choice[i] >= s->space->slot[i].options)
			return false;
	struct plan plan = {.layer = calloc((size_t)s->model->layers, sizeof *plan.layer)}; // not s->scratch: any thread may ask
	if (!plan.layer)
		return false;
	space_plan(s->space, choice, &plan);
	pthread_mutex_lock(&lock);
	for (int t = 0; t < s->terms; t++)
		priced[t] = s->term[t].priced;
	pthread_mutex_unlock(&lock);
	for (int t = 0; t < ENGINE_TERMS; t++)
		cost[t] = priced[t] ? cost_total(priced[t]->cost, &plan, t == term ? layer : NULL) : (double)NAN;
	for (int l = 0; layer && (term < 0 || term >= ENGINE_TERMS || !priced[term]) && l < s->model->layers; l++)
		layer[l] = NAN;
	free(plan.layer);
	return true;
}

double search_price_layer(const struct search *s, int term, int layer, int weight, int activation)
{
	return *price_of(s, s->term[term].priced, layer, weight, activation);
}

const struct cost *search_cost(const struct search *s, int term)
{
	return s->term[term].priced ? s->term[term].priced->cost : NULL;
}

bool search_adds(const struct search *s, int term)
{
	return s->term[term].priced && s->term[term].priced->price;
}

void search_term_units(const struct search *s, int t, struct term_state *term)
{
	const struct priced *p = s->term[t].priced;
	const struct device *device = p ? cost_device(p->cost) : NULL;
	term->unit = p ? p->unit : "";
	term->brief = p ? cost_brief(p->cost) : "";
	term->symbol = p ? quantity_symbol(cost_kind(p->cost)->quantity) : "";
	term->device = device ? device->name : "";
	term->kind = s->term[t].kind;
	term->by_setting = s->term[t].by_setting;
	snprintf(term->asked, sizeof term->asked, "%s", s->term[t].asked);
}

double search_term_whole(const struct search *s, int t)
{
	return s->term[t].priced ? s->term[t].priced->widest : (double)NAN;
}

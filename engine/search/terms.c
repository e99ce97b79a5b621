// SPDX-License-Identifier: GPL-3.0-or-later
// The cost terms of a search: which there are, what they cost, what they are to be.
//
// The engine's thread alone writes shared->term; others read names and prices there under a lock. What was once priced is kept
// until the search ends, so that they may go on with it without the lock.
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hardware/device.h"
#include "engine/machine.h"
#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/search/layers.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // held to copy a few pointers: one serves all searches

static bool resolve_term(const struct shared *s, const struct knobs *k, int t, struct term *term, struct aim *aim,
	struct fault *fault)
{
	const char *called = k->term[t].name;
	const struct wish *wanted = &k->term[t].wish;
	char name[ENGINE_NAME + ENGINE_TEXT];
	struct term_name read;
	struct fault why = {0};
	char advice[sizeof why.todo];
	*term = (struct term){0};
	snprintf(term->name, sizeof term->name, "%s", called);
	if (!term_read_of(prices_subject(s->prices), term->name, &read))
		return fault_set(fault, called, term_advice(prices_subject(s->prices), true, advice, sizeof advice),
			"this search has no such cost");
	term->kind = read.kind;
	term->by_setting = read.kind->where && !read.device;
	if (read.kind->where)
		snprintf(term->asked, sizeof term->asked, "%s",
			!term->by_setting                     ? read.device
				: read.kind->where == AT_SITE ? k->site
							      : k->device);
	if (term->by_setting)
		term_write(read.kind->id, term->asked, name, sizeof name);
	else
		snprintf(name, sizeof name, "%s", called);
	term->price = prices_named(s->prices, name, &why);
	*aim = (struct aim){.weight = wanted->weight};
	snprintf(aim->asked, sizeof aim->asked, "%s", wanted->target);
	if (!term->price) {
		if (!term->by_setting || wanted->weight > 0 || wanted->target[0]) {
			if (fault)
				*fault = why;
			return false;
		}
		fault_line(&why, term->why, sizeof term->why);
		return true;
	}
	const struct price *p = term->price;
	if (wanted->target[0] && !price_target(p, wanted->target, &aim->target, fault))
		return false;
	return wanted->weight <= 0 || wanted->target[0] ||
		fault_set(fault, called, "give it a target first, or weight 0", "would have a weight but no target");
}

bool aims_of(const struct shared *s, const struct knobs *k, struct term term[ENGINE_TERMS], struct aim aim[ENGINE_TERMS],
	struct fault *fault)
{
	for (int t = 0; t < k->terms; t++)
		if (!resolve_term(s, k, t, &term[t], &aim[t], fault))
			return false;
	return true;
}

// A reward must be a number that can be learned from: squared, as Adam does, it is still one in single precision. What uniform
// choices cost is near enough.
static bool rewards(const struct knobs *k, const struct term *term, const struct aim *aim, struct fault *fault)
{
	static const double MOST = 1e12, FAR = 1e100;
	static const char todo[] = "give a target nearer to what choices cost, or a smaller weight";
	double best = 0; // logarithm of mnas's factor for the cheapest choice
	for (int t = 0; t < k->terms; t++) {
		double weight = aim[t].weight, target = aim[t].target, low, high;
		if (!(weight > 0 && target > 0))
			continue;
		price_uniform(term[t].price, &low, &high);
		if (!(high / target < FAR))
			return fault_set(fault, term[t].name, todo,
				"the reward would not be a number: the target is too far below what any choice costs");
		if (k->reward == REWARD_MNAS) {
			best -= weight * log(low / target);
			if (!(fabs(best) <= log(MOST)))
				return fault_set(fault, term[t].name, todo,
					"the reward would not be a number: the cheapest choice costs %.3g of "
					"the target, and the weight %g makes that a factor of 1e%+.0f",
					low / target, weight, best / log(10));
		} else if (!(weight * fmax(1, high / target) <= MOST)) {
			return fault_set(fault, term[t].name, todo,
				"the reward would not be a number: the dearest choice costs %.3g times "
				"the target, at a weight of %g",
				high / target, weight);
		}
	}
	return true;
}

// The terms and one lane's aims by its settings, if its reward is one that can be learned from.
static bool resolve(const struct search *s, const struct knobs *k, struct term term[ENGINE_TERMS], struct aim aim[ENGINE_TERMS],
	struct fault *fault)
{
	struct device device;
	struct site site;
	return (term_table(k->device) || device_get(k->device, &device, fault)) && site_get(k->site, &site, fault) &&
		aims_of(&s->shared, k, term, aim, fault) && rewards(k, term, aim, fault);
}

bool search_can_price(struct search *s, const struct knobs *k, struct fault *fault)
{
	struct term term[ENGINE_TERMS];
	struct aim aim[ENGINE_TERMS];
	return resolve(s, k, term, aim, fault);
}

// The aims that the other lanes come to have; `forget`: the places of those that were dropped and come to none.
static bool resolve_others(struct search *s, const struct lane *of, const struct knobs *k, struct aim (*aim)[ENGINE_TERMS],
	bool forget[ENGINE_LANES], struct fault *fault)
{
	struct term term[ENGINE_TERMS];
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));) {
		struct knobs theirs = *k;
		if (lane == of)
			continue;
		knobs_join(&theirs, &lane->wishes);
		forget[lane->place] = !resolve(s, &theirs, term, aim[lane->place], fault);
		if (forget[lane->place] && !lane->dropped)
			return false;
	}
	return true;
}

bool search_reprice(struct search *s, struct lane *of, const struct knobs *k, struct fault *fault)
{
	struct shared *shared = &s->shared;
	struct term term[ENGINE_TERMS];
	struct aim aim[ENGINE_LANES][ENGINE_TERMS];
	bool changed = k->terms != shared->terms, forget[ENGINE_LANES] = {false};
	uint32_t same = 0;
	if (!resolve(s, k, term, aim[of->place], fault) || !resolve_others(s, of, k, aim, forget, fault))
		return false;
	for (int t = 0; t < k->terms; t++) {
		bool stays = t < shared->terms && shared->term[t].price == term[t].price;
		same |= (uint32_t)stays << t;
		changed |= !stays;
	}
	pthread_mutex_lock(&lock);
	memcpy(shared->term, term, sizeof term);
	shared->terms = k->terms;
	pthread_mutex_unlock(&lock);
	if (changed) {
		front_reprice(&s->front);
		polish_reprice(&s->polish);
	}
	struct knobs parted = *k;
	knobs_part(&parted, &of->wishes);
	for (int i = 0; i < ENGINE_LANES; i++)
		if (forget[i])
			lanes_forget(s, i);
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		lane_take_aims(lane, aim[lane->place], same);
	return true;
}

bool search_check_target(const struct search *s, const char *name, const char *text, struct fault *fault)
{
	const struct price *p = NULL;
	pthread_mutex_lock(&lock);
	for (int t = 0; t < s->shared.terms; t++)
		if (strcmp(s->shared.term[t].name, name) == 0)
			p = s->shared.term[t].price;
	pthread_mutex_unlock(&lock);
	double ignored;
	return !p || !text[0] || strcmp(text, TARGET_NO) == 0 || price_target(p, text, &ignored, fault);
}

static bool in_range(const struct space *space, const uint8_t *choice)
{
	for (int i = 0; i < space->slots; i++)
		if (choice[i] >= space->slot[i].options)
			return false;
	return true;
}

// A plan for any thread, which has no path of its own; unsettle is for it in any case.
struct settled {
	struct path path;
	struct plan plan;
};

static bool settle(const struct search *s, const uint8_t *choice, struct settled *to)
{
	const struct space *space = s->shared.space;
	*to = (struct settled){.plan.layer = calloc((size_t)space->model->layers, sizeof *to->plan.layer)};
	return to->plan.layer && in_range(space, choice) &&
		space_settle(space, s->shared.blueprint, choice, &to->plan, &to->path, NULL);
}

static void unsettle(struct settled *s)
{
	free(s->plan.layer);
	path_free(&s->path);
}

bool search_layers(const struct search *s, const uint8_t *choice, struct layer_info *layer)
{
	struct settled settled;
	if (!s->info.layers)
		return true;
	bool ok = settle(s, choice, &settled);
	for (int l = 0; ok && l < s->info.layers; l++) {
		const struct layer_info *whole = &s->info.layer[l];
		int at = settled.plan.path ? settled.path.at[l] : l;
		layer[l] = at < 0 ? *whole : layer_info_of(settled.plan.model, at);
		if (at < 0)
			layer[l].macs = layer[l].attention_macs = layer[l].weights = layer[l].activations = 0;
		layer[l].weight_slot = whole->weight_slot;
		layer[l].activation_slot = whole->activation_slot;
		layer[l].owned = whole->owned;
	}
	unsettle(&settled);
	return ok;
}

const char *search_lack(const struct search *s, const uint8_t *choice, char *buf, size_t size)
{
	buf[0] = '\0';
	return s->source->kind->lack ? s->source->kind->lack(s->source, choice, buf, size) : buf;
}

bool search_write_network(const struct search *s, const uint8_t *choice, FILE *file)
{
	struct settled settled;
	if (!s->info.layers)
		return false;
	bool ok = settle(s, choice, &settled) && model_write(settled.plan.model, file);
	unsettle(&settled);
	return ok;
}

bool search_price(const struct search *s, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer)
{
	const struct price *price[ENGINE_TERMS] = {0};
	pthread_mutex_lock(&lock);
	for (int t = 0; t < s->shared.terms; t++)
		price[t] = s->shared.term[t].price;
	pthread_mutex_unlock(&lock);
	return prices_choice(s->shared.prices, price, choice, cost, term, layer);
}

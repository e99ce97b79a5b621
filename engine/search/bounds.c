// SPDX-License-Identifier: GPL-3.0-or-later
// The cheapest and the dearest choice that a partition allows, by each cost term. They are found by pricing: the order of options is
// not the order of their costs (a device without e3m2 runs it as fp16, slower than int8).
//
// Where a term adds up over layers, the bounds are exact: decisions that share no layer are settled one by one, a group's weights and
// activations together. Elsewhere the search descends one decision at a time from every even choice; what no choice
// undercuts is then the sum of the operators' least prices.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/search/inside.h"

static const double SAME = 1e-9; // sums in another order differ in their last bits

static void settle(const struct partition *p, uint8_t *choice, int decision, int option)
{
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		choice[i] = (uint8_t)option;
}

// ---- terms that add up ----

// What the layers of a decision cost where their weights take `option` and their activations `other`.
static double price_together(const struct search *s, int term, int decision, int option, int other)
{
	double sum = 0;
	for (int i = s->partition->decision[decision].first; i >= 0; i = s->partition->next[i])
		if (i % HALVES == HALF_WEIGHT)
			sum += search_price_layer(s, term, space_layer(i), option, other);
	return sum;
}

// The decision of the same layers' other halves: itself where the two are tied.
static int other_half(const struct partition *p, int decision)
{
	return p->decision_of[p->decision[decision].first ^ 1];
}

static void settle_exactly(const struct search *s, int term, double sign, uint8_t *choice)
{
	const struct partition *p = s->partition;
	for (int d = 0; d < p->decisions; d++) {
		const struct decision *mine = &p->decision[d], *theirs = &p->decision[other_half(p, d)];
		bool tied = mine == theirs;
		double best = INFINITY;
		if (mine->first % HALVES != HALF_WEIGHT)
			continue; // settled with its weights
		for (int o = 0; o < mine->options; o++)
			for (int other = tied ? o : 0; other < (tied ? o + 1 : theirs->options); other++) {
				if (!(mine->allowed >> o & 1) || !(theirs->allowed >> other & 1))
					continue;
				double price = sign * price_together(s, term, d, o, other);
				if (price < best) {
					best = price;
					settle(p, choice, d, o);
					settle(p, choice, other_half(p, d), other);
				}
			}
	}
}

// ---- other terms ----

// Every decision takes the allowed option that is nearest to this one.
static void settle_evenly(const struct partition *p, int option, uint8_t *choice)
{
	for (int d = 0; d < p->decisions; d++) {
		uint32_t allowed = p->decision[d].allowed, below = allowed & (uint32_t)((2ull << option) - 1);
		settle(p, choice, d, below ? 31 - __builtin_clz(below) : __builtin_ctz(allowed));
	}
}

static double price_whole(const struct search *s, const uint8_t *choice, int term, double cost[ENGINE_TERMS])
{
	search_costs(s, choice, cost);
	return cost[term];
}

// One decision's best option, with that of the same layers' other halves where they are another decision: what two formats run as
// hangs on both. Whether the choice, priced last at *now, has moved; then it is priced anew.
static bool improve(const struct search *s, int term, double sign, int decision, uint8_t *choice, double *now)
{
	const struct partition *p = s->partition;
	const struct decision *mine = &p->decision[decision], *theirs = &p->decision[other_half(p, decision)];
	double whole[ENGINE_TERMS] = {0}, cost[SPACE_OPTIONS][ENGINE_TERMS], best = *now - SAME * fabs(*now);
	int held = choice[theirs->first], from = choice[mine->first], option = from, other = held, tries = mine == theirs ? 1 : theirs->options;
	for (int i = 0; i < tries; i++) {
		int k = (held + i) % theirs->options; // the present one first
		if (!(theirs->allowed >> k & 1))
			continue;
		if (i)
			settle(p, choice, other_half(p, decision), k);
		double here = i ? sign * price_whole(s, choice, term, whole) : *now;
		whole[term] = sign * here;
		search_price_options(s, choice, whole, decision, 1u << term, cost);
		for (int o = 0; o < mine->options; o++)
			if (mine->allowed >> o & 1 && sign * cost[o][term] < best) {
				best = sign * cost[o][term];
				option = o;
				other = mine == theirs ? other : k;
			}
	}
	bool moved = option != from || other != held;
	if (mine != theirs)
		settle(p, choice, other_half(p, decision), other);
	settle(p, choice, decision, option);
	if (moved || mine != theirs)
		*now = sign * price_whole(s, choice, term, whole);
	return moved;
}

static void descend(const struct search *s, int term, double sign, uint8_t *choice)
{
	enum { SWEEPS = 8 };
	double cost[ENGINE_TERMS], now = sign * price_whole(s, choice, term, cost);
	bool moved = true;
	for (int sweep = 0; moved && sweep < SWEEPS; sweep++) {
		moved = false;
		for (int d = 0; d < s->partition->decisions; d++)
			if (s->partition->decision[d].allowed & (s->partition->decision[d].allowed - 1))
				moved |= improve(s, term, sign, d, choice, &now);
	}
}

static double descend_from(const struct search *s, int option, int term, double sign, uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	settle_evenly(s->partition, option, choice);
	descend(s, term, sign, choice);
	return sign * price_whole(s, choice, term, cost);
}

// From every even choice: layers that read one tensor may gain by moving together alone.
static void settle_by_descent(const struct search *s, int term, double sign, uint8_t *choice)
{
	double best = INFINITY;
	int from = 0;
	for (int o = 0; o < s->options; o++) {
		double price = descend_from(s, o, term, sign, choice);
		if (price < best) {
			best = price;
			from = o;
		}
	}
	descend_from(s, from, term, sign, choice);
}

// ---- what no choice undercuts ----

struct settings {
	struct cost_settings *layer;
	struct layer_plan *setting;
};

// The settings that each layer may take, by the decisions of its two halves; false: out of memory.
static bool list_settings(const struct search *s, struct settings *to)
{
	const struct partition *p = s->partition;
	size_t layers = (size_t)s->model->layers, count = 0;
	to->layer = calloc(layers, sizeof *to->layer);
	to->setting = calloc(layers * (size_t)(s->options * s->options), sizeof *to->setting);
	for (int l = 0; to->layer && to->setting && l < s->model->layers; l++) {
		int w = space_slot(l, HALF_WEIGHT), a = space_slot(l, HALF_ACTIVATION);
		const struct decision *weights = &p->decision[p->decision_of[w]], *activations = &p->decision[p->decision_of[a]];
		to->layer[l].setting = to->setting + count;
		for (int o = 0; o < weights->options; o++)
			for (int other = 0; other < activations->options; other++)
				if (weights->allowed >> o & 1 && activations->allowed >> other & 1 && (weights != activations || o == other))
					to->setting[count++] = (struct layer_plan){s->space->slot[w].format[o], s->space->slot[a].format[other]};
		to->layer[l].count = (int)(to->setting + count - to->layer[l].setting);
	}
	return to->layer && to->setting;
}

void search_bounds(struct search *s)
{
	struct settings settings;
	bool listed = list_settings(s, &settings);
	for (int t = 0; t < s->terms; t++) {
		struct term *term = &s->term[t];
		double cost[ENGINE_TERMS];
		if (!search_cost(s, t)) {
			term->low = term->high = term->least = NAN;
			continue;
		}
		bool adds = search_adds(s, t);
		for (int dear = 0; dear < 2; dear++) {
			uint8_t *choice = dear ? term->dearest : term->cheapest;
			(adds ? settle_exactly : settle_by_descent)(s, t, dear ? -1 : 1, choice);
			*(dear ? &term->high : &term->low) = price_whole(s, choice, t, cost);
		}
		double least = adds ? term->low : listed ? cost_least(search_cost(s, t), settings.layer) : 0;
		term->least = least < term->low * (1 - SAME) ? least : term->low;
	}
	free(settings.layer);
	free(settings.setting);
}

// ---- targets ----

enum target_reach search_reach(const struct search *s, int t)
{
	const struct term *term = &s->term[t];
	if (!(term->target > 0) || !search_cost(s, t))
		return TARGET_NONE;
	if (term->target < term->least * (1 - SAME))
		return TARGET_BELOW;
	if (term->target < term->low * (1 - SAME))
		return TARGET_BELOW_FOUND;
	return term->target > term->high * (1 + SAME) ? TARGET_ABOVE : TARGET_WITHIN;
}

void search_reach_text(const struct search *s, int t, char *buf, size_t size)
{
	const struct term *term = &s->term[t];
	struct term_state units;
	char least[ENGINE_TEXT], low[ENGINE_TEXT], high[ENGINE_TEXT];
	enum target_reach reach = search_reach(s, t);
	buf[0] = 0;
	if (reach <= TARGET_WITHIN) // as nearly always: this is asked at every step
		return;
	search_term_units(s, t, &units);
	number_brief(term->least, units.unit, least, sizeof least);
	number_brief(term->low, units.unit, low, sizeof low);
	number_brief(term->high, units.unit, high, sizeof high);
	switch (reach) {
	case TARGET_NONE:
	case TARGET_WITHIN:
		break;
	case TARGET_BELOW:
		if (term->least < term->low)
			snprintf(buf, size, "it cannot be met: no choice allowed costs less than %s, and the cheapest found costs %s", least, low);
		else
			snprintf(buf, size, "it cannot be met: the cheapest choice allowed costs %s", low);
		break;
	case TARGET_BELOW_FOUND:
		snprintf(buf, size, "no choice was found that meets it: the cheapest found costs %s", low);
		break;
	case TARGET_ABOVE:
		snprintf(buf, size, "every choice allowed costs less: the dearest found costs %s", high);
		break;
	}
}

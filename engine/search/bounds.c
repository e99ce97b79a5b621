// SPDX-License-Identifier: GPL-3.0-or-later
// The cheapest and the dearest choice that a partition allows, by each cost term. They are found by pricing: the order of options is
// not the order of their costs (a device without e3m2 runs it as fp16, slower than int8).
//
// Where a term adds up over layers, the bounds are exact: decisions that share no layer are fixed one by one, a group's weights and
// activations together. Elsewhere the search descends one decision at a time from every even choice; what no choice
// undercuts is then the sum of the operators' least prices.
//
// Where the architecture varies, it is fixed first, from its smallest or largest options on, then the formats in it, then both
// together: the smallest kernel is not always the cheapest. What no choice undercuts is the least of all networks' if these are few;
// else nothing is proven, and the cheapest choice is merely the cheapest found.
//
// Of a machine the pricer tries all: one decision at a time leads nowhere, since most sizes of parts divide nothing.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/search/lane.h"

static const double SAME = 1e-9; // sums in another order differ in their last bits

static void fix_option(const struct partition *p, uint8_t *choice, int decision, int option)
{
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		choice[i] = (uint8_t)option;
}

// ---- terms that add up ----

// What the layers of a decision cost where their weights take `option` and their activations `other`.
static double price_together(const struct lane *lane, int term, int decision, int option, int other)
{
	double sum = 0;
	for (int i = lane->partition->decision[decision].first; i >= 0; i = lane->partition->next[i])
		if (i % HALVES == HALF_WEIGHT)
			sum += price_layer(lane->shared->term[term].price, space_layer(i), option, other);
	return sum;
}

// The decision of the same layers' other halves: itself where the two are tied.
static int other_half(const struct partition *p, int decision)
{
	int first = p->decision[decision].first;
	return space_of_format(p->space, first) ? p->decision_of[first ^ 1] : decision;
}

static void fix_exactly(const struct lane *lane, int term, double sign, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int d = 0; d < p->decisions; d++) {
		const struct decision *mine = &p->decision[d], *theirs = &p->decision[other_half(p, d)];
		bool tied = mine == theirs;
		double best = INFINITY;
		if (mine->first % HALVES != HALF_WEIGHT)
			continue; // fixed with its weights
		for (int o = 0; o < mine->options; o++)
			for (int other = tied ? o : 0; other < (tied ? o + 1 : theirs->options); other++) {
				if (!(mine->allowed >> o & 1) || !(theirs->allowed >> other & 1))
					continue;
				double price = sign * price_together(lane, term, d, o, other);
				if (price < best) {
					best = price;
					fix_option(p, choice, d, o);
					fix_option(p, choice, other_half(p, d), other);
				}
			}
	}
}

// ---- other terms ----

// What is fixed: decisions of formats, of the architecture, or both.
enum { OF_FORMATS = 1, OF_ARCHITECTURE = 2 };

static bool is_of(const struct partition *p, int decision, unsigned what)
{
	return what & (space_of_format(p->space, p->decision[decision].first) ? OF_FORMATS : OF_ARCHITECTURE);
}

// Every such decision takes the allowed option that is nearest to this one.
static void fix_evenly(const struct partition *p, int option, unsigned what, uint8_t *choice)
{
	for (int d = 0; d < p->decisions; d++) {
		if (!is_of(p, d, what))
			continue;
		uint32_t allowed = p->decision[d].allowed, below = allowed & (uint32_t)((2ull << option) - 1);
		fix_option(p, choice, d, below ? 31 - __builtin_clz(below) : __builtin_ctz(allowed));
	}
}

static double price_whole(const struct lane *lane, const uint8_t *choice, int term, double cost[ENGINE_TERMS])
{
	lane_costs(lane, choice, cost);
	return cost[term];
}

// One decision's best option, with that of the same layers' other halves where they are another decision: what two formats run as
// hangs on both. Whether the choice, which the pricer holds and which costs *now, has moved; the pricer holds it then, too.
static bool improve(const struct lane *lane, int term, double sign, int decision, uint8_t *choice, double *now)
{
	const struct partition *p = lane->partition;
	const struct decision *mine = &p->decision[decision], *theirs = &p->decision[other_half(p, decision)];
	double whole[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], best = *now - SAME * fabs(*now);
	int held = choice[theirs->first], from = choice[mine->first], option = from, other = held,
	    tries = mine == theirs ? 1 : theirs->options;
	for (int i = 0; i < tries; i++) {
		int k = (held + i) % theirs->options; // the present one first
		if (!(theirs->allowed >> k & 1))
			continue;
		if (i)
			fix_option(p, choice, other_half(p, decision), k);
		if (i)
			price_whole(lane, choice, term, whole);
		pricer_options(lane->pricer, p, decision, 1u << term, cost);
		for (int o = 0; o < mine->options; o++)
			if (mine->allowed >> o & 1 && sign * cost[o][term] < best) {
				best = sign * cost[o][term];
				option = o;
				other = mine == theirs ? other : k;
			}
	}
	bool moved = option != from || other != held;
	if (mine != theirs)
		fix_option(p, choice, other_half(p, decision), other);
	fix_option(p, choice, decision, option);
	if (moved || mine != theirs)
		*now = sign * price_whole(lane, choice, term, whole);
	return moved;
}

// The price that it ends at.
static double descend(const struct lane *lane, int term, double sign, unsigned what, uint8_t *choice)
{
	enum { SWEEPS = 8 };
	double cost[ENGINE_TERMS], now = sign * price_whole(lane, choice, term, cost);
	bool moved = true;
	for (int sweep = 0; moved && sweep < SWEEPS; sweep++) {
		moved = false;
		for (int d = 0; d < lane->partition->decisions; d++)
			if (is_of(lane->partition, d, what) &&
				lane->partition->decision[d].allowed & (lane->partition->decision[d].allowed - 1))
				moved |= improve(lane, term, sign, d, choice, &now);
	}
	return sign * price_whole(lane, choice, term, cost);
}

static double descend_from(const struct lane *lane, int option, int term, double sign, uint8_t *choice)
{
	fix_evenly(lane->partition, option, OF_FORMATS, choice);
	return descend(lane, term, sign, OF_FORMATS, choice);
}

// From every even choice: layers that read one tensor may gain by moving together alone.
static void fix_by_descent(const struct lane *lane, int term, double sign, uint8_t *choice)
{
	const struct space *s = lane->shared->space;
	bool varies = s->slots > s->formats;
	double best = INFINITY;
	int from = 0;
	if (varies) {
		fix_evenly(lane->partition, sign > 0 ? 0 : SPACE_OPTIONS - 1, OF_FORMATS | OF_ARCHITECTURE, choice);
		descend(lane, term, sign, OF_ARCHITECTURE, choice);
	}
	for (int o = 0; o < s->options; o++) {
		double price = descend_from(lane, o, term, sign, choice);
		if (price < best) {
			best = price;
			from = o;
		}
	}
	descend_from(lane, from, term, sign, choice);
	if (varies)
		descend(lane, term, sign, OF_FORMATS | OF_ARCHITECTURE, choice);
}

// ---- what no choice undercuts ----

struct settings {
	struct cost_settings *layer;
	struct layer_plan *setting;
};

// The settings that each layer may take, by the decisions of its two halves; false: out of memory.
static bool list_settings(const struct lane *lane, struct settings *to)
{
	const struct shared *s = lane->shared;
	const struct partition *p = lane->partition;
	size_t layers = (size_t)s->model->layers, count = 0;
	to->layer = calloc(layers + 1, sizeof *to->layer);
	to->setting = calloc(layers * (size_t)(s->options * s->options) + 1, sizeof *to->setting);
	for (int l = 0; to->layer && to->setting && l < s->model->layers; l++) {
		int w = space_slot(l, HALF_WEIGHT), a = space_slot(l, HALF_ACTIVATION);
		const struct decision *weights = &p->decision[p->decision_of[w]], *activations = &p->decision[p->decision_of[a]];
		to->layer[l].setting = to->setting + count;
		for (int o = 0; o < weights->options; o++)
			for (int other = 0; other < activations->options; other++)
				if (weights->allowed >> o & 1 && activations->allowed >> other & 1 &&
					(weights != activations || o == other))
					to->setting[count++] = (struct layer_plan){
						space_format(s->space, w, o), space_format(s->space, a, other)};
		to->layer[l].count = (int)(to->setting + count - to->layer[l].setting);
	}
	return to->layer && to->setting;
}

// The networks that the partition allows, one after another; those of slots that rest come several times. Begins at the first,
// where `begin` is set. False: that was the last.
static bool next_network(const struct partition *p, bool begin, uint8_t *choice)
{
	for (int d = 0; d < p->decisions; d++) {
		const struct decision *its = &p->decision[d];
		if (!is_of(p, d, OF_ARCHITECTURE))
			continue;
		uint32_t behind = begin ? 0 : its->allowed & ~(uint32_t)((2ull << choice[its->first]) - 1);
		fix_option(p, choice, d, __builtin_ctz(behind ? behind : its->allowed));
		if (behind)
			return true;
	}
	return begin;
}

// What no choice allowed costs less than; 0: nothing is known.
static double least_of(const struct lane *lane, int term, const struct cost_settings *layer)
{
	enum { NETWORKS = 64 };
	const struct partition *p = lane->partition;
	double networks = 1, least = INFINITY, cost[ENGINE_TERMS];
	for (int d = 0; d < p->decisions; d++)
		networks *= is_of(p, d, OF_ARCHITECTURE) ? __builtin_popcount(p->decision[d].allowed) : 1;
	if (networks > NETWORKS)
		return 0;
	memcpy(lane->choice, lane->aim[term].cheapest, (size_t)p->space->slots);
	for (bool more = next_network(p, true, lane->choice); more; more = next_network(p, false, lane->choice)) {
		price_whole(lane, lane->choice, term, cost);
		least = fmin(least, pricer_least(lane->pricer, term, layer));
	}
	return least;
}

// Both ends of every term, by a pricer that knows them. What is decided together it does not know.
static bool fix_as_known(struct lane *lane)
{
	const struct partition *p = lane->partition;
	uint8_t *cheapest[ENGINE_TERMS], *dearest[ENGINE_TERMS];
	for (int t = 0; t < lane->shared->terms; t++) {
		cheapest[t] = lane->aim[t].cheapest;
		dearest[t] = lane->aim[t].dearest;
	}
	return p->decisions == p->space->slots &&
		pricer_ends(lane->pricer, p->allowed, lane->shared->term, lane->shared->terms, cheapest, dearest);
}

void lane_bounds(struct lane *lane)
{
	const struct shared *s = lane->shared;
	const bool known = fix_as_known(lane);
	struct settings settings;
	bool listed = list_settings(lane, &settings);
	for (int t = 0; t < s->terms; t++) {
		struct aim *aim = &lane->aim[t];
		const struct price *price = s->term[t].price;
		double cost[ENGINE_TERMS];
		if (!price) {
			aim->low = aim->high = aim->least = NAN;
			continue;
		}
		bool adds = price_adds(price);
		for (int dear = 0; dear < 2; dear++) {
			uint8_t *choice = dear ? aim->dearest : aim->cheapest;
			if (!known)
				(adds ? fix_exactly : fix_by_descent)(lane, t, dear ? -1 : 1, choice);
			*(dear ? &aim->high : &aim->low) = price_whole(lane, choice, t, cost);
		}
		double least = adds || known ? aim->low : listed ? least_of(lane, t, settings.layer) : 0;
		aim->least = least < aim->low * (1 - SAME) ? least : aim->low;
	}
	free(settings.layer);
	free(settings.setting);
}

// ---- targets ----

enum target_reach lane_reach(const struct lane *lane, int t)
{
	const struct aim *aim = &lane->aim[t];
	if (!(aim->target > 0) || !lane->shared->term[t].price)
		return TARGET_NONE;
	if (aim->target < aim->least * (1 - SAME))
		return TARGET_BELOW;
	if (aim->target < aim->low * (1 - SAME))
		return TARGET_BELOW_FOUND;
	return aim->target > aim->high * (1 + SAME) ? TARGET_ABOVE : TARGET_WITHIN;
}

void lane_reach_text(const struct lane *lane, int t, char *buf, size_t size)
{
	const struct aim *aim = &lane->aim[t];
	const char *unit;
	char least[ENGINE_TEXT], low[ENGINE_TEXT], high[ENGINE_TEXT];
	enum target_reach reach = lane_reach(lane, t);
	buf[0] = 0;
	if (reach <= TARGET_WITHIN) // as nearly always: this is asked at every step
		return;
	unit = price_unit(lane->shared->term[t].price);
	number_brief(aim->least, unit, least, sizeof least);
	number_brief(aim->low, unit, low, sizeof low);
	number_brief(aim->high, unit, high, sizeof high);
	switch (reach) {
	case TARGET_NONE:
	case TARGET_WITHIN: break;
	case TARGET_BELOW:
		if (aim->least < aim->low)
			snprintf(buf, size,
				"it cannot be met: no choice allowed costs less than %s, and the cheapest found costs %s", least,
				low);
		else
			snprintf(buf, size, "it cannot be met: the cheapest choice allowed costs %s", low);
		break;
	case TARGET_BELOW_FOUND:
		snprintf(buf, size, "no choice was found that meets it: the cheapest found costs %s", low);
		break;
	case TARGET_ABOVE: snprintf(buf, size, "every choice allowed costs less: the dearest found costs %s", high); break;
	}
}

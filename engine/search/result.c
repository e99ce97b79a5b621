// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/allocate.h"

static const double SAME = 1e-9;        // sums in another order differ in their last bits
static const double NEVER = 1e-30;      // stands for a probability of 0
enum { ROUNDS = 64, PARTIALS = 20000 }; // of repair; the most that an exact allocation keeps

// The most that a choice may cost by a term that counts.
static double budget_of(const struct aim *aim)
{
	return fmax(aim->target, aim->low) * (1 + SAME);
}

double result_excess(const struct lane *lane, const double cost[ENGINE_TERMS])
{
	double sum = 0;
	for (int t = 0; t < lane->shared->terms; t++)
		if (lane_counts(lane, t))
			sum += fmax(0, cost[t] / budget_of(&lane->aim[t]) - 1);
	return sum;
}

static double excess_of(const struct lane *lane, const uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	lane_costs(lane, choice, cost);
	return result_excess(lane, cost);
}

static bool allows(const struct decision *d, int option)
{
	return d->allowed >> option & 1;
}

static void fix_option(const struct lane *lane, int decision, int option, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		choice[i] = (uint8_t)option;
}

// ---- exact, where costs add up ----

// The one term that counts and adds up over decisions; -1: there is none.
static int only_term(const struct lane *lane)
{
	const int *of = lane->partition->decision_of;
	int only = -1;
	for (int t = 0; t < lane->shared->terms; t++) {
		if (!lane_counts(lane, t))
			continue;
		if (only >= 0 || !price_adds(lane->shared->term[t].price))
			return -1;
		only = t;
	}
	for (int l = 0; l < lane->shared->model->layers; l++)
		if (of[space_slot(l, HALF_WEIGHT)] != of[space_slot(l, HALF_ACTIVATION)])
			return -1;
	return only;
}

static double price_decision(const struct lane *lane, int term, int decision, int option)
{
	const struct partition *p = lane->partition;
	double sum = 0;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		if (i % HALVES == HALF_WEIGHT)
			sum += price_layer(lane->shared->term[term].price, space_layer(i), option, option);
	return sum;
}

// An option that is not allowed stands for the one before: which of equals an allocation takes does not matter.
static int stands_for(const struct decision *d, int option)
{
	if (option < d->options && allows(d, option))
		return option;
	uint32_t below = d->allowed & (uint32_t)((1ull << option) - 1);
	return below ? 31 - __builtin_clz(below) : __builtin_ctz(d->allowed);
}

static bool allocate(const struct lane *lane, int term, const double *lost, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	int options = lane->shared->options;
	struct allocation a;
	int *option = calloc((size_t)p->decisions, sizeof *option);
	bool ok = option && allocation_new(&a, p->decisions, options);
	for (int d = 0; ok && d < p->decisions; d++)
		for (int o = 0; o < options; o++) {
			int k = stands_for(&p->decision[d], o);
			a.cost[d * options + o] = price_decision(lane, term, d, k);
			a.lost[d * options + o] = lost[d * options + k];
		}
	ok = ok && allocate_exact(&a, budget_of(&lane->aim[term]), PARTIALS, option).found;
	for (int d = 0; ok && d < p->decisions; d++)
		fix_option(lane, d, stands_for(&p->decision[d], option[d]), choice);
	if (option)
		allocation_free(&a);
	free(option);
	return ok && excess_of(lane, choice) <= 0;
}

// ---- by repair ----

struct change_of {
	int decision, option;
	double lost, saved; // of the excess
};

static int by_price(const void *a, const void *b)
{
	const struct change_of *x = a, *y = b;
	double p = x->lost / x->saved, q = y->lost / y->saved;
	return p != q ? (p < q ? -1 : 1) : (x->decision > y->decision) - (x->decision < y->decision);
}

// Of a decision of the choice that the pricer holds, the change that loses least for what it saves. False: none saves.
static bool cheapest_change(const struct lane *lane, const double *lost, int decision, const uint8_t *choice, double excess,
	struct change_of *best)
{
	const struct decision *d = &lane->partition->decision[decision];
	const double *mine = lost + decision * lane->shared->options;
	double cost[SPACE_OPTIONS][ENGINE_TERMS];
	pricer_options(lane->pricer, lane->partition, decision, lane_counted(lane), cost);
	best->saved = 0;
	for (int o = 0; o < d->options; o++) {
		struct change_of c = {decision, o, mine[o] - mine[choice[d->first]], excess - result_excess(lane, cost[o])};
		if (allows(d, o) && c.saved > SAME && (!(best->saved > 0) || c.lost / c.saved < best->lost / best->saved))
			*best = c;
	}
	return best->saved > 0;
}

// Rounds of the cheapest changes, one a decision, until the targets are met. Together they save about what they save one by one.
static bool come_down(const struct lane *lane, const double *lost, struct change_of *room, uint8_t *choice)
{
	double excess = excess_of(lane, choice);
	for (int round = 0; excess > 0 && round < ROUNDS; round++) {
		int count = 0;
		double left = excess;
		for (int d = 0; d < lane->partition->decisions; d++)
			count += cheapest_change(lane, lost, d, choice, excess, &room[count]);
		qsort(room, (size_t)count, sizeof *room, by_price);
		for (int i = 0; i < count && left > 0; left -= room[i++].saved)
			fix_option(lane, room[i].decision, room[i].option, choice);
		if (!count)
			return false;
		excess = excess_of(lane, choice);
	}
	return excess <= 0;
}

static int by_gain(const void *a, const void *b)
{
	const struct change_of *x = a, *y = b;
	return x->lost != y->lost ? (x->lost < y->lost ? -1 : 1) : (x->decision > y->decision) - (x->decision < y->decision);
}

// Of a decision of the choice that the pricer holds, the change within the targets that loses least. False: none loses less than none.
static bool best_change(const struct lane *lane, const double *lost, int decision, const uint8_t *choice, struct change_of *best)
{
	const struct decision *d = &lane->partition->decision[decision];
	const double *mine = lost + decision * lane->shared->options;
	double cost[SPACE_OPTIONS][ENGINE_TERMS];
	*best = (struct change_of){decision, choice[d->first], 0, 0};
	if (!partition_there(lane->partition, decision, choice))
		return false;
	pricer_options(lane->pricer, lane->partition, decision, lane_counted(lane), cost);
	for (int o = 0; o < d->options; o++) {
		double more = mine[o] - mine[choice[d->first]];
		if (allows(d, o) && more < best->lost && result_excess(lane, cost[o]) <= 0)
			*best = (struct change_of){decision, o, more, 0};
	}
	return best->lost < 0;
}

// Changes that lose less within the targets, those that gain most first, until there are none.
static void go_up(const struct lane *lane, const double *lost, struct change_of *room, uint8_t *choice)
{
	bool changed = excess_of(lane, choice) <= 0;
	for (int round = 0; changed && round < ROUNDS; round++) {
		int count = 0;
		for (int d = 0; d < lane->partition->decisions; d++)
			count += best_change(lane, lost, d, choice, &room[count]);
		qsort(room, (size_t)count, sizeof *room, by_gain);
		changed = false;
		for (int i = 0; i < count; i++) {
			int before = choice[lane->partition->decision[room[i].decision].first];
			fix_option(lane, room[i].decision, room[i].option, choice);
			if (excess_of(lane, choice) <= 0) {
				changed = true;
				continue;
			}
			fix_option(lane, room[i].decision, before, choice);
			excess_of(lane, choice);
		}
	}
}

// The cheapest choice that is known, by any term that counts, which meets all targets.
static bool fall_back(const struct lane *lane, uint8_t *choice)
{
	for (int t = 0; t < lane->shared->terms; t++)
		if (lane_counts(lane, t) && excess_of(lane, lane->aim[t].cheapest) <= 0) {
			memcpy(choice, lane->aim[t].cheapest, (size_t)lane->shared->space->slots);
			return true;
		}
	return false;
}

static bool repair(const struct lane *lane, const double *lost, uint8_t *choice)
{
	struct change_of *room = calloc((size_t)lane->partition->decisions, sizeof *room);
	bool met = (room && come_down(lane, lost, room, choice)) || fall_back(lane, choice);
	if (met && room)
		go_up(lane, lost, room, choice);
	free(room);
	return met;
}

// ---- both ----

static bool within(const struct lane *lane, const double *lost, bool exact, uint8_t *choice)
{
	int term = exact ? only_term(lane) : -1;
	if (excess_of(lane, choice) <= 0 || (term >= 0 && allocate(lane, term, lost, choice)))
		return true;
	return repair(lane, lost, choice);
}

bool result_allocate(const struct lane *lane, const double *lost, bool exact, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int d = 0; d < p->decisions; d++) {
		const double *mine = lost + d * lane->shared->options;
		int best = __builtin_ctz(p->decision[d].allowed);
		for (int o = best; o < p->decision[d].options; o++)
			if (allows(&p->decision[d], o) && mine[o] < mine[best])
				best = o;
		fix_option(lane, d, best, choice);
	}
	return within(lane, lost, exact, choice);
}

// Targets out of reach among them, which `within` takes for the cheapest that can be had.
static bool meets(const struct lane *lane, const uint8_t *choice)
{
	double cost[ENGINE_TERMS];
	bool met = true;
	lane_costs(lane, choice, cost);
	for (int t = 0; t < lane->shared->terms; t++)
		met = met && (!lane_counts(lane, t) || cost[t] <= lane->aim[t].target * (1 + SAME));
	return met;
}

// What is left within the targets goes to what the additive model says is worth most.
static void spend_rest(const struct lane *lane, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	struct change_of *room = NULL;
	if (!lane_counted(lane) || !additive_follows(lane->additive, p) || !isfinite(additive_foretold(lane->additive)) ||
		!(room = calloc((size_t)p->decisions, sizeof *room)))
		return;
	additive_trusted(lane->additive, lane->value);
	for (int i = 0; i < p->decisions * lane->shared->options; i++)
		lane->value[i] = -lane->value[i];
	go_up(lane, lane->value, room, choice);
	free(room);
}

bool result_of(const struct lane *lane, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	memcpy(choice, lane->modal, (size_t)lane->shared->space->slots);
	for (int d = 0; d < p->decisions; d++)
		for (int o = 0; o < p->decision[d].options; o++)
			lane->value[d * lane->shared->options + o] = -log(fmax(NEVER,
				(double)policy_probabilities(lane->policy, d)[o]));
	pricer_mend(lane->pricer, p->allowed, choice);
	memcpy(lane->choice, choice, (size_t)lane->shared->space->slots);
	bool met = within(lane, lane->value, true, choice);
	if (met)
		spend_rest(lane, choice);
	if (pricer_mend(lane->pricer, p->allowed, choice))
		met = true; // as far as can be told before it is priced
	if (!pricer_possible(lane->pricer, choice) && pricer_possible(lane->pricer, lane->choice)) // rather one that can be
		memcpy(choice, lane->choice, (size_t)lane->shared->space->slots);
	return met && meets(lane, choice);
}

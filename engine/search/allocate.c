// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/graph.h"

// ---- the problem ----

bool allocation_new(struct allocation *a, int layers, int options)
{
	size_t n = (size_t)layers * (size_t)options;
	*a = (struct allocation){layers, options, calloc(n, sizeof *a->cost), calloc(n, sizeof *a->lost)};
	return a->cost && a->lost;
}

bool allocation_of(const struct model *m, const struct sensitivity *s, const struct cost *c, const int *formats, int count,
	struct allocation *a, struct fault *fault)
{
	*a = (struct allocation){0};
	if (!cost_adds(c))
		return fault_set(fault, cost_name(c), "choose bops, size or a table of latencies",
			"its price is not a sum over layers");
	for (int o = 0; o < count; o++)
		if (!sensitivity_answers(s, &formats[o], 1, fault) || !cost_answers(c, &formats[o], 1, fault))
			return false;
	struct layer_plan *layer = calloc((size_t)m->layers, sizeof *layer);
	bool ok = (layer && allocation_new(a, m->layers, count)) || fault_memory(fault, m->name);
	for (int l = 0; ok && l < m->layers; l++)
		for (int o = 0; o < count; o++) {
			layer[l] = (struct layer_plan){formats[o], formats[o]};
			a->cost[l * count + o] = cost_part(c, &(struct plan){.model = m, .layer = layer}, &l, 1);
			a->lost[l * count + o] = sensitivity_lost(s, l, layer[l]);
		}
	free(layer);
	if (!ok)
		allocation_free(a);
	return ok;
}

void allocation_free(struct allocation *a)
{
	free(a->cost);
	free(a->lost);
	*a = (struct allocation){0};
}

static struct allocated score(const struct allocation *a, double budget, const int *choice)
{
	struct allocated s = {.bound = -INFINITY};
	for (int l = 0; l < a->layers; l++) {
		s.cost += a->cost[l * a->options + choice[l]];
		s.lost += a->lost[l * a->options + choice[l]];
	}
	s.found = s.cost <= budget;
	return s;
}

// ---- uniform choices ----

static struct allocated even(const struct allocation *a, int ends, double budget, int *choice)
{
	struct allocated best = {.bound = -INFINITY};
	int option = 0;
	for (int o = 0; o <= a->options; o++) { // the last time round: fill in the best
		for (int l = 0; l < a->layers; l++)
			choice[l] = ends >= 0 && (l == 0 || l == a->layers - 1) ? ends : o < a->options ? o : option;
		struct allocated s = score(a, budget, choice);
		if (s.found && o < a->options && (!best.found || s.lost < best.lost)) {
			best = s;
			option = o;
		}
	}
	return best;
}

struct allocated allocate_uniform(const struct allocation *a, double budget, int *choice)
{
	return even(a, -1, budget, choice);
}

struct allocated allocate_ends(const struct allocation *a, int ends, double budget, int *choice)
{
	return even(a, ends, budget, choice);
}

// ---- greedy ----

// The option of a layer with the least loss + multiplier * cost; of equal ones the cheapest.
static int best_option(const struct allocation *a, int layer, double multiplier)
{
	const double *cost = a->cost + layer * a->options, *lost = a->lost + layer * a->options;
	int best = 0;
	for (int o = 1; o < a->options; o++) {
		double d = lost[o] + multiplier * cost[o] - lost[best] - multiplier * cost[best];
		if (d < 0 || (d == 0 && cost[o] < cost[best]))
			best = o;
	}
	return best;
}

struct allocated allocate_greedy(const struct allocation *a, double budget, int *choice)
{
	for (int l = 0; l < a->layers; l++)
		choice[l] = best_option(a, l, 0);
	for (;;) {
		struct allocated s = score(a, budget, choice);
		int layer = -1, option = 0;
		double least = INFINITY;
		for (int l = 0; !s.found && l < a->layers; l++)
			for (int o = 0; o < a->options; o++) {
				double saved = a->cost[l * a->options + choice[l]] - a->cost[l * a->options + o];
				double lost = a->lost[l * a->options + o] - a->lost[l * a->options + choice[l]];
				if (saved > 0 && lost / saved < least) {
					least = lost / saved;
					layer = l;
					option = o;
				}
			}
		if (layer < 0)
			return s;
		choice[layer] = option;
	}
}

// ---- exact ----

// min over all choices of loss + multiplier * (cost - budget): no choice within the budget loses less, if the multiplier is not
// negative. The choice that attains it.
static struct allocated relaxed(const struct allocation *a, double budget, double multiplier, int *choice)
{
	for (int l = 0; l < a->layers; l++)
		choice[l] = best_option(a, l, multiplier);
	struct allocated s = score(a, budget, choice);
	s.bound = s.lost + multiplier * (s.cost - budget);
	return s;
}

// A partial choice: options of the layers so far.
struct partial {
	double cost, lost;
	int parent, option; // the partial choice it extends, among those of the layer before
};

static int by_cost(const void *a, const void *b)
{
	const struct partial *x = a, *y = b;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return (x->lost > y->lost) - (x->lost < y->lost);
}

// The layers that are still to come, from each on.
struct rest {
	double cost;  // the least that they cost
	double bound; // the least loss + multiplier * cost
};

// Extends every partial choice by a layer; keeps those that stay within the budget and may lose less than `known`, and of them
// those that no other beats.
static long extend(const struct allocation *a, int layer, const struct partial *from, long count, double budget,
	double multiplier, struct rest rest, double known, struct partial *to)
{
	long made = 0, kept = 0;
	double room = rest.cost > 0 ? budget * (1 + 1e-12) - rest.cost
				    : budget; // sums in another order may differ in their last bits
	for (long i = 0; i < count; i++)
		for (int o = 0; o < a->options; o++) {
			struct partial p = {from[i].cost + a->cost[layer * a->options + o],
				from[i].lost + a->lost[layer * a->options + o], (int)i, o};
			if (p.cost <= room && p.lost + multiplier * (p.cost - budget) + rest.bound < known)
				to[made++] = p;
		}
	qsort(to, (size_t)made, sizeof *to, by_cost);
	for (long i = 0; i < made; i++)
		if (!kept || to[i].lost < to[kept - 1].lost)
			to[kept++] = to[i];
	return kept;
}

// The multiplier whose bound is the largest: bisection on which side of the budget its choice lies.
static double best_multiplier(const struct allocation *a, double budget, int *choice)
{
	double low = 0, high = 1;
	for (int i = 0; i < 1000 && !relaxed(a, budget, high, choice).found; i++)
		high *= 4;
	for (int i = 0; i < 200; i++) {
		double middle = i < 100 && low > 0 ? sqrt(low * high) : (low + high) / 2;
		if (relaxed(a, budget, middle, choice).found)
			high = middle;
		else
			low = middle;
	}
	return high;
}

// Fills in a better choice than one that loses `known`, if there is one; false where that would take too much.
static bool improve(const struct allocation *a, double budget, double multiplier, double known, long most, int *choice,
	struct rest *rest, struct partial **at)
{
	long count = 1;
	at[0] = calloc(1, sizeof **at);
	for (int l = a->layers - 1; l >= 0; l--) {
		int o = best_option(a, l, multiplier);
		double cheapest = INFINITY;
		for (int k = 0; k < a->options; k++)
			cheapest = fmin(cheapest, a->cost[l * a->options + k]);
		rest[l].bound = rest[l + 1].bound + a->lost[l * a->options + o] + multiplier * a->cost[l * a->options + o];
		rest[l].cost = rest[l + 1].cost + cheapest;
	}
	for (int l = 0; l < a->layers; l++) {
		at[l + 1] = at[l] ? malloc((size_t)count * (size_t)a->options * sizeof **at + 1) : NULL;
		if (!at[l + 1])
			return false;
		count = extend(a, l, at[l], count, budget, multiplier, rest[l + 1], known, at[l + 1]);
		if (count > most)
			return false;
		struct partial *less = realloc(at[l + 1], (size_t)count * sizeof **at + 1);
		at[l + 1] = less ? less : at[l + 1];
	}
	// Of the whole choices left, by growing cost and falling loss, the last.
	for (long l = a->layers, i = count - 1; count && l > 0; l--) {
		choice[l - 1] = at[l][i].option;
		i = at[l][i].parent;
	}
	return true;
}

struct allocated allocate_exact(const struct allocation *a, double budget, long most, int *choice)
{
	struct allocated best = relaxed(a, budget, 0, choice), greedy = allocate_greedy(a, budget, choice), even_price;
	if (best.found || !greedy.found) { // the choice that loses least, where greedy starts; or none
		greedy.bound = greedy.lost;
		return greedy;
	}
	best = greedy;
	size_t layers = (size_t)a->layers;
	int *other = calloc(layers + 1, sizeof *other);
	struct rest *rest = calloc(layers + 1, sizeof *rest);
	struct partial **at = calloc(layers + 1, sizeof *at);
	if (other && rest && at) {
		double multiplier = best_multiplier(a, budget, other);
		even_price = relaxed(a, budget, multiplier, other);
		if (even_price.found && even_price.lost < best.lost) {
			best = even_price;
			memcpy(choice, other, layers * sizeof *choice);
		}
		bool proven = improve(a, budget, multiplier, best.lost, most > 0 ? most : 100000, choice, rest, at);
		best = score(a, budget, choice);
		best.bound = proven ? best.lost : fmin(best.lost, even_price.bound);
	}
	for (size_t l = 0; at && l <= layers; l++)
		free(at[l]);
	free(at);
	free(rest);
	free(other);
	return best;
}

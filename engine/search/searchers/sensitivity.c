// SPDX-License-Identifier: GPL-3.0-or-later
// What post-training tools do, within the steps of a search: the network is trained in its widest formats up to a share of the
// horizon (`choose-at`); then every decision is given each narrower option, one at a time, and what that loses on held-out images is
// measured; formats are allocated by that table under the target; and what is left of the steps trains the choice. The rows differ in
// the allocation:
//   greedy: from the widest, always the change that loses least per cost saved
//   exact:  the best there is by the table
//   list:   as AIMET's mixed precision: all pairs of decision and option in a list by what they lose, taken in turn as far as it takes;
//           the place is found by bisection
//   gradient: as exact, but the table is not measured: half the sum of the squares of gradient times rounding error, over weights and
//           input activations, as the steps before showed it (Fisher's term; tools that score formats by gradients do likewise)
//   hessian: as exact, but the table is HAWQ's Omega (HAWQ-V2, arXiv 1911.03852): the mean trace of the Hessian in a layer's weights
//           times the squared error of rounding them, by `hessian-vectors` steps. It says nothing of activations: where they are
//           decided apart, they are taken to be as sensitive as the weights of their layer
// The table is of decisions: where these change it is measured again. A term whose costs do not add up over layers, and further terms, are
// met by what comes after: single decisions become narrower until they are.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/search/allocate.h"
#include "engine/search/searcher.h"
#include "engine/search/searchers/choices.h"

enum { PASSES = 4 }; // how often each is measured, each time on other images

typedef void allocate_by(const struct lane *, const struct allocation *, int term, int *option);

enum means { BY_QUALITY, BY_GRADIENT, BY_HESSIAN };

struct table {
	allocate_by *allocate;
	enum means means; // what the table comes from
	long decisions;   // that the table is of
	long next;        // how many measurements were made, or vectors taken
	float *lost;      // [slots][options]: the sum over passes, or vectors, of what quality falls by, or what is lost
	uint8_t *choice;
	// What the choice was made for, worked out anew in each process.
	bool chosen;
	double goal[ENGINE_TERMS];
	unsigned long allowed;
};

// ---- what is measured ------------------------------------------------------------------------------------------------

static int widest(const struct decision *d)
{
	int o = d->options - 1;
	while (!(d->allowed >> o & 1))
		o--;
	return o;
}

// The n-th pair of a decision and an option other than its widest: false, there are no more.
static bool pair_at(const struct lane *lane, long n, int *decision, int *option)
{
	const struct partition *p = lane->partition;
	for (int i = 0; i < p->decisions; i++)
		for (int o = 0; o < p->decision[i].options; o++)
			if (p->decision[i].allowed >> o & 1 && o != widest(&p->decision[i]) && n-- == 0) {
				*decision = i;
				*option = o;
				return true;
			}
	return false;
}

static long pairs(const struct lane *lane)
{
	long n = 0;
	for (int d, o; pair_at(lane, n, &d, &o);)
		n++;
	return n;
}

static float *lost_at(const struct lane *lane, const struct table *m, int decision, int option)
{
	return m->lost + decision * lane->shared->options + option;
}

static bool time_to_choose(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	return (double)s->step >= s->knobs.choose_at * (double)s->horizon;
}

// How many measurements, or vectors, it takes.
static long needed(const struct lane *lane, const struct table *m)
{
	return m->means == BY_HESSIAN ? lane->shared->knobs.hessian_vectors : PASSES * pairs(lane);
}

static bool table_full(const struct lane *lane, const struct table *m)
{
	return m->decisions == lane->partition->decisions && m->next >= needed(lane, m);
}

static bool time_to_measure(const struct lane *lane, const struct table *m)
{
	return time_to_choose(lane) && !table_full(lane, m);
}

// ---- what is made of it ----------------------------------------------------------------------------------------------

// The term to allocate by: the first that counts; -1: none does, and the widest it is.
static int term_of(const struct lane *lane)
{
	uint32_t counted = lane_counted(lane);
	for (int t = 0; t < lane->shared->terms; t++)
		if (counted >> t & 1)
			return t;
	return -1;
}

static void greedy(const struct lane *lane, const struct allocation *a, int term, int *option)
{
	allocate_greedy(a, lane_goal(&lane->aim[term]), option);
}

static void exact(const struct lane *lane, const struct allocation *a, int term, int *option)
{
	allocate_exact(a, lane_goal(&lane->aim[term]), 0, option);
}

struct pair {
	int decision, option;
	double lost;
};

static int by_loss(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	if (p->lost != q->lost)
		return p->lost < q->lost ? -1 : 1;
	return p->decision != q->decision ? p->decision - q->decision : q->option - p->option;
}

// The widest options, and of the list so many: each makes its decision narrower, or does nothing.
static double take_pairs(const struct allocation *a, const struct lane *lane, const struct pair *pair, long count, int *option)
{
	double cost = 0;
	for (int i = 0; i < a->layers; i++)
		option[i] = widest(&lane->partition->decision[i]);
	for (long n = 0; n < count; n++)
		if (pair[n].option < option[pair[n].decision])
			option[pair[n].decision] = pair[n].option;
	for (int i = 0; i < a->layers; i++)
		cost += a->cost[i * a->options + option[i]];
	return cost;
}

static void list(const struct lane *lane, const struct allocation *a, int term, int *option)
{
	long count = pairs(lane), low = 0, high = count;
	struct pair *pair = calloc((size_t)count + 1, sizeof *pair);
	for (long n = 0; pair && n < count; n++) {
		pair_at(lane, n, &pair[n].decision, &pair[n].option);
		pair[n].lost = a->lost[pair[n].decision * a->options + pair[n].option];
	}
	if (pair)
		qsort(pair, (size_t)count, sizeof *pair, by_loss);
	while (pair && low < high) {
		long middle = (low + high) / 2;
		if (take_pairs(a, lane, pair, middle, option) <= lane_goal(&lane->aim[term]))
			high = middle;
		else
			low = middle + 1;
	}
	take_pairs(a, lane, pair, pair ? low : 0, option);
	free(pair);
}

// Costs of decisions around the widest choice, and what the table says they lose. What is not allowed is out of the question.
static bool fill_allocation(const struct lane *lane, const struct table *m, int term, struct allocation *a)
{
	static const double NEVER = 1e30;
	const struct partition *p = lane->partition;
	double whole[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS];
	size_t cells = (size_t)p->decisions * (size_t)lane->shared->options;
	*a = (struct allocation){
		p->decisions, lane->shared->options, calloc(cells, sizeof *a->cost), calloc(cells, sizeof *a->lost)};
	if (!a->cost || !a->lost) {
		allocation_free(a);
		return false;
	}
	choice_even(lane, lane->shared->options - 1, lane->choice);
	lane_costs(lane, lane->choice, whole);
	for (int i = 0; i < p->decisions; i++) {
		pricer_options(lane->pricer, p, i, 1u << term, cost);
		for (int o = 0; o < a->options; o++) {
			bool may = o < p->decision[i].options && p->decision[i].allowed >> o & 1;
			a->cost[i * a->options + o] = may ? cost[o][term] - whole[term] + whole[term] / p->decisions : NEVER;
			double lost = (double)*lost_at(lane, m, i, o);
			a->lost[i * a->options + o] = !may ? NEVER : m->means == BY_HESSIAN ? fmax(0, lost) : lost;
		}
	}
	return true;
}

static unsigned long allowed_now(const struct lane *lane)
{
	const struct partition *p = lane->partition;
	unsigned long crc = crc32_z(0, (const Bytef *)p->decision_of, (size_t)p->space->slots * sizeof *p->decision_of);
	for (int i = 0; i < p->decisions; i++)
		crc = crc32_z(crc, (const Bytef *)&p->decision[i].allowed, sizeof p->decision[i].allowed);
	return crc;
}

static bool ground_moved(const struct lane *lane, const struct table *m)
{
	if (m->allowed != allowed_now(lane))
		return true;
	for (int t = 0; t < lane->shared->terms; t++)
		if (m->goal[t] != (lane_counts(lane, t) ? lane_goal(&lane->aim[t]) : 0))
			return true;
	return false;
}

// The choice by the table for what is allowed and asked for now; worked out where that has changed.
static void choose(const struct lane *lane, struct table *m)
{
	const struct partition *p = lane->partition;
	struct allocation a;
	int term = term_of(lane);
	if (m->chosen && !ground_moved(lane, m))
		return;
	choice_even(lane, lane->shared->options - 1, m->choice);
	int *option = term >= 0 ? calloc((size_t)p->decisions, sizeof *option) : NULL;
	if (option && fill_allocation(lane, m, term, &a)) {
		m->allocate(lane, &a, term, option);
		for (int i = 0; i < p->decisions; i++)
			m->choice[p->decision[i].first] = (uint8_t)option[i];
		choice_allow(lane, m->choice);
		allocation_free(&a);
	}
	free(option);
	if (!choice_within(lane, m->choice))
		choice_fit(lane, 0, m->choice);
	for (int t = 0; t < lane->shared->terms; t++)
		m->goal[t] = lane_counts(lane, t) ? lane_goal(&lane->aim[t]) : 0;
	m->allowed = allowed_now(lane);
	m->chosen = true;
}

// ---- the searcher ----------------------------------------------------------------------------------------------------

static void best(const struct lane *lane, uint8_t *choice)
{
	struct table *m = lane->memory;
	if (!time_to_choose(lane) || !table_full(lane, m)) {
		choice_even(lane, lane->shared->options - 1, choice);
		return;
	}
	choose(lane, m);
	memcpy(choice, m->choice, (size_t)lane->shared->space->slots);
}

// The table is of other decisions: it begins anew.
static void begin_table(const struct lane *lane, struct table *m)
{
	m->decisions = lane->partition->decisions;
	m->next = 0;
	m->chosen = false;
	memset(m->lost, 0, (size_t)lane->shared->space->slots * (size_t)lane->shared->options * sizeof *m->lost);
}

// The widest choice, and it with one decision changed after another.
static int propose(const struct lane *lane, uint8_t *choice)
{
	struct table *m = lane->memory;
	const struct partition *p = lane->partition;
	const size_t slots = (size_t)p->space->slots;
	int count = 1, decision, option;
	if (m->means != BY_QUALITY || !time_to_measure(lane, m))
		return 0;
	if (m->decisions != p->decisions)
		begin_table(lane, m);
	choice_even(lane, lane->shared->options - 1, choice);
	long all = pairs(lane), from = m->next % all;
	for (; count < SEARCH_SAMPLES && pair_at(lane, from + count - 1, &decision, &option); count++) {
		uint8_t *changed = choice + (size_t)count * slots;
		memcpy(changed, choice, slots);
		changed[p->decision[decision].first] = (uint8_t)option;
		partition_spread(p, changed);
	}
	return count;
}

// Fills the table with what the gradients of the steps so far say.
static bool take_gradients(struct lane *lane, struct table *m, struct fault *fault)
{
	double worth[SPACE_OPTIONS];
	int decision, option;
	if (!additive_has_hints(lane->additive))
		return fault_set(fault, "searcher",
			"choose sensitivity-exact, which measures; or train here, with additive=control or alone",
			"sensitivity-gradient goes by gradients, and this search has none");
	begin_table(lane, m);
	for (; pair_at(lane, m->next, &decision, &option); m->next++) {
		additive_hinted(lane->additive, decision, worth);
		*lost_at(lane, m, decision,
			option) = (float)(worth[widest(&lane->partition->decision[decision])] - worth[option]);
	}
	m->next *= PASSES;
	return true;
}

// Whether the trace of a layer can be read off one vector more.
static bool curves(const struct lane *lane)
{
	return time_to_measure(lane, lane->memory);
}

// Adds a vector's sample of Omega. Where a sum is below 0 in the end, so is the trace: see fill_allocation.
static bool take_curvature(struct lane *lane, struct table *m, const double *curved, struct fault *fault)
{
	const struct partition *p = lane->partition;
	const int options = lane->shared->options;
	if (!curved)
		return fault_set(fault, "searcher", "choose sensitivity-exact, which measures; or train here, with data=FOLDER",
			"sensitivity-hessian goes by the Hessian of a network that is trained, and here none is");
	if (m->decisions != p->decisions)
		begin_table(lane, m);
	for (int i = 0; i < p->space->slots; i++)
		for (int d = p->decision_of[i], o = 0; o < p->decision[d].options; o++)
			*lost_at(lane, m, d, o) += (float)curved[i * options + o];
	m->next++;
	return true;
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	struct table *m = lane->memory;
	double mean;
	int decision, option;
	bool now = time_to_measure(lane, m);
	if (m->means == BY_GRADIENT && now && !take_gradients(lane, m, fault))
		return false;
	if (m->means == BY_HESSIAN && now && !take_curvature(lane, m, lesson->lost, fault))
		return false;
	if (lesson->count) {
		if (!lesson_mean(lane, lesson, &mean, fault))
			return false;
		long from = m->next % pairs(lane);
		for (int i = 1; i < lesson->count; i++, m->next++)
			if (pair_at(lane, from + i - 1, &decision, &option))
				*lost_at(lane, m, decision, option) += (float)(lesson->quality[0] - lesson->quality[i]);
		lesson_fared(lane, lesson, mean);
	}
	best(lane, lane->choice + lane->shared->space->slots);
	choice_point(lane, lane->choice + lane->shared->space->slots);
	return true;
}

static void path(const struct lane *lane, uint8_t *choice)
{
	best(lane, choice);
}

// What it has taken, or takes, beside the steps of training.
static void says(const struct lane *lane, char *buf, size_t size)
{
	static const char *const what[] = {[BY_QUALITY] = "one-layer changes, each on held-out images",
		[BY_GRADIENT] = "changes, by gradients alone",
		[BY_HESSIAN] = "vectors, each two passes forward and back"};
	const struct table *m = lane->memory;
	long choose = (long)ceil(lane->shared->knobs.choose_at * (double)lane->shared->horizon);
	if (!time_to_choose(lane))
		snprintf(buf, size, "the widest formats train until step %ld, then it chooses", choose);
	else if (!table_full(lane, m))
		snprintf(buf, size, "measuring: %ld of %ld %s", m->decisions == lane->partition->decisions ? m->next : 0,
			needed(lane, m), what[m->means]);
	else
		snprintf(buf, size, "it has chosen, by %ld %s", m->next, what[m->means]);
}

// ---- what it keeps ---------------------------------------------------------------------------------------------------

static void forget(struct lane *lane)
{
	struct table *m = lane->memory;
	free(m->lost);
	free(m->choice);
	free(m);
	lane->memory = NULL;
}

static bool open(struct lane *lane, allocate_by *allocate, struct fault *fault)
{
	struct table *m = calloc(1, sizeof *m);
	size_t slots = (size_t)lane->shared->space->slots;
	if (!m)
		return fault_memory(fault, "search");
	lane->memory = m;
	m->allocate = allocate;
	m->lost = calloc(slots * (size_t)lane->shared->options, sizeof *m->lost);
	m->choice = calloc(slots, 1);
	return (m->lost && m->choice) || fault_memory(fault, "search");
}

static bool open_greedy(struct lane *lane, struct fault *fault)
{
	return open(lane, greedy, fault);
}

static bool open_exact(struct lane *lane, struct fault *fault)
{
	return open(lane, exact, fault);
}

static bool open_list(struct lane *lane, struct fault *fault)
{
	return open(lane, list, fault);
}

static bool open_gradient(struct lane *lane, struct fault *fault)
{
	if (!open(lane, exact, fault))
		return false;
	((struct table *)lane->memory)->means = BY_GRADIENT;
	return true;
}

static bool open_hessian(struct lane *lane, struct fault *fault)
{
	if (!open(lane, exact, fault))
		return false;
	((struct table *)lane->memory)->means = BY_HESSIAN;
	return true;
}

enum { NUMBERS = 2 };
static void list_state(const struct lane *lane, struct state_number number[NUMBERS], struct state_array *array)
{
	struct table *m = lane->memory;
	number[0] = (struct state_number){"sensitivity.decisions", .whole = &m->decisions};
	number[1] = (struct state_number){"sensitivity.made", .whole = &m->next};
	*array = (struct state_array){"sensitivity.lost", m->lost, (long)lane->shared->space->slots * lane->shared->options};
}

static bool save(const struct lane *lane, const char *prefix, struct state *out, struct fault *fault)
{
	struct state_number number[NUMBERS];
	struct state_array array;
	list_state(lane, number, &array);
	if (!state_say_numbers(out, number, NUMBERS, prefix, NULL))
		return fault_memory(fault, "checkpoint");
	return state_add_arrays(out, &array, 1, prefix, fault);
}

static bool restore(struct lane *lane, const char *prefix, const struct state *in, struct fault *fault)
{
	struct state_number number[NUMBERS];
	struct state_array array;
	list_state(lane, number, &array);
	if (!state_read_numbers(in, number, NUMBERS, prefix, NULL, fault) || !state_read_arrays(in, &array, 1, prefix, fault))
		return false;
	const struct table *m = lane->memory;
	return (m->decisions >= 0 && m->next >= 0) || state_damaged(fault, "sensitivity.made");
}

#define ROW(suffix, asks)                                                                                                        \
	const struct searcher searcher_sensitivity_##suffix = {.name = "sensitivity-" #suffix,                                   \
		.formats_only = true,                                                                                            \
		.path = path,                                                                                                    \
		.propose = propose,                                                                                              \
		.learn = learn,                                                                                                  \
		.best = best,                                                                                                    \
		.open = open_##suffix,                                                                                           \
		.close = forget,                                                                                                 \
		.save = save,                                                                                                    \
		.restore = restore,                                                                                              \
		.curves = asks,                                                                                                  \
		.says = says}
ROW(greedy, NULL);
ROW(exact, NULL);
ROW(list, NULL);
ROW(gradient, NULL);
ROW(hessian, curves);

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/lane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/search/result.h"
#include "engine/search/searcher.h"
#include "engine/search/settings.h"
#include "engine/tensor/rng.h"

enum { VERSION = 2 };

// start=wide: the widest of seven options has about half of the probability.
static const double LEAN = 4;
// The least entropy that a new lane begins with. What a settled policy says of the options it gave up is hardly more than noise: on the
// table of resnet18, lanes added at half of 3000 steps ended at 67.6, 65.9 and 65.2 % (0.6x, 0.4x, 0.25x of the cost) where they went on
// from it as it was, at 67.9, 67.1 and 66.0 from an entropy of 0.5, at 69.8, 69.2 and 68.1 from this one; 70.3, 69.5 and 67.9 where they
// were there from the start.
static const double WARM = 0.999;

static const double PACE = 16; // so many times fewer steps at most

// ---- opening ----

static bool make_rooms(struct lane *lane)
{
	const struct shared *s = lane->shared;
	size_t slots = (size_t)s->space->slots, options = (size_t)s->options;
	lane->modal = calloc(slots, 1);
	lane->result = calloc(slots, 1);
	lane->choice = calloc(LANE_CHOICES * slots, 1);
	lane->value = calloc(slots * options, sizeof *lane->value);
	lane->answer = calloc((ENGINE_TERMS + 3) * slots * options, sizeof *lane->answer);
	lane->bounds = calloc(2 * ENGINE_TERMS * slots, 1);
	lane->own = calloc(slots, sizeof *lane->own);
	for (int i = 0; lane->own && i < s->space->slots; i++)
		lane->own[i] = space_all(s->space, i);
	for (int t = 0; t < ENGINE_TERMS; t++)
		lane->aim[t].sampled = NAN;
	lane->loss = lane->accuracy = lane->variance = lane->variance_left = NAN;
	return lane->own && lane->modal && lane->result && lane->choice && lane->value && lane->answer && lane->bounds;
}

static void close_searcher(struct lane *lane)
{
	if (lane->searcher && lane->searcher->close && lane->memory)
		lane->searcher->close(lane);
	lane->memory = NULL;
}

static bool open_searcher(struct lane *lane, const struct searcher *searcher, struct fault *fault)
{
	if (!searcher_serves(searcher, lane->shared->space, fault))
		return false;
	close_searcher(lane);
	lane->searcher = searcher;
	return !searcher->open || searcher->open(lane, fault);
}

bool lane_take_searcher(struct lane *lane, struct fault *fault)
{
	const struct searcher *wanted = searchers[lane->wishes.searcher];
	return wanted == lane->searcher || open_searcher(lane, wanted, fault);
}

bool lane_open(struct lane *lane, const char *name, const struct shared *s, struct fault *fault)
{
	struct last *last = &lane->last;
	lane->shared = s;
	snprintf(lane->name, sizeof lane->name, "%s", name);
	if (!(lane->partition = partition_new(s->space, fault)) || !(lane->wanted = partition_new(s->space, fault)) ||
		!(last->partition = partition_new(s->space, fault)))
		return false;
	lane->partition->split = s->knobs.decide == DECIDE_SPLIT;
	partition_derive(lane->partition, NULL);
	if (!(lane->policy = policy_new(lane->partition, fault)) || !(last->policy = policy_new(last->partition, fault)) ||
		!(lane->pricer = prices_pricer(s->prices, fault)) || !(lane->additive = additive_new(lane->partition, fault)))
		return false;
	if (s->knobs.start == START_WIDE)
		policy_lean(lane->policy, LEAN);
	return (make_rooms(lane) || fault_memory(fault, "search")) && open_searcher(lane, searchers[s->knobs.searcher], fault);
}

void lane_close(struct lane *lane)
{
	close_searcher(lane);
	policy_free(lane->policy);
	policy_free(lane->last.policy);
	partition_free(lane->partition);
	partition_free(lane->wanted);
	partition_free(lane->last.partition);
	pricer_free(lane->pricer);
	additive_free(lane->additive);
	free(lane->modal);
	free(lane->result);
	free(lane->choice);
	free(lane->value);
	free(lane->answer);
	free(lane->bounds);
	free(lane->own);
	*lane = (struct lane){0};
}

void lane_follow(struct lane *lane, const struct lane *from)
{
	struct last *last = &lane->last;
	lane->begun = lane->shared->step;
	lane->wishes = from->wishes;
	memcpy(lane->own, from->own, (size_t)lane->shared->space->slots * sizeof *lane->own);
	partition_copy(lane->partition, from->partition);
	policy_copy(lane->policy, from->policy, lane->partition);
	policy_warm(lane->policy, WARM);
	additive_copy(lane->additive, from->additive);
	partition_copy(last->partition, from->partition);
	policy_copy(last->policy, lane->policy, last->partition);
	additive_follow(lane->additive, lane->partition, lane->shared->by_loss); // a change of `from` may be fresh
	last->kept = true;
	last->terms = 0; // no aim was met or missed
	last->knobs = lane->shared->knobs;
	last->knobs.terms = 0;
}

double lane_pace(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	double whole = (double)(s->horizon - s->warmup),
	       mine = (double)(s->horizon - (lane->begun > s->warmup ? lane->begun : s->warmup));
	return sqrt(fmin(PACE, s->lanes * (mine > 0 && whole > 0 ? whole / mine : 1)));
}

void lane_knobs(const struct lane *lane, struct knobs *knobs)
{
	*knobs = lane->shared->knobs;
	knobs_join(knobs, &lane->wishes);
}

// `what` as this lane calls it, in states and random streams. The first lane's names stand alone.
static const char *own_name(const struct lane *lane, const char *what, char name[STATE_KEY])
{
	snprintf(name, STATE_KEY, "%s%s%s%s", lane->name[0] ? "lane." : "", lane->name, lane->name[0] ? "." : "", what);
	return name;
}

static const char *part_name(const struct lane *lane, char name[STATE_KEY])
{
	snprintf(name, STATE_KEY, "lane%s%s", lane->name[0] ? "." : "", lane->name);
	return name;
}

uint64_t lane_key(const struct lane *lane, const char *purpose)
{
	char name[STATE_KEY];
	return rng_key((uint64_t)lane->shared->knobs.seed, own_name(lane, purpose, name), (uint64_t)lane->shared->step);
}

void lane_costs(const struct lane *lane, const uint8_t *choice, double *cost)
{
	pricer_take(lane->pricer, lane->shared->term, lane->shared->terms, choice, cost);
}

// ---- what it aims at ----

void lane_take_aims(struct lane *lane, const struct aim *aim, uint32_t same)
{
	for (int t = 0; t < lane->shared->terms; t++) {
		struct aim *mine = &lane->aim[t];
		double sampled = same >> t & 1 ? mine->sampled : (double)NAN;
		*mine = aim[t];
		mine->sampled = sampled;
		mine->cheapest = lane->bounds + 2 * t * lane->shared->space->slots;
		mine->dearest = mine->cheapest + lane->shared->space->slots;
	}
	lane_bounds(lane);
}

uint32_t lane_counted(const struct lane *lane)
{
	uint32_t terms = 0;
	for (int t = 0; t < lane->shared->terms; t++)
		terms |= (uint32_t)lane_counts(lane, t) << t;
	return terms;
}

// Of a reward that is a sum.
static double penalty(int reward, double weight, double over)
{
	return -weight * (reward == REWARD_RELU ? fmax(0, over) : fabs(over));
}

double lane_penalty(const struct lane *lane, const double *cost)
{
	double r = 0;
	for (int t = 0; t < lane->shared->terms; t++)
		if (lane_counts(lane, t))
			r += penalty(lane->shared->knobs.reward, lane->aim[t].weight, cost[t] / lane_goal(&lane->aim[t]) - 1);
	return r;
}

double snapshot_penalty(const struct snapshot *s, const double cost[ENGINE_TERMS])
{
	int reward = config_knobs(s->settings)->reward;
	double r = 0;
	for (int t = 0; t < s->terms; t++) {
		const struct term_state *term = &s->term[t];
		double goal = fmin(fmax(term->target, term->low), term->high); // as lane_goal
		if (term->weight > 0 && term->targeted)
			r += penalty(reward, term->weight, cost[t] / goal - 1);
	}
	return reward == REWARD_MNAS ? (double)NAN : r;
}

double lane_reward(const struct lane *lane, const double *cost, double quality)
{
	const struct shared *s = lane->shared;
	if (s->knobs.reward != REWARD_MNAS)
		return quality + lane_penalty(lane, cost);
	double r = s->by_loss ? exp(quality) : quality;
	for (int t = 0; t < s->terms; t++)
		if (lane_counts(lane, t))
			r *= pow(cost[t] / lane_goal(&lane->aim[t]), -lane->aim[t].weight);
	return r;
}

// ---- steps ----

void lane_begin_step(struct lane *lane, const uint8_t *path)
{
	struct record *r = &lane->record;
	double cost[ENGINE_TERMS];
	lane->last.kept = false;
	additive_follow(lane->additive, lane->partition, lane->shared->by_loss);
	lane_costs(lane, path, cost);
	for (int t = 0; t < ENGINE_TERMS; t++)
		r->cost[t] = (float)cost[t];
	r->quality = r->reward = r->loss = r->accuracy = r->learning_rate = NAN;
}

void lane_trained(struct lane *lane, double loss, double accuracy, double rate)
{
	lane->record.loss = (float)loss;
	lane->record.accuracy = (float)accuracy;
	lane->record.learning_rate = (float)rate;
	lane->loss = smoothed(lane->loss, loss);
	lane->accuracy = smoothed(lane->accuracy, accuracy);
}

void lane_fared(struct lane *lane, int count, double (*cost)[ENGINE_TERMS], double quality, double reward, double advantage)
{
	struct record *r = &lane->record;
	bool first = !lane->has_quality;
	memset(r->cost, 0, sizeof r->cost);
	for (int i = 0; i < count; i++)
		for (int t = 0; t < ENGINE_TERMS; t++)
			r->cost[t] += (float)(cost[i][t] / count);
	r->quality = (float)quality;
	r->reward = (float)reward;
	lane->quality = smoothed(first ? (double)NAN : lane->quality, quality);
	lane->reward = smoothed(first ? (double)NAN : lane->reward, reward);
	lane->advantage = smoothed(first ? (double)NAN : lane->advantage, advantage);
	lane->has_quality = true;
}

void lane_refresh(struct lane *lane)
{
	double cost[ENGINE_TERMS];
	lane->searcher->best(lane, lane->modal);
	lane_costs(lane, lane->modal, cost);
	for (int t = 0; t < lane->shared->terms; t++)
		lane->aim[t].modal = cost[t];
	lane->within = result_of(lane, lane->result);
	lane_costs(lane, lane->result, cost);
	for (int t = 0; t < lane->shared->terms; t++)
		lane->aim[t].result = cost[t];
}

void lane_end_step(struct lane *lane)
{
	const struct shared *s = lane->shared;
	struct record *r = &lane->record;
	lane_refresh(lane);
	for (int t = 0; t < ENGINE_TERMS; t++)
		r->modal_cost[t] = t < s->terms ? (float)lane->aim[t].modal : NAN;
	for (int t = 0; t < s->terms; t++)
		lane->aim[t].sampled = smoothed(lane->aim[t].sampled, (double)r->cost[t]);
	r->entropy = (float)policy_entropy(lane->policy);
	r->step = s->step;
	r->lane = lane->number;
	lane->steps++;
}

bool lane_has_pins(const struct lane *lane)
{
	for (int i = 0; i < lane->shared->space->slots; i++)
		if (lane->own[i] != space_all(lane->shared->space, i))
			return true;
	return false;
}

bool lane_narrow(struct lane *lane, const struct partition *common, struct fault *fault)
{
	struct fault why;
	char todo[ENGINE_TEXT];
	partition_copy(lane->wanted, common);
	for (int i = 0; i < common->space->slots; i++)
		lane->wanted->allowed[i] &= lane->own[i];
	if (partition_derive(lane->wanted, &why))
		return true;
	if (!lane_has_pins(lane)) {
		if (fault)
			*fault = why;
		return false;
	}
	snprintf(todo, sizeof todo, "`lane %d unpin %.40s` first", lane->number, why.where);
	return fault_set(fault, why.where, todo, "with the pins of lane %d nothing is left to it", lane->number);
}

void lane_rearrange(struct lane *lane)
{
	struct partition *before = lane->partition;
	lane->partition = lane->wanted;
	lane->wanted = before;
	policy_follow(lane->policy, lane->partition);
	lane_bounds(lane);
}

// ---- states ----

enum { NUMBERS = 7, LAST_NUMBERS = 3, TERM_NUMBERS = 4 };

static void list_numbers(struct lane *lane, struct state_number numbers[NUMBERS])
{
	memcpy(numbers,
		(struct state_number[NUMBERS]){
			{"moves", .whole = policy_moves(lane->policy)},
			{"baseline", .real = &lane->baseline},
			{"has_baseline", .flag = &lane->has_baseline},
			{"quality", .real = &lane->quality},
			{"reward", .real = &lane->reward},
			{"advantage", .real = &lane->advantage},
			{"has_quality", .flag = &lane->has_quality},
		},
		NUMBERS * sizeof *numbers);
}

// Of what there was after the last step, where changes were made since.
static void list_last_numbers(struct lane *lane, struct state_number numbers[LAST_NUMBERS])
{
	struct last *last = &lane->last;
	memcpy(numbers,
		(struct state_number[LAST_NUMBERS]){
			{"moves", .whole = policy_moves(last->policy)},
			{"baseline", .real = &last->baseline},
			{"has_baseline", .flag = &last->has_baseline},
		},
		LAST_NUMBERS * sizeof *numbers);
}

static void list_last_term(struct lane *lane, int t, struct state_number numbers[TERM_NUMBERS])
{
	struct last *last = &lane->last;
	memcpy(numbers,
		(struct state_number[TERM_NUMBERS]){
			{"sampled", .real = &last->aim[t].sampled},
			{"expected", .real = &last->expected[t]},
			{"low", .real = &last->aim[t].low},
			{"high", .real = &last->aim[t].high},
		},
		TERM_NUMBERS * sizeof *numbers);
}

enum { RARE_NUMBERS = 2 };

// What is for the eye alone, and not in every state.
static void list_rare_numbers(struct lane *lane, struct state_number numbers[RARE_NUMBERS])
{
	memcpy(numbers,
		(struct state_number[RARE_NUMBERS]){
			{"variance", .real = &lane->variance},
			{"variance_left", .real = &lane->variance_left},
		},
		RARE_NUMBERS * sizeof *numbers);
}

static bool save_rare_numbers(struct lane *lane, struct state *out)
{
	struct state_number number[RARE_NUMBERS];
	char prefix[STATE_KEY];
	list_rare_numbers(lane, number);
	return isnan(lane->variance) || state_say_numbers(out, number, RARE_NUMBERS, own_name(lane, "", prefix), NULL);
}

static bool restore_rare_numbers(struct lane *lane, const struct state *in, struct fault *fault)
{
	struct state_number number[RARE_NUMBERS];
	char prefix[STATE_KEY], name[STATE_KEY];
	list_rare_numbers(lane, number);
	if (!state_get(in, own_name(lane, "variance", name)) && !state_get(in, own_name(lane, "variance_left", name)))
		return true;
	return state_read_numbers(in, number, RARE_NUMBERS, own_name(lane, "", prefix), NULL, fault);
}

static bool save_partition(const struct partition *p, const char *prefix, struct state *out)
{
	char name[2 * STATE_KEY];
	bool ok = true;
	for (int g = 0; g < p->groups; g++) {
		snprintf(name, sizeof name, "%sgroup.%s", prefix, p->group[g].name);
		ok = ok && state_say(out, name, "%s", p->group[g].pattern);
	}
	int64_t *allowed = malloc((size_t)p->space->slots * sizeof *allowed);
	for (int i = 0; allowed && i < p->space->slots; i++)
		allowed[i] = p->allowed[i];
	snprintf(name, sizeof name, "%sallowed", prefix);
	ok = ok && allowed && state_add(out, name, STATE_I64, 1, (int64_t[]){p->space->slots}, allowed);
	free(allowed);
	return ok;
}

static bool save_policy(const struct policy *policy, const char *prefix, struct state *out, struct fault *fault)
{
	struct state_array array[POLICY_ARRAYS];
	policy_arrays(policy, array);
	return state_add_arrays(out, array, POLICY_ARRAYS, prefix, fault);
}

static bool save_last(struct lane *lane, struct state *out, struct fault *fault)
{
	const struct last *last = &lane->last;
	struct state_number number[LAST_NUMBERS], of_term[TERM_NUMBERS];
	char prefix[STATE_KEY], name[STATE_KEY];
	own_name(lane, "last.", prefix);
	list_last_numbers(lane, number);
	bool ok = state_say(out, own_name(lane, "last.terms", name), "%d", last->terms) &&
		settings_save(&last->knobs, own_name(lane, "last.set", name), true, out) &&
		state_say_numbers(out, number, LAST_NUMBERS, prefix, NULL) && save_partition(last->partition, prefix, out);
	for (int t = 0; t < last->terms; t++) {
		list_last_term(lane, t, of_term);
		ok = ok && state_say_numbers(out, of_term, TERM_NUMBERS, prefix, lane->shared->term[t].name);
	}
	return ok ? save_policy(last->policy, prefix, out, fault) : fault_memory(fault, "checkpoint");
}

static bool save_additive(struct lane *lane, struct state *out, struct fault *fault)
{
	struct state_array array[ADDITIVE_ARRAYS];
	char prefix[STATE_KEY];
	additive_arrays(lane->additive, array);
	return state_add_arrays(out, array, ADDITIVE_ARRAYS, own_name(lane, "additive.", prefix), fault);
}

bool lane_save(struct lane *lane, struct state *out, struct fault *fault)
{
	struct state_number number[NUMBERS];
	char prefix[STATE_KEY], name[STATE_KEY];
	own_name(lane, "", prefix);
	list_numbers(lane, number);
	bool ok = state_part(out, part_name(lane, name), VERSION) && state_say_numbers(out, number, NUMBERS, prefix, NULL);
	for (int t = 0; t < lane->shared->terms; t++) {
		struct state_number sampled = {"sampled", .real = &lane->aim[t].sampled};
		ok = ok && state_say_numbers(out, &sampled, 1, prefix, lane->shared->term[t].name);
	}
	ok = ok && save_rare_numbers(lane, out) && state_say(out, own_name(lane, "searcher", name), "%s", lane->searcher->name);
	if (!ok || !save_partition(lane->partition, prefix, out))
		return fault_memory(fault, "checkpoint");
	if (lane->searcher->save && !lane->searcher->save(lane, prefix, out, fault))
		return false;
	return save_policy(lane->policy, own_name(lane, "policy.", name), out, fault) && save_additive(lane, out, fault) &&
		(!lane->last.kept || save_last(lane, out, fault));
}

unsigned long lane_sum(const struct lane *lane, unsigned long crc)
{
	struct state_array array[POLICY_ARRAYS];
	const struct partition *p = lane->partition;
	size_t slots = (size_t)p->space->slots;
	policy_arrays(lane->policy, array);
	crc = state_sum(crc, array, POLICY_ARRAYS);
	crc = crc32_z(crc, (const Bytef *)p->allowed, slots * sizeof *p->allowed);
	return crc32_z(crc, (const Bytef *)p->decision_of, slots * sizeof *p->decision_of);
}

bool lane_save_wishes(const struct lane *lane, struct state *out)
{
	struct knobs own;
	char name[STATE_KEY];
	lane_knobs(lane, &own);
	return settings_save_own(&own, own_name(lane, "set", name), out);
}

bool lane_save_pins(const struct lane *lane, struct state *out)
{
	int64_t slots = lane->shared->space->slots;
	char name[STATE_KEY];
	int64_t *own = lane_has_pins(lane) ? calloc((size_t)slots, sizeof *own) : NULL;
	for (int i = 0; own && i < slots; i++)
		own[i] = lane->own[i];
	bool ok = own ? state_add(out, own_name(lane, "own", name), STATE_I64, 1, &slots, own) : !lane_has_pins(lane);
	free(own);
	return ok;
}

// ---- restoring ----

bool lane_restore_wishes(const struct lane *lane, const struct state *in, struct knobs *knobs, struct fault *fault)
{
	char name[STATE_KEY];
	return settings_read_own(knobs, own_name(lane, "set", name), in, fault);
}

bool lane_restore_pins(struct lane *lane, const struct state *in, struct fault *fault)
{
	const struct space *space = lane->shared->space;
	char name[STATE_KEY];
	const struct state_tensor *t = state_find(in, own_name(lane, "own", name));
	if (t && !(t = state_find_as(in, name, STATE_I64, space->slots)))
		return state_damaged(fault, name);
	for (int i = 0; t && i < space->slots; i++) {
		int64_t mask = ((const int64_t *)t->data)[i];
		if (mask <= 0 || mask & ~(int64_t)space_all(space, i))
			return state_damaged(fault, name);
		lane->own[i] = (uint32_t)mask;
	}
	return true;
}

// Into p, which has no groups.
static bool restore_partition(const struct state *in, const char *prefix, bool split, struct partition *p, struct fault *fault)
{
	char key[2 * STATE_KEY];
	const struct space *s = p->space;
	snprintf(key, sizeof key, "%sallowed", prefix);
	const struct state_tensor *t = state_find_as(in, key, STATE_I64, s->slots);
	if (!t)
		return state_damaged(fault, key);
	for (int i = 0; i < s->slots; i++) {
		int64_t mask = ((const int64_t *)t->data)[i];
		if (mask <= 0 || mask & ~(int64_t)space_all(s, i))
			return state_damaged(fault, key);
		p->allowed[i] = (uint32_t)mask;
	}
	p->split = split;
	snprintf(key, sizeof key, "%sgroup.", prefix);
	size_t n = strlen(key);
	for (int i = 0; i < in->texts; i++)
		if (strncmp(in->text[i].name, key, n) == 0 && !partition_group(p, in->text[i].name + n, in->text[i].value, fault))
			return false;
	return partition_derive(p, fault);
}

static bool restore_policy(struct policy *policy, const char *prefix, const struct state *in, struct fault *fault)
{
	struct state_array array[POLICY_ARRAYS];
	policy_arrays(policy, array);
	if (!state_read_arrays(in, array, POLICY_ARRAYS, prefix, fault))
		return false;
	policy_refresh(policy);
	return true;
}

// What there was after the last step, where changes were made since.
static bool restore_last(struct lane *lane, const struct state *in, struct fault *fault)
{
	const struct shared *s = lane->shared;
	struct last *last = &lane->last;
	struct state_number number[LAST_NUMBERS], of_term[TERM_NUMBERS];
	struct term term[ENGINE_TERMS];
	char prefix[STATE_KEY], name[STATE_KEY];
	double terms;
	own_name(lane, "last.", prefix);
	own_name(lane, "last.terms", name);
	if (!state_get(in, name))
		return !state_find(in, own_name(lane, "last.allowed", name)) || state_damaged(fault, "last.terms");
	if (!state_real(in, name, &terms) || !(terms >= 0 && terms <= s->knobs.terms))
		return state_damaged(fault, name);
	last->knobs = s->knobs;
	last->terms = last->knobs.terms = (int)terms;
	if (!settings_read(&last->knobs, own_name(lane, "last.set", name), true, in, fault) ||
		!aims_of(s, &last->knobs, term, last->aim, fault) ||
		!restore_partition(in, prefix, last->knobs.decide == DECIDE_SPLIT, last->partition, fault))
		return false;
	list_last_numbers(lane, number);
	if (!restore_policy(last->policy, prefix, in, fault) ||
		!state_read_numbers(in, number, LAST_NUMBERS, prefix, NULL, fault))
		return false;
	for (int t = 0; t < last->terms; t++) {
		last->price[t] = term[t].price;
		list_last_term(lane, t, of_term);
		if (!state_read_numbers(in, of_term, TERM_NUMBERS, prefix, s->term[t].name, fault))
			return false;
	}
	if (*policy_moves(last->policy) < 0 || !isfinite(last->baseline))
		return state_damaged(fault, own_name(lane, "last.moves", name));
	last->kept = true;
	return true;
}

// After the policy and the partition.
static bool restore_searcher(struct lane *lane, const struct state *in, const char *prefix, struct fault *fault)
{
	char name[STATE_KEY];
	const char *text = state_get(in, own_name(lane, "searcher", name));
	const struct searcher *searcher = text ? searcher_named(text) : NULL;
	if (!searcher)
		return state_damaged(fault, name);
	return open_searcher(lane, searcher, fault) && (!searcher->restore || searcher->restore(lane, prefix, in, fault));
}

// It is of the last step.
static bool restore_additive(struct lane *lane, const struct state *in, struct fault *fault)
{
	struct state_array array[ADDITIVE_ARRAYS];
	char prefix[STATE_KEY];
	additive_refollow(lane->additive, lane->last.kept ? lane->last.partition : lane->partition);
	additive_arrays(lane->additive, array);
	return state_read_arrays(in, array, ADDITIVE_ARRAYS, own_name(lane, "additive.", prefix), fault);
}

bool lane_restore(struct lane *lane, const struct state *in, struct fault *fault)
{
	const struct shared *s = lane->shared;
	struct state_number number[NUMBERS];
	char prefix[STATE_KEY], name[STATE_KEY];
	own_name(lane, "", prefix);
	if (!state_part_check(in, part_name(lane, name), VERSION, fault) ||
		!restore_partition(in, prefix, s->knobs.decide == DECIDE_SPLIT, lane->wanted, fault))
		return false;
	lane_rearrange(lane);
	list_numbers(lane, number);
	if (!restore_policy(lane->policy, own_name(lane, "policy.", name), in, fault) ||
		!state_read_numbers(in, number, NUMBERS, prefix, NULL, fault))
		return false;
	for (int t = 0; t < s->terms; t++) {
		struct state_number sampled = {"sampled", .real = &lane->aim[t].sampled};
		if (!state_read_numbers(in, &sampled, 1, prefix, s->term[t].name, fault))
			return false;
	}
	if (*policy_moves(lane->policy) < 0 || !isfinite(lane->baseline))
		return state_damaged(fault, own_name(lane, "moves", name));
	return restore_rare_numbers(lane, in, fault) && restore_last(lane, in, fault) && restore_additive(lane, in, fault) &&
		restore_searcher(lane, in, prefix, fault);
}

// ---- publication ----

// Between a change of what is decided together and the next step, the model is of other decisions.
static void publish_worth(const struct lane *lane, int d, struct slot_state *slot)
{
	const struct additive *a = lane->additive;
	double worth[SPACE_OPTIONS];
	bool known = additive_follows(a, lane->partition) && isfinite(additive_foretold(a));
	for (int o = 0; o < lane->partition->decision[d].options; o++)
		slot->worth[o] = slot->error[o] = slot->tried[o] = NAN;
	if (!known)
		return;
	additive_worth(a, d, worth);
	for (int o = 0; o < lane->partition->decision[d].options; o++) {
		slot->worth[o] = (float)(worth[o] - worth[slot->modal]);
		slot->error[o] = (float)additive_error(a, d, o, slot->modal);
		slot->tried[o] = (float)additive_tried(a, d, o);
	}
}

static void publish_slots(const struct lane *lane, struct snapshot *out)
{
	const struct partition *p = lane->partition;
	out->decisions = p->decisions;
	out->split = p->split;
	out->slots = p->space->slots;
	for (int i = 0; i < out->slots; i++) {
		struct slot_state *slot = &out->slot[i];
		int d = p->decision_of[i];
		*slot = (struct slot_state){.allowed = p->decision[d].allowed,
			.modal = lane->modal[i],
			.result = lane->result[i],
			.there = slot_there(p->space->slot, i, lane->modal),
			.decision = d,
			.group = p->group_of[i]};
		memcpy(slot->probability, policy_probabilities(lane->policy, d), sizeof slot->probability);
		publish_worth(lane, d, slot);
	}
	out->groups = p->groups;
	for (int g = 0; g < p->groups; g++) {
		snprintf(out->group[g].name, sizeof out->group[g].name, "%s", p->group[g].name);
		snprintf(out->group[g].pattern, sizeof out->group[g].pattern, "%s", p->group[g].pattern);
	}
}

static void publish_term(const struct lane *lane, int t, struct term_state *out)
{
	const struct term *term = &lane->shared->term[t];
	const struct aim *aim = &lane->aim[t];
	const struct price *p = term->price;
	*out = (struct term_state){.weight = aim->weight,
		.target = aim->target,
		.targeted = aim->target > 0,
		.modal = aim->modal,
		.result = aim->result,
		.expected = aim->sampled,
		.low = aim->low,
		.high = aim->high,
		.least = aim->least,
		.reach = lane_reach(lane, t),
		.whole = p ? price_widest(p) : (double)NAN,
		.unit = p ? price_unit(p) : "",
		.brief = p ? price_brief(p) : "",
		.symbol = p ? price_symbol(p) : "",
		.device = p ? price_device(p) : "",
		.kind = term->kind,
		.by_setting = term->by_setting};
	lane_reach_text(lane, t, out->reach_text, sizeof out->reach_text);
	memcpy(out->name, term->name, sizeof out->name);
	memcpy(out->why, term->why, sizeof out->why);
	memcpy(out->asked, term->asked, sizeof out->asked);
	memcpy(out->target_text, aim->asked, sizeof out->target_text);
}

// What it aims at, in a few words: "bops 0.5x"; where nothing counts, what it is.
static void write_name(const struct lane *lane, char *name, size_t size)
{
	size_t used = 0;
	snprintf(name, size, "no target");
	for (int t = 0; t < lane->shared->terms && used < size; t++)
		if (lane_counts(lane, t))
			used += (size_t)snprintf(name + used, size - used, "%s%s %s", used ? ", " : "",
				lane->shared->term[t].name, lane->aim[t].asked);
}

void lane_publish_row(const struct lane *lane, struct lane_state *out)
{
	*out = (struct lane_state){.number = lane->number,
		.place = lane->place,
		.searcher = lane->searcher->name,
		.steps = lane->steps,
		.loss = lane->loss,
		.accuracy = lane->accuracy,
		.quality = lane->has_quality ? lane->quality : (double)NAN,
		.reward = lane->has_quality ? lane->reward : (double)NAN,
		.entropy = policy_entropy(lane->policy),
		.pins = lane_has_pins(lane)};
	write_name(lane, out->name, sizeof out->name);
	for (int t = 0; t < lane->shared->terms; t++) {
		const struct aim *aim = &lane->aim[t];
		out->weight[t] = aim->weight;
		out->target[t] = aim->target;
		out->modal[t] = aim->modal;
		out->expected[t] = aim->sampled;
		memcpy(out->target_text[t], aim->asked, sizeof out->target_text[t]);
	}
}

void lane_publish(const struct lane *lane, struct snapshot *out)
{
	out->quality = lane->has_quality ? lane->quality : (double)NAN;
	out->reward = lane->has_quality ? lane->reward : (double)NAN;
	out->advantage = lane->has_quality ? lane->advantage : (double)NAN;
	out->foretold = additive_foretold(lane->additive);
	out->variance = lane->variance;
	out->variance_left = lane->variance_left;
	out->entropy = policy_entropy(lane->policy);
	out->learning_rate = (double)lane->record.learning_rate;
	out->within = lane->within;
	publish_slots(lane, out);
	out->terms = lane->shared->terms;
	for (int t = 0; t < out->terms; t++)
		publish_term(lane, t, &out->term[t]);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// REINFORCE (Williams, 1992), as FLIQS and TuNAS use it: choices are sampled from the policy, and what did better than its fellows
// becomes more likely. The entropy is penalised more and more, so that the policy commits late.
#include <math.h>
#include <string.h>

#include "engine/search/schedule.h"
#include "engine/search/searcher.h"
#include "engine/search/searchers/choices.h"
#include "engine/tensor/rng.h"

static const double PI = 3.14159265358979323846;

static void path(const struct lane *lane, uint8_t *choice)
{
	const struct shared *s = lane->shared;
	uint64_t key = lane_key(lane, "path");
	if (choice_warmup(lane, key, choice))
		return;
	if (rng_uniform(key, (uint64_t)lane->partition->decisions) < s->knobs.modal_share)
		policy_best(lane->policy, choice);
	else
		policy_sample(lane->policy, key, choice);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	uint64_t key = lane_key(lane, "choice");
	int samples = (int)lane->shared->knobs.samples;
	for (int i = 0; i < samples; i++)
		policy_sample(lane->policy, rng_bits(key, (uint64_t)i), choice + i * lane->shared->space->slots);
	return samples;
}

// Credits every sample with its value against the others' mean, or against the moving average; the mean size of that.
static double credit(struct lane *lane, int samples, const uint8_t *choice, const double *value)
{
	const struct shared *s = lane->shared;
	double mean = 0, size = 0;
	for (int i = 0; i < samples; i++)
		mean += value[i] / samples;
	double keep = s->knobs.baseline_keep;
	lane->baseline = lane->has_baseline ? keep * lane->baseline + (1 - keep) * mean : mean;
	lane->has_baseline = true;
	bool others = s->knobs.baseline == BASELINE_OTHERS && samples > 1;
	for (int i = 0; i < samples; i++) {
		double advantage = others ? (value[i] - mean) * samples / (samples - 1) : value[i] - lane->baseline;
		policy_credit(lane->policy, choice + i * s->space->slots, advantage / samples);
		size += fabs(advantage) / samples;
	}
	return size;
}

// The cost's part of an additive reward needs no images: around a few sampled choices, every option of every decision is
// priced, the others staying as sampled, which gives the gradient of the expected penalty nearly free of noise. Once the policy
// settles, most samples are the modal choice: it is priced once a step.
void reinforce_credit_costs(struct lane *lane)
{
	const struct shared *s = lane->shared;
	const struct partition *p = lane->partition;
	long n = s->knobs.cost_samples > 0 ? s->knobs.cost_samples : 1;
	uint64_t key = lane_key(lane, "cost");
	uint8_t *choice = lane->choice;
	double whole[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], value[SPACE_OPTIONS];
	uint32_t counted = lane_counted(lane);
	bool known = false;
	for (long i = 0; i < n; i++) {
		policy_draw(lane->policy, rng_bits(key, (uint64_t)i), choice);
		bool modal = memcmp(choice, lane->modal, (size_t)s->space->slots) == 0, priced = modal && known;
		if (!priced)
			lane_costs(lane, choice, whole);
		for (int d = 0; d < p->decisions; d++) {
			double *of = modal ? lane->value + d * s->options : value;
			if (!priced)
				pricer_options(lane->pricer, p, d, counted, cost);
			for (int o = 0; !priced && o < p->decision[d].options; o++)
				of[o] = lane_penalty(lane, cost[o]);
			policy_credit_options(lane->policy, d, of, 1 / (double)n);
		}
		known |= modal;
	}
}

// The model of quality was fitted to earlier steps only: what it foretells of the samples may be taken from their qualities, and its
// exact gradient given instead, and the expected gradient stays what it was.
static void credit_model(struct lane *lane)
{
	for (int d = 0; d < lane->partition->decisions; d++) {
		additive_worth(lane->additive, d, lane->value);
		policy_credit_options(lane->policy, d, lane->value, policy_there(lane->policy, d));
	}
}

static double entropy_weight(const struct shared *s)
{
	return s->knobs.entropy * (1 - cos(PI * schedule_progress(s))) / 2;
}

void reinforce_move(struct lane *lane)
{
	const struct shared *s = lane->shared;
	const struct knobs *k = &s->knobs;
	policy_move(lane->policy, k->policy_rate * lane_pace(lane) * pow(k->policy_growth, schedule_progress(s)), k->policy_beta1,
		k->policy_beta2, entropy_weight(s));
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	const struct shared *s = lane->shared;
	const struct knobs *k = &s->knobs;
	double reward[SEARCH_SAMPLES], left[SEARCH_SAMPLES], mean_quality = 0, mean_reward = 0;
	for (int i = 0; i < lesson->count; i++) {
		reward[i] = lane_reward(lane, lesson->cost[i], lesson->quality[i]);
		mean_quality += lesson->quality[i] / lesson->count;
		mean_reward += reward[i] / lesson->count;
	}
	if (!(fabs(mean_quality) < 1e12) || !isfinite(mean_reward)) // before the policy moves by it
		return diverged(s, isfinite(mean_reward) || !isfinite(mean_quality) ? "quality" : "reward", fault);
	bool apart = k->reward != REWARD_MNAS && k->cost_samples > 0; // a product has no part of its own for the cost
	bool modelled = apart && k->additive != ADDITIVE_OFF;
	for (int i = 0; i < lesson->count; i++)
		left[i] = !apart                        ? reward[i]
			: k->additive == ADDITIVE_ALONE ? 0
			: modelled ? lesson->quality[i] - additive_value(lane->additive, lesson->choice + i * s->space->slots)
				   : lesson->quality[i];
	lesson_watch(lane, lesson);
	policy_clear(lane->policy);
	double advantage = credit(lane, lesson->count, lesson->choice, left);
	if (modelled)
		credit_model(lane);
	if (apart)
		reinforce_credit_costs(lane);
	if (k->additive != ADDITIVE_OFF)
		additive_learn(lane->additive, lesson->count, lesson->choice, lesson->quality);
	reinforce_move(lane);
	lane_fared(lane, lesson->count, lesson->cost, mean_quality, mean_reward, advantage);
	return true;
}

static void best(const struct lane *lane, uint8_t *choice)
{
	policy_best(lane->policy, choice);
}

const struct searcher searcher_reinforce = {.name = "reinforce", .path = path, .propose = propose, .learn = learn, .best = best};

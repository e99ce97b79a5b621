// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tensor/rng.h"

struct policy {
	const struct partition *partition;
	float (*logit)[SPACE_OPTIONS]; // each [slots][SPACE_OPTIONS], of which the first rows are the decisions'
	float (*first)[SPACE_OPTIONS], (*second)[SPACE_OPTIONS]; // Adam's moments
	float (*probability)[SPACE_OPTIONS];
	double (*gradient)[SPACE_OPTIONS];
	double *there; // [slots], of which the first are the decisions': how likely each is to make a difference
	long moves;
};

struct policy *policy_new(const struct partition *partition, struct fault *fault)
{
	struct policy *p = calloc(1, sizeof *p);
	size_t n = (size_t)partition->space->slots;
	if (p) {
		p->partition = partition;
		p->logit = calloc(n, sizeof *p->logit);
		p->first = calloc(n, sizeof *p->first);
		p->second = calloc(n, sizeof *p->second);
		p->probability = calloc(n, sizeof *p->probability);
		p->gradient = calloc(n, sizeof *p->gradient);
		p->there = calloc(n, sizeof *p->there);
	}
	if (!p || !p->there || !p->logit || !p->first || !p->second || !p->probability || !p->gradient) {
		policy_free(p);
		fault_memory(fault, "policy");
		return NULL;
	}
	policy_refresh(p);
	return p;
}

void policy_copy(struct policy *to, const struct policy *from, const struct partition *partition)
{
	size_t n = (size_t)partition->decisions;
	to->partition = partition;
	memcpy(to->logit, from->logit, n * sizeof *to->logit);
	memcpy(to->first, from->first, n * sizeof *to->first);
	memcpy(to->second, from->second, n * sizeof *to->second);
	to->moves = from->moves;
	policy_refresh(to);
}

void policy_forget(struct policy *p)
{
	size_t size = (size_t)p->partition->decisions * sizeof *p->first;
	memset(p->first, 0, size);
	memset(p->second, 0, size);
	p->moves = 0;
}

void policy_follow(struct policy *p, const struct partition *next)
{
	const struct partition *now = p->partition;
	size_t n = (size_t)next->decisions;
	bool same = memcmp(now->decision_of, next->decision_of, (size_t)now->space->slots * sizeof *now->decision_of) == 0;
	p->partition = next;
	if (same) {
		policy_refresh(p);
		return;
	}
	memset(p->gradient, 0, n * sizeof *p->gradient); // room for the new logits
	for (int d = 0; d < next->decisions; d++) {
		int slots = 0;
		for (int i = next->decision[d].first; i >= 0; i = next->next[i], slots++)
			for (int o = 0; o < next->decision[d].options; o++)
				p->gradient[d][o] += (double)p->logit[now->decision_of[i]][o];
		for (int o = 0; o < next->decision[d].options; o++)
			p->gradient[d][o] /= slots;
	}
	for (size_t d = 0; d < n; d++)
		for (int o = 0; o < SPACE_OPTIONS; o++)
			p->logit[d][o] = (float)p->gradient[d][o];
	policy_forget(p);
	policy_refresh(p);
}

void policy_lean(struct policy *p, double slope)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		int options = p->partition->decision[d].options;
		for (int o = 1; o < options; o++)
			p->logit[d][o] = (float)(slope * o / (options - 1));
	}
	policy_refresh(p);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	free(p->logit);
	free(p->first);
	free(p->second);
	free(p->probability);
	free(p->gradient);
	free(p->there);
	free(p);
}

void policy_arrays(const struct policy *p, struct state_array array[POLICY_ARRAYS])
{
	long count = (long)p->partition->decisions * SPACE_OPTIONS;
	array[0] = (struct state_array){"logits", p->logit[0], count};
	array[1] = (struct state_array){"first_moments", p->first[0], count};
	array[2] = (struct state_array){"second_moments", p->second[0], count};
}

long *policy_moves(struct policy *p)
{
	return &p->moves;
}

static void divide(struct policy *p, double by)
{
	for (int d = 0; d < p->partition->decisions; d++)
		for (int o = 0; o < p->partition->decision[d].options; o++)
			p->logit[d][o] = (float)((double)p->logit[d][o] / by);
	policy_refresh(p);
}

void policy_warm(struct policy *p, double entropy)
{
	enum { DOUBLINGS = 20, HALVINGS = 20 };
	double low = 1, high = 1, now = 1; // the logits are divided by `now`
	for (int i = 0; i < DOUBLINGS && policy_entropy(p) < entropy; i++) {
		low = high;
		high *= 2;
		divide(p, high / now);
		now = high;
	}
	for (int i = 0; high > 1 && i < HALVINGS; i++) {
		double middle = (low + high) / 2;
		divide(p, middle / now);
		now = middle;
		*(policy_entropy(p) < entropy ? &low : &high) = middle;
	}
	divide(p, high / now);
}

static bool allows(const struct policy *p, int decision, int option)
{
	return p->partition->decision[decision].allowed >> option & 1;
}

// How likely a slot is to be there: its owners hold what they must, each for itself.
static double slot_likely(const struct policy *p, int i)
{
	const struct slot *slot = p->partition->space->slot;
	double likely = 1;
	for (; slot[i].owner >= 0; i = slot[i].owner) {
		const float *q = p->probability[p->partition->decision_of[slot[i].owner]];
		double sum = 0;
		for (int o = 0; o < slot[slot[i].owner].options; o++)
			sum += slot[i].when >> o & 1 ? (double)q[o] : 0;
		likely *= sum;
	}
	return likely;
}

static void find_there(struct policy *p)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		p->there[d] = p->partition->space->rests ? 0 : 1;
		for (int i = p->partition->decision[d].first; p->partition->space->rests && i >= 0; i = p->partition->next[i])
			p->there[d] = fmax(p->there[d], slot_likely(p, i));
	}
}

double policy_there(const struct policy *p, int decision)
{
	return p->there[decision];
}

void policy_refresh(struct policy *p)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		int options = p->partition->decision[d].options;
		float top = -INFINITY;
		double total = 0, e[SPACE_OPTIONS] = {0};
		for (int o = 0; o < options; o++)
			if (allows(p, d, o))
				top = fmaxf(top, p->logit[d][o]);
		for (int o = 0; o < options; o++)
			if (allows(p, d, o))
				total += e[o] = exp((double)(p->logit[d][o] - top));
		for (int o = 0; o < options; o++)
			p->probability[d][o] = (float)(e[o] / total);
	}
	find_there(p);
}

const float *policy_probabilities(const struct policy *p, int decision)
{
	return p->probability[decision];
}

int policy_modal(const struct policy *p, int decision)
{
	int best = -1;
	for (int o = 0; o < p->partition->decision[decision].options; o++)
		if (allows(p, decision, o) && (best < 0 || p->probability[decision][o] > p->probability[decision][best]))
			best = o;
	return best;
}

// Of what was chosen for each decision's first slot.
static void complete(const struct policy *p, uint8_t *choice)
{
	partition_spread(p->partition, choice);
	partition_canonical(p->partition, choice);
}

void policy_best(const struct policy *p, uint8_t *choice)
{
	for (int d = 0; d < p->partition->decisions; d++)
		choice[p->partition->decision[d].first] = (uint8_t)policy_modal(p, d);
	partition_spread(p->partition, choice);
}

static double entropy_of(const struct policy *p, int decision)
{
	double h = 0;
	for (int o = 0; o < p->partition->decision[decision].options; o++) {
		double q = (double)p->probability[decision][o];
		if (q > 0)
			h -= q * log(q);
	}
	return h;
}

double policy_entropy(const struct policy *p)
{
	double sum = 0, free_decisions = 0;
	for (int d = 0; d < p->partition->decisions; d++) {
		int options = __builtin_popcount(p->partition->decision[d].allowed);
		if (options < 2)
			continue;
		sum += p->there[d] * (entropy_of(p, d) / log(options));
		free_decisions += p->there[d];
	}
	return free_decisions > 0 ? sum / free_decisions : 0;
}

void policy_draw(const struct policy *p, uint64_t key, uint8_t *choice)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		double u = rng_uniform(key, (uint64_t)d);
		int pick = policy_modal(p, d);
		for (int o = 0; o < p->partition->decision[d].options; o++) {
			u -= (double)p->probability[d][o];
			if (u < 0) {
				pick = o;
				break;
			}
		}
		choice[p->partition->decision[d].first] = (uint8_t)pick;
	}
	partition_spread(p->partition, choice);
}

void policy_sample(const struct policy *p, uint64_t key, uint8_t *choice)
{
	policy_draw(p, key, choice);
	partition_canonical(p->partition, choice);
}

// The allowed option that has `skip` allowed ones before it.
static int nth_allowed(const struct policy *p, int decision, int skip)
{
	int o = 0;
	while (!allows(p, decision, o) || skip-- > 0)
		o++;
	return o;
}

void policy_sample_evenly(const struct policy *p, uint64_t key, uint8_t *choice)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		uint64_t options = (uint64_t)__builtin_popcount(p->partition->decision[d].allowed);
		choice[p->partition->decision[d].first] = (uint8_t)nth_allowed(p, d, (int)rng_below(key, (uint64_t)d, options));
	}
	complete(p, choice);
}

// Place `turn % n` of a permutation of n.
static int permuted(uint64_t key, long turn, int n)
{
	int order[SPACE_OPTIONS];
	for (int i = 0; i < n; i++) {
		int j = (int)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	return order[turn % n];
}

void policy_sample_fairly(const struct policy *p, uint64_t key, long turn, uint8_t *choice)
{
	for (int d = 0; d < p->partition->decisions; d++) {
		int options = __builtin_popcount(p->partition->decision[d].allowed);
		uint64_t own = rng_bits(rng_bits(key, (uint64_t)d), (uint64_t)(turn / options));
		choice[p->partition->decision[d].first] = (uint8_t)nth_allowed(p, d, permuted(own, turn, options));
	}
	complete(p, choice);
}

void policy_clear(struct policy *p)
{
	memset(p->gradient, 0, (size_t)p->partition->decisions * sizeof *p->gradient);
}

double policy_variance(const struct policy *p, int count, const uint8_t *choice, const double *value)
{
	const struct partition *of = p->partition;
	const int slots = of->space->slots;
	double mean = 0, sum = 0;
	if (count < 2)
		return NAN;
	for (int i = 0; i < count; i++)
		mean += value[i] / count;
	for (int d = 0; d < of->decisions; d++)
		for (int o = 0; o < of->decision[d].options; o++) {
			double first = 0, second = 0, q = (double)policy_probabilities(p, d)[o];
			for (int i = 0; i < count; i++) {
				double g = (value[i] - mean) * ((choice[i * slots + of->decision[d].first] == o) - q);
				first += g / count;
				second += g * g / count;
			}
			sum += (second - first * first) * count / (count - 1);
		}
	return sum;
}

void policy_credit(struct policy *p, const uint8_t *choice, double advantage)
{
	double each = advantage / p->partition->decisions;
	for (int d = 0; d < p->partition->decisions; d++)
		for (int o = 0; partition_there(p->partition, d, choice) && o < p->partition->decision[d].options; o++)
			p->gradient[d][o] -= each *
				((o == choice[p->partition->decision[d].first]) - (double)p->probability[d][o]);
}

void policy_credit_options(struct policy *p, int decision, const double *value, double share)
{
	int options = p->partition->decision[decision].options;
	const float *q = p->probability[decision];
	double mean = 0;
	for (int o = 0; o < options; o++)
		mean += (double)q[o] * value[o];
	for (int o = 0; o < options; o++)
		p->gradient[decision][o] -= share * (double)q[o] * (value[o] - mean) / p->partition->decisions;
}

void policy_move(struct policy *p, double rate, double beta1, double beta2, double entropy_weight)
{
	const double epsilon = 1e-8;
	p->moves++;
	double scale1 = 1 / (1 - pow(beta1, (double)p->moves)), scale2 = 1 / (1 - pow(beta2, (double)p->moves));
	for (int d = 0; d < p->partition->decisions; d++) {
		if (__builtin_popcount(p->partition->decision[d].allowed) < 2)
			continue;
		double h = entropy_of(p, d);
		for (int o = 0; o < p->partition->decision[d].options; o++) {
			double q = (double)p->probability[d][o];
			if (!allows(p, d, o))
				continue;
			double g = p->gradient[d][o];
			if (q > 0)
				g -= p->there[d] * entropy_weight * q * (log(q) + h) / p->partition->decisions;
			double m = beta1 * (double)p->first[d][o] + (1 - beta1) * g;
			double v = beta2 * (double)p->second[d][o] + (1 - beta2) * g * g;
			p->first[d][o] = (float)m;
			p->second[d][o] = (float)v;
			p->logit[d][o] -= (float)(rate * m * scale1 / (sqrt(v * scale2) + epsilon));
		}
	}
	policy_refresh(p);
}

// As likely as before in all, so that what is not allowed keeps its place beside them.
void policy_set(struct policy *p, int decision, const double *probability)
{
	double top = -INFINITY, total = 0;
	for (int o = 0; o < p->partition->decision[decision].options; o++)
		if (allows(p, decision, o))
			top = fmax(top, (double)p->logit[decision][o]);
	for (int o = 0; o < p->partition->decision[decision].options; o++)
		if (allows(p, decision, o))
			total += exp((double)p->logit[decision][o] - top);
	for (int o = 0; o < p->partition->decision[decision].options; o++)
		if (allows(p, decision, o))
			p->logit[decision][o] = (float)(log(probability[o]) + top + log(total));
}

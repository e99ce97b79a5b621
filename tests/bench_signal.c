// SPDX-License-Identifier: GPL-3.0-or-later
// How far the signal carries: after some steps of a search, the additive model's rank correlation with measured one-layer changes, and
// the variance of the policy gradient by the samples' qualities as they are and by what the model leaves of them. All choices are
// scored on the same held-out images, which the search has not learned from at that step. SIGNAL="net=… data=…" is another
// search than those below.
#include "tests/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

enum { BATCHES = 4 };

static const char *const searches[] = {"net=resnet8 data=glyphs steps=600", "net=resnet20:width=0.5 data=glyphs steps=600"};
static const double shares[] = {0.12, 0.25, 0.5}; // of the horizon, at which the search is looked at

static void score(struct search *s, int count, const uint8_t *choice, double *quality)
{
	struct fault f;
	if (!s->source->kind->post(s->source, 0, count, choice, &f) || !s->source->kind->collect(s->source, quality, &f))
		bench_stop(&f);
}

// ---- one-layer changes ----

struct pair {
	double x, rank;
	int at;
};

static int by_x(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	return p->x != q->x ? (p->x < q->x ? -1 : 1) : p->at - q->at;
}

static int by_place(const void *a, const void *b)
{
	return ((const struct pair *)a)->at - ((const struct pair *)b)->at;
}

static void rank(struct pair *p, int n)
{
	qsort(p, (size_t)n, sizeof *p, by_x);
	for (int i = 0, end; i < n; i = end) { // equal ones share the mean of their ranks
		for (end = i + 1; end < n && p[end].x == p[i].x;)
			end++;
		for (int k = i; k < end; k++)
			p[k].rank = (i + end - 1) / 2.0;
	}
	qsort(p, (size_t)n, sizeof *p, by_place);
}

static double spearman(const double *x, const double *y, int n)
{
	struct pair *p = calloc(2 * (size_t)n, sizeof *p), *q = p + n;
	double xy = 0, xx = 0, yy = 0, mean = (n - 1) / 2.0;
	for (int i = 0; p && i < n; i++) {
		p[i] = (struct pair){x[i], 0, i};
		q[i] = (struct pair){y[i], 0, i};
	}
	if (p) {
		rank(p, n);
		rank(q, n);
	}
	for (int i = 0; p && i < n; i++) {
		xy += (p[i].rank - mean) * (q[i].rank - mean);
		xx += (p[i].rank - mean) * (p[i].rank - mean);
		yy += (q[i].rank - mean) * (q[i].rank - mean);
	}
	free(p);
	return xy / sqrt(xx * yy);
}

// Of each option of each decision, all others as in the modal choice: measured, and by the model. How many.
static int one_layer(struct search *s, double *measured, double *modelled, double *hinted)
{
	const struct lane *lane = &s->lane[0];
	const struct partition *p = lane->partition;
	size_t slots = (size_t)s->shared.space->slots;
	double quality[SEARCH_SAMPLES], worth[SPACE_OPTIONS], hint[SPACE_OPTIONS], modal;
	int count = 0;
	score(s, 1, lane->modal, &modal);
	for (int d = 0; d < p->decisions; d++) {
		int options = p->decision[d].options, now = lane->modal[p->decision[d].first];
		for (int o = 0; o < options; o++) {
			uint8_t *choice = s->choice + (size_t)o * slots;
			memcpy(choice, lane->modal, slots);
			choice[p->decision[d].first] = (uint8_t)o;
			partition_spread(p, choice);
		}
		score(s, options, s->choice, quality);
		additive_worth(lane->additive, d, worth);
		additive_hinted(lane->additive, d, hint);
		for (int o = 0; o < options; o++)
			if (o != now) {
				measured[count] = quality[o] - modal;
				hinted[count] = hint[o] - hint[now];
				modelled[count++] = worth[o] - worth[now];
			}
	}
	return count;
}

// ---- the policy's gradient ----

static void measure(struct search *s, const char *called)
{
	struct lane *lane = &s->lane[0];
	int most = lane->partition->decisions * s->shared.options;
	double *measured = calloc(3 * (size_t)most, sizeof *measured), *modelled = measured + most, *hinted = modelled + most;
	double quality[SEARCH_SAMPLES], left[SEARCH_SAMPLES], variance[2];
	int slots = s->shared.space->slots;
	if (!measured)
		return;
	s->shared.knobs.heldout_batches = BATCHES;
	int count = one_layer(s, measured, modelled, hinted);
	double r = spearman(measured, modelled, count), by_hint = spearman(measured, hinted, count);
	s->shared.knobs.heldout_batches = 1;
	for (int i = 0; i < SEARCH_SAMPLES; i++)
		policy_sample(lane->policy, rng_bits(lane_key(lane, "bench"), (uint64_t)i), s->choice + i * slots);
	score(s, SEARCH_SAMPLES, s->choice, quality);
	for (int i = 0; i < SEARCH_SAMPLES; i++)
		left[i] = quality[i] - additive_value(lane->additive, s->choice + i * slots);
	variance[0] = policy_variance(lane->policy, SEARCH_SAMPLES, s->choice, quality);
	variance[1] = policy_variance(lane->policy, SEARCH_SAMPLES, s->choice, left);
	printf("%-44s %6ld %8.2f %9d %9.2f %9.2f %9.3g %9.3g %7.2f\n", called, s->shared.step, policy_entropy(lane->policy),
		count, r, by_hint, variance[0], variance[1], variance[1] / variance[0]);
	free(measured);
}

void bench_signal(void)
{
	const char *wish = getenv("SIGNAL");
	size_t count = wish ? 1 : sizeof searches / sizeof *searches;
	printf("\nsignal: the additive model against measured one-layer changes (rank correlation), and the variance of the policy's "
	       "gradient\n");
	printf("%-44s %6s %8s %9s %9s %9s %9s %9s %7s\n", "search", "step", "entropy", "changes", "Spearman", "gradient",
		"variance", "with it", "ratio");
	for (size_t i = 0; i < count; i++) {
		const char *settings = wish ? wish : searches[i];
		struct search *s = bench_search("front-every=0 %s", settings);
		struct fault f;
		for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
			while (s->shared.step < (long)(shares[k] * (double)s->shared.horizon))
				if (!search_step(s, &f))
					bench_stop(&f);
			measure(s, settings);
		}
		search_free(s);
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Compares the models with published results, case by case. Nothing is fitted here: the only constant comes from
// division_calibrate.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/inside.h"
#include "engine/quant/format.h"

struct kept { // worked out once: it does not move with the inputs
	struct slice slice[2];
	struct slice_network *network[2];
};
struct trial {
	const struct trial_row *row;
	struct kept kept;
};
struct trial_row {
	enum published_id row;
	const char *with;
	const char *pod, *other;     // other: NULL or what is compared with
	const char *shape, *against; // slices; NULL: none
	bool twisted;
	double (*model)(const struct world *, const struct trial *);
	double first, second; // of the case
	const char *reason;
};

// ---- the network ----

static double bisection(const struct world *w, const struct trial *t)
{
	return t->kept.network[0]->bisection * pod_value(&w->pod[0], POD_LINK) / 1e12;
}

static double bisection_peak(const struct world *w, const struct trial *t)
{
	return t->kept.network[0]->bisection * pod_value(&w->pod[0], POD_LINK_PEAK) / 1e12;
}

static double all_links(const struct world *w, const struct trial *t)
{
	return t->kept.network[0]->links * pod_value(&w->pod[0], POD_LINK) / 1e15;
}

static double twist_gain(const struct world *w, const struct trial *t)
{
	(void)w;
	return t->kept.network[1]->load[ROUTE_PATHS] / t->kept.network[0]->load[ROUTE_PATHS];
}

static double to_all_rate(const struct world *w, const struct trial *t)
{
	return (t->kept.slice[0].chips - 1) / t->kept.network[0]->load[ROUTE_PATHS] * pod_value(&w->pod[0], POD_LINK) / 1e9;
}

static double over_switches(const struct world *w, const struct trial *t, enum collective kind)
{
	const double bytes = 1e12; // bandwidth alone
	return slice_collective(&w->pod[0], &t->kept.slice[0], NULL, kind, bytes) /
		slice_collective(&w->pod[1], &t->kept.slice[1], t->kept.network[1], kind, bytes);
}

static double reduce_over_switches(const struct world *w, const struct trial *t)
{
	return over_switches(w, t, ALL_REDUCE);
}

static double to_all_over_switches(const struct world *w, const struct trial *t)
{
	return over_switches(w, t, ALL_TO_ALL);
}

// ---- goodput: first: availability; second: blocks held back ----

static double goodput(const struct world *w, const struct trial *t)
{
	struct block_grid g;
	struct goodput_case c = {.availability = t->row->first, .spares = (int)t->row->second};
	memcpy(c.axis, t->kept.slice[0].axis, sizeof c.axis);
	return block_grid_of(&w->pod[0], &g, NULL) ? 100 * goodput_busy(&g, &c) : (double)NAN;
}

// ---- transformers ----

static const struct transformer *net(const char *name)
{
	int i = 0;
	while (i + 1 < transformer_count && strcmp(transformer_table[i].name, name) != 0)
		i++;
	return &transformer_table[i];
}

// The quickest of the four ways; price->fits: whether one fits.
static bool quickest(const struct world *w, const struct division_job *j, const struct slice *s, const int size[PARTS],
	bool serve, struct division_price *price)
{
	struct division d;
	bool whole;
	*price = (struct division_price){.rate = (double)NAN};
	if (!division_with(s, size, &d, &whole, NULL))
		return false;
	for (int style = 0; style < 4; style++) {
		struct division_price it;
		d.weights_2d = style & 1;
		d.activations_2d = style >> 1;
		if ((serve ? division_serve : division_train)(w, j, &d, &it, NULL) && it.fits &&
			(!price->fits || it.step < price->step))
			*price = it;
	}
	return price->fits;
}

static void job_of(struct division_job *j, const struct world *w, const char *name)
{
	division_job_begin(j, w, net(name));
	j->efficiency = division_calibrate(w);
}

static double gpt3(const struct world *w, const struct trial *t)
{
	static const int expert[PARTS] = {8, 1, 8, 8}, best[PARTS] = {16, 4, 1, 8};
	struct division_job j;
	struct division_price p;
	job_of(&j, w, "gpt3");
	quickest(w, &j, &t->kept.slice[0], t->row->row == PUB_GPT3_EXPERT ? expert : best, false, &p);
	return p.rate;
}

// Of a model that is not named: one that is, in its place.
static double llm(const struct world *w, const struct trial *t)
{
	static const int best[PARTS] = {1, 1, 64, 8}, novice[PARTS] = {1, 1, 16, 32};
	struct division_job j;
	struct division_price p, than;
	job_of(&j, w, t->row->with);
	j.batch = w->input[IN_BATCH];
	quickest(w, &j, &t->kept.slice[0], best, false, &p);
	quickest(w, &j, &t->kept.slice[1], novice, false, &than);
	return p.rate / than.rate;
}

static double palm_training(const struct world *w, const struct trial *t)
{
	static const int own[PARTS] = {1, 256, 12, 1};
	struct division_job j;
	struct division_price p;
	job_of(&j, w, "palm_540b");
	j.pods = 2;
	return quickest(w, &j, &t->kept.slice[0], own, false, &p) ? 100 * p.mfu : (double)NAN;
}

static double gopher_training(const struct world *w, const struct trial *t)
{
	struct division_job j;
	struct division d;
	struct division_price p;
	job_of(&j, w, "gopher_280b");
	j.pods = 4;
	return division_best(w, &j, t->kept.slice[0].chips, false, &d, &p, NULL) && p.fits ? 100 * p.mfu : (double)NAN;
}

static double palm_serving(const struct world *w, const struct trial *t)
{
	static const int own[PARTS] = {1, 1, 4, 16};
	struct division_job j;
	struct division_price p;
	job_of(&j, w, "palm_540b");
	j.format[OF_WEIGHTS] = format_named("int8");
	j.batch = t->row->first;
	bool fits = quickest(w, &j, &t->kept.slice[0], own, true, &p);
	return !fits ? (double)NAN : t->row->row == PUB_PALM_DECODE ? 1e3 * p.step : 100 * p.reading;
}

// ---- embeddings ----

static double embeddings(const struct world *w, const struct trial *t)
{
	static const char *const workload = "dlrm_dcnv2";
	bool host = t->row->row != PUB_SC_V4_V3;
	struct workload *load = malloc(sizeof *load);
	struct embedding_price one, other;
	double ratio = (double)NAN;
	if (load && workload_get(workload, load, NULL)) {
		struct embedding_job j = {.workload = load,
					     .format = format_named("fp32"),
					     .batch = load->batch,
					     .place = PLACE_SPARSECORE},
				     k = j;
		k.place = host ? PLACE_HOST : PLACE_SPARSECORE;
		if (embedding_price_of(w, 0, &t->kept.slice[0], t->kept.network[0], &j, &one, NULL) &&
			embedding_price_of(w, !host, &t->kept.slice[!host], t->kept.network[!host], &k, &other, NULL))
			ratio = other.step / one.step;
	}
	free(load);
	return ratio;
}

// ---- products of published factors ----

static double products(const struct world *w, const struct trial *t)
{
	const struct site *ours = &site_table[0], *average = &site_table[1];
	double energy = 2 * average->pue / ours->pue;
	(void)w;
	return t->row->row == PUB_ENERGY ? energy : energy * average->net / ours->net;
}

// ---- the cases ----

#define BOUND "a bound: every link busy all the time, messages without overhead; what is measured stays below it"
#define STANDIN "the model is not named: one of about its size in its place"
#define ISLANDS                                                                                                                  \
	"rests on the rate of the InfiniBand cards and on islands of 8; the paper simulates a network that is not described"
#define OTHER "another workload: agreement is not claimed"
#define SERVING "memory at its full rate, collectives at their bandwidth; what starting a kernel takes is not counted"

static const struct trial_row cases[] = {
	{PUB_BISECTION, "links as delivered", "tpu_v4", NULL, "16x16x16", NULL, false, bisection, 0, 0,
		"the published figure lies between"},
	{PUB_BISECTION, "links at their peak", "tpu_v4", NULL, "16x16x16", NULL, false, bisection_peak, 0, 0,
		"the published figure lies between"},
	{PUB_ALLREDUCE, "all links at once", "tpu_v4", NULL, "16x16x16", NULL, false, all_links, 0, 0,
		"4096 x 6 links of 45 GB/s"},
	{PUB_TWIST_448, "", "tpu_v4", NULL, "4x4x8", "4x4x8", true, twist_gain, 0, 0, BOUND},
	{PUB_TWIST_488, "", "tpu_v4", NULL, "4x8x8", "4x8x8", true, twist_gain, 0, 0, BOUND},
	{PUB_ALLTOALL_448, "", "tpu_v5p", NULL, "4x4x8", NULL, true, to_all_rate, 0, 0, BOUND},
	{PUB_GOODPUT_2K, "hosts up 99.0 %", "tpu_v4", NULL, "8x16x16", NULL, false, goodput, .99, 0, "the plain rule"},
	{PUB_GOODPUT_2K, "hosts up 99.5 %", "tpu_v4", NULL, "8x16x16", NULL, false, goodput, .995, 0, "the plain rule"},
	{PUB_GOODPUT_2K, "hosts up 99.9 %", "tpu_v4", NULL, "8x16x16", NULL, false, goodput, .999, 0,
		"often all blocks are up, and two slices run"},
	{PUB_GOODPUT_2K, "99.9 %, a block held back", "tpu_v4", NULL, "8x16x16", NULL, false, goodput, .999, 1,
		"a spare always held back"},
	{PUB_GOODPUT_3K, "hosts up 99.0 %", "tpu_v4", NULL, "12x16x16", NULL, false, goodput, .99, 0, "the plain rule"},
	{PUB_GOODPUT_3K, "hosts up 99.5 %", "tpu_v4", NULL, "12x16x16", NULL, false, goodput, .995, 0, "the plain rule"},
	{PUB_GOODPUT_3K, "hosts up 99.9 %", "tpu_v4", NULL, "12x16x16", NULL, false, goodput, .999, 0, "the plain rule"},
	{PUB_GOODPUT_3K, "99.9 %, a block held back", "tpu_v4", NULL, "12x16x16", NULL, false, goodput, .999, 1,
		"a spare always held back"},
	{PUB_GOODPUT_1K, "hosts up 99.0 %", "tpu_v4", NULL, "8x8x16", NULL, false, goodput, .99, 0, "the plain rule"},
	{PUB_GOODPUT_1K, "hosts up 99.5 %", "tpu_v4", NULL, "8x8x16", NULL, false, goodput, .995, 0, "the plain rule"},
	{PUB_GOODPUT_1K, "hosts up 99.9 %", "tpu_v4", NULL, "8x8x16", NULL, false, goodput, .999, 0,
		"often all blocks are up, and four slices run"},
	{PUB_GOODPUT_1K, "99.9 %, a block held back", "tpu_v4", NULL, "8x8x16", NULL, false, goodput, .999, 1,
		"a spare always held back"},
	{PUB_IB_ALLREDUCE_LOW, "64 chips", "tpu_v4_infiniband", "tpu_v4", "64", "4x4x4", false, reduce_over_switches, 0, 0,
		ISLANDS},
	{PUB_IB_ALLREDUCE_HIGH, "4096 chips", "tpu_v4_infiniband", "tpu_v4", "4096", "16x16x16", false, reduce_over_switches, 0,
		0, ISLANDS},
	{PUB_IB_ALLTOALL_LOW, "4096 chips", "tpu_v4_infiniband", "tpu_v4", "4096", "16x16x16", false, to_all_over_switches, 0, 0,
		ISLANDS},
	{PUB_IB_ALLTOALL_HIGH, "64 chips", "tpu_v4_infiniband", "tpu_v4", "64", "4x4x4", false, to_all_over_switches, 0, 0,
		ISLANDS},
	{PUB_GPT3_EXPERT, "", "tpu_v4", NULL, "8x8x8", NULL, false, gpt3, 0, 0, "fitted: the one constant"},
	{PUB_GPT3_BEST, "", "tpu_v4", NULL, "4x8x16", NULL, false, gpt3, 0, 0,
		"how much of the collectives hides behind the matrix unit is not known"},
	{PUB_LLM_RATIO, "lamda_137b", "tpu_v4", NULL, "8x8x8", "4x8x16", false, llm, 0, 0, STANDIN},
	{PUB_LLM_RATIO, "gpt3", "tpu_v4", NULL, "8x8x8", "4x8x16", false, llm, 0, 0, STANDIN},
	{PUB_LLM_RATIO, "palm_62b", "tpu_v4", NULL, "8x8x8", "4x8x16", false, llm, 0, 0, STANDIN},
	{PUB_PALM_TRAIN, "[1,256,12,1]", "tpu_v4_pods", NULL, "12x16x16", NULL, false, palm_training, 0, 0,
		"held out; with its own partition"},
	{PUB_GOPHER_TRAIN, "the best partition", "tpu_v3", NULL, "32x32", NULL, false, gopher_training, 0, 0,
		"held out; Gopher's own partition, a pipeline over pods, is not published in full, and an older program ran it"},
	{PUB_PALM_DECODE, "batch 64", "tpu_v4", NULL, "4x4x4", NULL, false, palm_serving, 64, 0, "held out; " SERVING},
	{PUB_PALM_PREFILL, "batch 512", "tpu_v4", NULL, "4x4x4", NULL, false, palm_serving, 512, 0,
		"held out; the efficiency is fitted to training, where less is reached, and PaLM's blocks need one all-reduce "
		"where two are priced"},
	{PUB_SC_V4_V3, "DLRM-DCNv2", "tpu_v4", "tpu_v3", "4x4x8", "8x16", true, embeddings, 0, 0, OTHER},
	{PUB_SC_HOST_LOW, "DLRM-DCNv2", "tpu_v4", NULL, "4x4x8", NULL, true, embeddings, 0, 0, OTHER},
	{PUB_SC_HOST_HIGH, "DLRM-DCNv2", "tpu_v4", NULL, "4x4x8", NULL, true, embeddings, 0, 0, OTHER},
	{PUB_ENERGY, "", "tpu_v4", NULL, NULL, NULL, false, products, 0, 0, "a product of published factors: no evidence"},
	{PUB_CARBON, "", "tpu_v4", NULL, NULL, NULL, false, products, 0, 0, "a product of published factors: no evidence"},
};

static double model_of(const struct world *w, void *context)
{
	const struct trial *t = context;
	return t->row->model(w, t);
}

static bool keep_slice(struct kept *k, int which, const struct pod *p, const char *shape, bool twisted, struct fault *fault)
{
	if (!shape)
		return true;
	if (!slice_read(p, shape, twisted, &k->slice[which], fault))
		return false;
	if (k->slice[which].islands)
		return true;
	k->network[which] = calloc(1, sizeof *k->network[which]);
	return k->network[which] ? slice_network_of(&k->slice[which], k->network[which], fault)
				 : fault_memory(fault, "a slice's links");
}

static const char *verdict_of(const struct trial_row *c, const struct band *b, double published)
{
	bool moves = b->high - b->low > 1e-6 * fabs(b->high), near = fabs(b->value / published - 1) <= .05;
	if (c->row == PUB_GPT3_EXPERT)
		return "fed";
	if (moves)
		return published >= b->low && published <= b->high ? "band" : "not";
	return near ? "agree" : "not";
}

static bool try_case(const struct trial_row *c, struct published_result *to, struct fault *fault)
{
	struct trial t = {.row = c};
	struct world w;
	struct pod pod, other = {0};
	bool ok = pod_get(c->pod, &pod, fault) && (!c->other || pod_get(c->other, &other, fault));
	ok = ok && keep_slice(&t.kept, 0, &pod, c->shape, c->twisted, fault) &&
		keep_slice(&t.kept, 1, c->other ? &other : &pod, c->against, false, fault);
	if (ok) {
		world_begin(&w, &pod, c->other ? &other : NULL);
		struct band b = world_band(&w, model_of, &t);
		*to = (struct published_result){&published_table[c->row], c->with, b, "", c->reason};
		to->verdict = verdict_of(c, &b, to->row->value);
	}
	free(t.kept.network[0]);
	free(t.kept.network[1]);
	return ok;
}

int published_results(struct published_result results[PUBLISHED_CASES], struct fault *fault)
{
	const int count = sizeof cases / sizeof cases[0];
	_Static_assert(sizeof cases / sizeof cases[0] <= PUBLISHED_CASES, "more cases than there is room for");
	for (int i = 0; i < count; i++)
		if (!try_case(&cases[i], &results[i], fault))
			return 0;
	return count;
}

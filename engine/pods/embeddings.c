// SPDX-License-Identifier: GPL-3.0-or-later
// Prices look-ups in embedding tables. Which unit does what follows OpenXLA's account of SparseCores and the TPU v4 paper; rates
// that neither gives are inputs with a range.
#include <math.h>
#include <stdlib.h>

#include "engine/hardware/device.h"
#include "engine/pods/inside.h"
#include "engine/quant/format.h"

struct sums {               // a chip's, of a step
	double ids, unique; // that its samples look up
	double numbers;     // ids x width
	double moved;       // unique ids x width
	double pooled;      // samples x width, of each table
	double rows;        // rows x width of all tables, not cut
	double one_hot;     // samples x rows x width
};

// Of n uniform draws from `rows`, the share that is distinct.
static double distinct(double rows, double n)
{
	return n > 0 ? -rows * expm1(-n / rows) / n : 1;
}

static struct sums sums_of(const struct world *w, const struct embedding_job *j, double chips, int place)
{
	struct sums s = {0};
	double samples = j->batch / chips;
	for (int i = 0; i < j->workload->tables; i++) {
		const struct embedding_table *t = &j->workload->table[i];
		if ((j->place == EMBEDDING_PLACES ? t->place : j->place) != place)
			continue;
		double ids = samples * t->hot,
		       unique = w->set[IN_UNIQUE] ? w->input[IN_UNIQUE]
			: t->unique > 0           ? t->unique
			: t->unique < 0           ? distinct(t->rows, ids)
						  : w->input[IN_UNIQUE];
		unique = j->keep_duplicates ? ids : fmin(ids * unique, t->rows);
		s.ids += ids;
		s.unique += unique;
		s.numbers += ids * t->width;
		s.moved += unique * t->width;
		s.pooled += samples * t->width;
		s.rows += t->rows * t->width;
		s.one_hot += samples * t->rows * t->width;
	}
	return s;
}

// The longest, by name.
static double longest(struct embedding_price *to)
{
	const struct {
		double time;
		const char *name;
	} limit[] = {{to->rows, "memory"}, {to->vector, "vector unit"}, {to->handling, "ids"}, {to->exchange, "exchange"}};
	double most = 0;
	for (int i = 0; i < 4; i++)
		if (limit[i].time > most) {
			most = limit[i].time;
			to->binds = limit[i].name;
		}
	return most;
}

static bool sparse_part(const struct world *w, const struct pod *p, const struct device *d, const struct slice *s,
	const struct slice_network *n, const struct embedding_job *j, double number, struct embedding_price *to,
	struct fault *fault)
{
	struct sums all = sums_of(w, j, s->chips, PLACE_SPARSECORE);
	double cores = pod_value(p, POD_CORES), lanes = pod_value(p, POD_LANES), clock = pod_value(p, POD_CLOCK),
	       passes = j->serve ? 1 : 2;
	if (!(all.ids > 0))
		return true;
	if (!(cores > 0 && lanes > 0 && clock > 0))
		return fault_set(fault, p->name, "put the tables on tensor cores or hosts: place=host",
			"it has no SparseCores, or their rate is unknown");
	double accesses = j->serve ? 1 : w->input[IN_EMBED_STATE], far = 1 - 1. / s->chips;
	to->rows = all.moved * number * accesses / (d->bandwidth * w->input[IN_HBM_RANDOM]);
	to->vector = passes * all.numbers / (cores * lanes * clock);
	to->handling = passes * all.ids * w->input[IN_SC_ID] / (cores * lanes / 8 * clock); // a tile adds 8 numbers a cycle
	double sent = (all.moved * number * passes + all.unique * 4) * far;                 // ids have 4 bytes
	to->exchange = s->chips > 1 ? slice_collective(p, s, n, ALL_TO_ALL, sent * s->chips) : 0;
	to->overhead = w->input[IN_SC_OVERHEAD] * 1e-6;
	to->ids += all.ids * s->chips;
	to->unique += all.unique * s->chips;
	to->memory += all.rows * number * (j->serve ? 1 : 2) / s->chips; // with an accumulator a number
	return true;
}

static void tensor_part(const struct world *w, const struct pod *p, const struct slice *s, const struct embedding_job *j,
	double number, double rate, struct embedding_price *to)
{
	struct sums all = sums_of(w, j, s->chips, PLACE_TENSORCORE);
	double grads = j->serve || all.rows <= 0 ? 0 : slice_collective(p, s, NULL, ALL_REDUCE, all.rows * number);
	to->tensor = 2 * all.one_hot * (j->serve ? 1 : 2) / rate + grads;
	to->memory += all.rows * number * (j->serve ? 1 : 2);
	to->ids += all.ids * s->chips;
	to->unique += all.unique * s->chips;
}

// A host looks up for its chips, gets what other hosts hold over the data-centre network, and sends its chips one pooled row a
// sample and table; in training as much comes back.
static bool host_part(const struct world *w, const struct pod *p, const struct slice *s, const struct embedding_job *j,
	double number, struct embedding_price *to, struct fault *fault)
{
	struct sums all = sums_of(w, j, s->chips, PLACE_HOST);
	double chips = fmin(pod_value(p, POD_HOST), s->chips), hosts = s->chips / chips, passes = j->serve ? 1 : 2;
	double memory = pod_value(p, POD_HOST_MEMORY), network = pod_value(p, POD_DCN), bus = pod_value(p, POD_PCIE);
	if (!(all.ids > 0))
		return true;
	if (!(memory > 0 && network > 0 && bus > 0))
		return fault_set(fault, p->name, "give host_memory, dcn and pcie", "the rates of its hosts are unknown");
	double rows = all.moved * chips * number * (j->serve ? 1 : w->input[IN_EMBED_STATE]) / (memory * w->input[IN_HBM_RANDOM]);
	double between = passes * all.moved * chips * number * (1 - 1 / hosts) / network;
	to->host = fmax(fmax(rows, between), passes * all.pooled * number / bus);
	to->ids += all.ids * s->chips;
	to->unique += all.unique * s->chips;
	return true;
}

bool embedding_price_of(const struct world *w, int pod, const struct slice *s, const struct slice_network *n,
	const struct embedding_job *j, struct embedding_price *to, struct fault *fault)
{
	const struct pod *p = &w->pod[pod];
	struct device d;
	*to = (struct embedding_price){.binds = "dense layers"};
	if (!device_get(p->device, &d, fault))
		return false;
	double peak = d.peak[NATIVE_BF16] > 0 ? d.peak[NATIVE_BF16] : d.peak[NATIVE_FP16], rate = peak * w->input[IN_DENSE_MFU];
	double number = format_whole_bits(j->format) / 8;
	if (!(rate > 0) || !(d.bandwidth > 0))
		return fault_set(fault, p->name, "choose another pod", "the rate of %s, or of its memory, is unknown", d.name);
	if (!sparse_part(w, p, &d, s, n, j, number, to, fault) || !host_part(w, p, s, j, number, to, fault))
		return false;
	tensor_part(w, p, s, j, number, rate, to);
	to->dense = 2 * j->workload->dense * j->batch / s->chips * (j->serve ? 1 : 3) / rate;
	double sparse = longest(to) + to->overhead, tensor = to->dense + to->tensor, looked = sparse + to->host;
	to->step = j->pipelined ? fmax(looked, tensor) : looked + tensor;
	if (tensor > looked)
		to->binds = to->tensor > to->dense ? "tensor cores' look-ups" : "dense layers";
	else if (to->host > sparse)
		to->binds = "hosts";
	else if (to->overhead > sparse / 2)
		to->binds = "overhead";
	to->rate = j->batch / to->step;
	to->fits = to->memory <= pod_value(p, POD_MEMORY);
	return true;
}

// ---- a place for each table ----

struct placing {
	const struct world *world;
	int pod;
	const struct slice *slice;
	const struct slice_network *network;
	struct embedding_job job;
	struct workload workload; // whose places are tried
};

// Seconds; INFINITY: cannot be, as the fault says.
static double step_of(const struct placing *p, struct fault *fault)
{
	struct embedding_price price;
	if (!embedding_price_of(p->world, p->pod, p->slice, p->network, &p->job, &price, fault))
		return INFINITY;
	if (price.fits)
		return price.step;
	fault_set(fault, p->workload.name, "take more chips or a narrower format",
		"the tables do not fit, wherever they are put");
	return INFINITY;
}

// Makes the best move of one table. Returns whether one was better.
static bool move_one(struct placing *p, double *step)
{
	int best = -1, where = 0;
	for (int i = 0; i < p->workload.tables; i++) {
		const int before = p->workload.table[i].place;
		for (int place = 0; place < EMBEDDING_PLACES; place++) {
			p->workload.table[i].place = place;
			double its = place == before ? INFINITY : step_of(p, NULL);
			if (its < *step) {
				*step = its;
				best = i;
				where = place;
			}
		}
		p->workload.table[i].place = before;
	}
	if (best >= 0)
		p->workload.table[best].place = where;
	return best >= 0;
}

bool embedding_place_each(const struct world *w, int pod, const struct slice *s, const struct slice_network *n,
	const struct embedding_job *j, int *to, struct fault *fault)
{
	struct placing *p = malloc(sizeof *p);
	double least = INFINITY;
	if (!p)
		return fault_memory(fault, "embeddings");
	*p = (struct placing){w, pod, s, n, *j, *j->workload};
	p->job.workload = &p->workload;
	p->job.place = EMBEDDING_PLACES;
	for (int from = EMBEDDING_PLACES - 1; from >= 0; from--) { // the first place's fault is told
		for (int i = 0; i < p->workload.tables; i++)
			p->workload.table[i].place = from;
		double step = step_of(p, fault);
		while (move_one(p, &step))
			;
		if (step < least) {
			least = step;
			for (int i = 0; i < p->workload.tables; i++)
				to[i] = p->workload.table[i].place;
		}
	}
	free(p);
	return isfinite(least);
}

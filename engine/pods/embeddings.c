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

static int place_of(const struct embedding_job *j, int table)
{
	return j->place == EMBEDDING_PLACES ? j->workload->table[table].place : j->place;
}

static void add_table(struct sums *s, const struct world *w, const struct embedding_job *j, double samples, int table)
{
	const struct embedding_table *t = &j->workload->table[table];
	double ids = samples * t->hot,
	       unique = w->set[IN_UNIQUE] ? w->input[IN_UNIQUE]
		: t->unique > 0           ? t->unique
		: t->unique < 0           ? distinct(t->rows, ids)
					  : w->input[IN_UNIQUE];
	unique = j->keep_duplicates ? ids : fmin(ids * unique, t->rows);
	s->ids += ids;
	s->unique += unique;
	s->numbers += ids * t->width;
	s->moved += unique * t->width;
	s->pooled += samples * t->width;
	s->rows += t->rows * t->width;
	s->one_hot += samples * t->rows * t->width;
}

static struct sums sums_of(const struct world *w, const struct embedding_job *j, double chips, int place)
{
	struct sums s = {0};
	for (int i = 0; i < j->workload->tables; i++)
		if (place_of(j, i) == place)
			add_table(&s, w, j, j->batch / chips, i);
	return s;
}

// ---- stacks of tables on SparseCores ----

enum { LIST = 8, ROW_BYTES = 32, ROWS = 8 }; // what lists of ids, rows, and tables over the SparseCores are padded to

static double padded(double x, double to)
{
	return ceil(x / to) * to;
}

struct stack {
	double width; // numbers, padded
	struct sums sums;
	double rows; // x width, padded
};

struct looked_up {
	double hot;
	int table;
};

static int by_hot(const void *a, const void *b)
{
	const struct looked_up *x = a, *y = b;
	return x->hot < y->hot ? 1 : x->hot > y->hot ? -1 : x->table - y->table;
}

// The tables on SparseCores; where they are dealt over stacks the ones that are looked up most come first, so that it is done evenly. Fills
// order[tables]; returns how many there are.
static int order_of(const struct embedding_job *j, struct looked_up *order)
{
	int count = 0;
	for (int i = 0; i < j->workload->tables; i++)
		if (place_of(j, i) == PLACE_SPARSECORE)
			order[count++] = (struct looked_up){j->workload->table[i].hot, i};
	if (j->stacks > 1)
		qsort(order, (size_t)count, sizeof *order, by_hot);
	return count;
}

// The stack for one more table of this width: a new one while there may be, else the one with the least ids.
static struct stack *stack_for(struct stack *stack, int *stacks, double width, const struct embedding_job *j)
{
	struct stack *least = NULL;
	int its = 0;
	for (int i = 0; j->stacks != STACKS_ALONE && i < *stacks; i++)
		if (fabs(stack[i].width - width) < .5) {
			its++;
			least = !least || stack[i].sums.ids < least->sums.ids ? &stack[i] : least;
		}
	if (least && its >= j->stacks)
		return least;
	stack[*stacks] = (struct stack){.width = width};
	return &stack[(*stacks)++];
}

// Fills stack[tables]; returns how many there are. partitions: SparseCores of the slice.
static int stacks_of(const struct world *w, const struct embedding_job *j, double chips, double partitions, double number,
	struct stack *stack)
{
	struct looked_up order[EMBEDDING_TABLES];
	int stacks = 0;
	const int count = order_of(j, order);
	for (int i = 0; i < count; i++) {
		const struct embedding_table *t = &j->workload->table[order[i].table];
		double width = padded(t->width * number, ROW_BYTES) / number;
		struct stack *s = stack_for(stack, &stacks, width, j);
		add_table(&s->sums, w, j, j->batch / chips, order[i].table);
		s->rows += padded(t->rows, ROWS * partitions) * width;
	}
	return stacks;
}

// The ids of a chip with the padding of its lists: one from each of its SparseCores to every SparseCore.
static double listed(double ids, double cores, double partitions)
{
	double lists = cores * partitions;
	return fmin(LIST * ids, lists * padded(ids / lists, LIST)); // an empty list takes nothing
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
	double cores = pod_value(p, POD_CORES), lanes = pod_value(p, POD_LANES), clock = pod_value(p, POD_CLOCK),
	       passes = j->serve ? 1 : 2, accesses = j->serve ? 1 : w->input[IN_EMBED_STATE], far = 1 - 1. / s->chips;
	struct stack stack[EMBEDDING_TABLES];
	const double partitions = fmax(cores, 1) * s->chips;
	to->stacks = stacks_of(w, j, s->chips, partitions, number, stack);
	if (!to->stacks)
		return true;
	if (!(cores > 0 && lanes > 0 && clock > 0))
		return fault_set(fault, p->name, "put the tables on tensor cores or hosts: place=host",
			"it has no SparseCores, or their rate is unknown");
	for (int i = 0; i < to->stacks; i++) {
		const struct sums *its = &stack[i].sums;
		double row = stack[i].width * number, ids = listed(its->ids, cores, partitions);
		double sent = (its->unique * row * passes + its->unique * 4) * far; // ids have 4 bytes
		to->rows += its->unique * row * accesses / (d->bandwidth * w->input[IN_HBM_RANDOM]);
		to->vector += passes * its->ids * stack[i].width / (cores * lanes * clock);
		to->handling += passes * ids * w->input[IN_SC_ID] / (cores * lanes / 8 * clock); // a tile adds 8 numbers a cycle
		to->exchange += s->chips > 1 ? slice_collective(p, s, n, ALL_TO_ALL, sent * s->chips) : 0;
		to->overhead += w->input[IN_SC_OVERHEAD] * 1e-6;
		to->ids += its->ids * s->chips;
		to->unique += its->unique * s->chips;
		to->listed += ids * s->chips;
		to->padding += (ids - its->ids) * s->chips;
		to->buffers = fmax(to->buffers, its->unique * (j->serve ? 2 * row + 4 : 3 * row));
		to->memory += stack[i].rows * number * (j->serve ? 1 : 2) / s->chips; // with an accumulator a number
	}
	to->memory += to->buffers;
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
	double number = format_table[j->format].bits / 8.;
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

// ---- how many stacks ----

bool embedding_stack_best(const struct world *w, int pod, const struct slice *s, const struct slice_network *n,
	const struct embedding_job *j, int *stacks, struct fault *fault)
{
	struct embedding_job its = *j;
	struct embedding_price price;
	double least = INFINITY;
	for (int most = 1, before = 0; most <= EMBEDDING_TABLES; most++, before = price.stacks) {
		its.stacks = most;
		if (!embedding_price_of(w, pod, s, n, &its, &price, fault))
			return false;
		if (most > 1 && price.stacks == before) // there are no more tables
			break;
		if (price.fits && price.step < least) {
			least = price.step;
			*stacks = most;
		}
	}
	return isfinite(least) ||
		fault_set(fault, j->workload->name, "take more chips or a narrower format, or place large tables elsewhere",
			"the tables do not fit, however they are stacked");
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

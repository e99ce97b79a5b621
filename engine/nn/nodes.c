// SPDX-License-Identifier: GPL-3.0-or-later
// The lay-out for the model that runs: its nodes, what each of them takes of memory, which numbers of the whole it uses, and where
// outputs and gradients lie. Made anew when another model is to run, in the memory of the one before; a model that is its own whole is
// laid out once.
//
// Every number that a node learns has two places. In the whole's arrays (weights, momentum, averages) a node uses a portion of what its operator
// has there. In the gradient the numbers in use lie without gaps, as they would if the model ran alone. So a path sums its gradient in the
// order in which that network would. Passes read a portion that is one run of neighbours where it is, and a copy of any other.
#include <string.h>

#include "engine/nn/node.h"

// ---- parameters, and what a node takes of memory ----

static long rounded(long n)
{
	return (n + NN_SLACK + NN_ALIGN - 1) / NN_ALIGN * NN_ALIGN;
}

// Which of the whole's numbers it is.
static void find_portion(const struct network *net, struct parameter *p, int ordinal)
{
	const struct node *n = &net->node[p->op];
	const struct op *all = &net->whole->op[n->home];
	const struct parameter *from = &net->all[p->set < 0 ? net->first[n->home] + ordinal : net->first_set[n->home] + p->set];
	if (parameter_is_weight(p))
		p->portion = portion_of(all, portion_inputs(net->whole, n->home), n->op, n->in.c);
	else if (n->op->kind == OP_AFFINE)
		p->portion = portion_rows(1, (int)from->count, 1, (int)p->count);
	else
		p->portion = portion_rows((int)(from->count / all->out.c), all->out.c, (int)(p->count / n->out.c), n->out.c);
	p->runs = portion_runs(&p->portion, &p->run);
	p->from = from->at;
}

static long add_parameter(struct storage *l, struct parameter p)
{
	p.at = l->parameters;
	p.op = l->op;
	if (l->of_whole)
		p.from = p.at;
	else
		find_portion(l->net, &p, l->parameter_count - l->first);
	if (p.runs > 1) {
		p.copy = storage_work(l, p.count);
		l->copies++;
	}
	if (l->parameter)
		l->parameter[l->parameter_count] = p;
	l->parameter_count++;
	l->parameters += rounded(p.count);
	return p.at;
}

long storage_parameter(struct storage *l, const float **now, long count, enum fill fill, int fan)
{
	return add_parameter(l, (struct parameter){.now = now, .count = count, .fill = fill, .fan = fan, .set = -1});
}

long storage_set(struct storage *l, const float **now, long count, int set)
{
	return add_parameter(l, (struct parameter){.now = now, .count = count, .fill = FILL_ZERO, .set = set});
}

float *storage_work(struct storage *l, long count)
{
	float *p = l->base ? l->base + l->used : NULL;
	l->used += rounded(count);
	return p;
}

static long greater(long a, long b)
{
	return a > b ? a : b;
}

void storage_scratch(struct storage *l, long image, long gradient, long back)
{
	l->image = greater(l->image, rounded(image));
	l->gradient = greater(l->gradient, rounded(gradient));
	l->back = greater(l->back, rounded(back));
}

void storage_partial(struct storage *l, struct node *n, long count, int chunks)
{
	n->partial_stride = rounded(count);
	l->partial = greater(l->partial, chunks * rounded(count));
}

static void reserve(struct network *net, struct storage *l)
{
	for (l->op = 0; l->op < net->model->ops; l->op++) {
		struct node *n = &net->node[l->op];
		n->parameter = l->first = l->parameter_count;
		if (l->of_whole)
			net->first[l->op] = l->first;
		if (n->does->reserve)
			n->does->reserve(net, n, l);
	}
	for (l->op = 0; net->sets && l->op < net->model->ops;
		l->op++) { // behind all others, so that fresh weights are the same with them
		if (l->of_whole)
			net->first_set[l->op] = l->parameter_count;
		if (net->model->op[l->op].kind == OP_NORM)
			norm_reserve_sets(net, &net->node[l->op], l);
	}
}

// ---- nodes ----

// Who reads whom, which norms may wait, and which layers have a norm of their own.
static void find_readers(struct network *net)
{
	const struct model *m = net->model;
	for (int i = 0; i < m->ops; i++) {
		struct node *n = &net->node[i];
		int readers = 0;
		bool all_apply = n->op->kind == OP_NORM;
		n->reader = -1;
		for (int r = m->ops - 1; r > i; r--)
			for (int k = 0; k < m->op[r].inputs; k++)
				if (m->op[r].in[k] == i) {
					n->reader = r;
					readers++;
					all_apply = all_apply &&
						(m->op[r].layer >= 0 || (m->op[r].kind == OP_ADD && n->op->act == ACT_NONE));
				}
		n->can_wait = all_apply && readers > 0 && n->op->act != ACT_GELU; // GELU's peak is not known from extremes
		if (n->op->layer >= 0 && !n->op->bias && readers == 1 && m->op[n->reader].kind == OP_NORM)
			n->norm = &net->node[n->reader];
	}
}

// The layer of the whole whose set a norm uses.
static int followed(const struct network *net, int op)
{
	for (; op > 0; op = net->model->op[op].in[0])
		if (net->node[op].layer >= 0)
			return net->node[op].layer;
	return -1;
}

static bool make_nodes(struct network *net, const struct model *m, const struct path *path)
{
	net->model = m;
	net->node = network_room(net, ROOM_NODES, (size_t)m->ops * sizeof *net->node);
	if (!net->node)
		return false;
	memset(net->node, 0, (size_t)m->ops * sizeof *net->node);
	for (int i = 0; i < m->ops; i++) {
		struct node *n = &net->node[i];
		n->op = &m->op[i];
		n->in = n->op->layer >= 0 ? m->layer[n->op->layer].in : m->op[n->op->in[0]].out;
		n->out = n->op->out;
		n->does = operator_of(n);
		n->home = path ? path->op[i] : i;
		n->layer = path && n->op->layer >= 0 ? path->layer[n->op->layer] : n->op->layer;
		n->follows = followed(net, i);
	}
	return true;
}

// ---- outputs and gradients ----

// They live for a part of a pass only, and share memory where they do not meet. Time runs through the operators forward, 0..ops-1, then
// backward: operator i's turn is 2*ops - i.
struct life {
	int born, dies;
	long size, at;
};

static bool meet(const struct life *a, const struct life *b)
{
	return a->born <= b->dies && b->born <= a->dies;
}

// First fit, in order of birth; returns the size of the whole.
static long place(struct life *life, int count)
{
	long top = 0;
	for (int i = 0; i < count; i++) {
		long at = 0;
		for (bool moved = life[i].size > 0; moved;) {
			moved = false;
			for (int j = 0; j < count; j++)
				if (j != i && life[j].at >= 0 && meet(&life[i], &life[j]) && at < life[j].at + life[j].size &&
					life[j].at < at + life[i].size) {
					at = life[j].at + life[j].size;
					moved = true;
				}
		}
		life[i].at = at;
		top = at + life[i].size > top ? at + life[i].size : top;
	}
	return top;
}

// What norms that can wait write, in passes in which they do not, lies by itself: no others' memory depends on it.
static bool written_always(const struct network *net, int life)
{
	return life >= net->model->ops || !net->node[life].can_wait;
}

static bool written_rarely(const struct network *net, int life)
{
	return !written_always(net, life);
}

// Places some of the outputs and gradients in a room of their own; returns where it begins.
static float *place_some(struct network *net, enum room room, struct life *life, bool (*among)(const struct network *, int life))
{
	const int count = 2 * net->model->ops;
	struct life *some = life + count;
	for (int i = 0; i < count; i++) {
		some[i] = (struct life){life[i].born, life[i].dies, among(net, i) ? life[i].size : 0, -1};
	}
	float *base = network_room(net, room, (size_t)place(some, count) * sizeof *base);
	for (int i = 0; i < count; i++)
		life[i].at = some[i].at;
	return base;
}

static bool place_activations(struct network *net)
{
	const struct model *m = net->model;
	int ops = m->ops;
	struct life *life = network_room(net, ROOM_LIVES,
		4 * (size_t)ops * sizeof *life); // outputs, then gradients by turn; some of them
	if (!life)
		return false;
	for (int i = 0; i < ops; i++) {
		const struct op *op = &m->op[i];
		struct life *out = &life[i], *grad = &life[2 * ops - 1 - i];
		*out = (struct life){i == 0 ? -1 : i, net->node[i].does->keeps_output ? 2 * ops - i : i,
			rounded(net->batch * shape_size(op->out)), -1};
		// The gradient of a layer with a norm of its own is never written: it is taken through the norm, from the norm's.
		*grad = (struct life){2 * ops, 2 * ops - i, i == 0 || net->node[i].norm ? 0 : out->size, -1};
		if (op->kind == OP_NORM && net->node[op->in[0]].norm)
			grad->dies = 2 * ops - op->in[0];
		if (i == ops - 1)
			out->dies = 2 * ops, grad->born = ops;
		for (int k = 0; k < op->inputs; k++) {
			int in = op->in[k], turn = net->node[i].does->keeps_input ? 2 * ops - i : i;
			struct life *read = &life[in], *back = &life[2 * ops - 1 - in];
			read->dies = turn > read->dies ? turn : read->dies;
			if (net->node[in].can_wait) {
				struct life *behind = &life[m->op[in].in[0]];
				behind->dies = turn > behind->dies ? turn : behind->dies;
			}
			if (net->node[in].norm)
				read->dies = 2 * ops - in;
			back->born = 2 * ops - i < back->born ? 2 * ops - i : back->born;
		}
	}
	for (int i = 0; net->outputs && i < ops; i++) {
		life[i].dies = 2 * ops;
		life[2 * ops - 1 - i].size = i == ops - 1 ? life[i].size : 0;
	}
	float *base = place_some(net, ROOM_ACTIVATIONS, life, written_always);
	for (int i = 0; base && i < ops; i++) {
		net->node[i].x = base + life[i].at;
		net->node[i].grad = i == 0 ? NULL : base + life[2 * ops - 1 - i].at;
	}
	float *rest = place_some(net, ROOM_WRITTEN, life, written_rarely);
	for (int i = 0; rest && i < ops; i++)
		if (net->node[i].can_wait)
			net->node[i].x = rest + life[i].at;
	return base && rest;
}

// The last operator that reads what another wrote, in its place or through a norm that waits.
static int last_to_read(const struct network *net, int op)
{
	int last = op;
	for (int r = net->model->ops - 1; r > op; r--)
		for (int k = 0; k < net->model->op[r].inputs; k++) {
			int in = net->model->op[r].in[k];
			bool through = net->node[in].can_wait && net->model->op[in].in[0] == op;
			last = (in == op || through) && r > last ? r : last;
		}
	return last;
}

static bool shares(const float *a, long size, const float *b, long other)
{
	return a < b + other && b < a + size;
}

// Between the output of one operator and its last reader a pass cannot begin if an operator behind writes over it; nor if the loss does. Nor does
// it begin at a norm whose sums its layer has taken, and the norm added up.
static void find_resumptions(struct network *net)
{
	const struct model *m = net->model;
	for (int p = 0; p < m->ops; p++)
		net->node[p].resumes = p == 0 || net->node[m->op[p].in[0]].norm != &net->node[p];
	for (int i = 0; i < m->ops; i++) {
		const struct node *n = &net->node[i], *end = &net->node[m->ops - 1];
		long size = net->batch * shape_size(n->out);
		int read = last_to_read(net, i), over = i;
		for (int r = i + 1; r < m->ops; r++)
			if (shares(n->x, size, net->node[r].x, net->batch * shape_size(m->op[r].out)))
				over = r;
		if (shares(n->x, size, end->grad, net->batch * shape_size(end->out)))
			over = m->ops;
		for (int p = i + 1; p <= least(read, over); p++)
			net->node[p].resumes = false;
	}
}

// ---- all of it ----

static bool make_scratch(struct network *net, const struct storage *l)
{
	int threads = team_size(net->team), channels = 0;
	for (int i = 0; i < net->model->ops; i++)
		channels = net->node[i].out.c > channels ? net->node[i].out.c : channels;
	size_t of_channels = (size_t)channels * sizeof(float);
	net->sum_stride = 2 * channels;
	float *arrays = network_room(net, ROOM_ARRAYS, (size_t)(threads * (l->image + l->gradient + l->back)) * sizeof *arrays);
	net->scratch = network_room(net, ROOM_SCRATCH, (size_t)threads * sizeof *net->scratch);
	net->partial = network_room(net, ROOM_PARTIAL, (size_t)l->partial * sizeof *net->partial);
	net->sums = network_room(net, ROOM_SUMS, (size_t)(NN_CHUNKS * net->sum_stride) * sizeof *net->sums);
	net->zeros = network_room(net, ROOM_ZEROS, of_channels);
	net->ones = network_room(net, ROOM_ONES, of_channels);
	if (!arrays || !net->scratch || !net->partial || !net->sums || !net->zeros || !net->ones)
		return false;
	for (int i = 0; i < channels; i++)
		net->ones[i] = 1;
	for (int i = 0; i < threads; i++, arrays += l->image + l->gradient + l->back)
		net->scratch[i] = (struct scratch){arrays, arrays + l->image, arrays + l->image + l->gradient};
	return true;
}

bool nodes_whole(struct network *net)
{
	struct storage l = {.net = net, .of_whole = true};
	size_t ops = (size_t)net->whole->ops;
	net->first = network_block(net, ops * sizeof *net->first);
	net->first_set = network_block(net, ops * sizeof *net->first_set);
	if (!net->first || !net->first_set || !make_nodes(net, net->whole, NULL))
		return false;
	reserve(net, &l);
	net->parameters = l.parameters;
	net->all_count = l.parameter_count;
	l = (struct storage){.net = net, .of_whole = true};
	l.parameter = net->all = network_block(net, (size_t)net->all_count * sizeof *net->all);
	if (!net->all)
		return false;
	reserve(net, &l);
	return true;
}

// What is learnt of it, and nodes' own arrays, begin as in a new network: as zeros. All else is written before it is read.
static bool make(struct network *net, const struct path *path)
{
	struct storage l = {.net = net};
	if (!make_nodes(net, path ? path->model : net->whole, path))
		return false;
	reserve(net, &l);
	find_readers(net);
	size_t work = (size_t)l.used * sizeof(float), gradient = (size_t)l.parameters * sizeof(float);
	struct storage cut = {.net = net,
		.base = network_room(net, ROOM_WORK, work),
		.parameter = network_room(net, ROOM_PARAMETERS, (size_t)l.parameter_count * sizeof *cut.parameter)};
	net->gradient = network_room(net, ROOM_GRADIENT, gradient);
	if (!cut.base || !cut.parameter || !net->gradient)
		return false;
	memset(cut.base, 0, work);
	memset(net->gradient, 0, gradient);
	reserve(net, &cut);
	net->parameter = cut.parameter;
	net->parameter_count = cut.parameter_count;
	net->gradients = cut.parameters;
	net->copies = cut.copies;
	if (!make_scratch(net, &l) || !place_activations(net) || !optimizer_find_pieces(net))
		return false;
	find_resumptions(net);
	return true;
}

bool nodes_make(struct network *net, const struct path *path)
{
	net->settled = 0;
	if (!make(net, path))
		return false;
	net->settled = path ? path->id : 0;
	return true;
}

// ---- the numbers in use ----

static void copy_portion(void *context, int parameter, int worker)
{
	(void)worker;
	const struct network *net = context;
	const struct parameter *p = &net->parameter[parameter];
	if (p->runs == 1 || parameter_rests(net, p))
		return;
	for (long i = 0; i < p->runs; i++)
		memcpy(p->copy + i * p->run, net->weights + p->from + portion_run(&p->portion, i),
			(size_t)p->run * sizeof(float));
}

void nodes_bind(struct network *net)
{
	for (int i = 0; i < net->parameter_count; i++) {
		const struct parameter *p = &net->parameter[i];
		if (!parameter_rests(net, p))
			*p->now = p->runs > 1 ? p->copy : net->weights + p->from + portion_run(&p->portion, 0);
	}
	if (net->copies)
		team_run(net->team, net->parameter_count, copy_portion, net);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Weights by name: from a file into a network, and out of it.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/safetensors.h"
#include "engine/model/parameters.h"
#include "engine/nn/node.h"

static const char mean_word[] = "running_mean", variance_word[] = "running_var";

// Of a norm, in place of the name's last word.
static void name_like(const char *name, const char *word, char to[PARAMETER_NAME + 16])
{
	const char *dot = strrchr(name, '.');
	snprintf(to, PARAMETER_NAME + 16, "%.*s.%s", (int)(dot - name), name, word);
}

// The norm that alone reads a layer without a bias; -1: there is none.
static int folding_norm(const struct model *m, int layer_op)
{
	int norm = -1;
	if (m->op[layer_op].layer < 0 || m->op[layer_op].bias)
		return -1;
	for (int i = layer_op + 1; i < m->ops; i++)
		for (int k = 0; k < m->op[i].inputs; k++)
			if (m->op[i].in[k] == layer_op) {
				if (norm >= 0 || m->op[i].kind != OP_NORM)
					return -1;
				norm = i;
			}
	return norm;
}

// ---- reading ----

struct reading {
	struct network *net;
	const struct safetensors *from;
	struct fault *fault;
	double epsilon; // that the file's variances go with
	int used;       // of its arrays
	float *numbers; // room for the largest parameter
};

static bool of_another(const struct reading *r, const char *name, const char *what)
{
	char where[256];
	snprintf(where, sizeof where, "%.150s: %.100s", r->from->path, name);
	return fault_set(r->fault, where, "name a file for this network; `export weights` shows its names and sizes", "%s", what);
}

static void write_sizes(const long *size, int rank, char buf[96])
{
	size_t used = 0;
	buf[0] = 0;
	for (int i = 0; i < rank && used < 90; i++)
		used += (size_t)snprintf(buf + used, 96 - used, "%s%ld", i ? "x" : "", size[i]);
}

// Reads the array of this name into r->numbers.
static bool read_array(struct reading *r, const char *name, int rank, const int *size)
{
	const struct safetensor *t = safetensors_find(r->from, name);
	long wanted[PARAMETER_RANK] = {0};
	bool same = t && t->rank == rank;
	if (!t)
		return of_another(r, name, "it is not there");
	for (int i = 0; i < rank; i++) {
		wanted[i] = size[i];
		same = same && t->size[i] == size[i];
	}
	if (!same || !t->floats) {
		char is[96], ours[96], what[256];
		write_sizes(t->size, t->rank, is);
		write_sizes(wanted, rank, ours);
		snprintf(what, sizeof what, "it is %s of %s, and should be floats of %s", t->type, is, ours);
		return of_another(r, name, what);
	}
	safetensor_floats(t, r->numbers);
	r->used++;
	for (long i = 0; i < t->count; i++)
		if (!isfinite(r->numbers[i])) {
			char what[96];
			snprintf(what, sizeof what, "its number %ld is %f", i + 1, (double)r->numbers[i]);
			return of_another(r, name, what);
		}
	return true;
}

static bool read_statistics(struct reading *r, const struct parameter_info *p)
{
	struct network *net = r->net;
	char name[PARAMETER_NAME + 16];
	float *to = net->statistics ? net->statistics + net->statistics_at[p->op] : NULL;
	name_like(p->name, mean_word, name);
	if (!to && !safetensors_find(r->from, name))
		return true;
	if (!read_array(r, name, 1, p->size))
		return false;
	if (to)
		memcpy(to, r->numbers, (size_t)p->count * sizeof *to);
	name_like(p->name, variance_word, name);
	if (!read_array(r, name, 1, p->size))
		return false;
	for (long i = 0; i < p->count; i++) {
		double variance = (double)r->numbers[i] + r->epsilon - norm_epsilon;
		if (variance + norm_epsilon <= 0)
			return of_another(r, name, "a variance is below 0");
		if (to)
			to[p->count + i] = (float)variance;
	}
	return true;
}

// A norm that was folded into the layer before it: what is left of it is the layer's bias.
static bool read_folded(struct reading *r, const struct parameter_info *layer, int norm)
{
	struct network *net = r->net;
	char name[PARAMETER_NAME + 16];
	long count;
	float *gain = network_parameter(net, norm, 0, &count), *bias = network_parameter(net, norm, 1, &count);
	name_like(layer->name, "bias", name);
	if (!net->statistics)
		return of_another(r, name, "a norm was folded into it, which goes with statistics=given alone");
	if (!read_array(r, name, 1, (int[]){(int)count}))
		return false;
	float *to = net->statistics + net->statistics_at[norm];
	for (long i = 0; i < count; i++) {
		gain[i] = 1;
		bias[i] = r->numbers[i];
		to[i] = 0;
		to[count + i] = (float)(1 - norm_epsilon);
	}
	return true;
}

static bool has(const struct reading *r, const char *name)
{
	return safetensors_find(r->from, name);
}

// The weights of a layer that has them folded, or -1 as the norm.
static int folded_into(const struct reading *r, const struct parameter_info *list, int count, const struct parameter_info *p)
{
	char bias[PARAMETER_NAME + 16];
	int norm = p->part == 0 ? folding_norm(r->net->whole, p->op) : -1;
	name_like(p->name, "bias", bias);
	for (int i = 0; norm >= 0 && i < count; i++)
		if (list[i].op == norm && has(r, list[i].name))
			return -1;
	return norm >= 0 && has(r, bias) ? norm : -1;
}

static bool is_norm(const struct reading *r, const struct parameter_info *p)
{
	return r->net->whole->op[p->op].kind == OP_NORM;
}

static bool read_parameter(struct reading *r, const struct parameter_info *p)
{
	long count;
	float *to = network_parameter(r->net, p->op, p->part, &count);
	if (!read_array(r, p->name, p->rank, p->size))
		return false;
	parameter_to_engine(p, r->numbers, to);
	return !is_norm(r, p) || p->part || read_statistics(r, p);
}

static bool read_all(struct reading *r, const struct parameter_info *list, int count)
{
	bool *done = calloc((size_t)r->net->whole->ops, sizeof *done), ok = done || fault_memory(r->fault, r->from->path);
	for (int i = 0; ok && i < count; i++) {
		int norm = folded_into(r, list, count, &list[i]);
		if (done[list[i].op])
			continue;
		ok = read_parameter(r, &list[i]) && (norm < 0 || read_folded(r, &list[i], norm));
		if (norm >= 0)
			done[norm] = true;
	}
	free(done);
	return ok;
}

// An array that no parameter has the name of; counters of batches are passed over.
static bool check_rest(const struct reading *r, const struct parameter_info *list, int count)
{
	static const char counter[] = ".num_batches_tracked";
	int passed = r->used;
	for (int i = 0; i < r->from->count && passed < r->from->count; i++) {
		const char *name = r->from->tensor[i].name, *dot = strrchr(name, '.');
		char other[PARAMETER_NAME + 16], *cut;
		bool known = dot && strcmp(dot, counter) == 0;
		snprintf(other, sizeof other, "%s", name);
		if (dot && (strcmp(dot + 1, mean_word) == 0 || strcmp(dot + 1, variance_word) == 0) &&
			(cut = strrchr(other, '.')))
			snprintf(cut, (size_t)(other + sizeof other - cut), ".weight");
		for (int k = 0; !known && k < count; k++) {
			int norm = list[k].part == 0 ? folding_norm(r->net->whole, list[k].op) : -1;
			char bias[PARAMETER_NAME + 16];
			name_like(list[k].name, "bias", bias);
			known = strcmp(list[k].name, other) == 0 || (norm >= 0 && strcmp(bias, name) == 0);
		}
		if (!known)
			return of_another(r, name, "the network has nothing of this name");
	}
	return true;
}

// Puts norms into the weights of the layers before them, as they run in the end.
static void fold_norms(struct network *net, const struct parameter_info *list, int count)
{
	for (int i = 0; i < count; i++) {
		int norm = list[i].part == 0 ? folding_norm(net->whole, list[i].op) : -1;
		long weights, channels;
		if (norm < 0)
			continue;
		float *w = network_parameter(net, list[i].op, 0, &weights), *gain = network_parameter(net, norm, 0, &channels),
		      *bias = network_parameter(net, norm, 1, &channels);
		float *mean = net->statistics + net->statistics_at[norm], *variance = mean + channels;
		for (long c = 0; c < channels; c++) {
			double by = (double)gain[c] / sqrt((double)variance[c] + norm_epsilon);
			for (long k = c; k < weights; k += channels)
				w[k] = (float)((double)w[k] * by);
			bias[c] = (float)((double)bias[c] - by * (double)mean[c]);
			gain[c] = 1;
			mean[c] = 0;
			variance[c] = (float)(1 - norm_epsilon);
		}
	}
}

bool network_read_weights(struct network *net, const struct safetensors *from, bool fold, struct fault *fault)
{
	int count;
	long most = 1;
	struct parameter_info *list = model_parameters(net->whole, &count);
	const char *epsilon = safetensors_says(from, "epsilon");
	struct reading r = {net, from, fault, epsilon ? strtod(epsilon, NULL) : norm_epsilon, 0, NULL};
	for (int i = 0; i < count; i++)
		most = list[i].count > most ? list[i].count : most;
	r.numbers = malloc((size_t)most * sizeof *r.numbers);
	bool ok = (list && r.numbers) || fault_memory(fault, from->path);
	if (ok && !(r.epsilon > 0 && r.epsilon < 1))
		ok = of_another(&r, "epsilon", "it is not a number from 0 to 1");
	ok = ok && read_all(&r, list, count) && check_rest(&r, list, count);
	if (ok && fold && !net->statistics)
		ok = fault_set(fault, "norms", "leave norms=folded out",
			"norms are folded where their statistics are given alone");
	if (ok && fold)
		fold_norms(net, list, count);
	if (ok)
		optimizer_clear(net);
	free(r.numbers);
	free(list);
	return ok;
}

// ---- writing ----

struct writing {
	struct network *net;
	const struct calibration *calibration;
	bool fold;
	network_each_weight *each;
	void *context;
	float *numbers, *room; // [most]: as they lie, in the other order
};

// Mean and variance of a norm, into numbers and room.
static void take_statistics(const struct writing *w, const struct node *n)
{
	const struct network *net = w->net;
	const long c = n->out.c;
	for (long i = 0; i < c; i++) {
		if (net->statistics) {
			const float *given = net->statistics + net->statistics_at[n->home];
			w->numbers[i] = given[i];
			w->room[i] = given[c + i];
		} else {
			const double *kept = w->calibration->moments + w->calibration->offset[n->home];
			w->numbers[i] = (float)kept[i];
			w->room[i] = (float)fmax(0, kept[c + i] - kept[i] * kept[i]);
		}
	}
}

static float own_of(const struct network *net, const struct node *n, long at)
{
	return net->sets ? n->own_now[at] : 0;
}

static bool give_norm(const struct writing *w, const struct node *n, const struct parameter_info *p)
{
	char name[PARAMETER_NAME + 16];
	for (long i = 0; i < p->count; i++)
		w->numbers[i] = p->part ? n->bias_now[i] + own_of(w->net, n, p->count + i)
					: n->gain_now[i] + own_of(w->net, n, i);
	if (!w->each(p->name, p->rank, p->size, w->numbers, w->context))
		return false;
	if (!p->part)
		return true;
	take_statistics(w, n);
	name_like(p->name, mean_word, name);
	if (!w->each(name, p->rank, p->size, w->numbers, w->context))
		return false;
	name_like(p->name, variance_word, name);
	return w->each(name, p->rank, p->size, w->room, w->context);
}

static bool give_folded(const struct writing *w, const struct node *n, const struct node *norm, const struct parameter_info *p)
{
	const long c = n->out.c;
	char name[PARAMETER_NAME + 16];
	float *by = malloc(2 * (size_t)c * sizeof *by), *bias = by + c;
	if (!by)
		return false;
	take_statistics(w, norm);
	for (long i = 0; i < c; i++) {
		double gain = (double)(norm->gain_now[i] + own_of(w->net, norm, i)),
		       inverse = 1 / sqrt((double)w->room[i] + norm_epsilon);
		by[i] = (float)(gain * inverse);
		bias[i] = (float)((double)(norm->bias_now[i] + own_of(w->net, norm, c + i)) -
			gain * inverse * (double)w->numbers[i]);
	}
	for (long i = 0; i < p->count; i++)
		w->numbers[i] = n->weights_now[i] * by[i % c];
	parameter_from_engine(p, w->numbers, w->room);
	name_like(p->name, "bias", name);
	bool ok = w->each(p->name, p->rank, p->size, w->room, w->context) && w->each(name, 1, (int[]){(int)c}, bias, w->context);
	free(by);
	return ok;
}

static const float *numbers_of(const struct node *n, int part)
{
	if (n->op->layer >= 0)
		return part ? n->bias_now : n->weights_now;
	if (n->op->kind == OP_AFFINE)
		return part || !n->op->gain ? n->bias_now : n->gain_now;
	return n->op->kind == OP_TOKENS ? (part ? n->gain_now : n->bias_now) : (part ? n->bias_now : n->gain_now);
}

static bool give(const struct writing *w, const struct parameter_info *p)
{
	const struct network *net = w->net;
	const struct model *m = net->model;
	const struct node *n = &net->node[p->op];
	int norm = w->fold ? folding_norm(m, n->op->kind == OP_NORM ? n->op->in[0] : p->op) : -1;
	if (n->op->kind == OP_NORM)
		return norm == p->op || give_norm(w, n, p);
	if (norm >= 0)
		return give_folded(w, n, &net->node[norm], p);
	parameter_from_engine(p, numbers_of(n, p->part), w->room);
	return w->each(p->name, p->rank, p->size, w->room, w->context);
}

bool network_each(struct network *net, const struct calibration *calibration, bool fold, network_each_weight *each, void *context,
	struct fault *fault)
{
	int count;
	long most = 1;
	struct parameter_info *list = model_parameters(net->model, &count);
	for (int i = 0; i < count; i++)
		most = list[i].count > most ? list[i].count : most;
	float *room = malloc(2 * (size_t)most * sizeof *room);
	const struct writing w = {net, calibration, fold, each, context, room, room + most};
	bool ok = list && room;
	for (int i = 0; i < net->model->ops; i++)
		net->node[i].set = layer_set(net, net->node[i].follows);
	if (ok)
		nodes_bind(net);
	for (int i = 0; ok && i < count; i++)
		ok = give(&w, &list[i]);
	free(room);
	free(list);
	return ok || fault_memory(fault, net->whole->name);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The optimizers, and the average of the weights.
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

enum { PIECE = 16384 };

static void find_pieces(struct network *net)
{
	net->pieces = 0;
	for (int i = 0; i < net->parameter_count; i++) {
		const struct parameter *p = &net->parameter[i];
		for (long at = 0; at < p->count; at += PIECE, net->pieces++)
			if (net->piece)
				net->piece[net->pieces] = (struct piece){.first = p->at + at,
					.count = p->count - at < PIECE ? p->count - at : PIECE,
					.decays = p->fill == FILL_HE || p->fill == FILL_EVEN,
					.op = p->op,
					.set = p->set};
	}
}

bool optimizer_reserve(struct network *net, unsigned keeps)
{
	size_t size = (size_t)net->parameters * sizeof(float);
	net->trained = net->weights;
	net->momentum = network_block(net, size);
	net->second = keeps & NETWORK_SECOND_MOMENTS ? network_block(net, size) : NULL;
	net->average = keeps & NETWORK_AVERAGE ? network_block(net, size) : NULL;
	find_pieces(net);
	net->piece = network_block(net, (size_t)net->pieces * sizeof *net->piece);
	if (!net->momentum || !net->piece || (keeps & NETWORK_SECOND_MOMENTS && !net->second) ||
		(keeps & NETWORK_AVERAGE && !net->average))
		return false;
	find_pieces(net);
	return true;
}

void optimizer_clear(struct network *net)
{
	size_t size = (size_t)net->parameters * sizeof(float);
	memset(net->momentum, 0, size);
	if (net->second)
		memset(net->second, 0, size);
	if (net->average)
		memcpy(net->average, net->trained, size);
}

int network_arrays(struct network *net, struct network_array array[NETWORK_ARRAYS])
{
	const struct network_array all[NETWORK_ARRAYS] = {
		{"weights", net->trained, net->parameters},
		{"momentum", net->momentum, net->parameters},
		{"ranges", net->ranges, network_ranges(net)},
		{"second_moments", net->second, net->parameters},
		{"average", net->average, net->parameters},
	};
	int count = 0;
	for (int i = 0; i < NETWORK_ARRAYS; i++)
		if (all[i].data)
			array[count++] = all[i];
	return count;
}

void network_use_average(struct network *net, bool average)
{
	net->weights = average && net->average ? net->average : net->trained;
}

struct update {
	struct network *net;
	const struct optimizer *optimizer;
	float scale, rate, keep;
};

// A set that was not in use rests: neither decay nor momentum moves it.
static bool rests(const struct network *net, const struct piece *p)
{
	return p->op && net->node[p->op].set != p->set;
}

static void square_piece(void *context, int piece, int worker)
{
	(void)worker;
	struct network *net = context;
	struct piece *p = &net->piece[piece];
	p->squares = rests(net, p) ? 0 : net->kernels->squares(net->gradient + p->first, p->count);
}

static void update_piece(void *context, int piece, int worker)
{
	(void)worker;
	const struct update *u = context;
	const struct optimizer *o = u->optimizer;
	const struct network *net = u->net;
	const struct piece *p = &net->piece[piece];
	float *w = net->trained + p->first, *m = net->momentum + p->first;
	const float *g = net->gradient + p->first;
	if (rests(net, p))
		return;
	if (o->kind == OPTIMIZER_ADAMW)
		net->kernels->adamw(w, m, net->second + p->first, g, p->count, u->scale, u->rate, (float)o->momentum,
			(float)o->beta2, p->decays ? (float)(o->rate * o->decay) : 0);
	else
		net->kernels->sgd(w, m, g, p->count, u->scale, u->rate, (float)o->momentum, p->decays ? (float)o->decay : 0);
	if (net->average)
		net->kernels->follow(w, u->keep, net->average + p->first, p->count);
}

double network_update(struct network *net, const struct optimizer *o, long step)
{
	double length = 0, t = (double)step;
	team_run(net->team, net->pieces, square_piece, net);
	for (int i = 0; i < net->pieces; i++)
		length += net->piece[i].squares;
	length = sqrt(length);
	if (!isfinite(length))
		return length;
	struct update u = {net, o, (float)(o->clip > 0 && length > o->clip ? o->clip / length : 1), (float)o->rate,
		(float)fmin(o->average, (1 + t) / (10 + t))};
	if (o->kind == OPTIMIZER_ADAMW)
		u.rate = (float)(o->rate * sqrt(1 - pow(o->beta2, t + 1)) / (1 - pow(o->momentum, t + 1)));
	team_run(net->team, net->pieces, update_piece, &u);
	return length;
}

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
				net->piece[net->pieces] = (struct piece){.parameter = i,
					.first = p->at + at,
					.count = p->count - at < PIECE ? p->count - at : PIECE};
	}
}

bool optimizer_find_pieces(struct network *net)
{
	net->piece = NULL;
	find_pieces(net);
	net->piece = network_room(net, ROOM_PIECES, (size_t)net->pieces * sizeof *net->piece);
	if (net->piece)
		find_pieces(net);
	return net->piece != NULL;
}

bool optimizer_reserve(struct network *net, unsigned keeps)
{
	size_t size = (size_t)net->parameters * sizeof(float);
	net->weights = net->trained = network_block(net, size);
	net->momentum = network_block(net, size);
	net->second = keeps & NETWORK_SECOND_MOMENTS ? network_block(net, size) : NULL;
	net->average = keeps & NETWORK_AVERAGE ? network_block(net, size) : NULL;
	return net->trained && net->momentum && (net->second || !(keeps & NETWORK_SECOND_MOMENTS)) &&
		(net->average || !(keeps & NETWORK_AVERAGE));
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
		{"statistics", net->statistics_count ? net->statistics : NULL, net->statistics_count},
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

static void square_piece(void *context, int piece, int worker)
{
	(void)worker;
	struct network *net = context;
	struct piece *p = &net->piece[piece];
	bool rests = parameter_rests(net, &net->parameter[p->parameter]);
	p->squares = rests ? 0 : net->kernels->squares(net->gradient + p->first, p->count);
}

// Numbers that lie side by side in the whole's arrays, from `at` on, and in the gradient.
static void update_run(const struct update *u, bool decay, long at, const float *g, long count)
{
	const struct optimizer *o = u->optimizer;
	const struct network *net = u->net;
	float *w = net->trained + at, *m = net->momentum + at;
	if (o->kind == OPTIMIZER_ADAMW)
		net->kernels->adamw(w, m, net->second + at, g, count, u->scale, u->rate, (float)o->momentum, (float)o->beta2,
			decay ? (float)(o->rate * o->decay) : 0);
	else
		net->kernels->sgd(w, m, g, count, u->scale, u->rate, (float)o->momentum, decay ? (float)o->decay : 0);
	if (net->average)
		net->kernels->follow(w, u->keep, net->average + at, count);
}

static void update_piece(void *context, int piece, int worker)
{
	(void)worker;
	const struct update *u = context;
	const struct piece *piece_now = &u->net->piece[piece];
	const struct parameter *p = &u->net->parameter[piece_now->parameter];
	long end = piece_now->first + piece_now->count;
	for (long at = piece_now->first, count; at < end && !parameter_rests(u->net, p); at += count) {
		long run = (at - p->at) / p->run, within = (at - p->at) % p->run;
		count = p->run - within < end - at ? p->run - within : end - at;
		update_run(u, parameter_is_weight(p), p->from + portion_run(&p->portion, run) + within, u->net->gradient + at,
			count);
	}
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

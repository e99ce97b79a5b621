// SPDX-License-Identifier: GPL-3.0-or-later
// Rounding to a mixture of formats: see nn.h. Piece by piece, since what one format gives is needed for a moment only.
#include <string.h>

#include "engine/nn/node.h"

enum { PIECE = 4096 }; // floats that are rounded at a time

void network_mix(struct network *net, const struct mixture *mixture)
{
	net->mixture = mixture;
}

static void add(float *to, const float *x, float share, long n)
{
	for (long i = 0; i < n; i++)
		to[i] += share * x[i];
}

void mixture_weights(struct network *net, struct node *n)
{
	const struct mixture *m = net->mixture;
	const float *share = m->weight + n->op->layer * m->formats, *w = n->weights_now;
	const long c = n->out.c, rows = n->weight_count / c;
	float piece[PIECE + NN_SLACK];
	memset(n->quantized, 0, (size_t)n->weight_count * sizeof *n->quantized);
	for (int f = 0; f < m->formats; f++) {
		if (share[f] <= 0)
			continue;
		struct grid grid = layer_weight_scales(net, n, m->format[f]);
		long widest = grid.block ? PIECE / grid.block : PIECE, columns = c < widest ? c : widest, most = PIECE / columns;
		if (grid.block)
			most -= most % grid.block;
		for (long row = 0; row < rows; row += most)
			for (long at = 0; at < c; at += columns) {
				long count = rows - row < most ? rows - row : most, wide = c - at < columns ? c - at : columns;
				layer_round_weights(net, &grid, n->weight_scale + at, w + row * c + at, c, count, wide, piece);
				for (long r = 0; r < count; r++)
					add(n->quantized + (row + r) * c + at, piece + r * wide, share[f], wide);
			}
	}
}

// Some of the channels of some pixels, all of them where it is more than one.
static void round_piece(const struct job *job, const struct grid *grid, float scale, long pixel, long pixels, long channel,
	long channels, float *to)
{
	const struct node *n = job->node, *source = job->in[0], *behind = node_behind(job->net, source);
	const struct kernels *k = job->net->kernels;
	const struct grid whole = {.kind = GRID_NONE}, *now = grid->block ? &whole : grid;
	long at = pixel * n->in.c + channel;
	if (source->waits)
		k->quantize_affine(now, scale, behind->x + at, pixels, channels, source->gain_scale + channel,
			source->shift + channel, source->op->act, to);
	else
		k->quantize(now, scale, source->x + at, to, pixels * channels);
	if (grid->block)
		layer_round_blocks(job, grid, scale, pixels, channels, to);
}

void mixture_round(const struct job *job, long pixel, long pixels, float *to)
{
	const struct network *net = job->net;
	const struct mixture *m = net->mixture;
	const struct node *n = job->node;
	const float *share = m->activation + n->op->layer * m->formats;
	const bool positive = net->model->layer[n->op->layer].positive && net->quantization.unsigned_positive;
	long c = n->in.c, channels = c < PIECE ? c : PIECE, most = PIECE / channels;
	float piece[PIECE + NN_SLACK];
	memset(to, 0, (size_t)(pixels * c) * sizeof *to);
	for (int f = 0; f < m->formats; f++) {
		if (share[f] <= 0)
			continue;
		struct grid grid = layer_grid(net, m->format[f], positive);
		float scale = format_scale(m->format[f], &grid, layer_range(job, m->format[f]));
		for (long p = 0; p < pixels; p += most)
			for (long at = 0; at < c; at += channels) {
				long count = pixels - p < most ? pixels - p : most, wide = c - at < channels ? c - at : channels;
				round_piece(job, &grid, scale, pixel + p, count, at, wide, piece);
				add(to + p * c + at, piece, share[f], count * wide);
			}
	}
}

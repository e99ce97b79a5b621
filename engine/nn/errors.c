// SPDX-License-Identifier: GPL-3.0-or-later
// What a layer's rounding to other formats would do to the loss, by the gradients of a backward pass: see nn.h.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"

enum { PIECE = 2048, SUMS = 2 }; // floats that are rounded at a time, or one pixel or row; linear, square

struct errors {
	int layers, formats;
	int exact;   // fp32
	int *format; // [formats]
	int every, turn;
	long room;      // of a worker's piece
	float *piece;   // [threads][2][room]
	double *sums;   // [NN_CHUNKS][formats][SUMS]: of the layer in hand's activations
	double *values; // [layers][formats][ERRORS]
	float *scale;   // [most channels]
};

struct errors *errors_new(const struct network *net, const int *format, int formats, struct fault *fault)
{
	struct errors *e = calloc(1, sizeof *e);
	int channels = 1;
	for (int i = 0; i < net->whole->ops; i++)
		channels = net->whole->op[i].out.c > channels ? net->whole->op[i].out.c : channels;
	if (e) {
		e->layers = net->whole->layers;
		e->formats = formats;
		e->exact = format_named("fp32");
		e->room = (channels > PIECE ? channels : PIECE) + NN_SLACK;
		e->format = calloc((size_t)formats, sizeof *e->format);
		e->piece = calloc((size_t)(2 * team_size(net->team) * e->room), sizeof *e->piece);
		e->sums = calloc((size_t)(NN_CHUNKS * formats * SUMS), sizeof *e->sums);
		e->values = calloc((size_t)(e->layers * formats * ERRORS), sizeof *e->values);
		e->scale = calloc((size_t)channels, sizeof *e->scale);
	}
	if (!e || !e->format || !e->piece || !e->sums || !e->values || !e->scale) {
		errors_free(e);
		fault_memory(fault, net->whole->name);
		return NULL;
	}
	memcpy(e->format, format, (size_t)formats * sizeof *format);
	return e;
}

void errors_free(struct errors *e)
{
	if (!e)
		return;
	free(e->format);
	free(e->piece);
	free(e->sums);
	free(e->values);
	free(e->scale);
	free(e);
}

void network_watch_errors(struct network *net, struct errors *e, int every, int turn)
{
	net->errors = e;
	if (!e)
		return;
	e->every = every;
	e->turn = turn;
	memset(e->values, 0, (size_t)(e->layers * e->formats * ERRORS) * sizeof *e->values);
}

const double *errors_values(const struct errors *e)
{
	return e->values;
}

static void add(const float *g, const float *x, const float *rounded, long n, double sums[SUMS])
{
	double linear[4] = {0}, square[4] = {0};
	long i = 0;
	for (; i + 4 <= n; i += 4)
		for (int k = 0; k < 4; k++) {
			double d = (double)g[i + k] * (double)(rounded[i + k] - x[i + k]);
			linear[k] += d;
			square[k] += d * d;
		}
	for (; i < n; i++) {
		double d = (double)g[i] * (double)(rounded[i] - x[i]);
		linear[0] += d;
		square[0] += d * d;
	}
	sums[0] += linear[0] + linear[1] + linear[2] + linear[3];
	sums[1] += square[0] + square[1] + square[2] + square[3];
}

// ---- activations ----

// The layer's input, in another format than the present.
static void round_to(const struct job *job, int format, long pixel, long pixels, float *to)
{
	const struct network *net = job->net;
	struct node other = *job->node;
	struct job as = *job;
	bool positive = net->model->layer[other.op->layer].positive && net->quantization.unsigned_positive;
	other.grid = layer_grid(net, format, positive);
	other.scale = format_scale(format, &other.grid, layer_range(job, format));
	as.node = &other;
	layer_round_alone(&as, pixel, pixels, to);
}

// Some pixels of an image that is looked at.
static void add_pixels(const struct job *job, int chunk, int worker, long pixel, long pixels, const float *dx)
{
	struct errors *e = job->net->errors;
	long c = job->node->in.c, most = e->room / c;
	float *x = e->piece + 2 * worker * e->room, *rounded = x + e->room;
	for (long at = 0; at < pixels; at += most) {
		long n = pixels - at < most ? pixels - at : most;
		round_to(job, e->exact, pixel + at, n, x);
		for (int f = 0; f < e->formats; f++) {
			round_to(job, e->format[f], pixel + at, n, rounded);
			add(dx + at * c, x, rounded, n * c, e->sums + (chunk * e->formats + f) * SUMS);
		}
	}
}

void errors_add_inputs(const struct job *job, int chunk, int worker, long pixel, long pixels, const float *dx)
{
	const struct errors *e = job->net->errors;
	long of = pixels_of(job->node->in), c = job->node->in.c;
	for (long at = pixel, next; at < pixel + pixels; at = next) {
		long image = at / of;
		next = (image + 1) * of < pixel + pixels ? (image + 1) * of : pixel + pixels;
		if (image % e->every == e->turn)
			add_pixels(job, chunk, worker, at, next - at, dx + (at - pixel) * c);
	}
}

// ---- weights ----

// By strips of columns, in pieces of whole blocks.
static void add_blocks(const struct network *net, const struct grid *grid, const float *w, const float *g, long rows, long c,
	double sums[SUMS])
{
	const struct errors *e = net->errors;
	for (long row = 0; row < rows; row += grid->block)
		for (long at = 0, strip = PIECE / grid->block; at < c; at += strip) {
			long count = rows - row < grid->block ? rows - row : grid->block,
			     columns = c - at < strip ? c - at : strip;
			layer_round_weights(net, grid, e->scale, w + row * c + at, c, count, columns, e->piece);
			for (long r = 0; r < count; r++)
				add(g + (row + r) * c + at, w + (row + r) * c + at, e->piece + r * columns, columns, sums);
		}
}

static void add_weights(struct network *net, const struct node *n, int format, double sums[SUMS])
{
	struct errors *e = net->errors;
	const struct kernels *k = net->kernels;
	struct grid grid = layer_grid(net, format, false);
	const bool per_channel = net->quantization.per_channel && !grid.block;
	const float *w = n->weights_now, *g = net->gradient + n->weights;
	long c = n->out.c, rows = n->weight_count / c, most = e->room / c;
	memset(e->scale, 0, (size_t)c * sizeof *e->scale);
	if (per_channel)
		k->channel_peaks(w, rows, c, e->scale);
	else
		e->scale[0] = k->peak(w, n->weight_count);
	for (long j = 0; j < c; j++)
		e->scale[j] = j == 0 || per_channel ? format_scale(format, &grid, e->scale[j]) : e->scale[0];
	if (grid.block) {
		add_blocks(net, &grid, w, g, rows, c, sums);
		return;
	}
	for (long at = 0; at < rows; at += most) {
		long count = rows - at < most ? rows - at : most;
		k->quantize_channels(&grid, e->scale, w + at * c, e->piece, count, c);
		add(g + at * c, w + at * c, e->piece, count * c, sums);
	}
}

void errors_begin(struct network *net)
{
	memset(net->errors->sums, 0, (size_t)(NN_CHUNKS * net->errors->formats * SUMS) * sizeof *net->errors->sums);
}

// A gradient is that of the mean loss: an image's own is `images` times as large.
void errors_end(struct network *net, const struct node *n)
{
	struct errors *e = net->errors;
	double images = net->images, looked_at = (double)((net->images - e->turn + e->every - 1) / e->every);
	for (int f = 0; f < e->formats; f++) {
		double *to = e->values + (n->layer * e->formats + f) * ERRORS, of_weights[SUMS] = {0}, sums[SUMS] = {0};
		for (int chunk = 0; chunk < NN_CHUNKS; chunk++)
			for (int k = 0; k < SUMS; k++)
				sums[k] += e->sums[(chunk * e->formats + f) * SUMS + k];
		add_weights(net, n, e->format[f], of_weights);
		to[ERROR_WEIGHT_LINEAR] = of_weights[0];
		to[ERROR_WEIGHT_SQUARE] = images * of_weights[1] / 2;
		to[ERROR_INPUT_LINEAR] = looked_at > 0 ? images * sums[0] / looked_at : 0;
		to[ERROR_INPUT_SQUARE] = looked_at > 0 ? images * images * sums[1] / looked_at / 2 : 0;
	}
}

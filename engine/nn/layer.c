// SPDX-License-Identifier: GPL-3.0-or-later
// What operators with weights share: rounding and packing of weights, ranges of input activations, sums of gradients.
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/nn/node.h"

// Many weights: rather tiles of columns than a copy of all of them for every chunk.
static int tiles_of(const struct node *n)
{
	int tiles = n->weight_count < NN_PARTIAL || n->op->groups > 1 ? 1 : least(NN_TASKS, blocks_of(n->out.c) / NN_TILE);
	return tiles > 1 ? tiles : 1;
}

// A sum of this many products of two codes, unsigned by signed, fits 32 bits. Deeper layers have no integer product.
enum { UNSIGNED = 255, SIGNED = 127, EXACT_DEPTH = INT32_MAX / (UNSIGNED * SIGNED) };

void layer_reserve(struct node *n, struct storage *l, long rows, enum fill fill)
{
	int c = n->out.c;
	n->exact = rows <= EXACT_DEPTH;
	n->weight_count = rows * c;
	n->weights = storage_parameter(l, &n->weights_now, n->weight_count, fill, (int)rows);
	if (n->op->bias)
		n->bias = storage_parameter(l, &n->bias_now, c, FILL_ZERO, 0);
	n->weight_scale = storage_work(l, c);
	n->quantized = storage_work(l, n->weight_count);
	n->codes = (int8_t *)storage_work(l, n->weight_count / (long)sizeof(float) + 1);
	n->column_sum = (int32_t *)storage_work(l, c);
	n->minus = (int32_t *)storage_work(l, c);
	n->sum_scale = storage_work(l, c);
	storage_partial(l, n, n->weight_count, NN_TASKS / tiles_of(n));
}

struct grid layer_grid(const struct network *net, int format, bool positive)
{
	struct grid grid = format_grid(format, positive);
	grid.rule = net->quantization.blocks;
	grid.binary = net->quantization.binary;
	return grid;
}

struct grid layer_weight_scales(struct network *net, struct node *n, int format)
{
	const struct kernels *k = net->kernels;
	struct grid grid = layer_grid(net, format, false);
	const bool per_channel = net->quantization.per_channel && !grid.block;
	const float *w = n->weights_now;
	int c = n->out.c;
	float *scale = n->weight_scale;
	memset(scale, 0, (size_t)c * sizeof *scale);
	if (per_channel)
		k->channel_peaks(w, n->weight_count / c, c, scale);
	else
		scale[0] = k->peak(w, n->weight_count);
	for (int j = 0; j < c; j++)
		scale[j] = j == 0 || per_channel ? format_scale(format, &grid, scale[j]) : scale[0];
	return grid;
}

static struct grid find_weight_scales(struct network *net, struct node *n)
{
	return layer_weight_scales(net, n, net->plan->layer[n->op->layer].weight);
}

void layer_round_weights(const struct network *net, const struct grid *grid, const float *scale, const float *w, long row,
	long rows, long columns, float *to)
{
	if (!grid->block && row == columns) {
		net->kernels->quantize_channels(grid, scale, w, to, rows, columns);
		return;
	}
	for (long r = 0; r < rows; r++)
		if (grid->block)
			memcpy(to + r * columns, w + r * row, (size_t)columns * sizeof *to);
		else
			net->kernels->quantize_channels(grid, scale, w + r * row, to + r * columns, 1, columns);
	if (grid->block)
		net->kernels->round_block_columns(grid, scale[0], to, rows, columns);
}

void layer_quantize_weights(struct network *net, struct node *n)
{
	if (net->mixture) {
		mixture_weights(net, n);
		return;
	}
	struct grid grid = find_weight_scales(net, n);
	layer_round_weights(net, &grid, n->weight_scale, n->weights_now, n->out.c, n->weight_count / n->out.c, n->out.c,
		n->quantized);
}

float layer_spacing(const struct grid *g, float v)
{
	if (g->kind == GRID_INTEGER)
		return 1;
	return ldexpf(1, ilogbf(fmaxf(fmaxf(fabsf(v), g->least_normal), FLT_MIN)) - (23 - g->drop));
}

// The scales of some columns of the weights from row `first` on, as many rows as share them.
enum { STRIP = 64 };
struct strip {
	long first, end; // rows
	int from, to;    // columns
	float scale[STRIP];
};

// Goes to the next strip; begins at {0}. False: there are no more.
static bool strip_next(struct strip *s, const struct node *n, const struct grid *grid)
{
	const long c = n->out.c, rows = n->weight_count / c, block = grid->block ? grid->block : rows;
	if (s->to < c) {
		s->from = s->to;
	} else {
		s->from = 0;
		s->first = s->end;
	}
	if (s->first >= rows)
		return false;
	s->to = least(s->from + STRIP, (int)c);
	s->end = s->first + block < rows ? s->first + block : rows;
	for (int j = s->from; j < s->to; j++)
		s->scale[j - s->from] = grid->block
			? format_block_scale(grid, n->weight_scale[j], n->weights_now + s->first * c + j, s->end - s->first, c)
			: n->weight_scale[j];
	return true;
}

float layer_near_edge(struct network *net, struct node *n)
{
	struct grid grid = find_weight_scales(net, n);
	struct strip s = {.to = n->out.c};
	long near = 0;
	while (grid.kind != GRID_NONE && strip_next(&s, n, &grid))
		for (long r = s.first; r < s.end; r++)
			for (int j = s.from; j < s.to; j++) {
				float v = n->weights_now[r * n->out.c + j] / s.scale[j - s.from],
				      steps = v / layer_spacing(&grid, v);
				near += fabsf(steps - rintf(steps)) > 0.375f;
			}
	return (float)((double)near / (double)n->weight_count);
}

double layer_widest_step(const struct node *n, const struct grid *grid)
{
	struct strip s = {.to = n->out.c};
	double widest = 0;
	while (grid->kind != GRID_NONE && strip_next(&s, n, grid))
		for (int j = s.from; j < s.to; j++)
			widest = fmax(widest, (double)(s.scale[j - s.from] * layer_spacing(grid, 0)));
	return widest;
}

static void peak_chunk(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *source = job->in[0];
	job->net->peaks[chunk] = job->net->kernels->peak(node_image(source, source->x, span.first),
		span.count * shape_size(source->out));
}

// Most operators leave the peak of what they write; for the input and for layers it is looked up here, once.
static float peak_of(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	struct node *source = job.in[0];
	if (source->peak < 0) {
		job_run(&job, peak_chunk);
		source->peak = net->kernels->peak(net->peaks, job.chunks);
	}
	return source->peak;
}

struct histogram_job {
	const struct network *net;
	const float *x;
	long count;
	float peak;
};

static void count_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct histogram_job *job = context;
	uint32_t *counts = job->net->histograms + chunk * RANGE_BINS;
	long from = job->count * chunk / NN_CHUNKS, to = job->count * (chunk + 1) / NN_CHUNKS;
	memset(counts, 0, RANGE_BINS * sizeof *counts);
	job->net->kernels->histogram(job->x + from, to - from, job->peak, counts, RANGE_BINS);
}

static const uint32_t *histogram_of(struct network *net, struct node *n)
{
	const struct node *source = &net->node[n->op->in[0]];
	struct histogram_job job = {net, source->x, net->images * shape_size(source->out), peak_of(net, n)};
	team_run(net->team, NN_CHUNKS, count_chunk, &job);
	for (int c = 1; c < NN_CHUNKS; c++)
		for (int i = 0; i < RANGE_BINS; i++)
			net->histograms[i] += net->histograms[c * RANGE_BINS + i];
	return net->histograms;
}

// The range of the present batch, by the estimator that was asked for.
static float present_range(struct network *net, struct node *n, int format, bool positive)
{
	const struct quantization *q = &net->quantization;
	float *moving = &net->ranges[layer_set(net, n->layer) * net->whole->layers + n->layer], peak = peak_of(net, n);
	if (!format_ranged(format))
		return peak;
	switch (q->range) {
	case RANGE_PERCENTILE: return range_percentile(histogram_of(net, n), peak, q->percentile);
	case RANGE_MSE: return range_mse(net->kernels, histogram_of(net, n), peak, format, positive);
	case RANGE_EMA:
		if (net->pass != PASS_TRAIN)
			return peak;
		*moving = *moving > 0 ? RANGE_EMA_KEEP * *moving + (1 - RANGE_EMA_KEEP) * peak : peak;
		return *moving;
	case RANGE_MAX: break;
	}
	return peak;
}

float layer_range_in(struct network *net, struct node *n, int format)
{
	return present_range(net, n, format, net->model->layer[n->op->layer].positive && net->quantization.unsigned_positive);
}

void layer_find_range(struct network *net, struct node *n)
{
	int layer = n->op->layer, format = net->plan->layer[layer].activation;
	bool positive = net->model->layer[layer].positive && net->quantization.unsigned_positive;
	struct calibration *cal = net->calibration;
	n->grid = layer_grid(net, format, positive);
	n->range = net->pass == PASS_FIXED ? cal->range[n->layer] : present_range(net, n, format, positive);
	// The mean over the batches, for RANGE_MAX too: the weights were trained with a batch's own largest magnitude, and a narrow
	// format's grid must be the one that they know.
	if (net->pass == PASS_CALIBRATE)
		cal->range[n->layer] += (n->range - cal->range[n->layer]) / (float)cal->batches;
	n->scale = format_scale(format, &n->grid, n->range);
}

float *layer_pack(const struct node *n, int first, int columns, float *to)
{
	long rows = n->weight_count / n->out.c;
	for (int at = 0; at < columns; at += KERNEL_BLOCK) {
		int width = least(columns - at, KERNEL_BLOCK);
		const float *from = n->quantized + first + at;
		for (long r = 0; r < rows; r++, to += KERNEL_BLOCK, from += n->out.c)
			for (int j = 0; j < width; j++)
				to[j] = from[j];
	}
	return to;
}

float *layer_pack_turned(const struct network *net, const struct node *n, const float *from, int width, int depth, float *to)
{
	const int each = n->paired ? 2 : 1;
	for (int o = 0; o < depth; o += each, to += KERNEL_BLOCK) {
		float row[2][KERNEL_BLOCK] = {0};
		for (int k = 0; k < each && o + k < depth; k++)
			for (int j = 0; j < width; j++)
				row[k][j] = from[(long)j * n->out.c + o + k];
		if (n->paired)
			net->kernels->pair(row[0], 1, KERNEL_BLOCK, 0, KERNEL_BLOCK, to);
		else
			memcpy(to, row[0], sizeof row[0]);
	}
	return to;
}

long layer_turned_depth(const struct node *n, int columns)
{
	return n->paired ? pairs_of(columns) : columns;
}

kernel_product *layer_backward_product(const struct kernels *k, const struct node *n)
{
	return n->paired ? k->pair_product : k->product;
}

struct reduce_job {
	struct network *net;
	const struct node *node;
	long at, count;
	int chunks;
	float scale;
};
enum { REDUCE = 16384 };

static void reduce_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct reduce_job *job = context;
	struct network *net = job->net;
	long from = (long)chunk * REDUCE, to = from + REDUCE < job->count ? from + REDUCE : job->count;
	float *sum = net->gradient + job->at + from;
	memcpy(sum, net->partial + from, (size_t)(to - from) * sizeof *sum);
	for (int c = 1; c < job->chunks; c++)
		net->kernels->accumulate(net->partial + c * job->node->partial_stride + from, sum, to - from);
	for (long i = 0; job->scale != 1 && i < to - from; i++)
		sum[i] *= job->scale;
}

void layer_reduce_gradient(struct network *net, const struct node *n, long parameter, long count, int chunks, float scale)
{
	struct reduce_job job = {net, n, parameter, count, chunks, scale};
	team_run(net->team, (int)((count + REDUCE - 1) / REDUCE), reduce_chunk, &job);
}

void layer_find_phases(struct node *n, struct storage *l)
{
	const struct window *w = &n->op->window;
	for (int d = 0; d < 2; d++) {
		int size = d ? n->in.w : n->in.h, out = d ? n->out.w : n->out.h, kernel = d ? w->w : w->h,
		    pad = d ? w->pad_w : w->pad_h;
		n->before[d] = n->after[d] = 0;
		n->phase[d] = (struct phase *)storage_work(l, w->stride * (long)(sizeof(struct phase) / sizeof(float)));
		for (int r = 0; r < w->stride; r++) {
			struct phase p = {.count = (size - r + w->stride - 1) / w->stride};
			for (int k = (r + pad) % w->stride; k < kernel; k += w->stride) {
				p.taps++;
				p.first = k;
				p.least = (r + pad - k) / w->stride;
			}
			int beyond = p.count - 1 + p.least + p.taps - out;
			n->before[d] = -p.least > n->before[d] ? -p.least : n->before[d];
			n->after[d] = beyond > n->after[d] ? beyond : n->after[d];
			if (n->phase[d]) // not while memory is being counted
				n->phase[d][r] = p;
		}
	}
}

float layer_range(const struct job *job, int format)
{
	const struct node *n = job->node;
	bool whole = format_table[format].block && job->net->pass != PASS_FIXED; // a fixed pass goes by the calibration alone
	return whole ? job->in[0]->peak : n->range;
}

long layer_block_row(const struct node *n, long channels)
{
	long share = n->op->groups > 1 ? n->in.c / n->op->groups
				       : n->in.c; // where it is one channel, blocks take what lies side by side
	return share > 1 && channels == n->in.c ? share : channels;
}

void layer_round_blocks(const struct job *job, const struct grid *grid, float scale, long pixels, long channels, float *y)
{
	const long row = layer_block_row(job->node, channels);
	job->net->kernels->round_blocks(grid, scale, y, pixels * channels / row, row);
}

void layer_round(const struct job *job, long pixel, long pixels, float *to)
{
	if (job->net->mixture)
		mixture_round(job, pixel, pixels, to);
	else
		layer_round_alone(job, pixel, pixels, to);
}

static void round_by(const struct job *job, const struct grid *by, long pixel, long pixels, float *to)
{
	const struct node *n = job->node, *source = job->in[0], *behind = node_behind(job->net, source);
	const struct kernels *k = job->net->kernels;
	const struct grid whole = {.kind = GRID_NONE}, *grid = by->block ? &whole : by;
	int c = n->in.c;
	if (source->waits)
		k->quantize_affine(grid, n->scale, behind->x + pixel * c, pixels, c, source->gain_scale, source->shift,
			source->op->act, to);
	else
		k->quantize(grid, n->scale, source->x + pixel * c, to, pixels * c);
	if (by->block)
		layer_round_blocks(job, by, n->scale, pixels, c, to);
}

void layer_round_alone(const struct job *job, long pixel, long pixels, float *to)
{
	round_by(job, &job->node->grid, pixel, pixels, to);
}

static bool has_bare_inputs(const struct network *net, const struct node *n)
{
	return !net->mixture && !n->grid.block;
}

void layer_round_bare(const struct job *job, long pixel, long pixels, float *to)
{
	struct grid grid = job->node->grid;
	grid.bare = true;
	if (has_bare_inputs(job->net, job->node))
		round_by(job, &grid, pixel, pixels, to);
	else
		layer_round(job, pixel, pixels, to);
}

float layer_bare_scale(const struct network *net, const struct node *n)
{
	return has_bare_inputs(net, n) ? n->scale : 1;
}

void layer_output_gradient(const struct job *job, long pixel, long pixels, float *to)
{
	const struct node *n = job->node, *norm = n->norm;
	long at = pixel * n->out.c;
	if (norm)
		job->net->kernels->affine_gradient(n->x + at, norm->grad + at, pixels, n->out.c, norm->gain_scale, norm->shift,
			norm->op->act, norm->ka, norm->kb, norm->kc, to);
	else
		memcpy(to, n->grad + at, (size_t)(pixels * n->out.c) * sizeof *to);
}

const void *layer_padded(const struct job *job, const struct margins *m, struct shape s, int image, void *into)
{
	size_t pixel = m->size * (size_t)s.c, stride = pixel * (size_t)(s.w + m->before[1] + m->after[1]),
	       left = pixel * (size_t)m->before[1], row = pixel * (size_t)s.w, right = pixel * (size_t)m->after[1];
	char *to = into;
	memset(to, m->byte, (size_t)m->before[0] * stride);
	to += (size_t)m->before[0] * stride;
	for (int y = 0; y < s.h; y++, to += stride) {
		memset(to, m->byte, left);
		m->fill(job, image * pixels_of(s) + (long)y * s.w, s.w, to + left);
		memset(to + left + row, m->byte, right);
	}
	memset(to, m->byte, (size_t)m->after[0] * stride);
	return into;
}

static void fill_input(const struct job *job, long pixel, long pixels, void *to)
{
	layer_round(job, pixel, pixels, to);
}

static void fill_gradient(const struct job *job, long pixel, long pixels, void *to)
{
	layer_output_gradient(job, pixel, pixels, to);
}

const float *layer_padded_input(const struct job *job, int image, int worker)
{
	const struct window *w = &job->node->op->window;
	struct margins m = {fill_input, {w->pad_h, w->pad_w}, {w->pad_h + w->far, w->pad_w + w->far}, sizeof(float), 0};
	return layer_padded(job, &m, job->node->in, image, job->net->scratch[worker].image);
}

// The inner rows are those within the margins.
static struct output_gradient padded_gradient(const struct job *job, int image, int worker)
{
	const struct node *n = job->node;
	struct margins m = {fill_gradient, {n->before[0], n->before[1]}, {n->after[0], n->after[1]}, sizeof(float), 0};
	const float *padded = layer_padded(job, &m, n->out, image, job->net->scratch[worker].gradient);
	return (struct output_gradient){padded, padded + n->before[0] * layer_gradient_row(n) + (long)n->before[1] * n->out.c};
}

long layer_input_row(const struct node *n)
{
	return (long)(n->in.w + 2 * n->op->window.pad_w + n->op->window.far) * n->in.c;
}

long layer_input_size(const struct node *n)
{
	return (n->in.h + 2 * n->op->window.pad_h + n->op->window.far) * layer_input_row(n);
}

long layer_gradient_pixel(const struct node *n)
{
	return n->op->groups * layer_turned_depth(n, n->out.c / n->op->groups);
}

long layer_gradient_row(const struct node *n)
{
	return (n->out.w + n->before[1] + n->after[1]) * layer_gradient_pixel(n);
}

long layer_inner_row(const struct node *n)
{
	return n->paired ? pairs_of(n->out.w) * n->out.c : layer_gradient_row(n);
}

long layer_gradient_size(const struct node *n)
{
	return (n->out.h + n->before[0] + n->after[0]) * layer_gradient_row(n);
}

void layer_add_sums(const struct job *job, int chunk, bool fresh, const float *y, long pixels)
{
	const struct node *norm = job->node->norm;
	if (norm && job->net->pass != PASS_FIXED)
		norm_add_sums(job->net, norm, chunk, fresh, y, pixels);
}

void layer_clip(const struct job *job, long pixel, long pixels, float *dx)
{
	long c = job->node->in.c;
	if (job->net->quantization.range != RANGE_MAX)
		job->net->kernels->clip_gradient(job->node->range, job->in[0]->x + pixel * c, dx, pixels * c);
}

void layer_backward_images(const struct job *job, struct span span, int worker, const struct share *share,
	void (*weights)(const struct kernels *, const struct node *, const float *x, const float *dy, int first, int end,
		float *into),
	void (*input)(const struct kernels *, const struct node *, const float *dy, float *dx))
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	const bool inputs = share->inputs && job->in[0]->grad;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		const struct output_gradient dy = n->paired ? pairs_padded_gradient(job, i, worker, share->partial, inputs)
							    : padded_gradient(job, i, worker);
		if (share->partial)
			weights(k, n, (n->paired ? pairs_padded_input : layer_padded_input)(job, i, worker), dy.inner,
				share->first, share->end, share->partial);
		if (!inputs)
			continue;
		long pixel = i * pixels_of(n->in);
		float *dx = gradient_place(job, 0, pixel, spare);
		input(k, n, dy.padded, dx);
		layer_clip(job, pixel, pixels_of(n->in), dx);
		if (job->net->errors)
			errors_add_inputs(job, share->chunk, worker, pixel, pixels_of(n->in), dx);
		gradient_done(job, 0, share->chunk, pixel, pixels_of(n->in), spare);
	}
}

struct backward {
	struct job job;
	share_work *work;
	int tiles;
	bool weights, inputs;
};

static void run_share(void *context, int task, int worker)
{
	const struct backward *b = context;
	const struct job *job = &b->job;
	const struct node *n = job->node;
	int chunk = task / b->tiles, tile = task % b->tiles, blocks = blocks_of(n->out.c);
	struct share share = {.chunk = chunk, .inputs = b->inputs};
	if (b->weights) {
		share.first = blocks * tile / b->tiles * KERNEL_BLOCK;
		share.end = least(blocks * (tile + 1) / b->tiles * KERNEL_BLOCK, n->out.c);
		share.partial = job->net->partial + chunk * n->partial_stride;
		for (long at = 0; at < n->weight_count; at += n->out.c)
			memset(share.partial + at + share.first, 0, (size_t)(share.end - share.first) * sizeof *share.partial);
	}
	int first = job->net->images * chunk / job->chunks, end = job->net->images * (chunk + 1) / job->chunks;
	b->work(job, (struct span){first, end - first}, worker, &share);
}

static void sum_bias(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	struct network *net = job->net;
	const struct node *n = job->node;
	double *sum = net->sums + (long)chunk * net->sum_stride;
	memset(sum, 0, 2 * (size_t)n->out.c * sizeof *sum);
	net->kernels->channel_sums(node_image(n, n->grad, span.first), span.count * pixels_of(n->out), n->out.c, sum,
		sum + n->out.c);
}

void layer_backward(struct network *net, struct node *n, share_work *work)
{
	struct backward b = {job_of(net, n), work, tiles_of(n), true, true};
	b.job.chunks = least(NN_TASKS / b.tiles, net->images);
	b.inputs = b.tiles == 1;
	if (net->errors)
		errors_begin(net);
	team_run(net->team, b.job.chunks * b.tiles, run_share, &b);
	layer_reduce_gradient(net, n, n->weights, n->weight_count, b.job.chunks, n->paired ? layer_bare_scale(net, n) : 1);
	if (b.tiles > 1 && b.job.in[0]->grad) {
		b = (struct backward){job_of(net, n), work, 1, false, true};
		team_run(net->team, b.job.chunks, run_share, &b);
	}
	gradient_end(&b.job);
	if (net->errors)
		errors_end(net, n);
	if (!n->op->bias)
		return;
	struct job job = job_of(net, n);
	job_run(&job, sum_bias);
	for (int j = 0; j < n->out.c; j++) {
		double sum = 0;
		for (int chunk = 0; chunk < job.chunks; chunk++)
			sum += net->sums[(long)chunk * net->sum_stride + j];
		net->gradient[n->bias + j] = (float)sum;
	}
}

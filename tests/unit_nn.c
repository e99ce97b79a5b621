// SPDX-License-Identifier: GPL-3.0-or-later
// Networks: every operator, forward and backward, against plain loops in double precision; the loss's gradient against finite
// differences; what must not depend on threads or on the batch.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"
#include "engine/tensor/rng.h"
#include "tests/activation.h"

static const double ROUNDING = FLT_EPSILON / 2; // the relative error of one rounding

// ---- a small network under test ---------------------------------------------------------------------------------------

enum { MOST_LAYERS = 32 };
enum { KEPT = NETWORK_ARRAYS - 1 }; // arrays of the networks here: they have no statistics from a file

struct rig {
	struct team *team;
	struct model *model;
	struct network *net;
	struct layer_plan layer[MOST_LAYERS];
	struct plan plan;
	struct quantization q;
	float *own; // memory of the nodes, once they share none
};

static int conv_of(struct model *m, const char *layer, int in, int channels, int kernel, int stride)
{
	return model_conv(m, layer, in, channels, window_of(kernel, stride), 1, false);
}

static long input_size(const struct rig *r)
{
	return shape_size(r->model->op[0].out);
}

// Takes the model over. Weights are initialised, what starts at 0 or 1 is moved off it, the input is normal, and every layer is in
// `format`.
static struct rig *rig_with_sets(struct model *m, int batch, int threads, const char *format, int sets)
{
	struct fault fault = {0};
	char line[512];
	struct rig *r = calloc(1, sizeof *r);
	assert_non_null(r);
	r->model = model_finish(m, &fault);
	if (!r->model || !(r->team = team_new(threads, &fault)) ||
		!(r->net = network_new(r->model, NULL, batch, NETWORK_SECOND_MOMENTS | NETWORK_AVERAGE, sets, r->team, &fault)))
		fail_msg("%s", fault_line(&fault, line, sizeof line));
	assert_in_range(r->model->layers, 0, MOST_LAYERS);
	for (int i = 0; i < r->model->layers; i++)
		r->layer[i].weight = r->layer[i].activation = format_named(format);
	r->plan = (struct plan){.model = r->model, .layer = r->layer};
	r->q = (struct quantization){.range = RANGE_MAX, .percentile = 99.9, .per_channel = true};
	network_initialise(r->net, 7);
	for (int i = 0; i < r->net->parameter_count; i++) {
		const struct parameter *p = &r->net->parameter[i];
		for (long j = 0; (p->fill == FILL_ZERO || p->fill == FILL_ONE) && j < p->count; j++)
			r->net->weights[p->at + j] += (float)rng_normal(11, (uint64_t)(p->at + j)) / 8;
	}
	float *x = network_input(r->net);
	for (long i = 0; i < batch * input_size(r); i++)
		x[i] = (float)rng_normal(5, (uint64_t)i);
	return r;
}

static struct rig *rig_new(struct model *m, int batch, int threads, const char *format)
{
	return rig_with_sets(m, batch, threads, format, 0);
}

static void rig_free(struct rig *r)
{
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
	free(r->own);
	free(r);
}

static float *copied(const float *x, long n)
{
	float *y = malloc((size_t)(n + NN_SLACK) * sizeof *y);
	assert_non_null(y);
	memcpy(y, x, (size_t)n * sizeof *y);
	return y;
}

// The input shares its memory with what is no longer needed, so it is filled for every pass.
static void forward(struct rig *r, const float *input, enum pass pass, int images, struct calibration *c)
{
	memcpy(network_input(r->net), input, (size_t)(images * input_size(r)) * sizeof *input);
	network_forward(r->net, &r->plan, &r->q, pass, images, c);
}

// Forward, then backward from a gradient of normal numbers at the last operator's output.
static void both_ways(struct rig *r, const float *input, int images)
{
	struct node *last = &r->net->node[r->model->ops - 1];
	forward(r, input, PASS_TRAIN, images, NULL);
	for (long i = 0; i < images * shape_size(last->out); i++)
		last->grad[i] = (float)rng_normal(6, (uint64_t)i);
	for (long i = 0; i < r->net->parameters; i++)
		r->net->gradient[i] = NAN; // all that is read below must have been written
	network_backward(r->net);
}

// From here on every output and every gradient has memory of its own, full of no numbers, and can be looked at after a pass.
static void spread(struct rig *r)
{
	long size = 0, at = 0;
	for (int i = 0; i < r->model->ops; i++)
		size += 2 * (r->net->batch * shape_size(r->net->node[i].out) + NN_SLACK);
	r->own = malloc((size_t)size * sizeof *r->own);
	assert_non_null(r->own);
	for (long i = 0; i < size; i++)
		r->own[i] = NAN;
	for (int i = 0; i < r->model->ops; i++) {
		struct node *n = &r->net->node[i];
		long part = r->net->batch * shape_size(n->out) + NN_SLACK;
		n->x = r->own + at;
		n->grad = i ? n->x + part : NULL;
		at += 2 * part;
	}
}

// A value worked out in double, and the sum of its terms' magnitudes, which bounds the error of any order of adding.
struct sum {
	double value, size;
};

static char under_test[128]; // what is being checked, for messages

static void near(const char *what, long at, float got, struct sum wanted, double roundings)
{
	double bound = roundings * ROUNDING * wanted.size;
	if (!(fabs((double)got - wanted.value) <= bound))
		fail_msg("%s: %s [%ld]: %.9g instead of %.9g (allowed: %.3g)", under_test, what, at, (double)got, wanted.value,
			bound);
}

// ---- every operator, plainly ------------------------------------------------------------------------------------------------

// An operator's part of a pass: what it read and what it put out, the gradient that reached it; and the sums that its plain
// loops fill. Here a sum's size has every term as often as it may be rounded.
struct plain {
	const struct rig *r;
	const struct node *n;
	int images;
	const float *x[MODEL_INPUTS], *y, *dy;
	struct sum *out, *dx[MODEL_INPUTS], *parameters;
	long *clipped; // how many numbers lay beyond a layer's range
};

enum {
	READERS = 4,                            // most readers of one operator, whose gradients are added up
	STRETCH_ROUNDINGS = 64 + 4 + NN_CHUNKS, // sums of channels: single precision over 64 pixels, then double
	SMOOTH = 20,                            // error of an activation or its slope, in roundings of 1 + |x|
};

static void put_sized(struct sum *s, double term, double size)
{
	s->value += term;
	s->size += size;
}

static void put(struct sum *s, double term, double roundings)
{
	put_sized(s, term, roundings * fabs(term));
}

// The slope; at the rectifiers' kinks, which rounding moves, as the output has it.
static double slope_at(enum act act, double x, float y)
{
	return act == ACT_RELU ? y > 0 : act == ACT_RELU6 ? y > 0 && y < 6 : plain_slope(act, x);
}

// Block by block, plainly: y[0], y[stride], ....
static void plain_blocks(const struct grid *grid, float tensor, float *y, long n, long stride)
{
	struct grid element = *grid;
	element.block = 0;
	for (long at = 0; at < n; at += grid->block) {
		long count = n - at < grid->block ? n - at : grid->block;
		float scale = format_block_scale(grid, tensor, y + at * stride, count, stride);
		for (long i = at; i < at + count; i++)
			kernels_all()[0]->quantize(&element, scale, y + i * stride, y + i * stride, 1);
	}
}

// The weights of block formats run down the columns.
static void check_blocks_of_weights(const struct plain *p)
{
	const struct node *n = p->n;
	int format = p->r->layer[n->op->layer].weight;
	struct grid grid = format_grid(format, false);
	if (!grid.block)
		return;
	float *w = copied(n->weights_now, n->weight_count);
	float tensor = format_scale(format, &grid, kernels_all()[0]->peak(w, n->weight_count));
	for (int j = 0; j < n->out.c; j++)
		plain_blocks(&grid, tensor, w + j, n->weight_count / n->out.c, n->out.c);
	for (long i = 0; i < n->weight_count; i++)
		if (w[i] != n->quantized[i])
			fail_msg("%s: weight %ld became %a, not %a", under_test, i, (double)n->quantized[i], (double)w[i]);
	free(w);
}

static float as_it_is(float x)
{
	return x;
}

static float half_of(float x)
{
	const struct kernels *k = kernels_all()[0]; // whose rounding unit_kernels holds to a plain one
	uint32_t pair;
	k->pair(&x, 1, 1, 0, 0, (float *)(void *)&pair);
	pair &= 0xffff0000;
	memcpy(&x, &pair, sizeof x);
	return x;
}

static void plain_layer(const struct plain *p)
{
	static const struct window pixel = {1, 1, 1, 0, 0, 0};
	const struct node *n = p->n;
	struct window w = n->op->kind == OP_CONV ? n->op->window : pixel;
	int groups = n->op->kind == OP_CONV ? n->op->groups : 1, ci = n->in.c / groups, co = n->out.c / groups;
	int format = p->r->layer[n->op->layer].activation;
	long in_size = p->images * shape_size(n->in), outputs = (long)p->images * n->out.h * n->out.w;
	double deep = w.h * w.w * ci + 3, back = w.h * w.w * co + 2 + READERS, along = (double)outputs + NN_CHUNKS;
	struct grid grid = format_grid(format, p->r->q.unsigned_positive && p->r->model->layer[n->op->layer].positive);
	float *x = copied(p->x[0], in_size);
	assert_true(p->r->q.range != RANGE_MAX || n->range == kernels_all()[0]->peak(x, in_size));
	const float scale = format_scale(format, &grid, n->range);
	if (!grid.block)
		kernels_all()[0]->quantize(&grid, scale, x, x, in_size);
	const int run = ci > 1 ? ci : n->in.c; // a group's channels, all where a group is one
	for (long at = 0; grid.block && at < in_size; at += run)
		plain_blocks(&grid, scale, x + at, run, 1);
	check_blocks_of_weights(p);
	// What the gradients multiply: in bf16 the grid's own numbers, whose scale comes later, and rounded gradients.
	const bool halves = n->paired, bare = halves && !grid.block;
	float *code = copied(bare ? p->x[0] : x, in_size), (*as)(float) = halves ? half_of : as_it_is;
	struct grid in_units = grid;
	in_units.bare = true;
	if (bare)
		kernels_all()[0]->quantize(&in_units, scale, code, code, in_size);
	for (long i = 0; n->op->bias && i < outputs * n->out.c; i++) {
		put(&p->out[i], (double)p->r->net->weights[n->bias + i % n->out.c], deep);
		put(&p->parameters[n->bias + i % n->out.c], (double)p->dy[i], STRETCH_ROUNDINGS);
	}
	for (long o = 0; o < outputs; o++)
		for (int tap = 0; tap < w.h * w.w; tap++) {
			int iy = (int)(o / n->out.w) % n->out.h * w.stride + tap / w.w - w.pad_h;
			int ix = (int)(o % n->out.w) * w.stride + tap % w.w - w.pad_w;
			if (iy < 0 || iy >= n->in.h || ix < 0 || ix >= n->in.w)
				continue;
			long at = ((o / ((long)n->out.h * n->out.w) * n->in.h + iy) * n->in.w + ix) * n->in.c;
			for (int g = 0; g < groups; g++)
				for (int a = 0; a < ci; a++) {
					long from = at + g * ci + a, to = o * n->out.c + g * co;
					long weight = ((long)tap * ci + a) * n->out.c + g * co;
					bool within = p->r->q.range == RANGE_MAX || fabsf(p->x[0][from]) <= n->range;
					for (int b = 0; b < co; b++) {
						float by = halves && n->turned_scale ? n->turned_scale[g * co + b] : 1,
						      w_code = n->quantized[weight + b], dy = p->dy[to + b];
						double on_x = (double)as(dy * by) * (double)as(w_code);
						double on_w = (double)as(dy) * (double)as(code[from]) *
							(bare ? (double)scale : 1);
						put(&p->out[to + b], (double)x[from] * (double)(w_code * by), deep);
						put(&p->dx[0][from], within ? on_x : 0, back);
						put(&p->parameters[n->weights + weight + b], on_w, along);
					}
				}
		}
	for (long i = 0; i < in_size; i++)
		*p->clipped += fabsf(p->x[0][i]) > n->range;
	free(x);
	free(code);
}

static void plain_norm(const struct plain *p)
{
	const double EPSILON = 1e-5, ROUNDINGS = 400; // sums, then the difference of squares
	const struct node *n = p->n;
	int c = n->out.c;
	long pixels = (long)p->images * n->out.h * n->out.w;
	for (int j = 0; j < c; j++) {
		double gain = (double)p->r->net->weights[n->gain + j], bias = (double)p->r->net->weights[n->bias + j];
		double mean = 0, variance = 0, sum = 0, sum_h = 0, size = 0, size_h = 0;
		for (long i = j; i < pixels * c; i += c)
			mean += (double)p->x[0][i] / (double)pixels;
		for (long i = j; i < pixels * c; i += c)
			variance += pow((double)p->x[0][i] - mean, 2) / (double)pixels;
		double inverse = 1 / sqrt(variance + EPSILON), lean = pow(1 + fabs(mean) * inverse, 2);
		for (long i = j; i < pixels * c; i += c) {
			double hat = ((double)p->x[0][i] - mean) * inverse, z = gain * hat + bias;
			double dy = (double)p->dy[i], g = dy * slope_at(n->op->act, z, p->y[i]), h = (fabs(hat) + 1) * lean;
			put_sized(&p->out[i], plain_activation(n->op->act, z), ROUNDINGS * (fabs(bias) + fabs(gain) * h));
			sum += g;
			sum_h += g * hat;
			size += fabs(dy);
			size_h += fabs(dy) * h;
		}
		put_sized(&p->parameters[n->bias + j], sum, ROUNDINGS * size_h);
		put_sized(&p->parameters[n->gain + j], sum_h, ROUNDINGS * size_h * lean);
		for (long i = j; i < pixels * c; i += c) {
			double hat = ((double)p->x[0][i] - mean) * inverse, z = gain * hat + bias, dy = (double)p->dy[i];
			double g = dy * slope_at(n->op->act, z, p->y[i]), h = (fabs(hat) + 1) * lean;
			put_sized(&p->dx[0][i], gain * inverse * (g - (sum + hat * sum_h) / (double)pixels),
				ROUNDINGS * fabs(gain) * inverse * (h * fabs(dy) + (size + h * size_h) / (double)pixels));
		}
	}
}

static void plain_layernorm(const struct plain *p)
{
	const double EPSILON = 1e-6;
	const struct node *n = p->n;
	int c = n->out.c;
	double outputs = (double)p->images * n->out.h * n->out.w;
	const float *gain = p->r->net->weights + n->gain, *bias = p->r->net->weights + n->bias;
	for (long at = 0; at < p->images * shape_size(n->out); at += c) {
		double mean = 0, variance = 0, sum = 0, along = 0, size = 0;
		for (int j = 0; j < c; j++)
			mean += (double)p->x[0][at + j] / c;
		for (int j = 0; j < c; j++)
			variance += pow((double)p->x[0][at + j] - mean, 2) / c;
		double inverse = 1 / sqrt(variance + EPSILON), roundings = (c + 10) * (1 + fabs(mean) * inverse);
		for (int j = 0; j < c; j++) {
			double hat = ((double)p->x[0][at + j] - mean) * inverse;
			double dy = (double)p->dy[at + j], d = dy * (double)gain[j];
			put_sized(&p->out[at + j], hat * (double)gain[j] + (double)bias[j],
				roundings * ((1 + fabs(hat)) * fabs((double)gain[j]) + fabs((double)bias[j])));
			put_sized(&p->parameters[n->gain + j], dy * hat, (roundings + outputs) * fabs(dy) * (1 + fabs(hat)));
			put(&p->parameters[n->bias + j], dy, outputs);
			sum += d / c;
			along += d * hat / c;
			size += fabs(d) * (1 + fabs(hat)) / c;
		}
		for (int j = 0; j < c; j++) {
			double hat = ((double)p->x[0][at + j] - mean) * inverse, d = (double)p->dy[at + j] * (double)gain[j];
			put_sized(&p->dx[0][at + j], inverse * (d - sum - hat * along),
				(3 * roundings + READERS) * inverse * (fabs(d) + size * (1 + fabs(hat))));
		}
	}
}

static void plain_act(const struct plain *p)
{
	for (long i = 0; i < p->images * shape_size(p->n->out); i++) {
		double x = (double)p->x[0][i], dy = (double)p->dy[i];
		put_sized(&p->out[i], plain_activation(p->n->op->act, x), SMOOTH * (1 + fabs(x)));
		put_sized(&p->dx[0][i], dy * plain_slope(p->n->op->act, x), (SMOOTH + READERS) * (1 + fabs(x)) * fabs(dy));
	}
}

static void plain_add(const struct plain *p)
{
	for (long i = 0; i < p->images * shape_size(p->n->out); i++) {
		double x = (double)p->x[0][i] + (double)p->x[1][i];
		put_sized(&p->out[i], plain_activation(p->n->op->act, x), fabs(x));
		for (int k = 0; k < 2; k++)
			put(&p->dx[k][i], (double)p->dy[i] * slope_at(p->n->op->act, x, p->y[i]), READERS);
	}
}

static void plain_scale(const struct plain *p)
{
	long c = p->n->out.c, size = shape_size(p->n->out);
	for (long i = 0; i < p->images * size; i++) {
		long gate = i / size * c + i % c;
		double x = (double)p->x[0][i], g = (double)p->x[1][gate], dy = (double)p->dy[i];
		put(&p->out[i], x * g, 1);
		put(&p->dx[0][i], dy * g, READERS);
		put(&p->dx[1][gate], dy * x, STRETCH_ROUNDINGS + READERS);
	}
}

static void plain_concat(const struct plain *p)
{
	int c = p->n->out.c, first = 0;
	for (int k = 0; k < p->n->op->inputs; k++) {
		int own = p->r->model->op[p->n->op->in[k]].out.c;
		for (long i = 0; i < (long)p->images * p->n->out.h * p->n->out.w * own; i++) {
			long to = i / own * c + first + i % own;
			put(&p->out[to], (double)p->x[k][i], 0);
			put(&p->dx[k][i], (double)p->dy[to], READERS);
		}
		first += own;
	}
}

static void plain_pool(const struct plain *p)
{
	const struct node *n = p->n;
	struct window w = n->op->kind == OP_POOL ? (struct window){n->in.h, n->in.w, 1, 0, 0, 0} : n->op->window;
	int c = n->out.c;
	for (long i = 0; i < p->images * shape_size(n->out); i++) {
		long o = i / c, best = -1;
		double area = w.h * w.w, dy = (double)p->dy[i];
		for (int tap = 0; tap < w.h * w.w; tap++) {
			int iy = (int)(o / n->out.w) % n->out.h * w.stride + tap / w.w - w.pad_h;
			int ix = (int)(o % n->out.w) * w.stride + tap % w.w - w.pad_w;
			if (iy < 0 || iy >= n->in.h || ix < 0 || ix >= n->in.w)
				continue;
			long at = ((o / ((long)n->out.h * n->out.w) * n->in.h + iy) * n->in.w + ix) * c + i % c;
			if (n->op->kind == OP_MAXIMUM) {
				best = best < 0 || p->x[0][at] > p->x[0][best] ? at : best;
				continue;
			}
			put(&p->out[i], (double)p->x[0][at] / area, area + 2);
			put(&p->dx[0][at], dy / area, area + 2 + READERS);
		}
		if (n->op->kind != OP_MAXIMUM)
			continue;
		put(&p->out[i], (double)p->x[0][best], 0);
		put(&p->dx[0][best], dy, w.h * w.w + READERS);
	}
}

static void plain_tokens(const struct plain *p)
{
	const struct node *n = p->n;
	long size = shape_size(n->out), c = n->out.c;
	for (long i = 0; i < p->images * size; i++) {
		long at = i % size, from = i / size * (size - c) + at - c;
		bool class = at < c;
		double x = (double)(class ? p->r->net->weights[n->gain + at] : p->x[0][from]), dy = (double)p->dy[i];
		put(&p->out[i], x, 1);
		put(&p->out[i], (double)p->r->net->weights[n->bias + at], 1);
		put(&p->parameters[n->bias + at], dy, p->images);
		put(class ? &p->parameters[n->gain + at] : &p->dx[0][from], dy, p->images + READERS);
	}
}

static void plain_attention(const struct plain *p)
{
	const struct node *n = p->n;
	int tokens = n->in.h * n->in.w, heads = n->op->heads, width = n->out.c / heads, c = n->out.c;
	double *score = malloc((size_t)(3 * tokens) * sizeof *score), *slope = score + tokens, *size = slope + tokens;
	double root = sqrt(width);
	assert_non_null(score);
	for (long row = 0; row < (long)p->images * tokens * heads; row++) { // of the scores: a token of an image, in one head
		long t = row / heads, head = row % heads * width, image = t / tokens * tokens;
		const float *q = p->x[0] + t * 3 * c + head, *k = p->x[0] + image * 3 * c + c + head, *v = k + c;
		const float *dy = p->dy + t * c + head;
		double top = -INFINITY, total = 0, worst = 0, mean = 0, mean_size = 0;
		for (int u = 0; u < tokens; u++) {
			struct sum s = {0};
			for (int j = 0; j < width; j++)
				put(&s, (double)q[j] * (double)k[(long)u * 3 * c + j] / root, width + 6);
			score[u] = s.value;
			top = fmax(top, s.value);
			worst = fmax(worst, s.size);
		}
		for (int u = 0; u < tokens; u++)
			total += score[u] = exp(score[u] - top);
		// A score's relative error: that of its exponent and of the largest one, of its exponential, of the sum of these.
		double roundings = 4 * worst + 2 * tokens + 20;
		for (int u = 0; u < tokens; u++) {
			struct sum s = {0};
			score[u] /= total;
			for (int j = 0; j < width; j++) {
				double value = (double)v[(long)u * 3 * c + j];
				put(&p->out[t * c + head + j], score[u] * value, roundings);
				put(&p->dx[0][(image + u) * 3 * c + 2 * c + head + j], score[u] * (double)dy[j],
					roundings + READERS);
				put(&s, (double)dy[j] * value, 1);
			}
			slope[u] = s.value;
			size[u] = s.size;
			mean += score[u] * s.value;
			mean_size += score[u] * s.size;
		}
		for (int u = 0; u < tokens; u++) {
			double d = score[u] * (slope[u] - mean) / root;
			double error = score[u] * (size[u] + mean_size) / root * (2 * roundings + width + READERS);
			for (int j = 0; j < width; j++) {
				double key = (double)k[(long)u * 3 * c + j], query = (double)q[j];
				put_sized(&p->dx[0][t * 3 * c + head + j], d * key, error * fabs(key));
				put_sized(&p->dx[0][(image + u) * 3 * c + c + head + j], d * query, error * fabs(query));
			}
		}
	}
	free(score);
}

static void plain_first(const struct plain *p)
{
	for (long i = 0; i < (long)p->images * p->n->out.c; i++) {
		long from = i / p->n->out.c * shape_size(p->n->in) + i % p->n->out.c;
		put(&p->out[i], (double)p->x[0][from], 0);
		put(&p->dx[0][from], (double)p->dy[i], READERS);
	}
}

static void (*const plain_operators[OP_KINDS])(const struct plain *) = {
	[OP_CONV] = plain_layer,
	[OP_LINEAR] = plain_layer,
	[OP_NORM] = plain_norm,
	[OP_LAYERNORM] = plain_layernorm,
	[OP_ACT] = plain_act,
	[OP_ADD] = plain_add,
	[OP_SCALE] = plain_scale,
	[OP_CONCAT] = plain_concat,
	[OP_POOL] = plain_pool,
	[OP_AVERAGE] = plain_pool,
	[OP_MAXIMUM] = plain_pool,
	[OP_TOKENS] = plain_tokens,
	[OP_ATTENTION] = plain_attention,
	[OP_FIRST] = plain_first,
};

static void all_near(const struct rig *r, int op, const char *what, const float *got, const struct sum *wanted, long n)
{
	char name[64];
	snprintf(name, sizeof name, "operator %d (%s), %s", op, model_kind(r->model->op[op].kind), what);
	for (long i = 0; i < n; i++)
		near(name, i, got[i], wanted[i], 1);
}

// What a pass leaves to be worked out where it is used: norms that wait, gradients that layers take through a norm.
static void write_out(struct network *net, int images)
{
	for (int i = 0; i < net->model->ops; i++) {
		struct node *n = &net->node[i];
		long pixels = images * pixels_of(n->out);
		if (n->waits)
			net->kernels->affine(node_behind(net, n)->x, pixels, n->out.c, n->gain_scale, n->shift, n->op->act, n->x);
		if (n->norm)
			net->kernels->affine_gradient(n->x, n->norm->grad, pixels, n->out.c, n->norm->gain_scale, n->norm->shift,
				n->norm->op->act, n->norm->ka, n->norm->kb, n->norm->kc, n->grad);
	}
}

// Both ways with memory shared, then apart, which must give the same bits; then every output, every gradient and every parameter's
// gradient against plain loops over what its operator had before it. Frees the rig. Returns the share of clipped inputs of layers.
static double check(struct rig *r, int images)
{
	struct network *net = r->net;
	int ops = r->model->ops;
	struct node *last = &net->node[ops - 1];
	long outputs = images * shape_size(last->out), clipped = 0, read = 0, size = 0;
	float *input = copied(network_input(net), images * input_size(r));
	both_ways(r, input, images);
	float *gradient = copied(net->gradient, net->parameters);
	forward(r, input, PASS_TRAIN, images, NULL);
	float *output = copied(last->x, outputs);
	spread(r);
	both_ways(r, input, images);
	write_out(net, images);
	assert_memory_equal(output, last->x, (size_t)outputs * sizeof *output);
	for (int i = 0; i < net->parameter_count; i++)
		assert_memory_equal(gradient + net->parameter[i].at, net->gradient + net->parameter[i].at,
			(size_t)net->parameter[i].count * sizeof *gradient);
	for (int i = 0; i < ops; i++)
		size += images * shape_size(net->node[i].out);
	struct sum *sums = calloc((size_t)(2 * size + net->parameters), sizeof *sums),
		   **grads = calloc((size_t)ops, sizeof *grads);
	assert_non_null(sums);
	assert_non_null(grads);
	struct sum *out = sums, *parameters = sums + 2 * size;
	for (int i = 0; i < ops; out += images * shape_size(net->node[i].out), i++)
		grads[i] = out + size;
	out = sums;
	for (int i = 0; i < ops; i++) {
		const struct node *n = &net->node[i];
		struct plain p = {.r = r,
			.n = n,
			.images = images,
			.y = n->x,
			.dy = n->grad,
			.out = grads[i] - size,
			.parameters = parameters,
			.clipped = &clipped};
		for (int k = 0; k < n->op->inputs; k++) {
			p.x[k] = net->node[n->op->in[k]].x;
			p.dx[k] = grads[n->op->in[k]];
		}
		if (n->op->layer >= 0)
			read += images * shape_size(n->in);
		if (i == 0)
			continue;
		plain_operators[n->op->kind](&p);
		all_near(r, i, "output", n->x, p.out, images * shape_size(n->out));
	}
	for (int i = 1; i < ops - 1; i++)
		all_near(r, i, "gradient", net->node[i].grad, grads[i], images * shape_size(net->node[i].out));
	for (int i = 0; i < net->parameter_count; i++) {
		char name[32];
		snprintf(name, sizeof name, "parameter %d", i);
		for (long at = net->parameter[i].at; at < net->parameter[i].at + net->parameter[i].count; at++)
			near(name, at - net->parameter[i].at, net->gradient[at], parameters[at], 1);
	}
	free(sums);
	free(grads);
	free(input);
	free(gradient);
	free(output);
	rig_free(r);
	return read ? (double)clipped / (double)read : 0;
}

// ---- layers ----------------------------------------------------------------------------------------------------------------

struct conv_case {
	int h, w, ci, co;
	struct window window;
	int groups;
	bool bias;
	int images;
	const char *format;
};

// Behind a layer, so that a gradient of its input is wanted, too.
static void one_conv_by(struct conv_case c, enum gradients gradients)
{
	snprintf(under_test, sizeof under_test, "%dx%dx%d to %d, window %dx%d, stride %d, groups %d, %d images, %s%s", c.h, c.w,
		c.ci, c.co, c.window.h, c.window.w, c.window.stride, c.groups, c.images, c.format, gradients ? ", bf16" : "");
	struct model *m = model_new("conv", (struct shape){c.h, c.w, 2}, c.co);
	model_conv(m, "second", conv_of(m, "first", 0, c.ci, 1, 1), c.co, c.window, c.groups, c.bias);
	struct rig *r = rig_new(m, c.images, 2, c.format);
	r->q.gradients = gradients;
	check(r, c.images);
}

static void one_conv(struct conv_case c)
{
	one_conv_by(c, GRADIENTS_FP32);
}

static void convolutions(void **state)
{
	(void)state;
	static const int channels[] = {1, 3, 10, 16, 17, 32};
	static const struct shape images[] = {{4, 4, 0}, {7, 5, 0}, {5, 7, 0}, {8, 8, 0}, {13, 16, 0}, {16, 16, 0}};
	for (int kernel = 1; kernel <= 3; kernel += 2)
		for (int stride = 1; stride <= 2; stride++) {
			struct window w = window_of(kernel, stride);
			for (int a = 0; a < 6; a++) // every pair of channels on a small odd image
				for (int b = 0; b < 6; b++)
					one_conv((struct conv_case){
						7, 5, channels[a], channels[b], w, 1, (a + b) % 2, 2, "fp32"});
			for (int s = 0; s < 6; s++) // every shape with some pairs
				for (int a = 0; a < 6; a++)
					one_conv((struct conv_case){images[s].h, images[s].w, channels[a], channels[(a + s) % 6],
						w, 1, s % 2, 1 + a * 2, "fp32"});
			one_conv((struct conv_case){1, 1, 3, 4, w, 1, false, 3, "fp32"});
			one_conv((struct conv_case){1, 6, 3, 4, w, 1, true, 3, "fp32"});
			one_conv((struct conv_case){6, 5, 10, 17, w, 1, false, 3, "int4"});
			one_conv((struct conv_case){6, 5, 16, 16, w, 1, true, 9, "e2m1"});
			one_conv((struct conv_case){6, 5, 17, 33, w, 1, true, 9, "mxfp4"});
			one_conv((struct conv_case){4, 3, 40, 20, w, 1, true, 3, "nvfp4"});
			one_conv((struct conv_case){4, 3, 36, 40, w, 2, true, 3, "mxfp6"});
			one_conv((struct conv_case){4, 3, 40, 40, w, 40, true, 3, "mxint8"});
			one_conv((struct conv_case){4, 3, 20, 24, w, 4, false, 3, "nvfp4"});
		}
}

static void windows_of_all_sorts(void **state)
{
	(void)state;
	static const struct window windows[] = {
		{1, 7, 1, 0, 3, 0},
		{7, 1, 1, 3, 0, 0},
		{1, 3, 1, 0, 1, 0},
		{3, 1, 2, 1, 0, 0},
		{5, 5, 1, 2, 2, 0},
		{3, 3, 3, 1, 1, 0},
		{3, 3, 2, 0, 0, 0},
		{2, 2, 2, 0, 0, 0},
		{4, 4, 4, 0, 0, 0},
		{1, 1, 2, 0, 0, 0},
		{1, 1, 3, 0, 0, 0},
		{5, 3, 3, 2, 1, 0},
		{2, 2, 1, 0, 0, 1},
		{2, 2, 2, 0, 0, 1},
		{4, 4, 1, 1, 1, 1},
		{4, 4, 3, 1, 1, 1},
		{6, 6, 2, 2, 2, 1},
		{7, 7, 2, 3, 3, 0},
		{5, 5, 5, 0, 0, 0},
		{3, 3, 7, 1, 1, 0},
		{8, 8, 8, 0, 0, 0},
	};
	static const struct {
		int ci, co, groups;
	} channels[] = {
		{3, 17, 1}, {10, 6, 2}, {24, 36, 4}, {34, 66, 2}, {6, 12, 6}, {12, 6, 6}, {8, 8, 8}, {17, 17, 17}, {48, 48, 48}};
	static const struct shape images[] = {{8, 8, 0}, {9, 7, 0}, {4, 11, 0}};
	for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++)
		for (size_t c = 0; c < sizeof channels / sizeof channels[0]; c++)
			for (size_t s = 0; s < 3; s++) {
				struct window v = windows[w];
				struct shape i = images[s];
				if (i.h + 2 * v.pad_h + v.far >= v.h && i.w + 2 * v.pad_w + v.far >= v.w)
					for (int g = GRADIENTS_FP32; g <= GRADIENTS_BF16; g++)
						one_conv_by((struct conv_case){i.h, i.w, channels[c].ci, channels[c].co, v,
								    channels[c].groups, (w + s) % 2, 1 + (int)s,
								    c % 2 ? "fp32" : "int8"},
							(enum gradients)g);
			}
}

// Wide enough that the gradient of the weights goes by tiles: 8 of them, 2, and one that has but a part of a block.
static void layers_with_many_weights(void **state)
{
	(void)state;
	static const struct conv_case cases[] = {
		{3, 4, 256, 576, {1, 1, 1, 0, 0, 0}, 1, false, 3, "fp32"},
		{4, 3, 128, 160, {3, 3, 1, 1, 1, 0}, 1, true, 3, "fp32"},
		{4, 3, 110, 149, {3, 3, 2, 1, 1, 0}, 1, false, 9, "fp32"},
		{3, 3, 256, 576, {1, 1, 1, 0, 0, 0}, 1, true, 2, "int4"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(cases[i].window.h * cases[i].window.w * cases[i].ci * cases[i].co >= NN_PARTIAL);
		one_conv_by(cases[i], GRADIENTS_FP32);
		one_conv_by(cases[i], GRADIENTS_BF16);
	}
}

// On every set of kernels: channels and rows of odd numbers, groups, and formats whose numbers have a scale, have none, or have many.
static void gradients_in_bf16(void **state)
{
	(void)state;
	static const char *const formats[] = {"fp32", "int8", "int3", "e4m3", "bf16", "int16", "mxfp4", "nvfp4"};
	static const struct {
		int ci, co, groups;
	} channels[] = {{3, 17, 1}, {16, 32, 1}, {10, 6, 2}, {36, 24, 4}, {8, 8, 8}};
	for (const struct kernels *const *k = kernels_all(); *k; k++) {
		assert_true(kernels_use((*k)->name));
		for (int f = 0; f < 8; f++)
			for (int c = 0; c < 5; c++)
				for (int kernel = 1; kernel <= 3; kernel++)
					one_conv_by((struct conv_case){5 + f % 2, 7 - c % 2, channels[c].ci, channels[c].co,
							    window_of(kernel, 1 + (f + c) % 2), channels[c].groups, c % 2,
							    1 + 4 * (f % 3), formats[f]},
						GRADIENTS_BF16);
	}
	assert_true(kernels_use(kernels_asked()->name));
}

static void linear_layers(void **state)
{
	(void)state;
	static const int widths[] = {1, 3, 10, 16, 17, 64, 100}, batches[] = {1, 5, 16, 17, 40};
	for (int a = 0; a < 7; a++)
		for (int s = 0; s < 5; s++) {
			int co = widths[(a + s) % 7], images = batches[s];
			snprintf(under_test, sizeof under_test, "linear, %d to %d, %d images", widths[a], co, images);
			struct model *m = model_new("linear", (struct shape){1 + a % 3 * 8, 1, 5}, co); // of 1, 9 or 17 tokens
			model_linear(m, "second", model_linear(m, "first", 0, widths[a]), co);
			struct rig *r = rig_new(m, images, 2, s % 2 ? "e4m3" : "fp32");
			r->q.gradients = (a + s / 2) % 2 ? GRADIENTS_BF16 : GRADIENTS_FP32;
			check(r, images);
		}
}

// Where the range clips, what lies outside of it gets no gradient through the layer that clips, and only through that one.
static void clipped_layers(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) { // pairs of layers: convolutions, linear, depthwise and grouped; then one reader more
		struct model *m = model_new("clip", (struct shape){7, 5, 12}, 12);
		int x = way == 3 ? conv_of(m, "first", 0, 12, 1, 1) : 0, one, two;
		if (way == 1) {
			one = model_linear(m, "a", x, 12);
			two = model_linear(m, "b", x, 12);
		} else {
			one = model_conv(m, "a", x, 12, window_of(3, 1), way == 2 ? 12 : 1, false);
			two = model_conv(m, "b", x, 12, window_of(3, 1), 4, true);
		}
		x = model_add(m, one, two, ACT_NONE);
		snprintf(under_test, sizeof under_test, "clipping, way %d", way);
		// The sum is read by two layers, and by an addition around them.
		one = conv_of(m, "c", x, 12, 3, 1);
		two = model_conv(m, "d", x, 12, window_of(5, 1), 12, false);
		model_add(m, x, model_add(m, one, model_add(m, two, model_linear(m, "e", x, 12), ACT_NONE), ACT_NONE), ACT_RELU);
		struct rig *r = rig_new(m, 3, 2, "int8");
		r->q.range = RANGE_PERCENTILE;
		r->q.percentile = 70;
		assert_true(fabs(check(r, 3) - .3) < .02);
	}
}

// ---- the other operators ------------------------------------------------------------------------------------------------------

static void norms(void **state)
{
	(void)state;
	static const int channels[] = {1, 3, 10, 16, 17, 32}, images[] = {2, 3, 16, 19};
	for (int c = 0; c < 6; c++)
		for (int i = 0; i < 4; i++)
			for (int half = 0; half < 2; half++) { // behind a layer, which leaves its sums, or behind another norm
				enum act act = (enum act)((c * 4 + i + 3 * half) % ACTS);
				snprintf(under_test, sizeof under_test, "norm, %d channels, %d images, activation %d",
					channels[c], images[i], act);
				struct model *m = model_new("norm", half ? (struct shape){7, 5, 2} : (struct shape){4, 4, 2}, 1);
				int x = conv_of(m, "first", 0, channels[c], 1, 1);
				model_norm(m, half ? model_norm(m, x, ACT_SWISH) : x, act);
				check(rig_new(m, images[i], 2, "fp32"), images[i]);
			}
}

static void additions_of_any_activation(void **state)
{
	(void)state;
	for (int act = 0; act < ACTS; act++) {
		struct model *m = model_new("add", (struct shape){7, 5, 3}, 10);
		int a = conv_of(m, "a", 0, 10, 3, 1), b = conv_of(m, "b", 0, 10, 1, 1);
		model_add(m, a, b, (enum act)act);
		snprintf(under_test, sizeof under_test, "addition, activation %d", act);
		check(rig_new(m, 3, 2, "fp32"), 3);
	}
}

static void pooling(void **state)
{
	(void)state;
	static const struct shape shapes[] = {{1, 1, 3}, {4, 4, 16}, {7, 5, 17}, {16, 16, 10}};
	static const struct window windows[] = {{3, 3, 1, 1, 1, 0}, {3, 3, 2, 1, 1, 0}, {2, 2, 2, 0, 0, 0}, {3, 3, 2, 0, 0, 0},
		{1, 5, 1, 0, 2, 0}, {2, 2, 1, 0, 0, 1}, {4, 3, 3, 1, 1, 1}};
	for (int s = 0; s < 4; s++)
		for (int w = -1; w < 7; w++)
			for (int kind = OP_AVERAGE; kind <= OP_MAXIMUM; kind++) {
				struct window v = windows[w < 0 ? 0 : w];
				if (shapes[s].h + 2 * v.pad_h + v.far < v.h || shapes[s].w + 2 * v.pad_w + v.far < v.w)
					continue;
				struct model *m = model_new("pool", (struct shape){shapes[s].h, shapes[s].w, 2}, shapes[s].c);
				int x = conv_of(m, "first", 0, shapes[s].c, 1, 1);
				snprintf(under_test, sizeof under_test, "pooling, shape %d, window %d, kind %d", s, w, kind);
				w < 0 ? model_pool(m, x) : model_window(m, (enum op_kind)kind, x, v);
				check(rig_new(m, 3, 2, "fp32"), 3);
			}
}

// The first of equal numbers has the gradient.
static void maximum_of_equals(void **state)
{
	(void)state;
	struct model *m = model_new("equals", (struct shape){6, 6, 3}, 5);
	model_window(m, OP_MAXIMUM, model_act(m, conv_of(m, "a", 0, 5, 1, 1), ACT_RELU), window_of(3, 2)); // many zeros
	check(rig_new(m, 3, 2, "fp32"), 3);
}

static void attention(void **state)
{
	(void)state;
	static const int heads[] = {1, 3}, tokens[] = {5, 17, 65}, widths[] = {8, 24, 32};
	for (int h = 0; h < 2; h++)
		for (int t = 0; t < 3; t++)
			for (int w = 0; w < 3; w++) {
				struct model *m = model_new("attention", (struct shape){tokens[t], 1, 7}, 1);
				model_attention(m, model_linear(m, "qkv", 0, 3 * heads[h] * widths[w]), heads[h]);
				snprintf(under_test, sizeof under_test, "attention, %d heads, %d tokens of %d", heads[h],
					tokens[t], widths[w]);
				check(rig_new(m, 1 + t, 2, "fp32"), 1 + t);
			}
}

// Ways to read an image of 24 channels.
#define PARTS(PART)                                                                                                              \
	PART(convolution, conv_of(m, "part", x, 10, 3, 2))                                                                       \
	PART(grouped, model_conv(m, "part", x, 16, window_of(3, 1), 4, true))                                                    \
	PART(depthwise, model_conv(m, "part", x, 24, window_of(5, 2), 24, false))                                                \
	PART(even_depthwise, model_conv(m, "part", x, 24, window_of(2, 1), 24, true))                                            \
	PART(pointwise, model_conv(m, "part", x, 33, window_of(1, 1), 1, true))                                                  \
	PART(linear, model_linear(m, "part", x, 17))                                                                             \
	PART(norm, model_norm(m, x, ACT_SWISH))                                                                                  \
	PART(layernorm, model_layernorm(m, x))                                                                                   \
	PART(act, model_act(m, x, ACT_GELU))                                                                                     \
	PART(sum, model_add(m, x, model_act(m, x, ACT_SIGMOID), ACT_RELU))                                                       \
	PART(twice, model_add(m, x, x, ACT_RELU6))                                                                               \
	PART(gate, model_scale(m, x, model_pool(m, x)))                                                                          \
	PART(concat, model_concat(m, (int[]){x, model_window(m, OP_MAXIMUM, x, window_of(3, 1)), x}, 3))                         \
	PART(concat_twice, model_concat(m, (int[]){x, x, model_act(m, x, ACT_SWISH)}, 3))                                        \
	PART(pool, model_pool(m, x))                                                                                             \
	PART(average, model_window(m, OP_AVERAGE, x, window_of(3, 2)))                                                           \
	PART(maximum, model_window(m, OP_MAXIMUM, x, window_of(3, 2)))                                                           \
	PART(tokens, model_tokens(m, x))                                                                                         \
	PART(attention, model_attention(m, x, 2))                                                                                \
	PART(first, model_first(m, x))
#define FUNCTION(name, expression)                                                                                               \
	static int part_##name(struct model *m, int x)                                                                           \
	{                                                                                                                        \
		return expression;                                                                                               \
	}
PARTS(FUNCTION)
// clang-format off
#define ROW(name, expression) {#name, part_##name},
// clang-format on
static const struct {
	const char *name;
	int (*add)(struct model *, int x);
} parts[] = {PARTS(ROW)};

// Every operator alone, and as the first and the second of two readers: of the input, which wants no gradient, of a layer, of a norm
// behind a layer, and of a norm behind a norm; in batches that fill chunks and that do not.
static void operators_among_readers(void **state)
{
	(void)state;
	static const char *const formats[] = {"fp32", "int4"};
	static const char *const sources[] = {"the input", "a layer", "a norm", "a norm of a norm"};
	enum { SOURCES = sizeof sources / sizeof sources[0] };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		for (int way = 0; way < 4 * SOURCES; way++) {
			int source = way / 4, images = way & 1 ? 19 : 2;
			bool both = way & 2;
			struct model *m = model_new("part", (struct shape){5, 6, 24}, 1);
			int x = source ? conv_of(m, "source", 0, 24, 1, 1) : 0;
			for (int norm = 1; norm < source; norm++)
				x = model_norm(m, x, norm % 2 ? ACT_SWISH : ACT_RELU);
			int one = parts[i].add(m, x);
			if (both)
				model_concat(m, (int[]){model_pool(m, one), model_pool(m, parts[i].add(m, x))}, 2);
			snprintf(under_test, sizeof under_test, "%s of %s%s, %d images", parts[i].name, sources[source],
				both ? ", twice" : "", images);
			struct rig *r = rig_new(m, images, 2, formats[(i + (size_t)source) % 2]);
			r->q.range = way & 1 ? RANGE_MAX : RANGE_MSE;
			check(r, images);
		}
}

// A gate that is its own image: both gradients go to one place.
static void gate_of_itself(void **state)
{
	(void)state;
	struct model *m = model_new("square", (struct shape){4, 4, 3}, 10);
	int x = model_pool(m, conv_of(m, "a", 0, 10, 1, 1));
	model_scale(m, x, x);
	snprintf(under_test, sizeof under_test, "gate of itself");
	check(rig_new(m, 5, 2, "fp32"), 5);
}

// ---- the loss ----------------------------------------------------------------------------------------------------------

static void cross_entropy(void **state)
{
	(void)state;
	enum { IMAGES = 6, CLASSES = 10 };
	for (int s = 0; s < 2; s++) {
		double smoothing = s * .1, mean = 0;
		struct model *m = model_new("loss", (struct shape){1, 1, 8}, CLASSES);
		model_linear(m, "head", 0, CLASSES);
		struct rig *r = rig_new(m, IMAGES, 1, "fp32");
		uint16_t label[IMAGES];
		long correct = 0;
		network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, IMAGES, NULL);
		float *z = copied(network_logits(r->net), IMAGES * CLASSES);
		for (int i = 0; i < IMAGES; i++)
			label[i] = (uint16_t)(i * 3 % CLASSES);
		struct loss loss = network_loss(r->net, label, IMAGES, smoothing);
		for (int i = 0; i < IMAGES; i++) {
			double total = 0;
			int best = 0;
			for (int j = 0; j < CLASSES; j++) {
				total += exp((double)z[i * CLASSES + j]);
				best = z[i * CLASSES + j] > z[i * CLASSES + best] ? j : best;
			}
			correct += best == label[i];
			for (int j = 0; j < CLASSES; j++) {
				double p = exp((double)z[i * CLASSES + j]) / total,
				       wanted = smoothing / CLASSES + (j == label[i] ? 1 - smoothing : 0);
				mean -= wanted * log(p) / IMAGES;
				assert_true(fabs((double)r->net->node[1].grad[i * CLASSES + j] - (p - wanted) / IMAGES) < 1e-7);
			}
		}
		assert_true(fabs(loss.mean - mean) < 1e-6);
		assert_int_equal(loss.correct, correct);
		free(z);
		rig_free(r);
	}
}

// ---- small networks of every family ----------------------------------------------------------------------------------------------

static struct model *resnet8(int size)
{
	struct fault fault;
	struct model *m = model_named("resnet8", (struct shape){size, size, 3}, 10, &fault);
	assert_non_null(m);
	m->macs = m->weights = m->parameters = 0; // rig_new finishes it once more
	return m;
}

static struct model *residual(void)
{
	return resnet8(9);
}

static int normed(struct model *m, const char *layer, int in, int channels, struct window w, int groups, enum act act)
{
	return model_norm(m, model_conv(m, layer, in, channels, w, groups, false), act);
}

// Inverted residual blocks with a gate: depthwise, swish, sigmoid; an even window, as behind space to depth.
static struct model *mobile(void)
{
	struct model *m = model_new("mobile", (struct shape){9, 9, 3}, 10);
	int in = normed(m, "stem", 0, 8, window_of(3, 1), 1, ACT_SWISH);
	int x = normed(m, "expand", in, 24, window_of(1, 1), 1, ACT_SWISH);
	x = normed(m, "depthwise", x, 24, window_of(3, 1), 24, ACT_SWISH);
	int gate = model_act(m, model_linear(m, "reduce", model_pool(m, x), 6), ACT_SWISH);
	x = model_scale(m, x, model_act(m, model_linear(m, "restore", gate, 24), ACT_SIGMOID));
	in = model_add(m, normed(m, "project", x, 8, window_of(1, 1), 1, ACT_NONE), in, ACT_NONE);
	x = normed(m, "space2depth", in, 16, window_of(2, 2), 1, ACT_RELU6);
	x = normed(m, "even", x, 16, window_of(2, 1), 16, ACT_SWISH);
	x = normed(m, "narrow", normed(m, "reducing", x, 16, window_of(5, 2), 16, ACT_SWISH), 12, window_of(1, 1), 1, ACT_GELU);
	model_linear(m, "head", model_pool(m, x), 10);
	return m;
}

// Branches side by side; groups; windows of all sorts, with bias where no norm follows.
static struct model *inception(void)
{
	struct model *m = model_new("inception", (struct shape){9, 9, 3}, 10);
	int x = normed(m, "stem", 0, 12, window_of(3, 1), 1, ACT_RELU);
	int seven = normed(m, "seven.in", x, 8, window_of(1, 1), 1, ACT_RELU);
	seven = normed(m, "row", seven, 8, (struct window){1, 7, 1, 0, 3, 0}, 1, ACT_RELU);
	seven = normed(m, "column", seven, 10, (struct window){7, 1, 1, 3, 0, 0}, 1, ACT_RELU);
	int mean = model_window(m, OP_AVERAGE, x, window_of(3, 1)), top = model_window(m, OP_MAXIMUM, x, window_of(3, 1));
	int one = normed(m, "one", x, 7, window_of(1, 1), 1, ACT_RELU);
	x = model_concat(m, (int[]){one, seven, normed(m, "mean", mean, 9, window_of(1, 1), 1, ACT_RELU), top}, 4);
	one = model_act(m, model_conv(m, "grouped", x, 16, (struct window){3, 3, 2, 0, 0, 0}, 2, true), ACT_SWISH);
	top = model_window(m, OP_MAXIMUM, x, (struct window){3, 3, 2, 0, 0, 0});
	model_linear(m, "head", model_pool(m, model_concat(m, (int[]){one, top}, 2)), 10);
	return m;
}

static struct model *transformer(void)
{
	struct model *m = model_new("transformer", (struct shape){8, 8, 3}, 10);
	int x = model_tokens(m, model_conv(m, "patch", 0, 24, (struct window){2, 2, 2, 0, 0, 0}, 1, true));
	for (int b = 0; b < 2; b++) {
		char name[4][MODEL_NAME];
		for (int i = 0; i < 4; i++)
			snprintf(name[i], sizeof name[i], "b%d.%d", b, i);
		int y = model_attention(m, model_linear(m, name[0], model_layernorm(m, x), 72), 3);
		x = model_add(m, x, model_linear(m, name[1], y, 24), ACT_NONE);
		y = model_act(m, model_linear(m, name[2], model_layernorm(m, x), 40), ACT_GELU);
		x = model_add(m, x, model_linear(m, name[3], y, 24), ACT_NONE);
	}
	model_linear(m, "head", model_first(m, model_layernorm(m, x)), 10);
	return m;
}

static struct model *(*const families[])(void) = {residual, mobile, inception, transformer};
enum { FAMILIES = sizeof families / sizeof families[0] };

static void small_networks(void **state)
{
	(void)state;
	static const char *const formats[] = {"fp32", "int4", "e4m3", "mxfp8", "nvfp4"};
	for (int f = 0; f < FAMILIES; f++)
		for (int way = 0; way < 10; way++) {
			struct rig *r = rig_new(families[f](), 5, 2, formats[way % 5]);
			r->q.gradients = way < 5 ? GRADIENTS_FP32 : GRADIENTS_BF16;
			r->q.range = way % 5 == 1 ? RANGE_PERCENTILE : RANGE_MAX;
			r->q.percentile = 95;
			r->q.unsigned_positive = way % 5 == 1;
			snprintf(under_test, sizeof under_test, "%.30s, %s%s", r->model->name, formats[way % 5],
				way < 5 ? "" : ", bf16");
			check(r, 5);
		}
}

// ---- finite differences ------------------------------------------------------------------------------------------------

enum { FD_BATCH = 8 };

static double loss_of(struct rig *r, const float *input)
{
	static const uint16_t label[FD_BATCH] = {1, 2, 3, 4, 5, 6, 7, 8};
	forward(r, input, PASS_TRAIN, FD_BATCH, NULL);
	return network_loss(r->net, label, FD_BATCH, 0).mean;
}

// The loss along a direction that lies half along the gradient of one array and half anywhere.
// `share`: of the gradient's length that kinks of the rectifiers and single precision may leave as an error.
static void check_direction(struct rig *r, const float *input, const float *gradient, const char *name, long first, long count,
	double share)
{
	const double STEP = 1e-2;
	double length = 0, dot = 0, side[2];
	for (long i = 0; i < count; i++)
		length += pow((double)gradient[first + i], 2);
	length = sqrt(length);
	if (!(length > 1e-6))
		fail_msg("%s: no gradient to speak of: %.3g", name, length);
	float *w = copied(r->net->weights + first, count);
	for (int s = 0; s < 2; s++) {
		dot = 0;
		for (long i = 0; i < count; i++) {
			double g = (double)gradient[first + i];
			double d = .7 * g / length + .7 * rng_normal(9, (uint64_t)i) / sqrt((double)count);
			dot += d * g;
			r->net->weights[first + i] = w[i] + (float)((s ? -STEP : STEP) * d);
		}
		side[s] = loss_of(r, input);
	}
	memcpy(r->net->weights + first, w, (size_t)count * sizeof *w);
	free(w);
	double numeric = (side[0] - side[1]) / (2 * STEP);
	if (!(fabs(numeric - dot) <= share * length))
		fail_msg("%s: slope %.6g, by the gradient %.6g (of length %.6g)", name, numeric, dot, length);
}

static void finite_differences(void **state)
{
	(void)state;
	for (int way = 0; way < 2 * FAMILIES; way++) {
		struct rig *r = rig_new(families[way / 2](), FD_BATCH, 2, "fp32");
		r->q.gradients = way % 2 ? GRADIENTS_BF16 : GRADIENTS_FP32;
		float *input = copied(network_input(r->net), FD_BATCH * input_size(r));
		loss_of(r, input);
		network_backward(r->net);
		float *gradient = copied(network_gradient(r->net), r->net->parameters);
		for (int i = 0; i < r->net->parameter_count; i++) {
			char name[64];
			snprintf(name, sizeof name, "%.30s, parameter %d", r->model->name, i);
			check_direction(r, input, gradient, name, r->net->parameter[i].at, r->net->parameter[i].count,
				way % 2 ? .04 : .03);
		}
		free(gradient);
		free(input);
		rig_free(r);
	}
}

// ---- sets of norms ----------------------------------------------------------------------------------------------------------

enum { SETS = 3 };

// In the sets in use: the gradient by finite differences. In the others: none. And only the sum of what is shared and what is the
// set's own counts.
static void gradients_of_sets(void **state)
{
	(void)state;
	for (int f = 0; f < 3; f++) { // of families with batch norms
		struct rig *r = rig_with_sets(families[f](), FD_BATCH, 2, "fp32", SETS);
		uint8_t set[MOST_LAYERS];
		for (int l = 0; l < MOST_LAYERS; l++)
			set[l] = (uint8_t)(l % SETS);
		network_use_sets(r->net, set);
		float *input = copied(network_input(r->net), FD_BATCH * input_size(r));
		double loss = loss_of(r, input);
		network_backward(r->net);
		float *gradient = copied(network_gradient(r->net), r->net->parameters);
		int norms = 0;
		for (int i = 0; i < r->model->ops; i++) {
			const struct node *n = &r->net->node[i];
			long used = norm_own(n, n->set);
			char name[64];
			if (n->op->kind != OP_NORM)
				continue;
			norms++;
			assert_int_equal(n->set, set[n->follows]);
			snprintf(name, sizeof name, "%.30s, norm %d", r->model->name, i);
			check_direction(r, input, gradient, name, used, n->out.c, .06);
			check_direction(r, input, gradient, name, used + n->out.c, n->out.c, .06);
			for (int s = 0; s < SETS; s++)
				for (long j = 0; s != n->set && j < norm_set_size(n); j++)
					assert_true(gradient[norm_own(n, s) + j] == 0);
			for (int j = 0; j < n->out.c; j++) {
				r->net->weights[n->gain + j] -= 0.25f;
				r->net->weights[used + j] += 0.25f;
				r->net->weights[n->bias + j] += 0.5f;
				r->net->weights[used + n->out.c + j] -= 0.5f;
			}
		}
		assert_true(norms > 2 && fabs(loss_of(r, input) - loss) < 1e-5 * loss);
		free(gradient);
		free(input);
		rig_free(r);
	}
}

// Neither weights nor momentum nor what else is kept of a set that rests is moved, and of ranges only those of the set in use; a copy
// of a set is that set. Fresh weights are the same with sets.
static void sets_that_rest(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		struct rig *r = rig_with_sets(mobile(), FD_BATCH, 2, "int4", SETS),
			   *plain = rig_new(mobile(), FD_BATCH, 2, "int4");
		const struct optimizer o = {.kind = way ? OPTIMIZER_ADAMW : OPTIMIZER_SGD,
			.rate = .1,
			.momentum = .9,
			.beta2 = .99,
			.decay = .1,
			.clip = 1,
			.average = .9};
		struct network_array now[NETWORK_ARRAYS];
		float *input = copied(network_input(r->net), FD_BATCH * input_size(r)), *was[NETWORK_ARRAYS];
		uint8_t set[MOST_LAYERS] = {0};
		int arrays = network_arrays(r->net, now);
		network_initialise(r->net, 7);
		network_initialise(plain->net, 7);
		assert_memory_equal(r->net->weights, plain->net->weights, (size_t)plain->net->parameters * sizeof(float));
		r->q.range = RANGE_EMA;
		network_use_sets(r->net, set);
		for (int step = 0; step < 4; step++) {
			memset(set, step % 2, sizeof set);
			for (int a = 0; a < arrays; a++)
				was[a] = copied(now[a].data, now[a].count);
			loss_of(r, input);
			network_backward(r->net);
			network_update(r->net, &o, step);
			for (int a = 0; a < arrays; a++) {
				bool of_sgd = a == 3 && o.kind == OPTIMIZER_SGD; // has no second moments
				for (int i = 0; a != 2 && i < r->model->ops; i++) {
					const struct node *n = &r->net->node[i];
					size_t size = (size_t)norm_set_size(n) * sizeof(float);
					for (int s = 0; n->op->kind == OP_NORM && s < SETS; s++)
						assert_int_equal(memcmp(was[a] + norm_own(n, s), now[a].data + norm_own(n, s),
									 size) != 0,
							s == step % 2 && !of_sgd);
				}
				int layers = r->model->layers;
				for (int s = 0; a == 2 && s < SETS; s++)
					assert_int_equal(memcmp(was[a] + s * layers, now[a].data + s * layers,
								 (size_t)layers * sizeof(float)) != 0,
						s == step % 2);
				free(was[a]);
			}
		}
		network_copy_set(r->net, 1, 2);
		float *logits[2];
		for (int s = 0; s < 2; s++) {
			memset(set, 1 + s, sizeof set);
			forward(r, input, PASS_SAMPLE, FD_BATCH, NULL);
			logits[s] = copied(network_logits(r->net), FD_BATCH * 10);
		}
		assert_memory_equal(logits[0], logits[1], FD_BATCH * 10 * sizeof(float));
		for (int i = 0; i < r->model->ops; i++)
			for (int a = 0; r->model->op[i].kind == OP_NORM && a < arrays; a++) {
				const struct node *n = &r->net->node[i];
				if (a != 2)
					assert_memory_equal(now[a].data + norm_own(n, 1), now[a].data + norm_own(n, 2),
						(size_t)norm_set_size(n) * sizeof(float));
			}
		for (int s = 0; s < 2; s++)
			free(logits[s]);
		free(input);
		rig_free(plain);
		rig_free(r);
	}
}

// Near an edge: more than 3/8 of a step from the code.
static void near_edges(void **state)
{
	(void)state;
	struct model *m = model_new("edges", (struct shape){4, 4, 4}, 2);
	model_linear(m, "b", model_act(m, conv_of(m, "a", 0, 2, 1, 1), ACT_RELU), 2);
	struct rig *r = rig_new(m, 2, 2, "int3");
	float share[2];
	// Every output channel has a range of 3. In int3 a step is 1: near an edge are 1.4 and -.4. In e2m1 a step is .25 up to 1,
	// then .5, from 2 on 1: near are -.4 and .85, which is .4 of a step above .75.
	static const float w[8] = {3, 3, 1.4f, -.4f, .3f, .85f, -1.9f, 2.2f};
	memcpy(r->net->weights + r->net->node[r->model->layer[0].op].weights, w, sizeof w);
	network_near_edges(r->net, &r->plan, &r->q, share);
	assert_true(share[0] == 2 / 8.f);
	r->layer[0].weight = format_named("e2m1");
	network_near_edges(r->net, &r->plan, &r->q, share);
	assert_true(share[0] == 2 / 8.f);
	r->layer[0].weight = format_named("fp32");
	network_near_edges(r->net, &r->plan, &r->q, share);
	assert_true(share[0] == 0);
	rig_free(r);
}

static double noise_between(const float *exact, const float *rounded, long n)
{
	double signal = 0, noise = 0;
	for (long i = 0; i < n; i++) {
		double error = (double)exact[i] - (double)rounded[i];
		signal += (double)exact[i] * (double)exact[i];
		noise += error * error;
	}
	return noise > 0 ? 10 * log10(signal / noise) : (double)INFINITY;
}

// A look leaves all numbers as they are; the last layer's noise is what its logits say, in fp32 and rounded; and what a format would do to a
// layer's output is what it does once the plan has it.
static void looks(void **state)
{
	(void)state;
	enum { IMAGES = 5 };
	const int format[] = {format_named("int2"), format_named("int4"), format_named("e4m3"), format_named("fp32")};
	for (int f = 0; f < FAMILIES; f++) {
		struct rig *r = rig_new(families[f](), IMAGES, 2, "int4");
		const int layers = r->model->layers, last = layers - 1;
		const long logits = IMAGES * shape_size(r->model->op[r->model->ops - 1].out);
		float *input = copied(network_input(r->net), IMAGES * input_size(r));
		float *weights = copied(r->net->weights, r->net->parameters);
		double noise[MOST_LAYERS], other[MOST_LAYERS], formats[MOST_LAYERS * LOOK_OPTIONS];
		struct fault fault;
		forward(r, input, PASS_SAMPLE, IMAGES, NULL);
		float *before = copied(network_logits(r->net), logits);
		for (int l = 0; l < layers; l++) {
			struct layer_look look = {.layer = l, .options = 4}, none = {.layer = LOOK_ALL, .options = 4};
			memcpy(network_input(r->net), input, (size_t)(IMAGES * input_size(r)) * sizeof *input);
			assert_true(network_look(r->net, &r->plan, &r->q, format, IMAGES, &look, noise, NULL, &fault));
			assert_true(look.there && look.images == IMAGES && noise[l] == look.option[1].output_noise);
			assert_true(isinf(look.option[3].output_noise) && isinf(look.option[3].input_noise) &&
				isinf(look.option[3].noise));
			assert_true(look.option[0].output_noise < look.option[1].output_noise);
			r->layer[l].weight = r->layer[l].activation = format[2];
			memcpy(network_input(r->net), input, (size_t)(IMAGES * input_size(r)) * sizeof *input);
			assert_true(network_look(r->net, &r->plan, &r->q, format, IMAGES, &none, other, formats, &fault));
			for (int o = 0; o < 4; o++)
				assert_true(formats[l * LOOK_OPTIONS + o] == look.option[o].output_noise);
			assert_true(!none.there && other[l] == look.option[2].output_noise);
			r->layer[l].weight = r->layer[l].activation = format[1];
		}
		forward(r, input, PASS_SAMPLE, IMAGES, NULL);
		assert_memory_equal(network_logits(r->net), before, (size_t)logits * sizeof *before);
		assert_memory_equal(r->net->weights, weights, (size_t)r->net->parameters * sizeof *weights);
		if (r->model->layer[last].op == r->model->ops - 1) {
			r->layer[last].weight = r->layer[last].activation = format[3];
			forward(r, input, PASS_SAMPLE, IMAGES, NULL);
			assert_true(noise_between(network_logits(r->net), before, logits) == noise[last]);
		}
		free(before);
		free(input);
		free(weights);
		rig_free(r);
	}
}

// ---- the update ----------------------------------------------------------------------------------------------------------

static void update_and_clipping(void **state)
{
	(void)state;
	const double RATE = .1, MOMENTUM = .9, DECAY = .01;
	struct rig *r = rig_new(resnet8(8), FD_BATCH, 2, "int4");
	float *input = copied(network_input(r->net), FD_BATCH * 8 * 8 * 3);
	long n = r->net->parameters;
	struct network_array array[NETWORK_ARRAYS];
	network_arrays(r->net, array);
	assert_string_equal(array[0].name, "weights");
	assert_string_equal(array[1].name, "momentum");
	assert_true(array[0].count == n && array[1].count == n && array[2].count == r->model->layers);
	for (int way = 0; way < 3; way++) { // no limit; a limit far off; one that cuts the gradient to a fifth
		network_initialise(r->net, 7);
		loss_of(r, input);
		network_backward(r->net);
		float *g = copied(network_gradient(r->net), n), *w = copied(array[0].data, n);
		double length = 0;
		for (long i = 0; i < n; i++)
			length += (double)g[i] * (double)g[i];
		length = sqrt(length);
		double clip = way == 0 ? 0 : way == 1 ? 100 * length : length / 5, scale = way == 2 ? .2 : 1;
		struct optimizer o = {.rate = RATE, .momentum = MOMENTUM, .decay = DECAY, .clip = clip};
		assert_true(fabs(network_update(r->net, &o, 0) - length) < 1e-5 * length);
		for (int i = 0; i < r->model->ops; i++) {
			const struct node *node = &r->net->node[i];
			for (long j = 0; j < node->weight_count; j++) {
				long at = node->weights + j;
				double d = scale * (double)g[at] + DECAY * (double)w[at], size = fabs(d) + fabs((double)w[at]);
				near("momentum", at, array[1].data[at], (struct sum){d, size}, 100);
				near("weight", at, array[0].data[at],
					(struct sum){(double)w[at] - RATE * (1 + MOMENTUM) * d, size}, 100);
			}
			bool norm = node->op->kind == OP_NORM;
			for (int j = 0; (norm || node->op->kind == OP_LINEAR) && j < node->out.c; j++) // no decay
				for (int which = 0; which < 1 + norm; which++) {
					long at = (which ? node->gain : node->bias) + j;
					double d = scale * (double)g[at], size = fabs(d) + fabs((double)w[at]);
					near("bias or gain", at, array[0].data[at],
						(struct sum){(double)w[at] - RATE * (1 + MOMENTUM) * d, size}, 100);
				}
		}
		free(g);
		free(w);
	}
	free(input);
	rig_free(r);
}

// Whether a parameter is a layer's weight: only these decay.
static bool is_weight(const struct rig *r, long at)
{
	for (int l = 0; l < r->model->layers; l++) {
		const struct node *n = &r->net->node[r->model->layer[l].op];
		if (at >= n->weights && at < n->weights + n->weight_count)
			return true;
	}
	return false;
}

static void adamw_and_the_average(void **state)
{
	(void)state;
	const double RATE = .01, BETA1 = .9, BETA2 = .99, DECAY = .3;
	static const struct {
		long step;
		double average, keep, clip; // clip: of the gradient's length
	} steps[] = {{0, .5, .1, 0}, {1, .5, 2. / 11, .25}, {50, .5, .5, 3}, {2, 0, 0, 0}};
	for (int f = 0; f < FAMILIES; f++) {
		struct rig *r = rig_new(families[f](), FD_BATCH, 2, "int8");
		struct network_array now[NETWORK_ARRAYS];
		float *input = copied(network_input(r->net), FD_BATCH * input_size(r)), *was[NETWORK_ARRAYS];
		assert_int_equal(network_arrays(r->net, now), KEPT);
		assert_string_equal(now[3].name, "second_moments");
		assert_string_equal(now[4].name, "average");
		for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
			double t = (double)steps[s].step + 1, length = 0, weights = 0;
			loss_of(r, input);
			network_backward(r->net);
			const float *g = network_gradient(r->net);
			for (int a = 0; a < KEPT; a++)
				was[a] = copied(now[a].data, now[a].count);
			for (long i = 0; i < r->net->parameters; i++)
				length += (double)g[i] * (double)g[i];
			length = sqrt(length);
			double clip = steps[s].clip * length, scale = clip > 0 && clip < length ? steps[s].clip : 1;
			double got = network_update(r->net,
				&(struct optimizer){.kind = OPTIMIZER_ADAMW,
					.rate = RATE,
					.momentum = BETA1,
					.beta2 = BETA2,
					.decay = DECAY,
					.clip = clip,
					.average = steps[s].average},
				steps[s].step);
			assert_true(fabs(got - length) < 1e-5 * length);
			for (int k = 0; k < r->net->parameter_count; k++)
				for (long i = r->net->parameter[k].at; i < r->net->parameter[k].at + r->net->parameter[k].count;
					i++) {
					double d = scale * (double)g[i], w = (double)was[0][i];
					double m0 = BETA1 * (double)was[1][i], v0 = BETA2 * (double)was[3][i];
					double m = m0 + (1 - BETA1) * d, v = v0 + (1 - BETA2) * d * d;
					double along = RATE * sqrt(1 - pow(BETA2, t)) / (1 - pow(BETA1, t)) / (sqrt(v) + 1e-8);
					bool decays = is_weight(r, i);
					struct sum momentum = {m, fabs(m0) + fabs((1 - BETA1) * d)};
					near("first moment", i, now[1].data[i], momentum, 100);
					near("second moment", i, now[3].data[i], (struct sum){v, v}, 100);
					near("weight", i, now[0].data[i],
						(struct sum){w - (decays ? RATE * DECAY * w : 0) - along * m,
							fabs(w) + along * momentum.size},
						100);
					w = (double)now[0].data[i];
					double a = steps[s].keep * (double)was[4][i], b = (1 - steps[s].keep) * w;
					near("average", i, now[4].data[i], (struct sum){a + b, fabs(a) + fabs(b)}, 10);
					weights += decays;
				}
			assert_true(weights == r->model->weights);
			for (int a = 0; a < KEPT; a++)
				free(was[a]);
		}
		free(input);
		rig_free(r);
	}
}

// A gradient that is not a number, or has no end, in one place: nothing that is kept changes.
static void gradients_that_are_no_numbers(void **state)
{
	(void)state;
	static const float wrong[] = {NAN, INFINITY, -INFINITY};
	for (int way = 0; way < 6; way++) {
		struct rig *r = rig_new(transformer(), FD_BATCH, 2, "int8");
		struct network_array now[NETWORK_ARRAYS];
		float *input = copied(network_input(r->net), FD_BATCH * input_size(r)), *was[NETWORK_ARRAYS];
		struct optimizer o = {.kind = way % 2 ? OPTIMIZER_ADAMW : OPTIMIZER_SGD,
			.rate = .1,
			.momentum = .9,
			.beta2 = .99,
			.decay = .1,
			.clip = 1,
			.average = .9};
		int arrays = network_arrays(r->net, now);
		for (int step = 0; step < 2; step++) { // the second is the wrong one
			loss_of(r, input);
			network_backward(r->net);
			for (int a = 0; a < arrays; a++)
				was[a] = copied(now[a].data, now[a].count);
			if (step == 1)
				r->net->gradient[r->net->parameter[way].at + 3] = wrong[way / 2];
			assert_int_equal(isfinite(network_update(r->net, &o, step)) != 0, step == 0);
			for (int a = 0; a < arrays; a++) {
				bool same = memcmp(was[a], now[a].data, (size_t)now[a].count * sizeof(float)) == 0;
				// SGD has no second moments; ranges move in the pass alone.
				assert_int_equal(same, step == 1 || a == 2 || (a == 3 && o.kind == OPTIMIZER_SGD));
				free(was[a]);
			}
		}
		free(input);
		rig_free(r);
	}
}

// Passes that use the average give what the average would give as weights; then all is as before.
static void passes_with_the_average(void **state)
{
	(void)state;
	struct rig *r = rig_new(mobile(), FD_BATCH, 2, "int8");
	struct network_array now[NETWORK_ARRAYS];
	float *input = copied(network_input(r->net), FD_BATCH * input_size(r)), *logits[4];
	network_arrays(r->net, now);
	for (int step = 0; step < 3; step++) {
		loss_of(r, input);
		network_backward(r->net);
		network_update(r->net, &(struct optimizer){.rate = .1, .momentum = .9, .average = .9}, step);
	}
	float *trained = copied(now[0].data, now[0].count);
	for (int way = 0; way < 4; way++) { // weights; average; the average as weights; weights
		network_use_average(r->net, way == 1);
		memcpy(now[0].data, way == 2 ? now[4].data : trained, (size_t)now[0].count * sizeof(float));
		forward(r, input, PASS_SAMPLE, FD_BATCH, NULL);
		logits[way] = copied(network_logits(r->net), FD_BATCH * 10);
	}
	assert_memory_equal(logits[1], logits[2], FD_BATCH * 10 * sizeof(float));
	assert_memory_equal(logits[0], logits[3], FD_BATCH * 10 * sizeof(float));
	assert_memory_not_equal(logits[0], logits[1], FD_BATCH * 10 * sizeof(float));
	network_initialise(r->net, 7); // fresh weights are the same, whatever passes use
	memcpy(trained, now[0].data, (size_t)now[0].count * sizeof(float));
	now[0].data[0] += 1;
	network_use_average(r->net, true);
	network_initialise(r->net, 7);
	assert_memory_equal(trained, now[0].data, (size_t)now[0].count * sizeof(float));
	assert_memory_equal(trained, now[4].data, (size_t)now[0].count * sizeof(float));
	for (int way = 0; way < 4; way++)
		free(logits[way]);
	free(trained);
	free(input);
	rig_free(r);
}

// ---- what must not matter --------------------------------------------------------------------------------------------------

enum { MANY = 19 }; // a batch that no chunk divides

static const enum range_kind ranges[] = {RANGE_MAX, RANGE_EMA, RANGE_PERCENTILE, RANGE_MSE};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

static void threads_do_not_matter(void **state)
{
	(void)state;
	static const int threads[] = {1, 2, 3, 8};
	for (int way = 0; way < RANGES * FAMILIES; way++) {
		float *first[NETWORK_ARRAYS] = {0};
		double losses[2] = {0};
		for (int t = 0; t < 4; t++) {
			struct rig *r = rig_new(families[way / RANGES](), MANY, threads[t], "int4");
			r->q.range = ranges[way % RANGES];
			r->q.unsigned_positive = way % 2;
			r->q.gradients = (way + way / RANGES) % 2 ? GRADIENTS_BF16 : GRADIENTS_FP32;
			float *input = copied(network_input(r->net), MANY * input_size(r));
			uint16_t label[MANY];
			double loss = 0;
			for (int i = 0; i < MANY; i++)
				label[i] = (uint16_t)(i % 10);
			bool sgd = way % 3;
			struct optimizer o = {.kind = sgd ? OPTIMIZER_SGD : OPTIMIZER_ADAMW,
				.rate = sgd ? .1 : .001,
				.momentum = .9,
				.beta2 = .99,
				.decay = 1e-4,
				.clip = 5,
				.average = .9};
			for (int step = 0; step < 3; step++) {
				forward(r, input, PASS_TRAIN, MANY, NULL);
				loss = network_loss(r->net, label, MANY, 0).mean;
				network_backward(r->net);
				network_update(r->net, &o, step);
			}
			losses[t > 0] = loss;
			assert_true(isfinite(loss));
			struct network_array array[NETWORK_ARRAYS];
			int arrays = network_arrays(r->net, array);
			for (int a = 0; a < arrays; a++) {
				size_t bytes = (size_t)array[a].count * sizeof(float);
				if (t == 0)
					first[a] = copied(array[a].data, array[a].count);
				else if (memcmp(first[a], array[a].data, bytes) != 0)
					fail_msg("%s: %s differ at %d threads", r->model->name, array[a].name, threads[t]);
			}
			assert_true(t == 0 || losses[0] == losses[1]);
			free(input);
			rig_free(r);
		}
		for (int a = 0; a < NETWORK_ARRAYS; a++)
			free(first[a]);
	}
}

// Formats of all sorts that have codes, in turn, so that neighbours differ.
static void mix_integers(struct rig *r)
{
	static const char *const formats[] = {"int8", "int2", "int5", "int4", "int7", "int3", "int6"};
	for (int l = 0; l < r->model->layers; l++)
		r->layer[l] = (struct layer_plan){format_named(formats[l % 7]), format_named(formats[(l * 3 + 1) % 7])};
}

// Passes forward in formats that have codes: the same bits on every set of kernels, whatever the threads. (Attention's own products are
// not of codes, and transformers are left out.)
static void forward_is_the_same_on_every_processor(void **state)
{
	(void)state;
	static const int threads[] = {1, 2, 3, 8};
	struct fault fault;
	for (int way = 0; way < 4 * (FAMILIES - 1); way++) {
		float *first[3] = {0}; // a sample's logits, a fixed pass's, a step's
		for (const struct kernels *const *k = kernels_all(); *k; k++)
			for (int t = 0; t < 4; t++) {
				assert_true(kernels_use((*k)->name));
				struct rig *r = rig_new(families[way / 4](), MANY, threads[t], "int8");
				long outputs = MANY * 10;
				float *input = copied(network_input(r->net), MANY * input_size(r));
				struct calibration *c = calibration_new(r->net, &fault);
				assert_non_null(c);
				mix_integers(r);
				r->q.unsigned_positive = way % 2;
				r->q.per_channel = way / 2 % 2;
				for (int pass = 0; pass < 3; pass++) {
					static const enum pass passes[] = {PASS_SAMPLE, PASS_FIXED, PASS_TRAIN};
					if (pass == 1)
						forward(r, input, PASS_CALIBRATE, MANY, c);
					forward(r, input, passes[pass], MANY, pass == 1 ? c : NULL);
					if (!first[pass])
						first[pass] = copied(network_logits(r->net), outputs);
					else if (memcmp(first[pass], network_logits(r->net), (size_t)outputs * sizeof(float)) !=
						0)
						fail_msg("%s: other logits with %s and %d threads, pass %d", r->model->name,
							(*k)->name, threads[t], pass);
				}
				calibration_free(c);
				free(input);
				rig_free(r);
			}
		for (int pass = 0; pass < 3; pass++)
			free(first[pass]);
	}
	assert_true(kernels_use(kernels_asked()->name));
}

// Behind a pass over the same images: whatever the next plan has in common with the one before, the bits are those of a pass from the start.
static void passes_that_follow_on_another_begin_where_they_differ(void **state)
{
	(void)state;
	for (int way = 0; way < 2 * FAMILIES; way++) {
		struct rig *r = rig_new(families[way / 2](), MANY, 2, "int8"),
			   *anew = rig_new(families[way / 2](), MANY, 2, "int8");
		float *input = copied(network_input(r->net), MANY * input_size(r));
		const int layers = r->model->layers;
		double most = 0;
		r->q.range = anew->q.range = way % 2 ? RANGE_PERCENTILE : RANGE_MAX;
		forward(r, input, PASS_SAMPLE, MANY, NULL);
		for (int turn = 0; turn < 3 * layers; turn++) {
			static const char *const formats[] = {"int4", "int8", "e4m3", "int2", "fp32"};
			uint16_t label[MANY] = {0};
			int *half = turn % 2 ? &r->layer[turn % layers].weight : &r->layer[turn % layers].activation;
			*half = format_named(formats[(turn * 7 + turn / layers) % 5]);
			memcpy(anew->layer, r->layer, sizeof r->layer);
			network_loss(r->net, label, MANY, 0); // as between two passes that score
			double left_out = network_forward_again(r->net, &r->plan);
			forward(anew, input, PASS_SAMPLE, MANY, NULL);
			assert_in_range(left_out * 1000, 0, 1000);
			most = fmax(most, left_out);
			if (memcmp(network_logits(r->net), network_logits(anew->net), MANY * 10 * sizeof(float)) != 0)
				fail_msg("%s: other logits in turn %d", r->model->name, turn);
		}
		assert_true(most > .5 && network_forward_again(r->net, &r->plan) == 1);
		free(input);
		rig_free(r);
		rig_free(anew);
	}
}

// Depth 66,311 is the deepest whose sums of codes fit 32 bits whatever they are: here all are the largest. One more is multiplied in single
// precision.
static void the_deepest_layers_that_have_codes(void **state)
{
	(void)state;
	for (int depth = 66311; depth <= 66312; depth++) {
		struct model *m = model_new("deep", (struct shape){1, 1, depth}, 3);
		model_linear(m, "head", 0, 3);
		struct rig *r = rig_new(m, 2, 1, "int8");
		struct node *n = &r->net->node[r->model->ops - 1];
		float *input = copied(network_input(r->net), 2 * input_size(r)), *w = r->net->weights + n->weights;
		for (long i = 0; i < 2L * depth; i++)
			input[i] = i < depth ? 1 : -1;
		for (long i = 0; i < 3L * depth; i++)
			w[i] = i % 3 == 1 ? -1 : 1;
		for (int j = 0; j < 3; j++)
			r->net->weights[n->bias + j] = 0;
		forward(r, input, PASS_SAMPLE, 2, NULL);
		assert_int_equal(n->integer, depth == 66311);
		for (int i = 0; i < 6; i++) {
			double wanted = (i / 3 ? -1. : 1.) * (i % 3 == 1 ? -1 : 1) * depth, share = n->integer ? 4 : depth;
			assert_true(fabs((double)network_logits(r->net)[i] - wanted) <= share * ROUNDING * depth);
		}
		free(input);
		rig_free(r);
	}
}

// Gradients, too, wherever multiplications and additions are fused: on all sets but the first. In bf16 on that one as well, but for those of
// depthwise layers and of attention.
static void steps_are_the_same_where_products_are_fused(void **state)
{
	(void)state;
	for (int way = 0; way < 2 * FAMILIES; way++) {
		struct model *(*family)(void) = families[way / 2];
		float *first = NULL;
		for (const struct kernels *const *k = kernels_all(); *k; k++) {
			bool by_pairs = way % 2 && (family == residual || family == inception);
			if ((*k)->blas && !by_pairs) // base: OpenBLAS adds in an order of its own
				continue;
			assert_true(kernels_use((*k)->name));
			struct rig *r = rig_new(family(), MANY, 2, "int4");
			r->q.gradients = way % 2 ? GRADIENTS_BF16 : GRADIENTS_FP32;
			float *input = copied(network_input(r->net), MANY * input_size(r));
			uint16_t label[MANY];
			for (int i = 0; i < MANY; i++)
				label[i] = (uint16_t)(i % 10);
			struct network_array array[NETWORK_ARRAYS];
			network_arrays(r->net, array);
			for (int step = 0; step < 3; step++) {
				forward(r, input, PASS_TRAIN, MANY, NULL);
				network_loss(r->net, label, MANY, 0);
				network_backward(r->net);
				network_update(r->net, &(struct optimizer){.rate = .1, .momentum = .9, .clip = 5}, step);
			}
			if (!first)
				first = copied(array[0].data, array[0].count);
			else if (memcmp(first, array[0].data, (size_t)array[0].count * sizeof(float)) != 0)
				fail_msg("%s: other weights with %s", r->model->name, (*k)->name);
			free(input);
			rig_free(r);
		}
		free(first);
	}
	assert_true(kernels_use(kernels_asked()->name));
}

static struct calibration *calibrated(struct rig *r, const float *input, int batches, int images)
{
	struct fault fault;
	struct calibration *c = calibration_new(r->net, &fault);
	assert_non_null(c);
	for (int b = 0; b < batches; b++)
		forward(r, input + b * images * input_size(r), PASS_CALIBRATE, images, c);
	return c;
}

// Each image alone, in batches of 5, and all at once in another order: the same bits.
static void the_batch_does_not_matter(void **state)
{
	(void)state;
	static const char *const formats[RANGES] = {"int4", "fp32", "int8", "e4m3"};
	static const int counts[] = {1, 5, 18};
	enum { CLASSES = 10 };
	for (int way = 0; way < RANGES * FAMILIES; way++) {
		struct rig *r = rig_new(families[way / RANGES](), MANY, 2, formats[way % RANGES]);
		long size = input_size(r);
		r->q.range = ranges[way % RANGES];
		float *input = copied(network_input(r->net), MANY * size), *turned = copied(input, MANY * size);
		struct calibration *c = calibrated(r, input, 1, MANY);
		forward(r, input, PASS_FIXED, MANY, c);
		float *logits = copied(network_logits(r->net), MANY * CLASSES);
		for (int p = 0; p < 3; p++)
			for (int at = 0; at < MANY; at += counts[p]) {
				int count = MANY - at < counts[p] ? MANY - at : counts[p];
				for (int i = 0; i < count; i++) // backwards
					memcpy(turned + i * size, input + (at + count - 1 - i) * size,
						(size_t)size * sizeof *input);
				forward(r, turned, PASS_FIXED, count, c);
				for (int i = 0; i < count; i++)
					if (memcmp(network_logits(r->net) + i * CLASSES, logits + (at + count - 1 - i) * CLASSES,
						    CLASSES * sizeof *logits) != 0)
						fail_msg("%s, %s: image %d differs in a batch of %d", r->model->name,
							formats[way % RANGES], at + count - 1 - i, count);
			}
		free(input);
		free(turned);
		free(logits);
		calibration_free(c);
		rig_free(r);
	}
}

// Passes but for training change nothing that is kept.
static void only_training_changes_state(void **state)
{
	(void)state;
	struct rig *r = rig_new(resnet8(8), FD_BATCH, 2, "int3");
	float *input = copied(network_input(r->net), FD_BATCH * 8 * 8 * 3);
	r->q.range = RANGE_EMA;
	struct network_array array[NETWORK_ARRAYS];
	network_arrays(r->net, array);
	loss_of(r, input);
	float *before[KEPT];
	for (int a = 0; a < KEPT; a++)
		before[a] = copied(array[a].data, array[a].count);
	struct calibration *c = calibrated(r, input, 1, FD_BATCH);
	forward(r, input, PASS_SAMPLE, FD_BATCH, NULL);
	forward(r, input, PASS_FIXED, FD_BATCH, c);
	for (int a = 0; a < KEPT; a++) {
		assert_memory_equal(before[a], array[a].data, (size_t)array[a].count * sizeof(float));
		free(before[a]);
	}
	calibration_free(c);
	free(input);
	rig_free(r);
}

// ---- calibration ---------------------------------------------------------------------------------------------------------

static void calibrated_statistics(void **state)
{
	(void)state;
	enum { BATCHES = 3, C = 10, PIXELS = 7 * 5 };
	struct model *m = model_new("statistics", (struct shape){7, 5, 3}, C);
	int a = conv_of(m, "a", 0, C, 3, 1);
	model_linear(m, "head", model_pool(m, model_norm(m, a, ACT_RELU)), 4);
	struct rig *r = rig_new(m, FD_BATCH, 2, "fp32");
	long size = PIXELS * 3, outputs = FD_BATCH * PIXELS * C;
	float *input = malloc((size_t)(BATCHES * FD_BATCH * size) * sizeof *input);
	assert_non_null(input);
	for (long i = 0; i < BATCHES * FD_BATCH * size; i++)
		input[i] = (float)(rng_normal(20, (uint64_t)i) + .3);
	struct calibration *c = calibrated(r, input, BATCHES, FD_BATCH);
	double mean[C] = {0}, square[C] = {0}, peak = 0, pixels = BATCHES * FD_BATCH * PIXELS;
	for (int b = 0; b < BATCHES; b++) { // fp32 plans: the convolution's output depends on the image alone
		const float *part = input + b * FD_BATCH * size;
		forward(r, part, PASS_TRAIN, FD_BATCH, NULL);
		for (long i = 0; i < outputs; i++) {
			double v = (double)r->net->node[1].x[i];
			mean[i % C] += v / pixels;
			square[i % C] += v * v / pixels;
		}
		peak += (double)kernels_best()->peak(part, FD_BATCH * size) / BATCHES;
	}
	const double *moments = c->moments + c->offset[2];
	for (int j = 0; j < C; j++) {
		assert_true(fabs(moments[j] - mean[j]) <= 100 * ROUNDING * sqrt(square[j]));
		assert_true(fabs(moments[C + j] - square[j]) <= 100 * ROUNDING * square[j]);
	}
	// The range of a layer's input: the mean over the batches, as a batch of the training has its own.
	assert_true(fabs((double)calibration_range(c, 0) - peak) <= 4 * BATCHES * ROUNDING * peak);
	// The norm in use: its output has the plain mean and variance of those images.
	forward(r, input, PASS_FIXED, FD_BATCH, c);
	for (int j = 0; j < C; j++) {
		double variance = square[j] - mean[j] * mean[j];
		assert_true(fabs((double)r->net->node[2].mean[j] - mean[j]) <= 1e-5);
		assert_true(fabs((double)r->net->node[2].deviation_inverse[j] * sqrt(variance + 1e-5) - 1) <= 1e-4);
	}
	calibration_clear(c);
	assert_true(calibration_range(c, 0) == 0 && c->moments[c->offset[2]] == 0);
	calibration_free(c);
	calibration_free(NULL);
	free(input);
	rig_free(r);
}

// Weights per output channel use each channel's own largest magnitude, per layer the whole layer's.
static void scales_of_weights(void **state)
{
	(void)state;
	for (int per_channel = 0; per_channel < 2; per_channel++) {
		struct model *m = model_new("scales", (struct shape){4, 4, 3}, 17);
		conv_of(m, "a", 0, 17, 3, 1);
		struct rig *r = rig_new(m, 2, 1, "int3");
		struct node *n = &r->net->node[1];
		float *w = r->net->weights + n->weights, whole = 0;
		for (long i = 0; i < n->weight_count; i++) {
			w[i] *= (float)(1 + i % 17);
			if (i % 17 == 5)
				w[i] = 0; // a channel that died: scale 1
			whole = fmaxf(whole, fabsf(w[i]));
		}
		r->q.per_channel = per_channel;
		network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, 2, NULL);
		assert_true(network_weight_peak(r->net, 0) == whole);
		for (int j = 0; j < 17; j++) {
			float top = 0, levels = 0;
			for (long i = j; i < n->weight_count; i += 17)
				top = fmaxf(top, fabsf(w[i]));
			float scale = per_channel ? (top > 0 ? top / 3 : 1) : whole / 3;
			assert_true(n->weight_scale[j] == scale);
			for (long i = j; i < n->weight_count; i += 17) {
				assert_true(n->quantized[i] == scale * rintf(w[i] / scale));
				levels = fmaxf(levels, fabsf(n->quantized[i] / scale));
			}
			assert_true(!per_channel || j == 5 || levels == 3);
		}
		rig_free(r);
	}
}

// ---- curvature ----

enum { PROBES = 1600 };

static void gradient_of(struct rig *r, const float *input, const uint16_t *labels, int images)
{
	forward(r, input, PASS_TRAIN, images, NULL);
	network_loss(r->net, labels, images, 0);
	network_backward(r->net);
}

// The trace of each layer's block of the Hessian, by the change of every weight's own gradient.
static void traces_one_by_one(struct rig *r, const float *input, const uint16_t *labels, int images, double *trace)
{
	for (int l = 0; l < r->model->layers; l++) {
		const struct node *n = &r->net->node[r->model->layer[l].op];
		double by = 0.02 * network_weight_size(r->net, l);
		trace[l] = 0;
		for (long i = n->weights; i < n->weights + n->weight_count; i++) {
			float kept = r->net->weights[i];
			for (int side = 1; side >= -1; side -= 2) {
				r->net->weights[i] = kept + (float)(side * by);
				gradient_of(r, input, labels, images);
				trace[l] += side * (double)r->net->gradient[i] / (2 * by);
			}
			r->net->weights[i] = kept;
		}
	}
}

// Hutchinson's estimate of it, all layers pushed at once: the mean, and its standard error.
static void traces_by_vectors(struct rig *r, const float *input, const uint16_t *labels, int images, double *mean, double *error)
{
	double sum[MOST_LAYERS] = {0}, squares[MOST_LAYERS] = {0}, by[MOST_LAYERS];
	for (int l = 0; l < r->model->layers; l++)
		by[l] = 0.01 * network_weight_size(r->net, l);
	for (int p = 0; p < PROBES; p++) {
		double sample[MOST_LAYERS] = {0};
		uint64_t key = rng_key(3, "probe", (uint64_t)p);
		struct network_copy *copy = network_copy_new(r->net, NULL);
		network_exchange(r->net, copy);
		for (int side = 1; side >= -1; side -= 2) {
			for (int l = 0; l < r->model->layers; l++)
				network_push(r->net, l, key, (side > 0 ? 1 : -2) * by[l]);
			gradient_of(r, input, labels, images);
			for (int l = 0; l < r->model->layers; l++)
				sample[l] += side * network_along(r->net, l, key) / (2 * by[l]);
		}
		network_exchange(r->net, copy);
		network_copy_free(copy);
		for (int l = 0; l < r->model->layers; l++) {
			sum[l] += sample[l];
			squares[l] += sample[l] * sample[l];
		}
	}
	for (int l = 0; l < r->model->layers; l++) {
		mean[l] = sum[l] / PROBES;
		error[l] = sqrt(fmax(0, squares[l] / PROBES - mean[l] * mean[l]) / PROBES);
	}
}

static void vectors_give_the_trace(void **context)
{
	(void)context;
	enum { IMAGES = 6 };
	static const uint16_t labels[IMAGES] = {1, 0, 4, 3, 2, 1};
	struct model *m = model_new("smooth", (struct shape){5, 5, 2}, 5);
	int at = conv_of(m, "one", 0, 4, 3, 1);
	at = model_norm(m, at, ACT_SWISH);
	at = model_norm(m, conv_of(m, "two", at, 3, 3, 2), ACT_SWISH);
	model_linear(m, "head", model_pool(m, at), 5);
	struct rig *r = rig_new(m, IMAGES, 2, "fp32");
	float *input = copied(network_input(r->net), IMAGES * input_size(r));
	float *before = copied(r->net->weights, r->net->parameters);
	double exact[MOST_LAYERS], mean[MOST_LAYERS], error[MOST_LAYERS];
	traces_one_by_one(r, input, labels, IMAGES, exact);
	traces_by_vectors(r, input, labels, IMAGES, mean, error);
	assert_memory_equal(before, r->net->weights, (size_t)r->net->parameters * sizeof *before); // the copy alone was pushed
	for (int l = 0; l < r->model->layers; l++) {
		if (!(fabs(mean[l] - exact[l]) < 4 * error[l] + 0.01 * fabs(exact[l])))
			fail_msg("layer %d: %g by vectors, with a standard error of %g, %g weight by weight", l, mean[l],
				error[l], exact[l]);
		assert_true(error[l] < 0.25 * fabs(exact[l])); // else it shows nothing
	}
	free(input);
	free(before);
	rig_free(r);
}

// Of one linear layer under softmax the trace is known: the mean over images of (1 - sum p^2) |x|^2.
static void the_trace_of_a_linear_layer_is_known(void **context)
{
	(void)context;
	enum { IMAGES = 6, IN = 8, OUT = 5 };
	static const uint16_t labels[IMAGES] = {1, 0, 4, 3, 2, 1};
	struct model *m = model_new("linear", (struct shape){1, 1, IN}, OUT);
	model_linear(m, "head", 0, OUT);
	struct rig *r = rig_new(m, IMAGES, 1, "fp32");
	float *input = copied(network_input(r->net), IMAGES * IN);
	double mean[MOST_LAYERS], error[MOST_LAYERS], exact = 0;
	forward(r, input, PASS_SAMPLE, IMAGES, NULL);
	for (int i = 0; i < IMAGES; i++) {
		double p[OUT], total = 0, even = 0, size = 0;
		for (int j = 0; j < OUT; j++)
			total += p[j] = exp((double)network_logits(r->net)[i * OUT + j]);
		for (int j = 0; j < OUT; j++)
			even += p[j] / total * p[j] / total;
		for (int k = 0; k < IN; k++)
			size += (double)input[i * IN + k] * (double)input[i * IN + k];
		exact += (1 - even) * size / IMAGES;
	}
	traces_by_vectors(r, input, labels, IMAGES, mean, error);
	if (!(fabs(mean[0] - exact) < 4 * error[0] + 1e-3 * exact))
		fail_msg("%g by vectors, with a standard error of %g, instead of %g", mean[0], error[0], exact);
	free(input);
	rig_free(r);
}

static void rounding_is_squared_and_summed(void **context)
{
	(void)context;
	struct rig *r = rig_new(residual(), 2, 2, "int3");
	double error[MOST_LAYERS], none[MOST_LAYERS];
	network_rounding(r->net, &r->plan, &r->q, error);
	for (int l = 0; l < r->model->layers; l++) {
		const struct node *n = &r->net->node[r->model->layer[l].op];
		double sum = 0;
		for (long i = 0; i < n->weight_count; i++) {
			float peak = 0, w = r->net->weights[n->weights + i];
			for (long k = i % n->out.c; k < n->weight_count; k += n->out.c)
				peak = fmaxf(peak, fabsf(r->net->weights[n->weights + k]));
			double step = (double)peak / 3, d = peak > 0 ? step * rint((double)w / step) - (double)w : 0;
			sum += d * d;
		}
		assert_true(fabs(error[l] - sum) < 1e-4 * sum && sum > 0);
		r->layer[l].weight = format_named("fp32");
	}
	network_rounding(r->net, &r->plan, &r->q, none);
	for (int l = 0; l < r->model->layers; l++)
		assert_true(none[l] == 0);
	rig_free(r);
}

// ---- mixtures ----

enum { MIXED = 3 };

struct mixed {
	int format[MIXED];
	float weight[MOST_LAYERS * MIXED], activation[MOST_LAYERS * MIXED];
	struct mixture mixture;
};

static void mix(struct rig *r, struct mixed *m, const char *const *formats, const float *weight, const float *activation)
{
	for (int f = 0; f < MIXED; f++)
		m->format[f] = format_named(formats[f]);
	for (int l = 0; l < r->model->layers; l++)
		for (int f = 0; f < MIXED; f++) {
			m->weight[l * MIXED + f] = weight[(f + l) % MIXED];
			m->activation[l * MIXED + f] = activation[(f + l) % MIXED];
		}
	m->mixture = (struct mixture){MIXED, m->format, m->weight, m->activation};
	network_mix(r->net, &m->mixture);
}

static const char *const mixed_formats[MIXED] = {"int2", "e2m1", "int8"};

// With all of the share, a format is what it is alone: whatever there is in between, to the bit but for the sign of zeros. (Formats that
// have codes add up in another order when they are alone.)
static void a_mixture_of_one_is_that_one(void **context)
{
	(void)context;
	enum { IMAGES = 4 };
	static const float one[MIXED] = {0, 1, 0};
	static const uint16_t labels[IMAGES] = {1, 0, 4, 3};
	static const char *const only[] = {"e2m1", "mxfp4", "nvfp4"};
	for (size_t k = 0; k < 3 * sizeof families / sizeof *families; k++)
		for (int x = 0; x < 2; x++) { // as one, and in thirds of one
			const char *it = only[k % 3], *const same[MIXED] = {it, it, it},
				   *const parted[MIXED] = {"int5", it, "int5"};
			static const float third[MIXED] = {0.25f, 0.5f, 0.25f};
			struct rig *r = rig_new(families[k / 3](), IMAGES, 2, it);
			struct mixed m;
			long outputs = IMAGES * shape_size(r->net->node[r->model->ops - 1].out);
			float *input = copied(network_input(r->net), IMAGES * input_size(r));
			gradient_of(r, input, labels, IMAGES);
			float *logits = copied(network_logits(r->net), outputs),
			      *gradient = copied(r->net->gradient, r->net->parameters);
			if (x == 0)
				mix(r, &m, parted, one, one);
			else
				mix(r, &m, same, third, third);
			for (int l = 0; l < r->model->layers && x == 0;
				l++) // each layer's shares are shifted: give all to the second
				for (int f = 0; f < MIXED; f++)
					m.weight[l * MIXED + f] = m.activation[l * MIXED + f] = f == 1;
			gradient_of(r, input, labels, IMAGES);
			for (long i = 0; i < outputs; i++)
				assert_true(logits[i] == network_logits(r->net)[i]);
			for (int p = 0; p < r->net->parameter_count; p++)
				for (long i = r->net->parameter[p].at; i < r->net->parameter[p].at + r->net->parameter[p].count;
					i++)
					assert_true(gradient[i] == r->net->gradient[i]);
			network_mix(r->net, NULL);
			free(logits);
			free(gradient);
			free(input);
			rig_free(r);
		}
}

static void weights_are_mixed_by_their_shares(void **context)
{
	(void)context;
	enum { IMAGES = 2 };
	static const float share[MIXED] = {0.2f, 0.5f, 0.3f};
	struct model *m = model_new("wide", (struct shape){1, 1, 5000}, 3); // more channels than a piece has
	int at = model_conv(m, "one", 0, 5000, window_of(1, 1), 5000, false);
	model_linear(m, "two", at, 3);
	struct rig *r = rig_new(m, IMAGES, 2, "int8");
	struct mixed x;
	float *input = copied(network_input(r->net), IMAGES * input_size(r)), *single[MIXED][2], *layer[2];
	double sum[IMAGES * 3] = {0};
	for (int f = 0; f < MIXED; f++) {
		for (int l = 0; l < 2; l++)
			r->layer[l].weight = format_named(mixed_formats[(f + MIXED - l) % MIXED]);
		forward(r, input, PASS_TRAIN, IMAGES, NULL); // others need no rounded weights where there are codes
		for (int l = 0; l < 2; l++)
			single[f][l] = copied(r->net->node[r->model->layer[l].op].quantized,
				r->net->node[r->model->layer[l].op].weight_count);
	}
	mix(r, &x, mixed_formats, share, share);
	forward(r, input, PASS_SAMPLE, IMAGES, NULL);
	for (int l = 0; l < 2; l++) {
		const struct node *n = &r->net->node[r->model->layer[l].op];
		for (long i = 0; i < n->weight_count; i++) {
			double wanted = 0;
			for (int f = 0; f < MIXED; f++) // single[f][l] is of format f - l, whose share is that of f
				wanted += (double)share[f] * (double)single[f][l][i];
			assert_true(fabs((double)n->quantized[i] - wanted) < 1e-6);
		}
		layer[l] = n->quantized;
	}
	// The output is that of the mixed weights on mixed activations.
	const struct node *head = &r->net->node[r->model->layer[1].op], *source = &r->net->node[head->op->in[0]];
	for (int f = 0; f < MIXED; f++) {
		int format = format_named(mixed_formats[f]);
		struct grid grid = format_grid(format, false);
		float scale = format_scale(format, &grid, kernels_all()[0]->peak(source->x, IMAGES * 5000L));
		float *rounded = copied(source->x, IMAGES * 5000L);
		kernels_all()[0]->quantize(&grid, scale, source->x, rounded, IMAGES * 5000L);
		for (int i = 0; i < IMAGES * 3; i++)
			for (long k = 0; k < 5000; k++)
				sum[i] += (double)share[(f + 1) % MIXED] * (double)rounded[i / 3 * 5000L + k] *
					(double)layer[1][k * 3 + i % 3];
		free(rounded);
	}
	for (int i = 0; i < IMAGES * 3; i++) {
		double wanted = sum[i] + (double)r->net->weights[head->bias + i % 3];
		assert_true(fabs((double)network_logits(r->net)[i] - wanted) < 1e-3 * (1 + fabs(wanted)));
	}
	for (int f = 0; f < MIXED; f++)
		for (int l = 0; l < 2; l++)
			free(single[f][l]);
	free(input);
	rig_free(r);
}

// How the loss changes with a share of the last layer: the linear terms, against finite differences. Nothing is rounded behind it, so that
// this is exact.
static void shares_have_gradients(void **context)
{
	(void)context;
	enum { IMAGES = 6 };
	static const float share[MIXED] = {0.2f, 0.5f, 0.3f};
	static const uint16_t labels[IMAGES] = {1, 0, 4, 3, 2, 1};
	struct model *m = model_new("two", (struct shape){5, 5, 2}, 5);
	int at = model_norm(m, conv_of(m, "one", 0, 6, 3, 1), ACT_RELU);
	model_linear(m, "head", model_pool(m, at), 5);
	struct rig *r = rig_new(m, IMAGES, 2, "int8");
	struct mixed x;
	float *input = copied(network_input(r->net), IMAGES * input_size(r));
	mix(r, &x, mixed_formats, share, share);
	struct errors *errors = errors_new(r->net, x.format, MIXED, NULL);
	network_watch_errors(r->net, errors, 1, 0);
	gradient_of(r, input, labels, IMAGES);
	network_watch_errors(r->net, NULL, 0, 0);
	for (int half = 0; half < 2; half++) {
		float *of = (half ? x.activation : x.weight) + MIXED;
		double slope[MIXED], said[MIXED];
		for (int f = 0; f < MIXED; f++) {
			const float by = 0.01f, kept = of[f];
			double loss[2];
			for (int side = 0; side < 2; side++) {
				of[f] = kept + (side ? by : -by);
				forward(r, input, PASS_TRAIN, IMAGES, NULL);
				loss[side] = network_loss(r->net, labels, IMAGES, 0).mean;
			}
			of[f] = kept;
			slope[f] = (loss[1] - loss[0]) / (2 * (double)by);
			said[f] = errors_values(errors)[(MIXED + f) * ERRORS + (half ? ERROR_INPUT_LINEAR : ERROR_WEIGHT_LINEAR)];
		}
		for (int f = 1; f < MIXED; f++) { // against each other: what is the same for all does not count
			double wanted = slope[f] - slope[0], got = said[f] - said[0];
			if (!(fabs(got - wanted) < 0.02 * fabs(wanted) + 1e-4))
				fail_msg("half %d, format %d: %g instead of %g", half, f, got, wanted);
		}
	}
	errors_free(errors);
	free(input);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolutions),
		cmocka_unit_test(windows_of_all_sorts),
		cmocka_unit_test(layers_with_many_weights),
		cmocka_unit_test(gradients_in_bf16),
		cmocka_unit_test(linear_layers),
		cmocka_unit_test(clipped_layers),
		cmocka_unit_test(norms),
		cmocka_unit_test(additions_of_any_activation),
		cmocka_unit_test(pooling),
		cmocka_unit_test(maximum_of_equals),
		cmocka_unit_test(attention),
		cmocka_unit_test(operators_among_readers),
		cmocka_unit_test(gate_of_itself),
		cmocka_unit_test(cross_entropy),
		cmocka_unit_test(small_networks),
		cmocka_unit_test(finite_differences),
		cmocka_unit_test(gradients_of_sets),
		cmocka_unit_test(sets_that_rest),
		cmocka_unit_test(near_edges),
		cmocka_unit_test(looks),
		cmocka_unit_test(update_and_clipping),
		cmocka_unit_test(adamw_and_the_average),
		cmocka_unit_test(gradients_that_are_no_numbers),
		cmocka_unit_test(passes_with_the_average),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(forward_is_the_same_on_every_processor),
		cmocka_unit_test(passes_that_follow_on_another_begin_where_they_differ),
		cmocka_unit_test(the_deepest_layers_that_have_codes),
		cmocka_unit_test(steps_are_the_same_where_products_are_fused),
		cmocka_unit_test(the_batch_does_not_matter),
		cmocka_unit_test(only_training_changes_state),
		cmocka_unit_test(calibrated_statistics),
		cmocka_unit_test(scales_of_weights),
		cmocka_unit_test(vectors_give_the_trace),
		cmocka_unit_test(the_trace_of_a_linear_layer_is_known),
		cmocka_unit_test(rounding_is_squared_and_summed),
		cmocka_unit_test(a_mixture_of_one_is_that_one),
		cmocka_unit_test(weights_are_mixed_by_their_shares),
		cmocka_unit_test(shares_have_gradients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

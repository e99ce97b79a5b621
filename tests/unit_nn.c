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

static const double ROUNDING = FLT_EPSILON / 2; // the relative error of one rounding

// ---- a small network under test ---------------------------------------------------------------------------------------

enum { MOST_LAYERS = 32 };

struct rig {
	struct team *team;
	struct model *model;
	struct network *net;
	struct layer_plan layer[MOST_LAYERS];
	struct plan plan;
	struct quantization q;
};

static int conv_of(struct model *m, const char *layer, int in, int channels, int kernel, int stride)
{
	return model_conv(m, layer, in, channels, window_of(kernel, stride), 1, false);
}

// Takes the model over. Weights are initialised, the input is normal, and every layer is in `format`.
static struct rig *rig_new(struct model *m, int batch, int threads, const char *format)
{
	struct fault fault = {0};
	char line[512];
	struct rig *r = calloc(1, sizeof *r);
	assert_non_null(r);
	r->model = model_finish(m, &fault);
	if (!r->model || !(r->team = team_new(threads, &fault)) || !(r->net = network_new(r->model, batch, 0, r->team, &fault)))
		fail_msg("%s", fault_line(&fault, line, sizeof line));
	assert_in_range(r->model->layers, 0, MOST_LAYERS);
	for (int i = 0; i < r->model->layers; i++)
		r->layer[i].weight = r->layer[i].activation = format_named(format);
	r->plan = (struct plan){r->model, r->layer};
	r->q = (struct quantization){RANGE_MAX, 99.9, true, false};
	network_initialise(r->net, 7);
	float *x = network_input(r->net);
	for (long i = 0; i < batch * shape_size(r->model->op[0].out); i++)
		x[i] = (float)rng_normal(5, (uint64_t)i);
	return r;
}

static void rig_free(struct rig *r)
{
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
	free(r);
}

static float *copied(const float *x, long n)
{
	float *y = malloc((size_t)n * sizeof *y);
	assert_non_null(y);
	memcpy(y, x, (size_t)n * sizeof *y);
	return y;
}

// Forward, then backward from a gradient of normal numbers at the last operator's output, which is returned for the
// caller to free. Where `x` is not NULL it receives a copy of operator 1's output.
static float *both_ways(struct rig *r, int images, float **x)
{
	struct node *last = &r->net->node[r->model->ops - 1];
	long n = images * shape_size(last->out);
	network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, images, NULL);
	if (x)
		*x = copied(r->net->node[1].x, images * shape_size(r->net->node[1].out));
	for (long i = 0; i < n; i++)
		last->grad[i] = (float)rng_normal(6, (uint64_t)i);
	float *dy = copied(last->grad, n);
	network_backward(r->net);
	return dy;
}

// A value worked out in double, and the sum of its terms' magnitudes, which bounds the error of any order of adding.
struct sum {
	double value, size;
};

static void add_term(struct sum *s, double term)
{
	s->value += term;
	s->size += fabs(term);
}

static void near(const char *what, long at, float got, struct sum wanted, double roundings)
{
	double bound = roundings * ROUNDING * wanted.size;
	if (!(fabs((double)got - wanted.value) <= bound))
		fail_msg("%s [%ld]: %.9g instead of %.9g (allowed: %.3g)", what, at, (double)got, wanted.value, bound);
}

// ---- convolution -------------------------------------------------------------------------------------------------------

struct plain {
	struct shape in, out;
	int images, kernel, stride;
	const float *x, *w, *dy; // w: [kernel][kernel][in.c][out.c]
	struct sum *y, *dx, *dw;
};

static void plain_conv(struct plain *p)
{
	int pad = p->kernel / 2, ci = p->in.c, co = p->out.c;
	for (int i = 0; i < p->images; i++)
		for (int oy = 0; oy < p->out.h; oy++)
			for (int ox = 0; ox < p->out.w; ox++)
				for (int ky = 0; ky < p->kernel; ky++)
					for (int kx = 0; kx < p->kernel; kx++) {
						int y = oy * p->stride + ky - pad, x = ox * p->stride + kx - pad;
						if (y < 0 || y >= p->in.h || x < 0 || x >= p->in.w)
							continue;
						long in = (((long)i * p->in.h + y) * p->in.w + x) * ci;
						long out = (((long)i * p->out.h + oy) * p->out.w + ox) * co;
						long tap = (long)(ky * p->kernel + kx) * ci * co;
						for (int a = 0; a < ci; a++)
							for (int b = 0; b < co; b++) {
								long w = tap + (long)a * co + b;
								add_term(&p->y[out + b], (double)p->x[in + a] * (double)p->w[w]);
								add_term(&p->dx[in + a], (double)p->dy[out + b] * (double)p->w[w]);
								add_term(&p->dw[w], (double)p->dy[out + b] * (double)p->x[in + a]);
							}
					}
}

// Rounded as the format has it, with one scale for the whole; the formats themselves are tested elsewhere.
static float *quantized(const float *x, long n, const char *format)
{
	float *y = copied(x, n);
	int f = format_named(format);
	struct grid g = format_grid(f, false);
	kernels_all()[0]->quantize(&g, format_scale(f, &g, kernels_all()[0]->peak(x, n)), x, y, n);
	return y;
}

struct conv_case {
	int h, w, ci, co, kernel, stride, images;
	const char *format;
};

static void one_conv(struct conv_case c)
{
	char what[128];
	struct model *m = model_new("conv", (struct shape){c.h, c.w, 2}, c.co);
	conv_of(m, "second", conv_of(m, "first", 0, c.ci, 1, 1), c.co, c.kernel, c.stride);
	struct rig *r = rig_new(m, c.images, 2, c.format);
	r->q.per_channel = false;
	const struct node *n = &r->net->node[2];
	float *x, *dy = both_ways(r, c.images, &x);
	long in = c.images * shape_size(n->in), out = c.images * shape_size(n->out), weights = n->weight_count;
	assert_int_equal(n->out.h, (c.h - 1) / c.stride + 1);
	assert_int_equal(n->out.w, (c.w - 1) / c.stride + 1);
	float *xq = quantized(x, in, c.format), *wq = quantized(r->net->weights + n->weights, weights, c.format);
	struct sum *sums = calloc((size_t)(in + out + weights), sizeof *sums);
	assert_non_null(sums);
	struct plain p = {n->in, n->out, c.images, c.kernel, c.stride, xq, wq, dy, sums, sums + out, sums + out + in};
	plain_conv(&p);
	snprintf(what, sizeof what, "%dx%dx%d to %d, kernel %d, stride %d, %d images, %s: ", c.h, c.w, c.ci, c.co, c.kernel, c.stride,
		c.images, c.format);
	size_t used = strlen(what);
	snprintf(what + used, sizeof what - used, "output");
	for (long i = 0; i < out; i++)
		near(what, i, n->x[i], p.y[i], c.kernel * c.kernel * c.ci + 2);
	snprintf(what + used, sizeof what - used, "gradient of the input");
	for (long i = 0; i < in; i++)
		near(what, i, r->net->node[1].grad[i], p.dx[i], c.kernel * c.kernel * c.co + 2);
	snprintf(what + used, sizeof what - used, "gradient of the weights");
	for (long i = 0; i < weights; i++)
		near(what, i, network_gradient(r->net)[n->weights + i], p.dw[i], c.images * n->out.h * n->out.w + NN_CHUNKS);
	free(sums);
	free(x);
	free(xq);
	free(wq);
	free(dy);
	rig_free(r);
}

static void convolutions(void **state)
{
	(void)state;
	static const int channels[] = {1, 3, 10, 16, 17, 32};
	static const struct shape images[] = {{4, 4, 0}, {7, 5, 0}, {5, 7, 0}, {8, 8, 0}, {13, 16, 0}, {16, 16, 0}};
	for (int kernel = 1; kernel <= 3; kernel += 2)
		for (int stride = 1; stride <= 2; stride++) {
			for (int a = 0; a < 6; a++) // every pair of channels on a small odd image
				for (int b = 0; b < 6; b++)
					one_conv((struct conv_case){7, 5, channels[a], channels[b], kernel, stride, 2, "fp32"});
			for (int s = 0; s < 6; s++) // every shape with some pairs
				for (int a = 0; a < 6; a++)
					one_conv((struct conv_case){images[s].h, images[s].w, channels[a], channels[(a + s) % 6], kernel, stride,
						1 + a * 2, "fp32"});
			one_conv((struct conv_case){1, 1, 3, 4, kernel, stride, 3, "fp32"});
			one_conv((struct conv_case){1, 6, 3, 4, kernel, stride, 3, "fp32"});
			one_conv((struct conv_case){6, 5, 10, 17, kernel, stride, 3, "int4"});
			one_conv((struct conv_case){6, 5, 16, 16, kernel, stride, 9, "e2m1"});
		}
}

// ---- the other operators -----------------------------------------------------------------------------------------------

static void linear_layers(void **state)
{
	(void)state;
	static const int widths[] = {1, 3, 10, 16, 17, 64, 100}, batches[] = {1, 5, 16, 17, 40};
	for (int a = 0; a < 7; a++)
		for (int s = 0; s < 5; s++) {
			int ci = widths[a], co = widths[(a + s) % 7], images = batches[s];
			struct model *m = model_new("linear", (struct shape){1, 1, 5}, co);
			model_linear(m, "second", model_linear(m, "first", 0, ci), co);
			struct rig *r = rig_new(m, images, 2, "fp32");
			struct node *n = &r->net->node[2];
			float *bias = r->net->weights + n->bias;
			for (int j = 0; j < co; j++)
				bias[j] = (float)rng_normal(8, (uint64_t)j);
			float *x, *dy = both_ways(r, images, &x);
			const float *w = r->net->weights + n->weights, *g = network_gradient(r->net);
			for (int i = 0; i < images; i++)
				for (int b = 0; b < co; b++) {
					struct sum y = {(double)bias[b], fabs((double)bias[b])};
					for (int k = 0; k < ci; k++)
						add_term(&y, (double)x[i * ci + k] * (double)w[k * co + b]);
					near("output", i * co + b, n->x[i * co + b], y, ci + 2);
				}
			for (int i = 0; i < images; i++)
				for (int k = 0; k < ci; k++) {
					struct sum dx = {0};
					for (int b = 0; b < co; b++)
						add_term(&dx, (double)dy[i * co + b] * (double)w[k * co + b]);
					near("gradient of the input", i * ci + k, r->net->node[1].grad[i * ci + k], dx, co + 2);
				}
			for (int k = -1; k < ci; k++) // -1: the bias
				for (int b = 0; b < co; b++) {
					struct sum dw = {0};
					for (int i = 0; i < images; i++)
						add_term(&dw, (double)dy[i * co + b] * (k < 0 ? 1 : (double)x[i * ci + k]));
					near("gradient of the weights", k * co + b, k < 0 ? g[n->bias + b] : g[n->weights + k * co + b], dw,
						images + 2);
				}
			free(x);
			free(dy);
			rig_free(r);
		}
}

static void one_norm(int h, int w, int c, int images, enum act act)
{
	const double EPSILON = 1e-5, ROUNDINGS = 400; // sums, then the difference of squares; all terms are of size about 1
	struct model *m = model_new("norm", (struct shape){h, w, 2}, c);
	model_norm(m, conv_of(m, "first", 0, c, 1, 1), act);
	struct rig *r = rig_new(m, images, 2, "fp32");
	struct node *n = &r->net->node[2];
	for (int j = 0; j < c; j++) {
		r->net->weights[n->gain + j] = (float)(1.5 + rng_normal(9, (uint64_t)j) / 4);
		r->net->weights[n->bias + j] = (float)rng_normal(10, (uint64_t)j);
	}
	float *x, *dy = both_ways(r, images, &x);
	long pixels = (long)images * h * w;
	for (int j = 0; j < c; j++) {
		double gain = (double)r->net->weights[n->gain + j], bias = (double)r->net->weights[n->bias + j];
		double mean = 0, variance = 0, sum = 0, sum_h = 0;
		for (long p = 0; p < pixels; p++)
			mean += (double)x[p * c + j] / (double)pixels;
		for (long p = 0; p < pixels; p++)
			variance += pow((double)x[p * c + j] - mean, 2) / (double)pixels;
		double inverse = 1 / sqrt(variance + EPSILON);
		for (long p = 0; p < pixels; p++) {
			double hat = ((double)x[p * c + j] - mean) * inverse, y = gain * hat + bias;
			double shown = act == ACT_RELU ? fmax(0, y) : y;
			near("output", p * c + j, n->x[p * c + j], (struct sum){shown, 1 + fabs(mean) * inverse + fabs(y)}, ROUNDINGS);
			if (act == ACT_RELU && n->x[p * c + j] <= 0)
				dy[p * c + j] = 0; // the gate as the network has it: it may differ where y is all but 0
			sum += (double)dy[p * c + j];
			sum_h += (double)dy[p * c + j] * hat;
		}
		near("gradient of the bias", j, network_gradient(r->net)[n->bias + j], (struct sum){sum, (double)pixels}, ROUNDINGS);
		near("gradient of the gain", j, network_gradient(r->net)[n->gain + j], (struct sum){sum_h, (double)pixels * (1 + fabs(mean) * inverse)},
			ROUNDINGS);
		for (long p = 0; p < pixels; p++) {
			double hat = ((double)x[p * c + j] - mean) * inverse;
			double dx = gain * inverse * ((double)dy[p * c + j] - sum / (double)pixels - hat * sum_h / (double)pixels);
			double size = gain * inverse * (4 + fabs(hat) * (1 + fabs(mean) * inverse));
			near("gradient of the input", p * c + j, r->net->node[1].grad[p * c + j], (struct sum){dx, size}, ROUNDINGS);
		}
	}
	free(x);
	free(dy);
	rig_free(r);
}

static void norms(void **state)
{
	(void)state;
	static const int channels[] = {1, 3, 10, 16, 17, 32}, images[] = {2, 3, 16, 19};
	for (int c = 0; c < 6; c++)
		for (int i = 0; i < 4; i++) {
			one_norm(7, 5, channels[c], images[i], c % 2 ? ACT_RELU : ACT_NONE);
			one_norm(4, 4, channels[c], images[i], c % 2 ? ACT_NONE : ACT_RELU);
		}
	one_norm(16, 16, 16, 8, ACT_RELU);
}

static void additions(void **state)
{
	(void)state;
	for (int rectify = 0; rectify < 2; rectify++) {
		// Both inputs are read once; the sum's own gradient goes to both alike.
		struct model *m = model_new("add", (struct shape){7, 5, 3}, 10);
		int a = conv_of(m, "a", 0, 10, 3, 1), b = conv_of(m, "b", 0, 10, 1, 1);
		model_add(m, a, b, rectify ? ACT_RELU : ACT_NONE);
		struct rig *r = rig_new(m, 3, 2, "fp32");
		struct node *n = r->net->node;
		network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, 3, NULL);
		long size = 3 * shape_size(n[3].out);
		float *first = copied(n[1].x, size), *second = copied(n[2].x, size), *dy, *from_input;
		free(both_ways(r, 3, &from_input));
		free(from_input);
		dy = malloc((size_t)size * sizeof *dy);
		assert_non_null(dy);
		for (long i = 0; i < size; i++) {
			float y = first[i] + second[i];
			dy[i] = rectify && y <= 0 ? 0 : (float)rng_normal(6, (uint64_t)i);
			assert_true(n[3].x[i] == (rectify && y < 0 ? 0 : y));
		}
		// n[2].grad was used up after n[1]'s turn had not come yet; n[1].grad lives to the end.
		for (long i = 0; i < size; i++)
			assert_true(n[1].grad[i] == dy[i]);
		free(first);
		free(second);
		free(dy);
		rig_free(r);
	}
}

static void pooling(void **state)
{
	(void)state;
	static const struct shape shapes[] = {{1, 1, 3}, {4, 4, 16}, {7, 5, 17}, {16, 16, 10}};
	for (int s = 0; s < 4; s++) {
		struct shape in = shapes[s];
		struct model *m = model_new("pool", (struct shape){in.h, in.w, 2}, in.c);
		model_pool(m, conv_of(m, "first", 0, in.c, 1, 1));
		struct rig *r = rig_new(m, 3, 2, "fp32");
		struct node *n = &r->net->node[2];
		float *x, *dy = both_ways(r, 3, &x);
		int pixels = in.h * in.w;
		for (int i = 0; i < 3; i++)
			for (int j = 0; j < in.c; j++) {
				struct sum y = {0}, dx = {(double)dy[i * in.c + j] / pixels, fabs((double)dy[i * in.c + j]) / pixels};
				for (int p = 0; p < pixels; p++) {
					long at = ((long)i * pixels + p) * in.c + j;
					add_term(&y, (double)x[at] / pixels);
					near("gradient of the input", at, r->net->node[1].grad[at], dx, 2);
				}
				near("output", i * in.c + j, n->x[i * in.c + j], y, pixels + 2);
			}
		free(x);
		free(dy);
		rig_free(r);
	}
}

// ---- gradients that meet, gradients that are clipped ----------------------------------------------------------------------

// Operator 1 is read by a convolution and, around it, by an addition: its gradient is the sum of both.
static void gradients_add_up(void **state)
{
	(void)state;
	struct model *m = model_new("skip", (struct shape){7, 5, 3}, 10);
	int a = conv_of(m, "a", 0, 10, 1, 1);
	model_add(m, conv_of(m, "b", a, 10, 3, 1), a, ACT_NONE);
	struct rig *r = rig_new(m, 3, 2, "fp32");
	const struct node *n = &r->net->node[2];
	float *x, *dy = both_ways(r, 3, &x);
	long size = 3 * shape_size(n->in), weights = n->weight_count;
	struct sum *sums = calloc((size_t)(2 * size + weights), sizeof *sums);
	assert_non_null(sums);
	struct plain p = {n->in, n->out, 3, 3, 1, x, r->net->weights + n->weights, dy, sums, sums + size, sums + 2 * size};
	plain_conv(&p);
	for (long i = 0; i < size; i++) {
		add_term(&p.dx[i], (double)dy[i]);
		near("gradient", i, r->net->node[1].grad[i], p.dx[i], 9 * 10 + 4);
	}
	free(sums);
	free(x);
	free(dy);
	rig_free(r);
}

// Where the range clips, what lies outside of it gets no gradient through the layer that clips, and only through that one.
static void clipped_convolutions(void **state)
{
	(void)state;
	for (int skip = 0; skip < 2; skip++) {
		struct model *m = model_new("clip", (struct shape){7, 5, 3}, 10);
		int a = conv_of(m, "a", 0, 10, 1, 1), b = conv_of(m, "b", a, 10, 3, 1);
		if (skip)
			model_add(m, b, a, ACT_NONE);
		struct rig *r = rig_new(m, 3, 2, "int8");
		r->q.range = RANGE_PERCENTILE;
		r->q.percentile = 70;
		r->q.per_channel = false;
		const struct node *n = &r->net->node[2];
		float *x, *dy = both_ways(r, 3, &x);
		long size = 3 * shape_size(n->in), weights = n->weight_count, clipped = 0;
		float *wq = quantized(r->net->weights + n->weights, weights, "int8");
		struct sum *sums = calloc((size_t)(2 * size + weights), sizeof *sums);
		assert_non_null(sums);
		struct plain p = {n->in, n->out, 3, 3, 1, x, wq, dy, sums, sums + size, sums + 2 * size};
		plain_conv(&p);
		for (long i = 0; i < size; i++) {
			if (fabsf(x[i]) > n->range) {
				p.dx[i] = (struct sum){0};
				clipped++;
			}
			if (skip)
				add_term(&p.dx[i], (double)dy[i]);
			near("gradient", i, r->net->node[1].grad[i], p.dx[i], 9 * 10 + 4);
		}
		assert_true(fabs((double)clipped / (double)size - .3) < .02);
		free(sums);
		free(wq);
		free(x);
		free(dy);
		rig_free(r);
	}
}

// Two linear layers that read the same image: the gradient of both is clipped, whichever comes first.
static void clipped_linear_layers(void **state)
{
	(void)state;
	enum { IMAGES = 20, IN = 12, OUT = 5 };
	for (int layers = 1; layers <= 2; layers++) {
		struct model *m = model_new("clip", (struct shape){1, 1, 6}, OUT);
		int x = model_linear(m, "first", 0, IN), a = model_linear(m, "a", x, OUT);
		if (layers == 2)
			model_add(m, a, model_linear(m, "b", x, OUT), ACT_NONE);
		struct rig *r = rig_new(m, IMAGES, 2, "int8");
		r->q.range = RANGE_PERCENTILE;
		r->q.percentile = 70;
		r->q.per_channel = false;
		float *x1, *dy = both_ways(r, IMAGES, &x1);
		float *wq[2] = {0};
		for (int l = 0; l < layers; l++)
			wq[l] = quantized(r->net->weights + r->net->node[2 + l].weights, IN * OUT, "int8");
		for (int i = 0; i < IMAGES; i++)
			for (int k = 0; k < IN; k++) {
				struct sum dx = {0};
				for (int l = 0; l < layers && fabsf(x1[i * IN + k]) <= r->net->node[2].range; l++)
					for (int j = 0; j < OUT; j++)
						add_term(&dx, (double)dy[i * OUT + j] * (double)wq[l][k * OUT + j]);
				near("gradient", i * IN + k, r->net->node[1].grad[i * IN + k], dx, 2 * OUT + 4);
			}
		free(wq[0]);
		free(wq[1]);
		free(x1);
		free(dy);
		rig_free(r);
	}
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
		uint8_t label[IMAGES];
		long correct = 0;
		network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, IMAGES, NULL);
		float *z = copied(network_logits(r->net), IMAGES * CLASSES);
		for (int i = 0; i < IMAGES; i++)
			label[i] = (uint8_t)(i * 3 % CLASSES);
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
				double p = exp((double)z[i * CLASSES + j]) / total, wanted = smoothing / CLASSES + (j == label[i] ? 1 - smoothing : 0);
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

// ---- finite differences ------------------------------------------------------------------------------------------------

enum { FD_BATCH = 8 };

static double loss_of(struct rig *r, const float *input)
{
	static const uint8_t label[FD_BATCH] = {1, 2, 3, 4, 5, 6, 7, 8};
	// The input shares its memory with what is no longer needed, so it is filled for every pass.
	memcpy(network_input(r->net), input, (size_t)(FD_BATCH * shape_size(r->model->op[0].out)) * sizeof *input);
	network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, FD_BATCH, NULL);
	return network_loss(r->net, label, FD_BATCH, 0).mean;
}

// The loss along a direction that lies half along the gradient of one array and half anywhere.
static void check_direction(struct rig *r, const float *input, const float *gradient, const char *name, long first, long count)
{
	const double STEP = 1e-2, SHARE = .03; // kinks of the rectifiers and single precision leave an error of that order
	double length = 0, dot = 0, side[2];
	for (long i = 0; i < count; i++)
		length += pow((double)gradient[first + i], 2);
	length = sqrt(length);
	if (length < 1e-6) // the bias before a norm, say: nothing to compare
		return;
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
	if (!(fabs(numeric - dot) <= SHARE * length))
		fail_msg("%s: slope %.6g, by the gradient %.6g (of length %.6g)", name, numeric, dot, length);
}

static struct model *resnet8(int size)
{
	struct fault fault;
	struct model *m = model_named("resnet8", (struct shape){size, size, 3}, 10, &fault);
	assert_non_null(m);
	m->macs = m->parameters = 0; // rig_new finishes it once more
	return m;
}

static void finite_differences(void **state)
{
	(void)state;
	struct rig *r = rig_new(resnet8(16), FD_BATCH, 2, "fp32");
	int arrays = 0;
	float *input = copied(network_input(r->net), FD_BATCH * 16 * 16 * 3);
	for (int i = 0; i < r->model->ops; i++) // gains and biases off their first values, so that both matter
		for (int j = 0; r->model->op[i].kind == OP_NORM && j < r->model->op[i].out.c; j++) {
			r->net->weights[r->net->node[i].gain + j] += (float)rng_normal(11, (uint64_t)(i * 64 + j)) / 8;
			r->net->weights[r->net->node[i].bias + j] += (float)rng_normal(12, (uint64_t)(i * 64 + j)) / 8;
		}
	loss_of(r, input);
	network_backward(r->net);
	float *gradient = copied(network_gradient(r->net), r->net->parameters);
	for (int i = 0; i < r->model->ops; i++) {
		const struct node *n = &r->net->node[i];
		bool norm = n->op->kind == OP_NORM, linear = n->op->kind == OP_LINEAR;
		char name[64];
		snprintf(name, sizeof name, "operator %d", i);
		if (n->weight_count)
			check_direction(r, input, gradient, name, n->weights, n->weight_count), arrays++;
		if (norm)
			check_direction(r, input, gradient, name, n->gain, n->out.c), arrays++;
		if (norm || linear)
			check_direction(r, input, gradient, name, n->bias, n->out.c), arrays++;
	}
	assert_int_equal(arrays, 10 + 2 * 9 + 1); // weights; norms' gains and biases; the head's bias
	free(gradient);
	free(input);
	rig_free(r);
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
		assert_true(fabs(network_update(r->net, &(struct optimizer){.rate = RATE, .momentum = MOMENTUM, .decay = DECAY, .clip = clip}, 0) - length) < 1e-5 * length);
		for (int i = 0; i < r->model->ops; i++) {
			const struct node *node = &r->net->node[i];
			for (long j = 0; j < node->weight_count; j++) {
				long at = node->weights + j;
				double d = scale * (double)g[at] + DECAY * (double)w[at], size = fabs(d) + fabs((double)w[at]);
				near("momentum", at, array[1].data[at], (struct sum){d, size}, 100);
				near("weight", at, array[0].data[at], (struct sum){(double)w[at] - RATE * (1 + MOMENTUM) * d, size}, 100);
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

// ---- what must not matter --------------------------------------------------------------------------------------------------

enum { MANY = 19 }; // a batch that no chunk divides

static void threads_do_not_matter(void **state)
{
	(void)state;
	static const int threads[] = {1, 2, 3, 8};
	static const enum range_kind ranges[] = {RANGE_MAX, RANGE_EMA, RANGE_PERCENTILE, RANGE_MSE};
	for (int way = 0; way < 4; way++) {
		float *first[NETWORK_ARRAYS] = {0};
		double losses[2] = {0};
		for (int t = 0; t < 4; t++) {
			struct rig *r = rig_new(resnet8(9), MANY, threads[t], "int4");
			r->q.range = ranges[way];
			r->q.unsigned_positive = way % 2;
			float *input = copied(network_input(r->net), MANY * 9 * 9 * 3);
			uint8_t label[MANY];
			double loss = 0;
			for (int i = 0; i < MANY; i++)
				label[i] = (uint8_t)(i % 10);
			for (int step = 0; step < 3; step++) {
				memcpy(network_input(r->net), input, MANY * 9 * 9 * 3 * sizeof *input);
				network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, MANY, NULL);
				loss = network_loss(r->net, label, MANY, 0).mean;
				network_backward(r->net);
				network_update(r->net, &(struct optimizer){.rate = .1, .momentum = .9, .decay = 1e-4, .clip = 5}, step);
			}
			losses[t > 0] = loss;
			struct network_array array[NETWORK_ARRAYS];
			int arrays = network_arrays(r->net, array);
			for (int a = 0; a < arrays; a++) {
				size_t bytes = (size_t)array[a].count * sizeof(float);
				if (t == 0)
					first[a] = copied(array[a].data, array[a].count);
				else if (memcmp(first[a], array[a].data, bytes) != 0)
					fail_msg("%s differ at %d threads", array[a].name, threads[t]);
			}
			assert_true(t == 0 || losses[0] == losses[1]);
			free(input);
			rig_free(r);
		}
		for (int a = 0; a < NETWORK_ARRAYS; a++)
			free(first[a]);
	}
}

static struct calibration *calibrated(struct rig *r, const float *input, int batches, int images)
{
	struct fault fault;
	struct calibration *c = calibration_new(r->net, &fault);
	assert_non_null(c);
	long size = shape_size(r->model->op[0].out);
	for (int b = 0; b < batches; b++) {
		memcpy(network_input(r->net), input + b * images * size, (size_t)(images * size) * sizeof *input);
		network_forward(r->net, &r->plan, &r->q, PASS_CALIBRATE, images, c);
	}
	return c;
}

// Each image alone, in batches of 5, and all at once in another order: the same bits.
static void the_batch_does_not_matter(void **state)
{
	(void)state;
	static const char *const formats[] = {"int4", "e4m3", "fp32"};
	enum { SIZE = 9 * 9 * 3, CLASSES = 10 };
	for (int f = 0; f < 3; f++) {
		struct rig *r = rig_new(resnet8(9), MANY, 2, formats[f]);
		float *input = copied(network_input(r->net), MANY * SIZE), *logits = NULL;
		struct calibration *c = calibrated(r, input, 1, MANY);
		memcpy(network_input(r->net), input, MANY * SIZE * sizeof *input);
		network_forward(r->net, &r->plan, &r->q, PASS_FIXED, MANY, c);
		logits = copied(network_logits(r->net), MANY * CLASSES);
		static const int parts[] = {1, 5, 18};
		for (int p = 0; p < 3; p++)
			for (int at = 0; at < MANY; at += parts[p]) {
				int count = MANY - at < parts[p] ? MANY - at : parts[p];
				for (int i = 0; i < count; i++) // backwards
					memcpy(network_input(r->net) + i * SIZE, input + (at + count - 1 - i) * SIZE, SIZE * sizeof *input);
				network_forward(r->net, &r->plan, &r->q, PASS_FIXED, count, c);
				for (int i = 0; i < count; i++)
					if (memcmp(network_logits(r->net) + i * CLASSES, logits + (at + count - 1 - i) * CLASSES,
						CLASSES * sizeof *logits) != 0)
						fail_msg("%s: image %d differs in a batch of %d", formats[f], at + count - 1 - i, count);
			}
		free(input);
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
	float *before[NETWORK_ARRAYS];
	for (int a = 0; a < NETWORK_ARRAYS; a++)
		before[a] = copied(array[a].data, array[a].count);
	struct calibration *c = calibrated(r, input, 1, FD_BATCH);
	network_forward(r->net, &r->plan, &r->q, PASS_SAMPLE, FD_BATCH, NULL);
	network_forward(r->net, &r->plan, &r->q, PASS_FIXED, FD_BATCH, c);
	for (int a = 0; a < NETWORK_ARRAYS; a++) {
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
		memcpy(network_input(r->net), part, (size_t)(FD_BATCH * size) * sizeof *input);
		network_forward(r->net, &r->plan, &r->q, PASS_TRAIN, FD_BATCH, NULL);
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
	memcpy(network_input(r->net), input, (size_t)(FD_BATCH * size) * sizeof *input);
	network_forward(r->net, &r->plan, &r->q, PASS_FIXED, FD_BATCH, c);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolutions),
		cmocka_unit_test(linear_layers),
		cmocka_unit_test(norms),
		cmocka_unit_test(additions),
		cmocka_unit_test(pooling),
		cmocka_unit_test(gradients_add_up),
		cmocka_unit_test(clipped_convolutions),
		cmocka_unit_test(clipped_linear_layers),
		cmocka_unit_test(cross_entropy),
		cmocka_unit_test(finite_differences),
		cmocka_unit_test(update_and_clipping),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(the_batch_does_not_matter),
		cmocka_unit_test(only_training_changes_state),
		cmocka_unit_test(calibrated_statistics),
		cmocka_unit_test(scales_of_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

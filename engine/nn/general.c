// SPDX-License-Identifier: GPL-3.0-or-later
// Operators of networks from elsewhere, by plain loops: numbers put elsewhere, products of two images, number by number, affine maps
// with learnt constants, functions, softmax, reductions. They take an image's numbers as they lie.
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

static long size_of_input(const struct network *net, const struct node *n, int k)
{
	return shape_size(net->model->op[n->op->in[k]].out);
}

static void reserve_spare(const struct network *net, struct node *n, struct storage *l)
{
	for (int k = 0; k < n->op->inputs; k++)
		storage_scratch(l, 0, 0, size_of_input(net, n, k));
}

static const float *input_image(const struct job *job, int k, int image)
{
	return node_image(job->in[k], job->in[k]->x, image);
}

// A forward pass, image by image; the largest magnitude is looked up behind it.
typedef void image_work(const struct job *, int image, int worker);
static void run_images(const struct job *job, struct span span, int chunk, int worker, image_work *work)
{
	const struct node *n = job->node;
	for (int i = span.first; i < span.first + span.count; i++)
		work(job, i, worker);
	job->net->peaks[chunk] = job->net->kernels->peak(node_image(n, n->x, span.first), span.count * shape_size(n->out));
}

static void forward(struct network *net, struct node *n, void (*images)(const struct job *, struct span, int chunk, int worker))
{
	struct job job = job_of(net, n);
	job_run(&job, images);
	job_peak(&job);
}

static void backward(struct network *net, struct node *n, void (*images)(const struct job *, struct span, int chunk, int worker))
{
	struct job job = job_of(net, n);
	job_run(&job, images);
	gradient_end(&job);
}

// ---- numbers put elsewhere ----

static void arrange_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const struct arrangement *t = n->op->arrangement;
	const float *x = input_image(job, 0, image);
	float *y = node_image(n, n->x, image);
	if (!t) {
		memcpy(y, x, (size_t)shape_size(n->out) * sizeof *y);
		return;
	}
	long first = 0;
	for (int k = 0; k < n->op->inputs; k++) {
		const long size = shape_size(job->in[k]->out);
		x = input_image(job, k, image);
		for (long i = 0; i < t->count; i++)
			if (t->index[i] >= first && t->index[i] < first + size)
				y[i] = x[t->index[i] - first];
		first += size;
	}
	for (long i = 0; t->constants && i < t->count; i++)
		if (t->index[i] < 0)
			y[i] = t->constant[-1 - t->index[i]];
}

static void arrange_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, arrange_image);
}

static void arrange_forward(struct network *net, struct node *n)
{
	forward(net, n, arrange_images);
}

static void arrange_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const struct arrangement *t = n->op->arrangement;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i);
		long first = 0;
		for (int k = 0; k < n->op->inputs; k++) {
			const long size = shape_size(job->in[k]->out);
			float *dx = gradient_image(job, k, i, spare);
			memset(dx, 0, (size_t)size * sizeof *dx);
			if (!t)
				memcpy(dx, dy, (size_t)size * sizeof *dx);
			for (long j = 0; t && j < t->count; j++)
				if (t->index[j] >= first && t->index[j] < first + size)
					dx[t->index[j] - first] += dy[j];
			first += size;
			gradient_image_done(job, k, chunk, i, spare);
		}
	}
}

static void arrange_backward(struct network *net, struct node *n)
{
	backward(net, n, arrange_gradients);
}

const struct node_ops arrange_operator = {reserve_spare, NULL, arrange_forward, arrange_backward, .keeps_input = false};

// ---- products of two images ----

struct product_size {
	int products, rows, depth, columns;
};

static struct product_size product_size_of(const struct node *n)
{
	return (struct product_size){n->op->heads, n->out.h / n->op->heads, n->in.c, n->out.c};
}

// C = A times B, B of plain rows.
static void multiply(const struct kernels *k, int rows, int depth, int columns, const float *a, long a_row, long a_step,
	const float *b, float *c)
{
	for (int first = 0; first < columns; first += KERNEL_COLUMNS)
		for (int r = 0; r < rows; r += k->rows)
			k->product(least(k->rows, rows - r), least(columns - first, KERNEL_COLUMNS), 1, depth, a + r * a_row,
				a_row, a_step, 0, b + first, columns, 0, KERNEL_BLOCK, c + (long)r * columns + first, columns,
				false);
}

static void product_reserve(const struct network *net, struct node *n, struct storage *l)
{
	struct product_size s = product_size_of(n);
	reserve_spare(net, n, l);
	storage_scratch(l, (long)s.depth * s.columns, 0, 0);
}

static void product_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	struct product_size s = product_size_of(n);
	const float *a = input_image(job, 0, image), *b = input_image(job, 1, image);
	float *y = node_image(n, n->x, image);
	for (int p = 0; p < s.products; p++)
		multiply(job->net->kernels, s.rows, s.depth, s.columns, a + (long)p * s.rows * s.depth, s.depth, 1,
			b + (long)p * s.depth * s.columns, y + (long)p * s.rows * s.columns);
}

static void product_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, product_image);
}

static void product_forward(struct network *net, struct node *n)
{
	forward(net, n, product_images);
}

// With G the output's gradient: dA = G B^T, dB = A^T G.
static void product_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	struct product_size s = product_size_of(n);
	float *spare = job->net->scratch[worker].back, *turned = job->net->scratch[worker].image;
	const long of_a = (long)s.rows * s.depth, of_b = (long)s.depth * s.columns, of_c = (long)s.rows * s.columns;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *a = input_image(job, 0, i), *b = input_image(job, 1, i), *g = node_image(n, n->grad, i);
		float *da = gradient_image(job, 0, i, spare);
		for (int p = 0; p < s.products; p++) {
			for (int r = 0; r < s.depth; r++)
				for (int j = 0; j < s.columns; j++)
					turned[(long)j * s.depth + r] = b[p * of_b + (long)r * s.columns + j];
			multiply(k, s.rows, s.columns, s.depth, g + p * of_c, s.columns, 1, turned, da + p * of_a);
		}
		gradient_image_done(job, 0, chunk, i, spare);
		float *db = gradient_image(job, 1, i, spare);
		for (int p = 0; p < s.products; p++)
			multiply(k, s.depth, s.rows, s.columns, a + p * of_a, 1, s.depth, g + p * of_c, db + p * of_b);
		gradient_image_done(job, 1, chunk, i, spare);
	}
}

static void product_backward(struct network *net, struct node *n)
{
	backward(net, n, product_gradients);
}

const struct node_ops product_operator = {product_reserve, NULL, product_forward, product_backward, .keeps_input = true};

// ---- two images, number by number ----

static void combine_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const float *a = input_image(job, 0, image), *b = input_image(job, 1, image);
	float *y = node_image(n, n->x, image);
	const long size = shape_size(n->out);
	switch (n->op->fn) {
	case FN_ADD:
		for (long i = 0; i < size; i++)
			y[i] = a[i] + b[i];
		break;
	case FN_SUBTRACT:
		for (long i = 0; i < size; i++)
			y[i] = a[i] - b[i];
		break;
	case FN_MULTIPLY:
		for (long i = 0; i < size; i++)
			y[i] = a[i] * b[i];
		break;
	case FN_DIVIDE:
		for (long i = 0; i < size; i++)
			y[i] = a[i] / b[i];
		break;
	case FN_LEAST:
		for (long i = 0; i < size; i++)
			y[i] = a[i] < b[i] ? a[i] : b[i];
		break;
	default:
		for (long i = 0; i < size; i++)
			y[i] = a[i] > b[i] ? a[i] : b[i];
	}
}

static void combine_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, combine_image);
}

static void combine_forward(struct network *net, struct node *n)
{
	forward(net, n, combine_images);
}

// How the result changes with the first or the second number.
static float combine_slope(enum fn fn, int second, float a, float b)
{
	switch (fn) {
	case FN_ADD: return 1;
	case FN_SUBTRACT: return second ? -1 : 1;
	case FN_MULTIPLY: return second ? a : b;
	case FN_DIVIDE: return second ? -a / (b * b) : 1 / b;
	case FN_LEAST: return (a < b) != second;
	default: return (a > b) != second;
	}
}

static void combine_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *a = input_image(job, 0, i), *b = input_image(job, 1, i), *dy = node_image(n, n->grad, i);
		for (int k = 0; k < 2; k++) {
			float *dx = gradient_image(job, k, i, spare);
			for (long j = 0; j < shape_size(n->out); j++)
				dx[j] = dy[j] * combine_slope(n->op->fn, k, a[j], b[j]);
			gradient_image_done(job, k, chunk, i, spare);
		}
	}
}

static void combine_backward(struct network *net, struct node *n)
{
	backward(net, n, combine_gradients);
}

const struct node_ops combine_operator = {reserve_spare, NULL, combine_forward, combine_backward, .keeps_input = true};

// ---- learnt gain and bias ----

static void affine_reserve(const struct network *net, struct node *n, struct storage *l)
{
	if (n->op->gain)
		n->gain = storage_parameter(l, &n->gain_now, n->op->period, FILL_ONE, 0);
	if (n->op->bias)
		n->bias = storage_parameter(l, &n->bias_now, n->op->period, FILL_ZERO, 0);
	storage_partial(l, n, 2 * n->op->period, NN_CHUNKS);
	reserve_spare(net, n, l);
}

static void affine_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const float *x = input_image(job, 0, image);
	float *y = node_image(n, n->x, image);
	const long period = n->op->period, size = shape_size(n->out);
	for (long at = 0; at < size; at += period) {
		for (long j = 0; j < period; j++)
			y[at + j] = n->op->gain ? x[at + j] * n->gain_now[j] : x[at + j];
		for (long j = 0; n->op->bias && j < period; j++)
			y[at + j] += n->bias_now[j];
	}
}

static void affine_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, affine_image);
}

static void affine_forward(struct network *net, struct node *n)
{
	forward(net, n, affine_images);
}

static void affine_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	struct network *net = job->net;
	const struct node *n = job->node;
	const long period = n->op->period, size = shape_size(n->out);
	float *gain = net->partial + chunk * n->partial_stride, *bias = gain + period, *spare = net->scratch[worker].back;
	memset(gain, 0, 2 * (size_t)period * sizeof *gain);
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = input_image(job, 0, i), *dy = node_image(n, n->grad, i);
		float *dx = gradient_image(job, 0, i, spare);
		for (long at = 0; at < size; at += period)
			for (long j = 0; j < period; j++) {
				gain[j] += dy[at + j] * x[at + j];
				bias[j] += dy[at + j];
				dx[at + j] = n->op->gain ? dy[at + j] * n->gain_now[j] : dy[at + j];
			}
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void affine_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, affine_gradients);
	gradient_end(&job);
	for (long j = 0; j < n->op->period; j++) {
		double gain = 0, bias = 0;
		for (int chunk = 0; chunk < job.chunks; chunk++) {
			gain += (double)net->partial[chunk * n->partial_stride + j];
			bias += (double)net->partial[chunk * n->partial_stride + n->op->period + j];
		}
		if (n->op->gain)
			net->gradient[n->gain + j] = (float)gain;
		if (n->op->bias)
			net->gradient[n->bias + j] = (float)bias;
	}
}

const struct node_ops affine_operator = {affine_reserve, NULL, affine_forward, affine_backward, .keeps_input = true};

// ---- functions ----

static float held(float x, float low, float high)
{
	return x < low ? low : x > high ? high : x;
}

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

static float softplus(float x)
{
	return x > 20 ? x : log1pf(expf(x));
}

static float gelu_tanh(float x)
{
	return 0.5f * x * (1 + tanhf(0.797884561f * (x + 0.044715f * x * x * x)));
}

static float function_value(enum fn fn, float a, float b, float x)
{
	switch (fn) {
	case FN_LINEAR: return a * x + b;
	case FN_HARD_SIGMOID: return held(a * x + b, 0, 1);
	case FN_HARD_SWISH: return x * held(x / 6 + 0.5f, 0, 1);
	case FN_CLIP: return held(x, a, b);
	case FN_LEAKY: return x < 0 ? a * x : x;
	case FN_ELU: return b * (x < 0 ? a * expm1f(x) : x);
	case FN_TANH: return tanhf(x);
	case FN_ERF: return erff(x);
	case FN_EXP: return expf(x);
	case FN_LOG: return logf(x);
	case FN_ROOT: return sqrtf(x);
	case FN_POWER: return powf(x, a);
	case FN_RECIPROCAL: return a / x;
	case FN_ABSOLUTE: return fabsf(x);
	case FN_SOFTPLUS: return softplus(x);
	case FN_MISH: return x * tanhf(softplus(x));
	case FN_GELU_TANH: return gelu_tanh(x);
	case FN_QUICK_SWISH: return x * sigmoid(a * x);
	default: return x;
	}
}

static float function_slope(enum fn fn, float a, float b, float x)
{
	float t;
	switch (fn) {
	case FN_LINEAR: return a;
	case FN_HARD_SIGMOID: return a * x + b > 0 && a * x + b < 1 ? a : 0;
	case FN_HARD_SWISH: return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
	case FN_CLIP: return x > a && x < b;
	case FN_LEAKY: return x < 0 ? a : 1;
	case FN_ELU: return b * (x < 0 ? a * expf(x) : 1);
	case FN_TANH: t = tanhf(x); return 1 - t * t;
	case FN_ERF: return 1.12837917f * expf(-x * x);
	case FN_EXP: return expf(x);
	case FN_LOG: return 1 / x;
	case FN_ROOT: return 0.5f / sqrtf(x);
	case FN_POWER: return a * powf(x, a - 1);
	case FN_RECIPROCAL: return -a / (x * x);
	case FN_ABSOLUTE: return (float)((x > 0) - (x < 0));
	case FN_SOFTPLUS: return sigmoid(x);
	case FN_MISH: t = tanhf(softplus(x)); return t + x * (1 - t * t) * sigmoid(x);
	case FN_GELU_TANH:
		t = tanhf(0.797884561f * (x + 0.044715f * x * x * x));
		return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.797884561f * (1 + 0.134145f * x * x);
	case FN_QUICK_SWISH: t = sigmoid(a * x); return t + a * x * t * (1 - t);
	default: return 1;
	}
}

static void function_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const float *x = input_image(job, 0, image);
	float *y = node_image(n, n->x, image);
	for (long i = 0; i < shape_size(n->out); i++)
		y[i] = function_value(n->op->fn, n->op->alpha, n->op->beta, x[i]);
}

static void function_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, function_image);
}

static void function_forward(struct network *net, struct node *n)
{
	forward(net, n, function_images);
}

static void function_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = input_image(job, 0, i), *dy = node_image(n, n->grad, i);
		float *dx = gradient_image(job, 0, i, spare);
		for (long j = 0; j < shape_size(n->out); j++)
			dx[j] = dy[j] * function_slope(n->op->fn, n->op->alpha, n->op->beta, x[j]);
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void function_backward(struct network *net, struct node *n)
{
	backward(net, n, function_gradients);
}

const struct node_ops function_operator = {reserve_spare, NULL, function_forward, function_backward, .keeps_input = true};

// ---- softmax over channels ----

static void softmax_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	float *y = node_image(n, n->x, image);
	memcpy(y, input_image(job, 0, image), (size_t)shape_size(n->out) * sizeof *y);
	job->net->kernels->softmax(y, pixels_of(n->out), n->out.c, n->out.c, 1);
}

static void softmax_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, softmax_image);
}

static void softmax_forward(struct network *net, struct node *n)
{
	forward(net, n, softmax_images);
}

static void softmax_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	const int c = n->out.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *y = node_image(n, n->x, i), *dy = node_image(n, n->grad, i);
		float *dx = gradient_image(job, 0, i, spare);
		for (long p = 0; p < pixels_of(n->out); p++) {
			float sum = 0;
			for (int j = 0; j < c; j++)
				sum += y[p * c + j] * dy[p * c + j];
			for (int j = 0; j < c; j++)
				dx[p * c + j] = y[p * c + j] * (dy[p * c + j] - sum);
		}
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void softmax_backward(struct network *net, struct node *n)
{
	backward(net, n, softmax_gradients);
}

const struct node_ops softmax_operator = {reserve_spare, NULL, softmax_forward, softmax_backward, .keeps_output = true};

// ---- reductions over channels ----

static float reduced(enum fn fn, const float *x, int c)
{
	double sum = 0;
	float best = x[0];
	for (int j = 0; j < c; j++) {
		sum += (double)x[j];
		best = fn == FN_LEAST ? fminf(best, x[j]) : fmaxf(best, x[j]);
	}
	return fn == FN_SUM ? (float)sum : fn == FN_MEAN ? (float)(sum / c) : best;
}

static void reduce_image(const struct job *job, int image, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	const float *x = input_image(job, 0, image);
	float *y = node_image(n, n->x, image);
	for (long p = 0; p < pixels_of(n->out); p++)
		y[p] = reduced(n->op->fn, x + p * n->in.c, n->in.c);
}

static void reduce_images(const struct job *job, struct span span, int chunk, int worker)
{
	run_images(job, span, chunk, worker, reduce_image);
}

static void reduce_forward(struct network *net, struct node *n)
{
	forward(net, n, reduce_images);
}

static void reduce_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	const enum fn fn = n->op->fn;
	float *spare = job->net->scratch[worker].back;
	const int c = n->in.c;
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *x = input_image(job, 0, i), *y = node_image(n, n->x, i), *dy = node_image(n, n->grad, i);
		float *dx = gradient_image(job, 0, i, spare);
		for (long p = 0; p < pixels_of(n->out); p++) {
			bool given = false; // to the first of the greatest
			for (int j = 0; j < c; j++) {
				bool best = !given && x[p * c + j] == y[p];
				float share = fn == FN_SUM ? 1 : fn == FN_MEAN ? 1 / (float)c : best;
				given = given || best;
				dx[p * c + j] = dy[p] * share;
			}
		}
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void reduce_backward(struct network *net, struct node *n)
{
	backward(net, n, reduce_gradients);
}

const struct node_ops reduce_operator = {
	reserve_spare, NULL, reduce_forward, reduce_backward, .keeps_input = true, .keeps_output = true};

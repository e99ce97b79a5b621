// SPDX-License-Identifier: GPL-3.0-or-later
// What a vision transformer has beside linear layers (Vaswani et al., Attention is all you need, 2017, section 3.2; Dosovitskiy et al., An image
// is worth 16x16 words, 2021, section 3.1): tokens, attention, the class token.
#include <math.h>
#include <string.h>

#include "engine/nn/node.h"

// ---- tokens: parameters are the positions [tokens][c] and the class token [c] ----

static void tokens_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	n->bias = storage_parameter(l, &n->bias_now, shape_size(n->out), FILL_TOKEN, 0);
	n->gain = storage_parameter(l, &n->gain_now, n->out.c, FILL_TOKEN, 0);
	storage_scratch(l, 0, 0, shape_size(n->in));
	storage_partial(l, n, shape_size(n->out), NN_CHUNKS);
}

static void tokens_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct network *net = job->net;
	const struct node *n = job->node;
	float top = 0;
	for (int i = span.first; i < span.first + span.count; i++) {
		float *y = node_image(n, n->x, i);
		memcpy(y, n->gain_now, (size_t)n->out.c * sizeof *y);
		memcpy(y + n->out.c, node_image(job->in[0], job->in[0]->x, i), (size_t)shape_size(n->in) * sizeof *y);
		net->kernels->accumulate(n->bias_now, y, shape_size(n->out));
		float peak = net->kernels->peak(y, shape_size(n->out));
		top = peak > top ? peak : top;
	}
	net->peaks[chunk] = top;
}

static void tokens_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, tokens_images);
	job_peak(&job);
}

static void tokens_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	struct network *net = job->net;
	const struct node *n = job->node;
	float *partial = net->partial + chunk * n->partial_stride, *spare = net->scratch[worker].back;
	memset(partial, 0, (size_t)shape_size(n->out) * sizeof *partial);
	for (int i = span.first; i < span.first + span.count; i++) {
		const float *dy = node_image(n, n->grad, i);
		net->kernels->accumulate(dy, partial, shape_size(n->out));
		memcpy(gradient_image(job, 0, i, spare), dy + n->out.c, (size_t)shape_size(n->in) * sizeof *dy);
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void tokens_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, tokens_gradients);
	gradient_end(&job);
	layer_reduce_gradient(net, n, n->bias, shape_size(n->out), job.chunks, 1);
	memcpy(net->gradient + n->gain, net->gradient + n->bias,
		(size_t)n->out.c * sizeof(float)); // the class token has the first position
}

const struct node_ops tokens_operator = {tokens_reserve, NULL, tokens_forward, tokens_backward, .keeps_input = false};

// ---- attention ----

struct heads {
	int tokens, width, heads, wide; // wide: tokens, rounded up to whole blocks
	long row;                       // of the input: queries, keys and values of all heads
};

static struct heads heads_of(const struct node *n)
{
	int tokens = n->in.h * n->in.w;
	return (struct heads){tokens, n->out.c / n->op->heads, n->op->heads, blocks_of(tokens) * KERNEL_BLOCK, n->in.c};
}

static void attention_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	struct heads h = heads_of(n);
	long scores = (long)h.tokens * h.wide;
	// Scores and their gradients; keys or values, turned.
	storage_scratch(l, 2 * scores, (long)h.width * h.wide, shape_size(n->in));
}

// C (+)= A times B for matrices of plain rows: `rows` by `depth` by `columns`.
struct matrix {
	const float *at;
	long row, step; // distance of rows, of elements in a row
};

static void multiply(const struct kernels *k, int rows, int depth, int columns, struct matrix a, const float *b, long b_row,
	float *c, long c_row)
{
	for (int first = 0; first < columns; first += KERNEL_COLUMNS)
		for (int r = 0; r < rows; r += k->rows)
			k->product(least(k->rows, rows - r), least(columns - first, KERNEL_COLUMNS), 1, depth, a.at + r * a.row,
				a.row, a.step, 0, b + first, b_row, 0, KERNEL_BLOCK, c + r * c_row + first, c_row, false);
}

// The transpose of [tokens][width], rows `row` apart, into [width][wide], padded by zeros.
static const float *turned(struct heads h, const float *x, float *to)
{
	for (int first = 0; first < h.width; first += KERNEL_BLOCK) // a cache line of each token at a time
		for (int t = 0; t < h.tokens; t++)
			for (int j = first; j < least(first + KERNEL_BLOCK, h.width); j++)
				to[(long)j * h.wide + t] = x[t * h.row + j];
	for (int j = 0; j < h.width; j++)
		memset(to + (long)j * h.wide + h.tokens, 0, (size_t)(h.wide - h.tokens) * sizeof *to);
	return to;
}

static float temperature(struct heads h)
{
	return 1 / sqrtf((float)h.width);
}

// softmax(Q K^T / sqrt(width)) of one head.
static void scores_of(const struct kernels *k, struct heads h, const float *q, float *key, float *scores)
{
	multiply(k, h.tokens, h.width, h.tokens, (struct matrix){q, h.row, 1}, turned(h, q + h.width * h.heads, key), h.wide,
		scores, h.wide);
	k->softmax(scores, h.tokens, h.tokens, h.wide, temperature(h));
}

static void attend_images(const struct job *job, struct span span, int chunk, int worker)
{
	const struct network *net = job->net;
	const struct node *n = job->node;
	const struct scratch *s = &net->scratch[worker];
	struct heads h = heads_of(n);
	for (int i = span.first; i < span.first + span.count; i++)
		for (int head = 0; head < h.heads; head++) {
			const float *q = node_image(job->in[0], job->in[0]->x, i) + head * h.width,
				    *v = q + 2L * h.width * h.heads;
			scores_of(net->kernels, h, q, s->gradient, s->image);
			multiply(net->kernels, h.tokens, h.tokens, h.width, (struct matrix){s->image, h.wide, 1}, v, h.row,
				node_image(n, n->x, i) + head * h.width, n->out.c);
		}
	net->peaks[chunk] = net->kernels->peak(node_image(n, n->x, span.first), span.count * shape_size(n->out));
}

static void attention_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, attend_images);
	job_peak(&job);
}

// With P the scores and G the output's gradient: dV = P^T G; dP = G V^T; dS = P * (dP - rows' sums of dP * P) / sqrt(width); dQ = dS K; dK = dS^T Q.
static void attend_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct network *net = job->net;
	const struct kernels *k = net->kernels;
	const struct node *n = job->node;
	const struct scratch *s = &net->scratch[worker];
	struct heads h = heads_of(n);
	float *p = s->image, *ds = p + (long)h.tokens * h.wide;
	for (int i = span.first; i < span.first + span.count; i++) {
		float *dx = gradient_image(job, 0, i, s->back);
		for (int head = 0; head < h.heads; head++) {
			long at = (long)head * h.width, key = (long)h.width * h.heads, value = 2 * key;
			const float *q = node_image(job->in[0], job->in[0]->x, i) + at, *g = node_image(n, n->grad, i) + at;
			scores_of(k, h, q, s->gradient, p);
			multiply(k, h.tokens, h.tokens, h.width, (struct matrix){p, 1, h.wide}, g, n->out.c, dx + at + value,
				h.row);
			multiply(k, h.tokens, h.width, h.tokens, (struct matrix){g, n->out.c, 1},
				turned(h, q + value, s->gradient), h.wide, ds, h.wide);
			k->softmax_gradient(p, ds, h.tokens, h.tokens, h.wide, temperature(h));
			multiply(k, h.tokens, h.tokens, h.width, (struct matrix){ds, h.wide, 1}, q + key, h.row, dx + at, h.row);
			multiply(k, h.tokens, h.tokens, h.width, (struct matrix){ds, 1, h.wide}, q, h.row, dx + at + key, h.row);
		}
		gradient_image_done(job, 0, chunk, i, s->back);
	}
}

static void attention_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, attend_gradients);
	gradient_end(&job);
}

const struct node_ops attention_operator = {attention_reserve, NULL, attention_forward, attention_backward, .keeps_input = true};

// ---- the class token ----

static void first_reserve(const struct network *net, struct node *n, struct storage *l)
{
	(void)net;
	storage_scratch(l, 0, 0, shape_size(n->in));
}

static void first_images(const struct job *job, struct span span, int chunk, int worker)
{
	(void)worker;
	const struct node *n = job->node;
	for (int i = span.first; i < span.first + span.count; i++)
		memcpy(node_image(n, n->x, i), node_image(job->in[0], job->in[0]->x, i), (size_t)n->out.c * sizeof *n->x);
	job->net->peaks[chunk] = job->net->kernels->peak(node_image(n, n->x, span.first), (long)span.count * n->out.c);
}

static void first_forward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, first_images);
	job_peak(&job);
}

static void first_gradients(const struct job *job, struct span span, int chunk, int worker)
{
	const struct node *n = job->node;
	float *spare = job->net->scratch[worker].back;
	for (int i = span.first; i < span.first + span.count; i++) {
		float *dx = gradient_image(job, 0, i, spare);
		memset(dx, 0, (size_t)shape_size(n->in) * sizeof *dx);
		memcpy(dx, node_image(n, n->grad, i), (size_t)n->out.c * sizeof *dx);
		gradient_image_done(job, 0, chunk, i, spare);
	}
}

static void first_backward(struct network *net, struct node *n)
{
	struct job job = job_of(net, n);
	job_run(&job, first_gradients);
	gradient_end(&job);
}

const struct node_ops first_operator = {first_reserve, NULL, first_forward, first_backward, .keeps_input = false};

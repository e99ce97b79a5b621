// SPDX-License-Identifier: GPL-3.0-or-later
// Linear layer with bias: OpenBLAS products over fixed chunks of rows.
#include <cblas.h>
#include <string.h>

#include "engine/nn/node.h"

enum { ROWS = 16 }; // images in a chunk

void linear_prepare(struct network *net, struct node *n)
{
	layer_quantize_weights(net, n);
}

struct job {
	struct network *net;
	struct node *node;
	struct node *source;
};

static int rows_of(const struct network *net, int chunk)
{
	return net->images - chunk * ROWS < ROWS ? net->images - chunk * ROWS : ROWS;
}

static void forward_rows(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	struct network *net = job->net;
	int rows = rows_of(net, chunk), in = n->in.c, out = n->out.c;
	float *x = n->linear_input + (long)chunk * ROWS * in, *y = n->x + (long)chunk * ROWS * out;
	net->kernels->quantize(&n->grid, n->scale, job->source->x + (long)chunk * ROWS * in, x, (long)rows * in);
	for (int r = 0; r < rows; r++)
		memcpy(y + (long)r * out, net->weights + n->bias, (size_t)out * sizeof *y);
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, out, in, 1, x, in, n->quantized, out, 1, y, out);
}

void linear_forward(struct network *net, struct node *n)
{
	layer_settle_range(net, n);
	struct job job = {net, n, &net->node[n->op->in[0]]};
	team_run(net->team, (net->images + ROWS - 1) / ROWS, forward_rows, &job);
}

static void backward_rows(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	struct network *net = job->net;
	int rows = rows_of(net, chunk), in = n->in.c, out = n->out.c;
	long first = (long)chunk * ROWS;
	float *dx = job->source->grad + first * in;
	bool add = job->source->grad_written;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, in, out, 1, n->grad + first * out, out, n->quantized, out,
		add ? 1 : 0, dx, in);
	if (net->quantization.range != RANGE_MAX && !add)
		net->kernels->clip_gradient(n->range, job->source->x + first * in, dx, (long)rows * in);
}

void linear_backward(struct network *net, struct node *n)
{
	int in = n->in.c, out = n->out.c;
	float *bias = net->gradient + n->bias;
	cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, net->images, 1, n->linear_input, in, n->grad, out, 0,
		net->gradient + n->weights, out);
	memset(bias, 0, (size_t)out * sizeof *bias);
	for (int i = 0; i < net->images; i++)
		net->kernels->accumulate(n->grad + (long)i * out, bias, out);
	struct job job = {net, n, &net->node[n->op->in[0]]};
	if (!job.source->grad)
		return;
	team_run(net->team, (net->images + ROWS - 1) / ROWS, backward_rows, &job);
	job.source->grad_written = true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Linear layer with bias, over fixed chunks of rows; gradients by OpenBLAS.
#include <cblas.h>
#include <string.h>

#include "engine/nn/node.h"

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
	return net->images - chunk * LINEAR_ROWS < LINEAR_ROWS ? net->images - chunk * LINEAR_ROWS : LINEAR_ROWS;
}

// Not by OpenBLAS: there a row's sum depends on its place among the others, and an image's result must not.
static void forward_rows(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	struct network *net = job->net;
	int count = rows_of(net, chunk), in = n->in.c, out = n->out.c;
	float *x = n->linear_input + (long)chunk * LINEAR_ROWS * in, *y = n->x + (long)chunk * LINEAR_ROWS * out;
	net->kernels->quantize(&n->grid, n->scale, job->source->x + (long)chunk * LINEAR_ROWS * in, x, (long)count * in);
	for (int r = 0; r < count; r++)
		memcpy(y + (long)r * out, net->weights + n->bias, (size_t)out * sizeof *y);
	for (int r = 0; r < count; r += KERNEL_ROWS)
		for (int j = 0; j < out; j += KERNEL_COLUMNS)
			net->kernels->product(count - r < KERNEL_ROWS ? count - r : KERNEL_ROWS, out - j < KERNEL_COLUMNS ? out - j :
				KERNEL_COLUMNS, 1, in, x + (long)r * in, in, 1, 0, n->quantized + j, out, 0, y + (long)r * out + j, out, true);
}

void linear_forward(struct network *net, struct node *n)
{
	layer_settle_range(net, n);
	struct job job = {net, n, &net->node[n->op->in[0]]};
	team_run(net->team, (net->images + LINEAR_ROWS - 1) / LINEAR_ROWS, forward_rows, &job);
}

static void backward_rows(void *context, int chunk, int worker)
{
	(void)worker;
	const struct job *job = context;
	const struct node *n = job->node;
	struct network *net = job->net;
	int rows = rows_of(net, chunk), in = n->in.c, out = n->out.c;
	long first = (long)chunk * LINEAR_ROWS;
	float *dx = job->source->grad + first * in;
	float *back = job->source->grad_written ? n->linear_input + first * in : dx; // the input has done its work by now
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, in, out, 1, n->grad + first * out, out, n->quantized, out, 0,
		back, in);
	if (net->quantization.range != RANGE_MAX)
		net->kernels->clip_gradient(n->range, job->source->x + first * in, back, (long)rows * in);
	if (back != dx)
		net->kernels->accumulate(back, dx, (long)rows * in);
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
	team_run(net->team, (net->images + LINEAR_ROWS - 1) / LINEAR_ROWS, backward_rows, &job);
	job.source->grad_written = true;
}

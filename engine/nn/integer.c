// SPDX-License-Identifier: GPL-3.0-or-later
// Layers whose weights and input are in integer formats of up to 8 bits multiply their codes: sums of products are exact 32-bit integers,
// whatever their order, and one multiplication by both scales makes the output of a sum. The input is rounded straight into codes, of a
// quarter of the bytes. Backward passes need the rounded numbers themselves and round anew: see layer.c.
#include <string.h>

#include "engine/nn/node.h"

static bool has_codes(int format)
{
	return format_table[format].kind == FORMAT_INTEGER && format_table[format].bits <= 8;
}

void integer_settle(const struct network *net, struct node *n)
{
	n->formats = net->plan->layer[n->op->layer];
	n->integer = n->exact && !net->mixture && has_codes(n->formats.weight) && has_codes(n->formats.activation);
}

// ---- weights ----

static int groups_of(const struct node *n)
{
	return n->op->kind == OP_CONV ? n->op->groups : 1;
}

static int codes_of_unit(const struct network *net)
{
	return KERNEL_UNIT / net->kernels->code;
}

static long units_of(const struct network *net, const struct node *n, int panels, int runs)
{
	long depth = n->weight_count / n->out.c / panels / runs;
	return (depth + codes_of_unit(net) - 1) / codes_of_unit(net);
}

// A block of columns of a run of `depth` rows: units side by side, zeros beyond the run and the columns.
static int32_t *pack_run(const struct network *net, const int8_t *from, long depth, int columns, int width, int32_t *to)
{
	const int each = codes_of_unit(net);
	for (long row = 0; row < depth; row += each, to += KERNEL_BLOCK) {
		memset(to, 0, KERNEL_BLOCK * sizeof *to);
		for (int k = 0; k < each && row + k < depth; k++, from += columns)
			for (int j = 0; j < width; j++)
				if (each == KERNEL_UNIT)
					((int8_t *)to)[j * each + k] = from[j];
				else
					((int16_t *)(void *)to)[j * each + k] = from[j];
	}
	return to;
}

void integer_prepare(struct network *net, struct node *n, int panels, int runs)
{
	struct grid grid = layer_weight_scales(net, n, net->plan->layer[n->op->layer].weight);
	int c = n->out.c, share = c / groups_of(n);
	long rows = n->weight_count / c, depth = rows / panels / runs;
	int32_t *to = (int32_t *)(void *)n->forward;
	net->kernels->encode_channels(&grid, n->weight_scale, n->weights_now, n->codes, rows, c);
	memset(n->column_sum, 0, (size_t)c * sizeof *n->column_sum);
	for (long r = 0; r < rows; r++)
		for (int j = 0; j < c; j++)
			n->column_sum[j] += n->codes[r * c + j];
	for (int g = 0; g < groups_of(n); g++)
		for (int first = 0; first < share; first += KERNEL_BLOCK)
			for (int r = 0; r < panels * runs; r++)
				to = pack_run(net, n->codes + r * depth * c + g * share + first, depth, c,
					least(share - first, KERNEL_BLOCK), to);
}

// ---- activations ----

void integer_find_scales(struct network *net, struct node *n)
{
	int offset = n->grid.low < 0 ? net->kernels->offset : 0;
	for (int j = 0; j < n->out.c; j++) {
		n->sum_scale[j] = n->scale * n->weight_scale[j];
		n->minus[j] = offset * n->column_sum[j];
	}
}

void integer_round(const struct job *job, long pixel, long pixels, void *to)
{
	const struct node *n = job->node, *source = job->in[0], *behind = node_behind(job->net, source);
	const struct kernels *k = job->net->kernels;
	int c = n->in.c;
	if (source->waits)
		k->encode_affine(&n->grid, n->scale, behind->x + pixel * c, pixels, c, source->gain_scale, source->shift,
			source->op->act, to);
	else
		k->encode(&n->grid, n->scale, source->x + pixel * c, to, pixels * c);
}

const void *integer_padded_input(const struct job *job, int image, int worker)
{
	const struct node *n = job->node;
	const struct kernels *k = job->net->kernels;
	const struct window *w = &n->op->window;
	struct margins m = {integer_round, {w->pad_h, w->pad_w}, {w->pad_h + w->far, w->pad_w + w->far}, (size_t)k->code,
		n->grid.low < 0 ? k->offset : 0};
	return layer_padded(job, &m, n->in, image, job->net->scratch[worker].image);
}

// ---- products ----

struct integers integer_operands(const struct network *net, const struct node *n, int panels, int runs, int group, int first)
{
	int share = n->out.c / groups_of(n), column = group * share + first;
	long units = units_of(net, n, panels, runs), block = panels * runs * units * KERNEL_BLOCK;
	return (struct integers){.panels = panels,
		.runs = runs,
		.units = units,
		.b = (const int32_t *)(const void *)n->forward + ((long)group * blocks_of(share) + first / KERNEL_BLOCK) * block,
		.b_block = block,
		.minus = n->minus + column,
		.scale = n->sum_scale + column,
		.bias = n->op->bias ? n->bias_now + column : NULL};
}

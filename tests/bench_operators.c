// SPDX-License-Identifier: GPL-3.0-or-later
// Where a training step and a scoring pass spend their time, by operator and by kind of work. One thread runs the network; each operator
// and each kernel that it calls is wrapped by a clock, whose own cost is taken off. What an operator does outside of kernels is the moving
// of numbers: margins, copies. What two threads take beyond half of it is waiting: at barriers and for memory.
#include "tests/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/data.h"
#include "engine/nn/node.h"
#include "engine/search/inside.h"

enum { BATCH = 64, ROUNDS = 12, SKIP = 2 };

static const char *const nets[] = {
	"resnet8", "resnet20", "mobilenetv2:width=0.5", "efficientnet", "inception:width=0.125", "deit"};
enum { NETS = sizeof nets / sizeof *nets };

enum kind { PRODUCT, PACKING, QUANTIZING, NORM, ELEMENTWISE, DEPTHWISE, UPDATE, MOVING, KINDS };
static const char *const kind_name[KINDS] = {
	"product", "packing", "quantizing", "norm", "elementwise", "depthwise", "update", "moving"};

enum who {
	CONV,
	POINTWISE,
	DEPTHWISE_CONV,
	NORMS,
	ADDITION,
	GATE,
	CONCAT,
	POOLING,
	LAYER_NORM,
	ATTENTION,
	OTHERS,
	WEIGHTS,
	WHOS
};
static const char *const who_name[WHOS] = {"convolution", "1x1, linear", "depthwise", "batch norm", "addition", "gate",
	"concatenation", "pooling", "layer norm", "attention", "other operators", "weights: round, update"};

// ---- the clock ----

static struct {
	double spent[WHOS][KINDS]; // seconds of the present run
	double in_kernels;         // of the operator in hand
	enum who who;
	double cost; // of one reading
} now;
static const struct kernels *inner;

static void find_cost(void)
{
	enum { CALLS = 20000 };
	double began = bench_now();
	for (int i = 0; i < CALLS; i++)
		bench_now();
	now.cost = (bench_now() - began) / CALLS;
}

static void spend(enum kind kind, double began)
{
	double seconds = bench_now() - began - now.cost;
	now.spent[now.who][kind] += seconds;
	now.in_kernels += seconds + 2 * now.cost;
}

#define TIMED(kind, name, parameters, arguments)                                                                                 \
	static void timed_##name parameters                                                                                      \
	{                                                                                                                        \
		double began = bench_now();                                                                                      \
		inner->name arguments;                                                                                           \
		spend(kind, began);                                                                                              \
	}
#define TIMED_VALUE(kind, type, name, parameters, arguments)                                                                     \
	static type timed_##name parameters                                                                                      \
	{                                                                                                                        \
		double began = bench_now();                                                                                      \
		type value = inner->name arguments;                                                                              \
		spend(kind, began);                                                                                              \
		return value;                                                                                                    \
	}
// clang-format off
TIMED(PRODUCT, product, (int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate),
	(rows, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row, accumulate))
TIMED(PRODUCT, pair_product, (int rows, int columns, long panels, long depth, const float *a, long a_row, long a_step, long a_panel,
	const float *b, long b_step, long b_panel, long b_block, float *c, long c_row, bool accumulate),
	(rows, columns, panels, depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row, accumulate))
TIMED(PACKING, pair, (const float *x, long rows, long c, long row, long other, float *to), (x, rows, c, row, other, to))
TIMED(PACKING, pair_channels, (const float *x, long rows, long c, long row, const float *scale, float *to, long to_row),
	(x, rows, c, row, scale, to, to_row))
TIMED_VALUE(QUANTIZING, float, peak, (const float *x, long n), (x, n))
TIMED(QUANTIZING, quantize, (const struct grid *g, float scale, const float *x, float *y, long n), (g, scale, x, y, n))
TIMED(QUANTIZING, quantize_affine, (const struct grid *g, float scale, const float *x, long pixels, long c, const float *gain,
	const float *shift, enum act act, float *y), (g, scale, x, pixels, c, gain, shift, act, y))
TIMED(QUANTIZING, quantize_channels, (const struct grid *g, const float *scale, const float *x, float *y, long rows, long c),
	(g, scale, x, y, rows, c))
TIMED(QUANTIZING, clip_gradient, (float range, const float *x, float *g, long n), (range, x, g, n))
TIMED(QUANTIZING, channel_peaks, (const float *x, long pixels, long c, float *peak), (x, pixels, c, peak))
TIMED(NORM, channel_sums, (const float *x, long pixels, long c, double *sum, double *squares), (x, pixels, c, sum, squares))
TIMED(NORM, channel_extremes, (const float *x, long pixels, long c, float *low, float *high), (x, pixels, c, low, high))
TIMED_VALUE(NORM, float, affine, (const float *x, long pixels, long c, const float *scale, const float *shift, enum act act,
	float *y), (x, pixels, c, scale, shift, act, y))
TIMED(NORM, affine_sums, (const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
	enum act act, const float *mean, double *sum, double *sum_x), (x, dy, pixels, c, scale, shift, act, mean, sum, sum_x))
TIMED(NORM, affine_gradient, (const float *x, const float *dy, long pixels, long c, const float *scale, const float *shift,
	enum act act, const float *ka, const float *kb, const float *kc, float *dx),
	(x, dy, pixels, c, scale, shift, act, ka, kb, kc, dx))
TIMED(DEPTHWISE, depthwise, (long pixels, long c, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, const float *scale, float *y, long y_pixel),
	(pixels, c, taps_y, taps_x, x, x_pixel, x_row, x_tap, w, w_row, w_tap, scale, y, y_pixel))
TIMED(PRODUCT, integer_product, (int rows, int columns, const struct integers *p, const void *a, float *c, long c_row),
	(rows, columns, p, a, c, c_row))
TIMED(DEPTHWISE, stack, (int rows, const void *const *row, long n, int32_t *to), (rows, row, n, to))
TIMED(DEPTHWISE, depthwise_stacked, (long pixels, const struct stacks *s, const int32_t *x, float *y), (pixels, s, x, y))
TIMED(QUANTIZING, encode, (const struct grid *g, float scale, const float *x, void *codes, long n), (g, scale, x, codes, n))
TIMED(QUANTIZING, encode_affine, (const struct grid *g, float scale, const float *x, long pixels, long c, const float *gain,
	const float *shift, enum act act, void *codes), (g, scale, x, pixels, c, gain, shift, act, codes))
TIMED(QUANTIZING, encode_channels, (const struct grid *g, const float *scale, const float *x, int8_t *codes, long rows, long c),
	(g, scale, x, codes, rows, c))
TIMED(DEPTHWISE, depthwise_gradient, (long pixels, long c, int taps, const float *x, long x_pixel, long x_tap, const float *dy,
	long dy_pixel, float *dw, long w_tap), (pixels, c, taps, x, x_pixel, x_tap, dy, dy_pixel, dw, w_tap))
TIMED_VALUE(ELEMENTWISE, float, activate, (const float *x, long n, enum act act, float *y), (x, n, act, y))
TIMED(ELEMENTWISE, activate_gradient, (const float *x, const float *dy, long n, enum act act, float *dx), (x, dy, n, act, dx))
TIMED_VALUE(ELEMENTWISE, float, add, (const float *a, const float *b, long n, enum act act, float *y), (a, b, n, act, y))
TIMED_VALUE(ELEMENTWISE, float, add_affine, (const float *a, const float *ga, const float *sa, const float *b, const float *gb,
	const float *sb, long pixels, long c, enum act act, float *y), (a, ga, sa, b, gb, sb, pixels, c, act, y))
TIMED_VALUE(NORM, float, layernorm, (const float *x, long pixels, long c, float epsilon, const float *gain, const float *bias,
	float *normal, float *inverse, float *y), (x, pixels, c, epsilon, gain, bias, normal, inverse, y))
TIMED(NORM, layernorm_gradient, (const float *normal, const float *inverse, const float *dy, long pixels, long c, const float *gain,
	float *dx, float *dgain, float *dbias), (normal, inverse, dy, pixels, c, gain, dx, dgain, dbias))
TIMED(ELEMENTWISE, softmax, (float *x, long rows, long n, long row, float scale), (x, rows, n, row, scale))
TIMED(ELEMENTWISE, maximum, (const float *x, float *y, long n), (x, y, n))
TIMED(ELEMENTWISE, accumulate, (const float *x, float *y, long n), (x, y, n))
TIMED_VALUE(UPDATE, double, squares, (const float *x, long n), (x, n))
TIMED(UPDATE, sgd, (float *w, float *v, const float *g, long n, float scale, float rate, float momentum, float decay),
	(w, v, g, n, scale, rate, momentum, decay))
// clang-format on

static struct kernels timed_kernels(const struct kernels *k)
{
	struct kernels timed = *k;
#define WRAP(name) timed.name = timed_##name;
	WRAP(product)
	WRAP(pair_product)
	WRAP(pair)
	WRAP(pair_channels)
	WRAP(integer_product)
	if (k->stack) {
		WRAP(stack)
		WRAP(depthwise_stacked)
	}
	WRAP(encode)
	WRAP(encode_affine)
	WRAP(encode_channels)
	WRAP(peak)
	WRAP(quantize)
	WRAP(quantize_affine)
	WRAP(quantize_channels)
	WRAP(clip_gradient)
	WRAP(channel_peaks)
	WRAP(channel_sums)
	WRAP(channel_extremes)
	WRAP(affine)
	WRAP(affine_sums)
	WRAP(affine_gradient)
	WRAP(depthwise)
	WRAP(depthwise_gradient)
	WRAP(layernorm)
	WRAP(layernorm_gradient)
	WRAP(softmax)
	WRAP(maximum)
	WRAP(activate)
	WRAP(activate_gradient)
	WRAP(add)
	WRAP(add_affine)
	WRAP(accumulate)
	WRAP(squares)
	WRAP(sgd)
#undef WRAP
	return timed;
}

// ---- operators ----

static const struct node_ops *own[512]; // what the nodes did before they were wrapped

static enum who who_is(const struct node *n)
{
	static const enum who of_kind[OP_KINDS] = {[OP_NORM] = NORMS,
		[OP_ADD] = ADDITION,
		[OP_SCALE] = GATE,
		[OP_CONCAT] = CONCAT,
		[OP_POOL] = POOLING,
		[OP_AVERAGE] = POOLING,
		[OP_MAXIMUM] = POOLING,
		[OP_LAYERNORM] = LAYER_NORM,
		[OP_ATTENTION] = ATTENTION};
	if (n->op->layer >= 0)
		return operator_of(n) == &depthwise_operator    ? DEPTHWISE_CONV
			: operator_of(n) == &pointwise_operator ? POINTWISE
								: CONV;
	return of_kind[n->op->kind] ? of_kind[n->op->kind] : OTHERS;
}

static void timed_node(struct network *net, struct node *n, void (*work)(struct network *, struct node *), enum who who,
	enum kind rest)
{
	now.who = who;
	now.in_kernels = 0;
	double began = bench_now();
	work(net, n);
	now.spent[who][rest] += bench_now() - began - now.cost - now.in_kernels;
}

static const struct node_ops *own_of(const struct network *net, const struct node *n)
{
	return own[n - net->node];
}

static void timed_prepare(struct network *net, struct node *n)
{
	timed_node(net, n, own_of(net, n)->prepare, WEIGHTS, PACKING);
}

static void timed_forward(struct network *net, struct node *n)
{
	timed_node(net, n, own_of(net, n)->forward, who_is(n), MOVING);
}

static void timed_backward(struct network *net, struct node *n)
{
	timed_node(net, n, own_of(net, n)->backward, who_is(n), MOVING);
}

static void wrap_nodes(struct network *net)
{
	static struct node_ops ops[512];
	for (int i = 1; i < net->model->ops; i++) {
		struct node *n = &net->node[i];
		own[i] = n->does;
		ops[i] = *n->does;
		ops[i].prepare = n->does->prepare ? timed_prepare : NULL;
		ops[i].forward = timed_forward;
		ops[i].backward = timed_backward;
		n->does = &ops[i];
	}
}

// ---- a network ----

struct subject {
	struct search *search; // for its data's plan
	struct data *data;
	struct team *team;
	struct network *network;
	struct plan plan;
	uint16_t labels[BATCH];
};

static void open_subject(struct subject *s, const char *net, int threads)
{
	struct fault fault;
	char data[256];
	*s = (struct subject){
		.search = bench_search("net=%s data=cifar10:%s space=wide steps=1000000 heldout=256 batch=%d threads=1", net,
			bench_folder, BATCH)};
	const struct space *space = s->search->shared.space;
	snprintf(data, sizeof data, "cifar10:%s", bench_folder);
	if (!(s->data = data_open(data, 1, 0, 256, &fault)) || !(s->team = team_new(threads, &fault)) ||
		!(s->network = network_new(space->model, NULL, BATCH, 0, 0, s->team, &fault)))
		bench_stop(&fault);
	if (!(s->plan.layer = calloc((size_t)space->model->layers, sizeof *s->plan.layer)))
		exit(1);
	network_initialise(s->network, 1);
	space_plan(space, s->search->lane[0].modal, &s->plan);
	uint32_t index[BATCH];
	for (uint32_t i = 0; i < BATCH; i++)
		index[i] = i;
	data_batch(s->data, DATA_TRAIN, index, BATCH, AUGMENT_NONE, 0, network_input(s->network), s->labels);
}

static void close_subject(struct subject *s)
{
	network_free(s->network);
	team_free(s->team);
	data_free(s->data);
	search_free(s->search);
	free(s->plan.layer);
}

enum pass_timed { SCORING, TRAINING, TRAINING_BF16, TIMED_PASSES };

static void run_pass(struct subject *s, enum pass_timed pass)
{
	const struct quantization q = {.range = RANGE_MAX,
		.percentile = 99.9,
		.per_channel = true,
		.unsigned_positive = true,
		.gradients = pass == TRAINING_BF16 ? GRADIENTS_BF16 : GRADIENTS_FP32};
	static const struct optimizer optimizer = {OPTIMIZER_SGD, 0.001, 0.9, 0.999, 5e-4, 5, 0};
	network_forward(s->network, &s->plan, &q, pass == SCORING ? PASS_SAMPLE : PASS_TRAIN, BATCH, NULL);
	if (pass == SCORING)
		return;
	network_loss(s->network, s->labels, BATCH, 0);
	network_backward(s->network);
	now.who = WEIGHTS;
	network_update(s->network, &optimizer, 0);
}

// Seconds of a pass as it is, unwrapped.
static double whole(const char *net, int threads, enum pass_timed pass)
{
	struct subject s;
	double seconds[ROUNDS];
	open_subject(&s, net, threads);
	for (int round = -SKIP; round < ROUNDS; round++) {
		double began = bench_now();
		run_pass(&s, pass);
		if (round >= 0)
			seconds[round] = bench_now() - began;
	}
	close_subject(&s);
	return median(seconds, ROUNDS);
}

struct parts {
	double median[WHOS][KINDS];
};

static struct parts parts_of(const char *net, enum pass_timed pass)
{
	static double seconds[WHOS][KINDS][ROUNDS];
	struct subject s;
	struct parts parts;
	open_subject(&s, net, 1);
	inner = s.network->kernels;
	struct kernels timed = timed_kernels(inner);
	s.network->kernels = &timed;
	wrap_nodes(s.network);
	for (int round = -SKIP; round < ROUNDS; round++) {
		memset(now.spent, 0, sizeof now.spent);
		run_pass(&s, pass);
		for (int w = 0; w < WHOS; w++)
			for (int k = 0; k < KINDS && round >= 0; k++)
				seconds[w][k][round] = now.spent[w][k] > 0 ? now.spent[w][k] : 0;
	}
	for (int w = 0; w < WHOS; w++)
		for (int k = 0; k < KINDS; k++)
			parts.median[w][k] = median(seconds[w][k], ROUNDS);
	close_subject(&s);
	return parts;
}

// ---- bytes ----

struct bytes {
	double scoring, training, least;
};

static double floats(struct shape s)
{
	return 4.0 * (double)shape_size(s);
}

// What operators read and write of activations and their gradients, per image; scratch stays in cache, and weights are shared by the batch.
// The least: what layers read, once written and once read at a byte a number, as codes would be.
static struct bytes bytes_of(const char *name)
{
	struct subject s;
	struct bytes b = {0};
	open_subject(&s, name, 1);
	run_pass(&s, SCORING);
	const struct network *net = s.network;
	for (int i = 1; i < net->model->ops; i++) {
		const struct node *n = &net->node[i];
		double in = 0, out = floats(n->out), forward, backward;
		for (int k = 0; k < n->op->inputs; k++)
			in += floats(net->node[n->op->in[k]].out);
		forward = n->waits ? 0 : in + out;
		backward = n->op->layer >= 0                 ? in + (n->norm ? 2 : 1) * out + in
			: n->waits || n->op->kind == OP_NORM ? 0
							     : 2 * out + in;
		b.scoring += forward;
		b.training += forward + backward;
		b.least += n->op->layer >= 0 ? in / 2 : 0;
	}
	close_subject(&s);
	return b;
}

// ---- the table ----

static void print_parts(const struct parts *p, double one, double two)
{
	double sum = 0, of_kind[KINDS] = {0};
	printf("%-24s", "");
	for (int k = 0; k < KINDS; k++)
		printf(" %11s", kind_name[k]);
	printf(" %8s\n", "share");
	for (int w = 0; w < WHOS; w++)
		for (int k = 0; k < KINDS; k++) {
			sum += p->median[w][k];
			of_kind[k] += p->median[w][k];
		}
	for (int w = 0; w < WHOS; w++) {
		double all = 0;
		for (int k = 0; k < KINDS; k++)
			all += p->median[w][k];
		if (all <= 0)
			continue;
		printf("  %-22s", who_name[w]);
		for (int k = 0; k < KINDS; k++)
			if (p->median[w][k] > 0)
				printf(" %11.3f", 1e3 * p->median[w][k]);
			else
				printf(" %11s", "");
		printf(" %6.1f %%\n", 100 * all / sum);
	}
	printf("  %-22s", "share");
	for (int k = 0; k < KINDS; k++)
		printf(" %9.1f %%", 100 * of_kind[k] / sum);
	printf("\n  parts together %.3f ms, one thread %.3f, two threads %.3f: waiting %.1f %% of two threads' time\n", 1e3 * sum,
		1e3 * one, 1e3 * two, 100 * (1 - one / (2 * two)));
}

void bench_operators(void)
{
	static const char *const title[TIMED_PASSES] = {[SCORING] = "a scoring pass",
		[TRAINING] = "a training step",
		[TRAINING_BF16] = "a training step, gradients=bf16"};
	const char *wanted = getenv("BENCH_NETS");
	printf("\nWhere passes spend their time, by operator and kind of work (ms; batch %d, one thread; kernels %s; medians of %d)\n",
		BATCH, kernels_best()->name, ROUNDS);
	find_cost();
	for (int n = 0; n < NETS; n++) {
		if (wanted && *wanted && !strstr(wanted, nets[n]))
			continue;
		struct bytes b = bytes_of(nets[n]);
		for (int pass = 0; pass < TIMED_PASSES; pass++) {
			struct parts p = parts_of(nets[n], (enum pass_timed)pass);
			printf("\n%s, %s\n", nets[n], title[pass]);
			print_parts(&p, whole(nets[n], 1, (enum pass_timed)pass), whole(nets[n], 2, (enum pass_timed)pass));
		}
		printf("  activations read and written, kB an image: scoring %.0f, training %.0f; at least %.0f in a scoring pass\n",
			b.scoring / 1e3, b.training / 1e3, b.least / 1e3);
		fflush(stdout);
	}
}

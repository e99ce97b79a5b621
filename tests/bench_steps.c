// SPDX-License-Identifier: GPL-3.0-or-later
// Steps of every network: plain quantization-aware training and search, and the products of a step through OpenBLAS. With PEER
// set to a command that takes a network's name and prints "… N images/s" (a training step of it), two columns compare with it.
#include "tests/bench.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tensor/kernels.h"

enum { BATCH = 64, PARTS = 3, ROUNDS = 24, LEAST = 3, SKIP = 1 };
static const double SECONDS = 9; // that a network's rounds may take, unless they are fewer than LEAST

static const struct {
	const char *name;
	bool peer;
} nets[] = {{"resnet8", true}, {"resnet20", true}, {"mobilenetv2:width=0.5", true}, {"resnet56", false},
	{"resnet18-fliqs:width=0.5", false}, {"efficientnet", false}, {"inception:width=0.125", false}, {"deit", false}};

// What takes turns. samples: sampled choices that a step's policy update scores; 0: plain training.
enum side { TRAIN, SINGLE, SEARCH, LIVE, SEARCHES, WHOLE = SEARCHES, SINGLY, SIDES };
static const struct {
	int threads, samples;
} side[SEARCHES] = {[TRAIN] = {2, 0}, [SINGLE] = {1, 0}, [SEARCH] = {2, 1}, [LIVE] = {2, 4}};

static struct search *open_side(const char *net, enum side i)
{
	return bench_search(
		"net=%s data=cifar10:%s space=wide steps=1000000 heldout=256 front-every=0 augment=none batch=%d threads=%d "
		"warmup=%d samples=%d",
		net, bench_folder, BATCH, side[i].threads, !side[i].samples, side[i].samples + !side[i].samples);
}

static double step_seconds(struct search *s)
{
	struct fault fault;
	double began = bench_now();
	if (!search_step(s, &fault))
		bench_stop(&fault);
	return bench_now() - began;
}

// ---- the products of a step through OpenBLAS, of half the batch in each of two threads ----

struct half {
	const struct model *model;
	int images;             // that a call lowers
	float *x, *w, *y, *out; // operands, lowered, and where results go
	double seconds;
};

// The size of a layer's products, lowered: rows are output pixels. False: grouped, which OpenBLAS cannot.
static bool product_size(const struct model *m, int layer, int images, int *rows, int *columns, int *depth)
{
	const struct layer *l = &m->layer[layer];
	const struct op *op = &m->op[l->op];
	*rows = images * l->out.h * l->out.w;
	*columns = l->out.c;
	*depth = op->kind == OP_CONV ? op->window.h * op->window.w * l->in.c : l->in.c;
	return op->kind != OP_CONV || op->groups == 1;
}

static float *operand(long count)
{
	float *p = malloc((size_t)count * sizeof *p);
	for (long i = 0; p && i < count; i++)
		p[i] = (float)(i % 15 - 7) / 7;
	return p;
}

static struct half half_new(const struct model *m)
{
	long most[3] = {0};
	for (int i = 0, rows, columns, depth; i < m->layers; i++)
		if (product_size(m, i, BATCH / 2, &rows, &columns, &depth)) {
			long size[3] = {(long)rows * depth, (long)depth * columns, (long)rows * columns};
			for (int k = 0; k < 3; k++)
				most[k] = size[k] > most[k] ? size[k] : most[k];
		}
	struct half h = {m, 0, operand(most[0]), operand(most[1]), operand(most[2]), operand(most[0] + most[1] + most[2]), 0};
	if (!h.x || !h.w || !h.y || !h.out) {
		fprintf(stderr, "bench: out of memory\n");
		exit(1);
	}
	return h;
}

static void *multiply(void *arg)
{
	struct half *h = arg;
	double began = bench_now();
	for (int i = 0, m, n, k; i < h->model->layers; i++) {
		if (!product_size(h->model, i, h->images, &m, &n, &k))
			continue;
		int calls = BATCH / 2 / h->images;
		bool both = h->model->op[h->model->layer[i].op].in[0] != 0;
		for (int c = 0; c < calls; c++)
			cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, h->x, k, h->w, n, 0, h->out, n);
		for (int c = 0; c < calls; c++) // gradient of the weights
			cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, h->x, k, h->y, n, c > 0, h->out, n);
		for (int c = 0; both && c < calls; c++) // gradient of the input
			cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, h->y, n, h->w, n, 0, h->out, k);
	}
	h->seconds = bench_now() - began;
	return NULL;
}

static double product_seconds(struct half half[2], int images)
{
	half[0].images = half[1].images = images;
	pthread_t other;
	if (pthread_create(&other, NULL, multiply, &half[1]) != 0)
		exit(1);
	multiply(&half[0]);
	pthread_join(other, NULL);
	return half[0].seconds > half[1].seconds ? half[0].seconds : half[1].seconds;
}

// ---- peaks of one thread, in operations per second ----

static double kernel_peak(void)
{
	static float a[KERNEL_ROWS * 256], b[256 * KERNEL_COLUMNS + KERNEL_COLUMNS], c[KERNEL_ROWS * KERNEL_COLUMNS];
	const struct kernels *k = kernels_best();
	double seconds[9];
	enum { CALLS = 20000 };
	for (int r = 0; r < 9; r++) {
		double began = bench_now();
		for (int i = 0; i < CALLS; i++)
			k->product(k->rows, KERNEL_COLUMNS, 1, 256, a, 256, 1, 0, b, KERNEL_BLOCK, 0, 256 * KERNEL_BLOCK, c,
				KERNEL_COLUMNS, false);
		seconds[r] = (bench_now() - began) / CALLS;
	}
	return 2.0 * k->rows * KERNEL_COLUMNS * 256 / median(seconds, 9);
}

static double blas_peak(void)
{
	enum { N = 768 };
	float *a = calloc(3 * N * N, sizeof *a);
	double seconds[9];
	for (int r = 0; a && r < 9; r++) {
		double began = bench_now();
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a + N * N, N, 0, a + 2 * N * N, N);
		seconds[r] = bench_now() - began;
	}
	free(a);
	return 2.0 * N * N * N / median(seconds, 9);
}

// ---- the peer ----

// Images per second that the peer reports for a network; 0: there is no peer, or it failed.
static double peer_speed(const char *net)
{
	const char *peer = getenv("PEER");
	char command[1024], line[256];
	double speed = 0;
	snprintf(command, sizeof command, "%s %.*s", peer ? peer : "", (int)strcspn(net, ":"), net);
	FILE *out = peer && *peer ? popen(command, "r") : NULL;
	while (out && fgets(line, sizeof line, out)) {
		char *unit = strstr(line, " images/s");
		char *number = unit;
		while (number > line && number[-1] != ' ')
			number--;
		if (unit)
			speed = strtod(number, NULL);
	}
	if (out)
		pclose(out);
	return speed;
}

// ---- the table ----

static void measure(const char *net, bool has_peer, double peak)
{
	struct fault fault;
	struct search *s[SEARCHES];
	for (int i = 0; i < SEARCHES; i++)
		s[i] = open_side(net, (enum side)i);
	struct model *m = model_named(net, (struct shape){32, 32, 3}, 10, &fault);
	if (!m)
		bench_stop(&fault);
	struct half half[2] = {half_new(m), half_new(m)};
	double seconds[SIDES][ROUNDS], peer[PARTS], spent = 0;
	int rounds = 0;
	for (int part = 0; part < PARTS; part++) {
		peer[part] = has_peer ? peer_speed(net) : 0;
		double share = (double)(part + 1) / PARTS;
		for (int i = part ? 0 : -SKIP; rounds < ROUNDS * share && (rounds < LEAST * share || spent < SECONDS * share);
			i++) {
			double began = bench_now();
			for (int k = 0; k < SEARCHES; k++)
				seconds[k][rounds] = step_seconds(s[k]);
			seconds[WHOLE][rounds] = product_seconds(half, BATCH / 2);
			seconds[SINGLY][rounds] = product_seconds(half, 1);
			spent += bench_now() - began;
			rounds += i >= 0;
		}
	}
	double theirs = median(peer, PARTS), speed[SEARCHES], ratio[SIDES]; // ratios of times, to TRAIN's
	for (int k = 0; k < SIDES; k++) {
		ratio[k] = median_ratio(seconds[k], seconds[TRAIN], rounds);
		if (k < SEARCHES)
			speed[k] = BATCH / median(seconds[k], rounds);
	}
	printf("%-24s %4d %8.0f %8.0f %7.2fx %8.0f %7.2fx %8.0f %7.0f%% %7.0f%% %7.0f%%", net, rounds, speed[TRAIN],
		speed[SINGLE], ratio[SINGLE], speed[SEARCH], ratio[SEARCH], speed[LIVE], 100 * ratio[WHOLE], 100 * ratio[SINGLY],
		100 * 6 * m->macs * speed[TRAIN] / peak);
	if (theirs > 0)
		printf(" %8.0f %7.2fx\n", theirs, speed[TRAIN] / theirs);
	else
		printf(" %8s %8s\n", "-", "-");
	fflush(stdout);
	for (int i = 0; i < SEARCHES; i++)
		search_free(s[i]);
	for (int i = 0; i < 2; i++) {
		free(half[i].x);
		free(half[i].w);
		free(half[i].y);
		free(half[i].out);
	}
	model_free(m);
}

void bench_steps(void)
{
	const char *wanted = getenv("BENCH_NETS"), *peer = getenv("PEER");
	double ours = kernel_peak(), blas = blas_peak();
	printf("Images/s of a step, 2 threads, 32x32x3 images, batch %d; medians of n rounds in which all sides take turns, a step each.\n"
	       "search: the policy too, 1 choice scored on as many held-out images, its time over a training step's; live: 4 choices.\n"
	       "blas: the step's matrix products alone through OpenBLAS (%s), lowered: output and both gradients, no input gradient\n"
	       "at the stem; over the step's time. In each of 2 threads half the batch at a call, or image by image (1). Depthwise and\n"
	       "grouped layers and attention's own products are left out.\n"
	       "of peak: 6 operations a MAC over the product peak of 2 threads; of one thread: own kernel (%s) %.1f, OpenBLAS %.1f G/s.\n",
		BATCH, openblas_get_corename(), kernels_best()->name, ours / 1e9, blas / 1e9);
	if (peer && *peer)
		printf("peer: %s, the median of %d runs in between\n", peer, PARTS);
	else
		printf("no peer: no python3 was found that has torch; `make bench-peer` installs one\n");
	static const char *const head[] = {"train/s", "1 thread", "scaling", "search/s", "search", "live/s", "blas", "blas 1",
		"of peak", "peer/s", "to peer"};
	printf("\n%-24s %4s", "", "n");
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		printf(" %8s", head[i]);
	printf("\n");
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
		if (!wanted || !*wanted || strstr(wanted, nets[i].name))
			measure(nets[i].name, nets[i].peer, 2 * (ours > blas ? ours : blas));
}

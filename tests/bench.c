// SPDX-License-Identifier: GPL-3.0-or-later
// The performance table (`make bench`): medians of steps, and ratios within this one run. With PEER set to a command that
// takes a network's name and prints "… N images/s" (a training step of the same network elsewhere), a column compares with it.
#include <cblas.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/search/search.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/rng.h"

extern char **environ;

enum { BATCH = 64, STEPS = 24, SKIP = 4, IMAGES = 1024 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof *x, by_size);
	return x[n / 2];
}

static void stop(const struct fault *fault)
{
	char line[800];
	fprintf(stderr, "bench: %s\n", fault_line(fault, line, sizeof line));
	exit(1);
}

// ---- images: CIFAR-10's layout, random pixels ----

static void write_images(const char *folder, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	uint64_t key = rng_key(1, name, 0), n = 0;
	for (int i = 0; f && i < IMAGES; i++) {
		fputc(i % 10, f);
		for (int j = 0; j < 3072; j += 8, n++) {
			uint64_t bits = rng_bits(key, n);
			fwrite(&bits, sizeof bits, 1, f);
		}
	}
	if (!f || fclose(f) != 0) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

// ---- steps ----

// Median seconds of a step. `policy`: 0 plain quantization-aware training; else so many sampled choices a step.
static double step_seconds(const char *net, const char *folder, int threads, int policy)
{
	struct fault fault;
	struct config *c = config_new();
	char data[600], number[16];
	snprintf(data, sizeof data, "cifar10:%s", folder);
	const char *settings[][2] = {{"net", net}, {"data", data}, {"space", "wide"}, {"steps", "1000000"}, {"heldout", "256"},
		{"front-every", "0"}, {"warmup", policy ? "0" : "1"}, {"augment", "none"}, {"batch", "64"}};
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (!config_set(c, settings[i][0], settings[i][1], &fault))
			stop(&fault);
	snprintf(number, sizeof number, "%d", threads);
	config_set(c, "threads", number, NULL);
	snprintf(number, sizeof number, "%d", policy ? policy : 1);
	config_set(c, "samples", number, NULL);
	struct search *s = search_new(config_knobs(c), NULL, &fault);
	if (!s)
		stop(&fault);
	double seconds[STEPS];
	for (int i = -SKIP; i < STEPS; i++) {
		double began = now();
		if (!search_step(s, &fault))
			stop(&fault);
		if (i >= 0)
			seconds[i] = now() - began;
	}
	search_free(s);
	config_free(c);
	return median(seconds, STEPS);
}

static double macs_of(const char *net, const char *folder)
{
	struct fault fault;
	struct config *c = config_new();
	char data[600];
	snprintf(data, sizeof data, "cifar10:%s", folder);
	if (!config_set(c, "net", net, &fault) || !config_set(c, "data", data, &fault) || !config_set(c, "heldout", "256", &fault))
		stop(&fault);
	struct search *s = search_new(config_knobs(c), NULL, &fault);
	if (!s)
		stop(&fault);
	double macs = search_info(s)->macs;
	search_free(s);
	config_free(c);
	return macs;
}

// ---- peaks of one thread, in operations per second ----

static double kernel_peak(void)
{
	static float a[KERNEL_ROWS * 256], b[256 * KERNEL_COLUMNS + KERNEL_COLUMNS], c[KERNEL_ROWS * KERNEL_COLUMNS];
	const struct kernels *k = kernels_best();
	double seconds[9];
	enum { CALLS = 20000 };
	for (int r = 0; r < 9; r++) {
		double began = now();
		for (int i = 0; i < CALLS; i++)
			k->product(k->rows, KERNEL_COLUMNS, 1, 256, a, 256, 1, 0, b, KERNEL_BLOCK, 0, 256 * KERNEL_BLOCK, c, KERNEL_COLUMNS, false);
		seconds[r] = (now() - began) / CALLS;
	}
	return 2.0 * k->rows * KERNEL_COLUMNS * 256 / median(seconds, 9);
}

static double blas_peak(void)
{
	enum { N = 768 };
	float *a = calloc(3 * N * N, sizeof *a);
	double seconds[9];
	for (int r = 0; a && r < 9; r++) {
		double began = now();
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a + N * N, N, 0, a + 2 * N * N, N);
		seconds[r] = now() - began;
	}
	free(a);
	return 2.0 * N * N * N / median(seconds, 9);
}

// ---- the peer ----

// Images per second that the peer reports for a network; 0: there is no peer, or it failed.
static double peer_speed(const char *net)
{
	const char *peer = getenv("PEER");
	int ends[2];
	if (!peer || !*peer || pipe(ends) != 0)
		return 0;
	char command[1024], line[256];
	snprintf(command, sizeof command, "%s %s", peer, net);
	char *argv[] = {"sh", "-c", command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	pid_t pid;
	int error = posix_spawnp(&pid, "sh", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	FILE *out = fdopen(ends[0], "r");
	double speed = 0;
	while (!error && out && fgets(line, sizeof line, out)) {
		char *unit = strstr(line, " images/s");
		char *number = unit;
		while (number > line && number[-1] != ' ')
			number--;
		if (unit)
			speed = strtod(number, NULL);
	}
	if (out)
		fclose(out);
	if (!error)
		waitpid(pid, NULL, 0);
	return speed;
}

int main(void)
{
	static const char *const nets[] = {"resnet8", "resnet20"};
	char folder[] = "/tmp/bitscape-bench-XXXXXX";
	if (!mkdtemp(folder)) {
		fprintf(stderr, "bench: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	write_images(folder, "data_batch_1.bin");
	write_images(folder, "test_batch.bin");
	openblas_set_num_threads(1);

	double ours = kernel_peak(), blas = blas_peak();
	printf("kernels %s; product peak of one thread: own kernel %.1f, OpenBLAS %.1f G operations/s\n", kernels_best()->name, ours / 1e9,
		blas / 1e9);
	printf("32x32x3 images, batch %d, medians of %d steps; search: policy update with 1 choice scored on as many held-out images, live: 4\n\n",
		BATCH, STEPS);
	printf("%-10s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "train/s", "1 thread", "scaling", "search/s", "search", "live/s", "of peak",
		"peer/s", "to peer");
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		double macs = macs_of(nets[i], folder), two = step_seconds(nets[i], folder, 2, 0), peer = peer_speed(nets[i]);
		double one = step_seconds(nets[i], folder, 1, 0), search = step_seconds(nets[i], folder, 2, 1);
		double live = step_seconds(nets[i], folder, 2, 4), peak = 2 * (ours > blas ? ours : blas);
		printf("%-10s %8.0f %8.0f %7.2fx %8.0f %7.2fx %8.0f %7.0f%%", nets[i], BATCH / two, BATCH / one, one / two, BATCH / search,
			search / two, BATCH / live, 100 * 6 * macs * BATCH / two / peak);
		if (peer > 0)
			printf(" %8.0f %7.2fx\n", peer, BATCH / two / peer);
		else
			printf(" %8s %8s\n", "-", "-");
		fflush(stdout);
	}
	if (!getenv("PEER"))
		printf("\nno peer: set PEER to a command such as \"python3 torch_step.py\" to compare with one\n");
	for (int i = 0; i < 2; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", folder, i ? "test_batch.bin" : "data_batch_1.bin");
		unlink(path);
	}
	rmdir(folder);
	return 0;
}

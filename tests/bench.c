// SPDX-License-Identifier: GPL-3.0-or-later
// `make bench`: all tables, or those named by BENCH_TABLES="steps keys". BENCH_NETS="resnet8 deit" limits the networks of the first.
#include "tests/bench.h"

#include <cblas.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/tensor/rng.h"

enum { IMAGES = 1024 };

const char *bench_folder;

// ---- time ----

double bench_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_nap(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
	nanosleep(&t, NULL);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

double quantile(const double *x, int n, double share)
{
	double sorted[1024];
	memcpy(sorted, x, (size_t)n * sizeof *x);
	qsort(sorted, (size_t)n, sizeof *sorted, by_size);
	return sorted[(int)(share * (n - 1) + 0.5)];
}

double median(const double *x, int n)
{
	return quantile(x, n, 0.5);
}

double median_ratio(const double *x, const double *y, int n)
{
	double ratio[1024];
	for (int i = 0; i < n; i++)
		ratio[i] = x[i] / y[i];
	return median(ratio, n);
}

// ---- searches ----

void bench_stop(const struct fault *fault)
{
	char line[800];
	fprintf(stderr, "bench: %s\n", fault_line(fault, line, sizeof line));
	exit(1);
}

struct config *bench_config(const char *settings)
{
	struct fault fault;
	struct config *c = config_new();
	char text[1024], *rest;
	snprintf(text, sizeof text, "%s", settings);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, '=');
		*value++ = '\0';
		if (!config_set(c, word, value, &fault))
			bench_stop(&fault);
	}
	return c;
}

struct search *bench_search(const char *format, ...)
{
	char settings[1024];
	va_list values;
	va_start(values, format);
	vsnprintf(settings, sizeof settings, format, values);
	va_end(values);
	struct fault fault;
	struct config *c = bench_config(settings);
	struct search *s = search_new(config_knobs(c), NULL, &fault);
	if (!s)
		bench_stop(&fault);
	config_free(c);
	return s;
}

// ---- the run ----

static void write_images(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", bench_folder, name);
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

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

static void clean_up(void)
{
	nftw(bench_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const struct {
	const char *name;
	void (*run)(void);
	int (*child)(const char *settings);
} table[] = {
	{"steps", bench_steps, NULL},
	{"profile", bench_profile, NULL},
	{"operators", bench_operators, NULL},
	{"memory", bench_memory, memory_child},
	{"spaces", bench_spaces, NULL},
	{"overhead", bench_overhead, NULL},
	{"workbench", NULL, workbench_child},
	{"keys", bench_keys, NULL},
	{"frames", bench_frames, NULL},
	{"acknowledge", bench_acknowledge, NULL},
	{"signal", bench_signal, NULL},
};

int main(int argc, char **argv)
{
	enum { ROWS = sizeof table / sizeof table[0] };
	for (int i = 0; argc == 3 && i < ROWS; i++)
		if (table[i].child && strcmp(argv[1], table[i].name) == 0)
			return table[i].child(argv[2]);
	static char folder[] = "/tmp/bitscape-bench-XXXXXX";
	if (!mkdtemp(folder)) {
		fprintf(stderr, "bench: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	bench_folder = folder;
	atexit(clean_up);
	setenv("XDG_STATE_HOME", folder, 1);
	write_images("data_batch_1.bin");
	write_images("test_batch.bin");
	openblas_set_num_threads(1);
	const char *wanted = getenv("BENCH_TABLES");
	for (int i = 0; i < ROWS; i++)
		if (table[i].run && (!wanted || !*wanted || strstr(wanted, table[i].name)))
			table[i].run();
	return 0;
}

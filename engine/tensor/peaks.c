// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tensor/peaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/tensor/kernels.h"

enum {
	DEPTH = 128,        // of a product
	NUMBERS = 4096,     // of element-wise code,
	CHANNELS = 256,     // of so many channels
	TRIALS = 9,         // of each figure
	MEMORY = 24 << 20,  // bytes of each of a thread's two arrays that no cache should hold
	ARRAY = MEMORY / 4, // floats of these
};
static const double trial = 4e-3; // seconds

// A thread's own.
struct bench {
	float *a, *b, *c; // [ARRAY] each, but c, which is [KERNEL_ROWS][KERNEL_COLUMNS]
	int32_t minus[KERNEL_COLUMNS];
	float scale[CHANNELS];
};

struct course {
	const struct kernels *kernels;
	struct bench *bench; // [threads]
	void (*lap)(const struct course *, const struct bench *);
	long laps, numbers;
};

static void lap_fp32(const struct course *r, const struct bench *w)
{
	r->kernels->product(r->kernels->rows, KERNEL_COLUMNS, 1, DEPTH, w->a, DEPTH, 1, 0, w->b, KERNEL_BLOCK, 0,
		DEPTH * KERNEL_BLOCK, w->c, KERNEL_COLUMNS, false);
}

static void lap_int8(const struct course *r, const struct bench *w)
{
	const long units = DEPTH * r->kernels->code / KERNEL_UNIT;
	const struct integers of = {.panels = 1,
		.runs = 1,
		.units = units,
		.a_row = units * KERNEL_UNIT,
		.b = (const int32_t *)(const void *)w->b,
		.b_block = units * KERNEL_BLOCK,
		.minus = w->minus,
		.scale = w->scale};
	r->kernels->integer_product(r->kernels->rows, KERNEL_COLUMNS, &of, w->a, w->c, KERNEL_COLUMNS);
}

static void lap_vector(const struct course *r, const struct bench *w)
{
	r->kernels->affine(w->a, NUMBERS / CHANNELS, CHANNELS, w->scale, w->scale, ACT_RELU, w->b);
}

static void lap_memory(const struct course *r, const struct bench *w)
{
	r->kernels->accumulate(w->a, w->b, r->numbers);
}

static void run_laps(void *context, int chunk, int worker)
{
	(void)worker;
	const struct course *r = context;
	for (long i = 0; i < r->laps; i++)
		r->lap(r, &r->bench[chunk]);
}

static double once(struct course *r, struct team *team)
{
	double began = clock_seconds();
	team_run(team, team_size(team), run_laps, r);
	return clock_seconds() - began;
}

// Laps a second of all threads together.
static double speed(struct course *r, struct team *team, void (*lap)(const struct course *, const struct bench *))
{
	double best = INFINITY;
	r->lap = lap;
	r->laps = 1;
	while (once(r, team) < trial && r->laps < 1L << 30)
		r->laps *= 2;
	for (int i = 0; i < TRIALS; i++)
		best = fmin(best, once(r, team));
	return (double)r->laps * team_size(team) / best;
}

static bool furnish(struct bench *w)
{
	w->a = aligned_alloc(64, MEMORY);
	w->b = aligned_alloc(64, MEMORY);
	w->c = aligned_alloc(64, KERNEL_ROWS * KERNEL_COLUMNS * sizeof *w->c);
	if (!w->a || !w->b || !w->c)
		return false;
	memset(w->a, 0, MEMORY); // numbers of 0 are no slower than others, and never become subnormal
	memset(w->b, 0, MEMORY);
	return true;
}

bool peaks_measure(struct team *team, struct peaks *p, struct fault *fault)
{
	int threads = team_size(team);
	struct course r = {.kernels = kernels_best(), .bench = calloc((size_t)threads, sizeof *r.bench)};
	bool ok = r.bench != NULL;
	for (int i = 0; ok && i < threads; i++)
		ok = furnish(&r.bench[i]);
	if (ok) {
		const double product = 2.0 * r.kernels->rows * KERNEL_COLUMNS * DEPTH;
		const long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
		*p = (struct peaks){.fp32 = product * speed(&r, team, lap_fp32),
			.int8 = product * speed(&r, team, lap_int8),
			.vector = 3.0 * NUMBERS * speed(&r, team, lap_vector)}; // multiplies, adds, clips
		r.numbers = ARRAY;
		p->memory = 12.0 * ARRAY * speed(&r, team, lap_memory); // two numbers read, one written
		r.numbers = cache / 16;                                 // both arrays take half of it
		if (cache >= 1 << 16 && cache <= MEMORY) {
			p->chip = 12.0 * (double)r.numbers * speed(&r, team, lap_memory);
			p->chip_bytes = (double)cache * threads;
		}
	}
	for (int i = 0; r.bench && i < threads; i++) {
		free(r.bench[i].a);
		free(r.bench[i].b);
		free(r.bench[i].c);
	}
	free(r.bench);
	return ok || fault_memory(fault, "peaks");
}

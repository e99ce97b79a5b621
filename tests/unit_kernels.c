// SPDX-License-Identifier: GPL-3.0-or-later
// The compute kernels of every instruction set that this machine has, each against a plain loop in double precision, with
// odd sizes and guard words around what they write; and the worker team.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tensor/kernels.h"
#include "engine/tensor/rng.h"
#include "engine/tensor/team.h"

// Half a unit in the last place of 1: the relative error of one rounding.
static const double ROUNDING = FLT_EPSILON / 2;
// Sums over one stretch run in single precision: that many roundings of the partial sums, and some of the terms.
enum { STRETCH = 64, STRETCH_ROUNDINGS = STRETCH + 4 };

static const int sizes[] = {0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
static const int widths[] = {1, 3, 7, 15, 16, 17, 32, 40};
static const int heights[] = {1, 2, 63, 64, 65, 100};
enum { WIDTHS = sizeof widths / sizeof widths[0], HEIGHTS = sizeof heights / sizeof heights[0] };

#define EACH_SET(k) for (const struct kernels *const *k = kernels_all(); *k; k++)

// ---- arrays ----------------------------------------------------------------------------------------------------

// An array of its exact size, so that a sanitizer sees a read beyond it; with guard words where it is written to.
enum { GUARD = 32 };
static const float GUARD_WORD = -12345.5f;

static float *guarded(long n)
{
	float *x = malloc((size_t)(n + 2 * GUARD) * sizeof *x);
	assert_non_null(x);
	for (long i = 0; i < n + 2 * GUARD; i++)
		x[i] = GUARD_WORD;
	return x + GUARD;
}

static void release(float *x, long n)
{
	for (int i = 0; i < GUARD; i++)
		if (x[-1 - i] != GUARD_WORD || x[n + i] != GUARD_WORD)
			fail_msg("written outside of an array of %ld", n);
	free(x - GUARD);
}

// Normal numbers; or, `exact`, small multiples of 1/8, whose sums and products single precision holds exactly.
static float *made(long n, uint64_t key, bool exact)
{
	float *x = malloc((size_t)(n ? n : 1) * sizeof *x);
	assert_non_null(x);
	for (long i = 0; i < n; i++)
		x[i] = exact ? (float)((int)rng_below(key, (uint64_t)i, 33) - 16) / 8 : (float)rng_normal(key, (uint64_t)i);
	return x;
}

static void near(const struct kernels *k, double got, double wanted, double bound)
{
	if (!(fabs(got - wanted) <= bound))
		fail_msg("%s: %.9g instead of %.9g (allowed: %.3g)", k->name, got, wanted, bound);
}

// ---- kernels ----------------------------------------------------------------------------------------------------

static void sets_of_kernels(void **state)
{
	(void)state;
	bool has_best = false;
	assert_non_null(kernels_all()[0]);
	assert_string_equal(kernels_all()[0]->name, "base");
	EACH_SET(k) {
		has_best |= *k == kernels_best();
		assert_in_range((*k)->rows, 1, KERNEL_ROWS);
	}
	assert_true(has_best);
}

struct product {
	int rows, columns;
	long panels, depth;
};

static void one_product(const struct kernels *k, struct product p, bool accumulate, bool transposed)
{
	// A is [panel][row][step], or [panel][step][row]; B is [block][panel][step], each with room for a block of columns.
	long a_row = transposed ? 1 : p.depth + 3, a_step = transposed ? p.rows + 2 : 1;
	long a_panel = (transposed ? p.depth * a_step : p.rows * a_row) + 1, b_step = KERNEL_BLOCK + 1;
	long b_panel = p.depth * b_step + 5, c_row = p.columns + 4, a_size = p.panels * a_panel + 1;
	long b_block = p.panels * b_panel + 3, b_size = 2 * b_block + KERNEL_BLOCK;
	long c_size = (p.rows - 1) * c_row + p.columns;
	float *a = made(a_size, 1, false), *b = made(b_size, 2, false), *c = guarded(c_size), *before = made(c_size, 3, false);
	for (int m = 0; m < p.rows; m++)
		memcpy(c + m * c_row, before + m * c_row, (size_t)p.columns * sizeof *c);
	k->product(p.rows, p.columns, p.panels, p.depth, a, a_row, a_step, a_panel, b, b_step, b_panel, b_block, c, c_row, accumulate);
	for (int m = 0; m < p.rows; m++) {
		for (int j = 0; j < p.columns; j++) {
			double sum = accumulate ? (double)before[m * c_row + j] : 0, size = fabs(sum);
			for (long r = 0; r < p.panels; r++)
				for (long d = 0; d < p.depth; d++) {
					double term = (double)a[m * a_row + d * a_step + r * a_panel] * 
						(double)b[d * b_step + r * b_panel + j / KERNEL_BLOCK * b_block + j % KERNEL_BLOCK];
					sum += term;
					size += fabs(term);
				}
			near(k, (double)c[m * c_row + j], sum, (double)(p.panels * p.depth + 2) * ROUNDING * size);
		}
		for (long j = p.columns; j < c_row && m + 1 < p.rows; j++)
			assert_true(c[m * c_row + j] == GUARD_WORD);
	}
	free(a);
	free(b);
	free(before);
	release(c, c_size);
}

static void product(void **state)
{
	(void)state;
	static const long panels[] = {0, 1, 3, 16}, depths[] = {1, 3, 9, 48, 144};
	EACH_SET(k)
		for (int rows = 1; rows <= KERNEL_ROWS; rows++)
			for (int columns = 1; columns <= KERNEL_COLUMNS; columns++)
				for (int i = 0; i < 4; i++) {
					long depth = depths[(rows + columns + i) % 5];
					one_product(*k, (struct product){rows, columns, panels[i], depth}, i % 2, rows % 2);
					one_product(*k, (struct product){rows, columns, panels[i], depth}, (i + 1) % 2, columns % 2);
				}
}

static void peak(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++)
			for (int at = 0; at <= sizes[s]; at++) { // the largest at every place in turn; at the end: nowhere
				float *x = made(sizes[s], 4, false), top = 0;
				if (at < sizes[s])
					x[at] = at % 2 ? 77.f : -77.f;
				for (int i = 0; i < sizes[s]; i++)
					top = fmaxf(top, fabsf(x[i]));
				assert_true((*k)->peak(x, sizes[s]) == top);
				free(x);
			}
}

static void channel_peaks(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], n = c * heights[h];
				float *x = made(n, 5, false), *top = guarded(c);
				for (int j = 0; j < c; j++)
					top[j] = j % 4 ? 0 : 2.5f; // what is there counts too
				(*k)->channel_peaks(x, heights[h], c, top);
				for (int j = 0; j < c; j++) {
					float wanted = j % 4 ? 0 : 2.5f;
					for (int p = 0; p < heights[h]; p++)
						wanted = fmaxf(wanted, fabsf(x[p * c + j]));
					assert_true(top[j] == wanted);
				}
				free(x);
				release(top, c);
			}
}

static void clip_gradient(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *x = made(n, 6, true), *dy = made(n, 7, false), *g = guarded(n);
			memcpy(g, dy, (size_t)n * sizeof *g);
			(*k)->clip_gradient(1, x, g, n); // many x are 1 or -1: they are within
			for (int i = 0; i < n; i++)
				assert_true(g[i] == (fabsf(x[i]) > 1 ? 0 : dy[i]));
			free(x);
			free(dy);
			release(g, n);
		}
}

static void histogram(void **state)
{
	(void)state;
	enum { BINS = 100, SPARE = 8 };
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *x = made(n, 8, false), top = (*k)->peak(x, n);
			uint32_t counts[BINS + 2 * SPARE], wanted[BINS] = {0}, *middle = counts + SPARE;
			for (int i = 0; i < BINS + 2 * SPARE; i++)
				counts[i] = 3;
			(*k)->histogram(x, n, top, middle, BINS);
			for (int i = 0; i < n; i++) {
				int b = (int)(fabsf(x[i]) * ((float)BINS / top));
				wanted[b < BINS ? b : BINS - 1]++;
			}
			for (int i = 0; i < BINS; i++)
				assert_int_equal(middle[i], 3 + wanted[i]);
			for (int i = 0; i < SPARE; i++) {
				assert_int_equal(counts[i], 3);
				assert_int_equal(middle[BINS + i], 3);
			}
			free(x);
		}
}

// A network that diverges has infinities, then no numbers at all; one that dies out has all but zeros. Any bin will do,
// but a bin it must be.
static void histogram_of_anything(void **state)
{
	(void)state;
	enum { BINS = 16 };
	static const float tops[] = {0, 1e-45f, 1e-40f, 1e-37f, 1, FLT_MAX, INFINITY, NAN};
	EACH_SET(k)
		for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
			float x[] = {0, -0.f, 1e-45f, 1, -FLT_MAX, INFINITY, -INFINITY, NAN, -NAN};
			enum { N = sizeof x / sizeof x[0] };
			uint32_t counts[BINS] = {0}, all = 0;
			(*k)->histogram(x, N, tops[t], counts, BINS);
			for (int i = 0; i < BINS; i++)
				all += counts[i];
			assert_int_equal(all, N);
		}
}

static void channel_sums(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++) {
				int c = widths[w], n = c * heights[h];
				float *x = made(n, 9, false);
				double *sum = calloc((size_t)c * 2 + 1, sizeof *sum), *squares = sum + c;
				for (int j = 0; j < 2 * c + 1; j++)
					sum[j] = 10; // added to what is there
				(*k)->channel_sums(x, heights[h], c, sum, squares);
				for (int j = 0; j < c; j++) {
					double s = 10, size = 0, q = 10;
					for (int p = 0; p < heights[h]; p++) {
						double v = (double)x[p * c + j];
						s += v;
						size += fabs(v);
						q += v * v;
					}
					near(*k, sum[j], s, STRETCH_ROUNDINGS * ROUNDING * size);
					near(*k, squares[j], q, STRETCH_ROUNDINGS * ROUNDING * q);
				}
				assert_true(sum[2 * c] == 10);
				free(x);
				free(sum);
			}
}

// What the norm's kernels read: exact numbers, and shifts that keep x*scale + shift away from 0, so that the gate of the rectifier
// is beyond doubt.
struct norm_case {
	int c, pixels;
	long n;
	bool rectify;
	float *x, *dy, *scale, *shift, *ka, *kb, *kc;
};

static struct norm_case norm_case(int width, int height, bool rectify)
{
	struct norm_case t = {.c = widths[width], .pixels = heights[height], .rectify = rectify};
	t.n = (long)t.c * t.pixels;
	t.x = made(t.n, 10, true);
	t.dy = made(t.n, 11, true);
	t.scale = made(t.c, 12, true);
	t.shift = made(t.c, 13, true);
	t.ka = made(t.c, 14, true);
	t.kb = made(t.c, 15, true);
	t.kc = made(t.c, 16, true);
	for (int j = 0; j < t.c; j++)
		t.shift[j] += 1.f / 128; // x*scale is a multiple of 1/64
	return t;
}

static void norm_case_free(struct norm_case *t)
{
	float *all[] = {t->x, t->dy, t->scale, t->shift, t->ka, t->kb, t->kc};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		free(all[i]);
}

static void norm_kernels(const struct kernels *k, struct norm_case t)
{
	float *y = guarded(t.n), *dx = guarded(t.n), top = 0;
	double *sum = calloc((size_t)t.c * 2 + 1, sizeof *sum);
	float got = k->affine(t.x, t.pixels, t.c, t.scale, t.shift, t.rectify, y);
	k->affine_sums(t.x, t.dy, t.pixels, t.c, t.scale, t.shift, t.rectify, t.kc, sum, sum + t.c);
	k->affine_gradient(t.x, t.dy, t.pixels, t.c, t.scale, t.shift, t.rectify, t.ka, t.kb, t.kc, dx);
	for (int j = 0; j < t.c; j++) {
		double s = 0, sx = 0;
		for (long i = j; i < t.n; i += t.c) {
			float v = t.x[i] * t.scale[j] + t.shift[j];
			float g = !t.rectify || v > 0 ? t.dy[i] : 0;
			v = t.rectify ? fmaxf(0, v) : v;
			top = fmaxf(top, fabsf(v));
			assert_true(y[i] == v);
			assert_true(dx[i] == g * t.ka[j] + (t.x[i] * t.kb[j] + t.kc[j]));
			s += (double)g;
			sx += (double)g * (double)(t.x[i] - t.kc[j]); // kc stands for the mean
		}
		assert_true(sum[j] == s && sum[t.c + j] == sx);
	}
	assert_true(got == top);
	assert_true(sum[2 * t.c] == 0);
	release(y, t.n);
	release(dx, t.n);
	free(sum);
}

static void norms(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int w = 0; w < WIDTHS; w++)
			for (int h = 0; h < HEIGHTS; h++)
				for (int rectify = 0; rectify < 2; rectify++) {
					struct norm_case t = norm_case(w, h, rectify);
					norm_kernels(*k, t);
					norm_case_free(&t);
				}
}

// With any numbers: the bound of a few roundings.
static void affine_of_any_numbers(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int w = 0; w < WIDTHS; w++) {
			int c = widths[w], n = c * 37;
			float *x = made(n, 17, false), *scale = made(c, 18, false), *shift = made(c, 19, false), *y = guarded(n);
			(*k)->affine(x, 37, c, scale, shift, false, y);
			for (int i = 0; i < n; i++) {
				double product_of = (double)x[i] * (double)scale[i % c], add = (double)shift[i % c];
				near(*k, (double)y[i], product_of + add, 2 * ROUNDING * (fabs(product_of) + fabs(add)));
			}
			free(x);
			free(scale);
			free(shift);
			release(y, n);
		}
}

static void addition(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++)
			for (int rectify = 0; rectify < 2; rectify++) {
				int n = sizes[s];
				float *a = made(n, 20, false), *b = made(n, 21, false), *y = guarded(n), *da = guarded(n), top = 0;
				float got = (*k)->add(a, b, n, rectify, y);
				(*k)->activate_gradient(y, b, n, rectify, da);
				for (int i = 0; i < n; i++) {
					float v = a[i] + b[i];
					v = rectify && v < 0 ? 0 : v;
					top = fmaxf(top, fabsf(v));
					assert_true(y[i] == v);
					assert_true(da[i] == (!rectify || v > 0 ? b[i] : 0));
				}
				assert_true(got == top);
				memcpy(da, b, (size_t)n * sizeof *da);
				(*k)->accumulate(a, da, n);
				for (int i = 0; i < n; i++)
					assert_true(da[i] == b[i] + a[i]);
				free(a);
				free(b);
				release(y, n);
				release(da, n);
			}
}

static void squares(void **state)
{
	(void)state;
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++) {
			float *x = made(sizes[s], 22, false);
			double sum = 0;
			for (int i = 0; i < sizes[s]; i++)
				sum += (double)x[i] * (double)x[i];
			near(*k, (*k)->squares(x, sizes[s]), sum, STRETCH_ROUNDINGS * ROUNDING * sum);
			free(x);
		}
}

static void sgd(void **state)
{
	(void)state;
	const double SCALE = .5, RATE = .1, MOMENTUM = .9, DECAY = .01;
	enum { ROUNDINGS = 8 };
	EACH_SET(k)
		for (int s = 0; s < SIZES; s++) {
			int n = sizes[s];
			float *w0 = made(n, 23, false), *v0 = made(n, 24, false), *g = made(n, 25, false), *w = guarded(n), *v = guarded(n);
			memcpy(w, w0, (size_t)n * sizeof *w);
			memcpy(v, v0, (size_t)n * sizeof *v);
			(*k)->sgd(w, v, g, n, (float)SCALE, (float)RATE, (float)MOMENTUM, (float)DECAY);
			for (int i = 0; i < n; i++) {
				double wi = (double)w0[i], vi = (double)v0[i], gi = (double)g[i];
				double d = SCALE * gi + DECAY * wi, v1 = MOMENTUM * vi + d;
				double size = fabs(wi) + fabs(vi) + fabs(gi);
				near(*k, (double)v[i], v1, ROUNDINGS * ROUNDING * size);
				near(*k, (double)w[i], wi - RATE * (d + MOMENTUM * v1), ROUNDINGS * ROUNDING * size);
			}
			free(w0);
			free(v0);
			free(g);
			release(w, n);
			release(v, n);
		}
}

// ---- the team ----------------------------------------------------------------------------------------------------

enum { MOST_CHUNKS = 1000, MOST_WORKERS = 8 };

struct tally {
	_Atomic int times[MOST_CHUNKS];
	_Atomic int wrong; // a chunk or a worker that does not exist
	int chunks, workers;
	long plain[MOST_CHUNKS]; // written without care: each chunk is one worker's alone, and team_run hands it back
};

static void count_chunk(void *context, int chunk, int worker)
{
	struct tally *t = context;
	if (chunk < 0 || chunk >= t->chunks || worker < 0 || worker >= t->workers) {
		atomic_fetch_add(&t->wrong, 1);
		return;
	}
	atomic_fetch_add(&t->times[chunk], 1);
	t->plain[chunk]++;
}

static const int team_sizes[] = {1, 2, 3, MOST_WORKERS};
enum { TEAMS = sizeof team_sizes / sizeof team_sizes[0] };

static void each_chunk_once(void **state)
{
	(void)state;
	static const int chunks[] = {0, 1, 2, 3, 7, MOST_CHUNKS};
	static struct tally t;
	struct fault fault;
	for (int s = 0; s < TEAMS; s++) {
		struct team *team = team_new(team_sizes[s], &fault);
		assert_non_null(team);
		assert_int_equal(team_size(team), team_sizes[s]);
		for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++)
			for (int again = 0; again < 5; again++) {
				memset(&t, 0, sizeof t);
				t.chunks = chunks[c];
				t.workers = team_sizes[s];
				team_run(team, t.chunks, count_chunk, &t);
				assert_int_equal(t.wrong, 0);
				for (int i = 0; i < MOST_CHUNKS; i++) {
					assert_int_equal(t.times[i], i < t.chunks);
					assert_int_equal(t.plain[i], i < t.chunks);
				}
			}
		team_free(team);
	}
	team_free(NULL);
}

// Loops so short that workers come late to most of them; each loop must find its own task and context.
static void many_small_loops(void **state)
{
	(void)state;
	enum { LOOPS = 3000 };
	static struct tally t[2];
	struct fault fault;
	for (int s = 0; s < TEAMS; s++) {
		struct team *team = team_new(team_sizes[s], &fault);
		assert_non_null(team);
		memset(t, 0, sizeof t);
		t[0].workers = t[1].workers = team_sizes[s];
		long runs[2][4] = {{0}};
		for (int i = 0; i < LOOPS; i++) {
			struct tally *mine = &t[i % 2];
			mine->chunks = 1 + i % 4;
			for (int c = 0; c < mine->chunks; c++)
				runs[i % 2][c]++;
			team_run(team, mine->chunks, count_chunk, mine);
			for (int c = 0; c < 4; c++)
				assert_true(mine->plain[c] == runs[i % 2][c]);
		}
		for (int i = 0; i < 2; i++)
			assert_int_equal(t[i].wrong, 0);
		team_free(team);
	}
}

static void teams_that_never_ran(void **state)
{
	(void)state;
	struct fault fault;
	for (int i = 0; i < 50; i++)
		team_free(team_new(1 + i % MOST_WORKERS, &fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_of_kernels),
		cmocka_unit_test(product),
		cmocka_unit_test(peak),
		cmocka_unit_test(channel_peaks),
		cmocka_unit_test(clip_gradient),
		cmocka_unit_test(histogram),
		cmocka_unit_test(channel_sums),
		cmocka_unit_test(norms),
		cmocka_unit_test(affine_of_any_numbers),
		cmocka_unit_test(addition),
		cmocka_unit_test(squares),
		cmocka_unit_test(sgd),
		cmocka_unit_test(each_chunk_once),
		cmocka_unit_test(many_small_loops),
		cmocka_unit_test(teams_that_never_ran),
		cmocka_unit_test(histogram_of_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

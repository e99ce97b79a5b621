// SPDX-License-Identifier: GPL-3.0-or-later
// The files of this folder make up kernels_isa.c: static functions that are compiled once per instruction set. This one holds the
// vector register and what all of them share.
#ifndef ENGINE_TENSOR_ISA_LANES_H
#define ENGINE_TENSOR_ISA_LANES_H

#include <float.h>
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "engine/tensor/kernels.h"

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX2__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
// Keeps the compiler from deriving one pointer from another, which costs it more registers than there are.
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

// Compilers fuse no multiplication with an addition here, so that the same numbers come out on every processor. These two are fused where the
// processor can: the products of the gradients and of formats without codes, whose time it would cost. There the sets that fuse agree, and
// the others do not.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSES 1
#else
#define FUSES 0
#endif
INLINE float fused(float a, float b, float c)
{
	return FUSES ? __builtin_fmaf(a, b, c) : a * b + c;
}

INLINE lanes fused_lanes(lanes a, lanes b, lanes c)
{
#if defined(__AVX512F__)
	return (lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
	return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
	for (int k = 0; k < LANES; k++)
		c[k] = fused(a[k], b[k], c[k]);
	return c;
#endif
}

INLINE lanes every(float x)
{
	return x - (lanes){0};
}

// Where a condition holds x, else y; a condition's lanes are all ones or zeros.
INLINE lanes chosen(ints where, lanes x, lanes y)
{
	return (lanes)(((ints)x & where) | ((ints)y & ~where));
}

// a > b ? a : b and a < b ? a : b, which the instructions are, no numbers included; compilers make less of the words.
INLINE lanes greater(lanes a, lanes b)
{
#if defined(__AVX512F__)
	return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
	return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
	return (lanes)_mm_max_ps((__m128)a, (__m128)b);
#else
	return chosen(a > b, a, b);
#endif
}

INLINE lanes lesser(lanes a, lanes b)
{
#if defined(__AVX512F__)
	return (lanes)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
	return (lanes)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
	return (lanes)_mm_min_ps((__m128)a, (__m128)b);
#else
	return chosen(a < b, a, b);
#endif
}

// x where a > b, else 0.
INLINE lanes kept_above(lanes a, lanes b, lanes x)
{
#if defined(__AVX512F__)
	return (lanes)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ), (__m512)x);
#else
	return (lanes)((ints)x & (a > b));
#endif
}

INLINE lanes magnitude(lanes x)
{
	return (lanes)((ints)x & INT32_MAX);
}

// Sums and peaks run over blocks of this many neighbours, which stay in registers.
enum { BLOCK = 16, PART = 4 }; // PART: what is left over runs in smaller ones
// The largest magnitude of what is written, taken on the way; what is no number is left out.
struct top {
	lanes vector;
	float one;
};

INLINE lanes topped(struct top *t, lanes y)
{
	t->vector = greater(magnitude(y), t->vector);
	return y;
}

INLINE float topped_one(struct top *t, float y)
{
	t->one = fabsf(y) > t->one ? fabsf(y) : t->one;
	return y;
}

INLINE float top_of(const struct top *t)
{
	float top = t->one;
	for (int k = 0; k < LANES; k++)
		top = t->vector[k] > top ? t->vector[k] : top;
	return top;
}

// Sums run in fp32 over short stretches, then fold into double.
enum { STRETCH = 64 };

static float peak(const float *x, long n)
{
	float top[2 * BLOCK] = {0}, p = 0;
	long i = 0;
	for (; i + 2 * BLOCK <= n; i += 2 * BLOCK)
		for (int k = 0; k < 2 * BLOCK; k++)
			top[k] = fabsf(x[i + k]) > top[k] ? fabsf(x[i + k]) : top[k];
	for (int k = 0; k < 2 * BLOCK; k++)
		p = top[k] > p ? top[k] : p;
	for (; i < n; i++)
		p = fabsf(x[i]) > p ? fabsf(x[i]) : p;
	return p;
}

#endif

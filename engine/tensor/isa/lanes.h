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

// Sums and peaks run over blocks of this many neighbours, which stay in registers.
enum { BLOCK = 16, PART = 4 }; // PART: what is left over runs in smaller ones
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

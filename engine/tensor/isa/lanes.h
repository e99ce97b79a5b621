// SPDX-License-Identifier: GPL-3.0-or-later
// The files of this folder make up kernels_isa.c: static functions that are compiled once per instruction set. This one holds the
// vector register and what all of them share.
#ifndef ENGINE_TENSOR_ISA_LANES_H
#define ENGINE_TENSOR_ISA_LANES_H

#include <float.h>
#include <math.h>
#include <string.h>

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

// Sums and peaks run over blocks of this many neighbours, which stay in registers.
enum { BLOCK = 16 };
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

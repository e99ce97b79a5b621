// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution of codes, where there are dot products of bytes. A kernel's rows lie side by side in units of four bytes, channel by
// channel, so that one instruction multiplies a column of up to four taps and adds it up: a 3x3 kernel takes three.
#ifndef ENGINE_TENSOR_ISA_STACKED_H
#define ENGINE_TENSOR_ISA_STACKED_H

#include "engine/tensor/isa/depthwise.h"
#include "engine/tensor/isa/integer.h"

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

// Bytes that are unpacked at once: they come out in their order where every fourth word of four goes into the same quarter before.
enum { STACK = KERNEL_UNIT * LANES };

INLINE ints dealt(const char *from)
{
	ints v;
	memcpy(&v, from, sizeof v);
#if defined(__AVX512VNNI__)
	return (ints)_mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
		(__m512i)v);
#else
	return (ints)_mm256_permutevar8x32_epi32((__m256i)v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
#endif
}

#if defined(__AVX512VNNI__)
#define UNPACK(half, bits, a, b) ((ints)_mm512_unpack##half##_epi##bits((__m512i)(a), (__m512i)(b)))
#else
#define UNPACK(half, bits, a, b) ((ints)_mm256_unpack##half##_epi##bits((__m256i)(a), (__m256i)(b)))
#endif

INLINE void stack_rows(const int rows, const char *const *row, long n, int32_t *to)
{
	for (long i = 0; n >= STACK && i < n; i += STACK) {
		const long at = i + STACK <= n ? i : n - STACK; // the last may repeat some of the one before
		ints v[KERNEL_UNIT];
		for (int k = 0; k < KERNEL_UNIT; k++)
			v[k] = k < rows ? dealt(row[k] + at) : (ints){0};
		const ints a = UNPACK(lo, 8, v[0], v[1]), b = UNPACK(hi, 8, v[0], v[1]), c = UNPACK(lo, 8, v[2], v[3]),
			   d = UNPACK(hi, 8, v[2], v[3]);
		ints *out = (ints *)(to + at);
		out[0] = UNPACK(lo, 16, a, c);
		out[1] = UNPACK(hi, 16, a, c);
		out[2] = UNPACK(lo, 16, b, d);
		out[3] = UNPACK(hi, 16, b, d);
	}
	for (long i = 0; n < STACK && i < n; i++)
		for (int k = 0; k < KERNEL_UNIT; k++)
			((char *)(to + i))[k] = k < rows ? row[k][i] : 0;
}

static void stack_codes(int rows, const void *const *row, long n, int32_t *to)
{
	const char *at[KERNEL_UNIT] = {0};
	for (int k = 0; k < rows; k++)
		at[k] = row[k];
	switch (rows) {
	case 1: stack_rows(1, at, n, to); break;
	case 2: stack_rows(2, at, n, to); break;
	case 3: stack_rows(3, at, n, to); break;
	default: stack_rows(4, at, n, to); break;
	}
}

// A vector of channels of `count` outputs.
INLINE void stacked_vector(const int count, const struct stacks *s, const int32_t *x, long j, float *y)
{
	ints acc[NEIGHBOURS];
#pragma GCC unroll 8
	for (int i = 0; i < count; i++)
		acc[i] = (ints){0};
	const int32_t *w = s->w + j;
	for (int g = 0; g < s->stacks; g++)
		for (int t = 0; t < s->taps; t++, w += s->c) {
			const ints wt = *(const ints *)w;
			const int32_t *xt = x + g * s->x_stack + t * s->c;
#pragma GCC unroll 8
			for (int i = 0; i < count; i++, xt += s->x_pixel)
				acc[i] = dot(acc[i], *(const ints *)xt, wt);
		}
	const ints minus = *(const ints *)(s->minus + j);
	const lanes scale = *(const lanes *)(s->scale + j);
#pragma GCC unroll 8
	for (int i = 0; i < count; i++)
		*(lanes *)(y + i * s->c) = __builtin_convertvector(acc[i] - minus, lanes) * scale;
}

INLINE float stacked_one(const struct stacks *s, const int32_t *x, long j)
{
	int32_t sum = 0;
	for (int g = 0; g < s->stacks; g++)
		for (int t = 0; t < s->taps; t++)
			for (int k = 0; k < KERNEL_UNIT; k++)
				sum += ((const uint8_t *)(x + g * s->x_stack + t * s->c))[k] *
					((const int8_t *)(s->w + (g * s->taps + t) * s->c + j))[k];
	return (float)(sum - s->minus[j]) * s->scale[j];
}

static void depthwise_codes(long pixels, const struct stacks *s, const int32_t *x, float *y)
{
	const long c = s->c;
	for (long j = 0; c >= LANES && j < c; j += LANES) { // the last vector may repeat some channels of the one before
		const long at = j + LANES <= c ? j : c - LANES;
		long p = 0;
		for (; p + NEIGHBOURS <= pixels; p += NEIGHBOURS)
			stacked_vector(NEIGHBOURS, s, x + p * s->x_pixel + at, at, y + p * c + at);
		for (; p + 4 <= pixels; p += 4)
			stacked_vector(4, s, x + p * s->x_pixel + at, at, y + p * c + at);
		for (; p < pixels; p++)
			stacked_vector(1, s, x + p * s->x_pixel + at, at, y + p * c + at);
	}
	for (long j = 0; c < LANES && j < c; j++)
		for (long p = 0; p < pixels; p++)
			y[p * c + j] = stacked_one(s, x + p * s->x_pixel + j, j);
}

#else
#define stack_codes NULL
#define depthwise_codes NULL
#endif

#endif

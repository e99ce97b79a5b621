// SPDX-License-Identifier: GPL-3.0-or-later
// Pairs of bf16 numbers: rounding to them, and their dot product, whose bits are the same on every set. It is AVX512_BF16's (Intel 64 and IA-32
// Architectures Software Developer's Manual, volume 2C, VDPBF16PS): fused in fp32, the second of a pair first, subnormals taken for zeros at
// every step.
#ifndef ENGINE_TENSOR_ISA_PAIRS_H
#define ENGINE_TENSOR_ISA_PAIRS_H

#include "engine/tensor/isa/lanes.h"

// The bits of x as bf16, as the set's instruction has it where there is one: to nearest, ties to even, subnormals to zeros; what is no number
// stays none.
static inline uint32_t half_of(float x)
{
	const uint32_t least = 0x00800000, infinite = 0x7f800000, quiet = 0x00400000, sign = 0x80000000;
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	const uint32_t size = bits & ~sign;
	uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
	rounded = size < least ? bits & sign : rounded;
	rounded = size > infinite ? bits | quiet : rounded;
	return rounded >> 16;
}

#if defined(__AVX512BF16__)
// The lanes of what is left over, up to all.
INLINE __mmask16 left(long n)
{
	return n >= LANES ? 0xffff : (__mmask16)((1 << n) - 1);
}

INLINE void pair_row(const float *x, const float *other, long c, float *to)
{
	const __m512i turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
		20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
	for (long j = 0; j < c; j += LANES) {
		const __mmask16 some = left(c - j);
		const __m512 a = _mm512_maskz_loadu_ps(some, x + j), b = _mm512_maskz_loadu_ps(some, other + j);
		_mm512_mask_storeu_epi32(to + j, some, _mm512_permutexvar_epi16(turns, (__m512i)_mm512_cvtne2ps_pbh(b, a)));
	}
}

INLINE void scale_row(const float *x, const float *scale, long c, uint16_t *to)
{
	for (long j = 0; j < c; j += LANES) {
		const __mmask16 some = left(c - j);
		const __m512 y = _mm512_maskz_loadu_ps(some, x + j) * _mm512_maskz_loadu_ps(some, scale + j);
		_mm256_mask_storeu_epi16(to + j, some, (__m256i)_mm512_cvtneps_pbh(y));
	}
}
#else
INLINE void pair_row(const float *x, const float *other, long c, float *to)
{
	uint32_t *restrict units = (uint32_t *)(void *)to;
	for (long j = 0; j < c; j++)
		units[j] = half_of(x[j]) | half_of(other[j]) << 16;
}

INLINE void scale_row(const float *x, const float *scale, long c, uint16_t *restrict to)
{
	for (long j = 0; j < c; j++)
		to[j] = (uint16_t)half_of(x[j] * scale[j]);
}
#endif

static void pair(const float *x, long rows, long c, long row, long other, float *to)
{
	for (long r = 0; r < rows; r++, x += row, to += c)
		pair_row(x, x + other, c, to);
}

static void pair_channels(const float *x, long rows, long c, long row, const float *scale, float *to, long to_row)
{
	for (long r = 0; r < rows; r++, x += row, to += to_row) {
		uint16_t *halves = (uint16_t *)(void *)to;
		scale_row(x, scale, c, halves);
		if (c % 2)
			halves[c] = 0;
	}
}

#if !defined(__AVX512BF16__)
INLINE lanes flushed(lanes x)
{
	return (lanes)((ints)x & (~(magnitude(x) < every(FLT_MIN)) | INT32_MIN));
}

// Products of two bf16 numbers have 16 bits; so where none are fused, double precision makes the sum of one and a number of fp32 as exact.
INLINE lanes added_product(lanes a, lanes b, lanes c)
{
	if (FUSES)
		return flushed(fused_lanes(a, b, c));
	for (int k = 0; k < LANES; k++)
		c[k] = (float)((double)a[k] * (double)b[k] + (double)c[k]);
	return flushed(c);
}
#endif

// sum + the products of a's and b's pairs, in each lane.
INLINE lanes paired(lanes sum, ints a, ints b)
{
#if defined(__AVX512BF16__)
	return (lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
	const int32_t second = ~0xffff;
	sum = added_product((lanes)(a & second), (lanes)(b & second), sum);
	return added_product((lanes)(a << 16), (lanes)(b << 16), sum);
#endif
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Counter-based random numbers. A value is a pure function of (key, counter), so any thread can draw any part of a stream in any
// order, and no state has to be saved. Streams are named by seed, purpose and step.
#ifndef ENGINE_TENSOR_RNG_H
#define ENGINE_TENSOR_RNG_H

#include <math.h>
#include <stdint.h>

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
static inline uint64_t rng_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

// The key of a stream; purpose: a short constant word such as "batch".
static inline uint64_t rng_key(uint64_t seed, const char *purpose, uint64_t step)
{
	uint64_t k = rng_mix(seed + 0x9e3779b97f4a7c15u);
	for (; *purpose; purpose++)
		k = rng_mix(k ^ (uint64_t)(unsigned char)*purpose);
	return rng_mix(k + step * 0x9e3779b97f4a7c15u);
}

static inline uint64_t rng_bits(uint64_t key, uint64_t counter)
{
	return rng_mix(key + (counter + 1) * 0x9e3779b97f4a7c15u);
}

// Uniform in [0, 1), 53 bits.
static inline double rng_uniform(uint64_t key, uint64_t counter)
{
	return (double)(rng_bits(key, counter) >> 11) * 0x1p-53;
}

__extension__ typedef unsigned __int128 rng_wide;

// Uniform in 0..n-1 (n > 0; the bias is below n / 2^64).
static inline uint64_t rng_below(uint64_t key, uint64_t counter, uint64_t n)
{
	return (uint64_t)(((rng_wide)rng_bits(key, counter) * n) >> 64);
}

// Standard normal, by Box and Muller; uses counters 2*counter and 2*counter+1.
static inline double rng_normal(uint64_t key, uint64_t counter)
{
	double u = 1 - rng_uniform(key, 2 * counter), v = rng_uniform(key, 2 * counter + 1);
	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif

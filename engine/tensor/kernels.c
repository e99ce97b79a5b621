// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tensor/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

extern const struct kernels kernels_base;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avxvnni, kernels_avx512, kernels_avx512vnni, kernels_avx512bf16;
#endif

static const struct kernels *usable[7];
static const struct kernels *asked;
static _Atomic(const struct kernels *) best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
// CPUID leaf 7, subleaf 1, EAX bit 4 (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A); the compilers' own question
// is younger than some of them. AVX2, which goes before it, says that the system saves the registers.
static bool has_avxvnni(void)
{
	unsigned a, b, c, d;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}
#endif

static void choose(void)
{
	int n = 0;
	usable[n++] = &kernels_base;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		usable[n++] = &kernels_avx2;
	if (n > 1 && has_avxvnni())
		usable[n++] = &kernels_avxvnni;
	bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
	if (wide)
		usable[n++] = &kernels_avx512;
	bool bytes = wide && __builtin_cpu_supports("avx512vnni");
	if (bytes)
		usable[n++] = &kernels_avx512vnni;
	if (bytes && __builtin_cpu_supports("avx512bf16"))
		usable[n++] = &kernels_avx512bf16;
#endif
	asked = usable[n - 1];
	const char *wish = getenv("BITSCAPE_KERNELS");
	for (int i = 0; wish && i < n; i++)
		if (strcmp(wish, usable[i]->name) == 0)
			asked = usable[i];
	best = asked;
}

bool kernels_use(const char *name)
{
	for (const struct kernels *const *k = kernels_all(); *k; k++)
		if (strcmp((*k)->name, name) == 0) {
			best = *k;
			return true;
		}
	return false;
}

const struct kernels *kernels_asked(void)
{
	pthread_once(&once, choose);
	return asked;
}

const struct kernels *kernels_best(void)
{
	pthread_once(&once, choose);
	return best;
}

const struct kernels *const *kernels_all(void)
{
	pthread_once(&once, choose);
	return usable;
}

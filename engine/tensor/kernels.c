// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tensor/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const struct kernels kernels_base;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

static const struct kernels *usable[4];
static const struct kernels *asked;
static _Atomic(const struct kernels *) best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
	int n = 0;
	usable[n++] = &kernels_base;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		usable[n++] = &kernels_avx2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw"))
		usable[n++] = &kernels_avx512;
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

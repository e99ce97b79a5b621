// SPDX-License-Identifier: GPL-3.0-or-later
// One 64-bit word, `ticket`, holds the loop's number, its number of chunks and the next chunk; a worker takes a chunk by adding 1
// to it. Task and context stay the same while any worker holds a chunk of their loop, so a worker that wakes late can only draw a
// ticket past the end and never runs an old task. Workers spin for a moment, then sleep.
#include "engine/tensor/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/courtesy.h"

enum { CHUNK_BITS = 20, SPINS = 4000 };
#define CHUNK_MASK ((1u << CHUNK_BITS) - 1)

struct worker {
	struct team *team;
	int number;
	pthread_t thread;
};

struct team {
	int size;
	struct worker *worker; // [size - 1]
	_Atomic uint64_t ticket;
	_Atomic int remaining;
	_Atomic(team_task *) task;
	_Atomic(void *) context;
	_Atomic uint32_t loop; // number of the present loop; what sleepers wait on
	_Atomic int sleepers;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic bool stop;
};

static inline void breathe(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void take_chunks(struct team *t, int number)
{
	for (;;) {
		uint64_t ticket = atomic_fetch_add(&t->ticket, 1);
		uint32_t chunk = (uint32_t)ticket & CHUNK_MASK, chunks = (uint32_t)(ticket >> CHUNK_BITS) & CHUNK_MASK;
		if (chunk >= chunks)
			return;
		team_task *task = atomic_load(&t->task);
		task(atomic_load(&t->context), (int)chunk, number);
		atomic_fetch_sub(&t->remaining, 1);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct team *t = w->team;
	uint32_t seen = 0;
	courtesy_give();
	while (!atomic_load(&t->stop)) {
		for (int i = 0; i < SPINS && atomic_load(&t->loop) == seen; i++)
			breathe();
		if (atomic_load(&t->loop) == seen) {
			pthread_mutex_lock(&t->lock);
			atomic_fetch_add(&t->sleepers, 1);
			while (atomic_load(&t->loop) == seen)
				pthread_cond_wait(&t->wake, &t->lock);
			atomic_fetch_sub(&t->sleepers, 1);
			pthread_mutex_unlock(&t->lock);
		}
		seen = atomic_load(&t->loop);
		take_chunks(t, w->number);
	}
	return NULL;
}

static void announce(struct team *t)
{
	atomic_fetch_add(&t->loop, 1);
	if (atomic_load(&t->sleepers)) {
		pthread_mutex_lock(&t->lock);
		pthread_cond_broadcast(&t->wake);
		pthread_mutex_unlock(&t->lock);
	}
}

struct team *team_new(int threads, struct fault *fault)
{
	struct team *t = calloc(1, sizeof *t);
	if (!t || !(t->worker = calloc((size_t)threads, sizeof *t->worker))) {
		free(t);
		fault_memory(fault, "worker threads");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	t->size = 1;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = 0;
	for (int i = 1; i < threads && !error; i++) {
		struct worker *w = &t->worker[i - 1];
		*w = (struct worker){.team = t, .number = i};
		if ((error = pthread_create(&w->thread, NULL, work, w)) == 0)
			t->size++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		team_free(t);
		fault_set(fault, "worker threads", "ask for fewer with threads=", "%s", strerror(error));
		return NULL;
	}
	return t;
}

void team_free(struct team *t)
{
	if (!t)
		return;
	atomic_store(&t->stop, true);
	announce(t);
	for (int i = 1; i < t->size; i++)
		pthread_join(t->worker[i - 1].thread, NULL);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->worker);
	free(t);
}

int team_processors(void)
{
	cpu_set_t set;
	long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

int team_size(const struct team *t)
{
	return t->size;
}

void team_run(struct team *t, int chunks, team_task *task, void *context)
{
	if (t->size == 1 || chunks == 1) {
		for (int i = 0; i < chunks; i++)
			task(context, i, 0);
		return;
	}
	atomic_store(&t->task, task);
	atomic_store(&t->context, context);
	atomic_store(&t->remaining, chunks);
	uint64_t number = (atomic_load(&t->ticket) >> (2 * CHUNK_BITS)) + 1;
	atomic_store(&t->ticket, number << (2 * CHUNK_BITS) | (uint64_t)chunks << CHUNK_BITS);
	announce(t);
	take_chunks(t, 0);
	for (int i = 0; atomic_load(&t->remaining) > 0; i++) {
		if (i < SPINS)
			breathe();
		else
			sched_yield();
	}
}

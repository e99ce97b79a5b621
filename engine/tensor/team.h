// SPDX-License-Identifier: GPL-3.0-or-later
// A team of worker threads for parallel loops. The caller fixes the chunks of a loop, whatever the number of threads. Any worker
// may run any chunk, so a result may depend on the chunk alone. One thread uses a team at a time.
#ifndef ENGINE_TENSOR_TEAM_H
#define ENGINE_TENSOR_TEAM_H

#include "engine/base/fault.h"

struct team;
// `threads` includes the caller: 1 starts none. The threads block all signals.
struct team *team_new(int threads, struct fault *);
void team_free(struct team *);
int team_size(const struct team *);
int team_processors(void); // number of CPUs that this process may use, at most 256

// Runs task(context, chunk, worker) for every chunk in 0..chunks-1, with a worker in 0..team_size-1; returns when all are done.
typedef void team_task(void *context, int chunk, int worker);
void team_run(struct team *, int chunks, team_task *, void *context);

#endif

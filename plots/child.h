// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a child process behind three pipes in a process group of its own. It inherits no other open file, so it cannot touch the
// terminal, and a ^C typed there does not reach it.
#ifndef PLOTS_CHILD_H
#define PLOTS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/engine.h"

struct child {
	pid_t pid;        // 0: none
	int in, out, err; // our ends of its pipes; non-blocking
	pid_t gone[8];    // killed but not yet reaped; 0: a free place
};

bool child_start(struct child *, const char *program, const char *argument, struct fault *);
// Kills the child's whole group and closes the pipes. Never waits: a child that cannot die yet is reaped later.
void child_end(struct child *);
void child_reap(struct child *);
// Waits up to a tenth of a second for killed children to be reaped. Call it before the struct goes.
void child_wait(struct child *);
// Returns the number of bytes taken; 0: none now; -1: the child no longer reads. Raises no SIGPIPE.
ssize_t child_write(const struct child *, const char *bytes, size_t size);
// Returns the number of bytes read; 0: none now; -1: the end.
ssize_t child_read(int fd, char *bytes, size_t size);

#endif

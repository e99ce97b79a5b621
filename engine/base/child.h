// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a child process behind three pipes, in a session and a process group of its own, with nothing else of ours open: a terminal
// that we sit at is out of its reach, and a ^C typed there does not reach it.
//
// One thread at a time. A child that is not ours to trust can keep a processor busy and a disk full, but not us: nothing here waits,
// but for the moments that child_leave and child_wait say, and whatever it starts dies with its group.
#ifndef ENGINE_BASE_CHILD_H
#define ENGINE_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/base/fault.h"

struct child {
	pid_t pid;        // 0: none
	int in, out, err; // our ends of its pipes; non-blocking
	pid_t gone[8];    // killed but not yet reaped; 0: a free place
};

struct child_plan {
	char *const *argv;   // the program, looked up as a shell does, and its arguments; ends in NULL
	const char *without; // a variable of the environment that it does not get; NULL: it gets all
	const char *missing; // what a person can do where there is no such program
};
bool child_start(struct child *, const struct child_plan *, struct fault *);
// Kills the child's whole group and closes the pipes. Never waits: a child that cannot die yet is reaped later.
void child_end(struct child *);
// The same, but first it has so many seconds to leave by itself, once its input has ended; then as many again once its group was
// sent SIGTERM. Whoever calls waits.
void child_leave(struct child *, double seconds);
// What became of it, after so many seconds at most: "ended with status 3", "was ended by signal 9", "still runs". Returns buf.
const char *child_fate(const struct child *, double seconds, char *buf, size_t size);
void child_reap(struct child *);
// Waits up to a tenth of a second for killed children to be reaped. Call it before the struct goes.
void child_wait(struct child *);
// Returns the number of bytes taken; 0: none now; -1: the child no longer reads. Raises no SIGPIPE.
ssize_t child_write(const struct child *, const char *bytes, size_t size);
// Returns the number of bytes read; 0: none now; -1: the end.
ssize_t child_read(int fd, char *bytes, size_t size);

#endif

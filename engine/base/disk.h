// SPDX-License-Identifier: GPL-3.0-or-later
// Files, read whole and written whole. One writer serves the whole program, and no name that a person gives can harm what it
// stands for:
//   - a regular file is replaced by a temporary file beside it that was synced, so that it is there whole or not at all; it
//     keeps its mode and, where the system lets us, its owner;
//   - a symbolic link is followed, and stays a link; a file that may not be written is refused, although its folder might be;
//   - "-" is refused: elsewhere it stands for a stream, and a file of that name is hard to get rid of;
//   - a device or a FIFO (which must have a reader) is written to, and stays what it is; a folder or a socket is refused.
// Any thread. Faults name the path.
#ifndef ENGINE_BASE_DISK_H
#define ENGINE_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

enum { DISK_PATH = 1024 }; // longest path, with its final zero

// Reads a whole regular file, at most `most` bytes; a zero byte is put behind them. The caller frees. NULL: a fault.
char *disk_read(const char *path, size_t most, size_t *size, struct fault *);

// Replaces or makes a file, durably and never by half.
bool disk_replace(const char *path, const void *bytes, size_t size, struct fault *);

// The pieces of disk_replace, for those who write by parts, or have another program write: what is written goes to `fd`
// or to the file called `temporary`, which is open for writing and empty.
struct disk_file {
	int fd;                    // -1: closed
	char name[DISK_PATH];      // as the person gave it, for faults
	char path[DISK_PATH];      // what it stands for, its links followed
	char temporary[DISK_PATH]; // begins with '/' or "./"
	bool through;              // `path` is not a regular file: it is written to in the end
};
bool disk_begin(struct disk_file *, const char *path, struct fault *);
// Puts what was written in its place, or takes it away; either closes fd and leaves no temporary file.
bool disk_keep(struct disk_file *, struct fault *);
void disk_drop(struct disk_file *);

// All the bytes, or false with errno.
bool disk_write(int fd, const void *bytes, size_t size);
// "PATH: cannot DOING: <errno as text>; advice" by what usually lies behind the error. Always false.
bool disk_fault(struct fault *, const char *path, const char *doing, int error);

// Temporary files of processes that are gone lie in a folder after a crash: whether `name` is such a file's name, and its
// process no longer runs.
bool disk_left_over(const char *name);

#endif

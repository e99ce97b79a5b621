// SPDX-License-Identifier: GPL-3.0-or-later
// Reads and writes whole files. The whole program writes through here, so that no name a person gives can damage what it names:
//   - a regular file is replaced by a synced temporary file from the same folder, so that it is never there in part; it keeps its
//     mode and, where the system allows it, its owner;
//   - a symbolic link is followed and stays a link; a file without write permission is refused even where its folder has it;
//   - "-" is refused: elsewhere it means a stream, and a file of that name is hard to remove;
//   - a device or a FIFO (which must have a reader) is written to and stays what it is; a folder or a socket is refused.
// Any thread. Faults name the path.
#ifndef ENGINE_BASE_DISK_H
#define ENGINE_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

enum { DISK_PATH = 1024 }; // longest path, with its final zero

// Reads a whole regular file of at most `most` bytes and adds a zero byte. The caller frees the result. NULL: a fault.
char *disk_read(const char *path, size_t most, size_t *size, struct fault *);

// Replaces or makes a file, durably and never in part.
bool disk_replace(const char *path, const void *bytes, size_t size, struct fault *);

// The steps of disk_replace, for a caller that writes in parts or lets another program write. The contents go to `fd` or to the
// file called `temporary`, which is empty and open for writing.
struct disk_file {
	int fd;                    // -1: closed
	char name[DISK_PATH];      // as the person gave it, for faults
	char path[DISK_PATH];      // the same with its links followed
	char temporary[DISK_PATH]; // begins with '/' or "./"
	bool through;              // `path` is not a regular file: disk_keep writes to it
};
bool disk_begin(struct disk_file *, const char *path, struct fault *);
// The first puts what was written in its place, the second discards it. Both close fd and leave no temporary file.
bool disk_keep(struct disk_file *, struct fault *);
void disk_drop(struct disk_file *);

// Writes all the bytes; otherwise returns false with errno set.
bool disk_write(int fd, const void *bytes, size_t size);
// Fills the fault with "PATH: cannot DOING: <errno as text>; advice", the advice by the error's usual cause. Always returns
// false.
bool disk_fault(struct fault *, const char *path, const char *doing, int error);

// Writes the folder in which the program keeps what is a person's own: $XDG_STATE_HOME/bitscape, or ~/.local/state/bitscape. It need not
// be there. Returns false with a fault where there is no home.
bool disk_state_home(char *buf, size_t size, struct fault *);

// Makes the folders above a file that are not there yet, for this person alone.
bool disk_make_folders(const char *file, struct fault *);

// Returns whether `name` is that of a temporary file whose process no longer runs. A crash leaves such files in a folder.
bool disk_left_over(const char *name);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Where sessions lie, and how files get there: folder names by the XDG rules, the lock against a second writer, and
// files written to a temporary name, fsynced and renamed. No state; errors name the path.
#ifndef SESSIONS_FOLDER_H
#define SESSIONS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

#define FOLDER_SUFFIX ".bitscape"
enum { FOLDER_PATH = 1024 };

// The folder of a session called `name` ("demo" or "demo.bitscape/", with a path before it or not) into buf.
bool folder_of(const char *name, char *buf, size_t size, struct fault *);
// Its name as shown: without path and suffix.
void folder_title(const char *folder, char *buf, size_t size);
// $XDG_STATE_HOME/bitscape or ~/.local/state/bitscape: where unnamed sessions lie.
bool folder_state_home(char *buf, size_t size, struct fault *);
// A new unnamed session's folder: the time, and a number where that is taken. Not created.
bool folder_unnamed(char *buf, size_t size, struct fault *);
// Makes a folder and those above it. An existing one is fine where `fresh` is false.
bool folder_make(const char *folder, bool fresh, struct fault *);
// "FOLDER/FILE" into buf.
bool folder_file(const char *folder, const char *file, char *buf, size_t size, struct fault *);
// Makes names in the folder durable.
bool folder_sync(const char *folder, struct fault *);

enum folder_lock { LOCK_TAKEN, LOCK_ELSEWHERE, LOCK_IMPOSSIBLE };
// Takes the lock that makes this process the session's only writer. *fd holds it until closed, -1 without it; *owner is
// the process that has it, 0 where unknown. LOCK_IMPOSSIBLE: the folder cannot be written; errno says why.
enum folder_lock folder_lock(const char *folder, int *fd, long *owner);

// Reads a whole file, at most `most` bytes; a zero byte is put behind them. The caller frees. NULL: a fault.
char *disk_read(const char *path, size_t most, size_t *size, struct fault *);
// Replaces or makes a file, durably and never by half.
bool disk_replace(const char *path, const void *bytes, size_t size, struct fault *);

// The pieces of disk_replace, for those who write by parts: a temporary file beside `path`; then kept under its name, or
// dropped. Each closes fd.
int disk_begin(const char *path, char *temporary, size_t size, struct fault *);
bool disk_keep(int fd, const char *temporary, const char *path, struct fault *);
void disk_drop(int fd, const char *temporary);
// All the bytes or a false with errno.
bool disk_write(int fd, const void *bytes, size_t size);
// "PATH: cannot …: <errno as text>", with advice for what usually lies behind it. Always false.
bool disk_fault(struct fault *, const char *path, const char *doing, int error);

#endif

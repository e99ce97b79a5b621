// SPDX-License-Identifier: GPL-3.0-or-later
// Where sessions lie: folder names by the XDG rules, and the lock against a second writer. No state; faults name the path.
#ifndef SESSIONS_FOLDER_H
#define SESSIONS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/disk.h"

#define FOLDER_SUFFIX ".bitscape"
enum { FOLDER_PATH = DISK_PATH };

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

enum folder_lock { LOCK_TAKEN, LOCK_ELSEWHERE, LOCK_IMPOSSIBLE };
// Takes the lock that makes this process the session's only writer. *fd holds it until closed, -1 without it; *owner is
// the process that has it, 0 where unknown. LOCK_IMPOSSIBLE: the folder cannot be written; errno says why.
enum folder_lock folder_lock(const char *folder, int *fd, long *owner);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Files that are there whole or not at all: written under a temporary name in the same folder, synced, renamed.
#ifndef PLOTS_FILES_H
#define PLOTS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

// Makes an empty file with a new name in the folder of `file`. Returns its path (malloc'd), which begins with '/' or
// "./" whatever `file` begins with; NULL and a fault where that cannot be done.
char *file_temporary(const char *file, struct fault *);
// Syncs `temporary` and gives it the name `file`. False and a fault where it is missing or empty or the folder refuses;
// the temporary file is gone in any case.
bool file_commit(const char *temporary, const char *file, struct fault *);
// The whole of it for text in memory.
bool file_write(const char *file, const char *text, size_t size, struct fault *);

#endif

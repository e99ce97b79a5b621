// SPDX-License-Identifier: GPL-3.0-or-later
// The folders of sessions: their names, how they are made, and the lock that makes a process the only writer.
//
// A name without '/' means a session in the state folder ($XDG_STATE_HOME/bitscape or ~/.local/state/bitscape); a name with '/'
// is a path. The ending .bitscape may be left out. No state; faults name the path. Any thread.
#ifndef SESSIONS_STORE_FOLDER_H
#define SESSIONS_STORE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/disk.h"

#define FOLDER_SUFFIX ".bitscape"
enum { FOLDER_PATH = DISK_PATH };

// ---- names -----------------------------------------------------------------------------------------------------------

// Writes the folder that a name means into buf, whether it exists or not.
bool folder_of(const char *name, char *buf, size_t size, struct fault *);
// Writes a session's name as shown, without path and ending.
void folder_title(const char *folder, char *buf, size_t size);
// Returns whether a title is one that folder_claim_unnamed makes: a time, "20261123-000017" or "20261123-000017-2".
bool folder_title_is_time(const char *title);
// Returns whether the folder is in the state folder, so that its title alone opens it.
bool folder_at_home(const char *folder);
// Writes "FOLDER/FILE" into buf.
bool folder_file(const char *folder, const char *file, char *buf, size_t size, struct fault *);
bool folder_has(const char *folder, const char *file);

// ---- the lock --------------------------------------------------------------------------------------------------------

enum folder_lock { LOCK_TAKEN, LOCK_ELSEWHERE, LOCK_IMPOSSIBLE };
// Takes the lock that makes this process the session's only writer. *fd holds the lock until it is closed; it is -1 without the
// lock. *owner is the process that has it, 0 if unknown. LOCK_IMPOSSIBLE: the folder cannot be written; errno says why.
enum folder_lock folder_lock(const char *folder, int *fd, long *owner);
// Returns whether some process has the lock.
bool folder_in_use(const char *folder, long *owner);
// Returns whether the folder in which `lock` was taken is still the one at this path: it may have been moved or deleted.
bool folder_held(const char *folder, int lock);

// ---- making and removing -----------------------------------------------------------------------------------------------

// Makes a folder and those above it. An existing one is fine if `fresh` is false.
bool folder_make(const char *folder, bool fresh, struct fault *);
// Fills the fault: a session, or something else, is there already. Always returns false.
bool folder_taken(const char *folder, struct fault *);
// Makes a session's folder and takes its lock. If a process that was killed at once left a folder there without a manifest, that
// is no session: it is emptied and taken over, and *cleaned is set. Of several processes one succeeds.
bool folder_claim(const char *folder, int *lock, bool *cleaned, struct fault *);
// The same for a new unnamed session in the state folder, named after the time, plus a number if that name is taken.
bool folder_claim_unnamed(char *buf, size_t size, int *lock, struct fault *);
// Returns whether the folder is such a remainder: it exists, without a manifest and with nothing else in it.
bool folder_half_made(const char *folder);
// Removes the temporary files of processes that are gone. The caller must hold the lock.
void folder_sweep(const char *folder);
// Returns whether it holds files that neither a session nor a dead process made: exports, pictures, a person's own files.
bool folder_has_more(const char *folder);
// Removes a session. The caller must hold the lock. Files that are not the session's own stay, and the folder with them.
void folder_remove(const char *folder);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The folders that sessions lie in: their names, their making, and the lock that makes a process the only writer.
//
// A name without '/' is that of a session in the state folder ($XDG_STATE_HOME/bitscape or ~/.local/state/bitscape); a name with
// '/' is a path. The ending .bitscape may be left out. No state; faults name the path. Any thread.
#ifndef SESSIONS_STORE_FOLDER_H
#define SESSIONS_STORE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/disk.h"

#define FOLDER_SUFFIX ".bitscape"
enum { FOLDER_PATH = DISK_PATH };

// ---- names -----------------------------------------------------------------------------------------------------------

// The folder that a name stands for, into buf, whether it is there or not.
bool folder_of(const char *name, char *buf, size_t size, struct fault *);
// Its name as shown: without path and ending.
void folder_title(const char *folder, char *buf, size_t size);
// Whether folder_claim_unnamed makes such titles: a time, "20261123-000017" or "20261123-000017-2".
bool folder_title_is_time(const char *title);
// The state folder. False: there is no home.
bool folder_state_home(char *buf, size_t size, struct fault *);
// Whether the folder lies in the state folder, so that its title alone opens it.
bool folder_at_home(const char *folder);
// "FOLDER/FILE" into buf.
bool folder_file(const char *folder, const char *file, char *buf, size_t size, struct fault *);
bool folder_has(const char *folder, const char *file);

// ---- the lock --------------------------------------------------------------------------------------------------------

enum folder_lock { LOCK_TAKEN, LOCK_ELSEWHERE, LOCK_IMPOSSIBLE };
// Takes the lock that makes this process the session's only writer. *fd holds it until closed, -1 without it; *owner is
// the process that has it, 0 where unknown. LOCK_IMPOSSIBLE: the folder cannot be written; errno says why.
enum folder_lock folder_lock(const char *folder, int *fd, long *owner);
// Whether some process has the lock.
bool folder_in_use(const char *folder, long *owner);
// Whether the folder in which `lock` was taken still is the one at this path: it may have been moved or deleted since.
bool folder_held(const char *folder, int lock);

// ---- making and taking away --------------------------------------------------------------------------------------------

// Makes a folder and those above it. An existing one is fine where `fresh` is false.
bool folder_make(const char *folder, bool fresh, struct fault *);
// A fault: a session is there already, or something else. Always false.
bool folder_taken(const char *folder, struct fault *);
// Makes a session's folder and takes its lock. What a process that was killed in its first moments left there (no manifest yet)
// does not count as a session: it is taken over empty, and *cleaned is set. Among several processes one succeeds.
bool folder_claim(const char *folder, int *lock, bool *cleaned, struct fault *);
// The same for a new unnamed session in the state folder, called by the time, with a number where that is taken.
bool folder_claim_unnamed(char *buf, size_t size, int *lock, struct fault *);
// Whether the folder is such a remainder: there, without a manifest, and with nothing else in it.
bool folder_half_made(const char *folder);
// Removes the temporary files of processes that are gone; only for who holds the lock.
void folder_sweep(const char *folder);
// Whether there is something in it that neither a session nor a dead process puts there: exports, pictures, a person's own files.
bool folder_has_more(const char *folder);
// Takes a session away, for who holds the lock. What is not the session's own stays, and the folder with it.
void folder_remove(const char *folder);

#endif

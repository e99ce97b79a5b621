// SPDX-License-Identifier: GPL-3.0-or-later
// A person's sessions: those of the state folder, and those elsewhere that were opened from here, whose paths an index in the
// state folder keeps. No state in memory; several processes may use it at once. Checkpoints are never read.
#ifndef SESSIONS_STORE_STORE_H
#define SESSIONS_STORE_STORE_H

#include <time.h>

#include "engine/base/text.h"
#include "sessions/store/folder.h"
#include "sessions/store/summary.h"

// The index: a line of text per path, the one opened last at the end. It is replaced as a whole.
#define STORE_INDEX "index"
#define STORE_REMOVED "removed" // the folder for unnamed sessions that were tidied away
enum {
	STORE_INDEXED = 200,  // most paths in the index; older ones are forgotten
	STORE_TIDY_DAYS = 30, // see store_tidy
	STORE_TIDY_KEPT = 50,
	STORE_REMOVED_DAYS = 7,
	STORE_EMPTY_HOURS = 1,
};

enum store_state {
	STORE_CLOSED,
	STORE_CRASHED,   // its process ended without closing it
	STORE_OPEN,      // this or another process has it
	STORE_DAMAGED,   // its manifest cannot be read
	STORE_HALF_MADE, // left by a process that was killed before the session was complete
};

struct store_entry {
	char folder[FOLDER_PATH]; // absolute
	char word[FOLDER_PATH];   // the word that opens it: the title, or the path without its ending
	bool home, unnamed;
	enum store_state state;
	long owner;  // STORE_OPEN: the process, 0 if unknown
	time_t when; // last written to
	long step;   // of the newest checkpoint; -1: there is none
	bool known;  // its progress is known; else `summary` has only net and data
	struct summary summary;
};

struct store {
	struct store_entry *entry; // the one used last first
	int count;
};
// Returns false when out of memory. Without a state folder there are no sessions.
bool store_read(struct store *, struct fault *);
void store_free(struct store *);

// Finds the folder of the session that a name means: a path; a session of the state folder; else the only one of that name among
// the known sessions elsewhere and those in the current folder (sets *elsewhere). Returns false with a fault that says what there
// is instead, and what to type.
bool store_find(const char *name, char *folder, size_t size, bool *elsewhere, struct fault *);
// Remembers a session outside the state folder.
bool store_remember(const char *folder, struct fault *);
// Writes the word that opens the session in this folder from anywhere.
void store_word(const char *folder, char *buf, size_t size);
// Adds the same word, quoted for a shell if need be.
void store_shell_word(const char *folder, struct string *);
// Returns whether it has a step, a change or a note.
bool store_begun(const struct store_entry *);

// Tidies the closed unnamed sessions of the state folder in which a person did nothing (no change, no note, no file of theirs).
// Those not touched for STORE_TIDY_DAYS, and those beyond the STORE_TIDY_KEPT newest, are moved to removed/, where they stay for
// STORE_REMOVED_DAYS. Unnamed ones in which nothing was done and whose process died before a first checkpoint are removed once
// they are older than STORE_EMPTY_HOURS. `really` false: nothing is done, and the lines tell what would be. Adds a line for each
// action to `told`.
bool store_tidy(bool really, struct string *told, struct fault *);

#endif

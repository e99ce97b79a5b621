// SPDX-License-Identifier: GPL-3.0-or-later
// The sessions that this person has: those of the state folder, and those elsewhere that were opened from here, whose paths an
// index in the state folder keeps. No state in memory; several processes may use it at once. Checkpoints are never read.
#ifndef SESSIONS_STORE_STORE_H
#define SESSIONS_STORE_STORE_H

#include <time.h>

#include "engine/base/text.h"
#include "sessions/store/folder.h"
#include "sessions/store/summary.h"

// The index: a line of text for each path, the one opened last at the end, replaced as a whole.
#define STORE_INDEX "index"
#define STORE_REMOVED "removed" // where unnamed sessions lie that were tidied away
enum {
	STORE_INDEXED = 200,  // paths that the index holds; older ones are forgotten
	STORE_TIDY_DAYS = 30, // see store_tidy
	STORE_TIDY_KEPT = 50,
	STORE_REMOVED_DAYS = 7,
	STORE_EMPTY_HOURS = 1,
};

enum store_state {
	STORE_CLOSED,
	STORE_CRASHED,   // its process ended without closing it
	STORE_OPEN,      // another process, or this one, has it
	STORE_DAMAGED,   // its manifest cannot be read
	STORE_HALF_MADE, // what a process left that was killed before the session was there
};

struct store_entry {
	char folder[FOLDER_PATH]; // absolute
	char word[FOLDER_PATH];   // what opens it: the title, or the path without its ending
	bool home, unnamed;
	enum store_state state;
	long owner;  // STORE_OPEN: the process, 0 where unknown
	time_t when; // last written to
	long step;   // of the newest checkpoint, -1: there is none
	bool known;  // of its course; else `summary` holds net and data alone
	struct summary summary;
};

struct store {
	struct store_entry *entry; // the one used last first
	int count;
};
// False: out of memory. Where there is no state folder there are no sessions.
bool store_read(struct store *, struct fault *);
void store_free(struct store *);

// The folder of the session that a name means: a path; one of the state folder; else the only one of that name among those elsewhere
// that are known and in the current folder (*elsewhere then). False: the fault says what there is instead, and what to type.
bool store_find(const char *name, char *folder, size_t size, bool *elsewhere, struct fault *);
// Remembers a session that lies outside the state folder.
bool store_remember(const char *folder, struct fault *);
// What opens the session in this folder from anywhere.
void store_word(const char *folder, char *buf, size_t size);
// The same, quoted for a shell where it must be.
void store_shell_word(const char *folder, struct string *);
// Whether anything has come of it: a step, a change, a note.
bool store_begun(const struct store_entry *);

// Tidies the unnamed sessions of the state folder that are closed and hold nothing by a person's hand (no change, no note, no file
// of theirs): those not touched for STORE_TIDY_DAYS, and those beyond the STORE_TIDY_KEPT newest of them, are moved to removed/,
// where they stay for STORE_REMOVED_DAYS. Unnamed ones whose process died before a first checkpoint, and in which nothing was done,
// go at once when they are older than STORE_EMPTY_HOURS. `really` false: nothing is done, the lines only tell what would be.
// Adds a line for everything to `told`, none where there is nothing.
bool store_tidy(bool really, struct string *told, struct fault *);

#endif

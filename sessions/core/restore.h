// SPDX-License-Identifier: GPL-3.0-or-later
// Finds what fits together in a session's folder. A checkpoint can be used if
//   - it belongs to this session and to the step in its name;
//   - the journal has, up to the checkpoint's place, the bytes it had when the checkpoint was written, with the state's digest
//     last;
//   - its contents have that digest, and the settings are those of the manifest (the engine checks both).
// The newest usable one is taken. Messages name those passed over. If the session may be written, they are set aside: as
// FILE.damaged if they cannot be read, else as FILE.does-not-fit. If there is no checkpoint, or all are damaged or rest on lines
// that the journal lacks, the search begins from nothing and follows its journal, which gives the same search. If the journal is
// not as it was written, or undamaged checkpoints do not fit the settings, nothing is moved and the session is opened read-only.
#ifndef SESSIONS_CORE_RESTORE_H
#define SESSIONS_CORE_RESTORE_H

#include "sessions/core/inside.h"

// The faults found before there is a session to report them.
struct findings {
	struct fault fault[MESSAGES / 2];
	int count;
};

struct restoring {
	const char *folder;
	const struct config *config;
	const struct manifest *manifest;
	struct journal journal; // the part that can be trusted; the caller frees it
	bool lost;              // no part can: any checkpoint of this session is shown
	const char *why;        // why it may only be read; NULL: it may be written
	long most; // no checkpoint of a later step is taken; then those of all branches may serve, if they fit. 0: any step
	struct findings *found;

	// Filled by restore_session.
	long step; // of the checkpoint; -1: from nothing
	int lines; // lines of the journal that it includes
};
// Loads the journal of a folder; returns false if no part of it can be trusted. Adds that, and any part left out, to `found`, and
// sets `why`.
bool restore_journal(struct restoring *);
// Makes a session without a folder, at the newest usable checkpoint. NULL: the fault says why no engine can be opened.
struct session *restore_session(struct restoring *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What of a session's folder fits together. A checkpoint serves where
//   - it is of this session, and of the step that its name says;
//   - the journal had, at the checkpoint's place, the bytes that it was written behind, the last of them the digest of its state;
//   - its contents have that digest, and the settings are those of the manifest (the engine sees to both).
// The newest that serves is taken. What was passed over is said and, where the session may be written, set aside: as
// FILE.damaged where it cannot be read, as FILE.does-not-fit where it can. Where none is there, or all are damaged or stand on
// lines that the journal does not have, the search begins from nothing and follows its journal, which gives the same one. Where
// the journal is not as it was written, or whole checkpoints do not fit the settings, nothing is moved and the session is open
// for reading only.
#ifndef SESSIONS_CORE_RESTORE_H
#define SESSIONS_CORE_RESTORE_H

#include "sessions/core/inside.h"

// What was found wrong before there is a session to say it.
struct findings {
	struct fault fault[MESSAGES / 2];
	int count;
};

struct restoring {
	const char *folder;
	const struct config *config;
	const struct manifest *manifest;
	struct journal journal; // what can be believed of it; the caller's, who frees it
	bool lost;              // nothing can: whatever checkpoint is of this session is shown
	const char *why;        // it may only be read, and this is why; NULL: it may be written
	struct findings *found;

	// Filled by restore_session.
	long step; // of the checkpoint, -1: from nothing
	int lines; // of the journal that are in it
};
// The journal of a folder: false where nothing of it can be believed; that, and what is left out, is found and makes `why`.
bool restore_journal(struct restoring *);
// A session without a folder, at the checkpoint that serves. NULL: the fault says why no engine can be opened.
struct session *restore_session(struct restoring *, struct fault *);

#endif

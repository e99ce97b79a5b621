// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints: an engine's state in one file, checkpoint-STEP.safetensors in the session's folder.
//
// The file has the safetensors structure, so that common libraries can read it: 8 bytes with the header's length (little-endian),
// the header in JSON, then the arrays one after the other. "__metadata__" holds the engine's texts and the session's own:
// "session.version", "session.id", "session.step", and the place in the journal up to which everything is included,
// "session.journal.bytes" and "session.journal.sum". The last array is "checksum", 4 bytes: the CRC-32 (as in zlib,
// little-endian) of every byte before them. A reader verifies it before it looks at anything else.
#ifndef SESSIONS_STORE_CHECKPOINT_H
#define SESSIONS_STORE_CHECKPOINT_H

#include "engine/engine.h"
#include "sessions/store/identity.h"
#include "sessions/store/journal.h"

enum { CHECKPOINT_VERSION = 2, CHECKPOINTS_KEPT = 20 };

struct checkpoint {
	char session[IDENTITY_TEXT];
	long step;
	struct journal_place place; // it includes the journal up to here, where the last line is the state's digest
	struct state *state;
};

// Writes it into the folder, durably. A state with a number that is not finite is refused. The caller keeps ownership of
// everything.
bool checkpoint_write(const char *folder, const struct checkpoint *, struct fault *);
// Reads a file; the caller frees c->state. Returns false with a fault that names the file and what is wrong with it.
bool checkpoint_read(const char *path, struct checkpoint *, struct fault *);

// Lists the steps of the folder's checkpoints, newest first; the caller frees the list. NULL: none.
long *checkpoint_list(const char *folder, int *count);
// Returns the step of the newest one, by its name; -1: there is none.
long checkpoint_newest_step(const char *folder);
// Returns whether a file of this name is a checkpoint, including one that was set aside.
bool checkpoint_is_one(const char *name);
bool checkpoint_path(const char *folder, long step, char *path, size_t size);

// This rule alone thins checkpoints. At most CHECKPOINTS_KEPT stay. If there is one more, the one that leaves the smallest gap
// goes. A gap is measured relative to how far back it lies (from its older end to the newest checkpoint, plus the newest's
// distance from the beginning). So checkpoints are dense near the present and sparser further back, and from any step the way
// back to a checkpoint or the beginning is at most a ninth of the whole. The newest never goes. Returns the index of the one that
// goes among these steps, newest first.
int checkpoint_surplus(const long *steps, int count);
// Removes the checkpoints that the rule names.
void checkpoint_thin(const char *folder);

#endif

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

enum { CHECKPOINT_VERSION = 2, CHECKPOINTS_KEPT = 20, CHECKPOINTS_LEFT = 4 };

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

// Checkpoints of branches that were left have other names, branch-BRANCH-STEP.safetensors, so that those of the present branch can
// be found by their steps alone.
struct checkpoint_left {
	int branch;
	long step;
};
// Lists them, the newest branch first; the caller frees the list. NULL: none.
struct checkpoint_left *checkpoint_list_left(const char *folder, int *count);
bool checkpoint_left_path(const char *folder, const struct checkpoint_left *, char *path, size_t size);
// Gives every checkpoint the name that it has by the journal: on the way to the present, or of a branch that was left. The caller
// holds the folder's lock, and nothing writes there.
void checkpoint_sort(const char *folder, const struct journal *);

// This rule alone thins checkpoints: at most CHECKPOINTS_KEPT stay. If there is one more, one of a branch that was left goes, other
// than the newest of the CHECKPOINTS_LEFT branches left last; if there is none, one of the present branch. Of several the one goes that
// leaves the smallest gap; on the present branch the newest never goes. A save is due wherever a search has made another
// CHECKPOINTS_KEPT-th of its steps; so no step of a search that has ended is farther from the checkpoint before it than that, and
// at any time none is farther than twice the longest stretch that a twentieth of the steps or two saves were ever apart. Return
// the index of the one that goes among these steps, newest first, and among those of other branches, as they are listed; -1: none.
int checkpoint_surplus(const long *steps, int count);
int checkpoint_surplus_left(const struct checkpoint_left *, int count);
// Removes the checkpoints that the rule names.
void checkpoint_thin(const char *folder);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints: an engine's state in one file, checkpoint-STEP.safetensors in the session's folder.
//
// The safetensors layout, so that the common libraries read it: 8 bytes with the header's length (little-endian), the header
// in JSON, the arrays one behind the other. The engine's texts stand in "__metadata__" beside the session's own
// ("session.version", "session.id", "session.step", and the place in the journal up to which everything is in it:
// "session.journal.bytes" and "session.journal.sum"). The last array is "checksum", 4 bytes: the CRC-32 (as in zlib,
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
	struct journal_place place; // what the journal says up to here is in it; its last line there is the state's digest
	struct state *state;
};

// Writes it into the folder, durably. A state that holds something that is not a number is refused. The caller keeps
// everything.
bool checkpoint_write(const char *folder, const struct checkpoint *, struct fault *);
// Reads a file; the caller frees c->state. False: the fault names the file and what is wrong with it.
bool checkpoint_read(const char *path, struct checkpoint *, struct fault *);

// The steps of the folder's checkpoints, newest first; the caller frees. NULL: none.
long *checkpoint_list(const char *folder, int *count);
// The step of the newest one, by its name; -1: there is none.
long checkpoint_newest_step(const char *folder);
// Whether a file of this name is a checkpoint, one that was set aside included.
bool checkpoint_is_one(const char *name);
bool checkpoint_path(const char *folder, long step, char *path, size_t size);

// Checkpoints are thinned by this rule alone. At most CHECKPOINTS_KEPT stay. Where there is one more, the one goes whose
// absence is felt least: it leaves the smallest gap, measured against how far back that gap lies (from its older end to the
// newest checkpoint, and as far again as the newest is from the beginning). So they lie densely near the present and ever more
// sparsely behind it, and from any step it is at most a ninth of the whole way back to a checkpoint or the beginning. The
// newest never goes. Which one of these steps, newest first, goes: its index.
int checkpoint_surplus(const long *steps, int count);
// Removes what the rule says.
void checkpoint_thin(const char *folder);

#endif

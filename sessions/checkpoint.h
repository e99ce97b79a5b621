// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints: an engine's state in one file, checkpoint-STEP.safetensors in the session's folder.
//
// The safetensors layout, so that the common libraries read it: 8 bytes with the header's length (little-endian), the header
// in JSON, the arrays one behind the other. The engine's texts stand in "__metadata__" beside the session's own
// ("session.version", "session.step", "session.entries"). The last array is "checksum", 4 bytes: the CRC-32 (as in zlib,
// little-endian) of every byte before them. A reader verifies it before it looks at anything else.
#ifndef SESSIONS_CHECKPOINT_H
#define SESSIONS_CHECKPOINT_H

#include "engine/engine.h"

enum { CHECKPOINT_VERSION = 1, CHECKPOINTS_KEPT = 2 };

struct checkpoint {
	long step;
	int entries; // so many entries of the journal are in it
	struct state *state;
};

// Writes it into the folder, durably. The caller keeps everything.
bool checkpoint_write(const char *folder, const struct checkpoint *, struct fault *);
// Reads a file; the caller frees c->state. False: the fault names the file and what is wrong with it.
bool checkpoint_read(const char *path, struct checkpoint *, struct fault *);

// The newest checkpoint of the folder that is whole and covers no more than `entries` entries; c->state NULL where
// there is none. Each one passed over is told, and set aside under another name where `repair`.
void checkpoint_newest(const char *folder, int entries, bool repair, struct checkpoint *,
	void (*tell)(const struct fault *, void *context), void *context);
// Whether a file of this name is a checkpoint, a damaged one that was set aside included.
bool checkpoint_is_one(const char *name);
// The step of the newest one, by its name; -1: there is none.
long checkpoint_newest_step(const char *folder);
// Removes all but the newest `keep`.
void checkpoint_thin(const char *folder, int keep);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// manifest.json: what a session is. It holds the version of its form, the bitscape that wrote it, the session's identity, the
// settings (as texts, by name) and the kernels it began with, the session it came from, if any, and whether it was closed
// properly. Its presence makes a folder a session.
//
// "sum" is the CRC-32 of all the rest (as compact JSON with sorted keys), so that a changed setting is detected. A person who
// must change one, say the path to data that moved, removes "sum": the manifest is then accepted as it is, and a message says so.
#ifndef SESSIONS_STORE_MANIFEST_H
#define SESSIONS_STORE_MANIFEST_H

#include "engine/engine.h"
#include "sessions/store/identity.h"
#include "sessions/store/journal.h"

#define MANIFEST_FILE "manifest.json"
enum { MANIFEST_VERSION = 2 };

struct manifest {
	char session[IDENTITY_TEXT];
	char kernels[ENGINE_NAME]; // those it began with: "avx2", …; the journal has later ones
	bool closed;
	// The session it continues, and where it parted from it; "": none (`fork`).
	char parent[IDENTITY_TEXT];
	long parent_step;
	char parent_digest[JOURNAL_DIGEST_TEXT];
	bool unsealed; // when read: there was no sum
};
bool manifest_write(const char *folder, const struct config *, const struct manifest *, struct fault *);
// Returns the settings it began with and fills the rest. NULL: the fault names the file and what is wrong with it.
struct config *manifest_read(const char *folder, struct manifest *, struct fault *);

#endif

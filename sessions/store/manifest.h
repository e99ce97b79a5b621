// SPDX-License-Identifier: GPL-3.0-or-later
// manifest.json: what a session is. Its format's version, the bitscape that wrote it, who the session is, the settings it
// began with (as texts, by name), the kernels it began with, the session it came from, if any, and whether it was closed
// properly. Its presence makes a folder a session.
//
// "sum" is the CRC-32 of all the rest (as compact JSON with sorted keys), so that a setting that was changed is found. A person
// who has to change one, a path to data that moved say, takes "sum" out: then the manifest is taken as it is, and said.
#ifndef SESSIONS_STORE_MANIFEST_H
#define SESSIONS_STORE_MANIFEST_H

#include "engine/engine.h"
#include "sessions/store/identity.h"
#include "sessions/store/journal.h"

#define MANIFEST_FILE "manifest.json"
enum { MANIFEST_VERSION = 2 };

struct manifest {
	char session[IDENTITY_TEXT];
	char kernels[ENGINE_NAME]; // that it began with: "avx2", …; later ones stand in the journal
	bool closed;
	// The session it goes on from, and where it parted; "": none. Nothing makes such a session yet.
	char parent[IDENTITY_TEXT];
	long parent_step;
	char parent_digest[JOURNAL_DIGEST_TEXT];
	bool unsealed; // read: there was no sum
};
bool manifest_write(const char *folder, const struct config *, const struct manifest *, struct fault *);
// The settings it began with, and what else it says. NULL: the fault names the file and what is wrong with it.
struct config *manifest_read(const char *folder, struct manifest *, struct fault *);

#endif

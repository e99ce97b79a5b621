// SPDX-License-Identifier: GPL-3.0-or-later
// manifest.json: what a session is. Its format's version, the bitscape that wrote it, the settings it began with (as
// texts, by name), the kernels that computed it, and whether it was closed properly. Its presence makes a folder a session.
#ifndef SESSIONS_MANIFEST_H
#define SESSIONS_MANIFEST_H

#include "engine/engine.h"

#define MANIFEST_FILE "manifest.json"
enum { MANIFEST_VERSION = 1 };

bool manifest_write(const char *folder, const struct config *, bool closed, struct fault *);
struct manifest {
	bool closed;
	char kernels[ENGINE_NAME]; // "avx2", …; "": not recorded
};
// The settings it began with, and what else it says. NULL: the fault names the file and what is wrong with it.
struct config *manifest_read(const char *folder, struct manifest *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// manifest.json: what a session is. Its format's version, the bitscape that wrote it, the settings it began with (as
// texts, by name), and whether it was closed properly. Its presence makes a folder a session.
#ifndef SESSIONS_MANIFEST_H
#define SESSIONS_MANIFEST_H

#include "engine/engine.h"

#define MANIFEST_FILE "manifest.json"
enum { MANIFEST_VERSION = 1 };

bool manifest_write(const char *folder, const struct config *, bool closed, struct fault *);
// The settings it began with, and whether it was closed. NULL: the fault names the file and what is wrong with it.
struct config *manifest_read(const char *folder, bool *closed, struct fault *);

#endif

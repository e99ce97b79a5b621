// SPDX-License-Identifier: GPL-3.0-or-later
// A session's identity: 64 random bits in hexadecimal, drawn when it is made. Its manifest, its journal and each checkpoint hold
// them, so that a file of another session is recognised even if network, settings and seed are the same. A copy of a whole folder
// is the same session twice.
#ifndef SESSIONS_STORE_IDENTITY_H
#define SESSIONS_STORE_IDENTITY_H

#include <stdbool.h>

enum { IDENTITY_TEXT = 17 }; // with its final zero

void identity_draw(char id[IDENTITY_TEXT]);
bool identity_good(const char *id);

#endif

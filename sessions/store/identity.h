// SPDX-License-Identifier: GPL-3.0-or-later
// Who a session is: 64 random bits, drawn when it is made, in hexadecimal. They stand in its manifest, in its journal and in
// each checkpoint, so that a file of another session is known for what it is, even where network, settings and seed are the
// same. A copy of a whole folder is the same session twice.
#ifndef SESSIONS_STORE_IDENTITY_H
#define SESSIONS_STORE_IDENTITY_H

#include <stdbool.h>

enum { IDENTITY_TEXT = 17 }; // with its final zero

void identity_draw(char id[IDENTITY_TEXT]);
bool identity_good(const char *id);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Changes as text and back: each command that alters the search stands for one struct change of the engine. The journal holds
// these texts, and reading them gives the same changes again.
#ifndef SESSIONS_STORE_CHANGES_H
#define SESSIONS_STORE_CHANGES_H

#include "engine/engine.h"
#include "engine/base/text.h"

// Reads "pin stem int8", "target bops 0.5x", … Returns false with a fault that says what is wrong. On success the caller frees
// change->item. The engine, not this function, checks names and values.
bool change_read(const char *line, struct change *, struct fault *);
// Adds the command that stands for the change: change_read of it gives the same change.
void change_write(struct string *, const struct change *);
// Adds what the change did, in words: "stem is pinned to int8".
void change_tell(struct string *, const struct change *);

#endif

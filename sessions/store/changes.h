// SPDX-License-Identifier: GPL-3.0-or-later
// Changes as text and back: the commands that alter the search, each standing for one struct change of the engine. The
// journal holds these texts, so that reading them gives the same changes again.
#ifndef SESSIONS_STORE_CHANGES_H
#define SESSIONS_STORE_CHANGES_H

#include "engine/engine.h"
#include "engine/base/text.h"

// Reads "pin stem int8", "target bops 0.5x", … False: the fault says what is wrong with it. On success the caller frees
// change->item. Names and values are checked by the engine, not here.
bool change_read(const char *line, struct change *, struct fault *);
// Adds the command that stands for the change: change_read(change_write(c)) is c.
void change_write(struct string *, const struct change *);
// Adds what the change did, for people: "stem is pinned to int8".
void change_tell(struct string *, const struct change *);

#endif

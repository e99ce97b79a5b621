// SPDX-License-Identifier: GPL-3.0-or-later
// Changes as text and back: each command that alters the search stands for one struct change of the engine. The journal holds
// these texts, and reading them gives the same changes again.
#ifndef SESSIONS_STORE_CHANGES_H
#define SESSIONS_STORE_CHANGES_H

#include "engine/engine.h"
#include "engine/base/text.h"

// Reads "pin stem int8", "target bops 0.5x", … after "lane 2 " if it is about that lane. Returns false with a fault that says
// what is wrong. On success the caller frees change->item. The engine, not this function, checks names and values.
bool change_read(const char *line, struct change *, struct fault *);
// Adds the command that stands for the change: change_read of it gives the same change, except that the first lane is left out
// where a command without a lane means it too.
void change_write(struct string *, const struct change *);
// Adds what the change did, in words: "stem is pinned to int8".
void change_tell(struct string *, const struct change *);

// Returns whether a change is about one lane (a weight, a target, a lane that copies it): without a number it is about the first.
bool change_of_lane(const struct change *);
// Reads the number of a lane; returns false if the word is none.
bool change_lane_number(const char *word, int *number);

#endif

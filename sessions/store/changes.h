// SPDX-License-Identifier: GPL-3.0-or-later
// Changes as text and back: the commands that alter the search, each standing for one struct change of the engine. The
// journal holds these texts, so that reading them gives the same changes again.
#ifndef SESSIONS_STORE_CHANGES_H
#define SESSIONS_STORE_CHANGES_H

#include "engine/engine.h"
#include "engine/base/text.h"

// Reads "pin stem int8", "target bops 0.5x", … with "lane 2 " before it where it is about that lane. False: the fault says what is wrong with it. On success the caller frees
// change->item. Names and values are checked by the engine, not here.
bool change_read(const char *line, struct change *, struct fault *);
// Adds the command that stands for the change: change_read(change_write(c)) is c, but that the first lane goes without saying
// where it is meant without a lane, too.
void change_write(struct string *, const struct change *);
// Adds what the change did, for people: "stem is pinned to int8".
void change_tell(struct string *, const struct change *);

// Whether it is about one lane, so that without a number it is about the first: a weight, a target, a lane that begins from it.
bool change_of_lane(const struct change *);
// The number of a lane; false: it is none.
bool change_lane_number(const char *word, int *number);

#endif

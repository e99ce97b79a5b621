// SPDX-License-Identifier: GPL-3.0-or-later
// Choices drawn at random that all cost about the same: what weights that are shared say of them is held against what they do alone.
#ifndef SESSIONS_RACE_PATHS_H
#define SESSIONS_RACE_PATHS_H

#include "engine/engine.h"

enum { PATHS_MOST = 1000 };

// Fills choice[count][info->slots] with different networks, each within 2.5 % of the target that a term has: drawn evenly, then moved towards it
// by single decisions, of what is allowed. What rests has its first option. By `seed` alone, however the search went. False with a fault: the
// term has no target; not so many are found.
bool paths_draw(const struct engine *, const struct snapshot *, const char *term, uint64_t seed, int count, uint8_t *choice,
	struct fault *);

#endif

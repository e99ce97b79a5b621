// SPDX-License-Identifier: GPL-3.0-or-later
// Settings as texts of a state, called by a prefix, a dot and their name.
#ifndef ENGINE_SEARCH_SETTINGS_H
#define ENGINE_SEARCH_SETTINGS_H

#include "engine/search/knobs.h"
#include "engine/state/state.h"

// Saves the live settings that are not a lane's, and with `own` a lane's too. Returns false if out of memory.
bool settings_save(const struct knobs *, const char *prefix, bool own, struct state *);
// Reads the same; every one of them must be there, but those that came later (knobs_before).
bool settings_read(struct knobs *, const char *prefix, bool own, const struct state *, struct fault *);
// A lane's alone.
bool settings_save_own(const struct knobs *, const char *prefix, struct state *);
bool settings_read_own(struct knobs *, const char *prefix, const struct state *, struct fault *);

#endif

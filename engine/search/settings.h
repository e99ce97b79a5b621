// SPDX-License-Identifier: GPL-3.0-or-later
// Settings as texts of a state, called by a prefix, a dot and their name.
#ifndef ENGINE_SEARCH_SETTINGS_H
#define ENGINE_SEARCH_SETTINGS_H

#include "engine/search/knobs.h"
#include "engine/state/state.h"

// The live ones, and where `terms` the weights and targets of the terms that the knobs have. False: out of memory.
bool settings_save(const struct knobs *, const char *prefix, bool terms, struct state *);
// Every one of them must be there.
bool settings_read(struct knobs *, const char *prefix, bool terms, const struct state *, struct fault *);
// The weights and targets alone.
bool settings_save_terms(const struct knobs *, const char *prefix, struct state *);
bool settings_read_terms(struct knobs *, const char *prefix, const struct state *, struct fault *);

#endif

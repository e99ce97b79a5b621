// SPDX-License-Identifier: GPL-3.0-or-later
// For whom a search is (setting reach): what its reader cannot run is not in the space. See export/reach.h.
#ifndef ENGINE_SEARCH_REACHING_H
#define ENGINE_SEARCH_REACHING_H

#include "engine/search/knobs.h"

// Whether there is something to leave; else a fault.
bool reaching_fits(const struct knobs *, struct fault *);
// Writes the formats of the space that the reader runs, as a space is written, and `left_out`: the others and why; "" where there are none. False
// with a fault: the space cannot be read, or none is left.
bool reaching_formats(const struct knobs *, char *space, size_t space_size, char *left_out, size_t left_size, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The racks of a pod beside a search: how available its hosts are, how many racks are held back and what its jobs ask for are settings,
// so that what a person moves is journaled, taken back and replayed. They price nothing.
#ifndef ENGINE_SEARCH_RACKS_H
#define ENGINE_SEARCH_RACKS_H

#include "engine/search/knobs.h"

// Whether the settings can be those of racks: of the pod that the search is about if its slices are made of blocks, else of a TPU v4.
bool racks_fit(const struct knobs *, struct fault *);

#endif

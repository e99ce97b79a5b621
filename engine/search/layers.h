// SPDX-License-Identifier: GPL-3.0-or-later
// A layer as engine.h and catalog.h show it.
#ifndef ENGINE_SEARCH_LAYERS_H
#define ENGINE_SEARCH_LAYERS_H

#include "engine/engine.h"
#include "engine/model/plan.h"

// A layer of the model; its slots are -1.
struct layer_info layer_info_of(const struct model *, int layer);
int layers_told(const struct layer_info *, int layers); // how many have formats by a file

#endif

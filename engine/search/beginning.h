// SPDX-License-Identifier: GPL-3.0-or-later
// What a network begins with beyond random numbers.
#ifndef ENGINE_SEARCH_BEGINNING_H
#define ENGINE_SEARCH_BEGINNING_H

#include "engine/nn/nn.h"
#include "engine/search/knobs.h"

// Gives a network, behind network_initialise, the weights of the file that describes it, where that has some, and then those that `init`
// names. False with a fault; the network is then only fit for network_free.
bool begin_with_weights(struct network *, const struct model *whole, const struct knobs *, struct fault *);

#endif

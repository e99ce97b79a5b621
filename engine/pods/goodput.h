// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the pods folder: what the closed forms and the simulation of goodput share.
#ifndef ENGINE_PODS_GOODPUT_H
#define ENGINE_PODS_GOODPUT_H

#include "engine/pods/inside.h"

enum { GOODPUT_BLOCKS = 160 };

// The blocks of a slice along each axis; a slice within a block counts as one. Returns their number.
int box_of(const int axis[3], int box[3]);
double host_failures(const struct world *, double availability); // of one host that is up, an hour

#endif

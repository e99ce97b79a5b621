// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the pods folder: shared by the closed forms and the simulation of goodput.
#ifndef ENGINE_PODS_GOODPUT_H
#define ENGINE_PODS_GOODPUT_H

#include "engine/pods/inside.h"

// Gives the blocks of a slice along each axis and returns their number; a slice within a block counts as one.
int box_of(const int axis[3], int box[3]);
double host_failures(const struct world *, double availability); // per hour, of a host that is up

#endif

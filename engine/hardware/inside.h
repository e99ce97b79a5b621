// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hardware folder.
#ifndef ENGINE_HARDWARE_INSIDE_H
#define ENGINE_HARDWARE_INSIDE_H

#include "engine/hardware/device.h"

enum { DEVICE_BYTES = 32 << 20 }; // most of a device file

// The built-in devices. A 0 among tiles and efficiencies stands for 1; device_get fills it in.
extern const struct device device_table[];
extern const int device_count;
void device_defaults(struct device *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// The one loop of the workbench waits for keys, signals and the session, and draws. It sleeps while nothing happens, shows what a
// key did at once, and the engine's news at most ten times a second.
#ifndef UI_LOOP_H
#define UI_LOOP_H

#include "ui/workbench.h"

// Runs until the person quits (0) or a signal ends it (its number). The terminal is open.
int loop_run(struct workbench *);

#endif

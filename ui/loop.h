// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench's only loop: it waits for keys, signals and the session, and draws. It sleeps while nothing happens. It shows the
// effect of a key at once, and the engine's news at most ten times a second.
#ifndef UI_LOOP_H
#define UI_LOOP_H

#include "ui/workbench.h"

// Runs until the person quits (returns 0) or a signal ends it (returns its number). The terminal must be open.
int loop_run(struct workbench *);

#endif

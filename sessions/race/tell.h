// SPDX-License-Identifier: GPL-3.0-or-later
// Begins a race from a plan that is there, as the command `race` does.
#ifndef SESSIONS_RACE_TELL_H
#define SESSIONS_RACE_TELL_H

#include "engine/base/command.h"
#include "sessions/race/plan.h"

// Settles the plan, makes the folder, makes the runs, and tells how they stand. Returns false with a fault also where a session is
// open, or a signal came.
bool race_start(struct command_call *, const char *name, struct plan *);

#endif

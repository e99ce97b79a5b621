// SPDX-License-Identifier: GPL-3.0-or-later
// Runs are made: one in this process, or all that a race lacks, each in a process of its own. So the peak of memory is that of one run,
// and a run that crashes takes no other with it.
#ifndef SESSIONS_RACE_MAKE_H
#define SESSIONS_RACE_MAKE_H

#include "sessions/race/result.h"

// Makes the run of this name in this process, and writes its result.
bool race_make(const char *folder, const char *name, struct fault *);
// Makes all runs that have no result yet, one after the other; says each. False, with a fault: a signal came, a run could not be made, or the
// folder is another process's. What is finished is kept in any case.
bool race_go_on(const char *folder, void (*say)(void *context, const char *line), void *context, struct fault *);

#endif

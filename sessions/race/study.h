// SPDX-License-Identifier: GPL-3.0-or-later
// The command `scale`: candidates of each level untrained (report/scale.h), or each trained, as a race.
#ifndef SESSIONS_RACE_STUDY_H
#define SESSIONS_RACE_STUDY_H

#include "engine/base/command.h"

bool run_scale(struct command_call *);

#endif

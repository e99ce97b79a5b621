// SPDX-License-Identifier: GPL-3.0-or-later
// The command `scale`: candidates of each level untrained (report/scale.h), or each trained, as a race whose plan has a `scale` line and
// two baselines, of N and of 2N steps; and what such a race says of how to scale (family.h).
#ifndef SESSIONS_RACE_STUDY_H
#define SESSIONS_RACE_STUDY_H

#include "engine/base/command.h"
#include "sessions/race/result.h"

bool run_scale(struct command_call *);
// Tells of a race with a `scale` line, as far as it is. `csv` and `picture` are files, `out` a folder for the family; each may be NULL.
bool study_show(struct command_call *, const struct race *, const char *csv, const char *picture, const char *out);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// What is told of paths (plan.h, paths=): rank correlations, and the best of the paths that were trained alone.
#ifndef SESSIONS_RACE_RANK_H
#define SESSIONS_RACE_RANK_H

#include "sessions/race/result.h"
#include "sessions/report/report.h"

bool rank_table(struct command_call *, const struct race *);

#endif

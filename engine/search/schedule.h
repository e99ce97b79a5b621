// SPDX-License-Identifier: GPL-3.0-or-later
// What a step trains, and whether the policy moves in it: the one place that lays the settings wide-start, wide-every, filter-warmup and
// final over the steps. Where all four are 0, a step trains what its searcher proposes.
//
// Formats that take turns on shared weights hurt them: what one rounds away, another needs. Steps of one wide format give the
// weights a common ground (TuNAS warms up likewise; the widest path beside random ones: RFQuant, CVPR 2024), and last steps on the
// result alone let them settle for it. On CIFAR-10 with resnet8:width=0.5 (600 steps, two seeds) and mobilenetv2:width=0.35 (400
// steps) a wide start of a third brought a search at the cost of int4 1.7, 2.3 and 3.6 points.
//
// Channels that few paths use are trained seldom: of slots of width, the first channels are every path's, and the last those of the widest
// option alone. So TuNAS (Bender et al., 2020) begins with the widest: with a probability that falls from 1 to 0.
#ifndef ENGINE_SEARCH_SCHEDULE_H
#define ENGINE_SEARCH_SCHEDULE_H

#include "engine/search/shared.h"

enum turn {
	TURN_PATH, // the searcher's path
	TURN_WIDE, // the same, but no layer is narrower than the format of the setting wide-format, whether the space has it or not
	TURN_RESULT, // the lane's result
};
enum turn schedule_turn(const struct shared *); // of the present step

// The path of a lane's step at the present step, in its own space: the result where it is the result's turn, else what its searcher
// proposes, with the widest option that width slots are allowed where it is the filters' turn.
struct lane;
void schedule_path(const struct lane *, uint8_t *choice);

// What a layer trains in at the present step that has this format on the step's path.
int schedule_format(const struct shared *, int format);
// The first step behind the wide start; 0 where there is none.
long schedule_narrow(const struct shared *);
// The first step of the final phase; the horizon where there is none. By the horizon as it is: an extension lets the policy move
// again.
long schedule_final(const struct shared *);
// Whether the policy moves in the present step.
bool schedule_learns(const struct lane *);
// How far the policy's own schedules are at the present step: 0 when it begins to move, 1 from when it moves no more.
double schedule_progress(const struct shared *);

#endif

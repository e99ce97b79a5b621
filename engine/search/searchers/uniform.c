// SPDX-License-Identifier: GPL-3.0-or-later
// What needs no search: one format everywhere, or everywhere but at both ends. Only that path is trained, nothing is scored. Where
// all is pinned, or the space holds one format, the one choice there is: so a choice is trained alone.
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/searcher.h"
#include "engine/search/searchers/choices.h"

// The option for 8 bits, which the usual recipe has at both ends; where the space lacks it, the widest.
static int end_option(const struct lane *lane)
{
	const struct space *space = lane->shared->space;
	int format = format_named("int8"), option = space_option(space, 0, format);
	return option >= 0 ? option : space->slot[0].options - 1;
}

static void at_ends(const struct lane *lane, int option, uint8_t *choice)
{
	const struct space *space = lane->shared->space;
	const struct partition *p = lane->partition;
	const int layer[] = {0, space->model->layers - 1};
	for (int i = 0; i < 2; i++)
		for (int half = 0; half < HALVES; half++)
			choice[p->decision[p->decision_of[space_slot(layer[i], (enum half)half)]].first] = (uint8_t)option;
	choice_allow(lane, choice);
}

// The widest within the targets; where none is, the narrowest.
static void widest(const struct lane *lane, bool ends, uint8_t *choice)
{
	for (int o = lane->shared->space->slot[0].options - 1; o >= 0; o--) {
		choice_even(lane, o, choice);
		if (ends)
			at_ends(lane, end_option(lane), choice);
		if (choice_within(lane, choice))
			return;
	}
}

static void uniform(const struct lane *lane, uint8_t *choice)
{
	widest(lane, false, choice);
}

static void ends(const struct lane *lane, uint8_t *choice)
{
	widest(lane, true, choice);
}

static int propose(const struct lane *lane, uint8_t *choice)
{
	(void)lane;
	(void)choice;
	return 0;
}

static bool learn(struct lane *lane, const struct lesson *lesson, struct fault *fault)
{
	(void)lesson;
	(void)fault;
	lane->searcher->best(lane, lane->choice);
	choice_point(lane, lane->choice);
	return true;
}

const struct searcher searcher_uniform = {
	.name = "uniform", .formats_only = true, .path = uniform, .propose = propose, .learn = learn, .best = uniform};
const struct searcher searcher_ends = {
	.name = "ends", .formats_only = true, .path = ends, .propose = propose, .learn = learn, .best = ends};

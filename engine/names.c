// SPDX-License-Identifier: GPL-3.0-or-later
// Finds slots in a snapshot by the names a person writes, and gives the words for what a snapshot holds.
#include <string.h>

#include "engine/engine.h"
#include "engine/space/space.h"

bool snapshot_meant(const struct snapshot *s, const char *word, bool *meant)
{
	bool any = false;
	memset(meant, 0, (size_t)s->slots * sizeof *meant);
	for (int i = 0; i < s->slots; i++) {
		const struct slot_info *slot = &s->info->slot[i];
		int g = s->slot[i].group;
		enum meaning meaning = space_meaning(word, s->info->layer[slot->layer].name, slot->name,
			g >= 0 ? s->group[g].name : "");
		any |= meaning != MEANS_NOTHING;
		for (int j = 0; meaning != MEANS_NOTHING && j < s->slots; j++)
			meant[j] |= j == i || (meaning == MEANS_LAYER && s->slot[j].decision == s->slot[i].decision);
	}
	return any;
}

const char *engine_run_word(enum engine_run run)
{
	static const char *const words[] = {
		[RUN_PAUSED] = "paused",
		[RUN_RUNNING] = "running",
		[RUN_FINISHED] = "finished",
		[RUN_HALTED] = "halted",
		[RUN_FAILED] = "failed",
	};
	return words[run];
}

const char *point_origin_word(enum point_origin origin)
{
	static const char *const words[] = {[POINT_MODAL] = "modal", [POINT_SAMPLED] = "sampled", [POINT_UNIFORM] = "uniform"};
	return words[origin];
}

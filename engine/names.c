// SPDX-License-Identifier: GPL-3.0-or-later
// Finds slots in a snapshot by the names a person writes, and gives the words for what a snapshot holds.
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/space/names.h"

static struct named_slot named(const void *of, int slot)
{
	const struct snapshot *s = of;
	const struct slot_info *info = &s->info->slot[slot];
	int g = s->slot[slot].group;
	return (struct named_slot){.name = info->name,
		.layer = info->layer >= 0 ? s->info->layer[info->layer].name : NULL,
		.group = g >= 0 ? s->group[g].name : "",
		.decision = s->slot[slot].decision};
}

static bool has(const void *of, int slot, const char *option)
{
	const struct slot_info *info = &((const struct snapshot *)of)->info->slot[slot];
	for (int o = 0; o < info->options; o++)
		if (strcmp(info->option[o].name, option) == 0)
			return true;
	return false;
}

bool snapshot_meant(const struct snapshot *s, const char *word, const char *options, bool *meant)
{
	return names_meant(&(struct named_slots){s, s->slots, named, has}, word, options, meant);
}

const char *engine_slot_name(const struct engine_info *info, int slot, char buf[SLOT_WORD])
{
	const char *name = info->slot[slot].name;
	snprintf(buf, SLOT_WORD, "%s", name);
	for (int i = 0; info->slot[slot].layer < 0 && i < info->layers; i++)
		if (strcmp(info->layer[i].name, name) == 0)
			return names_alone(name, buf);
	return buf;
}

const char *snapshot_word(const struct snapshot *s, int slot, char buf[SLOT_WORD])
{
	const struct slot_info *info = &s->info->slot[slot];
	const int g = s->slot[slot].group;
	if (info->layer < 0) {
		engine_slot_name(s->info, slot, buf);
		if (g >= 0)
			snprintf(buf, SLOT_WORD, "%s", s->group[g].name);
		return buf;
	}
	const struct layer_info *layer = &s->info->layer[info->layer];
	bool tied = s->slot[layer->weight_slot].decision == s->slot[layer->activation_slot].decision;
	snprintf(buf, SLOT_WORD, "%s%s", g < 0 ? layer->name : s->group[g].name, tied ? "" : strrchr(info->name, '.'));
	return buf;
}

bool engine_rests(const struct engine_info *info, int slot, const uint8_t *choice)
{
	for (; info->slot[slot].owner >= 0; slot = info->slot[slot].owner)
		if (!(info->slot[slot].when >> choice[info->slot[slot].owner] & 1))
			return true;
	return false;
}

bool engine_second_half(const struct engine_info *info, int slot)
{
	return slot > 0 && slot < info->formats && info->slot[slot].layer == info->slot[slot - 1].layer;
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/space/names.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

const char OPTIONS_ALL[] = "all";

// What a word is for a slot: nothing, this slot by itself, or this slot and all that are decided with it.
enum meaning { NOTHING, ITSELF, WITH_OTHERS };

static enum meaning as_format(const struct named_slot *s, const char *word)
{
	size_t n = strlen(s->group);
	const char *behind = n && strncmp(word, s->group, n) == 0 ? word + n : NULL; // of the group's name
	if (!s->layer)
		return NOTHING;
	if (fnmatch(word, s->layer, 0) == 0 || (behind && !*behind))
		return WITH_OTHERS;
	return fnmatch(word, s->name, 0) == 0 || (behind && strcmp(behind, strrchr(s->name, '.')) == 0) ? ITSELF : NOTHING;
}

int names_block(const char *slot)
{
	const char *dot = strrchr(slot, '.');
	return dot ? (int)(dot - slot) : 0;
}

const char *names_alone(const char *slot, char buf[SLOT_NAME])
{
	int dot = names_block(slot);
	snprintf(buf, SLOT_NAME, "%s", slot);
	if (dot > 0 && dot < SLOT_NAME - 1)
		buf[dot] = ':';
	return buf;
}

static enum meaning as_architecture(const struct named_slot *s, const char *word)
{
	char alone[SLOT_NAME];
	if (s->layer)
		return NOTHING;
	if (fnmatch(word, s->name, 0) == 0 || (*s->group && strcmp(word, s->group) == 0))
		return WITH_OTHERS;
	return strchr(word, ':') && fnmatch(word, names_alone(s->name, alone), 0) == 0 ? ITSELF : NOTHING;
}

static enum meaning as_block(const struct named_slot *s, const char *word)
{
	char block[SLOT_NAME];
	int n = names_block(s->name);
	if (s->layer || n <= 0 || n >= SLOT_NAME)
		return NOTHING;
	memcpy(block, s->name, (size_t)n);
	block[n] = 0;
	return fnmatch(word, block, 0) == 0 ? WITH_OTHERS : NOTHING;
}

typedef enum meaning reading(const struct named_slot *, const char *word);
static reading *const readings[] = {as_format, as_architecture, as_block};
enum { READINGS = sizeof readings / sizeof *readings };

// How the word is to be read: the first reading that means something, rather one under which a slot has the option. NULL: none.
static reading *reading_of(const struct named_slots *s, const char *word, const char *option)
{
	reading *first = NULL;
	for (int r = 0; r < READINGS; r++)
		for (int i = 0; i < s->slots; i++) {
			struct named_slot slot = s->slot(s->of, i);
			if (readings[r](&slot, word) == NOTHING)
				continue;
			first = first ? first : readings[r];
			if (!option || s->has(s->of, i, option))
				return readings[r];
		}
	return first;
}

static bool mark(const struct named_slots *s, const char *word, reading *read, bool *meant)
{
	bool any = false;
	for (int i = 0; i < s->slots; i++) {
		struct named_slot slot = s->slot(s->of, i);
		enum meaning meaning = read(&slot, word);
		if (meaning == NOTHING)
			continue;
		any = meant[i] = true;
		for (int j = 0; meaning == WITH_OTHERS && *slot.group && j < s->slots; j++)
			meant[j] |= s->slot(s->of, j).decision == slot.decision;
	}
	return any;
}

bool names_meant(const struct named_slots *s, const char *word, const char *options, bool *meant)
{
	char option[SLOT_OPTION];
	memset(meant, 0, (size_t)s->slots * sizeof *meant);
	if (options && strcmp(options, OPTIONS_ALL) == 0) {
		bool formats = mark(s, word, as_format, meant), others = mark(s, word, as_architecture, meant);
		return formats || others || mark(s, word, as_block, meant);
	}
	bool said = options && list_next(&options, option, sizeof option);
	reading *read = reading_of(s, word, said ? option : NULL);
	return read && mark(s, word, read, meant);
}

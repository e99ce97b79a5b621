// SPDX-License-Identifier: GPL-3.0-or-later
// What is decided together.
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/space/names.h"
#include "engine/space/space.h"

struct partition *partition_new(const struct space *space, struct fault *fault)
{
	struct partition *p = calloc(1, sizeof *p);
	size_t slots = (size_t)space->slots;
	if (p) {
		p->space = space;
		p->allowed = calloc(slots, sizeof *p->allowed);
		p->group = calloc(slots, sizeof *p->group);
		p->group_of = calloc(slots, sizeof *p->group_of);
		p->decision = calloc(slots, sizeof *p->decision);
		p->decision_of = calloc(slots, sizeof *p->decision_of);
		p->next = calloc(slots, sizeof *p->next);
	}
	if (!p || !p->allowed || !p->group || !p->group_of || !p->decision || !p->decision_of || !p->next) {
		partition_free(p);
		fault_memory(fault, "space");
		return NULL;
	}
	for (int i = 0; i < space->slots; i++)
		p->allowed[i] = space_all(space, i);
	partition_derive(p, NULL);
	return p;
}

void partition_free(struct partition *p)
{
	if (!p)
		return;
	free(p->allowed);
	free(p->group);
	free(p->group_of);
	free(p->decision);
	free(p->decision_of);
	free(p->next);
	free(p);
}

void partition_copy(struct partition *to, const struct partition *from)
{
	memcpy(to->allowed, from->allowed, (size_t)from->space->slots * sizeof *to->allowed);
	memcpy(to->group, from->group, (size_t)from->groups * sizeof *to->group);
	to->groups = from->groups;
	to->split = from->split;
	partition_derive(to, NULL);
}

bool partition_equal(const struct partition *a, const struct partition *b)
{
	bool equal = a->split == b->split && a->groups == b->groups &&
		memcmp(a->allowed, b->allowed, (size_t)a->space->slots * sizeof *a->allowed) == 0;
	for (int g = 0; equal && g < a->groups; g++)
		equal = strcmp(a->group[g].pattern, partition_pattern(b, a->group[g].name)) == 0;
	return equal;
}

static int group_named(const struct partition *p, const char *name)
{
	for (int g = 0; g < p->groups; g++)
		if (strcmp(p->group[g].name, name) == 0)
			return g;
	return -1;
}

const char *partition_pattern(const struct partition *p, const char *name)
{
	int g = group_named(p, name);
	return g < 0 ? "" : p->group[g].pattern;
}

// ---- groups ----

// What a group joins: a layer with both of its slots, or a slot of the architecture.
static const char *part_name(const struct space *s, int slot)
{
	return space_of_format(s, slot) ? s->model->layer[space_layer(slot)].name : s->slot[slot].name;
}

// Whether a pattern means layers; else it means slots of the architecture.
static bool means_layers(const struct space *s, const char *pattern)
{
	for (int l = 0; l < s->model->layers; l++)
		if (fnmatch(pattern, s->model->layer[l].name, 0) == 0)
			return true;
	return false;
}

static bool matches(const struct space *s, int slot, const char *pattern, bool layers)
{
	char alone[SPACE_NAME];
	return space_of_format(s, slot) == layers &&
		(fnmatch(pattern, part_name(s, slot), 0) == 0 ||
			(!layers && strchr(pattern, ':') && fnmatch(pattern, names_alone(s->slot[slot].name, alone), 0) == 0));
}

static void find_groups(struct partition *p)
{
	for (int i = 0; i < p->space->slots; i++)
		p->group_of[i] = -1;
	for (int g = 0; g < p->groups; g++) {
		bool layers = means_layers(p->space, p->group[g].pattern);
		for (int i = 0; i < p->space->slots; i++)
			if (matches(p->space, i, p->group[g].pattern, layers))
				p->group_of[i] = g;
	}
}

static bool can_be_name(const char *name, const char *pattern, struct fault *fault)
{
	return (*name && strlen(name) < SPACE_NAME - 2 && strlen(pattern) < SPACE_PATTERN &&
		       !name[strcspn(name, " *?[].,:|\"'\\#\t=")]) ||
		fault_set(fault, name, "choose a short word of letters and digits",
			"this cannot be a group's name, or the pattern is too long");
}

static bool is_free_name(const struct space *s, const char *name, struct fault *fault)
{
	for (int i = 0; i < s->slots; i++) {
		const char *part = part_name(s, i);
		size_t block = space_of_format(s, i) ? 0 : (size_t)names_block(part);
		if (strcmp(name, part) == 0 || (block && strlen(name) == block && strncmp(name, part, block) == 0))
			return fault_set(fault, name, "choose another name", "a %s has this name already",
				space_of_format(s, i) ? "layer" : "block");
	}
	return true;
}

// Whether slots of the architecture can be decided as one: they are of one kind, and their options are the same.
static bool alike(const struct slot *a, const struct slot *b)
{
	bool same = a->kind == b->kind && a->options == b->options;
	for (int o = 0; same && o < a->options; o++)
		same = a->value[o] == b->value[o];
	return same;
}

static bool may_join(const struct partition *p, int group, const char *name, int first, int slot, struct fault *fault)
{
	const struct space *s = p->space;
	char todo[128 + SPACE_NAME];
	int other = p->group_of[slot]; // as it is now: what stands in `group` may stay there
	if (other >= 0 && other != group) {
		snprintf(todo, sizeof todo, "ungroup %s first", p->group[other].name);
		return fault_set(fault, name, todo, "%s is in the group %s", part_name(s, slot), p->group[other].name);
	}
	return space_of_format(s, slot) || alike(&s->slot[first], &s->slot[slot]) ||
		fault_set(fault, name, "group slots of one kind that have the same options", "%s and %s cannot be decided as one",
			s->slot[first].name, s->slot[slot].name);
}

static bool dissolve(struct partition *p, int group, const char *name, struct fault *fault)
{
	if (group < 0)
		return fault_set(fault, name, "`group PATTERN as NAME` makes one", "there is no such group");
	memmove(&p->group[group], &p->group[group + 1], (size_t)(--p->groups - group) * sizeof *p->group);
	find_groups(p);
	return true;
}

bool partition_group(struct partition *p, const char *name, const char *pattern, struct fault *fault)
{
	const struct space *s = p->space;
	int g = group_named(p, name), first = -1;
	if (!*pattern)
		return dissolve(p, g, name, fault);
	if (!can_be_name(name, pattern, fault) || !is_free_name(s, name, fault))
		return false;
	bool layers = means_layers(s, pattern);
	for (int i = 0; i < s->slots; i++) {
		if (!matches(s, i, pattern, layers))
			continue;
		first = first < 0 ? i : first;
		if (!may_join(p, g, name, first, i, fault))
			return false;
	}
	if (first < 0)
		return s->slots > s->formats
			? fault_set(fault, pattern, "`layers` and `slots` list them", "no such layer or slot")
			: fault_set(fault, pattern, "`layers` lists them", "no such layer");
	if (g < 0)
		g = p->groups++; // there is room: each has a slot that no other has
	snprintf(p->group[g].name, sizeof p->group[g].name, "%s", name);
	snprintf(p->group[g].pattern, sizeof p->group[g].pattern, "%s", pattern);
	find_groups(p);
	return true;
}

// ---- decisions ----

// Whether two slots are decided as one.
static bool together(const struct partition *p, int i, int j)
{
	const struct space *s = p->space;
	bool grouped = p->group_of[i] >= 0 && p->group_of[i] == p->group_of[j];
	if (!space_of_format(s, i) || !space_of_format(s, j))
		return grouped;
	return (grouped || space_layer(i) == space_layer(j)) && (!p->split || i % HALVES == j % HALVES);
}

bool partition_derive(struct partition *p, struct fault *fault)
{
	const struct space *s = p->space;
	find_groups(p);
	p->decisions = 0;
	for (int i = 0; i < s->slots; i++) {
		int before = i - 1;
		while (before >= 0 && !together(p, i, before))
			before--;
		p->next[i] = -1;
		if (before < 0) {
			p->decision_of[i] = p->decisions;
			p->decision[p->decisions++] = (struct decision){i, s->slot[i].options, p->allowed[i]};
		} else {
			p->decision_of[i] = p->decision_of[before];
			p->next[before] = i;
			p->decision[p->decision_of[i]].allowed &= p->allowed[i];
		}
	}
	for (int d = 0; d < p->decisions; d++)
		if (!p->decision[d].allowed) {
			char name[SPACE_NAME], todo[128];
			partition_name(p, d, name);
			snprintf(todo, sizeof todo, "unpin %s first, or restrict it as a whole", name);
			return fault_set(fault, name, todo, "it is one decision, and no %s is allowed to all of its parts",
				space_of_format(s, p->decision[d].first) ? "format" : "option");
		}
	return true;
}

void partition_spread(const struct partition *p, uint8_t *choice)
{
	for (int i = 0; i < p->space->slots; i++)
		choice[i] = choice[p->decision[p->decision_of[i]].first];
}

bool partition_there(const struct partition *p, int decision, const uint8_t *choice)
{
	if (!p->space->rests)
		return true;
	for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
		if (slot_there(p->space->slot, i, choice))
			return true;
	return false;
}

void partition_canonical(const struct partition *p, uint8_t *choice)
{
	for (int d = 0; p->space->rests && d < p->decisions; d++)
		for (int i = partition_there(p, d, choice) ? -1 : p->decision[d].first; i >= 0; i = p->next[i])
			choice[i] = (uint8_t)__builtin_ctz(p->decision[d].allowed);
}

// ---- names ----

void partition_name(const struct partition *p, int decision, char name[SPACE_NAME])
{
	const struct space *s = p->space;
	int slot = p->decision[decision].first, group = p->group_of[slot];
	const char *whole = group >= 0 ? p->group[group].name : part_name(s, slot);
	bool half = p->split && space_of_format(s, slot);
	snprintf(name, SPACE_NAME, "%.*s%s", SPACE_NAME - (space_of_format(s, slot) ? 3 : 1), whole,
		half ? strrchr(s->slot[slot].name, '.') : "");
}

static struct named_slot named_alone(const void *of, int slot)
{
	const struct space *s = of;
	return (struct named_slot){.name = s->slot[slot].name,
		.layer = space_of_format(s, slot) ? s->model->layer[space_layer(slot)].name : NULL,
		.group = "",
		.decision = slot};
}

static bool has_alone(const void *of, int slot, const char *option)
{
	const struct slot *s = &((const struct space *)of)->slot[slot];
	for (int o = 0; o < s->options; o++)
		if (strcmp(s->option[o], option) == 0)
			return true;
	return false;
}

static struct named_slot named(const void *of, int slot)
{
	const struct partition *p = of;
	struct named_slot name = named_alone(p->space, slot);
	if (p->group_of[slot] >= 0)
		name.group = p->group[p->group_of[slot]].name;
	name.decision = p->decision_of[slot];
	return name;
}

static bool has(const void *of, int slot, const char *option)
{
	return has_alone(((const struct partition *)of)->space, slot, option);
}

bool space_meant(const struct space *s, const char *word, const char *options, bool *meant)
{
	return names_meant(&(struct named_slots){s, s->slots, named_alone, has_alone}, word, options, meant);
}

bool partition_meant(const struct partition *p, const char *word, const char *options, bool *meant)
{
	return names_meant(&(struct named_slots){p, p->space->slots, named, has}, word, options, meant);
}

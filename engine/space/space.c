// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/space/space.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/quant/format.h"

// int-s, int-l, fp-s and fp-l are FLIQS's spaces. Under max scaling e1m2 equals int4, so no named space holds both.
const struct named_space space_names[SPACE_NAMES] = {
	{"wide", "int2,int3,int4,int5,int6,int7,int8", "0.1x"},
	{"int-s", "int4,int8", "0.3x"},
	{"int-l", "int4,int5,int6,int7,int8", "0.3x"},
	{"fp-s", "e2m1,e4m3", "0.3x"},
	{"fp-l", "e2m1,e2m2,e3m1,e2m3,e3m2,e2m4,e3m3,e4m2,e4m3", "0.3x"},
	{"mixed", "int2,int3,int4,e2m1,int5,e2m2,int6,e3m2,int8,e4m3", "0.1x"},
};

int space_formats(const char *spec, int format[SPACE_OPTIONS], struct fault *fault)
{
	bool has[FORMATS] = {false};
	for (int i = 0; i < SPACE_NAMES; i++)
		if (strcmp(spec, space_names[i].name) == 0)
			spec = space_names[i].formats;
	char word[32];
	while (list_next(&spec, word, sizeof word)) {
		int f = format_named(word);
		if (f < 0)
			return fault_set(fault, "space", "name formats such as int4,int8,e4m3 or a space such as wide",
				"\"%s\" is neither a format nor a named space", word);
		has[f] = true;
	}
	if (has[format_named("int4")] && has[format_named("e1m2")])
		return fault_set(fault, "space", "leave out one of them", "int4 and e1m2 are the same numbers under max scaling");
	int count = 0;
	for (int f = 0; f < FORMATS; f++)
		if (has[f])
			format[count++] = f;
	return count ? count : fault_set(fault, "space", "name formats such as int4,int8", "no formats given");
}

struct space *space_new(const struct model *model, const char *spec, struct fault *fault)
{
	static const char *const half_names[HALVES] = {"w", "a"};
	int format[SPACE_OPTIONS], options = space_formats(spec, format, fault);
	if (!options)
		return NULL;
	struct space *s = calloc(1, sizeof *s);
	if (s) {
		s->model = model;
		s->slots = model->layers * HALVES;
		s->slot = calloc((size_t)s->slots, sizeof *s->slot);
	}
	if (!s || !s->slot) {
		space_free(s);
		fault_memory(fault, "space");
		return NULL;
	}
	for (int i = 0; i < s->slots; i++) {
		struct slot *slot = &s->slot[i];
		const char *layer = model->layer[space_layer(i)].name;
		snprintf(slot->name, sizeof slot->name, "%.*s.%s", SPACE_NAME - 3, layer, half_names[i % HALVES]);
		slot->options = options;
		memcpy(slot->format, format, sizeof format);
	}
	return s;
}

void space_free(struct space *s)
{
	if (s)
		free(s->slot);
	free(s);
}

void space_plan(const struct space *s, const uint8_t *choice, struct plan *plan)
{
	plan->model = s->model;
	for (int l = 0; l < s->model->layers; l++) {
		int w = space_slot(l, HALF_WEIGHT), a = space_slot(l, HALF_ACTIVATION);
		plan->layer[l].weight = s->slot[w].format[choice[w]];
		plan->layer[l].activation = s->slot[a].format[choice[a]];
	}
}

int space_option(const struct space *s, int slot, int format)
{
	for (int o = 0; o < s->slot[slot].options; o++)
		if (s->slot[slot].format[o] == format)
			return o;
	return -1;
}

bool space_option_named(const struct space *s, int slot, const char *name, int *option, struct fault *fault)
{
	int format = format_named(name);
	char todo[160] = "its formats are";
	*option = format < 0 ? -1 : space_option(s, slot, format);
	if (*option >= 0)
		return true;
	for (int o = 0; o < s->slot[slot].options; o++) {
		size_t used = strlen(todo);
		snprintf(todo + used, sizeof todo - used, " %s", format_table[s->slot[slot].format[o]].name);
	}
	return fault_set(fault, name[0] ? name : s->slot[slot].name, todo, "%s",
		!name[0]             ? "a format is missing, at a comma or altogether"
			: format < 0 ? "no such format"
				     : "not in the space of this search");
}

// ---- what is decided together ----

struct partition *partition_new(const struct space *space, struct fault *fault)
{
	struct partition *p = calloc(1, sizeof *p);
	size_t slots = (size_t)space->slots, layers = slots / HALVES;
	if (p) {
		p->space = space;
		p->allowed = calloc(slots, sizeof *p->allowed);
		p->group = calloc(layers, sizeof *p->group);
		p->group_of = calloc(layers, sizeof *p->group_of);
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

static bool matches(const struct partition *p, int layer, const char *pattern)
{
	return fnmatch(pattern, p->space->model->layer[layer].name, 0) == 0;
}

bool partition_group(struct partition *p, const char *name, const char *pattern, struct fault *fault)
{
	int g = group_named(p, name), layers = 0;
	if (!*pattern) {
		if (g < 0)
			return fault_set(fault, name, "`group PATTERN as NAME` makes one", "there is no such group");
		memmove(&p->group[g], &p->group[g + 1], (size_t)(--p->groups - g) * sizeof *p->group);
		return true;
	}
	if (!*name || strlen(name) >= SPACE_NAME - 2 || strlen(pattern) >= SPACE_PATTERN ||
		name[strcspn(name, " *?[].,|\"'\\#\t=")])
		return fault_set(fault, name, "choose a short word of letters and digits",
			"this cannot be a group's name, or the pattern is too long");
	for (int l = 0; l < p->space->model->layers; l++) {
		const char *layer = p->space->model->layer[l].name;
		if (strcmp(name, layer) == 0)
			return fault_set(fault, name, "choose another name", "a layer has this name already");
		if (!matches(p, l, pattern))
			continue;
		layers++;
		for (int other = 0; other < p->groups; other++)
			if (other != g && matches(p, l, p->group[other].pattern)) {
				char todo[128];
				snprintf(todo, sizeof todo, "ungroup %s first", p->group[other].name);
				return fault_set(fault, name, todo, "%s is in the group %s", layer, p->group[other].name);
			}
	}
	if (!layers)
		return fault_set(fault, pattern, "`layers` lists them", "no such layer");
	if (g < 0)
		g = p->groups++; // there is room: each has a layer that no other has
	snprintf(p->group[g].name, sizeof p->group[g].name, "%s", name);
	snprintf(p->group[g].pattern, sizeof p->group[g].pattern, "%s", pattern);
	return true;
}

// Whether two slots are decided as one.
static bool together(const struct partition *p, int i, int j)
{
	int a = space_layer(i), b = space_layer(j);
	return (a == b || (p->group_of[a] >= 0 && p->group_of[a] == p->group_of[b])) && (!p->split || i % HALVES == j % HALVES);
}

bool partition_derive(struct partition *p, struct fault *fault)
{
	const struct space *s = p->space;
	for (int l = 0; l < s->model->layers; l++) {
		p->group_of[l] = -1;
		for (int g = 0; g < p->groups; g++)
			if (matches(p, l, p->group[g].pattern))
				p->group_of[l] = g;
	}
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
			return fault_set(fault, name, todo, "it is one decision, and no format is allowed to all of its parts");
		}
	return true;
}

void partition_spread(const struct partition *p, uint8_t *choice)
{
	for (int i = 0; i < p->space->slots; i++)
		choice[i] = choice[p->decision[p->decision_of[i]].first];
}

void partition_name(const struct partition *p, int decision, char name[SPACE_NAME])
{
	int slot = p->decision[decision].first, layer = space_layer(slot), group = p->group_of[layer];
	const char *whole = group >= 0 ? p->group[group].name : p->space->model->layer[layer].name;
	snprintf(name, SPACE_NAME, "%.*s%s", SPACE_NAME - 3, whole, p->split ? strrchr(p->space->slot[slot].name, '.') : "");
}

enum meaning space_meaning(const char *word, const char *layer, const char *slot, const char *group)
{
	size_t n = strlen(group);
	const char *behind = n && strncmp(word, group, n) == 0 ? word + n : NULL; // of the group's name
	if (fnmatch(word, layer, 0) == 0 || (behind && !*behind))
		return MEANS_LAYER;
	return fnmatch(word, slot, 0) == 0 || (behind && strcmp(behind, strrchr(slot, '.')) == 0) ? MEANS_SLOT : MEANS_NOTHING;
}

bool partition_meant(const struct partition *p, const char *word, bool *meant)
{
	bool any = false;
	memset(meant, 0, (size_t)p->space->slots * sizeof *meant);
	for (int i = 0; i < p->space->slots; i++) {
		int layer = space_layer(i), g = p->group_of[layer];
		enum meaning meaning = space_meaning(word, p->space->model->layer[layer].name, p->space->slot[i].name,
			g >= 0 ? p->group[g].name : "");
		if (meaning == MEANS_NOTHING)
			continue;
		any = meant[i] = true;
		for (int j = p->decision[p->decision_of[i]].first; meaning == MEANS_LAYER && j >= 0; j = p->next[j])
			meant[j] = true;
	}
	return any;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Changes that a person makes while the search runs, and what takes them back.
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"

// The options that a list of formats allows a decision.
static bool read_mask(const struct search *s, int decision, const char *list, uint32_t *mask, struct fault *fault)
{
	const struct decision *d = &s->space->decision[decision];
	uint32_t all = (uint32_t)((1ull << d->options) - 1);
	*mask = 0;
	if (strcmp(list, "all") == 0) {
		*mask = all;
		return true;
	}
	while (*list) {
		char word[24];
		size_t n = strcspn(list, ",");
		snprintf(word, sizeof word, "%.*s", n < 23 ? (int)n : 23, list);
		int format = format_named(word), option = format < 0 ? -1 : space_option(s->space, decision, format);
		if (option < 0)
			return fault_set(fault, word, "`status` names the formats of this search", "%s",
				format < 0 ? "no such format" : "not in the space of this search");
		*mask |= 1u << option;
		list += n + (list[n] == ',');
	}
	return *mask ? true : fault_set(fault, d->name, "name at least one format, or all", "no option would be left");
}

static void mask_text(const struct search *s, int decision, uint32_t mask, char *buf, size_t size)
{
	const struct decision *d = &s->space->decision[decision];
	if (mask == (uint32_t)((1ull << d->options) - 1)) {
		snprintf(buf, size, "all");
		return;
	}
	size_t used = 0;
	buf[0] = 0;
	for (int o = 0; o < d->options && used < size; o++)
		if (mask >> o & 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", format_table[d->format[o]].name);
}

// Fills `allowed` [decisions] with what the change asks for.
static bool restricted(const struct search *s, const struct change *c, uint32_t *allowed, struct fault *fault)
{
	for (int i = 0; i < c->items; i++) {
		bool met = false;
		for (int d = 0; d < s->space->decisions; d++) {
			if (fnmatch(c->item[i].name, s->space->decision[d].name, 0) != 0)
				continue;
			met = true;
			if (!read_mask(s, d, c->item[i].value, &allowed[d], fault))
				return false;
		}
		if (!met) {
			char todo[128];
			snprintf(todo, sizeof todo, "layers are named like %s; `layers` lists them", s->space->decision[0].name);
			return fault_set(fault, c->item[i].name, todo, "no such layer");
		}
	}
	return true;
}

static bool add_inverse(struct change *inverse, const char *name, const char *value)
{
	struct change_item *room = realloc(inverse->item, (size_t)(inverse->items + 1) * sizeof *room);
	if (!room)
		return false;
	inverse->item = room;
	snprintf(room[inverse->items].name, sizeof room->name, "%s", name);
	snprintf(room[inverse->items].value, sizeof room->value, "%s", value);
	inverse->items++;
	return true;
}

// The reward is another one from here on: forget what it was compared with, and let the policy look around again.
static void reward_changed(struct search *s)
{
	s->has_baseline = false;
	if (s->step >= s->warmup)
		policy_reopen(s->policy, s->knobs.reopen);
}

static bool out_of_memory(struct fault *fault)
{
	return fault_set(fault, "change", "close something else", "out of memory");
}

static bool apply_restrict(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	size_t size = (size_t)s->space->decisions * sizeof(uint32_t);
	uint32_t *now = policy_allowed(s->policy), *wanted = malloc(size);
	if (!wanted)
		return out_of_memory(fault);
	memcpy(wanted, now, size);
	bool ok = restricted(s, c, wanted, fault);
	for (int d = 0; ok && d < s->space->decisions; d++)
		if (wanted[d] != now[d]) {
			char text[ENGINE_TEXT];
			mask_text(s, d, now[d], text, sizeof text);
			ok = add_inverse(inverse, s->space->decision[d].name, text) || out_of_memory(fault);
		}
	if (ok) {
		memcpy(now, wanted, size);
		policy_refresh(s->policy);
		if (inverse->items)
			reward_changed(s);
	}
	free(wanted);
	return ok;
}

// Settings by name: live knobs, weights, targets. All are tried on a copy first.
static bool apply_settings(struct search *s, const struct change *c, const char *prefix, struct change *inverse,
	struct fault *fault)
{
	struct knobs wanted = s->knobs;
	for (int i = 0; i < c->items; i++) {
		char name[ENGINE_NAME + 8], old[ENGINE_TEXT];
		snprintf(name, sizeof name, "%s%s", prefix, c->item[i].name);
		if (!knobs_set(&wanted, name, c->item[i].value, true, fault))
			return false;
		knobs_get(&s->knobs, name, old, sizeof old);
		if (!add_inverse(inverse, c->item[i].name, old))
			return out_of_memory(fault);
	}
	for (int t = 0; t < COST_TERMS; t++) {
		double ignored;
		if (wanted.target[t][0] && !cost_target(t, s->model, s->widest[t], wanted.target[t], &ignored, fault))
			return false;
		if (wanted.weight[t] > 0 && !wanted.target[t][0])
			return fault_set(fault, cost_table[t].name, "give it a target first: target TERM SPEC", "has no target yet");
	}
	bool same_reward = memcmp(wanted.weight, s->knobs.weight, sizeof wanted.weight) == 0 &&
		memcmp(wanted.target, s->knobs.target, sizeof wanted.target) == 0 && wanted.reward == s->knobs.reward &&
		wanted.quality == s->knobs.quality;
	s->knobs = wanted;
	search_settle_costs(s);
	if (!same_reward)
		reward_changed(s);
	return true;
}

static bool read_steps(const struct change *c, long *steps, struct fault *fault)
{
	char *end;
	*steps = c->items == 1 ? strtol(c->item[0].value, &end, 10) : 0;
	if (c->items != 1 || *end || *steps < 1 || *steps > SEARCH_HORIZON)
		return fault_set(fault, "extend", "extend N", "N is a number of steps from 1 to %d", SEARCH_HORIZON);
	return true;
}

bool search_apply(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	long steps;
	*inverse = (struct change){.kind = c->kind};
	bool ok = false;
	switch (c->kind) {
	case CHANGE_RESTRICT:
		ok = apply_restrict(s, c, inverse, fault);
		break;
	case CHANGE_WEIGHT:
		ok = apply_settings(s, c, "weight.", inverse, fault);
		break;
	case CHANGE_TARGET:
		ok = apply_settings(s, c, "target.", inverse, fault);
		break;
	case CHANGE_SET:
		ok = apply_settings(s, c, "", inverse, fault);
		break;
	case CHANGE_EXTEND:
		ok = read_steps(c, &steps, fault);
		if (ok && steps > SEARCH_HORIZON - s->horizon)
			ok = fault_set(fault, "extend", "begin a new session", "a search has %d steps at most", SEARCH_HORIZON);
		if (ok)
			s->horizon += steps;
		break;
	}
	if (!ok) {
		free(inverse->item);
		*inverse = (struct change){.kind = c->kind};
	}
	search_modal(s, s->modal);
	return ok;
}

bool search_check(const struct search *s, const struct change *c, struct fault *fault)
{
	struct knobs scratch = {0}; // only written to
	long steps;
	if (c->items < 1)
		return fault_set(fault, "change", "name what to change", "nothing to change");
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		char name[ENGINE_NAME + 8];
		double ignored;
		bool ok = true;
		switch (c->kind) {
		case CHANGE_RESTRICT:
			break;
		case CHANGE_WEIGHT:
		case CHANGE_TARGET:
			if (cost_named(item->name) < 0)
				return fault_set(fault, item->name, "cost terms are bops, bops-linear and size", "no such cost term");
			snprintf(name, sizeof name, "%s.%s", c->kind == CHANGE_WEIGHT ? "weight" : "target", item->name);
			ok = knobs_set(&scratch, name, item->value, true, fault);
			if (ok && c->kind == CHANGE_TARGET && item->value[0])
				ok = cost_target(cost_named(item->name), s->model, s->widest[cost_named(item->name)], item->value,
					&ignored, fault);
			break;
		case CHANGE_SET:
			ok = knobs_set(&scratch, item->name, item->value, true, fault);
			break;
		case CHANGE_EXTEND:
			ok = read_steps(c, &steps, fault);
			break;
		}
		if (!ok)
			return false;
	}
	if (c->kind != CHANGE_RESTRICT)
		return true;
	uint32_t *mask = calloc((size_t)s->space->decisions, sizeof *mask);
	bool ok = mask ? restricted(s, c, mask, fault) : out_of_memory(fault);
	free(mask);
	return ok;
}

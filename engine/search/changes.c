// SPDX-License-Identifier: GPL-3.0-or-later
// Changes that a person makes while the search runs, and what takes them back.
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/search/inside.h"
#include "engine/search/racks.h"
#include "engine/space/names.h"

// The options that a list allows a slot.
static bool read_mask(const struct space *s, int slot, const char *list, uint32_t *mask, struct fault *fault)
{
	*mask = 0;
	if (strcmp(list, OPTIONS_ALL) == 0) {
		*mask = space_all(s, slot);
		return true;
	}
	char word[24];
	for (int option; list_next(&list, word, sizeof word); *mask |= 1u << option)
		if (!space_option_named(s, slot, word, &option, fault))
			return false;
	return true;
}

// A list of options is for slots of one kind, as formats are.
static bool of_one_kind(const struct space *s, const char *word, const char *options, const bool *meant, struct fault *fault)
{
	char kinds[160] = "", todo[96];
	size_t used = 0;
	uint32_t seen = 0;
	for (int i = s->formats; i < s->slots && used < sizeof kinds; i++) {
		enum slot_kind kind = s->slot[i].kind;
		if (!meant[i] || seen >> kind & 1)
			continue;
		seen |= 1u << kind;
		used += (size_t)snprintf(kinds + used, sizeof kinds - used, "%s%s", used ? ", " : "", s->slot[i].name);
		snprintf(todo, sizeof todo, "name slots of one kind, as in *.%s", slot_kinds[kind].word);
	}
	return !(seen & (seen - 1)) || strcmp(options, OPTIONS_ALL) == 0 ||
		fault_set(fault, word, todo, "it means slots of several kinds: %s", kinds);
}

static void mask_text(const struct space *s, int slot, uint32_t mask, char *buf, size_t size)
{
	const struct slot *d = &s->slot[slot];
	size_t used = 0;
	snprintf(buf, size, "%s", OPTIONS_ALL);
	for (int o = 0; mask != space_all(s, slot) && o < d->options && used < size; o++)
		if (mask >> o & 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", d->option[o]);
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

static bool out_of_memory(struct fault *fault)
{
	return fault_memory(fault, "change");
}

// ---- what takes new masks back ----

// Whether a word and options, in `now`, set the mask of slot `i` in it, and otherwise only masks of `next` that were not there before.
static bool takes_back(const struct partition *now, const struct partition *next, const char *word, const char *options, int i,
	bool *meant)
{
	const struct space *s = now->space;
	bool exact = partition_meant(now, word, options, meant) && meant[i];
	for (int j = 0; j < s->slots && exact; j++) {
		uint32_t mask;
		exact = !meant[j] ||
			(read_mask(s, j, options, &mask, NULL) && mask == now->allowed[j] && next->allowed[j] != mask);
	}
	return exact;
}

// The widest word for a slot's mask that is exact: all formats, or its half of all; its group or layer; itself, and that alone.
static bool word_back(const struct partition *now, const struct partition *next, int i, struct change *inverse, bool *meant)
{
	const struct space *s = now->space;
	const bool format = space_of_format(s, i);
	const int group = now->group_of[i];
	char text[ENGINE_TEXT], alone[SPACE_NAME];
	const char *const words[] = {format ? "*" : "", format ? i % HALVES == HALF_WEIGHT ? "*.w" : "*.a" : "",
		group >= 0       ? now->group[group].name
			: format ? s->model->layer[space_layer(i)].name
				 : "",
		s->slot[i].name, names_alone(s->slot[i].name, alone)};
	const int last = sizeof words / sizeof *words - (format ? 2 : 1);
	int word = 0;
	mask_text(s, i, now->allowed[i], text, sizeof text);
	while (!(words[word][0] && takes_back(now, next, words[word], text, i, meant)) && word < last)
		word++;
	return add_inverse(inverse, words[word], text);
}

// In as few words as can be: one for many slots where all of these were the same. `done` and `meant` are room for a flag per slot each, the
// first all false.
static bool restriction_back(const struct partition *now, const struct partition *next, struct change *inverse, bool *done,
	bool *meant)
{
	const int slots = now->space->slots;
	for (int i = 0; i < slots; i++) {
		if (done[i] || now->allowed[i] == next->allowed[i])
			continue;
		if (!word_back(now, next, i, inverse, meant))
			return false;
		for (int j = i; j < slots; j++)
			done[j] |= meant[j];
	}
	return true;
}

static bool nothing_meant(const struct space *s, const char *word, struct fault *fault)
{
	char todo[128 + 2 * SPACE_NAME];
	if (!s->model->layers) {
		snprintf(todo, sizeof todo, "`slots` lists them: %s is one", s->slot[0].name);
		return fault_set(fault, word, todo, "no such slot");
	}
	if (s->slots > s->formats) {
		snprintf(todo, sizeof todo, "layers are named like %s, slots like %s; `layers` and `slots` list them",
			s->model->layer[0].name, s->slot[s->formats].name);
		return fault_set(fault, word, todo, "no such layer or slot");
	}
	snprintf(todo, sizeof todo, "layers are named like %s; `layers` lists them", s->model->layer[0].name);
	return fault_set(fault, word, todo, "no such layer");
}

static bool restrict_items(struct partition *wanted, const struct change *c, bool *meant, struct fault *fault)
{
	const struct space *space = wanted->space;
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		if (!partition_meant(wanted, item->name, item->value, meant))
			return nothing_meant(space, item->name, fault);
		if (!of_one_kind(space, item->name, item->value, meant, fault))
			return false;
		for (int slot = 0; slot < space->slots; slot++)
			if (meant[slot] && !read_mask(space, slot, item->value, &wanted->allowed[slot], fault))
				return false;
	}
	return partition_derive(wanted, fault);
}

// What new masks come to: `wanted` with the change's items, and in the inverse what takes them back to `now`.
static bool restrict_wanted(const struct partition *now, struct partition *wanted, const struct change *c, struct change *inverse,
	struct fault *fault)
{
	size_t slots = (size_t)now->space->slots;
	bool *flags = calloc(2, slots);
	bool ok = flags || out_of_memory(fault);
	partition_copy(wanted, now);
	ok = ok && restrict_items(wanted, c, flags, fault);
	ok = ok && (restriction_back(now, wanted, inverse, memset(flags, 0, slots), flags + slots) || out_of_memory(fault));
	free(flags);
	return ok;
}

// What is common to all lanes is to be as in s->wanted: all lanes come to a partition of their own by it, or it stays. A lane that
// was dropped and comes to none is not kept any more.
static bool narrow_all(struct search *s, bool forget[ENGINE_LANES], struct fault *fault)
{
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));) {
		forget[lane->place] = !lane_narrow(lane, s->wanted, fault);
		if (forget[lane->place] && !lane->dropped)
			return false;
	}
	return true;
}

static void rearrange_all(struct search *s, const bool forget[ENGINE_LANES])
{
	struct partition *before = s->common;
	s->common = s->wanted;
	s->wanted = before;
	for (int i = 0; i < ENGINE_LANES; i++)
		if (forget[i])
			lanes_forget(s, i);
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		lane_rearrange(lane);
}

static bool rearrange(struct search *s, struct fault *fault)
{
	bool forget[ENGINE_LANES] = {false};
	if (!narrow_all(s, forget, fault))
		return false;
	rearrange_all(s, forget);
	return true;
}

static bool apply_restrict(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	return restrict_wanted(s->common, s->wanted, c, inverse, fault) && (!inverse->items || rearrange(s, fault));
}

// Pins that hold in one lane alone: groups are those of all lanes, masks its own.
static bool apply_restrict_own(struct search *s, struct lane *lane, const struct change *c, struct change *inverse,
	struct fault *fault)
{
	size_t size = (size_t)s->shared.space->slots * sizeof *lane->own;
	partition_copy(s->own, s->common);
	memcpy(s->own->allowed, lane->own, size);
	partition_derive(s->own, NULL); // its own masks leave something everywhere, as they do beside those of all lanes
	if (!restrict_wanted(s->own, s->wanted, c, inverse, fault))
		return false;
	memcpy(lane->own, s->wanted->allowed, size);
	if (!lane_narrow(lane, s->common, fault)) {
		memcpy(lane->own, s->own->allowed, size);
		return false;
	}
	if (inverse->items)
		lane_rearrange(lane);
	return true;
}

static bool apply_group(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	partition_copy(s->wanted, s->common);
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		const char *old = partition_pattern(s->wanted, item->name);
		if (*old && strcmp(old, item->value) == 0)
			continue;
		if (!add_inverse(inverse, item->name, old))
			return out_of_memory(fault);
		if (!partition_group(s->wanted, item->name, item->value, fault))
			return false;
	}
	return partition_derive(s->wanted, fault) && rearrange(s, fault);
}

// Settings by name: live knobs, and of the lane weights and targets. All are tried on a copy first.
static bool apply_settings(struct search *s, struct lane *lane, const struct change *c, const char *prefix,
	struct change *inverse, struct fault *fault)
{
	struct knobs now, wanted;
	bool forget[ENGINE_LANES] = {false};
	lane_knobs(lane, &now);
	wanted = now;
	for (int i = 0; i < c->items; i++) {
		char name[ENGINE_NAME + 8], old[ENGINE_TEXT], new[ENGINE_TEXT];
		snprintf(name, sizeof name, "%s%s", prefix, c->item[i].name);
		if (!knobs_set(&wanted, name, c->item[i].value, true, fault))
			return false;
		knobs_get(&now, name, old, sizeof old);
		knobs_get(&wanted, name, new, sizeof new);
		if (strcmp(old, new) == 0)
			continue;
		if (!add_inverse(inverse, c->item[i].name, c->kind == CHANGE_TARGET && !old[0] ? TARGET_NO : old))
			return out_of_memory(fault);
	}
	if (!searcher_serves(searchers[wanted.searcher], s->shared.space, fault) || !racks_fit(&wanted, fault))
		return false;
	bool decide = wanted.decide != now.decide;
	if (decide) {
		partition_copy(s->wanted, s->common);
		s->wanted->split = wanted.decide == DECIDE_SPLIT;
		if (!partition_derive(s->wanted, fault) || !narrow_all(s, forget, fault))
			return false;
	}
	if (!search_reprice(s, lane, &wanted, fault))
		return false;
	if (decide)
		rearrange_all(s, forget);
	search_take_knobs(s, &wanted);
	return true;
}

// ---- extensions ----

// `extend`, or what takes one back: fewer than no steps. Beside the steps the learning rate: `rate`, from which it falls anew, and `from`,
// the step where that begins (of an inverse; 0: the schedule that the search began with).
struct extension {
	long steps, from;
	const char *rate; // NULL: the schedule only becomes longer
	bool has_from;
};

static bool read_whole(const char *text, long low, long *value)
{
	char *end;
	*value = strtol(text, &end, 10);
	return end != text && !*end && *value >= low && *value <= SEARCH_HORIZON;
}

static bool read_extension(const struct change *c, struct extension *e, struct fault *fault)
{
	static const char todo[] = "extend N, or extend N rate=R";
	struct knobs scratch = {0}; // only written to
	*e = (struct extension){0};
	if (c->items < 1 || !read_whole(c->item[0].value, -SEARCH_HORIZON, &e->steps) || !e->steps)
		return fault_set(fault, "extend", todo, "N is a number of steps from 1 to %d", SEARCH_HORIZON);
	for (int i = 1; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		if (strcmp(item->name, "rate") == 0 && !e->rate) {
			if (!knobs_set(&scratch, "rate", item->value, true, fault))
				return false;
			e->rate = item->value;
		} else if (strcmp(item->name, "from") == 0 && e->steps < 0 && !e->has_from &&
			read_whole(item->value, 0, &e->from)) {
			e->has_from = true;
		} else {
			return fault_set(fault, "extend", todo, "it takes no \"%s%s%s\"", item->name, item->name[0] ? "=" : "",
				item->value);
		}
	}
	return true;
}

static bool apply_extension(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	struct extension e;
	char text[ENGINE_TEXT];
	if (!read_extension(c, &e, fault))
		return false;
	if (e.steps > SEARCH_HORIZON - s->shared.horizon)
		return fault_set(fault, "extend", "begin a new session", "a search has %d steps at most", SEARCH_HORIZON);
	if (e.steps < 0 && s->shared.horizon + e.steps < s->shared.knobs.steps)
		return fault_set(fault, "extend", "extend N, with a number above 0",
			"a search is not made shorter than the %ld steps that it began with", s->shared.knobs.steps);
	if (e.steps < 0 && s->shared.horizon + e.steps < s->shared.step)
		return fault_set(fault, "extend", "go on from here: steps that are made stay",
			"it cannot be taken back: the search is at step %ld, "
			"past the %ld that it had",
			s->shared.step, s->shared.horizon + e.steps);
	if (e.from > s->shared.step)
		return fault_set(fault, "extend", "leave it out", "step %ld is still to come", e.from);
	snprintf(text, sizeof text, "%ld", -e.steps);
	bool ok = add_inverse(inverse, "", text);
	if (e.rate) {
		knobs_get(&s->shared.knobs, "rate", text, sizeof text);
		ok = ok && add_inverse(inverse, "rate", text);
		snprintf(text, sizeof text, "%ld", s->shared.restart);
		ok = ok && (e.steps < 0 || add_inverse(inverse, "from", text));
	}
	if (!ok)
		return out_of_memory(fault);
	if (e.rate) {
		knobs_set(&s->shared.knobs, "rate", e.rate, true, NULL);
		s->shared.restart = e.steps > 0 ? s->shared.step : e.from;
	}
	s->shared.horizon += e.steps;
	return true;
}

// ---- polish ----

static const char DROP[] = "drop";

// `lane polish N rate=R`, or what takes one back. steps 0: the latter. rate 0: none is asked for.
static bool read_polish(const struct change *c, long *steps, double *rate, struct fault *fault)
{
	static const char todo[] = "lane polish N, or lane polish N rate=R";
	struct knobs scratch = {0}; // only written to
	*steps = 0;
	*rate = 0;
	if (c->items == 1 && strcmp(c->item[0].value, DROP) == 0)
		return true;
	if (c->items < 1 || !read_whole(c->item[0].value, 1, steps))
		return fault_set(fault, "lane polish", todo, "N is a number of steps from 1 to %d", SEARCH_HORIZON);
	if (c->items > 2 || (c->items == 2 && strcmp(c->item[1].name, "rate") != 0))
		return fault_set(fault, "lane polish", todo, "it takes no \"%s=%s\"", c->item[c->items - 1].name,
			c->item[c->items - 1].value);
	if (c->items == 2 && !knobs_set(&scratch, "rate", c->item[1].value, true, fault))
		return false;
	*rate = scratch.rate;
	return c->items < 2 || *rate > 0 || fault_set(fault, "rate", todo, "with a learning rate of 0 nothing is trained");
}

// What takes a polish back drops what came of it; what takes that back polishes anew.
static bool apply_polish(struct search *s, const struct lane *lane, const struct change *c, struct change *inverse,
	struct fault *fault)
{
	struct polishing gone;
	long steps;
	double rate;
	if (!read_polish(c, &steps, &rate, fault))
		return false;
	if (!add_inverse(inverse, "", DROP) || (!steps && !add_inverse(inverse, "rate", "")))
		return out_of_memory(fault);
	inverse->lane = lane->number;
	if (steps)
		return polish_begin(&s->polish, s->source, lane, steps, rate, fault);
	if (!polish_drop(&s->polish, s->source, lane->number, &gone, fault))
		return false;
	snprintf(inverse->item[0].value, sizeof inverse->item->value, "%ld", gone.steps);
	snprintf(inverse->item[1].value, sizeof inverse->item->value, "%.9g", gone.rate);
	return true;
}

// ---- what a person is told ----

static void say(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	used += (size_t)snprintf(buf + used, size - used, "%s", used ? "; " : "");
	va_list args;
	va_start(args, format);
	if (used < size)
		vsnprintf(buf + used, size - used, format, args);
	va_end(args);
}

// Where an extension makes the learning rate leap, the weights are thrown about for a while.
static void say_rate(const struct search *s, double before, char *buf, size_t size)
{
	const struct source_kind *kind = s->source->kind;
	double next = kind->rate ? kind->rate(s->source, s->shared.step) : 0;
	if (!kind->rate || s->shared.step == 0 || s->shared.step >= s->shared.horizon)
		return;
	say(buf, size, "the learning rate goes from %.2g to %.2g at the next step", before, next);
	if (next > 2 * before && !s->shared.restart)
		say(buf, size, "`extend N rate=R` restarts it at R");
}

static bool missed(enum target_reach reach)
{
	return reach == TARGET_BELOW || reach == TARGET_BELOW_FOUND;
}

// A target that was asked for, or that this change has put out of reach.
static void say_targets(const struct search *s, const struct lane *lane, const struct change *c, bool own,
	const enum target_reach *before, char *buf, size_t size)
{
	for (int t = 0; t < s->shared.terms; t++) {
		char text[2 * ENGINE_TEXT];
		bool named = false;
		for (int i = 0; own && (c->kind == CHANGE_TARGET || c->kind == CHANGE_ADD_LANE) && i < c->items; i++)
			named = named || strcmp(c->item[i].name, s->shared.term[t].name) == 0;
		bool lost = missed(lane_reach(lane, t)) && !missed(before[t]) && lane_counts(lane, t);
		lane_reach_text(lane, t, text, sizeof text);
		if (!text[0] || !(named || lost))
			continue;
		if (named && c->items == 1)
			say(buf, size, "%s", text);
		else if (s->shared.lanes > 1)
			say(buf, size, "lane %d, %s %s: %s", lane->number, s->shared.term[t].name, lane->aim[t].asked, text);
		else
			say(buf, size, "%s %s: %s", s->shared.term[t].name, lane->aim[t].asked, text);
	}
}

// Pins under which nothing is possible: what is missing.
static void say_lack(const struct search *s, const struct lane *lane, char *buf, size_t size)
{
	char text[2 * ENGINE_TEXT];
	if (s->source->kind->lack_of_all && *s->source->kind->lack_of_all(s->source, lane->partition->allowed, text, sizeof text))
		say(buf, size, "%s", text);
}

// The lane that a change is about: the one it names; else the first, or where all it says holds for all lanes, any.
static struct lane *lane_of(struct search *s, const struct change *c, struct fault *fault)
{
	bool own = c->kind == CHANGE_WEIGHT || c->kind == CHANGE_TARGET || c->kind == CHANGE_ADD_LANE || c->kind == CHANGE_POLISH;
	for (int i = 0; c->kind == CHANGE_SET && i < c->items; i++)
		own = own || setting_of_lane(c->item[i].name);
	return c->lane || own ? lanes_numbered(s, c->lane ? c->lane : 1, fault) : lanes_next(s, NULL);
}

static bool read_number(const struct change *c, int *number, struct fault *fault)
{
	long value;
	if (c->items != 1 || !read_whole(c->item[0].value, 1, &value))
		return fault_set(fault, c->items ? c->item[0].value : "lane", "`lane list` lists them",
			"this is not the number of a lane");
	*number = (int)value;
	return true;
}

// What takes the coming or going of a lane back: the change of another kind with the same number.
static bool apply_lanes(struct search *s, const struct change *c, struct change *inverse, struct fault *fault)
{
	int number = 0;
	if (c->kind != CHANGE_ADD_LANE && !read_number(c, &number, fault))
		return false;
	*inverse = (struct change){.kind = c->kind == CHANGE_DROP_LANE ? CHANGE_BACK_LANE : CHANGE_DROP_LANE};
	if (!add_inverse(inverse, "", c->item->value))
		return out_of_memory(fault);
	return c->kind == CHANGE_ADD_LANE     ? lanes_add(s, c, inverse->item, fault)
		: c->kind == CHANGE_DROP_LANE ? lanes_drop(s, number, fault)
					      : lanes_back(s, number, fault);
}

static bool apply(struct search *s, const struct change *c, struct lane *lane, struct change *inverse, struct fault *fault)
{
	switch (c->kind) {
	case CHANGE_RESTRICT:
		return c->lane ? apply_restrict_own(s, lane, c, inverse, fault) : apply_restrict(s, c, inverse, fault);
	case CHANGE_WEIGHT: return apply_settings(s, lane, c, "weight.", inverse, fault);
	case CHANGE_TARGET: return apply_settings(s, lane, c, "target.", inverse, fault);
	case CHANGE_SET: return apply_settings(s, lane, c, "", inverse, fault);
	case CHANGE_EXTEND: return apply_extension(s, c, inverse, fault);
	case CHANGE_GROUP: return apply_group(s, c, inverse, fault);
	case CHANGE_ADD_LANE:
	case CHANGE_DROP_LANE:
	case CHANGE_BACK_LANE: return apply_lanes(s, c, inverse, fault);
	case CHANGE_POLISH: return apply_polish(s, lane, c, inverse, fault);
	}
	return false;
}

bool search_apply(struct search *s, const struct change *c, struct change *inverse, char *says, size_t size, struct fault *fault)
{
	const struct source_kind *kind = s->source->kind;
	double rate = kind->rate && s->shared.step > 0 ? kind->rate(s->source, s->shared.step - 1) : 0;
	enum target_reach reach[ENGINE_LANES][ENGINE_TERMS] = {{TARGET_NONE}};
	struct lane *of = lane_of(s, c, fault);
	*inverse = (struct change){.kind = c->kind, .lane = c->lane};
	says[0] = 0;
	if (!of)
		return false;
	int kept[ENGINE_LANES] = {0};
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane)); lane_keep(lane)) {
		kept[lane->place] = lane->number;
		for (int t = 0; t < s->shared.terms; t++)
			reach[lane->place][t] = lane_reach(lane, t);
	}
	bool ok = apply(s, c, of, inverse, fault);
	if (!ok) {
		free(inverse->item);
		*inverse = (struct change){.kind = c->kind, .lane = c->lane};
	}
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));) {
		lane_answer(lane);
		lane_refresh(lane);
	}
	if (ok && c->kind == CHANGE_ADD_LANE) {
		of = lanes_numbered(s, s->numbers - 1, NULL); // it is about the new one
		say(says, size, "it is lane %d", of->number);
	}
	for (int i = 0; ok && i < ENGINE_LANES; i++)
		if (kept[i] && s->lane[i].number != kept[i])
			say(says, size, "lane %d, which was dropped, cannot be brought back any more", kept[i]);
	if (ok && c->kind == CHANGE_EXTEND)
		say_rate(s, rate, says, size);
	for (struct lane *lane = NULL; ok && c->kind != CHANGE_EXTEND && (lane = lanes_next(s, lane));)
		say_targets(s, lane, c, lane == of, reach[lane->place], says, size);
	if (ok && c->kind == CHANGE_RESTRICT)
		say_lack(s, of, says, size);
	if (ok && c->kind != CHANGE_POLISH && s->shared.step >= s->shared.horizon)
		say(says, size, "no step will follow: the search is finished, and `extend N` gives it more");
	return ok;
}

static bool about_all(enum change_kind kind)
{
	return kind == CHANGE_EXTEND || kind == CHANGE_GROUP || kind == CHANGE_DROP_LANE || kind == CHANGE_BACK_LANE;
}

// What can be said of options without the partition. A name that means nothing may be a group's, since groups come and go: then some slot
// has to have the options.
static bool check_restriction(const struct space *s, const struct change_item *item, struct fault *fault)
{
	bool *meant = calloc((size_t)s->slots, sizeof *meant);
	uint32_t mask;
	if (!meant)
		return out_of_memory(fault);
	bool named = space_meant(s, item->name, item->value, meant);
	bool ok = !named || of_one_kind(s, item->name, item->value, meant, fault);
	for (int i = 0; ok && named && i < s->slots; i++)
		ok = !meant[i] || read_mask(s, i, item->value, &mask, fault);
	free(meant);
	if (named)
		return ok;
	for (int i = s->formats; i < s->slots; i++)
		if (read_mask(s, i, item->value, &mask, NULL))
			return true;
	return read_mask(s, 0, item->value, &mask, fault);
}

bool search_check(const struct search *s, const struct change *c, struct fault *fault)
{
	struct knobs scratch = {0}; // only written to
	struct extension extension;
	long steps;
	double rate;
	if (c->items < 1)
		return fault_set(fault, "change", "name what to change", "nothing to change");
	if (c->lane < 0 || (c->lane && about_all(c->kind)))
		return fault_set(fault, "lane", "leave the lane out", "this is about all lanes");
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		char name[ENGINE_NAME + 8];
		int number;
		bool ok = true;
		switch (c->kind) {
		case CHANGE_RESTRICT: ok = check_restriction(s->shared.space, item, fault); break;
		case CHANGE_GROUP: break;
		case CHANGE_DROP_LANE:
		case CHANGE_BACK_LANE: ok = read_number(c, &number, fault); break;
		case CHANGE_ADD_LANE:
		case CHANGE_WEIGHT:
		case CHANGE_TARGET:
			snprintf(name, sizeof name, "%s.%s", c->kind == CHANGE_WEIGHT ? "weight" : "target", item->name);
			ok = knobs_set(&scratch, name, item->value, true, fault) &&
				(c->kind == CHANGE_WEIGHT || search_check_target(s, item->name, item->value, fault));
			break;
		case CHANGE_SET: ok = knobs_set(&scratch, item->name, item->value, true, fault); break;
		case CHANGE_EXTEND: ok = read_extension(c, &extension, fault); break;
		case CHANGE_POLISH: ok = read_polish(c, &steps, &rate, fault); break;
		}
		if (!ok)
			return false;
	}
	return true;
}

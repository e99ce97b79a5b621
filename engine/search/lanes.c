// SPDX-License-Identifier: GPL-3.0-or-later
// The lanes of a search as a whole: which there are, whose turn it is, and how they come and go.
//
// A lane that is dropped stays in its place, as it was, so that it can be brought back; it takes no step, and is shown nowhere.
// What holds for all lanes holds for it, too. A new lane takes a free place, or else that of the one that was dropped first.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

static struct lane *next_from(struct search *s, int place, bool dropped)
{
	for (; place < ENGINE_LANES; place++)
		if (s->lane[place].number && (dropped || !s->lane[place].dropped))
			return &s->lane[place];
	return NULL;
}

struct lane *lanes_next(struct search *s, const struct lane *before)
{
	return next_from(s, before ? before->place + 1 : 0, false);
}

struct lane *lanes_next_kept(struct search *s, const struct lane *before)
{
	return next_from(s, before ? before->place + 1 : 0, true);
}

const struct lane *lanes_in_focus(const struct search *s)
{
	const struct lane *first = NULL;
	for (int i = 0; i < ENGINE_LANES; i++) {
		const struct lane *lane = &s->lane[i];
		if (!lane->number || lane->dropped)
			continue;
		if (lane->number == s->focus)
			return lane;
		if (!first || lane->number < first->number)
			first = lane;
	}
	return first;
}

static struct lane *kept(struct search *s, int number)
{
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		if (lane->number == number)
			return lane;
	return NULL;
}

struct lane *lanes_numbered(struct search *s, int number, struct fault *fault)
{
	struct lane *lane = kept(s, number);
	char where[32], todo[96];
	if (lane && !lane->dropped)
		return lane;
	snprintf(where, sizeof where, "lane %d", number);
	snprintf(todo, sizeof todo, lane ? "`lane back %d` brings it back; `lane list` lists them" : "`lane list` lists them",
		number);
	fault_set(fault, where, todo,
		lane                                        ? "it was dropped"
			: number > 0 && number < s->numbers ? "it was dropped, and another lane has its place"
							    : "there is no such lane");
	return NULL;
}

struct lane *lanes_turn(struct search *s)
{
	const struct shared *shared = &s->shared;
	struct lane *lane = lanes_next(s, NULL);
	if (s->shared.lanes < 2)
		return lane;
	uint64_t key = rng_key((uint64_t)shared->knobs.seed, "turn", (uint64_t)shared->step);
	for (uint64_t before = rng_below(key, 0, (uint64_t)s->shared.lanes); before > 0; before--)
		lane = lanes_next(s, lane);
	return lane;
}

bool lanes_used(const struct search *s)
{
	return s->numbers > 2 || lane_has_pins(&s->lane[0]);
}

bool lanes_open(struct search *s, int place, int number, struct fault *fault)
{
	struct lane *lane = &s->lane[place];
	char name[16] = "";
	lane_close(lane);
	if (number > 1)
		snprintf(name, sizeof name, "%d", number);
	if (!lane_open(lane, name, &s->shared, fault)) {
		lane_close(lane);
		return false;
	}
	lane->place = place;
	lane->number = number;
	return true;
}

// ---- changes ----

// A free place; else that of the lane that was dropped first. -1: there is none.
static int place_for_another(const struct search *s)
{
	int place = -1;
	for (int i = 0; i < ENGINE_LANES; i++) {
		const struct lane *lane = &s->lane[i];
		if (!lane->number)
			return i;
		if (lane->dropped && (place < 0 || lane->dropped < s->lane[place].dropped))
			place = i;
	}
	return place;
}

// What the new lane wants: what the other one does, and the targets of the change, which count.
static bool read_wishes(const struct lane *from, const struct change *c, struct knobs *wanted, struct fault *fault)
{
	double weight = 0;
	char name[ENGINE_NAME + 8];
	lane_knobs(from, wanted);
	for (int t = 0; t < wanted->terms; t++)
		weight = wanted->term[t].wish.weight > weight ? wanted->term[t].wish.weight : weight;
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		snprintf(name, sizeof name, "target.%s", item->name);
		if (!knobs_set(wanted, name, item->value, true, fault))
			return false;
		struct wish *wish = &wanted->term[knobs_term(wanted, item->name)].wish;
		if (!wish->target[0])
			return fault_set(fault, item->name, "lane add TERM TARGET", "a lane begins with a target");
		wish->weight = wish->weight > 0 ? wish->weight : weight > 0 ? weight : 1;
	}
	return true;
}

bool lanes_add(struct search *s, const struct change *c, struct change_item *back, struct fault *fault)
{
	struct lane *from = lanes_numbered(s, c->lane ? c->lane : 1, fault);
	struct knobs wanted;
	int place = place_for_another(s);
	if (!from || !read_wishes(from, c, &wanted, fault))
		return false;
	if (place < 0)
		return fault_set(fault, "lane add", "`lane drop N` drops one", "a search has %d lanes at most", ENGINE_LANES);
	if (!search_can_price(s, &wanted, fault) || !lanes_open(s, place, s->numbers, fault))
		return false;
	struct lane *lane = &s->lane[place];
	lane_follow(lane, from);
	if (!search_reprice(s, lane, &wanted, fault)) {
		lane_close(lane);
		return false;
	}
	search_take_knobs(s, &wanted); // a term may be new
	if (s->source->kind->begin_lane)
		s->source->kind->begin_lane(s->source, place, from->place);
	s->numbers++;
	s->shared.lanes++;
	snprintf(back->value, sizeof back->value, "%d", lane->number);
	return true;
}

bool lanes_drop(struct search *s, int number, struct fault *fault)
{
	struct lane *lane = lanes_numbered(s, number, fault);
	if (!lane)
		return false;
	if (s->shared.lanes < 2)
		return fault_set(fault, "lane drop", "`lane add TERM TARGET` adds another first", "lane %d is the only one",
			number);
	lane->dropped = ++s->drops;
	s->shared.lanes--;
	return true;
}

bool lanes_back(struct search *s, int number, struct fault *fault)
{
	struct lane *lane = kept(s, number);
	char where[32];
	snprintf(where, sizeof where, "lane %d", number);
	if (lane && !lane->dropped)
		return fault_set(fault, where, "`lane list` lists them", "it is there already");
	if (!lane)
		return fault_set(fault, where, "`lane add TERM TARGET` adds one",
			number > 0 && number < s->numbers ? "it was dropped, and is not kept any more"
							  : "there was no such lane");
	lane->dropped = 0;
	s->shared.lanes++;
	return true;
}

void lanes_forget(struct search *s, int place)
{
	(void)place;
	lane_close(&s->lane[place]);
}

// ---- states ----

enum { VERSION = 1, NUMBERS = 6 };

static void list_numbers(struct lane *lane, long *number, struct state_number numbers[NUMBERS])
{
	memcpy(numbers,
		(struct state_number[NUMBERS]){
			{"number", .whole = number},
			{"dropped", .whole = &lane->dropped},
			{"steps", .whole = &lane->steps},
			{"begun", .whole = &lane->begun},
			{"loss", .real = &lane->loss},
			{"accuracy", .real = &lane->accuracy},
		},
		NUMBERS * sizeof *numbers);
}

static const char *place_name(int place, char name[STATE_KEY])
{
	snprintf(name, STATE_KEY, "lanes.%d.", place);
	return name;
}

// What a search with one lane does without: it has this alone where there is no such part.
bool lanes_save(struct search *s, struct state *out)
{
	int64_t slots = s->shared.space->slots, *allowed = calloc((size_t)slots, sizeof *allowed);
	struct state_number number[NUMBERS];
	char name[STATE_KEY];
	for (int i = 0; allowed && i < slots; i++)
		allowed[i] = s->common->allowed[i];
	bool ok = allowed && state_part(out, "lanes", VERSION) && state_say(out, "lanes.numbers", "%d", s->numbers) &&
		state_say(out, "lanes.drops", "%ld", s->drops) && state_add(out, "lanes.allowed", STATE_I64, 1, &slots, allowed);
	free(allowed);
	for (struct lane *lane = NULL; ok && (lane = lanes_next_kept(s, lane));) {
		long its = lane->number;
		list_numbers(lane, &its, number);
		ok = state_say_numbers(out, number, NUMBERS, place_name(lane->place, name), NULL) && lane_save_pins(lane, out);
	}
	return ok;
}

static bool restore_place(struct search *s, const struct state *in, int place, struct fault *fault)
{
	struct state_number number[NUMBERS];
	struct lane read = {0};
	char name[STATE_KEY], key[STATE_KEY];
	long its;
	list_numbers(&read, &its, number);
	place_name(place, name);
	snprintf(key, sizeof key, "lanes.%d.number", place);
	if (!state_get(in, key)) {
		lane_close(&s->lane[place]);
		return true;
	}
	if (!state_read_numbers(in, number, NUMBERS, name, NULL, fault))
		return false;
	if (its < 1 || its >= s->numbers || kept(s, (int)its) || read.dropped < 0 || read.dropped > s->drops || read.steps < 0 ||
		read.begun < 0)
		return state_damaged(fault, key);
	if (!lanes_open(s, place, (int)its, fault))
		return false;
	struct lane *lane = &s->lane[place];
	lane->dropped = read.dropped;
	lane->steps = read.steps;
	lane->begun = read.begun;
	lane->loss = read.loss;
	lane->accuracy = read.accuracy;
	s->shared.lanes += !lane->dropped;
	return lane_restore_pins(lane, in, fault);
}

bool lanes_restore(struct search *s, const struct state *in, struct fault *fault)
{
	double numbers, drops;
	if (!state_get(in, "part.lanes"))
		return true;
	if (!state_part_check(in, "lanes", VERSION, fault))
		return false;
	if (!state_real(in, "lanes.numbers", &numbers) || !(numbers >= 2 && numbers <= 1e9) ||
		!state_real(in, "lanes.drops", &drops) || !(drops >= 0 && drops <= 1e9))
		return state_damaged(fault, "lanes.numbers");
	s->numbers = (int)numbers;
	s->drops = (long)drops;
	s->shared.lanes = 0;
	for (int i = 0; i < ENGINE_LANES; i++)
		lane_close(&s->lane[i]);
	for (int i = 0; i < ENGINE_LANES; i++)
		if (!restore_place(s, in, i, fault))
			return false;
	return s->shared.lanes > 0 || state_damaged(fault, "lanes.numbers");
}

bool lanes_restore_common(struct search *s, const struct state *in, struct fault *fault)
{
	const struct space *space = s->shared.space;
	const struct lane *any = lanes_next(s, NULL); // groups, and what is decided apart, are the same in all
	partition_copy(s->common, any->partition);
	if (!state_get(in, "part.lanes"))
		return true;
	const struct state_tensor *t = state_find_as(in, "lanes.allowed", STATE_I64, space->slots);
	for (int i = 0; t && i < space->slots; i++) {
		int64_t mask = ((const int64_t *)t->data)[i];
		if (mask <= 0 || mask & ~(int64_t)space_all(space, i))
			t = NULL;
		else
			s->common->allowed[i] = (uint32_t)mask;
	}
	bool fits = t && partition_derive(s->common, NULL);
	for (struct lane *lane = NULL; fits && (lane = lanes_next_kept(s, lane));)
		fits = lane_narrow(lane, s->common, NULL) && partition_equal(lane->wanted, lane->partition);
	return fits || state_damaged(fault, "lanes.allowed");
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/front.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/settings.h"
#include "engine/tensor/rng.h"

enum { VERSION = 1 };

bool front_open(struct front *f, const struct shared *s, struct fault *fault)
{
	// Each lane's modal choice, its result, and its samples stand beside the points that stay.
	size_t slots = (size_t)s->space->slots, room = (size_t)s->knobs.front_size + ENGINE_OPTIONS + 3 * ENGINE_LANES;
	f->shared = s;
	f->room = (int)room;
	if (!(f->pricer = pricer_new(s->space, s->blueprint, fault)))
		return false;
	f->all = calloc(2 * room, sizeof *f->all);
	f->choices = calloc(2 * room, slots);
	f->draw = calloc(slots, 1);
	if (!f->all || !f->choices || !f->draw)
		return fault_memory(fault, "search");
	f->point = f->all;
	f->candidate = f->all + room;
	for (size_t i = 0; i < 2 * room; i++)
		f->all[i].choice = f->choices + i * slots;
	return true;
}

void front_close(struct front *f)
{
	pricer_free(f->pricer);
	free(f->all);
	free(f->choices);
	free(f->draw);
}

static void price_point(struct front *f, struct point *p)
{
	pricer_take(f->pricer, f->shared->term, f->shared->terms, p->choice, p->cost);
}

void front_reprice(struct front *f)
{
	for (int i = 0; i < f->points; i++)
		price_point(f, &f->point[i]);
	for (int i = 0; i < f->next; i++)
		price_point(f, &f->candidate[i]);
}

// ---- candidates ----

bool front_due(const struct front *f)
{
	const struct shared *s = f->shared;
	long every = s->knobs.front_every;
	return every > 0 && s->step > 0 && (s->step % every == 0 || s->step == s->horizon);
}

static bool known(const struct front *f, const uint8_t *choice, size_t slots)
{
	for (int i = 0; i < f->candidates; i++)
		if (memcmp(f->candidate[i].choice, choice, slots) == 0)
			return true;
	return false;
}

static void propose(struct front *f, enum point_origin origin, const char *label, int lane, int place, const uint8_t *choice)
{
	size_t slots = (size_t)f->shared->space->slots;
	if (f->candidates == f->room)
		return;
	struct point *p = &f->candidate[f->candidates];
	uint8_t *row = p->choice;
	memcpy(row, choice, slots);
	space_canonical(f->shared->space, row); // one network is one point
	if (origin == POINT_SAMPLED && known(f, row, slots))
		return;
	*p = (struct point){.origin = origin, .lane = lane, .place = place, .choice = row};
	snprintf(p->label, sizeof p->label, "%s", label);
	f->candidates++;
}

static bool lives(const struct lane *lane)
{
	return lane->number && !lane->dropped;
}

// Where a choice of a lane is scored.
static int place_of(const struct lane lane[ENGINE_LANES], int number)
{
	int first = -1;
	for (int i = 0; i < ENGINE_LANES; i++) {
		if (lane[i].number && lane[i].number == number)
			return i;
		if (lives(&lane[i]) && first < 0)
			first = i;
	}
	return first;
}

static uint32_t counted_by(const struct lane lane[ENGINE_LANES])
{
	uint32_t counted = 0;
	for (int i = 0; i < ENGINE_LANES; i++)
		counted |= lives(&lane[i]) ? lane_counted(&lane[i]) : 0;
	return counted;
}

static void propose_samples(struct front *f, const struct lane *lane, int count)
{
	uint64_t key = lane_key(lane, "front");
	for (int i = 0; i < count; i++) {
		policy_sample(lane->policy, rng_bits(key, (uint64_t)i), f->draw);
		propose(f, POINT_SAMPLED, "", lane->number, lane->place, f->draw);
	}
}

void front_begin(struct front *f, const struct lane lane[ENGINE_LANES])
{
	enum { FRESH = 4 };
	const struct shared *s = f->shared;
	const struct space *space = s->space;
	int lanes = 0;
	f->candidates = f->next = 0;
	f->scoring = true;
	f->knobs = s->knobs;
	f->counted = counted_by(lane);
	for (int o = 0; o < space->options; o++) {
		const char *name = format_table[space->format[o]].name;
		if (uniform_choice(space, name, f->draw, NULL))
			propose(f, POINT_UNIFORM, name, 0, place_of(lane, 0), f->draw);
	}
	for (int i = 0; i < ENGINE_LANES; i++)
		if (lives(&lane[i])) {
			propose(f, POINT_MODAL, "modal", lane[i].number, i, lane[i].modal);
			propose(f, POINT_SAMPLED, "", lane[i].number, i, lane[i].result);
			lanes++;
		}
	for (int i = 0; i < f->points && f->candidates < s->knobs.front_size + space->options; i++)
		if (f->point[i].origin != POINT_UNIFORM && !f->point[i].dominated)
			propose(f, POINT_SAMPLED, "", f->point[i].lane, place_of(lane, f->point[i].lane), f->point[i].choice);
	for (int i = 0; i < ENGINE_LANES; i++)
		if (lives(&lane[i]))
			propose_samples(f, &lane[i], lanes < FRESH ? FRESH / lanes : 1);
}

// ---- scoring ----

// By growing cost of the first term; at equal cost the better first.
static int by_cost(const void *a, const void *b)
{
	const struct point *p = a, *q = b;
	if (p->cost[0] != q->cost[0])
		return p->cost[0] < q->cost[0] ? -1 : 1;
	return p->accuracy > q->accuracy ? -1 : p->accuracy < q->accuracy;
}

// By accuracy and the costs that a reward counts; by the first where none does.
static bool dominates(uint32_t counted, const struct point *a, const struct point *b)
{
	bool better = a->accuracy > b->accuracy;
	for (int t = 0; t < (counted ? ENGINE_TERMS : 1); t++) {
		if (counted && !(counted >> t & 1))
			continue;
		if (a->cost[t] > b->cost[t])
			return false;
		better |= a->cost[t] < b->cost[t];
	}
	return better && a->accuracy >= b->accuracy;
}

static void finish(struct front *f)
{
	struct point *old = f->point;
	f->point = f->candidate;
	f->candidate = old;
	f->points = f->candidates;
	f->scoring = false;
	qsort(f->point, (size_t)f->points, sizeof *f->point, by_cost);
	for (int i = 0; i < f->points; i++)
		for (int j = 0; j < f->points; j++)
			if (dominates(f->counted, &f->point[j], &f->point[i]))
				f->point[i].dominated = true;
}

// The candidates behind it move up.
static void leave_out(struct front *f, int index)
{
	struct point gone = f->candidate[index];
	f->candidates--;
	for (int i = index; i < f->candidates; i++)
		f->candidate[i] = f->candidate[i + 1];
	f->candidate[f->candidates] = gone; // its row of storage stays
}

bool front_advance(struct front *f, struct source *source)
{
	if (!f->scoring)
		return false;
	if (f->next < f->candidates) {
		struct point *p = &f->candidate[f->next];
		struct evaluation e = {0};
		if (source->kind->evaluate(source, &f->knobs, p->place, p->choice, SPLIT_HELDOUT, f->knobs.front_images, &e,
			    &f->halt)) {
			p->accuracy = (float)e.accuracy;
			p->loss = (float)e.loss;
			p->step = f->shared->step;
			price_point(f, p);
			f->next++;
		} else if (source->standing != SOURCE_FAILED) {
			return true;
		} else {
			leave_out(f, f->next);
		}
	}
	if (f->next == f->candidates)
		finish(f);
	return f->scoring;
}

// ---- states ----

enum { FIELDS = 5, LANE_FIELDS = 2 };

// The first lane's points and uniform ones go without.
static bool save_lanes(struct state *out, const char *name, const struct point *point, int64_t n)
{
	char key[ENGINE_NAME];
	bool others = false;
	for (int64_t i = 0; i < n; i++)
		others |= point[i].lane > 1 || point[i].place > 0 || (point[i].lane == 0 && point[i].origin != POINT_UNIFORM);
	int64_t *lanes = others ? calloc((size_t)n, LANE_FIELDS * sizeof *lanes) : NULL;
	for (int64_t i = 0; lanes && i < n; i++) {
		lanes[i * LANE_FIELDS] = point[i].lane;
		lanes[i * LANE_FIELDS + 1] = point[i].place;
	}
	snprintf(key, sizeof key, "%s.lanes", name);
	bool ok = lanes ? state_add(out, key, STATE_I64, 2, (int64_t[]){n, LANE_FIELDS}, lanes) : !others;
	free(lanes);
	return ok;
}

static bool restore_lanes(const struct state *in, const char *name, struct point *point, int64_t n)
{
	char key[ENGINE_NAME];
	snprintf(key, sizeof key, "%s.lanes", name);
	const struct state_tensor *t = state_find(in, key);
	if (t && !(t = state_find_as(in, key, STATE_I64, n * LANE_FIELDS)))
		return false;
	for (int64_t i = 0; i < n; i++) {
		const int64_t *row = t ? (const int64_t *)t->data + i * LANE_FIELDS : NULL;
		if (row && (row[0] < 0 || row[0] > INT_MAX || row[1] < 0 || row[1] >= ENGINE_LANES))
			return false;
		point[i].lane = row ? (int)row[0] : point[i].origin != POINT_UNIFORM;
		point[i].place = row ? (int)row[1] : 0;
	}
	return true;
}

// The points of a front, or the candidates of a scoring under way, of which the first `scored` have their numbers.
static bool save_points(const struct front *f, struct state *out, const char *name, const struct point *point, int64_t n)
{
	char key[ENGINE_NAME];
	int64_t slots = f->shared->space->slots;
	float *numbers = calloc((size_t)n + 1, FIELDS * sizeof *numbers);
	uint8_t *choices = calloc((size_t)n + 1, (size_t)slots);
	for (int64_t i = 0; numbers && choices && i < n; i++) {
		const struct point *p = &point[i];
		memcpy(numbers + i * FIELDS,
			(float[FIELDS]){(float)p->origin, p->accuracy, p->loss, (float)p->step, p->dominated},
			FIELDS * sizeof *numbers);
		memcpy(choices + i * slots, p->choice, (size_t)slots);
	}
	bool ok = numbers && choices;
	snprintf(key, sizeof key, "%s.numbers", name);
	ok = ok && state_add(out, key, STATE_F32, 2, (int64_t[]){n, FIELDS}, numbers);
	snprintf(key, sizeof key, "%s.choices", name);
	ok = ok && state_add(out, key, STATE_U8, 2, (int64_t[]){n, slots}, choices);
	free(numbers);
	free(choices);
	return ok && save_lanes(out, name, point, n);
}

bool front_save(const struct front *f, const struct lane lane[ENGINE_LANES], struct state *out)
{
	bool counted = !f->scoring || f->counted == counted_by(lane) || state_say(out, "front.counted", "%u", f->counted);
	return counted && state_part(out, "front", VERSION) && save_points(f, out, "front", f->point, f->points) &&
		save_points(f, out, "candidates", f->candidate, f->scoring ? f->candidates : 0) &&
		state_say(out, "scored", "%d", f->scoring ? f->next : 0) &&
		(!f->scoring || settings_save(&f->knobs, "front.set", false, out));
}

// How many points there are; -1: they are damaged.
static int restore_points(struct front *f, const struct state *in, const char *name, struct point *point)
{
	const struct space *space = f->shared->space;
	char key[2][ENGINE_NAME];
	snprintf(key[0], sizeof key[0], "%s.numbers", name);
	snprintf(key[1], sizeof key[1], "%s.choices", name);
	const struct state_tensor *numbers = state_find(in, key[0]);
	int64_t n = numbers && numbers->rank == 2 ? numbers->shape[0] : -1, slots = space->slots;
	if (n < 0 || n > f->room)
		return -1;
	const struct state_tensor *choices = state_find_as(in, key[1], STATE_U8, n * slots);
	if (!choices || !state_find_as(in, key[0], STATE_F32, n * FIELDS))
		return -1;
	for (int i = 0; i < n; i++) {
		struct point *p = &point[i];
		const float *row = (const float *)numbers->data + i * FIELDS;
		const uint8_t *choice = (const uint8_t *)choices->data + i * slots;
		for (int64_t k = 0; k < slots; k++)
			if (choice[k] >= space->slot[k].options)
				return -1;
		memcpy(p->choice, choice, (size_t)slots);
		p->origin = row[0] < 0.5f ? POINT_MODAL : row[0] < 1.5f ? POINT_SAMPLED : POINT_UNIFORM;
		p->accuracy = row[1];
		p->loss = row[2];
		p->step = (long)row[3];
		p->dominated = row[4] > 0;
		price_point(f, p);
		snprintf(p->label, sizeof p->label, "%s",
			p->origin == POINT_MODAL             ? "modal"
				: p->origin == POINT_UNIFORM ? space->slot[0].option[choice[0]]
							     : "");
	}
	return restore_lanes(in, name, point, n) ? (int)n : -1;
}

bool front_restore(struct front *f, const struct lane lane[ENGINE_LANES], const struct state *in, struct fault *fault)
{
	double scored, counted;
	if (!state_part_check(in, "front", VERSION, fault))
		return false;
	f->points = restore_points(f, in, "front", f->point);
	f->candidates = restore_points(f, in, "candidates", f->candidate);
	if (f->points < 0 || f->candidates < 0 || !state_real(in, "scored", &scored) || !(scored >= 0 && scored <= f->candidates))
		return state_damaged(fault, "front");
	f->next = (int)scored;
	f->scoring = f->candidates > 0;
	f->knobs = f->shared->knobs;
	f->counted = state_real(in, "front.counted", &counted) ? (uint32_t)counted : counted_by(lane);
	return !f->scoring || settings_read(&f->knobs, "front.set", false, in, fault);
}

void front_publish(const struct front *f, struct snapshot *out)
{
	size_t slots = (size_t)f->shared->space->slots;
	out->points = f->points;
	for (int i = 0; i < f->points; i++) {
		const struct point *from = &f->point[i];
		uint8_t *row = out->choices + (size_t)i * slots;
		struct front_point *q = &out->point[i];
		*q = (struct front_point){.origin = from->origin,
			.accuracy = (double)from->accuracy,
			.loss = (double)from->loss,
			.step = from->step,
			.dominated = from->dominated,
			.lane = from->lane,
			.choice = row};
		memcpy(q->label, from->label, sizeof q->label);
		memcpy(q->cost, from->cost, sizeof q->cost);
		memcpy(row, from->choice, slots);
	}
}

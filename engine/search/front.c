// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/settings.h"
#include "engine/tensor/rng.h"

enum { VERSION = 1 };

bool front_open(struct front *f, const struct shared *s, struct fault *fault)
{
	size_t slots = (size_t)s->space->slots, room = (size_t)s->knobs.front_size + ENGINE_OPTIONS + 8;
	f->shared = s;
	f->room = (int)room;
	if (!(f->pricer = pricer_new(s->space, fault)))
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

static void propose(struct front *f, enum point_origin origin, const char *label, const uint8_t *choice)
{
	size_t slots = (size_t)f->shared->space->slots;
	if (f->candidates == f->room || (origin == POINT_SAMPLED && known(f, choice, slots)))
		return;
	struct point *p = &f->candidate[f->candidates++];
	uint8_t *row = p->choice;
	*p = (struct point){.origin = origin, .choice = row};
	snprintf(p->label, sizeof p->label, "%s", label);
	memcpy(row, choice, slots);
}

void front_begin(struct front *f, const struct lane *lane)
{
	enum { FRESH = 4 };
	const struct shared *s = f->shared;
	const struct slot *slot = &s->space->slot[0];
	f->candidates = f->next = 0;
	f->scoring = true;
	f->knobs = s->knobs;
	for (int o = 0; o < slot->options; o++) {
		const char *name = format_table[slot->format[o]].name;
		if (uniform_choice(s->space, name, f->draw, NULL))
			propose(f, POINT_UNIFORM, name, f->draw);
	}
	propose(f, POINT_MODAL, "modal", lane->modal);
	for (int i = 0; i < f->points && f->candidates < s->knobs.front_size + slot->options; i++)
		if (f->point[i].origin != POINT_UNIFORM && !f->point[i].dominated)
			propose(f, POINT_SAMPLED, "", f->point[i].choice);
	uint64_t key = lane_key(lane, "front");
	for (int i = 0; i < FRESH; i++) {
		policy_sample(lane->policy, rng_bits(key, (uint64_t)i), f->draw);
		propose(f, POINT_SAMPLED, "", f->draw);
	}
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

// By accuracy and the costs that the reward counts; by the first where it counts none.
static bool dominates(const struct knobs *k, const struct point *a, const struct point *b)
{
	bool better = a->accuracy > b->accuracy, counted = false;
	for (int t = 0; t < k->terms; t++)
		counted |= k->term[t].weight > 0;
	for (int t = 0; t < (counted ? k->terms : 1); t++) {
		if (counted && k->term[t].weight <= 0)
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
			if (dominates(&f->knobs, &f->point[j], &f->point[i]))
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
		struct fault fault;
		if (source->kind->evaluate(source, &f->knobs, 0, p->choice, SPLIT_HELDOUT, f->knobs.front_images, &e, &fault)) {
			p->accuracy = (float)e.accuracy;
			p->loss = (float)e.loss;
			p->step = f->shared->step;
			price_point(f, p);
			f->next++;
		} else {
			leave_out(f, f->next);
		}
	}
	if (f->next == f->candidates)
		finish(f);
	return f->scoring;
}

// ---- states ----

enum { FIELDS = 5 };

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
	return ok;
}

bool front_save(const struct front *f, struct state *out)
{
	return state_part(out, "front", VERSION) && save_points(f, out, "front", f->point, f->points) &&
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
				: p->origin == POINT_UNIFORM ? format_table[space->slot[0].format[choice[0]]].name
							     : "");
	}
	return (int)n;
}

bool front_restore(struct front *f, const struct state *in, struct fault *fault)
{
	double scored;
	if (!state_part_check(in, "front", VERSION, fault))
		return false;
	f->points = restore_points(f, in, "front", f->point);
	f->candidates = restore_points(f, in, "candidates", f->candidate);
	if (f->points < 0 || f->candidates < 0 || !state_real(in, "scored", &scored) || !(scored >= 0 && scored <= f->candidates))
		return state_damaged(fault, "front");
	f->next = (int)scored;
	f->scoring = f->candidates > 0;
	f->knobs = f->shared->knobs;
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
			.choice = row};
		memcpy(q->label, from->label, sizeof q->label);
		memcpy(q->cost, from->cost, sizeof q->cost);
		memcpy(row, from->choice, slots);
	}
}

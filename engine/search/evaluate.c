// SPDX-License-Identifier: GPL-3.0-or-later
// Scoring of choices with the weights as they are, and the front archive.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

bool search_evaluate(struct search *s, const uint8_t *choice, enum split split, long images, struct evaluation *e,
	struct fault *fault)
{
	if (s->idle)
		return fault_set(fault, "evaluate", "begin a new session with it", "%s", s->idle);
	*e = (struct evaluation){.choice = malloc((size_t)s->space->slots),
		.range = calloc((size_t)s->model->layers, sizeof *e->range)};
	if (!e->choice || !e->range) {
		free(e->choice);
		free(e->range);
		*e = (struct evaluation){0};
		return fault_memory(fault, "evaluate");
	}
	memcpy(e->choice, choice ? choice : s->modal, (size_t)s->space->slots);
	s->source->evaluate(s, &s->knobs, e->choice, split, images, e);
	search_costs(s, e->choice, e->cost);
	return true;
}

bool search_uniform(const struct search *s, const char *format, uint8_t *choice, struct fault *fault)
{
	for (int i = 0, option; i < s->space->slots; i++) {
		if (!space_option_named(s->space, i, format, &option, fault))
			return false;
		choice[i] = (uint8_t)option;
	}
	return true;
}

// ---- the front ----

int search_front_room(const struct search *s)
{
	return s->front.room;
}

bool search_front_due(const struct search *s)
{
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

static void propose(struct search *s, enum point_origin origin, const char *label, const uint8_t *choice)
{
	struct front *f = &s->front;
	size_t slots = (size_t)s->space->slots;
	if (f->candidates == f->room || (origin == POINT_SAMPLED && known(f, choice, slots)))
		return;
	struct point *p = &f->candidate[f->candidates++];
	uint8_t *row = p->choice;
	*p = (struct point){.origin = origin, .choice = row};
	snprintf(p->label, sizeof p->label, "%s", label);
	memcpy(row, choice, slots);
}

// Every uniform choice, the modal one, what held its place on the front, and some fresh samples.
void search_front_begin(struct search *s)
{
	enum { FRESH = 4 };
	struct front *f = &s->front;
	uint8_t *choice = s->choice + SEARCH_SAMPLES * s->space->slots;
	f->candidates = f->next = 0;
	f->scoring = true;
	f->knobs = s->knobs;
	for (int o = 0; o < s->space->slot[0].options; o++) {
		const char *name = format_table[s->space->slot[0].format[o]].name;
		if (search_uniform(s, name, choice, NULL))
			propose(s, POINT_UNIFORM, name, choice);
	}
	propose(s, POINT_MODAL, "modal", s->modal);
	for (int i = 0; i < f->points && f->candidates < s->knobs.front_size + s->space->slot[0].options; i++)
		if (f->point[i].origin != POINT_UNIFORM && !f->point[i].dominated)
			propose(s, POINT_SAMPLED, "", f->point[i].choice);
	uint64_t key = rng_key((uint64_t)s->knobs.seed, "front", (uint64_t)s->step);
	for (int i = 0; i < FRESH; i++) {
		policy_sample(s->policy, rng_bits(key, (uint64_t)i), choice);
		propose(s, POINT_SAMPLED, "", choice);
	}
}

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

bool search_front_advance(struct search *s)
{
	struct front *f = &s->front;
	if (!f->scoring)
		return false;
	if (f->next < f->candidates) {
		struct point *p = &f->candidate[f->next++];
		struct evaluation e = {0};
		s->source->evaluate(s, &f->knobs, p->choice, SPLIT_HELDOUT, f->knobs.front_images, &e);
		search_costs(s, p->choice, e.cost);
		p->accuracy = (float)e.accuracy;
		p->loss = (float)e.loss;
		p->step = s->step;
		memcpy(p->cost, e.cost, sizeof p->cost);
	}
	if (f->next == f->candidates)
		finish(f);
	return f->scoring;
}

bool search_front_scoring(const struct search *s)
{
	return s->front.scoring;
}

// ---- publication ----

static void says(const struct search *s, char *buf, size_t size)
{
	if (s->idle) {
		snprintf(buf, size, "costs alone: %s", s->idle);
	} else if (s->step >= s->horizon) {
		snprintf(buf, size, "finished: evaluate, export, or extend N");
	} else if (s->step < s->warmup) {
		snprintf(buf, size, "warm-up %ld/%ld: pins count, the policy waits", s->step, s->warmup);
	} else {
		double e = policy_entropy(s->policy);
		const char *mood = e > 0.8 ? "looking around" : e > 0.3 ? "narrowing down" : e > 0.05 ? "committing" : "settled";
		snprintf(buf, size, "%s: entropy %.2f", mood, e);
	}
	size_t used = strlen(buf);
	if (s->estimated[0])
		snprintf(buf + used, size - used, "; quality estimated (%s)", s->estimated);
}

void search_publish(const struct search *s, struct snapshot *out)
{
	out->phase = s->step < s->warmup ? PHASE_WARMUP : PHASE_SEARCH;
	out->step = s->step;
	out->horizon = s->horizon;
	out->warmup = s->warmup;
	out->loss = s->step && s->source->train ? s->loss : (double)NAN;
	out->accuracy = s->step && s->source->train ? s->accuracy : (double)NAN;
	out->quality = s->has_quality ? s->quality : (double)NAN;
	out->reward = s->has_quality ? s->reward : (double)NAN;
	out->advantage = s->has_quality ? s->advantage : (double)NAN;
	out->quality_is_loss = search_by_loss(s);
	out->idle = s->idle;
	memcpy(out->estimated, s->estimated, sizeof out->estimated);
	out->entropy = policy_entropy(s->policy);
	out->learning_rate = (double)s->record.learning_rate;
	says(s, out->says, sizeof out->says);

	const struct partition *p = s->partition;
	out->decisions = p->decisions;
	out->split = p->split;
	out->slots = s->space->slots;
	for (int i = 0; i < out->slots; i++) {
		struct slot_state *slot = &out->slot[i];
		int d = p->decision_of[i];
		*slot = (struct slot_state){.allowed = p->decision[d].allowed, .modal = s->modal[i], .decision = d,
			.group = p->group_of[space_layer(i)]};
		memcpy(slot->probability, policy_probabilities(s->policy, d), sizeof slot->probability);
	}
	out->groups = p->groups;
	for (int g = 0; g < p->groups; g++) {
		snprintf(out->group[g].name, sizeof out->group[g].name, "%s", p->group[g].name);
		snprintf(out->group[g].pattern, sizeof out->group[g].pattern, "%s", p->group[g].pattern);
	}
	out->terms = s->terms;
	for (int t = 0; t < s->terms; t++) {
		const struct term *from = &s->term[t];
		struct term_state *term = &out->term[t];
		*term = (struct term_state){.weight = s->knobs.term[t].weight, .target = from->target, .whole = search_term_whole(s, t), .targeted = from->target > 0,
			.modal = from->modal, .expected = from->sampled, .low = from->low, .high = from->high, .least = from->least,
			.reach = search_reach(s, t)};
		search_term_units(s, t, term);
		search_reach_text(s, t, term->reach_text, sizeof term->reach_text);
		memcpy(term->name, from->name, sizeof term->name);
		memcpy(term->why, from->why, sizeof term->why);
		memcpy(term->target_text, s->knobs.term[t].target, sizeof term->target_text);
	}
	out->points = s->front.points;
	for (int i = 0; i < s->front.points; i++) {
		const struct point *from = &s->front.point[i];
		uint8_t *row = out->choices + (size_t)i * (size_t)out->slots;
		struct front_point *q = &out->point[i];
		*q = (struct front_point){.origin = from->origin, .accuracy = (double)from->accuracy, .loss = (double)from->loss,
			.step = from->step, .dominated = from->dominated, .choice = row};
		memcpy(q->label, from->label, sizeof q->label);
		memcpy(q->cost, from->cost, sizeof q->cost);
		memcpy(row, from->choice, (size_t)out->slots);
	}
}

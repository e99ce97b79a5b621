// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/polish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/search/settings.h"

enum { VERSION = 1 };

static const double PI = 3.14159265358979323846;
// Of the setting `rate`, where none is asked for. ResNet-8 at half width on CIFAR-10 (600 steps, the cost of int3, seed 1) came from 44.8 % on
// test images to 45.4, 46.0 and 45.7 within 150 steps from a tenth, a fifth and a half of it.
static const double RATE = 0.2;

bool polish_open(struct polish *p, const struct shared *s, struct fault *fault)
{
	size_t slots = (size_t)s->space->slots;
	*p = (struct polish){.shared = s, .training_loss = NAN};
	if (!(p->pricer = pricer_new(s->space, s->blueprint, fault)))
		return false;
	if (!(p->choices = calloc(POLISH_POINTS + 1, slots)))
		return fault_memory(fault, "search");
	for (size_t i = 0; i < POLISH_POINTS; i++)
		p->point[i].choice = p->choices + i * slots;
	p->next.choice = p->choices + POLISH_POINTS * slots;
	return true;
}

void polish_close(struct polish *p)
{
	pricer_free(p->pricer);
	free(p->choices);
}

static void price_point(struct polish *p, struct polished *point)
{
	pricer_take(p->pricer, p->shared->term, p->shared->terms, point->choice, point->cost);
}

void polish_reprice(struct polish *p)
{
	for (int i = 0; i < p->points; i++)
		price_point(p, &p->point[i]);
}

// ---- one polish ------------------------------------------------------------------------------------------------------

bool polish_begin(struct polish *p, struct source *source, const struct lane *lane, long steps, double rate, struct fault *fault)
{
	const struct knobs *k = &p->shared->knobs;
	if (!source->kind->apart)
		return fault_set(fault, "lane polish", "begin a session with data=FOLDER, or data=glyphs",
			"nothing is trained here, so there are no weights to polish");
	if (p->now.lane)
		return fault_set(fault, "lane polish", "wait until it is done, or take it back with `undo`",
			"lane %d is being polished (step %ld of %ld)", p->now.lane, p->done, p->now.steps);
	if (!source->kind->apart->begin(source, fault))
		return false;
	p->now = (struct polishing){lane->number, lane->place, p->shared->step, steps, rate > 0 ? rate : RATE * k->rate};
	p->knobs = *k;
	p->done = 0;
	p->scored = false;
	p->training_loss = NAN;
	p->next.of = p->now;
	p->next.accuracy = p->next.loss = p->next.test = 0;
	memcpy(p->next.choice, lane->result, (size_t)p->shared->space->slots);
	return true;
}

static void stop(struct polish *p, struct source *source)
{
	source->kind->apart->end(source);
	p->now = (struct polishing){0};
}

// A point takes the oldest one's room where there is none.
static void keep(struct polish *p)
{
	size_t slots = (size_t)p->shared->space->slots;
	struct polished *to = &p->point[p->points];
	if (p->points == POLISH_POINTS) {
		uint8_t *row = p->point[0].choice;
		memmove(p->point, p->point + 1, (POLISH_POINTS - 1) * sizeof *p->point);
		to = &p->point[POLISH_POINTS - 1];
		to->choice = row;
	} else {
		p->points++;
	}
	uint8_t *row = to->choice;
	*to = p->next;
	to->choice = row;
	memcpy(row, p->next.choice, slots);
	price_point(p, to);
}

static bool train(struct polish *p, struct source *source, struct fault *fault)
{
	struct training t;
	double rate = p->now.rate * 0.5 * (1 + cos(PI * (double)p->done / (double)p->now.steps));
	if (!source->kind->apart->train(source, &p->knobs, p->now.place, p->next.choice, p->now.begun + p->done, p->done, rate,
		    &t, fault))
		return false;
	p->training_loss = smoothed(p->training_loss, t.loss);
	p->done++;
	p->made++;
	return true;
}

static void end(struct polish *p, struct source *source, const struct fault *fault)
{
	if (fault)
		snprintf(p->says, sizeof p->says, "lane %d: the polish came to nothing: %.70s", p->now.lane, fault->what);
	else
		snprintf(p->says, sizeof p->says,
			"lane %d, polished for %ld steps: %.2f %% on the front's held-out images, %.2f %% on the test images",
			p->now.lane, p->now.steps, 100 * p->next.accuracy, 100 * p->next.test);
	p->ended++;
	stop(p, source);
}

// On the images that score the front, then on the test images.
static bool score(struct polish *p, struct source *source, struct fault *fault)
{
	struct evaluation e = {0};
	enum split split = p->scored ? SPLIT_TEST : SPLIT_HELDOUT;
	if (!source->kind->evaluate(source, &p->knobs, p->now.place, p->next.choice, split,
		    split == SPLIT_TEST ? 0 : p->knobs.front_images, &e, fault))
		return false;
	if (split == SPLIT_TEST) {
		p->next.test = e.accuracy;
	} else {
		p->next.accuracy = e.accuracy;
		p->next.loss = e.loss;
	}
	return true;
}

void polish_advance(struct polish *p, struct source *source)
{
	struct fault fault = {0};
	double began = clock_seconds();
	if (!p->now.lane)
		return;
	bool trains = p->done < p->now.steps, done = !trains && p->scored;
	source->kind->apart->exchange(source);
	bool ok = trains ? train(p, source, &fault) : score(p, source, &fault);
	source->kind->apart->exchange(source);
	p->scored = !trains;
	if (ok && done)
		keep(p);
	if (!ok || done)
		end(p, source, ok ? NULL : &fault);
	p->seconds += clock_seconds() - began;
}

bool polish_drop(struct polish *p, struct source *source, int lane, struct polishing *gone, struct fault *fault)
{
	if (lane && p->now.lane == lane) {
		*gone = p->now;
		stop(p, source);
		return true;
	}
	for (int i = p->points - 1; i >= 0; i--) {
		struct polished point = p->point[i];
		if (point.of.lane != lane)
			continue;
		*gone = point.of;
		p->points--;
		for (int k = i; k < p->points; k++)
			p->point[k] = p->point[k + 1];
		p->point[p->points] = point; // its row of storage stays
		return true;
	}
	return fault_set(fault, "lane polish", "`front` shows what was trained", "nothing of lane %d has been polished", lane);
}

// ---- states ----------------------------------------------------------------------------------------------------------

enum { NUMBERS = 5, NOW_NUMBERS = 3, POINT_NUMBERS = 3 };

static void list_polishing(struct polishing *of, long whole[2], struct state_number number[NUMBERS])
{
	memcpy(number,
		(struct state_number[NUMBERS]){
			{"lane", .whole = &whole[0]},
			{"place", .whole = &whole[1]},
			{"begun", .whole = &of->begun},
			{"steps", .whole = &of->steps},
			{"rate", .real = &of->rate},
		},
		NUMBERS * sizeof *number);
}

static void list_now(struct polish *p, struct state_number number[NOW_NUMBERS])
{
	memcpy(number,
		(struct state_number[NOW_NUMBERS]){{"done", .whole = &p->done}, {"scored", .flag = &p->scored},
			{"training_loss", .real = &p->training_loss}},
		NOW_NUMBERS * sizeof *number);
}

static void list_point(struct polished *point, struct state_number number[POINT_NUMBERS])
{
	memcpy(number,
		(struct state_number[POINT_NUMBERS]){
			{"accuracy", .real = &point->accuracy}, {"loss", .real = &point->loss}, {"test", .real = &point->test}},
		POINT_NUMBERS * sizeof *number);
}

static const char *point_name(int i, char name[STATE_KEY])
{
	snprintf(name, STATE_KEY, "polish.%d.", i);
	return name;
}

static bool save_polishing(struct polishing of, const char *before, struct state *out)
{
	struct state_number number[NUMBERS];
	long whole[2] = {of.lane, of.place};
	list_polishing(&of, whole, number);
	return state_say_numbers(out, number, NUMBERS, before, NULL);
}

static bool save_now(const struct polish *p, struct source *source, struct state *out, struct fault *fault)
{
	struct polish now = *p;
	struct state_array array[SOURCE_ARRAYS];
	struct state_number number[NOW_NUMBERS];
	list_now(&now, number);
	if (!save_polishing(p->now, "polish.now.", out) || !state_say_numbers(out, number, NOW_NUMBERS, "polish.now.", NULL) ||
		!settings_save(&p->knobs, "polish.set", false, out))
		return fault_memory(fault, "checkpoint");
	if (p->scored) { // what the held-out images gave
		struct state_number scored[POINT_NUMBERS];
		struct polished next = p->next;
		list_point(&next, scored);
		if (!state_say_numbers(out, scored, POINT_NUMBERS, "polish.now.", NULL))
			return fault_memory(fault, "checkpoint");
	}
	source->kind->apart->exchange(source);
	bool ok = state_add_arrays(out, array, source->kind->arrays(source, array), "polish.", fault);
	source->kind->apart->exchange(source);
	return ok;
}

bool polish_save(const struct polish *p, struct source *source, struct state *out, struct fault *fault)
{
	int64_t slots = p->shared->space->slots, rows = p->points + (p->now.lane > 0);
	char name[STATE_KEY];
	if (!rows)
		return true;
	uint8_t *choices = calloc((size_t)rows, (size_t)slots);
	bool ok = choices && state_part(out, "polish", VERSION) && state_say(out, "polish.points", "%d", p->points);
	for (int i = 0; ok && i < p->points; i++) {
		struct polished point = p->point[i];
		struct state_number number[POINT_NUMBERS];
		list_point(&point, number);
		memcpy(choices + i * slots, point.choice, (size_t)slots);
		ok = save_polishing(point.of, point_name(i, name), out) &&
			state_say_numbers(out, number, POINT_NUMBERS, name, NULL);
	}
	if (ok && p->now.lane)
		memcpy(choices + p->points * slots, p->next.choice, (size_t)slots);
	ok = ok && state_add(out, "polish.choices", STATE_U8, 2, (int64_t[]){rows, slots}, choices);
	free(choices);
	return ok ? !p->now.lane || save_now(p, source, out, fault) : fault_memory(fault, "checkpoint");
}

static bool restore_polishing(const struct state *in, const char *before, struct polishing *of, struct fault *fault)
{
	struct state_number number[NUMBERS];
	long whole[2];
	list_polishing(of, whole, number);
	if (!state_read_numbers(in, number, NUMBERS, before, NULL, fault))
		return false;
	of->lane = (int)whole[0];
	of->place = (int)whole[1];
	return (whole[0] > 0 && whole[0] < INT_MAX && whole[1] >= 0 && whole[1] < ENGINE_LANES && of->begun >= 0 &&
		       of->steps > 0 && of->rate > 0 && isfinite(of->rate)) ||
		state_damaged(fault, "polish");
}

static bool restore_choice(const struct polish *p, const struct state_tensor *t, int row, uint8_t *choice)
{
	const struct space *space = p->shared->space;
	const uint8_t *from = (const uint8_t *)t->data + (size_t)row * (size_t)space->slots;
	for (int i = 0; i < space->slots; i++)
		if (from[i] >= space->slot[i].options)
			return false;
	memcpy(choice, from, (size_t)space->slots);
	return true;
}

// The arrays of the copy, where the shared ones are.
static bool restore_copy(struct source *source, const struct state *in, struct fault *fault)
{
	struct state_array array[SOURCE_ARRAYS];
	if (!source->kind->apart->begin(source, fault))
		return false;
	source->kind->apart->exchange(source);
	bool ok = state_read_arrays(in, array, source->kind->arrays(source, array), "polish.", fault);
	source->kind->apart->exchange(source);
	return ok;
}

static bool restore_now(struct polish *p, struct source *source, const struct state *in, struct fault *fault)
{
	struct state_number number[NOW_NUMBERS], scored[POINT_NUMBERS];
	list_now(p, number);
	list_point(&p->next, scored);
	p->knobs = p->shared->knobs;
	if (!source->kind->apart || !restore_polishing(in, "polish.now.", &p->next.of, fault) ||
		!state_read_numbers(in, number, NOW_NUMBERS, "polish.now.", NULL, fault) ||
		!settings_read(&p->knobs, "polish.set", false, in, fault))
		return false;
	if (p->done < 0 || p->done > p->next.of.steps || (p->scored && p->done < p->next.of.steps))
		return state_damaged(fault, "polish.now.done");
	if (p->scored && !state_read_numbers(in, scored, POINT_NUMBERS, "polish.now.", NULL, fault))
		return false;
	if (!restore_copy(source, in, fault))
		return false;
	p->now = p->next.of;
	return true;
}

bool polish_restore(struct polish *p, struct source *source, const struct state *in, struct fault *fault)
{
	double points;
	char name[STATE_KEY];
	if (!state_get(in, "part.polish"))
		return !state_get(in, "polish.points") || state_damaged(fault, "part.polish");
	if (!state_part_check(in, "polish", VERSION, fault))
		return false;
	bool under_way = state_get(in, "polish.now.lane");
	if (!state_real(in, "polish.points", &points) || !(points >= 0 && points <= POLISH_POINTS))
		return state_damaged(fault, "polish.points");
	p->points = (int)points;
	const struct state_tensor *choices = state_find_as(in, "polish.choices", STATE_U8,
		(p->points + under_way) * (int64_t)p->shared->space->slots);
	for (int i = 0; choices && i < p->points; i++) {
		struct polished *point = &p->point[i];
		struct state_number number[POINT_NUMBERS];
		list_point(point, number);
		if (!restore_polishing(in, point_name(i, name), &point->of, fault) ||
			!state_read_numbers(in, number, POINT_NUMBERS, name, NULL, fault))
			return false;
		if (!restore_choice(p, choices, i, point->choice))
			return state_damaged(fault, "polish.choices");
		price_point(p, point);
	}
	if (!choices || (under_way && !restore_choice(p, choices, p->points, p->next.choice)))
		return state_damaged(fault, "polish.choices");
	return !under_way || restore_now(p, source, in, fault);
}

// ---- snapshots -------------------------------------------------------------------------------------------------------

// By accuracy and the costs that a reward counts; by the first where none does.
static bool dominates(uint32_t counted, const struct front_point *a, const struct front_point *b)
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

// Among the points that are there, by growing cost of the first term; rows of choices stand in the order of points.
static void insert(const struct polish *p, int i, struct snapshot *out)
{
	size_t slots = (size_t)p->shared->space->slots;
	const struct polished *from = &p->point[i];
	int at = out->points;
	while (at > 0 && out->point[at - 1].cost[0] > from->cost[0])
		at--;
	memmove(out->point + at + 1, out->point + at, (size_t)(out->points - at) * sizeof *out->point);
	memmove(out->choices + (size_t)(at + 1) * slots, out->choices + (size_t)at * slots, (size_t)(out->points - at) * slots);
	out->points++;
	for (int k = at; k < out->points; k++)
		out->point[k].choice = out->choices + (size_t)k * slots;
	struct front_point *q = &out->point[at];
	*q = (struct front_point){.origin = POINT_SAMPLED,
		.label = "trained",
		.accuracy = from->accuracy,
		.loss = from->loss,
		.test = from->test,
		.step = from->of.begun,
		.trained = from->of.steps,
		.lane = from->of.lane,
		.choice = out->choices + (size_t)at * slots};
	memcpy(q->cost, from->cost, sizeof q->cost);
	memcpy(out->choices + (size_t)at * slots, from->choice, slots);
}

void polish_publish(const struct polish *p, uint32_t counted, struct snapshot *out)
{
	out->polish = (struct polish_state){.lane = p->now.lane,
		.steps = p->now.steps,
		.done = p->done,
		.loss = p->training_loss,
		.made = p->made,
		.seconds = p->seconds,
		.ended = p->ended};
	memcpy(out->polish.says, p->says, sizeof out->polish.says);
	for (int i = 0; i < p->points; i++)
		insert(p, i, out);
	for (int i = 0; i < out->points; i++)
		for (int k = 0; out->point[i].trained && k < out->points; k++)
			out->point[i].dominated |= dominates(counted, &out->point[k], &out->point[i]);
}

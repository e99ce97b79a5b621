// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/racks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24, BLOCK_CHIPS = 64 };

// ---- beginning ---------------------------------------------------------------------------------------------------------

void racks_free(struct racks *r)
{
	for (int m = 0; r && m < RACKS_MACHINES; m++)
		goodput_clock_free(r->clock[m]);
	if (r)
		trail_free(&r->trail);
	free(r);
}

static bool fills_blocks(const struct goodput_block *b)
{
	return b->jobs == 1 && b->chips == BLOCK_CHIPS;
}

static int letter_of(long lettered[RACKS_LETTERS], long job)
{
	int free_one = -1;
	for (int i = 0; i < RACKS_LETTERS; i++) {
		int at = (int)((job + i) % RACKS_LETTERS);
		if (lettered[at] == job + 1)
			return at;
		free_one = free_one < 0 && !lettered[at] ? at : free_one;
	}
	if (free_one >= 0)
		lettered[free_one] = job + 1;
	return free_one;
}

static void give_letters(const struct goodput_now *now, int letter[GOODPUT_BLOCKS], long lettered[RACKS_LETTERS])
{
	for (int i = 0; i < RACKS_LETTERS; i++) {
		bool held = false;
		for (int b = 0; b < now->grid.blocks; b++)
			held |= fills_blocks(&now->block[b]) && now->block[b].job + 1 == lettered[i];
		lettered[i] = held ? lettered[i] : 0;
	}
	for (int b = 0; b < now->grid.blocks; b++)
		letter[b] = fills_blocks(&now->block[b]) ? letter_of(lettered, now->block[b].job) : -1;
}

static void read_clock(struct racks *r, int machine)
{
	goodput_clock_read(r->clock[machine], &r->now[machine]);
	give_letters(&r->now[machine], r->letter[machine], r->lettered[machine]);
}

static void read_clocks(struct racks *r)
{
	for (int m = 0; m < RACKS_MACHINES; m++)
		read_clock(r, m);
}

static struct goodput_case case_of(const struct racks *r, int machine)
{
	struct goodput_case c = r->question.asked;
	c.fixed = machine == RACKS_FIXED;
	return c;
}

static bool begin_clocks(struct racks *r, struct goodput_clock *clock[RACKS_MACHINES], struct fault *f)
{
	for (int m = 0; m < RACKS_MACHINES; m++) {
		struct goodput_case c = case_of(r, m);
		clock[m] = goodput_clock_new(&r->question.world, &c, (uint64_t)r->question.seed, f);
		if (!clock[m])
			return false;
	}
	return true;
}

static bool same_machine(const struct racks *a, const struct racks *b)
{
	const struct goodput_question *p = &a->question, *q = &b->question;
	bool same = strcmp(p->world.pod[0].name, q->world.pod[0].name) == 0 && !(p->seed < q->seed || p->seed > q->seed) &&
		p->grid.blocks == q->grid.blocks && p->grid.hosts == q->grid.hosts && p->asked.window == q->asked.window;
	for (int i = 0; i < INPUTS; i++)
		same &= !(p->world.input[i] < q->world.input[i] || p->world.input[i] > q->world.input[i]);
	return same;
}

// The machines of the one before, as they are.
static void take_over(struct racks *r, struct racks *before)
{
	for (int m = 0; m < RACKS_MACHINES; m++) {
		r->clock[m] = before->clock[m];
		before->clock[m] = NULL;
	}
	memcpy(r->day, before->day, sizeof r->day);
	memcpy(r->lettered, before->lettered, sizeof r->lettered);
	r->days = before->days;
	r->running = before->running;
}

// ---- settings ----------------------------------------------------------------------------------------------------------

// Takes those of the settings that are wanted.
static bool take(struct goodput_question *q, const struct racks_set *set, const bool wanted[RACKS_SETTINGS], struct fault *f)
{
	double percent, spares;
	if (wanted[RACKS_AVAILABILITY] && number_read(set->text[RACKS_AVAILABILITY], &percent))
		q->asked.availability = percent / 100;
	if (wanted[RACKS_SPARES] && number_read(set->text[RACKS_SPARES], &spares))
		q->asked.spares = spares < q->grid.blocks ? (int)spares : q->grid.blocks - 1;
	return !wanted[RACKS_JOBS] || goodput_jobs_read(set->text[RACKS_JOBS], &q->world.pod[0], &q->asked, q->mix, f);
}

struct racks *racks_read(struct command_call *call, const struct racks_set *set)
{
	struct racks *r = calloc(1, sizeof *r);
	if (!r) {
		fault_memory(&call->fault, "goodput");
		return NULL;
	}
	struct goodput_question *q = &r->question;
	bool ok = session_goodput_question(call, q);
	q->csv = q->plot = NULL; // words of the call
	const bool wanted[RACKS_SETTINGS] = {
		[RACKS_AVAILABILITY] = isnan(q->asked.availability), [RACKS_SPARES] = !q->spared, [RACKS_JOBS] = !q->sized};
	if (ok && take(q, set, wanted, &call->fault)) {
		struct racks_set its;
		racks_set_by(r, &its);
		if (trail_set(&r->trail, &its))
			return r;
		fault_memory(&call->fault, "goodput");
	}
	racks_free(r);
	return NULL;
}

bool racks_after(struct racks *r, const struct trail *past)
{
	struct racks_set its;
	trail_free(&r->trail);
	r->trail.day = past->day;
	racks_set_by(r, &its);
	return trail_copy(&r->trail, past) && trail_set(&r->trail, &its);
}

// From now on as a leg of the trail has it; where that is new it is counted anew.
static bool take_leg(struct racks *r, int leg, bool anew, struct fault *f)
{
	static const bool all[RACKS_SETTINGS] = {false, true, true, true};
	if (!take(&r->question, &r->trail.leg[leg], all, f))
		return false;
	for (int m = 0; m < RACKS_MACHINES; m++) {
		struct goodput_case c = case_of(r, m);
		if (!goodput_clock_change(r->clock[m], &c, f))
			return false;
		if (anew)
			goodput_clock_count(r->clock[m]);
	}
	return true;
}

static bool pass_day(struct racks *, struct fault *);

// Along the trail from a day on; `leg`: the next one.
static bool walk(struct racks *r, long day, int leg, struct fault *f)
{
	read_clocks(r);
	for (;; day++) {
		if (leg < r->trail.legs && racks_set_day(&r->trail.leg[leg]) <= day) {
			if (!take_leg(r, leg++, true, f))
				return false;
			read_clocks(r);
		}
		if (day >= r->trail.day)
			return true;
		if (!pass_day(r, f))
			return false;
	}
}

bool racks_begin(struct racks *r, struct racks *before, struct fault *f)
{
	static const bool all[RACKS_SETTINGS] = {false, true, true, true};
	r->said = before ? before->said : 0;
	if (before && same_machine(r, before) && trail_goes_on(&r->trail, &before->trail)) {
		take_over(r, before);
		// What the machines have borrowed goes with the one before.
		return take_leg(r, before->trail.legs - 1, false, f) && walk(r, before->trail.day, before->trail.legs, f);
	}
	r->running = before && before->running;
	return take(&r->question, &r->trail.leg[0], all, f) && begin_clocks(r, r->clock, f) && walk(r, 0, 1, f);
}

void racks_set_by(const struct racks *r, struct racks_set *set)
{
	const struct goodput_case *c = &r->question.asked;
	*set = (struct racks_set){0};
	snprintf(set->text[RACKS_DAY], ENGINE_TEXT, "%ld", r->trail.day);
	snprintf(set->text[RACKS_AVAILABILITY], ENGINE_TEXT, "%.10g", 100 * c->availability);
	snprintf(set->text[RACKS_SPARES], ENGINE_TEXT, "%d", c->spares);
	goodput_jobs_write(c, set->text[RACKS_JOBS], ENGINE_TEXT);
}

// Asks what `before` does; its settings are in no trail yet.
static struct racks *like(const struct racks *before, const struct racks_set *set, struct fault *f)
{
	static const bool all[RACKS_SETTINGS] = {false, true, true, true};
	struct racks *r = calloc(1, sizeof *r);
	if (!r) {
		fault_memory(f, "goodput");
		return NULL;
	}
	r->question = before->question;
	if (take(&r->question, set, all, f))
		return r;
	racks_free(r);
	return NULL;
}

struct racks *racks_with(const struct racks *before, const struct racks_set *set, struct fault *f)
{
	struct racks *r = like(before, set, f);
	if (!r || (trail_copy(&r->trail, &before->trail) && trail_set(&r->trail, set)))
		return r;
	fault_memory(f, "goodput");
	racks_free(r);
	return NULL;
}

struct racks *racks_by(const struct racks *before, const struct trail *trail, struct fault *f)
{
	struct racks *r = like(before, &trail->leg[trail->legs - 1], f);
	if (!r || trail_copy(&r->trail, trail))
		return r;
	fault_memory(f, "goodput");
	racks_free(r);
	return NULL;
}

bool racks_say(const struct racks *r, const struct racks_set *now, struct string *line, struct fault *f)
{
	struct racks_set wanted;
	bool any = false;
	racks_set_by(r, &wanted);
	for (int i = 0; i < RACKS_SETTINGS; i++)
		if (strcmp(wanted.text[i], now->text[i]) != 0) {
			string_add(line, "%s %s ", any ? "" : "set", racks_settings[i]);
			words_quote(line, wanted.text[i]);
			any = true;
		}
	return !line->failed || fault_memory(f, "goodput");
}

// ---- a day -------------------------------------------------------------------------------------------------------------

// Chips of the machine that ran a job, times hours, since the counts began.
static double chip_hours(const struct goodput_now *n)
{
	return n->hours > n->since ? n->run.busy * (n->hours - n->since) * n->grid.blocks * BLOCK_CHIPS : 0;
}

static bool pass_day(struct racks *r, struct fault *f)
{
	if (r->days == RACKS_DAYS) {
		for (int m = 0; m < RACKS_MACHINES; m++)
			memmove(r->day[m], r->day[m] + 1, (RACKS_DAYS - 1) * sizeof *r->day[m]);
		r->days--;
	}
	for (int m = 0; m < RACKS_MACHINES; m++) {
		double before = chip_hours(&r->now[m]);
		if (!goodput_clock_run(r->clock[m], DAY, f))
			return false;
		read_clock(r, m);
		r->day[m][r->days] = (chip_hours(&r->now[m]) - before) / ((double)DAY * BLOCK_CHIPS * r->now[m].grid.blocks);
	}
	r->days++;
	return true;
}

bool racks_day(struct racks *r, struct fault *f)
{
	if (r->trail.day >= RACKS_LAST)
		return fault_set(f, "day", "begin them anew (0), or go back with `set day`", "the racks have seen %d days",
			RACKS_LAST);
	r->trail.day++;
	return pass_day(r, f);
}

// ---- moving ------------------------------------------------------------------------------------------------------------

static const double availabilities[] = {90, 95, 97, 98, 98.5, 99, 99.3, 99.5, 99.7, 99.8, 99.9, 99.95, 99.99, 100};
enum { AVAILABILITIES = sizeof availabilities / sizeof *availabilities };
static const char *const job_sizes[] = {"mix", "4x4x4", "4x8x8", "8x8x8", "8x8x16", "8x16x16"};
enum { JOB_SIZES = sizeof job_sizes / sizeof *job_sizes };

static double next_availability(double percent, bool up)
{
	const double nearly = 1e-6;
	if (up) {
		for (int i = 0; i < AVAILABILITIES; i++)
			if (availabilities[i] > percent + nearly)
				return availabilities[i];
		return percent;
	}
	for (int i = AVAILABILITIES - 1; i >= 0; i--)
		if (availabilities[i] < percent - nearly)
			return availabilities[i];
	return percent;
}

static const char *size_name(const int axis[3], char buf[48])
{
	const struct slice s = {.axis = {axis[0], axis[1], axis[2]}};
	return slice_name(&s, buf);
}

const char *racks_jobs(const struct racks *r, char buf[64])
{
	const struct goodput_case *c = &r->question.asked;
	char name[48];
	if (c->axis[0])
		snprintf(buf, 64, "%s", size_name(c->axis, name));
	else if (c->mix)
		snprintf(buf, 64, "%d size%s", c->mixes, c->mixes > 1 ? "s" : "");
	else
		snprintf(buf, 64, "the published mix");
	return buf;
}

// The next size that this pod has.
static const char *next_jobs(const struct racks *r)
{
	const struct goodput_case *c = &r->question.asked;
	char name[48];
	struct slice s;
	struct fault f;
	int at = 0;
	for (int i = 1; c->axis[0] && i < JOB_SIZES; i++)
		at = strcmp(size_name(c->axis, name), job_sizes[i]) == 0 ? i : at;
	at = (at + 1) % JOB_SIZES;
	while (at > 0 && !slice_read(&r->question.world.pod[0], job_sizes[at], false, &s, &f))
		at = (at + 1) % JOB_SIZES;
	return job_sizes[at];
}

bool racks_moved(const struct racks *r, const char *move, struct racks_set *set, struct fault *f)
{
	const struct goodput_question *q = &r->question;
	static const char *const word[] = {"availability-up", "availability-down", "spares-up", "spares-down", "jobs-next"};
	enum { UP, DOWN, MORE, LESS, JOBS, WORDS } which = UP;
	while (which < WORDS && strcmp(word[which], move) != 0)
		which++;
	if (which == WORDS)
		return fault_set(f, move, "give " RACKS_MOVES, "cannot be moved");
	racks_set_by(r, set);
	int spares = q->asked.spares + (which == MORE) - (which == LESS);
	if (spares < 0 || spares >= q->grid.blocks)
		return fault_set(f, "spares", "leave them as they are",
			spares < 0 ? "none is held back" : "no more can be held back");
	if (which == UP || which == DOWN)
		snprintf(set->text[RACKS_AVAILABILITY], ENGINE_TEXT, "%.10g",
			next_availability(100 * q->asked.availability, which == UP));
	snprintf(set->text[RACKS_SPARES], ENGINE_TEXT, "%d", spares);
	if (which == JOBS)
		snprintf(set->text[RACKS_JOBS], ENGINE_TEXT, "%s", next_jobs(r));
	return true;
}

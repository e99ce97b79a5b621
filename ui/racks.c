// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/racks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24, BLOCK_CHIPS = 64 };

const char *const racks_settings[RACKS_SETTINGS] = {"availability", "spares", "jobs"};

// ---- beginning ---------------------------------------------------------------------------------------------------------

void racks_free(struct racks *r)
{
	for (int m = 0; r && m < RACKS_MACHINES; m++)
		goodput_clock_free(r->clock[m]);
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

bool racks_again(struct racks *r, struct fault *f)
{
	struct goodput_clock *clock[RACKS_MACHINES] = {NULL};
	bool ok = begin_clocks(r, clock, f);
	for (int m = 0; m < RACKS_MACHINES; m++) {
		goodput_clock_free(ok ? r->clock[m] : clock[m]);
		r->clock[m] = ok ? clock[m] : r->clock[m];
	}
	if (!ok)
		return false;
	r->days = 0;
	read_clocks(r);
	return true;
}

static bool same_machine(const struct racks *a, const struct racks *b)
{
	const struct goodput_question *p = &a->question, *q = &b->question;
	bool same = strcmp(p->world.pod[0].name, q->world.pod[0].name) == 0 && !(p->seed < q->seed || p->seed > q->seed) &&
		p->grid.blocks == q->grid.blocks && p->grid.hosts == q->grid.hosts;
	for (int i = 0; i < INPUTS; i++)
		same &= !(p->world.input[i] < q->world.input[i] || p->world.input[i] > q->world.input[i]);
	return same;
}

// The machines of the one before go on under what is asked now, and are counted anew.
static bool go_on(struct racks *r, struct racks *before, struct fault *f)
{
	for (int m = 0; m < RACKS_MACHINES; m++) {
		struct goodput_case c = case_of(r, m);
		if (goodput_clock_change(before->clock[m], &c, f))
			continue;
		for (int k = 0; k <= m; k++) { // r will be gone, and its mix with it
			c = case_of(before, k);
			goodput_clock_change(before->clock[k], &c, &(struct fault){0});
		}
		return false;
	}
	for (int m = 0; m < RACKS_MACHINES; m++)
		goodput_clock_count(before->clock[m]);
	for (int m = 0; m < RACKS_MACHINES; m++) {
		r->clock[m] = before->clock[m];
		before->clock[m] = NULL;
	}
	memcpy(r->day, before->day, sizeof r->day);
	memcpy(r->lettered, before->lettered, sizeof r->lettered);
	r->days = before->days;
	r->running = before->running;
	return true;
}

// ---- settings ----------------------------------------------------------------------------------------------------------

void racks_set_of(const struct config *c, struct racks_set *set)
{
	*set = (struct racks_set){0}; // two of the same are alike to the byte
	for (int i = 0; i < RACKS_SETTINGS; i++)
		config_get(c, racks_settings[i], set->text[i], sizeof set->text[i]);
}

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
	const bool wanted[RACKS_SETTINGS] = {isnan(q->asked.availability), !q->spared, !q->sized};
	if (ok && take(q, set, wanted, &call->fault))
		return r;
	free(r);
	return NULL;
}

bool racks_begin(struct racks *r, struct racks *before, struct fault *f)
{
	bool ok = before && same_machine(r, before) ? go_on(r, before, f) : begin_clocks(r, r->clock, f);
	if (ok)
		read_clocks(r);
	return ok;
}

void racks_set_by(const struct racks *r, struct racks_set *set)
{
	const struct goodput_case *c = &r->question.asked;
	*set = (struct racks_set){0};
	snprintf(set->text[RACKS_AVAILABILITY], ENGINE_TEXT, "%.10g", 100 * c->availability);
	snprintf(set->text[RACKS_SPARES], ENGINE_TEXT, "%d", c->spares);
	goodput_jobs_write(c, set->text[RACKS_JOBS], ENGINE_TEXT);
}

struct racks *racks_with(const struct racks *before, const struct racks_set *set, struct fault *f)
{
	static const bool all[RACKS_SETTINGS] = {true, true, true};
	struct racks *r = calloc(1, sizeof *r);
	if (!r) {
		fault_memory(f, "goodput");
		return NULL;
	}
	r->question = before->question;
	if (take(&r->question, set, all, f))
		return r;
	free(r);
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

bool racks_day(struct racks *r, struct fault *f)
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

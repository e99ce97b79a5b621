// SPDX-License-Identifier: GPL-3.0-or-later
// Simulates goodput by events: hosts fail and come back, blocks go up and down, and jobs queue, run, lose their work since the
// last checkpoint and are placed again. Time is in hours.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/goodput.h"
#include "engine/tensor/rng.h"

enum { WINDOW = 64, JOBS = GOODPUT_BLOCKS * 64 + WINDOW, BATCHES = 40, BLOCK_CHIPS = 64 };

#define MOST_EVENTS 2e7

struct block {
	int down;  // hosts that are
	int used;  // chips
	int first; // job of a list by `beside`; -1: none
};

struct job {
	int box[3], blocks, chips;
	double left;            // hours of work; INFINITY: never ends
	double began;           // when it was placed
	long number;            // in the order in which they come
	unsigned placed;        // how often: an end that was foreseen for an earlier placing is void
	int at[GOODPUT_BLOCKS]; // its blocks
	int beside;             // the next job in its block, where it fills none
};

struct event {
	double time;
	int what; // a host, or -1 - job
	unsigned placed;
};

struct goodput_clock {
	struct world world;
	struct goodput_case asked;
	struct block_grid grid;
	uint64_t host_key, job_key, job_draws;
	uint32_t *host_draws; // per host: hosts fail alike whatever runs on them
	double fail, repair;  // rates, an hour
	double now;
	struct block *block;
	bool *host_down;
	struct event *heap;
	int events, room;
	struct job *job;
	int *spare_job, spare_jobs; // places in `job` that are free
	int queue[WINDOW * 2], queued;
	int used_blocks, used_chips;
	long jobs;           // that have come
	double busy, useful; // chip hours since `since`
	double since, begun; // begun: chip hours that running jobs had kept then
	struct goodput_run run;
	bool failed; // out of memory
};

static double draw_job(struct goodput_clock *s)
{
	return rng_uniform(s->job_key, s->job_draws++);
}

static double draw_host(struct goodput_clock *s, int host)
{
	return rng_uniform(s->host_key, ((uint64_t)host << 32) + s->host_draws[host]++);
}

static double wait_for(double rate, double drawn)
{
	return rate > 0 ? -log1p(-drawn) / rate : INFINITY;
}

// ---- the heap ----

static void push(struct goodput_clock *s, double time, int what, unsigned placed)
{
	if (isinf(time))
		return;
	if (s->events == s->room) {
		int room = s->room * 2;
		struct event *more = realloc(s->heap, (size_t)room * sizeof *more);
		if (!more) {
			s->failed = true;
			return;
		}
		s->heap = more;
		s->room = room;
	}
	int i = s->events++;
	for (int up; i > 0 && s->heap[up = (i - 1) / 2].time > time; i = up)
		s->heap[i] = s->heap[up];
	s->heap[i] = (struct event){time, what, placed};
}

static struct event pop(struct goodput_clock *s)
{
	struct event first = s->heap[0], last = s->heap[--s->events];
	int i = 0;
	for (int next; (next = 2 * i + 1) < s->events; i = next) {
		next += next + 1 < s->events && s->heap[next + 1].time < s->heap[next].time;
		if (s->heap[next].time >= last.time)
			break;
		s->heap[i] = s->heap[next];
	}
	s->heap[i] = last;
	return first;
}

// ---- jobs ----

static const int *draw_size(struct goodput_clock *s)
{
	const struct job_size *mix = s->asked.mix ? s->asked.mix : job_mix;
	int mixes = s->asked.mix ? s->asked.mixes : job_mix_count;
	double sum = 0, at;
	if (s->asked.axis[0])
		return s->asked.axis;
	for (int i = 0; i < mixes; i++)
		sum += mix[i].share;
	at = draw_job(s) * sum;
	for (int i = 0; i + 1 < mixes; i++)
		if ((at -= mix[i].share) < 0)
			return mix[i].axis;
	return mix[mixes - 1].axis;
}

static int new_job(struct goodput_clock *s)
{
	int index = s->spare_job[--s->spare_jobs];
	struct job *j = &s->job[index];
	const int *axis = draw_size(s);
	j->blocks = box_of(axis, j->box);
	j->chips = axis[0] * axis[1] * axis[2];
	j->left = s->world.input[IN_JOB] > 0 ? wait_for(1 / s->world.input[IN_JOB], draw_job(s)) : INFINITY;
	j->placed++;
	j->number = s->jobs++;
	return index;
}

static bool is_free(const struct goodput_clock *s, int b, const struct job *j)
{
	return !s->block[b].down &&
		(j->chips >= BLOCK_CHIPS ? s->block[b].used == 0 : s->block[b].used + j->chips <= BLOCK_CHIPS);
}

static bool box_is_free(const struct goodput_clock *s, const int from[3], struct job *j)
{
	const int *side = s->grid.side;
	int count = 0;
	for (int z = 0; z < j->box[2]; z++)
		for (int y = 0; y < j->box[1]; y++)
			for (int x = 0; x < j->box[0]; x++) {
				int b = ((from[2] + z) * side[1] + from[1] + y) * side[0] + from[0] + x;
				if (!is_free(s, b, j))
					return false;
				j->at[count++] = b;
			}
	return true;
}

static bool find_box(const struct goodput_clock *s, struct job *j)
{
	int from[3];
	for (from[2] = 0; from[2] + j->box[2] <= s->grid.side[2]; from[2] += j->box[2])
		for (from[1] = 0; from[1] + j->box[1] <= s->grid.side[1]; from[1] += j->box[1])
			for (from[0] = 0; from[0] + j->box[0] <= s->grid.side[0]; from[0] += j->box[0])
				if (box_is_free(s, from, j))
					return true;
	return false;
}

// Any blocks; one that is shared already goes first to those that fill none.
static bool find_blocks(const struct goodput_clock *s, struct job *j)
{
	int count = 0;
	for (int pass = j->chips >= BLOCK_CHIPS; pass < 2; pass++)
		for (int b = 0; b < s->grid.blocks && count < j->blocks; b++)
			if (is_free(s, b, j) && (pass || s->block[b].used))
				j->at[count++] = b;
	return count == j->blocks;
}

static bool place(struct goodput_clock *s, int index)
{
	struct job *j = &s->job[index];
	if (!(s->asked.fixed && j->blocks > 1 ? find_box(s, j) : find_blocks(s, j)))
		return false;
	int opened = j->chips >= BLOCK_CHIPS ? j->blocks : s->block[j->at[0]].used == 0;
	if (s->used_blocks + opened > s->grid.blocks - s->asked.spares)
		return false;
	s->used_blocks += opened;
	s->used_chips += j->chips;
	for (int i = 0; i < j->blocks; i++) {
		struct block *b = &s->block[j->at[i]];
		b->used += j->chips / j->blocks;
		j->beside = b->first; // of one block where it matters
		b->first = index;
	}
	j->began = s->now;
	j->placed++;
	push(s, s->now + s->world.input[IN_RESTART] + j->left, -1 - index, j->placed);
	return true;
}

static void leave(struct goodput_clock *s, int index)
{
	struct job *j = &s->job[index];
	s->used_chips -= j->chips;
	for (int i = 0; i < j->blocks; i++) {
		struct block *b = &s->block[j->at[i]];
		int *link = &b->first;
		while (*link != index)
			link = &s->job[*link].beside;
		*link = j->chips >= BLOCK_CHIPS ? -1 : j->beside;
		b->used -= j->chips / j->blocks;
		s->used_blocks -= b->used == 0;
	}
}

static void place_all(struct goodput_clock *s)
{
	int window = s->asked.window > 1 ? s->asked.window : 1;
	for (bool again = true; again && !s->failed;) {
		while (s->queued < window)
			s->queue[s->queued++] = new_job(s);
		again = false;
		for (int i = 0; i < window && !again; i++)
			if (place(s, s->queue[i])) {
				memmove(&s->queue[i], &s->queue[i + 1], (size_t)(--s->queued - i) * sizeof *s->queue);
				again = true;
			}
	}
}

static void finish(struct goodput_clock *s, int index)
{
	s->useful += s->job[index].left * s->job[index].chips;
	s->run.jobs++;
	leave(s, index);
	s->spare_job[s->spare_jobs++] = index;
}

// Hours of work that a running job would keep if it failed now.
static double kept_now(const struct goodput_clock *s, const struct job *j)
{
	double each = s->world.input[IN_CHECKPOINT], ran = s->now - j->began - s->world.input[IN_RESTART];
	return ran <= 0 ? 0 : each > 0 ? floor(ran / each) * each : ran;
}

// Back to the last checkpoint, and to the head of the queue; where that is full the last of it, which has done nothing, is
// dropped.
static void interrupt(struct goodput_clock *s, int index)
{
	struct job *j = &s->job[index];
	double kept = kept_now(s, j);
	s->useful += kept * j->chips;
	j->left -= kept;
	j->placed++;
	s->run.hits++;
	leave(s, index);
	if (s->queued == WINDOW * 2)
		s->spare_job[s->spare_jobs++] = s->queue[--s->queued];
	memmove(&s->queue[1], &s->queue[0], (size_t)s->queued++ * sizeof *s->queue);
	s->queue[0] = index;
}

// When it fails, or is back.
static void push_host(struct goodput_clock *s, int host)
{
	push(s, s->now + wait_for(s->host_down[host] ? s->repair : s->fail, draw_host(s, host)), host, 0);
}

static void toggle(struct goodput_clock *s, int host)
{
	struct block *b = &s->block[host / s->grid.hosts];
	bool down = s->host_down[host] = !s->host_down[host];
	b->down += down ? 1 : -1;
	s->run.failures += down;
	while (down && b->first >= 0)
		interrupt(s, b->first);
	push_host(s, host);
}

static void pass(struct goodput_clock *s, double to)
{
	s->busy += s->used_chips * (to - s->now);
	s->now = to;
}

// ---- events ----

static void run_until(struct goodput_clock *s, double end)
{
	while (s->events && s->heap[0].time <= end && !s->failed) {
		struct event e = pop(s);
		if (e.what < 0 && s->job[-1 - e.what].placed != e.placed)
			continue;
		pass(s, e.time);
		if (e.what < 0)
			finish(s, -1 - e.what);
		else
			toggle(s, e.what);
		place_all(s);
	}
	pass(s, end);
}

static void begin(struct goodput_clock *s)
{
	int hosts = s->grid.blocks * s->grid.hosts;
	for (int b = 0; b < s->grid.blocks; b++)
		s->block[b] = (struct block){.first = -1};
	for (int i = 0; i < JOBS; i++)
		s->spare_job[s->spare_jobs++] = JOBS - 1 - i;
	for (int h = 0; h < hosts; h++) { // as they stand after a long time
		s->host_down[h] = draw_host(s, h) >= s->asked.availability;
		s->block[h / s->grid.hosts].down += s->host_down[h];
		push_host(s, h);
	}
	place_all(s);
}

// ---- the clock ----

static bool few_events(const struct goodput_clock *s, double hours, struct fault *fault)
{
	double job = s->world.input[IN_JOB];
	if (2 * s->fail * hours * s->grid.blocks * s->grid.hosts < MOST_EVENTS &&
		(job <= 0 || hours / job * s->grid.blocks * 16 < MOST_EVENTS))
		return true;
	return fault_set(fault, "goodput", "simulate fewer hours, or set repair= and job= higher",
		"too many events: more than %g", MOST_EVENTS);
}

void goodput_clock_free(struct goodput_clock *s)
{
	if (!s)
		return;
	free(s->block);
	free(s->host_down);
	free(s->host_draws);
	free(s->heap);
	free(s->job);
	free(s->spare_job);
	free(s);
}

struct goodput_clock *goodput_clock_new(const struct world *w, const struct goodput_case *c, uint64_t seed, struct fault *fault)
{
	struct goodput_clock *s = calloc(1, sizeof *s);
	if (!s || !block_grid_of(&w->pod[0], &s->grid, fault)) {
		if (!s)
			fault_memory(fault, "the simulation");
		free(s);
		return NULL;
	}
	const size_t hosts = (size_t)s->grid.blocks * (size_t)s->grid.hosts;
	s->world = *w;
	s->asked = *c;
	s->host_key = rng_key(seed, "goodput hosts", 0);
	s->job_key = rng_key(seed, "goodput jobs", 0);
	s->room = 4096;
	s->fail = host_failures(w, c->availability);
	s->repair = 1 / w->input[IN_REPAIR];
	s->block = calloc((size_t)s->grid.blocks, sizeof *s->block);
	s->host_down = calloc(hosts, sizeof *s->host_down);
	s->host_draws = calloc(hosts, sizeof *s->host_draws);
	s->heap = malloc((size_t)s->room * sizeof *s->heap);
	s->job = calloc(JOBS, sizeof *s->job);
	s->spare_job = malloc(JOBS * sizeof *s->spare_job);
	if (s->block && s->host_down && s->host_draws && s->heap && s->job && s->spare_job) {
		begin(s);
		if (!s->failed)
			return s;
	}
	goodput_clock_free(s);
	fault_memory(fault, "the simulation");
	return NULL;
}

bool goodput_clock_run(struct goodput_clock *s, double hours, struct fault *fault)
{
	if (!few_events(s, hours, fault))
		return false;
	run_until(s, s->now + hours);
	return !s->failed || fault_memory(fault, "the simulation");
}

// What the running jobs have kept of their work, in chip hours.
static double kept_by_all(const struct goodput_clock *s)
{
	double kept = 0;
	for (int b = 0; b < s->grid.blocks; b++)
		for (int i = s->block[b].first; i >= 0; i = s->job[i].chips < BLOCK_CHIPS ? s->job[i].beside : -1)
			if (s->job[i].at[0] == b)
				kept += kept_now(s, &s->job[i]) * s->job[i].chips;
	return kept;
}

void goodput_clock_count(struct goodput_clock *s)
{
	s->busy = s->useful = 0;
	s->since = s->now;
	s->begun = kept_by_all(s);
	s->run = (struct goodput_run){0};
}

bool goodput_clock_change(struct goodput_clock *s, const struct goodput_case *c, struct fault *fault)
{
	const struct event *old = s->heap;
	const int events = s->events;
	const bool other = c->availability < s->asked.availability || c->availability > s->asked.availability;
	s->asked = *c;
	s->fail = host_failures(&s->world, c->availability);
	if (other) { // what is to come does not depend on how long it has been waited for
		if (!(s->heap = malloc((size_t)s->room * sizeof *s->heap))) {
			s->heap = (struct event *)old;
			return fault_memory(fault, "the simulation");
		}
		s->events = 0;
		for (int i = 0; i < events; i++)
			if (old[i].what < 0)
				push(s, old[i].time, old[i].what, old[i].placed);
		free((struct event *)old);
		for (int h = 0; h < s->grid.blocks * s->grid.hosts; h++)
			push_host(s, h);
	}
	place_all(s);
	return !s->failed || fault_memory(fault, "the simulation");
}

void goodput_clock_read(const struct goodput_clock *s, struct goodput_now *now)
{
	const double all = (s->now - s->since) * s->grid.blocks * BLOCK_CHIPS;
	*now = (struct goodput_now){.hours = s->now, .since = s->since, .grid = s->grid, .run = s->run, .chips = s->used_chips};
	now->run.busy = all > 0 ? s->busy / all : (double)NAN;
	now->run.useful = all > 0 ? (s->useful + kept_by_all(s) - s->begun) / all : (double)NAN;
	now->run.busy_error = now->run.useful_error = (double)NAN;
	now->run.host_hours = (s->now - s->since) * s->grid.blocks * s->grid.hosts;
	for (int b = 0; b < s->grid.blocks; b++) {
		struct goodput_block *to = &now->block[b];
		*to = (struct goodput_block){.down = s->block[b].down, .chips = s->block[b].used, .job = -1};
		for (int i = s->block[b].first; i >= 0; i = s->job[i].chips < BLOCK_CHIPS ? s->job[i].beside : -1) {
			to->job = to->jobs++ ? to->job : s->job[i].number;
			to->blocks = s->job[i].blocks;
		}
	}
	if (s->queued) {
		const struct job *first = &s->job[s->queue[0]];
		now->waiting = first->number;
		now->waiting_chips = first->chips;
	}
}

// ---- the run ----

static void mean_of(const double *batch, double *mean, double *error)
{
	double sum = 0, squares = 0;
	for (int i = 0; i < BATCHES; i++)
		sum += batch[i] / BATCHES;
	for (int i = 0; i < BATCHES; i++)
		squares += (batch[i] - sum) * (batch[i] - sum);
	*mean = sum;
	*error = sqrt(squares / (BATCHES - 1) / BATCHES);
}

bool goodput_simulate(const struct world *w, const struct goodput_case *c, uint64_t seed, double hours, struct goodput_run *run,
	struct fault *fault)
{
	struct goodput_clock *s = goodput_clock_new(w, c, seed, fault);
	double busy[BATCHES], useful[BATCHES];
	*run = (struct goodput_run){0};
	if (!s || !few_events(s, hours, fault)) {
		goodput_clock_free(s);
		return false;
	}
	const double chips = s->grid.blocks * (double)BLOCK_CHIPS, span = hours / (BATCHES + 1);
	for (int i = -1; i < BATCHES && !s->failed; i++) { // the first fills the machine, and is not counted
		run_until(s, (i + 2) * span);
		if (i >= 0) {
			busy[i] = s->busy / span / chips;
			useful[i] = s->useful / span / chips;
		}
		s->busy = s->useful = 0;
	}
	bool ok = !s->failed || fault_memory(fault, "the simulation");
	if (ok) {
		*run = s->run;
		mean_of(busy, &run->busy, &run->busy_error);
		mean_of(useful, &run->useful, &run->useful_error);
		run->host_hours = hours * s->grid.blocks * s->grid.hosts;
	}
	goodput_clock_free(s);
	return ok;
}

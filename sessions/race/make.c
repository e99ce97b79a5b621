// SPDX-License-Identifier: GPL-3.0-or-later
// One run, in this process: an engine from its first step to its horizon, then both splits and the digest.
#include "sessions/race/make.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "sessions/race/paths.h"

static const double PROGRESS_SECONDS = 0.2; // on a terminal; elsewhere nothing is shown

struct making {
	struct race race;
	const struct race_run *run;
	struct config *config;
	struct engine *engine;
	struct snapshot *snapshot;
	struct result result;
	double shown_at;
	bool shown;
};

// ---- what it takes ---------------------------------------------------------------------------------------------------

// Bytes, at the peak of this process. VmHWM, where there is one: that of getrusage may be of the process that started this one.
static double peak_memory(void)
{
	char line[256];
	double kb = 0;
	struct rusage usage;
	FILE *in = fopen("/proc/self/status", "re");
	while (in && fgets(line, sizeof line, in))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtod(line + 6, NULL);
	if (in)
		fclose(in);
	if (!(kb > 0) && getrusage(RUSAGE_SELF, &usage) == 0)
		kb = (double)usage.ru_maxrss;
	return kb * 1024;
}

static double processor_seconds(void)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) != 0)
		return NAN;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

// ---- the engine ------------------------------------------------------------------------------------------------------

static void show_progress(struct making *m)
{
	const struct snapshot *now = m->snapshot;
	double time = clock_seconds();
	if (time - m->shown_at < PROGRESS_SECONDS || !isatty(STDERR_FILENO))
		return;
	m->shown_at = time;
	m->shown = true;
	fprintf(stderr, "\r\033[Kstep %ld/%ld, %.0f s left", now->step, now->horizon, now->seconds_left);
	fflush(stderr);
}

static void wait_for_news(struct making *m)
{
	struct pollfd fd = {.fd = engine_fd(m->engine), .events = POLLIN};
	poll(&fd, 1, 1000);
	engine_news(m->engine);
	engine_snapshot(m->engine, m->snapshot);
	show_progress(m);
}

// The reply to the one request that is under way. What it holds is the caller's, also where it failed.
static bool await(struct making *m, struct reply *reply, struct fault *f)
{
	while (!engine_reply(m->engine, reply))
		wait_for_news(m);
	if (reply->ok)
		return true;
	*f = reply->fault;
	return false;
}

// ---- a choice trained alone ------------------------------------------------------------------------------------------

// The run that found the choice which this one trains; NULL: there is none.
static const struct race_run *found_by(const struct race *race, const struct race_run *run)
{
	for (int i = 0; i < race->runs; i++) {
		const struct race_run *r = &race->run[i];
		if (strcmp(r->entrant->name, run->entrant->alone) == 0 && strcmp(r->network, run->network) == 0 &&
			strcmp(r->aim, run->aim) == 0 && strcmp(r->seed, run->seed) == 0 && strcmp(r->time, run->time) == 0)
			return r;
	}
	return NULL;
}

// The architecture that was found, slot by slot.
static bool pin_architecture(const struct engine_info *info, const struct chosen *found, struct change_item *item,
	struct fault *f)
{
	if (info->slots - info->formats != found->slots)
		return fault_set(f, info->net, "take the result away that it comes from: the run is made again",
			"what was found has %d slots of the architecture, and the network %d", found->slots,
			info->slots - info->formats);
	for (int i = 0; i < found->slots; i++) {
		const struct result_slot *slot = &found->slot[i];
		if (strcmp(slot->name, info->slot[info->formats + i].name) != 0)
			return fault_set(f, slot->name, "take the result away that it comes from: the run is made again",
				"the network has %s in its place", info->slot[info->formats + i].name);
		char name[SLOT_WORD];
		snprintf(item[i].name, sizeof item[i].name, "%.*s", (int)sizeof item[i].name - 1,
			engine_slot_name(info, info->formats + i, name));
		snprintf(item[i].value, sizeof item[i].value, "%s", slot->option);
	}
	return true;
}

static bool pin_choice(struct making *m, const struct chosen *found, struct fault *f)
{
	struct change change = {.kind = CHANGE_RESTRICT, .items = 2 * found->layers + found->slots};
	struct reply reply = {0};
	change.item = calloc((size_t)change.items + 1, sizeof *change.item);
	if (!change.item)
		return fault_memory(f, m->run->name);
	for (int i = 0; i < found->layers; i++) {
		const struct result_layer *l = &found->layer[i];
		struct change_item *item = &change.item[2 * i];
		snprintf(item[0].name, sizeof item[0].name, "%.*s.w", (int)sizeof item[0].name - 3, l->name);
		snprintf(item[1].name, sizeof item[1].name, "%.*s.a", (int)sizeof item[1].name - 3, l->name);
		snprintf(item[0].value, sizeof item[0].value, "%s", l->weight);
		snprintf(item[1].value, sizeof item[1].value, "%s", l->activation);
	}
	bool ok = pin_architecture(m->snapshot->info, found, change.item + 2 * found->layers, f) &&
		engine_post_change(m->engine, &change, NULL, f) && await(m, &reply, f);
	reply_free(&reply);
	free(change.item);
	return ok;
}

static bool take_given(struct making *m, struct fault *f)
{
	struct chosen chosen;
	bool ok = chosen_read(m->run->entrant->choice_file, &chosen, f) && pin_choice(m, &chosen, f);
	chosen_free(&chosen);
	return ok;
}

static bool take_choice(struct making *m, struct fault *f)
{
	char title[4 * ENGINE_TEXT];
	if (m->run->entrant->choice[0])
		return take_given(m, f);
	if (!m->run->entrant->alone[0])
		return true;
	const struct race_run *run = found_by(&m->race, m->run);
	struct result found = {0};
	if (!run || !result_read(m->race.folder, &m->race.plan, run, &found, f))
		return run ? false : fault_set(f, m->run->name, "see the plan", "no run finds the choice that it is to train");
	bool ok = (found.there && !found.why[0]) ||
		fault_set(f, run_title(run, title), "`race resume` makes it first",
			found.there ? "it failed, and so has no choice" : "it has not found its choice yet");
	const int path = m->run->path;
	if (ok && path >= found.paths)
		ok = fault_set(f, run_title(run, title), "take its result away: it is made again",
			"it has scored %d paths, not %d", found.paths, path + 1);
	ok = ok && pin_choice(m, path < 0 ? &found.chosen : &found.path[path].chosen, f);
	result_free(&found);
	return ok;
}

// ---- steps at equal time ---------------------------------------------------------------------------------------------

// Mean seconds of processors that an entrant's runs on a network (NULL: on all of its) took at equal training images, on the first seed: on
// a machine that has nothing else to do, that is its time by the threads. NAN: one is missing.
static double pace(const struct race *race, const struct entrant *e, const char *network, struct fault *f)
{
	double sum = 0;
	int count = 0;
	for (int i = 0; i < race->runs; i++) {
		const struct race_run *r = &race->run[i];
		struct result result;
		if (r->entrant != e || r->time[0] || (network && strcmp(r->network, network) != 0) ||
			strcmp(r->seed, race->run[0].seed) != 0)
			continue;
		if (!result_read(race->folder, &race->plan, r, &result, f))
			return NAN;
		sum += result.there && !result.why[0] ? result.processors : (double)NAN;
		count++;
		result_free(&result);
	}
	return count ? sum / count : (double)NAN;
}

// As many steps as take this share of the first entrant's time, by what its and this one's runs took at equal images.
static bool take_steps(struct making *m, struct fault *f)
{
	double share, steps;
	char text[32];
	const struct race *race = &m->race;
	if (!m->run->time[0])
		return true;
	const char *network = m->run->network, *same = plan_one_contest(&race->plan) ? NULL : network;
	double first = pace(race, plan_first(&race->plan), same, f), own = pace(race, m->run->entrant, network, f);
	if (!(first > 0) || !(own > 0))
		return fault_set(f, m->run->name, "`race resume` makes them first",
			"the runs at equal images are not there that say how long a step takes");
	config_get(m->config, "steps", text, sizeof text);
	if (!number_read(m->run->time, &share) || !number_read(text, &steps))
		return fault_set(f, m->run->name, "see the plan", "its time cannot be read");
	snprintf(text, sizeof text, "%.0f", fmax(1, round(steps * share * first / own)));
	return config_set(m->config, "steps", text, f);
}

// ---- the run ---------------------------------------------------------------------------------------------------------

static bool open_engine(struct making *m, struct fault *f)
{
	double began = clock_seconds();
	if (!(m->engine = engine_open(m->config, NULL, f)))
		return false;
	if (!(m->snapshot = snapshot_new()))
		return fault_memory(f, m->run->name);
	engine_snapshot(m->engine, m->snapshot);
	m->result.opening = clock_seconds() - began;
	snprintf(m->result.kernels, sizeof m->result.kernels, "%s", m->snapshot->info->kernels);
	return true;
}

// To the horizon. A search that goes wrong on its way has a result that says so: it would go wrong again.
static void run_through(struct making *m)
{
	double began = clock_seconds(), before = processor_seconds();
	struct result *r = &m->result;
	engine_run_to(m->engine, ENGINE_RUN_ON);
	while (m->snapshot->run != RUN_FINISHED && m->snapshot->run != RUN_FAILED)
		wait_for_news(m);
	r->running = clock_seconds() - began;
	r->processors = processor_seconds() - before;
	r->steps = m->snapshot->step;
	r->images = (double)m->snapshot->step * m->snapshot->info->batch;
	if (m->snapshot->run == RUN_FAILED)
		fault_line(&m->snapshot->fault, r->why, sizeof r->why);
}

static bool take_evaluation(struct making *m, const struct evaluation *e, struct fault *f)
{
	struct result *r = &m->result;
	r->terms = m->snapshot->terms;
	for (int t = 0; t < r->terms; t++) {
		snprintf(r->term[t].name, sizeof r->term[t].name, "%s", m->snapshot->term[t].name);
		snprintf(r->term[t].unit, sizeof r->term[t].unit, "%s", m->snapshot->term[t].unit);
		r->term[t].cost = e->cost[t];
	}
	return chosen_of(m->snapshot->info, e->choice, &r->chosen) || fault_memory(f, m->run->name);
}

// ---- paths of one cost -----------------------------------------------------------------------------------------------

static double macs_of(struct making *m, const uint8_t *choice, struct layer_info *layer)
{
	double macs = 0;
	bool known = engine_layers(m->engine, choice, layer);
	for (int i = 0; known && i < m->snapshot->info->layers; i++)
		macs += layer[i].macs;
	return macs;
}

static double cost_of(const struct making *m, const struct evaluation *e)
{
	for (int t = 0; t < m->snapshot->terms; t++)
		if (strcmp(m->snapshot->term[t].name, m->race.plan.term) == 0)
			return e->cost[t];
	return NAN;
}

// One path with the weights as they are, on the test images: they are many, and nothing is chosen by them.
static bool score_path(struct making *m, const uint8_t *choice, struct layer_info *layer, struct result_path *to, struct fault *f)
{
	struct reply reply = {0};
	bool ok = engine_post_evaluate(m->engine, CHOICE_GIVEN, NULL, choice, SPLIT_TEST, NULL, f) && await(m, &reply, f);
	if (ok)
		*to = (struct result_path){.test = reply.evaluation.accuracy,
			.cost = cost_of(m, &reply.evaluation),
			.macs = macs_of(m, choice, layer)};
	ok = ok && (chosen_of(m->snapshot->info, choice, &to->chosen) || fault_memory(f, "paths"));
	reply_free(&reply);
	return ok;
}

static bool score_paths(struct making *m, struct fault *f)
{
	struct result *r = &m->result;
	const struct engine_info *info = m->snapshot->info;
	const int paths = m->run->entrant->paths;
	if (!paths)
		return true;
	uint8_t *choice = calloc((size_t)paths, (size_t)info->slots);
	struct layer_info *layer = calloc((size_t)info->layers, sizeof *layer);
	r->path = calloc((size_t)paths, sizeof *r->path);
	bool ok = (choice && layer && r->path) || fault_memory(f, "paths");
	ok = ok && paths_draw(m->engine, m->snapshot, m->race.plan.term, info->seed, paths, choice, f);
	for (; ok && r->paths < paths; r->paths++)
		ok = score_path(m, choice + (size_t)r->paths * (size_t)info->slots, layer, &r->path[r->paths], f);
	free(choice);
	free(layer);
	return ok;
}

// ---- all of it -------------------------------------------------------------------------------------------------------

static bool score(struct making *m, enum split split, struct fault *f)
{
	struct reply reply = {0};
	bool ok = engine_post_evaluate(m->engine, CHOICE_RESULT, NULL, NULL, split, NULL, f) && await(m, &reply, f);
	if (ok)
		*(split == SPLIT_TEST ? &m->result.test : &m->result.heldout) = reply.evaluation.accuracy;
	ok = ok && (split == SPLIT_TEST || take_evaluation(m, &reply.evaluation, f));
	reply_free(&reply);
	return ok;
}

static bool take_digest(struct making *m, struct fault *f)
{
	struct reply reply = {0};
	bool ok = engine_post_state(m->engine, NULL, f) && await(m, &reply, f);
	const char *digest = ok ? state_get(reply.state, "digest") : NULL;
	snprintf(m->result.digest, sizeof m->result.digest, "%s", digest ? digest : "");
	reply_free(&reply);
	return ok;
}

static bool make(struct making *m, struct fault *f)
{
	struct result *r = &m->result;
	r->heldout = r->test = NAN;
	if (!(m->config = plan_config(&m->race.plan, m->run, f)) || !take_steps(m, f) || !open_engine(m, f) || !take_choice(m, f))
		return false;
	run_through(m);
	double began = clock_seconds();
	if (!r->why[0] && (!score(m, SPLIT_HELDOUT, f) || !score(m, SPLIT_TEST, f) || !score_paths(m, f)))
		return false;
	r->scoring = clock_seconds() - began;
	r->memory = peak_memory(); // before the state is copied, which no search needs
	if (!r->why[0] && !take_digest(m, f))
		return false;
	if (m->shown)
		fputs("\r\033[K", stderr);
	return result_write(m->race.folder, &m->race.plan, m->run, m->config, r, f);
}

bool race_make(const char *folder, const char *name, struct fault *f)
{
	struct making m = {0};
	bool ok = race_open(&m.race, folder, false, f);
	for (int i = 0; ok && i < m.race.runs; i++)
		if (strcmp(m.race.run[i].name, name) == 0)
			m.run = &m.race.run[i];
	if (ok && !m.run)
		ok = fault_set(f, name, "`race csv` lists them", "the race has no such run");
	ok = ok && make(&m, f);
	result_free(&m.result);
	engine_close(m.engine);
	snapshot_free(m.snapshot);
	config_free(m.config);
	race_free(&m.race);
	return ok;
}

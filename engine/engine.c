// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's thread: carries out requests between steps, makes steps while it should run, and publishes. Only this thread
// touches `search` while it lives; `lock` guards everything that is shared.
#include "engine/engine.h"

#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/courtesy.h"
#include "engine/export/reach.h"
#include "engine/history.h"
#include "engine/search/search.h"
#include "engine/tensor/kernels.h"

// A request on its way in, then its reply on its way out.
struct request {
	struct request *next;
	struct change change;
	uint8_t *choice; // REQUEST_EVALUATE, REQUEST_FREEZE; NULL: the result
	enum split split;
	char *answers; // REQUEST_ANSWERS: lines to be given back
	int number; // REQUEST_FOCUS, REQUEST_FREEZE: the lane's; REQUEST_LOOK: the layer's; REQUEST_WEIGHTS: whether they are folded
	struct reply reply;
};

struct queue {
	struct request *first, **last;
};

struct engine {
	struct search *search;
	pthread_t thread;
	bool started;
	int pipe[2]; // a byte is in it while there is news
	int bell;    // readable once the thread is to see to what is below, though it waits for an answer from outside

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool quit, told;
	bool allowed;    // see engine_allow
	unsigned pauses; // asked for so often
	bool held;       // the last that was asked for was a pause: no polish goes on
	long until;      // run to this step
	double pace;     // steps a second, at most; 0: any number
	double due;      // when the next may be made
	unsigned ticket;
	struct queue requests, replies;
	struct snapshot published;
	struct history history;
	float *policy; // the engine's thread only: a row for the history

	// The engine's thread only: speed.
	double step_began; // of a step that is not made yet, and may have given way; 0: none
	double window_began, window_stepping;
	long window_steps;
};

const char *engine_kernels(void)
{
	return kernels_asked()->name;
}

bool engine_kernels_asked(void)
{
	const char *wish = getenv("BITSCAPE_KERNELS");
	return wish && *wish;
}

bool engine_use_kernels(const char *name)
{
	return kernels_use(name ? name : kernels_asked()->name);
}

// A set that was asked for and is not there would else be replaced by another in silence.
bool engine_kernels_check(struct fault *fault)
{
	char names[ENGINE_TEXT] = "";
	const char *wish = getenv("BITSCAPE_KERNELS");
	if (!engine_kernels_asked() || strcmp(wish, kernels_asked()->name) == 0)
		return true;
	for (const struct kernels *const *k = kernels_all(); *k; k++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*k)->name);
	}
	char todo[ENGINE_TEXT + 64];
	snprintf(todo, sizeof todo, "choose one of %s, or unset it", names);
	return fault_set(fault, "BITSCAPE_KERNELS", todo, "this processor has no set of kernels called '%s'", wish);
}

// ---- queues ----

static void put(struct queue *q, struct request *r)
{
	r->next = NULL;
	if (!q->first)
		q->last = &q->first;
	*q->last = r;
	q->last = &r->next;
}

static struct request *take(struct queue *q)
{
	struct request *r = q->first;
	if (r)
		q->first = r->next;
	return r;
}

void reply_free(struct reply *r)
{
	free(r->inverse.item);
	free(r->evaluation.choice);
	free(r->evaluation.range);
	free(r->evaluation.right);
	config_free(r->evaluation.settings);
	state_free(r->state);
	free(r->answers);
	free(r->noise);
	free(r->formats);
	frozen_free(r->frozen);
	*r = (struct reply){0};
}

static void request_free(struct request *r)
{
	if (!r)
		return;
	free(r->change.item);
	free(r->choice);
	free(r->answers);
	reply_free(&r->reply);
	free(r);
}

// ---- publication: all with the lock held ----

static void tell(struct engine *e)
{
	if (!e->told && write(e->pipe[1], "", 1) == 1)
		e->told = true;
}

// Something is there for the engine's thread to see to.
static void ring(struct engine *e)
{
	eventfd_write(e->bell, 1);
	pthread_cond_signal(&e->wake);
}

static long stop_at(const struct engine *e)
{
	long horizon = e->published.idle ? 0 : e->published.horizon;
	return e->until < horizon ? e->until : horizon;
}

static void publish(struct engine *e)
{
	search_publish(e->search, &e->published);
	struct knobs settings;
	search_knobs(e->search, &settings);
	config_take(e->published.settings, &settings);
	e->published.version++;
	tell(e);
}

static void set_run(struct engine *e, enum engine_run run)
{
	struct snapshot *s = &e->published;
	if (s->run == run)
		return;
	s->run = run;
	if (run != RUN_RUNNING)
		s->images_per_s = s->seconds_left = 0;
	s->version++;
	tell(e);
}

// Over the last half second or so: what a step takes by itself, and what it takes with all that goes on between steps.
static void measure(struct engine *e, double began)
{
	struct snapshot *s = &e->published;
	double t = clock_seconds();
	e->window_stepping += t - began;
	e->window_steps++;
	if (s->seconds_left > 0 && t - e->window_began < 0.5)
		return;
	s->step_seconds = e->window_stepping / (double)e->window_steps;
	s->images_per_s = search_info(e->search)->batch / s->step_seconds;
	s->seconds_left = (double)(s->horizon - s->step) * (t - e->window_began) / (double)e->window_steps;
	e->window_began = t;
	e->window_stepping = 0;
	e->window_steps = 0;
}

// ---- the thread ----

// With the lock held: answers that came from outside become a reply, before those to whatever is asked for from here on.
static void take_answers(struct engine *e)
{
	struct string words = {0};
	long step;
	if (!search_fresh(e->search, &step, &words))
		return;
	struct request *r = words.failed ? NULL : calloc(1, sizeof *r);
	if (!r) { // what is not recorded cannot be replayed
		string_free(&words);
		fault_memory(&e->published.fault, "engine");
		set_run(e, RUN_FAILED);
		return;
	}
	r->reply = (struct reply){.kind = REQUEST_ANSWERS, .step = step, .ok = true, .answers = words.bytes};
	put(&e->replies, r);
	tell(e);
}

// With the lock held: takes over what was said by those who rang.
static void listen(struct engine *e)
{
	eventfd_t count;
	eventfd_read(e->bell, &count);
	if (e->allowed)
		search_allow(e->search);
}

static bool save_state(struct engine *e, struct reply *r)
{
	r->state = calloc(1, sizeof *r->state);
	if (r->state && !search_save(e->search, r->state, &r->fault))
		return false;
	return (r->state && history_save(&e->history, r->state)) || fault_memory(&r->fault, "checkpoint");
}

static bool apply(struct engine *e, const struct change *c, struct reply *r)
{
	bool ok = true;
	if (c->kind == CHANGE_EXTEND) { // room first, so that a change is made whole or not at all
		pthread_mutex_lock(&e->lock);
		ok = history_reserve(&e->history, search_horizon(e->search) + strtol(c->item[0].value, NULL, 10), &r->fault);
		pthread_mutex_unlock(&e->lock);
	}
	return ok && search_apply(e->search, c, &r->inverse, r->says, sizeof r->says, &r->fault);
}

static bool evaluate(struct engine *e, const struct request *q, struct reply *r)
{
	struct config *settings = config_new();
	if (!settings)
		return fault_memory(&r->fault, "evaluate");
	struct knobs knobs;
	search_knobs(e->search, &knobs);
	config_take(settings, &knobs);
	pthread_mutex_lock(&e->lock);
	unsigned pauses = e->pauses;
	pthread_mutex_unlock(&e->lock);
	bool ok, again;
	do {
		ok = search_evaluate(e->search, q->choice, q->split, 0, &r->evaluation, &r->fault);
		again = !ok && search_standing(e->search) == SEARCH_WAITS;
		pthread_mutex_lock(&e->lock);
		take_answers(e);
		listen(e);
		publish(e);
		if (again && (e->quit || e->pauses != pauses)) {
			again = false;
			fault_set(&r->fault, "evaluate", "evaluate again", "it was broken off before the answer came");
		}
		pthread_mutex_unlock(&e->lock);
	} while (again);
	r->evaluation.settings = settings;
	return ok;
}

// A line of words, given back to the source.
static bool give_back(struct engine *e, char *line, struct fault *fault)
{
	char *words;
	long step = strtol(line, &words, 10);
	return search_recall(e->search, step, words, fault);
}

static bool give_all_back(struct engine *e, char *lines, struct fault *fault)
{
	char *save = NULL;
	bool ok = true;
	for (char *line = strtok_r(lines, "\n", &save); ok && line; line = strtok_r(NULL, "\n", &save))
		ok = give_back(e, line, fault);
	return ok;
}

static bool look(struct engine *e, int layer, struct reply *r)
{
	double began = clock_seconds();
	const size_t layers = (size_t)search_info(e->search)->layers + 1;
	r->noise = calloc(layers, sizeof *r->noise);
	r->formats = layer == LOOK_FORMATS ? calloc(layers, LOOK_OPTIONS * sizeof *r->formats) : NULL;
	if (!r->noise || (layer == LOOK_FORMATS && !r->formats))
		return fault_memory(&r->fault, "look");
	if (!search_look(e->search, layer, &r->look, r->noise, r->formats, &r->fault))
		return false;
	r->look.seconds = clock_seconds() - began;
	return true;
}

static bool give_weights(struct engine *e, bool folded, struct reply *r)
{
	r->state = calloc(1, sizeof *r->state);
	return (r->state || fault_memory(&r->fault, "weights")) && search_weights(e->search, folded, r->state, &r->fault);
}

static void carry_out(struct engine *e, struct request *q)
{
	struct reply *r = &q->reply;
	r->step = search_steps_done(e->search);
	switch (r->kind) {
	case REQUEST_CHANGE: r->ok = apply(e, &q->change, r); break;
	case REQUEST_EVALUATE: r->ok = evaluate(e, q, r); break;
	case REQUEST_STATE: r->ok = save_state(e, r); break;
	case REQUEST_ANSWERS: r->ok = give_all_back(e, q->answers, &r->fault); break;
	case REQUEST_LOOK: r->ok = look(e, q->number, r); break;
	case REQUEST_WEIGHTS: r->ok = give_weights(e, q->number, r); break;
	case REQUEST_FREEZE:
		r->frozen = search_freeze(e->search, q->number, q->choice, &r->fault);
		r->ok = r->frozen != NULL;
		break;
	case REQUEST_FOCUS:
		if ((r->ok = search_has_lane(e->search, q->number, &r->fault)))
			search_focus(e->search, q->number);
		break;
	}
}

// Whether nothing is to be done but requests. Answers from outside are not asked for in a pause.
static bool at_rest(const struct engine *e)
{
	return e->published.run >= RUN_HALTED || (e->until <= 0 && search_late(e->search));
}

// What came of a step, or of a point of the front, that came to nothing.
static void stand(struct engine *e, const struct fault *fault)
{
	enum search_standing standing = search_standing(e->search);
	if (standing == SEARCH_WAITS) {
		publish(e);
		return;
	}
	e->step_began = 0;
	e->published.fault = *fault;
	if (standing == SEARCH_HALTS) {
		e->until = 0;
		e->published.halts++;
		e->published.version++;
	}
	set_run(e, standing == SEARCH_HALTS ? RUN_HALTED : RUN_FAILED);
}

// Whether a polish is to go on.
static bool may_polish(const struct engine *e)
{
	return !at_rest(e) && !e->held && search_polishing(e->search);
}

// With the lock held: one step of a polish. What it takes does not count into the time that the search takes for a step.
static void polish(struct engine *e)
{
	double began = clock_seconds();
	set_run(e, RUN_RUNNING);
	pthread_mutex_unlock(&e->lock);
	search_polish_advance(e->search);
	pthread_mutex_lock(&e->lock);
	publish(e);
	e->window_began += clock_seconds() - began;
}

// With the lock held. Whether the next step is to wait, having waited until something came or its time did.
static bool waits(struct engine *e)
{
	const double left = e->pace > 0 ? e->due - clock_seconds() : 0;
	if (!(left > 0))
		return false;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	const long long ns = until.tv_nsec + (long long)(fmin(left, 1) * 1e9);
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	pthread_cond_timedwait(&e->wake, &e->lock, &until);
	return true;
}

static void *work(void *arg)
{
	struct engine *e = arg;
	struct search *s = e->search;
	courtesy_give();
	pthread_mutex_lock(&e->lock);
	while (!e->quit) {
		listen(e);
		struct request *q = take(&e->requests);
		if (q) {
			pthread_mutex_unlock(&e->lock);
			carry_out(e, q);
			pthread_mutex_lock(&e->lock);
			if (q->reply.kind != REQUEST_EVALUATE && q->reply.kind != REQUEST_STATE) {
				publish(e);
				if (e->published.run == RUN_FINISHED && e->published.step < e->published.horizon)
					set_run(e, RUN_PAUSED);
			}
			if (q->reply.kind == REQUEST_CHANGE && q->change.kind == CHANGE_POLISH) {
				e->held = false;
				if (may_polish(e)) // it is seen to run before the reply is
					set_run(e, RUN_RUNNING);
			}
			put(&e->replies, q);
			tell(e);
			continue;
		}
		struct fault fault;
		bool rests = at_rest(e);
		if (!rests && search_front_scoring(s)) {
			pthread_mutex_unlock(&e->lock);
			bool scored = search_front_advance(s);
			pthread_mutex_lock(&e->lock);
			take_answers(e);
			if (scored && search_standing(s) != SEARCH_FAILED)
				stand(e, search_front_halt(s));
			if (scored)
				continue;
		}
		if (may_polish(e)) {
			polish(e);
			continue;
		}
		if (rests || e->published.step >= stop_at(e)) {
			publish(e); // the front may be new
			if (e->published.run < RUN_HALTED)
				set_run(e, e->published.step >= e->published.horizon ? RUN_FINISHED : RUN_PAUSED);
			while (!e->quit && !e->requests.first &&
				(at_rest(e) || (e->published.step >= stop_at(e) && !may_polish(e))))
				pthread_cond_wait(&e->wake, &e->lock);
			e->window_began = clock_seconds();
			continue;
		}
		set_run(e, RUN_RUNNING);
		if (e->step_began <= 0 && waits(e))
			continue;
		if (e->step_began <= 0 && e->pace > 0) {
			double now = clock_seconds(); // a little late, the next makes up for it
			e->due = (now - e->due < 1 / e->pace ? e->due : now) + 1 / e->pace;
		}
		pthread_mutex_unlock(&e->lock);
		if (e->step_began <= 0)
			e->step_began = clock_seconds();
		bool ok = search_step(s, &fault);
		if (ok)
			search_probabilities(s, e->policy);
		if (ok && search_front_due(s))
			search_front_begin(s);
		pthread_mutex_lock(&e->lock);
		take_answers(e);
		if (!ok) {
			stand(e, &fault);
			continue;
		}
		publish(e);
		history_add(&e->history, search_record(s), search_modal(s), e->policy);
		measure(e, e->step_began);
		e->step_began = 0;
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

// ---- opening ----

static bool make_snapshot(struct snapshot *s, const struct engine_info *info, int room)
{
	s->slot = calloc((size_t)info->slots, sizeof *s->slot);
	s->layer = calloc((size_t)info->layers, sizeof *s->layer);
	s->group = calloc((size_t)info->slots, sizeof *s->group);
	s->point = calloc((size_t)room, sizeof *s->point);
	s->choices = calloc((size_t)room, (size_t)info->slots);
	s->settings = config_new();
	return s->slot && s->layer && s->group && s->point && s->choices && s->settings;
}

static void empty_snapshot(struct snapshot *s)
{
	free(s->slot);
	free(s->layer);
	free(s->group);
	free(s->point);
	free(s->choices);
	config_free(s->settings);
}

static bool start(struct engine *e)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&e->thread, NULL, work, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	e->started = error == 0;
	return e->started;
}

struct engine *engine_open(const struct config *config, const struct state *state, struct fault *fault)
{
	if (!engine_kernels_check(fault))
		return NULL;
	openblas_set_num_threads(1); // the team is parallel, its products are not
	struct engine *e = calloc(1, sizeof *e);
	if (!e) {
		fault_memory(fault, "engine");
		return NULL;
	}
	e->pipe[0] = e->pipe[1] = e->bell = -1;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_t by; // waits end by the clock that never goes back
	pthread_condattr_init(&by);
	pthread_condattr_setclock(&by, CLOCK_MONOTONIC);
	pthread_cond_init(&e->wake, &by);
	pthread_condattr_destroy(&by);
	if (!(e->search = search_new(config_knobs(config), state, fault)))
		goto failed;
	const struct engine_info *info = search_info(e->search);
	e->published.info = info;
	e->published.run = RUN_PAUSED;
	if (!history_begin(&e->history, info->slot, info->slots, fault) ||
		!history_reserve(&e->history, search_horizon(e->search), fault) ||
		(state && !history_restore(&e->history, state, search_steps_done(e->search), fault)))
		goto failed;
	if (pipe2(e->pipe, O_CLOEXEC | O_NONBLOCK) < 0 || (e->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		fault_set(fault, "engine", "close something else", "%s", strerror(errno));
		goto failed;
	}
	e->policy = calloc((size_t)info->slots * ENGINE_OPTIONS + 1, sizeof *e->policy);
	if (!e->policy || !make_snapshot(&e->published, info, search_front_room(e->search))) {
		fault_memory(fault, "engine");
		goto failed;
	}
	search_listen(e->search, e->bell);
	publish(e);
	if (search_polishing(e->search) || (search_front_scoring(e->search) && !search_late(e->search)))
		e->published.run = RUN_RUNNING; // until that is done
	else if (e->published.step >= e->published.horizon)
		e->published.run = RUN_FINISHED;
	if (start(e))
		return e;
	fault_set(fault, "engine", "close something else", "cannot start a thread");
failed:
	engine_close(e);
	return NULL;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	if (e->started) {
		pthread_mutex_lock(&e->lock);
		e->quit = true;
		ring(e);
		pthread_mutex_unlock(&e->lock);
		pthread_join(e->thread, NULL);
	}
	for (struct request *r; (r = take(&e->requests));)
		request_free(r);
	for (struct request *r; (r = take(&e->replies));)
		request_free(r);
	search_free(e->search);
	empty_snapshot(&e->published);
	history_free(&e->history);
	free(e->policy);
	for (int i = 0; i < 2; i++)
		if (e->pipe[i] >= 0)
			close(e->pipe[i]);
	if (e->bell >= 0)
		close(e->bell);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

const struct engine_info *engine_info(const struct engine *e)
{
	return search_info(e->search);
}

int engine_fd(const struct engine *e)
{
	return e->pipe[0];
}

void engine_news(struct engine *e)
{
	char bytes[16];
	pthread_mutex_lock(&e->lock);
	while (read(e->pipe[0], bytes, sizeof bytes) > 0)
		;
	e->told = false;
	pthread_mutex_unlock(&e->lock);
}

void engine_run_to(struct engine *e, long step)
{
	pthread_mutex_lock(&e->lock);
	e->until = step;
	e->held = step <= 0;
	e->pauses += step <= 0;
	bool halted = e->published.run == RUN_HALTED && step > 0;
	if (halted || (e->published.run < RUN_HALTED && e->published.step < stop_at(e)))
		set_run(e, RUN_RUNNING);
	ring(e);
	pthread_mutex_unlock(&e->lock);
}

void engine_allow(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->allowed = true;
	ring(e);
	pthread_mutex_unlock(&e->lock);
}

void engine_pause(struct engine *e)
{
	engine_run_to(e, 0);
}

void engine_pace(struct engine *e, double steps)
{
	pthread_mutex_lock(&e->lock);
	e->pace = steps;
	e->due = 0;
	ring(e);
	pthread_mutex_unlock(&e->lock);
}

// ---- requests ----

static bool no_memory(struct fault *fault)
{
	return fault_memory(fault, "engine");
}

static void post(struct engine *e, struct request *r, unsigned *ticket)
{
	pthread_mutex_lock(&e->lock);
	r->reply.ticket = ++e->ticket;
	if (ticket)
		*ticket = e->ticket;
	put(&e->requests, r);
	ring(e);
	pthread_mutex_unlock(&e->lock);
}

bool engine_post_change(struct engine *e, const struct change *change, unsigned *ticket, struct fault *fault)
{
	if (!search_check(e->search, change, fault))
		return false;
	struct request *r = calloc(1, sizeof *r);
	size_t size = (size_t)change->items * sizeof *change->item;
	if (!r || !(r->change.item = malloc(size))) {
		free(r);
		return no_memory(fault);
	}
	r->change.kind = change->kind;
	r->change.items = change->items;
	r->change.lane = change->lane;
	memcpy(r->change.item, change->item, size);
	r->reply.kind = REQUEST_CHANGE;
	post(e, r, ticket);
	return true;
}

// A request, with room for a choice where it is about one; `choice`, if it is given, is checked and copied.
static struct request *about_choice(struct engine *e, enum request_kind kind, bool about, const uint8_t *choice,
	struct fault *fault)
{
	size_t slots = (size_t)search_info(e->search)->slots;
	struct request *r = calloc(1, sizeof *r);
	double cost[ENGINE_TERMS];
	if (!r || (about && !(r->choice = malloc(slots)))) {
		free(r);
		no_memory(fault);
		return NULL;
	}
	r->reply.kind = kind;
	if (choice && !search_price(e->search, choice, cost, 0, NULL)) {
		fault_set(fault, "choice", "give an option for every slot", "an option is out of range");
		request_free(r);
		return NULL;
	}
	if (choice)
		memcpy(r->choice, choice, slots);
	return r;
}

bool engine_post_evaluate(struct engine *e, enum choice_kind kind, const char *option, const uint8_t *choice, enum split split,
	unsigned *ticket, struct fault *fault)
{
	struct request *r = about_choice(e, REQUEST_EVALUATE, kind != CHOICE_RESULT, kind == CHOICE_GIVEN ? choice : NULL, fault);
	if (!r)
		return false;
	if (kind == CHOICE_UNIFORM && !search_uniform(e->search, option, r->choice, fault)) {
		request_free(r);
		return false;
	}
	r->split = split;
	post(e, r, ticket);
	return true;
}

bool engine_post_freeze(struct engine *e, int lane, const uint8_t *choice, unsigned *ticket, struct fault *fault)
{
	if (!search_info(e->search)->train_images)
		return fault_set(fault, "export", "open a session that trains: data=glyphs, say", "there are no weights here");
	struct request *r = about_choice(e, REQUEST_FREEZE, choice != NULL, choice, fault);
	if (!r)
		return false;
	r->number = lane;
	post(e, r, ticket);
	return true;
}

bool engine_outgoing(const char *form, const char *reader, struct outgoing *how, struct fault *fault)
{
	const struct reach *reach = reach_of(form, reader, fault);
	if (reach)
		*how = (struct outgoing){.reach = reach, .clip = reach->clip};
	return reach != NULL;
}

bool engine_folds(const struct outgoing *how)
{
	return how->reach->folds;
}

const char *engine_beside(const struct outgoing *how)
{
	return how->reach->beside;
}

bool engine_write(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	return reach_write(f, how, name, file, beside, fault);
}

bool engine_written(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside, struct fault *fault)
{
	return how->reach->check(f, how, path, beside, fault);
}

bool engine_guides(const struct outgoing *how)
{
	return how->reach->how[0] != NULL;
}

bool engine_write_guide(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside, FILE *file)
{
	return reach_guide(f, how, path, beside, file);
}

// A request that is told by a number at most.
static bool post_number(struct engine *e, enum request_kind kind, int number, unsigned *ticket, struct fault *fault)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return no_memory(fault);
	r->number = number;
	r->reply.kind = kind;
	post(e, r, ticket);
	return true;
}

bool engine_post_state(struct engine *e, unsigned *ticket, struct fault *fault)
{
	return post_number(e, REQUEST_STATE, 0, ticket, fault);
}

bool engine_post_weights(struct engine *e, bool folded, unsigned *ticket, struct fault *fault)
{
	return post_number(e, REQUEST_WEIGHTS, folded, ticket, fault);
}

bool engine_post_answers(struct engine *e, const char *lines, unsigned *ticket, struct fault *fault)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r || !(r->answers = strdup(lines))) {
		free(r);
		return no_memory(fault);
	}
	r->reply.kind = REQUEST_ANSWERS;
	post(e, r, ticket);
	return true;
}

bool engine_post_focus(struct engine *e, int lane, unsigned *ticket, struct fault *fault)
{
	return post_number(e, REQUEST_FOCUS, lane, ticket, fault);
}

bool engine_post_look(struct engine *e, int layer, unsigned *ticket, struct fault *fault)
{
	const int layers = search_info(e->search)->layers;
	if (layer < LOOK_FORMATS || layer >= layers || layers == 0)
		return fault_set(fault, "look", "`layers` lists them", "there is no such layer");
	return post_number(e, REQUEST_LOOK, layer, ticket, fault);
}

bool engine_reply(struct engine *e, struct reply *reply)
{
	pthread_mutex_lock(&e->lock);
	struct request *r = take(&e->replies);
	pthread_mutex_unlock(&e->lock);
	if (!r)
		return false;
	*reply = r->reply;
	r->reply = (struct reply){0}; // its contents are the caller's now
	request_free(r);
	return true;
}

// ---- snapshots and history ----

struct snapshot *snapshot_new(void)
{
	return calloc(1, sizeof(struct snapshot));
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	empty_snapshot(s);
	free(s);
}

bool engine_snapshot(struct engine *e, struct snapshot *s)
{
	const struct engine_info *info = search_info(e->search);
	if (!s->slot && !make_snapshot(s, info, search_front_room(e->search)))
		return false;
	pthread_mutex_lock(&e->lock);
	const struct snapshot *from = &e->published;
	bool newer = s->version != from->version || s->info != from->info;
	if (newer) {
		struct snapshot kept = *s;
		*s = *from;
		s->slot = kept.slot;
		s->layer = kept.layer;
		s->group = kept.group;
		s->point = kept.point;
		s->choices = kept.choices;
		s->settings = kept.settings;
		config_take(s->settings, config_knobs(from->settings));
		memcpy(s->slot, from->slot, (size_t)from->slots * sizeof *s->slot);
		memcpy(s->layer, from->layer, (size_t)info->layers * sizeof *s->layer);
		memcpy(s->group, from->group, (size_t)from->groups * sizeof *s->group);
		memcpy(s->point, from->point, (size_t)from->points * sizeof *s->point);
		memcpy(s->choices, from->choices, (size_t)from->points * (size_t)from->slots);
		for (int i = 0; i < s->points; i++)
			s->point[i].choice = s->choices + (size_t)i * (size_t)s->slots;
	}
	pthread_mutex_unlock(&e->lock);
	return newer;
}

long engine_history(struct engine *e, long first, long most, struct record *record, uint8_t *modal)
{
	pthread_mutex_lock(&e->lock);
	long n = history_copy(&e->history, first, most, record, modal);
	pthread_mutex_unlock(&e->lock);
	return n;
}

int engine_policy(struct engine *e, int slot, int most, struct policy_row *row)
{
	pthread_mutex_lock(&e->lock);
	int n = history_policy(&e->history, slot, most, row);
	pthread_mutex_unlock(&e->lock);
	return n;
}

bool engine_price(const struct engine *e, const uint8_t *choice, double cost[ENGINE_TERMS], int term, double *layer)
{
	return search_price(e->search, choice, cost, term, layer);
}

bool engine_layers(const struct engine *e, const uint8_t *choice, struct layer_info *layer)
{
	return search_layers(e->search, choice, layer);
}

const char *engine_lack(const struct engine *e, const uint8_t *choice, char *buf, size_t size)
{
	return search_lack(e->search, choice, buf, size);
}

bool engine_write_network(const struct engine *e, const uint8_t *choice, FILE *file, struct fault *fault)
{
	return search_write_network(e->search, choice, file, fault);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Choices trained alone: each a race of one, in a folder of its own within the session's, made by this program again in another process. The
// search goes on beside it and is not touched. A folder is named by a digest of its plan and of the choice: so what was trained once, under the
// same settings, is known again, also by a session that is opened later.
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/child.h"
#include "engine/base/clock.h"
#include "sessions/core/inside.h"
#include "sessions/race/result.h"
#include "sessions/store/folder.h"

enum { ALONE_MOST = 256, SAID = 512 };
static const char PREFIX[] = "alone-", CHOICE_FILE[] = "choice.json";

struct alones {
	int count, room;
	struct trained_alone *each; // their choices are owned
	uint64_t priced;            // the version of the snapshot that their costs are of
	int terms;
	struct child child;
	char folder[FOLDER_PATH], called[ENGINE_NAME]; // of the one under way, which is the last
	char broken[FOLDER_PATH];                      // of one that an earlier process broke off; "": none is known
	char said[SAID];                               // the last line of its process
	size_t length;
};

// ---- the list --------------------------------------------------------------------------------------------------------

static struct trained_alone *add(struct session *s, const uint8_t *choice, long steps)
{
	struct alones *a = s->alones;
	if (a->count == a->room && a->room < ALONE_MOST) {
		int room = a->room ? 2 * a->room : 8;
		struct trained_alone *more = realloc(a->each, (size_t)room * sizeof *more);
		if (!more)
			return NULL;
		a->each = more;
		a->room = room;
	}
	uint8_t *copy = a->count < a->room ? malloc((size_t)s->info->slots + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, choice, (size_t)s->info->slots);
	struct trained_alone *t = &a->each[a->count++];
	*t = (struct trained_alone){.choice = copy, .steps = steps, .accuracy = (double)NAN, .test = (double)NAN};
	a->priced = 0;
	return t;
}

static void drop_last(struct alones *a)
{
	free((uint8_t *)a->each[--a->count].choice);
}

// The result of the one run of such a race; there is none yet: result->there stays false.
static bool read_result(const char *folder, struct result *result, struct fault *f)
{
	struct race race = {0};
	bool ok = race_open(&race, folder, true, f) &&
		(race.runs == 1 || fault_set(f, folder, "take it away", "is not a race of one"));
	*result = (struct result){0};
	if (ok) {
		*result = race.result[0];
		race.result[0] = (struct result){0};
	}
	race_free(&race);
	return ok;
}

static void take_result(struct trained_alone *t, const struct result *r)
{
	t->under_way = false;
	t->steps = r->steps;
	t->accuracy = r->heldout;
	t->test = r->test;
}

// What an earlier process has trained, or has not come to the end of. A race of another network says nothing.
static void take_folder(struct session *s, const char *folder)
{
	struct result r;
	struct fault f;
	uint8_t *choice = calloc((size_t)s->info->slots + 1, 1);
	if (choice && read_result(folder, &r, &f)) {
		if (!r.there)
			snprintf(s->alones->broken, sizeof s->alones->broken, "%s", folder);
		struct trained_alone *t = r.there && !r.why[0] && chosen_options(s->info, &r.chosen, choice)
			? add(s, choice, r.steps)
			: NULL;
		if (t)
			take_result(t, &r);
		result_free(&r);
	}
	free(choice);
}

static void look_through(struct session *s)
{
	DIR *dir = s->folder[0] ? opendir(s->folder) : NULL;
	for (struct dirent *d; dir && (d = readdir(dir));) {
		char folder[FOLDER_PATH];
		size_t n = strlen(d->d_name);
		if (strncmp(d->d_name, PREFIX, sizeof PREFIX - 1) == 0 && n > 5 && strcmp(d->d_name + n - 5, ".race") == 0 &&
			folder_file(s->folder, d->d_name, folder, sizeof folder, NULL))
			take_folder(s, folder);
	}
	if (dir)
		closedir(dir);
}

// NULL: out of memory.
static struct alones *alones_of(struct session *s)
{
	if (!s->alones && (s->alones = calloc(1, sizeof *s->alones)))
		look_through(s);
	return s->alones;
}

int alone_all(struct session *s, const struct trained_alone **each)
{
	struct alones *a = alones_of(s);
	*each = a ? a->each : NULL;
	if (!a || !a->count || (a->priced == s->snapshot->version && a->terms == s->snapshot->terms))
		return a ? a->count : 0;
	for (int i = 0; i < a->count; i++)
		if (!engine_price(s->engine, a->each[i].choice, a->each[i].cost, 0, NULL))
			for (int k = 0; k < ENGINE_TERMS; k++)
				a->each[i].cost[k] = NAN;
	a->priced = s->snapshot->version;
	a->terms = s->snapshot->terms;
	return a->count;
}

// ---- what is broken off ------------------------------------------------------------------------------------------------

bool alone_at_risk(const struct session *s, struct fault *f)
{
	if (!alone_busy(s))
		return false;
	fault_set(f, s->alones->called, "wait for it", "it is being trained alone, which ends with the session");
	return true;
}

static void add_remedy(const char *folder, struct string *out)
{
	string_add(out, "`bitscape race resume ");
	words_quote(out, folder);
	string_add(out, "` trains it from the beginning");
}

bool alone_farewell(const struct session *s, struct string *out)
{
	if (!alone_busy(s))
		return false;
	string_add(out, "%s was being trained alone, and is not finished: ", s->alones->called);
	add_remedy(s->alones->folder, out);
	return true;
}

void alone_tell_broken(struct session *s)
{
	const struct alones *a = alones_of(s);
	struct string t = {0};
	if (!a || !a->broken[0])
		return;
	string_add(&t, "a choice was being trained alone when the session was left: ");
	add_remedy(a->broken, &t);
	session_say(s, "%s", t.bytes ? t.bytes : "");
	string_free(&t);
}

void alone_stop(struct session *s)
{
	struct alones *a = s->alones;
	if (!a)
		return;
	child_end(&a->child);
	child_wait(&a->child);
	while (a->count)
		drop_last(a);
	free(a->each);
	free(a);
	s->alones = NULL;
}

// ---- what is to be made ----------------------------------------------------------------------------------------------

struct wording {
	struct plan *plan;
	char seed[ENGINE_TEXT], net[ENGINE_TEXT];
	bool ok;
	struct fault *fault;
};

// The session's settings, but what a race says in another way, and what has no part in training a choice that is given.
static void add_setting(const char *name, const char *value, void *context)
{
	static const char *const not [] = {"steps", "searcher", "warmup", "front-every", "quality", NULL};
	struct wording *w = context;
	char word[ENGINE_TEXT + 2 * ENGINE_NAME];
	if (strcmp(name, "seed") == 0)
		snprintf(w->seed, sizeof w->seed, "%s", value);
	if (strcmp(name, "net") == 0)
		snprintf(w->net, sizeof w->net, "%s", value);
	bool left = strcmp(name, "seed") == 0 || strcmp(name, "net") == 0 || strncmp(name, "weight.", 7) == 0 ||
		strncmp(name, "target.", 7) == 0 || !value[0];
	for (int i = 0; not [i]; i++)
		left |= strcmp(name, not [i]) == 0;
	snprintf(word, sizeof word, "%s=%s", name, value);
	if (!left)
		w->ok = w->ok && plan_word(w->plan, word, w->fault);
}

static bool write_plan(const struct session *s, long steps, struct string *text, struct fault *f)
{
	struct plan plan = {0};
	struct wording w = {.plan = &plan, .ok = true, .fault = f};
	char word[ENGINE_TEXT + 16];
	config_each(s->snapshot->settings, add_setting, &w);
	snprintf(word, sizeof word, "steps=%ld", steps);
	bool ok = w.ok && plan_word(&plan, word, f);
	snprintf(word, sizeof word, "net=%s", w.net);
	ok = ok && plan_word(&plan, word, f);
	snprintf(word, sizeof word, "seeds=%s", w.seed);
	ok = ok && plan_word(&plan, word, f);
	snprintf(plan.term, sizeof plan.term, "%s", engine_terms()[0]);
	plan.given = plan.nets.count;
	plan_write(&plan, text);
	string_add(text, "entrant alone choice=%s\n", CHOICE_FILE);
	plan_free(&plan);
	return ok && (!text->failed || fault_memory(f, "train"));
}

static uint64_t digest_of(uint64_t h, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
	return h;
}

// The folder of its race, which is made where it is not there yet.
static bool make_folder(const struct session *s, const uint8_t *choice, long steps, char folder[FOLDER_PATH], struct fault *f)
{
	struct string text = {0};
	struct chosen chosen = {0};
	char name[64], path[FOLDER_PATH];
	bool ok = write_plan(s, steps, &text, f) && (chosen_of(s->info, choice, &chosen) || fault_memory(f, "train"));
	if (ok) {
		uint64_t h = digest_of(digest_of(0xcbf29ce484222325u, text.bytes, text.length), choice, (size_t)s->info->slots);
		snprintf(name, sizeof name, "%s%016" PRIx64 ".race", PREFIX, h);
		ok = folder_file(s->folder, name, folder, FOLDER_PATH, f) && folder_make(folder, false, f);
	}
	if (ok && !folder_has(folder, RACE_PLAN_FILE)) // the plan last: with it the race is there
		ok = folder_file(folder, CHOICE_FILE, path, sizeof path, f) && chosen_write(path, &chosen, f) &&
			folder_file(folder, RACE_PLAN_FILE, path, sizeof path, f) &&
			disk_replace(path, text.bytes, text.length, f);
	chosen_free(&chosen);
	string_free(&text);
	return ok;
}

static bool start(struct alones *a, const char *folder, struct fault *f)
{
	char program[] = "/proc/self/exe", race[] = "race", resume[] = "resume", *name = strdup(folder);
	char *argv[] = {program, race, resume, name, NULL};
	const struct child_plan plan = {argv, NULL, "mount /proc, or train it with `bitscape race`"};
	bool ok = name ? child_start(&a->child, &plan, f) : fault_memory(f, "train");
	free(name);
	a->said[0] = '\0';
	a->length = 0;
	return ok;
}

static void tell(struct session *s, const char *called, const struct trained_alone *t)
{
	session_say(s, "%s, trained alone from nothing for %ld steps: %.2f %% on the held-out images, %.2f %% on the test images",
		called, t->steps, 100 * t->accuracy, 100 * t->test);
}

static struct trained_alone *trained_before(struct session *s, const uint8_t *choice, const struct result *r)
{
	for (int i = 0; i < s->alones->count; i++) {
		struct trained_alone *t = &s->alones->each[i];
		if (t->steps == r->steps && t->accuracy == r->heldout && memcmp(t->choice, choice, (size_t)s->info->slots) == 0)
			return t;
	}
	struct trained_alone *t = add(s, choice, r->steps);
	if (t)
		take_result(t, r);
	return t;
}

static bool may_train(struct session *s, struct fault *f)
{
	if (s->read_only)
		return session_refuse_read_only(s, f);
	if (!s->folder[0])
		return fault_set(f, "train", "open the session", "this search has no folder");
	if (!s->info->train_images)
		return fault_set(f, "train", "give data=glyphs or data=cifar10:FOLDER to `new`",
			"nothing is trained in this search");
	if (!alones_of(s))
		return fault_memory(f, "train");
	return !alone_busy(s) || fault_set(f, "train", "wait for it", "%s is being trained alone", s->alones->called);
}

bool alone_train(struct session *s, const uint8_t *choice, long steps, const char *called, struct command_call *call)
{
	struct fault *f = &call->fault;
	struct result r = {0};
	char folder[FOLDER_PATH];
	uint8_t *its = malloc((size_t)s->info->slots + 1);
	bool ok = its ? may_train(s, f) : fault_memory(f, "train");
	for (int i = 0; its && i < s->info->slots; i++)
		its[i] = engine_rests(s->info, i, choice) ? 0 : choice[i];
	ok = ok && make_folder(s, its, steps, folder, f) && read_result(folder, &r, f);
	if (ok && r.there) {
		struct trained_alone *t = trained_before(s, its, &r);
		if (r.why[0])
			ok = fault_set(f, called, "take the folder away that it is in to try again",
				"it went wrong before: %.300s", r.why);
		else if (t)
			tell(s, called, t);
	} else if (ok) {
		struct trained_alone *t = start(s->alones, folder, f) ? add(s, its, steps) : NULL;
		if ((ok = t != NULL)) {
			t->under_way = true;
			t->began = clock_seconds();
			snprintf(s->alones->folder, sizeof s->alones->folder, "%s", folder);
			snprintf(s->alones->called, sizeof s->alones->called, "%s", called);
			s->by_hand = true;
			call->say(call, "%s is trained alone, from nothing, for %ld steps, beside the search", called, steps);
		} else {
			child_end(&s->alones->child);
		}
	}
	result_free(&r);
	free(its);
	return ok;
}

// ---- while it runs ---------------------------------------------------------------------------------------------------

bool alone_busy(const struct session *s)
{
	return s->alones && s->alones->child.pid;
}

int alone_fds(const struct session *s, struct pollfd *fds)
{
	if (!alone_busy(s))
		return 0;
	fds[0] = (struct pollfd){.fd = s->alones->child.out, .events = POLLIN};
	return 1;
}

// Keeps the last line of what its process complains of.
static void hear(struct alones *a)
{
	char part[256];
	for (ssize_t n; (n = child_read(a->child.err, part, sizeof part)) > 0;)
		for (ssize_t i = 0; i < n; i++) {
			if (part[i] != '\n' && a->length && a->said[a->length] == '\n')
				a->length = 0;
			if (part[i] == '\n')
				a->said[a->length] = '\n';
			else if (a->length < SAID - 1)
				a->said[a->length++] = part[i], a->said[a->length] = '\0';
		}
}

static void finish(struct session *s)
{
	struct alones *a = s->alones;
	struct trained_alone *t = &a->each[a->count - 1];
	struct result r = {0};
	struct fault f;
	char fate[64];
	hear(a);
	child_fate(&a->child, 1, fate, sizeof fate);
	child_end(&a->child);
	a->said[a->length] = '\0';
	text_clean(a->said, "");
	bool ok = read_result(a->folder, &r, &f);
	if (ok && (!r.there || r.why[0]))
		ok = fault_set(&f, a->called, "`point N train` tries it again", "training it alone %s%s%.300s",
			r.why[0] ? "went wrong" : fate, r.why[0] || a->said[0] ? ": " : "", r.why[0] ? r.why : a->said);
	if (ok) {
		take_result(t, &r);
		tell(s, a->called, t);
	} else {
		drop_last(a);
		session_say_fault(s, &f);
	}
	result_free(&r);
	s->news |= NEWS_STATE;
}

void alone_turn(struct session *s)
{
	char part[256];
	ssize_t n = 1;
	if (!alone_busy(s))
		return;
	hear(s->alones);
	while (n > 0)
		n = child_read(s->alones->child.out, part, sizeof part);
	child_reap(&s->alones->child);
	if (n < 0)
		finish(s);
}

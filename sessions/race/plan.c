// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/plan.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/catalog.h"
#include "sessions/race/paths.h"

enum { MOST_WORDS = 1000, MOST_RUNS = 100000, PLAN_MOST = 1 << 20, CHOICE_MOST = 1 << 24 };

static const char advice[] = "write it as KEY=VALUE; `help race` lists the keys";

// ---- lists of texts --------------------------------------------------------------------------------------------------

static bool texts_add(struct texts *t, const char *text, const char *what, struct fault *f)
{
	if (t->count == MOST_WORDS)
		return fault_set(f, what, "make two races of it", "more than %d of them", MOST_WORDS);
	char **room = realloc(t->text, (size_t)(t->count + 1) * sizeof *room), *copy = strdup(text);
	if (room)
		t->text = room;
	if (!room || !copy) {
		free(copy);
		return fault_memory(f, what);
	}
	t->text[t->count++] = copy;
	return true;
}

static void texts_free(struct texts *t)
{
	for (int i = 0; i < t->count; i++)
		free(t->text[i]);
	free(t->text);
	*t = (struct texts){0};
}

static bool texts_have(const struct texts *t, const char *text)
{
	for (int i = 0; i < t->count; i++)
		if (strcmp(t->text[i], text) == 0)
			return true;
	return false;
}

// ---- words -----------------------------------------------------------------------------------------------------------

// A list joined by commas takes the place of what was there.
static bool take_list(struct texts *t, const char *key, const char *list, struct fault *f)
{
	char word[ENGINE_NAME];
	texts_free(t);
	for (const char *at = list; list_next(&at, word, sizeof word);) {
		if (!word[0] || texts_have(t, word))
			return fault_set(f, key, "join different ones by commas: a,b,c", "\"%s\" %s", list,
				word[0] ? "has one twice" : "has an empty one");
		if (!texts_add(t, word, key, f))
			return false;
	}
	return t->count || fault_set(f, key, "join them by commas: a,b,c", "it is empty");
}

// Numbers and ranges of numbers: "1-5", "1,3,7".
static bool take_seeds(struct plan *p, const char *list, struct fault *f)
{
	struct texts given = {0};
	bool ok = take_list(&given, "seeds", list, f);
	texts_free(&p->seeds);
	for (int i = 0; ok && i < given.count; i++) {
		char *word = given.text[i], *dash = strchr(word, '-');
		long from, to;
		if (dash)
			*dash = '\0';
		if (!number_read_long(word, 0, LONG_MAX, &from) || !number_read_long(dash ? dash + 1 : word, from, LONG_MAX, &to))
			ok = fault_set(f, "seeds", "give numbers, as in 1,2,3 or 1-5", "\"%s\" cannot be read", list);
		for (long seed = from; ok && seed <= to; seed++) {
			char text[32];
			snprintf(text, sizeof text, "%ld", seed);
			ok = !texts_have(&p->seeds, text) ||
				fault_set(f, "seeds", "give each once", "\"%s\" has %ld twice", list, seed);
			ok = ok && texts_add(&p->seeds, text, "seeds", f);
		}
	}
	texts_free(&given);
	return ok;
}

static bool take_numbers(struct texts *t, const char *key, const char *list, double least, double most, struct fault *f)
{
	double x;
	if (!take_list(t, key, list, f))
		return false;
	for (int i = 0; i < t->count; i++)
		if (!number_read(t->text[i], &x) || !(x >= least && x <= most))
			return fault_set(f, key, "join numbers by commas", "\"%s\" is not a number from %g to %g", t->text[i],
				least, most);
	return true;
}

static bool take_between(struct plan *p, const char *list, struct fault *f)
{
	struct texts ends = {0};
	bool ok = take_numbers(&ends, "between", list, 0, 1e30, f);
	if (ok &&
		(ends.count != 2 || !number_read(ends.text[0], &p->from) || !number_read(ends.text[1], &p->to) ||
			!(p->from > 0 && p->to > p->from)))
		ok = fault_set(f, "between", "give the least and the largest cost: between=50M,300M", "\"%s\" cannot be read",
			list);
	texts_free(&ends);
	return ok;
}

static struct entrant *entrant_named(const struct plan *p, const char *name)
{
	for (int i = 0; i < p->entrants; i++)
		if (strcmp(p->entrant[i].name, name) == 0)
			return &p->entrant[i];
	return NULL;
}

static struct entrant *add_entrant(struct plan *p, const char *name, bool baseline, struct fault *f)
{
	if (!name[0] || strlen(name) >= sizeof p->entrant->name || strchr(name, '=')) {
		fault_set(f, baseline ? "baseline" : "entrant", "entrant NAME SETTING=VALUE...",
			"\"%s\" cannot be the name of one", name);
		return NULL;
	}
	if (entrant_named(p, name)) {
		fault_set(f, name, "give each a name of its own", "there are two of this name");
		return NULL;
	}
	struct entrant *room = p->entrants < MOST_WORDS ? realloc(p->entrant, (size_t)(p->entrants + 1) * sizeof *room) : NULL;
	if (!room) {
		fault_memory(f, name);
		return NULL;
	}
	p->entrant = room;
	struct entrant *e = &room[p->entrants++];
	*e = (struct entrant){.baseline = baseline};
	snprintf(e->name, sizeof e->name, "%s", name);
	return e;
}

static bool take_searchers(struct plan *p, const char *list, struct fault *f)
{
	struct texts names = {0};
	char setting[2 * ENGINE_NAME];
	bool ok = take_list(&names, "searchers", list, f);
	for (int i = 0; ok && i < names.count; i++) {
		struct entrant *e = add_entrant(p, names.text[i], false, f);
		snprintf(setting, sizeof setting, "searcher=%s", names.text[i]);
		ok = e && texts_add(&e->setting, setting, "searchers", f);
	}
	texts_free(&names);
	return ok;
}

bool plan_baseline(struct plan *p, const char *name, long steps, struct fault *f)
{
	char setting[64];
	struct entrant *e = add_entrant(p, name, true, f);
	snprintf(setting, sizeof setting, "steps=%ld", steps);
	return e && texts_add(&e->setting, setting, name, f);
}

// What a race says by other keys.
static bool free_setting(const char *word, struct fault *f)
{
	static const struct {
		const char *key, *instead;
	} taken[] = {{"seed=", "seeds="}, {"name=", "entrant NAME in a plan's file"}};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strncmp(word, taken[i].key, strlen(taken[i].key)) == 0)
			return fault_set(f, word, taken[i].instead, "is said in another way in a race");
	return true;
}

static bool take_net(struct texts *nets, const char *word, const char *net, struct fault *f)
{
	return !texts_have(nets, net) ? texts_add(nets, net, "net", f)
				      : fault_set(f, word, "give each network once", "is there twice");
}

bool plan_word(struct plan *p, const char *word, struct fault *f)
{
	const struct {
		const char *key;
		struct texts *list;
	} list[] = {{"formats=", &p->formats}, {"targets=", &p->targets}};
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
	size_t key = equals ? (size_t)(equals - word) + 1 : 0;
	if (!key || key == 1 || !value[0])
		return fault_set(f, word, advice, "is not a word of a plan");
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (strncmp(word, list[i].key, key) == 0 && strlen(list[i].key) == key)
			return take_list(list[i].list, list[i].key, value, f);
	if (strncmp(word, "widths=", key) == 0)
		return take_numbers(&p->widths, "widths", value, 0.01, 100, f);
	if (strncmp(word, "times=", key) == 0)
		return take_numbers(&p->times, "times", value, 0.001, 1000, f);
	if (strncmp(word, "seeds=", key) == 0)
		return take_seeds(p, value, f);
	if (strncmp(word, "between=", key) == 0)
		return take_between(p, value, f);
	if (strncmp(word, "searchers=", key) == 0)
		return take_searchers(p, value, f);
	if (strncmp(word, "net=", key) == 0)
		return take_net(&p->nets, word, value, f);
	if (strncmp(word, "term=", key) == 0)
		return strlen(value) < sizeof p->term ? snprintf(p->term, sizeof p->term, "%s", value) > 0
						      : fault_set(f, word, "name a shorter path", "the name is too long");
	return free_setting(word, f) && texts_add(&p->setting, word, "settings", f);
}

static bool take_paths(struct entrant *e, const char *text, struct fault *f)
{
	long n;
	if (e->baseline)
		return fault_set(f, "paths", "make it an entrant", "a baseline has one path");
	if (!number_read_long(text, 3, PATHS_MOST, &n))
		return fault_set(f, "paths", "paths=30 for instance", "\"%s\" is not a whole number from 3 to %d", text,
			PATHS_MOST);
	e->paths = (int)n;
	return true;
}

// FNV-1a, 64 bits.
static uint64_t hash_bytes(uint64_t h, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		h = (h ^ (uint64_t)(unsigned char)bytes[i]) * 0x100000001b3u;
	return h;
}
static const uint64_t HASH_START = 0xcbf29ce484222325u;

static bool take_choice_file(const struct plan *p, struct entrant *e, const char *path, struct fault *f)
{
	size_t size;
	const bool beside = p->folder && path[0] != '/';
	if (e->baseline)
		return fault_set(f, "choice", "make it an entrant", "a baseline has one format everywhere");
	if (!path[0] || strlen(path) >= sizeof e->choice)
		return fault_set(f, "choice", "choice=policy.json for instance", "it names no file, or a path that is too long");
	if (snprintf(e->choice_file, sizeof e->choice_file, "%s%s%s", beside ? p->folder : "", beside ? "/" : "", path) >=
		(int)sizeof e->choice_file)
		return fault_set(f, "choice", "move it to a shorter path", "its path is too long");
	char *text = disk_read(e->choice_file, CHOICE_MOST, &size, f);
	if (!text)
		return false;
	e->choice_hash = hash_bytes(HASH_START, text, size);
	snprintf(e->choice, sizeof e->choice, "%s", path);
	free(text);
	return true;
}

// What an entrant says by words that are no settings. False, without a fault: it is a setting.
static bool entrant_word(const struct plan *p, struct entrant *e, const char *word, struct fault *f)
{
	static const char alone[] = "alone=", net[] = "net=", widths[] = "widths=", paths[] = "paths=", choice[] = "choice=";
	*f = (struct fault){0};
	if (strncmp(word, net, sizeof net - 1) == 0)
		return take_net(&e->nets, word, word + sizeof net - 1, f);
	if (strncmp(word, widths, sizeof widths - 1) == 0)
		return take_numbers(&e->widths, "widths", word + sizeof widths - 1, 0.01, 100, f);
	if (strncmp(word, paths, sizeof paths - 1) == 0)
		return take_paths(e, word + sizeof paths - 1, f);
	if (strncmp(word, choice, sizeof choice - 1) == 0)
		return take_choice_file(p, e, word + sizeof choice - 1, f);
	if (strncmp(word, alone, sizeof alone - 1) != 0)
		return false;
	if (e->baseline)
		return fault_set(f, word, "leave it out, or make it an entrant", "a baseline is trained alone anyway");
	snprintf(e->alone, sizeof e->alone, "%s", word + sizeof alone - 1);
	return true;
}

// "entrant NAME KEY=VALUE..." or "baseline NAME KEY=VALUE...".
static bool entrant_line(struct plan *p, const struct words *w, bool baseline, struct fault *f)
{
	struct entrant *e = add_entrant(p, w->count > 1 ? w->word[1] : "", baseline, f);
	for (int i = 2; e && i < w->count; i++) {
		const char *word = w->word[i], *equals = strchr(word, '=');
		if (!equals || equals == word)
			return fault_set(f, word, "write it as SETTING=VALUE", "is not a setting");
		if (!entrant_word(p, e, word, f) &&
			(f->what[0] || !free_setting(word, f) || !texts_add(&e->setting, word, e->name, f)))
			return false;
	}
	return e != NULL;
}

bool plan_scale_word(struct plan *p, const char *word, struct fault *f)
{
	return texts_add(&p->scale, word, "scale", f);
}

// "scale NET WORD...".
static bool scale_line(struct plan *p, const struct words *w, struct fault *f)
{
	struct scale_asked asked;
	if (p->scale.count)
		return fault_set(f, "scale", "make two races of it", "there are two such lines");
	if (w->count < 2)
		return fault_set(f, "scale", "scale NET device=DEVICE levels=2,4 ...", "which network is not said");
	for (int i = 1; i < w->count; i++)
		if (!plan_scale_word(p, w->word[i], f))
			return false;
	return scale_read(&asked, p->scale.text, p->scale.count, f);
}

static bool plan_line(struct plan *p, const char *line, struct fault *f)
{
	struct words w;
	if (!words_split(&w, line, f))
		return false;
	bool ok = true, baseline = w.count && strcmp(w.word[0], "baseline") == 0;
	if (baseline || (w.count && strcmp(w.word[0], "entrant") == 0))
		ok = entrant_line(p, &w, baseline, f);
	else if (w.count && strcmp(w.word[0], "scale") == 0)
		ok = scale_line(p, &w, f);
	else
		for (int i = 0; ok && i < w.count; i++)
			ok = plan_word(p, w.word[i], f);
	words_free(&w);
	return ok;
}

bool plan_file(struct plan *p, const char *path, struct fault *f)
{
	size_t size;
	char *text = disk_read(path, PLAN_MOST, &size, f), *save = text;
	if (!text)
		return false;
	char folder[DISK_PATH];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1, slash ? path : ".");
	p->folder = folder;
	bool ok = strlen(text) == size || fault_set(f, path, "give a plan", "it holds a zero byte");
	for (int line = 1; ok && save; line++) {
		char *at = strsep(&save, "\n");
		size_t n = strlen(at);
		if (n && at[n - 1] == '\r')
			at[n - 1] = '\0';
		struct fault inner = {0};
		if (!(ok = plan_line(p, at, &inner))) {
			char where[sizeof inner.where];
			snprintf(where, sizeof where, "%.200s:%d", path, line);
			fault_within(f, where, &inner);
		}
	}
	p->folder = NULL;
	free(text);
	return ok;
}

bool plan_move(struct plan *p, struct fault *f)
{
	for (int i = 0; i < p->entrants; i++) {
		struct entrant *e = &p->entrant[i];
		char *whole = e->choice[0] ? realpath(e->choice_file, NULL) : NULL;
		if (e->choice[0] && (!whole || strlen(whole) >= sizeof e->choice)) {
			free(whole);
			return fault_set(f, e->choice_file, "move it to a shorter path", "cannot be found from elsewhere");
		}
		if (whole)
			snprintf(e->choice, sizeof e->choice, "%s", whole);
		free(whole);
	}
	return true;
}

// ---- what follows from it --------------------------------------------------------------------------------------------

// A choice that is found or given elsewhere: there is nothing to search.
static bool trains_a_choice(const struct entrant *e)
{
	return e->alone[0] || e->choice[0];
}

const struct entrant *plan_first(const struct plan *p)
{
	for (int i = 0; i < p->entrants; i++)
		if (!p->entrant[i].baseline && !trains_a_choice(&p->entrant[i]))
			return &p->entrant[i];
	return NULL;
}

bool plan_one_contest(const struct plan *p)
{
	for (int i = 0; i < p->entrants; i++)
		if (p->entrant[i].nets.count)
			return true;
	return false;
}

static bool have_kind(const struct plan *p, bool baseline)
{
	for (int i = 0; i < p->entrants; i++)
		if (p->entrant[i].baseline == baseline && !p->entrant[i].choice[0])
			return true;
	return false;
}

static bool check_alone(const struct plan *p, struct fault *f)
{
	for (int i = 0; i < p->entrants; i++) {
		const struct entrant *e = &p->entrant[i], *other = e->alone[0] ? entrant_named(p, e->alone) : NULL;
		if (trains_a_choice(e) && e->choice[0] && (e->alone[0] || e->paths))
			return fault_set(f, e->name, "leave alone= and paths= out",
				"it trains the choice of a file, and no other");
		if (e->alone[0] && (!other || other >= e || other->baseline || trains_a_choice(other)))
			return fault_set(f, e->name, "name a search that is given before it",
				"alone=%s is not an entrant that finds a choice", e->alone);
		if (other && e->paths)
			return fault_set(f, e->name, "leave paths= out", "it trains what %s found, and scores no paths",
				e->alone);
		if (other && (e->nets.count || e->widths.count))
			return fault_set(f, e->name, "leave out its own", "it trains the networks of %s", e->alone);
	}
	return true;
}

// Each run's settings, once for every entrant, network and aim.
static bool check_runs(const struct plan *p, struct fault *f)
{
	int count;
	struct race_run *run = plan_runs(p, &count, f);
	bool ok = run != NULL;
	for (int i = 0; ok && i < count; i++) {
		struct fault inner = {0};
		if (run[i].leaves_open && run[i].entrant->baseline) {
			ok = fault_set(f, run[i].entrant->name,
				"give it one that leaves nothing open: baseline NAME net=mobilenetv2",
				"%s has an architecture to choose, and a baseline is one network", run[i].network);
			break;
		}
		struct config *c = strcmp(run[i].seed, run[0].seed) == 0 ? plan_config(p, &run[i], &inner) : NULL;
		if (strcmp(run[i].seed, run[0].seed) == 0 && !(ok = c != NULL))
			fault_within(f, run[i].entrant->name, &inner);
		config_free(c);
	}
	free(run);
	return ok;
}

bool plan_scaling(const struct plan *p, struct scale_asked *asked, struct scaling *sc, struct fault *f)
{
	*sc = (struct scaling){0};
	if (!p->scale.count)
		return fault_set(f, "race", "begin one with `scale NET steps=N race=NAME`", "its plan has no `scale` line");
	return scale_read(asked, p->scale.text, p->scale.count, f) && scaling_of(&asked->question, sc, f);
}

// The candidates, and what they are scaled from.
static bool add_candidates(struct plan *p, struct fault *f)
{
	struct scale_asked asked;
	struct scaling sc = {0};
	p->given = p->nets.count;
	bool ok = !p->scale.count || plan_scaling(p, &asked, &sc, f);
	for (int i = -1; ok && p->scale.count && i < sc.points; i++) {
		const char *net = i < 0 ? sc.base.net : sc.point[i].net;
		ok = texts_have(&p->nets, net) || texts_add(&p->nets, net, "net", f);
	}
	scaling_free(&sc);
	return ok;
}

bool plan_settle(struct plan *p, struct fault *f)
{
	if (!p->nets.count && !p->scale.count && !texts_add(&p->nets, "resnet8", "net", f))
		return false;
	if (!add_candidates(p, f))
		return false;
	if (!p->seeds.count && !texts_add(&p->seeds, "1", "seeds", f))
		return false;
	if (!p->term[0])
		snprintf(p->term, sizeof p->term, "%s", engine_terms()[0]);
	if (p->formats.count && !have_kind(p, true)) { // before the others: what they are held against is there first
		if (!add_entrant(p, entrant_named(p, "uniform") ? "baseline" : "uniform", true, f))
			return false;
		struct entrant last = p->entrant[p->entrants - 1];
		memmove(p->entrant + 1, p->entrant, (size_t)(p->entrants - 1) * sizeof last);
		p->entrant[0] = last;
	}
	if (p->targets.count && !have_kind(p, false) && !add_entrant(p, "live", false, f))
		return false;
	if (have_kind(p, true) && !p->formats.count)
		return fault_set(f, "formats", "formats=int4,int8 for instance", "a baseline has no formats");
	if (have_kind(p, false) && !p->targets.count)
		return fault_set(f, "targets", "targets=int4,0.1x for instance", "a search has no target");
	if (p->times.count && !plan_first(p))
		return fault_set(f, "times", "add a searcher and targets", "there is no search whose time they are shares of");
	return check_alone(p, f) && check_runs(p, f);
}

static void write_list(struct string *s, const char *key, const struct texts *t)
{
	struct string joined = {0};
	if (!t->count)
		return;
	string_add(&joined, "%s=", key);
	for (int i = 0; i < t->count; i++)
		string_add(&joined, "%s%s", i ? "," : "", t->text[i]);
	if (joined.failed)
		s->failed = true;
	else
		words_quote(s, joined.bytes);
	string_add(s, "\n");
	string_free(&joined);
}

static void write_word(struct string *s, const char *before, const char *key, const char *value)
{
	char word[DISK_PATH + ENGINE_NAME];
	snprintf(word, sizeof word, "%s%s", key, value);
	string_add(s, "%s", before);
	words_quote(s, word);
}

static void write_lines(struct string *s, const char *key, const struct texts *t)
{
	for (int i = 0; i < t->count; i++) {
		write_word(s, "", key, t->text[i]);
		string_add(s, "\n");
	}
}

void plan_write(const struct plan *p, struct string *s)
{
	write_lines(s, "net=", &(struct texts){p->given, p->nets.text});
	for (int i = 0; i < p->scale.count; i++)
		write_word(s, i ? " " : "scale ", "", p->scale.text[i]);
	if (p->scale.count)
		string_add(s, "\n");
	write_list(s, "widths", &p->widths);
	write_list(s, "formats", &p->formats);
	string_add(s, "term=");
	words_quote(s, p->term);
	string_add(s, "\n");
	write_list(s, "targets", &p->targets);
	write_list(s, "seeds", &p->seeds);
	write_list(s, "times", &p->times);
	if (p->to > 0)
		string_add(s, "between=%.17g,%.17g\n", p->from, p->to);
	write_lines(s, "", &p->setting);
	for (int i = 0; i < p->entrants; i++) {
		const struct entrant *e = &p->entrant[i];
		string_add(s, "%s ", e->baseline ? "baseline" : "entrant");
		words_quote(s, e->name);
		string_add(s, "%s%s", e->alone[0] ? " alone=" : "", e->alone);
		if (e->choice[0])
			write_word(s, " ", "choice=", e->choice);
		if (e->paths)
			string_add(s, " paths=%d", e->paths);
		for (int n = 0; n < e->nets.count; n++)
			write_word(s, " ", "net=", e->nets.text[n]);
		for (int n = 0; n < e->widths.count; n++)
			string_add(s, "%s%s", n ? "," : " widths=", e->widths.text[n]);
		for (int n = 0; n < e->setting.count; n++)
			write_word(s, " ", "", e->setting.text[n]);
		string_add(s, "\n");
	}
}

void plan_free(struct plan *p)
{
	struct texts *const list[] = {
		&p->nets, &p->widths, &p->formats, &p->targets, &p->seeds, &p->times, &p->setting, &p->scale};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		texts_free(list[i]);
	for (int i = 0; i < p->entrants; i++) {
		texts_free(&p->entrant[i].nets);
		texts_free(&p->entrant[i].widths);
		texts_free(&p->entrant[i].setting);
	}
	free(p->entrant);
	*p = (struct plan){0};
}

// ---- runs ------------------------------------------------------------------------------------------------------------

const char *run_title(const struct race_run *r, char buf[4 * ENGINE_TEXT])
{
	char path[32] = "";
	if (r->path >= 0)
		snprintf(path, sizeof path, " path %d", r->path + 1);
	snprintf(buf, 4 * ENGINE_TEXT, "%s %s %s%s seed %s%s%s", r->entrant->name, r->network, r->aim, path, r->seed,
		r->time[0] ? " at time " : "", r->time);
	return buf;
}

// With its final zero.
static uint64_t hash_text(uint64_t h, const char *text)
{
	return hash_bytes(h, text, strlen(text) + 1);
}

static uint64_t hash_settings(uint64_t h, const struct plan *p, const struct entrant *e)
{
	h = hash_text(h, e->name);
	h = hash_text(h, p->term);
	for (int i = 0; i < p->setting.count; i++)
		h = hash_text(h, p->setting.text[i]);
	for (int i = 0; i < e->setting.count; i++)
		h = hash_text(h, e->setting.text[i]);
	if (e->paths)
		h = (h ^ (uint64_t)e->paths) * 0x100000001b3u;
	if (e->choice[0])
		h = (h ^ e->choice_hash) * 0x100000001b3u;
	return h;
}

// What a run is called, so that its result is known again in a plan that has become longer.
static void name_run(const struct plan *p, struct race_run *r)
{
	char title[4 * ENGINE_TEXT];
	uint64_t h = hash_settings(HASH_START, p, r->entrant);
	const struct entrant *found = r->entrant->alone[0] ? entrant_named(p, r->entrant->alone) : NULL;
	if (found)
		h = hash_settings(h, p, found);
	run_title(r, title);
	h = hash_text(h, title);
	if (r->time[0] && plan_first(p))
		h = hash_settings(h, p, plan_first(p));
	for (char *c = title; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".-_", *c))
			*c = '-';
	snprintf(r->name, sizeof r->name, "%.100s-%08x", title, (unsigned)(h ^ h >> 32));
}

static bool name_network(struct race_run *r, struct fault *f)
{
	int n = r->width[0]
		? snprintf(r->network, sizeof r->network, "%s%cwidth=%s", r->net, strchr(r->net, ':') ? ',' : ':', r->width)
		: snprintf(r->network, sizeof r->network, "%s", r->net);
	return (n > 0 && (size_t)n < sizeof r->network) ||
		fault_set(f, r->net, "name a shorter one", "the network's name is too long");
}

// Whether an entrant takes part in a comparison: what is trained alone has no search whose time could be counted, and paths are drawn once.
static bool takes_part(const struct entrant *e, const char *time)
{
	return !time[0] || (!trains_a_choice(e) && !e->paths);
}

struct runs {
	const struct plan *plan;
	int count, room;
	struct race_run *run;
};

// One network is trained there, and so it matters whether there is but one.
static bool asks_what_is_open(const struct entrant *e)
{
	return e->baseline || trains_a_choice(e);
}

// Whether a network leaves choices open beside formats. One that cannot be opened does not: the run will say why.
static bool leaves_open(const struct runs *runs, const struct race_run *run)
{
	for (int i = 0; i < runs->count; i++)
		if (strcmp(runs->run[i].network, run->network) == 0 && asks_what_is_open(runs->run[i].entrant))
			return runs->run[i].leaves_open;
	struct description *d = description_open(run->network, 0, 0, 0, 0, NULL);
	bool open = d && description_info(d)->choices > 0;
	description_close(d);
	return open;
}

static bool add_run(struct runs *runs, const struct race_run *run, struct fault *f)
{
	if (runs->count == MOST_RUNS)
		return fault_set(f, "race", "make several of it", "more than %d runs", MOST_RUNS);
	if (runs->count == runs->room) {
		int room = runs->room ? 2 * runs->room : 64;
		struct race_run *more = realloc(runs->run, (size_t)room * sizeof *more);
		if (!more)
			return fault_memory(f, "race");
		runs->run = more;
		runs->room = room;
	}
	struct race_run *its = &runs->run[runs->count++];
	*its = *run;
	if (!name_network(its, f))
		return false;
	if (asks_what_is_open(its->entrant)) {
		runs->count--; // it is not known yet
		its->leaves_open = leaves_open(runs, its);
		runs->count++;
	}
	name_run(runs->plan, its);
	return true;
}

// A run, or one for each path.
static bool add_paths(struct runs *runs, struct race_run *run, int paths, struct fault *f)
{
	bool ok = true;
	for (run->path = paths ? 0 : -1; ok && run->path < paths; run->path++)
		ok = add_run(runs, run, f);
	return ok;
}

// An entrant on every network, with every aim.
static bool add_entrant_runs(struct runs *runs, struct race_run run, struct fault *f)
{
	static char as_it_is[] = "", *one[] = {as_it_is}, given[] = "choice", *given_one[] = {given};
	const struct plan *p = runs->plan;
	const struct entrant *e = run.entrant->alone[0] ? entrant_named(p, run.entrant->alone) : run.entrant;
	const struct texts *nets = e->nets.count ? &e->nets : &p->nets;
	const struct texts *own = e->nets.count || e->widths.count ? &e->widths : &p->widths;
	const struct texts widths = own->count ? *own : (struct texts){1, one};
	const struct texts once = {1, given_one}, *aims = e->baseline ? &p->formats : e->choice[0] ? &once : &p->targets;
	for (int i = 0; i < nets->count; i++)
		for (int w = 0; w < widths.count; w++)
			for (int a = 0; a < aims->count; a++) {
				run.net = nets->text[i];
				run.width = widths.text[w];
				run.aim = aims->text[a];
				if (!add_paths(runs, &run, e == run.entrant ? 0 : e->paths, f))
					return false;
			}
	return true;
}

struct race_run *plan_runs(const struct plan *p, int *count, struct fault *f)
{
	struct runs runs = {.plan = p};
	bool ok = true;
	for (int s = 0; s < p->seeds.count; s++)
		for (int t = -1; t < p->times.count; t++) // first at equal training images
			for (int e = 0; ok && e < p->entrants; e++) {
				struct race_run run = {.entrant = &p->entrant[e],
					.seed = p->seeds.text[s],
					.time = t < 0 ? "" : p->times.text[t]};
				ok = !takes_part(run.entrant, run.time) || add_entrant_runs(&runs, run, f);
			}
	if (ok && !runs.count)
		ok = fault_set(f, "race", "give formats= or targets=, or an entrant with choice=", "it has no runs");
	if (!ok) {
		free(runs.run);
		return NULL;
	}
	*count = runs.count;
	return runs.run;
}

// ---- settings of a run -----------------------------------------------------------------------------------------------

static bool set_word(struct config *c, const char *word, struct fault *f)
{
	char name[ENGINE_NAME + 16];
	const char *equals = strchr(word, '=');
	snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
	return config_set(c, name, equals + 1, f);
}

static bool set_each(struct config *c, const struct texts *t, struct fault *f)
{
	for (int i = 0; i < t->count; i++)
		if (!set_word(c, t->text[i], f))
			return false;
	return true;
}

// A search aims at the plan's term alone, with the weight that the first term has by itself.
static bool set_target(struct config *c, const char *term, const char *target, struct fault *f)
{
	const char *usual = engine_terms()[0];
	char name[ENGINE_NAME + 16], weight[ENGINE_TEXT] = "1";
	snprintf(name, sizeof name, "weight.%s", usual);
	config_get(c, name, weight, sizeof weight);
	if (strcmp(term, usual) != 0) {
		if (!config_set(c, name, "0", f))
			return false;
		snprintf(name, sizeof name, "weight.%s", term);
		if (!config_set(c, name, weight, f))
			return false;
	}
	snprintf(name, sizeof name, "target.%s", term);
	return config_set(c, name, target, f);
}

struct config *plan_config(const struct plan *p, const struct race_run *r, struct fault *f)
{
	struct config *c = config_new();
	if (!c) {
		fault_memory(f, "race");
		return NULL;
	}
	// The front is for the eye, and its scoring takes time that a result does not need.
	bool ok = config_set(c, "front-every", "0", f) && set_each(c, &p->setting, f) && set_each(c, &r->entrant->setting, f) &&
		config_set(c, "net", r->network, f) && config_set(c, "seed", r->seed, f);
	if (ok && r->entrant->baseline)
		ok = config_set(c, "space", r->aim, f) && config_set(c, "searcher", "uniform", f);
	else if (ok && !r->entrant->choice[0])
		ok = set_target(c, p->term, r->aim, f);
	// What is pinned everywhere is trained alone: where formats are all there is by the searcher that trains one choice; beside an architecture,
	// which that one does not serve, by a warm-up that lasts.
	if (ok && trains_a_choice(r->entrant))
		ok = r->leaves_open ? config_set(c, "searcher", "reinforce", f) && config_set(c, "warmup", "1", f)
				    : config_set(c, "searcher", "uniform", f);
	if (ok)
		return c;
	config_free(c);
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "engine/base/json.h"
#include "sessions/store/folder.h"

enum { RESULT_MOST = 1 << 24 };

static bool result_path(const char *folder, const struct race_run *run, char path[DISK_PATH], struct fault *f)
{
	return snprintf(path, DISK_PATH, "%s/%s.json", folder, run->name) < DISK_PATH ||
		fault_set(f, folder, "choose a shorter one", "the path is longer than %d bytes", DISK_PATH - 1);
}

void chosen_free(struct chosen *c)
{
	free(c->layer);
	free(c->slot);
	*c = (struct chosen){0};
}

void result_free(struct result *r)
{
	chosen_free(&r->chosen);
	for (int i = 0; r->path && i < r->paths; i++)
		chosen_free(&r->path[i].chosen);
	free(r->path);
	*r = (struct result){0};
}

double result_cost(const struct result *r, const char *term)
{
	for (int t = 0; t < r->terms; t++)
		if (strcmp(r->term[t].name, term) == 0)
			return r->term[t].cost;
	return NAN;
}

const char *result_unit(const struct result *r, const char *term)
{
	for (int t = 0; t < r->terms; t++)
		if (strcmp(r->term[t].name, term) == 0)
			return r->term[t].unit;
	return "";
}

void chosen_formats(const struct chosen *c, struct string *s)
{
	for (int i = 0; i < c->layers; i++) {
		const struct result_layer *l = &c->layer[i];
		bool tied = l->rests || strcmp(l->weight, l->activation) == 0;
		string_add(s, "%s%s%s%s", i ? " " : "", l->rests ? "-" : l->weight, tied ? "" : "/", tied ? "" : l->activation);
	}
}

void chosen_architecture(const struct chosen *c, struct string *s)
{
	for (int i = 0; i < c->slots; i++)
		if (!c->slot[i].rests)
			string_add(s, "%s%s=%s", s->length ? " " : "", c->slot[i].name, c->slot[i].option);
}

// ---- a choice ----

static bool take_architecture(const struct engine_info *info, const uint8_t *choice, struct chosen *c)
{
	const int slots = info->slots - info->formats;
	if (slots && !(c->slot = calloc((size_t)slots, sizeof *c->slot)))
		return false;
	for (c->slots = 0; c->slots < slots; c->slots++) {
		const int i = info->formats + c->slots;
		struct result_slot *slot = &c->slot[c->slots];
		snprintf(slot->name, sizeof slot->name, "%s", info->slot[i].name);
		snprintf(slot->option, sizeof slot->option, "%s", info->slot[i].option[choice[i]].name);
		slot->rests = engine_rests(info, i, choice);
	}
	return true;
}

bool chosen_of(const struct engine_info *info, const uint8_t *choice, struct chosen *c)
{
	if (!(c->layer = calloc((size_t)info->layers, sizeof *c->layer)))
		return false;
	for (c->layers = 0; c->layers < info->layers; c->layers++) {
		const struct layer_info *l = &info->layer[c->layers];
		const struct slot_info *w = &info->slot[l->weight_slot], *a = &info->slot[l->activation_slot];
		struct result_layer *to = &c->layer[c->layers];
		snprintf(to->name, sizeof to->name, "%s", l->name);
		snprintf(to->weight, sizeof to->weight, "%s", w->option[choice[l->weight_slot]].name);
		snprintf(to->activation, sizeof to->activation, "%s", a->option[choice[l->activation_slot]].name);
		to->rests = engine_rests(info, l->weight_slot, choice);
	}
	return take_architecture(info, choice, c);
}

static int option_named(const struct slot_info *slot, const char *name)
{
	for (int o = 0; o < slot->options; o++)
		if (strcmp(slot->option[o].name, name) == 0)
			return o;
	return -1;
}

// False: the slot has no such option.
static bool take_option(const struct engine_info *info, int slot, const char *name, bool rests, uint8_t *choice)
{
	int o = rests ? 0 : option_named(&info->slot[slot], name);
	choice[slot] = (uint8_t)(o < 0 ? 0 : o);
	return o >= 0;
}

bool chosen_options(const struct engine_info *info, const struct chosen *c, uint8_t *choice)
{
	bool ok = c->layers == info->layers && c->slots == info->slots - info->formats;
	for (int i = 0; ok && i < c->layers; i++) {
		const struct result_layer *l = &c->layer[i];
		ok = strcmp(l->name, info->layer[i].name) == 0 &&
			take_option(info, info->layer[i].weight_slot, l->weight, l->rests, choice) &&
			take_option(info, info->layer[i].activation_slot, l->activation, l->rests, choice);
	}
	for (int i = 0; ok && i < c->slots; i++) {
		const int slot = info->formats + i;
		ok = strcmp(c->slot[i].name, info->slot[slot].name) == 0 &&
			take_option(info, slot, c->slot[i].option, c->slot[i].rests, choice);
	}
	return ok;
}

// ---- writing ---------------------------------------------------------------------------------------------------------

static json_t *real_or_null(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static void add_setting(const char *name, const char *value, void *settings)
{
	json_object_set_new(settings, name, json_string(value));
}

static json_t *costs_of(const struct result *r)
{
	json_t *costs = json_object();
	for (int t = 0; t < r->terms; t++)
		json_object_set_new(costs, r->term[t].name,
			json_pack("{s:s, s:o}", "unit", r->term[t].unit, "total", real_or_null(r->term[t].cost)));
	return costs;
}

static json_t *layers_of(const struct chosen *c)
{
	json_t *layers = json_array();
	for (int i = 0; i < c->layers; i++) {
		json_t *layer = json_pack("{s:s, s:{s:s}, s:{s:s}}", "name", c->layer[i].name, "weight", "format",
			c->layer[i].weight, "activation", "format", c->layer[i].activation);
		if (c->slots)
			json_object_set_new(layer, "rests", json_boolean(c->layer[i].rests));
		json_array_append_new(layers, layer);
	}
	return layers;
}

static json_t *architecture_of(const struct chosen *c)
{
	json_t *slots = json_array();
	for (int i = 0; i < c->slots; i++)
		json_array_append_new(slots,
			json_pack("{s:s, s:s, s:b}", "slot", c->slot[i].name, "option", c->slot[i].option, "rests",
				c->slot[i].rests));
	return slots;
}

static json_t *paths_of(const struct result *r)
{
	json_t *paths = json_array();
	for (int i = 0; i < r->paths; i++) {
		const struct result_path *p = &r->path[i];
		json_array_append_new(paths,
			json_pack("{s:o, s:f, s:o, s:o, s:o}", "cost", real_or_null(p->cost), "macs", p->macs, "test",
				real_or_null(p->test), "layers", layers_of(&p->chosen), "architecture",
				architecture_of(&p->chosen)));
	}
	return paths;
}

bool result_write(const char *folder, const struct plan *p, const struct race_run *run, const struct config *config,
	const struct result *r, struct fault *f)
{
	char path[DISK_PATH];
	json_t *settings = json_object();
	if (settings)
		config_each(config, add_setting, settings);
	json_t *root =
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:f}",
			"version", 1, "entrant", run->entrant->name, "network", run->network, "aim", run->aim, "term", p->term,
			"seed", run->seed, "time", run->time, "failed", r->why, "kernels", r->kernels, "steps",
			(json_int_t)r->steps, "images", r->images, "heldout", real_or_null(r->heldout), "test",
			real_or_null(r->test), "digest", r->digest, "bitscape", BITSCAPE_VERSION, "costs", costs_of(r), "layers",
			layers_of(&r->chosen), "settings", settings, "memory", r->memory);
	if (root)
		json_object_set_new(root, "seconds",
			json_pack("{s:f, s:f, s:f, s:f}", "opening", r->opening, "running", r->running, "scoring", r->scoring,
				"processors", r->processors));
	if (root && r->chosen.slots)
		json_object_set_new(root, "architecture", architecture_of(&r->chosen));
	if (root && r->paths)
		json_object_set_new(root, "paths", paths_of(r));
	if (!result_path(folder, run, path, f)) {
		json_decref(root);
		return false;
	}
	return json_file_write(path, root, JSON_REAL_PRECISION(17), f);
}

// ---- reading ---------------------------------------------------------------------------------------------------------

struct comparison_of {
	const json_t *stored;
	bool free_steps, same;
	char says[256];
};

// A setting that an older build did not have says nothing.
static void compare_setting(const char *name, const char *value, void *context)
{
	struct comparison_of *c = context;
	const char *then = json_string_value(json_object_get(c->stored, name));
	if (!c->same || !then || strcmp(then, value) == 0 || (c->free_steps && strcmp(name, "steps") == 0))
		return;
	c->same = false;
	snprintf(c->says, sizeof c->says, "its %s was %.60s, and would be %.60s now", name, then, value);
}

static bool compare_settings(const char *path, const struct plan *p, const struct race_run *run, const json_t *root,
	struct fault *f)
{
	struct config *config = plan_config(p, run, f);
	struct comparison_of c = {json_object_get(root, "settings"), run->time[0], true, ""};
	if (!config)
		return false;
	config_each(config, compare_setting, &c);
	config_free(config);
	text_clean(c.says, "");
	return c.same || fault_set(f, path, "it is of another build: begin a new race, or take the file away", "%s", c.says);
}

static double real_of(const json_t *object, const char *name)
{
	const json_t *x = json_object_get(object, name);
	return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

static bool read_layers(const json_t *layers, struct chosen *c)
{
	size_t n = json_array_size(layers);
	c->layer = n ? calloc(n, sizeof *c->layer) : NULL;
	for (size_t i = 0; c->layer && i < n; i++) {
		const json_t *layer = json_array_get(layers, i);
		json_word(layer, "name", c->layer[i].name, sizeof c->layer[i].name);
		json_word(json_object_get(layer, "weight"), "format", c->layer[i].weight, sizeof c->layer[i].weight);
		json_word(json_object_get(layer, "activation"), "format", c->layer[i].activation, sizeof c->layer[i].activation);
		c->layer[i].rests = json_is_true(json_object_get(layer, "rests"));
		c->layers++;
	}
	return c->layer || !n;
}

// Of a network whose architecture is fixed, and of results from before there were others, there is none.
static bool read_architecture(const json_t *slots, struct chosen *c)
{
	size_t n = json_array_size(slots);
	c->slot = n ? calloc(n, sizeof *c->slot) : NULL;
	for (size_t i = 0; c->slot && i < n; i++) {
		const json_t *slot = json_array_get(slots, i);
		json_word(slot, "slot", c->slot[i].name, sizeof c->slot[i].name);
		json_word(slot, "option", c->slot[i].option, sizeof c->slot[i].option);
		c->slot[i].rests = json_is_true(json_object_get(slot, "rests"));
		c->slots++;
	}
	return c->slot || !n;
}

static bool read_chosen(const json_t *object, struct chosen *c)
{
	return read_layers(json_object_get(object, "layers"), c) && read_architecture(json_object_get(object, "architecture"), c);
}

static bool read_paths(const json_t *paths, struct result *r)
{
	size_t n = json_array_size(paths);
	r->path = n ? calloc(n, sizeof *r->path) : NULL;
	for (size_t i = 0; r->path && i < n; i++) {
		const json_t *path = json_array_get(paths, i);
		r->path[i].cost = real_of(path, "cost");
		r->path[i].macs = real_of(path, "macs");
		r->path[i].test = real_of(path, "test");
		r->paths++;
		if (!read_chosen(path, &r->path[i].chosen))
			return false;
	}
	return r->path || !n;
}

static void read_costs(json_t *costs, struct result *r)
{
	const char *name;
	json_t *cost;
	json_object_foreach(costs, name, cost)
	{
		if (r->terms == ENGINE_TERMS)
			break;
		struct result_term *t = &r->term[r->terms++];
		snprintf(t->name, sizeof t->name, "%s", name);
		json_word(cost, "unit", t->unit, sizeof t->unit);
		t->cost = real_of(cost, "total");
	}
}

static void read_numbers(const json_t *root, struct result *r)
{
	const json_t *seconds = json_object_get(root, "seconds");
	r->steps = (long)json_integer_value(json_object_get(root, "steps"));
	r->images = real_of(root, "images");
	r->heldout = real_of(root, "heldout");
	r->test = real_of(root, "test");
	r->memory = real_of(root, "memory");
	r->opening = real_of(seconds, "opening");
	r->running = real_of(seconds, "running");
	r->scoring = real_of(seconds, "scoring");
	r->processors = real_of(seconds, "processors");
	json_word(root, "failed", r->why, sizeof r->why);
	json_word(root, "digest", r->digest, sizeof r->digest);
	json_word(root, "kernels", r->kernels, sizeof r->kernels);
}

bool result_read(const char *folder, const struct plan *p, const struct race_run *run, struct result *r, struct fault *f)
{
	char path[DISK_PATH];
	*r = (struct result){0};
	if (!result_path(folder, run, path, f))
		return false;
	if (access(path, F_OK) != 0)
		return errno == ENOENT || disk_fault(f, path, "read it", errno);
	json_t *root = json_file_read(path, RESULT_MOST, "take the file away: the run is made again", f);
	if (!root)
		return false;
	bool ok = json_is_object(json_object_get(root, "settings")) && json_is_string(json_object_get(root, "failed")) &&
		json_is_string(json_object_get(root, "digest"));
	if (!ok)
		fault_set(f, path, "take the file away: the run is made again", "is not the result of a run");
	ok = ok && compare_settings(path, p, run, root, f);
	if (ok) {
		read_numbers(root, r);
		read_costs(json_object_get(root, "costs"), r);
		ok = (read_chosen(root, &r->chosen) && read_paths(json_object_get(root, "paths"), r)) || fault_memory(f, path);
		r->there = ok;
	}
	json_decref(root);
	if (!ok)
		result_free(r);
	return ok;
}

bool chosen_write(const char *path, const struct chosen *c, struct fault *f)
{
	return json_file_write(path,
		json_pack("{s:i, s:o, s:o}", "version", 1, "layers", layers_of(c), "architecture", architecture_of(c)), 0, f);
}

bool chosen_read(const char *path, struct chosen *c, struct fault *f)
{
	*c = (struct chosen){0};
	json_t *root = json_file_read(path, RESULT_MOST, "give an exported policy", f);
	if (!root)
		return false;
	bool ok = (read_chosen(root, c) || fault_memory(f, path)) &&
		(c->layers || fault_set(f, path, "give an exported policy, or the result of a run", "it names no layers"));
	json_decref(root);
	if (!ok)
		chosen_free(c);
	return ok;
}

// ---- all of a race ---------------------------------------------------------------------------------------------------

bool race_folder(const char *name, char folder[DISK_PATH], struct fault *f)
{
	static const char ending[] = ".race";
	size_t n = strlen(name), e = sizeof ending - 1;
	while (n > 1 && name[n - 1] == '/')
		n--;
	bool has = n > e && strncmp(name + n - e, ending, e) == 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return fault_set(f, name, "choose another name", "a race's name holds no control characters");
	if (!n || name[n - 1] == '/' || name[n - 1] == '.' || name[0] == '-' || memchr(name, '=', n))
		return fault_set(f, name, "give a name such as hull, then the plan", "this cannot be a race's name");
	return snprintf(folder, DISK_PATH, "%.*s%s", (int)n, name, has ? "" : ending) < DISK_PATH - 4 * ENGINE_TEXT ||
		fault_set(f, name, "choose a shorter one", "the path is too long");
}

static bool read_results(struct race *race, struct fault *f)
{
	race->result = calloc((size_t)race->runs, sizeof *race->result);
	if (!race->result)
		return fault_memory(f, race->folder);
	for (int i = 0; i < race->runs; i++)
		if (!result_read(race->folder, &race->plan, &race->run[i], &race->result[i], f))
			return false;
	return true;
}

bool race_open(struct race *race, const char *name, bool results, struct fault *f)
{
	char path[DISK_PATH];
	if (!race_folder(name, race->folder, f))
		return false;
	const char *slash = strrchr(race->folder, '/');
	snprintf(race->title, sizeof race->title, "%.*s", (int)sizeof race->title - 1, slash ? slash + 1 : race->folder);
	text_clean(race->title, "");
	if (!folder_has(race->folder, RACE_PLAN_FILE))
		return fault_set(f, race->folder, "`race NAME KEY=VALUE...` begins one", "there is no race here");
	if (!folder_file(race->folder, RACE_PLAN_FILE, path, sizeof path, f) || !plan_file(&race->plan, path, f) ||
		!plan_settle(&race->plan, f) || !(race->run = plan_runs(&race->plan, &race->runs, f)))
		return false;
	return !results || read_results(race, f);
}

void race_free(struct race *race)
{
	for (int i = 0; race->result && i < race->runs; i++)
		result_free(&race->result[i]);
	free(race->result);
	free(race->run);
	plan_free(&race->plan);
	*race = (struct race){0};
}

int race_finished(const struct race *race)
{
	int finished = 0;
	for (int i = 0; race->result && i < race->runs; i++)
		finished += race->result[i].there;
	return finished;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A search's state and its digest: its own part, and around it the parts of its source, its lanes and its front.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/search/settings.h"

enum { VERSION = 1, VERSION_LANES = 2, SOURCE_VERSION = 1, NUMBERS = 5 };

static bool among(const char *name, const char *const *words, size_t count, bool prefix)
{
	for (size_t i = 0; i < count; i++)
		if (prefix ? strncmp(name, words[i], strlen(words[i])) == 0 : strcmp(name, words[i]) == 0)
			return true;
	return false;
}

// A name without the lane that it is of.
static const char *plain_name(const char *name)
{
	const char *dot = strncmp(name, "lane.", 5) == 0 ? strchr(name + 5, '.') : NULL;
	return dot ? dot + 1 : name;
}

bool state_sound(const struct state *s, struct fault *fault)
{
	static const char todo[] = "take the last change back with `undo`, or begin a new session with smaller rates";
	// What records the past, or scores it, may hold numbers that never were.
	static const char *const lives_on[] = {"network.", "policy.", "additive.", "last."};
	static const char *const numbers[] = {"baseline", "loss", "accuracy", "quality", "reward", "advantage"};
	for (int i = 0; i < s->tensors; i++) {
		const struct state_tensor *t = &s->tensor[i];
		const float *x = t->data;
		if (t->type != STATE_F32 || !among(plain_name(t->name), lives_on, sizeof lives_on / sizeof *lives_on, true))
			continue;
		for (size_t k = 0; k < t->bytes / sizeof *x; k++)
			if (!isfinite(x[k]))
				return fault_set(fault, t->name, todo,
					"its number %zu is %f: the search has gone wrong, and this state is not saved", k + 1,
					(double)x[k]);
	}
	for (int i = 0; i < s->texts; i++) {
		const struct state_text *t = &s->text[i];
		bool number = among(plain_name(t->name), numbers, sizeof numbers / sizeof *numbers, false);
		if (number && !isfinite(strtod(t->value, NULL)))
			return fault_set(fault, t->name, todo, "it is %s: the search has gone wrong, and this state is not saved",
				t->value);
	}
	return true;
}

static void list_numbers(struct search *s, struct state_number numbers[NUMBERS])
{
	struct shared *shared = &s->shared;
	memcpy(numbers,
		(struct state_number[NUMBERS]){
			{"restart", .whole = &shared->restart, .rare = true},
			{"step", .whole = &shared->step},
			{"horizon", .whole = &shared->horizon},
			{"loss", .real = &s->loss},
			{"accuracy", .real = &s->accuracy},
		},
		NUMBERS * sizeof *numbers);
}

static int list_arrays(const struct search *s, struct state_array array[SOURCE_ARRAYS])
{
	return s->source->kind->arrays ? s->source->kind->arrays(s->source, array) : 0;
}

// CRC-32s of the weights, of the optimizer's arrays, and of the policies with their masks.
static void digest_of(struct search *s, char *buf, size_t size)
{
	struct state_array array[SOURCE_ARRAYS];
	int arrays = list_arrays(s, array);
	unsigned long weights = arrays ? state_sum(0, array, 1) : 0, rest = arrays ? state_sum(0, array + 1, arrays - 1) : 0;
	unsigned long policy = 0;
	for (struct lane *lane = NULL; (lane = lanes_next(s, lane));)
		policy = lane_sum(lane, policy);
	snprintf(buf, size, "%08lx%08lx%08lx", weights, rest, policy);
}

// ---- what must be the same for a state to fit ----

// A slot's options, and what it is there with: "3|5|7 with s2b1.depth=on". What is too long ends in a checksum.
static void slot_text(const struct space *space, int index, char *buf, size_t size)
{
	const struct slot *slot = &space->slot[index];
	struct string t = {0};
	for (int o = 0; o < slot->options; o++)
		string_add(&t, "%s%s", o ? "|" : "", slot->option[o]);
	if (slot->owner >= 0) {
		const struct slot *owner = &space->slot[slot->owner];
		string_add(&t, " with %s=", owner->name);
		for (int o = 0, some = 0; o < owner->options; o++)
			if (slot->when >> o & 1)
				string_add(&t, "%s%s", some++ ? "|" : "", owner->option[o]);
	}
	const char *text = t.bytes ? t.bytes : "";
	if (strlen(text) < size)
		snprintf(buf, size, "%s", text);
	else
		snprintf(buf, size, "%.*s… %08lx", (int)size - 16, text, crc32_z(0, (const Bytef *)text, strlen(text)));
	string_free(&t);
}

static const char *slot_key(const char *name, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "slot %s", name);
	return key;
}

// Each under its name. Slots of the architecture come first: of two spaces they say which is the other one.
static void each_identity(const struct search *s, knobs_visit *each, void *context)
{
	const struct space *space = s->shared.space;
	char text[ENGINE_TEXT], key[STATE_KEY];
	size_t used = 0;
	for (int i = space->formats; i < space->slots; i++) {
		slot_text(space, i, text, sizeof text);
		each(slot_key(space->slot[i].name, key), text, context);
	}
	each("net", s->shared.model->name, context);
	for (int o = 0; o < space->options && used < sizeof text; o++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", o ? "," : "",
			format_table[space->format[o]].name);
	each("space", text, context);
	static const char *const fixed[] = {
		"seed", "batch", "steps", "warmup", "rate-warmup", "augment", "optimizer", "ema", "norm-sets", "wide-format"};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		knobs_get(&s->shared.knobs, fixed[i], text, sizeof text);
		each(fixed[i], text, context);
	}
	s->source->kind->identity(s->source, each, context);
}

// A visit that writes what it is given as texts, or compares it with these.
struct texts {
	struct state *out;
	const struct state *in;
	struct fault *fault;
	bool ok;
};

static const char *identity_key(const char *name, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "identity.%s", name);
	return key;
}

static void say_text(const char *name, const char *value, void *context)
{
	struct texts *t = context;
	char key[STATE_KEY];
	t->ok = t->ok && state_say(t->out, identity_key(name, key), "%s", value);
}

static bool differs(struct fault *fault, const char *name, const char *theirs, const char *mine)
{
	return fault_set(fault, "checkpoint", "open it with the settings it was made with",
		"it is of another search: its %s is %s, here it is %s", name, theirs, mine);
}

static void compare_text(const char *name, const char *mine, void *context)
{
	struct texts *t = context;
	char key[STATE_KEY];
	const char *theirs = state_get(t->in, identity_key(name, key)),
		   *lacks = strncmp(name, "slot ", 5) == 0 ? "not there" : "unknown";
	if (t->ok && (!theirs || strcmp(theirs, mine) != 0))
		t->ok = differs(t->fault, name, theirs ? theirs : lacks, mine);
}

// A slot of the state that this search lacks.
static bool compare_slots(const struct search *s, const struct state *in, struct fault *fault)
{
	static const char prefix[] = "identity.slot ";
	const struct space *space = s->shared.space;
	for (int t = 0; t < in->texts; t++) {
		const struct state_text *text = &in->text[t];
		if (strncmp(text->name, prefix, sizeof prefix - 1) != 0)
			continue;
		int i = space->formats;
		while (i < space->slots && strcmp(space->slot[i].name, text->name + sizeof prefix - 1) != 0)
			i++;
		if (i == space->slots)
			return differs(fault, text->name + sizeof "identity." - 1, text->value, "not there");
	}
	return true;
}

bool search_save(struct search *s, struct state *out, struct fault *fault)
{
	struct state_array array[SOURCE_ARRAYS];
	struct state_number number[NUMBERS];
	struct texts same = {.out = out, .ok = true};
	char text[ENGINE_TEXT];
	list_numbers(s, number);
	each_identity(s, say_text, &same);
	digest_of(s, text, sizeof text);
	bool ok = same.ok && state_part(out, "search", lanes_used(s) ? VERSION_LANES : VERSION) &&
		state_part(out, s->source->kind->name, SOURCE_VERSION) && state_say(out, "kernels", "%s", s->info.kernels) &&
		state_say(out, "digest", "%s", text) && state_say_numbers(out, number, NUMBERS, "", NULL);
	for (int t = 0; t < s->shared.terms; t++) {
		snprintf(text, sizeof text, "term.%d", t);
		ok = ok && state_say(out, text, "%s", s->shared.term[t].name);
	}
	ok = ok && settings_save(&s->shared.knobs, "set", false, out);
	for (struct lane *lane = NULL; ok && (lane = lanes_next_kept(s, lane));)
		ok = lane_save_wishes(lane, out);
	if (!ok || !front_save(&s->front, s->lane, out) || (lanes_used(s) && !lanes_save(s, out)))
		return fault_memory(fault, "checkpoint");
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		if (!lane_save(lane, out, fault))
			return false;
	return strain_save(&s->strain, out, fault) && polish_save(&s->polish, s->source, out, fault) &&
		state_add_arrays(out, array, list_arrays(s, array), "network.", fault);
}

// ---- restoring ----

// The terms in the order in which they came, with their settings.
static bool restore_settings(struct search *s, const struct state *in, struct fault *fault)
{
	struct knobs wanted = s->shared.knobs, *k = &wanted;
	char key[ENGINE_NAME];
	const char *name;
	memset(k->term, 0, sizeof k->term);
	for (k->terms = 0; k->terms < ENGINE_TERMS; k->terms++) {
		snprintf(key, sizeof key, "term.%d", k->terms);
		if (!(name = state_get(in, key)))
			break;
		if (strlen(name) >= ENGINE_NAME || knobs_term(k, name) >= 0)
			return state_damaged(fault, key);
		snprintf(k->term[k->terms].name, ENGINE_NAME, "%s", name);
	}
	for (int t = 0; t < s->shared.terms; t++) // those that the search began with
		if (t >= k->terms || strcmp(k->term[t].name, s->shared.term[t].name) != 0)
			return state_damaged(fault, "term");
	if (!settings_read(k, "set", false, in, fault))
		return false;
	search_take_knobs(s, k);
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		if (!lane_restore_wishes(lane, in, k, fault))
			return false;
		else
			knobs_part(k, &lane->wishes);
	struct lane *first = lanes_next(s, NULL);
	knobs_join(k, &first->wishes);
	return search_reprice(s, first, k, fault);
}

static bool restore_numbers(struct search *s, const struct state *in, struct fault *fault)
{
	struct shared *shared = &s->shared;
	struct state_number number[NUMBERS];
	list_numbers(s, number);
	if (!state_read_numbers(in, number, NUMBERS, "", NULL, fault))
		return false;
	return (shared->step >= 0 && shared->step <= shared->horizon && shared->horizon <= SEARCH_HORIZON &&
		       shared->restart >= 0 && shared->restart <= shared->step) ||
		state_damaged(fault, "step");
}

bool search_restore(struct search *s, const struct state *in, struct fault *fault)
{
	struct state_array array[SOURCE_ARRAYS];
	struct texts same = {.in = in, .fault = fault, .ok = true};
	if (!state_part_check(in, "search", state_get(in, "part.lanes") ? VERSION_LANES : VERSION, fault))
		return false;
	if (!compare_slots(s, in, fault))
		return false;
	each_identity(s, compare_text, &same);
	if (!same.ok || !state_part_check(in, s->source->kind->name, SOURCE_VERSION, fault) || !lanes_restore(s, in, fault) ||
		!restore_settings(s, in, fault) || !restore_numbers(s, in, fault) ||
		!state_read_arrays(in, array, list_arrays(s, array), "network.", fault))
		return false;
	for (struct lane *lane = NULL; (lane = lanes_next_kept(s, lane));)
		if (!lane_restore(lane, in, fault))
			return false;
	if (!lanes_restore_common(s, in, fault) || !front_restore(&s->front, s->lane, in, fault) ||
		!strain_restore(&s->strain, in, fault) || !polish_restore(&s->polish, s->source, in, fault))
		return false;
	if (!lanes_used(s)) { // all steps were the one lane's
		s->lane[0].steps = s->shared.step;
		s->lane[0].loss = s->shared.step ? s->loss : (double)NAN;
		s->lane[0].accuracy = s->shared.step ? s->accuracy : (double)NAN;
	}
	char digest[64];
	digest_of(s, digest, sizeof digest);
	const char *recorded = state_get(in, "digest");
	return (recorded && strcmp(recorded, digest) == 0) || state_damaged(fault, "digest");
}

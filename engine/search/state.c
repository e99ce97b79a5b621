// SPDX-License-Identifier: GPL-3.0-or-later
// A search's state as named arrays and texts, and its digest.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/state/state.h"

bool state_sound(const struct state *s, struct fault *fault)
{
	// What records the past, or scores it, may hold numbers that never were.
	static const char *const lives_on[] = {"network.", "policy.", "last."};
	static const char *const numbers[] = {"baseline", "loss", "accuracy", "quality", "reward", "advantage"};
	for (int i = 0; i < s->tensors; i++) {
		const struct state_tensor *t = &s->tensor[i];
		bool matters = false;
		for (size_t k = 0; k < sizeof lives_on / sizeof *lives_on; k++)
			matters |= strncmp(t->name, lives_on[k], strlen(lives_on[k])) == 0;
		const float *x = t->data;
		for (size_t k = 0; matters && t->type == STATE_F32 && k < t->bytes / sizeof *x; k++)
			if (!isfinite(x[k]))
				return fault_set(fault, t->name, "take the last change back with `undo`, or begin a new session with smaller rates",
					"its number %zu is %f: the search has gone wrong, and this state is not saved", k + 1, (double)x[k]);
	}
	for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
		const char *text = state_get(s, numbers[k]);
		if (text && !isfinite(strtod(text, NULL)))
			return fault_set(fault, numbers[k], "take the last change back with `undo`, or begin a new session with smaller rates",
				"it is %s: the search has gone wrong, and this state is not saved", text);
	}
	return true;
}

enum { VERSION = 1 };

// ---- what a search keeps ----

// All float arrays of a search under their names.
struct kept {
	char name[32];
	float *data;
	long count;
};
enum { KEPT = NETWORK_ARRAYS + POLICY_ARRAYS };

static void list_policy(struct policy *policy, const char *prefix, struct kept kept[POLICY_ARRAYS])
{
	struct policy_array p[POLICY_ARRAYS];
	policy_arrays(policy, p);
	for (int i = 0; i < POLICY_ARRAYS; i++) {
		kept[i] = (struct kept){.data = p[i].data, .count = p[i].count};
		snprintf(kept[i].name, sizeof kept->name, "%s%s", prefix, p[i].name);
	}
}

static int list_kept(struct search *s, struct kept kept[KEPT])
{
	struct network_array n[NETWORK_ARRAYS];
	int arrays = s->network ? network_arrays(s->network, n) : 0;
	for (int i = 0; i < arrays; i++) {
		kept[i] = (struct kept){.data = n[i].data, .count = n[i].count};
		snprintf(kept[i].name, sizeof kept[i].name, "network.%s", n[i].name);
	}
	list_policy(s->policy, "policy.", kept + arrays);
	return arrays + POLICY_ARRAYS;
}

// Numbers that are state beside the arrays.
struct number {
	const char *name;
	long *whole;
	double *real;
	bool *flag;
	bool rare; // kept only where it is not 0
};
enum { NUMBERS = 12, LAST_NUMBERS = 3, TERM_NUMBERS = 4 };

static void list_numbers(struct search *s, struct number numbers[NUMBERS])
{
	memcpy(numbers, (struct number[NUMBERS]){
		{"restart", .whole = &s->restart, .rare = true},
		{"step", .whole = &s->step}, {"horizon", .whole = &s->horizon},
		{"moves", .whole = policy_moves(s->policy)},
		{"baseline", .real = &s->baseline}, {"has_baseline", .flag = &s->has_baseline},
		{"loss", .real = &s->loss}, {"accuracy", .real = &s->accuracy}, {"quality", .real = &s->quality},
		{"reward", .real = &s->reward}, {"advantage", .real = &s->advantage}, {"has_quality", .flag = &s->has_quality},
	}, NUMBERS * sizeof *numbers);
}

// Of what there was after the last step, where changes were made since.
static void list_last_numbers(struct last *l, struct number numbers[LAST_NUMBERS])
{
	memcpy(numbers, (struct number[LAST_NUMBERS]){
		{"last.moves", .whole = policy_moves(l->policy)},
		{"last.baseline", .real = &l->baseline}, {"last.has_baseline", .flag = &l->has_baseline},
	}, LAST_NUMBERS * sizeof *numbers);
}

static void list_last_term(struct last *l, int t, struct number numbers[TERM_NUMBERS])
{
	memcpy(numbers, (struct number[TERM_NUMBERS]){
		{"last.sampled", .real = &l->term[t].sampled}, {"last.expected", .real = &l->expected[t]},
		{"last.low", .real = &l->term[t].low}, {"last.high", .real = &l->term[t].high},
	}, TERM_NUMBERS * sizeof *numbers);
}

// `of`: what stands behind the name and a dot; NULL: nothing.
static const char *number_key(const struct number *n, const char *of, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", n->name, of ? "." : "", of ? of : "");
	return buf;
}

static bool save_numbers(struct state *out, const struct number *n, int count, const char *of)
{
	char key[2 * ENGINE_NAME];
	bool ok = true;
	for (int i = 0; i < count; i++, n++) {
		number_key(n, of, key, sizeof key);
		if (n->whole)
			ok = ok && ((n->rare && !*n->whole) || state_say(out, key, "%ld", *n->whole));
		else
			ok = ok && (n->real ? state_say(out, key, "%.17g", *n->real) : state_say(out, key, "%d", *n->flag));
	}
	return ok;
}

// CRC-32s of the weights, of the optimizer's arrays, and of the policy with its masks.
static void digest_of(struct search *s, char *buf, size_t size)
{
	struct kept kept[KEPT];
	int all = list_kept(s, kept);
	uLong part[3] = {crc32(0, NULL, 0), crc32(0, NULL, 0), crc32(0, NULL, 0)};
	for (int i = 0; i < all; i++) {
		uLong *p = &part[i >= all - POLICY_ARRAYS ? 2 : i > 0];
		*p = crc32_z(*p, (const Bytef *)kept[i].data, (size_t)kept[i].count * sizeof(float));
	}
	const struct partition *p = s->partition;
	part[2] = crc32_z(part[2], (const Bytef *)p->allowed, (size_t)s->space->slots * sizeof *p->allowed);
	part[2] = crc32_z(part[2], (const Bytef *)p->decision_of, (size_t)s->space->slots * sizeof *p->decision_of);
	snprintf(buf, size, "%08lx%08lx%08lx", part[0], part[1], part[2]);
}

// What must be the same for a state to fit, each under its name.
static void each_identity(const struct search *s, knobs_visit *each, void *context)
{
	const struct slot *slot = &s->space->slot[0];
	char text[ENGINE_TEXT];
	size_t used = 0;
	each("net", s->model->name, context);
	for (int o = 0; o < slot->options && used < sizeof text; o++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", o ? "," : "", format_table[slot->format[o]].name);
	each("space", text, context);
	static const char *const fixed[] = {"seed", "batch", "steps", "warmup", "rate-warmup", "augment", "optimizer", "ema"};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		knobs_get(&s->knobs, fixed[i], text, sizeof text);
		each(fixed[i], text, context);
	}
	if (!s->data) {
		each("sensitivity", s->knobs.sensitivity, context);
		return;
	}
	snprintf(text, sizeof text, "%dx%dx%d/%d, %08x", s->data->h, s->data->w, s->data->c, s->data->classes, s->data->fingerprint);
	each("images", text, context);
}

// A visit that writes what it is given as texts with a prefix, or reads these back.
struct texts {
	const char *prefix;
	struct state *out;
	const struct state *in;
	struct knobs *knobs;
	struct fault *fault;
	bool ok;
};

static void say_text(const char *name, const char *value, void *context)
{
	struct texts *t = context;
	char key[ENGINE_NAME + 16];
	snprintf(key, sizeof key, "%s.%s", t->prefix, name);
	t->ok = t->ok && state_say(t->out, key, "%s", value);
}

static void save_knobs(const struct knobs *knobs, const char *prefix, struct state *out, bool *ok)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = *ok};
	knobs_each(knobs, true, say_text, &texts);
	*ok = texts.ok;
}

enum { FIELDS = 5 };

// The points of a front, or the candidates of a scoring under way, of which the first `scored` have their numbers.
static bool save_points(const struct search *s, struct state *out, const char *name, const struct point *point, int64_t n)
{
	char key[ENGINE_NAME];
	int64_t slots = s->space->slots;
	float *numbers = calloc((size_t)n + 1, FIELDS * sizeof *numbers);
	uint8_t *choices = calloc((size_t)n + 1, (size_t)slots);
	for (int64_t i = 0; numbers && choices && i < n; i++) {
		const struct point *p = &point[i];
		memcpy(numbers + i * FIELDS, (float[FIELDS]){(float)p->origin, p->accuracy, p->loss, (float)p->step, p->dominated},
			FIELDS * sizeof *numbers);
		memcpy(choices + i * slots, p->choice, (size_t)slots);
	}
	bool ok = numbers && choices;
	snprintf(key, sizeof key, "%s.numbers", name);
	ok = ok && state_add(out, key, STATE_F32, 2, (int64_t[]){n, FIELDS}, numbers);
	snprintf(key, sizeof key, "%s.choices", name);
	ok = ok && state_add(out, key, STATE_U8, 2, (int64_t[]){n, slots}, choices);
	free(numbers);
	free(choices);
	return ok;
}

static bool save_front(const struct search *s, struct state *out)
{
	const struct front *f = &s->front;
	bool ok = save_points(s, out, "front", f->point, f->points) &&
		save_points(s, out, "candidates", f->candidate, f->scoring ? f->candidates : 0) &&
		state_say(out, "scored", "%d", f->scoring ? f->next : 0);
	if (f->scoring)
		save_knobs(&f->knobs, "front.set", out, &ok);
	return ok;
}

static bool save_partition(const struct partition *p, const char *prefix, struct state *out)
{
	char name[SPACE_NAME + 16];
	bool ok = true;
	for (int g = 0; g < p->groups; g++) {
		snprintf(name, sizeof name, "%sgroup.%s", prefix, p->group[g].name);
		ok = ok && state_say(out, name, "%s", p->group[g].pattern);
	}
	int64_t *allowed = malloc((size_t)p->space->slots * sizeof *allowed);
	for (int i = 0; allowed && i < p->space->slots; i++)
		allowed[i] = p->allowed[i];
	snprintf(name, sizeof name, "%sallowed", prefix);
	ok = ok && allowed && state_add(out, name, STATE_I64, 1, (int64_t[]){p->space->slots}, allowed);
	free(allowed);
	return ok;
}

static bool save_settings(const struct knobs *knobs, const char *prefix, struct state *out)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = true};
	knobs_each(knobs, true, say_text, &texts);
	knobs_each_term(knobs, say_text, &texts);
	return texts.ok;
}

static bool save_kept(struct state *out, const struct kept *kept, int count, struct fault *fault)
{
	for (int i = 0; i < count; i++) {
		for (long k = 0; k < kept[i].count; k++)
			if (!isfinite(kept[i].data[k]))
				return fault_set(fault, "checkpoint", "open the one before, or take back what led there",
					"%s holds something that is not a number: it is not saved", kept[i].name);
		if (!state_add(out, kept[i].name, STATE_F32, 1, (int64_t[]){kept[i].count}, kept[i].data))
			return fault_memory(fault, "checkpoint");
	}
	return true;
}

static bool save_last(struct search *s, struct state *out, struct fault *fault)
{
	struct last *l = &s->last;
	struct kept kept[POLICY_ARRAYS];
	struct number number[LAST_NUMBERS], of_term[TERM_NUMBERS];
	list_policy(l->policy, "last.", kept);
	list_last_numbers(l, number);
	bool ok = state_say(out, "last.terms", "%d", l->terms) && save_settings(&l->knobs, "last.set", out) &&
		save_numbers(out, number, LAST_NUMBERS, NULL) && save_partition(l->partition, "last.", out);
	for (int t = 0; t < l->terms; t++) {
		list_last_term(l, t, of_term);
		ok = ok && save_numbers(out, of_term, TERM_NUMBERS, l->term[t].name);
	}
	return ok ? save_kept(out, kept, POLICY_ARRAYS, fault) : fault_memory(fault, "checkpoint");
}

bool search_save(struct search *s, struct state *out, struct fault *fault)
{
	struct kept kept[KEPT];
	struct number number[NUMBERS];
	char text[ENGINE_TEXT * 2];
	int all = list_kept(s, kept);
	list_numbers(s, number);
	struct texts same = {.prefix = "identity", .out = out, .ok = true};
	each_identity(s, say_text, &same);
	bool ok = same.ok && state_part(out, "search", VERSION) && state_say(out, "kernels", "%s", s->info.kernels);
	digest_of(s, text, sizeof text);
	ok = ok && state_say(out, "digest", "%s", text);
	ok = ok && save_numbers(out, number, NUMBERS, NULL);
	for (int t = 0; t < s->terms; t++) {
		snprintf(text, sizeof text, "term.%d", t);
		ok = ok && state_say(out, text, "%s", s->term[t].name);
		snprintf(text, sizeof text, "sampled.%s", s->term[t].name);
		ok = ok && state_say(out, text, "%.17g", s->term[t].sampled);
	}
	ok = ok && save_settings(&s->knobs, "set", out) && save_partition(s->partition, "", out) && save_front(s, out);
	if (!ok)
		return fault_memory(fault, "checkpoint");
	return save_kept(out, kept, all, fault) && (!s->last.kept || save_last(s, out, fault));
}

// ---- restoring ----

static bool read_numbers(const struct state *in, const struct number *n, int count, const char *of, struct fault *fault)
{
	char key[2 * ENGINE_NAME];
	for (int i = 0; i < count; i++, n++) {
		double value = 0;
		number_key(n, of, key, sizeof key);
		if (!(n->rare && !state_get(in, key)) && !state_real(in, key, &value))
			return state_damaged(fault, key);
		if (n->whole)
			*n->whole = state_get(in, key) ? strtol(state_get(in, key), NULL, 10) : 0;
		else if (n->real)
			*n->real = value;
		else
			*n->flag = value != 0;
	}
	return true;
}

static bool restore_numbers(struct search *s, const struct state *in, struct fault *fault)
{
	struct number number[NUMBERS];
	list_numbers(s, number);
	if (!read_numbers(in, number, NUMBERS, NULL, fault))
		return false;
	for (int t = 0; t < s->terms; t++) {
		char name[ENGINE_NAME + 16];
		snprintf(name, sizeof name, "sampled.%s", s->term[t].name);
		if (!state_real(in, name, &s->term[t].sampled))
			return state_damaged(fault, name);
	}
	if (s->step < 0 || s->step > s->horizon || s->horizon > SEARCH_HORIZON ||
	    s->restart < 0 || s->restart > s->step || *policy_moves(s->policy) < 0 || !isfinite(s->baseline))
		return state_damaged(fault, "step");
	return true;
}

static void read_text(const char *name, const char *value, void *context)
{
	struct texts *t = context;
	char key[ENGINE_NAME + 16];
	(void)value; // what it was before
	snprintf(key, sizeof key, "%s.%s", t->prefix, name);
	const char *text = state_get(t->in, key);
	t->ok = t->ok && (text ? knobs_set(t->knobs, name, text, true, t->fault) : state_damaged(t->fault, key));
}

static bool restore_knobs(struct knobs *knobs, const char *prefix, const struct state *in, struct fault *fault)
{
	struct texts texts = {.prefix = prefix, .in = in, .knobs = knobs, .fault = fault, .ok = true};
	knobs_each(knobs, true, read_text, &texts);
	return texts.ok;
}

// The terms in the order in which they came, with their settings.
static bool restore_settings(struct search *s, const struct state *in, struct fault *fault)
{
	struct knobs *k = &s->knobs;
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
	for (int t = 0; t < s->terms; t++) // those that the search began with
		if (t >= k->terms || strcmp(k->term[t].name, s->term[t].name) != 0)
			return state_damaged(fault, "term");
	struct texts texts = {.prefix = "set", .in = in, .knobs = k, .fault = fault, .ok = true};
	knobs_each(k, true, read_text, &texts);
	knobs_each_term(k, read_text, &texts);
	return texts.ok && search_reprice(s, k, fault);
}

// Into p, which has no groups.
static bool restore_partition(const struct search *s, const struct state *in, const char *prefix, bool split, struct partition *p,
	struct fault *fault)
{
	char key[ENGINE_NAME];
	snprintf(key, sizeof key, "%sallowed", prefix);
	const struct state_tensor *t = state_find_as(in, key, STATE_I64, s->space->slots);
	if (!t)
		return state_damaged(fault, key);
	for (int i = 0; i < s->space->slots; i++) {
		int64_t mask = ((const int64_t *)t->data)[i];
		if (mask <= 0 || mask & ~(int64_t)space_all(s->space, i))
			return state_damaged(fault, key);
		p->allowed[i] = (uint32_t)mask;
	}
	p->split = split;
	snprintf(key, sizeof key, "%sgroup.", prefix);
	size_t n = strlen(key);
	for (int i = 0; i < in->texts; i++)
		if (strncmp(in->text[i].name, key, n) == 0 && !partition_group(p, in->text[i].name + n, in->text[i].value, fault))
			return false;
	return partition_settle(p, fault);
}

static bool restore_kept(const struct state *in, const struct kept *kept, int count, struct fault *fault)
{
	for (int i = 0; i < count; i++) {
		const struct state_tensor *t = state_find_as(in, kept[i].name, STATE_F32, kept[i].count);
		if (!t)
			return state_damaged(fault, kept[i].name);
		memcpy(kept[i].data, t->data, t->bytes);
		for (long k = 0; k < kept[i].count; k++)
			if (!isfinite(kept[i].data[k]))
				return fault_set(fault, "checkpoint", "open an earlier one", "%s holds something that is not a number", kept[i].name);
	}
	return true;
}

// What there was after the last step, where changes were made since.
static bool restore_last(struct search *s, const struct state *in, struct fault *fault)
{
	struct last *l = &s->last;
	struct kept kept[POLICY_ARRAYS];
	struct number number[LAST_NUMBERS], of_term[TERM_NUMBERS];
	double terms;
	if (!state_get(in, "last.terms"))
		return !state_find(in, "last.allowed") || state_damaged(fault, "last.terms");
	if (!state_real(in, "last.terms", &terms) || !(terms >= 0 && terms <= s->knobs.terms))
		return state_damaged(fault, "last.terms");
	l->knobs = s->knobs;
	l->terms = l->knobs.terms = (int)terms;
	struct texts texts = {.prefix = "last.set", .in = in, .knobs = &l->knobs, .fault = fault, .ok = true};
	knobs_each(&l->knobs, true, read_text, &texts);
	knobs_each_term(&l->knobs, read_text, &texts);
	if (!texts.ok || !search_price_terms(s, &l->knobs, l->term, fault) ||
	    !restore_partition(s, in, "last.", l->knobs.decide == DECIDE_SPLIT, l->partition, fault))
		return false;
	list_policy(l->policy, "last.", kept);
	list_last_numbers(l, number);
	if (!restore_kept(in, kept, POLICY_ARRAYS, fault) || !read_numbers(in, number, LAST_NUMBERS, NULL, fault))
		return false;
	for (int t = 0; t < l->terms; t++) {
		list_last_term(l, t, of_term);
		if (!read_numbers(in, of_term, TERM_NUMBERS, l->term[t].name, fault))
			return false;
	}
	if (*policy_moves(l->policy) < 0 || !isfinite(l->baseline))
		return state_damaged(fault, "last.moves");
	policy_refresh(l->policy);
	l->kept = true;
	return true;
}

// How many points there are; -1: they are damaged.
static int restore_points(struct search *s, const struct state *in, const char *name, struct point *point)
{
	char key[2][ENGINE_NAME];
	snprintf(key[0], sizeof key[0], "%s.numbers", name);
	snprintf(key[1], sizeof key[1], "%s.choices", name);
	const struct state_tensor *numbers = state_find(in, key[0]);
	int64_t n = numbers && numbers->rank == 2 ? numbers->shape[0] : -1, slots = s->space->slots;
	if (n < 0 || n > s->front.room)
		return -1;
	const struct state_tensor *choices = state_find_as(in, key[1], STATE_U8, n * slots);
	if (!choices || !state_find_as(in, key[0], STATE_F32, n * FIELDS))
		return -1;
	for (int i = 0; i < n; i++) {
		struct point *p = &point[i];
		const float *row = (const float *)numbers->data + i * FIELDS;
		const uint8_t *choice = (const uint8_t *)choices->data + i * slots;
		for (int64_t k = 0; k < slots; k++)
			if (choice[k] >= s->space->slot[k].options)
				return -1;
		memcpy(p->choice, choice, (size_t)slots);
		p->origin = row[0] < 0.5f ? POINT_MODAL : row[0] < 1.5f ? POINT_SAMPLED : POINT_UNIFORM;
		p->accuracy = row[1];
		p->loss = row[2];
		p->step = (long)row[3];
		p->dominated = row[4] > 0;
		search_costs(s, choice, p->cost);
		snprintf(p->label, sizeof p->label, "%s", p->origin == POINT_MODAL ? "modal" : p->origin == POINT_UNIFORM ?
			format_table[s->space->slot[0].format[choice[0]]].name : "");
	}
	return (int)n;
}

static bool restore_front(struct search *s, const struct state *in, struct fault *fault)
{
	struct front *f = &s->front;
	double scored;
	f->points = restore_points(s, in, "front", f->point);
	f->candidates = restore_points(s, in, "candidates", f->candidate);
	if (f->points < 0 || f->candidates < 0 || !state_real(in, "scored", &scored) || !(scored >= 0 && scored <= f->candidates))
		return state_damaged(fault, "front");
	f->next = (int)scored;
	f->scoring = f->candidates > 0;
	f->knobs = s->knobs;
	return !f->scoring || restore_knobs(&f->knobs, "front.set", in, fault);
}

static void compare_text(const char *name, const char *mine, void *context)
{
	struct texts *t = context;
	char key[ENGINE_NAME + 16];
	snprintf(key, sizeof key, "%s.%s", t->prefix, name);
	const char *theirs = state_get(t->in, key);
	if (t->ok && (!theirs || strcmp(theirs, mine) != 0))
		t->ok = fault_set(t->fault, "checkpoint", "open it with the settings it was made with",
			"it is of another search: its %s is %s, here it is %s", name, theirs ? theirs : "unknown", mine);
}

bool search_restore(struct search *s, const struct state *in, struct fault *fault)
{
	struct texts same = {.prefix = "identity", .in = in, .fault = fault, .ok = true};
	if (!state_part_check(in, "search", VERSION, fault))
		return false;
	each_identity(s, compare_text, &same);
	if (!same.ok || !restore_settings(s, in, fault) ||
	    !restore_partition(s, in, "", s->knobs.decide == DECIDE_SPLIT, s->wanted, fault))
		return false;
	search_rearrange(s);
	struct kept kept[KEPT];
	int all = list_kept(s, kept);
	if (!restore_kept(in, kept, all, fault))
		return false;
	policy_refresh(s->policy);
	if (!restore_numbers(s, in, fault) || !restore_front(s, in, fault) || !restore_last(s, in, fault))
		return false;
	char digest[64];
	digest_of(s, digest, sizeof digest);
	const char *recorded = state_get(in, "digest");
	return recorded && strcmp(recorded, digest) == 0 ? true : state_damaged(fault, "digest");
}

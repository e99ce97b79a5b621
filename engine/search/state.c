// SPDX-License-Identifier: GPL-3.0-or-later
// A search's state as named arrays and texts, and its digest.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/quant/format.h"
#include "engine/search/inside.h"

// ---- states ----

static size_t type_size(enum state_type t)
{
	static const size_t sizes[] = {[STATE_F32] = 4, [STATE_I64] = 8, [STATE_U8] = 1};
	return sizes[t];
}

bool state_add(struct state *s, const char *name, enum state_type type, int rank, const int64_t *shape, const void *data)
{
	struct state_tensor *room = realloc(s->tensor, (size_t)(s->tensors + 1) * sizeof *room);
	if (!room)
		return false;
	s->tensor = room;
	struct state_tensor t = {.type = type, .rank = rank, .bytes = type_size(type)};
	snprintf(t.name, sizeof t.name, "%s", name);
	for (int i = 0; i < rank; i++) {
		t.shape[i] = shape[i];
		t.bytes *= (size_t)shape[i];
	}
	if (!(t.data = malloc(t.bytes ? t.bytes : 1)))
		return false;
	memcpy(t.data, data, t.bytes);
	s->tensor[s->tensors++] = t;
	return true;
}

bool state_say(struct state *s, const char *name, const char *format, ...)
{
	struct state_text *room = realloc(s->text, (size_t)(s->texts + 1) * sizeof *room);
	if (!room)
		return false;
	s->text = room;
	struct state_text *t = &s->text[s->texts++];
	snprintf(t->name, sizeof t->name, "%s", name);
	va_list args;
	va_start(args, format);
	vsnprintf(t->value, sizeof t->value, format, args);
	va_end(args);
	return true;
}

const char *state_get(const struct state *s, const char *name)
{
	for (int i = 0; i < s->texts; i++)
		if (strcmp(s->text[i].name, name) == 0)
			return s->text[i].value;
	return NULL;
}

const struct state_tensor *state_find(const struct state *s, const char *name)
{
	for (int i = 0; i < s->tensors; i++)
		if (strcmp(s->tensor[i].name, name) == 0)
			return &s->tensor[i];
	return NULL;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->tensors; i++)
		free(s->tensor[i].data);
	free(s->tensor);
	free(s->text);
	free(s);
}

// ---- what a search keeps ----

// All float arrays of a search under their names.
struct kept {
	char name[32];
	float *data;
	long count;
};
enum { KEPT = NETWORK_ARRAYS + POLICY_ARRAYS };

static int list_kept(struct search *s, struct kept kept[KEPT])
{
	struct network_array n[NETWORK_ARRAYS];
	struct policy_array p[POLICY_ARRAYS];
	int arrays = network_arrays(s->network, n);
	policy_arrays(s->policy, p);
	for (int i = 0; i < arrays; i++) {
		kept[i] = (struct kept){.data = n[i].data, .count = n[i].count};
		snprintf(kept[i].name, sizeof kept[i].name, "network.%s", n[i].name);
	}
	for (int i = 0; i < POLICY_ARRAYS; i++) {
		kept[arrays + i] = (struct kept){.data = p[i].data, .count = p[i].count};
		snprintf(kept[arrays + i].name, sizeof kept->name, "policy.%s", p[i].name);
	}
	return arrays + POLICY_ARRAYS;
}

// Numbers that are state beside the arrays.
struct number {
	const char *name;
	long *whole;
	double *real;
	bool *flag;
};
enum { NUMBERS = 11 };

static void list_numbers(struct search *s, struct number numbers[NUMBERS])
{
	memcpy(numbers, (struct number[NUMBERS]){
		{"step", .whole = &s->step}, {"horizon", .whole = &s->horizon}, {"moves", .whole = policy_moves(s->policy)},
		{"baseline", .real = &s->baseline}, {"has_baseline", .flag = &s->has_baseline},
		{"loss", .real = &s->loss}, {"accuracy", .real = &s->accuracy}, {"quality", .real = &s->quality},
		{"reward", .real = &s->reward}, {"advantage", .real = &s->advantage}, {"has_quality", .flag = &s->has_quality},
	}, NUMBERS * sizeof *numbers);
}

// CRC-32s of the weights, of the optimizer's arrays, and of the policy with its masks.
static void digest_of(struct search *s, char *buf, size_t size)
{
	struct kept kept[KEPT];
	int all = list_kept(s, kept);
	uLong part[3] = {crc32(0, NULL, 0), crc32(0, NULL, 0), crc32(0, NULL, 0)};
	for (int i = 0; i < all; i++) {
		uLong *p = &part[i == 0 ? 0 : i < all - POLICY_ARRAYS ? 1 : 2];
		*p = crc32_z(*p, (const Bytef *)kept[i].data, (size_t)kept[i].count * sizeof(float));
	}
	part[2] = crc32_z(part[2], (const Bytef *)policy_allowed(s->policy), (size_t)s->space->decisions * sizeof(uint32_t));
	snprintf(buf, size, "%08lx%08lx%08lx", part[0], part[1], part[2]);
}

// What must be the same for a state to fit.
static void identity(const struct search *s, char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "%s %dx%dx%d/%d seed %ld batch %ld data %08x:", s->model->name, s->data->h, s->data->w,
		s->data->c, s->data->classes, s->knobs.seed, s->knobs.batch, s->data->fingerprint);
	for (int o = 0; o < s->space->decision[0].options && used < size; o++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", o ? "," : " ", format_table[s->space->decision[0].format[o]].name);
}

struct saying {
	struct state *state;
	bool ok;
};

static void say_setting(const char *name, const char *value, void *context)
{
	struct saying *s = context;
	char key[ENGINE_NAME + 8];
	snprintf(key, sizeof key, "set.%s", name);
	s->ok = s->ok && state_say(s->state, key, "%s", value);
}

static bool save_front(const struct search *s, struct state *out)
{
	enum { FIELDS = 5 + COST_TERMS };
	const struct front *f = &s->front;
	int64_t n = f->points, decisions = s->space->decisions;
	float *numbers = calloc((size_t)n + 1, FIELDS * sizeof *numbers);
	uint8_t *choices = calloc((size_t)n + 1, (size_t)decisions);
	for (int i = 0; numbers && choices && i < n; i++) {
		const struct point *p = &f->point[i];
		float *row = numbers + i * FIELDS;
		row[0] = (float)p->origin;
		row[1] = (float)p->accuracy;
		row[2] = (float)p->loss;
		row[3] = (float)p->step;
		row[4] = p->dominated;
		for (int t = 0; t < COST_TERMS; t++)
			row[5 + t] = (float)p->cost[t];
		memcpy(choices + i * decisions, p->choice, (size_t)decisions);
	}
	bool ok = numbers && choices &&
		state_add(out, "front.numbers", STATE_F32, 2, (int64_t[]){n, FIELDS}, numbers) &&
		state_add(out, "front.choices", STATE_U8, 2, (int64_t[]){n, decisions}, choices);
	free(numbers);
	free(choices);
	return ok;
}

bool search_save(struct search *s, struct state *out, struct fault *fault)
{
	struct kept kept[KEPT];
	struct number number[NUMBERS];
	char text[ENGINE_TEXT * 2];
	int all = list_kept(s, kept);
	list_numbers(s, number);
	identity(s, text, sizeof text);
	bool ok = state_say(out, "identity", "%s", text) && state_say(out, "kernels", "%s", s->info.kernels);
	digest_of(s, text, sizeof text);
	ok = ok && state_say(out, "digest", "%s", text);
	for (int i = 0; i < all; i++)
		ok = ok && state_add(out, kept[i].name, STATE_F32, 1, (int64_t[]){kept[i].count}, kept[i].data);
	for (int i = 0; i < NUMBERS; i++)
		ok = ok && (number[i].whole ? state_say(out, number[i].name, "%ld", *number[i].whole)
			: number[i].real ? state_say(out, number[i].name, "%.17g", *number[i].real)
			: state_say(out, number[i].name, "%d", *number[i].flag));
	for (int t = 0; t < COST_TERMS; t++) {
		snprintf(text, sizeof text, "sampled.%s", cost_table[t].name);
		ok = ok && state_say(out, text, "%.17g", s->sampled_cost[t]);
	}
	struct saying saying = {out, ok};
	knobs_each(&s->knobs, true, say_setting, &saying);
	ok = saying.ok;
	int64_t *allowed = malloc((size_t)s->space->decisions * sizeof *allowed);
	for (int d = 0; allowed && d < s->space->decisions; d++)
		allowed[d] = policy_allowed(s->policy)[d];
	ok = ok && allowed && state_add(out, "policy.allowed", STATE_I64, 1, (int64_t[]){s->space->decisions}, allowed) && save_front(s, out);
	free(allowed);
	return ok || fault_set(fault, "checkpoint", "close something else", "out of memory");
}

// ---- restoring ----

static bool damaged(struct fault *fault, const char *what)
{
	return fault_set(fault, "checkpoint", "open an earlier one", "%s is missing or does not fit", what);
}

static const struct state_tensor *find(const struct state *in, const char *name, enum state_type type, int64_t count)
{
	const struct state_tensor *t = state_find(in, name);
	return t && t->type == type && t->bytes == (size_t)count * type_size(type) ? t : NULL;
}

static bool restore_numbers(struct search *s, const struct state *in, struct fault *fault)
{
	struct number number[NUMBERS];
	list_numbers(s, number);
	for (int i = 0; i < NUMBERS; i++) {
		const char *text = state_get(in, number[i].name);
		char *end;
		double value = text ? strtod(text, &end) : 0;
		if (!text || end == text || *end)
			return damaged(fault, number[i].name);
		if (number[i].whole)
			*number[i].whole = strtol(text, NULL, 10);
		else if (number[i].real)
			*number[i].real = value;
		else
			*number[i].flag = value != 0;
	}
	for (int t = 0; t < COST_TERMS; t++) {
		char name[ENGINE_NAME];
		snprintf(name, sizeof name, "sampled.%s", cost_table[t].name);
		const char *text = state_get(in, name);
		if (text)
			s->sampled_cost[t] = strtod(text, NULL);
	}
	if (s->step < 0 || s->step > s->horizon || *policy_moves(s->policy) < 0)
		return damaged(fault, "step");
	return true;
}

static bool restore_settings(struct search *s, const struct state *in, struct fault *fault)
{
	for (int i = 0; i < in->texts; i++)
		if (strncmp(in->text[i].name, "set.", 4) == 0 && !knobs_set(&s->knobs, in->text[i].name + 4, in->text[i].value, true, fault))
			return false;
	for (int t = 0; t < COST_TERMS; t++)
		if (s->knobs.target[t][0] && !cost_target(t, s->model, s->widest[t], s->knobs.target[t], &s->target[t], fault))
			return false;
	return true;
}

static bool restore_front(struct search *s, const struct state *in, struct fault *fault)
{
	enum { FIELDS = 5 + COST_TERMS };
	const struct state_tensor *numbers = state_find(in, "front.numbers");
	int64_t n = numbers && numbers->rank == 2 ? numbers->shape[0] : -1, decisions = s->space->decisions;
	if (n < 0 || n > s->front.room)
		return damaged(fault, "front");
	const struct state_tensor *choices = find(in, "front.choices", STATE_U8, n * decisions);
	if (!choices || !find(in, "front.numbers", STATE_F32, n * FIELDS))
		return damaged(fault, "front");
	s->front.points = (int)n;
	for (int i = 0; i < n; i++) {
		struct point *p = &s->front.point[i];
		const float *row = (const float *)numbers->data + i * FIELDS;
		const uint8_t *choice = (const uint8_t *)choices->data + i * decisions;
		for (int d = 0; d < decisions; d++)
			if (choice[d] >= s->space->decision[d].options)
				return damaged(fault, "front");
		memcpy(p->choice, choice, (size_t)decisions);
		p->origin = row[0] < 0.5f ? POINT_MODAL : row[0] < 1.5f ? POINT_SAMPLED : POINT_UNIFORM;
		p->accuracy = (double)row[1];
		p->loss = (double)row[2];
		p->step = (long)row[3];
		p->dominated = row[4] > 0;
		search_costs(s, choice, p->cost);
		snprintf(p->label, sizeof p->label, "%s", p->origin == POINT_MODAL ? "modal" : p->origin == POINT_UNIFORM ?
			format_table[s->space->decision[0].format[choice[0]]].name : "");
	}
	return true;
}

bool search_restore(struct search *s, const struct state *in, struct fault *fault)
{
	char mine[ENGINE_TEXT * 2];
	identity(s, mine, sizeof mine);
	const char *theirs = state_get(in, "identity");
	if (!theirs || strcmp(mine, theirs) != 0)
		return fault_set(fault, "checkpoint", "open it with the settings it was made with", "it is of another search (%s), this is %s",
			theirs ? theirs : "unnamed", mine);
	struct kept kept[KEPT];
	int all = list_kept(s, kept);
	for (int i = 0; i < all; i++) {
		const struct state_tensor *t = find(in, kept[i].name, STATE_F32, kept[i].count);
		if (!t)
			return damaged(fault, kept[i].name);
		memcpy(kept[i].data, t->data, t->bytes);
	}
	const struct state_tensor *t = find(in, "policy.allowed", STATE_I64, s->space->decisions);
	if (!t)
		return damaged(fault, "policy.allowed");
	for (int d = 0; d < s->space->decisions; d++) {
		int64_t mask = ((const int64_t *)t->data)[d];
		if (mask <= 0 || mask >> s->space->decision[d].options)
			return damaged(fault, "policy.allowed");
		policy_allowed(s->policy)[d] = (uint32_t)mask;
	}
	policy_refresh(s->policy);
	if (!restore_numbers(s, in, fault) || !restore_settings(s, in, fault) || !restore_front(s, in, fault))
		return false;
	char digest[64];
	digest_of(s, digest, sizeof digest);
	const char *recorded = state_get(in, "digest");
	return recorded && strcmp(recorded, digest) == 0 ? true : damaged(fault, "digest");
}

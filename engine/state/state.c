// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/state/state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

// ---- arrays and texts ----

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

const struct state_tensor *state_find_as(const struct state *s, const char *name, enum state_type type, int64_t count)
{
	const struct state_tensor *t = state_find(s, name);
	return t && t->type == type && t->bytes == (size_t)count * type_size(type) ? t : NULL;
}

bool state_real(const struct state *s, const char *name, double *value)
{
	const char *text = state_get(s, name);
	char *end;
	*value = text ? strtod(text, &end) : 0;
	return text && end != text && !*end;
}

bool state_damaged(struct fault *fault, const char *what)
{
	return fault_set(fault, "checkpoint", "the one before it serves", "%s is missing or does not fit", what);
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

// ---- parts ----

static const char *part_key(const char *part, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "part.%s", part);
	return key;
}

bool state_part(struct state *s, const char *part, int version)
{
	char key[STATE_KEY];
	return state_say(s, part_key(part, key), "%d", version);
}

bool state_part_check(const struct state *s, const char *part, int version, struct fault *fault)
{
	char key[STATE_KEY];
	double theirs;
	if (!state_get(s, part_key(part, key)))
		return fault_set(fault, "checkpoint", "open it with the bitscape that made it, or begin a new session",
			"an older bitscape made it: it does not say in which form its %s is (this one reads form %d)", part,
			version);
	if (!state_real(s, key, &theirs))
		return state_damaged(fault, key);
	return theirs == version ||
		fault_set(fault, "checkpoint", "open it with the bitscape that made it, or begin a new session",
			"%s bitscape made it: its %s has form %g, and this one reads form %d",
			theirs < version ? "an older" : "a newer", part, theirs, version);
}

// ---- numbers ----

static const char *number_key(const struct state_number *n, const char *before, const char *behind, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "%s%s%s%s", before, n->name, behind ? "." : "", behind ? behind : "");
	return key;
}

bool state_say_numbers(struct state *s, const struct state_number *n, int count, const char *before, const char *behind)
{
	char key[STATE_KEY];
	bool ok = true;
	for (int i = 0; i < count; i++, n++) {
		number_key(n, before, behind, key);
		if (n->whole)
			ok = ok && ((n->rare && !*n->whole) || state_say(s, key, "%ld", *n->whole));
		else
			ok = ok && (n->real ? state_say(s, key, "%.17g", *n->real) : state_say(s, key, "%d", *n->flag));
	}
	return ok;
}

bool state_read_numbers(const struct state *s, const struct state_number *n, int count, const char *before, const char *behind,
	struct fault *fault)
{
	char key[STATE_KEY];
	for (int i = 0; i < count; i++, n++) {
		double value = 0;
		const char *text = state_get(s, number_key(n, before, behind, key));
		if (!(n->rare && !text) && !state_real(s, key, &value))
			return state_damaged(fault, key);
		if (n->whole)
			*n->whole = text ? strtol(text, NULL, 10) : 0;
		else if (n->real)
			*n->real = value;
		else
			*n->flag = value != 0;
	}
	return true;
}

// ---- arrays of floats that live elsewhere ----

static bool all_finite(const float *x, long count)
{
	for (long i = 0; i < count; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

static const char *array_key(const struct state_array *a, const char *before, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "%s%s", before, a->name);
	return key;
}

bool state_add_arrays(struct state *s, const struct state_array *a, int count, const char *before, struct fault *fault)
{
	char key[STATE_KEY];
	for (int i = 0; i < count; i++, a++) {
		array_key(a, before, key);
		if (!all_finite(a->data, a->count))
			return fault_set(fault, "checkpoint", "open the one before, or take back what led there",
				"%s holds something that is not a number: it is not saved", key);
		if (!state_add(s, key, STATE_F32, 1, (int64_t[]){a->count}, a->data))
			return fault_memory(fault, "checkpoint");
	}
	return true;
}

bool state_read_arrays(const struct state *s, const struct state_array *a, int count, const char *before, struct fault *fault)
{
	char key[STATE_KEY];
	for (int i = 0; i < count; i++, a++) {
		const struct state_tensor *t = state_find_as(s, array_key(a, before, key), STATE_F32, a->count);
		if (!t)
			return state_damaged(fault, key);
		if (!all_finite(t->data, a->count))
			return fault_set(fault, "checkpoint", "open an earlier one", "%s holds something that is not a number",
				key);
		memcpy(a->data, t->data, t->bytes);
	}
	return true;
}

unsigned long state_sum(unsigned long crc, const struct state_array *a, int count)
{
	for (int i = 0; i < count; i++)
		crc = crc32_z(crc, (const Bytef *)a[i].data, (size_t)a[i].count * sizeof *a[i].data);
	return crc;
}

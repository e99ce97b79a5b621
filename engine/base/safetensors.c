// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"

static const size_t most_bytes = (size_t)8 << 30;
enum { PREFIX = 8, MOST_HEADER = 100000000 }; // the format's own limit

static const char again[] = "fetch or export it again: it is not a safetensors file by the format's rules";

static const struct kind {
	const char *type;
	int bits;
	bool floats;
} kinds[] = {{"F64", 64, true}, {"F32", 32, true}, {"F16", 16, true}, {"BF16", 16, true}, {"I64", 64, false}, {"U64", 64, false},
	{"I32", 32, false}, {"U32", 32, false}, {"I16", 16, false}, {"U16", 16, false}, {"I8", 8, false}, {"U8", 8, false},
	{"BOOL", 8, false}, {"F8_E4M3", 8, false}, {"F8_E5M2", 8, false}, {"F8_E8M0", 8, false}, {"C64", 64, false},
	{"F4", 4, false}, {"F6_E2M3", 6, false}, {"F6_E3M2", 6, false}};

static const struct kind *kind_of(const char *type)
{
	for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

// ---- reading ----

static bool refuse(const struct safetensors *s, const char *name, const char *what, struct fault *f)
{
	char where[256];
	snprintf(where, sizeof where, "%.150s: %.100s", s->path, name);
	return fault_set(f, where, again, "%s", what);
}

static bool read_shape(const struct safetensors *s, struct safetensor *t, json_t *shape, struct fault *f)
{
	t->rank = (int)json_array_size(shape);
	t->count = 1;
	if (!json_is_array(shape) || json_array_size(shape) > SAFETENSOR_RANK)
		return refuse(s, t->name, "its shape is not a list of up to 8 sizes", f);
	for (int i = 0; i < t->rank; i++) {
		json_t *size = json_array_get(shape, (size_t)i);
		json_int_t n = json_integer_value(size);
		if (!json_is_integer(size) || n < 0 || n > (json_int_t)most_bytes || (n && t->count > (long)most_bytes / n))
			return refuse(s, t->name, "a size in its shape is out of range", f);
		t->size[i] = (long)n;
		t->count *= (long)n;
	}
	return true;
}

static bool read_tensor(const struct safetensors *s, const uint8_t *data, size_t bytes, const char *name, json_t *value,
	struct safetensor *t, struct fault *f)
{
	json_t *type = json_object_get(value, "dtype"), *offsets = json_object_get(value, "data_offsets"),
	       *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
	const struct kind *kind = kind_of(json_string_value(type));
	t->name = name;
	if (!kind)
		return refuse(s, name, "its dtype is not one of the format", f);
	if (!read_shape(s, t, json_object_get(value, "shape"), f))
		return false;
	if (json_array_size(offsets) != 2 || !json_is_integer(from) || !json_is_integer(to))
		return refuse(s, name, "its data_offsets are not two whole numbers", f);
	json_int_t begin = json_integer_value(from), end = json_integer_value(to);
	if (begin < 0 || end < begin || end > (json_int_t)bytes)
		return refuse(s, name, "its data_offsets lie outside of the file", f);
	if ((end - begin) * 8 != (json_int_t)t->count * kind->bits)
		return refuse(s, name, "its data_offsets do not agree with its shape and dtype", f);
	t->type = kind->type;
	t->floats = kind->floats;
	t->bytes = data + begin;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct safetensor *x = a, *y = b;
	return x->bytes != y->bytes ? (x->bytes > y->bytes) - (x->bytes < y->bytes)
				    : (x->count > y->count) - (x->count < y->count);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct safetensor *)a)->name, ((const struct safetensor *)b)->name);
}

// Each begins where the one before it ends, the first at the first byte and the last to the last.
static bool check_places(struct safetensors *s, const uint8_t *data, size_t bytes, struct fault *f)
{
	const uint8_t *at = data;
	qsort(s->tensor, (size_t)s->count, sizeof *s->tensor, by_place);
	for (int i = 0; i < s->count; i++) {
		const struct safetensor *t = &s->tensor[i];
		if (t->bytes != at)
			return refuse(s, t->name, "its numbers leave a gap or lie over another's", f);
		at += (size_t)t->count * (size_t)kind_of(t->type)->bits / 8;
	}
	return at == data + bytes ||
		fault_set(f, s->path, again, "%zu bytes behind the last array belong to none", (size_t)(data + bytes - at));
}

static bool read_tensors(struct safetensors *s, const uint8_t *data, size_t bytes, struct fault *f)
{
	const char *name;
	json_t *value;
	s->tensor = calloc(json_object_size(s->header) + 1, sizeof *s->tensor);
	if (!s->tensor)
		return fault_memory(f, s->path);
	json_object_foreach(s->header, name, value)
	{
		if (strcmp(name, "__metadata__") == 0)
			continue;
		if (!read_tensor(s, data, bytes, name, value, &s->tensor[s->count], f))
			return false;
		s->count++;
	}
	if (!check_places(s, data, bytes, f))
		return false;
	qsort(s->tensor, (size_t)s->count, sizeof *s->tensor, by_name);
	return true;
}

static bool read_file(struct safetensors *s, const char *path, struct fault *f)
{
	size_t size;
	uint64_t header = 0;
	json_error_t error;
	if (!(s->path = strdup(path)))
		return fault_memory(f, path);
	if (!(s->bytes = disk_read(path, most_bytes, &size, f)))
		return false;
	const uint8_t *bytes = (const uint8_t *)s->bytes;
	for (int i = PREFIX - 1; i >= 0 && size >= PREFIX; i--)
		header = header << 8 | bytes[i];
	if (size < PREFIX || header > MOST_HEADER || header > size - PREFIX)
		return fault_set(f, path, again, "truncated or of another kind: %zu bytes cannot hold its header", size);
	if (!header || bytes[PREFIX] != '{')
		return fault_set(f, path, again, "its header is not an object of JSON");
	s->header = json_loadb(s->bytes + PREFIX, (size_t)header, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object((json_t *)s->header))
		return fault_set(f, path, again, "its header: %s", s->header ? "not an object" : error.text);
	return read_tensors(s, bytes + PREFIX + header, size - PREFIX - (size_t)header, f);
}

struct safetensors *safetensors_read(const char *path, struct fault *f)
{
	struct safetensors *s = calloc(1, sizeof *s);
	if (!s)
		fault_memory(f, path);
	else if (read_file(s, path, f))
		return s;
	safetensors_free(s);
	return NULL;
}

void safetensors_free(struct safetensors *s)
{
	if (!s)
		return;
	json_decref(s->header);
	free(s->tensor);
	free(s->bytes);
	free(s->path);
	free(s);
}

const struct safetensor *safetensors_find(const struct safetensors *s, const char *name)
{
	const struct safetensor key = {.name = name};
	return bsearch(&key, s->tensor, (size_t)s->count, sizeof key, by_name);
}

const char *safetensors_says(const struct safetensors *s, const char *key)
{
	return json_string_value(json_object_get(json_object_get(s->header, "__metadata__"), key));
}

// ---- numbers ----

static uint64_t little(const uint8_t *bytes, int count)
{
	uint64_t value = 0;
	for (int i = count - 1; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

static float from_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static float from_half(uint32_t half)
{
	uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023;
	if (exponent == 31)
		return from_bits(sign | 0x7f800000 | mantissa << 13);
	if (exponent)
		return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
	float small = (float)mantissa * 0x1p-24f;
	return sign ? -small : small;
}

void safetensor_floats(const struct safetensor *t, float *to)
{
	const int bytes = kind_of(t->type)->bits / 8;
	const bool brain = t->type[0] == 'B';
	for (long i = 0; i < t->count; i++) {
		uint64_t bits = little(t->bytes + i * bytes, bytes);
		double wide;
		memcpy(&wide, &bits, sizeof wide);
		to[i] = bytes == 8   ? (float)wide
			: bytes == 4 ? from_bits((uint32_t)bits)
			: brain      ? from_bits((uint32_t)bits << 16)
				     : from_half((uint32_t)bits);
	}
}

// ---- writing ----

static json_t *header_of(const struct safetensor_out *tensor, int count, const char *const *metadata, size_t *bytes)
{
	json_t *header = json_object(), *texts = json_object();
	*bytes = 0;
	for (; *metadata; metadata += 2)
		json_object_set_new(texts, metadata[0], json_string(metadata[1]));
	json_object_set_new(header, "__metadata__", texts);
	for (int i = 0; i < count; i++) {
		const struct safetensor_out *t = &tensor[i];
		json_t *shape = json_array();
		size_t size = sizeof(float);
		for (int k = 0; k < t->rank; k++) {
			json_array_append_new(shape, json_integer(t->size[k]));
			size *= (size_t)t->size[k];
		}
		json_object_set_new(header, t->name,
			json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)*bytes,
				(json_int_t)(*bytes + size)));
		*bytes += size;
	}
	return header;
}

static void put_little(uint64_t value, int count, uint8_t *to)
{
	for (int i = 0; i < count; i++, value >>= 8)
		to[i] = (uint8_t)value;
}

// The header is filled up with blanks to a multiple of eight bytes, so that the numbers lie straight.
bool safetensors_write(const char *path, const struct safetensor_out *tensor, int count, const char *const *metadata,
	struct fault *f)
{
	size_t bytes;
	json_t *header = header_of(tensor, count, metadata, &bytes);
	char *text = header ? json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	size_t length = text ? strlen(text) : 0, padded = (length + 7) / 8 * 8;
	uint8_t *file = text && json_object_size(header) == (size_t)count + 1 ? malloc(PREFIX + padded + bytes + 1) : NULL;
	bool ok = file || fault_memory(f, path);
	if (ok) {
		put_little(padded, PREFIX, file);
		memcpy(file + PREFIX, text, length);
		memset(file + PREFIX + length, ' ', padded - length);
		uint8_t *at = file + PREFIX + padded;
		for (int i = 0; i < count; i++) {
			long numbers = 1;
			for (int k = 0; k < tensor[i].rank; k++)
				numbers *= tensor[i].size[k];
			for (long n = 0; n < numbers; n++, at += sizeof(float)) {
				uint32_t bits;
				memcpy(&bits, &tensor[i].numbers[n], sizeof bits);
				put_little(bits, sizeof(float), at);
			}
		}
		ok = disk_replace(path, file, PREFIX + padded + bytes, f);
	}
	json_decref(header);
	free(text);
	free(file);
	return ok;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Tensors from their messages, and from files of external data. Numbers of every kind become float32 or int64.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "engine/onnx/inside.h"

static const char damaged[] = "export it again, and check it with onnx.checker";

// ---- kinds of numbers, by their number in TensorProto.DataType ----

static double as_float(uint64_t bits)
{
	return (double)wire_float(bits);
}

static double as_double(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static double as_half(uint64_t bits)
{
	int sign = bits >> 15 & 1, exponent = bits >> 10 & 31, rest = bits & 1023;
	double value = exponent == 31 ? (rest ? (double)NAN : (double)INFINITY)
		: exponent            ? ldexp(1024 + rest, exponent - 25)
				      : ldexp(rest, -24);
	return sign ? -value : value;
}

static double as_bfloat(uint64_t bits)
{
	return (double)wire_float((bits & 0xffff) << 16);
}

static double as_signed8(uint64_t bits)
{
	return (double)(int8_t)bits;
}

static double as_signed16(uint64_t bits)
{
	return (double)(int16_t)bits;
}

static double as_signed32(uint64_t bits)
{
	return (double)(int32_t)bits;
}

static double as_unsigned(uint64_t bits)
{
	return (double)bits;
}

static double as_signed64(uint64_t bits)
{
	return (double)(int64_t)bits;
}

// `field`: where the numbers stand if they are not raw.
static const struct element {
	size_t bytes; // 0: not read
	bool floating;
	uint32_t field;
	enum wire_type wire;
	double (*value)(uint64_t bits);
	const char *name;
} elements[] = {
	[1] = {4, true, 4, WIRE_FIXED32, as_float, "float32"},
	[2] = {1, false, 5, WIRE_VARINT, as_unsigned, "uint8"},
	[3] = {1, false, 5, WIRE_VARINT, as_signed8, "int8"},
	[4] = {2, false, 5, WIRE_VARINT, as_unsigned, "uint16"},
	[5] = {2, false, 5, WIRE_VARINT, as_signed16, "int16"},
	[6] = {4, false, 5, WIRE_VARINT, as_signed32, "int32"},
	[7] = {8, false, 7, WIRE_VARINT, as_signed64, "int64"},
	[8] = {0, false, 0, WIRE_BYTES, NULL, "text"},
	[9] = {1, false, 5, WIRE_VARINT, as_unsigned, "bool"},
	[10] = {2, true, 5, WIRE_VARINT, as_half, "float16"},
	[11] = {8, true, 10, WIRE_FIXED64, as_double, "float64"},
	[12] = {4, false, 11, WIRE_VARINT, as_unsigned, "uint32"},
	[13] = {8, false, 11, WIRE_VARINT, as_signed64, "uint64"},
	[16] = {2, true, 5, WIRE_VARINT, as_bfloat, "bfloat16"},
};
enum { ELEMENTS = sizeof elements / sizeof *elements };

bool onnx_floating(int element)
{
	return element > 0 && element < ELEMENTS && elements[element].floating;
}

static void put(struct tensor *t, const struct element *e, long i, uint64_t bits)
{
	if (t->type == TENSOR_FLOAT)
		t->f[i] = (float)e->value(bits);
	else
		t->i[i] = e->bytes == 8 ? (int64_t)bits : (int64_t)e->value(bits);
}

static void put_raw(struct tensor *t, const struct element *e, const uint8_t *raw)
{
	for (long i = 0; i < t->count; i++, raw += e->bytes) {
		uint64_t bits = 0;
		for (size_t k = 0; k < e->bytes; k++)
			bits |= (uint64_t)raw[k] << 8 * k;
		put(t, e, i, bits);
	}
}

// ---- external data ----

struct place {
	char name[DISK_PATH]; // of its file, within the folder
	uint64_t offset, length;
	bool has_length;
};

static bool read_place(struct wire entry, struct place *p)
{
	struct wire_field f;
	char key[16] = "", value[DISK_PATH] = "";
	while (wire_next(&entry, &f)) {
		size_t length = f.type == WIRE_BYTES ? wire_left(&f.bytes) : 0;
		if (f.number == 1 && length < sizeof key)
			memcpy(key, f.bytes.at, length), key[length] = 0;
		if (f.number != 2)
			continue;
		if (length >= sizeof value || memchr(f.bytes.at, 0, length))
			return false;
		memcpy(value, f.bytes.at, length);
		value[length] = 0;
	}
	if (strcmp(key, "location") == 0)
		memcpy(p->name, value, sizeof p->name);
	else if (strcmp(key, "offset") == 0)
		p->offset = strtoull(value, NULL, 10);
	else if (strcmp(key, "length") == 0) {
		p->length = strtoull(value, NULL, 10);
		p->has_length = true;
	}
	return true;
}

// A relative path without "..".
static bool stays_within(const char *name)
{
	if (!*name || *name == '/')
		return false;
	for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
			return false;
	return true;
}

static bool open_external(struct onnx_file *f, const char *name, struct complaint c)
{
	struct onnx_external *e = onnx_external(f);
	char path[2 * DISK_PATH], real[PATH_MAX], folder[PATH_MAX];
	const char *slash = strrchr(f->path, '/');
	size_t length = slash ? (size_t)(slash - f->path) + 1 : 0;
	if (e->fd >= 0 && strcmp(e->name, name) == 0)
		return true;
	if (!stays_within(name) || length >= DISK_PATH)
		return fault_set(c.fault, f->path, "its data must lie beside it",
			"it wants to read \"%.100s\", outside its folder", name);
	snprintf(path, sizeof path, "%.*s%s", (int)length, f->path, name);
	snprintf(e->name, DISK_PATH, "%s", name);
	if (e->fd >= 0)
		close(e->fd);
	e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (e->fd < 0)
		return disk_fault(c.fault, path, "open it, which has the network's weights", errno);
	// Nor may a link lead out of the folder.
	snprintf(path + length, sizeof path - length, ".");
	if (!realpath(path, folder))
		return disk_fault(c.fault, f->path, "find its folder", errno);
	snprintf(path + length, sizeof path - length, "%s", name);
	size_t within = strlen(folder);
	if (!realpath(path, real) || strncmp(real, folder, within) != 0 || (within > 1 && real[within] != '/')) {
		close(e->fd);
		e->fd = -1;
		return fault_set(c.fault, f->path, "its data must lie beside it", "\"%.100s\" leads out of its folder", name);
	}
	return true;
}

static uint8_t *read_external(struct onnx_file *f, const struct place *p, size_t size, struct complaint c)
{
	struct onnx_external *e = onnx_external(f);
	struct stat st;
	if (!open_external(f, p->name, c))
		return NULL;
	if (fstat(e->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || p->offset > (uint64_t)st.st_size ||
		size > (uint64_t)st.st_size - p->offset || (p->has_length && p->length != size)) {
		fault_set(c.fault, f->path, damaged, "\"%.60s\" does not hold the %zu bytes of %.60s", p->name, size, c.where);
		return NULL;
	}
	uint8_t *raw = malloc(size + 1);
	if (!raw) {
		fault_memory(c.fault, f->path);
		return NULL;
	}
	for (size_t have = 0; have < size;) {
		ssize_t n = pread(e->fd, raw + have, size - have, (off_t)(p->offset + have));
		if (n <= 0 && !(n < 0 && errno == EINTR)) {
			free(raw);
			disk_fault(c.fault, p->name, "read it", n < 0 ? errno : EIO);
			return NULL;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	return raw;
}

// ---- tensors ----

struct message {
	struct shape_of shape;
	uint64_t type;
	struct wire raw;
	bool has_raw, outside;
	struct place place;
};

static bool read_message(struct wire message, struct message *m)
{
	struct wire_field f;
	uint64_t size;
	while (wire_next(&message, &f)) {
		if (f.number == 1) {
			struct wire_series s = wire_series_of(&f);
			while (wire_series_next(&s, WIRE_VARINT, &size)) {
				if (m->shape.rank == TENSOR_RANK || size > INT_MAX)
					return false;
				m->shape.size[m->shape.rank++] = (long)size;
			}
		} else if (f.number == 2) {
			m->type = f.value;
		} else if (f.number == 9 && f.type == WIRE_BYTES) {
			m->raw = f.bytes;
			m->has_raw = true;
		} else if (f.number == 14) {
			m->outside = f.value == 1;
		} else if (f.number == 13 && !read_place(f.bytes, &m->place)) {
			return false;
		}
	}
	return !message.bad;
}

static bool put_listed(struct wire message, const struct element *e, struct tensor *t)
{
	struct wire_field f;
	uint64_t bits;
	long at = 0;
	while (wire_next(&message, &f))
		if (f.number == e->field) {
			struct wire_series s = wire_series_of(&f);
			while (wire_series_next(&s, e->wire, &bits)) {
				if (at == t->count)
					return false;
				put(t, e, at++, bits);
			}
			if (s.packed.bad)
				return false;
		}
	return at == t->count;
}

struct tensor *onnx_tensor(struct onnx_file *file, struct wire message, struct complaint c)
{
	struct message m = {0};
	if (!read_message(message, &m)) {
		fault_set(c.fault, file->path, damaged, "the tensor %.100s is damaged", c.where);
		return NULL;
	}
	const struct element *e = m.type < ELEMENTS ? &elements[m.type] : NULL;
	if (!e || !e->bytes) {
		fault_set(c.fault, file->path, "export it with float32 weights", "the tensor %.100s has %s%s%llu", c.where,
			e && e->name ? e->name : "numbers", e && e->name ? ", type " : " of type ", (unsigned long long)m.type);
		return NULL;
	}
	// What it promises it must hold: a few bytes must not ask for all the memory there is.
	long count = shape_count(&m.shape);
	if (count > 0 && !m.outside && (size_t)count > wire_left(&message)) {
		fault_set(c.fault, file->path, damaged, "the tensor %.100s is shorter than its shape", c.where);
		return NULL;
	}
	uint8_t *outside = NULL;
	if (m.outside && (count < 0 || !(outside = read_external(file, &m.place, (size_t)count * e->bytes, c))))
		return count < 0 ? tensor_new(TENSOR_FLOAT, &m.shape, c) : NULL;
	struct tensor *t = tensor_stored(e->floating ? TENSOR_FLOAT : TENSOR_INT, &m.shape, c);
	bool ok = t != NULL;
	if (ok && outside)
		put_raw(t, e, outside);
	else if (ok && m.has_raw && wire_left(&m.raw) == (size_t)t->count * e->bytes)
		put_raw(t, e, m.raw.at);
	else if (ok && (m.has_raw || !put_listed(message, e, t)))
		ok = fault_set(c.fault, file->path, damaged, "the tensor %.100s does not have as many numbers as its shape",
			c.where);
	free(outside);
	if (ok) {
		t->given = true;
		return t;
	}
	tensor_free(t);
	return NULL;
}

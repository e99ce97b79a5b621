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

static double as_signed4(uint64_t bits)
{
	return (double)(int)((bits & 15) ^ 8) - 8;
}

static double as_signed2(uint64_t bits)
{
	return (double)(int)((bits & 3) ^ 2) - 2;
}

// A sign, exponent bits with this bias, mantissa bits; numbers beyond the finite ones are taken for NaN, which weights may not be.
static double as_small(unsigned bits, int exponents, int mantissas, int bias, unsigned most)
{
	unsigned rest = bits & ((1u << (exponents + mantissas)) - 1), exponent = rest >> mantissas,
		 mantissa = rest & ((1u << mantissas) - 1);
	double value = exponent ? ldexp((1 << mantissas) + (int)mantissa, (int)exponent - bias - mantissas)
				: ldexp((int)mantissa, 1 - bias - mantissas);
	return rest > most ? (double)NAN : bits >> (exponents + mantissas) & 1 ? -value : value;
}

static double as_e4m3(uint64_t bits)
{
	return as_small((unsigned)bits, 4, 3, 7, 0x7e);
}

static double as_e5m2(uint64_t bits)
{
	return as_small((unsigned)bits, 5, 2, 15, 0x7b);
}

static double as_e2m1(uint64_t bits)
{
	return as_small((unsigned)bits, 2, 1, 1, 7);
}

// `field`: where the numbers stand if they are not raw. Numbers of less than a byte are packed, the first in the lowest bits.
static const struct element {
	int bits; // 0: not read
	bool floating;
	uint32_t field;
	enum wire_type wire;
	double (*value)(uint64_t bits);
	const char *name;
	long low, high;
} elements[] = {
	[1] = {32, true, 4, WIRE_FIXED32, as_float, "float32", 0, 0},
	[2] = {8, false, 5, WIRE_VARINT, as_unsigned, "uint8", 0, UINT8_MAX},
	[3] = {8, false, 5, WIRE_VARINT, as_signed8, "int8", INT8_MIN, INT8_MAX},
	[4] = {16, false, 5, WIRE_VARINT, as_unsigned, "uint16", 0, UINT16_MAX},
	[5] = {16, false, 5, WIRE_VARINT, as_signed16, "int16", INT16_MIN, INT16_MAX},
	[6] = {32, false, 5, WIRE_VARINT, as_signed32, "int32", INT32_MIN, INT32_MAX},
	[7] = {64, false, 7, WIRE_VARINT, as_signed64, "int64", 0, 0},
	[8] = {0, false, 0, WIRE_BYTES, NULL, "text", 0, 0},
	[9] = {8, false, 5, WIRE_VARINT, as_unsigned, "bool", 0, 1},
	[10] = {16, true, 5, WIRE_VARINT, as_half, "float16", 0, 0},
	[11] = {64, true, 10, WIRE_FIXED64, as_double, "float64", 0, 0},
	[12] = {32, false, 11, WIRE_VARINT, as_unsigned, "uint32", 0, UINT32_MAX},
	[13] = {64, false, 11, WIRE_VARINT, as_signed64, "uint64", 0, 0},
	[16] = {16, true, 5, WIRE_VARINT, as_bfloat, "bfloat16", 0, 0},
	[17] = {8, true, 5, WIRE_VARINT, as_e4m3, "float8e4m3fn", 0, 0},
	[18] = {0, true, 0, WIRE_BYTES, NULL, "float8e4m3fnuz", 0, 0},
	[19] = {8, true, 5, WIRE_VARINT, as_e5m2, "float8e5m2", 0, 0},
	[20] = {0, true, 0, WIRE_BYTES, NULL, "float8e5m2fnuz", 0, 0},
	[21] = {4, false, 5, WIRE_VARINT, as_unsigned, "uint4", 0, 15},
	[22] = {4, false, 5, WIRE_VARINT, as_signed4, "int4", -8, 7},
	[23] = {4, true, 5, WIRE_VARINT, as_e2m1, "float4e2m1", 0, 0},
	[25] = {2, false, 5, WIRE_VARINT, as_unsigned, "uint2", 0, 3},
	[26] = {2, false, 5, WIRE_VARINT, as_signed2, "int2", -2, 1},
};
enum { ELEMENTS = sizeof elements / sizeof *elements };

struct onnx_element onnx_element(int element)
{
	const struct element *e = element > 0 && element < ELEMENTS ? &elements[element] : &elements[0];
	return (struct onnx_element){e->name, e->bits, e->floating, e->low, e->high};
}

bool onnx_floating(int element)
{
	return onnx_element(element).floating;
}

static void put(struct tensor *t, const struct element *e, long i, uint64_t bits)
{
	if (t->type == TENSOR_FLOAT)
		t->f[i] = (float)e->value(bits);
	else
		t->i[i] = e->bits == 64 ? (int64_t)bits : (int64_t)e->value(bits);
}

static size_t bytes_of(const struct element *e, long count)
{
	return ((size_t)count * (size_t)e->bits + 7) / 8;
}

static void put_packed(struct tensor *t, const struct element *e, long first, uint8_t byte)
{
	for (int k = 0; k < 8 / e->bits && first + k < t->count; k++)
		put(t, e, first + k, byte >> k * e->bits & ((1 << e->bits) - 1));
}

static void put_raw(struct tensor *t, const struct element *e, const uint8_t *raw)
{
	const size_t bytes = (size_t)e->bits / 8;
	for (long i = 0; !bytes && i < t->count; i += 8 / e->bits)
		put_packed(t, e, i, *raw++);
	for (long i = 0; bytes && i < t->count; i++, raw += bytes) {
		uint64_t bits = 0;
		for (size_t k = 0; k < bytes; k++)
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
		if (f.type != WIRE_BYTES)
			continue;
		size_t length = wire_left(&f.bytes);
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
	const int each = e->bits < 8 ? 8 / e->bits : 1; // packed here too
	long at = 0;
	while (wire_next(&message, &f))
		if (f.number == e->field) {
			struct wire_series s = wire_series_of(&f);
			while (wire_series_next(&s, e->wire, &bits)) {
				if (at >= t->count)
					return false;
				if (each > 1)
					put_packed(t, e, at, (uint8_t)bits);
				else
					put(t, e, at, bits);
				at += each;
			}
			if (s.packed.bad)
				return false;
		}
	return at >= t->count;
}

struct tensor *onnx_tensor(struct onnx_file *file, struct wire message, struct complaint c)
{
	struct message m = {0};
	if (!read_message(message, &m)) {
		fault_set(c.fault, file->path, damaged, "the tensor %.100s is damaged", c.where);
		return NULL;
	}
	const struct element *e = m.type < ELEMENTS ? &elements[m.type] : NULL;
	if (!e || !e->bits) {
		fault_set(c.fault, file->path, "export it with float32 weights", "the tensor %.100s has %s%s%llu", c.where,
			e && e->name ? e->name : "numbers", e && e->name ? ", type " : " of type ", (unsigned long long)m.type);
		return NULL;
	}
	// What it promises it must hold: a few bytes must not ask for all the memory there is.
	long count = shape_count(&m.shape);
	if (count > 0 && !m.outside && (e->bits < 8 ? bytes_of(e, count) : (size_t)count) > wire_left(&message)) {
		fault_set(c.fault, file->path, damaged, "the tensor %.100s is shorter than its shape", c.where);
		return NULL;
	}
	uint8_t *outside = NULL;
	if (m.outside && (count < 0 || !(outside = read_external(file, &m.place, bytes_of(e, count), c))))
		return count < 0 ? tensor_new(TENSOR_FLOAT, &m.shape, c) : NULL;
	struct tensor *t = tensor_stored(e->floating ? TENSOR_FLOAT : TENSOR_INT, &m.shape, c);
	bool ok = t != NULL;
	if (ok && outside)
		put_raw(t, e, outside);
	else if (ok && m.has_raw && wire_left(&m.raw) == bytes_of(e, t->count))
		put_raw(t, e, m.raw.at);
	else if (ok && (m.has_raw || !put_listed(message, e, t)))
		ok = fault_set(c.fault, file->path, damaged, "the tensor %.100s does not have as many numbers as its shape",
			c.where);
	free(outside);
	if (ok) {
		t->given = true;
		t->element = (int)m.type;
		return t;
	}
	tensor_free(t);
	return NULL;
}

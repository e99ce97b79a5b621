// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the wire format of protocol buffers, a field at a time, without copying: a message is bytes, and a field that is a message or
// text is bytes within them. What is not asked for is skipped by its length. No byte outside is ever read; a field that would end
// beyond its message ends the reading, and `bad` says so.
#ifndef ENGINE_ONNX_WIRE_H
#define ENGINE_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
	const uint8_t *at, *end;
	bool bad;
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;    // of all but WIRE_BYTES
	struct wire bytes; // of WIRE_BYTES
};

static inline struct wire wire_of(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	return (struct wire){at, at + size, false};
}

static inline size_t wire_left(const struct wire *w)
{
	return (size_t)(w->end - w->at);
}

// The next field; false at the end, or where the message is damaged.
bool wire_next(struct wire *, struct wire_field *);
// The numbers of a repeated field, which stand alone or packed into bytes.
struct wire_series {
	struct wire packed;
	uint64_t alone;
	bool one;
};
struct wire_series wire_series_of(const struct wire_field *);
// type: of the numbers where they are packed. False at the end; a series that is damaged ends early, and packed.bad says so.
bool wire_series_next(struct wire_series *, enum wire_type, uint64_t *);

float wire_float(uint64_t fixed32);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/onnx/wire.h"

#include <string.h>

static bool spoilt(struct wire *w)
{
	w->bad = true;
	w->at = w->end;
	return false;
}

static bool take_varint(struct wire *w, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 70 && w->at < w->end; shift += 7) {
		uint8_t byte = *w->at++;
		if (shift < 64)
			*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return spoilt(w);
}

static bool take_fixed(struct wire *w, size_t size, uint64_t *value)
{
	*value = 0;
	if (wire_left(w) < size)
		return spoilt(w);
	for (size_t i = 0; i < size; i++) // least significant first, whatever the machine
		*value |= (uint64_t)w->at[i] << 8 * i;
	w->at += size;
	return true;
}

static bool take_number(struct wire *w, enum wire_type type, uint64_t *value)
{
	switch (type) {
	case WIRE_VARINT: return take_varint(w, value);
	case WIRE_FIXED64: return take_fixed(w, 8, value);
	case WIRE_FIXED32: return take_fixed(w, 4, value);
	case WIRE_BYTES: break;
	}
	return spoilt(w);
}

bool wire_next(struct wire *w, struct wire_field *f)
{
	uint64_t tag, length;
	*f = (struct wire_field){0};
	if (w->at == w->end || !take_varint(w, &tag))
		return false;
	f->number = (uint32_t)(tag >> 3);
	f->type = (enum wire_type)(tag & 7);
	if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return spoilt(w);
	if (f->type != WIRE_BYTES)
		return take_number(w, f->type, &f->value);
	if (!take_varint(w, &length) || length > wire_left(w))
		return spoilt(w);
	f->bytes = wire_of(w->at, (size_t)length);
	w->at += length;
	return true;
}

struct wire_series wire_series_of(const struct wire_field *f)
{
	return (struct wire_series){f->bytes, f->value, f->type != WIRE_BYTES};
}

bool wire_series_next(struct wire_series *s, enum wire_type type, uint64_t *value)
{
	if (s->one) {
		s->one = false;
		*value = s->alone;
		return true;
	}
	return s->packed.at != s->packed.end && take_number(&s->packed, type, value);
}

float wire_float(uint64_t fixed32)
{
	uint32_t bits = (uint32_t)fixed32;
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

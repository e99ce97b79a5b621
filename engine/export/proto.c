// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/proto.h"

#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

static void varint(struct string *s, uint64_t v)
{
	unsigned char bytes[10];
	size_t used = 0;
	for (; v >= 0x80; v >>= 7)
		bytes[used++] = (unsigned char)(v | 0x80);
	bytes[used++] = (unsigned char)v;
	string_bytes(s, (const char *)bytes, used);
}

static void key(struct string *s, int field, int type)
{
	varint(s, (uint64_t)field << 3 | (unsigned)type);
}

void proto_number(struct string *s, int field, int64_t v)
{
	key(s, field, VARINT);
	varint(s, (uint64_t)v);
}

void proto_float(struct string *s, int field, float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	const unsigned char bytes[] = {
		(unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
	key(s, field, FIXED32);
	string_bytes(s, (const char *)bytes, sizeof bytes);
}

void proto_bytes(struct string *s, int field, const void *bytes, size_t count)
{
	key(s, field, LENGTH);
	varint(s, count);
	string_bytes(s, bytes, count);
}

void proto_text(struct string *s, int field, const char *text)
{
	proto_bytes(s, field, text, strlen(text));
}

void proto_message(struct string *s, int field, struct string *message)
{
	proto_bytes(s, field, message->bytes ? message->bytes : "", message->length);
	s->failed |= message->failed;
	string_free(message);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct text *t, size_t more)
{
	if (t->failed)
		return false;
	if (t->room - t->size > more)
		return true;
	size_t room = 2 * (t->size + more) + 256;
	char *grown = realloc(t->data, room);
	if (!grown) {
		t->failed = true;
		return false;
	}
	t->data = grown;
	t->room = room;
	return true;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size < 0)
		t->failed = true;
	else if (make_room(t, (size_t)size + 1)) {
		vsnprintf(t->data + t->size, (size_t)size + 1, format, again);
		t->size += (size_t)size;
	}
	va_end(again);
}

// An apostrophe stands outside the quotes: gnuplot's own escape, a doubled one, fails at the beginning of a string and
// where two follow each other, and what comes after it would be taken for a command.
static const char apostrophe[] = "'.\"\\047\".'";

void text_quote(struct text *t, const char *s)
{
	if (!make_room(t, strlen(s) * (sizeof apostrophe - 1) + 3))
		return;
	char *to = t->data + t->size;
	*to++ = '\'';
	for (; *s; s++)
		if (*s == '\'') {
			memcpy(to, apostrophe, sizeof apostrophe - 1);
			to += sizeof apostrophe - 1;
		} else if ((unsigned char)*s >= ' ' && *s != 0x7f) {
			*to++ = *s;
		}
	*to++ = '\'';
	*to = 0;
	t->size = (size_t)(to - t->data);
}

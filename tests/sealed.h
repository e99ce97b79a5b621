// SPDX-License-Identifier: GPL-3.0-or-later
// Journals made by hand, with the sums that bitscape would have written.
#ifndef TESTS_SEALED_H
#define TESTS_SEALED_H

#include <string.h>
#include <zlib.h>

#include "sessions/store/journal.h"

#define SEALED_SESSION "0123456789abcdef"

// The journal of `session` that holds these lines, the last of which may lack its end: then it gets no sum.
static inline void seal(struct string *out, const char *session, const char *lines)
{
	struct journal j;
	journal_begin(&j, session, out);
	journal_free(&j);
	for (const char *at = lines; *at;) {
		size_t n = strcspn(at, "\n");
		string_bytes(out, at, n);
		if (!at[n])
			break;
		string_add(out, " #=%08lx\n", crc32_z(0, (const unsigned char *)out->bytes, out->length));
		at += n + 1;
	}
}

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A fault says what went wrong, where, and what to do about it. Functions that can fail return false and fill one.
#ifndef ENGINE_BASE_FAULT_H
#define ENGINE_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

struct fault {
	char where[256]; // the file, line, setting or layer; may be empty
	char what[256];  // what is wrong with it
	char todo[256];  // what a person can do; may be empty
};

// Fills *f (f may be NULL). Always returns false, so that a caller can write `return fault_set(…)`. Text that is too long is cut,
// and control characters (in a hostile file name, say) become '?'. `what` is a printf format for the arguments after it.
bool fault_set(struct fault *f, const char *where, const char *todo, const char *what, ...) __attribute__((format(printf, 4, 5)));

// Fills the fault with "WHERE: out of memory" and a remedy. Always returns false.
bool fault_memory(struct fault *f, const char *where);

// Reports an inner fault at a wider place: its place and text together become what is wrong at `where`. *f may be `inner`. Always
// returns false.
bool fault_within(struct fault *f, const char *where, const struct fault *inner);

// Writes the fault as one line, "where: what; todo", cut to size bytes and always terminated. Returns buf.
const char *fault_line(const struct fault *f, char *buf, size_t size);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A state: named arrays and texts, as a checkpoint holds them (engine.h has the plain structs). Each folder with something to
// keep writes it as a part with a version of its own, and reads it back. Nothing here knows what the names mean.
//
// Functions that write return false when out of memory; the state is then only fit for state_free. Functions that read fail with
// a fault that names the piece, and may leave their target half filled. A state belongs to one thread at a time.
#ifndef ENGINE_STATE_STATE_H
#define ENGINE_STATE_STATE_H

#include "engine/engine.h"

enum { STATE_KEY = 2 * ENGINE_NAME }; // the longest name of an array or a text, with its final zero

// ---- arrays and texts ----

bool state_add(struct state *, const char *name, enum state_type, int rank, const int64_t *shape, const void *data); // a copy
bool state_say(struct state *, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
const struct state_tensor *state_find(const struct state *, const char *name); // NULL: absent
// The same, of this type and with `count` elements; NULL: absent or different.
const struct state_tensor *state_find_as(const struct state *, const char *name, enum state_type, int64_t count);
bool state_real(const struct state *, const char *name, double *value); // a text that is a number; false: absent, or not a number

// Fills the fault with what is missing or does not fit. Always returns false.
bool state_damaged(struct fault *, const char *what);

// ---- parts ----

// Records that a part is in the state, in the form of this version.
bool state_part(struct state *, const char *part, int version);
// Returns whether the part is there in this very form; the fault says whether an older or a newer bitscape wrote it.
bool state_part_check(const struct state *, const char *part, int version, struct fault *);

// ---- numbers ----

// A number that is kept as a text; one of the three pointers says where it lives.
struct state_number {
	const char *name;
	long *whole;
	double *real;
	bool *flag;
	bool rare; // a whole number that is written only if it is not 0
};
// The name of a text is `before`, the number's name and, if `behind` is not NULL, a dot and `behind`.
bool state_say_numbers(struct state *, const struct state_number *, int count, const char *before, const char *behind);
bool state_read_numbers(const struct state *, const struct state_number *, int count, const char *before, const char *behind,
	struct fault *);

// ---- arrays of floats that live elsewhere ----

struct state_array {
	const char *name;
	float *data;
	long count;
};
// The name of an array in the state is `before` and its name. A number that is not finite is neither written nor read: the fault
// names the array.
bool state_add_arrays(struct state *, const struct state_array *, int count, const char *before, struct fault *);
bool state_read_arrays(const struct state *, const struct state_array *, int count, const char *before, struct fault *);
// Returns the CRC-32 of their bytes, continued from `crc` (0: the first).
unsigned long state_sum(unsigned long crc, const struct state_array *, int count);

#endif

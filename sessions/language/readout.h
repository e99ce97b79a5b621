// SPDX-License-Identifier: GPL-3.0-or-later
// Readouts: what `print`, `expect` and `wait` can ask a session for, in one table.
#ifndef SESSIONS_LANGUAGE_READOUT_H
#define SESSIONS_LANGUAGE_READOUT_H

#include "sessions/sessions.h"

struct reading {
	bool is_text;
	double number;    // unless is_text; NaN: not known yet
	const char *unit; // of the number
	char text[256];   // is_text
};
// Returns false if there is no such readout (the fault names the nearest) or nothing to read yet.
bool readout_read(struct session *, const char *name, struct reading *, struct fault *);
// Calls each for every readout by its full name ("cost.bops"), in table order.
void readout_each(struct session *, void (*each)(const char *name, void *context), void *context);
const char *reading_write(const struct reading *, char *buf, size_t size);

// Checks only the form of a comparison, given as words: READOUT OP VALUE [within P%].
bool comparison_check(int count, char *const *words, struct fault *);
bool comparison_holds(struct session *, int count, char *const *words, bool *holds, struct reading *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A talk in lines with a command that runs beside us. What it writes is foreign: a line is cleaned and has a greatest length, and of
// what it complains of on its standard error the last line is kept. One thread.
#ifndef ENGINE_SEARCH_SOURCES_DIALOGUE_H
#define ENGINE_SEARCH_SOURCES_DIALOGUE_H

#include "engine/base/child.h"
#include "engine/base/text.h"

enum { DIALOGUE_LINE = 1024, DIALOGUE_COMPLAINT = 160 };

struct dialogue {
	struct child child; // pid 0: none runs
	struct string out;  // still to be sent, from `sent` on
	size_t sent;
	char in[1 << 14]; // read and not yet heard, from `at` up to `held`
	size_t at, held;
	char line[DIALOGUE_LINE]; // so far
	size_t length;
	bool ended;                                                          // it writes no more
	bool mute;                                                           // it complains no more
	char complaint[DIALOGUE_COMPLAINT], complaining[DIALOGUE_COMPLAINT]; // its last line; the one that is being read
	size_t complained;
};

// Starts `sh -c COMMAND`; `program` stands in front of what is wrong. False: the fault says why not.
bool dialogue_begin(struct dialogue *, const char *command, struct fault *);
// Gives it so many seconds to leave by itself, and ends it with all that it started; 0: at once. Where none runs, nothing.
void dialogue_end(struct dialogue *, double seconds);
// Sends what was added to `out` as far as it is taken now; the rest goes while waiting. False: it reads no more.
bool dialogue_send(struct dialogue *);
// The next line that has come, without its newline, valid until the next call; blank ones are passed over.
enum heard { HEARD_NOTHING, HEARD_LINE, HEARD_TOO_LONG, HEARD_END };
enum heard dialogue_hear(struct dialogue *, const char **line);
// Until something has come, so many seconds have passed, or `bell` (-1: none) can be read; true: it was the bell.
bool dialogue_wait(struct dialogue *, int bell, double seconds);
// "; it says: …", or "". Takes what it said up to now.
const char *dialogue_says(struct dialogue *, char *buf, size_t size);

#endif

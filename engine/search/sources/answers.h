// SPDX-License-Identifier: GPL-3.0-or-later
// What a source outside has answered, by what it was asked: kept while it can be asked again, and given back from a journal. One
// thread.
#ifndef ENGINE_SEARCH_SOURCES_ANSWERS_H
#define ENGINE_SEARCH_SOURCES_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/text.h"

struct scored {
	bool failed;     // the choice could not be scored
	double quality;  // accuracy in 0..1, or minus a loss
	double accuracy; // beside a loss; NAN: not said
};

struct answers {
	struct answers_row *row; // a table with open addresses, `room` rows, at most half of them taken
	size_t room, taken;
};
void answers_free(struct answers *); // of {0}, too

// The key of a question: a choice, at a step. step -1: at any.
uint64_t answers_key(const uint8_t *choice, size_t slots, long step);
const struct scored *answers_find(const struct answers *, uint64_t key); // valid until the next put; NULL: not answered
// The first answer to a question stays. Those of steps before `from` are forgotten where room is needed; `step` is that of this
// one. False: out of memory.
bool answers_put(struct answers *, uint64_t key, const struct scored *, long step, long from);

// An answer as a word of the journal: "9f2c…=0.8125", "…=-1.93,0.41" with an accuracy beside a loss, "…=fail". It reads back as the
// same numbers. False: it is not such a word.
void answers_write(struct string *, uint64_t key, const struct scored *);
bool answers_read(const char *word, uint64_t *key, struct scored *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Turns the bytes that a terminal sends into events. Knows no terminal and no clock: bytes and the time go in, events come
// out, so that a test can feed it anything.
//
// Every escape sequence is read to its end, by the grammar of ECMA-48 and with what terminals do beside it; one that is not
// known is an event without a meaning, never a row of characters. One that breaks off is given up after a while.
#ifndef UI_DECODER_H
#define UI_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/key.h"

enum {
	DECODER_ESCAPE_MS = 25,       // after this long, what began with Esc was the key Esc
	DECODER_CUT_MS = 250,         // a sequence that goes no further is given up
	DECODER_PASTE_MS = 3000,      // likewise a paste
	DECODER_LATE_MS = 500,        // for so long after an Esc, the rest of a sequence that came too late is still known as one
	DECODER_ROOM = 4096,          // bytes that may wait
	DECODER_SEQUENCE = 64,        // bytes of a sequence that are kept; a longer one has no meaning
	DECODER_PASTE_MOST = 1 << 18, // bytes of a paste; of a longer one nothing is kept
};

enum event_kind {
	EVENT_KEY,
	EVENT_PASTE, // a whole paste
	EVENT_MOUSE,
	EVENT_FOCUS,   // the terminal's window came to the front, or left it
	EVENT_UNKNOWN, // a sequence or a byte that means nothing, or the part of one that broke off
};

struct event {
	enum event_kind kind;
	int key; // see key.h
	// What the terminal sent for it, or what was pasted, as it came: any bytes. Ends with a 0 that is not counted. Valid
	// until the next call. A paste of which nothing was kept: NULL.
	const char *bytes;
	size_t length;
	bool cut; // it broke off, or (a paste) was too long
	struct {
		int button, x, y; // columns and rows from 0; the button as the terminal numbers it, with its modifiers
		bool pressed;
	} mouse;
};

struct decoder;

struct decoder *decoder_new(void);   // NULL: out of memory
void decoder_free(struct decoder *); // NULL: nothing
// How long a lone Esc is waited for.
void decoder_set_escape(struct decoder *, int ms);
// This terminal sends `sequence` for that key. Ignored unless it begins with Esc and goes on. False: out of memory.
bool decoder_name(struct decoder *, const char *sequence, int key);

// Room for so many bytes.
size_t decoder_room(const struct decoder *);
// How many of those fed last are used up.
size_t decoder_used(const struct decoder *);
// Bytes that came together at `now`, in ms; no more than there is room for.
void decoder_feed(struct decoder *, const void *bytes, size_t count, long long now);
// The next event. False: none. `now`: that late, and no byte is left to feed, so that what waits for too long has broken off.
bool decoder_next(struct decoder *, long long now, struct event *);
// How many ms after `now` decoder_next will have an event if no byte comes; -1: none.
int decoder_wait(const struct decoder *, long long now);

#endif

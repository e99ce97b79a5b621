// SPDX-License-Identifier: GPL-3.0-or-later
// Turns the bytes that a terminal sends into events. It uses neither terminal nor clock: bytes and the time go in, events come
// out, so that a test can feed it anything.
//
// Every escape sequence is read to its end, by the grammar of ECMA-48 and its extensions in real terminals. An unknown one
// becomes an event without a meaning, never a row of characters. One that breaks off is given up after a while.
#ifndef UI_DECODER_H
#define UI_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/key.h"

enum {
	DECODER_ESCAPE_MS = 25,       // after this time, a lone Esc was the key Esc
	DECODER_CUT_MS = 250,         // after this time, an incomplete sequence is given up
	DECODER_PASTE_MS = 3000,      // likewise, a paste
	DECODER_LATE_MS = 500,        // for this time after an Esc, the late rest of a sequence is still recognised
	DECODER_ROOM = 4096,          // most bytes that may wait
	DECODER_SEQUENCE = 64,        // most bytes of a sequence; a longer one has no meaning
	DECODER_PASTE_MOST = 1 << 18, // most bytes of a paste; a longer one is dropped
};

enum event_kind {
	EVENT_KEY,
	EVENT_PASTE, // a whole paste
	EVENT_MOUSE,
	EVENT_FOCUS,   // the terminal's window got or lost the focus
	EVENT_UNKNOWN, // a sequence or byte without a meaning, or the part of one that broke off
};

struct event {
	enum event_kind kind;
	int key; // see key.h
	// What the terminal sent for it, or the pasted text, as it came: any bytes, then a 0 that is not counted. Valid until the
	// next call. NULL: a paste that was dropped.
	const char *bytes;
	size_t length;
	bool cut; // it broke off, or the paste was too long
	struct {
		int button, x, y; // columns and rows from 0; the terminal's button number, with modifiers
		bool pressed;
	} mouse;
};

struct decoder;

struct decoder *decoder_new(void);   // NULL: out of memory
void decoder_free(struct decoder *); // NULL: nothing
// Sets how long a lone Esc waits for more.
void decoder_set_escape(struct decoder *, int ms);
// Declares that this terminal sends `sequence` for a key. Ignored unless it begins with Esc and goes on. Returns false when out
// of memory.
bool decoder_name(struct decoder *, const char *sequence, int key);

// Returns how many bytes there is room for.
size_t decoder_room(const struct decoder *);
// Returns how many of the bytes fed last are used up.
size_t decoder_used(const struct decoder *);
// Feeds bytes that came together at `now`, in ms; no more than there is room for.
void decoder_feed(struct decoder *, const void *bytes, size_t count, long long now);
// Gives the next event; returns false if there is none. `now`: the time, with no byte left to feed, so that an incomplete
// sequence that waits too long has broken off.
bool decoder_next(struct decoder *, long long now, struct event *);
// Returns in how many ms after `now` decoder_next will have an event if no byte comes; -1: never.
int decoder_wait(const struct decoder *, long long now);

#endif

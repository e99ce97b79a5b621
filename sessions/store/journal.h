// SPDX-License-Identifier: GPL-3.0-or-later
// The journal: what was done to a search, as text. One line for each applied change ("STEP COMMAND"), note, digest and set of
// compute kernels:
//
//	# bitscape journal 2 5b1e0c3a9d7f2846
//	412 pin stem int8 # back unpin stem #=1c291ca3
//	430 unpin stem # undo 1 back pin stem int8 #=9ae0daaf
//	450 note "the stem does not matter" #=d0f5a1c2
//	# digest 500 9f2c… #=77073096
//	# kernels 500 avx2 #=ee0e612c
//
// The command is in the command language and stands for the change itself: playing the lines at their steps gives the same
// search, bit for bit. Behind the # stands what is needed to take a change back: `undo N` and `redo N` name the entry
// (changes and notes, counted from 1) that a line takes back or does again, `back` the command that takes this line back.
// A digest line says what weights and policy were at a step, a kernels line what computes from that step on. A journal that
// goes on from another session's begins with a parent line: "# parent STEP SESSION DIGEST".
//
// The first line names the session. Each line ends in "#=" and the CRC-32 of all bytes of the file before these characters, so
// a line that was changed, removed, put in or moved is found, and all behind it is not believed. What cannot be found in the
// journal alone is that whole lines are missing at its end. So the file beside it, journal.end, says how long it was when the
// writer wrote it last: "BYTES SUM". It is not synced by itself, and may lag behind after a power cut, but not run ahead.
//
// In memory only; the writer (writer.h) brings lines to the disk. One thread.
#ifndef SESSIONS_STORE_JOURNAL_H
#define SESSIONS_STORE_JOURNAL_H

#include <stdio.h>
#include <sys/types.h>

#include "engine/base/text.h"
#include "sessions/store/identity.h"
#include "sessions/sessions.h"

#define JOURNAL_FILE "journal"
#define JOURNAL_END_FILE "journal.end"
#define JOURNAL_TITLE "# bitscape journal"
enum {
	JOURNAL_VERSION = 2,      // 1 had neither sums nor the session's name; it is refused
	JOURNAL_BYTES = 64 << 20, // largest file
	JOURNAL_DIGEST_TEXT = 128 // longest digest
};

enum journal_kind { JOURNAL_CHANGE, JOURNAL_NOTE, JOURNAL_DIGEST, JOURNAL_KERNELS, JOURNAL_PARENT };
enum journal_act { ACT_DO, ACT_UNDO, ACT_REDO };

// A place in the journal's file: so many bytes, and their CRC-32.
struct journal_place {
	off_t bytes;
	unsigned long sum;
};

void journal_advance(struct journal_place *, const char *bytes, size_t size); // past these

struct journal_line {
	enum journal_kind kind;
	long step;
	char *text; // the command; a digest's hexadecimal digits; the name of a set of kernels; a parent's session and digest
	enum journal_act act;
	int of;      // ACT_UNDO, ACT_REDO: the number of the entry taken back or done again
	char *back;  // the command that takes it back; NULL: none
	int entry;   // the number of a change or a note, from 1; else 0
	bool passed; // could not be taken back: undo goes on before it; known to this process alone
	bool buried; // was taken back, and something else done since: no redo
	struct journal_place end;
};

// Begun by journal_begin or journal_load; {0} is fine for journal_free.
struct journal {
	char session[IDENTITY_TEXT];     // whose it is
	struct journal_place start, end; // behind its first line, behind its last
	struct journal_line *line;
	int lines, line_room;
	struct journal_entry *entry; // as sessions.h shows them; texts belong to the lines
	int *line_of;                // per entry
	int entries, entry_room;
	long last_step; // of the last line but notes: steps never decrease
};
void journal_free(struct journal *);

// An empty journal of this session; its first line is added to `text`.
void journal_begin(struct journal *, const char *session, struct string *text);
// Copies a line into the journal and keeps account of what is undone; the line as the file has it is added to `text` (may be
// NULL). `entry`, `buried` and `end` are worked out here. False: the line cannot follow those before it (a step that goes back,
// an undo of nothing), or no memory.
bool journal_add(struct journal *, const struct journal_line *, struct string *text, struct fault *);
// Reads one line without its newline and sum; false: the fault says what was expected. On success the caller frees text and
// back.
bool journal_read(const char *text, struct journal_line *, struct fault *);

// How far a file could be read.
struct journal_reading {
	bool torn;   // it ends in half a line, or in zeros, that were being written when the machine stopped: left out
	bool broken; // a line is not as it was written: it and all behind it are left out, and `fault` names it
	struct fault fault;
};
// Loads what can be believed of a file. False: nothing can, and the fault says why.
bool journal_load(struct journal *, const char *path, struct journal_reading *, struct fault *);

// What journal.end says of the journal in this folder, and writing it into a file that is open. False: it says nothing.
bool journal_end_read(const char *folder, struct journal_place *);
bool journal_end_write(int fd, const struct journal_place *);

// The number of lines before a place; -1: the journal has no such place.
int journal_at(const struct journal *, const struct journal_place *);
// The set of kernels that computes behind so many lines; NULL: the one that the session began with.
const char *journal_kernels(const struct journal *, int lines);
// The entry that `undo` (`redo`) would take now; 0: none.
int journal_undoable(const struct journal *);
int journal_redoable(const struct journal *);
// An entry that cannot be taken back any more: undo goes on with the one before it.
void journal_pass_over(struct journal *, int entry);
const struct journal_line *journal_entry_line(const struct journal *, int entry);
// A number over all entries: two journals with the same changes and notes have the same.
unsigned long journal_crc(const struct journal *);

#endif

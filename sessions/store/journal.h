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
//	# answer 500 9f2c5b1e0c3a9d7f=0.8125 28461c3a9d7f9f2c=fail #=0d2f4c11
//	# foretold 500 change=-0.0121 error=0.0043 came=-0.015 of=loss images=512 pins=stem:int4 #=5c0b9a77
//
// The command is in the command language and stands for the change itself: playing the lines at their steps gives the same
// search, bit for bit. What follows the # helps to take changes back: `undo N` and `redo N` name the entry (changes and notes,
// counted from 1) that a line takes back or does again, and `back` is followed by the command that takes this line back. A digest
// line holds the digest of weights and policy at a step; a kernels line names the set that computes from that step on. A journal
// that continues another session's begins with a parent line, "# parent STEP SESSION DIGEST"; the other's lines up to there follow
// it, so that it needs nobody else's files. An answer line
// holds what a command that scores choices answered at a step, in the engine's words: with these lines the search is made again
// without the command. A foretold line keeps what was foretold of a draft, and what came (core/foretold.c).
//
// The first line names the session. Each line ends in "#=" and the CRC-32 of all bytes of the file before these characters, so a
// line that was changed, removed, added or moved is detected, and nothing after it is trusted. The journal alone cannot show that
// whole lines are missing at its end. So the file journal.end beside it holds its length and sum when the writer last wrote it:
// "BYTES SUM". That file is not synced by itself: after a power cut it may lag behind the journal, but not run ahead of it.
//
// A journal is a tree. A rewind line, "# rewind STEP BRANCH DIGEST", ends the present branch: what follows goes on from that step of
// the branch named, before anything that was changed there. Branches are counted from 1. Nothing is ever taken out; the lines in
// force are those on the way from the beginning to the end of the last branch.
//
// A struct journal is in memory only; the writer (writer.h) puts its lines on the disk. One thread.
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
	JOURNAL_VERSION = 2,       // 1 had neither sums nor the session's name; it is refused
	JOURNAL_BYTES = 256 << 20, // largest file
	JOURNAL_FULL = 240 << 20,  // no command is asked once it is as large as this: the rest is for changes and digests
	JOURNAL_DIGEST_TEXT = 128  // longest digest
};

enum journal_kind {
	JOURNAL_CHANGE,
	JOURNAL_NOTE,
	JOURNAL_DIGEST,
	JOURNAL_KERNELS,
	JOURNAL_PARENT,
	JOURNAL_ANSWER,
	JOURNAL_REWIND,
	JOURNAL_FORETOLD
};
enum journal_act { ACT_DO, ACT_UNDO, ACT_REDO };

// A place in the journal's file: the number of bytes before it, and their CRC-32.
struct journal_place {
	off_t bytes;
	unsigned long sum;
};

void journal_advance(struct journal_place *, const char *bytes, size_t size); // past these bytes

struct journal_line {
	enum journal_kind kind;
	long step;
	// the command; a digest's hexadecimal digits; the name of a set of kernels; a parent's session and digest; words of answers; a
	// rewind's branch and digest; words of a prediction
	char *text;
	int branch; // on which it was written
	enum journal_act act;
	int of;      // ACT_UNDO, ACT_REDO: the number of the entry taken back or done again
	char *back;  // the command that takes it back; NULL: none
	int entry;   // number of the change or note, from 1; else 0
	bool passed; // could not be taken back: undo skips it; known to this process alone
	bool buried; // taken back, and something else was done since: no redo
	struct journal_place end;
};

// A branch other than the first begins where another one was at a step.
struct journal_branch {
	int of; // the other one; 0: it is the first
	long step;
	long reached; // the step of its last line other than notes
};

// Begun by journal_begin or journal_load; {0} is fine for journal_free.
struct journal {
	char session[IDENTITY_TEXT];     // the session it belongs to
	struct journal_place start, end; // after its first line, after its last
	struct journal_line *all;        // as in the file; it owns the texts
	int alls;
	struct journal_branch *branch; // the last is the present one
	int branches;                  // 0: nothing was written yet
	struct journal_line *line;     // those in force
	int lines;
	struct journal_entry *entry; // as sessions.h shows them; texts belong to the lines
	int *line_of;                // per entry
	int entries;
	int room;       // of each of these lists
	long last_step; // of the last line other than notes: steps never decrease
};
void journal_free(struct journal *);

// Begins an empty journal of this session and adds its first line to `text`.
void journal_begin(struct journal *, const char *session, struct string *text);
// Copies a line into the journal and keeps track of what is undone. Adds the line, in the file's form, to `text` (may be NULL).
// Works out `entry`, `buried` and `end`. Returns false with a fault if the line cannot follow those before it (a step that goes
// back, an undo of nothing), or when out of memory.
bool journal_add(struct journal *, const struct journal_line *, struct string *text, struct fault *);
// Reads one line without its newline and sum; returns false with a fault that says what was expected. On success the caller frees
// text and back.
bool journal_read(const char *text, struct journal_line *, struct fault *);

// How far a file could be read.
struct journal_reading {
	bool torn;   // it ends in part of a line, or in zeros, from when the machine stopped: left out
	bool broken; // a line is not as it was written: it and all after it are left out; `fault` names it
	struct fault fault;
};
// Loads the part of a file that can be trusted. Returns false if there is none; the fault says why.
bool journal_load(struct journal *, const char *path, struct journal_reading *, struct fault *);

// Read journal.end in this folder, and write it into an open file. Return false if it cannot be read or written.
bool journal_end_read(const char *folder, struct journal_place *);
bool journal_end_write(int fd, const struct journal_place *);

// Returns the number of lines before a place; -1: the journal has no such place.
int journal_at(const struct journal *, const struct journal_place *);
// Returns the branch on which the line ends that ends at a place; 0: no line does.
int journal_branch_at(const struct journal *, const struct journal_place *);
// Fills a journal with the lines that lead to a step of a branch, before anything that was changed there. Their places are those of
// the whole journal. Returns false when out of memory.
bool journal_path(const struct journal *, int branch, long step, struct journal *path);
// Whether a line of this kind only says something: there is nothing to do for whoever follows the journal.
bool journal_only_says(enum journal_kind);
// Returns the digest that a line records; NULL: none.
const char *journal_digest(const struct journal_line *);
// Returns the set of kernels that computes after this many lines; NULL: the one that the session began with.
const char *journal_kernels(const struct journal *, int lines);
// Return the entry that `undo` or `redo` would take now; 0: none.
int journal_undoable(const struct journal *);
int journal_redoable(const struct journal *);
// Marks an entry that can no longer be taken back: undo goes on with the one before it.
void journal_pass_over(struct journal *, int entry);
const struct journal_line *journal_entry_line(const struct journal *, int entry);
// Returns a CRC over all entries: the same for two journals with the same changes and notes.
unsigned long journal_crc(const struct journal *);

#endif

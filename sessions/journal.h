// SPDX-License-Identifier: GPL-3.0-or-later
// The journal: what was done to a search, as text. One line for each applied change ("STEP COMMAND"), note and digest:
//
//	# bitscape journal 1
//	412 pin stem int8 # back unpin stem
//	430 unpin stem # undo 1 back pin stem int8
//	450 note "the stem does not matter"
//	# digest 500 9f2c…
//
// The command is in the command language and stands for the change itself: playing the lines at their steps gives the same
// search, bit for bit. Behind the # stands what is needed to take a change back: `undo N` and `redo N` name the entry
// (changes and notes, counted from 1) that a line takes back or does again, `back` the command that takes this line back.
// A digest line says what weights and policy were at a step. Other lines that begin with # mean nothing.
//
// In memory only; the writer (writer.h) brings lines to the disk. One thread.
#ifndef SESSIONS_JOURNAL_H
#define SESSIONS_JOURNAL_H

#include <stdio.h>
#include <sys/types.h>

#include "sessions/sessions.h"
#include "engine/base/text.h"

#define JOURNAL_FILE "journal"
#define JOURNAL_HEADER "# bitscape journal 1\n"
enum {
	JOURNAL_BYTES = 64 << 20, // largest file
	JOURNAL_DIGEST_TEXT = 128 // longest digest
};

enum journal_kind { JOURNAL_CHANGE, JOURNAL_NOTE, JOURNAL_DIGEST };
enum journal_act { ACT_DO, ACT_UNDO, ACT_REDO };

struct journal_line {
	enum journal_kind kind;
	long step;
	char *text; // the command; of a digest: its hexadecimal digits
	enum journal_act act;
	int of;     // ACT_UNDO, ACT_REDO: the number of the entry taken back or done again
	char *back; // the command that takes it back; NULL: none
	int entry;  // its number, from 1; 0: a digest
	bool buried; // was taken back, and something else done since: no redo
};

// Starts as {0}.
struct journal {
	struct journal_line *line;
	int lines, line_room;
	struct journal_entry *entry; // as sessions.h shows them; texts belong to the lines
	int *line_of;                // per entry
	int entries, entry_room;
	long last_step; // of the last change or digest: steps never decrease
};
void journal_free(struct journal *);

// Copies a line into the journal and keeps account of what is undone. `entry` and `buried` are worked out here. False: the
// line cannot follow those before it (a step that goes back, an undo of nothing), or no memory.
bool journal_add(struct journal *, const struct journal_line *, struct fault *);
// The line as text, with its newline.
void journal_write(struct string *, const struct journal_line *);
// Reads one line without its newline; false: the fault says what was expected. A comment leaves *meant false. On success
// the caller frees text and back.
bool journal_read(const char *text, struct journal_line *, bool *meant, struct fault *);

// Loads a file. A last line without newline was being written when the machine stopped: it is left out, *torn is set, and
// *length is what the file keeps. Any other fault names file, line and what was expected.
bool journal_load(struct journal *, const char *path, bool *torn, off_t *length, struct fault *);

// The entry that `undo` (`redo`) would take now; 0: none.
int journal_undoable(const struct journal *);
int journal_redoable(const struct journal *);
const struct journal_line *journal_entry_line(const struct journal *, int entry);
// A number over all entries: two journals with the same changes and notes have the same.
unsigned long journal_crc(const struct journal *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A session: an engine, the journal of what was done to it, checkpoints, and the command language. The only sessions
// header that ui/ includes. A session belongs to one thread (the UI's, or a batch run's).
//
// On disk a session is a folder NAME.bitscape/: manifest.json (versions, settings), journal (text, one applied change a
// line: "STEP COMMAND"), checkpoint-STEP.safetensors, exports. A change is in force from its step on without waiting for the disk,
// and acknowledged by a message once its line is safe there; no checkpoint or digest of a later step goes before it.
#ifndef SESSIONS_SESSIONS_H
#define SESSIONS_SESSIONS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "plots/plots.h"

struct session;

// ---- opening ---------------------------------------------------------------------------------------------------------------

// A name without '/' is that of a session in the state folder ($XDG_STATE_HOME/bitscape or ~/.local/state/bitscape); one with
// '/' is a path. The ending .bitscape may be left out.

// A new session with these settings; `name` NULL: an unnamed one, called by the time. Fails where the name is taken.
struct session *session_new(const char *name, const struct config *, struct fault *);
// An existing one, at the newest checkpoint that fits its journal plus whatever the journal holds beyond it. What does not fit is
// said and set aside under another name (restore.h). Read-only where what is there does not fit together, and where another process
// has it: nothing runs in it then, and what the other one saves is shown as it comes; also where its folder cannot be written. A name of which the state folder knows nothing
// may be that of a session elsewhere, where only one has that name: that is said. The fault says what else the name may mean.
struct session *session_open(const char *name, struct fault *);
// The session that was used last, other than those that are open and those of which nothing came: what opens it into
// word[size], and what to tell of it ("step 374 of 1500, 5 min ago") into about[about_size]. False: there is none.
bool session_last(char *word, size_t size, char *about, size_t about_size);
// Saves (unless read-only) and frees. False where the save failed (the session is freed all the same). An unnamed session that is
// left before it was first saved, with nothing done in it, is not kept. Where `farewell` is not NULL, lines are added to it
// that say what came of the session and how to open it again.
bool session_leave(struct session *, struct string *farewell, struct fault *);
bool session_close(struct session *, struct fault *); // without farewell
// Whether leaving it now would lose what was done in it, as far as is known: the fault says why. It may be asked as often as one likes.
bool session_at_risk(const struct session *, struct fault *);
// The session is to be left for another one that was to go on: where nothing was done in it, it is not kept, whether saved or not.
void session_drop(struct session *);

// A table of the sessions that there are, the one used last first.
bool sessions_list(struct string *, struct fault *);
// Clears away unnamed sessions by the rule that store.h states, and tells what went; `really` false: what would go.
bool sessions_tidy(bool really, struct string *, struct fault *);
// The words that open the sessions that there are, for completion: calls each.
void sessions_each(void (*each)(const char *word, void *context), void *context);

// Runs the journal of `name` again from nothing, in a fresh engine without a folder, and compares the digest with
// the one recorded. say(): progress and result lines. False: the fault says where they part.
bool session_replay(const char *name, void (*say)(const char *), struct fault *);

// ---- what it holds -----------------------------------------------------------------------------------------------------------

struct engine *session_engine(struct session *);
const char *session_name(const struct session *); // as shown: without folder and ending
const char *session_folder(const struct session *);
bool session_read_only(const struct session *);
bool session_changing(const struct session *);                           // a change was asked for and is not yet carried out
void session_shell_word(const struct session *, char *buf, size_t size); // what opens it from anywhere, as typed in a shell
bool session_same(const struct session *, const struct session *);       // both are of one folder
const struct snapshot *session_snapshot(const struct session *);         // the newest taken by session_turn; never NULL
// All figures are built from this; valid until the next session_turn.
void session_source(struct session *, struct figure_source *);

// A line of the journal.
struct journal_entry {
	long step;
	const char *text; // the command
	bool undone;      // a later undo took it back
};
int session_journal(const struct session *, const struct journal_entry **); // returns the count
// So many of its last entries are in force, but not on the disk yet: they are acknowledged by a message once they are. They stay
// so while the journal cannot be written; changes are then refused, and the search goes on.
int session_unwritten(const struct session *);

// The draft: a choice being edited by hand. NULL: none.
const uint8_t *session_draft(const struct session *);

// ---- the loop ------------------------------------------------------------------------------------------------------------------

enum { SESSION_FDS = 5 }; // engine, writer, three of gnuplot
// For a poll loop: fills up to SESSION_FDS entries, returns how many; *timeout_ms is lowered to the next moment
// at which session_turn has something to do.
int session_fds(const struct session *, struct pollfd *, int *timeout_ms);
// Takes replies, writes the journal, fetches the newest snapshot and history, autosaves, serves gnuplot. Never waits
// for the engine. Bits: what is new.
enum session_news { NEWS_NONE = 0, NEWS_SNAPSHOT = 1, NEWS_MESSAGE = 2, NEWS_JOURNAL = 4, NEWS_STATE = 8 };
unsigned session_turn(struct session *);
// The next line for the person: an acknowledgement ("step 412: stem is pinned to int8 (u takes it back)"), a result, a
// fault. `bad`: it is a fault. NULL: none. Valid until the next call.
const char *session_message(struct session *, bool *bad);

// ---- the command language --------------------------------------------------------------------------------------------------------

// The session's own rows; the context is a struct session * (its address may change: see `open`, `new` in the workbench).
const struct command *session_commands(size_t *count);
// The rows of plots, with their context made for this session.
struct command_group session_plot_group(struct session *);
// Networks and devices: commands that ask what needs no search. `s` may be NULL: then there is no network called `.`.
struct command_group session_catalog_group(struct session *s);
// Machines of many chips: reports that need no session. Each also runs as `bitscape REPORT …`, without a terminal.
struct command_group session_machine_group(void);
// Races: many searches, one after another (sessions/race). With a session only what is told of them.
struct command_group session_race_group(struct session *s);
// What may be asked on the command line: a row of one of these three, or `help`.
bool session_is_question(const char *word);
// Whether a new session may have this name: false with a fault where a question, a network, a device, a pod or a format has the name.
// A path never is one of these.
bool session_name_free(const char *name, struct fault *);

// The joined table.
struct command_table {
	const struct command_group *group;
	size_t groups;
	bool (*show)(struct command_call *,
		const struct answer *); // what takes the tables of its answers (command.h); NULL: nothing
};
const struct command *command_find(const struct command_table *, const char *name, const struct command_group **group);
// Splits the line (words, '…' and "…" quoting, # begins a comment), finds the row, checks the count of arguments, runs it. An empty line does
// nothing. False: the fault says what is wrong, and names the nearest command for an unknown one.
bool command_run(const struct command_table *, const char *line, void (*say)(struct command_call *, const char *format, ...),
	void *sayer, struct fault *);
// Completions for the word of `line` that ends at byte `end`: a malloc'd NULL-terminated array of malloc'd strings (words that
// begin alike, in order), NULL where there are none. *start: where the word begins. `session` gives layers, formats, terms.
char **command_complete(const struct command_table *, struct session *, const char *line, size_t end, size_t *start);

// ---- files of commands, tours ----------------------------------------------------------------------------------------------------

// A file of commands, read line by line. A tour is such a file, called NAME.tour: `echo` lines tell, commands are shown before
// their answers, and an empty line ends a part, after which a reader is waited for.
struct script;
enum script_line {
	SCRIPT_FAILED = -1,
	SCRIPT_END,
	SCRIPT_BREAK,   // an empty line, the first after something
	SCRIPT_NOTHING, // a comment, a further empty line
	SCRIPT_TEXT,    // `echo`
	SCRIPT_COMMAND,
};
// "-": standard input. NULL: a fault.
struct script *script_open(const char *file, struct fault *);
void script_close(struct script *); // NULL: nothing
// The next line, valid until the call after it; all but END and FAILED are for command_run.
enum script_line script_next(struct script *, const char **line, struct fault *);
// Whether an empty line is to part these neighbours where a tour is shown.
bool script_gap(enum script_line before, enum script_line now);
// Puts "FILE:LINE" of the present line in front of what a fault says.
void script_place(const struct script *, struct fault *);
// The file of a tour, into path[size]: a path as it is, a name among the installed ones and those of the source tree. False: the
// fault lists the names that there are.
bool tour_find(const char *name, char *path, size_t size, struct fault *);

// ---- batch -------------------------------------------------------------------------------------------------------------------------

// Runs the commands of a file ("-": standard input) on a session, `run N` and `wait …` waiting for the engine; the first
// line that fails ends it. Results go to standard output, progress to standard error. Returns the exit status (0 ok, 1 a
// command failed, 2 the file cannot be read, 128+n after a signal, having saved).
int session_batch(struct session *, const char *file, const struct command_table *, struct fault *);

#endif

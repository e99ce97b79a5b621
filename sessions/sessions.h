// SPDX-License-Identifier: GPL-3.0-or-later
// A session: an engine, the journal of what was done to it, checkpoints, and the command language. This is the only sessions
// header that ui/ includes. A session belongs to one thread (the UI's, or a batch run's).
//
// On disk a session is a folder NAME.bitscape/: manifest.json (versions, settings), journal (text, one applied change a
// line: "STEP COMMAND"), checkpoint-STEP.safetensors, exports. A change is in force from its step on without waiting for the
// disk. A message acknowledges it once its line is safe there. No checkpoint or digest of a later step is written before that
// line.
#ifndef SESSIONS_SESSIONS_H
#define SESSIONS_SESSIONS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "plots/plots.h"

struct session;

// ---- opening --------------------------------------------------------------------------------------------------------------

// A name without '/' means a session in the state folder ($XDG_STATE_HOME/bitscape or ~/.local/state/bitscape); one with '/' is a
// path. The ending .bitscape may be left out.

// Makes a new session with these settings; `name` NULL: an unnamed one, named after the time. Fails if the name is taken.
struct session *session_new(const char *name, const struct config *, struct fault *);
// Opens an existing session at the newest checkpoint that fits its journal, plus whatever the journal holds beyond it. Messages
// tell what does not fit, which is set aside under another name (restore.h). The session is read-only if its files do not fit
// together, if its folder cannot be written, or if another process has it; in the last case nothing runs in it, and it shows what
// the other process saves. A name that is not in the state folder may mean a session elsewhere, if only one has it; a message
// then says so. The fault says what else the name may mean.
struct session *session_open(const char *name, struct fault *);
// Finds the session used last, other than open ones and those without any result: writes the word that opens it into word[size]
// and a description ("step 374 of 1500, 5 min ago") into about[about_size]. Returns false if there is none.
bool session_last(char *word, size_t size, char *about, size_t about_size);
// Saves (unless read-only) and frees. Returns false if the save failed (the session is freed all the same). An unnamed session
// with nothing done in it is not kept if it is left before its first save. If `farewell` is not NULL, lines are added to it that
// tell the session's result and how to open it again.
bool session_leave(struct session *, struct string *farewell, struct fault *);
bool session_close(struct session *, struct fault *); // without farewell
// Returns whether leaving it now would lose work, as far as is known; the fault says why. It may be called at any time.
bool session_at_risk(const struct session *, struct fault *);
// Marks the session as left for another one that continues: if nothing was done in it, it is not kept, whether saved or not.
void session_drop(struct session *);

// Writes a table of all sessions, the one used last first.
bool sessions_list(struct string *, struct fault *);
// Clears away unnamed sessions by the rule in store.h and tells which went; `really` false: only tells which would go.
bool sessions_tidy(bool really, struct string *, struct fault *);
// Calls each for every word that opens a session, for completion.
void sessions_each(void (*each)(const char *word, void *context), void *context);

// Where quality comes from a command (quality=pipe:COMMAND): the command, which nobody has allowed to run yet. It may be somebody else's:
// the session can be looked at, and its journal followed, without it; a step that needs it halts the search. NULL: there is none,
// or it was allowed. It is allowed for as long as the session is open.
const char *session_asks(const struct session *);
void session_allow(struct session *);

// Runs the journal of `name` again from nothing, in a fresh engine without a folder, and compares the digests with those
// recorded. say(): progress and result lines. Returns false with a fault that says where they part.
bool session_replay(const char *name, void (*say)(const char *), struct fault *);
// The same, while `look` is called at the beginning, whenever the search has moved on, and at the end, with the session that is played,
// which it leaves as it is. The replay ends where it returns false, with the fault that it has set.
struct replay_look {
	bool (*look)(void *context, struct session *, struct fault *);
	void *context;
};
bool session_replay_shown(const char *name, void (*say)(const char *), const struct replay_look *, struct fault *);

// ---- what it holds --------------------------------------------------------------------------------------------------------

struct engine *session_engine(struct session *);
const char *session_name(const struct session *); // as shown, without folder and ending
const char *session_folder(const struct session *);
bool session_read_only(const struct session *);
bool session_travelling(const struct session *); // it goes to another step, or makes a session there
bool session_changing(const struct session *);   // a requested change is not yet carried out
// Writes the word that opens it from anywhere, quoted for a shell.
void session_shell_word(const struct session *, char *buf, size_t size);
bool session_same(const struct session *, const struct session *); // both have the same folder
const struct snapshot *session_snapshot(const struct session *);   // the newest taken by session_turn; never NULL
// Fills the source from which all figures are built; valid until the next session_turn.
void session_source(struct session *, struct figure_source *);

// A line of the journal.
struct journal_entry {
	long step;
	const char *text; // the command
	bool undone;      // a later undo took it back
};
int session_journal(const struct session *, const struct journal_entry **); // returns the count
// Returns how many of its last entries are in force but not on the disk yet. A message acknowledges each once it is there. While
// the journal cannot be written they stay so; changes are then refused, and the search goes on.
int session_unwritten(const struct session *);

// The settings that it began with; as they are now the snapshot has them. Borrowed.
const struct config *session_began(const struct session *);
// Calls `each` for every setting that a line of the journal in force set, one after another as they were set; what took a change back among
// them. The texts are valid during the call.
void session_each_setting(const struct session *, void (*each)(const char *name, const char *value, void *context),
	void *context);

// Asks for a look at a layer, or with LOOK_ALL at the outputs of all (engine.h), which leaves the search as it is. session_looked returns the
// look at a layer that came last, session_noise the signal to noise of every layer's output in dB (NAN: unknown), and the step that it
// was made behind; NULL: none has come.
bool session_look(struct session *, int layer, struct fault *);
const struct layer_look *session_looked(const struct session *, long *step);
const double *session_noise(const struct session *, long *step);

// The draft: a choice being edited by hand. NULL: none.
const uint8_t *session_draft(const struct session *);

// What the additive model (engine/search/additive.h) foretells of a choice, and how far it was off where that is known: at the points of the
// front, which were scored. A model: nothing of it was measured for this choice.
struct foretold {
	double change; // of quality, beyond the modal choice: accuracy in 0..1, or minus the loss; NAN: nothing is known yet
	double error;  // its standard error, as if the decisions' errors were independent
	int points;    // of the front that it can be held against
	double off;    // root of the mean square of what it foretold of them and what came, against the modal choice's point
};
struct foretold foretell(const struct snapshot *, const uint8_t *choice);
// What was foretold of drafts that were committed is kept, with what came: both choices measured on all held-out images, between the same two
// steps where the search stands still. The journal holds it.
struct foretold_so_far {
	int count;
	double error; // mean of how far it was off, in the same unit; NAN: of none
};
struct foretold_so_far session_foretold(const struct session *);

// ---- the loop -------------------------------------------------------------------------------------------------------------

enum {
	SESSION_FDS_COMPARED = 6, // the engines of sessions that are compared
	SESSION_FDS = 9 +
		SESSION_FDS_COMPARED // engine, writer, two of a search on its way to another step, a measurement, what is trained
				     // alone, three of gnuplot
};
// For a poll loop: fills up to SESSION_FDS entries and returns how many; lowers *timeout_ms to the time when session_turn next
// has something to do.
int session_fds(const struct session *, struct pollfd *, int *timeout_ms);
// Takes replies, writes the journal, fetches the newest snapshot and history, autosaves, serves gnuplot. Never waits for the
// engine. Returns bits that say what is new.
enum session_news { NEWS_NONE = 0, NEWS_SNAPSHOT = 1, NEWS_MESSAGE = 2, NEWS_JOURNAL = 4, NEWS_STATE = 8 };
unsigned session_turn(struct session *);
// Returns the next line for the person: an acknowledgement ("step 412: stem is pinned to int8 (u takes it back)"), a result or a
// fault (*bad); NULL: none. Valid until the next call.
const char *session_message(struct session *, bool *bad);

// A line whose answer took a while and has come: run it again, and it is told. NULL: none. Valid until it is run.
const char *session_due(const struct session *);

// Adds the architecture of a choice, of parts that are there: "s1 0.75/2, s1b1 3/1", each part's options in the order of its slots.
void session_architecture(const struct engine_info *, const uint8_t *choice, struct string *);

// ---- the command language -------------------------------------------------------------------------------------------------

// The session's own rows; their context is a struct session * (another one after `open` or `new` in the workbench).
const struct command *session_commands(size_t *count);
// The rows of plots, with a context for this session.
struct command_group session_plot_group(struct session *);
// Networks and devices: questions that need no search. If `s` is NULL, there is no network called `.`.
struct command_group session_catalog_group(struct session *s);
// Machines of many chips: reports that need no session. Each also runs as `bitscape REPORT …`, without a terminal.
struct command_group session_machine_group(void);
// What is asked by the words of `slice` and of `goodput` (engine/machine.h has the structs), for views that show the same. Files that
// the words name are not written.
struct slice_question;
struct goodput_question;
// The slice that `plot slice` draws, borrowed until the next call; NULL: none is looked at.
void session_look_at(struct session *, const struct slice_question *);
bool session_slice_question(struct command_call *, struct slice_question *);
bool session_goodput_question(struct command_call *, struct goodput_question *);
// Races: many searches, one after another (sessions/race). With a session only what is told of them.
struct command_group session_race_group(struct session *s);
// Fills a number that changes once a run of this race has finished, or its plan is another. Returns false if there is no such race.
bool session_race_stamp(const char *name, long long *stamp, struct fault *);
// Returns whether a word may be a question on the command line: a row of one of these three groups, or `help`.
bool session_is_question(const char *word);
// Returns whether a new session may have this name; false with a fault if a question, a network, a device, a pod or a format has
// it. A path is never one of these.
bool session_name_free(const char *name, struct fault *);

// Who watches a batch run: a screen that nobody sees. Each may be NULL.
struct audience {
	void (*said)(void *context, const char *text); // a line of an answer
	void (*told)(void *context, const char *text); // a message of the session
	void (*done)(void *context, const char *line); // all that the line began is done
	void (*turned)(void *context);                 // the search may have moved on; for the last time when a line is done
	void *context;
};

// Whether a comparison holds, given as words: READOUT OP VALUE [within P%]; `now` is what its readout says. Returns false with a fault where
// that cannot be told.
bool session_holds(struct session *, int count, char *const *words, bool *holds, char *now, size_t size, struct fault *);

// The joined table.
struct command_table {
	const struct command_group *group;
	size_t groups;
	bool (*show)(struct command_call *,
		const struct answer *);  // shows answers that are tables (command.h); NULL: none are shown so
	const struct audience *audience; // of a batch run; NULL: nobody watches it
};
const struct command *command_find(const struct command_table *, const char *name, const struct command_group **group);
// Splits the line (words, '…' and "…" quoting, # begins a comment), finds the row, checks the number of arguments and runs it. An
// empty line does nothing. Returns false with a fault that says what is wrong and names the command nearest to an unknown one.
bool command_run(const struct command_table *, const char *line, void (*say)(struct command_call *, const char *format, ...),
	void *sayer, struct fault *);
// Returns the completions of the word of `line` that ends at byte `end`: a malloc'd NULL-terminated array of malloc'd strings, in
// order; NULL: none. *start: where the word begins. `session` gives layers, formats, terms.
char **command_complete(const struct command_table *, struct session *, const char *line, size_t end, size_t *start);

// ---- files of commands, tours ---------------------------------------------------------------------------------------------

// A file of commands, read line by line. A tour is such a file, called NAME.tour: `echo` lines explain, commands are shown before
// their answers, and an empty line ends a part, after which the tour waits for the reader.
struct script;
enum script_line {
	SCRIPT_FAILED = -1,
	SCRIPT_END,
	SCRIPT_BREAK,   // the first empty line after something else
	SCRIPT_NOTHING, // a comment, a further empty line
	SCRIPT_TEXT,    // `echo`
	SCRIPT_COMMAND,
};
// "-": standard input. NULL: a fault.
struct script *script_open(const char *file, struct fault *);
void script_close(struct script *); // NULL: nothing
// Gives the next line, valid until the next call. command_run takes all kinds but END and FAILED.
enum script_line script_next(struct script *, const char **line, struct fault *);
// Returns whether an empty line separates these neighbours when a tour is shown.
bool script_gap(enum script_line before, enum script_line now);
// Puts "FILE:LINE" of the present line in front of a fault.
void script_place(const struct script *, struct fault *);
// Writes the file of a tour into path[size]: a path as it is; a name is looked up among the installed tours and those of the
// source tree. Returns false with a fault that lists the names.
bool tour_find(const char *name, char *path, size_t size, struct fault *);
bool script_is_tour(const char *file); // by its name
void tour_names(struct string *);      // adds the names that it finds, a line each

// ---- batch ----------------------------------------------------------------------------------------------------------------

// Runs the commands of a file ("-": standard input) on a session; `run N` and `wait …` wait for the engine. The first line that
// fails ends it. Results go to standard output, progress to standard error. Returns the exit status: 0 ok, 1 a command failed, 2
// the file cannot be read, 128+n after signal n, once the session is saved.
int session_batch(struct session *, const char *file, const struct command_table *, struct fault *);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// A row of the command table. Each folder above the engine has its own rows (sessions: searching and sessions, plots: figures,
// ui: views). ui/main.c joins them into one table that drives the parser, the completion, the help screen and the key hints. The
// engine itself has no commands: it takes changes (engine.h).
#ifndef ENGINE_BASE_COMMAND_H
#define ENGINE_BASE_COMMAND_H

#include "engine/base/fault.h"
#include "engine/base/text.h"

enum command_kind {
	COMMAND_CHANGE, // alters the search; the session journals it with the step at which it was applied
	COMMAND_QUERY,  // asks for something or writes something out; the search is not altered
	COMMAND_VIEW,   // alters the screen only
};

// What an argument is, for checking and for completion.
enum command_argument {
	ARGUMENT_NONE = 0,
	ARGUMENT_TEXT,
	ARGUMENT_REST, // the rest of the line as it stands, any # and quotes included
	ARGUMENT_NUMBER,
	ARGUMENT_LAYER,   // a layer's name, a glob over names or a group; followed by .w or .a, its weights or input activations
	ARGUMENT_GROUP,   // a group of layers
	ARGUMENT_FORMAT,  // a number format
	ARGUMENT_EDIT,    // a number format; after `up` and `down`, a layer
	ARGUMENT_FORMATS, // formats joined by commas, or `all`
	ARGUMENT_TERM,    // a cost term
	ARGUMENT_KNOB,    // a setting
	ARGUMENT_VALUE,   // the value of the setting before it
	ARGUMENT_FILE,
	ARGUMENT_SESSION, // a session's name, or its path
	ARGUMENT_COMMAND, // a command's name
	ARGUMENT_FIGURE,  // a figure's name
	ARGUMENT_SHOWN,   // behind a figure of one layer, a layer's name
	ARGUMENT_NETWORK, // a network's name, a glob over names
	ARGUMENT_DEVICE,  // a device's name
	ARGUMENT_READOUT, // a readout (`print`, `expect`)
	ARGUMENT_LANE,    // a lane's number; after `add` a cost term; in the first place also one of the words in command.words
	ARGUMENT_WORDS,   // one of the words that command.words gives for this argument
};

// An answer that is a table, for a caller that can show it better than as lines. All of it is borrowed for the call.
struct answer {
	const char *above, *below; // lines around it, each with its newline; "": none
	int columns, rows;
	const char *const *head;
	const bool *left;  // aligned left; numbers are aligned right
	char *const *cell; // rows * columns; the first cell of a row is its name
	const char *pick;  // the command that takes a row's name: "open"; NULL: none
	bool view;         // `explore` with the command's line shows the same as a view
};

// One call of a command. `say` gives the person a line of the answer (printf-like, without newline). A batch run prints it to
// standard output; the workbench shows it in its message line, or several lines in a pop-up.
struct command_call {
	void *context;    // the context of the row's group
	int argc;         // without the command's own name
	char **argv;      // argv[argc] is NULL
	const char *line; // the whole line as typed
	void (*say)(struct command_call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
	void *sayer; // for say's own use
	// Shows an answer as a table. Where it is NULL or returns false, the answer is said as lines.
	bool (*show)(struct command_call *, const struct answer *);
	const struct command_table *table; // the joined table that the line was run from (see sessions.h), for `help`
	struct fault fault;                // filled when run returns false
};

enum { COMMAND_MAX_ARGUMENTS = WORDS_MOST - 1 };

struct command {
	const char *name;
	enum command_kind kind;
	int min, max; // number of arguments; max -1: as many as fit
	// What each argument is. The last `repeat` of the non-NONE entries recur for further arguments.
	enum command_argument argument[6];
	int repeat;
	const char *words;                  // for ARGUMENT_WORDS: "a|b|c" per argument, with spaces between arguments
	const char *usage;                  // the arguments as text: "LAYER FORMAT [LAYER FORMAT]..."
	const char *help;                   // one line
	bool (*run)(struct command_call *); // false: call->fault says why
};

// The rows of one folder and the context that their run functions get.
struct command_group {
	const char *title; // heading in the help screen
	const struct command *rows;
	size_t count;
	void *context;
};

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the command line. One table of options drives the parser and --help.
#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/engine.h"

enum { OPTIONS_SETTINGS = 64 };

struct options {
	bool make;            // `new`: a session that must not exist yet
	const char *name;     // NULL: an unnamed session
	bool list, tidy, now; // `sessions`, followed by `tidy` and `now`
	const char *batch;    // a file of commands, "-" for standard input
	const char *replay;   // a session to run again
	const char *explore;  // a network to explore without training: gives the settings of a new session
	char explore_net[ENGINE_TEXT + 8], explore_table[ENGINE_TEXT];
	const char *tour;   // a tour to play
	const char *screen; // the size of a batch's screen, "80x24"; NULL: it has none
	int settings;
	const char *setting[OPTIONS_SETTINGS]; // "key=value"
	const char *pace;                      // how much faster than for reading; NULL: 1
	bool big;                              // the tour is shown to a room
	bool go_on;                            // the tour goes on by itself
	bool run_commands;                     // a session may run the command that its settings name
	bool help, version, ascii, no_color;
};

// The rows of the tables, for the man page and the completion.
enum option_takes { TAKES_NOTHING, TAKES_TEXT, TAKES_SETTING, TAKES_FILE, TAKES_NETWORK, TAKES_SESSION, TAKES_TOUR };
struct option_row {
	const char *name, *argument, *help;
	size_t flag, text; // where in struct options it goes; one of the two, the other 0
	enum option_takes takes;
	const char *brief; // "-h"; NULL: it has only its name
};
const struct option_row *option_rows(size_t *count);
struct option_form {
	const char *usage, *help;
};
const struct option_form *option_forms(size_t *count); // the ways to call the program

// Fills o, whose texts are borrowed from argv. Returns false with a fault.
bool options_parse(struct options *o, int argc, char **argv, struct fault *);
void options_help(FILE *);

#endif

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
	bool go_on;                            // the tour goes on by itself
	bool run_commands;                     // a session may run the command that its settings name
	bool help, version, ascii, no_color;
};

// Fills o, whose texts are borrowed from argv. Returns false with a fault.
bool options_parse(struct options *o, int argc, char **argv, struct fault *);
void options_help(FILE *);

#endif

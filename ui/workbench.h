// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench holds the session in hand, where the person is in it, and what is said to them. Every act is a command line; keys
// only name one. It knows the prompt, not the terminal: the loop brings keys and takes the screen.
#ifndef UI_WORKBENCH_H
#define UI_WORKBENCH_H

#include "ui/keys.h"
#include "ui/nudge.h"
#include "ui/screen.h"
#include "ui/theme.h"
#include "ui/views/views.h"

enum { WORKBENCH_GROUPS = 6, WORKBENCH_MESSAGE = 1024, WORKBENCH_HINTS = 32, WORKBENCH_LOG = 64 };

// Lines that were pasted; owned.
struct pasted {
	char **line;
	int lines;
};

struct workbench {
	struct session *session; // owned
	struct command_group group[WORKBENCH_GROUPS];
	struct command_table table;

	struct scene scene; // borrows what follows and the session's own
	struct views views;
	struct figure_source source;
	double *layer_cost; // info->layers numbers
	uint8_t *choice;    // info->slots numbers: what is priced, the draft or else the modal choice
	double draft_cost[ENGINE_TERMS];
	struct keys keys;
	struct nudge nudge[2][ENGINE_TERMS]; // of targets, of weights
	struct hint hint[WORKBENCH_HINTS];
	struct hinted { // what the hints were made for
		enum key_context context;
		int changes;
		bool ascii, made;
	} hinted;
	struct priced { // what the costs were worked out for; terms: 0: for nothing yet
		uint64_t version;
		int terms, term;
		bool known;
	} priced;
	struct screen screen;
	const struct theme *theme;

	char message[WORKBENCH_MESSAGE];
	char *log[WORKBENCH_LOG]; // what was said lately, oldest first; owned
	int logged;
	struct popup popup;        // shown where it has lines
	struct popup said;         // what the running command has said so far
	struct script *tour;       // being played, in the popup; owned; NULL: none
	int tour_part, tour_parts; // shown now, from 1; how many there are
	bool tour_telling;         // its commands are running
	bool tour_auto;            // goes on by itself, and the program ends with it
	struct pasted pasted;      // commands that the popup shows, to be confirmed
	int tour_ms;               // in this time, counted by the loop from when it finds it here; 0: told already, or not at all
	long commands, leaving;    // run so far; the one that was to leave the session and was asked whether it means it, 0: none
	int sourcing;              // files that are being run, one by another
	char last[4096];           // the session used last, which `resume` goes on with; "": none

	// What only the loop can do, asked for by a command.
	bool quit, redraw, prompt, suspend;
	bool mouse;           // the terminal is to report the mouse
	char *change_session; // a command line `open …`, `new …`, `resume …`; owned
};

// Makes a workbench around a session, which it then owns. False: out of memory.
bool workbench_begin(struct workbench *, struct session *, bool ascii, struct fault *);
// Closes the session and frees all. `farewell` (see session_leave) may be NULL. False where the session could not be saved.
bool workbench_end(struct workbench *, struct string *farewell, struct fault *);

// Runs a command line. What it says, or its fault, goes to the message line or into a box. False: it failed.
bool workbench_command(struct workbench *, const char *line);
void workbench_key(struct workbench *, int key);
// A report of the mouse: a click takes a row in hand, the wheel moves. Neither alters the search. False: it means nothing.
bool workbench_mouse(struct workbench *, int button, bool pressed, int x, int y);
// Whether a key means something now.
bool workbench_knows(const struct workbench *, int key);
void workbench_say(struct workbench *, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum key_context workbench_context(const struct workbench *);
// Takes the session's messages into the message line.
void workbench_messages(struct workbench *);
// Draws everything into w->screen, which has the terminal's size.
void workbench_draw(struct workbench *);
// Closes the box; a tour ends with it, and pasted lines are dropped.
void workbench_close(struct workbench *);
// Does what w->change_session asks for; the session in hand stays where the other one cannot be opened.
void workbench_change_session(struct workbench *);

// A new or an existing session by the words of a command line or of the program: NAME (NULL: unnamed) and settings.
struct session *session_made(const char *name, const char *const *setting, int settings, struct fault *);

// ---- paste.c: what is pasted acts only as commands, and only once a person has seen and confirmed it

// One line goes into the prompt, to be run by Enter; several are shown in a box.
void paste_take(struct workbench *, const char *text, size_t length);
// Runs what the box shows, until a line fails.
bool paste_confirm(struct workbench *, struct fault *);
void paste_drop(struct workbench *);

// ---- config.c: a person's own keys and looks, as a file of commands about the screen alone

// Reads $XDG_CONFIG_HOME/bitscape/bitscaperc (~/.config/bitscape/bitscaperc) where there is one; says what is wrong in it.
void config_start(struct workbench *);
// Runs such a file. What is wrong in it is said, with its line, and the rest is done. False: it cannot be read.
bool config_source(struct workbench *, const char *file, struct fault *);

// ---- tour.c: playing a tour in boxes, a part of it (see sessions.h) in each

// By a name or a path; a tour that is playing ends.
bool tour_begin(struct workbench *, const char *name, struct fault *);
// Without one that is playing, closes the box. Scrolls to what has not been seen of this part, else runs the next one. A line that fails ends the tour; what the part told so
// far stays shown.
bool tour_go_on(struct workbench *, struct fault *);

// The commands of the screen; the context is a struct workbench *, or NULL where there is no screen (a batch).
const struct command *ui_commands(size_t *count);
struct command_group ui_group(struct workbench *);

#endif

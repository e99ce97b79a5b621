// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench holds the session in hand, the person's place in it, and the messages to them. Every act is a command line, and a
// key only names one. It uses the prompt but not the terminal: the loop brings keys and takes the screen.
#ifndef UI_WORKBENCH_H
#define UI_WORKBENCH_H

#include "ui/keys.h"
#include "ui/lesson.h"
#include "ui/nudge.h"
#include "ui/screen.h"
#include "ui/theme.h"
#include "ui/views/views.h"

enum { WORKBENCH_GROUPS = 6, WORKBENCH_MESSAGE = 1024, WORKBENCH_HINTS = 32, WORKBENCH_LOG = 64, RACE_TITLE = 200 };

// Pasted lines; owned.
struct pasted {
	char **line;
	int lines;
};

// A race that is watched.
struct race_watch {
	char *name;      // as it was given; owned; NULL: none is
	long long stamp; // of its folder, when the table was asked for
	struct sheet *sheet;
	char title[RACE_TITLE];
};

// What is looked at beside the search.
struct explored {
	struct slice_question slice;
	struct racks *racks;  // owned; NULL: none
	struct racks_set set; // the search's settings of racks, as they were seen last
	char *line;           // a report that was answered and can be looked at; owned; NULL: none
};

// The screen is being recorded; see record.c.
struct recording {
	struct cast *cast; // owned; NULL: it is not
	double pace;       // steps a second of the recording's clock; 0: it is that of the wall
	double begun;      // by the clock of the wall
	double at;         // with a pace: the recording's clock
	double shown;      // when the last frame was, by it
	long step;         // that it has come to
};

// Of a newcomer's first search, until their first act.
struct stretch {
	bool on;
	bool stretching; // its own command runs
	int changes;     // that it has made
};

struct workbench {
	struct stretch stretch;
	struct clicked { // the last click that did something
		int x, y;
		double at; // in seconds
	} clicked;
	bool dragging;           // the mouse holds something
	struct session *session; // owned
	struct command_group group[WORKBENCH_GROUPS];
	struct command_table table;

	struct scene scene; // borrows from the fields below and from the session
	struct views views;
	struct figure_source source;
	double *layer_cost;       // info->layers numbers
	struct layer_info *layer; // info->layers, of the choice in hand
	uint8_t *past;            // info->slots numbers: the choice of the past step that is shown
	uint8_t *choice;          // info->slots numbers: the priced choice, the draft or else the modal one
	double draft_cost[ENGINE_TERMS];
	struct keys keys;
	struct nudge nudge[2][ENGINE_TERMS]; // of targets, of weights
	struct hint hint[WORKBENCH_HINTS];
	struct hinted { // the state that the hints were made for
		enum key_context context;
		int changes;
		bool ascii;
		bool opens; // Enter opens something
		bool made;
	} hinted;
	struct paged { // the state that a layer's page was worked out for; terms 0: none was
		uint64_t version;
		int terms, layer;
		bool draft;
		struct layer_page page;
	} paged;
	bool ran;       // the search was seen before its end, which was not shown yet
	long comparing; // the command that makes a branch to be compared with this session, while it is being made; 0: none
	char branch[ENGINE_TEXT * 4]; // its name
	long noisiest;  // the command that asked for the layer with the noisiest output, while its answer is on the way; 0: none
	int looked_for; // the layer whose weights were asked for, from 1; 0: none
	struct priced { // the state that the costs were worked out for; terms 0: none yet
		uint64_t version;
		int terms, term;
		bool known;
	} priced;
	struct screen screen;
	const struct theme *theme;

	char message[WORKBENCH_MESSAGE];
	char *log[WORKBENCH_LOG]; // recent messages, oldest first; owned
	int logged;
	struct popup popup;        // shown if it has lines
	struct popup said;         // the running command's answer so far
	struct script *tour;       // the one that plays in the popup; owned; NULL: none
	int tour_part, tour_parts; // the part shown, from 1; the number of parts
	bool tour_telling;         // its commands are running
	bool tour_auto;            // it goes on by itself, and the program ends with it
	struct lesson *lesson;     // a tour that drives the screen; owned; NULL: none
	bool toured;               // a batch goes through a tour
	char *tour_next;           // the one that begins with the session that is asked for; owned; NULL: none
	bool tour_big;             // it is shown to a room: one pane at a time
	double tour_pace;          // of a tour that goes on by itself; 0: 1
	struct race_watch race;
	struct explored explored;
	struct recording recording;
	bool unseen;            // a batch's: there is no loop to leave or to change the session
	struct pasted pasted;   // commands that the popup shows, to be confirmed
	int tour_ms;            // delay until the next part, counted by the loop; 0: none
	long commands, leaving; // number run; the one that had to confirm leaving the session, 0: none
	long dropping;          // the one that had to confirm dropping the draft, 0: none
	bool typed;             // the command that runs was typed at the prompt
	int sourcing;           // number of nested files being run
	char last[4096];        // the session used last, for `resume`; "": none

	// Requests of commands that only the loop can carry out.
	bool quit, redraw, prompt, suspend;
	char filter_before[256]; // the filter of the table that a line is typed for
	bool filtering;          // such a line is typed
	bool prompt_choose;      // it shows at once what may follow
	char *prompt_text;       // what the prompt begins with; owned; NULL: nothing
	bool mouse;              // whether the terminal reports the mouse
	char *change_session;    // a command line `open …`, `new …`, `resume …`; owned
};

// Makes a workbench around a session, which it then owns. Returns false when out of memory.
bool workbench_begin(struct workbench *, struct session *, bool ascii, struct fault *);
// Closes the session and frees everything. `farewell` (see session_leave) may be NULL. Returns false if the session could not be
// saved.
bool workbench_end(struct workbench *, struct string *farewell, struct fault *);
void workbench_release(struct workbench *); // frees everything but the session, which it leaves open

// Runs a command line. Its answer or its fault goes to the message line or into a box. Returns false if it failed.
bool workbench_command(struct workbench *, const char *line);
// For a command that another one runs: takes a line of its answer, and shows all of it once it is done.
void workbench_answer(struct workbench *, const char *text);
void workbench_answered(struct workbench *, const char *line);
void workbench_key(struct workbench *, int key);
// Takes a report of the mouse: a click goes there and takes a row or a point in hand, two open it, the wheel moves. The line of a target can
// be moved: that alone alters the search, once it is let go. Returns false if it means nothing.
bool workbench_mouse(struct workbench *, int button, bool pressed, int x, int y);
// Returns whether a key means something now.
bool workbench_knows(const struct workbench *, int key);
// Opens the prompt with these words, once the loop comes to it. Returns false when out of memory.
bool workbench_prompt(struct workbench *, const char *words);
// Adds a command to a line, with what stands for {layer} and the like.
void workbench_fill_in(const struct workbench *, const char *command, struct string *line);
// What is typed behind `filter` is filtered by at once; `cancelled`: the line is given up, and the filter is as it was before.
void workbench_typing(struct workbench *, const char *line);
void workbench_typed(struct workbench *, bool cancelled);
void workbench_say(struct workbench *, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum key_context workbench_context(const struct workbench *);
// What was asked for may have come, behind a turn of the session.
void workbench_turn(struct workbench *);
// Shows the session's messages in the message line.
void workbench_messages(struct workbench *);
// Draws everything into w->screen, which must have the terminal's size.
void workbench_draw(struct workbench *);
// Closes the box, ends a tour in it and drops pasted lines.
void workbench_close(struct workbench *);
// Shows a box that asks whether the command of the session in hand may be run, where it was not allowed yet.
void workbench_ask(struct workbench *);
// Carries out w->change_session; keeps the session in hand if the other one cannot be opened.
void workbench_change_session(struct workbench *);

// Makes a new session from the words of a command or of the program: NAME (NULL: unnamed) and settings.
struct session *session_made(const char *name, const char *const *setting, int settings, struct fault *);

// ---- paste.c: pasted text acts only as commands, and only once a person has seen and confirmed it

// One line goes into the prompt, where Enter runs it; several are shown in a box.
void paste_take(struct workbench *, const char *text, size_t length);
// Runs the lines in the box until one fails.
bool paste_confirm(struct workbench *, struct fault *);
void paste_drop(struct workbench *);

// ---- config.c: a person's own keys and looks, as a file of commands that affect only the screen

// Reads $XDG_CONFIG_HOME/bitscape/bitscaperc (~/.config/bitscape/bitscaperc) if it exists, and reports what is wrong in it.
void config_start(struct workbench *);
// Runs such a file. Reports each mistake with its line and carries on. Returns false if the file cannot be read.
bool config_source(struct workbench *, const char *file, struct fault *);

// ---- tour.c: plays a tour in boxes, one part (see sessions.h) in each

// Begins a tour by its name or path; ends one that is playing.
bool tour_begin(struct workbench *, const char *name, struct fault *);
// Scrolls to what has not been seen of this part, else runs the next part. A line that fails ends the tour; the part's text so
// far stays shown. If no tour is playing, closes the box.
bool tour_go_on(struct workbench *, struct fault *);

// ---- acts.c: what the grammar's keys do, in whatever is in front of the person

bool act_open(struct workbench *, struct command_call *); // what is under the cursor, else the pane as a whole
bool act_help(struct workbench *,
	struct command_call *); // runs what the line of the help tells of that was sought; false without a fault: none
bool act_back(struct workbench *, struct command_call *);   // by one level; a draft is dropped by two of them
bool act_leave(struct workbench *, struct command_call *);  // the box or the page in front, else the program
bool act_zoom(struct workbench *);                          // the pane in focus has all the room, or no longer
bool act_payers(struct workbench *, struct command_call *); // the layers by their share of the cost in hand, the largest first
// Looks at all layers' outputs, and once that has come, opens the page of the one with the lowest signal to noise.
bool act_noisiest(struct workbench *, struct command_call *);
void act_noisiest_come(struct workbench *);                 // it may have come
bool act_branch(struct workbench *, struct command_call *); // a branch from the step in the history, compared with now
void act_branch_come(struct workbench *);
#define HAND_VERBS "draft|pin|unpin|restrict|evaluate|export|train|difference"
bool act_hand(struct workbench *, struct command_call *); // a verb on the point, the marked rows or the row in hand
// Whether this search has what the command of a key is about: E is about test images, T about training.
bool act_possible(const struct engine_info *, const char *command);
bool act_each(struct workbench *, struct command_call *); // a verb with formats, on the marked rows or the row in hand

// ---- record.c

// Records the screen from the next frame on. pace: steps a second of the recording's clock; 0: it is that of the wall.
bool record_begin(struct workbench *, const char *file, double pace, struct fault *);
bool record_end(struct workbench *, struct fault *);
void record_frame(struct workbench *); // after each drawing; where it cannot be written, the recording ends, which is said
void record_pause(struct workbench *, double seconds); // lets time pass by a recording's own clock
double record_since(struct workbench *);               // seconds since the last frame, by it
// Plays a session's journal again, without a folder or a terminal, and records the screen of it. pace 0: it lasts about a minute. Adds a
// line that tells of the file.
bool record_session(const char *name, const char *file, int width, int height, double pace, struct string *told, struct fault *);
// Plays a tour that drives the screen, without a terminal, in a session of its own, and records the screen of it: pages stay as long as they take to
// read, by the recording's clock. pace 0: 40 steps a second.
bool record_tour(const char *name, const char *file, int width, int height, double pace, struct string *told, struct fault *);

// ---- stretch.c

void stretch_begin(struct workbench *);                 // where no other session is there, the horizon stretches
void stretch_act(struct workbench *, const char *line); // a command is run: a person's first act ends it
void stretch_turn(struct workbench *);                  // moves the horizon out where it is near

// ---- legend.c

bool legend_show(struct workbench *); // what the signs of the screen mean, in a box; false: out of memory

// ---- card.c

void card_show(struct workbench *); // shows what the search has found, in a box with its next acts as keys

// ---- race.c: a race that is watched, in a view of its own

// Shows the table of a race, by its name as `race` takes it, in the place of the one that is watched.
bool race_begin(struct workbench *, const char *name, struct fault *);
void race_end(struct workbench *); // no race is watched
// Asks for the table again if a run has finished since. Returns whether it is new. What cannot be read leaves it as it was.
bool race_turn(struct workbench *);

// ---- explore.c: slices and racks of pods, in views of their own

// Show what the words of `slice` and of `goodput` ask for; without words what was shown last.
bool explore_slice(struct workbench *, struct command_call *);
bool explore_racks(struct workbench *, struct command_call *);
bool explore_twisted(struct workbench *, struct fault *); // the other twist of the slice
// One of EXPLORE_RACKS: a day passes, days pass by themselves or no longer, all begins again, or something is moved.
#define EXPLORE_RACKS "day|run|again|" RACKS_MOVES
bool explore_move(struct workbench *, const char *what, struct command_call *);
void explore_follow(struct workbench *); // the racks go on with the search's settings where these have changed
// Days that have passed and that no change says yet are said, unless more are passing; `leaving`: in any case.
void explore_say(struct workbench *, bool leaving);
bool explore_runs(const struct workbench *); // days pass by themselves
bool explore_turn(struct workbench *);       // the next one passes; false: nothing has changed
void explore_after(struct workbench *);      // shows what the command before has answered, if it can be looked at
void explore_end(struct workbench *);

// The commands of the screen; their context is a struct workbench *, or NULL without a screen (a batch).
const struct command *ui_commands(size_t *count);
struct command_group ui_group(struct workbench *);

#endif

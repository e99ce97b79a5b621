// SPDX-License-Identifier: GPL-3.0-or-later
// A tour that drives the screen. Its file begins with `lesson TITLE [KEY=VALUE…]`: the settings of the session that it needs. Empty lines end
// pages. A page's lines are commands, carried out one after the other, and these have a sense of their own:
//   echo TEXT                says one thing
//   light VIEW|none          leads the eye: the pane has a double frame, and the person is in it
//   hold STEP                the search runs to that step and stops there
//   act COMMAND              what the person is to do; Enter does it for them
//   until READOUT OP VALUE   the page waits until this holds (screen.focus, screen.zoom, screen.draft, screen.box are readouts too)
//   otherwise TEXT           behind `until`: answers an act after which that does not hold
//   expect READOUT OP VALUE  what the page claims; a tour whose claim fails in a batch fails there
//   says TEXT                likewise, of the answer of the command before
//   notes TEXT               for whoever speaks, shown after `tour notes`
// A batch runs the same lines on a screen that nobody sees: it does each act, and checks what `until` and `expect` say.
#ifndef UI_LESSON_H
#define UI_LESSON_H

#include "engine/base/command.h"
#include "ui/views/view.h"

struct workbench;
struct lesson;

// Returns whether a file is such a tour.
bool lesson_is(const char *file);
// Reads the settings of its first line as KEY=VALUE, which the caller frees each, and says how many; -1: a fault.
int lesson_settings(const char *file, char *setting[], int most, struct fault *);

// Shows its first page; or, in a session that is further on, the page that belongs to its step. If the session in hand is not the one that it
// needs, a new one is asked for, and the tour begins in it.
bool lesson_begin(struct workbench *, const char *file, const char *name, struct fault *);
void lesson_end(struct workbench *);
// Enter: does what the page asks for, or shows the next one. False with a fault: none is on.
bool lesson_go_on(struct workbench *, struct fault *);
// One of LESSON_WORDS. False with a fault.
#define LESSON_WORDS "back|restart|notes|leave"
bool lesson_turn_to(struct workbench *, const char *word, struct fault *);
// Goes on in the page as far as it can. Returns whether the screen shows something else now.
bool lesson_turn(struct workbench *);
// Fills in what the view of the tour draws; before each drawing.
void lesson_show(struct workbench *);
// Told of each command that was run.
void lesson_heard(struct workbench *, const char *line, bool ok);

// The rows' functions, for batches; on the screen the lines of a page are carried out one by one.
bool lesson_row(struct command_call *); // lesson
bool light_row(struct command_call *);  // light
bool hold_row(struct command_call *);   // hold
bool act_row(struct command_call *);    // act
bool until_row(struct command_call *);  // until
bool aside_row(struct command_call *);  // otherwise, notes: nothing
bool says_row(struct command_call *);   // says TEXT: the answer before holds it
bool press_row(struct command_call *);  // press KEY…: as if these were pressed

#endif

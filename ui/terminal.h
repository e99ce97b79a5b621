// SPDX-License-Identifier: GPL-3.0-or-later
// The terminal, through ncurses: shows a grid of cells, reads keys, and is put back as it was at every way out. There is
// one; only the UI's thread calls it.
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "ui/decoder.h"
#include "ui/screen.h"

// Finds out whether there is a terminal that can be used, without touching it. False: standard input or output is none, or
// TERM names none that is known here and can show a full screen.
bool terminal_check(struct fault *);

// Takes the screen. `color`: whether colours may be used.
bool terminal_open(bool color, struct fault *);
// Gives it back. Nothing where it is not open; also done at exit.
void terminal_close(void);

void terminal_size(int *width, int *height);
// Puts what differs from the last grid on the screen, and the cursor.
void terminal_show(const struct screen *, const struct theme *);
// Whether the terminal is to report clicks and the wheel. Where it does, text is selected with Shift held down.
void terminal_mouse(bool on);
void terminal_redraw(void); // the next grid is sent as a whole
void terminal_resize(void); // asks for the size anew
// Gives the screen back, stops the process (and its group, as ^Z does), and takes it again when it goes on.
void terminal_suspend(bool group);

// The next event of what was typed, pasted and sent. False: none is there. It never waits.
bool terminal_event(struct event *);
// Whether bytes wait that have been read.
bool terminal_rest(void);
// Whether the last event came in one go with several before it and more behind it, as from no hand.
bool terminal_burst(void);
// How many ms until an event is there without further input; -1: none will be.
int terminal_wait(void);
// Nothing more will come: the terminal has gone away.
bool terminal_gone(void);

#endif

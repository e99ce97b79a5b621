// SPDX-License-Identifier: GPL-3.0-or-later
// Drives the terminal through ncurses: shows a grid of cells, reads keys, and restores the terminal on every way out. There is
// only one, and only the UI's thread may use it.
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "ui/decoder.h"
#include "ui/screen.h"

// Checks, without touching it, that there is a usable terminal. Returns false with a fault if standard input or output is not a
// terminal, or if TERM names one that is unknown or cannot show a full screen.
bool terminal_check(struct fault *);

// Takes the screen. `color`: whether colours may be used.
bool terminal_open(bool color, struct fault *);
// Gives it back. Does nothing if it is not open; also runs at exit.
void terminal_close(void);

void terminal_size(int *width, int *height);
// Sends what differs from the last grid to the screen, and places the cursor.
void terminal_show(const struct screen *, const struct theme *);
// Sets whether the terminal reports clicks and the wheel. While it does, Shift must be held down to select text.
void terminal_mouse(bool on);
// Names the terminal's window, where it has one; the name before comes back when the screen is given back.
void terminal_title(const char *text);
void terminal_redraw(void); // sends the whole next grid
void terminal_resize(void); // asks for the size again
// Gives the screen back, stops the process (with `group` its group too, as ^Z does), and takes the screen again when the process
// continues.
void terminal_suspend(bool group);

// Gives the next event that was typed, pasted or sent; returns false if there is none. It never waits.
bool terminal_event(struct event *);
// Returns whether bytes that were read still wait.
bool terminal_rest(void);
// Returns whether the last event arrived in one burst with several before it and more after it, faster than a hand types.
bool terminal_burst(void);
// Returns in how many ms there will be an event without further input; -1: never.
int terminal_wait(void);
// Returns whether the terminal has gone away, so that nothing more will come.
bool terminal_gone(void);

#endif

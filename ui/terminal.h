// SPDX-License-Identifier: GPL-3.0-or-later
// The terminal, through ncurses: shows a grid of cells, reads keys, and is put back as it was at every way out. There is
// one; only the UI's thread calls it.
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "ui/screen.h"

// Finds out whether there is a terminal that can be used, without touching it. Where TERM is unknown or unfit, a near one
// that is known is taken and `note` says so. False: standard input or output is no terminal, or none of them is known.
bool terminal_check(char *note, size_t size, struct fault *);

// Takes the screen. `color`: whether colours may be used.
bool terminal_open(bool color, struct fault *);
// Gives it back. Nothing where it is not open; also done at exit.
void terminal_close(void);

void terminal_size(int *width, int *height);
// Puts what differs from the last grid on the screen, and the cursor.
void terminal_show(const struct screen *, const struct theme *);
void terminal_redraw(void); // the next grid is sent as a whole
void terminal_resize(void); // asks for the size anew
// Gives the screen back, stops the process (and its group, as ^Z does), and takes it again when it goes on.
void terminal_suspend(bool group);

// The next key (enum key or a character); -1: none is waiting. Pasted text is left out, and *pasted then set.
int terminal_key(bool *pasted);
// For the prompt: keys come as the bytes that the terminal sends, from terminal_byte.
void terminal_raw(bool on);
int terminal_byte(void); // -1: none is waiting

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// Signals as input of the loop: handlers write one byte to a pipe, the loop reads it. And the way out of a crash: the
// terminal is put back as it was, then the signal does what it would have done.
#ifndef UI_SIGNALS_H
#define UI_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

// Takes INT, TERM, HUP, TSTP, CONT and WINCH, and ignores PIPE.
bool signals_open(struct fault *);
int signals_fd(void);   // readable when a signal has come
int signals_next(void); // its number; 0: none
// Stops the process, and with `group` those started with it (a shell script, make), as an unhandled TSTP would; returns
// when it goes on.
void signals_stop(bool group);

// From now on a crash (SEGV, BUS, FPE, ILL, ABRT) restores the terminal settings that are in force now on `tty`, writes
// `restore` to it, then `note` (a line for the person) and what stderr_kept holds, all by async-signal-safe means alone.
void crash_arm(int tty, const char *restore, size_t length);
void crash_note(const char *line);
void crash_disarm(void);

// Keeps what is written to standard error out of the screen, in memory; stderr_back puts it out, and again to the
// terminal. Both may be called in any order, more than once.
void stderr_keep(void);
void stderr_back(void);

#endif

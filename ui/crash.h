// SPDX-License-Identifier: GPL-3.0-or-later
// In a crash, restores the terminal and then lets the signal take its course. Also keeps standard error off the screen.
#ifndef UI_CRASH_H
#define UI_CRASH_H

#include <stddef.h>

// From now on a crash (SEGV, BUS, FPE, ILL, ABRT) restores the present terminal settings of `tty` and writes to it `restore`, the
// line of crash_note and the kept standard error, all by async-signal-safe means.
void crash_arm(int tty, const char *restore, size_t length);
void crash_note(const char *line);
void crash_disarm(void);

// stderr_keep collects what is written to standard error in memory, off the screen; stderr_back writes it out and restores
// standard error. Both may be called in any order and more than once.
void stderr_keep(void);
void stderr_back(void);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// In a crash the terminal is put back as it was, then the signal does what it would have done. Standard error is kept out of the
// screen.
#ifndef UI_CRASH_H
#define UI_CRASH_H

#include <stddef.h>

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

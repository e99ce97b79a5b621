// SPDX-License-Identifier: GPL-3.0-or-later
// Turns signals into input for a loop: a handler writes a byte to a pipe, and the loop reads it. All signals that end a program
// without a crash are taken, including those of a job scheduler (the time limit is near, the job must give way) and of a closed
// pipe. The loop that reads one saves and leaves. The signal of the file-size limit is ignored: the write fails instead. There is
// one set for the process; only its first thread calls these functions. Other threads block all signals.
#ifndef ENGINE_BASE_SIGNALS_H
#define ENGINE_BASE_SIGNALS_H

#include <stdbool.h>

#include "engine/base/fault.h"

// With `screen`, TSTP, CONT and WINCH are taken too, and system calls that a signal interrupts are restarted. Without it such
// calls fail with EINTR, and a signal that a person sends a second time ends the process at once.
bool signals_open(bool screen, struct fault *);
void signals_close(void); // puts back what was there before
int signals_fd(void);     // readable when a signal has come
int signals_next(void);   // the number of the next signal; 0: none
int signals_heard(void);  // the last number that signals_next gave since the opening; 0: none
// Stops the process as an unhandled TSTP would, and with `group` also those started with it (a shell script, make). Returns when
// the process is continued.
void signals_stop(bool group);

#endif

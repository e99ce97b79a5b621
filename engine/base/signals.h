// SPDX-License-Identifier: GPL-3.0-or-later
// Signals as input of a loop: handlers write a byte to a pipe, the loop reads it. It takes all signals that end a program
// without a crash, a scheduler's (a limit of time comes near, the job is to give way) and that of a closed pipe among them: whoever
// hears one saves and leaves. A limit on the size of files is not a signal's business: the write fails, and says so.
// There is one set for the process; only its first thread calls these. Other threads block all signals.
#ifndef ENGINE_BASE_SIGNALS_H
#define ENGINE_BASE_SIGNALS_H

#include <stdbool.h>

#include "engine/base/fault.h"

// `screen`: takes TSTP, CONT and WINCH too, and calls that a signal interrupts go on. Without: such calls fail with EINTR, and
// what a person sends a second time ends the process at once.
bool signals_open(bool screen, struct fault *);
void signals_close(void); // all is as it was before
int signals_fd(void);     // readable when one has come
int signals_next(void);   // its number; 0: none
int signals_heard(void);  // the last that signals_next gave, until they are opened again; 0: none
// Stops the process, and with `group` those started with it (a shell script, make), as an unhandled TSTP would; returns
// when it goes on.
void signals_stop(bool group);

#endif

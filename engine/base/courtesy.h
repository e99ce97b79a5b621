// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that compute for long give way to those that have a moment's work, such as the one that answers keys, and the terminal.
#ifndef ENGINE_BASE_COURTESY_H
#define ENGINE_BASE_COURTESY_H

// Asks the system for long turns on a processor for the calling thread: whoever wakes and wants a shorter one then has it at once, not
// when the turn is over, and each still gets as much of the processor as before. An ordinary user may ask for this. Linux from 6.12 on heeds it; elsewhere nothing
// changes.
void thread_gives_way(void);

#endif

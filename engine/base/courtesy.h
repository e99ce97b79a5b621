// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that compute for long give way to those that have a moment's work, where a person waits for it: to the one that answers keys.
#ifndef ENGINE_BASE_COURTESY_H
#define ENGINE_BASE_COURTESY_H

// Says that a person sits at a screen of this process. Threads that are made later and call courtesy_give then have a lower priority than
// others: the first processor that is asked for goes to those. Where nobody else wants the processors they lose nothing.
void courtesy_ask(void);
// The calling thread computes for long. Does nothing unless courtesy was asked for.
void courtesy_give(void);

#endif

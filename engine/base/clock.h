// SPDX-License-Identifier: GPL-3.0-or-later
// The time that passes: for speeds, deadlines and frames. Nothing of a search depends on it. Any thread.
#ifndef ENGINE_BASE_CLOCK_H
#define ENGINE_BASE_CLOCK_H

// Seconds since some moment in the past; it never goes back, whatever is done to the calendar.
double clock_seconds(void);

#endif

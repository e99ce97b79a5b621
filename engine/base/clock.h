// SPDX-License-Identifier: GPL-3.0-or-later
// Measures elapsed time for speeds, deadlines and frames. No result of a search depends on it. Any thread.
#ifndef ENGINE_BASE_CLOCK_H
#define ENGINE_BASE_CLOCK_H

// Returns the seconds since some fixed moment in the past. It never goes back, even when the system's date is changed.
double clock_seconds(void);

#endif

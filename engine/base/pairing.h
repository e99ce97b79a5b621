// SPDX-License-Identifier: GPL-3.0-or-later
// Two judges of the same things, and whether one is right more often than the other. Any thread.
#ifndef ENGINE_BASE_PAIRING_H
#define ENGINE_BASE_PAIRING_H

#include <stdint.h>

struct pairing {
	long both, first, second, neither; // right: both, one alone, none
	double ahead, error;               // how far the second is ahead, of all; the standard error of that
	// Of a difference as large or larger if each thing that one alone is right about were either's with equal odds: the exact test of
	// McNemar (1947), two-sided, by the binomial distribution.
	double chance;
};
// Not 0 where it is right.
struct pairing pairing_of(const uint8_t *first, const uint8_t *second, long count);

#endif

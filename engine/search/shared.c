// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/shared.h"

#include <math.h>

double smoothed(double old, double value)
{
	return isnan(old) ? value : old + 0.05 * (value - old);
}

bool diverged(const struct shared *s, const char *what, struct fault *fault)
{
	return fault_set(fault, "training", "begin a new session with a smaller rate", "the %s is no longer a number at step %ld",
		what, s->step + 1);
}

bool uniform_choice(const struct space *s, const char *format, uint8_t *choice, struct fault *fault)
{
	for (int i = 0, option; i < s->slots; i++) {
		if (!space_option_named(s, i, format, &option, fault))
			return false;
		choice[i] = (uint8_t)option;
	}
	return true;
}

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
	int option;
	if (!space_option_named(s, 0, format, &option, fault))
		return false;
	for (int i = 0; i < s->slots; i++)
		choice[i] = (uint8_t)(space_of_format(s, i) ? option : s->slot[i].options - 1);
	return true;
}

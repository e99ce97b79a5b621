// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/shared.h"

#include <math.h>

#include "engine/quant/format.h"

double smoothed(double old, double value)
{
	return isnan(old) ? value : old + 0.05 * (value - old);
}

double progress(const struct shared *s, long from)
{
	double span = (double)(s->horizon - from);
	return span > 0 ? fmin(1, fmax(0, (double)(s->step - from) / span)) : 1;
}

bool diverged(const struct shared *s, const char *what, struct fault *fault)
{
	return fault_set(fault, "training", "begin a new session with a smaller rate",
		"the %s is no longer a number at step %ld", what, s->step + 1);
}

bool uniform_choice(const struct space *s, const char *format, uint8_t *choice, struct fault *fault)
{
	int f = format_named(format);
	for (int i = 0; i < s->slots; i++) {
		int o = f < 0 ? -1 : space_option(s, i, f);
		if (o < 0)
			return fault_set(fault, format, "`status` names the formats of this search",
				f < 0 ? "no such format" : "not in the space of this search");
		choice[i] = (uint8_t)o;
	}
	return true;
}

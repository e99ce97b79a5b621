// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

// Three digits are shown: what would be 1000 of a prefix is 1 of the next.
static const double from = 0.9995;

static const char *scaled(double *value)
{
	int power = si_power(fabs(*value), from, SI_ONE, SI_PETA);
	*value /= si_factor(power);
	return si_prefix(power);
}

static int decimals(double value)
{
	double size = fabs(value);
	return size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
}

const char *show_si(double value, char *buf, size_t size)
{
	if (!isfinite(value)) {
		snprintf(buf, size, "-");
		return buf;
	}
	const char *unit = scaled(&value);
	int places = decimals(value);
	if (fabs(value) < 0.0995 && value != 0.0) { // a latency, say
		snprintf(buf, size, "%.2g", value);
		return buf;
	}
	if (unit[0] == '\0' && value == floor(value))
		places = 0; // a count
	snprintf(buf, size, "%.*f%s", places, value, unit);
	return buf;
}

const char *show_amount(double value, const char *symbol, char *buf, size_t size)
{
	if (symbol[0] != 'm' || !symbol[1]) {
		show_si(value, buf, size);
		size_t length = strlen(buf);
		if (isfinite(value))
			snprintf(buf + length, size - length, "%s", symbol);
		return buf;
	}
	// It has its prefix: milli.
	value /= 1000.0;
	int power = value != 0.0 ? si_power(fabs(value), from, SI_PICO, SI_PETA) : SI_ONE;
	value = power < SI_ONE ? value * si_factor(-power) : value / si_factor(power); // thousands are exact, thousandths are not
	if (isfinite(value))
		snprintf(buf, size, "%.*f%s%s%s", value == 0.0 ? 0 : decimals(value), value, si_prefix(power),
			value == 0.0 ? "m" : "", symbol + 1);
	else
		snprintf(buf, size, "-");
	return buf;
}

const char *show_typed(double value, char *buf, size_t size)
{
	const char *unit = scaled(&value);
	if (unit[0] == 'P') { // not a prefix that is read back
		value *= 1000.0;
		unit = "T";
	}
	snprintf(buf, size, "%.4g%s", value, unit);
	return buf;
}

const char *show_small(double value, char *buf, size_t size)
{
	snprintf(buf, size, isfinite(value) ? fabs(value) < 1e-3 ? "%.2g" : "%.3g" : "-", value);
	return buf;
}

const char *show_duration(double seconds, char *buf, size_t size)
{
	if (!(seconds >= 0.0) || seconds > 359999.0)
		snprintf(buf, size, seconds > 0.0 ? ">99h" : "-");
	else if (seconds < 3600.0)
		snprintf(buf, size, "%d:%02d", (int)seconds / 60, (int)seconds % 60);
	else
		snprintf(buf, size, "%dh%02d", (int)seconds / 3600, (int)seconds / 60 % 60);
	return buf;
}

const char *show_percent(double share, char *buf, size_t size)
{
	double percent = share * 100.0;
	if (!isfinite(percent) || percent < 0.0 || percent > 999.0)
		snprintf(buf, size, "-");
	else if (percent > 0.0 && percent < 0.5)
		snprintf(buf, size, "<1%%");
	else
		snprintf(buf, size, "%.0f%%", percent);
	return buf;
}

const char *show_ratio(double ratio, char *buf, size_t size)
{
	if (!isfinite(ratio) || ratio < 0.0)
		snprintf(buf, size, "-");
	else if (ratio > 9999.0)
		snprintf(buf, size, ">999");
	else
		snprintf(buf, size, "%.*f", decimals(ratio), ratio);
	return buf;
}

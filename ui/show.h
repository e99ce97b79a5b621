// SPDX-License-Identifier: GPL-3.0-or-later
// Writes numbers as the screen shows them: short, of steady width, with a unit's prefix. All return buf.
#ifndef UI_SHOW_H
#define UI_SHOW_H

#include <stddef.h>

// Three digits and a prefix: "12.5M", "201", "0.83"; at most 6 columns. "-" if it is not a number.
const char *show_si(double value, char *buf, size_t size);
// The same with a term's symbol ("ms", "mJ", "B"; "": a count) and the prefix that suits it: "84.2ms", "31.2kB", "1.25s",
// "12.3us"; at most 7 columns.
const char *show_amount(double value, const char *symbol, char *buf, size_t size);
// A number as a person would type it: "11.23G".
const char *show_typed(double value, char *buf, size_t size);
// Significant digits, however small the number: "0.0312", "1.7e-06"; at most 7 columns below a million.
const char *show_small(double value, char *buf, size_t size);
// A length of time: "0:42", "12:05", "3h07"; at most 6 columns.
const char *show_duration(double seconds, char *buf, size_t size);
// A share of 1 as "12%"; " <1%" if it is small but not 0; at most 4 columns.
const char *show_percent(double share, char *buf, size_t size);
// A ratio to a target: "1.26", "12.6", "126"; at most 4 columns.
const char *show_ratio(double ratio, char *buf, size_t size);

#endif

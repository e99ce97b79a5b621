// SPDX-License-Identifier: GPL-3.0-or-later
// Shortens a set of names where there is little room. One rule applies to all: the mildest that makes them fit and keeps them
// distinct.
#ifndef UI_NAMES_H
#define UI_NAMES_H

#include <stddef.h>

struct names;
// The texts are borrowed and must not change. NULL: out of memory.
struct names *names_new(const char *(*name)(const void *context, int i), const void *context, int count);
void names_free(struct names *); // NULL: nothing
// names_width: the columns of the longest name if up to `width` may be used. names_least: the columns that the strictest rule
// needs. names_words: the least columns at which the last words of the names can be read.
int names_width(const struct names *, int width);
int names_least(const struct names *);
int names_words(const struct names *);
// Writes the i-th name in at most `width` columns. Below names_least it may be cut. Returns buf.
const char *names_fit(const struct names *, int i, int width, char *buf, size_t size);

#endif

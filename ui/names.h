// SPDX-License-Identifier: GPL-3.0-or-later
// Shortens the names of a set where there is little room, all by one rule: the mildest that fits and under which no two become
// alike.
#ifndef UI_NAMES_H
#define UI_NAMES_H

#include <stddef.h>

struct names;
// The texts are borrowed and stay as they are. NULL: out of memory.
struct names *names_new(const char *(*name)(const void *context, int i), const void *context, int count);
void names_free(struct names *); // NULL: nothing
// Columns that the longest takes where so many may be used; columns that the strictest rule needs; columns from which on
// their last words can still be read.
int names_width(const struct names *, int width);
int names_least(const struct names *);
int names_words(const struct names *);
// The i-th in at most `width` columns; returns buf. Below names_least it may be cut.
const char *names_fit(const struct names *, int i, int width, char *buf, size_t size);

#endif
